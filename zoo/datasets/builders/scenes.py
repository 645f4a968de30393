"""Drawn scenes with a sentence that describes them: the default data set for captioning."""

import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, assign_split, make_generator
from zoo.datasets.builders.drawing import COLORS, SCALE, SHAPES, SIDE, draw_shape

SIZES = {"train": 8_000, "validation": 500, "test": 1_000}

RADII = {"small": 0.1, "large": 0.16}  # as fractions of the side
ARRANGEMENTS = ("from left to right", "from top to bottom")


class Thing(NamedTuple):
    """A shape in a scene; as text, its description."""

    size: str
    color: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.size} {self.color} {self.shape}"


THINGS = [Thing(*names) for names in itertools.product(RADII, COLORS, SHAPES)]


class Scenes(GeneratedBuilder):
    """Images of one to three shapes in a row or a column, described in a fixed order.

    "a small red circle, a large blue star and a small white cross from left to right". A shape has a size, a
    color and a kind. Each shape that is alone in its scene, and each two that are side by side, are in one
    split only: the test split shows combinations that the training split does not, so a model that memorizes
    images fails. Place, size, background and brightness vary.

    Example:
        >>> import zoo
        >>> features = zoo.datasets.builders.Scenes().info.features
        >>> {name: feature.shape for name, feature in features.items()}
        {'image': (64, 64, 3), 'caption': ()}
    """

    VERSION = make_dataset_version("1.0.0")

    def _info(self) -> Any:
        features = {
            "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="png"),
            "caption": tfds.features.Text(),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("image", "caption"))

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in range(SIZES[split]):
            image, caption = make_scene(split, number)
            encoded = io.BytesIO()
            image.save(encoded, "PNG")
            encoded.seek(0)
            yield number, {"image": encoded, "caption": caption}


def make_scene(split: str, number: int) -> tuple[Image.Image, str]:
    """Return an image of a split and its caption.

    Args:
        split: "train", "validation" or "test".
        number: position in the split.
    """
    rng = make_generator(split, number)
    things, arrangement = _choose_things(rng, split)
    return draw_scene(things, arrangement, rng), describe_scene(things, arrangement)


def describe_scene(things: Sequence[Thing], arrangement: str) -> str:
    """Return the caption of a scene."""
    if len(things) == 1:
        return str(things[0])
    *others, last = map(str, things)
    return f"{', '.join(others)} and {last} {arrangement}"


def draw_scene(things: Sequence[Thing], arrangement: str, rng: np.random.Generator) -> Image.Image:
    """Draw shapes at varied places, in varied light."""
    side = SIDE * SCALE
    gray = rng.uniform(95, 175)
    background = tuple(int(gray + rng.uniform(-25, 25)) for _ in range(3))
    image = Image.new("RGB", (side, side), background)
    draw = ImageDraw.Draw(image)
    for place, thing in enumerate(things):
        along = (place + 0.5) / len(things) + rng.uniform(-0.02, 0.02)
        across = 0.5 + rng.uniform(-0.13, 0.13) if len(things) > 1 else rng.uniform(0.2, 0.8)
        if len(things) == 1:
            along = rng.uniform(0.2, 0.8)
        x, y = (along, across) if arrangement == ARRANGEMENTS[0] else (across, along)
        radius = RADII[thing.size] * rng.uniform(0.92, 1.05)
        brightness = rng.uniform(0.85, 1.0)
        color = tuple(int(channel * brightness) for channel in COLORS[thing.color])
        draw_shape(draw, thing.shape, x * side, y * side, radius * side, color)
    pixels = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    return Image.fromarray(np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8))


def _choose_things(rng: np.random.Generator, split: str) -> tuple[list[Thing], str]:
    """Choose shapes whose combinations all belong to a split, and their arrangement."""
    count = int(rng.choice([1, 2, 2, 2, 3, 3, 3]))
    while True:
        things = [THINGS[i] for i in rng.integers(len(THINGS), size=count)]
        combinations: list[tuple[Thing, ...]] = [*itertools.pairwise(things)] or [tuple(things)]
        if {assign_split(*combination) for combination in combinations} == {split}:
            return things, ARRANGEMENTS[rng.integers(2)]
