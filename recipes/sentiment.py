"""Sentiment, many-to-one: learn which label a text bears, and export strings in, labels out.

python recipes/sentiment.py                             train, evaluate, export
python recipes/sentiment.py --dataset imdb_reviews      the same on real reviews
python recipes/sentiment.py predict "Good, not bad."    ask a trained model
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import tensorflow as tf

import zoo
from zoo.cli.recipes import ended, main, minutes, origin, recorded, reported
from zoo.cli.types import PositiveFloat, PositiveInt, Seed, UnitInterval, VocabularySize
from zoo.components import CELLS
from zoo.datasets import DataInfo, DataSplits, load_text_classification
from zoo.export.saved_model import Card, export_model
from zoo.inspection import encoder_gates
from zoo.preprocessing.text import PADDING_ID, WordTokenizer, build_vocabulary, write_vocabulary
from zoo.schedules import warmup_cosine_decay
from zoo.training import BucketedDataset, bucket_by_length, evaluate, fit

EXAMPLES = ["The film was good, not bad at all.", "The film was bad, not good at all."]


# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train a recurrent network on labeled texts, evaluate it, and export it.

    To ask a trained model instead: sentiment.py predict --help
    """

    dataset: str = "negation"  # this one is embedded; or a TFDS name; or a path to TSV, CSV or texts
    text_column: str | None = None  # of a table or TFDS set, where it is not plain which
    label_column: str | None = None  # likewise
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    credit: str = ""  # whose data they are, for the card; TFDS knows it of its own sets
    license: str = ""  # what they allow, for the card; TFDS knows it of some
    folder: Path = Path("runs/sentiment")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/sentiment/export/1")  # where the SavedModel goes
    vocabulary: VocabularySize = 30_000  # rarer words teach nothing, and word vectors are most of the size
    embedding: PositiveInt = 128  # width of a word's vector
    cell: Literal["lstm", "gru", "simple_rnn"] = "lstm"  # its gates carry a "not" over a distance
    units: PositiveInt = 128  # in each direction: what stands after a word counts, too
    depth: PositiveInt = 1  # a second layer doubles the time and gains little
    pooling: Literal["max", "mean", "last"] = "max"  # one telling phrase in a long text counts
    word_dropout: UnitInterval = 0.2  # of whole words: no single one is to decide
    input_dropout: UnitInterval = 0.3  # of the features of the word vectors, the same ones for a text
    dropout: UnitInterval = 0.5  # before the scores: many words, few texts
    train_words: PositiveInt = 400  # longer texts are cut in training, where time goes with length
    max_words: PositiveInt = 1_000  # the same afterwards: a recurrence reads on past what it trained on
    batch_size: PositiveInt = 64  # texts of about the same length
    epochs: PositiveInt = 4  # the one that is best on validation is kept
    learning_rate: PositiveFloat = 2e-3  # at its peak; it rises at first, and falls to zero
    seed: Seed = 1  # of weights, order and dropout


# --- Data ---------------------------------------------------------------------------------------


def batched(
    texts: DataSplits[tf.data.Dataset], vocabulary: Path, settings: Settings
) -> tuple[WordTokenizer, list[BucketedDataset]]:
    """The words known, learnt from the training texts alone, and the three splits as batches of ids."""
    known = build_vocabulary(texts.train.map(lambda text, _: text), settings.vocabulary)
    file = write_vocabulary(known, vocabulary)
    words, cut = (WordTokenizer(file, n) for n in (settings.max_words, settings.train_words))

    def ids(split: tf.data.Dataset, encoder: WordTokenizer, seed: int | None = None) -> BucketedDataset:
        encoded = split.map(lambda text, label: (encoder(text[None]).ids[0], label), tf.data.AUTOTUNE)
        found = bucket_by_length(encoded, settings.batch_size, seed=seed)
        print(found)
        return found

    return words, [ids(texts.train, cut, settings.seed), ids(texts.validation, words), ids(texts.test, words)]


# --- Model --------------------------------------------------------------------------------------


def many_to_one(settings: Settings, vocabulary: int, classes: int, recurrent: bool) -> zoo.ManyToOne:
    """Word vectors, a recurrent stack, pooling over time, scores; or a bag of words, without the stack."""
    encoder = None
    if recurrent:
        cell = CELLS[settings.cell](settings.units, dropout=settings.input_dropout)
        encoder = zoo.Encoder(cell, depth=settings.depth, bidirectional=True)
    drop = {"dropout": settings.dropout, "word_dropout": settings.word_dropout}
    pooling = settings.pooling if recurrent else "mean"
    return zoo.ManyToOne(vocabulary, settings.embedding, encoder, classes, pooling, **drop)


# --- Training and evaluation --------------------------------------------------------------------


MEASURES = {
    "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "metrics": [keras.metrics.SparseCategoricalAccuracy("accuracy")],
}


def train(settings: Settings) -> None:
    """The whole story, from raw texts to an exported model and what it says of two of them."""
    start, figures = time.time(), {}
    columns = {"text_column": settings.text_column, "label_column": settings.label_column}
    texts = load_text_classification(settings.dataset, data_dir=settings.data_dir, **columns)
    print(f"{texts.info.source}: {', '.join(texts.info.labels)}.", *texts.info.notes)
    with tempfile.TemporaryDirectory() as folder:
        words, (training, validation, test) = batched(texts, Path(folder) / "vocabulary.txt", settings)
        rate = warmup_cosine_decay(settings.learning_rate, settings.epochs * training.num_batches)
        models = {"bag_of_words": False, settings.cell: True}
        for name, recurrent in models.items():
            print(f"\n{name}, {words.vocabulary_size} words known")
            keras.utils.set_random_seed(settings.seed)
            model = many_to_one(settings, words.vocabulary_size, len(texts.info.labels), recurrent)
            history = fit(
                model,
                training,
                validation,
                **MEASURES,
                optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
                epochs=settings.epochs,
                monitor="val_accuracy",
                mode="max",
                run_dir=settings.folder / name,
                settings=recorded(settings),
            )
            figures[f"validation accuracy, {name}"] = 100 * max(epoch["val_accuracy"] for epoch in history)
            figures[f"test accuracy, {name}"] = 100 * evaluate(model, test, **MEASURES)["accuracy"]
        figures["minutes"] = minutes(start, [settings.folder / name for name in models])
        figures = reported(figures)
        if not zoo.training.is_chief():
            return
        program = Program(words, model, texts.info.labels)
        signatures = {"serving_default": program.serve, "gates": program.gates}
        about = card(settings, texts.info, figures)
        export_model(signatures, [words, model], {"text": EXAMPLES}, settings.export, about)
    ended("sentiment", settings.export, EXAMPLES, EXAMPLES, "Your text.")


# --- Export -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Program:
    """The whole program: strings in, labels out."""

    words: WordTokenizer
    model: zoo.ManyToOne
    labels: tuple[str, ...]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each text its label, the probability of each label, and what is to be said about it."""
        words = self.words(text)
        scores = tf.nn.softmax(self.model(words.ids))
        return {
            "label": tf.gather(self.labels, tf.argmax(scores, axis=-1)),
            "scores": scores,
            "labels": tf.constant(self.labels),
            "status": words.status,
        }

    @tf.function(input_signature=[tf.TensorSpec([1], tf.string, "text")])
    def gates(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """For one text its words, and for each the gates and states of each layer and direction."""
        words = self.words(text)
        vectors = self.model.embedding(words.ids)
        values = encoder_gates(self.model.encoder, vectors, words.ids != PADDING_ID)
        return {"words": words.tokens[0]} | {name: value[0] for name, value in values.items()}


def card(settings: Settings, info: DataInfo, figures: dict[str, float]) -> Card:
    """What is to be known of the model."""
    return Card(
        title=f"Sentiment ({info.source})",
        summary=f"Reads a text and says which it is: {' or '.join(info.labels)}.",
        **origin(settings, info),
        figures=figures,
        limits=(
            "It knows the words and the subjects of its data, and is at a loss elsewhere.",
            f"Of a text of more than {settings.max_words} words it reads the first and the last.",
            "The scores are not calibrated: 0.99 does not mean wrong once in a hundred times.",
        ),
    )


if __name__ == "__main__":
    main(train, Settings, "sentiment", zoo.tasks.Classifier)
