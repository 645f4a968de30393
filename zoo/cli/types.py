"""Types of numbers with bounds, and of names, which the command line checks and names in its errors."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Annotated, Any, Literal, TypeVar

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from zoo.errors import UsageError

Item = TypeVar("Item")


def format_default(default: str) -> str:
    """Return how the help states a default, "none" for a tuple without values."""
    return f"(default: {default or 'none'})"


Several = Annotated[tuple[Item, ...], tyro.conf.arg(help_behavior_hint=format_default)]
"""Any number of values, by default none: `Several[Path]`."""

ModelName = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]

PARSING = (tyro.conf.DisallowNone,)
"""How tyro reads all command lines: an option is left out, and not set to None, if it has no value."""


def _make_spec(kind: type, expected: str, is_valid: Callable[[Any], bool]) -> PrimitiveConstructorSpec[Any]:
    """Return how tyro reads one number."""
    spec = _make_tuple_spec(kind, expected, is_valid, 1)
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=spec.metavar,
        instance_from_str=lambda arguments: spec.instance_from_str(arguments)[0],
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


def _make_tuple_spec(
    kind: type, expected: str, is_valid: Callable[[Any], bool], count: int | Literal["*"]
) -> PrimitiveConstructorSpec[Any]:
    """Return how tyro reads `count` numbers; "*" stands for one or more."""

    def parse(arguments: list[str]) -> tuple[Any, ...]:
        try:
            values = tuple(map(kind, arguments))
        except ValueError:
            values = ()
        if not values or not all(map(is_valid, values)):
            raise ValueError(f"expected {expected}, got {' '.join(arguments)!r}")
        return values

    name = kind.__name__.upper()
    return PrimitiveConstructorSpec(
        nargs=count,
        metavar=f"{name} [{name} ...]" if count == "*" else " ".join([name] * count),
        instance_from_str=parse,
        is_instance=lambda value: isinstance(value, tuple) and all(isinstance(item, kind) for item in value),
        str_from_instance=lambda value: list(map(str, value)),
    )


def check_names(option: str, names: Collection[str], choices: Collection[str]) -> None:
    """Check the names that a setting of type `Names` has.

    Raises:
        UsageError: there is none, one is not among the choices, or one stands there twice.
    """
    unknown = [name for name in names if name not in choices]
    if unknown or not names:
        found = repr(unknown[0]) if unknown else "no name"
        raise UsageError(f"{option}: found {found}. Expected some of {', '.join(choices)}.")
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{option}: found {name!r} {count} times. Expected each name once.")


INFINITY = float("inf")

PositiveInt = Annotated[int, _make_spec(int, "a whole number of at least 1", lambda n: n >= 1)]
NonNegativeInt = Annotated[int, _make_spec(int, "a whole number of at least 0", lambda n: n >= 0)]
VocabularySize = Annotated[  # two ids stand for padding and unknown words
    int, _make_spec(int, "a whole number of at least 3", lambda n: n >= 3)
]
Seed = Annotated[
    int, _make_spec(int, "a whole number of at least 0 and below 2**32", lambda n: 0 <= n < 2**32)
]
Port = Annotated[
    int, _make_spec(int, "a port from 0 to 65535; 0 takes any free one", lambda n: 0 <= n < 2**16)
]
PositiveFloat = Annotated[float, _make_spec(float, "a number above 0", lambda x: 0 < x < INFINITY)]
NonNegativeFloat = Annotated[float, _make_spec(float, "a number of at least 0", lambda x: 0 <= x < INFINITY)]
UnitInterval = Annotated[float, _make_spec(float, "a number of at least 0 and below 1", lambda x: 0 <= x < 1)]
PositiveFloats = Annotated[
    tuple[float, ...], _make_tuple_spec(float, "numbers above 0", lambda x: 0 < x < INFINITY, "*")
]
Names = Annotated[  # with commas or spaces between
    tuple[str, ...],
    PrimitiveConstructorSpec(
        nargs="*",
        metavar="NAME[,NAME ...]",
        instance_from_str=lambda arguments: tuple(filter(None, ",".join(arguments).split(","))),
        is_instance=lambda value: isinstance(value, tuple) and all(isinstance(item, str) for item in value),
        str_from_instance=lambda value: [",".join(value)],
    ),
]
ImageSize = Annotated[
    tuple[int, int],
    _make_tuple_spec(int, "two whole numbers of at least 1, height and width", lambda n: n >= 1, 2),
]
