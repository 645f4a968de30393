"""Video files of every kind: turned upright, timed, and reported where something is missing."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from videos import make_frames, make_numbered_frames, read_number, write_video

from zoo.errors import VideoError
from zoo.preprocessing.video import format_timecode, open_video, read_clip
from zoo.preprocessing.video.truncation import find_stated_size

ROTATIONS = [(angle, flip, False) for angle in (0, 90, 180, -90) for flip in (False, True)]
"""All eight turns of a picture; the angle is counterclockwise, the flip is from left to right, and before it."""

NTSC_FILM = Fraction(24000, 1001)


def decode(path: Path, frame_size: tuple[int, int] | None = None) -> tuple[list[float], np.ndarray, str]:
    video = open_video(path)
    times, frames = zip(*video.decode(frame_size), strict=True)
    return list(times), np.stack(frames), video.problem


def difference(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


# Rotation.


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("rotation", ROTATIONS)
def test_rotated_videos_are_turned_upright(
    tmp_path: Path, rotation: tuple[float, bool, bool], suffix: str
) -> None:
    angle, flip, _ = rotation
    frames = make_frames(3)
    path = write_video(tmp_path / f"a.{suffix}", frames, rotation=rotation)
    upright = np.rot90(frames, angle // 90, axes=(1, 2))
    upright = upright[:, :, ::-1] if flip else upright
    _, decoded, problem = decode(path)
    assert difference(decoded, upright) < 5
    assert problem == ""
    wrong = [np.rot90(decoded, turns, axes=(1, 2)) for turns in (1, 2, 3)]
    assert all(difference(image, upright) > 15 for image in wrong if image.shape == upright.shape)


@pytest.mark.parametrize("rotation", ROTATIONS[1:])
def test_rotation_equals_that_of_ffmpeg(tmp_path: Path, rotation: tuple[float, bool, bool]) -> None:
    """FFmpeg's program turns by these filters, chosen by angle and matrix."""
    path = write_video(tmp_path / "a.mp4", make_frames(1), rotation=rotation)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        matrix = np.frombuffer(bytes(frame.side_data["DISPLAYMATRIX"]), np.int32)
        angle = -frame.rotation % 360  # clockwise
        filters: list[tuple[str, str]] = []
        if angle == 90:
            filters = [("transpose", "cclock_flip" if matrix[3] > 0 else "clock")]
        elif angle == 180:
            filters = [("hflip", "")] * int(matrix[0] < 0) + [("vflip", "")] * int(matrix[4] < 0)
        elif angle == 270:
            filters = [("transpose", "clock_flip" if matrix[3] < 0 else "cclock")]
        elif matrix[4] < 0:
            filters = [("vflip", "")]
        graph = av.filter.Graph()
        nodes = [graph.add_buffer(template=container.streams.video[0])]
        nodes += [graph.add(name, arguments) for name, arguments in filters]
        graph.link_nodes(*nodes, graph.add("buffersink")).configure()
        graph.push(frame)
        expected = graph.pull().to_ndarray(format="rgb24")
    assert difference(decode(path)[1][0], expected) < 3


def test_rotated_videos_are_scaled_to_the_size_of_upright_frames(tmp_path: Path) -> None:
    frames = make_frames(3)
    path = write_video(tmp_path / "a.mp4", frames, rotation=(90, False, False))
    small = frames.reshape(3, 8, 8, 12, 8, 3).mean((2, 4))
    assert difference(decode(path, (12, 8))[1], np.rot90(small, axes=(1, 2))) < 3
    assert difference(read_clip(path, (12, 8)).frames, np.rot90(small, axes=(1, 2))) < 3


def test_other_angles_and_damaged_matrices_are_ignored(tmp_path: Path) -> None:
    frames = make_frames(2)
    path = write_video(tmp_path / "a.mp4", frames, rotation=(45, False, False))
    assert difference(decode(path)[1], frames) < 5
    content = write_video(tmp_path / "b.mp4", frames, rotation=(90, False, False)).read_bytes()
    matrix = np.array([0, -65536, 0, 65536, 0, 0], ">i4").tobytes()
    assert matrix in content
    path.write_bytes(content.replace(matrix, bytes(len(matrix))))
    assert difference(decode(path)[1], frames) < 5


def test_images_of_a_directory_are_turned_upright(tmp_path: Path) -> None:
    frames = make_frames(2, 20, 30)
    for number, frame in enumerate(frames):
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise
        Image.fromarray(np.rot90(frame)).save(tmp_path / f"{number}.png", exif=exif)
    np.testing.assert_array_equal(decode(tmp_path)[1], frames)


# Times.


@pytest.mark.parametrize("rate", [24, 25, 30, 50, 60, 120])
@pytest.mark.parametrize("ntsc", [False, True])
def test_time_codes_identify_the_frame(rate: int, ntsc: bool) -> None:
    """The first frame at or after the time code is the one that is meant, in each of a minute and of an hour."""
    exact = Fraction(rate * 1000, 1001) if ntsc else Fraction(rate)
    for number in [*range(60 * rate), *range(3600 * rate, 3601 * rate)]:
        hours, minutes, seconds = format_timecode(float(number / exact)).split(":")
        time = 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
        assert -(-time * exact // 1) == number


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *[(0, "0:00:00.000"), (59.9996, "0:00:59.999"), (3599.5, "0:59:59.500")],
        *[(45296.789, "12:34:56.789"), (0.29, "0:00:00.290"), (1.001, "0:00:01.001")],
    ],
)
def test_format_timecode(seconds: float, expected: str) -> None:
    assert format_timecode(seconds) == expected


def seek(path: Path, timecode: str) -> int:
    """Return the number on the frame to which `ffmpeg -ss` seeks: the first one that is not earlier."""
    hours, minutes, seconds = timecode.split(":")
    with av.open(str(path)) as container:
        microseconds = round((3600 * int(hours) + 60 * int(minutes) + float(seconds)) * 1e6)
        target = container.start_time + microseconds
        container.seek(target - 1_000_000)  # where frames are reordered, a packet is earlier than its frame
        for frame in container.decode(video=0):
            if frame.pts is not None and frame.pts * frame.time_base * 1_000_000 > target - 1:
                return read_number(frame.to_ndarray(format="rgb24"))
    raise AssertionError(timecode)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize("delay", [0, 7])
def test_time_codes_are_seeked_to(tmp_path: Path, suffix: str, sound: str | None, delay: int) -> None:
    path = tmp_path / f"a.{suffix}"
    write_video(path, make_numbered_frames(48), NTSC_FILM, audio=sound, delay=delay)
    times, frames, problem = decode(path)
    assert problem == ""
    assert [read_number(frame) for frame in frames] == list(range(48))
    for number in range(0, 48, 5):
        assert seek(path, format_timecode(times[number])) == number


@pytest.mark.slow
def test_all_frames_of_a_minute_are_seeked_to(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", make_numbered_frames(1440), NTSC_FILM)
    times, _, _ = decode(path, (16, 192))
    assert [seek(path, format_timecode(time)) for time in times] == list(range(1440))


def test_time_codes_of_a_variable_frame_rate_are_seeked_to(tmp_path: Path) -> None:
    steps = np.random.default_rng(0).choice([0.004, 0.033, 0.4, 3.1], 40)
    path = write_video(tmp_path / "a.mkv", make_numbered_frames(40), times=np.cumsum(steps).tolist())
    times, _, problem = decode(path)
    assert problem == ""
    assert [seek(path, format_timecode(time)) for time in times] == list(range(40))


@pytest.mark.parametrize(
    "rate", [NTSC_FILM, Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24), Fraction(50)]
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "avi"])
def test_frame_rate(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", make_frames(20, 16, 16), rate)
    assert open_video(path).frame_rate == rate


# Truncated and damaged files.

COMPLETE: dict[str, dict] = {
    "a.mp4": {},
    "sound.mp4": {"audio": "aac"},
    "long_sound.mp4": {"audio": "aac", "audio_seconds": 9},
    "faststart.mp4": {"options": {"movflags": "+faststart"}},
    "fragments.mp4": {"options": {"movflags": "+frag_keyframe+empty_moov"}},
    "delayed.mp4": {"audio": "aac", "delay": 9},
    "slow.mp4": {"times": [0, 0.04, 0.08, 5.0, 5.04, 9.0]},
    "a.mov": {"metadata": {"timecode": "01:00:00:00"}},
    "a.mkv": {},
    "sound.mkv": {"audio": "aac"},
    "long_sound.mkv": {"audio": "flac", "audio_seconds": 9},
    "live.mkv": {"options": {"live": "1"}},
    "slow.mkv": {"times": [0, 0.04, 0.08, 5.0, 5.04, 9.0]},
    "lossless.mkv": {"codec": "ffv1"},
    "a.webm": {},
    "sound.webm": {"audio": "libopus"},
    "a.avi": {},
    "sound.avi": {"audio": "libmp3lame"},
    "reordered.avi": {"codec": "libx264"},
    "a.ts": {},
    "sound.ts": {"audio": "aac"},
    "a.mpg": {},
    "a.flv": {},
    "a.wmv": {},
    "a.gif": {},
}
"""Files of all kinds that have nothing wrong with them."""


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_files_have_no_problem(tmp_path: Path, name: str) -> None:
    count = len(COMPLETE[name].get("times", range(50)))
    path = write_video(tmp_path / name, make_frames(count, 48, 64), **COMPLETE[name])
    times, frames, problem = decode(path)
    assert (len(frames), problem) == (count, "")
    assert all(b > a for a, b in itertools.pairwise(times))


def test_edit_lists_have_no_problem(tmp_path: Path) -> None:
    """A file that shows a part of its frames only, as one that is cut without encoding."""
    path = write_video(tmp_path / "a.mp4", make_frames(50), codec_options={"bf": "0"})
    content = path.read_bytes()
    start = content.index(b"elst") + 12  # version, flags and count are before the duration
    shorter = np.array([1000, 20 * 512], ">i4").tobytes()
    path.write_bytes(content[:start] + shorter + content[start + 8 :])
    _, frames, problem = decode(path)
    assert 20 < len(frames) < 40
    assert problem == ""


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
@pytest.mark.parametrize(
    "name", ["a.mkv", "sound.mkv", "a.webm", "a.avi", "sound.avi", "faststart.mp4", "a.wmv"]
)
def test_truncated_files_are_reported(tmp_path: Path, name: str, share: float) -> None:
    path = write_video(tmp_path / name, make_frames(100, 48, 64), **COMPLETE[name])
    content = path.read_bytes()
    assert find_stated_size(path) == len(content)
    cut = content[: round(share * len(content))]
    path.write_bytes(cut)
    try:
        _, frames, problem = decode(path)
    except VideoError as error:
        assert share < 0.2
        frames, problem = np.zeros(0), str(error)
    assert f"the file seems truncated, it has {len(cut):,} of {len(content):,} bytes" in problem
    assert len(frames) < 100 or share == 0.9  # AVI has an index at its end
    if name != "a.wmv" and 0 < len(frames) < 100:
        assert f"{len(frames)} of about 10" in problem  # 100, or 101


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_mp4_without_its_index_is_refused(tmp_path: Path, share: float) -> None:
    path = write_video(tmp_path / "a.mp4", make_frames(50))
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    with pytest.raises(VideoError, match=r"Invalid data.*the file seems truncated, it has"):
        open_video(path)


@pytest.mark.parametrize(
    "name", ["a.mkv", "a.webm", "sound.mkv", "lossless.mkv", "a.avi", "a.mp4", "a.ts", "a.mpg", "a.flv"]
)
@pytest.mark.parametrize("part", ["middle", "end"])
def test_damaged_files_are_reported(tmp_path: Path, name: str, part: str) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (60, 48, 64, 3)).astype(np.uint8)
    path = write_video(tmp_path / name, frames, **COMPLETE[name])
    content = bytearray(path.read_bytes())
    start = len(content) // 2
    end = start + len(content) // 8 if part == "middle" else len(content)
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    try:
        _, decoded, problem = decode(path)
    except VideoError:  # the index of an MP4 file is at its end
        assert (name, part) == ("a.mp4", "end")
        return
    assert len(decoded) <= 60
    assert "is corrupt" in problem


def test_stated_size_ignores_what_is_appended(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.avi", "a.wmv"):
        path = write_video(tmp_path / name, make_frames(4, 16, 16))
        size = path.stat().st_size
        path.write_bytes(path.read_bytes() + b"\xff" * 999)
        assert find_stated_size(path) == size


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"", None),
        (b"\x1a\x45\xdf\xa3", None),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", None),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x41\x00", 11 + 256),
        (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0mdat", 16),
        (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x01mdat\0\0\0\1\0\0\0\0", 16 + 2**32),
        (b"\0\0\0\x10ftypisom\0\0\0\0\xff\xff\xff\xffabcd", 16),
        (b"RIFF\x10\0\0\0AVI LIST", 24),
        (b"RIFF\x10\0\0\0WAVELIST", None),
        (b"RIFF\x08\0\0\0AVI LISTRIFF\x64\0\0\0AVIX", 16 + 108),
    ],
)
def test_find_stated_size(tmp_path: Path, content: bytes, size: int | None) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert find_stated_size(path) == size
