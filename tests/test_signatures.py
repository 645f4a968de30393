"""Signatures and docstrings of cells and layers: complete, equal to each other, and compatible with Keras."""

import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from references import assert_close, random_normal, randomize_weights

import zoo
from zoo.cells.signatures import collect_arguments, complete_docstring

ROOT = Path(__file__).parents[1]
BATCH, TIME, FEATURES, UNITS = 4, 7, 3, 5


def public_classes(module: Any) -> list[type[keras.Layer]]:
    """Return the Keras layers among the public names of a module."""
    objects = (getattr(module, name) for name in module.__all__)
    return [x for x in objects if isinstance(x, type) and issubclass(x, keras.Layer)]


BASES = {zoo.Cell, zoo.GatedCell, zoo.LinearCell, zoo.cells.TimeInputCell, zoo.RNN, zoo.Bypass}
CLASSES = [*public_classes(zoo.cells), *public_classes(zoo.layers)]
CONCRETE = [cls for cls in CLASSES if cls not in BASES]
LAYERS = [cls for cls in CONCRETE if issubclass(cls, zoo.RNN)]

every_class = pytest.mark.parametrize("cls", CLASSES)
every_layer = pytest.mark.parametrize("layer", LAYERS)


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def defaults(function: Any) -> dict[str, Any]:
    """Return the parameters of a function with their defaults, without `self` and `kwargs`."""
    return {name: p.default for name, p in parameters(function).items() if name not in ("self", "kwargs")}


def documented(docstring: str, heading: str) -> dict[str, str]:
    """Return the entries of a section of a docstring by name."""
    section = re.search(rf"^{heading}:\n((?:    .*\n|\n(?=    ))*)", docstring, re.MULTILINE)
    assert section, heading
    entries = re.split(r"^    (\S+): ", section[1], flags=re.MULTILINE)[1:]
    return {name: " ".join(text.split()) for name, text in zip(entries[::2], entries[1::2], strict=True)}


# Signatures and docstrings.


def test_classes_are_found() -> None:
    assert {zoo.LSTM, zoo.cells.MinGRUCell, zoo.Highway} <= set(CONCRETE)
    assert zoo.MinLSTM in LAYERS
    assert len(CLASSES) == 52


@every_class
def test_signature_is_written_out(cls: type) -> None:
    kinds = {name: p.kind for name, p in parameters(cls).items()}
    assert inspect.Parameter.VAR_POSITIONAL not in kinds.values()
    assert [name for name, kind in kinds.items() if kind is inspect.Parameter.VAR_KEYWORD] == ["kwargs"]


@every_class
def test_docstring_has_every_argument_with_its_default(cls: type) -> None:
    entries = documented(cls.__doc__, "Args")
    assert [name.lstrip("*") for name in entries] == list(parameters(cls))
    for name, default in defaults(cls).items():
        expected = "" if default is inspect.Parameter.empty else f"Defaults to `{default!r}`."
        assert entries[name].partition("Defaults to")[2] == expected.partition("Defaults to")[2]


@every_class
def test_docstring_has_every_call_argument(cls: type) -> None:
    assert list(documented(cls.__doc__, "Call arguments")) == list(defaults(cls.call))


@every_class
def test_docstring_has_every_section(cls: type) -> None:
    description, _, rest = cls.__doc__.partition("\nArgs:\n")
    assert re.match(r"\S.*\.\n\n", description)
    assert re.search(r"^    .* = ", description, re.MULTILINE)
    if cls not in BASES:
        assert re.search(r'\(\d{4}\),\s"', description)
    headings = re.findall(r"^(\w[\w ]*):$", rest, re.MULTILINE)
    assert [h for h in headings if h != "Attributes"] == [
        *("Call arguments", "Input shape", "Output shape", "Raises", "Example")
    ]
    assert ">>> " in rest.partition("Example:")[2]


@every_layer
def test_layer_has_the_equations_of_its_cell(layer: type[zoo.RNN]) -> None:
    equations = re.findall(r"^    .* = .*$", layer.cell_class.__doc__.partition("\nArgs:\n")[0], re.MULTILINE)
    assert equations
    assert all(equation in layer.__doc__ for equation in equations)


@every_layer
def test_layer_has_the_arguments_of_its_cell_and_of_rnn(layer: type[zoo.RNN]) -> None:
    ours, cells, rnn = defaults(layer), defaults(layer.cell_class), defaults(zoo.RNN)
    del rnn["cell"]
    expected = cells | rnn | {"activity_regularizer": None}
    if issubclass(layer, (zoo.LSTM, zoo.GRU)):
        expected["use_cudnn"] = "auto"
    assert ours == expected
    assert all(parameters(layer)[n].kind is p.kind for n, p in parameters(layer.cell_class).items())


@every_layer
def test_layer_is_built_for_one_number_of_features(layer: type[zoo.RNN]) -> None:
    names = defaults(layer).keys() & {
        "units",
        "projection_units",
        "num_heads",
        "input_mean",
        "order",
        "theta",
    }
    built = layer(**{name: SETTINGS[name] for name in names})
    built.build((BATCH, TIME, 9))  # GRUD reads three columns per feature
    with pytest.raises(ValueError, match="axis -1 of input shape to have value 9, but received"):
        built(tf.zeros([BATCH, TIME, 8]))


def test_page_for_keras_users_lists_the_arguments_that_keras_lacks() -> None:
    page = (ROOT / "docs" / "keras.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (`.*?) \|", page.partition("\n## Arguments\n")[2].partition("\n## ")[0], re.MULTILINE
    )
    beyond: set[str] = set()
    for name in ("SimpleRNN", "SimpleRNNCell", "LSTM", "LSTMCell", "GRU", "GRUCell", "RNN"):
        ours, theirs = getattr(zoo, name), getattr(layers, name)
        beyond |= set(parameters(ours)) - set(parameters(theirs))
        if issubclass(ours, zoo.RNN):
            beyond |= set(parameters(ours.call)) - set(parameters(theirs.call))
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == beyond


def test_complete_docstring_needs_every_argument() -> None:
    class Documented:
        """Something.

        Args:
            size: int. A number.
        """

        def __init__(self, size: int = 3, *, color: str = "red") -> None:
            pass

    with pytest.raises(TypeError, match=r"docstring of Documented .* Add or remove color"):
        complete_docstring(Documented)

    class Inherits(Documented):
        """Something else.

        Args:
            color: str. A color.
            weight: float. There is no such argument.
        """

    with pytest.raises(TypeError, match=r"docstring of Inherits .* Add or remove weight"):
        complete_docstring(Inherits)


def test_complete_docstring_inherits() -> None:
    @complete_docstring
    class Base:
        """A base.

        Args:
            size: int. A number.
            color: str. A color,
                by name.

        Input shape:
            [batch]

        Example:
            >>> 1
        """

        def __init__(self, size: int, color: str = "red") -> None:
            pass

    @complete_docstring
    class Derived(Base):
        """Derived.

        Args:
            color: str. Another color.
        """

        def __init__(self, *, color: str = "blue", size: int = 3) -> None:
            pass

    assert documented(Base.__doc__, "Args") == {
        "size": "int. A number.",
        "color": "str. A color, by name. Defaults to `'red'`.",
    }
    assert Derived.__doc__ == (
        "Derived.\n\nArgs:\n    color: str. Another color. Defaults to `'blue'`.\n"
        "    size: int. A number. Defaults to `3`.\n\nInput shape:\n    [batch]\n"
    )


def test_collect_arguments() -> None:
    class Base:
        def __init__(self, **arguments: Any) -> None:
            self.arguments = arguments

    class Derived(Base):
        def __init__(self, a: int, b: int = 2, *, c: int = 3, **kwargs: Any) -> None:
            super().__init__(**collect_arguments(locals(), "b"), **kwargs)

    assert Derived(1, c=5, d=6).arguments == {"a": 1, "c": 5, "d": 6}


# Every argument arrives.

SETTINGS = {
    "units": UNITS,
    "projection_units": 4,
    "num_heads": UNITS,
    "input_mean": [0.5, 0.25, -1.0],
    "order": 4,
    "theta": 8.0,
    "memory_dim": 2,
    "trainable_memory": True,
    "state_units": 4,
    "kernel_size": 3,
    "pooling": "ifo",
    "activation": "softsign",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "random_normal",
    "bias_initializer": "ones",
    "unit_forget_bias": False,
    "reset_after": False,
    "kernel_regularizer": "l1",
    "recurrent_regularizer": "l2",
    "bias_regularizer": "l1l2",
    "activity_regularizer": "l2",
    "kernel_constraint": "non_neg",
    "recurrent_constraint": "max_norm",
    "bias_constraint": "unit_norm",
    "dropout": 0.25,
    "recurrent_dropout": 0.5,
    "seed": 3,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "use_cudnn": False,
    "epsilon": 1e-3,
    "zoneout": [0.25],
    "candidate_dropout": 0.5,
    "zero_output_for_mask": True,
    "use_peepholes": False,
    "highway_bias": -2.0,
    "rescale": False,
    "r_min": 0.25,
    "r_max": 0.75,
    "max_phase": 0.5,
    "implementation": 1,
    "mode": "pure",
    "backbone_units": 7,
    "backbone_layers": 2,
    "backbone_activation": "relu",
    "unfolds": 3,
    "min_period": 2.0,
    "max_period": 5.0,
    "open_ratio": 0.1,
    "leak": 0.01,
}
"""A value other than the default for every argument of cells and layers but `kwargs`."""

NOT_IN_CONFIG = {"use_cudnn", "implementation"}  # as in Keras


@pytest.mark.parametrize("cls", [cls for cls in CONCRETE if not issubclass(cls, zoo.Bypass)])
def test_every_argument_arrives(cls: type[keras.Layer]) -> None:
    cell_class = getattr(cls, "cell_class", cls)
    settings = {name: SETTINGS[name] for name in defaults(cls)}
    settings["zoneout"] = settings["zoneout"] * len(cell_class.state_names)
    if issubclass(cell_class, zoo.cells.SLSTMCell):
        settings["zoneout"] = [0.25, 0.0, 0.0, 0.0]
    if issubclass(cell_class, zoo.cells.MLSTMCell):
        del settings["zoneout"], settings["recurrent_dropout"]
    if issubclass(cell_class, zoo.cells.LayerNormGRUCell):
        del settings["reset_after"]
    cells = zoo.cells
    if issubclass(cell_class, (zoo.LinearCell, cells.LTCCell, cells.LRUCell, cells.SRUCell, cells.QRNNCell)):
        del settings["recurrent_dropout"]
    if issubclass(cell_class, zoo.cells.LTCCell):
        del settings["use_bias"]
    layer = cls(**settings, name="my_name", dtype="float64", trainable=False)
    config = layer.get_config()
    assert settings.keys() - config.keys() == NOT_IN_CONFIG & settings.keys()
    assert pickle.loads(pickle.dumps(config)) == config
    for one in (layer, cls.from_config(config)):
        assert (one.name, one.dtype, one.trainable) == ("my_name", "float64", False)
        assert one.get_config() == config
        for name, value in settings.items():
            if not isinstance(value, str) and (one is layer or name in config):
                assert getattr(one, name) == value
    for name, value in settings.items():
        if isinstance(value, str):  # the name of an object
            assert value.replace("_", "") in str(config[name]).lower().replace("_", "")


# Keras.

OURS = {"zoneout", "candidate_dropout"}
"""Arguments that Keras does not have. They are zero by default."""

every_name = pytest.mark.parametrize(
    "name", ["SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell"]
)


def get_settings(theirs: type) -> dict[str, Any]:
    """Return all arguments of a Keras class that are in its config, other than the default."""
    excluded = {"units", *NOT_IN_CONFIG}
    if theirs is layers.SimpleRNN:
        excluded.add("activity_regularizer")  # Keras accepts it and ignores it
    return {name: SETTINGS[name] for name in defaults(theirs) if name not in excluded}


def config_contains(ours: layers.Layer, theirs: layers.Layer) -> bool:
    """Return whether the config of `ours` has all entries of that of `theirs`; a missing one is None."""
    config = ours.get_config()
    return all(config.get(argument) == value for argument, value in theirs.get_config().items())


@every_name
def test_parameters_equal_keras(name: str) -> None:
    ours, theirs = getattr(zoo, name), getattr(layers, name)
    positional = [
        (parameter.name, parameter.default)
        for parameter in parameters(ours).values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    assert positional == list(defaults(theirs).items())
    # Those of `zoo.RNN` alone, `constants` and `resets`, come last.
    theirs_of_call = list(defaults(theirs.call))[1:]
    assert list(defaults(ours.call))[1:][: len(theirs_of_call)] == theirs_of_call


def variants() -> list[tuple[str, dict[str, Any]]]:
    """Return every argument of each Keras layer alone, and several at once."""
    changes: list[tuple[str, dict[str, Any]]] = []
    for name in ("SimpleRNN", "LSTM", "GRU"):
        accepted = [a for a in defaults(getattr(layers, name)) if a not in ("units", "activity_regularizer")]
        changes += [(name, {argument: SETTINGS[argument]}) for argument in accepted]
        changes += [(name, dict.fromkeys(["return_sequences", "return_state", "go_backwards"], True))]
    return [*changes, ("LSTM", {"implementation": 1}), ("GRU", {"implementation": 1})]


@pytest.mark.parametrize(("name", "arguments"), variants(), ids=str)
def test_outputs_equal_keras_for_every_argument(name: str, arguments: dict[str, Any]) -> None:
    results = []
    weights = None
    for module in (zoo, layers):
        layer = getattr(module, name)(UNITS, dtype="float64", **arguments)
        layer.build((BATCH, TIME, FEATURES))
        weights = randomize_weights(layer) if weights is None else weights
        layer.set_weights(weights)
        x = random_normal(7, BATCH, TIME, FEATURES)
        results.append([layer(x), layer(x), layer.losses])  # twice, for `stateful`
    assert_close(*results, 1e-12)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("use_cudnn", [True, False, "auto"])
def test_use_cudnn_has_no_effect(name: str, use_cudnn: bool | str) -> None:
    layer = getattr(zoo, name)(UNITS, use_cudnn=use_cudnn)
    assert layer.use_cudnn == use_cudnn
    assert layer.get_config() == {**getattr(zoo, name)(UNITS).get_config(), "name": layer.name}
    graph = tf.function(layer, autograph=False).get_concrete_function(tf.ones([2, 3, 4])).graph.as_graph_def()
    assert b"Cudnn" not in graph.SerializeToString()


@every_name
def test_config_equals_keras_for_same_arguments(name: str) -> None:
    ours, theirs = getattr(zoo, name), getattr(layers, name)
    for settings in ({}, get_settings(theirs)):
        arguments = {"units": UNITS, "name": "my_name", **settings}
        layer = ours(**arguments)
        assert config_contains(layer, theirs(**arguments))
        for argument, value in arguments.items():
            assert isinstance(value, str) or getattr(layer, argument) == value


@every_name
def test_config_round_trip_through_keras(name: str) -> None:
    ours, theirs = getattr(zoo, name), getattr(layers, name)
    layer = theirs(UNITS, **get_settings(theirs))
    here = ours.from_config(layer.get_config())
    assert type(here) is ours
    assert config_contains(here, layer)
    config = here.get_config()
    for argument in OURS & config.keys():
        assert not np.any(config.pop(argument))
    assert config_contains(theirs.from_config(config), layer)


@every_name
def test_initial_weights_equal_keras(name: str) -> None:
    for arguments in ({}, {"unit_forget_bias": False}, {"reset_after": False}, {"use_bias": False}):
        if not arguments.keys() <= inspect.signature(getattr(layers, name)).parameters.keys():
            continue
        weights = []
        for module in (zoo, layers):
            layer = getattr(module, name)(
                UNITS,
                kernel_initializer=keras.initializers.GlorotUniform(seed=1),
                recurrent_initializer=keras.initializers.Orthogonal(seed=2),
                bias_initializer=keras.initializers.Constant(0.25),
                **arguments,
            )
            layer.build((BATCH, FEATURES) if "Cell" in name else (BATCH, TIME, FEATURES))
            weights.append(layer.get_weights())
        assert_close(weights[0], weights[1], 0)


@every_name
def test_regularizers_and_constraints_are_on_their_weights(name: str) -> None:
    kinds = [
        f"{weight}_{kind}"
        for weight in ("kernel", "recurrent", "bias")
        for kind in ("regularizer", "constraint")
    ]
    weights = []
    for module in (zoo, layers):
        layer = getattr(module, name)(UNITS, **{kind: SETTINGS[kind] for kind in kinds})
        layer.build((BATCH, FEATURES) if "Cell" in name else (BATCH, TIME, FEATURES))
        weights.append([(w.name, type(w.regularizer), type(w.constraint)) for w in layer.weights])
    assert weights[0] == weights[1]
