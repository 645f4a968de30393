"""The directory of one training run.

run.json            settings, data, epochs, versions, commit and command
log.jsonl           one line per step and per epoch; what differs from process to process is under "timing"
checkpoints/        the newest checkpoints
best/               the weights of the best epoch, and of those that were the best before
curves.png          the log as a plot
tensorboard/        the log for TensorBoard
lock                held by the process that trains

Each file is written whole, under another name first, and synchronized with the disk. `run.json`, the manifest of a
checkpoint and each line of the log contain a checksum, and a manifest those of the other files of its checkpoint.
All of them are checked when they are read. A checkpoint that is damaged is skipped; any other file that is
damaged or missing raises an error that names it. `curves.png` and `tensorboard/` are made anew from the log.
"""

import contextlib
import dataclasses
import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.training.checkpoints import CheckpointManager, State, describe_os_error
from zoo.training.curves import plot_training_curves
from zoo.training.run_log import RunLog
from zoo.training.run_record import Cycle, RunRecord, check_record, plan_cycles, read_record


class RunDirectory:
    """A context that holds the directory of a run, for one process at a time.

    Args:
        path: the directory. It is created if needed.
        settings: everything that the run depends on, as JSON values; other values are stored as strings.
        epochs: number of epochs of the whole run.
        data: fingerprint of the data, as JSON values.
        is_writer: whether this process writes the directory. Of several workers, one does.

    Attributes:
        checkpoints: the newest checkpoints.
        best: the weights of the best epoch.
        cycles: the epochs, in the order in which they were asked for.

    Raises:
        TrainingError: on entering, if another process holds the directory, it belongs to a run with other
            settings or data or with more epochs, is corrupt, or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        epochs: int,
        data: Mapping[str, Any] | None = None,
        is_writer: bool = True,
    ) -> None:
        self.path, self.epochs, self.is_writer = path, epochs, is_writer
        self.settings, self.data = (
            json.loads(json.dumps(values, default=str)) for values in (settings, data or {})
        )
        self.checkpoints = CheckpointManager(path / "checkpoints")
        # The two newest checkpoints may refer to two best epochs, and the next one is not saved yet.
        self.best = CheckpointManager(path / "best", max_to_keep=3)
        self.cycles: list[Cycle] = []
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> "RunDirectory":
        with self._convert_os_errors(), self._resources as resources:
            if self.is_writer:
                self.path.mkdir(parents=True, exist_ok=True)
                resources.enter_context(self._lock())
            self.cycles = plan_cycles(self.path, self.epochs)
            if self.is_writer:
                self._check_or_write_record()
            self._resources = resources.pop_all()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def restore(self, state: State) -> dict[str, Any] | None:
        """Assign the values of the newest valid checkpoint to variables.

        A checkpoint is not valid if the weights of its best epoch are missing or corrupt: the one before it had
        another best epoch, or trains this one again.

        Returns:
            Its position; None if the run is new.

        Raises:
            TrainingError: no checkpoint is valid.
        """
        position = self.checkpoints.restore(state, check_position=self._check_best)
        log = self.path / "log.jsonl"
        if position is None and (
            self.best.read_position() is not None or (log.exists() and log.stat().st_size)
        ):
            raise TrainingError(
                f"{self.checkpoints.directory} is missing or empty, but {self.path} has other files of a run. "
                f"Copy it again from where it was written, or remove {self.path} to start again from scratch."
            )
        return position

    def _check_best(self, position: Mapping[str, Any]) -> None:
        """Raise `CorruptFileError` if the weights of the best epoch of a checkpoint are missing or corrupt."""
        if digest := position.get("best_digest"):
            self.best.check(digest)

    def open_log(self, position: Mapping[str, Any]) -> None:
        """Open the log, and remove what was written after a checkpoint.

        Args:
            position: the position of the checkpoint, with `log_bytes` and `best_digest`.
        """
        if self.is_writer:
            with self._convert_os_errors():
                self.best.discard_after(position["best_digest"])
                self._log = self._resources.enter_context(RunLog(self.path, position["log_bytes"]))

    def log(self, kind: str, metrics: Mapping[str, Any], timing: Mapping[str, float]) -> None:
        """Append a line to the log.

        Args:
            kind: "step" or "epoch".
            metrics: numbers by name, "step" among them.
            timing: numbers that differ from process to process, by name.
        """
        if self.is_writer:
            timing = {"wall_time": round(time.time(), 3), **timing}
            with self._convert_os_errors():
                self._log.append({"kind": kind, **metrics, "timing": timing})

    def save(self, state: State, position: Mapping[str, Any]) -> None:
        """Write a checkpoint. Its position stores the current size of the log."""
        if self.is_writer:
            with self._convert_os_errors():
                num_bytes = self._log.sync_to_disk()
            self.checkpoints.save(state, {**position, "log_bytes": num_bytes})

    def save_best(self, state: State) -> str | None:
        """Write the weights of the best epoch, and return the digest by which `best.restore` finds them."""
        return self.best.save(state, {}) if self.is_writer else None

    def plot(self) -> None:
        """Plot the log, which must have at least one epoch, to `curves.png`."""
        if self.is_writer:
            with self._convert_os_errors():
                self._log.sync_to_disk()
                plot_training_curves(self.path, self.path / "curves.png")

    def _lock(self) -> TextIO:
        lock = (self.path / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise TrainingError(
                f"Another process is training in {self.path}. Wait for it, or use another run directory."
            ) from error
        return lock

    def _check_or_write_record(self) -> None:
        """Compare `run.json` with this process, and write it if the run is new or has more epochs."""
        current = RunRecord(self.settings, self.data, self.cycles)
        saved = read_record(self.path)
        if saved is not None:
            check_record(saved, current, self.path)
            if len(self.cycles) == len(saved.cycles):
                return
            current = dataclasses.replace(saved, settings=self.settings, cycles=self.cycles)
        current.write(self.path)

    @contextlib.contextmanager
    def _convert_os_errors(self) -> Iterator[None]:
        """Raise failed file operations as `TrainingError`."""
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            raise TrainingError(
                f"The run directory {self.path} could not be written: {describe_os_error(error)} Fix the "
                "cause, and run the same command again. All checkpoints are unchanged."
            ) from error
