"""Pixels to maps of features: encoders by name, cut into a part to keep and a part to train."""

import difflib
import hashlib
import inspect
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import tensorflow as tf
from keras import layers

from zoo.errors import WeightsError
from zoo.formulations.frames import applied
from zoo.preprocessing.images.efficientnet_lite0 import efficientnet_lite0
from zoo.preprocessing.images.reader import Images

_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
_PATIENCE = 8.0  # seconds for which a host may be silent


def image_encoder(name: str, size: int, weights: Path | str | None = None) -> keras.Model:
    """A convolutional network without its head.

    Args:
        name: `small`, four convolutions with random weights, 8 times smaller maps; `efficientnet_lite0` with
            ImageNet's weights; or a model of `keras.applications` by its name there, such as `MobileNetV2`,
            with those that Keras downloads.
        size: height and width of the pictures.
        weights: a file to take the weights from instead, as `efficientnet_lite0` or Keras's `load_weights`
            reads it.

    Returns:
        A model from pixels [n, size, size, 3] between 0 and 255 to maps [n, rows, columns, features].

    Raises:
        WeightsError: there is no such network, or its weights cannot be had.
    """
    if name == "small":
        return _small(size)
    if name == "efficientnet_lite0":
        return efficientnet_lite0(size, weights)
    return _application(name, size, weights)


def _small(size: int) -> keras.Model:
    pixels = keras.Input((size, size, 3), name="pixels")
    x = layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(pixels)
    for number, (filters, stride) in enumerate([(32, 2), (48, 2), (64, 2), (96, 1)], 1):
        given = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        x = layers.Conv2D(filters, 3, stride, **given, name=f"conv{number}")(x)
    return keras.Model(pixels, x, name="small")


def _application(name: str, size: int, weights: Path | str | None) -> keras.Model:
    known = {
        known: function
        for known, function in vars(keras.applications).items()
        if inspect.isfunction(function) and "include_top" in inspect.signature(function).parameters
    }
    if name not in known:
        near = difflib.get_close_matches(name, ["small", "efficientnet_lite0", *known])
        raise WeightsError(
            f"{name!r} is neither an encoder of ours nor a model of keras.applications. "
            + (
                f"Did you mean {' or '.join(near)}?"
                if near
                else "Choose small, efficientnet_lite0, or one such as MobileNetV2."
            )
        )
    pixels = keras.Input((size, size, 3), name="pixels")
    prepared = sys.modules[known[name].__module__].preprocess_input(pixels)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE)
    try:
        model = known[name](
            include_top=False,
            input_shape=(size, size, 3),
            input_tensor=prepared,
            weights="imagenet" if weights is None else None,
        )
        if weights is not None:
            model.load_weights(weights)
    except Exception as error:  # Keras raises it plain if a download fails
        raise WeightsError(
            f"{name} with pictures of {size} x {size} and its weights cannot be had: {error}. Connect and "
            "run again, or give a file of the weights (--weights), or choose another encoder."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return keras.Model(pixels, model.output, name=name)


def cut(encoder: keras.Model, tuned: int) -> tuple[keras.Model | None, keras.Model | None]:
    """The two parts of an encoder: one to keep as it is, and one to train.

    What the first gives can be computed once for all pictures. Batch normalization in the second is at rest:
    the batches of fine-tuning are small.

    Args:
        encoder: a functional model of layers that are called once.
        tuned: how many convolutions are to be trained, the last ones, or a few more where the network
            branches.

    Returns:
        Both parts; None where one would do nothing.
    """
    if tuned == 0:
        return encoder, None
    waiting = Counter(id(tensor) for layer in encoder.layers for tensor in _inputs(layer))
    live, seen, place = set[int](), 0, None
    left = sum(isinstance(layer, _CONVOLUTIONS) for layer in encoder.layers)
    for layer in encoder.layers:
        waiting.subtract(id(tensor) for tensor in _inputs(layer))
        live = {tensor for tensor in live if waiting[tensor]} | {id(layer.output)}
        if isinstance(layer, _CONVOLUTIONS):
            seen, left = seen + 1, left - 1
        if len(live) == 1 and seen and left >= tuned:  # all that follows depends on one tensor
            place = layer.output
    if place is None:
        return None, encoder
    kept, trained = keras.Model(encoder.input, place), keras.Model(place, encoder.output)
    for layer in trained.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    return kept, trained


def _inputs(layer: keras.Layer) -> list[keras.KerasTensor]:
    return [] if isinstance(layer, layers.InputLayer) else keras.tree.flatten(layer.input)


class Reader(Protocol):
    """Raw pictures, or clips, to pixels: such as `ImageReader`."""

    takes: tuple[tf.TensorSpec, ...]
    shape: tuple[int, ...]

    def given(self, examples: Sequence[Any]) -> dict[str, Any]:
        """Examples as `takes` has them, by name."""

    def fingerprint(self) -> str:
        """Another one where pixels would be others."""

    def __call__(self, *raw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Pixels [n, *shape], and status, string [n]."""


class ImageFeatures:
    """Encoded pictures, or clips, to what a model is given of them.

    Args:
        reader: makes pixels.
        encoder: makes of pixels what is never trained, as float16: so it can be kept, and an export that
            computes it anew rounds it alike. Of a clip it sees each frame. None: the pixels are all there is.
    """

    def __init__(self, reader: Reader, encoder: keras.Model | None = None) -> None:
        self.reader, self.encoder = reader, encoder

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features of a picture, or of a clip."""
        shape = self.reader.shape
        return shape if self.encoder is None else (*shape[:-3], *self.encoder.output_shape[1:])

    def __call__(self, *raw: tf.Tensor) -> Images:
        """Pixels or features [n, *shape], and status, of string [n]."""
        pixels, status = self.reader(*raw)
        if self.encoder is None:
            return Images(pixels, status)
        flat = tf.reshape(pixels, [-1, *self.reader.shape[-3:]])
        features = tf.cast(applied(self.encoder, tf.cast(flat, tf.float32)), tf.float16)
        return Images(tf.reshape(features, [-1, *self.shape]), status)

    def fingerprint(self) -> str:
        """Another one where features would be others."""
        told = hashlib.sha256(self.reader.fingerprint().encode())
        for layer in self.encoder.layers if self.encoder else ():
            told.update(type(layer).__name__.encode())
            for weight in layer.get_weights():
                told.update(weight.tobytes())
        return told.hexdigest()
