"""Speed of an exported translator, compared with loops in Python over its encoder and decoder.

python benchmarks/decoding.py --model saved_models/translation/1
python benchmarks/decoding.py --model saved_models/translation/1 --file sentences.txt

All contenders have the same weights and translate the same sentences, one by one and many at once:

    export, greedy      the signature `greedy` of the SavedModel: the whole search is in the graph
    export, N beams     its `serving_default`: beam search, with the number of beams of the export
    predict loop        as in Keras's example "Character-level recurrent sequence-to-sequence model":
                        `predict` of an encoder once, `predict` of a decoder for each token; NumPy takes the
                        most probable token, until all sentences have ended or reached the export's limit
    compiled loop       the same loop with functions instead of `predict`: a `tf.function` of the encoder, and
                        one of the decoder that is compiled by XLA

All contenders map strings to strings, and the time includes tokenizing and joining: the loops have functions
for both, which also copy unknown words. The export additionally computes the attention weights of each
translation, which takes one more pass of the decoder. Before the measurement each contender translates all
sentences once, so tracing and compilation do not count. The compiled loop compiles for every new source
length.

The contenders take turns at each batch, in a new random order. The table compares medians over the rounds;
`ms` is the median time of a batch. The greedy translations of the export and of the loops must be the same
strings; otherwise the exit code is 1.
"""

import itertools
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from zoo.preprocessing.text import END_ID, PADDING_ID, START_ID, UNKNOWN_ID
from zoo.provenance import get_commit, get_versions
from zoo.serving.loading import load
from zoo.tasks.translation import TASK, TranslationPreprocessor

Translate = Callable[[Sequence[bytes]], list[bytes]]
"""Maps sentences to the best translation of each."""

GREEDY, PREDICT, COMPILED = "export, greedy", "predict loop", "compiled loop"
MAX_SHOWN = 5  # number of different translations to print
SENTENCES = """\
The train to the coast leaves at nine.
My sister has bought a red bicycle.
Where can I leave my coat?
It rained all night, and the cellar is full of water.
Two men are carrying a table up the stairs.
I would like a cup of tea without sugar, please.
The children are playing football behind the school.
Nobody knew why the lights had gone out.
She reads the newspaper every morning before work.
Can you tell me the way to the station?
The dog is asleep under the kitchen table.
We have not seen our neighbors since last summer.
An old woman sells apples and pears at the market.
He forgot his keys again.
If the weather is fine, we will walk along the river tomorrow.
This soup is too hot to eat.
They are building a new bridge over the railway line.
A girl in a yellow dress is feeding the ducks.
What did the doctor say about your knee?
The shop on the corner closes at half past six.
I have never been to an island in winter.
Please do not open the window, the baby is sleeping.
The musicians tune their instruments while the audience waits.
Our cat caught three mice in a single week.
"""


@dataclass(frozen=True)
class Settings:
    """Measure the speed of an exported translator."""

    model: Path = Path("saved_models/translation/1")  # directory of an export
    file: Path | None = None  # one sentence per line; default is 24 English sentences
    sentences: PositiveInt = 20  # number of sentences translated one by one
    batch_size: PositiveInt = 64  # number of sentences translated at once; fewer are repeated
    rounds: PositiveInt = 3  # in each round every contender translates all sentences


# --- The model ----------------------------------------------------------------------------------


class EncoderModel(keras.Model):
    """Maps source ids to the initial state of the decoder and its memory, () without attention."""

    def __init__(self, model: zoo.DelayedManyToMany) -> None:
        super().__init__()
        self.model = model

    def call(self, source: tf.Tensor) -> tuple:
        """Return state and memory for ids [batch, time]."""
        memory, state = self.model.prepare_memory(source)
        return state, memory or ()


class DecoderModel(keras.Model):
    """Maps tokens, state and memory to logits of the next tokens, attention weights and state."""

    def __init__(self, model: zoo.DelayedManyToMany) -> None:
        super().__init__()
        self.model = model

    def call(self, inputs: tuple) -> tuple:
        """Compute one step, for tokens [batch, 1]."""
        tokens, state, memory = inputs
        logits, weights, state = self.model.decoder(tokens, state, memory or None)
        return logits, () if weights is None else weights, state


# --- Contenders ---------------------------------------------------------------------------------


def build_contenders(
    signatures: Mapping[str, Any],
    preprocessor: TranslationPreprocessor,
    model: zoo.DelayedManyToMany,
    batch_size: int,
) -> dict[str, Translate]:
    """Return the functions to compare, by name.

    Args:
        signatures: those of an export.
        preprocessor: that of the export.
        model: that of the export.
        batch_size: largest batch size for `predict`.
    """
    encoder, decoder = EncoderModel(model), DecoderModel(model)
    num_beams = signatures["serving_default"].structured_outputs["translations"].shape[1]
    ids = [tf.TensorSpec([None, None], tf.int32)]

    def predict(model: keras.Model) -> Callable:
        return lambda inputs: model.predict(inputs, batch_size=batch_size, verbose=0)

    return {
        GREEDY: translate_by_export(signatures["greedy"]),
        f"export, {num_beams} beams": translate_by_export(signatures["serving_default"]),
        PREDICT: translate_by_loop(preprocessor, predict(encoder), predict(decoder)),
        COMPILED: translate_by_loop(
            preprocessor,
            tf.function(encoder.call, input_signature=ids, autograph=False),
            tf.function(decoder.call, jit_compile=True, reduce_retracing=True, autograph=False),
        ),
    }


def translate_by_export(signature: Callable[..., dict[str, tf.Tensor]]) -> Translate:
    """Return a function that translates with a signature of the export."""
    return lambda texts: signature(text=tf.constant(texts))["translations"][:, 0].numpy().tolist()


def translate_by_loop(preprocessor: TranslationPreprocessor, encode: Callable, step: Callable) -> Translate:
    """Return a function that translates with a loop in Python.

    Args:
        preprocessor: tokenizes and joins.
        encode: `EncoderModel`, or its `predict`.
        step: `DecoderModel`, or its `predict`.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def read(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        source = preprocessor.source(texts)
        return source.ids, source.tokens.to_tensor("", shape=tf.shape(source.ids, tf.int64))

    matrices = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.string)]
    write = tf.function(preprocessor.target.detokenize, input_signature=matrices, autograph=False)

    def translate(texts: Sequence[bytes]) -> list[bytes]:
        source, pieces = (x.numpy() for x in read(tf.constant(texts)))
        limits = 10 + 2 * np.sum(source != PADDING_ID, axis=1)
        state, memory = encode(source)
        tokens, is_open = np.full([len(texts), 1], START_ID, np.int32), np.full([len(texts)], True)
        outputs, attention = [], []
        while is_open.any():
            logits, weights, state = step((tokens, state, memory))
            tokens = np.argmax(logits, axis=-1).astype(np.int32)
            is_open = is_open & (tokens[:, 0] != END_ID)
            outputs.append(np.where(is_open, tokens[:, 0], PADDING_ID))
            attention.append(weights)
            is_open = is_open & (len(outputs) < limits)
        # Unknown tokens are copied as in the export: from unknown words of the source, if there are any.
        unknown = (source == UNKNOWN_ID)[:, None]
        weights = np.concatenate(attention, axis=1) if memory else np.zeros([1, len(outputs), 1])
        copied = np.argmax(weights + unknown, axis=-1)
        return write(np.stack(outputs, axis=1), np.take_along_axis(pieces, copied, axis=1)).numpy().tolist()

    return translate


# --- Measurement and output ---------------------------------------------------------------------


def measure(
    contenders: Mapping[str, Translate], batches: Sequence[Sequence[bytes]], rounds: int
) -> dict[str, list[list[float]]]:
    """Return the seconds that each contender takes, by round and batch."""
    seconds: dict[str, list[list[float]]] = {name: [[] for _ in range(rounds)] for name in contenders}
    order = random.Random(1)
    for number in range(rounds):
        for texts in batches:
            for name in order.sample(list(contenders), len(contenders)):
                start = time.perf_counter()
                contenders[name](texts)
                seconds[name][number].append(time.perf_counter() - start)
    return seconds


def format_table(seconds: Mapping[str, list[list[float]]], sentences: int) -> str:
    """Return a table of sentences per second, their ratio to the predict loop, and the time of a batch."""
    rates = {name: sentences / median(map(sum, rounds)) for name, rounds in seconds.items()}
    rows = ["| contender | sentences per second | to predict loop | ms |", "| --- | --: | --: | --: |"]
    for name, rounds in seconds.items():
        latency = 1000 * median(itertools.chain(*rounds))
        rows.append(f"| {name} | {rates[name]:.3g} | {rates[name] / rates[PREDICT]:.3g} | {latency:.1f} |")
    return "\n".join(rows)


def find_differences(translations: Mapping[str, Sequence[bytes]], sentences: Iterable[bytes]) -> list[str]:
    """Return a line for each sentence whose greedy translations differ."""
    greedy = [translations[name] for name in (GREEDY, PREDICT, COMPILED)]
    return [
        f"{sentence.decode(errors='replace')!r}: {', '.join(repr(text.decode()) for text in texts)}"
        for sentence, *texts in zip(sentences, *greedy, strict=True)
        if len(set(texts)) > 1
    ]


def run(settings: Settings) -> bool:
    """Measure, and print a table for each batch size. Return whether all greedy translations are the same."""
    content = settings.file.read_bytes() if settings.file else SENTENCES.encode()
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"{settings.file} is empty. Expected one sentence per line.")
    preprocessor, model = TASK.from_export(settings.model)
    export = load(settings.model)
    translators = build_contenders(export.signatures, preprocessor, model, settings.batch_size)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(f"{name} {number}" for name, number in get_versions().items())
    print(f"{cores} cores; {packages}, commit {get_commit()}", flush=True)

    def take(count: int) -> list[bytes]:
        return list(itertools.islice(itertools.cycle(lines), count))

    differences = []
    for title, batches in (
        (f"{settings.sentences} sentences, one by one", [[text] for text in take(settings.sentences)]),
        (f"{settings.batch_size} sentences at once", [take(settings.batch_size)]),
    ):
        sentences = list(itertools.chain(*batches))
        translations = {
            name: list(itertools.chain(*map(translate, batches))) for name, translate in translators.items()
        }
        differences += find_differences(translations, sentences)
        print(f"\n{title}\n")
        print(format_table(measure(translators, batches, settings.rounds), len(sentences)), flush=True)
    print(f"\ngreedy translations that differ: {len(differences)}")
    for difference in differences[:MAX_SHOWN]:
        print(f"different: {difference}")
    return not differences


if __name__ == "__main__":
    with exit_on_user_error():
        sys.exit(0 if run(tyro.cli(Settings)) else 1)
