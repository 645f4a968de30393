"""How far training has come, on one line."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO


class Progress:
    """Prints where an epoch stands: rewritten in place on a terminal, else a new line now and then.

        epoch 2/6  320/352  left 2:41  loss 0.3120  norm 0.8412  6.1 steps/s  390 examples/s  input 0%

    Args:
        label: what begins the line.
        total: batches of the epoch, negative if not known.
        after: batches of the whole run that follow this epoch, for the time left.
        done: batches of this epoch that were done in an earlier process.
        stream: where to; None is standard output.
    """

    def __init__(
        self, label: str, total: int, after: int = 0, done: int = 0, stream: TextIO | None = None
    ) -> None:
        self.label, self.total, self.after = label, total, after
        self.done = self.first = done
        self.examples = 0
        self.waited = 0.0
        self.started = time.monotonic()
        self.stream = stream or sys.stdout
        self.terminal = self.stream.isatty()
        self.printed = self.started if self.terminal else self.started - 20  # the first line comes early

    def step(self, examples: int, waited: float, figures: Callable[[], dict[str, float]]) -> None:
        """Count one batch.

        Args:
            examples: rows in it.
            waited: seconds for which the step had to wait for it.
            figures: gives what else to print, by name.
        """
        self.done += 1
        self.examples += examples
        self.waited += waited
        now = time.monotonic()
        if now - self.printed >= (0.2 if self.terminal else 30):
            self.printed = now
            timing, left = self.timing(), ""
            if self.total > 0:
                remaining = self.total - self.done + self.after
                left = f"left {_clock(remaining * timing['seconds'] / (self.done - self.first))}"
            self._print(self._line(figures(), timing, left), "\r")

    def end(self, figures: dict[str, float], timing: dict[str, float]) -> None:
        """Print the line of the whole epoch, with its figures and its `timing`."""
        self._print(self._line(figures, timing, f"took {_clock(timing['seconds'])}"), "\n")

    def clear(self) -> None:
        """Leave a clean line on a terminal, where nothing is to be said of what is done."""
        if self.terminal:
            print("\r\x1b[K", end="", flush=True, file=self.stream)

    def timing(self) -> dict[str, float]:
        """Seconds so far, the share of them spent waiting for input, steps and examples per second."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        return {
            "seconds": seconds,
            "input_share": self.waited / seconds,
            "steps_per_second": (self.done - self.first) / seconds,
            "examples_per_second": self.examples / seconds,
        }

    def _line(self, figures: dict[str, float], timing: dict[str, float], time: str) -> str:
        of = f"/{self.total}" if self.total > 0 else ""
        shown = [f"{name} {value:.4f}" for name, value in figures.items()]
        speed = f"{timing['steps_per_second']:.1f} steps/s  {timing['examples_per_second']:.0f} examples/s"
        return "  ".join(
            [self.label, f"{self.done}{of}", time, *shown, speed, f"input {timing['input_share']:.0%}"]
        )

    def _print(self, line: str, end: str) -> None:
        if not self.terminal:
            print(line, flush=True, file=self.stream)
            return
        if end == "\r":  # a line that wraps would not be overwritten
            line = line[: shutil.get_terminal_size().columns - 1]
        print(f"\r{line}\x1b[K", end=end, flush=True, file=self.stream)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
