"""Conversion for LiteRT, and the files of an export besides the graph."""

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from references import randomize_weights
from test_export import CARD

import zoo

SHAPE, OFFSETS = (12, 14, 3), (-2, -1, 1)


@pytest.fixture(scope="module")
def model() -> zoo.ManyToMany:
    frames = keras.Input((*SHAPE[:2], SHAPE[2] * (1 + len(OFFSETS))))
    x = keras.layers.Conv2D(16, 3, 2, activation="relu")(keras.layers.Rescaling(1 / 64)(frames))
    frame_encoder = keras.Model(frames, keras.layers.Dense(24, "relu")(keras.layers.Flatten()(x)))
    model = zoo.ManyToMany(zoo.Encoder(zoo.GRUCell(24)), 4, zoo.FrameVectors(frame_encoder, OFFSETS))
    model.build(((None, None, *SHAPE), (None,)))
    randomize_weights(model)
    return model


@pytest.fixture(scope="module")
def contents(model: zoo.ManyToMany) -> list[bytes]:
    """The step of one stream, one frame at a time, in float32 and quantized."""
    state_specs = [
        tf.TensorSpec(value.shape, value.dtype, name) for name, value in model.get_initial_state(1).items()
    ]
    specs = [tf.TensorSpec([1, 1, *SHAPE], tf.float32, "frames"), *state_specs]

    def step(frames: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, state = model.step(frames, dict(zip(model.get_initial_state(1), states, strict=True)))
        return {"scores": scores} | state

    function = tf.function(step, input_signature=specs, autograph=False)
    weights = [weight.value for weight in model.weights]
    return [zoo.export.convert_to_litert(function, weights, quantized) for quantized in (False, True)]


def run_stream(content: bytes, frames: np.ndarray, model: zoo.ManyToMany) -> np.ndarray:
    """Return the scores [time + lookahead, classes] of a converted step, frame by frame."""
    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    state, scores = {name: value.numpy() for name, value in model.get_initial_state(1).items()}, []
    for frame in frames:
        outputs = runner(frames=frame[None, None], **state)
        state = {name: outputs[name] for name in state}
        scores.append(outputs["scores"][0, 0])
    return np.stack(scores)


def test_a_converted_step_has_the_outputs_of_the_model(model: zoo.ManyToMany, contents: list[bytes]) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (20, *SHAPE)).astype(np.float32)
    expected = model((frames[None], np.array([20]))).numpy()[0]
    padded = np.concatenate([frames, np.zeros((model.lookahead, *SHAPE), np.float32)])  # as `finish` does
    exact, quantized = (run_stream(content, padded, model)[model.lookahead :] for content in contents)
    np.testing.assert_allclose(exact, expected, rtol=1e-5, atol=1e-5)
    assert 1e-5 < np.abs(quantized - expected).max() < 0.1 * np.ptp(expected)


def test_quantized_weights_are_smaller(model: zoo.ManyToMany, contents: list[bytes]) -> None:
    size = 4 * model.count_params()
    assert size < len(contents[0])
    assert len(contents[0]) - len(contents[1]) > 0.5 * size


def test_only_built_in_operations_are_used(contents: list[bytes]) -> None:
    for content in contents:
        interpreter = Interpreter(model_content=content)
        names = {operation["op_name"] for operation in interpreter._get_ops_details()}
        assert {"CONV_2D", "FULLY_CONNECTED"} <= names
        assert not [name for name in names if re.search("flex|custom|while", name, re.IGNORECASE)]


def test_operations_that_do_not_convert_are_named() -> None:
    def shout(text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"louder": tf.strings.upper(text), "length": tf.strings.length(text)}

    words = tf.function(shout, input_signature=[tf.TensorSpec([1], tf.string, "text")])
    with pytest.raises(zoo.errors.ExportError) as error:
        zoo.export.convert_to_litert(words, [])
    assert str(error.value) == (
        "The function does not convert for LiteRT: LiteRT has no operation StringLength, StringUpper."
    )


def test_a_loop_that_does_not_convert_is_reported() -> None:
    def double(x: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[2])

        def step(i: tf.Tensor, rows: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            return i + 1, rows.write(i, 2 * x[i])

        return {"doubled": tf.while_loop(lambda i, _: i < tf.shape(x)[0], step, (0, rows))[1].stack()}

    spec = tf.TensorSpec([None, 2], tf.float32, "x")
    with pytest.raises(zoo.errors.ExportError, match=r"does not convert for LiteRT: [\s\S]*tensor list"):
        zoo.export.convert_to_litert(tf.function(double, input_signature=[spec], autograph=False), [])


# The files of an export.


class Scale(tf.Module):
    """Maps the frames of a sequence, and a factor of the row, to a number for each frame."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, None, 2], tf.uint8, "frames"),
            tf.TensorSpec([None], tf.int32, "factors"),
        ]
    )
    def serve(self, frames: tf.Tensor, factors: tf.Tensor) -> dict[str, tf.Tensor]:
        means = tf.reduce_mean(tf.cast(frames, tf.float32), [2, 3])
        return {"means": means * tf.cast(factors, tf.float32)[:, None]}


FRAMES = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 2)).astype(np.uint8)
FACTORS = np.array([2, -1, 3], np.int32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    module, directory = Scale(), tmp_path_factory.mktemp("scale") / "1"
    inputs = {"factors": FACTORS, "frames": FRAMES}  # in another order than the signature has
    files = {"small.tflite": b"\0\1", "notes.txt": b"read me"}
    signatures = {"serving_default": module.serve}
    return zoo.export_model(signatures, directory, CARD, examples=inputs, resources=[module], files=files)


def test_a_function_is_called_by_the_names_of_its_inputs() -> None:
    outputs = zoo.export.call_by_name(Scale().serve, factors=tf.constant(FACTORS), frames=tf.constant(FRAMES))
    np.testing.assert_allclose(outputs["means"], FRAMES.mean((2, 3)) * FACTORS[:, None], rtol=1e-5)


def test_large_arrays_are_files_and_small_ones_are_on_the_card(exported: Path) -> None:
    array = np.load(exported / "example_frames.npy")
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, FRAMES)
    example = json.loads((exported / "card.json").read_text(encoding="utf-8"))["example"]
    assert example["inputs"] == {"frames": {"array": "example_frames.npy"}, "factors": [2, -1, 3]}
    np.testing.assert_allclose(example["outputs"]["means"], FRAMES.mean((2, 3)) * FACTORS[:, None], rtol=1e-5)


def test_files_are_part_of_the_export(exported: Path) -> None:
    assert (exported / "small.tflite").read_bytes() == b"\0\1"
    assert (exported / "notes.txt").read_bytes() == b"read me"
    size = json.loads((exported / "card.json").read_text(encoding="utf-8"))["size_bytes"]
    described = ("card.json", "README.md", "SHA256SUMS")
    others = [file for file in exported.rglob("*") if file.name not in described]
    assert size == sum(file.stat().st_size for file in others if file.is_file())


def test_the_code_on_the_page_of_an_export_runs(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (exported / "README.md").read_text("utf-8"), re.DOTALL)
    assert "np.load" in code
    monkeypatch.chdir(exported)
    names: dict[str, object] = {}
    exec(code, names)
    np.testing.assert_allclose(names["outputs"]["means"], FRAMES.mean((2, 3)) * FACTORS[:, None], rtol=1e-5)
