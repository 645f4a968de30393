"""Features from a frozen image encoder, computed once and cached in a file."""

import hashlib
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo.files import atomic_write, read_with_checksum, write_with_checksum
from zoo.preprocessing.images import FeatureExtractor
from zoo.training.progress import Progress

_BATCH_SIZE = 32


def extract_features(
    extractor: FeatureExtractor, examples: Callable[[], Iterable[bytes | np.ndarray]], cache_dir: Path
) -> tuple[np.ndarray, list[str]]:
    """Compute the features of images or clips, or read them from the cache.

    Images that the reader does not read are converted, see `zoo.preprocessing.images.convert_images`. The name
    of the cache file is a hash of the encoder and of all examples, so other data get another file.
    The file is verified when it is read, and rebuilt if it is corrupt.

    Args:
        extractor: computes features and status of a batch.
        examples: function that returns the images or clips, as the reader of `extractor` takes them. It is
            called twice and must return the same examples.
        cache_dir: directory of the cache files.

    Returns:
        The features [n, *shape], memory-mapped; and a status for each example, empty if it could be read,
        otherwise the reason why its features are invalid.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> extractor = zoo.preprocessing.images.FeatureExtractor(zoo.preprocessing.images.ImageReader(8))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     features, status = zoo.training.extract_features(extractor, lambda: [b"not an image"], Path(directory))
        >>> features.shape, status
        ((1, 8, 8, 3), ['the picture is not JPEG, PNG, GIF or BMP'])
    """
    hashes = [
        hashlib.sha256(example).digest()  # type: ignore[arg-type]  # arrays are buffers; typed so from Python 3.12
        for example in examples()
    ]
    key, count = hashlib.sha256(extractor.fingerprint().encode() + b"".join(hashes)), len(hashes)
    path = cache_dir / f"{key.hexdigest()[:24]}.npy"
    if metadata := read_with_checksum(path):
        return np.load(path, mmap_mode="r"), metadata["status"]
    extract_batch = tf.function(extractor, input_signature=extractor.reader.input_signature, autograph=False)
    progress = Progress("features", -(-count // _BATCH_SIZE))
    status: list[str] = []
    remaining = iter(examples())
    with atomic_write(path) as temporary:
        while batch := list(itertools.islice(remaining, _BATCH_SIZE)):
            converted, problems = extractor.reader.convert_examples(batch)
            inputs = map(tf.constant, extractor.reader.pack_inputs(converted).values())
            features, reasons = (tensor.numpy() for tensor in extract_batch(*inputs))
            if not status:
                shape = (count, *extractor.shape)
                values = np.lib.format.open_memmap(temporary, "w+", features.dtype, shape)
            values[len(status) : len(status) + len(reasons)] = features
            status += [problem or reason.decode() for problem, reason in zip(problems, reasons, strict=True)]
            progress.update(len(reasons))
        progress.clear()
        values.flush()
    write_with_checksum(path, {"status": status})
    return np.load(path, mmap_mode="r"), status
