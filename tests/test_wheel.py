"""What is built of the project: complete, small, and at work outside of the checkout."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built of it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(("saved_models/", "docs/")) and (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    made = run("-m", "build", "--outdir", folder, source)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def test_both_hold_all_that_is_needed_and_no_models(built: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        of_sdist = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    sources = [
        str(file.relative_to(ROOT))
        for package in ("zoo", "recipes")
        for file in (ROOT / package).rglob("*")
        if file.suffix in (".py", ".html", ".typed")
    ]
    assert len(sources) > 80
    for found in (names, of_sdist):
        assert set(sources) <= found
        assert not [name for name in found if "saved_model" in name and not name.endswith(".py")]
    assert {name.split("/")[0] for name in names} - {"zoo", "recipes"} == {"rnn_zoo-0.1.0.dist-info"}
    assert wheel.stat().st_size < 1e6


def test_the_wheel_runs_a_recipe_outside_of_the_checkout(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    place = tmp_path / "installed"
    installed = run("-m", "pip", "install", "-q", "--no-deps", "--target", place, wheel)
    assert installed.returncode == 0, installed.stderr
    given = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(place)}}
    small = ["--units", "8", "--embedding", "8", "--epochs", "1", "--data-dir", "data"]
    trained = run("-m", "zoo.recipes.sentiment", *small, **given)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.splitlines()[-1].startswith("next: python -m recipes.sentiment predict")
    export = tmp_path / "runs" / "sentiment" / "export"
    card = (export / "1" / "card.json").read_text(encoding="utf-8")
    assert "/installed" not in card
    assert json.loads(card)["command"] == f"python -m recipes.sentiment {' '.join(small)}"
    asked = run("-m", "zoo", "predict", "runs/sentiment/export/1", "Good, not bad.", **given)
    assert asked.stdout.split()[0] in ("negative", "positive")
    none = run("-m", "zoo", "list", **given)
    assert none.returncode == 2
    assert "There is no folder of models (expected saved_models)" in none.stderr
