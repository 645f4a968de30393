"""Direct many-to-many, and frames: whole sequences against NumPy, streams against whole sequences."""

import itertools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from references import randomize_weights

import zoo

OFFSETS = (-4, -1, 2, 3)
LENGTHS = np.array([13, 5, 1, 9])
FRAMES = np.random.default_rng(1).integers(0, 256, (4, 13, 4, 5, 3)).astype(np.uint8)


def build_frame_encoder(offsets: tuple[int, ...], brightness: bool = False) -> keras.Model:
    frames = keras.Input((4, 5, 3 + (1 if brightness else 3) * len(offsets)))
    x = keras.layers.Rescaling(1 / 256)(frames)
    x = keras.layers.Conv2D(3, 3, 2, activation="relu")(x)
    return keras.Model(frames, keras.layers.Dense(6, "tanh")(keras.layers.Flatten()(x)))


def build_model(
    cell: str = "gru", offsets: tuple[int, ...] = OFFSETS, bidirectional: bool = False, depth: int = 2
) -> zoo.ManyToMany:
    cells = {"gru": zoo.GRUCell, "lstm": zoo.LSTMCell, "minlstm": zoo.cells.MinLSTMCell}
    encoder = zoo.Encoder(cells[cell](5), depth, bidirectional)
    model = zoo.ManyToMany(encoder, 4, zoo.FrameVectors(build_frame_encoder(offsets), offsets))
    model.build(((None, None, 4, 5, 3), (None,)))
    randomize_weights(model)
    return model


def run_stream(
    many_to_many: zoo.ManyToMany, frames: np.ndarray, sizes: list[int], step: Callable | None = None
) -> np.ndarray:
    """Return the scores of streams that come in pieces of the given sizes."""
    state, scores, start = many_to_many.get_initial_state(len(frames)), [], 0
    for size in sizes:
        piece = tf.constant(frames[:, start : start + size])
        piece_scores, state = (step or many_to_many.step)(piece, state)
        scores.append(piece_scores)
        start += size
    scores.append(many_to_many.finish(state))
    assert state["steps"].numpy().tolist() == [start] * len(frames)
    return np.concatenate(scores, 1)[:, many_to_many.lookahead :]


@pytest.mark.parametrize("brightness", [False, True])
def test_frame_vectors_equal_numpy(brightness: bool) -> None:
    encoder = build_frame_encoder(OFFSETS, brightness)
    vectors = zoo.FrameVectors(encoder, OFFSETS, brightness)
    assert (vectors.lookbehind, vectors.lookahead) == (4, 3)
    outputs = vectors(FRAMES).numpy()
    assert outputs.shape == (4, 13, 6)
    assert vectors.compute_output_shape(FRAMES.shape) == outputs.shape
    frames, zeros = FRAMES.astype(np.float32), np.zeros(FRAMES.shape[2:], np.float32)
    for row in range(4):
        for t in range(13):
            neighbors = [frames[row, t + k] if 0 <= t + k < 13 else zeros for k in OFFSETS]
            changes = [frames[row, t] - neighbor for neighbor in neighbors]
            if brightness:
                changes = [change.mean(-1, keepdims=True) for change in changes]
            inputs = np.concatenate([frames[row, t], *changes], -1)
            np.testing.assert_allclose(outputs[row, t], encoder(inputs[None])[0], atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_scores_equal_encoder_and_output_layer_of_each_row_alone(bidirectional: bool) -> None:
    many_to_many = build_model(bidirectional=bidirectional)
    scores = many_to_many((FRAMES, LENGTHS)).numpy()
    assert scores.shape == (4, 13, 4)
    for row, length in enumerate(LENGTHS):
        alone = FRAMES[row : row + 1, :length]
        outputs, _ = many_to_many.encoder(many_to_many.vectors(alone))
        expected = outputs.numpy() @ np.array(many_to_many.scores.kernel) + np.array(many_to_many.scores.bias)
        np.testing.assert_allclose(scores[row, :length], expected[0], atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm", "minlstm"])
@pytest.mark.parametrize("sizes", [[13], [1] * 13, [2, 7, 4], [12, 1]], ids=str)
def test_a_stream_equals_the_whole_sequence(cell: str, sizes: list[int]) -> None:
    many_to_many = build_model(cell)
    whole = many_to_many((FRAMES, np.full(4, 13))).numpy()
    np.testing.assert_allclose(run_stream(many_to_many, FRAMES, sizes), whole, atol=1e-5)


def test_a_stream_in_a_graph_equals_the_whole_sequence() -> None:
    many_to_many = build_model()
    step = tf.function(many_to_many.step, autograph=False, reduce_retracing=True)
    whole = tf.function(many_to_many, autograph=False)((FRAMES, np.full(4, 13))).numpy()
    np.testing.assert_allclose(run_stream(many_to_many, FRAMES, [4, 1, 0, 8], step), whole, atol=1e-5)


@pytest.mark.parametrize("time", [0, 1, 2, 3, 5])
def test_a_stream_may_be_shorter_than_the_lookahead(time: int) -> None:
    many_to_many = build_model()
    scores = run_stream(many_to_many, FRAMES[:, :time], [1] * time)
    assert scores.shape == (4, time, 4)
    if time:
        whole = many_to_many((FRAMES[:, :time], np.full(4, time))).numpy()
        np.testing.assert_allclose(scores, whole, atol=1e-5)


@pytest.mark.parametrize("offsets", [(), (-2, -1), (1,)])
def test_streams_with_other_offsets_equal_the_whole_sequence(offsets: tuple[int, ...]) -> None:
    many_to_many = build_model(offsets=offsets, depth=1)
    assert many_to_many.lookahead == max((*offsets, 0))
    whole = many_to_many((FRAMES, np.full(4, 13))).numpy()
    np.testing.assert_allclose(run_stream(many_to_many, FRAMES, [3, 6, 4]), whole, atol=1e-5)


def test_frame_vectors_and_encoder_are_optional() -> None:
    features = np.random.default_rng(2).normal(size=(3, 7, 5)).astype(np.float32)
    bidirectional = zoo.ManyToMany(zoo.Encoder(zoo.GRUCell(4), bidirectional=True), 3)
    assert bidirectional((features, np.array([7, 3, 5]))).shape == (3, 7, 3)
    with pytest.raises(ValueError, match="one direction"):
        bidirectional.get_initial_state(3)
    baseline = zoo.ManyToMany(None, 3)
    scores = baseline((features, np.array([7, 7, 7]))).numpy()
    order = np.random.default_rng(3).permutation(7)
    shuffled = baseline((features[:, order], np.array([7, 7, 7]))).numpy()
    np.testing.assert_allclose(shuffled, scores[:, order], atol=1e-6)
    np.testing.assert_allclose(run_stream(baseline, features, [2, 5]), scores, atol=1e-6)


def test_scores_depend_on_frames_up_to_the_lookahead() -> None:
    many_to_many = build_model(depth=1)
    frames = tf.Variable(FRAMES.astype(np.float32))
    with tf.GradientTape() as tape:
        score = tf.reduce_sum(many_to_many((frames, np.full(4, 13)))[:, 5] ** 2)
    sensitivity = tf.reduce_sum(abs(tape.gradient(score, frames)), [0, 2, 3, 4]).numpy()
    assert (sensitivity[:9] > 0).all()  # all earlier ones, through the states, and three later ones
    assert not sensitivity[9:].any()


def test_keras_file_restores_the_model(tmp_path: Path) -> None:
    many_to_many = build_model()
    many_to_many.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded((FRAMES, LENGTHS)).numpy(), many_to_many((FRAMES, LENGTHS)).numpy(), atol=1e-6
    )
    assert loaded.lookahead == 3


def test_delayed_many_to_many_masks_frames_of_zeros() -> None:
    decoder = zoo.Decoder(7, 6, zoo.GRUCell(5), attention=zoo.MultiplicativeAttention())
    encoder = zoo.Encoder(zoo.GRUCell(5), bidirectional=True)
    captioner = zoo.DelayedManyToMany(zoo.FrameVectors(build_frame_encoder((-1,)), (-1,)), encoder, decoder)
    frames, tokens = FRAMES.copy(), np.array([[1, 3, 4]] * 4)
    for row, length in enumerate(LENGTHS):
        frames[row, length:] = 0
    logits = captioner((frames, tokens)).numpy()
    assert logits.shape == (4, 3, 7)
    for row, length in enumerate(LENGTHS):
        alone = captioner((frames[row : row + 1, :length], tokens[:1])).numpy()
        np.testing.assert_allclose(logits[row], alone[0], atol=1e-5)


def build_map_captioner(encoder: keras.Model | None) -> zoo.DelayedManyToMany:
    decoder = zoo.Decoder(7, 6, zoo.GRUCell(5), attention=zoo.MultiplicativeAttention())
    return zoo.DelayedManyToMany(zoo.FrameVectors(encoder), zoo.Encoder(zoo.GRUCell(4)), decoder)


def test_delayed_many_to_many_reads_maps_place_by_place(tmp_path: Path) -> None:
    """Memory and initial state equal those of an encoder over each place, with its coordinates y and x."""
    images = keras.Input((4, 5, 3))
    maps = keras.Model(images, keras.layers.Conv2D(6, 3, 2, "same", activation="tanh")(images / 256))
    frames, tokens = FRAMES.copy(), np.array([[1, 3, 4]] * 4)
    frames[1, 5:] = 0  # black frames are no padding here
    captioner = build_map_captioner(maps)
    captioner.build((frames.shape, tokens.shape))
    randomize_weights(captioner)
    assert captioner.memory_shape == (13, 2, 3)
    memory, state = captioner.prepare_memory(frames)
    assert memory.mask.numpy().all()
    for row in range(4):
        values, final_states = np.zeros((13, 2, 3, 4), np.float32), []
        row_maps = maps(frames[row].astype(np.float32)).numpy()
        for i, j in itertools.product(range(2), range(3)):
            coordinates = np.tile(np.float32([2 * i - 1, j - 1]), (13, 1))
            outputs, states = captioner.encoder(np.concatenate([row_maps[:, i, j], coordinates], -1)[None])
            values[:, i, j] = outputs[0]
            final_states.append(states[-1][0][0].numpy())
        np.testing.assert_allclose(memory.values[row], values.reshape(-1, 4), atol=1e-5)
        expected = captioner.decoder.get_initial_state(tf.constant(np.max(final_states, 0)[None]))
        np.testing.assert_allclose(state["states"][0][row], expected["states"][0][0], atol=1e-5)
    captioner.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded((frames, tokens)), captioner((frames, tokens)), atol=1e-6)


def test_precomputed_maps_give_the_same_logits() -> None:
    images = keras.Input((4, 5, 3))
    maps = keras.Model(images, keras.layers.Conv2D(6, 3, 2, "same")(images / 256))
    tokens = np.array([[1, 3, 4]] * 4)
    whole, decoding = build_map_captioner(maps), build_map_captioner(None)
    whole.build((FRAMES.shape, tokens.shape))
    randomize_weights(whole)
    precomputed = zoo.FrameVectors(maps)(FRAMES)
    decoding.build((precomputed.shape, tokens.shape))
    decoding.encoder.set_weights(whole.encoder.get_weights())
    decoding.decoder.set_weights(whole.decoder.get_weights())
    np.testing.assert_allclose(decoding((precomputed, tokens)), whole((FRAMES, tokens)), atol=1e-5)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([[13], [5], [1], [9]], r"lengths are int64 \[4, 1\]\. Expected whole numbers \[4\]"),
        ([13, 5], r"lengths are int64 \[2\]\. Expected whole numbers \[4\]"),
        ([13.0, 5.0, 1.0, 9.0], r"lengths are float\d+ \[4\]\. Expected whole numbers \[4\]"),
        ([13, 5, 14, 9], r"lengths have 14\. Expected .* from 0 to 13"),
        ([13, 5, -1, 9], r"lengths have -1\. Expected .* from 0 to 13"),
    ],
)
def test_lengths_that_do_not_fit_raise(lengths: list[float], message: str) -> None:
    model = zoo.ManyToMany(None, 3)
    with pytest.raises(ValueError, match=message):
        model((np.zeros((4, 13, 2), "float32"), np.array(lengths)))
