"""Tables of `zoo predict`: inputs in a column of a table, and the table with predictions beside the inputs."""

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from zoo.card import InputKind
from zoo.datasets.messages import count_noun
from zoo.datasets.readers.tables import Table, TableFormat, find_names, read_table, write_row
from zoo.errors import UsageError
from zoo.files import atomic_write
from zoo.tasks import Prediction
from zoo.training.progress import Progress

STATUS = "prediction_status"
"""Column of the output that is empty for a valid input, and otherwise says what was wrong with it."""


class InputRow(NamedTuple):
    """One input.

    Attributes:
        value: What the user wrote: a text, or the path of an image or video.
        cells: The row of the output table, without predictions.
        location: Where it is written, for messages; empty for arguments.
    """

    value: bytes
    cells: Sequence[str]
    location: str


def read_input_table(path: Path, column: str | None, input_kind: InputKind, encoding: str | None) -> Table:
    """Read a table of inputs, with a header.

    Args:
        path: The table.
        column: Name of the column of the inputs; default is the kind of the inputs.
        input_kind: What an input is.
        encoding: Encoding of the file; see `zoo.datasets.readers.text_files.read_text`.

    Raises:
        DataError: The file cannot be read as a table.
        UsageError: There is no such column.
    """
    name = column or input_kind
    table = read_table(
        path,
        lambda cells: True,
        lambda cells: bool(find_names(cells, name)),
        encoding=encoding,
        keep_blank_rows=True,
    )
    if table.find_column(name) is None:
        raise UsageError(
            f"{path}: found the columns {', '.join(table.header)[:200]}, {table.format}. Expected a header with "
            f"the column {name}. Name the column of the {input_kind}s with --column."
        )
    return table


def iterate_rows(table: Table, column: str | None, input_kind: InputKind) -> Iterator[InputRow]:
    """Yield the inputs of a table. Paths are relative to the working directory or to the table."""
    place = table.find_column(column or input_kind)
    assert place is not None
    directory = Path(table.path).parent
    for line, cells in table.rows:
        value = cells[place]
        if input_kind != "text":
            value = value.strip()
            value = value if not value or Path(value).exists() else str(directory / value)
        yield InputRow(value.encode(), cells, f"{table.path}, line {line:,}: ")


def choose_format(output: Path, table: Table | None) -> TableFormat:
    """Return how the output is written: as the input if both have the same suffix, otherwise as its suffix says.

    A table of one column has no delimiter, so its suffix decides.

    Args:
        output: The file to write, `.csv` or `.tsv`.
        table: The input, if it is a table.
    """
    has_delimiter = table is not None and any(len(row.cells) > 1 for row in table.rows)
    if table and has_delimiter and re.findall(r"\.(?:csv|tsv)", str(table.path))[-1:] == [output.suffix]:
        return table.format
    encoding = table.format.encoding if table else "utf-8"
    return TableFormat("," if output.suffix == ".csv" else "\t", True, encoding)


class PredictionTable:
    """The rows of an input with predictions beside them.

    Args:
        header: Names of the columns of the input.
        top_k: Number of alternatives for each input.
        progress: Line about the progress.
        batch_size: Number of inputs that are computed together.

    Attributes:
        rows: Of each input its cells, the cells of its predictions, and its status.
    """

    def __init__(self, header: Sequence[str], top_k: int, progress: Progress, batch_size: int) -> None:
        self.header, self.top_k = list(header), top_k
        self.progress, self.batch_size = progress, batch_size
        self.columns: list[str] | None = None
        self.rows: list[tuple[Sequence[str], list[str], str]] = []

    def add(self, cells: Sequence[str], result: Prediction | ValueError) -> None:
        """Add the row of an input.

        Raises:
            UsageError: The input has a column that is called like one of the predictions.
        """
        if (len(self.rows) + 1) % self.batch_size == 0:
            self.progress.update(self.batch_size)
        if isinstance(result, ValueError):
            self.rows.append((cells, [], str(result)))
            return
        table = result.as_table()
        if self.columns is None:
            self.columns = self._name_columns(table.columns)
        values = [_format_value(value) for row in table.rows[: self.top_k] for value in row]
        self.rows.append((cells, values, result.status))

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

    def write(self, path: Path, table_format: TableFormat) -> None:
        """Write the table; inputs without predictions have empty cells and a status."""
        columns = self.columns or []
        with path.open("w", encoding=table_format.encoding, newline="") as file:
            write_row(file, table_format, [*self.header, *columns, STATUS])
            for cells, values, status in self.rows:
                padding = [""] * (len(columns) - len(values))
                write_row(file, table_format, [*cells, *values, *padding, status])


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
        path: The file to write. That it can be written is checked before the block.
        header: Names of the columns of the input.
        table_format: Delimiter, quoting and encoding. Encodings that are not of Unicode become UTF-8 with a
            byte order mark.
        top_k: Number of alternatives for each input.
        num_rows: Number of inputs, for the progress; negative if unknown.
        batch_size: Number of inputs that are computed together.

    Raises:
        UsageError: The file cannot be written.
    """
    if not table_format.encoding.startswith("utf"):
        table_format = table_format._replace(encoding="utf-8-sig")
    progress = Progress(str(path), -(-num_rows // batch_size), stream=sys.stderr)
    table = PredictionTable(header, top_k, progress, batch_size)
    with report_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        with report_unwritable(path):
            temporary.touch()
        yield table
        table.progress.clear()
        with report_unwritable(path):
            table.write(temporary, table_format)
    print(f"wrote {count_noun(len(table.rows), 'row')} to {path}, {table_format}", file=sys.stderr)


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
