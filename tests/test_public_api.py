"""The public API: `public_api.txt` lists it, and a change of it is a change of that file.

python tests/test_public_api.py    # writes the file anew
"""

import difflib
import importlib
import inspect
import pkgutil
import re
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


WITH_EXAMPLES = (
    zoo.cells,
    zoo.layers,
    zoo.formulations,
    zoo.decoding,
    zoo.losses,
    zoo.optimizers,
    zoo.schedules,
)
WITH_EXAMPLES += (zoo.metrics, zoo.scans)


@pytest.mark.parametrize("module", WITH_EXAMPLES, ids=lambda module: module.__name__)
def test_building_blocks_have_examples(module: ModuleType) -> None:
    for name in public_names(module):
        value = getattr(module, name)
        if isinstance(value, type | FunctionType) and value is not Any:
            assert ">>> " in (value.__doc__ or ""), name


if __name__ == "__main__":
    FILE.write_text(public_api(), encoding="utf-8")
    print(f"{FILE} is written")
