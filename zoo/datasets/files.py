"""What the readers of users' own files share: names of splits, encodings, compression, tables, labels."""

import bz2
import contextlib
import csv
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from zoo.errors import DataError

SPLITS = {"train": "train", "validation": "validation|valid|val|dev", "test": "test"}
"""Each split, and what a file or folder of it may be called, as a regular expression."""

COMPRESSION = r"(\.gz|\.xz|\.bz2)?"
TABLE = rf"\.(tsv|csv){COMPRESSION}$"
"""How the name of a table ends, as a regular expression."""

BROKEN = (EOFError, OSError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged file raises."""

_OPEN = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def open_text(path: Path, newline: str) -> TextIO:
    """Opens a text file by its compression: UTF-8, with or without a byte order mark."""
    opener = _OPEN.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8-sig", errors="replace", newline=newline)


def foreign(texts: Iterable[str], source: str) -> list[str]:
    """A note where texts hold what is not UTF-8."""
    found = ["\N{REPLACEMENT CHARACTER}" in text for text in texts]
    if not any(found):
        return []
    return [
        f"In {source} {sum(found):,} of {len(found):,} texts hold bytes that are not UTF-8. If the file has "
        "another encoding, convert it, as iconv does."
    ]


def decompressed(name: str, content: bytes) -> bytes:
    """The content of a file by the compression that its name tells."""
    return {".gz": gzip.decompress, ".xz": lzma.decompress, ".bz2": bz2.decompress}.get(
        Path(name).suffix, bytes
    )(content)


def of_splits(paths: Iterable[Path], ending: str = "") -> dict[str, Path]:
    """The paths that are called as a split is, with an ending that is a regular expression, by split.

    Raises:
        DataError: There are two for a split.
    """
    paths, found = sorted(paths), {}
    for split, names in SPLITS.items():
        own = [path for path in paths if re.fullmatch(f"({names}){ending}", path.name)]
        if len(own) > 1:
            both = " and ".join(path.name for path in own)
            raise DataError(f"{own[0].parent}: {both} could each be the {split} split. Leave one of them.")
        if own:
            found[split] = own[0]
    return found


def read_table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Reads the rows of a TSV or CSV file, but for empty lines: the number of the line, and the cells.

    TSV has no quoting: tabs and newlines only separate.

    Raises:
        DataError: The file is damaged.
    """
    number, is_tsv = 0, re.search(TABLE, path.name)[1] == "tsv"
    try:
        with open_text(path, newline="\n" if is_tsv else "") as file:
            for number, cells in _tsv(file) if is_tsv else _csv(file):
                yield number, cells
    except (csv.Error, *BROKEN) as error:
        raise DataError(
            f"{path} cannot be read beyond line {number}: {error}. Correct or replace the file."
        ) from error


def _tsv(file: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(file, 1):
        if line := line.removesuffix("\n").removesuffix("\r"):
            yield number, line.split("\t")


def _csv(file: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(file, strict=True)
    for cells in reader:
        if cells:
            yield reader.line_num, cells


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Each label once, sorted as text unless all are whole numbers."""
    found = sorted(set(labels))
    with contextlib.suppress(ValueError):
        found.sort(key=int)
    return tuple(found)
