"""Tables of `zoo predict`: inputs in a column of a table, and the table with predictions beside the inputs."""

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from zoo.card import InputKind
from zoo.cli.predict import STATUS, find_input_kind
from zoo.datasets.messages import count_noun, suggest_names
from zoo.datasets.readers.tables import Table, TableFormat, find_names, read_table, write_row
from zoo.errors import UsageError, ZooError
from zoo.files import atomic_write
from zoo.tasks import Prediction
from zoo.training.progress import Progress


class InputRow(NamedTuple):
    """One input.

    Attributes:
        value: what the user wrote: a text, or the path of an image or video.
        cells: the row of the output table, without predictions.
        location: where it is written, for messages; empty for the only argument.
    """

    value: bytes
    cells: Sequence[str]
    location: str


def read_input_table(path: Path, column: str | None, input_kind: InputKind, encoding: str | None) -> Table:
    """Read a table of inputs, with a header.

    Args:
        path: the table.
        column: name of the column of the inputs; default is the kind of the inputs.
        input_kind: what an input is.
        encoding: encoding of the file; see `zoo.datasets.readers.text_files.read_text`.

    Raises:
        DataError: the file cannot be read as a table.
        UsageError: there is no such column.
    """
    name = column or input_kind
    table = read_table(
        path,
        lambda cells: True,
        lambda cells: bool(find_names(cells, name)),
        encoding=encoding,
        keep_blank_rows=True,
    )
    find_required_column(table, name, input_kind, "--column")
    return table


def find_required_column(table: Table, name: str, content: str, option: str) -> int:
    """Return the position of a column.

    Args:
        table: the table.
        name: name of the column.
        content: what each cell of the column is, such as "text".
        option: the option that names the column.

    Raises:
        UsageError: there is no such column.
    """
    place = table.find_column(name)
    if place is None:
        raise UsageError(
            f"{table.path}: found the columns {', '.join(table.header)[:200]}, {table.format}. Expected a header with "
            f"the column {name}. {suggest_names([name], table.header)}Name the column of the {content}s with {option}."
        )
    return place


def iterate_rows(table: Table, column: str | None, input_kind: InputKind) -> Iterator[InputRow]:
    """Yield the inputs of a table. Paths are relative to the working directory or to the table."""
    place = table.find_column(column or input_kind)
    assert place is not None
    directory = Path(table.path).parent
    for line, cells in table.rows:
        value = cells[place]
        if input_kind != "text":
            value = value.strip()
            value = value if not value or find_input_kind(value) else str(directory / value)
        yield InputRow(value.encode(), cells, f"{table.path}, line {line:,}: ")


def choose_format(output: Path, table: Table | None) -> TableFormat:
    """Return how the output is written: as the input if both have the same suffix, otherwise as its suffix says.

    A table of one column has no delimiter, so its suffix decides.

    Args:
        output: the file to write, `.csv` or `.tsv`.
        table: the input, if it is a table.
    """
    has_delimiter = table is not None and any(len(row.cells) > 1 for row in table.rows)
    suffix = output.suffix.lower()
    if table and has_delimiter and re.findall(r"\.(?:csv|tsv)", str(table.path).lower())[-1:] == [suffix]:
        return table.format
    encoding = table.format.encoding if table else "utf-8"
    return TableFormat("," if suffix == ".csv" else "\t", True, encoding)


class PredictionTable:
    """A file to which the rows of an input are written, with predictions beside them.

    The first answer decides which columns there are: rows before it wait for it, all others are written at once.

    Args:
        file: the file to write to.
        table_format: delimiter, quoting and encoding.
        header: names of the columns of the input.
        top_k: number of alternatives for each input.
        progress: line about the progress.
        batch_size: number of inputs that are computed together.

    Attributes:
        num_rows: number of rows.
    """

    def __init__(
        self,
        file: TextIO,
        table_format: TableFormat,
        header: Sequence[str],
        top_k: int,
        progress: Progress,
        batch_size: int,
    ) -> None:
        self.file, self.table_format = file, table_format
        self.header, self.top_k = list(header), top_k
        self.progress, self.batch_size = progress, batch_size
        self.num_rows = 0
        self._columns: list[str] | None = None
        self._waiting: list[tuple[Sequence[str], str]] = []  # cells and status

    def add(self, cells: Sequence[str], result: Prediction | ZooError) -> None:
        """Write the row of an input.

        Raises:
            UsageError: the input has a column that is called like one of the predictions.
        """
        self.num_rows += 1
        if self.num_rows % self.batch_size == 0:
            self.progress.update(self.batch_size)
        if isinstance(result, ZooError):
            self._write_or_wait(cells, str(result))
            return
        table = result.as_table()
        if not table.rows:
            self._write_or_wait(cells, result.status)
            return
        if self._columns is None:
            self._begin(self._name_columns(table.columns))
        values = [_format_value(value) for row in table.rows[: self.top_k] for value in row]
        self._write(cells, values, result.status)

    def finish(self) -> None:
        """Write the rows that still wait, if no input has an answer."""
        if self._columns is None:
            self._begin(self._name_columns([]))

    def _begin(self, columns: list[str]) -> None:
        """Write the header, and the rows that have waited."""
        self._columns = columns
        write_row(self.file, self.table_format, [*self.header, *columns, STATUS])
        for cells, status in self._waiting:
            self._write(cells, [], status)
        self._waiting.clear()

    def _write_or_wait(self, cells: Sequence[str], status: str) -> None:
        if self._columns is None:
            self._waiting.append((cells, status))
        else:
            self._write(cells, [], status)

    def _write(self, cells: Sequence[str], values: Sequence[str], status: str) -> None:
        assert self._columns is not None
        padding = [""] * (len(self._columns) - len(values))
        write_row(self.file, self.table_format, [*cells, *values, *padding, status])

    def _name_columns(self, columns: Sequence[str]) -> list[str]:
        names = [
            f"predicted_{column.replace(' ', '_')}{'' if rank == 1 else f'_{rank}'}"
            for rank in range(1, self.top_k + 1)
            for column in columns
        ]
        if existing := [name for name in (*names, STATUS) if name in self.header]:
            raise UsageError(
                f"found the column {existing[0]} in the input, which --output would add. Expected other names. "
                "Rename or remove the column."
            )
        return names


@contextlib.contextmanager
def open_prediction_table(
    path: Path,
    header: Sequence[str],
    table_format: TableFormat,
    top_k: int,
    num_rows: int,
    batch_size: int,
) -> Iterator[PredictionTable]:
    """Write the table that the block fills, as a whole when the block ends, or not at all if it raises.

    Args:
        path: the file to write. That it can be written is checked before the block.
        header: names of the columns of the input.
        table_format: delimiter, quoting and encoding. Encodings that are not of Unicode become UTF-8 with a
            byte order mark.
        top_k: number of alternatives for each input.
        num_rows: number of inputs, for the progress; negative if unknown.
        batch_size: number of inputs that are computed together.

    Raises:
        UsageError: the file cannot be written.
    """
    if not table_format.encoding.startswith("utf"):
        table_format = table_format._replace(encoding="utf-8-sig")
    progress = Progress(str(path), -(-num_rows // batch_size), stream=sys.stderr)
    with report_unwritable(path), atomic_write(path) as temporary:
        with temporary.open("w", encoding=table_format.encoding, newline="") as file:
            table = PredictionTable(file, table_format, header, top_k, progress, batch_size)
            yield table
            table.finish()
        progress.clear()
    print(f"wrote {count_noun(table.num_rows, 'row')} to {path}, {table_format}", file=sys.stderr)


@contextlib.contextmanager
def report_unwritable(path: Path) -> Iterator[None]:
    """Raise a `UsageError` if the block cannot write the file that --output names."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"--output: {path} cannot be written: {error.strerror}. Name another file."
        ) from error


def _format_value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
