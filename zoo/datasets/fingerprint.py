"""What data consist of: the hashes of all files that a loader reads, so that a run notices other data.

Readers call `note_file` for each file before they read it, and `note_fact` for whatever else identifies the data.
A loader, decorated with `record_sources`, returns what was noted in `DataInfo.sources`, and `compute_fingerprint`
hashes the files. A hash is stored with path, size and modification time of its file, and is computed again only when
one of them has changed.
"""

import contextlib
import dataclasses
import functools
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import tensorflow as tf

from zoo.errors import DataError
from zoo.files import CorruptFileError, read_json, sha256, write_json

P = ParamSpec("P")
R = TypeVar("R")

_MAX_NAMED = 20
"""If a directory has more files with the same suffix, they have one hash together."""

_MAX_LINES = 10
"""Number of changes that a message lists."""

_CLOCK_SECONDS = 2.0
"""A file may change once more within this time without another modification time."""


@dataclasses.dataclass(frozen=True)
class FileState:
    """A file as it was before it was read.

    Attributes:
        path: the file.
        size: its size in bytes.
        modified: its modification time in nanoseconds.
    """

    path: Path
    size: int
    modified: int


@dataclasses.dataclass
class DataSources:
    """What a data set was read from.

    Attributes:
        files: each file that was read, by its absolute path.
        facts: what else identifies the data, as JSON values by name.
    """

    files: dict[str, FileState] = dataclasses.field(default_factory=dict)
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


_recorded: ContextVar[DataSources | None] = ContextVar("recorded", default=None)


def note_file(path: Path) -> None:
    """Note that a file is about to be read, if a loader records it."""
    sources = _recorded.get()
    if sources is not None:
        path = path.absolute()
        with contextlib.suppress(OSError):  # which the reader reports
            sources.files.setdefault(str(path), _get_state(path))


def note_fact(name: str, value: Any) -> None:
    """Note something that identifies the data, if a loader records it.

    Args:
        name: what it is, for messages.
        value: a JSON value.
    """
    sources = _recorded.get()
    if sources is not None:
        sources.facts[name] = value


def record_sources(load: Callable[P, R]) -> Callable[P, R]:
    """Decorate a loader so that `info.sources` of the `DataSplits` that it returns states what it has read."""

    @functools.wraps(load)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        sources = DataSources()
        token = _recorded.set(sources)
        try:
            data: Any = load(*args, **kwargs)
        finally:
            _recorded.reset(token)
        splits = {name: _count(getattr(data, name)) for name in ("train", "validation", "test")}
        counts = {name: count for name, count in splits.items() if count is not None}
        if counts:
            sources.facts["examples"] = counts
        return dataclasses.replace(data, info=dataclasses.replace(data.info, sources=sources))

    return wrapper


def compute_fingerprint(sources: DataSources, cache_path: Path | None = None) -> dict[str, Any]:
    """Return the fingerprint of a data set: JSON values that differ if the data do.

    Args:
        sources: what it was read from.
        cache_path: file that stores the hashes with the states of their files. It is created if needed, and
            computed anew if it is corrupt. None stores nothing.

    Returns:
        "files", with the number of files, of bytes, and the hash for each file or group of files; and the facts.

    Raises:
        DataError: a file has changed since it was read.
    """
    cached: dict[str, Any] = {}
    if cache_path is not None and cache_path.exists():
        with contextlib.suppress(CorruptFileError):
            cached = read_json(cache_path)["hashes"]
    hashes, files = {}, {}
    for name, group in _group(sources.files).items():
        states = [dataclasses.astuple(state) for state in group]
        key = hashlib.sha256(repr(states).encode()).hexdigest()
        digest = cached.get(key) or _hash_files(group)
        files[name] = {"files": len(group), "bytes": sum(state.size for state in group), "sha256": digest}
        if time.time() - max(state.modified for state in group) / 1e9 > _CLOCK_SECONDS:
            hashes[key] = digest
    if cache_path is not None and hashes != cached:
        write_json(cache_path, {"hashes": hashes})
    return {"files": files, **sources.facts} if files else dict(sources.facts)


def describe_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return a line for each file and fact in which two fingerprints differ; empty if they are equal.

    Not compared is "covers", the names of the settings whose files a fingerprint has.
    """
    lines = []
    for name, old, new in _compare(before.get("files", {}), now.get("files", {})):
        lines.append(f"  {name}: was {_describe_files(old)}, is now {_describe_files(new)}")
    facts = [
        {name: value for name, value in data.items() if name not in ("files", "covers")}
        for data in (before, now)
    ]
    for name, old, new in _compare(*map(_flatten, facts)):
        was, is_now = ("missing" if value is None else repr(value) for value in (old, new))
        lines.append(f"  {name}: was {was}, is now {is_now}")
    more = [f"  and {len(lines) - _MAX_LINES} more"] if len(lines) > _MAX_LINES else []
    return "\n".join(lines[:_MAX_LINES] + more)


def _get_state(path: Path) -> FileState:
    status = os.stat(path)
    return FileState(path, status.st_size, status.st_mtime_ns)


def _count(split: Any) -> int | None:
    """Return the number of examples of a split, if it is known without reading it."""
    if isinstance(split, tf.data.Dataset):
        cardinality = int(split.cardinality())
        return cardinality if cardinality >= 0 else None
    items = getattr(split, "names", getattr(split, "texts", split))
    return len(items)


def _group(files: Mapping[str, FileState]) -> dict[str, list[FileState]]:
    """Return the files by their path in the directory that contains all; many files by their directory and suffix."""
    if not files:
        return {}
    root = os.path.commonpath([state.path.parent for state in files.values()])
    kinds: dict[Path, list[FileState]] = {}
    for state in sorted(files.values(), key=lambda state: str(state.path)):
        name = state.path.relative_to(root)
        kinds.setdefault(name.parent / f"*{name.suffix}", []).append(state)
    groups: dict[str, list[FileState]] = {}
    for pattern, states in kinds.items():
        if len(states) > _MAX_NAMED:
            groups[pattern.as_posix()] = states
        else:
            groups |= {state.path.relative_to(root).as_posix(): [state] for state in states}
    return groups


def _hash_files(group: Sequence[FileState]) -> str:
    """Return the hash of the names and contents of files."""
    if len(group) == 1:
        return _hash_file(group[0])
    digests = [f"{state.path.name} {_hash_file(state)}" for state in group]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _hash_file(state: FileState) -> str:
    digest = _hash_records(state.path) if ".tfrecord" in state.path.name else sha256(state.path)
    if _get_state(state.path) != state:
        raise DataError(
            f"{state.path} has changed since it was read. Let no other process write to it, and run the same "
            "command again."
        )
    return digest


def _hash_records(path: Path) -> str:
    """Return the hash of the examples in a TFRecord file; their features are stored in a random order."""
    result = hashlib.sha256()
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        for name in sorted(features):
            value = features[name].SerializeToString(deterministic=True)
            result.update(f"{name} {len(value)} ".encode() + value)
        result.update(b"\n")
    return result.hexdigest()


def _compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return name, value before and value now of what differs."""
    names = {**before, **now}
    pairs = [(name, before.get(name), now.get(name)) for name in names]
    return [(name, old, new) for name, old, new in pairs if old != new]


def _describe_files(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "missing"
    files = f"{entry['files']:,} files with " if entry["files"] > 1 else ""
    return f"{files}{entry['bytes']:,} bytes, SHA-256 {entry['sha256'][:8]}"


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{prefix}{name}, ") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
