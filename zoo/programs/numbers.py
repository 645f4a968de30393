"""Numbers that have bounds, as the command line reads them."""

from collections.abc import Callable
from typing import Annotated, Any

from tyro.constructors import PrimitiveConstructorSpec


def _number(kind: type, expected: str, holds: Callable[[Any], bool]) -> PrimitiveConstructorSpec:
    """How a number that has bounds is read from the command line."""

    def read(arguments: list[str]) -> Any:
        try:
            value = kind(arguments[0])
        except ValueError:
            value = None
        if value is None or not holds(value):
            raise ValueError(f"expected {expected}, got {arguments[0]!r}")
        return value

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=kind.__name__.upper(),
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


Count = Annotated[int, _number(int, "a whole number of at least 1", lambda n: n >= 1)]
Number = Annotated[int, _number(int, "a whole number of at least 0", lambda n: n >= 0)]
Seed = Annotated[int, _number(int, "a whole number of at least 0, below 2**32", lambda n: 0 <= n < 2**32)]
Penalty = Annotated[float, _number(float, "a number of at least 0", lambda x: 0 <= x < float("inf"))]
Share = Annotated[float, _number(float, "a number of at least 0 and below 1", lambda x: 0 <= x < 1)]
Rate = Annotated[float, _number(float, "a number above 0", lambda x: 0 < x < float("inf"))]
Port = Annotated[int, _number(int, "a port between 0 and 65535; 0 takes any", lambda n: 0 <= n < 2**16)]
