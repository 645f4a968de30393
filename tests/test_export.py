"""SavedModels: written, checked by a fresh process, and moved into place whole."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import list_operations

import zoo
from zoo._compat import parse_saved_model, write_fingerprint
from zoo.card import read_card
from zoo.export import load_keras_model
from zoo.export import saved_model as exporting

CARD = zoo.export.Card(
    task="shouting",
    input_kind="text",
    title="Shout",
    summary="Repeats a text louder.",
    data="none",
    license="none needed",
    command="python shout.py",
    settings={"seed": 1},
    metrics={"loudness": 0.9},
    headline="loudness",
    limits=("It cannot whisper.",),
)


class Shout(tf.Module):
    """Texts in capitals, and a loudness by its weight."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = tf.Variable(weight)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        loudness = self.weight * tf.cast(tf.strings.length(text), tf.float32)
        return {"answer": tf.strings.upper(text), "loudness": loudness}


def export(weight: float, directory: Path) -> Path:
    module = Shout(weight)
    signatures = {"serving_default": module.serve}
    return zoo.export_model(signatures, directory, CARD, examples={"text": ["hey"]}, resources=[module])


def test_outputs_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        zoo.errors.ExportError,
        match=r"`loudness` is not a number \(NaN\) in 1 of 1 values for the examples\. Expected numbers\. Look for",
    ):
        export(float("nan"), tmp_path / "1")
    assert not (tmp_path / "1").exists()


def loudness(directory: Path) -> float:
    loaded = tf.saved_model.load(str(directory))
    return float(loaded.signatures["serving_default"](text=tf.constant(["ab"]))["loudness"][0])


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(2.0, tmp_path_factory.mktemp("models") / "shout" / "1")


@pytest.fixture
def directory(earlier: Path) -> Path:
    """An earlier export that a test must not change; its directory holds nothing else, before and after."""
    yield earlier
    assert loudness(earlier) == 4.0
    assert [path.name for path in earlier.parent.iterdir()] == ["1"]


def test_the_card_describes_the_export(directory: Path) -> None:
    card = json.loads((directory / "card.json").read_text(encoding="utf-8"))
    assert card["example"] == {
        "inputs": {"text": ["hey"]},
        "outputs": {"answer": ["HEY"], "loudness": [6.0]},
    }
    assert (card["task"], card["input_kind"], card["settings"]) == ("shouting", "text", {"seed": 1})
    assert card["signatures"]["serving_default"] == {
        "inputs": {"text": "string [None]"},
        "outputs": {"answer": "string [None]", "loudness": "float32 [None]"},
        "is_batchable": True,
    }
    assert card["versions"]["tensorflow"] == tf.__version__
    assert card["commit"]
    written = {path: path.stat().st_size for path in directory.rglob("*") if path.is_file()}
    uncounted = ("card.json", "README.md", "SHA256SUMS")
    assert card["size_bytes"] == sum(size for path, size in written.items() if path.name not in uncounted)
    assert read_card(directory) == card
    page = (directory / "README.md").read_text(encoding="utf-8")
    for fact in ("# Shout", "louder", "python shout.py", "cannot whisper", "| loudness | 0.9 |", "['hey']"):
        assert fact in page


def test_loading_an_export_does_not_warn_of_gradients(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The names of gradients are removed; the outputs are the same."""
    layer = zoo.GRU(3)
    x = tf.random.stateless_normal([2, 5, 4], seed=[1, 2])
    expected = layer(x)
    spec = tf.TensorSpec([None, None, 4], tf.float32, "x")
    serve = tf.function(lambda x: {"y": layer(x)}, input_signature=[spec], autograph=False)
    module = tf.Module()
    module.weights = [weight.value for weight in layer.weights]
    signatures = {"serving_default": serve}
    zoo.export_model(signatures, tmp_path / "1", CARD, examples={"x": x.numpy()}, resources=[module])
    assert b"_gradient_op_type" not in (tmp_path / "1" / "saved_model.pb").read_bytes()
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    np.testing.assert_allclose(loaded.signatures["serving_default"](x=x)["y"], expected, atol=1e-6)
    assert "gradient" not in caplog.text


def test_variables_are_saved_without_an_operation_that_some_bindings_lack(
    earlier: Path, tmp_path: Path
) -> None:
    """`DisableCopyOnRead` is not in the graph, and a session saves and restores the variables as before."""
    tf.saved_model.save(Shout(2.0), str(tmp_path / "plain"))
    assert "DisableCopyOnRead" in list_operations(tmp_path / "plain")
    assert "DisableCopyOnRead" not in list_operations(earlier)
    v1, checkpoint = tf.compat.v1, str(tmp_path / "checkpoint")
    with tf.Graph().as_default(), v1.Session() as session:
        meta_graph = parse_saved_model((earlier / "saved_model.pb").read_bytes()).meta_graphs[0]
        v1.train.import_meta_graph(meta_graph).restore(session, str(earlier / "variables" / "variables"))
        saver = meta_graph.saver_def
        session.run(saver.save_tensor_name, {saver.filename_tensor_name: checkpoint})
    saved, expected = (
        tf.train.load_checkpoint(path) for path in (checkpoint, str(earlier / "variables" / "variables"))
    )
    (key,) = (name for name in expected.get_variable_to_shape_map() if "VARIABLE_VALUE" in name)
    assert saved.get_tensor(key) == expected.get_tensor(key) == 2.0


def test_the_fingerprint_is_that_of_the_graph(earlier: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(earlier, tmp_path / "copy")
    write_fingerprint(copy)
    written, computed = (tf.saved_model.experimental.read_fingerprint(str(path)) for path in (earlier, copy))
    assert written.saved_model_checksum == computed.saved_model_checksum


@pytest.mark.usefixtures("predict_in_process")
def test_an_export_replaces_the_earlier_one(earlier: Path, tmp_path: Path) -> None:
    shutil.copytree(earlier, tmp_path / "1")
    export(3.0, tmp_path / "1")
    assert loudness(tmp_path / "1") == 6.0
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize("step", ["saved_model", "client", "card"])
@pytest.mark.parametrize("reason", [KeyboardInterrupt, OSError("No space left on device")])
def test_an_interrupted_export_leaves_the_earlier_one_unchanged(
    directory: Path,
    step: str,
    reason: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if step == "card":
        request.getfixturevalue("predict_in_process")

    def end(*args: object, **kwargs: object) -> None:
        raise reason

    owner, name = {
        "saved_model": (tf.saved_model, "save"),
        "client": (exporting.subprocess, "run"),
        "card": (exporting, "write_card"),
    }[step]
    monkeypatch.setattr(owner, name, end)
    expected = KeyboardInterrupt if reason is KeyboardInterrupt else zoo.errors.ExportError
    with pytest.raises(expected):
        export(3.0, directory)


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_a_process_killed_while_it_moves_the_export_loses_nothing(
    earlier: Path, tmp_path: Path, moves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any number of moves the next export finds the earlier one or the new one."""
    directory = shutil.copytree(earlier, tmp_path / "1")
    rename, left = Path.rename, [moves]

    class Killed(BaseException):
        pass

    def rename_until_killed(path: Path, target: Path) -> Path:
        if not left[0]:
            raise Killed
        left[0] -= 1
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_until_killed)
    # A killed process cleans nothing up.
    monkeypatch.setattr(exporting, "shutil", SimpleNamespace(rmtree=lambda path, ignore_errors: None))
    monkeypatch.setattr(exporting, "_compare", lambda outputs, loaded: None)
    monkeypatch.setattr(exporting, "run_in_fresh_process", lambda directory, inputs: {})
    if moves < 2:
        with pytest.raises(Killed):
            export(3.0, directory)
    else:
        export(3.0, directory)
    monkeypatch.undo()

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(zoo.errors.ExportError, match="the disk is full"):
        export(4.0, directory)
    assert loudness(directory) == (6.0 if moves == 2 else 4.0)
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_directory_that_is_not_an_export_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work", encoding="utf-8")
    with pytest.raises(zoo.errors.ExportError, match="not a SavedModel"):
        export(3.0, tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "ten years of work"


@pytest.mark.parametrize(("text", "number"), [("HEYHEY", 9.0), ("HEY", 9.01)])
def test_other_outputs_of_a_fresh_process_are_an_error(
    directory: Path, text: str, number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = f"answer=np.array([{text.encode()}], object), loudness=np.float32([{number}])"
    client = f"import pickle, sys, numpy as np; pickle.dump(dict({outputs}), sys.stdout.buffer)"
    monkeypatch.setattr(exporting, "_CLIENT", client)
    with pytest.raises(zoo.errors.ExportError, match=r"of a fresh process differs from .* expected .*, got "):
        export(3.0, directory)


def test_an_export_that_does_not_load_is_an_error(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_CLIENT", "raise SystemExit('no such operation')")
    with pytest.raises(zoo.errors.ExportError, match="no such operation"):
        export(3.0, directory)


class Reader(tf.Module):
    """A layer that would be compiled, because its batch size is known."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = zoo.LSTM(3)
        self.layer.build((1, None, 2))

    @tf.function(input_signature=[tf.TensorSpec([1, None, 2], tf.float32, "x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"h": self.layer(x)}


@pytest.mark.usefixtures("predict_in_process")
def test_half_precision_stores_matrices_in_float16(tmp_path: Path) -> None:
    """They are converted once, not in the loop; other weights and large values stay; the model can be restored."""
    inputs = keras.Input([None, 64])
    outputs = keras.layers.Dense(2, name="scores")(zoo.GRU(64)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, name="large", kernel_initializer="ones")(outputs))
    large = model.get_layer("large").kernel
    large.assign([[1e5, 1.0], [1.0, 1.0]])
    x = np.random.default_rng(0).normal(size=[3, 5, 64]).astype("float32")
    expected = model(x).numpy()

    @tf.function(input_signature=[tf.TensorSpec([None, None, 64], tf.float32, "x")], autograph=False)
    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        with zoo.layers.export_scope():
            return {"y": model(x)}

    serve(x)  # what was traced before makes no difference
    options = {"card": CARD, "examples": {"x": x.tolist()}, "model": model}
    whole, half = (
        zoo.export_model(
            {"serving_default": serve}, tmp_path / name, half_precision=name == "half", **options
        )
        for name in ("whole", "half")
    )
    sizes = [
        sum(path.stat().st_size for path in (directory / "variables").iterdir())
        for directory in (whole, half)
    ]
    num_halved = (
        sum(weight.value.shape.num_elements() for weight in model.weights if len(weight.shape) > 1) - 4
    )
    assert sizes[0] - sizes[1] == pytest.approx(2 * num_halved, abs=500)
    loaded = tf.saved_model.load(str(half))
    actual = loaded.signatures["serving_default"](x=tf.constant(x))["y"].numpy()
    np.testing.assert_allclose(actual, expected, rtol=5e-3, atol=500)
    assert (actual != expected).any()
    np.testing.assert_array_equal(model(x), expected)  # the model itself is as before
    graph = parse_saved_model((half / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    casts = {
        function.signature.name
        for function in graph.library.function
        for node in function.node_def
        if node.op == "Cast" and node.attr["SrcT"].type == tf.float16.as_datatype_enum
    }
    loops = {
        node.attr["body"].func.name
        for function in graph.library.function
        for node in function.node_def
        if node.op in ("While", "StatelessWhile")
    }
    assert casts
    assert loops
    assert not casts & loops
    restored = load_keras_model(half, read_card(half))
    for weight, original in zip(restored.weights, model.weights, strict=True):
        assert weight.dtype == "float32"
        is_halved = len(weight.shape) > 1 and original is not large
        value = original.numpy()
        np.testing.assert_array_equal(weight.numpy(), value.astype("float16") if is_halved else value)


@pytest.mark.parametrize("is_called_before", [False, True])
def test_an_export_is_not_compiled(tmp_path: Path, is_called_before: bool) -> None:
    examples = {"x": [[[1.0, 2.0], [3.0, 4.0]]]}
    reader = Reader()
    if is_called_before:
        reader.serve(tf.constant(examples["x"]))
        graph = reader.serve.get_concrete_function().graph.as_graph_def()
        assert b"_XlaMustCompile" in graph.SerializeToString()
    zoo.export_model(
        {"serving_default": reader.serve}, tmp_path / "1", CARD, examples=examples, resources=[reader]
    )
    assert b"_XlaMustCompile" not in (tmp_path / "1" / "saved_model.pb").read_bytes()


@pytest.mark.usefixtures("predict_in_process")
def test_a_signature_is_traced_once(tmp_path: Path) -> None:
    """Also one that was called before."""
    traced = []

    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        traced.append(x)
        return {"y": 2 * x}

    spec = tf.TensorSpec([None], tf.float32, "x")
    signatures = {name: tf.function(serve, [spec], autograph=False) for name in ("serving_default", "other")}
    signatures["serving_default"](tf.constant([1.0]))
    zoo.export_model(signatures, tmp_path / "1", CARD, examples={"x": [1.0]})
    assert len(traced) == 2


def test_a_compiled_signature_is_refused(tmp_path: Path) -> None:
    spec = tf.TensorSpec([None], tf.float32, "x")
    serve = tf.function(lambda x: {"y": x * 2}, input_signature=[spec], jit_compile=True)
    with pytest.raises(zoo.errors.ExportError, match="compiled by XLA"):
        zoo.export_model({"serving_default": serve}, tmp_path / "1", CARD, examples={"x": [1.0]})
    assert not (tmp_path / "1").exists()
