"""The encoder, many-to-one, and the configurations of all formulations."""

import inspect
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from references import randomize_weights

import zoo

RNG = np.random.default_rng(7)


def random_vectors(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def padded_ids(lengths: list[int], width: int) -> np.ndarray:
    ids = RNG.integers(1, 20, (len(lengths), width)).astype("int32")
    return np.where(np.arange(width) < np.array(lengths)[:, None], ids, 0)


def build_model(**settings: Any) -> zoo.ManyToOne:
    encoder = zoo.Encoder(zoo.LSTMCell(5, bias_initializer="normal"), depth=2, bidirectional=True)
    model = zoo.ManyToOne(
        **{"vocabulary_size": 20, "embedding_dim": 4, "encoder": encoder, "classes": 3, **settings}
    )
    model.build((None, None))
    return model


@pytest.mark.parametrize("bidirectional", [False, True])
def test_encoder_equals_a_stack_of_keras_layers(bidirectional: bool) -> None:
    encoder = zoo.Encoder(zoo.GRUCell(5), depth=3, bidirectional=bidirectional)
    x, mask = random_vectors(4, 7, 3), np.arange(7) < np.array([[7], [3], [0], [5]])
    outputs, states = encoder(x, mask=mask)
    weights = iter(encoder.get_weights())
    for state in states:
        layer = keras.layers.GRU(5, return_sequences=True, return_state=True, zero_output_for_mask=True)
        if bidirectional:
            layer = keras.layers.Bidirectional(layer)
        layer.build(x.shape)
        layer.set_weights([next(weights) for _ in layer.weights])
        x, *expected = layer(x, mask=mask)
        for actual, reference in zip(state, expected, strict=True):
            np.testing.assert_allclose(actual, reference, atol=1e-6)
    np.testing.assert_allclose(outputs, x, atol=1e-6)
    assert next(weights, None) is None


def test_encoder_layers_share_settings_but_not_weights_or_dropout_masks() -> None:
    cell = zoo.LSTMCell(4, activation="relu", dropout=0.5, seed=3)
    encoder = zoo.Encoder(cell, depth=2, bidirectional=True)
    encoder.build((None, None, 8))
    cells = [layer.cell for index in range(2) for layer in encoder.get_directions(index)]
    masks = [np.array(cell.draw_dropout_mask(np.ones((5, 8), "float32"))) for cell in cells]
    for i, j in itertools.combinations(range(4), 2):
        assert cells[i].activation is cells[j].activation is keras.activations.relu
        assert not np.array_equal(cells[i].kernel, cells[j].kernel)
        assert not np.array_equal(masks[i], masks[j])


@pytest.mark.parametrize("pooling", ["max", "mean", "max_mean", "last"])
def test_scores_do_not_depend_on_padding_or_other_rows(pooling: str) -> None:
    lengths = [6, 1, 0, 4]
    ids = padded_ids(lengths, 9)
    many_to_one = build_model(pooling=pooling)
    scores = np.array(many_to_one(ids))
    for row, length in enumerate(lengths):
        alone = many_to_one(ids[row : row + 1, : max(length, 1)])
        np.testing.assert_allclose(scores[row : row + 1], alone, atol=1e-6)


@pytest.mark.parametrize("pooling", ["max", "mean", "max_mean", "last"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_pooling_equals_numpy(pooling: str, bidirectional: bool) -> None:
    lengths = [6, 1, 4]
    ids = padded_ids(lengths, 9)
    encoder = zoo.Encoder(zoo.GRUCell(5, bias_initializer="normal"), bidirectional=bidirectional)
    many_to_one = build_model(encoder=encoder, pooling=pooling)
    outputs = np.array(encoder(many_to_one.embedding(ids), mask=ids != 0)[0])
    kernel, bias = many_to_one.scores.get_weights()
    for row, length in enumerate(lengths):
        valid = outputs[row, :length]
        last = np.concatenate([valid[-1, :5], valid[0, 5:]])
        both = np.concatenate([valid.max(0), valid.mean(0)])
        pooled = {"max": valid.max(0), "mean": valid.mean(0), "max_mean": both, "last": last}[pooling]
        np.testing.assert_allclose(many_to_one(ids)[row], pooled @ kernel + bias, atol=1e-5)


def test_adversarial_loss_equals_finite_differences() -> None:
    """Each step has a token of its own, so that changes of the embedding are changes of single vectors."""
    model = build_model(adversarial_radius=2, vocabulary_size=9, pooling="mean")
    randomize_weights(model, seed=1)
    ids = np.array([[1, 2, 3, 4], [5, 6, 7, 0]], "int32")
    vectors = model.embedding.embeddings.numpy()
    clean = log_softmax(model(ids))
    assert not model.losses
    np.testing.assert_allclose(log_softmax(model(ids, training=True)), clean, atol=1e-6)
    [loss] = model.losses

    gradient = np.zeros_like(vectors)
    for token, feature in np.ndindex(8, 4):
        for sign in (1, -1):
            moved = vectors.copy()
            moved[token, feature] += 0.01 * sign
            model.embedding.embeddings.assign(moved)
            gradient[token, feature] += sign * log_softmax(model(ids))[clean == clean.max(1)[:, None]].sum()
    for row in ids:
        tokens = row[row > 0]
        length = np.linalg.norm(vectors[tokens], axis=1).mean()
        vectors[tokens] -= 2 * length * gradient[tokens] / np.linalg.norm(gradient[tokens])
    model.embedding.embeddings.assign(vectors)
    expected = (np.exp(clean) * (clean - log_softmax(model(ids)))).sum(1).mean()
    assert float(loss) == pytest.approx(expected, rel=0.01)
    assert expected > 1e-4


def log_softmax(logits: Any) -> np.ndarray:
    x = np.array(logits, np.float64)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def test_adversarial_loss_of_padding_is_zero_and_trains_every_weight() -> None:
    model = build_model(adversarial_radius=0.3)
    model(np.zeros((2, 3), "int32"), training=True)
    assert float(model.losses[0]) == pytest.approx(0, abs=1e-6)
    with tf.GradientTape() as tape:
        model(padded_ids([4, 2], 5), training=True)
        loss = model.losses[0]
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    assert all(np.abs(tf.convert_to_tensor(gradient)).max() > 0 for gradient in gradients)


def test_word_dropout_spares_short_rows() -> None:
    model = build_model(word_dropout=0.9, word_dropout_min_length=4, encoder=None)
    ids = padded_ids([9, 4, 3, 0], 9)
    expected, scores = np.array(model(ids)), np.array(model(ids, training=True))
    is_same = np.isclose(scores, expected, atol=1e-6).all(1)
    assert is_same.tolist() == [False, False, True, True]


def test_scores_of_padding_alone_are_the_bias() -> None:
    many_to_one = build_model()
    many_to_one.scores.bias.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(many_to_one(np.zeros((2, 3), "int32")), [[1, 2, 3]] * 2)


def test_without_an_encoder_word_order_has_no_effect() -> None:
    bag = build_model(encoder=None, pooling="mean")
    ids = padded_ids([8, 5], 8)
    shuffled = ids.copy()
    shuffled[0] = ids[0][RNG.permutation(8)]
    np.testing.assert_allclose(bag(ids), bag(shuffled), atol=1e-6)
    assert np.abs(build_model()(ids)[0] - build_model()(shuffled)[0]).max() > 1e-4


def test_first_loss_is_log_classes_and_one_step_changes_every_weight() -> None:
    many_to_one = build_model(dropout=0.1)
    many_to_one.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ids, labels = padded_ids(list(range(1, 17)), 16), RNG.integers(0, 3, 16)
    initial_weights = many_to_one.get_weights()
    with zoo.disable_jit():
        loss = many_to_one.train_on_batch(ids, labels)
    assert abs(loss - np.log(3)) < 0.3
    for variable, initial in zip(many_to_one.trainable_variables, initial_weights, strict=True):
        assert np.abs(variable - initial).max() > 0, variable.path


def test_keras_file_restores_the_model(tmp_path: Path) -> None:
    encoder = zoo.Encoder(zoo.LSTMCell(5), depth=4, bidirectional=True)
    many_to_one, ids = build_model(encoder=encoder, pooling="last"), padded_ids([5, 2, 7], 7)
    many_to_one.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(many_to_one(ids), restored(ids))


def test_last_pooling_uses_the_projected_output_of_the_cell() -> None:
    encoder = zoo.Encoder(zoo.cells.ProjectedLSTMCell(6, 4, bias_initializer="normal"))
    many_to_one, ids = build_model(encoder=encoder, pooling="last"), padded_ids([5, 2, 7], 7)
    outputs = encoder(many_to_one.embedding(ids), mask=ids != 0)[0]
    pooled = np.asarray(outputs)[np.arange(3), [4, 1, 6]]
    np.testing.assert_allclose(many_to_one(ids), many_to_one.scores(pooled), atol=1e-6)


@pytest.mark.parametrize("settings", [{"pooling": "sum"}, {"encoder": None, "pooling": "last"}])
def test_wrong_pooling_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(reversed(settings))):
        build_model(**settings)


def test_word_dropout_drops_whole_words_in_training_only() -> None:
    """With the same vector for all words the mean over time is the share of words that remain, scaled."""
    keras.utils.set_random_seed(1)  # the means of two rows are equal once in fifty times
    bag = build_model(encoder=None, pooling="mean", classes=1, word_dropout=0.5)
    bag.embedding.set_weights([np.ones((20, 4))])
    bag.scores.set_weights([np.full((4, 1), 0.25), np.zeros(1)])
    ids = padded_ids([1000, 1000], 1000)
    np.testing.assert_allclose(bag(ids), 1, atol=1e-5)
    first, second = np.array(bag(ids, training=True))[:, 0]
    assert first != second
    for mean in (first, second):
        assert abs(mean * 500 - round(mean * 500)) < 1e-3  # each word counts twice or not at all
        assert 0.8 < mean < 1.2


def test_stateful_encoder_starts_where_the_call_before_ended() -> None:
    x = RNG.normal(size=(2, 7, 3)).astype("float32")
    encoder = zoo.Encoder(zoo.GRUCell(4), depth=2, stateful=True)
    encoder.build((2, None, 3))
    whole, _ = encoder(x)
    encoder.reset_state()
    parts = [encoder(x[:, :3])[0], encoder(x[:, 3:])[0]]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-6)
    assert zoo.Encoder.from_config(encoder.get_config()).stateful


def test_a_bidirectional_encoder_cannot_be_stateful() -> None:
    with pytest.raises(ValueError, match="`stateful` and `bidirectional` exclude each other"):
        zoo.Encoder(zoo.GRUCell(4), bidirectional=True, stateful=True)


# Configurations of all formulations.


def build_decoder(cell: zoo.Cell, attention: zoo.Attention | None, **settings: Any) -> zoo.Decoder:
    return zoo.Decoder(12, 6, cell, 2, attention, **settings)


def build_map_encoder() -> keras.Model:
    images = keras.Input((6, 6, 3))
    return keras.Model(images, keras.layers.Conv2D(4, 3, 2, "same", activation="relu")(images))


IDS, TARGETS = padded_ids([3, 2], 4), padded_ids([2, 3], 3) % 12
FRAMES = random_vectors(2, 5, 6, 6, 3)
LENGTHS = np.array([5, 3])

FORMULATIONS: dict[str, tuple[Callable[[zoo.Cell], keras.Model], Any, Any]] = {
    "many_to_one": (
        lambda cell: zoo.ManyToOne(20, 4, zoo.Encoder(cell, 2, bidirectional=True), 3, "last", 0.2, 0.1),
        (None, None),
        IDS,
    ),
    "bag_of_words": (lambda cell: zoo.ManyToOne(20, 4, None, 3, "mean"), (None, None), IDS),
    "language_model": (
        lambda cell: zoo.LanguageModel(20, 4, zoo.Encoder(cell, 2, residual=True), 0.3),
        (None, None),
        IDS,
    ),
    "tied_language_model": (
        lambda cell: zoo.LanguageModel(
            20, cell.output_size, zoo.Encoder(cell, stateful=True), tie_weights=True
        ),
        (2, None),
        IDS,
    ),
    "many_to_many_of_frames": (
        lambda cell: zoo.ManyToMany(
            zoo.Encoder(cell, 2),
            3,
            zoo.FrameVectors(zoo.formulations.build_frame_encoder((6, 6), 2, 4), (-1, 2), brightness=True),
        ),
        ((None, None, 6, 6, 3), (None,)),
        (FRAMES, LENGTHS),
    ),
    "many_to_many_of_vectors": (
        lambda cell: zoo.ManyToMany(zoo.Encoder(cell), 3, dropout=0.2),
        ((None, None, 3), (None,)),
        (FRAMES[:, :, 0, 0], LENGTHS),
    ),
    "delayed_many_to_many": (
        lambda cell: zoo.DelayedManyToMany(
            zoo.ScaledEmbedding(20, 4),
            zoo.Encoder(cell, 2, bidirectional=True),
            build_decoder(cell, zoo.AdditiveAttention(4), input_feeding=True, tie_weights=False),
            scheduled_sampling=True,
        ),
        ((None, None), (None, None)),
        (IDS, TARGETS),
    ),
    "delayed_many_to_many_of_frames": (
        lambda cell: zoo.DelayedManyToMany(
            zoo.FrameVectors(build_map_encoder()),
            zoo.Encoder(cell),
            build_decoder(cell, zoo.MultiplicativeAttention()),
        ),
        ((None, None, 6, 6, 3), (None, None)),
        (FRAMES, TARGETS),
    ),
    "one_to_many": (
        lambda cell: zoo.OneToMany(
            build_decoder(cell, zoo.MultiplicativeAttention(), dropout=0.1), build_map_encoder()
        ),
        ((None, 6, 6, 3), (None, None)),
        (FRAMES[:, 0], TARGETS),
    ),
    "one_to_many_of_maps": (
        lambda cell: zoo.OneToMany(build_decoder(cell, None), doubly_stochastic=0.5),
        ((None, 6, 6, 3), (None, None)),
        (FRAMES[:, 0], TARGETS),
    ),
}
CELLS = {
    "lstm": lambda: zoo.LSTMCell(5, recurrent_dropout=0.1, kernel_regularizer="l2", zoneout=[0.1, 0.2]),
    "gru": lambda: zoo.GRUCell(5, activation="relu", seed=3),
    "projected_lstm": lambda: zoo.cells.ProjectedLSTMCell(5, 3),
    "layer_norm_gru": lambda: zoo.cells.LayerNormGRUCell(5),
    "ind_rnn": lambda: zoo.cells.IndRNNCell(5),
    "min_lstm": lambda: zoo.cells.MinLSTMCell(5),
}
CASES = [(name, "lstm") for name in FORMULATIONS] + [("delayed_many_to_many", cell) for cell in CELLS][1:]


def rebuild_from_json(model: keras.Model, shape: Any) -> keras.Model:
    """Create a model from the JSON text of another one's configuration, and build it."""
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    rebuilt = keras.saving.deserialize_keras_object(config)
    if not rebuilt.built:
        rebuilt.build(json.loads(json.dumps(shape)))
    return rebuilt


@pytest.mark.parametrize(("name", "cell"), CASES)
@pytest.mark.parametrize("is_built", [False, True], ids=["unbuilt", "built"])
def test_configuration_in_json_rebuilds_the_model(name: str, cell: str, is_built: bool) -> None:
    """The same weights in the same order, under the same paths, and the same outputs."""
    build, shape, inputs = FORMULATIONS[name]
    model = build(CELLS[cell]())
    if not is_built:
        rebuilt = rebuild_from_json(model, shape)
    model.build(shape)
    if is_built:  # then the configuration contains the shape, and building is part of deserialization
        rebuilt = rebuild_from_json(model, None)
    assert [weight.path for weight in rebuilt.weights] == [weight.path for weight in model.weights]
    weights = randomize_weights(model)
    outputs = model(inputs)
    assert np.abs(np.subtract(rebuilt(inputs), outputs)).max() > 1e-3
    if name == "tied_language_model":
        model.encoder.reset_state()
        rebuilt.encoder.reset_state()
        outputs = model(inputs)
    rebuilt.set_weights(weights)
    np.testing.assert_array_equal(rebuilt(inputs), outputs)
    assert json.dumps(rebuilt.get_config()) == json.dumps(model.get_config())


@pytest.mark.parametrize("name", FORMULATIONS)
def test_keras_file_restores_every_formulation(name: str, tmp_path: Path) -> None:
    build, shape, inputs = FORMULATIONS[name]
    model = build(zoo.LSTMCell(5))
    model.build(shape)
    randomize_weights(model)
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    assert [weight.path for weight in restored.weights] == [weight.path for weight in model.weights]
    np.testing.assert_array_equal(restored(inputs), model(inputs))


@pytest.mark.parametrize("name", FORMULATIONS)
def test_build_creates_all_weights(name: str) -> None:
    """So a call, which comes first or later, creates none."""
    build, shape, inputs = FORMULATIONS[name]
    model = build(zoo.GRUCell(5))
    model.build(shape)
    paths = [weight.path for weight in model.weights]
    model(inputs)
    assert [weight.path for weight in model.weights] == paths


def test_weight_paths_do_not_depend_on_other_models() -> None:
    """A new process, with other numbers in the names that Keras makes up, has the same paths."""
    first, second = (zoo.Encoder(zoo.LSTMCell(4), 2, bidirectional=True, name="reader") for _ in range(2))
    for encoder in (first, second):
        encoder.build((None, None, 3))
    assert [weight.path for weight in first.weights] == [weight.path for weight in second.weights]


def test_trained_parts_keep_their_weights_in_another_model() -> None:
    parts = {
        "embedding": zoo.ScaledEmbedding(20, 4),
        "encoder": zoo.Encoder(zoo.LSTMCell(5)),
        "decoder": build_decoder(zoo.LSTMCell(5), zoo.AdditiveAttention(4)),
    }
    first = zoo.DelayedManyToMany(**parts)
    first.build(((None, None), (None, None)))
    weights = randomize_weights(first)
    second = zoo.DelayedManyToMany(**parts, dropout=0.1)
    second.build(((None, None), (None, None)))
    for weight, expected in zip(second.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, expected)
    classifier = zoo.ManyToOne(20, 4, parts["encoder"], 3)
    classifier.build((None, None))
    for weight, expected in zip(classifier.encoder.get_weights(), weights[1:4], strict=True):
        np.testing.assert_array_equal(weight, expected)


def scale_features(sequences: list[np.ndarray], num_differences: int = 0) -> np.ndarray:
    """Return the features of all sequences as the dense layer of their encoder reads them."""
    encoder = zoo.formulations.build_feature_encoder(sequences, num_differences, width=4)
    inputs = np.concatenate(sequences)
    inputs = np.concatenate([inputs, *([inputs] * num_differences)], axis=1)
    return np.asarray(encoder.get_layer("normalization")(inputs))


def test_features_of_a_long_table_are_scaled_to_variance_1() -> None:
    # Sums in float32 lose these: the variance is 60 times too large with a mean of 1013, as of air pressure.
    values = np.random.default_rng(3).normal(1013.0, 1.0, (1_000_000, 3)).astype("float32")
    scaled = scale_features(np.array_split(values, 7))
    np.testing.assert_allclose(scaled.mean(0, dtype="float64"), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(0, dtype="float64"), 1, atol=1e-3)


def test_constant_features_are_not_amplified(caplog: pytest.LogCaptureFixture) -> None:
    values = random_vectors(1000, 5) * [1, 0, 0, 1e-6, 1e-5] + [0, 0, 20.1, 0, 1013]
    values = values.astype("float32")  # the last feature differs by rounding alone
    with caplog.at_level("INFO"):
        encoder = zoo.formulations.build_feature_encoder([values[:300], values[300:]], 1, width=4)
    assert "3 of 5 features are constant in the training data and not scaled." in caplog.messages
    normalization = encoder.get_layer("normalization")
    expected = [1 / values[:, 0].std(), 1, 1, 1 / values[:, 3].std(), 1]
    steps = normalization(np.zeros((1, 10), "float32")), normalization(np.ones((1, 10), "float32"))
    np.testing.assert_allclose((steps[1] - steps[0])[0], expected * 2, rtol=1e-4)
    scaled = scale_features([values])
    np.testing.assert_allclose(scaled[:, [1, 2, 4]], 0, atol=2e-4)
    np.testing.assert_allclose(scaled[:, [0, 3]].std(0), 1, rtol=1e-4)


# Documentation.


@pytest.mark.parametrize(
    "documented",
    [
        *(zoo.Encoder, zoo.Decoder, zoo.ScaledEmbedding, zoo.FrameVectors),
        *(zoo.ManyToOne, zoo.ManyToMany, zoo.OneToMany, zoo.DelayedManyToMany, zoo.LanguageModel),
        *(zoo.Attention, zoo.AdditiveAttention, zoo.MultiplicativeAttention),
        *(zoo.formulations.ScheduledSampling, zoo.losses.LabelSmoothedCrossentropy),
        *(zoo.decoding.greedy_search, zoo.decoding.sample, zoo.decoding.beam_search),
        *(zoo.schedules.warmup_cosine_decay, zoo.formulations.apply_teacher_forcing),
        zoo.formulations.build_frame_encoder,
    ],
    ids=lambda documented: documented.__name__,
)
def test_help_documents_every_argument_with_its_default(documented: Callable) -> None:
    args = re.search(r"\nArgs:\n(.*?)(\n\n|$)", inspect.getdoc(documented) or "", re.DOTALL)
    assert args
    entries = re.split(r"^    (\S+): ", args.group(1), flags=re.MULTILINE)[1:]
    names, texts = (
        (name.strip("*") for name in entries[::2]),
        (" ".join(text.split()) for text in entries[1::2]),
    )
    descriptions = dict(zip(names, texts, strict=True))
    parameters = inspect.signature(documented).parameters
    assert list(descriptions) == list(parameters)
    for name, parameter in parameters.items():
        if parameter.default is not parameter.empty:
            assert descriptions[name].endswith(f"Defaults to `{parameter.default!r}`."), name
