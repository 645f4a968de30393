"""Text files in UTF-8, which may be compressed or a member of a zip."""

import bz2
import contextlib
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from zoo.datasets.messages import count_noun
from zoo.errors import DataError

COMPRESSION = r"(\.gz|\.xz|\.bz2)?"
"""Suffix of a compressed file, as a regular expression."""

UNREADABLE = (EOFError, OSError, RuntimeError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
"""Errors of corrupt files; `RuntimeError` of encrypted members of zips."""

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def open_text(path: Path | str, content: bytes | None = None, newline: str = "\n") -> TextIO:
    """Open a text file in UTF-8, with or without a byte order mark, by the compression in its name.

    Bytes that are not UTF-8 become the replacement character.

    Args:
        path: The file.
        content: Its content, if it is not on disk but a member of a zip.
        newline: What ends a line, as of `open`.
    """
    opener = _OPENERS.get(Path(path).suffix, open)
    if content is None:
        stream = opener(path, "rb")
    else:
        stream = io.BytesIO(content) if opener is open else opener(io.BytesIO(content), "rb")
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=newline)


@contextlib.contextmanager
def report_unreadable(path: Path | str) -> Iterator[None]:
    """Turn errors of reading a corrupt file into `DataError`.

    Args:
        path: The file that the block reads.
    """
    try:
        yield
    except UNREADABLE as error:
        raise DataError(f"{path} cannot be read: {error}. Correct or replace the file.") from error


def note_invalid_utf8(texts: Iterable[str], source: str) -> list[str]:
    """Return a note if texts contained bytes that are not UTF-8, otherwise no note.

    Args:
        texts: Texts that were read with `open_text`.
        source: Where they are from.
    """
    is_invalid = ["\N{REPLACEMENT CHARACTER}" in text for text in texts]
    if not any(is_invalid):
        return []
    return [
        f"{source}: {sum(is_invalid):,} of {count_noun(len(is_invalid), 'text')} contain bytes that are not "
        "UTF-8. If the file has another encoding, convert it, for example with iconv."
    ]
