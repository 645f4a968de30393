"""Training curves as an image."""

from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from zoo.files import atomic_write
from zoo.inspection.figures import Figure, save_figure
from zoo.training.best_epoch import find_best_epoch
from zoo.training.run_log import read_log
from zoo.training.run_record import read_record

_STEPS_PER_WIDTH = 50
"""The window of a moving average is this part of all steps."""

_NOT_METRICS = {"kind", "timing", "epoch", "step"}


def plot_training_curves(run_dir: Path, path: Path | None = None) -> matplotlib.figure.Figure:
    """Plot loss and gradient norm of each step and the metrics of each epoch, and mark the best epoch.

    The axis of the loss, or of the norm, is logarithmic unless a value is zero or negative.

    Args:
        run_dir: directory of the run, with `run.json` and at least one epoch in its log.
        path: file to write, if any. Its suffix sets the format, as in `curves.png`.

    Returns:
        The figure.
    """
    lines = read_log(run_dir)
    steps = [line for line in lines if line["kind"] == "step"]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    record = read_record(run_dir)
    assert record is not None  # of a run that has a log
    mode, _, monitor = record.settings["fit"]["monitor"].partition(" of ")
    best = epochs[find_best_epoch(epochs, monitor, mode)]
    metrics = sorted({name.removeprefix("val_") for name in epochs[0].keys() - _NOT_METRICS} - {"loss"})

    figure = Figure(8, 2.5 * (2 + len(metrics)), dpi=120)
    loss_axes, norm_axes, *metric_axes = figure.subplots(2 + len(metrics), sharex=True)
    for axes, name in ((loss_axes, "loss"), (norm_axes, "gradient_norm")):
        x = np.array([line["step"] for line in steps])
        values = np.array([line[name] for line in steps])
        averages, label = _moving_average(values), "training"
        if len(values) >= 2 * _STEPS_PER_WIDTH:
            axes.plot(x, values, color="C0", alpha=0.25, linewidth=0.8)
            label = "training, smoothed"
        axes.plot(x, averages, color="C0", label=label)
        if values.min() > 0:
            axes.set_yscale("log")
    norm_axes.set_ylabel("gradient norm")
    for axes, name in zip((loss_axes, *metric_axes), ("loss", *metrics), strict=True):
        if name != "loss":
            _plot_epochs(axes, epochs, name, "C0o-", "training")
        _plot_epochs(axes, epochs, f"val_{name}", "C1o-", "validation")
        axes.axvline(
            best["step"], color="0.4", linestyle=":", label=f"best epoch ({best['epoch']}), which is kept"
        )
        axes.set_ylabel(name)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, borderaxespad=0)
    figure.get_axes()[-1].set_xlabel("step")
    for axes in (loss_axes, norm_axes):
        if axes.get_yscale() == "log":
            _format_log_axis(axes)
    for axes in figure.get_axes():
        axes.grid(alpha=0.3)
    if path is not None:
        with atomic_write(path) as temporary:
            save_figure(figure, temporary)
    return figure


def _plot_epochs(axes: Axes, epochs: list[dict[str, Any]], name: str, style: str, label: str) -> None:
    points = [(line["step"], line[name]) for line in epochs if name in line]
    if points:
        axes.plot(*zip(*points, strict=True), style, label=label)


def _format_log_axis(axes: Axes) -> None:
    """Label a logarithmic axis with plain numbers: powers of ten, and more where there are few of them."""
    low, high = axes.get_ylim()
    first_digits = "123456789" if high / low < 10 else "25" if high / low < 100 else ""

    def format_minor(value: float, position: int) -> str:
        return f"{value:g}" if f"{value:e}"[0] in first_digits else ""

    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(format_minor))


def _moving_average(values: np.ndarray) -> np.ndarray:
    """Average each value with its neighbors, over a window of 2 % of all values."""
    width = max(len(values) // _STEPS_PER_WIDTH, 1)
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
