"""Tables of tags, and of features with a tag: where they lie, and their rows and columns."""

import glob
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from zoo.datasets.files import TABLE, of_splits, read_table
from zoo.datasets.tfds_catalog import some
from zoo.errors import DataError
from zoo.files import natural_sort_key

SPANS = (("frame",), ("time",), ("start", "end"), ("start_frame", "end_frame"))
"""The columns that may tell which frames a row of tags is about."""

COLUMNS = f"the columns video, tag, and either {', or '.join(map(' and '.join, SPANS))}"
"""What a table of tags has, for a message."""

_NAMES = {
    "sequence": ("sequence", "video", "clip"),
    "tag": ("tag", "label", "phase", "class"),
    "time": ("time", "timestamp"),
}
_EXPECTED = (
    f"Expected videos or folders of numbered frames, and a .csv or .tsv with {COLUMNS}; or .csv or .tsv of "
    "features and a tag"
)


class Table(NamedTuple):
    """A table as it was read."""

    path: Path
    header: list[str]  # in lower case; empty where there is none
    rows: list[tuple[int, list[str]]]  # the number of the line, and the cells

    def column(self, name: str) -> int | None:
        """The place of the column that has the name, or another for the same, if any."""
        found = [place for place, own in enumerate(self.header) if own in _NAMES.get(name, (name,))]
        if len(found) > 1:
            both = " and ".join(self.header[place] for place in found)
            raise DataError(f"{self.path}: {both} could each be the {name}. Rename or remove one of them.")
        return found[0] if found else None

    @property
    def holds_tags_alone(self) -> bool:
        """Whether there is a header, and no column in it for features."""
        known = {name for names in (*SPANS, *_NAMES.values()) for name in names}
        return bool(self.header) and known.issuperset(self.header)

    @property
    def found(self) -> str:
        """What is in the header, for a message."""
        return f"the columns {', '.join(self.header)}" if self.header else "no header"


def read_tables(path: Path) -> dict[str, list[Table]]:
    """Reads the tables of a folder, a file or a pattern, by split; all are for training if none says so."""
    if not path.is_dir():
        found = {"train": [path] if path.exists() else map(Path, glob.glob(str(path), recursive=True))}
    elif "train" in (folders := of_splits(filter(Path.is_dir, path.iterdir()))):
        found = {split: folder.iterdir() for split, folder in folders.items()}
    elif "train" in (files := of_splits(path.iterdir(), TABLE)):
        found = {split: [file] for split, file in files.items()}
    else:
        found = {"train": path.iterdir()}
    tables = {split: [_read(file) for file in _tables(files)] for split, files in found.items()}
    if empty := [split for split, own in tables.items() if not own]:
        raise DataError(f"{path} holds no table for {' and '.join(empty)}. {_EXPECTED}.")
    return tables


def _tables(files: Iterable[Path]) -> list[Path]:
    tables = [file for file in files if re.search(TABLE, file.name) and file.name[0] != "."]
    return sorted(tables, key=lambda file: natural_sort_key(str(file)))


def _read(path: Path) -> Table:
    rows = [(line, [cell.strip() for cell in cells]) for line, cells in read_table(path)]
    rows, header = [(line, cells) for line, cells in rows if any(cells)], []
    if rows and _is_header(rows[0][1]):
        header = [cell.lower() for cell in rows.pop(0)[1]]
    if not rows:
        raise DataError(f"{path} holds no rows. {_EXPECTED}.")
    first = header or rows[0][1]
    for line, cells in rows:
        if len(cells) != len(first):
            raise DataError(
                f"{path}, line {line}: expected {len(first)} cells ({some(first)}), found {len(cells)}. "
                "Correct the line."
            )
    return Table(path, header, rows)


def _is_header(cells: list[str]) -> bool:
    return any(cell.lower() in _NAMES["tag"] for cell in cells) or not any(map(is_number, cells))


def is_number(cell: str) -> bool:
    """Whether a cell holds a finite number."""
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def tags_in(cell: str) -> tuple[str, ...]:
    """The tags of a cell."""
    return tuple(tag.strip() for tag in cell.split("|") if tag.strip())
