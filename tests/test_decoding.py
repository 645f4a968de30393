"""Searches over a step: against plain ones in NumPy, which see all sequences, and row by row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import DecodingResult, State, _top_k, beam_search, greedy_search, sample

RNG = np.random.default_rng(3)
SEEDED = RNG.bit_generator.state
START, END = 0, 2
TOKENS = {"start_id": START, "end_id": END}


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same models for each test, in whatever order: answers that are too close may change places."""
    RNG.bit_generator.state = SEEDED


def normal(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape), tf.float32)


class Model(NamedTuple):
    """A recurrent model that attends to a memory of its own for each row of the batch."""

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
        """The same model over one row of the batch, with no padding."""
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


def random_model(batch: int, vocabulary: int, positions: int = 5) -> Model:
    padded = np.arange(positions) >= RNG.integers(1, positions + 1, (batch, 1))
    weights = 2 * normal(vocabulary, UNITS), normal(UNITS, UNITS), 2 * normal(UNITS, vocabulary)
    return Model(*weights, normal(batch, UNITS), 2 * normal(batch, positions, UNITS), tf.constant(padded))


def in_graph(search: Callable[..., DecodingResult], **settings: Any) -> Callable[..., DecodingResult]:
    """The search as a function of any model, the limits of its rows, and for `sample` their seeds."""

    def decode(model: Model, limits: tf.Tensor, seeds: tf.Tensor | None = None) -> DecodingResult:
        others = {} if seeds is None else {"seeds": seeds}
        return search(model.step, model.state, **TOKENS, max_length=limits, **settings, **others)

    seeds = [tf.TensorSpec([None], tf.int64)] if search is sample else []
    return tf.function(decode, input_signature=[MODEL, tf.TensorSpec([None], tf.int32), *seeds])


def lines(decoded: DecodingResult, row: int) -> list[tuple[int, ...]]:
    """The answers of a row; what is after their ends must be 0."""
    tokens, lengths = decoded.tokens.numpy(), decoded.lengths.numpy()
    assert tokens.dtype == lengths.dtype == np.int32
    assert tokens.shape[-1] == lengths.max(initial=0)
    assert not np.any(tokens[np.arange(tokens.shape[-1]) >= lengths[..., None]])
    return [tuple(one[:length].tolist()) for one, length in zip(tokens[row], lengths[row], strict=True)]


def continuations(model: Model, row: int, prefixes: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """The log-probability of each prefix with each next token, and the attention paid by then."""
    inputs, recurrent, outputs, start, memory, padded = (np.array(x) for x in model)
    memory = memory[row, ~padded[row]]
    h, slow, attended, log_p = start[row], -start[row], 0, np.zeros([len(prefixes), len(inputs)])
    for tokens in np.array([(START, *prefix) for prefix in prefixes]).T:
        h = np.tanh(inputs[tokens] + h @ recurrent + slow)
        slow = 0.9 * slow + 0.1 * h
        attention = np.exp(h @ memory.T) / np.sum(np.exp(h @ memory.T), 1, keepdims=True)
        attended = attended + attention
        logits = (h + attention @ memory) @ outputs
        log_p = log_p[range(len(prefixes)), tokens][:, None] + logits
        log_p -= np.log(np.sum(np.exp(logits), 1, keepdims=True))
    return log_p, attended


def plain_search(
    model: Model, row: int, limit: int, beams: int, alpha: float = 0.0, beta: float = 0.0
) -> list[tuple[float, tuple[int, ...]]]:
    """All that a beam search which never stops early comes by, the best first.

    With more beams than there are prefixes this is a list of all answers.
    """
    found, alive = [], [()]
    for size in range(1, limit + 1):
        log_p, attended = continuations(model, row, alive)
        words = [word for word in range(log_p.shape[1]) if word != END]
        longer = [(log_p[i, word], i, (*one, word)) for i, one in enumerate(alive) for word in words]
        longer = sorted(longer, reverse=True)[:beams]
        least = longer[-1][0] if len(longer) == beams else -np.inf
        ended = [(log_p[i, END], i, one) for i, one in enumerate(alive) if log_p[i, END] >= least]
        for p, i, tokens in ended + (longer if size == limit else []):
            coverage = np.sum(np.log(np.minimum(attended[i], 1)))
            found.append((p / ((5 + size) / 6) ** alpha + beta * coverage, tokens))
        alive = [tokens for *_, tokens in longer]
    return sorted(found, reverse=True)


def plain_greedy(model: Model, row: int, limit: int) -> list[tuple[float, tuple[int, ...]]]:
    tokens = ()
    for _ in range(limit):
        log_p = continuations(model, row, [tokens])[0][0]
        if np.argmax(log_p) == END:
            break
        tokens = (*tokens, int(np.argmax(log_p)))
    return [(np.max(log_p), tokens)]


def compare(decoded: DecodingResult, row: int, expected: list[tuple[float, tuple[int, ...]]]) -> None:
    n = decoded.scores.shape[1]
    scores, answers = zip(*(expected + [(-np.inf, ())] * n)[:n], strict=True)
    assert lines(decoded, row) == list(answers)
    np.testing.assert_allclose(decoded.scores[row], scores, 1e-4, 1e-4)


def assert_same(one: DecodingResult, other: DecodingResult) -> None:
    assert np.array_equal(one.tokens, other.tokens)
    assert np.array_equal(one.lengths, other.lengths)
    np.testing.assert_allclose(one.scores, other.scores, 1e-4, 1e-4)


@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_a_beam_that_holds_all_prefixes_finds_the_best_of_all(alpha: float, beta: float) -> None:
    penalties = {"length_penalty": alpha, "coverage_penalty": beta}
    for _ in range(2):
        model, limits = random_model(3, 4), np.array([4, 2, 3])
        found = beam_search(
            model.step,
            model.state,
            **TOKENS,
            max_length=limits,
            num_beams=81,
            num_return_sequences=81,
            **penalties,
        )
        for row, limit in enumerate(limits):
            everything = plain_search(model, row, limit, 1000, alpha, beta)
            assert len(everything) == sum(3**size for size in range(limit + 1))
            compare(found, row, everything)


@pytest.mark.parametrize(
    ("num_beams", "num_return_sequences", "alpha", "beta"),
    [(1, 1, 0.7, 0.0), (2, 2, 0.0, 0.0), (3, 1, 0.7, 0.4), (3, 3, 1.5, 0.0), (5, 3, 0.0, 0.4)],
)
def test_a_narrow_beam_finds_what_a_plain_search_finds(
    num_beams: int, num_return_sequences: int, alpha: float, beta: float
) -> None:
    search = in_graph(
        beam_search,
        num_beams=num_beams,
        num_return_sequences=num_return_sequences,
        length_penalty=alpha,
        coverage_penalty=beta,
    )
    for vocabulary in [3, 4, 5, 12] * 5:
        model, limits = random_model(3, vocabulary), RNG.integers(1, 9, 3)
        found = search(model, limits)
        for row, limit in enumerate(limits):
            compare(found, row, plain_search(model, row, limit, num_beams, alpha, beta))


def test_greedy_and_a_beam_of_one() -> None:
    for vocabulary in [3, 4, 5, 12, 300]:
        model, limits = random_model(3, vocabulary), RNG.integers(1, 9, 3)
        for search, settings in ((greedy_search, {}), (beam_search, {"num_beams": 1})):
            found = search(model.step, model.state, **TOKENS, max_length=limits, **settings)
            for row, limit in enumerate(limits):
                compare(found, row, plain_greedy(model, row, limit))


SEARCHES = {
    "greedy": (greedy_search, {}),
    "sample": (sample, {"temperature": 1.3, "top_k": 7, "top_p": 0.9}),
    "beam_search": (
        beam_search,
        {"num_beams": 4, "num_return_sequences": 3, "length_penalty": 0.8, "coverage_penalty": 0.2},
    ),
}
EACH = pytest.mark.parametrize("name", SEARCHES)


@EACH
def test_a_row_of_a_batch_is_that_row_alone_eager_or_in_a_graph(name: str) -> None:
    search, settings = SEARCHES[name]
    traced = in_graph(search, **settings)
    model, limits, seeds = random_model(6, 11), np.array([1, 9, 4, 12, 2, 6]), np.arange(6)
    found = traced(model, limits, *([seeds] if search is sample else []))
    for row in range(6):
        one, own = slice(row, row + 1), model.row(row)
        alone = [traced(own, limits[one], *([seeds[one]] if search is sample else []))]
        if row % 2:  # eagerly, and with a Python number as the limit of all
            others = {"seeds": seeds[one]} if search is sample else {}
            limit = int(limits[row])
            alone.append(search(own.step, own.state, **TOKENS, max_length=limit, **settings, **others))
        time = alone[0].tokens.shape[-1]
        assert not np.any(found.tokens[row, :, time:])
        for each in alone:
            assert_same(
                DecodingResult(found.tokens[one, :, :time], found.lengths[one], found.scores[one]), each
            )


@EACH
def test_no_rows(name: str) -> None:
    search, settings = SEARCHES[name]
    model, n = random_model(0, 11), settings.get("num_return_sequences", 1)
    others = {"seeds": np.zeros(0, "int32")} if search is sample else {}

    def decode(length: int | tf.Tensor) -> DecodingResult:
        return search(model.step, model.state, **TOKENS, max_length=length, **settings, **others)

    for found in (decode(5), decode(np.zeros(0, "int32")), tf.function(decode)(tf.constant(5))):
        assert [x.shape for x in found] == [(0, n, 0), (0, n), (0, n)]


def test_exported_and_loaded(tmp_path: Path) -> None:
    model, limits = random_model(3, 700), tf.constant([5, 2, 7])
    module = tf.Module()
    module.weights = [tf.Variable(x) for x in model[:3]]

    @tf.function(input_signature=[*MODEL[3:], tf.TensorSpec([None], tf.int32)])
    def decode(start: tf.Tensor, memory: tf.Tensor, padded: tf.Tensor, limits: tf.Tensor) -> dict:
        own = Model(*module.weights, start, memory, padded)
        search, settings = SEARCHES["beam_search"]
        return search(own.step, own.state, **TOKENS, max_length=limits, **settings)._asdict()

    tf.saved_model.save(module, str(tmp_path), signatures=decode)
    loaded = tf.saved_model.load(str(tmp_path))
    serve = loaded.signatures["serving_default"]
    inputs = {"start": model.start, "memory": model.memory, "padded": model.padded, "limits": limits}
    assert_same(DecodingResult(**serve(**inputs)), DecodingResult(**decode(**inputs)))
    empty = serve(**{name: x[:0] for name, x in inputs.items()})
    assert empty["tokens"].shape == (0, 3, 0)


# Models of a script: what comes next depends on the place or on the last token alone.

LETTERS = "_?.abcdefghijklmnopqrstuvwxyz "  # start, a token that nobody says, end


def spelt(decoded: DecodingResult, row: int = 0) -> list[str]:
    return ["".join(LETTERS[token] for token in one) for one in lines(decoded, row)]


def speller(*texts: str) -> tuple[Callable, State]:
    """Each row says its text, whatever it is given."""
    width = max(len(text) for text in texts) + 1
    table = np.array([[LETTERS.index(letter) for letter in text.ljust(width, ".")] for text in texts])
    logits = tf.one_hot(table, len(LETTERS), 9.0, dtype=tf.float32)

    def step(tokens: tf.Tensor, place: tf.Tensor) -> tuple[tf.Tensor, State]:
        own = tf.repeat(logits, tf.size(tokens) // len(texts), 0)
        return tf.gather(own, place, batch_dims=1), tf.minimum(place + 1, width - 1)

    return step, tf.zeros([len(texts)], tf.int32)


def chain(**following: dict[str, float]) -> tuple[Callable, State]:
    """What follows each letter, with its share; `_` is the start. After others comes anything."""
    shares = np.full([len(LETTERS), len(LETTERS)], 1e-9, "float32")
    for letter, ones in following.items():
        for other, share in ones.items():
            shares[LETTERS.index(letter), LETTERS.index(other)] = share
    return lambda tokens, state: (tf.gather(tf.math.log(shares), tokens), state), tf.zeros([1, 0])


@pytest.mark.parametrize("limit", [12, np.array([12, 3, 12])])
def test_spelling(limit: int | np.ndarray) -> None:
    step, state = speller("to be", "or not", "")
    for found in (
        greedy_search(step, state, **TOKENS, max_length=limit),
        beam_search(step, state, **TOKENS, max_length=limit, num_beams=3),
        sample(step, state, **TOKENS, max_length=limit, seeds=[1, 2, 3], temperature=0.3),
    ):
        said = "or not" if isinstance(limit, int) else "or "
        assert [spelt(found, row) for row in range(3)] == [["to be"], [said], [""]]


def test_a_limit_is_at_least_one() -> None:
    step, state = speller("to be", "or not", "")
    for search, settings in ((greedy_search, {}), (beam_search, {"num_beams": 3, "length_penalty": 0.6})):
        found = search(step, state, **TOKENS, max_length=np.array([0, -7, 0]), **settings)
        assert [spelt(found, row) for row in range(3)] == [["t"], ["o"], [""]]


def test_a_beam_finds_what_greed_misses() -> None:
    step, state = chain(_={"a": 0.6, "b": 0.4}, a={"c": 0.5, "d": 0.5}, b={".": 1}, c={".": 1}, d={".": 1})
    assert spelt(greedy_search(step, state, **TOKENS, max_length=5)) == ["ac"]
    found = beam_search(step, state, **TOKENS, max_length=5, num_beams=3, num_return_sequences=3)
    assert spelt(found) == ["b", "ac", "ad"]
    np.testing.assert_allclose(np.exp(found.scores), [[0.4, 0.3, 0.3]], 1e-5)


def test_penalties_choose_between_short_and_long() -> None:
    step, state = chain(_={"a": 0.5, ".": 0.5}, a={"b": 0.9, ".": 0.1}, b={".": 1})
    settings = {**TOKENS, "max_length": 5, "num_beams": 3}
    assert spelt(beam_search(step, state, **settings)) == [""]
    found = beam_search(step, state, **settings, length_penalty=2.0)
    assert spelt(found) == ["ab"]  # three tokens, with the end
    np.testing.assert_allclose(found.scores, [[np.log(0.45) / (8 / 6) ** 2]], 1e-5)

    def attending(tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        # The first step sees one of two positions, the second a part of the other; a third is never seen.
        seen = tf.where(state["coverage"][:, :1] < 1, [[1.0, 0.0, 0.0]], [[0.2, 0.3, 0.0]])
        return step(tokens, ())[0], {"coverage": state["coverage"] + tf.cast(seen, tf.float16)}

    found = beam_search(
        attending, {"coverage": tf.zeros([1, 3], tf.float16)}, **settings, coverage_penalty=0.01
    )
    assert spelt(found) == ["ab"]
    coverage = np.log(0.6) + np.log(1e-30)
    np.testing.assert_allclose(found.scores, [[np.log(0.45) + 0.01 * coverage]], 1e-3)


def test_of_equal_scores_the_one_found_first_stays() -> None:
    found = beam_search(
        lambda tokens, state: (tf.zeros([tf.size(tokens), 4]), state),
        tf.zeros([1, 0]),
        **TOKENS,
        max_length=9,
        num_beams=13,
        num_return_sequences=13,
    )
    words = (0, 1, 3)
    assert lines(found, 0) == [(), *((i,) for i in words), *((i, j) for i in words for j in words)]


@pytest.mark.parametrize(("alpha", "steps"), [(0.0, 7), (0.5, 7)])
def test_a_search_stops_when_no_row_can_do_better(alpha: float, steps: int) -> None:
    step, state = speller("to be", "or not")
    calls = []

    def counted(tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        calls.append(tokens)
        return step(tokens, state)

    limits = np.array([20, 8])
    found = beam_search(counted, state, **TOKENS, max_length=limits, num_beams=3, length_penalty=alpha)
    assert [spelt(found, row) for row in range(2)] == [["to be"], ["or not"]]
    assert len(calls) <= steps
    calls.clear()
    greedy_search(counted, state, **TOKENS, max_length=limits)
    assert len(calls) == 7


def test_logits_of_low_precision_and_rows_that_get_lost() -> None:
    model, limits = random_model(3, 11), np.array([5, 2, 7])

    def lossy(tokens: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        logits, state = model.step(tokens, state)
        lost = {**state, "coverage": tf.compat.v1.placeholder_with_default(state["coverage"], [None, 5])}
        return tf.cast(logits, tf.float16), lost

    def both(step: Callable) -> list[DecodingResult]:
        searches = (greedy_search, {}), (beam_search, {"num_beams": 3})
        return [
            search(step, model.state, **TOKENS, max_length=limits, **settings)
            for search, settings in searches
        ]

    for half, full in zip(tf.function(both)(lossy), both(model.step), strict=True):
        assert half.scores.dtype == tf.float32
        np.testing.assert_allclose(half.scores, full.scores, 1e-2)
        assert not np.array_equal(half.scores, full.scores)


# Sampling.


def filtered(logits: np.ndarray, temperature: float, top_k: int | None, top_p: float) -> np.ndarray:
    """The probabilities from which to sample."""
    p = np.exp(logits / temperature) / np.sum(np.exp(logits / temperature))
    order = np.argsort(-p)[:top_k]
    kept = order[: 1 + np.sum(np.cumsum(p[order] / np.sum(p[order])) < top_p)]
    return np.where(np.isin(np.arange(len(p)), kept), p, 0) / np.sum(p[kept])


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
def test_samples_are_as_frequent_as_the_model_says(settings: dict[str, Any]) -> None:
    logits = RNG.normal(size=[6, 6]).astype("float32")
    logits[START, END] = logits[3, END] = -np.inf  # so that all have two tokens
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

    found = draws()
    ids, lengths = found.tokens.numpy()[:, 0], found.lengths.numpy()
    first, second = np.where(np.arange(2) < lengths, ids, END).T
    counts = np.zeros([6, 6])
    np.add.at(counts, (first, second), 1)
    log_p = logits - np.log(np.sum(np.exp(logits), 1, keepdims=True))
    np.testing.assert_allclose(found.scores[:, 0], log_p[START, first] + log_p[first, second], 1e-4)
    shares = filtered(logits[START], **settings)[:, None] * [filtered(x, **settings) for x in logits]
    possible = shares > 0
    assert not np.any(counts[~possible])
    expected = size * shares[possible]
    deviation = np.sum((counts[possible] - expected) ** 2 / expected)
    assert deviation < len(expected) + 4 * np.sqrt(2 * len(expected))


def test_seeds_decide() -> None:
    model, limits = random_model(4, 12), [30] * 4
    draw = in_graph(sample, temperature=100.0)
    found = draw(model, limits, tf.constant([1, 2, 3, 4], tf.int64))
    assert_same(found, draw(model, limits, tf.constant([1, 2, 3, 4], tf.int64)))
    other = draw(model, limits, tf.constant([5, 2, 3, 4 + 2**40]))
    assert [lines(found, row) == lines(other, row) for row in range(4)] == [False, True, True, False]


@pytest.mark.parametrize("settings", [{"temperature": 1e-5}, {"top_k": 1}, {"top_p": 1e-6}])
def test_sampling_of_the_most_probable_is_greedy(settings: dict[str, Any]) -> None:
    model = random_model(5, 12)
    search = {**TOKENS, "max_length": np.array([9, 3, 9, 1, 7])}
    found = sample(model.step, model.state, **search, seeds=np.arange(5), **settings)
    assert_same(found, greedy_search(model.step, model.state, **search))


@pytest.mark.parametrize("width", [3, 319, 320, 640, 993])
def test_the_highest_of_wide_rows(width: int) -> None:
    for x in normal(6, width), tf.constant(RNG.integers(0, 2 * width, (6, width)), tf.float32):
        values, places = _top_k(x, 5)
        expected = tf.math.top_k(x, min(5, width))
        assert np.array_equal(values, expected.values)
        assert np.array_equal(tf.gather(x, places, batch_dims=1), expected.values)
        assert [len(set(row)) for row in places.numpy().tolist()] == [min(5, width)] * 6
    values, places = _top_k(np.where(np.arange(width) == width - 1, 1.0, -np.inf)[None], 5)
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
def test_errors_say_what_to_do(search: Callable, settings: dict[str, Any], message: str) -> None:
    step, state = speller("to be")
    settings = {**TOKENS, "max_length": 5, **({"seeds": [1]} if search is sample else {}), **settings}
    with pytest.raises(ValueError, match=message):
        search(step, state, **settings)


def test_a_state_without_tensors_is_refused() -> None:
    with pytest.raises(ValueError, match="`state` holds no tensor"):
        greedy_search(speller("to be")[0], (), **TOKENS, max_length=5)
