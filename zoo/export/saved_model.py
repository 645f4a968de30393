"""SavedModels with pre- and postprocessing: written, loaded in a fresh process, compared, described."""

import dataclasses
import itertools
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import parse_saved_model, write_fingerprint
from zoo.card import FILE, PAGE, Answer, Card, write_card
from zoo.errors import ExportError
from zoo.export.half_precision import HalfPrecisionWeights
from zoo.export.keras_models import describe_weights, list_variables
from zoo.layers import disable_jit
from zoo.manifest import write_manifest
from zoo.paths import check_writable_directory
from zoo.provenance import get_commit, get_versions

Arrays = Mapping[str, np.ndarray]

# A client with TensorFlow and nothing else, run in a process of its own.
_CLIENT = """
import pickle, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
inputs = {name: tf.constant(value) for name, value in pickle.load(sys.stdin.buffer).items()}
outputs = model.signatures["serving_default"](**inputs)
pickle.dump({name: value.numpy() for name, value in outputs.items()}, sys.stdout.buffer)
"""


def export_model(
    signatures: Mapping[str, Callable[..., Any]],
    directory: str | Path,
    card: Card,
    *,
    examples: Mapping[str, Any],
    publish_examples: bool = True,
    model: keras.Model | None = None,
    networks: Mapping[str, keras.Model] | None = None,
    resources: Sequence[tf.Module] = (),
    files: Mapping[str, bytes] | None = None,
    half_precision: bool = False,
    answer: Callable[[Mapping[str, Any]], Sequence[Answer]] | None = None,
) -> Path:
    """Write a SavedModel with its card, after a fresh process has computed the same outputs from it.

    The export is written beside `directory` and moved there at the end: an export that fails or is
    interrupted leaves an earlier one unchanged.

    Args:
        signatures: `tf.function`s with an input signature that return tensors by name, under the names by
            which clients call them. One is `serving_default`.
        directory: where the SavedModel goes; by convention `<name>/<version>`, the version a whole number.
        card: becomes `card.json` and `README.md` in the directory, beside `SHA256SUMS`, the hashes of all files.
        examples: inputs of `serving_default` by name, for the comparison and for the card. A list of `Path`
            stands for the contents of these files, such as images; copies of them are stored with the card,
            and so is a file of an array of three or more dimensions, such as frames.
        publish_examples: whether the card shows the examples. Otherwise they serve the comparison alone, and
            the export contains nothing of them.
        model: the built Keras model that the signatures use. `zoo.export.load_keras_model` gives it back, with
            its weights, from the export.
        networks: frozen networks in front of the model, by name. Their weights are exported too; their
            architecture is for the preprocessor to rebuild.
        resources: modules with tables or variables that the signatures use, such as tokenizers.
        files: content of further files by name.
        half_precision: whether matrices of weights are stored in float16, half the size. The graph converts them
            to float32 at the start of each call, in 0.3 ms for a million weights.
        answer: from the signatures, as they are exported, to what the card shows of the examples.

    Returns:
        The directory.

    Raises:
        ExportError: the directory holds something else, the disk is full, a signature is compiled by XLA, or
            the outputs of the fresh process differ.

    Example:
        >>> import tempfile, tensorflow as tf, zoo
        >>> spec = tf.TensorSpec([None], tf.float32, "x")
        >>> double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec])
        >>> card = zoo.export.Card(
        ...     task="doubling",
        ...     input_kind="array",
        ...     title="Doubler",
        ...     summary="Doubles numbers.",
        ...     data="None.",
        ...     license="CC0-1.0",
        ...     command="python double.py",
        ... )
        >>> with tempfile.TemporaryDirectory() as directory:  # doctest: +SKIP
        ...     signatures, examples = {"serving_default": double}, {"x": [1.0, 2.0]}
        ...     path = zoo.export_model(signatures, f"{directory}/doubler/1", card, examples=examples)
        ...     model = tf.saved_model.load(str(path))  # keep it for as long as you use its signatures
        ...     print(model.signatures["serving_default"](x=tf.constant([3.0, 4.0, 5.0]))["y"].numpy())
        [ 6.  8. 10.]
    """
    directory = Path(directory).absolute()
    networks = networks or {}
    list_stored = list_variables
    if half_precision:
        weights = HalfPrecisionWeights([*([model] if model else []), *networks.values()])
        signatures = {name: weights.trace(function) for name, function in signatures.items()}
        list_stored = weights.list_variables
    new, old = (directory.with_name(f".{directory.name}.{state}") for state in ("new", "old"))
    check_export_dir(directory)
    try:
        if old.exists() and not directory.exists():  # an export was interrupted between its two moves
            old.rename(directory)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        with disable_jit():
            functions = {
                name: function.get_concrete_function()  # type: ignore[attr-defined]  # of tf.function
                for name, function in signatures.items()
            }
            # `tf.saved_model.save` traces anew what is not concrete. That is needed only for what was compiled before.
            saved = {
                name: signatures[name]
                if _is_compiled(function.graph.as_graph_def().SerializeToString())
                else function
                for name, function in functions.items()
            }
            options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
            # The plain variables instead of the Keras model: the session that `saved_model_cli` opens does not
            # restore some of the variables that are tracked through the model.
            module = tf.Module()
            module.model = list_stored(model) if model else []
            module.networks = {name: list_stored(network) for name, network in networks.items()}
            module.resources = list(resources)
            tf.saved_model.save(module, str(new), saved, options)
        _simplify_graphs(new)
        if _is_compiled((new / "saved_model.pb").read_bytes()):
            raise ExportError(
                f"{directory} was not exported: a signature is compiled by XLA, so it would not load "
                "everywhere. Leave out `jit_compile=True`."
            )
        inputs = {name: tf.constant(_read_files(value)) for name, value in examples.items()}
        outputs = _to_arrays(call_by_name(signatures["serving_default"], **inputs))
        _compare(outputs, run_in_fresh_process(new, _to_arrays(inputs)))
        example: dict[str, Any] = {"inputs": {}, "outputs": {}}
        if publish_examples:
            example = {
                "inputs": {name: _store_input(name, value, new) for name, value in examples.items()},
                "outputs": {name: _to_json(value.tolist()) for name, value in outputs.items()},
            }
            if answer:
                card = dataclasses.replace(card, answers=tuple(answer(functions)))
        for name, content in (files or {}).items():
            (new / name).write_bytes(content)
        write_card(card, _collect_facts(new, functions, model, networks, example), new)
        write_manifest(new)
        if directory.exists():
            directory.rename(old)
        new.rename(directory)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"{directory} was not exported: {error}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return directory


def name_example_files(paths: Sequence[Path]) -> list[str]:
    """Return the names under which an export holds copies of the files that its card shows.

    >>> name_example_files([Path("dog.jpg"), Path("cat.png")])
    ['example1.jpg', 'example2.png']
    """
    return [f"example{number}{path.suffix}" for number, path in enumerate(paths, 1)]


def check_export_dir(directory: Path, option: str = "") -> None:
    """Check that a model can be exported to a directory, before the work for it is done.

    Args:
        directory: where the SavedModel is to go.
        option: the option that it was written for; errors begin with it.

    Raises:
        ExportError: the directory holds something else.
        PathError: it cannot be written.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     zoo.export.check_export_dir(Path(directory, "model", "1"))
        ...     _ = Path(directory, "notes.txt").write_text("mine")
        ...     try:
        ...         zoo.export.check_export_dir(Path(directory))
        ...     except zoo.errors.ExportError as error:
        ...         print(str(error).removeprefix(directory))
         exists and is not a SavedModel. Choose another directory, or remove it.
    """
    check_writable_directory(directory, option)
    if directory.exists() and not (directory / "saved_model.pb").exists() and any(directory.iterdir()):
        raise ExportError(
            f"{option and f'{option}: '}{directory} exists and is not a SavedModel. Choose another directory, or "
            "remove it."
        )


def call_by_name(function: Callable[..., Any], **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
    """Call a `tf.function` by the names in its input signature, as clients call its export.

    Example:
        >>> import tensorflow as tf, zoo
        >>> spec = tf.TensorSpec([None], tf.float32, "x")
        >>> double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec])
        >>> zoo.export.call_by_name(double, x=tf.constant([1.0]))["y"].numpy().tolist()
        [2.0]
    """
    outputs: dict[str, tf.Tensor] = function(*(inputs[spec.name] for spec in function.input_signature))  # type: ignore[attr-defined]  # of tf.function
    return outputs


def run_in_fresh_process(directory: Path, inputs: Arrays) -> dict[str, np.ndarray]:
    """Return what `serving_default` computes in a new process that imports TensorFlow alone.

    Raises:
        ExportError: the export does not load there.
    """
    with tempfile.TemporaryDirectory() as working_directory:
        client = subprocess.run(
            [sys.executable, "-I", "-c", _CLIENT, str(directory)],
            input=pickle.dumps(dict(inputs)),
            capture_output=True,
            cwd=working_directory,
        )
    if client.returncode:
        raise ExportError(f"The export does not load:\n{client.stderr.decode(errors='replace')}")
    outputs: dict[str, np.ndarray] = pickle.loads(client.stdout)
    return outputs


def _is_compiled(graph: bytes) -> bool:
    """Return whether a graph, or a function of it, is compiled by XLA."""
    return b"_XlaMustCompile" in graph


def _simplify_graphs(directory: Path) -> None:
    """Remove from the graphs of an export what it does not need, and other programs stumble over.

    The names of gradients: an export is not differentiated, and loading it would warn of them. And the operation
    `DisableCopyOnRead` in the function that saves the variables: it spares a copy of variables that are updated row
    by row, and some bindings of TensorFlow do not have it.
    """
    path = directory / "saved_model.pb"
    model = parse_saved_model(path.read_bytes())
    for graph in model.meta_graphs:
        functions = graph.graph_def.library.function
        for node in itertools.chain(graph.graph_def.node, *(function.node_def for function in functions)):
            if "_gradient_op_type" in node.attr:
                del node.attr["_gradient_op_type"]
        for function in functions:
            _remove_operation(function, "DisableCopyOnRead")
    path.write_bytes(model.SerializeToString(deterministic=True))
    write_fingerprint(directory)


def _remove_operation(function: Any, operation: str) -> None:
    """Remove an operation without outputs, and what waits for it, from the protocol buffer of a function."""
    names = {node.name for node in function.node_def if node.op == operation}
    for index in reversed(range(len(function.node_def))):
        node = function.node_def[index]
        if node.name in names:
            del function.node_def[index]
        else:
            node.input[:] = [name for name in node.input if name.removeprefix("^") not in names]
    for output in [output for output, name in function.control_ret.items() if name in names]:
        del function.control_ret[output]
        function.signature.control_output.remove(output)


def _compare(outputs: Arrays, loaded: Arrays) -> None:
    for name, expected in outputs.items():
        actual = loaded[name]
        is_float = np.issubdtype(expected.dtype, np.floating)
        if is_float and (num_nan := np.count_nonzero(np.isnan(expected))):
            raise ExportError(
                f"`{name}` is not a number (NaN) in {num_nan:,} of {expected.size:,} values for the examples. Expected "
                "numbers. Look for NaN in weights and examples. If the weights have some, train with a lower "
                "learning rate. The model was not exported."
            )
        same = np.allclose(expected, actual, 1e-4, 1e-5) if is_float else np.array_equal(expected, actual)
        if not same:
            raise ExportError(
                f"`{name}` of a fresh process differs from `{name}` of this one: expected {expected}, got "
                f"{actual}. The model was not exported."
            )


def _collect_facts(
    directory: Path,
    functions: Mapping[str, Any],
    model: keras.Model | None,
    networks: Mapping[str, keras.Model],
    example: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the files of an export show, for its card."""
    paths = [
        path for path in sorted(directory.rglob("*")) if path.is_file() and path.name not in (FILE, PAGE)
    ]
    return {
        "model": model
        and {"config": keras.saving.serialize_keras_object(model), "weights": describe_weights(model)},
        "networks": {name: {"weights": describe_weights(network)} for name, network in networks.items()},
        "signatures": {name: _describe_signature(function) for name, function in functions.items()},
        "example": example,
        "size_bytes": sum(path.stat().st_size for path in paths),
        "versions": get_versions(),
        "commit": get_commit(),
    }


def _describe_signature(function: Any) -> dict[str, Any]:
    def describe(specs: Mapping[str, Any]) -> dict[str, str]:
        return {name: f"{spec.dtype.name} {list(spec.shape)}" for name, spec in specs.items()}

    inputs = {spec.name: spec for spec in function.structured_input_signature[0]}
    outputs = function.structured_outputs
    tensors = (*inputs.values(), *outputs.values())
    is_batchable = bool(inputs) and all(len(spec.shape) and spec.shape[0] is None for spec in tensors)
    return {"inputs": describe(inputs), "outputs": describe(outputs), "is_batchable": is_batchable}


def _to_arrays(tensors: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _to_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def _is_files(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(item, Path) for item in value)


def _read_files(value: Any) -> Any:
    return [path.read_bytes() for path in value] if _is_files(value) else value


def _store_input(name: str, value: Any, directory: Path) -> Any:
    """Return an input as the card shows it; files and large arrays are copied and shown by name."""
    if isinstance(value, np.ndarray) and value.ndim > 2:
        np.save(directory / f"example_{name}.npy", value)
        return {"array": f"example_{name}.npy"}
    if not _is_files(value):
        return _to_json(tf.constant(value).numpy().tolist())
    names = name_example_files(value)
    for path, copy in zip(value, names, strict=True):
        shutil.copyfile(path, directory / copy)
    return {"files": names}
