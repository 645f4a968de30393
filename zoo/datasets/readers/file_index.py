"""The files of a directory or a zip, with those in zips inside."""

import re
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from zoo.datasets.fingerprint import note_file
from zoo.datasets.readers.content import read_content
from zoo.datasets.readers.text_files import read_text, report_unreadable


class FileIndex:
    """All files of a directory or a zip, also those in zips in the directory, by their relative path.

    Args:
        path: A directory, or a zip.

    Attributes:
        paths: Path of each file that is on disk, by name. The others are members of zips.
    """

    def __init__(self, path: Path) -> None:
        self.paths: dict[str, Path] = {}
        self._readers: dict[str, Callable[[], bytes]] = {}
        self._names: dict[str, list[str]] = {}
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_file():
                continue
            if file.suffix == ".zip":
                self._add_zip(file)
            else:
                name = str(file.relative_to(path))
                self.paths[name] = file
                self._add(name, partial(read_content, file))

    def _add_zip(self, path: Path) -> None:
        with report_unreadable(path):
            note_file(path)
            archive = zipfile.ZipFile(path)
        for name in archive.namelist():
            if not name.endswith("/"):
                self._add(name, partial(archive.read, name))

    def _add(self, name: str, read: Callable[[], bytes]) -> None:
        self._readers[name] = read
        self._names.setdefault(Path(name).name, []).append(name)

    def search(self, pattern: str) -> list[str]:
        """Return the sorted names in which a regular expression occurs, without hidden files."""
        hidden = r"(^|/)[._]"  # such as __MACOSX and ._name
        return sorted(
            name for name in self._readers if re.search(pattern, name) and not re.search(hidden, name)
        )

    def find(self, name: str) -> str | None:
        """Return the name of a file, by its relative path or else by a file name that only one file has."""
        same = self._names.get(Path(name).name, [])
        return name if name in self._readers else same[0] if len(same) == 1 else None

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return self._readers[name]()

    def read_text(self, name: str, encoding: str | None = None) -> str:
        """Return the text of a file, decompressed.

        Args:
            name: Name of the file.
            encoding: Encoding of the file; see `zoo.datasets.readers.text_files.read_text`.

        Raises:
            DataError: The file is corrupt or in another encoding.
        """
        with report_unreadable(name):
            content = self.read(name)
        return read_text(name, content, encoding).text
