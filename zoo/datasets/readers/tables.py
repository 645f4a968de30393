"""CSV and TSV files."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from zoo.datasets.messages import abbreviate
from zoo.datasets.readers.text_files import COMPRESSION, UNREADABLE, open_text
from zoo.errors import DataError

TABLE = rf"\.(tsv|csv){COMPRESSION}$"
"""Suffix of a table, as a regular expression."""


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: Number of its line in the file, from 1; of its last line if a quoted cell has several.
        cells: Its cells.
    """

    line: int
    cells: list[str]


class Table(NamedTuple):
    """A table.

    Attributes:
        path: Its file.
        header: Names of the columns; empty if the file has no header.
        rows: Its rows without the header, each with the same number of cells.
    """

    path: Path | str
    header: list[str]
    rows: list[Row]

    def find_column(self, *names: str) -> int | None:
        """Return the position of the column that has one of the names, or `None`.

        Raises:
            DataError: There are several such columns.
        """
        places = [place for place, name in enumerate(self.header) if name in names]
        if len(places) > 1:
            columns = " and ".join(self.header[place] for place in places)
            raise DataError(
                f"{self.path}: found the columns {columns}. Expected one of them. Rename or remove the other."
            )
        return places[0] if places else None


def read_table(
    path: Path | str, is_header: Callable[[list[str]], bool], content: bytes | None = None
) -> Table:
    """Read a CSV or TSV file.

    Args:
        path: The file.
        is_header: Whether the first row, of these cells, is a header.
        content: Its content, if it is not on disk but a member of a zip.

    Raises:
        DataError: The file is corrupt, or its rows have different numbers of cells.
    """
    rows = read_rows(path, content)
    header = rows.pop(0).cells if rows and is_header(rows[0].cells) else []
    first = header or (rows[0].cells if rows else [])
    for line, cells in rows:
        if len(cells) != len(first):
            raise DataError(
                f"{path}, line {line}: found {len(cells)} cells. Expected {len(first)} "
                f"({abbreviate(first)}). Correct the line."
            )
    return Table(path, header, rows)


def read_rows(path: Path | str, content: bytes | None = None) -> list[Row]:
    r"""Read the rows of a table, except those whose cells are all blank.

    A file whose name ends with `.csv`, perhaps before the suffix of a compression, is CSV. Any other file is
    TSV without quoting: a tab always ends a cell, `\n` or `\r\n` always ends a row, and nothing else does.

    Args:
        path: The file.
        content: Its content, if it is not on disk but a member of a zip.

    Raises:
        DataError: The file is corrupt.
    """
    is_csv = re.search(rf"\.csv{COMPRESSION}$", str(path))
    rows: list[Row] = []
    try:
        with open_text(path, content, newline="" if is_csv else "\n") as file:
            for row in _iterate_csv(file) if is_csv else _iterate_tsv(file):
                if any(cell.strip() for cell in row.cells):
                    rows.append(row)
    except (csv.Error, *UNREADABLE) as error:
        last = rows[-1].line if rows else 0
        raise DataError(
            f"{path} cannot be read beyond line {last}: {error}. Correct or replace the file."
        ) from error
    return rows


def _iterate_tsv(file: TextIO) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        yield Row(number, line.removesuffix("\n").removesuffix("\r").split("\t"))


def _iterate_csv(file: TextIO) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(file, strict=True)
    for cells in reader:
        yield Row(reader.line_num, cells)
