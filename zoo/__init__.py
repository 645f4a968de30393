"""A zoo of recurrent networks for Keras 3 on TensorFlow.

Cells to subclass and layers that run them over time; the formulations in which sequences go in and come
out; and what it takes from raw data to a SavedModel that holds the whole program.
"""

from zoo.cells import Cell, GatedCell, GRUCell, LSTMCell, SimpleRNNCell
from zoo.datasets import DataError, LabelledTexts, load_classification
from zoo.export import Card, ExportError, export_program
from zoo.formulations import Encoder, ManyToOne
from zoo.inspection import encoder_gates, gates
from zoo.recurrence import GRU, LSTM, RNN, SimpleRNN
from zoo.text import WordEncoder, Words, learn_vocabulary, split_words, write_vocabulary
from zoo.training import batches, fit

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Card",
    "Cell",
    "DataError",
    "Encoder",
    "ExportError",
    "GRUCell",
    "GatedCell",
    "LSTMCell",
    "LabelledTexts",
    "ManyToOne",
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
    "write_vocabulary",
]
