"""Programs that say what a picture or a clip shows."""

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import UsageError
from zoo.inspection import plot_image_attention
from zoo.preprocessing.images import ImageReader, make_thumbnail
from zoo.preprocessing.video import CLIP_FRAME_SIZE, ClipReader, read_clip, sample_positions
from zoo.tasks.predictor import Answer, Program, decoded

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
        for score, caption in itertools.islice(zip(self.scores, self.captions, strict=True), best):
            yield f"{given}  {score:8.3f}  {caption}"


class Captioner(Program[Shown, Caption]):
    """Pictures, or clips, in, sentences out."""

    output = "captions"

    def __init__(self, folder: Path, model: Any) -> None:
        super().__init__(folder, model)
        moving = "frames" in self.signatures["serving_default"].structured_input_signature[1]
        self.kind, self.at_once = ("video", 1) if moving else ("picture", 16)

    def read(self, argument: bytes) -> Path:
        """A file by its name."""
        return Path(os.fsdecode(argument))

    def _answers(self, inputs: Sequence[Shown]) -> Iterable[Caption]:
        if self.kind == "video":
            said = self.serve(**ClipReader.pack_inputs([_clip(shown) for shown in inputs]))
        else:
            said = self.serve(**ImageReader.pack_inputs([_picture(shown) for shown in inputs]))
        for row, status in enumerate(said["status"]):
            words, captions = decoded(said["words"][row]), decoded(said["captions"][row])
            yield Caption(
                status.decode(),
                captions,
                tuple(said["scores"][row, : len(captions)].tolist()),
                words,
                said["attention"][row, : len(words)],
            )

    def plot(self, given: Shown, answer: Caption, picture: Path) -> None:
        """Draw where in the picture the decoder looked for each word; of a clip the frame it saw most."""
        if not answer.attention.any():
            raise UsageError(
                "There is no caption to draw, or the model has no attention. Give another picture, or "
                "name another model."
            )
        words, weights = list(answer.words), answer.attention
        if self.kind == "video":
            frames, most = _clip(given), weights.sum((2, 3)).argmax(1)
            places = sample_positions(len(frames), weights.shape[1])[most]
            images, weights = frames[places], weights[range(len(words)), most]
            words = [f"{word}, frame {place}" for word, place in zip(words, places, strict=True)]
        else:
            images = np.asarray(make_thumbnail(_picture(given)))
        plot_image_attention(images, words, weights, picture)


def _clip(shown: Shown) -> np.ndarray:
    if isinstance(shown, np.ndarray):
        return shown
    if isinstance(shown, bytes):
        raise UsageError("Expected a video: a file, or frames as an array; got bytes.")
    return read_clip(Path(shown), CLIP_FRAME_SIZE)


def _picture(shown: Shown) -> bytes:
    if isinstance(shown, bytes):
        return shown
    if not isinstance(shown, (str, Path)):
        raise UsageError(f"Expected a picture: a file, or what is in it as bytes; got {type(shown)}.")
    try:
        return Path(shown).expanduser().read_bytes()
    except OSError as error:
        raise UsageError(
            f"{shown} cannot be read: {error.strerror}. Expected a picture: JPEG, PNG, GIF or BMP."
        ) from error
