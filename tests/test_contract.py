"""The contract of cells: states of any rank, constants, products, resets, parallel; and random combinations.

The reference is a plain loop over `Cell.call`, which shares no code with the loop over time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from references import assert_close, random_normal, randomize_weights, weighted_sum_of_tensors
from test_loop import EVERY_CELL, UNITS

import zoo
from zoo.layers import chunks

FEATURES = 9


class MemoryCell(zoo.Cell):
    """A matrix memory that is written by a constant and by products inside `update`."""

    weight_blocks = ("key", "value")
    state_names = ("hidden", "memory")

    @property
    def state_size(self):
        return [self.units, (self.units, 2)]

    def build(self, input_shape):
        super().build(input_shape)
        self.write = self.add_weight(shape=(self.units, 2), name="write")
        self.read = self.add_weight(shape=(2, self.units), name="read")

    def update(self, x, r, states):
        h, memory = states
        key, value = self.split(x + r)
        gain = ops.sigmoid(self.product("write", h + value))
        memory = 0.9 * memory + ops.tanh(key)[:, :, None] * gain[:, None, :]
        h = ops.tanh(self.product("read", ops.mean(memory, axis=1)) + self.constants["context"])
        return h, [h, memory]


class ScaledCell(zoo.LSTMCell):
    """U is normalized once a sequence, and the input is scaled by a constant."""

    def prepare_constants(self, constants, training):
        u = self.recurrent_kernel
        return {"scale": ops.tanh(constants["context"]), "recurrent_kernel": u / ops.norm(u)}

    def project(self, inputs):
        return super().project(inputs) * ops.mean(self.constants["scale"], axis=-1, keepdims=True)


class NarrowCell(zoo.Cell):
    """W is narrower than the blocks, U has another shape, and `update` multiplies by W^T-like weights twice."""

    weight_blocks = ("hidden",)

    def kernel_shape(self, features):
        return (features, 2)

    def build(self, input_shape):
        super().build(input_shape)
        self.widen = self.add_weight(shape=(2, self.units), name="widen")

    def update(self, x, r, states):
        h = ops.tanh(self.product("widen", x + r) + self.product("widen", ops.sin(r)))
        return h, [h]


class LearnedStartCell(zoo.GRUCell):
    """The states before the first step are weights."""

    def build(self, input_shape):
        super().build(input_shape)
        self.start = self.add_weight(shape=(self.units,), name="start")

    def get_initial_state(self, batch_size=None):
        return [ops.tile(self.start[None], (batch_size, 1))]


CONTRACT = {cell.__name__: cell for cell in (MemoryCell, ScaledCell, NarrowCell, LearnedStartCell)}
CELLS: dict[str, Callable[..., zoo.Cell]] = {**EVERY_CELL, **CONTRACT}


def run_plainly(
    cell: zoo.Cell,
    x: tf.Tensor,
    states: list[tf.Tensor],
    mask: np.ndarray | None,
    resets: np.ndarray | None,
    constants: dict[str, tf.Tensor],
) -> list[tf.Tensor]:
    """Run a cell by its own `call`, a step at a time: the outputs [batch, time, width] and the last states."""
    output, outputs = tf.zeros([x.shape[0], cell.output_size], x.dtype), []
    for t in range(x.shape[1]):
        if resets is not None:
            starts = cell.get_initial_state(x.shape[0])
            states = [where(resets[:, t], start, state) for start, state in zip(starts, states, strict=True)]
        new_output, new = cell(x[:, t], states, constants=constants)
        if mask is None:
            output, states = new_output, new
        else:
            output = where(mask[:, t], new_output, output)
            states = [where(mask[:, t], a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(output)
    return [tf.stack(outputs, 1), *states]


def where(condition: np.ndarray, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.where(condition.reshape(-1, *[1] * (len(a.shape) - 1)), a, b)


def differentiate(
    function: Callable[[tf.Tensor, list[tf.Tensor], dict[str, tf.Tensor]], list[tf.Tensor]],
    cell: zoo.Cell,
    sources: tuple[Any, ...],
) -> list[tf.Tensor]:
    """Return results and gradients: by inputs, states, constants and weights."""
    values = [*tf.nest.flatten(sources), *(weight.value for weight in cell.weights)]
    with tf.GradientTape() as tape:
        tape.watch(values)
        results = function(*sources)
        loss = weighted_sum_of_tensors(results)
    return [*results, *tape.gradient(loss, values, unconnected_gradients="zero")]


def check_against_plain_loop(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare `zoo.RNN` in eager execution, a graph and a jitted graph with the plain loop, for random options."""
    rng = np.random.default_rng(seed)
    batch, time = int(rng.integers(1, 5)), int(rng.choice([1, 2, 5, 13, 20, 33]))
    for constant, value in [
        ("MAX_CHUNK_ROWS", rng.choice([1, 20, 1600])),
        ("DYNAMIC_CHUNK_SIZE", rng.choice([1, 3, 16])),
        ("MAX_UNROLLED_CHUNKS", rng.choice([1, 8])),
        ("MAX_STORED_BYTES", rng.choice([0, 2**20])),
    ]:
        monkeypatch.setattr(chunks, constant, int(value))
    cell = CELLS[name](UNITS, dtype="float64")
    x = tf.constant(random_normal(seed, batch, time, FEATURES))
    has_constants = name in CONTRACT
    constants = {"context": tf.constant(random_normal(seed + 1, batch, UNITS))} if has_constants else {}
    layer = zoo.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    layer(tf.zeros([batch, 2, FEATURES], "float64"), constants=constants)
    randomize_weights(layer, seed)
    shapes = [(batch, *shape) for shape in cell.state_shapes]
    states = [tf.constant(random_normal(seed + 2 + i, *shape)) for i, shape in enumerate(shapes)]
    mask = rng.random((batch, time)) < rng.choice([0.3, 0.8]) if rng.random() < 0.6 else None
    resets = rng.random((batch, time)) < 0.2 if rng.random() < 0.5 else None
    training = bool(rng.random() < 0.7)

    def run_layer(x: tf.Tensor, states: list[tf.Tensor], constants: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        options = {"mask": mask, "resets": resets, "training": training}
        options = {key: value for key, value in options.items() if value is not None}
        return list(layer(x, initial_state=list(states), constants=constants, **options))

    def expect(x: tf.Tensor, states: list[tf.Tensor], constants: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        return run_plainly(cell, x, states, mask, resets, constants)

    sources = x, states, constants
    expected = differentiate(expect, cell, sources)
    dims = [None, None] if rng.random() < 0.5 else [batch, time]
    signature = [
        tf.TensorSpec([*dims, FEATURES], "float64"),
        [tf.TensorSpec([dims[0], *shape[1:]], "float64") for shape in shapes],
        {key: tf.TensorSpec([dims[0], UNITS], "float64") for key in constants},
    ]
    run = lambda *sources: differentiate(run_layer, cell, sources)  # noqa: E731
    graph = tf.function(run, input_signature=signature, autograph=False)
    jitted = tf.function(run, jit_compile=True, autograph=False)
    for function in (run, graph, jitted):
        assert_close(function(*sources), expected, 1e-9)


@pytest.mark.parametrize("name", CONTRACT)
@pytest.mark.parametrize("seed", [0, 1])
def test_contract_equals_plain_loop(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check_against_plain_loop(name, 100 * seed + list(CELLS).index(name), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("seed", [0, 1])
def test_random_options_equal_plain_loop(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check_against_plain_loop(name, 1000 + 100 * seed + list(CELLS).index(name), monkeypatch)
