"""A progress line for training, evaluation and other loops over batches."""

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

_TERMINAL_SECONDS, _FILE_SECONDS = 0.2, 30.0
"""Seconds between two updates of the line on a terminal, and between two lines elsewhere."""

_FIRST_LINE_SECONDS = 10.0


class Progress:
    """Prints the progress of a loop: one line updated in place on a terminal, else a line every 30 seconds.

        epoch 2/6  320/352  left 2:41  loss 0.3120  gradient_norm 0.8412  6.1 batches/s  390 examples/s

    The remaining time is estimated without the first batch of each size, in which XLA compiles; it is shown from
    the second one on.

    Args:
        label: start of the line.
        num_batches: number of batches in this epoch; negative if unknown.
        batches_after: number of batches in later epochs, for the remaining time.
        batches_before: number of batches of this epoch that an earlier process has done.
        stream: output stream; None is standard output.

    >>> progress = Progress("reading", num_batches=2)
    >>> progress.update(num_examples=32)
    >>> progress.num_done
    1
    """

    def __init__(
        self,
        label: str,
        num_batches: int,
        batches_after: int = 0,
        batches_before: int = 0,
        stream: TextIO | None = None,
    ) -> None:
        self.label, self.num_batches, self.batches_after = label, num_batches, batches_after
        self.num_done = self.batches_before = batches_before
        self.num_examples = 0
        self.input_seconds = 0.0
        self.started_at = self.updated_at = time.monotonic()
        self.batch_sizes: set[int] = set()
        self.num_timed, self.timed_seconds = 0, 0.0  # batches after the first of their size
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self.interval = _TERMINAL_SECONDS if self.is_terminal else _FILE_SECONDS
        self.printed_at = self.started_at
        if not self.is_terminal:
            self.printed_at -= _FILE_SECONDS - _FIRST_LINE_SECONDS

    def update(
        self,
        num_examples: int,
        input_seconds: float = 0.0,
        metrics: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """Count a batch, and print the line if it is time.

        Args:
            num_examples: number of examples in the batch.
            input_seconds: time spent waiting for the batch.
            metrics: function that returns the metrics to print. It is called only when the line is printed.
        """
        self.num_done += 1
        self.num_examples += num_examples
        self.input_seconds += input_seconds
        now = time.monotonic()
        if num_examples in self.batch_sizes:
            self.num_timed += 1
            self.timed_seconds += now - self.updated_at
        self.batch_sizes.add(num_examples)
        self.updated_at = now
        if now - self.printed_at >= self.interval:
            self.printed_at = now
            left = ""
            if self.num_batches > 0 and self.num_timed:
                remaining = self.num_batches - self.num_done + self.batches_after
                left = f"left {_format_seconds(remaining * self.timed_seconds / self.num_timed)}"
            self._print(self._line(metrics(), self.timing(), left), "\r")

    def finish(self, metrics: Mapping[str, float], timing: Mapping[str, float]) -> None:
        """Print the line of the whole epoch, with its metrics and its `timing`."""
        self._print(self._line(metrics, timing, f"took {_format_seconds(timing['seconds'])}"), "\n")

    def clear(self) -> None:
        """Erase the line on a terminal."""
        if self.is_terminal:
            print("\r\x1b[K", end="", flush=True, file=self.stream)

    def timing(self) -> dict[str, float]:
        """Return seconds, the share of them spent waiting for input, and batches and examples per second."""
        seconds = max(time.monotonic() - self.started_at, 1e-9)
        return {
            "seconds": seconds,
            "input_share": self.input_seconds / seconds,
            "batches_per_second": (self.num_done - self.batches_before) / seconds,
            "examples_per_second": self.num_examples / seconds,
        }

    def _line(self, metrics: Mapping[str, float], timing: Mapping[str, float], time: str) -> str:
        total = f"/{self.num_batches}" if self.num_batches > 0 else ""
        return "  ".join(
            [
                self.label,
                f"{self.num_done}{total}",
                *([time] if time else []),
                *(f"{name} {value:.4f}" for name, value in metrics.items()),
                f"{timing['batches_per_second']:.1f} batches/s",
                f"{timing['examples_per_second']:.0f} examples/s",
                f"input {timing['input_share']:.0%}",
            ]
        )

    def _print(self, line: str, end: str) -> None:
        if not self.is_terminal:
            print(line, flush=True, file=self.stream)
            return
        if end == "\r":  # a line that wraps would not be overwritten
            line = line[: shutil.get_terminal_size().columns - 1]
        print(f"\r{line}\x1b[K", end=end, flush=True, file=self.stream)


def _format_seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
