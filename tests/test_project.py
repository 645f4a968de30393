"""The shape of the house: which module may import which, and the tools that keep the text in order."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = [
    *("errors", "files", "provenance", "cells", "layers", "attention", "preprocessing", "metrics", "losses"),
    *("schedules", "decoding", "formulations", "export", "datasets", "inspection", "training", "components"),
    *("tasks", "serving", "cli", "__main__"),
]


def imported(file: Path) -> set[str]:
    """The first-party modules that a file imports, as "zoo.cells" or "recipes"."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            # `from zoo import cells` imports zoo.cells, `from zoo import LSTM` all of zoo.
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
            found.add(node.module)
    return {name for name in found if name.split(".")[0] in ("zoo", "recipes")}


def against_the_order(module: str, imports: set[str]) -> set[str]:
    """Those of the imports that a module of zoo must not make: only modules above it are open to it."""
    allowed = ORDER[: ORDER.index(module) + (ROOT / "zoo" / module).is_dir()]
    return {name for name in imports if not name.startswith(tuple(f"zoo.{name}" for name in allowed))}


def files_of(module: str) -> list[Path]:
    folder = ROOT / "zoo" / module
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_every_module_has_its_place_in_the_order() -> None:
    modules = {path.stem for path in (ROOT / "zoo").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules - {"__init__", "__pycache__"} == set(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_imports_run_one_way(module: str) -> None:
    for file in files_of(module):
        assert not against_the_order(module, imported(file)), file


def test_an_import_against_the_order_is_seen() -> None:
    assert against_the_order("cells", {"zoo.layers"})
    assert against_the_order("cells", {"zoo"})
    assert against_the_order("export", {"zoo.recipes.sentiment"})
    assert not against_the_order("layers", {"zoo.cells"})


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_is_content(command: list[str]) -> None:
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", str(ROOT)], capture_output=True, text=True
    )
    assert ruff.returncode == 0, ruff.stdout + ruff.stderr


def test_lock_holds_every_dependency() -> None:
    """Whatever is installed for the project and its tests is pinned, and at the version pinned."""
    from importlib.metadata import distribution, requires

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = dict(line.split("==") for line in lock.splitlines() if not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    waiting, seen = ["rnn-zoo"], {"setuptools", "wheel"}  # which `pip freeze` leaves out
    while waiting:
        name = waiting.pop()
        for text in requires(name) or ():
            needed = Requirement(text)
            extra = "test" if name == "rnn-zoo" else ""
            if needed.name in seen or (needed.marker and not needed.marker.evaluate({"extra": extra})):
                continue
            seen.add(needed.name)
            waiting.append(needed.name)
            installed = distribution(needed.name)
            assert pins[canonicalize_name(needed.name)] == installed.version
    assert len(seen) > 20
