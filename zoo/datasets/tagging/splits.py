"""Sequences in three splits, each as it was read, with tags in words, and then as it is given."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.datasets.records import TaggingSplit
from zoo.datasets.tfds_catalog import some
from zoo.errors import DataError
from zoo.files import natural_sort_key
from zoo.preprocessing.video import VIDEO_FILE_PATTERN

_FEW = 5  # steps: a label that has fewer may be a slip of the pen
_EVERY = (("test", 3, "third sequence"), ("validation", 4, "fourth remaining sequence"))


class ReadSequence(NamedTuple):
    """A sequence as it was read, with the tags of each step."""

    name: str
    values: np.ndarray
    tags: list[tuple[str, ...]]
    times: np.ndarray


Splits = dict[str, list[ReadSequence]]


def without_ending(name: str) -> str:
    """The name of a sequence that is a video."""
    return re.sub(VIDEO_FILE_PATTERN, "", name, flags=re.IGNORECASE)


def by_name(named: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """What sequences are read from, by their names, which must differ."""
    found: dict[str, Path] = {}
    for name, path in named:
        if name in found:
            raise DataError(f"{found[name]} and {path} would have the same name. Rename or remove one.")
        found[name] = path
    return found


def hold_out(splits: Splits, chosen: dict[str, Sequence[str]], source: str) -> list[str]:
    """Takes the splits that are missing out of train: those chosen by name, else every so many.

    Returns:
        A note on each split that nobody chose.
    """
    known = {own.name: own for own in sorted(splits["train"], key=lambda own: natural_sort_key(own.name))}
    for split, given in chosen.items():
        names = dict.fromkeys(map(without_ending, given))
        if names and split in splits:
            raise DataError(f"{source} has a {split} split of its own. Leave out --{split}.")
        if unknown := [name for name in names if name not in known]:
            raise DataError(
                f"--{split}: there is no sequence {some(unknown)} to hold out. Choose among "
                f"{', '.join(known)}."
            )
        if names:
            splits[split] = [known.pop(name) for name in names]
    train, notes = list(known.values()), []
    for split, every, said in _EVERY:
        if split not in splits:
            splits[split] = train[every - 1 :: every]
            del train[every - 1 :: every]
            notes.append(f"{split} is every {said}, in natural order.")
    splits["train"] = train
    if empty := [split for split, sequences in splits.items() if not sequences]:
        raise DataError(
            f"{source}: too few sequences, none is left for {' and '.join(empty)}. Expected 5 at least, or 3 "
            "with two of them named by --test and --validation. Add some."
        )
    return notes


def oddities(splits: Splits, labels: tuple[str, ...]) -> list[str]:
    """A note on each label that hardly occurs, or not where it is to be learnt, and on steps without any."""
    everything = [sequence for sequences in splits.values() for sequence in sequences]
    counts = Counter(
        (tag, sequence.name) for sequence in everything for tags in sequence.tags for tag in set(tags)
    )
    learnt = {tag for sequence in splits["train"] for tags in sequence.tags for tag in tags}
    notes = []
    for label in labels:
        where = {name: count for (tag, name), count in counts.items() if tag == label}
        total = sum(where.values())
        if 0 < total < _FEW:
            notes.append(
                f"Only {total} of the frames bear{'s' if total == 1 else ''} the label {label}: is it meant, "
                f"in {some(list(where))}?"
            )
        if label not in learnt:
            notes.append(f"No sequence for training has the label {label}.")
    if bare := sum(sequence.tags.count(()) for sequence in everything):
        notes.append(f"{bare:,} frames bear no label.")
    return notes


def tagged(sequences: list[ReadSequence], labels: tuple[str, ...], multi_label: bool) -> TaggingSplit:
    """The sequences of a split, with positions in the labels for tags."""
    places = {label: place for place, label in enumerate(labels)}

    def encoded(sequence: ReadSequence) -> np.ndarray:
        borne = np.zeros((len(sequence.tags), len(labels)), bool)
        for step, tags in enumerate(sequence.tags):
            borne[step, [places[tag] for tag in tags]] = True
            if not multi_label and len(set(tags)) != 1:
                raise DataError(
                    f"{sequence.name}, frame {step}: expected one tag, found {' and '.join(tags) or 'none'}. "
                    "Correct it, or say by --multi-label that a frame may bear several tags, or none."
                )
        return borne if multi_label else borne.argmax(axis=1).astype(np.int32)

    names, values, _, times = map(list, zip(*sequences, strict=True))
    return TaggingSplit(names, values, list(map(encoded, sequences)), times)
