"""Files: atomic writes, checksums, natural order of names."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

logger = logging.getLogger(__name__)


def sha256(path: Path) -> str:
    """Return the SHA-256 hash of a file's content, in hexadecimal.

    Args:
        path: The file, of any size: it is read in parts.

    Returns:
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file completely or not at all.

    The block writes to a temporary file in the same directory, which replaces `path` when the block ends and
    is deleted if the block raises. Several processes may write the same file at the same time.

    Args:
        path: The file to write. Missing parent directories are created.

    Yields:
        The path of the temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid4().hex}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_with_checksum(path: Path, metadata: Mapping[str, Any]) -> None:
    """Store the checksum of an existing file, and metadata about it, in a JSON file beside it.

    The JSON file has the name of `path` with the suffix `.json`. Write `path` itself first, with
    `atomic_write`.

    Args:
        path: The file that the metadata describe.
        metadata: What `read_with_checksum` is to return; must be JSON.
    """
    with atomic_write(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps({**metadata, "sha256": sha256(path)}), encoding="utf-8")


def read_with_checksum(path: Path) -> dict[str, Any] | None:
    """Check a file against its stored checksum and return its metadata.

    Logs a warning if the file or its metadata are corrupt.

    Args:
        path: A file for which `write_with_checksum` was called.

    Returns:
        The metadata, with the checksum as "sha256"; None if the file is missing or corrupt.
    """
    metadata_path = path.with_suffix(".json")
    if not (path.exists() and metadata_path.exists()):
        return None
    try:
        metadata: dict[str, Any] = json.loads(metadata_path.read_text(encoding="utf-8"))
        if metadata["sha256"] == sha256(path):
            return metadata
    except (ValueError, KeyError, TypeError):  # truncated metadata
        pass
    logger.warning("%s is corrupt; rebuilding it", path)
    return None


def natural_sort_key(name: str) -> tuple[list[str | int], str]:
    """Return a key that sorts names with their numbers in numerical order.

    Args:
        name: A file name or any other text.

    Returns:
        A key for `sorted` and `list.sort`.

    >>> sorted(["frame_10.jpg", "frame_2.jpg"], key=natural_sort_key)
    ['frame_2.jpg', 'frame_10.jpg']
    """
    parts = re.split(r"(\d+)", name)  # every second part is a number
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name
