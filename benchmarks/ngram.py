"""Compare a language model with interpolated modified Kneser-Ney smoothing on the same tokens.

python benchmarks/ngram.py runs/language_model/export/1 --dataset book.txt
python benchmarks/ngram.py runs/language_model/export/1 --dataset book.txt --order 3

The n-gram model is that of Chen and Goodman (1999, "An empirical study of smoothing techniques for language
modeling"). Both models have the same training text and the same ids of its word pieces; an unknown word and the end of
a paragraph are one token each for both. Both are scored here on the same tokens: the test part of the text is cut into
rows of equal length, of which the first token is context only, and neither model sees what comes before a row. Within a
row the recurrent model carries its state over all tokens so far, and the n-gram model sees the last `order - 1`, but
none before the end of the paragraph before.

    p(w | h) = (a(h w) - D(a(h w))) / a(h .) + gamma(h) p(w | h')        h' is h without its first token

a(h w) is the count of the n-gram at the highest order. Below it is the number of different tokens before the n-gram; at
the beginning of a text, where there are none, each occurrence counts. The discounts D(1), D(2) and D(3 and more) of an
order follow from its numbers of n-grams with a = 1, 2, 3 and 4; where these do not determine them, as is usual for
single word pieces, they are 0.5, 1 and 1.5. gamma(h) makes the sum 1. Below single tokens all ids but that of padding
are equally probable. No count is cut off.

The n-grams of each order are numbered by sorting, with the numbers of the order below, so that 64 bits are enough for
any order. 10 million tokens take about half a minute and 2.4 GB.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import numpy as np
import tensorflow as tf
import tyro

import zoo
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.datasets import load_text
from zoo.errors import UsageError
from zoo.preprocessing.text import END_ID
from zoo.tasks.language_model import TASK

DEFAULT_DISCOUNTS = (0.5, 1.0, 1.5)
STEPS = 50  # tokens of each row that the recurrent model reads at once


@dataclass(frozen=True)
class Settings:
    """Compare the perplexity of a language model with that of an n-gram model on the same tokens."""

    model: tyro.conf.Positional[Path]  # directory of an export of recipes/language_model.py
    dataset: Path  # the text file that it was trained on
    encoding: str | None = None  # of the text file; default is UTF-8, or what a byte order mark states
    order: PositiveInt = 5  # the largest number of tokens of an n-gram
    rows: PositiveInt = 64  # that the test tokens are cut into


class Grams(NamedTuple):
    """The n-grams of one order that occur in the training text."""

    keys: np.ndarray
    """Number of the context times the size of the vocabulary, plus the last token; sorted int64 [n-grams]."""
    probabilities: np.ndarray
    """What the count alone contributes to the probability, float64 [n-grams]."""
    backoff_weights: np.ndarray
    """Weight of the lower order after each context, float64 [n-grams of the order below]."""


class KneserNey:
    """N-gram model with interpolated modified Kneser-Ney smoothing.

    Args:
        rows: training texts, int [length] each. The first token of each is context only.
        vocabulary_size: ids are smaller. Id 0 is padding and does not occur.
        order: the largest number of tokens of an n-gram.
        boundary_id: token with which a text begins inside a row. An n-gram may begin or end with it.
        discounts: for each order, from 1 on, those of the counts 1, 2, and 3 or more. Default: estimated.

    >>> model = KneserNey([np.array([1, 2, 3, 1, 2, 4, 1, 2, 3])], vocabulary_size=5, order=3)
    >>> p = [np.exp(model.compute_log_probabilities([np.array([1, 2, w])])[-1]) for w in range(1, 5)]
    >>> print(np.round(p, 2), round(float(sum(p)), 9))
    [0.08 0.06 0.51 0.35] 1.0
    """

    def __init__(
        self,
        rows: Sequence[np.ndarray],
        vocabulary_size: int,
        order: int = 5,
        boundary_id: int | None = None,
        discounts: Sequence[Sequence[float]] | None = None,
    ) -> None:
        self.vocabulary_size, self.order, self.boundary_id = vocabulary_size, order, boundary_id
        ids, distances = self._join(rows)
        numbers = ids  # of the n-gram that ends at each position; -1 for none
        keys, counts = [np.arange(vocabulary_size)], []
        for k in range(2, order + 1):
            ends = np.flatnonzero(distances >= k - 1)
            unique, first, inverse = np.unique(
                numbers[ends - 1] * vocabulary_size + ids[ends], return_index=True, return_inverse=True
            )
            # Each different n-gram is one more token before the n-gram that it ends with.
            suffixes = numbers[ends[first]]
            initial = numbers[(distances == k - 2) & (distances > 0)]
            counts.append(np.bincount(np.concatenate([suffixes, initial]), minlength=len(keys[-1])))
            keys.append(unique)
            numbers = np.full(len(ids), -1)
            numbers[ends] = inverse
        highest = numbers[distances >= max(1, order - 1)]
        counts.append(np.bincount(highest, minlength=len(keys[-1])))
        self.discounts = [estimate_discounts(each) for each in counts] if discounts is None else discounts
        num_contexts = [1, *map(len, keys[:-1])]
        self.grams = [
            self._weigh(*each) for each in zip(keys, counts, self.discounts, num_contexts, strict=True)
        ]

    def _join(self, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all rows, and how many tokens of its text stand before each."""
        lengths = [len(row) for row in rows]
        ids = np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64)
        positions = np.arange(len(ids))
        starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        if self.boundary_id is not None:
            boundaries = np.maximum.accumulate(np.where(ids == self.boundary_id, positions, 0))
            starts[1:] = np.maximum(starts[1:], boundaries[:-1])
        return ids, positions - starts

    def _weigh(
        self, keys: np.ndarray, counts: np.ndarray, discounts: Sequence[float], num_contexts: int
    ) -> Grams:
        contexts = keys // self.vocabulary_size
        totals = np.bincount(contexts, counts, num_contexts)
        discount = np.array([0.0, *discounts])[np.minimum(counts, 3)]
        discounted = np.bincount(contexts, discount, num_contexts)
        has_counts = totals > 0  # a context at the end of the text has none
        totals = np.where(has_counts, totals, 1)
        backoff_weights = np.where(has_counts, discounted / totals, 1)
        return Grams(keys, (counts - discount) / totals[contexts], backoff_weights)

    def compute_log_probabilities(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Return the natural logarithm of the probability of each token but the first ones of rows, float64 [n]."""
        ids, distances = self._join(rows)
        unigrams = self.grams[0]
        uniform = 1 / (self.vocabulary_size - 1)
        probabilities = unigrams.probabilities[ids] + unigrams.backoff_weights[0] * uniform
        numbers = ids
        for k, grams in enumerate(self.grams[1:], 2):
            if not len(grams.keys):  # the training text is too short
                break
            ends = np.flatnonzero(distances >= k - 1)
            ends = ends[numbers[ends - 1] >= 0]  # where the context occurs in the training text
            contexts = numbers[ends - 1]
            keys = contexts * self.vocabulary_size + ids[ends]
            indices = np.minimum(np.searchsorted(grams.keys, keys), len(grams.keys) - 1)
            is_known = grams.keys[indices] == keys
            probabilities[ends] *= grams.backoff_weights[contexts]
            probabilities[ends] += np.where(is_known, grams.probabilities[indices], 0)
            numbers = np.full(len(ids), -1)
            numbers[ends] = np.where(is_known, indices, -1)
        return np.log(probabilities[distances > 0])


def estimate_discounts(counts: np.ndarray) -> tuple[float, ...]:
    """Return the discounts of n-grams with a count of 1, of 2, and of 3 or more.

    >>> print(np.round(estimate_discounts(np.array([1, 1, 1, 1, 1, 2, 2, 3, 4])), 3))
    [0.556 1.167 0.778]
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if not all(n[:3]):
        return DEFAULT_DISCOUNTS
    scale = n[0] / (n[0] + 2 * n[1])
    discounts = tuple(k - (k + 1) * scale * n[k] / n[k - 1] for k in (1, 2, 3))
    return discounts if min(discounts) >= 0 else DEFAULT_DISCOUNTS


def cut_rows(ids: np.ndarray, num_rows: int) -> np.ndarray:
    """Cut tokens into rows, of which each begins with the last token of the one before.

    >>> cut_rows(np.arange(12), 3)
    array([[0, 1, 2, 3],
           [3, 4, 5, 6],
           [6, 7, 8, 9]])
    """
    length = (len(ids) - 1) // num_rows
    if length < 1:
        raise UsageError(
            f"--rows: found {len(ids):,} test tokens for {num_rows} rows, expected more tokens than rows. Choose "
            "fewer rows."
        )
    return np.stack([ids[row * length : (row + 1) * length + 1] for row in range(num_rows)])


def compute_recurrent_log_probabilities(model: zoo.LanguageModel, rows: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of the probability of each token but the first ones, float32 [rows, length - 1]."""
    read = tf.function(model.read, reduce_retracing=True)
    states, parts = model.get_initial_state(len(rows)), []
    for start in range(0, rows.shape[1] - 1, STEPS):
        targets = rows[:, start + 1 : start + 1 + STEPS]
        logits, states = read(tf.constant(rows[:, start : start + targets.shape[1]]), states)
        parts.append(-tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits).numpy())
    return np.concatenate(parts, axis=1)


def run(settings: Settings) -> dict[str, float]:
    """Print and return the perplexities of both models."""
    preprocessor, model = TASK.from_export(settings.model)
    data = load_text(settings.dataset, encoding=settings.encoding)
    train, test = (preprocessor.encode_passages(split) for split in (data.train, data.test))
    vocabulary_size = preprocessor.tokenizer.vocabulary_size
    rows = cut_rows(test, settings.rows)
    start = time.perf_counter()
    ngrams = KneserNey([train], vocabulary_size, settings.order, END_ID)
    name = f"{settings.order}-gram, Kneser-Ney"
    log_probabilities = {name: ngrams.compute_log_probabilities(list(rows))}
    seconds = time.perf_counter() - start
    log_probabilities["recurrent"] = compute_recurrent_log_probabilities(model, rows)
    perplexities = {
        name: math.exp(-np.mean(values, dtype=np.float64)) for name, values in log_probabilities.items()
    }
    print(
        f"{len(train):,} tokens for training, {vocabulary_size:,} ids; {rows[:, 1:].size:,} test tokens in "
        f"{len(rows)} rows; {sum(len(each.keys) for each in ngrams.grams):,} n-grams in {seconds:.0f} s\n"
    )
    print("| model | perplexity | ratio |\n| --- | --: | --: |")
    for contender, perplexity in perplexities.items():
        print(f"| {contender} | {perplexity:.2f} | {perplexity / perplexities[name]:.3f} |")
    for k, discounts in enumerate(ngrams.discounts, 1):
        print(f"\ndiscounts of order {k}: " + ", ".join(f"{discount:.3f}" for discount in discounts), end="")
    print()
    return perplexities


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
