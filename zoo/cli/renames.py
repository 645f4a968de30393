"""Type of the option `--rename-labels`."""

from collections.abc import Mapping
from typing import Annotated

from tyro.constructors import PrimitiveConstructorSpec


def _parse_renames(arguments: list[str]) -> dict[str, str]:
    """Return new names by old ones; an empty new name leaves out what has the old one.

    >>> _parse_renames(["1=neg", "3="])
    {'1': 'neg', '3': ''}
    """
    renames: dict[str, str] = {}
    for argument in arguments:
        old, equals, new = (part.strip() for part in argument.partition("="))
        if not (old and equals):
            raise ValueError(f"expected OLD=NEW, such as 1=neg, got {argument!r}")
        if old in renames:
            raise ValueError(f"expected one new name for each label, got two for {old!r}")
        renames[old] = new
    return renames


Renames = Annotated[
    Mapping[str, str],
    PrimitiveConstructorSpec(
        nargs="*",
        metavar="OLD=NEW [OLD=NEW ...]",
        instance_from_str=_parse_renames,
        is_instance=lambda value: isinstance(value, Mapping),
        str_from_instance=lambda value: [f"{old}={new}" for old, new in value.items()],
    ),
]
