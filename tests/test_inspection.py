"""Gates and states of layers and encoders, against a loop over the cell."""

import re
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo

RNG = np.random.default_rng(11)
LENGTHS = np.array([[7], [3], [0], [5]])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "cell",
    [
        zoo.LSTMCell(5),
        zoo.GRUCell(5),
        zoo.GRUCell(5, reset_after=False),
        zoo.cells.LMUCell(5, order=3, theta=4.0, memory_dim=2),
    ],
)
def test_gates_equal_a_loop_over_the_cell(cell: zoo.Cell, backwards: bool) -> None:
    cell = type(cell).from_config(cell.get_config())
    layer = zoo.RNN(cell, go_backwards=backwards)
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    layer.build(x.shape)
    for weight in layer.trainable_weights:
        weight.assign(RNG.normal(size=weight.shape))
    gates = zoo.inspection.gates(layer, x, mask)
    states = cell.get_initial_state(4)
    gate_names = list(cell.gates(cell.project(x[:, 0]), cell.recurrent(states), states))
    assert list(gates) == [*gate_names, *cell.state_names]
    for row in range(4):
        states = cell.get_initial_state(1)
        times = [t for t in range(7) if mask[row, t]]
        for t in reversed(times) if backwards else times:
            x_t = cell.project(x[row : row + 1, t])
            r_t = cell.recurrent(states)
            for name, value in cell.gates(x_t, r_t, states).items():
                np.testing.assert_allclose(gates[name][row, t], value[0], atol=1e-5)
            _, states = cell.update(x_t, r_t, states)
            for name, value in zip(cell.state_names, states, strict=True):
                np.testing.assert_allclose(gates[name][row, t], value[0], atol=1e-5)


def test_gates_of_an_encoder_are_named_by_layer_and_direction() -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(5), depth=2, bidirectional=True)
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    outputs, _ = encoder(x, mask=mask)
    gates = zoo.inspection.gates(encoder, x, mask)
    assert list(gates) == [
        f"layer{n}_{direction}_{name}"
        for n in (1, 2)
        for direction in ("forward", "backward")
        for name in ("input", "forget", "candidate", "output", "hidden", "cell")
    ]
    hidden = np.concatenate([gates["layer2_forward_hidden"], gates["layer2_backward_hidden"]], -1)
    np.testing.assert_allclose(np.where(mask[..., None], hidden, 0), outputs, atol=1e-6)


def test_gates_of_an_encoder_of_one_direction() -> None:
    encoder = zoo.Encoder(zoo.SimpleRNNCell(5), depth=2)
    x = RNG.normal(size=(4, 7, 3)).astype("float32")
    outputs, _ = encoder(x)
    gates = zoo.inspection.gates(encoder, x)
    assert list(gates) == ["layer1_hidden", "layer2_hidden"]
    np.testing.assert_allclose(gates["layer2_hidden"], outputs, atol=1e-6)


def test_gates_of_a_bidirectional_layer_are_those_of_its_directions() -> None:
    x, mask = RNG.normal(size=(4, 7, 3)).astype("float32"), np.arange(7) < LENGTHS
    layer = keras.layers.Bidirectional(zoo.GRU(5, return_sequences=True))
    layer(x)
    gates = zoo.inspection.gates(layer, x, mask)
    for direction, one in (("forward", layer.forward_layer), ("backward", layer.backward_layer)):
        for name, value in zoo.inspection.gates(one, x, mask).items():
            np.testing.assert_array_equal(gates.pop(f"{direction}_{name}"), value)
    assert not gates


def test_gates_of_a_functional_model() -> None:
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 4, mask_zero=True)(ids)
    both = keras.layers.Bidirectional(zoo.LSTM(5, return_sequences=True), name="both")(x)
    stack = zoo.RNN(
        [zoo.GRUCell(3, name="a"), zoo.SimpleRNNCell(2, name="b")], return_sequences=True, name="two"
    )
    model = keras.Model(ids, stack(keras.layers.GRU(6, return_sequences=True)(both)))
    states = keras.Model(ids, [both, model.output])
    batch = np.array([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0], [8, 0, 0, 0, 0]])
    gates = zoo.inspection.gates(model, batch)
    assert [name for name in gates if name.endswith("hidden")] == [
        *("both_forward_hidden", "both_backward_hidden", "two/a_hidden", "two/b_hidden")
    ]
    of_both, of_stack = states(batch)
    hidden = np.concatenate([gates["both_forward_hidden"], gates["both_backward_hidden"]], -1)
    valid = (batch > 0)[..., None]  # at padding, outputs and states differ
    np.testing.assert_allclose(np.where(valid, hidden, 0), np.where(valid, of_both, 0), atol=1e-6)
    np.testing.assert_allclose(gates["two/b_hidden"], of_stack, atol=1e-6)


@pytest.mark.parametrize("input_feeding", [False, True])
def test_gates_of_a_decoder_begin_with_its_initial_state(input_feeding: bool) -> None:
    """With input feeding, the layer runs once for each step."""
    encoder = zoo.Encoder(zoo.LSTMCell(3), bidirectional=True, name="encoder")
    decoder = zoo.Decoder(
        9, 4, zoo.GRUCell(5), attention=zoo.AdditiveAttention(3), input_feeding=input_feeding, name="decoder"
    )
    model = zoo.DelayedManyToMany(zoo.ScaledEmbedding(9, 4), encoder, decoder)
    source, target = np.array([[1, 2, 3], [4, 5, 0]]), np.array([[2, 6, 7, 8], [2, 5, 4, 0]])
    model((source, target))
    gates = zoo.inspection.gates(model, (source, target))
    hidden = [name for name in gates if name.endswith("hidden")]
    assert hidden == [
        *("encoder/layer1_forward_hidden", "encoder/layer1_backward_hidden", "decoder/layer1_hidden")
    ]
    _, states = encoder(model.embedding(source), mask=source != 0)
    h = decoder.get_initial_state(encoder.summarize(states))["states"][0].numpy()
    assert np.abs(h).max() > 0.1
    for t in range(4):
        z, candidate = (gates[f"decoder/layer1_{name}"][:, t].numpy() for name in ("update", "candidate"))
        h = z * h + (1 - z) * candidate
        np.testing.assert_allclose(gates["decoder/layer1_hidden"][:, t], h, atol=1e-6)


def test_gates_of_a_layer_with_resets_and_carried_states() -> None:
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    resets = np.zeros((2, 6), bool)
    resets[0, 3] = True

    class Restarting(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.layer = zoo.RNN(zoo.GRUCell(4), stateful=True, return_sequences=True, name="rnn")

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.layer(x, resets=resets)

    model = Restarting()
    model(x)
    gates = zoo.inspection.gates(model, x)
    np.testing.assert_allclose(
        gates["rnn_hidden"], model(x), atol=1e-6
    )  # so the carried states are unchanged
    z, candidate, hidden = (gates[f"rnn_{name}"].numpy() for name in ("update", "candidate", "hidden"))
    before = hidden[:, 2] * [[0], [1]]
    np.testing.assert_allclose(hidden[:, 3], z[:, 3] * before + (1 - z[:, 3]) * candidate[:, 3], atol=1e-6)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_inspection_of_mixed_precision_layers(dtype: str) -> None:
    x = np.random.default_rng(5).normal(size=(3, 6, 4)).astype("float32")
    mixed, full = zoo.LSTM(5, dtype=dtype), zoo.LSTM(5)
    mixed(x), full(x)
    mixed.set_weights(full.get_weights())
    gates, expected = zoo.inspection.gates(mixed, x), zoo.inspection.gates(full, x)
    assert list(gates) == list(expected)
    for name, values in gates.items():
        assert values.dtype == dtype.removeprefix("mixed_")
        np.testing.assert_allclose(tf.cast(values, tf.float32), expected[name], atol=0.02)
    jacobians = tf.cast(zoo.inspection.step_jacobians(mixed, x), tf.float32)
    np.testing.assert_allclose(jacobians, zoo.inspection.step_jacobians(full, x), atol=0.02)


def test_unsuitable_layers_raise() -> None:
    x = np.zeros((2, 3, 4), "float32")
    for inspect in (zoo.inspection.gates, zoo.inspection.step_jacobians):
        with pytest.raises(ValueError, match=r"has no weights yet\. Call it"):
            inspect(zoo.GRU(3), x)
        layer = zoo.RNN(keras.layers.GRUCell(3))
        layer(x)
        with pytest.raises(ValueError, match=r"Expected a `zoo\.RNN` with (one|a) `zoo\.Cell`"):
            inspect(layer, x)
    keras_layer = keras.layers.LSTM(3)
    keras_layer(x)
    with pytest.raises(ValueError, match=r"call `zoo\.convert_from_keras` first"):
        zoo.inspection.step_jacobians(keras_layer, x)
    layer = keras.layers.Bidirectional(zoo.GRU(3))
    layer(x)
    with pytest.raises(ValueError, match=r"pass its `forward_layer`"):
        zoo.inspection.step_jacobians(layer, x)
    with pytest.raises(ValueError, match=r"call `zoo\.convert_from_keras` first"):
        zoo.inspection.gates(keras.Sequential([keras.layers.Input((3, 4)), keras.layers.Dense(2)]), x)


def score_first(outputs: tf.Tensor) -> tf.Tensor:
    return outputs[:, 0]


INSPECTIONS = {
    "gates": zoo.inspection.gates,
    "state_gradients": lambda model, x: zoo.inspection.state_gradients(model, x, tf.reduce_sum),
    "step_jacobians": zoo.inspection.step_jacobians,
    "saliency": lambda model, x: zoo.inspection.saliency(model, x, score_first),
}


@pytest.mark.parametrize("name", INSPECTIONS)
def test_what_is_no_layer_raises(name: str) -> None:
    x = np.zeros((2, 3, 4), "float32")
    built, unbuilt = zoo.LSTMCell(3), zoo.LSTMCell(3)
    built.build((2, 4))
    for cell in (built, unbuilt, keras.layers.StackedRNNCells([built])):
        with pytest.raises(ValueError, match=r"Found the cell <.* one step\. .* `layer = zoo\.RNN\(cell\)`"):
            INSPECTIONS[name](cell, x)
    for model in (zoo.LSTM, None, {}):
        with pytest.raises(TypeError, match=f"Expected a Keras model or layer, got {re.escape(repr(model))}"):
            INSPECTIONS[name](model, x)


@pytest.mark.parametrize("name", INSPECTIONS)
def test_exports_raise(name: str) -> None:
    with pytest.raises(TypeError, match=r"the graph of an export\. .* `model\.signatures\[\"gates\"\]`"):
        INSPECTIONS[name](zoo.load("sentiment"), ["A delight."])


def test_keras_cells_raise() -> None:
    cell = keras.layers.LSTMCell(3)
    cell.build((2, 4))
    for name in ("gates", "state_gradients"):
        with pytest.raises(ValueError, match=r"call `zoo\.convert_from_keras` first"):
            INSPECTIONS[name](cell, np.zeros((2, 3, 4), "float32"))


@pytest.mark.parametrize("make", [lambda: zoo.LSTM(4), lambda: zoo.RNN(zoo.LSTMCell(4))])
@pytest.mark.parametrize("name", INSPECTIONS)
def test_inputs_without_a_batch_axis_raise(name: str, make: Callable[[], zoo.RNN]) -> None:
    x = np.zeros((2, 10, 3), "float32")
    model = make()
    model(x)
    message = r"expected (min_)?ndim=3, found ndim=2\. Full shape received: \(10, 3\)"
    if name == "step_jacobians":
        message = r"found shape \(10, 3\)\. Expected \[batch, time, features\]\. .* `x\[None\]`"
    with pytest.raises(ValueError, match=message):
        INSPECTIONS[name](model, x[0])


def test_inputs_of_an_encoder_without_a_batch_axis_raise() -> None:
    x = np.zeros((2, 10, 3), "float32")
    encoder = zoo.Encoder(zoo.LSTMCell(4))
    encoder(x)
    with pytest.raises(
        ValueError, match=r"expected min_ndim=3, found ndim=2\. Full shape received: \(10, 3\)"
    ):
        zoo.inspection.gates(encoder, x[0])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_time_stamps_keep_their_dtype(policy: str) -> None:
    """As in the layer, whose cell does not cast them; the states are those of the layer."""
    x = RNG.normal(size=(2, 20, 4))
    x[..., -1] = np.cumsum(RNG.uniform(0.5, 1.5, (2, 20)), 1) + (1e8 if policy == "float32" else 1e3)
    x = tf.constant(x if policy == "float32" else x.astype("float32"))
    settings = {"return_sequences": True, "open_ratio": 0.5, "max_period": 5.0}
    layer = zoo.PhasedLSTM(4, dtype=policy, **settings)
    outputs = tf.cast(layer(x), "float32")
    assert np.any(outputs)
    hidden = zoo.inspection.gates(layer, x)["hidden"]
    np.testing.assert_allclose(tf.cast(hidden, "float32"), outputs, atol=1e-6)
    full = zoo.PhasedLSTM(4, dtype="float64", **settings)
    full(x)
    full.set_weights(layer.get_weights())
    jacobians = tf.cast(zoo.inspection.step_jacobians(layer, x), "float64")
    np.testing.assert_allclose(jacobians, zoo.inspection.step_jacobians(full, x), atol=0.05)


@pytest.fixture
def shared_cell_model() -> keras.Model:
    """Two layers with one cell, of which one reads backwards; outputs are in the order of processing."""
    cell, inputs = zoo.GRUCell(4), keras.Input((6, 3))
    forward = zoo.RNN(cell, return_sequences=True, name="forward")(inputs)
    backward = zoo.RNN(cell, return_sequences=True, go_backwards=True, name="backward")(inputs)
    return keras.Model(inputs, [forward, backward])


def test_gates_of_layers_that_share_a_cell(shared_cell_model: keras.Model) -> None:
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    forward, backward = shared_cell_model(x)
    gates = zoo.inspection.gates(shared_cell_model, x)
    assert len(gates) == 2 * 4
    np.testing.assert_allclose(gates["forward_hidden"], forward, atol=1e-6)
    np.testing.assert_allclose(gates["backward_hidden"], backward[:, ::-1], atol=1e-6)


def test_state_gradients_of_layers_that_share_a_cell(shared_cell_model: keras.Model) -> None:
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    gradients = zoo.inspection.state_gradients(
        shared_cell_model, x, lambda outputs: tf.reduce_sum(outputs[1])
    )
    assert set(gradients) == {"forward_hidden", "backward_hidden"}
    assert not np.any(gradients["forward_hidden"])
    backward = shared_cell_model.get_layer("backward")
    expected = zoo.inspection.state_gradients(backward, x, tf.reduce_sum)["hidden"]
    np.testing.assert_allclose(gradients["backward_hidden"], expected, atol=1e-6)
    assert np.any(expected[:, 0] != expected[:, -1])


def test_state_gradients_of_a_backward_layer_that_runs_twice() -> None:
    """The steps of each run are in the order of its inputs."""
    layer = zoo.RNN(zoo.GRUCell(4), go_backwards=True, name="backward")
    one, other = keras.Input((6, 3)), keras.Input((2, 3))
    model = keras.Model([one, other], layer(one) + layer(other))
    x = [RNG.normal(size=(2, n, 3)).astype("float32") for n in (6, 2)]
    gradients = zoo.inspection.state_gradients(model, x, tf.reduce_sum)["backward_hidden"]
    expected = [zoo.inspection.state_gradients(layer, part, tf.reduce_sum)["hidden"] for part in x]
    np.testing.assert_allclose(gradients, np.concatenate(expected, 1), atol=1e-6)


class DoublingCell(zoo.SimpleRNNCell):
    """A cell that overrides `call`, so that Keras's loop runs it."""

    def call(self, inputs, states, training=False, constants=None):
        output, states = super().call(inputs, states, training)
        return 2 * output, [2 * states[0]]


@pytest.mark.parametrize(
    "inspect",
    [
        zoo.inspection.gates,
        zoo.inspection.step_jacobians,
        lambda layer, x: zoo.inspection.state_gradients(layer, x, tf.reduce_sum),
    ],
    ids=["gates", "step_jacobians", "state_gradients"],
)
def test_cells_that_override_call_raise(inspect: Callable) -> None:
    layer, x = zoo.RNN(DoublingCell(4)), tf.ones([2, 6, 3])
    layer(x)
    with pytest.raises(
        ValueError, match=r"Expected a `zoo\.RNN` with a `zoo\.Cell` that does not override `call`"
    ):
        inspect(layer, x)


def test_errors_of_users_leave_carried_states() -> None:
    layer, x = zoo.GRU(3, stateful=True), tf.ones([2, 6, 4])
    layer(x)
    before = layer.states[0].numpy()

    def fail(outputs: tf.Tensor) -> tf.Tensor:
        raise RuntimeError("score")

    for inspect in (zoo.inspection.saliency, zoo.inspection.state_gradients):
        with pytest.raises(RuntimeError, match="score"):
            inspect(layer, x, lambda outputs: fail(outputs))
        np.testing.assert_array_equal(layer.states[0], before)
