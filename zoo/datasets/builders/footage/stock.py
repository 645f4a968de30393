"""Stock: the pictures that shots are filmed from, painted or of a user's own files."""

import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from zoo.datasets.builders.footage.style import SIZE
from zoo.errors import DataError, ZooError
from zoo.preprocessing.images import open_image
from zoo.preprocessing.video import VIDEO_FILE_PATTERN, FrameSize, open_video
from zoo.user_files import read_file

logger = logging.getLogger(__name__)

Stock = Callable[[np.random.Generator, int], np.ndarray]
"""Makes or chooses pictures, uint8 `[pictures, rows, columns, 3]`, from a random number generator and a
number of frames: one still picture, or consecutive ones, at most as many as frames."""


def paint_background(rng: np.random.Generator, length: int) -> np.ndarray:
    """Paint a picture of gradients, clouds and shapes of color.

    Args:
        rng: makes all choices.
        length: not used.

    Returns:
        uint8 `[1, rows, columns, 3]`.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders.footage import paint_background
        >>> paint_background(np.random.default_rng(0), length=1).shape
        (1, 54, 96, 3)
    """
    rows, columns = 54, 96
    tone, spread = rng.uniform(30, 210), rng.uniform(5, 60)
    pixels = np.zeros((rows, columns, 3), np.float32) + tone + rng.uniform(-spread, spread, 3)
    for cells in (2, 4, 8, 16, 32):
        strength = rng.uniform(0, 1) * 60 / cells**0.7
        cloud = rng.normal(0, 1, (cells, 2 * cells, 3 if rng.random() < 0.5 else 1)) * np.ones(3)
        image = Image.fromarray(np.clip(128 + 50 * cloud, 0, 255).astype(np.uint8))
        larger = np.asarray(image.resize((columns, rows), Image.Resampling.BICUBIC), np.float32)
        pixels += strength * (larger - 128) / 50
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 16)):
        x, y = rng.uniform(0, columns), rng.uniform(0, rows)
        a, b = np.exp(rng.uniform(0.5, 3.5, 2))
        color = tuple(int(c) for c in rng.uniform(0, 255, 3))
        if rng.random() < 0.4:
            draw.ellipse((x - a, y - b, x + a, y + b), fill=color)
        elif rng.random() < 0.5:
            draw.rectangle((x - a, y - b, x + a, y + b), fill=color)
        else:
            corners = [(x + rng.normal(0, a), y + rng.normal(0, b)) for _ in range(4)]
            draw.polygon(corners, fill=color)
    return np.asarray(image)[None]


def load_stock(paths: Sequence[Path], size: FrameSize = SIZE) -> Stock:
    """Load pictures and videos into memory, scaled down, as stock.

    The probability of a file is proportional to the square root of its number of frames.

    Args:
        paths: files of images and videos.
        size: height and width of the shots. Pictures are kept at twice that size, because the camera shows a
            part of them.

    Returns:
        Stock of a random file: its picture, or consecutive frames from a random position.

    Raises:
        DataError: a file cannot be read.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from PIL import Image
        >>> from zoo.datasets.builders.footage import load_stock
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = Path(directory, "red.png")
        ...     Image.new("RGB", (192, 96), "red").save(path)
        ...     stock = load_stock([path], size=(27, 48))
        >>> stock(np.random.default_rng(0), 1).shape
        (1, 48, 96, 3)
    """
    reels = [_read_reel(path, (2 * size[0], 2 * size[1])) for path in paths]
    weights = np.sqrt([len(reel) for reel in reels])
    weights /= weights.sum()

    def choose_pictures(rng: np.random.Generator, length: int) -> np.ndarray:
        reel = reels[rng.choice(len(reels), p=weights)]
        start = rng.integers(max(1, len(reel) - length + 1))
        return reel[start : start + length]

    return choose_pictures


def revisit_pictures(stock: Stock, probability: float) -> Stock:
    """Return a stock that sometimes returns to a scene: it repeats one of the pictures that it has returned.

    So there are jump cuts, and shots of one scene in different framings.

    Args:
        stock: the pictures.
        probability: of a repetition.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders.footage import paint_background, revisit_pictures
        >>> rng, stock = np.random.default_rng(0), revisit_pictures(paint_background, probability=1.0)
        >>> bool(np.array_equal(stock(rng, 1), stock(rng, 1)))
        True
    """
    seen: list[np.ndarray] = []

    def choose_pictures(rng: np.random.Generator, length: int) -> np.ndarray:
        if seen and rng.random() < probability:
            return seen[int(rng.integers(len(seen)))][:length]
        seen.append(stock(rng, length))
        return seen[-1]

    return choose_pictures


def _read_reel(path: Path, size: FrameSize) -> np.ndarray:
    """Read an image or the frames of a video, uint8 `[1 or time, rows, columns, 3]`."""
    try:
        if re.search(VIDEO_FILE_PATTERN, path.name.lower()):
            video = open_video(path)
            frames = np.stack([frame for _, frame in video.decode(size)])
            if video.problem:
                logger.warning("%s", video.problem)
            return frames
        square = (max(size), max(size))
        image = open_image(read_file(path), min_size=square)
    except ZooError as error:
        raise DataError(f"{path} cannot be read: {error}. Replace or remove the file.") from error
    return np.asarray(ImageOps.contain(image, square, Image.Resampling.BOX))[None]
