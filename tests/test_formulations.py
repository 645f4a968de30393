"""Encoder and many-to-one."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo

RNG = np.random.default_rng(7)


def vectors(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def ragged_ids(lengths: list[int], width: int) -> np.ndarray:
    ids = RNG.integers(1, 20, (len(lengths), width)).astype("int32")
    return np.where(np.arange(width) < np.array(lengths)[:, None], ids, 0)


def model(**settings: object) -> zoo.ManyToOne:
    encoder = zoo.Encoder(zoo.LSTMCell(5, bias_initializer="normal"), depth=2, bidirectional=True)
    built = zoo.ManyToOne(
        **{"vocabulary_size": 20, "embedding_dim": 4, "encoder": encoder, "classes": 3, **settings}
    )
    built.build((None, None))
    return built


@pytest.mark.parametrize("bidirectional", [False, True])
def test_encoder_equals_keras_layers_one_after_the_other(bidirectional: bool) -> None:
    encoder = zoo.Encoder(zoo.GRUCell(5), depth=3, bidirectional=bidirectional)
    x, mask = vectors(4, 7, 3), np.arange(7) < np.array([[7], [3], [0], [5]])
    got, states = encoder(x, mask=mask)
    weights = iter(encoder.get_weights())
    for state in states:
        layer = keras.layers.GRU(5, return_sequences=True, return_state=True, zero_output_for_mask=True)
        if bidirectional:
            layer = keras.layers.Bidirectional(layer)
        layer.build(x.shape)
        layer.set_weights([next(weights) for _ in layer.weights])
        x, *expected = layer(x, mask=mask)
        for one, other in zip(state, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(got, x, atol=1e-6)
    assert next(weights, None) is None


def test_layers_of_an_encoder_share_settings_but_neither_weights_nor_masks() -> None:
    cell = zoo.LSTMCell(4, activation="relu", dropout=0.5, seed=3)
    encoder = zoo.Encoder(cell, depth=2, bidirectional=True)
    encoder.build((None, None, 8))
    cells = [layer.cell for index in range(2) for layer in encoder.get_directions(index)]
    masks = [np.array(cell.draw_dropout_mask(np.ones((5, 8), "float32"))) for cell in cells]
    for one, other in itertools.combinations(range(4), 2):
        assert cells[one].activation is cells[other].activation is keras.activations.relu
        assert not np.array_equal(cells[one].kernel, cells[other].kernel)
        assert not np.array_equal(masks[one], masks[other])


@pytest.mark.parametrize("pooling", ["max", "mean", "last"])
def test_padding_and_neighbours_change_nothing(pooling: str) -> None:
    lengths = [6, 1, 0, 4]
    ids = ragged_ids(lengths, 9)
    many_to_one = model(pooling=pooling)
    scores = np.array(many_to_one(ids))
    for row, length in enumerate(lengths):
        alone = many_to_one(ids[row : row + 1, : max(length, 1)])
        np.testing.assert_allclose(scores[row : row + 1], alone, atol=1e-6)


@pytest.mark.parametrize("pooling", ["max", "mean", "last"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_pooling_over_the_words_of_each_row(pooling: str, bidirectional: bool) -> None:
    lengths = [6, 1, 4]
    ids = ragged_ids(lengths, 9)
    encoder = zoo.Encoder(zoo.GRUCell(5, bias_initializer="normal"), bidirectional=bidirectional)
    many_to_one = model(encoder=encoder, pooling=pooling)
    outputs = np.array(encoder(many_to_one.embedding(ids), mask=ids != 0)[0])
    kernel, bias = many_to_one.scores.get_weights()
    for row, length in enumerate(lengths):
        valid = outputs[row, :length]
        last = np.concatenate([valid[-1, :5], valid[0, 5:]])
        pooled = {"max": valid.max(0), "mean": valid.mean(0), "last": last}[pooling]
        np.testing.assert_allclose(many_to_one(ids)[row], pooled @ kernel + bias, atol=1e-5)


def test_scores_of_a_row_of_padding_are_the_bias() -> None:
    many_to_one = model()
    many_to_one.scores.bias.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(many_to_one(np.zeros((2, 3), "int32")), [[1, 2, 3]] * 2)


def test_without_an_encoder_order_does_not_count() -> None:
    bag = model(encoder=None, pooling="mean")
    ids = ragged_ids([8, 5], 8)
    shuffled = ids.copy()
    shuffled[0] = ids[0][RNG.permutation(8)]
    np.testing.assert_allclose(bag(ids), bag(shuffled), atol=1e-6)
    assert np.abs(model()(ids)[0] - model()(shuffled)[0]).max() > 1e-4


def test_first_loss_is_that_of_a_guess_and_one_step_moves_every_weight() -> None:
    many_to_one = model(dropout=0.1)
    many_to_one.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ids, labels = ragged_ids(list(range(1, 17)), 16), RNG.integers(0, 3, 16)
    before = many_to_one.get_weights()
    with zoo.disable_jit():
        loss = many_to_one.train_on_batch(ids, labels)
    assert abs(loss - np.log(3)) < 0.3
    for variable, old in zip(many_to_one.trainable_variables, before, strict=True):
        assert np.abs(variable - old).max() > 0, variable.path


def test_keras_file_round_trip(tmp_path: Path) -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(5), depth=4, bidirectional=True)
    many_to_one, ids = model(encoder=encoder, pooling="last"), ragged_ids([5, 2, 7], 7)
    many_to_one.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(many_to_one(ids), again(ids))


def test_the_last_output_is_that_of_the_layer_where_the_cell_reads_it_out() -> None:
    encoder = zoo.Encoder(zoo.cells.ProjectedLSTMCell(6, 4, bias_initializer="normal"))
    many_to_one, ids = model(encoder=encoder, pooling="last"), ragged_ids([5, 2, 7], 7)
    outputs = encoder(many_to_one.embedding(ids), mask=ids != 0)[0]
    pooled = np.asarray(outputs)[np.arange(3), [4, 1, 6]]
    np.testing.assert_allclose(many_to_one(ids), many_to_one.scores(pooled), atol=1e-6)


@pytest.mark.parametrize("wrong", [{"pooling": "sum"}, {"encoder": None, "pooling": "last"}])
def test_mistakes_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(reversed(wrong))):
        model(**wrong)


def test_word_dropout_drops_whole_words_in_training_alone() -> None:
    """Of one vector for all words, scaled, the mean over time tells how many were dropped."""
    bag = model(encoder=None, pooling="mean", classes=1, word_dropout=0.5)
    bag.embedding.set_weights([np.ones((20, 4))])
    bag.scores.set_weights([np.full((4, 1), 0.25), np.zeros(1)])
    ids = ragged_ids([1000, 1000], 1000)
    np.testing.assert_allclose(bag(ids), 1, atol=1e-5)
    first, second = np.array(bag(ids, training=True))[:, 0]
    assert first != second
    for kept in (first, second):
        assert abs(kept * 500 - round(kept * 500)) < 1e-3  # each word counts twice or not at all
        assert 0.8 < kept < 1.2


def test_stateful_encoder_goes_on_where_the_call_before_ended() -> None:
    x = RNG.normal(size=(2, 7, 3)).astype("float32")
    encoder = zoo.Encoder(zoo.GRUCell(4), depth=2, stateful=True)
    encoder.build((2, None, 3))
    whole, _ = encoder(x)
    for layer in encoder.stack:
        layer.reset_state()
    parts = [encoder(x[:, :3])[0], encoder(x[:, 3:])[0]]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-6)
    assert zoo.Encoder.from_config(encoder.get_config()).stateful


def test_what_reads_backwards_is_not_stateful() -> None:
    with pytest.raises(ValueError, match="`stateful` goes on from the past"):
        zoo.Encoder(zoo.GRUCell(4), bidirectional=True, stateful=True)
