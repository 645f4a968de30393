"""Recurrent cells: the contract, then every cell with its equations and source, one step each."""

from zoo.cells.base import Cell, GatedCell, LinearCell, Registered, States, Tensor, masked
from zoo.cells.gru import GRUCell
from zoo.cells.layer_norm import LayerNormGRUCell, LayerNormLSTMCell
from zoo.cells.lstm import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell, ProjectedLSTMCell
from zoo.cells.minimal import MinGRUCell, MinLSTMCell
from zoo.cells.simple_rnn import IndRNNCell, SimpleRNNCell

__all__ = [
    "Cell",
    "CoupledLSTMCell",
    "GRUCell",
    "GatedCell",
    "IndRNNCell",
    "LSTMCell",
    "LayerNormGRUCell",
    "LayerNormLSTMCell",
    "LinearCell",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "ProjectedLSTMCell",
    "Registered",
    "SimpleRNNCell",
    "States",
    "Tensor",
    "masked",
]
