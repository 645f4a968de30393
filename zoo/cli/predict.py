"""`zoo predict`: inputs from arguments, a file or standard input; predictions printed, plotted and saved."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from zoo.card import InputKind
from zoo.cli.types import PositiveFloat, PositiveInt
from zoo.errors import UsageError, VideoError

if TYPE_CHECKING:  # the command line checks its options before it imports TensorFlow
    from zoo.tasks import Prediction, Predictor

PLOT_FORMATS = (
    *(
        "avif",
        "eps",
        "gif",
        "jpeg",
        "jpg",
        "pdf",
        "pgf",
        "png",
        "ps",
        "raw",
        "rgba",
        "svg",
        "svgz",
        "tif",
        "tiff",
    ),
    "webp",
)
"""Formats that Matplotlib writes, without the half second that its import takes."""


@dataclass(frozen=True)
class PredictOptions:
    """Inputs of a model, and what to make of its predictions."""

    inputs: tyro.conf.Positional[tuple[str, ...]] = ()
    """Texts, or paths of images or videos; without any, the lines of --file or of standard input."""
    file: Path | None = None  # one input a line
    json: bool = False  # print each prediction as a line of JSON
    top_k: PositiveInt = 1  # number of alternatives to print for each input; JSON has all of them
    plot: Path | None = None
    """File to plot the attention weights, the gates or a contact sheet of the last prediction to."""
    output_dir: Path = Path("runs/predictions")  # tables and contact sheets of videos, a directory each
    frame_rate: PositiveFloat = 25.0  # frames per second of videos that are directories of images

    def check(self, input_kind: InputKind) -> None:
        """Check what can be checked before a model is loaded.

        Args:
            input_kind: what the model's inputs are.

        Raises:
            UsageError: an option cannot be used, or none of the inputs is there.
        """
        if input_kind == "array":
            raise UsageError(
                "The model reads arrays of features, which the command line does not take. Call "
                "`zoo.load(...).predict` with them in Python."
            )
        if self.inputs and self.file:
            raise UsageError("Got both inputs and --file, expected one of them. Leave one out.")
        if self.file and not self.file.is_file():
            raise UsageError(f"--file: there is no file {self.file}. Name a file with one input a line.")
        if self.plot:
            check_plot_path(self.plot)
        reads_video_files = input_kind == "video" and any(Path(path).is_file() for path in self.inputs)
        if reads_video_files and find_spec("av") is None:
            raise UsageError(
                "Reading videos needs the package av, which is missing. Install the extra `video`, as README shows."
            )
        if input_kind != "text" and self.inputs and not any(Path(path).exists() for path in self.inputs):
            raise UsageError(f"There is no file {self.inputs[0]}. Expected paths of {input_kind}s.")
        existing = next(path for path in (self.output_dir, *self.output_dir.parents) if path.exists())
        if not existing.is_dir():
            raise UsageError(f"--output-dir: {existing} is not a directory. Name another one.")


def run_predict(predictor: "Predictor[Any, Any]", options: PredictOptions) -> None:
    """Print the prediction for each input; plot and save what the options ask for.

    Raises:
        UsageError: there is no input, or some inputs have no prediction; the others are printed before.
    """
    last: tuple[Any, Any] | None = None
    errors: list[ValueError] = []
    directories: set[str] = set()
    number = 0
    is_dialog = not options.inputs and not options.file and sys.stdin.isatty()
    batch_size = 1 if is_dialog else predictor.batch_size
    lines = iter(read_inputs(options))
    while batch := list(itertools.islice(lines, batch_size)):
        for line, (item, result) in zip(batch, _predict_each(predictor, batch, options), strict=True):
            name = line.decode(errors="replace")
            number += 1
            if isinstance(result, ValueError):
                where = "" if options.inputs else f"{options.file or 'standard input'}, line {number}: "
                errors.append(UsageError(f"{where}{result}"))
                continue
            if options.json:
                print(json.dumps({"input": name} | result.as_json(), ensure_ascii=False))
            else:
                print("\n".join(result.format_lines(name, options.top_k)), flush=True)
            if predictor.writes_files:
                directory = _choose_directory(options.output_dir, name, directories)
                predictor.save(item, result, directory)
                print(f"wrote tables and a contact sheet to {directory}", file=sys.stderr)
            last = item, result
    if last is None and not errors:
        raise UsageError(f"There is no input. Give one {predictor.input_kind} or several.")
    if last and options.plot:
        predictor.plot(*last, options.plot)
        print(f"plotted to {options.plot}", file=sys.stderr)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise UsageError("\n".join([f"{len(errors):,} inputs have no prediction.", *map(str, errors)]))


def _predict_each(
    predictor: "Predictor[Any, Any]", batch: Sequence[bytes], options: PredictOptions
) -> "list[tuple[Any, Prediction | ValueError]]":
    """Return each input with its prediction, or with the error that prevents one."""
    try:
        items = [predictor.parse(line, options.frame_rate) for line in batch]
        return list(zip(items, predictor.predict(items, progress=True), strict=True))
    except (UsageError, VideoError) as error:
        if len(batch) == 1:
            return [(None, error)]
        return [pair for line in batch for pair in _predict_each(predictor, [line], options)]


def _choose_directory(output_dir: Path, name: str, used: set[str]) -> Path:
    """Return a directory with the name of the input that no other input has."""
    stem = Path(name).resolve().name
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    free = next(name for name in names if name not in used)
    used.add(free)
    return output_dir / free


def check_plot_path(path: Path) -> None:
    """Check that a plot can be written to a path, before the work for it is done.

    Raises:
        UsageError: its directory does not exist, or its format is not known.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}. Make it, or name another one.")
    if path.suffix.removeprefix(".") not in PLOT_FORMATS:
        raise UsageError(
            f"{path}: expected the name of an image file that ends in one of {', '.join(PLOT_FORMATS)}."
        )


def read_inputs(options: PredictOptions) -> Iterable[bytes]:
    """Return the user's inputs: the arguments, else the lines of the file, else those of standard input.

    Raises:
        UsageError: the file cannot be read.
    """
    if options.inputs:
        return [argument.encode(errors="surrogateescape") for argument in options.inputs]
    return _read_lines(options.file)


def _read_lines(path: Path | None) -> Iterator[bytes]:
    if path is None:
        if sys.stdin.isatty():
            print("One input a line; Ctrl-D ends.", file=sys.stderr)
        yield from (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
        return
    try:
        with path.open("rb") as file:
            yield from (line.rstrip(b"\r\n") for line in file)
    except OSError as error:
        raise UsageError(f"--file: {path} cannot be read: {error.strerror}. Name another file.") from error
