"""Cells that a parallel scan computes: the scan equals their steps; filters, highways and initial values."""

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from references import assert_close, evaluate, random_normal, randomize_weights

import zoo
from zoo.cells import LRUCell, QRNNCell, RGLRUCell, SRUCell
from zoo.cells.base import can_run_parallel

BATCH, UNITS = 4, 5

CELLS: dict[str, Callable[..., zoo.Cell]] = {
    "RG-LRU": lambda **kwargs: RGLRUCell(UNITS, **kwargs),
    "LRU": lambda **kwargs: LRUCell(UNITS, state_units=3, activation="tanh", use_bias=True, **kwargs),
    "SRU": lambda **kwargs: SRUCell(UNITS, use_peepholes=False, **kwargs),
    **{
        f"QRNN {pooling} {size}": lambda pooling=pooling, size=size, **kwargs: QRNNCell(
            UNITS, size, pooling, **kwargs
        )
        for pooling, size in (("fo", 1), ("f", 2), ("fo", 2), ("ifo", 3))
    },
}
"""Every cell whose `parallel` is not that of `LinearCell` alone, in forms that differ there."""


def build_cell(name: str, features: int, dtype: str = "float64", **arguments: Any) -> zoo.Cell:
    cell = CELLS[name](dtype=dtype, **arguments)
    cell.build((None, features))
    randomize_weights(cell)
    return cell


def make_data(cell: zoo.Cell, time: int, features: int) -> tuple[np.ndarray, list[np.ndarray]]:
    states = [random_normal(8 + i, BATCH, *shape) for i, shape in enumerate(cell.state_shapes)]
    return random_normal(7, BATCH, time, features), states


def make_mask(time: int) -> np.ndarray:
    """Return a mask with holes; the second row is empty, the third one starts late, the fourth one ends early."""
    mask = np.random.default_rng(0).uniform(size=(BATCH, time)) < 0.6
    mask[1] = False
    mask[2, : time // 2], mask[3, time // 2 :] = False, False
    return mask


def run_layer(cell: zoo.Cell, mask: np.ndarray | None) -> Callable:
    layer = zoo.RNN(cell, return_sequences=True, return_state=True, dtype=cell.dtype)
    return lambda x, states: layer(
        x, initial_state=list(states), mask=None if mask is None else tf.constant(mask)
    )


def run_steps(cell: zoo.Cell, mask: np.ndarray | None) -> Callable:
    """Return a function like that of `run_layer`, by a Python loop over the cell."""

    def run(x: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        output, outputs = tf.zeros([BATCH, UNITS], x.dtype), []
        for t in range(x.shape[1]):
            new, after = cell(x[:, t], list(states))
            valid = tf.ones([BATCH, 1], "bool") if mask is None else mask[:, t, None]
            output = tf.where(valid, new, output)
            states = [tf.where(valid, a, b) for a, b in zip(after, states, strict=True)]
            outputs.append(output)
        return [tf.stack(outputs, axis=1), *states]

    return run


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(
    ("time", "features", "masked"),
    [
        (30, UNITS, True),
        (7, 3, False),
        (2, UNITS, False),
        pytest.param(30, 3, True, marks=pytest.mark.slow),
        pytest.param(100, UNITS, False, marks=pytest.mark.slow),
        pytest.param(2, 3, True, marks=pytest.mark.slow),
    ],
)
def test_scan_equals_steps_and_their_gradients(name: str, time: int, features: int, masked: bool) -> None:
    cell = build_cell(name, features)
    mask = make_mask(time) if masked else None
    assert can_run_parallel(cell)
    x, states = make_data(cell, time, features)
    ours = evaluate(run_layer(cell, mask), x, states, cell.trainable_variables, graph=not masked)
    assert_close(ours, evaluate(run_steps(cell, mask), x, states, cell.trainable_variables), 1e-11)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("masked", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_compiled_scan_equals_scan_in_two_levels(name: str, masked: bool) -> None:
    cell = build_cell(name, UNITS)
    cell.min_parallel_steps = 10
    layer = zoo.RNN(cell, return_sequences=True, return_state=True)
    mask = tf.constant(make_mask(20)) if masked else None
    x, states = make_data(cell, 20, UNITS)

    def differentiate(x: tf.Tensor, states: list[tf.Tensor]) -> list[Any]:
        sources = [x, *states, *(weight.value for weight in cell.trainable_variables)]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            results = layer(x, initial_state=states, mask=mask, training=True)
            loss = references.weighted_sum_of_tensors(results)
        return [*results, *tape.gradient(loss, sources)]

    arguments = tf.constant(x), [tf.constant(state) for state in states]
    with record_scans() as compiled:
        ours = tf.function(differentiate, autograph=False)(*arguments)
    assert compiled == [True]
    assert_close(ours, differentiate(*arguments), 1e-11)


@contextlib.contextmanager
def record_scans() -> Iterator[list[bool]]:
    """Return a context with a list of whether each call of `linear_scan` inside it is compiled."""
    compiled = []
    original = zoo.scans._scan_forward

    def record(a: tf.Tensor, b: tf.Tensor, initial: tf.Tensor, is_compiled: bool) -> tf.Tensor:
        compiled.append(is_compiled)
        return original(a, b, initial, is_compiled)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoo.scans, "_scan_forward", record)
        yield compiled


@pytest.mark.parametrize(
    ("cell", "time", "options", "expected"),
    [
        (RGLRUCell, 1000, {"training": True}, [True]),
        (RGLRUCell, 999, {"training": True}, []),  # steps
        (RGLRUCell, 1000, {"training": True, "mask": True}, []),
        (RGLRUCell, 2000, {"training": True, "mask": True}, [True]),
        (RGLRUCell, None, {"training": True}, []),
        (RGLRUCell, 1000, {"training": False}, []),
        (QRNNCell, 2000, {"training": True}, []),
    ],
)
def test_scans_run_where_they_are_faster_than_compiled_steps(
    cell: type[zoo.Cell], time: int | None, options: dict[str, Any], expected: list[bool]
) -> None:
    layer = zoo.RNN(cell(UNITS))
    layer.build((BATCH, time, UNITS))
    if "mask" in options:
        options = {**options, "mask": tf.ones([BATCH, time], "bool")}
    with record_scans() as compiled:
        tf.function(lambda x: layer(x, **options), autograph=False).get_concrete_function(
            tf.TensorSpec([BATCH, time, UNITS])
        )
    assert compiled == expected


def test_scans_run_where_steps_are_not_compiled() -> None:
    layer = zoo.RNN(QRNNCell(UNITS))
    x = tf.ones([BATCH, 9, UNITS])
    with record_scans() as compiled:
        layer(x)
        with zoo.disable_jit():
            tf.function(layer, autograph=False)(x)
        tf.function(layer, autograph=False).get_concrete_function(tf.TensorSpec([None, None, UNITS]))
    assert compiled == [False] * 3


@pytest.mark.parametrize("name", CELLS)
def test_sequences_of_length_1_and_0(name: str) -> None:
    cell = build_cell(name, UNITS)
    x, states = make_data(cell, 1, UNITS)
    mask = np.array([[True], [False], [True], [True]])
    expected = run_steps(cell, mask)(tf.constant(x), states)
    assert_close(run_layer(cell, mask)(x, states), expected, 1e-12)
    empty = tf.function(
        run_layer(cell, mask[:, :0]),
        input_signature=[
            tf.TensorSpec([None, None, UNITS], tf.float64),
            [tf.TensorSpec([None, *shape], tf.float64) for shape in cell.state_shapes],
        ],
        autograph=False,
    )
    outputs, *last = empty(x[:, :0], states)
    assert outputs.shape == (BATCH, 0, UNITS)
    assert_close(last, states, 0)


@pytest.mark.parametrize("name", CELLS)
def test_zoneout_takes_steps(name: str) -> None:
    cell = build_cell(name, UNITS, zoneout=0.25)
    x, states = make_data(cell, 7, UNITS)
    assert_close(run_layer(cell, None)(x, states), run_steps(cell, None)(tf.constant(x), states), 1e-12)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("dtype", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)])
def test_scan_in_half_precision_is_close_to_float32(name: str, dtype: str) -> None:
    x = random_normal(7, BATCH, 40, UNITS, dtype="float32")
    results = []
    for precision in ("float32", dtype):
        cell = build_cell(name, UNITS, precision)
        cell.min_parallel_steps = 0
        layer = zoo.RNN(cell, return_sequences=True)

        @tf.function(autograph=False)
        def run(cell: zoo.Cell = cell, layer: zoo.RNN = layer) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                outputs = layer(x, mask=tf.constant(make_mask(40)), training=True)
                loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 2)
            return [outputs, *tape.gradient(loss, [weight.value for weight in cell.trainable_variables])]

        results.append([np.asarray(value, "float32") for value in run()])
    for exact, coarse in zip(*results, strict=True):
        assert np.max(np.abs(exact - coarse)) < 0.04 * np.max(np.abs(exact))


# RG-LRU.


def test_rg_lru_and_sru_use_inputs_as_wide_as_the_state_as_they_are() -> None:
    steps = {RGLRUCell(UNITS): references.rg_lru, SRUCell(UNITS): references.sru}
    for cell, step in steps.items():
        cell.build((None, UNITS))
        assert cell.kernel.shape[1] == UNITS * (len(cell.weight_blocks) - 1)
        weights = randomize_weights(cell)
        x, states = make_data(cell, 7, UNITS)
        assert_close(run_layer(cell, None)(x, states), references.run(step, weights, x, states), 1e-5)


def test_rg_lru_starts_with_decays_between_0_9_and_0_999() -> None:
    cell = RGLRUCell(200)
    cell.build((None, 200))
    decay = references.sigmoid(np.asarray(cell.recurrent_logit, "float64")) ** 8
    assert 0.9 <= decay.min() < 0.905 < 0.99 < decay.max() < 0.9991
    assert abs(np.mean(decay) - 0.9495) < 0.01


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_rg_lru_that_never_decays_has_finite_gradients(dtype: str) -> None:
    cell = RGLRUCell(UNITS, dtype=dtype)
    cell.build((None, UNITS))
    x = tf.fill([2, 7, UNITS], tf.constant(1.0, dtype))
    cell.kernel.assign(tf.fill([UNITS, 2 * UNITS], -60.0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = zoo.RNN(cell)(x)
    gradients = tape.gradient(outputs, [x, *(weight.value for weight in cell.weights)])
    assert all(np.all(np.isfinite(np.asarray(g, "float32"))) for g in (outputs, *gradients))


# LRU.


def test_lru_starts_in_a_ring() -> None:
    cell = LRUCell(4, state_units=500, r_min=0.5, r_max=0.9, max_phase=1.5)
    cell.build((None, 4))
    radius, phase = np.exp(-np.exp(cell.nu_log)), np.exp(cell.theta_log)
    assert 0.5 <= radius.min() < 0.52 < 0.88 < radius.max() <= 0.9
    assert abs(np.mean(radius**2) - (0.5**2 + 0.9**2) / 2) < 0.03  # spread evenly over the area
    assert 0 < phase.min() < 0.05 < 1.45 < phase.max() < 1.5
    assert_close(np.exp(cell.gamma_log), np.sqrt(1 - radius**2), 1e-5)
    real, imaginary = cell.compute_eigenvalues()
    assert_close(np.asarray(real) + 1j * np.asarray(imaginary), radius * np.exp(1j * phase), 1e-6)


def test_lru_on_the_whole_disk_has_finite_values_and_keeps_its_variance() -> None:
    cell = LRUCell(64, state_units=256)
    cell.build((None, 64))
    assert all(np.all(np.isfinite(weight)) for weight in cell.get_weights())
    x = random_normal(0, 8, 2000, 64, dtype="float32")
    _, real, imaginary = zoo.RNN(cell, return_sequences=True, return_state=True)(x)
    assert 0.8 < np.mean(np.square(real) + np.square(imaginary)) < 1.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"r_min": 0.9, "r_max": 0.5}, "0 <= r_min < r_max <= 1, but they are 0.9 and 0.5"),
        ({"r_max": 1.5}, "0 <= r_min < r_max <= 1, but they are 0.0 and 1.5"),
        ({"max_phase": 0}, "`max_phase` must be a number above 0, but it is 0"),
        ({"state_units": 0}, "`state_units` must be a positive integer, but it is 0"),
        ({"recurrent_dropout": 0.5}, "`recurrent_dropout` of LRUCell must be 0, .* Use `zoneout` instead"),
    ],
)
def test_invalid_arguments_of_lru_raise(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LRUCell(4, **arguments)


# SRU.


def test_sru_with_peepholes_takes_steps() -> None:
    assert not can_run_parallel(SRUCell(UNITS))
    assert can_run_parallel(SRUCell(UNITS, use_peepholes=False))
    with pytest.raises(ValueError, match=r"`recurrent_dropout` of SRUCell must be 0, .* no U"):
        SRUCell(UNITS, use_peepholes=False, recurrent_dropout=0.5)


def test_highway_bias_of_sru_sets_initial_bias_and_scale() -> None:
    cell = SRUCell(UNITS, highway_bias=-2, bias_initializer="ones")
    cell.build((None, UNITS))
    assert_close(np.asarray(cell.bias), np.repeat([1.0, -1.0], UNITS), 0)
    x, states = random_normal(0, 2, 1, UNITS), [np.zeros((2, UNITS))]
    cell.bias.assign(tf.fill([2 * UNITS], -1e3))  # r = 0: the output is the highway
    assert_close(
        run_layer(cell, None)(x, states)[0], math.sqrt(1 + 2 * math.exp(-2)) * x.astype("float32"), 1e-6
    )


# QRNN.


@pytest.mark.parametrize("size", [1, 2, 4])
def test_qrnn_is_a_convolution_and_a_pooling(size: int) -> None:
    cell = QRNNCell(UNITS, kernel_size=size, pooling="ifo", dtype="float64")
    cell.build((None, 3))
    kernel, bias = randomize_weights(cell)
    x = random_normal(7, BATCH, 9, 3)
    taps = np.stack(np.split(kernel, size, -1))
    z, f, o, i = np.split(references.convolve_causally(x, taps) + bias, 4, -1)
    z, f, o, i = np.tanh(z), references.sigmoid(f), references.sigmoid(o), references.sigmoid(i)
    c, expected = 0, []
    for t in range(9):
        c = f[:, t] * c + i[:, t] * z[:, t]
        expected.append(o[:, t] * c)
    assert_close(zoo.RNN(cell, return_sequences=True)(x), np.stack(expected, 1), 1e-12)
    convolution = keras.layers.Conv1D(4 * UNITS, size, padding="causal", dtype="float64")
    convolution.build((None, None, 3))
    convolution.set_weights([taps[::-1], bias])
    assert_close(convolution(x), references.convolve_causally(x, taps) + bias, 1e-12)


@pytest.mark.parametrize("size", [1, 3])
def test_zoneout_of_qrnn_acts_on_its_memory_alone(size: int) -> None:
    cell = QRNNCell(UNITS, size, zoneout=0.25)
    assert cell.zoneout == [0.25, 0.0][: len(cell.state_names)]
    twin = QRNNCell.from_config(json.loads(json.dumps(cell.get_config())))
    assert twin.zoneout == cell.zoneout


def test_invalid_arguments_of_qrnn_raise() -> None:
    with pytest.raises(ValueError, match="`pooling` must be one of f, fo, ifo, but it is 'of'"):
        QRNNCell(UNITS, pooling="of")
    with pytest.raises(ValueError, match="`kernel_size` must be a positive integer, but it is 0"):
        QRNNCell(UNITS, kernel_size=0)


# Scans.


def loop_over_scan(a: tf.Tensor, b: tf.Tensor, initial: tf.Tensor) -> tf.Tensor:
    h, values = initial, []
    for t in range(a.shape[0]):
        h = a[t] * h + b[t]
        values.append(h)
    return tf.stack(values)


@pytest.mark.parametrize("time", [1, 2, 23])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_linear_scan_has_the_derivatives_of_a_loop(time: int, compiled: bool, kind: str) -> None:
    shapes = [(time, 3, 4), (time, 3, 4), (3, 4)]
    at = [tf.constant(random_normal(i, *shape) / 2) for i, shape in enumerate(shapes)]
    if kind == "complex":
        at = [tf.complex(x, tf.constant(random_normal(9, *x.shape) / 2)) for x in at]

    def differentiate_twice(scan: Callable) -> list[tf.Tensor]:
        with tf.GradientTape() as outer:
            outer.watch(at)
            with tf.GradientTape() as inner:
                inner.watch(at)
                h = scan(*at)
                loss = tf.reduce_sum(tf.abs(h) ** 2 * tf.range(1.0, 5.0, dtype="float64"))
            first = inner.gradient(loss, at)
            loss = tf.add_n([tf.reduce_sum(tf.abs(slope) ** 2) for slope in first])
        return [h, *first, *outer.gradient(loss, at)]

    with zoo.scans.compile_scans(compiled):
        ours = tf.function(lambda: differentiate_twice(zoo.scans.linear_scan), autograph=False)()
    assert_close(ours, differentiate_twice(loop_over_scan), 1e-9)


def test_forward_fill_repeats_the_last_valid_step() -> None:
    x, initial, mask = random_normal(0, 30, BATCH, 2, 3), random_normal(1, BATCH, 2, 3), make_mask(30).T
    ours, slope = evaluate_forward_fill(x, initial, mask)
    expected, expected_slope = np.empty_like(x), [np.zeros_like(x), np.zeros_like(initial)]
    for row in range(BATCH):
        last = None
        for t in range(30):
            last = t if mask[t, row] else last
            expected[t, row] = initial[row] if last is None else x[last, row]
            at = expected_slope[1][row : row + 1] if last is None else expected_slope[0][last, row : row + 1]
            at += t + 1
    assert_close([ours, *slope], [expected, *expected_slope], 0)


def evaluate_forward_fill(x: np.ndarray, initial: np.ndarray, mask: np.ndarray) -> tuple[Any, list[Any]]:
    """Return the result of `forward_fill`, and gradients of a sum in which step t counts t + 1 times."""
    x, initial = tf.constant(x), tf.constant(initial)
    with tf.GradientTape() as tape:
        tape.watch([x, initial])
        filled = zoo.scans.forward_fill(x, tf.constant(mask[:, :, None]), initial)
        loss = tf.reduce_sum(filled * tf.reshape(tf.range(1.0, 31.0, dtype=tf.float64), [30, 1, 1, 1]))
    return filled, tape.gradient(loss, [x, initial])
