"""Video files to frames with PyAV: upright, with times, and with what is missing in them."""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.errors import VideoError
from zoo.preprocessing.video.rotation import find_rotation
from zoo.preprocessing.video.timecodes import format_timecode
from zoo.preprocessing.video.truncation import find_stated_size

if TYPE_CHECKING:
    import av

MAX_FRAME_PIXELS = 8192 * 4320
"""Largest number of pixels of a frame of a video file. A decoder keeps up to some twenty frames in memory."""

VIDEO_FORMATS = "MP4, MOV, Matroska, WebM, AVI, MPEG, WMV, FLV, Ogg, MXF, DV or GIF"
"""The formats of `_DEMUXERS`, as users know them."""

_DEMUXERS = (
    "mov",
    "matroska",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "m4v",
    "h264",
    "hevc",
    "asf",
    "flv",
    "ogg",
    "mxf",
    "dv",
    "gif",
    "ivf",
    "yuv4mpegpipe",
)
"""FFmpeg's readers of files that hold the frames themselves.

Others open further files or addresses that a file names: playlists such as HLS and DASH, lists such as `concat`,
patterns of image files such as `%03d.png`. Further ones render any text as an image of its letters.
"""

_MIN_GAP_SECONDS, _MIN_GAP_BYTES, _MIN_TAIL_BYTES = 0.1, 512, 4096
"""What is lost between two packets of Matroska or FLV, or after the last one: time and bytes are missing.

Time alone is missing where a frame is shown for long, and bytes alone where there are headers and indexes.
"""


class VideoHeader(NamedTuple):
    """What the header of a video file states.

    Attributes:
        frame_rate: average number of frames per second.
        num_frames: number of frames, as stated or estimated from the duration; None if neither is known.
        start: time stamp, in seconds, of the beginning of the file: where its earliest stream begins.
        timecode: time code of the first frame, as cameras and editors store it; empty if there is none.
    """

    frame_rate: Fraction
    num_frames: int | None
    start: Fraction
    timecode: str


def open_container(path: Path) -> "av.container.InputContainer":
    """Open a video file with PyAV, such that no other file and no address is opened.

    Raises:
        VideoError: it is not a regular file, or its frames are too large.
        av.FFmpegError: it is not in one of the formats, or its header cannot be read.
    """
    import av

    if not path.is_file():
        raise VideoError(f"{path} is not a regular file. Expected a video file; save the video as one.")
    limits = {"max_pixels": str(MAX_FRAME_PIXELS)}
    container = av.open(
        f"file:{path}",  # without its protocol, FFmpeg takes a name with a colon for an address
        metadata_errors="ignore",
        container_options={"format_whitelist": ",".join(_DEMUXERS), "protocol_whitelist": "file"},
        options=limits,  # of the decoders that look for missing parts of the header
    )
    for stream in container.streams.video[:1]:
        if (decoder := stream.codec_context) is None:
            continue
        decoder.options = limits
        if not 0 < decoder.width * decoder.height <= MAX_FRAME_PIXELS:
            container.close()
            raise VideoError(
                f"{path} has frames of more than {MAX_FRAME_PIXELS:,} pixels, or of a size that cannot be read. "
                "Replace the video, or scale it down."
            )
    return container


def read_header(path: Path) -> VideoHeader:
    """Read the header of a video file.

    Raises:
        VideoError: it is not a video, its beginning is damaged, or PyAV is missing.
    """
    try:
        import av
    except ImportError as error:
        raise VideoError(
            f"{path} cannot be read without PyAV. Install the extra `video`, as README shows."
        ) from error
    try:
        with open_container(path) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None:
                raise VideoError(
                    f"{path} contains no video stream that can be decoded. Expected a video file."
                )
            frame_rate = snap_frame_rate(stream.average_rate or Fraction(25))
            estimated_frames = round((container.duration or 0) / av.time_base * frame_rate)
            starts = [
                other.start_time * other.time_base
                for other in (*container.streams.video, *container.streams.audio)
                if other.start_time is not None and other.time_base is not None
            ]
            timecode = stream.metadata.get("timecode") or container.metadata.get("timecode", "")
            num_frames = stream.frames or estimated_frames or None
            return VideoHeader(frame_rate, num_frames, min(starts, default=Fraction(0)), timecode)
    except (av.FFmpegError, OSError) as error:
        lost = describe_missing_bytes(path)
        is_other_format = isinstance(error, av.error.ArgumentError)  # also pictures, playlists and texts
        reason = "its format is another one" if is_other_format else f"{error.strerror}{lost and f'; {lost}'}"
        raise VideoError(
            f"{path} cannot be read as a video: {reason}. Expected {VIDEO_FORMATS}. Correct or replace the file."
        ) from error


def decode_frames(
    path: Path, header: VideoHeader, frame_size: tuple[int, int] | None, problems: list[str]
) -> Iterator[tuple[float, np.ndarray]]:
    """Yield time in seconds and pixels of each frame, upright; append what is wrong to `problems`."""
    from av.video.reformatter import Interpolation, VideoReformatter

    # Without the other two flags, two neighboring pixels share a color, and values are cut, not rounded.
    by_area = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    reformat, step, time = VideoReformatter().reformat, float(1 / header.frame_rate), -math.inf
    start = float(header.start)
    with open_container(path) as container:
        for frame in decode_packets(container, problems):
            stated_time = -math.inf if frame.time is None else frame.time - start
            # AVI has wrong times where frames are reordered.
            time = max(0.0, stated_time if stated_time - time > 1e-6 else time + step)
            if frame.is_corrupt:
                problems.append(f"the frame at {format_timecode(time)} is incomplete")
            turn = find_rotation(frame)
            upright = turn.compute_size((frame.height, frame.width))
            frame_size = frame_size or upright
            height, width = turn.compute_size(frame_size)
            scaled = reformat(frame, width, height, "rgb24", interpolation=by_area, threads=1)
            yield time, turn.apply(scaled.to_ndarray())
    if lost := describe_missing_bytes(path):
        problems.insert(0, lost)


def decode_packets(
    container: "av.container.InputContainer", problems: list[str]
) -> "Iterator[av.VideoFrame]":
    """Yield all frames of the first video stream that can be decoded, and skip packets that cannot.

    Args:
        container: an opened file at its beginning.
        problems: a list to which to append what is lost or incomplete.
    """
    import av

    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    num_packets = 0
    is_contiguous = container.format.name.startswith(("matroska", "flv"))
    packets = _note_gaps(container, problems) if is_contiguous else container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            if packet.stream is stream:
                num_packets += packet.size > 0
                if packet.is_corrupt:
                    problems.append("a packet is damaged")
                yield from packet.decode()
        except av.FFmpegError as error:
            problems.append(f"a packet cannot be decoded ({error.strerror})")
    # AVI alone has no times that would show a gap. Some writers count one frame too many.
    if container.format.name == "avi" and num_packets < 0.99 * stream.frames - 1:
        problems.append(f"its header states {stream.frames:,} frames")


def describe_missing_bytes(path: Path) -> str:
    """Return that a file ends earlier than its header states; empty if it does not."""
    size, stated = path.stat().st_size, find_stated_size(path)
    if stated is None or stated <= size:
        return ""
    return f"the file seems truncated, it has {size:,} of {stated:,} bytes"


def _note_gaps(container: "av.container.InputContainer", problems: list[str]) -> "Iterator[av.Packet[Any]]":
    """Yield the packets of all streams, and append to `problems` where packets are missing between them."""
    end_position, end = 0, 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.pos is not None and packet.time_base is not None:
            unit = float(packet.time_base)
            time = packet.pts * unit
            if end_position and packet.pos - end_position > _MIN_GAP_BYTES and time - end > _MIN_GAP_SECONDS:
                problems.append(f"{time - end:.1f} s before {format_timecode(time)} cannot be read")
            end_position = packet.pos + packet.size
            end = max(end, time + (packet.duration or 0) * unit)
        yield packet
    num_left, missing = container.size - end_position, (container.duration or 0) / 1_000_000 - end
    if num_left > max(_MIN_TAIL_BYTES, container.size // 10) and missing > _MIN_GAP_SECONDS:
        problems.append(f"the last {missing:.1f} s cannot be read")


def snap_frame_rate(rate: float | Fraction) -> Fraction:
    """Return the rate that is meant: those of NTSC, such as 24000/1001, are rounded in many ways.

    >>> snap_frame_rate(23.976), snap_frame_rate(25), snap_frame_rate(12.5)
    (Fraction(24000, 1001), Fraction(25, 1), Fraction(25, 2))
    """
    for exact in (Fraction(round(rate)), Fraction(1000 * round(rate * 1001 / 1000), 1001)):
        if abs(Fraction(rate) - exact) < exact / 10_000:
            return exact
    return Fraction(rate).limit_denominator(1_000_000)
