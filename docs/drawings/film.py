"""Render film.mp4, the example video of the documentation and the tests.

python docs/drawings/film.py
"""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from zoo.datasets.builders import footage

HERE = Path(__file__).parent
WIDTH, HEIGHT, FRAME_RATE = 320, 180, 25
SCALE = 2  # frames are drawn larger and shrunk, for smooth edges
RANDOM = np.random.default_rng(5)


def render_shot(draw_scene: Callable[[ImageDraw.ImageDraw, float], None], num_frames: int) -> np.ndarray:
    """Render a shot, float32 [num_frames, height, width, 3]. Time goes from 0 to 1 during the shot."""
    frames = []
    for time in np.linspace(0, 1, num_frames):
        image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE))
        draw_scene(ImageDraw.Draw(image), time)
        frames.append(np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32))
    return np.stack(frames)


def draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, w: float, h: float, color: str
) -> None:
    """Draw an ellipse or a rectangle. Positions and sizes are fractions of the image."""
    corners = np.array([x, y, x + w, y + h]) * np.array([WIDTH, HEIGHT] * 2) * SCALE
    getattr(draw, shape)(tuple(corners), fill=color)


def draw_sea(draw: ImageDraw.ImageDraw, time: float) -> None:
    """Draw a boat in front of a setting sun."""
    for row in range(20):
        draw_shape(draw, "rectangle", 0, row / 20, 1, 0.06, f"hsl({20 + row}, 80%, {70 - row}%)")
    draw_shape(draw, "ellipse", 0.6, 0.3 + 0.15 * time, 0.14, 0.25, "#ffe08a")
    draw_shape(draw, "rectangle", 0, 0.62, 1, 0.38, "#27507a")
    for wave in range(40):
        x, y = (wave * 0.377 + 0.05 * time * (1 + wave % 3)) % 1, 0.64 + (wave * 0.173) % 0.34
        draw_shape(draw, "rectangle", x, y, 0.08, 0.008, "#4c7aa5")
    at = 0.15 + 0.3 * time
    draw_shape(draw, "rectangle", at, 0.66, 0.18, 0.05, "#5b2d1c")
    draw_shape(draw, "rectangle", at + 0.08, 0.42, 0.008, 0.25, "#333333")
    draw_shape(draw, "rectangle", at + 0.09, 0.44, 0.07, 0.16, "#f4f0e6")


def draw_city(draw: ImageDraw.ImageDraw, time: float) -> None:
    """Draw houses at night and a passing car."""
    draw_shape(draw, "rectangle", 0, 0, 1, 1, "#0c1230")
    for house in range(12):
        x, top = house / 10 - 0.1 * time, 0.2 + 0.3 * ((house * 0.37) % 1)
        draw_shape(draw, "rectangle", x, top, 0.09, 1 - top, "#1d2547")
        for window in range(12):
            if (house * 7 + window * 5) % 3:
                draw_shape(
                    draw,
                    "rectangle",
                    x + 0.015 + 0.025 * (window % 3),
                    top + 0.05 + 0.1 * (window // 3),
                    0.014,
                    0.05,
                    "#ffd76a",
                )
    draw_shape(draw, "rectangle", 0, 0.85, 1, 0.15, "#22242a")
    at = 1.1 - 1.4 * time
    draw_shape(draw, "rectangle", at, 0.8, 0.2, 0.08, "#c0392b")
    draw_shape(draw, "rectangle", at + 0.04, 0.74, 0.11, 0.07, "#c0392b")
    for wheel in (0.03, 0.14):
        draw_shape(draw, "ellipse", at + wheel, 0.85, 0.035, 0.06, "black")


def draw_meadow(draw: ImageDraw.ImageDraw, time: float) -> None:
    """Draw a balloon over hills."""
    draw_shape(draw, "rectangle", 0, 0, 1, 1, "#9fd3f2")
    for cloud in range(5):
        draw_shape(
            draw,
            "ellipse",
            (cloud * 0.27 + 0.1 * time) % 1.2 - 0.2,
            0.08 + 0.05 * (cloud % 3),
            0.2,
            0.1,
            "white",
        )
    for hill, green in enumerate(("#6fae5a", "#4f8f43", "#3a7434")):
        draw_shape(draw, "ellipse", -0.4 + 0.35 * hill, 0.55 + 0.1 * hill, 1.1, 0.9, green)
    x, y = 0.25 + 0.3 * time, 0.25 - 0.12 * time + 0.01 * math.sin(20 * time)
    draw_shape(draw, "ellipse", x, y, 0.14, 0.28, "#e74c3c")
    draw_shape(draw, "ellipse", x + 0.045, y, 0.05, 0.28, "#f7dc6f")
    draw_shape(draw, "rectangle", x + 0.05, y + 0.31, 0.04, 0.05, "#7b4a21")


def render_dog(num_frames: int) -> np.ndarray:
    """Render a shot in which the camera zooms in on the dog of dog.jpg."""
    image = Image.open(HERE / "dog.jpg")
    frames = []
    for time in np.linspace(0, 1, num_frames):
        width = 440 - 200 * time
        left, top = 4 + 90 * time, 100 + 60 * time
        window = (left, top, left + width, top + width * HEIGHT / WIDTH)
        frame = image.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, window)
        frames.append(np.asarray(frame, np.float32))
    return np.stack(frames)


def render_film() -> np.ndarray:
    """Render five shots joined by a cut, a dissolve, a fade and a wipe: uint8 [time, height, width, 3]."""
    shots = [
        render_shot(draw_sea, 70),
        render_shot(draw_city, 80),
        render_dog(80),
        render_shot(draw_meadow, 90),
        render_shot(draw_sea, 60)[::-1],
    ]
    joins = [footage.cut, footage.dissolve, footage.fade, footage.wipe]
    parts, outgoing = [], shots[0]
    for join, incoming in zip(joins, shots[1:], strict=True):
        joined = join(RANDOM, outgoing, incoming)
        parts += [outgoing[: len(outgoing) - joined.num_outgoing], joined.frames]
        outgoing = incoming[joined.num_incoming :]
    return np.clip(np.concatenate([*parts, outgoing]), 0, 255).round().astype(np.uint8)


def main() -> None:
    """Encode the film."""
    with av.open(str(HERE / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", Fraction(FRAME_RATE), options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in render_film():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
