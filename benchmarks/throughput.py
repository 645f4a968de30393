"""Predictions per second of exports, one at a time and 64 at once, on one core and on two; and their memory.

python benchmarks/throughput.py
python benchmarks/throughput.py --models saved_models/translation/1 runs/translation/export/1

The first form measures all shipped models. Exports of the same task are compared with the first of them: they get the
same inputs, and take turns in a random order in each round. Each runs in a process of its own, which may use the
stated number of cores.

Inputs are texts of this directory or of `--file`, the pictures of `strangers/`, and clips of 100 frames of its videos,
at the size to which `zoo predict` reads them. Reading files is not measured, decoding images is. A unit is a text, an
image or a frame. The table has medians over the rounds, and behind the ratio to the first export its quartiles. Memory
is the most that the process had resident on the first number of cores; in brackets what it had when TensorFlow was
imported and no model loaded.
"""

import itertools
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import numpy as np
import tyro
from memory import read_peak_memory

from zoo.card import format_table, get_headline, read_card
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.errors import UsageError
from zoo.model_store import list_models
from zoo.provenance import get_commit, get_versions

HERE = Path(__file__).parent
TEXTS = {"translation": ("survival.tsv", 3), "": ("short_sentences.tsv", 3)}
"""Table and column of the texts of a task; under the empty name those of all other tasks."""

CLIP = 100
"""Frames of a clip."""


@dataclass(frozen=True)
class Settings:
    """Measure answers per second of exports."""

    models: tuple[Path, ...] = ()  # directories of exports; default: the shipped ones
    file: Path | None = None  # texts, one per line
    cores: tuple[PositiveInt, ...] = (1, 2)  # numbers of cores
    batch_sizes: tuple[PositiveInt, ...] = (1, 64)  # numbers of inputs at once
    rounds: PositiveInt = 9  # measurements of each export
    inputs: PositiveInt = 64  # inputs of a measurement; of clips an eighth


# --- In the process of an export -------------------------------------------------------------------


def read_texts(task: str, file: Path | None) -> list[str]:
    """Return texts for an export."""
    if file:
        texts = file.read_text(encoding="utf-8").splitlines()
    else:
        name, column = TEXTS.get(task, TEXTS[""])
        rows = (HERE / name).read_text(encoding="utf-8").splitlines()[1:]
        texts = [row.split("\t")[column] for row in rows]
    texts = [text for text in dict.fromkeys(texts) if text.strip()]
    if not texts:
        raise UsageError(f"{file} is empty. Expected one text per line.")
    random.Random(0).shuffle(texts)
    return texts


def read_clips(signatures: Mapping[str, Any]) -> list[np.ndarray]:
    """Return clips of the size that a client reads for an export that tags frames."""
    from zoo.preprocessing.video import open_video
    from zoo.tasks.frame_tagging import FULL_SIZE

    past = signatures["init"].structured_outputs.get("past") if "init" in signatures else None
    size = FULL_SIZE if past is None else tuple(past.shape[2:4])
    clips = []
    for path in sorted((HERE / "strangers" / "videos").glob("*.mp4")):
        frames = np.stack([frame for _, frame in open_video(path).decode(size)])
        clips.append(np.resize(frames, (CLIP, *frames.shape[1:])))  # repeats a video that is too short
    return clips


def serve_measurements(directory: Path, file: Path | None, num_inputs: int) -> None:
    """Answer each batch size on standard input with seconds, number of units, and memory before and since, in MB."""
    import tensorflow as tf

    from zoo.serving.loading import load

    idle = read_peak_memory(os.getpid())
    predictor: Any = load(directory)
    serve = predictor.signatures["serving_default"]
    if predictor.input_kind == "text":
        values: Sequence[Any] = read_texts(predictor.card["task"], file)
    elif predictor.input_kind == "image":
        values = [path.read_bytes() for path in sorted((HERE / "strangers" / "pictures").glob("*.jpg"))]
    else:
        values, num_inputs = read_clips(predictor.signatures), -(-num_inputs // 8)
    for line in sys.stdin:
        size = int(line)
        items = list(itertools.islice(itertools.cycle(values), max(size, num_inputs)))
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        name = {"text": "text", "image": "image"}.get(predictor.input_kind, "frames")
        inputs = [{name: tf.constant(np.array(batch) if name == "frames" else batch)} for batch in batches]
        if name == "frames":
            inputs = [batch | {"lengths": tf.fill([len(batch[name])], CLIP)} for batch in inputs]
        start = time.perf_counter()
        for batch in inputs:
            outputs = serve(**batch)
            outputs["status"].numpy()
        seconds = time.perf_counter() - start
        units = len(items) * (CLIP if name == "frames" else 1)
        print(seconds, units, idle, read_peak_memory(os.getpid()), flush=True)


# --- Measurement and output ------------------------------------------------------------------------


class Contender:
    """An export in a process of its own.

    Args:
        directory: directory of the export.
        num_cores: number of cores that it may use.
        settings: those of the benchmark.

    Attributes:
        memory: resident memory of the process in MB, without a model and at most; after the first measurement.
    """

    def __init__(self, directory: Path, num_cores: int, settings: Settings) -> None:
        allowed = os.sched_getaffinity(0)
        if num_cores > len(allowed):
            raise UsageError(
                f"--cores: expected at most {len(allowed)}, as this machine has, got {num_cores}."
            )
        command = [
            sys.executable,
            __file__,
            "--worker",
            str(directory),
            str(settings.file or ""),
            str(settings.inputs),
        ]
        os.sched_setaffinity(0, sorted(allowed)[:num_cores])  # which the process inherits
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        finally:
            os.sched_setaffinity(0, allowed)

    def measure(self, batch_size: int) -> float:
        """Return the units per second."""
        assert self._process.stdin
        assert self._process.stdout
        print(batch_size, file=self._process.stdin, flush=True)
        if not (line := self._process.stdout.readline()):
            raise UsageError("An export cannot be measured; its process has written why.")
        seconds, units, *self.memory = map(float, line.split())
        return units / seconds

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def compare(
    directories: Sequence[Path], num_cores: int, settings: Settings
) -> tuple[dict[int, list[list[float]]], list[list[float]]]:
    """Return the units per second of each export [export][round], by batch size, and the memory of each export."""
    contenders = [Contender(directory, num_cores, settings) for directory in directories]
    rates: dict[int, list[list[float]]] = {}
    try:
        for size in settings.batch_sizes:
            for contender in contenders:
                contender.measure(size)
            rates[size] = [[] for _ in contenders]
            for _ in range(settings.rounds):
                for position in random.sample(range(len(contenders)), len(contenders)):
                    rates[size][position].append(contenders[position].measure(size))
    finally:
        for contender in contenders:
            contender.close()
    return rates, [contender.memory for contender in contenders]


def format_rate(rates: Sequence[float], reference: Sequence[float]) -> str:
    """Return the median of rates, and the quartiles of their ratio to those of another export.

    >>> format_rate([10.0, 12.0, 11.0], [10.0, 10.0, 10.0])
    '11.0 (1.10, 1.05 to 1.15)'
    """
    median = statistics.median(rates)
    text = f"{median:,.0f}" if median >= 100 else f"{median:.1f}"
    if rates is reference:
        return text
    ratios = [rate / other for rate, other in zip(rates, reference, strict=True)]
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    return f"{text} ({middle:.2f}, {low:.2f} to {high:.2f})"


def run(settings: Settings) -> None:
    """Measure, and print a table for each task."""
    models = settings.models or tuple(list_models(HERE.parent / "saved_models").values())
    by_task: dict[str, list[Path]] = {}
    for directory in models:
        by_task.setdefault(read_card(directory)["task"], []).append(directory)
    print(
        f"{', '.join(f'{name} {number}' for name, number in get_versions().items())}, commit {get_commit()}"
    )
    for task, directories in by_task.items():
        columns = ["MB of memory"]
        columns += [
            f"cores: {cores}, at once: {size}" for cores in settings.cores for size in settings.batch_sizes
        ]
        rows = []
        for directory in directories:
            card = read_card(directory)
            headline = get_headline(card)
            rows.append([os.path.relpath(directory), f"{headline[0]} {headline[1]:.1f}" if headline else "–"])
        for cores in settings.cores:
            by_size, memory = compare(directories, cores, settings)
            if cores == settings.cores[0]:
                for row, (idle, peak) in zip(rows, memory, strict=True):
                    row.append(f"{peak:,.0f} ({idle:,.0f})")
            for rates in by_size.values():
                for row, its_rates in zip(rows, rates, strict=True):
                    row.append(format_rate(its_rates, rates[0]))
        print(f"\n{task}\n\n{format_table(['units per second of', 'score', *columns], rows)}", flush=True)


if __name__ == "__main__":
    with exit_on_user_error():
        if sys.argv[1:2] == ["--worker"]:
            serve_measurements(
                Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3] else None, int(sys.argv[4])
            )
        else:
            run(tyro.cli(Settings))
