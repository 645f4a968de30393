"""Private names of Keras, TensorFlow and TFDS: each test fails first when one of them changes."""

import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo import _compat


class Block(keras.layers.Layer):
    """A layer with a weight and a layer inside."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.inner = keras.layers.Dense(3, name="inner")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.scale = self.add_weight(name="scale", shape=(2,))
        self.inner.build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.inner(x * self.scale)


def test_flatten_layers_reaches_nested_layers() -> None:
    model = keras.Sequential([keras.Input((2,)), Block()], name="model")
    assert [layer.name for layer in _compat.flatten_layers(model) if layer.weights] == [
        *("model", "block", "inner")
    ]


def test_direct_trainable_variables_leaves_out_nested_layers() -> None:
    block = Block()
    block.build((None, 2))
    assert [variable.name for variable in _compat.direct_trainable_variables(block)] == ["scale"]
    assert len(block.trainable_variables) == 3


@pytest.mark.parametrize("wrap", [lambda sgd: sgd, keras.optimizers.LossScaleOptimizer])
def test_disable_gradient_all_reduce(wrap: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras sums gradients in `_all_reduce_sum_gradients`; the replacement returns them as they are."""
    sgd, calls = keras.optimizers.SGD(), []
    monkeypatch.setattr(sgd, "_all_reduce_sum_gradients", lambda pairs: calls.append(pairs) or pairs)
    variable = keras.Variable(np.zeros(2, "float32"))
    optimizer = wrap(sgd)
    optimizer.build([variable])
    optimizer.apply([tf.ones(2)], [variable])
    assert len(calls) == 1
    _compat.disable_gradient_all_reduce(optimizer)
    pairs = [(tf.ones(2), variable)]
    assert sgd._all_reduce_sum_gradients(pairs) is pairs


@pytest.mark.parametrize("wrap", [lambda adam: adam, keras.optimizers.LossScaleOptimizer])
def test_accumulation_branch_does_the_steps_of_keras(wrap: Callable) -> None:
    """Keras chooses the kind of each of seven steps by itself; here the caller does, by the number of batches."""
    results = []
    for chooses in (False, True):
        adam = keras.optimizers.Adam(0.1, clipnorm=1.0, weight_decay=0.1, gradient_accumulation_steps=3)
        variable, optimizer = keras.Variable(np.ones(2, "float32")), wrap(adam)
        optimizer.build([variable])
        for step in range(7):
            assert _compat.count_applied_batches(optimizer) == step
            is_update = (step + 1) % 3 == 0
            branch = (
                _compat.accumulation_branch(optimizer, is_update) if chooses else contextlib.nullcontext()
            )
            with branch:
                optimizer.apply([tf.constant([1.0, -2.0]) * optimizer.scale_loss(step + 1.0)], [variable])
        results.append([np.asarray(v) for v in (variable, *optimizer.variables)])
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)
    assert np.abs(results[0][0] - 1).min() > 0.1


def test_get_argument_finds_what_losses_and_metrics_were_made_with() -> None:
    """Keras stores it in several places."""
    function = keras.losses.sparse_categorical_crossentropy
    for value in (False, True):
        for made in (
            keras.losses.SparseCategoricalCrossentropy(from_logits=value),
            keras.metrics.SparseCategoricalCrossentropy(from_logits=value),
            keras.metrics.AUC(from_logits=value),
            keras.metrics.MeanMetricWrapper(function, from_logits=value),
            partial(function, from_logits=value),
        ):
            assert _compat.get_argument(made, "from_logits") is value
    wrapping = keras.metrics.MeanMetricWrapper(function)
    assert _compat.get_argument(function, "from_logits") is False
    assert _compat.get_argument(wrapping, "from_logits") is False
    assert _compat.get_argument(keras.losses.MeanSquaredError(), "from_logits") is None
    assert _compat.get_wrapped_function(wrapping) is function
    assert _compat.get_wrapped_function(keras.losses.KLDivergence()) is keras.losses.kl_divergence
    assert _compat.get_wrapped_function(function) is function


def test_get_adam_moments() -> None:
    """m and v of a variable after one step, by the equations of Adam."""
    adam = keras.optimizers.Adam(beta_1=0.9, beta_2=0.99)
    variables = [keras.Variable(np.zeros(2, "float32")), keras.Variable(np.zeros(2, "float32"))]
    adam.build(variables)
    adam.apply([tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])], variables)
    m, v = _compat.get_adam_moments(adam, variables[1].value)
    np.testing.assert_allclose(m, [0.3, 0.4], rtol=1e-5)
    np.testing.assert_allclose(v, [0.09, 0.16], rtol=1e-5)


def test_text_file_initializer_hides_the_path(tmp_path: Path) -> None:
    """The name of a table in an export contains the given name in the place of the path."""
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n")
    key = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
    value = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
    module = tf.Module()
    initializer = _compat.make_text_file_initializer(path, key, value, shared_name="content_hash")
    module.table = tf.lookup.StaticHashTable(initializer, -1)
    module.lookup = tf.function(module.table.lookup, input_signature=[tf.TensorSpec([None], tf.string)])
    assert module.lookup(["b", "a", "c"]).numpy().tolist() == [1, 0, -1]
    tf.saved_model.save(module, str(tmp_path / "export"))
    graph = (tmp_path / "export" / "saved_model.pb").read_bytes()
    assert b"content_hash" in graph
    assert str(tmp_path).encode() not in graph


def test_every_application_has_its_preprocessing() -> None:
    applications = _compat.find_applications()
    assert {"MobileNetV2", "ResNet50", "VGG16", "ConvNeXtTiny"} <= set(applications)
    for application in applications.values():
        preprocess_input = _compat.get_preprocess_input(application)
        assert preprocess_input.__module__ == application.__module__
    pixels = np.array([0.0, 127.5, 255.0])
    mobilenet = _compat.get_preprocess_input(applications["MobileNetV2"])
    np.testing.assert_allclose(mobilenet(pixels), [-1, 0, 1])


def test_autocast_scope_casts_variables_when_they_are_read() -> None:
    variable = keras.Variable(np.ones(2, "float32"))
    with _compat.autocast_scope("bfloat16"):
        assert tf.convert_to_tensor(variable).dtype == "bfloat16"
        with _compat.autocast_scope(None):
            assert tf.convert_to_tensor(variable).dtype == "float32"


def test_call_context_of_a_layer_after_its_call() -> None:
    contexts = []

    class Outer(keras.layers.Layer):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            contexts.append(_compat.make_call_context(True))
            return dropout(x, training=False)  # also changes what Keras passes to the layers after it

    x, dropout = np.ones((1, 100)), keras.layers.Dropout(0.5)
    Outer()(x, training=True)
    for call_context in (*contexts, _compat.make_call_context(True)):
        for _ in range(2):
            with _compat.call_context_scope(call_context):
                assert not np.all(dropout(x))
                dropout(x, training=False)
                assert np.all(dropout(x))
    assert np.all(dropout(x))


def test_keras_mask_is_that_of_an_embedding() -> None:
    words = np.array([[3, 1, 0]])
    mask = _compat.get_keras_mask(keras.layers.Embedding(4, 2, mask_zero=True)(words))
    assert mask.numpy().tolist() == [[True, True, False]]
    assert _compat.get_keras_mask(tf.constant(words)) is None


def test_is_exporting_while_an_export_traces(tmp_path: Path) -> None:
    traces = []

    class Layer(keras.layers.Layer):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            traces.append((_compat.is_exporting(), _compat.is_exporting(to_onnx=True)))
            return x + 1

    model = keras.Sequential([keras.Input((2,)), Layer()])
    model(np.ones((1, 2)))
    model.predict(np.ones((1, 2)), verbose=0)
    assert set(traces) == {(False, False)}
    for kind in ("tf_saved_model", "onnx"):
        traces.clear()
        model.export(tmp_path / kind, format=kind, verbose=False)
        assert set(traces) == {(True, kind == "onnx")}


def test_updated_variable_ids_are_those_of_assigned_variables() -> None:
    first, second = (keras.Variable(np.zeros(2, "float32")) for _ in range(2))
    with keras.StatelessScope() as scope:
        first.assign(np.ones(2))
        assert _compat.updated_variable_ids(scope) == {id(first)}
    assert not second.numpy().any()


def test_uninitialized_variables_are_those_created_in_the_scope() -> None:
    keras.Variable(np.ones(2, "float32"))
    with keras.StatelessScope():
        variable = keras.Variable(lambda shape, dtype: np.ones(shape, dtype), shape=(2,))
        assert [id(v) for v in _compat.uninitialized_variables()] == [id(variable)]
    assert _compat.uninitialized_variables() == []
    assert variable.numpy().all()


def test_builder_base_class_makes_builders(tmp_path: Path) -> None:
    """A subclass of it with a version, a configuration and features is a builder that TFDS can prepare."""
    base = _compat.get_builder_base_class()

    class Squares(base, skip_registration=True):
        VERSION = _compat.make_dataset_version("1.2.3")
        BUILDER_CONFIGS = (_compat.make_builder_config("small"),)

        def _info(self) -> object:
            features = tfds.features.FeaturesDict({"square": tfds.features.Scalar(np.int32)})
            return _compat.make_dataset_info(self, features=features, license="free")

        def _split_generators(self, dl_manager: object) -> dict:
            return {"train": self._generate_examples()}

        def _generate_examples(self) -> object:
            return ((number, {"square": number**2}) for number in range(3))

    assert "squares" not in tfds.list_builders(with_community_datasets=False)
    builder = Squares(data_dir=tmp_path)
    builder.download_and_prepare()
    assert builder.info.full_name == "squares/small/1.2.3"
    assert builder.info.redistribution_info.license == "free"
    examples = tfds.as_numpy(builder.as_dataset(split="train"))
    assert sorted(example["square"] for example in examples) == [0, 1, 4]


def test_is_downloaded_needs_the_file_and_its_record(tmp_path: Path) -> None:
    """TFDS names a download after its URL and checksum, and records it in a file with the suffix .INFO."""
    path = tmp_path / _compat.get_download_name("https://example.com/some/archive.tar.gz", 64 * "ab")
    assert path.name.startswith("example.com_some_archive")
    assert path.suffixes == [".tar", ".gz"] or path.name.endswith(".tar.gz")
    assert not _compat.is_downloaded(path)
    path.write_bytes(b"content")
    assert not _compat.is_downloaded(path)
    path.with_name(f"{path.name}.INFO").write_text("{}")
    assert _compat.is_downloaded(path)


def test_parse_saved_model_reads_graphs_and_functions(tmp_path: Path) -> None:
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(module, str(tmp_path))
    content = (tmp_path / "saved_model.pb").read_bytes()
    model = _compat.parse_saved_model(content)
    (graph,) = model.meta_graphs
    assert any(
        node.op == "Mul" for function in graph.graph_def.library.function for node in function.node_def
    )
    assert _compat.parse_saved_model(model.SerializeToString()) == model


def test_write_fingerprint_follows_the_graph(tmp_path: Path) -> None:
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([], tf.float32)])
    tf.saved_model.save(module, str(tmp_path))
    before = tf.saved_model.experimental.read_fingerprint(str(tmp_path))
    path = tmp_path / "saved_model.pb"
    model = _compat.parse_saved_model(path.read_bytes())
    model.meta_graphs[0].meta_info_def.tags.append("changed")
    path.write_bytes(model.SerializeToString())
    assert tf.saved_model.experimental.read_fingerprint(str(tmp_path)) == before
    _compat.write_fingerprint(tmp_path)
    after = tf.saved_model.experimental.read_fingerprint(str(tmp_path))
    assert after.saved_model_checksum != before.saved_model_checksum
    assert after.checkpoint_hash == before.checkpoint_hash


@pytest.mark.parametrize(
    ("flags", "is_used"),
    [
        (None, True),
        ("", True),
        ("--tf_xla_clustering_debug", True),
        ("/path/of/a/file/with/flags", False),
        ("--tf_xla_persistent_cache_directory=/tmp", False),
    ],
)
def test_cache_compiled_programs_keeps_the_flags_of_the_user(
    flags: str | None, is_used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`test_xla_cache` tests that TensorFlow follows the flags."""
    if flags is None:
        monkeypatch.delenv("TF_XLA_FLAGS", raising=False)
    else:
        monkeypatch.setenv("TF_XLA_FLAGS", flags)
    assert _compat.cache_compiled_programs("ram://a/b") == is_used
    added = " --tf_xla_persistent_cache_directory=ram://a/b --tf_xla_persistent_cache_device_types=CPU"
    assert os.environ["TF_XLA_FLAGS"] == ((flags or "") + added * is_used).strip()


def test_configure_coordination(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests/test_workers.py` tests that the limits hold."""
    monkeypatch.setattr(_compat.context.context(), "_coordination_service_config", None)
    _compat.configure_coordination(["chief 0", "worker 0", "worker 1"], 1.5, 10.0)
    config = _compat.context.context().coordination_service
    assert config.service_leader == "/job:chief/replica:0/task:0"
    assert (config.cluster_register_timeout_in_ms, config.heartbeat_timeout_in_ms) == (1500, 10_000)
    assert config.cluster_register_with_barrier
    assert [(job.name, job.num_tasks) for job in config.coordinated_job_list] == [("chief", 1), ("worker", 2)]


def test_report_error_to_workers_without_workers() -> None:
    tf.constant(0)  # initializes TensorFlow
    with pytest.raises(tf.errors.OpError, match=r"[Cc]oordination"):
        _compat.report_error_to_workers("An error.")
