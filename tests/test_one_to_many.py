"""One-to-many: single steps against whole sequences, with attention and without."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.preprocessing.images import build_image_encoder

RNG = np.random.default_rng(5)
MAPS = RNG.normal(size=(3, 2, 4, 6)).astype("float32")
TOKENS = np.array([[2, 5, 4, 7], [2, 6, 0, 0], [2, 4, 9, 0]])


def build_model(attention: zoo.Attention | None = None, **settings: Any) -> zoo.OneToMany:
    keras.utils.set_random_seed(3)
    decoder = zoo.Decoder(11, 5, zoo.GRUCell(7), depth=2, attention=attention)
    model = zoo.OneToMany(decoder, **settings)
    model.build(((None, 2, 4, 6), (None, None)))
    for weight in model.trainable_weights:
        weight.assign(RNG.normal(size=weight.shape) / 2)
    return model


@pytest.mark.parametrize("attention", [None, zoo.AdditiveAttention(4), zoo.MultiplicativeAttention()])
def test_logits_of_steps_equal_those_of_the_whole_sequence(attention: zoo.Attention | None) -> None:
    model = build_model(attention)
    whole = model((MAPS, TOKENS))
    assert whole.shape == (3, 4, 11)
    memory, state = model.prepare_memory(MAPS)
    for step in range(4):
        logits, state = model.decoder.step(tf.constant(TOKENS[:, step]), state, memory)
        np.testing.assert_allclose(logits, whole[:, step], atol=1e-5)


def test_without_attention_logits_depend_on_the_mean_of_the_map_alone() -> None:
    model, shuffled = build_model(), MAPS.reshape(3, 8, 6)[:, RNG.permutation(8)].reshape(MAPS.shape)
    np.testing.assert_allclose(model((MAPS, TOKENS)), model((shuffled, TOKENS)), atol=1e-5)
    attending = build_model(zoo.MultiplicativeAttention())
    assert np.abs(attending((MAPS, TOKENS)) - attending((shuffled, TOKENS))).max() > 1e-3


def test_memory_is_the_map_row_by_row_with_coordinates() -> None:
    memory, _ = build_model(zoo.MultiplicativeAttention()).prepare_memory(MAPS)
    assert memory.values.shape == (3, 8, 8)
    np.testing.assert_allclose(memory.values[..., :6], MAPS.reshape(3, 8, 6))
    for row in range(2):
        for column in range(4):
            coordinates = [-1 + 2 * row, -1 + 2 * column / 3]
            np.testing.assert_allclose(memory.values[1, 4 * row + column, 6:], coordinates, atol=1e-6)
    assert np.all(memory.mask)


def test_doubly_stochastic_regularization_equals_numpy() -> None:
    """Without the steps at padding, in training only, and divided by the number of tokens."""
    model = build_model(zoo.AdditiveAttention(4), doubly_stochastic=0.7)
    model((MAPS, TOKENS))
    assert model.losses == []
    model((MAPS, TOKENS), training=True)
    (loss,) = model.losses
    memory, state = model.prepare_memory(MAPS)
    weights = model.decoder(TOKENS, state, memory)[1].numpy()
    penalties = [
        np.sum((1 - weights[row, :steps].sum(0)) ** 2) / steps for row, steps in enumerate([4, 2, 3])
    ]
    np.testing.assert_allclose(loss, 0.7 * np.mean(penalties), rtol=1e-5)
    plain = build_model(zoo.AdditiveAttention(4), doubly_stochastic=0.0)
    plain((MAPS, TOKENS), training=True)
    assert plain.losses == []


def test_encoder_gets_gradients() -> None:
    decoder = zoo.Decoder(11, 5, zoo.LSTMCell(7), attention=zoo.MultiplicativeAttention())
    model = zoo.OneToMany(decoder, build_image_encoder("small", 16))
    model.build(((None, 16, 16, 3), (None, None)))
    assert model.memory_shape == (2, 2)
    images = RNG.integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model((images, TOKENS), training=True)[..., 0] ** 2) + sum(model.losses)
    weights = [weight.value for weight in model.trainable_weights]
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, weights), strict=True):
        assert np.any(tf.convert_to_tensor(gradient)), weight.path


@pytest.mark.parametrize("has_encoder", [False, True])
def test_keras_file_restores_the_model(tmp_path: Path, has_encoder: bool) -> None:
    encoder = build_image_encoder("small", 16) if has_encoder else None
    decoder = zoo.Decoder(11, 5, zoo.GRUCell(7), depth=2, attention=zoo.AdditiveAttention(4))
    model = zoo.OneToMany(decoder, encoder, dropout=0.2, doubly_stochastic=0.3)
    maps = RNG.uniform(0, 9, (3, 16, 16, 3)).astype("float32") if has_encoder else MAPS
    expected = model((maps, TOKENS))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded((maps, TOKENS)), expected, atol=1e-6)
    assert loaded.get_config()["doubly_stochastic"] == 0.3
    assert loaded.memory_shape == ((2, 2) if has_encoder else (2, 4))


def test_generate_returns_the_attention_of_each_sequence() -> None:
    """The weights equal those under teacher forcing, and are zero after the end of a sequence."""
    model = build_model(zoo.MultiplicativeAttention())
    memory, state = model.prepare_memory(MAPS)
    start_ids = np.array([2, 4, 5])
    tokens, scores, weights, is_complete = model.decoder.generate(
        zoo.decoding.beam_search,
        state,
        memory,
        start_id=start_ids,
        end_id=3,
        max_length=6,
        num_beams=3,
        num_return_sequences=2,
    )
    assert tokens.shape[:2] == scores.shape == is_complete.shape == (3, 2)
    assert weights.shape == (*tokens.shape, 8)
    for row in range(3):
        for n in range(2):
            steps = int(np.count_nonzero(tokens[row, n]))
            inputs = np.concatenate([[start_ids[row]], tokens[row, n].numpy()[:-1]])[None]
            row_memory, row_state = model.prepare_memory(MAPS[row : row + 1])
            expected = model.decoder(inputs, row_state, row_memory)[1][0]
            np.testing.assert_allclose(weights[row, n, :steps], expected[:steps], atol=1e-5)
            assert not np.any(weights[row, n, steps:])
    best = model.decoder.generate(
        *(zoo.decoding.beam_search, state, memory),
        start_id=start_ids,
        end_id=3,
        num_attended=1,
        max_length=6,
        num_beams=3,
        num_return_sequences=2,
    )
    np.testing.assert_allclose(best.attention, weights[:, :1], atol=1e-6)
