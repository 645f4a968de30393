"""The frames of a video in one array, in memory or in a cache file that is mapped."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.datasets.fingerprint import note_file
from zoo.errors import DataError, VideoError
from zoo.files import atomic_write, read_with_checksum, write_with_checksum
from zoo.preprocessing.video import FrameSize, batch_frames, list_images, open_video

_CHUNK = 256  # frames in memory
_VERSION = 2  # of the decoding: 2 turns videos upright


class VideoFrames(NamedTuple):
    """A video.

    Attributes:
        pixels: its frames, uint8 `[time, height, width, 3]`.
        times: time of each frame in seconds, float64 `[time]`.
        problem: what is damaged; empty if nothing is.
    """

    pixels: np.ndarray
    times: np.ndarray
    problem: str


def load_frames(path: Path, size: FrameSize, frame_rate: float, cache_dir: Path | None) -> VideoFrames:
    """Read a video, or a directory of images, or its cache file.

    Args:
        path: the video or directory.
        size: height and width to which frames are scaled.
        frame_rate: frames per second of a directory.
        cache_dir: directory of cache files, which are mapped; `None` to read into memory.

    Raises:
        DataError: the video cannot be read.
    """
    for file in list_images(path) if path.is_dir() else [path]:
        note_file(file)
    try:
        if cache_dir:
            return _load_cached(path, size, frame_rate, cache_dir)
        video = open_video(path, frame_rate)
        times, pixels = zip(*batch_frames(video.decode(size), _CHUNK), strict=True)
    except VideoError as error:
        raise DataError(str(error)) from error
    return VideoFrames(np.concatenate(pixels), np.concatenate(times), video.problem)


def _load_cached(path: Path, size: FrameSize, frame_rate: float, cache_dir: Path) -> VideoFrames:
    file = cache_dir / f"{_hash_key(path, size, frame_rate)}.npy"
    metadata = read_with_checksum(file)
    if metadata is None:
        video = open_video(path, frame_rate)
        with atomic_write(file) as temporary:
            times = _write_frames(video.decode(size), size, temporary)
        metadata = {"times": times, "problem": video.problem}
        write_with_checksum(file, metadata)
    return VideoFrames(np.load(file, mmap_mode="r"), np.array(metadata["times"]), metadata["problem"])


def _write_frames(frames: Iterator[tuple[float, np.ndarray]], size: FrameSize, path: Path) -> list[float]:
    """Write frames in chunks to a .npy file; return their times."""
    times: list[float] = []
    with path.open("wb") as file:

        def write_header() -> None:  # NumPy leaves room for the first axis to grow: the length is constant
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(times), *size, 3)}
            file.seek(0)
            np.lib.format.write_array_header_1_0(file, header)

        write_header()
        for chunk_times, pixels in batch_frames(frames, _CHUNK):
            file.write(pixels.tobytes())
            times += chunk_times.tolist()
        write_header()
    return times


def _hash_key(path: Path, size: FrameSize, frame_rate: float) -> str:
    """Return a name that changes whenever the frames could."""
    files = list_images(path) if path.is_dir() else [path]
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    key = (_VERSION, str(path.resolve()), states, tuple(size), frame_rate)
    return hashlib.sha256(repr(key).encode()).hexdigest()[:24]
