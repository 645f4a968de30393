"""Cells run over time: `RNN(cell)`, every cell of the zoo as a ready layer, and paths past layers."""

from zoo.layers.chunks import disable_jit
from zoo.layers.loop import observe_states, scan, swap_batch_and_time
from zoo.layers.ready import (
    GRU,
    LSTM,
    CoupledLSTM,
    IndRNN,
    LayerNormGRU,
    LayerNormLSTM,
    MinGRU,
    MinLSTM,
    PeepholeLSTM,
    ProjectedLSTM,
    SimpleRNN,
)
from zoo.layers.rnn import RNN, get_carried_states
from zoo.layers.wrappers import Bypass, Highway, Residual

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bypass",
    "CoupledLSTM",
    "Highway",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "MinGRU",
    "MinLSTM",
    "PeepholeLSTM",
    "ProjectedLSTM",
    "Residual",
    "SimpleRNN",
    "disable_jit",
    "get_carried_states",
    "observe_states",
    "scan",
    "swap_batch_and_time",
]
