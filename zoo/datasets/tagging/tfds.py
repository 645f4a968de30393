"""TFDS sets of frames or vectors with a label at each step."""

import re

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.datasets import tfds_catalog
from zoo.datasets.files import SPLITS
from zoo.datasets.tagging.splits import ReadSequence, Splits
from zoo.errors import DataError
from zoo.preprocessing.video import FrameReader, FrameSize


def tagged_by_name(
    builder: tfds.core.DatasetBuilder, size: FrameSize
) -> tuple[Splits, tuple[str, ...] | None]:
    """Reads a set, downloaded and prepared where needed: sequences, and labels if they have names."""
    info = builder.info
    kinds = {name: _kind(feature) for name, feature in info.features.items()}
    values = [name for name, kind in kinds.items() if kind in ("frames", "vectors")]
    tags = [name for name, kind in kinds.items() if kind == "labels"]
    tags = tags or [name for name, kind in kinds.items() if kind == "numbers"]
    if len(values) != 1 or len(tags) != 1:
        raise DataError(
            f"{info.full_name}: expected one sequence of frames or vectors and one of labels, and the "
            f"features are {tfds_catalog.named_features(info)}. Choose another data set."
        )
    tfds_catalog.prepare(builder)
    (value,), (tag,) = values, tags
    labels = tuple(info.features[tag].feature.names) if kinds[tag] == "labels" else None
    resize, config = FrameReader(size), tfds.ReadConfig(try_autocache=False)

    def sequence(name: str, example: dict[str, np.ndarray]) -> ReadSequence:
        steps, places = example[value], example[tag].tolist()
        if len(steps) != len(places) or (labels and -1 in places):
            raise DataError(
                f"{info.full_name}, {name}: expected a label for each of {len(steps)} steps. Choose another "
                "data set."
            )
        frames = kinds[value] == "frames"
        steps = resize(steps[None])[0].numpy() if frames else steps.astype(np.float32)
        said = [(labels[place] if labels else str(place),) for place in places]
        return ReadSequence(name, steps, said, np.arange(len(steps), dtype=np.float64))

    def sequences(split: str) -> list[ReadSequence]:
        read = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        return [sequence(f"{split}/{number}", example) for number, example in enumerate(tfds.as_numpy(read))]

    splits = {
        split: sequences(own)
        for split, names in SPLITS.items()
        for own in info.splits
        if re.fullmatch(names, own)
    }
    if "train" not in splits:
        raise DataError(f"{info.full_name} has no train split. Choose another data set.")
    return splits, labels


def _kind(feature: tfds.features.FeatureConnector) -> str:
    """What a feature is a sequence of: frames, vectors, labels with names, or numbers; or nothing of use."""
    spec = feature.get_tensor_spec()
    if isinstance(getattr(feature, "feature", None), tfds.features.ClassLabel):
        return "labels"
    if not isinstance(spec, tf.TensorSpec):
        return ""
    rank, kind = spec.shape.rank, spec.dtype
    if rank == 4 and spec.shape[-1] == 3 and kind == tf.uint8:
        return "frames"
    if rank == 2 and kind.is_floating:
        return "vectors"
    return "numbers" if rank == 1 and kind.is_integer else ""
