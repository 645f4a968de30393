"""How objects show themselves: short in `repr`, and as tables in notebooks."""

import dataclasses
import html
import reprlib
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

MAX_CHARACTERS = 160
"""Of a cell of a table; longer texts are cut."""

MAX_ROWS = 20
"""Of a table; the number of those that are left out is stated."""


class _Repr(reprlib.Repr):
    """Cuts long values; of an array or a tensor it states dtype and shape, of a `tf.data.Dataset` the class."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxtuple = self.maxlist = self.maxdict = 3

    def repr1(self, x: Any, level: int) -> str:
        if hasattr(x, "dtype") and hasattr(x, "shape") and x.shape != ():
            dtype = getattr(x.dtype, "name", x.dtype)
            return f"<{dtype} [{', '.join(map(str, x.shape))}]>"
        if hasattr(x, "element_spec"):
            return "<tf.data.Dataset>"
        return super().repr1(x, level)


class ShortRepr:
    """Base class of dataclasses whose fields may be long: their `repr` cuts them. They set `repr=False`."""

    def __repr__(self) -> str:
        fields = [field.name for field in dataclasses.fields(self) if field.repr]  # type: ignore[arg-type]  # subclasses are dataclasses
        return format_repr(self, fields)


def format_repr(instance: Any, names: Iterable[str]) -> str:
    """Return the class of an object with some of its attributes, of which long ones are cut.

    Args:
        instance: the object.
        names: names of the attributes.

    >>> format_repr(slice(1, "word " * 50), ["start", "stop"])
    "slice(start=1, stop='word word word word word word word w...word word word word word word word ')"
    """
    attributes = ", ".join(f"{name}={_Repr().repr(getattr(instance, name))}" for name in names)
    return f"{type(instance).__name__}({attributes})"


def format_html_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], caption: str = "") -> str:
    """Return a table as HTML, for `_repr_html_`.

    Floating-point numbers have three decimals and integers separators; long texts and further rows are cut.

    Args:
        columns: names of the columns.
        rows: texts and numbers.
        caption: stands above the table.

    >>> format_html_table(["<b>"], [[0.25]])
    '<table><thead><tr><th>&lt;b&gt;</th></tr></thead><tbody><tr><td>0.250</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{_escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_format_cell, row))}</tr>" for row in rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        body += f'<tr><td colspan="{len(columns)}">and {len(rows) - MAX_ROWS:,} more</td></tr>'
    title = f"<caption>{_escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _format_cell(value: Any) -> str:
    if isinstance(value, str):
        return f'<td style="text-align: left">{_escape(value)}</td>'
    return f"<td>{value:,.3f}</td>" if isinstance(value, float) else f"<td>{value:,}</td>"


def _escape(text: str) -> str:
    return html.escape(textwrap.shorten(text, MAX_CHARACTERS, placeholder=" …"))
