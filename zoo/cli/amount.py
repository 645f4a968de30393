"""How much a recipe trains, and what is better with few examples."""

import tensorflow as tf

from zoo.datasets import count_examples
from zoo.tasks import Ancestor
from zoo.training import choose_batches_and_epochs
from zoo.training.amount import AmountSettings

_FEW_EXAMPLES = 1_000
"""Training examples below which a model that is trained already is better to start from than random weights."""


def choose_amount(
    train_set: tf.data.Dataset, settings: AmountSettings, ancestor: Ancestor | None, advice: str
) -> tuple[int, int]:
    """Return batch size and number of epochs; print that few examples need a trained model to start from.

    Args:
        train_set: the training examples.
        settings: `batch_size` and `epochs`, as `choose_batches_and_epochs` takes them.
        ancestor: the model to start from, if there is one.
        advice: name of a trained model of the recipe, and what it is for.
    """
    num_examples = count_examples(train_set)
    amount = choose_batches_and_epochs(num_examples, settings, is_pretrained=ancestor is not None)
    if num_examples < _FEW_EXAMPLES and not ancestor:
        print(
            f"So few examples are better learned from a trained model, such as --init-from {advice}; see "
            "docs/fine-tuning.md."
        )
    return amount
