"""Checkpoints that are written atomically and verified when they are read."""

import contextlib
import hashlib
import itertools
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.files import sha256

logger = logging.getLogger(__name__)

State = Mapping[str, Sequence[tf.Variable]]
"""Lists of variables by name."""

_MANIFEST = "checkpoint.json"


class CheckpointManager:
    """The newest checkpoints of a run, in directories named by consecutive numbers.

    A checkpoint is written under a temporary name together with the SHA-256 of its files, and renamed when
    everything is on disk. A process killed while it writes therefore leaves the previous checkpoint. A
    corrupt checkpoint is detected when it is read.

    Args:
        directory: directory of the checkpoints.
        max_to_keep: number of checkpoints to keep.

    >>> import tempfile
    >>> variable = tf.Variable(1.0)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     manager = CheckpointManager(Path(directory))
    ...     manager.save({"model": [variable]}, {"step": 3})
    ...     _ = variable.assign(2.0)
    ...     manager.restore({"model": [variable]}), float(variable)
    ({'step': 3}, 1.0)
    """

    def __init__(self, directory: Path, max_to_keep: int = 2) -> None:
        self.directory, self.max_to_keep = directory, max_to_keep

    def save(self, state: State, position: Mapping[str, Any]) -> None:
        """Write a checkpoint, and remove the oldest.

        Args:
            state: the variables to save.
            position: anything else to save, as JSON values.

        Raises:
            TrainingError: the checkpoint cannot be written, for example because the disk is full. Earlier
                checkpoints are unchanged.
        """
        new = self.directory / "unfinished"
        earlier = self._checkpoints()
        try:
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            tf.train.Checkpoint(**state).write(str(new / "state"))
            files = {file.name: sha256(file) for file in sorted(new.iterdir())}
            content = {"position": position, "shapes": _describe(state), "files": files}
            (new / _MANIFEST).write_text(json.dumps({**content, "digest": _digest(content)}, indent=1))
            for path in (*new.iterdir(), new):
                _sync_to_disk(path)
            new.rename(self.directory / f"{int(earlier[0].name) + 1 if earlier else 1:06}")
            _sync_to_disk(self.directory)
        except (OSError, tf.errors.OpError) as error:
            shutil.rmtree(new, ignore_errors=True)
            last = f"The last good checkpoint is {earlier[0]}." if earlier else "There is no earlier one."
            raise TrainingError(
                f"The checkpoint could not be written to {self.directory}: {describe_os_error(error)} {last} "
                "Fix the cause, and run the same command again."
            ) from error
        for path in earlier[self.max_to_keep - 1 :]:
            shutil.rmtree(path, ignore_errors=True)

    def restore(self, state: State) -> dict[str, Any] | None:
        """Assign the values of the newest valid checkpoint to variables.

        Args:
            state: variables like those given to `save`.

        Returns:
            The `position` saved with them; None if there is no checkpoint.

        Raises:
            TrainingError: there are checkpoints, but none is valid.
        """
        checkpoints = self._checkpoints()
        for path in checkpoints:
            try:
                content = _read_manifest(path)
                _check_shapes(content["shapes"], _describe(state))
                tf.train.Checkpoint(**state).read(str(path / "state")).assert_consumed()
            except _InvalidCheckpointError as error:
                logger.warning("Skipping the checkpoint %s: %s", path, error)
            else:
                return content["position"]
        if checkpoints:
            raise TrainingError(
                f"No checkpoint in {self.directory} can be used. To start again from scratch, remove "
                f"{self.directory.parent}."
            )
        return None

    def read_position(self) -> dict[str, Any] | None:
        """Return the `position` of the newest checkpoint whose manifest is valid; None if there is none."""
        for path in self._checkpoints():
            with contextlib.suppress(_InvalidCheckpointError):
                position: dict[str, Any] = _read_manifest(path)["position"]
                return position
        return None

    def _checkpoints(self) -> list[Path]:
        """Return the directories of all checkpoints, the newest first."""
        if not self.directory.exists():
            return []
        return sorted((path for path in self.directory.iterdir() if path.name.isdigit()), reverse=True)


def describe_os_error(error: OSError | tf.errors.OpError) -> str:
    """Return the cause of a failed file operation as a sentence, such as "No space left on device."."""
    text = str(error.strerror) if isinstance(error, OSError) else error.message.rsplit(";")[-1]
    return text.split(" [Op:")[0].strip().rstrip(".") + "."


class _InvalidCheckpointError(Exception):
    """A checkpoint is corrupt or belongs to another model."""


def _read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a checkpoint, and compare all hashes."""
    try:
        content = json.loads((path / _MANIFEST).read_text())
        digest = content.pop("digest")
        if digest != _digest(content):
            raise _InvalidCheckpointError(f"{_MANIFEST} is corrupt.")
        for name, expected in content["files"].items():
            if sha256(path / name) != expected:
                raise _InvalidCheckpointError(f"{name} is corrupt.")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _InvalidCheckpointError(f"it cannot be read: {error}.") from error
    return content


def _check_shapes(saved: Mapping[str, list[str]], current: Mapping[str, list[str]]) -> None:
    for name, variables in current.items():
        for before, now in itertools.zip_longest(saved.get(name, []), variables, fillvalue="no variable"):
            if before != now:
                raise _InvalidCheckpointError(
                    f"it belongs to another model: {name!r} has {before} where the current model has {now}."
                )


def _describe(state: State) -> dict[str, list[str]]:
    """Return dtype and shape of each variable."""
    return {name: [f"{v.dtype.name} {v.shape}" for v in values] for name, values in state.items()}


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
