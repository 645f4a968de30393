"""The sdist and the wheel: they are complete and small, and the wheel works outside of the checkout."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that is built from it."""
    source, directory = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("distributions")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, files.stdout.split("\0")):
        if not name.startswith(("saved_models/", "docs/")) and (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = run("-m", "build", "--outdir", directory, source)
    assert build.returncode == 0, build.stdout + build.stderr
    return directory


def source_files() -> dict[str, str]:
    """The files of the package in the tree, and where they are in the wheel."""
    paths = [
        file.relative_to(ROOT).as_posix()
        for package in ("zoo", "recipes")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    ]
    files = {path: path if path.startswith("zoo/") else f"zoo/{path}" for path in paths}
    return files | {path.name: path.name for path in ROOT.glob("zoo_*.py")}


def test_wheel_holds_the_files_of_the_tree_and_nothing_else(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == set(source_files().values())
    assert len(names) > 80
    assert wheel.stat().st_size < 1e6


def test_sdist_holds_the_files_of_the_tree_and_no_models(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= set(source_files())
    assert not [name for name in names if name.startswith("saved_models")]


def test_wheel_trains_and_predicts_outside_of_the_checkout(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    site = tmp_path / "site"
    pip = run("-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel)
    assert pip.returncode == 0, pip.stderr
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(site)}}
    settings = ["--units", "8", "--embedding-dim", "8", "--epochs", "1", "--data-dir", "data"]
    training = run("-m", "zoo_command", "train", "sentiment", *settings, **options)
    assert training.returncode == 0, training.stderr
    assert training.stdout.splitlines()[-1].startswith("next: ")
    card = (tmp_path / "runs" / "sentiment" / "export" / "1" / "card.json").read_text(encoding="utf-8")
    assert str(site) not in card
    assert json.loads(card)["command"] == " ".join(["zoo train sentiment", *settings])
    predicting = run("-m", "zoo_command", "predict", "runs/sentiment/export/1", "Good, not bad.", **options)
    assert predicting.stdout.split()[0] in ("negative", "positive"), predicting.stderr
    listing = run("-m", "zoo_command", "list", **options)
    assert listing.returncode == 2
    assert "saved_models" in listing.stderr
