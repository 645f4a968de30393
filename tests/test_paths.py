"""Paths as users write them: what is no path, and what is no file or directory."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import DataError, PathError, UsageError
from zoo.files import atomic_write
from zoo.paths import abbreviate_path, expand_paths, find_path_kind, parse_path


@dataclass(frozen=True)
class Options:
    """Options of a command."""

    output: Path
    examples: tuple[Path, ...]
    dataset: str
    data_dir: Path | None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "empty"),
        ("a\0b", "NUL"),
        ("~nosuchuser/a.csv", "no user nosuchuser"),
        ("a" * 256, "a name of 256 bytes"),
        ("ä" * 128, "a name of 256 bytes"),
        ("a/" * 2100, "4,200 bytes|4,199 bytes"),
        ("\ud800", "characters"),
    ],
)
def test_names_that_no_file_has(name: str, message: str) -> None:
    with pytest.raises(PathError, match=f"^--plot: found .*{message}") as caught:
        parse_path(name, "--plot")
    assert isinstance(caught.value, DataError)
    assert isinstance(caught.value, UsageError)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_home_directory_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert parse_path("~/photos") == Path("/home/someone/photos")
    home, options = Path("/home/someone"), Options(Path("~/a"), (Path("~/b"), Path("c")), "~/d", None)
    assert expand_paths(options) == Options(home / "a", (home / "b", Path("c")), "~/d", None)
    with pytest.raises(PathError, match=r"--output: found the path ~nosuchuser"):
        expand_paths(Options(Path("~nosuchuser"), (), "", None))


def test_longest_name_can_be_written(tmp_path: Path) -> None:
    path = parse_path(tmp_path / ("ä" * 125 + ".json"))
    with atomic_write(path) as temporary:
        temporary.write_text("content")
    assert find_path_kind(path) == "file"


def test_kinds(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    kinds = {name: find_path_kind(tmp_path / name) for name in ("pipe", "file", "link", "none", "file/none")}
    assert kinds == {"pipe": "pipe", "file": "file", "link": "directory", "none": None, "file/none": None}


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for path, message in (
            (Path("/dev/null"), "a device"),
            (Path("loop"), "circle"),
            (Path("socket"), "a socket"),
        ):
            with pytest.raises(PathError, match=message):
                find_path_kind(path)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec=None), max_size=300)
    | st.lists(st.sampled_from("~/.\0äa "), max_size=300).map("".join)
)
def test_every_name_is_a_path_or_an_error(name: str) -> None:
    try:
        result = find_path_kind(parse_path(name)) or ""
    except PathError as error:
        result = str(error)
    assert result.isprintable()
    assert abbreviate_path(name).isprintable()
