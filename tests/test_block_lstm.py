"""`BlockLSTMV2`, by which exports that take strings run LSTMs, computes what the loop and Keras compute."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from references import assert_close, random_normal, randomize_weights

import zoo
from zoo.layers import export_scope, observe_states
from zoo.layers.block_lstm import MAX_PRODUCTS, MAX_WEIGHTS
from zoo.tasks.base import make_signature

OPERATION = "BlockLSTMV2"


def trace(layer: keras.Layer, *, allow: bool = True, training: bool = False) -> Any:
    """Return the concrete function of a layer for inputs of any length and batch size, masked or not."""

    def run(x: tf.Tensor, mask: tf.Tensor, initial_state: tuple[tf.Tensor, ...]) -> list[tf.Tensor]:
        options = {"initial_state": list(initial_state), "training": training}
        if allow:
            with export_scope(tensorflow_only=True):
                return [*layer(x, mask=mask, **options), *layer(x, **options)]
        return [*layer(x, mask=mask, **options), *layer(x, **options)]

    features, units = layer.cell.kernel.shape[0], layer.cell.units
    dtype = layer.compute_dtype
    specs = [tf.TensorSpec([None, None, features], dtype), tf.TensorSpec([None, None], tf.bool)]
    states = tuple(tf.TensorSpec([None, units], dtype) for _ in layer.cell.state_names)
    return tf.function(run, autograph=False).get_concrete_function(*specs, states)


def uses_operation(function: Any) -> bool:
    graph = function.graph.as_graph_def()
    nodes = [node for f in graph.library.function for node in f.node_def]
    return OPERATION in {node.op for node in [*graph.node, *nodes]}


def make_layer(cell: zoo.Cell | None = None, features: int = 4, **options: Any) -> zoo.RNN:
    cell = cell or zoo.LSTMCell(5, **options)
    layer = zoo.RNN(cell, return_sequences=True, return_state=True, dtype=cell.dtype_policy)
    layer.build((None, None, features))
    randomize_weights(layer)
    return layer


def draw_mask(generator: np.random.Generator, batch: int, time: int) -> np.ndarray:
    """Draw a mask with holes; some rows are empty, some padded at one end."""
    mask = generator.random((batch, time)) < generator.random((batch, 1)) * 1.5
    lengths = generator.integers(0, time + 1, (batch, 1))
    steps = np.arange(time)
    kinds = generator.integers(0, 4, (batch, 1))
    mask = np.where(kinds == 1, steps < lengths, np.where(kinds == 2, steps >= lengths, mask))
    return np.where(generator.random((batch, 1)) < 0.1, False, mask)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))]
)
def test_equals_loop_and_keras(seed: int) -> None:
    generator = np.random.default_rng(seed)
    units, features = (int(n) for n in generator.integers(3, 12, 2))
    options = {
        "use_bias": bool(seed % 3),
        "go_backwards": bool(generator.integers(2)),
        "zero_output_for_mask": bool(generator.integers(2)),
        "return_sequences": True,
        "return_state": True,
    }
    layer, theirs = zoo.LSTM(units, **options), keras.layers.LSTM(units, **options)
    for built in (layer, theirs):
        built.build((None, None, features))
    randomize_weights(layer)
    theirs.set_weights(layer.get_weights())
    function, loop = trace(layer), trace(layer, allow=False)
    assert uses_operation(function)
    assert not uses_operation(loop)
    sizes = [(1, 1), (1, 7), (3, 5), *generator.integers(1, 9, (4, 2)).tolist()]
    for batch, time in [*sizes, (0, 4), (2, 0), (0, 0)]:
        x = tf.constant(random_normal(seed, batch, time, features), tf.float32)
        states = tuple(tf.constant(random_normal(i, batch, units), tf.float32) for i in (1, 2))
        mask = tf.constant(draw_mask(generator, batch, time))
        actual = function(x, mask, states)
        assert_close(actual, loop(x, mask, states), 1e-6)
        if batch and time:
            expected = [
                *theirs(x, mask=mask, initial_state=list(states)),
                *theirs(x, initial_state=list(states)),
            ]
            assert_close(actual, expected, 1e-6)


def test_padding_may_hold_anything() -> None:
    layer = make_layer()
    x = random_normal(0, 3, 6, 4).astype("float32")
    mask = np.arange(6) < np.array([[6], [2], [0]])
    states = tuple(tf.zeros([3, 5]) for _ in range(2))
    expected = trace(layer, allow=False)(tf.constant(x), tf.constant(mask), states)[:3]
    x[~mask] = np.nan
    assert_close(trace(layer)(tf.constant(x), tf.constant(mask), states)[:3], expected, 1e-6)


def test_many_rows_take_steps() -> None:
    """Rows at both sides of the bound have the same results."""
    layer = zoo.LSTM(64, return_sequences=True, return_state=True)
    layer.build((None, None, 60))
    rows = MAX_PRODUCTS // ((60 + 64) * 4 * 64)
    x = tf.constant(random_normal(0, rows + 1, 5, 60), tf.float32)
    mask = tf.constant(draw_mask(np.random.default_rng(0), rows + 1, 5))
    states = tuple(tf.constant(random_normal(i, rows + 1, 64), tf.float32) for i in (1, 2))
    function = trace(layer)
    assert uses_operation(function)
    by_steps = function(x, mask, states)
    by_operation = function(x[:rows], mask[:rows], tuple(state[:rows] for state in states))
    for some, every in zip(by_operation, by_steps, strict=True):
        assert not np.array_equal(some, every[:rows])  # another order of additions
        assert_close(some, every[:rows], 1e-6)


class BiasedGates(zoo.LSTMCell):
    def gates(self, x, r, states):
        return super().gates(x + 1, r, states)


class DoubledState(zoo.LSTMCell):
    def compute_cell_state(self, gates, states):
        return 2 * super().compute_cell_state(gates, states)


class NegativeReadout(zoo.LSTMCell):
    def readout(self, outputs):
        return -outputs


class Renamed(zoo.LSTMCell):
    """A subclass that changes nothing in a step."""

    def initial_bias(self, shape, dtype=None):
        return super().initial_bias(shape, dtype) + 1


@pytest.mark.parametrize(
    ("make_cell", "is_used"),
    [
        (lambda: zoo.LSTMCell(5), True),
        (lambda: Renamed(5), True),
        (lambda: zoo.LSTMCell(5, dropout=0.5, recurrent_dropout=0.5, candidate_dropout=0.5), True),
        (lambda: zoo.LSTMCell(5, activation="relu"), False),
        (lambda: zoo.LSTMCell(5, recurrent_activation="hard_sigmoid"), False),
        (lambda: zoo.LSTMCell(5, zoneout=0.1), False),
        (lambda: zoo.LSTMCell(5, dtype="float64"), False),
        (lambda: zoo.LSTMCell(5, dtype="mixed_bfloat16"), False),
        (lambda: zoo.LSTMCell(1 + MAX_WEIGHTS // 800), False),
        (lambda: BiasedGates(5), False),
        (lambda: DoubledState(5), False),
        (lambda: NegativeReadout(5), False),
        (lambda: zoo.cells.PeepholeLSTMCell(5), False),
        (lambda: zoo.cells.CoupledLSTMCell(5), False),
        (lambda: zoo.cells.LayerNormLSTMCell(5), False),
        (lambda: zoo.GRUCell(5), False),
    ],
)
def test_only_plain_lstm_uses_it(make_cell: Callable[[], zoo.Cell], is_used: bool) -> None:
    assert uses_operation(trace(make_layer(make_cell()))) == is_used


def test_overridden_methods_have_effect() -> None:
    for cell_class in (BiasedGates, DoubledState, NegativeReadout):
        layer = make_layer(cell_class(5))
        x, mask = tf.ones([2, 3, 4]), tf.constant([[True, True, False], [True, True, True]])
        states = (tf.ones([2, 5]), tf.ones([2, 5]))
        assert_close(trace(layer)(x, mask, states), trace(layer, allow=False)(x, mask, states), 1e-6)


def test_method_of_an_instance_has_effect() -> None:
    layer = make_layer()
    gates = layer.cell.gates
    layer.cell.gates = lambda x, r, states: gates(x + 1, r, states)
    assert not uses_operation(trace(layer))


def test_training_and_observation_take_steps() -> None:
    layer = make_layer()
    assert not uses_operation(trace(layer, training=True))
    with observe_states(lambda cell, states: states):
        assert not uses_operation(trace(layer))


def test_constants_take_steps() -> None:
    layer = make_layer()

    def run(x: tf.Tensor) -> tf.Tensor:
        with export_scope(tensorflow_only=True):
            return layer(x, constants={"recurrent_kernel": tf.ones([5, 20])})

    function = tf.function(run, autograph=False).get_concrete_function(tf.TensorSpec([None, None, 4]))
    assert not uses_operation(function)


def test_resets_take_steps() -> None:
    layer = make_layer()

    def run(x: tf.Tensor) -> tf.Tensor:
        with export_scope(tensorflow_only=True):
            return layer(x, resets=tf.reduce_sum(x, -1) > 0)

    function = tf.function(run, autograph=False).get_concrete_function(tf.TensorSpec([None, None, 4]))
    assert not uses_operation(function)


def test_stacks_and_both_directions() -> None:
    layer = keras.layers.Bidirectional(zoo.RNN([zoo.LSTMCell(5), zoo.LSTMCell(5)], return_sequences=True))
    layer.build((None, None, 4))
    randomize_weights(layer)
    x = tf.constant(random_normal(0, 3, 6, 4), tf.float32)
    mask = tf.constant(np.arange(6) < np.array([[6], [2], [0]]))

    def run(x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        with export_scope(tensorflow_only=True):
            return layer(x, mask=mask)

    specs = tf.TensorSpec([None, None, 4]), tf.TensorSpec([None, None], tf.bool)
    function = tf.function(run, autograph=False).get_concrete_function(*specs)
    assert str(function.graph.as_graph_def()).count(f'op: "{OPERATION}"') == 4
    assert_close(function(x, mask), layer(x, mask=mask), 1e-6)


# The scope, for all cells.


@pytest.mark.parametrize(
    ("training", "tensorflow_only", "chunked"), [(False, False, 0), (False, True, 1), (True, False, 1)]
)
def test_scope_takes_plain_steps_in_inference(
    training: bool, tensorflow_only: bool, chunked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graphs for TensorFlow alone have both forms, and take chunks for many rows."""
    calls = []
    run = zoo.layers.loop.run_in_chunks
    monkeypatch.setattr("zoo.layers.loop.run_in_chunks", lambda *args: calls.append(1) or run(*args))
    monkeypatch.setattr("zoo.layers.loop.MAX_PLAIN_ROWS", 18)
    layer = make_layer(zoo.GRUCell(5))

    def call(x: tf.Tensor) -> list[tf.Tensor]:
        with export_scope(tensorflow_only):
            return layer(x, mask=x[:, :, 0] > 0, training=training)

    function = tf.function(call, autograph=False, input_signature=[tf.TensorSpec([None, None, 4])])
    for batch, time in [(3, 6), (3, 7), (0, 5), (2, 0)]:
        x = tf.constant(random_normal(0, batch, time, 4), tf.float32)
        assert_close(function(x), layer(x, mask=x[:, :, 0] > 0) if time else function(x), 1e-6)
    assert len(calls) == chunked


@pytest.mark.parametrize(("dtype", "is_used"), [(tf.string, True), (tf.float32, False)])
def test_signatures_that_take_strings_use_it(dtype: tf.DType, is_used: bool) -> None:
    layer = make_layer()

    def call(values: tf.Tensor) -> dict[str, tf.Tensor]:
        numbers = tf.strings.to_number(values) if values.dtype == tf.string else values
        return {"outputs": layer(numbers)[0]}

    signature = make_signature(call, [tf.TensorSpec([None, None, 4], dtype, "values")])
    assert uses_operation(signature.get_concrete_function()) == is_used


def test_loops_in_the_scope_have_no_effects() -> None:
    """So TensorFlow leaves out a loop whose results are not used."""
    layer = make_layer(zoo.GRUCell(5))

    def call(x: tf.Tensor) -> tf.Tensor:
        with export_scope():
            return layer(x)

    function = tf.function(call, autograph=False).get_concrete_function(tf.TensorSpec([None, None, 4]))
    loops = [operation.type for operation in function.graph.get_operations() if "While" in operation.type]
    assert loops == ["StatelessWhile"]
