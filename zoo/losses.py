"""Losses that Keras does not have in this form."""

from typing import Any

import keras
import tensorflow as tf

from zoo.cells import Serializable, Tensor


class LabelSmoothedCrossentropy(Serializable, keras.losses.Loss):
    """Cross-entropy between class ids and logits, with smoothed labels.

        p = softmax(logits)
        L = -(1 - ε) log p_y - ε mean over v of log p_v

    From Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision". The minimum of L
    is above zero for ε above zero. The loss equals `keras.losses.CategoricalCrossentropy(from_logits=True,
    label_smoothing=ε)` of one-hot labels, without the one-hot tensor.

    Args:
        smoothing: float in [0, 1). ε, the share of each label that is spread evenly over all classes.
            Defaults to `0.1`.
        **kwargs: `reduction`, `name` and `dtype`, as of every Keras loss.

    Call arguments:
        y_true: int tensor [...]. Class ids.
        y_pred: float tensor [..., classes]. Logits.
        sample_weight: float tensor [...] or None. Factor of each element, for example 0 for padding.

    Output shape:
        A scalar; with `reduction=None` [...].

    Raises:
        ValueError: `smoothing` is not in [0, 1).

    Example:
    >>> import numpy as np, zoo
    >>> loss = zoo.losses.LabelSmoothedCrossentropy(0.0)
    >>> round(float(loss(np.array([0, 1]), np.zeros((2, 4), "float32"))), 4)  # log 4
    1.3863
    """

    def __init__(self, smoothing: float = 0.1, **kwargs: Any) -> None:
        if not 0 <= smoothing < 1:
            raise ValueError(f"`smoothing` must be at least 0 and below 1, but it is {smoothing!r}.")
        super().__init__(**kwargs)
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return L of each element, [...]."""
        y_true = tf.cast(y_true, tf.int32)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)
        true_logits = tf.gather(y_pred, y_true, batch_dims=y_true.shape.rank)
        return loss + self.smoothing * (true_logits - tf.reduce_mean(y_pred, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "smoothing": self.smoothing}
