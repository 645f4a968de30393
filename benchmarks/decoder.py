"""Time of a training step of a translator, by kind of attention, input feeding and scheduled sampling.

python benchmarks/decoder.py

The model is that of `recipes/translation.py`, the batch is random. A step is the forward and the backward
pass, without the update of the weights. The contenders take turns; the table has medians and their ratios to
the first.
"""

import time
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import tensorflow as tf
import tyro

import zoo
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.components import ATTENTIONS


class Contender(NamedTuple):
    """A decoder that is measured."""

    attention: str
    input_feeding: bool = False
    scheduled_sampling: bool = False


CONTENDERS = {
    "multiplicative attention": Contender("multiplicative"),
    "additive attention": Contender("additive"),
    "no attention": Contender("none"),
    "input feeding": Contender("multiplicative", input_feeding=True),
    "scheduled sampling": Contender("multiplicative", scheduled_sampling=True),
}


@dataclass(frozen=True)
class Settings:
    """Compare training steps of decoders."""

    batch_size: PositiveInt = 64  # number of pairs
    steps: PositiveInt = 17  # length of the sources and of the targets
    vocabulary_size: PositiveInt = 6_000  # of the source and of the target
    units: PositiveInt = 256  # of the decoder and of the encoder in each direction; width of the embeddings
    depth: PositiveInt = 2  # layers of the decoder
    rounds: PositiveInt = 9  # number of steps per contender


def build_step(settings: Settings, contender: Contender) -> tf.types.experimental.ConcreteFunction:
    """Return a function from a batch `(source, target)` to its gradients, traced for the batch size."""
    cell = zoo.GRUCell(settings.units, dropout=0.3, seed=1)
    decoder = zoo.Decoder(
        settings.vocabulary_size,
        settings.units,
        cell,
        settings.depth,
        attention=ATTENTIONS[contender.attention](),
        input_feeding=contender.input_feeding,
        dropout=0.3,
    )
    model = zoo.DelayedManyToMany(
        zoo.ScaledEmbedding(settings.vocabulary_size, settings.units),
        zoo.Encoder(cell, bidirectional=True),
        decoder,
        scheduled_sampling=contender.scheduled_sampling,
    )
    model.build(((None, None), (None, None)))
    if contender.scheduled_sampling:
        model.sampling_probability.assign(0.25)
    loss, values = zoo.losses.LabelSmoothedCrossentropy(0.1), [v.value for v in model.trainable_variables]

    def step(source: tf.Tensor, target: tf.Tensor) -> list[tf.Tensor]:
        inputs, labels, weights = zoo.formulations.apply_teacher_forcing(source, target)
        with tf.GradientTape() as tape:
            total = loss(labels, model(inputs, training=True), sample_weight=weights)
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, values)]

    spec = tf.TensorSpec([settings.batch_size, None], tf.int32)
    return tf.function(step, autograph=False).get_concrete_function(spec, spec)


def main(settings: Settings) -> None:
    """Time all contenders in turns, and print a table."""
    steps = {name: build_step(settings, contender) for name, contender in CONTENDERS.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    tf.random.set_seed(1)
    for number in range(settings.rounds + 1):
        for name, step in steps.items():
            source, target = (
                tf.random.uniform([settings.batch_size, n], 1, settings.vocabulary_size, tf.int32)
                for n in (settings.steps, settings.steps + 1)
            )
            start = time.perf_counter()
            step(source, target)[0].numpy()
            if number:  # the first round compiles
                times[name].append(time.perf_counter() - start)
    first = median(next(iter(times.values())))
    print("| decoder | training step, ms | ratio |\n| --- | --- | --- |")
    for name, seconds in times.items():
        print(f"| {name} | {1000 * median(seconds):.0f} | {median(seconds) / first:.2f} |")


if __name__ == "__main__":
    with exit_on_user_error():
        main(tyro.cli(Settings))
