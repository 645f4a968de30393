"""Sequences with a tag at each time step, frames of videos or features, from TFDS or from users' files."""

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.datasets.fingerprint import record_sources
from zoo.datasets.messages import abbreviate
from zoo.datasets.readers.content import find_dataset
from zoo.datasets.readers.feature_tables import read_feature_tables
from zoo.datasets.readers.frame_cache import load_frames
from zoo.datasets.readers.sequences import TaggedSequence, remove_video_suffix
from zoo.datasets.readers.tables import Table
from zoo.datasets.readers.tag_tables import has_tags_only, read_tag_tables
from zoo.datasets.readers.tagged_videos import find_videos, read_tagged_videos
from zoo.datasets.records import DataInfo, DataSplits, TaggingSplit, sort_labels
from zoo.datasets.splits import find_missing_splits, find_split_names, hold_out_sequences
from zoo.datasets.tfds_catalog import describe_features, find_builder, get_data_info, prepare, read_split
from zoo.errors import DataError
from zoo.paths import parse_path
from zoo.preprocessing.video import FrameReader, FrameSize
from zoo.user_files import TABLE, list_files

_RARE = 5  # time steps: a label that occurs less often may be a typing error

_Splits = dict[str, list[TaggedSequence]]


@record_sources
def load_tagging(
    dataset: str | Path,
    *,
    data_dir: Path | None = None,
    size: FrameSize = (27, 48),
    frame_rate: float = 25.0,
    multi_label: bool = False,
    test: str | Sequence[str] = (),
    validation: str | Sequence[str] = (),
    cache_dir: Path | None = None,
    encoding: str | None = None,
) -> DataSplits[TaggingSplit]:
    r"""Load sequences with tags from a path or, if there is no such path, from TFDS by name.

    A path is a directory, a file in it, or a pattern such as "directory/*_raw.csv.gz". The cells of tables
    (`.csv`, `.tsv`) are separated by commas, semicolons or tabs, which is detected; numbers between semicolons
    may have a decimal comma. Tables may be compressed (.gz, .xz, .bz2). Case does not matter in headers. Forms:

    - Videos, or directories of numbered images, and a table. Its columns are `video`, `tag`, and `frame`,
      counted from 0; or `time` in seconds, which means the nearest frame; or `start` and `end` in seconds; or
      `start_frame` and `end_frame`. Ends are exclusive; seconds may be off by half a frame, and an end lies at
      most a second behind the last frame. Frames without a row have the label `none`.
    - Tables of features, a sequence in each, with a header. The tag is in the column `tag`, `label`, `phase`
      or `class`, otherwise in the last. `time` or `timestamp`, which must not decrease, and `frame` are no features;
      columns without numbers are left out.
    - Tables of features of several sequences, with the columns `sequence`, `video` or `clip`, then `frame`
      and `tag`; or without a header: sequence, frame, tag, features. Frames may be missing.

    With `multi_label`, `|` separates the tags of a time step, rows that overlap add up, and a step may have
    no tag.

    Splits are subdirectories or tables called `train`, `validation`, `valid`, `val` or `dev`, and `test`. If
    there are none, they are chosen by name; otherwise every third sequence, in natural order, is for test,
    and every fourth of the others for validation.

    A TFDS set needs one feature that is a sequence of frames or of vectors of numbers, and one of labels.

    Args:
        dataset: path, pattern or TFDS name (`footage`).
        data_dir: directory of data prepared by TFDS and of downloads; its own default if `None`.
        size: height and width to which frames are scaled.
        frame_rate: frames per second of directories of images.
        multi_label: whether a time step may have several labels, or none.
        test: names of sequences for testing, or one name.
        validation: names of sequences for validation, or one name.
        cache_dir: directory in which decoded videos are kept, each in a file that is mapped and not read into
            memory. If `None`, they are in memory.
        encoding: encoding of tables. Default: the one of their byte order mark (UTF-8 or UTF-16), otherwise
            UTF-8.

    Returns:
        Three splits. `info.labels` are the labels of the TFDS set, or all labels in the data, sorted.

    Raises:
        DataError: there is no such set, its host does not answer, or the data have another form.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> rows = [f"walk{i // 10},{i % 10},{'step' if i % 2 else 'rest'},{i % 2}.5" for i in range(90)]
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     _ = Path(directory, "walks.csv").write_text("\n".join(["sequence,frame,tag,speed", *rows]))
        ...     splits = zoo.datasets.load_tagging(directory)
        >>> splits.info.labels, splits.test.names
        (('rest', 'step'), ['walk2', 'walk5', 'walk8'])
    """
    path = find_dataset(dataset)
    if path is None and re.search(r"[*?[]", str(dataset)):
        path = parse_path(dataset)
    if path:
        tables = read_tag_tables(path, encoding)
        splits, notes = _read_files(tables, size, frame_rate, multi_label, cache_dir)
        notes += _note_other_tables(path, tables)
        info, labels = DataInfo(str(path)), None
    else:
        builder = find_builder(str(dataset), data_dir)
        splits, labels = _read_tfds(builder, size)
        info, notes = get_data_info(builder), []
    chosen = {
        split: [names] if isinstance(names, str) else names
        for split, names in (("test", test), ("validation", validation))
    }
    splits, hold_out_notes = _hold_out(splits, chosen, info.source)
    labels = labels or sort_labels(
        tag
        for sequences in splits.values()
        for sequence in sequences
        for tags in sequence.tags
        for tag in tags
    )
    encoded = {split: _encode_split(sequences, labels, multi_label) for split, sequences in splits.items()}
    if len(labels) < 2 - multi_label:
        raise DataError(
            f"{info.source}: found {'the label ' + labels[0] if labels else 'no labels'}. Expected "
            f"{2 - multi_label} or more. Check that the column of the tags is the right one."
        )
    info = dataclasses.replace(
        info,
        labels=labels,
        notes=(*notes, *hold_out_notes, *_note_oddities(splits, labels)),
        is_video=encoded["train"].sequences[0].ndim == 4,
        multi_label=multi_label,
    )
    return DataSplits(**encoded, info=info)


def _read_files(
    tables: dict[str, list[Table]],
    size: FrameSize,
    frame_rate: float,
    multi_label: bool,
    cache_dir: Path | None,
) -> tuple[_Splits, list[str]]:
    all_tables = [table for group in tables.values() for table in group]
    root = Path(os.path.commonpath([Path(table.path).parent for table in all_tables]))
    videos = find_videos(root)
    has_one_each = all(len(group) == 1 for group in tables.values())
    if has_tags_only(all_tables[0]) or (videos and has_one_each):
        load = partial(load_frames, size=size, frame_rate=frame_rate, cache_dir=cache_dir)
        return read_tagged_videos(tables, root, videos, load, multi_label)
    return read_feature_tables(tables, root)


def _note_other_tables(path: Path, tables: dict[str, list[Table]]) -> list[str]:
    """Return a note on the tables of a directory that were not read, such as those in other directories."""
    read = {Path(table.path) for group in tables.values() for table in group}
    files = [file for file in list_files(path) if re.search(TABLE, file.name)] if path.is_dir() else []
    others = [file.relative_to(path).as_posix() for file in files if file not in read]
    return [f"Left out because of their place or name: {abbreviate(others)}."] if others else []


# TFDS.


def _read_tfds(builder: Any, size: FrameSize) -> tuple[_Splits, tuple[str, ...] | None]:
    """Return the sequences of each split, and the labels if they have names."""
    info = builder.info
    kinds = {name: _find_kind(feature) for name, feature in info.features.items()}
    inputs = [name for name, kind in kinds.items() if kind in ("frames", "vectors")]
    tags = [name for name, kind in kinds.items() if kind == "labels"]
    tags = tags or [name for name, kind in kinds.items() if kind == "numbers"]
    if len(inputs) != 1 or len(tags) != 1:
        raise DataError(
            f"{info.full_name}: found the features {describe_features(builder)}. Expected one sequence of "
            "frames or vectors and one of labels. Choose another data set."
        )
    prepare(builder)
    (input_name,), (tag_name,) = inputs, tags
    labels = tuple(info.features[tag_name].feature.names) if kinds[tag_name] == "labels" else None
    resize = FrameReader(size)

    def make_sequence(name: str, example: dict[str, np.ndarray]) -> TaggedSequence:
        values, ids = example[input_name], example[tag_name].tolist()
        if len(values) != len(ids) or (labels and -1 in ids):
            raise DataError(
                f"{info.full_name}, {name}: found steps without a label. Expected one for each of "
                f"{len(values)} steps. Choose another data set."
            )
        values = (
            resize(values[None])[0].numpy() if kinds[input_name] == "frames" else values.astype(np.float32)
        )
        step_tags: list[tuple[str, ...]] = [(labels[i] if labels else str(i),) for i in ids]
        return TaggedSequence(name, values, step_tags, np.arange(len(values), dtype=np.float64))

    splits = {
        split: [
            make_sequence(f"{name}/{number}", example)
            for number, example in enumerate(tfds.as_numpy(read_split(builder, name)))
        ]
        for split, name in find_split_names(info.splits, info.full_name).items()
    }
    if "train" not in splits:
        raise DataError(f"{info.full_name} has no train split. Choose another data set.")
    return splits, labels


def _find_kind(feature: Any) -> str:
    """Return what a feature is a sequence of: "frames", "vectors", "labels", "numbers"; "" otherwise."""
    spec = feature.get_tensor_spec()
    if isinstance(getattr(feature, "feature", None), tfds.features.ClassLabel):
        return "labels"
    if not isinstance(spec, tf.TensorSpec):
        return ""
    rank, dtype = spec.shape.rank, spec.dtype
    if rank == 4 and spec.shape[-1] == 3 and dtype == tf.uint8:
        return "frames"
    if rank == 2 and dtype.is_floating:
        return "vectors"
    return "numbers" if rank == 1 and dtype.is_integer else ""


# Splits.


def _hold_out(splits: _Splits, chosen: Mapping[str, Sequence[str]], source: str) -> tuple[_Splits, list[str]]:
    """Hold missing splits out of the training sequences; return notes on how."""
    names = {
        split: list(dict.fromkeys(map(remove_video_suffix, split_names)))
        for split, split_names in chosen.items()
        if split_names
    }
    for split in names:
        if split in splits:
            raise DataError(f"{source} has a {split} split of its own. Expected none. Leave out --{split}.")
    sequences = {sequence.name: sequence for sequence in splits["train"]}
    held_out, notes = hold_out_sequences(sequences, find_missing_splits(splits), names)
    splits = splits | {
        split: [sequences[name] for name in split_names] for split, split_names in held_out.items()
    }
    if empty := [split for split, group in splits.items() if not group]:
        raise DataError(
            f"{source}: too few sequences, none is left for {' and '.join(empty)}. Expected 5 or more, or 3 "
            "with --test and --validation. Add some."
        )
    return splits, notes


def _note_oddities(splits: _Splits, labels: tuple[str, ...]) -> list[str]:
    """Return notes on labels that are rare or not in the training split, and on steps without a label."""
    sequences = [sequence for group in splits.values() for sequence in group]
    counts = Counter(
        (tag, sequence.name) for sequence in sequences for tags in sequence.tags for tag in set(tags)
    )
    trained = {tag for sequence in splits["train"] for tags in sequence.tags for tag in tags}
    notes = []
    for label in labels:
        count_of = {name: count for (tag, name), count in counts.items() if tag == label}
        total = sum(count_of.values())
        if 0 < total < _RARE:
            notes.append(
                f"Only {total} of the frames ha{'s' if total == 1 else 've'} the label {label}, in "
                f"{abbreviate(list(count_of))}: check that it is intended."
            )
        if label not in trained:
            notes.append(f"No training sequence has the label {label}.")
    if num_bare := sum(sequence.tags.count(()) for sequence in sequences):
        notes.append(f"{num_bare:,} frames have no label.")
    return notes


def _encode_split(
    sequences: list[TaggedSequence], labels: tuple[str, ...], multi_label: bool
) -> TaggingSplit:
    """Encode tags as ids of labels, or, with several labels a step, as a matrix."""
    ids = {label: i for i, label in enumerate(labels)}

    def encode_tags(sequence: TaggedSequence) -> np.ndarray:
        matrix = np.zeros((len(sequence.tags), len(labels)), bool)
        for step, tags in enumerate(sequence.tags):
            matrix[step, [ids[tag] for tag in tags]] = True
            if not multi_label and len(set(tags)) != 1:
                tags_found = f"the tags {' and '.join(tags)}" if tags else "no tag"
                raise DataError(
                    f"{sequence.name}, frame {step}: found {tags_found}. Expected one tag. Correct the "
                    "table, or allow several tags, or none, with --multi-label."
                )
        return matrix if multi_label else matrix.argmax(axis=1).astype(np.int32)

    return TaggingSplit(
        [sequence.name for sequence in sequences],
        [sequence.values for sequence in sequences],
        [encode_tags(sequence) for sequence in sequences],
        [sequence.times for sequence in sequences],
    )
