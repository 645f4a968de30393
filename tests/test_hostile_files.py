"""The readers of training data on broken files: an answer without loss, or an error for the user."""

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from data_files import write_files
from hostile_files import NAMED, PATHS, READERS, choose_path, mutate, run, write_paths
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HUGE = ("000,000", "300 MB")


@pytest.fixture(autouse=True)
def time_limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """Raise an error in a test that does not end. Slow tests limit their processes themselves."""
    seconds = 0 if request.node.get_closest_marker("slow") else 600  # 0 sets no alarm

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("title", [title for title in NAMED if not any(size in title for size in HUGE)])
def test_named_cases(tmp_path: Path, title: str) -> None:
    name, seed, change = NAMED[title]
    reader = READERS[name]
    write_files(tmp_path, change(reader.make(random.Random(seed))))
    result = run(reader.read, choose_path(tmp_path, reader.name), tmp_path, reader.cell)
    assert result.kind != "lost", result.detail


@pytest.mark.parametrize("name", READERS)
def test_valid_files_are_read(tmp_path: Path, name: str) -> None:
    reader = READERS[name]
    write_files(tmp_path, reader.make(random.Random(0)))
    result = run(reader.read, choose_path(tmp_path, reader.name), tmp_path, reader.cell)
    assert result == ("read", "0 left out")


@settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(sorted(READERS)), st.integers(0, 10**9))
def test_mutated_files(tmp_path_factory: pytest.TempPathFactory, name: str, seed: int) -> None:
    rng, reader, directory = random.Random(seed), READERS[name], tmp_path_factory.mktemp("files")
    write_files(directory, reader.make(rng))
    path = choose_path(directory, reader.name)
    changes = [mutate(directory, rng) for _ in range(rng.choice([1, 1, 2, 3]))]
    path = path if path.exists() else choose_path(directory, reader.name)
    result = run(reader.read, path, directory, reader.cell)
    assert result.kind != "lost", f"{changes}: {result.detail}"


@pytest.mark.parametrize("name", sorted(READERS))
def test_suffixes_in_capitals(name: str, tmp_path: Path) -> None:
    """Each file in turn, of those that only a number tells apart one: it is read, or refused by name, not left out."""
    reader = READERS[name]
    write_files(tmp_path, reader.make(random.Random(1)))
    files = {re.sub(r"\d+", "", str(path)): path for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    for path in files.values():
        path.rename(capitals := path.with_suffix(path.suffix.upper()))
        result = run(reader.read, choose_path(tmp_path, reader.name), tmp_path, reader.cell)
        assert result.kind != "lost", f"{capitals.name}: {result.detail}"
        capitals.rename(path)


@pytest.mark.parametrize(
    "name", ["sentiment table", "pairs", "captions", "features", "vectors", "book", "footage"]
)
def test_paths_that_are_no_files(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_paths(tmp_path)
    for path in PATHS:
        if path not in ("/", "/dev/stdin", "."):  # which depend on the machine
            named = path.replace("{directory}", str(tmp_path))
            result = run(READERS[name].read, named, tmp_path / "circles", READERS[name].cell)
            assert result.kind == "refused", f"{path}: {result.detail}"


@pytest.mark.slow
def test_many_mutations_in_processes_of_their_own() -> None:
    script = Path(__file__).with_name("hostile_files.py")
    result = subprocess.run(
        [sys.executable, script, "--count", "60", "--seed", "7"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
