"""Where numbers that are not finite come from."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import flatten_layers


def locate_nonfinite(model: keras.Model, batch: Any, loss: Any, gradients: Sequence[tf.Tensor]) -> str:
    """The first place where a step was not finite, as a sentence.

    Looked for in the order of computation: inputs, weights, outputs of the layers (without dropout), loss,
    gradients (of the last layer first).

    Args:
        model: with the weights before the step.
        batch: of the step.
        loss: of the step.
        gradients: of the step, of all trainable weights.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    for name, values in (("inputs", x), ("targets", y), ("weights", weights)):
        if not _finite(values):
            return f"the {name} of the batch are not finite"
    for weight in model.weights:
        if not _finite(weight.value):
            return f"the weight {weight.path} is not finite"
    with _watched(model) as bad:
        model(x, training=False)
    if bad:
        return f"the output of the layer {bad[0]} is not finite"
    start = "" if _finite(loss) else "the loss is not finite, and "
    for weight, gradient in reversed(list(zip(model.trainable_variables, gradients, strict=True))):
        if not _finite(gradient):
            return f"{start}the gradient of {weight.path} is not finite"
    return f"{start}the gradients are too large to be added up"


@contextlib.contextmanager
def _watched(model: keras.Model) -> Iterator[list[str]]:
    """The paths of layers whose outputs were not finite, the first first; inner layers before outer."""
    bad: list[str] = []
    layers = [layer for layer in flatten_layers(model) if "call" not in vars(layer)]

    def watching(layer: keras.layers.Layer) -> Any:
        call = layer.call

        def watched(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            if not _finite(outputs):
                bad.append(layer.path)
            return outputs

        return watched

    try:
        for layer in layers:
            object.__setattr__(layer, "call", watching(layer))
        yield bad
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def _finite(values: Any) -> bool:
    return all(
        np.all(np.isfinite(np.asarray(value, np.float32)))
        for value in map(tf.convert_to_tensor, (v for v in keras.tree.flatten(values) if v is not None))
        if value.dtype.is_floating
    )
