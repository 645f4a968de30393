"""Half precision: every cell trains in a graph, and a cell can keep an input in float32."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from references import random_normal, randomize_weights
from test_loop import EVERY_CELL, build_cell, forward_and_back, make_data

import zoo

FAST = {"LSTM", "MinGRU"}


@pytest.mark.parametrize("dtype", ["bfloat16", pytest.param("float16", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in EVERY_CELL]
)
def test_pure_half_precision_trains_in_graph(name: str, dtype: str) -> None:
    # An orthogonal matrix has no half-precision form in TensorFlow, for Keras's layers neither.
    cell, exact = (
        build_cell(EVERY_CELL[name], d, recurrent_initializer="random_normal") for d in (dtype, "float32")
    )
    exact.set_weights([np.asarray(weight, "float32") for weight in cell.get_weights()])
    x, states = make_data(cell)
    compute = forward_and_back(cell, training=True)
    results, gradients = tf.function(compute, autograph=False)(x, states)
    assert {value.dtype.name for value in [*results, *gradients]} == {dtype}
    expected = forward_and_back(exact, training=True)(
        tf.cast(x, "float32"), [tf.cast(state, "float32") for state in states]
    )
    # Plain steps, in eager mode, round about as much.
    plain = tf.nest.flatten(compute(x, states))
    for coarse, step, fine in zip([*results, *gradients], plain, tf.nest.flatten(expected), strict=True):
        error, plain_error = (np.max(np.abs(tf.cast(value, "float32") - fine)) for value in (coarse, step))
        assert error <= max(0.05 * np.max(np.abs(fine)), 2 * plain_error)


@pytest.mark.parametrize(
    "dtype",
    [
        "bfloat16",
        pytest.param("float16", marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", marks=pytest.mark.slow),
        pytest.param("mixed_float16", marks=pytest.mark.slow),
    ],
)
def test_fit_in_half_precision(dtype: str) -> None:
    model = keras.Sequential([zoo.GRU(4, dtype=dtype, recurrent_initializer="glorot_uniform")])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 3, 2)), np.ones((4, 4)), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


# A cell with an input in float32.


class ClockCell(zoo.SimpleRNNCell):
    """The last input is a time; a unit can change while its clock, whose period is a weight, is high."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, autocast=False, **kwargs)

    def build(self, input_shape):
        super().build((*input_shape[:-1], input_shape[-1] - 1))
        self.period = self.add_weight(shape=(self.units,), name="period", initializer="ones", autocast=False)

    def project(self, inputs):
        x = super().project(ops.cast(inputs[..., :-1], self.compute_dtype))
        time = ops.cast(inputs[..., -1:], "float32")
        gate = ops.cos(2 * np.pi * time / ops.cast(self.period, "float32")) ** 2
        return ops.concatenate([x, ops.cast(gate, self.compute_dtype)], axis=-1)

    def update(self, x, r, states):
        x, gate = ops.split(x, 2, axis=-1)
        h = gate * self.activation(x + r) + (1 - gate) * states[0]
        return h, [h]


@pytest.mark.parametrize("layer", [zoo.RNN, layers.RNN])
@pytest.mark.parametrize("graph", [False, True])
def test_cell_keeps_input_in_float32(layer: type[layers.RNN], graph: bool) -> None:
    x = random_normal(0, 3, 11, 4, dtype="float32")
    times = 1000 + np.sort(np.random.default_rng(1).uniform(size=(3, 11, 1)), 1)  # bfloat16 has steps of 4
    x = tf.constant(np.concatenate([x, times], -1), tf.float32)

    def compute(dtype: str, **arguments: Any) -> list[np.ndarray]:
        cell = ClockCell(5, dtype=dtype)
        rnn = layer(cell, return_sequences=True, dtype=dtype, **arguments)
        rnn.build(x.shape)
        randomize_weights(cell)
        cell.period.assign(np.linspace(0.5, 1.5, 5))

        def run() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                outputs = rnn(x, training=True)
                loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 2)
            return [outputs, *tape.gradient(loss, [w.value for w in cell.trainable_variables])]

        run: Callable = tf.function(run, autograph=False) if graph else run
        return [np.asarray(value, "float32") for value in run()]

    keep = {} if layer is zoo.RNN else {"autocast": False}  # `zoo.RNN` adopts it from the cell
    for coarse, fine in zip(compute("mixed_bfloat16", **keep), compute("float32"), strict=True):
        assert np.max(np.abs(coarse - fine)) < 0.04 * np.max(np.abs(fine))


def test_autocast_of_cell_is_that_of_layer() -> None:
    assert not zoo.RNN(ClockCell(4)).autocast
    assert not zoo.RNN([ClockCell(4), zoo.GRUCell(4)]).autocast
    assert zoo.RNN([zoo.GRUCell(4), ClockCell(4)]).autocast
    assert zoo.RNN(zoo.GRUCell(4)).autocast
    layer = zoo.RNN.from_config(zoo.RNN(ClockCell(4)).get_config())
    assert not layer.autocast
    assert not layer.cell.autocast


def test_state_of_wrong_dtype_raises() -> None:
    class UncastCell(zoo.SimpleRNNCell):
        def update(self, x, r, states):
            h = ops.cast(x + r, "float32")
            return h, [h]

    with pytest.raises(ValueError, match=r"UncastCell .* of dtype bfloat16, but they are float32, float32"):
        zoo.RNN(UncastCell(4, dtype="mixed_bfloat16"))(tf.ones([2, 3, 4]))
