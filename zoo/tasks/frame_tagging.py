"""Programs that tag each frame of a video: what is said of whole sequences, of streams, and the shots."""

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.errors import UsageError
from zoo.inspection import plot_contact_sheet
from zoo.metrics import Segment, find_segments, find_transitions
from zoo.preprocessing.video import Video, batch_frames, format_timecode, open_video
from zoo.tasks.predictor import Answer, Program
from zoo.training import Progress

SHOT = "shot"
"""What frames bear at which nothing happens, where the task is to find shots."""

SHORTEST = {"dissolve": 3, "fade": 3, "wipe": 3}
"""Frames that a transition has at least; what is shorter is flicker."""

_LARGE = (108, 192)  # pixels of a frame, more than an edit needs
_PICTURE = 320  # pixels of a shot's picture, its longer side

Filmed = str | Path | np.ndarray
"""A video's file or a folder of numbered pictures; or frames, or features, [time, ...]."""


@dataclass(frozen=True, eq=False)
class Tags(Answer):
    """What happens at each step of a sequence, such as a frame of a video.

    Attributes:
        tags: One a step; of several labels those that hold, between bars.
        parts: The shots between transitions, or where the task is another, runs of one tag.
        times: Of each step in seconds, and of the end; empty where there is no video.
        scores: Of each label, [steps, labels].
    """

    tags: tuple[str, ...]
    parts: tuple[Segment, ...]
    times: tuple[float, ...]
    scores: np.ndarray

    def as_json(self) -> dict[str, Any]:
        """All of it but the scores."""
        return super().as_json() | {"parts": [part._asdict() for part in self.parts]}

    def lines(self, given: str, best: int) -> Iterator[str]:
        """The input, a line for each part of it, and what was wrong with it."""
        yield given
        for number, what, first, end, *times in self.rows():
            start, end = times or (first, end)
            yield f"{number:5}  {start} to {end}  {what}"
        if self.status:
            yield self.status

    def rows(self) -> list[tuple]:
        """Of each part number, kind, first step, the step after the last; of videos their times, too."""
        return [
            (number, *part, *(format_timecode(self.times[step]) for step in part[1:] if self.times))
            for number, part in enumerate(self.parts, 1)
        ]

    def write(self, folder: Path) -> None:
        """Write tables of frames and of parts."""
        folder.mkdir(parents=True, exist_ok=True)
        timed = bool(self.times)
        frames = {
            "frame": range(len(self.tags)),
            **({"time": [f"{time:.3f}" for time in self.times[:-1]]} if timed else {}),
            "tag": self.tags,
            "score": [f"{score:.3f}" for score in self.scores.max(-1)],
        }
        _write(folder / "frames.csv", tuple(frames), zip(*frames.values(), strict=True))
        header = ("number", "what", "first_frame", "end_frame", *(("start", "end") if timed else ()))
        _write(folder / "parts.csv", header, self.rows())


class Tagger(Program[Filmed, Tags]):
    """Videos in, a tag for each frame out."""

    output = "tags"
    kind = "video"
    at_once = 1

    def __init__(self, folder: Path, model: Any) -> None:
        super().__init__(folder, model)
        takes = self.signatures["serving_default"].structured_input_signature[1]
        (self._values,) = set(takes) - {"lengths"}

    def predict(self, inputs: Iterable[Filmed], rate: float = 25.0, progress: bool = False) -> list[Tags]:
        """Tag each frame of each of the videos, which are read in pieces.

        Args:
            inputs: Files, folders of numbered pictures, or frames or features as arrays.
            rate: Frames per second of folders of pictures.
            progress: Whether to print how far a video is read.

        Raises:
            UsageError: It is one input instead of several, or the model takes no videos.
            VideoError: One cannot be read.
        """
        return [self._tagged(filmed, rate, progress) for (filmed,) in self._grouped(inputs)]

    def read(self, argument: bytes) -> Path:
        """A video by its name."""
        return Path(os.fsdecode(argument))

    def _answers(self, inputs: Sequence[Filmed]) -> Iterable[Tags]:
        return self.predict(inputs)

    def _tagged(self, filmed: Filmed, rate: float, progress: bool) -> Tags:
        times: list[float] = []
        status = ""
        if isinstance(filmed, np.ndarray):
            said = answers(self.signatures, self._values, in_pieces(filmed, self.signatures))
        else:
            video = self._video(filmed, rate)
            said = answers(self.signatures, self._values, self._frames(video, times, progress))
            status = video.problem
        parts = shots(said.tags) if SHOT in said.tags else find_segments(said.tags)
        if times:  # the last frame lasts as long as the one before it
            times.append(2 * times[-1] - times[-2] if len(times) > 1 else times[-1])
        return Tags(status, tuple(said.tags), tuple(parts), tuple(times), said.scores)

    def _video(self, filmed: str | Path, rate: float = 25.0) -> Video:
        if self._values != "frames":
            raise UsageError(f"The model takes {self._values}, not videos. Call it as its card shows.")
        return open_video(filmed, rate)

    def _frames(self, video: Video, times: list[float], progress: bool) -> Iterator[np.ndarray]:
        """The frames of a video, some at a time; their times are added to `times`."""
        # A stream carries frames, of the size that the model wants. Others are small enough to be kept.
        begin = self.signatures.get("init")
        past = begin.structured_outputs.get("past") if begin else None
        size = _LARGE if past is None else tuple(past.shape[2:4])
        length = piece_size(self.signatures)
        total = -(-video.num_frames // length) if video.num_frames else -1
        shown = Progress(str(video.path), total, stream=sys.stderr) if progress else None
        for some, frames in batch_frames(video.decode(size), length):
            times += some.tolist()
            yield frames
            if shown:
                shown.update(len(frames))
        if shown:
            shown.clear()

    def plot(self, given: Filmed, answer: Tags, picture: Path) -> None:
        """Draw a contact sheet: the frame in the middle of each part."""
        if isinstance(given, np.ndarray):
            raise UsageError("A contact sheet is drawn of videos. Give a file, or a folder of pictures.")
        video, middles = self._video(given), {(part.start + part.end) // 2 for part in answer.parts}
        height, width, _ = next(video.decode())[1].shape
        size = tuple(max(1, _PICTURE * side // max(height, width)) for side in (height, width))
        pictures = [frame for number, (_, frame) in enumerate(video.decode(size)) if number in middles]
        captions = [f"{number}  {start} to {end}" for number, *_, start, end in answer.rows()]
        plot_contact_sheet(pictures, captions, picture)


class Steps(NamedTuple):
    """What is said of the steps of a sequence."""

    tags: list[str]
    scores: np.ndarray
    """[time, labels]."""


def in_pieces(sequence: np.ndarray, signatures: Mapping[str, Any]) -> list[np.ndarray]:
    """The pieces in which a program is given a sequence."""
    size = piece_size(signatures)
    return [sequence[start : start + size] for start in range(0, len(sequence), size)]


def piece_size(signatures: Mapping[str, Any]) -> int:
    """How many steps a program is given at a time. One that reads both ways sees no more than these."""
    return 64 if "step" in signatures else 1_000


def answers(signatures: Mapping[str, Callable], takes: str, some: Iterable[np.ndarray]) -> Steps:
    """What a program says of a sequence that comes in pieces.

    Args:
        signatures: those of the program: `init`, `step` and `finish`, or `serving_default` alone.
        takes: what the program calls the values of steps, such as "frames".
        some: the pieces [time, ...].
    """
    tags: list[str] = []
    scores: list[np.ndarray] = []
    steps = 0

    def add(said: dict[str, tf.Tensor]) -> None:
        tags.extend(tag.decode() for tag in said["tags"][0].numpy())
        scores.append(said["scores"][0].numpy())

    state = signatures["init"](batch=tf.constant(1)) if "init" in signatures else {}
    for values in some:
        given = {takes: tf.constant(values[None])}
        if state:
            add(said := signatures["step"](**given, **state))
            state = {name: said[name] for name in state}
        else:
            add(signatures["serving_default"](**given, lengths=tf.constant([len(values)])))
        steps += len(values)
    if not steps:
        raise UsageError("Expected a sequence of at least one step, got none.")
    if state:
        add(signatures["finish"](**state))
    late = len(tags) - steps  # before the first step there is nothing to be said
    return Steps(tags[late:], np.concatenate(scores)[late:])


def shots(tags: Sequence[str]) -> list[Segment]:
    """The shots between transitions. A cut is a frame of the new shot; what is mixed belongs to none."""
    found, start, what = [], 0, "start"
    for transition in [*find_transitions(tags, SHOT, SHORTEST), Segment("end", len(tags), len(tags))]:
        if transition.start > start:
            found.append(Segment(what, start, transition.start))
        what = transition.label
        start = transition.start if what == "cut" else transition.end
    return found


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([header, *rows])
