"""Texts with a label: rows of a table, or text files in a directory for each label."""

import re
from pathlib import Path
from typing import NamedTuple

from zoo.datasets.messages import suggest_names
from zoo.datasets.readers.tables import find_names, log_tables, read_table
from zoo.datasets.readers.text_files import read_text
from zoo.errors import DataError
from zoo.user_files import COMPRESSION, TABLE, list_files

_SPACES = " \t\n\r\f\v"


class LabeledText(NamedTuple):
    """A text with its label.

    Attributes:
        location: file and line, for messages.
        text: the text.
        label: name of the label.
    """

    location: str
    text: str
    label: str


def read_text_table(
    path: Path, text_column: str, label_column: str, encoding: str | None = None
) -> tuple[list[LabeledText], list[str]]:
    """Read a table with a header and a text in each row.

    Args:
        path: CSV or TSV file.
        text_column: name of the column of the texts.
        label_column: name of the column of the labels, which are read without surrounding spaces.
        encoding: encoding of the file; see `read_text`.

    Returns:
        The texts, and a note on other columns if there are any.

    Raises:
        DataError: the file is no table, or it lacks a column, rows or labels.
    """
    if not re.search(TABLE, path.name):
        raise DataError(
            f"{path}: found a file of another kind. Expected .tsv or .csv, perhaps with .gz, .xz or .bz2. Save "
            "a spreadsheet as CSV."
        )

    def has_columns(cells: list[str]) -> bool:
        return bool(find_names(cells, text_column) and find_names(cells, label_column))

    table = read_table(path, lambda cells: True, has_columns, encoding=encoding)
    text, label = table.find_column(text_column), table.find_column(label_column)
    if table.header and (text is None or label is None or text == label):
        absent = [name for name, place in ((text_column, text), (label_column, label)) if place is None]
        raise DataError(
            f"{path}: found the columns {', '.join(table.header)[:200]}, {table.format}. Expected a header "
            f"with the columns {text_column} and {label_column}. {suggest_names(absent, table.header)}"
            "Add the header, or name your columns with --text-column and --label-column."
        )
    texts = [
        LabeledText(f"{path}, line {line:,}", cells[text or 0], cells[label or 0].strip())
        for line, cells in table.rows
    ]
    if missing := [location for location, _, name in texts if not name]:
        raise DataError(
            f"{missing[0]}: found no label in the column {label_column}, in {len(missing):,} of {len(texts):,} "
            "rows. Expected a label in each row. Add the labels, or remove the rows."
        )
    if broken := next((text for text in texts if "\n" in text.label), None):
        raise DataError(
            f"{broken.location}: found the label {broken.label[:60]!r} of several lines. Expected one line. Close the "
            'quote ("), or correct the label.'
        )
    if not texts:
        raise DataError(f"{path} contains no examples. Expected a header and a row for each example.")
    log_tables([table])
    return texts, table.note_other_columns(text, label)


def read_text_directory(directory: Path, encoding: str | None = None) -> tuple[list[LabeledText], list[str]]:
    """Read files `<label>/*.txt`, as in aclImdb, except those in `unsup`, which have no label.

    Args:
        directory: contains a directory for each label.
        encoding: encoding of the files; see `read_text`.

    Returns:
        The texts, and the names of all other files, of those in `unsup` only of the directory.

    Raises:
        DataError: there are no such files, or one is in another encoding.
    """
    texts, left_out = [], []
    for path in list_files(directory):
        label, *inside = path.relative_to(directory).parts
        if (
            label != "unsup"
            and len(inside) == 1
            and re.search(rf"\.txt{COMPRESSION}$", path.name, re.IGNORECASE)
        ):
            text = read_text(path, encoding=encoding).text
            texts.append(LabeledText(str(path), text.strip(_SPACES), label))
        else:
            is_unlabeled = label == "unsup" and inside
            left_out.append(label if is_unlabeled else path.relative_to(directory).as_posix())
    if not texts:
        raise DataError(f"{directory} contains no examples. Expected files <label>/*.txt.")
    return texts, list(dict.fromkeys(left_out))
