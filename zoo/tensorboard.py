"""Scalars for TensorBoard, written with TensorFlow alone: the package TensorBoard need not be installed."""

import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import tensorflow as tf


class ScalarWriter:
    """Writes scalars to a new event file in a directory that TensorBoard reads.

    Args:
        directory: the TensorBoard log directory. It is created if needed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     writer = ScalarWriter(Path(directory))
    ...     writer.write(step=1, scalars={"loss": 0.7, "accuracy": 0.5})
    ...     writer.close()
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"events.out.tfevents.{int(time.time()):010}.{uuid4().hex[:12]}"
        self._file = tf.io.TFRecordWriter(str(path))
        header = tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2")
        self._file.write(header.SerializeToString())

    def write(self, step: int, scalars: Mapping[str, float], wall_time: float | None = None) -> None:
        """Write one event.

        Args:
            step: the training step.
            scalars: values by tag.
            wall_time: seconds since the epoch, as of `time.time`; None is now.
        """
        values = [
            tf.compat.v1.Summary.Value(tag=tag, simple_value=float(value)) for tag, value in scalars.items()
        ]
        event = tf.compat.v1.Event(
            wall_time=time.time() if wall_time is None else wall_time,
            step=step,
            summary=tf.compat.v1.Summary(value=values),
        )
        self._file.write(event.SerializeToString())

    def flush(self) -> None:
        """Write everything to the file."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
