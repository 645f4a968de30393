"""Cells run over time: `RNN(cell)`, every cell of the zoo as a ready layer, and paths past layers."""

from zoo.recurrence.blocks import uncompiled
from zoo.recurrence.loop import scan, swap_batch_and_time, watched
from zoo.recurrence.ready import (
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
from zoo.recurrence.rnn import RNN, carried_states
from zoo.recurrence.stacking import Bypass, Highway, Residual

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
    "carried_states",
    "scan",
    "swap_batch_and_time",
    "uncompiled",
    "watched",
]
