"""Numbers that have bounds, as the command line reads them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from tyro.constructors import PrimitiveConstructorSpec


def _number(kind: type, expected: str, holds: Callable[[Any], bool]) -> PrimitiveConstructorSpec:
    """How a number is read that has to hold something."""
    several = _numbers(kind, expected, holds, 1)
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=several.metavar,
        instance_from_str=lambda arguments: several.instance_from_str(arguments)[0],
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


def _numbers(
    kind: type, expected: str, holds: Callable[[Any], bool], count: int | Literal["*"]
) -> PrimitiveConstructorSpec:
    """The same of so many numbers; "*" is any number of them, at least one."""

    def read(arguments: list[str]) -> tuple[Any, ...]:
        try:
            values = tuple(map(kind, arguments))
        except ValueError:
            values = ()
        if not values or not all(map(holds, values)):
            raise ValueError(f"expected {expected}, got {' '.join(arguments)!r}")
        return values

    name = kind.__name__.upper()
    return PrimitiveConstructorSpec(
        nargs=count,
        metavar=f"{name} [{name} ...]" if count == "*" else " ".join([name] * count),
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, tuple) and all(isinstance(each, kind) for each in value),
        str_from_instance=lambda value: list(map(str, value)),
    )


PositiveInt = Annotated[int, _number(int, "a whole number of at least 1", lambda n: n >= 1)]
VocabularySize = Annotated[
    int, _number(int, "a whole number of at least 3", lambda n: n >= 3)
]  # two ids are none
NonNegativeInt = Annotated[int, _number(int, "a whole number of at least 0", lambda n: n >= 0)]
Seed = Annotated[int, _number(int, "a whole number of at least 0, below 2**32", lambda n: 0 <= n < 2**32)]
NonNegativeFloat = Annotated[float, _number(float, "a number of at least 0", lambda x: 0 <= x < float("inf"))]
UnitInterval = Annotated[float, _number(float, "a number of at least 0 and below 1", lambda x: 0 <= x < 1)]
PositiveFloat = Annotated[float, _number(float, "a number above 0", lambda x: 0 < x < float("inf"))]
Port = Annotated[int, _number(int, "a port between 0 and 65535; 0 takes any", lambda n: 0 <= n < 2**16)]
PositiveFloats = Annotated[
    tuple[float, ...], _numbers(float, "numbers above 0", lambda x: 0 < x < float("inf"), "*")
]
Size = Annotated[
    tuple[int, int], _numbers(int, "two whole numbers of at least 1, height and width", lambda n: n >= 1, 2)
]
