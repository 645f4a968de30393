"""Whole-model files of every layer, and constructor arguments that `get_config` leaves out."""

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
