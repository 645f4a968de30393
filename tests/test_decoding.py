"""Searches: against exhaustive ones in NumPy, row by row, and on scripted models."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import DecodingResult, State, beam_search, greedy_search, sample
from zoo.decoding.loop import find_top_k

RNG = np.random.default_rng(3)
RNG_STATE = RNG.bit_generator.state
START, END = 0, 2
TOKENS = {"start_id": START, "end_id": END}


@pytest.fixture(autouse=True)
def reset_random_numbers() -> None:
    """Give each test the same models, in any order of tests: close scores may change places."""
    RNG.bit_generator.state = RNG_STATE


def random_normal(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape), tf.float32)


class Model(NamedTuple):
    """A recurrent model with attention over a memory for each row of the batch."""

    inputs: tf.Tensor
    recurrent: tf.Tensor
    outputs: tf.Tensor
    start: tf.Tensor
    memory: tf.Tensor
    padded: tf.Tensor

    @property
    def state(self) -> State:
        return {"coverage": tf.cast(self.padded, tf.float32), "deeper": (self.start, [-self.start])}

    def step(self, tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        multiple = tf.size(tokens) // tf.shape(self.memory)[0]
        memory, padded = tf.repeat(self.memory, multiple, 0), tf.repeat(self.padded, multiple, 0)
        h, [slow] = state["deeper"]
        h = tf.tanh(tf.gather(self.inputs, tokens) + h @ self.recurrent + slow)
        attention = tf.nn.softmax(tf.where(padded, -np.inf, tf.linalg.matvec(memory, h)))
        logits = (h + tf.linalg.matvec(memory, attention, transpose_a=True)) @ self.outputs
        return logits, {"coverage": state["coverage"] + attention, "deeper": (h, [0.9 * slow + 0.1 * h])}

    def row(self, index: int) -> "Model":
        """Return the model of one row of the batch, without padding."""
        one, valid = slice(index, index + 1), np.sum(~self.padded[index].numpy())
        memory, padded = self.memory[one, :valid], self.padded[one, :valid]
        return self._replace(start=self.start[one], memory=memory, padded=padded)


UNITS = 4
MODEL = Model(
    tf.TensorSpec([None, UNITS]),
    tf.TensorSpec([UNITS, UNITS]),
    tf.TensorSpec([UNITS, None]),
    tf.TensorSpec([None, UNITS]),
    tf.TensorSpec([None, None, UNITS]),
    tf.TensorSpec([None, None], tf.bool),
)


def make_random_model(batch: int, vocabulary: int, positions: int = 5) -> Model:
    padded = np.arange(positions) >= RNG.integers(1, positions + 1, (batch, 1))
    weights = (
        2 * random_normal(vocabulary, UNITS),
        random_normal(UNITS, UNITS),
        2 * random_normal(UNITS, vocabulary),
    )
    return Model(
        *weights, random_normal(batch, UNITS), 2 * random_normal(batch, positions, UNITS), tf.constant(padded)
    )


def trace(search: Callable[..., DecodingResult], **settings: Any) -> Callable[..., DecodingResult]:
    """Return the search as a graph function of a model, the limits of its rows, and perhaps their seeds."""

    def decode(model: Model, limits: tf.Tensor, seeds: tf.Tensor | None = None) -> DecodingResult:
        others = {} if seeds is None else {"seeds": seeds}
        return search(model.step, model.state, **TOKENS, max_length=limits, **settings, **others)

    seeds = [tf.TensorSpec([None], tf.int64)] if search is sample else []
    return tf.function(decode, input_signature=[MODEL, tf.TensorSpec([None], tf.int32), *seeds])


def get_sequences(result: DecodingResult, row: int) -> list[tuple[int, ...]]:
    """Return the sequences of a row, and check that 0 follows their ends."""
    tokens, lengths = result.tokens.numpy(), result.lengths.numpy()
    assert tokens.dtype == lengths.dtype == np.int32
    assert tokens.shape[-1] == lengths.max(initial=0)
    assert not np.any(tokens[np.arange(tokens.shape[-1]) >= lengths[..., None]])
    return [tuple(one[:length].tolist()) for one, length in zip(tokens[row], lengths[row], strict=True)]


def score_continuations(
    model: Model, row: int, prefixes: list[tuple[int, ...]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-probability of each prefix with each next token, and the coverage by then."""
    inputs, recurrent, outputs, start, memory, padded = (np.array(x) for x in model)
    memory = memory[row, ~padded[row]]
    h, slow, coverage, log_p = start[row], -start[row], 0, np.zeros([len(prefixes), len(inputs)])
    for tokens in np.array([(START, *prefix) for prefix in prefixes]).T:
        h = np.tanh(inputs[tokens] + h @ recurrent + slow)
        slow = 0.9 * slow + 0.1 * h
        attention = np.exp(h @ memory.T) / np.sum(np.exp(h @ memory.T), 1, keepdims=True)
        coverage = coverage + attention
        logits = (h + attention @ memory) @ outputs
        log_p = log_p[range(len(prefixes)), tokens][:, None] + logits
        log_p -= np.log(np.sum(np.exp(logits), 1, keepdims=True))
    return log_p, coverage


def reference_beam_search(
    model: Model, row: int, limit: int, beams: int, alpha: float = 0.0, beta: float = 0.0
) -> list[tuple[float, tuple[int, ...]]]:
    """Return all hypotheses of a beam search that never stops early, the best first.

    With more beams than prefixes these are all sequences.
    """
    hypotheses, alive = [], [()]
    for size in range(1, limit + 1):
        log_p, coverage = score_continuations(model, row, alive)
        words = [word for word in range(log_p.shape[1]) if word != END]
        longer = [(log_p[i, word], i, (*prefix, word)) for i, prefix in enumerate(alive) for word in words]
        longer = sorted(longer, reverse=True)[:beams]
        least = longer[-1][0] if len(longer) == beams else -np.inf
        ended = [(log_p[i, END], i, prefix) for i, prefix in enumerate(alive) if log_p[i, END] >= least]
        for p, i, tokens in ended + (longer if size == limit else []):
            log_coverage = np.sum(np.log(np.minimum(coverage[i], 1)))
            hypotheses.append((p / ((5 + size) / 6) ** alpha + beta * log_coverage, tokens))
        alive = [tokens for *_, tokens in longer]
    return sorted(hypotheses, reverse=True)


def reference_greedy_search(model: Model, row: int, limit: int) -> list[tuple[float, tuple[int, ...]]]:
    tokens = ()
    for _ in range(limit):
        log_p = score_continuations(model, row, [tokens])[0][0]
        if np.argmax(log_p) == END:
            break
        tokens = (*tokens, int(np.argmax(log_p)))
    return [(np.max(log_p), tokens)]


def assert_sequences(result: DecodingResult, row: int, expected: list[tuple[float, tuple[int, ...]]]) -> None:
    n = result.scores.shape[1]
    scores, sequences = zip(*(expected + [(-np.inf, ())] * n)[:n], strict=True)
    assert get_sequences(result, row) == list(sequences)
    np.testing.assert_allclose(result.scores[row], scores, 1e-4, 1e-4)


def assert_same(first: DecodingResult, second: DecodingResult) -> None:
    assert np.array_equal(first.tokens, second.tokens)
    assert np.array_equal(first.lengths, second.lengths)
    assert np.array_equal(first.is_complete, second.is_complete)
    np.testing.assert_allclose(first.scores, second.scores, 1e-4, 1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_beam_search_with_all_prefixes_finds_the_best_sequences(alpha: float, beta: float) -> None:
    penalties = {"length_penalty": alpha, "coverage_penalty": beta}
    for _ in range(2):
        model, limits = make_random_model(3, 4), np.array([4, 2, 3])
        result = beam_search(
            model.step,
            model.state,
            **TOKENS,
            max_length=limits,
            num_beams=81,
            num_return_sequences=81,
            **penalties,
        )
        for row, limit in enumerate(limits):
            everything = reference_beam_search(model, row, limit, 1000, alpha, beta)
            assert len(everything) == sum(3**size for size in range(limit + 1))
            assert_sequences(result, row, everything)


@pytest.mark.parametrize(
    ("num_beams", "num_return_sequences", "alpha", "beta"),
    [(1, 1, 0.7, 0.0), (2, 2, 0.0, 0.0), (3, 1, 0.7, 0.4), (3, 3, 1.5, 0.0), (5, 3, 0.0, 0.4)],
)
def test_beam_search_equals_the_reference(
    num_beams: int, num_return_sequences: int, alpha: float, beta: float
) -> None:
    search = trace(
        beam_search,
        num_beams=num_beams,
        num_return_sequences=num_return_sequences,
        length_penalty=alpha,
        coverage_penalty=beta,
    )
    for vocabulary in [3, 4, 5, 12] * 5:
        model, limits = make_random_model(3, vocabulary), RNG.integers(1, 9, 3)
        result = search(model, limits)
        for row, limit in enumerate(limits):
            assert_sequences(result, row, reference_beam_search(model, row, limit, num_beams, alpha, beta))


def test_greedy_search_and_one_beam_equal_the_reference() -> None:
    for vocabulary in [3, 4, 5, 12, 300]:
        model, limits = make_random_model(3, vocabulary), RNG.integers(1, 9, 3)
        for search, settings in ((greedy_search, {}), (beam_search, {"num_beams": 1})):
            result = search(model.step, model.state, **TOKENS, max_length=limits, **settings)
            for row, limit in enumerate(limits):
                assert_sequences(result, row, reference_greedy_search(model, row, limit))


SEARCHES = {
    "greedy": (greedy_search, {}),
    "sample": (sample, {"temperature": 1.3, "top_k": 7, "top_p": 0.9}),
    "beam_search": (
        beam_search,
        {"num_beams": 4, "num_return_sequences": 3, "length_penalty": 0.8, "coverage_penalty": 0.2},
    ),
}
EACH_SEARCH = pytest.mark.parametrize("name", SEARCHES)


@EACH_SEARCH
def test_a_row_in_a_batch_equals_that_row_alone(name: str) -> None:
    search, settings = SEARCHES[name]
    traced = trace(search, **settings)
    model, limits, seeds = make_random_model(6, 11), np.array([1, 9, 4, 12, 2, 6]), np.arange(6)
    result = traced(model, limits, *([seeds] if search is sample else []))
    for row in range(6):
        rows, row_model = slice(row, row + 1), model.row(row)
        alone = [traced(row_model, limits[rows], *([seeds[rows]] if search is sample else []))]
        if row % 2:  # eagerly, and with a Python number as the limit of all
            seed = {"seeds": seeds[rows]} if search is sample else {}
            limit = int(limits[row])
            alone.append(
                search(row_model.step, row_model.state, **TOKENS, max_length=limit, **settings, **seed)
            )
        time = alone[0].tokens.shape[-1]
        assert not np.any(result.tokens[row, :, time:])
        for expected in alone:
            tokens = result.tokens[rows, :, :time]
            assert_same(DecodingResult(tokens, *(x[rows] for x in result[1:])), expected)


@EACH_SEARCH
def test_with_a_memory_ended_rows_are_left_out_and_results_are_the_same(name: str) -> None:
    search, settings = SEARCHES[name]
    model, limits = make_random_model(9, 11), np.array([1, 9, 4, 12, 2, 6, 3, 3, 5])
    settings = settings | TOKENS | ({"seeds": np.arange(9)} if search is sample else {})
    num_rows = []

    def step(tokens: tf.Tensor, state: State, memory: dict[str, tf.Tensor]) -> tuple[tf.Tensor, State]:
        num_rows.append(len(memory["memory"]))
        return model._replace(**memory).step(tokens, state)

    memory = {"memory": model.memory, "padded": model.padded}
    result = search(step, model.state, max_length=limits, memory=memory, **settings)
    assert_same(result, search(model.step, model.state, max_length=limits, **settings))
    assert num_rows == sorted(num_rows, reverse=True)
    assert num_rows[0] == 9
    assert num_rows[-1] < 3
    traced = tf.function(lambda: search(step, model.state, max_length=limits, memory=memory, **settings))
    assert_same(result, traced())


@EACH_SEARCH
def test_empty_batch(name: str) -> None:
    search, settings = SEARCHES[name]
    model, n = make_random_model(0, 11), settings.get("num_return_sequences", 1)
    others = {"seeds": np.zeros(0, "int32")} if search is sample else {}

    def decode(length: int | tf.Tensor) -> DecodingResult:
        return search(model.step, model.state, **TOKENS, max_length=length, **settings, **others)

    with_memory = search(
        lambda tokens, state, memory: model.step(tokens, state),
        *(model.state,),
        **TOKENS,
        max_length=5,
        memory=(),
        **settings,
        **others,
    )
    for result in (decode(5), decode(np.zeros(0, "int32")), tf.function(decode)(tf.constant(5)), with_memory):
        assert [x.shape for x in result] == [(0, n, 0), (0, n), (0, n), (0, n)]


def test_search_in_a_saved_model(tmp_path: Path) -> None:
    model, limits = make_random_model(3, 700), tf.constant([5, 2, 7])
    module = tf.Module()
    module.weights = [tf.Variable(x) for x in model[:3]]

    @tf.function(input_signature=[*MODEL[3:], tf.TensorSpec([None], tf.int32)])
    def decode(start: tf.Tensor, memory: tf.Tensor, padded: tf.Tensor, limits: tf.Tensor) -> dict:
        loaded_model = Model(*module.weights, start, memory, padded)
        search, settings = SEARCHES["beam_search"]
        return search(
            loaded_model.step, loaded_model.state, **TOKENS, max_length=limits, **settings
        )._asdict()

    tf.saved_model.save(module, str(tmp_path), signatures=decode)
    loaded = tf.saved_model.load(str(tmp_path))
    serve = loaded.signatures["serving_default"]
    inputs = {"start": model.start, "memory": model.memory, "padded": model.padded, "limits": limits}
    assert_same(DecodingResult(**serve(**inputs)), DecodingResult(**decode(**inputs)))
    empty = serve(**{name: x[:0] for name, x in inputs.items()})
    assert empty["tokens"].shape == (0, 3, 0)


# Scripted models: the next token depends on the position or on the last token alone.

LETTERS = "_?.abcdefghijklmnopqrstuvwxyz "  # start, an unused token, end


def spell(result: DecodingResult, row: int = 0) -> list[str]:
    return ["".join(LETTERS[token] for token in tokens) for tokens in get_sequences(result, row)]


def make_speller(*texts: str) -> tuple[Callable, State]:
    """Return the step and state of a model whose rows spell the texts, whatever they read."""
    width = max(len(text) for text in texts) + 1
    table = np.array([[LETTERS.index(letter) for letter in text.ljust(width, ".")] for text in texts])
    logits = tf.one_hot(table, len(LETTERS), 9.0, dtype=tf.float32)

    def step(tokens: tf.Tensor, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        repeated = tf.repeat(logits, tf.size(tokens) // len(texts), 0)
        return tf.gather(repeated, position, batch_dims=1), tf.minimum(position + 1, width - 1)

    return step, tf.zeros([len(texts)], tf.int32)


def make_chain(**following: dict[str, float]) -> tuple[Callable, State]:
    """Return the step and state of a model from the probabilities of what follows each letter."""
    probabilities = np.full([len(LETTERS), len(LETTERS)], 1e-9, "float32")
    for letter, distribution in following.items():
        for next_letter, probability in distribution.items():
            probabilities[LETTERS.index(letter), LETTERS.index(next_letter)] = probability
    return lambda tokens, state: (tf.gather(tf.math.log(probabilities), tokens), state), tf.zeros([1, 0])


@pytest.mark.parametrize("limit", [12, np.array([12, 3, 12])])
def test_searches_spell_the_scripted_texts(limit: int | np.ndarray) -> None:
    step, state = make_speller("to be", "or not", "")
    for result in (
        greedy_search(step, state, **TOKENS, max_length=limit),
        beam_search(step, state, **TOKENS, max_length=limit, num_beams=3),
        sample(step, state, **TOKENS, max_length=limit, seeds=[1, 2, 3], temperature=0.3),
    ):
        expected = "or not" if isinstance(limit, int) else "or "
        assert [spell(result, row) for row in range(3)] == [["to be"], [expected], [""]]


def test_limits_below_one_count_as_one() -> None:
    step, state = make_speller("to be", "or not", "")
    for search, settings in ((greedy_search, {}), (beam_search, {"num_beams": 3, "length_penalty": 0.6})):
        result = search(step, state, **TOKENS, max_length=np.array([0, -7, 0]), **settings)
        assert [spell(result, row) for row in range(3)] == [["t"], ["o"], [""]]


def test_beam_search_finds_a_sequence_that_greedy_search_misses() -> None:
    step, state = make_chain(
        _={"a": 0.6, "b": 0.4}, a={"c": 0.5, "d": 0.5}, b={".": 1}, c={".": 1}, d={".": 1}
    )
    assert spell(greedy_search(step, state, **TOKENS, max_length=5)) == ["ac"]
    result = beam_search(step, state, **TOKENS, max_length=5, num_beams=3, num_return_sequences=3)
    assert spell(result) == ["b", "ac", "ad"]
    np.testing.assert_allclose(np.exp(result.scores), [[0.4, 0.3, 0.3]], 1e-5)


def test_penalties_change_the_best_sequence() -> None:
    step, state = make_chain(_={"a": 0.5, ".": 0.5}, a={"b": 0.9, ".": 0.1}, b={".": 1})
    settings = {**TOKENS, "max_length": 5, "num_beams": 3}
    assert spell(beam_search(step, state, **settings)) == [""]
    result = beam_search(step, state, **settings, length_penalty=2.0)
    assert spell(result) == ["ab"]  # three tokens, with the end
    np.testing.assert_allclose(result.scores, [[np.log(0.45) / (8 / 6) ** 2]], 1e-5)

    def step_with_coverage(tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        # The first step attends to one of three positions, the second to parts of two, and none to the third.
        weights = tf.where(state["coverage"][:, :1] < 1, [[1.0, 0.0, 0.0]], [[0.2, 0.3, 0.0]])
        return step(tokens, ())[0], {"coverage": state["coverage"] + tf.cast(weights, tf.float16)}

    result = beam_search(
        step_with_coverage, {"coverage": tf.zeros([1, 3], tf.float16)}, **settings, coverage_penalty=0.01
    )
    assert spell(result) == ["ab"]
    log_coverage = np.log(0.6) + np.log(1e-30)
    np.testing.assert_allclose(result.scores, [[np.log(0.45) + 0.01 * log_coverage]], 1e-3)


def test_of_equal_scores_the_first_one_is_kept() -> None:
    result = beam_search(
        lambda tokens, state: (tf.zeros([tf.size(tokens), 4]), state),
        tf.zeros([1, 0]),
        **TOKENS,
        max_length=9,
        num_beams=13,
        num_return_sequences=13,
    )
    words = (0, 1, 3)
    assert get_sequences(result, 0) == [(), *((i,) for i in words), *((i, j) for i in words for j in words)]


@pytest.mark.parametrize(("alpha", "steps"), [(0.0, 7), (0.5, 7)])
def test_searches_stop_early(alpha: float, steps: int) -> None:
    step, state = make_speller("to be", "or not")
    calls = []

    def count_calls(tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        calls.append(tokens)
        return step(tokens, state)

    limits = np.array([20, 8])
    result = beam_search(count_calls, state, **TOKENS, max_length=limits, num_beams=3, length_penalty=alpha)
    assert [spell(result, row) for row in range(2)] == [["to be"], ["or not"]]
    assert len(calls) <= steps
    calls.clear()
    greedy_search(count_calls, state, **TOKENS, max_length=limits)
    assert len(calls) == 7


def test_float16_logits_and_unknown_batch_size() -> None:
    model, limits = make_random_model(3, 11), np.array([5, 2, 7])

    def step_in_float16(tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        logits, state = model.step(tokens, state)
        state = {**state, "coverage": tf.compat.v1.placeholder_with_default(state["coverage"], [None, 5])}
        return tf.cast(logits, tf.float16), state

    def run_both(step: Callable) -> list[DecodingResult]:
        searches = (greedy_search, {}), (beam_search, {"num_beams": 3})
        return [
            search(step, model.state, **TOKENS, max_length=limits, **settings)
            for search, settings in searches
        ]

    for half, full in zip(tf.function(run_both)(step_in_float16), run_both(model.step), strict=True):
        assert half.scores.dtype == tf.float32
        np.testing.assert_allclose(half.scores, full.scores, 1e-2)
        assert not np.array_equal(half.scores, full.scores)


# Sampling.


def filter_probabilities(
    logits: np.ndarray, temperature: float, top_k: int | None, top_p: float
) -> np.ndarray:
    """Return the probabilities from which `sample` draws."""
    p = np.exp(logits / temperature) / np.sum(np.exp(logits / temperature))
    order = np.argsort(-p)[:top_k]
    indices = order[: 1 + np.sum(np.cumsum(p[order] / np.sum(p[order])) < top_p)]
    return np.where(np.isin(np.arange(len(p)), indices), p, 0) / np.sum(p[indices])


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 1.0, "top_k": None, "top_p": 1.0},
        {"temperature": 2.0, "top_k": 4, "top_p": 1.0},
        {"temperature": 0.7, "top_k": None, "top_p": 0.8},
        {"temperature": 1.5, "top_k": 5, "top_p": 0.9},
        {"temperature": 1.0, "top_k": 99, "top_p": 1e-3},
    ],
)
def test_sample_frequencies_equal_the_probabilities(settings: dict[str, Any]) -> None:
    logits = RNG.normal(size=[6, 6]).astype("float32")
    logits[START, END] = logits[3, END] = -np.inf  # so that all sequences have two tokens
    logits[1, END] = 3
    size = 4000

    @tf.function
    def draws() -> DecodingResult:
        return sample(
            lambda tokens, state: (tf.gather(logits, tokens), state),
            tf.zeros([size, 0]),
            **TOKENS,
            max_length=2,
            seeds=tf.range(size),
            **settings,
        )

    result = draws()
    ids, lengths = result.tokens.numpy()[:, 0], result.lengths.numpy()
    first, second = np.where(np.arange(2) < lengths, ids, END).T
    counts = np.zeros([6, 6])
    np.add.at(counts, (first, second), 1)
    log_p = logits - np.log(np.sum(np.exp(logits), 1, keepdims=True))
    np.testing.assert_allclose(result.scores[:, 0], log_p[START, first] + log_p[first, second], 1e-4)
    second_probabilities = [filter_probabilities(x, **settings) for x in logits]
    probabilities = filter_probabilities(logits[START], **settings)[:, None] * second_probabilities
    possible = probabilities > 0
    assert not np.any(counts[~possible])
    expected = size * probabilities[possible]
    deviation = np.sum((counts[possible] - expected) ** 2 / expected)
    assert deviation < len(expected) + 4 * np.sqrt(2 * len(expected))


def test_the_same_seed_gives_the_same_sequence() -> None:
    model, limits = make_random_model(4, 12), [30] * 4
    draw = trace(sample, temperature=100.0)
    result = draw(model, limits, tf.constant([1, 2, 3, 4], tf.int64))
    assert_same(result, draw(model, limits, tf.constant([1, 2, 3, 4], tf.int64)))
    other = draw(model, limits, tf.constant([5, 2, 3, 4 + 2**40]))
    is_equal = [get_sequences(result, row) == get_sequences(other, row) for row in range(4)]
    assert is_equal == [False, True, True, False]


@pytest.mark.parametrize("settings", [{"temperature": 1e-5}, {"top_k": 1}, {"top_p": 1e-6}])
def test_sampling_from_the_most_probable_token_equals_greedy_search(settings: dict[str, Any]) -> None:
    model = make_random_model(5, 12)
    search = {**TOKENS, "max_length": np.array([9, 3, 9, 1, 7])}
    result = sample(model.step, model.state, **search, seeds=np.arange(5), **settings)
    assert_same(result, greedy_search(model.step, model.state, **search))


@pytest.mark.parametrize("width", [3, 319, 320, 640, 993])
def test_top_k_equals_tensorflow(width: int) -> None:
    for x in random_normal(6, width), tf.constant(RNG.integers(0, 2 * width, (6, width)), tf.float32):
        values, places = find_top_k(x, 5)
        expected = tf.math.top_k(x, min(5, width))
        assert np.array_equal(values, expected.values)
        assert np.array_equal(tf.gather(x, places, batch_dims=1), expected.values)
        assert [len(set(row)) for row in places.numpy().tolist()] == [min(5, width)] * 6
    values, places = find_top_k(np.where(np.arange(width) == width - 1, 1.0, -np.inf)[None], 5)
    assert values.numpy().tolist() == [[1.0, *[-np.inf] * (min(5, width) - 1)]]
    assert places[0, 0] == width - 1
    assert np.all(places < width)


@pytest.mark.parametrize(
    ("search", "settings", "message"),
    [
        (greedy_search, {"max_length": 0}, "`max_length` must be at least 1"),
        (sample, {"temperature": 0.0}, "`temperature` must be above 0"),
        (sample, {"top_k": 0}, "`top_k` must be at least 1"),
        (sample, {"top_p": 0.0}, "`top_p` must be above 0"),
        (sample, {"top_p": 1.1}, "`top_p` must be above 0 and at most 1, but it is 1.1"),
        (beam_search, {"num_beams": 0}, "`num_beams` must be at least 1"),
        (
            beam_search,
            {"num_beams": 2, "num_return_sequences": 3},
            "`num_return_sequences` must lie between 1 and `num_beams`, 2, but it is 3",
        ),
        (beam_search, {"num_beams": 2, "length_penalty": -0.1}, "`length_penalty` must be at least 0"),
        (beam_search, {"num_beams": 2, "coverage_penalty": -0.1}, "`coverage_penalty` must be at least 0"),
        (beam_search, {"num_beams": 2, "coverage_penalty": 0.1}, 'a dict with "coverage"'),
    ],
)
def test_arguments_out_of_range_are_refused(search: Callable, settings: dict[str, Any], message: str) -> None:
    step, state = make_speller("to be")
    settings = {**TOKENS, "max_length": 5, **({"seeds": [1]} if search is sample else {}), **settings}
    with pytest.raises(ValueError, match=message):
        search(step, state, **settings)


def test_a_state_without_tensors_is_refused() -> None:
    with pytest.raises(ValueError, match="`state` holds no tensor"):
        greedy_search(make_speller("to be")[0], (), **TOKENS, max_length=5)


def test_searches_document_the_same_arguments_equally() -> None:
    """`help` shows them with each search; no text may be changed in one of them alone."""
    found: dict[str, set[str]] = {}
    for search in (greedy_search, sample, beam_search):
        args = re.search(r"\nArgs:\n(.*?)\n\n", inspect.getdoc(search) or "", re.DOTALL)
        assert args
        entries = re.split(r"^    (\w+): ", args.group(1), flags=re.MULTILINE)[1:]
        for name, text in zip(entries[::2], entries[1::2], strict=True):
            found.setdefault(name, set()).add(" ".join(text.split()))
    assert {name for name, texts in found.items() if len(texts) > 1} == {
        "step",
        "state",
    }  # those of beams differ
    assert len(found) > 15
