"""The command line that all recipes share: train by default, or predict."""

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import tensorflow as tf
import tyro
from matplotlib.figure import Figure
from tyro.constructors import PrimitiveConstructorSpec

from zoo.datasets import DataError
from zoo.export import ExportError
from zoo.images import WeightsError
from zoo.training import Interrupted, TrainingError, distributed
from zoo.video import VideoError


def _number(kind: type, expected: str, holds: Callable[[Any], bool]) -> PrimitiveConstructorSpec:
    """How a number that has bounds is read from the command line."""

    def read(arguments: list[str]) -> Any:
        try:
            value = kind(arguments[0])
        except ValueError:
            value = None
        if value is None or not holds(value):
            raise ValueError(f"expected {expected}, got {arguments[0]!r}")
        return value

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=kind.__name__.upper(),
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


Count = Annotated[int, _number(int, "a whole number of at least 1", lambda n: n >= 1)]
Number = Annotated[int, _number(int, "a whole number of at least 0", lambda n: n >= 0)]
Seed = Annotated[int, _number(int, "a whole number of at least 0, below 2**32", lambda n: 0 <= n < 2**32)]
Penalty = Annotated[float, _number(float, "a number of at least 0", lambda x: 0 <= x < float("inf"))]
Share = Annotated[float, _number(float, "a number of at least 0 and below 1", lambda x: 0 <= x < 1)]
Rate = Annotated[float, _number(float, "a number above 0", lambda x: 0 < x < float("inf"))]


class UsageError(ValueError):
    """What the user asked for cannot be done; the message says why, and what to do."""


def main(train: Callable[[Any], None], settings: type, predict: Callable[[Any], None], query: type) -> None:
    """Run `train` with settings from the command line, or after the word `predict` run that.

    A mistake of the user's ends with one message and exit code 2, Ctrl-C with 130, SIGTERM with 143.
    """
    arguments = sys.argv[1:]
    program = Path(sys.argv[0]).name
    try:
        if arguments[:1] == ["predict"]:
            predict(tyro.cli(query, args=arguments[1:], prog=f"{program} predict"))
        else:
            chosen = tyro.cli(settings, args=arguments, prog=program)
            with distributed():
                train(chosen)
    except (DataError, ExportError, TrainingError, UsageError, VideoError, WeightsError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        sys.exit(128 + stopped.signal)
    except KeyboardInterrupt:
        print("\ninterrupted; an earlier export is as it was", file=sys.stderr)
        sys.exit(130)


def recorded(settings: Any, *others: str) -> dict[str, str]:
    """The settings that make a run what it is: not where things lie or what is said of them, nor `others`."""
    elsewhere = ("data_dir", "folder", "export", "credit", "licence", "examples", *others)
    return {name: str(value) for name, value in asdict(settings).items() if name not in elsewhere}


def minutes(start: float, folders: Iterable[Path]) -> float:
    """Minutes since `start`, of `time.time`, and of the epochs of earlier processes in the runs' folders."""
    logs = [log.read_text("utf-8") for log in (folder / "log.jsonl" for folder in folders) if log.exists()]
    lines = [json.loads(line) for log in logs for line in log.splitlines()]
    timings = [line["timing"] for line in lines if line["kind"] == "epoch"]
    return (time.time() - start + sum(t["seconds"] for t in timings if t["at"] < start)) / 60


def origin(settings: Any, data: Any) -> dict[str, Any]:
    """What every card tells of how a model came to be; of data with source, notes, citation and licence."""
    return {
        "data": " ".join([f"{data.source}.", *data.notes, settings.credit or data.citation]).strip(),
        "licence": settings.licence or data.licence or "not stated",
        "command": "python " + shlex.join(sys.argv),
        "settings": recorded(settings),
    }


def loaded(model: Path, answer: str) -> Any:
    """An exported model that gives such an `answer`; to be kept in a name as long as it is used."""
    if not (model / "saved_model.pb").exists():
        raise UsageError(f"{model} holds no SavedModel. Train one, or name one by --model.")
    try:
        found = tf.saved_model.load(str(model))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UsageError(f"{model} cannot be read: {error} Export it anew.") from error
    answers = found.signatures["serving_default"].structured_outputs
    if answer not in answers:
        raise UsageError(
            f"{model} gives {', '.join(sorted(answers))}; expected {answer} among them. By --model "
            "name a model that this recipe exported."
        )
    return found


def picture(path: Path | None) -> None:
    """Make sure that a picture can be written there, before the work for it is done."""
    endings = sorted(Figure().canvas.get_supported_filetypes())
    if path and not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}. Make it, or name another.")
    if path and path.suffix.removeprefix(".") not in endings:
        raise UsageError(
            f"{path}: expected the name of a picture, which ends in one of {', '.join(endings)}."
        )


def lines(arguments: Iterable[str], file: Path | None) -> Iterator[bytes]:
    """The user's inputs: the arguments, else the lines of the file, else those of standard input."""
    arguments = [argument.encode(errors="surrogateescape") for argument in arguments]
    if arguments and file:
        raise UsageError("Give either texts or --file, not both.")
    if arguments:
        yield from arguments
    elif file:
        try:
            with file.open("rb") as opened:
                yield from (line.rstrip(b"\r\n") for line in opened)
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    else:
        if sys.stdin.isatty():
            print("One text a line; Ctrl-D ends.", file=sys.stderr)
        yield from (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
