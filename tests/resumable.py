"""A small training run, to be killed and started again: python resumable.py FOLDER SECONDS DROPOUT EPOCHS.

With the environment variable MIRRORED it runs on two replicas in one process.
"""

import contextlib
import hashlib
import os
import sys

import keras
import numpy as np
import tensorflow as tf

import zoo

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def examples(seed: int, count: int) -> tf.data.Dataset:
    """Sequences of ids, each with a label that tells whether the first and the last are both odd."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(1, 9, rng.integers(2, 30)) for _ in range(count)]
    ids = tf.ragged.constant([row.tolist() for row in rows], tf.int32)
    labels = [row[0] % 2 * row[-1] % 2 for row in rows]
    return tf.data.Dataset.from_tensor_slices((ids, labels)).map(lambda x, y: (tf.convert_to_tensor(x), y))


def train(folder: str, seconds: float, dropout: float, epochs: int) -> keras.Model:
    """Train with all that is random turned on, by a share of `dropout`."""
    keras.utils.set_random_seed(7)
    training = zoo.training.bucket_by_length(examples(1, 150), batch_size=8, seed=3)
    validation = zoo.training.bucket_by_length(examples(2, 50), batch_size=8)
    cell = zoo.LSTMCell(6, dropout=dropout, recurrent_dropout=dropout, zoneout=dropout, seed=7)
    model = zoo.ManyToOne(9, 5, zoo.Encoder(cell), 2, dropout=dropout, word_dropout=dropout)
    zoo.fit(
        model,
        training,
        validation,
        optimizer=keras.optimizers.Adam(0.02, global_clipnorm=1.0),
        loss=LOSS,
        metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
        epochs=epochs,
        run_dir=folder,
        settings={"dropout": dropout, "seed": 7},
        checkpoint_seconds=seconds,
    )
    return model


def digest(model: keras.Model) -> str:
    """Of all weights, random states and what the optimizer keeps."""
    variables = [np.asarray(v) for v in (*model.variables, *model.optimizer.variables)]
    return hashlib.sha256(b"".join(value.tobytes() for value in variables)).hexdigest()


def mirrored() -> contextlib.AbstractContextManager:
    """The scope of two replicas, which take the place of two GPUs."""
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half, half])
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()


if __name__ == "__main__":
    folder, seconds, dropout, epochs = sys.argv[1:]
    scope = mirrored() if "MIRRORED" in os.environ else contextlib.nullcontext()
    try:
        with scope, zoo.training.distribution_scope():
            model = train(folder, float(seconds), float(dropout), int(epochs))
            print("digest", digest(model), flush=True)
    except zoo.errors.TrainingError as error:
        sys.exit(f"error: {error}")
    except zoo.errors.Interrupted as error:
        sys.exit(str(error))
