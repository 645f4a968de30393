"""Whole-model files of every layer; arguments that `get_config` leaves out, or that are not accepted or restored."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from references import assert_close, random_normal, randomize_weights

import zoo

FEATURES, UNITS = 3, 12

LAYERS = {
    **{name: getattr(zoo, name) for name in ("SimpleRNN", "LSTM", "GRU", "IndRNN", "MinGRU", "MinLSTM")},
    **{name: getattr(zoo, name) for name in ("PeepholeLSTM", "CoupledLSTM", "LayerNormLSTM", "LayerNormGRU")},
    **{name: getattr(zoo, name) for name in ("CfC", "LTC", "PhasedLSTM", "RGLRU", "LRU", "SRU", "QRNN")},
    **{name: getattr(zoo, name) for name in ("SLSTM", "MLSTM")},
    "GRUD": lambda units, **arguments: zoo.GRUD(units, [0.0] * (units // 3), **arguments),
    "LMU": lambda units, **arguments: zoo.LMU(units, 4, 8.0, **arguments),
    "ProjectedLSTM": lambda units, **arguments: zoo.ProjectedLSTM(units, units, **arguments),
    "RNN": lambda units, **arguments: zoo.RNN(zoo.LSTMCell(units), **arguments),
    "stack": lambda units, **arguments: zoo.RNN([zoo.LSTMCell(3), zoo.GRUCell(units)], **arguments),
    "Keras's RNN": lambda units, **arguments: layers.RNN(zoo.LSTMCell(units), **arguments),
    "Bidirectional": lambda units, **arguments: layers.Bidirectional(zoo.LSTM(units, **arguments), "sum"),
    "Residual": lambda units, **arguments: zoo.Residual(zoo.LSTM(units, **arguments)),
    "Highway": lambda units, **arguments: zoo.Highway(zoo.LSTM(units, **arguments)),
}


def test_table_has_every_layer() -> None:
    classes = {name: getattr(zoo.layers, name) for name in zoo.layers.__all__}
    layers_with_cells = {n for n, c in classes.items() if isinstance(c, type) and issubclass(c, zoo.RNN)}
    assert layers_with_cells <= LAYERS.keys()


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_whole_model_file_of_every_layer(kind: str, tmp_path: Path) -> None:
    x = inputs = keras.Input((None, UNITS))
    for make in LAYERS.values():
        x = make(UNITS, return_sequences=True)(x)
    model = keras.Model(inputs, x)
    randomize_weights(model)
    path = tmp_path / f"model.{kind}"
    model.save(path)
    twin = keras.models.load_model(path, compile=False)
    sequences = random_normal(0, 2, 5, UNITS, dtype="float32")
    assert_close(twin(sequences), model(sequences), 1e-6)
    assert len(model.layers) == len(LAYERS) + 1


# Arguments that `get_config` leaves out.


class ScaledCell(zoo.SimpleRNNCell):
    """Has an argument `scale`, and no `get_config`."""

    def __init__(self, units: int, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.scale = scale

    def update(self, x, r, states):
        return super().update(self.scale * x, r, states)


class CompleteCell(ScaledCell):
    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


class MoreCompleteCell(CompleteCell):
    def __init__(self, units: int, shift: float = 0.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.shift = shift

    def get_config(self):
        return {**super().get_config(), "shift": self.shift}


class ScaledLSTM(zoo.LSTM):
    def __init__(self, units: int, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.scale = scale


class ScaledBypass(zoo.Bypass):
    def __init__(self, layer: keras.Layer, *, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.scale = scale


MESSAGE = (
    r"{}.get_config\(\) leaves out `scale` of `__init__`.*"
    r'return \{{\*\*super\(\).get_config\(\), "scale": self.scale\}}'
)


@pytest.mark.parametrize(
    "layer",
    [
        zoo.RNN(ScaledCell(UNITS, 2.0)),
        ScaledLSTM(UNITS, 2.0),
        ScaledBypass(zoo.LSTM(UNITS, return_sequences=True)),
    ],
    ids=["ScaledCell", "ScaledLSTM", "ScaledBypass"],
)
def test_argument_left_out_is_named_when_the_class_is_saved(
    layer: keras.Layer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    message = MESSAGE.format(request.node.callspec.id)
    with pytest.raises(ValueError, match=message):
        layer.get_config()
    inputs = keras.Input((None, UNITS))
    model = keras.Model(inputs, layer(inputs))
    for kind in ("keras", "h5"):
        with pytest.raises(ValueError, match=message):
            model.save(tmp_path / f"model.{kind}")


def test_copy_of_incomplete_layer_raises() -> None:
    with pytest.raises(ValueError, match=MESSAGE.format("ScaledLSTM")):
        layers.Bidirectional(ScaledLSTM(UNITS, 2.0))


def test_complete_configurations_are_accepted() -> None:
    for cell in (CompleteCell(UNITS, 2.0), MoreCompleteCell(UNITS, shift=3.0, scale=2.0)):
        twin = type(cell).from_config(cell.get_config())
        assert twin.get_config() == cell.get_config()
        assert twin.scale == 2


def test_arguments_of_no_effect_are_the_only_ones_left_out() -> None:
    regularized = zoo.LSTM(UNITS, activity_regularizer="l2").get_config()
    assert regularized["activity_regularizer"]["class_name"] == "L2"
    assert zoo.Cell.arguments_without_effect == {"implementation", "use_cudnn"}
    x = np.ones((1, 2, FEATURES), "float32")
    outputs = []
    for arguments in ({}, {"implementation": 1, "use_cudnn": False}):
        layer = zoo.LSTM(UNITS, kernel_initializer="ones", recurrent_initializer="ones", **arguments)
        outputs.append(layer(x))
    assert_close(*outputs, 0)


# Entries of `get_config` that `__init__` does not accept, or that would not be restored.


class ClosedCell(zoo.SimpleRNNCell):
    def __init__(self, units: int) -> None:
        super().__init__(units)


class OpenCell(ClosedCell):
    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)


class ClosedLSTM(zoo.LSTM):
    def __init__(self, units: int) -> None:
        super().__init__(units)


class MisspeltCell(zoo.SimpleRNNCell):
    def get_config(self):
        return {**super().get_config(), "unit": self.units}


class ConvertingCell(MisspeltCell):
    """Its `from_config` removes the entry that `__init__` does not accept."""

    @classmethod
    def from_config(cls, config):
        return super().from_config({name: value for name, value in config.items() if name != "unit"})


class LayerCell(zoo.SimpleRNNCell):
    def __init__(self, units: int, mix: keras.Layer, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.mix = mix

    def get_config(self):
        return {**super().get_config(), "mix": self.mix}


PASS_ON = r"Give `__init__` of {} the argument `\*\*kwargs`, and pass it on"


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            zoo.RNN(ClosedCell(UNITS)),
            r"`name`, `trainable`, `dtype` and \d+ more.* " + PASS_ON.format("ClosedCell"),
        ),
        (zoo.RNN(OpenCell(UNITS)), "OpenCell.*does not accept.* " + PASS_ON.format("ClosedCell")),
        (ClosedLSTM(UNITS), "ClosedLSTM.* does not accept.* " + PASS_ON.format("ClosedLSTM")),
        (
            zoo.RNN(MisspeltCell(UNITS)),
            "MisspeltCell.*returns `unit`, which .*Leave it out, or add an argument",
        ),
        (
            zoo.RNN(LayerCell(UNITS, layers.Dense(UNITS))),
            "LayerCell.*returns the layer `mix` itself.*serialize_keras",
        ),
    ],
)
def test_configuration_that_cannot_be_loaded_raises_when_it_is_saved(
    layer: keras.Layer, message: str, tmp_path: Path
) -> None:
    model = keras.Sequential([keras.Input((None, FEATURES)), layer])
    with pytest.raises(ValueError, match=message):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=message):
        layers.Bidirectional(layer)


class Mixin:
    def __init__(self) -> None:
        self.is_mixed = True


class MixedCell(Mixin, zoo.SimpleRNNCell):
    def __init__(self, units: int, **kwargs: Any) -> None:
        zoo.SimpleRNNCell.__init__(self, units, **kwargs)
        Mixin.__init__(self)


@pytest.mark.parametrize("cell", [ConvertingCell, MixedCell])
def test_configuration_that_can_be_loaded_is_accepted(cell: type[zoo.Cell]) -> None:
    config = keras.saving.serialize_keras_object(cell(UNITS))
    assert keras.saving.deserialize_keras_object(config).units == UNITS


@keras.saving.register_keras_serializable("tests")
def double(x: Any) -> Any:
    return 2 * x


class FunctionCell(zoo.SimpleRNNCell):
    def __init__(self, units: int, function: Any = double, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.function = function

    def update(self, x, r, states):
        return super().update(self.function(x), r, states)

    def get_config(self):
        return {**super().get_config(), "function": self.function}


class FunctionGRU(zoo.GRU):
    def __init__(self, units: int, function: Any = double, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.function = function

    def get_config(self):
        return {**super().get_config(), "function": self.function}


class FunctionFrameVectors(zoo.formulations.FrameVectors):
    def __init__(self, encoder: keras.Model | None, function: Any = double, **kwargs: Any) -> None:
        super().__init__(encoder, **kwargs)
        self.function = function

    def get_config(self):
        return {**super().get_config(), "function": self.function}


class FunctionEncoder(zoo.Encoder):
    def __init__(self, cell: zoo.Cell, function: Any = double, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.function = function

    def get_config(self):
        return {**super().get_config(), "function": self.function}


@pytest.mark.parametrize("function", [double, keras.activations.tanh])
def test_functions_in_configurations_are_restored(function: Any, tmp_path: Path) -> None:
    for instance in (
        FunctionCell(UNITS, function),
        FunctionGRU(UNITS, function),
        FunctionEncoder(zoo.GRUCell(UNITS), function),
        FunctionFrameVectors(None, function),
    ):
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(instance)))
        assert keras.saving.deserialize_keras_object(config).function is function
    model = keras.Sequential([keras.Input((None, FEATURES)), zoo.RNN(FunctionCell(UNITS, function))])
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    x = random_normal(0, 2, 5, FEATURES, dtype="float32")
    assert_close(twin(x), model(x), 1e-6)


SCRIPT = """
import sys

import keras
import numpy as np
import zoo


class MyCell(zoo.SimpleRNNCell):
    pass


if __name__ == "__main__":
    if sys.argv[1] == "save":
        keras.Sequential([keras.Input((5, 3)), zoo.RNN(MyCell(4))]).save(sys.argv[2])
    model = keras.models.load_model(sys.argv[2])
    np.save(sys.argv[3], model(np.ones((2, 5, 3))))
    print(keras.saving.get_registered_name(MyCell))
"""
"""A script `train.py` that defines a cell, and saves or loads a model with it."""


def run_script(*command: str, directory: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path]).strip(os.pathsep)}
    process = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not process.returncode, process.stderr
    return process.stdout.strip().splitlines()[-1]


def test_model_of_a_script_is_loaded_by_another_process(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    assert run_script("train.py", "save", "m.keras", "first.npy", directory=tmp_path) == "train>MyCell"
    load = "import keras, numpy as np; from train import MyCell; model = keras.models.load_model('m.keras'); "
    compute = "np.save('second.npy', model(np.ones((2, 5, 3)))); print('loaded')"
    assert run_script("-c", load + compute, directory=tmp_path) == "loaded"
    np.testing.assert_array_equal(*(np.load(tmp_path / f"{name}.npy") for name in ("first", "second")))
    assert run_script("-m", "train", "load", "m.keras", "third.npy", directory=tmp_path) == "train>MyCell"


@pytest.mark.slow
def test_model_of_a_notebook_is_loaded_where_its_class_is_defined(tmp_path: Path) -> None:
    """A notebook is code without a file."""
    (tmp_path / "train.py").write_text(SCRIPT)
    notebook = "import sys; sys.argv = ['', {}]\n" + SCRIPT
    save, load = ("'save', 'm.keras', 'a.npy'", "'load', 'm.keras', 'a.npy'")
    assert run_script("-c", notebook.format(save), directory=tmp_path) == "__main__>MyCell"
    assert run_script("-c", notebook.format(load), directory=tmp_path) == "__main__>MyCell"
    assert run_script("train.py", "load", "m.keras", "a.npy", directory=tmp_path) == "train>MyCell"
