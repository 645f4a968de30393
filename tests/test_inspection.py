"""Gates and states by name."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo

RNG = np.random.default_rng(11)
LENGTHS = np.array([[7], [3], [0], [5]])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cell", [zoo.LSTMCell(5), zoo.GRUCell(5), zoo.GRUCell(5, reset_after=False)])
def test_gates_equal_a_loop_over_the_cell(cell: zoo.Cell, backwards: bool) -> None:
    cell = type(cell).from_config(cell.get_config())
    layer = zoo.RNN(cell, go_backwards=backwards)
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    layer.build(x.shape)
    layer.set_weights([RNG.normal(size=w.shape) for w in layer.get_weights()])
    found = zoo.inspection.gates(layer, x, mask)
    assert list(found) == [*cell.gates(*_one_step(cell, x[:, 0])), *cell.state_names]
    for row in range(4):
        states = cell.get_initial_state(1)
        times = [t for t in range(7) if mask[row, t]]
        for t in reversed(times) if backwards else times:
            x_t = cell.project(x[row : row + 1, t])
            r_t = cell.recurrent(states)
            for name, value in cell.gates(x_t, r_t, states).items():
                np.testing.assert_allclose(found[name][row, t], value[0], atol=1e-5)
            _, states = cell.update(x_t, r_t, states)
            for name, value in zip(cell.state_names, states, strict=True):
                np.testing.assert_allclose(found[name][row, t], value[0], atol=1e-5)


def _one_step(cell: zoo.Cell, x: np.ndarray) -> tuple:
    states = cell.get_initial_state(len(x))
    return cell.project(x), cell.recurrent(states), states


def test_gates_of_an_encoder_are_named_by_layer_and_direction() -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(5), depth=2, bidirectional=True)
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    outputs, _ = encoder(x, mask=mask)
    found = zoo.inspection.encoder_gates(encoder, x, mask)
    kinds = ["input", "forget", "candidate", "output", "hidden", "cell"]
    assert list(found) == [
        f"layer{n}_{direction}_{kind}"
        for n in (1, 2)
        for direction in ("forward", "backward")
        for kind in kinds
    ]
    hidden = np.concatenate([found["layer2_forward_hidden"], found["layer2_backward_hidden"]], -1)
    np.testing.assert_allclose(np.where(mask[..., None], hidden, 0), outputs, atol=1e-6)


def test_gates_of_a_one_way_encoder() -> None:
    encoder = zoo.Encoder(zoo.SimpleRNNCell(5), depth=2)
    x = RNG.normal(size=(4, 7, 3)).astype("float32")
    outputs, _ = encoder(x)
    found = zoo.inspection.encoder_gates(encoder, x)
    assert list(found) == ["layer1_hidden", "layer2_hidden"]
    np.testing.assert_allclose(found["layer2_hidden"], outputs, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_layers_of_mixed_precision_are_looked_into(dtype: str) -> None:
    x = np.random.default_rng(5).normal(size=(3, 6, 4)).astype("float32")
    mixed, whole = zoo.LSTM(5, dtype=dtype), zoo.LSTM(5)
    mixed(x), whole(x)
    mixed.set_weights(whole.get_weights())
    found, expected = zoo.inspection.gates(mixed, x), zoo.inspection.gates(whole, x)
    assert list(found) == list(expected)
    for name, values in found.items():
        assert values.dtype == dtype.removeprefix("mixed_")
        np.testing.assert_allclose(tf.cast(values, tf.float32), expected[name], atol=0.02)
    jacobians = tf.cast(zoo.inspection.step_jacobians(mixed, x), tf.float32)
    np.testing.assert_allclose(jacobians, zoo.inspection.step_jacobians(whole, x), atol=0.02)


@pytest.mark.parametrize("look", [zoo.inspection.gates, zoo.inspection.step_jacobians])
def test_what_cannot_be_looked_into_is_told(look: Callable) -> None:
    x = np.zeros((2, 3, 4), "float32")
    with pytest.raises(ValueError, match=r"has no weights yet: call it"):
        look(zoo.GRU(3), x)
    for layer in (keras.layers.Bidirectional(zoo.GRU(3)), zoo.RNN(keras.layers.GRUCell(3))):
        layer(x)
        with pytest.raises(ValueError, match=r"Expected a `zoo.RNN` with one cell of this library"):
            look(layer, x)
