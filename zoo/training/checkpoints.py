"""Checkpoints that are whole or are not there, and that say what they are of."""

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.files import sha256

State = Mapping[str, Sequence[tf.Variable]]
MANIFEST = "checkpoint.json"


class Checkpoints:
    """The last checkpoints of a run, each a folder with a number for its name.

    One is written under another name, with the SHA-256 of its files, and renamed when all of it is on the
    disk: a process killed while it writes leaves the one before. A damaged one is noticed when it is read.

    Args:
        folder: where they lie.
        keep: how many are kept.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder, self.keep = folder, keep

    def _numbered(self) -> list[Path]:
        """From the newest to the oldest."""
        if not self.folder.exists():
            return []
        return sorted((path for path in self.folder.iterdir() if path.name.isdigit()), reverse=True)

    def save(self, state: State, progress: Mapping[str, Any]) -> None:
        """Write a checkpoint, and remove those that are too old.

        Args:
            state: lists of variables by name.
            progress: anything else, as JSON holds it.

        Raises:
            TrainingError: it cannot be written, as when the disk is full. Those before it are as they were.
        """
        new = self.folder / "unfinished"
        before = self._numbered()
        try:
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            tf.train.Checkpoint(**state).write(str(new / "state"))
            files = {file.name: sha256(file) for file in sorted(new.iterdir())}
            content = {"progress": progress, "shapes": _shapes(state), "files": files}
            (new / MANIFEST).write_text(json.dumps({**content, "digest": _digest_of(content)}, indent=1))
            for path in (*new.iterdir(), new):
                _to_disk(path)
            new.rename(self.folder / f"{int(before[0].name) + 1 if before else 1:06}")
            _to_disk(self.folder)
        except (OSError, tf.errors.OpError) as error:
            shutil.rmtree(new, ignore_errors=True)
            kept = f"The last good one is {before[0]}." if before else "There is none yet."
            raise TrainingError(
                f"A checkpoint could not be written to {self.folder}: {reason(error)} {kept} Make room, and "
                "give the same command again."
            ) from error
        for path in before[self.keep - 1 :]:
            shutil.rmtree(path, ignore_errors=True)

    def restore(self, state: State) -> dict[str, Any] | None:
        """Give `state` the values of the newest checkpoint that is whole and fits.

        Args:
            state: as it was given to `save`, with other values.

        Returns:
            The progress saved with it; None if there is no checkpoint.

        Raises:
            TrainingError: there are checkpoints, and none can be used.
        """
        numbered = self._numbered()
        for path in numbered:
            try:
                content = _read(path)
                _fits(content["shapes"], _shapes(state))
                tf.train.Checkpoint(**state).read(str(path / "state")).assert_consumed()
            except _Unusable as error:
                print(f"The checkpoint {path} is passed over: {error}")
            else:
                return content["progress"]
        if numbered:
            raise TrainingError(
                f"No checkpoint in {self.folder} can be used. To start anew, remove {self.folder.parent}."
            )
        return None


class _Unusable(Exception):
    """Why a checkpoint is passed over."""


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / MANIFEST).read_text())
        digest = content.pop("digest")
        if digest != _digest_of(content):
            raise _Unusable(f"{MANIFEST} is damaged.")
        for name, expected in content["files"].items():
            if sha256(path / name) != expected:
                raise _Unusable(f"{name} is damaged.")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _Unusable(f"it cannot be read: {error}.") from error
    return content


def _fits(saved: Mapping[str, list[str]], wanted: Mapping[str, list[str]]) -> None:
    for name, here in wanted.items():
        there = saved.get(name, [])
        for was, now in itertools.zip_longest(there, here, fillvalue="nothing"):
            if was != now:
                raise _Unusable(f"it is of another model: among its `{name}` is {was} where here is {now}.")


def _shapes(state: State) -> dict[str, list[str]]:
    """Of each list of variables, dtype and shape of each."""
    return {name: [f"{v.dtype.name} {v.shape}" for v in values] for name, values in state.items()}


def _digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def reason(error: OSError | tf.errors.OpError) -> str:
    """What the system says, as a sentence."""
    text = str(error.strerror) if isinstance(error, OSError) else error.message.rsplit(";")[-1]
    return text.split(" [Op:")[0].strip().rstrip(".") + "."
