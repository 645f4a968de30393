"""`zoo predict`: inputs from arguments, a file or standard input; predictions printed, plotted and saved."""

import codecs
import contextlib
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
from zoo.shots import EXPECTED_SHOT_LISTS, SHOT_LIST_SUFFIXES

if TYPE_CHECKING:  # the command line checks its options before it imports TensorFlow
    from zoo.cli.predict_table import InputRow, PredictionTable
    from zoo.datasets.readers.tables import Table
    from zoo.shots.lists import ShotList
    from zoo.tasks import Prediction, Predictor

TABLE_SUFFIXES = (".csv", ".tsv")
PARTS = "shots"
"""Directory of the files into which `--split` cuts a video."""
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
    """Texts, or paths of images or videos; without any, those of --file or of standard input."""
    file: Path | None = None  # one input a line; or a table (.csv, .tsv) with a header
    column: str | None = None  # column of the inputs in a table; default is text, image or video
    encoding: str | None = None  # of --file; default is UTF-8, or what a byte order mark states
    output: Path | None = None
    """Table (.csv, .tsv) to write of inputs, predictions and status; or of the shots of one video, also .edl, .otio
    or .ffmeta."""
    json: bool = False  # print each prediction as a line of JSON
    top_k: PositiveInt = 1  # number of alternatives for each input; JSON has all of them
    plot: Path | None = None
    """File to plot the attention weights, the gates or a contact sheet of the last prediction to."""
    output_dir: Path = Path("runs/predictions")  # tables and contact sheets of videos, a directory each
    split: bool = False  # cut each video at its shots, from the keyframe before, without encoding
    exact: bool = False  # with --split, cut at the frame and encode anew
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
        if (self.column or self.encoding) and not self.file:
            raise UsageError("Got --column or --encoding without --file. Name a table with --file.")
        if self.column and self.file and not is_table(self.file):
            raise UsageError(f"--column: {self.file} is no table. Expected .csv or .tsv. Leave out --column.")
        if self.output:
            self._check_output(self.output, input_kind)
        if self.exact and not self.split:
            raise UsageError("Got --exact without --split. Add --split, or leave out --exact.")
        if self.split:
            self._check_split(input_kind)
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

    def _check_output(self, output: Path, input_kind: InputKind) -> None:
        if self.json:
            raise UsageError("Got both --json and --output, expected one of them. Leave one out.")
        if input_kind != "video" and output.suffix not in TABLE_SUFFIXES:
            raise UsageError(f"--output: got {output}. Expected the name of a file .csv or .tsv. Correct it.")
        if output.suffix not in (*TABLE_SUFFIXES, *SHOT_LIST_SUFFIXES):
            raise UsageError(
                f"--output: got {output}. Expected the name of a table of captions, .csv or .tsv, or of a list of "
                f"shots, {', '.join(SHOT_LIST_SUFFIXES)}. Correct it."
            )
        if output.suffix == ".otio" and find_spec("opentimelineio") is None:
            raise UsageError(
                "Writing .otio needs the package opentimelineio, which is missing. Install the extra `otio`: "
                'pip install -c constraints.txt -e ".[otio]"'
            )
        if output.is_dir():
            raise UsageError(f"--output: {output} is a directory. Name a file in it.")
        if self.file and output.exists() and output.samefile(self.file):
            raise UsageError(
                f"--output: {output} is also the input, which stays as it is. Name another file."
            )

    def _check_split(self, input_kind: InputKind) -> None:
        if input_kind != "video":
            raise UsageError(
                f"--split: the model reads {input_kind}s, which have no shots. Leave out --split."
            )
        for path in map(Path, self.inputs):
            if path.is_dir():
                raise UsageError(
                    f"--split: {path} is a directory of images. Expected video files. Leave out --split."
                )
            parts = self.output_dir / path.resolve().name / PARTS
            if parts.exists():
                raise UsageError(f"--split: {parts} exists. Remove it, or name another --output-dir.")


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its name; it may be compressed."""
    return any(suffix in TABLE_SUFFIXES for suffix in path.suffixes[-2:])


def run_predict(predictor: "Predictor[Any, Any]", options: PredictOptions) -> None:
    """Print the prediction for each input, or write a table; plot and save what the options ask for.

    Raises:
        DataError: The file cannot be read.
        UsageError: There is no input, or some inputs have no prediction; the others have been printed or written.
    """
    from zoo.cli.predict_table import (
        STATUS,
        choose_format,
        iterate_rows,
        open_prediction_table,
        read_input_table,
    )

    _check_shots(predictor, options)
    table: Table | None = None
    if options.file and is_table(options.file):
        table = read_input_table(options.file, options.column, predictor.input_kind, options.encoding)
        rows = iterate_rows(table, options.column, predictor.input_kind)
    else:
        rows = read_inputs(options)
    last: tuple[Any, Any] | None = None
    errors: list[ValueError] = []
    uncut: list[ValueError] = []
    directories: set[str] = set()
    with contextlib.ExitStack() as stack:
        written: PredictionTable | None = None
        if options.output and not predictor.finds_shots:
            header = table.header if table else [predictor.input_kind]
            table_format = choose_format(options.output, table)
            num_rows = len(table.rows) if table else len(options.inputs) or -1
            written = stack.enter_context(
                open_prediction_table(
                    options.output, header, table_format, options.top_k, num_rows, predictor.batch_size
                )
            )
        for row, item, result in _predict_all(predictor, rows, options):
            if written:
                written.add(row.cells, result)
            if isinstance(result, ValueError):
                errors.append(UsageError(f"{row.location}{result}"))
                continue
            last = item, result
            if not written:
                try:
                    _print_prediction(predictor, row, item, result, options, directories)
                except VideoError as error:
                    uncut.append(error)
        if last is None and not errors:
            raise UsageError(f"There is no input. Give one {predictor.input_kind} or several.")
    if last and options.output and predictor.finds_shots:
        _write_shots(predictor.list_shots(*last), options.output)
    if last and options.plot:
        predictor.plot(*last, options.plot)
        print(f"plotted to {options.plot}", file=sys.stderr)
    if written and errors:
        raise UsageError(
            f"{len(errors):,} of {len(written.rows):,} rows have no prediction; the column {STATUS} of "
            f"{options.output} says why. The first one: {errors[0]}"
        )
    if len(errors + uncut) == 1:
        raise (errors + uncut)[0]
    if errors or uncut:
        summary = [f"{len(errors):,} inputs have no prediction."] if errors else []
        raise UsageError("\n".join([*summary, *map(str, errors + uncut)]))


def _check_shots(predictor: "Predictor[Any, Any]", options: PredictOptions) -> None:
    """Check the options that depend on whether a model finds shots.

    Raises:
        UsageError: an option does not fit the model.
    """
    if not predictor.finds_shots:
        if options.split:
            raise UsageError(
                f"--split: {predictor.directory} finds no shots. Use a model that does, such as tagging."
            )
        if options.output and options.output.suffix not in TABLE_SUFFIXES:
            raise UsageError(
                f"--output: got {options.output}, a list of shots, but {predictor.directory} finds none. Use a model "
                "that does, such as tagging."
            )
        if options.output and predictor.writes_files:
            raise UsageError(
                "The predictions of this model are tables themselves, which --output-dir keeps. Leave out --output."
            )
    elif options.output and options.output.suffix not in SHOT_LIST_SUFFIXES:
        raise UsageError(f"--output: got {options.output}. {EXPECTED_SHOT_LISTS}. Correct the name.")
    elif options.output and len(options.inputs) != 1:
        raise UsageError(
            f"--output: {options.output} holds the shots of one video, got {len(options.inputs) or '--file'}. Give one "
            "video, or leave out --output: the tables of each video are in --output-dir."
        )


def _write_shots(shots: "ShotList", path: Path) -> None:
    """Write a list of shots."""
    from zoo.cli.predict_table import report_unwritable
    from zoo.datasets.messages import count_noun
    from zoo.shots.lists import write_shot_list

    replaced = ", in place of the earlier file" if path.exists() else ""
    with report_unwritable(path):
        write_shot_list(shots, path)
    print(f"wrote {count_noun(len(shots.shots), 'shot')} to {path}{replaced}", file=sys.stderr)


def _predict_all(
    predictor: "Predictor[Any, Any]", rows: "Iterable[InputRow]", options: PredictOptions
) -> "Iterator[tuple[InputRow, Any, Prediction | ValueError]]":
    """Yield each input with what the model read, and with its prediction or the error that prevents one."""
    is_dialog = not options.inputs and not options.file and sys.stdin.isatty()
    batch_size = 1 if is_dialog else predictor.batch_size
    rows = iter(rows)
    while batch := list(itertools.islice(rows, batch_size)):
        results = _predict_each(predictor, [row.value for row in batch], options)
        for row, (item, result) in zip(batch, results, strict=True):
            yield row, item, result


def _print_prediction(
    predictor: "Predictor[Any, Any]",
    row: "InputRow",
    item: Any,
    result: "Prediction",
    options: PredictOptions,
    directories: set[str],
) -> None:
    """Print a prediction, and write its files into a directory that is not one of `directories`."""
    name = row.value.decode(errors="replace")
    if options.json:
        print(json.dumps({"input": name} | result.as_json(), ensure_ascii=False))
    else:
        print("\n".join(result.format_lines(name, options.top_k)), flush=True)
    if predictor.writes_files:
        directory = _choose_directory(options.output_dir, name, directories)
        predictor.save(item, result, directory)
        print(f"wrote tables and a contact sheet to {directory}", file=sys.stderr)
        if options.split:
            from zoo.datasets.messages import count_noun
            from zoo.shots.splitting import split_video

            shots = predictor.list_shots(item, result)
            parts = split_video(shots, directory / PARTS, is_exact=options.exact)
            exactness = "" if options.exact else "; each begins at a keyframe, with --exact at its shot"
            print(
                f"cut the video into {count_noun(len(parts), 'file')} in {directory / PARTS}{exactness}",
                file=sys.stderr,
            )


def _predict_each(
    predictor: "Predictor[Any, Any]", batch: Sequence[bytes], options: PredictOptions
) -> "list[tuple[Any, Prediction | ValueError]]":
    """Return each input with its prediction, or with the error that prevents one."""
    try:
        if predictor.input_kind != "text" and not all(batch):
            raise UsageError(
                f"found an empty path. Expected that of the {predictor.input_kind}. Write it, or leave it out."
            )
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


def read_inputs(options: PredictOptions) -> "Iterator[InputRow]":
    """Yield the user's inputs: the arguments, else the lines of the file, else those of standard input.

    Raises:
        DataError: The file is not in the encoding that the options name.
        UsageError: The file cannot be read.
    """
    from zoo.cli.predict_table import InputRow

    if options.inputs:
        lines: Iterable[bytes] = (argument.encode(errors="surrogateescape") for argument in options.inputs)
    else:
        lines = _read_lines(options.file, options.encoding)
    for number, line in enumerate(lines, 1):
        location = "" if options.inputs else f"{options.file or 'standard input'}, line {number:,}: "
        yield InputRow(line, [line.decode(errors="replace")], location)


def _read_lines(path: Path | None, encoding: str | None) -> Iterator[bytes]:
    if path is None:
        if sys.stdin.isatty():
            print("One input a line; Ctrl-D ends.", file=sys.stderr)
        yield from (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(codecs.BOM_UTF8))
            if not encoding and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                file.seek(len(start) if start == codecs.BOM_UTF8 else 0)
                yield from (line.rstrip(b"\r\n") for line in file)
                return
    except OSError as error:
        raise UsageError(f"--file: {path} cannot be read: {error.strerror}. Name another file.") from error
    from zoo.datasets.readers.text_files import read_text

    text = read_text(path, encoding=encoding).text.removesuffix("\n")
    yield from (line.removesuffix("\r").encode() for line in text.split("\n"))
