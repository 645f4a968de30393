"""Next words, the lab of the lecture: how far back windows, bags of words and recurrent networks reach.

zoo train next_word                                              six models, embedded: a table and a figure
zoo train next_word --only window_10,bag_of_words,gru --quick    three of them, in the time that a class has
zoo predict runs/next_word/export/1 "I speak fluent"
"""

from dataclasses import dataclass, replace
from pathlib import Path

import zoo_quiet  # noqa: F401  hides what TensorFlow prints at its start

import keras
import numpy as np
from keras import ops

import zoo
from zoo.cli.recipes import print_data, print_examples, print_metrics, run_recipe
from zoo.cli.types import Names, PositiveFloats, PositiveInt, Seed, check_names
from zoo.components import CELLS
from zoo.datasets import ClozeSet, load_cloze
from zoo.errors import UsageError
from zoo.inspection import plot_curves
from zoo.tasks.language_model import TASK, WordModule, WordPreprocessor
from zoo.training import Run, build_optimizer, is_chief

EXAMPLES = ["I grew up in Italy and live in France, the train is late, I speak fluent", "I live in"]
WINDOWS = {"window_10": 10, "window_30": 30}  # words
BASIC = {"window_10": "window of 10 words", "bag_of_words": "bag of words", "window_30": "window of 30 words"}
MODELS = {**BASIC, "simple_rnn": "vanilla RNN", "gru": "GRU", "lstm": "LSTM"}


@dataclass(frozen=True)
class Settings:
    """Train six models that predict the next word, compare how far back they reach, and export one."""

    data_dir: Path | None = None  # directory where TFDS keeps its data; None: that of TFDS
    run_dir: Path = Path("runs/next_word")  # directory of logs; the same command resumes there
    export_dir: Path = Path("runs/next_word/export/1")  # directory of the SavedModel
    only: Names = tuple(MODELS)  # models to train, such as window_10,gru; the last one is exported
    quick: bool = False  # 3 epochs with the learning rate 0.01, for a class: too few for simple_rnn
    parameters: PositiveInt = 100_000
    """largest number of parameters of a model, the same for all of them, so that they compare"""
    learning_rates: PositiveFloats = (1e-2, 3e-3)
    """peaks of the schedule; each model is trained with each and keeps the better, for a fair comparison"""
    min_distance: PositiveInt = 1
    """least number of words between gap and nearer clue, in training; short distances help to learn long ones"""
    epochs: PositiveInt = 10
    """passes over the training data, of which the best by validation loss is kept; 10 suffice for every cell"""
    patience: PositiveInt | None = None
    """epochs without improvement that end training; None: all are run, as the learning rate falls to the end"""
    gradient_accumulation_steps: PositiveInt = 1
    """batches of one update, for large batches in little memory; a batch of short sentences needs little"""
    batch_size: PositiveInt = 64  # sentences of a batch, of similar length; more mean fewer updates
    max_words: PositiveInt = 200
    """words of an input of the export, of which longer ones are cut; sentences of training have up to 108"""
    top_k: PositiveInt = 5  # number of words that the export returns: the best one and four alternatives
    seed: Seed = 1  # seed of weights and order; the same one repeats a run


def build_model(kind: str, units: int, vocabulary_size: int) -> keras.Model:
    """One of the six models: ids [batch, time] to the logits of the word that follows each."""
    if kind in CELLS:
        encoder = zoo.Encoder(CELLS[kind](units))
        model = zoo.LanguageModel(vocabulary_size, min(vocabulary_size, units), encoder)
        model.build((None, None))
        return model
    ids = keras.Input([None], dtype="int32")
    x = ops.one_hot(ids, vocabulary_size)
    if kind == "bag_of_words":  # counts of all words so far
        x = keras.layers.Dense(units, "relu")(ops.log(1 + ops.cumsum(x, axis=1)))
    else:  # a window has separate weights for each of its positions
        x = keras.layers.Conv1D(units, WINDOWS[kind], padding="causal", activation="relu")(x)
    return keras.Model(ids, keras.layers.Dense(vocabulary_size)(x))


def find_units(kind: str, parameters: int, vocabulary_size: int) -> int:
    """The width of the widest model of its kind with at most that many parameters, by bisection."""

    def is_narrow(units: int) -> bool:
        return build_model(kind, units, vocabulary_size).count_params() <= parameters

    low, high = 1, 2
    while is_narrow(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_narrow(middle) else (low, middle)
    return low


def compute_accuracies(model: keras.Model, preprocessor: WordPreprocessor, gaps: ClozeSet) -> list[float]:
    """The share of gaps, in percent, whose most probable word is right, at each distance of the country."""
    next_ids = preprocessor.encode(gaps.next_words).flat_values.numpy()
    is_right = preprocessor.predict_gaps(model, gaps.texts) == next_ids
    distances = np.unique(gaps.distances)
    return [100 * float(is_right[gaps.distances == distance].mean()) for distance in distances]


def train(settings: Settings) -> None:
    """The whole story: six models of the same sentences, how far back each reaches, and one exported."""
    check_names("--only", settings.only, MODELS)
    if settings.quick:
        settings = replace(settings, epochs=3, learning_rates=(0.01,))
    data = load_cloze(data_dir=settings.data_dir)
    print_data(data.info)
    run = Run(settings.run_dir, settings, data.info, may_change=["learning_rates", "only", "top_k"])
    train_gaps = data.train.select(data.train.distances >= settings.min_distance)
    if not train_gaps.texts:
        farthest = data.train.distances.max()
        raise UsageError(f"--min-distance: expected at most {farthest}, the largest distance in the data.")
    train_texts = [*data.train.texts, *data.train.next_words]
    preprocessor = WordPreprocessor.adapt(train_texts, 10_000, settings.max_words, run.directory)
    vocabulary_size = preprocessor.tokenizer.vocabulary_size
    train_set = preprocessor.bucket_gaps(train_gaps, settings.batch_size, settings.seed)
    validation_set = preprocessor.bucket_gaps(data.validation, settings.batch_size)
    print(train_set)

    # Training: each model with each learning rate. The one that is exported comes last.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    curves: dict[str, list[float]] = {}
    printed_metrics: dict[str, float] = {}
    for kind in settings.only:
        units, candidates = find_units(kind, settings.parameters, vocabulary_size), []
        for rate in settings.learning_rates:
            keras.utils.set_random_seed(settings.seed)
            model = build_model(kind, units, vocabulary_size)
            print(f"\n{MODELS[kind]}, {model.count_params():,} parameters, learning rate {rate:g}")
            cycles = run.plan_schedule(f"{kind}_{rate:g}", settings.epochs, train_set.num_batches)
            run.fit(
                model,
                train_set,
                validation_set,
                name=f"{kind}_{rate:g}",
                optimizer=build_optimizer(rate, cycles, settings),
                loss=loss,
                metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
                epochs=settings.epochs,
                patience=settings.patience,
            )
            candidates.append((run.best_epoch.metrics["val_loss"], rate, model))
        _, rate, model = min(candidates, key=lambda candidate: candidate[0])
        curves[MODELS[kind]] = compute_accuracies(model, preprocessor, data.test)
        suffix = "" if kind == settings.only[-1] else f", {MODELS[kind]}"
        accuracy = float(np.mean(curves[MODELS[kind]]))
        metrics = {"test accuracy": accuracy, "learning rate": rate, "parameters": model.count_params()}
        run.metrics |= {f"{name}{suffix}": value for name, value in metrics.items()}
        printed_metrics |= {f"{name}, {MODELS[kind]}": value for name, value in metrics.items()}

    # How far back each model reaches.
    distances = np.unique(data.test.distances)
    print_accuracies(distances, curves)
    if set(settings.only) == set(MODELS):
        print_conclusions(distances, curves, data.test, MODELS[settings.only[-1]])
    curves["chance between two countries"] = [50.0] * len(distances)
    points = {name: (distances.tolist(), accuracies) for name, accuracies in curves.items()}
    panels = {"How far back each model reaches": points}
    for path in (run.directory / "reach.svg", run.directory / "reach.png"):
        plot_curves(panels, path, x_label="words back to the nearer country", y_label="accuracy (%)")
        print(f"plotted to {path}")
    run.metrics["minutes"] = run.elapsed_minutes
    print_metrics({**printed_metrics, "minutes": run.metrics["minutes"]})

    # Export: the graph takes raw strings.
    if is_chief():
        module = WordModule(preprocessor, model, settings.top_k)
        TASK.export(run, module, data.info, settings.export_dir, {"text": EXAMPLES})
        print_examples(settings.export_dir, {"text": EXAMPLES})


def print_accuracies(distances: np.ndarray, curves: dict[str, list[float]]) -> None:
    """Print the accuracy of each model at each distance of the nearer country."""
    print("\naccuracy (%) by distance, the number of words back to the nearer country")
    print(f"{'':20}" + "".join(f"{distance:6}" for distance in distances))
    for kind, accuracies in curves.items():
        print(f"{kind:20}" + "".join(f"{accuracy:6.0f}" for accuracy in accuracies))


def print_conclusions(
    distances: np.ndarray, curves: dict[str, list[float]], gaps: ClozeSet, cell: str
) -> None:
    """Print what the accuracies show about the four requirements of sequence modeling."""
    lengths = [len(text.split()) for text in gaps.texts]
    names = cell, MODELS["window_30"], MODELS["bag_of_words"]
    recurrent, window, bag = (np.array(curves[name]) for name in names)
    width = WINDOWS["window_30"]
    inside = distances < width - 5  # both clues are in the window
    print(
        f"\nvariable lengths      one {cell} reads sentences of {min(lengths)} to {max(lengths)} words"
        f"\nlong-term dependence  its accuracy is {recurrent[0]:.0f} at distance {distances[0]} and "
        f"{recurrent[-1]:.0f} at {distances[-1]}"
        f"\norder                 a bag of words has {bag.mean():.0f}: sentences differ in order alone"
        f"\nshared parameters     a window with separate weights for each of {width} positions has "
        f"{window[inside].mean():.0f} within its reach, the {cell} {recurrent[inside].mean():.0f}"
    )


if __name__ == "__main__":
    run_recipe(train, Settings)
