"""One-to-many: what it computes, step by step and at once, with attention and without."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.preprocessing.images import build_image_encoder

RNG = np.random.default_rng(5)
MAPS = RNG.normal(size=(3, 2, 4, 6)).astype("float32")
TOKENS = np.array([[2, 5, 4, 7], [2, 6, 0, 0], [2, 4, 9, 0]])


def model(attention: zoo.Attention | None = None, **options: object) -> zoo.OneToMany:
    keras.utils.set_random_seed(3)
    decoder = zoo.Decoder(11, 5, zoo.GRUCell(7), depth=2, attention=attention)
    made = zoo.OneToMany(decoder, **options)
    made.build(((None, 2, 4, 6), (None, None)))
    for weight in made.trainable_weights:
        weight.assign(RNG.normal(size=weight.shape) / 2)
    return made


@pytest.mark.parametrize("attention", [None, zoo.AdditiveAttention(4), zoo.MultiplicativeAttention()])
def test_steps_give_the_logits_of_the_whole(attention: zoo.Attention | None) -> None:
    made = model(attention)
    whole = made((MAPS, TOKENS))
    assert whole.shape == (3, 4, 11)
    memory, state = made.prepare_memory(MAPS)
    for step in range(4):
        logits, state = made.decoder.step(tf.constant(TOKENS[:, step]), state, memory)
        np.testing.assert_allclose(logits, whole[:, step], atol=1e-5)


def test_without_attention_the_mean_of_the_map_is_all_it_knows() -> None:
    made, shuffled = model(), MAPS.reshape(3, 8, 6)[:, RNG.permutation(8)].reshape(MAPS.shape)
    np.testing.assert_allclose(made((MAPS, TOKENS)), made((shuffled, TOKENS)), atol=1e-5)
    seeing = model(zoo.MultiplicativeAttention())
    assert np.abs(seeing((MAPS, TOKENS)) - seeing((shuffled, TOKENS))).max() > 1e-3


def test_memory_is_the_map_row_by_row_with_places() -> None:
    memory, _ = model(zoo.MultiplicativeAttention()).prepare_memory(MAPS)
    assert memory.values.shape == (3, 8, 8)
    np.testing.assert_allclose(memory.values[..., :6], MAPS.reshape(3, 8, 6))
    for row in range(2):
        for column in range(4):
            place = [-1 + 2 * row, -1 + 2 * column / 3]
            np.testing.assert_allclose(memory.values[1, 4 * row + column, 6:], place, atol=1e-6)
    assert np.all(memory.mask)


def test_regularisation_is_that_of_the_paper() -> None:
    """Of the weights that the steps have, without those of padding; nothing in inference."""
    made = model(zoo.AdditiveAttention(4), doubly_stochastic=0.7)
    made((MAPS, TOKENS))
    assert made.losses == []
    made((MAPS, TOKENS), training=True)
    (loss,) = made.losses
    memory, state = made.prepare_memory(MAPS)
    weights = made.decoder(TOKENS, state, memory)[1].numpy()
    each = [np.sum((1 - weights[row, :steps].sum(0)) ** 2) / steps for row, steps in enumerate([4, 2, 3])]
    np.testing.assert_allclose(loss, 0.7 * np.mean(each), rtol=1e-5)
    plain = model(zoo.AdditiveAttention(4), doubly_stochastic=0.0)
    plain((MAPS, TOKENS), training=True)
    assert plain.losses == []


def test_an_encoder_is_trained_with_the_decoder() -> None:
    decoder = zoo.Decoder(11, 5, zoo.LSTMCell(7), attention=zoo.MultiplicativeAttention())
    made = zoo.OneToMany(decoder, build_image_encoder("small", 16))
    made.build(((None, 16, 16, 3), (None, None)))
    assert made.memory_shape == (2, 2)
    images = RNG.integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(made((images, TOKENS), training=True)[..., 0] ** 2) + sum(made.losses)
    weights = [weight.value for weight in made.trainable_weights]
    for weight, gradient in zip(made.trainable_weights, tape.gradient(loss, weights), strict=True):
        assert np.any(tf.convert_to_tensor(gradient)), weight.path


@pytest.mark.parametrize("trained", [False, True])
def test_a_file_holds_all_of_it(tmp_path: Path, trained: bool) -> None:
    encoder = build_image_encoder("small", 16) if trained else None
    decoder = zoo.Decoder(11, 5, zoo.GRUCell(7), depth=2, attention=zoo.AdditiveAttention(4))
    made = zoo.OneToMany(decoder, encoder, dropout=0.2, doubly_stochastic=0.3)
    maps = RNG.uniform(0, 9, (3, 16, 16, 3)).astype("float32") if trained else MAPS
    expected = made((maps, TOKENS))
    made.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded((maps, TOKENS)), expected, atol=1e-6)
    assert loaded.get_config()["doubly_stochastic"] == 0.3
    assert loaded.memory_shape == ((2, 2) if trained else (2, 4))


def test_search_looks_where_the_weights_say() -> None:
    """Tokens, scores and weights of `emit` are those of the search, and of the whole sequence at once."""
    made = model(zoo.MultiplicativeAttention())
    memory, state = made.prepare_memory(MAPS)
    tokens, scores, weights = made.decoder.generate(
        zoo.decoding.beam_search,
        state,
        memory,
        start_id=2,
        end_id=3,
        max_length=6,
        num_beams=3,
        num_return_sequences=2,
    )
    assert tokens.shape[:2] == scores.shape == (3, 2)
    assert weights.shape == (*tokens.shape, 8)
    for row in range(3):
        for n in range(2):
            steps = int(np.count_nonzero(tokens[row, n]))
            before = np.concatenate([[2], tokens[row, n].numpy()[:-1]])[None]
            one, start = made.prepare_memory(MAPS[row : row + 1])
            expected = made.decoder(before, start, one)[1][0]
            np.testing.assert_allclose(weights[row, n, :steps], expected[:steps], atol=1e-5)
            assert not np.any(weights[row, n, steps:])
