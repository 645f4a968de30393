"""Edited footage: which frame bears which tag, what is between two shots, and a user's own pictures."""

import itertools
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_video import make_frames, write_video

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
    WIPE,
    Transition,
    builder,
    edit_clip,
    editing,
    load_stock,
    paint_background,
)
from zoo.datasets.builders.footage.camera import sample_pictures
from zoo.datasets.builders.footage.transitions import push
from zoo.errors import DataError

SPLITS = ("train", "validation", "test")
SMALL = (8, 11)
OLD, NEW = np.array([200.0, 40.0, 90.0]), np.array([20.0, 180.0, 30.0])


def flat(color: np.ndarray, count: int = 60) -> np.ndarray:
    """A shot at which nothing happens."""
    return np.full((count, *SMALL, 3), color, np.float32)


def joins(kind: Callable[..., Transition]) -> list[Transition]:
    return [kind(np.random.default_rng(seed), flat(OLD), flat(NEW)) for seed in range(40)]


def shares(frames: np.ndarray) -> np.ndarray:
    """How much of the new shot is in each pixel [time, height, width]; nothing but the two is there."""
    share = (frames - OLD) / (NEW - OLD)
    np.testing.assert_allclose(share, np.broadcast_to(share[..., :1], share.shape), atol=1e-4)
    assert share.min() > -1e-4
    assert share.max() < 1 + 1e-4
    return share[..., 0]


# Joins.


def test_a_cut_is_the_first_frame_of_the_new_shot() -> None:
    incoming = np.random.default_rng(0).uniform(0, 255, (9, *SMALL, 3)).astype(np.float32)
    join = footage.cut(np.random.default_rng(1), flat(OLD), incoming)
    assert (join.num_outgoing, join.num_incoming, join.is_visible.tolist()) == (0, 1, [True])
    np.testing.assert_array_equal(join.frames, incoming[:1])


def test_a_dissolve_mixes_more_and_more_of_the_new_shot() -> None:
    lengths, unseen = set(), 0
    for join in joins(footage.dissolve):
        share = shares(join.frames)
        assert np.ptp(share, axis=(1, 2)).max() < 1e-4
        share = share[:, 0, 0]
        assert (np.diff(share) > 0).all()
        assert 0 < share[0] < share[-1] < 1
        np.testing.assert_array_equal(join.is_visible, (share > 0.03) & (share < 0.97))
        assert join.num_outgoing == join.num_incoming == len(share)
        lengths.add(len(share))
        unseen += (~join.is_visible).sum()
    assert len(lengths) > 10
    assert min(lengths) >= 4
    assert max(lengths) <= 30  # half of the new shot is left
    assert unseen > 10


def test_gentle_transitions_are_neither_short_nor_uneven() -> None:
    for seed in range(20):
        join = footage.dissolve(np.random.default_rng(seed), flat(OLD), flat(NEW), GENTLE)
        share = shares(join.frames)[:, 0, 0]
        assert 10 <= len(share) <= 24
        np.testing.assert_allclose(np.diff(share), 1 / (len(share) + 1), atol=1e-4)


def test_a_dissolve_mixes_frames_that_follow_each_other() -> None:
    random = np.random.default_rng(0)
    outgoing, incoming = (random.uniform(0, 255, (30, *SMALL, 3)).astype(np.float32) for _ in range(2))
    join = footage.dissolve(random, outgoing, incoming)
    count = len(join.frames)
    before, after = outgoing[30 - count :], incoming[:count]
    share = ((join.frames - before) / (after - before)).mean((1, 2, 3))[:, None, None, None]
    np.testing.assert_allclose(join.frames, before + share * (after - before), atol=1e-2)


def test_a_fade_passes_through_its_ground() -> None:
    whites = rests = 0
    for join in joins(footage.fade):
        count = len(join.frames)
        rest = join.frames[join.num_outgoing : count - join.num_incoming]
        out, into = join.frames[: join.num_outgoing], join.frames[count - join.num_incoming :][::-1]
        grounds = [*rest.ravel()]
        for color, part, seen in (
            (OLD, out, join.is_visible[: join.num_outgoing]),
            (NEW, into, join.is_visible[count - join.num_incoming :][::-1]),
        ):
            assert np.ptp(part, axis=(1, 2)).max() < 1e-3
            pixels = part[:, 0, 0].astype(float)
            # The ground is grey: what is left between two channels is the shot's.
            left = (pixels[:, 0] - pixels[:, 1]) / (color[0] - color[1])
            assert (np.diff(left) < 0).all()
            assert 0 < left[-1] <= left[0] < 1
            grounds += (((pixels - left[:, None] * color) / (1 - left[:, None]))[left < 0.8]).ravel().tolist()
            np.testing.assert_array_equal(seen, left < 0.97)
        assert np.ptp(grounds) < 0.01
        assert 0 <= min(grounds) <= 12 or np.isclose(min(grounds), 255)
        assert join.is_visible[join.num_outgoing : count - join.num_incoming].all()
        whites += min(grounds) > 12
        rests += len(rest) > 0
    assert 2 <= whites <= 15
    assert 20 < rests < 40


def test_a_wipe_shows_both_side_by_side() -> None:
    sharp = pushed = 0
    for join in joins(footage.wipe):
        share = shares(join.frames)
        mean = share.mean((1, 2))
        assert (np.diff(share, axis=0) > -1e-4).all()
        assert mean[0] < 0.5 < mean[-1]
        assert (np.diff(mean) > -1e-4).all()
        assert join.num_outgoing == join.num_incoming == len(mean) >= 6
        both = (mean > 0.03) & (mean < 0.97)
        # What is pushed moves by whole pixels, by a share that is not rounded.
        near = (np.abs(mean - 0.03) < 0.08) | (np.abs(mean - 0.97) < 0.08)
        np.testing.assert_array_equal(join.is_visible[~near], both[~near])
        if np.isclose(share % 1, 0, atol=1e-4).all():
            pushed += 1
        else:
            np.testing.assert_array_equal(join.is_visible, both)
        sharp += (np.ptp(share, axis=(1, 2)) > 0.95).any()
    assert sharp > 20
    assert 2 < pushed < 30


@pytest.mark.parametrize("side", range(8))
def test_what_is_pushed_in_comes_whole_from_a_side(side: int) -> None:
    random = np.random.default_rng(side)
    outgoing, incoming = random.uniform(0, 255, (2, 1, 6, 9, 3)).astype(np.float32)
    found = push(random, outgoing, incoming, np.array([1 / 3], np.float32))[0]
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
        if turned(found).shape == picture.shape and np.array_equal(turned(found), picture)
    ]
    assert len(matches) == 1


def test_each_kind_of_join_bears_its_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of dark and light shots in turn, without noise: tags follow from the frames."""
    dark, light = 40.0, 220.0
    greys = itertools.cycle([dark, light])
    monkeypatch.setattr(editing, "film_shot", lambda *given: flat(np.full(3, next(greys)), 40))
    monkeypatch.setattr(editing, "record", lambda rng, frames: frames)
    counts = np.zeros(len(TAGS), int)
    for seed in range(40):
        frames, tags = edit_clip(np.random.default_rng(seed), paint_background, 90, SMALL)
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


def test_after_a_join_the_new_shot_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of shots that grow lighter from frame to frame, from black."""
    steps = np.arange(40, dtype=np.float32)[:, None, None, None]
    monkeypatch.setattr(editing, "film_shot", lambda *given: 6 * steps + np.zeros((*SMALL, 3), np.float32))
    monkeypatch.setattr(editing, "record", lambda rng, frames: frames)
    cuts = dissolves = 0
    for seed in range(10):
        frames, tags = edit_clip(np.random.default_rng(seed), paint_background, 90, SMALL)
        values, runs = frames[:, 0, 0, 0] / 6, [0, *(np.flatnonzero(np.diff(tags)) + 1)]
        for start, end in itertools.pairwise(runs):
            if tags[start] == CUT:
                assert values[start : start + 2].tolist() == [0, 1]
                cuts += 1
            if tags[start] == DISSOLVE and start and tags[end] == SHOT:
                assert values[end] > end - start - 2
                dissolves += 1
    assert min(cuts, dissolves) > 3


def test_what_happens_within_a_shot_is_no_transition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flashes, and a camera that moves so fast that no two frames are alike."""
    wild = np.random.default_rng(0).uniform(0, 255, (200, *SMALL, 3)).astype(np.float32)
    wild[::20] = 255
    monkeypatch.setattr(editing, "film_shot", lambda *given: wild)
    frames, tags = edit_clip(np.random.default_rng(3), paint_background, 60, SMALL)
    assert tags.tolist() == [SHOT] * 60
    assert np.abs(np.diff(frames.astype(float), axis=0)).mean((1, 2, 3)).min() > 50


# Clips.


def test_a_clip_is_made_of_its_seed() -> None:
    clips = [edit_clip(np.random.default_rng(seed), paint_background) for seed in (5, 5, 6)]
    for frames, tags in clips:
        assert (frames.shape, frames.dtype) == ((CLIP_LENGTH, *SIZE, 3), np.uint8)
        assert tags.shape == (CLIP_LENGTH,)
        assert np.issubdtype(tags.dtype, np.integer)
    np.testing.assert_array_equal(clips[0][0], clips[1][0])
    np.testing.assert_array_equal(clips[0][1], clips[1][1])
    assert np.abs(clips[0][0].astype(float) - clips[2][0]).mean() > 10


def test_clips_show_all_that_can_happen_and_change_alone_tells_nothing() -> None:
    made = [edit_clip(np.random.default_rng(seed), paint_background, 80, (9, 16)) for seed in range(40)]
    frames, tags = (np.stack(each) for each in zip(*made, strict=True))
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
    """The picture and its mirror images around it, one pixel at a time."""
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


def test_pictures_are_read_between_their_pixels() -> None:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (3, 4, 7, 3)).astype(np.uint8)
    y, x = random.uniform(-11, 15, (3, 5, 6)), random.uniform(-19, 26, (3, 5, 6))
    found = sample_pictures(pictures, y.astype(np.float32), x.astype(np.float32))
    assert found.shape == (3, 5, 6, 3)
    for place in np.ndindex(3, 5, 6):
        expected = bilinear(pictures[place[0]], y[place], x[place])
        np.testing.assert_allclose(found[place], expected, atol=0.01)


def test_at_pixels_and_in_the_mirror_a_picture_is_exact() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (2, 5, 3, 3)).astype(np.uint8)
    y, x = np.meshgrid(np.arange(-5, 10.0), np.arange(-3, 6.0), indexing="ij")
    found = sample_pictures(pictures, np.stack([y, y]), np.stack([x, x]))
    wide = np.concatenate([pictures[:, ::-1], pictures, pictures[:, ::-1]], 1)
    np.testing.assert_array_equal(found, np.concatenate([wide[:, :, ::-1], wide, wide[:, :, ::-1]], 2))


# The embedded default.


def test_the_embedded_clips_come_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


# A user's own footage.

QUICK = partial(load_footage, num_clips=3, size=SMALL)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty pictures, each of one hue, in a folder within the folder; and what is none."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "more").mkdir()
    for number in range(30):
        color = (8 * number, 255 - 8 * number, 128)
        Image.new("RGB", (50, 30), color).save(folder / "more" / f"{number}.{'png' if number % 2 else 'JPG'}")
    (folder / "notes.txt").write_text("no picture")
    (folder / "more" / "._1.png").write_bytes(b"what another system leaves behind")
    return folder


def all_of(data: DataSplits[TaggingSplit]) -> list[np.ndarray]:
    parts: list[TaggingSplit] = [getattr(data, split) for split in SPLITS]
    return [array for part in parts for own in (part.sequences, part.tags) for array in own]


def test_clips_of_a_users_pictures(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, read = [], footage_module.load_stock
    monkeypatch.setattr(
        footage_module, "load_stock", lambda files, size: taken.append(files) or read(files, size)
    )
    data = QUICK([pictures], num_clips=25)
    assert [len(getattr(data, split).names) for split in SPLITS] == [25, 2, 2]
    assert (data.info.labels, data.info.source) == (TAGS, str(pictures))
    assert "30 images and videos" in data.info.notes[0]
    for split in SPLITS:
        part = getattr(data, split)
        for frames, tags, times in zip(part.sequences, part.tags, part.times, strict=True):
            assert (frames.shape, frames.dtype) == ((CLIP_LENGTH, *SMALL, 3), np.uint8)
            assert (tags.shape, tags.dtype) == ((CLIP_LENGTH,), np.int32)
            assert set(tags.tolist()) <= set(range(len(TAGS)))
            np.testing.assert_array_equal(times, np.arange(CLIP_LENGTH))
    every = sorted(file.name for files in taken for file in files)
    assert every == sorted(file.name for file in (pictures / "more").iterdir() if file.name[0] != ".")
    assert len(set(every)) == len(every) == 30  # each in one split
    assert all(taken)
    for one, other in itertools.combinations(all_of(data)[:25], 2):
        assert (one != other).any()


def test_clips_are_the_same_again_and_kept_to_be_used_again(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = all_of(QUICK([pictures]))
    cached = all_of(QUICK([pictures], cache_dir=tmp_path / "cache"))
    files = sorted((tmp_path / "cache").iterdir())
    monkeypatch.setattr(footage_module, "_edit_split", lambda *given: pytest.fail("made again"))
    again = all_of(QUICK([pictures], cache_dir=tmp_path / "cache"))
    assert sorted((tmp_path / "cache").iterdir()) == files
    for one, other, third in zip(fresh, cached, again, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)


@pytest.mark.parametrize("change", ["clips", "size", "file"])
def test_what_changes_is_made_anew(pictures: Path, tmp_path: Path, change: str) -> None:
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
def test_an_interrupted_edit_leaves_nothing_half_made(
    pictures: Path, tmp_path: Path, clips: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five clips in three splits, some are made before Ctrl-C."""
    made, real = itertools.count(1), editing.edit_clip

    def until(*given: object, **options: object) -> tuple[np.ndarray, np.ndarray]:
        if next(made) == clips:
            raise KeyboardInterrupt
        return real(*given, **options)

    monkeypatch.setattr(editing, "edit_clip", until)
    with pytest.raises(KeyboardInterrupt):
        QUICK([pictures], cache_dir=tmp_path)
    monkeypatch.undo()
    for one, other in zip(
        all_of(QUICK([pictures], cache_dir=tmp_path)), all_of(QUICK([pictures])), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert not list(tmp_path.glob(".*"))


def test_a_stock_is_of_its_files_and_of_videos_as_they_go(tmp_path: Path) -> None:
    frames = make_frames(40, 64, 96)
    write_video(tmp_path / "a.mp4", frames)
    Image.new("L", (300, 600), 77).save(tmp_path / "b.png")
    stock = load_stock([tmp_path / "a.mp4", tmp_path / "b.png"], (27, 48))
    small = Image.fromarray(frames[0]).resize((96, 54), Image.Resampling.BOX)
    lengths, starts = [], set()
    for seed in range(120):
        found = stock(np.random.default_rng(seed), 12)
        lengths.append(len(found))
        if len(found) == 1:
            np.testing.assert_array_equal(found, np.full((1, 96, 48, 3), 77))
        else:
            assert found.shape == (12, 54, 96, 3)
            errors = [np.abs(found[0].astype(float) - np.roll(small, 5 * i, 1)).mean() for i in range(40)]
            starts.add(int(np.argmin(errors)))
            assert min(errors) < 5
            step = np.abs(found[1].astype(float) - np.roll(small, 5 * (np.argmin(errors) + 1), 1)).mean()
            assert step < 5
    assert set(lengths) == {1, 12}
    assert 90 < lengths.count(12) < 115  # a video of 40 frames counts by the root: 6.3 to 1
    assert len(starts) > 10
    assert len(stock(np.random.default_rng(1), 90)) == 40  # no more than there is


def test_videos_may_be_among_the_sources(pictures: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", make_frames(30))
    data = QUICK([pictures, tmp_path / "a.mp4"])
    assert "31 images and videos" in data.info.notes[0]
    assert data.info.source == f"{pictures}, {tmp_path / 'a.mp4'}"


def few(folder: Path) -> None:
    for number in range(3):
        Image.new("RGB", (20, 20)).save(folder / f"{number}.png")


def broken(content: bytes, name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for number in range(40):
            Image.new("RGB", (20, 20)).save(folder / f"{number}.png")
        (folder / name).write_bytes(content)

    return make


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x14\x00\x00\x00\x14\x08\x02\x00\x00\x00\x02"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder.rmdir(), "{folder} does not exist. Expected images and videos"),
        (
            lambda folder: None,
            "found 0 images and videos, and none is left for train and validation and test",
        ),
        (few, "found 3 images and videos, and none is left for"),
        (broken(PNG, "x.png"), "x.png cannot be read"),
        (broken(b"some text\n" * 20, "x.jpg"), "x.jpg cannot be read"),
        (broken(b"some text\n" * 20, "x.mp4"), "x.mp4 cannot be read"),
    ],
)
def test_every_mistake_in_footage_is_told(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    make(folder)
    with pytest.raises(DataError, match=re.escape(said.format(folder=folder))):
        QUICK([folder])


def test_frames_too_small_for_an_edit_are_a_mistake(pictures: Path) -> None:
    with pytest.raises(
        DataError, match=r"found 4 x 30 pixels, too small for an edit to be visible\. Expected 8 x 10"
    ):
        load_footage([pictures], 3, size=(4, 30))
