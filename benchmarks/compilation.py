"""Time that a training run spends on tracing and compilation, with and without the cache of compiled programs.

python benchmarks/compilation.py

A process trains the model of `recipes/sentiment.py` for two epochs on texts of three lengths, which make three
buckets. Its first epoch minus its second is the time for tracing and compilation. In each round three processes
run one after the other:

    without cache   ZOO_XLA_CACHE=0
    first start     with an empty cache, which it fills
    second start    with the cache that the first start has filled

The table has medians over the rounds; ratios are to the process without cache of the same round. The cache of
the user is left alone; this needs Linux.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import numpy as np
import tensorflow as tf
import tyro

import zoo
from zoo.cli.types import PositiveInt
from zoo.cli.xla_cache import xla_cache
from zoo.training import bucket_by_length

if TYPE_CHECKING:  # mypy finds recipes where the tree has them
    from recipes import sentiment
else:
    from zoo.recipes import sentiment

CHILD = "ZOO_BENCHMARK_CHILD"
"""Environment variable of the processes that are measured."""

STARTS = ("without cache", "first start", "second start")


@dataclass(frozen=True)
class Settings:
    """Compare the time that a run spends on tracing and compilation."""

    rounds: PositiveInt = 5  # three processes each
    lengths: tuple[PositiveInt, ...] = (12, 50, 200)  # words, a bucket each
    batches: PositiveInt = 2  # of each length in an epoch
    batch_size: PositiveInt = 64  # texts
    vocabulary_size: PositiveInt = 10_000  # words


class Stopwatch(keras.callbacks.Callback):
    """Measures wall-clock and processor time of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start to measure."""
        self.epochs.append(-self.read())

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop."""
        self.epochs[-1] += self.read()

    def read(self) -> np.ndarray:
        """Return the seconds on the clock, and those of all threads."""
        return np.array([time.perf_counter(), time.process_time()])


def train(settings: Settings) -> list[float]:
    """Train for two epochs, and return by how many seconds and processor seconds the first one took longer."""
    recipe, stopwatch = sentiment.Settings(), Stopwatch()
    random = np.random.default_rng(1)
    lengths = np.repeat(settings.lengths, settings.batches * settings.batch_size)
    ids = random.integers(1, settings.vocabulary_size, lengths.sum(), dtype="int32")
    texts = tf.RaggedTensor.from_row_lengths(ids, lengths)
    labels = random.integers(0, 2, len(lengths))
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as directory:
        zoo.fit(
            sentiment.build_model(recipe, settings.vocabulary_size, 2, None, is_recurrent=True),
            bucket_by_length(tf.data.Dataset.from_tensor_slices((texts, labels)), settings.batch_size),
            optimizer=keras.optimizers.Adam(recipe.learning_rate, global_clipnorm=1.0),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            epochs=2,
            run_dir=directory,
            callbacks=[stopwatch],
        )
    first, second = stopwatch.epochs
    return (first - second).tolist()


def run_in_child(**environment: str) -> list[float]:
    """Return the result of `train` in a fresh process."""
    process = subprocess.run(
        [sys.executable, *sys.argv],
        env={**os.environ, CHILD: "1", **environment},
        capture_output=True,
        text=True,
    )
    if process.returncode:
        sys.exit(process.stderr)
    return json.loads(process.stdout.splitlines()[-1])


def measure(settings: Settings) -> None:
    """Print a table of medians."""
    seconds: dict[str, list[list[float]]] = {start: [] for start in STARTS}
    for done in range(settings.rounds):
        print(f"round {done + 1} of {settings.rounds}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as directory:
            for start in STARTS:
                switch = "0" if start == "without cache" else "1"
                seconds[start].append(run_in_child(ZOO_XLA_CACHE=switch, XDG_CACHE_HOME=directory))
    print("| | seconds | ratio | processor seconds | ratio |\n| --- | ---: | ---: | ---: | ---: |")
    for start in STARTS:
        ratios = np.median(np.divide(seconds[start], seconds[STARTS[0]]), axis=0)
        columns = zip(np.median(seconds[start], axis=0), ratios, strict=True)
        print(f"| {start} | {' | '.join(f'{value:.2f} | {ratio:.2f}' for value, ratio in columns)} |")


if __name__ == "__main__":
    arguments = tyro.cli(Settings)
    if CHILD in os.environ:
        with xla_cache():
            print(json.dumps(train(arguments)))
    else:
        measure(arguments)
