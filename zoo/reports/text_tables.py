"""Tables of examples in the run directory, for people to read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.files import atomic_write


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same columns as TSV without quoting; whitespace within a value is one space.

    Args:
        path: the file. Without rows it has no content.
        rows: values by the name of their column.
    """
    lines = [list(rows[0])] if rows else []
    lines += [[" ".join(str(value).split()) for value in row.values()] for row in rows]
    with atomic_write(path) as temporary:
        temporary.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
