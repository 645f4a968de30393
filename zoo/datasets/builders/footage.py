"""Footage, edited: the embedded default of the tagging recipe, and a user's own footage likewise."""

import hashlib
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw, ImageOps

from zoo.datasets.records import DataInfo, DataSplits, TaggingSplit
from zoo.errors import DataError
from zoo.files import atomic_write
from zoo.preprocessing.video import IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN, FrameSize, open_video

TAGS = ("shot", "cut", "dissolve", "fade", "wipe")
SHOT, CUT, DISSOLVE, FADE, WIPE = range(len(TAGS))
SIZE = (27, 48)  # pixels: height and width, enough to see an edit, and quick
SIZES = {"train": 1_200, "validation": 80, "test": 160}
LENGTH = 100  # frames of a clip
_SMALLEST = (8, 10)  # pixels
_AT_ONCE = 80  # clips that wait at most


class Style(NamedTuple):
    """How demanding clips are."""

    pace: float  # at which camera and things move
    shortest: int  # frames of a transition
    longest: int
    uneven: float  # how often transitions, and light within a shot, change unsteadily
    softest: float  # edge of a wipe, as a share of its way


WILD = Style(pace=1.0, shortest=4, longest=50, uneven=1.0, softest=0.4)
GENTLE = Style(pace=0.2, shortest=10, longest=24, uneven=0.0, softest=0.05)

Stock = Callable[[np.random.Generator, int], np.ndarray]
"""Raw footage: from random numbers and a count of frames to a picture [1, rows, columns, 3], or to as many
pictures that follow each other, as uint8."""


class Footage(tfds.core.GeneratorBasedBuilder):
    """Clips of drawn shots, joined as editors do, with what happens at each frame.

    In a shot the camera rests, pans, zooms, turns or shakes over a painted ground, things move across it,
    light changes, and now and then there is a flash. So change alone is not a cut, and a single frame does
    not show what happens at it. Each frame bears a tag:

    - `shot`: nothing but the shot itself.
    - `cut`: the first frame of a shot that follows another without a transition.
    - `dissolve`: a mixture of two shots.
    - `fade`: on the way to black (or white) or back, or black itself between them.
    - `wipe`: a part of one shot and a part of the next, side by side.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "frames": tfds.features.Tensor(
                        shape=(None, *SIZE, 3), dtype=np.uint8, encoding=tfds.features.Encoding.ZLIB
                    ),
                    "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=TAGS)),
                }
            ),
            supervised_keys=("frames", "tags"),
            license="Apache-2.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, object]]]]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, object]]]:
        for number, (frames, tags) in enumerate(_clips(split, SIZES[split], painted, SIZE, GENTLE)):
            yield number, {"frames": frames, "tags": tags}


def _clips(
    split: str, count: int, stock: Stock, size: FrameSize, style: Style
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Clips one after the other, made by threads."""

    def made(number: int) -> tuple[np.ndarray, np.ndarray]:
        # Of a seed for each clip: the same on every machine, for good.
        random = np.random.default_rng([list(SIZES).index(split), number])
        return clip(random, stock, size=size, style=style)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, _AT_ONCE):
            yield from pool.map(made, range(start, min(start + _AT_ONCE, count)))


def clip(
    random: np.random.Generator,
    stock: Stock,
    length: int = LENGTH,
    size: FrameSize = SIZE,
    style: Style = WILD,
) -> tuple[np.ndarray, np.ndarray]:
    """An edited clip.

    Args:
        random: makes all choices.
        stock: what shots are made of.
        length: number of frames.
        size: their height and width.
        style: how demanding it is.

    Returns:
        Frames uint8 [length, height, width, 3] and tags int64 [length], positions in `TAGS`.
    """
    start = int(random.integers(40))  # so that a clip may begin within a transition
    outgoing = shot(random, stock, size, style)
    parts, tags = [], []
    while sum(map(len, tags)) < start + length:
        kind = int(random.choice([CUT, DISSOLVE, FADE, WIPE], p=[0.4, 0.24, 0.16, 0.2]))
        incoming = shot(random, stock, size, style)
        join = _JOINS[kind](random, outgoing, incoming, style)
        rest = len(outgoing) - join.before
        parts += [outgoing[:rest], join.frames]
        tags += [np.full(rest, SHOT), np.where(join.seen, kind, SHOT)]
        outgoing = incoming[join.after :]
    window = slice(start, start + length)
    return recorded(random, np.concatenate(parts)[window]), np.concatenate(tags)[window]


# Joins.


class Join(NamedTuple):
    """What comes between two shots."""

    frames: np.ndarray
    seen: np.ndarray  # of each frame, whether it is seen that it is of neither shot alone
    before: int  # frames of the shot before that went into it
    after: int  # of the next one


def cut(random: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD) -> Join:
    """Nothing: the first frame of the next shot."""
    return Join(incoming[:1], np.ones(1, bool), 0, 1)


def dissolve(
    random: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Join:
    """One shot comes as the other goes."""
    count = _count(random, style.shortest, style.longest, outgoing, incoming)
    share = _progress(random, count, style)
    frames = (1 - share) * outgoing[-count:] + share * incoming[:count]
    return Join(frames, _seen(share), count, count)


def fade(
    random: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Join:
    """One shot goes to black, or now and then white, and from there the other comes."""
    before, after = (_count(random, style.shortest, style.longest // 2, outgoing, incoming) for _ in range(2))
    ground = 255.0 if random.random() < 0.15 else random.uniform(0, 12)
    rest = np.full((int(random.integers(12)), *outgoing.shape[1:]), ground, np.float32)
    gone = _progress(random, before, style)
    out = outgoing[-before:] * (1 - gone) + ground * gone
    come = _progress(random, after, style)
    into = incoming[:after] * come + ground * (1 - come)
    seen = np.concatenate([gone.ravel() > _LEAST, np.ones(len(rest), bool), come.ravel() < 1 - _LEAST])
    return Join(np.concatenate([out, rest, into]), seen, before, after)


def wipe(
    random: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, style: Style = WILD
) -> Join:
    """An edge moves over the picture, and behind it is the next shot; or that one is pushed in."""
    count = _count(random, max(6, style.shortest), min(40, style.longest), outgoing, incoming)
    gone, come = outgoing[-count:], incoming[:count]
    share = _progress(random, count, style)[..., 0]
    if random.random() < 0.2:
        frames = _pushed(random, gone, come, share[:, 0, 0])
        covered = share
    else:
        soft = min(random.choice([0.02, 0.05, 0.2, 0.4]), style.softest)
        covered = np.clip((share * (1 + soft) - _order(random, gone.shape[1:3])) / soft, 0, 1)[..., None]
        frames = (1 - covered) * gone + covered * come
    return Join(frames, _seen(covered), count, count)


_LEAST = 0.03  # of another picture or of a ground, that is seen
_JOINS = {CUT: cut, DISSOLVE: dissolve, FADE: fade, WIPE: wipe}


def _count(
    random: np.random.Generator, least: int, most: int, outgoing: np.ndarray, incoming: np.ndarray
) -> int:
    """How many frames of each shot go into a join, so that something of both is left."""
    wanted = math.exp(random.uniform(math.log(least), math.log(most)))
    return max(1, min(round(wanted), len(outgoing) - 2, len(incoming) // 2))


def _progress(random: np.random.Generator, count: int, style: Style) -> np.ndarray:
    """From above 0 to below 1, [count, 1, 1, 1]: steadily, or gently at both ends."""
    share = np.arange(1, count + 1, dtype=np.float32)[:, None, None, None] / (count + 1)
    return share**2 * (3 - 2 * share) if random.random() < 0.3 * style.uneven else share


def _seen(share: np.ndarray) -> np.ndarray:
    """Of each frame, whether there is enough of both shots, for the share of the next one [count, ...]."""
    share = share.reshape(len(share), -1).mean(1)
    return (share > _LEAST) & (share < 1 - _LEAST)


def _order(random: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """When a wipe reaches each place, from 0 to 1, [height, width]."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in size), indexing="ij")
    kind = random.choice(["line", "line", "circle", "box", "clock", "doors", "blinds"])
    if kind == "line":
        angle = random.integers(8) * math.pi / 4 if random.random() < 0.8 else random.uniform(0, 7)
        order = x * math.cos(angle) + y * math.sin(angle)
    elif kind == "circle":
        order = np.hypot(x, y)
    elif kind == "box":
        order = np.maximum(abs(x), abs(y))
    elif kind == "clock":
        order = (np.arctan2(y, x) + random.uniform(0, 7)) % (2 * math.pi)
    elif kind == "doors":
        order = abs(x if random.random() < 0.5 else y)
    else:
        order = ((x if random.random() < 0.5 else y) * random.integers(2, 5)) % 1
    order = -order if random.random() < 0.5 else order
    return (order - order.min()) / np.ptp(order)


def _pushed(
    random: np.random.Generator, outgoing: np.ndarray, incoming: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """The next shot comes in from a side; the one before goes out with it, or stays beneath."""
    axis, away, stays = int(random.integers(1, 3)), random.random() < 0.5, random.random() < 0.5
    if away:
        outgoing, incoming = np.flip(outgoing, axis), np.flip(incoming, axis)
    width, frames = outgoing.shape[axis], []
    for before, after, part in zip(outgoing, incoming, share, strict=True):
        shift = round(width * float(part))
        left = np.split(before, [width - shift] if stays else [shift], axis - 1)[0 if stays else 1]
        frames.append(np.concatenate([left, np.split(after, [shift], axis - 1)[0]], axis - 1))
    frames = np.stack(frames)
    return np.flip(frames, axis) if away else frames


# Shots.

_LONGEST = 120


def shot(random: np.random.Generator, stock: Stock, size: FrameSize, style: Style = WILD) -> np.ndarray:
    """A shot, float32 [time, height, width, 3] from 0 to 255: a camera looks at raw footage."""
    time = int(np.clip(random.lognormal(3.6, 0.7), 8, _LONGEST))
    # Some are filmed, or animated, with fewer pictures a second.
    steps = np.arange(time) // (1 if random.random() < 0.85 else random.integers(2, 4))
    pictures, moments = stock(random, steps[-1] + 1), style.pace * steps
    rows, columns = pictures.shape[1:3]
    y, x = _looked_at(random, moments, size, rows / columns, style.pace)
    frames = sampled(pictures[steps % len(pictures)], (y + 0.5) * rows, (x + 0.5) * columns)
    for _ in range(random.choice(5, p=[0.25, 0.3, 0.2, 0.15, 0.1])):
        _pass_by(random, frames, moments, stock(random, 1)[0], style.pace)
    return np.clip(frames * _light(random, time, style), 0, 255).astype(np.float32)


def _looked_at(
    random: np.random.Generator, moments: np.ndarray, size: FrameSize, proportion: float, pace: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where in pictures of that proportion pixels lie, from -0.5 to 0.5: y and x [time, height, width]."""
    time = len(moments)
    v, u = np.meshgrid(*((np.arange(n, dtype=np.float32) + 0.5) / n - 0.5 for n in size), indexing="ij")
    rate = np.array([0.0, 0.002, 0.006, 0.015, 0.04])  # of a picture's width a frame: resting ... whipping
    speed = random.normal(0, random.choice(rate, p=[0.25, 0.25, 0.25, 0.18, 0.07]), 2)
    zoom = random.normal(0, random.choice([0.0, 0.003, 0.01, 0.03], p=[0.45, 0.3, 0.18, 0.07]))
    turn = random.normal(0, random.choice([0.0, 0.004, 0.03], p=[0.8, 0.15, 0.05]))
    shake = random.choice([0.0, 0.002, 0.006, 0.015], p=[0.4, 0.3, 0.2, 0.1])
    run = moments + pace * np.cumsum(random.normal(0, 0.1, time))  # no hand is steady
    if random.random() < 0.2:  # a movement that begins or ends within the shot
        run = (
            np.maximum(run - random.uniform(0, pace * time), 0)
            if random.random() < 0.5
            else np.minimum(run, pace * time / 2)
        )
    jitter = pace * shake * _smooth(random.normal(size=(2, time)))
    middle = random.uniform(-0.25, 0.25, 2)[:, None] + speed[:, None] * run + jitter
    scale = random.uniform(0.45, 0.95) * np.exp(np.clip(zoom * run, -1.2, 1.2))
    angle = random.normal(0, 0.05) + turn * run
    sine, cosine, scale = (
        value[:, None, None].astype(np.float32) for value in (np.sin(angle), np.cos(angle), scale)
    )
    # The camera has the proportions of 16:9, and of a higher picture it sees a part.
    shape = 9 / 16 / proportion
    y = middle[0][:, None, None] + scale * shape * (v * cosine + u * sine)
    x = middle[1][:, None, None] + scale * (u * cosine - v * sine)
    if random.random() < 0.3:  # leaves, water, cloth
        depth, wave, beat = random.uniform(0.003, 0.02), random.uniform(5, 30, 2), random.uniform(0.05, 0.6)
        phase = (beat * moments)[:, None, None]
        y, x = y + depth * np.sin(wave[0] * x + phase), x + depth * np.sin(wave[1] * y + 1.3 * phase)
    for _ in range(random.choice([0, 2, 4, 6], p=[0.4, 0.2, 0.2, 0.2])):  # limbs, heads, animals
        (at_y, at_x), radius = random.uniform(-0.5, 0.5, 2), random.uniform(0.08, 0.35)
        near = np.exp(-((v - at_y) ** 2 + (u - at_x) ** 2) / (2 * radius**2))
        pull = (
            pace
            * random.uniform(0.01, 0.08, (2, 1))
            * _smooth(random.normal(size=(2, time)), int(random.integers(5, 30)))
        )
        y, x = (value + (near * pull[axis][:, None, None]) for axis, value in enumerate((y, x)))
    return y.astype(np.float32), x.astype(np.float32)


def sampled(pictures: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Pictures uint8 [time, rows, columns, 3] at places y and x [time, height, width], in pixels.

    Between pixels it is linear, and beyond the borders a picture goes on as in a mirror.
    """
    time, rows, columns, _ = pictures.shape
    pixels, start = pictures.reshape(-1, 3), np.arange(time, dtype=np.int32)[:, None, None] * (rows * columns)
    top, left = (np.floor(value).astype(np.int32) for value in (y, x))
    down, right = (y - top)[..., None], (x - left)[..., None]

    def mirrored(place: np.ndarray, count: int) -> np.ndarray:
        place = place % (2 * count)
        return np.minimum(place, 2 * count - 1 - place)

    def at(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return pixels.take(start + row + column, axis=0).astype(np.float32)

    upper, lower = (mirrored(top + i, rows) * columns for i in (0, 1))
    near, far = (mirrored(left + i, columns) for i in (0, 1))
    above = at(upper, near) * (1 - right) + at(upper, far) * right
    below = at(lower, near) * (1 - right) + at(lower, far) * right
    return above * (1 - down) + below * down


def _pass_by(
    random: np.random.Generator, frames: np.ndarray, moments: np.ndarray, picture: np.ndarray, pace: float
) -> None:
    """A thing that moves before the camera, made of a picture or of one color."""
    time, height, width, _ = frames.shape
    v, u = np.meshgrid(*((np.arange(n) + 0.5) / n - 0.5 for n in (height, width)), indexing="ij")
    radius = np.exp(random.uniform(np.log(0.05), np.log(0.6), 2))
    speed = random.normal(0, random.choice([0.003, 0.012, 0.04], p=[0.4, 0.4, 0.2]), 2)
    swing = random.uniform(0, 0.08) * np.sin(random.uniform(0.05, 0.7, (2, 1)) * moments)
    middle = (
        random.uniform(-0.5, 0.5, 2)[:, None]
        + speed[:, None] * (moments - random.uniform(0, pace * time))
        + swing
    )
    away_y, away_x = (v - middle[0][:, None, None]) / radius[0], (u - middle[1][:, None, None]) / radius[1]
    far = np.hypot(away_y, away_x) if random.random() < 0.7 else np.maximum(abs(away_y), abs(away_x))
    turning = random.normal(0, 0.1) * moments[:, None, None] + random.uniform(0, 7)
    lobes = random.integers(1, 5) * np.arctan2(away_y, away_x)
    far = far * (1 + random.uniform(0, 0.5) * np.sin(lobes + turning))
    where = np.nonzero(far < 1)
    if not len(where[0]):
        return
    if random.random() < 0.3:
        surface = random.uniform(0, 255, 3)
    else:
        rows, columns, _ = picture.shape
        row, column = ((away[where] + 1) * 0.5 * n for away, n in ((away_y, rows), (away_x, columns)))
        place = np.clip(row.astype(int), 0, rows - 1), np.clip(column.astype(int), 0, columns - 1)
        surface = picture[place] * random.uniform(0.5, 1.3)
    edge = np.clip((1 - far[where]) * random.uniform(3, 15), 0, 1)[:, None]
    frames[where] = (1 - edge) * frames[where] + edge * surface


def _light(random: np.random.Generator, time: int, style: Style) -> np.ndarray:
    """Of each frame, [time, 1, 1, 3]: color, drift, a new exposure, flashes, flicker."""
    light = np.ones((time, 3)) * random.uniform(0.6, 1.2) * random.uniform(0.9, 1.1, 3)
    depth = 0.15 * style.uneven * random.random()
    light *= 1 + depth * _smooth(random.normal(size=(1, time)), 20)[0][:, None]
    if random.random() < 0.12 * style.uneven:
        middle, width = random.uniform(0, time), random.uniform(1, 12)
        ramp = 1 / (1 + np.exp(-np.clip((np.arange(time) - middle) / width, -30, 30)))
        light *= 1 + (random.uniform(-0.5, 0.6) * ramp)[:, None]
    if random.random() < 0.12:
        for _ in range(random.integers(1, 4)):
            at, lasts = random.integers(time), random.integers(1, 4)
            light[at : at + lasts] *= random.uniform(1.5, 5)
    light *= 1 + random.choice([0.0, 0.01, 0.04], p=[0.6, 0.3, 0.1]) * random.normal(size=(time, 1))
    return light[:, None, None]


def _smooth(noise: np.ndarray, steps: int = 5) -> np.ndarray:
    """Noise [n, time] of variance about 1, made slow."""
    kernel = np.hanning(steps + 2)
    kernel /= np.sqrt((kernel**2).sum())
    return np.stack([np.convolve(row, kernel, "same")[: noise.shape[1]] for row in noise])


# A recording.


def recorded(random: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    """What a camera and a codec leave of frames float32 [time, height, width, 3]: uint8 of the same shape."""
    time, height, width, _ = frames.shape
    if random.random() < 0.15:  # bars above and below, or on both sides
        bar = random.integers(1, 5)
        frames = frames.copy()
        if random.random() < 0.6:
            frames[:, :bar] = frames[:, height - bar :] = 0
        else:
            frames[:, :, :bar] = frames[:, :, width - bar :] = 0
    if random.random() < 0.1:  # a station's sign
        row, column = random.integers(height - 4), random.integers(width - 8)
        frames[:, row : row + 3, column : column + 7] = random.uniform(0, 255, 3)
    frames = frames + random.choice([0.3, 1.5, 4.0], p=[0.5, 0.35, 0.15]) * random.standard_normal(
        frames.shape, np.float32
    )
    if random.random() < 0.5:  # codecs leave out small changes until the next key frame
        least, every = random.uniform(1, 10), random.integers(8, 60)
        for t in range(1, time):
            if t % every:
                frames[t] = np.where(abs(frames[t] - frames[t - 1]) < least, frames[t - 1], frames[t])
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


# Stock.


def painted(random: np.random.Generator, length: int) -> np.ndarray:
    """A painted ground, uint8 [1, rows, columns, 3]: slopes and clouds of color, and shapes on them."""
    rows, columns = 54, 96
    tone, spread = random.uniform(30, 210), random.uniform(5, 60)
    ground = np.zeros((rows, columns, 3), np.float32) + tone + random.uniform(-spread, spread, 3)
    for cells in (2, 4, 8, 16, 32):
        strength = random.uniform(0, 1) * 60 / cells**0.7
        cloud = random.normal(0, 1, (cells, 2 * cells, 3 if random.random() < 0.5 else 1)) * np.ones(3)
        picture = Image.fromarray(np.clip(128 + 50 * cloud, 0, 255).astype(np.uint8))
        larger = np.asarray(picture.resize((columns, rows), Image.Resampling.BICUBIC), np.float32)
        ground += strength * (larger - 128) / 50
    picture = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(0, 16)):
        x, y = random.uniform(0, columns), random.uniform(0, rows)
        a, b = np.exp(random.uniform(0.5, 3.5, 2))
        color = tuple(int(c) for c in random.uniform(0, 255, 3))
        if random.random() < 0.4:
            draw.ellipse((x - a, y - b, x + a, y + b), fill=color)
        elif random.random() < 0.5:
            draw.rectangle((x - a, y - b, x + a, y + b), fill=color)
        else:
            corners = [(x + random.normal(0, a), y + random.normal(0, b)) for _ in range(4)]
            draw.polygon(corners, fill=color)
    return np.asarray(picture)[None]


def raw_footage(sources: Sequence[Path], size: FrameSize = SIZE) -> Stock:
    """A stock of a user's own pictures and videos, which are read into memory, small.

    A video is chosen more often than a picture by the square root of the number of its frames.

    Args:
        sources: their files.
        size: height and width of the shots; twice as much is kept, for a camera that looks at a part.

    Raises:
        DataError: one of them cannot be read.
    """
    reels = [_reel(source, (2 * size[0], 2 * size[1])) for source in sources]
    weights = np.sqrt([len(reel) for reel in reels])
    weights /= weights.sum()

    def stock(random: np.random.Generator, length: int) -> np.ndarray:
        reel = reels[random.choice(len(reels), p=weights)]
        start = random.integers(max(1, len(reel) - length + 1))
        return reel[start : start + length]

    return stock


def _reel(path: Path, size: FrameSize) -> np.ndarray:
    """A picture, or the frames of a video, uint8 [1 or time, rows, columns, 3]."""
    try:
        if re.search(VIDEO_FILE_PATTERN, path.name.lower()):
            return np.stack([frame for _, frame in open_video(path).decode(size)])
        with Image.open(path) as picture:
            square = (max(size), max(size))
            picture.draft("RGB", square)
            small = ImageOps.contain(picture.convert("RGB"), square, Image.Resampling.BOX)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read: {error}. Replace or remove it.") from error
    return np.asarray(small)[None]


# Clips of a user's footage.


def load_footage(
    sources: Sequence[Path], clips: int, size: FrameSize = SIZE, cache: Path | None = None
) -> DataSplits[TaggingSplit]:
    """Edits clips of a user's own pictures and videos, as `Footage` are of painted grounds.

    A fifth of the shots is painted all the same, for what pictures do not have. A tenth of the files, by a
    hash of their names, is for validation, and a tenth for test, so that no two splits share a picture. The
    frames of a video should come as a video: as pictures they would be in all splits.

    Args:
        sources: files of pictures and videos, and folders that hold such, also in folders within.
        clips: how many to make for training; of validation and test a twentieth each.
        size: height and width of the frames.
        cache: folder where they are kept, to be used again as long as all is as it was; in memory if None.

    Raises:
        DataError: there are no pictures and videos, or too few, or one of them cannot be read, or the size is
            too small for an edit to be seen.
    """
    if size[0] < _SMALLEST[0] or size[1] < _SMALLEST[1]:
        least = " x ".join(map(str, _SMALLEST))
        raise DataError(f"Frames of {size[0]} x {size[1]} pixels show no edits. Expected {least} at least.")
    files = sorted({file for source in sources for file in _files(source)})
    named = ", ".join(map(str, sources))
    parts = tf.strings.to_hash_bucket_fast(tf.constant([file.name for file in files], tf.string), 10).numpy()
    chosen = {
        "train": [file for file, part in zip(files, parts, strict=True) if part > 1],
        "validation": [file for file, part in zip(files, parts, strict=True) if part == 1],
        "test": [file for file, part in zip(files, parts, strict=True) if part == 0],
    }
    if empty := [split for split, some in chosen.items() if not some]:
        raise DataError(
            f"{named}: of {len(files):,} pictures and videos none is left for {' and '.join(empty)}. "
            "Expected some dozens. Add more."
        )
    counts = {"train": clips, "validation": -(-clips // 20), "test": -(-clips // 20)}
    made = {split: _edited(chosen[split], split, counts[split], size, cache) for split in chosen}
    notes = (
        f"Clips of {LENGTH} frames, edited from {len(files):,} pictures and videos, and a fifth of the shots "
        "from painted grounds.",
        "validation and test are made of a tenth of the files each, chosen by a hash of their names.",
    )
    return DataSplits(**made, info=DataInfo(named, labels=TAGS, notes=notes, is_video=True))


def _files(source: Path) -> list[Path]:
    if not source.exists():
        raise DataError(f"There is no {source}. Expected pictures and videos, or folders of them.")
    found = sorted(source.rglob("*")) if source.is_dir() else [source]
    return [
        file
        for file in found
        if re.search(f"{IMAGE_FILE_PATTERN}|{VIDEO_FILE_PATTERN}", file.name.lower()) and file.name[0] != "."
    ]


def _edited(files: list[Path], split: str, count: int, size: FrameSize, cache: Path | None) -> TaggingSplit:
    """Clips of the files, from the cache where they are there."""
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    key = hashlib.sha256(repr((states, split, count, tuple(size), str(Footage.VERSION))).encode()).hexdigest()
    tags, shape = np.zeros((count, LENGTH), np.int32), (count, LENGTH, *size, 3)
    if cache is None:
        frames = np.zeros(shape, np.uint8)
        _edit(files, split, frames, tags)
    else:
        kept, named = cache / f"{key[:24]}.npy", cache / f"{key[:24]}.tags.npy"
        if not kept.exists():
            with atomic_write(kept) as new:
                frames = np.lib.format.open_memmap(new, "w+", np.uint8, shape)
                _edit(files, split, frames, tags)
                frames.flush()
                with atomic_write(named) as new_tags:
                    np.save(new_tags, tags)
        frames, tags = np.load(kept, mmap_mode="r"), np.load(named)
    names, steps = [f"{split}/{number}" for number in range(count)], np.arange(LENGTH, dtype=np.float64)
    return TaggingSplit(names, list(frames), list(tags), [steps] * count)


def _edit(files: list[Path], split: str, frames: np.ndarray, tags: np.ndarray) -> None:
    """Fill frames [clips, time, height, width, 3] and tags [clips, time]."""
    own, said = raw_footage(files, frames.shape[2:4]), time.monotonic()

    def stock(random: np.random.Generator, length: int) -> np.ndarray:
        return (painted if random.random() < 0.2 else own)(random, length)

    made = _clips(split, len(frames), stock, frames.shape[2:4], WILD)
    for number, (frames[number], tags[number]) in enumerate(made):
        if time.monotonic() - said > 10:
            said = time.monotonic()
            print(f"editing clips for {split}: {number + 1:,} of {len(frames):,}", flush=True)
