"""What a report needs to know about the splits: class frequencies, and test examples that are also in train."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.datasets import DataSplits, TaggingSplit
from zoo.datasets.splits import remove_punctuation
from zoo.display import ShortRepr
from zoo.preprocessing.text import normalize_texts

_BATCH_SIZE = 1024
_NUM_FRAMES = 8


@dataclass(frozen=True, eq=False, repr=False)
class SplitSummary(ShortRepr):
    """Class frequencies of the training examples, and the overlap of test with them.

    Attributes:
        frequencies: share of the training examples that have each class, float [classes].
        overlap: share of the test examples that are also in train, in percent.

    Example:
        >>> import numpy as np, zoo
        >>> summary = zoo.reports.SplitSummary(np.array([0.9, 0.1]), overlap=2.5)
        >>> summary.frequencies.shape, float(summary.frequencies.max())  # what always the same answer scores
        ((2,), 0.9)
    """

    frequencies: np.ndarray
    overlap: float


def summarize_texts(data: DataSplits[tf.data.Dataset]) -> SplitSummary:
    """Summarize splits of labeled texts.

    Texts that differ in case, punctuation and spaces only are the same.

    Args:
        data: pairs of a text and its class, as `zoo.datasets.load_text_classification` returns them.

    >>> train = tf.data.Dataset.from_tensor_slices((["Good!", "so bad", "worse"], [1, 0, 0]))
    >>> test = tf.data.Dataset.from_tensor_slices((["good", "well"], [1, 1]))
    >>> from zoo.datasets import DataInfo
    >>> summary = summarize_texts(DataSplits(train, test, test, DataInfo("", labels=("no", "yes"))))
    >>> summary.frequencies.round(2).tolist(), summary.overlap
    ([0.67, 0.33], 50.0)
    """
    keys, labels = _read_keys(data.train)
    test_keys, _ = _read_keys(data.test)
    counts = np.bincount(labels, minlength=len(data.info.labels))
    return SplitSummary(counts / counts.sum(), measure_overlap(keys, test_keys))


def summarize_tags(data: DataSplits[TaggingSplit]) -> SplitSummary:
    """Summarize splits of tagged sequences: the frequencies are those of time steps, the overlap of sequences.

    Sequences are the same if they have the same length and tags, and are equal at eight time steps.

    Example:
        >>> import numpy as np, zoo
        >>> from zoo.datasets import DataInfo, DataSplits, TaggingSplit
        >>> split = TaggingSplit(["a"], [np.zeros((4, 2), "float32")], [np.array([0, 0, 0, 1])], [np.arange(4.0)])
        >>> summary = zoo.reports.summarize_tags(DataSplits(split, split, split, DataInfo("", labels=("rest", "step"))))
        >>> summary.frequencies.tolist(), summary.overlap
        ([0.75, 0.25], 100.0)
    """
    tags = np.concatenate(data.train.tags)
    if not data.info.multi_label:
        tags = tags[:, None] == np.arange(len(data.info.labels))
    keys, test_keys = ([*map(_hash_sequence, s.sequences, s.tags)] for s in (data.train, data.test))
    return SplitSummary(tags.mean(0), measure_overlap(keys, test_keys))


def measure_overlap(train: Iterable[object], test: Iterable[object]) -> float:
    """Return the percentage of test examples that are also in train, from what identifies each example.

    >>> measure_overlap(["a", "b"], ["b", "c", "c", "b"])
    50.0
    """
    known = set(train)
    return 100 * float(np.mean([example in known for example in test]))


def measure_text_overlap(data: DataSplits[tf.data.Dataset]) -> float:
    """Return the percentage of test texts that are also in train.

    Args:
        data: pairs of a text and something else. Texts that differ in case, punctuation and spaces only are
            the same.

    Example:
        >>> import tensorflow as tf, zoo
        >>> from zoo.datasets import DataInfo, DataSplits
        >>> train = tf.data.Dataset.from_tensor_slices((["One.", "two"], ["eins", "zwei"]))
        >>> test = tf.data.Dataset.from_tensor_slices((["one", "three"], ["eins", "drei"]))
        >>> zoo.reports.measure_text_overlap(DataSplits(train, test, test, DataInfo("")))
        50.0
    """
    return measure_overlap(*(_read_keys(split)[0] for split in (data.train, data.test)))


def hash_texts(texts: tf.Tensor) -> tf.Tensor:
    """Return a hash, int64 [n], that texts share if they differ in case, punctuation and spaces only."""
    words = remove_punctuation(tf.strings.lower(normalize_texts(texts), "utf-8"))
    return tf.strings.to_hash_bucket_fast(words, 2**62)


def read_first_texts(split: tf.data.Dataset, count: int = 2) -> list[str]:
    """Return the first text of each class, of up to `count` classes, from pairs of a text and its class.

    Example:
        >>> import tensorflow as tf, zoo
        >>> pairs = tf.data.Dataset.from_tensor_slices((["bad", "good", "fine"], [0, 1, 1]))
        >>> zoo.reports.read_first_texts(pairs)
        ['bad', 'good']
    """
    texts: dict[int, str] = {}
    for batch, labels in split.batch(_BATCH_SIZE).as_numpy_iterator():
        for text, label in zip(batch.tolist(), labels.tolist(), strict=True):
            texts.setdefault(label, text.decode(errors="replace"))
            if len(texts) == count:
                return list(texts.values())
    return list(texts.values())


def describe_texts(split: tf.data.Dataset, rows: Sequence[int]) -> list[dict[str, str]]:
    """Return the texts of some examples of a split of pairs of a text and its class, as columns of a table.

    Example:
        >>> import tensorflow as tf, zoo
        >>> pairs = tf.data.Dataset.from_tensor_slices((["bad", "good", "fine"], [0, 1, 1]))
        >>> zoo.reports.describe_texts(pairs, [2])
        [{'text': 'fine'}]
    """
    wanted, texts = set(rows), {}
    for start, (batch, _) in enumerate(split.batch(_BATCH_SIZE).as_numpy_iterator()):
        for row in wanted.intersection(range(start * _BATCH_SIZE, start * _BATCH_SIZE + len(batch))):
            texts[row] = batch[row % _BATCH_SIZE].decode(errors="replace")
    return [{"text": texts[row]} for row in rows]


def describe_steps(split: TaggingSplit, rows: Sequence[int]) -> list[dict[str, object]]:
    """Return sequence, step and time of some steps, counted over all sequences, as columns of a table.

    Example:
        >>> import numpy as np, zoo
        >>> frames, tags, times = np.zeros((4, 2), "float32"), np.zeros(4, "int32"), np.arange(4) / 25
        >>> split = zoo.datasets.TaggingSplit(["a", "b"], [frames] * 2, [tags] * 2, [times] * 2)
        >>> zoo.reports.describe_steps(split, [5])
        [{'sequence': 'b', 'step': 1, 'time': '0.04'}]
    """
    starts = np.cumsum([0, *map(len, split.tags)])
    sequences = [int(np.searchsorted(starts, row, side="right")) - 1 for row in rows]
    return [
        {
            "sequence": split.names[i],
            "step": int(row - starts[i]),
            "time": f"{split.times[i][row - starts[i]]:.6g}",
        }
        for row, i in zip(rows, sequences, strict=True)
    ]


def _read_keys(split: tf.data.Dataset) -> tuple[list[int], list[Any]]:
    """Return the hash of each text, and what comes with it."""
    keys, others = [], []
    for batch_keys, batch in split.batch(_BATCH_SIZE).map(lambda x, y: (hash_texts(x), y)):
        keys += batch_keys.numpy().tolist()
        others += batch.numpy().tolist()
    return keys, others


def _hash_sequence(sequence: np.ndarray, tags: np.ndarray) -> bytes:
    steps = np.linspace(0, len(sequence) - 1, min(len(sequence), _NUM_FRAMES)).astype(int)
    parts = (np.ascontiguousarray(sequence[steps]), np.ascontiguousarray(tags))
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()
