"""From one step of a model to whole sequences: greedy search, sampling, and beam search.

A search needs only a function `step(tokens, state)`, which returns the logits of each row's next token and
the state after the step. What a step needs but does not change, such as the memory of a decoder, the function
may hold itself. If the search passes it instead, as the argument `memory`, rows whose search has ended are left
out of the steps that the others need. A search is a `tf.while_loop` of core operations over all rows at once.
It runs eagerly and in graphs, for any number of rows, and is exported with the model. The result for a row does
not depend on the other rows.
"""

from collections.abc import Callable, Mapping
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

"is_open" [rows] is False where the search has ended, "sequences" [rows, n, time] and "scores" [rows, n] are its
results, and those of "state" have k * rows rows, k for each row of the others.
"""

_NO_TOKEN = -1
_IMPOSSIBLE = -float("inf")  # as a log-probability


class DecodingResult(NamedTuple):
    """Sequences that a search returns, the best of each row first.

    Attributes:
        tokens: int32 tensor [batch, n, time], without start and end tokens, 0 after the last token. `time` is
            the length of the longest sequence, which may be 0.
        lengths: int32 tensor [batch, n]. Numbers of tokens.
        scores: float32 tensor [batch, n]. Where a row has fewer than n sequences, the others are empty and
            their scores are -inf.
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor


def greedy_search(
    step: Step,
    state: State,
    *,
    start_id: int,
    end_id: int,
    max_length: int | tf.Tensor,
    memory: Memory | None = None,
) -> DecodingResult:
    """Generate one sequence per row from the most probable token at every step.

    Args:
        step: function. One step of the model, over `batch` rows; see `Step`.
        state: the state before the first step.
        start_id: int. The token that the first step reads.
        end_id: int. The token that ends a sequence.
        max_length: int, or int tensor [batch]. The largest number of tokens of a sequence, its end token
            included. Values below 1 in a tensor count as 1. A sequence that reaches the limit stops without
            an end token.
        memory: nested structure of tensors [batch, ...], or None. What the steps read and do not change; each is
            then called as `step(tokens, state, memory)`. The rows whose search has ended are left out, so
            `step` must hold nothing else for single rows. Defaults to `None`.

    Returns:
        One sequence per row. Its score is its log-probability.

    Raises:
        ValueError: `max_length` is below 1, or `state` holds no tensor.

    Example:
    >>> import tensorflow as tf, zoo
    >>> logits = tf.constant([[0.0, 0.0, 9.0], [0.0, 9.0, 0.0], [0.0, 9.0, 0.0]])  # row i: after token i
    >>> step = lambda tokens, state: (tf.gather(logits, tokens), state)
    >>> result = zoo.decoding.greedy_search(step, tf.zeros([1]), start_id=0, end_id=1, max_length=5)
    >>> result.tokens.numpy().tolist()
    [[[2]]]
    """

    def take_most_probable(log_probabilities: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
        return tf.math.top_k(log_probabilities, 1).indices[:, 0]  # faster than argmax

    limits, time = _compute_limits(state, max_length)
    uniforms = tf.zeros([tf.size(limits), time])
    return _generate_one_per_row(step, state, start_id, end_id, limits, memory, uniforms, take_most_probable)


def sample(
    step: Step,
    state: State,
    *,
    start_id: int,
    end_id: int,
    max_length: int | tf.Tensor,
    seeds: tf.Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    memory: Memory | None = None,
) -> DecodingResult:
    """Generate one sequence per row from tokens drawn at random, with the probabilities of the model.

    Before each draw the distribution is changed in three steps:

    1. The temperature: p_i^(1 / temperature), scaled to a sum of 1.
    2. The `top_k` most probable tokens remain: Fan, Lewis and Dauphin (2018), "Hierarchical neural story
       generation".
    3. Of these the nucleus remains, the smallest number of most probable tokens whose probabilities sum to at
       least `top_p`: Holtzman et al. (2020), "The curious case of neural text degeneration".

    Args:
        step: function. One step of the model, over `batch` rows; see `Step`.
        state: the state before the first step.
        start_id: int. The token that the first step reads.
        end_id: int. The token that ends a sequence.
        max_length: int, or int tensor [batch]. The largest number of tokens of a sequence, its end token
            included. Values below 1 in a tensor count as 1. A sequence that reaches the limit stops without
            an end token.
        seeds: int tensor [batch]. The same seed with the same state gives the same sequence.
        temperature: float above 0. Values below 1 favor probable tokens, values above 1 improbable ones.
            Defaults to `1.0`.
        top_k: int or None. Number of most probable tokens to draw from; None stands for all. Defaults to
            `None`.
        top_p: float in (0, 1]. Probability of the nucleus; 1 stands for all tokens. Without `top_k` it sorts
            the whole vocabulary at every step. Defaults to `1.0`.
        memory: nested structure of tensors [batch, ...], or None. What the steps read and do not change; each is
            then called as `step(tokens, state, memory)`. The rows whose search has ended are left out, so
            `step` must hold nothing else for single rows. Defaults to `None`.

    Returns:
        One sequence per row. Its score is its log-probability under the unchanged distribution of the model.

    Raises:
        ValueError: an argument is out of its range, or `state` holds no tensor.

    Example:
    >>> import tensorflow as tf, zoo
    >>> logits = tf.constant([[0.0, 0.0, 9.0], [0.0, 9.0, 0.0], [0.0, 9.0, 0.0]])  # row i: after token i
    >>> step = lambda tokens, state: (tf.gather(logits, tokens), state)
    >>> result = zoo.decoding.sample(
    ...     step, tf.zeros([1]), start_id=0, end_id=1, max_length=5, seeds=tf.constant([7]), top_p=0.9
    ... )
    >>> result.tokens.numpy().tolist()
    [[[2]]]
    """
    if temperature <= 0:
        raise ValueError(
            f"`temperature` must be above 0, but it is {temperature!r}. For the most probable tokens use "
            "`greedy_search`."
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"`top_k` must be at least 1, or None for all tokens, but it is {top_k!r}.")
    if not 0 < top_p <= 1:
        raise ValueError(f"`top_p` must be above 0 and at most 1, but it is {top_p!r}.")

    def draw(log_probabilities: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
        logits, tokens = log_probabilities / temperature, None
        if top_k is not None or top_p < 1:
            logits, tokens = _top_k(logits, top_k or _get_width(logits))
        probabilities = tf.nn.softmax(logits)
        cumulative = tf.cumsum(probabilities, -1)
        total = cumulative[:, -1:]
        if top_p < 1:
            is_in_nucleus = cumulative - probabilities < top_p
            total = tf.reduce_max(tf.where(is_in_nucleus, cumulative, 0), -1, keepdims=True)
        is_above = cumulative > uniforms[:, None] * total
        index = tf.argmax(tf.cast(is_above, tf.int8), -1, tf.int32)  # the first one above
        return index if tokens is None else tf.gather(tokens, index, batch_dims=1)

    limits, time = _compute_limits(state, max_length)
    uniforms = _draw_uniforms(seeds, time)
    return _generate_one_per_row(step, state, start_id, end_id, limits, memory, uniforms, draw)


def beam_search(
    step: Step,
    state: State,
    *,
    start_id: int,
    end_id: int,
    max_length: int | tf.Tensor,
    num_beams: int,
    num_return_sequences: int = 1,
    length_penalty: float = 0.0,
    coverage_penalty: float = 0.0,
    memory: Memory | None = None,
) -> DecodingResult:
    """Generate the best sequences of each row, following the most probable hypotheses.

    Sequences are scored by equation 14 of Wu et al. (2016), "Google's neural machine translation system":

        s(Y, X) = log P(Y | X) / lp(Y) + cp(X, Y)
        lp(Y) = ((5 + |Y|) / (5 + 1))^length_penalty
        cp(X, Y) = coverage_penalty * sum over i of log(min(sum over j of p_ij, 1))

    |Y| counts the end token, and p_ij is the attention weight of step j for position i of the source.

    At each step the `num_beams` most probable continuations of a row are kept. A hypothesis ends where its
    end token is at least as probable as the last of them; ends that are less probable are discarded, even if
    they are short (Stahlberg and Byrne, 2019, "On NMT search errors and model errors"). A hypothesis that
    reaches its limit stops and is scored as it is, without an end token. Of equal scores the one found first
    is kept. The search of a row stops when none of its hypotheses can exceed the score of the last of its
    `num_return_sequences`: log P never rises, lp never falls, and cp is at most 0. With one beam and without
    penalties the result is that of `greedy_search`.

    Differences to Wu et al.: continuations are ranked by log P alone, and hypotheses are not pruned by their
    distance to the best one.

    Args:
        step: function. One step of the model, over `batch * num_beams` rows; see `Step`. The hypotheses of
            one row are adjacent. They change places among themselves only, so what the function itself holds
            for each row of the batch stays valid.
        state: the state of `batch` rows before the first step. The search repeats it for the beams.
        start_id: int. The token that the first step reads.
        end_id: int. The token that ends a sequence.
        max_length: int, or int tensor [batch]. The largest number of tokens of a sequence, its end token
            included. Values below 1 in a tensor count as 1. A sequence that reaches the limit stops without
            an end token.
        num_beams: int. Number of hypotheses that are kept in each row.
        num_return_sequences: int. Number of sequences to return, at most `num_beams`. Defaults to `1`.
        length_penalty: float of at least 0. Larger values favor longer sequences; Wu et al. report 0.6 to 0.7
            as best. Defaults to `0.0`.
        coverage_penalty: float of at least 0. Larger values favor sequences that attend to the whole source.
            Above 0 the state must be a dict with an entry "coverage" [rows, positions]: the sum of the
            attention weights of each source position up to and including this step, as `zoo.Decoder` has it.
            At padding it must be 1 from the start, so that padding costs nothing. Values below 1e-30 count as
            1e-30, so that scores stay finite. Defaults to `0.0`.
        memory: nested structure of tensors [batch, ...], or None. What the steps read and do not change; each is
            then called as `step(tokens, state, memory)`. The rows whose search has ended are left out, so
            `step` must hold nothing else for single rows. Defaults to `None`.

    Returns:
        `num_return_sequences` sequences per row, with s as scores.

    Raises:
        ValueError: an argument is out of its range, or `state` holds no tensor, or no coverage although
            `coverage_penalty` is above 0.

    Example:
    >>> import tensorflow as tf, zoo
    >>> logits = tf.constant([[0.0, 0.0, 9.0], [0.0, 9.0, 0.0], [0.0, 9.0, 5.0]])  # row i: after token i
    >>> step = lambda tokens, state: (tf.gather(logits, tokens), state)
    >>> result = zoo.decoding.beam_search(
    ...     step, tf.zeros([1]), start_id=0, end_id=1, max_length=5, num_beams=2, num_return_sequences=2
    ... )
    >>> result.tokens.numpy().tolist()
    [[[2, 0], [2, 2]]]
    """
    if num_beams < 1:
        raise ValueError(f"`num_beams` must be at least 1, but it is {num_beams!r}.")
    if not 1 <= num_return_sequences <= num_beams:
        raise ValueError(
            f"`num_return_sequences` must lie between 1 and `num_beams`, {num_beams}, but it is "
            f"{num_return_sequences!r}."
        )
    for name, value in (("length_penalty", length_penalty), ("coverage_penalty", coverage_penalty)):
        if not value >= 0:
            raise ValueError(f"`{name}` must be at least 0, but it is {value!r}.")
    if coverage_penalty and not (isinstance(state, Mapping) and "coverage" in state):
        raise ValueError(
            '`coverage_penalty` needs a state that is a dict with "coverage", [rows, positions]: the sum of '
            "the attention weights of each position so far. Add it to the state of the step, or set "
            "`coverage_penalty` to 0."
        )

    limits, time = _compute_limits(state, max_length)
    batch = tf.size(limits)
    times = tf.range(time)

    def lp(size: tf.Tensor) -> tf.Tensor:
        return ((5 + tf.cast(size, tf.float32)) / 6) ** length_penalty

    def advance(t: tf.Tensor, rows: Rows, *memory: Memory) -> Rows:
        log_probabilities, state = _compute_log_probabilities(
            step, tf.reshape(rows["tokens"], [-1]), rows["state"], *memory
        )
        log_p_of_ends = rows["log_p"] + tf.reshape(log_probabilities[:, end_id], [-1, num_beams])

        # One continuation more than are kept of each hypothesis, since one of them may be the end token.
        best, tokens = _top_k(log_probabilities, num_beams + 1)
        width = _get_width(best)
        best = tf.reshape(tf.where(tokens == end_id, _IMPOSSIBLE, best), [-1, num_beams, width])
        log_p, indices = tf.math.top_k(
            tf.reshape(rows["log_p"][:, :, None] + best, [-1, num_beams * width]), num_beams
        )
        tokens = tf.gather(tf.reshape(tokens, [-1, num_beams * width]), indices, batch_dims=1)
        parents = indices // width
        hypotheses = tf.gather(rows["hypotheses"], parents, batch_dims=1)
        hypotheses = tf.where(times == t, tokens[:, :, None], hypotheses)

        is_at_limit = t + 1 >= rows["limits"]
        log_p_of_ended = tf.where(log_p_of_ends >= log_p[:, -1:], log_p_of_ends, _IMPOSSIBLE)
        log_p_of_stopped = tf.where(is_at_limit, log_p, _IMPOSSIBLE)
        new_scores = tf.concat([log_p_of_ended, log_p_of_stopped], 1) / lp(t + 1)
        if coverage_penalty:
            coverage = tf.clip_by_value(tf.cast(state["coverage"], tf.float32), 1e-30, 1)
            cp = coverage_penalty * tf.reshape(tf.reduce_sum(tf.math.log(coverage), -1), [-1, num_beams])
            new_scores += tf.concat([cp, tf.gather(cp, parents, batch_dims=1)], 1)
        scores, indices = tf.math.top_k(tf.concat([rows["scores"], new_scores], 1), num_return_sequences)
        sequences = tf.concat([rows["sequences"], rows["hypotheses"], hypotheses], 1)

        is_done = is_at_limit | (log_p[:, :1] / rows["lp_of_limits"] <= scores[:, -1:])
        log_p = tf.where(is_done, _IMPOSSIBLE, log_p)
        parents = tf.reshape(num_beams * tf.range(tf.shape(parents)[0])[:, None] + parents, [-1])
        return rows | {
            "is_open": log_p[:, 0] > _IMPOSSIBLE,
            "tokens": tokens,
            "state": tf.nest.map_structure(lambda x: tf.gather(x, parents), state),
            "log_p": log_p,
            "hypotheses": hypotheses,
            "scores": scores,
            "sequences": tf.gather(sequences, indices, batch_dims=1),
        }

    rows: Rows = {
        "is_open": tf.fill([batch], True),
        "limits": limits[:, None],
        "lp_of_limits": lp(limits[:, None]),
        "tokens": tf.fill([batch, num_beams], start_id),
        "state": _gather(state, tf.range(batch * num_beams) // num_beams),
        # There is one hypothesis at first.
        "log_p": tf.tile([[0.0] + [_IMPOSSIBLE] * (num_beams - 1)], [batch, 1]),
        "hypotheses": tf.fill([batch, num_beams, time], _NO_TOKEN),
        "scores": tf.fill([batch, num_return_sequences], _IMPOSSIBLE),
        "sequences": tf.fill([batch, num_return_sequences, time], _NO_TOKEN),
    }
    return _run_until_ended(advance, rows, memory, num_beams)


def _generate_one_per_row(
    step: Step,
    state: State,
    start_id: int,
    end_id: int,
    limits: tf.Tensor,
    memory: Memory | None,
    uniforms: tf.Tensor,
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> DecodingResult:
    """Follow one hypothesis per row.

    `choose(log_probabilities, uniforms)` returns the tokens [rows] of a step; `uniforms` [batch, time] holds a
    number for each row and step.
    """
    batch, time = tf.unstack(tf.shape(uniforms))
    times = tf.range(time)

    def advance(t: tf.Tensor, rows: Rows, *memory: Memory) -> Rows:
        log_probabilities, state = _compute_log_probabilities(step, rows["tokens"], rows["state"], *memory)
        tokens = choose(log_probabilities, rows["uniforms"][:, t])
        score = tf.where(rows["is_open"], tf.gather(log_probabilities, tokens, batch_dims=1), 0)
        is_open = rows["is_open"] & (tokens != end_id)
        is_new = is_open[:, None, None] & (times == t)
        return rows | {
            "is_open": is_open & (t + 1 < rows["limits"]),
            "tokens": tokens,
            "state": state,
            "scores": rows["scores"] + score[:, None],
            "sequences": tf.where(is_new, tokens[:, None, None], rows["sequences"]),
        }

    rows: Rows = {
        "is_open": tf.fill([batch], True),
        "limits": limits,
        "tokens": tf.fill([batch], start_id),
        "state": state,
        "scores": tf.zeros([batch, 1]),
        "sequences": tf.fill([batch, 1, time], _NO_TOKEN),
        "uniforms": uniforms,
    }
    return _run_until_ended(advance, rows, memory)


def _run_until_ended(
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
        t: tf.Tensor,
        numbers: tf.Tensor,
        rows: Rows,
        memories: tuple[Memory, ...],
        sequences: tf.Tensor,
        scores: tf.Tensor,
    ) -> tuple[Any, ...]:
        t, rows = _run_while(should_continue, lambda t, rows: (t + 1, advance(t, rows, *memories)), t, rows)
        sequences = tf.tensor_scatter_nd_update(sequences, numbers[:, None], rows["sequences"])
        scores = tf.tensor_scatter_nd_update(scores, numbers[:, None], rows["scores"])
        is_open = tf.where(rows["is_open"])[:, 0]
        of_state = tf.reshape(num_beams * is_open[:, None] + tf.range(num_beams, dtype=tf.int64), [-1])
        state = _gather(rows["state"], of_state)
        rows = _gather(rows | {"state": ()}, is_open) | {"state": state}
        return t, tf.gather(numbers, is_open), rows, _gather(memories, is_open), sequences, scores

    *_, sequences, scores = _run_while(
        lambda t, numbers, *_: tf.size(numbers) > 0,
        run,
        0,
        tf.range(tf.size(rows["is_open"])),
        rows,
        () if memory is None else (memory,),
        rows["sequences"],
        rows["scores"],
    )
    return _make_result(sequences, scores)


def _gather(structure: Any, indices: tf.Tensor) -> Any:
    """Return the rows of these indices of all tensors of a nested structure."""
    return tf.nest.map_structure(lambda x: tf.gather(x, indices), structure)


def _compute_limits(state: State, max_length: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
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


def _draw_uniforms(seeds: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Draw numbers in [0, 1), [batch, time]. Those of a row depend on its seed alone, not on `time`."""
    seeds = tf.concat([tf.cast(seeds, tf.int64), [0]], 0)  # one more, because `map_fn` needs at least one
    return tf.map_fn(
        lambda seed: tf.random.stateless_uniform([time], tf.stack([seed, 0])),
        seeds,
        fn_output_signature=tf.float32,
    )[:-1]


def _compute_log_probabilities(
    step: Step, tokens: tf.Tensor, state: State, *memory: Memory
) -> tuple[tf.Tensor, State]:
    logits, state = step(tokens, state, *memory)
    return tf.nn.log_softmax(tf.cast(logits, tf.float32)), state


def _top_k(x: tf.Tensor, k: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return `tf.math.top_k(x, min(k, width))` for x [rows, width], faster for wide rows.

    The k highest values of a row lie in those of its chunks that have the k highest maxima.
    """
    width, chunk = _get_width(x), 32
    if not isinstance(width, int) or width < 2 * chunk * k:
        return tf.math.top_k(x, tf.minimum(k, width))
    padded = tf.pad(x, [[0, 0], [0, -width % chunk]], constant_values=_IMPOSSIBLE)
    chunks = tf.reshape(padded, [-1, -(-width // chunk), chunk])
    top_chunks = tf.math.top_k(tf.reduce_max(chunks, -1), k).indices
    candidates = tf.reshape(tf.gather(chunks, top_chunks, batch_dims=1), [-1, k * chunk])
    values, indices = tf.math.top_k(candidates, k)
    indices = chunk * tf.gather(top_chunks, indices // chunk, batch_dims=1) + indices % chunk
    return values, tf.minimum(indices, width - 1)  # never in the padding, even if all other values are -inf


def _get_width(x: tf.Tensor) -> int | tf.Tensor:
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


def _make_result(sequences: tf.Tensor, scores: tf.Tensor) -> DecodingResult:
    """Return the result for sequences [batch, n, time] that hold `_NO_TOKEN` after their last token."""
    lengths = tf.reduce_sum(tf.cast(sequences != _NO_TOKEN, tf.int32), -1)
    return DecodingResult(tf.maximum(sequences, 0)[:, :, : tf.reduce_max(lengths)], lengths, scores)
