"""Images per second of an exported captioner, greedy and by beam search.

python benchmarks/captioning.py --model saved_models/captioning/1
python benchmarks/captioning.py --model saved_models/captioning/1 --images photo1.jpg photo2.jpg

From encoded images to sentences; reading the files does not count. Both signatures caption the same images,
in turns and in a new random order each round, and once before the clock runs. What is shown is the median
over the rounds.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from zoo.errors import UsageError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tyro

from zoo.cli.types import PositiveInt
from zoo.datasets.builders import scenes
from zoo.provenance import commit, versions
from zoo.serving.model_store import saved


@dataclass(frozen=True)
class Settings:
    """Measure how fast an exported captioner is."""

    model: Path = Path("saved_models/captioning/1")  # an export of recipes/captioning.py
    images: tuple[Path, ...] = ()  # files; none: drawn scenes, as JPEG
    size: PositiveInt = 500  # pixels each way, of the drawn scenes
    batch_sizes: tuple[PositiveInt, ...] = (
        1,
        32,
    )  # images at once; where there are too few they are repeated
    rounds: PositiveInt = 5  # in each of them both signatures caption all


def pictures(settings: Settings) -> list[bytes]:
    """The encoded images."""
    try:
        found = [path.read_bytes() for path in settings.images]
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    for number in range(0 if found else 8):
        drawn = np.asarray(scenes.scene("test", number)[0].resize([settings.size] * 2))
        found.append(tf.io.encode_jpeg(drawn, quality=90).numpy())
    return found


def seconds(caption: Callable[..., dict[str, tf.Tensor]], images: tf.Tensor) -> float:
    """How long it takes to caption them."""
    start = time.perf_counter()
    caption(image=images)["captions"].numpy()
    return time.perf_counter() - start


def run(settings: Settings) -> None:
    """Measure and print."""
    images, model = pictures(settings), saved(settings.model, "captions")
    print(
        f"{settings.model}, {len(images)} images, {os.cpu_count()} CPU cores, commit {commit()}, {versions()}"
    )
    beams = model.signatures["serving_default"].structured_outputs["captions"].shape[1]
    names = {"greedy": "greedy", "serving_default": f"{beams} beams, {beams} best"}
    print("\n| | images at once | images per second | ms |\n| --- | --- | --- | --- |")
    for size in settings.batch_sizes:
        batch = tf.constant([images[i % len(images)] for i in range(size)])
        times = {name: [] for name in names}
        for _ in range(settings.rounds + 1):
            for name in random.sample(list(names), len(names)):
                times[name].append(seconds(model.signatures[name], batch))
        for name, title in names.items():
            took = median(times[name][1:])
            print(f"| {title} | {size} | {size / took:.1f} | {1000 * took:.0f} |")


if __name__ == "__main__":
    try:
        run(tyro.cli(Settings))
    except UsageError as error:
        sys.exit(f"error: {error}")
