"""Layers that run cells over time: `RNN(cell)`, a layer for every cell, and bypasses around layers."""

from zoo.layers.cfc import CfC
from zoo.layers.chunks import disable_jit
from zoo.layers.conversion import convert_from_keras, convert_to_keras
from zoo.layers.export_scope import export_scope
from zoo.layers.gru import GRU
from zoo.layers.gru_d import GRUD
from zoo.layers.ind_rnn import IndRNN
from zoo.layers.layer_norm import LayerNormGRU, LayerNormLSTM
from zoo.layers.lmu import LMU
from zoo.layers.loop import observe_states, scan, swap_batch_and_time
from zoo.layers.lru import LRU
from zoo.layers.lstm import LSTM, CoupledLSTM, PeepholeLSTM, ProjectedLSTM
from zoo.layers.ltc import LTC
from zoo.layers.min_gru import MinGRU
from zoo.layers.min_lstm import MinLSTM
from zoo.layers.mlstm import MLSTM
from zoo.layers.phased_lstm import PhasedLSTM
from zoo.layers.qrnn import QRNN
from zoo.layers.rg_lru import RGLRU
from zoo.layers.rnn import RNN, get_carried_states, reset_states
from zoo.layers.simple_rnn import SimpleRNN
from zoo.layers.slstm import SLSTM
from zoo.layers.sru import SRU
from zoo.layers.wrappers import Bypass, Highway, Residual

__all__ = [
    "GRU",
    "GRUD",
    "LMU",
    "LRU",
    "LSTM",
    "LTC",
    "MLSTM",
    "QRNN",
    "RGLRU",
    "RNN",
    "SLSTM",
    "SRU",
    "Bypass",
    "CfC",
    "CoupledLSTM",
    "Highway",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "MinGRU",
    "MinLSTM",
    "PeepholeLSTM",
    "PhasedLSTM",
    "ProjectedLSTM",
    "Residual",
    "SimpleRNN",
    "convert_from_keras",
    "convert_to_keras",
    "disable_jit",
    "export_scope",
    "get_carried_states",
    "observe_states",
    "reset_states",
    "scan",
    "swap_batch_and_time",
]
