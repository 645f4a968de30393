"""Time of a training step of a language model, by the number of candidates of its softmax.

python benchmarks/language_model.py
python benchmarks/language_model.py --num-sampled 250 1000 4000

The model has the form and the size of that in `saved_models/language_model/1`. The token ids are random, with the
frequencies of Zipf's law, on which the number of different targets of a batch depends. A step is that of `zoo.fit`:
gradients, loss, metric, and update of the weights. "all tokens" computes the logits of the whole vocabulary; the
others those of the targets of a batch and of so many sampled tokens (`zoo.training.sample_candidates`).

The contenders take turns, in another random order in each round. `ratio` is the median over the rounds of the time
divided by that of "all tokens" in the same round.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import numpy as np
import tensorflow as tf
import tyro
from translation import Call, format_table, measure

from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.provenance import get_commit, get_versions
from zoo.training import bptt_windows, build_optimizer, sample_candidates
from zoo.training.step_runner import StepRunner

if TYPE_CHECKING:  # mypy finds recipes where the tree has them
    from recipes import language_model
else:
    from zoo.recipes import language_model


@dataclass(frozen=True)
class Settings:
    """Compare training steps of a language model."""

    num_sampled: tuple[PositiveInt, ...] = (500, 1000, 2000)  # sampled tokens of a batch, one contender each
    vocabulary_size: PositiveInt = 8000
    units: PositiveInt = 256  # of each layer; also the width of a token's vector
    depth: PositiveInt = 2  # number of layers
    batch_size: PositiveInt = 64  # rows of a batch
    steps: PositiveInt = 35  # tokens of a row
    rounds: PositiveInt = 15  # steps of each contender


def draw_windows(settings: Settings) -> tf.data.Dataset:
    """Return batches of ids, of which the n-th is drawn with a probability proportional to 1 / (n + 10)."""
    ids = np.arange(1, settings.vocabulary_size)
    frequencies = 1 / (ids + 10)
    rng = np.random.default_rng(1)
    size = settings.batch_size * settings.steps * (settings.rounds + 2) + 1
    drawn = rng.choice(ids, size, p=frequencies / frequencies.sum()).astype("int32")
    return bptt_windows(drawn, settings.batch_size, settings.steps)


def build_step(settings: Settings, batches: tf.data.Dataset) -> Call:
    """Return a function that trains a new model on the next batch, as `zoo.fit` does."""
    keras.utils.set_random_seed(1)
    recipe = language_model.Settings(Path(), units=settings.units, depth=settings.depth, dropout=0.1)
    model = language_model.build_model(recipe, settings.vocabulary_size, stateful=True)
    model.build((settings.batch_size, None))
    optimizer = build_optimizer(recipe.learning_rate, 10_000, recipe)
    optimizer.build(model.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = [keras.metrics.SparseCategoricalAccuracy("accuracy")]
    runner = StepRunner(model, loss, metrics, batches.element_spec, optimizer)
    iterator, weight = iter(batches), model.trainable_variables[0].value

    def train() -> float:
        start = time.perf_counter()
        gradients, outcome = runner.compute_gradients(next(iterator), tf.constant(0.0))
        np.asarray(outcome["gradient_norm"])
        runner.apply_gradients(gradients)
        np.asarray(weight[0])
        return time.perf_counter() - start

    return train


def build_contenders(settings: Settings) -> dict[str, Call]:
    """Return the contenders by name, that with all tokens first."""
    windows = draw_windows(settings)
    contenders = {"all tokens": build_step(settings, windows)}
    for count in settings.num_sampled:
        batches = sample_candidates(windows, settings.vocabulary_size, count, seed=1)
        contenders[f"{count:,} sampled"] = build_step(settings, batches)
    return contenders


def main(settings: Settings) -> None:
    """Measure, and print a table."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(f"{name} {number}" for name, number in get_versions().items())
    print(f"{cores} cores; {packages}, commit {get_commit()}", flush=True)
    targets = [len(np.unique(labels)) for _, labels in draw_windows(settings)]
    print(f"{mean(targets):,.0f} different targets in a batch, in the mean\n")
    print(format_table(measure(build_contenders(settings), settings.rounds), "ms"))


if __name__ == "__main__":
    with exit_on_user_error():
        main(tyro.cli(Settings))
