"""The film that pages and tests show to a model: python docs/drawings/film.py makes it anew."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from zoo.datasets.builders import footage

HERE = Path(__file__).parent
WIDTH, HEIGHT, SCALE, RATE = 320, 180, 2, 25  # drawn larger, and made smaller, for smooth edges
RANDOM = np.random.default_rng(5)


def filmed(draw: Callable[[ImageDraw.ImageDraw, float], None], count: int) -> np.ndarray:
    """A shot, float32 [count, height, width, 3], of what is drawn at each share of its time."""
    frames = []
    for share in np.linspace(0, 1, count):
        picture = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE))
        draw(ImageDraw.Draw(picture), share)
        frames.append(np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32))
    return np.stack(frames)


def box(draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, w: float, h: float, color: str) -> None:
    """An ellipse or rectangle; places and sizes are shares of the picture."""
    corners = np.array([x, y, x + w, y + h]) * np.array([WIDTH, HEIGHT] * 2) * SCALE
    getattr(draw, shape)(tuple(corners), fill=color)


def sea(draw: ImageDraw.ImageDraw, share: float) -> None:
    """A boat before a setting sun."""
    for row in range(20):
        box(draw, "rectangle", 0, row / 20, 1, 0.06, f"hsl({20 + row}, 80%, {70 - row}%)")
    box(draw, "ellipse", 0.6, 0.3 + 0.15 * share, 0.14, 0.25, "#ffe08a")
    box(draw, "rectangle", 0, 0.62, 1, 0.38, "#27507a")
    for wave in range(40):
        x, y = (wave * 0.377 + 0.05 * share * (1 + wave % 3)) % 1, 0.64 + (wave * 0.173) % 0.34
        box(draw, "rectangle", x, y, 0.08, 0.008, "#4c7aa5")
    at = 0.15 + 0.3 * share
    box(draw, "rectangle", at, 0.66, 0.18, 0.05, "#5b2d1c")
    box(draw, "rectangle", at + 0.08, 0.42, 0.008, 0.25, "#333333")
    box(draw, "rectangle", at + 0.09, 0.44, 0.07, 0.16, "#f4f0e6")


def city(draw: ImageDraw.ImageDraw, share: float) -> None:
    """Houses at night, and a car that passes."""
    box(draw, "rectangle", 0, 0, 1, 1, "#0c1230")
    for house in range(12):
        x, top = house / 10 - 0.1 * share, 0.2 + 0.3 * ((house * 0.37) % 1)
        box(draw, "rectangle", x, top, 0.09, 1 - top, "#1d2547")
        for window in range(12):
            if (house * 7 + window * 5) % 3:
                box(
                    draw,
                    "rectangle",
                    x + 0.015 + 0.025 * (window % 3),
                    top + 0.05 + 0.1 * (window // 3),
                    0.014,
                    0.05,
                    "#ffd76a",
                )
    box(draw, "rectangle", 0, 0.85, 1, 0.15, "#22242a")
    at = 1.1 - 1.4 * share
    box(draw, "rectangle", at, 0.8, 0.2, 0.08, "#c0392b")
    box(draw, "rectangle", at + 0.04, 0.74, 0.11, 0.07, "#c0392b")
    for wheel in (0.03, 0.14):
        box(draw, "ellipse", at + wheel, 0.85, 0.035, 0.06, "black")


def meadow(draw: ImageDraw.ImageDraw, share: float) -> None:
    """A balloon over hills."""
    box(draw, "rectangle", 0, 0, 1, 1, "#9fd3f2")
    for cloud in range(5):
        box(
            draw,
            "ellipse",
            (cloud * 0.27 + 0.1 * share) % 1.2 - 0.2,
            0.08 + 0.05 * (cloud % 3),
            0.2,
            0.1,
            "white",
        )
    for hill, green in enumerate(("#6fae5a", "#4f8f43", "#3a7434")):
        box(draw, "ellipse", -0.4 + 0.35 * hill, 0.55 + 0.1 * hill, 1.1, 0.9, green)
    x, y = 0.25 + 0.3 * share, 0.25 - 0.12 * share + 0.01 * math.sin(20 * share)
    box(draw, "ellipse", x, y, 0.14, 0.28, "#e74c3c")
    box(draw, "ellipse", x + 0.045, y, 0.05, 0.28, "#f7dc6f")
    box(draw, "rectangle", x + 0.05, y + 0.31, 0.04, 0.05, "#7b4a21")


def dog(count: int) -> np.ndarray:
    """The camera goes towards a dog."""
    picture = Image.open(HERE / "dog.jpg")
    frames = []
    for share in np.linspace(0, 1, count):
        width = 440 - 200 * share
        left, top = 4 + 90 * share, 100 + 60 * share
        part = (left, top, left + width, top + width * HEIGHT / WIDTH)
        small = picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, part)
        frames.append(np.asarray(small, np.float32))
    return np.stack(frames)


def film() -> np.ndarray:
    """Five shots: a cut, a dissolve, a fade, a wipe; uint8 [time, height, width, 3]."""
    shots = [filmed(sea, 70), filmed(city, 80), dog(80), filmed(meadow, 90), filmed(sea, 60)[::-1]]
    joins = [footage.cut, footage.dissolve, footage.fade, footage.wipe]
    parts, outgoing = [], shots[0]
    for join, incoming in zip(joins, shots[1:], strict=True):
        joined = join(RANDOM, outgoing, incoming)
        parts += [outgoing[: len(outgoing) - joined.before], joined.frames]
        outgoing = incoming[joined.after :]
    return np.clip(np.concatenate([*parts, outgoing]), 0, 255).round().astype(np.uint8)


def main() -> None:
    """Write the film."""
    with av.open(str(HERE / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", Fraction(RATE), options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in film():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
