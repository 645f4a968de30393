"""The embedded data set `clips`: drawings match their captions, and splits share no combination."""

import itertools

import numpy as np
import pytest

from zoo.datasets import CaptioningSplit, DataSplits, load_captioning
from zoo.datasets.builders import clips
from zoo.datasets.builders.clips import ACTIONS_ALONE, DIRECTIONS, MOVES, RELATIONS, SIDE, Event, Thing
from zoo.datasets.builders.drawing import COLORS

SPLITS = ("train", "validation", "test")
SIZES = {"train": 300, "validation": 40, "test": 60}
RED, BLUE = Thing("red", "circle"), Thing("blue", "square")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSplits[CaptioningSplit]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "SIZES", SIZES)
        return load_captioning("clips", data_dir=tmp_path_factory.mktemp("clips"))


def find_color(color: str, frames: np.ndarray) -> np.ndarray:
    """Return where a color is visible, bool `[time, height, width]`."""
    return np.abs(frames.astype(int) - COLORS[color]).sum(-1) < 130


def find_centers(masks: np.ndarray) -> np.ndarray:
    """Return x and y of the center of the mask in each frame, `[time, 2]`."""
    return np.stack([np.argwhere(frame).mean(0)[::-1] for frame in masks])


def test_clips_sizes_lengths_and_captions(data: DataSplits[CaptioningSplit]) -> None:
    for split in SPLITS:
        part, videos = getattr(data, split), list(getattr(data, split).read_inputs())
        assert len(videos) == len(part.names) == len(part.captions) == SIZES[split]
        assert all(frames.dtype == np.uint8 and frames.shape[1:] == (SIDE, SIDE, 3) for frames in videos)
        lengths = {len(frames) for frames in videos}
        assert min(lengths) >= 10
        assert max(lengths) <= 18
        assert len(lengths) > 7
    assert data.info.is_video


def test_clips_are_reproducible(data: DataSplits[CaptioningSplit]) -> None:
    """A clip depends on its split and number alone; TFDS stores clips in another order."""
    prepared = zip(data.test.read_inputs(), data.test.captions, strict=True)
    stored = {(frames.tobytes(), caption) for frames, (caption,) in prepared}
    generated = {
        (frames.tobytes(), caption) for frames, caption in (clips.make_clip("test", n) for n in range(60))
    }
    assert stored == generated


def find_pairs(captions: list[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return the two shapes of each caption, or the one shape and its action."""
    pairs = set()
    for (caption,) in captions:
        words = caption.split()
        assert words[0] == "a"
        pairs.add((*words[1:3], *(words[-2:] if words.count("a") == 2 else words[3:])))
    return pairs


def test_clips_share_no_combination_between_splits_and_train_has_all_words(
    data: DataSplits[CaptioningSplit],
) -> None:
    pairs = {split: find_pairs(getattr(data, split).captions) for split in SPLITS}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not pairs[one] & pairs[other]
    words = {
        split: {word for (caption,) in getattr(data, split).captions for word in caption.split()}
        for split in SPLITS
    }
    assert words["validation"] | words["test"] <= words["train"]
    assert words["train"] >= {
        *clips.COLOR_NAMES,
        *clips.SHAPES,
        *DIRECTIONS,
        "behind",
        "front",
        "towards",
        "away",
        "past",
    }
    assert words["train"] >= {"back", "grows", "shrinks"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("does", MOVES)
@pytest.mark.parametrize("relation", RELATIONS)
def test_movements_match_the_caption(does: str, relation: str, seed: int) -> None:
    event = Event(RED, does, relation, BLUE)
    assert str(event) == f"a red circle {does} {relation} a blue square"
    frames = clips.draw_event(event, np.random.default_rng(seed))
    red, blue = find_color("red", frames), find_color("blue", frames)
    alone = blue.sum((1, 2)) > 0.97 * blue.sum((1, 2)).max()
    resting = find_centers(blue[alone])
    assert np.ptp(resting, axis=0).max() < 1
    # The center of a shape is known only where the other does not cover it.
    shown = red.sum((1, 2)) > 0.97 * red.sum((1, 2)).max()
    way = find_centers(red[shown])
    steps, direction = np.diff(way, axis=0), np.array(DIRECTIONS[does.split()[1]])
    assert (steps @ direction > -0.5).all()
    assert np.abs(steps @ direction[::-1]).max() < 1
    assert (way[-1] - way[0]) @ direction > 0.24 * SIDE
    away = (resting.mean(0) - way) @ direction  # positive before the resting shape
    if relation in ("behind", "in front of"):
        assert away[0] > 0 > away[-1]
        covered, covering = (red, blue) if relation == "behind" else (blue, red)
        assert covered.sum((1, 2)).min() < 0.7 * np.median(covered.sum((1, 2)))
        assert covering.sum((1, 2)).min() > 0.85 * np.median(covering.sum((1, 2)))
    else:
        assert {"past": away[0] > 0 > away[-1], "towards": away[-1] > 0, "away from": away[0] < 0}[relation]
        for mask in (red, blue):
            assert mask.sum((1, 2)).min() > 0.85 * np.median(mask.sum((1, 2)))


@pytest.mark.parametrize("does", ACTIONS_ALONE)
def test_actions_of_one_shape_match_the_caption(does: str) -> None:
    event = Event(RED, does)
    assert str(event) == f"a red circle {does}"
    mask = find_color("red", clips.draw_event(event, np.random.default_rng(5)))
    way, size = find_centers(mask), mask.sum((1, 2))
    if does in ("grows", "shrinks"):
        assert np.ptp(way, axis=0).max() < 1
        start, end = (size[0], size[-1]) if does == "grows" else (size[-1], size[0])
        assert end > 2 * start
        assert (np.diff(size if does == "grows" else -size) > -4).all()
        return
    assert np.ptp(size) < 0.15 * size.max()
    along = (way - way[0]) @ np.array(DIRECTIONS[does.split()[1]])
    assert along.max() > 0.24 * SIDE * (0.8 if does.endswith("back") else 1)
    assert along.min() > -0.5
    if does.endswith("back"):
        assert along[-1] < 1
        top = along.argmax()
        assert (np.diff(along[: top + 1]) > -0.5).all()
        assert (np.diff(along[top:]) < 0.5).all()
    else:
        assert (np.diff(along) > -0.5).all()


def test_single_frames_do_not_reveal_the_direction() -> None:
    """A clip to the left has the frames of a clip to the right in reverse order."""
    left, right = (
        clips.draw_event(Event(RED, f"moves {way}"), np.random.default_rng(1)) for way in ("left", "right")
    )
    assert left.shape == right.shape
    ends = [find_centers(find_color("red", frames))[[0, -1], 0] for frames in (left, right)]
    np.testing.assert_allclose(ends[0], SIDE - 1 - ends[1], atol=1)


def test_split_depends_on_the_two_shapes_alone() -> None:
    things = clips.THINGS
    pairs = list(itertools.product(things[:20], things[20:]))
    splits = [Event(one, "moves up", "past", other).split for one, other in pairs]
    for split in ("validation", "test"):
        assert 0.06 < splits.count(split) / len(pairs) < 0.14
    for pair, split in zip(pairs[::40], splits[::40], strict=True):
        every = itertools.product(MOVES, RELATIONS)
        assert {Event(pair[0], does, relation, pair[1]).split for does, relation in every} == {split}
