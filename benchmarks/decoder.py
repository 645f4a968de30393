"""What the kinds of attention, input feeding and scheduled sampling cost: training steps of a translator.

python benchmarks/decoder.py

One batch of random ids, the model of `recipes/translation.py`; forward, backward, without the update of the
weights. Contenders take turns; the figures are medians, and ratios to the first.
"""

import os
import time
from dataclasses import dataclass
from statistics import median

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf
import tyro

import zoo
from zoo.cli.types import PositiveInt
from zoo.recipes.translation import ATTENTIONS

CONTENDERS = {
    "multiplicative attention": {"attention": "multiplicative"},
    "additive attention": {"attention": "additive"},
    "no attention": {"attention": "none"},
    "input feeding": {"attention": "multiplicative", "input_feeding": True},
    "scheduled sampling": {"attention": "multiplicative", "scheduled_sampling": True},
}


@dataclass(frozen=True)
class Settings:
    """Compare training steps."""

    batch_size: PositiveInt = 64  # pairs
    steps: PositiveInt = 17  # of source and of target
    vocabulary: PositiveInt = 6_000  # of each
    units: PositiveInt = 256  # of the decoder, and of the encoder in each direction; and width of the vectors
    depth: PositiveInt = 2  # of the decoder
    rounds: PositiveInt = 9  # steps of each


def contender(
    settings: Settings, attention: str, input_feeding: bool = False, scheduled_sampling: bool = False
) -> tf.types.experimental.ConcreteFunction:
    """Loss and gradients of a batch `(source, target)`, traced for its batch size."""
    cell = zoo.GRUCell(settings.units, dropout=0.3, seed=1)
    decoder = zoo.Decoder(
        settings.vocabulary,
        settings.units,
        cell,
        settings.depth,
        attention=ATTENTIONS[attention](),
        input_feeding=input_feeding,
        dropout=0.3,
    )
    model = zoo.DelayedManyToMany(
        zoo.ScaledEmbedding(settings.vocabulary, settings.units),
        zoo.Encoder(cell, bidirectional=True),
        decoder,
        scheduled_sampling=scheduled_sampling,
    )
    model.build(((None, None), (None, None)))
    if scheduled_sampling:
        model.sampling_probability.assign(0.25)
    loss, values = zoo.losses.LabelSmoothedCrossentropy(0.1), [v.value for v in model.trainable_variables]

    def step(source: tf.Tensor, target: tf.Tensor) -> list[tf.Tensor]:
        inputs, following, weights = zoo.formulations.apply_teacher_forcing(source, target)
        with tf.GradientTape() as tape:
            total = loss(following, model(inputs, training=True), sample_weight=weights)
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, values)]

    spec = tf.TensorSpec([settings.batch_size, None], tf.int32)
    return tf.function(step, autograph=False).get_concrete_function(spec, spec)


def main(settings: Settings) -> None:
    """Time all contenders in turn, and print a table."""
    steps = {name: contender(settings, **options) for name, options in CONTENDERS.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    tf.random.set_seed(1)
    for number in range(settings.rounds + 1):
        for name, step in steps.items():
            source, target = (
                tf.random.uniform([settings.batch_size, n], 1, settings.vocabulary, tf.int32)
                for n in (settings.steps, settings.steps + 1)
            )
            start = time.perf_counter()
            step(source, target)[0].numpy()
            if number:  # the first compiles
                times[name].append(time.perf_counter() - start)
    first = median(next(iter(times.values())))
    print("| decoder | training step, ms | ratio |\n| --- | --- | --- |")
    for name, taken in times.items():
        print(f"| {name} | {1000 * median(taken):.0f} | {median(taken) / first:.2f} |")


if __name__ == "__main__":
    main(tyro.cli(Settings))
