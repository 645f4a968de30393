"""Lists of shots as editors and players read them: EDL, OpenTimelineIO, chapters of FFmpeg, and tables."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from zoo.errors import UsageError
from zoo.files import atomic_write
from zoo.metrics import Segment
from zoo.preprocessing.video import format_timecode
from zoo.preprocessing.video.timecodes import floor_milliseconds
from zoo.shots import EXPECTED_SHOT_LISTS


@dataclass(frozen=True)
class ShotList:
    """The shots of a video, without gaps between them.

    Attributes:
        video: the video file, or directory of images.
        shots: label and frames of each shot; the label is the transition with which it begins.
        times: time in seconds of each frame, and of the end.
        frame_rate: frames per second; the average where the rate varies.
        timecode: time code of the first frame, as the file states it; empty for 0. A semicolon in it means that
            the numbers of two frames (of four, at 59.94 frames per second) are left out in most minutes.
    """

    video: Path
    shots: tuple[Segment, ...]
    times: tuple[float, ...]
    frame_rate: Fraction
    timecode: str = ""


def close_gaps(shots: Sequence[Segment], num_frames: int) -> tuple[Segment, ...]:
    """Return the shots of a video with each transition divided between the two shots that it joins.

    Args:
        shots: shots in order; frames between them are those of transitions.
        num_frames: number of frames of the video.

    Returns:
        Shots that cover all frames: one at least.

    >>> close_gaps([Segment("start", 0, 10), Segment("dissolve", 16, 30)], 32)
    (Segment(label='start', start=0, end=13), Segment(label='dissolve', start=13, end=32))
    """
    if not shots:
        return (Segment("start", 0, num_frames),)
    cuts = [(before.end + after.start) // 2 for before, after in itertools.pairwise(shots)]
    bounds = zip([0, *cuts], [*cuts, num_frames], strict=True)
    return tuple(Segment(shot.label, start, end) for shot, (start, end) in zip(shots, bounds, strict=True))


def write_shot_list(shots: ShotList, path: Path) -> None:
    """Write shots in the format that the suffix of a file names.

    - `.edl`: an edit decision list, CMX 3600. Source and record times are the same. Time codes count frames, and
      leave out numbers (drop frame) only if that of the file does.
    - `.otio`: a timeline of OpenTimelineIO with a clip for each shot. Needs the extra `otio`.
    - `.ffmeta`: chapters in FFmpeg's metadata format.
    - `.csv`: the columns of the list of scenes that PySceneDetect writes. Frames count from 1, and the last frame
      of a shot is its "End Frame".

    EDL and OpenTimelineIO have one frame rate. Where that of the video varies, shots are placed by their times on
    a timeline with the average rate.

    Args:
        shots: the shots.
        path: the file to write, completely or not at all.

    Raises:
        OSError: the file cannot be written.
        UsageError: the format is not known, cannot hold the frame rate, or its library is missing.
    """
    formats = {".csv": format_scenes, ".edl": format_edl, ".ffmeta": format_chapters, ".otio": format_otio}
    suffix = path.suffix.lower()
    if suffix not in formats:
        raise UsageError(f"{path}: found another suffix. {EXPECTED_SHOT_LISTS}. Rename the file.")
    content = formats[suffix](shots)
    with atomic_write(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def format_edl(shots: ShotList) -> str:
    """Return an edit decision list, CMX 3600.

    Raises:
        UsageError: the frame rate is above 99, and time codes have two digits for frames.
    """
    rate = round(shots.frame_rate)
    if rate > 99:
        raise UsageError(
            f"{shots.video} has {rate} frames per second. Expected at most 99 for an EDL, whose time codes have two "
            "digits for frames. Write .otio or .csv instead."
        )
    first, is_drop = _read_start(shots)
    lines = [
        f"TITLE: {_to_ascii(shots.video.stem)[:70]}",
        f"FCM: {'' if is_drop else 'NON-'}DROP FRAME",
        "",
    ]
    for number, (label, start, end) in enumerate(_place_shots(shots), 1):
        span = " ".join(format_smpte(first + frame, rate, is_drop) for frame in (start, end))
        lines += [
            f"{number:03}  AX       V     C        {span} {span}",
            f"* FROM CLIP NAME: {_to_ascii(shots.video.name)}",
            f"* COMMENT: BEGINS WITH {label.upper()}",
        ]
    return "\n".join([*lines, ""])


def format_otio(shots: ShotList) -> str:
    """Return a timeline of OpenTimelineIO, as JSON.

    Raises:
        UsageError: OpenTimelineIO is missing.
    """
    try:
        from opentimelineio import opentime, schema
    except ImportError as error:
        raise UsageError(
            "Writing .otio needs OpenTimelineIO, which is missing. Install the extra `otio`: "
            'pip install -c constraints.txt -e ".[otio]"'
        ) from error

    rate, (first, _) = float(shots.frame_rate), _read_start(shots)
    places = list(_place_shots(shots))

    def make_range(start: int, end: int) -> opentime.TimeRange:
        begin, length = (opentime.RationalTime(frames, rate) for frames in (first + start, end - start))
        return opentime.TimeRange(begin, length)

    available = make_range(0, places[-1][2])
    track = schema.Track(name="V1", kind=schema.TrackKind.Video)
    for number, (label, start, end) in enumerate(places, 1):
        media = schema.ExternalReference(shots.video.resolve().as_uri(), available)
        metadata = {"zoo": {"begins_with": label}}
        track.append(schema.Clip(f"shot {number:03}", media, make_range(start, end), metadata))
    timeline = schema.Timeline(shots.video.stem, global_start_time=opentime.RationalTime(first, rate))
    timeline.tracks.append(track)
    return str(timeline.to_json_string(indent=2)) + "\n"


def format_chapters(shots: ShotList) -> str:
    """Return chapters in FFmpeg's metadata format, in milliseconds.

    Add them to a video with `ffmpeg -i video.mp4 -i shots.ffmeta -map_chapters 1 -codec copy chapters.mp4`.
    """
    lines = [";FFMETADATA1"]
    for number, (label, start, end) in enumerate(shots.shots, 1):
        begin, finish = (floor_milliseconds(shots.times[frame]) for frame in (start, end))
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={begin}", f"END={finish}"]
        lines.append(f"title=Shot {number} ({label})")
    return "\n".join([*lines, ""])


def format_scenes(shots: ShotList) -> str:
    """Return a table with the columns of PySceneDetect's list of scenes, without its line of cuts."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    points = ("Start Frame", "Start Timecode", "Start Time (seconds)", "End Frame", "End Timecode")
    lengths = ("End Time (seconds)", "Length (frames)", "Length (timecode)", "Length (seconds)")
    writer.writerow(["Scene Number", *points, *lengths])
    for number, (_, start, end) in enumerate(shots.shots, 1):
        begin, finish = (floor_milliseconds(shots.times[frame]) for frame in (start, end))
        cells: list[str | int] = [number]
        for frames, milliseconds in ((start + 1, begin), (end, finish), (end - start, finish - begin)):
            timecode = format_timecode(milliseconds / 1000).zfill(len("00:00:00.000"))
            cells += [frames, timecode, f"{milliseconds / 1000:.3f}"]
        writer.writerow(cells)
    return table.getvalue()


def format_smpte(frame: int, rate: int, is_drop: bool) -> str:
    """Return a time code that counts frames: hours, minutes, seconds and frames, modulo one day.

    Args:
        frame: number of the frame.
        rate: frames per second, rounded up to a whole number.
        is_drop: whether the first two numbers of each minute are left out (four at 60 frames per second), except
            in each tenth minute, so that the time code keeps up with the clock.

    >>> format_smpte(1800, 30, False), format_smpte(1800, 30, True)
    ('00:01:00:00', '00:01:00;02')
    """
    if is_drop:
        dropped = rate // 15
        tens, rest = divmod(frame, 600 * rate - 9 * dropped)
        frame += dropped * (9 * tens + max(0, (rest - dropped) // (60 * rate - dropped)))
    seconds, frames = divmod(frame, rate)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours % 24:02}:{minutes:02}:{seconds:02}{';' if is_drop else ':'}{frames:02}"


def parse_smpte(timecode: str, rate: int) -> int:
    """Return the number of the frame that has a time code; the inverse of `format_smpte`.

    >>> parse_smpte("00:01:00;02", 30)
    1800
    """
    hours, minutes, seconds, frames = map(int, re.split("[:;]", timecode))
    minutes += 60 * hours
    dropped = (minutes - minutes // 10) * (rate // 15) if ";" in timecode else 0
    return (60 * minutes + seconds) * rate + frames - dropped


def _read_start(shots: ShotList) -> tuple[int, bool]:
    """Return the number of the first frame, and whether its time code is a drop frame time code."""
    rate = round(shots.frame_rate)
    if not re.fullmatch(r"\d\d:\d\d:\d\d[:;]\d\d", shots.timecode):
        return 0, False
    is_drop = ";" in shots.timecode and shots.frame_rate in (Fraction(30000, 1001), Fraction(60000, 1001))
    return parse_smpte(shots.timecode if is_drop else shots.timecode.replace(";", ":"), rate), is_drop


def _place_shots(shots: ShotList) -> Iterator[tuple[str, int, int]]:
    """Yield label, first frame and end of each shot on a timeline of a constant frame rate."""
    for label, *bounds in shots.shots:
        seconds = (shots.times[frame] - shots.times[0] for frame in bounds)
        start, end = (round(time * shots.frame_rate) for time in seconds)
        if start < end:
            yield label, start, end


def _to_ascii(text: str) -> str:
    return "".join(sign if sign.isascii() and sign.isprintable() else "_" for sign in text)
