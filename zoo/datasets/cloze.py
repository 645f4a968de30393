"""Texts whose next word is to be predicted."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from zoo.datasets import tfds_catalog
from zoo.datasets.records import ClozeSet, DataInfo, DataSplits


def load_cloze(data_dir: Path | None = None) -> DataSplits[ClozeSet]:
    """Loads the embedded set `fluent`, generated at the first call.

    Args:
        data_dir: Directory in which TFDS keeps prepared data; its own default if `None`.

    Returns:
        The three splits, the two texts of each pair next to each other.
    """
    builder = tfds_catalog.find("fluent", data_dir)
    tfds_catalog.prepare(builder)

    def read(split: str) -> ClozeSet:
        examples = tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False))
        examples = sorted(examples, key=lambda example: example["pair"])  # TFDS shuffles when it writes
        return ClozeSet(
            [example["text"].decode() for example in examples],
            [example["next"].decode() for example in examples],
            np.array([example["distance"] for example in examples]),
        )

    info = DataInfo(**tfds_catalog.origin(builder.info))
    return DataSplits(read("train"), read("validation"), read("test"), info)
