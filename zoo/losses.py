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
        y_pred: float tensor [..., classes]. Logits. With `smoothing=0`, those of classes that are ruled out may be
            -infinity; otherwise L would be infinite.
        sample_weight: float tensor [...] or None. Factor of each element, for example 0 for padding.

    Output shape:
        A scalar; with `reduction=None` [...].

    Raises:
        ValueError: `smoothing` is not in [0, 1), or `dtype` is a half precision: Keras casts class ids to it, and
            large ids would change. Logits in half precision are accepted.

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
        if tf.as_dtype(self.dtype).size < 4:
            raise ValueError(
                f"`dtype` must be float32 or float64, because class ids are cast to it, but it is {self.dtype}. Pass "
                '`dtype="float32"`; the logits may be in half precision.'
            )
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return L of each element, [...]."""
        return _compute_smoothed_crossentropy(tf.cast(y_true, tf.int32), y_pred, self.smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "smoothing": self.smoothing}


class PolicyGradientLoss(Serializable, keras.losses.Loss):
    """Loss of tokens that a model has sampled itself, some of them better than expected.

        L = -A log p_y,    p = softmax(logits)

    Its gradient is the policy gradient of Williams (1992), "Simple statistical gradient-following algorithms for
    connectionist reinforcement learning": a sequence with a positive advantage A becomes more probable, one with a
    negative advantage less. The value of L itself does not show progress. With an advantage of 1 it is the
    cross-entropy.

    Args:
        **kwargs: `reduction`, `name` and `dtype`, as of every Keras loss.

    Call arguments:
        y_true: float tensor [..., 2]. Class id and advantage of each element. Ids below 2^24 are exact in float32.
        y_pred: float tensor [..., classes]. Logits; those of classes that are ruled out may be -infinity.
        sample_weight: float tensor [...] or None. Factor of each element, for example 0 for padding.

    Output shape:
        A scalar; with `reduction=None` [...].

    Example:
        >>> import numpy as np, zoo
        >>> loss = zoo.losses.PolicyGradientLoss()
        >>> round(float(loss(np.array([[0.0, 0.5], [1.0, -1.5]]), np.zeros((2, 4), "float32"))), 4)  # -log(4) / 2
        -0.6931
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return L of each element, [...]."""
        ids, advantages = tf.cast(y_true[..., 0], tf.int32), tf.cast(y_true[..., 1], y_pred.dtype)
        return advantages * _compute_smoothed_crossentropy(ids, y_pred, 0.0)


def _compute_smoothed_crossentropy(ids: Tensor, logits: Tensor, smoothing: float) -> Tensor:
    """Return L [...] of class ids [...] and logits [..., classes], with the gradient in closed form.

        dL/dz_v = p_v - smoothing / classes - (1 - smoothing) [v = y]

    Automatic differentiation would write the gradients of p_y and of the mean as two more arrays of the size of
    the logits.
    """
    classes, shape = logits.shape[-1], tf.shape(logits)[:-1]
    tf.debugging.assert_equal(
        tf.shape(ids), shape, "Expected class ids of the shape of the logits without their last axis."
    )

    @tf.custom_gradient
    def compute(logits: Tensor) -> tuple[Tensor, Any]:
        rows, labels = tf.reshape(logits, [-1, classes]), tf.reshape(ids, [-1])
        indices = tf.stack([tf.range(tf.size(labels)), labels], axis=1)
        probabilities = tf.nn.softmax(rows)
        # The highest probability is at least 1 / classes, so its logarithm is finite.
        log_sum = tf.reduce_max(rows, -1) - tf.math.log(tf.reduce_max(probabilities, -1))
        losses = log_sum - (1 - smoothing) * tf.gather_nd(rows, indices)
        if smoothing:  # 0 times a logit of -infinity would be NaN
            mean = tf.linalg.matvec(rows, tf.fill([classes], tf.constant(1 / classes, rows.dtype)))
            losses -= smoothing * mean
        # XLA and GPUs do not refuse ids outside the classes.
        losses = tf.where((labels >= 0) & (labels < classes), losses, float("nan"))

        def compute_gradient(upstream: Tensor) -> Tensor:
            factors = tf.reshape(upstream, [-1])
            gradient = (probabilities - smoothing / classes) * factors[:, None]
            gradient = tf.tensor_scatter_nd_sub(gradient, indices, (1 - smoothing) * factors)
            return tf.reshape(gradient, tf.shape(logits))

        return tf.reshape(losses, shape), compute_gradient

    return compute(logits)
