"""Transitions between two shots: cut, dissolve, fade and wipe."""

import math
from typing import NamedTuple

import numpy as np

from zoo.datasets.builders.footage.style import CUT, DISSOLVE, FADE, WILD, WIPE, Style

_VISIBLE = 0.03  # minimum fraction of another shot, or of black, that is visible in a frame


class Transition(NamedTuple):
    """The frames between two shots.

    Attributes:
        frames: float32 `[time, height, width, 3]`.
        is_visible: whether each frame visibly differs from a frame of one shot alone, bool `[time]`.
        num_outgoing: number of frames at the end of the first shot that the transition replaces.
        num_incoming: number of frames at the beginning of the second shot that it replaces.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> dark, bright = (np.full((20, 27, 48, 3), level, np.float32) for level in (40, 200))
        >>> transition = footage.dissolve(np.random.default_rng(0), dark, bright, footage.GENTLE)
        >>> transition.frames.shape, transition.num_outgoing, transition.num_incoming
        ((10, 27, 48, 3), 10, 10)
    """

    frames: np.ndarray
    is_visible: np.ndarray
    num_outgoing: int
    num_incoming: int


def cut(
    rng: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Transition:
    """Return the first frame of the second shot.

    Args:
        rng: not used.
        outgoing: first shot, float32 `[time, height, width, 3]` from 0 to 255.
        incoming: second shot.
        style: not used.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> dark, bright = (np.full((20, 27, 48, 3), level, np.float32) for level in (40, 200))
        >>> footage.cut(np.random.default_rng(0), dark, bright).frames.shape
        (1, 27, 48, 3)
    """
    return Transition(incoming[:1], np.ones(1, bool), 0, 1)


def dissolve(
    rng: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Transition:
    """Mix two shots: the fraction of the second increases.

    Args:
        rng: makes all choices.
        outgoing: first shot, float32 `[time, height, width, 3]` from 0 to 255.
        incoming: second shot.
        style: limits the length.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> dark, bright = (np.full((20, 27, 48, 3), level, np.float32) for level in (40, 200))
        >>> transition = footage.dissolve(np.random.default_rng(0), dark, bright, footage.GENTLE)
        >>> bool((np.diff(transition.frames.mean((1, 2, 3))) > 0).all())  # from dark to bright
        True
    """
    count = _choose_length(
        rng, (style.min_transition, style.max_transition), outgoing, incoming, style.max_replaced
    )
    fraction = _draw_progress(rng, count, style)
    frames = (1 - fraction) * outgoing[-count:] + fraction * incoming[:count]
    return Transition(frames, _is_visible(fraction), count, count)


def fade(
    rng: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Transition:
    """Fade out to black, or sometimes to white, and fade in from it.

    Args:
        rng: makes all choices.
        outgoing: first shot, float32 `[time, height, width, 3]` from 0 to 255.
        incoming: second shot.
        style: limits the length.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> dark, bright = (np.full((20, 27, 48, 3), level, np.float32) for level in (40, 200))
        >>> transition = footage.fade(np.random.default_rng(2), dark, bright, footage.GENTLE)
        >>> bool(transition.frames.min() < 12)  # black
        True
    """
    longest = style.max_transition // 2
    num_outgoing, num_incoming = (
        _choose_length(
            rng, (min(style.min_transition, longest), longest), outgoing, incoming, style.max_replaced
        )
        for _ in range(2)
    )
    gray = 255.0 if rng.random() < 0.15 else rng.uniform(0, 12)
    blank = np.full((int(rng.integers(12)), *outgoing.shape[1:]), gray, np.float32)
    fraction_out = _draw_progress(rng, num_outgoing, style)
    fade_out = outgoing[-num_outgoing:] * (1 - fraction_out) + gray * fraction_out
    fraction_in = _draw_progress(rng, num_incoming, style)
    fade_in = incoming[:num_incoming] * fraction_in + gray * (1 - fraction_in)
    is_visible = np.concatenate(
        [fraction_out.ravel() > _VISIBLE, np.ones(len(blank), bool), fraction_in.ravel() < 1 - _VISIBLE]
    )
    return Transition(np.concatenate([fade_out, blank, fade_in]), is_visible, num_outgoing, num_incoming)


def wipe(
    rng: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Transition:
    """Replace the first shot by the second along a moving edge, or push the second one in from a side.

    Args:
        rng: makes all choices.
        outgoing: first shot, float32 `[time, height, width, 3]` from 0 to 255.
        incoming: second shot.
        style: limits the length and the softness of the edge.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> dark, bright = (np.full((20, 27, 48, 3), level, np.float32) for level in (40, 200))
        >>> transition = footage.wipe(np.random.default_rng(0), dark, bright, footage.GENTLE)
        >>> transition.frames.shape[1:]
        (27, 48, 3)
    """
    limits = (max(6, style.min_transition), max(6, style.max_transition))
    count = _choose_length(rng, limits, outgoing, incoming, style.max_replaced)
    before, after = outgoing[-count:], incoming[:count]
    fraction = _draw_progress(rng, count, style)[..., 0]
    if rng.random() < 0.2:
        frames = push(rng, before, after, fraction[:, 0, 0])
        replaced = fraction
    else:
        edge = min(rng.choice([0.02, 0.05, 0.2, 0.4]), style.max_edge)
        order = _draw_wipe_order(rng, before.shape[1:3])
        replaced = np.clip((fraction * (1 + edge) - order) / edge, 0, 1)[..., None]
        frames = (1 - replaced) * before + replaced * after
    return Transition(frames, _is_visible(replaced), count, count)


def push(
    rng: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, fraction: np.ndarray
) -> np.ndarray:
    """Move the second shot in from a side; the first one moves out with it or stays beneath it.

    Args:
        rng: chooses the side, and whether the first shot stays.
        outgoing: last frames of the first shot, `[time, height, width, 3]`.
        incoming: first frames of the second shot, as many.
        fraction: fraction of the second shot in each frame, `[time]`.
    """
    axis, flips, stays = int(rng.integers(1, 3)), rng.random() < 0.5, rng.random() < 0.5
    if flips:
        outgoing, incoming = np.flip(outgoing, axis), np.flip(incoming, axis)
    width, frames = outgoing.shape[axis], []
    for before, after, part in zip(outgoing, incoming, fraction, strict=True):
        shift = round(width * float(part))
        rest = np.split(before, [width - shift] if stays else [shift], axis - 1)[0 if stays else 1]
        frames.append(np.concatenate([rest, np.split(after, [shift], axis - 1)[0]], axis - 1))
    stacked = np.stack(frames)
    return np.flip(stacked, axis) if flips else stacked


TRANSITIONS = {CUT: cut, DISSOLVE: dissolve, FADE: fade, WIPE: wipe}
"""The function of each tag."""


def _choose_length(
    rng: np.random.Generator,
    limits: tuple[int, int],
    outgoing: np.ndarray,
    incoming: np.ndarray,
    max_replaced: float,
) -> int:
    """Choose how many frames of each shot a transition replaces, so that a part of both remains."""
    minimum, maximum = limits
    length = math.exp(rng.uniform(math.log(minimum), math.log(maximum)))
    return max(1, min(round(length), len(outgoing) - 2, int(max_replaced * len(incoming))))


def _draw_progress(rng: np.random.Generator, count: int, style: Style) -> np.ndarray:
    """Return the progress between 0 and 1, `[count, 1, 1, 1]`: linear, or slow at both ends."""
    progress = np.arange(1, count + 1, dtype=np.float32)[:, None, None, None] / (count + 1)
    return progress**2 * (3 - 2 * progress) if rng.random() < 0.3 * style.unsteadiness else progress


def _is_visible(fraction: np.ndarray) -> np.ndarray:
    """Return whether frames visibly contain both shots, for the fraction of the second `[time, ...]`."""
    mean = fraction.reshape(len(fraction), -1).mean(1)
    return (mean > _VISIBLE) & (mean < 1 - _VISIBLE)


def _draw_wipe_order(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return when a wipe reaches each place, from 0 to 1, `[height, width]`."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in size), indexing="ij")
    kind = rng.choice(["line", "line", "circle", "box", "clock", "doors", "blinds"])
    if kind == "line":
        angle = rng.integers(8) * math.pi / 4 if rng.random() < 0.8 else rng.uniform(0, 7)
        order = x * math.cos(angle) + y * math.sin(angle)
    elif kind == "circle":
        order = np.hypot(x, y)
    elif kind == "box":
        order = np.maximum(abs(x), abs(y))
    elif kind == "clock":
        order = (np.arctan2(y, x) + rng.uniform(0, 7)) % (2 * math.pi)
    elif kind == "doors":
        order = abs(x if rng.random() < 0.5 else y)
    else:
        order = ((x if rng.random() < 0.5 else y) * rng.integers(2, 5)) % 1
    order = -order if rng.random() < 0.5 else order
    return (order - order.min()) / (np.ptp(order) or 1.0)  # of very few pixels all may be equal
