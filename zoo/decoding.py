"""From one step of a model to whole answers: greedy, sampled, or by beam search.

Everything here knows a model by its step alone, `step(tokens, state)`, which gives the logits of each
row's next token and the state after the step. What a step needs and does not change, such as the
encoder's outputs, it may hold itself. A search is a `tf.while_loop` of core operations over all rows at
once: it runs eagerly and in graphs, for any number of rows, and is exported with the model. What it finds
for a row does not depend on the other rows.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

State = Any
"""A nested structure of one or more tensors, each with the rows as its first axis."""

Step = Callable[[tf.Tensor, State], tuple[tf.Tensor, State]]
"""From the last token of each row, int32 [rows], and the state before it, to the logits of the next token,
[rows, vocabulary], and the state after it, in the same structure."""

_NO_TOKEN = -1
_NEVER = -float("inf")  # the log-probability of what is not to be found


class DecodingResult(NamedTuple):
    """What a search found, the best of each row first.

    Attributes:
        tokens: int32 [batch, n, time], without start and end; 0 after the last. `time` is the longest of
            all the lengths, which may be 0.
        lengths: int32 [batch, n], the numbers of these tokens.
        scores: float32 [batch, n]. Where a row has fewer than n answers, the rest score -inf and are empty.
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    scores: tf.Tensor


def greedy_search(
    step: Step, state: State, *, start_id: int, end_id: int, max_length: int | tf.Tensor
) -> DecodingResult:
    """Take the most probable token at every step.

    Args:
        step: one step of the model, over `batch` rows.
        state: before the first step.
        start_id: the token given to the first step.
        end_id: the token that ends an answer.
        max_length: the most tokens of an answer, its end included: one limit, or int32 [batch], taken to be at
            least 1. An answer that reaches its limit stops there.

    Returns:
        One answer a row; its score is its log-probability.
    """

    def most_probable(t: tf.Tensor, log_probabilities: tf.Tensor) -> tf.Tensor:
        return tf.argmax(log_probabilities, -1, tf.int32)

    return _one_each(step, state, start_id, end_id, max_length, most_probable)


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
) -> DecodingResult:
    """Draw every token at random, by the probabilities that the model gives it.

    These are sharpened by the temperature first, p_i^(1 / temperature) scaled to a sum of 1. Then the
    `top_k` tokens of the highest probability are kept (Fan, Lewis and Dauphin, 2018, "Hierarchical neural
    story generation"), and of these the nucleus: the fewest, from the most probable on, whose
    probabilities sum to `top_p` or more (Holtzman et al., 2020, "The curious case of neural text
    degeneration").

    Args:
        step: one step of the model, over `batch` rows.
        state: before the first step.
        start_id: the token given to the first step.
        end_id: the token that ends an answer.
        max_length: as in `greedy_search`.
        seeds: whole numbers [batch]. The same seed in the same state draws the same answer.
        temperature: above 0; below 1 it prefers the probable, above 1 it evens out.
        top_k: None keeps all.
        top_p: above 0; 1 keeps all. Without `top_k` it sorts the whole vocabulary at every step.

    Returns:
        One answer a row; its score is its log-probability in the model, with nothing sharpened or left out.
    """
    if temperature <= 0:
        raise ValueError(
            f"`temperature` must be above 0, but it is {temperature!r}; see also `greedy_search`."
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"`top_k` must be at least 1, or None for all, but it is {top_k!r}.")
    if not 0 < top_p <= 1:
        raise ValueError(f"`top_p` must be above 0 and at most 1, but it is {top_p!r}.")

    uniforms = _uniforms(seeds, _limits(state, max_length)[1])

    def drawn(t: tf.Tensor, log_probabilities: tf.Tensor) -> tf.Tensor:
        logits, tokens = log_probabilities / temperature, None
        if top_k is not None or top_p < 1:
            logits, tokens = _top_k(logits, top_k or _width(logits))
        probabilities = tf.nn.softmax(logits)
        cumulative = tf.cumsum(probabilities, -1)
        total = cumulative[:, -1:]
        if top_p < 1:
            nucleus = cumulative - probabilities < top_p
            total = tf.reduce_max(tf.where(nucleus, cumulative, 0), -1, keepdims=True)
        above = cumulative > uniforms[:, t, None] * total
        place = tf.argmax(tf.cast(above, tf.int8), -1, tf.int32)  # the first above
        return place if tokens is None else tf.gather(tokens, place, batch_dims=1)

    return _one_each(step, state, start_id, end_id, max_length, drawn)


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
) -> DecodingResult:
    """Follow the most probable hypotheses of each row, and keep the best that end.

    Answers are scored as in equation 14 of Wu et al., 2016, "Google's neural machine translation system":

        s(Y, X) = log P(Y | X) / lp(Y) + cp(X, Y)
        lp(Y) = ((5 + |Y|) / (5 + 1))^length_penalty
        cp(X, Y) = coverage_penalty * sum over i of log(min(sum over j of p_ij, 1))

    where |Y| counts the end, and p_ij is the attention that step j pays to position i of the source.

    At each step the `num_beams` most probable continuations of a row go on. An end counts where it is at least
    as probable as the last of them: ends that no beam would hold are not found, however short (see
    Stahlberg and Byrne, 2019, "On NMT search errors and model errors"). With one beam and no penalty this
    is `greedy_search`. A hypothesis that reaches its limit stops there and is scored as it is, without an end.
    Of equal scores the one found first stays. A row is done when none of its hypotheses can still score
    better than the last of its `num_return_sequences`: log P only falls, lp only grows, and cp is at most 0.

    Departures from Wu et al.: what goes on is ranked by log P alone, and nothing is pruned for lying some
    margin below the best.

    Args:
        step: one step of the model, over `batch * num_beams` rows, those of one row of the batch one after the
            other. They change places among themselves only, so what the step itself holds for each row of
            the batch stays where it is.
        state: before the first step, of `batch` rows. The search repeats it for the beams.
        start_id: the token given to the first step.
        end_id: the token that ends an answer.
        max_length: as in `greedy_search`.
        num_beams: number of hypotheses that go on in each row.
        num_return_sequences: number of answers, at most `num_beams`.
        length_penalty: 0 prefers short answers; Wu et al. found 0.6 to 0.7 best.
        coverage_penalty: 0 does not ask for attention. Otherwise the state must be a dict in which
            "attended", [rows, positions], is the sum of the attention that each position of the source
            was paid up to and with this step. Where the source is padded it must be 1 from the start on,
            so that padding costs nothing. Less than 1e-30 counts as that, so that scores stay finite.

    Returns:
        `num_return_sequences` answers a row.
    """
    if num_beams < 1:
        raise ValueError(f"`num_beams` must be at least 1, but it is {num_beams!r}.")
    if not 1 <= num_return_sequences <= num_beams:
        raise ValueError(
            f"`num_return_sequences` must lie between 1 and `num_beams`, {num_beams}, but it is {num_return_sequences!r}."
        )
    for name, value in (("length_penalty", length_penalty), ("coverage_penalty", coverage_penalty)):
        if not value >= 0:
            raise ValueError(f"`{name}` must be at least 0, but it is {value!r}.")
    if coverage_penalty and not (isinstance(state, Mapping) and "attended" in state):
        raise ValueError(
            '`coverage_penalty` needs a state that is a dict with "attended", [rows, positions]: the sum of '
            "the attention paid to each position so far. Add it to the state of the step, or set "
            "`coverage_penalty` to 0."
        )

    limits, time = _limits(state, max_length)
    batch = tf.size(limits)
    places = tf.range(time)
    owners = tf.range(batch * num_beams) // num_beams
    first_rows = num_beams * tf.range(batch)[:, None]

    def lp(size: tf.Tensor) -> tf.Tensor:
        return ((5 + tf.cast(size, tf.float32)) / 6) ** length_penalty

    limits, lp_of_limits = limits[:, None], lp(limits[:, None])

    def body(
        t: tf.Tensor,
        tokens: tf.Tensor,
        state: State,
        alive: tf.Tensor,
        sequences: tf.Tensor,
        scores: tf.Tensor,
        answers: tf.Tensor,
    ) -> tuple:
        log_probabilities, state = _log_probabilities(step, tf.reshape(tokens, [-1]), state)
        ends = alive + tf.reshape(log_probabilities[:, end_id], [-1, num_beams])

        # Of each hypothesis one more than go on, since one of them may be the end.
        best, tokens = _top_k(log_probabilities, num_beams + 1)
        width = _width(best)
        best = tf.reshape(tf.where(tokens == end_id, _NEVER, best), [-1, num_beams, width])
        alive, chosen = tf.math.top_k(
            tf.reshape(alive[:, :, None] + best, [-1, num_beams * width]), num_beams
        )
        tokens = tf.gather(tf.reshape(tokens, [-1, num_beams * width]), chosen, batch_dims=1)
        parents = chosen // width
        before, sequences = sequences, tf.gather(sequences, parents, batch_dims=1)
        sequences = tf.where(places == t, tokens[:, :, None], sequences)

        at_limit = t + 1 >= limits
        ended = tf.where(ends >= alive[:, -1:], ends, _NEVER)
        stopped = tf.where(at_limit, alive, _NEVER)
        found = tf.concat([ended, stopped], 1) / lp(t + 1)
        if coverage_penalty:
            attended = tf.clip_by_value(tf.cast(state["attended"], tf.float32), 1e-30, 1)
            cp = coverage_penalty * tf.reshape(tf.reduce_sum(tf.math.log(attended), -1), [-1, num_beams])
            found += tf.concat([cp, tf.gather(cp, parents, batch_dims=1)], 1)
        scores, chosen = tf.math.top_k(tf.concat([scores, found], 1), num_return_sequences)
        answers = tf.gather(tf.concat([answers, before, sequences], 1), chosen, batch_dims=1)

        done = at_limit | (alive[:, :1] / lp_of_limits <= scores[:, -1:])
        alive = tf.where(done, _NEVER, alive)
        rows = tf.reshape(first_rows + parents, [-1])
        state = tf.nest.map_structure(lambda x: tf.gather(x, rows), state)
        return t + 1, tokens, state, alive, sequences, scores, answers

    *_, scores, answers = _while(
        lambda t, tokens, state, alive, *_: tf.reduce_any(alive > _NEVER),
        body,
        0,
        tf.fill([batch, num_beams], start_id),
        tf.nest.map_structure(lambda x: tf.gather(x, owners), state),
        tf.tile([[0.0] + [_NEVER] * (num_beams - 1)], [batch, 1]),  # at first there is one hypothesis
        tf.fill([batch, num_beams, time], _NO_TOKEN),
        tf.fill([batch, num_return_sequences], _NEVER),
        tf.fill([batch, num_return_sequences, time], _NO_TOKEN),
    )
    return _decoded(answers, scores)


def _one_each(
    step: Step,
    state: State,
    start_id: int,
    end_id: int,
    max_length: int | tf.Tensor,
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> DecodingResult:
    """Follow one hypothesis a row; `choose` takes t and log-probabilities to the tokens of step t."""
    limits, time = _limits(state, max_length)
    batch = tf.size(limits)
    places = tf.range(time)

    def body(
        t: tf.Tensor,
        tokens: tf.Tensor,
        state: State,
        alive: tf.Tensor,
        sequences: tf.Tensor,
        scores: tf.Tensor,
    ) -> tuple:
        log_probabilities, state = _log_probabilities(step, tokens, state)
        tokens = choose(t, log_probabilities)
        scores += tf.where(alive, tf.gather(log_probabilities, tokens, batch_dims=1), 0)
        alive &= tokens != end_id
        sequences = tf.where(alive[:, None] & (places == t), tokens[:, None], sequences)
        return t + 1, tokens, state, alive & (t + 1 < limits), sequences, scores

    *_, sequences, scores = _while(
        lambda t, tokens, state, alive, *_: tf.reduce_any(alive),
        body,
        0,
        tf.fill([batch], start_id),
        state,
        tf.fill([batch], True),
        tf.fill([batch, time], _NO_TOKEN),
        tf.zeros([batch]),
    )
    return _decoded(sequences[:, None], scores[:, None])


def _limits(state: State, max_length: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The limit of each row, [batch], and the highest of them."""
    if not tf.nest.flatten(state):
        raise ValueError("`state` holds no tensor, so the number of rows is unknown. Give it one of [batch].")
    if isinstance(max_length, int) and max_length < 1:
        raise ValueError(f"`max_length` must be at least 1, but it is {max_length!r}.")
    batch = tf.shape(tf.nest.flatten(state)[0])[0]
    limits = tf.broadcast_to(tf.maximum(tf.cast(max_length, tf.int32), 1), [batch])
    return limits, tf.maximum(tf.reduce_max(limits), 0)  # 0 where there are no rows


def _uniforms(seeds: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Numbers from 0 to 1, [batch, time]; those of a row depend on its seed alone, not on `time` either."""
    seeds = tf.concat([tf.cast(seeds, tf.int64), [0]], 0)  # one more, as `map_fn` needs at least one
    return tf.map_fn(
        lambda seed: tf.random.stateless_uniform([time], tf.stack([seed, 0])),
        seeds,
        fn_output_signature=tf.float32,
    )[:-1]


def _log_probabilities(step: Step, tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
    logits, state = step(tokens, state)
    return tf.nn.log_softmax(tf.cast(logits, tf.float32)), state


def _top_k(x: tf.Tensor, k: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """As `tf.math.top_k`, or all there are, but faster where rows are wide.

    The k highest values of a row lie in those of its chunks that have the k highest maxima.
    """
    width, chunk = _width(x), 32
    if not isinstance(width, int) or width < 2 * chunk * k:
        return tf.math.top_k(x, tf.minimum(k, width))
    padded = tf.pad(x, [[0, 0], [0, -width % chunk]], constant_values=_NEVER)
    chunks = tf.reshape(padded, [-1, -(-width // chunk), chunk])
    where = tf.math.top_k(tf.reduce_max(chunks, -1), k).indices
    values, found = tf.math.top_k(tf.reshape(tf.gather(chunks, where, batch_dims=1), [-1, k * chunk]), k)
    places = chunk * tf.gather(where, found // chunk, batch_dims=1) + found % chunk
    return values, tf.minimum(places, width - 1)  # not the padding, should all else be as low


def _width(x: tf.Tensor) -> int | tf.Tensor:
    return x.shape[-1] or tf.shape(x)[-1]


def _while(condition: Callable, body: Callable, *variables: Any) -> tuple:
    """A loop in which the number of rows may be known in some places and unknown in others."""
    variables = tf.nest.map_structure(tf.convert_to_tensor, variables)
    shapes = tf.nest.map_structure(
        lambda x: tf.TensorShape([None, *x.shape[1:]]) if x.shape.rank else x.shape, variables
    )
    return tf.while_loop(condition, body, variables, shape_invariants=shapes)


def _decoded(sequences: tf.Tensor, scores: tf.Tensor) -> DecodingResult:
    lengths = tf.reduce_sum(tf.cast(sequences != _NO_TOKEN, tf.int32), -1)
    return DecodingResult(tf.maximum(sequences, 0)[:, :, : tf.reduce_max(lengths)], lengths, scores)
