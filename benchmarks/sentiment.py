"""Long and short texts for the sentiment recipe to learn from, and how right a model is of the short ones.

python benchmarks/sentiment.py prepare --reviews imdb_reviews --sentences glue/sst2 --folder reviews
python benchmarks/sentiment.py measure --sentences glue/sst2 --model saved_models/sentiment/1

A model of reviews of 230 words is at a loss with one sentence. So `prepare` mixes, as TSV files for the
recipe's `--dataset`:

    train         the reviews; the last sentence of each, if it has 3 to 25 words, with the label of the
                  whole, which fits more often than not; the sentences, twice; and the embedded `negation`,
                  for "not" to be heard
    validation    reviews and sentences that are in no other split
    test          the test reviews alone, so that the figure is that of the reviews

Both sets are whatever the recipe takes, of two labels, the negative one first. `measure` says how many of the
test sentences a model has right; none of them is in a split above.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import DataError, UsageError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
import tyro

from zoo.datasets import DataSplits, load_text_classification
from zoo.serving.model_store import saved

LABELS = ("neg", "pos")
WORDS = range(3, 26)  # of a last sentence that is a text of its own

Row = tuple[str, str]
"""A label and a text."""


@dataclass(frozen=True)
class Prepare:
    """Mix reviews and sentences."""

    reviews: str  # a TFDS name or a path
    sentences: str  # likewise
    folder: Path  # where the TSV files go


@dataclass(frozen=True)
class Measure:
    """Count the test sentences that a model has right."""

    sentences: str  # a TFDS name or a path
    model: Path = Path("saved_models/sentiment/1")  # an export of recipes/sentiment.py


def texts_of(name: str) -> DataSplits[tf.data.Dataset]:
    """A set of two labels."""
    found = load_text_classification(name)
    if len(found.info.labels) != len(LABELS):
        raise UsageError(
            f"{name} has the labels {', '.join(found.info.labels)}; expected two, negative first."
        )
    return found


def rows_of(split: tf.data.Dataset) -> list[Row]:
    """Labels and texts, each text on one line."""
    texts = ((int(label), text.decode("utf-8", "replace")) for text, label in split.as_numpy_iterator())
    return [(LABELS[label], " ".join(text.split())) for label, text in texts]


def last_sentences(rows: Iterable[Row]) -> Iterator[Row]:
    """Of each text that has several sentences the last one, if it is of a fitting length."""
    for label, text in rows:
        sentences = re.split(r"(?<=[.!?])\s+", re.sub(r"<br\s*/?>", " ", text).strip())
        if len(sentences) > 1 and len(sentences[-1].split()) in WORDS:
            yield label, sentences[-1]


def prepare(settings: Prepare) -> None:
    """Write the three files."""
    reviews, sentences = texts_of(settings.reviews), texts_of(settings.sentences)
    long, short = rows_of(reviews.train), rows_of(sentences.train)
    negation = rows_of(texts_of("negation").train)
    splits = {
        "train": [*long, *last_sentences(long), *short, *short, *negation],
        "validation": rows_of(reviews.validation) + rows_of(sentences.validation),
        "test": rows_of(reviews.test),
    }
    settings.folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        file = settings.folder / f"{split}.tsv"
        lines = ("\t".join(row) for row in [("label", "text"), *rows])
        file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        print(f"{file}  {len(rows):,} texts")
    print(f"\nnext: python recipes/sentiment.py --dataset {settings.folder}")


def measure(settings: Measure) -> float:
    """Print and give the share of sentences that are right, in percent."""
    sentences, model = texts_of(settings.sentences), saved(settings.model, "label")
    serve, right, count = model.signatures["serving_default"], 0, 0
    for texts, labels in sentences.test.batch(64):
        said = serve(text=texts)
        right += int(tf.reduce_sum(tf.cast(tf.argmax(said["scores"], -1) == labels, tf.int32)))
        count += len(texts)
    print(f"{settings.model}: {100 * right / count:.1f} % of {count:,} sentences right")
    return 100 * right / count


if __name__ == "__main__":
    try:
        asked = tyro.cli(Prepare | Measure)
        prepare(asked) if isinstance(asked, Prepare) else measure(asked)
    except (DataError, UsageError) as error:
        sys.exit(f"error: {error}")
