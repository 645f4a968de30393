"""The README keeps its word: its Python runs, and its commands are those that are tested."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LECTURE = (ROOT / "docs" / "lecture.md").read_text(encoding="utf-8")


def test_python_runs_from_top_to_bottom(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("docs", "saved_models"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "readme"}
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert len(blocks) == 9
    printed = capsys.readouterr().out
    assert "[[1 0 0]\n [2 1 0]\n [1 2 1]]" in printed
    assert "no words in the text" in printed
    assert "Bahnhof" in printed
    assert "a small brown dog" in printed
    assert "70" in printed.splitlines()  # the frame of the cut
    assert "(8, 20, 128)" in printed
    assert "700 examples in 44 batches of up to 16, at most " in printed
    assert max(epoch["val_accuracy"] for epoch in names["history"]) > 0.8


def test_the_lecture_runs_from_top_to_bottom(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "lecture"}
    blocks = re.findall(r"```python\n(.*?)```", LECTURE, re.DOTALL)
    for block in blocks:
        exec(compile(block, "lecture.md", "exec"), names)
    assert len(blocks) == 7
    assert "32 (2, 2, 4) (2, 63, 4)" in capsys.readouterr().out
    for picture in ("gradients", "clipping", "gates"):
        assert (tmp_path / f"{picture}.png").stat().st_size > 10_000
        assert "<svg" in (tmp_path / f"{picture}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "folder"), [(README, ROOT), (LECTURE, ROOT / "docs")])
def test_links_lead_somewhere(page: str, folder: Path) -> None:
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)]+)\)", prose)
    assert len(targets) > 4
    for target in targets:
        assert (folder / target).exists(), target


def test_recipe_commands_name_settings_that_exist() -> None:
    joined = README.replace("\\\n", " ")
    commands = re.findall(r"^python (recipes/\S+\.py)(.*?)(?:#.*)?$", joined, re.MULTILINE)
    assert len(commands) > 4
    for file, arguments in commands:
        source = (ROOT / file).read_text(encoding="utf-8")
        for flag in (word for word in shlex.split(arguments) if word.startswith("--") and word != "--help"):
            name = flag.removeprefix("--").removeprefix("no-").replace("-", "_")
            assert re.search(rf"^    {name}: ", source, re.MULTILINE), flag


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in ci
    assert re.search(r"^python3 -m venv .* \.venv/bin/pytest$", README, re.MULTILINE)
