"""Mix long and short texts for the sentiment recipe, and measure a model's accuracy on the short ones.

python benchmarks/sentiment.py prepare --reviews imdb_reviews --sentences glue/sst2 --output-dir reviews
python benchmarks/sentiment.py measure --sentences glue/sst2 --model saved_models/sentiment/1

A model trained on reviews of 230 words classifies single sentences poorly. `prepare` mixes both and writes
TSV files for the recipe's `--dataset`:

    train         the reviews; the last sentence of each review if it has 3 to 25 words, with the label of the
                  review, which usually fits; the sentences, twice; and the embedded set `negation`, which
                  teaches the meaning of "not"
    validation    reviews and sentences that are in no other split
    test          test reviews only, so that the accuracy is comparable with that of other models of reviews

Both data sets are anything that the recipe reads, with two labels, the negative one first. `measure` computes
the accuracy of an export on the test sentences, which are in none of the splits above.
"""

import itertools
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import tensorflow as tf
import tyro
from short_sentences import read_sentences

from zoo.datasets import DataSplits, load_text_classification
from zoo.errors import UsageError, ZooError
from zoo.serving.loading import load

LABELS = ("neg", "pos")
SENTENCE_WORDS = range(3, 26)  # of a sentence of a review that becomes a text of its own
CLEAR_ODDS = 400  # of the label of a sentence, so that it becomes one
HALVES = ("choosing", "evaluation")

Row = tuple[str, str]
"""A label and a text."""


@dataclass(frozen=True)
class Prepare:
    """Mix reviews and sentences."""

    reviews: str  # a TFDS name or a path
    sentences: str  # a TFDS name or a path
    output_dir: Path  # of the TSV files
    clear_sentences: bool = False  # whether to add sentences of reviews, chosen by naive Bayes


@dataclass(frozen=True)
class Measure:
    """Measure the accuracy of a model on single sentences."""

    sentences: str  # a TFDS name or a path
    model: Path = Path("saved_models/sentiment/1")  # directory of an export


def load_binary(name: str) -> DataSplits[tf.data.Dataset]:
    """Load a data set with two labels."""
    splits = load_text_classification(name)
    if len(splits.info.labels) != len(LABELS):
        raise UsageError(
            f"{name} has the labels {', '.join(splits.info.labels)}; expected two, negative first. Choose "
            "another data set."
        )
    return splits


def read_rows(split: tf.data.Dataset) -> list[Row]:
    """Return labels and texts, with each run of white space in a text replaced by one space."""
    texts = ((int(label), text.decode("utf-8", "replace")) for text, label in split.as_numpy_iterator())
    return [(LABELS[label], " ".join(text.split())) for label, text in texts]


def split_sentences(text: str) -> list[str]:
    """Split a review into sentences."""
    return re.split(r"(?<=[.!?])\s+", re.sub(r"<br\s*/?>", " ", text).strip())


def extract_last_sentences(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the last sentence of each text that has several, if its length is in `SENTENCE_WORDS`."""
    for label, text in rows:
        sentences = split_sentences(text)
        if len(sentences) > 1 and len(sentences[-1].split()) in SENTENCE_WORDS:
            yield label, sentences[-1]


def extract_clear_sentences(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield sentences of reviews, but not their last ones, that clearly express the opinion of the review.

    Naive Bayes, which counts words and pairs of words in all other reviews, must give the label odds of `CLEAR_ODDS` to
    1. The length of a sentence is in `SENTENCE_WORDS`.
    """
    counts = {label: Counter[str]() for label in LABELS}
    for label, text in rows:
        counts[label].update(find_phrases(" ".join(split_sentences(text))))
    totals = {label: counts[label].total() for label in LABELS}
    for label, text in rows:
        other = LABELS[1 - LABELS.index(label)]
        prior = math.log(totals[label] / totals[other])
        for sentence in split_sentences(text)[:-1]:
            if len(sentence.split()) not in SENTENCE_WORDS:
                continue
            log_odds = sum(
                math.log(max(counts[label][phrase], 1) / (counts[other][phrase] + 1)) - prior
                for phrase in find_phrases(sentence)
            )
            if log_odds >= math.log(CLEAR_ODDS):
                yield label, sentence


def find_phrases(text: str) -> set[str]:
    """Return the words of a text, and its pairs of adjacent words."""
    words = re.findall(r"\w+(?:'\w+)*|[!?]", text.lower())
    return {*words, *map(" ".join, itertools.pairwise(words))}


def join_contractions(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield texts in which "does n't" and "it 's", as the treebank splits them, are "doesn't" and "it's"."""
    for label, text in rows:
        yield label, re.sub(r" (n't|'(?:s|re|ve|ll|d|m))\b", r"\1", text)


def prepare(settings: Prepare) -> None:
    """Write train.tsv, validation.tsv and test.tsv."""
    reviews, sentences = load_binary(settings.reviews), load_binary(settings.sentences)
    review_rows, sentence_rows = read_rows(reviews.train), read_rows(sentences.train)
    train = [*review_rows, *extract_last_sentences(review_rows)]
    if settings.clear_sentences:
        train += extract_clear_sentences(review_rows)
    train += [*sentence_rows, *join_contractions(sentence_rows), *read_rows(load_binary("negation").train)]
    opinions = load_binary("opinions")
    for split in (opinions.train, opinions.validation, opinions.test):
        train += read_rows(split)
    held_out = {simplify(sentence.text) for half in HALVES for sentence in read_sentences(half)}
    splits = {
        "train": [row for row in train if simplify(row[1]) not in held_out],
        "validation": read_rows(reviews.validation) + read_rows(sentences.validation),
        "test": read_rows(reviews.test),
    }
    settings.output_dir.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        path = settings.output_dir / f"{split}.tsv"
        lines = ("\t".join(row) for row in [("label", "text"), *rows])
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        print(f"{path}  {len(rows):,} texts")
    print(f"\nnext: zoo train sentiment --dataset {settings.output_dir}")


def simplify(text: str) -> str:
    """Return the letters and digits of a text, without case."""
    return "".join(filter(str.isalnum, text.casefold()))


def measure(settings: Measure) -> float:
    """Print and return the accuracy on the test sentences, in percent."""
    sentences, predictor = load_binary(settings.sentences), load(settings.model)
    if (task := predictor.card["task"]) != "text_classification":
        raise UsageError(
            f"{settings.model} is an export of the task {task!r}, expected 'text_classification'."
        )
    correct = total = 0
    for texts, labels in sentences.test.batch(64):
        outputs = predictor.signatures["serving_default"](text=texts)
        is_correct = tf.argmax(outputs["scores"], -1) == labels
        correct += int(tf.reduce_sum(tf.cast(is_correct, tf.int32)))
        total += len(texts)
    accuracy = 100 * correct / total
    print(f"{settings.model}: accuracy {accuracy:.1f} % on {total:,} sentences")
    return accuracy


def main() -> None:
    """Run a command with settings from the command line."""
    settings = tyro.cli(Prepare | Measure)
    try:
        if isinstance(settings, Prepare):
            prepare(settings)
        else:
            measure(settings)
    except ZooError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
