"""Training curves as an image."""

from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from zoo.files import atomic_write
from zoo.inspection.figures import Figure, save_figure
from zoo.training.run_log import read_log

_NOT_METRICS = {"kind", "timing", "epoch", "step"}


def plot_training_curves(run_dir: Path, path: Path | None = None) -> matplotlib.figure.Figure:
    """Plot loss and gradient norm of each step and the metrics of each epoch.

    Args:
        run_dir: directory of the run, with at least one epoch in its log.
        path: file to write, if any. Its suffix sets the format, as in `curves.png`.

    Returns:
        The figure.
    """
    lines = read_log(run_dir)
    steps = [line for line in lines if line["kind"] == "step"]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    metrics = sorted({name.removeprefix("val_") for name in epochs[0].keys() - _NOT_METRICS} - {"loss"})

    figure = Figure(8, 2.5 * (2 + len(metrics)), dpi=120)
    loss_axes, norm_axes, *metric_axes = figure.subplots(2 + len(metrics), sharex=True)
    for axes, name in ((loss_axes, "loss"), (norm_axes, "gradient_norm")):
        x = np.array([line["step"] for line in steps])
        values = np.array([line[name] for line in steps])
        axes.plot(x, values, color="C0", alpha=0.25, linewidth=0.8)
        axes.plot(x, _moving_average(values), color="C0", label="training, smoothed")
        axes.set_yscale("log")
    norm_axes.set_ylabel("gradient norm")
    for axes, name in zip((loss_axes, *metric_axes), ("loss", *metrics), strict=True):
        if name != "loss":
            _plot_epochs(axes, epochs, name, "C0o-", "training")
        _plot_epochs(axes, epochs, f"val_{name}", "C1o-", "validation")
        axes.set_ylabel(name)
        axes.legend()
    figure.get_axes()[-1].set_xlabel("step")
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


def _moving_average(values: np.ndarray) -> np.ndarray:
    """Average each value with its neighbors, over a window of 2 % of all values."""
    width = max(len(values) // 50, 1)
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
