"""Tables with tags: where they are, and what their columns are called."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

from zoo.datasets.readers.tables import Table, find_names, log_tables, read_table
from zoo.datasets.splits import find_split_names
from zoo.errors import DataError
from zoo.files import natural_sort_key
from zoo.user_files import TABLE, find_files, report_unreadable

COLUMN_NAMES = {
    "sequence": ("sequence", "video", "clip"),
    "frame": ("frame",),
    "time": ("time", "timestamp"),
    "tag": ("tag", "label", "phase", "class"),
    "start": ("start",),
    "end": ("end",),
    "start_frame": ("start_frame",),
    "end_frame": ("end_frame",),
}
"""Names of each column in headers, in lower case."""

SEGMENT_COLUMNS = (("frame",), ("time",), ("start", "end"), ("start_frame", "end_frame"))
"""The columns that state which frames a row tags: one of these."""

EXPECTED_COLUMNS = f"the columns video, tag, and either {', or '.join(map(' and '.join, SEGMENT_COLUMNS))}"

_EXPECTED = (
    f"Expected videos or directories of numbered images with a .csv or .tsv that has {EXPECTED_COLUMNS}; or "
    ".csv or .tsv files of features with a tag"
)


def read_tag_tables(path: Path, encoding: str | None = None) -> dict[str, list[Table]]:
    """Read the tables of a directory, a file or a pattern.

    Args:
        path: a directory, whose splits may be subdirectories or tables; a table; or a pattern with `*`.
        encoding: encoding of the tables; see `read_text`.

    Returns:
        The tables of each split, with headers in lower case and cells without surrounding spaces. All are for
        training if none is named after a split.

    Raises:
        DataError: there are no tables, or a table is corrupt or has no rows.
    """
    tables = {
        split: [_read_table(file, encoding) for file in files] for split, files in _find_tables(path).items()
    }
    if empty := [split for split, group in tables.items() if not group]:
        raise DataError(f"{path} contains no table for {' and '.join(empty)}. {_EXPECTED}.")
    log_tables(table for group in tables.values() for table in group)
    return tables


def find_column(table: Table, column: str) -> int | None:
    """Return the position of a column of `COLUMN_NAMES`, or `None`."""
    return table.find_column(*COLUMN_NAMES[column])


def has_tags_only(table: Table) -> bool:
    """Return whether a table has a header without columns of features."""
    names = {name for names in COLUMN_NAMES.values() for name in names}
    return bool(table.header) and names.issuperset(table.header)


def describe_header(table: Table) -> str:
    """Return the columns of a table, for a message."""
    return f"the columns {', '.join(table.header)[:200]}" if table.header else "no header"


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def is_number(cell: str) -> bool:
    """Return whether a cell contains a finite number, with a decimal point or a decimal comma.

    >>> [is_number(cell) for cell in ("-1.5e3", "1,5", "1_000", "nan", "1e400")]
    [True, True, False, False, False]
    """
    number = _replace_decimal_comma(cell)
    return bool(_NUMBER.fullmatch(number)) and math.isfinite(float(number))


def normalize_number(table: Table, cell: str) -> str:
    """Return a cell with a decimal point if it has a decimal comma, as tables separated by semicolons do."""
    return _replace_decimal_comma(cell) if table.format.delimiter == ";" else cell


def _replace_decimal_comma(cell: str) -> str:
    return re.sub(r"^([+-]?\d+),(\d+)$", r"\1.\2", cell)


def parse_tags(cell: str) -> tuple[str, ...]:
    """Return the tags of a cell.

    >>> parse_tags("walk | carry")
    ('walk', 'carry')
    """
    return tuple(tag.strip() for tag in cell.split("|") if tag.strip())


def _find_tables(path: Path) -> dict[str, list[Path]]:
    if not path.is_dir():
        return {"train": _select_tables([path] if path.exists() else find_files(path))}
    with report_unreadable(path):
        children = {child.name: child for child in path.iterdir()}
    directories = find_split_names((name for name, child in children.items() if child.is_dir()), str(path))
    if "train" in directories:
        with report_unreadable(path):
            return {split: _select_tables((path / name).iterdir()) for split, name in directories.items()}
    tables = find_split_names(children, str(path), suffix=TABLE)
    if "train" in tables:
        return {split: [path / name] for split, name in tables.items()}
    return {"train": _select_tables(children.values())}


def _select_tables(files: Iterable[Path]) -> list[Path]:
    tables = [file for file in files if re.search(TABLE, file.name) and file.name[0] != "."]
    return sorted(tables, key=lambda file: natural_sort_key(str(file)))


def _read_table(path: Path, encoding: str | None) -> Table:
    table = read_table(path, _is_header, _is_expected, encoding=encoding)
    if not table.rows:
        raise DataError(f"{path} contains no rows. {_EXPECTED}.")
    for line, cells in table.rows:
        if cell := next((cell for cell in cells if "\n" in cell.strip()), None):
            raise DataError(
                f"{path}, line {line:,}: found a cell of several lines: {cell[:60]!r}. Expected a row in each line. "
                'Close the quote ("), or correct the cell.'
            )
    return table._replace(
        header=[cell.lower() for cell in table.header],
        rows=[row._replace(cells=[cell.strip() for cell in row.cells]) for row in table.rows],
    )


def _is_header(cells: list[str]) -> bool:
    cells = [cell.strip() for cell in cells]
    return any(cell.lower() in COLUMN_NAMES["tag"] for cell in cells) or not any(map(is_number, cells))


def _is_expected(cells: list[str]) -> bool:
    if find_names(cells, *COLUMN_NAMES["tag"]):
        return len(cells) > 1
    return len(cells) > 3 and all(is_number(cell) for cell in (cells[1], *cells[3:]))
