"""The fused Adam, compared with that of Keras."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.optimizers import FusedAdam
from zoo.schedules import warmup_cosine_decay

SHAPES = (3,), (4, 5), (), (2, 3, 4)


def train(
    optimizer: keras.optimizers.Optimizer, dtype: str = "float32", jit_compile: bool = False
) -> list[np.ndarray]:
    """Return all variables after five steps with random gradients, one of them sparse."""
    rng = np.random.default_rng(1)
    variables = [keras.Variable(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
    optimizer.build(variables)
    step = tf.function(
        lambda gradients: optimizer.apply(gradients, variables), autograph=False, jit_compile=jit_compile
    )
    for number in range(5):
        gradients: list[Any] = [tf.constant(rng.normal(size=shape), dtype) for shape in SHAPES]
        if number == 3:
            rows = tf.constant(rng.normal(size=(2, 5)), dtype)
            gradients[1] = tf.IndexedSlices(rows, tf.constant([2, 0]), tf.constant([4, 5]))
        step(gradients)
    return [variable.numpy().astype("float64") for variable in (*variables, *optimizer.variables)]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"learning_rate": warmup_cosine_decay(0.1, 40), "beta_1": 0.7, "beta_2": 0.98, "epsilon": 1e-3},
        {"global_clipnorm": 0.5, "weight_decay": 0.01},
        {"use_ema": True, "clipnorm": 1.0},
        {"gradient_accumulation_steps": 2},
        {"amsgrad": True},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_adam_equals_adam_of_keras(arguments: dict[str, Any], dtype: str) -> None:
    arguments = {"learning_rate": 0.1, **arguments}
    actual, expected = (train(kind(**arguments), dtype) for kind in (FusedAdam, keras.optimizers.Adam))
    for one, other in zip(actual, expected, strict=True):
        # The two round 1 - β₂ differently, Keras to float32 even in float64.
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_fused_adam_computes_the_equations_of_adam() -> None:
    rng, w, m, v = np.random.default_rng(2), np.ones(7), np.zeros(7), np.zeros(7)
    variable, optimizer = keras.Variable(w, dtype="float64"), FusedAdam(0.125, beta_1=0.8, beta_2=0.99)
    for t in range(1, 6):
        g = rng.normal(size=7)
        optimizer.apply([tf.constant(g)], [variable])
        m, v = 0.8 * m + 0.2 * g, 0.99 * v + 0.01 * g**2
        w = w - 0.125 * np.sqrt(1 - 0.99**t) / (1 - 0.8**t) * m / (np.sqrt(v) + 1e-7)
    np.testing.assert_allclose(variable, w, rtol=1e-12)


def test_fused_adam_runs_compiled_by_xla() -> None:
    actual = train(FusedAdam(0.1, global_clipnorm=0.5), jit_compile=True)
    for one, other in zip(actual, train(keras.optimizers.Adam(0.1, global_clipnorm=0.5)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_fused_adam_sums_repeated_rows_of_a_sparse_gradient() -> None:
    rows, indices = np.arange(6, dtype="float32").reshape(3, 2) - 2, np.array([2, 0, 2])
    dense = np.zeros((4, 2), "float32")
    np.add.at(dense, indices, rows)
    results = []
    for gradient in (tf.IndexedSlices(rows, indices, tf.constant([4, 2])), tf.constant(dense)):
        variable, optimizer = keras.Variable(np.ones((4, 2), "float32")), FusedAdam(0.1)
        for _ in range(2):
            optimizer.apply([gradient], [variable])
        results.append(variable.numpy())
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_fused_adam_in_half_precision_equals_adam_of_keras(dtype: str) -> None:
    arguments = {"learning_rate": 0.1, "epsilon": 1e-3}  # 1e-7 is zero in float16
    actual, expected = (train(kind(**arguments), dtype) for kind in (FusedAdam, keras.optimizers.Adam))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.05, atol=0.02)


def test_fused_adam_scales_the_loss_of_mixed_precision() -> None:
    variable = keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.LossScaleOptimizer(FusedAdam(0.1), initial_scale=4.0)
    optimizer.build([variable])
    optimizer.apply([tf.constant([np.inf, 1.0])], [variable])  # an overflow is skipped
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    optimizer.apply([tf.constant([4.0, -8.0])], [variable])
    np.testing.assert_allclose(variable, [0.9, 2.1], rtol=1e-5)


def test_one_accumulation_step_is_none() -> None:
    assert FusedAdam(0.1, gradient_accumulation_steps=1).gradient_accumulation_steps is None
    assert FusedAdam(0.1, gradient_accumulation_steps=2).get_config()["gradient_accumulation_steps"] == 2
    with pytest.raises(ValueError, match="must be an integer >= 2"):
        FusedAdam(0.1, gradient_accumulation_steps=-1)


def test_fused_adam_is_restored_by_keras() -> None:
    config = keras.saving.serialize_keras_object(FusedAdam(0.02, beta_2=0.98, global_clipnorm=1.0))
    copy = keras.saving.deserialize_keras_object(config)
    assert isinstance(copy, FusedAdam)
    assert (copy.beta_2, copy.global_clipnorm) == (0.98, 1.0)
