"""Optimizers that Keras does not have in this form."""

from typing import Any

import keras
import tensorflow as tf

from zoo._compat import get_adam_moments


@keras.saving.register_keras_serializable("zoo")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` with the update of each weight as one operation.

        m = m + (1 - β₁) (g - m)
        v = v + (1 - β₂) (g² - v)
        w = w - learning rate √(1 - β₂^t) / (1 - β₁^t) m / (√v + ε)

    From Kingma and Ba (2015), "Adam: a method for stochastic optimization". Keras computes it by about ten
    operations, each of which reads and writes arrays of the size of the weight. Here it is TensorFlow's kernel
    `ResourceApplyAdam`, which reads and writes each array once; on a CPU it takes half of the time. Results
    differ by rounding, and where a sparse gradient repeats a row: here v takes the square of the sum, in Keras the
    sum of the squares. Variables are those of Keras's Adam, so that checkpoints of one restore into the
    other. With `amsgrad`, or on several replicas, the update is Keras's own.

    Args:
        *args: as of `keras.optimizers.Adam`.
        gradient_accumulation_steps: int or None. Number of calls of `apply` whose mean gradient updates the
            weights, as of `keras.optimizers.Adam`, but at least 1. Defaults to `None`, which is 1.
        **kwargs: as of `keras.optimizers.Adam`.

    Example:
        >>> import keras, zoo
        >>> weight = keras.Variable([1.0, 2.0])
        >>> optimizer = zoo.optimizers.FusedAdam(0.1)
        >>> optimizer.apply([keras.ops.array([3.0, -3.0])], [weight])
        >>> [round(float(w), 4) for w in weight.numpy()]
        [0.9, 2.1]
    """

    def __init__(self, *args: Any, gradient_accumulation_steps: int | None = None, **kwargs: Any) -> None:
        steps = None if gradient_accumulation_steps == 1 else gradient_accumulation_steps
        super().__init__(*args, gradient_accumulation_steps=steps, **kwargs)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one weight, m and v."""
        if self.amsgrad or tf.distribute.get_strategy().num_replicas_in_sync > 1:
            super().update_step(gradient, variable, learning_rate)
            return
        m, v = get_adam_moments(self, variable)
        dtype = variable.dtype
        beta_1, beta_2 = (tf.constant(beta, dtype) for beta in (self.beta_1, self.beta_2))
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
        )
