"""Checks of image files by their headers, inside the graph, before anything is decoded."""

import tensorflow as tf

CORRUPT = "the picture is broken"
"""Status of an image that cannot be decoded."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
_HEADER_LENGTH = 70  # bytes; contain the size in all formats except JPEG
_RGB_MASKS = (0xFF0000, 0xFF00, 0xFF)

_MAX_JPEG_SEGMENTS = 1_000  # before the one with the size
_MAX_GIF_BLOCKS = 100_000  # up to the end of the first frame; each has up to 255 bytes
_BETWEEN, _IN_EXTENSION, _IN_FRAME, _COMPLETE, _TRUNCATED = range(5)  # states of the walk through a GIF


def check_headers(images: tf.Tensor, max_pixels: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Find out which files are images that memory can hold.

    Args:
        images: string [n]: the content of image files.
        max_pixels: Largest number of pixels of an image that is accepted.

    Returns:
        The images, string [n], with GIFs truncated after their first frame; status, string [n], empty for an
        image that can be decoded unless its data are corrupt; and whether an image is BMP, bool [n].
    """
    header = _read_bytes(images, tf.zeros_like(images, tf.int32), _HEADER_LENGTH)
    is_jpeg, is_png, is_gif87, is_gif89, is_bmp = (
        tf.strings.substr(images, 0, len(signature)) == signature for signature in _SIGNATURES
    )
    is_gif = is_gif87 | is_gif89
    images, has_frame = _truncate_gifs(images, is_gif)
    bmp_height = _read_number(header, 22, 4)  # negative if rows are stored from top to bottom
    sizes = (
        (is_jpeg, _find_jpeg_sizes(images, is_jpeg)),
        (is_png, (_read_number(header, 20, 4, big=True), _read_number(header, 16, 4, big=True))),
        (is_gif, (_read_number(header, 8, 2), _read_number(header, 6, 2))),
        (is_bmp, (tf.minimum(bmp_height, 2**32 - bmp_height), _read_number(header, 18, 4))),
    )
    height, width = tf.zeros_like(bmp_height), tf.zeros_like(bmp_height)
    for is_format, (format_height, format_width) in sizes:
        height = tf.where(is_format, format_height, height)
        width = tf.where(is_format, format_width, width)

    status = tf.where((height == 0) | (width == 0) | (is_gif & ~has_frame), CORRUPT, "")
    is_large = tf.cast(height, tf.float64) * tf.cast(width, tf.float64) > max_pixels
    size = tf.strings.join([tf.strings.as_string(width), " x ", tf.strings.as_string(height)])
    limit = f" pixels; {max_pixels:,} can be read"
    status = tf.where(is_large, tf.strings.join(["the picture has ", size, limit]), status)
    status = tf.where(
        is_bmp & ~_is_readable_bmp(header),
        "the picture is a BMP with a palette or compressed, which is not read",
        status,
    )
    is_known = is_jpeg | is_png | is_gif | is_bmp
    status = tf.where(is_known, status, "the picture is not JPEG, PNG, GIF or BMP")
    return images, tf.where(images == "", "no picture", status), is_bmp


def _is_readable_bmp(header: tf.Tensor) -> tf.Tensor:
    """Whether a BMP has 24 or 32 bits per pixel, without compression or with the usual bit masks."""
    compression, bits_per_pixel = _read_number(header, 30, 4), _read_number(header, 28, 2)
    masks = tf.stack([_read_number(header, offset, 4) for offset in (54, 58, 62)], -1)
    has_rgb_masks = (compression == 3) & tf.reduce_all(masks == _RGB_MASKS, axis=-1)
    return ((compression == 0) | has_rgb_masks) & (bits_per_pixel >= 24)


def _find_jpeg_sizes(images: tf.Tensor, is_jpeg: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return heights and widths from the frame headers of JPEGs, 0 for other images and without a header."""

    def read_segment(
        is_active: tf.Tensor, offsets: tf.Tensor, sizes: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        content = _read_bytes(images, offsets, 9)
        marker, length = content[:, 1], _read_number(content, 2, 2, big=True)
        other_markers = [0xC4, 0xC8, 0xCC]  # in the range of frame headers, but none
        is_frame = (marker >= 0xC0) & (marker <= 0xCF)
        is_frame &= tf.reduce_all(marker[:, None] != other_markers, axis=-1)
        size = tf.stack([_read_number(content, offset, 2, big=True) for offset in (5, 7)], -1)
        sizes = tf.where((is_active & is_frame)[:, None], size, sizes)
        is_fill_byte = marker == 0xFF
        is_active &= ~is_frame & (content[:, 0] == 0xFF)
        return is_active, offsets + tf.where(is_fill_byte, 1, 2 + tf.cast(length, tf.int32)), sizes

    rows = tf.shape(images)[0]
    *_, sizes = tf.while_loop(
        lambda is_active, *_: tf.reduce_any(is_active),
        read_segment,
        (is_jpeg, tf.fill([rows], 2), tf.zeros([rows, 2], tf.int64)),
        maximum_iterations=_MAX_JPEG_SEGMENTS,
    )
    return sizes[:, 0], sizes[:, 1]


def _truncate_gifs(images: tf.Tensor, is_gif: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Truncate GIFs after their first frame, and return whether they have one. Other images stay as they are.

    TensorFlow decodes all frames of a GIF even if only the first is requested.
    """

    def read_block(state: tf.Tensor, offsets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        content = tf.cast(_read_bytes(images, offsets, 10), tf.int32)
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
        is_active = is_between | is_inside
        new_state = tf.where(is_active & (offsets >= tf.strings.length(images)), _TRUNCATED, new_state)
        return tf.where(is_active, new_state, state), tf.where(is_active, offsets + length, offsets)

    flags = _read_bytes(images, tf.fill(tf.shape(images), 10), 1)[:, 0]
    state, end = tf.while_loop(
        lambda state, _: tf.reduce_any(state < _COMPLETE),
        read_block,
        (tf.where(is_gif, _BETWEEN, _TRUNCATED), 13 + _color_table_length(tf.cast(flags, tf.int32))),
        maximum_iterations=_MAX_GIF_BLOCKS,
    )
    is_complete = state == _COMPLETE
    first_frame = tf.strings.substr(images, tf.zeros_like(end), tf.where(is_complete, end, 0))
    return tf.where(is_complete, tf.strings.join([first_frame, ";"]), images), is_complete


def _color_table_length(flags: tf.Tensor) -> tf.Tensor:
    """Return the length of a GIF's color table in bytes."""
    return tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, flags % 8), 0)


def _read_bytes(images: tf.Tensor, offsets: tf.Tensor, count: int) -> tf.Tensor:
    """Return `count` bytes of each image from an offset on, int64 [n, count], zeros after its end."""
    offsets = tf.minimum(offsets, tf.strings.length(images))
    content = tf.strings.substr(images, offsets, tf.fill(tf.shape(offsets), count))
    return tf.cast(tf.io.decode_raw(content, tf.uint8, fixed_length=count), tf.int64)


def _read_number(content: tf.Tensor, offset: int, size: int, big: bool = False) -> tf.Tensor:
    """Return the unsigned number in `size` bytes of int64 [n, count], little-endian unless `big`."""
    weights = [256**i for i in range(size)]
    return tf.reduce_sum(content[:, offset : offset + size] * (weights[::-1] if big else weights), axis=-1)
