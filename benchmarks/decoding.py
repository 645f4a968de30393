"""Sentences per second of an exported translator, beside loops in Python over its encoder and decoder.

python benchmarks/decoding.py --model saved_models/translation/1
python benchmarks/decoding.py --model saved_models/translation/1 --file sentences.txt

Contenders have the same weights and get the same sentences, one by one and many at once:

    export, greedy      the signature `greedy` of the SavedModel: the whole search is in the graph
    export, beams       its `serving_default`: beam search, with as many hypotheses as it was exported with
    predict loop        as in Keras's example "Character-level recurrent sequence-to-sequence model":
                        `predict` of an encoder once, `predict` of a decoder for each token, the likeliest
                        taken in NumPy, until all have ended or reached the limit of the export
    compiled loop       the same loop, with a `tf.function` for the encoder, and for the decoder one that
                        is compiled by XLA, instead of `predict`

All of them take strings and give strings, and the time of both ends is counted: the loops split, copy unknown
words and join by functions of their own. The export also finds the attention of the whole answer, which takes
it one more pass of the decoder. Before the clock runs each translates all the sentences once, so tracing and
compiling, which the compiled loop does for every new length of source, do not count.

Contenders take turns at each batch, in a new random order; what is compared is the median over the rounds,
and `ms` is the median time of a batch. The export's greedy answers and those of the loops must be the same
strings; if not the exit code is 1.
"""

import ast
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from zoo.errors import UsageError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
import tyro

import zoo
from zoo.cli.predict import lines
from zoo.cli.types import PositiveInt
from zoo.preprocessing.text import END_ID, PADDING_ID, START_ID, UNKNOWN_ID
from zoo.provenance import commit, versions
from zoo.recipes import translation
from zoo.serving.model_store import saved

Translate = Callable[[Sequence[bytes]], list[bytes]]
"""From some sentences to the best translation of each."""

GREEDY, PREDICT, COMPILED = "export, greedy", "predict loop", "compiled loop"
SHOWN = 5  # answers that differ
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
    """Measure how fast an exported translator is."""

    model: Path = Path("saved_models/translation/1")  # an export of recipes/translation.py
    file: Path | None = None  # a sentence a line; None takes everyday English ones
    sentences: PositiveInt = 20  # translated one by one
    batch_size: PositiveInt = 64  # translated at once; where there are too few sentences they are repeated
    rounds: PositiveInt = 3  # in each of them every contender translates all


# --- The model ----------------------------------------------------------------------------------


def rebuilt(folder: Path, export: Any) -> translation.Program:
    """The program behind an export, its model made anew and given the export's weights."""
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        settings = translation.Settings(**{name: plain(text) for name, text in card["settings"].items()})
        source, target = (
            zoo.preprocessing.text.WordPieceTokenizer(folder / "assets" / f"{side}.txt", settings.max_pieces)
            for side in ("source", "target")
        )
        model = translation.delayed_many_to_many(
            settings, source.vocabulary_size, target.vocabulary_size, settings.attention
        )
        model.build(((None, None), (None, None)))
        model.set_weights([weight.numpy() for weight in export.resources[2]])
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise UsageError(
            f"{folder} is not what this version of recipes/translation.py exports ({error}). "
            "Export one with it, and name it by --model."
        ) from error
    return translation.Program(source, target, model, settings.beams, settings.length_penalty)


def plain(text: str) -> Any:
    """A setting from its text in the card."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):  # it is text, and not a number or the like
        return text


class EncoderModel(keras.Model):
    """From source ids to the decoder's state before the first step, and its memory, () if it has none."""

    def __init__(self, model: zoo.DelayedManyToMany) -> None:
        super().__init__()
        self.model = model

    def call(self, source: tf.Tensor) -> tuple:
        """Read ids [batch, time]."""
        memory, state = self.model.prepare_memory(source)
        return state, memory or ()


class DecoderModel(keras.Model):
    """From tokens, state and memory to the logits of the next tokens, the attention paid, and the state."""

    def __init__(self, model: zoo.DelayedManyToMany) -> None:
        super().__init__()
        self.model = model

    def call(self, inputs: tuple) -> tuple:
        """One step, for tokens [batch, 1]."""
        tokens, state, memory = inputs
        logits, weights, state = self.model.decoder(tokens, state, memory or None)
        return logits, () if weights is None else weights, state


# --- Contenders ---------------------------------------------------------------------------------


def contenders(export: Any, program: translation.Program, batch_size: int) -> dict[str, Translate]:
    """All of them, by name."""
    encoder, decoder = EncoderModel(program.model), DecoderModel(program.model)
    ids = [tf.TensorSpec([None, None], tf.int32)]

    def predict(model: keras.Model) -> Callable:
        return lambda inputs: model.predict(inputs, batch_size=batch_size, verbose=0)

    return {
        GREEDY: exported(export.signatures["greedy"]),
        f"export, {program.beams} beams": exported(export.signatures["serving_default"]),
        PREDICT: looped(program, predict(encoder), predict(decoder)),
        COMPILED: looped(
            program,
            tf.function(encoder.call, input_signature=ids, autograph=False),
            tf.function(decoder.call, jit_compile=True, reduce_retracing=True, autograph=False),
        ),
    }


def exported(signature: Callable[..., dict[str, tf.Tensor]]) -> Translate:
    """Translate by a signature."""
    return lambda texts: signature(text=tf.constant(texts))["translations"][:, 0].numpy().tolist()


def looped(program: translation.Program, encode: Callable, step: Callable) -> Translate:
    """Translate by a loop in Python: `encode` as `EncoderModel`, then `step` as `DecoderModel`."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def read(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        source = program.source(texts)
        return source.ids, source.tokens.to_tensor("", shape=tf.shape(source.ids, tf.int64))

    matrices = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.string)]
    write = tf.function(program.target.detokenize, input_signature=matrices, autograph=False)

    def translate(texts: Sequence[bytes]) -> list[bytes]:
        source, pieces = (x.numpy() for x in read(tf.constant(texts)))
        limits = 10 + 2 * np.sum(source != PADDING_ID, axis=1)
        state, memory = encode(source)
        tokens, going = np.full([len(texts), 1], START_ID, np.int32), np.full([len(texts)], True)
        said, looked = [], []
        while going.any():
            logits, weights, state = step((tokens, state, memory))
            tokens = np.argmax(logits, axis=-1).astype(np.int32)
            going = going & (tokens[:, 0] != END_ID)
            said.append(np.where(going, tokens[:, 0], PADDING_ID))
            looked.append(weights)
            going = going & (len(said) < limits)
        # Unknown pieces are copied as the export does it: from unknown words, if there are any.
        unknown = (source == UNKNOWN_ID)[:, None]
        attention = np.concatenate(looked, axis=1) if memory else np.zeros([1, len(said), 1])
        copied = np.argmax(attention + unknown, axis=-1)
        return write(np.stack(said, axis=1), np.take_along_axis(pieces, copied, axis=1)).numpy().tolist()

    return translate


# --- Measurement and output ---------------------------------------------------------------------


def measured(
    contenders: Mapping[str, Translate], batches: Sequence[Sequence[bytes]], rounds: int
) -> dict[str, list[list[float]]]:
    """The seconds that each contender takes, by round and batch."""
    seconds = {name: [[] for _ in range(rounds)] for name in contenders}
    order = random.Random(1)
    for number in range(rounds):
        for texts in batches:
            for name in order.sample(list(contenders), len(contenders)):
                start = time.perf_counter()
                contenders[name](texts)
                seconds[name][number].append(time.perf_counter() - start)
    return seconds


def table(seconds: Mapping[str, list[list[float]]], sentences: int) -> str:
    """Sentences per second, their ratio to the predict loop's, and the median time of a batch."""
    rates = {name: sentences / median(map(sum, rounds)) for name, rounds in seconds.items()}
    rows = ["| contender | sentences per second | to predict loop | ms |", "| --- | --: | --: | --: |"]
    for name, rounds in seconds.items():
        latency = 1000 * median(itertools.chain(*rounds))
        rows.append(f"| {name} | {rates[name]:.3g} | {rates[name] / rates[PREDICT]:.3g} | {latency:.1f} |")
    return "\n".join(rows)


def different(answers: Mapping[str, Sequence[bytes]], sentences: Iterable[bytes]) -> list[str]:
    """What is to be said of each sentence to which greedy contenders give different answers."""
    greedy = [answers[name] for name in (GREEDY, PREDICT, COMPILED)]
    return [
        f"{sentence.decode(errors='replace')!r}: {', '.join(repr(text.decode()) for text in texts)}"
        for sentence, *texts in zip(sentences, *greedy, strict=True)
        if len(set(texts)) > 1
    ]


def run(settings: Settings) -> bool:
    """Measure, and print a table for each size of batch. Whether all greedy answers are the same."""
    given = lines((), settings.file) if settings.file else SENTENCES.encode().splitlines()
    given = [sentence for sentence in given if sentence.strip()]
    if not given:
        raise UsageError(f"{settings.file} holds no text.")
    export = saved(settings.model, "translations")
    program = rebuilt(settings.model, export)
    translate = contenders(export, program, settings.batch_size)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    made = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(f"{cores} cores; {made}, commit {commit()}", flush=True)

    def first(count: int) -> list[bytes]:
        return list(itertools.islice(itertools.cycle(given), count))

    found = []
    for title, batches in (
        (f"{settings.sentences} sentences, one by one", [[text] for text in first(settings.sentences)]),
        (f"{settings.batch_size} sentences at once", [first(settings.batch_size)]),
    ):
        sentences = list(itertools.chain(*batches))
        answers = {name: list(itertools.chain(*map(of, batches))) for name, of in translate.items()}
        found += different(answers, sentences)
        print(f"\n{title}\n")
        print(table(measured(translate, batches, settings.rounds), len(sentences)), flush=True)
    print(f"\ngreedy answers that differ: {len(found)}")
    for answer in found[:SHOWN]:
        print(f"different: {answer}")
    return not found


if __name__ == "__main__":
    try:
        sys.exit(0 if run(tyro.cli(Settings, prog=Path(sys.argv[0]).name)) else 1)
    except (UsageError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
