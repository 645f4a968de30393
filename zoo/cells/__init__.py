"""Recurrent cells: the contract, then every cell with its equations and source, one step each."""

from zoo.cells.base import Cell, GatedCell, States, Tensor, apply_mask
from zoo.cells.cfc import CfCCell
from zoo.cells.gru import GRUCell
from zoo.cells.gru_d import GRUDCell
from zoo.cells.ind_rnn import IndRNNCell
from zoo.cells.layer_norm import LayerNormGRUCell, LayerNormLSTMCell
from zoo.cells.linear import LinearCell
from zoo.cells.lmu import LMUCell
from zoo.cells.lru import LRUCell
from zoo.cells.lstm import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell, ProjectedLSTMCell
from zoo.cells.ltc import LTCCell
from zoo.cells.min_gru import MinGRUCell
from zoo.cells.min_lstm import MinLSTMCell
from zoo.cells.mlstm import MLSTMCell
from zoo.cells.phased_lstm import PhasedLSTMCell
from zoo.cells.qrnn import QRNNCell
from zoo.cells.rg_lru import RGLRUCell
from zoo.cells.serialization import Serializable
from zoo.cells.simple_rnn import SimpleRNNCell
from zoo.cells.slstm import SLSTMCell
from zoo.cells.sru import SRUCell
from zoo.cells.time_input import TimeInputCell

__all__ = [
    "Cell",
    "CfCCell",
    "CoupledLSTMCell",
    "GRUCell",
    "GRUDCell",
    "GatedCell",
    "IndRNNCell",
    "LMUCell",
    "LRUCell",
    "LSTMCell",
    "LTCCell",
    "LayerNormGRUCell",
    "LayerNormLSTMCell",
    "LinearCell",
    "MLSTMCell",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "PhasedLSTMCell",
    "ProjectedLSTMCell",
    "QRNNCell",
    "RGLRUCell",
    "SLSTMCell",
    "SRUCell",
    "Serializable",
    "SimpleRNNCell",
    "States",
    "Tensor",
    "TimeInputCell",
    "apply_mask",
]
