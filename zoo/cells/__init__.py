"""Recurrent cells: the contract, then every cell with its equations and source, one step each."""

from zoo.cells.base import Cell, GatedCell, Registered, States, Tensor, masked
from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.simple import SimpleRNNCell

__all__ = [
    "Cell",
    "GRUCell",
    "GatedCell",
    "LSTMCell",
    "Registered",
    "SimpleRNNCell",
    "States",
    "Tensor",
    "masked",
]
