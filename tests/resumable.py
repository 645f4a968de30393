"""A small training run, to be killed and started again.

python resumable.py RUN_DIR CHECKPOINT_SECONDS DROPOUT EPOCHS

With the environment variable MIRRORED it runs on two replicas in one process, with ACCUMULATE=n it accumulates the
gradients of n batches, with CLIPNORM=x clips gradients at another norm, with FLIP_LABELS on opposite labels.
"""

import contextlib
import hashlib
import logging
import os
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.cli.xla_cache import xla_cache

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_examples(seed: int, count: int) -> tf.data.Dataset:
    """Make sequences of ids; the label is whether the first and the last id are both odd."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(1, 9, rng.integers(2, 30)) for _ in range(count)]
    ids = tf.ragged.constant([row.tolist() for row in rows], tf.int32)
    labels = [(row[0] % 2 * row[-1] + ("FLIP_LABELS" in os.environ)) % 2 for row in rows]
    return tf.data.Dataset.from_tensor_slices((ids, labels)).map(lambda x, y: (tf.convert_to_tensor(x), y))


def train(run_dir: Path | str, checkpoint_seconds: float, dropout: float, epochs: int) -> keras.Model:
    """Train with everything random turned on, at the rate `dropout`."""
    keras.utils.set_random_seed(7)
    cell = zoo.LSTMCell(6, dropout=dropout, recurrent_dropout=dropout, zoneout=dropout, seed=7)
    model = zoo.ManyToOne(9, 5, zoo.Encoder(cell), 2, dropout=dropout, word_dropout=dropout)
    zoo.fit(
        model,
        zoo.training.bucket_by_length(make_examples(1, 150), batch_size=8, seed=3),
        zoo.training.bucket_by_length(make_examples(2, 50), batch_size=8),
        optimizer=zoo.optimizers.FusedAdam(
            0.02,
            global_clipnorm=float(os.environ.get("CLIPNORM", "1.0")),
            gradient_accumulation_steps=int(os.environ.get("ACCUMULATE", "1")),
        ),
        loss=LOSS,
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        epochs=epochs,
        run_dir=run_dir,
        settings={"dropout": dropout, "seed": 7},
        checkpoint_seconds=checkpoint_seconds,
    )
    return model


def compute_digest(model: keras.Model) -> str:
    """Hash all weights, random states and optimizer variables."""
    variables = [np.asarray(v) for v in (*model.variables, *model.optimizer.variables)]
    return hashlib.sha256(b"".join(value.tobytes() for value in variables)).hexdigest()


def assert_identical(model: keras.Model, other: keras.Model) -> None:
    """Check that all weights, random states and optimizer variables of two models are equal, to the bit."""
    values, others = ([*each.variables, *each.optimizer.variables] for each in (model, other))
    for one, two in zip(values, others, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


def mirrored_scope() -> contextlib.AbstractContextManager:
    """Return the scope of a strategy with two replicas on the CPU, in place of two GPUs."""
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half, half])
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    run_dir, seconds, dropout, epochs = sys.argv[1:]
    scope = mirrored_scope() if "MIRRORED" in os.environ else contextlib.nullcontext()
    try:
        with xla_cache(), scope, zoo.training.distribution_scope():
            model = train(run_dir, float(seconds), float(dropout), int(epochs))
            print("digest", compute_digest(model), flush=True)
    except zoo.errors.TrainingError as error:
        sys.exit(f"error: {error}")
    except zoo.errors.Interrupted as error:
        sys.exit(str(error))
