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

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import tensorflow as tf
import tyro

from zoo.datasets import DataSplits, load_text_classification
from zoo.errors import UsageError, ZooError
from zoo.serving.loading import load

LABELS = ("neg", "pos")
SENTENCE_WORDS = range(3, 26)  # of a review's last sentence that becomes a text of its own

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


def extract_last_sentences(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the last sentence of each text that has several, if its length is in `SENTENCE_WORDS`."""
    for label, text in rows:
        sentences = re.split(r"(?<=[.!?])\s+", re.sub(r"<br\s*/?>", " ", text).strip())
        if len(sentences) > 1 and len(sentences[-1].split()) in SENTENCE_WORDS:
            yield label, sentences[-1]


def prepare(settings: Prepare) -> None:
    """Write train.tsv, validation.tsv and test.tsv."""
    reviews, sentences = load_binary(settings.reviews), load_binary(settings.sentences)
    review_rows, sentence_rows = read_rows(reviews.train), read_rows(sentences.train)
    negation_rows = read_rows(load_binary("negation").train)
    last_sentences = extract_last_sentences(review_rows)
    splits = {
        "train": [*review_rows, *last_sentences, *sentence_rows, *sentence_rows, *negation_rows],
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
