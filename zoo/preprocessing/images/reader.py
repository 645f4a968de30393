"""Encoded images to pixels, inside the graph and row by row: a corrupt image does not affect the others."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import tensorflow as tf
from PIL import Image

from zoo.errors import ImageError
from zoo.preprocessing.config import make_config, read_config
from zoo.preprocessing.images.conversion import convert_images
from zoo.preprocessing.images.headers import CORRUPT, MAX_PIXELS, read_headers
from zoo.preprocessing.images.jpeg import apply_orientations

_THUMBNAIL_SIZE = 448
_MAX_SCALED = 10_000_000  # pixels between scaling the height and scaling the width, with 12 bytes each


class DecodedImages(NamedTuple):
    """The pixels of n images.

    Attributes:
        pixels: uint8 [n, image_size, image_size, 3]: red, green and blue. Black where `status` is not empty.
        status: string [n]: empty if the image was decoded, otherwise what is wrong with it.

    Example:
        >>> import tensorflow as tf, zoo
        >>> pixels, status = tf.zeros([2, 32, 32, 3], tf.uint8), tf.constant(["", "the picture is broken"])
        >>> images = zoo.preprocessing.images.DecodedImages(pixels, status)
        >>> images.pixels[images.status == ""].shape  # those that could be decoded
        TensorShape([1, 32, 32, 3])
    """

    pixels: tf.Tensor
    status: tf.Tensor


class ImageReader:
    """Encoded images of any size to pixels of one size, with core TensorFlow operations.

    JPEG, PNG, GIF (the first frame) and BMP (of 24 or 32 bits, without compression) become RGB: gray is copied
    to the three channels, CMYK is converted, transparency is dropped, 16 bits are cut to 8. The whole image is
    scaled to a square, with triangle filters that see every pixel. `convert_images` converts further formats.

    The EXIF orientation of a JPEG is applied: the result is upright. Corrupt EXIF data and an orientation that
    is stated in XMP alone count as upright, and so does the `eXIf` chunk of a PNG, which `convert_images`
    applies.

    Images are decoded one at a time, and only if the header that the decoder uses states a size within
    `max_pixels`, so memory is bounded for hostile files: of a JPEG the frame header at the end of its segments, of
    a PNG the first chunk, of a GIF the descriptor of its first frame, and its logical screen. A limit of scans of a
    JPEG bounds the time.

    `status` of an image is "" or one of:

    - "no picture": the string is empty;
    - "the picture is WebP, which is not read here: convert it to JPEG or PNG": a known format, such as WebP,
      AVIF, HEIC or TIFF, or "BMP with a palette, with compression or of 16 bits";
    - "the picture is not JPEG, PNG, GIF or BMP";
    - "the picture has 9000 x 9000 pixels; 50,000,000 can be read, with sides up to 65,535";
    - "the picture is a JPEG of more than 100 scans: save it again with fewer";
    - "the picture is broken".

    Args:
        image_size: height and width of the result in pixels.
        max_pixels: largest number of pixels of an image that is decoded.

    Attributes:
        input_signature: what it is called with: encoded images, string [n].
        shape: shape of the pixels of one image: `(image_size, image_size, 3)`.

    >>> reader = ImageReader(64)
    >>> pixels, status = reader(tf.constant([b"not an image"]))
    >>> pixels.shape, status[0].numpy()
    (TensorShape([1, 64, 64, 3]), b'the picture is not JPEG, PNG, GIF or BMP')
    """

    input_signature = (tf.TensorSpec([None], tf.string, "image"),)

    def __init__(self, image_size: int, max_pixels: int = MAX_PIXELS) -> None:
        self.image_size, self.max_pixels = image_size, max_pixels
        self.shape = (image_size, image_size, 3)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, as JSON."""
        return make_config(image_size=self.image_size, max_pixels=self.max_pixels)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Rebuild a reader from what `get_config` returned.

        Raises:
            UsageError: the configuration was made by a later version of the preprocessing.
        """
        return cls(**read_config(config))

    def convert_examples(self, images: Sequence[bytes]) -> tuple[list[bytes], list[str]]:
        """Convert images of further formats with `convert_images`, within `max_pixels`."""
        return convert_images(images, self.max_pixels)

    @staticmethod
    def pack_inputs(images: Sequence[bytes]) -> dict[str, list[bytes]]:
        """Return encoded images as a batch of inputs, by the names in `input_signature`."""
        return {"image": list(images)}

    @tf.function(input_signature=input_signature, autograph=False)
    def __call__(self, images: tf.Tensor) -> DecodedImages:
        """Decode images.

        Args:
            images: string [n]: the content of image files.

        Returns:
            A `DecodedImages` of n rows.
        """
        headers = read_headers(images, self.max_pixels)
        images, status, is_bmp = headers.images, headers.status, headers.is_bmp
        pixels = tf.zeros([tf.size(images), self.image_size, self.image_size, 3], tf.uint8)
        # An image that cannot be decoded raises an error; a dataset can drop the row that raised it.
        rows = tf.data.Dataset.from_tensor_slices(tf.where(status == "")[:, 0])
        decoded = rows.map(lambda row: (row, self._decode(images[row], is_bmp[row]))).ignore_errors()

        def write_row(
            state: tuple[tf.Tensor, tf.Tensor], element: tuple[tf.Tensor, tf.Tensor]
        ) -> tuple[tf.Tensor, tf.Tensor]:
            (pixels, is_done), (row, image) = state, element
            return (
                tf.tensor_scatter_nd_update(pixels, [[row]], [image]),
                tf.tensor_scatter_nd_update(is_done, [[row]], [True]),
            )

        options = tf.data.Options()  # optimizing the dataset would take longer than decoding a few images
        options.experimental_optimization.apply_default_optimizations = False
        options.autotune.enabled = False
        pixels, is_done = decoded.with_options(options).reduce((pixels, status != ""), write_row)
        # The square results are turned instead of the large images, which is the same.
        pixels = apply_orientations(pixels, headers.orientation)
        return DecodedImages(pixels, tf.where(is_done, status, CORRUPT))

    def _decode(self, image: tf.Tensor, is_bmp: tf.Tensor) -> tf.Tensor:
        """Decode one image. Raises an OpError if it is corrupt."""
        decoded = tf.cond(
            is_bmp,
            lambda: tf.image.decode_bmp(image)[..., :3],
            lambda: tf.io.decode_image(image, channels=3, expand_animations=False),
        )
        decoded = tf.ensure_shape(decoded, [None, None, 3])
        resized = tf.image.resize(decoded, [self.image_size, self.image_size], antialias=True)
        return tf.cast(tf.round(resized), tf.uint8)


def make_thumbnail(image: bytes) -> Image.Image:
    """Return a small upright copy of an image with its own proportions, decoded as `ImageReader` does it.

    Args:
        image: the content of an image file that `ImageReader` can decode, or `convert_images` can convert.

    Returns:
        An image of at most 448 pixels in width and height, of fewer if a side has more than 22,000 pixels.

    Raises:
        ImageError: the image cannot be converted.

    Example:
        >>> import io, zoo
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (896, 600)).save(file, "PNG")
        >>> zoo.preprocessing.images.make_thumbnail(file.getvalue()).size
        (448, 300)
    """
    (image,), (problem,) = convert_images([image])
    if problem:
        raise ImageError(problem)
    headers = read_headers(tf.constant([image]), MAX_PIXELS)
    height, width, orientation = (
        int(number[0]) for number in (headers.height, headers.width, headers.orientation)
    )
    if orientation >= 5:  # lies on its side
        height, width = width, height
    longer = max(width, height)
    size = min(_THUMBNAIL_SIZE, longer, _MAX_SCALED // longer)
    pixels = ImageReader(size)(tf.constant([image])).pixels[0].numpy()
    scale = size / longer
    return Image.fromarray(pixels).resize((max(1, round(width * scale)), max(1, round(height * scale))))
