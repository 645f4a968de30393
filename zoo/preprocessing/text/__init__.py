"""Raw texts to token ids and back, inside the graph, with core TensorFlow operations."""

from zoo.preprocessing.text.base import (
    PADDING_ID,
    UNKNOWN_ID,
    TokenizedText,
    Tokenizer,
    write_vocabulary,
)
from zoo.preprocessing.text.normalization import normalize_texts
from zoo.preprocessing.text.word_pieces import (
    END_ID,
    START_ID,
    WordPieceTokenizer,
    merge_word_pieces,
    pre_tokenize,
    train_wordpiece,
)
from zoo.preprocessing.text.word_vectors import WordVectors, read_vector_width, read_word_vectors
from zoo.preprocessing.text.words import (
    WordTokenizer,
    build_vocabulary,
    join_plain_words,
    split_plain_words,
    split_words,
)

__all__ = [
    "END_ID",
    "PADDING_ID",
    "START_ID",
    "UNKNOWN_ID",
    "TokenizedText",
    "Tokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "WordVectors",
    "build_vocabulary",
    "join_plain_words",
    "merge_word_pieces",
    "normalize_texts",
    "pre_tokenize",
    "read_vector_width",
    "read_word_vectors",
    "split_plain_words",
    "split_words",
    "train_wordpiece",
    "write_vocabulary",
]
