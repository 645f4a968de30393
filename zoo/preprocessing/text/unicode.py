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


class Properties:
    """Properties of characters, int32 of their shape each.

    Args:
        packed: int32, any shape, as `pack_properties` makes them.
    """

    def __init__(self, packed: tf.Tensor) -> None:
        self.packed = packed

    @property
    def kind(self) -> tf.Tensor:
        """`Kind`."""
        return self._unpack(0, 4)

    @property
    def grapheme_break(self) -> tf.Tensor:
        """`Break`."""
        return self._unpack(4, 4)

    @property
    def conjunct(self) -> tf.Tensor:
        """`Conjunct`."""
        return self._unpack(8, 2)

    @property
    def is_stable(self) -> tf.Tensor:
        """Whether NFC keeps the character whatever surrounds it, up to the order of marks; bool."""
        return self._unpack(10, 1) == 0

    @property
    def combining_class(self) -> tf.Tensor:
        """Canonical_Combining_Class."""
        return self._unpack(11, 8)

    def _unpack(self, shift: int, bits: int) -> tf.Tensor:
        return tf.bitwise.bitwise_and(tf.bitwise.right_shift(self.packed, shift), (1 << bits) - 1)


class Characters(NamedTuple):
    """The characters of n texts, one after the other.

    Attributes:
        values: int32 [characters]: code points.
        row_ids: int64 [characters]: the text of each, ascending.
        properties: of each.
    """

    values: tf.Tensor
    row_ids: tf.Tensor
    properties: Properties

    def select(self, is_selected: tf.Tensor) -> "Characters":
        """Return the characters where a bool tensor [characters] is True."""
        places = tf.where(is_selected)[:, 0]
        values, row_ids, packed = (
            tf.gather(x, places) for x in (self.values, self.row_ids, self.properties.packed)
        )
        return Characters(values, row_ids, Properties(packed))


def look_up_characters(values: tf.Tensor, row_ids: tf.Tensor) -> Characters:
    """Return code points, int32 [characters], with their properties."""
    return Characters(values, row_ids, look_up_properties(values))


@cache
def load_tables() -> dict[str, np.ndarray]:
    """Return the arrays of `unicode.npz`, which tests/make_unicode_tables.py writes."""
    with np.load(Path(__file__).with_name("unicode.npz")) as file:
        return dict(file)


def look_up_properties(values: tf.Tensor) -> Properties:
    """Return the properties of code points, int32 of any shape."""
    tables = load_tables()
    block = tf.cast(tf.gather(tables["block_index"], values // BLOCK_SIZE), tf.int32)
    number = tf.gather(tables["blocks"], block * BLOCK_SIZE + values % BLOCK_SIZE)
    return Properties(tf.gather(tables["properties"], tf.cast(number, tf.int32)))


def find_cluster_starts(characters: Characters) -> tf.Tensor:
    """Return where grapheme clusters start: what a reader takes for one character.

    They are the extended grapheme clusters of Unicode Standard Annex 29, revision 43: base characters with their
    marks, Hangul syllables, Indic conjuncts, flags, and emoji with modifiers and joiners.

    Returns:
        bool [characters].
    """
    here, conjunct = characters.properties.grapheme_break, characters.properties.conjunct
    before = shift_right(here)
    position = tf.range(tf.size(here))
    is_row_start = find_changes(characters.row_ids)

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
