"""Programs that read text: classifiers, translators, tellers of next words."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.errors import UsageError
from zoo.inspection import plot_attention, plot_gates
from zoo.tasks.predictor import Answer, Program, Said, called, decoded, noted

Text = str | bytes

_DRAWN = 60  # words; a picture of more is too wide to be looked at


@dataclass(frozen=True, eq=False)
class Label(Answer):
    """Which label a text bears.

    Attributes:
        label: The likeliest.
        scores: The probability of each.
    """

    label: str
    scores: dict[str, float]

    def lines(self, given: str, best: int) -> Iterator[str]:
        """Label, probability, text."""
        ranked = sorted(self.scores, key=lambda label: -self.scores[label])
        for label in ranked[:best]:
            yield f"{label:12}{self.scores[label]:6.3f}  {given}{noted(self.status)}"


@dataclass(frozen=True, eq=False)
class Translation(Answer):
    """What a text says in another language.

    Attributes:
        translations: The best first; none where there was no text.
        scores: Their log-probabilities, divided by the length penalty.
        source: The pieces of the text.
        target: The pieces of the best translation.
        attention: Where in the source the decoder looked for each of these, [target, source].
    """

    translations: tuple[str, ...]
    scores: tuple[float, ...]
    source: tuple[str, ...]
    target: tuple[str, ...]
    attention: np.ndarray

    def lines(self, given: str, best: int) -> Iterator[str]:
        """Score, translation."""
        if not self.translations:
            yield f"{'':8}{noted(self.status)}"
        found = zip(self.scores, self.translations, strict=True)
        for score, translation in itertools.islice(found, best):
            yield f"{score:8.3f}  {translation}{noted(self.status)}"


@dataclass(frozen=True, eq=False)
class NextWordPrediction(Answer):
    """Which words may follow a text.

    Attributes:
        words: The likeliest first.
        probabilities: Of each, among the words that are known.
    """

    words: tuple[str, ...]
    probabilities: tuple[float, ...]

    def lines(self, given: str, best: int) -> Iterator[str]:
        """Text, words, probabilities."""
        words = "  ".join(
            f"{word} {share:.3f}" for word, share in zip(self.words, self.probabilities, strict=False)
        )
        yield f"{given} ...  {words}{noted(self.status)}"


class TextProgram(Program[Text, Said]):
    """What programs have in common that read text."""

    kind = "text"

    def read(self, argument: bytes) -> bytes:
        """A text stands for itself; exports take any bytes, but people have another file in mind then."""
        try:
            argument.decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"Expected text in UTF-8, got {argument!r:.60}. Is it the right file? If it has another "
                "encoding, convert it, as iconv does."
            ) from error
        return argument

    def asked(self, texts: Sequence[Text]) -> dict[str, np.ndarray]:
        """What the model gives for texts."""
        for text in texts:
            if not isinstance(text, (str, bytes)):
                raise UsageError(f"Expected a text, got {text!r:.60}.")
        return self.serve(text=list(texts))


class Classifier(TextProgram[Label]):
    """Texts in, labels out."""

    output = "label"

    def _answers(self, inputs: Sequence[Text]) -> Iterable[Label]:
        said = self.asked(inputs)
        labels = decoded(said["labels"])
        for row, status in enumerate(said["status"]):
            scores = dict(zip(labels, said["scores"][row].tolist(), strict=True))
            yield Label(status.decode(), said["label"][row].decode(), scores)

    def plot(self, given: Text, answer: Label, picture: Path) -> None:
        """Draw the gates and states at each word, of a long text at its beginning."""
        if "gates" not in self.signatures:
            raise UsageError(f"{self.folder} has no gates to draw.")
        inside = called(self.signatures["gates"], text=[given])
        words = decoded(inside.pop("words"))
        if not words:
            raise UsageError("There are no words, so no gates to draw. Give another text.")
        # Side by side what reads forward and what reads backward.
        names = sorted(inside, key=lambda name: ("backward" in name, name))
        ways = 1 + ("backward" in names[-1])
        half = len(names) // ways
        inside = {
            name: inside[name] for pair in zip(names[:half], names[-half:], strict=True) for name in pair
        }
        title = f"The first {_DRAWN} of {len(words):,} words" if len(words) > _DRAWN else ""
        inside = {name: values[:_DRAWN] for name, values in inside.items()}
        plot_gates(inside, picture, words[:_DRAWN], columns=ways, title=title)


class Translator(TextProgram[Translation]):
    """Texts in, texts of another language out."""

    output = "translations"

    def _answers(self, inputs: Sequence[Text]) -> Iterable[Translation]:
        said = self.asked(inputs)
        for row, status in enumerate(said["status"]):
            source, target = (_spaced(said[f"{side}_pieces"][row]) for side in ("source", "target"))
            translations = decoded(said["translations"][row])
            yield Translation(
                status.decode(),
                translations,
                tuple(said["scores"][row, : len(translations)].tolist()),
                source,
                target,
                said["attention"][row, : len(target), : len(source)],
            )

    def plot(self, given: Text, answer: Translation, picture: Path) -> None:
        """Draw where in the text the decoder looked for each piece of the best translation."""
        if not answer.attention.any():
            raise UsageError(
                "The text gave no attention to draw. Give a text, to a model that has attention."
            )
        plot_attention(answer.attention, answer.source, answer.target, picture)


class NextWordPredictor(TextProgram[NextWordPrediction]):
    """Texts in, the words that may follow out."""

    output = "probabilities"

    def _answers(self, inputs: Sequence[Text]) -> Iterable[NextWordPrediction]:
        said = self.asked(inputs)
        for row, status in enumerate(said["status"]):
            words = decoded(said["words"][row])
            shares = tuple(said["probabilities"][row, : len(words)].tolist())
            yield NextWordPrediction(status.decode(), words, shares)

    def plot(self, given: Text, answer: NextWordPrediction, picture: Path) -> None:
        """There is nothing to draw."""
        raise UsageError("The model gives words alone: there is nothing to draw.")


def _spaced(pieces: np.ndarray) -> tuple[str, ...]:
    return tuple(piece.replace("▁", " ").strip() for piece in decoded(pieces))
