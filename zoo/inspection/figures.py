"""Figures that notebooks show, the checks of what is plotted, and how a plot is finished."""

import io
import os
import warnings
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from zoo.inspection.fonts import set_fonts


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook shows without `%matplotlib inline`, and that belongs to no window.

    Args:
        width: in inches.
        height: in inches.
        **options: further arguments of `matplotlib.figure.Figure`.
    """

    def __init__(self, width: float, height: float, **options: Any) -> None:
        super().__init__((width, height), **{"dpi": 130, "layout": "constrained", **options})

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        save_figure(self, content, bbox_inches="tight")
        return content.getvalue()


def check_array(name: str, value: Any, axes: str, advice: str) -> np.ndarray:
    """Convert an argument of a plot to an array with a number of axes.

    Args:
        name: the argument, for the message.
        value: what was passed.
        axes: the expected axes, such as "[time, units]".
        advice: what to do otherwise, for the message.

    Raises:
        ValueError: it has another number of axes, or it is a dict.

    Example:
        >>> check_array("scores", [0.5, -1], "[time]", "Take one row.").shape
        (2,)
    """
    is_dict = isinstance(value, Mapping)
    shape = () if is_dict else np.shape(value)
    if is_dict or len(shape) != len(axes.split(",")):
        found = f"a dict with the names {', '.join(map(repr, value))}" if is_dict else f"shape {tuple(shape)}"
        raise ValueError(f"{name}: found {found}. Expected {axes}. {advice}")
    return np.asarray(value)


def check_arrays(name: str, values: Any, axes: str, advice: str) -> dict[str, np.ndarray]:
    """Convert an argument of a plot to arrays by name with the same number of time steps, their first axis.

    Args:
        name: the argument, for the message.
        values: what was passed.
        axes: the expected axes of each array, such as "[time, units]".
        advice: what to do with an array that has others, for the message.

    Raises:
        ValueError: it is no dict or an empty one, or an array has other axes or another number of steps.

    Example:
        >>> list(check_arrays("values", {"forget": [[0.5], [1]]}, "[time, units]", "Take one row."))
        ['forget']
    """
    if not isinstance(values, Mapping) or not values:
        found = "no arrays" if isinstance(values, Mapping) else type(values).__name__
        raise ValueError(f'{name}: found {found}. Expected arrays {axes} by name: `{{"forget": array}}`.')
    arrays = {key: check_array(f"{name}[{key!r}]", value, axes, advice) for key, value in values.items()}
    (first, steps), *others = [(key, len(array)) for key, array in arrays.items()]
    for other, count in others:
        if count != steps:
            raise ValueError(
                f"{name}: found {steps} time steps in {first!r} and {count} in {other!r}. Expected the same number. "
                "Plot arrays of different lengths in separate figures."
            )
    return arrays


def check_labels(name: str, labels: Sized, count: int, items: str) -> None:
    """Raise a ValueError unless there is one label for each of `count` items, such as "time steps"."""
    if len(labels) != count:
        found = f"{len(labels)} label{'s' * (len(labels) != 1)}"
        raise ValueError(f"{name}: found {found} for {count} {items}. Expected one for each.")


def make_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the axes to draw in: `ax`, or the only ones of a new figure of a size in inches."""
    return Figure(width, height).subplots() if ax is None else ax


def finish(
    plot: Axes | matplotlib.figure.Figure, path: str | Path | None, **options: Any
) -> matplotlib.figure.Figure:
    """Set fonts for the texts of a plot, write its figure to a file unless `path` is None, and return it.

    Args:
        plot: the figure, or axes of a figure that may have others.
        path: the file.
        **options: further arguments of `Figure.savefig`.

    Raises:
        TypeError: the path is no path.
    """
    if not isinstance(path, (str, os.PathLike, type(None))):
        raise TypeError(
            f"path: found {type(path).__name__}. Expected the name of a file. Pass other arguments by their names."
        )
    set_fonts(plot)
    figure = plot.get_figure(root=True)
    assert figure is not None  # of axes that have not been removed
    if path is not None:
        save_figure(figure, path, **options)
    return figure


def save_figure(figure: matplotlib.figure.Figure, file: str | Path | io.BytesIO, **options: Any) -> None:
    """Write a figure to a file.

    Args:
        figure: the figure.
        file: the file, whose suffix sets the format.
        **options: further arguments of `Figure.savefig`.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+")  # `set_fonts` reports it
        figure.savefig(file, **options)
