"""Direct many-to-many: whole sequences against NumPy, streams against whole sequences."""

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


def frame_encoder(offsets: tuple[int, ...], brightness: bool = False) -> keras.Model:
    frames = keras.Input((4, 5, 3 + (1 if brightness else 3) * len(offsets)))
    x = keras.layers.Rescaling(1 / 256)(frames)
    x = keras.layers.Conv2D(3, 3, 2, activation="relu")(x)
    return keras.Model(frames, keras.layers.Dense(6, "tanh")(keras.layers.Flatten()(x)))


def model(
    cell: str = "gru", offsets: tuple[int, ...] = OFFSETS, bidirectional: bool = False, depth: int = 2
) -> zoo.ManyToMany:
    cells = {"gru": zoo.GRUCell, "lstm": zoo.LSTMCell, "minlstm": zoo.cells.MinLSTMCell}
    encoder = zoo.Encoder(cells[cell](5), depth, bidirectional)
    built = zoo.ManyToMany(encoder, 4, zoo.FrameVectors(frame_encoder(offsets), offsets))
    built.build(((None, None, 4, 5, 3), (None,)))
    randomize_weights(built)
    return built


def streamed(
    many_to_many: zoo.ManyToMany, frames: np.ndarray, sizes: list[int], step: Callable | None = None
) -> np.ndarray:
    """The scores of streams cut in pieces of those sizes."""
    stream, scores, start = many_to_many.get_initial_state(len(frames)), [], 0
    for size in sizes:
        some, stream = (step or many_to_many.step)(tf.constant(frames[:, start : start + size]), stream)
        scores.append(some)
        start += size
    scores.append(many_to_many.finish(stream))
    assert stream["steps"].numpy().tolist() == [start] * len(frames)
    return np.concatenate(scores, 1)[:, many_to_many.lookahead :]


@pytest.mark.parametrize("brightness", [False, True])
def test_vectors_equal_a_plain_loop(brightness: bool) -> None:
    encoder = frame_encoder(OFFSETS, brightness)
    vectors = zoo.FrameVectors(encoder, OFFSETS, brightness)
    assert (vectors.lookbehind, vectors.lookahead) == (4, 3)
    found = vectors(FRAMES).numpy()
    assert found.shape == (4, 13, 6)
    assert vectors.compute_output_shape(FRAMES.shape) == found.shape
    frames, nothing = FRAMES.astype(np.float32), np.zeros(FRAMES.shape[2:], np.float32)
    for row in range(4):
        for t in range(13):
            around = [frames[row, t + k] if 0 <= t + k < 13 else nothing for k in OFFSETS]
            changes = [frames[row, t] - other for other in around]
            if brightness:
                changes = [change.mean(-1, keepdims=True) for change in changes]
            seen = np.concatenate([frames[row, t], *changes], -1)
            np.testing.assert_allclose(found[row, t], encoder(seen[None])[0], atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_scores_are_those_of_the_parts_and_padding_changes_nothing(bidirectional: bool) -> None:
    many_to_many = model(bidirectional=bidirectional)
    scores = many_to_many((FRAMES, LENGTHS)).numpy()
    assert scores.shape == (4, 13, 4)
    for row, length in enumerate(LENGTHS):
        alone = FRAMES[row : row + 1, :length]
        outputs, _ = many_to_many.encoder(many_to_many.vectors(alone))
        expected = outputs.numpy() @ np.array(many_to_many.scores.kernel) + np.array(many_to_many.scores.bias)
        np.testing.assert_allclose(scores[row, :length], expected[0], atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "lstm", "minlstm"])
@pytest.mark.parametrize("sizes", [[13], [1] * 13, [2, 7, 4], [12, 1]], ids=str)
def test_a_stream_gives_what_the_whole_sequence_gives(cell: str, sizes: list[int]) -> None:
    many_to_many = model(cell)
    whole = many_to_many((FRAMES, np.full(4, 13))).numpy()
    np.testing.assert_allclose(streamed(many_to_many, FRAMES, sizes), whole, atol=1e-5)


def test_a_stream_in_a_graph() -> None:
    many_to_many = model()
    step = tf.function(many_to_many.step, autograph=False, reduce_retracing=True)
    whole = tf.function(many_to_many, autograph=False)((FRAMES, np.full(4, 13))).numpy()
    np.testing.assert_allclose(streamed(many_to_many, FRAMES, [4, 1, 0, 8], step), whole, atol=1e-5)


@pytest.mark.parametrize("time", [0, 1, 2, 3, 5])
def test_a_stream_may_end_before_anything_was_due(time: int) -> None:
    many_to_many = model()
    found = streamed(many_to_many, FRAMES[:, :time], [1] * time)
    assert found.shape == (4, time, 4)
    if time:
        whole = many_to_many((FRAMES[:, :time], np.full(4, time))).numpy()
        np.testing.assert_allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize("offsets", [(), (-2, -1), (1,)])
def test_streams_of_other_offsets(offsets: tuple[int, ...]) -> None:
    many_to_many = model(offsets=offsets, depth=1)
    assert many_to_many.lookahead == max((*offsets, 0))
    whole = many_to_many((FRAMES, np.full(4, 13))).numpy()
    np.testing.assert_allclose(streamed(many_to_many, FRAMES, [3, 6, 4]), whole, atol=1e-5)


def test_vectors_may_be_given_and_recurrence_left_out() -> None:
    features = np.random.default_rng(2).normal(size=(3, 7, 5)).astype(np.float32)
    given = zoo.ManyToMany(zoo.Encoder(zoo.GRUCell(4), bidirectional=True), 3)
    assert given((features, np.array([7, 3, 5]))).shape == (3, 7, 3)
    with pytest.raises(ValueError, match="one direction"):
        given.get_initial_state(3)
    without = zoo.ManyToMany(None, 3)
    scores = without((features, np.array([7, 7, 7]))).numpy()
    order = np.random.default_rng(3).permutation(7)
    shuffled = without((features[:, order], np.array([7, 7, 7]))).numpy()
    np.testing.assert_allclose(shuffled, scores[:, order], atol=1e-6)
    np.testing.assert_allclose(streamed(without, features, [2, 5]), scores, atol=1e-6)


def test_scores_depend_on_what_is_within_reach_and_nothing_later() -> None:
    many_to_many = model(depth=1)
    frames = tf.Variable(FRAMES.astype(np.float32))
    with tf.GradientTape() as tape:
        score = tf.reduce_sum(many_to_many((frames, np.full(4, 13)))[:, 5] ** 2)
    moved = tf.reduce_sum(abs(tape.gradient(score, frames)), [0, 2, 3, 4]).numpy()
    assert (moved[:9] > 0).all()  # all before, through the states, and three after
    assert not moved[9:].any()


def test_file_holds_the_model(tmp_path: Path) -> None:
    many_to_many = model()
    many_to_many.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded((FRAMES, LENGTHS)).numpy(), many_to_many((FRAMES, LENGTHS)).numpy(), atol=1e-6
    )
    assert loaded.lookahead == 3


def test_frames_can_be_told_of() -> None:
    """Delayed many-to-many with frames in the place of words: frames of zeros are padding."""
    decoder = zoo.Decoder(7, 6, zoo.GRUCell(5), attention=zoo.MultiplicativeAttention())
    encoder = zoo.Encoder(zoo.GRUCell(5), bidirectional=True)
    teller = zoo.DelayedManyToMany(zoo.FrameVectors(frame_encoder((-1,)), (-1,)), encoder, decoder)
    frames, tokens = FRAMES.copy(), np.array([[1, 3, 4]] * 4)
    for row, length in enumerate(LENGTHS):
        frames[row, length:] = 0
    logits = teller((frames, tokens)).numpy()
    assert logits.shape == (4, 3, 7)
    for row, length in enumerate(LENGTHS):
        alone = teller((frames[row : row + 1, :length], tokens[:1])).numpy()
        np.testing.assert_allclose(logits[row], alone[0], atol=1e-5)


def map_teller(encoder: keras.Model | None) -> zoo.DelayedManyToMany:
    decoder = zoo.Decoder(7, 6, zoo.GRUCell(5), attention=zoo.MultiplicativeAttention())
    return zoo.DelayedManyToMany(zoo.FrameVectors(encoder), zoo.Encoder(zoo.GRUCell(4)), decoder)


def test_frames_that_become_maps_are_read_place_by_place(tmp_path: Path) -> None:
    """Each place has the outputs of its own sequence, with y and x; and the first state is of the maximum."""
    given = keras.Input((4, 5, 3))
    maps = keras.Model(given, keras.layers.Conv2D(6, 3, 2, "same", activation="tanh")(given / 256))
    frames, tokens = FRAMES.copy(), np.array([[1, 3, 4]] * 4)
    frames[1, 5:] = 0  # black, and there
    teller = map_teller(maps)
    teller.build((frames.shape, tokens.shape))
    randomize_weights(teller)
    assert teller.memory_shape == (13, 2, 3)
    memory, state = teller.prepare_memory(frames)
    assert memory.mask.numpy().all()
    for row in range(4):
        values, ends = np.zeros((13, 2, 3, 4), np.float32), []
        seen = maps(frames[row].astype(np.float32)).numpy()
        for i, j in itertools.product(range(2), range(3)):
            place = np.tile(np.float32([2 * i - 1, j - 1]), (13, 1))
            outputs, states = teller.encoder(np.concatenate([seen[:, i, j], place], -1)[None])
            values[:, i, j] = outputs[0]
            ends.append(states[-1][0][0].numpy())
        np.testing.assert_allclose(memory.values[row], values.reshape(-1, 4), atol=1e-5)
        first = teller.decoder.get_initial_state(tf.constant(np.max(ends, 0)[None]), None)["states"]
        np.testing.assert_allclose(state["states"][0][row], first[0][0], atol=1e-5)
    teller.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded((frames, tokens)), teller((frames, tokens)), atol=1e-6)


def test_maps_that_were_made_before_are_told_of_alike() -> None:
    given = keras.Input((4, 5, 3))
    maps = keras.Model(given, keras.layers.Conv2D(6, 3, 2, "same")(given / 256))
    tokens = np.array([[1, 3, 4]] * 4)
    whole, rest = map_teller(maps), map_teller(None)
    whole.build((FRAMES.shape, tokens.shape))
    randomize_weights(whole)
    made = zoo.FrameVectors(maps)(FRAMES)
    rest.build((made.shape, tokens.shape))
    for mine, other in ((rest.encoder, whole.encoder), (rest.decoder, whole.decoder)):
        mine.set_weights(other.get_weights())
    np.testing.assert_allclose(rest((made, tokens)), whole((FRAMES, tokens)), atol=1e-5)
