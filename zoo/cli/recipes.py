"""What the command lines of the recipes share."""

import contextlib
import dataclasses
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import tyro

from zoo.card import abbreviate, format_interval, format_percent
from zoo.cli.errors import end_by_signals, exit_on_user_error
from zoo.cli.types import PARSING
from zoo.cli.xla_cache import xla_cache
from zoo.datasets import DataInfo
from zoo.datasets.messages import measure_width
from zoo.errors import ImageError, Interrupted, UsageError, VideoError
from zoo.export import check_export_dir
from zoo.languages import list_language_codes
from zoo.manifest import compute_digest
from zoo.paths import check_writable_directory, expand_paths, find_path_kind
from zoo.preprocessing.images import open_image
from zoo.preprocessing.text import read_vector_width
from zoo.preprocessing.video import open_video
from zoo.provenance import get_resume_command
from zoo.reports import ClassificationReport, GenerationReport
from zoo.serving.loading import load
from zoo.tasks import Task, read_ancestor
from zoo.tasks.base import round_metric
from zoo.training import distribution_scope

Settings = TypeVar("Settings")

MAX_CLASSES = 10
"""Classes up to which a report is printed as a whole; `report.md` in the run directory always has all."""

_MAX_SHOWN_TEXT = 60
"""Characters of the longest example that the next command to type contains."""

_SHORT_TEXT = "The film was not dull but moving."
"""Text of the next command to type, if no example is short."""


class TextExamples(NamedTuple):
    """Texts for the check of an export, and whether its card may show them."""

    texts: list[str]
    are_public: bool


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
        settings = tyro.cli(settings_class, prog=f"zoo train {name}", config=PARSING)
        if defaults := _read_defaults(settings, task):
            settings = dataclasses.replace(settings, **defaults)  # type: ignore[type-var]  # a dataclass
            settings = tyro.cli(settings_class, prog=f"zoo train {name}", default=settings, config=PARSING)
        settings = expand_paths(settings)  # type: ignore[type-var]  # a dataclass
        _check_directories(settings)
        with _name_resume_command(), xla_cache(), distribution_scope():
            train(settings)


@contextlib.contextmanager
def _name_resume_command() -> Iterator[None]:
    """Name the command that goes on when the block is interrupted outside of training, as in evaluation or export.

    Several workers end by SIGTERM as other processes do: while a worker waits for the others, TensorFlow holds
    Python's lock, and no handler would run.
    """
    message = f"Stopped; what was trained is saved. To resume: {get_resume_command()}"
    is_alone = "TF_CONFIG" not in os.environ
    try:
        with end_by_signals(message) if is_alone else contextlib.nullcontext():
            yield
    except Interrupted:
        raise  # it states what is saved
    except KeyboardInterrupt:
        raise Interrupted(message, signal.SIGINT) from None


def _check_directories(settings: Any) -> None:
    """Check that run and export can be written.

    Raises:
        ExportError: the directory of the export holds something else.
        PathError: one of the directories cannot be written.
    """
    check_writable_directory(settings.run_dir, "--run-dir")
    check_export_dir(settings.export_dir, "--export-dir")


def _read_defaults(settings: Any, task: Task | None) -> dict[str, Any]:
    """Return the values of settings that files decide, unless the command line states other ones."""
    if task and settings.init_from:
        return read_ancestor(task, settings.init_from).model_settings
    if getattr(settings, "vectors", None):
        return {"embedding_dim": read_vector_width(settings.vectors)}
    return {}


def print_data(info: DataInfo, settings: Any = None) -> DataInfo:
    """Print where data come from, and the notes about them, one in each line.

    Args:
        info: description by the loader.
        settings: `citation` and `license`, and `language` if the recipe reads texts of one language; None if the user
            states nothing about the data.

    Returns:
        The description with what the user states.

    Raises:
        UsageError: there is no such language.
    """
    labels = f": {', '.join(info.labels)}" if info.labels else ""
    print(f"{info.source}{labels}.", *info.notes, sep="\n  ")
    if settings is None:
        return info
    language = getattr(settings, "language", None)
    if language and not list_language_codes((language,)):
        raise UsageError(
            f"--language: found {language!r}. Expected the code of a language, such as en or pt-BR."
        )
    return dataclasses.replace(
        info,
        citation=settings.citation or info.citation,
        license=settings.license or info.license,
        languages=(language,) if language else info.languages,
    )


def print_metrics(
    metrics: Mapping[str, float], report: ClassificationReport | GenerationReport | None = None
) -> None:
    """Print measured values as a table, and behind the accuracy of a classifier its confidence interval."""
    interval = ""
    if isinstance(report, ClassificationReport) and report.accuracy_interval:
        interval = f"  ({format_interval(report.accuracy_interval, len(report.references))})"
    width = max(map(len, metrics)) + 2
    print()
    for name, value in metrics.items():
        is_accuracy = name in ("accuracy", "test accuracy")
        print(f"{name:{width}}{round_metric(value):>10}{interval if is_accuracy else ''}")


def choose_examples(path: Path | None, test_texts: Sequence[str], info: DataInfo) -> TextExamples:
    """Return the texts for the card: those of the user, else of the test split if everyone may see it.

    Other texts only serve the check of the export and what the recipe prints.

    Args:
        path: file of the setting `--examples`, one text per line; None if it is not set.
        test_texts: some texts of the test split.
        info: about the data.

    Raises:
        UsageError: the file cannot be read, is not UTF-8, or has no text.
    """
    if path is None:
        return TextExamples(list(test_texts), may_publish(info))
    find_path_kind(path, "--examples")  # refuses devices
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--examples: {path} cannot be read: {error}. Expected a text file in UTF-8."
        ) from error
    texts = [line.strip() for line in content.split("\n") if line.strip()]
    if not texts:
        raise UsageError(f"--examples: {path} has no text. Expected one example per line.")
    return TextExamples(texts, True)


def may_publish(info: DataInfo, chosen: Sequence[Path] = (), are_generated: bool = False) -> bool:
    """Return whether the card may show examples; print it if it will show none.

    Args:
        info: about the data.
        chosen: images or videos that the user chose for the card instead of test examples.
        are_generated: whether the card shows generated examples instead of test examples.

    Raises:
        UsageError: one of them cannot be read or decoded, which would otherwise stop the export at the end.
    """
    for path in chosen:
        try:
            with path.open("rb") as file:  # of a directory of images the export could hold no copy
                open_video(path) if info.is_video else open_image(file.read())
        except (ImageError, VideoError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"--examples: {path} cannot be shown: {reason}. Name another file.") from error
    if chosen or are_generated or info.is_redistributable:
        return True
    print(
        "The card will show no examples: the data are your own, or their license is not known to permit it."
    )
    return False


def print_results(metrics: Mapping[str, float], report: ClassificationReport | GenerationReport) -> None:
    """Print measured values, scores by class, and what is wrong with the model or its data."""
    print_metrics(metrics, report)
    print_report(report)
    if report.warnings:
        print("docs/settings.md says which settings suit your data, and what to change.")


def print_report(report: ClassificationReport | GenerationReport) -> None:
    """Print scores by class or signatures of metrics, and warnings."""
    if isinstance(report, ClassificationReport):
        print_classes(report)
    else:
        print(*(f"{name} of sacrebleu: {text}" for name, text in report.signatures.items()), sep="\n")
    if report.warnings:
        print("\n" + "\n".join(f"warning: {warning}" for warning in report.warnings))


def print_classes(report: ClassificationReport) -> None:
    """Print scores by class and confusion matrix."""
    scores = list(zip(report.labels, report.class_scores, strict=True))
    if len(scores) > MAX_CLASSES:
        scores = sorted(scores, key=lambda pair: (pair[1].f1 is None, pair[1].f1))[:MAX_CLASSES]
        print(f"\nThe {MAX_CLASSES} classes with the lowest F1:")
    rows = [
        [label, *map(format_percent, (score.precision, score.recall, score.f1)), f"{score.examples:,}"]
        for label, score in scores
    ]
    print("\n" + format_columns([["class", "precision", "recall", "F1", "examples"], *rows]))
    matrix = report.confusion_matrix
    if matrix is not None and len(report.labels) <= MAX_CLASSES:
        counts = [
            [label, *(f"{count:,}" for count in row)]
            for label, row in zip(report.labels, matrix, strict=True)
        ]
        print("\n" + format_columns([["true ↓ predicted →", *report.labels], *counts]))


def format_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table in columns; the first one is aligned to the left, the others to the right.

    >>> print(format_columns([["class", "F1"], ["a", "100.0"]]))
    class     F1
    a      100.0
    """
    widths = [max(map(measure_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for cells in rows:
        spaces = [" " * (width - measure_width(cell)) for cell, width in zip(cells, widths, strict=True)]
        others = [space + cell for space, cell in zip(spaces[1:], cells[1:], strict=True)]
        lines.append("  ".join([cells[0] + spaces[0], *others]))
    return "\n".join(lines)


def print_examples(directory: Path, examples: Mapping[str, Any]) -> None:
    """Print what an export predicts for examples, and the next command to type.

    Args:
        directory: directory of the export.
        examples: inputs of `serving_default` by name, as `Task.export` takes them; used if the card shows none.
    """
    print(f"\ndigest, to publish: {compute_digest(directory)}\nexported to {directory}")
    predictor = load(directory)
    pairs = predictor.read_examples() or predictor.list_examples(examples)
    inputs = [value for _, value in pairs]
    names = [name for name, _ in pairs]
    if predictor.input_kind == "text":
        names = list(map(abbreviate, names))
    for name, prediction in zip(names, predictor.predict(inputs), strict=True):
        print("\n".join(prediction.format_lines(name, top_k=1)))
    if predictor.input_kind == "array":  # which the command line does not take
        command = ["show", str(directory)]
    elif predictor.input_kind == "text":
        command = ["predict", str(directory), _choose_text(inputs)]
    else:
        command = ["predict", str(directory), names[0] if isinstance(inputs[0], (str, Path)) else "video.mp4"]
    print(f"\nnext: {shlex.join(['zoo', *command])}")


def _choose_text(texts: Sequence[str]) -> str:
    """Return a text that is easy to type: the shortest one, unless all are long or have several lines."""
    short = [text for text in texts if text.strip() and len(text) <= _MAX_SHOWN_TEXT and text.isprintable()]
    return min(short, key=len, default=_SHORT_TEXT)
