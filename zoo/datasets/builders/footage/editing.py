"""Clips: shots joined by transitions, with a tag for each frame."""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zoo.datasets.builders.base import make_generator
from zoo.datasets.builders.footage.camera import film_shot
from zoo.datasets.builders.footage.hard_negatives import (
    add_caption,
    happens,
    match_colors,
    repeat_frames,
    select_frames,
)
from zoo.datasets.builders.footage.recording import record
from zoo.datasets.builders.footage.stock import Stock, revisit_pictures
from zoo.datasets.builders.footage.style import (
    CLIP_LENGTH,
    CUT,
    DISSOLVE,
    FADE,
    GENTLE,
    SHOT,
    SIZE,
    WILD,
    WIPE,
    Style,
)
from zoo.datasets.builders.footage.transitions import TRANSITIONS
from zoo.preprocessing.video import FrameSize

_MAX_PENDING = 80  # clips in memory
_ROUNDING = 12**-0.5  # standard deviation of the error of whole levels


def edit_clip(
    rng: np.random.Generator,
    stock: Stock,
    length: int = CLIP_LENGTH,
    size: FrameSize = SIZE,
    style: Style = WILD,
) -> tuple[np.ndarray, np.ndarray]:
    """Film shots and join them by transitions.

    Args:
        rng: makes all choices.
        stock: the pictures that are filmed.
        length: number of frames.
        size: height and width of the frames.
        style: difficulty.

    Returns:
        Frames uint8 `[length, height, width, 3]` and tags int64 `[length]`, ids of `TAGS`.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> frames, tags = footage.edit_clip(np.random.default_rng(0), footage.paint_background, length=30)
        >>> frames.shape, tags.shape
        ((30, 27, 48, 3), (30,))
    """
    frames, tags, _ = _join_shots(rng, stock, length, size, style)
    if happens(rng, 0.15 * style.hard_negatives):
        frames, tags = select_frames(frames, tags, repeat_frames(rng, length))
    if happens(rng, 0.12 * style.hard_negatives):
        add_caption(rng, frames)
    if happens(rng, 0.06 * style.hard_negatives):  # black-and-white
        frames = frames.mean(-1, keepdims=True) + np.zeros(3, np.float32)
    return record(rng, frames), tags


def find_visible_tags(
    rng: np.random.Generator,
    stock: Stock,
    length: int = CLIP_LENGTH,
    size: FrameSize = SIZE,
    style: Style = GENTLE,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the frames at the ends of transitions that hide in what moves anyway.

    Such a frame differs from what its shot alone would show there by less (root mean square over all pixels)
    than consecutive frames of the shot differ from each other, by movement and by the noise of the recording.

    Args:
        rng: as for `edit_clip`.
        stock: the pictures that are filmed.
        length: number of frames.
        size: height and width of the frames.
        style: difficulty, without hard negatives.

    Returns:
        The tags of the clip that `edit_clip` returns, and the same with the tag of a shot at hidden frames.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders.footage import find_visible_tags, paint_background
        >>> tags, visible = find_visible_tags(np.random.default_rng(0), paint_background, length=30)
        >>> tags.shape == visible.shape
        True
    """
    frames, tags, alone = _join_shots(rng, stock, length, size, style)
    errors = record(rng, frames) - frames
    noise = np.maximum(_ROUNDING, 1.4826 * np.median(abs(errors), (1, 2, 3)))  # whatever bars or a logo cover
    movement = np.zeros(length)
    movement[1:] = _measure(np.diff(alone, axis=0))
    nearby = np.lib.stride_tricks.sliding_window_view(np.pad(movement, 6, "edge"), 13)
    movement = np.median(nearby, 1)  # that of the shot, without a step from one shot to the other
    is_hidden = _measure(frames - alone) < np.hypot(movement, math.sqrt(2) * noise)
    return tags, np.where(is_hidden & (tags != CUT), SHOT, tags)


def _measure(differences: np.ndarray) -> np.ndarray:
    """Return the root of the mean square of differences `[time, height, width, 3]`, `[time]`."""
    return np.sqrt(np.square(differences).mean((1, 2, 3)))


def _join_shots(
    rng: np.random.Generator, stock: Stock, length: int, size: FrameSize, style: Style
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Film shots and join them.

    Returns:
        Frames float32 `[length, height, width, 3]` before the recording, their tags, and for each frame what
        the nearer shot alone shows.
    """
    start = int(rng.integers(40))  # so that a clip may begin within a transition
    if style.similarity:
        stock = revisit_pictures(stock, 0.2 * style.similarity)
    handle = _draw_handle(rng, style)
    outgoing = film_shot(rng, stock, size, style, handle)
    frames: list[np.ndarray] = []
    tags: list[np.ndarray] = []
    alone: list[np.ndarray] = []
    while sum(map(len, tags)) < start + length:
        tag, length_style = _choose_transition(rng, style, handle)
        next_handle = _draw_handle(rng, style)
        incoming = film_shot(rng, stock, size, style, handle + next_handle)
        if happens(rng, 0.25 * style.similarity):
            incoming = match_colors(incoming, outgoing[-1], rng.uniform(0.5, 1))
        transition = TRANSITIONS[tag](rng, outgoing, incoming, length_style)
        rest = len(outgoing) - transition.num_outgoing
        frames += [outgoing[:rest], transition.frames]
        tags += [np.full(rest, SHOT), np.where(transition.is_visible, tag, SHOT)]
        num_early = min(transition.num_outgoing, len(transition.frames) // 2)
        blank = len(transition.frames) - num_early - transition.num_incoming
        late = incoming[max(0, -blank) : transition.num_incoming]
        alone += [outgoing[: rest + num_early], np.repeat(incoming[:1], max(0, blank), 0), late]
        outgoing, handle = incoming[transition.num_incoming :], next_handle
    window = slice(start, start + length)
    return np.concatenate(frames)[window], np.concatenate(tags)[window], np.concatenate(alone)[window]


def _draw_handle(rng: np.random.Generator, style: Style) -> int:
    """Return how many frames a shot has for the transition at its end; none for a cut."""
    if not style.has_handles or rng.random() < style.shares[0]:
        return 0
    if rng.random() < 0.5:
        return int(rng.integers(style.min_transition, style.max_transition + 1))
    return round(np.exp(rng.uniform(np.log(style.min_transition), np.log(style.max_transition))))


def _choose_transition(rng: np.random.Generator, style: Style, handle: int) -> tuple[int, Style]:
    """Choose a tag that suits the handle, and return it with a style whose transitions have its length."""
    shares = np.array(style.shares)
    if style.has_handles:
        shares[slice(1) if handle else slice(1, None)] = 0
        style = style._replace(min_transition=handle, max_transition=handle)
    return int(rng.choice([CUT, DISSOLVE, FADE, WIPE], p=shares / shares.sum())), style


def edit_clips(
    split: str, count: int, stock: Stock, size: FrameSize, style: Style
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Edit the clips of a split in parallel threads and yield them in order.

    Args:
        split: "train", "validation" or "test". It determines the random numbers, with the position of a clip.
        count: number of clips.
        stock: the pictures that are filmed.
        size: height and width of the frames.
        style: difficulty.

    Yields:
        Frames and tags of each clip, as `edit_clip` returns them.

    Example:
        >>> from zoo.datasets.builders.footage import GENTLE, TAGS, edit_clips, paint_background
        >>> [(frames, tags)] = edit_clips("test", 1, paint_background, (27, 48), GENTLE)
        >>> frames.shape, TAGS[tags[0]]
        ((100, 27, 48, 3), 'shot')
    """

    def edit(number: int) -> tuple[np.ndarray, np.ndarray]:
        return edit_clip(make_generator(split, number), stock, size=size, style=style)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, _MAX_PENDING):
            yield from pool.map(edit, range(start, min(start + _MAX_PENDING, count)))
