"""SavedModels that hold a whole program: written, reloaded in a fresh process, compared, described."""

import itertools
import json
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from zoo.errors import ExportError
from zoo.files import sha256
from zoo.layers import disable_jit
from zoo.provenance import commit, versions

# What a client does who has TensorFlow and nothing else; run in a process of its own.
_CLIENT = """
import pickle, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
inputs = {name: tf.constant(value) for name, value in pickle.load(sys.stdin.buffer).items()}
outputs = model.signatures["serving_default"](**inputs)
pickle.dump({name: value.numpy() for name, value in outputs.items()}, sys.stdout.buffer)
"""


@dataclass(frozen=True)
class Card:
    """What is to be known of an exported model.

    Attributes:
        title: the model's name.
        summary: what it does.
        data: what it was trained and measured on, and how that was split.
        license: what the data allow.
        command: what trains and exports it again.
        settings: all settings of the recipe, the seed among them.
        figures: what was measured, by name; scores and shares in percent.
        limits: what it does not do, a sentence each.
    """

    title: str
    summary: str
    data: str
    license: str
    command: str
    settings: Mapping[str, Any]
    figures: Mapping[str, float]
    limits: tuple[str, ...]


def export_model(
    signatures: Mapping[str, Callable],
    resources: Sequence[tf.Module | keras.layers.Layer],
    examples: Mapping[str, Any],
    directory: Path,
    card: Card,
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a SavedModel with its card, once a fresh process has given the same answers from it.

    All is written beside `directory` and moved there at the end, so an export that fails or is
    interrupted leaves an earlier one whole.

    Args:
        signatures: `tf.function`s with an input signature that return tensors by name, under the names
            by which clients call them. One is `serving_default`.
        resources: all that the signatures use and that has a state: models, and modules with tables.
        examples: inputs of `serving_default` by name, for the comparison and for the card. A list of `Path`
            stands for what the files hold, such as pictures: copies of them come with the card. So does a
            file of an array of three dimensions or more, such as frames.
        directory: where it goes; by custom `<task>/<version>`, the version a whole number.
        card: becomes `card.json` and `README.md` in the directory.
        files: what else to put there, by name.

    Returns:
        The directory.

    Raises:
        ExportError: the directory holds something else, the disk is full, a signature is compiled by XLA,
            or the answers differ.
    """
    directory = Path(directory).absolute()
    new, old = (directory.with_name(f".{directory.name}.{state}") for state in ("new", "old"))
    if old.exists() and not directory.exists():  # an export was interrupted between its two moves
        old.rename(directory)
    if directory.exists() and not (directory / "saved_model.pb").exists():
        raise ExportError(
            f"{directory} exists and is not a SavedModel. Give another directory, or remove it."
        )
    try:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        with disable_jit():
            options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
            tf.saved_model.save(_tracked(resources), str(new), dict(signatures), options)
        _forget_gradients(new / "saved_model.pb")
        if b"_XlaMustCompile" in (new / "saved_model.pb").read_bytes():
            raise ExportError(
                f"{directory} was not exported: a signature is compiled by XLA, so it would not load "
                "everywhere. Trace it under `zoo.disable_jit()`, or not before the export."
            )
        inputs = {name: tf.constant(_contents(value)) for name, value in examples.items()}
        here = _numpy(called(signatures["serving_default"], **inputs))
        _compare(here, _answers_of_a_fresh_process(new, _numpy(inputs)))
        given = {name: _kept(name, value, new) for name, value in examples.items()}
        for name, content in (files or {}).items():
            (new / name).write_bytes(content)
        said = {name: _plain(value.tolist()) for name, value in here.items()}
        _write_card(card, new, signatures, given | said)
        if directory.exists():
            directory.rename(old)
        new.rename(directory)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, tf.errors.OpError) as error:
        raise ExportError(f"{directory} was not exported: {error}") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return directory


def called(function: Callable, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
    """Call a `tf.function` by the names in its input signature, as a client calls what is exported of it."""
    return function(*(inputs[spec.name] for spec in function.input_signature))


def convert_to_litert(function: Callable, weights: Sequence[tf.Variable], quantized: bool = False) -> bytes:
    """Convert a function for LiteRT, with its built-in operations alone: for phones and small computers.

    Most loops over time do not convert; one step with explicit state does, such as `zoo.ManyToMany.step`.

    Args:
        function: a `tf.function` with an input signature of known shapes, without strings, that returns
            tensors by name.
        weights: those that it uses.
        quantized: whether to keep the weights in 8 bits ("dynamic range"): a quarter of the size.

    Returns:
        The content of a .tflite file, whose one signature is `serving_default`.

    Raises:
        ExportError: some operation does not convert.
    """
    module = tf.Module()
    module.weights = list(weights)
    with tempfile.TemporaryDirectory() as folder:
        with disable_jit():
            tf.saved_model.save(module, folder, signatures=function)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantized:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            return converter.convert()
        except Exception as error:  # of a kind that TensorFlow keeps to itself
            missing = sorted(set(re.findall(r"'tf\.(\w+)' op is neither", str(error))))
            reason = f"LiteRT has no operation {', '.join(missing)}" if missing else str(error).strip()
            raise ExportError(f"The function does not convert for LiteRT: {reason}.") from error


def _tracked(resources: Sequence[tf.Module | keras.layers.Layer]) -> tf.Module:
    # Of a Keras model its plain variables alone: through the model some are tracked in a way that
    # `tf.saved_model.load` restores, and the session that `saved_model_cli` opens does not.
    module = tf.Module()
    module.resources = [
        [weight.value for weight in resource.weights]
        if isinstance(resource, keras.layers.Layer)
        else resource
        for resource in resources
    ]
    return module


def _forget_gradients(file: Path) -> None:
    """Take out what names gradients: nobody differentiates an export, and to load it would warn of them."""
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for graph in model.meta_graphs:
        functions = (function.node_def for function in graph.graph_def.library.function)
        for node in itertools.chain(graph.graph_def.node, *functions):
            if "_gradient_op_type" in node.attr:
                del node.attr["_gradient_op_type"]
    file.write_bytes(model.SerializeToString(deterministic=True))


def _numpy(tensors: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _answers_of_a_fresh_process(directory: Path, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as elsewhere:
        client = subprocess.run(
            [sys.executable, "-I", "-c", _CLIENT, str(directory)],
            input=pickle.dumps(inputs),
            capture_output=True,
            cwd=elsewhere,
        )
    if client.returncode:
        raise ExportError(f"The export does not load:\n{client.stderr.decode(errors='replace')}")
    return pickle.loads(client.stdout)


def _compare(here: Mapping[str, np.ndarray], there: Mapping[str, np.ndarray]) -> None:
    for name, expected in here.items():
        got = there[name]
        numbers = np.issubdtype(expected.dtype, np.floating)
        same = np.allclose(expected, got, 1e-4, 1e-5) if numbers else np.array_equal(expected, got)
        if not same:
            raise ExportError(
                f"A fresh process gives another `{name}` than this one: {got} instead of {expected}."
            )


def _write_card(
    card: Card, directory: Path, signatures: Mapping[str, Callable], example: Mapping[str, Any]
) -> None:
    files = [file for file in sorted(directory.rglob("*")) if file.is_file()]
    facts = asdict(card) | {
        "size_bytes": sum(file.stat().st_size for file in files),
        "sha256": {file.relative_to(directory).as_posix(): sha256(file) for file in files},
        "signatures": {name: _interface(function) for name, function in signatures.items()},
        "example": example,
        "versions": versions(),
        "commit": commit(),
    }
    (directory / "card.json").write_text(
        json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (directory / "README.md").write_text(page(facts), encoding="utf-8")


def _interface(function: Callable) -> dict[str, dict[str, str]]:
    def described(specs: Mapping[str, Any]) -> dict[str, str]:
        return {name: f"{spec.dtype.name} {list(spec.shape)}" for name, spec in specs.items()}

    concrete = function.get_concrete_function()
    inputs = {spec.name: spec for spec in concrete.structured_input_signature[0]}
    return {"takes": described(inputs), "gives": described(concrete.structured_outputs)}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def _files(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(item, Path) for item in value)


def _contents(value: Any) -> Any:
    return [path.read_bytes() for path in value] if _files(value) else value


def _kept(name: str, value: Any, directory: Path) -> Any:
    """The value as the card shows it; of files and of large arrays the names of copies."""
    if isinstance(value, np.ndarray) and value.ndim > 2:
        np.save(directory / f"example_{name}.npy", value)
        return {"array": f"example_{name}.npy"}
    if not _files(value):
        return _plain(tf.constant(value).numpy().tolist())
    names = [f"example{number}{path.suffix}" for number, path in enumerate(value, 1)]
    for path, name in zip(value, names, strict=True):
        shutil.copyfile(path, directory / name)
    return {"files": names}


def _written(given: Any) -> str:
    """An input of the example as a tensor, in Python."""
    if "files" in given:
        return f"tf.stack([tf.io.read_file(name) for name in {given['files']!r}])"
    value = f'np.load("{given["array"]}")' if "array" in given else repr(given)
    return f"tf.constant({value})"


def page(facts: Mapping[str, Any]) -> str:
    """A card, the facts in `card.json`, as people read it."""

    def rows(items: Mapping[str, Any]) -> str:
        return "\n".join(f"| {name} | {value} |" for name, value in items.items())

    def shown(items: Mapping[str, str]) -> str:
        return ", ".join(f"`{name}` {kind}" for name, kind in items.items())

    signatures = "\n".join(
        f"- `{name}` takes {shown(s['takes'])}; gives {shown(s['gives'])}."
        for name, s in facts["signatures"].items()
    )
    limits = "\n".join(f"- {limit}" for limit in facts["limits"])
    takes = facts["signatures"]["serving_default"]["takes"]
    inputs = ", ".join(f"{name}={_written(facts['example'][name])}" for name in takes)
    numpy = "import numpy as np\n" if "np.load" in inputs else ""
    return f"""# {facts["title"]}

{facts["summary"]}

```python
{numpy}import tensorflow as tf

model = tf.saved_model.load(".")  # the folder of this page
answer = model.signatures["serving_default"]({inputs})
```

{signatures}

| measured | |
| --- | --- |
{rows(facts["figures"])}

Made by `{facts["command"]}` at commit {facts["commit"]}, with
{", ".join(f"{name} {number}" for name, number in facts["versions"].items())}.
{facts["size_bytes"] / 1e6:.1f} MB.

Data: {facts["data"]}

License: {facts["license"]}

Limits:

{limits}

| setting | |
| --- | --- |
{rows(facts["settings"])}
"""
