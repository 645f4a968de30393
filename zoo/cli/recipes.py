"""What the command lines of the recipes share."""

import dataclasses
import logging
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import tyro

from zoo.cli.errors import exit_on_user_error
from zoo.cli.xla_cache import xla_cache
from zoo.datasets import DataInfo
from zoo.preprocessing.text import read_vector_width
from zoo.serving.loading import load
from zoo.tasks import Task, read_ancestor
from zoo.tasks.base import round_metric
from zoo.training import distribution_scope

Settings = TypeVar("Settings")


def run_recipe(
    train: Callable[[Settings], None], settings_class: type[Settings], task: Task | None = None
) -> None:
    """Run a recipe with the settings on the command line.

    Args:
        train: the recipe.
        settings_class: its settings, a dataclass.
        task: its task, if its models can start from the weights of another one.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stdout, force=True)  # also under `zoo train`
    logging.getLogger("zoo").setLevel(logging.INFO)
    name = Path(sys.argv[0]).stem
    with exit_on_user_error():
        settings = tyro.cli(settings_class, prog=f"zoo train {name}")
        if defaults := _read_defaults(settings, task):
            settings = dataclasses.replace(settings, **defaults)  # type: ignore[type-var]  # a dataclass
            settings = tyro.cli(settings_class, prog=f"zoo train {name}", default=settings)
        with xla_cache(), distribution_scope():
            train(settings)


def _read_defaults(settings: Any, task: Task | None) -> dict[str, Any]:
    """Return the values of settings that files decide, unless the command line states other ones."""
    if task and settings.init_from:
        return read_ancestor(task, settings.init_from).model_settings
    if getattr(settings, "vectors", None):
        return {"embedding_dim": read_vector_width(settings.vectors)}
    return {}


def add_terms(info: DataInfo, citation: str, license: str) -> DataInfo:
    """Return the description of data with the citation and license that the user names, if any."""
    return dataclasses.replace(info, citation=citation or info.citation, license=license or info.license)


def print_data(info: DataInfo) -> None:
    """Print where data come from, and the notes about them."""
    labels = f": {', '.join(info.labels)}" if info.labels else ""
    print(f"{info.source}{labels}.", *info.notes)


def print_metrics(metrics: Mapping[str, float]) -> None:
    """Print measured values as a table."""
    width = max(map(len, metrics)) + 2
    print("\n" + "\n".join(f"{name:{width}}{round_metric(value):>10}" for name, value in metrics.items()))


def print_examples(directory: Path) -> None:
    """Print what an export predicts for the example on its card, and the next command to type.

    Args:
        directory: directory of the export.
    """
    print(f"\nexported to {directory}")
    predictor = load(directory)
    names, inputs = zip(*predictor.read_examples(), strict=True)
    for name, prediction in zip(names, predictor.predict(inputs), strict=True):
        print("\n".join(prediction.format_lines(name, top_k=1)))
    if predictor.input_kind == "array":  # which the command line does not take
        command = ["show", str(directory)]
    else:
        command = ["predict", str(directory), "video.mp4" if predictor.input_kind == "video" else names[0]]
    print(f"\nnext: {shlex.join(['zoo', *command])}")
