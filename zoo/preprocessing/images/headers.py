"""Checks of image files by their headers, inside the graph, before anything is decoded."""

from typing import NamedTuple

import tensorflow as tf

from zoo.preprocessing.images.byte_strings import read_bytes, read_number
from zoo.preprocessing.images.jpeg import MAX_SCANS, read_jpeg_headers

MAX_PIXELS = 50_000_000
"""Default limit of pixels in an image. Decoding an image of this size takes 150 MB."""

MAX_SIDE = 65_535
"""Limit of height and width, as in JPEG and GIF: scaling takes memory for each column of an image, however flat.

Scaling the widest image to a height of 224 pixels takes 176 MB.
"""

CORRUPT = "the picture is broken"
"""Status of an image that cannot be decoded."""

FORMATS = (
    ("JPEG", 0, b"\xff\xd8\xff"),
    ("PNG", 0, b"\x89PNG\r\n\x1a\n"),
    ("GIF", 0, b"GIF87a"),
    ("GIF", 0, b"GIF89a"),
    ("BMP", 0, b"BM"),
    ("WebP", 8, b"WEBP"),
    ("AVIF", 4, b"ftypavif"),
    ("AVIF", 4, b"ftypavis"),
    *(("HEIC", 4, b"ftyp" + brand) for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")),
    ("HEIF", 4, b"ftypmif1"),
    ("HEIF", 4, b"ftypmsf1"),
    *(("TIFF", 0, signature) for signature in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("JPEG 2000", 4, b"jP  \r\n\x87\n"),
    ("JPEG 2000", 0, b"\xff\x4f\xff\x51"),
    ("JPEG XL", 4, b"JXL \r\n\x87\n"),
    ("JPEG XL", 0, b"\xff\x0a"),
    ("PDF", 0, b"%PDF"),
    ("SVG", 0, b"<svg"),
    ("Photoshop", 0, b"8BPS"),
)
"""Name of a format, offset of its signature, and signature. The graph reads JPEG, PNG, GIF and BMP."""

_HEADER_LENGTH = 70  # bytes; contain the size in all formats except JPEG
_SIGNATURE_LENGTH = 16  # bytes that contain all signatures
_BMP_HEADERS = (40, 52, 56, 64, 108, 124)  # bytes of the headers with sizes of 32 bits
_RGB_MASKS = (0xFF0000, 0xFF00, 0xFF)

_MAX_GIF_BLOCKS = 100_000  # up to the end of the first frame; each has up to 255 bytes
_MAX_SHORT_GIF_BLOCKS = 1_000  # in addition to one for each 64 bytes: a walk takes time for each block
_BETWEEN, _IN_EXTENSION, _IN_FRAME, _COMPLETE, _TRUNCATED = range(5)  # states of the walk through a GIF


class ImageHeaders(NamedTuple):
    """What the headers of n image files state.

    Attributes:
        images: string [n]: the files, GIFs truncated after their first frame and BMPs after their pixels.
        status: string [n]: empty for an image that can be decoded unless its data are corrupt.
        is_bmp: bool [n].
        height: int64 [n]: as it is stored, before the orientation is applied; of a GIF that of its first frame.
        width: int64 [n]: the same.
        orientation: int64 [n]: the EXIF orientation of JPEGs, from 1 to 8; 1 for all others.
    """

    images: tf.Tensor
    status: tf.Tensor
    is_bmp: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor


def read_headers(images: tf.Tensor, max_pixels: int) -> ImageHeaders:
    """Find out which files are images that memory can hold, and how they lie.

    Args:
        images: string [n]: the content of image files.
        max_pixels: largest number of pixels of an image that is accepted.
    """
    header = read_bytes(images, tf.zeros_like(images, tf.int32), _HEADER_LENGTH)
    name = _name_formats(images)
    is_jpeg, is_png, is_gif, is_bmp = (name == known for known in ("JPEG", "PNG", "GIF", "BMP"))
    images, frame = _truncate_gifs(images, is_gif)
    jpeg = read_jpeg_headers(images, is_jpeg)
    bmp_height = read_number(header, 22, 4)  # negative if rows are stored from top to bottom
    sizes = (
        (is_jpeg, (jpeg.height, jpeg.width)),
        (is_png, (read_number(header, 20, 4, big=True), read_number(header, 16, 4, big=True))),
        (is_gif, (frame.height, frame.width)),
        (is_bmp, (tf.minimum(bmp_height, 2**32 - bmp_height), read_number(header, 18, 4))),
    )
    height, width = tf.zeros_like(bmp_height), tf.zeros_like(bmp_height)
    for is_format, (format_height, format_width) in sizes:
        height = tf.where(is_format, format_height, height)
        width = tf.where(is_format, format_width, width)

    has_no_header = is_png & tf.reduce_any(header[:, 12:16] != tuple(b"IHDR"), axis=-1)
    status = tf.where((height == 0) | (width == 0) | has_no_header, CORRUPT, "")
    # The logical screen of a GIF, which other decoders use, and its first frame, which this one decodes.
    screen = (read_number(header, 8, 2), read_number(header, 6, 2))
    largest_height = tf.where(is_gif, tf.maximum(screen[0], height), height)
    largest_width = tf.where(is_gif, tf.maximum(screen[1], width), width)
    is_large = tf.cast(largest_height, tf.float64) * tf.cast(largest_width, tf.float64) > max_pixels
    is_large |= tf.maximum(largest_height, largest_width) > MAX_SIDE
    before, between, after = describe_large("|", "|", max_pixels).split("|")
    size = (tf.strings.as_string(largest_width), between, tf.strings.as_string(largest_height))
    status = tf.where(is_large & ~has_no_header, tf.strings.join([before, *size, after]), status)
    many_scans = f"the picture is a JPEG of more than {MAX_SCANS} scans: save it again with fewer"
    status = tf.where(jpeg.has_many_scans & (status == ""), many_scans, status)
    kind = "BMP with a palette, with compression or of 16 bits"
    status = tf.where(is_bmp & ~_is_readable_bmp(header), describe_unread(kind), status)
    before, after = describe_unread("|").split("|")
    is_named = ~(is_jpeg | is_png | is_gif | is_bmp | (name == ""))
    status = tf.where(is_named, tf.strings.join([before, name, after]), status)
    status = tf.where(name == "", "the picture is not JPEG, PNG, GIF or BMP", status)
    status = tf.where(images == "", "no picture", status)
    row_length = (read_number(header, 28, 2) * width + 31) // 32 * 4
    bmp_length = read_number(header, 10, 4) + row_length * height
    images = _truncate_bmps(images, is_bmp & (status == ""), bmp_length)
    return ImageHeaders(images, status, is_bmp, height, width, jpeg.orientation)


def describe_unread(name: str) -> str:
    """Return the status of an image of a format that is not read."""
    return f"the picture is {name}, which is not read here: convert it to JPEG or PNG"


def describe_large(width: str, height: str, max_pixels: int) -> str:
    """Return the status of an image with too many pixels."""
    return f"the picture has {width} x {height} pixels; {max_pixels:,} can be read, with sides up to {MAX_SIDE:,}"


def _name_formats(images: tf.Tensor) -> tf.Tensor:
    """Return the name of the format of each image, string [n]; empty if it is unknown."""
    start = tf.strings.join([tf.strings.substr(images, 0, _SIGNATURE_LENGTH), "\0" * _SIGNATURE_LENGTH])
    names = tf.fill(tf.shape(images), "")
    for name, offset, signature in FORMATS:
        names = tf.where(tf.strings.substr(start, offset, len(signature)) == signature, name, names)
    return names


def _is_readable_bmp(header: tf.Tensor) -> tf.Tensor:
    """Whether a BMP has 24 or 32 bits per pixel, without compression or with the usual bit masks."""
    length, compression = read_number(header, 14, 4), read_number(header, 30, 4)
    bits_per_pixel = read_number(header, 28, 2)
    masks = tf.stack([read_number(header, offset, 4) for offset in (54, 58, 62)], -1)
    has_rgb_masks = (compression == 3) & tf.reduce_all(masks == _RGB_MASKS, axis=-1)
    is_raw = (compression == 0) | has_rgb_masks
    is_known = tf.reduce_any(length[:, None] == _BMP_HEADERS, axis=-1)
    is_after_header = read_number(header, 10, 4) >= 14 + length
    return is_raw & is_known & is_after_header & ((bits_per_pixel == 24) | (bits_per_pixel == 32))


def _truncate_bmps(images: tf.Tensor, is_readable: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Truncate BMPs after their pixels: TensorFlow decodes none with bytes behind. Others stay as they are."""

    def truncate() -> tf.Tensor:
        length = tf.strings.length(images)
        new_length = tf.minimum(tf.where(is_readable, end, 2**31 - 1), tf.cast(length, tf.int64))
        return tf.strings.substr(images, tf.zeros_like(length), tf.cast(new_length, tf.int32))

    return tf.cond(tf.reduce_any(is_readable), truncate, lambda: images)


class _GifFrame(NamedTuple):
    """The first frame of n GIFs.

    Attributes:
        height: int64 [n], from its descriptor; 0 without a complete frame. TensorFlow decodes this size, whatever
            that of the logical screen is.
        width: int64 [n]: the same.
    """

    height: tf.Tensor
    width: tf.Tensor


def _truncate_gifs(images: tf.Tensor, is_gif: tf.Tensor) -> tuple[tf.Tensor, _GifFrame]:
    """Truncate GIFs after their first frame, and return its size. Other images stay as they are.

    TensorFlow decodes all frames of a GIF even if only the first is requested.
    """
    lengths = tf.strings.length(images)
    max_blocks = tf.minimum(_MAX_SHORT_GIF_BLOCKS + lengths // 64, _MAX_GIF_BLOCKS)

    def read_block(
        number: tf.Tensor, state: tf.Tensor, offsets: tf.Tensor, frames: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        content = tf.cast(read_bytes(images, offsets, 10), tf.int32)
        first_byte, is_between = content[:, 0], state == _BETWEEN
        is_extension, is_frame = is_between & (first_byte == 0x21), is_between & (first_byte == 0x2C)
        is_inside = (state == _IN_EXTENSION) | (state == _IN_FRAME)
        is_terminator = is_inside & (first_byte == 0)
        length = tf.where(
            is_frame, 11 + _color_table_length(content[:, 9]), tf.where(is_extension, 2, first_byte + 1)
        )
        new_state = tf.where(is_extension, _IN_EXTENSION, tf.where(is_frame, _IN_FRAME, _TRUNCATED))
        new_state = tf.where(is_inside, state, new_state)
        new_state = tf.where(is_terminator, tf.where(state == _IN_FRAME, _COMPLETE, _BETWEEN), new_state)
        frames = tf.where(is_frame, offsets, frames)
        is_active = is_between | is_inside
        has_ended = (offsets >= lengths) | (number >= max_blocks)
        new_state = tf.where(is_active & has_ended, _TRUNCATED, new_state)
        offsets = tf.where(is_active, offsets + length, offsets)
        return number + 1, tf.where(is_active, new_state, state), offsets, frames

    flags = read_bytes(images, tf.fill(tf.shape(images), 10), 1)[:, 0]
    start = 13 + _color_table_length(tf.cast(flags, tf.int32))
    _, state, end, frames = tf.while_loop(
        lambda _, state, *others: tf.reduce_any(state < _COMPLETE),
        read_block,
        (0, tf.where(is_gif, _BETWEEN, _TRUNCATED), start, tf.zeros_like(start)),
    )
    is_complete = state == _COMPLETE
    first_frame = tf.strings.substr(images, tf.zeros_like(end), tf.where(is_complete, end, 0))
    truncated = tf.where(is_complete, tf.strings.join([first_frame, ";"]), images)
    descriptor = read_bytes(images, frames, 10)
    height, width = (tf.where(is_complete, read_number(descriptor, offset, 2), 0) for offset in (7, 5))
    return truncated, _GifFrame(height, width)


def _color_table_length(flags: tf.Tensor) -> tf.Tensor:
    """Return the length of a GIF's color table in bytes."""
    return tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, flags % 8), 0)
