"""Mix long and short texts for the sentiment recipe, and measure a model on both.

python benchmarks/sentiment.py prepare --reviews imdb_reviews --sentences glue/sst2 --output-dir reviews
python benchmarks/sentiment.py measure --reviews imdb_reviews --sentences glue/sst2 --model saved_models/sentiment/1

A model trained on reviews of 230 words classifies single sentences poorly. `prepare` mixes both and writes
TSV files for the recipe's `--dataset`:

    train         the reviews; the last sentence of each review if it has 3 to 25 words, with the label of the
                  review, which usually fits; the sentences, once as they are and once with "does n't" joined to
                  "doesn't"; the embedded sets `negation` and `opinions`. Sentences of `short_sentences.tsv` are
                  left out.
    validation    reviews and sentences that are in no other split
    test          test reviews only, so that the accuracy is comparable with that of other models of reviews

Both data sets are anything that the recipe reads, with two labels, the negative one first. `measure` prints
accuracy and expected calibration error on the test reviews, on the test sentences, and on one half of
`short_sentences.tsv`; with `--train` also the accuracy of naive Bayes, a bag of words, trained on that file.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import numpy as np
import tensorflow as tf
import tyro
from short_sentences import read_sentences

from zoo.cli.errors import exit_on_user_error
from zoo.datasets import DataSplits, load_text_classification
from zoo.errors import UsageError
from zoo.metrics import expected_calibration_error
from zoo.serving.loading import load

LABELS = ("neg", "pos")
HALVES = ("choosing", "evaluation")
SENTENCE_WORDS = range(3, 26)  # of a review's last sentence that becomes a text of its own
BATCH_SIZE = 64

Row = tuple[str, str]
"""A label and a text."""


@dataclass(frozen=True)
class Prepare:
    """Mix reviews and sentences."""

    reviews: str  # a TFDS name or a path
    sentences: str  # a TFDS name or a path
    output_dir: Path  # of the TSV files


@dataclass(frozen=True)
class Measure:
    """Measure a model on reviews and sentences."""

    reviews: str | None = None  # a TFDS name or a path; takes minutes
    sentences: str | None = None  # a TFDS name or a path
    half: Literal["choosing", "evaluation"] = "choosing"  # of the short sentences
    train: Path | None = None  # the train.tsv of `prepare`, for a bag of words
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


def extract_last_sentences(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the last sentence of each text that has several, if its length is in `SENTENCE_WORDS`."""
    for label, text in rows:
        sentences = re.split(r"(?<=[.!?])\s+", re.sub(r"<br\s*/?>", " ", text).strip())
        if len(sentences) > 1 and len(sentences[-1].split()) in SENTENCE_WORDS:
            yield label, sentences[-1]


def join_contractions(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield texts in which "does n't" and "it 's", as the treebank splits them, are "doesn't" and "it's"."""
    for label, text in rows:
        yield label, re.sub(r" (n't|'(?:s|re|ve|ll|d|m))\b", r"\1", text)


def keep_letters(text: str) -> str:
    """Return the letters and digits of a text, without case."""
    return "".join(filter(str.isalnum, text.casefold()))


def prepare(settings: Prepare) -> None:
    """Write train.tsv, validation.tsv and test.tsv."""
    reviews, sentences = load_binary(settings.reviews), load_binary(settings.sentences)
    review_rows, sentence_rows = read_rows(reviews.train), read_rows(sentences.train)
    opinions = load_binary("opinions")
    train = [
        *review_rows,
        *extract_last_sentences(review_rows),
        *sentence_rows,
        *join_contractions(sentence_rows),
        *read_rows(load_binary("negation").train),
        *(row for split in (opinions.train, opinions.validation, opinions.test) for row in read_rows(split)),
    ]
    held_out = {keep_letters(sentence.text) for half in HALVES for sentence in read_sentences(half)}
    splits = {
        "train": [(label, text) for label, text in train if keep_letters(text) not in held_out],
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


def split_words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(re.findall(r"\w+(?:'\w+)*", text.lower()))


def train_naive_bayes(path: Path) -> Counter[str]:
    """Return for each word of a TSV file of labels and texts by how much it raises the log odds of praise."""
    counts = {label: Counter[str]() for label in LABELS}
    with path.open(encoding="utf-8", newline="\n") as file:
        for label, text in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if label in LABELS:
                counts[label].update(split_words(text))
    totals = {label: count.total() for label, count in counts.items()}
    negative, positive = (
        lambda word, label=label: np.log((counts[label][word] + 1) / totals[label]) for label in LABELS
    )
    return Counter({word: positive(word) - negative(word) for word in counts["neg"] | counts["pos"]})


def score_texts(model: Path, texts: Sequence[str]) -> np.ndarray:
    """Return the probability of each label, [n, 2]; zeros for a text of which no word is known."""
    predictor = load(model)
    if (task := predictor.card["task"]) != "text_classification":
        raise UsageError(f"{model} is an export of the task {task!r}, expected 'text_classification'.")
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # so that there is little padding
    scores = np.zeros((len(texts), len(LABELS)))
    for start in range(0, len(order), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        batch = tf.constant([texts[row] for row in rows])
        scores[rows] = predictor.signatures["serving_default"](text=batch)["scores"]
    return scores


def measure(settings: Measure) -> dict[str, float]:
    """Print a table of accuracies and calibration errors, and return the accuracies in percent."""
    sets: dict[str, list[Row]] = {}
    for name, source in (("reviews", settings.reviews), ("sentences", settings.sentences)):
        if source:
            sets[name] = read_rows(load_binary(source).test)
    sentences = read_sentences(settings.half)
    sets[f"short sentences, {settings.half}"] = [(sentence.label, sentence.text) for sentence in sentences]
    word_scores = train_naive_bayes(settings.train) if settings.train else None
    print(
        f"{settings.model}\n\n| texts | number | accuracy | ECE | bag of words |\n| --- | --: | --: | --: | --: |"
    )
    accuracies = {}
    for name, rows in sets.items():
        scores = score_texts(settings.model, [text for _, text in rows])
        is_positive = np.array([label == "pos" for label, _ in rows])
        is_right = (scores.max(1) > 0) & (scores.argmax(1) == is_positive)
        accuracies[name] = 100 * float(is_right.mean())
        ece = expected_calibration_error(scores.max(1).clip(0, 1), is_right)
        bag = "–"
        if word_scores is not None:
            log_odds = np.array([sum(word_scores[word] for word in split_words(text)) for _, text in rows])
            bag = f"{100 * np.mean((log_odds > 0) == is_positive):.1f} %"
        print(f"| {name} | {len(rows):,} | {accuracies[name]:.1f} % | {ece:.1f} % | {bag} |")
    return accuracies


def main() -> None:
    """Run a command with settings from the command line."""
    settings = tyro.cli(Prepare | Measure)
    if isinstance(settings, Prepare):
        prepare(settings)
    else:
        measure(settings)


if __name__ == "__main__":
    with exit_on_user_error():
        main()
