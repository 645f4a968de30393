"""Texts to words and pre-tokens, inside the graph: what both tokenizers share."""

from typing import NamedTuple

import tensorflow as tf

from zoo.preprocessing.text.unicode import (
    KEYCAP,
    Characters,
    Kind,
    find_changes,
    find_cluster_starts,
    look_up_properties,
    shift_left,
    shift_right,
)

_APOSTROPHE = ord("'")
_FIRST_MARK = 0x300  # every character before it is a grapheme cluster


class SplitTexts(NamedTuple):
    """The words of n texts.

    Attributes:
        words: ragged string [n, words].
        follows_space: bool [all words]. Whether a word stands after a space or at the start of its text.
    """

    words: tf.RaggedTensor
    follows_space: tf.Tensor


def split_characters(
    characters: Characters,
    num_texts: tf.Tensor,
    *,
    joined: tuple[Kind, ...],
    with_apostrophes: bool = False,
    with_symbols: bool = True,
) -> SplitTexts:
    """Split texts between grapheme clusters, except within words.

    Args:
        characters: of normalized texts.
        num_texts: int64 scalar, n.
        joined: kinds of characters whose neighbors make one word. Every other cluster is a word by itself.
        with_apostrophes: whether an apostrophe between two of them belongs to the word.
        with_symbols: whether to keep words that are neither letters nor numbers.
    """
    values, row_ids, properties = characters
    is_space = properties.kind == Kind.SPACE
    is_start = _find_cluster_starts(characters)
    is_start |= is_space | shift_right(is_space)  # a mark after a space stands by itself

    # From here on, one element for each cluster.
    starts = tf.where(is_start)[:, 0]
    cluster_ids = tf.cumsum(tf.cast(is_start, tf.int32)) - 1
    first, rows = tf.gather(values, starts), tf.gather(row_ids, starts)
    kind = tf.gather(properties.kind, starts)
    is_keycap = tf.math.segment_max(tf.cast(values == KEYCAP, tf.int32), cluster_ids) > 0
    is_word = tf.reduce_any(tf.stack([kind == int(member) for member in joined]), 0) & ~is_keycap
    has_before = ~find_changes(rows)
    has_after = shift_left(has_before)
    if with_apostrophes:
        is_between = shift_right(is_word) & has_before & shift_left(is_word) & has_after
        is_word |= (first == _APOSTROPHE) & is_between
    is_word_start = ~(is_word & shift_right(is_word) & has_before)
    follows_space = shift_right(kind == Kind.SPACE) | ~has_before
    is_kept = kind != Kind.SPACE
    if not with_symbols:
        is_kept &= is_word | (kind == Kind.CHARACTER)
    is_word_start &= is_kept

    # And here one element for each word.
    is_in_word = tf.gather(is_kept, cluster_ids)
    word_ids = tf.gather(tf.cumsum(tf.cast(is_word_start, tf.int32)) - 1, cluster_ids)[is_in_word]
    word_rows = rows[is_word_start]
    spelled = tf.RaggedTensor.from_value_rowids(
        values[is_in_word], word_ids, tf.size(word_rows), validate=False
    )
    words = tf.strings.unicode_encode(spelled, "UTF-8")
    ragged = tf.RaggedTensor.from_value_rowids(words, word_rows, num_texts, validate=False)
    return SplitTexts(ragged, follows_space[is_word_start])


def are_characters(words: tf.Tensor) -> tf.Tensor:
    """Return whether words, string [n], begin with a character of a script without spaces, bool [n]."""
    first = tf.strings.unicode_decode(tf.strings.substr(words, 0, 1, "UTF8_CHAR"), "UTF-8")
    return look_up_properties(first.to_tensor(shape=[None, 1])[:, 0]).kind == Kind.CHARACTER


def _find_cluster_starts(characters: Characters) -> tf.Tensor:
    """Return where grapheme clusters start, bool [characters]; rows that need no rules take no time."""
    values, row_ids, _ = characters
    has_marks = tf.gather(tf.math.segment_max(values, row_ids) >= _FIRST_MARK, row_ids)
    is_start = find_cluster_starts(characters.select(has_marks))
    return tf.tensor_scatter_nd_update(tf.ones_like(has_marks), tf.where(has_marks), is_start)
