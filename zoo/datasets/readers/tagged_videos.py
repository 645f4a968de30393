"""Videos, or directories of numbered images, with tables that tag their frames."""

import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.datasets.messages import abbreviate
from zoo.datasets.readers.frame_cache import VideoFrames
from zoo.datasets.readers.sequences import TaggedSequence, index_by_name, remove_video_suffix
from zoo.datasets.readers.tables import Table
from zoo.datasets.readers.tag_tables import (
    EXPECTED_COLUMNS,
    SEGMENT_COLUMNS,
    describe_header,
    find_column,
    is_number,
    normalize_number,
    parse_tags,
)
from zoo.errors import DataError
from zoo.files import natural_sort_key
from zoo.preprocessing.video import IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN
from zoo.user_files import list_files

logger = logging.getLogger(__name__)

_WHOLE_NUMBER = re.compile("[0-9]{1,18}")

_MAX_SECONDS_BEHIND = 1.0
"""How far an end may lie behind the last frame: tables round to seconds, and sound may be longer than the picture."""

NONE = "none"
"""The label of frames that no row of a table covers."""


class TableSegment(NamedTuple):
    """The frames that a row of a table tags.

    Attributes:
        location: file and line, for messages.
        bounds: cell with the frame or time, or cells with start and end.
        is_in_frames: whether the bounds are numbers of frames, otherwise they are seconds.
        tags: tags of the frames.
    """

    location: str
    bounds: list[str]
    is_in_frames: bool
    tags: tuple[str, ...]


def find_videos(root: Path) -> dict[str, Path]:
    """Return videos and directories of images by their path in the directory, without suffix."""
    named: dict[Path, str] = {}
    for file in list_files(root):
        if re.search(IMAGE_FILE_PATTERN, file.name.lower()) and file.parent != root:
            named[file.parent] = file.parent.relative_to(root).as_posix()
        elif re.search(VIDEO_FILE_PATTERN, file.name.lower()):
            named[file] = remove_video_suffix(file.relative_to(root).as_posix())
    return index_by_name((name, path) for path, name in sorted(named.items()))


def read_tagged_videos(
    tables: dict[str, list[Table]],
    root: Path,
    videos: dict[str, Path],
    load_frames: Callable[[Path], VideoFrames],
    multi_label: bool,
) -> tuple[dict[str, list[TaggedSequence]], list[str]]:
    """Read the videos that tables name, with their tags.

    Args:
        tables: the table of each split.
        root: directory that contains all tables and videos.
        videos: from `find_videos`.
        load_frames: reads a video.
        multi_label: whether frames that no row covers have no label, instead of `NONE`.

    Returns:
        The sequences of each split, and notes on what was left out or is damaged.

    Raises:
        DataError: a table cannot be used, or a video cannot be read.
    """
    splits: dict[str, list[TaggedSequence]] = {}
    notes, missing, is_untagged = [], [], []
    named: set[str] = set()
    for split, (table, *others) in tables.items():
        if others:
            names = abbreviate([Path(other.path).name for other in tables[split]])
            raise DataError(
                f"{root}: found {names}. Expected one table of tags. Choose one by its path, or name them "
                "after the splits: train, validation, test."
            )
        segments_of, missing_videos, column_notes = _read_segments(table, videos, root, multi_label)
        missing += missing_videos
        notes += column_notes
        if repeated := [name for name in segments_of if name in named]:
            raise DataError(
                f"{table.path}: {abbreviate(repeated)} is also in another split. Expected it in one. Remove "
                "it from the others."
            )
        named |= segments_of.keys()
        splits[split] = []
        for number, name in enumerate(sorted(segments_of, key=natural_sort_key), 1):
            logger.info("reading %s, %d of %d for %s", name, number, len(segments_of), split)
            frames = load_frames(videos[name])
            notes += [frames.problem] if frames.problem else []
            tags = _tag_frames(segments_of[name], name, frames)
            is_untagged += [not step_tags for step_tags in tags]
            if not multi_label:
                tags = [step_tags or (NONE,) for step_tags in tags]
            splits[split].append(TaggedSequence(name, frames.pixels, tags, frames.times))
    if missing:
        notes.append(f"Left out because they are missing: {abbreviate(missing)}.")
    if unnamed := [name for name in videos if name not in named]:
        notes.append(f"Left out because no row names them: {abbreviate(unnamed)}.")
    if any(is_untagged) and not multi_label:
        notes.append(
            f"{sum(is_untagged):,} of {len(is_untagged):,} frames are in no row and have the label {NONE}."
        )
    return splits, notes


def _read_segments(
    table: Table, videos: dict[str, Path], root: Path, multi_label: bool
) -> tuple[dict[str, list[TableSegment]], list[str], list[str]]:
    """Return the segments of each video that exists, the names of videos that do not, and notes on columns."""
    video, tag = find_column(table, "sequence"), find_column(table, "tag")
    columns = {
        names: [place for name in names if (place := find_column(table, name)) is not None]
        for names in SEGMENT_COLUMNS
    }
    complete = [names for names, places in columns.items() if len(places) == len(names)]
    if video is None or tag is None or len(complete) != 1:
        raise DataError(
            f"{table.path}: found {describe_header(table)}. Expected {EXPECTED_COLUMNS}. Correct the header "
            "in the first line."
        )
    directory = Path(table.path).parent.relative_to(root)
    candidates = [name for name in videos if Path(name).is_relative_to(directory)]

    def find_video(cell: str) -> str | None:
        name = remove_video_suffix(cell)
        if (path := (directory / name).as_posix()) in videos:
            return path
        # It may have been elsewhere when the table was written.
        same = [candidate for candidate in candidates if Path(candidate).name == Path(name).name]
        return same[0] if len(same) == 1 else None

    names = {cell: find_video(cell) for cell in dict.fromkeys(row.cells[video] for row in table.rows)}
    segments_of: dict[str, list[TableSegment]] = {}
    for line, cells in table.rows:
        if not cells[video] or not (cells[tag] or multi_label):
            raise DataError(
                f"{table.path}, line {line:,}: found no {'tag' if cells[video] else 'video'}. Expected a video and a "
                "tag in each row. Complete the row, or remove it."
            )
        if name := names[cells[video]]:
            bounds = [normalize_number(table, cells[place]) for place in columns[complete[0]]]
            is_in_frames = "frame" in complete[0][0]
            segment = TableSegment(
                f"{table.path}, line {line:,}", bounds, is_in_frames, parse_tags(cells[tag])
            )
            segments_of.setdefault(name, []).append(segment)
    first_lines = {cells[video]: line for line, cells in reversed(table.rows)}
    missing = [
        f"{cell} ({Path(table.path).name}, line {first_lines[cell]:,})"
        for cell, name in names.items()
        if name is None
    ]
    if not segments_of:
        raise DataError(
            f"{table.path}: all videos are missing: {abbreviate(missing)}. Expected them in "
            f"{Path(table.path).parent}, which contains {abbreviate(candidates) or 'no videos'}. Add them, "
            "or correct their names."
        )
    return segments_of, missing, table.note_other_columns(video, tag, *columns[complete[0]])


def _tag_frames(segments: list[TableSegment], name: str, frames: VideoFrames) -> list[tuple[str, ...]]:
    """Return the tags of each frame of a video."""
    count, times = len(frames.times), frames.times
    tags: list[tuple[str, ...]] = [()] * count
    edges = _compute_edges(times, has_ends=len(segments[0].bounds) == 2)
    # Of a file that is cut, the end is unknown.
    latest = math.inf if frames.problem else edges[-1] + _MAX_SECONDS_BEHIND

    def find_frame(cell: str) -> int:
        seconds = float(cell)
        return int(np.searchsorted(edges, seconds, "right")) if 0 <= seconds <= latest else -1

    for segment in segments:
        start = end = -1
        is_valid = _WHOLE_NUMBER.fullmatch if segment.is_in_frames else is_number
        if all(map(is_valid, segment.bounds)):
            start, *ends = map(int if segment.is_in_frames else find_frame, segment.bounds)
            end = ends[0] if ends else start + 1
        if not 0 <= start < end <= count:
            raise DataError(
                f"{segment.location}: found {' to '.join(segment.bounds)}. Expected a part of {name}, which "
                f"has {count:,} frames, counted from 0, the last at {times[-1]:.3f} s. Correct the line. "
                f"{frames.problem}".strip()
            )
        for step in range(start, end):
            tags[step] += segment.tags
    return tags


def _compute_edges(times: np.ndarray, has_ends: bool) -> np.ndarray:
    """Return the times from which on the next frame is meant: half a frame later, as tables round times."""
    typical = np.median(np.diff(times)) if len(times) > 1 else math.inf
    gaps = np.diff(times, append=times[-1] + typical)
    # A frame that is shown for long belongs to the segment that begins with it.
    return times + (np.minimum(gaps, typical) if has_ends else gaps) / 2
