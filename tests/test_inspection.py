"""Gates and states of layers and encoders, against a loop over the cell."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo

RNG = np.random.default_rng(11)
LENGTHS = np.array([[7], [3], [0], [5]])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "cell",
    [
        zoo.LSTMCell(5),
        zoo.GRUCell(5),
        zoo.GRUCell(5, reset_after=False),
        zoo.cells.LMUCell(5, order=3, theta=4.0, memory_dim=2),
    ],
)
def test_gates_equal_a_loop_over_the_cell(cell: zoo.Cell, backwards: bool) -> None:
    cell = type(cell).from_config(cell.get_config())
    layer = zoo.RNN(cell, go_backwards=backwards)
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    layer.build(x.shape)
    for weight in layer.trainable_weights:
        weight.assign(RNG.normal(size=weight.shape))
    gates = zoo.inspection.gates(layer, x, mask)
    states = cell.get_initial_state(4)
    gate_names = list(cell.gates(cell.project(x[:, 0]), cell.recurrent(states), states))
    assert list(gates) == [*gate_names, *cell.state_names]
    for row in range(4):
        states = cell.get_initial_state(1)
        times = [t for t in range(7) if mask[row, t]]
        for t in reversed(times) if backwards else times:
            x_t = cell.project(x[row : row + 1, t])
            r_t = cell.recurrent(states)
            for name, value in cell.gates(x_t, r_t, states).items():
                np.testing.assert_allclose(gates[name][row, t], value[0], atol=1e-5)
            _, states = cell.update(x_t, r_t, states)
            for name, value in zip(cell.state_names, states, strict=True):
                np.testing.assert_allclose(gates[name][row, t], value[0], atol=1e-5)


def test_encoder_gates_are_named_by_layer_and_direction() -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(5), depth=2, bidirectional=True)
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    outputs, _ = encoder(x, mask=mask)
    gates = zoo.inspection.encoder_gates(encoder, x, mask)
    assert list(gates) == [
        f"layer{n}_{direction}_{name}"
        for n in (1, 2)
        for direction in ("forward", "backward")
        for name in ("input", "forget", "candidate", "output", "hidden", "cell")
    ]
    hidden = np.concatenate([gates["layer2_forward_hidden"], gates["layer2_backward_hidden"]], -1)
    np.testing.assert_allclose(np.where(mask[..., None], hidden, 0), outputs, atol=1e-6)


def test_encoder_gates_of_one_direction() -> None:
    encoder = zoo.Encoder(zoo.SimpleRNNCell(5), depth=2)
    x = RNG.normal(size=(4, 7, 3)).astype("float32")
    outputs, _ = encoder(x)
    gates = zoo.inspection.encoder_gates(encoder, x)
    assert list(gates) == ["layer1_hidden", "layer2_hidden"]
    np.testing.assert_allclose(gates["layer2_hidden"], outputs, atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_inspection_of_mixed_precision_layers(dtype: str) -> None:
    x = np.random.default_rng(5).normal(size=(3, 6, 4)).astype("float32")
    mixed, full = zoo.LSTM(5, dtype=dtype), zoo.LSTM(5)
    mixed(x), full(x)
    mixed.set_weights(full.get_weights())
    gates, expected = zoo.inspection.gates(mixed, x), zoo.inspection.gates(full, x)
    assert list(gates) == list(expected)
    for name, values in gates.items():
        assert values.dtype == dtype.removeprefix("mixed_")
        np.testing.assert_allclose(tf.cast(values, tf.float32), expected[name], atol=0.02)
    jacobians = tf.cast(zoo.inspection.step_jacobians(mixed, x), tf.float32)
    np.testing.assert_allclose(jacobians, zoo.inspection.step_jacobians(full, x), atol=0.02)


@pytest.mark.parametrize("inspect", [zoo.inspection.gates, zoo.inspection.step_jacobians])
def test_unsuitable_layers_raise(inspect: Callable) -> None:
    x = np.zeros((2, 3, 4), "float32")
    with pytest.raises(ValueError, match=r"has no weights yet\. Call it"):
        inspect(zoo.GRU(3), x)
    for layer in (keras.layers.Bidirectional(zoo.GRU(3)), zoo.RNN(keras.layers.GRUCell(3))):
        layer(x)
        with pytest.raises(ValueError, match=r"Expected a `zoo\.RNN` with one `zoo\.Cell`"):
            inspect(layer, x)
