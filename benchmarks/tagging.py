"""Measure the time per frame of an exported streaming tagger with TensorFlow and LiteRT, and their agreement.

python benchmarks/tagging.py --model saved_models/tagging/1 --video docs/drawings/film.mp4
python benchmarks/tagging.py --clips 20

One stream is tagged frame by frame, in the frame size of the model; decoding the video is not timed. LiteRT
runs `step.tflite` and `step_int8.tflite` from the directory of the model (`pip install ai-edge-litert`).
Frames come from a video or from generated footage. Agreement is the percentage of frames with the same tag as
from the SavedModel.
"""

import os
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
from zoo.datasets.builders import footage
from zoo.errors import UsageError
from zoo.preprocessing.video import open_video
from zoo.provenance import get_commit, get_versions
from zoo.serving.loading import load

Step = Callable[[np.ndarray], np.ndarray]
"""Maps the next frame [height, width, 3] to scores [labels], and carries the state."""


@dataclass(frozen=True)
class Settings:
    """Measure the speed of an exported tagger on a stream."""

    model: Path = Path("saved_models/tagging/1")  # directory of an export
    video: Path | None = None  # a file or a directory of images; None: generated footage
    clips: PositiveInt = 5  # of generated footage, 100 frames each


def load_frames(settings: Settings, size: tuple[int, int]) -> np.ndarray:
    """Return frames uint8 [time, height, width, 3]."""
    if settings.video:
        return np.stack([frame for _, frame in open_video(settings.video).decode(size)])
    generators = (np.random.default_rng([9, index]) for index in range(settings.clips))
    return np.concatenate(
        [footage.edit_clip(random, footage.paint_background, size=size)[0] for random in generators]
    )


def build_tensorflow_step(signatures: dict[str, Callable[..., dict[str, tf.Tensor]]]) -> Step:
    """Return the step of the SavedModel."""
    state = signatures["init"](batch=tf.constant(1))

    def step(frame: np.ndarray) -> np.ndarray:
        nonlocal state
        outputs = signatures["step"](frames=tf.constant(frame[None, None]), **state)
        state = {name: outputs[name] for name in state}
        return outputs["scores"].numpy()[0, 0]

    return step


def build_litert_step(path: Path) -> Step:
    """Return the step of a .tflite file."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=os.cpu_count()).get_signature_runner()
    state = {
        name: np.zeros(details["shape"], details["dtype"])
        for name, details in runner.get_input_details().items()
        if name != "frames"
    }

    def step(frame: np.ndarray) -> np.ndarray:
        nonlocal state
        outputs = runner(frames=frame[None, None].astype(np.float32), **state)
        state = {name: outputs[name] for name in state}
        return outputs["scores"][0, 0]

    return step


def run(settings: Settings) -> None:
    """Measure every step and print a table."""
    signatures = load(settings.model).signatures
    if "step" not in signatures:
        raise UsageError(
            f"{settings.model} has no signature step. Name an export of a model that reads in one direction "
            "by --model."
        )
    *_, height, width, _ = signatures["init"].structured_outputs["past"].shape
    frames = load_frames(settings, (height, width))
    steps = {"TensorFlow": build_tensorflow_step(signatures)}
    for name in ("step.tflite", "step_int8.tflite"):
        try:
            steps[name] = build_litert_step(settings.model / name)
        except (ImportError, ValueError) as error:
            print(f"{name} is left out: {error}")
    print(
        f"{settings.model}, {len(frames)} frames, {os.cpu_count()} CPU cores, commit {get_commit()}, {get_versions()}"
    )
    print("\n| | ms/frame | agreement | MB |\n| --- | --- | --- | --- |")
    lag = signatures["finish"].structured_outputs["tags"].shape[1]
    labels: dict[str, np.ndarray] = {}
    for name, step in steps.items():
        seconds, scores = [], []
        for frame in frames:
            start = time.perf_counter()
            scores.append(step(frame))
            seconds.append(time.perf_counter() - start)
        labels[name] = np.argmax(scores[lag:], -1)
        agreement = 100 * np.mean(labels[name] == labels["TensorFlow"])
        path = settings.model / name
        megabytes = f"{path.stat().st_size / 1e6:.2f}" if path.is_file() else ""
        print(f"| {name} | {1000 * median(seconds):.2f} | {agreement:.1f} % | {megabytes} |")


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
