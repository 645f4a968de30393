"""How much the recipes train by default: more often on few examples, and as before on the embedded sets."""

import logging
from types import SimpleNamespace

import pytest
import tensorflow as tf

from zoo.datasets import count_examples
from zoo.datasets.builders import dates, negation, notices
from zoo.training import choose_batches_and_epochs


def choose(num_examples: int, batch_size: int | None = None, epochs: int | None = None) -> tuple[int, int]:
    return choose_batches_and_epochs(num_examples, SimpleNamespace(batch_size=batch_size, epochs=epochs))


def test_few_examples_get_small_batches_and_many_epochs() -> None:
    sizes = [1, 20, 320, 640, 1_600, 3_200, 6_000, 1_000_000]
    chosen = [choose(size) for size in sizes]
    assert chosen == [(16, 40), (16, 40), (16, 40), (32, 38), (64, 15), (64, 8), (64, 4), (64, 4)]
    for size, (batch_size, epochs) in zip(sizes, chosen, strict=True):
        if size >= 320:
            assert epochs * (size // batch_size) >= 200, size


@pytest.mark.parametrize("size", [2 * negation.PAIRS["train"], dates.SIZES["train"], notices.SIZES["train"]])
def test_embedded_sets_are_large(size: int) -> None:
    assert choose(size) == (64, 4)


def test_settings_of_the_user_remain(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zoo")
    assert choose(320, batch_size=8, epochs=3) == (8, 3)
    assert not caplog.messages
    assert choose(320, epochs=3) == (16, 3)
    assert choose(320, batch_size=8) == (8, 40)
    assert choose(1_320) == (64, 19)
    assert caplog.messages == [
        "chosen for 320 training examples: batches of 16 (--batch-size)",
        "chosen for 320 training examples: 40 epochs (--epochs)",
        "chosen for 1,320 training examples: batches of 64 (--batch-size), 19 epochs (--epochs)",
    ]


def test_examples_are_counted_where_tensorflow_does_not_know_the_number() -> None:
    examples = tf.data.Dataset.from_tensor_slices((["a", "b", "c"], [0, 1, 0]))
    assert count_examples(examples) == 3
    assert count_examples(examples.filter(lambda text, label: label == 0)) == 2
