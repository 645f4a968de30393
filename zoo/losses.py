"""Losses that Keras does not have in this form."""

from typing import Any

import keras
import tensorflow as tf

from zoo.cells import Serializable, Tensor


class LabelSmoothedCrossentropy(Serializable, keras.losses.Loss):
    """Cross-entropy with smoothed labels, of logits.

        L = -(1 - ε) log p_y - ε mean over v of log p_v

    Szegedy et al. (2016, "Rethinking the Inception architecture for computer vision").

    Args:
        smoothing: ε. The least that L can be is then not zero.
        **kwargs: `reduction`, `name` and `dtype`.

    Call arguments:
        y_true: class ids [...].
        y_pred: logits [..., classes].
    """

    def __init__(self, smoothing: float = 0.1, **kwargs: Any) -> None:
        if not 0 <= smoothing < 1:
            raise ValueError(f"`smoothing` must be at least 0 and below 1, but it is {smoothing!r}.")
        super().__init__(**kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """L [...] of each element."""
        y_true = tf.cast(y_true, tf.int32)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)
        true = tf.gather(y_pred, y_true, batch_dims=y_true.shape.rank)
        return loss + self.smoothing * (true - tf.reduce_mean(y_pred, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "smoothing": self.smoothing}
