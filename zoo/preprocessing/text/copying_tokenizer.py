"""Word pieces of texts in which numbers stand for items, and back."""

import tensorflow as tf

from zoo.preprocessing.text.base import METASPACE
from zoo.preprocessing.text.item_patterns import MARK, STAND_IN, UNSPACED, is_odd
from zoo.preprocessing.text.word_pieces import COPY_TOKENS, FIRST_COPY_ID, WordPieceTokenizer, pre_tokenize

_CLOSING = r"[.,;:!?…)\]\"'”“’‘«»‹›、。，！？：；）」』》]"
_OPENING = r"[(\[\"'“”„’‘‚«»‹›¿¡（「『《、。，！？：；）」』》]"
_ADDRESS = r"[^&#{$%@<].*(?:://|@|\.\p{L}).*|[Ww]{3}\..*"
_SEPARATE = r"<.*>|&[^&]*;"  # items that nothing after them can become a part of
_NEVER_MERGED = r"[$#@%]?\{.*\}MARK[&{].*|%[^%]*[A-Za-z]MARK%.*".replace("MARK", MARK)
_ENDING = r"\p{Ll}{1,2}(?:[^\p{L}\p{M}\p{N}_].*)?"  # "Tom" and "s"


class CopyingTokenizer(WordPieceTokenizer):
    r"""Word pieces of marked texts: `WordPieceTokenizer` with a token for each number.

    `train_wordpiece` makes its vocabulary with `split=pre_tokenize_marked` and `special_tokens=COPY_TOKENS`.

    Example:
        >>> import tempfile, tensorflow as tf, zoo
        >>> from pathlib import Path
        >>> from zoo.preprocessing.text import COPY_TOKENS, pre_tokenize_marked, train_wordpiece, write_vocabulary
        >>> vocabulary = train_wordpiece(
        ...     ["hot hotel"] * 5, vocabulary_size=50, split=pre_tokenize_marked, special_tokens=COPY_TOKENS
        ... )
        >>> path = write_vocabulary(vocabulary, Path(tempfile.mkdtemp(), "pieces.txt"))
        >>> tokenizer = zoo.preprocessing.text.CopyingTokenizer(path, max_tokens=100)
        >>> print(*(token.decode() for token in tokenizer(tf.constant(["hotel \x011\x01"])).tokens[0].numpy()))
        ▁hotel ▁ [COPY1]
    """

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split marked texts, string [n], into pre-tokens; see `pre_tokenize_marked`."""
        return pre_tokenize_marked(texts)

    def ids_to_tokens(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """Return the token behind each id, as `WordPieceTokenizer` does; `copies` hold the items, too.

        A token starts with "▁" where `join_items` puts a space.
        """
        tokens = super().ids_to_tokens(ids, copies)
        if copies is None:
            return tokens
        is_item = is_copy(ids) & (copies != "") & (tokens != "")
        tokens = tf.where(is_item, copies, tokens)
        shape = tf.shape(tokens)
        rows = tf.reshape(
            tf.where(is_item, MARK + tokens + MARK, tokens), [tf.reduce_prod(shape[:-1]), shape[-1]]
        )
        texts = tf.strings.regex_replace(tf.strings.reduce_join(rows, axis=-1), METASPACE, " ")
        before, after = (
            _follow_spaces(tf.strings.regex_replace(texts, MARK, "")),
            _follow_spaces(join_items(texts)),
        )
        is_new = after.with_values(after.flat_values & ~before.flat_values).to_tensor(False)
        is_new = tf.pad(is_new, [[0, 0], [0, 1]])
        lengths = tf.strings.length(tf.strings.regex_replace(rows, f"[ {MARK}{METASPACE}]", ""), "UTF8_CHAR")
        is_spaced = tf.gather(is_new, tf.cumsum(lengths, axis=-1, exclusive=True), batch_dims=1) & (
            lengths > 0
        )
        return tf.where(tf.reshape(is_spaced, shape), METASPACE + tokens, tokens)


def _follow_spaces(texts: tf.Tensor) -> tf.RaggedTensor:
    """Return which characters of each text, spaces apart, follow a space."""
    characters = tf.strings.unicode_split(" " + texts, "UTF-8")
    is_space = characters.with_values(characters.flat_values == " ")
    follows = is_space.with_values(tf.roll(is_space.flat_values, 1, 0))
    return tf.ragged.boolean_mask(follows, characters != " ")


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def join_items(texts: tf.Tensor) -> tf.Tensor:
    r"""Join items with the text around them, with a space wherever they would merge.

    Brackets, quotes and tags next to an item, "%" after a number, the marks after an item, a sign before a number,
    and letters of scripts without spaces stay as they are, and so does an ending of up to two letters of a name.
    Everything else that touches an item gets a space. So `CopiedItems.find` finds the same items again, unless the
    text around them has braces, or parts of a tag.

    Args:
        texts: string [n]. U+0001 stands before and after each item.

    Returns:
        string [n].

    >>> join_items(tf.constant(["\x01x.org\x01und.\x015\x01%, \x01Tom\x01s"])).numpy()[0].decode()
    'x.org und. 5%, Toms'
    """
    matches = tf.strings.regex_full_match
    segments = tf.strings.split(texts, MARK)
    texts, places = segments.flat_values, tf.ragged.range(segments.row_lengths()).flat_values
    is_first = places == 0
    before = tf.where(is_first, "", tf.roll(texts, 1, 0))
    after = tf.where(tf.roll(is_first, -1, 0), "", tf.roll(texts, -1, 0))
    can_merge_before = (before != "") & ~matches(before, _SEPARATE)
    can_merge_after = (after != "") & ~matches(after, "<.*>")
    is_address, is_before_word = matches(before, _ADDRESS), matches(after, r"[\p{L}\p{N}].*")

    stays = matches(texts, f"{_CLOSING}*(?: .*)?")
    stays |= matches(texts, rf"{_CLOSING}*[{UNSPACED}].*|[-'’]\p{{L}}.*") & ~is_address
    stays |= matches(texts, r"(?:[%‰€£¥]|°[CF]?)(?:[^\p{L}\p{N}_].*)?") & matches(
        before, r"\p{Nd}[\p{Nd}.,:/-]*"
    )
    stays |= matches(texts, _ENDING) & matches(before, r"[\p{L}\p{M}' -]+")
    spaced = tf.strings.regex_replace(texts, f"^({_CLOSING}*)([^ ].*)$", r"\1 \2")
    spaced = tf.where(can_merge_before & ~stays, spaced, texts)

    stays = matches(spaced, f".*(?: |{_OPENING})") | (matches(spaced, r".*[.,;:!?…]") & ~is_before_word)
    stays |= matches(spaced, r"(?:.* )?[-+$€£¥#]") & matches(after, r"\p{Nd}.*")
    stays &= ~(
        can_merge_before & (is_address | is_before_word) & matches(spaced, "[^ ]*")
    )  # "x.org," and "5"
    stays |= matches(spaced, f".*[{UNSPACED}、。，！？：；）」』》]")
    spaced = tf.where((texts != "") & can_merge_after & ~stays, spaced + " ", spaced)

    stays = matches(tf.strings.join([before, MARK, after]), _NEVER_MERGED)
    spaced = tf.where((texts == "") & can_merge_before & can_merge_after & ~stays, " ", spaced)
    joined = tf.where(is_odd(segments), texts, spaced)
    return tf.strings.reduce_join(segments.with_values(joined), axis=1)


def pre_tokenize_marked(texts: tf.Tensor) -> tf.RaggedTensor:
    r"""Split marked texts into pre-tokens, as `pre_tokenize` does. An item is `[COPY1]` to `[COPY8]`.

    The space before an item is a pre-token by itself.

    Args:
        texts: string [n], from `CopiedItems`.

    Returns:
        Ragged string [n, pre-tokens].

    >>> print(*(token.decode() for token in pre_tokenize_marked(["See (\x012\x01) \x011\x01."])[0].numpy()))
    ▁See ▁( [COPY2] ) ▁ [COPY1] .
    """
    segments = tf.strings.split(texts, MARK)
    is_item = is_odd(segments)
    names = "[COPY" + segments.flat_values[is_item] + "]"
    texts = tf.strings.reduce_join(
        segments.with_values(tf.where(is_item, STAND_IN, segments.flat_values)), axis=1
    )
    words = pre_tokenize(texts)
    separated = tf.strings.regex_replace(words.flat_values, STAND_IN, f"{MARK}{STAND_IN}{MARK}")
    parts = words.with_values(tf.strings.split(separated, MARK)).merge_dims(1, 2)
    parts = tf.ragged.boolean_mask(parts, parts != "")
    places = tf.where(parts.flat_values == STAND_IN)
    return parts.with_values(tf.tensor_scatter_nd_update(parts.flat_values, places, names))


def count_copy_tokens(ids: tf.Tensor) -> tuple[tuple[int, ...], tf.Tensor]:
    """Return the ids of the copy tokens, and how often each of them occurs, int32 [n, 8], in ids [n, time].

    Example:
        >>> import tensorflow as tf, zoo
        >>> copy_ids, counts = zoo.preprocessing.text.count_copy_tokens(tf.constant([[4, 20, 4]]))
        >>> copy_ids, counts.numpy().tolist()
        ((4, 5, 6, 7, 8, 9, 10, 11), [[2, 0, 0, 0, 0, 0, 0, 0]])
    """
    copy_ids = tuple(range(FIRST_COPY_ID, FIRST_COPY_ID + len(COPY_TOKENS)))
    is_equal = ids[:, :, None] == tf.constant(copy_ids, ids.dtype)
    return copy_ids, tf.reduce_sum(tf.cast(is_equal, tf.int32), axis=1)


def is_copy(ids: tf.Tensor) -> tf.Tensor:
    """Return which ids are those of copy tokens, bool of the same shape.

    Example:
        >>> import tensorflow as tf, zoo
        >>> zoo.preprocessing.text.is_copy(tf.constant([3, 4, 11, 12])).numpy().tolist()
        [False, True, True, False]
    """
    return (ids >= FIRST_COPY_ID) & (ids < FIRST_COPY_ID + len(COPY_TOKENS))


def gather_items(ids: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """Return the item that each copy token stands for, and "" for other tokens.

    Args:
        ids: int32 [n, ..., time].
        items: string [n, 8], from `CopiedItems.mark`.

    Returns:
        string [n, ..., time].

    Example:
        >>> import tensorflow as tf, zoo
        >>> items = tf.constant([["x.org", "Ann", "", "", "", "", "", ""]])
        >>> zoo.preprocessing.text.gather_items(tf.constant([[20, 5, 4]]), items).numpy().tolist()
        [[b'', b'Ann', b'x.org']]
    """
    items = tf.concat([tf.fill([tf.shape(items)[0], 1], ""), items], axis=1)
    return tf.gather(items, tf.where(is_copy(ids), ids - FIRST_COPY_ID + 1, 0), batch_dims=1)
