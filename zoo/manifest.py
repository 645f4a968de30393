"""The manifest of an export: the SHA-256 of each of its files, card and page included, in `SHA256SUMS`.

The file has the form of the command `sha256sum`, which checks it without this library: `sha256sum -c SHA256SUMS`. Its
own SHA-256 is the digest of the export: whoever knows it from elsewhere recognizes every change.

Exports of earlier versions have no manifest. The hashes of their files, without card and page, are on their cards.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from zoo.card import FILE, PAGE, ModelCard, format_page
from zoo.errors import UsageError
from zoo.files import atomic_write, get_file_size, read_regular_file, sha256
from zoo.paths import abbreviate_path

MANIFEST = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\x7f]+)")
_MAX_BYTES = 10_000_000  # of manifest and page
_ADVICE = "restore the file, or export the model again."


def write_manifest(directory: Path) -> str:
    """Write the manifest of an export, all other files of which are written.

    Args:
        directory: directory of the export.

    Returns:
        The digest of the export, in hexadecimal.
    """
    hashes = {name: sha256(directory / name) for name in list_files(directory) if name != MANIFEST}
    with atomic_write(directory / MANIFEST) as temporary:
        temporary.write_bytes(_format_hashes(hashes))
    return compute_digest(directory)


def _format_hashes(hashes: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode()


def compute_digest(directory: Path) -> str:
    """Return the digest of an export with a manifest: the SHA-256 of the manifest, in hexadecimal.

    Raises:
        UsageError: the manifest cannot be read.
    """
    return hashlib.sha256(_read_manifest(directory)).hexdigest()


def _read_manifest(directory: Path) -> bytes:
    path = directory / MANIFEST
    try:
        return read_regular_file(path, _MAX_BYTES)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}. Expected the manifest that the export wrote: {_ADVICE}"
        ) from error


def has_manifest(directory: Path) -> bool:
    """Return whether an export has a manifest."""
    return (directory / MANIFEST).is_file()


def read_hashes(directory: Path, card: ModelCard) -> Mapping[str, str]:
    """Return the hashes of the files of an export by name, from its manifest or from its card.

    Raises:
        UsageError: the manifest is missing or corrupt.
    """
    if not os.path.lexists(directory / MANIFEST) and "sha256" in card:
        return card["sha256"]
    content = _read_manifest(directory)
    lines = content.split(b"\n")
    matches = [_LINE.fullmatch(line.decode(errors="replace")) for line in lines]
    hashes = {match[2]: match[1] for match in matches if match}
    expected = _format_hashes(hashes)
    if not hashes or content != expected:
        pairs = enumerate(zip(lines, expected.split(b"\n"), strict=False), 1)
        number = next((number for number, pair in pairs if pair[0] != pair[1]), len(lines))
        raise UsageError(
            f"{directory / MANIFEST}, line {number}, is corrupt. Expected a SHA-256, two spaces, the name of a file "
            f"and a line feed, each name once and in order: {_ADVICE}"
        )
    return hashes


def list_files(directory: Path) -> list[str]:
    """Return the names of all files in an export, relative to it.

    Links and anything else but directories are included, and, with a slash at the end, empty directories other than
    the `assets` that TensorFlow makes for every model.

    Raises:
        OSError: a directory cannot be read.
    """
    return sorted(_walk(directory))


def _walk(root: Path) -> Iterator[str]:
    directories = [root]
    while directories:
        directory = directories.pop()
        name = directory.relative_to(root).as_posix()
        with os.scandir(directory) as scan:
            entries = list(scan)
        if not entries and name not in (".", "assets"):
            yield f"{name}/"
        for entry in entries:
            path = directory / entry.name
            if entry.is_dir(follow_symlinks=False):
                directories.append(path)
            else:
                yield path.relative_to(root).as_posix()


def compare_files(directory: Path, card: ModelCard) -> list[str]:
    """Return which files of an export are missing, not in its manifest, changed, or not its own, in words.

    Raises:
        UsageError: the manifest is missing or corrupt.
    """
    hashes = read_hashes(directory, card)
    uncovered = {MANIFEST} if has_manifest(directory) else {FILE, PAGE}
    source = "in its manifest" if has_manifest(directory) else "on its card"
    try:
        names = list_files(directory)
    except OSError as error:
        return [f"{abbreviate_path(error.filename)} cannot be read: {error.strerror}"]
    covered = [name for name in names if name not in uncovered]
    problems = [f"{abbreviate_path(name)} is missing" for name in sorted(hashes.keys() - covered)]
    for name in names:
        path, shown = directory / name, abbreviate_path(name)
        if path.is_symlink() and not _is_within(path, directory):
            target = abbreviate_path(os.readlink(path))
            problems.append(f"{shown} is a link that leaves the directory, to {target}")
        elif name.endswith("/"):
            problems.append(f"{shown} is an empty directory that is not {source}")
        elif not path.is_file():
            problems.append(f"{shown} is no file")
        elif name in uncovered:
            continue
        elif name not in hashes:
            problems.append(f"{shown} is not {source}")
        elif problem := _compare_hash(path, hashes[name]):
            problems.append(f"{shown} {problem}")
    return problems


def _is_within(path: Path, directory: Path) -> bool:
    """Return whether a link leads into a directory."""
    try:
        return path.resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError):  # it leads in a circle
        return False


def _compare_hash(path: Path, expected: str) -> str:
    """Return how a file differs from the one with a hash; empty if it does not."""
    try:
        return "" if sha256(path) == expected else "has changed"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


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
    try:
        page = read_regular_file(directory / PAGE, _MAX_BYTES)
    except OSError as error:
        return [f"{PAGE} cannot be read: {error.strerror}"]
    return [] if page == format_page(card).encode() else [f"{PAGE} is not the page of {FILE}"]


def check_sizes(directory: Path, card: ModelCard) -> None:
    """Check that the files of an export, without card, page and manifest, have the size that is on its card.

    This takes no time, and finds files that are missing or were copied in part, and pipes and devices, which
    TensorFlow would read without an end.

    Raises:
        UsageError: they have another size; something is no file; or the manifest is missing or corrupt.
    """
    names = [name for name in read_hashes(directory, card) if name not in (FILE, PAGE)]
    try:
        size = sum(get_file_size(directory / name) for name in names)
        for name in list_files(directory):
            if (directory / name).exists() and not (directory / name).is_dir():
                get_file_size(directory / name)
    except (OSError, ValueError) as error:  # ValueError: no file can have this name
        name = error.filename if isinstance(error, OSError) else str(directory)
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{abbreviate_path(name)} cannot be read: {reason}. Restore the files of {directory}, or export the model "
            "again."
        ) from error
    if size != card["size_bytes"]:
        problems = "; ".join(compare_files(directory, card)[:5])
        if not problems:
            source = MANIFEST if has_manifest(directory) else FILE
            problems = (
                f"all files are there and have the hashes in {source}, so it was changed after the export"
            )
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
