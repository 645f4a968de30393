"""The directory of one training run.

run.json            settings, versions, commit and command
log.jsonl           one line per step and per epoch; what differs from process to process is under "timing"
checkpoints/        the newest checkpoints
best/               the weights of the best epoch
curves.png          the log as a plot
tensorboard/        the log for TensorBoard
lock                held by the process that trains
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.provenance import get_command, get_commit, get_versions
from zoo.tensorboard import ScalarWriter
from zoo.training.checkpoints import CheckpointManager, State, describe_os_error
from zoo.training.curves import plot_training_curves

logger = logging.getLogger(__name__)


class RunDirectory:
    """A context that holds the directory of a run, for one process at a time.

    Args:
        path: the directory. It is created if needed.
        settings: everything that the run depends on, as JSON values; other values are stored as strings.
        is_writer: whether this process writes the directory. Of several workers, one does.

    Attributes:
        checkpoints: the newest checkpoints.
        best: the weights of the best epoch.

    Raises:
        TrainingError: on entering, if another process holds the directory, it belongs to a run with other
            settings, or it cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], is_writer: bool = True) -> None:
        self.path, self.settings, self.is_writer = path, settings, is_writer
        self.checkpoints = CheckpointManager(path / "checkpoints")
        self.best = CheckpointManager(path / "best", max_to_keep=1)
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> "RunDirectory":
        if self.is_writer:
            with self._convert_os_errors(), self._resources as resources:
                self.path.mkdir(parents=True, exist_ok=True)
                resources.enter_context(self._lock())
                self._check_or_write_provenance(json.loads(json.dumps(self.settings, default=str)))
                self._resources = resources.pop_all()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def open_log(self, num_bytes: int) -> None:
        """Open the log, and remove everything after its first `num_bytes` bytes."""
        if self.is_writer:
            with self._convert_os_errors():
                self._log = self._resources.enter_context(_RunLog(self.path, num_bytes))

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

    def save_best(self, state: State) -> None:
        """Write the weights of the best epoch."""
        if self.is_writer:
            self.best.save(state, {})

    def plot(self) -> None:
        """Plot the log, which must have at least one epoch, to `curves.png`."""
        if self.is_writer:
            with self._convert_os_errors():
                self._log.sync_to_disk()
                plot_training_curves(self._log.path, self.path / "curves.png")

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

    def _check_or_write_provenance(self, settings: Mapping[str, Any]) -> None:
        """Compare `run.json` with this process, or write it if there is none."""
        path = self.path / "run.json"
        current = {
            "settings": settings,
            "versions": get_versions(),
            "commit": get_commit(),
            "command": get_command(),
        }
        if not path.exists():
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(current, indent=2) + "\n")
            temporary.replace(path)
            return
        saved = json.loads(path.read_text())
        if differences := _describe_differences(saved["settings"], settings):
            raise TrainingError(
                f"{self.path} contains a run with other settings:\n{differences}\n"
                "Use the settings of that run, or another run directory, or remove this one."
            )
        code = [{name: run[name] for name in ("versions", "commit")} for run in (saved, current)]
        if differences := _describe_differences(*code):
            logger.warning(
                "%s was started with other code, so its results may differ:\n%s", self.path, differences
            )

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


class _RunLog:
    """A context with the log of a run, as `log.jsonl` and for TensorBoard.

    Args:
        run_dir: directory of the run.
        num_bytes: size of `log.jsonl` at the last checkpoint. The rest is removed.
    """

    def __init__(self, run_dir: Path, num_bytes: int) -> None:
        self.path = run_dir / "log.jsonl"
        self.path.touch()
        if self.path.stat().st_size < num_bytes:
            raise TrainingError(
                f"{self.path} has fewer than the {num_bytes} bytes it had at the last checkpoint. To start "
                f"again from scratch, remove {run_dir}."
            )
        os.truncate(self.path, num_bytes)
        self._file = self.path.open("a")
        shutil.rmtree(run_dir / "tensorboard", ignore_errors=True)
        self._scalars = ScalarWriter(run_dir / "tensorboard")
        with self.path.open() as lines:
            for line in lines:
                self._write_scalars(json.loads(line))

    def __enter__(self) -> "_RunLog":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Lines up to the last checkpoint are on disk; later ones would be removed on resume.
        with contextlib.suppress(OSError, tf.errors.OpError):
            self._file.close()
        with contextlib.suppress(OSError, tf.errors.OpError):
            self._scalars.close()

    def append(self, line: dict[str, Any]) -> None:
        """Append a line."""
        self._file.write(json.dumps(line) + "\n")
        self._write_scalars(line)

    def sync_to_disk(self) -> int:
        """Write all lines to disk, and return the size of the log in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._scalars.flush()
        return self.path.stat().st_size

    def _write_scalars(self, line: dict[str, Any]) -> None:
        prefix = "epoch_" if line["kind"] == "epoch" else ""
        scalars = {
            prefix + name: value
            for name, value in (line | line["timing"]).items()
            if isinstance(value, (int, float)) and name not in ("step", "wall_time")
        }
        self._scalars.write(line["step"], scalars, line["timing"]["wall_time"])


def _describe_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return a line for each value that differs, nested ones included."""
    flat_before, flat_now = _flatten(before), _flatten(now)
    return "\n".join(
        f"  {name}: was {flat_before.get(name, 'not set')!r}, is now {flat_now.get(name, 'not set')!r}"
        for name in {**flat_before, **flat_now}
        if flat_before.get(name, KeyError) != flat_now.get(name, KeyError)
    )


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
