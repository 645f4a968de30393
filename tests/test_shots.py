"""Lists of shots as other programs read them, and videos that are cut at the shots."""

import csv
import itertools
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime
from videos import make_numbered_frames, read_number, write_video

from zoo.errors import UsageError, VideoError
from zoo.metrics import Segment
from zoo.preprocessing.video import format_timecode, open_video
from zoo.shots import SHOT_LIST_SUFFIXES
from zoo.shots.lists import ShotList, close_gaps, format_smpte, parse_smpte, write_shot_list
from zoo.shots.splitting import split_video

NTSC = Fraction(30000, 1001)
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), 2 * NTSC]
BOUNDS = (0, 11, 12, 29, 45, 60)
"""Of five shots; one of them has a single frame."""


def list_shots(path: Path, bounds: tuple[int, ...] = BOUNDS) -> ShotList:
    """Shots of a video that has the last bound as its number of frames."""
    video = open_video(path)
    times = [time for time, _ in video.decode((4, 4))]
    assert len(times) == bounds[-1]
    shots = [Segment("cut" if start else "start", start, end) for start, end in itertools.pairwise(bounds)]
    end = times[-1] + float(1 / video.frame_rate)
    return ShotList(path, tuple(shots), (*times, end), video.frame_rate, video.timecode)


def make_shots(rate: Fraction, bounds: tuple[int, ...], timecode: str = "", offset: float = 0.0) -> ShotList:
    times = tuple(offset + float(number / rate) for number in range(bounds[-1] + 1))
    shots = [Segment("cut" if start else "start", start, end) for start, end in itertools.pairwise(bounds)]
    return ShotList(Path("holiday 1.mp4"), tuple(shots), times, rate, timecode)


def test_transitions_are_divided_between_their_shots() -> None:
    assert close_gaps([], 7) == (Segment("start", 0, 7),)
    shots = [Segment("fade", 4, 10), Segment("cut", 10, 12), Segment("wipe", 19, 25)]
    expected = (Segment("fade", 0, 10), Segment("cut", 10, 15), Segment("wipe", 15, 30))
    assert close_gaps(shots, 30) == expected


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("is_drop", [False, True])
def test_time_codes_equal_those_of_opentimelineio(rate: Fraction, is_drop: bool) -> None:
    if (is_drop and rate.denominator == 1) or (is_drop and rate < 25):
        return
    nominal = round(rate)
    numbers = [
        *range(125 * nominal),
        *range(590 * nominal, 610 * nominal),
        *range(3599 * nominal, 3602 * nominal),
    ]
    for number in numbers:
        timecode = format_smpte(number, nominal, is_drop)
        assert parse_smpte(timecode, nominal) == number
        if number % 7 == 0 or number % nominal < 3:
            time = RationalTime(number, float(rate))
            assert timecode == time.to_timecode(float(rate), is_drop)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("offset", [0.0, 0.021])
def test_edl_is_read_with_the_same_frames(tmp_path: Path, rate: Fraction, offset: float) -> None:
    bounds = (0, 1, 700, 1800, 1802, 20_000)
    path = tmp_path / "a.edl"
    write_shot_list(make_shots(rate, bounds, offset=offset), path)
    timeline = otio.adapters.read_from_file(str(path), rate=float(rate))
    ranges = [clip.source_range for clip in timeline.find_clips()]
    assert [span.start_time.to_frames() for span in ranges] == list(bounds[:-1])
    assert [span.end_time_exclusive().to_frames() for span in ranges] == list(bounds[1:])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["TITLE: holiday 1", "FCM: NON-DROP FRAME"]
    assert "* FROM CLIP NAME: holiday 1.mp4" in lines


@pytest.mark.parametrize(
    ("timecode", "fcm"), [("00:59:59:28", "NON-DROP FRAME"), ("00:59:59;28", "DROP FRAME")]
)
def test_edl_has_the_time_code_of_the_file(tmp_path: Path, timecode: str, fcm: str) -> None:
    path = tmp_path / "a.edl"
    write_shot_list(make_shots(NTSC, (0, 4, 4000), timecode), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1] == f"FCM: {fcm}"
    first, second = (line.split()[4:6] for line in lines if " AX " in line)
    sign = timecode[8]
    assert first == [timecode, f"01:00:00{sign}02"]
    assert second == [f"01:00:00{sign}02", "01:02:13:08" if sign == ":" else "01:02:13;12"]


def test_edl_refuses_rates_with_three_digits(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has 120 frames per second\. Expected at most 99 for an EDL"):
        write_shot_list(make_shots(Fraction(120), (0, 4)), tmp_path / "a.edl")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", RATES)
def test_otio_is_read_with_the_same_frames(tmp_path: Path, rate: Fraction) -> None:
    path = tmp_path / "a.otio"
    write_shot_list(make_shots(rate, (0, 11, 300), "01:00:00:00"), path)
    timeline = otio.adapters.read_from_file(str(path))
    first, second = timeline.find_clips()
    start = 3600 * round(rate)
    assert timeline.global_start_time == RationalTime(start, float(rate))
    assert second.source_range.start_time == RationalTime(start + 11, float(rate))
    assert second.source_range.duration == RationalTime(289, float(rate))
    assert first.media_reference.available_range.duration == RationalTime(300, float(rate))
    assert first.media_reference.target_url == Path("holiday 1.mp4").resolve().as_uri()
    assert second.metadata["zoo"] == {"begins_with": "cut"}
    assert timeline.duration() == RationalTime(300, float(rate))


def test_otio_without_its_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(
        UsageError, match=r"needs OpenTimelineIO, which is missing\. Install the extra `otio`"
    ):
        write_shot_list(make_shots(NTSC, (0, 4)), tmp_path / "a.otio")


def test_chapters_are_read_by_ffmpeg(tmp_path: Path) -> None:
    shots = make_shots(Fraction(24000, 1001), (0, 1, 700, 1800))
    path = tmp_path / "a.ffmeta"
    write_shot_list(shots, path)
    with av.open(str(path), format="ffmetadata") as container:
        chapters = container.chapters()
    assert [chapter["start"] for chapter in chapters] == [0, 41, 29195]
    assert [chapter["end"] for chapter in chapters] == [41, 29195, 75075]
    assert all(chapter["time_base"] == Fraction(1, 1000) for chapter in chapters)
    assert chapters[1]["metadata"] == {"title": "Shot 2 (cut)"}


def test_scenes_are_written_as_pyscenedetect_does(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_shot_list(make_shots(Fraction(25), (0, 30, 100_000)), path)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [
        *(
            "Scene Number",
            "Start Frame",
            "Start Timecode",
            "Start Time (seconds)",
            "End Frame",
            "End Timecode",
        ),
        *("End Time (seconds)", "Length (frames)", "Length (timecode)", "Length (seconds)"),
    ]
    assert rows == [
        ["1", "1", "00:00:00.000", "0.000", "30", "00:00:01.200", "1.200", "30", "00:00:01.200", "1.200"],
        [
            *("2", "31", "00:00:01.200", "1.200", "100000", "01:06:40.000", "4000.000"),
            *("99970", "01:06:38.800", "3998.800"),
        ],
    ]


@pytest.mark.parametrize("suffix", SHOT_LIST_SUFFIXES)
def test_lists_of_a_variable_frame_rate_are_complete(tmp_path: Path, suffix: str) -> None:
    """On a timeline of 25 frames per second a shot of 0.01 s has no frame."""
    times = (0.0, 0.4, 1.0, 1.01, 1.4, 2.0)
    shots = tuple(Segment("cut", start, end) for start, end in [(0, 2), (2, 3), (3, 5)])
    path = tmp_path / f"a{suffix}"
    write_shot_list(ShotList(Path("a.mp4"), shots, times, Fraction(25)), path)
    if suffix in (".edl", ".otio"):
        clips = otio.adapters.read_from_file(
            str(path), **({"rate": 25} if suffix == ".edl" else {})
        ).find_clips()
        starts = [clip.source_range.start_time.to_seconds() for clip in clips]
        assert starts == [0.0, 1.0]
    else:
        assert "1.010" in path.read_text() or "1010" in path.read_text()


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"found another suffix\. Expected \.edl"):
        write_shot_list(make_shots(NTSC, (0, 4)), tmp_path / "a.txt")


def test_lists_are_written_completely_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.edl"
    path.write_text("earlier")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="No space left"):
        write_shot_list(make_shots(NTSC, (0, 4)), path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.edl"]
    assert path.read_bytes() == b"earlier"


# Splitting.

KINDS: dict[str, dict] = {
    "a.mp4": {},
    "sound.mp4": {"audio": "aac"},
    "sound.mov": {"audio": "pcm_s16le"},
    "sound.mkv": {"audio": "aac"},
    "delayed.mkv": {"audio": "aac", "delay": 5},
    "sound.webm": {"audio": "libopus"},
    "sound.ts": {"audio": "aac"},
    "sound.avi": {"audio": "libmp3lame"},
    "a.m4v": {},
    "open_gop.mp4": {"codec_options": {"x264-params": "open-gop=1:keyint=8:bframes=3:b-adapt=0"}},
    "rotated.mp4": {"rotation": (90, False, False)},
}


def read_numbers(path: Path) -> list[int]:
    """The numbers that the frames of a part show; a part must have nothing wrong with it."""
    video = open_video(path)
    numbers = []
    for _, frame in video.decode():
        upright = np.rot90(frame, -1) if frame.shape[0] > frame.shape[1] else frame
        numbers.append(read_number(upright))
    assert video.problem == ""
    return numbers


def measure_sound(path: Path) -> tuple[float, float]:
    """Return the time of the first and the end of the last packet of sound."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.pts is not None]
        start = container.streams.video[0].start_time * container.streams.video[0].time_base
        last = packets[-1]
        times = packets[0].pts * last.time_base, (last.pts + (last.duration or 0)) * last.time_base
        return float(times[0] - start), float(times[1] - start)


@pytest.mark.parametrize("name", KINDS)
def test_copied_parts_have_all_frames_from_a_keyframe_on(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    write_video(tmp_path / name, make_numbered_frames(60), **kind)
    shots = list_shots(tmp_path / name)
    parts = split_video(shots, tmp_path / "parts")
    starts = [format_timecode(shots.times[start]).replace(":", "-") for start in BOUNDS[:-1]]
    assert [part.name for part in parts] == [
        f"{number}_{start}{Path(name).suffix}"
        for number, start in zip(("001", "002", "003", "004", "005"), starts, strict=True)
    ]
    with av.open(str(tmp_path / name)) as container:
        keyframes = [frame for frame, image in enumerate(container.decode(video=0)) if image.key_frame]
    for part, (start, end) in zip(parts, itertools.pairwise(BOUNDS), strict=True):
        numbers = read_numbers(part)
        first = max(frame for frame in keyframes if frame <= start)
        assert numbers[: end - first] == list(range(first, end))
        assert len(numbers) - (end - first) <= 4  # which are stored before a frame that is shown earlier
        if "audio" in kind:
            sound = measure_sound(part)
            assert abs(sound[0]) < 0.08
            last = end - kind.get("delay", 0) if end == 60 else end  # the sound ends earlier than the video
            assert abs(sound[1] - 0.04 * (last - first)) < 0.08
    with av.open(str(parts[0])) as container, av.open(str(tmp_path / name)) as source:
        assert container.streams.video[0].codec_context.name == source.streams.video[0].codec_context.name


@pytest.mark.parametrize("name", [*KINDS, "reordered.avi"])
def test_exact_parts_have_the_frames_of_their_shots(tmp_path: Path, name: str) -> None:
    kind = KINDS.get(name, {"codec": "libx264"})
    write_video(tmp_path / name, make_numbered_frames(60), **kind)
    shots = list_shots(tmp_path / name)
    parts = split_video(shots, tmp_path / "parts", is_exact=True)
    for part, (start, end) in zip(parts, itertools.pairwise(BOUNDS), strict=True):
        assert part.suffix == (Path(name).suffix if name[-3:] in ("mp4", "mov", "mkv", "m4v") else ".mkv")
        assert read_numbers(part) == list(range(start, end))
        times = [time for time, _ in open_video(part).decode()]
        np.testing.assert_allclose(np.diff(times), np.diff(shots.times[start:end]), atol=2e-3)
        if "audio" in kind and end - start > 1:
            sound = measure_sound(part)
            assert abs(sound[0]) < 0.08
            last = end - kind.get("delay", 0) if end == 60 else end
            assert abs(sound[1] - 0.04 * (last - start)) < 0.08


@pytest.mark.parametrize("is_exact", [False, True])
def test_parts_of_a_variable_frame_rate_keep_their_times(tmp_path: Path, is_exact: bool) -> None:
    times = np.cumsum(np.random.default_rng(2).choice([0.02, 0.04, 0.5], 60)).tolist()
    write_video(tmp_path / "a.mp4", make_numbered_frames(60), times=times)
    parts = split_video(list_shots(tmp_path / "a.mp4"), tmp_path / "parts", is_exact=is_exact)
    for part, start in zip(parts, BOUNDS[:-1], strict=True):
        numbers = read_numbers(part)
        assert is_exact <= (numbers[0] == start)
        part_times = [time for time, _ in open_video(part).decode()]
        np.testing.assert_allclose(part_times, np.take(times, numbers) - times[numbers[0]], atol=2e-3)


def test_exact_parts_of_odd_sizes_and_other_colors(tmp_path: Path) -> None:
    frames = make_numbered_frames(60)[:, :15]
    write_video(tmp_path / "a.mkv", frames, codec="ffv1")
    parts = split_video(list_shots(tmp_path / "a.mkv"), tmp_path / "parts", is_exact=True)
    assert read_numbers(parts[-1]) == list(range(45, 60))
    assert next(open_video(parts[0]).decode())[1].shape == (15, 192, 3)


def test_existing_directories_are_not_overwritten(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", make_numbered_frames(60))
    (tmp_path / "parts").mkdir()
    with pytest.raises(UsageError, match=r"parts exists\. Expected a new directory"):
        split_video(list_shots(tmp_path / "a.mp4"), tmp_path / "parts")


def test_packets_without_a_keyframe_are_not_copied(tmp_path: Path) -> None:
    write_video(tmp_path / "a.ts", make_numbered_frames(60))
    content = (tmp_path / "a.ts").read_bytes()
    shots = list_shots(tmp_path / "a.ts")
    (tmp_path / "a.ts").write_bytes(content[188 * 30 :])
    with pytest.raises(VideoError, match=r"begins without a keyframe\. Its packets cannot be copied"):
        split_video(shots, tmp_path / "parts")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ts"]


LIMITED = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from test_shots import list_shots
from zoo.errors import UsageError
from zoo.shots.splitting import split_video
shots = list_shots(Path(sys.argv[1]))
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    split_video(shots, Path(sys.argv[2]), is_exact=sys.argv[4] == "exact")
except UsageError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["copy", "exact"])
def test_full_disk_leaves_nothing(tmp_path: Path, mode: str) -> None:
    """A limit of the size of files stands for a full disk: it is reached within a part."""
    write_video(tmp_path / "a.mkv", make_numbered_frames(60), audio="pcm_s16le")
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "a.mkv"), str(tmp_path / "parts"), "20000", mode]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "parts cannot be written: File too large" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]
