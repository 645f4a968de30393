"""Cells run over time: `RNN(cell)`, and every cell of the zoo as a ready layer."""

from zoo.recurrence.loop import scan, swap_batch_and_time
from zoo.recurrence.ready import GRU, LSTM, SimpleRNN
from zoo.recurrence.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN", "scan", "swap_batch_and_time"]
