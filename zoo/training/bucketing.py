"""Batches of sequences of similar length, with little padding and a reproducible order."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.files import atomic_write

logger = logging.getLogger(__name__)

_RATIOS = (2, 1.5, 1.25, 1.12, 1.06, 1.03, 1)
"""Longest to shortest length within a bucket, coarsest first. 1 makes one bucket for each length."""

_END_OF_CACHE = b"end"


@dataclass(frozen=True, eq=False, repr=False)
class BucketedDataset:
    """Batches of similar length, one `tf.data.Dataset` per epoch.

    Call it with an epoch number, from 0, to get the dataset of that epoch. The order of an epoch depends on
    the seed and the epoch number alone, so a new process reads the same batches. `zoo.fit` and `zoo.evaluate`
    take it in place of a dataset.

    Attributes:
        make_epoch: function from an epoch number to a dataset of `num_batches` batches.
        make_keys: the same, of batches of the indices [batch] of the examples.
        num_examples: number of examples. Each comes once per epoch.
        num_batches: number of batches in an epoch.
        batch_sizes: all batch sizes that occur, ascending.
        padding_share: upper bound, over all epochs, on the share of padding in the time steps of an epoch.
        is_sampled: whether the batches depend on the weights that the model has when they are read.

    >>> dataset = plan_buckets(np.array([3, 1, 3, 1]), batch_size=2)
    >>> dataset.num_batches, dataset.batch_sizes, dataset.padding_share
    (2, (2,), 0.0)
    >>> [keys.tolist() for keys in dataset(0).as_numpy_iterator()]
    [[1, 3], [0, 2]]
    """

    make_epoch: Callable[[int], tf.data.Dataset]
    make_keys: Callable[[int], tf.data.Dataset]
    num_examples: int
    num_batches: int
    batch_sizes: tuple[int, ...]
    padding_share: float
    is_sampled: bool = False

    def __call__(self, epoch: int) -> tf.data.Dataset:
        """Return the dataset of an epoch, counted from 0."""
        return self.make_epoch(epoch)

    def map(self, function: Callable[..., Any]) -> "BucketedDataset":
        """Return a dataset with `function` applied to each batch, as in `tf.data.Dataset.map`."""
        return replace(self, make_epoch=lambda epoch: self(epoch).map(function).prefetch(2))

    def map_at_random(self, function: Callable[..., Any], seed: int) -> "BucketedDataset":
        """Return a dataset with a random `function` applied to each batch.

        `padding_share` stays that of the batches which the function gets.

        Args:
            function: function from an int32 seed [2] and the components of a batch to the new components. It must draw
                by the seed alone, as the functions of `tf.random.stateless_*` do.
            seed: int. Each batch of each epoch has a seed of its own, which depends on this one, the epoch, and the
                place of the batch in it. A run that resumes within an epoch so draws what it would have drawn.
        """

        def make_epoch(epoch: int) -> tf.data.Dataset:
            first = int(np.random.default_rng([seed, epoch]).integers(2**31))
            seeds = tf.data.Dataset.range(self.num_batches).map(
                lambda k: tf.stack([first, tf.cast(k, tf.int32)])
            )
            return (
                tf.data.Dataset.zip(seeds, self(epoch))
                .map(lambda seed, batch: function(seed, *batch))
                .prefetch(2)
            )

        return replace(self, make_epoch=make_epoch)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __str__(self) -> str:
        examples = "example" if self.num_examples == 1 else "examples"
        batches = "batch" if self.num_batches == 1 else "batches"
        return (
            f"{self.num_examples:,} {examples} in {self.num_batches:,} {batches} of up to "
            f"{self.batch_sizes[-1]:,}, at most {np.ceil(1000 * self.padding_share) / 10:.1f} % padding"
        )


def bucket_by_length(
    examples: tf.data.Dataset,
    batch_size: int | None = None,
    max_tokens: int | None = None,
    max_padding: float = 0.1,
    seed: int | None = None,
    cache_path: Path | None = None,
) -> BucketedDataset:
    """Batch examples with others of similar length. `plan_buckets` describes how.

    Args:
        examples: finite dataset of single examples, in any structure. Components whose first dimension is
            unknown are sequences, such as ids [time] or features [time, d]. All examples are read once, into
            memory.
        batch_size: examples per batch. Give either this or `max_tokens`.
        max_tokens: upper bound on the time steps of a batch, padding included.
        max_padding: upper bound on the share of padding.
        seed: seed of the order, which then differs from epoch to epoch. None keeps one order.
        cache_path: file that stores the examples; later calls read them from it instead of from `examples`.
            It is rebuilt when it is corrupt or has another structure. It is not compared with `examples`:
            use another path for other data.

    Returns:
        Batches of the same structure: components [batch, ...], and sequences [batch, time, ...] padded with
        zeros or empty strings to the longest of the batch, and to at least one step.

    Raises:
        ValueError: `examples` is infinite, has an unknown dimension other than the first, or one of the
            reasons of `plan_buckets`.

    >>> texts = tf.ragged.constant([[1, 2, 3], [4], [5, 6, 7], [8]])
    >>> examples = tf.data.Dataset.range(4).map(lambda k: (texts[k], k))
    >>> print(train := bucket_by_length(examples, batch_size=2))
    4 examples in 2 batches of up to 2, at most 0.0 % padding
    >>> [(ids.tolist(), labels.tolist()) for ids, labels in train(0).as_numpy_iterator()]
    [([[4], [8]], [1, 3]), ([[1, 2, 3], [5, 6, 7]], [0, 2])]
    """
    stacked = _load_examples(examples, cache_path)
    components = tf.nest.flatten(stacked)
    columns = [c.row_lengths().numpy() for c in components if isinstance(c, tf.RaggedTensor)]
    lengths = np.unique(columns, axis=0).T if columns else np.ones(len(components[0]), int)
    plan = plan_buckets(lengths, batch_size, max_tokens, max_padding, seed)

    def gather_batch(keys: tf.Tensor) -> Any:
        def gather_component(values: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
            rows = tf.gather(values, keys)
            if isinstance(rows, tf.RaggedTensor):
                rows = rows.to_tensor(shape=tf.maximum(rows.bounding_shape(), 1))
            return rows

        return tf.nest.map_structure(gather_component, stacked)

    def make_epoch(epoch: int) -> tf.data.Dataset:
        batches = plan(epoch).map(gather_batch, 2, deterministic=True)
        return without_autotune(batches.prefetch(2))

    return replace(plan, make_epoch=make_epoch)


def plan_buckets(
    lengths: np.ndarray,
    batch_size: int | None = None,
    max_tokens: int | None = None,
    max_padding: float = 0.1,
    seed: int | None = None,
) -> BucketedDataset:
    """Plan batches of similar length, as indices into the examples.

    Use it for data too large for memory, and read the examples in a `map`.

    Examples are shuffled, sorted by bucket, and cut into batches; the rest of a bucket joins the next one. So
    each example comes once, and at most one batch of an epoch is smaller than it could be. The lengths within
    a bucket differ by a ratio at most: the coarsest ratio that keeps the bound on padding even if every batch
    were as long as its buckets allow. The coarser it is, the more the batches differ from epoch to epoch.

    Args:
        lengths: [n], or [n, k] for examples of k sequences, such as source and target.
        batch_size: examples per batch. Give either this or `max_tokens`.
        max_tokens: upper bound on the rows of a batch times its longest sequence. Of several sequences the
            longer one counts, as in fairseq. Batch sizes are then 1, 2, 3, 4, 6, 8, 12, 16 and so on, so that
            XLA compiles for few shapes.
        max_padding: upper bound on the share of padding in the time steps of an epoch. If no plan keeps it,
            because examples are few, the plan with the least padding is used; see
            `BucketedDataset.padding_share`.
        seed: seed to shuffle examples and batches, differently in each epoch. None keeps one order, from
            short to long.

    Returns:
        Batches of indices into `lengths`, int64 [batch].

    Raises:
        ValueError: both or none of `batch_size` and `max_tokens` are given, there are no examples, or one is
            longer than `max_tokens`.

    Example:
        >>> import numpy as np, zoo
        >>> plan = zoo.training.plan_buckets(np.array([3, 1, 3, 1]), batch_size=2)
        >>> [batch.tolist() for batch in plan(0).as_numpy_iterator()]
        [[1, 3], [0, 2]]
    """
    limits = [size for size in (batch_size, max_tokens) if size is not None]
    if len(limits) != 1 or limits[0] < 1:
        raise ValueError(
            "Expected either a batch size or a number of tokens, at least 1, got "
            f"batch_size={batch_size} and max_tokens={max_tokens}."
        )
    lengths = np.asarray(lengths)
    if not len(lengths):
        raise ValueError("Expected at least one example, got none.")
    lengths = lengths.reshape(len(lengths), -1)
    steps = np.maximum(lengths, 1)
    if max_tokens is not None and steps.max() > max_tokens:
        raise ValueError(
            f"Example {steps.max(axis=1).argmax()} has {steps.max()} time steps, but a batch may have at "
            f"most max_tokens={max_tokens}. Cut the example, leave it out, or increase max_tokens."
        )
    padding_share = np.inf
    for ratio in _RATIOS:
        bucket_ids = _assign_buckets(steps, ratio)
        longest = np.zeros((bucket_ids.max() + 1, steps.shape[1]), int)
        np.maximum.at(longest, bucket_ids, steps)
        longest = longest[np.sort(bucket_ids)]
        sizes = _batch_sizes(longest.max(axis=1), batch_size, max_tokens)
        padded = sizes @ np.maximum.reduceat(longest, np.cumsum(sizes) - sizes).sum(axis=1)
        if 1 - lengths.sum() / padded < padding_share:
            padding_share = float(1 - lengths.sum() / padded)
            best_bucket_ids, best_sizes = bucket_ids, sizes
        if padding_share <= max_padding:
            break
    splits = np.cumsum([0, *best_sizes])

    def make_epoch(epoch: int) -> tf.data.Dataset:
        keys, order = np.arange(len(lengths)), np.arange(len(best_sizes))
        if seed is not None:
            random = np.random.default_rng([seed, epoch])
            keys, order = random.permutation(keys), random.permutation(order)
        keys = tf.constant(keys[np.argsort(best_bucket_ids[keys], kind="stable")])
        bounds = tf.data.Dataset.from_tensor_slices((splits[:-1][order], splits[1:][order]))
        return bounds.map(lambda start, end: keys[start:end])

    batch_sizes = tuple(np.unique(best_sizes).tolist())
    return BucketedDataset(make_epoch, make_epoch, len(lengths), len(best_sizes), batch_sizes, padding_share)


def bptt_windows(ids: np.ndarray, batch_size: int, steps: int) -> tf.data.Dataset:
    """Cut one long sequence into windows for truncated backpropagation through time.

    The sequence is cut into `batch_size` streams of equal length, which are read side by side: row b of a
    window continues row b of the window before. Ids that do not fill a window are left out, at most
    `batch_size * steps` of them. Train a stateful model on the windows (Williams and Peng, 1990,
    https://doi.org/10.1162/neco.1990.2.4.490).

    Args:
        ids: [n].
        batch_size: number of streams.
        steps: time steps of a window.

    Returns:
        Pairs of ids and of the ids that follow them, each [batch_size, steps], always in the same order.

    Raises:
        ValueError: n is not greater than `batch_size * steps`.

    >>> for ids, targets in bptt_windows(np.arange(14), batch_size=2, steps=3).as_numpy_iterator():
    ...     print(ids.tolist(), targets.tolist())
    [[0, 1, 2], [6, 7, 8]] [[1, 2, 3], [7, 8, 9]]
    [[3, 4, 5], [9, 10, 11]] [[4, 5, 6], [10, 11, 12]]
    """
    windows = (len(ids) - 1) // (batch_size * steps)
    if windows < 1:
        raise ValueError(
            f"Expected more than {batch_size} * {steps} ids, one window per stream and one target more, got "
            f"{len(ids)}. Use fewer streams or fewer steps."
        )
    count = windows * batch_size * steps
    pair = (ids[:count], ids[1 : count + 1])
    return tf.data.Dataset.from_tensor_slices(
        tuple(part.reshape(batch_size, windows, steps).swapaxes(0, 1) for part in pair)
    )


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset without tf.data's autotuning.

    The end of an autotuned dataset can wait for the tuning thread, for as long as the epoch took.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _assign_buckets(steps: np.ndarray, ratio: float) -> np.ndarray:
    """Return the bucket [n] of each example.

    Several lengths make a grid of buckets, whose rows are numbered in alternating directions so that
    neighbors have similar lengths.
    """
    buckets = np.zeros(len(steps), int)
    for column in steps.T:
        sizes = column if ratio == 1 else np.floor(np.log(column) / np.log(ratio))
        cells = np.unique(sizes, return_inverse=True)[1]
        cells = np.where(buckets % 2, cells.max() - cells, cells)
        buckets = np.unique(buckets * (cells.max() + 1) + cells, return_inverse=True)[1]
    return buckets


def _batch_sizes(longest: np.ndarray, batch_size: int | None, max_tokens: int | None) -> np.ndarray:
    """Return the sizes of the batches into which sorted examples of at most `longest` [n] steps are cut."""
    n = len(longest)
    if batch_size is not None:
        return np.minimum(batch_size, n - np.arange(0, n, batch_size))
    assert max_tokens is not None
    sizes, start = [], 0
    while start < n:
        bounds = np.maximum.accumulate(longest[start : start + max_tokens // longest[start]])
        size = int(np.searchsorted(bounds * np.arange(1, len(bounds) + 1), max_tokens, side="right"))
        if size < n - start:
            power = 1 << (size.bit_length() - 1)
            size = power + power // 2 if power + power // 2 <= size else power
        sizes.append(size)
        start += size
    return np.array(sizes)


def _load_examples(examples: tf.data.Dataset, cache_path: Path | None) -> Any:
    """Return all examples stacked, one tensor for each component, ragged where it is a sequence."""
    for spec in tf.nest.flatten(examples.element_spec):
        if spec.shape.rank is None or None in spec.shape[1:]:
            raise ValueError(
                "Expected components with no unknown dimension but the first, got "
                f"{examples.element_spec}. Set their shapes with tf.ensure_shape in a map."
            )
    if examples.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("Expected a finite dataset, got an infinite one. Remove `repeat`.")
    chunks, parts = without_autotune(examples.ragged_batch(1024)), []
    if cache_path is not None and cache_path.exists():
        try:
            parts = _read_cache(cache_path, chunks.element_spec)
        except (tf.errors.OpError, ValueError):
            logger.warning(
                "%s is corrupt or does not hold %s; rebuilding it", cache_path, examples.element_spec
            )
    if not parts:
        parts = list(chunks)
        if not parts:
            raise ValueError("Expected at least one example, got none.")
        if cache_path is not None:
            _write_cache(cache_path, parts, chunks.element_spec)
    with tf.device("CPU:0"):
        return tf.nest.map_structure(lambda *values: tf.concat(values, 0), *parts)


def _write_cache(path: Path, parts: list[Any], spec: Any) -> None:
    """Write the parts atomically, as TFRecords, which have checksums."""
    with atomic_write(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as file:
        file.write(repr(spec).encode())
        for tensor in tf.nest.flatten(parts, expand_composites=True):
            file.write(tf.io.serialize_tensor(tensor).numpy())
        file.write(_END_OF_CACHE)


def _read_cache(path: Path, spec: Any) -> list[Any]:
    """Read the parts from a cache file.

    Raises:
        tf.errors.OpError: the file is corrupt.
        ValueError: the file is cut short or has another structure.
    """
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    if records[:1] + records[-1:] != [repr(spec).encode(), _END_OF_CACHE]:
        raise ValueError(f"{path} does not hold all of {spec}.")
    types = [component.dtype for component in tf.nest.flatten(spec, expand_composites=True)]
    tensors = [tf.io.parse_tensor(record, types[k % len(types)]) for k, record in enumerate(records[1:-1])]
    return [
        tf.nest.pack_sequence_as(spec, tensors[k : k + len(types)], expand_composites=True)
        for k in range(0, len(tensors), len(types))
    ]
