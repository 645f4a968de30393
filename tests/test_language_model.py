"""The language model: against NumPy, and text in pieces against whole text."""

from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from references import assert_close, random_normal, randomize_weights

import zoo

LENGTHS = np.array([9, 4, 0, 7])
IDS = np.where(np.arange(9) < LENGTHS[:, None], np.random.default_rng(1).integers(1, 13, (4, 9)), 0)
FULL = np.random.default_rng(2).integers(1, 13, (4, 9))
CELLS = {
    "lstm": (zoo.LSTMCell(6), references.lstm),
    "gru": (zoo.GRUCell(6), references.gru),
    "projected_lstm": (zoo.cells.ProjectedLSTMCell(8, 6), references.projected_lstm),
}


def build_model(
    cell: str = "lstm", tie_weights: bool = False, stateful: bool = False, **settings: Any
) -> zoo.LanguageModel:
    encoder = zoo.Encoder(CELLS[cell][0], depth=2, stateful=stateful)
    model = zoo.LanguageModel(13, 6, encoder, tie_weights=tie_weights, **settings)
    model.build((4 if stateful else None, None))
    randomize_weights(model)
    return model


@pytest.mark.parametrize("tie_weights", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_language_model_equals_numpy(cell: str, tie_weights: bool) -> None:
    """The equations of the docstring, one row and one token at a time."""
    model = build_model(cell, tie_weights)
    logits, states = model.read(IDS)
    assert_close(model(IDS), logits, 1e-6)
    embeddings = np.array(model.embedding.embeddings)
    zeros = [state[:1].numpy() for state in model.get_initial_state(1)[0]]
    for row, length in enumerate(LENGTHS):
        expected_states = [[state[0] for state in zeros] for _ in range(2)]
        for t in range(length):
            h = 6**0.5 * embeddings[IDS[row, t]]
            for index, layer in enumerate(model.encoder.stack):
                h, expected_states[index], _ = CELLS[cell][1](
                    layer.cell.get_weights(), h, expected_states[index]
                )
            v, b = (embeddings.T, model.bias) if tie_weights else model.scores.get_weights()
            assert_close(logits[row, t], h @ v + np.array(b), 1e-5)
        assert_close([[s[row] for s in layer] for layer in states], expected_states, 1e-5)


@pytest.mark.parametrize("sizes", [[9], [1] * 9, [2, 4, 3]], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_text_in_pieces_equals_whole_text(cell: str, sizes: list[int]) -> None:
    model, states, pieces, start = build_model(cell), None, [], 0
    whole, final = model.read(IDS)
    for size in sizes:
        logits, states = model.read(IDS[:, start : start + size], states)
        pieces.append(logits)
        start += size
    assert_close(np.concatenate(pieces, 1), whole, 1e-5)
    assert_close(states, final, 1e-5)


def test_steps_equal_whole_text_in_a_graph() -> None:
    model = build_model()
    step = tf.function(model.step, autograph=False, reduce_retracing=True)
    states, logits = model.get_initial_state(4), []
    for tokens in IDS.T:
        logits_t, states = step(tf.constant(tokens), states)
        logits.append(logits_t)
    assert_close(tf.stack(logits, 1), model(IDS), 1e-5)


def test_padding_keeps_the_states_and_changes_no_logits() -> None:
    model = build_model()
    logits, states = model.read(IDS)
    for row, length in enumerate(LENGTHS):
        if length:
            alone, expected_states = model.read(IDS[row : row + 1, :length])
            assert_close(logits[row : row + 1, :length], alone, 1e-5)
        else:
            expected_states = model.get_initial_state(1)
        assert_close([[s[row : row + 1] for s in layer] for layer in states], expected_states, 1e-5)


def test_logits_depend_on_earlier_tokens_only() -> None:
    model = build_model()
    changed = FULL.copy()
    changed[:, 5] = 1 + changed[:, 5] % 12
    difference = np.abs(model(changed) - model(FULL)).max((0, 2))
    assert not difference[:5].any()
    assert (difference[5:] > 1e-4).all()


def test_gradients_equal_those_of_plain_steps() -> None:
    model = build_model(tie_weights=True)
    values = [variable.value for variable in model.trainable_variables]

    def gradients_of_text() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.sin(model(IDS, training=True)))
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, values)]

    with tf.GradientTape() as tape:
        states, total = model.get_initial_state(4), 0.0
        for tokens in IDS.T:
            logits, states = model.step(tf.constant(tokens), states)
            total += tf.reduce_sum(tf.sin(logits))
    expected = tape.gradient(total, values)
    with zoo.disable_jit():
        actual = tf.function(gradients_of_text, autograph=False)()
    for gradient, reference, variable in zip(actual, expected, model.trainable_variables, strict=True):
        assert np.abs(tf.convert_to_tensor(reference)).max() > 1e-4, variable.path
        np.testing.assert_allclose(
            gradient, tf.convert_to_tensor(reference), rtol=1e-3, atol=2e-5, err_msg=variable.path
        )


def test_stateful_calls_carry_states_and_truncate_gradients() -> None:
    """Logits are those of the whole text, gradients those of a window that starts from constant states."""
    stateful, model = build_model(stateful=True), build_model()
    model.set_weights(stateful.get_weights())
    assert_close(stateful(FULL[:, :4]), model(FULL)[:, :4], 1e-5)
    _, states = model.read(FULL[:, :4])
    with tf.GradientTape(persistent=True) as tape:
        logits = stateful(FULL[:, 4:])
        carried = tf.reduce_sum(tf.sin(logits))
        truncated = tf.reduce_sum(
            tf.sin(model.read(FULL[:, 4:], tf.nest.map_structure(tf.stop_gradient, states))[0])
        )
    assert_close(logits, model(FULL)[:, 4:], 1e-5)
    for variable, reference in zip(stateful.trainable_variables, model.trainable_variables, strict=True):
        gradient = tf.convert_to_tensor(tape.gradient(carried, variable.value))
        assert_close(gradient, tf.convert_to_tensor(tape.gradient(truncated, reference.value)), 1e-4)
    stateful.encoder.reset_state()
    assert_close(stateful(FULL), model(FULL), 1e-5)


def test_first_loss_is_log_vocabulary_size_and_one_step_changes_every_weight() -> None:
    keras.utils.set_random_seed(1)
    model = zoo.LanguageModel(13, 6, zoo.Encoder(zoo.LSTMCell(6)), dropout=0.1)
    model.build((None, None))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    initial_weights = model.get_weights()
    with zoo.disable_jit():
        loss = model.train_on_batch(FULL[:, :-1], FULL[:, 1:])
    assert abs(loss - np.log(13)) < 0.5
    for variable, initial in zip(model.trainable_variables, initial_weights, strict=True):
        assert np.abs(variable - initial).max() > 0, variable.path


def test_dropout_applies_to_vectors_and_outputs_in_training_only() -> None:
    model = build_model(dropout=0.5)
    assert_close(model(FULL), model(FULL), 0)
    first, second = (np.array(model(FULL, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("tie_weights", [False, True])
def test_a_prompt_is_continued_by_a_search(tie_weights: bool) -> None:
    """Greedy search after a prompt takes the most probable token of the whole text so far at each step."""
    model = build_model(tie_weights=tie_weights)
    _, states = model.read(FULL[:, :3])
    result = zoo.decoding.greedy_search(
        lambda tokens, states: model.step(tf.where(tokens < 0, FULL[:, 3], tokens), states),
        states,
        start_id=-1,  # stands for the fourth token of each row
        end_id=0,
        max_length=4,
    )
    texts = FULL[:, :4]
    for _ in range(4):
        texts = np.concatenate([texts, np.argmax(model(texts)[:, -1:], -1)], 1)
    for row in range(4):
        length = int(result.lengths[row, 0])
        assert result.tokens[row, 0, :length].numpy().tolist() == texts[row, 4 : 4 + length].tolist()
        assert length == 4 or texts[row, 4 + length] == 0


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float32"])
@pytest.mark.parametrize("tie_weights", [False, True])
def test_logits_have_the_compute_dtype(dtype: str, tie_weights: bool) -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(6), dtype=dtype)
    model = zoo.LanguageModel(13, 6, encoder, tie_weights=tie_weights, dtype=dtype)
    assert model(IDS).dtype == keras.DTypePolicy(dtype).compute_dtype
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}


def test_encoders_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="`encoder` must not be bidirectional"):
        zoo.LanguageModel(13, 6, zoo.Encoder(zoo.GRUCell(3), bidirectional=True))
    with pytest.raises(ValueError, match="must equal `embedding_dim`, but they are 4 and 6"):
        zoo.LanguageModel(13, 6, zoo.Encoder(zoo.GRUCell(4)), tie_weights=True)


def test_scaled_embedding_computes_vectors_and_logits_from_the_same_weights() -> None:
    embedding = zoo.ScaledEmbedding(1_000, 16)
    vectors = embedding(np.arange(1_000))
    np.testing.assert_allclose(np.var(vectors), 1, atol=0.05)
    weights, outputs, bias = embedding.get_weights()[0], random_normal(3, 2, 16), random_normal(4, 1_000)
    assert_close(vectors, 4 * weights, 1e-6)
    assert_close(embedding.compute_logits(outputs, bias), outputs @ weights.T + bias, 1e-5)
