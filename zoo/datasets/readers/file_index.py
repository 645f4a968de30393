"""The files of a directory or a zip, with those in zips inside."""

import re
from collections.abc import Callable, Container
from functools import partial
from pathlib import Path

from zoo.datasets.fingerprint import note_file
from zoo.datasets.readers.content import read_content
from zoo.datasets.readers.text_files import read_text
from zoo.errors import DataError
from zoo.user_files import ZipFiles, list_files


class FileIndex:
    """All files of a directory or a zip, also those in zips in the directory, by their relative path.

    Args:
        path: a directory, or a zip.

    Attributes:
        paths: path of each file that is on disk, by name. The others are members of zips.

    Raises:
        DataError: a directory or zip cannot be read, or two different files have the same name.
    """

    def __init__(self, path: Path) -> None:
        self.paths: dict[str, Path] = {}
        self._readers: dict[str, Callable[[], bytes]] = {}
        self._names: dict[str, list[str]] = {}
        self._states: dict[str, tuple[Path, int, int]] = {}
        files = list_files(path) if path.is_dir() else [path]
        for file in files:
            if file.suffix.lower() != ".zip":
                name = str(file.relative_to(path))
                self.paths[name] = file
                self._add(name, partial(read_content, file))
        for file in files:
            if file.suffix.lower() == ".zip":
                self._add_zip(file)

    def _add_zip(self, path: Path) -> None:
        note_file(path)
        archive = ZipFiles(path)
        for name, (size, checksum) in archive.sizes.items():
            if name in self.paths:  # of the same size, it is the member unpacked
                other, is_same = self.paths[name], self.paths[name].stat().st_size == size
            else:
                other, *state = self._states.setdefault(name, (path, size, checksum))
                is_same = state == [size, checksum]
            if not is_same:
                raise DataError(
                    f"{other} and {path} contain {name}, and the two differ. Expected a file of that name once. "
                    "Remove or rename one of them."
                )
            if name not in self._readers:
                self._add(name, partial(archive.read, name))

    def _add(self, name: str, read: Callable[[], bytes]) -> None:
        self._readers[name] = read
        self._names.setdefault(Path(name).name, []).append(name)

    def search(self, pattern: str, but: Container[str] = ()) -> list[str]:
        """Return the sorted names in which a regular expression occurs, without hidden files.

        Args:
            pattern: the regular expression.
            but: names to leave out.
        """
        hidden = r"(^|/)[._]"  # such as __MACOSX and ._name
        return sorted(
            name
            for name in self._readers
            if name not in but and re.search(pattern, name) and not re.search(hidden, name)
        )

    def find(self, name: str) -> str | None:
        """Return the name of a file, by its relative path or else by a file name that only one file has."""
        same = self._names.get(Path(name).name, [])
        return name if name in self._readers else same[0] if len(same) == 1 else None

    def is_ambiguous(self, name: str) -> bool:
        """Return whether several files have the file name of a path."""
        return len(self._names.get(Path(name).name, [])) > 1

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            DataError: it cannot be read.
        """
        return self._readers[name]()

    def read_text(self, name: str, encoding: str | None = None) -> str:
        """Return the text of a file, decompressed.

        Args:
            name: name of the file.
            encoding: encoding of the file; see `zoo.datasets.readers.text_files.read_text`.

        Raises:
            DataError: the file is corrupt or in another encoding.
        """
        return read_text(name, self.read(name), encoding).text
