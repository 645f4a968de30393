"""Properties of characters, and the boundaries between grapheme clusters, inside the graph.

A text is a row of code points. What a character is, stands in a table of Unicode 15.1, so that a text is read alike
with every version of Python and TensorFlow. The table is derived from the Unicode Character Database (© Unicode,
Inc., Unicode License V3, https://www.unicode.org/license.txt). Characters of later versions count as symbols.
"""

from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

UNICODE_VERSION = "15.1"
NUM_CODE_POINTS = 0x110000
BLOCK_SIZE = 128
KEYCAP = 0x20E3


class Kind(IntEnum):
    """What a character is for a word."""

    OTHER = 0  # punctuation, symbols, emoji
    SPACE = 1  # also controls, and U+2581, which word pieces use for a space
    LETTER = 2
    CHARACTER = 3  # a letter of a script without spaces, such as Chinese or Thai
    MARK = 4
    NUMBER = 5
    JOINER = 6  # U+200C, U+200D
    DIRECTION = 7  # U+200E, U+200F, U+061C
    PRESENTATION = 8  # U+FE0E, U+FE0F: a symbol as text or as emoji
    IGNORED = 9  # format characters that show nothing, such as the soft hyphen


class Break(IntEnum):
    """Grapheme_Cluster_Break, and Extended_Pictographic."""

    OTHER = 0
    CONTROL = 1
    EXTEND = 2
    ZWJ = 3
    REGIONAL_INDICATOR = 4
    PREPEND = 5
    SPACING_MARK = 6
    L = 7
    V = 8
    T = 9
    LV = 10
    LVT = 11
    PICTOGRAPHIC = 12


class Conjunct(IntEnum):
    """Indic_Conjunct_Break."""

    NONE = 0
    LINKER = 1
    EXTEND = 2
    CONSONANT = 3


def pack_properties(
    kind: Kind, combining_class: int, is_stable: bool, grapheme_break: Break, conjunct: Conjunct
) -> int:
    """Return the properties of a character as the table holds them."""
    return kind | grapheme_break << 4 | conjunct << 8 | (not is_stable) << 10 | combining_class << 11


class Properties(NamedTuple):
    """Properties of characters, each an int32 tensor of their shape (`is_stable`: bool).

    Attributes:
        kind: `Kind`.
        grapheme_break: `Break`.
        conjunct: `Conjunct`.
        is_stable: whether NFC keeps the character whatever surrounds it, up to the order of marks.
        combining_class: Canonical_Combining_Class.
    """

    kind: tf.Tensor
    grapheme_break: tf.Tensor
    conjunct: tf.Tensor
    is_stable: tf.Tensor
    combining_class: tf.Tensor


@cache
def load_tables() -> dict[str, np.ndarray]:
    """Return the arrays of `unicode.npz`, which tests/make_unicode_tables.py writes."""
    with np.load(Path(__file__).with_name("unicode.npz")) as file:
        return dict(file)


def look_up_properties(characters: tf.Tensor) -> Properties:
    """Return the properties of code points, int32 of any shape."""
    tables = load_tables()
    block = tf.gather(tables["block_index"], characters // BLOCK_SIZE)
    packed = tf.gather(tables["blocks"], block * BLOCK_SIZE + characters % BLOCK_SIZE)

    def unpack(shift: int, bits: int) -> tf.Tensor:
        return tf.bitwise.bitwise_and(tf.bitwise.right_shift(packed, shift), (1 << bits) - 1)

    return Properties(unpack(0, 4), unpack(4, 4), unpack(8, 2), unpack(10, 1) == 0, unpack(11, 8))


def find_cluster_starts(properties: Properties, row_ids: tf.Tensor) -> tf.Tensor:
    """Return where grapheme clusters start: what a reader takes for one character.

    They are the extended grapheme clusters of Unicode Standard Annex 29, revision 43: base characters with their
    marks, Hangul syllables, Indic conjuncts, flags, and emoji with modifiers and joiners.

    Args:
        properties: of the characters [n] of all rows.
        row_ids: int64 [n]. The row of each character, in ascending order.

    Returns:
        bool [n].
    """
    here, conjunct = properties.grapheme_break, properties.conjunct
    before = shift_right(here)
    position = tf.range(tf.size(here))
    is_row_start = find_changes(row_ids)

    def find_last(is_barrier: tf.Tensor) -> tf.Tensor:
        """Return the position of the last barrier before each character, or -1."""
        barriers = tf.concat([[-1], tf.cast(tf.where(is_barrier)[:, 0], tf.int32)], 0)
        return tf.gather(barriers, tf.cumsum(tf.cast(is_barrier, tf.int32), exclusive=True))

    row_start = tf.where(is_row_start, position, find_last(is_row_start))

    def is_in(values: tf.Tensor, *members: IntEnum) -> tf.Tensor:
        return tf.reduce_any(tf.stack([values == int(member) for member in members]), 0)

    def take(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        """Return the values at these places, and 0 at those before the row."""
        return tf.where(places >= row_start, tf.gather(values, tf.maximum(places, 0)), 0)

    # GB6 to GB8: Hangul syllables.
    is_inside = (before == Break.L) & is_in(here, Break.L, Break.V, Break.LV, Break.LVT)
    is_inside |= is_in(before, Break.LV, Break.V) & is_in(here, Break.V, Break.T)
    is_inside |= is_in(before, Break.LVT, Break.T) & (here == Break.T)
    # GB4, GB5, GB9, GB9a, GB9b: marks after any character but a control, and prepended ones before any.
    is_mark = is_in(here, Break.EXTEND, Break.ZWJ, Break.SPACING_MARK)
    is_inside |= is_mark & (before != Break.CONTROL)
    is_inside |= (before == Break.PREPEND) & (here != Break.CONTROL)
    # GB9c: a consonant after another one, with a linker between them.
    is_between = is_in(conjunct, Conjunct.LINKER, Conjunct.EXTEND)
    num_linkers = tf.cumsum(tf.cast(conjunct == Conjunct.LINKER, tf.int32), exclusive=True)
    base = find_last(~is_between)
    has_linker = num_linkers > tf.gather(num_linkers, tf.maximum(base, 0))
    is_inside |= (conjunct == Conjunct.CONSONANT) & (take(conjunct, base) == Conjunct.CONSONANT) & has_linker
    # GB11: emoji joined by ZWJ.
    base = shift_right(find_last(here != Break.EXTEND))
    is_joined = (take(here, base) == Break.PICTOGRAPHIC) & (before == Break.ZWJ)
    is_inside |= (here == Break.PICTOGRAPHIC) & is_joined
    # GB12, GB13: pairs of regional indicators.
    last = tf.maximum(find_last(here != Break.REGIONAL_INDICATOR), row_start - 1)
    is_inside |= (here == Break.REGIONAL_INDICATOR) & ((position - last) % 2 == 0)
    return ~is_inside | is_row_start


def find_changes(values: tf.Tensor) -> tf.Tensor:
    """Return for each place [n] whether its value differs from the one before; True at the first place."""
    return tf.concat([tf.ones_like(values[:1], tf.bool), values[1:] != values[:-1]], 0)


def shift_right(values: tf.Tensor) -> tf.Tensor:
    """Return for each place [n] what stands before it, and 0 at the first."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], 0)


def shift_left(values: tf.Tensor) -> tf.Tensor:
    """Return for each place [n] what stands after it, and 0 at the last."""
    return tf.concat([values[1:], tf.zeros_like(values[:1])], 0)
