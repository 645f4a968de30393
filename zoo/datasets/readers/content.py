"""Where a data set is, and the bytes of its files: every reader gets them here."""

import os
from pathlib import Path

from zoo.datasets.fingerprint import note_file
from zoo.errors import DataError
from zoo.paths import abbreviate_path, find_path_kind, parse_path
from zoo.user_files import read_file


def find_dataset(name: str | os.PathLike[str]) -> Path | None:
    """Return the file or directory that a user names as data set; None if there is nothing, as at a name of TFDS.

    Raises:
        PathError: it is no path, or what is there is no file or directory.
        DataError: it is a pipe, which cannot be read again to see whether the data have changed.
    """
    path = parse_path(name, "dataset")
    kind = find_path_kind(path, "dataset")
    if kind == "pipe":
        raise DataError(
            f"dataset: {abbreviate_path(path)} is a pipe. Expected a file or directory, which can be read again. Write "
            "its output to a file, and name that."
        )
    return path if kind else None


def read_content(path: Path) -> bytes:
    """Return the content of a file, as it is on the disk, and note the file for the fingerprint of the data.

    Args:
        path: the file.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    note_file(path)
    return read_file(path)
