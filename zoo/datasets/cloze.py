"""Texts whose next word is to be predicted."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from zoo.datasets.fingerprint import record_sources
from zoo.datasets.records import ClozeSet, DataSplits
from zoo.datasets.tfds_catalog import find_builder, get_data_info, prepare, read_split


@record_sources
def load_cloze(*, data_dir: Path | None = None) -> DataSplits[ClozeSet]:
    r"""Load the embedded data set `fluent`. The first call generates it.

    Args:
        data_dir: directory of data prepared by TFDS; its own default if `None`.

    Returns:
        Three splits. The two texts of a pair follow each other.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as directory:  # doctest: +SKIP
        ...     test = zoo.datasets.load_cloze(data_dir=Path(directory)).test
        ...     print(len(test.texts), *zip(test.texts[:2], test.next_words), sep="\n")
        2400
        ('i grew up in japan and live in spain', 'japanese')
        ('i grew up in spain and live in japan', 'spanish')
    """
    builder = find_builder("fluent", data_dir)
    prepare(builder)

    def read_examples(split: str) -> ClozeSet:
        examples = tfds.as_numpy(read_split(builder, split))
        examples = sorted(examples, key=lambda example: example["pair"])  # TFDS stores them in another order
        return ClozeSet(
            [example["text"].decode() for example in examples],
            [example["next"].decode() for example in examples],
            np.array([example["distance"] for example in examples]),
        )

    return DataSplits(
        read_examples("train"), read_examples("validation"), read_examples("test"), get_data_info(builder)
    )
