"""The log of a run: a line for each step and each epoch, each with a checksum."""

import contextlib
import json
import os
import shutil
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any

import tensorflow as tf

from zoo.errors import TrainingError
from zoo.tensorboard import ScalarWriter

FILE = "log.jsonl"


def read_log(run_dir: str | Path) -> list[dict[str, Any]]:
    """Return the lines of the log of a run, without their checksums.

    A last line that is not complete, as a process that is killed leaves it, is left out.

    Args:
        run_dir: directory of the run, as `fit` has it; of a recipe that of one model, such as `runs/sentiment/lstm`.

    Returns:
        A dict for each line. Its `kind` is "step", with `step`, `loss`, `gradient_norm` and `learning_rate`; or it is
        "epoch", with `epoch` and the metrics by name.

    Raises:
        TrainingError: the log is missing or corrupt.

    Example:
        >>> import tempfile
        >>> import keras, tensorflow as tf, zoo
        >>> data = tf.data.Dataset.from_tensor_slices(([[1.0], [2.0]], [[1.0], [2.0]])).batch(2)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     history = zoo.fit(model, data, optimizer="sgd", loss="mse", epochs=1, run_dir=directory)
        ...     lines = zoo.training.read_log(directory)  # doctest: +ELLIPSIS
        epoch 1/1...
        >>> [line["kind"] for line in lines]
        ['step', 'epoch']
    """
    run_dir = Path(run_dir)
    path = run_dir / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _make_error(run_dir, f"{path} cannot be read: {error.strerror}.") from error
    return _parse(content, run_dir)


class RunLog:
    """A context that writes the log of a run, as `log.jsonl` and for TensorBoard.

    Args:
        run_dir: directory of the run.
        num_bytes: size of `log.jsonl` at the last checkpoint. The rest is removed.

    Raises:
        TrainingError: the log is missing, shorter than `num_bytes`, or corrupt.
    """

    def __init__(self, run_dir: Path, num_bytes: int) -> None:
        self.path = run_dir / FILE
        if num_bytes and not self.path.exists():
            raise _make_error(run_dir, f"{self.path} is missing.")
        self.path.touch()
        content = self.path.read_bytes()[:num_bytes]
        if len(content) < num_bytes:
            problem = f"{self.path} has {len(content):,} bytes, but had {num_bytes:,} at the last checkpoint."
            raise _make_error(run_dir, problem)
        if content and not content.endswith(b"\n"):
            raise _make_error(run_dir, f"The last line of {self.path} is corrupt.")
        lines = _parse(content, run_dir)
        os.truncate(self.path, num_bytes)
        self._file = self.path.open("a", encoding="utf-8")
        shutil.rmtree(run_dir / "tensorboard", ignore_errors=True)
        self._scalars = ScalarWriter(run_dir / "tensorboard")
        for line in lines:
            self._write_scalars(line)

    def __enter__(self) -> "RunLog":
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
        text = json.dumps(line)
        self._file.write(f'{text[:-1]}, "crc32": "{_compute_checksum(text)}"}}\n')
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


def _parse(content: bytes, run_dir: Path) -> list[dict[str, Any]]:
    """Return the complete lines of a log, without their checksums."""
    lines = []
    *texts, _ = content.split(b"\n")  # what follows the last newline is incomplete, or empty
    for number, text in enumerate(texts, 1):
        try:
            line: dict[str, Any] = json.loads(text)
            if line.pop("crc32") != _compute_checksum(json.dumps(line)):
                raise ValueError("another checksum")
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise _make_error(run_dir, f"{run_dir / FILE}, line {number:,}, is corrupt.") from error
        lines.append(line)
    return lines


def _compute_checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _make_error(run_dir: Path, problem: str) -> TrainingError:
    return TrainingError(
        f"{problem} Copy it again from where it was written, or remove {run_dir} to start again from scratch."
    )
