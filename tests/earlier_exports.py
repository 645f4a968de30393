"""Exports as earlier versions of the library wrote them."""

import json
from pathlib import Path

from zoo.card import FILE, PAGE
from zoo.files import sha256
from zoo.manifest import MANIFEST, list_files


def move_hashes_to_card(directory: Path) -> None:
    """Remove the manifest of an export, and state the hashes of its files on its card."""
    (directory / MANIFEST).unlink()
    names = [name for name in list_files(directory) if name not in (FILE, PAGE)]
    card = json.loads((directory / FILE).read_text(encoding="utf-8"))
    card["sha256"] = {name: sha256(directory / name) for name in names}
    (directory / FILE).write_text(json.dumps(card), encoding="utf-8")
