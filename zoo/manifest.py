"""The manifest of an export: the SHA-256 of each of its files, card and page included, in `SHA256SUMS`.

The file has the form of the command `sha256sum`, which checks it without this library: `sha256sum -c SHA256SUMS`. Its
own SHA-256 is the digest of the export: whoever knows it from elsewhere recognizes every change.

Exports of earlier versions have no manifest. The hashes of their files, without card and page, are on their cards.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.card import FILE, PAGE, ModelCard, format_page
from zoo.errors import UsageError
from zoo.files import atomic_write, sha256

MANIFEST = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_manifest(directory: Path) -> str:
    """Write the manifest of an export, all other files of which are written.

    Args:
        directory: directory of the export.

    Returns:
        The digest of the export, in hexadecimal.
    """
    lines = [f"{sha256(directory / name)}  {name}\n" for name in list_files(directory) if name != MANIFEST]
    with atomic_write(directory / MANIFEST) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")
    return compute_digest(directory)


def compute_digest(directory: Path) -> str:
    """Return the digest of an export with a manifest: the SHA-256 of the manifest, in hexadecimal."""
    return sha256(directory / MANIFEST)


def has_manifest(directory: Path) -> bool:
    """Return whether an export has a manifest."""
    return (directory / MANIFEST).is_file()


def read_hashes(directory: Path, card: ModelCard) -> Mapping[str, str]:
    """Return the hashes of the files of an export by name, from its manifest or from its card.

    Raises:
        UsageError: the manifest is missing or corrupt.
    """
    path = directory / MANIFEST
    if not path.exists() and "sha256" in card:
        return card["sha256"]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{path} cannot be read: {reason}. Expected the manifest that the export wrote: restore the file, or "
            "export the model again."
        ) from error
    matches = [_LINE.fullmatch(line) for line in lines]
    hashes = {match[2]: match[1] for match in matches if match}
    if not hashes or len(hashes) < len(lines):
        number = matches.index(None) + 1 if None in matches else len(lines)
        raise UsageError(
            f"{path}, line {number}, is corrupt. Expected a SHA-256 and the name of a file, each name once: restore "
            "the file, or export the model again."
        )
    return hashes


def list_files(directory: Path) -> list[str]:
    """Return the names of all files in an export, relative to it, links and anything but directories included."""
    return sorted(_walk(directory, directory))


def _walk(directory: Path, root: Path) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), root)
            else:
                yield Path(entry.path).relative_to(root).as_posix()


def compare_files(directory: Path, card: ModelCard) -> list[str]:
    """Return which files of an export are missing, not in its manifest, changed, or not its own, in words.

    Raises:
        UsageError: the manifest is missing or corrupt.
    """
    hashes = read_hashes(directory, card)
    uncovered = {MANIFEST} if has_manifest(directory) else {FILE, PAGE}
    names = [name for name in list_files(directory) if name not in uncovered]
    source = "in its manifest" if has_manifest(directory) else "on its card"
    problems = [f"{name} is missing" for name in sorted(hashes.keys() - names)]
    for name in list_files(directory):
        path = directory / name
        if path.is_symlink() and not path.resolve().is_relative_to(directory.resolve()):
            problems.append(f"{name} is a link that leaves the directory, to {os.readlink(path)}")
        elif not path.is_file():
            problems.append(f"{name} is no file")
        elif name in uncovered:
            continue
        elif name not in hashes:
            problems.append(f"{name} is not {source}")
        elif sha256(path) != hashes[name]:
            problems.append(f"{name} has changed")
    return problems


def compare_page(directory: Path, card: ModelCard, version: str) -> list[str]:
    """Return that the page of an export does not say what its card says; nothing if it does.

    A page that another version of this library has written is compared only if there is no manifest that covers it.

    Args:
        directory: directory of the export.
        card: its card.
        version: the version of this library.
    """
    if has_manifest(directory) and card["versions"].get("rnn-zoo") != version:
        return []
    path = directory / PAGE
    try:
        page = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        return [f"{PAGE} cannot be read: {error.strerror if isinstance(error, OSError) else error}"]
    return [] if page == format_page(card) else [f"{PAGE} is not the page of {FILE}"]


def check_sizes(directory: Path, card: ModelCard) -> None:
    """Check that the files of an export, without card, page and manifest, have the size that is on its card.

    This takes no time, and finds files that are missing or were copied in part.

    Raises:
        UsageError: they have another size; or the manifest is missing or corrupt.
    """
    names = [name for name in read_hashes(directory, card) if name not in (FILE, PAGE)]
    try:
        size = sum((directory / name).stat().st_size for name in names)
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read: {error.strerror}. Restore the files of {directory}, or export the model "
            "again."
        ) from error
    if size != card["size_bytes"]:
        problems = "; ".join(compare_files(directory, card)[:5])
        raise UsageError(
            f"{directory} has {size:,} bytes, expected {card['size_bytes']:,}, as on its card: {problems}. Restore the "
            "files, or export the model again."
        )


def check_files(directory: Path, card: ModelCard) -> None:
    """Check that the files of an export have not changed since it was written.

    Raises:
        UsageError: some have changed; or the manifest is missing or corrupt.
    """
    if problems := compare_files(directory, card):
        raise UsageError(
            f"{directory} is not as it was exported: {'; '.join(problems[:5])}. Restore the files, or export the model "
            "again."
        )
