"""Contact sheets."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.errors import UsageError
from zoo.inspection import plot_contact_sheet


@pytest.mark.parametrize(
    ("count", "shape", "columns"), [(1, (36, 64), 1), (7, (64, 36), 3), (200, (9, 16), 5)]
)
def test_images_are_in_a_grid_with_captions(
    tmp_path: Path, count: int, shape: tuple[int, int], columns: int
) -> None:
    colors = np.random.default_rng(2).integers(60, 256, (count, 3))
    images = [np.full((*shape, 3), color, np.uint8) for color in colors]
    captions = [f"{number}  0:00:0{number % 10}.000 – 0:00:09.000" for number in range(count)]
    plot_contact_sheet(images, captions, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        sheet = np.asarray(image).astype(int)
    rows = -(-count // columns)
    height, width = (sheet.shape[0] - 12) / rows, (sheet.shape[1] - 12) / columns
    scale = 320 / max(shape)
    for number in range(count):
        top, left = (number // columns) * height + 12, (number % columns) * width + 12
        center = sheet[int(top + shape[0] * scale / 2), int(left + shape[1] * scale / 2)]
        np.testing.assert_array_equal(center, colors[number])
        bottom = int(top + shape[0] * scale) + 1
        caption = sheet[bottom : int(top + height) - 1, int(left) : int(left + width) - 12]
        assert (caption.min(-1) > 200).sum() > 100
    if count == 1:
        assert sheet.shape[1] < 500


def test_height_stays_within_the_limit_of_jpeg(tmp_path: Path) -> None:
    images = [np.full((8, 4, 3), 200, np.uint8)] * 1200
    plot_contact_sheet(images, [""] * 1200, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as image:
        assert image.height <= 65_500


def test_unusable_arguments_are_refused(tmp_path: Path) -> None:
    images = [np.zeros((3, 4, 3), np.uint8)]
    with pytest.raises(UsageError, match=r"ends with \.png, \.jpg or \.jpeg"):
        plot_contact_sheet(images, [""], tmp_path / "a.pdf")
    with pytest.raises(UsageError, match="no images"):
        plot_contact_sheet([], [], tmp_path / "a.png")
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        plot_contact_sheet(images, [""], tmp_path / "no" / "a.png")
