"""What an encoder that is not trained makes of pictures or clips: computed once, and kept in a file."""

import hashlib
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo.files import atomic_write, read_with_checksum, write_with_checksum
from zoo.preprocessing.images import FeatureExtractor
from zoo.training.progress import Progress

_BATCH = 32


def extract_features(
    extract: FeatureExtractor, examples: Callable[[], Iterable[bytes | np.ndarray]], cache: Path
) -> tuple[np.ndarray, list[str]]:
    """The features of pictures or clips, from the cache where they are there.

    A file of the cache is named by all that it depends on: the encoder and the examples. It is checked before
    it is used, and made anew if it is damaged.

    Args:
        extract: makes them.
        examples: gives the pictures or clips, as the reader takes them, the same ones each time.
        cache: a folder.

    Returns:
        The features [n, *shape], mapped from the file and not read into memory; and for each example why it
        has none, or an empty text.
    """
    digests = [hashlib.sha256(example).digest() for example in examples()]
    key, count = hashlib.sha256(extract.fingerprint().encode() + b"".join(digests)), len(digests)
    file = cache / f"{key.hexdigest()[:24]}.npy"
    if known := read_with_checksum(file):
        return np.load(file, mmap_mode="r"), known["status"]
    found = tf.function(extract, input_signature=extract.reader.input_signature, autograph=False)
    progress, status = Progress("features", -(-count // _BATCH)), []
    left = iter(examples())
    with atomic_write(file) as new:
        while some := list(itertools.islice(left, _BATCH)):
            given = map(tf.constant, extract.reader.pack_inputs(some).values())
            features, said = (tensor.numpy() for tensor in found(*given))
            if not status:
                values = np.lib.format.open_memmap(new, "w+", features.dtype, (count, *extract.shape))
            values[len(status) : len(status) + len(said)] = features
            status += [why.decode() for why in said]
            progress.step(len(said), 0, dict)
        progress.clear()
        values.flush()
    write_with_checksum(file, {"status": status})
    return np.load(file, mmap_mode="r"), status
