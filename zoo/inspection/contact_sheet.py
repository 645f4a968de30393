"""Contact sheets: images with captions in a grid."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from zoo.errors import UsageError
from zoo.inspection.figures import Figure
from zoo.inspection.fonts import find_fonts

_IMAGE_SIZE, _MARGIN, _FONT_SIZE = 320, 12, 15  # pixels
_DPI = 100  # of the figure, pixels per inch
_MAX_COLUMNS = 5
_MAX_HEIGHT = 60_000  # pixels; a JPEG can have 65,500
_BACKGROUND, _TEXT_COLOR = (24, 24, 24), (235, 235, 235)


def plot_contact_sheet(
    images: Sequence[np.ndarray], captions: Sequence[str], path: str | Path | None = None
) -> matplotlib.figure.Figure:
    """Draw images in a grid, each with a caption below it.

    The grid has up to 5 columns, and more if the sheet would otherwise be higher than a JPEG can be.

    Args:
        images: one image or more, each uint8 [height, width, 3].
        captions: one caption per image.
        path: the file to write, if any: .png, .jpg or .jpeg.

    Returns:
        The sheet as a figure.

    Raises:
        UsageError: there are no images, one has another form, there is not one caption for each, the file has another
            suffix, or it cannot be written.

    Example:
        >>> import numpy as np, zoo
        >>> figure = zoo.inspection.plot_contact_sheet([np.zeros((32, 48, 3), "uint8")] * 3, ["a", "b", "c"])
    """
    if path is not None and Path(path).suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(
            f"{path} is no file name for a contact sheet. Expected one that ends with .png, .jpg or .jpeg."
        )
    if not len(images):
        raise UsageError("There are no images for the contact sheet.")
    if len(captions) != len(images):
        raise UsageError(
            f"captions: found {len(captions)} for {len(images)} images. Expected one for each image."
        )
    for number, image in enumerate(images):
        if image.dtype != np.uint8 or image.ndim not in (2, 3):
            raise UsageError(
                f"images[{number}]: found {image.dtype} of shape {image.shape}. Expected uint8 [height, width, 3]. "
                "Convert it: `image.astype(np.uint8)` for values from 0 to 255."
            )
    # Pillow's default font lacks most characters, and Pillow cannot take missing ones from a second font.
    font = ImageFont.truetype(find_fonts(captions)[-1], _FONT_SIZE)
    thumbnails = [ImageOps.contain(Image.fromarray(image), (_IMAGE_SIZE, _IMAGE_SIZE)) for image in images]
    widths = [*(thumbnail.width for thumbnail in thumbnails), *map(font.getlength, captions)]
    cell_width = math.ceil(max(widths)) + _MARGIN
    cell_height = max(thumbnail.height for thumbnail in thumbnails) + 2 * _FONT_SIZE + _MARGIN
    columns = min(_MAX_COLUMNS, math.ceil(math.sqrt(len(thumbnails))))
    columns = max(columns, math.ceil(len(thumbnails) / (_MAX_HEIGHT // cell_height)))
    rows = math.ceil(len(thumbnails) / columns)
    sheet = Image.new("RGB", (columns * cell_width + _MARGIN, rows * cell_height + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, (thumbnail, caption) in enumerate(zip(thumbnails, captions, strict=True)):
        row, column = divmod(index, columns)
        left, top = column * cell_width + _MARGIN, row * cell_height + _MARGIN
        sheet.paste(thumbnail, (left, top))
        draw.text((left, top + thumbnail.height + _FONT_SIZE // 3), caption, fill=_TEXT_COLOR, font=font)
    if path is not None:
        try:
            sheet.save(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    figure = Figure(sheet.width / _DPI, sheet.height / _DPI, dpi=_DPI, layout=None)
    figure.figimage(np.asarray(sheet), origin="upper")
    return figure
