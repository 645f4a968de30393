"""What was found inside, drawn: gates, gradients, attention, and which inputs moved an output.

A file's ending names its format, such as .png or .svg.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

# Of Okabe and Ito (2008, "Color universal design"): told apart by people of all kinds of color vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "osD^vPX"

Curve = tuple[Sequence[float], Sequence[float]]
"""Places on both axes."""


def plot_curves(
    panels: Mapping[str, Mapping[str, Curve]],
    path: Path,
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    log: bool = False,
) -> None:
    """Draw curves by name in panels by title, side by side, on the same axes.

    Args:
        panels: of each title the curves.
        path: a file to write.
        x_label: what is on the horizontal axis, with its unit.
        y_label: the same of the vertical axis.
        title: of the whole.
        log: whether the vertical axis is logarithmic, as for what grows or shrinks by factors; zeros are left
            out.
    """
    figure = Figure(figsize=(7.4 if len(panels) == 1 else 1 + 4.2 * len(panels), 3.8), layout="constrained")
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, curves) in zip(every, panels.items(), strict=True):
        for number, (label, (x, y)) in enumerate(curves.items()):
            axes.plot(
                x,
                np.where(np.asarray(y) > 0, y, np.nan) if log else y,
                color=COLOURS[number % len(COLOURS)],
                marker=_MARKS[number % len(_MARKS)],
                markersize=4,
                markevery=max(1, len(x) // 12),
                label=label,
            )
        if log:
            axes.set_yscale("log")
        axes.set_title(name, fontsize=11)
        axes.set_xlabel(x_label)
        axes.grid(alpha=0.3)
        beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if len(panels) == 1 else {}
        axes.legend(fontsize=9, **beside)
    every[0].set_ylabel(y_label)
    figure.suptitle(title)
    figure.savefig(path, dpi=130)


def plot_gates(
    values: Mapping[str, np.ndarray],
    path: Path,
    steps: Sequence[str] = (),
    columns: int = 1,
    title: str = "",
) -> None:
    """Draw gates and states of one sequence: a panel for each, units downwards, steps to the right.

    What lies between 0 and 1 everywhere is drawn as a gate, from closed to open; other values from blue for
    below zero to red for above it.

    Args:
        values: by name [time, units], as `gates` gives them, of one row.
        path: a file to write.
        steps: what was read at each, such as words.
        columns: of panels.
        title: of the whole.
    """
    time, units = next(iter(values.values())).shape
    width, height = max(4.0, 0.3 * time + 2.5), min(max(1.2, 0.05 * units), 4.0 / columns)
    rows = -(-len(values) // columns)
    figure = Figure(figsize=(columns * width, (height + 0.35) * rows + 1), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axes, (name, value) in zip(grid.ravel(), values.items(), strict=False):
        value = np.asarray(value)
        gate = value.min() >= 0 and value.max() <= 1
        most = max(abs(value).max(), 1e-9)
        colors = {"cmap": "cividis", "vmin": 0, "vmax": 1} if gate else {"cmap": "RdBu_r", "vmin": -most}
        image = axes.imshow(value.T, aspect="auto", interpolation="nearest", **{"vmax": most, **colors})
        axes.set_title(name.replace("_", " "), fontsize=10, loc="left")
        figure.colorbar(image, label="closed to open" if gate else "value", pad=0.01)
    for axes in grid[:, 0]:
        axes.set_ylabel("unit")
    for axes in grid[-1]:
        if len(steps):
            axes.set_xticks(range(time), steps, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_xlabel("step")
    figure.suptitle(title)
    figure.savefig(path, dpi=130)


def plot_saliency(weights: np.ndarray, steps: Sequence[str], path: Path, title: str = "") -> None:
    """Draw how much each step moved an output: a bar for each, upwards where it raised it.

    Args:
        weights: [time], as `saliency` gives them, of one row.
        steps: what was read at each, such as words.
        path: a file to write.
        title: such as which output it is.
    """
    figure = Figure(figsize=(max(4.0, 0.35 * len(steps) + 1.5), 3), layout="constrained")
    axes = figure.subplots()
    colors = [COLOURS[1] if weight > 0 else COLOURS[0] for weight in weights]
    axes.bar(range(len(steps)), weights, color=colors)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(steps)), steps, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylabel("gradient · input")
    axes.set_title(title)
    figure.savefig(path, dpi=130)


def plot_attention(weights: np.ndarray, source: Sequence[str], target: Sequence[str], path: Path) -> None:
    """Draw where a decoder looked: a row for each step, a column for each position, darker for more.

    Args:
        weights: attention [target, source], between 0 and 1.
        source: what stands at each position, such as words.
        target: what each step put out.
        path: a file to write; the ending names the format, as in `attention.png`.
    """
    columns, rows = len(source), len(target)
    figure = Figure(figsize=(1.5 + 0.35 * columns, 1.5 + 0.3 * rows), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), source, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(rows), target)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    figure.colorbar(image, label="attention", shrink=0.6)
    figure.savefig(path, dpi=150)


def plot_image_attention(images: np.ndarray, words: Sequence[str], weights: np.ndarray, path: Path) -> None:
    """Draw where a decoder looked in an image: the image once for each word, bright where it looked.

    Args:
        images: pixels [height, width, 3], from 0 to 255; or one for each word [words, height, width, 3], such
            as the frames of a clip.
        words: what it put out.
        weights: attention [words, rows, columns], over a map of the image.
        path: a file to write; the ending names the format, as in `glimpses.png`.
    """
    columns = min(len(words) + 1, 6)
    rows = -(-(len(words) + 1) // columns)
    height, width = images.shape[-3:-1]
    images = np.broadcast_to(images, (len(words), height, width, 3))
    figure = Figure(figsize=(2 * columns, (2 * height / width + 0.3) * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    grid[0].imshow(images[0].astype(np.uint8))
    for axes, word, image, seen in zip(grid[1:], words, images, weights, strict=False):
        light = tf.image.resize(seen[..., None] / max(seen.max(), 1e-9), [height, width], "bicubic").numpy()
        axes.imshow((image * (0.25 + 0.75 * np.clip(light, 0, 1))).astype(np.uint8))
        axes.set_title(word, fontsize=11)
    figure.suptitle("the brighter, the more it looked there", fontsize=10)
    figure.savefig(path, dpi=100)
