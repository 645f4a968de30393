"""Files: atomic writes, checksums, natural order of names."""

import errno
import hashlib
import json
import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

logger = logging.getLogger(__name__)


def sha256(path: Path) -> str:
    """Return the SHA-256 hash of a file's content, in hexadecimal.

    Args:
        path: the file, of any size: it is read in parts.

    Returns:
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def get_file_size(path: Path) -> int:
    """Return the number of bytes of a regular file, links followed.

    Raises:
        OSError: there is no file, or something that may have no end, such as a pipe or a device.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "It is no regular file", os.fspath(path))
    return status.st_size


def read_regular_file(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file that others may have made: nothing else is opened, and no more is read.

    Args:
        path: the file.
        max_bytes: the size that is accepted.

    Raises:
        OSError: there is no file, it is no regular file, or it is larger.
    """
    get_file_size(path)
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"It has more than {max_bytes:,} bytes", os.fspath(path))
    return content


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file completely or not at all.

    The block writes to a temporary file in the same directory, which is synchronized with the disk and replaces
    `path` when the block ends, and is deleted if the block raises. Several processes may write the same file at
    the same time.

    Args:
        path: the file to write. Missing parent directories are created.

    Yields:
        The path of the temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid4().hex}.{path.name[-50:]}")  # which is longer than some names may be
    try:
        yield temporary
        sync_to_disk(temporary)
        temporary.replace(path)
        sync_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_to_disk(path: Path) -> None:
    """Wait until a file, or the list of files in a directory, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Mapping[str, Any]) -> str:
    """Write a JSON file that contains the hash of its content, completely or not at all.

    Args:
        path: the file to write.
        content: JSON values by name, without the name "digest".

    Returns:
        The hash, in hexadecimal.
    """
    digest = _hash_json(content)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({**content, "digest": digest}, indent=2) + "\n", encoding="utf-8")
    return digest


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that `write_json` wrote.

    Returns:
        The content, with its hash as "digest".

    Raises:
        CorruptFileError: the file is missing, cannot be read, or does not have the content that was written.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        digest = content.pop("digest")
    except FileNotFoundError as error:
        raise CorruptFileError(f"{path} is missing.") from error
    except OSError as error:
        raise CorruptFileError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        state = "corrupt" if path.stat().st_size else "empty"
        raise CorruptFileError(f"{path} is {state}.") from error
    if digest != _hash_json(content):
        raise CorruptFileError(f"{path} is corrupt: its content has changed since it was written.")
    return {**content, "digest": digest}


class CorruptFileError(Exception):
    """A file is missing, or does not have the content that was written."""


def _hash_json(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_with_checksum(path: Path, metadata: Mapping[str, Any]) -> None:
    """Store the checksum of an existing file, and metadata about it, in a JSON file beside it.

    The JSON file has the name of `path` with the suffix `.json`. Write `path` itself first, with
    `atomic_write`.

    Args:
        path: the file that the metadata describe.
        metadata: what `read_with_checksum` is to return; must be JSON.
    """
    write_json(path.with_suffix(".json"), {**metadata, "sha256": sha256(path)})


def read_with_checksum(path: Path) -> dict[str, Any] | None:
    """Check a file and its metadata against their stored checksums and return the metadata.

    Logs a warning if the file or its metadata are corrupt.

    Args:
        path: a file for which `write_with_checksum` was called.

    Returns:
        The metadata, with the checksum as "sha256"; None if the file is missing or corrupt.
    """
    metadata_path = path.with_suffix(".json")
    if not (path.exists() and metadata_path.exists()):
        return None
    try:
        metadata = read_json(metadata_path)
        del metadata["digest"]
        if metadata["sha256"] == sha256(path):
            return metadata
    except CorruptFileError:
        pass
    logger.warning("%s is corrupt; rebuilding it", path)
    return None


def natural_sort_key(name: str) -> tuple[list[str | int], str]:
    """Return a key that sorts names with their numbers in numerical order.

    Args:
        name: a file name or any other text.

    Returns:
        A key for `sorted` and `list.sort`.

    >>> sorted(["frame_10.jpg", "frame_2.jpg"], key=natural_sort_key)
    ['frame_2.jpg', 'frame_10.jpg']
    """
    parts = re.split(r"(\d+)", name)  # every second part is a number
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name
