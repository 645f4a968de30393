"""Captioning, one-to-many: train a network that describes images, and export image bytes in, sentences out.

zoo train captioning                                drawn scenes, embedded, in about three minutes
zoo train captioning --dataset Flickr8k --encoder efficientnet_lite0 --image-size 224
                                                    photos
zoo train captioning --dataset clips                clips, which is delayed many-to-many
zoo predict runs/captioning/export/1 photo.jpg
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import zoo_quiet  # noqa: F401  hides what TensorFlow prints at its start

import keras

import zoo
from zoo.cli.recipes import may_publish, print_data, print_examples, print_results, run_recipe
from zoo.cli.types import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Seed, UnitInterval
from zoo.components import ATTENTIONS, CELLS
from zoo.datasets import load_captioning
from zoo.losses import LabelSmoothedCrossentropy, PolicyGradientLoss
from zoo.preprocessing.images import build_image_encoder
from zoo.reports import measure_overlap, report_generation
from zoo.tasks.ancestor import initialize, load_ancestor
from zoo.tasks.captioning import TASK, CaptioningModule, CaptioningPreprocessor, FeatureSplit, check_options
from zoo.tasks.self_critical import add_advantages, sample_captions
from zoo.training import GenerationMetrics, Run, build_optimizer, is_chief


@dataclass(frozen=True)
class Settings:
    """Train a decoder on images, or clips, with captions, evaluate it, and export it."""

    dataset: str = "scenes"  # embedded scenes or clips, or a TFDS name, or a path: Flickr8k, COCO, a table
    data_dir: Path | None = None  # directory where TFDS keeps its data; None: that of TFDS
    encoding: str | None = None  # encoding of the captions; None: UTF-8, or what a byte order mark states
    citation: str = ""  # source of the data, for the card; if empty, what TFDS states
    license: str = ""  # terms of use of the data, for the card; if empty, what TFDS states
    language: str | None = None  # language of the captions, such as en, which only the card shows
    init_from: Path | None = None
    """run, export, or name of a model to start from: weights, word pieces and form of the model"""
    freeze: tuple[Literal["embedding", "encoder"], ...] = ()
    """parts that keep the weights they start from; without any, the whole model is trained"""
    examples: tuple[Path, ...] = ()  # images or videos for the card; if empty, two of the embedded test
    run_dir: Path = Path("runs/captioning")  # directory of logs; the same command resumes there
    export_dir: Path = Path("runs/captioning/export/1")  # directory of the SavedModel
    encoder: str = "small"
    """network that reads images: small is trained from scratch; or efficientnet_lite0, or a Keras one"""
    weights: Path | None = None  # file of the encoder's weights; None: the published ones
    image_size: PositiveInt = 64
    """height and width to which images are scaled, in pixels; 64 suits drawings, 224 photos"""
    num_tuned: NonNegativeInt = 0
    """last convolutions of the encoder to train; they need a low learning rate"""
    num_frames: PositiveInt = 8  # number of frames to read of a clip, evenly spaced; more take more memory
    vocabulary_size: PositiveInt = 6_000  # word pieces; rarer words consist of several; 4000 suit photos
    embedding_dim: PositiveInt = 128
    """width of a token's vector, and of the vector before the logits; 128 suits drawings, 192 photos"""
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"
    """recurrent cell; the GRU has fewer weights than the LSTM"""
    units: PositiveInt = 128  # units of each layer of the decoder; 128 suit drawings, 384 photos
    decoder_depth: PositiveInt = 2
    """layers of the decoder; attention is between the two, its context an input of the second"""
    attention: Literal["multiplicative", "additive", "none"] = "multiplicative"
    """how the decoder attends to places of the image; none: it has a first state only"""
    doubly_stochastic: NonNegativeFloat = 0.0
    """weight of the penalty on places that are not attended to; 1 suits photos"""
    dropout: UnitInterval = 0.1
    """dropout rate of features, word vectors, and before the logits; photos need 0.4"""
    label_smoothing: UnitInterval = 0.05
    """share of the target spread over all tokens; photos, with many right captions, need 0.1"""
    self_critical: bool = False  # train on the CIDEr of captions that the model samples; needs --init-from
    max_tokens: PositiveInt = 40  # number of word pieces of a caption; the few longer ones are cut
    batch_size: PositiveInt = 32  # captions of a batch, of similar length; larger batches mean fewer updates
    epochs: PositiveInt = 12
    """passes over the training data, of which the best by validation CIDEr is kept; 60 images need 20 to 40"""
    patience: PositiveInt | None = None
    """epochs without improvement that end training; None: never, since the learning rate has to fall to zero"""
    gradient_accumulation_steps: PositiveInt = 1  # batches of one update, for large batches in little memory
    learning_rate: PositiveFloat = 3e-3
    """peak of the schedule, after a warm-up; it decays to zero; 0.003 suits 128 units, 0.0015 384"""
    num_beams: PositiveInt = 3
    """hypotheses of the search, and captions that the export returns; more take longer"""
    length_penalty: NonNegativeFloat = 1.0
    """exponent of the length by which scores are divided (Wu et al., 2016); with 0 short captions win"""
    half_precision: bool = False  # store matrices in float16 in the export: half the size
    seed: Seed = 1  # seed of weights, order and dropout


def build_model(
    settings: Settings, preprocessor: CaptioningPreprocessor, train: FeatureSplit
) -> zoo.OneToMany | zoo.DelayedManyToMany:
    """The part of the encoder to train, and a decoder that attends to the feature map while it generates.

    Each frame of a clip has a map, and a recurrent encoder reads each position over time, in both directions.
    """
    cell = CELLS[settings.cell]
    decoder = zoo.Decoder(
        preprocessor.tokenizer.vocabulary_size,
        settings.embedding_dim,
        cell(settings.units, dropout=settings.dropout),
        settings.decoder_depth,
        attention=ATTENTIONS[settings.attention](),
        dropout=settings.dropout,
    )
    network = preprocessor.trainable_network
    if preprocessor.num_frames:
        over_time = zoo.Encoder(cell(-(-settings.units // 2)), bidirectional=True)
        model = zoo.DelayedManyToMany(zoo.FrameVectors(network), over_time, decoder, settings.dropout)
    else:
        model = zoo.OneToMany(decoder, network, settings.dropout, settings.doubly_stochastic)
    model.build(((None, *train.features.shape[1:]), (None, None)))
    model.decoder.set_output_bias(preprocessor.count_tokens(train))
    return model


def train(settings: Settings) -> None:
    """The whole story, from images and captions to an exported model."""
    keras.utils.set_random_seed(settings.seed)
    if not settings.init_from:
        encoder = build_image_encoder(settings.encoder, settings.image_size, settings.weights or "pretrained")
    data = load_captioning(settings.dataset, data_dir=settings.data_dir, encoding=settings.encoding)
    info = print_data(data.info, settings)
    check_options(settings, info.is_video)
    ancestor = load_ancestor(TASK, settings, info)
    are_public = may_publish(info, settings.examples)
    run = Run(settings.run_dir, settings, info, ancestor, may_change=["num_beams", "length_penalty"])

    # Features, tokens and batches. The word pieces are those of the training captions alone.
    if ancestor:
        preprocessor = ancestor.load_preprocessor(run.directory)
    else:
        num_frames = settings.num_frames if info.is_video else None
        preprocessor = CaptioningPreprocessor(encoder, num_frames, settings.num_tuned)
    train_split, validation_split, test_split = (
        preprocessor.extract(split, settings.run_dir / "features")
        for split in (data.train, data.validation, data.test)
    )
    if not ancestor:
        preprocessor.adapt(train_split, settings.vocabulary_size, settings.max_tokens, run.directory)
    train_set = preprocessor.bucket(train_split, settings.batch_size, settings.seed)
    validation_set = preprocessor.bucket(validation_split, settings.batch_size)
    print(train_set, validation_set, sep="\n")

    # Training, with the captions of the validation images scored after each epoch.
    model = build_model(settings, preprocessor, train_split)
    module = CaptioningModule(preprocessor, model, settings.num_beams, settings.length_penalty)
    if initialize(model, ancestor, settings.freeze):
        before = test_split.evaluate(module.caption_split(test_split), train_split)
        run.metrics["test BLEU-4, starting model"] = before["test BLEU-4"]

    loss: keras.losses.Loss = LabelSmoothedCrossentropy(settings.label_smoothing)
    # The same as SparseCategoricalAccuracy, without an argmax over the vocabulary.
    metrics = [keras.metrics.SparseTopKCategoricalAccuracy(1, "accuracy")]
    if settings.self_critical:
        train_set = sample_captions(module, train_split, settings.batch_size, settings.seed)
        validation_set, loss, metrics = validation_set.map(add_advantages), PolicyGradientLoss(), []

    name = f"{settings.cell}_attention_{settings.attention}"
    cycles = run.plan_schedule(name, settings.epochs, train_set.num_batches)
    run.fit(
        model,
        train_set,
        validation_set,
        name=name,
        optimizer=build_optimizer(settings.learning_rate, cycles, settings, beta_2=0.98),
        loss=loss,
        metrics=metrics,
        epochs=settings.epochs,
        patience=settings.patience,
        monitor="val_cider",
        mode="max",
        callbacks=[
            GenerationMetrics(
                [captions[0] for captions in validation_split.captions],
                partial(module.caption_split, validation_split, "greedy"),
                validation_split.score_validation,
            )
        ],
    )

    # Evaluation, beside the captions of the nearest training images.
    run.metrics["validation CIDEr (greedy)"] = run.best_epoch.metrics["val_cider"]
    captions = module.caption_split(test_split)
    run.metrics |= test_split.evaluate(captions, train_split)
    run.metrics |= test_split.evaluate_nearest(train_split)
    run.metrics["minutes"] = run.elapsed_minutes
    names = [data.test.names[row] for row in test_split.rows]
    overlap = measure_overlap(train_split.hash_examples(), test_split.hash_examples())
    report = report_generation(names, captions, test_split.captions, run.metrics, overlap)
    print_results(run.metrics, report)

    # Export: the graph takes the content of image files, or frames.
    if is_chief():
        report.save(run.directory / "report")
        examples = preprocessor.make_examples(data.test, test_split, settings.examples, run.directory)
        TASK.export(run, module, info, settings.export_dir, examples, are_public, report)
        print_examples(settings.export_dir, examples)


if __name__ == "__main__":
    run_recipe(train, Settings, TASK)
