"""Tools for constructors whose arguments are written out: pass them on, and document each of them once."""

import inspect
import re
import textwrap
from dataclasses import dataclass
from typing import Any, TypeVar

C = TypeVar("C", bound=type)

INHERITED = ("Call arguments", "Input shape", "Output shape", "Raises")
ORDER = ("Args", "Attributes", *INHERITED, "Example")


def collect_arguments(scope: dict[str, Any], *without: str) -> dict[str, Any]:
    """Return the named arguments of a method, to pass them on by keyword.

    Args:
        scope: `locals()` of the method, before it assigns anything.
        *without: names of arguments to leave out, besides `self` and `kwargs`.
    """
    left_out = {"self", "kwargs", "__class__", *without}  # `super()` adds `__class__`
    return {name: value for name, value in scope.items() if name not in left_out}


@dataclass
class Docstring:
    """A docstring in parts.

    Attributes:
        summary: the first line.
        description: the text between the summary and the first section.
        sections: text of each section under its heading, indented by four spaces; `Args` is not among them.
        arguments: description of each argument under its name.
    """

    summary: str
    description: str
    sections: dict[str, str]
    arguments: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> "Docstring":
        """Take a docstring in the Google convention apart."""
        head, *rest = re.split(rf"^({'|'.join(ORDER)}):\n", inspect.cleandoc(text), flags=re.MULTILINE)
        summary, _, description = head.strip().partition("\n")
        sections = {name: body.rstrip() for name, body in zip(rest[::2], rest[1::2], strict=True)}
        paragraphs = re.split(r"^    (\S+): ", sections.pop("Args", ""), flags=re.MULTILINE)[1:]
        arguments = {
            name: " ".join(body.split()) for name, body in zip(paragraphs[::2], paragraphs[1::2], strict=True)
        }
        return cls(summary, description.strip("\n"), sections, arguments)


_docstrings: dict[type, Docstring] = {}


def complete_docstring(cls: C) -> C:
    """Complete the docstring of a class with what it inherits; a class decorator.

    - `Args` documents every argument of the constructor, in the order of the signature and with its default.
      A description that the class does not have itself is that of its nearest base.
    - `Call arguments`, `Input shape`, `Output shape` and `Raises` are those of its nearest base that has them.
    - A layer with a `cell_class` inherits from that class, too, and has its description.

    Raises:
        TypeError: an argument has no description, or a description has no argument.
    """
    if cls.__doc__ is None:  # as in `python -OO`
        return cls
    docstring = _docstrings[cls] = Docstring.parse(cls.__doc__)
    cell_class = getattr(cls, "cell_class", object)
    sources = [_docstrings[base] for base in (*cls.__mro__, *cell_class.__mro__) if base in _docstrings]
    arguments: dict[str, str] = {}
    sections: dict[str, str] = {}
    for source in reversed(sources):  # the nearest one last, so that it wins
        arguments.update(source.arguments)
        sections.update({name: text for name, text in source.sections.items() if name in INHERITED})
    sections.update(docstring.sections)
    defaults = {
        f"**{name}" if parameter.kind is parameter.VAR_KEYWORD else name: parameter.default
        for name, parameter in inspect.signature(cls).parameters.items()
    }
    if wrong := sorted(defaults.keys() - arguments.keys() | docstring.arguments.keys() - defaults.keys()):
        raise TypeError(
            f"The docstring of {cls.__name__} must describe exactly the arguments of its constructor. Add or "
            f"remove {', '.join(wrong)}."
        )
    sections["Args"] = "\n".join(_format(name, arguments[name], defaults[name]) for name in defaults)
    descriptions = [docstring.description]
    if cell_class in _docstrings:
        descriptions.insert(0, _docstrings[cell_class].description)
    parts = [docstring.summary, *filter(None, descriptions)]
    parts += [f"{name}:\n{sections[name]}" for name in ORDER if name in sections]
    cls.__doc__ = "\n\n".join(parts) + "\n"
    return cls


def _format(name: str, description: str, default: Any) -> str:
    text = f"{name}: {description}"
    if default is not inspect.Parameter.empty:
        text += f" Defaults to `{default!r}`."
    return textwrap.fill(text, 100, initial_indent=" " * 4, subsequent_indent=" " * 8, break_long_words=False)
