"""Clips: shots joined by transitions, with a tag for each frame."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zoo.datasets.builders.base import make_generator
from zoo.datasets.builders.footage.camera import film_shot
from zoo.datasets.builders.footage.recording import record
from zoo.datasets.builders.footage.stock import Stock
from zoo.datasets.builders.footage.style import (
    CLIP_LENGTH,
    CUT,
    DISSOLVE,
    FADE,
    SHOT,
    SIZE,
    WILD,
    WIPE,
    Style,
)
from zoo.datasets.builders.footage.transitions import TRANSITIONS
from zoo.preprocessing.video import FrameSize

_MAX_PENDING = 80  # clips in memory


def edit_clip(
    rng: np.random.Generator,
    stock: Stock,
    length: int = CLIP_LENGTH,
    size: FrameSize = SIZE,
    style: Style = WILD,
) -> tuple[np.ndarray, np.ndarray]:
    """Film shots and join them by transitions.

    Args:
        rng: Makes all choices.
        stock: The pictures that are filmed.
        length: Number of frames.
        size: Height and width of the frames.
        style: Difficulty.

    Returns:
        Frames uint8 `[length, height, width, 3]` and tags int64 `[length]`, ids of `TAGS`.
    """
    start = int(rng.integers(40))  # so that a clip may begin within a transition
    outgoing = film_shot(rng, stock, size, style)
    parts: list[np.ndarray] = []
    tags: list[np.ndarray] = []
    while sum(map(len, tags)) < start + length:
        tag = int(rng.choice([CUT, DISSOLVE, FADE, WIPE], p=[0.4, 0.24, 0.16, 0.2]))
        incoming = film_shot(rng, stock, size, style)
        transition = TRANSITIONS[tag](rng, outgoing, incoming, style)
        rest = len(outgoing) - transition.num_outgoing
        parts += [outgoing[:rest], transition.frames]
        tags += [np.full(rest, SHOT), np.where(transition.is_visible, tag, SHOT)]
        outgoing = incoming[transition.num_incoming :]
    window = slice(start, start + length)
    return record(rng, np.concatenate(parts)[window]), np.concatenate(tags)[window]


def edit_clips(
    split: str, count: int, stock: Stock, size: FrameSize, style: Style
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Edit the clips of a split in parallel threads and yield them in order.

    Args:
        split: "train", "validation" or "test". It determines the random numbers, with the position of a clip.
        count: Number of clips.
        stock: The pictures that are filmed.
        size: Height and width of the frames.
        style: Difficulty.

    Yields:
        Frames and tags of each clip, as `edit_clip` returns them.
    """

    def edit(number: int) -> tuple[np.ndarray, np.ndarray]:
        return edit_clip(make_generator(split, number), stock, size=size, style=style)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, _MAX_PENDING):
            yield from pool.map(edit, range(start, min(start + _MAX_PENDING, count)))
