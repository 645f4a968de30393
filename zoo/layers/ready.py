"""Ready layers, each with a cell of its own."""

import inspect
from operator import attrgetter
from typing import Any, ClassVar

import keras

from zoo.cells import (
    Cell,
    CoupledLSTMCell,
    GRUCell,
    IndRNNCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
    SimpleRNNCell,
)
from zoo.layers.rnn import RNN


class ReadyRNN(RNN):
    """A layer with a cell of its own, whose arguments are the layer's too."""

    cell_class: ClassVar[type[Cell]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.cell_arguments = frozenset(_argument_names(cls.cell_class))
        for name in cls.cell_arguments:
            setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        settings = {name: kwargs.pop(name) for name in self.cell_arguments & kwargs.keys()}
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        super().__init__(self.cell_class(*args, **settings, **shared), **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments: the layer's and the cell's."""
        config = super().get_config()
        del config["cell"]
        settings = self.cell.get_config()
        return {**config, **{k: v for k, v in settings.items() if k in self.cell_arguments}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ReadyRNN":
        """The layer of a `get_config`, Keras's own of the same name included."""
        return cls(**config)


def _argument_names(cell_class: type[Cell]) -> set[str]:
    initializers = [base.__init__ for base in cell_class.__mro__ if issubclass(base, Cell)]
    parameters = [p for f in initializers for p in inspect.signature(f).parameters.values()]
    return {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)} - {"self"}


class SimpleRNN(ReadyRNN):
    """The vanilla recurrent layer: arguments of `SimpleRNNCell`, then those of `RNN`."""

    cell_class = SimpleRNNCell


class LSTM(ReadyRNN):
    """Long short-term memory: arguments of `LSTMCell`, then those of `RNN`."""

    cell_class = LSTMCell


class GRU(ReadyRNN):
    """Gated recurrent unit: arguments of `GRUCell`, then those of `RNN`."""

    cell_class = GRUCell


class CoupledLSTM(ReadyRNN):
    """LSTM that forgets as much as it writes: arguments of `CoupledLSTMCell`, then those of `RNN`."""

    cell_class = CoupledLSTMCell


class PeepholeLSTM(ReadyRNN):
    """LSTM whose gates see the cell state: arguments of `PeepholeLSTMCell`, then those of `RNN`."""

    cell_class = PeepholeLSTMCell


class ProjectedLSTM(ReadyRNN):
    """LSTM with an output narrower than its memory: arguments of `ProjectedLSTMCell`, then those of `RNN`."""

    cell_class = ProjectedLSTMCell


class LayerNormLSTM(ReadyRNN):
    """LSTM with layer normalization: arguments of `LayerNormLSTMCell`, then those of `RNN`."""

    cell_class = LayerNormLSTMCell


class LayerNormGRU(ReadyRNN):
    """GRU with layer normalization: arguments of `LayerNormGRUCell`, then those of `RNN`."""

    cell_class = LayerNormGRUCell


class IndRNN(ReadyRNN):
    """Independently recurrent layer: arguments of `IndRNNCell`, then those of `RNN`."""

    cell_class = IndRNNCell


class MinGRU(ReadyRNN):
    """Minimal gated recurrent unit: arguments of `MinGRUCell`, then those of `RNN`."""

    cell_class = MinGRUCell


class MinLSTM(ReadyRNN):
    """Minimal long short-term memory: arguments of `MinLSTMCell`, then those of `RNN`."""

    cell_class = MinLSTMCell
