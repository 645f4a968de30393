"""SIGINT and SIGTERM, handled between two steps."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

import tensorflow as tf


class SignalHandler:
    """A context that records SIGINT and SIGTERM instead of ending the process.

    A second signal raises `KeyboardInterrupt`. Outside the main thread, where Python delivers no signals, the
    context has no effect.

    Attributes:
        is_received: whether a signal has arrived.
        signal_number: number of the signal that arrived, else SIGTERM: another worker may have received one.
    """

    def __init__(self) -> None:
        self.signal_number: int = signal.SIGTERM
        self.is_received = False
        self._previous_handlers: dict[int, Any] = {}

    def as_tensor(self) -> tf.Tensor:
        """Return 1 if a signal has arrived, else 0, as a float32 scalar."""
        return tf.constant(float(self.is_received))

    def __enter__(self) -> "SignalHandler":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous_handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.is_received:
            raise KeyboardInterrupt
        self.signal_number, self.is_received = number, True
        # `logging` and `print` could wait for a lock that the interrupted code holds.
        os.write(2, b"\nStopping after this step. Interrupt again to stop without saving.\n")
