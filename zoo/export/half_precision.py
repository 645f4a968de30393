"""Exports whose files hold matrices in float16, half the size; their graphs compute in float32."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


class HalfPrecisionWeights:
    """The weights of models as an export stores them: matrices in float16, everything else as it is.

    Vectors, such as biases, scales and variances, take little space, and some of them need the range of float32.
    So do matrices with larger values than float16 has.

    Args:
        models: built Keras models.
    """

    def __init__(self, models: Sequence[keras.Model]) -> None:
        self._stored = {
            id(weight): (weight, tf.Variable(tf.cast(weight.value, tf.float16)))
            for model in models
            for weight in model.weights
            if weight.dtype == "float32" and len(weight.shape) > 1 and _is_in_range(weight)
        }

    def list_variables(self, model: keras.Model) -> list[tf.Variable]:
        """Return the variables of an export, in the order of `model.weights`."""
        return [self._stored.get(id(weight), (weight, weight.value))[1] for weight in model.weights]

    def trace(self, function: Any) -> Callable[..., Any]:
        """Return a `tf.function` that reads the stored weights: once in each call, and not in its loops.

        Args:
            function: a `tf.function` with an input signature that uses the models.
        """

        def read_and_call(*inputs: tf.Tensor) -> Any:
            values = [(weight, tf.cast(variable, tf.float32)) for weight, variable in self._stored.values()]
            with keras.StatelessScope(values):
                return function.python_function(*inputs)

        return tf.function(read_and_call, function.input_signature, autograph=False)


def _is_in_range(weight: keras.Variable) -> bool:
    return bool(tf.reduce_all(tf.abs(weight.value) <= tf.float16.max))
