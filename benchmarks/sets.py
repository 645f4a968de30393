"""Reads the tables of hand-made test sets, which have a half of development data and one for the evaluation."""

import csv
from pathlib import Path
from typing import NamedTuple, TypeVar

from zoo.errors import UsageError

Row = TypeVar("Row", bound=NamedTuple)


def read_half(path: Path, row_class: type[Row], split: str) -> list[Row]:
    """Return the rows of one half of a test set.

    Args:
        path: table, separated by tabs.
        row_class: named tuple with the columns of the table; one of them is `split`.
        split: "choosing", the development data, or "evaluation".

    Raises:
        UsageError: the table has another header.
    """
    fields = row_class._fields
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    if tuple(header) != fields:
        raise UsageError(f"{path} has another header than {', '.join(fields)}. Restore the file.")
    return [row_class._make(row) for row in rows if row[fields.index("split")] == split]
