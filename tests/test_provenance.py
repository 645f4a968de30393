"""What a result was made with."""

import subprocess
from pathlib import Path

import pytest

from zoo import provenance


def test_changes_of_what_git_knows_are_told_and_files_beside_it_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    (tmp_path / "known.py").write_text("1")
    git("init")
    git("add", "known.py")
    git("commit", "-m", "one")
    (tmp_path / "reviews.csv").touch()
    assert provenance.commit() == git("rev-parse", "HEAD")
    (tmp_path / "known.py").write_text("2")
    assert provenance.commit() == git("rev-parse", "HEAD") + " with changes"
