"""Tagging, direct many-to-many: learn what happens at each frame of a video, and export frames in, tags out.

python recipes/tagging.py                             train, evaluate, export: where shots begin, and how
python recipes/tagging.py --footage photos videos     the same on shots made of pictures and videos of yours
python recipes/tagging.py --dataset mine              your own videos and tags
python recipes/tagging.py predict video.mp4           ask a trained model
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.cli.recipes import ended, main, minutes, origin, recorded, reported
from zoo.cli.types import PositiveFloat, PositiveInt, Seed, Size, UnitInterval
from zoo.components import CELLS
from zoo.datasets import DataInfo, DataSplits, TaggingSplit, load_footage, load_tagging
from zoo.datasets.builders.footage import edit_clip, paint_background
from zoo.export.saved_model import Card, called, convert_to_litert, export_model
from zoo.formulations import StreamState, build_frame_encoder
from zoo.metrics import (
    find_transitions,
    score_frames,
    score_multilabel_frames,
    score_transitions,
    segmental_edit_score,
    segmental_f1,
)
from zoo.preprocessing.video import FrameReader
from zoo.schedules import warmup_cosine_decay
from zoo.tasks.frame_tagging import SHORTEST, SHOT, answers, in_pieces
from zoo.training import BucketedDataset, fit, plan_buckets

# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train a recurrent network on sequences with a tag at each step, evaluate it, and export it.

    To ask a trained model instead: tagging.py predict --help
    """

    dataset: str = "footage"  # this one is embedded; or a TFDS name; or videos with a table; or features
    footage: tuple[Path, ...] = ()  # instead: folders of pictures and videos, to make shots of
    clips: PositiveInt = 4_000  # to make of footage, 100 frames each
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    test: tuple[str, ...] = ()  # sequences to test on; none: as the data say, else every third
    validation: tuple[str, ...] = ()  # the same for choosing the model
    credit: str = ""  # whose data they are, for the card; TFDS knows it of its own sets
    license: str = ""  # what they allow, for the card; TFDS knows it of some
    folder: Path = Path("runs/tagging")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/tagging/export/1")  # where the SavedModel goes
    multi_label: bool = False  # a step may bear several tags, or none
    size: Size = (27, 48)  # pixels, height and width: enough to see an edit
    rate: PositiveFloat = 25.0  # frames per second of folders of pictures
    offsets: tuple[int, ...] = (-16, -8, -4, -2, -1, 1, 2, 4, 8)  # frames to compare with, 8 ahead at most
    width: PositiveInt = 128  # of the vector of a frame
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"
    units: PositiveInt = 128  # in each direction
    depth: PositiveInt = 1
    bidirectional: bool = False  # better, but only for whole videos, not for streams
    dropout: UnitInterval = 0.2  # before the scores
    baseline: bool = True  # also train a model of single frames, for half of the epochs
    window: PositiveInt = 100  # steps of a training example; longer sequences are cut
    batch_size: PositiveInt = 8  # windows
    epochs: PositiveInt = 8  # the one that is best on validation is kept
    learning_rate: PositiveFloat = 3e-3  # at its peak; it rises at first, and falls to zero
    seed: Seed = 1  # of weights, order and dropout


# --- Data ---------------------------------------------------------------------------------------


def data_of(settings: Settings) -> DataSplits[TaggingSplit]:
    """Sequences and tags, in three splits."""
    cache = settings.folder / "frames"
    if settings.footage:
        return load_footage(settings.footage, settings.clips, settings.size, cache)
    return load_tagging(
        settings.dataset,
        data_dir=settings.data_dir,
        size=settings.size,
        frame_rate=settings.rate,
        multi_label=settings.multi_label,
        test=settings.test,
        validation=settings.validation,
        cache_dir=cache,
    )


def batched(split: TaggingSplit, settings: Settings, seed: int | None = None) -> BucketedDataset:
    """Batches of windows of the sequences, with tags and a weight for each step."""
    steps = settings.window
    windows = [
        (row, slice(start, start + steps))
        for row, sequence in enumerate(split.sequences)
        for start in range(0, len(sequence), steps)
    ]
    lengths = np.array([len(split.tags[row][part]) for row, part in windows], np.int32)
    found = plan_buckets(lengths, settings.batch_size, seed=seed)
    print(found)
    values, tags = split.sequences[0], split.tags[0]
    time = lengths[0] if (lengths == lengths[0]).all() else None  # a known one spares work at each step

    def read(keys: np.ndarray) -> tuple[np.ndarray, ...]:
        own, longest = lengths[keys], lengths[keys].max()
        some = np.zeros((len(keys), longest, *values.shape[1:]), values.dtype)
        true = np.zeros((len(keys), longest, *tags.shape[1:]), tags.dtype)
        for place, key in enumerate(keys):
            row, part = windows[key]
            some[place, : lengths[key]] = split.sequences[row][part]
            true[place, : lengths[key]] = split.tags[row][part]
        return some, own, true, (np.arange(longest) < own[:, None]).astype(np.float32)

    def examples(keys: tf.Tensor) -> tuple:
        kinds = [values.dtype, np.int32, tags.dtype, np.float32]
        some, own, true, weights = tf.numpy_function(read, [keys], kinds)
        some = tf.ensure_shape(some, [None, time, *values.shape[1:]])
        true, own = tf.ensure_shape(true, [None, time, *tags.shape[1:]]), tf.ensure_shape(own, [None])
        return (some, own), true, tf.ensure_shape(weights, [None, time])

    return found.map(examples)


def example_of(data: DataSplits[TaggingSplit], settings: Settings) -> np.ndarray:
    """A short sequence for the card: of validation, but nothing of a user's footage."""
    if settings.footage:
        rng = np.random.default_rng(settings.seed)
        return edit_clip(rng, paint_background, settings.window, settings.size)[0]
    return np.array(data.validation.sequences[0][: settings.window])


# --- Model --------------------------------------------------------------------------------------


def many_to_many(settings: Settings, data: DataSplits[TaggingSplit], recurrent: bool) -> zoo.ManyToMany:
    """A vector of each frame, a recurrent stack, scores; or of each frame alone, without the stack."""
    encoder, offsets = None, ()
    if recurrent:
        cell = CELLS[settings.cell](settings.units)
        encoder = zoo.Encoder(cell, settings.depth, settings.bidirectional)
        offsets = settings.offsets
    pictures = data.info.is_video
    if pictures:
        seen = build_frame_encoder(settings.size, len(offsets), settings.width)
    else:
        seen = feature_encoder(data.train.sequences, len(offsets), settings.width)
    vectors = zoo.FrameVectors(seen, offsets, brightness=pictures)
    return zoo.ManyToMany(encoder, len(data.info.labels), vectors, dropout=settings.dropout)


def feature_encoder(sequences: Sequence[np.ndarray], differences: int, width: int) -> keras.Model:
    """From features and differences of features, each of about variance 1, to vectors."""
    every = np.concatenate(sequences)
    mean = np.concatenate([every.mean(0), np.zeros(differences * every.shape[1])])
    variance = np.tile(every.var(0) + 1e-12, 1 + differences)
    given = keras.Input((len(mean),), name="features")
    x = keras.layers.Normalization(mean=mean, variance=variance, name="normalization")(given)
    return keras.Model(given, keras.layers.Dense(width, "relu", name="vector")(x))


# --- Training and evaluation --------------------------------------------------------------------


def measures(data: DataSplits[TaggingSplit]) -> dict[str, Any]:
    """Loss and metrics of each step."""
    if data.info.multi_label:
        loss, metric = (
            keras.losses.BinaryCrossentropy,
            keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),
        )
    else:
        loss, metric = (
            keras.losses.SparseCategoricalCrossentropy,
            keras.metrics.SparseCategoricalAccuracy("accuracy"),
        )
    return {"loss": loss(from_logits=True), "metrics": [metric]}


def train(settings: Settings) -> None:
    """The whole story, from sequences and tags to an exported model and what it says of one."""
    start, figures = time.time(), {}
    data = data_of(settings)
    print(f"{data.info.source}: {', '.join(data.info.labels)}.", *data.info.notes)
    training, validation = batched(data.train, settings, settings.seed), batched(data.validation, settings)
    models = ({"per_frame": -(-settings.epochs // 2)} if settings.baseline else {}) | {
        settings.cell: settings.epochs
    }
    for name, epochs in models.items():
        print(f"\n{name}")
        recurrent = name != "per_frame"
        keras.utils.set_random_seed(settings.seed)
        rate = warmup_cosine_decay(settings.learning_rate, epochs * training.num_batches)
        model = many_to_many(settings, data, recurrent)
        fit(
            model,
            training,
            validation,
            **measures(data),
            optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
            epochs=epochs,
            monitor="val_accuracy",
            mode="max",
            run_dir=settings.folder / name,
            settings=recorded(settings, "baseline"),
        )
        program = Program(model, data, settings.size)
        for split in ("validation", "test"):
            found = evaluation(program, getattr(data, split), data)
            shown = found if recurrent else {"macro-F1": found["macro-F1"]}
            figures |= {f"{split} {score}, {name}": value for score, value in shown.items()}
    figures["minutes"] = minutes(start, [settings.folder / name for name in models])
    figures = reported(figures)
    if not zoo.training.is_chief():
        return
    example = example_of(data, settings)[None]
    inputs = {program.takes: example, "lengths": np.array([example.shape[1]], np.int32)}
    files = program.lite() if "step" in program.signatures else {}
    about = card(settings, data.info, program, figures)
    export_model(program.signatures, [model], inputs, settings.export, about, files)
    said = f"the example on its card, {example.shape[1]} steps"
    following = "video.mp4" if program.takes == "frames" else None
    ended("tagging", settings.export, [example[0]], [said], following)


def evaluation(program: "Program", split: TaggingSplit, data: DataSplits[TaggingSplit]) -> dict[str, float]:
    """How right the tags of whole sequences are."""
    scores = [
        answers(program.by_name, program.takes, in_pieces(sequence, program.signatures)).scores
        for sequence in split.sequences
    ]
    if data.info.multi_label:
        return score_multilabel_frames([own > 0.5 for own in scores], split.tags, data.info.labels)
    labels = np.array(data.info.labels)
    said = [labels[own.argmax(-1)].tolist() for own in scores]
    true = [labels[own].tolist() for own in split.tags]
    found = score_frames(said, true, data.info.labels) | {"segment edit": segmental_edit_score(said, true)}
    found["macro-F1 within 2 frames"] = score_frames(said, true, data.info.labels, tolerance=2)["macro-F1"]
    found |= {f"segment F1@{share}": segmental_f1(said, true, share / 100) for share in (10, 25, 50)}
    if SHOT in data.info.labels:
        seen = [find_transitions(tags, SHOT, SHORTEST) for tags in said]
        of_transitions = score_transitions(seen, true, SHOT)._asdict().items()
        found |= {f"transition {name.replace('_', ' ')}": value for name, value in of_transitions}
    return found


# --- Export -------------------------------------------------------------------------------------


class Program:
    """The whole program: frames, or features, in and tags out; of whole sequences, or of streams."""

    def __init__(self, model: zoo.ManyToMany, data: DataSplits[TaggingSplit], size: tuple[int, int]) -> None:
        self.model, self.labels, self.multi_label = model, data.info.labels, data.info.multi_label
        self.reader = FrameReader(size) if len(model.step_shape) == 3 else None
        if self.reader:
            values = tf.TensorSpec([None, None, None, None, 3], tf.uint8, "frames")
        else:
            values = tf.TensorSpec([None, None, *model.step_shape], tf.float32, "features")
        self.takes = values.name
        signatures = {"serving_default": (self.serve, [values, tf.TensorSpec([None], tf.int32, "lengths")])}
        if not (model.encoder and model.encoder.bidirectional):
            self.carried = [
                tf.TensorSpec([None, *value.shape[1:]], value.dtype, name)
                for name, value in model.get_initial_state(1).items()
            ]
            signatures["init"] = (model.get_initial_state, [tf.TensorSpec([], tf.int32, "batch")])
            signatures["step"] = (self.step, [values, *self.carried])
            signatures["finish"] = (self.finish, self.carried)
        self.signatures = {
            name: tf.function(function, input_signature=takes, autograph=False)
            for name, (function, takes) in signatures.items()
        }
        # Called by the names of the tensors, as those of an export are.
        self.by_name = {name: partial(called, function) for name, function in self.signatures.items()}

    def serve(self, values: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each row a tag and the probabilities of all at each step, and what is to be said about it."""
        time = tf.shape(values)[1]
        scores = self.model((self.read(values), tf.clip_by_value(lengths, 0, time)))
        given = [tf.strings.as_string(number) for number in (lengths, tf.fill(tf.shape(lengths), time))]
        wrong = tf.strings.join(["lengths says ", given[0], ", and there are ", given[1], " steps"])
        status = tf.where((lengths < 0) | (lengths > time), wrong, tf.where(lengths == 0, "no steps", ""))
        said = self.answer(scores, tf.sequence_mask(lengths, time))
        return said | {"labels": tf.constant(self.labels), "status": status}

    def step(self, values: tf.Tensor, *carried: tf.Tensor) -> dict[str, tf.Tensor]:
        """The next steps of streams: tags and scores, of as many steps ago as the model looks ahead."""
        stream = self.stream(carried)
        scores, after = self.model.step(self.read(values), stream)
        return self.answer(scores, self.due(stream, scores)) | after

    def finish(self, *carried: tf.Tensor) -> dict[str, tf.Tensor]:
        """The tags and scores that are owed at the end of streams."""
        stream = self.stream(carried)
        scores = self.model.finish(stream)
        return self.answer(scores, self.due(stream, scores))

    def stream(self, carried: Sequence[tf.Tensor]) -> StreamState:
        """What is carried on, by name."""
        return {spec.name: value for spec, value in zip(self.carried, carried, strict=True)}

    def read(self, values: tf.Tensor) -> tf.Tensor:
        """Frames of any size as the model has them; features as they are."""
        return self.reader(values) if self.reader else values

    def due(self, stream: StreamState, scores: tf.Tensor) -> tf.Tensor:
        """Which of the scores [n, time, classes] are of a step: those before the first are not."""
        return stream["steps"][:, None] + tf.range(tf.shape(scores)[1]) >= self.model.lookahead

    def answer(self, scores: tf.Tensor, where: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tags and probabilities for scores of steps; elsewhere no tag, and zeros."""
        if self.multi_label:
            probabilities = tf.sigmoid(scores)
            some = tf.where(probabilities > 0.5, [f"|{label}" for label in self.labels], "")
            tags = tf.strings.regex_replace(tf.strings.reduce_join(some, -1), r"^\|", "")
        else:
            probabilities = tf.nn.softmax(scores)
            tags = tf.gather(self.labels, tf.argmax(scores, -1))
        return {"tags": tf.where(where, tags, ""), "scores": tf.where(where[..., None], probabilities, 0.0)}

    def lite(self) -> dict[str, bytes]:
        """The step of one stream, one frame at a time, for LiteRT: in float32, and with weights of 8 bits."""
        step = tf.TensorSpec([1, 1, *self.model.step_shape], tf.float32, self.takes)
        carried = [tf.TensorSpec([1, *spec.shape[1:]], spec.dtype, spec.name) for spec in self.carried]

        def advance(values: tf.Tensor, *carried: tf.Tensor) -> dict[str, tf.Tensor]:
            scores, after = self.model.step(values, self.stream(carried))
            return {"scores": tf.nn.softmax(scores)} | after

        function = tf.function(advance, input_signature=[step, *carried], autograph=False)
        weights = [weight.value for weight in self.model.weights]
        return {
            "step.tflite": convert_to_litert(function, weights),
            "step_int8.tflite": convert_to_litert(function, weights, quantized=True),
        }


def card(settings: Settings, info: DataInfo, program: Program, figures: dict[str, float]) -> Card:
    """What is to be known of the model."""
    whole = "`serving_default` keeps all steps in memory."
    stream = (
        f"As a stream it is {program.model.lookahead} steps late: `step` gives the tags of so many steps "
        f"ago, and `finish` those that are then owed. {whole}"
    )
    limits = [
        stream if "step" in program.signatures else f"It reads both ways, so it is for no streams. {whole}",
        "The scores are not calibrated: 0.99 does not mean wrong once in a hundred times.",
    ]
    if SHOT in info.labels:
        limits += [
            "A cut is the first frame of the new shot. A dissolve, fade or wipe is every frame at which "
            "there is something of both shots, or less than all of one; black between fades belongs to them.",
            "Where a slow transition begins and ends cannot be seen to the frame: transitions are compared "
            "with a tolerance of 2 frames, and runs of fewer than 3 frames that are no cut are passed over.",
        ]
    return Card(
        title=f"Tagging ({info.source})",
        summary=f"Says of each {program.takes.removesuffix('s')} which it is: {', '.join(info.labels)}.",
        **origin(settings, info),
        figures=figures,
        limits=tuple(limits),
    )


if __name__ == "__main__":
    main(train, Settings, "tagging", zoo.tasks.Tagger)
