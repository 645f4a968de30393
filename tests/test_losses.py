"""The loss with smoothed labels: values and derivatives, compared with Keras on one-hot labels."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.losses import LabelSmoothedCrossentropy, PolicyGradientLoss

COMPILERS: dict[str, Callable[..., Any]] = {
    "eager": lambda function: function,
    "graph": lambda function: tf.function(function, autograph=False),
    "jit": lambda function: tf.function(function, autograph=False, jit_compile=True),
}


def compute_reference(labels: tf.Tensor, logits: tf.Tensor, smoothing: float) -> tf.Tensor:
    """Loss of each element by Keras, on one-hot labels."""
    one_hot = tf.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return keras.losses.categorical_crossentropy(one_hot, logits, from_logits=True, label_smoothing=smoothing)


def differentiate(loss: Callable[..., Any]) -> Callable[..., list[tf.Tensor]]:
    """Return a function to the losses and their first, second and third derivatives in random directions."""

    def compute(
        labels: tf.Tensor, logits: tf.Tensor, weights: tf.Tensor, direction: tf.Tensor
    ) -> list[tf.Tensor]:
        sources = [logits, weights]
        with tf.GradientTape() as third:
            third.watch(sources)
            with tf.GradientTape() as second:
                second.watch(sources)
                with tf.GradientTape() as first:
                    first.watch(sources)
                    losses = loss(labels, logits)
                    total = tf.reduce_sum(weights * losses)
                gradients = first.gradient(total, sources)
                product = tf.reduce_sum(gradients[0] * direction)
            curvatures = second.gradient(product, sources)
            norm = tf.reduce_sum(curvatures[0] ** 2)
        return [losses, *gradients, *curvatures, *third.gradient(norm, sources)]

    return compute


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("seed", range(4))
def test_derivatives_of_any_order_equal_those_of_one_hot_labels(compiler: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape, classes = rng.integers(1, 6, seed % 4), int(rng.integers(3, 9))  # of rank 0 to 3
    smoothing = 0.0 if seed == 1 else float(rng.uniform(0, 0.9))
    labels = rng.integers(0, classes, shape)
    logits, direction = rng.normal(size=(2, *shape, classes)) * 3
    weights = rng.uniform(size=shape) * (rng.uniform(size=shape) < 0.7)  # some are 0, as for padding
    loss = LabelSmoothedCrossentropy(smoothing, reduction=None, dtype="float64")
    arguments = [tf.constant(value) for value in (labels, logits, weights, direction)]
    actual = COMPILERS[compiler](differentiate(loss))(*arguments)
    expected = differentiate(lambda labels, logits: compute_reference(labels, logits, smoothing))(*arguments)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_logits_in_half_precision_are_computed_in_float32(dtype: str) -> None:
    rng = np.random.default_rng(5)
    labels = tf.constant(rng.integers(0, 3000, (4, 5)))  # ids that half precision would round
    logits = tf.cast(rng.normal(size=(4, 5, 3000)) * 4, dtype)

    def compute(logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = LabelSmoothedCrossentropy(0.2, reduction=None)(labels, logits)
        return losses, tape.gradient(losses, logits)

    losses, gradient = compute(logits)
    expected_losses, expected_gradient = compute(tf.cast(logits, "float32"))
    assert gradient.dtype == dtype
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6)
    np.testing.assert_array_equal(gradient, tf.cast(expected_gradient, dtype))


def test_improbable_labels_have_finite_losses() -> None:
    logits = np.array([[1e4, -1e4, 0], [0, -200, 0]], "float32")
    losses = LabelSmoothedCrossentropy(0.1, reduction=None)(np.array([1, 1]), logits)
    expected = compute_reference(tf.constant([1, 1]), tf.constant(logits), 0.1)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_classes_that_are_ruled_out(compiler: str) -> None:
    labels, logits = np.array([0]), tf.constant([[1.0, 2.0, -np.inf]])
    expected = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    for loss, targets in (
        (LabelSmoothedCrossentropy(0.0), labels),
        (PolicyGradientLoss(), np.array([[0.0, 1.0]])),
    ):

        def compute(loss: Callable[..., Any] = loss, targets: Any = targets) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(logits)
                value = loss(targets, logits)
            return value, tape.gradient(value, logits)

        value, gradient = COMPILERS[compiler](compute)()
        np.testing.assert_allclose(value, expected[0], rtol=1e-6)
        np.testing.assert_allclose(gradient, tf.nn.softmax(logits) - [[1.0, 0.0, 0.0]], atol=1e-6)


def test_labels_that_do_not_fit_the_logits_are_refused() -> None:
    loss, logits = LabelSmoothedCrossentropy(), np.zeros((2, 3), "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="does not index into"):
        loss(np.array([0, 3]), logits)
    with pytest.raises(tf.errors.InvalidArgumentError, match="without their last axis"):
        loss(np.array([[0], [1]]), logits)
    # XLA clamps indices.
    jitted = tf.function(lambda: loss(np.array([0, 3]), logits), autograph=False, jit_compile=True)
    assert np.isnan(jitted())


def test_half_precision_as_dtype_of_the_loss_is_refused() -> None:
    with pytest.raises(ValueError, match='Pass `dtype="float32"`'):
        LabelSmoothedCrossentropy(dtype="bfloat16")
