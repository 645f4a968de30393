"""Raw texts to token ids and back, inside the graph, with core TensorFlow operations."""

from zoo.preprocessing.text.base import (
    PADDING_ID,
    UNKNOWN_ID,
    TokenizedText,
    Tokenizer,
    write_vocabulary,
)
from zoo.preprocessing.text.copied_items import CopiedItems
from zoo.preprocessing.text.copying_tokenizer import (
    CopyingTokenizer,
    count_copy_tokens,
    gather_items,
    is_copy,
    pre_tokenize_marked,
)
from zoo.preprocessing.text.normalization import normalize_texts
from zoo.preprocessing.text.subword_dropout import SubwordDropout
from zoo.preprocessing.text.word_pieces import (
    COPY_TOKENS,
    END_ID,
    START_ID,
    WordPieceTokenizer,
    merge_word_pieces,
    pre_tokenize,
    train_wordpiece,
)
from zoo.preprocessing.text.word_vectors import WordVectors, read_vector_width, read_word_vectors
from zoo.preprocessing.text.words import (
    NO_KNOWN_WORDS,
    NO_WORDS,
    WordTokenizer,
    build_vocabulary,
    join_plain_words,
    split_plain_words,
    split_words,
)

__all__ = [
    "COPY_TOKENS",
    "END_ID",
    "NO_KNOWN_WORDS",
    "NO_WORDS",
    "PADDING_ID",
    "START_ID",
    "UNKNOWN_ID",
    "CopiedItems",
    "CopyingTokenizer",
    "SubwordDropout",
    "TokenizedText",
    "Tokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "WordVectors",
    "build_vocabulary",
    "count_copy_tokens",
    "gather_items",
    "is_copy",
    "join_plain_words",
    "merge_word_pieces",
    "normalize_texts",
    "pre_tokenize",
    "pre_tokenize_marked",
    "read_vector_width",
    "read_word_vectors",
    "split_plain_words",
    "split_words",
    "train_wordpiece",
    "write_vocabulary",
]
