"""Every option of Keras's recurrent layers, and every way to run them, works for our layers."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from references import assert_close, evaluate, random_normal, randomize_weights

import zoo

BATCH, TIME, FEATURES, UNITS = 4, 7, 3, 5

MASK = np.array([list("1101001"), list("0011010"), list("1111110"), list("0000000")]) == "1"

every_name = pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])


class PlainCell(layers.Layer):
    """An ordinary Keras cell."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = units
        self.output_size = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.state_size), name="kernel")

    def call(self, inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        h = ops.sin(ops.matmul(inputs, self.kernel) - states[0])
        return 2 * h, [h]


def make_pair(name: str, **arguments: Any) -> tuple[layers.RNN, layers.RNN]:
    """Create our layer and Keras's with the same random weights."""
    arguments = {"dtype": "float64", **arguments}
    ours, theirs = (getattr(module, name)(UNITS, **arguments) for module in (zoo, layers))
    for layer in (ours, theirs):
        layer.build((BATCH, TIME, FEATURES))
    theirs.set_weights(randomize_weights(ours))
    return ours, theirs


def make_data(layer: layers.Layer) -> tuple[np.ndarray, list[np.ndarray]]:
    """Create sequences and initial states; those of a stack are in one flat list."""
    sizes = tf.nest.flatten(layer.cell.state_size)
    dtype = layer.variable_dtype
    states = [random_normal(8 + i, BATCH, size, dtype=dtype) for i, size in enumerate(sizes)]
    return random_normal(7, BATCH, TIME, FEATURES, dtype=dtype), states


def assert_same(
    ours: layers.Layer,
    theirs: layers.Layer,
    x: np.ndarray,
    states: list[np.ndarray],
    mask: np.ndarray | None = None,
    tolerance: float = 1e-12,
    graph: bool = False,
    pack: Callable = list,
) -> None:
    """Compare outputs and gradients of two layers; with `graph` ours runs in a graph of unknown shapes."""
    mask = None if mask is None else tf.constant(mask)
    results = [
        evaluate(
            lambda x, states, layer=layer: layer(x, initial_state=pack(states), mask=mask),
            x,
            states,
            layer.trainable_variables,
            graph=graph and layer is ours,
        )
        for layer in (ours, theirs)
    ]
    assert_close(*results, tolerance)


def signature(*specs: tf.TensorSpec) -> Callable:
    """Return `tf.function` with this input signature."""
    return tf.function(input_signature=list(specs), autograph=False)


SEQUENCES = tf.TensorSpec([None, None, FEATURES], "float64")
VALID = tf.TensorSpec([None, None], "bool")


# Options.


@every_name
@pytest.mark.parametrize(
    "options",
    [
        "return_state",
        "return_sequences",
        "return_sequences return_state go_backwards",
        "return_sequences return_state unroll",
        "return_sequences go_backwards unroll",
        "return_sequences return_state zero_output_for_mask",
        "return_state go_backwards zero_output_for_mask",
    ],
)
def test_options(name: str, options: str) -> None:
    ours, theirs = make_pair(name, **dict.fromkeys(options.split(), True))
    assert_same(ours, theirs, *make_data(ours), MASK, graph=name == "LSTM" and "unroll" not in options)


@every_name
def test_unrolled_equals_looped(name: str) -> None:
    arguments = {"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True}
    unrolled, looped = make_pair(name, unroll=True, **arguments)[0], make_pair(name, **arguments)[0]
    assert_same(looped, unrolled, *make_data(looped), MASK)


@every_name
def test_weights_round_trip_through_keras(name: str) -> None:
    ours, theirs = make_pair(name)
    x, _ = make_data(ours)
    theirs.set_weights(randomize_weights(ours, seed=50))
    assert_close(ours(x), theirs(x), 1e-12)
    ours.set_weights(randomize_weights(theirs, seed=60))
    assert_close(ours(x), theirs(x), 1e-12)


@every_name
@pytest.mark.parametrize("merge_mode", ["mul", None])
def test_bidirectional(name: str, merge_mode: str | None) -> None:
    ours, theirs = (
        layers.Bidirectional(layer, merge_mode=merge_mode, dtype="float64")
        for layer in make_pair(name, return_sequences=True, return_state=True)
    )
    for layer in (ours, theirs):
        layer.build((BATCH, TIME, FEATURES))
    theirs.set_weights(randomize_weights(ours))
    x, states = make_data(ours.forward_layer)
    assert_same(ours, theirs, x, [*states, *(-state for state in states)], MASK, graph=name == "GRU")


def test_initial_state_may_be_array_tensor_list_or_tuple() -> None:
    layer, _ = make_pair("GRU")
    x, (h,) = make_data(layer)
    expected = layer(x, initial_state=[tf.constant(h)])
    for state in (h, [h], (h,), tf.constant(h)):
        assert_close(layer(x, initial_state=state), expected, 0)
    sequences, start = keras.Input((None, FEATURES), dtype="float64"), keras.Input((UNITS,), dtype="float64")
    model = keras.Model([sequences, start], layer(sequences, initial_state=start))
    assert_close(model([x, h]), expected, 0)


STATE = tf.zeros([BATCH, UNITS])
NARROW = tf.zeros([BATCH, UNITS - 1])


@pytest.mark.parametrize("is_symbolic", [False, True])
@pytest.mark.parametrize(
    ("make", "state", "found"),
    [
        (zoo.LSTM, STATE, "tensor (4, 5)"),
        (zoo.LSTM, [STATE], "[tensor (4, 5)]"),
        (zoo.LSTM, (STATE, STATE, STATE), "[tensor (4, 5), tensor (4, 5), tensor (4, 5)]"),
        (zoo.LSTM, [STATE, NARROW], "[tensor (4, 5), tensor (4, 4)]"),
        (zoo.LSTM, [STATE, STATE[:1]], "[tensor (4, 5), tensor (1, 5)]"),
        (zoo.LSTM, [STATE, None], "[tensor (4, 5), NoneType]"),
        (zoo.LSTM, {"hidden": STATE, "cell": STATE}, "dict"),
        (zoo.LSTM, [], "[]"),
        (zoo.GRU, NARROW, "tensor (4, 4)"),
        (zoo.GRU, [STATE, STATE], "[tensor (4, 5), tensor (4, 5)]"),
        (zoo.SimpleRNN, [[STATE]], "[list]"),
        (
            lambda units: zoo.RNN([zoo.LSTMCell(units), zoo.GRUCell(units)], name="lstm"),
            [STATE, STATE, STATE],
            "[tensor (4, 5), tensor (4, 5), tensor (4, 5)]",
        ),
    ],
)
def test_initial_state_that_does_not_fit_raises(
    make: Callable[[int], layers.RNN], state: Any, found: str, is_symbolic: bool
) -> None:
    states = {
        zoo.LSTM: r"\[hidden \(4, 5\), cell \(4, 5\)\] .*=\[hidden, cell\]\)",
        zoo.GRU: r"\[hidden \(4, 5\)\] .*=\[hidden\]\)",
        zoo.SimpleRNN: r"\[hidden \(4, 5\)\] .*=\[hidden\]\)",
    }
    expected = states.get(
        make,
        r"\[\[hidden \(4, 5\), cell \(4, 5\)\], \[hidden \(4, 5\)\]\] .*=\[\[hidden, cell\], \[hidden\]\]\)",
    )
    x = tf.zeros([BATCH, TIME, FEATURES])
    if is_symbolic:
        as_input = lambda v: keras.Input(batch_shape=v.shape) if isinstance(v, tf.Tensor) else v  # noqa: E731
        x, state = as_input(x), tf.nest.map_structure(as_input, state)
    with pytest.raises(ValueError, match=f"(?s)`initial_state` of .*{expected}") as error:
        make(UNITS)(x, initial_state=state)
    assert f"but it is {found}. Write" in str(error.value)


def test_initial_state_of_an_unknown_batch_size_fits() -> None:
    sequences, state = keras.Input((None, FEATURES)), keras.Input((UNITS,))
    stack = zoo.RNN([zoo.LSTMCell(UNITS), zoo.GRUCell(UNITS)])
    for nested in ([[state, state], state], ((state, state), [state])):
        model = keras.Model([sequences, state], stack(sequences, initial_state=nested))
        x, h = np.ones((BATCH, TIME, FEATURES)), np.ones((BATCH, UNITS))
        assert_close(model([x, h]), stack(x, initial_state=[[h, h], h]), 1e-6)


@pytest.mark.parametrize("state", [[STATE, STATE], STATE])
def test_initial_state_of_bidirectional_that_does_not_fit_raises(state: Any) -> None:
    with pytest.raises(ValueError, match=r"`initial_state` of forward_.*those of the backward layer"):
        layers.Bidirectional(zoo.LSTM(UNITS))(tf.zeros([BATCH, TIME, FEATURES]), initial_state=state)


def test_subclass_with_other_call_arguments_is_called() -> None:
    class ScaledLSTM(zoo.LSTM):
        def call(self, sequences, initial_state=None, constants=None, resets=None, scale=1.0):
            return scale * super().call(sequences, initial_state)

    state = keras.Input((UNITS,))
    outputs = ScaledLSTM(UNITS)(keras.Input((TIME, FEATURES)), initial_state=[state, state], scale=2.0)
    assert outputs.shape == (None, UNITS)


@every_name
def test_stateful_layer_carries_states(name: str) -> None:
    layer, _ = make_pair(name, stateful=True, return_sequences=True)
    whole, _ = make_pair(name, return_sequences=True)
    x, _ = make_data(layer)
    expected = whole(np.concatenate([x, x], axis=1))
    for _ in range(2):
        assert_close(layer(x), expected[:, :TIME], 1e-12)
        assert_close(layer(x), expected[:, TIME:], 1e-12)
        layer.reset_state()


@pytest.mark.parametrize("batches", list(product([1, None], repeat=3)), ids=str)
def test_batch_size_may_be_static_in_some_tensors_only(batches: tuple) -> None:
    layer, _ = make_pair("GRU", return_sequences=True)
    x, (state,) = make_data(layer)
    specs = [
        tf.TensorSpec([batches[0], TIME, FEATURES], "float64"),
        tf.TensorSpec([batches[1], UNITS], "float64"),
        tf.TensorSpec([batches[2], TIME], "bool"),
    ]

    @signature(*specs)
    def run(x: tf.Tensor, state: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return layer(x, initial_state=state, mask=mask)

    arguments = x[:1], state[:1], MASK[:1]
    assert_close(run(*arguments), run.python_function(*map(tf.constant, arguments)), 1e-12)


def test_unroll_needs_static_length() -> None:
    with pytest.raises(ValueError, match="Cannot unroll a RNN if the time dimension is undefined"):
        signature(SEQUENCES)(zoo.LSTM(UNITS, unroll=True)).get_concrete_function()


# Dropout.


def make_echo(runner: type[layers.RNN] = zoo.RNN, **arguments: Any) -> layers.RNN:
    """Create a layer whose outputs are its inputs."""
    cell = zoo.SimpleRNNCell(UNITS, activation=None, **arguments)
    cell.build((None, UNITS))
    cell.set_weights([np.eye(UNITS), np.zeros((UNITS, UNITS)), np.zeros(UNITS)])
    return runner(cell, return_sequences=True)


def make_hold(**arguments: Any) -> layers.RNN:
    """Create a layer whose outputs are its initial state."""
    layer = make_echo(**arguments)
    layer.set_weights([np.zeros((UNITS, UNITS)), np.eye(UNITS), np.zeros(UNITS)])
    return layer


ROWS = 400
ONES = np.ones((ROWS, TIME, UNITS), "float32")


def input_masks(**arguments: Any) -> Callable[..., np.ndarray]:
    """Return a function that draws the input dropout masks of all time steps."""
    layer = make_echo(dropout=0.25, **arguments)
    return lambda training=True: np.asarray(layer(ONES, training=training))


def recurrent_masks(**arguments: Any) -> Callable[..., np.ndarray]:
    """Return a function that draws the recurrent dropout masks: each step multiplies the state by one."""
    layer = make_hold(recurrent_dropout=0.25, **arguments)
    powers = 1 / np.arange(1, TIME + 1)[:, None]
    return lambda training=True: np.asarray(layer(ONES, ONES[:, 0], training=training)) ** powers


both_dropouts = pytest.mark.parametrize("masks", [input_masks, recurrent_masks])


@both_dropouts
def test_dropout_uses_one_mask_per_sequence(masks: Callable) -> None:
    drawn = masks(seed=1)()
    assert_close(drawn, np.broadcast_to(drawn[:, :1], drawn.shape), 1e-5)
    assert_close(np.unique(drawn[:, 0]), np.array([0, 4 / 3]), 1e-6)
    dropped = np.mean(drawn[:, 0] == 0)
    assert abs(dropped - 0.25) < 0.04
    assert len(np.unique(drawn[:, 0].round(), axis=0)) > 2**UNITS / 2


@both_dropouts
def test_dropout_draws_new_masks_in_each_call(masks: Callable) -> None:
    draw = masks(seed=1)
    first, second = draw(), draw()
    assert 0.2 < np.mean((first == 0) != (second == 0)) < 0.6


@both_dropouts
def test_no_dropout_in_inference(masks: Callable) -> None:
    assert_close(masks(seed=1)(training=False), ONES, 0)


@both_dropouts
def test_dropout_repeats_with_same_seed(masks: Callable) -> None:
    draw, again, other = masks(seed=1), masks(seed=1), masks(seed=2)
    first = draw()
    assert_close([first, draw()], [again(), again()], 0)
    assert np.any(first != other())


def test_dropout_draws_new_masks_in_each_call_of_graph() -> None:
    layer = make_echo(dropout=0.25)
    draw = tf.function(lambda: layer(ONES, training=True), autograph=False)
    first, second = draw(), draw()
    assert_close(first, np.broadcast_to(first[:, :1], first.shape), 0)
    assert np.any(first != second)


def test_every_cell_of_stack_drops() -> None:
    cells = [make_echo().cell, make_echo(dropout=0.25).cell]
    drawn = zoo.RNN(cells, return_sequences=True)(ONES, training=True).numpy()
    assert_close(drawn, np.broadcast_to(drawn[:, :1], drawn.shape), 0)
    assert_close(np.unique(drawn), np.array([0, 4 / 3]), 1e-6)


def test_keras_rnn_draws_a_mask_per_step() -> None:
    drawn = make_echo(layers.RNN, dropout=0.25)(ONES, training=True).numpy()
    assert_close(np.unique(drawn), np.array([0, 4 / 3]), 1e-6)
    assert np.any(drawn != drawn[:, :1])


# Precision.


@every_name
@pytest.mark.parametrize(
    ("policy", "dtype", "tolerance"),
    [
        ("mixed_bfloat16", "bfloat16", 0.1),
        pytest.param("mixed_float16", "float16", 0.02, marks=pytest.mark.slow),
        pytest.param("float64", "float64", 1e-5, marks=pytest.mark.slow),
    ],
)
def test_precision_follows_dtype_policy(name: str, policy: str, dtype: str, tolerance: float) -> None:
    arguments = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True}
    _, exact = make_pair(name, dtype="float32", **arguments)
    layer, _ = make_pair(name, dtype=policy, **arguments)
    x, states = make_data(exact)

    def run(x: tf.Tensor, states: list[tf.Tensor]) -> list[tf.Tensor]:
        outputs = layer(x, initial_state=states, mask=tf.constant(MASK))
        assert {output.dtype.name for output in outputs} == {dtype}
        return [tf.cast(output, "float32") for output in outputs]

    outputs, gradients = evaluate(run, x, states, layer.trainable_variables, graph=True)
    expected_outputs, expected_gradients = evaluate(
        lambda x, states: exact(x, initial_state=states, mask=tf.constant(MASK)),
        x,
        states,
        exact.trainable_variables,
    )
    assert_close(outputs, expected_outputs, tolerance)
    for gradient, expected, variable in zip(
        gradients[1 + len(states) :], expected_gradients[1 + len(states) :], layer.variables, strict=False
    ):
        assert gradient.dtype == variable.dtype
        assert np.abs(gradient - expected).max() < tolerance * np.abs(expected).max()


def test_layer_takes_dtype_of_cells() -> None:
    cells = [zoo.LSTMCell(UNITS, dtype="float64"), zoo.GRUCell(UNITS, dtype="float64")]
    for layer in (zoo.RNN(cells[0]), zoo.RNN(cells)):
        assert layer(random_normal(0, BATCH, TIME, FEATURES)).dtype == "float64"
        twin = zoo.RNN.from_config(layer.get_config())
        assert twin(random_normal(0, BATCH, TIME, FEATURES)).dtype == "float64"


def test_cell_keeps_dtype_in_layer_of_other_dtype() -> None:
    cell = zoo.LSTMCell(UNITS, dtype="mixed_bfloat16")
    arguments = {"return_sequences": True, "return_state": True, "dtype": "float32"}
    x, _ = make_data(zoo.RNN(cell))
    layer, expected = zoo.RNN(cell, **arguments), layers.RNN(cell, **arguments)(x)
    assert_close(layer(x), expected, 0)
    assert_close(tf.function(layer, autograph=False)(x), expected, 0.02)


@pytest.fixture
def global_policy() -> Iterator[str]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield "bfloat16"
    keras.config.set_dtype_policy(before)


@pytest.mark.slow
def test_global_dtype_policy_reaches_all_layers(global_policy: str) -> None:
    x = keras.Input((None, FEATURES))
    y = layers.Bidirectional(zoo.GRU(UNITS, return_sequences=True))(x)
    y = zoo.RNN([zoo.LSTMCell(UNITS), zoo.SimpleRNNCell(UNITS)], return_sequences=True)(y)
    y = zoo.LSTM(UNITS)(y)
    model = keras.Model(x, layers.Dense(1, dtype="float32")(y))
    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {global_policy}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    before = model.get_weights()
    model.compile("sgd", "mse", jit_compile=False)
    with zoo.disable_jit():
        model.fit(random_normal(0, BATCH, TIME, FEATURES), np.ones((BATCH, 1)), verbose=0)
    assert all(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))


# Stacks, and cells of Keras.


def make_stack(*cells: type, **arguments: Any) -> layers.RNN:
    """Create a stack of cells of different widths."""
    sizes = range(UNITS, UNITS + len(cells))
    layer = zoo.RNN(
        [cell(size, dtype="float64") for cell, size in zip(cells, sizes, strict=True)],
        **{"dtype": "float64", "return_sequences": True, "return_state": True, **arguments},
    )
    layer.build((BATCH, TIME, FEATURES))
    randomize_weights(layer)
    return layer


OURS = (zoo.LSTMCell, zoo.GRUCell, zoo.SimpleRNNCell)


@pytest.mark.parametrize(
    "options", ["", pytest.param("go_backwards zero_output_for_mask", marks=pytest.mark.slow)]
)
def test_stack(options: str) -> None:
    arguments = dict.fromkeys(options.split(), True)
    ours = make_stack(*OURS, **arguments)
    theirs = layers.RNN(ours.cell, return_sequences=True, return_state=True, dtype="float64", **arguments)
    x, states = make_data(ours)
    assert_same(ours, theirs, x, states, MASK, graph=True, pack=lambda s: [s[:2], s[2:3], s[3:]])
    flat = [states[:2], *states[2:]]
    assert_close(ours(x, initial_state=flat), theirs(x, initial_state=flat), 1e-12)
    assert [tf.nest.map_structure(np.shape, y) for y in ours(x)] == [
        tf.nest.map_structure(np.shape, y) for y in theirs(x)
    ]


def test_stateful_stack_carries_states() -> None:
    layer, whole = make_stack(*OURS, stateful=True), make_stack(*OURS)
    x, _ = make_data(layer)
    expected = whole(np.concatenate([x, x], axis=1))
    for _ in range(2):
        layer(x)
        outputs, *states = layer(x)
        assert_close([outputs, states], [expected[0][:, TIME:], expected[1:]], 1e-12)
        layer.reset_state()


def test_stack_of_library_and_keras_cells() -> None:
    ours = zoo.RNN([zoo.LSTMCell(UNITS), layers.GRUCell(6)], return_sequences=True, return_state=True)
    theirs = layers.RNN([layers.LSTMCell(UNITS), layers.GRUCell(6)], return_sequences=True, return_state=True)
    for layer in (ours, theirs):
        layer.build((BATCH, TIME, FEATURES))
    theirs.set_weights(randomize_weights(ours))
    x, states = make_data(ours)
    assert_same(ours, theirs, x, states, MASK, 1e-5, graph=True, pack=lambda s: [s[:2], s[2:]])


@pytest.mark.parametrize("cell", [layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell, PlainCell])
def test_runs_keras_cells(cell: type) -> None:
    arguments = {"return_sequences": True, "return_state": True, "dtype": "float64"}
    ours = zoo.RNN(cell(UNITS, dtype="float64"), **arguments)
    ours.build((BATCH, TIME, FEATURES))
    randomize_weights(ours)
    assert_same(ours, layers.RNN(ours.cell, **arguments), *make_data(ours), MASK, graph=cell is PlainCell)


# Shapes.


@pytest.mark.parametrize("masked", [False, True], ids=["all valid", "masked"])
def test_one_trace_serves_every_batch_size_and_length(masked: bool) -> None:
    layer = make_stack(*OURS, zero_output_for_mask=True)
    weights = [variable.value for variable in layer.trainable_variables]

    @signature(SEQUENCES, VALID)
    def run(x: tf.Tensor, valid: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            outputs = layer(x, mask=valid if masked else None)
            loss = tf.add_n([tf.reduce_sum(y) for y in tf.nest.flatten(outputs)])
        return outputs, tape.gradient(loss, weights)

    x, _ = make_data(layer)
    for batch, time in product([0, 1, BATCH], [0, 1, TIME]):
        part, valid = x[:batch, :time], MASK[:batch, :time]
        (outputs, *states), gradients = run(part, valid)
        if time and batch:
            assert_close([outputs, *states], layer(part, mask=valid if masked else None), 1e-12)
        else:
            assert outputs.shape == (batch, time, 7)
            assert [s.shape[1] for s in tf.nest.flatten(states)] == [5, 5, 6, 7]
            assert not any(np.any(y) for y in tf.nest.flatten([states, gradients]))
    assert run.experimental_get_tracing_count() == 1


def test_length_zero_returns_initial_state() -> None:
    layer, _ = make_pair("LSTM", return_state=True, zero_output_for_mask=True)
    x, states = make_data(layer)
    start = [tf.constant(state) for state in states]
    run = signature(SEQUENCES, VALID)(lambda x, valid: layer(x, initial_state=start, mask=valid))
    assert_close(run(x[:, :0], MASK[:, :0]), [np.zeros((BATCH, UNITS)), *states], 0)


def test_static_length_is_kept() -> None:
    layer, _ = make_pair("LSTM", return_sequences=True)
    run = signature(tf.TensorSpec([None, TIME, FEATURES], "float64"))(layer)
    assert run.get_concrete_function().output_shapes == (None, TIME, UNITS)


# Models, training and export.


@every_name
@pytest.mark.parametrize(
    "jit_compile", [pytest.param(False, marks=pytest.mark.slow), True], ids=["no jit", "jit"]
)
def test_fit_equals_keras(name: str, jit_compile: bool) -> None:
    ours, theirs = make_pair(name, dtype="float32")
    histories = []
    for layer, jit in ((ours, jit_compile), (theirs, False)):
        x, valid = keras.Input((None, FEATURES)), keras.Input((None,), dtype="bool")
        model = keras.Model([x, valid], layer(x, mask=valid))
        model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=jit)
        targets = random_normal(1, 2 * BATCH, UNITS)
        sequences = random_normal(0, 2 * BATCH, TIME, FEATURES), np.tile(MASK, (2, 1))
        history = model.fit(sequences, targets, batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
        histories.append(history.history["loss"])
    assert histories[0][1] < histories[0][0]
    assert_close(histories[0], histories[1], 1e-5)
    assert_close(ours.get_weights(), theirs.get_weights(), 1e-5)


def test_saved_model_of_module(tmp_path: Path) -> None:
    module = tf.Module()
    module.layer = make_stack(*OURS)
    module.serve = signature(SEQUENCES, VALID)(lambda x, valid: module.layer(x, mask=valid))
    tf.saved_model.save(module, str(tmp_path / "module"))
    loaded = tf.saved_model.load(str(tmp_path / "module"))
    x, _ = make_data(module.layer)
    for batch, time in ((BATCH, TIME), (1, 2), (2, 0), (0, 3)):
        part, valid = x[:batch, :time], MASK[:batch, :time]
        assert_close(loaded.serve(part, valid), module.serve(part, valid), 1e-12)


def test_export_of_model(tmp_path: Path) -> None:
    x = keras.Input((None, FEATURES))
    model = keras.Model(x, layers.Bidirectional(zoo.RNN([zoo.LSTMCell(UNITS), zoo.GRUCell(UNITS)]))(x))
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    sequences = random_normal(0, BATCH, TIME, FEATURES, dtype="float32")
    for part in (sequences, sequences[:1, :2], sequences[:, :0], sequences[:0]):
        assert loaded.serve(part).shape == (len(part), 2 * UNITS)
    assert_close(loaded.serve(sequences), model(sequences), 1e-6)


def test_keras_file_round_trip_of_options_and_stacks(tmp_path: Path) -> None:
    options = {"go_backwards": True, "zero_output_for_mask": True, "return_sequences": True}
    x, valid = keras.Input((None, FEATURES)), keras.Input((None,), dtype="bool")
    y = zoo.GRU(UNITS, reset_after=False, **options)(x, mask=valid)
    stacked = zoo.RNN([zoo.LSTMCell(UNITS), zoo.GRUCell(6)], return_sequences=True)
    y = layers.Bidirectional(stacked)(y, mask=valid)
    model = keras.Model([x, valid], zoo.RNN(PlainCell(UNITS), return_state=True)(y, mask=valid))
    randomize_weights(model)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras", custom_objects={"PlainCell": PlainCell})
    assert twin.to_json() == model.to_json()
    inputs = random_normal(0, BATCH, TIME, FEATURES, dtype="float32"), MASK
    assert_close(twin(inputs), model(inputs), 0)


# The fast loop.


@pytest.mark.parametrize(
    ("layer", "inside"),
    [
        (zoo.SimpleRNN(UNITS), [1]),
        (zoo.LSTM(UNITS), [1]),
        (zoo.GRU(UNITS), [1]),
        (zoo.GRU(UNITS, reset_after=False), [2]),
        (zoo.IndRNN(UNITS), [0]),
        (zoo.RNN([zoo.LSTMCell(UNITS), zoo.GRUCell(UNITS)]), [1, 1]),
    ],
)
def test_loop_body_contains_only_products_with_u(layer: layers.RNN, inside: list[int]) -> None:
    """The inner loops, over the steps of a chunk, contain the product with U and no other."""
    run = signature(tf.TensorSpec([None, None, FEATURES]))(layer)
    graph = run.get_concrete_function().graph.as_graph_def()
    functions = {function.signature.name: function.node_def for function in graph.library.function}
    everything = [*graph.node, *(node for nodes in functions.values() for node in nodes)]
    bodies = [functions[node.attr["body"].func.name] for node in everything if "While" in node.op]
    steps = [body for body in bodies if not any("While" in node.op for node in body)]
    assert [sum("MatMul" in node.op for node in body) for body in steps] == inside


# Masks of layers that run backwards.


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("is_symbolic", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_mask_after_a_backward_layer_is_that_of_its_outputs(
    return_state: bool, is_symbolic: bool, graph: bool
) -> None:
    first = zoo.GRU(UNITS, go_backwards=True, return_sequences=True, return_state=return_state)
    second = zoo.GRU(2)

    def compute(x: tf.Tensor) -> tf.Tensor:
        outputs = first(layers.Masking()(x))
        return second(outputs[0] if return_state else outputs)

    function = compute
    if is_symbolic:
        inputs = keras.Input((None, FEATURES))
        function = keras.Model(inputs, compute(inputs))
    x = random_normal(0, BATCH, TIME, FEATURES, dtype="float32")
    padded = np.concatenate([x, np.zeros((BATCH, 3, FEATURES), "float32")], 1)
    run = tf.function(function, autograph=False) if graph else function
    assert_close(run(padded), run(x), 1e-6)


def test_masks_of_a_bidirectional_layer_are_in_the_order_of_the_inputs() -> None:
    model = keras.Sequential(
        [layers.Masking(), layers.Bidirectional(zoo.GRU(UNITS, return_sequences=True)), zoo.GRU(2)]
    )
    x = random_normal(0, BATCH, TIME, FEATURES, dtype="float32")
    padded = np.concatenate([x, np.zeros((BATCH, 3, FEATURES), "float32")], 1)
    assert_close(model(padded), model(x), 1e-6)
    assert_close(tf.function(model, autograph=False)(padded), model(x), 1e-6)


def test_masks_that_are_lists_are_passed_on() -> None:
    x = random_normal(0, 2, 3, FEATURES, dtype="float32")
    flags = [[True, True, False], [True, True, True]]
    for backwards in (False, True):
        layer = zoo.GRU(UNITS, return_sequences=True, go_backwards=backwards)
        expected = np.flip(flags, 1) if backwards else flags
        np.testing.assert_array_equal(zoo._compat.get_keras_mask(layer(x, mask=flags)), expected)


def test_backward_layers_start_a_sequence_at_its_last_step() -> None:
    layer, x = zoo.GRU(UNITS, go_backwards=True), random_normal(0, BATCH, TIME, FEATURES, dtype="float32")
    ends = np.zeros((BATCH, TIME), bool)
    ends[:, 2] = True
    assert_close(layer(x, resets=ends), layer(x[:, :3]), 1e-6)


@pytest.mark.parametrize("unroll", [False, True])
def test_sequences_without_steps_raise(unroll: bool) -> None:
    layer = zoo.LSTM(UNITS, unroll=unroll)
    with pytest.raises(ValueError, match=r"must have at least one time step, but their shape is \(2, 0, 3\)"):
        layer(np.ones((2, 0, 3)))
