"""The cells of docs/cells.md equal their equations, written as plain loops in NumPy."""

import ast
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from references import assert_close, evaluate, random_normal, randomize_weights, sigmoid
from test_readme import PAGES, code_blocks

import zoo

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3

Array = np.ndarray
Result = tuple[Array, list[Array], dict[str, Array]]


def define_cells() -> dict[str, Any]:
    """Return the classes that the page defines, by name."""
    names: dict[str, Any] = {"keras": keras, "np": np, "tf": tf, "zoo": zoo, "__name__": "page"}
    for block in code_blocks(PAGES["docs/cells.md"], "python"):
        classes = [node for node in ast.parse(block).body if isinstance(node, ast.ClassDef)]
        exec(compile(ast.Module(classes, []), "docs/cells.md", "exec"), names)
    return names


CELLS = define_cells()


def mgu(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> Result:
    (w, u_f, b, u_g), (h,) = weights, states
    x_f, x_g = np.split(x @ w + b, 2, -1)
    f = sigmoid(x_f + h @ u_f)
    h = (1 - f) * h + f * np.tanh(x_g + (f * h) @ u_g)
    return h, [h], {}


def multiplicative_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> Result:
    w, u, b, w_m, u_m = weights
    h, c = states
    return references.lstm([w, u, b], x, [(x @ w_m) * (h @ u_m), c])


def mogrifier_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> Result:
    w, u, b, q_1, r_2, q_3, r_4, q_5 = weights
    h, c = states
    x = 2 * sigmoid(h @ q_1) * x
    h = 2 * sigmoid(x @ r_2) * h
    x = 2 * sigmoid(h @ q_3) * x
    h = 2 * sigmoid(x @ r_4) * h
    x = 2 * sigmoid(h @ q_5) * x
    return references.lstm([w, u, b], x, [h, c])


def associative_memory(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> Result:
    (w, b), (memory,) = weights, states
    query, key, value = np.split(x @ w + b, 3, -1)
    memory = memory + np.outer(value, key)
    return memory @ query, [memory], {}


def maximum(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> Result:
    (w, b), (h,) = weights, states
    h = np.maximum(h, x @ w + b)
    return h, [h], {}


def assert_equal_to(
    step: references.Step,
    cell: zoo.Cell,
    factor: Callable[[str], Any] = lambda name: 1,
    mask: Array | None = None,
    **arguments: Any,
) -> None:
    """Compare outputs, states and gradients of a cell with those of a step in NumPy.

    Args:
        step: the step.
        cell: the cell, built.
        factor: from the name of a weight to a factor that the step multiplies it by.
        mask: bool [batch, time], False for padding.
        **arguments: call arguments of `zoo.RNN`.
    """
    randomize_weights(cell)
    x = random_normal(7, BATCH, TIME, FEATURES)
    states = [random_normal(8 + i, BATCH, *shape) for i, shape in enumerate(cell.state_shapes)]
    names = [weight.name for weight in cell.trainable_variables]
    layer = zoo.RNN(cell, return_sequences=True, return_state=True)

    def run(x: tf.Tensor, states: list[tf.Tensor]) -> Any:
        return layer(x, initial_state=states, mask=None if mask is None else tf.constant(mask), **arguments)

    def expected(at: list[Array]) -> list[Array]:
        weights = [weight * factor(name) for weight, name in zip(at[1 + len(states) :], names, strict=True)]
        return references.run(step, weights, at[0], at[1 : 1 + len(states)], mask)

    outputs, gradients = evaluate(run, x, states, cell.trainable_variables, graph=True)
    at = [x, *states, *cell.get_weights()]
    assert_close(outputs, expected(at), 1e-12)
    directions = [random_normal(20 + i, *a.shape) for i, a in enumerate(at)]
    slopes = references.compute_slopes(lambda at: references.weighted_sum(expected(at)), at, directions)
    assert_close([np.sum(g * d) for g, d in zip(gradients, directions, strict=True)], slopes, 1e-7)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("MGUCell", mgu),
        ("MultiplicativeLSTMCell", multiplicative_lstm),
        ("MogrifierLSTMCell", mogrifier_lstm),
        ("AssociativeMemoryCell", associative_memory),
        ("MaximumCell", maximum),
    ],
)
def test_cell_of_page_equals_its_equations(name: str, step: references.Step) -> None:
    cell = CELLS[name](UNITS, dtype="float64")
    cell.build((None, FEATURES))
    assert_equal_to(step, cell)
    assert_equal_to(step, cell, mask=np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [1, 1, 1, 1, 1]], bool))


def test_weight_drop_drops_the_same_weights_in_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = CELLS["WeightDropLSTMCell"](UNITS, weight_drop=0.5, dtype="float64")
    cell.build((None, FEATURES))
    assert_equal_to(references.lstm, cell, training=False)
    weight, dropped = (
        np.asarray(value)
        for value in (cell.recurrent_kernel, cell.prepare_constants({}, True)["recurrent_kernel"])
    )
    is_dropped = dropped == 0
    assert 0 < is_dropped.mean() < 1
    assert_close(dropped, np.where(is_dropped, 0, 2 * weight), 1e-12)

    drop = np.where(is_dropped, 0.0, 2.0)
    monkeypatch.setattr(keras.random, "dropout", lambda x, rate, seed: x * drop)
    assert_equal_to(references.lstm, cell, lambda n: drop if n == "recurrent_kernel" else 1, training=True)


def test_attention_over_constants() -> None:
    cell = CELLS["AttentiveGRUCell"](UNITS, dtype="float64")
    cell.build((None, FEATURES))
    *weights, context_kernel = randomize_weights(cell)
    x, memory = random_normal(1, BATCH, TIME, FEATURES), random_normal(2, BATCH, 6, UNITS)
    layer = zoo.RNN(cell, return_sequences=True)
    with tf.GradientTape() as tape:
        constants = {"memory": tf.constant(memory)}
        tape.watch(constants)
        outputs = layer(x, constants=constants)
        loss = references.weighted_sum_of_tensors([outputs])
    gradient = tape.gradient(loss, constants["memory"])

    def expected(memory: Array) -> list[Array]:
        hs = np.zeros((BATCH, TIME, UNITS))
        for row in range(BATCH):
            h = np.zeros(UNITS)
            for t in range(TIME):
                scores = np.exp(memory[row] @ h)
                context = scores / scores.sum() @ memory[row]
                w, u, (b_x, b_r) = weights
                b = np.stack([b_x + context @ context_kernel, b_r])
                h, _, _ = references.gru([w, u, b], x[row, t], [h])
                hs[row, t] = h
        return [hs]

    assert_close(outputs, expected(memory)[0], 1e-12)
    direction = random_normal(3, *memory.shape)
    slopes = references.compute_slopes(
        lambda at: references.weighted_sum(expected(at[0])), [memory], [direction]
    )
    assert_close([np.sum(gradient * direction)], slopes, 1e-7)


def test_decay_cell_keeps_its_time_column() -> None:
    cell = CELLS["DecayCell"](UNITS, dropout=0.5, dtype="float64")
    mask = np.asarray(cell.draw_dropout_mask(np.ones((1, 50, FEATURES))))
    assert np.all(mask[..., -1] == 1)
    assert set(np.unique(mask[..., :-1])) == {0, 2}
    with pytest.raises(ValueError, match="DecayCell cannot be number 2 of a stack: it expects the time"):
        zoo.RNN([zoo.GRUCell(UNITS), cell])


def test_decay_cell_equals_its_equation() -> None:
    cell = CELLS["DecayCell"](UNITS, dtype="float64")
    cell.build((None, FEATURES))
    w, u, b = randomize_weights(cell)
    x = random_normal(1, BATCH, TIME, FEATURES)
    h, outputs = np.zeros((BATCH, UNITS)), []
    for t in range(TIME):
        decay = 0.5 ** x[:, t, -1:]
        h = decay * h + (1 - decay) * np.tanh(x[:, t, :-1] @ w + h @ u + b)
        outputs.append(h)
    layer = zoo.RNN(cell, return_sequences=True)
    assert_close(layer(tf.constant(x)), np.stack(outputs, 1), 1e-6)
