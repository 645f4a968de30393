"""What a result was made with."""

import importlib.metadata
import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from zoo import provenance


def test_commit_notes_changes_of_tracked_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    (tmp_path / "tracked.py").write_text("1")
    git("init")
    git("add", "tracked.py")
    git("commit", "-m", "one")
    (tmp_path / "untracked.csv").touch()
    assert provenance.get_commit() == git("rev-parse", "HEAD")
    (tmp_path / "tracked.py").write_text("2")
    assert provenance.get_commit() == git("rev-parse", "HEAD") + " with changes"


def test_versions_are_those_of_nightly_builds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """tf-nightly and keras-nightly hold the modules of TensorFlow and Keras under other names of distributions."""
    expected = {name: importlib.metadata.version(name) for name in ("rnn-zoo", "tensorflow", "keras")}
    search = importlib.metadata.Distribution.from_name

    def find(name: str) -> importlib.metadata.Distribution:
        if name in ("tensorflow", "keras"):
            raise importlib.metadata.PackageNotFoundError(name)
        return search(name)

    monkeypatch.setattr(importlib.metadata.Distribution, "from_name", find)
    assert provenance.get_versions() == {"python": platform.python_version(), **expected}


def recipe_path(name: str) -> str:
    spec = find_spec("zoo.recipes")
    assert spec is not None
    return str(Path(spec.submodule_search_locations[0]) / f"{name}.py")


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([recipe_path("sentiment"), "--dataset", "my texts"], "zoo train sentiment --dataset 'my texts'"),
        (["scripts/train.py", "--units", "4"], "python scripts/train.py --units 4"),
        (["/home/me/train.py"], "python train.py"),
    ],
)
def test_portable_command_has_no_paths_of_this_machine(
    argv: list[str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert provenance.get_portable_command() == command
    assert provenance.get_resume_command() == (command if "zoo" in command else provenance.get_command())
