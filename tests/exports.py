"""How tests run recipes, as a user does, and their exports, as a client with TensorFlow alone does."""

import io
import json
import pickle
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo._compat import parse_saved_model
from zoo.export import call_by_name
from zoo.preprocessing.text import END_ID, START_ID
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


@contextmanager
def save_time() -> Iterator[None]:
    """Leave out what takes most of the time of a small recipe: XLA, the plots of training, and the fresh process.

    `test_sentiment.py` runs a recipe with all of them.
    """
    with zoo.disable_jit(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.training.run_directory.plot_training_curves", lambda run_dir, image_path: None)
        patch.setattr("zoo.export.saved_model.run_in_fresh_process", predict_in_process)
        yield


def assert_same_outputs(actual: Mapping[str, Any], expected: Outputs) -> None:
    """Compare outputs of two signatures: strings must be equal, numbers may differ by rounding."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        if value.dtype == object:
            assert np.array(actual[name]).tolist() == value.tolist(), name
        else:
            np.testing.assert_allclose(actual[name], value, atol=1e-5, err_msg=name)


def assert_batchable(directory: Path, requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Check that a server can combine requests: each gets what it gets alone.

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
        tensors = [{key: tf.constant(values[key], specs[key].dtype) for key in specs} for values in inputs]
        ends = np.cumsum([len(next(iter(values.values()))) for values in tensors])
        combined = signature(**{key: tf.concat([values[key] for values in tensors], 0) for key in specs})
        assert {len(value) for value in combined.values()} == {ends[-1]}
        results = {key: np.split(value.numpy(), ends[:-1]) for key, value in combined.items()}
        for number, values in enumerate(tensors):
            expected = {key: value.numpy() for key, value in signature(**values).items()}
            assert_same_but_for_padding({key: rows[number] for key, rows in results.items()}, expected)


def assert_served_in_batches(directory: Path, requests: Sequence[Mapping[str, Any]]) -> None:
    """Check that a server does combine requests of several threads for `serving_default`.

    Args:
        directory: of an export.
        requests: inputs by name of several requests, which have the same shape but for the batch.
    """
    model = tf.saved_model.load(str(directory))
    signature = model.signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    tensors = [[tf.constant(values[key], specs[key].dtype) for key in specs] for values in requests]
    size = sum(int(values[0].shape[0]) for values in tensors)

    @tf.nondifferentiable_batch_function(
        num_batch_threads=1, max_batch_size=size, batch_timeout_micros=5_000_000, autograph=False
    )
    def combine(*values: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tf.shape(values[0])[:1]
        return signature(**dict(zip(specs, values, strict=True))) | {"rows": tf.fill(rows, rows[0])}

    serve = tf.function(combine, input_signature=list(specs.values()), autograph=False)
    serve.get_concrete_function()
    with ThreadPoolExecutor(len(tensors)) as threads:
        results = list(threads.map(lambda values: serve(*values), tensors))
    for values, result in zip(tensors, results, strict=True):
        assert set(result.pop("rows").numpy()) == {size}
        expected = signature(**dict(zip(specs, values, strict=True)))
        assert_same_but_for_padding(result, {key: value.numpy() for key, value in expected.items()})


PARTS = ("encode", "preprocess", "score", "generate", "decode", "init", "step")
"""Signatures that together compute `serving_default`, and the steps of `generate`, each after those it depends on."""

NUM_WORDS = 3
"""Number of next words that are compared."""


def run_parts(directory: Path, inputs: Mapping[str, Any]) -> dict[str, tuple[Outputs, Outputs]]:
    """Return inputs and outputs of the `PARTS` that an export has, each with outputs of those before it.

    Args:
        directory: of the export.
        inputs: of `serving_default`.
    """
    model, parts = tf.saved_model.load(str(directory)), {}
    values = dict(inputs)
    for name in PARTS:
        if name not in model.signatures:
            continue
        specs = model.signatures[name].structured_input_signature[1]
        if name == "decode" and "probabilities" in values:
            values["ids"] = np.argsort(-values["probabilities"], axis=-1, kind="stable")[:, :NUM_WORDS]
        if name == "step":
            values["ids"] = np.full(len(values["state_0"]), START_ID)
        tensors = {key: tf.constant(values[key], spec.dtype) for key, spec in specs.items()}
        outputs = {key: value.numpy() for key, value in model.signatures[name](**tensors).items()}
        parts[name] = {key: tensor.numpy() for key, tensor in tensors.items()}, outputs
        values |= outputs
    return parts


def make_part_requests(
    directory: Path, requests: Sequence[Mapping[str, Any]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return requests for each of the `PARTS` of an export, for `assert_batchable`.

    Args:
        directory: of the export.
        requests: for `serving_default`, each with the same inputs by name.
    """
    joined = {name: [row for request in requests for row in request[name]] for name in requests[0]}
    ends = np.cumsum([len(next(iter(request.values()))) for request in requests])
    split = {
        name: {key: np.split(value, ends[:-1]) for key, value in inputs.items()}
        for name, (inputs, _) in run_parts(directory, joined).items()
    }
    return {
        name: [{key: values[number] for key, values in inputs.items()} for number in range(len(requests))]
        for name, inputs in split.items()
    }


def assert_parts_compute_the_whole(directory: Path, inputs: Mapping[str, Any]) -> None:
    """Check that the parts of `serving_default`, one after the other, return its answers, where it has some."""
    whole, parts = predict_in_process(directory, inputs), {}
    for _, outputs in run_parts(directory, inputs).values():
        parts |= outputs
    answers = next(whole[name] for name in ("label", "captions", "translations", "words") if name in whole)
    has_answer = answers.reshape(len(answers), -1)[:, 0] != b""
    assert has_answer.any()
    names = whole.keys() & parts.keys() - {"status", "attention", "probabilities"}
    assert names
    for name in names:
        expected = whole[name][:, :NUM_WORDS] if name == "words" else whole[name]
        assert_same_outputs({name: parts[name][has_answer]}, {name: expected[has_answer]})


def generate_greedily(directory: Path, source: np.ndarray, max_length: int) -> np.ndarray:
    """Return the ids [batch, 1, steps] of the most probable token at each step, with `init` and `step` of an export.

    Args:
        directory: of the export.
        source: input of `init`.
        max_length: number of steps after which a sequence stops without an end.
    """
    model = tf.saved_model.load(str(directory))
    init, step = (model.signatures[name] for name in ("init", "step"))
    (name,) = init.structured_input_signature[1]
    values = init(**{name: tf.constant(source)})
    ids, sequences = np.full(len(source), START_ID, np.int32), []
    is_open = np.full(len(source), True)
    while is_open.any() and len(sequences) < max_length:
        outputs = step(ids=tf.constant(ids), **values)
        values = {name: outputs.get(f"next_{name}", value) for name, value in values.items()}
        ids = outputs["logits"].numpy().argmax(-1).astype(np.int32)
        is_open &= ids != END_ID
        sequences.append(np.where(is_open, ids, 0))
    return np.stack(sequences, 1)[:, None]


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


def edit_card(directory: Path, **changes: Any) -> None:
    """Change fields of the card of an export."""
    path = directory / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(card | changes), encoding="utf-8")


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
