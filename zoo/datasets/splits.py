"""Splits: their names in files, and the rules by which missing ones are held out of the training examples.

A data set without a validation or test split gets it from its training examples, by one rule for each kind of
example. The choice is the same in every run and on every machine.

| examples | held out for each missing split |
| --- | --- |
| labeled texts | a tenth, by a hash of the text |
| images and videos with captions | a tenth, by a hash of the name |
| images and videos as footage | a tenth, by a hash of the file name |
| pairs of sentences | a fiftieth, by a hash of the words of the source sentence |
| sequences with tags | every third for test, every fourth of the rest for validation, in natural order |
| one long text | its end: 5 % of the words for validation, then 5 % for test |

So equal texts, all captions of an image and all translations of a sentence are in the same split.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import tensorflow as tf

from zoo.datasets.messages import abbreviate
from zoo.errors import DataError
from zoo.files import natural_sort_key
from zoo.preprocessing.text import normalize_texts

T = TypeVar("T")

SPLITS = ("train", "validation", "test")

SPLIT_NAMES = {"train": "train", "validation": "validation|valid|val|dev", "test": "test"}
"""Names of each split in files and directories, as a regular expression."""


def find_missing_splits(splits: Iterable[str]) -> list[str]:
    """Return the splits that are not among the given ones, in the order of `SPLITS`."""
    present = set(splits)
    return [split for split in SPLITS if split not in present]


def find_split_names(
    names: Iterable[str], location: str, prefix: str = "", suffix: str = ""
) -> dict[str, str]:
    """Find the names that stand for splits.

    Args:
        names: names of files, directories or TFDS splits.
        location: where they are, for the message.
        prefix: a regular expression for what precedes the name of the split.
        suffix: a regular expression for what follows it.

    Returns:
        The name of each split that has one.

    Raises:
        DataError: a split has several names.
    """
    split_names: dict[str, str] = {}
    names = sorted(names)
    for split, pattern in SPLIT_NAMES.items():
        matches = [name for name in names if re.fullmatch(f"{prefix}({pattern}){suffix}", name)]
        if len(matches) > 1:
            raise DataError(
                f"{location}: found {' and '.join(matches)} for the {split} split. Expected one of them. "
                "Remove or rename the others."
            )
        if matches:
            split_names[split] = matches[0]
    return split_names


# Texts, images, videos and pairs: by a hash.


@dataclass(frozen=True)
class HashRule:
    """Assigns an example to a split by a hash of its key.

    Attributes:
        num_buckets: number of buckets over which the hash distributes keys.
        buckets: bucket of each split that is held out. Keys in other buckets are for training.
    """

    num_buckets: int
    buckets: Mapping[str, int]

    def is_in_split(self, split: str, keys: tf.Tensor) -> tf.Tensor:
        """Return for keys, string `[examples]`, whether their examples are in a split, bool `[examples]`."""
        bucket = tf.strings.to_hash_bucket_fast(keys, self.num_buckets)
        if split in self.buckets:
            return bucket == self.buckets[split]
        held_out = [bucket == other for other in self.buckets.values()]
        return ~tf.reduce_any(held_out, axis=0) if held_out else tf.ones_like(bucket, tf.bool)

    def select(self, split: str, examples: Iterable[T], keys: Sequence[str]) -> list[T]:
        """Return the examples of a split, in their order."""
        encoded = [key.encode(errors="surrogatepass") for key in keys]  # names of files may be no text
        selected = self.is_in_split(split, tf.constant(encoded, tf.string)).numpy()
        return list(itertools.compress(examples, selected))


def make_tenths_rule(missing: Sequence[str]) -> HashRule:
    """Return the rule for texts, by their text, and for images and videos with captions, by their name.

    Args:
        missing: the splits to hold out.
    """
    return HashRule(10, {split: bucket for bucket, split in enumerate(missing)})


FOOTAGE_RULE = HashRule(10, {"test": 0, "validation": 1})
"""The rule for files of footage, by their name."""


def make_pairs_rule(missing: Sequence[str]) -> HashRule:
    """Return the rule for pairs of sentences, by `normalize_source`.

    A split has the same bucket in every set, so that sets that are combined hold out the same sources.

    Args:
        missing: the splits to hold out.
    """
    buckets = {"validation": 0, "test": 1}
    return HashRule(50, {split: buckets[split] for split in missing})


def normalize_source(sentences: Sequence[str]) -> list[str]:
    """Return for each sentence a key that sentences share if they differ in case and punctuation only."""
    folded = normalize_texts([sentence.casefold() for sentence in sentences] or tf.zeros([0], tf.string))
    return [key.decode() for key in remove_punctuation(folded).numpy().tolist()]


def remove_punctuation(texts: tf.Tensor) -> tf.Tensor:
    """Return the words of texts, string [n], with one space between them; a text without words as it is."""
    words = tf.strings.strip(tf.strings.regex_replace(texts, r"[^\p{L}\p{M}\p{N}]+", " "))
    return tf.where(words == "", texts, words)


# Sequences: by name, or every n-th.

_INTERVALS = (("test", 3, "third sequence"), ("validation", 4, "fourth remaining sequence"))


def hold_out_sequences(
    names: Iterable[str], missing: Sequence[str], chosen: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], list[str]]:
    """Hold sequences out of training.

    Args:
        names: names of the training sequences.
        missing: the splits to hold out.
        chosen: names that the user chose for some of these splits; the rule decides the others.

    Returns:
        The names of each missing split and of those left for training, in natural order; and a note on each
        split that the rule decided.

    Raises:
        DataError: a chosen name is unknown or is in two splits.
    """
    left = sorted(names, key=natural_sort_key)
    splits, notes = {}, []
    for split, chosen_names in chosen.items():
        if unknown := [name for name in chosen_names if name not in left]:
            raise DataError(
                f"--{split}: there is no sequence {abbreviate(unknown)} to hold out. Choose among "
                f"{', '.join(left)}."
            )
        splits[split] = list(chosen_names)
        left = [name for name in left if name not in chosen_names]
    for split, interval, description in _INTERVALS:
        if split in missing and split not in splits:
            splits[split] = left[interval - 1 :: interval]
            del left[interval - 1 :: interval]
            notes.append(f"{split} is every {description}, in natural order.")
    return {**splits, "train": left}, notes


# A long text: by position.


def split_by_position(passages: list[T], lengths: Sequence[int]) -> dict[str, list[T]]:
    """Split the passages of a text: the first 90 % for training, then 5 % for validation and 5 % for test.

    Args:
        passages: the passages, in the order of the text.
        lengths: number of words of each. No passage is cut.
    """
    ends = np.cumsum(lengths)
    limits = [round(fraction * sum(lengths)) for fraction in (0, 0.9, 0.95, 1)]
    parts = itertools.pairwise(np.searchsorted(ends, limits, side="right").tolist())
    return {split: passages[start:end] for split, (start, end) in zip(SPLITS, parts, strict=True)}
