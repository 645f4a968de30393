"""The one shape in which every loader returns data: `DataSplits`, and the splits that are not `tf.data`."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress, islice
from pathlib import PurePath
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from zoo.datasets.fingerprint import DataSources
from zoo.display import ShortRepr, format_html_table, format_repr

SplitT = TypeVar("SplitT")

_NUM_SHOWN = 3
"""Examples of each split that a notebook shows."""

_MAX_COUNTED = 100_000
"""Examples up to which a notebook states the number of a split that has to be read for it."""

_Preview = tuple[int | str, dict[str, list[str | int]]]
"""Number of examples of a split, and columns with the first of them, by name."""


@dataclass(frozen=True, repr=False)
class DataInfo(ShortRepr):
    """Where data come from and what they contain.

    Attributes:
        source: TFDS name with configuration and version, or the path; of several sets joined by " + ".
        license: license as TFDS states it; empty if it states none.
        citation: publication to cite, as TFDS states it; empty if it states none.
        labels: names of the classes, in the order of their ids; empty if examples have no class.
        notes: how the splits were made, what was left out and what looks wrong, one sentence each.
        languages: of source and target, in sets for translation; otherwise that of the texts, in embedded sets. `None`
            if it is not known.
        is_video: whether examples are videos, uint8 `[time, height, width, 3]`.
        multi_label: whether a time step may have several labels, or none.
        is_redistributable: whether a model card may show examples: of embedded sets, and of TFDS sets whose
            license permits it. Never of a user's files.
        is_generated: whether all examples are generated, as those of embedded sets. Real ones take longer to learn.
        sources: the files that were read, by which a run notices other data.

    Example:
        >>> import zoo
        >>> zoo.datasets.DataInfo("reviews.csv", labels=("negative", "positive")).labels
        ('negative', 'positive')
    """

    source: str
    license: str = ""
    citation: str = ""
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    languages: tuple[str, ...] | None = None
    is_video: bool = False
    multi_label: bool = False
    is_redistributable: bool = False
    is_generated: bool = False
    sources: DataSources = field(default_factory=DataSources, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sets: of a TFDS set without configuration and version, of files without directories.

        >>> DataInfo("imdb_reviews/plain_text/1.0.0 + data/reviews.csv").names
        ('imdb_reviews', 'reviews.csv')
        """
        parts = [part for part in re.split(r" \+ |, ", self.source) if part]
        return tuple(
            part.split("/")[0] if re.fullmatch(r"\w+(/[^/]+)?/\d+\.\d+\.\d+", part) else PurePath(part).name
            for part in parts
        )


@dataclass(frozen=True, repr=False)
class DataSplits(ShortRepr, Generic[SplitT]):
    """A data set in three splits of one type. A notebook shows it as a table, with the first examples of each.

    >>> splits = DataSplits(["one", "two"], ["three"], ["four"], DataInfo("count.txt"))
    >>> len(splits.train), splits.info.source
    (2, 'count.txt')

    Attributes:
        train: examples for training.
        validation: examples for choosing a model.
        test: examples for the final score.
        info: source, license, citation, labels and notes.
    """

    train: SplitT
    validation: SplitT
    test: SplitT
    info: DataInfo

    def _repr_html_(self) -> str:
        rows: list[list[str | int]] = []
        names: list[str] = []
        for name in ("train", "validation", "test"):
            count, columns = _preview_split(getattr(self, name), self.info)
            names = list(columns)
            for index, cells in enumerate(zip(*columns.values(), strict=True)):
                start = ["", ""] if index else [name, count]
                rows.append([*start, *cells])
        caption = ", ".join(filter(None, (self.info.source, self.info.license)))
        return format_html_table(["split", "examples", *names], rows, caption)


@dataclass(frozen=True, repr=False)
class CaptioningSplit(ShortRepr):
    """Images or videos with their captions.

    Attributes:
        names: name of each image or video.
        captions: captions of each, at least one.
        read_inputs: returns an iterator over the encoded images (bytes) or the videos (uint8
            `[time, height, width, 3]`) in the order of `names`, a new one at each call. An image that cannot
            be read is empty, a video that cannot be read has no frames.

    Example:
        >>> import zoo
        >>> split = zoo.datasets.CaptioningSplit(["a.png"], [("a dog", "a brown dog")], lambda: iter([b"content"]))
        >>> split.captions[0]
        ('a dog', 'a brown dog')
    """

    names: list[str]
    captions: list[tuple[str, ...]]
    read_inputs: Callable[[], Iterator[bytes | np.ndarray]]

    def _preview(self, info: DataInfo) -> _Preview:
        """Return the number of images or videos, and name and captions of the first."""
        captions: list[str | int] = [" | ".join(texts) for texts in self.captions[:_NUM_SHOWN]]
        return len(self.names), {"name": list(self.names[:_NUM_SHOWN]), "captions": captions}


@dataclass(frozen=True, repr=False)
class TaggingSplit(ShortRepr):
    """Sequences with a tag at each time step.

    Attributes:
        names: name of each sequence.
        sequences: frames uint8 `[time, height, width, 3]`, which may be mapped from a file, or features
            float32 `[time, features]`, of each sequence.
        tags: ids of labels, int32 `[time]`, of each sequence; with several labels a time step, bool
            `[time, labels]`.
        times: time of each step, float64 `[time]`, of each sequence: seconds for videos, the unit of the file
            for features that have times, otherwise the number of the step.

    Example:
        >>> import numpy as np, zoo
        >>> features, tags, times = np.ones((4, 2), "float32"), np.zeros(4, "int32"), np.arange(4.0)
        >>> split = zoo.datasets.TaggingSplit(["walk"], [features], [tags], [times])
        >>> split.sequences[0].shape, split.tags[0].shape
        ((4, 2), (4,))
    """

    names: list[str]
    sequences: list[np.ndarray]
    tags: list[np.ndarray]
    times: list[np.ndarray]

    def _preview(self, info: DataInfo) -> _Preview:
        """Return the number of sequences, and of the first name, shape and the labels that occur."""
        shown = slice(_NUM_SHOWN)
        labels: list[str | int] = []
        for tags in self.tags[shown]:
            ids = np.unique(tags) if tags.ndim == 1 else np.flatnonzero(tags.any(0))
            labels.append(", ".join(info.labels[i] for i in ids))
        return len(self.names), {
            "name": list(self.names[shown]),
            "sequence": [_format_array(sequence) for sequence in self.sequences[shown]],
            "labels": labels,
        }


class ClozeSet(NamedTuple):
    """Texts whose next word is to be predicted; the two texts of a pair follow each other.

    Attributes:
        texts: each text without its last word.
        next_words: the last word of each text.
        distances: number of words between the end of each text and the nearer clue, int `[texts]`.

    Example:
        >>> import numpy as np, zoo
        >>> texts = zoo.datasets.ClozeSet(["I speak", "You speak"], ["German", "French"], np.array([2, 9]))
        >>> texts.select(texts.distances > 5).next_words
        ['French']
    """

    texts: list[str]
    next_words: list[str]
    distances: np.ndarray

    def __repr__(self) -> str:
        return format_repr(self, self._fields)

    def _preview(self, info: DataInfo) -> _Preview:
        """Return the number of texts, and the first with their next words and distances."""
        return len(self.texts), {
            "text": list(self.texts[:_NUM_SHOWN]),
            "next word": list(self.next_words[:_NUM_SHOWN]),
            "distance": self.distances[:_NUM_SHOWN].tolist(),
        }

    def select(self, is_selected: np.ndarray) -> "ClozeSet":
        """Return the texts for which a bool array [texts] is true."""
        texts, next_words = (list(compress(column, is_selected)) for column in (self.texts, self.next_words))
        return ClozeSet(texts, next_words, self.distances[is_selected])


def sort_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return each label once, sorted by value if all are integers, otherwise as text.

    >>> sort_labels(["10", "9", "10"])
    ('9', '10')
    """
    names = sorted(set(labels))
    with contextlib.suppress(ValueError):
        names.sort(key=int)
    return tuple(names)


def count_examples(split: tf.data.Dataset) -> int:
    """Return the number of examples of a split, which is read if `tf.data` does not know it.

    Args:
        split: a finite dataset, as `load_text_classification` and `load_translation` return it.

    Example:
        >>> import tensorflow as tf, zoo
        >>> zoo.datasets.count_examples(tf.data.Dataset.range(9).filter(lambda k: k > 3))
        5
    """
    count = int(split.cardinality())
    return count if count >= 0 else int(split.reduce(np.int64(0), lambda count, *_: count + 1))


def _preview_split(split: Any, info: DataInfo) -> _Preview:
    """Return the number of examples of a split, and the first of them in columns."""
    if isinstance(split, CaptioningSplit | TaggingSplit | ClozeSet):
        return split._preview(info)
    if not isinstance(split, tf.data.Dataset):
        return len(split), {"example": [str(example) for example in split[:_NUM_SHOWN]]}
    examples = [
        example if isinstance(example, tuple) else (example,)
        for example in islice(split.as_numpy_iterator(), _NUM_SHOWN)
    ]
    columns = list(zip(*examples, strict=True))
    names = ["source", "target"] if len(columns) == 2 and not info.labels else ["text", "label"]
    cells = [[_format_value(value, info) for value in column] for column in columns]
    return _count(split), dict(zip(names, cells, strict=False))


def _count(split: tf.data.Dataset) -> int | str:
    if split.cardinality() >= 0:
        return count_examples(split)
    count = count_examples(split.take(_MAX_COUNTED + 1))
    return count if count <= _MAX_COUNTED else f"over {_MAX_COUNTED:,}"


def _format_value(value: Any, info: DataInfo) -> str | int:
    """Return a text, the name of a label, or what an array is."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if np.ndim(value):
        return _format_array(np.asarray(value))
    return info.labels[value] if info.labels else int(value)


def _format_array(array: np.ndarray) -> str:
    return f"{array.dtype} [{', '.join(map(str, array.shape))}]"
