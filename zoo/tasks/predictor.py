"""What all exported models have in common: raw inputs in, typed answers out."""

import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import tensorflow as tf

from zoo.errors import UsageError
from zoo.serving.model_store import read_card

Given = TypeVar("Given")
Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True, eq=False)
class Answer(ABC):
    """What a program says of one input.

    Attributes:
        status: Empty where all is well, else what was wrong with the input, or what was left out.
    """

    status: str

    def as_json(self) -> dict[str, Any]:
        """All of it but arrays, such as maps of attention."""
        found = dataclasses.asdict(self)
        return {name: value for name, value in found.items() if not isinstance(value, np.ndarray)}

    @abstractmethod
    def lines(self, given: str, best: int) -> Iterator[str]:
        """What to print of it: of several answers the `best` first ones."""


Said = TypeVar("Said", bound=Answer)


class Program(ABC, Generic[Given, Said]):
    """An exported model, ready to be asked.

    Attributes:
        folder: Where it lies.
        card: What is known of it, as `zoo.export_model` writes it; empty where it has no card.
        signatures: The functions of the SavedModel by name, for what `predict` does not do.
        kind: What an input is: "text", "picture" or "video".
        at_once: How many inputs go through the graph together.
    """

    output: ClassVar[str]
    """What such models give, and others do not."""
    kind: str
    at_once: int = 64

    def __init__(self, folder: Path, model: Any) -> None:
        self.folder, self.signatures = folder, model.signatures
        self._model = model  # its variables live as long as it does
        self.card = read_card(folder)

    def predict(self, inputs: Iterable[Given]) -> list[Said]:
        """Answer each of the inputs.

        Raises:
            UsageError: It is one input instead of several, or one of another kind.
        """
        return list(itertools.chain.from_iterable(map(self._answers, self._grouped(inputs))))

    def _grouped(self, inputs: Iterable[Given]) -> Iterator[list[Given]]:
        if isinstance(inputs, (str, bytes, Path, np.ndarray)) or not isinstance(inputs, Iterable):
            raise UsageError(f"Expected a list of inputs, each one a {self.kind}; got {inputs!r:.60}.")
        return grouped(inputs, self.at_once)

    @abstractmethod
    def _answers(self, inputs: Sequence[Given]) -> Iterable[Said]:
        """Answer so many inputs as go through the graph together."""

    @abstractmethod
    def read(self, argument: bytes) -> Given:
        """The input that stands on a command line, or in a line of a file."""

    @abstractmethod
    def plot(self, given: Given, answer: Said, picture: Path) -> None:
        """Draw what lies behind an answer.

        Raises:
            UsageError: There is nothing to draw.
        """

    def serve(self, **inputs: Any) -> dict[str, np.ndarray]:
        """What `serving_default` gives for inputs by name."""
        return called(self.signatures["serving_default"], **inputs)


def called(signature: Any, **inputs: Any) -> dict[str, np.ndarray]:
    """What a signature gives, as arrays."""
    said = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in said.items()}


def grouped(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """So many at a time."""
    remaining = iter(items)
    while some := list(itertools.islice(remaining, size)):
        yield some


def decoded(strings: np.ndarray) -> tuple[str, ...]:
    """Strings of one row, without those that are empty at its end."""
    found = [string.decode(errors="replace") for string in strings]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def noted(status: str) -> str:
    """How a status stands behind an answer."""
    return f"  [{status}]" if status else ""
