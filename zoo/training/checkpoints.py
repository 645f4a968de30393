"""Checkpoints that are written atomically and verified when they are read."""

import contextlib
import itertools
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.files import CorruptFileError, read_json, sha256, sync_to_disk, write_json

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
    ...     digest = manager.save({"model": [variable]}, {"step": 3})
    ...     _ = variable.assign(2.0)
    ...     manager.restore({"model": [variable]}), float(variable)
    ({'step': 3}, 1.0)
    """

    def __init__(self, directory: Path, max_to_keep: int = 2) -> None:
        self.directory, self.max_to_keep = directory, max_to_keep

    def save(self, state: State, position: Mapping[str, Any]) -> str:
        """Write a checkpoint, and remove the oldest.

        Args:
            state: the variables to save.
            position: anything else to save, as JSON values.

        Returns:
            The digest of the checkpoint, by which `restore` finds it.

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
            files = sorted(new.iterdir())
            for file in files:
                sync_to_disk(file)
            content = {
                "position": position,
                "shapes": _describe(state),
                "files": {file.name: sha256(file) for file in files},
            }
            digest = write_json(new / _MANIFEST, content)
            new.rename(self.directory / f"{int(earlier[0].name) + 1 if earlier else 1:06}")
            sync_to_disk(self.directory)
        except (OSError, tf.errors.OpError) as error:
            shutil.rmtree(new, ignore_errors=True)
            last = f"The last good checkpoint is {earlier[0]}." if earlier else "There is no earlier one."
            raise TrainingError(
                f"The checkpoint could not be written to {self.directory}: {describe_os_error(error)} {last} "
                "Fix the cause, and run the same command again."
            ) from error
        for path in earlier[self.max_to_keep - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
        return digest

    def restore(
        self,
        state: State,
        digest: str | None = None,
        check_position: Callable[[dict[str, Any]], None] = lambda position: None,
    ) -> dict[str, Any] | None:
        """Assign the values of the newest valid checkpoint to variables.

        Args:
            state: variables like those given to `save`.
            digest: of the checkpoint to restore. None is the newest valid one.
            check_position: raises `CorruptFileError` for the position of a checkpoint that cannot be used, because
                of what else it needs.

        Returns:
            The `position` saved with them; None if there is no checkpoint.

        Raises:
            TrainingError: there are checkpoints, but none is valid, or not the one with the digest; or they belong
                to another model.
        """
        problems = []
        for path in self._checkpoints():
            try:
                content = _read_manifest(path)
                if digest not in (None, content["digest"]):
                    continue
                _check_files(path, content["files"])
                _check_shapes(content["shapes"], _describe(state), path)
                check_position(content["position"])
                tf.train.Checkpoint(**state).read(str(path / "state")).assert_consumed()
            except CorruptFileError as error:
                logger.warning("Skipping the checkpoint %s: %s", path, error)
                problems.append(str(error))
            else:
                position: dict[str, Any] = content["position"]
                return position
        if problems or digest:
            raise self._make_error(problems)
        return None

    def check(self, digest: str) -> None:
        """Check that a checkpoint is there and valid, without restoring it.

        Args:
            digest: its digest.

        Raises:
            CorruptFileError: it is missing or corrupt.
        """
        problems = []
        for path in self._checkpoints():
            try:
                content = _read_manifest(path)
                if content["digest"] == digest:
                    _check_files(path, content["files"])
                    return
            except CorruptFileError as error:
                problems.append(str(error))
        missing = f"{self.directory} lacks the weights of the best epoch."
        raise CorruptFileError(" ".join(problems) or missing)

    def discard_after(self, digest: str | None) -> None:
        """Remove the checkpoints that were written after the one with a digest; None removes all."""
        for path in self._checkpoints():
            with contextlib.suppress(CorruptFileError):
                if _read_manifest(path)["digest"] == digest:
                    return
            shutil.rmtree(path, ignore_errors=True)

    def read_position(self) -> dict[str, Any] | None:
        """Return the `position` of the newest checkpoint whose manifest is valid; None if there is none."""
        for path in self._checkpoints():
            with contextlib.suppress(CorruptFileError):
                position: dict[str, Any] = _read_manifest(path)["position"]
                return position
        return None

    def _make_error(self, problems: Sequence[str]) -> TrainingError:
        """Return the error that no checkpoint can be used, for these reasons."""
        reasons = " ".join(dict.fromkeys(problems)) or "The files that the run needs are missing."
        return TrainingError(
            f"No checkpoint in {self.directory} can be used. {reasons} Copy {self.directory.parent} again from where "
            "it was written, or remove it to start again from scratch."
        )

    def _checkpoints(self) -> list[Path]:
        """Return the directories of all checkpoints, the newest first."""
        if not self.directory.is_dir():
            return []
        return sorted((path for path in self.directory.iterdir() if path.name.isdigit()), reverse=True)


def describe_os_error(error: OSError | tf.errors.OpError) -> str:
    """Return the cause of a failed file operation as a sentence, such as "No space left on device."."""
    text = str(error.strerror) if isinstance(error, OSError) else error.message.rsplit(";")[-1]
    return text.split(" [Op:")[0].strip().rstrip(".") + "."


def _read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of the checkpoint in a directory."""
    content = read_json(path / _MANIFEST)
    if not all(isinstance(content.get(name), dict) for name in ("position", "shapes", "files")):
        raise CorruptFileError(f"{path / _MANIFEST} is corrupt: it is no manifest of a checkpoint.")
    return content


def _check_files(path: Path, files: Mapping[str, str]) -> None:
    """Compare the files of a checkpoint with their hashes."""
    for name, expected in files.items():
        try:
            if sha256(path / name) != expected:
                raise CorruptFileError(
                    f"{path / name} is corrupt: its content has changed since it was written."
                )
        except FileNotFoundError as error:
            raise CorruptFileError(f"{path / name} is missing.") from error
        except OSError as error:
            raise CorruptFileError(f"{path / name} cannot be read: {error.strerror}.") from error


def _check_shapes(saved: Mapping[str, list[str]], current: Mapping[str, list[str]], path: Path) -> None:
    for name, variables in current.items():
        for before, now in itertools.zip_longest(saved.get(name, []), variables, fillvalue="no variable"):
            if before != now:
                raise TrainingError(
                    f"{path} belongs to another model: {name!r} has {before} where the current model has {now}. "
                    "Use the model of that run, or another run directory."
                )


def _describe(state: State) -> dict[str, list[str]]:
    """Return dtype and shape of each variable."""
    return {name: [f"{v.dtype.name} {v.shape}" for v in values] for name, values in state.items()}
