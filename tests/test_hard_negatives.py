"""Edited footage: what resembles a transition and is none, and shots that resemble each other."""

import itertools

import numpy as np
import pytest

from zoo.datasets.builders.footage import (
    CUT,
    DISSOLVE,
    FADE,
    GENTLE,
    SHOT,
    WILD,
    WIPE,
    edit_clip,
    paint_background,
    revisit_pictures,
)
from zoo.datasets.builders.footage.camera import film_shot, sample_pictures
from zoo.datasets.builders.footage.hard_negatives import (
    add_caption,
    blur_motion,
    draw_glow,
    draw_passage,
    draw_whip_pan,
    grade_colors,
    happens,
    match_colors,
    repeat_frames,
    select_frames,
)

SEEDS = range(30)
SMALL = (8, 11)


def make_noise(length: int, low: float = 0, high: float = 255) -> np.ndarray:
    shape = (length, *SMALL, 3)
    return np.random.default_rng(0).uniform(low, high, shape).astype(np.float32)


def test_an_event_without_probability_takes_no_random_number() -> None:
    random = np.random.default_rng(0)
    assert not any(happens(random, 0.0) for _ in range(9))
    assert random.random() == np.random.default_rng(0).random()
    assert 20 < sum(happens(random, 0.3) for _ in range(100)) < 40


# Within a shot.


def test_a_whip_pan_moves_fast_and_then_rests() -> None:
    returns = 0
    for seed in SEEDS:
        path = draw_whip_pan(np.random.default_rng(seed), 60)
        assert path.shape == (2, 60)
        moving = np.flatnonzero(np.abs(np.diff(path, axis=1)).sum(0) > 1e-9)
        assert len(moving) <= 20
        if len(moving):
            assert np.ptp(moving) == len(moving) - 1  # once
        assert np.ptp(path, axis=1).max() < 1
        returns += len(moving) > 4 and np.abs(path).max() > 0.1 > np.abs(path[:, -1]).max()
    assert 1 <= returns < 15


def test_fast_frames_are_the_mean_of_an_open_shutter() -> None:
    """A white line on black, and a camera that rests, moves by 6 pixels and rests again."""
    picture = np.zeros((4, 6, 60, 3), np.uint8)
    picture[:, :, 30] = 240
    y, x = np.mgrid[0.0:6, 0.0:60].astype(np.float32)[:, None] + np.zeros((4, 1, 1), np.float32)
    x += np.array([0, 0, 6, 6], np.float32)[:, None, None]
    sharp = sample_pictures(picture, y, x)
    frames = sharp.copy()
    blur_motion(frames, y, x, lambda which, *places: sample_pictures(picture[which], *places))
    np.testing.assert_array_equal(frames[[0, 2, 3]], sharp[[0, 2, 3]])
    assert np.flatnonzero(frames[1, 0, :, 0]).tolist() == [27, 28, 29, 30]
    np.testing.assert_allclose(frames[1, :, 27:31], 60)
    still = sharp[:1].copy()
    blur_motion(still, y[:1], x[:1], pytest.fail)
    np.testing.assert_array_equal(still, sharp[:1])


def test_a_passer_crosses_the_frame_or_turns_back() -> None:
    crossed = 0
    for seed in SEEDS:
        frames = np.zeros((50, *SMALL, 3), np.float32)
        view, place = draw_passage(np.random.default_rng(seed), frames, 0.2)
        assert view.base is frames
        assert len(view) == len(place) >= 1
        assert np.abs(place).max() <= 0.7  # beyond it nothing is visible
        crossed += bool((np.diff(np.sign(place)) != 0).any())
    assert 10 < crossed < 30


def test_a_glow_begins_at_once_and_fades() -> None:
    for seed in SEEDS:
        light = draw_glow(np.random.default_rng(seed), 40)
        assert light.shape == (40, 1, 1, 1)
        assert light.min() >= 0
        assert 0 < np.count_nonzero(light) <= 18
        assert np.diff(light.ravel(), prepend=0).max() >= 5


def test_grading_changes_contrast_brightness_and_saturation() -> None:
    frames = make_noise(3)
    graded = [grade_colors(np.random.default_rng(seed), frames) for seed in SEEDS]
    deviations = [each.mean(-1).std() / frames.mean(-1).std() for each in graded]
    assert min(deviations) < 0.5
    assert 1.1 < max(deviations) < 1.4
    assert np.ptp([each.mean() for each in graded]) > 40
    colors = [(each - each.mean(-1, keepdims=True)).std() / each.std() for each in graded]
    assert min(colors) < 0.2 < max(colors)
    change = np.diff(np.stack(graded), axis=1)  # the same for all frames, so that nothing flickers
    np.testing.assert_allclose(change.mean((2, 3, 4)) < 9, True)


# Of two shots.


def test_matched_shots_have_the_colors_of_the_reference() -> None:
    frames, reference = make_noise(4, 150, 200), make_noise(1, 40, 60)[0]
    matched = match_colors(frames, reference, 1.0)
    np.testing.assert_allclose(matched[0].mean((0, 1)), reference.mean((0, 1)), atol=1e-3)
    assert matched[0].std() == pytest.approx(reference.std(), rel=0.2)
    np.testing.assert_allclose(match_colors(frames, reference, 0.0), frames, atol=1e-3)
    centered = matched - matched.mean((0, 1, 2)), frames - frames.mean((0, 1, 2))
    assert np.corrcoef(*(part.ravel() for part in centered))[0, 1] > 0.99


def test_stock_returns_to_earlier_pictures() -> None:
    counter = iter(range(1_000))
    stock = revisit_pictures(
        lambda rng, length: np.full((length, 2, 2, 3), next(counter) % 256, np.uint8), 0.3
    )
    random = np.random.default_rng(0)
    pictures = [stock(random, 3) for _ in range(200)]
    assert {each.shape for each in pictures} == {(3, 2, 2, 3)}
    assert 120 < next(counter) < 160
    assert stock(random, 2).shape[0] <= 2


# Of a clip.


def test_repeated_frames_never_come_too_early() -> None:
    lower_rates = 0
    for seed in SEEDS:
        indices = repeat_frames(np.random.default_rng(seed), 40)
        steps = np.diff(indices, prepend=0)
        assert indices.shape == (40,)
        assert steps.min() >= 0
        assert (indices <= np.arange(40)).all()
        assert 0 < (steps[1:] == 0).sum() <= 24
        assert (indices == np.arange(40))[steps > 0].mean() > 0.8  # playback catches up
        lower_rates += (steps[1:] == 0).sum() >= 7
    assert 5 < lower_rates < 30


def test_selected_frames_keep_the_tags_right() -> None:
    frames = np.arange(8, dtype=np.float32)[:, None, None, None]
    tags = np.array([SHOT, SHOT, CUT, SHOT, SHOT, DISSOLVE, DISSOLVE, SHOT])

    def select(*indices: int) -> list[int]:
        selected, new_tags = select_frames(frames, tags, np.array(indices))
        assert selected.ravel().tolist() == list(indices)
        return new_tags.tolist()

    assert select(*range(8)) == tags.tolist()
    assert select(0, 1, 1, 3, 4) == [SHOT, SHOT, SHOT, CUT, SHOT]  # the frame of the cut is left out
    assert select(1, 2, 2, 3) == [SHOT, CUT, SHOT, SHOT]  # and repeated
    assert select(2, 2, 5, 5, 7) == [CUT, SHOT, DISSOLVE, DISSOLVE, SHOT]
    assert select(1, 5, 7) == [SHOT, DISSOLVE, SHOT]


def test_a_caption_covers_a_part_of_consecutive_frames() -> None:
    for seed in SEEDS:
        frames = make_noise(60, 0, 99)
        before = frames.copy()
        add_caption(np.random.default_rng(seed), frames)
        changed = (frames != before).any(-1)
        times, rows, _ = np.nonzero(changed)
        assert 0 < changed.sum() < 0.4 * changed.size
        assert np.array_equal(np.unique(times), np.arange(times.min(), times.max() + 1))
        assert np.ptp(rows) <= 2
        assert (changed[times.min() : times.max() + 1] == changed[times.min()]).all()
        assert frames.max() <= 255


# Styles.


def test_transitions_are_short_and_long() -> None:
    lengths: dict[int, list[int]] = {tag: [] for tag in range(5)}
    for seed in range(60):
        frames, tags = edit_clip(np.random.default_rng(seed), paint_background, 240, SMALL)
        assert len(frames) == len(tags) == 240
        for tag, run in itertools.groupby(tags.tolist()):
            lengths[tag].append(len(list(run)))
    assert set(lengths[CUT]) == {1}
    for tag in (DISSOLVE, FADE, WIPE):
        assert max(lengths[tag]) > 45
        assert np.quantile(lengths[tag], 0.25) < 15
        assert np.quantile(lengths[tag], 0.7) > 20
    assert max(lengths[DISSOLVE]) <= WILD.max_transition


def test_a_shot_has_a_handle_for_each_transition_but_a_cut() -> None:
    random = [np.random.default_rng(1) for _ in range(2)]
    lengths = [
        len(film_shot(each, paint_background, SMALL, WILD, handles))
        for each, handles in zip(random, (0, 40), strict=True)
    ]
    assert lengths[1] - lengths[0] == 40


def test_embedded_clips_stay_as_they_are() -> None:
    """They have no hard negatives, which would take random numbers."""
    assert (GENTLE.similarity, GENTLE.hard_negatives, GENTLE.has_handles) == (0, 0, False)
    rows = [
        edit_clip(np.random.default_rng([2, number]), paint_background, style=GENTLE)[1]
        for number in range(3)
    ]
    assert [np.flatnonzero(np.diff(row)).tolist() for row in rows] == [
        [32, 42, 44, 53],
        [32, 33, 82, 97],
        [32, 45, 47, 63, 81, 82],
    ]
