"""Private or undocumented names of Keras, TensorFlow and TFDS, used nowhere else in the library.

Each function has a test in `tests/test_compat.py`, which fails first when such a name changes.
"""

from typing import Any

import keras


def flatten_layers(layer: keras.Layer) -> list[keras.Layer]:
    """Return the layer and all layers inside it, at any depth."""
    return list(layer._flatten_layers())


def direct_trainable_variables(layer: keras.Layer) -> list[keras.Variable]:
    """Return the trainable variables of the layer itself, without those of layers inside it."""
    return list(layer._trainable_variables)


def disable_gradient_all_reduce(optimizer: keras.optimizers.Optimizer) -> None:
    """Make the optimizer apply gradients as they are, for gradients already summed over the replicas.

    Under a distribution strategy Keras clips the gradients of each replica first and sums them afterwards, so
    `global_clipnorm` would not bound the norm of the gradient of the whole batch.
    """
    wrapped: Any = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    wrapped._all_reduce_sum_gradients = lambda pairs: pairs
