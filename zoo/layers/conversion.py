"""Swap the recurrent layers of a Keras model: Keras's layers for those of this library, and back."""

import inspect
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import keras

from zoo._compat import flatten_layers
from zoo.cells import Cell, GRUCell, LSTMCell, SimpleRNNCell
from zoo.cells.checks import check_layer
from zoo.errors import ConversionError
from zoo.layers.gru import GRU
from zoo.layers.lstm import LSTM
from zoo.layers.rnn import RNN, get_carried_states
from zoo.layers.simple_rnn import SimpleRNN

PAIRS: list[tuple[type[keras.Layer], type[keras.Layer]]] = [
    (keras.layers.LSTM, LSTM),
    (keras.layers.GRU, GRU),
    (keras.layers.SimpleRNN, SimpleRNN),
    (keras.layers.RNN, RNN),
    (keras.layers.LSTMCell, LSTMCell),
    (keras.layers.GRUCell, GRUCell),
    (keras.layers.SimpleRNNCell, SimpleRNNCell),
]
"""Classes of Keras and of this library with the same arguments, weights and outputs."""

Config = dict[str, Any]
"""What `keras.saving.serialize_keras_object` returns for a layer, with `class_name`, `module` and `config`."""


def convert_from_keras(model: keras.Model, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Return a copy of a Keras model with the recurrent layers of this library in place of Keras's.

    `keras.layers.LSTM`, `GRU`, `SimpleRNN` and `RNN` become `zoo.LSTM`, `GRU`, `SimpleRNN` and `RNN`, wherever
    they are: in functional, sequential and nested models, shared by several calls, inside `Bidirectional`,
    `TimeDistributed` and other wrappers. So do the cells inside `RNN` and `StackedRNNCells`. All other layers
    stay what they are, `ConvLSTM2D` among them, and `RNN` continues to run cells of your own.

    The copy has the weights, the arguments of `compile`, the state of the optimizer and the states of stateful
    layers, and computes the same outputs. The model itself does not change. In training, one thing differs:
    with `recurrent_dropout` or `implementation=1`, Keras draws a dropout mask for each gate, and this library
    one for all gates.

    `load_model(path, custom_objects={"LSTM": zoo.LSTM})` does not swap layers: Keras looks up only names that
    are not its own. Load the file without it, and convert the model.

    Args:
        model: the model. The classes of its custom layers must be able to be saved, as for `model.save`.
        custom_objects: dict or None. Custom classes and functions by name, as of `keras.models.load_model`.
            Those that are registered with Keras are found without it, and so are the classes of the layers.

    Returns:
        The copy.

    Raises:
        TypeError: `model` is not a Keras model.
        ConversionError: a layer cannot be converted, or the model cannot be copied.

    Example:
        >>> import keras, zoo
        >>> old = keras.Sequential([keras.Input((None, 3)), keras.layers.Bidirectional(keras.layers.LSTM(4))])
        >>> model = zoo.convert_from_keras(old)
        >>> type(model.layers[0].forward_layer)
        <class 'zoo.layers.lstm.LSTM'>
    """
    check_layer(model, keras.Model)
    swap = {("keras.layers", theirs.__name__): ours for theirs, ours in PAIRS}

    def convert(found: Config) -> Config:
        ours = swap.get((found["module"], found["class_name"]))
        return found if ours is None else {**found, **_describe_class(ours, ours.__module__)}

    copy = _copy_model(model, convert, custom_objects)
    for layer in flatten_layers(copy):
        _check_converted(layer, copy)
    return copy


def convert_to_keras(model: keras.Model, custom_objects: dict[str, Any] | None = None) -> keras.Model:
    """Return a copy of a model with Keras's recurrent layers in place of those of this library.

    The inverse of `convert_from_keras`: the copy can be saved, loaded and run without this library. It has the
    weights, the arguments of `compile`, the state of the optimizer and the states of stateful layers, and
    computes the same outputs.

    Args:
        model: the model. Its layers from this library are `zoo.LSTM`, `GRU`, `SimpleRNN` and `RNN`, with cells
            and arguments that Keras has, too: no `zoneout`, for example.
        custom_objects: dict or None. Custom classes and functions by name, as of `keras.models.load_model`.
            Those that are registered with Keras are found without it, and so are the classes of the layers.

    Returns:
        The copy.

    Raises:
        TypeError: `model` is not a Keras model.
        ConversionError: a layer or an argument of it has no counterpart in Keras, or the model cannot be copied.

    Example:
        >>> import keras, zoo
        >>> model = keras.Sequential([keras.Input((None, 3)), zoo.LSTM(4)])
        >>> isinstance(zoo.convert_to_keras(model).layers[0], keras.layers.LSTM)
        True
    """
    check_layer(model, keras.Model)
    swap = {keras.saving.get_registered_name(ours): (theirs, ours) for theirs, ours in PAIRS}

    def convert(found: Config) -> Config:
        if found.get("registered_name") not in swap:
            return found
        theirs, ours = swap[found["registered_name"]]
        config = _drop_defaults(found["config"], theirs, ours)
        return {**found, **_describe_class(theirs, "keras.layers"), "config": config}

    for layer in flatten_layers(model):
        is_ours = _is_from(layer, "zoo") or isinstance(layer, (Cell, RNN))
        if is_ours and type(layer) not in {ours for _, ours in PAIRS}:
            raise ConversionError(
                f"Layer {layer.name!r} of model {model.name!r} is of the class {type(layer).__name__}, which "
                "Keras does not have. Only LSTM, GRU, SimpleRNN and RNN of this library, and their cells, have a "
                "counterpart."
            )
    return _copy_model(model, convert, custom_objects)


def _describe_class(cls: type[keras.Layer], module: str) -> Config:
    registered = keras.saving.get_registered_name(cls)
    return {
        "module": module,
        "class_name": cls.__name__,
        "registered_name": None if registered == cls.__name__ else registered,
    }


def _drop_defaults(config: Config, theirs: type[keras.Layer], ours: type[keras.Layer]) -> Config:
    """Remove the arguments that Keras's class lacks from a configuration; they must have their defaults."""
    constructors = [vars(cls)["__init__"] for cls in theirs.__mro__ if "__init__" in vars(cls)]
    known = {name for constructor in constructors for name in inspect.signature(constructor).parameters}
    defaults = {name: parameter.default for name, parameter in inspect.signature(ours).parameters.items()}
    for name in sorted(config.keys() - known):
        values = config[name] if isinstance(config[name], list) else [config[name]]
        if any(value != defaults[name] for value in values):
            raise ConversionError(
                f"`{name}` of {ours.__name__} {config['name']!r} is {config[name]!r}, and "
                f"keras.layers.{theirs.__name__} has no such argument. Create the layer with "
                f"`{name}={defaults[name]!r}` before you convert the model."
            )
    return {name: value for name, value in config.items() if name in known}


def _check_converted(layer: keras.Layer, model: keras.Model) -> None:
    """Raise a ConversionError if a layer of a converted model is still one of Keras's."""
    for theirs, ours in PAIRS:
        if type(layer) is theirs:
            custom = [owner for owner in flatten_layers(model) if not _is_from(owner, "keras")]
            owners = [owner for owner in custom if any(layer is inner for inner in flatten_layers(owner))]
            raise ConversionError(
                f"{theirs.__name__} {layer.name!r} of model {model.name!r} is created by the code of "
                f"{type(owners[-1]).__name__}, which a conversion does not change. Write zoo.{ours.__name__} "
                f"instead of keras.layers.{theirs.__name__} there; `load_weights` reads the weights you have."
            )
        if theirs is not keras.layers.RNN and isinstance(layer, theirs):
            raise ConversionError(
                f"{type(layer).__name__} {layer.name!r} of model {model.name!r} is a subclass of "
                f"keras.layers.{theirs.__name__}, and what it overrides would be lost. Derive it from "
                f"zoo.{ours.__name__}; `load_weights` reads the weights you have."
            )


def _is_from(layer: keras.Layer, package: str) -> bool:
    return type(layer).__module__.partition(".")[0] == package


def _copy_model(
    model: keras.Model, convert: Callable[[Config], Config], custom_objects: dict[str, Any] | None
) -> keras.Model:
    """Copy a model by a file of it, with `convert` applied to the configuration of each object in the file."""
    layers = [layer for layer in flatten_layers(model) if not _is_from(layer, "keras")]
    custom_objects = {**{type(layer).__name__: type(layer) for layer in layers}, **(custom_objects or {})}
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "source.keras"), Path(directory, "target.keras")
        try:
            model.save(source)
        except Exception as error:
            raise ConversionError(_explain_copy(model, error)) from error
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "config.json":
                    content = json.dumps(_convert_all(json.loads(content), convert)).encode()
                new.writestr(name, content)
        try:
            with warnings.catch_warnings():
                # An optimizer that has not run yet has no state to load.
                action: Literal["error", "ignore"] = (
                    "error" if model.compiled and model.optimizer.built else "ignore"
                )
                warnings.filterwarnings(action, "Skipping variable loading for optimizer")
                copy: keras.Model = keras.models.load_model(target, custom_objects, safe_mode=False)
        except Exception as error:
            raise ConversionError(_explain_copy(model, error)) from error
    if [weight.shape for weight in copy.weights] != [weight.shape for weight in model.weights]:
        raise ConversionError(
            f"The copy of model {model.name!r} has other weights than the model: a custom class does not create "
            "its weights in `build`. Define `build` there."
        )
    for state, value in zip(get_carried_states(copy), get_carried_states(model), strict=True):
        state.assign(value)
    return copy


def _explain_copy(model: keras.Model, error: Exception) -> str:
    reason = " ".join(str(error).strip().partition("\n\n")[0].split())
    custom = {
        type(layer).__name__
        for layer in flatten_layers(model)
        if not _is_from(layer, "keras") and not _is_from(layer, "zoo")
    }
    advice = (
        f" Where one of {', '.join(sorted(custom))} creates recurrent layers in its own code, write those of this "
        "library there instead of converting the model; `load_weights` reads the weights you have."
    )
    return (
        f"Model {model.name!r} cannot be copied, because Keras cannot save and load it: {reason} Define "
        "`get_config` in custom classes, and name functions and classes that are not registered in "
        f"`custom_objects`.{advice if custom else ''}"
    )


def _convert_all(found: Any, convert: Callable[[Config], Config]) -> Any:
    """Apply `convert` to every serialized object in nested lists and dicts, the inner ones first."""
    if isinstance(found, list):
        return [_convert_all(value, convert) for value in found]
    if not isinstance(found, dict):
        return found
    found = {name: _convert_all(value, convert) for name, value in found.items()}
    return convert(found) if "module" in found and "class_name" in found else found
