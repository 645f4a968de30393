"""Temperature scaling, after which a probability of 0.9 is right nine times of ten.

    probabilities = softmax(logits / T), or sigmoid(logits / T) for several labels at once

T > 1 makes a model less confident, T < 1 more confident. The most probable class stays the same. Guo et al.
(2017, "On calibration of modern neural networks").
"""

from typing import NamedTuple

import keras
import numpy as np

_LOWEST, _HIGHEST = 0.05, 20.0
_ITERATIONS = 40


class Calibration(NamedTuple):
    """The calibration of a model, chosen on validation examples and measured on test examples.

    Example:
        >>> import numpy as np, zoo
        >>> split = np.array([[4.0, 0.0]] * 10), np.array([0] * 8 + [1] * 2)  # sure of class 0, and right in 80 %
        >>> summary = zoo.reports.SplitSummary(np.array([0.5, 0.5]), overlap=0.0)
        >>> report = zoo.reports.ClassificationReport.from_logits(("no", "yes"), split, split, summary)
        >>> [round(value, 1) for value in report.calibration]
        [3.6, 18.2, 5.0]
    """

    temperature: float
    """By which the logits were divided; 1 where that would not have helped."""
    ece_before: float
    """Expected calibration error of the test examples without scaling, in percentage points."""
    ece: float
    """The same with the temperature."""


def find_temperature(logits: np.ndarray, references: np.ndarray) -> float:
    """Find the temperature with the lowest cross-entropy.

    The targets are smoothed by one example of each class, as in Platt (1999, "Probabilistic outputs for support
    vector machines"). So the temperature is not 0 if all examples are right.

    Args:
        logits: float [n, classes].
        references: true classes, int [n]; or bool [n, classes] if an example has any number of labels.

    Returns:
        A number from 0.05 to 20.

    Raises:
        ValueError: there are no examples, or a logit is not finite.

    >>> logits = np.array([[4.0, 0.0]] * 10)
    >>> temperature = find_temperature(logits, np.array([0] * 8 + [1] * 2))  # 80 % are right
    >>> round(float(compute_probabilities(logits / temperature)[0, 0]), 2)
    0.75
    """
    logits = np.asarray(logits, np.float64)
    if not logits.size or not np.isfinite(logits).all():
        raise ValueError(f"Expected finite logits of at least one example, got {logits.shape} {logits}.")
    n, classes = logits.shape
    if references.dtype == bool:
        positive, negative = (np.sum(references == value) for value in (True, False))
        targets = np.where(references, (positive + 1) / (positive + 2), 1 / (negative + 2))
    else:
        targets = np.full(logits.shape, 1 / (n + classes))
        targets[np.arange(n), references] += n / (n + classes)

    def is_too_sharp(temperature: float) -> bool:
        """Return whether a higher temperature has a lower cross-entropy, which is convex in 1 / T."""
        probabilities = compute_probabilities(logits / temperature, references.dtype == bool)
        return bool(np.sum((probabilities - targets) * logits) > 0)

    low, high = _LOWEST, _HIGHEST
    for _ in range(_ITERATIONS):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if is_too_sharp(middle) else (low, middle)
    return float(high)


def compute_probabilities(logits: np.ndarray, multi_label: bool = False) -> np.ndarray:
    """Return softmax, or with `multi_label` sigmoid, of logits [n, classes] in float64."""
    logits = np.asarray(logits, np.float64)
    if multi_label:
        return 0.5 * (1 + np.tanh(0.5 * logits))
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def fold_temperature(layer: keras.layers.Dense, temperature: float) -> None:
    """Divide the logits that a layer computes by a temperature, by its kernel and bias.

    So the model, its export and its streams stay equal, and no further operation is needed.

    Args:
        layer: the last layer of a model, without an activation.
        temperature: a number above 0.

    Raises:
        ValueError: the layer has an activation.

    >>> layer = keras.layers.Dense(2)
    >>> before = layer(np.ones((1, 3)))
    >>> fold_temperature(layer, 4.0)
    >>> bool(np.allclose(layer(np.ones((1, 3))), before / 4))
    True
    """
    if layer.activation is not keras.activations.linear:
        raise ValueError(f"Expected a layer of logits, got one with the activation {layer.activation!r}.")
    for weight in layer.weights:
        weight.assign(weight / temperature)
