"""Inference as exports run it: with a batch size that is open when the graph is built, and without XLA.

python benchmarks/exports.py
python benchmarks/exports.py --models saved_models/translation/1 runs/translation/export/1
python benchmarks/exports.py --models saved_models/translation/1 runs/translation/export/1 --file sentences.txt

The first form times recurrent layers, each with the same weights and inputs by

    chunks         a `tf.function` of the layer: chunks of time steps, which bound the memory of gradients
    export         the same in `zoo.layers.export_scope`: plain steps in one loop
    strings        the same with `tensorflow_only`, as in signatures that take strings: a small LSTM is one
                   operation of TensorFlow, `BlockLSTMV2`
    onnx           ONNX Runtime, on the file that `keras.Model.export(format="onnx")` writes, with two threads

With `--models` it times a signature of several exports of the same model instead, on the lines of a file, or on
the texts or images of the first one's card, and says whether their outputs are the same.

The contenders take turns in a new random order in each round. The tables have medians over the rounds: of the
time, of the ratio of the time to that of the first contender in the same round, and of the processor time, summed
over all threads, which depends less on what else the machine does.
"""

import itertools
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import numpy as np
import tensorflow as tf
import tyro

import zoo
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.errors import UsageError
from zoo.layers import export_scope
from zoo.provenance import get_commit, get_versions
from zoo.serving.loading import load
from zoo.tasks.base import call_signature

Run = Callable[[], Any]

LAYERS: dict[str, Callable[..., zoo.RNN]] = {
    "LSTM": zoo.LSTM,
    "GRU": zoo.GRU,
    "PeepholeLSTM": zoo.PeepholeLSTM,
    "LayerNormLSTM": zoo.LayerNormLSTM,
}

SHAPES = ((12, 64, 64), (12, 128, 128), (40, 128, 128), (40, 128, 256), (200, 128, 128))
"""Time steps, features and units."""


@dataclass(frozen=True)
class Settings:
    """Time inference with an open batch size."""

    models: tuple[Path, ...] = ()  # directories of exports to compare; none for layers
    signature: str = "serving_default"  # of the exports
    file: Path | None = None  # texts for the exports, one per line; default those of the card
    layers: tuple[str, ...] = ("LSTM", "GRU")  # some of LSTM, GRU, PeepholeLSTM, LayerNormLSTM
    batch_sizes: tuple[PositiveInt, ...] = (1, 64)  # number of sequences, or of texts or images, at once
    masked: bool = False  # whether the rows have different lengths; without ONNX Runtime
    rounds: PositiveInt = 25  # each contender runs once in a round


# --- Contenders ---------------------------------------------------------------------------------


def build_layer_contenders(
    name: str, features: int, units: int, masked: bool
) -> dict[str, Callable[..., Any]]:
    """Return functions from inputs [batch, time, features] and lengths [batch] to outputs, by name."""
    layer = LAYERS[name](units, return_sequences=True)
    layer.build((None, None, features))
    specs = [tf.TensorSpec([None, None, features]), tf.TensorSpec([None], tf.int32)]

    def call(x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        return layer(x, mask=tf.sequence_mask(lengths, tf.shape(x)[1]) if masked else None)

    def call_in_scope(x: tf.Tensor, lengths: tf.Tensor, tensorflow_only: bool) -> tf.Tensor:
        with export_scope(tensorflow_only):
            return call(x, lengths)

    functions = {
        "chunks": call,
        "export": lambda x, lengths: call_in_scope(x, lengths, False),
        "strings": lambda x, lengths: call_in_scope(x, lengths, True),
    }
    contenders: dict[str, Callable[..., Any]]
    contenders = {key: tf.function(f, specs, autograph=False) for key, f in functions.items()}
    if not masked:
        contenders["onnx"] = convert_to_onnx(layer, features)
    return contenders


def convert_to_onnx(layer: zoo.RNN, features: int) -> Callable[..., Any]:
    """Return a function that runs a layer by ONNX Runtime."""
    import onnxruntime

    inputs = keras.Input([None, features])
    model = keras.Model(inputs, layer(inputs))
    model(np.zeros([1, 2, features], "float32"))
    with tempfile.TemporaryDirectory() as directory:
        model.export(f"{directory}/layer.onnx", format="onnx", verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 2, 3
        session = onnxruntime.InferenceSession(f"{directory}/layer.onnx", options)
    name = session.get_inputs()[0].name
    return lambda x, lengths: session.run(None, {name: x.numpy()})[0]


def build_batches(model: Any, file: Path | None, size: int) -> list[dict[str, tf.Tensor]]:
    """Return inputs of `serving_default` of a loaded export.

    Args:
        model: the export.
        file: texts, one per line; None for the example on its card.
        size: of a batch; the last batch is filled up from the start, and of an example there is one batch.
    """
    example = model.card["example"]["inputs"]
    name = next((name for name in ("text", "image") if name in example), "")
    if not name or (file and name != "text"):
        raise UsageError(
            f"{model.directory} takes {', '.join(example)}. Expected an export that takes texts"
            + (", for --file." if file else " or images.")
        )
    if file:
        values = [line for line in file.read_bytes().splitlines() if line.strip()]
        if not values:
            raise UsageError(f"{file} is empty. Expected one text per line.")
    elif name == "text":
        values = example["text"]
    else:
        values = [(model.directory / path).read_bytes() for path in example["image"]["files"]]
    count = -(-len(values) // size) if file else 1
    endless = itertools.cycle(values)
    return [{name: tf.constant(list(itertools.islice(endless, size)))} for _ in range(count)]


# --- Measurement and output ---------------------------------------------------------------------


def measure(contenders: Mapping[str, Run], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Return seconds of time and of processor time for each contender and round."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for done in range(-2, rounds):
        for name in random.sample(list(contenders), len(contenders)):
            start, cpu = time.perf_counter(), time.process_time()
            contenders[name]()
            if done >= 0:
                times[name].append((time.perf_counter() - start, time.process_time() - cpu))
    return times


def format_table(times: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return a table of the medians."""
    first = next(iter(times.values()))
    lines = ["| contender | ms | ratio | processor ms | ratio |", "| --- | --: | --: | --: | --: |"]
    for name, pairs in times.items():
        cells = []
        for kind in range(2):
            ratio = median(a[kind] / b[kind] for a, b in zip(pairs, first, strict=True))
            cells += [f"{1000 * median(pair[kind] for pair in pairs):.2f}", f"{ratio:.2f}"]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def compare_layers(settings: Settings) -> None:
    """Time layers, and check that all contenders agree."""
    for name, (steps, features, units) in itertools.product(settings.layers, SHAPES):
        functions = build_layer_contenders(name, features, units, settings.masked)
        for batch in settings.batch_sizes:
            generator = np.random.default_rng(0)
            x = tf.constant(generator.normal(size=(batch, steps, features)), tf.float32)
            lengths = tf.constant(generator.integers(steps // 2, steps + 1, batch), tf.int32)
            expected = functions["chunks"](x, lengths)
            for function in functions.values():
                np.testing.assert_allclose(function(x, lengths), expected, atol=1e-5)
            runs = {key: lambda f=f, x=x, n=lengths: np.asarray(f(x, n)) for key, f in functions.items()}
            print(f"\n{name}, batch {batch}, {steps} steps, {features} features, {units} units\n")
            print(format_table(measure(runs, settings.rounds)), flush=True)


def compare_exports(settings: Settings) -> None:
    """Time exports of one model, and print whether their outputs are the same."""
    models = {str(path): load(path) for path in settings.models}
    for size in settings.batch_sizes:
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
        same = True
        for inputs in build_batches(next(iter(models.values())), settings.file, size):
            runs = {
                name: partial(call_signature, model.signatures[settings.signature], **inputs)
                for name, model in models.items()
            }
            expected, *others = (run() for run in runs.values())
            same = same and all(are_same(outputs, expected) for outputs in others)
            for name, pairs in measure(runs, settings.rounds).items():
                times[name] += pairs
        print(f"\n{size} at once; outputs are {'the same' if same else 'different'}\n")
        print(format_table(times), flush=True)


def are_same(outputs: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> bool:
    """Return whether strings are equal and numbers are close."""
    return all(
        np.allclose(outputs[name], value, 1e-4, 1e-5)
        if np.issubdtype(value.dtype, np.floating)
        else np.array_equal(outputs[name], value)
        for name, value in expected.items()
    )


def run(settings: Settings) -> None:
    """Measure, and print each table as soon as it is complete."""
    if unknown := set(settings.layers) - set(LAYERS):
        raise UsageError(f"--layers: expected some of {', '.join(LAYERS)}, got {', '.join(sorted(unknown))}.")
    packages = ", ".join(f"{name} {number}" for name, number in get_versions().items())
    print(f"{packages}, commit {get_commit()}", flush=True)
    if settings.models:
        compare_exports(settings)
    else:
        compare_layers(settings)


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
