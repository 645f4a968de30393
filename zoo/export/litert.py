"""Functions for LiteRT, the runtime of phones and small computers."""

import re
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from zoo.errors import ExportError
from zoo.layers import disable_jit, export_scope


def convert_to_litert(
    function: Callable[..., Any], weights: Sequence[tf.Variable], quantize: bool = False
) -> bytes:
    """Convert a function for LiteRT, with its built-in operations alone.

    A loop over time converts if the number of rows is known, and so does one step with explicit state, such as
    `zoo.ManyToMany.step`. The function is traced in `zoo.layers.export_scope`.

    Args:
        function: a `tf.function` with an input signature of known shapes, without strings, that returns
            tensors by name.
        weights: the variables that it uses.
        quantize: whether to store the weights in 8 bits ("dynamic range quantization"), a quarter of the size.

    Returns:
        The content of a .tflite file, whose one signature is `serving_default`.

    Raises:
        ExportError: some operation does not convert.

    Example:
        >>> import tensorflow as tf, zoo
        >>> weight = tf.Variable([[1.0], [2.0]])
        >>> spec = tf.TensorSpec([1, 2], tf.float32, "x")
        >>> double = tf.function(lambda x: {"y": x @ weight}, input_signature=[spec])
        >>> content = zoo.export.convert_to_litert(double, [weight])
        >>> content[4:8]
        b'TFL3'
    """
    module = tf.Module()
    module.weights = list(weights)
    with tempfile.TemporaryDirectory() as directory:
        with disable_jit(), export_scope():
            tf.saved_model.save(module, directory, signatures=function)
        converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            content: bytes = converter.convert()
        except Exception as error:  # the converter's error class is private
            missing = sorted(set(re.findall(r"'tf\.(\w+)' op is neither", str(error))))
            reason = f"LiteRT has no operation {', '.join(missing)}" if missing else str(error).strip()
            raise ExportError(f"The function does not convert for LiteRT: {reason}.") from error
    return content
