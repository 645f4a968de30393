"""Swap Keras's recurrent layers in a model for those of this library, and back; reset states of a model."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from references import assert_close, random_normal, randomize_weights

import zoo
from zoo._compat import flatten_layers
from zoo.errors import ConversionError

BATCH, TIME, FEATURES, WORDS = 4, 6, 3, 10


def list_recurrent(model: keras.Model) -> list[type]:
    """The classes of all recurrent layers and their cells."""
    kinds = layers.RNN, layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell, zoo.Cell
    return [type(layer) for layer in flatten_layers(model) if isinstance(layer, kinds)]


def make_sequences() -> np.ndarray:
    return random_normal(0, BATCH, TIME, FEATURES, dtype="float32")


def make_functional() -> tuple[keras.Model, np.ndarray]:
    """A shared layer, a nested model, wrappers, stacked cells, returned and initial states."""
    inputs = keras.Input((None, FEATURES))
    every = {"return_sequences": True}
    shared = layers.LSTM(FEATURES, name="shared", **every)
    nested = keras.Sequential([keras.Input((None, FEATURES)), layers.GRU(4, reset_after=False, **every)])
    x = nested(shared(shared(inputs)))
    x = layers.Bidirectional(
        layers.LSTM(3, **every), backward_layer=layers.GRU(3, go_backwards=True, **every)
    )(x)
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], **every)(x)
    x, state = layers.SimpleRNN(4, return_state=True, **every)(x)
    return keras.Model(inputs, layers.GRU(4, **every)(x, initial_state=state)), make_sequences()


def make_masked() -> tuple[keras.Model, np.ndarray]:
    """A mask from an embedding, in a sequential model."""
    ids = np.random.default_rng(0).integers(0, WORDS, (BATCH, TIME))
    ids[1, 3:] = 0
    embedding = layers.Embedding(WORDS, FEATURES, mask_zero=True)
    lstm = layers.LSTM(4, return_sequences=True, zero_output_for_mask=True)
    return keras.Sequential([keras.Input((None,)), embedding, lstm, layers.RNN(layers.LSTMCell(3))]), ids


def make_of_clips() -> tuple[keras.Model, np.ndarray]:
    """A recurrent layer at each time step of another one."""
    clips = random_normal(0, BATCH, 5, TIME, FEATURES, dtype="float32")
    inner = layers.TimeDistributed(layers.LSTM(4))
    return keras.Sequential([keras.Input((None, TIME, FEATURES)), inner, layers.GRU(3)]), clips


class Tagger(keras.Model):
    """A subclassed model that is given its recurrent layer."""

    def __init__(self, rnn: keras.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rnn = rnn
        self.dense = layers.Dense(2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.rnn.build(input_shape)
        self.dense.build(self.rnn.compute_output_shape(input_shape))

    def call(self, x: Any) -> Any:
        return self.dense(self.rnn(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rnn": keras.saving.serialize_keras_object(self.rnn)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Tagger":
        rnn = keras.saving.deserialize_keras_object(config.pop("rnn"))
        return cls(rnn, **config)


def make_subclassed() -> tuple[keras.Model, np.ndarray]:
    """A subclassed model whose configuration contains its recurrent layer."""
    return Tagger(layers.LSTM(4, return_sequences=True)), make_sequences()


MAKERS = (make_functional, make_masked, make_of_clips, make_subclassed)
every_model = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@every_model
def test_converted_model_has_the_outputs_and_back(
    make: Callable[[], tuple[keras.Model, np.ndarray]],
) -> None:
    model, x = make()
    expected = model(x)
    randomize_weights(model)
    expected, before = model(x), list_recurrent(model)
    converted = zoo.convert_from_keras(model)
    assert all(kind.__module__.startswith("zoo.") for kind in list_recurrent(converted))
    assert [kind.__name__ for kind in list_recurrent(converted)] == [kind.__name__ for kind in before]
    assert_close(converted(x), expected, 1e-5)
    back = zoo.convert_to_keras(converted)
    assert list_recurrent(back) == before == list_recurrent(model)
    assert back.to_json() == model.to_json()
    assert_close(back(x), expected, 1e-7)
    # The copies are independent of the model.
    randomize_weights(model, seed=1)
    assert_close(converted(x), expected, 1e-5)


def test_every_argument_is_converted() -> None:
    """Arguments other than the defaults of Keras's layers arrive, and come back."""
    arguments = {
        "activation": "relu",
        "recurrent_activation": "hard_sigmoid",
        "use_bias": False,
        "kernel_initializer": keras.initializers.RandomNormal(stddev=0.3, seed=1),
        "unit_forget_bias": False,
        "kernel_regularizer": "l2",
        "activity_regularizer": "l1",
        "recurrent_constraint": keras.constraints.MaxNorm(2),
        "dropout": 0.1,
        "recurrent_dropout": 0.2,
        "seed": 3,
        "return_state": True,
        "go_backwards": True,
        "unroll": True,
        "zero_output_for_mask": True,
        "name": "mine",
        "dtype": "mixed_bfloat16",
        "trainable": False,
    }
    inputs = keras.Input((TIME, FEATURES))
    model = keras.Model(inputs, layers.LSTM(4, **arguments)(inputs))
    converted = zoo.convert_from_keras(model).get_layer("mine")
    config, expected = converted.get_config(), model.get_layer("mine").get_config()
    assert {name: config[name] for name in expected} == expected
    assert zoo.convert_to_keras(zoo.convert_from_keras(model)).get_layer("mine").get_config() == expected


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_layers_have_every_argument_of_keras(name: str) -> None:
    """In the same order, with the same default."""
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (zoo, layers))
    assert [name for name in ours if name in theirs] == list(theirs)
    for argument, parameter in theirs.items():
        if argument not in ("self", "kwargs"):
            assert ours[argument].default == parameter.default
            if parameter.default is not inspect.Parameter.empty:
                getattr(zoo, name)(4, **{argument: parameter.default})


def mean_error(y: Any, outputs: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y - outputs))


def test_training_continues_with_the_state_of_the_optimizer() -> None:
    model = keras.Sequential([keras.Input((TIME, FEATURES)), layers.LSTM(4), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.01), loss=mean_error, metrics=["mae"])
    x, y = make_sequences(), random_normal(1, BATCH, 2, dtype="float32")
    model.fit(x, y, epochs=3, verbose=0)
    converted = zoo.convert_from_keras(model, custom_objects={"mean_error": mean_error})
    assert int(converted.optimizer.iterations) == 3
    logs = [one.fit(x, y, epochs=3, verbose=0).history for one in (model, converted)]
    for name in ("loss", "mae"):
        assert_close(logs[1][name], logs[0][name], 1e-5)


def test_compiled_model_that_has_not_been_trained_is_converted() -> None:
    converted = zoo.convert_from_keras(make_sequential(layers.LSTM(4), "mse"))
    assert converted.compiled
    assert converted.loss == "mse"
    assert not zoo.convert_from_keras(make_sequential(layers.LSTM(4))).compiled


def test_states_of_stateful_layers_are_copied() -> None:
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    every = {"return_sequences": True, "stateful": True}
    x = layers.Bidirectional(layers.LSTM(4, **every))(inputs)
    model = keras.Model(inputs, layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], **every)(x))
    model(make_sequences())
    converted = zoo.convert_from_keras(model)
    assert_close(converted(make_sequences()), model(make_sequences()), 1e-6)
    back = zoo.convert_to_keras(converted)
    assert_close(back(make_sequences()), model(make_sequences()), 1e-6)


class CustomLSTM(layers.LSTM):
    pass


class Creator(keras.Model):
    """Creates its recurrent layer itself."""

    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.rnn = layers.Bidirectional(layers.LSTM(units, name="inside"))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.rnn.build(input_shape)

    def call(self, x: Any) -> Any:
        return self.rnn(x)


class Unconfigured(keras.Model):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        self.rnn = layers.LSTM(4)

    def call(self, x: Any) -> Any:
        return self.rnn(self.function(x))


def make_sequential(layer: keras.Layer, loss: Any = None) -> keras.Model:
    model = keras.Sequential([keras.Input((TIME, FEATURES)), layer], name="tagger")
    if loss is not None:
        model.compile("sgd", loss=loss)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: make_sequential(CustomLSTM(4, name="mine")),
            r"CustomLSTM 'mine' of model 'tagger' is a subclass of keras.layers.LSTM.* zoo.LSTM",
        ),
        (
            lambda: Creator(name="tagger"),
            r"LSTM 'backward_inside' of model 'tagger' is created by the code of Creator.* zoo.LSTM instead",
        ),
        (
            lambda: Unconfigured(keras.ops.abs),
            r"'unconfigured' cannot be copied.* Define `get_config`.* one of Unconfigured creates recurrent",
        ),
        (
            lambda: make_sequential(layers.LSTM(4), mean_error),
            r"'tagger' cannot be copied.*'mean_error'.*in `custom_objects`",
        ),
    ],
    ids=["subclass", "own code", "no config", "custom loss"],
)
def test_models_that_cannot_be_converted_raise(make: Callable[[], keras.Model], message: str) -> None:
    model = make()
    model(make_sequences())
    with pytest.raises(ConversionError, match=message):
        zoo.convert_from_keras(model)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: zoo.LSTM(4, zoneout=[0.1, 0.2], name="mine"), r"`zoneout` of LSTM 'mine' is \[0.1, 0.2\]"),
        (
            lambda: zoo.RNN([zoo.GRUCell(4, candidate_dropout=0.1, name="mine")]),
            "`candidate_dropout` of GRUCell 'mine' is 0.1, and keras.layers.GRUCell has no such argument",
        ),
        (
            lambda: zoo.PeepholeLSTM(4, name="mine"),
            "'mine' of model 'tagger' is of the class PeepholeLSTM, which Keras does not have",
        ),
        (
            lambda: layers.RNN(zoo.cells.IndRNNCell(4, name="mine")),
            "'mine' of model 'tagger' is of the class IndRNNCell, which Keras does not have",
        ),
        (
            lambda: zoo.Residual(zoo.LSTM(3, return_sequences=True), name="mine"),
            "'mine' of model 'tagger' is of the class Residual, which Keras does not have",
        ),
    ],
    ids=["argument", "argument of a cell", "layer", "cell", "wrapper"],
)
def test_layers_that_keras_does_not_have_raise(make: Callable[[], keras.Layer], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        zoo.convert_to_keras(make_sequential(make()))


@pytest.mark.parametrize("convert", [zoo.convert_from_keras, zoo.convert_to_keras])
@pytest.mark.parametrize("model", ["model.keras", Path("model.keras"), layers.LSTM(4), None, zoo.LSTM])
def test_only_models_are_converted(convert: Callable[[Any], Any], model: Any) -> None:
    message = r"Expected a Keras model, got .*model = keras.saving.load_model\(path\)`.* layer into `keras.Sequential\("
    with pytest.raises(TypeError, match=message):
        convert(model)


@pytest.mark.parametrize(
    "function",
    [
        zoo.reset_states,
        zoo.layers.get_carried_states,
        lambda model: zoo.inspection.gates(model, make_sequences()),
        lambda model: zoo.inspection.state_gradients(model, make_sequences(), keras.ops.sum),
        lambda model: zoo.inspection.saliency(model, make_sequences(), keras.ops.sum),
    ],
)
def test_path_in_place_of_a_layer_raises(function: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"model or layer, got 'x'.*keras.saving.load_model\(path\)`\.$"):
        function("x")


def test_other_layers_stay() -> None:
    """Cells that are not Keras's, ConvLSTM2D, and layers with a vocabulary of their own."""

    class Cell(layers.Layer):
        state_size = 4

        def build(self, input_shape: tuple[int | None, ...]) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], 4))

        def call(self, x: Any, states: Any) -> Any:
            h = keras.ops.tanh(x @ self.kernel + states[0])
            return h, [h]

    model = make_sequential(layers.RNN(Cell()))
    converted = zoo.convert_from_keras(model)
    assert list_recurrent(converted) == [zoo.RNN]
    assert_close(converted(make_sequences()), model(make_sequences()), 1e-6)

    pictures = keras.Input((3, 8, 8, 1))
    model = keras.Model(pictures, layers.ConvLSTM2D(2, 3)(pictures))
    assert list_recurrent(zoo.convert_from_keras(model)) == [layers.ConvLSTM2D]

    vectorization = layers.TextVectorization()
    vectorization.adapt(["a b c", "a b"])
    text = keras.Input((1,), dtype="string")
    x = layers.Embedding(WORDS, FEATURES, mask_zero=True)(vectorization(text))
    model = keras.Model(text, layers.GRU(4)(x))
    words = keras.ops.convert_to_tensor([["a c"], ["b"]], dtype="string")
    assert_close(zoo.convert_from_keras(model)(words), model(words), 1e-6)


# States of a model.


class Holder(keras.Layer):
    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.models = {"inner": model}

    def call(self, x: Any) -> Any:
        return self.models["inner"](x)


@pytest.mark.parametrize("library", [zoo, layers])
def test_reset_states_reaches_every_layer(library: Any) -> None:
    every = {"return_sequences": True, "stateful": True}
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    stack = library.RNN([library.LSTMCell(3), library.GRUCell(3)], **every)
    nested = keras.Model(inputs, layers.Bidirectional(library.LSTM(3, **every))(stack(inputs)))
    outputs = library.GRU(4, **every)(Holder(nested)(inputs))
    model = keras.Model(inputs, zoo.Residual(library.SimpleRNN(4, **every))(outputs))
    first, second = model(make_sequences()), model(make_sequences())
    assert np.abs(second - first).max() > 1e-3
    zoo.reset_states(model)
    assert_close(model(make_sequences()), first, 1e-7)
    assert len(zoo.layers.get_carried_states(model)) == 9


def test_reset_states_restores_the_initial_states() -> None:
    class Cell(zoo.SimpleRNNCell):
        def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
            return [keras.ops.ones((batch_size, self.units))]

    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    model = keras.Model(inputs, zoo.RNN(Cell(4), stateful=True)(inputs))
    zoo.reset_states(model)
    first = model(make_sequences())
    model(make_sequences())
    zoo.reset_states(model)
    assert_close(model(make_sequences()), first, 1e-7)
    zoo.reset_states(keras.Sequential([zoo.LSTM(4)]))  # without states there is nothing to do
