"""Videos, or folders of numbered pictures, and tables that tag their frames."""

import glob
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.datasets.tagging.frames import Frames, ReadFrames
from zoo.datasets.tagging.splits import ReadSequence, Splits, by_name, without_ending
from zoo.datasets.tagging.tables import COLUMNS, SPANS, Table, tags_in
from zoo.datasets.tfds_catalog import some
from zoo.errors import DataError
from zoo.files import natural_sort_key
from zoo.preprocessing.video import VIDEO_FILE_PATTERN, list_images

NONE = "none"
"""The label of frames that no row of a table covers."""


def find_videos(root: Path) -> dict[str, Path]:
    """Videos and folders of pictures, by their path within the root, without ending."""

    def named() -> Iterator[tuple[str, Path]]:
        for inside in sorted(glob.glob("**/*", root_dir=root, recursive=True)):  # follows links, as rglob not
            path, name = root / inside, Path(inside).as_posix()
            if list_images(path) if path.is_dir() else re.search(VIDEO_FILE_PATTERN, name.lower()):
                yield name if path.is_dir() else without_ending(name), path

    return by_name(named())


def tagged_videos(
    tables: dict[str, list[Table]], root: Path, videos: dict[str, Path], read: ReadFrames, multi_label: bool
) -> tuple[Splits, list[str]]:
    """Reads the videos that tables name, with their tags; notes what was left out or is damaged."""
    splits: Splits = {}
    seen, missing, notes, bare = set(), [], [], []
    for split, (table, *others) in tables.items():
        if others:
            names = some([own.path.name for own in tables[split]])
            raise DataError(
                f"{root}: expected one table of tags, found {names}. Choose one by its path, or name them by "
                "the splits: train, validation, test."
            )
        spans, lost = _spans_by_video(table, videos, root)
        missing += lost
        if both := [name for name in spans if name in seen]:
            raise DataError(f"{table.path}: {some(both)} is also in another split. Leave it in one of them.")
        seen |= spans.keys()
        splits[split] = []
        for number, name in enumerate(sorted(spans, key=natural_sort_key), 1):
            print(f"reading {name}, {number} of {len(spans)} for {split}", flush=True)
            frames = read(videos[name])
            notes += [frames.problem] if frames.problem else []
            tags = _tags_of_frames(spans[name], name, frames)
            bare += [not own for own in tags]
            if not multi_label:
                tags = [own or (NONE,) for own in tags]
            splits[split].append(ReadSequence(name, frames.pixels, tags, frames.times))
    if missing:
        notes.append(f"Left out, for they are not there: {some(missing)}.")
    if spare := [name for name in videos if name not in seen]:
        notes.append(f"Left out, for no row names them: {some(spare)}.")
    if any(bare) and not multi_label:
        notes.append(f"{sum(bare):,} of {len(bare):,} frames are in no row, and bear the label {NONE}.")
    return splits, notes


class _Span(NamedTuple):
    """A row of a table of tags."""

    where: str
    given: list[str]  # the cell that tells the frame, or those of start and end
    in_frames: bool  # else in seconds
    tags: tuple[str, ...]


def _spans_by_video(
    table: Table, videos: dict[str, Path], root: Path
) -> tuple[dict[str, list[_Span]], list[str]]:
    """The rows of each video that is there, and what those are called that are not."""
    video, tag = table.column("sequence"), table.column("tag")
    spans = {names: [table.column(name) for name in names] for names in SPANS}
    whole = [names for names, places in spans.items() if None not in places]
    if video is None or tag is None or len(whole) != 1:
        raise DataError(
            f"{table.path}: found {table.found}. Expected {COLUMNS}. Correct the header, which is the first "
            "line."
        )
    folder = table.path.parent.relative_to(root)
    beside = [name for name in videos if Path(name).is_relative_to(folder)]

    def find(cell: str) -> str | None:
        given = without_ending(cell)
        if (name := (folder / given).as_posix()) in videos:
            return name
        # It was elsewhere when the table was written.
        same = [own for own in beside if Path(own).name == Path(given).name]
        return same[0] if len(same) == 1 else None

    names = {cell: find(cell) for cell in dict.fromkeys(cells[video] for _, cells in table.rows)}
    missing = [cell for cell, name in names.items() if name is None]
    found: dict[str, list[_Span]] = {}
    for line, cells in table.rows:
        if name := names[cells[video]]:
            given = [cells[place] for place in spans[whole[0]]]
            span = _Span(f"{table.path}, line {line}", given, "frame" in whole[0][0], tags_in(cells[tag]))
            found.setdefault(name, []).append(span)
    if not found:
        raise DataError(
            f"{table.path}: none of the videos is there: {some(missing)}. Expected them in "
            f"{table.path.parent}, which holds {some(beside) or 'no videos'}."
        )
    return found, missing


def _tags_of_frames(spans: list[_Span], name: str, frames: Frames) -> list[tuple[str, ...]]:
    count, times = len(frames.times), frames.times
    tags: list[tuple[str, ...]] = [()] * count
    edges = _edges(times, segments=len(spans[0].given) == 2)

    def position(cell: str) -> int:
        seconds = float(cell)
        return int(np.searchsorted(edges, seconds, "right")) if seconds >= 0 else -1

    for span in spans:
        try:
            begin, *ends = map(int if span.in_frames else position, span.given)
            end = ends[0] if ends else begin + 1
        except ValueError:
            begin = end = -1
        if not 0 <= begin < end <= count:
            raise DataError(
                f"{span.where}: {' to '.join(span.given)} is no part of {name}, which has {count:,} frames, "
                f"counted from 0, and whose last is at {times[-1]:.3f} s. Correct the line. "
                f"{frames.problem}".strip()
            )
        for step in range(begin, end):
            tags[step] += span.tags
    return tags


def _edges(times: np.ndarray, segments: bool) -> np.ndarray:
    """From where on a time means the next frame: half a frame later, for the times of tables are rounded."""
    usual = np.median(np.diff(times)) if len(times) > 1 else math.inf
    gaps = np.diff(times, append=times[-1] + usual)
    # A frame that is shown for long belongs to the segment that it begins with.
    return times + (np.minimum(gaps, usual) if segments else gaps) / 2
