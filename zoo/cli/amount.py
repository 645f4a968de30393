"""How much a recipe trains, and what is better with few examples."""

import dataclasses
from typing import Any, NamedTuple, TypeVar

import tensorflow as tf

from zoo.datasets import count_examples
from zoo.tasks import Ancestor
from zoo.training import choose_batches_and_epochs
from zoo.training.amount import MIN_EPOCHS, choose_epochs

Settings = TypeVar("Settings")

_FEW_EXAMPLES = 1_000
"""Training examples below which a model that is trained already is better to start from than random weights."""


class Amount(NamedTuple):
    """How much a recipe trains.

    Attributes:
        batch_size: number of examples of a batch.
        epochs: number of passes over the training data.
        baseline_epochs: the same of the baseline, which starts from random weights even if the model does not.
    """

    batch_size: int
    epochs: int
    baseline_epochs: int


def choose_amount(
    train_set: tf.data.Dataset,
    settings: Settings,
    ancestor: Ancestor | None,
    advice: str,
    min_epochs: int = MIN_EPOCHS,
    has_baseline: bool = True,
) -> tuple[Settings, Amount]:
    """Choose batch size and number of epochs; print that few examples need a trained model to start from.

    Args:
        train_set: the training examples.
        settings: settings of the recipe, a dataclass with `batch_size` and `epochs`, as `choose_batches_and_epochs`
            takes them.
        ancestor: the model to start from, if there is one.
        advice: name of a trained model of the recipe, and what it is for.
        min_epochs: number of epochs for many examples.
        has_baseline: whether the recipe trains a baseline, too.

    Returns:
        The settings with both of them, and how much to train.
    """
    values: Any = settings
    num_examples = count_examples(train_set)
    batch_size, epochs = choose_batches_and_epochs(num_examples, values, ancestor is not None, min_epochs)
    baseline_epochs = values.epochs or choose_epochs(num_examples, min_epochs=min_epochs)
    if has_baseline and baseline_epochs != epochs:
        print(f"The baseline starts from random weights, and gets {baseline_epochs} epochs.")
    if num_examples < _FEW_EXAMPLES and not ancestor:
        print(
            f"So few examples are better learned from a trained model, such as --init-from {advice}; see "
            "docs/fine-tuning.md."
        )
    chosen = dataclasses.replace(values, batch_size=batch_size, epochs=epochs)
    return chosen, Amount(batch_size, epochs, baseline_epochs)
