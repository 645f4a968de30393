"""How version 1 of the preprocessing splits texts, for models that were exported with it."""

import tensorflow as tf

from zoo.preprocessing.text.base import METASPACE, replace_invalid_utf8

_REWRITES = (
    (r"[\p{Z}\p{C}]", " "),  # all kinds of spaces, and characters without a glyph
    (r"<br\s*/?>", " "),
    ("[\u2018\u2019\u02bc\u0060\u00b4]", "'"),  # all kinds of apostrophes
    (r"[^\p{L}\p{M}\p{N}'\s]", r" \0 "),  # anything but letters, digits and spaces is a word by itself
    (r"(^|\s)('+)", r"\1\2 "),  # an apostrophe is part of a word only inside it
    (r"('+)(\s|$)", r" \1\2"),
)
_SPACES = rf"(?:[\p{{Z}}{METASPACE}]|[^\P{{C}}\x{{200C}}-\x{{200F}}])+"
_LETTERS = r"[\p{L}\p{M}\x{200C}\x{200D}]+"


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into words: without NFC and grapheme clusters, a Chinese clause is one word."""
    texts = tf.strings.lower(replace_invalid_utf8(texts), encoding="utf-8")
    for pattern, replacement in _REWRITES:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return tf.strings.split(texts)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def pre_tokenize(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into pre-tokens: without NFC and grapheme clusters, a Chinese clause is one pre-token."""
    texts = tf.strings.regex_replace(replace_invalid_utf8(texts), _SPACES, " ")
    texts = tf.strings.regex_replace(tf.strings.strip(texts), "(^| )(.)", rf"{METASPACE}\2")
    return tf.strings.split(tf.strings.regex_replace(texts, f"{METASPACE}?({_LETTERS}|.)", r"\0 "))
