"""Images in formats that the graph does not read, opened with Pillow and converted to PNG."""

import contextlib
import importlib.util
import io
import math
import warnings
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image, ImageOps, features

from zoo.errors import ImageError, UsageError
from zoo.preprocessing.images.avif import find_frame_sizes, use_still_image
from zoo.preprocessing.images.headers import (
    CORRUPT,
    FORMATS,
    MAX_PIXELS,
    MAX_SIDE,
    describe_large,
    describe_unread,
    read_headers,
)
from zoo.preprocessing.images.jpeg import MAX_SCANS

_PILLOW_NAMES = {"WebP": "WEBP", "AVIF": "AVIF", "HEIC": "HEIF", "HEIF": "HEIF", "TIFF": "TIFF"}
"""Formats that are converted, by their names in `FORMATS`."""

_VIDEO_SIGNATURES = (
    (4, b"ftyp"),  # MP4 and QuickTime
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (0, b"\x1aE\xdf\xa3"),  # Matroska and WebM
    (8, b"AVI "),
    (0, b"FLV\x01"),
    (0, b"OggS"),
    (0, b"0&\xb2u\x8ef\xcf\x11"),  # ASF
    (0, b"\0\0\1\xba"),  # MPEG
    (0, b"\0\0\1\xb3"),
)
_READ_FORMATS = ("JPEG", "PNG", "GIF", "BMP")
_TILE_TAGS = (322, 323)  # of TIFF: width and height


def convert_images(
    images: Sequence[bytes], max_pixels: int = MAX_PIXELS, is_oriented: bool = True
) -> tuple[list[bytes], list[str]]:
    """Convert images that `ImageReader` does not read, or does not read upright, to PNG.

    WebP, AVIF, TIFF, BMP of all kinds, PNG with an orientation, and with the extra `heif` HEIC are converted, as
    `open_image` decodes them. All other content is returned as it is, also content that is no image.

    Args:
        images: the content of image files.
        max_pixels: largest number of pixels of an image that is converted.
        is_oriented: whether the model that gets the images applies the orientation of JPEGs. If it does not, it is
            of an earlier version: such JPEGs are converted, too, and all BMPs, and headers are checked here.

    Returns:
        The content of each file, empty for an image that cannot be converted; and the reason, which is empty
        for all others.

    Raises:
        UsageError: the decoder of a format is missing; the message says what to install.

    >>> file = io.BytesIO()
    >>> Image.new("RGB", (20, 10), "red").save(file, "WEBP")
    >>> contents, problems = convert_images([file.getvalue(), b"not an image"])
    >>> contents[0][1:4], contents[1], problems
    (b'PNG', b'not an image', ['', ''])
    """
    contents, problems = [], []
    for image in images:
        content, problem = image, ""
        if not is_oriented and (problem := _find_problem(image, max_pixels)):
            content = b""
        elif _needs_conversion(image, max_pixels, is_oriented):
            try:
                file = io.BytesIO()
                open_image(image, max_pixels).save(file, "PNG", compress_level=1)
                content = file.getvalue()
            except ImageError as error:
                content, problem = b"", str(error)
        contents.append(content)
        problems.append(problem)
    return contents, problems


def open_image(
    content: bytes, max_pixels: int = MAX_PIXELS, min_size: tuple[int, int] | None = None
) -> Image.Image:
    """Decode an image with Pillow, upright and as RGB.

    Of an animation the first frame is decoded, of several pages the first one. Transparency is dropped and 16
    bits are cut to 8, as `ImageReader` does it.

    Args:
        content: the content of a JPEG, PNG, GIF, BMP, WebP, AVIF or TIFF file, or with the extra `heif` of a HEIC
            file.
        max_pixels: largest number of pixels. A larger image is refused before it is decoded.
        min_size: width and height that suffice: a JPEG may be decoded at a smaller scale, which is faster.

    Raises:
        ImageError: the image is broken, too large, or of another format.
        UsageError: the decoder of the format is missing; the message says what to install.

    Example:
        >>> import io, zoo
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("L", (8, 6)).save(file, "PNG")
        >>> image = zoo.preprocessing.images.open_image(file.getvalue())
        >>> image.size, image.mode
        ((8, 6), 'RGB')
    """
    name = _find_format(content)
    if name not in _READ_FORMATS and name not in _PILLOW_NAMES:
        raise ImageError(describe_unread(name) if name else "the picture is of an unknown format")
    _load_decoder(name)
    if name == "AVIF":
        content = use_still_image(content)
        _check_frames(content, max_pixels)
    if content.count(b"\xff\xda") > MAX_SCANS and (problem := _find_problem(content, max_pixels)):
        raise ImageError(problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of corrupt metadata
        try:
            file = Image.open(io.BytesIO(content), formats=[_PILLOW_NAMES.get(name, name)])
            _check_size(file, max_pixels)
            if min_size:
                file.draft("RGB", min_size)
            file.load()
            with contextlib.suppress(Exception):  # corrupt EXIF data count as upright
                ImageOps.exif_transpose(file, in_place=True)
            image = _convert_to_rgb(file, name)
        except ImageError:
            raise
        except Image.DecompressionBombError as error:
            raise ImageError(f"the picture is too large; {max_pixels:,} pixels can be read") from error
        except Exception as error:  # for a corrupt file anything, from SyntaxError to struct.error
            is_unsupported = "unsupported" in str(error).lower()
            unread = describe_unread(f"{name} of an unusual kind")
            raise ImageError(unread if is_unsupported else CORRUPT) from error
    image.info = {}  # such as a color profile, which would be saved
    return image


def encode_image(image: Image.Image | np.ndarray) -> bytes:
    """Return an image in memory as the content of a PNG file: upright and as RGB.

    Args:
        image: an image of Pillow, or uint8 [height, width, 3].

    Raises:
        UsageError: an array of another dtype or shape, or an image with 32 bits for a color.

    >>> open_image(encode_image(np.zeros([20, 30, 3], np.uint8))).size
    (30, 20)
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise UsageError(
                f"Expected an image as an array of uint8 [height, width, 3], got {image.dtype} {list(image.shape)}. "
                "Convert it, or pass its path."
            )
        image = Image.fromarray(image)
    file = io.BytesIO()
    try:
        upright = _convert_to_rgb(ImageOps.exif_transpose(image), "an image")
        upright.info = {}
        upright.save(file, "PNG", compress_level=1)
    except (ImageError, OSError, ValueError) as error:  # also of a file that Pillow reads only now
        raise UsageError(f"Expected an image, got {image!r}: {error}.") from error
    return file.getvalue()


def _convert_to_rgb(image: Image.Image, name: str) -> Image.Image:
    """Return an image as RGB.

    Args:
        image: the image.
        name: what it is, for the message.

    Raises:
        ImageError: it has 32 bits for a color.
    """
    if image.mode in ("I", "F"):
        raise ImageError(f"the picture is {name} with 32 bits for a color: convert it to 8 bits")
    if image.mode.startswith("I;16"):  # Pillow would clip the values
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def describe_unknown(content: bytes) -> str:
    """Return what content is that is of no known format of images; empty if it is of one, or if there is none.

    Args:
        content: the content of a file.

    >>> describe_unknown(b"<?xml version='1.0'?><svg></svg>")
    'the picture is SVG, which is not read here: convert it to JPEG or PNG'
    """
    if _find_format(content) or not content:
        return ""
    if b"<svg" in content[:4096]:
        return describe_unread("SVG")
    if any(content.startswith(signature, offset) for offset, signature in _VIDEO_SIGNATURES):
        return "the file is a video or an audio file: expected an image"
    return "the file is no picture of a known format: expected JPEG, PNG, GIF, BMP, WebP, AVIF, TIFF or HEIC"


def _needs_conversion(content: bytes, max_pixels: int, is_oriented: bool) -> bool:
    name = _find_format(content)
    if name == "BMP":
        return not is_oriented or bool(read_headers(tf.constant([content]), max_pixels).status[0] != "")
    if name == "JPEG":
        return not is_oriented and bool(read_headers(tf.constant([content]), max_pixels).orientation[0] > 1)
    if name == "PNG":
        return b"eXIf" in content and _has_orientation(content, max_pixels)
    return name in _PILLOW_NAMES


def _has_orientation(png: bytes, max_pixels: int) -> bool:
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        _check_size(image, max_pixels)
        return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    return False  # such as a corrupt file, of which the graph says what is wrong


def _check_size(image: Image.Image, max_pixels: int) -> None:
    """Refuse an image, or a TIFF whose tiles are larger than the image, before memory for it is allocated."""
    tags = getattr(image, "tag_v2", {})
    width, height = (max(size, tags.get(tag, 0)) for size, tag in zip(image.size, _TILE_TAGS, strict=True))
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        raise ImageError(describe_large(f"{width}", f"{height}", max_pixels))


def _check_frames(avif: bytes, max_pixels: int) -> None:
    """Refuse an AVIF with frames that are larger than the image which its container states."""
    try:
        sizes = find_frame_sizes(avif)
    except ValueError as error:
        raise ImageError(CORRUPT) from error
    width, height = max(sizes, key=math.prod, default=(0, 0))
    # Besides the color there may be an alpha channel, a gain map and a thumbnail.
    if width * height > max_pixels or sum(map(math.prod, sizes)) > 4 * max_pixels:
        raise ImageError(describe_large(f"{width}", f"{height}", max_pixels))


def _find_problem(content: bytes, max_pixels: int) -> str:
    """Return what the headers of a JPEG, PNG or GIF show to be wrong with it; nothing for other formats."""
    if _find_format(content) not in ("JPEG", "PNG", "GIF"):
        return ""
    status: bytes = read_headers(tf.constant([content]), max_pixels).status[0].numpy()
    return status.decode()


def _find_format(content: bytes) -> str:
    """Return the name of the format in `FORMATS`; empty if it is unknown."""
    for name, offset, signature in FORMATS:
        if content.startswith(signature, offset):
            # The brands after the first one.
            return "AVIF" if name == "HEIF" and b"avif" in content[16:64] else name
    return ""


def _load_decoder(name: str) -> None:
    """Make Pillow ready for a format."""
    if name == "AVIF" and not features.check("avif"):
        raise UsageError(
            "The picture is AVIF, and the installed Pillow has no decoder for it. Install Pillow from PyPI, 11.3 or "
            "later, or convert the picture to JPEG or PNG."
        )
    if _PILLOW_NAMES.get(name) == "HEIF":
        if importlib.util.find_spec("pillow_heif") is None:
            raise UsageError(
                f"The picture is {name}, which needs the package pillow-heif. Install the extra `heif`, as README "
                "shows, or convert the picture to JPEG or PNG."
            )
        import pillow_heif

        pillow_heif.register_heif_opener()
