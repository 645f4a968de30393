"""Paths that users name: checked once, where they come in.

A path from an argument, an option or a user's file goes through `parse_path`, and `find_path_kind` says what is there
before anything is opened. What the operating system refuses is then a `PathError`, and no other exception.

| a user names | result |
| --- | --- |
| `~/photos` | the home directory is filled in |
| `~nosuchuser`, an empty name, NUL, a name over 255 bytes | `PathError` from `parse_path` |
| a device such as `/dev/null`, a socket, a link to itself, what may not be read | `PathError` from `find_path_kind` |
| a pipe (`/dev/stdin`, `<(command)`) | "pipe": a caller that reads its input once may take it |
"""

import dataclasses
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from zoo.errors import PathError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")

PathKind = Literal["file", "directory", "pipe"]
"""What a path leads to. A pipe can be read once, and its size is unknown."""

_MAX_NAME = 255  # bytes, on all common file systems
_MAX_PATH = 4095  # bytes
_MAX_SHOWN = 200  # characters

_REASONS = {
    errno.EACCES: "permission is denied",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.ENAMETOOLONG: "its name is too long",
}


def parse_path(name: str | os.PathLike[str], option: str = "") -> Path:
    """Return a path as a user wrote it, with the home directory filled in.

    Args:
        name: what the user wrote.
        option: the option or argument that it was written for, such as "--plot"; errors begin with it.

    Returns:
        The path. There may be nothing there.

    Raises:
        PathError: no file can have the name, or it begins with the home directory of an unknown user.

    >>> parse_path("photos/dog.jpg").parts
    ('photos', 'dog.jpg')
    """
    prefix = f"{option}: " if option else ""
    text = os.fspath(name)
    shown = f"the path {abbreviate_path(text)}"
    if not text:
        raise PathError(f"{prefix}found an empty path. Expected the name of a file or directory. Write it.")
    if "\0" in text:
        raise PathError(f"{prefix}found {shown}, which contains NUL. No file has such a name. Correct it.")
    try:
        path = Path(text).expanduser()
        encoded = os.fsencode(path)
    except RuntimeError as error:
        user = text.partition("/")[0]
        raise PathError(
            f"{prefix}found {shown}. There is no user {abbreviate_path(user.removeprefix('~'))} with a home directory. "
            "Correct the name; a file whose name begins with ~ is written ./~name."
        ) from error
    except UnicodeEncodeError as error:
        raise PathError(
            f"{prefix}found {shown}, which has characters that names of files cannot have. Correct it."
        ) from error
    longest = max(map(len, encoded.split(b"/")))
    if longest > _MAX_NAME or len(encoded) > _MAX_PATH:
        found = f"a name of {longest:,} bytes" if longest > _MAX_NAME else f"{len(encoded):,} bytes"
        raise PathError(
            f"{prefix}found {shown} with {found}. Expected at most {_MAX_NAME} bytes for each name, and {_MAX_PATH:,} "
            "in all. Shorten it, or leave it out if it is no path."
        )
    return path


def expand_paths(options: Options) -> Options:
    """Return options with `parse_path` applied to each path among them.

    Args:
        options: a dataclass. Its fields are named as the options are: `output_dir` for "--output-dir".

    Raises:
        PathError: as `parse_path` does.
    """

    def expand(value: Any, option: str) -> Any:
        if isinstance(value, Path):
            return parse_path(value, option)
        if type(value) is tuple:
            return tuple(expand(item, option) for item in value)
        return value

    names = [field.name for field in dataclasses.fields(options)]
    values = {name: expand(getattr(options, name), f"--{name.replace('_', '-')}") for name in names}
    return dataclasses.replace(options, **values)


def find_path_kind(path: Path, option: str = "") -> PathKind | None:
    """Return what a path leads to, links followed; None if there is nothing.

    Args:
        path: from `parse_path`.
        option: as in `parse_path`.

    Raises:
        PathError: it leads to a device or a socket, or the operating system does not say where it leads.

    >>> find_path_kind(Path("/")), find_path_kind(Path("/no/such/file"))
    ('directory', None)
    """
    prefix = f"{option}: " if option else ""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise PathError(
            f"{prefix}{abbreviate_path(path)} cannot be opened: {reason}. Name another path, or correct that."
        ) from error
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    if stat.S_ISFIFO(mode):
        return "pipe"
    kind = "a socket" if stat.S_ISSOCK(mode) else "a device"
    raise PathError(
        f"{prefix}{abbreviate_path(path)} is {kind}. Expected a file or a directory. Name another path."
    )


def check_writable_file(path: Path, option: str = "") -> None:
    """Check that a file can be written, before the work for it is done. Missing parent directories will be made.

    Args:
        path: from `parse_path`. A file that is there will be replaced.
        option: as in `parse_path`.

    Raises:
        PathError: it leads to a directory or a device, or it cannot be written.
    """
    kind = find_path_kind(path, option)
    if kind not in (None, "file"):
        raise PathError(
            f"{option and f'{option}: '}{abbreviate_path(path)} is a {kind}. Expected the name of a file to write. "
            "Name another one."
        )
    check_writable_directory(path.parent, option)


def check_writable_directory(path: Path, option: str = "") -> None:
    """Check that files can be written to a directory, before the work for them is done.

    Args:
        path: from `parse_path`. If there is nothing, the directory will be made.
        option: as in `parse_path`.

    Raises:
        PathError: it leads to a file or a device, or it cannot be written or made.

    >>> check_writable_directory(Path("/proc/version/x"), "--run-dir")
    Traceback (most recent call last):
    zoo.errors.PathError: --run-dir: /proc/version is no directory. Name another path.
    """
    prefix = f"{option}: " if option else ""
    path = path.absolute()
    existing = next(parent for parent in (path, *path.parents) if find_path_kind(parent, option))
    if find_path_kind(existing, option) != "directory":
        raise PathError(f"{prefix}{abbreviate_path(existing)} is no directory. Name another path.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PathError(
            f"{prefix}{abbreviate_path(existing)} is a directory that this user may not write, or on a disk that is "
            "read-only. Name another path."
        )


def abbreviate_path(path: str | os.PathLike[str]) -> str:
    """Return a path for a message, in one line and without its middle if it is long.

    >>> abbreviate_path("dog.jpg"), len(abbreviate_path("x" * 1000))
    ('dog.jpg', 200)
    """
    text = os.fspath(path)
    text = text if text.isprintable() and text else repr(text)
    half = (_MAX_SHOWN - 3) // 2
    return text if len(text) <= _MAX_SHOWN else f"{text[: half + 1]}...{text[-half:]}"
