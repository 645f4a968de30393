"""One video file for each shot: packets copied from a keyframe on, or frames encoded anew."""

import itertools
import math
import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from zoo.errors import UsageError, VideoError
from zoo.preprocessing.video import format_timecode
from zoo.preprocessing.video.rotation import read_display_matrix
from zoo.preprocessing.video.video_files import decode_packets, open_container, read_header
from zoo.shots.lists import ShotList

if TYPE_CHECKING:
    import av

_FORMATS = {".m4v": "mp4", ".mts": "mpegts", ".m2ts": "mpegts", ".wmv": "asf", ".ogv": "ogg"}
"""Formats of FFmpeg by suffix, where FFmpeg chooses another one, or none."""

_H264_CONTAINERS = (".mp4", ".m4v", ".mov", ".mkv")

_INTERLEAVING = 1.0
"""Seconds by which sound may be stored before or after the picture of the same time."""


class CopyRange(NamedTuple):
    """The packets of the video that a part needs, in units of the stream.

    Attributes:
        decode_times: time to decode each packet at, by the time to show it at, in the order of the file. The
            first one is a keyframe.
        end: time to show the first frame of the next part at; None at the end of the video.
    """

    decode_times: dict[int, int]
    end: int | None


def split_video(shots: ShotList, directory: Path, *, is_exact: bool = False) -> list[Path]:
    """Write one video file for each shot, named by its number and time.

    Without `is_exact`, packets are copied, which is fast and loses nothing. A file can begin at a keyframe only:
    each one begins at the last keyframe at or before its shot, and thus with up to some seconds of the shot before.
    It has all frames of its shot, and where frames are stored in another order than shown, up to some more. Sound
    is copied from the same time on, and other streams, such as subtitles, are left out.

    With `is_exact`, frames are encoded anew as H.264 of high quality (`crf` 18), so that each file has exactly the
    frames of its shot. Sound is copied, to the packet: it may be off by some hundredths of a second. The files are
    MP4, MOV or Matroska if the video is, and otherwise Matroska.

    Args:
        shots: the shots of a video file.
        directory: a new directory, which is written completely or not at all.
        is_exact: whether to encode anew.

    Returns:
        The files.

    Raises:
        UsageError: the directory exists, or the files cannot be written.
        VideoError: the video cannot be cut without encoding.
    """
    import av

    if directory.exists():
        raise UsageError(f"{directory} exists. Expected a new directory. Remove it, or name another one.")
    suffix = shots.video.suffix.lower()
    if is_exact and suffix not in _H264_CONTAINERS:
        suffix = ".mkv"
    starts = (format_timecode(shots.times[shot.start]).replace(":", "-") for shot in shots.shots)
    names = [f"{number:03}_{start}{suffix}" for number, start in enumerate(starts, 1)]
    temporary = directory.with_name(f".{uuid4().hex}.{directory.name}")
    try:
        temporary.mkdir(parents=True)
        (_encode_parts if is_exact else _copy_parts)(shots, [temporary / name for name in names])
        temporary.rename(directory)
    except (av.FFmpegError, OSError) as error:
        exact = "" if is_exact else " If the format is the reason, cut it with --exact."
        raise UsageError(f"{directory} cannot be written: {error.strerror}.{exact}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [directory / name for name in names]


def _open_output(path: Path) -> "av.container.OutputContainer":
    import av

    return av.open(f"file:{path}", "w", format=_FORMATS.get(path.suffix))


def _copy_parts(shots: ShotList, paths: list[Path]) -> None:
    """Copy the packets of each part."""
    ranges = _find_ranges(shots)
    earliest = min(ranges[0].decode_times)
    for path, span in zip(paths, ranges, strict=True):
        with open_container(shots.video) as source, _open_output(path) as output:
            video: Any = source.streams.video[0]
            start = next(iter(span.decode_times)) * video.time_base
            position = round((start - _INTERLEAVING) / video.time_base)
            if position > earliest:  # formats differ in what they do with a time before the first one
                source.seek(position, stream=video)
            copies = _add_copies(output, [video, *source.streams.audio])
            for packet in _select_packets(source, span):
                _mux_copy(output, packet, copies, start)


def _find_ranges(shots: ShotList) -> list[CopyRange]:
    """Return the packets of each part."""
    with open_container(shots.video) as source:
        video: Any = source.streams.video[0]
        packets = [(packet.pts, packet.is_keyframe) for packet in source.demux(video) if packet.size]
        time_base = float(video.time_base)
    times = [time for time, _ in packets]
    if None in times or not packets or not packets[0][1]:
        raise VideoError(
            f"{shots.video} has frames without a time, or begins without a keyframe. Its packets cannot be copied. "
            "Cut it with --exact, which encodes."
        )
    start, shown = read_header(shots.video).start, sorted(times)
    keyframes = sorted(time for time, is_keyframe in packets if is_keyframe)
    indices = {time: index for index, time in enumerate(times)}
    # The earliest time of each packet and those after it.
    earliest_left = list(itertools.accumulate(reversed(times), min))[::-1]

    def find_time(frame: int) -> int:
        earliest = (shots.times[frame] + float(start) - 1e-6) / time_base
        return shown[min(bisect_left(shown, earliest), len(shown) - 1)]

    ranges = []
    for position, shot in enumerate(shots.shots):
        first = keyframes[max(0, bisect_right(keyframes, find_time(shot.start)) - 1)]
        end = None if position + 1 == len(shots.shots) else find_time(shot.end)
        stop = len(times) if end is None else bisect_left(earliest_left, end)
        # Frames before the keyframe that are stored after it need frames of another part.
        stored = [time for time in times[indices[first] : stop] if time >= first]
        in_order = sorted(stored)
        delay = max(b - a for a, b in zip(stored, in_order, strict=True))
        decode_times = {a: b - delay for a, b in zip(stored, in_order, strict=True)}
        ranges.append(CopyRange(decode_times, end))
    return ranges


def _select_packets(source: "av.container.InputContainer", span: CopyRange) -> "Iterator[av.Packet[Any]]":
    """Yield the packets of a part, of the video and of all sound, from before its keyframe on."""
    video: Any = source.streams.video[0]
    start = next(iter(span.decode_times)) * video.time_base
    end = None if span.end is None else span.end * video.time_base
    num_left = len(span.decode_times)
    for packet in source.demux(video, *source.streams.audio):
        if packet.pts is None or packet.time_base is None:
            continue
        time = packet.pts * packet.time_base
        if packet.stream is video:
            if packet.pts in span.decode_times:
                packet.dts = span.decode_times[packet.pts]
                num_left -= 1
                yield packet
        elif start <= time and (end is None or time < end):
            yield packet
        if num_left <= 0 and end is not None and time > end + _INTERLEAVING:
            return


def _encode_parts(shots: ShotList, paths: list[Path]) -> None:
    """Encode the frames of each part, and copy its sound."""
    with open_container(shots.video) as source, open_container(shots.video) as sound:
        frames = decode_packets(source, [])
        copier = _SoundCopier(sound, float(read_header(shots.video).start))
        for path, (_, start, end) in zip(paths, shots.shots, strict=True):
            part_end = shots.times[end] if end + 1 < len(shots.times) else math.inf
            with _open_output(path) as output:
                encoder: Any = None
                for number in range(start, end):
                    frame = next(frames, None)
                    if frame is None:
                        raise VideoError(f"{shots.video} has changed: there is no frame {number:,} any more.")
                    if encoder is None:
                        encoder = _add_encoder(output, source.streams.video[0], frame, shots)
                        copier.begin(output, shots.times[start], part_end)
                    copy = frame.reformat(encoder.width, encoder.height, encoder.pix_fmt)
                    copy.time_base = encoder.codec_context.time_base
                    copy.pts = round((shots.times[number] - shots.times[start]) / float(copy.time_base))
                    copy.pict_type = 0  # which the encoder chooses
                    output.mux(encoder.encode(copy))
                    copier.copy(shots.times[number])
                output.mux(encoder.encode())
                copier.copy(part_end)


def _add_encoder(output: Any, video: Any, frame: Any, shots: ShotList) -> Any:
    """Add a stream of H.264 for frames like the given one."""
    stream = output.add_stream("libx264", rate=shots.frame_rate, options={"crf": "18"})
    stream.width, stream.height = frame.width, frame.height
    known = {form.name for form in stream.codec_context.codec.video_formats}
    stream.pix_fmt = frame.format.name if frame.format.name in known else "yuv420p"
    if frame.width % 2 or frame.height % 2:
        stream.pix_fmt = "yuv444p"
    stream.codec_context.time_base = video.time_base
    for name in ("sample_aspect_ratio", "color_range", "colorspace", "color_primaries", "color_trc"):
        if (value := getattr(video.codec_context, name)) is not None:
            setattr(stream.codec_context, name, value)
    stream.set_display_matrix(read_display_matrix(frame))
    return stream


class _SoundCopier:
    """Copies the sound of a video to its parts, which do not overlap.

    Args:
        container: the video, opened once more.
        start: time stamp of the beginning of the file.
    """

    def __init__(self, container: "av.container.InputContainer", start: float) -> None:
        self._streams = container.streams.audio
        packets = container.demux(*self._streams) if self._streams else iter(())
        self._packets = (packet for packet in packets if packet.pts is not None)
        self._next: Any = next(self._packets, None)
        self._start = start

    def begin(self, output: "av.container.OutputContainer", start: float, end: float) -> None:
        """Add the streams of sound to a part, which has the given times."""
        self._output, self._copies = output, _add_copies(output, self._streams)
        self._part_start, self._part_end = start, end

    def copy(self, until: float) -> None:
        """Copy the packets of the part that begin before a time."""
        while self._next is not None:
            time = float(self._next.pts * self._next.time_base) - self._start
            if time >= min(until, self._part_end):
                return
            if time >= self._part_start:
                _mux_copy(self._output, self._next, self._copies, self._start + self._part_start)
            self._next = next(self._packets, None)


def _add_copies(output: Any, streams: Iterable[Any]) -> dict[int, Any]:
    """Add streams like those of an input; return them by the index of the input's."""
    return {stream.index: output.add_stream_from_template(stream) for stream in streams}


def _mux_copy(output: Any, packet: Any, copies: Mapping[int, Any], start: float | Fraction) -> None:
    """Write a packet of an input to a part that begins at a time of the input."""
    offset = round(start / packet.time_base)
    packet.pts -= offset
    packet.dts = packet.pts if packet.dts is None else packet.dts - offset
    packet.stream = copies[packet.stream.index]
    output.mux(packet)
