"""Colored shapes, drawn for the data sets `scenes` and `clips`."""

import math

from PIL import ImageDraw

SIDE = 64  # pixels of an image
SCALE = 4  # images are drawn larger and scaled down, for smooth edges

COLORS = {
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

MAX_EXTENT = 1.1  # distance from the center of a shape to its farthest point, in radii


def draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, radius: float, color: int | tuple[int, ...]
) -> None:
    """Draw a shape.

    Args:
        draw: the canvas.
        shape: one of `SHAPES`.
        x: horizontal position of its center, in pixels.
        y: vertical position of its center, in pixels.
        radius: its size, in pixels.
        color: gray value, or red, green and blue.
    """
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
            for far in [radius * (inner if i % 2 else MAX_EXTENT)]
        ]
        draw.polygon(points, fill=color)
