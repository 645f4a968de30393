"""Drawn scenes that move, and sentences that tell of them: the embedded clips of the captioning recipe."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw

from zoo.datasets.builders.scenes import COLOURS, SCALE, SHAPES, _draw, _split

SIZES = {"train": 5_000, "validation": 250, "test": 500}
SIDE = 64  # pixels
LENGTHS = (10, 18)  # frames: the least and the most

NAMED = ("red", "yellow", "green", "blue", "black", "white")  # colors that a few pixels tell apart
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}  # x and y
RELATIONS = ("behind", "in front of", "past", "towards", "away from")

_REACH = 1.1  # radii from the middle of a thing to its farthest point
_GAP, _WAY = 0.02, 0.25  # shares of the side: between two things that do not touch, and covered, at least


class Thing(NamedTuple):
    """What is drawn, and named."""

    color: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.color} {self.shape}"


THINGS = [Thing(*chosen) for chosen in itertools.product(NAMED, SHAPES)]
MOVES = [f"moves {direction}" for direction in DIRECTIONS]
ALONE = [*MOVES, *(f"{move} and back" for move in MOVES), "grows", "shrinks"]


class Event(NamedTuple):
    """What happens in a clip; as text, its caption."""

    thing: Thing
    does: str
    relation: str = ""
    other: Thing | None = None

    def __str__(self) -> str:
        said = f"{self.thing} {self.does}"
        return f"{said} {self.relation} {self.other}" if self.other else said

    @property
    def split(self) -> str:
        """Of a thing alone what it does decides, of two things which ones they are."""
        return _split([self.thing, self.other or self.does])


class Clips(tfds.core.GeneratorBasedBuilder):
    """Clips of a thing that moves, grows or shrinks, perhaps by another one that rests, and what happens.

    "a red circle moves left behind a blue square". A thing has a color and a shape. It moves left, right, up
    or down, alone also there and back; and with regard to the other one behind or in front of it, as is seen
    when it passes, past it without touching, towards it or away from it. No single frame shows which way
    something moves, nor what will be covered. Two things, in their roles, are in one split only, and so are a
    thing and what it does alone: test shows combinations that train does not. Place, size, speed, pauses,
    background and light vary.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "frames": tfds.features.Tensor(
                        shape=(None, SIDE, SIDE, 3), dtype=np.uint8, encoding=tfds.features.Encoding.ZLIB
                    ),
                    "caption": tfds.features.Text(),
                }
            ),
            supervised_keys=("frames", "caption"),
            license="Apache-2.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, object]]]]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, object]]]:
        for number in range(SIZES[split]):
            frames, said = clip(split, number)
            yield number, {"frames": frames, "caption": said}


def clip(split: str, number: int) -> tuple[np.ndarray, str]:
    """The clip of that number in the split, frames uint8 [time, SIDE, SIDE, 3], and its caption."""
    # Of a seed for each clip: the same on every machine, for good.
    random = np.random.default_rng([list(SIZES).index(split), number])
    event = _event(random, split)
    return drawn(event, random), str(event)


def _event(random: np.random.Generator, split: str) -> Event:
    """Something that belongs to the split."""
    alone = random.random() < 0.3
    while True:
        thing, other = (THINGS[i] for i in random.integers(len(THINGS), size=2))
        if alone:
            event = Event(thing, str(random.choice(ALONE)))
        else:
            event = Event(thing, str(random.choice(MOVES)), str(random.choice(RELATIONS)), other)
        # What covers what is seen by the colors.
        if event.split == split and (alone or thing.color != other.color):
            return event


def drawn(event: Event, random: np.random.Generator) -> np.ndarray:
    """A clip of the event, uint8 [time, SIDE, SIDE, 3], in varied places and light."""
    time = int(random.integers(LENGTHS[0], LENGTHS[1] + 1))
    share, (radius, resting_radius) = _progress(random, time), random.uniform(0.125, 0.145, 2)
    radii = np.full(time, radius)
    if event.does in ("grows", "shrinks"):
        small, large = random.uniform(0.08, 0.1), random.uniform(0.17, 0.2)
        radii = small * (large / small) ** (share if event.does == "grows" else 1 - share)
    start, end, resting = _places(event, radii.max(), resting_radius, random)
    if event.does.endswith("back"):
        share = 1 - abs(1 - 2 * share)
    places = start + (end - start) * share[:, None]

    layers = [(event.thing, np.stack([_mask(event.thing, *at) for at in zip(places, radii, strict=True)]))]
    if event.other:
        layers.append((event.other, _mask(event.other, resting, resting_radius)[None]))
    ground = random.uniform(95, 175) + random.uniform(-25, 25, 3)
    frames = np.tile(ground.astype(np.float32), (time, SIDE, SIDE, 1))
    for thing, mask in layers[::-1] if event.relation == "in front of" else layers:
        color = random.uniform(0.85, 1.0) * np.array(COLOURS[thing.color])
        frames += mask[..., None] * (color.astype(np.float32) - frames)
    frames *= np.linspace(1, random.uniform(0.9, 1.1), time, dtype=np.float32)[:, None, None, None]
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


def _progress(random: np.random.Generator, time: int) -> np.ndarray:
    """From 0 to 1, [time]: steadily, or gently at both ends, perhaps with a rest before and after."""
    before, after = random.integers(3, size=2)
    share = np.clip((np.arange(time) - before) / (time - 1 - before - after), 0, 1)
    return share**2 * (3 - 2 * share) if random.random() < 0.3 else share


def _places(event: Event, radius: float, resting_radius: float, random: np.random.Generator) -> np.ndarray:
    """Where the thing starts and ends, and where the other one rests: x and y of each, [3, 2].

    They are found along the way, from 0 to 1 as the thing goes, and across it.
    """
    own, others = radius * _REACH, resting_radius * _REACH
    apart, resting, aside = own + others + _GAP, 0.5, random.uniform(-0.04, 0.04)
    if event.relation in ("towards", "away from"):
        near = random.uniform(apart, apart + 0.05)
        resting = random.uniform(own + _WAY + near, 1 - others)
        start, end = random.uniform(own, resting - near - _WAY), resting - near
        if event.relation == "away from":  # the same, seen backwards
            start, end, resting = 1 - end, 1 - start, 1 - resting
    elif event.relation:
        resting = random.uniform(own + apart, 1 - own - apart)
        start, end = random.uniform(own, resting - apart), random.uniform(resting + apart, 1 - own)
    elif event.does in MOVES or event.does.endswith("back"):
        start = random.uniform(own, 1 - own - _WAY)
        end = random.uniform(start + _WAY, 1 - own)
    else:
        start = end = random.uniform(own, 1 - own)
    if event.relation == "past":
        aside = random.choice([-1, 1]) * random.uniform(apart, apart + 0.1)
    across = random.uniform(max(own, others - aside), 1 - max(own, others + aside))
    x, y = DIRECTIONS[event.does.split()[1]] if "moves" in event.does else (1, 0)
    along = np.array([start, end, resting])
    along = along if x + y > 0 else 1 - along
    beside = np.array([across, across, across + aside])
    return np.stack([along, beside] if x else [beside, along], -1)


def _mask(thing: Thing, place: np.ndarray, radius: float) -> np.ndarray:
    """How much of each pixel it covers, float32 [SIDE, SIDE] from 0 to 1."""
    side = SIDE * SCALE
    picture = Image.new("L", (side, side))
    _draw(ImageDraw.Draw(picture), thing.shape, *(place * side), radius * side, 255)
    return np.asarray(picture.reduce(SCALE), np.float32) / 255
