"""Sentiment, many-to-one: train a network that labels texts, and export strings in, labels out.

zoo train sentiment                               the embedded texts, in about a minute
zoo train sentiment --dataset imdb_reviews        real reviews
zoo predict runs/sentiment/export/1 "Good, not bad."
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import zoo_quiet  # noqa: F401  hides what TensorFlow prints at its start

import keras

import zoo
from zoo.cli.amount import choose_amount
from zoo.cli.recipes import choose_examples, print_data, print_examples, print_results, run_recipe
from zoo.cli.renames import Renames
from zoo.cli.types import NonNegativeFloat, PositiveFloat, PositiveInt, Seed, UnitInterval, VocabularySize
from zoo.components import CELLS
from zoo.datasets import load_text_classification
from zoo.reports import add_warnings, calibrate_classifier, describe_texts, read_first_texts, summarize_texts
from zoo.tasks.ancestor import Ancestor, initialize, load_ancestor
from zoo.tasks.text_classification import TASK, TextClassificationModule, TextClassificationPreprocessor
from zoo.training import Run, bucket_by_length, build_optimizer, is_chief


@dataclass(frozen=True)
class Settings:
    """Train a recurrent network on labeled texts, evaluate it, and export it."""

    dataset: str = "negation"  # the embedded texts, or a TFDS name, or a path to TSV, CSV or text files
    text_column: str | None = None  # column or TFDS feature of the text; None: `text`, or the only text
    label_column: str | None = None  # column or TFDS feature of the label; None: `label`, or the only label
    rename_labels: Renames = field(default_factory=dict)
    """new names of labels, such as 1=neg 2=neg 4=pos 5=pos; 3= leaves out the texts with the label 3"""
    data_dir: Path | None = None  # directory where TFDS keeps its data; None: that of TFDS
    encoding: str | None = None  # encoding of text files; None: UTF-8, or what a byte order mark states
    citation: str = ""  # source of the data, for the card; if empty, what TFDS states
    license: str = ""  # terms of use of the data, for the card; if empty, what TFDS states
    language: str | None = None  # language of the texts, such as en, which only the card shows
    init_from: Path | None = None
    """run, export, or name of a model to start from, of this recipe or of a language model"""
    freeze: tuple[Literal["embedding", "encoder"], ...] = ()
    """parts that keep the weights they start from; without any, the whole model is trained"""
    vectors: Path | None = None  # word vectors to start from: GloVe's or word2vec's formats, also .gz
    examples: Path | None = None  # texts for the card, one per line; None: two of the embedded test
    run_dir: Path = Path("runs/sentiment")  # directory of logs; the same command resumes there
    export_dir: Path = Path("runs/sentiment/export/1")  # directory of the SavedModel
    vocabulary_size: VocabularySize = 30_000
    """number of words; rarer ones teach little, and embeddings are most of the size"""
    names: bool = True  # whether the vocabulary has mostly capitalized words; other texts have other names
    embedding_dim: PositiveInt = 128  # width of a word vector; that of --vectors, if they are given
    cell: Literal["lstm", "gru", "simple_rnn"] = "lstm"
    """recurrent cell; the gates of the LSTM carry a "not" over a distance"""
    units: PositiveInt = 128
    """units of the cell in each direction; both are read, since the words after a word matter, too"""
    depth: PositiveInt = 1  # number of recurrent layers; a second one doubles the time and gains little
    pooling: Literal["max", "mean", "max_mean", "last"] = "max"
    """how the states at all words become one vector; max: one clear phrase in a long text is enough"""
    word_dropout: UnitInterval = 0.2  # share of words left out in training, so that no single word decides
    word_dropout_min_words: PositiveInt = 1
    """words of the shortest text to which word dropout applies; in a shorter one each word may decide"""
    input_dropout: UnitInterval = 0.3
    """dropout rate of the features of word vectors, the same for all words of a text; 0.5 suits many thousand texts"""
    adversarial_radius: NonNegativeFloat = 0.0
    """size of changes of word vectors that the scores should withstand; 0: none; try 0.3"""
    dropout: UnitInterval = 0.5  # dropout rate before the scores; high for many words and few texts
    train_words: PositiveInt = 400
    """words, or word pieces, of a text in training; longer texts are cut, since they take long"""
    max_words: PositiveInt = 1_000
    """words, or word pieces, of a text in evaluation and in the export; longer texts are cut"""
    batch_size: PositiveInt | None = None
    """texts of a batch, of similar length; None: 64, or of few texts 16 or 32, for more updates"""
    epochs: PositiveInt | None = None
    """passes; the best by validation accuracy is kept; None: 4, or of few texts up to 40, 10 with --init-from"""
    patience: PositiveInt | None = None
    """epochs without improvement that end training; None: never, since the learning rate has to fall to zero"""
    gradient_accumulation_steps: PositiveInt = 1  # batches of one update, for large batches in little memory
    learning_rate: PositiveFloat = 2e-3
    """peak of the schedule, after a warm-up; it decays to zero; a lower one learns nothing from 400 texts"""
    class_weight: Literal["balanced"] | None = None
    """weights of labels in the loss; with balanced, rare labels count as much as frequent ones"""
    seed: Seed = 1  # seed of weights, order and dropout


def build_model(
    settings: Settings, vocabulary_size: int, num_classes: int, ancestor: Ancestor | None, is_recurrent: bool
) -> zoo.ManyToOne:
    """Word vectors, a recurrent encoder, pooling over time, scores; the bag of words has no encoder."""
    encoder = None
    if is_recurrent and ancestor:
        encoder = ancestor.make_encoder(settings.input_dropout)
    elif is_recurrent:
        cell = CELLS[settings.cell](settings.units, dropout=settings.input_dropout)
        encoder = zoo.Encoder(cell, depth=settings.depth, bidirectional=True)
    return zoo.ManyToOne(
        vocabulary_size,
        settings.embedding_dim,
        encoder,
        num_classes,
        pooling=settings.pooling if is_recurrent else "mean",
        dropout=settings.dropout,
        word_dropout=settings.word_dropout,
        word_dropout_min_length=settings.word_dropout_min_words,
        adversarial_radius=settings.adversarial_radius if is_recurrent else 0.0,
    )


def train(settings: Settings) -> None:
    """The whole story, from raw texts to an exported model and its predictions for two of them."""
    data = load_text_classification(
        settings.dataset,
        data_dir=settings.data_dir,
        text_column=settings.text_column,
        label_column=settings.label_column,
        rename_labels=settings.rename_labels,
        encoding=settings.encoding,
    )
    info = print_data(data.info, settings)
    ancestor = load_ancestor(TASK, settings, info)
    examples = choose_examples(settings.examples, read_first_texts(data.test), info)
    summary = summarize_texts(data)
    settings, amount = choose_amount(data.train, settings, ancestor, "sentiment for opinions in English")
    run = Run(settings.run_dir, settings, info, ancestor)

    # Words and batches. The vocabulary is that of the training texts alone.
    if ancestor:
        preprocessor = ancestor.load_preprocessor(run.directory).limit_tokens(settings.max_words)
        preprocessor.check_vocabulary(data.train)
    else:
        preprocessor = TextClassificationPreprocessor.adapt(
            data.train, settings.vocabulary_size, settings.max_words, run.directory, settings.names
        )
    if settings.vectors:
        table = preprocessor.load_vectors(settings.vectors, data.train, settings.embedding_dim, settings.seed)
    train_set = bucket_by_length(
        preprocessor.encode(data.train, settings.train_words), amount.batch_size, seed=settings.seed
    )
    validation_set = bucket_by_length(preprocessor.encode(data.validation), amount.batch_size)
    test_set = bucket_by_length(preprocessor.encode(data.test), amount.batch_size)
    vocabulary_size = preprocessor.tokenizer.vocabulary_size
    print(train_set, validation_set, test_set, sep="\n")

    # Training, calibration and evaluation, of a bag of words for comparison and of the recurrent network.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy("accuracy")
    for name, suffix in (("bag_of_words", ", bag of words"), (settings.cell, "")):
        print(f"\n{name}, a vocabulary of {vocabulary_size:,} {preprocessor.token_name}")
        keras.utils.set_random_seed(settings.seed)
        is_recurrent = name == settings.cell
        model = build_model(settings, vocabulary_size, len(info.labels), ancestor, is_recurrent)
        model.build((None, None))
        if settings.vectors:
            model.embedding.set_weights([table])
        if is_recurrent and initialize(model, ancestor, settings.freeze, info.labels):
            results = zoo.evaluate(model, test_set, loss, [accuracy])
            run.metrics["test accuracy, starting model"] = 100 * results["accuracy"]
        epochs = amount.epochs if is_recurrent else max(amount.baseline_epochs, run.count_epochs(name))
        cycles = run.plan_schedule(name, epochs, train_set.num_batches)
        history = run.fit(
            model,
            train_set,
            validation_set,
            name=name,
            optimizer=build_optimizer(settings.learning_rate, cycles, settings),
            loss=loss,
            metrics=[accuracy],
            epochs=epochs,
            patience=settings.patience,
            class_weight=settings.class_weight,
            monitor="val_accuracy",
        )
        sets = validation_set, test_set
        report = calibrate_classifier(model, *sets, info.labels, summary, preprocessor.has_known_words)
        run.metrics[f"validation accuracy{suffix}"] = 100 * run.best_epoch.metrics["val_accuracy"]
        run.metrics[f"test accuracy{suffix}"] = report.accuracy
    run.metrics |= report.metrics | {"minutes": run.elapsed_minutes}
    report = add_warnings(report, run.metrics, max(history.history["accuracy"]))
    print_results(run.metrics, report)

    # Export: the graph takes raw strings.
    if is_chief():
        report.save(run.directory / "report", partial(describe_texts, data.test))
        module = TextClassificationModule(preprocessor, model, info.labels)
        inputs = {"text": examples.texts}
        TASK.export(run, module, info, settings.export_dir, inputs, examples.are_public, report)
        print_examples(settings.export_dir, inputs)


if __name__ == "__main__":
    run_recipe(train, Settings, TASK)
