"""Vectors or maps of frames: what an encoder reads of a video."""

import logging
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.cells.checks import check_part
from zoo.cells.serialization import deserialize_functions
from zoo.preprocessing.images import apply_encoder

logger = logging.getLogger(__name__)


def append_coordinates(maps: Tensor) -> Tensor:
    """Append the position of each place of feature maps to its features.

    The coordinates of Liu et al. (2018), "An intriguing failing of convolutional neural networks and the
    CoordConv solution".

    Args:
        maps: float tensor [..., rows, columns, width].

    Returns:
        Float tensor [..., rows, columns, width + 2]. The last two features are y and x, from -1 to 1.
    """
    shape = tf.shape(maps)
    axes = [tf.linspace(-1.0, 1.0, size) for size in tf.unstack(shape[-3:-1])]
    coordinates = tf.cast(tf.stack(tf.meshgrid(*axes, indexing="ij"), -1), maps.dtype)
    return tf.concat([maps, tf.broadcast_to(coordinates, tf.concat([shape[:-1], [2]], 0))], -1)


class FrameVectors(Serializable, keras.layers.Layer):
    """A vector (or feature map) for each frame, from the frame and its differences to frames near it.

        v_t = encoder([x_t; y_t - y_{t+k}; y_t - y_{t+k'}; ...])        k, k', ... are the offsets

    y is x, or with `brightness` the mean of x over its channels. x is zero before the first frame and after
    the last. A difference of two frames shows what moves. An offset above zero looks ahead: in a stream the
    vector is then late by as many frames.

    Args:
        encoder: Keras model or None. Maps frames [batch, ..., channels] to vectors [batch, width] or to
            feature maps [batch, rows, columns, width], for example a convolutional network. Its input has the
            channels of x_t and of all differences. None returns that input: the frames are vectors or feature
            maps already.
        offsets: sequence of int. Positions of the frames to compare with, relative to t: below zero for
            earlier frames, above zero for later ones. Defaults to `()`.
        brightness: bool. Whether differences are those of the brightness, one channel each. Defaults to
            `False`.
        **kwargs: `name` and `dtype`, as of every Keras layer.

    Call arguments:
        frames: float or int tensor [batch, time, ..., channels].
        training: bool. Whether the encoder runs in training mode. Defaults to `False`.

    Input shape:
        [batch, time, ..., channels], as `build` takes it.

    Output shape:
        [batch, time, width], or [batch, time, rows, columns, width].

    Attributes:
        lookbehind: number of frames before t that v_t depends on.
        lookahead: number of frames after t that v_t depends on.

    Example:
        >>> import keras, numpy as np, zoo
        >>> encoder = keras.Sequential([keras.Input((16,)), keras.layers.Dense(4)])
        >>> zoo.FrameVectors(encoder, offsets=(-1,))(np.ones((2, 5, 8), "float32")).shape
        TensorShape([2, 5, 4])
    """

    def __init__(
        self,
        encoder: keras.Model | None,
        offsets: Sequence[int] = (),
        brightness: bool = False,
        **kwargs: Any,
    ) -> None:
        if encoder is not None:
            check_part(
                "encoder", encoder, keras.Layer, "Pass a Keras model that maps frames to vectors or maps."
            )
        super().__init__(**kwargs)
        self.encoder, self.offsets, self.brightness = encoder, tuple(offsets), brightness
        self.lookbehind, self.lookahead = -min((*offsets, 0)), max((*offsets, 0))

    def build(self, frames_shape: Sequence[int | None]) -> None:
        """Check that the encoder, which is built already, accepts frames [batch, time, ..., channels]."""
        self.compute_output_shape(frames_shape)

    def compute_output_shape(self, frames_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the vectors or maps of frames [batch, time, ..., channels]."""
        batch, time, *sizes, channels = frames_shape
        if channels is None:
            raise ValueError(f"The last axis of the frames must be known, but their shape is {frames_shape}.")
        channels += (1 if self.brightness else channels) * len(self.offsets)
        shape = (None, *sizes, channels)
        if self.encoder is not None:
            shape = self.encoder.compute_output_shape(shape)
        return (batch, time, *shape[1:])

    def call(self, frames: Tensor, training: bool = False) -> Tensor:
        """Return the vectors or maps of all frames; see the class."""
        margins = [[0, 0], [self.lookbehind, self.lookahead], *([[0, 0]] * (frames.shape.rank - 2))]
        return self.encode_inner(tf.pad(frames, margins), training)

    def encode_inner(self, frames: Tensor, training: bool = False) -> Tensor:
        """Return the vectors or maps of all frames but those at the margins, which are only compared with.

        Args:
            frames: float or int tensor [batch, lookbehind + time + lookahead, ..., channels].
            training: bool. Whether the encoder runs in training mode. Defaults to `False`.

        Returns:
            Float tensor [batch, time, width], or [batch, time, rows, columns, width].
        """
        frames = tf.cast(frames, self.compute_dtype)
        batch, time = ops.shape(frames)[:2]
        time -= self.lookbehind + self.lookahead

        def shift(values: Tensor, offset: int) -> Tensor:
            return values[:, self.lookbehind + offset : self.lookbehind + offset + time]

        compared = tf.reduce_mean(frames, -1, keepdims=True) if self.brightness else frames
        differences = [shift(compared, 0) - shift(compared, offset) for offset in self.offsets]
        inputs = tf.concat([shift(frames, 0), *differences], -1)
        if self.encoder is None:
            return inputs
        vectors = apply_encoder(self.encoder, tf.reshape(inputs, [batch * time, *inputs.shape[2:]]), training)
        return tf.reshape(vectors, [batch, time, *vectors.shape[1:]])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        encoder = keras.saving.serialize_keras_object(self.encoder)
        config = {"encoder": encoder, "offsets": self.offsets, "brightness": self.brightness}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FrameVectors":
        """Create the layer from the result of `get_config`."""
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**deserialize_functions(config), "encoder": encoder})


def build_frame_encoder(size: Sequence[int], num_differences: int, width: int) -> keras.Model:
    """Build a small convolutional network as the encoder of `FrameVectors(brightness=True)`.

    Three convolutions with stride 2 and a dense layer. The network splits each difference in brightness into
    what has become lighter and what darker: Shang et al. (2016), "Understanding and improving convolutional
    neural networks via concatenated rectified linear units". The sum over a region is then the amount of
    change in it.

    Args:
        size: sequence of int. Height and width of the frames in pixels.
        num_differences: int. Number of offsets of `FrameVectors`.
        width: int. Width of the vectors.

    Returns:
        A model from frames [batch, height, width, 3 + num_differences] to vectors [batch, width].

    Example:
        >>> import zoo
        >>> encoder = zoo.formulations.build_frame_encoder((27, 48), num_differences=2, width=16)
        >>> encoder.input_shape, encoder.output_shape
        ((None, 27, 48, 5), (None, 16))
    """
    options = {"activation": "relu", "kernel_initializer": "he_normal"}
    frames = keras.Input((*size, 3 + num_differences), name="frames")
    x = keras.layers.Rescaling(1 / 64, name="rescaling")(frames)
    if num_differences:
        x, changes = ops.split(x, [3], axis=-1)
        x = ops.concatenate([x, ops.relu(changes), ops.relu(-changes)], axis=-1)
    for number, filters in enumerate((32, 48, 64), 1):
        x = keras.layers.Conv2D(filters, 3, 2, "same", **options, name=f"conv{number}")(x)
    x = keras.layers.Dense(width, **options, name="vector")(keras.layers.Flatten()(x))
    return keras.Model(frames, x)


def build_feature_encoder(sequences: Sequence[np.ndarray], num_differences: int, width: int) -> keras.Model:
    """Build a dense layer as the encoder of `FrameVectors`, for features instead of frames.

    Features are scaled to mean 0 and variance 1 over the training sequences, differences by the same factors. A
    feature that is constant in them, apart from rounding in float32, is only shifted to 0: small changes of it in
    other data remain small. The log states how many features are constant.

    Args:
        sequences: sequence of float [time, features]. Training sequences, for mean and variance.
        num_differences: int. Number of offsets of `FrameVectors`.
        width: int. Width of the vectors.

    Returns:
        A model from features [batch, features * (1 + num_differences)] to vectors [batch, width].

    Example:
        >>> import numpy as np, zoo
        >>> encoder = zoo.formulations.build_feature_encoder([np.ones((5, 3))], num_differences=1, width=16)
        >>> encoder.input_shape, encoder.output_shape
        ((None, 6), (None, 16))
    """
    mean, variance = _measure_features(sequences)
    # As `sklearn.preprocessing.StandardScaler` does. Rounding moves a value by up to this share of it.
    is_constant = np.sqrt(variance) <= np.finfo("float32").eps * np.abs(mean)
    if num_constant := np.count_nonzero(is_constant):
        logger.info(
            "%d of %d features %s constant in the training data and not scaled.",
            *(num_constant, len(mean), "is" if num_constant == 1 else "are"),
        )
    mean = np.concatenate([mean, np.zeros(num_differences * len(mean))])
    variance = np.tile(np.where(is_constant, 1.0, variance), 1 + num_differences)
    features = keras.Input((len(mean),), name="features")
    x = keras.layers.Normalization(mean=mean, variance=variance, name="normalization")(features)
    return keras.Model(features, keras.layers.Dense(width, "relu", name="vector")(x))


def _measure_features(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of each feature, computed in float64: float32 cannot add up a million values."""
    num_steps = sum(map(len, sequences))
    mean = sum(sequence.sum(0, dtype=np.float64) for sequence in sequences) / num_steps
    return mean, sum(np.square(sequence - mean).sum(0) for sequence in sequences) / num_steps
