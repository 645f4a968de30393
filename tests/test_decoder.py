"""Attention, the decoder and delayed many-to-many: against NumPy, and steps against whole sequences."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import references
import tensorflow as tf
from references import assert_close, random_normal, randomize_weights

import zoo
from zoo.decoding import DecodingResult

LENGTHS = np.array([6, 2, 0, 4])  # of the sources; one is empty
SOURCE = np.where(np.arange(6) < LENGTHS[:, None], np.random.default_rng(1).integers(1, 11, (4, 6)), 0)
TARGET = np.random.default_rng(2).integers(1, 13, (4, 5))
ATTENTIONS = {
    "none": lambda: None,
    "additive": lambda: zoo.AdditiveAttention(9),
    "multiplicative": zoo.MultiplicativeAttention,
}
CELLS = {
    "lstm": (zoo.LSTMCell(8), references.lstm),
    "gru": (zoo.GRUCell(8), references.gru),
    "projected": (zoo.cells.ProjectedLSTMCell(8, 4), references.projected_lstm),
}


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attend(
    attention: zoo.Attention, query: np.ndarray, memory: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Context and weights of one query [width] over the first `length` rows of a memory."""
    weights = np.zeros(len(memory))
    if length:
        if isinstance(attention, zoo.AdditiveAttention):
            w, u, v = (attention.queries.kernel, attention.keys.kernel, attention.v)
            scores = np.tanh(query @ np.array(w) + memory[:length] @ np.array(u)) @ np.array(v)
        else:
            scores = memory[:length] @ np.array(attention.keys.kernel) @ query / len(query) ** 0.5
        weights[:length] = softmax(scores)
    return weights @ memory, weights


def build_model(
    attention: str = "multiplicative", cell: str = "gru", **settings: Any
) -> zoo.DelayedManyToMany:
    model_settings = {
        name: settings.pop(name) for name in ("scheduled_sampling", "dropout") if name in settings
    }
    encoder = zoo.Encoder(zoo.GRUCell(5), depth=2, bidirectional=True, residual=True)
    decoder = zoo.Decoder(13, 6, CELLS[cell][0], attention=ATTENTIONS[attention](), **settings)
    model = zoo.DelayedManyToMany(zoo.ScaledEmbedding(11, 5), encoder, decoder, **model_settings)
    model.build(((None, None), (None, None)))
    randomize_weights(model)
    if model.scheduled_sampling:
        model.sampling_probability.assign(0.0)
    return model


def run_steps(many_to_many: zoo.DelayedManyToMany, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Logits of a plain loop over `step` of the decoder."""
    memory, state = many_to_many.prepare_memory(tf.constant(source))
    steps = []
    for tokens in target.T:
        logits, state = many_to_many.decoder.step(tf.constant(tokens), state, memory)
        steps.append(logits.numpy())
    return np.stack(steps, 1)


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_attention_equals_numpy_with_rows_that_share_a_memory(kind: str) -> None:
    attention = ATTENTIONS[kind]()
    queries, values = random_normal(1, 12, 3, 7, dtype="float32"), random_normal(2, 4, 6, 5, dtype="float32")
    attention.build(queries.shape, values.shape)
    randomize_weights(attention)
    memory = attention.prepare_memory(values, np.arange(6) < LENGTHS[:, None])
    context, weights = attention(queries, memory)
    for row in range(12):
        for step in range(3):
            batch_row = row // 3
            expected = attend(attention, queries[row, step], values[batch_row], LENGTHS[batch_row])
            assert_close(context[row, step], expected[0], 1e-5)
            assert_close(weights[row, step], expected[1], 1e-5)


@pytest.mark.parametrize("shape", [(3, 1), (3,), (2, 6), (3, 6, 1)])
def test_memory_mask_of_another_shape_raises(shape: tuple[int, ...]) -> None:
    attention = zoo.MultiplicativeAttention()
    attention.build((None, None, 4), (None, None, 5))
    with pytest.raises(ValueError, match=r"`mask` of .* \(3, 6\) for these values, but its shape is \("):
        attention.prepare_memory(np.ones((3, 6, 5), "float32"), np.ones(shape, bool))


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_attention_accepts_an_empty_batch(kind: str) -> None:
    attention = ATTENTIONS[kind]()
    attention.build((None, None, 7), (None, None, 5))

    @tf.function(input_signature=[tf.TensorSpec([None, 3, 7]), tf.TensorSpec([None, 6, 5])])
    def call(queries: tf.Tensor, values: tf.Tensor) -> tuple:
        return attention(queries, attention.prepare_memory(values, tf.ones(tf.shape(values)[:2], tf.bool)))

    context, weights = call(tf.zeros([0, 3, 7]), tf.zeros([0, 6, 5]))
    assert context.shape == (0, 3, 5)
    assert weights.shape == (0, 3, 6)


@pytest.mark.parametrize(
    ("attention", "cell", "depth", "tie_weights", "input_feeding"),
    [
        ("none", "gru", 1, True, False),
        ("none", "projected", 2, False, True),
        ("additive", "lstm", 3, False, False),
        ("additive", "projected", 1, True, True),
        ("multiplicative", "gru", 3, True, False),
        ("multiplicative", "lstm", 2, False, True),
    ],
)
def test_decoder_equals_numpy(
    attention: str, cell: str, depth: int, tie_weights: bool, input_feeding: bool
) -> None:
    """The equations of the docstring, one row and one step at a time."""
    many_to_many = build_model(
        attention, cell, depth=depth, tie_weights=tie_weights, input_feeding=input_feeding
    )
    decoder = many_to_many.decoder
    source = many_to_many.embedding(SOURCE)
    memory, states = many_to_many.encoder(source, mask=SOURCE != 0)
    summary = np.array(many_to_many.encoder.summarize(states))
    actual = np.array(many_to_many((SOURCE, TARGET)))
    reference = CELLS[cell][1]
    embedding, num_states = np.array(decoder.embedding.embeddings), len(decoder.cell.state_names)
    (w_s, b_s), (w_o, b_o) = decoder.initial.get_weights(), decoder.output_vector.get_weights()
    for row, length in enumerate(LENGTHS):
        start = np.tanh(summary[row] @ w_s + b_s)
        states = np.split(start, np.cumsum(decoder.state_sizes)[:-1])
        states, o = [states[i * num_states : (i + 1) * num_states] for i in range(depth)], np.zeros(6)
        for step, token in enumerate(TARGET[row]):
            h, context = 6**0.5 * embedding[token], np.zeros(0)
            if input_feeding:
                h = np.concatenate([h, o])
            for index, layer in enumerate(decoder.stack):
                inputs = np.concatenate([h, context]) if index else h
                weights = layer.cell.get_weights()
                h, states[index], _ = reference(weights, inputs, states[index])
                if index == 0 and decoder.attention is not None:
                    context, _ = attend(decoder.attention, h, np.array(memory[row]), length)
            o = np.tanh(np.concatenate([h, context]) @ w_o + b_o)
            logits = (
                o @ embedding.T + np.array(decoder.bias)
                if tie_weights
                else np.array(decoder.scores(o[None]))[0]
            )
            assert_close(actual[row, step], logits, 1e-5)


@pytest.mark.parametrize(
    ("attention", "cell", "input_feeding"),
    [
        ("none", "lstm", False),
        ("none", "gru", True),
        ("additive", "gru", False),
        ("additive", "lstm", True),
        ("multiplicative", "projected", False),
        ("multiplicative", "gru", True),
    ],
)
def test_logits_of_teacher_forcing_equal_those_of_steps(
    attention: str, cell: str, input_feeding: bool
) -> None:
    """In a graph, with the fast loop and unknown lengths, and eagerly."""
    many_to_many = build_model(attention, cell, depth=2, input_feeding=input_feeding)
    spec = (tf.TensorSpec([None, None], tf.int64), tf.TensorSpec([None, None], tf.int64))
    graph = tf.function(
        lambda source, target: many_to_many((source, target)), input_signature=spec, autograph=False
    )
    for steps in (5, 1):
        expected = run_steps(many_to_many, SOURCE, TARGET[:, :steps])
        assert_close(graph(SOURCE, TARGET[:, :steps]), expected, 1e-5)
        assert_close(many_to_many((SOURCE, TARGET[:, :steps])), expected, 1e-5)


@pytest.mark.parametrize("input_feeding", [pytest.param(False, marks=pytest.mark.slow), True])
def test_gradients_in_a_graph_equal_those_of_plain_steps(input_feeding: bool) -> None:
    many_to_many = build_model("additive", depth=2, input_feeding=input_feeding)
    values = [v.value for v in many_to_many.trainable_variables]

    def gradients(predict: Callable[[], tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.sin(predict()))
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, values)]

    def run_steps() -> tf.Tensor:
        memory, state = many_to_many.prepare_memory(tf.constant(SOURCE))
        logits = []
        for tokens in TARGET.T:
            logits_t, state = many_to_many.decoder.step(tf.constant(tokens), state, memory)
            logits.append(logits_t)
        return tf.stack(logits, 1)

    def run_sequence() -> tf.Tensor:
        return many_to_many((SOURCE, TARGET), training=True)

    with zoo.disable_jit():  # `test_loop` compiles the loops
        actual = tf.function(lambda: gradients(run_sequence), autograph=False)()
    pairs = zip(actual, gradients(run_steps), many_to_many.trainable_variables, strict=True)
    for gradient, expected, variable in pairs:
        assert np.abs(expected).max() > 1e-4, variable.path
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=2e-5, err_msg=variable.path)


def test_coverage_is_the_sum_of_weights_and_one_at_padding() -> None:
    many_to_many = build_model(depth=2)
    memory, state = many_to_many.prepare_memory(tf.constant(SOURCE))
    np.testing.assert_array_equal(state["coverage"], SOURCE == 0)
    _, weights, new_state = many_to_many.decoder(tf.constant(TARGET), state, memory)
    assert weights.shape == (4, 5, 6)
    assert_close(new_state["coverage"], np.sum(weights, 1) + (SOURCE == 0), 1e-5)
    assert_close(np.sum(weights, -1), np.where(LENGTHS[:, None] > 0, 1, 0) * np.ones((4, 5)), 1e-5)


@pytest.mark.parametrize("input_feeding", [False, True])
def test_attention_of_several_sequences_equals_that_of_each_alone(input_feeding: bool) -> None:
    many_to_many = build_model("additive", depth=2, input_feeding=input_feeding)
    decoder, sequences = many_to_many.decoder, np.random.default_rng(3).integers(1, 13, (4, 3, 5))
    memory, state = many_to_many.prepare_memory(tf.constant(SOURCE))
    weights = decoder.compute_attention(tf.constant(sequences), 2, state, memory)
    assert weights.shape == (4, 3, 5, 6)
    for n in range(3):
        tokens = np.concatenate([np.full((4, 1), 2), sequences[:, n, :-1]], 1)
        assert_close(weights[:, n], decoder(tf.constant(tokens), state, memory)[1], 1e-5)


class SquaringCell(zoo.SimpleRNNCell):
    """Its W maps other inputs than those of the cell, which the steps of a search must notice."""

    def kernel_shape(self, features: int) -> tuple[int, int]:
        return (2 * features, self.units)

    def project(self, inputs: tf.Tensor) -> tf.Tensor:
        return super().project(tf.concat([inputs, inputs**2], -1))


class GatedInputCell(zoo.GRUCell):
    """Uses its inputs beside W."""

    def project(self, inputs: tf.Tensor) -> tf.Tensor:
        return super().project(inputs) * tf.reduce_mean(inputs, -1, keepdims=True)


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        (zoo.GRUCell(8), {"depth": 3}),
        (zoo.LSTMCell(8), {"depth": 2, "input_feeding": True, "tie_weights": False}),
        (zoo.cells.ProjectedLSTMCell(8, 4), {"depth": 2}),
        (zoo.cells.LayerNormLSTMCell(8), {"depth": 2}),
        (SquaringCell(8), {"depth": 2}),
        (GatedInputCell(8), {"depth": 2}),
        (zoo.GRUCell(8), {"depth": 1, "dtype": "mixed_bfloat16"}),
        (zoo.LSTMCell(8), {"depth": 2, "attention": None}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, zoo.Cell) else "",
)
def test_steps_of_a_search_equal_step(cell: zoo.Cell, settings: dict[str, Any]) -> None:
    decoder = zoo.Decoder(13, 6, cell, **{"attention": zoo.MultiplicativeAttention()} | settings)
    decoder.build((None, 5), (None, None, 7))
    randomize_weights(decoder)
    memory = decoder.prepare_memory(
        random_normal(1, 4, 6, 7, dtype="float32"), np.arange(6) < LENGTHS[:, None]
    )
    before = decoder.get_initial_state(random_normal(2, 4, 5, dtype="float32"), memory)
    sequences = np.repeat(TARGET, 2, 0) + np.arange(8)[:, None] % 2  # two hypotheses of each row

    def compute_logits(step: Callable[..., Any], *memory: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        state, logits = tf.nest.map_structure(lambda x: tf.repeat(x, 2, 0), before), []
        for tokens in sequences.T % 13:
            step_logits, state = step(tf.constant(tokens, tf.int32), state, *memory)
            logits.append(tf.cast(step_logits, tf.float32))
        return tf.stack(logits), state

    results = []

    def search(step: Callable[..., Any], state: Any, start_id: int, memory: Any) -> DecodingResult:
        results.append(tf.function(compute_logits)(step, memory))
        return DecodingResult(
            tf.zeros([4, 1, 1], tf.int32), tf.ones([4, 1]), tf.zeros([4, 1]), tf.ones([4, 1], bool)
        )

    decoder.generate(search, before, memory, start_id=1)
    atol = 0.05 if "dtype" in settings else 1e-5
    for actual, expected in zip(
        tf.nest.flatten(results[0]), tf.nest.flatten(compute_logits(decoder.step, memory)), strict=True
    ):
        np.testing.assert_allclose(tf.cast(actual, tf.float32), tf.cast(expected, tf.float32), atol=atol)


def test_a_call_continues_from_the_state_of_the_call_before() -> None:
    many_to_many = build_model(depth=2, input_feeding=True)
    decoder = many_to_many.decoder
    memory, state = many_to_many.prepare_memory(tf.constant(SOURCE))
    whole, _, end = decoder(tf.constant(TARGET), state, memory)
    first, _, middle = decoder(tf.constant(TARGET[:, :2]), state, memory)
    second, _, last = decoder(tf.constant(TARGET[:, 2:]), middle, memory)
    assert_close(np.concatenate([first, second], 1), whole, 1e-6)
    for actual, expected in zip(tf.nest.flatten(last), tf.nest.flatten(end), strict=True):
        assert_close(actual, expected, 1e-6)


def test_logits_do_not_depend_on_padding_or_other_rows() -> None:
    many_to_many = build_model(depth=2)
    logits = np.array(many_to_many((SOURCE, TARGET)))
    for row, length in enumerate(LENGTHS):
        alone = many_to_many((SOURCE[row : row + 1, : max(length, 1)], TARGET[row : row + 1]))
        np.testing.assert_allclose(logits[row : row + 1], alone, atol=1e-6)


def test_keras_file_restores_the_model(tmp_path: Path) -> None:
    settings = {"depth": 2, "input_feeding": True, "tie_weights": False}
    many_to_many = build_model("additive", "lstm", scheduled_sampling=True, **settings)
    many_to_many.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(many_to_many((SOURCE, TARGET)), restored((SOURCE, TARGET)))


@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
@pytest.mark.parametrize("scheduled_sampling", [False, True])
def test_bfloat16_is_close_to_float32_before_and_after_saving(
    attention: str, scheduled_sampling: bool, tmp_path: Path
) -> None:
    settings = {"depth": 2, "tie_weights": scheduled_sampling, "scheduled_sampling": scheduled_sampling}
    exact = build_model(attention, "lstm", **settings)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        low = build_model(attention, "lstm", **settings)
    finally:
        keras.config.set_dtype_policy("float32")
    low.set_weights(exact.get_weights())
    low.save(tmp_path / "low.keras")
    for bfloat16_model in (low, keras.saving.load_model(tmp_path / "low.keras")):
        logits = bfloat16_model((SOURCE, TARGET), training=scheduled_sampling)
        assert logits.dtype == tf.bfloat16
        np.testing.assert_allclose(tf.cast(logits, tf.float32), exact((SOURCE, TARGET)), atol=0.1)
        memory, state = bfloat16_model.prepare_memory(SOURCE)
        _, state = bfloat16_model.decoder.step(TARGET[:, 0], state, memory)
        if memory is not None:
            assert state["coverage"].dtype == tf.float32


def test_encoder_and_decoder_have_their_own_dtype() -> None:
    encoder = zoo.Encoder(zoo.GRUCell(5), depth=2, bidirectional=True, dtype="mixed_bfloat16")
    decoder = zoo.Decoder(
        13, 6, zoo.GRUCell(5), 2, zoo.AdditiveAttention(4), input_feeding=True, dtype="mixed_bfloat16"
    )
    many_to_many = zoo.DelayedManyToMany(zoo.ScaledEmbedding(11, 5), encoder, decoder)
    assert many_to_many((SOURCE, TARGET)).dtype == tf.bfloat16
    assert encoder(random_normal(1, 2, 3, 5, dtype="float32"))[0].dtype == tf.bfloat16
    assert {variable.dtype for variable in many_to_many.trainable_variables} == {"float32"}


def test_scheduled_sampling_reads_predicted_tokens_with_the_set_probability() -> None:
    many_to_many = build_model(scheduled_sampling=True, depth=2)
    logits = many_to_many((SOURCE, TARGET))
    assert_close(many_to_many((SOURCE, TARGET), training=True), logits, 1e-5)  # the probability starts at 0

    schedule = zoo.formulations.ScheduledSampling(many_to_many, final_probability=0.5, epochs=3)
    probabilities = []
    for epoch in range(5):
        schedule.on_epoch_begin(epoch)
        probabilities.append(float(many_to_many.sampling_probability))
    assert probabilities == [0, 0.25, 0.5, 0.5, 0.5]
    assert_close(many_to_many((SOURCE, TARGET)), logits, 1e-5)  # in training only

    # A decoder that always predicts token 7: then each token it reads is 7 or that of the target.
    decoder = many_to_many.decoder
    decoder.bias.assign(100.0 * (np.arange(13) == 7))
    source, target = SOURCE[[0]].repeat(300, 0), np.full((300, 2), 3)
    predicted, true = (np.array(many_to_many((source[:1], np.array([[3, k]]))))[0, 1] for k in (7, 3))
    second = np.array(many_to_many((source, target), training=True))[:, 1]
    sampled = np.abs(second - predicted).max(-1) < 1e-4
    assert (sampled | (np.abs(second - true).max(-1) < 1e-4)).all()
    assert 0.35 < sampled.mean() < 0.65
    many_to_many.sampling_probability.assign(1.0)
    second = np.array(many_to_many((source, target), training=True))[:, 1]
    assert np.abs(second - predicted).max() < 1e-4


def test_scheduled_sampling_callback_checks_its_arguments() -> None:
    with pytest.raises(ValueError, match="scheduled_sampling=True"):
        zoo.formulations.ScheduledSampling(build_model(), 0.5, 3)
    with pytest.raises(ValueError, match="`final_probability` must be between 0 and 1"):
        zoo.formulations.ScheduledSampling(build_model(scheduled_sampling=True), 5, 3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_label_smoothed_crossentropy_equals_keras(smoothing: float) -> None:
    logits, labels = (
        random_normal(3, 4, 5, 6, dtype="float32") * 3,
        np.random.default_rng(4).integers(0, 6, (4, 5)),
    )
    expected = keras.losses.categorical_crossentropy(
        keras.ops.one_hot(labels, 6), logits, from_logits=True, label_smoothing=smoothing
    )
    loss = zoo.losses.LabelSmoothedCrossentropy(smoothing, reduction=None)
    assert_close(loss(labels, logits), expected, 1e-5)
    assert zoo.losses.LabelSmoothedCrossentropy.from_config(loss.get_config()).smoothing == smoothing


def test_teacher_forcing_shifts_the_target_and_masks_padding() -> None:
    target = np.array([[2, 5, 6, 3], [2, 7, 3, 0]])
    (source, inputs), labels, weights = zoo.formulations.apply_teacher_forcing(SOURCE[:2], target)
    assert source is not None
    np.testing.assert_array_equal(inputs, [[2, 5, 6], [2, 7, 3]])
    np.testing.assert_array_equal(labels, [[5, 6, 3], [7, 3, 0]])
    np.testing.assert_array_equal(weights, [[1, 1, 1], [1, 1, 0]])


def test_residual_encoder_adds_inputs_from_the_second_layer_on() -> None:
    encoder = zoo.Encoder(zoo.GRUCell(5), depth=3, bidirectional=True, residual=True)
    x, mask = random_normal(5, 4, 6, 3, dtype="float32"), np.arange(6) < LENGTHS[:, None]
    outputs, _ = encoder(x, mask=mask)
    h = encoder.stack[0](x, mask=mask)[0]
    for layer in encoder.stack[1:]:
        h = h + layer(h, mask=mask)[0]
    assert_close(outputs, h, 1e-6)
    assert zoo.Encoder.from_config(encoder.get_config()).residual


def test_first_loss_is_log_vocabulary_size_and_one_step_changes_every_weight() -> None:
    many_to_many = build_model("additive", depth=2, tie_weights=False)
    for weight in many_to_many.trainable_variables:
        weight.assign(weight * 0.1)
    many_to_many.compile("adam", zoo.losses.LabelSmoothedCrossentropy(0.1), jit_compile=False)
    initial_weights = many_to_many.get_weights()
    with zoo.disable_jit():
        loss = many_to_many.train_on_batch((SOURCE, TARGET), TARGET)
    assert abs(loss - np.log(13)) < 0.3
    for variable, initial in zip(many_to_many.weights, initial_weights, strict=True):
        if variable.trainable:
            assert np.abs(variable - initial).max() > 0, variable.path


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="`smoothing` must be at least 0 and below 1"):
        zoo.losses.LabelSmoothedCrossentropy(1.5)
    with pytest.raises(ValueError, match="`depth` must be at least 1"):
        zoo.Decoder(13, 6, zoo.GRUCell(4), depth=0)


@pytest.mark.parametrize("tie_weights", [True, False])
def test_output_bias_makes_tokens_as_likely_as_they_are_frequent(tie_weights: bool) -> None:
    """Where o_t is zero, the logits are b."""
    decoder = zoo.Decoder(5, 4, zoo.GRUCell(3), tie_weights=tie_weights)
    decoder.build((None, 3), None)
    counts = np.array([0, 3, 70, 2, 25])
    decoder.set_output_bias(counts)
    for weight in decoder.output_vector.weights:
        weight.assign(tf.zeros_like(weight))
    logits, _, _ = decoder(np.array([[1, 2], [3, 4]]), decoder.get_initial_state(np.ones((2, 3), "float32")))
    np.testing.assert_allclose(tf.nn.softmax(logits)[1, 1], (counts + 0.1) / 100.5, rtol=1e-5)
