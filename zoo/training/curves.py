"""The curves of a run, as a picture."""

import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def plot_training_curves(log: Path, picture: Path) -> None:
    """Draw the loss and the norm of each step and the figures of each epoch over the steps.

    Args:
        log: the `log.jsonl` of a run, with at least one epoch.
        picture: a file to write; the ending names the format, as in `curves.png`.
    """
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    shared = {"kind", "timing", "epoch", "step", "norm"}
    metrics = sorted({name.removeprefix("val_") for name in epochs[0].keys() - shared} - {"loss"})

    figure = Figure(figsize=(8, 2.5 * (2 + len(metrics))), layout="constrained")
    loss, norm, *rest = figure.subplots(2 + len(metrics), sharex=True)
    for axes, name in ((loss, "loss"), (norm, "norm")):
        values = np.array([line[name] for line in steps])
        at = np.array([line["step"] for line in steps])
        axes.plot(at, values, color="C0", alpha=0.25, linewidth=0.8)
        axes.plot(at, _smoothed(values), color="C0", label="training, smoothed")
        axes.set_yscale("log")
    norm.set_ylabel("norm of the gradients")
    for axes, name in zip((loss, *rest), ("loss", *metrics), strict=True):
        if name != "loss":
            _points(axes, epochs, name, "C0o-", "training")
        _points(axes, epochs, f"val_{name}", "C1o-", "validation")
        axes.set_ylabel(name)
        axes.legend()
    figure.get_axes()[-1].set_xlabel("step")
    for axes in figure.get_axes():
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=120)


def _points(axes: Axes, epochs: list[dict], name: str, style: str, label: str) -> None:
    found = [(line["step"], line[name]) for line in epochs if name in line]
    if found:
        axes.plot(*zip(*found, strict=True), style, label=label)


def _smoothed(values: np.ndarray) -> np.ndarray:
    """The mean of each value and those around it, a fiftieth of them all."""
    width = max(len(values) // 50, 1)
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
