"""What resembles a transition and is none, and shots that resemble each other: the hard examples of a detector."""

from collections.abc import Callable

import numpy as np

from zoo.datasets.builders.footage.style import CUT, SHOT

_BLURRED = 2.0  # pixels of the picture per frame from which on a movement is blurred
_SHUTTER = (1 / 6, 1 / 3, 1 / 2)  # moments at which the shutter is open too, in frames


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Return True with a probability; a probability of zero takes no random number."""
    return probability > 0 and rng.random() < probability


# Within a shot.


def draw_whip_pan(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return the path of a camera that swings to another place, and sometimes back.

    Args:
        rng: makes all choices.
        length: number of frames.

    Returns:
        Offsets y and x, in heights and widths of the picture, `[2, length]`.
    """
    distance = rng.uniform(0.15, 0.9) * rng.choice([-1, 1]) * np.array([rng.uniform(-0.4, 0.4), 1])
    if rng.random() < 0.2:
        distance = distance[::-1]  # up or down
    duration = rng.integers(4, 20)
    start = rng.uniform(-duration, length)
    progress = np.clip((np.arange(length) - start) / duration, 0, 1)
    if rng.random() < 0.2:  # and back
        progress = 1 - abs(2 * progress - 1)
    if rng.random() < 0.5:  # gently
        progress = progress**2 * (3 - 2 * progress)
    return distance[:, None] * progress


def blur_motion(frames: np.ndarray, y: np.ndarray, x: np.ndarray, sample: Callable[..., np.ndarray]) -> None:
    """Blur the frames between which the camera moves fast, as an open shutter does.

    Args:
        frames: float32 `[time, height, width, 3]`, changed in place.
        y: vertical position of each pixel in the picture, in pixels, `[time, height, width]`.
        x: horizontal position, in the same form.
        sample: returns the pixels of some frames `[frames]` at places y and x `[frames, height, width]`.
    """
    moves = [np.diff(places, axis=0) for places in (y, x)]
    which = np.flatnonzero(np.hypot(*moves).mean((1, 2)) > _BLURRED) if len(frames) > 1 else np.zeros(0, int)
    if len(which):
        samples = [frames[which]]
        for moment in _SHUTTER:
            places = (start[which] + moment * move[which] for start, move in zip((y, x), moves, strict=True))
            samples.append(sample(which, *places))
        frames[which] = np.mean(samples, axis=0)


def draw_passage(
    rng: np.random.Generator, frames: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Choose when and where an object passes from one side of the frame to the other, or turns back.

    Args:
        rng: makes all choices.
        frames: `[time, height, width, 3]`.
        radius: of the object, in widths of the frame.

    Returns:
        The frames in which it passes, a view, and its place in each, in widths from the middle, `[time]`.
    """
    duration = int(rng.integers(5, 45))
    start = int(rng.integers(-duration // 2, max(1, len(frames) - duration // 2)))
    steps = np.arange(max(0, start), min(len(frames), start + duration))
    progress = (steps - start + 0.5) / duration
    if rng.random() < 0.2:
        progress = (1 - abs(2 * progress - 1)) * rng.uniform(0.3, 1)
    place = (0.5 + radius) * (2 * progress - 1) * rng.choice([-1, 1])
    return frames[steps[0] : steps[-1] + 1], place


def draw_glow(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return the light that lamps add: flashes that begin at once and fade, `[time, 1, 1, 1]`."""
    light = np.zeros(length)
    for _ in range(rng.integers(1, 4)):
        start, duration = int(rng.integers(length)), int(rng.integers(1, 7))
        part = light[start : start + duration]
        part += np.linspace(1, 0, duration, endpoint=False)[: len(part)] * rng.uniform(30, 255)
    return light[:, None, None, None]


def grade_colors(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """Return frames with another contrast, brightness and saturation."""
    mean = frames.mean()
    grays = frames.mean(-1, keepdims=True)
    frames = grays + rng.uniform(0, 1.3) * (frames - grays)
    return mean + np.exp(rng.uniform(np.log(0.3), np.log(1.3))) * (frames - mean) + rng.uniform(-40, 30)


# Of two shots.


def match_colors(frames: np.ndarray, reference: np.ndarray, amount: float) -> np.ndarray:
    """Give a shot the brightness, color and contrast of a frame of another one.

    Args:
        frames: float32 `[time, height, width, 3]` from 0 to 255.
        reference: `[height, width, 3]`.
        amount: from 0, no change, to 1: the first frame has the mean of the reference.
    """
    mean, deviation = frames[0].mean((0, 1)), frames[0].std() + 1
    contrast = np.clip((reference.std() + 1) / deviation, 0.3, 2) ** amount
    matched = (frames - mean) * contrast + mean + amount * (reference.mean((0, 1)) - mean)
    return np.clip(matched, 0, 255).astype(np.float32)


# Of a clip.


def repeat_frames(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return which frame is shown at each time: at a lower frame rate, or where playback stumbles.

    Args:
        rng: makes all choices.
        length: number of frames.

    Returns:
        Indices of frames that never decrease, int `[length]`.
    """
    steps = np.arange(length)
    if rng.random() < 0.6:
        shown, period = ((4, 5), (1, 2), (2, 5), (2, 3))[rng.integers(4)]
        return -(-(steps * shown // period) * period // shown)
    for _ in range(rng.integers(1, 5)):
        start, duration = rng.integers(length), rng.integers(2, 7)
        steps[start : start + duration] = steps[start]
    return steps


def select_frames(frames: np.ndarray, tags: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Show some frames of a clip in order, each any number of times.

    Args:
        frames: `[time, height, width, 3]`.
        tags: tags of the frames, `[time]`.
        indices: which frames, int `[n]`; they never decrease.

    Returns:
        Frames and tags `[n]`. The first frame that shows a new shot is the cut, also if the true one is left
        out; where it is repeated, the repetitions are inside the shot.
    """
    cuts = np.cumsum(tags == CUT)[indices]
    has_cut = np.diff(cuts, prepend=cuts[0] - (tags[indices[0]] == CUT)) > 0
    shown = np.where(tags[indices] == CUT, SHOT, tags[indices])
    return frames[indices], np.where(has_cut & (shown == SHOT), CUT, shown)


def add_caption(rng: np.random.Generator, frames: np.ndarray) -> None:
    """Draw a line or two of something like letters into consecutive frames `[time, height, width, 3]`."""
    length, height, width, _ = frames.shape
    start, duration = int(rng.integers(length)), int(rng.integers(10, 80))
    rows, columns = int(rng.integers(1, 4)), int(rng.integers(width // 4, width))
    row = height - rows - 1 if rng.random() < 0.7 else int(rng.integers(height - rows))
    column = (width - columns) // 2
    letters = rng.uniform(0.3, 1) * (rng.random((rows, columns, 1)) < 0.6)
    part = frames[start : start + duration, row : row + rows, column : column + columns]
    part += letters * (rng.uniform(150, 255, 3) - part)
