"""Texts to their normalized form, inside the graph: valid UTF-8, NFC, without characters that show nothing."""

import tensorflow as tf

from zoo.preprocessing.text.unicode import (
    Break,
    Characters,
    Kind,
    Properties,
    find_changes,
    load_tables,
    look_up_characters,
    look_up_properties,
    shift_left,
    shift_right,
)

# Hangul syllables are composed by arithmetic (The Unicode Standard, section 3.12).
_S_BASE, _L_BASE, _V_BASE, _T_BASE = 0xAC00, 0x1100, 0x1161, 0x11A7
_L_COUNT, _V_COUNT, _T_COUNT = 19, 21, 28
_S_COUNT = _L_COUNT * _V_COUNT * _T_COUNT
_VIRAMA = 9  # combining class


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def normalize_texts(texts: tf.Tensor) -> tf.Tensor:
    r"""Bring texts into the form in which all of the preprocessing reads them.

    1. Bytes that are not UTF-8 and control characters, NUL among them, become spaces.
    2. Format characters that show nothing are dropped: soft hyphens, word joiners, zero-width spaces, byte order
       marks, embeddings and isolates of bidirectional text, invisible operators.
    3. Normalization form C: "e" and a combining accent become "é" (Unicode Standard Annex 15).
    4. The joiners U+200C and U+200D are dropped where they join nothing: they stay between letters, after a
       virama, before a mark, and between emoji.

    The version of Unicode is 15.1, whatever Python or TensorFlow run with. Normalizing twice changes nothing.

    Args:
        texts: string [n], UTF-8.

    Returns:
        string [n].

    >>> normalize_texts(["cafe\u0301 soft\u00adware\u200c"]).numpy()[0].decode()
    'café software'
    """
    characters = read_characters(texts)
    rows = tf.RaggedTensor.from_value_rowids(
        characters.values, characters.row_ids, tf.size(texts, tf.int64), validate=False
    )
    return tf.strings.unicode_encode(rows, "UTF-8")


def read_characters(texts: tf.Tensor, dropped: tuple[Kind, ...] = ()) -> Characters:
    """Return the characters of normalized texts; see `normalize_texts`.

    Args:
        texts: string [n].
        dropped: kinds of characters to drop beside those that show nothing.
    """
    decoded = tf.strings.unicode_decode(
        texts, "UTF-8", errors="replace", replacement_char=ord(" "), replace_control_characters=True
    )
    characters = look_up_characters(decoded.flat_values, decoded.value_rowids())
    kind = characters.properties.kind
    is_dropped = [kind == int(member) for member in (Kind.IGNORED, *dropped)]
    values, row_ids, properties = characters.select(~tf.reduce_any(tf.stack(is_dropped), 0))

    def change() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        composed = look_up_characters(*compose(*decompose(values, row_ids)))
        return composed.values, composed.row_ids, composed.properties.packed

    values, row_ids, packed = tf.cond(
        _is_normalized(properties, row_ids), lambda: (values, row_ids, properties.packed), change
    )
    characters = Characters(values, row_ids, Properties(packed))
    return characters.select(_find_needed_joiners(characters))


def _is_normalized(properties: Properties, row_ids: tf.Tensor) -> tf.Tensor:
    """Return whether all rows are certainly in NFC: no character that NFC might change, all marks in order."""
    combining_class = properties.combining_class
    is_unordered = (combining_class != 0) & (shift_right(combining_class) > combining_class)
    is_unordered &= ~find_changes(row_ids)
    return tf.reduce_all(properties.is_stable & ~is_unordered)


def _find_needed_joiners(characters: Characters) -> tf.Tensor:
    """Return False for the joiners that join nothing, and True for all other characters."""
    properties = characters.properties
    kind, grapheme_break = properties.kind, properties.grapheme_break
    has_before = ~find_changes(characters.row_ids)
    has_after = shift_left(has_before)
    has_before &= ~shift_right(kind == Kind.SPACE)

    def follows(values: tf.Tensor) -> tf.Tensor:
        return shift_right(values) & has_before

    def precedes(values: tf.Tensor) -> tf.Tensor:
        return shift_left(values) & has_after

    is_letter = (kind == Kind.LETTER) | (kind == Kind.CHARACTER)
    is_mark = kind == Kind.MARK
    is_emoji = grapheme_break == Break.PICTOGRAPHIC
    is_needed = follows(is_letter | is_mark) & precedes(is_letter)
    is_needed |= follows(properties.combining_class == _VIRAMA) | (has_before & precedes(is_mark))
    is_needed |= follows(is_emoji | (grapheme_break == Break.EXTEND)) & precedes(is_emoji)
    return (kind != Kind.JOINER) | is_needed


def decompose(characters: tf.Tensor, row_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the canonical decomposition (NFD) of characters int32 [n], and the row of each part."""
    tables = load_tables()
    # A row of the table for each character; its own code point where it cannot be decomposed.
    place = tf.minimum(tf.searchsorted(tables["decomposable"], characters), len(tables["decomposable"]) - 1)
    is_listed = tf.gather(tables["decomposable"], place) == characters
    missing = tf.fill([tf.size(characters), tables["decompositions"].shape[1] - 1], -1)
    parts = tf.where(
        is_listed[:, None],
        tf.gather(tables["decompositions"], place),
        tf.concat([characters[:, None], missing], 1),
    )
    index = characters - _S_BASE
    is_syllable = (index >= 0) & (index < _S_COUNT)
    trailing = index % _T_COUNT
    jamo = tf.stack(
        [
            _L_BASE + index // (_V_COUNT * _T_COUNT),
            _V_BASE + index % (_V_COUNT * _T_COUNT) // _T_COUNT,
            tf.where(trailing == 0, -1, _T_BASE + trailing),
        ],
        1,
    )
    parts = tf.where(is_syllable[:, None], tf.concat([jamo, missing[:, 2:]], 1), parts)
    rows = tf.broadcast_to(row_ids[:, None], tf.shape(parts))
    characters, row_ids = parts[parts >= 0], rows[parts >= 0]

    # Each run of marks is sorted by combining class; a run ends with its row.
    combining_class = look_up_properties(characters).combining_class
    is_start = (combining_class == 0) | find_changes(row_ids)
    run = tf.cumsum(tf.cast(is_start, tf.int64))
    order = tf.argsort(run * 256 + tf.cast(combining_class, tf.int64), stable=True)
    return tf.gather(characters, order), row_ids


def compose(characters: tf.Tensor, row_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the canonical composition of decomposed characters int32 [n], and the row of each.

    Each iteration composes the next mark of every character that has one. There are few, because no character is
    composed of more than four.
    """

    def take_next(
        characters: tf.Tensor, row_ids: tf.Tensor, is_tried: tf.Tensor, _: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        combining_class = look_up_properties(characters).combining_class
        position = tf.range(tf.size(characters))
        is_starter = combining_class == 0
        starters = tf.concat([[0], tf.cast(tf.where(is_starter)[:, 0], tf.int32)], 0)
        starter = tf.gather(starters, tf.cumsum(tf.cast(is_starter, tf.int32), exclusive=True))
        before = shift_right(combining_class)
        composite = _look_up_composites(tf.gather(characters, starter), characters)
        is_next = (composite >= 0) & ~is_tried
        is_next &= (starter == position - 1) | (before < combining_class)  # not blocked by another mark
        is_next &= tf.gather(is_starter & (position >= 0), starter) & (starter < position)
        is_next &= tf.gather(row_ids, starter) == row_ids
        # The first of each starter. No starter can both be added to one and have another one added to it.
        places = tf.cast(tf.where(is_next)[:, 0], tf.int32)
        own = tf.gather(starter, places)
        is_first = find_changes(own)
        places, own = places[is_first], own[is_first]
        characters = tf.tensor_scatter_nd_update(characters, own[:, None], tf.gather(composite, places))
        added = tf.tensor_scatter_nd_update(tf.fill([tf.size(characters)], -1), own[:, None], places)
        is_tried |= ~is_starter & (tf.gather(added, starter) > position)
        is_left = tf.tensor_scatter_nd_update(
            tf.fill([tf.size(characters)], True), places[:, None], places < 0
        )
        characters, row_ids, is_tried = (x[is_left] for x in (characters, row_ids, is_tried))
        return characters, row_ids, is_tried, tf.size(places) > 0

    vector = tf.TensorShape([None])
    characters, row_ids, *_ = tf.while_loop(
        lambda *variables: variables[-1],
        take_next,
        [characters, row_ids, tf.zeros_like(characters, tf.bool), tf.size(characters) > 0],
        [vector, vector, vector, tf.TensorShape([])],
    )
    return characters, row_ids


def _look_up_composites(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Return the primary composite of each pair of characters [n], or -1."""
    tables = load_tables()
    pairs = tables["pairs"].astype("int64")
    keys = pairs[:, 0] << 21 | pairs[:, 1]
    key = tf.bitwise.left_shift(tf.cast(first, tf.int64), 21) + tf.cast(second, tf.int64)
    place = tf.minimum(tf.searchsorted(keys, key), len(keys) - 1)
    composite = tf.where(tf.gather(keys, place) == key, tf.gather(tables["composites"], place), -1)
    leading, vowel, trailing = first - _L_BASE, second - _V_BASE, second - _T_BASE
    is_lv = (leading >= 0) & (leading < _L_COUNT) & (vowel >= 0) & (vowel < _V_COUNT)
    composite = tf.where(is_lv, _S_BASE + (leading * _V_COUNT + vowel) * _T_COUNT, composite)
    syllable = first - _S_BASE
    is_lvt = (syllable >= 0) & (syllable < _S_COUNT) & (syllable % _T_COUNT == 0)
    is_lvt &= (trailing > 0) & (trailing < _T_COUNT)
    return tf.where(is_lvt, first + trailing, composite)
