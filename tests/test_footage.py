"""Edited footage: transitions, tags of frames, the embedded data set, and users' images and videos."""

import itertools
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from videos import make_frames, write_video

from zoo.datasets import DataSplits, TaggingSplit, load_footage, load_tagging
from zoo.datasets import footage as footage_module
from zoo.datasets.builders import footage
from zoo.datasets.builders.footage import (
    CLIP_LENGTH,
    CUT,
    DISSOLVE,
    FADE,
    GENTLE,
    SHOT,
    SIZE,
    TAGS,
    WILD,
    WIPE,
    Transition,
    builder,
    edit_clip,
    editing,
    find_visible_tags,
    load_stock,
    paint_background,
)
from zoo.datasets.builders.footage.camera import sample_pictures
from zoo.datasets.builders.footage.transitions import push
from zoo.errors import DataError

SPLITS = ("train", "validation", "test")
SMALL = (8, 11)
PLAIN = WILD._replace(similarity=0.0, hard_negatives=0.0)
OLD, NEW = np.array([200.0, 40.0, 90.0]), np.array([20.0, 180.0, 30.0])


def make_flat_shot(color: np.ndarray, count: int = 60) -> np.ndarray:
    """Make a shot of one color."""
    return np.full((count, *SMALL, 3), color, np.float32)


def make_transitions(kind: Callable[..., Transition]) -> list[Transition]:
    return [kind(np.random.default_rng(seed), make_flat_shot(OLD), make_flat_shot(NEW)) for seed in range(40)]


def measure_fractions(frames: np.ndarray) -> np.ndarray:
    """Return the fraction of the second shot in each pixel `[time, height, width]`."""
    share = (frames - OLD) / (NEW - OLD)
    np.testing.assert_allclose(share, np.broadcast_to(share[..., :1], share.shape), atol=1e-4)
    assert share.min() > -1e-4
    assert share.max() < 1 + 1e-4
    return share[..., 0]


# Transitions.


def test_cut_is_the_first_frame_of_the_second_shot() -> None:
    incoming = np.random.default_rng(0).uniform(0, 255, (9, *SMALL, 3)).astype(np.float32)
    transition = footage.cut(np.random.default_rng(1), make_flat_shot(OLD), incoming)
    assert (transition.num_outgoing, transition.num_incoming, transition.is_visible.tolist()) == (
        0,
        1,
        [True],
    )
    np.testing.assert_array_equal(transition.frames, incoming[:1])


def test_dissolve_mixes_increasing_fractions() -> None:
    lengths, unseen = set(), 0
    for transition in make_transitions(footage.dissolve):
        share = measure_fractions(transition.frames)
        assert np.ptp(share, axis=(1, 2)).max() < 1e-4
        share = share[:, 0, 0]
        assert (np.diff(share) > 0).all()
        assert 0 < share[0] < share[-1] < 1
        np.testing.assert_array_equal(transition.is_visible, (share > 0.03) & (share < 0.97))
        assert transition.num_outgoing == transition.num_incoming == len(share)
        lengths.add(len(share))
        unseen += (~transition.is_visible).sum()
    assert len(lengths) > 10
    assert min(lengths) >= 4
    assert 40 < max(lengths) <= 54  # a tenth of the second shot remains
    assert unseen > 10


def test_gentle_transitions_are_long_and_linear() -> None:
    for seed in range(20):
        transition = footage.dissolve(
            np.random.default_rng(seed), make_flat_shot(OLD), make_flat_shot(NEW), GENTLE
        )
        share = measure_fractions(transition.frames)[:, 0, 0]
        assert 10 <= len(share) <= 24
        np.testing.assert_allclose(np.diff(share), 1 / (len(share) + 1), atol=1e-4)


def test_dissolve_mixes_consecutive_frames() -> None:
    random = np.random.default_rng(0)
    outgoing, incoming = (random.uniform(0, 255, (30, *SMALL, 3)).astype(np.float32) for _ in range(2))
    transition = footage.dissolve(random, outgoing, incoming)
    count = len(transition.frames)
    before, after = outgoing[30 - count :], incoming[:count]
    share = ((transition.frames - before) / (after - before)).mean((1, 2, 3))[:, None, None, None]
    np.testing.assert_allclose(transition.frames, before + share * (after - before), atol=1e-2)


def test_fade_passes_through_black_or_white() -> None:
    whites = rests = 0
    for transition in make_transitions(footage.fade):
        count = len(transition.frames)
        rest = transition.frames[transition.num_outgoing : count - transition.num_incoming]
        out, into = (
            transition.frames[: transition.num_outgoing],
            transition.frames[count - transition.num_incoming :][::-1],
        )
        grounds = [*rest.ravel()]
        for color, part, is_visible in (
            (OLD, out, transition.is_visible[: transition.num_outgoing]),
            (NEW, into, transition.is_visible[count - transition.num_incoming :][::-1]),
        ):
            assert np.ptp(part, axis=(1, 2)).max() < 1e-3
            pixels = part[:, 0, 0].astype(float)
            # Black, gray and white have equal channels: a difference between channels is of the shot.
            left = (pixels[:, 0] - pixels[:, 1]) / (color[0] - color[1])
            assert (np.diff(left) < 0).all()
            assert 0 < left[-1] <= left[0] < 1
            grounds += (((pixels - left[:, None] * color) / (1 - left[:, None]))[left < 0.8]).ravel().tolist()
            np.testing.assert_array_equal(is_visible, left < 0.97)
        assert np.ptp(grounds) < 0.01
        assert 0 <= min(grounds) <= 12 or np.isclose(min(grounds), 255)
        assert transition.is_visible[transition.num_outgoing : count - transition.num_incoming].all()
        whites += min(grounds) > 12
        rests += len(rest) > 0
    assert 2 <= whites <= 15
    assert 20 < rests < 40


def test_wipe_shows_both_shots_side_by_side() -> None:
    sharp = pushed = 0
    for transition in make_transitions(footage.wipe):
        share = measure_fractions(transition.frames)
        mean = share.mean((1, 2))
        assert (np.diff(share, axis=0) > -1e-4).all()
        assert mean[0] < 0.5 < mean[-1]
        assert (np.diff(mean) > -1e-4).all()
        assert transition.num_outgoing == transition.num_incoming == len(mean) >= 6
        both = (mean > 0.03) & (mean < 0.97)
        # A push moves by whole pixels; its fraction is not rounded.
        near = (np.abs(mean - 0.03) < 0.08) | (np.abs(mean - 0.97) < 0.08)
        np.testing.assert_array_equal(transition.is_visible[~near], both[~near])
        if np.isclose(share % 1, 0, atol=1e-4).all():
            pushed += 1
        else:
            np.testing.assert_array_equal(transition.is_visible, both)
        sharp += (np.ptp(share, axis=(1, 2)) > 0.95).any()
    assert sharp > 20
    assert 2 < pushed < 30


@pytest.mark.parametrize("side", range(8))
def test_push_moves_the_second_shot_in_from_a_side(side: int) -> None:
    random = np.random.default_rng(side)
    outgoing, incoming = random.uniform(0, 255, (2, 1, 6, 9, 3)).astype(np.float32)
    frame = push(random, outgoing, incoming, np.array([1 / 3], np.float32))[0]
    before, after = outgoing[0], incoming[0]
    expected = {}
    for name, turned in (
        ("top", lambda picture: picture),
        ("bottom", lambda picture: picture[::-1]),
        ("left", lambda picture: picture.swapaxes(0, 1)),
        ("right", lambda picture: picture[:, ::-1].swapaxes(0, 1)),
    ):
        old, new = turned(before), turned(after)
        shift = len(old) // 3
        expected[f"{name}, out"] = turned, np.concatenate([old[shift:], new[:shift]])
        expected[f"{name}, over"] = turned, np.concatenate([old[:-shift], new[:shift]])
    matches = [
        name
        for name, (turned, picture) in expected.items()
        if turned(frame).shape == picture.shape and np.array_equal(turned(frame), picture)
    ]
    assert len(matches) == 1


def test_frames_of_transitions_have_their_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dark and light shots alternate, without noise, so that the frames determine the tags."""
    dark, light = 40.0, 220.0
    greys = itertools.cycle([dark, light])
    monkeypatch.setattr(editing, "film_shot", lambda *arguments: make_flat_shot(np.full(3, next(greys)), 40))
    monkeypatch.setattr(editing, "record", lambda rng, frames: frames)
    counts = np.zeros(len(TAGS), int)
    for seed in range(40):
        frames, tags = edit_clip(np.random.default_rng(seed), paint_background, 90, SMALL, PLAIN)
        assert (frames.shape, tags.shape) == ((90, *SMALL, 3), (90,))
        counts += np.bincount(tags, minlength=len(TAGS))
        values = frames.reshape(90, -1)
        means, flat_ones = values.mean(1), np.ptp(values, axis=1) < 1e-3
        share = (means - dark) / (light - dark)
        whole = flat_ones & (np.isclose(share, 0, atol=1e-5) | np.isclose(share, 1, atol=1e-5))
        of_cuts = np.flatnonzero(tags == CUT)
        assert whole[of_cuts].all()
        assert (np.abs(np.diff(means)[of_cuts[of_cuts > 0] - 1]) > 100).all()
        assert (np.minimum(np.abs(share), np.abs(1 - share))[tags == SHOT] < 0.04).all()
        assert set(tags[~flat_ones].tolist()) <= {WIPE, SHOT}
        assert (tags[flat_ones & (means < 30)] == FADE).all()
        assert set(tags[flat_ones & (share > 0.05) & (share < 0.95)].tolist()) <= {DISSOLVE, FADE}
    assert counts.min() > 20


def test_second_shot_continues_after_a_transition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shots grow lighter from frame to frame, beginning with black."""
    steps = np.arange(40, dtype=np.float32)[:, None, None, None]
    monkeypatch.setattr(editing, "film_shot", lambda *_: 6 * steps + np.zeros((*SMALL, 3), np.float32))
    monkeypatch.setattr(editing, "record", lambda rng, frames: frames)
    cuts = dissolves = 0
    for seed in range(10):
        frames, tags = edit_clip(np.random.default_rng(seed), paint_background, 90, SMALL, PLAIN)
        values, runs = frames[:, 0, 0, 0] / 6, [0, *(np.flatnonzero(np.diff(tags)) + 1)]
        for start, end in itertools.pairwise(runs):
            if tags[start] == CUT:
                assert values[start : start + 2].tolist() == [0, 1]
                cuts += 1
            if tags[start] == DISSOLVE and start and tags[end] == SHOT:
                assert values[end] > end - start - 2
                dissolves += 1
    assert min(cuts, dissolves) > 3


def test_changes_within_a_shot_are_no_transition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flashes, and a camera that moves so fast that all frames differ."""
    wild = np.random.default_rng(0).uniform(0, 255, (200, *SMALL, 3)).astype(np.float32)
    wild[::20] = 255
    monkeypatch.setattr(editing, "film_shot", lambda *arguments: wild)
    frames, tags = edit_clip(np.random.default_rng(3), paint_background, 60, SMALL, PLAIN)
    assert tags.tolist() == [SHOT] * 60
    assert np.abs(np.diff(frames.astype(float), axis=0)).mean((1, 2, 3)).min() > 50


# Clips.


def test_clip_depends_on_its_seed_alone() -> None:
    clips = [edit_clip(np.random.default_rng(seed), paint_background) for seed in (5, 5, 6)]
    for frames, tags in clips:
        assert (frames.shape, frames.dtype) == ((CLIP_LENGTH, *SIZE, 3), np.uint8)
        assert tags.shape == (CLIP_LENGTH,)
        assert np.issubdtype(tags.dtype, np.integer)
    np.testing.assert_array_equal(clips[0][0], clips[1][0])
    np.testing.assert_array_equal(clips[0][1], clips[1][1])
    assert np.abs(clips[0][0].astype(float) - clips[2][0]).mean() > 10


def test_clips_have_all_tags_and_change_alone_is_no_cut() -> None:
    clips = [edit_clip(np.random.default_rng(seed), paint_background, 80, (9, 16)) for seed in range(60)]
    frames, tags = (np.stack(each) for each in zip(*clips, strict=True))
    change = np.abs(np.diff(frames.astype(float), axis=1)).mean((2, 3, 4))
    of_cuts, of_shots = change[tags[:, 1:] == CUT], change[tags[:, 1:] == SHOT]
    assert len(of_cuts) > 20
    assert np.median(of_cuts) > 5 * np.median(of_shots)
    assert (of_shots > np.quantile(of_cuts, 0.2)).sum() > 10
    share = np.bincount(tags.ravel(), minlength=len(TAGS)) / tags.size
    assert share[SHOT] > 0.4
    assert (share[[DISSOLVE, FADE, WIPE]] > 0.03).all()
    assert len({row[0] for row in tags.tolist()}) > 2  # some begin within a transition


def bilinear(picture: np.ndarray, y: float, x: float) -> np.ndarray:
    """Interpolate one pixel of a picture that is mirrored beyond its border."""
    rows, columns, _ = picture.shape

    def at(row: int, column: int) -> np.ndarray:
        while not 0 <= row < rows:
            row = -1 - row if row < 0 else 2 * rows - 1 - row
        while not 0 <= column < columns:
            column = -1 - column if column < 0 else 2 * columns - 1 - column
        return picture[row, column].astype(float)

    top, left = int(np.floor(y)), int(np.floor(x))
    down, right = y - top, x - left
    above = at(top, left) * (1 - right) + at(top, left + 1) * right
    below = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return above * (1 - down) + below * down


def test_sampling_is_bilinear() -> None:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (3, 4, 7, 3)).astype(np.uint8)
    y, x = random.uniform(-11, 15, (3, 5, 6)), random.uniform(-19, 26, (3, 5, 6))
    samples = sample_pictures(pictures, y.astype(np.float32), x.astype(np.float32))
    assert samples.shape == (3, 5, 6, 3)
    for place in np.ndindex(3, 5, 6):
        expected = bilinear(pictures[place[0]], y[place], x[place])
        np.testing.assert_allclose(samples[place], expected, atol=0.01)


def test_sampling_is_exact_at_pixels_and_mirrored_beyond_them() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (2, 5, 3, 3)).astype(np.uint8)
    y, x = np.meshgrid(np.arange(-5, 10.0), np.arange(-3, 6.0), indexing="ij")
    samples = sample_pictures(pictures, np.stack([y, y]), np.stack([x, x]))
    wide = np.concatenate([pictures[:, ::-1], pictures, pictures[:, ::-1]], 1)
    np.testing.assert_array_equal(samples, np.concatenate([wide[:, :, ::-1], wide, wide[:, :, ::-1]], 2))


# What is hidden.


@pytest.mark.parametrize(("movement", "hides"), [(0.0, False), (25.0, True)])
def test_ends_of_transitions_hide_in_movement(
    monkeypatch: pytest.MonkeyPatch, movement: float, hides: bool
) -> None:
    colors = itertools.cycle([OLD, NEW])

    def film(rng: np.random.Generator, *arguments: object) -> np.ndarray:
        return make_flat_shot(next(colors), 70) + rng.uniform(-movement, movement, (70, *SMALL, 3))

    monkeypatch.setattr(editing, "film_shot", film)
    monkeypatch.setattr(editing, "record", lambda rng, frames: np.round(frames))
    num_hidden = 0
    for seed in range(20):
        tags, visible = find_visible_tags(np.random.default_rng(seed), paint_background, 90, SMALL, GENTLE)
        assert len(tags) == len(visible) == 90
        hidden = np.flatnonzero(tags != visible)
        assert set(tags[hidden].tolist()) <= {DISSOLVE, FADE, WIPE}
        assert set(visible[hidden].tolist()) <= {SHOT}
        inside = [SHOT, *visible.tolist(), SHOT]
        for frame in hidden:  # at an end
            assert SHOT in (inside[frame], inside[frame + 2])
        num_hidden += len(hidden)
    assert (num_hidden > 20) == hides
    assert num_hidden < 200


def test_tags_of_visible_frames_are_those_of_the_clip() -> None:
    _, expected = edit_clip(np.random.default_rng(7), paint_background, style=GENTLE)
    tags, _ = find_visible_tags(np.random.default_rng(7), paint_background)
    np.testing.assert_array_equal(tags, expected)


def test_ceiling_of_the_embedded_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "SIZES", {"test": 12})
    assert 95 < footage.compute_ceiling() < 100


# The embedded data set.


def test_embedded_footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"train": 4, "validation": 2, "test": 3}
    monkeypatch.setattr(builder, "SIZES", sizes)
    data = load_tagging("footage", data_dir=tmp_path)
    assert data.info.labels == TAGS
    assert data.info.source == "footage/1.0.0"
    assert data.info.license == "Apache-2.0"
    assert {split: len(getattr(data, split).names) for split in SPLITS} == sizes
    expected = [
        edit_clip(np.random.default_rng([2, number]), paint_background, style=GENTLE) for number in range(3)
    ]
    for frames, tags in expected:
        places = [np.array_equal(frames, other) for other in data.test.sequences]
        assert sum(places) == 1
        np.testing.assert_array_equal(data.test.tags[places.index(True)], tags)
    every = [frames for split in SPLITS for frames in getattr(data, split).sequences]
    for one, other in itertools.combinations(every, 2):
        assert (one != other).mean() > 0.5


# Users' footage.

QUICK = partial(load_footage, num_clips=3, size=SMALL)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty images, each of one color, in a subdirectory; and files that are no images."""
    directory = tmp_path_factory.mktemp("pictures")
    (directory / "more").mkdir()
    for number in range(30):
        color = (8 * number, 255 - 8 * number, 128)
        Image.new("RGB", (50, 30), color).save(
            directory / "more" / f"{number}.{'png' if number % 2 else 'JPG'}"
        )
    (directory / "notes.txt").write_text("no picture")
    (directory / "more" / "._1.png").write_bytes(b"what another system leaves behind")
    return directory


def collect_arrays(data: DataSplits[TaggingSplit]) -> list[np.ndarray]:
    parts: list[TaggingSplit] = [getattr(data, split) for split in SPLITS]
    return [array for part in parts for arrays in (part.sequences, part.tags) for array in arrays]


def test_clips_of_users_images(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, load = [], footage_module.load_stock
    monkeypatch.setattr(
        footage_module, "load_stock", lambda files, size: loaded.append(files) or load(files, size)
    )
    data = QUICK([pictures], num_clips=25)
    assert [len(getattr(data, split).names) for split in SPLITS] == [25, 2, 2]
    assert (data.info.labels, data.info.source) == (TAGS, str(pictures))
    assert "30 images and videos" in data.info.notes[0]
    train_files, validation_files, test_files = loaded
    assert len(train_files) + len(validation_files) + len(test_files) == 30
    assert data.info.notes[1] == (
        f"validation is edited from {len(validation_files)} of the files, and test from {len(test_files)}, "
        "chosen by a hash of their names."
    )
    for split in SPLITS:
        part = getattr(data, split)
        for frames, tags, times in zip(part.sequences, part.tags, part.times, strict=True):
            assert (frames.shape, frames.dtype) == ((CLIP_LENGTH, *SMALL, 3), np.uint8)
            assert (tags.shape, tags.dtype) == ((CLIP_LENGTH,), np.int32)
            assert set(tags.tolist()) <= set(range(len(TAGS)))
            np.testing.assert_array_equal(times, np.arange(CLIP_LENGTH))
    every = sorted(file.name for files in loaded for file in files)
    assert every == sorted(file.name for file in (pictures / "more").iterdir() if file.name[0] != ".")
    assert len(set(every)) == len(every) == 30  # each in one split
    assert all(loaded)
    for one, other in itertools.combinations(collect_arrays(data)[:25], 2):
        assert (one != other).any()


def test_clips_are_reproducible_and_cached(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = collect_arrays(QUICK([pictures]))
    cached = collect_arrays(QUICK([pictures], cache_dir=tmp_path / "cache"))
    files = sorted((tmp_path / "cache").iterdir())
    monkeypatch.setattr(footage_module, "_edit_split", lambda *arguments: pytest.fail("made again"))
    reused = collect_arrays(QUICK([pictures], cache_dir=tmp_path / "cache"))
    assert sorted((tmp_path / "cache").iterdir()) == files
    for one, other, third in zip(fresh, cached, reused, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)


@pytest.mark.parametrize("change", ["clips", "size", "file"])
def test_cache_is_renewed_after_a_change(pictures: Path, tmp_path: Path, change: str) -> None:
    for number, file in enumerate(sorted((pictures / "more").glob("[!.]*"))):
        (tmp_path / f"{number}{file.suffix}").write_bytes(file.read_bytes())
    cache = tmp_path / "cache"
    before = QUICK([tmp_path], cache_dir=cache).train
    if change == "file":
        for file in tmp_path.glob("*.png"):
            Image.new("RGB", (40, 40), "white").save(file)
    after = QUICK(
        [tmp_path], cache_dir=cache, **{"clips": {"num_clips": 4}, "size": {"size": (9, 12)}}.get(change, {})
    )
    after = after.train
    if change == "clips":
        assert len(after.sequences) == 4
    elif change == "size":
        assert after.sequences[0].shape == (CLIP_LENGTH, 9, 12, 3)
    else:
        assert any((one != other).any() for one, other in zip(before.sequences, after.sequences, strict=True))


@pytest.mark.parametrize("clips", range(1, 6))
def test_interrupted_edit_leaves_no_partial_files(
    pictures: Path, tmp_path: Path, clips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at each of the five clips of the three splits."""
    calls, edit = itertools.count(1), editing.edit_clip

    def edit_or_interrupt(*arguments: object, **options: object) -> tuple[np.ndarray, np.ndarray]:
        if next(calls) == clips:
            raise KeyboardInterrupt
        return edit(*arguments, **options)

    monkeypatch.setattr(editing, "edit_clip", edit_or_interrupt)
    with pytest.raises(KeyboardInterrupt):
        QUICK([pictures], cache_dir=tmp_path)
    monkeypatch.undo()
    for one, other in zip(
        collect_arrays(QUICK([pictures], cache_dir=tmp_path)), collect_arrays(QUICK([pictures])), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert not list(tmp_path.glob(".*"))


def test_stock_has_images_and_consecutive_frames_of_videos(tmp_path: Path) -> None:
    frames = make_frames(40, 64, 96)
    write_video(tmp_path / "a.mp4", frames)
    Image.new("L", (300, 600), 77).save(tmp_path / "b.png")
    stock = load_stock([tmp_path / "a.mp4", tmp_path / "b.png"], (27, 48))
    small = Image.fromarray(frames[0]).resize((96, 54), Image.Resampling.BOX)
    lengths, starts = [], set()
    for seed in range(120):
        pictures = stock(np.random.default_rng(seed), 12)
        lengths.append(len(pictures))
        if len(pictures) == 1:
            np.testing.assert_array_equal(pictures, np.full((1, 96, 48, 3), 77))
        else:
            assert pictures.shape == (12, 54, 96, 3)
            errors = [np.abs(pictures[0].astype(float) - np.roll(small, 5 * i, 1)).mean() for i in range(40)]
            starts.add(int(np.argmin(errors)))
            assert min(errors) < 5
            step = np.abs(pictures[1].astype(float) - np.roll(small, 5 * (np.argmin(errors) + 1), 1)).mean()
            assert step < 5
    assert set(lengths) == {1, 12}
    assert 90 < lengths.count(12) < 115  # a video of 40 frames has the weight 40 ** 0.5 = 6.3
    assert len(starts) > 10
    assert len(stock(np.random.default_rng(1), 90)) == 40  # the whole video


def test_videos_as_sources(pictures: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", make_frames(30))
    data = QUICK([pictures, tmp_path / "a.mp4"])
    assert "31 images and videos" in data.info.notes[0]
    assert data.info.source == f"{pictures}, {tmp_path / 'a.mp4'}"


def write_three_images(directory: Path) -> None:
    for number in range(3):
        Image.new("RGB", (20, 20)).save(directory / f"{number}.png")


def write_broken_file(content: bytes, name: str) -> Callable[[Path], None]:
    def make(directory: Path) -> None:
        for number in range(40):
            Image.new("RGB", (20, 20)).save(directory / f"{number}.png")
        (directory / name).write_bytes(content)

    return make


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x14\x00\x00\x00\x14\x08\x02\x00\x00\x00\x02"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda directory: directory.rmdir(), "{directory} does not exist. Expected images and videos"),
        (
            lambda directory: None,
            "found 0 images and videos, and none is left for train and validation and test",
        ),
        (write_three_images, "found 3 images and videos, and none is left for"),
        (write_broken_file(PNG, "x.png"), "x.png cannot be read"),
        (write_broken_file(b"some text\n" * 20, "x.jpg"), "x.jpg cannot be read"),
        (write_broken_file(b"some text\n" * 20, "x.mp4"), "x.mp4 cannot be read"),
    ],
)
def test_invalid_footage_raises(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    directory = tmp_path / "own"
    directory.mkdir()
    make(directory)
    with pytest.raises(DataError, match=re.escape(message.format(directory=directory))):
        QUICK([directory])


@pytest.mark.parametrize("kind", [str, Path])
def test_a_single_path_is_footage(kind: type, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(f"{tmp_path / 'photos'} does not exist.")):
        QUICK(kind(tmp_path / "photos"))


def test_the_size_is_passed_by_name(pictures: Path) -> None:
    with pytest.raises(TypeError, match="positional"):
        load_footage([pictures], 3, SMALL)


def test_too_small_frames_raise(pictures: Path) -> None:
    with pytest.raises(
        DataError, match=r"found 4 x 30 pixels, too small for an edit to be visible\. Expected 8 x 10"
    ):
        load_footage([pictures], 3, size=(4, 30))
