"""Clips: what is drawn is what the caption says, and no combination is in two splits."""

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
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DataSplits[CaptioningSplit]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "SIZES", SIZES)
        return load_captioning("clips", data_dir=tmp_path_factory.mktemp("clips"))


def of(color: str, frames: np.ndarray) -> np.ndarray:
    """Where a thing of that color is seen, bool [time, height, width]."""
    return np.abs(frames.astype(int) - COLORS[color]).sum(-1) < 130


def middles(seen: np.ndarray) -> np.ndarray:
    """Of what is seen in each frame, [time, 2]: x and y."""
    return np.stack([np.argwhere(frame).mean(0)[::-1] for frame in seen])


def test_each_split_has_its_clips_with_one_caption_each(drawn: DataSplits[CaptioningSplit]) -> None:
    for split in SPLITS:
        part, found = getattr(drawn, split), list(getattr(drawn, split).read_inputs())
        assert len(found) == len(part.names) == len(part.captions) == SIZES[split]
        assert all(frames.dtype == np.uint8 and frames.shape[1:] == (SIDE, SIDE, 3) for frames in found)
        lengths = {len(frames) for frames in found}
        assert min(lengths) >= 10
        assert max(lengths) <= 18
        assert len(lengths) > 7
    assert drawn.info.is_video


def test_clips_are_the_same_at_every_preparation(drawn: DataSplits[CaptioningSplit]) -> None:
    """By split and number alone; TFDS keeps them in another order."""
    prepared = zip(drawn.test.read_inputs(), drawn.test.captions, strict=True)
    known = {(frames.tobytes(), said) for frames, (said,) in prepared}
    again = {(frames.tobytes(), said) for frames, said in (clips.make_clip("test", n) for n in range(60))}
    assert known == again


def combinations(captions: list[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Of two things which they are, of one what it does."""
    found = set()
    for (caption,) in captions:
        words = caption.split()
        assert words[0] == "a"
        found.add((*words[1:3], *(words[-2:] if words.count("a") == 2 else words[3:])))
    return found


def test_no_combination_is_in_two_splits_and_train_knows_all_words(
    drawn: DataSplits[CaptioningSplit],
) -> None:
    seen = {split: combinations(getattr(drawn, split).captions) for split in SPLITS}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not seen[one] & seen[other]
    words = {
        split: {word for (caption,) in getattr(drawn, split).captions for word in caption.split()}
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
def test_it_moves_as_the_caption_says_and_the_other_one_rests(does: str, relation: str, seed: int) -> None:
    event = Event(RED, does, relation, BLUE)
    assert str(event) == f"a red circle {does} {relation} a blue square"
    frames = clips.draw_event(event, np.random.default_rng(seed))
    red, blue = of("red", frames), of("blue", frames)
    alone = blue.sum((1, 2)) > 0.97 * blue.sum((1, 2)).max()
    resting = middles(blue[alone])
    assert np.ptp(resting, axis=0).max() < 1
    # What is covered shows in part, and not where its middle is.
    shown = red.sum((1, 2)) > 0.97 * red.sum((1, 2)).max()
    way = middles(red[shown])
    steps, direction = np.diff(way, axis=0), np.array(DIRECTIONS[does.split()[1]])
    assert (steps @ direction > -0.5).all()
    assert np.abs(steps @ direction[::-1]).max() < 1
    assert (way[-1] - way[0]) @ direction > 0.24 * SIDE
    away = (resting.mean(0) - way) @ direction  # positive before it
    if relation in ("behind", "in front of"):
        assert away[0] > 0 > away[-1]
        covered, covering = (red, blue) if relation == "behind" else (blue, red)
        assert covered.sum((1, 2)).min() < 0.7 * np.median(covered.sum((1, 2)))
        assert covering.sum((1, 2)).min() > 0.85 * np.median(covering.sum((1, 2)))
    else:
        assert {"past": away[0] > 0 > away[-1], "towards": away[-1] > 0, "away from": away[0] < 0}[relation]
        for seen in (red, blue):
            assert seen.sum((1, 2)).min() > 0.85 * np.median(seen.sum((1, 2)))


@pytest.mark.parametrize("does", ACTIONS_ALONE)
def test_a_thing_alone_does_what_the_caption_says(does: str) -> None:
    event = Event(RED, does)
    assert str(event) == f"a red circle {does}"
    seen = of("red", clips.draw_event(event, np.random.default_rng(5)))
    way, size = middles(seen), seen.sum((1, 2))
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


def test_no_frame_tells_where_it_moves() -> None:
    """Played backwards a clip shows the same frames, and the other direction."""
    there, back = (
        clips.draw_event(Event(RED, f"moves {way}"), np.random.default_rng(1)) for way in ("left", "right")
    )
    assert there.shape == back.shape
    ends = [middles(of("red", frames))[[0, -1], 0] for frames in (there, back)]
    np.testing.assert_allclose(ends[0], SIDE - 1 - ends[1], atol=1)


def test_the_two_things_decide_the_split_whatever_they_do() -> None:
    things = clips.THINGS
    pairs = list(itertools.product(things[:20], things[20:]))
    splits = [Event(one, "moves up", "past", other).split for one, other in pairs]
    for split in ("validation", "test"):
        assert 0.06 < splits.count(split) / len(pairs) < 0.14
    for pair, split in zip(pairs[::40], splits[::40], strict=True):
        every = itertools.product(MOVES, RELATIONS)
        assert {Event(pair[0], does, relation, pair[1]).split for does, relation in every} == {split}
