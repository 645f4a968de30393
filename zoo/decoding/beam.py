"""Beam search."""

from collections.abc import Mapping

import tensorflow as tf

from zoo.decoding.constraints import ExactCounts, build_constraints
from zoo.decoding.loop import (
    IMPOSSIBLE,
    NO_TOKEN,
    DecodingResult,
    Memory,
    Rows,
    State,
    Step,
    compute_limits,
    find_top_k,
    gather_rows,
    get_start_tokens,
    get_width,
    run_until_ended,
)


def beam_search(
    step: Step,
    state: State,
    *,
    start_id: int | tf.Tensor,
    end_id: int,
    max_length: int | tf.Tensor,
    num_beams: int,
    num_return_sequences: int = 1,
    length_penalty: float = 0.0,
    coverage_penalty: float = 0.0,
    prefix: tf.Tensor | None = None,
    min_length: int | tf.Tensor = 0,
    no_repeat_ngram_size: int = 0,
    max_ngram_count: int | tf.Tensor = 1,
    repetition_penalty: float = 1.0,
    exact_counts: ExactCounts | None = None,
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
    `num_return_sequences`: log P never rises, lp never falls, and cp is at most 0. With one beam and without length
    and coverage penalties the result is that of `greedy_search`.

    Differences to Wu et al.: continuations are ranked by log P alone, and hypotheses are not pruned by their
    distance to the best one.

    Args:
        step: function. One step of the model, over `batch * num_beams` rows; see `Step`. The hypotheses of
            one row are adjacent. They change places among themselves only, so what the function itself holds
            for each row of the batch stays valid.
        state: the state of `batch` rows before the first step. The search repeats it for the beams.
        start_id: int, or int tensor [batch]. The token that the first step reads.
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
        `num_return_sequences` sequences per row, with s as scores. P is the distribution of the model, or with
        `repetition_penalty` of the penalized model. That other tokens are forbidden does not change it.

    Raises:
        ValueError: an argument is out of its range or has another shape, or `state` holds no tensor, or no coverage
            although `coverage_penalty` is above 0.

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

    limits, time = compute_limits(state, max_length)
    batch = tf.size(limits)
    constraints = build_constraints(
        *(batch, end_id, prefix, min_length),
        *(no_repeat_ngram_size, max_ngram_count, repetition_penalty, exact_counts),
    )
    times = tf.range(time)

    def lp(size: tf.Tensor) -> tf.Tensor:
        return ((5 + tf.cast(size, tf.float32)) / 6) ** length_penalty

    def advance(t: tf.Tensor, rows: Rows, *memory: Memory) -> Rows:
        logits, state = step(tf.reshape(rows["tokens"], [-1]), rows["state"], *memory)
        log_probabilities = constraints.compute_log_probabilities(
            logits, t, rows["hypotheses"], rows["limits"], rows["constraints"]
        )
        log_p_of_ends = rows["log_p"] + tf.reshape(log_probabilities[:, end_id], [-1, num_beams])

        # One continuation more than are kept of each hypothesis, since one of them may be the end token.
        best, tokens = find_top_k(log_probabilities, num_beams + 1)
        width = get_width(best)
        is_possible = (tokens != end_id) & (best > IMPOSSIBLE)  # False also where it is not a number
        best = tf.reshape(tf.where(is_possible, best, IMPOSSIBLE), [-1, num_beams, width])
        log_p, indices = tf.math.top_k(
            tf.reshape(rows["log_p"][:, :, None] + best, [-1, num_beams * width]), num_beams
        )
        tokens = tf.gather(tf.reshape(tokens, [-1, num_beams * width]), indices, batch_dims=1)
        parents = indices // width
        hypotheses = tf.gather(rows["hypotheses"], parents, batch_dims=1)
        hypotheses = tf.where(times == t, tokens[:, :, None], hypotheses)

        is_at_limit = t + 1 >= rows["limits"][:, None]
        log_p_of_ended = tf.where(log_p_of_ends >= log_p[:, -1:], log_p_of_ends, IMPOSSIBLE)
        log_p_of_stopped = tf.where(is_at_limit, log_p, IMPOSSIBLE)
        new_scores = tf.concat([log_p_of_ended, log_p_of_stopped], 1) / lp(t + 1)
        if coverage_penalty:
            coverage = tf.clip_by_value(tf.cast(state["coverage"], tf.float32), 1e-30, 1)
            cp = coverage_penalty * tf.reshape(tf.reduce_sum(tf.math.log(coverage), -1), [-1, num_beams])
            new_scores += tf.concat([cp, tf.gather(cp, parents, batch_dims=1)], 1)
        scores, indices = tf.math.top_k(tf.concat([rows["scores"], new_scores], 1), num_return_sequences)
        sequences = tf.concat([rows["sequences"], rows["hypotheses"], hypotheses], 1)
        is_ended = tf.fill(tf.shape(log_p), True)
        is_complete = tf.concat([rows["is_complete"], is_ended, ~is_ended], 1)

        is_done = is_at_limit | (log_p[:, :1] / rows["lp_of_limits"] <= scores[:, -1:])
        log_p = tf.where(is_done, IMPOSSIBLE, log_p)
        parents = tf.reshape(num_beams * tf.range(tf.shape(parents)[0])[:, None] + parents, [-1])
        return rows | {
            "is_open": log_p[:, 0] > IMPOSSIBLE,
            "tokens": tokens,
            "state": tf.nest.map_structure(lambda x: tf.gather(x, parents), state),
            "log_p": log_p,
            "hypotheses": hypotheses,
            "scores": scores,
            "sequences": tf.gather(sequences, indices, batch_dims=1),
            "is_complete": tf.gather(is_complete, indices, batch_dims=1),
        }

    rows: Rows = {
        "is_open": tf.fill([batch], True),
        "limits": limits,
        "lp_of_limits": lp(limits[:, None]),
        "tokens": tf.tile(get_start_tokens(start_id, batch)[:, None], [1, num_beams]),
        "state": gather_rows(state, tf.range(batch * num_beams) // num_beams),
        # There is one hypothesis at first.
        "log_p": tf.tile([[0.0] + [IMPOSSIBLE] * (num_beams - 1)], [batch, 1]),
        "hypotheses": tf.fill([batch, num_beams, time], NO_TOKEN),
        "scores": tf.fill([batch, num_return_sequences], IMPOSSIBLE),
        "sequences": tf.fill([batch, num_return_sequences, time], NO_TOKEN),
        "is_complete": tf.fill([batch, num_return_sequences], False),
        "constraints": constraints.data,
    }
    return run_until_ended(advance, rows, memory, num_beams)
