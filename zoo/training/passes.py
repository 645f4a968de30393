"""Passes over datasets. One that reshuffles has another order in each pass, counted from when it was made."""

import itertools
from typing import Any
from weakref import WeakKeyDictionary

import tensorflow as tf

_num_passes: WeakKeyDictionary[tf.data.Dataset, int] = WeakKeyDictionary()


def begin_pass(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return a dataset that is about to be read, and count the pass."""
    _num_passes[dataset] = count_passes(dataset) + 1
    return dataset


def count_passes(dataset: tf.data.Dataset) -> int:
    """Return how many passes over a dataset this process has begun with `begin_pass`."""
    return _num_passes.get(dataset, 0)


def has_fixed_order(dataset: tf.data.Dataset) -> bool:
    """Return whether two passes over a dataset have the same batches. Reads up to the first that differs.

    Example:
        >>> data = tf.data.Dataset.range(100)
        >>> has_fixed_order(data), has_fixed_order(data.shuffle(100, seed=1))
        (True, False)
    """
    passes = itertools.zip_longest(begin_pass(dataset), begin_pass(dataset))
    return all(_serialize(one) == _serialize(two) for one, two in passes)


def _serialize(batch: Any) -> list[bytes]:
    tensors = tf.nest.flatten(batch, expand_composites=True)
    return [tf.io.serialize_tensor(tensor).numpy() for tensor in tensors if tensor is not None]
