"""How far training has come, on one line."""

import sys
import time
from collections.abc import Callable


class Progress:
    """Prints where an epoch stands: rewritten in place on a terminal, else a new line now and then.

        epoch 2/6  320/352  loss 0.3120  norm 0.84  6.1 steps/s  390 examples/s  input 0 %  left 2:41

    Args:
        label: what begins the line.
        total: batches of the epoch; None if not known.
        after: batches of the whole run that follow this epoch, for the time left; None if not known.
        done: batches of this epoch that were done in an earlier process.
    """

    def __init__(self, label: str, total: int | None, after: int | None, done: int) -> None:
        self.label, self.total, self.after = label, total, after
        self.done = self.first = done
        self.examples = 0
        self.waited = 0.0
        self.started = time.monotonic()
        self.terminal = sys.stdout.isatty()
        self.printed = self.started if self.terminal else self.started - 20  # the first line comes early
        self.width = 0

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
            self._print(self._line(figures()), "\r")

    def end(self, figures: dict[str, float]) -> None:
        """Print the line of the whole epoch, with its figures."""
        self._print(self._line(figures, finished=True), "\n")

    def timing(self) -> dict[str, float]:
        """Seconds so far, the share of them spent waiting for input, steps and examples per second."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        return {
            "seconds": seconds,
            "input_share": self.waited / seconds,
            "steps_per_second": (self.done - self.first) / seconds,
            "examples_per_second": self.examples / seconds,
        }

    def _line(self, figures: dict[str, float], finished: bool = False) -> str:
        timing = self.timing()
        of = "" if self.total is None else f"/{self.total}"
        shown = [f"{name} {value:.4f}" for name, value in figures.items()]
        speed = f"{timing['steps_per_second']:.1f} steps/s  {timing['examples_per_second']:.0f} examples/s"
        parts = [self.label, f"{self.done}{of}", *shown, speed, f"input {timing['input_share']:.0%}"]
        if finished:
            parts.append(f"took {_clock(timing['seconds'])}")
        elif self.total is not None and self.after is not None and self.done > self.first:
            remaining = self.total - self.done + self.after
            parts.append(f"left {_clock(remaining * timing['seconds'] / (self.done - self.first))}")
        return "  ".join(parts)

    def _print(self, line: str, end: str) -> None:
        if self.terminal:
            print("\r" + line.ljust(self.width), end="\n" if end == "\n" else "", flush=True)
            self.width = 0 if end == "\n" else len(line)
        else:
            print(line, flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
