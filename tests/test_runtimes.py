"""Exports in other runtimes: older TensorFlow, sessions, Keras, C, and after conversion ONNX Runtime and LiteRT."""

import os
import pickle
import re
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from exports import OPERATIONS, Outputs, assert_portable, assert_same_outputs, predict_in_process, run_parts
from reexports import TEXTS, build_module, export_again, make_examples
from runtime_client import pack, run_loaded, unpack

import zoo

pytestmark = pytest.mark.slow

OLDEST = "2.16.2"
"""The oldest version of TensorFlow in which exports are tested."""

NAMES = ("sentiment", "captioning", "tagging", "translation", "language_model", "next_word")
CLIENT = Path(__file__).with_name("runtime_client.py")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each task, exported by this version of the code."""
    directory = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.export.saved_model.run_in_fresh_process", predict_in_process)
        return {name: export_again(name, directory / name / "1") for name in NAMES}


# Other versions of TensorFlow, and other ways to run a SavedModel.


@pytest.fixture(scope="module")
def oldest_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python in an environment with the oldest version of TensorFlow, from the package index.

    Where it cannot be installed, tests that use this are skipped, or fail if ZOO_REQUIRE_OLDEST_TENSORFLOW is set.
    """
    directory = tmp_path_factory.mktemp("oldest")
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    command = [python, "-m", "pip", "install", "-q", f"tensorflow-cpu=={OLDEST}"]
    installed = subprocess.run(command, capture_output=True, text=True)
    if installed.returncode:
        report = pytest.fail if os.environ.get("ZOO_REQUIRE_OLDEST_TENSORFLOW") else pytest.skip
        report(
            f"tensorflow-cpu {OLDEST} cannot be installed for Python {sys.version_info[0]}.{sys.version_info[1]}; it "
            f"needs the package index and Python 3.9 to 3.12: {installed.stderr.strip()[-300:]}"
        )
    return python


Call = tuple[str, str, dict[str, Any]]
"""Directory, signature and inputs."""


@pytest.fixture(scope="module")
def calls(exports: dict[str, Path]) -> list[tuple[Call, Outputs]]:
    """Calls of `serving_default` and its parts of each export, with their outputs in this process."""
    calls = []
    for name, directory in exports.items():
        inputs = {
            key: [item.read_bytes() if isinstance(item, Path) else item for item in value]
            if isinstance(value, list)
            else value
            for key, value in make_examples(name).items()
        }
        model = tf.saved_model.load(str(directory))
        specs = model.signatures["serving_default"].structured_input_signature[1]
        tensors = {key: tf.constant(value, specs[key].dtype).numpy() for key, value in inputs.items()}
        calls.append((str(directory), "serving_default", tensors))
        if name != "tagging":
            parts = run_parts(directory, inputs)
            calls += [(str(directory), part, part_inputs) for part, (part_inputs, _) in parts.items()]
    assert len(calls) >= 20
    return [(call, run_loaded(*call)) for call in calls]


def run_calls(python: Path | str, way: str, calls: Sequence[Call]) -> list[Any]:
    """Return the outputs of calls in a new process; see `runtime_client`."""
    packed = [(directory, signature, pack(inputs)) for directory, signature, inputs in calls]
    client = subprocess.run([python, "-I", CLIENT, way], input=pickle.dumps(packed), capture_output=True)
    assert client.returncode == 0, client.stderr.decode()[-3000:]
    return [unpack(outputs) for outputs in pickle.loads(client.stdout)]


def compare_ways(python: Path | str, calls: Sequence[tuple[Call, Outputs]]) -> None:
    """Compare the outputs of calls in each of the ways with those in this process."""
    whole = [call for call in calls if call[0][1] in ("serving_default", "score", "generate")]
    of_one_input = [call for call in whole if len(call[0][2]) == 1]
    for way, chosen in {"load": calls, "session": whole, "c": whole, "keras": of_one_input}.items():
        actual = run_calls(python, way, [call for call, _ in chosen])
        for outputs, (_, expected) in zip(actual, chosen, strict=True):
            assert_same_outputs(outputs, expected)


def test_exports_run_in_sessions_keras_and_c(calls: list[tuple[Call, Outputs]]) -> None:
    compare_ways(sys.executable, calls)


def test_exports_run_in_the_oldest_version(calls: list[tuple[Call, Outputs]], oldest_python: Path) -> None:
    compare_ways(oldest_python, calls)


def test_the_oldest_version_has_all_operations(oldest_python: Path) -> None:
    code = (
        "import sys, tensorflow as tf; from tensorflow.python.framework import op_def_registry\n"
        "print(tf.__version__, [n for n in sys.stdin.read().split() if op_def_registry.get(n) is None])"
    )
    with OPERATIONS.open() as names:
        printed = subprocess.run([oldest_python, "-c", code], stdin=names, capture_output=True, text=True)
    assert printed.stdout.strip() == f"{OLDEST} []", printed.stderr


def test_exports_use_listed_operations_alone(exports: dict[str, Path]) -> None:
    for directory in exports.values():
        assert_portable(directory)


# ONNX and LiteRT.


def convert_to_onnx(directory: Path, signature: str, path: Path) -> onnxruntime.InferenceSession:
    """Convert a signature of an export with the command in the docs."""
    options = {"saved-model": directory, "signature_def": signature, "opset": 18, "output": path}
    command = [f"--{name}={value}" for name, value in options.items()]
    converted = subprocess.run(
        [sys.executable, "-m", "tf2onnx.convert", *command], capture_output=True, text=True
    )
    assert converted.returncode == 0, converted.stderr[-3000:]
    return onnxruntime.InferenceSession(path)


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("sentiment", "score"),
        ("language_model", "score"),
        ("next_word", "score"),
        ("translation", "generate"),
        ("captioning", "generate"),
    ],
)
def test_onnx_computes_what_the_export_does(
    exports: dict[str, Path], name: str, signature: str, tmp_path: Path
) -> None:
    """On batches of different sizes and lengths, also of one row."""
    session = convert_to_onnx(exports[name], signature, tmp_path / "model.onnx")
    inputs = make_examples(name)
    if name == "captioning":
        inputs = {"image": [path.read_bytes() for path in inputs["image"]]}
    (key, rows), names = *inputs.items(), [output.name for output in session.get_outputs()]
    for batch in (rows, rows[:1], rows[1:2], rows[-2:]):
        fed, expected = run_parts(exports[name], {key: batch})[signature]
        actual = dict(zip(names, session.run(names, fed), strict=True))
        for output, value in expected.items():
            if value.dtype.kind == "f":
                np.testing.assert_allclose(actual[output], value, atol=2e-5, err_msg=output)
            else:
                np.testing.assert_array_equal(actual[output], value, err_msg=output)


def test_litert_scores_a_text_of_any_length(tmp_path: Path) -> None:
    module = build_module("sentiment", tmp_path)
    score = tf.function(module.score, [tf.TensorSpec([1, None], tf.int32, "ids")], autograph=False)
    content = zoo.export.convert_to_litert(score, [weight.value for weight in module.model.weights])
    interpreter = Interpreter(model_content=content)
    operations = {operation["op_name"] for operation in interpreter._get_ops_details()}
    assert "WHILE" in operations
    assert not [name for name in operations if re.search("flex|custom", name, re.IGNORECASE)]
    runner = interpreter.get_signature_runner()
    for text in TEXTS:
        ids = module.preprocessor.tokenizer([text]).ids
        np.testing.assert_allclose(
            runner(ids=ids.numpy())["scores"], module.score(ids)["scores"], atol=1e-5, err_msg=text
        )
