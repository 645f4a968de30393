"""A batch is halved where its rows are independent, and nowhere else."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from references import random_normal
from test_cells import CASES, Case
from test_loop import build_cell, make_data

import zoo
from zoo.layers import chunks
from zoo.layers.pure_cell import RARE_BATCH_SIZES, PureCell, flatten_states
from zoo.layers.rows import LoopInputs, has_independent_rows

WIDTH = 6
W = np.linspace(-1, 1, WIDTH * WIDTH).reshape(WIDTH, WIDTH).astype("float32")

INDEPENDENT: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "elementwise": lambda x: tf.tanh(2 * x + tf.constant(W[0])) * tf.where(x > 0, x, 1.0),
    "product": lambda x: x @ W,
    "product of heads": lambda x: tf.reshape(tf.reshape(x, [-1, 2, 1, 3]) @ W[:3, :3], [-1, WIDTH]),
    "products by row": lambda x: tf.linalg.matvec(x[:, :, None] * x[:, None], x),
    "einsum": lambda x: tf.einsum("bi,bi->b", x, x)[:, None] * tf.einsum("bi,ij->bj", x, W),
    "mean over features": lambda x: x - tf.reduce_mean(x, -1, keepdims=True),
    "softmax": lambda x: tf.nn.softmax(x),
    "slices": lambda x: tf.concat([x[..., 2:], x[:, :2]], -1),
    "split": lambda x: tf.add(*tf.split(x, 2, axis=-1)),
    "stack": lambda x: tf.reduce_max(tf.stack([x, 2 * x], 1), 1),
    "zeros like the batch": lambda x: tf.concat([x, tf.zeros([tf.shape(x)[0], 3])], -1),
    "reversed features": lambda x: tf.cumsum(x[:, 1:], 1) + tf.reverse(x, [1])[:, 1:],
    "padding": lambda x: tf.pad(x, [[0, 0], [1, 2]]),
    "lookup": lambda x: (
        tf.gather(tf.constant(W), tf.argmax(x, -1)) + tf.gather(x, [2, 1, 0, 3, 4, 5], axis=1)
    ),
    "transposed features": lambda x: tf.transpose(tf.reshape(x, [-1, 2, 3]), [0, 2, 1]),
}

MIXING: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "mean over the batch": lambda x: x - tf.reduce_mean(x, 0, keepdims=True),
    "mean of all": lambda x: x - tf.reduce_mean(x),
    "sum over the batch": lambda x: x + tf.cumsum(x, 0),
    "reversed batch": lambda x: x + tf.reverse(x, [0]),
    "reversed slice": lambda x: x + x[::-1],
    "reversed slice with ellipsis": lambda x: x + x[..., ::-1, :],
    "rotated batch": lambda x: tf.roll(x, 1, axis=0),
    "rotated slices": lambda x: tf.concat([x[1:], x[:1]], 0),
    "product with itself": lambda x: tf.nn.tanh(x @ tf.transpose(x)) @ x,
    "attention over the batch": lambda x: tf.nn.softmax(tf.matmul(x, x, transpose_b=True)) @ x,
    "einsum over the batch": lambda x: tf.einsum("bi,ci->bc", x, x) @ x,
    "transposed and reshaped": lambda x: tf.reshape(tf.transpose(x), [-1, WIDTH]),
    "softmax over the batch": lambda x: tf.nn.softmax(x, axis=0),
    "lookup in the batch": lambda x: tf.gather(x, tf.argmax(x[:, :3], -1)),
    "sorted batch": lambda x: tf.sort(x, axis=0),
    "divided by the batch size": lambda x: x / tf.cast(tf.shape(x)[0], tf.float32),
    "batch size in Python": lambda x: x * (1.0 / x.shape[0]),
    "batch size minus one": lambda x: 10 * x / tf.cast(tf.shape(x)[0] - 1, tf.float32),
    "factors by row": lambda x: x * np.linspace(0, 1, x.shape[0], dtype="float32")[:, None],
    "rotated by indices": lambda x: tf.gather(x, (np.arange(x.shape[0]) + 1) % x.shape[0]),
    "reversed by a range": lambda x: tf.gather(x, tf.range(x.shape[0] - 1, -1, -1)),
    "range by row": lambda x: tf.cast(tf.range(tf.shape(x)[0]), tf.float32)[:, None] * x,
    "condition by row": lambda x: tf.where(np.arange(x.shape[0])[:, None] == 0, 0.0, x),
    "branch by the batch": lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x),
}


def analyze(function: Callable[[tf.Tensor], tf.Tensor]) -> bool:
    tensors: list[tuple[list[tf.Tensor], list[tf.Tensor]]] = []

    def trace(x: tf.Tensor) -> None:
        tensors.append(([x], [function(x)]))

    first, second = (
        tf.function(trace, autograph=False).get_concrete_function(tf.TensorSpec([batch, WIDTH]))
        for batch in RARE_BATCH_SIZES
    )
    assert first.graph is tensors[0][0][0].graph
    return has_independent_rows(*tensors[0], second.graph)


@pytest.mark.parametrize("name", [*INDEPENDENT, *MIXING])
def test_independent_rows_are_recognized(name: str) -> None:
    function = {**INDEPENDENT, **MIXING}[name]
    x = tf.constant(random_normal(1, 8, WIDTH), tf.float32)
    halves = tf.concat([function(x[:3]), function(x[3:])], 0)
    is_independent = bool(tf.reduce_all(tf.abs(function(x) - halves) < 1e-5))
    assert is_independent == (name in INDEPENDENT)
    assert analyze(function) == is_independent


def test_random_graphs_of_independent_operations_with_one_that_mixes() -> None:
    rng = np.random.default_rng(1)
    keep_width = [f for f in INDEPENDENT.values() if f(tf.zeros([8, WIDTH])).shape == (8, WIDTH)]
    for _ in range(20):
        functions = [keep_width[i] for i in rng.integers(len(keep_width), size=4)]
        mixing = list(MIXING.values())[rng.integers(len(MIXING))]
        position = rng.integers(5)

        def chain(x: tf.Tensor, functions: list = functions) -> tf.Tensor:
            for function in functions:
                x = function(x) + x
            return x

        assert analyze(chain)
        assert not analyze(lambda x: chain(x, [*functions[:position], mixing, *functions[position:]]))  # noqa: B023


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_of_a_cell_are_recognized(case: Case) -> None:
    cell = build_cell(case.cell, **case.arguments)
    x, states = make_data(cell)
    constants = cell.compute_constants({}, training=False)
    pure_cell = PureCell(cell, constants, training=True)
    with cell.constants_scope(constants):
        assert pure_cell.analyze(LoopInputs(tf.transpose(x, [1, 0, 2]), flatten_states(states)))
    assert pure_cell.has_independent_rows == (case.name != "LTC")  # which moves the batch to another axis


class RowMixingCell(zoo.SimpleRNNCell):
    """Each row depends on the mean of all rows."""

    def update(self, x, r, states):
        h = self.activation(x + r - ops.mean(r, axis=0, keepdims=True))
        return h, [h]


class ContextCell(zoo.SimpleRNNCell):
    """A cell with a constant for each sequence."""

    def update(self, x, r, states):
        h = self.activation(x + r) * self.constants["context"]
        return h, [h]


@pytest.mark.parametrize(
    ("cell", "batch", "loops"),
    [
        (zoo.LSTMCell, 15, 1),
        (zoo.LSTMCell, 16, 2),
        (zoo.LSTMCell, None, 2),
        (RowMixingCell, 16, 1),
        (RowMixingCell, None, 1),
        (ContextCell, 16, 1),
        (ContextCell, None, 1),
        (zoo.cells.SLSTMCell, 16, 2),
    ],
)
def test_number_of_loops(
    cell: type[zoo.Cell], batch: int | None, loops: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    run_part = chunks.run_part
    monkeypatch.setattr(chunks, "run_part", lambda *args: calls.append(1) or run_part(*args))
    layer = zoo.RNN(cell(4))
    layer.build((None, 7, 3))

    @tf.function(autograph=False)
    def function(x: tf.Tensor, context: tf.Tensor) -> tf.Tensor:
        return layer(x, training=True, constants={"context": context} if cell is ContextCell else {})

    function.get_concrete_function(tf.TensorSpec([batch, 7, 3]), tf.TensorSpec([batch, 4]))
    assert len(calls) == loops
