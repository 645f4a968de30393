"""Time of a whole epoch, with the input pipeline: `zoo.fit` beside `keras.Model.fit`.

python benchmarks/training.py --dataset imdb_reviews
python benchmarks/training.py --dataset reviews.tsv --examples 4000

The model is that of `recipes/sentiment.py`: word vectors, a bidirectional layer, the maximum over time, and
logits, trained by Adam with clipped gradients. Each contender trains one epoch in a process of its own, so
that tracing and compilation count for all:

    zoo                     `zoo.LSTM` in `zoo.fit`, batches of `zoo.training.bucket_by_length`
    keras, same batches     `keras.layers.LSTM` in `keras.Model.fit`, on the same batches
    keras, padded batches   the same on batches as usual: shuffled, each padded to its longest text, texts cut
                            at the same number of words

The contenders take turns, in another random order in each round. The table has medians over the rounds.

    python benchmarks/training.py --workers 2

compares one worker on one core with two workers on two cores, connected by loopback as two machines would be.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import tensorflow as tf
import tyro

import zoo
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.datasets import load_text_classification
from zoo.errors import UsageError
from zoo.preprocessing.text import WordTokenizer, build_vocabulary, write_vocabulary
from zoo.training import BucketedDataset, bucket_by_length, distribution_scope

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@dataclass(frozen=True)
class Settings:
    """Compare an epoch of training."""

    dataset: str = "negation"  # embedded; or a TFDS name such as imdb_reviews; or a path to TSV, CSV or texts
    data_dir: Path | None = None  # directory of TFDS's data; default is TFDS's own
    examples: PositiveInt | None = None  # number of training texts; default is all
    vocabulary_size: PositiveInt = 10_000  # words
    embedding_dim: PositiveInt = 128  # width of a word vector
    units: PositiveInt = 128  # in each direction
    max_words: PositiveInt = 400  # longer texts are cut
    batch_size: PositiveInt = 64  # texts
    rounds: PositiveInt = 3  # epochs of each contender
    workers: int = 0  # instead, compare 1 to this number of workers, each on a core of its own


def prepare(settings: Settings, cache_path: Path) -> None:
    """Encode the texts, and write them to the cache file."""
    texts = load_text_classification(settings.dataset, data_dir=settings.data_dir).train
    if settings.examples is not None:
        texts = texts.take(settings.examples)
    vocabulary = build_vocabulary(texts.map(lambda text, _: text), settings.vocabulary_size)
    tokenizer = WordTokenizer(
        write_vocabulary(vocabulary, cache_path.with_suffix(".txt")), settings.max_words
    )
    encoded = texts.map(lambda text, label: (tokenizer(text[None]).ids[0], label), tf.data.AUTOTUNE)
    print(bucket_by_length(encoded, settings.batch_size, seed=1, cache_path=cache_path))


def load_buckets(settings: Settings, cache_path: Path) -> BucketedDataset:
    """Batch the examples in the cache file by length."""
    spec = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64))
    empty = tf.data.Dataset.from_generator(lambda: iter(()), output_signature=spec)
    return bucket_by_length(empty, settings.batch_size, seed=1, cache_path=cache_path)


def load_padded_batches(settings: Settings, cache_path: Path) -> tf.data.Dataset:
    """Shuffle the examples in the cache file, and pad each batch to its longest text."""
    examples = load_buckets(settings, cache_path)(0).unbatch()
    trimmed = examples.map(lambda ids, label: (ids[: tf.math.count_nonzero(ids)], label)).cache()
    count = int(trimmed.reduce(0, lambda count, _: count + 1))
    return trimmed.shuffle(count, seed=1).padded_batch(settings.batch_size).prefetch(tf.data.AUTOTUNE)


def build_optimizer() -> keras.optimizers.Optimizer:
    """Build the optimizer of all contenders."""
    return keras.optimizers.Adam(1e-3, global_clipnorm=1.0)


def build_keras_model(settings: Settings) -> keras.Model:
    """Build the model from Keras's own layers."""
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(settings.vocabulary_size, settings.embedding_dim)(ids)
    mask = keras.ops.not_equal(ids, 0)
    layer = keras.layers.LSTM(settings.units, return_sequences=True)
    outputs = keras.layers.Bidirectional(layer)(vectors, mask=mask)
    pooled = keras.ops.max(keras.ops.where(mask[..., None], outputs, -1.0), axis=1)
    model = keras.Model(ids, keras.layers.Dense(2)(keras.layers.Dropout(0.5)(pooled)))
    model.compile(build_optimizer(), LOSS)
    return model


def make_zoo_epoch(settings: Settings, cache_path: Path) -> Callable[[], Any]:
    """Return a function that trains an epoch with `zoo.fit`."""
    encoder = zoo.Encoder(zoo.LSTMCell(settings.units), bidirectional=True)
    model = zoo.ManyToOne(settings.vocabulary_size, settings.embedding_dim, encoder, 2, dropout=0.5)
    return partial(
        zoo.fit,
        model,
        load_buckets(settings, cache_path),
        optimizer=build_optimizer(),
        loss=LOSS,
        epochs=1,
        run_dir=os.environ.get("BENCHMARK_RUN_DIR", cache_path.with_name(f"run{os.getpid()}")),
    )


def make_keras_epoch(settings: Settings, cache_path: Path) -> Callable[[], Any]:
    """Return a function that trains an epoch with Keras on the batches of `zoo.fit`."""
    batches = load_buckets(settings, cache_path)(0)
    return partial(build_keras_model(settings).fit, batches, shuffle=False, verbose=0)


def make_padded_keras_epoch(settings: Settings, cache_path: Path) -> Callable[[], Any]:
    """Return a function that trains an epoch with Keras on usual batches."""
    batches = load_padded_batches(settings, cache_path)
    return partial(build_keras_model(settings).fit, batches, shuffle=False, verbose=0)


CONTENDERS = {
    "zoo": make_zoo_epoch,
    "keras, same batches": make_keras_epoch,
    "keras, padded batches": make_padded_keras_epoch,
}


def start_process(
    name: str, settings: Settings, cache_path: Path, cores: Collection[int] | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Start a process that trains and times an epoch on some of the cores."""
    code = (
        "from pathlib import PosixPath\nfrom training import *\n"
        f"run_epoch({name!r}, {settings!r}, {cache_path!r})"
    )
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, cores),
    )


def run_epoch(name: str, settings: Settings, cache_path: Path) -> None:
    """Train an epoch, and print its seconds, with tracing and compilation."""
    with distribution_scope():
        keras.utils.set_random_seed(1)
        train_epoch = CONTENDERS[name](settings, cache_path)
        start = time.monotonic()
        train_epoch()
        print(f"\n{time.monotonic() - start}")


def read_seconds(process: subprocess.Popen[str]) -> float:
    """Wait for a process, and return the seconds that it prints."""
    out, err = process.communicate()
    if process.returncode:
        raise UsageError(f"A process of the benchmark failed:\n{err}")
    return float(out.splitlines()[-1])


def time_contender(name: str, settings: Settings, cache_path: Path) -> float:
    """Return the seconds of an epoch in one process on all cores."""
    return read_seconds(start_process(name, settings, cache_path))


def time_workers(count: int, settings: Settings, cache_path: Path) -> float:
    """Return the seconds of an epoch of `zoo.fit` in several workers, each on a core of its own."""
    addresses = [f"127.0.0.1:{29500 + os.getpid() % 1000 + 1000 * index}" for index in range(count)]
    run_dir = cache_path.with_name(f"workers{count}-{time.monotonic_ns()}")
    workers = []
    for index, core in zip(range(count), sorted(os.sched_getaffinity(0)), strict=False):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        variables = {"TF_CONFIG": json.dumps(task), "BENCHMARK_RUN_DIR": str(run_dir)}
        workers.append(start_process("zoo", settings, cache_path, {core}, **variables))
    return max(map(read_seconds, workers))


def main(settings: Settings) -> None:
    """Measure, and print a table."""
    timers: dict[str, Callable[[Settings, Path], float]]
    if settings.workers:
        timers = {f"{n} on {n} cores": partial(time_workers, n) for n in range(1, settings.workers + 1)}
    else:
        timers = {name: partial(time_contender, name) for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as directory:
        cache_path = Path(directory) / "examples"
        prepare(settings, cache_path)
        num_examples = load_buckets(settings, cache_path).num_examples
        seconds: dict[str, list[float]] = {name: [] for name in timers}
        rng = random.Random(1)
        for number in range(settings.rounds):
            for name in rng.sample(list(timers), len(timers)):
                seconds[name].append(timers[name](settings, cache_path))
                print(f"round {number + 1}/{settings.rounds}: {name} {seconds[name][-1]:.1f} s", flush=True)
    first = median(seconds[next(iter(timers))])
    print("\n| contender | seconds | examples per second | time to the first |\n| --- | --- | --- | --- |")
    for name, values in seconds.items():
        middle = median(values)
        print(f"| {name} | {middle:.1f} | {num_examples / middle:.0f} | {middle / first:.2f} |")


if __name__ == "__main__":
    with exit_on_user_error():
        main(tyro.cli(Settings))
