"""Tagging, direct many-to-many: train on what happens at each frame of a video, and export frames in, tags out.

zoo train tagging                                 where shots begin, and how; embedded, in about ten minutes
zoo train tagging --footage photos videos         shots that are edited from your own images and videos
zoo train tagging --dataset my_videos             your own videos and tags
zoo predict runs/tagging/export/1 video.mp4
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import zoo_quiet  # noqa: F401  hides what TensorFlow prints at its start

import keras

import zoo
from zoo.cli.recipes import may_publish, print_data, print_examples, print_results, run_recipe
from zoo.cli.types import ImageSize, PositiveFloat, PositiveInt, Seed, UnitInterval
from zoo.components import CELLS
from zoo.datasets import DataSplits, TaggingSplit, load_footage, load_tagging
from zoo.datasets.builders.footage import compute_ceiling
from zoo.formulations import build_feature_encoder, build_frame_encoder
from zoo.reports import add_warnings, calibrate_tagger, describe_steps, summarize_tags
from zoo.tasks.ancestor import Ancestor, initialize, load_ancestor
from zoo.tasks.frame_tagging import TASK, FrameTaggingModule, FrameTaggingPreprocessor, check_options
from zoo.training import Run, build_optimizer, is_chief


@dataclass(frozen=True)
class Settings:
    """Train a recurrent network on sequences with a tag at each step, evaluate it, and export it."""

    dataset: str = "footage"
    """the embedded clips, or a TFDS name, or a path: videos with a table of tags, or features"""
    footage: tuple[Path, ...] = ()
    """directories of images and videos from which clips are edited, instead of --dataset"""
    clips: PositiveInt = 4_000  # number of clips to edit from footage, of 100 frames each; more take longer
    data_dir: Path | None = None  # directory where TFDS keeps its data; None: that of TFDS
    encoding: str | None = None  # encoding of tables; None: UTF-8, or what a byte order mark states
    test: tuple[str, ...] = ()  # names of the test sequences; if empty, as the data state, else every third
    validation: tuple[str, ...] = ()  # names of the validation sequences; if empty, a fourth of the rest
    citation: str = ""  # source of the data, for the card; if empty, what TFDS states
    license: str = ""  # terms of use of the data, for the card; if empty, what TFDS states
    init_from: Path | None = None
    """run, export, or name of a model to start from: its weights and the form of its model"""
    freeze: tuple[Literal["vectors", "encoder"], ...] = ()
    """parts that keep the weights they start from; without any, the whole model is trained"""
    examples: tuple[Path, ...] = ()  # videos for the card; if empty, the beginning of an embedded test clip
    run_dir: Path = Path("runs/tagging")  # directory of logs; the same command resumes there
    export_dir: Path = Path("runs/tagging/export/1")  # directory of the SavedModel
    multi_label: bool = False  # whether a step may have several tags, or none
    image_size: ImageSize = (27, 48)  # height and width of frames in pixels: enough to see an edit
    frame_rate: PositiveFloat = 25.0  # frames per second of videos that are directories of images, as in film
    offsets: tuple[int, ...] = (-32, -16, -8, -4, -2, -1, 1, 2, 4, 8, 16)
    """frames to compare with; streams have the delay of the last one"""
    vector_dim: PositiveInt = 128  # width of the vector of a frame; 64 suffices for tables of some features
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"
    """recurrent cell; the GRU has fewer weights than the LSTM"""
    units: PositiveInt = 128  # units of each layer in each direction; 64 suffice for tables of some features
    depth: PositiveInt = 1  # number of recurrent layers; one finds an edit, a second takes longer
    bidirectional: bool = False  # read frames in both directions: better, but not for streams
    dropout: UnitInterval = 0.2  # dropout rate before the scores; for few sequences 0.5
    baseline: bool = True  # train a model of single frames, too, for half of the epochs
    window: PositiveInt = 100
    """steps of a training example, since longer sequences are split; 100 frames have several edits"""
    batch_size: PositiveInt = 8  # windows of a batch; 8 are many, since each has a tag at each of its steps
    epochs: PositiveInt = 10
    """passes over the training data, of which the best by validation accuracy is kept; for few sequences 20"""
    patience: PositiveInt | None = None
    """epochs without improvement that end training; None: never, since the learning rate has to fall to zero"""
    gradient_accumulation_steps: PositiveInt = 1  # batches of one update, for large batches in little memory
    learning_rate: PositiveFloat = 3e-3
    """peak of the schedule, after a warm-up; it decays to zero; 0.002 for ten thousand clips"""
    class_weight: Literal["balanced"] | None = None
    """weights of labels in the loss; with balanced, rare labels count as much as frequent ones"""
    seed: Seed = 1  # seed of weights, order and dropout


def load_data(settings: Settings) -> DataSplits[TaggingSplit]:
    """Sequences and tags: of the user's footage, or of a data set."""
    cache_dir = settings.run_dir / "frames"
    if settings.footage:
        return load_footage(settings.footage, settings.clips, size=settings.image_size, cache_dir=cache_dir)
    return load_tagging(
        settings.dataset,
        data_dir=settings.data_dir,
        encoding=settings.encoding,
        size=settings.image_size,
        frame_rate=settings.frame_rate,
        multi_label=settings.multi_label,
        test=settings.test,
        validation=settings.validation,
        cache_dir=cache_dir,
    )


def build_model(
    settings: Settings, data: DataSplits[TaggingSplit], is_recurrent: bool, ancestor: Ancestor | None
) -> zoo.ManyToMany:
    """A vector of each frame, a recurrent encoder, scores; the model of single frames has no encoder."""
    encoder, offsets = None, settings.offsets if is_recurrent else ()
    if is_recurrent:
        cell = CELLS[settings.cell](settings.units)
        encoder = zoo.Encoder(cell, settings.depth, settings.bidirectional)
    if ancestor:  # its network scales features as it has learned to
        network = ancestor.get_frame_network(data.train.sequences[0].shape[1:])
    elif data.info.is_video:
        network = build_frame_encoder(settings.image_size, len(offsets), settings.vector_dim)
    else:
        network = build_feature_encoder(data.train.sequences, len(offsets), settings.vector_dim)
    vectors = zoo.FrameVectors(network, offsets, brightness=data.info.is_video)
    return zoo.ManyToMany(encoder, len(data.info.labels), vectors, dropout=settings.dropout)


def train(settings: Settings) -> None:
    """The whole story, from sequences and tags to an exported model."""
    check_options(settings)
    data = load_data(settings)
    info = print_data(data.info, settings)
    ancestor = load_ancestor(TASK, settings, info)
    are_public = may_publish(info, settings.examples, are_generated=bool(settings.footage))
    summary = summarize_tags(data)
    run = Run(settings.run_dir, settings, info, ancestor, may_change=["baseline"])

    # Windows and batches.
    preprocessor = FrameTaggingPreprocessor(settings.image_size if info.is_video else None, info.multi_label)
    train_set, validation_set = (
        preprocessor.bucket_windows(split, settings.window, settings.batch_size, seed)
        for split, seed in ((data.train, settings.seed), (data.validation, None))
    )
    print(train_set, validation_set, sep="\n")

    # Training and evaluation, of single frames for comparison and of the recurrent network.
    if info.multi_label:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy("accuracy")
    epochs = {"single_frames": -(-settings.epochs // 2)} if settings.baseline else {}
    for name, num_epochs in (epochs | {settings.cell: settings.epochs}).items():
        print(f"\n{name}")
        is_recurrent = name == settings.cell
        keras.utils.set_random_seed(settings.seed)
        cycles = run.plan_schedule(name, num_epochs, train_set.num_batches)
        model = build_model(settings, data, is_recurrent, ancestor if is_recurrent else None)
        if is_recurrent and initialize(model, ancestor, settings.freeze, info.labels):
            module = FrameTaggingModule(preprocessor, model, info.labels)
            before = module.evaluate(data.test, module.score_split(data.test))
            names = "accuracy", "macro-F1", "transition f1"
            run.metrics |= {f"test {name}, starting model": before[name] for name in names if name in before}
        history = run.fit(
            model,
            train_set,
            validation_set,
            name=name,
            optimizer=build_optimizer(settings.learning_rate, cycles, settings),
            loss=loss,
            metrics=[accuracy],
            epochs=num_epochs,
            patience=settings.patience,
            class_weight=settings.class_weight,
            monitor="val_accuracy",
        )
        module = FrameTaggingModule(preprocessor, model, info.labels)
        scores = {}  # of whole sequences, which are tagged as a client does
        for split_name, split in (("validation", data.validation), ("test", data.test)):
            scores[split_name] = module.score_split(split)
            for metric, value in module.evaluate(split, scores[split_name]).items():
                if is_recurrent or metric == "macro-F1":
                    run.metrics[f"{split_name} {metric}{'' if is_recurrent else ', single frames'}"] = value
    outcomes = (scores["validation"], data.validation.tags), (scores["test"], data.test.tags)
    if settings.dataset == "footage" and not settings.footage:
        run.metrics["ceiling of test macro-F1"] = compute_ceiling()
    report = calibrate_tagger(model, *outcomes, info.labels, summary)
    run.metrics |= report.metrics | {"minutes": run.elapsed_minutes}
    report = add_warnings(report, run.metrics, max(history.history["accuracy"]))
    print_results(run.metrics, report)

    # Export: the graph takes frames of any size, as whole sequences or as streams.
    if is_chief():
        report.save(run.directory / "report", partial(describe_steps, data.test))
        inputs = preprocessor.make_examples(
            data.test, settings.window, settings.examples, is_private=bool(settings.footage)
        )
        TASK.export(run, module, info, settings.export_dir, inputs, are_public, report, settings.examples)
        print_examples(settings.export_dir, inputs)


if __name__ == "__main__":
    run_recipe(train, Settings, TASK)
