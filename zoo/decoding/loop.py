"""The loop over the steps of a search, and what all searches share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

State = Any
"""A nested structure of one or more tensors, each with the rows as its first axis."""

Step = Callable[..., tuple[tf.Tensor, State]]
"""Maps the last token of each row, int32 [rows], and the state before it to the logits of the next token,
[rows, vocabulary size], and the state after it, in the same structure. Its third argument is the memory, if
the search has one."""

Memory = Any
"""A nested structure of tensors, each with the rows of the batch as its first axis, or an empty one."""

Rows = dict[str, Any]
"""Variables of a search by name, nested structures of tensors with the rows as their first axis.

"is_open" [rows] is False where the search has ended; "sequences" [rows, n, time], "scores" [rows, n] and
"is_complete" [rows, n] are its results; and those of "state" have k * rows rows, k for each row of the others.
"""

NO_TOKEN = -1
IMPOSSIBLE = -float("inf")  # as a log-probability

_RESULTS = "sequences", "scores", "is_complete"


class DecodingResult(NamedTuple):
    """Sequences that a search returns, the best of each row first.

    Where a row has fewer than n sequences, the others are empty and their scores are -inf. A row has none if
    each continuation has probability 0 or is forbidden.

    Attributes:
        tokens: int32 tensor [batch, n, time], without start and end tokens, 0 after the last token. `time` is
            the length of the longest sequence, which may be 0.
        lengths: int32 tensor [batch, n]. Numbers of tokens.
        scores: float32 tensor [batch, n].
        is_complete: bool tensor [batch, n]. Whether the sequence ended with the end token; False if it
            stopped at its limit.

    Example:
        >>> import tensorflow as tf, zoo
        >>> logits = tf.constant([[0.0, 0.0, 9.0], [0.0, 9.0, 0.0], [0.0, 9.0, 0.0]])  # row i: after token i
        >>> step = lambda tokens, state: (tf.gather(logits, tokens), state)
        >>> result = zoo.decoding.greedy_search(step, tf.zeros([2, 1]), start_id=0, end_id=1, max_length=5)
        >>> result.tokens.shape, result.lengths.numpy().tolist(), result.is_complete.numpy().tolist()
        (TensorShape([2, 1, 1]), [[1], [1]], [[True], [True]])
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor
    is_complete: tf.Tensor


def run_until_ended(
    advance: Callable[..., Rows], rows: Rows, memory: Memory | None, num_beams: int = 1
) -> DecodingResult:
    """Run the steps of a search until it has ended for all rows.

    With a memory, the rows that have ended are left out as soon as they are a quarter of the rows.

    Args:
        advance: computes the variables after step t from t, those before it, and the memory if there is one.
        rows: the variables before the first step.
        memory: the memory of the rows, or None.
        num_beams: number of rows of the state for each row of the other variables.
    """

    def should_continue(t: tf.Tensor, rows: Rows) -> tf.Tensor:
        num_open = tf.math.count_nonzero(rows["is_open"], dtype=tf.int32)
        return num_open > (0 if memory is None else 3 * tf.size(rows["is_open"]) // 4)

    def run(
        t: tf.Tensor, numbers: tf.Tensor, rows: Rows, memories: tuple[Memory, ...], results: Rows
    ) -> tuple[Any, ...]:
        t, rows = _run_while(should_continue, lambda t, rows: (t + 1, advance(t, rows, *memories)), t, rows)
        results = {
            name: tf.tensor_scatter_nd_update(values, numbers[:, None], rows[name])
            for name, values in results.items()
        }
        is_open = tf.where(rows["is_open"])[:, 0]
        of_state = tf.reshape(num_beams * is_open[:, None] + tf.range(num_beams, dtype=tf.int64), [-1])
        state = gather_rows(rows["state"], of_state)
        rows = gather_rows(rows | {"state": ()}, is_open) | {"state": state}
        return t, tf.gather(numbers, is_open), rows, gather_rows(memories, is_open), results

    *_, results = _run_while(
        lambda t, numbers, *_: tf.size(numbers) > 0,
        run,
        0,
        tf.range(tf.size(rows["is_open"])),
        rows,
        () if memory is None else (memory,),
        {name: rows[name] for name in _RESULTS},
    )
    return _make_result(*(results[name] for name in _RESULTS))


def gather_rows(structure: Any, indices: tf.Tensor) -> Any:
    """Return the rows of these indices of all tensors of a nested structure."""
    return tf.nest.map_structure(lambda x: tf.gather(x, indices), structure)


def compute_limits(state: State, max_length: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the limit of each row, [batch], and the highest of them."""
    if not tf.nest.flatten(state):
        raise ValueError(
            "`state` holds no tensor, so the number of rows is unknown. Pass a tensor whose first axis is "
            "the batch, such as `tf.zeros([batch])`."
        )
    if isinstance(max_length, int) and max_length < 1:
        raise ValueError(f"`max_length` must be at least 1, but it is {max_length!r}.")
    batch = tf.shape(tf.nest.flatten(state)[0])[0]
    limits = tf.broadcast_to(tf.maximum(tf.cast(max_length, tf.int32), 1), [batch])
    return limits, tf.maximum(tf.reduce_max(limits), 0)  # 0 for an empty batch


def get_start_tokens(start_id: int | tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """Return the token that the first step reads, [batch]."""
    return tf.broadcast_to(tf.cast(start_id, tf.int32), [batch])


def find_top_k(x: tf.Tensor, k: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return `tf.math.top_k(x, min(k, width))` for x [rows, width], faster for wide rows.

    The k highest values of a row lie in those of its chunks that have the k highest maxima.
    """
    width, chunk = get_width(x), 32
    if not isinstance(width, int) or width < 2 * chunk * k:
        return tf.math.top_k(x, tf.minimum(k, width))
    padded = tf.pad(x, [[0, 0], [0, -width % chunk]], constant_values=IMPOSSIBLE)
    chunks = tf.reshape(padded, [-1, -(-width // chunk), chunk])
    top_chunks = tf.math.top_k(tf.reduce_max(chunks, -1), k).indices
    candidates = tf.reshape(tf.gather(chunks, top_chunks, batch_dims=1), [-1, k * chunk])
    values, indices = tf.math.top_k(candidates, k)
    indices = chunk * tf.gather(top_chunks, indices // chunk, batch_dims=1) + indices % chunk
    return values, tf.minimum(indices, width - 1)  # never in the padding, even if all other values are -inf


def get_width(x: tf.Tensor) -> int | tf.Tensor:
    """Return the size of the last axis, as an int where it is known."""
    return x.shape[-1] or tf.shape(x)[-1]


def _run_while(
    condition: Callable[..., tf.Tensor], body: Callable[..., tuple[Any, ...]], *variables: Any
) -> tuple[Any, ...]:
    """Run a while loop whose number of rows may be known in some variables and unknown in others."""
    variables = tf.nest.map_structure(tf.convert_to_tensor, variables)
    shapes = tf.nest.map_structure(
        lambda x: tf.TensorShape([None, *x.shape[1:]]) if x.shape.rank else x.shape, variables
    )
    return tf.while_loop(condition, body, variables, shape_invariants=shapes)


def _make_result(sequences: tf.Tensor, scores: tf.Tensor, is_complete: tf.Tensor) -> DecodingResult:
    """Return the result for sequences [batch, n, time] that hold `NO_TOKEN` after their last token."""
    is_possible = scores > IMPOSSIBLE
    sequences = tf.where(is_possible[..., None], sequences, NO_TOKEN)
    lengths = tf.reduce_sum(tf.cast(sequences != NO_TOKEN, tf.int32), -1)
    tokens = tf.maximum(sequences, 0)[:, :, : tf.reduce_max(lengths)]
    return DecodingResult(tokens, lengths, scores, is_complete & is_possible)
