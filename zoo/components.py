"""Cells and attention layers by the names that select them on the command line."""

from collections.abc import Callable

from zoo.attention import AdditiveAttention, Attention, MultiplicativeAttention
from zoo.cells import Cell, GRUCell, LSTMCell, SimpleRNNCell

CELLS: dict[str, type[Cell]] = {"lstm": LSTMCell, "gru": GRUCell, "simple_rnn": SimpleRNNCell}
"""Classes of cells, to be called with the number of units."""

ATTENTIONS: dict[str, Callable[[], Attention | None]] = {
    "multiplicative": MultiplicativeAttention,
    "additive": lambda: AdditiveAttention(256),
    "none": lambda: None,
}
"""Functions that create the attention of a decoder."""
