"""Video files and directories of images to frames, in bounded memory."""

import itertools
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.errors import VideoError
from zoo.files import natural_sort_key

IMAGE_FILE_PATTERN = r"\.(jpe?g|png|bmp|gif)$"
"""Regular expression for the end of an image file's name, in lower case."""

VIDEO_FILE_PATTERN = r"\.(mp4|m4v|mkv|mov|avi|webm|mpe?g|m?ts|wmv|flv|ogv|3gp)$"
"""Regular expression for the end of a video file's name, in lower case."""

FrameSize = tuple[int, int]
"""Height and width in pixels."""

TimedFrames = Iterator[tuple[float, np.ndarray]]
"""Times in seconds, and frames uint8 [height, width, 3] in red, green and blue."""

_TEXT_DECODERS = ("ansi", "bintext", "idf", "xbin")  # FFmpeg renders any text file as an image of its letters


class Video:
    """A video that can be decoded repeatedly, each time from its beginning. Made by `open_video`.

    Attributes:
        path: The video file or directory of images.
        num_frames: Number of frames, as the container states it or estimated from the duration; None if
            neither is known. Use it for progress only.
        problem: After `decode` reached the end: what was wrong with the video, or empty.
    """

    def __init__(
        self,
        path: Path,
        num_frames: int | None,
        decode_frames: Callable[[FrameSize | None, list[str]], TimedFrames],
    ) -> None:
        self.path, self.num_frames, self.problem = path, num_frames, ""
        self._decode_frames = decode_frames

    def decode(self, frame_size: FrameSize | None = None) -> TimedFrames:
        """Decode the frames one by one.

        Corrupt frames are left out and described in `problem` after the last frame. Rotation metadata are
        ignored.

        Args:
            frame_size: Height and width to scale each frame to, by area averaging. None: the size of the
                first frame.

        Yields:
            The time in seconds, which is not negative and increases from frame to frame, and the frame, uint8
            [height, width, 3].

        Raises:
            VideoError: No frame can be decoded.
        """
        problems: list[str] = []
        self.problem, num_decoded = "", 0
        for timed_frame in self._decode_frames(frame_size, problems):
            num_decoded += 1
            yield timed_frame
        if problems:
            more = f" (and {len(problems) - 1:,} more problems)" if len(problems) > 1 else ""
            self.problem = f"{self.path} is corrupt: {problems[0]}{more}; {num_decoded:,} frames were read."
        if not num_decoded:
            reason = self.problem or f"{self.path} has no frames."
            raise VideoError(f"{reason} Replace the video, or leave it out.")


def open_video(path: str | Path, frame_rate: float = 25.0) -> Video:
    """Open a video file, or a directory of numbered images (JPEG, PNG, BMP, GIF).

    Video files need PyAV, which the extra `video` installs. Their times are presentation
    times counted from the start of the stream, so a variable frame rate is handled. The images of a directory
    are sorted in natural order: frame_2 before frame_10.

    Args:
        path: The file or directory.
        frame_rate: Frames per second of a directory of images. Video files have their own.

    Returns:
        The video, of which only the header has been read.

    Raises:
        VideoError: There is no such file, it is not a video, the directory has no images, or PyAV is missing.

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
    """Return the image files in a directory in natural order, without hidden files."""
    paths = [path for path in directory.iterdir() if re.search(IMAGE_FILE_PATTERN, path.name.lower())]
    visible = (path for path in paths if not path.name.startswith("."))
    return sorted(visible, key=lambda path: natural_sort_key(path.name))


def batch_frames(frames: TimedFrames, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gather frames in batches, without reading ahead.

    Args:
        frames: Times and frames of one size, from `Video.decode`.
        batch_size: Number of frames per batch; the last batch may have fewer.

    Yields:
        Times float64 [t], and frames uint8 [t, height, width, 3].
    """
    frames = iter(frames)
    while batch := list(itertools.islice(frames, batch_size)):
        times, images = zip(*batch, strict=True)
        yield np.array(times, np.float64), np.stack(images)


def read_clip(path: Path, frame_size: FrameSize, max_frames: int = 256) -> np.ndarray:
    """Read a video into one array, of a long video only every second frame, or every fourth, and so on.

    Args:
        path: A video file or a directory of images.
        frame_size: Height and width to scale the frames to.
        max_frames: Largest number of frames in the result.

    Returns:
        uint8 [time, height, width, 3].

    Raises:
        VideoError: The video cannot be decoded.
    """
    frames, stride = [], 1
    for number, (_, frame) in enumerate(open_video(path).decode(frame_size)):
        if number % stride == 0:
            frames.append(frame)
        if len(frames) > max_frames:
            frames, stride = frames[::2], 2 * stride
    return np.stack(frames)


def format_timecode(seconds: float) -> str:
    """Return a time as hours, minutes, seconds and milliseconds.

    >>> format_timecode(83.48)
    '0:01:23.480'
    """
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _open_directory(directory: Path, frame_rate: float) -> Video:
    image_paths = list_images(directory)
    if not image_paths:
        raise VideoError(
            f"{directory} contains no images. Expected numbered frames: .jpg, .png, .bmp or .gif."
        )
    if not 0 < frame_rate < math.inf:
        raise VideoError(f"Expected a frame rate above 0, in frames per second, got {frame_rate}.")

    def decode_frames(frame_size: FrameSize | None, problems: list[str]) -> TimedFrames:
        for number, image_path in enumerate(image_paths):
            try:
                frame = _read_image(image_path)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                problems.append(f"{image_path.name} cannot be read: {error}")
                continue
            frame_size = frame_size or (frame.height, frame.width)
            yield number / frame_rate, np.asarray(frame.resize(frame_size[::-1], Image.Resampling.BOX))

    return Video(directory, len(image_paths), decode_frames)


def _read_image(path: Path) -> Image.Image:
    with Image.open(path) as image:
        if image.mode.startswith("I"):  # 16 bits, which Pillow would clip
            return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
        return image.convert("RGB")


def _open_file(path: Path) -> Video:
    try:
        import av
        from av.video.reformatter import Interpolation, VideoReformatter
    except ImportError as error:
        raise VideoError(
            f"{path} cannot be read without PyAV. Install the extra `video`, as README shows."
        ) from error

    def open_container() -> av.container.InputContainer:
        # With its protocol stated, FFmpeg does not take a name with a colon for a network address.
        return av.open(f"file:{path}", metadata_errors="ignore")

    try:
        with open_container() as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None or stream.codec_context.name in _TEXT_DECODERS:
                raise VideoError(
                    f"{path} contains no video stream that can be decoded. Expected a video file."
                )
            frame_rate, stated_frames = float(stream.average_rate or 25), stream.frames
            start = float((stream.start_time or 0) * (stream.time_base or 0))
            estimated_frames = round((container.duration or 0) / av.time_base * frame_rate)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} cannot be read as a video: {error.strerror}. Correct or replace the file."
        ) from error

    # Without the other two flags, two neighboring pixels share a color, and values are cut, not rounded.
    by_area = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

    def decode_frames(frame_size: FrameSize | None, problems: list[str]) -> TimedFrames:
        reformat, time, num_decoded = VideoReformatter().reformat, -1 / frame_rate, 0
        with open_container() as container:
            for frame in decode_packets(container, problems):
                num_decoded += 1
                stated_time = -math.inf if frame.time is None else frame.time - start
                # AVI has wrong times where frames are reordered.
                time = max(0.0, stated_time if stated_time - time > 1e-6 else time + 1 / frame_rate)
                if frame.is_corrupt:
                    problems.append(f"the frame at {format_timecode(time)} is incomplete")
                frame_size = frame_size or (frame.height, frame.width)
                height, width = frame_size
                scaled = reformat(frame, width, height, "rgb24", interpolation=by_area, threads=1)
                yield time, scaled.to_ndarray()
        if num_decoded < stated_frames and not problems:
            problems.append(f"its header states {stated_frames:,} frames")

    def decode_packets(
        container: av.container.InputContainer, problems: list[str]
    ) -> Iterator[av.VideoFrame]:
        """Yield all frames that can be decoded, and skip packets that cannot."""
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except av.FFmpegError as error:
                problems.append(f"a packet cannot be decoded ({error.strerror})")

    return Video(path, stated_frames or estimated_frames or None, decode_frames)
