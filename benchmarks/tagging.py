"""How long an exported tagger takes for a frame of a stream, by TensorFlow and by LiteRT; do they agree?

python benchmarks/tagging.py --model saved_models/tagging/1 --video docs/drawings/film.mp4
python benchmarks/tagging.py --clips 20

One stream, one frame at a time, of the size that the model wants; reading the video does not count. LiteRT
runs `step.tflite` and `step_int8.tflite`, which lie beside the model (`pip install ai-edge-litert`). Frames
come from a video, or from clips of generated footage. Agreement is the share of frames with the tag of the
SavedModel.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from zoo.errors import UsageError, VideoError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tyro

from zoo.cli.types import PositiveInt
from zoo.datasets.builders import footage
from zoo.preprocessing.video import open_video
from zoo.provenance import commit, versions
from zoo.serving.model_store import saved

Step = Callable[[np.ndarray], np.ndarray]
"""From the next frame [height, width, 3] to scores [classes]; carries the state."""


@dataclass(frozen=True)
class Settings:
    """Measure how fast an exported tagger follows a stream."""

    model: Path = Path("saved_models/tagging/1")  # an export of recipes/tagging.py
    video: Path | None = None  # a file, or a folder of frames; none: generated footage
    clips: PositiveInt = 5  # of generated footage, 100 frames each


def frames_of(settings: Settings, size: tuple[int, int]) -> np.ndarray:
    """Frames uint8 [time, height, width, 3]."""
    if settings.video:
        return np.stack([frame for _, frame in open_video(settings.video).frames(size)])
    randoms = (np.random.default_rng([9, number]) for number in range(settings.clips))
    return np.concatenate([footage.clip(random, footage.painted, size=size)[0] for random in randoms])


def by_tensorflow(signatures: dict[str, Callable]) -> Step:
    """The step of the SavedModel."""
    state = signatures["init"](batch=tf.constant(1))

    def step(frame: np.ndarray) -> np.ndarray:
        nonlocal state
        said = signatures["step"](frames=tf.constant(frame[None, None]), **state)
        state = {name: said[name] for name in state}
        return said["scores"].numpy()[0, 0]

    return step


def by_litert(file: Path) -> Step:
    """The step in a .tflite file."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(file), num_threads=os.cpu_count()).get_signature_runner()
    state = {
        name: np.zeros(about["shape"], about["dtype"])
        for name, about in runner.get_input_details().items()
        if name != "frames"
    }

    def step(frame: np.ndarray) -> np.ndarray:
        nonlocal state
        said = runner(frames=frame[None, None].astype(np.float32), **state)
        state = {name: said[name] for name in state}
        return said["scores"][0, 0]

    return step


def run(settings: Settings) -> None:
    """Measure and print."""
    model = saved(settings.model, "tags")
    if "step" not in model.signatures:
        raise UsageError(f"{settings.model} is for no streams. Name a model of one direction by --model.")
    *_, height, width, _ = model.signatures["init"].structured_outputs["past"].shape
    frames = frames_of(settings, (height, width))
    steps = {"TensorFlow": by_tensorflow(model.signatures)}
    for name in ("step.tflite", "step_int8.tflite"):
        try:
            steps[name] = by_litert(settings.model / name)
        except (ImportError, ValueError) as error:
            print(f"{name} is left out: {error}")
    late = model.signatures["finish"].structured_outputs["tags"].shape[1]
    print(
        f"{settings.model}, {len(frames)} frames, {os.cpu_count()} CPU cores, commit {commit()}, {versions()}"
    )
    print("\n| | ms a frame | agreement | MB |\n| --- | --- | --- | --- |")
    said: dict[str, np.ndarray] = {}
    for name, step in steps.items():
        times, scores = [], []
        for frame in frames:
            start = time.perf_counter()
            scores.append(step(frame))
            times.append(time.perf_counter() - start)
        said[name] = np.argmax(scores[late:], -1)
        same = 100 * np.mean(said[name] == said["TensorFlow"])
        file = settings.model / name
        size = f"{file.stat().st_size / 1e6:.2f}" if file.is_file() else ""
        print(f"| {name} | {1000 * median(times):.2f} | {same:.1f} % | {size} |")


if __name__ == "__main__":
    try:
        run(tyro.cli(Settings))
    except (UsageError, VideoError) as error:
        sys.exit(f"error: {error}")
