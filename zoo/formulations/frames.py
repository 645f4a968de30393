"""What a recurrent encoder reads of a sequence of frames: a vector for each."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.formulations.encoder import deserialized
from zoo.preprocessing.images import apply_encoder


def located(maps: Tensor) -> Tensor:
    """Maps [..., rows, columns, width] with where each place of them lies, y and x from -1 to 1: width + 2.

    Liu et al. (2018, "An intriguing failing of convolutional neural networks and the CoordConv solution").
    """
    shape = tf.shape(maps)
    axes = [tf.linspace(-1.0, 1.0, size) for size in tf.unstack(shape[-3:-1])]
    places = tf.cast(tf.stack(tf.meshgrid(*axes, indexing="ij"), -1), maps.dtype)
    return tf.concat([maps, tf.broadcast_to(places, tf.concat([shape[:-1], [2]], 0))], -1)


class FrameVectors(Serializable, keras.layers.Layer):
    """A vector for each frame of a sequence, from it and how it differs from some frames around it.

        v_t = encoder([x_t; y_t - y_{t+k}; y_t - y_{t+k'}; ...])        k, k', ... the offsets

    y is x, or of pictures their brightness. x is zero before the first frame and after the last. Two frames
    at once show what moves, and a later one what became of it; in a stream a vector is then late by as many
    frames as it looks ahead.

    Args:
        encoder: from frames [batch, ...], put together along the last axis, as channels, to vectors [batch,
            width], or maps [batch, rows, columns, width]; such as a convolutional network. None: the frames
            are maps, as an encoder that is not trained gave them.
        offsets: of the frames to compare with, below zero for those before, above zero for those after.
        brightness: whether y is the mean of x over its last axis, the channels: a third of the work.
        **kwargs: `name` and `dtype`.

    Call arguments:
        frames: [batch, time, ...].
        training: whether the encoder is being trained.

    Returns:
        Vectors [batch, time, width], or maps [batch, time, rows, columns, width].

    Attributes:
        behind: how many frames back it looks at most.
        ahead: how many frames ahead it looks at most.
    """

    def __init__(
        self,
        encoder: keras.Model | None,
        offsets: Sequence[int] = (),
        brightness: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder, self.offsets, self.brightness = encoder, tuple(offsets), brightness
        self.behind, self.ahead = -min((*offsets, 0)), max((*offsets, 0))

    def build(self, frames_shape: Sequence[int | None]) -> None:
        """The encoder has its weights; see that it takes these frames."""
        self.compute_output_shape(frames_shape)

    def compute_output_shape(self, frames_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Of the vectors."""
        batch, time, *others, channels = frames_shape
        seen = (None, *others, channels + (1 if self.brightness else channels) * len(self.offsets))
        return (batch, time, *(self.encoder.compute_output_shape(seen) if self.encoder else seen)[1:])

    def call(self, frames: Tensor, training: bool = False) -> Tensor:
        """Make the vectors; see the class."""
        around = [[0, 0], [self.behind, self.ahead], *([[0, 0]] * (frames.shape.rank - 2))]
        return self.inner(tf.pad(frames, around), training)

    def inner(self, frames: Tensor, training: bool = False) -> Tensor:
        """Vectors [batch, time, width] of frames [batch, behind + time + ahead, ...]."""
        frames = tf.cast(frames, self.compute_dtype)
        batch, time = ops.shape(frames)[:2]
        time -= self.behind + self.ahead

        compared = tf.reduce_mean(frames, -1, keepdims=True) if self.brightness else frames

        def at(offset: int, values: Tensor = compared) -> Tensor:
            return values[:, self.behind + offset : self.behind + offset + time]

        seen = tf.concat([at(0, frames), *(at(0) - at(offset) for offset in self.offsets)], -1)
        if self.encoder is None:
            return seen
        vectors = apply_encoder(self.encoder, tf.reshape(seen, [batch * time, *seen.shape[2:]]), training)
        return tf.reshape(vectors, [batch, time, *vectors.shape[1:]])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        encoder = keras.saving.serialize_keras_object(self.encoder)
        config = {"encoder": encoder, "offsets": self.offsets, "brightness": self.brightness}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FrameVectors":
        """The layer of a `get_config`."""
        return cls(**deserialized(config, "encoder"))
