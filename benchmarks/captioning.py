"""Measure the images per second of an exported captioner, with greedy decoding and with beam search.

python benchmarks/captioning.py --model saved_models/captioning/1
python benchmarks/captioning.py --model saved_models/captioning/1 --images photo1.jpg photo2.jpg

The time is from encoded images to captions, without reading files. In each round both signatures caption the
same images, in random order. After one round of warm-up, the table shows the median over the rounds.
"""

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import numpy as np
import tensorflow as tf
import tyro

from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.datasets.builders import scenes
from zoo.errors import UsageError
from zoo.provenance import get_commit, get_versions
from zoo.serving.loading import load


@dataclass(frozen=True)
class Settings:
    """Measure the speed of an exported captioner."""

    model: Path = Path("saved_models/captioning/1")  # directory of an export
    images: tuple[Path, ...] = ()  # image files; none: generated scenes as JPEG
    size: PositiveInt = 500  # height and width of the generated scenes, in pixels
    batch_sizes: tuple[PositiveInt, ...] = (1, 32)  # images are repeated to fill a batch
    rounds: PositiveInt = 5


def load_images(settings: Settings) -> list[bytes]:
    """Return encoded images: those of the user, or generated scenes."""
    try:
        images = [path.read_bytes() for path in settings.images]
    except OSError as error:
        raise UsageError(f"--images: {error.filename} cannot be read: {error.strerror}.") from error
    for index in range(0 if images else 8):
        pixels = np.asarray(scenes.make_scene("test", index)[0].resize([settings.size] * 2))
        images.append(tf.io.encode_jpeg(pixels, quality=90).numpy())
    return images


def measure_seconds(caption: Callable[..., dict[str, tf.Tensor]], images: tf.Tensor) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    caption(image=images)["captions"].numpy()
    return time.perf_counter() - start


def run(settings: Settings) -> None:
    """Measure both signatures and print a table."""
    images, signatures = load_images(settings), load(settings.model).signatures
    outputs = signatures["serving_default"].structured_outputs
    if "captions" not in outputs:
        raise UsageError(
            f"{settings.model} has no output captions. Name an export of a captioner by --model."
        )
    print(
        f"{settings.model}, {len(images)} images, {os.cpu_count()} CPU cores, commit {get_commit()}, {get_versions()}"
    )
    num_beams = outputs["captions"].shape[1]
    titles = {"greedy": "greedy", "serving_default": f"{num_beams} beams, {num_beams} best"}
    print("\n| | batch size | images/s | ms/batch |\n| --- | --- | --- | --- |")
    for batch_size in settings.batch_sizes:
        batch = tf.constant([images[i % len(images)] for i in range(batch_size)])
        seconds: dict[str, list[float]] = {name: [] for name in titles}
        for _ in range(settings.rounds + 1):
            for name in random.sample(list(titles), len(titles)):
                seconds[name].append(measure_seconds(signatures[name], batch))
        for name, title in titles.items():
            middle = median(seconds[name][1:])
            print(f"| {title} | {batch_size} | {batch_size / middle:.1f} | {1000 * middle:.0f} |")


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
