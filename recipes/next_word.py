"""Next words, the lecture's lab: what each way of looking back can know, and how far back it reaches.

python recipes/next_word.py                             six models side by side: a table and a figure
python recipes/next_word.py --dataset book.txt          a language model of a text: perplexity, samples
python recipes/next_word.py predict "I speak fluent"    ask a trained model
"""

import itertools
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import zoo
from zoo.cli.recipes import ended, main, minutes, origin, recorded, reported
from zoo.cli.types import PositiveFloats, PositiveInt, Seed, UnitInterval, VocabularySize
from zoo.components import CELLS
from zoo.datasets import ClozeSet, DataInfo, load_cloze, load_text
from zoo.decoding import sample
from zoo.errors import UsageError
from zoo.export.saved_model import Card, export_model
from zoo.inspection import plot_curves
from zoo.preprocessing.text import (
    PADDING_ID,
    UNKNOWN_ID,
    WordTokenizer,
    build_vocabulary,
    split_words,
    write_vocabulary,
)
from zoo.schedules import warmup_cosine_decay
from zoo.training import BucketedDataset, bptt_windows, bucket_by_length, evaluate, fit

EXAMPLES = ["I grew up in Italy and live in France, the train is late, I speak fluent", "I live in"]
SMALL, LARGE = 10, 30  # words of the windows

# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train models that say the next word, compare them or measure one, and export it.

    To ask a trained model instead: next_word.py predict --help
    """

    dataset: str = "fluent"  # this one is embedded, and for it six models are compared; or a text file
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    credit: str = ""  # whose text it is, for the card
    license: str = ""  # what it allows, for the card
    folder: Path = Path("runs/next_word")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/next_word/export/1")  # where the SavedModel goes
    cell: Literal["lstm", "gru", "simple_rnn"] = "lstm"  # of the model that is exported
    parameters: PositiveInt = 100_000  # of each of the six models, about
    rates: PositiveFloats = (1e-2, 3e-3)  # learning rates: each model is trained with each, the better kept
    nearest: PositiveInt = 1  # words back that the nearer clue stands at least, in training
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64  # sentences, or streams of a text
    vocabulary: VocabularySize = 10_000  # words of a text file
    units: PositiveInt = 256  # of its model
    steps: PositiveInt = 35  # of its text through which gradients flow back
    dropout: UnitInterval = 0.4  # of its word vectors and outputs
    max_words: PositiveInt = 200  # of what the export is asked
    choices: PositiveInt = 5  # words that it gives
    seed: Seed = 1  # of weights, order and dropout


# --- Data ---------------------------------------------------------------------------------------


def gaps_batched(
    gaps: ClozeSet, words: WordTokenizer, batch_size: int, seed: int | None = None
) -> BucketedDataset:
    """Batches of ids, of what follows each, and of weights: the gap alone counts."""
    ids = split_ids(words, gaps.texts)
    last = tf.RaggedTensor.from_row_lengths(tf.ones_like(ids.flat_values), ids.row_lengths())
    ends = tf.ragged.range(ids.row_lengths()) == tf.cast(ids.row_lengths() - 1, tf.int64)[:, None]
    following = tf.gather(split_ids(words, gaps.next_words).flat_values, ends.value_rowids())
    weights = tf.cast(ends.flat_values, tf.float32)
    targets = last.with_flat_values(following)
    examples = tf.data.Dataset.from_tensor_slices((ids, targets, last.with_flat_values(weights)))
    return bucket_by_length(examples, batch_size, max_padding=0.3, seed=seed)


def split_ids(words: WordTokenizer, texts: Sequence[str]) -> tf.RaggedTensor:
    """The ids of all words of texts."""
    return words.words_to_ids(split_words(tf.constant(texts)))


# --- Models -------------------------------------------------------------------------------------


def language_model(
    vocabulary: int, cell: zoo.Cell, dropout: float = 0.0, stateful: bool = False
) -> zoo.LanguageModel:
    """A language model with one layer, whose word vectors are as wide as its state."""
    encoder = zoo.Encoder(cell, stateful=stateful)
    return zoo.LanguageModel(vocabulary, min(vocabulary, cell.units), encoder, dropout)


def network(kind: str, units: int, vocabulary: int) -> keras.Model:
    """One of six ways to look back: ids [batch, time] to logits of what follows each."""
    if kind in CELLS:
        return language_model(vocabulary, CELLS[kind](units))
    ids = keras.Input([None], dtype="int32")
    x = ops.one_hot(ids, vocabulary)
    if kind == "bag of words":  # counts of all words so far
        x = keras.layers.Dense(units, "relu")(ops.log(1 + ops.cumsum(x, axis=1)))
    else:  # a window has weights of its own for each place in it
        width = {"small window": SMALL, "large window": LARGE}[kind]
        x = keras.layers.Conv1D(units, width, padding="causal", activation="relu")(x)
    return keras.Model(ids, keras.layers.Dense(vocabulary)(x))


KINDS = ("small window", "bag of words", "large window", "simple_rnn", "gru", "lstm")


def sized(kind: str, parameters: int, vocabulary: int) -> tuple[keras.Model, int]:
    """The network of that kind whose parameters are at most so many, and how many they are."""

    def count(units: int) -> int:
        model = network(kind, units, vocabulary)
        model.build((None, None))
        return model.count_params()

    high = 2
    while count(high) <= parameters:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= parameters else (low, middle)
    return network(kind, low, vocabulary), count(low)


# --- Training and evaluation --------------------------------------------------------------------


MEASURES = {
    "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "metrics": [keras.metrics.SparseCategoricalAccuracy("accuracy")],
}


def train(settings: Settings) -> None:
    """The whole story: six models of the embedded data, or one of a text file."""
    start = time.time()
    with tempfile.TemporaryDirectory() as folder:
        story = compare if settings.dataset == "fluent" else read
        model, words, figures, data, folders = story(settings, Path(folder) / "vocabulary.txt")
        figures["minutes"] = minutes(start, folders)
        figures = reported(figures)
        if not zoo.training.is_chief():
            return
        program = Program(words, model, settings.choices)
        signatures = {"serving_default": program.serve}
        export_model(
            signatures,
            [words, model],
            {"text": EXAMPLES},
            settings.export,
            card(settings, data, figures),
        )
    ended("next_word", settings.export, EXAMPLES, EXAMPLES, "Your text")


Told = tuple[keras.Model, WordTokenizer, dict[str, float], DataInfo, list[Path]]


def compare(settings: Settings, vocabulary: Path) -> Told:
    """Train six models on the same sentences, and see how far back each one reaches."""
    splits = load_cloze(settings.data_dir)
    texts = tf.data.Dataset.from_tensor_slices([*splits.train.texts, *splits.train.next_words])
    words = WordTokenizer(write_vocabulary(build_vocabulary(texts, 10_000), vocabulary), settings.max_words)
    far = splits.train.distances >= settings.nearest
    if not far.any():
        raise UsageError(f"--nearest: no clue stands {settings.nearest} words back; 100 is the farthest.")
    chosen = ClozeSet(*(list(itertools.compress(part, far)) for part in splits.train))
    training = gaps_batched(chosen, words, settings.batch_size, settings.seed)
    validation = gaps_batched(splits.validation, words, settings.batch_size)
    print(f"{splits.info.source}: {training}")
    curves, figures, kept, folders = {}, {}, None, []
    for kind in sorted(KINDS, key=settings.cell.__eq__):  # the last one is exported
        tried = []
        for rate in settings.rates:
            keras.utils.set_random_seed(settings.seed)
            model, count = sized(kind, settings.parameters, words.vocabulary_size)
            print(f"\n{kind}, {count:,} parameters, learning rate {rate:g}")
            folders.append(settings.folder / f"{kind.replace(' ', '_')}_{rate:g}")
            history = fit(
                model,
                training,
                validation,
                **MEASURES,
                optimizer=keras.optimizers.Adam(
                    warmup_cosine_decay(rate, settings.epochs * training.num_batches), global_clipnorm=1.0
                ),
                epochs=settings.epochs,
                run_dir=folders[-1],
                settings=recorded(settings, "rates", "cell", "choices"),
            )
            tried.append((min(epoch["val_loss"] for epoch in history), rate, model, count))
        _, rate, model, count = min(tried, key=lambda found: found[0])
        right = rightness(model, words, splits.test)
        places = np.unique(splits.test.distances)
        curves[kind] = [100 * right[splits.test.distances == place].mean() for place in places]
        figures |= {
            f"parameters, {kind}": count,
            f"learning rate, {kind}": rate,
            f"test accuracy, {kind}": 100 * right.mean(),
        }
        kept = model if kind == settings.cell else kept
    table(places, curves)
    needs(places, curves, splits.test, settings.cell)
    for ending in ("png", "svg"):
        plot_reach(places, curves, settings.folder / f"reach.{ending}")
    print(f"drawn in {settings.folder / 'reach.png'}")
    return kept, words, figures, splits.info, folders


def rightness(model: keras.Model, words: WordTokenizer, gaps: ClozeSet) -> np.ndarray:
    """For each text whether the likeliest next word is the one it lacks."""
    ids, wanted = split_ids(words, gaps.texts), split_ids(words, gaps.next_words).flat_values.numpy()
    found = []
    for start in range(0, len(wanted), 256):
        some = ids[start : start + 256]
        logits = model(some.to_tensor(PADDING_ID))
        last = tf.gather(logits, some.row_lengths() - 1, batch_dims=1)
        found.append(tf.argmax(last, -1).numpy())
    return np.concatenate(found) == wanted


def table(places: np.ndarray, curves: dict[str, list[float]]) -> None:
    """Print the accuracy of each model for each distance of the nearer clue."""
    print("\nright, of 100, by how many words back the nearer clue stands")
    print(f"{'':14}" + "".join(f"{place:6}" for place in places))
    for kind, shares in curves.items():
        print(f"{kind:14}" + "".join(f"{share:6.0f}" for share in shares))


def needs(places: np.ndarray, curves: dict[str, list[float]], gaps: ClozeSet, cell: str) -> None:
    """Print what the figures say to the four needs of sequence modelling."""
    lengths = [len(text.split()) for text in gaps.texts]
    own, window, bag = (np.array(curves[kind]) for kind in (cell, "large window", "bag of words"))
    within = places < LARGE - 5  # both clues are in the window
    print(
        f"\ndifferent lengths     one {cell} read sentences of {min(lengths)} to {max(lengths)} words"
        f"\nshort and long        it was right in {own[0]:.0f} of 100 at {places[0]} word back, in "
        f"{own[-1]:.0f} at {places[-1]}"
        f"\norder                 a bag of all words in {bag.mean():.0f}: twins differ in order alone"
        f"\nshared parameters     a window that has weights of its own for each of {LARGE} places in "
        f"{window[within].mean():.0f} within its reach, the {cell} in {own[within].mean():.0f} there"
    )


def plot_reach(places: np.ndarray, curves: dict[str, list[float]], picture: Path) -> None:
    """Draw the same."""
    toss = {"a coin's toss between two clues": (places, np.full(len(places), 50.0))}
    plot_curves(
        {"": {kind: (places, shares) for kind, shares in curves.items()} | toss},
        picture,
        x_label="words back to the nearer clue",
        y_label="right next words (%)",
        title="How far back each model reaches",
    )


def read(settings: Settings, vocabulary: Path) -> Told:
    """Train a language model on one long text, by truncated back-propagation with carried states."""
    text = load_text(settings.dataset)
    parts, folder = (text.train, text.validation, text.test), settings.folder / settings.cell
    known = build_vocabulary(tf.data.Dataset.from_tensor_slices(text.train), settings.vocabulary)
    words = WordTokenizer(write_vocabulary(known, vocabulary), settings.max_words)
    ids = [split_ids(words, part).flat_values.numpy() for part in parts]
    size = min(settings.batch_size, max(1, min(map(len, ids)) // (2 * settings.steps)))
    try:
        training, validation, test = (bptt_windows(some, size, settings.steps) for some in ids)
    except ValueError as error:
        raise UsageError(f"--dataset: {text.info.source} is too short: {error}") from error
    known_words = f"{len(ids[0]):,} words for training, {words.vocabulary_size:,} of them known"
    print(f"{text.info.source}: {known_words}, {size} streams")
    keras.utils.set_random_seed(settings.seed)
    cell = CELLS[settings.cell](settings.units)
    model = language_model(words.vocabulary_size, cell, settings.dropout, stateful=True)
    rate = warmup_cosine_decay(settings.rates[-1], settings.epochs * len(training))
    fit(
        model,
        training,
        validation,
        **MEASURES,
        optimizer=keras.optimizers.Adam(rate, global_clipnorm=1.0),
        epochs=settings.epochs,
        run_dir=folder,
        settings=recorded(settings, "choices"),
    )
    figures = {}
    for name, part in (("validation", validation), ("test", test)):
        found = evaluate(model, part, **MEASURES)
        figures[f"{name} perplexity"] = math.exp(found["loss"])
        figures[f"{name} accuracy"] = 100 * found["accuracy"]
    known_share = np.mean(ids[2] != UNKNOWN_ID)
    figures |= {"test words known, share": 100 * known_share}
    free = language_model(words.vocabulary_size, CELLS[settings.cell](settings.units))
    free.build((None, None))
    free.set_weights(model.get_weights())
    print("\nit writes:")
    for line in written(free, words, settings.seed):
        print(f"  {line}")
    return free, words, figures, text.info, [folder]


def written(
    model: zoo.LanguageModel, words: WordTokenizer, seed: int, count: int = 3, length: int = 25
) -> list[str]:
    """Words drawn from the model, one after the other."""
    names = named(words)

    def step(ids: tf.Tensor, states: Any) -> tuple[tf.Tensor, Any]:
        logits, states = model.step(ids, states)
        return tf.where(tf.range(words.vocabulary_size) > UNKNOWN_ID, logits, logits.dtype.min), states

    begin = int(split_ids(words, ["."]).flat_values[0])
    seeds = tf.range(seed, seed + count)
    found = sample(
        step,
        model.encoder.get_initial_state(count),
        start_id=begin,
        end_id=PADDING_ID,
        max_length=length,
        seeds=seeds,
        temperature=0.8,
    )
    return [" ".join(names[i] for i in row) for row in found.tokens[:, 0].numpy()]


def named(words: WordTokenizer) -> list[str]:
    """The word of each id."""
    return ["", "?", *words.get_vocabulary()]


# --- Export -------------------------------------------------------------------------------------


class Program(tf.Module):
    """The whole program: strings in, next words out."""

    def __init__(self, words: WordTokenizer, model: keras.Model, choices: int) -> None:
        super().__init__()
        self.words, self.model = words, model
        self.choices = min(choices, words.vocabulary_size - 2)
        self.names = tf.constant(named(words))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")], autograph=False)
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each text the likeliest next words, best first, and their probabilities among known words."""
        read = self.words(text)
        length = tf.reduce_sum(tf.cast(read.ids != PADDING_ID, tf.int32), 1)
        logits = tf.gather(self.model(read.ids), tf.maximum(length, 1) - 1, batch_dims=1)
        probabilities = tf.nn.softmax(logits[:, UNKNOWN_ID + 1 :])
        best, places = tf.math.top_k(probabilities, self.choices)
        there = (length > 0)[:, None]
        return {
            "words": tf.where(there, tf.gather(self.names, places + UNKNOWN_ID + 1), ""),
            "probabilities": tf.where(there, best, 0.0),
            "status": read.status,
        }


def card(settings: Settings, data: DataInfo, figures: dict[str, float]) -> Card:
    """What is to be known of the model."""
    return Card(
        title=f"Next words ({data.source})",
        summary="Reads a text and says which words may follow.",
        **origin(settings, data),
        figures=figures,
        limits=(
            "It knows the words of its data; others are all alike to it, and it never says them.",
            f"Of a text of more than {settings.max_words} words it reads the first and the last.",
        ),
    )


if __name__ == "__main__":
    main(train, Settings, "runs/next_word/export/1", zoo.tasks.NextWordPredictor)
