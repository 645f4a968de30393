"""Cells whose last input is a time: CfC, LTC and the phased LSTM."""

import functools
from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from keras import layers
from references import assert_close, evaluate, random_normal, randomize_weights, sigmoid

import zoo
from zoo.cells import CfCCell, LTCCell, PhasedLSTMCell

BATCH, TIME, FEATURES, UNITS = 4, 7, 3, 5  # FEATURES without the time


def build_cell(cell_class: type[zoo.Cell], dtype: str = "float64", **arguments: Any) -> zoo.Cell:
    """Create a cell with its own initial weights, where random ones would make time constants extreme."""
    keras.utils.set_random_seed(0)
    cell = cell_class(UNITS, dtype=dtype, **arguments)
    cell.build((None, FEATURES + 1))
    return cell


def make_step(gap: float) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Create inputs [batch, features + 1] of one step after a gap, and a state."""
    features, gaps = random_normal(1, BATCH, FEATURES), np.full((BATCH, 1), gap)
    return tf.constant(np.concatenate([features, gaps], -1)), [tf.constant(random_normal(2, BATCH, UNITS))]


# Time gaps.


def test_cfc_moves_from_start_to_candidate_as_the_gap_grows() -> None:
    cell = build_cell(CfCCell, backbone_layers=0)
    start, candidate, offset = (random_normal(i, UNITS) for i in (1, 2, 3))
    weights = [np.zeros_like(weight) for weight in cell.get_weights()[:2]]
    cell.set_weights([*weights, np.concatenate([start, candidate, np.full(UNITS, 0.5), offset])])
    for gap in (0.0, 2.0, 1e3):
        k = sigmoid(0.5 * gap + offset)
        expected = (1 - k) * np.tanh(start) + k * np.tanh(candidate)
        assert_close(cell(*make_step(gap))[0], np.tile(expected, (BATCH, 1)), 1e-12)
    assert_close(expected, np.tanh(candidate), 1e-12)


def test_pure_cfc_relaxes_to_its_amplitude() -> None:
    cell = build_cell(CfCCell, mode="pure")
    cell.decay.assign(np.full(UNITS, 0.1))
    cell.amplitude.assign(np.arange(UNITS))
    assert_close(cell(*make_step(1e4))[0], np.tile(np.arange(UNITS), (BATCH, 1)), 1e-12)


def integrate_ltc(cell: zoo.Cell, features: np.ndarray, v: np.ndarray, duration: float) -> np.ndarray:
    """Solve the equation of the LTC for one row by the classical Runge-Kutta method."""
    kernel, recurrent_kernel, bias = cell.get_weights()
    w, e, m, s = np.split(np.concatenate([kernel, recurrent_kernel]), 4, -1)
    leak, rest, capacitance = np.split(bias, 3)

    def slope(v: np.ndarray) -> np.ndarray:
        u = np.concatenate([features, v])[:, None]
        return (leak * (rest - v) + (w * sigmoid(s * (u - m)) * (e - v)).sum(0)) / capacitance

    h = duration / 1000
    for _ in range(1000):
        a = slope(v)
        b = slope(v + h / 2 * a)
        c = slope(v + h / 2 * b)
        d = slope(v + h * c)
        v = v + h / 6 * (a + 2 * b + 2 * c + d)
    return v


def test_ltc_solves_its_equation() -> None:
    cell = build_cell(LTCCell)
    inputs, [v] = make_step(2.0)
    exact = [
        integrate_ltc(cell, row, v, 2.0) for row, v in zip(inputs[:, :-1].numpy(), v.numpy(), strict=True)
    ]
    errors = []
    for unfolds in (50, 100, 200):
        twin = build_cell(LTCCell, unfolds=unfolds)
        errors.append(np.abs(twin(inputs, [v])[0] - exact).max())
    assert errors[0] < 0.05
    # The solver is of first order: twice the steps, half the error.
    assert_close([errors[0] / errors[1], errors[1] / errors[2]], [2, 2], 0.1)


def test_ltc_step_of_two_units_equals_two_steps_of_one() -> None:
    inputs, states = make_step(1.0)
    cell = build_cell(LTCCell, unfolds=3)
    for _ in range(2):
        output, states = cell(inputs, states)
    assert_close(build_cell(LTCCell, unfolds=6)(*make_step(2.0))[0], output, 1e-12)


def test_ltc_gap_of_zero_keeps_the_state() -> None:
    inputs, states = make_step(0.0)
    assert_close(build_cell(LTCCell)(inputs, states)[0], states[0], 1e-12)


@pytest.mark.parametrize("cell", [CfCCell, LTCCell])
def test_negative_gap_counts_as_zero(cell: type[zoo.Cell]) -> None:
    cell = build_cell(cell)
    assert_close(cell(*make_step(-3.0)), cell(*make_step(0.0)), 0)


# Time stamps.


@pytest.mark.parametrize("layer", [zoo.RNN, layers.RNN])
@pytest.mark.parametrize("training", [True, False])
def test_phased_lstm_leaks_in_training_only(layer: type[layers.RNN], training: bool) -> None:
    cell = build_cell(PhasedLSTMCell, leak=0.5, max_period=3.0)
    randomize_weights(cell)
    x = random_normal(3, BATCH, TIME, FEATURES + 1)
    states = [random_normal(4 + i, BATCH, UNITS) for i in range(2)]
    step = functools.partial(references.phased_lstm, leak=0.5 if training else 0)
    rnn = layer(cell, return_sequences=True, return_state=True, dtype="float64")
    outputs, _ = evaluate(lambda x, s: rnn(x, initial_state=s, training=training), x, states, graph=True)
    assert_close(outputs, references.run(step, cell.get_weights(), x, states), 1e-12)


def test_phased_lstm_keeps_states_of_closed_units() -> None:
    cell = build_cell(PhasedLSTMCell, min_period=1.0, max_period=1.0, open_ratio=0.1)
    cell.shift.assign([0.0, 0.2, 0.4, 0.6, 0.8])
    states = [tf.constant(random_normal(i, BATCH, UNITS)) for i in (1, 2)]
    inputs = tf.constant(np.concatenate([random_normal(3, BATCH, FEATURES), np.full((BATCH, 1), 8.65)], -1))
    _, after = cell(inputs, states)  # the fourth unit has the phase 0.05, and is open
    for old, new in zip(states, after, strict=True):
        changed = np.any(np.abs(new - old) > 1e-12, axis=0)
        assert changed.tolist() == [False, False, False, True, False]


def make_sequence(start: float, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Create inputs [batch, time, features + 1] with time stamps from `start` on, and the stamps."""
    times = start + np.cumsum(np.random.default_rng(1).uniform(0, 1, (BATCH, TIME, 1)), 1)
    x = np.concatenate([random_normal(0, BATCH, TIME, FEATURES), times], -1).astype(dtype)
    return x, x[..., -1:].astype("float64")


@pytest.mark.parametrize("layer", [zoo.RNN, layers.RNN])
def test_phased_lstm_resolves_time_stamps_in_mixed_bfloat16(layer: type[layers.RNN]) -> None:
    x, _ = make_sequence(1000, "float32")  # bfloat16 comes in steps of 4 there
    arguments = {"max_period": 4.0, "open_ratio": 0.5}

    def compute(dtype: str) -> list[np.ndarray]:
        cell = build_cell(PhasedLSTMCell, dtype, **arguments)
        rnn = layer(cell, return_sequences=True, dtype=dtype, autocast=False)

        @tf.function(autograph=False)
        def run() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                outputs = rnn(x, training=True)
                loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 2)
            return [outputs, *tape.gradient(loss, [w.value for w in cell.trainable_variables])]

        return [np.asarray(value, "float32") for value in run()]

    for coarse, fine in zip(compute("mixed_bfloat16"), compute("float32"), strict=True):
        assert np.max(np.abs(coarse - fine)) < 0.04 * np.max(np.abs(fine))


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_phased_lstm_takes_time_stamps_of_float64(policy: str) -> None:
    x, times = make_sequence(1.7e9, "float64")  # seconds since 1970: float32 comes in steps of 128 there
    layer = zoo.PhasedLSTM(UNITS, max_period=60.0, open_ratio=0.5, dtype=policy, return_sequences=True)
    inputs = keras.Input((None, FEATURES + 1), dtype="float64")
    model = keras.Model(inputs, layer(inputs), autocast=False)
    assert model(x).dtype == layer.compute_dtype
    weights = [np.asarray(w, "float64") for w in (layer.cell.shift, layer.cell.log_period, layer.cell.ratio)]
    gate = references.compute_time_gate(*weights, times, 0)
    assert 0.1 < np.mean(gate > 0) < 0.9
    assert_close(layer.cell.compute_time_gate(tf.constant(x[..., -1:])), gate, 1e-4)
    from_first_step = x - x[:1, :1] * ([0] * FEATURES + [1])
    assert not np.allclose(model(x), model(from_first_step.astype("float64")))


def test_phased_lstm_starts_with_periods_of_its_range() -> None:
    cell = PhasedLSTMCell(1000, min_period=0.1, max_period=10.0, open_ratio=0.2)
    cell.build((None, FEATURES + 1))
    exponents = np.asarray(cell.log_period) / np.log(10)
    assert_close([exponents.min(), exponents.mean(), exponents.max()], [-1, 0, 1], 0.1)
    assert_close([np.min(cell.shift), np.mean(cell.shift), np.max(cell.shift)], [0, 0.5, 1], 0.05)
    assert_close(cell.ratio, np.full(1000, 0.2), 1e-6)


# Times are not dropped, and wrong arguments are refused.


@pytest.mark.parametrize("cell", [CfCCell, LTCCell, PhasedLSTMCell])
@pytest.mark.parametrize("layer", [zoo.RNN, layers.RNN])
def test_dropout_leaves_times(cell: type[zoo.Cell], layer: type[layers.RNN]) -> None:
    x, _ = make_sequence(0, "float64")
    x[..., :-1] = 0  # dropped or not, zeros are zeros
    rnn = layer(build_cell(cell, dropout=0.9), dtype="float64")
    assert_close(rnn(x, training=True), rnn(x, training=False), 1e-2 if cell is PhasedLSTMCell else 1e-12)


def test_autocast_of_phased_lstm_may_be_written_out() -> None:
    assert not PhasedLSTMCell(UNITS, autocast=False).autocast


def test_ltc_starts_with_the_ranges_of_its_docstring() -> None:
    cell = LTCCell(200)
    cell.build((None, FEATURES + 1))
    for weight in (cell.kernel, cell.recurrent_kernel):
        w, e, m, s = np.split(np.asarray(weight), 4, -1)
        for values, low, high in ((w, 0.001, 1), (m, 0.3, 0.8), (s, 3, 8)):
            assert_close([values.min(), values.max()], [low, high], 0.03 * high)
        assert set(np.unique(e)) == {-1, 1}
        assert 0.25 < np.mean(e < 0) < 0.42
    for values, low, high in zip(
        np.split(np.asarray(cell.bias), 3), (0, -0.2, 0.4), (1, 0.2, 0.6), strict=True
    ):
        assert_close([values.min(), values.max()], [low, high], 0.05)


@pytest.mark.parametrize(
    ("cell", "arguments", "message"),
    [
        (
            CfCCell,
            {"mode": "linear"},
            "`mode` must be one of 'default', 'no_gate', 'pure', but it is 'linear'",
        ),
        (CfCCell, {"backbone_units": 0}, "`backbone_units` must be a positive integer"),
        (CfCCell, {"backbone_layers": -1}, "`backbone_layers` must be a positive integer, but it is -1"),
        (LTCCell, {"unfolds": 0}, "`unfolds` must be a positive integer"),
        (LTCCell, {"use_bias": False}, "`use_bias` of LTCCell must be True, .* Leave it out"),
        (LTCCell, {"recurrent_dropout": 0.5}, "`recurrent_dropout` of LTCCell must be 0, .* it is 0.5"),
        (PhasedLSTMCell, {"min_period": 0}, "`min_period` must be positive .* they are 0 and 1000.0"),
        (PhasedLSTMCell, {"max_period": 0.5}, "at most `max_period`, but they are 1.0 and 0.5"),
        (PhasedLSTMCell, {"open_ratio": 1}, "`open_ratio` must be between 0 and 1, but it is 1"),
        (PhasedLSTMCell, {"autocast": True}, "`autocast` of PhasedLSTMCell must be False, .* Leave it out"),
        (PhasedLSTMCell, {"leak": 1}, "`leak` must be a number of at least 0 and below 1, but it is 1"),
    ],
)
def test_invalid_argument_raises(cell: type[zoo.Cell], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cell(UNITS, **arguments)
