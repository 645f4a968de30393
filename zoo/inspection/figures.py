"""Figures that notebooks show, and how a plot is finished."""

import io
import warnings
from pathlib import Path
from typing import Any

import matplotlib.figure
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
    """
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
