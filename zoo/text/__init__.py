"""Raw texts to ids and back, inside the graph, with TensorFlow's own operations alone."""

from zoo.text.pieces import END, START, PieceEncoder, Pieces, joined_words, learn_pieces
from zoo.text.words import (
    PADDING,
    UNKNOWN,
    WordEncoder,
    Words,
    learn_vocabulary,
    split_words,
    write_vocabulary,
)

__all__ = [
    "END",
    "PADDING",
    "START",
    "UNKNOWN",
    "PieceEncoder",
    "Pieces",
    "WordEncoder",
    "Words",
    "joined_words",
    "learn_pieces",
    "learn_vocabulary",
    "split_words",
    "write_vocabulary",
]
