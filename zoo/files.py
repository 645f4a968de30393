"""Files that are made once and kept: whole or not at all, whoever else makes the same ones."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4


def sha256(file: Path) -> str:
    """The hash of what is in a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """A name of its own to write to, which then becomes the file; if something goes wrong nothing is left."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{uuid4().hex}.{file.name}")
    try:
        yield new
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def keep(file: Path, facts: Mapping[str, Any]) -> None:
    """Write down what is to be known of a file, beside it."""
    with whole(file.with_suffix(".json")) as new:
        new.write_text(json.dumps({**facts, "sha256": sha256(file)}), encoding="utf-8")


def kept(file: Path) -> dict[str, Any] | None:
    """What is known of a file; None if it is not there, or is damaged, which is told."""
    about = file.with_suffix(".json")
    if not (file.exists() and about.exists()):
        return None
    try:
        known = json.loads(about.read_text(encoding="utf-8"))
        if known["sha256"] == sha256(file):
            return known
    except (ValueError, KeyError, TypeError):  # the facts are cut
        pass
    print(f"{file} is damaged, and made anew")
    return None
