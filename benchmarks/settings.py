r"""Measure how settings of a recipe change its score on few and on many examples.

python benchmarks/settings.py --task sentiment --dataset imdb_reviews --sizes 400 10000 \
  --variants learning_rate=0.001 units=64 batch_size=16,epochs=40

The recipe is run as `zoo train` runs it, up to its results, on a random sample of the training split: of 400
examples 320 are for training and 40 for choosing the epoch, as the recipe splits a file, and the other 40 are left
out. The score is measured on examples of the validation split, of which there are more, so that it varies less. The
test split is never read. All variants have the same samples, one for each seed. Each variant changes the defaults of
the recipe in the settings that it names.

Each result is a line of the file `--results`. What is in it is not measured again, so that you can interrupt the
script, and add sizes, seeds and variants. Name another file after a change of the code.
"""

import contextlib
import dataclasses
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from types import ModuleType
from typing import Any, Literal
from unittest.mock import patch

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import numpy as np
import tensorflow as tf
import tyro

from zoo.cli.errors import exit_on_user_error
from zoo.cli.recipes import run_recipe
from zoo.cli.types import PositiveInt
from zoo.datasets import CaptioningSplit, DataSplits, TaggingSplit
from zoo.errors import UsageError
from zoo.provenance import get_commit

LOADERS = {
    "text_classification": "load_text_classification",
    "translation": "load_translation",
    "frame_tagging": "load_data",
    "captioning": "load_captioning",
}
"""The function by which the recipe of each task loads its data."""

SHARES = {"train": 0.8, "validation": 0.1}
"""What of a sample is for training and for choosing the epoch."""


@dataclass(frozen=True)
class Settings:
    """Measure settings of a recipe."""

    task: Literal["sentiment", "translation", "tagging", "captioning"] = "sentiment"  # name of the recipe
    dataset: str | None = None  # data set of the recipe, with a validation split; None: its embedded one
    sizes: tuple[PositiveInt, ...] = (400,)  # numbers of examples of the samples
    variants: tuple[str, ...] = ()  # settings to change, such as epochs=40 or batch_size=16,epochs=40
    seeds: PositiveInt = 3  # number of samples of each size, which are also the seeds of training
    held_out: PositiveInt = 1_000  # most examples on which the score is measured
    results: Path = Path("runs/settings.jsonl")  # file of results, to which new ones are added


class _Measured(Exception):
    """Ends a recipe when its results are known."""

    def __init__(self, metrics: Mapping[str, float]) -> None:
        super().__init__()
        self.metrics = metrics


def read_variant(text: str) -> list[str]:
    """Return the options of a recipe that a variant stands for.

    >>> read_variant("batch_size=16,baseline=false")
    ['--batch-size', '16', '--no-baseline']

    Raises:
        UsageError: it is not of the form NAME=VALUE,NAME=VALUE.
    """
    options: list[str] = []
    for assignment in text.split(","):
        name, _, value = assignment.partition("=")
        if not name or not value:
            raise UsageError(f"--variants: found {assignment!r}, expected NAME=VALUE, such as epochs=40.")
        option = name.replace("_", "-")
        options += [f"--no-{option}"] if value.lower() == "false" else [f"--{option}", value]
    return options


def read_examples(split: Any) -> Any:
    """Return a split in memory: the examples of a `tf.data.Dataset` as a list, any other split as it is."""
    return list(split.as_numpy_iterator()) if isinstance(split, tf.data.Dataset) else split


def count_examples(split: Any) -> int:
    """Return the number of examples of a split from `read_examples`."""
    return len(split if isinstance(split, list) else split.names)


def select_examples(split: Any, rows: np.ndarray) -> Any:
    """Return the examples of a split from `read_examples` with these numbers, in ascending order, as a split."""
    rows = np.sort(rows)
    if isinstance(split, TaggingSplit):
        columns = (split.names, split.sequences, split.tags, split.times)
        return TaggingSplit(*([column[row] for row in rows] for column in columns))
    if isinstance(split, CaptioningSplit):
        chosen = set(rows.tolist())
        return CaptioningSplit(
            [split.names[row] for row in rows],
            [split.captions[row] for row in rows],
            lambda: (example for row, example in enumerate(split.read_inputs()) if row in chosen),
        )
    examples = (split[row] for row in rows)
    return tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*examples, strict=True))))


@dataclass
class Sampler:
    """Samples of the data of a recipe, which are loaded once.

    Attributes:
        load: the function by which the recipe loads its data.
        held_out: most examples of the validation split, which become the test split of each sample.
    """

    load: Callable[..., DataSplits]
    held_out: int
    data: DataSplits | None = None

    def sample(self, size: int, seed: int, *args: Any, **options: Any) -> DataSplits:
        """Return a sample of the training split, and examples of the validation split as its test split.

        Args:
            size: number of examples.
            seed: number of the sample.
            args: arguments of `load`.
            options: further arguments of `load`.

        Raises:
            UsageError: there are fewer examples than `size`.
        """
        if self.data is None:
            data = self.load(*args, **options)
            splits = {name: read_examples(getattr(data, name)) for name in ("train", "validation")}
            self.data = dataclasses.replace(data, **splits)
        count = count_examples(self.data.train)
        if count < size:
            raise UsageError(f"--sizes: found {size:,}, expected at most {count:,}, the training examples.")
        order = np.random.default_rng([seed, size]).permutation(count)
        num_train, num_validation = (round(size * share) for share in SHARES.values())
        held_out = np.random.default_rng(0).permutation(count_examples(self.data.validation))
        return DataSplits(
            select_examples(self.data.train, order[:num_train]),
            select_examples(self.data.train, order[num_train : num_train + num_validation]),
            select_examples(self.data.validation, held_out[: self.held_out]),
            self.data.info,
        )


def measure(recipe: ModuleType, options: Sequence[str], load: Callable[..., DataSplits]) -> dict[str, float]:
    """Run a recipe up to its results, and return its metrics, with the minutes of processor time.

    Args:
        recipe: the module.
        options: of its command line.
        load: the function by which it loads its data.
    """

    def finish(metrics: Mapping[str, float], *_: Any) -> None:
        raise _Measured(metrics)

    start = time.process_time()
    with (
        tempfile.TemporaryDirectory() as directory,
        patch.object(recipe, LOADERS[recipe.TASK.name], load),
        patch.object(recipe, "print_results", finish),
        patch.object(sys, "argv", [str(recipe.__file__), *options, *make_paths(directory)]),
        contextlib.redirect_stdout(sys.stderr),
    ):
        try:
            run_recipe(recipe.train, recipe.Settings, recipe.TASK)
        except _Measured as measured:
            return {**measured.metrics, "CPU minutes": (time.process_time() - start) / 60}
    raise AssertionError("the recipe has ended without results")


def make_paths(directory: str) -> list[str]:
    """Return the options of a recipe that write all its files to a directory."""
    return ["--run-dir", f"{directory}/run", "--export-dir", f"{directory}/export"]


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of results; none if there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(settings: Settings) -> None:
    """Measure what the file of results lacks, and print a table for each size."""
    recipe = importlib.import_module(f"zoo.recipes.{settings.task}")
    variants = {"defaults": [], **{text: read_variant(text) for text in settings.variants}}
    common = ["--dataset", settings.dataset] if settings.dataset else []
    sampler = Sampler(getattr(recipe, LOADERS[recipe.TASK.name]), settings.held_out)
    settings.results.parent.mkdir(parents=True, exist_ok=True)
    results = read_results(settings.results)
    for size in settings.sizes:
        table: dict[str, list[dict[str, float]]] = {}
        for seed in range(1, settings.seeds + 1):
            for text, changes in variants.items():
                options = [*common, *changes, "--seed", str(seed)]
                key = {"task": settings.task, "size": size, "held_out": settings.held_out, "options": options}
                line = next((line for line in results if line["key"] == key), None)
                if line is None:
                    print(
                        f"\n{settings.task}, {size:,} examples, seed {seed}, {text}",
                        file=sys.stderr,
                        flush=True,
                    )
                    keras.backend.clear_session()
                    metrics = measure(recipe, options, partial(sampler.sample, size, seed))
                    line = {"key": key, "metrics": metrics, "commit": get_commit()}
                    with settings.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                table.setdefault(text, []).append(line["metrics"])
        print_table(f"{settings.task}, {settings.dataset or 'embedded'}, {size:,} examples", table, recipe)


def print_table(title: str, table: dict[str, list[dict[str, float]]], recipe: ModuleType) -> None:
    """Print the mean score of each variant, its standard deviation over the seeds, and the gain on the defaults."""
    first = table["defaults"][0]
    headline = next(name for name in recipe.TASK.headline_metrics if name in first)
    baseline = next((name for name in first if name.startswith(f"{headline}, ")), None)
    print(
        f"\n{title}, mean of {len(table['defaults'])} seeds\n\n| {recipe.__name__} | {headline} | gain | "
        f"{baseline or 'baseline'} | CPU minutes |\n| --- | --: | --: | --: | --: |"
    )
    for text, runs in table.items():
        scores = [metrics[headline] for metrics in runs]
        gains = [
            metrics[headline] - other[headline]
            for metrics, other in zip(runs, table["defaults"], strict=True)
        ]
        baselines = [metrics[baseline] for metrics in runs if baseline in metrics]  # a variant may train none
        cells = [
            format_mean(scores),
            "" if text == "defaults" else format_mean(gains, sign="+"),
            format_mean(baselines) if baselines else "–",
            f"{mean(metrics['CPU minutes'] for metrics in runs):.1f}",
        ]
        print(f"| {text.replace(',', ', ')} | {' | '.join(cells)} |")


def format_mean(values: Sequence[float], sign: str = "") -> str:
    """Return the mean of values and, of several, their standard deviation.

    >>> format_mean([1.0, 3.0])
    '2.0 ± 1.4'
    """
    spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    return f"{mean(values):{sign}.1f}{spread}"


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
