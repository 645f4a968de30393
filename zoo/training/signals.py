"""Ctrl-C and SIGTERM, taken between two steps."""

import os
import signal
import threading
from types import FrameType

import tensorflow as tf


class SignalHandler:
    """Within this context SIGINT and SIGTERM are remembered instead of ending the process.

    A second one is not waited for. Outside the main thread, where Python takes no signals, nothing changes.

    Attributes:
        signal: the number of the signal that came; SIGTERM if none has.
    """

    def __init__(self) -> None:
        self.signal, self.came = signal.SIGTERM, False

    def asked(self) -> tf.Tensor:
        """1 if a signal has come, else 0."""
        return tf.constant(float(self.came))

    def __enter__(self) -> "SignalHandler":
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            self.before = {
                number: signal.signal(number, self._came) for number in (signal.SIGINT, signal.SIGTERM)
            }
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _came(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.signal, self.came = number, True
        os.write(2, b"\nstopping after this step; once more to stop without saving\n")
