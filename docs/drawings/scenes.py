"""Four scenes in the style of dog.jpg, for the pictures that strangers.py saves."""

from math import cos, pi, sin

import draw
import numpy as np
from draw import SIDE, Canvas
from PIL import Image

SKIN, HAIR = (214, 160, 125), (70, 45, 30)


def make_ring(x: float, y: float, radius: float, width: float) -> tuple:
    """Return a limb in the shape of a ring, for `Canvas.add_body`."""
    angles = np.linspace(0, 2 * pi, 40)
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles], (width, width)


def draw_beach() -> Image.Image:
    """Draw a child who runs after a ball on a beach."""
    c = Canvas()
    c.add_band(0, 0.4, (120, 175, 225), (200, 222, 235), 0.6, 7)
    c.add_band(0.4, 0.58, (40, 105, 140), (90, 160, 170), 0.85, 10)
    c.add_band(0.58, 0.62, (225, 232, 228), (205, 200, 180), 0.9, 12)
    c.add_band(0.62, 1, (205, 180, 135), (222, 198, 150), 0.9, 9)
    c.blur(3)
    c.add_shadow(0.42, 0.88, 0.15, 0.02)
    c.add_shadow(0.76, 0.88, 0.08, 0.015)
    c.add_body([([(0.39, 0.62), (0.32, 0.72), (0.24, 0.73)], (0.06, 0.035))], (190, 140, 108))
    c.add_body(
        [
            ([(0.43, 0.62), (0.5, 0.73), (0.46, 0.86), (0.5, 0.875)], (0.065, 0.034)),
            ([(0.41, 0.46), (0.31, 0.53), (0.27, 0.47)], (0.045, 0.03)),
            ([(0.46, 0.46), (0.56, 0.5), (0.64, 0.45)], (0.045, 0.03)),
            ([(0.45, 0.42), (0.46, 0.36)], (0.05, 0.05)),
            (0.475, 0.31, 0.055, 0.065),
        ],
        SKIN,
        7,
    )
    c.add_body([([(0.44, 0.45), (0.42, 0.57)], (0.12, 0.1))], (240, 205, 70), 8)
    c.add_body(
        [([(0.42, 0.58), (0.38, 0.64)], (0.11, 0.075)), ([(0.42, 0.58), (0.46, 0.66)], (0.11, 0.075))],
        (45, 70, 150),
        8,
    )
    c.add_body([(0.46, 0.27, 0.058, 0.035), ([(0.42, 0.28), (0.415, 0.34)], (0.04, 0.02))], HAIR)
    c.add_body([(0.503, 0.31, 0.007, 0.008)], (25, 20, 20), 2)
    c.add_body([(0.76, 0.81, 0.075, 0.075)], (205, 45, 40), 6)
    c.add_body([([(0.70, 0.78), (0.76, 0.8), (0.825, 0.78)], (0.03, 0.03))], (235, 235, 230), 5)
    return c.to_image()


def draw_bench() -> Image.Image:
    """Draw a man and a woman who sit on a bench in a park."""
    c = Canvas()
    c.add_band(0, 0.5, (70, 100, 60), (85, 120, 60), 0.8, 30)
    c.add_band(0.5, 0.72, (120, 155, 75), (105, 145, 65), 0.8, 12)
    c.add_band(0.72, 1, (170, 160, 145), (150, 142, 130), 0.9, 8)
    c.blur(8)
    c.add_body([([(0.13, 0.0), (0.14, 0.55)], (0.07, 0.1))], (85, 65, 50), 18)
    c.add_shadow(0.5, 0.9, 0.38, 0.03)
    wood = (140, 90, 55)
    c.add_body([([(0.16, y), (0.84, y)], (0.035, 0.035)) for y in (0.46, 0.52, 0.58)], wood, 10)
    c.add_body(
        [([(x, 0.44), (x, 0.9)], (0.025, 0.025)) for x in (0.19, 0.81)]
        + [([(0.15, 0.68), (0.85, 0.68)], (0.05, 0.05))],
        wood,
        10,
    )
    for x, shirt, trousers, hair, length in (
        (0.38, (60, 85, 130), (60, 60, 65), HAIR, 0.0),
        (0.63, (175, 55, 65), (95, 110, 140), (170, 120, 60), 0.12),
    ):
        if length:
            c.add_body([([(x, 0.3), (x, 0.3 + length)], (0.14, 0.13))], hair, 10)
        knees = [
            [(x + side * 0.04, 0.64), (x + side * 0.055, 0.71), (x + side * 0.05, 0.88)] for side in (-1, 1)
        ]
        c.add_body([(path, (0.085, 0.05)) for path in knees], trousers, 8)
        c.add_body([(x + side * 0.055, 0.9, 0.035, 0.02) for side in (-1, 1)], (40, 32, 30), 4)
        c.add_body([([(x, 0.44), (x, 0.63)], (0.15, 0.14))], shirt, 9)
        arms = [
            [(x + side * 0.07, 0.43), (x + side * 0.1, 0.54), (x + side * 0.03, 0.63)] for side in (-1, 1)
        ]
        c.add_body([(path, (0.06, 0.04)) for path in arms], shirt, 9)
        c.add_body(
            [([(x, 0.33), (x, 0.39)], (0.05, 0.05)), (x, 0.29, 0.052, 0.066), (x, 0.64, 0.04, 0.02)], SKIN, 6
        )
        c.add_body([(x, 0.24, 0.056, 0.032)], hair, 8)
        c.add_body([(x + side * 0.02, 0.285, 0.006, 0.007) for side in (-1, 1)], (30, 22, 20), 2)
        c.add_body([([(x - 0.015, 0.325), (x + 0.015, 0.325)], (0.008, 0.008))], (160, 80, 75), 2)
    return c.to_image()


def draw_bicycle() -> Image.Image:
    """Draw a bicycle that leans against a brick wall."""
    c = Canvas()
    c.add_band(0, 0.8, (160, 88, 68), (140, 75, 58), 0.9, 14)
    height, width = SIDE // 22, SIDE // 8
    for row in range(int(0.8 * SIDE) // height):
        c.pixels[row * height : row * height + 5] = (190, 180, 165)
        for column in range(-1, 9):
            left = column * width + (row % 2) * width // 2
            c.pixels[row * height : (row + 1) * height, max(0, left) : max(0, left + 5)] = (190, 180, 165)
            shade = draw.RANDOM.normal(0, 12)
            c.pixels[row * height + 5 : (row + 1) * height, max(0, left + 5) : max(0, left + width)] += shade
    c.add_band(0.8, 1, (140, 138, 132), (165, 162, 155), 0.9, 10)
    c.blur(1.5)
    c.add_shadow(0.5, 0.87, 0.38, 0.02)
    back, front, y = 0.27, 0.73, 0.69
    for x in (back, front):
        for angle in np.linspace(0, pi, 8, endpoint=False):
            across, up = 0.155 * cos(angle), 0.155 * sin(angle)
            c.add_body([([(x - across, y - up), (x + across, y + up)], (0.003, 0.003))], (190, 190, 195), 2)
        c.add_body([make_ring(x, y, 0.165, 0.016)], (32, 32, 34), 3)
    seat, crank, head = (0.41, 0.44), (0.48, 0.69), (0.655, 0.45)
    frame = [(back, y), crank, (0.415, 0.48), (back, y), (0.415, 0.48), head, (0.66, 0.5), crank]
    c.add_body([(frame[i : i + 2], (0.016, 0.016)) for i in range(len(frame) - 1)], (40, 120, 110), 4)
    c.add_body([([(0.64, 0.39), head, (0.68, 0.55), (front, y)], (0.018, 0.014))], (40, 120, 110), 4)
    c.add_body([([(0.415, 0.48), seat], (0.012, 0.012))], (170, 170, 175), 3)
    c.add_body([([(0.355, 0.425), (0.41, 0.43), (0.47, 0.43)], (0.045, 0.02))], (75, 48, 32), 4)
    c.add_body([([(0.58, 0.4), (0.62, 0.375), (0.68, 0.375), (0.7, 0.41)], (0.016, 0.018))], (45, 40, 40), 3)
    c.add_body([make_ring(*crank, 0.036, 0.012)], (120, 120, 125), 3)
    c.add_body([([crank, (0.52, 0.76)], (0.012, 0.012)), (0.53, 0.765, 0.028, 0.008)], (60, 60, 62), 3)
    return c.to_image()


def draw_bird() -> Image.Image:
    """Draw a bird on a branch."""
    c = Canvas()
    c.add_band(0, 0.55, (165, 190, 150), (130, 165, 105), 0.7, 16)
    c.add_band(0.55, 1, (130, 165, 105), (95, 130, 75), 0.7, 16)
    c.blur(26)
    c.add_body([([(0.0, 0.78), (0.3, 0.74), (0.65, 0.755), (1.0, 0.69)], (0.07, 0.035))], (100, 76, 56), 16)
    c.add_body([([(0.68, 0.75), (0.78, 0.83), (0.83, 0.9)], (0.03, 0.012))], (100, 76, 56), 14)
    for x, y in ((0.8, 0.84), (0.85, 0.9), (0.9, 0.67), (0.96, 0.73), (0.08, 0.7)):
        c.add_body(
            [([(x - 0.04, y + 0.02), (x, y), (x + 0.05, y - 0.015)], (0.012, 0.05))], (90, 145, 60), 10
        )
    blue, orange = (75, 110, 160), (205, 125, 70)
    c.add_body([([(0.36, 0.6), (0.25, 0.72), (0.17, 0.83)], (0.07, 0.045))], (60, 82, 125), 10)
    c.add_body(
        [([(0.36, 0.59), (0.46, 0.54), (0.55, 0.48)], (0.14, 0.24)), (0.585, 0.37, 0.095, 0.085)], blue, 14
    )
    c.add_body([([(0.5, 0.64), (0.58, 0.57), (0.61, 0.48)], (0.09, 0.12))], orange, 12)
    c.add_body([([(0.53, 0.5), (0.43, 0.58), (0.3, 0.66)], (0.12, 0.03))], (52, 72, 115), 12)
    c.add_body([([(0.66, 0.375), (0.735, 0.395)], (0.04, 0.006))], (60, 52, 45), 4)
    c.add_body([(0.615, 0.355, 0.017, 0.017)], (20, 18, 18), 2)
    c.add_body([(0.62, 0.35, 0.005, 0.005)], (235, 235, 235), 1)
    c.add_body([([(x, 0.66), (x + 0.01, 0.74)], (0.014, 0.01)) for x in (0.47, 0.53)], (95, 70, 55), 4)
    return c.to_image()
