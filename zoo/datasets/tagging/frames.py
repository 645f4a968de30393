"""The frames of a video in one array, in memory or in a file that is made once and mapped."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import DataError, VideoError
from zoo.files import atomic_write, read_with_checksum, write_with_checksum
from zoo.preprocessing.video import FrameSize, batch_frames, list_images, open_video

_PIECE = 256  # frames that are in memory at once


class Frames(NamedTuple):
    """Frames uint8 [time, height, width, 3], their times in seconds, and what is wrong with the video."""

    pixels: np.ndarray
    times: np.ndarray
    problem: str


ReadFrames = Callable[[Path], Frames]


def read_frames(path: Path, size: FrameSize, rate: float, cache: Path | None) -> Frames:
    """Reads a video, or a folder of pictures at a rate, in memory; or what the cache has of it."""
    try:
        if cache:
            return _cached(path, size, rate, cache)
        video = open_video(path, rate)
        times, pixels = zip(*batch_frames(video.decode(size), _PIECE), strict=True)
    except VideoError as error:
        raise DataError(str(error)) from error
    return Frames(np.concatenate(pixels), np.concatenate(times), video.problem)


def _cached(path: Path, size: FrameSize, rate: float, cache: Path) -> Frames:
    file = cache / f"{_key(path, size, rate)}.npy"
    known = read_with_checksum(file)
    if known is None:
        video = open_video(path, rate)
        with atomic_write(file) as new:
            times = _write(video.decode(size), size, new)
        known = {"times": times, "problem": video.problem}
        write_with_checksum(file, known)
    return Frames(np.load(file, mmap_mode="r"), np.array(known["times"]), known["problem"])


def _write(frames: Iterator[tuple[float, np.ndarray]], size: FrameSize, path: Path) -> list[float]:
    """Writes frames piece by piece into a .npy file; returns their times."""
    times = []
    with path.open("wb") as file:

        def write_header() -> None:  # of one length: NumPy leaves room for the first axis to grow
            about = {"descr": "|u1", "fortran_order": False, "shape": (len(times), *size, 3)}
            file.seek(0)
            np.lib.format.write_array_header_1_0(file, about)

        write_header()
        for own, pixels in batch_frames(frames, _PIECE):
            file.write(pixels.tobytes())
            times += own.tolist()
        write_header()
    return times


def _key(path: Path, size: FrameSize, rate: float) -> str:
    files = list_images(path) if path.is_dir() else [path]
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr((str(path.resolve()), states, tuple(size), rate)).encode()).hexdigest()[:24]
