"""Programs that say what a picture or a clip shows."""

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.images import ImageReader, small_copy
from zoo.inspection import plot_glimpses
from zoo.programs.program import Answer, Program, decoded
from zoo.programs.shelf import UsageError
from zoo.video import CLIP_SIZE, ClipReader, middles, short_clip

Shown = str | Path | bytes | np.ndarray
"""The name of a file, what is in a picture's file, or the frames of a clip."""


@dataclass(frozen=True, eq=False)
class Caption(Answer):
    """What a picture or a clip shows.

    Attributes:
        captions: The best first; none where there was no picture.
        scores: Their log-probabilities, divided by the length penalty.
        words: Those of the best caption.
        attention: Where the decoder looked for each, [words, rows, columns]; in a clip
            [words, frames, rows, columns].
    """

    captions: tuple[str, ...]
    scores: tuple[float, ...]
    words: tuple[str, ...]
    attention: np.ndarray

    def lines(self, given: str, best: int) -> Iterator[str]:
        """File, score, caption; or file and what was wrong with it."""
        if self.status:
            yield f"{given}  [{self.status}]"
            return
        for score, caption in itertools.islice(zip(self.scores, self.captions, strict=False), best):
            yield f"{given}  {score:8.3f}  {caption}"


class Captioner(Program[Shown, Caption]):
    """Pictures, or clips, in, sentences out."""

    output = "captions"
    takes = "a picture or a clip"

    @property
    def moving(self) -> bool:
        """Whether it is for clips, and not for pictures."""
        return "frames" in self.signatures["serving_default"].structured_input_signature[1]

    @property
    def at_once(self) -> int:
        """How many inputs go through the graph together."""
        return 1 if self.moving else 16

    def read(self, argument: bytes) -> Path:
        """A file by its name."""
        return Path(os.fsdecode(argument))

    def _answers(self, inputs: Sequence[Shown]) -> Iterable[Caption]:
        opened = [self._opened(shown) for shown in inputs]
        said = self.serve(**(ClipReader if self.moving else ImageReader).given(opened))
        for row, status in enumerate(said["status"]):
            words = decoded(said["words"][row])
            yield Caption(
                status.decode(),
                decoded(said["captions"][row]),
                tuple(said["scores"][row].tolist()),
                words,
                said["attention"][row, : len(words)],
            )

    def _opened(self, shown: Shown) -> bytes | np.ndarray:
        if self.moving:
            return shown if isinstance(shown, np.ndarray) else short_clip(Path(shown), CLIP_SIZE)
        if isinstance(shown, bytes):
            return shown
        if not isinstance(shown, (str, Path)):
            raise UsageError(f"Expected a picture: a file, or what is in it as bytes; got {type(shown)}.")
        try:
            return Path(shown).expanduser().read_bytes()
        except OSError as error:
            raise UsageError(f"{shown} cannot be read: {error.strerror}.") from error

    def plot(self, given: Shown, answer: Caption, picture: Path) -> None:
        """Draw where in the picture the decoder looked for each word; of a clip the frame it saw most."""
        if not answer.attention.any():
            raise UsageError(
                "There is no caption to draw, or the model has no attention. Give another picture, or "
                "name another model."
            )
        words, weights, opened = answer.words, answer.attention, self._opened(given)
        if self.moving:
            most = weights.sum((2, 3)).argmax(1)
            places = middles(len(opened), weights.shape[1])[most]
            images, weights = opened[places], weights[range(len(words)), most]
            words = [f"{word}, frame {place}" for word, place in zip(words, places, strict=True)]
        else:
            images = np.asarray(small_copy(opened))
        plot_glimpses(images, words, weights, picture)
