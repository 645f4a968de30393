"""sLSTM and mLSTM: range of the exponential gates, heads, and the parallel form."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import references
import tensorflow as tf
from references import assert_close, evaluate, random_normal, randomize_weights

import zoo
from zoo.cells.mlstm import MAX_CHUNK_SIZE

BATCH, FEATURES, UNITS, HEADS = 3, 4, 6, 2

EMPTY_ROW = 1
"""The row of which no step is valid."""


class SteppedMLSTMCell(zoo.cells.MLSTMCell):
    """The same cell, run step by step, because `parallel` does not call `step`."""

    def step(self, x, r, states, noise=None):
        return super().step(x, r, states, noise)


class ExponentialForgetCell(zoo.cells.MLSTMCell):
    """The other forget gate of the paper: exp."""

    def activate(self, x):
        *others, _ = super().activate(x)
        return *others, self.split(x)[-1] / 4


class ClosedOutputCell(zoo.cells.MLSTMCell):
    """Overrides `gates`, which `parallel` does not call."""

    def gates(self, x, r, states):
        gate = super().gates(x, r, states)
        return {**gate, "output": gate["output"] / 2}


every_form = pytest.mark.parametrize("make", [zoo.cells.SLSTMCell, zoo.cells.MLSTMCell, SteppedMLSTMCell])


def build_cell(make: Callable[..., zoo.Cell], dtype: str = "float64") -> zoo.Cell:
    cell = make(UNITS, num_heads=HEADS, dtype=dtype)
    cell.build((None, FEATURES))
    randomize_weights(cell)
    return cell


def make_data(cell: zoo.Cell, time: int) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Create sequences, states with a positive normalizer, and a mask with an empty row."""
    states = [
        random_normal(8 + i, BATCH, *shape, dtype=cell.dtype) for i, shape in enumerate(cell.state_shapes)
    ]
    states[-2] = np.abs(states[-2])
    mask = np.random.default_rng(3).random((BATCH, time)) < 0.7
    mask[EMPTY_ROW] = False
    return random_normal(7, BATCH, time, FEATURES, dtype=cell.dtype), states, mask


def make_runner(cell: zoo.Cell, **arguments: Any) -> Callable:
    """Return a function from sequences and states to all outputs and the final states."""
    layer = zoo.RNN(cell, return_sequences=True, return_state=True, dtype=cell.dtype)
    return lambda x, states: layer(x, initial_state=states, **arguments)


def set_gate_biases(cell: zoo.Cell, log_input: Any, forget: Any) -> None:
    """Set the bias of input and forget gates, of all units or heads or of each."""
    bias = np.asarray(cell.bias).copy()
    if isinstance(cell, zoo.cells.MLSTMCell):
        bias[-2 * cell.num_heads : -cell.num_heads], bias[-cell.num_heads :] = log_input, forget
    else:
        bias[: cell.units], bias[cell.units : 2 * cell.units] = log_input, forget
    cell.bias.assign(bias)


# The authors' code.


@pytest.mark.parametrize(
    ("layer", "expected", "tolerance"),
    [
        (zoo.SLSTM, [0.020316413, 0.000225408, 0.027039725, 0.907831135, 0.973088665, 0.642837602], 1e-8),
        # The code adds 1e-6 to the denominator.
        (zoo.MLSTM, [-0.954149485, -1.031466348, -0.457718127, 0.585264051, 1.614201108, 0.981998726], 1e-5),
    ],
)
def test_last_output_equals_that_of_xlstm_2_0_6(
    layer: type[zoo.RNN], expected: list[float], tolerance: float
) -> None:
    layer = layer(UNITS, HEADS, dtype="float64")
    layer.build((None, None, FEATURES))

    def make_wave(*shape: int) -> np.ndarray:
        return np.cos(np.arange(np.prod(shape))).reshape(shape)

    layer.set_weights([make_wave(*weight.shape) for weight in layer.get_weights()])
    assert_close(layer(2 * make_wave(1, 5, FEATURES))[0], np.array(expected), tolerance)


# The parallel form of mLSTM.


@pytest.mark.parametrize(
    ("time", "masked"),
    [
        *((0, True), (1, True), (MAX_CHUNK_SIZE, True), (2 * MAX_CHUNK_SIZE + 22, True)),
        (MAX_CHUNK_SIZE + 1, False),
    ],
)
def test_parallel_form_equals_steps(time: int, masked: bool) -> None:
    parallel, steps = build_cell(zoo.cells.MLSTMCell), build_cell(SteppedMLSTMCell)
    x, states, mask = make_data(parallel, time)
    options = {"mask": tf.constant(mask)} if masked else {}
    graph = time == 0 or time > 100  # outside of a graph Keras refuses sequences of no steps
    ours, expected = (
        evaluate(make_runner(cell, **options), x, states, cell.trainable_variables, graph)
        for cell in (parallel, steps)
    )
    scale = max(1, time / 10)  # gradients are sums over time
    assert_close(ours, expected, 1e-12 * scale)


def test_parallel_form_equals_steps_in_float32() -> None:
    cells = [build_cell(make, "float32") for make in (zoo.cells.MLSTMCell, SteppedMLSTMCell)]
    x, states, mask = make_data(cells[0], 150)
    run = functools.partial(make_runner, mask=tf.constant(mask))
    (ours, our_slopes), (expected, slopes) = (
        evaluate(run(cell), x, states, cell.trainable_variables) for cell in cells
    )
    assert_close(ours, expected, 1e-5)
    for a, b in zip(our_slopes, slopes, strict=True):
        assert np.max(np.abs(a - b)) < 1e-5 * np.max(np.abs(b))


@pytest.mark.parametrize(
    ("cell", "parallel"),
    [(zoo.cells.MLSTMCell, True), (ExponentialForgetCell, True), (ClosedOutputCell, False)],
)
def test_overrides_have_effect(cell: type[zoo.Cell], parallel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = build_cell(cell)
    x, states, _ = make_data(cell, 70)
    calls = []
    original = zoo.cells.MLSTMCell.parallel
    monkeypatch.setattr(zoo.cells.MLSTMCell, "parallel", lambda *args: calls.append(1) or original(*args))
    outputs, *finals = make_runner(cell)(x, states)
    assert bool(calls) == parallel
    expected = []
    for t in range(70):
        output, states = cell(x[:, t], states)
        expected.append(output)
    assert_close([outputs, *finals], [np.stack(expected, 1), *states], 1e-11)


# Exponential gates.


@every_form
def test_large_gates_have_finite_values_and_gradients(make: type[zoo.Cell]) -> None:
    extremes = np.meshgrid([-1000, -50, 50, 1000], [-1000, -50, 50, 1000])
    cell = make(32 if issubclass(make, zoo.cells.MLSTMCell) else 16, num_heads=16, dtype="float32")
    cell.build((None, FEATURES))
    randomize_weights(cell)
    set_gate_biases(cell, *map(np.ravel, extremes))
    x, _, _ = make_data(cell, 70)
    empty = [np.asarray(state) for state in cell.get_initial_state(BATCH)]
    outputs, slopes = evaluate(make_runner(cell), 10 * x, empty, cell.trainable_variables, graph=True)
    assert all(np.all(np.isfinite(value)) for value in (*outputs, *slopes))
    is_written = np.any(outputs[0], (0, 1)).reshape(16, -1).all(-1).reshape(4, 4)
    # exp(-1000) is 0, but sLSTM divides by it.
    assert is_written[:, 1:].all()
    assert np.all(is_written[:, 0] == (make is zoo.cells.SLSTMCell))


@every_form
def test_gates_that_jump_between_extremes_equal_numpy(make: type[zoo.Cell]) -> None:
    cell = build_cell(make)
    kernel = np.asarray(cell.kernel).copy()
    gates = slice(-2 * HEADS, None) if make is not zoo.cells.SLSTMCell else slice(0, 2 * UNITS)
    kernel[:, gates] *= 300
    cell.kernel.assign(kernel)
    x, states, mask = make_data(cell, 70)
    assert np.ptp(x @ kernel[:, gates]) > 1000
    step = references.slstm if make is zoo.cells.SLSTMCell else references.mlstm
    with np.errstate(over="ignore", divide="ignore"):
        expected = references.run(step, cell.get_weights(), x, states, mask)
    assert_close(make_runner(cell, mask=tf.constant(mask))(x, states), expected, 1e-9)


@every_form
@pytest.mark.parametrize("shift", [-30, 5])
def test_output_does_not_depend_on_stabilizer(make: type[zoo.Cell], shift: float) -> None:
    cell = build_cell(make)
    x, states, _ = make_data(cell, 5)
    shifted = [*states[:-3], *(state * np.exp(-shift) for state in states[-3:-1]), states[-1] + shift]
    assert_close(make_runner(cell)(x, shifted)[0], make_runner(cell)(x, states)[0], 1e-12)


@pytest.mark.parametrize("log_input", [-1000, 1000])
def test_first_output_of_slstm_is_gated_candidate(log_input: float) -> None:
    cell = build_cell(zoo.cells.SLSTMCell, "float32")
    set_gate_biases(cell, log_input, 0)
    x = tf.constant(random_normal(1, BATCH, FEATURES, dtype="float32"))
    z, o = np.split(np.asarray(cell.project(x)), 4, -1)[2:]
    output, _ = cell(x, cell.get_initial_state(BATCH))
    assert_close(output, references.sigmoid(o) * np.tanh(z), 1e-6)


@pytest.mark.parametrize("make", [zoo.cells.SLSTMCell, zoo.cells.MLSTMCell])
def test_decay_from_large_stabilizer_in_half_precision(make: type[zoo.Cell]) -> None:
    # Near 100, numbers in bfloat16 come in steps of 1/2.
    cell = make(UNITS, num_heads=HEADS, dtype="bfloat16", recurrent_initializer="random_normal")
    cell.build((None, FEATURES))
    set_gate_biases(cell, 0, 4)
    states = [tf.ones_like(state) for state in cell.get_initial_state(BATCH)]
    states[-1] += 99
    x = cell.project(tf.zeros([BATCH, FEATURES], "bfloat16"))
    gates = cell.gates(x, tf.zeros_like(x), states)
    assert_close(tf.cast(gates["forget"], "float64"), np.full(gates["forget"].shape, 0.982), 0.004)


# Heads and arguments.


def test_heads_of_slstm_are_separate() -> None:
    cell = build_cell(zoo.cells.SLSTMCell)
    h = tf.constant(random_normal(8, BATCH, UNITS))
    with tf.GradientTape() as tape:
        tape.watch(h)
        with cell.constants_scope(cell.compute_constants({}, training=False)):
            r = tf.reshape(cell.recurrent([h]), [BATCH, 4, HEADS, UNITS // HEADS])
        first_head = tf.reduce_sum(r[:, :, 0])
    slope = tape.gradient(first_head, h)
    assert np.all(slope[:, : UNITS // HEADS] != 0)
    assert not np.any(slope[:, UNITS // HEADS :])


def test_zoneout_of_hidden_state_of_slstm() -> None:
    cell = zoo.cells.SLSTMCell(UNITS, HEADS, zoneout=[0.3, 0, 0, 0], dtype="float64")
    cell.build((None, FEATURES))
    randomize_weights(cell)
    x, states, mask = make_data(cell, 9)
    step = references.add_zoneout(references.slstm, cell.zoneout)
    expected = references.run(step, cell.get_weights(), x, states, mask)
    assert_close(make_runner(cell, mask=tf.constant(mask))(x, states), expected, 1e-12)


def test_forget_gates_of_mlstm_start_open() -> None:
    cell = zoo.cells.MLSTMCell(8, 4)
    cell.build((None, FEATURES))
    assert_close(np.asarray(cell.bias), np.array([*np.zeros(36), 3, 4, 5, 6]), 1e-6)


@pytest.mark.parametrize(
    ("cell", "arguments", "message"),
    [
        (zoo.cells.SLSTMCell, {"num_heads": 4}, "a multiple of `num_heads`, but they are 6 and 4"),
        (zoo.cells.MLSTMCell, {"num_heads": 4}, "a multiple of `num_heads`, but they are 6 and 4"),
        (zoo.cells.MLSTMCell, {"num_heads": 0}, "`num_heads` must be a positive integer, but it is 0"),
        (zoo.cells.SLSTMCell, {"num_heads": 2, "zoneout": 0.1}, r"Write `zoneout=\[rate, 0, 0, 0\]`"),
        (zoo.cells.MLSTMCell, {"num_heads": 2, "zoneout": 0.1}, "must be 0, .* but they are 0.0 and 0.1"),
        (
            zoo.cells.MLSTMCell,
            {"num_heads": 2, "recurrent_dropout": 0.1},
            "must be 0, .* but they are 0.1 and 0.0",
        ),
    ],
)
def test_invalid_arguments_raise(cell: type[zoo.Cell], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cell(UNITS, **arguments)
