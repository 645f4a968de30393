"""Word pieces that are split into shorter ones at random, so that a model reads words in more than one form."""

import numpy as np
import tensorflow as tf

from zoo.preprocessing.text.base import PADDING_ID
from zoo.preprocessing.text.word_pieces import (
    CONTINUATION,
    COPY_TOKENS,
    SPECIAL_TOKENS,
    WordPieceTokenizer,
)


class SubwordDropout:
    """Splits word pieces into two shorter ones at random: subword regularization, for training.

    A piece is split with the probability `rate`, at a place drawn evenly from all those at which both parts are in the
    vocabulary. The text of the pieces stays as it is. A model so reads and writes a word in several forms, and learns
    more about the parts of rare words: with few training texts it generalizes better. Subword regularization is by
    Kudo (2018), "Subword regularization: Improving neural network translation models with multiple subword
    candidates". BPE-dropout (Provilkov et al., 2020) and MaxMatch-Dropout (Hiraoka, 2022) tokenize the words again and
    leave tokens out at random; here each piece of the usual tokenization is split once or not at all.

    Args:
        tokenizer: has made the ids.
        rate: float in [0, 1]. Probability that a piece is split, if it can be. 0.1 is usual.

    Call arguments:
        ids: int32 tensor [batch, time], padded with `PADDING_ID` on the right.
        seed: int tensor [2]. The same seed gives the same result.

    Output shape:
        int32 [batch, time']: the ids of the parts, padded to the longest row.

    Raises:
        ValueError: `rate` is not in [0, 1].

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from zoo.preprocessing.text import SubwordDropout, WordPieceTokenizer, train_wordpiece, write_vocabulary
        >>> vocabulary = train_wordpiece(["hot hotel hotels"] * 5, vocabulary_size=50)
        >>> path = write_vocabulary(vocabulary, Path(tempfile.mkdtemp(), "pieces.txt"))
        >>> tokenizer = WordPieceTokenizer(path, max_tokens=100)
        >>> ids = SubwordDropout(tokenizer, rate=1.0)(tokenizer(["hotels hot"]).ids, seed=[1, 2])
        >>> print(*(token.decode() for token in tokenizer.ids_to_tokens(ids)[0].numpy()))
        ▁hotel s ▁h ot
    """

    def __init__(self, tokenizer: WordPieceTokenizer, rate: float) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"`rate` must be a probability, from 0 to 1, but it is {rate!r}.")
        self.rate = rate
        splits = _find_splits(tokenizer.get_vocabulary())
        counts = np.array([len(parts) for parts in splits], np.int32)
        self._counts, self._starts = counts, np.cumsum(counts, dtype=np.int32) - counts
        # A row more, so that pieces without a split have something to gather.
        self._parts = np.array(
            [part for parts in splits for part in parts] + [(PADDING_ID, PADDING_ID)], np.int32
        )

    def __call__(self, ids: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Return the ids of the parts; see the class."""
        is_drawn, place = tf.unstack(tf.random.stateless_uniform([2, *tf.unstack(tf.shape(ids))], seed))
        counts = tf.gather(self._counts, ids)
        is_split = (is_drawn < self.rate) & (counts > 0)
        number = tf.cast(place * tf.cast(counts, place.dtype), tf.int32)
        parts = tf.gather(
            self._parts, tf.gather(self._starts, ids) + tf.minimum(number, tf.maximum(counts - 1, 0))
        )
        pairs = tf.where(is_split[..., None], parts, tf.stack([ids, tf.zeros_like(ids) + PADDING_ID], -1))
        rows = tf.reshape(pairs, [tf.shape(ids)[0], 2 * tf.shape(ids)[1]])
        rows = tf.ragged.boolean_mask(rows, rows != PADDING_ID)
        return rows.to_tensor(PADDING_ID, shape=tf.maximum(rows.bounding_shape(), 1))


def _find_splits(vocabulary: list[str]) -> list[list[tuple[int, int]]]:
    """Return for each token the ids of its two parts, for all places at which it can be split."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    for token in (*SPECIAL_TOKENS, *COPY_TOKENS):
        ids.pop(token, None)
    splits: list[list[tuple[int, int]]] = [[] for _ in vocabulary]
    for token, number in ids.items():
        start = len(CONTINUATION) if token.startswith(CONTINUATION) else 0
        parts = ((token[:end], CONTINUATION + token[end:]) for end in range(start + 1, len(token)))
        splits[number] = [(ids[first], ids[rest]) for first, rest in parts if first in ids and rest in ids]
    return splits
