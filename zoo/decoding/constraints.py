"""What a search may generate: tokens that are forbidden, forced, or made less probable.

All constraints turn the log-probabilities of the next tokens into others. They need the sequences so far and the
data of each row, which are variables of the search: they follow the rows of the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from zoo.decoding.loop import IMPOSSIBLE, NO_TOKEN, Rows

ExactCounts = tuple[Sequence[int] | tf.Tensor, tf.Tensor]
"""Token ids [k], and how often each row has to generate each of them, [batch, k]."""


@dataclass(frozen=True)
class Constraints:
    """The constraints of a search.

    A token that is forced is allowed, whatever else forbids it. Forbidding tokens leaves the log-probabilities of the
    others as they are.

    Attributes:
        end_id: the token that ends a sequence.
        no_repeat_ngram_size: length n of the token sequences that are limited in number; 0 stands for none.
        repetition_penalty: 1, or the number above by which tokens that were generated before are made less probable.
        counted_ids: int32 tensor [k], or None. Tokens to which the two do not apply, since their numbers are in `data`.
        data: tensors of the rows by name, [batch, ...]: "prefix" [batch, time], "min_length" [batch], "max_ngram_count"
            [batch] and "counts" [batch, k], where they are in use.
    """

    end_id: int
    no_repeat_ngram_size: int = 0
    repetition_penalty: float = 1.0
    counted_ids: tf.Tensor | None = None
    data: Rows = field(default_factory=dict)

    def compute_log_probabilities(
        self, logits: tf.Tensor, t: tf.Tensor, sequences: tf.Tensor, limits: tf.Tensor, data: Rows
    ) -> tf.Tensor:
        """Return the log-probabilities of the tokens that may be generated at a step; -inf for the others.

        Args:
            logits: [batch * n, vocabulary size], of n hypotheses in each row.
            t: number of the step, from 0.
            sequences: [batch, n, time]. What has been generated.
            limits: [batch]. How many tokens may be generated.
            data: those of the rows that the search still has.
        """
        logits = tf.cast(logits, tf.float32)
        if not (self.data or self.no_repeat_ngram_size or self.repetition_penalty != 1):
            return tf.nn.log_softmax(logits)

        batch, n, time = tf.unstack(tf.shape(sequences))  # one row for each hypothesis from here on
        others = sequences = tf.reshape(sequences, [batch * n, time])[:, :t]  # ONNX reshapes no empty tensor
        limits, data = tf.nest.map_structure(lambda x: tf.repeat(x, n, axis=0), (limits, data))
        if self.counted_ids is not None:
            is_counted = tf.equal(sequences[..., None], self.counted_ids)  # [rows, time, k]
            missing = data["counts"] - tf.reduce_sum(tf.cast(is_counted, tf.int32), axis=1)
            others = tf.where(tf.reduce_any(is_counted, axis=-1), NO_TOKEN, sequences)

        if self.repetition_penalty != 1:
            logits = _penalize(logits, others, self.repetition_penalty)
        free = allowed = tf.nn.log_softmax(logits)
        if self.no_repeat_ngram_size:
            would_repeat = _find_ngrams_to_repeat(sequences, t, self.no_repeat_ngram_size)
            if "max_ngram_count" in data:
                # `tf.scatter_nd` would do, but converted to ONNX it does not add up.
                num_before = tf.tensor_scatter_nd_add(
                    tf.zeros(tf.shape(logits), tf.int32),
                    _index(sequences),
                    tf.cast(would_repeat, tf.int32),
                )
                num_before = tf.gather_nd(num_before, _index(sequences))  # times that the n-gram has occurred
                would_repeat &= num_before >= data["max_ngram_count"][:, None]
            allowed = _forbid(allowed, others, would_repeat)
        if "min_length" in data:
            allowed = self._forbid_end(allowed, t < data["min_length"])
        if self.counted_ids is not None:
            ids = tf.tile(self.counted_ids[None], [tf.shape(missing)[0], 1])
            allowed = self._forbid_end(allowed, tf.reduce_any(missing > 0, axis=-1))
            allowed = _forbid(allowed, ids, missing <= 0)
            num_missing = tf.reduce_sum(tf.maximum(missing, 0), axis=-1)
            wants_end = free[:, self.end_id] >= tf.reduce_max(free, axis=-1)
            is_needed = (num_missing >= limits - t) | (wants_end & (num_missing > 0))
            allowed = _force(allowed, free, is_needed, ids, missing > 0)
        if "prefix" in data:
            width = tf.shape(data["prefix"])[1]  # at least 1; the last column is 0
            token = data["prefix"][:, tf.minimum(t, width - 1)]
            allowed = _force(allowed, free, token > 0, token[:, None], token[:, None] > 0)
        return allowed

    def _forbid_end(self, log_probabilities: tf.Tensor, is_forbidden: tf.Tensor) -> tf.Tensor:
        return _forbid(
            log_probabilities, tf.fill([tf.size(is_forbidden), 1], self.end_id), is_forbidden[:, None]
        )


def build_constraints(
    batch: tf.Tensor,
    end_id: int,
    prefix: tf.Tensor | None,
    min_length: int | tf.Tensor,
    no_repeat_ngram_size: int,
    max_ngram_count: int | tf.Tensor,
    repetition_penalty: float,
    exact_counts: ExactCounts | None,
) -> Constraints:
    """Return the constraints of a search of `batch` rows, checked; see `zoo.decoding.greedy_search`."""
    for name, value, least in (("min_length", min_length, 0), ("max_ngram_count", max_ngram_count, 1)):
        if isinstance(value, int) and value < least:
            raise ValueError(f"`{name}` must be at least {least}, but it is {value!r}.")
    if no_repeat_ngram_size < 0:
        raise ValueError(
            f"`no_repeat_ngram_size` must be at least 1, or 0 to allow repetition, but it is {no_repeat_ngram_size!r}."
        )
    if not 1 <= repetition_penalty < float("inf"):
        raise ValueError(f"`repetition_penalty` must be at least 1, but it is {repetition_penalty!r}.")
    data: Rows = {}
    if prefix is not None:
        prefix = tf.cast(prefix, tf.int32)
        _check_shape("prefix", prefix, "[batch, time]", 2)
        data["prefix"] = tf.pad(prefix, [[0, 0], [0, 1]])
    if not isinstance(min_length, int) or min_length:
        data["min_length"] = tf.broadcast_to(tf.cast(min_length, tf.int32), [batch])
    if not isinstance(max_ngram_count, int) or max_ngram_count > 1:
        data["max_ngram_count"] = tf.broadcast_to(tf.cast(max_ngram_count, tf.int32), [batch])
    counted_ids = None
    if exact_counts is not None:
        counted_ids, data["counts"] = (tf.cast(x, tf.int32) for x in exact_counts)
        _check_shape("exact_counts[0]", counted_ids, "[k]", 1)
        _check_shape("exact_counts[1]", data["counts"], "[batch, k]", 2)
        ids = tf.get_static_value(counted_ids)
        if ids is not None and (end_id in ids or len(np.unique(ids)) < len(ids)):
            raise ValueError(
                f"The ids of `exact_counts` must differ from each other and from the end token, {end_id}, but they "
                f"are {ids.tolist()}."
            )
    return Constraints(end_id, no_repeat_ngram_size, repetition_penalty, counted_ids, data)


def count_most_frequent_ngram(ids: tf.Tensor, size: int) -> tf.Tensor:
    """Return how often the most frequent n-gram of each row occurs, for example as `max_ngram_count` of a translation.

    Args:
        ids: int tensor [batch, time], 0 at padding.
        size: int. Number n of tokens in a row.

    Returns:
        int32 tensor [batch], at least 1.

    Example:
        >>> import tensorflow as tf, zoo
        >>> ids = tf.constant([[5, 6, 5, 6, 5], [5, 6, 7, 0, 0]])
        >>> zoo.decoding.count_most_frequent_ngram(ids, size=2).numpy().tolist()
        [2, 1]
    """
    padded = tf.pad(ids, [[0, 0], [0, size - 1]])
    ngrams = tf.stack([padded[:, i : i + tf.shape(ids)[1]] for i in range(size)], axis=-1)  # [batch, time, n]
    is_whole = tf.reduce_all(ngrams != 0, axis=-1)
    is_same = tf.reduce_all(ngrams[:, :, None] == ngrams[:, None], axis=-1) & is_whole[:, None]
    counts = tf.reduce_sum(tf.cast(is_same, tf.int32), axis=-1)
    return tf.maximum(tf.reduce_max(counts, axis=-1), 1)


def _check_shape(name: str, x: tf.Tensor, shape: str, rank: int) -> None:
    if x.shape.rank not in (None, rank):
        raise ValueError(f"`{name}` must have the shape {shape}, but it has {x.shape}.")


def _find_ngrams_to_repeat(sequences: tf.Tensor, t: tf.Tensor, size: int) -> tf.Tensor:
    """Return which tokens of sequences [rows, time] end an n-gram that they, generated at step t, would repeat."""
    time = tf.shape(sequences)[1]
    padded = tf.pad(sequences, [[0, 0], [size - 1, 0]], constant_values=NO_TOKEN)
    would_repeat = sequences != NO_TOKEN
    for i in range(size - 1):  # the tokens before each one, and those before step t
        would_repeat &= padded[:, i : i + time] == padded[:, t + i, None]
    return would_repeat


def _penalize(logits: tf.Tensor, tokens: tf.Tensor, penalty: float) -> tf.Tensor:
    """Return logits [rows, vocabulary size], lower at tokens [rows, n]: divided if positive, else multiplied."""
    values = tf.gather(logits, tf.maximum(tokens, 0), batch_dims=1)
    values = tf.where(values > 0, values / penalty, values * penalty)
    values = tf.where(tokens == NO_TOKEN, logits.dtype.max, values)
    return tf.tensor_scatter_nd_min(logits, _index(tokens), values)


def _forbid(log_probabilities: tf.Tensor, tokens: tf.Tensor, is_forbidden: tf.Tensor) -> tf.Tensor:
    """Return log-probabilities [rows, vocabulary size], -inf at those of the tokens [rows, n] that are forbidden."""
    values = tf.where(is_forbidden & (tokens != NO_TOKEN), IMPOSSIBLE, 0.0)
    return tf.tensor_scatter_nd_min(log_probabilities, _index(tokens), values)


def _force(
    allowed: tf.Tensor, free: tf.Tensor, is_forced: tf.Tensor, tokens: tf.Tensor, is_required: tf.Tensor
) -> tf.Tensor:
    """Allow the required ones of some tokens, and in rows that are forced nothing else.

    Args:
        allowed: log-probabilities [rows, vocabulary size], -inf where tokens are forbidden.
        free: these without any forbidden tokens.
        is_forced: bool [rows].
        tokens: int32 [rows, n].
        is_required: bool [rows, n].
    """
    values = tf.where(is_required, tf.gather(free, tf.maximum(tokens, 0), batch_dims=1), IMPOSSIBLE)
    allowed = tf.where(is_forced[:, None], IMPOSSIBLE, allowed)
    return tf.tensor_scatter_nd_max(allowed, _index(tokens), values)


def _index(tokens: tf.Tensor) -> tf.Tensor:
    """Return the indices [rows, n, 2] of tokens [rows, n] in log-probabilities [rows, vocabulary size]."""
    row = tf.broadcast_to(tf.range(tf.shape(tokens)[0])[:, None], tf.shape(tokens))
    return tf.stack([row, tf.maximum(tokens, 0)], axis=-1)
