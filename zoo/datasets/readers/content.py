"""The bytes of a user's files: every reader gets them here."""

from pathlib import Path


def read_content(path: Path) -> bytes:
    """Return the content of a file, as it is on the disk.

    Whatever is to be known about the data that a run has read, such as a fingerprint, belongs here.

    Args:
        path: The file.

    Raises:
        OSError: The file cannot be read.
    """
    return path.read_bytes()
