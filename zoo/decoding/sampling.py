"""Sampling from the distribution of a model."""

import tensorflow as tf

from zoo.decoding.constraints import ExactCounts, build_constraints
from zoo.decoding.greedy import generate_one_per_row
from zoo.decoding.loop import DecodingResult, Memory, State, Step, compute_limits, find_top_k, get_width


def sample(
    step: Step,
    state: State,
    *,
    start_id: int | tf.Tensor,
    end_id: int,
    max_length: int | tf.Tensor,
    seeds: tf.Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    prefix: tf.Tensor | None = None,
    min_length: int | tf.Tensor = 0,
    no_repeat_ngram_size: int = 0,
    max_ngram_count: int | tf.Tensor = 1,
    repetition_penalty: float = 1.0,
    exact_counts: ExactCounts | None = None,
    memory: Memory | None = None,
) -> DecodingResult:
    """Generate one sequence per row from tokens drawn at random, with the probabilities of the model.

    The probabilities of tokens that are forbidden are 0. Before each draw the distribution of the others is changed in
    three steps:

    1. The temperature: p_i^(1 / temperature), scaled to a sum of 1.
    2. The `top_k` most probable tokens remain: Fan, Lewis and Dauphin (2018), "Hierarchical neural story
       generation".
    3. Of these the nucleus remains, the smallest number of most probable tokens whose probabilities sum to at
       least `top_p`: Holtzman et al. (2020), "The curious case of neural text degeneration".

    Args:
        step: function. One step of the model, over `batch` rows; see `Step`.
        state: the state before the first step.
        start_id: int, or int tensor [batch]. The token that the first step reads.
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
        penalized model. Neither the three steps above nor forbidden tokens change it.

    Raises:
        ValueError: an argument is out of its range or has another shape, or `state` holds no tensor.

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
            logits, tokens = find_top_k(logits, top_k or get_width(logits))
        probabilities = tf.nn.softmax(logits)
        cumulative = tf.cumsum(probabilities, -1)
        total = cumulative[:, -1:]
        if top_p < 1:
            is_in_nucleus = cumulative - probabilities < top_p
            total = tf.reduce_max(tf.where(is_in_nucleus, cumulative, 0), -1, keepdims=True)
        is_above = cumulative > uniforms[:, None] * total
        index = tf.argmax(tf.cast(is_above, tf.int8), -1, tf.int32)  # the first one above
        return index if tokens is None else tf.gather(tokens, index, batch_dims=1)

    limits, time = compute_limits(state, max_length)
    constraints = build_constraints(
        *(tf.size(limits), end_id, prefix, min_length),
        *(no_repeat_ngram_size, max_ngram_count, repetition_penalty, exact_counts),
    )
    uniforms = _draw_uniforms(seeds, time)
    return generate_one_per_row(step, state, start_id, limits, constraints, memory, uniforms, draw)


def _draw_uniforms(seeds: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
    """Draw numbers in [0, 1), [batch, time]. Those of a row depend on its seed alone, not on `time`."""
    seeds = tf.concat([tf.cast(seeds, tf.int64), [0]], 0)  # one more, because `map_fn` needs at least one
    return tf.map_fn(
        lambda seed: tf.random.stateless_uniform([time], tf.stack([seed, 0])),
        seeds,
        fn_output_signature=tf.float32,
    )[:-1]
