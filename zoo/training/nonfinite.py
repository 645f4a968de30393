"""Where NaN and infinity come from in a training step."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import flatten_layers


def locate_nonfinite(model: keras.Model, batch: Any, loss: Any, gradients: Sequence[tf.Tensor]) -> str:
    """Name the first part of a training step that is not finite.

    Parts are checked in the order of computation: the batch, weights, outputs of layers (without dropout),
    the loss, and gradients from the last layer to the first.

    Args:
        model: the model, with the weights before the step.
        batch: the batch `(x, y)` or `(x, y, sample_weight)`.
        loss: the loss of the step.
        gradients: the gradients of the step, in the order of `model.trainable_variables`.

    Returns:
        A clause such as "the gradient of dense/kernel is not finite".
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    for name, values in (("inputs", x), ("targets", y), ("weights", weights)):
        if not _is_finite(values):
            return f"the {name} of the batch are not finite"
    for weight in model.weights:
        if not _is_finite(weight.value):
            return f"the weight {weight.path} is not finite"
    with _watch_outputs(model) as nonfinite_paths:
        model(x, training=False)
    if nonfinite_paths:
        return f"the output of the layer {nonfinite_paths[0]} is not finite"
    prefix = "" if _is_finite(loss) else "the loss is not finite, and "
    for weight, gradient in reversed(list(zip(model.trainable_variables, gradients, strict=True))):
        if not _is_finite(gradient):
            return f"{prefix}the gradient of {weight.path} is not finite"
    return f"{prefix}the norm of the gradients overflows"


@contextlib.contextmanager
def _watch_outputs(model: keras.Model) -> Iterator[list[str]]:
    """Collect, within this context, the paths of layers with outputs that are not finite.

    The paths are in the order of computation; a layer comes after those inside it.
    """
    nonfinite_paths: list[str] = []
    layers = [layer for layer in flatten_layers(model) if "call" not in vars(layer)]

    def watch(layer: keras.layers.Layer) -> Any:
        call = layer.call

        def call_and_check(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            if not _is_finite(outputs):
                nonfinite_paths.append(layer.path)
            return outputs

        return call_and_check

    try:
        for layer in layers:
            object.__setattr__(layer, "call", watch(layer))
        yield nonfinite_paths
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def _is_finite(values: Any) -> bool:
    return all(
        np.all(np.isfinite(np.asarray(value, np.float32)))
        for value in map(tf.convert_to_tensor, (v for v in keras.tree.flatten(values) if v is not None))
        if value.dtype.is_floating
    )
