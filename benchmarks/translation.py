"""Time of a training step of the translation recipe, and what its fast parts gain.

python benchmarks/translation.py
python benchmarks/translation.py --tokens 1000

The model, loss and optimizer have the settings of the trained model in `saved_models/translation/1`; the token
ids are random. A step is that of `zoo.fit`: gradients, loss, metric, and update of the weights. Contenders:

    usual               differentiated loss, `keras.optimizers.Adam`, `SparseCategoricalAccuracy`
    loss                `LabelSmoothedCrossentropy`, whose gradient is in closed form; the rest as usual
    optimizer           `FusedAdam`; the rest as usual
    accuracy            `SparseTopKCategoricalAccuracy`; the rest as usual
    recipe              all three, as in the recipe
    vocabulary products the three matrix products of the logits and their gradients alone

They take turns in one process, in a new random order in each round. `ratio` is the median over the rounds of the
time divided by that of "usual" in the same round.

With `--tokens N`, the recipe's step is measured on batches of 64 pairs and on batches of up to N tokens instead, in
seconds for 100,000 tokens of the target. The lengths are random, with the mean and the spread of short sentences.
Each batch size is compiled before the measurement.
"""

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import numpy as np
import tensorflow as tf
import tyro

import zoo
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.errors import UsageError
from zoo.formulations import apply_teacher_forcing
from zoo.losses import LabelSmoothedCrossentropy
from zoo.optimizers import FusedAdam
from zoo.provenance import get_commit, get_versions
from zoo.schedules import warmup_cosine_decay
from zoo.training import bucket_by_length
from zoo.training.step_runner import StepRunner

VOCABULARY_SIZE, EMBEDDING_DIM, UNITS = 8000, 192, 256
FIRST_TOKEN = 4  # ids below are padding, unknown, start and end
PAIRS = 4000  # with --tokens

Call = Callable[[], float]
"""Runs a contender once, and returns its seconds."""


@dataclass(frozen=True)
class Settings:
    """Measure a training step of the translator."""

    source_tokens: PositiveInt = 12  # of each source
    target_tokens: PositiveInt = 12  # of each target
    batch_size: PositiveInt = 64  # pairs
    rounds: PositiveInt = 15  # steps of each contender; with --tokens, passes over all batches
    tokens: PositiveInt | None = None  # instead, compare batches of up to this number of tokens


class DifferentiatedLoss(LabelSmoothedCrossentropy):
    """The same loss with the gradient of automatic differentiation."""

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the loss of each element."""
        ids = tf.cast(y_true, tf.int32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(ids, y_pred)
        true_logits = tf.gather(y_pred, ids, batch_dims=ids.shape.rank)
        return losses + self.smoothing * (true_logits - tf.reduce_mean(y_pred, axis=-1))


def build_usual_accuracy(name: str) -> keras.metrics.Metric:
    """Build the accuracy by argmax."""
    return keras.metrics.SparseCategoricalAccuracy(name)


def build_fast_accuracy(name: str) -> keras.metrics.Metric:
    """Build the accuracy of the recipe."""
    return keras.metrics.SparseTopKCategoricalAccuracy(1, name)


def build_model() -> zoo.DelayedManyToMany:
    """Build the model of the trained translator."""
    keras.utils.set_random_seed(1)
    cell = zoo.GRUCell(UNITS, dropout=0.1)
    decoder = zoo.Decoder(
        *(VOCABULARY_SIZE, EMBEDDING_DIM, cell, 2),
        attention=zoo.MultiplicativeAttention(),
        dropout=0.1,
    )
    embedding = zoo.ScaledEmbedding(VOCABULARY_SIZE, EMBEDDING_DIM)
    model = zoo.DelayedManyToMany(embedding, zoo.Encoder(cell, bidirectional=True), decoder, 0.1)
    model.build(((None, None), (None, None)))
    return model


def build_step(
    loss: type[LabelSmoothedCrossentropy] = DifferentiatedLoss,
    optimizer: type[keras.optimizers.Adam] = keras.optimizers.Adam,
    accuracy: Callable[[str], keras.metrics.Metric] = build_usual_accuracy,
) -> Callable[[Any], None]:
    """Return a function that trains on a batch, as `zoo.fit` does."""
    model = build_model()
    adam = optimizer(warmup_cosine_decay(1.5e-3, 10_000), beta_2=0.98, global_clipnorm=1.0)
    adam.build(model.trainable_variables)
    ids = tf.TensorSpec([None, None], tf.int32)
    spec = (ids, ids), ids, tf.TensorSpec([None, None], tf.float32)
    runner = StepRunner(model, loss(0.1), [accuracy("accuracy")], spec, adam)
    weight = model.trainable_variables[0].value

    def train(batch: Any) -> None:
        gradients, outcome = runner.compute_gradients(batch, tf.constant(0.0))
        np.asarray(outcome["gradient_norm"])
        runner.apply_gradients(gradients)
        np.asarray(weight[0, 0])

    return train


def draw_batch(rng: np.random.Generator, batch_size: int, source_tokens: int, target_tokens: int) -> Any:
    """Return a batch of random ids without padding."""
    source, target = (
        tf.constant(rng.integers(FIRST_TOKEN, VOCABULARY_SIZE, (batch_size, time)), tf.int32)
        for time in (source_tokens, target_tokens + 1)
    )
    return apply_teacher_forcing(source, target)


def draw_pairs(rng: np.random.Generator, max_tokens: int) -> tf.data.Dataset:
    """Return pairs of random ids. Sources have 4 and more tokens, 10 in the mean; targets differ by a few."""
    sources = np.minimum(4 + rng.gamma(1.5, 4.0, PAIRS).astype(int), max_tokens)
    targets = np.clip(sources + rng.integers(-2, 4, PAIRS), 3, max_tokens)
    source, target = (
        tf.RaggedTensor.from_row_lengths(
            rng.integers(FIRST_TOKEN, VOCABULARY_SIZE, lengths.sum()).astype("int32"), lengths
        )
        for lengths in (sources, targets)
    )
    return tf.data.Dataset.from_tensor_slices((source, target))


def compute_products(outputs: tf.Tensor, embeddings: tf.Tensor) -> list[tf.Tensor]:
    """Compute logits and products of their size with vectors and embeddings."""
    logits = tf.matmul(outputs, embeddings, transpose_b=True)
    return [tf.matmul(logits, embeddings), tf.matmul(logits, outputs, transpose_a=True)]


def make_timed_call(function: Callable[..., Any], *arguments: Any) -> Call:
    """Return a function that measures one call."""

    def call() -> float:
        start = time.perf_counter()
        for result in tf.nest.flatten(function(*arguments)):
            np.asarray(result)
        return time.perf_counter() - start

    return call


def build_contenders(settings: Settings) -> dict[str, Call]:
    """Return the contenders by name, the usual step first."""
    rng = np.random.default_rng(1)
    batch = draw_batch(rng, settings.batch_size, settings.source_tokens, settings.target_tokens)
    rows = settings.batch_size * settings.target_tokens
    factors = [tf.random.normal((size, EMBEDDING_DIM)) for size in (rows, VOCABULARY_SIZE)]
    fast: dict[str, Any]
    fast = {"loss": LabelSmoothedCrossentropy, "optimizer": FusedAdam, "accuracy": build_fast_accuracy}
    choices = {"usual": {}, **{name: {name: value} for name, value in fast.items()}, "recipe": fast}
    contenders = {name: make_timed_call(build_step(**choice), batch) for name, choice in choices.items()}
    products = tf.function(compute_products, autograph=False)
    contenders["vocabulary products"] = make_timed_call(products, *factors)
    return contenders


def measure(contenders: Mapping[str, Call], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender by round, after two rounds without measurement."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    rng = random.Random(1)
    for number in range(-2, rounds):
        for name in rng.sample(list(contenders), len(contenders)):
            duration = contenders[name]()
            if number >= 0:
                seconds[name].append(duration)
    return seconds


def format_table(seconds: Mapping[str, Sequence[float]], unit: str, factor: float = 1000) -> str:
    """Return a table of medians, lowest times, and ratios to the first contender in the same round."""
    first = seconds[next(iter(seconds))]
    rows = [f"| contender | {unit} | lowest | ratio |", "| --- | --: | --: | --: |"]
    for name, values in seconds.items():
        ratio = median(one / other for one, other in zip(values, first, strict=True))
        rows.append(f"| {name} | {factor * median(values):.1f} | {factor * min(values):.1f} | {ratio:.2f} |")
    return "\n".join(rows)


def compare_batching(settings: Settings, max_tokens: int) -> dict[str, list[float]]:
    """Return the seconds for 100,000 tokens of the target by round, for both kinds of batches."""
    longest = max_tokens // 2
    if longest < FIRST_TOKEN:
        raise UsageError(f"--tokens is {max_tokens}. Expected a number of at least {2 * FIRST_TOKEN}.")
    pairs = draw_pairs(np.random.default_rng(1), longest)
    train = build_step(LabelSmoothedCrossentropy, FusedAdam, build_fast_accuracy)
    contenders: dict[str, Call] = {}
    for name, buckets in {
        f"{settings.batch_size} pairs": bucket_by_length(pairs, batch_size=settings.batch_size, seed=1),
        f"up to {max_tokens} tokens": bucket_by_length(pairs, max_tokens=max_tokens, seed=1),
    }.items():
        print(f"{name}: {buckets}", flush=True)
        batches = list(buckets.map(apply_teacher_forcing)(0))
        tokens = sum(float(tf.reduce_sum(weights)) for _, _, weights in batches)

        def run_epoch(batches: list[Any] = batches, tokens: float = tokens) -> float:
            start = time.perf_counter()
            for batch in batches:
                train(batch)
            return (time.perf_counter() - start) * 100_000 / tokens

        contenders[name] = run_epoch
    return measure(contenders, settings.rounds)


def main(settings: Settings) -> None:
    """Measure, and print a table."""
    tf.get_logger().setLevel("ERROR")  # each contender is traced, which TensorFlow warns of
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(f"{name} {number}" for name, number in get_versions().items())
    print(f"{cores} cores; {packages}, commit {get_commit()}", flush=True)
    if settings.tokens is None:
        table = format_table(measure(build_contenders(settings), settings.rounds), "ms")
    else:
        seconds = compare_batching(settings, settings.tokens)
        table = format_table(seconds, "seconds for 100,000 tokens", 1)
    print(f"\n{table}")


if __name__ == "__main__":
    with exit_on_user_error():
        main(tyro.cli(Settings))
