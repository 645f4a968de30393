"""Frame tagging, direct many-to-many: frames of a video, or features, in, a tag for each out; also in streams."""

import csv
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import matplotlib.figure
import numpy as np
import tensorflow as tf

from zoo.datasets import DataInfo, TaggingSplit
from zoo.datasets.builders.footage import edit_clip, paint_background
from zoo.errors import UsageError
from zoo.export import call_by_name, convert_to_litert
from zoo.formulations import ManyToMany
from zoo.inspection import plot_contact_sheet
from zoo.metrics import (
    Segment,
    find_segments,
    find_transitions,
    score_frames,
    score_multilabel_frames,
    score_transitions,
    segmental_edit_score,
    segmental_f1,
)
from zoo.preprocessing.video import (
    FrameReader,
    Video,
    batch_frames,
    check_lengths,
    format_timecode,
    open_video,
)
from zoo.shots.lists import ShotList, close_gaps
from zoo.tasks.base import (
    Description,
    Prediction,
    Predictor,
    Preprocessor,
    ServingModule,
    Table,
    Task,
    check_array,
    make_labels_signature,
    make_signature,
)
from zoo.training import BucketedDataset, Progress, plan_buckets

logger = logging.getLogger(__name__)

__all__ = [
    "FrameTaggingModule",
    "FrameTaggingPreprocessor",
    "TaggingPrediction",
]

SHOT = "shot"
"""Label of frames inside a shot, where the task is to find shots and the transitions between them."""

MIN_TRANSITION_FRAMES = {"dissolve": 4, "fade": 4, "wipe": 4}
"""Smallest number of frames of a transition; shorter runs of its tag are ignored."""

MAX_GAP_FRAMES = 3
"""Largest number of frames without a tag of a transition that do not end it."""

FULL_SIZE = (108, 192)
"""Height and width to which frames are read for a model whose input size is not known."""

THUMBNAIL_SIDE = 320
"""Longer side, in pixels, of the frames on a contact sheet."""

VideoInput = str | Path | Video | np.ndarray
"""A video file, a directory of numbered images, an opened video; or an array [time, ...] of frames or features."""


def check_options(settings: Any) -> None:
    """Check that each setting of the recipe that says what the data are has an effect; log a warning for `clips`.

    Args:
        settings: settings of the recipe.

    Raises:
        UsageError: a setting and `footage` exclude each other.
    """
    if not settings.footage and settings.clips != type(settings).clips:
        logger.warning("--clips has no effect: only clips from --footage can be more or fewer.")
    for name in ("multi_label", "test", "validation") if settings.footage else ():
        if getattr(settings, name):
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} and --footage exclude each other: clips from footage have one tag at each frame, and a "
                f"rule splits the files. Leave out --{option}, or name tagged videos with --dataset."
            )


class FrameTaggingPreprocessor(Preprocessor):
    """Frames of any size to the frames that the model reads; features stay as they are.

    Args:
        image_size: height and width of the model's frames; None for features.
        multi_label: whether a step may have several tags, or none.

    Example:
        >>> import numpy as np
        >>> from zoo.tasks.frame_tagging import FrameTaggingPreprocessor
        >>> FrameTaggingPreprocessor((27, 48))(np.zeros((1, 2, 240, 320, 3), "uint8")).shape
        TensorShape([1, 2, 27, 48, 3])
    """

    def __init__(self, image_size: tuple[int, int] | None, multi_label: bool = False) -> None:
        self.image_size, self.multi_label = image_size, multi_label
        self.reader = None if self.image_size is None else FrameReader(self.image_size)

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Return frames [batch, time, *image_size, 3], or features."""
        return self.reader(values) if self.reader else values

    def bucket_windows(
        self, split: TaggingSplit, window: int, batch_size: int, seed: int | None = None
    ) -> BucketedDataset:
        """Return batches ((windows, lengths), tags, weights) of windows of sequences.

        The weights [batch, time] are 1 for steps of a window, and 0 for padding.

        Args:
            split: sequences and tags.
            window: number of steps of a window; longer sequences are split.
            batch_size: number of windows in a batch.
            seed: of the order; None keeps one order.
        """
        windows = [
            (row, slice(start, start + window))
            for row, sequence in enumerate(split.sequences)
            for start in range(0, len(sequence), window)
        ]
        lengths = np.array([len(split.tags[row][steps]) for row, steps in windows], np.int32)
        values, tags = split.sequences[0], split.tags[0]
        # With a length that is known when the graph is traced, the loop over time is faster.
        time = lengths[0] if (lengths == lengths[0]).all() else None

        def read(keys: np.ndarray) -> tuple[np.ndarray, ...]:
            longest = lengths[keys].max()
            batch = np.zeros((len(keys), longest, *values.shape[1:]), values.dtype)
            targets = np.zeros((len(keys), longest, *tags.shape[1:]), tags.dtype)
            for position, key in enumerate(keys):
                row, steps = windows[key]
                batch[position, : lengths[key]] = split.sequences[row][steps]
                targets[position, : lengths[key]] = split.tags[row][steps]
            weights = (np.arange(longest) < lengths[keys][:, None]).astype(np.float32)
            return batch, lengths[keys], targets, weights

        def load(keys: tf.Tensor) -> tuple[Any, ...]:
            dtypes = [values.dtype, np.int32, tags.dtype, np.float32]
            batch, batch_lengths, targets, weights = tf.numpy_function(read, [keys], dtypes)
            batch = tf.ensure_shape(batch, [None, time, *values.shape[1:]])
            targets = tf.ensure_shape(targets, [None, time, *tags.shape[1:]])
            inputs = batch, tf.ensure_shape(batch_lengths, [None])
            return inputs, targets, tf.ensure_shape(weights, [None, time])

        return plan_buckets(lengths, batch_size, seed=seed).map(load)

    def make_examples(
        self, test: TaggingSplit, length: int, videos: Sequence[Path], is_private: bool = False
    ) -> dict[str, np.ndarray]:
        """Return inputs of `serving_default` for the check of the export, and for the card: one short sequence.

        Args:
            test: the test split.
            length: largest number of steps of the sequence.
            videos: files that the card shows. The sequence is the beginning of the first one, if there is one.
            is_private: whether the sequence may not be from `test`, because the card would show images of the user.
                Then it is a clip of painted backgrounds.

        Raises:
            UsageError: there are videos, but the model reads features.
        """
        if videos and not self.image_size:
            raise UsageError("--examples: got videos, but the data are features. Leave out --examples.")
        if videos:
            frames = (frame for _, frame in open_video(videos[0]).decode(self.image_size))
            sequence = np.stack(list(itertools.islice(frames, length)))
        elif is_private and self.image_size:
            rng = np.random.default_rng(1)
            sequence, _ = edit_clip(rng, paint_background, length, self.image_size)
        else:
            sequence = np.array(test.sequences[0][:length])
        name = "frames" if self.image_size else "features"
        return {name: sequence[None], "lengths": np.array([len(sequence)], np.int32)}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"image_size": self.image_size and list(self.image_size), "multi_label": self.multi_label}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Self:
        """Rebuild the preprocessor of an export; see `Preprocessor.from_config`."""
        size = config["image_size"]
        return cls(size and tuple(size), config["multi_label"])


class FrameTaggingModule(ServingModule[FrameTaggingPreprocessor]):
    """Frames, or features, in and tags out, of whole sequences or of streams.

    Args:
        preprocessor: frames to the frames that the model reads.
        model: a `ManyToMany`.
        labels: names of the tags.

    Attributes:
        input_spec: the sequences [batch, time, ...] that the signatures take, "frames" or "features".
        is_streaming: whether there are signatures for streams; not for a model in both directions.
        state_specs: state of a stream between two steps, by name.

    Example:
        >>> import numpy as np, zoo
        >>> from zoo.tasks.frame_tagging import FrameTaggingModule, FrameTaggingPreprocessor
        >>> model = zoo.ManyToMany(zoo.Encoder(zoo.GRUCell(8)), 2)
        >>> inputs = np.zeros((1, 10, 3), "float32"), np.array([10])
        >>> model(inputs).shape
        TensorShape([1, 10, 2])
        >>> module = FrameTaggingModule(FrameTaggingPreprocessor(None), model, ("walk", "fall"))
        >>> sorted(module.signatures)
        ['finish', 'init', 'labels', 'serving_default', 'step']
    """

    def __init__(
        self, preprocessor: FrameTaggingPreprocessor, model: ManyToMany, labels: Sequence[str]
    ) -> None:
        super().__init__(preprocessor, model, labels)
        self.input_kind = "video" if preprocessor.reader else "array"
        if preprocessor.reader:
            self.input_spec = tf.TensorSpec([None, None, None, None, 3], tf.uint8, "frames")
        else:
            self.input_spec = tf.TensorSpec([None, None, *model.step_shape], tf.float32, "features")
        self.is_streaming = not (model.encoder and model.encoder.bidirectional)
        self.state_specs: list[tf.TensorSpec] = []
        if self.is_streaming:
            self.state_specs = [
                tf.TensorSpec([None, *value.shape[1:]], value.dtype, name)
                for name, value in model.get_initial_state(1).items()
            ]

    @cached_property
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """`serving_default` for whole sequences, `labels`; `init`, `step`, `finish` for streams in one direction."""
        lengths, batch = tf.TensorSpec([None], tf.int32, "lengths"), tf.TensorSpec([], tf.int32, "batch")
        functions: dict[str, tuple[Callable[..., Any], list[tf.TensorSpec]]] = {
            "serving_default": (self.tag, [self.input_spec, lengths])
        }
        if self.is_streaming:
            functions["init"] = (self.model.get_initial_state, [batch])
            functions["step"] = (self.step, [self.input_spec, *self.state_specs])
            functions["finish"] = (self.finish, self.state_specs)
        signatures = {name: make_signature(function, specs) for name, (function, specs) in functions.items()}
        return signatures | {"labels": make_labels_signature(self.labels)}

    def tag(self, values: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return tags and probabilities at each step of sequences [batch, time, ...], and a status.

        Raises:
            InvalidArgumentError: there is not one length for each sequence.
        """
        lengths, status = check_lengths(lengths, values, "steps")
        logits = self.model((self.preprocessor(values), lengths))
        return self._decode(logits, tf.sequence_mask(lengths, tf.shape(values)[1])) | {"status": status}

    def step(self, values: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return tags and probabilities for the next steps of streams, delayed by the model's lookahead.

        Raises:
            InvalidArgumentError: there are frames, and they have no pixels.
        """
        stream = self._name_states(states)
        if self.preprocessor.reader:
            has_pixels = tf.reduce_all(tf.shape(values)[2:] > 0) | (tf.shape(values)[1] == 0)
            check = tf.debugging.Assert(has_pixels, ["the frames have no pixels, expected one at least"])
            with tf.control_dependencies([check]):
                values = tf.identity(values)
        logits, next_stream = self.model.step(self.preprocessor(values), stream)
        return self._decode(logits, self.model.find_valid_steps(stream, tf.shape(logits)[1])) | next_stream

    def finish(self, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return tags and probabilities for the last steps of streams, which `step` has not returned yet."""
        stream = self._name_states(states)
        logits = self.model.finish(stream)
        return self._decode(logits, self.model.find_valid_steps(stream, tf.shape(logits)[1]))

    def score_sequence(self, sequence: np.ndarray) -> np.ndarray:
        """Return the probabilities [time, labels] of one sequence [time, ...], computed as a client does."""
        signatures = {name: partial(call_by_name, function) for name, function in self.signatures.items()}
        name = self.input_spec.name
        return tag_sequence(signatures, name, split_sequence(sequence, get_chunk_size(signatures))).scores

    def score_split(self, split: TaggingSplit) -> list[np.ndarray]:
        """Return the probabilities of each sequence of a split; see `score_sequence`."""
        return [self.score_sequence(sequence) for sequence in split.sequences]

    def evaluate(self, split: TaggingSplit, scores: Sequence[np.ndarray]) -> dict[str, float]:
        """Return metrics of sequences by frame, by segment and by transition; of several tags by frame alone.

        Args:
            split: sequences with their true tags.
            scores: probabilities [time, labels] of each sequence, from `score_split`.
        """
        if self.preprocessor.multi_label:
            return score_multilabel_frames([rows > 0.5 for rows in scores], split.tags, self.labels)
        predictions = [[self.labels[i] for i in rows.argmax(-1)] for rows in scores]
        references = [[self.labels[i] for i in tags] for tags in split.tags]
        metrics = score_frames(predictions, references, self.labels)
        within_2 = score_frames(predictions, references, self.labels, tolerance=2)
        metrics["macro-F1 within 2 frames"] = within_2["macro-F1"]
        metrics["segment edit"] = segmental_edit_score(predictions, references)
        for overlap in (10, 25, 50):
            metrics[f"segment F1@{overlap}"] = segmental_f1(predictions, references, overlap / 100)
        return metrics | self.score_transitions(predictions, references)

    def score_transitions(
        self, predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
    ) -> dict[str, float]:
        """Return precision, recall and F1 of the transitions between shots; nothing for other tags."""
        if SHOT not in self.labels:
            return {}
        transitions = [find_video_transitions(tags) for tags in predictions]
        scores = score_transitions(transitions, references, SHOT)._asdict()
        return {f"transition {name.replace('_', ' ')}": value for name, value in scores.items()}

    def describe(self, info: DataInfo) -> Description:
        """Return title, summary and limits for the card."""
        in_memory = "`serving_default` keeps all steps in memory."
        step = "frame" if self.preprocessor.reader else "step"
        if self.is_streaming:
            as_stream = f" or, with a delay of {self.model.lookahead} {step}s, as they arrive"
            latency = (
                f"As a stream it has a delay of {self.model.lookahead} steps: `step` returns the tags of earlier "
                f"steps, and `finish` those of the last ones. {in_memory}"
            )
        else:
            as_stream = ""
            latency = f"It reads in both directions, so it cannot tag streams. {in_memory}"
        limits = [latency]
        if SHOT in self.labels:
            limits += [
                "A cut is the first frame of the new shot. A dissolve, fade or wipe is every frame that shows "
                "something of both shots, or less than all of one; black frames between fades belong to them.",
                "The first and last frame of a slow transition cannot be seen exactly: transitions are compared "
                "with a tolerance of 2 frames. Runs of fewer than 4 frames that are no cut are ignored, and so are "
                "interruptions of up to 3 frames.",
            ]
        purpose = (
            f"It finds the shots of edited videos and the transitions between them, as files{as_stream}, such as for "
            "an index or to cut them. Check the boundaries by eye where a single frame matters."
        )
        return Description(
            title=f"{'Shots of videos' if SHOT in self.labels else 'Tagging'} ({info.source})",
            summary=f"Tags each {step} as {', '.join(self.labels)}.",
            purpose=purpose if SHOT in self.labels else "",
            limits=tuple(limits),
        )

    def make_files(self) -> Mapping[str, bytes]:
        """Return one step of one stream for LiteRT, in float32 and with 8-bit weights."""
        if not self.is_streaming:
            return {}
        values = tf.TensorSpec([1, 1, *self.model.step_shape], tf.float32, self.input_spec.name)
        states = [tf.TensorSpec([1, *spec.shape[1:]], spec.dtype, spec.name) for spec in self.state_specs]

        def advance(values: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
            logits, stream = self.model.step(values, self._name_states(states))
            return {"scores": self._compute_scores(logits), **stream}

        function = tf.function(advance, [values, *states], autograph=False)
        weights = [weight.value for weight in self.model.weights]
        return {
            "step.tflite": convert_to_litert(function, weights),
            "step_int8.tflite": convert_to_litert(function, weights, quantize=True),
        }

    def _name_states(self, states: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {spec.name: value for spec, value in zip(self.state_specs, states, strict=True)}

    def _decode(self, logits: tf.Tensor, is_valid: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return tags and scores where a step is valid; empty strings and zeros elsewhere."""
        scores = self._compute_scores(logits)
        if self.preprocessor.multi_label:
            names = tf.where(scores > 0.5, [f"|{label}" for label in self.labels], "")
            tags = tf.strings.regex_replace(tf.strings.reduce_join(names, -1), r"^\|", "")
        else:
            tags = tf.gather(self.labels, tf.argmax(logits, -1))
        return {
            "tags": tf.where(is_valid, tags, ""),
            "scores": tf.where(is_valid[..., None], scores, 0.0),
        }

    def _compute_scores(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the probability of each label; with several labels a step they are independent."""
        return tf.sigmoid(logits) if self.preprocessor.multi_label else tf.nn.softmax(logits)


@dataclass(frozen=True, eq=False, repr=False)
class TaggingPrediction(Prediction):
    """What happens at each step of a sequence, such as a frame of a video.

    Attributes:
        status: empty, or what was wrong with the video.
        tags: the tag of each step; several tags are joined by bars.
        segments: the shots between transitions, labeled by how they begin; in other tasks runs of one tag.
        times: time of each step in seconds, and of the end; empty without a video.
        scores: probability of each label, [time, labels].

    Example:
        >>> import numpy as np
        >>> from zoo.metrics import Segment
        >>> from zoo.tasks.frame_tagging import TaggingPrediction
        >>> segments = (Segment("start", 0, 1), Segment("cut", 1, 2))
        >>> prediction = TaggingPrediction("", ("shot", "cut"), segments, (0.0, 0.04, 0.08), np.eye(2))
        >>> prediction.as_table().rows
        [('start', '0:00:00.000', '0:00:00.040'), ('cut', '0:00:00.040', '0:00:00.080')]
    """

    tags: tuple[str, ...]
    segments: tuple[Segment, ...]
    times: tuple[float, ...]
    scores: np.ndarray

    def as_json(self) -> dict[str, Any]:
        """Return all fields but the scores."""
        return super().as_json() | {"segments": [segment._asdict() for segment in self.segments]}

    def as_table(self) -> Table:
        """Return a row for each segment: label, first step and the step after the last, or their times."""
        rows = [(segment.label, *self._format_span(segment)) for segment in self.segments]
        return Table(("begins with" if SHOT in self.tags else "tag", "from", "to"), rows, is_ranked=False)

    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield the input, a line for each segment, and the status."""
        yield name
        for number, segment in enumerate(self.segments, 1):
            start, end = self._format_span(segment)
            yield f"{number:5}  {start} to {end}  {segment.label}"
        if self.status:
            yield self.status

    def write_tables(self, directory: Path) -> None:
        """Write `frames.csv` and `segments.csv` into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        times = [f"{time:.3f}" for time in self.times[:-1]]
        frames = {
            "frame": range(len(self.tags)),
            **({"time": times} if times else {}),
            "tag": self.tags,
            "score": [f"{score:.3f}" for score in self.scores.max(-1)],
        }
        _write_csv(directory / "frames.csv", tuple(frames), zip(*frames.values(), strict=True))
        header = ("number", "label", "start_frame", "end_frame", *(("start", "end") if times else ()))
        rows = (
            (number, *segment, *(self._format_span(segment) if times else ()))
            for number, segment in enumerate(self.segments, 1)
        )
        _write_csv(directory / "segments.csv", header, rows)

    def format_captions(self) -> list[str]:
        """Return number and span of each segment."""
        return [
            f"{number}  {' to '.join(self._format_span(segment))}"
            for number, segment in enumerate(self.segments, 1)
        ]

    def _format_span(self, segment: Segment) -> tuple[str, str]:
        steps = (segment.start, segment.end)
        start, end = (format_timecode(self.times[step]) if self.times else str(step) for step in steps)
        return start, end


class FrameTaggingPredictor(Predictor[VideoInput, TaggingPrediction]):
    """Videos in, a tag for each frame out.

    A video is the path of a file or of a directory of images, or an array of uint8 [time, height, width, 3].
    """

    batch_size = 1
    writes_files = True
    plot_caption = "The frame in the middle of each segment."

    def __init__(self, directory: Path, card: Mapping[str, Any], model: Any) -> None:
        super().__init__(directory, card, model)
        self.finds_shots = self.input_kind == "video" and SHOT in card["labels"]
        self._input_name = "frames" if self.input_kind == "video" else "features"

    def parse(self, argument: bytes, frame_rate: float = 25.0) -> Video:
        """Open a video file, or a directory of numbered images."""
        return self._open(Path(os.fsdecode(argument)), frame_rate)

    def predict_batch(
        self, inputs: Sequence[VideoInput], progress: bool = False
    ) -> Iterable[TaggingPrediction]:
        """Yield the tags of each video, which is read in chunks."""
        for item in inputs:
            times: list[float] = []
            status = ""
            if isinstance(item, np.ndarray):
                values = item if self.input_kind == "video" else item.astype(np.float32)
                specs = tf.nest.flatten(self.signatures["serving_default"].structured_input_signature)
                check_array(values, next(spec for spec in specs if spec.name == self._input_name))
                chunks: Iterable[np.ndarray] = split_sequence(values, get_chunk_size(self.signatures))
                steps = tag_sequence(self.signatures, self._input_name, chunks)
            else:
                video = self._open(item)
                chunks = self._read_frames(video, times, progress)
                steps = tag_sequence(self.signatures, self._input_name, chunks)
                status = video.problem
            segments = find_shots(steps.tags) if SHOT in steps.tags else find_segments(steps.tags)
            if times:  # the last frame is as long as the one before it
                times.append(2 * times[-1] - times[-2] if len(times) > 1 else times[-1])
            yield TaggingPrediction(
                status,
                tuple(steps.tags),
                tuple(segments),
                tuple(times),
                steps.scores,
                is_partial=bool(status),
            )

    def check_evaluation(self) -> None:
        """Refuse the evaluation of a table.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"{self.directory} tags each step of a sequence, but a table has one target for each input. Compare the "
            "tags that `predict` returns in Python with yours, by `zoo.metrics.score_frames` or `score_transitions`."
        )

    def plot(
        self, item: VideoInput, prediction: TaggingPrediction, path: Path | None = None
    ) -> matplotlib.figure.Figure:
        """Plot a contact sheet: the frame in the middle of each segment."""
        if isinstance(item, np.ndarray):
            raise UsageError(
                "A contact sheet needs a video, got an array. Give a file or a directory of images."
            )
        video = self._open(item)
        middles = {(segment.start + segment.end) // 2 for segment in prediction.segments}
        height, width, _ = next(video.decode())[1].shape
        size = tuple(max(1, THUMBNAIL_SIDE * side // max(height, width)) for side in (height, width))
        images = [frame for number, (_, frame) in enumerate(video.decode(size)) if number in middles]
        return plot_contact_sheet(images, prediction.format_captions(), path)

    def save(self, item: VideoInput, prediction: TaggingPrediction, directory: Path) -> None:
        """Write tables of frames and segments, and a contact sheet."""
        prediction.write_tables(directory)
        self.plot(item, prediction, directory / "segments.png")

    def list_shots(self, item: VideoInput, prediction: TaggingPrediction) -> ShotList:
        """Return the shots of a video, with each transition divided between the two shots that it joins.

        Raises:
            UsageError: the model does not find shots, or the input is an array.
        """
        if not self.finds_shots or isinstance(item, np.ndarray):
            return super().list_shots(item, prediction)
        video = self._open(item)
        shots = close_gaps(find_shots(prediction.tags), len(prediction.tags))
        return ShotList(video.path, shots, prediction.times, video.frame_rate, video.timecode)

    def get_ranking_scores(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the scores of the labels; with several labels per step, those of its closest yes or no."""
        scores = outputs["scores"]
        if not self.card["preprocessor"]["multi_label"]:
            return scores
        margin = np.abs(scores - 0.5).min(-1)
        return np.stack([0.5 + margin, 0.5 - margin], -1)

    def _open(self, item: str | Path | Video, frame_rate: float = 25.0) -> Video:
        if self.input_kind != "video":
            raise UsageError(
                f"{self.directory} reads arrays of features, got {item}. Pass arrays to `predict`."
            )
        if isinstance(item, Video):
            return item
        if not isinstance(item, (str, Path)):
            raise UsageError(
                "Expected a video: a path, or an array of uint8 [time, height, width, 3]. Got "
                f"{type(item).__name__}."
            )
        return open_video(item, frame_rate)

    def _read_frames(self, video: Video, times: list[float], progress: bool) -> Iterator[np.ndarray]:
        """Yield the frames of a video in chunks, and append their times to `times`."""
        # A stream carries frames of the size that the model reads. Others are read small enough to be kept.
        init = self.signatures.get("init")
        past = init.structured_outputs.get("past") if init else None
        size = FULL_SIZE if past is None else tuple(past.shape[2:4])
        length = get_chunk_size(self.signatures)
        total = -(-video.num_frames // length) if video.num_frames else -1
        bar = Progress(str(video.path), total, stream=sys.stderr) if progress else None
        for chunk_times, frames in batch_frames(video.decode(size), length):
            times += chunk_times.tolist()
            yield frames
            if bar:
                bar.update(len(frames))
        if bar:
            bar.clear()


class TaggedSteps(NamedTuple):
    """Tags and scores of the steps of a sequence.

    Attributes:
        tags: one for each step.
        scores: [time, labels].
    """

    tags: list[str]
    scores: np.ndarray


def split_sequence(sequence: np.ndarray, size: int) -> list[np.ndarray]:
    """Split a sequence [time, ...] into chunks of up to `size` steps."""
    return [sequence[start : start + size] for start in range(0, len(sequence), size)]


def get_chunk_size(signatures: Mapping[str, Any]) -> int:
    """Return how many steps to pass at a time; a model in both directions sees no more than these."""
    return 64 if "step" in signatures else 1_000


def tag_sequence(
    signatures: Mapping[str, Callable[..., Any]], input_name: str, chunks: Iterable[np.ndarray]
) -> TaggedSteps:
    """Tag a sequence that comes in chunks.

    Args:
        signatures: `init`, `step` and `finish` of a model for streams, or `serving_default` alone.
        input_name: name of the input, "frames" or "features".
        chunks: arrays [time, ...].

    Raises:
        UsageError: the sequence has no steps.
    """
    tags: list[str] = []
    scores: list[np.ndarray] = []
    num_steps = 0

    def collect(outputs: Mapping[str, tf.Tensor]) -> None:
        tags.extend(tag.decode() for tag in outputs["tags"][0].numpy())
        scores.append(outputs["scores"][0].numpy())

    state = signatures["init"](batch=tf.constant(1)) if "init" in signatures else {}
    for chunk in chunks:
        inputs = {input_name: tf.constant(chunk[None])}
        if state:
            collect(outputs := signatures["step"](**inputs, **state))
            state = {name: outputs[name] for name in state}
        else:
            collect(signatures["serving_default"](**inputs, lengths=tf.constant([len(chunk)])))
        num_steps += len(chunk)
    if not num_steps:
        raise UsageError("The sequence has no steps. Expected at least one.")
    if state:
        collect(signatures["finish"](**state))
    delay = len(tags) - num_steps  # outputs before the first step
    return TaggedSteps(tags[delay:], np.concatenate(scores)[delay:])


def find_video_transitions(tags: Sequence[str]) -> list[Segment]:
    """Return the transitions between shots, without flicker and interruptions of a few frames."""
    return find_transitions(tags, SHOT, MIN_TRANSITION_FRAMES, MAX_GAP_FRAMES)


def find_shots(tags: Sequence[str]) -> list[Segment]:
    """Return the shots between transitions, labeled by the transition before them.

    A cut is a frame of the new shot; frames of other transitions belong to no shot.
    """
    shots, start, label = [], 0, "start"
    end = Segment("end", len(tags), len(tags))
    for transition in [*find_video_transitions(tags), end]:
        if transition.start > start:
            shots.append(Segment(label, start, transition.start))
        label = transition.label
        start = transition.start if label == "cut" else transition.end
    return shots


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


TASK = Task(
    name="frame_tagging",
    headline_metrics=("test transition f1", "test macro-F1"),
    preprocessor=FrameTaggingPreprocessor,
    predictor=FrameTaggingPredictor,
    model_settings=(
        "multi_label",
        "image_size",
        "offsets",
        "vector_dim",
        "cell",
        "units",
        "depth",
        "bidirectional",
    ),
    pipeline_tags={"video": "video-classification"},
)
