"""Metrics of classification by class, and of how well probabilities are calibrated.

Scores are percentages, from 0 to 100. A ratio without a denominator is undefined, and None:

| class | precision | recall | F1 |
| --- | --- | --- | --- |
| has examples, is never predicted | None | 0 | 0 |
| is predicted, has no examples | 0 | None | 0 |
| neither | None | None | None |
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_Z_95 = 1.96
"""Standard deviations of a normal distribution within which 95 % of it lie."""


class ClassScores(NamedTuple):
    """How well one class is found, in percent; None where a ratio has no denominator.

    Example:
        >>> import numpy as np, zoo
        >>> [scores] = zoo.metrics.score_classes(np.array([6]), np.array([8]), np.array([10]))
        >>> scores.precision, scores.recall, scores.examples
        (75.0, 60.0, 10)
    """

    precision: float | None
    """Right ones among the examples that are predicted as this class."""
    recall: float | None
    """Found ones among the examples of this class."""
    f1: float | None
    """The harmonic mean of precision and recall."""
    examples: int
    """Number of examples of this class."""


def confusion_matrix(predictions: np.ndarray, references: np.ndarray, classes: int) -> np.ndarray:
    """Count how often each class is predicted as each class.

    Args:
        predictions: predicted classes, int [n].
        references: true classes, int [n].
        classes: number of classes.

    Returns:
        int [classes, classes]: row i and column j have the number of examples of class i predicted as j.

    Raises:
        ValueError: the arrays differ in shape, or contain other classes.

    Example:
        >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    predictions, references = np.asarray(predictions), np.asarray(references)
    if predictions.shape != references.shape or references.ndim != 1:
        raise ValueError(
            f"Expected predictions and references of one shape [n], got {list(predictions.shape)} and "
            f"{list(references.shape)}."
        )
    for name, values in (("predictions", predictions), ("references", references)):
        if len(values) and not 0 <= values.min() <= values.max() < classes:
            raise ValueError(
                f"Expected {name} from 0 to {classes - 1}, got {values.min()} to {values.max()}."
            )
    pairs = references.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def score_classes(
    true_positives: np.ndarray, predicted: np.ndarray, actual: np.ndarray
) -> tuple[ClassScores, ...]:
    """Compute precision, recall and F1 of each class from counts.

    Of a confusion matrix the counts are its diagonal, the sums of its columns and those of its rows.

    Args:
        true_positives: examples of each class that are predicted as this class, int [classes].
        predicted: examples that are predicted as each class, int [classes].
        actual: examples of each class, int [classes].

    Returns:
        The scores of each class. The head of this module says where they are None.

    Example:
        >>> matrix = confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 3)
        >>> for scores in score_classes(np.diag(matrix), matrix.sum(0), matrix.sum(1)):
        ...     print(*scores)
        100.0 50.0 66.66666666666667 2
        50.0 100.0 66.66666666666667 1
        None None None 0
    """
    return tuple(
        ClassScores(
            precision=_percent_or_none(tp, p),
            recall=_percent_or_none(tp, n),
            f1=_percent_or_none(2 * tp, p + n),
            examples=n,
        )
        for tp, p, n in zip(
            *(np.asarray(a).tolist() for a in (true_positives, predicted, actual)), strict=True
        )
    )


def macro_f1(scores: Iterable[ClassScores]) -> float:
    """Compute the mean F1 of the classes that have one.

    Args:
        scores: of each class, from `score_classes`.

    Returns:
        The mean as a percentage.

    Raises:
        ValueError: no class has an F1.

    Example:
        >>> macro_f1([ClassScores(100.0, 50.0, 66.0, 2), ClassScores(None, None, None, 0)])
        66.0
    """
    values = [score.f1 for score in scores if score.f1 is not None]
    if not values:
        raise ValueError("Expected a class that has examples or is predicted, got none.")
    return float(np.mean(values))


def wilson_interval(num_right: int, num_examples: int) -> tuple[float, float]:
    """Compute the 95 % confidence interval of an accuracy: the fewer examples there are, the wider it is.

        (p + z² / 2n ± z · sqrt(p (1 - p) / n + z² / 4n²)) / (1 + z² / n), where p = num_right / n and z = 1.96

    Wilson (1927, "Probable inference, the law of succession, and statistical inference"). The examples must be
    independent of each other, as the frames of a video are not.

    Args:
        num_right: number of right predictions.
        num_examples: number of predictions, n.

    Returns:
        The bounds, in percent.

    Raises:
        ValueError: there are no examples, or not from 0 to `num_examples` right ones.

    Example:
        >>> low, high = wilson_interval(89, 100)
        >>> round(low, 1), round(high, 1)
        (81.4, 93.7)
    """
    if not 0 <= num_right <= num_examples or not num_examples:
        raise ValueError(
            f"Expected n > 0 examples and from 0 to n right predictions, got {num_right} of {num_examples}."
        )
    p, spread = num_right / num_examples, _Z_95**2 / num_examples
    center = p + spread / 2
    distance = math.sqrt(p * (1 - p) * spread + spread**2 / 4)
    low, high = ((center + sign * distance) / (1 + spread) for sign in (-1, 1))
    return 100 * max(low, 0.0), 100 * min(high, 1.0)


def expected_calibration_error(confidences: np.ndarray, is_right: np.ndarray, bins: int = 15) -> float:
    """Compute the expected calibration error: how far confidences are from accuracies, on average.

        ECE = sum over bins b of |b| / n · |accuracy(b) - mean confidence(b)|

    The bins divide (0, 1] into intervals of equal width; a confidence at a bound is in the lower bin. Empty
    bins do not count.

    Guo et al. (2017, "On calibration of modern neural networks").

    Args:
        confidences: probability of each prediction, float [n].
        is_right: whether each prediction is right, bool [n].
        bins: number of bins.

    Returns:
        Percentage points, from 0 to 100.

    Raises:
        ValueError: the arrays differ in shape or are empty, or a confidence is not in [0, 1].

    Example:
        >>> confidences, is_right = np.array([0.75, 0.75, 0.5, 0.5]), np.array([True, True, True, True])
        >>> expected_calibration_error(confidences, is_right)  # (2 · 0.25 + 2 · 0.5) / 4
        37.5
    """
    confidences, is_right = np.asarray(confidences, np.float64), np.asarray(is_right, bool)
    if confidences.shape != is_right.shape or confidences.ndim != 1 or not len(confidences):
        raise ValueError(
            f"Expected confidences and is_right of one shape [n] with n > 0, got {list(confidences.shape)} "
            f"and {list(is_right.shape)}."
        )
    if not ((confidences >= 0) & (confidences <= 1)).all():  # also where it is NaN
        raise ValueError("Expected confidences from 0 to 1. Apply softmax or sigmoid to logits first.")
    rows = np.maximum(np.ceil(confidences * bins).astype(int) - 1, 0)
    gaps = np.bincount(rows, is_right - confidences, minlength=bins)  # |b| · (accuracy - confidence)
    return 100 * float(np.abs(gaps).sum()) / len(confidences)


def _percent_or_none(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
