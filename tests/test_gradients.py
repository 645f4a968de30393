"""Gradients through time, against automatic differentiation of plain loops, finite differences and NumPy."""

from collections.abc import Callable
from pathlib import Path

import keras
import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf
from references import randomize_weights

import zoo
from zoo._compat import flatten_layers

RNG = np.random.default_rng(5)
X = RNG.normal(size=(3, 6, 4))
MASK = np.arange(6) < np.array([[6], [3], [5]])
CELLS = [
    zoo.SimpleRNNCell,
    zoo.LSTMCell,
    zoo.cells.PeepholeLSTMCell,
    zoo.GRUCell,
    zoo.cells.MinLSTMCell,
    zoo.cells.LayerNormLSTMCell,
    zoo.cells.IndRNNCell,
]


def make_layer(cell: type[zoo.Cell], **settings: object) -> zoo.RNN:
    layer = zoo.RNN(cell(5, dtype="float64"), return_sequences=True, **settings)
    layer.build(X.shape)
    randomize_weights(layer)
    return layer


def run_steps(layer: zoo.RNN, row: int, states: list[tf.Tensor], times: list[int]) -> list[tf.Tensor]:
    """The states after some time steps of one row, from states [1, units], by a plain loop."""
    for t in times:
        x = layer.cell.project(tf.constant(X[row : row + 1, t]))
        _, states = layer.cell.step(x, layer.cell.recurrent(states), states)
    return states


# Jacobians.


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_equal_finite_differences(cell: type[zoo.Cell]) -> None:
    """Over three steps, with respect to each unit of the state before them."""
    layer = make_layer(cell)
    jacobians = zoo.inspection.jacobian(zoo.inspection.step_jacobians(layer, X), 4, 1).numpy()
    sizes = [state.shape[-1] for state in layer.cell.get_initial_state(1)]
    for row in range(3):
        before = np.concatenate(run_steps(layer, row, layer.cell.get_initial_state(1), [0, 1]), -1)
        for unit in range(sum(sizes)):
            after = []
            for shift in (1e-6, -1e-6):
                shifted = before.copy()
                shifted[0, unit] += shift
                states = tf.split(tf.constant(shifted), sizes, -1)
                after.append(np.concatenate(run_steps(layer, row, states, [2, 3, 4]), -1)[0])
            difference = (after[0] - after[1]) / 2e-6
            np.testing.assert_allclose(jacobians[row, :, unit], difference, atol=1e-7)


@pytest.mark.parametrize("cell", [zoo.LSTMCell, zoo.GRUCell])
def test_jacobians_equal_autodiff_of_the_loop(cell: type[zoo.Cell]) -> None:
    layer = make_layer(cell)
    jacobians = zoo.inspection.step_jacobians(layer, X)
    for row in range(3):
        with tf.GradientTape() as tape:
            states = run_steps(layer, row, layer.cell.get_initial_state(1), [0])
            before = [tf.identity(state) for state in states]
            tape.watch(before)
            after = tf.concat(run_steps(layer, row, before, [1, 2, 3, 4, 5]), -1)[0]
        expected = np.concatenate([block[:, 0] for block in tape.jacobian(after, before)], -1)
        np.testing.assert_allclose(zoo.inspection.jacobian(jacobians, 5, 0)[row], expected, atol=1e-12)
        norms = zoo.inspection.largest_singular_values(jacobians, 5)
        assert norms.shape == (3, 6)
        np.testing.assert_allclose(norms[row, 0], np.linalg.svd(expected)[1][0], rtol=1e-9)
        of_hidden = zoo.inspection.largest_singular_values(jacobians, 5, size=5)
        np.testing.assert_allclose(of_hidden[row, 0], np.linalg.svd(expected[:5, :5])[1][0], rtol=1e-9)
    np.testing.assert_allclose(norms[:, 5], 1)


def test_jacobians_of_masks_and_backward_layers() -> None:
    layer = make_layer(zoo.GRUCell)
    masked = zoo.inspection.step_jacobians(layer, X, MASK)
    np.testing.assert_array_equal(masked[1, 3:], np.broadcast_to(np.eye(5), (3, 5, 5)))
    np.testing.assert_allclose(masked[1, :3], zoo.inspection.step_jacobians(layer, X)[1, :3], atol=1e-12)
    backward = zoo.RNN(layer.cell, go_backwards=True)
    backward.build(X.shape)
    expected = zoo.inspection.step_jacobians(layer, X[:, ::-1])
    np.testing.assert_allclose(zoo.inspection.step_jacobians(backward, X), expected, atol=1e-12)


class ContextCell(zoo.GRUCell):
    """Adds a constant with a row for each sequence, and starts at a constant state."""

    def gates(self, x, r, states):
        return super().gates(x + self.constants["context"], r, states)

    def get_initial_state(self, batch_size=None):
        return [0.5 * tf.ones([batch_size, self.units], self.compute_dtype)]


def test_jacobians_of_a_cell_with_constants() -> None:
    layer = make_layer(ContextCell)
    context = RNG.normal(size=(3, 15))
    jacobians = zoo.inspection.step_jacobians(layer, X, MASK, constants={"context": context})
    states = layer.cell.get_initial_state(3)
    for t in range(6):
        with tf.GradientTape() as tape:
            tape.watch(states)
            _, after = layer.cell(X[:, t], states, constants={"context": context})
        expected = tf.where(MASK[:, t, None, None], tape.batch_jacobian(after[0], states[0]), np.eye(5))
        np.testing.assert_allclose(jacobians[:, t], expected, atol=1e-12)
        states = [tf.where(MASK[:, t, None], after[0], states[0])]


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_products_of_jacobians_are_in_float32(dtype: str) -> None:
    layer, x = zoo.SimpleRNN(5, dtype=dtype), tf.ones([3, 40, 4])
    layer(x)
    layer.cell.recurrent_kernel.assign(0.5 * layer.cell.recurrent_kernel)
    jacobians = zoo.inspection.step_jacobians(layer, x)
    norms = zoo.inspection.largest_singular_values(jacobians, 39)
    assert norms.dtype == "float32"
    assert np.all(norms > 0)  # float16 ends at 6e-8
    product = zoo.inspection.jacobian(jacobians, 39, 0)
    np.testing.assert_allclose(np.linalg.norm(product, 2, (1, 2)), norms[:, 0], rtol=1e-4)


def test_jacobian_of_steps_in_the_wrong_order_raises() -> None:
    with pytest.raises(ValueError, match="Expected -1 <= k <= t < 6, got t=2 and k=3"):
        zoo.inspection.jacobian(zoo.inspection.step_jacobians(make_layer(zoo.GRUCell), X), 2, 3)


# Gradients of states.


def weighted_loss(outputs: tf.Tensor) -> tf.Tensor:
    """A loss that depends on every output in a different way."""
    factors = np.cos(np.arange(np.prod(outputs.shape))).reshape(outputs.shape)
    return tf.reduce_sum(outputs * factors.astype(outputs.dtype.name) + outputs**2)


class Masked(keras.layers.Layer):
    """Calls a layer with a fixed mask."""

    def __init__(self, layer: zoo.RNN, mask: np.ndarray | None) -> None:
        super().__init__(dtype=layer.dtype_policy)
        self.layer, self.mask = layer, mask

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.layer(x, mask=self.mask)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_state_gradients_equal_those_of_probes(
    cell: type[zoo.Cell], backwards: bool, mask: np.ndarray | None
) -> None:
    """A probe is a zero added to a state in a plain loop."""
    layer = make_layer(cell, go_backwards=backwards)
    gradients = zoo.inspection.state_gradients(Masked(layer, mask), X, weighted_loss)
    names = layer.cell.state_names
    assert list(gradients) == [f"{layer.path}_{name}" for name in names]
    size = layer.cell.get_initial_state(1)[0].shape[-1]
    probes = [[tf.zeros([3, size], "float64") for _ in names] for _ in range(6)]
    with tf.GradientTape() as tape:
        tape.watch(probes)
        states, outputs = layer.cell.get_initial_state(3), []
        last = tf.zeros([3, size], "float64")
        for t in range(6)[::-1] if backwards else range(6):
            x = layer.cell.project(tf.constant(X[:, t]))
            output, after = layer.cell.step(x, layer.cell.recurrent(states), states)
            outputs_a_state = output is after[0]
            after = [state + probe for state, probe in zip(after, probes[t], strict=True)]
            output = after[0] if outputs_a_state else output
            if mask is not None:
                valid = mask[:, t : t + 1]
                after = [tf.where(valid, new, old) for new, old in zip(after, states, strict=True)]
                output = tf.where(valid, output, last)
            states, last = after, output
            outputs.append(output)
        loss = weighted_loss(tf.stack(outputs, 1))
    by_step = tape.gradient(loss, probes, unconnected_gradients="zero")
    for index, name in enumerate(names):
        expected = np.stack([by_step[t][index] for t in range(6)], 1)
        np.testing.assert_allclose(gradients[f"{layer.path}_{name}"], expected, atol=1e-9)
        assert np.abs(expected).max() > 0.01


def test_state_gradients_are_products_of_jacobians() -> None:
    """If the loss depends on the last state only, dL/ds_k is dL/ds_T times ds_T/ds_k."""
    layer = zoo.RNN(zoo.LSTMCell(5, dtype="float64"))
    layer.build(X.shape)
    randomize_weights(layer)
    by_state = zoo.inspection.state_gradients(layer, X, weighted_loss)
    gradients = np.concatenate(list(by_state.values()), -1)
    jacobians = zoo.inspection.step_jacobians(layer, X)
    for k in range(6):
        product = zoo.inspection.jacobian(jacobians, 5, k).numpy()
        expected = np.einsum("bi,bij->bj", gradients[:, 5], product)
        np.testing.assert_allclose(gradients[:, k], expected, atol=1e-12)


IDS = np.array([[3, 4, 5, 6, 7], [8, 1, 0, 0, 0], [2, 2, 3, 0, 0]])
LABELS = np.array([0, 1, 0])


@keras.saving.register_keras_serializable("tests")
class Classifier(keras.Model):
    def __init__(self, embedding: keras.layers.Layer, encoder: zoo.Encoder) -> None:
        super().__init__()
        self.embedding, self.encoder, self.dense = embedding, encoder, keras.layers.Dense(2)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        _, states = self.encoder(self.embedding(ids), mask=ids != 0)
        return self.dense(self.encoder.summarize(states))


def make_model(kind: str) -> keras.Model:
    """A classifier of `IDS` into two classes."""
    if kind == "functional":
        ids = keras.Input((None,), dtype="int32")
        x = keras.layers.Embedding(9, 4, mask_zero=True, name="words")(ids)
        x = keras.layers.Bidirectional(zoo.LSTM(5, return_sequences=True), name="both")(x)
        x = keras.layers.Dense(2)(zoo.GRU(3, name="top")(x))
        return keras.Model(ids, x)
    embedding = zoo.ScaledEmbedding(9, 4, mask_zero=True, name="words")
    if kind == "sequential":
        layers = [embedding, keras.layers.Bidirectional(zoo.GRU(3)), keras.layers.Dense(2)]
        return keras.Sequential(layers)
    return Classifier(embedding, zoo.Encoder(zoo.LSTMCell(5), 2, bidirectional=True))


@pytest.mark.parametrize(("kind", "num_states"), [("functional", 5), ("sequential", 2), ("subclassed", 8)])
def test_state_gradients_of_any_model(kind: str, num_states: int) -> None:
    """Gradients reach the first step, are 0 at padding, and do not change the model."""
    model = make_model(kind)
    outputs = model(IDS).numpy()
    gradients = zoo.inspection.state_gradients(model, IDS, lambda scores: tf.reduce_sum(scores[:, 0]))
    np.testing.assert_allclose(model(IDS), outputs, atol=1e-6)
    assert len(gradients) == num_states, list(gradients)
    for name, gradient in gradients.items():
        assert gradient.shape[:2] == (3, 5)
        assert np.abs(gradient).max() > 0, name
        assert not np.abs(gradient[1, 2:]).any(), name


def test_state_gradients_of_a_model_without_recurrent_layers_raise() -> None:
    with pytest.raises(ValueError, match=r"Expected a `zoo\.RNN` with a `zoo\.Cell`"):
        zoo.inspection.state_gradients(keras.layers.Dense(2), X, weighted_loss)


# Saliency.


@pytest.mark.parametrize("kind", ["functional", "sequential", "subclassed"])
def test_saliency_is_the_effect_of_shrinking_an_embedding(kind: str) -> None:
    model = make_model(kind)
    model(IDS)
    (layer,) = [layer for layer in flatten_layers(model) if isinstance(layer, keras.layers.Embedding)]
    saliency = zoo.inspection.saliency(model, IDS, lambda scores: scores[:, 1])["words"].numpy()
    assert saliency.shape == (3, 5)
    table = layer.embeddings.numpy()
    before = model(IDS).numpy()[:, 1]
    for word in (4, 8):  # each occurs once
        row, t = np.argwhere(word == IDS)[0]
        shrunk = table.copy()
        shrunk[word] *= 0.999
        layer.embeddings.assign(shrunk)
        decrease = (before - model(IDS).numpy()[:, 1])[row] / 0.001
        layer.embeddings.assign(table)
        np.testing.assert_allclose(saliency[row, t], decrease, rtol=0.05, atol=2e-4)


def test_saliency_of_float_inputs() -> None:
    layer = zoo.RNN(zoo.GRUCell(5))
    x = tf.constant(X, "float32")
    saliency = zoo.inspection.saliency(layer, x, lambda outputs: outputs[:, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = tf.reduce_sum(layer(x)[:, 2])
    expected = (x * tape.gradient(score, x)).numpy().sum(-1)
    np.testing.assert_allclose(saliency["inputs"], expected, atol=1e-6)


def test_saliency_of_an_embedding_that_is_called_twice() -> None:
    embedding, layer = keras.layers.Embedding(10, 4, name="words"), zoo.GRU(3)
    question, text = keras.Input((5,), dtype="int32"), keras.Input((7,), dtype="int32")
    outputs = layer(embedding(question)) + 2 * layer(embedding(text))
    model = keras.Model([question, text], outputs)
    ids = [RNG.integers(0, 10, (2, n)) for n in (5, 7)]
    saliency = zoo.inspection.saliency(model, ids, lambda outputs: outputs[:, 0])
    single = keras.Sequential([embedding, layer])
    expected = [zoo.inspection.saliency(single, x, lambda outputs: outputs[:, 0])["words"] for x in ids]
    assert list(saliency) == ["words", "words2"]
    of_question, of_text = sorted(saliency.values(), key=lambda value: value.shape[1])
    np.testing.assert_allclose(of_question, expected[0], atol=1e-6)
    np.testing.assert_allclose(of_text, 2 * expected[1], atol=1e-6)


def test_saliency_of_missing_values_is_0() -> None:
    x = np.ones((2, 5, 6), "float32")
    expected = zoo.inspection.saliency(layer := zoo.GRUD(3, input_mean=[0.0, 0.0]), x, lambda y: y[:, 0])
    x[:, 2, 2] = 0  # a missing value
    masked = zoo.inspection.saliency(layer, x, lambda y: y[:, 0])
    x[:, 2, 0] = np.nan
    np.testing.assert_array_equal(
        zoo.inspection.saliency(layer, x, lambda y: y[:, 0])["inputs"], masked["inputs"]
    )
    assert np.any(masked["inputs"] != expected["inputs"])


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (
            lambda outputs: outputs,
            r"score: found a result of shape \(3, 5\)\. Expected a score for each row \[batch\]",
        ),
        (lambda outputs: outputs.numpy()[:, 0], r"score: found ndarray as its result\. Expected a score"),
    ],
)
def test_scores_of_another_form_raise(score: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zoo.inspection.saliency(zoo.GRU(5), X.astype("float32"), score)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda outputs: outputs, r"loss: found a result of shape \(3, 5\)\. Expected a scalar\."),
        (
            lambda outputs: float(tf.reduce_sum(outputs)),
            r"loss: found float as its result\. Expected a scalar",
        ),
    ],
)
def test_losses_that_are_no_scalar_tensors_raise(loss: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zoo.inspection.state_gradients(zoo.GRU(5), X.astype("float32"), loss)


def test_saliency_of_whole_numbers_without_embedding_raises() -> None:
    with pytest.raises(ValueError, match=r"inputs: found int64, and gru\S* has no embedding layer\."):
        zoo.inspection.saliency(zoo.GRU(5), X.astype("int64"), lambda outputs: outputs[:, 0])


# Figures.


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_figures_are_not_blank(suffix: str, tmp_path: Path) -> None:
    layer, x = zoo.RNN(zoo.LSTMCell(5)), X.astype("float32")
    layer.build(x.shape)
    gates = {name: values[0].numpy() for name, values in zoo.inspection.gates(layer, x).items()}
    words = list("abcdef")
    zoo.inspection.plot_gates(gates, tmp_path / f"gates.{suffix}", words)
    zoo.inspection.plot_saliency(np.linspace(-1, 1, 6), words, tmp_path / f"saliency.{suffix}", "class 1")
    curves = {"one": (range(3), [1, 0, 1e-5]), "other": (range(3), [1, 2, 4])}
    panels = {"a": curves, "b": curves}
    for name, log_scale in (("linear", False), ("log", True)):
        path = tmp_path / f"{name}.{suffix}"
        zoo.inspection.plot_curves(panels, path, x_label="x", y_label="y", log_scale=log_scale)
    for name in ("gates", "saliency", "linear", "log"):
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "png":
            assert np.ptp(matplotlib.image.imread(path)[..., :3]) > 0.5
        else:
            assert path.read_text(encoding="utf-8").count("<path") > 10


# The TensorBoard callback.


def read_scalars(log_dir: Path) -> dict[str, list[tuple[int, float]]]:
    """The steps and values of each tag."""
    scalars: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(log_dir.iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
    return scalars


def fit_with_keras(model: keras.Model, callback: keras.callbacks.Callback, run_dir: Path) -> None:
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(IDS, LABELS, batch_size=1, epochs=2, callbacks=[callback], verbose=0)


def fit_with_zoo(model: keras.Model, callback: keras.callbacks.Callback, run_dir: Path) -> None:
    zoo.fit(
        model,
        tf.data.Dataset.from_tensor_slices((IDS, LABELS)).batch(1),
        optimizer=keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        epochs=2,
        run_dir=run_dir,
        callbacks=[callback],
    )


@pytest.mark.parametrize("fit", [fit_with_keras, fit_with_zoo])
def test_gradient_logger_logs_norms_by_layer_and_by_distance(fit: Callable, tmp_path: Path) -> None:
    model = make_model("sequential")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert model(IDS).shape == (3, 2)
    fit(
        model,
        zoo.inspection.GradientLogger(model, (IDS, LABELS), loss, tmp_path / "logs", update_freq=4),
        tmp_path / "run",
    )
    scalars = read_scalars(tmp_path / "logs")
    tags = [tag for tag in scalars if tag.startswith("state_gradient")]
    assert {tag.rsplit("_", 1)[1] for tag in tags} == {"0", "1", "2", "4"}
    assert len(tags) == 2 * 4
    assert all([step for step, _ in values] == [0, 4] for values in scalars.values())
    assert any(tag.startswith("gradient/") and "dense" in tag for tag in scalars)
    gradients = zoo.inspection.state_gradients(model, IDS, lambda scores: loss(LABELS, scores))
    for name, gradient in gradients.items():
        (_, first), (_, later) = scalars[f"state_gradient/{name}/back_4"]
        after_training = np.sqrt((gradient.numpy()[:, 0] ** 2).sum(-1).mean())
        assert first > 0
        assert abs(later / after_training - 1) < 0.5  # logged one step before the last one


@pytest.mark.parametrize("dtype", ["mixed_float16", "float16"])
def test_gradient_logger_computes_norms_in_float32(dtype: str, tmp_path: Path) -> None:
    layers = [keras.layers.Embedding(10, 4, name="words", dtype=dtype), zoo.SimpleRNN(3, dtype=dtype)]
    model, ids = keras.Sequential(layers), np.array([[1, 1, 2], [3, 1, 4]])
    model(ids)
    model.compile("sgd")

    def loss(targets: np.ndarray, outputs: tf.Tensor) -> tf.Tensor:
        return 2e-4 * tf.reduce_mean(tf.cast(outputs, "float32") ** 2)

    logger = zoo.inspection.GradientLogger(model, (ids, ids), loss, tmp_path / "logs", update_freq=1)
    logger.set_model(model)
    logger.on_train_batch_end(0)
    norms = {tag: values[0][1] for tag, values in read_scalars(tmp_path / "logs").items()}
    assert sum(tag.startswith("state_gradient") for tag in norms) == 3
    assert min(norms.values()) > 0
    with tf.GradientTape() as tape:
        value = loss(ids, model(ids))
    gradient = tf.cast(tf.convert_to_tensor(tape.gradient(value, layers[0].embeddings.value)), "float32")
    [norm] = [norm for tag, norm in norms.items() if tag.startswith("gradient/") and "words" in tag]
    assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-3)  # rows of one word are added first


def test_gradient_logger_with_an_update_freq_of_0_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected `update_freq` of at least 1, got 0"):
        zoo.inspection.GradientLogger(
            make_model("sequential"), (IDS, IDS), weighted_loss, tmp_path, update_freq=0
        )


@pytest.mark.parametrize(
    ("batch", "loss", "message"),
    [
        (IDS, weighted_loss, r"batch: found ndarray\. Expected a pair of inputs and targets: `\(x, y\)`"),
        ((IDS, IDS), "mse", r"loss: found 'mse'\. Expected a function"),
        ((IDS, IDS), keras.losses.MeanSquaredError, r"loss: found <class .*>\. Expected a function"),
    ],
)
def test_unsuitable_arguments_of_gradient_logger_raise(
    batch: object, loss: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        zoo.inspection.GradientLogger(make_model("sequential"), batch, loss, tmp_path)


def test_gradient_logger_takes_the_name_of_a_directory(tmp_path: Path) -> None:
    zoo.inspection.GradientLogger(make_model("sequential"), (IDS, IDS), weighted_loss, str(tmp_path / "logs"))
    assert list((tmp_path / "logs").iterdir())


def test_inspection_does_not_change_training_or_carried_states(tmp_path: Path) -> None:
    """A stateful layer is trained with and without the callback, which counts the steps of all epochs."""
    x = np.random.default_rng(2).normal(size=(2, 8, 3)).astype("float32")
    y = np.array([[0], [1]])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def train(run_dir: Path, log_dir: Path | None = None) -> keras.Model:
        keras.utils.set_random_seed(4)
        layers = [zoo.GRU(3, stateful=True), keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input(batch_shape=(2, 8, 3)), *layers])
        windows = tf.data.Dataset.from_tensor_slices((np.stack([x, x + 1, x - 1]), np.stack([y] * 3)))
        callbacks = []
        if log_dir:
            callbacks = [zoo.inspection.GradientLogger(model, (x, y), loss, log_dir, update_freq=2)]
        zoo.fit(
            model,
            windows,
            optimizer=keras.optimizers.Adam(0.1),
            loss=loss,
            monitor="loss",
            epochs=2,
            run_dir=run_dir,
            callbacks=callbacks,
        )
        return model

    plain = train(tmp_path / "plain")
    logged = train(tmp_path / "logged", tmp_path / "logs")
    for expected, weights in zip(plain.get_weights(), logged.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)
    assert {step for values in read_scalars(tmp_path / "logs").values() for step, _ in values} == {0, 2, 4}
    state = logged.layers[0].states[0]
    before = state.numpy()
    assert np.abs(before).max() > 0
    zoo.inspection.state_gradients(logged, x, tf.reduce_sum)
    zoo.inspection.saliency(logged, x, lambda outputs: outputs[:, 0])
    np.testing.assert_array_equal(state.numpy(), before)
