"""How much to train on few examples, and how much on many."""

import logging
import math
from typing import Protocol

_BATCH_SIZES = 16, 64
"""Batch size for few examples, and for many."""

MIN_EPOCHS = 4
"""Epochs for many examples, unless a caller asks for more."""

_MAX_EPOCHS = 40
"""Epochs for few examples."""

_MAX_PRETRAINED_EPOCHS = 10
"""Epochs for few examples of a model that is trained already: the best one is among the first of them."""

_NUM_BATCHES = 20
"""Batches of an epoch, below which batches are smaller."""

_NUM_PASSED = 24_000
"""Examples to train on, each counted once for each epoch, below which there are more epochs."""

logger = logging.getLogger(__name__)


class AmountSettings(Protocol):
    """Settings of a recipe that decide how much it trains."""

    @property
    def batch_size(self) -> int | None:
        """Number of examples of a batch; None if it is to be chosen."""

    @property
    def epochs(self) -> int | None:
        """Number of passes over the training data; None if it is to be chosen."""


def choose_batches_and_epochs(
    num_examples: int, settings: AmountSettings, is_pretrained: bool = False, min_epochs: int = MIN_EPOCHS
) -> tuple[int, int]:
    """Choose a batch size and a number of epochs by the number of training examples, and log them.

    4 epochs in batches of 64 suit thousands of examples. Of a few hundred they are a handful of updates, in which a
    network learns nothing. Fewer examples therefore get smaller batches, down to 16, and more epochs, up to 40. A model
    that starts from trained weights gets up to 10.

    Args:
        num_examples: int. Number of training examples.
        settings: `batch_size` and `epochs`, such as the settings of a recipe. Those that are not `None` remain as
            they are.
        is_pretrained: bool. Whether the model starts from the weights of a trained one. Default: `False`.
        min_epochs: int. Epochs for many examples. Translation of real sentences needs 10. Default: 4.

    Returns:
        Batch size and number of epochs.

    Example:
        >>> import zoo
        >>> from types import SimpleNamespace
        >>> settings = SimpleNamespace(batch_size=None, epochs=None)
        >>> zoo.training.choose_batches_and_epochs(320, settings)
        (16, 40)
        >>> zoo.training.choose_batches_and_epochs(320, settings, is_pretrained=True)
        (16, 10)
        >>> zoo.training.choose_batches_and_epochs(10_000, settings)
        (64, 4)
    """
    smallest, largest = _BATCH_SIZES
    batch_size, epochs, chosen = settings.batch_size, settings.epochs, []
    if batch_size is None:
        batch_size = min(max(2 ** round(math.log2(num_examples / _NUM_BATCHES)), smallest), largest)
        chosen.append(f"batches of {batch_size} (--batch-size)")
    if epochs is None:
        epochs = choose_epochs(num_examples, is_pretrained, min_epochs)
        chosen.append(f"{epochs} epochs (--epochs)")
    if chosen:
        logger.info("chosen for %s training examples: %s", f"{num_examples:,}", ", ".join(chosen))
    return batch_size, epochs


def choose_epochs(num_examples: int, is_pretrained: bool = False, min_epochs: int = MIN_EPOCHS) -> int:
    """Return the number of epochs of `choose_batches_and_epochs`, for settings that leave it open.

    >>> choose_epochs(320), choose_epochs(320, is_pretrained=True)
    (40, 10)
    """
    max_epochs = _MAX_PRETRAINED_EPOCHS if is_pretrained else _MAX_EPOCHS
    return min(max(math.ceil(_NUM_PASSED / num_examples), min_epochs), max_epochs)
