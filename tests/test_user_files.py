"""The boundary between users' files and the readers: limits, archives, directories and JSON."""

import bz2
import gzip
import json
import lzma
import os
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo.user_files import (
    MAX_LINE,
    MAX_RATIO,
    MIN_CHECKED,
    ZipFiles,
    find_files,
    list_files,
    open_file,
    parse_json,
    read_file,
    split_lines,
    unpack_content,
)

PACKERS = pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)


@PACKERS
def test_packed_content_is_unpacked(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    content = os.urandom(100_000) + b"\n" * 100_000
    path = tmp_path / f"a{suffix.upper()}"
    path.write_bytes(pack(content))
    assert unpack_content(path, read_file(path)) == content
    with open_file(path, unpack=True) as file:
        assert file.read() == content
    with open_file(path) as file:
        assert file.read() == path.read_bytes()


@PACKERS
def test_what_unpacks_to_too_much_is_refused_before_it_is_in_memory(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(content := pack(b"\n" * 5 * MIN_CHECKED))
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"a\.txt{suffix} unpacks to more than .* {MAX_RATIO} times"):
        unpack_content(path, content)
    with (
        pytest.raises(DataError, match="unpack it and name the unpacked file"),
        open_file(path, unpack=True) as file,
    ):
        file.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * MIN_CHECKED


@PACKERS
@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data())
def test_damaged_content_is_refused_by_its_name(
    suffix: str, pack: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    packed = bytearray(pack(b"some text, and more of it " * 9))
    for position in data.draw(st.lists(st.integers(0, len(packed) - 1), min_size=1, max_size=4)):
        packed[position] = data.draw(st.integers(0, 255))
    cut = bytes(packed[: data.draw(st.integers(0, len(packed)))])
    try:
        unpack_content(f"a{suffix}", cut)
    except DataError as error:
        assert re.match(rf"a\{suffix} (cannot be read|unpacks to)", str(error))  # noqa: PT017


def test_only_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path, "is a directory. Expected a file"),
        (tmp_path / "pipe", "is a pipe. Expected a file. Write its output to a file first"),
        (tmp_path / "none", "none cannot be read: No such file or directory"),
        (Path("/dev/zero"), "is a device"),
    ):
        with pytest.raises(DataError, match=message):
            read_file(path)


# Zips.


def write_zip(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_members_of_zips(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "a.zip", ("b/c.txt", b"text"), (".hidden", b"x"), ("__MACOSX/b/._c.txt", b"x")
    )
    archive = ZipFiles(path)
    assert list(archive.sizes) == ["b/c.txt"]
    assert archive.read("b/c.txt") == b"text"


def set_in_headers(path: Path, place_in_member: int, value: int) -> None:
    """Change a byte of a member in both headers of a zip; the central one has two bytes more before it."""
    content = bytearray(path.read_bytes())
    for start in (match.start() for match in re.finditer(b"PK[\x01\x03][\x02\x04]", bytes(content))):
        content[start + place_in_member + 2 * (content[start + 2] == 1)] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (6, 1, "a.txt is encrypted. Expected a zip without a password"),
        (8, 9, "a.txt is compressed by method 9 of zip"),
    ],
)
def test_zips_that_cannot_be_read(tmp_path: Path, place: int, value: int, message: str) -> None:
    path = write_zip(tmp_path / "a.zip", ("a.txt", b"text" * 99))
    set_in_headers(path, place, value)
    with pytest.raises(DataError, match=re.escape(message)):
        ZipFiles(path)


def test_zips_with_a_member_that_unpacks_to_too_much(tmp_path: Path) -> None:
    archive = ZipFiles(write_zip(tmp_path / "a.zip", ("a.txt", b"\n" * (MIN_CHECKED + 1)), ("b.txt", b"b")))
    with pytest.raises(DataError, match=r"a\.zip/a\.txt unpacks to 8,388,609 bytes"):
        archive.read("a.txt")
    assert archive.read("b.txt") == b"b"


def test_zips_with_two_members_of_a_name(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = write_zip(tmp_path / "a.zip", ("a.txt", b"one"), ("a.txt", b"two"))
    with pytest.raises(DataError, match=r"a\.txt is in the zip twice"):
        ZipFiles(path)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.integers(0, 500))
def test_damaged_zips_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], length: int
) -> None:
    path = write_zip(
        tmp_path_factory.getbasetemp() / "damaged.zip", ("a.txt", b"text" * 50), ("b/c.txt", b"x")
    )
    content = bytearray(path.read_bytes())
    for position, value in changes:
        content[position % len(content)] = value
    path.write_bytes(content[:length])
    try:
        archive = ZipFiles(path)
        contents = [archive.read(name) for name in archive.sizes]
    except DataError as error:
        assert "damaged.zip" in str(error)  # noqa: PT017
    else:
        assert set(contents) <= {b"text" * 50, b"x"}  # which have checksums


# Directories.


def test_links_are_followed_and_end(tmp_path: Path) -> None:
    for name in ("a/b/1.txt", "a/2.txt", "other/3.txt", ".hidden/4.txt", "a/.5.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name, target in (
        ("a/here", "."),
        ("a/also", "."),
        ("a/up", ".."),
        ("a/b/other", "../../other"),
        ("a/loop", "loop"),
        ("lost", "x"),
    ):
        (tmp_path / name).symlink_to(target)
    os.mkfifo(tmp_path / "a" / "pipe")
    names = [path.relative_to(tmp_path / "a").as_posix() for path in list_files(tmp_path / "a")]
    assert names == ["2.txt", "b/1.txt", "b/other/3.txt", "up/other/3.txt"]


def test_directories_that_link_to_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.user_files.MAX_FILES", 1_000)
    for one in range(12):
        (tmp_path / f"{one}").mkdir()
        for other in range(12):
            (tmp_path / f"{one}" / f"to{other}").symlink_to(tmp_path / f"{other}")
    with pytest.raises(DataError, match="contains more than 1,000 files"):
        list_files(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.csv", ["1.csv"]),
        ("?.csv", ["1.csv"]),
        ("*/*.csv", ["a/2.csv", "a/3.csv"]),
        ("a/[!2].csv", ["a/3.csv"]),
        ("**/*.csv", ["1.csv", "a/2.csv", "a/3.csv", "a/b/4.csv"]),
        ("**/**/**/4*", ["a/b/4.csv"]),
        ("none/*.csv", []),
        ("[", []),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, names: list[str]) -> None:
    for name in ("1.csv", "a/2.csv", "a/3.csv", "a/b/4.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path / pattern)] == names


# Texts.


def test_lines(tmp_path: Path) -> None:
    assert split_lines("a", "") == []
    assert split_lines("a", "one\rtwo\r") == ["one", "two"]
    assert split_lines("a", "one\rtwo\nthree\u2028\x85") == ["one\rtwo", "three\u2028\x85"]
    with pytest.raises(DataError, match=r"^a, line 2: found 10,000,001 characters: 'xxx"):
        split_lines("a", "\n" + "x" * (MAX_LINE + 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b"}', "a.json, line 2, column 5: found no valid JSON: Expecting ':'"),
        ("[" * 100_000, "a.json: found lists or objects that are nested too deeply"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "a.json: found 'c' twice in an object"),
        ('{"a": NaN}', "a.json: found NaN, which is not JSON"),
        ("1" * 5_000, "a.json: found a number that is too long"),
        ("", "a.json, line 1, column 1: found no valid JSON"),
    ],
)
def test_json_that_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        parse_json("a.json", text)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
    st.lists(st.integers(0, 999), max_size=3),
)
def test_json_is_parsed_or_refused(value: object, cuts: list[int]) -> None:
    text = json.dumps(value)
    assert parse_json("a.json", text) == value
    for cut in cuts:
        text = text[:cut] + text[cut + 1 :]
    try:
        parse_json("a.json", text)
    except DataError as error:
        assert str(error).startswith("a.json")  # noqa: PT017
