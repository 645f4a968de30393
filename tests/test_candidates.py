"""Sampled softmax: with all tokens it is the softmax, with some of them an unbiased estimate of its denominator."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.training import bptt_windows, sample_candidates

VOCABULARY, BATCH, STEPS, DRAWS = 40, 3, 4, 400
RNG = np.random.default_rng(8)
IDS = RNG.integers(1, 12, BATCH * STEPS * 5 + 1).astype(np.int32)
WINDOWS = bptt_windows(IDS, BATCH, STEPS)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build(tie_weights: bool, dtype: str = "float32") -> zoo.LanguageModel:
    keras.utils.set_random_seed(4)
    model = zoo.LanguageModel(
        VOCABULARY, 8, zoo.Encoder(zoo.LSTMCell(8), dtype=dtype), tie_weights=tie_weights, dtype=dtype
    )
    model.build((BATCH, None))
    for variable in model.variables:  # the bias, too
        variable.assign(RNG.normal(size=variable.shape))
    return model


def compute(model: zoo.LanguageModel, x: Any, y: Any) -> tuple[float, list[np.ndarray]]:
    """Return loss and gradients of a batch."""
    with tf.GradientTape() as tape:
        loss = LOSS(y, model(x, training=True))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return float(loss), [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


def read(num_sampled: int, seed: int = 1) -> list[tuple[Any, Any]]:
    return list(sample_candidates(WINDOWS, VOCABULARY, num_sampled, seed))


def draw_repeatedly() -> list[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """Return inputs of the first window with other candidates each time."""
    windows = WINDOWS.take(1).repeat(DRAWS)
    return [x for x, _ in sample_candidates(windows, VOCABULARY, 7, seed=1)]


def test_candidates_are_the_targets_and_distinct_others() -> None:
    for (ids, targets), ((x, candidates, log_weights), labels) in zip(WINDOWS, read(7), strict=True):
        np.testing.assert_array_equal(x, ids)
        assert np.ptp(candidates.numpy(), axis=0).max() == 0 == np.ptp(log_weights.numpy(), axis=0).max()
        row, num_targets = candidates[0].numpy(), len(set(targets.numpy().flat))
        np.testing.assert_array_equal(row[labels.numpy()], targets)
        assert len(set(row)) == len(row) == num_targets + 7
        assert set(row[:num_targets]) == set(targets.numpy().flat)
        assert 0 not in row
        assert row.max() < VOCABULARY
        weights = [1.0] * num_targets + [(VOCABULARY - 1 - num_targets) / 7] * 7
        np.testing.assert_allclose(np.exp(log_weights[0]), weights, rtol=1e-5)


@pytest.mark.parametrize("tie_weights", [True, False])
def test_with_all_tokens_loss_and_gradients_are_those_of_the_softmax(tie_weights: bool) -> None:
    model = build(tie_weights)
    bias = model.bias if tie_weights else model.scores.bias
    bias.assign(tf.tensor_scatter_nd_update(bias.value, [[0]], [-1e9]))  # padding is no candidate
    for (ids, targets), (x, labels) in zip(WINDOWS, read(1000), strict=True):
        expected, gradients = compute(model, ids, targets)
        loss, sampled = compute(model, x, labels)
        assert loss == pytest.approx(expected, rel=1e-5)
        for actual, wanted in zip(sampled, gradients, strict=True):
            np.testing.assert_allclose(actual, wanted, atol=1e-5)


def test_the_denominator_is_unbiased() -> None:
    model, (ids, _) = build(True), next(iter(WINDOWS))
    exact = np.exp(model(ids).numpy().astype(np.float64))[..., 1:].sum(-1)
    compute_logits = tf.function(model, reduce_retracing=True)
    draws = [np.exp(compute_logits(x).numpy().astype(np.float64)).sum(-1) for x in draw_repeatedly()]
    assert np.all(np.abs(np.mean(draws, axis=0) - exact) < 5 * np.std(draws, axis=0) / DRAWS**0.5)


def test_every_token_is_drawn_equally_often() -> None:
    counts = np.zeros(VOCABULARY)
    for _, candidates, log_weights in draw_repeatedly():
        counts[candidates[0][log_weights[0] > 0].numpy()] += 1
    others = counts[counts > 0]
    assert len(others) == VOCABULARY - 1 - len(set(next(iter(WINDOWS))[1].numpy().flat))
    share = 7 / len(others)
    assert np.all(np.abs(others - DRAWS * share) < 5 * (DRAWS * share * (1 - share)) ** 0.5)


def test_the_seed_and_the_place_of_a_window_decide() -> None:
    first, again, other = (read(7, seed) for seed in (1, 1, 2))
    for (a, _), (b, _), (c, _) in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a[1], b[1])
        assert set(a[1][0].numpy()) != set(c[1][0].numpy())
    resumed = next(iter(sample_candidates(WINDOWS, VOCABULARY, 7, 1).skip(2)))
    np.testing.assert_array_equal(resumed[0][1], first[2][0][1])


def test_half_precision_is_kept() -> None:
    (x, _) = read(7)[0]
    for tie_weights in (True, False):
        assert build(tie_weights, "mixed_bfloat16")(x).dtype == tf.bfloat16


def test_training_with_samples_learns_what_training_with_all_learns(tmp_path: Path) -> None:
    ids = np.tile(RNG.permutation(np.arange(1, VOCABULARY)), 60).astype(np.int32)  # each id has one successor
    windows = bptt_windows(ids, BATCH, STEPS)
    losses = {}
    for name, train in {"all": windows, "some": sample_candidates(windows, VOCABULARY, 5, 1)}.items():
        keras.utils.set_random_seed(5)
        model = zoo.LanguageModel(VOCABULARY, 16, zoo.Encoder(zoo.GRUCell(16)), tie_weights=True)
        zoo.fit(
            model,
            train,
            windows,
            loss=LOSS,
            optimizer=keras.optimizers.Adam(0.01),
            epochs=3,
            run_dir=tmp_path / name,
        )
        losses[name] = zoo.evaluate(model, windows, LOSS)["loss"]
    assert losses["some"] < 0.3
    assert losses["some"] < 3 * losses["all"]


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="`num_sampled` must be at least 1"):
        sample_candidates(WINDOWS, VOCABULARY, 0, 1)
