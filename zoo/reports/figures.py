"""The confusion matrix as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from zoo.inspection.figures import Figure, finish

_MAX_NUMBERS = 25
"""Classes up to which the cells show numbers."""
_MAX_NAMES = 60
"""Classes up to which the axes show names."""
_NAME_LENGTH = 24


def plot_confusion_matrix(
    matrix: np.ndarray, labels: Sequence[str], path: str | Path | None = None, *, ax: Axes | None = None
) -> matplotlib.figure.Figure:
    """Plot a confusion matrix: a row for each true class, a column for each predicted one.

    The color of a cell is its share of the examples of the row. Cells show the number of examples for up to 25
    classes, axes show names for up to 60. Of long names the middle is left out.

    Args:
        matrix: from `zoo.metrics.confusion_matrix`, int [classes, classes].
        labels: names of the classes.
        path: the file to write, if any.
        ax: the axes to draw in. None makes a figure whose size fits the number of classes.

    Returns:
        The figure.

    Raises:
        ValueError: the matrix does not have a row and a column for each label.

    Example:
        >>> import numpy as np, zoo
        >>> figure = zoo.reports.plot_confusion_matrix(np.array([[8, 2], [1, 9]]), ["negative", "positive"])
    """
    classes, matrix = len(labels), np.asarray(matrix)
    if matrix.shape != (classes, classes):
        raise ValueError(
            f"matrix: found shape {matrix.shape} for {classes} labels. Expected [classes, classes], "
            f"{(classes, classes)}."
        )
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    digits = len(f"{matrix.max():,}") if classes <= _MAX_NUMBERS else 0
    side = max(1.8, classes * max(0.3, 0.08 * digits + 0.14)) if classes <= _MAX_NAMES else 8.0  # inches
    if ax is None:
        size = side + 2
        axes = Figure(size, size, layout=None).add_axes((1 / size, 1 / size, side / size, side / size))
    else:
        axes = ax
        side = axes.get_window_extent().width / axes.figure.dpi
    image = axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    if classes <= _MAX_NAMES:
        names = [_cut(name) for name in labels]
        axes.set_xticks(
            range(classes), names, rotation=45, ha="left", rotation_mode="anchor", parse_math=False
        )
        axes.set_yticks(range(classes), names, parse_math=False)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if classes <= _MAX_NUMBERS:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                color = "white" if shares[row, column] > 0.55 else "black"
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=color, fontsize=8)
    bar = axes.inset_axes((1 + 0.15 / side, 0, 0.15 / side, 1))
    axes.figure.colorbar(image, cax=bar, label="share of the row (%)")
    return finish(axes, path, bbox_inches="tight")  # names may be long


def _cut(name: str) -> str:
    """Return a name without the middle of a long one: classes often differ at the end."""
    name, half = " ".join(name.split()), _NAME_LENGTH // 2
    return name if len(name) <= _NAME_LENGTH else f"{name[: half - 1]}…{name[-half:]}"
