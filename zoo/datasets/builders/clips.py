"""Short videos of moving shapes with a sentence that describes them: a data set for captioning."""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, assign_split, make_generator
from zoo.datasets.builders.drawing import COLORS, MAX_EXTENT, SCALE, SHAPES, SIDE, draw_shape

SIZES = {"train": 5_000, "validation": 250, "test": 500}
LENGTHS = (10, 18)  # minimum and maximum number of frames

COLOR_NAMES = ("red", "yellow", "green", "blue", "black", "white")  # distinguishable in a few pixels
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}  # x and y
RELATIONS = ("behind", "in front of", "past", "towards", "away from")

# As fractions of the side.
_MIN_GAP = 0.02  # between two shapes that do not touch
_MIN_DISTANCE = 0.25  # that a moving shape covers


class Thing(NamedTuple):
    """A shape in a clip; as text, its description."""

    color: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.color} {self.shape}"


THINGS = [Thing(*names) for names in itertools.product(COLOR_NAMES, SHAPES)]
MOVES = [f"moves {direction}" for direction in DIRECTIONS]
ACTIONS_ALONE = [*MOVES, *(f"{move} and back" for move in MOVES), "grows", "shrinks"]


class Event(NamedTuple):
    """What happens in a clip; as text, its caption."""

    thing: Thing
    action: str
    relation: str = ""
    other: Thing | None = None

    def __str__(self) -> str:
        sentence = f"{self.thing} {self.action}"
        return f"{sentence} {self.relation} {self.other}" if self.other else sentence

    @property
    def split(self) -> str:
        """The split to which the event belongs, by its two shapes or by the one shape and its action."""
        return assign_split(self.thing, self.other or self.action)


class Clips(GeneratedBuilder):
    """Clips of a shape that moves, grows or shrinks, alone or near a second shape that rests.

    "a red circle moves left behind a blue square". A shape has a color and a kind. It moves left, right, up
    or down, alone also there and back. Near a second shape it moves behind it or in front of it, past it
    without touching it, towards it, or away from it. A single frame shows neither the direction of a movement
    nor what will be covered. Two shapes in their roles are in one split only, and so are a shape that is
    alone and its action: the test split shows combinations that the training split does not. Place, size,
    speed, pauses, background and brightness vary.

    Example:
        >>> import zoo
        >>> features = zoo.datasets.builders.Clips().info.features
        >>> {name: feature.shape for name, feature in features.items()}
        {'frames': (None, 64, 64, 3), 'caption': ()}
    """

    VERSION = make_dataset_version("1.0.0")

    def _info(self) -> Any:
        features = {
            "frames": tfds.features.Tensor(
                shape=(None, SIDE, SIDE, 3), dtype=np.uint8, encoding=tfds.features.Encoding.ZLIB
            ),
            "caption": tfds.features.Text(),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("frames", "caption"))

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in range(SIZES[split]):
            frames, caption = make_clip(split, number)
            yield number, {"frames": frames, "caption": caption}


def make_clip(split: str, number: int) -> tuple[np.ndarray, str]:
    """Return a clip of a split, uint8 `[time, SIDE, SIDE, 3]`, and its caption.

    Args:
        split: "train", "validation" or "test".
        number: position in the split.
    """
    rng = make_generator(split, number)
    event = _choose_event(rng, split)
    return draw_event(event, rng), str(event)


def _choose_event(rng: np.random.Generator, split: str) -> Event:
    """Choose an event that belongs to a split."""
    is_alone = rng.random() < 0.3
    while True:
        thing, other = (THINGS[i] for i in rng.integers(len(THINGS), size=2))
        if is_alone:
            event = Event(thing, str(rng.choice(ACTIONS_ALONE)))
        else:
            event = Event(thing, str(rng.choice(MOVES)), str(rng.choice(RELATIONS)), other)
        # Only different colors show which shape covers the other.
        if event.split == split and (is_alone or thing.color != other.color):
            return event


def draw_event(event: Event, rng: np.random.Generator) -> np.ndarray:
    """Draw a clip of an event, uint8 `[time, SIDE, SIDE, 3]`, at varied places and in varied light."""
    length = int(rng.integers(LENGTHS[0], LENGTHS[1] + 1))
    progress, (radius, other_radius) = _draw_progress(rng, length), rng.uniform(0.125, 0.145, 2)
    radii = np.full(length, radius)
    if event.action in ("grows", "shrinks"):
        small, large = rng.uniform(0.08, 0.1), rng.uniform(0.17, 0.2)
        radii = small * (large / small) ** (progress if event.action == "grows" else 1 - progress)
    start, end, resting = _choose_places(event, radii.max(), other_radius, rng)
    if event.action.endswith("back"):
        progress = 1 - abs(1 - 2 * progress)
    places = start + (end - start) * progress[:, None]

    masks = np.stack([_draw_mask(event.thing, *at) for at in zip(places, radii, strict=True)])
    layers = [(event.thing, masks)]
    if event.other:
        layers.append((event.other, _draw_mask(event.other, resting, other_radius)[None]))
    background = rng.uniform(95, 175) + rng.uniform(-25, 25, 3)
    frames = np.tile(background.astype(np.float32), (length, SIDE, SIDE, 1))
    for thing, mask in layers[::-1] if event.relation == "in front of" else layers:
        color = rng.uniform(0.85, 1.0) * np.array(COLORS[thing.color])
        frames += mask[..., None] * (color.astype(np.float32) - frames)
    frames *= np.linspace(1, rng.uniform(0.9, 1.1), length, dtype=np.float32)[:, None, None, None]
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


def _draw_progress(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return the progress of an action from 0 to 1, `[time]`, perhaps with a pause before and after it."""
    before, after = rng.integers(3, size=2)
    progress = np.clip((np.arange(length) - before) / (length - 1 - before - after), 0, 1)
    return progress**2 * (3 - 2 * progress) if rng.random() < 0.3 else progress


def _choose_places(event: Event, radius: float, other_radius: float, rng: np.random.Generator) -> np.ndarray:
    """Return x and y, `[3, 2]`, of the start and the end of the movement and of the resting shape.

    They are first chosen along the movement, from 0 at its origin to 1, and across it.
    """
    extent, other_extent = radius * MAX_EXTENT, other_radius * MAX_EXTENT
    apart, resting, offset = extent + other_extent + _MIN_GAP, 0.5, rng.uniform(-0.04, 0.04)
    if event.relation in ("towards", "away from"):
        near = rng.uniform(apart, apart + 0.05)
        resting = rng.uniform(extent + _MIN_DISTANCE + near, 1 - other_extent)
        start, end = rng.uniform(extent, resting - near - _MIN_DISTANCE), resting - near
        if event.relation == "away from":  # the same, played backwards
            start, end, resting = 1 - end, 1 - start, 1 - resting
    elif event.relation:
        resting = rng.uniform(extent + apart, 1 - extent - apart)
        start, end = rng.uniform(extent, resting - apart), rng.uniform(resting + apart, 1 - extent)
    elif event.action in MOVES or event.action.endswith("back"):
        start = rng.uniform(extent, 1 - extent - _MIN_DISTANCE)
        end = rng.uniform(start + _MIN_DISTANCE, 1 - extent)
    else:
        start = end = rng.uniform(extent, 1 - extent)
    if event.relation == "past":
        offset = rng.choice([-1, 1]) * rng.uniform(apart, apart + 0.1)
    across = rng.uniform(max(extent, other_extent - offset), 1 - max(extent, other_extent + offset))
    x, y = DIRECTIONS[event.action.split()[1]] if "moves" in event.action else (1, 0)
    along = np.array([start, end, resting])
    along = along if x + y > 0 else 1 - along
    beside = np.array([across, across, across + offset])
    return np.stack([along, beside] if x else [beside, along], -1)


def _draw_mask(thing: Thing, place: np.ndarray, radius: float) -> np.ndarray:
    """Return how much of each pixel a shape covers, float32 `[SIDE, SIDE]` from 0 to 1."""
    side = SIDE * SCALE
    image = Image.new("L", (side, side))
    x, y = place * side
    draw_shape(ImageDraw.Draw(image), thing.shape, x, y, radius * side, 255)
    return np.asarray(image.reduce(SCALE), np.float32) / 255
