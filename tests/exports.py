"""How tests run recipes, as a user does, and their exports, as a client with TensorFlow alone does."""

import io
import json
import pickle
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from zoo._compat import parse_saved_model
from zoo.export import call_by_name
from zoo.tasks import ServingModule

ROOT = Path(__file__).parents[1]

OPERATIONS = Path(__file__).with_name("export_operations.txt")
"""Names of the operations that exports use; TensorFlow 2.16 has each, which `test_runtimes.py` tests."""

Outputs = dict[str, np.ndarray]

CLIENT = """
import pickle, sys
sys.modules["keras"] = sys.modules["zoo"] = None  # importing them would fail
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
results, outputs = [], {}
for signature, inputs in pickle.load(sys.stdin.buffer):
    names = list(model.signatures[signature].structured_input_signature[1])
    if isinstance(inputs, list):
        (name,) = names
        inputs = {name: tf.constant(inputs, tf.string, [len(inputs)])}
    inputs = outputs | inputs
    outputs = model.signatures[signature](**{name: tf.constant(inputs[name]) for name in names})
    results.append({name: value.numpy() for name, value in outputs.items()})
pickle.dump(results, sys.stdout.buffer)
"""


def run_zoo(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command `zoo` in the checkout."""
    command = [sys.executable, "-m", "zoo_command", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)


def run_client(model: Path, *calls: tuple[str, list[bytes | str] | Mapping[str, object]]) -> list[Outputs]:
    """Return the outputs of an export's signatures in a fresh process with TensorFlow alone.

    Args:
        model: directory of the export.
        calls: name of a signature, and its inputs: the strings of its only input, or arrays by name. Inputs that
            are left out are taken from the outputs of the call before, as a stream continues.
    """
    client = subprocess.run(
        [sys.executable, "-I", "-c", CLIENT, str(model)],
        input=pickle.dumps(calls),
        capture_output=True,
    )
    assert client.returncode == 0, client.stderr.decode()
    results: list[Outputs] = pickle.loads(client.stdout)
    return results


def predict_in_process(directory: Path, inputs: Mapping[str, object]) -> Outputs:
    """Return the outputs of an export's `serving_default`, without the seconds that a fresh process takes."""
    model = tf.saved_model.load(str(directory))
    outputs = model.signatures["serving_default"](**{name: tf.constant(x) for name, x in inputs.items()})
    return {name: output.numpy() for name, output in outputs.items()}


def assert_same_outputs(actual: Mapping[str, Any], expected: Outputs) -> None:
    """Compare outputs of two signatures: strings must be equal, numbers may differ by rounding."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        if value.dtype == object:
            assert np.array(actual[name]).tolist() == value.tolist(), name
        else:
            np.testing.assert_allclose(actual[name], value, atol=1e-5, err_msg=name)


def assert_batchable(directory: Path, requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Check that a server can combine the requests of several threads: each gets what it gets alone.

    Args:
        directory: of an export.
        requests: for each signature that its card does not mark as not batchable, inputs by name of several
            requests, which have the same shape but for the batch.
    """
    signatures = json.loads((directory / "card.json").read_text(encoding="utf-8"))["signatures"]
    assert requests.keys() == {name for name, described in signatures.items() if described["is_batchable"]}
    assert "serving_default" in requests
    model = tf.saved_model.load(str(directory))
    for name, inputs in requests.items():
        signature = model.signatures[name]
        specs = signature.structured_input_signature[1]
        tensors = [[tf.constant(values[key], specs[key].dtype) for key in specs] for values in inputs]
        size = sum(int(values[0].shape[0]) for values in tensors)

        @tf.nondifferentiable_batch_function(
            num_batch_threads=1, max_batch_size=size, batch_timeout_micros=5_000_000, autograph=False
        )
        def combine(
            *values: tf.Tensor, signature: Any = signature, specs: Mapping[str, Any] = specs
        ) -> dict[str, tf.Tensor]:
            rows = tf.shape(values[0])[:1]
            return signature(**dict(zip(specs, values, strict=True))) | {"rows": tf.fill(rows, rows[0])}

        serve = tf.function(combine, input_signature=list(specs.values()), autograph=False)
        serve.get_concrete_function()
        with ThreadPoolExecutor(len(tensors)) as threads:
            results = list(threads.map(lambda values, serve=serve: serve(*values), tensors))
        for values, result in zip(tensors, results, strict=True):
            assert set(result.pop("rows").numpy()) == {size}
            expected = signature(**dict(zip(specs, values, strict=True)))
            assert_same_but_for_padding(result, {key: value.numpy() for key, value in expected.items()})


def assert_same_but_for_padding(actual: Mapping[str, Any], expected: Outputs) -> None:
    """Compare outputs with those of fewer rows, which have less padding."""
    cut = {name: np.asarray(value)[tuple(map(slice, expected[name].shape))] for name, value in actual.items()}
    assert_same_outputs(cut, expected)
    for name, value in actual.items():
        assert np.count_nonzero(value) == np.count_nonzero(cut[name]), name


def assert_same_as_export(module: ServingModule[Any], directory: Path, inputs: Mapping[str, object]) -> None:
    """Compare `serving_default` of a module with that of an export, in this process."""
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    actual = call_by_name(module.signatures["serving_default"], **tensors)
    assert_same_outputs(actual, predict_in_process(directory, inputs))


def list_operations(directory: Path) -> set[str]:
    """Return the names of the operations in the graphs and functions of a SavedModel."""
    nodes: list[Any] = []
    for graph in parse_saved_model((directory / "saved_model.pb").read_bytes()).meta_graphs:
        nodes += graph.graph_def.node
        for function in graph.graph_def.library.function:
            nodes += function.node_def
    return {node.op for node in nodes}


def assert_portable(directory: Path) -> None:
    """Check that an export uses operations of `OPERATIONS` alone. If it needs others, add them there."""
    assert not list_operations(directory) - set(OPERATIONS.read_text(encoding="utf-8").split())


def read_metrics(model: Path) -> dict[str, float]:
    """Return the metrics on the card of an export."""
    metrics: dict[str, float] = json.loads((model / "card.json").read_text(encoding="utf-8"))["metrics"]
    return metrics


def run_with_mistake(
    recipe: str,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """Run a recipe in this process with arguments that it refuses; return its message, with single spaces."""
    script = str(ROOT / "recipes" / f"{recipe}.py")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(script, run_name="__main__")
    assert exit_.value.code == 2
    return " ".join(capsys.readouterr().err.replace("│", " ").split())
