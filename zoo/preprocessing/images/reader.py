"""Encoded pictures to pixels, inside the graph, row by row: a broken one does not harm the others."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from PIL import Image

MAX_PIXELS = 50_000_000
"""Of a picture; a larger one is not decoded. One of this size takes 150 MB."""

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
_HEADER = 70  # bytes; the size is among them in each format but JPEG
_RGB_MASKS = (0xFF0000, 0xFF00, 0xFF)

_BROKEN = "the picture is broken"

_MOST_SEGMENTS = 1_000  # of a JPEG, before the one that tells its size
_MOST_BLOCKS = 100_000  # of a GIF, to the end of its first frame; each has up to 255 bytes
_BETWEEN, _IN_EXTENSION, _IN_FRAME, _WHOLE, _BROKEN_OFF = range(5)  # where a walk through a GIF is


class Images(NamedTuple):
    """What an `ImageReader` makes of n pictures."""

    pixels: tf.Tensor
    """uint8 [n, size, size, 3]: red, green and blue; black where there is no picture."""
    status: tf.Tensor
    """string [n]: empty, or why there is no picture."""


class ImageReader:
    """Encoded pictures to pixels of one size, by TensorFlow's own operations.

    JPEG, PNG, GIF (the first frame) and BMP (without palette) of any size become RGB: grey is copied to the
    three channels, CMYK converted, transparency left out, 16 bits cut to 8. The whole picture is squeezed
    into a square, by triangle filters that see every pixel. What a camera notes on how to turn the picture
    (EXIF) is ignored.

    One picture at a time is decoded, and only where its header gives a size that memory can hold.

    Args:
        size: height and width of the result.
        max_pixels: the most that a picture may have.

    Attributes:
        shape: of the pixels of a picture.
    """

    takes = (tf.TensorSpec([None], tf.string, "image"),)
    """What it is called with."""

    def __init__(self, size: int, max_pixels: int = MAX_PIXELS) -> None:
        self.size, self.max_pixels = size, max_pixels
        self.shape = (size, size, 3)

    @staticmethod
    def given(images: Sequence[bytes]) -> dict[str, list[bytes]]:
        """Pictures as `takes` has them, by name."""
        return {"image": list(images)}

    def fingerprint(self) -> str:
        """Another one where pixels would be others."""
        return f"{self.size} {self.max_pixels}"

    @tf.function(input_signature=takes, autograph=False)
    def __call__(self, images: tf.Tensor) -> Images:
        """Read string [n]."""
        images, status, bmp = self._checked(images)
        pixels = tf.zeros([tf.size(images), self.size, self.size, 3], tf.uint8)
        # What cannot be decoded raises an error; a data set can leave out the row that raised it.
        rows = tf.data.Dataset.from_tensor_slices(tf.where(status == "")[:, 0])
        read = rows.map(lambda row: (row, self._decoded(images[row], bmp[row]))).ignore_errors()

        def put(found: tuple[tf.Tensor, tf.Tensor], row: tuple[tf.Tensor, tf.Tensor]) -> tuple:
            (pixels, done), (number, picture) = found, row
            where = [[number]]
            return (
                tf.tensor_scatter_nd_update(pixels, where, [picture]),
                tf.tensor_scatter_nd_update(done, where, [True]),
            )

        options = tf.data.Options()  # to prepare them would take longer than to read a few pictures
        options.experimental_optimization.apply_default_optimizations = False
        options.autotune.enabled = False
        pixels, done = read.with_options(options).reduce((pixels, status != ""), put)
        return Images(pixels, tf.where(done, status, _BROKEN))

    def _decoded(self, image: tf.Tensor, bmp: tf.Tensor) -> tf.Tensor:
        """Pixels of one picture. Raises an OpError where it is broken."""
        decoded = tf.cond(
            bmp,
            lambda: tf.image.decode_bmp(image)[..., :3],
            lambda: tf.io.decode_image(image, channels=3, expand_animations=False),
        )
        decoded = tf.ensure_shape(decoded, [None, None, 3])
        resized = tf.image.resize(decoded, [self.size, self.size], antialias=True)
        return tf.cast(tf.round(resized), tf.uint8)

    def _checked(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The pictures, GIFs with one frame; why one is not to be decoded; and which are BMP."""
        head = _bytes(images, tf.zeros_like(images, tf.int32), _HEADER)
        jpeg, png, gif87, gif89, bmp = (
            tf.strings.substr(images, 0, len(start)) == start for start in _BEGINNINGS
        )
        gif = gif87 | gif89
        images, framed = _first_frames(images, gif)
        plain = _number(head, 30, 4) == 0
        masks = tf.stack([_number(head, place, 4) for place in (54, 58, 62)], -1) == _RGB_MASKS
        plain |= (_number(head, 30, 4) == 3) & tf.reduce_all(masks, axis=-1)
        flipped = _number(head, 22, 4)  # below zero: from top to bottom
        sizes = {
            "jpeg": _jpeg_sizes(images, jpeg),
            "png": (_number(head, 20, 4, big=True), _number(head, 16, 4, big=True)),
            "gif": (_number(head, 8, 2), _number(head, 6, 2)),
            "bmp": (tf.minimum(flipped, 2**32 - flipped), _number(head, 18, 4)),
        }
        height, width = tf.zeros_like(flipped), tf.zeros_like(flipped)
        for own, size in zip((jpeg, png, gif, bmp), sizes.values(), strict=True):
            height, width = (tf.where(own, new, old) for new, old in zip(size, (height, width), strict=True))
        texts = [tf.strings.as_string(number) for number in (width, height)]
        size = tf.strings.join([texts[0], " x ", texts[1], f" pixels; {self.max_pixels:,} can be read"])
        status = tf.where((height == 0) | (width == 0) | (gif & ~framed), _BROKEN, "")
        large = tf.cast(height, tf.float64) * tf.cast(width, tf.float64) > self.max_pixels
        status = tf.where(large, tf.strings.join(["the picture has ", size]), status)
        palette = bmp & ~(plain & (_number(head, 28, 2) >= 24))
        status = tf.where(
            palette, "the picture is a BMP with a palette or compressed, which is not read", status
        )
        status = tf.where(jpeg | png | gif | bmp, status, "the picture is not JPEG, PNG, GIF or BMP")
        return images, tf.where(images == "", "no picture", status), bmp


def small_copy(image: bytes) -> Image.Image:
    """The picture as it is read for the model, in its own proportions, at most 448 pixels wide and high."""
    width, height = Image.open(io.BytesIO(image)).size
    side = min(448, max(width, height))
    pixels = ImageReader(side)(tf.constant([image])).pixels[0].numpy()
    scale = side / max(width, height)
    return Image.fromarray(pixels).resize((max(1, round(width * scale)), max(1, round(height * scale))))


def _bytes(images: tf.Tensor, places: tf.Tensor, count: int) -> tf.Tensor:
    """Bytes of each from a place on, int64 [n, count]; zeros after the end."""
    places = tf.minimum(places, tf.strings.length(images))
    found = tf.strings.substr(images, places, tf.fill(tf.shape(places), count))
    return tf.cast(tf.io.decode_raw(found, tf.uint8, fixed_length=count), tf.int64)


def _number(content: tf.Tensor, place: int, size: int, big: bool = False) -> tf.Tensor:
    """A number in bytes [n, count], the lowest byte first unless it is `big`-endian."""
    weights = [256**i for i in range(size)]
    return tf.reduce_sum(content[:, place : place + size] * (weights[::-1] if big else weights), axis=-1)


def _jpeg_sizes(images: tf.Tensor, jpeg: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Heights and widths, from the segment that tells them; 0 where none does."""

    def segment(active: tf.Tensor, places: tf.Tensor, sizes: tf.Tensor) -> tuple[tf.Tensor, ...]:
        content = _bytes(images, places, 9)
        marker, length = content[:, 1], _number(content, 2, 2, big=True)
        kinds = [0xC4, 0xC8, 0xCC]  # are no frames
        frame = (marker >= 0xC0) & (marker <= 0xCF) & tf.reduce_all(marker[:, None] != kinds, axis=-1)
        found = tf.stack([_number(content, place, 2, big=True) for place in (5, 7)], -1)
        sizes = tf.where((active & frame)[:, None], found, sizes)
        filling = marker == 0xFF
        active &= ~frame & (content[:, 0] == 0xFF)
        return active, places + tf.where(filling, 1, 2 + tf.cast(length, tf.int32)), sizes

    rows = tf.shape(images)[0]
    *_, sizes = tf.while_loop(
        lambda active, *_: tf.reduce_any(active),
        segment,
        (jpeg, tf.fill([rows], 2), tf.zeros([rows, 2], tf.int64)),
        maximum_iterations=_MOST_SEGMENTS,
    )
    return sizes[:, 0], sizes[:, 1]


def _first_frames(images: tf.Tensor, gif: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """GIFs cut after their first frame, and whether they have one; the other pictures are as they were.

    To decode the first frame TensorFlow reads them all, however many there are.
    """

    def block(phase: tf.Tensor, places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        content = tf.cast(_bytes(images, places, 10), tf.int32)
        first, between = content[:, 0], phase == _BETWEEN
        extension, frame = between & (first == 0x21), between & (first == 0x2C)
        inside = (phase == _IN_EXTENSION) | (phase == _IN_FRAME)
        last = inside & (first == 0)
        jump = tf.where(frame, 11 + _table(content[:, 9]), tf.where(extension, 2, first + 1))
        after = tf.where(extension, _IN_EXTENSION, tf.where(frame, _IN_FRAME, _BROKEN_OFF))
        after = tf.where(inside, phase, after)
        after = tf.where(last, tf.where(phase == _IN_FRAME, _WHOLE, _BETWEEN), after)
        active = between | inside
        after = tf.where(active & (places >= tf.strings.length(images)), _BROKEN_OFF, after)
        return tf.where(active, after, phase), tf.where(active, places + jump, places)

    start = 13 + _table(tf.cast(_bytes(images, tf.fill(tf.shape(images), 10), 1)[:, 0], tf.int32))
    phase, end = tf.while_loop(
        lambda phase, _: tf.reduce_any(phase < _WHOLE),
        block,
        (tf.where(gif, _BETWEEN, _BROKEN_OFF), start),
        maximum_iterations=_MOST_BLOCKS,
    )
    whole = phase == _WHOLE
    beginning = tf.strings.substr(images, tf.zeros_like(end), tf.where(whole, end, 0))
    return tf.where(whole, tf.strings.join([beginning, ";"]), images), whole


def _table(flags: tf.Tensor) -> tf.Tensor:
    """Bytes of a GIF's table of colors."""
    return tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, flags % 8), 0)
