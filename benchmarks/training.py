"""Examples per second of a whole epoch, with the input pipeline: `zoo.fit` beside `keras.Model.fit`.

python benchmarks/training.py --dataset imdb_reviews
python benchmarks/training.py --dataset reviews.tsv --examples 4000

The model is the one of `recipes/sentiment.py`: word vectors, a layer that reads in both directions, the
maximum over time, scores; trained by Adam with its gradients clipped. Contenders are, each in a process of
its own that does one epoch, so that tracing and compiling count for all:

    zoo                     `zoo.LSTM` in `zoo.fit`, batches by `zoo.training.bucket_by_length`
    keras, same batches     `keras.layers.LSTM` in `keras.Model.fit`, the very same batches
    keras, usual            the same, with batches as they are usually made: shuffled, each padded to the
                            longest of its texts, cut at the same number of words

They take turns, in a new random order in each round; the figures are medians over the rounds.

    python benchmarks/training.py --workers 2

compares one worker on one core with two on two instead, joined by loopback, as two machines would be.
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

from zoo.errors import UsageError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
import tyro

import zoo
from zoo.cli.types import PositiveInt

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@dataclass(frozen=True)
class Settings:
    """Compare an epoch of training."""

    dataset: str = "negation"  # embedded; or a TFDS name such as imdb_reviews; or a path to TSV, CSV or texts
    data_dir: Path | None = None  # where TFDS keeps its data
    examples: PositiveInt | None = None  # so many of the training texts; None takes all
    vocabulary: PositiveInt = 10_000  # words known
    embedding: PositiveInt = 128  # width of a word's vector
    units: PositiveInt = 128  # in each direction
    words: PositiveInt = 400  # longer texts are cut
    batch_size: PositiveInt = 64  # texts
    rounds: PositiveInt = 3  # epochs of each contender
    workers: int = 0  # instead, compare up to so many workers of ours, each on a core of its own


def prepare(settings: Settings, cache: Path) -> None:
    """Encode the texts, and leave them in a file."""
    texts = zoo.datasets.load_text_classification(settings.dataset, data_dir=settings.data_dir).train
    if settings.examples is not None:
        texts = texts.take(settings.examples)
    known = zoo.preprocessing.text.build_vocabulary(texts.map(lambda text, _: text), settings.vocabulary)
    file = zoo.preprocessing.text.write_vocabulary(known, cache.with_suffix(".txt"))
    words = zoo.preprocessing.text.WordTokenizer(file, settings.words)
    encoded = texts.map(lambda text, label: (words(text[None]).ids[0], label), tf.data.AUTOTUNE)
    print(zoo.training.bucket_by_length(encoded, settings.batch_size, seed=1, cache_path=cache))


def stored(settings: Settings, cache: Path) -> zoo.training.BucketedDataset:
    """The batches of what `prepare` left."""
    spec = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64))
    nothing = tf.data.Dataset.from_generator(lambda: iter(()), output_signature=spec)
    return zoo.training.bucket_by_length(nothing, settings.batch_size, seed=1, cache_path=cache)


def usual(settings: Settings, cache: Path) -> tf.data.Dataset:
    """The texts shuffled, and each batch padded to its longest."""
    one_by_one = stored(settings, cache)(0).unbatch()
    trimmed = one_by_one.map(lambda ids, label: (ids[: tf.math.count_nonzero(ids)], label)).cache()
    count = int(trimmed.reduce(0, lambda count, _: count + 1))
    return trimmed.shuffle(count, seed=1).padded_batch(settings.batch_size).prefetch(tf.data.AUTOTUNE)


def optimizer() -> keras.optimizers.Optimizer:
    """The same for all."""
    return keras.optimizers.Adam(1e-3, global_clipnorm=1.0)


def keras_model(settings: Settings) -> keras.Model:
    """The model on Keras's own layers."""
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(settings.vocabulary, settings.embedding)(ids)
    mask = keras.ops.not_equal(ids, 0)
    layer = keras.layers.LSTM(settings.units, return_sequences=True)
    outputs = keras.layers.Bidirectional(layer)(vectors, mask=mask)
    pooled = keras.ops.max(keras.ops.where(mask[..., None], outputs, -1.0), axis=1)
    model = keras.Model(ids, keras.layers.Dense(2)(keras.layers.Dropout(0.5)(pooled)))
    model.compile(optimizer(), LOSS)
    return model


def zoo_epoch(settings: Settings, cache: Path) -> Callable[[], object]:
    """An epoch of ours, ready to start."""
    encoder = zoo.Encoder(zoo.LSTMCell(settings.units), bidirectional=True)
    model = zoo.ManyToOne(settings.vocabulary, settings.embedding, encoder, 2, dropout=0.5)
    batches = stored(settings, cache)
    options = {"optimizer": optimizer(), "loss": LOSS, "epochs": 1, "monitor": "loss"}
    folder = os.environ.get("BENCHMARK_FOLDER", cache.with_name(f"run{os.getpid()}"))
    return lambda: zoo.fit(model, batches, run_dir=folder, **options)


def same_epoch(settings: Settings, cache: Path) -> Callable[[], object]:
    """An epoch of Keras on the same batches, ready to start."""
    model, batches = keras_model(settings), stored(settings, cache)(0)
    return lambda: model.fit(batches, shuffle=False, verbose=0)


def usual_epoch(settings: Settings, cache: Path) -> Callable[[], object]:
    """An epoch of Keras on usual batches, ready to start."""
    model, batches = keras_model(settings), usual(settings, cache)
    return lambda: model.fit(batches, shuffle=False, verbose=0)


CONTENDERS = {"zoo": zoo_epoch, "keras, same batches": same_epoch, "keras, usual": usual_epoch}


def started(
    name: str, settings: Settings, cache: Path, cores: Collection[int] | None = None, **environment: str
) -> subprocess.Popen:
    """A process that does and times an epoch, on some of the cores."""
    code = f"from pathlib import PosixPath\nfrom training import *\nchild({name!r}, {settings!r}, {cache!r})"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, cores),
    )


def child(name: str, settings: Settings, cache: Path) -> None:
    """Do and time an epoch, with tracing and compiling."""
    with zoo.training.distribution_scope():
        keras.utils.set_random_seed(1)
        epoch = CONTENDERS[name](settings, cache)
        start = time.monotonic()
        epoch()
        print(f"\n{time.monotonic() - start}")


def seconds(process: subprocess.Popen) -> float:
    """What a process has timed."""
    out, err = process.communicate()
    if process.returncode:
        raise UsageError(f"A process failed:\n{err}")
    return json.loads(out.splitlines()[-1])


def one(name: str, settings: Settings, cache: Path) -> float:
    """Seconds of an epoch in one process on all cores."""
    return seconds(started(name, settings, cache))


def on_cores(count: int, settings: Settings, cache: Path) -> float:
    """Seconds of an epoch of ours by so many workers, each on a core of its own."""
    addresses = [f"127.0.0.1:{29500 + os.getpid() % 1000 + 1000 * index}" for index in range(count)]
    folder = cache.with_name(f"workers{count}-{time.monotonic_ns()}")
    workers = []
    for index, core in zip(range(count), sorted(os.sched_getaffinity(0)), strict=False):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        variables = {"TF_CONFIG": json.dumps(task), "BENCHMARK_FOLDER": str(folder)}
        workers.append(started("zoo", settings, cache, {core}, **variables))
    return max(map(seconds, workers))


def run(settings: Settings) -> None:
    """Measure, and print a table."""
    if settings.workers:
        measures = {f"{n} on {n} cores": partial(on_cores, n) for n in range(1, settings.workers + 1)}
    else:
        measures = {name: partial(one, name) for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "examples"
        prepare(settings, cache)
        examples = stored(settings, cache).num_examples
        taken: dict[str, list[float]] = {name: [] for name in measures}
        order = random.Random(1)
        for number in range(settings.rounds):
            for name in order.sample(list(measures), len(measures)):
                taken[name].append(measures[name](settings, cache))
                print(f"round {number + 1}/{settings.rounds}: {name} {taken[name][-1]:.1f} s", flush=True)
    first = median(taken[next(iter(measures))])
    print("\n| contender | seconds | examples per second | time to the first |\n| --- | --- | --- | --- |")
    for name, values in taken.items():
        middle = median(values)
        print(f"| {name} | {middle:.1f} | {examples / middle:.0f} | {middle / first:.2f} |")


if __name__ == "__main__":
    try:
        run(tyro.cli(Settings, prog=Path(sys.argv[0]).name))
    except (UsageError, zoo.errors.DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
