"""Bypasses around recurrent layers: results, masks and states, models and files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from keras import layers
from references import assert_close, evaluate, random_normal, randomize_weights

import zoo

BATCH, TIME, WIDTH = 4, 7, 6

MASK = np.array([list("1101001"), list("0011010"), list("1111110"), list("0000000")]) == "1"

Merge = Callable[[np.ndarray, np.ndarray, list[np.ndarray]], np.ndarray]


class WeightedBypass(zoo.Bypass):
    """A bypass of a user: a third of the layer's output, two thirds of its input."""

    def merge(self, x, y):
        return (y + 2 * x) / 3


def merge_residual(x: np.ndarray, y: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    return x + y


def merge_highway(x: np.ndarray, y: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    kernel, bias = weights
    t = references.sigmoid(x @ kernel + bias)
    return t * y + (1 - t) * x


def merge_weighted(x: np.ndarray, y: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    return (y + 2 * x) / 3


every_bypass = pytest.mark.parametrize(
    ("bypass", "merge"),
    [(zoo.Residual, merge_residual), (zoo.Highway, merge_highway), (WeightedBypass, merge_weighted)],
    ids=["Residual", "Highway", "user's"],
)

LAYERS = {
    "ours": lambda **arguments: zoo.LSTM(WIDTH, **arguments),
    "of Keras": lambda **arguments: layers.GRU(WIDTH, **arguments),
    "projected": lambda **arguments: zoo.ProjectedLSTM(5, WIDTH, **arguments),
    "in both directions": lambda **arguments: layers.Bidirectional(
        zoo.GRU(WIDTH // 2, **arguments), dtype=arguments["dtype"]
    ),
    "stack": lambda **arguments: zoo.Residual(zoo.GRU(WIDTH, **arguments)),
}
every_layer = pytest.mark.parametrize("kind", LAYERS)


def build_bypass(bypass: type[zoo.Bypass], layer: layers.Layer) -> zoo.Bypass:
    """Create a bypass around a layer with random weights."""
    wrapped = bypass(layer)
    wrapped.build((None, None, WIDTH))
    randomize_weights(wrapped)
    return wrapped


def get_bypass_weights(wrapped: zoo.Bypass) -> list[np.ndarray]:
    """Return the weights of the bypass without those of the layer."""
    inner = {id(weight) for weight in wrapped.layer.weights}
    return [weight.numpy() for weight in wrapped.weights if id(weight) not in inner]


@every_bypass
def test_outputs_and_gradients_equal_numpy_reference(bypass: type[zoo.Bypass], merge: Merge) -> None:
    wrapped = build_bypass(bypass, zoo.LSTM(WIDTH, return_sequences=True, return_state=True, dtype="float64"))
    x, states = (
        random_normal(7, BATCH, TIME, WIDTH),
        [random_normal(8, BATCH, WIDTH), random_normal(9, BATCH, WIDTH)],
    )
    variables = [*wrapped.layer.trainable_variables, *wrapped.trainable_variables]
    variables = list({id(v): v for v in variables}.values())  # first the layer's, then those of the bypass

    def expected(x: np.ndarray, states: list[np.ndarray], weights: list[np.ndarray]) -> list[np.ndarray]:
        outputs, *finals = references.run(references.lstm, weights[:3], x, states, MASK)
        return [merge(x, outputs, weights[3:]), *finals]

    outputs, gradients = evaluate(
        lambda x, states: wrapped(x, initial_state=states, mask=tf.constant(MASK)),
        x,
        states,
        variables,
        graph=True,
    )
    weights = [v.numpy() for v in variables]
    assert_close(outputs, expected(x, states, weights), 1e-12)
    at = [x, *states, *weights]
    directions = [random_normal(20 + i, *a.shape) for i, a in enumerate(at)]
    slopes = references.compute_slopes(
        lambda at: references.weighted_sum(expected(at[0], at[1:3], at[3:])), at, directions
    )
    assert_close([np.sum(g * d) for g, d in zip(gradients, directions, strict=True)], slopes, 1e-7)


@every_bypass
@every_layer
def test_equals_merge_of_input_and_layer_output(bypass: type[zoo.Bypass], merge: Merge, kind: str) -> None:
    wrapped = build_bypass(bypass, LAYERS[kind](return_sequences=True, return_state=True, dtype="float64"))
    x = random_normal(7, BATCH, TIME, WIDTH)
    _, *states = wrapped(x)
    states = [random_normal(10 + i, *state.shape) for i, state in enumerate(states)]
    for arguments in ({}, {"mask": tf.constant(MASK)}, {"initial_state": states, "mask": tf.constant(MASK)}):
        y, *finals = wrapped.layer(x, **arguments)
        merged = merge(x, y.numpy(), get_bypass_weights(wrapped))
        assert_close(list(wrapped(x, **arguments)), [merged, *finals], 1e-12)
    shapes = [output.shape for output in wrapped(x)]
    assert [tuple(s) for s in wrapped.compute_output_shape(x.shape)] == shapes


@every_bypass
def test_masks_pass_through_a_functional_model(bypass: type[zoo.Bypass], merge: Merge) -> None:
    first, second = (layers.LSTM(WIDTH, return_sequences=n == 0, dtype="float64") for n in range(2))
    wrapped = bypass(first)
    sequences = keras.Input((None, WIDTH), dtype="float64")
    masked = layers.Masking(dtype="float64")(sequences)
    model = keras.Model(sequences, second(wrapped(masked)))
    randomize_weights(model)
    x = random_normal(7, BATCH, TIME, WIDTH) * MASK[..., None]
    mask = tf.constant(MASK)
    merged = merge(x, first(x, mask=mask).numpy(), get_bypass_weights(wrapped))
    assert_close(model(x), second(merged, mask=mask), 1e-12)
    assert not np.allclose(model(x), second(merged), 1e-3)


@every_bypass
def test_training_is_passed_to_layer(bypass: type[zoo.Bypass], merge: Merge) -> None:
    wrapped = build_bypass(
        bypass, zoo.GRU(WIDTH, return_sequences=True, dropout=0.5, seed=1, dtype="float64")
    )
    twin = zoo.GRU.from_config(wrapped.layer.get_config())
    x = random_normal(7, BATCH, TIME, WIDTH)
    twin.build(x.shape)
    twin.set_weights(wrapped.layer.get_weights())
    for training in (True, False):
        expected = merge(x, twin(x, training=training).numpy(), get_bypass_weights(wrapped))
        assert_close(wrapped(x, training=training), expected, 1e-12)
    assert not np.allclose(wrapped(x, training=True), wrapped(x))


@every_bypass
@every_layer
def test_keras_file_round_trip(bypass: type[zoo.Bypass], merge: Merge, kind: str, tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((None, WIDTH)),
            bypass(LAYERS[kind](return_sequences=True, dtype="float32"), name="past"),
            zoo.GRU(3),
        ]
    )
    randomize_weights(model)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    assert twin.to_json() == model.to_json()
    assert type(twin.get_layer("past")) is bypass
    assert type(twin.get_layer("past").layer) is type(model.get_layer("past").layer)
    x = random_normal(7, BATCH, TIME, WIDTH, dtype="float32")
    assert_close(twin(x), model(x), 0)


def test_stack_learns() -> None:
    keras.utils.set_random_seed(1)
    inner = [layer(WIDTH, return_sequences=True) for layer in (zoo.LSTM, zoo.GRU)]
    stack = [zoo.Highway(inner[0]), zoo.Residual(inner[1])]
    model = keras.Sequential([keras.Input((TIME, WIDTH)), *stack])
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=False)
    x = random_normal(7, 32, TIME, WIDTH, dtype="float32")
    losses = model.fit(x, np.cumsum(x, axis=1) / 3, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("bypass", [zoo.Residual, zoo.Highway])
def test_dtype_is_that_of_layer(bypass: type[zoo.Bypass]) -> None:
    wrapped = build_bypass(bypass, zoo.LSTM(WIDTH, return_sequences=True, dtype="mixed_bfloat16"))
    exact = bypass(zoo.LSTM(WIDTH, return_sequences=True, dtype="float64"))
    exact.build((None, None, WIDTH))
    exact.set_weights(wrapped.get_weights())
    x = random_normal(7, BATCH, TIME, WIDTH)
    y = wrapped(x)
    assert y.dtype == "bfloat16"
    assert {w.dtype for w in wrapped.weights} == {"float32"}
    assert_close(tf.cast(y, "float64"), exact(x), 0.05)
    narrow = bypass(zoo.GRU(WIDTH, return_sequences=True, dtype="mixed_bfloat16"), dtype="float32")
    assert narrow(x).dtype == "float32"


def test_highway_initial_bias_and_config() -> None:
    highway = zoo.Highway(zoo.GRU(WIDTH, return_sequences=True), name="mine", initial_bias=-3.0)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(highway)))
    twin = keras.saving.deserialize_keras_object(config)
    assert twin.get_config() == highway.get_config()
    assert twin.initial_bias == -3
    plain = zoo.Highway(layers.GRU(WIDTH, return_sequences=True))
    for layer, bias in ((highway, -3), (twin, -3), (plain, -1)):
        layer.build((None, None, WIDTH))
        assert_close(layer.transform_bias.numpy(), np.full(WIDTH, bias), 0)


@pytest.mark.parametrize("bypass", [zoo.Residual, zoo.Highway])
@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (zoo.LSTM(WIDTH), "a recurrent layer with `return_sequences=True`, not <LSTM"),
        (layers.Dense(WIDTH), "a recurrent layer .* not <Dense"),
        (zoo.LSTM(WIDTH, return_sequences=True, go_backwards=True), "Wrap a keras.layers.Bidirectional"),
        (
            layers.Bidirectional(zoo.GRU(WIDTH, return_sequences=True), merge_mode=None),
            '`merge_mode=None`. Choose another one, for example "concat"',
        ),
    ],
)
def test_unsuitable_layer_raises(bypass: type, layer: layers.Layer, message: str) -> None:
    with pytest.raises(ValueError, match=f"{bypass.__name__} needs .*{message}"):
        bypass(layer)


@pytest.mark.parametrize("options", [{}, {"return_state": True}])
@pytest.mark.parametrize("bypass", [zoo.Residual, zoo.Highway])
def test_different_widths_raise(bypass: type, options: dict[str, Any]) -> None:
    wrapped = bypass(zoo.LSTM(5, return_sequences=True, name="inner", **options), name="outer")
    message = (
        f"{bypass.__name__} needs an output as wide as the input, but the input of 'inner' has {WIDTH} "
        r"features and its output 5. Change .* put keras.layers.Dense\(5\) before 'outer'"
    )
    with pytest.raises(ValueError, match=message):
        wrapped(random_normal(7, BATCH, TIME, WIDTH))


def test_bypass_without_merge_raises() -> None:
    class EmptyBypass(zoo.Bypass):
        pass

    with pytest.raises(NotImplementedError, match="EmptyBypass must define `merge"):
        EmptyBypass(zoo.GRU(WIDTH, return_sequences=True))(random_normal(7, BATCH, TIME, WIDTH))


@pytest.mark.parametrize("cell", [zoo.cells.CfCCell, zoo.cells.LTCCell, zoo.cells.PhasedLSTMCell])
def test_cell_with_extra_columns_is_refused_above_another(cell: type[zoo.Cell]) -> None:
    zoo.RNN([cell(4), zoo.GRUCell(4)])
    with pytest.raises(ValueError, match=r"cannot be number 2 of a stack: it expects the time .*concatenate"):
        zoo.RNN([zoo.GRUCell(4), cell(4)])
    with pytest.raises(ValueError, match="cannot be number 2 of a stack"):
        zoo.Encoder(cell(4), depth=2)


class ContextCell(zoo.SimpleRNNCell):
    """Adds a constant, by a layer whose weights depend on its shape."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.mix = keras.layers.Dense(units)

    def update(self, x, r, states):
        return super().update(x + self.mix(self.constants["context"]), r, states)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("is_symbolic", [False, True])
def test_constants_and_resets_are_passed_to_the_layer(is_symbolic: bool, depth: int) -> None:
    layer = zoo.RNN(ContextCell(3), return_sequences=True)
    bypass = zoo.Residual(layer) if depth == 1 else zoo.Residual(zoo.Highway(layer))
    x = tf.constant(random_normal(1, 2, 6, 3, dtype="float32"))
    context = tf.constant(random_normal(2, 2, 5, dtype="float32"))
    resets = tf.constant(np.arange(6) == [[3], [9]])
    if is_symbolic:
        inputs = [keras.Input((6, 3)), keras.Input((5,)), keras.Input((6,), dtype="bool")]
        outputs = bypass(inputs[0], constants={"context": inputs[1]}, resets=inputs[2])
        result = keras.Model(inputs, outputs)([x, context, resets])
    else:
        result = bypass(x, constants={"context": context}, resets=resets)
    assert layer.cell.mix.built
    y = layer(x, constants={"context": context}, resets=resets)
    expected = x + (y if depth == 1 else bypass.layer.merge(x, y))
    assert_close(result, expected, 1e-6)
    assert np.any(y != layer(x, constants={"context": context}))
