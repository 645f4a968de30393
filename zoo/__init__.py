"""A zoo of recurrent networks for Keras 3 on TensorFlow.

Cells to subclass and layers that run them over time; the formulations in which sequences go in and come
out; and what it takes from raw data to a SavedModel that holds the whole program.
"""

from zoo.cells import (
    Cell,
    CoupledLSTMCell,
    GatedCell,
    GRUCell,
    IndRNNCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LinearCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
    SimpleRNNCell,
)
from zoo.datasets import DataError, LabelledTexts, load_classification
from zoo.export import Card, ExportError, export_program
from zoo.formulations import Encoder, ManyToOne
from zoo.inspection import encoder_gates, gates
from zoo.recurrence import (
    GRU,
    LSTM,
    RNN,
    Bypass,
    CoupledLSTM,
    Highway,
    IndRNN,
    LayerNormGRU,
    LayerNormLSTM,
    MinGRU,
    MinLSTM,
    PeepholeLSTM,
    ProjectedLSTM,
    Residual,
    SimpleRNN,
    uncompiled,
)
from zoo.text import WordEncoder, Words, learn_vocabulary, split_words, write_vocabulary
from zoo.training import batches, fit

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Bypass",
    "Card",
    "Cell",
    "CoupledLSTM",
    "CoupledLSTMCell",
    "DataError",
    "Encoder",
    "ExportError",
    "GRUCell",
    "GatedCell",
    "Highway",
    "IndRNN",
    "IndRNNCell",
    "LSTMCell",
    "LabelledTexts",
    "LayerNormGRU",
    "LayerNormGRUCell",
    "LayerNormLSTM",
    "LayerNormLSTMCell",
    "LinearCell",
    "ManyToOne",
    "MinGRU",
    "MinGRUCell",
    "MinLSTM",
    "MinLSTMCell",
    "PeepholeLSTM",
    "PeepholeLSTMCell",
    "ProjectedLSTM",
    "ProjectedLSTMCell",
    "Residual",
    "SimpleRNN",
    "SimpleRNNCell",
    "WordEncoder",
    "Words",
    "batches",
    "encoder_gates",
    "export_program",
    "fit",
    "gates",
    "learn_vocabulary",
    "load_classification",
    "split_words",
    "uncompiled",
    "write_vocabulary",
]
