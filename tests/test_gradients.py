"""Gradients through time, against autodiff of plain loops, finite differences and NumPy."""

from collections.abc import Callable
from pathlib import Path

import keras
import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf
from references import randomise
from tensorflow.python.summary.summary_iterator import summary_iterator

import zoo

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


def layer_of(cell: type[zoo.Cell], **settings: object) -> zoo.RNN:
    layer = zoo.RNN(cell(5, dtype="float64"), return_sequences=True, **settings)
    layer.build(X.shape)
    randomise(layer)
    return layer


def steps(layer: zoo.RNN, row: int, start: list[np.ndarray], times: list[int]) -> list[tf.Tensor]:
    """The states after some steps of a row, from states [1, units], one step after the other."""
    states = start
    for t in times:
        x = layer.cell.project(tf.constant(X[row : row + 1, t]))
        _, states = layer.cell.step(x, layer.cell.recurrent(states), states)
    return states


@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_equal_finite_differences(cell: type[zoo.Cell]) -> None:
    """Of three steps, of each unit of the state before them."""
    layer = layer_of(cell)
    found = zoo.inspection.jacobian(zoo.inspection.step_jacobians(layer, X), 4, 1).numpy()
    sizes = [s.shape[-1] for s in layer.cell.get_initial_state(1)]
    for row in range(3):
        start = np.concatenate(steps(layer, row, layer.cell.get_initial_state(1), [0, 1]), -1)
        for unit in range(sum(sizes)):
            moved = []
            for shift in (1e-6, -1e-6):
                other = start.copy()
                other[0, unit] += shift
                parts = tf.split(tf.constant(other), sizes, -1)
                moved.append(np.concatenate(steps(layer, row, parts, [2, 3, 4]), -1)[0])
            np.testing.assert_allclose(found[row, :, unit], (moved[0] - moved[1]) / 2e-6, atol=1e-7)


@pytest.mark.parametrize("cell", [zoo.LSTMCell, zoo.GRUCell])
def test_jacobians_equal_autodiff_through_the_loop(cell: type[zoo.Cell]) -> None:
    layer = layer_of(cell)
    found = zoo.inspection.step_jacobians(layer, X)
    for row in range(3):
        with tf.GradientTape() as tape:
            before = [tf.identity(s) for s in steps(layer, row, layer.cell.get_initial_state(1), [0])]
            tape.watch(before)
            after = steps(layer, row, before, [1, 2, 3, 4, 5])
            joined = tf.concat(after, -1)[0]
        blocks = tape.jacobian(joined, before)
        whole = np.concatenate([block[:, 0] for block in blocks], -1)
        np.testing.assert_allclose(zoo.inspection.jacobian(found, 5, 0)[row], whole, atol=1e-12)
        norms = zoo.inspection.largest_singular_values(found, 5)
        assert norms.shape == (3, 6)
        np.testing.assert_allclose(norms[row, 0], np.linalg.svd(whole)[1][0], rtol=1e-9)
        hidden = np.linalg.svd(whole[:5, :5])[1][0]
        np.testing.assert_allclose(
            zoo.inspection.largest_singular_values(found, 5, 5)[row, 0], hidden, rtol=1e-9
        )
    np.testing.assert_allclose(norms[:, 5], 1)


def test_jacobians_hold_the_state_under_padding_and_go_as_the_layer_goes() -> None:
    layer = layer_of(zoo.GRUCell)
    masked = zoo.inspection.step_jacobians(layer, X, MASK)
    np.testing.assert_array_equal(masked[1, 3:], np.broadcast_to(np.eye(5), (3, 5, 5)))
    np.testing.assert_allclose(masked[1, :3], zoo.inspection.step_jacobians(layer, X)[1, :3], atol=1e-12)
    back = zoo.RNN(layer.cell, go_backwards=True)
    back.build(X.shape)
    np.testing.assert_allclose(
        zoo.inspection.step_jacobians(back, X), zoo.inspection.step_jacobians(layer, X[:, ::-1]), atol=1e-12
    )


def test_a_pair_of_steps_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="Expected -1 <= k <= t < 6, got t=2 and k=3"):
        zoo.inspection.jacobian(zoo.inspection.step_jacobians(layer_of(zoo.GRUCell), X), 2, 3)


def weight(outputs: tf.Tensor) -> tf.Tensor:
    """A loss that looks at every output in another way."""
    factors = np.cos(np.arange(np.prod(outputs.shape))).reshape(outputs.shape)
    return tf.reduce_sum(outputs * factors.astype(outputs.dtype.name) + outputs**2)


class Masked(keras.layers.Layer):
    """A layer that is given a mask."""

    def __init__(self, layer: zoo.RNN, mask: np.ndarray | None) -> None:
        super().__init__(dtype=layer.dtype_policy)
        self.layer, self.mask = layer, mask

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.layer(x, mask=self.mask)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_state_gradients_equal_autodiff_with_a_probe_at_each_state(
    cell: type[zoo.Cell], backwards: bool, mask: np.ndarray | None
) -> None:
    layer = layer_of(cell, go_backwards=backwards)
    found = zoo.inspection.state_gradients(Masked(layer, mask), X, weight)
    names = layer.cell.state_names
    assert list(found) == [f"{layer.path}_{name}" for name in names]
    order = range(6)[::-1] if backwards else range(6)
    size = layer.cell.get_initial_state(1)[0].shape[-1]
    probes = [[tf.zeros([3, size], "float64") for _ in names] for _ in range(6)]
    with tf.GradientTape() as tape:
        tape.watch(probes)
        states, outputs = layer.cell.get_initial_state(3), []
        last = tf.zeros([3, size], "float64")
        for t in order:
            x = layer.cell.project(tf.constant(X[:, t]))
            output, after = layer.cell.step(x, layer.cell.recurrent(states), states)
            same = output is after[0]
            after = [s + p for s, p in zip(after, probes[t], strict=True)]
            output = after[0] if same else output
            if mask is not None:
                valid = mask[:, t : t + 1]
                after = [tf.where(valid, new, old) for new, old in zip(after, states, strict=True)]
                output = tf.where(valid, output, last)
            states, last = after, output
            outputs.append(output)
        loss = weight(tf.stack(outputs, 1))
    wanted = tape.gradient(loss, probes, unconnected_gradients="zero")
    for number, name in enumerate(names):
        values = np.stack([wanted[t][number] for t in range(6)], 1)
        np.testing.assert_allclose(found[f"{layer.path}_{name}"], values, atol=1e-9)
        assert np.abs(values).max() > 0.01


def model_of(kind: str) -> keras.Model:
    if kind == "functional":
        ids = keras.Input((None,), dtype="int32")
        x = keras.layers.Embedding(9, 4, mask_zero=True, name="words")(ids)
        x = keras.layers.Bidirectional(zoo.LSTM(5, return_sequences=True), name="both")(x)
        x = keras.layers.Dense(2)(zoo.GRU(3, name="top")(x))
        return keras.Model(ids, x)
    words = zoo.ScaledEmbedding(9, 4, mask_zero=True, name="words")
    encoder = zoo.Encoder(zoo.LSTMCell(5), 2, bidirectional=True)
    return (
        keras.Sequential([words, keras.layers.Bidirectional(zoo.GRU(3)), keras.layers.Dense(2)])
        if (kind == "sequential")
        else Told(words, encoder)
    )


@keras.saving.register_keras_serializable("tests")
class Told(keras.Model):
    def __init__(self, words: keras.Layer, encoder: zoo.Encoder) -> None:
        super().__init__()
        self.words, self.encoder, self.scores = words, encoder, keras.layers.Dense(2)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        return self.scores(self.encoder.summary(self.encoder(self.words(ids), mask=ids != 0)[1]))


IDS = np.array([[3, 4, 5, 6, 7], [8, 1, 0, 0, 0], [2, 2, 3, 0, 0]])


@pytest.mark.parametrize(("kind", "count"), [("functional", 5), ("sequential", 2), ("subclassed", 8)])
def test_states_of_any_model(kind: str, count: int) -> None:
    """The gradient at the first step is that of all later ones by way of the Jacobians; outputs stay."""
    model = model_of(kind)
    before = model(IDS).numpy()
    found = zoo.inspection.state_gradients(model, IDS, lambda scores: tf.reduce_sum(scores[:, 0]))
    np.testing.assert_allclose(model(IDS), before, atol=1e-6)
    assert len(found) == count, list(found)
    for name, values in found.items():
        assert values.shape[:2] == (3, 5)
        assert np.abs(values).max() > 0, name
        assert not np.abs(values[1, 2:]).any(), name


def test_one_step_less_is_one_jacobian_more() -> None:
    """dL/ds_t of a loss of the last state alone is dL/ds_T times the product."""
    layer = zoo.RNN(zoo.LSTMCell(5, dtype="float64"))
    layer.build(X.shape)
    randomise(layer)
    found = zoo.inspection.state_gradients(layer, X, weight)
    whole = np.concatenate(list(found.values()), -1)
    jacobians = zoo.inspection.step_jacobians(layer, X)
    for k in range(6):
        product = zoo.inspection.jacobian(jacobians, 5, k).numpy()
        np.testing.assert_allclose(whole[:, k], np.einsum("bi,bij->bj", whole[:, 5], product), atol=1e-12)


def test_a_model_without_recurrence_is_told() -> None:
    with pytest.raises(ValueError, match="has no recurrent layer of this library"):
        zoo.inspection.state_gradients(keras.layers.Dense(2), X, weight)


@pytest.mark.parametrize("kind", ["functional", "sequential", "subclassed"])
def test_saliency_is_the_gradient_of_the_embedding_times_itself(kind: str) -> None:
    """To first order what the score changes by when the word's vector shrinks."""
    model = model_of(kind)
    model(IDS)
    (layer,) = [x for x in model._flatten_layers() if isinstance(x, keras.layers.Embedding)]
    found = zoo.inspection.saliency(model, IDS, lambda scores: scores[:, 1])["words"].numpy()
    assert found.shape == (3, 5)
    table = layer.embeddings.numpy()
    before = model(IDS).numpy()[:, 1]
    for word in (4, 8):  # each comes once
        row, place = np.argwhere(word == IDS)[0]
        other = table.copy()
        other[word] *= 0.999
        layer.embeddings.assign(other)
        change = (before - model(IDS).numpy()[:, 1])[row] / 0.001
        layer.embeddings.assign(table)
        np.testing.assert_allclose(found[row, place], change, rtol=0.05, atol=2e-4)


def test_saliency_of_features() -> None:
    layer = zoo.RNN(zoo.GRUCell(5))
    x = tf.constant(X, "float32")
    found = zoo.inspection.saliency(layer, x, lambda outputs: outputs[:, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = tf.reduce_sum(layer(x)[:, 2])
    wanted = (x * tape.gradient(score, x)).numpy().sum(-1)
    np.testing.assert_allclose(found["inputs"], wanted, atol=1e-6)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_what_was_found_can_be_drawn(ending: str, tmp_path: Path) -> None:
    layer, x = zoo.RNN(zoo.LSTMCell(5)), X.astype("float32")
    layer.build(x.shape)
    values = {name: value[0].numpy() for name, value in zoo.inspection.gates(layer, x).items()}
    words = list("abcdef")
    zoo.inspection.plot_gates(values, tmp_path / f"gates.{ending}", words)
    zoo.inspection.plot_saliency(np.linspace(-1, 1, 6), words, tmp_path / f"saliency.{ending}", "moved by")
    curves = {"one": (range(3), [1, 0, 1e-5]), "other": (range(3), [1, 2, 4])}
    for log in (True, False):
        zoo.inspection.plot_curves(
            {"a": curves, "b": curves}, tmp_path / f"{log}.{ending}", x_label="x", y_label="y", log_scale=log
        )
    for picture in ("gates", "saliency", "True", "False"):
        file = tmp_path / f"{picture}.{ending}"
        if ending == "png":
            assert np.ptp(matplotlib.image.imread(file)[..., :3]) > 0.5
        else:
            assert file.read_text(encoding="utf-8").count("<path") > 10


def logged(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for file in sorted(folder.iterdir()):
        for event in summary_iterator(str(file)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def by_keras(model: keras.Model, log: keras.callbacks.Callback, folder: Path) -> None:
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(IDS, np.array([0, 1, 0]), batch_size=1, epochs=2, callbacks=[log], verbose=0)


def by_zoo(model: keras.Model, log: keras.callbacks.Callback, folder: Path) -> None:
    data = tf.data.Dataset.from_tensor_slices((IDS, np.array([0, 1, 0]))).batch(1)
    zoo.fit(
        model,
        data,
        optimizer=keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        epochs=2,
        run_dir=folder,
        callbacks=[log],
    )


@pytest.mark.parametrize("fit", [by_keras, by_zoo])
def test_the_log_has_norms_by_layer_and_by_distance(fit: Callable, tmp_path: Path) -> None:
    model, y = model_of("sequential"), np.array([0, 1, 0])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    first = model(IDS)
    log = zoo.inspection.GradientLogger(model, (IDS, y), loss, tmp_path / "board", update_freq=4)
    fit(model, log, tmp_path / "run")
    found = logged(tmp_path / "board")
    states = [name for name in found if name.startswith("state_gradient")]
    assert {name.rsplit("_", 1)[1] for name in states} == {"0", "1", "2", "4"}
    assert len(states) == 2 * 4
    assert all([step for step, _ in values] == [0, 4] for values in found.values())
    assert any(name.startswith("gradient/") and "dense" in name for name in found)
    gradients = zoo.inspection.state_gradients(model, IDS, lambda scores: loss(y, scores))
    assert first.shape == (3, 2)
    for name, values in gradients.items():
        tag = f"state_gradient/{name}/back_4"
        now = np.sqrt((values.numpy()[:, 0] ** 2).sum(-1).mean())
        assert found[tag][0][1] > 0
        assert abs(found[tag][1][1] / now - 1) < 0.5  # at the step before the last one


def test_log_of_no_steps_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="`update_freq` must be at least 1"):
        zoo.inspection.GradientLogger(model_of("sequential"), (IDS, IDS), weight, Path(), update_freq=0)


def test_looking_changes_nothing_and_a_log_goes_on(tmp_path: Path) -> None:
    """A stateful layer carries its state on as if nobody had looked; steps are those of the whole run."""
    x, y = np.random.default_rng(2).normal(size=(2, 8, 3)).astype("float32"), np.array([[0], [1]] * 1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def trained(folder: Path, board: Path | None, epochs: int = 2) -> keras.Model:
        keras.utils.set_random_seed(4)
        stack = [zoo.GRU(3, stateful=True), keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input(batch_shape=(2, 8, 3)), *stack])
        windows = tf.data.Dataset.from_tensor_slices((np.stack([x, x + 1, x - 1]), np.stack([y] * 3)))
        log = [zoo.inspection.GradientLogger(model, (x, y), loss, board, update_freq=2)] if board else []
        how = {"optimizer": keras.optimizers.Adam(0.1), "loss": loss, "monitor": "loss", "callbacks": log}
        zoo.fit(model, windows, epochs=epochs, run_dir=folder, **how)
        return model

    plain, watched = trained(tmp_path / "plain", None), trained(tmp_path / "watched", tmp_path / "board", 2)
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert {step for values in logged(tmp_path / "board").values() for step, _ in values} == {0, 2, 4}
    before = watched.layers[0].states[0].numpy()
    zoo.inspection.state_gradients(watched, x, tf.reduce_sum)
    np.testing.assert_array_equal(watched.layers[0].states[0].numpy(), before)
