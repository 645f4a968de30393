"""Figures of gates, states, gradients, saliency and attention.

Each function writes one file. The suffix of its path sets the format, such as `.png` or `.svg`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.inspection.fonts import save_figure

# Okabe and Ito (2008, "Color universal design"): distinguishable with every kind of color vision.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vPX"

Curve = tuple[Sequence[float], Sequence[float]]
"""The x and y values of a curve."""


def plot_curves(
    panels: Mapping[str, Mapping[str, Curve]],
    path: str | Path,
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    log_scale: bool = False,
) -> None:
    """Plot named curves in one or more panels side by side, which share the y axis.

    Args:
        panels: for each panel title the curves by name.
        path: the file to write.
        x_label: the label of the x axes, with its unit.
        y_label: the label of the y axis, with its unit.
        title: the title of the figure.
        log_scale: whether the y axis is logarithmic. Values that are not positive are left out then.
    """
    figure = Figure(figsize=(7.4 if len(panels) == 1 else 1 + 4.2 * len(panels), 3.8), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, curves) in zip(grid, panels.items(), strict=True):
        for index, (label, (x, y)) in enumerate(curves.items()):
            axes.plot(
                x,
                np.where(np.asarray(y) > 0, y, np.nan) if log_scale else y,
                color=_COLORS[index % len(_COLORS)],
                marker=_MARKERS[index % len(_MARKERS)],
                markersize=4,
                markevery=max(1, len(x) // 12),
                label=label,
            )
        if log_scale:
            axes.set_yscale("log")
        axes.set_title(name, fontsize=11)
        axes.set_xlabel(x_label)
        axes.grid(alpha=0.3)
        position: dict[str, Any] = {}
        if len(panels) == 1:
            position = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)}
        axes.legend(fontsize=9, **position)
    grid[0].set_ylabel(y_label)
    figure.suptitle(title)
    save_figure(figure, path, dpi=130)


def plot_gates(
    values: Mapping[str, np.ndarray],
    path: str | Path,
    steps: Sequence[str] = (),
    columns: int = 1,
    title: str = "",
) -> None:
    """Plot gates and states of one sequence as heat maps, with a row per unit and a column per time step.

    Arrays whose values all lie in [0, 1] are drawn as gates, from 0 (closed) to 1 (open). Other arrays are
    drawn on a symmetric scale, blue for negative and red for positive values.

    Args:
        values: arrays [time, units] by name: one row of what `gates` or `encoder_gates` returns.
        path: the file to write.
        steps: a label for each time step, such as the words.
        columns: the number of columns of panels.
        title: the title of the figure.
    """
    time, units = next(iter(values.values())).shape
    width, height = max(4.0, 0.3 * time + 2.5), min(max(1.2, 0.05 * units), 4.0 / columns)
    rows = -(-len(values) // columns)
    figure = Figure(figsize=(columns * width, (height + 0.35) * rows + 1), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axes, (name, value) in zip(grid.ravel(), values.items(), strict=False):
        value = np.asarray(value)
        is_gate = value.min() >= 0 and value.max() <= 1
        limit = max(abs(value).max(), 1e-9)
        colors: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        if is_gate:
            colors = {"cmap": "cividis", "vmin": 0, "vmax": 1}
        image = axes.imshow(value.T, aspect="auto", interpolation="nearest", **colors)
        axes.set_title(name.replace("_", " "), fontsize=10, loc="left")
        figure.colorbar(image, label="0 closed, 1 open" if is_gate else "value", pad=0.01)
    for axes in grid[:, 0]:
        axes.set_ylabel("unit")
    for axes in grid[-1]:
        if len(steps):
            axes.set_xticks(range(time), steps, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_xlabel("step")
    figure.suptitle(title)
    save_figure(figure, path, dpi=130)


def plot_saliency(scores: np.ndarray, steps: Sequence[str], path: str | Path, title: str = "") -> None:
    """Plot the saliency of each time step as a bar: positive where the step raised the output.

    Args:
        scores: [time], one row of what `saliency` returns.
        steps: a label for each time step, such as the words.
        path: the file to write.
        title: the title of the figure, such as the name of the output.
    """
    figure = Figure(figsize=(max(4.0, 0.35 * len(steps) + 1.5), 3), layout="constrained")
    axes = figure.subplots()
    colors = [_COLORS[1] if score > 0 else _COLORS[0] for score in scores]
    axes.bar(range(len(steps)), scores, color=colors)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(steps)), steps, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylabel("gradient · input")
    axes.set_title(title)
    save_figure(figure, path, dpi=130)


def plot_attention(
    weights: np.ndarray, source: Sequence[str], target: Sequence[str], path: str | Path
) -> None:
    """Plot attention weights over a source sequence as a heat map: a row per decoder step.

    Args:
        weights: attention weights [target, source], from 0 to 1.
        source: the source tokens, which label the columns.
        target: the output tokens, which label the rows.
        path: the file to write.
    """
    columns, rows = len(source), len(target)
    figure = Figure(figsize=(1.5 + 0.35 * columns, 1.5 + 0.3 * rows), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), source, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(rows), target)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    figure.colorbar(image, label="attention", shrink=0.6)
    save_figure(figure, path, dpi=150)


def plot_image_attention(
    images: np.ndarray, words: Sequence[str], weights: np.ndarray, path: str | Path
) -> None:
    """Plot attention weights over an image, once per word: the brighter a region, the higher its weight.

    Weights are scaled to the largest one of each word and resized to the image.

    Args:
        images: pixels [height, width, 3] from 0 to 255, or one image per word [words, height, width, 3], such
            as frames of a video.
        words: the output tokens.
        weights: attention weights [words, rows, columns] over the encoder's feature map.
        path: the file to write.
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
    for axes, word, image, word_weights in zip(grid[1:], words, images, weights, strict=False):
        scaled = word_weights[..., None] / max(word_weights.max(), 1e-9)
        brightness = np.clip(tf.image.resize(scaled, [height, width], "bicubic").numpy(), 0, 1)
        axes.imshow((image * (0.25 + 0.75 * brightness)).astype(np.uint8))
        axes.set_title(word, fontsize=11)
    figure.suptitle("brightness: attention weight", fontsize=10)
    save_figure(figure, path, dpi=100)
