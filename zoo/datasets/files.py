"""What the readers of users' own files share: names of splits, encodings, compression."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import TextIO

SPLITS = {"train": "train", "validation": "validation|valid|val|dev", "test": "test"}
"""Each split, and what a file or folder of it may be called, as a regular expression."""

COMPRESSION = r"(\.gz|\.xz|\.bz2)?"
BROKEN = (EOFError, OSError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged file raises."""

_OPEN = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def open_text(path: Path, newline: str) -> TextIO:
    """Opens a text file by its compression: UTF-8, with or without a byte order mark."""
    opener = _OPEN.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8-sig", errors="replace", newline=newline)


def decompressed(name: str, content: bytes) -> bytes:
    """The content of a file by the compression that its name tells."""
    return {".gz": gzip.decompress, ".xz": lzma.decompress, ".bz2": bz2.decompress}.get(
        Path(name).suffix, bytes
    )(content)
