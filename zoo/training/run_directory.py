"""The folder of a run: what it was made with, its log, its checkpoints and its curves.

run.json            settings, versions, commit, command
log.jsonl           a line for each step and each epoch; what differs from run to run is under "timing"
checkpoints/        the last ones, whole
best/               the weights of the best epoch
curves.png          the log as a picture
tensorboard/        the log for TensorBoard
"""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.provenance import command, commit, versions
from zoo.tensorboard import ScalarWriter
from zoo.training.checkpoints import Checkpoints, State, reason
from zoo.training.curves import plot_training_curves


class RunDirectory:
    """The folder of a run, held by one process at a time.

    Args:
        path: where it is.
        settings: what the run depends on, as JSON holds it.
        write: whether this process writes it; of several workers one does.

    Raises:
        TrainingError: on entering: another process holds it, it is of a run with other settings, or it
            cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], write: bool = True) -> None:
        self.path, self.settings, self.write = path, settings, write
        self.checkpoints = Checkpoints(path / "checkpoints")
        self.best = Checkpoints(path / "best", keep=1)
        self.held = contextlib.ExitStack()

    def __enter__(self) -> "RunDirectory":
        if self.write:
            with _writing(self.path), self.held as held:
                self.path.mkdir(parents=True, exist_ok=True)
                held.enter_context(self._locked())
                self._describe(json.loads(json.dumps(self.settings, default=str)))
                self.held = held.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.held.close()

    def open_log(self, size: int) -> None:
        """Open the log, and take back what was written after its first `size` bytes."""
        if self.write:
            with _writing(self.path):
                self._log = self.held.enter_context(Log(self.path, size))

    def log(self, kind: str, figures: Mapping[str, Any], timing: Mapping[str, float]) -> None:
        """Add a line to the log: of a kind, "step" or "epoch", with numbers by name, "step" among them."""
        if self.write:
            with _writing(self.path):
                self._log.add({"kind": kind, **figures, "timing": {"at": round(time.time(), 3), **timing}})

    def save(self, state: State, position: Mapping[str, Any]) -> None:
        """Write a checkpoint; with the position it keeps the size that the log has now."""
        if self.write:
            with _writing(self.path):
                size = self._log.to_disk()
            self.checkpoints.save(state, {**position, "log": size})

    def save_best(self, state: State) -> None:
        """Write the weights of the best epoch."""
        if self.write:
            self.best.save(state, {})

    def plot_training_curves(self) -> None:
        """Draw the curves, once there is an epoch in the log."""
        if self.write:
            with _writing(self.path):
                self._log.to_disk()
                plot_training_curves(self._log.file, self.path / "curves.png")

    def _locked(self) -> TextIO:
        held = (self.path / "lock").open("a")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held.close()
            raise TrainingError(
                f"Another process is training in {self.path}. Wait for it, or give another folder."
            ) from error
        return held

    def _describe(self, settings: Mapping[str, Any]) -> None:
        file = self.path / "run.json"
        now = {
            "settings": settings,
            "versions": versions(),
            "commit": commit(),
            "command": command(),
        }
        if file.exists():
            before = json.loads(file.read_text())
            changed = _differences(before["settings"], settings)
            if changed:
                raise TrainingError(
                    f"{self.path} holds a run with other settings:\n{changed}\n"
                    "Give the settings it was started with, or another folder, or remove it to start anew."
                )
            made = {name: before[name] for name in ("versions", "commit")}
            changed = _differences(made, {name: now[name] for name in made})
            if changed:
                print(f"This run was started with other code, and may end with other numbers:\n{changed}")
        else:
            new = file.with_suffix(".new")
            new.write_text(json.dumps(now, indent=2) + "\n")
            new.replace(file)


class Log:
    """The lines of a run's log, on disk and for TensorBoard; a context that closes them."""

    def __init__(self, folder: Path, size: int) -> None:
        self.file = folder / "log.jsonl"
        self.file.touch()
        if self.file.stat().st_size < size:
            raise TrainingError(f"{self.file} is cut short. To start anew, remove {folder}.")
        os.truncate(self.file, size)
        self.opened = self.file.open("a")
        events = folder / "tensorboard"
        shutil.rmtree(events, ignore_errors=True)
        self.events = ScalarWriter(events)
        with self.file.open() as lines:
            for line in lines:
                self._to_tensorboard(json.loads(line))

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *error: object) -> None:
        # What the last checkpoint knows of is on the disk, and what came after it would be taken back.
        with contextlib.suppress(OSError, tf.errors.OpError):
            self.opened.close()
        with contextlib.suppress(OSError, tf.errors.OpError):
            self.events.close()

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line."""
        self.opened.write(json.dumps(line) + "\n")
        self._to_tensorboard(line)

    def to_disk(self) -> int:
        """Make sure that all lines are on the disk, and say how many bytes they are."""
        self.opened.flush()
        os.fsync(self.opened.fileno())
        self.events.flush()
        return self.file.stat().st_size

    def _to_tensorboard(self, line: Mapping[str, Any]) -> None:
        timing = {name: value for name, value in line["timing"].items() if name != "at"}
        values = {**line, **timing}
        prefix = "epoch_" if line["kind"] == "epoch" else ""
        scalars = {
            prefix + name: value
            for name, value in values.items()
            if isinstance(value, (int, float)) and name != "step"
        }
        self.events.write(line["step"], scalars, line["timing"]["at"])


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Within this context what the system says of files becomes a `TrainingError`."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise TrainingError(
            f"The run folder {folder} could not be written: {reason(error)} Mend that, and give the same "
            "command again: the checkpoints are as they were."
        ) from error


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """A line for each setting that differs."""
    was, is_now = _flat(before), _flat(now)
    return "\n".join(
        f"  {name}: was {was.get(name, 'not there')!r}, is now {is_now.get(name, 'not there')!r}"
        for name in {**was, **is_now}
        if was.get(name, KeyError) != is_now.get(name, KeyError)
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
