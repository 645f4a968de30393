"""Writes the files of data sets."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_files(directory: Path, files: Mapping[str, bytes | str]) -> str:
    """Write files with their directories; return the path of the directory, as a user writes it."""
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(directory)


def zip_files(files: Mapping[str, bytes | str]) -> bytes:
    """Return the content of a zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
