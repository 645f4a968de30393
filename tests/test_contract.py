"""The contract of cells: states of any rank, constants, products, resets, parallel; and random combinations.

The reference is a plain loop over `Cell.call`, which shares no code with the loop over time.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from references import assert_close, random_normal, randomize_weights, weighted_sum_of_tensors
from test_loop import EVERY_CELL, UNITS

import zoo
from zoo.layers import chunks

FEATURES = 9


class MemoryCell(zoo.Cell):
    """A matrix memory that is written by a constant and by products inside `update`."""

    weight_blocks = ("key", "value")
    state_names = ("hidden", "memory")

    @property
    def state_size(self):
        return [self.units, (self.units, 2)]

    def build(self, input_shape):
        super().build(input_shape)
        self.write = self.add_weight(shape=(self.units, 2), name="write")
        self.read = self.add_weight(shape=(2, self.units), name="read")

    def update(self, x, r, states):
        h, memory = states
        key, value = self.split(x + r)
        gain = ops.sigmoid(self.product("write", h + value))
        memory = 0.9 * memory + ops.tanh(key)[:, :, None] * gain[:, None, :]
        h = ops.tanh(self.product("read", ops.mean(memory, axis=1)) + self.constants["context"])
        return h, [h, memory]


class ScaledCell(zoo.LSTMCell):
    """U is normalized once a sequence, and the input is scaled by a constant."""

    def prepare_constants(self, constants, training):
        u = self.recurrent_kernel
        return {"scale": ops.tanh(constants["context"]), "recurrent_kernel": u / ops.norm(u)}

    def project(self, inputs):
        return super().project(inputs) * ops.mean(self.constants["scale"], axis=-1, keepdims=True)


class NarrowCell(zoo.Cell):
    """W is narrower than the blocks, U has another shape, and `update` multiplies by W^T-like weights twice."""

    weight_blocks = ("hidden",)

    def kernel_shape(self, features):
        return (features, 2)

    def build(self, input_shape):
        super().build(input_shape)
        self.widen = self.add_weight(shape=(2, self.units), name="widen")

    def update(self, x, r, states):
        h = ops.tanh(self.product("widen", x + r) + self.product("widen", ops.sin(r)))
        return h, [h]


class LearnedStartCell(zoo.GRUCell):
    """The states before the first step are weights."""

    def build(self, input_shape):
        super().build(input_shape)
        self.start = self.add_weight(shape=(self.units,), name="start")

    def get_initial_state(self, batch_size=None):
        return [ops.tile(self.start[None], (batch_size, 1))]


class LagCell(zoo.Cell):
    """Its step uses the sum of x and r, and x itself as a state."""

    weight_blocks = ("hidden",)
    state_names = ("hidden", "previous")

    def update(self, x, r, states):
        h = ops.tanh(x + r) + 0.1 * states[1]
        return h, [h, x]


class TwiceCell(zoo.Cell):
    """Adds x to itself, and does not use r."""

    weight_blocks = ("hidden",)

    def update(self, x, r, states):
        h = ops.tanh(x + x) + 0.5 * states[0]
        return h, [h]


class BranchCell(zoo.Cell):
    """Products of other rows than the batch, and in a branch of the graph."""

    weight_blocks = ("hidden",)

    def build(self, input_shape):
        super().build(input_shape)
        self.mix = self.add_weight(shape=(1, 1), name="mix")

    def update(self, x, r, states):
        mixed = ops.reshape(self.product("mix", ops.reshape(states[0], (-1, 1))), ops.shape(states[0]))
        h = ops.cond(
            ops.sum(x) > 0,
            lambda: ops.tanh(x + r + mixed),
            lambda: ops.tanh(x + self.product("recurrent_kernel", mixed)),
        )
        return h, [h]


OWN = (MemoryCell, ScaledCell, NarrowCell, LearnedStartCell, LagCell, TwiceCell, BranchCell)
CONTRACT = {cell.__name__: cell for cell in OWN}
CELLS: dict[str, Callable[..., zoo.Cell]] = {**EVERY_CELL, **CONTRACT}


def run_plainly(
    cell: zoo.Cell,
    x: tf.Tensor,
    states: list[tf.Tensor],
    mask: np.ndarray | None,
    resets: np.ndarray | None,
    constants: dict[str, tf.Tensor],
) -> list[tf.Tensor]:
    """Run a cell by its own `call`, a step at a time: the outputs [batch, time, width] and the last states."""
    output, outputs = tf.zeros([x.shape[0], cell.output_size], x.dtype), []
    for t in range(x.shape[1]):
        if resets is not None:
            starts = cell.get_initial_state(x.shape[0])
            states = [where(resets[:, t], start, state) for start, state in zip(starts, states, strict=True)]
        new_output, new = cell(x[:, t], states, constants=constants)
        if mask is None:
            output, states = new_output, new
        else:
            output = where(mask[:, t], new_output, output)
            states = [where(mask[:, t], a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(output)
    return [tf.stack(outputs, 1), *states]


def where(condition: np.ndarray, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.where(condition.reshape(-1, *[1] * (len(a.shape) - 1)), a, b)


def differentiate(
    function: Callable[[tf.Tensor, list[tf.Tensor], dict[str, tf.Tensor]], list[tf.Tensor]],
    cell: zoo.Cell,
    sources: tuple[Any, ...],
) -> list[tf.Tensor]:
    """Return results and gradients: by inputs, states, constants and weights."""
    values = [*tf.nest.flatten(sources), *(weight.value for weight in cell.weights)]
    with tf.GradientTape() as tape:
        tape.watch(values)
        results = function(*sources)
        loss = weighted_sum_of_tensors(results)
    return [*results, *tape.gradient(loss, values, unconnected_gradients="zero")]


def check_against_plain_loop(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare `zoo.RNN` in eager execution, a graph and a jitted graph with the plain loop, for random options."""
    rng = np.random.default_rng(seed)
    batch, time = int(rng.integers(1, 5)), int(rng.choice([1, 2, 5, 13, 20, 33]))
    for constant, value in [
        ("MAX_CHUNK_ROWS", rng.choice([1, 20, 1600])),
        ("DYNAMIC_CHUNK_SIZE", rng.choice([1, 3, 16])),
        ("MAX_UNROLLED_CHUNKS", rng.choice([1, 8])),
        ("MAX_STORED_BYTES", rng.choice([0, 2**20])),
        ("MIN_HALVED_ROWS", rng.choice([2, 16])),
    ]:
        monkeypatch.setattr(chunks, constant, int(value))
    cell = CELLS[name](UNITS, dtype="float64")
    x = tf.constant(random_normal(seed, batch, time, FEATURES))
    has_constants = name in CONTRACT
    constants = {"context": tf.constant(random_normal(seed + 1, batch, UNITS))} if has_constants else {}
    layer = zoo.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    layer(tf.zeros([batch, 2, FEATURES], "float64"), constants=constants)
    randomize_weights(layer, seed)
    shapes = [(batch, *shape) for shape in cell.state_shapes]
    states = [tf.constant(random_normal(seed + 2 + i, *shape)) for i, shape in enumerate(shapes)]
    mask = rng.random((batch, time)) < rng.choice([0.3, 0.8]) if rng.random() < 0.6 else None
    resets = rng.random((batch, time)) < 0.2 if rng.random() < 0.5 else None
    training = bool(rng.random() < 0.7)

    def run_layer(x: tf.Tensor, states: list[tf.Tensor], constants: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        options = {"mask": mask, "resets": resets, "training": training}
        options = {key: value for key, value in options.items() if value is not None}
        return list(layer(x, initial_state=list(states), constants=constants, **options))

    def expect(x: tf.Tensor, states: list[tf.Tensor], constants: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        return run_plainly(cell, x, states, mask, resets, constants)

    sources = x, states, constants
    expected = differentiate(expect, cell, sources)
    dims = [None, None] if rng.random() < 0.5 else [batch, time]
    signature = [
        tf.TensorSpec([*dims, FEATURES], "float64"),
        [tf.TensorSpec([dims[0], *shape[1:]], "float64") for shape in shapes],
        {key: tf.TensorSpec([dims[0], UNITS], "float64") for key in constants},
    ]
    run = lambda *sources: differentiate(run_layer, cell, sources)  # noqa: E731
    graph = tf.function(run, input_signature=signature, autograph=False)
    jitted = tf.function(run, jit_compile=True, autograph=False)
    for function in (run, graph, jitted):
        assert_close(function(*sources), expected, 1e-9)


@pytest.mark.parametrize("name", CONTRACT)
@pytest.mark.parametrize("seed", [0, 1])
def test_contract_equals_plain_loop(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check_against_plain_loop(name, 100 * seed + list(CELLS).index(name), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("seed", [0, 1])
def test_random_options_equal_plain_loop(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check_against_plain_loop(name, 1000 + 100 * seed + list(CELLS).index(name), monkeypatch)


class LearnedDecayCell(zoo.LinearCell):
    """A moving average whose decay is a weight [units], or a number."""

    weight_blocks = ("candidate",)
    decay: Any = 0.75

    def gates(self, x, r, states):
        return {"candidate": ops.tanh(x)}

    def coefficients(self, gates):
        return self.decay, (1 - self.decay) * gates["candidate"]


@pytest.mark.parametrize("is_weight", [True, False])
def test_coefficients_of_a_linear_cell_are_broadcast(is_weight: bool) -> None:
    cell = LearnedDecayCell(UNITS, dtype="float64")
    layer = zoo.RNN(cell, return_sequences=True, return_state=True)
    x, states = tf.constant(random_normal(0, 3, 7, FEATURES)), [tf.constant(random_normal(1, 3, UNITS))]
    if is_weight:
        cell.decay = cell.add_weight(shape=(UNITS,), initializer="uniform", name="decay")
    layer.build(x.shape)
    expected = differentiate(lambda x, s, c: run_plainly(cell, x, s, None, None, c), cell, (x, states, {}))
    run = lambda x, s, c: list(layer(x, initial_state=s))  # noqa: E731
    for function in (differentiate, tf.function(differentiate, autograph=False)):
        assert_close(function(run, cell, (x, states, {})), expected, 1e-12)


def test_qrnn_with_own_gates_takes_steps() -> None:
    """The filter is a state that `gates` computes from its x."""

    class BoundedQRNNCell(zoo.cells.QRNNCell):
        def gates(self, x, r, states):
            return super().gates(ops.tanh(x), r, states)

    cell = BoundedQRNNCell(UNITS, dtype="float64")
    x = tf.constant(random_normal(0, 3, 7, FEATURES))
    outputs = zoo.RNN(cell, return_sequences=True)(x)
    expected = run_plainly(cell, x, cell.get_initial_state(3), None, None, {})[0]
    assert_close(outputs, expected, 1e-12)


@pytest.mark.parametrize("dims", [(None, None), (2, 7)])
def test_states_of_a_stack_have_their_shapes(dims: tuple[int | None, ...]) -> None:
    class OneStateCell(MemoryCell):
        state_names = ("memory",)

        @property
        def state_size(self):
            return [(self.units, 2)]

    cells = [MemoryCell(4), zoo.GRUCell(5), OneStateCell(3)]
    outputs = zoo.RNN(cells, return_state=True)(
        keras.Input(batch_shape=(*dims, FEATURES)), constants={"context": keras.Input((4,))}
    )
    shapes = [tuple(value.shape)[1:] for value in tf.nest.flatten(outputs)]
    assert shapes == [(3,), (4,), (4, 2), (5,), (3, 2)]


@pytest.mark.parametrize("name", ["mask", "resets"])
@pytest.mark.parametrize("shape", [(3, 4), (3, 7), (2, 5), (3,), (3, 5, 1)])
def test_flags_of_another_shape_than_the_sequences_raise(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ValueError, match=rf"`{name}` of gru\S* must be a bool tensor \[batch, time\].*\(3, 5\)"
    ):
        zoo.GRU(4)(tf.zeros([3, 5, FEATURES]), **{name: np.zeros(shape, bool)})


@pytest.mark.parametrize("name", ["mask", "resets"])
def test_symbolic_flags_of_another_length_raise(name: str) -> None:
    with pytest.raises(
        ValueError, match=rf"`{name}` of gru\S* must be .*\(None, 5\).* but its shape is \(None, 4\)"
    ):
        zoo.GRU(4)(keras.Input((5, FEATURES)), **{name: keras.Input((4,), dtype="bool")})


@pytest.mark.parametrize("name", ["mask", "resets"])
def test_flags_may_be_numbers_and_lists(name: str) -> None:
    flags = np.random.default_rng(0).random((3, 5)) < 0.5
    layer, x = zoo.GRU(4), tf.constant(random_normal(0, 3, 5, FEATURES, dtype="float32"))
    expected = layer(x, **{name: flags})
    for values in (
        flags.astype("float32"),
        flags.astype("float64"),
        flags.astype("int32"),
        flags.tolist(),
        [*flags],
    ):
        assert_close(layer(x, **{name: values}), expected, 0)
    with pytest.raises(ValueError, match=rf"`{name}` of .* values other than 0 and 1.*`{name}={name} > 0.5`"):
        layer(x, **{name: np.full((3, 5), 0.5)})


@pytest.mark.parametrize("is_symbolic", [False, True])
def test_bool_states_raise(is_symbolic: bool) -> None:
    x, mask = tf.zeros([3, 4, FEATURES]), np.ones((3, 4), bool)
    if is_symbolic:
        x, mask = keras.Input((4, FEATURES)), keras.Input((4,), dtype="bool")
    with pytest.raises(ValueError, match=r"`initial_state` of .* but it is bool tensor \(.*, 4\).*mask=mask"):
        zoo.GRU(4)(x, mask)


@pytest.mark.parametrize("constants", [tf.ones([2, 4]), [tf.ones([2, 4])]])
def test_constants_other_than_a_dict_raise(constants: Any) -> None:
    layer, x = zoo.RNN(MemoryCell(4)), tf.zeros([2, 5, FEATURES])
    for _ in range(2):
        with pytest.raises(TypeError, match=r"must be a dict of tensors by name.*constants=\{"):
            layer(x, constants=constants)
        layer(x, constants={"context": tf.ones([2, 4])})  # builds the layer


def test_constants_of_another_batch_size_raise() -> None:
    layer, x = zoo.RNN(MemoryCell(4)), tf.zeros([2, 5, FEATURES])
    with pytest.raises(
        TypeError, match=r"The constant 'context' has the shape \(3, 4\).* the inputs have 2 rows"
    ):
        layer(x, constants={"context": tf.ones([3, 4])})
    assert layer(x, constants={"context": tf.ones([1, 4])}).shape == (2, 4)  # is broadcast
    with pytest.raises(TypeError, match=r"\[2,4\] vs\. \[1,3\]\)\. By `state_size`"):  # not its batch size
        layer(x, constants={"context": tf.ones([1, 3])})


@pytest.mark.parametrize("is_symbolic", [False, True])
@pytest.mark.parametrize("name", ["context", "projection"])
def test_constants_that_no_cell_reads_raise(name: str, is_symbolic: bool) -> None:
    x = keras.Input((5, FEATURES)) if is_symbolic else tf.zeros([2, 5, FEATURES])
    constants = {name: keras.Input((4,)) if is_symbolic else tf.ones([2, 4])}
    message = (
        rf"has '{name}', which GRUCell, LSTMCell does not read.* weights bias, kernel, recurrent_kernel\."
    )
    with pytest.raises(ValueError, match=message):
        zoo.RNN([zoo.GRUCell(4), zoo.LSTMCell(4)])(x, constants=constants)


def test_persistent_tape_around_function() -> None:
    layer, x = zoo.LSTM(4, return_sequences=True), tf.constant(random_normal(0, 3, 20, 5, dtype="float32"))
    layer.build(x.shape)
    function = tf.function(lambda x: layer(x, training=True), autograph=False)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        loss = tf.reduce_sum(function(x) ** 2)
    with tf.GradientTape() as expected:
        expected.watch(x)
        plain = tf.reduce_sum(layer(x, training=True) ** 2)
    assert_close([tape.gradient(loss, x)] * 2, [expected.gradient(plain, x), tape.gradient(loss, x)], 1e-4)
