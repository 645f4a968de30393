"""No path of the loop over time ignores what a cell overrides, and no gradient is lost."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from references import assert_close, random_normal, randomize_weights, weighted_sum_of_tensors

import zoo
from zoo.layers.chunks import disable_jit

BATCH, TIME, FEATURES, UNITS = 3, 6, 4, 5

MASK = np.arange(TIME)[None] >= np.array([[0], [2], [4]])  # the second and third row start with padding


# Every method of every base class, overridden in turn.


class PlainCell(zoo.Cell):
    weight_blocks = ("hidden",)

    def update(self, x, r, states):
        h = self.activation(x + r)
        return h, [h]


class PlainGatedCell(zoo.GatedCell):
    weight_blocks = ("update", "candidate")

    def gates(self, x, r, states):
        u, g = self.split(x + r)
        return {"update": self.recurrent_activation(u), "candidate": self.activation(g)}

    def combine(self, gates, states):
        h = gates["update"] * states[0] + (1 - gates["update"]) * gates["candidate"]
        return h, [h]


class PlainLinearCell(zoo.LinearCell):
    weight_blocks = ("update", "candidate")

    def gates(self, x, r, states):
        u, g = self.split(x)
        return {"update": self.recurrent_activation(u), "candidate": ops.tanh(g)}

    def coefficients(self, gates):
        return gates["update"], (1 - gates["update"]) * gates["candidate"]


PLAIN = {zoo.Cell: PlainCell, zoo.GatedCell: PlainGatedCell, zoo.LinearCell: PlainLinearCell}

BEFORE_THE_LOOP = {
    "__init__",
    "__init_subclass__",
    "_add_weight",
    "_check_candidate_dropout",
    "bias_shape",
    "build",
    "constants_scope",
    "get_config",
    "initial_bias",
    "kernel_shape",
    "parallel",
    "recurrent_shape",
}
"""Methods that no step calls. `parallel` stands for the steps: a cell that overrides it states that they agree."""

SIZES = {"state_shapes", "noise_size", "output_size", "state_size"}
"""Widths; `UnequalCell` in test_loop.py and `ProjectedLSTMCell` override them."""

CONSTANTS = {"_draw_mask", "draw_dropout_mask", "draw_recurrent_dropout_mask"}
"""Methods that draw numbers; their overrides return constants."""

REFUSED = {(zoo.GatedCell, "update"), (zoo.LinearCell, "update")}
"""What `candidate_dropout` refuses: the cell does not split into gates and a combination of them."""


def find_overrides() -> list[tuple[type[zoo.Cell], str]]:
    """Return every method of every base class that a step may depend on."""
    overrides = []
    for base in PLAIN:
        classes = [c for c in base.__mro__ if issubclass(c, zoo.Cell)]
        names = {name for c in classes for name, value in vars(c).items() if inspect.isfunction(value)}
        overrides += [(base, name) for name in sorted(names - BEFORE_THE_LOOP - SIZES)]
    return overrides


def change_result(method: Callable) -> Callable:
    """Return a method whose result differs from that of `method` in every number."""

    def change(value: Any) -> Any:
        return 1.25 * value + 0.125 if tf.is_tensor(value) else value

    def changed(self: zoo.Cell, *args: Any, **kwargs: Any) -> Any:
        return tf.nest.map_structure(change, method(self, *args, **kwargs))

    return changed


def draw_constant(self: zoo.Cell, like: tf.Tensor, *args: Any) -> tf.Tensor:
    return 0.75 * ops.ones_like(like)


def draw_fixed_noise(self: zoo.Cell, inputs: tf.Tensor) -> tf.Tensor:
    """Draw the same numbers at every step, some of them below and some above the rates."""
    noise = np.random.default_rng(0).uniform(size=(BATCH, self.noise_size)).astype("float32")
    return tf.broadcast_to(noise, [*inputs.shape[:-1], self.noise_size])


def override(base: type[zoo.Cell], name: str, noisy: bool) -> zoo.Cell:
    """Create a cell that overrides one method, with random weights."""
    plain = PLAIN[base]
    members: dict[str, Any] = {"draw_noise": draw_fixed_noise} if noisy else {}
    if name in CONSTANTS:
        members[name] = draw_constant
    elif name != "draw_noise":
        members[name] = change_result(getattr(plain, name))
    rates = {"zoneout": 0.3} if noisy else {}
    if noisy and issubclass(base, zoo.GatedCell):
        rates["candidate_dropout"] = 0.4
    if name == "_draw_mask":
        rates["dropout"] = 0.5
    cell = type(f"Override_{base.__name__}_{name}", (plain,), members)(UNITS, dtype="float64", **rates)
    cell.build((None, FEATURES))
    randomize_weights(cell)
    return cell


def run_plain_loop(cell: zoo.Cell, x: tf.Tensor, mask: np.ndarray, training: bool) -> list[tf.Tensor]:
    """Run a Python loop over the cell's `call`; masks work as in `keras.layers.RNN`."""
    states, outputs = cell.get_initial_state(batch_size=BATCH), []
    output = tf.zeros([BATCH, cell.output_size], x.dtype)
    for t in range(TIME):
        valid = mask[:, t, None]
        new, after = cell(x[:, t], list(states), training=training)
        output = tf.where(valid, new, output)
        states = [tf.where(valid, a, b) for a, b in zip(after, states, strict=True)]
        outputs.append(output)
    return [tf.stack(outputs, axis=1), *states]


def compare_with_plain_loop(cell: zoo.Cell, graph: bool, training: bool) -> None:
    layer = zoo.RNN(cell, return_sequences=True, return_state=True)
    x = tf.constant(random_normal(1, BATCH, TIME, FEATURES))
    function = lambda x: layer(x, mask=tf.constant(MASK), training=training)  # noqa: E731
    with disable_jit():
        ours = (tf.function(function, autograph=False) if graph else function)(x)
    assert_close(ours, run_plain_loop(cell, x, MASK, training), 1e-10)


@pytest.mark.parametrize(
    ("noisy", "graph", "training"),
    [
        (False, True, True),
        (True, True, True),
        pytest.param(False, False, True, marks=pytest.mark.slow),
        pytest.param(True, True, False, marks=pytest.mark.slow),
    ],
    ids=["training", "noisy training", "eager training", "noisy inference"],
)
@pytest.mark.parametrize(
    ("base", "name"), find_overrides(), ids=[f"{base.__name__}.{name}" for base, name in find_overrides()]
)
def test_override_of_every_method_has_effect(
    base: type[zoo.Cell], name: str, noisy: bool, graph: bool, training: bool
) -> None:
    if noisy and (base, name) in REFUSED:
        with pytest.raises(ValueError, match="defines `update`"):
            override(base, name, noisy)
        return
    compare_with_plain_loop(override(base, name, noisy), graph, training)


def test_enumeration_of_overrides_is_complete() -> None:
    overrides = list(find_overrides())
    assert {base for base, _ in overrides} == set(PLAIN)
    assert {
        "call",
        "coefficients",
        "combine",
        "gates",
        "project",
        "readout",
        "recurrent",
        "step",
        "update",
    } <= {name for base, name in overrides if base is zoo.LinearCell}
    methods = {name for base in PLAIN for name in vars(base) if callable(getattr(base, name))}
    assert methods >= BEFORE_THE_LOOP - {"__init_subclass__"}


def test_method_of_an_instance_has_effect() -> None:
    for base in PLAIN:
        cell = override(base, "draw_noise", False)
        cell.update = lambda x, r, states: (states[0] + 1, [states[0] + 1])
        for graph in (False, True):
            compare_with_plain_loop(cell, graph, training=True)


def test_candidate_dropout_set_later_does_not_pass_over_update() -> None:
    cell = override(zoo.GatedCell, "update", False)
    cell.candidate_dropout = 0.5
    with pytest.raises(ValueError, match="`candidate_dropout` needs a cell that defines `gates`"):
        zoo.RNN(cell)(tf.zeros([BATCH, TIME, FEATURES]), training=True)


def test_stack_with_own_call_has_effect() -> None:
    class ScaledStack(layers.StackedRNNCells):
        def call(self, inputs, states, training=False, **kwargs):
            output, states = super().call(inputs, states, training=training, **kwargs)
            return 2 * output, states

    stack = ScaledStack([zoo.GRUCell(UNITS), zoo.SimpleRNNCell(UNITS)])
    x = random_normal(1, BATCH, TIME, FEATURES, dtype="float32")
    ours, theirs = zoo.RNN(stack), layers.RNN(stack)
    assert_close(tf.function(ours, autograph=False)(x), theirs(x), 1e-6)


def test_linear_cell_with_output_gate_equals_keras() -> None:
    """QRNN (Bradbury et al., 2017): the output is not the state."""

    class OutputGateCell(PlainLinearCell):
        weight_blocks = ("update", "candidate", "output")

        def gates(self, x, r, states):
            u, g, o = self.split(x)
            gates = {"update": ops.sigmoid(u), "candidate": ops.tanh(g)}
            return {**gates, "output": ops.sigmoid(o)}

        def combine(self, gates, states):
            _, [c] = super().combine(gates, states)
            return gates["output"] * c, [c]

    cell = OutputGateCell(UNITS, dtype="float64")
    compare_gradients_with_keras(cell, lambda: cell.trainable_variables)


# Gradients of what a cell holds.


def compare_gradients_with_keras(
    cell: zoo.Cell, find_sources: Callable[[], list[Any]], prepare: Callable[[], None] = lambda: None
) -> None:
    """Compare outputs and gradients of `zoo.RNN` with those of `keras.layers.RNN`, in each mode.

    Args:
        cell: the cell.
        find_sources: returns the variables whose gradients are compared.
        prepare: called inside the tape, before the layer.
    """
    x = tf.constant(random_normal(1, BATCH, TIME, FEATURES, dtype=cell.dtype))
    ours, theirs = (layer(cell, return_sequences=True, dtype=cell.dtype) for layer in (zoo.RNN, layers.RNN))
    ours.build(x.shape)
    randomize_weights(cell)

    def compute(layer: layers.RNN) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            prepare()
            outputs = layer(x, training=True)
            loss = weighted_sum_of_tensors([outputs])
        sources = [s.value if isinstance(s, keras.Variable) else s for s in find_sources()]
        gradients = tape.gradient(loss, sources)
        assert all(gradient is not None for gradient in gradients), layer
        return [outputs, *map(tf.convert_to_tensor, gradients)]

    expected = compute(theirs)
    assert all(np.any(value) for value in expected)
    assert_close(compute(ours), expected, 1e-10)
    for jit in (False, True):
        function = tf.function(compute, autograph=False, jit_compile=jit)
        assert_close(function(ours), expected, 1e-10)


class HoldingCell(zoo.SimpleRNNCell):
    """A cell with a tensor from outside, added in one of its methods."""

    method = "update"
    context: Any = 0.0

    def project(self, inputs):
        x = super().project(inputs)
        return x + self.context if self.method == "project" else x

    def recurrent(self, states):
        r = super().recurrent(states)
        return r + self.context if self.method == "recurrent" else r

    def update(self, x, r, states):
        return super().update(x + self.context if self.method == "update" else x, r, states)


@pytest.mark.parametrize("method", ["project", "recurrent", "update"])
def test_gradient_of_tensor_that_a_cell_holds(method: str) -> None:
    encoder = layers.Dense(UNITS, dtype="float64")
    encoder.build((None, 2))
    cell = HoldingCell(UNITS, dtype="float64")
    cell.method = method

    def prepare() -> None:
        cell.context = encoder(tf.ones([BATCH, 2], "float64"))

    compare_gradients_with_keras(cell, lambda: [encoder.kernel, *cell.trainable_variables], prepare)


@pytest.mark.parametrize("kind", ["keras", "tensorflow"])
def test_gradient_of_variable_that_a_cell_does_not_track(kind: str) -> None:
    value = random_normal(3, UNITS)
    variable = keras.Variable(value, dtype="float64") if kind == "keras" else tf.Variable(value)

    class VariableCell(zoo.SimpleRNNCell):
        def update(self, x, r, states):
            return super().update(x * tf.convert_to_tensor(variable), r, states)

    cell = VariableCell(UNITS, dtype="float64")
    compare_gradients_with_keras(cell, lambda: [variable, *cell.trainable_variables])


def test_gradient_of_eager_tensor_that_a_cell_holds() -> None:
    """A tape outside of the graph differentiates an eager tensor that the graph captures."""
    context = tf.constant(random_normal(4, BATCH, 100))
    cell = HoldingCell(100, dtype="float64")
    cell.context = context
    x = tf.constant(random_normal(1, BATCH, TIME, FEATURES))
    gradients = []
    for layer in (zoo.RNN(cell), layers.RNN(cell, dtype="float64")):
        with tf.GradientTape() as tape:
            tape.watch(context)
            loss = tf.reduce_sum(tf.function(layer, autograph=False)(x, training=True) ** 2)
        gradients.append(tape.gradient(loss, context))
    assert_close(*gradients, 1e-10)


@pytest.mark.parametrize(("dtype", "is_fast"), [("int32", True), ("bool", True), ("float32", False)])
def test_only_tensors_without_gradient_may_be_captured(
    dtype: str, is_fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    run = zoo.layers.loop.run_in_chunks
    monkeypatch.setattr("zoo.layers.loop.run_in_chunks", lambda *args: calls.append(1) or run(*args))

    class CastingCell(zoo.SimpleRNNCell):
        def update(self, x, r, states):
            return super().update(x + ops.cast(self.context, x.dtype), r, states)

    cell = CastingCell(UNITS)
    layer, x = zoo.RNN(cell), tf.ones([BATCH, TIME, FEATURES])

    @tf.function(autograph=False)
    def function(context: tf.Tensor) -> tf.Tensor:
        cell.context = context
        return layer(x)

    context = tf.cast([1, 0, 1, 0, 0], dtype)
    outputs = function(context)
    assert bool(calls) == is_fast
    cell.context = context
    assert_close(outputs, layer(x), 1e-6)


# Layers inside a cell that depend on `training`.


class TripledInTraining(layers.Layer):
    """Multiplies by three in training."""

    def call(self, x, training=False):
        return 3 * x if training else x


class Nested(layers.Wrapper):
    """Calls a layer without passing `training`, which Keras does."""

    def call(self, x):
        return self.layer(x)


class SublayerCell(zoo.SimpleRNNCell):
    """Applies a layer to the result of one of its methods; `update` also applies it as in inference."""

    def __init__(self, units: int, method: str = "update", is_nested: bool = False, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.method, self.is_nested = method, is_nested
        self.layer = TripledInTraining(dtype=self.dtype_policy)
        if is_nested:
            self.layer = Nested(self.layer, dtype=self.dtype_policy)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "method": self.method, "is_nested": self.is_nested}

    def project(self, inputs):
        x = super().project(inputs)
        return self.layer(x) if self.method == "project" else x

    def recurrent(self, states):
        r = super().recurrent(states)
        return self.layer(r) if self.method == "recurrent" else r

    def update(self, x, r, states):
        z = x + r
        if self.method == "update":
            z = self.layer(z) + self.layer(z, training=False)
        return super().update(z, 0.0, states)


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("method", ["project", "recurrent", "update"])
def test_layer_inside_a_cell_is_in_training_in_both_passes(method: str, is_nested: bool) -> None:
    cell = SublayerCell(UNITS, method, is_nested, dtype="float64")
    compare_gradients_with_keras(cell, lambda: cell.trainable_variables)


def build_with_sublayers(rnn: type[layers.RNN], kind: str) -> keras.Model:
    keras.utils.set_random_seed(1)
    layer = rnn([SublayerCell(UNITS), SublayerCell(UNITS)] if kind == "stack" else SublayerCell(UNITS))
    if kind == "bidirectional":
        layer = layers.Bidirectional(layer)
    return keras.Sequential([keras.Input((TIME, FEATURES)), layer, layers.Dropout(0.0), layers.Dense(1)])


@pytest.mark.parametrize(("kind", "jit"), [("single", True), ("stack", False), ("bidirectional", False)])
def test_fit_with_layers_inside_cells_equals_keras(kind: str, jit: bool) -> None:
    x, weights = random_normal(1, BATCH, TIME, FEATURES, dtype="float32"), []
    for rnn in (zoo.RNN, layers.RNN):
        model = build_with_sublayers(rnn, kind)
        model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=jit)
        model.fit(x, np.ones((BATCH, 1)), verbose=0)
        weights.append(model.get_weights())
    assert_close(*weights, 1e-5)


class AddingCell(zoo.SimpleRNNCell):
    """Adds a loss in each step."""

    def update(self, x, r, states):
        h = self.activation(x + r)
        self.add_loss(ops.sum(h**2))
        return h, [h]


class RegularizedCell(zoo.SimpleRNNCell):
    """Has a layer with an `activity_regularizer` in each step."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.layer = layers.Dense(units, activity_regularizer="l2")

    def update(self, x, r, states):
        return super().update(self.layer(x), r, states)


class PreparingCell(RegularizedCell):
    """Has such a layer before the first step."""

    def prepare_constants(self, constants, training):
        return {"shift": self.layer(ops.ones((1, self.units)))}

    def update(self, x, r, states):
        return zoo.SimpleRNNCell.update(self, x + self.constants["shift"], r, states)


@pytest.mark.parametrize("cell", [AddingCell(UNITS), RegularizedCell(UNITS)], ids=["add_loss", "layer"])
def test_losses_of_a_step_raise_in_a_loop_of_a_graph(cell: zoo.Cell) -> None:
    x, y = np.ones((BATCH, TIME, FEATURES)), np.zeros((BATCH, UNITS))
    model = keras.Sequential([keras.Input((TIME, FEATURES)), zoo.RNN(cell)])
    model.compile("sgd", "mse")
    for run in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=rf"A step of {type(cell).__name__} adds 1 to the losses"):
            run(x, y, verbose=0)
    model = keras.Sequential([keras.Input((TIME, FEATURES)), zoo.RNN(cell, unroll=True)])
    model.compile("sgd", "mse")
    expected = tf.reduce_mean(model(x) ** 2) + tf.add_n(model.losses)
    assert len(model.losses) == TIME
    assert model.evaluate(x, y, verbose=0) == pytest.approx(float(expected), rel=1e-4)


def test_losses_of_constants_are_those_of_the_model() -> None:
    x, y = np.ones((BATCH, TIME, FEATURES)), np.zeros((BATCH, UNITS))
    model = keras.Sequential([keras.Input((TIME, FEATURES)), zoo.RNN(PreparingCell(UNITS))])
    model.compile("sgd", "mse")
    outputs, [loss] = model(x), model.losses
    assert model.evaluate(x, y, verbose=0) == pytest.approx(
        float(tf.reduce_mean(outputs**2) + loss), rel=1e-4
    )


def test_activity_regularizer_of_a_cell_raises() -> None:
    with pytest.raises(ValueError, match=r"is a cell, .* does not accept `activity_regularizer`"):
        zoo.GRUCell(UNITS, activity_regularizer="l2")
    zoo.GRUCell(UNITS, activity_regularizer=None)
