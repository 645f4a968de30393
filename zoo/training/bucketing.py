"""BucketedDataset of sequences of like length, so that little is padding, in an order that the epoch determines."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.files import whole

_RATIOS = (2, 1.5, 1.25, 1.12, 1.06, 1.03, 1)
"""Of the longest to the shortest in a bucket, the coarsest first; 1 makes a bucket of each length."""

_END = b"end"


@dataclass(frozen=True, eq=False)
class BucketedDataset:
    """The batches of each epoch, and what is known of them in advance.

    Attributes:
        epoch: gives the batches of an epoch, counted from 0, as a dataset of known cardinality. It depends on
            nothing but the seed and the epoch, so a new process reads the same.
        examples: their number; each comes once an epoch.
        batches: their number in an epoch.
        sizes: the numbers of examples that a batch may have, ascending.
        padding: in no epoch is the share of padding in all steps greater.
    """

    epoch: Callable[[int], tf.data.Dataset]
    examples: int
    batches: int
    sizes: tuple[int, ...]
    padding: float

    def __str__(self) -> str:
        return (
            f"{self.examples:,} examples in {self.batches:,} batches of up to {self.sizes[-1]:,}, "
            f"at most {np.ceil(1000 * self.padding) / 10:.1f} % of the steps padding"
        )


def batches(
    examples: tf.data.Dataset,
    batch_size: int | None = None,
    tokens: int | None = None,
    padding: float = 0.1,
    seed: int | None = None,
    cache: Path | None = None,
) -> BucketedDataset:
    """Batch examples with others of like length, by the plan of `bucketed`, whose options these are.

    Args:
        examples: one each, in any structure. Components whose first dimension is unknown are sequences, such
            as ids [time] or features [time, d], and it is their length. Read once, into memory.
        batch_size: examples in a batch; either this or `tokens`.
        tokens: bound on the steps of a batch.
        padding: bound on the share of padding.
        seed: of the order, another one in each epoch; None keeps one order.
        cache: a file that keeps the examples, to read them from the next time. If it is damaged or of another
            structure it is made anew; that it is of the same examples is for the caller to see to.

    Returns:
        BucketedDataset of the same structure: components [batch, ...], and sequences [batch, time, ...] padded with
        zeros or empty strings to the longest of the batch, to one step at least.

    Raises:
        ValueError: `examples` has no end, or a dimension other than the first is unknown; or as `bucketed`.

    >>> texts = tf.ragged.constant([[1, 2, 3], [4], [5, 6, 7], [8]])
    >>> examples = tf.data.Dataset.range(4).map(lambda k: (texts[k], k))
    >>> print(found := batches(examples, batch_size=2))
    4 examples in 2 batches of up to 2, at most 0.0 % of the steps padding
    >>> [(ids.tolist(), labels.tolist()) for ids, labels in found.epoch(0).as_numpy_iterator()]
    [([[4], [8]], [1, 3]), ([[1, 2, 3], [5, 6, 7]], [0, 2])]
    """
    stored = _stored(examples, cache)
    components = tf.nest.flatten(stored)
    columns = [c.row_lengths().numpy() for c in components if isinstance(c, tf.RaggedTensor)]
    lengths = np.unique(columns, axis=0).T if columns else np.ones(len(components[0]), int)
    plan = bucketed(lengths, batch_size, tokens, padding, seed)

    def rows(keys: tf.Tensor) -> Any:
        def component(values: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
            chosen = tf.gather(values, keys)
            if isinstance(chosen, tf.RaggedTensor):
                chosen = chosen.to_tensor(shape=tf.maximum(chosen.bounding_shape(), 1))
            return chosen

        return tf.nest.map_structure(component, stored)

    def epoch(number: int) -> tf.data.Dataset:
        found = plan.epoch(number).map(rows, 2, deterministic=True)
        return without_autotune(found.prefetch(2))

    return replace(plan, epoch=epoch)


def bucketed(
    lengths: np.ndarray,
    batch_size: int | None = None,
    tokens: int | None = None,
    padding: float = 0.1,
    seed: int | None = None,
) -> BucketedDataset:
    """Plan batches of like length, as keys: for data too large for memory, to be read by a `map` of yours.

    Examples are shuffled, sorted by bucket, and cut into batches; what is left of a bucket goes with the
    next one. So each comes once, and one batch of an epoch at most is smaller than it could be. Lengths in a
    bucket are alike within a ratio, the coarsest that keeps the bound on padding even if every batch were as
    long as its buckets allow: the coarser, the more the batches differ from epoch to epoch.

    Args:
        lengths: [n], or [n, k] for examples of several sequences, such as source and target.
        batch_size: examples in a batch; either this or `tokens`.
        tokens: rows times the longest sequence of a batch is never more; of several sequences the longer one
            counts, as in fairseq. Batch sizes are then 1, 2, 3, 4, 6, 8, 12, 16 and so on: few, for XLA.
        padding: bound on the share of padding in the steps of an epoch. If it cannot be kept, because
            examples are few, the plan with the least is taken; see `BucketedDataset.padding`.
        seed: shuffle examples and batches, in each epoch differently. None keeps one order, from short to
            long.

    Returns:
        BucketedDataset of keys, int64 [batch], which are positions in `lengths`.

    Raises:
        ValueError: not one of `batch_size` and `tokens`, or no examples, or one longer than `tokens`.
    """
    given = [size for size in (batch_size, tokens) if size is not None]
    if len(given) != 1 or given[0] < 1:
        raise ValueError(
            "Expected either a batch size or a number of tokens, 1 at least, got "
            f"batch_size={batch_size} and tokens={tokens}."
        )
    lengths = np.asarray(lengths)
    if not len(lengths):
        raise ValueError("Expected one example at least, got none.")
    lengths = lengths.reshape(len(lengths), -1)
    steps = np.maximum(lengths, 1)
    if tokens is not None and steps.max() > tokens:
        raise ValueError(
            f"Expected at most {tokens} steps, for a batch may have no more, and example "
            f"{steps.max(axis=1).argmax()} has {steps.max()}. Cut it, leave it out, or allow more tokens."
        )
    share = np.inf
    for ratio in _RATIOS:
        found = _buckets(steps, ratio)
        longest = np.zeros((found.max() + 1, steps.shape[1]), int)
        np.maximum.at(longest, found, steps)
        longest = longest[np.sort(found)]
        cut = _sizes(longest.max(axis=1), batch_size, tokens)
        padded = cut @ np.maximum.reduceat(longest, np.cumsum(cut) - cut).sum(axis=1)
        if 1 - lengths.sum() / padded < share:
            share, buckets, sizes = float(1 - lengths.sum() / padded), found, cut
        if share <= padding:
            break
    splits = np.cumsum([0, *sizes])

    def epoch(number: int) -> tf.data.Dataset:
        keys, order = np.arange(len(lengths)), np.arange(len(sizes))
        if seed is not None:
            random = np.random.default_rng([seed, number])
            keys, order = random.permutation(keys), random.permutation(order)
        keys = tf.constant(keys[np.argsort(buckets[keys], kind="stable")])
        bounds = tf.data.Dataset.from_tensor_slices((splits[:-1][order], splits[1:][order]))
        return bounds.map(lambda start, end: keys[start:end])

    return BucketedDataset(epoch, len(lengths), len(sizes), tuple(np.unique(sizes).tolist()), share)


def streams(ids: np.ndarray, batch_size: int, steps: int) -> tf.data.Dataset:
    """Windows of one long sequence, for truncated back-propagation through time.

    It is cut into `batch_size` streams of equal length, read side by side: row b of a window goes on where
    row b of the one before ended. What does not fill a window is left out, `batch_size * steps` ids at most.

    Args:
        ids: [n].
        batch_size: number of streams.
        steps: length of a window.

    Returns:
        Pairs of ids and of the ids that follow them, each [batch_size, steps], always in order.

    Raises:
        ValueError: n is not greater than `batch_size * steps`.

    >>> for ids, following in streams(np.arange(14), batch_size=2, steps=3).as_numpy_iterator():
    ...     print(ids.tolist(), following.tolist())
    [[0, 1, 2], [6, 7, 8]] [[1, 2, 3], [7, 8, 9]]
    [[3, 4, 5], [9, 10, 11]] [[4, 5, 6], [10, 11, 12]]
    """
    windows = (len(ids) - 1) // (batch_size * steps)
    if windows < 1:
        raise ValueError(
            f"Expected more than {batch_size} * {steps} ids, a window of each stream, got {len(ids)}. "
            "Take fewer streams or fewer steps."
        )
    count = windows * batch_size * steps
    pair = (ids[:count], ids[1 : count + 1])
    return tf.data.Dataset.from_tensor_slices(
        tuple(part.reshape(batch_size, windows, steps).swapaxes(0, 1) for part in pair)
    )


def _buckets(steps: np.ndarray, ratio: float) -> np.ndarray:
    """The bucket [n] of each example; of several lengths, a cell of a grid whose rows are read to and fro."""
    buckets = np.zeros(len(steps), int)
    for column in steps.T:
        sizes = column if ratio == 1 else np.floor(np.log(column) / np.log(ratio))
        cells = np.unique(sizes, return_inverse=True)[1]
        cells = np.where(buckets % 2, cells.max() - cells, cells)
        buckets = np.unique(buckets * (cells.max() + 1) + cells, return_inverse=True)[1]
    return buckets


def _sizes(longest: np.ndarray, batch_size: int | None, tokens: int | None) -> np.ndarray:
    """The sizes of the batches into which sorted examples are cut, each of at most `longest` [n] steps."""
    n = len(longest)
    if batch_size is not None:
        return np.minimum(batch_size, n - np.arange(0, n, batch_size))
    sizes, start = [], 0
    while start < n:
        bounds = np.maximum.accumulate(longest[start : start + tokens // longest[start]])
        size = int(np.searchsorted(bounds * np.arange(1, len(bounds) + 1), tokens, side="right"))
        if size < n - start:
            power = 1 << (size.bit_length() - 1)
            size = power + power // 2 if power + power // 2 <= size else power
        sizes.append(size)
        start += size
    return np.array(sizes)


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without the thread that tunes it, which can let the end wait for as long as all before."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _stored(examples: tf.data.Dataset, cache: Path | None) -> Any:
    """All examples, a tensor for each component, ragged where it is of sequences."""
    for spec in tf.nest.flatten(examples.element_spec):
        if spec.shape.rank is None or None in spec.shape[1:]:
            raise ValueError(
                "Expected components with no unknown dimension but the first, got "
                f"{examples.element_spec}. Set their shapes by tf.ensure_shape in a map."
            )
    if examples.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("Expected each example once, got examples without end. Leave `repeat` out.")
    stacked, parts = without_autotune(examples.ragged_batch(1024)), []
    if cache is not None and cache.exists():
        try:
            parts = _load(cache, stacked.element_spec)
        except (tf.errors.OpError, ValueError):
            message = "%s is damaged or not of %s, and is made anew."
            logging.getLogger(__name__).warning(message, cache, examples.element_spec)
    if not parts:
        parts = list(stacked)
        if not parts:
            raise ValueError("Expected one example at least, got none.")
        if cache is not None:
            _save(cache, parts, stacked.element_spec)
    with tf.device("CPU:0"):
        return tf.nest.map_structure(lambda *values: tf.concat(values, 0), *parts)


def _save(cache: Path, parts: list[Any], spec: Any) -> None:
    """Write the parts as records, which have checksums, under another name at first."""
    with whole(cache) as new, tf.io.TFRecordWriter(str(new)) as file:
        file.write(repr(spec).encode())
        for tensor in tf.nest.flatten(parts, expand_composites=True):
            file.write(tf.io.serialize_tensor(tensor).numpy())
        file.write(_END)


def _load(cache: Path, spec: Any) -> list[Any]:
    """The parts in a file; OpError if it is damaged, ValueError if it is cut or of another structure."""
    records = list(tf.data.TFRecordDataset(str(cache)).as_numpy_iterator())
    if records[:1] + records[-1:] != [repr(spec).encode(), _END]:
        raise ValueError(f"{cache} does not hold all of {spec}.")
    types = [component.dtype for component in tf.nest.flatten(spec, expand_composites=True)]
    tensors = [tf.io.parse_tensor(record, types[k % len(types)]) for k, record in enumerate(records[1:-1])]
    return [
        tf.nest.pack_sequence_as(spec, tensors[k : k + len(types)], expand_composites=True)
        for k in range(0, len(tensors), len(types))
    ]
