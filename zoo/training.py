"""Training: batches of sequences of like length, and the loop that keeps the best weights."""

import math
import sys

import keras
import tensorflow as tf


def batches(
    examples: tf.data.Dataset, batch_size: int, longest: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Batch sequences with others of about their length, so that little of a batch is padding.

    Lengths over ten differ by a tenth at most within a bucket. Every example comes once; with a seed they are
    shuffled anew for every epoch, before they are put into buckets.

    Args:
        examples: pairs of ids [time] and a label; kept in memory once they have been read.
        batch_size: of all batches but the last of each bucket.
        longest: no `time` exceeds it.
        shuffle_seed: None keeps the order within each bucket.

    Returns:
        Pairs of ids [batch, time], padded with 0, and labels [batch]; the number of batches is known.
    """
    examples = examples.cache()
    if shuffle_seed is not None:
        examples = examples.shuffle(max(_count(examples), 1), seed=shuffle_seed)
    steps = math.ceil(math.log(max(longest, 10) / 10, 1.1))
    boundaries = sorted({math.ceil(10 * 1.1**step) + 1 for step in range(steps + 1)})
    batched = examples.bucket_by_sequence_length(
        lambda ids, label: tf.shape(ids)[0], boundaries, [batch_size] * (len(boundaries) + 1)
    )
    counted = tf.data.experimental.assert_cardinality(_count(batched))
    return batched.apply(counted).prefetch(tf.data.AUTOTUNE)


def _count(dataset: tf.data.Dataset) -> int:
    return int(dataset.reduce(0, lambda count, _: count + 1))


def fit(
    model: keras.Model,
    training: tf.data.Dataset,
    validation: tf.data.Dataset,
    epochs: int,
    learning_rate: float,
    clip_norm: float = 1.0,
) -> float:
    """Train a classifier that gives logits, and leave it with the weights of its best epoch.

    Adam (Kingma and Ba, 2015) on the cross-entropy. The learning rate rises over the first twentieth
    of the steps and then falls along a cosine to zero (Loshchilov and Hutter, 2017).

    Args:
        model: gives scores [batch, classes].
        training: batches of inputs and labels, of known number.
        validation: likewise; the best epoch is the one of the highest accuracy here.
        epochs: how often all of `training` is seen.
        learning_rate: the highest.
        clip_norm: bound on the norm of all gradients together (Pascanu et al., 2013).

    Returns:
        The best accuracy on `validation`.
    """
    steps = epochs * int(training.cardinality())
    warmup = steps // 20
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=learning_rate, warmup_steps=warmup
    )
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=clip_norm),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # each new length would be compiled anew
    )
    best = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=epochs, restore_best_weights=True
    )
    history = model.fit(
        training,
        validation_data=validation,
        epochs=epochs,
        callbacks=[best],
        shuffle=False,  # `training` shuffles
        verbose=1 if sys.stdout.isatty() else 2,
    )
    return max(history.history["val_accuracy"])
