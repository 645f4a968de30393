"""Raw texts to ids and back, inside the graph, with TensorFlow's own operations alone."""

from zoo.preprocessing.text.word_pieces import (
    END,
    START,
    Pieces,
    WordPieceTokenizer,
    joined_words,
    train_wordpiece,
)
from zoo.preprocessing.text.words import (
    PADDING,
    UNKNOWN,
    Words,
    WordTokenizer,
    learn_vocabulary,
    split_words,
    write_vocabulary,
)

__all__ = [
    "END",
    "PADDING",
    "START",
    "UNKNOWN",
    "Pieces",
    "WordPieceTokenizer",
    "WordTokenizer",
    "Words",
    "joined_words",
    "learn_vocabulary",
    "split_words",
    "train_wordpiece",
    "write_vocabulary",
]
