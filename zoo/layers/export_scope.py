"""The context in which the loops over time of an export are traced."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum


class ExportScope(Enum):
    """How loops over time are traced in inference.

    Attributes:
        NONE: in chunks of time steps, which bound the memory of gradients.
        PORTABLE: as one loop of operations that XLA, LiteRT and ONNX have, too.
        TENSORFLOW: by any operation of TensorFlow; one loop for few rows, chunks for many.
    """

    NONE = 0
    PORTABLE = 1
    TENSORFLOW = 2


_scope: ContextVar[ExportScope] = ContextVar("export_scope", default=ExportScope.NONE)


@contextmanager
def export_scope(tensorflow_only: bool = False) -> Iterator[None]:
    """Return a context in which loops over time are traced for an export, without XLA and for inference.

    There every cell takes plain steps in one loop over time, without the chunks that serve gradients and long
    sequences. It is for the functions of a SavedModel; enter it inside a function, so that it is active when the
    function is traced.

    Args:
        tensorflow_only: bool. Whether TensorFlow itself will run the graph. A small LSTM is then one operation,
            `BlockLSTMV2`, that XLA, LiteRT and ONNX do not have, and many rows are still computed in chunks.
            Defaults to `False`.

    Example:
        >>> import tensorflow as tf, zoo
        >>> layer = zoo.GRU(4)
        >>> layer.build((None, None, 3))
        >>> @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.float32)])
        ... def serve(x):
        ...     with zoo.layers.export_scope():
        ...         return {"h": layer(x)}
        >>> serve(tf.ones([2, 7, 3]))["h"].shape
        TensorShape([2, 4])
    """
    token = _scope.set(ExportScope.TENSORFLOW if tensorflow_only else ExportScope.PORTABLE)
    try:
        yield
    finally:
        _scope.reset(token)


def get_export_scope() -> ExportScope:
    """Return the scope of the innermost `export_scope`."""
    return _scope.get()
