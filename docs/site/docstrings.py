"""Docstrings for the API reference: those that `help()` shows, in the form that mkdocstrings reads."""

import importlib
import inspect
import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*(?:\n\n>>> .*(?:\n(?!\s*$).*)*)*", re.MULTILINE)
SECTION = re.compile(r"^(Call arguments|Input shape|Output shape):\n((?: {4}.*\n?|\s*\n)*)", re.MULTILINE)


def format_docstring(text: str) -> str:
    """Bring a docstring into the form that mkdocstrings reads.

    Args:
        text: a docstring, as `inspect.getdoc` returns it.

    Returns:
        The docstring with all doctests in sections `Examples`, `Call arguments` as a section of parameters, and the
        shapes as paragraphs.
    """
    text = re.sub("^Example:$", "Examples:", text, flags=re.MULTILINE)
    text = EXAMPLE.sub(lambda match: "Examples:\n" + _indent(match[0]), text)
    return SECTION.sub(_format_section, text + "\n")


def _indent(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


def _format_section(match: re.Match[str]) -> str:
    name, body = match.groups()
    if name == "Call arguments":
        return f"Other parameters: {name}\n{body}"
    return f"**{name}:** {inspect.cleandoc(body)}\n\n"


class RuntimeDocstrings(griffe.Extension):
    """Takes the docstrings of the imported package: decorators complete those of cells and layers."""

    def on_object(self, *, obj: griffe.Object, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Replace the docstring of a class or function."""
        if obj.docstring is None or not (obj.is_class or obj.is_function):
            return
        value: Any = importlib.import_module(obj.module.path)
        for name in obj.path.removeprefix(f"{obj.module.path}.").split("."):
            value = inspect.getattr_static(value, name, None)
        value = getattr(value, "__func__", value)
        obj.docstring.value = format_docstring(inspect.getdoc(value) or obj.docstring.value)
