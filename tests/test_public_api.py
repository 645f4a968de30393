"""The public API: `public_api.txt` lists it, and a change of it is a change of that file.

python tests/test_public_api.py    # writes the file anew
"""

import ast
import builtins
import difflib
import doctest
import importlib
import inspect
import itertools
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import zoo

FILE = Path(__file__).with_name("public_api.txt")
COMMAND = "python tests/test_public_api.py"
MOST_NAMES = 60
"""Names of `zoo` that are no modules: more than these nobody surveys."""


def public_modules() -> Iterator[ModuleType]:
    """The package, the modules that it exports, and those of their modules that have an `__all__`."""
    yield zoo
    for name in sorted(zoo.__all__):
        module = getattr(zoo, name)
        if isinstance(module, ModuleType):
            yield module
            for info in pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}."):
                inner = importlib.import_module(info.name)
                if hasattr(inner, "__all__"):
                    yield inner


def public_names(module: ModuleType) -> list[str]:
    """A module's `__all__`; where it has none, the public classes and functions that it defines."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )


def describe_annotation(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", text)  # the modules of types are left out


def describe_default(default: Any) -> str:
    if isinstance(default, type | FunctionType):
        return default.__qualname__
    text = repr(default)
    return f"{type(default).__name__}(...)" if " at 0x" in text else text


def describe_signature(function: Any) -> str:
    """The parameters of a function, with types and defaults and without `self` or `cls`."""
    signature = inspect.signature(function)
    parameters = []
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls", "_cls"):
            continue
        if parameter.annotation is not parameter.empty:
            parameter = parameter.replace(annotation=_Text(describe_annotation(parameter.annotation)))
        if parameter.default is not parameter.empty:
            parameter = parameter.replace(default=_Text(describe_default(parameter.default)))
        parameters.append(parameter)
    returns = signature.return_annotation
    if returns is not signature.empty:
        returns = _Text(describe_annotation(returns))
    return str(signature.replace(parameters=parameters, return_annotation=returns))


class _Text(str):
    """Text that `inspect` shows as it is."""

    __module__ = "builtins"

    def __repr__(self) -> str:
        return str(self)


def describe_class(name: str, cls: type) -> Iterator[str]:
    """A line for the class, one for each public method or property that it defines."""
    constructor = cls.__new__ if issubclass(cls, tuple) else cls.__init__
    written = isinstance(constructor, FunctionType)
    yield f"class {name}{describe_signature(constructor).rpartition(')')[0] + ')' if written else ''}"
    for member, value in sorted(vars(cls).items()):
        if member.startswith("_"):
            continue
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        if isinstance(value, FunctionType):
            yield f"    {member}{describe_signature(value)}"
        elif isinstance(value, property | cached_property):
            yield f"    {member}"


def describe(name: str, value: Any) -> Iterator[str]:
    """The lines of a public name."""
    if isinstance(value, ModuleType):
        yield f"module {name}"
    elif isinstance(value, type):
        yield from describe_class(name, value)
    elif isinstance(value, FunctionType):
        yield f"{name}{describe_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def public_api() -> str:
    """The text that the file must have. A name is described where it first appears, but not under `zoo`."""
    lines, described = [f"The public API. Written by `{COMMAND}`."], set()
    for module in public_modules():
        lines += ["", f"{module.__name__}:"]
        for name in public_names(module):
            value = getattr(module, name)
            if module is zoo or id(value) in described:
                lines.append(f"    {name}")
            else:
                lines += [f"    {line}" for line in describe(name, value)]
                described.add(id(value))
    return "\n".join(lines) + "\n"


def test_the_file_lists_the_public_api() -> None:
    listed, actual = FILE.read_text(encoding="utf-8").splitlines(), public_api().splitlines()
    changes = "\n".join(difflib.unified_diff(listed, actual, FILE.name, "zoo", lineterm="", n=0))
    assert listed == actual, f"The public API has changed. If that is meant, run `{COMMAND}`.\n{changes}"


def test_the_top_level_can_be_surveyed() -> None:
    names = [name for name in zoo.__all__ if not isinstance(getattr(zoo, name), ModuleType)]
    assert len(names) <= MOST_NAMES, sorted(names)


def test_public_names_are_documented() -> None:
    for module in public_modules():
        assert module.__doc__, module.__name__
        for name in public_names(module):
            value = getattr(module, name)
            assert not (isinstance(value, type | FunctionType)) or value.__doc__, f"{module.__name__}.{name}"


def public_code() -> dict[type | FunctionType, str]:
    """The public classes and functions of the library, `tf.function`s included, with their paths.

    Constants and names of types, such as `zoo.cells.States`, are not among them.
    """
    paths: dict[type | FunctionType, str] = {}
    for module in public_modules():
        for name in public_names(module):
            value = inspect.unwrap(getattr(module, name))
            if isinstance(value, type | FunctionType) and value.__module__.startswith("zoo."):
                paths.setdefault(value, f"{module.__name__}.{name}")
    return paths


def get_examples(value: type | FunctionType) -> doctest.DocTest:
    """The examples in a docstring."""
    names = dict(vars(sys.modules[value.__module__]))
    return doctest.DocTestParser().get_doctest(value.__doc__ or "", names, value.__qualname__, None, None)


def test_public_names_have_examples() -> None:
    """All but exceptions."""
    code = public_code()
    expected = {"zoo.LSTM", "zoo.load", "zoo.preprocessing.text.split_words", "zoo.errors.DataError"}
    assert len(code) > 250
    assert expected <= set(code.values())
    missing = {value: path for value, path in code.items() if not get_examples(value).examples}
    errors = {value for value in missing if isinstance(value, type) and issubclass(value, BaseException)}
    assert [path for value, path in missing.items() if value not in errors] == []


def find_unbound_names(source: str) -> set[str]:
    """The names that a program reads and does not bind."""
    read, bound = set(), set(dir(builtins))
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                bound |= {(alias.asname or alias.name).partition(".")[0] for alias in aliases}
    return read - bound


def test_examples_that_import_the_package_run_as_shown() -> None:
    """Doctests also find what the module around them imports. Other examples show the name alone."""
    assert find_unbound_names("import zoo\nzoo.LSTM(n)") == {"n"}
    unbound = {}
    for value, path in public_code().items():
        source = "".join(example.source for example in get_examples(value).examples)
        if path.count(".") == 1 or re.search(r"import .*\bzoo\b", source):
            unbound[path] = find_unbound_names(source)
    assert len(unbound) > 100
    assert {path: names for path, names in unbound.items() if names} == {}


@pytest.mark.slow
def test_examples_that_doctest_skips_are_true() -> None:
    """They take long: they generate data, or start a process."""
    skipped: dict[str, list[str]] = {}
    for value, path in public_code().items():
        test = get_examples(value)
        if sum(example.options.pop(doctest.SKIP, False) for example in test.examples):
            skipped[path] = []
            doctest.DocTestRunner().run(test, out=skipped[path].append)
    assert skipped
    assert "".join(itertools.chain(*skipped.values())) == ""


SECTION = re.compile(r"^(Args|Attributes|Call arguments|Raises):\n((?: {4}.*\n?|\n)+)", re.MULTILINE)
CAPITALIZED = re.compile(r"^ {4}\S+: (?!Keras|Python)[A-Z][a-z]*\b.*", re.MULTILINE)


def test_entries_begin_with_a_small_letter() -> None:
    """Behind `name:`, unless it is a name or an abbreviation."""
    for path in sorted(Path(zoo.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                sections = SECTION.finditer(ast.get_docstring(node) or "")
                entries = [entry for section in sections for entry in CAPITALIZED.findall(section[2])]
                assert entries == [], f"{path}, {node.name}"


if __name__ == "__main__":
    FILE.write_text(public_api(), encoding="utf-8")
    print(f"{FILE} is written")
