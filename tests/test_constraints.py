"""Constraints of the searches: against plain Python, one by one and in combination, in graphs and eagerly."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from zoo.decoding import DecodingResult, beam_search, count_most_frequent_ngram, greedy_search, sample

END, VOCABULARY, UNITS = 2, 4, 3
Hypothesis = tuple[float, tuple[int, ...], bool]
"""Score, tokens, and whether the end token followed."""


class Row(NamedTuple):
    """A row of a batch, with the constraints of its search as Python values."""

    h: np.ndarray
    start: int
    limit: int
    counts: dict[int, int]
    prefix: tuple[int, ...] = ()
    min_length: int = 0
    no_repeat_ngram_size: int = 0
    max_ngram_count: int = 1
    repetition_penalty: float = 1.0


class Batch(NamedTuple):
    """A recurrent model with random weights, and rows."""

    inputs: np.ndarray
    recurrent: np.ndarray
    outputs: np.ndarray
    rows: list[Row]

    def compute_logits(self, row: Row, tokens: tuple[int, ...]) -> np.ndarray:
        h = row.h
        for token in (row.start, *tokens):
            h = np.tanh(self.inputs[token] + h @ self.recurrent)
        return h @ self.outputs

    def arguments(self, in_use: set[str]) -> dict[str, Any]:
        """The arguments of a search: one number where it is the same for all rows, else a tensor."""
        rows = self.rows
        arguments: dict[str, Any] = {
            "start_id": np.array([row.start for row in rows], "int32"),
            "max_length": np.array([row.limit for row in rows], "int32"),
            "end_id": END,
        }
        if "prefix" in in_use:
            width = max([len(row.prefix) for row in rows], default=0)
            prefix = [row.prefix + (0,) * (width - len(row.prefix)) for row in rows]
            arguments["prefix"] = np.reshape(prefix, [len(rows), width]).astype("int64")
        if "min_length" in in_use:
            arguments["min_length"] = np.array([row.min_length for row in rows], "int32")
        if in_use & {"no_repeat_ngram_size", "max_ngram_count"}:
            arguments["no_repeat_ngram_size"] = rows[0].no_repeat_ngram_size if rows else 2
        if "max_ngram_count" in in_use:
            arguments["max_ngram_count"] = np.array([row.max_ngram_count for row in rows], "int32")
        if "repetition_penalty" in in_use:
            arguments["repetition_penalty"] = rows[0].repetition_penalty if rows else 1.5
        if "exact_counts" in in_use:
            ids = list(rows[0].counts) if rows else [3]
            counts = [[row.counts[i] for i in ids] for row in rows]
            arguments["exact_counts"] = (
                np.array(ids, "int32"),
                np.reshape(counts, [len(rows), len(ids)]).astype("int32"),
            )
        return arguments

    def search(self, search: Callable[..., DecodingResult], arguments: dict[str, Any]) -> DecodingResult:
        weights = [tf.constant(x, tf.float32) for x in self[:3]]

        def step(tokens: tf.Tensor, h: tf.Tensor, memory: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            h = tf.tanh(tf.gather(weights[0], tokens) + h @ weights[1])
            return h @ weights[2], h

        h = tf.reshape(tf.constant([row.h for row in self.rows], tf.float32), [-1, UNITS])
        return search(step, h, memory=h, **arguments)  # with a memory, rows that have ended are left out


PARTS = (
    "prefix",
    "min_length",
    "no_repeat_ngram_size",
    "max_ngram_count",
    "repetition_penalty",
    "exact_counts",
)


def make_batch(rng: np.random.Generator, in_use: set[str], size: int, longest: int = 5) -> Batch:
    """A batch with random constraints; of these some contradict the limit or each other."""
    size_of_ngrams, penalty = int(rng.integers(1, 4)), float(rng.choice([1.2, 3]))
    ids = rng.permutation([0, 1, 3])[: rng.integers(1, 4)].tolist()
    rows = []
    for _ in range(size):
        row = Row(
            rng.normal(size=UNITS), int(rng.integers(VOCABULARY)), int(rng.integers(1, longest + 1)), {}
        )
        if "prefix" in in_use:
            tokens = rng.choice([1, 3] if rng.random() < 0.9 else [1, 2, 3], rng.integers(0, 4))
            row = row._replace(prefix=tuple(tokens.tolist()))
        if "min_length" in in_use:
            row = row._replace(min_length=int(rng.integers(0, longest + 2)))
        if "no_repeat_ngram_size" in in_use:
            row = row._replace(no_repeat_ngram_size=size_of_ngrams)
        if "max_ngram_count" in in_use:
            row = row._replace(no_repeat_ngram_size=size_of_ngrams, max_ngram_count=int(rng.integers(1, 4)))
        if "repetition_penalty" in in_use:
            row = row._replace(repetition_penalty=penalty)
        if "exact_counts" in in_use:
            row = row._replace(counts=dict(zip(ids, rng.integers(0, 3, len(ids)).tolist(), strict=True)))
        rows.append(row)
    shapes = (VOCABULARY, UNITS), (UNITS, UNITS), (UNITS, VOCABULARY)
    return Batch(*(2 * rng.normal(size=shape) for shape in shapes), rows)


def find_continuations(row: Row, tokens: tuple[int, ...], logits: np.ndarray) -> dict[int, float]:
    """The log-probabilities of the tokens that may follow."""
    logits, position = logits.copy(), len(tokens)
    for token in set(tokens) - set(row.counts):
        factor = 1 / row.repetition_penalty if logits[token] > 0 else row.repetition_penalty
        logits[token] *= factor
    log_p = logits - np.log(np.sum(np.exp(logits)))
    missing = {token: count - tokens.count(token) for token, count in row.counts.items()}
    total = sum(max(number, 0) for number in missing.values())
    if position < len(row.prefix):
        allowed = {row.prefix[position]}
    elif total and (total >= row.limit - position or log_p[END] == max(log_p)):
        allowed = {token for token, number in missing.items() if number > 0}
    else:
        n = row.no_repeat_ngram_size
        ngrams = [tokens[i : i + n] for i in range(position - n + 1)] if n else []
        allowed = {token for token in range(VOCABULARY) if missing.get(token, 1) > 0}
        if position < row.min_length or total:
            allowed -= {END}
        repeated = {i for i in allowed if ngrams.count((*tokens, i)[-n:]) >= row.max_ngram_count}
        allowed -= repeated - set(row.counts)
    return {token: log_p[token] for token in sorted(allowed)}


def search_with_beams(batch: Batch, row: Row, beams: int, alpha: float = 0.0) -> list[Hypothesis]:
    """All hypotheses of a beam search that never stops early, the best first; with many beams all sequences."""
    found, alive = [], [(0.0, ())]
    for size in range(1, row.limit + 1):
        longer, ended = [], []
        for score, tokens in alive:
            continuations = find_continuations(row, tokens, batch.compute_logits(row, tokens))
            for token, log_p in continuations.items():
                (ended if token == END else longer).append((score + log_p, (*tokens, token)))
        longer = sorted(longer, key=lambda pair: -pair[0])[:beams]
        least = longer[-1][0] if len(longer) == beams else -np.inf
        penalty = ((5 + size) / 6) ** alpha
        found += [(score / penalty, tokens[:-1], True) for score, tokens in ended if score >= least]
        if size == row.limit:
            found += [(score / penalty, tokens, False) for score, tokens in longer]
        alive = longer
    return sorted(found, key=lambda hypothesis: -hypothesis[0])


def search_greedily(batch: Batch, row: Row) -> list[Hypothesis]:
    score, tokens = 0.0, ()
    while len(tokens) < row.limit:
        continuations = find_continuations(row, tokens, batch.compute_logits(row, tokens))
        if not continuations:
            return []
        token = max(continuations, key=continuations.__getitem__)
        score += continuations[token]
        if token == END:
            return [(score, tokens, True)]
        tokens += (token,)
    return [(score, tokens, False)]


def read_hypotheses(result: DecodingResult, row: int) -> list[Hypothesis]:
    """The hypotheses of a row; those that are missing have a score of -inf and no tokens."""
    found = []
    for tokens, length, score, is_complete in zip(*(x.numpy()[row] for x in result), strict=True):
        assert not np.isnan(score)
        if score == -np.inf:
            assert not length
            assert not is_complete
        else:
            found.append((score, tuple(tokens[:length].tolist()), bool(is_complete)))
    return found


def assert_hypotheses(actual: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [hypothesis[1:] for hypothesis in actual] == [hypothesis[1:] for hypothesis in expected]
    scores = [[score for score, *_ in hypotheses] for hypotheses in (actual, expected)]
    np.testing.assert_allclose(*scores, 1e-4, 1e-4)


def in_graph(search: Callable[..., DecodingResult], **settings: Any) -> Callable[..., DecodingResult]:
    """The search in a graph in which the sizes of all its arguments are unknown."""

    def run(step: Any, state: tf.Tensor, memory: tf.Tensor, **arguments: Any) -> DecodingResult:
        tensors = {name: value for name, value in arguments.items() if not isinstance(value, int | float)}
        specs = tf.nest.map_structure(
            lambda x: tf.TensorSpec([None] * np.ndim(x), np.asarray(x).dtype), tensors
        )
        numbers = {name: value for name, value in arguments.items() if name not in tensors}

        @tf.function(input_signature=[tf.TensorSpec([None, UNITS]), specs])
        def decode(state: tf.Tensor, tensors: dict[str, Any]) -> DecodingResult:
            return search(step, state, memory=state, **tensors, **numbers, **settings)

        return decode(state, tf.nest.map_structure(tf.constant, tensors))

    return run


COMBINATIONS = [*({part} for part in PARTS), set(PARTS), set(PARTS), {"prefix", "exact_counts"}]
EACH_COMBINATION = pytest.mark.parametrize(
    ("seed", "in_use"), list(enumerate(COMBINATIONS)), ids=["-".join(sorted(parts)) for parts in COMBINATIONS]
)


@EACH_COMBINATION
def test_searches_equal_plain_python(seed: int, in_use: set[str]) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(2):
        batch = make_batch(rng, in_use, 4)
        arguments = batch.arguments(in_use)
        greedy = batch.search(greedy_search, arguments)
        samples = batch.search(sample, arguments | {"seeds": np.arange(4), "temperature": 2.0})
        beams = {}
        for n, alpha in ((1, 0.0), (2, 0.8), (243, 0.0)):
            settings = {"num_beams": n, "num_return_sequences": n, "length_penalty": alpha}
            beams[n, alpha] = batch.search(beam_search, arguments | settings)
        for number, row in enumerate(batch.rows):
            assert_hypotheses(read_hypotheses(greedy, number), search_greedily(batch, row))
            for (n, alpha), result in beams.items():
                assert_hypotheses(
                    read_hypotheses(result, number), search_with_beams(batch, row, n, alpha)[:n]
                )
            everything = search_with_beams(batch, row, 1000)
            for drawn in read_hypotheses(samples, number):
                (expected,) = [other for other in everything if other[1:] == drawn[1:]]
                assert_hypotheses([drawn], [expected])


@pytest.mark.parametrize("search", [greedy_search, beam_search])
def test_searches_in_a_graph_equal_plain_python(search: Callable[..., DecodingResult]) -> None:
    batch, settings = make_batch(np.random.default_rng(1), set(PARTS), 9), {}
    if search is beam_search:
        settings = {"num_beams": 3, "num_return_sequences": 3}
    result = batch.search(in_graph(search, **settings), batch.arguments(set(PARTS)))
    for number, row in enumerate(batch.rows):
        expected = search_with_beams(batch, row, 3)[:3] if settings else search_greedily(batch, row)
        assert_hypotheses(read_hypotheses(result, number), expected)


@pytest.mark.parametrize("search", [greedy_search, beam_search, sample])
def test_rows_alone_and_no_rows(search: Callable[..., DecodingResult]) -> None:
    in_use, rng = set(PARTS), np.random.default_rng(7)
    batch = make_batch(rng, in_use, 5, longest=9)

    def run(rows: list[int]) -> DecodingResult:
        settings = {
            beam_search: {"num_beams": 3, "num_return_sequences": 2},
            sample: {"seeds": np.array(rows)},
        }
        part = batch._replace(rows=[batch.rows[row] for row in rows])
        return part.search(search, part.arguments(in_use) | settings.get(search, {}))

    together = run([0, 1, 2, 3, 4])
    for row in range(5):
        assert_hypotheses(read_hypotheses(run([row]), 0), read_hypotheses(together, row))
    assert [0 in result.shape for result in run([])] == [True] * 4


@pytest.mark.parametrize("constraints", [{}, {"no_repeat_ngram_size": 1}, {"repetition_penalty": 2.0}])
def test_a_row_without_possible_tokens_has_no_sequence(constraints: dict[str, Any]) -> None:
    logits = tf.constant([[-np.inf] * 4, [0, 9, -np.inf, 0], [0, -np.inf, 9, 0]], tf.float32)

    def step(tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        row, t = tf.unstack(state, axis=1)
        is_dead = tf.logical_and(dies, t > 0)
        return tf.where(is_dead[:, None], -np.inf, tf.gather(logits, row)), tf.stack([row, t + 1], axis=1)

    for dies in (False, True):
        arguments = {"start_id": 0, "end_id": END, "max_length": 2, **constraints}
        state = tf.constant([[0, 0], [1, 0], [2, 0]])
        results = (
            greedy_search(step, state, **arguments),
            beam_search(step, state, **arguments, num_beams=2),
            sample(step, state, **arguments, seeds=[1, 2, 3], temperature=0.1),
        )
        for result in results:
            expected = np.array([0, 0 if dies else 2, 0])
            assert np.array_equal(result.lengths[:, 0], expected)
            assert np.array_equal(result.scores[:, 0] > -np.inf, [False, not dies, True])
            assert np.array_equal(result.is_complete[:, 0], [False, False, True])


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ({"min_length": -1}, "`min_length` must be at least 0, but it is -1"),
        ({"max_ngram_count": 0}, "`max_ngram_count` must be at least 1, but it is 0"),
        ({"no_repeat_ngram_size": -2}, "`no_repeat_ngram_size` must be at least 1, or 0"),
        ({"repetition_penalty": 0.9}, "`repetition_penalty` must be at least 1, but it is 0.9"),
        ({"repetition_penalty": float("nan")}, "`repetition_penalty` must be at least 1"),
        ({"prefix": [1, 2]}, r"`prefix` must have the shape \[batch, time\], but it has \(2,\)"),
        ({"exact_counts": ([1, END], [[1, 1]])}, "differ from each other and from the end token, 2"),
        ({"exact_counts": ([1, 1], [[1, 1]])}, r"they are \[1, 1\]"),
        ({"exact_counts": ([1, 3], [1, 1])}, r"`exact_counts\[1\]` must have the shape \[batch, k\]"),
    ],
)
def test_constraints_out_of_range_raise(constraint: dict[str, Any], message: str) -> None:
    for search, settings in ((greedy_search, {}), (beam_search, {"num_beams": 2}), (sample, {"seeds": [1]})):
        with pytest.raises(ValueError, match=message):
            search(
                lambda tokens, state: (tf.zeros([1, VOCABULARY]), state),
                tf.zeros([1, 1]),
                start_id=0,
                end_id=END,
                max_length=3,
                **constraint,
                **settings,
            )


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_the_most_frequent_ngram_is_counted(size: int) -> None:
    rng = np.random.default_rng(size)
    for time in (5, 20):
        ids = rng.integers(1, 3, (6, time)) * (np.arange(time) < rng.integers(0, time + 1, (6, 1)))
        expected = []
        for row in ids.tolist():
            tokens = row[: np.count_nonzero(row)]
            ngrams = [tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)]
            expected.append(max(map(ngrams.count, ngrams), default=1))
        assert count_most_frequent_ngram(tf.constant(ids), size).numpy().tolist() == expected
    assert count_most_frequent_ngram(tf.zeros([2, 0], tf.int32), size).numpy().tolist() == [1, 1]
