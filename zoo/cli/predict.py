"""`zoo predict`: inputs from arguments, a file or standard input; predictions printed, plotted and saved.

Each input has its own answer or its own error. An input that cannot be read is named on standard error with its file
and line, and with --json or --output also where its answer would be.
"""

import codecs
import contextlib
import io
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import tyro

from zoo.card import InputKind
from zoo.cli.types import PositiveFloat, PositiveInt, format_default
from zoo.errors import InputError, PathError, UsageError, VideoError, ZooError
from zoo.paths import (
    abbreviate_path,
    check_writable_directory,
    check_writable_file,
    find_path_kind,
    parse_path,
)
from zoo.shots import EXPECTED_SHOT_LISTS, SHOT_LIST_SUFFIXES
from zoo.user_files import MAX_LINE, TABLE

if TYPE_CHECKING:  # the command line checks its options before it imports TensorFlow
    from zoo.cli.predict_table import InputRow, PredictionTable
    from zoo.datasets.readers.tables import Table
    from zoo.shots.lists import ShotList
    from zoo.tasks import Prediction, Predictor

STATUS = "prediction_status"
"""Column of a table of predictions that is empty for a valid input, and otherwise says what was wrong with it."""

TABLE_SUFFIXES = (".csv", ".tsv")
PARTS = "shots"
"""Directory of the files into which `--split` cuts a video."""
PLOT_FORMATS = (
    "avif",
    "eps",
    "gif",
    "jpeg",
    "jpg",
    "pdf",
    "png",
    "ps",
    "raw",
    "rgba",
    "svg",
    "svgz",
    "tif",
    "tiff",
    "webp",
)
"""Formats that Matplotlib writes without LaTeX, known without the half second that its import takes."""


@dataclass(frozen=True)
class PredictOptions:
    """Inputs of a model, and what to make of its predictions. Paths have no `~`: see `zoo.paths.expand_paths`."""

    inputs: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="[INPUT ...]", help_behavior_hint=format_default),
    ] = ()
    """texts, or paths of images or videos; without any, those of --file or of standard input"""
    file: Path | None = None  # file of inputs: one a line; or a table (.csv, .tsv) with a header
    column: str | None = None  # column of the inputs in a table; None: text, image or video
    encoding: str | None = None  # encoding of --file; None: UTF-8, or what a byte order mark states
    output: Path | None = None
    """table (.csv, .tsv) to write of inputs, predictions and status; or of the shots of one video, also .edl, .otio
    or .ffmeta"""
    json: bool = False  # print each prediction as a line of JSON; not together with --output
    top_k: PositiveInt = 1  # number of alternatives for each input; JSON has all of them
    plot: Path | None = None
    """file to plot what the last prediction is based on to: attention weights, the effect of each word, or shots"""
    output_dir: Path = Path("runs/predictions")
    """directory of the tables and contact sheets of videos, with a directory for each"""
    split: bool = False  # cut each video at its shots, at the keyframe before, without encoding
    exact: bool = False  # cut at the frame itself with --split, and encode anew
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
        if self.file and find_path_kind(self.file, "--file") not in ("file", "pipe"):
            raise UsageError(
                f"--file: there is no file {abbreviate_path(self.file)}. Name a file with one input a line."
            )
        if (self.column or self.encoding) and not self.file:
            raise UsageError("Got --column or --encoding without --file. Name a table with --file.")
        if self.column and self.file and not is_table(self.file):
            raise UsageError(f"--column: {self.file} is no table. Expected .csv or .tsv. Leave out --column.")
        if self.encoding:
            check_encoding(self.encoding)
        if self.output:
            self._check_output(self.output, input_kind)
        if self.exact and not self.split:
            raise UsageError("Got --exact without --split. Add --split, or leave out --exact.")
        if self.split:
            self._check_split(input_kind)
        if self.plot:
            check_plot_path(self.plot)
        if input_kind == "video":
            check_writable_directory(self.output_dir, "--output-dir")
        if input_kind != "text":
            self._check_inputs(input_kind)

    def _check_inputs(self, input_kind: InputKind) -> None:
        """Check that at least one of the inputs is there, and that it can be decoded."""
        kinds = [find_input_kind(path) for path in self.inputs]
        if input_kind == "video" and "file" in kinds and find_spec("av") is None:
            raise UsageError(
                "Reading videos needs the package av, which is missing. Install the extra `video`, as README shows."
            )
        if self.inputs and not any(kinds):
            missing = [f"There is no file {abbreviate_path(path)}." for path in self.inputs]
            raise InputError("\n".join([*missing[:10], f"Expected paths of {input_kind}s."]))

    def _check_output(self, output: Path, input_kind: InputKind) -> None:
        if self.json:
            raise UsageError("Got both --json and --output, expected one of them. Leave one out.")
        suffix = output.suffix.lower()
        if input_kind != "video" and suffix not in TABLE_SUFFIXES:
            raise UsageError(f"--output: got {output}. Expected the name of a file .csv or .tsv. Correct it.")
        if suffix not in (*TABLE_SUFFIXES, *SHOT_LIST_SUFFIXES):
            raise UsageError(
                f"--output: got {output}. Expected the name of a table of captions, .csv or .tsv, or of a list of "
                f"shots, {', '.join(SHOT_LIST_SUFFIXES)}. Correct it."
            )
        if suffix == ".otio" and find_spec("opentimelineio") is None:
            raise UsageError(
                "Writing .otio needs the package opentimelineio, which is missing. Install the extra `otio`: "
                'pip install -c constraints.txt -e ".[otio]"'
            )
        check_writable_file(output, "--output")
        if self.file and output.exists() and output.samefile(self.file):
            raise UsageError(
                f"--output: {output} is also the input, which stays as it is. Name another file."
            )

    def _check_split(self, input_kind: InputKind) -> None:
        if input_kind != "video":
            raise UsageError(
                f"--split: the model reads {input_kind}s, which have no shots. Leave out --split."
            )
        for name in self.inputs:
            kind = find_input_kind(name)
            if kind is None:
                continue
            path = parse_path(name)
            if kind == "directory":
                raise UsageError(
                    f"--split: {path} is a directory of images. Expected video files. Leave out --split."
                )
            parts = self.output_dir / path.resolve().name / PARTS
            if parts.exists():
                raise UsageError(f"--split: {parts} exists. Remove it, or name another --output-dir.")


def find_input_kind(path: str | Path) -> str | None:
    """Return "file", "directory" or "pipe"; None if there is nothing that can be an input."""
    try:
        return find_path_kind(parse_path(path))
    except PathError:
        return None


def check_encoding(name: str) -> None:
    """Check that an encoding of texts is known.

    Raises:
        UsageError: it is not.
    """
    try:
        "a".encode(name)
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--encoding: there is no encoding {name!r:.80}. Expected a name such as utf-8, utf-16, cp1252 or gb18030. "
            "Correct it."
        ) from error


def is_table(path: Path) -> bool:
    """Return whether a file is a table, by its name; it may be compressed."""
    return re.search(TABLE, path.name) is not None


def run_predict(predictor: "Predictor[Any, Any]", options: PredictOptions) -> None:
    """Print the prediction for each input, or write a table; plot and save what the options ask for.

    Raises:
        DataError: the file cannot be read.
        InputError: some inputs have no answer, or were read in part; the others have been printed or written.
        UsageError: there is no input, or an option cannot be used.
    """
    from zoo.cli.predict_table import (
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
    report = ProblemReport()
    last: tuple[Any, Any] | None = None
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
            report.num_inputs += 1
            if written:
                written.add(row.cells, result)
            elif isinstance(result, ZooError):
                if options.json:
                    _print_json(row, {"status": str(result)})
            else:
                try:
                    _print_prediction(predictor, row, item, result, options, directories)
                except VideoError as error:  # it was not split
                    result = error
            if problem := find_problem(row, result, predictor.input_kind):
                report.add(f"{row.location}{problem}", is_printed=not written)
            if not isinstance(result, ZooError) and result.has_answer:
                last = item, result
        if not report.num_inputs:
            raise UsageError(f"There is no input. Give one {predictor.input_kind} or several.")
    if last and options.output and predictor.finds_shots:
        _write_shots(predictor.list_shots(*last), options.output)
    if last and options.plot:
        predictor.plot(*last, options.plot)
        print(f"plotted to {options.plot}", file=sys.stderr)
    report.finish(options.output)


@dataclass
class ProblemReport:
    """What is wrong with inputs, printed as soon as it is known; only numbers are kept.

    Attributes:
        num_inputs: number of inputs.
        num_problems: number of inputs without an answer, or that were read in part.
        first: the first problem.
    """

    num_inputs: int = 0
    num_problems: int = 0
    first: str = ""

    def add(self, problem: str, is_printed: bool) -> None:
        """Count a problem, and print it unless it stands in a table."""
        self.num_problems += 1
        self.first = self.first or problem
        if is_printed:
            sys.stdout.flush()
            print(f"error: {problem}", file=sys.stderr)

    def finish(self, output: Path | None = None) -> None:
        """Raise an `InputError` if there was a problem; exit if the problem of the only input has been printed.

        Args:
            output: what `--output` names; a table there has the problems.
        """
        if not self.num_problems:
            return
        summary = f"{self.num_problems:,} of {self.num_inputs:,} inputs have no answer or were read in part"
        if output and output.suffix.lower() in TABLE_SUFFIXES:
            raise InputError(
                f"{summary}; the column {STATUS} of {output} says why. The first one: {self.first}"
            )
        if self.num_inputs == 1:
            sys.exit(1)
        raise InputError(f"{summary}; see above.")


def find_problem(row: "InputRow", result: "Prediction | ZooError", input_kind: InputKind) -> str:
    """Return why an input has no answer, or was read in part; empty if it has one and was read as a whole."""
    if isinstance(result, ZooError):
        return str(result)
    if result.has_answer and not result.is_partial:
        return ""
    name = row.value.decode(errors="replace")
    is_named = input_kind == "text" or name in result.status
    return f"{'' if is_named else f'{name}: '}{result.status or 'no answer'}"


def _print_json(row: "InputRow", values: "Mapping[str, Any]") -> None:
    name = row.value.decode(errors="replace")
    print(json.dumps({"input": name} | dict(values), ensure_ascii=False), flush=True)


def _check_shots(predictor: "Predictor[Any, Any]", options: PredictOptions) -> None:
    """Check the options that depend on whether a model has plots and finds shots.

    Raises:
        UsageError: an option does not fit the model.
    """
    from zoo.tasks import Predictor

    if options.plot and type(predictor).plot is Predictor.plot:
        raise UsageError(f"--plot: {predictor.directory} has nothing to plot. Leave out --plot.")
    if not predictor.finds_shots:
        if options.split:
            raise UsageError(
                f"--split: {predictor.directory} finds no shots. Use a model that does, such as tagging."
            )
        if options.output and options.output.suffix.lower() not in TABLE_SUFFIXES:
            raise UsageError(
                f"--output: got {options.output}, a list of shots, but {predictor.directory} finds none. Use a model "
                "that does, such as tagging."
            )
        if options.output and predictor.writes_files:
            raise UsageError(
                "The predictions of this model are tables themselves, which --output-dir keeps. Leave out --output."
            )
    elif options.output and options.output.suffix.lower() not in SHOT_LIST_SUFFIXES:
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
) -> "Iterator[tuple[InputRow, Any, Prediction | ZooError]]":
    """Yield each input with what the model read, and with its prediction or the error that prevents one."""
    is_dialog = not options.inputs and not options.file and sys.stdin is not None and sys.stdin.isatty()
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
        _print_json(row, result.as_json())
    else:
        print("\n".join(result.format_lines(name, options.top_k)), flush=True)
    if predictor.writes_files:
        directory = _choose_directory(options.output_dir, name, directories)
        try:
            predictor.save(item, result, directory)
        except OSError as error:
            raise UsageError(
                f"--output-dir: {directory} cannot be written: {error.strerror}. Name another one."
            ) from error
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
) -> "list[tuple[Any, Prediction | ZooError]]":
    """Return each input with its prediction, or with the error that prevents one."""
    import tensorflow as tf

    from zoo.tasks.base import TextPredictor

    try:
        if predictor.input_kind != "text" and not all(batch):
            raise UsageError(
                f"found an empty path. Expected that of the {predictor.input_kind}. Write it, or leave it out."
            )
        if any(len(line) > MAX_LINE for line in batch):
            raise UsageError(
                f"found more than {MAX_LINE:,} bytes, and read no further. Expected one input a line. Correct it."
            )
        if predictor.input_kind == "text":
            _check_texts(batch, options)
        items = [predictor.parse(line, options.frame_rate) for line in batch]
        return list(zip(items, predictor.predict(items, progress=True), strict=True))
    except (ZooError, tf.errors.OpError) as error:
        if len(batch) == 1:
            if not isinstance(error, ZooError):
                return [(None, InputError(f"the model fails: {str(error)[:500]}"))]
            is_printable = options.json or len(batch[0]) <= MAX_LINE
            if isinstance(predictor, TextPredictor) and is_printable:
                with contextlib.suppress(ZooError, tf.errors.OpError):
                    empty = predictor.make_empty(str(error))
                    return [(None, error if empty.has_answer else empty)]
            return [(None, error)]
        return [pair for line in batch for pair in _predict_each(predictor, [line], options)]


def _check_texts(texts: Sequence[bytes], options: PredictOptions) -> None:
    """Check that texts are in UTF-8.

    Raises:
        UsageError: one is not; the message says what to do about it where it stands.
    """
    advice = "Convert it, as with `iconv -f CP1252 -t UTF-8`."
    if options.file:
        advice = "Name the encoding of the file with --encoding, or correct the line."
    for text in texts:
        if b"\0" in text:
            raise UsageError(f"found the character NUL. Expected text in UTF-8. {advice}")
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise UsageError(f"found {text!r:.60}. Expected text in UTF-8. {advice}") from error


def _choose_directory(output_dir: Path, name: str, used: set[str]) -> Path:
    """Return a directory with the name of the input that no other input has."""
    stem = parse_path(name).resolve().name
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    free = next(name for name in names if name not in used)
    used.add(free)
    return output_dir / free


def check_plot_path(path: Path) -> None:
    """Check that a plot can be written to a path, before the work for it is done.

    Raises:
        UsageError: it cannot be written, or its format is not known.
    """
    if path.suffix.lower().removeprefix(".") not in PLOT_FORMATS:
        raise UsageError(
            f"--plot: got {abbreviate_path(path)}. Expected the name of an image file that ends in one of "
            f"{', '.join(PLOT_FORMATS)}. Correct it."
        )
    check_writable_file(path, "--plot")
    path = path.resolve()  # the plot is written to where a link leads
    if not path.parent.is_dir():
        raise UsageError(f"--plot: there is no directory {path.parent}. Make it, or name another one.")


def read_inputs(options: PredictOptions) -> "Iterator[InputRow]":
    """Yield the user's inputs: the arguments, else the lines of the file, else those of standard input.

    Raises:
        DataError: the file is not in the encoding that the options name.
        UsageError: the file cannot be read.
    """
    from zoo.cli.predict_table import InputRow

    if options.inputs:
        lines: Iterable[bytes] = (argument.encode(errors="surrogateescape") for argument in options.inputs)
    else:
        lines = _read_lines(options.file, options.encoding)
    for number, line in enumerate(lines, 1):
        location = f"{options.file or 'standard input'}, line {number:,}: "
        if options.inputs:
            location = f"input {number}: " if len(options.inputs) > 1 else ""
        yield InputRow(line, [line.decode(errors="replace")], location)


def _read_lines(path: Path | None, encoding: str | None) -> Iterator[bytes]:
    """Yield the lines of a file or of standard input, without their ends; see `_split_lines`."""
    if path is None:
        if sys.stdin is None:  # closed by the caller, as in `zoo predict sentiment <&-`
            return
        if sys.stdin.isatty():
            print("One input a line; Ctrl-D ends.", file=sys.stderr)
        try:
            yield from _split_lines(sys.stdin.buffer)
        except OSError as error:
            raise UsageError(f"standard input cannot be read: {error.strerror}. Name a --file.") from error
        except _OtherEncodingError as error:
            raise UsageError(
                "standard input is not in UTF-8. Write it to a file, and name that by --file."
            ) from error
        return
    if not encoding:
        try:
            with path.open("rb") as file:
                yield from _split_lines(file)
            return
        except OSError as error:
            raise UsageError(
                f"--file: {path} cannot be read: {error.strerror}. Name another file."
            ) from error
        except _OtherEncodingError:
            pass
    if find_path_kind(path) == "pipe":
        raise UsageError(f"--file: {path} is a pipe, and not in UTF-8. Write it to a file, and name that.")
    from zoo.datasets.readers.text_files import read_text

    yield from _split_lines(io.BytesIO(read_text(path, encoding=encoding).text.encode()))


class _OtherEncodingError(Exception):
    """Lines begin with the byte order mark of UTF-16."""


def _split_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file without their ends, and without a byte order mark.

    A line that is longer than `MAX_LINE` is the last one, and is not read to its end, which may not exist.

    Raises:
        _OtherEncodingError: they are in UTF-16.
    """
    max_bytes = MAX_LINE + len(b"\r\n")
    first = file.readline(max_bytes)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _OtherEncodingError
    line = first.removeprefix(codecs.BOM_UTF8)
    while line:
        text = line.rstrip(b"\r\n")
        yield text
        line = b"" if len(text) > MAX_LINE else file.readline(max_bytes)
