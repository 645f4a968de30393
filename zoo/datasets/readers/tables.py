"""Tables with columns that are separated by commas, semicolons or tabs: the one reader, and a writer."""

import csv
import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from zoo.datasets.messages import abbreviate, count_noun
from zoo.datasets.readers.text_files import describe_encoding, read_text
from zoo.errors import DataError
from zoo.user_files import COMPRESSION, MAX_LINE, split_lines

logger = logging.getLogger(__name__)

_CSV_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")

_MIN_ROWS = 8  # rows that show whether a column has few forms

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: number of its line in the file, from 1; of its first line if a quoted cell has several.
        cells: its cells.
    """

    line: int
    cells: list[str]


class TableFormat(NamedTuple):
    """How a table is written to a file.

    Attributes:
        delimiter: "," or ";" or a tab.
        is_quoted: whether cells may be in quotes, as in CSV files. In a table of tabs without quoting, a quote
            is a character as any other, and no cell contains a tab or a newline.
        encoding: Python's name of the encoding of the file.
    """

    delimiter: str
    is_quoted: bool
    encoding: str

    def __str__(self) -> str:
        """Return a description, as in "separated by tabs, in UTF-8"."""
        return f"separated by {_DELIMITERS[self.delimiter]}, in {describe_encoding(self.encoding)}"


class Table(NamedTuple):
    """A table.

    Attributes:
        path: its file.
        header: names of the columns, without surrounding spaces; empty if the file has no header.
        rows: its rows without the header, each with the same number of cells.
        format: how it is written.
    """

    path: Path | str
    header: list[str]
    rows: list[Row]
    format: TableFormat

    def find_column(self, *names: str) -> int | None:
        """Return the position of the column that has one of the names, in any case, or `None`.

        Raises:
            DataError: there are several such columns.
        """
        places = find_names(self.header, *names)
        if len(places) > 1:
            columns = " and ".join(self.header[place] for place in places)
            raise DataError(
                f"{self.path}: found the columns {columns}. Expected one of them. Rename or remove the other."
            )
        return places[0] if places else None

    def note_other_columns(self, *used: int | None) -> list[str]:
        """Return a note on the columns that are left out, by their names or numbers; no note if all are used.

        Args:
            used: the positions of the columns that are used.
        """
        width = len(self.header) or len(self.rows[0].cells if self.rows else ())
        others = [place for place in range(width) if place not in used]
        names = [self.header[place] if self.header else "" for place in others]
        columns = [name or str(place + 1) for name, place in zip(names, others, strict=True)]
        kind = "column" if len(columns) == 1 else "columns"
        return [f"{self.path}: left out the {kind} {abbreviate(columns)}."] if columns else []


def find_names(cells: Sequence[str], *names: str) -> list[int]:
    """Return the positions of the cells that are one of the names; in any case, if none is exactly so.

    >>> find_names(["Text", " label "], "text"), find_names(["Text", "text"], "text")
    ([0], [1])
    """
    stripped = [cell.strip() for cell in cells]
    if exact := [place for place, cell in enumerate(stripped) if cell in names]:
        return exact
    folded = [name.casefold() for name in names]
    return [place for place, cell in enumerate(stripped) if cell.casefold() in folded]


def read_table(
    path: Path | str,
    is_header: Callable[[list[str]], bool],
    is_expected: Callable[[list[str]], bool] = lambda cells: len(cells) > 1,
    *,
    content: bytes | None = None,
    encoding: str | None = None,
    keep_blank_rows: bool = False,
) -> Table:
    r"""Read a table.

    The delimiter is a comma, a semicolon or a tab: the one by which the first row is as expected and all rows
    have the same number of cells. Cells may be in quotes, in which quotes are doubled, and may then contain
    delimiters and newlines. A table of tabs that is not called `.csv` may also be without quoting, as many data
    sets are: it is, unless its quotes are those of a program that writes CSV. Then `\n` or `\r\n` ends a row,
    and nothing else does.

    Args:
        path: the file.
        is_header: whether the first row, of these cells, is a header.
        is_expected: whether the first row, of these cells, is what the caller can use. It decides between
            delimiters.
        content: its content, if it is not on disk but a member of a zip.
        encoding: encoding of the file; see `read_text`.
        keep_blank_rows: whether to keep rows whose cells are all blank. In a table of one column every line after
            the header is then a row, an empty one, too; in other tables an empty line is none.

    Raises:
        DataError: the file is corrupt or in another encoding, a quote is not closed or a cell is too long, rows have
            different numbers of cells, a column with content has no name, or two delimiters are possible.
    """
    decoded = read_text(path, content, encoding)
    if not decoded.text.strip():
        return Table(path, [], [], TableFormat(",", True, decoded.encoding))
    reading = _choose_reading(path, decoded.text, is_expected)
    if reading.problem:
        raise DataError(f"{path}, line {reading.problem.line:,}: {reading.problem.message}")
    rows = reading.rows
    header = [cell.strip() for cell in rows.pop(0).cells] if rows and is_header(rows[0].cells) else []
    _check_header(path, header, rows)
    if not keep_blank_rows:
        rows = [row for row in rows if not _is_blank(row.cells)]
    return Table(path, header, rows, TableFormat(reading.delimiter, reading.is_quoted, decoded.encoding))


def _check_header(path: Path | str, header: list[str], rows: list[Row]) -> None:
    """Raise an error if a column behind the first has cells and no name: a cell was split at its commas."""
    for place in [place for place, column in enumerate(header) if place and not column]:
        if row := next((row for row in rows if row.cells[place].strip()), None):
            raise DataError(
                f"{path}, line {row.line:,}: found {row.cells[place][:60]!r} in column {place + 1}, which has no name "
                "in the header. Expected a name for each column with content. Put a cell that contains the delimiter "
                'in quotes ("), or name the column.'
            )


def log_tables(tables: Iterable[Table]) -> None:
    """Log which tables were read, with the delimiter and the encoding that were detected."""
    tables_of: dict[str, list[Table]] = {}
    for table in tables:
        tables_of.setdefault(str(table.format), []).append(table)
    for description, group in tables_of.items():
        rows = count_noun(sum(len(table.rows) for table in group), "row")
        logger.info("%s: %s, %s", abbreviate([str(table.path) for table in group]), rows, description)


def write_row(file: TextIO, table_format: TableFormat, cells: Sequence[str]) -> None:
    r"""Write a row such that `read_table` returns the same cells.

    Without quoting, tabs and newlines in cells become spaces.

    Args:
        file: a file that was opened with `newline=""`.
        table_format: how the table is written.
        cells: the cells of the row.
    """
    if table_format.is_quoted:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=table_format.delimiter).writerow(cells)  # quotes cells with \r, too
        line = buffer.getvalue().removesuffix("\r\n")
    else:
        line = table_format.delimiter.join(re.sub(r"[\t\r\n]", " ", cell) for cell in cells)
    file.write(line + "\n")


# How a file can be read, by delimiter and quoting.


class _Problem(NamedTuple):
    """Why a file cannot be read with a delimiter."""

    line: int
    message: str


class _Reading(NamedTuple):
    """The rows of a file, read with a delimiter, without empty lines if there are several columns."""

    delimiter: str
    is_quoted: bool
    rows: list[Row]
    problem: _Problem | None = None

    @property
    def width(self) -> int:
        return len(self.rows[0].cells) if self.rows else 0

    def check_widths(self) -> "_Reading":
        """Return the reading with a problem if its rows have different numbers of cells."""
        uneven = next((row for row in self.rows if len(row.cells) != self.width), None)
        if self.problem and not (uneven and uneven.line < self.problem.line):
            return self
        if uneven is None:
            return self
        found, delimiters = len(uneven.cells), _DELIMITERS[self.delimiter]
        advice = "Correct the line."
        if found > self.width and self.is_quoted:
            advice = f'Put a cell that contains {delimiters} in quotes ("), or correct the line.'
        message = (
            f"found {count_noun(found, 'cell')}, separated by {delimiters}. Expected {self.width}, as in the "
            f"first row ({abbreviate([cell[:40] for cell in self.rows[0].cells])}). {advice}"
        )
        return self._replace(problem=_Problem(uneven.line, message))


def _choose_reading(path: Path | str, text: str, is_expected: Callable[[list[str]], bool]) -> _Reading:
    """Return the reading by the delimiter that fits best."""
    is_csv = bool(re.search(rf"(?i:\.csv){COMPRESSION}$", str(path)))
    default = "," if is_csv else "\t"

    def rank(reading: _Reading) -> tuple[bool, bool, float, bool, bool]:
        widths = [len(row.cells) for row in reading.rows]
        return (
            bool(widths) and is_expected(reading.rows[0].cells),
            not reading.problem,
            widths.count(reading.width) / max(1, len(widths)),
            reading.width > 1,
            reading.delimiter == default,
        )

    def read(delimiter: str) -> _Reading:
        return _read_tabs(path, text, is_csv) if delimiter == "\t" else _read_quoted(text, delimiter)

    # A delimiter that does not occur gives a single column, which is worse than several that fit.
    readings = {delimiter: read(delimiter) for delimiter in _DELIMITERS if delimiter in text}
    if not any(rank(reading)[:4] == (True, True, 1, True) for reading in readings.values()):
        readings |= {delimiter: read(delimiter) for delimiter in _DELIMITERS if delimiter not in text}
    in_order = [readings[delimiter] for delimiter in _DELIMITERS if delimiter in readings]
    best, *others = sorted(in_order, key=rank, reverse=True)
    for other in others:
        is_as_good = rank(other)[:4] == rank(best)[:4] and other.width > 1 and not best.problem
        if is_as_good and other.rows != best.rows and best.delimiter != "\t":
            cells = (abbreviate([cell[:40] for cell in reading.rows[0].cells]) for reading in (best, other))
            raise DataError(
                f"{path}: found cells that may be separated by {_DELIMITERS[best.delimiter]} ({next(cells)}) or "
                f"by {_DELIMITERS[other.delimiter]} ({next(cells)}). Expected one of them. Put cells that "
                'contain the other one in quotes ("), or add a header.'
            )
    return best


def _read_quoted(text: str, delimiter: str, may_be_plain: bool = False) -> _Reading:
    """Read rows whose cells may be in quotes; `may_be_plain` if quotes may also be characters as any other."""
    csv.field_size_limit(MAX_LINE)
    is_single_column = delimiter not in text
    reader = csv.reader(_iterate_csv_lines(text), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    spans: list[tuple[Row, int]] = []  # rows of several lines, with their last line
    problem = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            problem = _describe_open_quote(text, line, reader.line_num, delimiter)
            if "limit" in str(error):
                problem = problem._replace(
                    message=f"found a cell of more than {MAX_LINE:,} characters. Expected at most so many. Shorten it, "
                    'or close a quote (") that is open.'
                )
            break
        if not cells and not is_single_column:
            continue
        row = Row(line, cells)
        rows.append(row)
        if reader.line_num > line:
            spans.append((row, reader.line_num))
    reading = _Reading(delimiter, True, _drop_empty_lines(rows), problem)
    return _check_spans(reading, text, spans, may_be_plain).check_widths()


def _describe_open_quote(text: str, line: int, last_line: int, delimiter: str) -> _Problem:
    start = _split_csv_lines(text)[line - 1]
    if last_line > line:
        message = f"found a quote that is not closed: {_abbreviate_cell(start)}."
    else:
        message = (
            f"found a quote inside a cell in quotes, or one that is not closed: {_abbreviate_cell(start)}."
        )
    return _Problem(
        line,
        f'{message} Expected a quote (") before the next of the {_DELIMITERS[delimiter]} or the end of the '
        'line; a quote inside of a cell in quotes is doubled (""). Correct the line.',
    )


def _check_spans(reading: _Reading, text: str, spans: list[tuple[Row, int]], may_be_plain: bool) -> _Reading:
    """Return the reading with a problem if a cell of several lines has swallowed rows.

    It has, if the row has another number of cells than the first one; or if each of its lines alone has that
    number and looks like a row: in one column it has values of other rows, such as labels; or the forms of other
    rows, such as names of files, where a column has few forms. In a table of sentences, which has no such column, the
    number of cells alone decides.
    """
    if not spans or reading.width < 2:
        return reading
    lines, long_rows = _split_csv_lines(text), {row.line for row, _ in spans}
    columns = list(zip(*(row.cells for row in reading.rows if row.line not in long_rows), strict=False))
    values = [{cell for cell in column if cell.strip()} for column in columns]
    forms = [set(map(_describe_form, column)) for column in columns]
    has_evidence = not may_be_plain and min(map(len, columns), default=0) >= _MIN_ROWS
    regular = [place for place, column in enumerate(columns) if 2 * len(forms[place]) <= len(column)]

    def are_rows(parts: list[list[str]]) -> bool:
        """Return whether the cells of each line of a span are those of a row."""
        if not all(len(cells) == reading.width for cells in parts):
            return False
        if any(all(cells[place] in known for cells in parts) for place, known in enumerate(values)):
            return True
        have_forms = any(
            all(_describe_form(cells[place]) in forms[place] for cells in parts) for place in regular
        )
        return has_evidence and (have_forms or not regular)

    for row, last_line in spans:
        parts = [line.split(reading.delimiter) for line in lines[row.line - 1 : last_line]]
        if are_rows(parts) or len(row.cells) != reading.width:
            return reading._replace(
                problem=_describe_open_quote(text, row.line, last_line, reading.delimiter)
            )
    return reading


def _describe_form(cell: str) -> str:
    """Return a cell with letters and numbers that all look the same, as "a0.a" for "img12.jpg"."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", cell[:200]))


def _read_tabs(path: Path | str, text: str, is_csv: bool) -> _Reading:
    """Read rows of cells that are separated by tabs, with or without quoting; if possible with it if `is_csv`."""
    lines, is_single_column = enumerate(split_lines(path, text), 1), "\t" not in text
    rows = [Row(number, line.split("\t")) for number, line in lines if line or is_single_column]
    plain = _Reading("\t", False, _drop_empty_lines(rows)).check_widths()
    if '"' not in text:
        return plain
    quoted = _read_quoted(text, "\t", may_be_plain=not is_csv)
    if plain.problem and quoted.problem:
        return max(plain, quoted, key=lambda reading: reading.problem.line if reading.problem else 0)
    if plain.problem or quoted.problem:
        return quoted if plain.problem or is_csv or _has_doubled_quotes(plain.rows) else plain
    if is_csv:
        return quoted
    if len(plain.rows) != len(quoted.rows):
        line = next(one.line for one, other in zip(plain.rows, quoted.rows, strict=False) if one != other)
        message = (
            "found a quote that may begin a cell of several lines, or be a part of the text: "
            f"{_abbreviate_cell(split_lines(path, text)[line - 1])}. Expected one of the two. Separate the cells by "
            "commas and put them in quotes, or remove the quote."
        )
        return plain._replace(problem=_Problem(line, message))
    has_quoting = plain.width != quoted.width or _has_quoting(plain.rows, quoted.rows)
    return quoted if has_quoting else plain


def _has_quoting(plain: list[Row], quoted: list[Row]) -> bool:
    """Return whether quotes are those of a program: they are doubled, or around all cells of a column."""
    is_in_quotes = []
    for plain_row, quoted_row in zip(plain, quoted, strict=True):
        if _is_blank(plain_row.cells):
            continue
        pairs = list(zip(plain_row.cells, quoted_row.cells, strict=True))
        if any(re.search('["\r]', value) for cell, value in pairs if cell != value):
            return True
        is_in_quotes.append([cell != value for cell, value in pairs])
    return len(is_in_quotes) > 1 and any(map(all, zip(*is_in_quotes, strict=True)))


def _has_doubled_quotes(plain: list[Row]) -> bool:
    """Return whether most cells that begin with a quote are written in quotes, some with doubled ones inside."""
    cells = [cell for row in plain for cell in row.cells if cell.startswith('"')]
    in_quotes = [cell for cell in cells if re.fullmatch('"(?:[^"]|"")*"', cell)]
    return 2 * len(in_quotes) > len(cells) and any('""' in cell[1:-1] for cell in in_quotes)


def _split_csv_lines(text: str) -> list[str]:
    """Return the lines of a text as `csv.reader` counts them."""
    return [line.rstrip("\r\n") for line in _iterate_csv_lines(text)]


def _iterate_csv_lines(text: str) -> Iterator[str]:
    return (match[0] for match in _CSV_LINE.finditer(text))


def _drop_empty_lines(rows: list[Row]) -> list[Row]:
    """Return the rows from the first that is not empty; of one column, empty lines are rows with an empty cell."""
    full = [row for row in rows if len(row.cells) > 1 or not _is_blank(row.cells)]
    if not full or len(full[0].cells) > 1:
        return full
    return [Row(row.line, row.cells or [""]) for row in rows if row.line >= full[0].line]


def _is_blank(cells: Sequence[str]) -> bool:
    return not any(cell.strip() for cell in cells)


def _abbreviate_cell(cell: str) -> str:
    return repr(cell[:60])
