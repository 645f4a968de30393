"""Traces that cameras and codecs leave in frames."""

import numpy as np


def record(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """Add black bars, a station logo, noise and the effect of a codec, each of them sometimes.

    Args:
        rng: makes all choices.
        frames: float32 `[time, height, width, 3]` from 0 to 255.

    Returns:
        uint8 of the same shape.
    """
    length, height, width, _ = frames.shape
    if rng.random() < 0.15:  # bars above and below, or on both sides
        bar = rng.integers(1, 5)
        frames = frames.copy()
        if rng.random() < 0.6:
            frames[:, :bar] = frames[:, height - bar :] = 0
        else:
            frames[:, :, :bar] = frames[:, :, width - bar :] = 0
    if rng.random() < 0.1:  # a station logo
        row, column = rng.integers(height - 4), rng.integers(width - 8)
        frames[:, row : row + 3, column : column + 7] = rng.uniform(0, 255, 3)
    frames = frames + rng.choice([0.3, 1.5, 4.0], p=[0.5, 0.35, 0.15]) * rng.standard_normal(
        frames.shape, np.float32
    )
    if rng.random() < 0.5:  # codecs omit small changes until the next key frame
        threshold, interval = rng.uniform(1, 10), rng.integers(8, 60)
        for t in range(1, length):
            if t % interval:
                frames[t] = np.where(abs(frames[t] - frames[t - 1]) < threshold, frames[t - 1], frames[t])
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)
