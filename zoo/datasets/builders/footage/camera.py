"""Shots: a moving camera, moving objects and changing light over still or moving pictures."""

import math

import numpy as np

from zoo.datasets.builders.footage.hard_negatives import (
    blur_motion,
    draw_glow,
    draw_passage,
    draw_whip_pan,
    grade_colors,
    happens,
)
from zoo.datasets.builders.footage.stock import Stock
from zoo.datasets.builders.footage.style import WILD, Style
from zoo.preprocessing.video import FrameSize

_MIN_LENGTH, _MAX_LENGTH = 8, 120  # frames


def film_shot(
    rng: np.random.Generator, stock: Stock, size: FrameSize, style: Style = WILD, handles: int = 0
) -> np.ndarray:
    """Film stock pictures with a moving camera.

    Args:
        rng: makes all choices.
        stock: the pictures.
        size: height and width of the frames.
        style: limits the movements.
        handles: number of additional frames for transitions.

    Returns:
        float32 `[time, height, width, 3]` from 0 to 255.
    """
    length = int(np.clip(rng.lognormal(math.log(style.shot_length), 0.7), _MIN_LENGTH, _MAX_LENGTH))
    length += handles
    # Some shots are filmed, or animated, with fewer pictures per second.
    steps = np.arange(length) // (1 if rng.random() < 0.85 else rng.integers(2, 4))
    pictures, moments = stock(rng, steps[-1] + 1), style.speed * steps
    rows, columns = pictures.shape[1:3]
    y, x = _move_camera(rng, moments, size, rows / columns, style)
    reel, y, x = pictures[steps % len(pictures)], (y + 0.5) * rows, (x + 0.5) * columns
    frames = sample_pictures(reel, y, x)
    if happens(rng, 0.7 * style.hard_negatives):
        blur_motion(frames, y, x, lambda which, *places: sample_pictures(reel[which], *places))
    for _ in range(rng.choice(5, p=[0.25, 0.3, 0.2, 0.15, 0.1])):
        _add_moving_object(rng, frames, moments, stock(rng, 1)[0], style.speed)
    if happens(rng, 0.2 * style.hard_negatives):
        _add_passer(rng, frames, stock(rng, 1)[0])
    if happens(rng, 0.3 * style.hard_negatives):
        frames = grade_colors(rng, frames)
    frames = frames * _draw_light(rng, length, style)
    if happens(rng, 0.08 * style.hard_negatives):
        frames = frames + draw_glow(rng, length)
    return np.clip(frames, 0, 255).astype(np.float32)


def sample_pictures(pictures: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sample pictures at places between their pixels, by linear interpolation; beyond the border mirrored.

    Args:
        pictures: uint8 `[time, rows, columns, 3]`.
        y: vertical position of each pixel of the result, in pixels of the picture, `[time, height, width]`.
        x: horizontal position, in the same form.

    Returns:
        float32 `[time, height, width, 3]`.
    """
    time, rows, columns, _ = pictures.shape
    pixels, start = pictures.reshape(-1, 3), np.arange(time, dtype=np.int32)[:, None, None] * (rows * columns)
    top, left = (np.floor(value).astype(np.int32) for value in (y, x))
    down, right = (y - top)[..., None], (x - left)[..., None]

    def mirror(place: np.ndarray, count: int) -> np.ndarray:
        place = place % (2 * count)
        return np.minimum(place, 2 * count - 1 - place)

    def at(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return pixels.take(start + row + column, axis=0).astype(np.float32)

    upper, lower = (mirror(top + i, rows) * columns for i in (0, 1))
    near, far = (mirror(left + i, columns) for i in (0, 1))
    above = at(upper, near) * (1 - right) + at(upper, far) * right
    below = at(lower, near) * (1 - right) + at(lower, far) * right
    return above * (1 - down) + below * down


def _move_camera(
    rng: np.random.Generator, moments: np.ndarray, size: FrameSize, proportion: float, style: Style
) -> tuple[np.ndarray, np.ndarray]:
    """Return where in the pictures each pixel lies, from -0.5 to 0.5: y and x `[time, height, width]`.

    Args:
        rng: makes all choices.
        moments: time of each frame, in frames, `[time]`.
        size: height and width of the frames.
        proportion: height divided by width of the pictures.
        style: limits the movements.
    """
    length, speed = len(moments), style.speed
    v, u = np.meshgrid(*((np.arange(n, dtype=np.float32) + 0.5) / n - 0.5 for n in size), indexing="ij")
    rates = np.array([0.0, 0.002, 0.006, 0.015, 0.04])  # of the width per frame: from resting to a whip pan
    pan = rng.normal(0, rng.choice(rates, p=[0.25, 0.25, 0.25, 0.18, 0.07]), 2)
    zoom = rng.normal(0, rng.choice([0.0, 0.003, 0.01, 0.03], p=[0.45, 0.3, 0.18, 0.07]))
    turn = rng.normal(0, rng.choice([0.0, 0.004, 0.03], p=[0.8, 0.15, 0.05]))
    shake = rng.choice([0.0, 0.002, 0.006, 0.015], p=[0.4, 0.3, 0.2, 0.1])
    run = moments + speed * np.cumsum(rng.normal(0, 0.1, length))  # a hand is never steady
    if rng.random() < 0.2:  # a movement that begins or ends within the shot
        run = (
            np.maximum(run - rng.uniform(0, speed * length), 0)
            if rng.random() < 0.5
            else np.minimum(run, speed * length / 2)
        )
    jitter = speed * shake * _smooth(rng.normal(size=(2, length)))
    center = rng.uniform(-0.25, 0.25, 2)[:, None] + pan[:, None] * run + jitter
    if happens(rng, 0.15 * style.hard_negatives):
        center = center + draw_whip_pan(rng, length)
    scale = rng.uniform(0.45, 0.95) * np.exp(np.clip(zoom * run, -1.2, 1.2))
    angle = rng.normal(0, 0.05) + turn * run
    sine, cosine, scale = (
        value[:, None, None].astype(np.float32) for value in (np.sin(angle), np.cos(angle), scale)
    )
    # The camera has the proportion of 16:9 and sees a part of a higher picture.
    shape = 9 / 16 / proportion
    y = center[0][:, None, None] + scale * shape * (v * cosine + u * sine)
    x = center[1][:, None, None] + scale * (u * cosine - v * sine)
    if rng.random() < 0.3:  # as leaves, water or cloth move
        depth, wave, beat = rng.uniform(0.003, 0.02), rng.uniform(5, 30, 2), rng.uniform(0.05, 0.6)
        phase = (beat * moments)[:, None, None]
        y, x = y + depth * np.sin(wave[0] * x + phase), x + depth * np.sin(wave[1] * y + 1.3 * phase)
    for _ in range(rng.choice([0, 2, 4, 6], p=[0.4, 0.2, 0.2, 0.2])):  # as limbs, heads or animals move
        (at_y, at_x), radius = rng.uniform(-0.5, 0.5, 2), rng.uniform(0.08, 0.35)
        near = np.exp(-((v - at_y) ** 2 + (u - at_x) ** 2) / (2 * radius**2))
        pull = (
            speed
            * rng.uniform(0.01, 0.08, (2, 1))
            * _smooth(rng.normal(size=(2, length)), int(rng.integers(5, 30)))
        )
        y, x = (value + (near * pull[axis][:, None, None]) for axis, value in enumerate((y, x)))
    return y.astype(np.float32), x.astype(np.float32)


def _add_moving_object(
    rng: np.random.Generator, frames: np.ndarray, moments: np.ndarray, picture: np.ndarray, speed: float
) -> None:
    """Draw an object that moves before the camera into the frames, in a color or with a picture on it."""
    length, height, width, _ = frames.shape
    v, u = np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in (height, width)), indexing="ij")
    radius = np.exp(rng.uniform(np.log(0.05), np.log(0.6), 2))
    rate = rng.normal(0, rng.choice([0.003, 0.012, 0.04], p=[0.4, 0.4, 0.2]), 2)
    swing = rng.uniform(0, 0.08) * np.sin(rng.uniform(0.05, 0.7, (2, 1)) * moments)
    center = (
        rng.uniform(-0.5, 0.5, 2)[:, None]
        + rate[:, None] * (moments - rng.uniform(0, speed * length))
        + swing
    )
    away = (v - center[0][:, None, None]) / radius[0], (u - center[1][:, None, None]) / radius[1]
    _draw_object(rng, frames, moments, picture, *away)


def _add_passer(rng: np.random.Generator, frames: np.ndarray, picture: np.ndarray) -> None:
    """Draw somebody, or something, that passes close to the camera into the frames."""
    height, width = frames.shape[1:3]
    v, u = np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in (height, width)), indexing="ij")
    radius = rng.uniform(0.4, 1.5), np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
    frames, place = draw_passage(rng, frames, radius[1])
    away_y = np.broadcast_to((v - rng.uniform(-0.2, 0.6)) / radius[0], frames.shape[:3])
    away_x = (u - place[:, None, None]) / radius[1]
    _draw_object(rng, frames, np.arange(len(frames)), picture, away_y, away_x)


def _draw_object(
    rng: np.random.Generator,
    frames: np.ndarray,
    moments: np.ndarray,
    picture: np.ndarray,
    away_y: np.ndarray,
    away_x: np.ndarray,
) -> None:
    """Draw an object whose outline turns into the frames.

    Args:
        rng: makes all choices.
        frames: float32 `[time, height, width, 3]`, changed in place.
        moments: time of each frame, in frames, `[time]`.
        picture: sometimes on its surface, uint8 `[rows, columns, 3]`.
        away_y: vertical distance of each pixel from the center, in radii, `[time, height, width]`.
        away_x: horizontal distance, in the same form.
    """
    distance = np.hypot(away_y, away_x) if rng.random() < 0.7 else np.maximum(abs(away_y), abs(away_x))
    turning = rng.normal(0, 0.1) * moments[:, None, None] + rng.uniform(0, 7)
    lobes = rng.integers(1, 5) * np.arctan2(away_y, away_x)
    distance = distance * (1 + rng.uniform(0, 0.5) * np.sin(lobes + turning))
    inside = np.nonzero(distance < 1)
    if not len(inside[0]):
        return
    if rng.random() < 0.3:
        surface = rng.uniform(0, 255, 3)
    else:
        rows, columns, _ = picture.shape
        row, column = ((away[inside] + 1) * 0.5 * n for away, n in ((away_y, rows), (away_x, columns)))
        place = np.clip(row.astype(int), 0, rows - 1), np.clip(column.astype(int), 0, columns - 1)
        surface = picture[place] * rng.uniform(0.5, 1.3)
    opacity = np.clip((1 - distance[inside]) * rng.uniform(3, 15), 0, 1)[:, None]
    frames[inside] = (1 - opacity) * frames[inside] + opacity * surface


def _draw_light(rng: np.random.Generator, length: int, style: Style) -> np.ndarray:
    """Return the brightness of each channel, `[time, 1, 1, 3]`: tint, drift, exposure, flashes, flicker."""
    light = np.ones((length, 3)) * rng.uniform(0.6, 1.2) * rng.uniform(0.9, 1.1, 3)
    depth = 0.15 * style.unsteadiness * rng.random()
    light *= 1 + depth * _smooth(rng.normal(size=(1, length)), 20)[0][:, None]
    if rng.random() < 0.12 * style.unsteadiness:
        middle, width = rng.uniform(0, length), rng.uniform(1, 12)
        ramp = 1 / (1 + np.exp(-np.clip((np.arange(length) - middle) / width, -30, 30)))
        light *= 1 + (rng.uniform(-0.5, 0.6) * ramp)[:, None]
    if rng.random() < 0.12:
        for _ in range(rng.integers(1, 4)):
            start, duration = rng.integers(length), rng.integers(1, 4)
            light[start : start + duration] *= rng.uniform(1.5, 5)
    light *= 1 + rng.choice([0.0, 0.01, 0.04], p=[0.6, 0.3, 0.1]) * rng.normal(size=(length, 1))
    return light[:, None, None]


def _smooth(noise: np.ndarray, width: int = 5) -> np.ndarray:
    """Smooth noise `[n, time]` of variance 1, so that it changes slowly and keeps its variance."""
    kernel = np.hanning(width + 2)
    kernel /= np.sqrt((kernel**2).sum())
    return np.stack([np.convolve(row, kernel, "same")[: noise.shape[1]] for row in noise])
