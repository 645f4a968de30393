"""The n-gram model of the benchmark: against the published formulas, word by word, and against NLTK."""

import doctest
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from nltk.lm import KneserNeyInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline
from test_benchmarks import load

import zoo
from zoo.errors import UsageError
from zoo.preprocessing.text import END_ID
from zoo.tasks.language_model import WordPiecePreprocessor

ngram = load("ngram")

Gram = tuple[int, ...]


class Reference:
    """Interpolated modified Kneser-Ney smoothing as Chen and Goodman (1999) define it, with dictionaries.

    A text begins at the start of a row and at each boundary.
    """

    def __init__(
        self, rows: Sequence[np.ndarray], vocabulary_size: int, order: int, boundary: int | None
    ) -> None:
        self.vocabulary_size, self.order = vocabulary_size, order
        self.counts: list[Counter[Gram]] = [Counter() for _ in range(order + 1)]
        before: dict[Gram, set[int]] = defaultdict(set)
        for text in split_texts(rows, boundary):
            for k in range(1, order + 1):
                for end in range(1, len(text)):
                    start = end + 1 - k
                    if start < 0:
                        continue
                    gram = text[start : end + 1]
                    if k == order or start == 0:
                        self.counts[k][gram] += 1
                    else:
                        before[gram].add(text[start - 1])
        for gram, tokens in before.items():
            self.counts[len(gram)][gram] += len(tokens)
        self.discounts = [estimate(list(counts.values())) for counts in self.counts[1:]]

    def compute_probability(self, word: int, context: Gram) -> float:
        counts = self.counts[len(context) + 1]
        discounts = [0.0, *self.discounts[len(context)]]
        following = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == context}
        lower = self.compute_probability(word, context[1:]) if context else 1 / (self.vocabulary_size - 1)
        if not following:
            return lower
        total = sum(following.values())
        count = following.get(word, 0)
        mass = sum(discounts[min(each, 3)] for each in following.values())
        return (count - discounts[min(count, 3)]) / total + mass / total * lower


def estimate(counts: list[int]) -> tuple[float, float, float]:
    n1, n2, n3, n4 = (counts.count(k) for k in (1, 2, 3, 4))
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        discounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if min(discounts) >= 0:
            return discounts
    return (0.5, 1.0, 1.5)


def split_texts(rows: Sequence[np.ndarray], boundary: int | None) -> list[Gram]:
    """The texts in rows, each with the boundary that it begins with, and the one that it ends with."""
    texts = []
    for row in rows:
        text: list[int] = []
        for token in row.tolist():
            text.append(token)
            if token == boundary and len(text) > 1:
                texts.append(tuple(text))
                text = [token]
        texts.append(tuple(text))
    return texts


def sample_rows(seed: int, lengths: Sequence[int], vocabulary_size: int) -> list[np.ndarray]:
    """Tokens of which some are frequent, and most follow the one before."""
    random = np.random.default_rng(seed)
    rows = []
    for length in lengths:
        row = np.minimum(random.zipf(1.5, length), vocabulary_size - 1)
        repeats = random.random(length) < 0.5
        row[1:] = np.where(repeats[1:], row[:-1] % (vocabulary_size - 1) + 1, row[1:])
        rows.append(row)
    return rows


def compute_distribution(model: "ngram.KneserNey", context: Sequence[int]) -> np.ndarray:
    """The probability of each id but that of padding after a context."""
    rows = [np.array([*context, word]) for word in range(1, model.vocabulary_size)]
    return np.exp(model.compute_log_probabilities(rows)).reshape(len(rows), -1)[:, -1]


@pytest.mark.parametrize(
    ("seed", "order", "lengths", "boundary"),
    [
        (1, 5, [400], None),
        (2, 5, [1, 90, 200, 0, 3, 2], None),
        (3, 4, [300, 200], 2),
        (4, 3, [5, 60, 1, 150], 1),
        (5, 2, [90], 3),
        (6, 1, [90], None),
        (7, 5, [3], None),
    ],
)
def test_probabilities_are_those_of_the_published_formulas(
    seed: int, order: int, lengths: list[int], boundary: int | None
) -> None:
    size = 7
    rows = sample_rows(seed, lengths, size)
    model, reference = ngram.KneserNey(rows, size, order, boundary), Reference(rows, size, order, boundary)
    for mine, theirs in zip(model.discounts, reference.discounts, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-12)
    tests = [*sample_rows(seed + 50, [60, 1, 2, 30], size), *(row[:40] for row in rows)]
    expected = [
        math.log(reference.compute_probability(text[end], text[max(0, end + 1 - order) : end]))
        for text in split_texts(tests, boundary)
        for end in range(1, len(text))
    ]
    np.testing.assert_allclose(model.compute_log_probabilities(tests), expected, atol=1e-10)


def test_discounts_are_estimated_for_a_text_long_enough() -> None:
    model = ngram.KneserNey(sample_rows(1, [3000], 40), 40)
    assert all(tuple(discounts) != ngram.DEFAULT_DISCOUNTS for discounts in model.discounts[1:])
    assert len(model.grams) == len(model.discounts) == 5


@pytest.mark.parametrize("boundary", [None, 2])
def test_probabilities_sum_to_one(boundary: int | None) -> None:
    size, random = 9, np.random.default_rng(3)
    rows = sample_rows(8, [300, 100], size)
    model = ngram.KneserNey(rows, size, 5, boundary)
    contexts = [rows[0][start : start + random.integers(1, 8)] for start in range(0, 200, 9)]
    contexts += list(random.integers(1, size, [20, 5]))
    for context in contexts:
        distribution = compute_distribution(model, context)
        assert distribution.sum() == pytest.approx(1, abs=1e-12)
        assert distribution.min() > 0


def test_probabilities_equal_those_of_nltk() -> None:
    """NLTK pads sentences, has one discount, and none for single words."""
    order, discount, words = 4, 0.75, ["a", "b", "c", "d", "e"]
    start, end = len(words) + 1, len(words) + 2
    sentences = [[words[token % 5] for token in row] for row in sample_rows(9, [40, 25, 1, 60, 30, 3], 6)]
    theirs = KneserNeyInterpolated(order, discount)
    theirs.fit(*padded_everygram_pipeline(order, sentences))
    rows = [
        np.array([start] * (order - 1) + [words.index(word) + 1 for word in sentence] + [end] * (order - 1))
        for sentence in sentences
    ]
    discounts = [(0.0, 0.0, 0.0), *[(discount,) * 3] * (order - 1)]
    mine = ngram.KneserNey(rows, end + 1, order, discounts=discounts)
    # Where a context has <s>, NLTK has no count for what begins a sentence at the lower orders.
    for length in range(1, order):
        for context in product(words, repeat=length):
            expected = [theirs.score(word, context) for word in words]
            distribution = compute_distribution(mine, [words.index(word) + 1 for word in context])
            np.testing.assert_allclose(distribution[: len(words)], expected, atol=1e-12)


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(ngram).attempted > 3
    assert doctest.testmod(ngram).failed == 0


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, zoo.LanguageModel]:
    """A text, and a model with random weights instead of an export."""
    random = np.random.default_rng(2)
    sentences = [
        f"the {pet} eats {'milk' if pet == 'cat' else 'meat'} ." for pet in random.choice(["cat", "dog"], 900)
    ]
    path = tmp_path / "book.txt"
    path.write_text("\n".join(sentences), encoding="utf-8")  # each line is a paragraph
    keras.utils.set_random_seed(1)
    preprocessor = WordPiecePreprocessor.adapt(sentences, 100, 50, tmp_path)
    model = zoo.LanguageModel(preprocessor.tokenizer.vocabulary_size, 8, zoo.Encoder(zoo.GRUCell(6)))
    model.build((None, None))
    monkeypatch.setattr(ngram, "TASK", SimpleNamespace(from_export=lambda directory: (preprocessor, model)))
    return path, model


def test_benchmark_scores_both_models_on_the_same_tokens(
    book: tuple[Path, zoo.LanguageModel], capsys: pytest.CaptureFixture[str]
) -> None:
    path, model = book
    settings = ngram.Settings(Path("export"), path, order=3, rows=2)
    perplexities = ngram.run(settings)
    printed = capsys.readouterr().out
    assert printed.startswith("4,860 tokens for training, 52 ids; 268 test tokens in 2 rows;")
    ratio = perplexities["recurrent"] / perplexities["3-gram, Kneser-Ney"]
    assert f"| recurrent | {perplexities['recurrent']:.2f} | {ratio:.3f} |" in printed
    # One of five words and an end is a choice of two.
    assert 2 ** (1 / 6) < perplexities["3-gram, Kneser-Ney"] < 1.2
    preprocessor, _ = ngram.TASK.from_export(path)
    test = preprocessor.encode_passages(ngram.load_text(path).test)
    rows = np.stack([test[:135], test[134:269]])
    log_probabilities = tf.nn.log_softmax(model(rows[:, :-1])).numpy()
    targets = np.take_along_axis(log_probabilities, rows[:, 1:, None], -1)
    assert perplexities["recurrent"] == pytest.approx(math.exp(-targets.mean()), rel=1e-5)
    ngrams = ngram.KneserNey([preprocessor.encode_passages(ngram.load_text(path).train)], 52, 3, END_ID)
    expected = math.exp(-ngrams.compute_log_probabilities(list(rows)).mean())
    assert perplexities["3-gram, Kneser-Ney"] == pytest.approx(expected, rel=1e-12)


def test_rows_that_do_not_fit_raise(book: tuple[Path, zoo.LanguageModel]) -> None:
    with pytest.raises(UsageError, match="found 270 test tokens for 300 rows"):
        ngram.run(ngram.Settings(Path("export"), book[0], rows=300))
