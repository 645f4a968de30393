"""The fast loop and the parallel scan equal plain steps, for every cell and in every mode."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from references import assert_close, random_normal, randomize_weights, weighted_sum_of_tensors
from test_cells import CASES

import zoo
from zoo.layers import chunks
from zoo.layers.loop import run_cell, run_parallel, scan
from zoo.layers.pure_cell import PureCell
from zoo.layers.rows import LoopInputs
from zoo.scans import linear_scan

BATCH, TIME, FEATURES, UNITS = 3, 11, 9, 6

MASK = np.random.default_rng(3).random((BATCH, TIME)) < 0.6
MASK[0] = True  # the first row has no padding, the second one starts with it
MASK[1, :3] = False


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use chunks of 4 steps, so that 11 steps make three chunks, and the last one is not full."""
    monkeypatch.setattr(chunks, "MAX_CHUNK_ROWS", 4 * BATCH)
    monkeypatch.setattr(chunks, "DYNAMIC_CHUNK_SIZE", 4)


# Unusual cells.


class UnequalCell(zoo.Cell):
    """Two states of different width, and an output that is not a state."""

    weight_blocks = ("hidden",)
    state_names = ("hidden", "count")

    @property
    def state_size(self):
        return [self.units, 2]

    def update(self, x, r, states):
        h = self.activation(x + r)
        count = 0.9 * states[1] + 0.1 * h[..., :2]
        return h * ops.sum(count, axis=-1, keepdims=True), [h, count]


class RowMixingCell(zoo.SimpleRNNCell):
    """Each row depends on the mean of all rows."""

    def update(self, x, r, states):
        h = self.activation(x + r + ops.mean(states[0], axis=0, keepdims=True))
        return h, [h]


class UnitMixingCell(zoo.SimpleRNNCell):
    """Each unit depends on the mean of all units and on its neighbor."""

    def update(self, x, r, states):
        h = self.activation(x - ops.mean(r, axis=-1, keepdims=True) + ops.roll(states[0], 1, axis=-1))
        return h, [h]


class VectorCell(zoo.SimpleRNNCell):
    """A weight per unit and a matrix inside `update`, and a weight that is not used."""

    def build(self, input_shape):
        super().build(input_shape)
        self.scale = self.add_weight(shape=(self.units,), name="scale")
        self.idle = self.add_weight(shape=(2,), name="idle")
        self.matrix = self.add_weight(shape=(self.units, self.units), name="matrix")

    def update(self, x, r, states):
        h = self.activation(x + self.scale * r + ops.matmul(states[0], self.matrix))
        return h, [h]


class SublayerCell(zoo.SimpleRNNCell):
    """A Keras layer inside `update`."""

    def build(self, input_shape):
        super().build(input_shape)
        self.normalization = keras.layers.LayerNormalization(dtype=self.dtype_policy)
        self.normalization.build((None, self.units))

    def update(self, x, r, states):
        h = self.activation(self.normalization(x + r))
        return h, [h]


class WithoutRecurrentCell(zoo.SimpleRNNCell):
    """A cell whose `recurrent` returns None."""

    def recurrent(self, states):
        return None

    def update(self, x, r, states):
        h = self.activation(x + 0.5 * states[0])
        return h, [h]


class NonlinearRecurrentCell(zoo.SimpleRNNCell):
    """A cell whose `recurrent` is not linear."""

    def recurrent(self, states):
        return ops.matmul(ops.sin(states[0]), self.recurrent_kernel)


UNUSUAL = [
    UnequalCell,
    RowMixingCell,
    UnitMixingCell,
    VectorCell,
    SublayerCell,
    WithoutRecurrentCell,
    NonlinearRecurrentCell,
]

SIMILAR = {"sigmoid", "LSTM without bias", "GRU without bias", "one gate missing", "mixed units"}

EVERY_CELL = {
    **{
        case.name: functools.partial(case.cell, **case.arguments)
        for case in CASES
        if case.name not in SIMILAR
    },
    **{cell.__name__: cell for cell in UNUSUAL},
}


def build_cell(make: Callable[..., zoo.Cell], dtype: str = "float64", **arguments: Any) -> zoo.Cell:
    """Create a cell with random weights."""
    cell = make(UNITS, dtype=dtype, **arguments)
    cell.build((None, FEATURES))
    randomize_weights(cell)
    return cell


def make_data(cell: zoo.Cell, time: int = TIME) -> tuple[tf.Tensor, list[tf.Tensor]]:
    states = [
        tf.constant(random_normal(5 + i, BATCH, *shape, dtype=cell.dtype))
        for i, shape in enumerate(cell.state_shapes)
    ]
    return tf.constant(random_normal(4, BATCH, time, FEATURES, dtype=cell.dtype)), states


def forward_and_back(cell: zoo.Cell, mask: Any = None, training: bool = False, **options: Any) -> Callable:
    """Return a function that computes outputs of a layer, and gradients by input, states and weights."""
    layer = zoo.RNN(cell, return_sequences=True, return_state=True, **options)
    variables = [weight.value for weight in cell.weights]

    def function(x: tf.Tensor, states: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch([x, states])
            results = tf.nest.flatten(layer(x, initial_state=states, mask=mask, training=training))
            loss = weighted_sum_of_tensors(results)
        return results, tape.gradient(loss, [x, *states, *variables], unconnected_gradients="zero")

    return function


def wrap_in_graph(function: Callable, cell: zoo.Cell, static: bool) -> Callable:
    """Wrap `function` in a graph with static or unknown batch size and length."""
    signature = None
    if not static:
        states = [tf.TensorSpec([None, *shape], cell.dtype) for shape in cell.state_shapes]
        signature = [tf.TensorSpec([None, None, FEATURES], cell.dtype), states]
    return tf.function(function, input_signature=signature, autograph=False)


def test_one_feature_in_graph_with_unknown_sizes() -> None:
    cell = zoo.LSTMCell(UNITS, dtype="float64")
    cell.build((None, 1))
    randomize_weights(cell)
    x, states = random_normal(4, BATCH, TIME, 1), make_data(cell)[1]
    compute = forward_and_back(cell, training=True)
    specs = [tf.TensorSpec([None, None, 1], cell.dtype), [tf.TensorSpec([None, UNITS], cell.dtype)] * 2]
    in_graph = tf.function(compute, input_signature=specs, autograph=False)
    assert_close(in_graph(x, states), compute(tf.constant(x), states), 1e-12)


@pytest.mark.parametrize("name", EVERY_CELL)
@pytest.mark.parametrize(
    ("mask", "static", "training"),
    [(None, True, True), pytest.param(MASK, False, False, marks=pytest.mark.slow)],
    ids=["static sizes, training", "unknown sizes, masked, inference"],
)
def test_equals_plain_steps_and_their_gradients(name: str, mask: Any, static: bool, training: bool) -> None:
    cell = build_cell(EVERY_CELL[name])
    function = forward_and_back(cell, mask, training)
    expected = function(*make_data(cell))  # eager execution takes plain steps
    assert_close(wrap_in_graph(function, cell, static)(*make_data(cell)), expected, 1e-10)


@pytest.mark.parametrize("cell", [zoo.LSTMCell, pytest.param(UnequalCell, marks=pytest.mark.slow)])
@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("time", [1, 8])
def test_short_lengths_in_every_mode(cell: type[zoo.Cell], static: bool, training: bool, time: int) -> None:
    cell = build_cell(cell)
    function = forward_and_back(cell, MASK[:, :time], training, go_backwards=True, zero_output_for_mask=True)
    x, states = make_data(cell, time)
    assert_close(wrap_in_graph(function, cell, static)(x, states), function(x, states), 1e-10)


@pytest.mark.parametrize("min_halved_rows", [2, 16])
def test_noise_and_dropout_are_equal_in_forward_and_backward_pass(
    min_halved_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MIN_HALVED_ROWS", min_halved_rows)
    rates = {"dropout": 0.3, "recurrent_dropout": 0.4, "zoneout": [0.2, 0.5], "candidate_dropout": 0.3}
    function = {}
    for form in ("plain", "fast"):
        cell = build_cell(zoo.LSTMCell, seed=7, **rates)
        function[form] = forward_and_back(cell, MASK, training=True)
    fast = wrap_in_graph(function["fast"], cell, static=True)
    assert_close(fast(*make_data(cell)), function["plain"](*make_data(cell)), 1e-10)


def test_second_derivatives() -> None:
    cell = build_cell(zoo.LSTMCell)
    layer = zoo.RNN(cell)

    def function(x: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = weighted_sum_of_tensors([layer(x, initial_state=states, training=True)])
            slope = inner.gradient(loss, x)
            loss = weighted_sum_of_tensors([slope**2])
        return outer.gradient(loss, [x, cell.recurrent_kernel.value])

    expected = function(*make_data(cell))
    for static in (True, False):
        assert_close(wrap_in_graph(function, cell, static)(*make_data(cell)), expected, 1e-9)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_bfloat16_is_close_to_float32(name: str) -> None:
    results = []
    for dtype in ("float32", "bfloat16"):
        cell = build_cell(EVERY_CELL[name], "float32")
        layer = zoo.RNN(type(cell)(UNITS, dtype=keras.DTypePolicy("mixed_bfloat16")), return_sequences=True)
        layer = layer if dtype == "bfloat16" else zoo.RNN(cell, return_sequences=True)
        layer.build((None, None, FEATURES))
        layer.set_weights(cell.get_weights())
        x = tf.constant(random_normal(4, BATCH, TIME, FEATURES, dtype="float32"))

        @tf.function(autograph=False)
        def function(x: tf.Tensor, layer: zoo.RNN = layer) -> tuple[tf.Tensor, list[tf.Tensor]]:
            with tf.GradientTape() as tape:
                y = layer(x, training=True)
                loss = weighted_sum_of_tensors([tf.cast(y, tf.float32)])
            return y, tape.gradient(loss, [weight.value for weight in layer.weights])

        y, gradients = function(x)
        assert y.dtype == dtype
        assert {gradient.dtype for gradient in gradients} == {tf.float32}
        results.append([tf.cast(y, tf.float32), *gradients])
    for exact, coarse in zip(*results, strict=True):
        assert np.max(np.abs(exact - coarse)) < 0.03 * np.max(np.abs(exact))


# Cells whose update may not be computed twice.


class RandomUpdateCell(zoo.SimpleRNNCell):
    """Draws random numbers in `update`."""

    def update(self, x, r, states):
        h = x * ops.cast(keras.random.uniform(ops.shape(x), seed=self.seed_generator) < 0.5, x.dtype)
        return h, [h]


class PrintingCell(zoo.SimpleRNNCell):
    """Prints in `update`."""

    def update(self, x, r, states):
        tf.print("step", output_stream=sys.stdout)
        return super().update(x, r, states)


def test_random_numbers_in_update_are_drawn_once() -> None:
    cell = build_cell(RandomUpdateCell, seed=1)
    layer = zoo.RNN(cell, return_sequences=True)
    x = make_data(cell)[0]

    @tf.function(autograph=False)
    def function(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            y = layer(x, training=True)
            loss = tf.reduce_sum(y)
        return y, tape.gradient(loss, cell.bias.value)

    y, gradient = function(x)
    nonzero = np.asarray(y) != 0
    assert_close(gradient, nonzero.sum((0, 1)), 1e-12)
    assert 0.2 < nonzero.mean() < 0.8
    assert np.any(nonzero[:, 1:] != nonzero[:, :-1])
    assert np.any(function(x)[0] != y)


def test_effects_in_update_happen_once_per_step(capfd: pytest.CaptureFixture) -> None:
    cell = build_cell(PrintingCell)
    function = forward_and_back(cell, training=True)
    expected = function(*make_data(cell))
    capfd.readouterr()
    assert_close(wrap_in_graph(function, cell, static=True)(*make_data(cell)), expected, 1e-10)
    assert capfd.readouterr().out.count("step") == TIME


@pytest.mark.parametrize(
    ("cell", "pure"), [(RandomUpdateCell, False), (PrintingCell, False), (VectorCell, True)]
)
def test_analyze(cell: type[zoo.Cell], pure: bool) -> None:
    cell = build_cell(cell)
    x, states = make_data(cell)
    pure_cell = PureCell(cell, {}, training=True)
    assert pure_cell.analyze(LoopInputs(tf.transpose(x, [1, 0, 2]), states)) == pure
    used = {cell.weights[i].name for i in pure_cell.step_weights}
    assert used == ({"scale", "matrix"} if pure else set())
    assert pure_cell.output_state == 0


# Compilation.


def find_operations(function: Callable, *arguments: Any) -> set[str]:
    """Return the operation types of a graph and its functions, and "compiled" if XLA compiles one of them."""
    definition = tf.function(function, autograph=False).get_concrete_function(*arguments).graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    compiled = any(f.attr["_XlaMustCompile"].b for f in definition.library.function)
    return {node.op for node in nodes} | ({"compiled"} if compiled else set())


@pytest.mark.parametrize(
    ("batch", "training", "compiled"), [(None, False, False), (None, True, True), (3, False, True)]
)
def test_compiled_in_training_and_for_static_batch_size(
    batch: int | None, training: bool, compiled: bool
) -> None:
    layer = zoo.LSTM(UNITS)
    spec = tf.TensorSpec([batch, None, FEATURES])
    types = find_operations(lambda x: layer(x, training=training), spec)
    assert ("compiled" in types) == compiled == chunks.should_compile(batch, training)


@pytest.mark.parametrize("batch", [None, 2])
def test_exported_graph_is_not_compiled(batch: int | None, tmp_path: Path) -> None:
    inputs = keras.Input(batch_shape=(batch, None, FEATURES))
    outputs = keras.layers.Bidirectional(zoo.LSTM(UNITS, return_sequences=True))(inputs)
    model = keras.Model(inputs, zoo.GRU(UNITS)(outputs))
    model.export(tmp_path / "model", verbose=False)
    assert b"_XlaMustCompile" not in (tmp_path / "model" / "saved_model.pb").read_bytes()
    x = random_normal(0, 2, 7, FEATURES, dtype="float32")
    loaded = tf.saved_model.load(tmp_path / "model")
    assert_close(loaded.serve(x), model(x), 1e-6)


def test_eager_execution_takes_plain_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("zoo.layers.loop.scan", lambda *args: calls.append(1) or scan(*args))
    layer = zoo.LSTM(UNITS)
    x = random_normal(0, 2, 3, FEATURES, dtype="float32")
    layer(x)
    assert calls == [1]
    tf.function(layer, autograph=False)(x)
    assert calls == [1]


# The parallel scan.


@pytest.mark.parametrize("time", [0, 1, 2, 3, 10, 17])
def test_linear_scan_equals_loop(time: int) -> None:
    a, b, start = random_normal(0, time, 2, 3), random_normal(1, time, 2, 3), random_normal(2, 2, 3)
    h, expected = start, []
    for t in range(time):
        h = a[t] * h + b[t]
        expected.append(h)

    @tf.function(input_signature=[tf.TensorSpec([None] * n, tf.float64) for n in (3, 3, 2)], autograph=False)
    def fast(a: tf.Tensor, b: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        return linear_scan(a, b, start)

    assert_close(fast(a, b, start), np.reshape(expected, [time, 2, 3]), 1e-10)


def test_linear_scan_first_and_second_derivatives() -> None:
    at = [tf.constant(random_normal(i, *shape)) for i, shape in enumerate([(7, 2, 3), (7, 2, 3), (2, 3)])]

    def loop(a: tf.Tensor, b: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        h, values = start, []
        for t in range(7):
            h = a[t] * h + b[t]
            values.append(h)
        return tf.stack(values)

    def derivatives(function: Callable) -> list[tf.Tensor]:
        with tf.GradientTape() as outer:
            outer.watch(at)
            with tf.GradientTape() as inner:
                inner.watch(at)
                loss = weighted_sum_of_tensors([function(*at)])
            first = inner.gradient(loss, at)
            loss = weighted_sum_of_tensors([slope**2 for slope in first])
        return [*first, *outer.gradient(loss, at)]

    assert_close(derivatives(linear_scan), derivatives(loop), 1e-10)


def test_linear_cell_uses_parallel_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("zoo.layers.loop.run_parallel", lambda *args: calls.append(1) or run_parallel(*args))
    cell = build_cell(zoo.cells.MinGRUCell)
    x, states = random_normal(0, 40, 2, FEATURES), [tf.constant(random_normal(1, 2, UNITS))]
    results = run_cell(cell, x, states, None)

    def step(xs: list[tf.Tensor], states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return cell.step(xs[0], None, states)

    assert_close(results, scan(step, [cell.project(x)], states, None, UNITS), 1e-10)
    assert calls == [1]


# Other processes: several replicas, another backend.


def run_python(program: str, **environment: str) -> Any:
    """Run a Python program in a process and return the JSON that it prints last."""
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=Path(__file__).parent,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.slow
def test_two_replicas_train_like_one() -> None:
    one, two = run_python(
        """
import json, keras, numpy as np, tensorflow as tf, zoo
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(16, 9, 3)).astype("float32"), rng.normal(size=(16, 2)).astype("float32")

def train():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([zoo.LSTM(4), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return [weight.tolist() for weight in model.get_weights()]

one = train()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    two = train()
print(json.dumps([one, two]))
"""
    )
    assert_close([np.array(w) for w in two], [np.array(w) for w in one], 1e-5)


@pytest.mark.slow
def test_cells_run_on_jax() -> None:
    """The plain loop on Keras's JAX backend has the same outputs and gradients."""
    program = """
import json, keras, numpy as np, zoo
keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
mask = np.arange(5) < [[5], [3], [1]]
results = []
for layer in (zoo.PeepholeLSTM, zoo.LayerNormGRU):
    model = layer(4, return_sequences=True)
    model.build(x.shape)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) / 2 for w in model.get_weights()])
    if keras.backend.backend() == "jax":
        import jax
        values = [w.value for w in model.trainable_variables]
        loss = lambda ws: model.stateless_call(
            ws, [w.value for w in model.non_trainable_variables], x, mask=mask)[0].sum()
        gradients = jax.grad(loss)(values)
    else:
        import tensorflow as tf
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, mask=mask))
        gradients = tape.gradient(loss, [w.value for w in model.trainable_variables])
    results.append([np.asarray(v).tolist() for v in (model(x, mask=mask), *gradients)])
print(json.dumps(results))
"""
    jax = run_python(program, KERAS_BACKEND="jax")
    names: dict[str, Any] = {}
    exec(program, names)  # in this process, on TensorFlow
    tensorflow = names["results"]
    assert len(jax) == 2
    for one, other in zip(jax, tensorflow, strict=True):
        assert_close([np.array(v) for v in one], [np.array(v) for v in other], 1e-5)
