"""Word pieces of texts in which numbers stand for items, and back."""

import tensorflow as tf

from zoo.preprocessing.text.base import METASPACE
from zoo.preprocessing.text.item_patterns import IN_WORD, MARK, STAND_IN, is_odd
from zoo.preprocessing.text.word_pieces import COPY_TOKENS, FIRST_COPY_ID, WordPieceTokenizer, pre_tokenize

_BORDER_IN_WORD = rf".*{IN_WORD}{MARK}{IN_WORD}.*"
_BORDER_IN_NUMBER = rf".*\p{{Nd}}{MARK}\p{{Nd}}.*"


class CopyingTokenizer(WordPieceTokenizer):
    """Word pieces of marked texts: `WordPieceTokenizer` with a token for each number.

    `train_wordpiece` makes its vocabulary with `split=pre_tokenize_marked` and `special_tokens=COPY_TOKENS`.
    """

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split marked texts, string [n], into pre-tokens; see `pre_tokenize_marked`."""
        return pre_tokenize_marked(texts)

    def ids_to_tokens(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """Return the token behind each id, as `WordPieceTokenizer` does; `copies` hold the items, too.

        An item that would become a part of the word or number before it gets a space, and so does a number after it.
        """
        tokens = super().ids_to_tokens(ids, copies)
        if copies is None:
            return tokens
        tokens = tf.where(is_copy(ids) & (copies != "") & (tokens != ""), copies, tokens)
        before = tf.concat([tf.zeros_like(ids[..., :1]), ids[..., :-1]], axis=-1)
        borders = tf.concat([tf.fill(tf.shape(ids[..., :1]), ""), tokens[..., :-1]], axis=-1) + MARK + tokens
        touches = is_copy(ids) & tf.strings.regex_full_match(borders, _BORDER_IN_WORD)
        touches |= is_copy(before) & tf.strings.regex_full_match(borders, _BORDER_IN_NUMBER)
        return tf.where(touches, METASPACE + tokens, tokens)


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
    """Return the ids of the copy tokens, and how often each of them occurs, int32 [n, 8], in ids [n, time]."""
    copy_ids = tuple(range(FIRST_COPY_ID, FIRST_COPY_ID + len(COPY_TOKENS)))
    is_equal = ids[:, :, None] == tf.constant(copy_ids, ids.dtype)
    return copy_ids, tf.reduce_sum(tf.cast(is_equal, tf.int32), axis=1)


def is_copy(ids: tf.Tensor) -> tf.Tensor:
    """Return which ids are those of copy tokens, bool of the same shape."""
    return (ids >= FIRST_COPY_ID) & (ids < FIRST_COPY_ID + len(COPY_TOKENS))


def gather_items(ids: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """Return the item that each copy token stands for, and "" for other tokens.

    Args:
        ids: int32 [n, ..., time].
        items: string [n, 8], from `CopiedItems.mark`.

    Returns:
        string [n, ..., time].
    """
    items = tf.concat([tf.fill([tf.shape(items)[0], 1], ""), items], axis=1)
    return tf.gather(items, tf.where(is_copy(ids), ids - FIRST_COPY_ID + 1, 0), batch_dims=1)
