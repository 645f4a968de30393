"""The pictures that cards and pages show: python docs/drawings/draw.py draws them anew."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE, SCALE = 448, 2  # pixels; drawn larger, and made smaller, for smooth edges
RANDOM = np.random.default_rng(3)

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]


def ground(*bands: tuple[float, Colour, Colour, float]) -> Image.Image:
    """Bands from top to bottom: where each ends, its colours at both edges, and how rough it is."""
    side = SIDE * SCALE
    pixels, top = np.zeros((side, side, 3)), 0
    for end, first, last, rough in bands:
        bottom = int(end * side)
        fade = np.linspace(0, 1, bottom - top)[:, None, None]
        light = RANDOM.normal(0, rough, (bottom - top, side, 1))
        tint = RANDOM.normal(0, rough / 3, (bottom - top, side, 3))
        pixels[top:bottom] = (1 - fade) * np.array(first) + fade * np.array(last) + light + tint
        top = bottom
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(1.5))


class Pen:
    """Draws on a picture; places and sizes are shares of its side."""

    def __init__(self, picture: Image.Image) -> None:
        self.draw, self.side = ImageDraw.Draw(picture), picture.width

    def blob(self, x: float, y: float, w: float, h: float, colour: Colour) -> None:
        """An ellipse, by its middle and half its width and height."""
        s = self.side
        self.draw.ellipse(((x - w) * s, (y - h) * s, (x + w) * s, (y + h) * s), fill=colour)

    def limb(self, points: Points, width: float, colour: Colour) -> None:
        """A line with round ends."""
        s = self.side
        scaled = [(x * s, y * s) for x, y in points]
        self.draw.line(scaled, fill=colour, width=int(width * s), joint="curve")
        for x, y in scaled:
            r = width * s / 2
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def shape(self, points: Points, colour: Colour) -> None:
        """A polygon."""
        self.draw.polygon([(x * self.side, y * self.side) for x, y in points], fill=colour)


def dog() -> Image.Image:
    """A dog runs over grass."""
    picture = ground(
        (0.42, (120, 170, 225), (200, 222, 240), 2),
        (0.5, (60, 95, 50), (70, 110, 55), 14),
        (1, (95, 150, 60), (60, 115, 40), 22),
    )
    pen, fur, dark = Pen(picture), (150, 95, 50), (105, 62, 32)
    pen.blob(0.5, 0.80, 0.27, 0.03, (50, 90, 35))
    for points in ([(0.36, 0.62), (0.30, 0.70), (0.24, 0.78)], [(0.62, 0.62), (0.70, 0.70), (0.77, 0.76)]):
        pen.limb(points, 0.035, dark)
    pen.limb([(0.34, 0.56), (0.25, 0.50), (0.20, 0.42)], 0.025, fur)
    pen.limb([(0.38, 0.57), (0.62, 0.55)], 0.15, fur)
    pen.blob(0.38, 0.58, 0.085, 0.08, fur)
    for points in ([(0.39, 0.62), (0.37, 0.71), (0.31, 0.79)], [(0.60, 0.62), (0.64, 0.71), (0.71, 0.79)]):
        pen.limb(points, 0.04, fur)
    pen.limb([(0.63, 0.53), (0.70, 0.42)], 0.10, fur)
    pen.blob(0.72, 0.38, 0.075, 0.065, fur)
    pen.limb([(0.76, 0.40), (0.83, 0.42)], 0.055, fur)
    pen.blob(0.857, 0.413, 0.016, 0.014, (25, 20, 20))
    pen.limb([(0.68, 0.34), (0.65, 0.42)], 0.04, dark)
    pen.blob(0.745, 0.365, 0.011, 0.011, (20, 15, 15))
    pen.limb([(0.80, 0.45), (0.805, 0.475)], 0.022, (215, 100, 110))
    return picture


def surfer() -> Image.Image:
    """Someone rides a wave."""
    picture = ground(
        (0.35, (150, 195, 230), (205, 225, 238), 2),
        (0.6, (40, 105, 150), (60, 140, 175), 16),
        (1, (70, 150, 180), (40, 100, 140), 22),
    )
    pen = Pen(picture)
    for _ in range(900):
        x, y = RANDOM.uniform(0, 1), RANDOM.normal(0.66, 0.035)
        pen.blob(x, y + 0.06 * np.sin(3 * x), 0.012, 0.008, (235, 243, 247))
    pen.shape([(0.0, 0.38), (0.30, 0.40), (0.52, 0.60), (0.0, 0.66)], (35, 95, 135))
    for _ in range(500):
        x = RANDOM.uniform(0, 0.55)
        pen.blob(x, 0.38 + max(0, x - 0.28) * 0.85 + RANDOM.normal(0, 0.014), 0.014, 0.01, (240, 246, 248))
    pen.limb([(0.42, 0.73), (0.72, 0.69)], 0.03, (240, 235, 210))
    suit, skin = (25, 28, 35), (205, 155, 120)
    pen.limb([(0.52, 0.71), (0.50, 0.62), (0.57, 0.56)], 0.04, suit)
    pen.limb([(0.64, 0.695), (0.66, 0.61), (0.57, 0.56)], 0.04, suit)
    pen.limb([(0.57, 0.56), (0.60, 0.43)], 0.075, suit)
    pen.limb([(0.60, 0.43), (0.51, 0.42), (0.44, 0.38)], 0.028, skin)
    pen.limb([(0.61, 0.43), (0.70, 0.45), (0.77, 0.41)], 0.028, skin)
    pen.blob(0.62, 0.345, 0.036, 0.042, skin)
    pen.blob(0.617, 0.325, 0.038, 0.03, (70, 45, 25))
    return picture


def skier() -> Image.Image:
    """Someone in a red coat skis, mountains behind."""
    picture = ground((0.4, (70, 130, 205), (150, 190, 230), 2), (1, (240, 244, 250), (215, 225, 240), 6))
    pen = Pen(picture)
    pen.shape(
        [
            (0, 0.42),
            (0.18, 0.22),
            (0.34, 0.36),
            (0.52, 0.16),
            (0.78, 0.38),
            (0.9, 0.28),
            (1, 0.36),
            (1, 0.6),
            (0, 0.6),
        ],
        (205, 215, 230),
    )
    pen.shape([(0.40, 0.28), (0.52, 0.16), (0.62, 0.25), (0.53, 0.27)], (245, 248, 252))
    pen.shape([(0, 0.52), (1, 0.40), (1, 1), (0, 1)], (243, 246, 251))
    for x, y in ((0.08, 0.5), (0.16, 0.52), (0.9, 0.42), (0.82, 0.45)):
        pen.shape([(x, y - 0.14), (x - 0.05, y + 0.03), (x + 0.05, y + 0.03)], (40, 75, 50))
    pen.limb([(0.36, 0.86), (0.72, 0.78)], 0.016, (30, 30, 35))
    pen.limb([(0.38, 0.89), (0.74, 0.81)], 0.016, (30, 30, 35))
    trousers, coat, skin = (30, 35, 50), (205, 35, 40), (215, 165, 130)
    pen.limb([(0.53, 0.83), (0.57, 0.73), (0.51, 0.66)], 0.05, trousers)
    pen.limb([(0.56, 0.84), (0.60, 0.74), (0.53, 0.66)], 0.05, trousers)
    pen.limb([(0.52, 0.66), (0.56, 0.52)], 0.10, coat)
    pen.limb([(0.56, 0.53), (0.64, 0.60), (0.69, 0.56)], 0.035, coat)
    pen.limb([(0.54, 0.53), (0.46, 0.60), (0.43, 0.56)], 0.035, coat)
    pen.limb([(0.69, 0.54), (0.60, 0.80)], 0.009, (60, 60, 65))
    pen.limb([(0.43, 0.54), (0.36, 0.80)], 0.009, (60, 60, 65))
    pen.blob(0.58, 0.435, 0.04, 0.045, skin)
    pen.blob(0.58, 0.41, 0.045, 0.035, (40, 45, 60))
    pen.limb([(0.575, 0.435), (0.615, 0.435)], 0.02, (240, 170, 40))
    return picture


if __name__ == "__main__":
    for drawn in (dog, surfer, skier):
        picture = drawn().filter(ImageFilter.GaussianBlur(0.8)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        picture.save(Path(__file__).with_name(f"{drawn.__name__}.jpg"), quality=88)
