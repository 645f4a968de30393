"""Greedy search, and the steps of a search that follows one hypothesis per row."""

from collections.abc import Callable

import tensorflow as tf

from zoo.decoding.constraints import Constraints, ExactCounts, build_constraints
from zoo.decoding.loop import (
    IMPOSSIBLE,
    NO_TOKEN,
    DecodingResult,
    Memory,
    Rows,
    State,
    Step,
    compute_limits,
    get_start_tokens,
    run_until_ended,
)


def greedy_search(
    step: Step,
    state: State,
    *,
    start_id: int | tf.Tensor,
    end_id: int,
    max_length: int | tf.Tensor,
    prefix: tf.Tensor | None = None,
    min_length: int | tf.Tensor = 0,
    no_repeat_ngram_size: int = 0,
    max_ngram_count: int | tf.Tensor = 1,
    repetition_penalty: float = 1.0,
    exact_counts: ExactCounts | None = None,
    memory: Memory | None = None,
) -> DecodingResult:
    """Generate one sequence per row from the most probable token at every step.

    Args:
        step: function. One step of the model, over `batch` rows; see `Step`.
        state: the state before the first step.
        start_id: int, or int tensor [batch]. The token that the first step reads.
        end_id: int. The token that ends a sequence.
        max_length: int, or int tensor [batch]. The largest number of tokens of a sequence, its end token
            included. Values below 1 in a tensor count as 1. A sequence that reaches the limit stops without
            an end token.
        prefix: int tensor [batch, time], or None. The first tokens of each row's sequences, 0 after the last. The
            search goes on after them. They belong to the sequences, their lengths and scores; those behind the
            limit are left out. Defaults to `None`.
        min_length: int, or int tensor [batch]. Number of tokens before the end token is allowed. Defaults to `0`.
        no_repeat_ngram_size: int of at least 0. No sequence has the same n tokens in a row twice, for this n: Paulus,
            Xiong and Socher (2017), "A deep reinforced model for abstractive summarization". 0 allows repetition.
            Defaults to `0`.
        max_ngram_count: int, or int tensor [batch]. How often, instead of once, a sequence may have the same n tokens
            in a row, for the n of `no_repeat_ngram_size`. Defaults to `1`.
        repetition_penalty: float of at least 1. Tokens that the sequence has already are less probable, as by
            Keskar et al. (2019), "CTRL: a conditional transformer language model for controllable generation":
            positive logits are divided by this number. Negative ones are multiplied by it, which is no part of
            the paper. 1 changes nothing. Defaults to `1.0`.
        exact_counts: tuple of int tensors [k] and [batch, k], or None. Token ids, and how often each row has to
            generate each of them: not more often, and this often before the end token is allowed. Where only as
            many tokens as are missing fit below the limit, or the end token would be the most probable one, the
            missing ones alone are allowed. Repetition of these tokens is neither forbidden nor penalized.
            Defaults to `None`.
        memory: nested structure of tensors [batch, ...], or None. What the steps read and do not change; each is
            then called as `step(tokens, state, memory)`. The rows whose search has ended are left out, so
            `step` must hold nothing else for single rows. Defaults to `None`.

    Returns:
        One sequence per row. Its score is its log-probability: that of the model, or with `repetition_penalty` of the
        penalized model. That other tokens are forbidden does not change it.

    Raises:
        ValueError: an argument is out of its range or has another shape, or `state` holds no tensor.

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

    limits, time = compute_limits(state, max_length)
    constraints = build_constraints(
        *(tf.size(limits), end_id, prefix, min_length),
        *(no_repeat_ngram_size, max_ngram_count, repetition_penalty, exact_counts),
    )
    uniforms = tf.zeros([tf.size(limits), time])
    return generate_one_per_row(
        step, state, start_id, limits, constraints, memory, uniforms, take_most_probable
    )


def generate_one_per_row(
    step: Step,
    state: State,
    start_id: int | tf.Tensor,
    limits: tf.Tensor,
    constraints: Constraints,
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
        logits, state = step(rows["tokens"], rows["state"], *memory)
        log_probabilities = constraints.compute_log_probabilities(
            logits, t, rows["sequences"], rows["limits"], rows["constraints"]
        )
        tokens = choose(log_probabilities, rows["uniforms"][:, t])
        score = tf.gather(log_probabilities, tokens, batch_dims=1)
        is_possible = (
            score > IMPOSSIBLE
        )  # False also where all logits are -inf, whose softmax is not a number
        score = tf.where(rows["is_open"], tf.where(is_possible, score, IMPOSSIBLE), 0)
        is_longer = rows["is_open"] & is_possible & (tokens != constraints.end_id)
        is_new = is_longer[:, None, None] & (times == t)
        is_complete = rows["is_open"] & (tokens == constraints.end_id)
        return rows | {
            "is_open": is_longer & (t + 1 < rows["limits"]),
            "tokens": tokens,
            "state": state,
            "scores": rows["scores"] + score[:, None],
            "sequences": tf.where(is_new, tokens[:, None, None], rows["sequences"]),
            "is_complete": rows["is_complete"] | is_complete[:, None],
        }

    rows: Rows = {
        "is_open": tf.fill([batch], True),
        "limits": limits,
        "tokens": get_start_tokens(start_id, batch),
        "state": state,
        "scores": tf.zeros([batch, 1]),
        "sequences": tf.fill([batch, 1, time], NO_TOKEN),
        "is_complete": tf.fill([batch, 1], False),
        "constraints": constraints.data,
        "uniforms": uniforms,
    }
    return run_until_ended(advance, rows, memory)
