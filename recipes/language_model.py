"""Language model: train on one long text by truncated back-propagation through time, and export it.

zoo train language_model --dataset book.txt         perplexity, samples, and the next words of a text
zoo predict runs/language_model/export/1 "It was the"
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import zoo_quiet  # noqa: F401  hides what TensorFlow prints at its start

import keras
import numpy as np

import zoo
from zoo.cli.recipes import choose_examples, print_data, print_examples, print_results, run_recipe
from zoo.cli.types import PositiveFloat, PositiveInt, Seed, UnitInterval
from zoo.components import CELLS
from zoo.datasets import load_text
from zoo.errors import UsageError
from zoo.preprocessing.text import UNKNOWN_ID
from zoo.reports import report_perplexity
from zoo.tasks.ancestor import initialize, load_ancestor
from zoo.tasks.language_model import (
    TASK,
    WordPieceModule,
    WordPiecePreprocessor,
    compute_metrics,
    sample_texts,
)
from zoo.training import Run, bptt_windows, build_optimizer, is_chief, sample_candidates


@dataclass(frozen=True)
class Settings:
    """Train a recurrent language model on a text file, measure its perplexity, and export it."""

    dataset: Path  # text file to train on; the last tenth of its words is for validation and test
    encoding: str | None = None  # encoding of the text file; None: UTF-8, or what a byte order mark states
    citation: str = ""  # source of the text, for the card
    license: str = ""  # terms of use of the text, for the card
    language: str | None = None  # language of the text, such as en, which only the card shows
    init_from: Path | None = None
    """run, export, or name of a model to start from: weights, vocabulary and form of the model"""
    freeze: tuple[Literal["embedding", "encoder"], ...] = ()
    """parts that keep the weights they start from; without any, the whole model is trained"""
    examples: Path | None = None  # file of texts for the card, one per line; None: none, as the text is yours
    run_dir: Path = Path("runs/language_model")  # directory of logs; the same command resumes there
    export_dir: Path = Path("runs/language_model/export/1")  # directory of the SavedModel
    vocabulary_size: PositiveInt = 8_000
    """number of word pieces, of which other words consist; with more, logits take longer, but texts are shorter"""
    cell: Literal["lstm", "gru", "simple_rnn"] = "lstm"
    """recurrent cell; the usual choice for language models"""
    units: PositiveInt = 256
    """units of each layer; also the width of a piece's vector, which computes its logit, too"""
    depth: PositiveInt = 1  # number of layers; a second one pays off for texts of millions of words
    dropout: UnitInterval = 0.4  # dropout rate of vectors and outputs; 0.1 for texts of millions of words
    batch_size: PositiveInt = 64  # parts of the text that are read side by side; a short text has fewer
    steps: PositiveInt = 35
    """time steps through which gradients flow back; 35 are usual; the state is carried further"""
    num_sampled: PositiveInt | None = None
    """pieces, besides those of a batch, whose logits a training step computes; fewer take less time; None: all"""
    epochs: PositiveInt = 10  # passes over the text; the epoch with the lowest validation loss is kept
    patience: PositiveInt | None = None
    """epochs without improvement that end training; None: never, since the learning rate has to fall to zero"""
    gradient_accumulation_steps: PositiveInt = 1  # batches of one update, for large batches in little memory
    learning_rate: PositiveFloat = 3e-3
    """peak of the schedule, after a warm-up; it decays to zero; 0.003 suits 256 units"""
    max_tokens: PositiveInt = 300  # word pieces of an input of the export; of longer ones it reads the last
    top_k: PositiveInt = 5  # number of words that the export returns; more take longer to search
    seed: Seed = 1  # seed of weights, order and dropout


def build_model(settings: Settings, vocabulary_size: int, stateful: bool) -> zoo.LanguageModel:
    """Vectors, a recurrent encoder, logits; while training its state is carried from window to window."""
    cell = CELLS[settings.cell](settings.units)
    encoder = zoo.Encoder(cell, settings.depth, residual=True, stateful=stateful)
    return zoo.LanguageModel(
        vocabulary_size, settings.units, encoder, dropout=settings.dropout, tie_weights=True
    )


def train(settings: Settings) -> None:
    """The whole story, from a text to its perplexity, samples, and an exported model."""
    data = load_text(settings.dataset, encoding=settings.encoding)
    info = print_data(data.info, settings)
    ancestor = load_ancestor(TASK, settings, info)
    examples = choose_examples(settings.examples, [" ".join(data.test[0].split()[:3])], info)
    run = Run(settings.run_dir, settings, info, ancestor, may_change=["top_k"])

    # Word pieces, and windows that follow each other in every row of a batch.
    if ancestor:
        preprocessor = ancestor.load_preprocessor(run.directory)
    else:
        preprocessor = WordPiecePreprocessor.adapt(
            data.train, settings.vocabulary_size, settings.max_tokens, run.directory
        )
    vocabulary_size = preprocessor.tokenizer.vocabulary_size
    ids = [preprocessor.encode_passages(split) for split in (data.train, data.validation, data.test)]
    batch_size = min(settings.batch_size, max(1, min(map(len, ids)) // (2 * settings.steps)))
    try:
        train_set, validation_set, test_set = (
            bptt_windows(split, batch_size, settings.steps) for split in ids
        )
    except ValueError as error:
        raise UsageError(f"--dataset: {settings.dataset} is too short: {error}") from error
    print(
        f"{len(ids[0]):,} pieces for training, a vocabulary of {vocabulary_size:,}, batches of {batch_size}"
    )

    if settings.num_sampled:
        train_set = sample_candidates(train_set, vocabulary_size, settings.num_sampled, settings.seed)

    # Training.
    keras.utils.set_random_seed(settings.seed)
    model = build_model(settings, vocabulary_size, stateful=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.build((batch_size, None))
    metrics = [keras.metrics.SparseCategoricalAccuracy("accuracy")]
    if initialize(model, ancestor, settings.freeze):
        results = zoo.evaluate(model, test_set, loss, metrics)
        before = compute_metrics(results, [ids[2]], preprocessor.tokenizer)
        run.metrics |= {f"test {metric}, starting model": value for metric, value in before.items()}
    cycles = run.plan_schedule(settings.cell, settings.epochs, len(train_set))
    run.fit(
        model,
        train_set,
        validation_set,
        name=settings.cell,
        optimizer=build_optimizer(settings.learning_rate, cycles, settings),
        loss=loss,
        metrics=metrics,
        epochs=settings.epochs,
        patience=settings.patience,
    )

    # Evaluation, and samples of a model without carried state, which is exported.
    for name, windows, pieces in (("validation", validation_set, ids[1]), ("test", test_set, ids[2])):
        results = zoo.evaluate(model, windows, loss, metrics)
        for metric, value in compute_metrics(results, [pieces], preprocessor.tokenizer).items():
            run.metrics[f"{name} {metric}"] = value
    run.metrics["test pieces in the vocabulary (%)"] = 100 * float(np.mean(ids[2] != UNKNOWN_ID))
    exported = build_model(settings, vocabulary_size, stateful=False)
    exported.build((None, None))
    exported.set_weights(model.get_weights())
    print("\nsamples:", *sample_texts(exported, preprocessor, settings.seed), sep="\n  ")
    run.metrics["minutes"] = run.elapsed_minutes
    report = report_perplexity(run.metrics)
    print_results(run.metrics, report)

    # Export: the graph takes raw strings.
    if is_chief():
        module = WordPieceModule(preprocessor, exported, settings.top_k)
        inputs = {"text": examples.texts}
        TASK.export(run, module, info, settings.export_dir, inputs, examples.are_public, report)
        print_examples(settings.export_dir, inputs)


if __name__ == "__main__":
    run_recipe(train, Settings, TASK)
