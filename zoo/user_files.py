"""The content of files that users name: opened, unpacked and parsed here alone, with limits.

Whatever the operating system, a codec or a parser says about such a file becomes a `DataError` with the name of the
file, what was found, what was expected and what to do. The limits keep memory and time in proportion to the size of
what a user has on disk:

| limit | against |
| --- | --- |
| `MAX_RATIO` between unpacked and packed bytes | small archives that unpack to gigabytes |
| `MAX_LINE` characters in a line or cell | a file without line ends; a quote that is never closed |
| `MAX_FILES` in a directory, links in circles left out | directories that link to each other |
| the depth that Python's parser of JSON has | lists in lists in lists |
"""

import bz2
import contextlib
import errno
import fnmatch
import gzip
import io
import json
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from zoo.errors import DataError
from zoo.paths import abbreviate_path, find_path_kind

COMPRESSION = r"(?i:(\.gz|\.xz|\.bz2)?)"
"""Suffix of a compressed file, as a regular expression."""

TABLE = rf"(?i:\.(tsv|csv)){COMPRESSION}$"
"""Suffix of a table, as a regular expression; it may be compressed."""

MAX_RATIO = 200
"""Bytes that a packed byte may unpack to. Texts have 3 to 10, long tables of equal rows about 100."""

MIN_CHECKED = 8 << 20
"""Bytes that anything may unpack to, whatever the ratio."""

MAX_LINE = 10_000_000
"""Characters of a line or cell: more than any book has."""

MAX_FILES = 2_000_000
"""Files and directories that are listed."""

_UNREADABLE = (
    EOFError,
    OSError,
    NotImplementedError,  # of zips with another compression
    RuntimeError,  # of encrypted zips
    OverflowError,  # of damaged zips
    ValueError,  # of names and headers that cannot be decoded
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_CHUNK = 1 << 20  # bytes
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_IS_ENCRYPTED = 1  # bit of a member's flags


@contextlib.contextmanager
def report_unreadable(name: Path | str) -> Iterator[None]:
    """Turn what goes wrong while a file is read into `DataError`.

    Args:
        name: the file that the block reads.
    """
    try:
        yield
    except DataError:
        raise
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error)[:200]
        raise DataError(
            f"{abbreviate_path(name)} cannot be read: {reason}. Correct or replace the file."
        ) from error


def read_file(path: Path) -> bytes:
    """Return the content of a file, as it is on the disk.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    with open_file(path) as file:
        return file.read()


@contextlib.contextmanager
def open_file(path: Path, *, unpack: bool = False) -> Iterator[BinaryIO]:
    """Open a file as a stream of bytes. Within the context, errors of reading it are raised as `DataError`.

    Args:
        path: the file. Pipes are refused: training reads files again, to see whether they have changed.
        unpack: whether to decompress a file with the suffix .gz, .xz or .bz2, within `MAX_RATIO`.

    Raises:
        DataError: there is no such file, it cannot be read, or it unpacks to too much.
    """
    kind = find_path_kind(path)
    if kind in ("directory", "pipe"):
        advice = " Write its output to a file first." if kind == "pipe" else ""
        raise DataError(f"{abbreviate_path(path)} is a {kind}. Expected a file.{advice} Name a file.")
    with report_unreadable(path), path.open("rb") as file:
        opener = _OPENERS.get(path.suffix.lower()) if unpack else None
        if opener is None:
            yield file
        else:
            limit = max(MIN_CHECKED, MAX_RATIO * os.fstat(file.fileno()).st_size)
            with (
                opener(file, "rb") as unpacked,
                io.BufferedReader(_Limited(unpacked, path, limit)) as limited,
            ):
                yield limited


def unpack_content(name: Path | str, content: bytes) -> bytes:
    """Return content decompressed, if the name of its file has the suffix .gz, .xz or .bz2.

    Args:
        name: name of the file.
        content: its content.

    Raises:
        DataError: the content is corrupt or unpacks to more than `MAX_RATIO` permits.
    """
    opener = _OPENERS.get(Path(name).suffix.lower())
    if opener is None:
        return content
    limit = max(MIN_CHECKED, MAX_RATIO * len(content))
    with report_unreadable(name), opener(io.BytesIO(content), "rb") as unpacked:
        return _Limited(unpacked, name, limit).readall()


class _Limited(io.RawIOBase):
    """A stream that may return so many bytes, and raises an error instead of more.

    Args:
        stream: what to read.
        name: its file, for the error.
        limit: number of bytes.
    """

    def __init__(self, stream: BinaryIO, name: Path | str, limit: int) -> None:
        super().__init__()
        self._stream, self._name, self._limit, self._count = stream, name, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(min(len(buffer), _CHUNK))
        buffer[: len(content)] = content
        self._count += len(content)
        if self._count > self._limit:
            raise _make_ratio_error(self._name, f"more than {self._limit:,} bytes")
        return len(content)


def _make_ratio_error(name: Path | str, found: str) -> DataError:
    return DataError(
        f"{abbreviate_path(name)} unpacks to {found}. Expected at most {MAX_RATIO} times its packed size, or "
        f"{MIN_CHECKED >> 20} MB. If that is what it should contain, unpack it and name the unpacked file."
    )


class ZipFiles:
    """The files in a zip.

    Args:
        path: the zip.

    Attributes:
        sizes: size and checksum of each file by its name, without hidden ones.

    Raises:
        DataError: it is no zip, is damaged or encrypted, or has a compression that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        find_path_kind(path)
        with report_unreadable(path):
            self._archive = zipfile.ZipFile(path)
        self.sizes: dict[str, tuple[int, int]] = {}
        for member in self._archive.infolist():
            name = member.filename
            if member.is_dir() or re.search(r"(^|/)(\.|__MACOSX/)", name):
                continue
            where = f"{abbreviate_path(path)}/{abbreviate_path(name)}"
            if member.flag_bits & _IS_ENCRYPTED:
                raise DataError(f"{where} is encrypted. Expected a zip without a password. Unpack the zip.")
            if member.compress_type not in _ZIP_METHODS:
                raise DataError(
                    f"{where} is compressed by method {member.compress_type} of zip, which cannot be read. Expected "
                    "deflate, bzip2 or LZMA. Unpack the zip, or pack it with another program."
                )
            if self.sizes.get(name, state := (member.file_size, member.CRC)) != state:
                raise DataError(
                    f"{where} is in the zip twice, with other content. Expected it once. Pack it again."
                )
            self.sizes[name] = state

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            DataError: it is corrupt or unpacks to more than `MAX_RATIO` permits.
        """
        where = f"{self.path}/{name}"
        with report_unreadable(where):
            member = self._archive.getinfo(name)
            if member.file_size > max(MIN_CHECKED, MAX_RATIO * member.compress_size):
                raise _make_ratio_error(where, f"{member.file_size:,} bytes")
            return self._archive.read(member)


def list_files(directory: Path) -> list[Path]:
    """Return all files in a directory and those below, sorted, without hidden ones; links are followed.

    Devices and pipes are left out, and so are directories that lead back to one above, and links to themselves.

    Raises:
        DataError: a directory cannot be read, or there are more than `MAX_FILES`.
    """
    files: list[Path] = []
    num_listed = 0
    above: dict[str, frozenset[tuple[int, int]]] = {str(directory): frozenset()}
    with report_unreadable(directory):
        while above:
            parent, ancestors = above.popitem()
            status = os.stat(parent)
            ancestors |= {(status.st_dev, status.st_ino)}
            with os.scandir(parent) as entries:
                for entry in entries:
                    num_listed += 1
                    if entry.name.startswith(".") or _leads_to_itself(entry):
                        continue
                    if entry.is_file():
                        files.append(Path(entry.path))
                    elif entry.is_dir() and _get_id(entry) not in ancestors:
                        above[entry.path] = ancestors
            if num_listed > MAX_FILES:
                raise DataError(
                    f"{abbreviate_path(directory)} contains more than {MAX_FILES:,} files. Expected at most so many; "
                    "links between directories count each time. Name a smaller directory."
                )
    return sorted(files)


def find_files(pattern: Path) -> list[Path]:
    """Return the files whose path matches a pattern with `*`, `?` and `[`; `**` stands for any directories.

    Raises:
        DataError: the directory with which the pattern begins cannot be read, or has more than `MAX_FILES`.
    """
    parts = pattern.parts
    fixed = next((place for place, part in enumerate(parts) if re.search(r"[*?[]", part)), len(parts) - 1)
    root, segments = Path(*parts[:fixed]), parts[fixed:]
    files = list_files(root) if root.is_dir() else []
    return [file for file in files if _matches(file.relative_to(root).parts, segments)]


def _matches(parts: Sequence[str], segments: Sequence[str]) -> bool:
    if not segments:
        return not parts
    first, *others = segments
    if first == "**":
        if others and others[0] == "**":
            return _matches(parts, others)
        return any(_matches(parts[start:], others) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], first) and _matches(parts[1:], others)


def _leads_to_itself(entry: "os.DirEntry[str]") -> bool:
    try:
        if entry.is_symlink():
            entry.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _get_id(entry: "os.DirEntry[str]") -> tuple[int, int]:
    status = entry.stat()
    return status.st_dev, status.st_ino


def split_lines(name: Path | str, text: str) -> list[str]:
    r"""Return the lines of a text, which end with `\n` or `\r\n`, or with `\r` if there is no `\n`.

    Args:
        name: its file.
        text: the text. A line end at its end begins no further line.

    Raises:
        DataError: a line has more than `MAX_LINE` characters.

    >>> split_lines("a.txt", "one\r\ntwo\n\n")
    ['one', 'two', '']
    """
    if not text:
        return []
    ending = "\n" if "\n" in text else "\r"
    lines = [line.removesuffix("\r") for line in text.removesuffix(ending).split(ending)]
    if max(map(len, lines)) > MAX_LINE:
        number = next(number for number, line in enumerate(lines, 1) if len(line) > MAX_LINE)
        raise DataError(
            f"{abbreviate_path(name)}, line {number:,}: found {len(lines[number - 1]):,} characters: "
            f"{lines[number - 1][:60]!r}. Expected at most {MAX_LINE:,}. Split or shorten the line."
        )
    return lines


def parse_json(name: Path | str, text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        DataError: it is no JSON, is nested too deeply, or has a name twice in an object.
    """

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise DataError(
                f"{name}: found {twice!r} twice in an object. Expected it once. Correct the file."
            )
        return content

    def refuse_constant(constant: str) -> None:
        raise DataError(f"{name}: found {constant}, which is not JSON. Expected a number. Correct the file.")

    try:
        return json.loads(text, object_pairs_hook=make_object, parse_constant=refuse_constant)
    except DataError:
        raise
    except json.JSONDecodeError as error:
        raise DataError(
            f"{name}, line {error.lineno:,}, column {error.colno:,}: found no valid JSON: {error.msg}. Correct or "
            "replace the file."
        ) from error
    except RecursionError as error:
        raise DataError(
            f"{name}: found lists or objects that are nested too deeply. Expected some levels. Replace the file."
        ) from error
    except ValueError as error:  # a number of more digits than Python converts
        raise DataError(f"{name}: found a number that is too long: {error}. Correct it.") from error
