"""Batches of sequences of like length, and the loop that keeps the best weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo

RNG = np.random.default_rng(5)
LENGTHS = RNG.integers(1, 200, 300)


def examples() -> tf.data.Dataset:
    """Sequence k has LENGTHS[k] ids, each k + 1, and the label k."""
    ids = tf.ragged.constant([[k + 1] * length for k, length in enumerate(LENGTHS)], tf.int32)
    return tf.data.Dataset.from_tensor_slices((ids, tf.range(len(LENGTHS), dtype=tf.int64))).map(
        lambda ids, label: (tf.convert_to_tensor(ids), label)
    )


def order(dataset: tf.data.Dataset) -> list[int]:
    return [int(label) for _, labels in dataset for label in labels]


def test_every_example_comes_once_an_epoch_and_whole() -> None:
    seen = []
    for ids, labels in zoo.batches(examples(), 16, 200, shuffle_seed=1):
        for row, label in zip(ids.numpy(), labels.numpy(), strict=True):
            assert row.tolist() == [label + 1] * LENGTHS[label] + [0] * (len(row) - LENGTHS[label])
            seen.append(label)
    assert sorted(seen) == list(range(300))


def test_little_of_a_batch_is_padding() -> None:
    dataset = zoo.batches(examples(), 16, 200, shuffle_seed=1)
    padded = sum(int(tf.reduce_sum(tf.cast(ids == 0, tf.int64))) for ids, _ in dataset)
    assert padded / (padded + LENGTHS.sum()) < 0.05
    assert max(ids.shape[0] for ids, _ in dataset) == 16


def test_number_of_batches_is_known() -> None:
    dataset = zoo.batches(examples(), 16, 200, shuffle_seed=1)
    assert int(dataset.cardinality()) == len(list(dataset))


def test_order_differs_from_epoch_to_epoch_and_is_the_same_in_another_run() -> None:
    first, second = (zoo.batches(examples(), 16, 200, shuffle_seed=1) for _ in range(2))
    epochs = [order(first), order(first)]
    assert epochs[0] != epochs[1]
    assert epochs == [order(second), order(second)]
    assert order(zoo.batches(examples(), 16, 200, shuffle_seed=2)) != epochs[0]


def test_without_a_seed_the_order_stays() -> None:
    dataset = zoo.batches(examples(), 16, 200)
    assert order(dataset) == order(dataset)


def sums(flipped: bool = False) -> tf.data.Dataset:
    """The first and the last id together tell the label, or with `flipped` the other one."""
    ids = RNG.integers(1, 5, (200, 7)).astype("int32")
    labels = (ids[:, 0] + ids[:, -1] > 5) != flipped
    return tf.data.Dataset.from_tensor_slices((ids, labels.astype("int64")))


def fitted(validation: tf.data.Dataset) -> tuple[zoo.ManyToOne, float]:
    keras.utils.set_random_seed(1)
    model = zoo.ManyToOne(5, 8, zoo.Encoder(zoo.GRUCell(8), bidirectional=True), 2, "last")
    training = zoo.batches(sums(), 10, 7, shuffle_seed=1)
    best = zoo.fit(model, training, validation, epochs=6, learning_rate=0.05)
    assert int(model.optimizer.iterations) == 6 * 20
    assert float(model.optimizer.learning_rate) < 1e-3
    return model, best


def test_fit_learns() -> None:
    validation = zoo.batches(sums(), 10, 7)
    model, best = fitted(validation)
    assert best > 0.95
    assert model.evaluate(validation, verbose=0)[1] == pytest.approx(best)


def test_fit_ends_with_the_weights_of_the_best_epoch() -> None:
    """The more is learnt, the worse the validation: so the best epoch is an early one."""
    validation = zoo.batches(sums(flipped=True), 10, 7)
    model, best = fitted(validation)
    assert best > 0.05
    assert model.evaluate(validation, verbose=0)[1] == pytest.approx(best)
