"""Raw images or clips to the inputs of a model: pixels, or features of a frozen encoder."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import keras
import tensorflow as tf

from zoo.preprocessing.images.encoders import apply_encoder


class Reader(Protocol):
    """Raw images or clips to pixels, such as `ImageReader` and `ClipReader`.

    Example:
        >>> import zoo
        >>> reader: zoo.preprocessing.images.Reader = zoo.preprocessing.images.ImageReader(64)
        >>> reader.shape, [spec.name for spec in reader.input_signature]
        ((64, 64, 3), ['image'])
    """

    @property
    def input_signature(self) -> tuple[tf.TensorSpec, ...]:
        """What it is called with."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels of one image or clip, without the batch."""

    def convert_examples(self, examples: Sequence[Any], /) -> tuple[Sequence[Any], Sequence[str]]:
        """Return examples in formats that it reads, and what is wrong with each, empty if nothing is."""

    def pack_inputs(self, examples: Sequence[Any], /) -> dict[str, Any]:
        """Return examples as a batch of inputs, by the names in `input_signature`."""

    def get_config(self) -> dict[str, Any]:
        """Return what the pixels depend on, as JSON."""

    def __call__(self, *raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return pixels [n, *shape] and status, string [n], of tensors as in `input_signature`."""


class ExtractedFeatures(NamedTuple):
    """The inputs of a model for n images or clips.

    Attributes:
        features: uint8 pixels or float16 feature maps, [n, *shape].
        status: string [n]: empty if the image or clip was read, otherwise what is wrong with it.

    Example:
        >>> import numpy as np, zoo
        >>> reader = zoo.preprocessing.video.ClipReader(num_frames=4, image_size=32)
        >>> extractor = zoo.preprocessing.images.FeatureExtractor(reader)
        >>> extracted = extractor(np.zeros([2, 9, 18, 32, 3], "uint8"), [9, 0])  # a clip of 9 frames and one of none
        >>> extracted.features.shape, extracted.status.numpy().tolist()
        (TensorShape([2, 4, 32, 32, 3]), [b'', b'no frames'])
    """

    features: tf.Tensor
    status: tf.Tensor


class FeatureExtractor:
    """Raw images or clips to pixels, or to features of a frozen encoder.

    Features are float16, so that features cached in a file and features that an export computes are rounded
    alike. Each frame of a clip is encoded by itself.

    Args:
        reader: decodes images or clips to pixels.
        encoder: the part of an image encoder that is not trained, from pixels to feature maps. None: the
            features are the pixels.

    >>> from zoo.preprocessing.images import ImageReader, build_image_encoder
    >>> extractor = FeatureExtractor(ImageReader(32), build_image_encoder("small", 32))
    >>> extractor.shape
    (4, 4, 96)
    """

    def __init__(self, reader: Reader, encoder: keras.Model | None = None) -> None:
        self.reader, self.encoder = reader, encoder

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the features of one image or clip, without the batch."""
        shape = self.reader.shape
        return shape if self.encoder is None else (*shape[:-3], *self.encoder.output_shape[1:])

    def __call__(self, *raw: tf.Tensor) -> ExtractedFeatures:
        """Extract features.

        Args:
            *raw: tensors as in `reader.input_signature`, of n rows.

        Returns:
            An `ExtractedFeatures` of n rows.
        """
        pixels, status = self.reader(*raw)
        return ExtractedFeatures(self.encode(pixels), status)

    def encode(self, pixels: tf.Tensor) -> tf.Tensor:
        """Return the features [n, *shape] of pixels, uint8 [n, *reader.shape]."""
        if self.encoder is None:
            return pixels
        images = tf.reshape(pixels, [-1, *self.reader.shape[-3:]])
        features = tf.cast(apply_encoder(self.encoder, tf.cast(images, tf.float32)), tf.float16)
        return tf.reshape(features, [-1, *self.shape])

    def fingerprint(self) -> str:
        """Return a hash of all that the features of given images depend on."""
        digest = hashlib.sha256(json.dumps(self.reader.get_config()).encode())
        for layer in self.encoder.layers if self.encoder else ():
            digest.update(type(layer).__name__.encode())
            for weight in layer.get_weights():
                digest.update(weight.tobytes())
        return digest.hexdigest()
