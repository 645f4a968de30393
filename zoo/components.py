"""Parts of models by the names they have on the command line."""

from collections.abc import Sequence

import keras
from keras import layers, ops

import zoo

CELLS = {"lstm": zoo.LSTMCell, "gru": zoo.GRUCell, "simple_rnn": zoo.SimpleRNNCell}
ATTENTIONS = {
    "multiplicative": zoo.MultiplicativeAttention,
    "additive": lambda: zoo.AdditiveAttention(256),
    "none": lambda: None,
}


def frame_encoder(size: Sequence[int], differences: int, width: int) -> keras.Model:
    """A small convolutional network, from frames and differences in brightness, side by side, to vectors.

    Of differences it sees what has become lighter and what darker (Shang et al., 2016,
    "Understanding and improving convolutional neural networks via concatenated rectified linear units"): the
    sum over a region then is how much it has changed.
    """
    given = {"activation": "relu", "kernel_initializer": "he_normal"}
    frames = keras.Input((*size, 3 + differences), name="frames")
    x = layers.Rescaling(1 / 64, name="rescaling")(frames)
    if differences:
        x, changes = ops.split(x, [3], axis=-1)
        x = ops.concatenate([x, ops.relu(changes), ops.relu(-changes)], axis=-1)
    for number, count in enumerate((32, 48, 64), 1):
        x = layers.Conv2D(count, 3, 2, "same", **given, name=f"conv{number}")(x)
    return keras.Model(frames, layers.Dense(width, **given, name="vector")(layers.Flatten()(x)))
