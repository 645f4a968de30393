"""The bytes of a user's files: every reader gets them here."""

from pathlib import Path

from zoo.datasets.fingerprint import note_file


def read_content(path: Path) -> bytes:
    """Return the content of a file, as it is on the disk, and note the file for the fingerprint of the data.

    Args:
        path: The file.

    Raises:
        OSError: The file cannot be read.
    """
    note_file(path)
    return path.read_bytes()
