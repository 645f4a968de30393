"""Which epoch of a training is the best, whose weights are kept."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple


class BestEpoch(NamedTuple):
    """The epoch whose weights a trained model has.

    Attributes:
        number: its number, from 1.
        num_epochs: number of epochs that were trained.
        metrics: its metrics by name, as in the history.
    """

    number: int
    num_epochs: int
    metrics: dict[str, float]


def get_best_epoch(position: Mapping[str, Any]) -> BestEpoch:
    """Return the best epoch of a training.

    Args:
        position: the position in a checkpoint: `history`, the metrics of each epoch, and the index `best_epoch`.
    """
    history, index = position["history"], position["best_epoch"]
    return BestEpoch(index + 1, len(history), history[index])


def find_best_epoch(history: Sequence[Mapping[str, float]], monitor: str, mode: Literal["min", "max"]) -> int:
    """Return the index of the best epoch.

    Epochs are compared by the metric `monitor`. Of epochs that are equal in it, the one with the lowest
    "val_loss" is the best, or "loss" without validation; of those that are equal in both, the last. NaN is worse
    than any number, also than an infinite one.

    Args:
        history: metrics of each epoch by name, of at least one epoch.
        monitor: name of the metric that is compared first.
        mode: whether a lower ("min") or a higher ("max") `monitor` is better.

    Example:
        >>> history = [
        ...     {"val_accuracy": 0.5, "val_loss": 0.9},
        ...     {"val_accuracy": 0.5, "val_loss": 0.7},
        ...     {"val_accuracy": 0.4, "val_loss": 0.6},
        ... ]
        >>> find_best_epoch(history, "val_accuracy", "max")
        1
    """
    keys = _make_keys(history, monitor, mode)
    return max(range(len(keys)), key=lambda index: (keys[index], index))


def find_last_improvement(
    history: Sequence[Mapping[str, float]], monitor: str, mode: Literal["min", "max"]
) -> int:
    """Return the index of the last epoch that is better than all before it, by the metrics of `find_best_epoch`.

    It differs from the best epoch where later ones are equal in both metrics: they are kept, but they are no
    reason to go on.

    Args:
        history: as in `find_best_epoch`.
        monitor: as in `find_best_epoch`.
        mode: as in `find_best_epoch`.

    Example:
        >>> history = [{"loss": 0.9}, {"loss": 0.7}, {"loss": 0.7}]
        >>> find_last_improvement(history, "loss", "min"), find_best_epoch(history, "loss", "min")
        (1, 2)
    """
    keys = _make_keys(history, monitor, mode)
    return keys.index(max(keys))


def _make_keys(
    history: Sequence[Mapping[str, float]], monitor: str, mode: Literal["min", "max"]
) -> list[tuple[tuple[bool, float], tuple[bool, float]]]:
    """Return for each epoch the two keys by which it is compared, higher is better."""

    def make_key(value: float) -> tuple[bool, float]:
        return (False, 0.0) if math.isnan(value) else (True, value)

    sign = 1 if mode == "max" else -1
    loss = "val_loss" if "val_loss" in history[0] else "loss"
    return [(make_key(sign * epoch[monitor]), make_key(-epoch[loss])) for epoch in history]
