"""Video files and directories of images to frames, in bounded memory."""

import itertools
import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from zoo.errors import DataError, ImageError, UsageError, VideoError
from zoo.files import natural_sort_key
from zoo.preprocessing.images import open_image
from zoo.preprocessing.video.video_files import decode_frames, read_header, snap_frame_rate
from zoo.user_files import read_file

IMAGE_FILE_PATTERN = r"\.(jpe?g|png|bmp|gif|webp|avif|tiff?|hei[cf])$"
"""Regular expression for the end of an image file's name, in lower case."""

VIDEO_FILE_PATTERN = r"\.(mp4|m4v|mkv|mov|avi|webm|mpe?g|m?ts|wmv|flv|ogv|3gp)$"
"""Regular expression for the end of a video file's name, in lower case."""

FrameSize = tuple[int, int]
"""Height and width in pixels."""

TimedFrames = Iterator[tuple[float, np.ndarray]]
"""Times in seconds, and frames uint8 [height, width, 3] in red, green and blue."""


class Video:
    """A video that can be decoded repeatedly, each time from its beginning. Made by `open_video`.

    Attributes:
        path: the video file or directory of images.
        num_frames: number of frames, as the container states it or estimated from the duration; None if
            neither is known. Use it for progress only.
        frame_rate: number of frames per second; an average where the rate varies.
        timecode: time code of the first frame, such as "01:00:00:00", as cameras and editors store it; empty if
            there is none.
        problem: after `decode` reached the end: what was wrong with the video, or empty.

    Example:
        >>> import tempfile, zoo
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for number in range(3):
        ...         Image.new("RGB", (32, 18)).save(f"{directory}/{number}.png")
        ...     video = zoo.preprocessing.video.open_video(directory, frame_rate=10)
        ...     [(time, frame.shape) for time, frame in video.decode(frame_size=(9, 16))]
        [(0.0, (9, 16, 3)), (0.1, (9, 16, 3)), (0.2, (9, 16, 3))]
        >>> video.num_frames, video.problem
        (3, '')
    """

    def __init__(
        self,
        path: Path,
        num_frames: int | None,
        decode_frames: Callable[[FrameSize | None, list[str]], TimedFrames],
        frame_rate: Fraction,
        timecode: str = "",
    ) -> None:
        self.path, self.num_frames, self.problem = path, num_frames, ""
        self.frame_rate, self.timecode = frame_rate, timecode
        self._decode_frames = decode_frames

    def decode(self, frame_size: FrameSize | None = None) -> TimedFrames:
        """Decode the frames one by one, upright as players show them.

        Corrupt frames are left out and described in `problem` after the last frame, and so is a file that ends
        too early.

        Args:
            frame_size: height and width to scale each frame to, by area averaging. None: the size of the
                first frame.

        Yields:
            The time in seconds, which is not negative and increases from frame to frame, and the frame, uint8
            [height, width, 3].

        Raises:
            VideoError: no frame can be decoded.
        """
        problems: list[str] = []
        self.problem, num_decoded = "", 0
        for timed_frame in self._decode_frames(frame_size, problems):
            num_decoded += 1
            yield timed_frame
        if problems:
            more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
            is_short = self.num_frames is not None and num_decoded < self.num_frames
            of_all = f" of about {self.num_frames:,}" if is_short else ""
            self.problem = (
                f"{self.path} is corrupt: {problems[0]}{more}; {num_decoded:,}{of_all} frames were read."
            )
        if not num_decoded:
            reason = self.problem or f"{self.path} has no frames."
            raise VideoError(f"{reason} Replace the video, or leave it out.")


def open_video(path: str | Path, frame_rate: float = 25.0) -> Video:
    """Open a video file, or a directory of numbered images.

    Video files need PyAV, which the extra `video` installs. Their times are presentation times, so a variable
    frame rate is handled. They count from the beginning of the file, as players and FFmpeg do: where the sound
    begins earlier, the first frame is later than 0. The images of a directory are sorted in natural order:
    frame_2 before frame_10.

    Args:
        path: the file or directory.
        frame_rate: frames per second of a directory of images. Video files have their own.

    Returns:
        The video, of which only the header has been read.

    Raises:
        VideoError: there is no such file, it is not a video, the directory has no images, or PyAV is missing.

    >>> import tempfile
    >>> directory = Path(tempfile.mkdtemp())
    >>> for number in range(3):
    ...     Image.new("RGB", (32, 24)).save(directory / f"frame_{number}.png")
    >>> [(time, frame.shape) for time, frame in open_video(directory, frame_rate=2).decode()]
    [(0.0, (24, 32, 3)), (0.5, (24, 32, 3)), (1.0, (24, 32, 3))]
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise VideoError(f"There is no {path}. Expected a video file, or a directory of numbered images.")
    return _open_directory(path, frame_rate) if path.is_dir() else _open_file(path)


def list_images(directory: Path) -> list[Path]:
    """Return the image files in a directory in natural order, without hidden files.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for name in ("frame_10.png", "frame_2.png", "notes.txt"):
        ...         Path(directory, name).touch()
        ...     [path.name for path in zoo.preprocessing.video.list_images(Path(directory))]
        ['frame_2.png', 'frame_10.png']
    """
    paths = [path for path in directory.iterdir() if re.search(IMAGE_FILE_PATTERN, path.name.lower())]
    visible = (path for path in paths if not path.name.startswith("."))
    return sorted(visible, key=lambda path: natural_sort_key(path.name))


def batch_frames(frames: TimedFrames, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gather frames in batches, without reading ahead.

    Args:
        frames: times and frames of one size, from `Video.decode`.
        batch_size: number of frames per batch; the last batch may have fewer.

    Yields:
        Times float64 [t], and frames uint8 [t, height, width, 3].

    Example:
        >>> import numpy as np, zoo
        >>> frames = ((time, np.zeros((2, 3, 3), "uint8")) for time in (0.0, 0.1, 0.2))
        >>> [images.shape for _, images in zoo.preprocessing.video.batch_frames(frames, 2)]
        [(2, 2, 3, 3), (1, 2, 3, 3)]
    """
    frames = iter(frames)
    while batch := list(itertools.islice(frames, batch_size)):
        times, images = zip(*batch, strict=True)
        yield np.array(times, np.float64), np.stack(images)


class Clip(NamedTuple):
    """A short video, or frames that are evenly spaced in a longer one.

    Attributes:
        frames: uint8 [time, height, width, 3].
        problem: what is wrong with the video; empty if nothing is.

    Example:
        >>> import numpy as np, zoo
        >>> clip = zoo.preprocessing.video.Clip(np.zeros((3, 9, 16, 3), "uint8"), problem="")
        >>> clip.frames.shape[0]  # number of frames
        3
    """

    frames: np.ndarray
    problem: str


def read_clip(path: Path, frame_size: FrameSize, max_frames: int = 256) -> Clip:
    """Read a video into one array, of a long video only every second frame, or every fourth, and so on.

    Args:
        path: a video file or a directory of images.
        frame_size: height and width to scale the frames to.
        max_frames: largest number of frames in the result.

    Returns:
        The frames that can be decoded, and what is wrong with the others.

    Raises:
        VideoError: the video cannot be decoded.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for number in range(3):
        ...         Image.new("RGB", (32, 18)).save(f"{directory}/{number}.png")
        ...     clip = zoo.preprocessing.video.read_clip(Path(directory), frame_size=(9, 16))
        >>> clip.frames.shape, clip.problem
        ((3, 9, 16, 3), '')
    """
    video, frames, stride = open_video(path), [], 1
    for number, (_, frame) in enumerate(video.decode(frame_size)):
        if number % stride == 0:
            frames.append(frame)
        if len(frames) > max_frames:
            frames, stride = frames[::2], 2 * stride
    return Clip(np.stack(frames), video.problem)


def _open_directory(directory: Path, frame_rate: float) -> Video:
    image_paths = list_images(directory)
    if not image_paths:
        raise VideoError(f"{directory} contains no images. Expected numbered frames, such as .jpg or .png.")
    if not 0 < frame_rate < math.inf:
        raise VideoError(f"Expected a frame rate above 0, in frames per second, got {frame_rate}.")

    def decode_frames(frame_size: FrameSize | None, problems: list[str]) -> TimedFrames:
        for number, image_path in enumerate(image_paths):
            try:
                frame = open_image(read_file(image_path))
            except (DataError, ImageError, UsageError) as error:
                problems.append(f"{image_path.name} cannot be read: {error}")
                continue
            frame_size = frame_size or (frame.height, frame.width)
            yield number / frame_rate, np.asarray(frame.resize(frame_size[::-1], Image.Resampling.BOX))

    return Video(directory, len(image_paths), decode_frames, snap_frame_rate(frame_rate))


def _open_file(path: Path) -> Video:
    header = read_header(path)
    frames = partial(decode_frames, path, header)
    return Video(path, header.num_frames, frames, header.frame_rate, header.timecode)
