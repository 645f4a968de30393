"""Texts with a label: rows of a table, or text files in a directory for each label."""

import re
from pathlib import Path
from typing import NamedTuple

from zoo.datasets.readers.tables import TABLE, read_table
from zoo.errors import DataError


class LabeledText(NamedTuple):
    """A text with its label.

    Attributes:
        location: File and line, for messages.
        text: The text.
        label: Name of the label.
    """

    location: str
    text: str
    label: str


def read_text_table(path: Path, text_column: str, label_column: str) -> list[LabeledText]:
    """Read a table with a header and a text in each row.

    Args:
        path: CSV or TSV file.
        text_column: Name of the column of the texts.
        label_column: Name of the column of the labels.

    Raises:
        DataError: The file is no table, or it lacks a column, rows or labels.
    """
    if not re.search(TABLE, path.name):
        raise DataError(f"{path}: expected a file .tsv or .csv, perhaps with .gz, .xz or .bz2.")
    table = read_table(path, lambda cells: True)
    text, label = table.find_column(text_column), table.find_column(label_column)
    if table.header and (text is None or label is None):
        raise DataError(
            f"{path}: found the columns {', '.join(table.header)[:200]}. Expected a header with the columns "
            f"{text_column} and {label_column}. Add the header, or name your columns with --text-column and "
            "--label-column."
        )
    texts = [
        LabeledText(f"{path}, line {line}", cells[text or 0], cells[label or 0]) for line, cells in table.rows
    ]
    for location, _, name in texts:
        if not name:
            raise DataError(f"{location}: found no label in the column {label_column}. Add it.")
    if not texts:
        raise DataError(f"{path} contains no examples. Expected a header and a row for each example.")
    return texts


def read_text_directory(directory: Path) -> list[LabeledText]:
    """Read files `<label>/*.txt`, as in aclImdb, except those in `unsup`, which have no label.

    Raises:
        DataError: There are no such files.
    """
    texts = [
        # Bytes, because text mode would replace lone carriage returns.
        LabeledText(str(path), path.read_bytes().strip().decode("utf-8-sig", "replace"), path.parent.name)
        for path in sorted(directory.glob("*/*.txt"))
        if path.parent.name != "unsup"
    ]
    if not texts:
        raise DataError(f"{directory} contains no examples. Expected files <label>/*.txt.")
    return texts
