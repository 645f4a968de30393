"""Drawn scenes and sentences that tell of them: the embedded default of the captioning recipe."""

import hashlib
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image, ImageDraw

SIZES = {"train": 8_000, "validation": 500, "test": 1_000}
SIDE = 64  # pixels
SCALE = 4  # drawn larger, and made smaller, for smooth edges

COLOURS = {
    "red": (214, 45, 40),
    "orange": (250, 150, 30),
    "yellow": (245, 225, 60),
    "green": (50, 160, 70),
    "blue": (45, 90, 210),
    "purple": (135, 60, 165),
    "black": (25, 25, 25),
    "white": (250, 250, 250),
}
SHAPES = ("circle", "square", "triangle", "star", "cross")
RADII = {"small": 0.1, "large": 0.16}  # shares of the side
ARRANGEMENTS = ("from left to right", "from top to bottom")


class Thing(NamedTuple):
    """What is drawn, and named."""

    size: str
    color: str
    shape: str

    def __str__(self) -> str:
        return f"a {self.size} {self.color} {self.shape}"


THINGS = [Thing(*chosen) for chosen in itertools.product(RADII, COLOURS, SHAPES)]


class Scenes(tfds.core.GeneratorBasedBuilder):
    """Pictures of one to three things in a row or a column, and what is to be seen, in a fixed order.

    "a small red circle, a large blue star and a small white cross from left to right". A thing has a size, a
    color and a shape. Each thing that stands alone, and each two that stand side by side, are in one split
    only, so that to remember pictures does not help: test shows combinations that train does not.
    Place, size, background and light vary.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIDE, SIDE, 3), encoding_format="png"),
                    "caption": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "caption"),
            license="Apache-2.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[int, dict[str, object]]]]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, object]]]:
        for number in range(SIZES[split]):
            picture, said = scene(split, number)
            encoded = io.BytesIO()
            picture.save(encoded, "PNG")
            encoded.seek(0)
            yield number, {"image": encoded, "caption": said}


def scene(split: str, number: int) -> tuple[Image.Image, str]:
    """The picture of that number in the split, and its caption."""
    # Of a seed for each picture: the same on every machine, for good.
    random = np.random.default_rng([list(SIZES).index(split), number])
    things, arrangement = _scene(random, split)
    return drawn(things, arrangement, random), caption(things, arrangement)


def caption(things: Sequence[Thing], arrangement: str) -> str:
    """What is to be seen."""
    if len(things) == 1:
        return str(things[0])
    *others, last = map(str, things)
    return f"{', '.join(others)} and {last} {arrangement}"


def drawn(things: Sequence[Thing], arrangement: str, random: np.random.Generator) -> Image.Image:
    """A picture of the things, in varied places and light."""
    side = SIDE * SCALE
    grey = random.uniform(95, 175)
    ground = tuple(int(grey + random.uniform(-25, 25)) for _ in range(3))
    picture = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(picture)
    for place, thing in enumerate(things):
        along = (place + 0.5) / len(things) + random.uniform(-0.02, 0.02)
        across = 0.5 + random.uniform(-0.13, 0.13) if len(things) > 1 else random.uniform(0.2, 0.8)
        if len(things) == 1:
            along = random.uniform(0.2, 0.8)
        x, y = (along, across) if arrangement == ARRANGEMENTS[0] else (across, along)
        radius = RADII[thing.size] * random.uniform(0.92, 1.05)
        light = random.uniform(0.85, 1.0)
        color = tuple(int(part * light) for part in COLOURS[thing.color])
        _draw(draw, thing.shape, x * side, y * side, radius * side, color)
    pixels = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    return Image.fromarray(np.clip(pixels + random.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8))


def _draw(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, radius: float, color: tuple[int, ...]
) -> None:
    if shape == "circle":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    elif shape == "square":
        half = radius * 0.85
        draw.rectangle((x - half, y - half, x + half, y + half), fill=color)
    elif shape == "cross":
        thin = radius * 0.3
        draw.rectangle((x - radius, y - thin, x + radius, y + thin), fill=color)
        draw.rectangle((x - thin, y - radius, x + thin, y + radius), fill=color)
    else:
        corners, inner = {"triangle": (3, 0.5), "star": (5, 0.4)}[shape]
        points = [
            (x + far * math.sin(math.pi * i / corners), y - far * math.cos(math.pi * i / corners))
            for i in range(2 * corners)
            for far in [radius * (inner if i % 2 else 1.1)]
        ]
        draw.polygon(points, fill=color)


def _scene(random: np.random.Generator, split: str) -> tuple[list[Thing], str]:
    """Things and their arrangement, all of which belong to the split."""
    count = int(random.choice([1, 2, 2, 2, 3, 3, 3]))
    while True:
        things = [THINGS[i] for i in random.integers(len(THINGS), size=count)]
        pairs = list(itertools.pairwise(things)) or [tuple(things)]
        if {_split(pair) for pair in pairs} == {split}:
            return things, ARRANGEMENTS[random.integers(2)]


def _split(things: Sequence[Thing]) -> str:
    digest = hashlib.sha256(" ".join(map(str, things)).encode()).digest()
    return {0: "validation", 1: "test"}.get(int.from_bytes(digest) % 10, "train")
