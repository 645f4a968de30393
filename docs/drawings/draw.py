"""Draw dog.jpg, the example image of the documentation and of the model cards.

python docs/drawings/draw.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 896  # pixels; the image is saved at half of this size, for smooth edges
RANDOM = np.random.default_rng(3)
GREENS = [(95, 140, 50), (125, 165, 70), (70, 110, 40), (150, 170, 90)]

Color = tuple[int, int, int]


def fractal_noise(roughness: float) -> np.ndarray:
    """Return noise [side, side] with mean 0 and standard deviation 1; finer for a larger roughness."""
    total = np.zeros((SIDE, SIDE))
    for octave in range(8):
        size = 2 ** (octave + 1)
        grid = Image.fromarray(RANDOM.normal(size=(size, size)).astype(np.float32))
        total += roughness**octave * np.asarray(grid.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return total / total.std()


def blur(values: np.ndarray, radius: float) -> np.ndarray:
    """Blur values [side, side] between 0 and 1."""
    image = Image.fromarray((255 * np.clip(values, 0, 1)).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius))) / 255


class Canvas:
    """An image that is painted in layers. Positions and sizes are fractions of its side."""

    def __init__(self) -> None:
        self.pixels = np.zeros((SIDE, SIDE, 3))

    def add_band(
        self, top: float, bottom: float, first: Color, last: Color, roughness: float, contrast: float
    ) -> None:
        """Paint a band of the background: a color gradient with noise."""
        rows = slice(int(top * SIDE), int(bottom * SIDE))
        fade = np.linspace(0, 1, rows.stop - rows.start)[:, None, None]
        noise = contrast * fractal_noise(roughness)[rows, :, None]
        self.pixels[rows] = (1 - fade) * np.array(first) + fade * np.array(last) + noise

    def add_grass(self, count: int, rows: tuple[float, float], length: float) -> None:
        """Paint blades of grass, the larger the further down."""
        image = Image.fromarray(np.clip(self.pixels, 0, 255).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        for y in np.sort(RANDOM.uniform(*rows, count)):
            x, scale = RANDOM.uniform(0, 1), (y - rows[0]) / (1 - rows[0]) + 0.25
            end = x + RANDOM.normal(0, 0.3) * length * scale, y - length * scale * RANDOM.uniform(0.4, 1)
            color = np.array(GREENS[RANDOM.integers(len(GREENS))]) * RANDOM.uniform(0.75, 1.15)
            points = [x * SIDE, y * SIDE, end[0] * SIDE, end[1] * SIDE]
            draw.line(
                points, fill=tuple(int(c) for c in np.clip(color, 0, 255)), width=max(1, int(3 * scale))
            )
        self.pixels = np.asarray(image, float)

    def blur(self, radius: float) -> None:
        """Blur everything painted so far."""
        image = Image.fromarray(np.clip(self.pixels, 0, 255).astype(np.uint8))
        self.pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), float)

    def add_body(self, parts: list[tuple], color: Color, contrast: float = 12) -> None:
        """Paint a textured shape lit from above.

        Args:
            parts: limbs (points, widths at both ends) and ellipses (x, y, half width, half height).
            color: of the shape.
            contrast: of its texture, in levels.
        """
        image = Image.new("L", (SIDE, SIDE))
        draw = ImageDraw.Draw(image)
        for part in parts:
            if len(part) == 2:
                path, ends = np.array(part[0]), part[1]
                for step in np.linspace(0, len(path) - 1, max(60, 8 * len(path))):
                    x, y = (np.interp(step, range(len(path)), path[:, axis]) * SIDE for axis in (0, 1))
                    r = np.interp(step, [0, len(path) - 1], ends) * SIDE / 2
                    draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
            else:
                x, y, w, h = (value * SIDE for value in part)
                draw.ellipse((x - w, y - h, x + w, y + h), fill=255)
        mask = np.asarray(image) / 255
        slope = np.gradient(blur(mask, 0.02 * SIDE))  # the shape is lit like a cushion
        light = np.clip(1 + 0.02 * SIDE * (1.1 * slope[0] + 0.5 * slope[1]), 0.35, 1.45)[..., None]
        texture = contrast * fractal_noise(0.9)[..., None] + RANDOM.normal(0, contrast / 3, (SIDE, SIDE, 1))
        alpha = blur(mask, 1.2)[..., None]
        self.pixels = (1 - alpha) * self.pixels + alpha * (np.array(color) * light + texture)

    def add_shadow(self, x: float, y: float, w: float, h: float) -> None:
        """Darken an ellipse on the ground."""
        image = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(image).ellipse([v * SIDE for v in (x - w, y - h, x + w, y + h)], fill=255)
        self.pixels *= 1 - 0.5 * blur(np.asarray(image) / 255, 0.012 * SIDE)[..., None]

    def to_image(self) -> Image.Image:
        """Return the image at half size, with film grain."""
        grain = RANDOM.normal(0, 4, self.pixels.shape)
        image = Image.fromarray(np.clip(self.pixels + grain, 0, 255).astype(np.uint8))
        return image.resize((SIDE // 2, SIDE // 2), Image.Resampling.LANCZOS)


def draw_dog() -> Image.Image:
    """Draw a dog that runs over grass."""
    c = Canvas()
    c.add_band(0, 0.36, (70, 110, 60), (60, 95, 45), 0.75, 28)
    c.add_band(0.36, 1, (120, 155, 70), (85, 125, 45), 0.8, 14)
    c.blur(9)
    c.add_grass(9000, (0.4, 1.05), 0.05)
    c.add_shadow(0.5, 0.83, 0.27, 0.03)
    fur, dark, nose = (165, 105, 55), (120, 72, 38), (30, 24, 24)
    c.add_body(
        [
            ([(0.39, 0.62), (0.33, 0.71), (0.25, 0.77)], (0.07, 0.032)),
            ([(0.62, 0.62), (0.71, 0.69), (0.79, 0.71)], (0.06, 0.03)),
        ],
        dark,
    )
    c.add_body([([(0.33, 0.54), (0.24, 0.47), (0.17, 0.45)], (0.045, 0.018))], fur)
    c.add_body(
        [
            ([(0.37, 0.57), (0.5, 0.55), (0.63, 0.56)], (0.15, 0.165)),
            (0.37, 0.57, 0.09, 0.085),
            ([(0.40, 0.62), (0.36, 0.72), (0.28, 0.81)], (0.09, 0.034)),
            ([(0.62, 0.62), (0.69, 0.72), (0.77, 0.79)], (0.075, 0.032)),
            ([(0.64, 0.53), (0.72, 0.41)], (0.13, 0.1)),
            (0.735, 0.375, 0.075, 0.066),
            ([(0.77, 0.385), (0.845, 0.41)], (0.075, 0.05)),
        ],
        fur,
        14,
    )
    c.add_body([([(0.70, 0.33), (0.665, 0.37), (0.655, 0.44)], (0.035, 0.06))], dark)
    c.add_body([(0.868, 0.4, 0.019, 0.016)], nose, 3)
    c.add_body([(0.765, 0.357, 0.012, 0.012)], (22, 16, 14), 2)
    c.add_body([([(0.80, 0.44), (0.81, 0.475)], (0.026, 0.022))], (215, 105, 115), 4)
    c.add_body([([(0.685, 0.465), (0.735, 0.49)], (0.018, 0.018))], (190, 35, 35), 4)
    c.add_grass(900, (0.80, 0.90), 0.04)
    return c.to_image()


if __name__ == "__main__":
    draw_dog().save(Path(__file__).with_name("dog.jpg"), quality=88)
