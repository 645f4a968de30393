"""Mix reviews and sentences into one text for the language model recipe.

python benchmarks/language_text.py --reviews imdb_reviews --pairs deu-eng.zip --output text.txt

The text consists of the training and validation reviews, never test reviews, and of the sources of all pairs of
sentences. Each review and each sentence is a paragraph of one line; an empty line follows. Their spelling stays as it
is; runs of white space and tags `<br />` become one space. A text that differs from one before in case and punctuation
only is left out, so no text of the last tenth, which is for validation and test, is in the training part. The order is
random, with a fixed seed: all parts of the text have the same mixture.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import tyro

from zoo.cli.errors import exit_on_user_error
from zoo.datasets import load_text_classification, load_translation
from zoo.datasets.splits import normalize_source
from zoo.datasets.translation import read_pairs

SEED = 1


@dataclass(frozen=True)
class Settings:
    """Mix reviews and sentences."""

    reviews: str  # a TFDS name or a path, as the sentiment recipe reads it
    pairs: str  # pairs of sentences, as the translation recipe reads them; the sources are used
    output: Path  # the text file


def read_reviews(name: str) -> list[str]:
    """Return the reviews of the training and validation splits."""
    splits = load_text_classification(name)
    reviews = (text for split in (splits.train, splits.validation) for text, _ in split.as_numpy_iterator())
    return [re.sub(r"<br\s*/?>", " ", review.decode("utf-8", "replace")) for review in reviews]


def read_sentences(name: str) -> list[str]:
    """Return the sources of all pairs."""
    splits = load_translation(name)
    return [
        source for split in (splits.train, splits.validation, splits.test) for source in read_pairs(split)[0]
    ]


def remove_duplicates(texts: Iterable[str]) -> list[str]:
    """Return texts in one line each, without those that differ from one before in case and punctuation only.

    >>> remove_duplicates(["Hi!", "a  b", "hi", "", "a c"])
    ['Hi!', 'a b', 'a c']
    """
    lines = [line for line in (" ".join(text.split()) for text in texts) if line]
    first: dict[str, str] = {}
    for start in range(0, len(lines), 1024):
        batch = lines[start : start + 1024]
        for key, line in zip(normalize_source(batch), batch, strict=True):
            first.setdefault(key, line)
    return list(first.values())


def run(settings: Settings) -> None:
    """Write the text, and print how much there is of each kind."""
    reviews, sentences = read_reviews(settings.reviews), read_sentences(settings.pairs)
    texts = remove_duplicates([*reviews, *sentences])
    random.Random(SEED).shuffle(texts)
    settings.output.parent.mkdir(parents=True, exist_ok=True)
    settings.output.write_text("".join(f"{text}\n\n" for text in texts), encoding="utf-8", newline="\n")
    words = sum(len(text.split()) for text in texts)
    print(
        f"{len(reviews):,} reviews and {len(sentences):,} sentences, of which {len(texts):,} differ: {words:,} words "
        f"in {settings.output}\n\nnext: zoo train language_model --dataset {settings.output}"
    )


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
