"""Tagging sets in one shape, wherever they come from."""

import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from zoo.datasets import tfds_catalog
from zoo.datasets.files import sorted_labels
from zoo.datasets.records import DataInfo, DataSplits, TaggingSplit
from zoo.datasets.tagging.features import tagged_features
from zoo.datasets.tagging.frames import ReadFrames, read_frames
from zoo.datasets.tagging.splits import Splits, hold_out, oddities, tagged
from zoo.datasets.tagging.tables import read_tables
from zoo.datasets.tagging.tfds import tagged_by_name
from zoo.datasets.tagging.videos import find_videos, tagged_videos
from zoo.errors import DataError
from zoo.preprocessing.video import FrameSize


def load_tagging(
    dataset: str,
    *,
    data_dir: Path | None = None,
    size: FrameSize = (27, 48),
    rate: float = 25.0,
    multi_label: bool = False,
    test: Sequence[str] = (),
    validation: Sequence[str] = (),
    cache: Path | None = None,
) -> DataSplits[TaggingSplit]:
    """Loads a tagging set from a path or, where there is none such, from TFDS by name.

    A path is a folder, a file of it, or a pattern such as "folder/*_raw.csv.gz". Tables are CSV or TSV in
    UTF-8 and may be compressed (.gz, .xz, .bz2); upper and lower case are the same in headers. Forms:

    - Videos, or folders of numbered pictures, and a table. Its columns are `video`, `tag`, and `frame`,
      counted from 0; or `time` in seconds, which means the nearest frame; or `start` and `end` in seconds;
      or `start_frame` and `end_frame`. An end belongs to what comes next; seconds may be off by half a frame.
      Frames without a row are `none`.
    - Tables of features, each a sequence and with a header. The tag is in the column `tag`, `label`, `phase`
      or `class`, else in the last; `time` or `timestamp`, and `frame`, are no features; columns of anything
      but numbers are left out.
    - Tables of features of several sequences, with the columns `sequence`, `video` or `clip`, then `frame`
      and `tag`; or without a header: sequence, frame, tag, features. Frames may be missing.

    With `multi_label`, `|` separates the tags of a step, rows that overlap add up, and a step may have none.

    Splits are sub-folders or tables called `train`, `validation`, `valid`, `val` or `dev`, and `test`. If
    there are none such, they are chosen by name, else every third sequence, in natural order, is for test,
    and every fourth of the remaining ones for validation.

    Of a TFDS set one feature must be a sequence of frames or of vectors of numbers, another one of labels.

    Args:
        dataset: The path, the pattern, or the TFDS name (`footage`).
        data_dir: Where TFDS keeps prepared data and downloads; its own folder if None.
        size: Height and width that frames are scaled to.
        rate: Frames per second of folders of pictures.
        multi_label: Whether a step may bear several labels, or none.
        test: Names of sequences for testing.
        validation: The same for choosing the model.
        cache: Folder where decoded videos are kept, each in a file that is mapped and not read into memory;
            they are in memory if None.

    Raises:
        DataError: There is no such set, its host does not answer, or the data are not as above.
    """
    path = Path(dataset).expanduser()
    if path.exists() or re.search(r"[*?[]", dataset):
        read = partial(read_frames, size=size, rate=rate, cache=cache)
        splits, notes = _from_files(path, read, multi_label)
        origin, labels = {"source": str(path)}, None
    else:
        builder = tfds_catalog.find(dataset, data_dir)
        splits, labels = tagged_by_name(builder, size)
        origin, notes = tfds_catalog.origin(builder.info), []
    notes += hold_out(splits, {"test": test, "validation": validation}, origin["source"])
    labels = labels or sorted_labels(
        tag for sequences in splits.values() for own in sequences for tags in own.tags for tag in tags
    )
    made = {split: tagged(sequences, labels, multi_label) for split, sequences in splits.items()}
    if len(labels) < 2 - multi_label:
        raise DataError(
            f"{origin['source']}: expected 2 labels at least, found {', '.join(labels) or 'none'}. Is the "
            "column of the tags the right one?"
        )
    notes += oddities(splits, labels)
    is_video = made["train"].sequences[0].ndim == 4
    info = DataInfo(**origin, labels=labels, notes=tuple(notes), is_video=is_video, multi_label=multi_label)
    return DataSplits(**made, info=info)


def _from_files(path: Path, read: ReadFrames, multi_label: bool) -> tuple[Splits, list[str]]:
    tables = read_tables(path)
    everything = [table for own in tables.values() for table in own]
    root = Path(os.path.commonpath([table.path.parent for table in everything]))
    videos = find_videos(root)
    alone = all(len(own) == 1 for own in tables.values())
    if everything[0].holds_tags_alone or (videos and alone):
        return tagged_videos(tables, root, videos, read, multi_label)
    return tagged_features(tables, root)
