"""Cells: one table of all cells, and each property tested for the whole table.

A new cell adds a line to `CASES` and its equations in NumPy to `references`.
"""

import importlib
import inspect
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from keras import layers, ops
from references import assert_close, evaluate, random_normal, randomize_weights

import zoo


class UnforgettingLSTMCell(zoo.LSTMCell):
    """The LSTM of 1997, which has no forget gate: f = 1."""

    weight_blocks = ("input", "candidate", "output")

    def gates(self, x, r, states):
        i, g, o = self.split(x + r)
        return {
            "input": self.recurrent_activation(i),
            "forget": keras.ops.ones_like(i),
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }


class HalfOpenLSTMCell(zoo.LSTMCell):
    """An LSTM with another output gate, which is always at least half open."""

    def gates(self, x, r, states):
        gate = super().gates(x, r, states)
        return {**gate, "output": (1 + gate["output"]) / 2}


class MixingCell(zoo.SimpleRNNCell):
    """A cell whose `update` mixes units: it subtracts their mean."""

    def update(self, x, r, states):
        h = self.activation(x + r - ops.mean(x + r, axis=-1, keepdims=True))
        return h, [h]


@dataclass(frozen=True)
class Case:
    """A cell, its step in NumPy, and the Keras layer with the same equations, if there is one."""

    name: str
    cell: type[zoo.Cell]
    step: references.Step
    counterpart: type[layers.RNN] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("SimpleRNN", zoo.SimpleRNNCell, references.simple_rnn, layers.SimpleRNN),
    Case("sigmoid", zoo.SimpleRNNCell, references.sigmoid_rnn, layers.SimpleRNN, {"activation": "sigmoid"}),
    Case("LSTM", zoo.LSTMCell, references.lstm, layers.LSTM),
    Case("LSTM without bias", zoo.LSTMCell, references.lstm, layers.LSTM, {"use_bias": False}),
    Case("GRU", zoo.GRUCell, references.gru, layers.GRU),
    Case("GRU without bias", zoo.GRUCell, references.gru, layers.GRU, {"use_bias": False}),
    Case("GRU, reset before", zoo.GRUCell, references.gru_reset_before, layers.GRU, {"reset_after": False}),
    Case("peephole LSTM", zoo.cells.PeepholeLSTMCell, references.peephole_lstm),
    Case("coupled LSTM", zoo.cells.CoupledLSTMCell, references.coupled_lstm),
    Case(
        "projected LSTM",
        zoo.cells.ProjectedLSTMCell,
        references.projected_lstm,
        arguments={"projection_units": 4},
    ),
    Case("normalized LSTM", zoo.cells.LayerNormLSTMCell, references.layer_norm_lstm),
    Case("normalized GRU", zoo.cells.LayerNormGRUCell, references.layer_norm_gru),
    Case("GRU-D", zoo.cells.GRUDCell, references.gru_d, arguments={"input_mean": [0.0] * 3}),
    Case(
        "LMU",
        zoo.cells.LMUCell,
        references.lmu,
        arguments={"order": 3, "theta": 8.0, "memory_dim": 3, "trainable_memory": True},
    ),
    Case("IndRNN", zoo.cells.IndRNNCell, references.ind_rnn),
    Case("MinGRU", zoo.cells.MinGRUCell, references.min_gru, arguments={"recurrent_dropout": 0.0}),
    Case("MinLSTM", zoo.cells.MinLSTMCell, references.min_lstm, arguments={"recurrent_dropout": 0.0}),
    Case("CfC", zoo.cells.CfCCell, references.cfc, arguments={"backbone_units": 4, "backbone_layers": 2}),
    Case(
        "CfC without gate",
        zoo.cells.CfCCell,
        references.cfc_without_gate,
        arguments={"mode": "no_gate", "backbone_layers": 0},
    ),
    Case("pure CfC", zoo.cells.CfCCell, references.pure_cfc, arguments={"mode": "pure", "backbone_units": 4}),
    Case("LTC", zoo.cells.LTCCell, references.ltc, arguments={"recurrent_dropout": 0.0}),
    Case("phased LSTM", zoo.cells.PhasedLSTMCell, references.phased_lstm, arguments={"leak": 0.0}),
    Case("RG-LRU", zoo.cells.RGLRUCell, references.rg_lru, arguments={"recurrent_dropout": 0.0}),
    Case("LRU", zoo.cells.LRUCell, references.lru, arguments={"state_units": 4, "recurrent_dropout": 0.0}),
    Case("SRU", zoo.cells.SRUCell, references.sru),
    Case(
        "SRU of 2017",
        zoo.cells.SRUCell,
        references.sru_of_2017,
        arguments={
            "activation": "tanh",
            "use_peepholes": False,
            "rescale": False,
            "recurrent_dropout": 0.0,
        },
    ),
    Case("QRNN", zoo.cells.QRNNCell, references.qrnn, arguments={"kernel_size": 1, "recurrent_dropout": 0.0}),
    Case(
        "QRNN, f",
        zoo.cells.QRNNCell,
        references.qrnn_f,
        arguments={"kernel_size": 1, "pooling": "f", "recurrent_dropout": 0.0},
    ),
    Case(
        "QRNN, ifo, 3 steps",
        zoo.cells.QRNNCell,
        references.qrnn_ifo_of_3_steps,
        arguments={"kernel_size": 3, "pooling": "ifo", "recurrent_dropout": 0.0},
    ),
    Case("sLSTM", zoo.cells.SLSTMCell, references.slstm, arguments={"num_heads": 3, "zoneout": [0.0] * 4}),
    Case(
        "mLSTM",
        zoo.cells.MLSTMCell,
        references.mlstm,
        arguments={"num_heads": 2, "recurrent_dropout": 0.0, "zoneout": [0.0] * 3},
    ),
    Case("one gate missing", UnforgettingLSTMCell, references.unforgetting_lstm),
    Case("one gate differs", HalfOpenLSTMCell, references.half_open_lstm),
    Case("mixed units", MixingCell, references.mixing_rnn),
]

BATCH, TIME, FEATURES, UNITS = 4, 7, 9, 6

STEPS = np.arange(TIME)
LENGTHS = np.array([[TIME], [4], [3], [1]])
MASKS = {
    "right": STEPS < LENGTHS,
    "left": STEPS >= TIME - LENGTHS,
    "middle": np.array([list("1101001"), list("0110010"), list("1011101"), list("0000100")]) == "1",
    "rows": np.array([[True], [False], [True], [False]]) & (STEPS < TIME),
}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_counterpart = pytest.mark.parametrize(
    "case", [case for case in CASES if case.counterpart], ids=lambda case: case.name
)


def build_cell(case: Case, dtype: str = "float64") -> zoo.Cell:
    """Create the cell of a case with random weights."""
    cell = case.cell(UNITS, dtype=dtype, **case.arguments)
    cell.build((None, FEATURES))
    randomize_weights(cell)
    return cell


def count_states(case: Case) -> int:
    return len(case.cell(UNITS, **case.arguments).state_names)


def make_data(cell: zoo.Cell) -> tuple[np.ndarray, list[np.ndarray]]:
    """Create sequences and non-zero initial states, positive for a normalizer."""
    states = [
        random_normal(8 + i, BATCH, *shape, dtype=cell.dtype) for i, shape in enumerate(cell.state_shapes)
    ]
    if "normalizer" in cell.state_names:
        index = cell.state_names.index("normalizer")
        states[index] = np.abs(states[index])
    return random_normal(7, BATCH, TIME, FEATURES, dtype=cell.dtype), states


def make_runner(cell: zoo.Cell, layer: type[layers.RNN] = zoo.RNN, **arguments: Any) -> Callable:
    """Return a function from sequences and states to all outputs and the final states of a layer."""
    rnn = layer(cell, return_sequences=True, return_state=True, dtype=cell.dtype)
    return lambda x, states: rnn(x, initial_state=states, **arguments)


def loop_over_cell(cell: zoo.Cell) -> Callable:
    """Return a function like that of `make_runner`, by a Python loop over the cell."""

    def run(x: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        outputs = []
        for t in range(TIME):
            output, states = cell(x[:, t], states)
            outputs.append(output)
        return [tf.stack(outputs, axis=1), *states]

    return run


def run_reference(
    case: Case, cell: zoo.Cell, x: np.ndarray, states: list[np.ndarray], **arguments: Any
) -> list[np.ndarray]:
    """Return all outputs and the final states of the NumPy reference."""
    return references.run(case.step, cell.get_weights(), x, states, **arguments)


def assert_gradients(
    gradients: list[np.ndarray], function: Callable, x: np.ndarray, states: list[np.ndarray], cell: zoo.Cell
) -> None:
    """Compare gradients with numerical slopes of `function(x, states, weights)`, which is in NumPy."""
    at = [x, *states, *cell.get_weights()]
    count = 1 + len(states)

    def loss(at: list[np.ndarray]) -> float:
        return references.weighted_sum(function(at[0], at[1:count], at[count:]))

    directions = [random_normal(20 + i, *a.shape) for i, a in enumerate(at)]
    rises = [np.sum(g * d) for g, d in zip(gradients, directions, strict=True)]
    assert_close(rises, references.compute_slopes(loss, at, directions), 1e-7)


# Completeness of the table.


def find_missing_cells(namespace: Any) -> set[type]:
    """Return the cells of a namespace that are neither base classes nor in the table."""
    classes = {c for c in vars(namespace).values() if isinstance(c, type) and issubclass(c, zoo.Cell)}
    return (
        classes
        - {zoo.Cell, zoo.GatedCell, zoo.LinearCell, zoo.cells.TimeInputCell}
        - {case.cell for case in CASES}
    )


def test_table_has_every_cell() -> None:
    assert not find_missing_cells(zoo)
    assert not find_missing_cells(zoo.cells)


def test_table_check_finds_missing_cell() -> None:
    class ForgottenCell(zoo.SimpleRNNCell):
        pass

    assert find_missing_cells(SimpleNamespace(**vars(zoo), added=ForgottenCell)) == {ForgottenCell}


# Results.


@every_case
def test_outputs_and_gradients_equal_numpy_reference(case: Case) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    outputs, gradients = evaluate(make_runner(cell), x, states, cell.trainable_variables, graph=True)
    assert_close(outputs, run_reference(case, cell, x, states), 1e-12)
    assert_gradients(gradients, lambda x, s, w: references.run(case.step, w, x, s), x, states, cell)


@every_case
def test_layer_equals_python_loop_over_cell(case: Case) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    ours = evaluate(make_runner(cell), x, states, cell.trainable_variables)
    assert_close(ours, evaluate(loop_over_cell(cell), x, states, cell.trainable_variables), 1e-12)


@every_counterpart
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_equals_keras_layer_with_its_weights(case: Case, dtype: str, tolerance: float) -> None:
    theirs = case.counterpart(UNITS, return_sequences=True, return_state=True, dtype=dtype, **case.arguments)
    theirs.build((None, None, FEATURES))
    randomize_weights(theirs)
    cell = build_cell(case, dtype)
    cell.set_weights(theirs.get_weights())
    x, states = make_data(cell)
    ours = evaluate(make_runner(cell), x, states, cell.trainable_variables)
    expected = evaluate(
        lambda x, states: theirs(x, initial_state=states), x, states, theirs.trainable_variables
    )
    assert_close(ours, expected, tolerance)


@every_case
@pytest.mark.parametrize("where", MASKS)
def test_padding_has_no_effect(case: Case, where: str) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    mask = MASKS[where]
    x[~mask] *= 1e3
    run = make_runner(cell, mask=tf.constant(mask))
    outputs, gradients = evaluate(run, x, states, cell.trainable_variables)
    assert_close(outputs, run_reference(case, cell, x, states, mask=mask), 1e-12)
    assert_gradients(gradients, lambda x, s, w: references.run(case.step, w, x, s, mask), x, states, cell)
    assert not gradients[0][~mask].any()


@every_case
def test_batch_equals_its_rows(case: Case) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    run = make_runner(cell)
    rows = [run(x[i : i + 1], [state[i : i + 1] for state in states]) for i in range(BATCH)]
    alone = [np.concatenate(parts) for parts in zip(*rows, strict=True)]
    assert_close(run(x, states), alone, 1e-12)


@every_case
def test_dropout_of_inputs_and_recurrent_inputs(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    width = FEATURES + math.prod(cell.state_shapes[0])
    factors = np.random.default_rng(9).choice([0.0, 2.0], size=(BATCH, width))
    drop_x, drop_h = factors[:, :FEATURES], factors[:, FEATURES:].reshape(BATCH, *cell.state_shapes[0])
    monkeypatch.setattr(cell, "draw_dropout_mask", lambda like: tf.constant(drop_x))
    monkeypatch.setattr(cell, "draw_recurrent_dropout_mask", lambda like: tf.constant(drop_h))

    def run_dropped(x: np.ndarray, states: list[np.ndarray], weights: list[np.ndarray]) -> list[np.ndarray]:
        return references.run(case.step, weights, x * drop_x[:, None], states, drop=drop_h)

    for run in (make_runner(cell, training=True), make_runner(cell, layers.RNN, training=True)):
        outputs, gradients = evaluate(run, x, states, cell.trainable_variables)
        assert_close(outputs, run_dropped(x, states, cell.get_weights()), 1e-12)
        assert_gradients(gradients, run_dropped, x, states, cell)
    assert_close(make_runner(cell, training=False)(x, states), run_reference(case, cell, x, states), 1e-12)


@every_case
def test_gates_by_name(case: Case) -> None:
    cell = build_cell(case)
    x, _ = make_data(cell)
    x = np.swapaxes(x, 0, 1)
    states = [random_normal(10 + i, TIME, BATCH, *shape) for i, shape in enumerate(cell.state_shapes)]
    output, new_states, gates = case.step(cell.get_weights(), x, states)
    with cell.constants_scope(cell.compute_constants({}, training=False)):
        arguments = cell.project(x), cell.recurrent(states), states
        ours, our_states = cell.update(*arguments)
        assert_close((cell.readout(ours), our_states), (output, new_states), 1e-12)
        if gates:
            ours = cell.gates(*arguments)
            assert list(ours) == list(gates)
            assert_close(list(ours.values()), list(gates.values()), 1e-12)
        else:
            assert cell.gates(*arguments) == {}


# Properties of single cells.


def test_projected_lstm_equals_recursion_in_projected_output() -> None:
    """`torch.nn.LSTM(proj_size=...)` computes it this way: its state is the output."""
    cell = zoo.cells.ProjectedLSTMCell(UNITS, 4, dtype="float64")
    cell.build((None, FEATURES))
    *weights, projection = randomize_weights(cell)
    x, (m, c) = make_data(cell)
    h, outputs = m @ projection, []
    ours = make_runner(cell)(x, [m, c])
    for t in range(TIME):
        i, f, g, o = np.split(references.preactivation(weights, x[:, t], h), 4, -1)
        gates = (references.sigmoid(i), references.sigmoid(f), np.tanh(g), references.sigmoid(o))
        m, (_, c), _ = references.lstm_output(*gates, c)
        h = m @ projection
        outputs.append(h)
    assert h.shape == (BATCH, cell.output_size)
    assert_close(ours[0], np.stack(outputs, axis=1), 1e-12)


@pytest.mark.parametrize("cell", [zoo.cells.LayerNormLSTMCell, zoo.cells.LayerNormGRUCell])
def test_no_bias_equals_zero_bias(cell: type[zoo.Cell]) -> None:
    with_bias, without = cell(UNITS, dtype="float64"), cell(UNITS, use_bias=False, dtype="float64")
    for one in (with_bias, without):
        one.build((None, FEATURES))
    randomize_weights(with_bias)
    for weight in with_bias.weights:
        if "bias" in weight.name:
            weight.assign(ops.zeros_like(weight))
    without.set_weights([w for w in with_bias.weights if "bias" not in w.name])
    x, states = make_data(without)
    assert_close(make_runner(without)(x, states), make_runner(with_bias)(x, states), 1e-12)


def test_layer_normalization_is_computed_in_float32() -> None:
    cell = zoo.cells.LayerNormLSTMCell(UNITS, dtype="mixed_bfloat16")
    z = tf.cast(8 + random_normal(3, BATCH, 4 * UNITS) / 4, "bfloat16")
    ours = cell.normalize(z, tf.ones(4 * UNITS, "bfloat16"))
    assert ours.dtype == "bfloat16"
    assert_close(tf.cast(ours, "float64"), references.layer_norm(np.asarray(z, "float64")), 2**-8)


def test_gru_d_of_series_with_missing_values() -> None:
    """The recursion of the paper, in its own terms, from values, observation times and means."""
    count, mean = 3, [1.5, -0.5, 3.0]
    cell = zoo.cells.GRUDCell(UNITS, mean, dtype="float64")
    cell.build((None, 3 * count))
    w, u, b, u_g, w_x, b_x, w_h, b_h = randomize_weights(cell)
    rng = np.random.default_rng(3)
    values, mask = rng.normal(size=(BATCH, TIME, count)), rng.random((BATCH, TIME, count)) < 0.5
    values[~mask] = np.nan
    times = np.cumsum(rng.random((BATCH, TIME)), axis=1)
    gaps, outputs = np.zeros(values.shape), np.zeros((BATCH, TIME, UNITS))
    for row in range(BATCH):
        h = np.zeros(UNITS)
        for t in range(TIME):
            x = np.array(mean)
            for d in range(count):
                before = [s for s in range(t) if mask[row, s, d]]
                gaps[row, t, d] = times[row, t] - times[row, before[-1] if before else 0]
                decay = np.exp(-max(0, w_x[d] * gaps[row, t, d] + b_x[d]))
                if mask[row, t, d]:
                    x[d] = values[row, t, d]
                elif before:
                    x[d] = decay * values[row, before[-1], d] + (1 - decay) * mean[d]
            x = np.concatenate([x, mask[row, t]])
            h = h * np.exp(-np.maximum(0, gaps[row, t] @ w_h + b_h))
            z, r = (
                references.sigmoid(x @ w[:, i : i + UNITS] + h @ u[:, i : i + UNITS] + b[i : i + UNITS])
                for i in (0, UNITS)
            )
            g = np.tanh(x @ w[:, 2 * UNITS :] + (r * h) @ u_g + b[2 * UNITS :])
            outputs[row, t] = h = z * h + (1 - z) * g
    x = np.concatenate([values, mask, gaps], axis=-1)
    states = cell.get_initial_state(BATCH)
    assert_close(states[1], np.tile(mean, (BATCH, 1)), 0)
    run = make_runner(cell)
    (ours, _, last), gradients = evaluate(run, x, states, cell.trainable_variables)
    assert_close(ours, outputs, 1e-12)
    assert_close(run(x, None)[0], outputs, 1e-12)
    assert np.isfinite(last).all()
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert not gradients[0][..., :count][~mask].any()


def test_gru_d_drops_values_only() -> None:
    cell = zoo.cells.GRUDCell(UNITS, [0.0] * 20, dropout=0.5, zoneout=0.25)
    mask = cell.draw_dropout_mask(tf.ones([BATCH, 60]))
    assert set(np.unique(mask[:, :20])) == {0, 2}
    assert np.all(mask[:, 20:] == 1)
    assert cell.zoneout == [0.25, 0]


def test_lmu_memory_holds_a_window_of_its_input() -> None:
    theta, time = 40.0, 100
    cell = zoo.cells.LMUCell(UNITS, order=12, theta=theta, memory_dim=2, dtype="float64")
    cell.build((None, 2))
    cell.set_weights([np.zeros(w.shape) if w.trainable else w.numpy() for w in cell.weights])
    cell.kernel.assign(np.eye(2, UNITS + 2, UNITS))  # u is the input
    steps = np.arange(time)
    u = np.stack([np.sin(steps / 9), np.cos(steps / 7)], axis=-1)
    _, _, m = make_runner(cell)(u[None], None)
    delays = np.arange(int(theta))
    polynomials = np.polynomial.legendre.legvander(2 * (delays + 0.5) / theta - 1, 11)
    assert_close(np.asarray(m[0]) @ polynomials.T, u[::-1][delays].T, 0.02)


def test_lmu_memory_is_fixed_by_default() -> None:
    fixed, trained = (
        zoo.cells.LMUCell(UNITS, 4, 8.0, trainable_memory=trainable, dtype="float64")
        for trainable in (False, True)
    )
    for cell in (fixed, trained):
        cell.build((None, FEATURES))
    names = [weight.name for weight in fixed.weights]
    assert [weight.name for weight in fixed.non_trainable_weights] == ["memory_matrix", "memory_input"]
    weights = {weight.name: weight for weight in trained.weights}
    for name in ("memory_matrix", "memory_input"):
        assert_close(weights[name], getattr(fixed, name), 0)
    fixed.set_weights([weights[name].numpy() for name in names])
    x, states = make_data(fixed)
    ours, gradients = evaluate(make_runner(fixed), x, states, fixed.trainable_variables)
    theirs, others = evaluate(make_runner(trained), x, states, trained.trainable_variables)
    assert_close((ours, gradients), (theirs, others[:-2]), 1e-12)


def test_ind_rnn_recurrent_weights_start_in_unit_interval_and_can_be_bounded() -> None:
    limit = 2 ** (1 / 100)
    first = zoo.cells.IndRNNCell(50, recurrent_constraint=keras.constraints.MaxNorm(limit, axis=()))
    for cell in (first, zoo.cells.IndRNNCell.from_config(json.loads(json.dumps(first.get_config())))):
        cell.build((None, FEATURES))
        start = np.asarray(cell.recurrent_kernel)
        assert start.shape == (50,)
        assert 0 <= start.min() < 0.2 < 0.8 < start.max() < 1
        w = random_normal(4, 50, dtype="float32")
        assert_close(cell.recurrent_kernel.constraint(w), np.clip(w, -limit, limit), 1e-6)


@pytest.mark.parametrize("cell", [zoo.cells.MinGRUCell, zoo.cells.MinLSTMCell])
def test_linear_cell_coefficients_reproduce_states(cell: type[zoo.LinearCell]) -> None:
    cell = cell(UNITS, dtype="float64")
    cell.build((None, FEATURES))
    randomize_weights(cell)
    x, (h,) = make_data(cell)
    a, b = cell.coefficients(cell.gates(cell.project(x), None, None))
    expected = make_runner(cell)(x, [h])[0]
    for t in range(TIME):
        h = a[:, t] * h + b[:, t]
        assert_close(h, expected[:, t], 1e-12)


def test_min_lstm_with_closed_gates_has_finite_values_and_gradients() -> None:
    cell = zoo.cells.MinLSTMCell(UNITS, recurrent_activation="hard_sigmoid")
    x = tf.fill([BATCH, 3 * UNITS], -9.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        h, _ = cell.update(x, None, [tf.ones([BATCH, UNITS])])
    assert_close(
        (h, tape.gradient(h, x)[:, : 2 * UNITS]),
        (np.full((BATCH, UNITS), -9), np.zeros((BATCH, 2 * UNITS))),
        0,
    )


# Zoneout and candidate dropout.


@dataclass(frozen=True)
class NoisyCase:
    """A cell with zoneout or candidate dropout, its step without them, and the part after the gates."""

    cell: type[zoo.Cell]
    step: references.Step
    combine: Callable | None
    zoneout: list[float]
    candidate_dropout: float = 0

    def build(self) -> zoo.Cell:
        arguments = {"candidate_dropout": self.candidate_dropout} if self.combine else {}
        return build_cell(Case("", self.cell, self.step, None, {"zoneout": self.zoneout, **arguments}))


every_noisy = pytest.mark.parametrize(
    "case",
    [
        NoisyCase(zoo.SimpleRNNCell, references.simple_rnn, None, [0.3]),
        NoisyCase(zoo.GRUCell, references.gru, references.gru_output, [0.3], 0.4),
        NoisyCase(zoo.LSTMCell, references.lstm, references.lstm_output, [0.3, 0.6], 0.4),
        NoisyCase(zoo.LSTMCell, references.lstm, references.lstm_output, [0.0, 0.6]),
        NoisyCase(zoo.LSTMCell, references.lstm, references.lstm_output, [0.0, 0.0], 0.4),
    ],
    ids=lambda case: f"{case.cell.__name__} {case.zoneout} {case.candidate_dropout}",
)


@every_noisy
def test_zoneout_mixes_old_and_new_states_in_inference(case: NoisyCase) -> None:
    cell, step = case.build(), references.add_zoneout(case.step, case.zoneout)
    x, states = make_data(cell)
    outputs, gradients = evaluate(make_runner(cell), x, states, cell.trainable_variables, graph=True)
    assert_close(outputs, references.run(step, cell.get_weights(), x, states), 1e-12)
    assert_gradients(gradients, lambda x, s, w: references.run(step, w, x, s), x, states, cell)


@every_noisy
def test_zoneout_and_candidate_dropout_in_training(case: NoisyCase, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, mask = case.build(), MASKS["middle"]
    x, states = make_data(cell)
    noise = np.random.default_rng(5).uniform(size=(BATCH, TIME, UNITS * (len(states) + 1)))
    used = noise[..., None if any(case.zoneout) else -UNITS : None if case.candidate_dropout else -UNITS]
    used = tf.constant(np.swapaxes(used, 0, 1))
    assert used.shape[-1] == cell.noise_size
    monkeypatch.setattr(cell, "draw_noise", lambda like: used)
    step = references.add_noise(case.step, case.combine, FEATURES, case.zoneout, case.candidate_dropout)

    def expected(x: np.ndarray, states: list[np.ndarray], weights: list[np.ndarray]) -> list[np.ndarray]:
        return references.run(step, weights, np.concatenate([x, noise], -1), states, mask)

    def run_steps(x: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        output, outputs = tf.zeros([BATCH, UNITS], x.dtype), []
        for t in range(TIME):
            valid = mask[:, t, None]
            new, after = cell.step(cell.project(x[:, t]), cell.recurrent(states), states, used[t])
            output = tf.where(valid, new, output)
            states = [tf.where(valid, a, b) for a, b in zip(after, states, strict=True)]
            outputs.append(output)
        return [tf.stack(outputs, axis=1), *states]

    run = make_runner(cell, training=True, mask=tf.constant(mask))
    outputs, gradients = evaluate(run, x, states, cell.trainable_variables, graph=True)
    assert_close(outputs, expected(x, states, cell.get_weights()), 1e-12)
    assert_gradients(gradients, expected, x, states, cell)
    assert_close((outputs, gradients), evaluate(run_steps, x, states, cell.trainable_variables), 1e-12)


class CountingCell(zoo.Cell):
    """Counts its steps in two states; the output is the first plus 100 times the second, before the step."""

    weight_blocks = ("hidden",)
    state_names = ("first", "second")

    def update(self, x, r, states):
        return states[0] + 100 * states[1], [state + 1 for state in states]


@pytest.mark.parametrize("layer", [zoo.RNN, layers.RNN])
def test_zoneout_draws_independently_for_every_state_step_row_and_unit(layer: type[layers.RNN]) -> None:
    def count_growth(seed: int, training: bool = True, calls: int = 1) -> np.ndarray:
        """Return by how much the output grows at each step, [time, batch, units]."""
        rnn = layer(CountingCell(10, zoneout=[0.3, 0.6], seed=seed), return_sequences=True)
        rnn.build((None, None, FEATURES))
        unknown = tf.TensorSpec([None, None, FEATURES])
        run = tf.function(lambda x: rnn(x, training=training), input_signature=[unknown], autograph=False)
        for _ in range(calls):
            counts = run(tf.ones([8, 61, FEATURES]))
        return np.diff(np.swapaxes(counts, 0, 1), axis=0)

    grown = count_growth(1)
    assert set(np.unique(grown)) == {0, 1, 100, 101}
    held = [grown % 100 == 0, grown < 100]
    assert_close([np.mean(h) for h in held], [0.3, 0.6], 0.03)
    pairs = [held] + [
        (np.delete(draws, 0, axis), np.delete(draws, -1, axis)) for draws in held for axis in range(3)
    ]
    assert_close([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs], [0.0] * 7, 0.08)
    assert_close(count_growth(1), grown, 0)
    for others in (count_growth(2), count_growth(1, calls=2)):
        assert 0.2 < np.mean(others != grown) < 0.8
    assert_close(count_growth(1, training=False), np.full((60, 8, 10), 0.7 + 40), 1e-3)


def test_noise_is_float32_in_half_precision() -> None:
    cell = zoo.SimpleRNNCell(UNITS, zoneout=0.1, dtype="mixed_bfloat16")
    assert len(np.unique(cell.draw_noise(tf.ones([1000, FEATURES], "bfloat16")))) > 4000


# Layers, models and files.


@every_case
def test_runs_in_keras_rnn(case: Case) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    theirs = evaluate(make_runner(cell, layers.RNN), x, states, cell.trainable_variables)
    assert_close(theirs, evaluate(make_runner(cell), x, states, cell.trainable_variables), 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("case", {case.cell: case for case in CASES}.values(), ids=lambda case: case.name)
def test_compiles_with_xla(case: Case) -> None:
    cell = build_cell(case)
    x, states = make_data(cell)
    run = make_runner(cell, mask=tf.constant(MASKS["middle"]))
    compiled = evaluate(run, x, states, cell.trainable_variables, jit=True)
    assert_close(compiled, evaluate(run, x, states, cell.trainable_variables), 1e-11)


@every_case
def test_runs_in_keras_bidirectional(case: Case) -> None:
    layer = layers.Bidirectional(zoo.RNN(build_cell(case), return_sequences=True), dtype="float64")
    layer.build((None, None, FEATURES))
    randomize_weights(layer)
    cells = layer.forward_layer.cell, layer.backward_layer.cell
    x, states = make_data(cells[0])
    mask = MASKS["middle"]
    ahead = references.run(case.step, cells[0].get_weights(), x, states, mask)[0]
    behind = references.run(case.step, cells[1].get_weights(), x[:, ::-1], states, mask[:, ::-1])[0]
    expected = np.concatenate([ahead, behind[:, ::-1]], axis=-1) * mask[:, :, None]
    assert_close(layer(x, initial_state=[*states, *states], mask=tf.constant(mask)), expected, 1e-12)


@every_case
def test_config_round_trip(case: Case) -> None:
    arguments = {
        "activation": "softsign",
        "use_bias": True,
        "kernel_initializer": "he_normal",
        "recurrent_initializer": "random_normal",
        "bias_initializer": "ones",
        "kernel_regularizer": "l1",
        "recurrent_regularizer": "l2",
        "bias_regularizer": "l1l2",
        "kernel_constraint": "non_neg",
        "recurrent_constraint": "max_norm",
        "bias_constraint": "unit_norm",
        "dropout": 0.25,
        "recurrent_dropout": 0.5,
        "zoneout": [0.25] * count_states(case),
        "seed": 3,
        "name": "my_name",
        "dtype": "float64",
    }
    if issubclass(case.cell, zoo.GatedCell):
        arguments["candidate_dropout"] = 0.5
    arguments = {**arguments, **case.arguments}
    cell = case.cell(UNITS, **arguments)
    stored = json.loads(json.dumps(keras.saving.serialize_keras_object(cell)))
    twin = keras.saving.deserialize_keras_object(stored)
    assert type(twin) is case.cell
    assert twin.get_config() == case.cell.from_config(cell.get_config()).get_config() == cell.get_config()
    assert arguments.keys() <= twin.get_config().keys()
    assert all(isinstance(v, str) or getattr(twin, argument) == v for argument, v in arguments.items())
    for one in (cell, twin):
        one.build((None, FEATURES))
        randomize_weights(one)
    x, states = make_data(cell)
    assert_close(make_runner(twin)(x, states), make_runner(cell)(x, states), 0)


@every_case
def test_keras_file_round_trip(case: Case, tmp_path: Path) -> None:
    x = keras.Input((None, FEATURES))
    arguments = {"zoneout": 0.25, **case.arguments}
    y = layers.Bidirectional(zoo.RNN(case.cell(UNITS, **arguments), return_sequences=True))(x)
    model = keras.Model(x, [y, zoo.RNN(case.cell(UNITS, **arguments))(x)])
    randomize_weights(model)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    assert twin.to_json() == model.to_json()
    sequences = random_normal(7, BATCH, TIME, FEATURES, dtype="float32")
    assert_close(twin(sequences), model(sequences), 0)


@pytest.mark.parametrize(
    "case", {c.cell: c for c in CASES if c.cell.__module__.startswith("zoo.")}.values(), ids=lambda c: c.name
)
def test_layer_of_cell_equals_rnn_of_cell(case: Case) -> None:
    layer_class = getattr(zoo, case.cell.__name__.removesuffix("Cell"))
    arguments = {"zoneout": [0.25] * count_states(case), **case.arguments}
    layer = layer_class(UNITS, return_sequences=True, dtype="float64", **arguments)
    twin = layer_class.from_config(json.loads(json.dumps(layer.get_config())))
    plain = zoo.RNN(case.cell(UNITS, dtype="float64", **arguments), return_sequences=True)
    x = random_normal(7, BATCH, TIME, FEATURES)
    for one in (layer, twin, plain):
        one.build((BATCH, TIME, FEATURES))
        randomize_weights(one)
        assert_close(one(x), layer(x), 0)
    assert twin.get_config() == layer.get_config()
    assert all(isinstance(v, str) or getattr(layer, argument) == v for argument, v in arguments.items())


@every_case
def test_state_names_sizes_and_initial_states_agree(case: Case) -> None:
    cell = build_cell(case)
    states = cell.get_initial_state(batch_size=BATCH)
    assert [(BATCH, *shape) for shape in cell.state_shapes] == [tuple(state.shape) for state in states]
    assert len(states) == len(cell.state_names)
    assert not any(np.any(state) for state in states)
    output, new_states = cell(make_data(cell)[0][:, 0], states)
    assert [s.shape for s in new_states] == [s.shape for s in states]
    assert output.shape == (BATCH, cell.output_size)


# Subclasses.


def test_subclass_takes_15_lines() -> None:
    assert len(inspect.getsource(UnforgettingLSTMCell).splitlines()) <= 15


def test_no_forget_bias_without_forget_block() -> None:
    cell = UnforgettingLSTMCell(UNITS)
    cell.build((None, FEATURES))
    assert not np.any(cell.bias)


def test_cell_without_update_raises() -> None:
    class EmptyCell(zoo.Cell):
        weight_blocks = ("hidden",)

    with pytest.raises(NotImplementedError, match="EmptyCell must define `update"):
        zoo.RNN(EmptyCell(UNITS))(random_normal(0, BATCH, TIME, FEATURES))


def test_classes_of_one_name_in_two_packages_are_saved_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    cells = []
    for package, activation in (("one_package", "x"), ("another_package", "-x")):
        (tmp_path / package).mkdir()
        (tmp_path / package / "cells.py").write_text(
            "import zoo\n\n\n"
            "class TwinCell(zoo.SimpleRNNCell):\n"
            "    def update(self, x, r, states):\n"
            f"        return {activation}, [{activation}]\n"
        )
        cells.append(importlib.import_module(f"{package}.cells").TwinCell)
    x = keras.Input((None, FEATURES))
    model = keras.Model(x, [zoo.RNN(cell(UNITS))(x) for cell in cells])
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    sequences = random_normal(0, BATCH, TIME, FEATURES)
    assert_close(twin(sequences), model(sequences), 0)
    assert [type(layer.cell) for layer in twin.layers[1:]] == cells


@pytest.mark.slow
def test_fresh_process_loads_library_cells_and_user_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user_cells.py").write_text(
        f"import keras\nimport zoo\n\n\n{inspect.getsource(UnforgettingLSTMCell)}"
    )
    monkeypatch.syspath_prepend(tmp_path)
    user_cell = importlib.import_module("user_cells").UnforgettingLSTMCell
    x = keras.Input((None, FEATURES))
    y = zoo.GRU(UNITS, return_sequences=True)(x)
    y = layers.Bidirectional(zoo.RNN(user_cell(UNITS), return_sequences=True))(y)
    model = keras.Model(x, zoo.RNN([zoo.LSTMCell(UNITS), user_cell(UNITS)])(y))
    randomize_weights(model)
    sequences = random_normal(0, BATCH, TIME, FEATURES, dtype="float32")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "sequences.npy", sequences)
    program = (
        "import keras, numpy, user_cells, zoo; model = keras.models.load_model('model.keras');"
        "numpy.save('outputs.npy', model(numpy.load('sequences.npy')))"
    )
    paths = [str(tmp_path), str(Path(zoo.__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert_close(np.load(tmp_path / "outputs.npy"), model(sequences), 1e-6)


# Invalid arguments and results.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "`units` must be a positive integer, but it is 0"),
        ({"units": 2.5}, "`units` must be a positive integer, but it is 2.5"),
        ({"units": True}, "`units` must be a positive integer, but it is True"),
        ({"dropout": 1.0}, "`dropout` must be a number of at least 0 and below 1, but it is 1.0"),
        ({"recurrent_dropout": -0.5}, "`recurrent_dropout` must be .* but it is -0.5"),
        ({"candidate_dropout": 1}, "`candidate_dropout` must be .* but it is 1"),
        ({"zoneout": -0.1}, "`zoneout` of `hidden` must be .* but it is -0.1"),
        ({"zoneout": [0.1, 1.0]}, "`zoneout` of `cell` must be .* but it is 1.0"),
        ({"zoneout": None}, "`zoneout` of `hidden` must be a number .* but it is None"),
        ({"zoneout": [0.1]}, r"one for each of the states \('hidden', 'cell'\), but it is \[0.1\]"),
    ],
)
def test_invalid_argument_raises(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        zoo.LSTMCell(**{"units": UNITS, **arguments})


def test_widths_may_be_numpy_integers() -> None:
    cell = zoo.cells.ProjectedLSTMCell(np.int64(UNITS), np.int32(3))
    assert json.loads(json.dumps(cell.get_config()["units"])) == UNITS
    assert json.loads(json.dumps(cell.get_config()["projection_units"])) == 3


@pytest.mark.parametrize(
    ("cell", "arguments", "message"),
    [
        (MixingCell, {"recurrent_dropout": 2}, "`recurrent_dropout` must be .* but it is 2"),
        (
            zoo.cells.GRUDCell,
            {"input_mean": None},
            "`input_mean` must be a sequence of numbers, .* it is None",
        ),
        (zoo.cells.LMUCell, {"order": 0, "theta": 8}, "`order` must be a positive integer"),
        (
            zoo.cells.LMUCell,
            {"order": 4, "theta": 0.5},
            "`theta` must be a number of time steps .* it is 0.5",
        ),
        (
            zoo.cells.ProjectedLSTMCell,
            {"projection_units": 0},
            "`projection_units` must be a positive integer",
        ),
        (zoo.cells.LayerNormGRUCell, {"reset_after": False}, "`reset_after` must be True: LayerNormGRUCell"),
        (
            zoo.cells.MinGRUCell,
            {"recurrent_dropout": 0.5},
            "`recurrent_dropout` of MinGRUCell must be 0, .* it is 0.5",
        ),
        (
            zoo.cells.MinLSTMCell,
            {"recurrent_dropout": 0.5},
            "`recurrent_dropout` of MinLSTMCell must be 0, .* Use `zoneout`",
        ),
    ],
)
def test_unsupported_argument_raises(cell: type, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cell(UNITS, **arguments)


def test_candidate_dropout_needs_gates_and_combine() -> None:
    class WholeCell(zoo.GatedCell):
        weight_blocks = ("hidden",)

        def update(self, x, r, states):
            return x + r, [x + r]

    with pytest.raises(ValueError, match="`gates` and `combine`, but WholeCell defines `update`"):
        WholeCell(UNITS, candidate_dropout=0.5)
    WholeCell(UNITS)


@pytest.mark.parametrize(
    ("gates", "combine", "message"),
    [
        (
            lambda z, h: z,
            None,
            r"`gates` of Wrong must return a dict of gates by name, but it returns a \w*Tensor",
        ),
        (
            None,
            lambda g, h: g["a"],
            r"Wrong \(its `update`, or `combine`\) .*\[hidden\]`.* returns a \w*Tensor\. If",
        ),
        (None, lambda g, h: (g["a"], []), r"must be \[\(4,\), \(4,\)\], but they are \[\(4,\)\]"),
        (None, lambda g, h: (g["a"], [g["a"][:, :2]]), r"but they are \[\(4,\), \(2,\)\]"),
        (None, lambda g, h: (g["a"][:, 0], [h]), r"but they are \[\(\), \(4,\)\]"),
    ],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_invalid_results_of_cell_raise(
    gates: Callable | None, combine: Callable | None, message: str, compiled: bool
) -> None:
    class Wrong(zoo.GatedCell):
        weight_blocks = ("hidden",)

        def gates(self, x, r, states):
            return gates(x + r, *states) if gates else {"a": x + r}

        def combine(self, values, states):
            return combine(values, *states) if combine else (values["a"], [values["a"]])

    layer = zoo.RNN(Wrong(4, zoneout=0.1))
    with pytest.raises(ValueError, match=message):
        (tf.function(layer, jit_compile=True) if compiled else layer)(tf.ones([3, 5, 2]))


def test_cell_without_weight_blocks_raises() -> None:
    class Bare(zoo.Cell):
        pass

    with pytest.raises(
        NotImplementedError,
        match=r"Bare does not name the blocks of its weights\. Define .* `weight_blocks`",
    ):
        Bare(4)


def test_states_are_returned_in_the_form_they_are_passed() -> None:
    cell = build_cell(CASES[0])
    x, (h,) = make_data(cell)
    output, states = cell(x[:, 0], [h])
    assert isinstance(states, list)
    assert_close(cell(x[:, 0], h), [output, *states], 0)


@every_case
def test_constants_replace_every_weight(case: Case) -> None:
    """Outputs with a constant are those with a weight of that value, and so are the gradients in a graph."""
    cell = build_cell(case)
    layer = zoo.RNN(cell, return_sequences=True, dtype=cell.dtype)
    x = make_data(cell)[0][:2, :3]
    layer.build(x.shape)
    weights = {weight.name: weight for weight in cell.weights}
    values = {name: tf.constant(0.5 * weight.numpy() + 0.1) for name, weight in weights.items()}

    def differentiate(values: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        sources = values or {name: weight.value for name, weight in weights.items()}
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = layer(x, constants=values, training=False)
        return outputs, tape.gradient(outputs, sources)

    replaced = {name: layer(x, constants={name: value}) for name, value in values.items()}
    with zoo.disable_jit():
        all_replaced = tf.function(differentiate, autograph=False)(values)
    for name, weight in weights.items():
        before = weight.numpy()
        weight.assign(values[name])
        assert_close(replaced[name], layer(x), 1e-12)
        weight.assign(before)
    for name, weight in weights.items():
        weight.assign(values[name])
    assert_close(all_replaced, differentiate({}), 1e-9)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_constants_in_mixed_precision_have_the_dtype_of_the_weight(policy: str) -> None:
    cell = zoo.cells.PhasedLSTMCell(UNITS, dtype=policy)
    layer, x = zoo.RNN(cell), tf.ones([BATCH, TIME, FEATURES])
    layer.build(x.shape)
    constants = {weight.name: tf.convert_to_tensor(weight.value) for weight in cell.weights}
    assert_close(layer(x, constants=constants), layer(x), 0)


@pytest.mark.parametrize(
    ("cell", "weight"),
    [
        (zoo.GRUCell(UNITS, reset_after=False), "recurrent_kernel"),
        (zoo.cells.SLSTMCell(UNITS, num_heads=2), "recurrent_kernel"),
        (zoo.cells.IndRNNCell(UNITS), "recurrent_kernel"),
        (zoo.cells.ProjectedLSTMCell(UNITS, 4), "projection"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_weights_may_be_dropped_in_training(cell: zoo.Cell, weight: str) -> None:
    class DroppingCell(type(cell)):
        def prepare_constants(self, constants: dict[str, Any], training: bool) -> dict[str, Any]:
            constants = super().prepare_constants(constants, training)
            return {**constants, weight: ops.zeros_like(getattr(self, weight))} if training else constants

    layer, x = zoo.RNN(DroppingCell.from_config(cell.get_config())), tf.ones([BATCH, TIME, FEATURES])
    expected = layer(x)
    getattr(layer.cell, weight).assign(0 * getattr(layer.cell, weight))
    assert np.any(expected != layer(x))
    dropped = layer(x, training=True)
    assert_close(dropped, layer(x), 1e-6)
