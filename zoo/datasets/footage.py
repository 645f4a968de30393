"""Clips edited from a user's own images and videos."""

import hashlib
import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.datasets.builders.footage import (
    CLIP_LENGTH,
    SIZE,
    TAGS,
    WILD,
    Footage,
    edit_clips,
    load_stock,
    paint_background,
)
from zoo.datasets.fingerprint import note_file, record_sources
from zoo.datasets.records import DataInfo, DataSplits, TaggingSplit
from zoo.datasets.splits import FOOTAGE_RULE, SPLITS
from zoo.errors import DataError
from zoo.files import atomic_write, read_with_checksum, write_with_checksum
from zoo.paths import find_path_kind, parse_path
from zoo.preprocessing.video import IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN, FrameSize
from zoo.user_files import list_files

logger = logging.getLogger(__name__)

_MIN_SIZE = (8, 10)  # pixels
_PAINTED = 0.2  # fraction of the shots
_LOG_SECONDS = 10.0


@record_sources
def load_footage(
    paths: str | Path | Sequence[str | Path],
    num_clips: int,
    *,
    size: FrameSize = SIZE,
    cache_dir: Path | None = None,
) -> DataSplits[TaggingSplit]:
    """Edit clips from a user's own images and videos, as the data set `footage` is from painted pictures.

    A fifth of the shots is painted all the same, for what images do not have. A tenth of the files is for
    validation and a tenth for test, by a hash of their names, so that no two splits share an image. Keep the
    frames of a video as a video: as images they would be in all splits.

    Args:
        paths: a file of an image or a video, a directory that contains some, also in subdirectories, or several.
        num_clips: number of training clips. Validation and test have a twentieth of it each.
        size: height and width of the frames.
        cache_dir: directory in which clips are kept and used again as long as nothing changed. If `None`,
            they are in memory.

    Returns:
        Three splits. `info.labels` are "shot", "cut", "dissolve", "fade" and "wipe".

    Raises:
        DataError: there are no images and videos, or too few, one of them cannot be read, or the size is too
            small for an edit to be visible.

    Example:
        >>> import tempfile, zoo
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for level in range(60):
        ...         Image.new("L", (32, 18), 4 * level).save(f"{directory}/{level}.png")
        ...     splits = zoo.datasets.load_footage(directory, num_clips=2, size=(9, 16))
        >>> splits.train.sequences[0].shape, splits.train.tags[0].shape, splits.test.names
        ((100, 9, 16, 3), (100,), ['test/0'])
    """
    if size[0] < _MIN_SIZE[0] or size[1] < _MIN_SIZE[1]:
        raise DataError(
            f"size: found {size[0]} x {size[1]} pixels, too small for an edit to be visible. Expected "
            f"{_MIN_SIZE[0]} x {_MIN_SIZE[1]} or more. Choose a larger size."
        )
    paths = [paths] if isinstance(paths, (str, Path)) else paths
    files = sorted({file for path in paths for file in _find_files(path)})
    for file in files:
        note_file(file)
    source = ", ".join(map(str, paths))
    names = [file.name for file in files]
    split_files = {split: FOOTAGE_RULE.select(split, files, names) for split in SPLITS}
    if empty := [split for split, group in split_files.items() if not group]:
        raise DataError(
            f"{source}: found {len(files):,} images and videos, and none is left for {' and '.join(empty)}. "
            "Expected some dozens. Add more."
        )
    counts = {"train": num_clips, "validation": -(-num_clips // 20), "test": -(-num_clips // 20)}
    splits = {
        split: _load_split(split_files[split], split, counts[split], size, cache_dir) for split in SPLITS
    }
    notes = (
        f"Clips of {CLIP_LENGTH} frames, edited from {len(files):,} images and videos; a fifth of the shots "
        "is painted.",
        f"validation is edited from {len(split_files['validation']):,} of the files, and test from "
        f"{len(split_files['test']):,}, chosen by a hash of their names.",
    )
    return DataSplits(**splits, info=DataInfo(source, labels=TAGS, notes=notes, is_video=True))


def _find_files(name: str | Path) -> list[Path]:
    path = parse_path(name)
    if not find_path_kind(path):
        raise DataError(
            f"{path} does not exist. Expected images and videos, or directories of them. Correct the path."
        )
    files = list_files(path) if path.is_dir() else [path]
    return [
        file
        for file in files
        if re.search(f"{IMAGE_FILE_PATTERN}|{VIDEO_FILE_PATTERN}", file.name.lower()) and file.name[0] != "."
    ]


def _load_split(
    files: list[Path], split: str, count: int, size: FrameSize, cache_dir: Path | None
) -> TaggingSplit:
    """Return the clips of a split, from the cache if they are there."""
    tags, shape = np.zeros((count, CLIP_LENGTH), np.int32), (count, CLIP_LENGTH, *size, 3)
    if cache_dir is None:
        frames = np.zeros(shape, np.uint8)
        _edit_split(files, split, frames, tags)
    else:
        states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        settings = (states, split, count, tuple(size), str(Footage.VERSION), WILD)
        key = hashlib.sha256(repr(settings).encode()).hexdigest()[:24]
        frames_path, tags_path = cache_dir / f"{key}.npy", cache_dir / f"{key}.tags.npy"
        if None in (read_with_checksum(frames_path), read_with_checksum(tags_path)):
            with atomic_write(frames_path) as temporary:
                new_frames = np.lib.format.open_memmap(temporary, "w+", np.uint8, shape)
                _edit_split(files, split, new_frames, tags)
                new_frames.flush()
            with atomic_write(tags_path) as temporary:
                np.save(temporary, tags)
            for path in (frames_path, tags_path):
                write_with_checksum(path, {})
        frames, tags = np.load(frames_path, mmap_mode="r"), np.load(tags_path)
    names = [f"{split}/{number}" for number in range(count)]
    return TaggingSplit(names, list(frames), list(tags), [np.arange(CLIP_LENGTH, dtype=np.float64)] * count)


def _edit_split(files: list[Path], split: str, frames: np.ndarray, tags: np.ndarray) -> None:
    """Edit clips into arrays: frames `[clips, time, height, width, 3]` and tags `[clips, time]`."""
    stock, logged = load_stock(files, frames.shape[2:4]), time.monotonic()

    def choose_pictures(rng: np.random.Generator, length: int) -> np.ndarray:
        return (paint_background if rng.random() < _PAINTED else stock)(rng, length)

    clips = edit_clips(split, len(frames), choose_pictures, frames.shape[2:4], WILD)
    for number, (frames[number], tags[number]) in enumerate(clips):
        if time.monotonic() - logged > _LOG_SECONDS:
            logged = time.monotonic()
            logger.info("editing clips for %s: %d of %d", split, number + 1, len(frames))
