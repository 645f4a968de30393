"""Figures of gates, states, gradients, saliency and attention.

Each function returns a matplotlib figure, which a notebook shows, and writes it to a file if it gets a `path`. The
suffix of the path sets the format, such as `.png` or `.svg`. Functions that draw one panel can draw it in axes of
your own figure, `ax`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from zoo.inspection.figures import Figure, check_array, check_arrays, check_labels, finish, make_axes

# Okabe and Ito (2008, "Color universal design"): distinguishable with every kind of color vision.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = "osD^vPX"
_LABEL_DISTANCE = 13.0  # points from label to label of curves
_HIDDEN = 0.015  # curves that are closer than this share of the height of the axes hide each other

_ONE_EXAMPLE = (
    "Take one row of a batch, `{name: value[0] for name, value in values.items()}`, and leave out states with other "
    "axes."
)
"""Advice on arrays of gates that are not [time, units]."""

Curve = tuple[Sequence[float], Sequence[float]]
"""The x and y values of a curve."""


def plot_curves(
    panels: Mapping[str, Mapping[str, Curve]],
    path: str | Path | None = None,
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    log_scale: bool = False,
    ax: Axes | None = None,
) -> matplotlib.figure.Figure:
    """Plot named curves in one or more panels side by side, which share the y axis.

    The name of a curve stands at its end. A curve that later ones lie on is wider than they are, so that it is seen.

    Args:
        panels: for each panel title the curves by name.
        path: the file to write, if any.
        x_label: the label of the x axes, with its unit.
        y_label: the label of the y axis, with its unit.
        title: the title of the figure.
        log_scale: whether the y axis is logarithmic. Values that are not positive are left out then.
        ax: the axes to draw a single panel in. None makes a figure.

    Returns:
        The figure.

    Raises:
        ValueError: there is no panel, there are several for `ax`, or a curve has no x and y values of the same number.

    Example:
        >>> import zoo
        >>> curves = {"GRU": ([1, 2, 3], [0.5, 0.8, 0.9]), "LSTM": ([1, 2, 3], [0.5, 0.7, 0.9])}
        >>> figure = zoo.inspection.plot_curves({"": curves}, x_label="epoch", y_label="accuracy")
    """
    if ax is not None and len(panels) != 1:
        raise ValueError(
            f"Expected one panel for `ax`, got {len(panels)}. Leave out `ax`, or call once for each."
        )
    _check_panels(panels)
    if ax is None:
        figure = Figure(7.4 if len(panels) == 1 else 5.2 * len(panels), 3.8)
        grid = list(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0])
        figure.suptitle(title if any(panels) else "")
    else:
        grid = [ax]
    lines = {}
    for axes, (name, curves) in zip(grid, panels.items(), strict=True):
        if log_scale:
            axes.set_yscale("log")
        lines[axes] = [
            axes.plot(
                x,
                np.where(np.asarray(y) > 0, y, np.nan) if log_scale else y,
                color=_COLORS[index % len(_COLORS)],
                marker=_MARKERS[index % len(_MARKERS)],
                markevery=max(1, len(x) // 12),
                label=label,
            )[0]
            for index, (label, (x, y)) in enumerate(curves.items())
        ]
        axes.set_title(name or title, fontsize=11)
        axes.set_xlabel(x_label)
        axes.grid(alpha=0.3)
    grid[0].set_ylabel(y_label)
    for axes in grid:  # all have their limits
        _separate_lines(axes, lines[axes])
        _label_lines(axes, lines[axes])
    return finish(figure if ax is None else ax, path)


def _check_panels(panels: Any) -> None:
    if not panels:
        raise ValueError("panels: found none. Expected curves by the titles of their panels.")
    for title, curves in panels.items():
        if not isinstance(curves, Mapping):
            raise ValueError(
                f"panels[{title!r}]: found {type(curves).__name__}. Expected curves by name. For a single panel "
                'write `{"": {name: (x, y)}}`.'
            )
        for name, curve in curves.items():
            shapes = [tuple(np.shape(values)) for values in curve]
            if len(shapes) != 2 or len(shapes[0]) != 1 or shapes[0] != shapes[1]:
                raise ValueError(
                    f"panels[{title!r}][{name!r}]: found {len(shapes)} arrays of shapes "
                    f"{', '.join(map(str, shapes))}. Expected two, the x values [points] and the y values [points]."
                )


def _separate_lines(axes: Axes, lines: Sequence[Line2D]) -> None:
    """Make each line wider by as many steps as there are later lines that hide most of it."""
    points = [_transform_points(axes, line) for line in lines]
    for index, line in enumerate(lines):
        x, y = points[index].T
        num_hiding = 0
        for later_x, later_y in (later.T for later in points[index + 1 :]):
            distance = np.abs(np.interp(x, later_x, later_y, np.nan, np.nan) - y)
            num_hiding += int((distance < _HIDDEN).mean() > 0.5)
        line.set(linewidth=1.6 + 2.4 * num_hiding, markersize=4 + 2.4 * num_hiding)


def _transform_points(axes: Axes, line: Line2D) -> np.ndarray:
    """Return the points [n, 2] of a line as shares of the width and the height of the axes, without gaps."""
    axes.get_xlim(), axes.get_ylim()  # sets the limits, on which the transformation depends
    points = np.asarray(line.get_xydata())
    points = points[np.isfinite(points).all(1)]
    return axes.transAxes.inverted().transform(axes.transData.transform(points))


def _label_lines(axes: Axes, lines: Sequence[Line2D]) -> None:
    """Write the label of each line to the right of the axes, at the height of its end."""
    ends = []
    for line in lines:
        for x, y in _transform_points(axes, line)[-1:]:
            ends.append((y, x, line))
    ends.sort(key=lambda end: end[0])
    height = axes.get_window_extent().height / axes.figure.dpi * 72
    labels = _spread([y for y, _, _ in ends], _LABEL_DISTANCE / height)
    for (y, x, line), label_y in zip(ends, labels, strict=True):
        axes.annotate(
            str(line.get_label()),
            xy=(x, y),
            xytext=(1.05, label_y),
            xycoords="axes fraction",
            fontsize=9,
            color=line.get_color(),
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "linewidth": 0.7,
                "shrinkA": 1,
                "shrinkB": 3,
            },
        )


def _spread(values: Sequence[float], distance: float) -> list[float]:
    """Move sorted values apart until neighbors have at least a distance, with the least sum of squares.

    Example:
        >>> _spread([0.0, 3.0, 3.0, 9.0], 2.0)
        [0.0, 2.0, 4.0, 9.0]
    """
    # Values less their multiples of the distance must not decrease: pool those that do.
    pools: list[list[float]] = []
    for index, value in enumerate(values):
        pools.append([value - index * distance])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    means = [float(np.mean(pool)) for pool in pools for _ in pool]
    return [mean + index * distance for index, mean in enumerate(means)]


def plot_gates(
    values: Mapping[str, Any],
    path: str | Path | None = None,
    steps: Sequence[str] = (),
    columns: int = 1,
    title: str = "",
) -> matplotlib.figure.Figure:
    """Plot gates and states of one sequence as heat maps, with a row per unit and a column per time step.

    Arrays whose values all lie in [0, 1] are drawn as gates, from 0 (closed) to 1 (open). Other arrays are
    drawn on a symmetric scale, blue for negative and red for positive values.

    Args:
        values: arrays [time, units] by name: one row of what `gates` returns. Leave out padded steps, at which
            gates have no meaning: `value[0, :length]`, or `value[0][mask[0]]`.
        path: the file to write, if any.
        steps: a label for each time step, such as the words.
        columns: the number of columns of panels.
        title: the title of the figure.

    Returns:
        The figure.

    Raises:
        ValueError: an array has other axes, such as that of the batch, or another number of steps, or there is not one
            label for each step.

    Example:
        >>> import numpy as np, zoo
        >>> layer, x = zoo.LSTM(8), np.ones([4, 10, 3], "float32")
        >>> mask = np.arange(10) < [[7], [10], [4], [9]]
        >>> last = layer(x, mask=mask)
        >>> gates = {name: value[0, :7] for name, value in zoo.inspection.gates(layer, x, mask).items()}
        >>> figure = zoo.inspection.plot_gates(gates)
    """
    arrays = check_arrays("values", values, "[time, units] of one example", _ONE_EXAMPLE)
    time, units = next(iter(arrays.values())).shape
    if len(steps):
        check_labels("steps", steps, time, "time steps")
    width, height = max(4.0, 0.3 * time + 2.5), min(max(1.2, 0.05 * units), 4.0 / columns)
    rows = -(-len(arrays) // columns)
    figure = Figure(columns * width, (height + 0.35) * rows + 1)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    panels, unused = np.split(grid.ravel(), [len(arrays)])
    for axes, (name, value) in zip(panels, arrays.items(), strict=True):
        is_gate = value.min() >= 0 and value.max() <= 1
        limit = max(abs(value).max(), 1e-9)
        colors: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        if is_gate:
            colors = {"cmap": "cividis", "vmin": 0, "vmax": 1}
        image = axes.imshow(value.T, aspect="auto", interpolation="nearest", **colors)
        axes.locator_params(integer=True)
        axes.set_title(name.replace("_", " "), fontsize=10, loc="left")
        figure.colorbar(image, label="0 closed, 1 open" if is_gate else "value", pad=0.01)
    for axes in grid[:, 0]:
        axes.set_ylabel("unit")
    for axes in unused:
        axes.remove()
    for axes in panels[-columns:]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
        if len(steps):
            axes.set_xticks(range(time), steps, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_xlabel("step")
    figure.suptitle(title)
    return finish(figure, path)


def plot_gate_means(
    means: Mapping[str, Any],
    steps: Sequence[str],
    path: str | Path | None = None,
    title: str = "How open each gate is, in percent",
    *,
    ax: Axes | None = None,
) -> matplotlib.figure.Figure:
    """Plot how open gates are at each time step as a heat map: a row for each gate, with numbers in percent.

    Args:
        means: arrays [time] by name, from 0 (closed) to 1 (open), such as the mean over the units of each gate that
            `gates` returns.
        steps: a label for each time step, such as the words.
        path: the file to write, if any.
        title: the title of the figure.
        ax: the axes to draw in. None makes a figure.

    Returns:
        The figure.

    Raises:
        ValueError: an array has other axes or another number of steps, or there is not one label for each step.

    Example:
        >>> import numpy as np, zoo
        >>> layer, x = zoo.GRU(8), np.ones([4, 3, 5], "float32")
        >>> last = layer(x)
        >>> values = zoo.inspection.gates(layer, x)
        >>> means = {name: np.mean(values[name][0], axis=-1) for name in ("update", "reset")}
        >>> figure = zoo.inspection.plot_gate_means(means, ["a", "fine", "film"])
    """
    advice = "Take the mean over the units of one example: `np.mean(value[0], axis=-1)`."
    values = np.stack(list(check_arrays("means", means, "[time]", advice).values()))
    check_labels("steps", steps, values.shape[1], "time steps")
    axes = make_axes(ax, max(4.0, 0.4 * len(steps) + 1.5), 1.2 + 0.3 * len(means))
    axes.imshow(values, aspect="auto", cmap="cividis", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        color = "black" if value > 0.5 else "white"
        axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(steps)), steps, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(means)), list(means))
    axes.set_title(title)
    return finish(axes, path)


def plot_saliency(
    scores: Any,
    steps: Sequence[str],
    path: str | Path | None = None,
    title: str = "",
    *,
    y_label: str = "gradient · input",
    ax: Axes | None = None,
) -> matplotlib.figure.Figure:
    """Plot the saliency of each time step as a bar: positive where the step raised the output.

    Args:
        scores: [time], one row of what `saliency` returns.
        steps: a label for each time step, such as the words.
        path: the file to write, if any.
        title: the title of the figure, such as the name of the output.
        y_label: what the scores are.
        ax: the axes to draw in. None makes a figure.

    Returns:
        The figure.

    Raises:
        ValueError: the scores have other axes, or there is not one label for each step.

    Example:
        >>> import zoo
        >>> figure = zoo.inspection.plot_saliency([0.1, -0.4, 0.9], ["not", "bad", "good"])
    """
    scores = check_array(
        "scores", scores, "[time]", 'Take one row of one input: `zoo.inspection.saliency(...)["inputs"][0]`.'
    )
    check_labels("steps", steps, len(scores), "time steps")
    axes = make_axes(ax, max(4.0, 0.35 * len(steps) + 1.5), 3)
    colors = [_COLORS[0] if score > 0 else _COLORS[1] for score in scores]
    axes.bar(range(len(steps)), scores, color=colors)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(steps)), steps, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_ylabel(y_label)
    axes.set_title(title)
    return finish(axes, path)


def plot_attention(
    weights: np.ndarray,
    source: Sequence[str],
    target: Sequence[str],
    path: str | Path | None = None,
    title: str = "",
    *,
    ax: Axes | None = None,
) -> matplotlib.figure.Figure:
    """Plot attention weights over a source sequence as a heat map: a row per decoder step.

    The weights of a row show what the decoder reads in the source, above, when it writes the token on the left.

    Args:
        weights: attention weights [target, source], from 0 to 1.
        source: the source tokens, which label the columns.
        target: the output tokens, which label the rows.
        path: the file to write, if any.
        title: the title of the figure.
        ax: the axes to draw in. None makes a figure.

    Returns:
        The figure.

    Raises:
        ValueError: the weights have not a row for each target token and a column for each source token.

    Example:
        >>> import numpy as np, zoo
        >>> figure = zoo.inspection.plot_attention(np.eye(2), ["a", "dog"], ["ein", "Hund"])
    """
    columns, rows = len(source), len(target)
    weights = np.asarray(weights)
    if weights.shape != (rows, columns):
        raise ValueError(
            f"weights: found shape {weights.shape} for {rows} target and {columns} source tokens. Expected "
            f"[target, source] of one example, {(rows, columns)}. Take one row of a batch, `weights[0]`, and leave "
            "out padding."
        )
    axes = make_axes(ax, 1.7 + 0.35 * columns, 1.7 + 0.3 * rows)
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), source, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(rows), target)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.set_xlabel("source (read)")
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("target (written)")
    axes.set_title(title)
    axes.figure.colorbar(image, ax=axes, label="attention", shrink=0.6)
    return finish(axes, path)


def plot_image_attention(
    images: np.ndarray | Sequence[np.ndarray],
    words: Sequence[str],
    weights: np.ndarray,
    path: str | Path | None = None,
) -> matplotlib.figure.Figure:
    """Plot attention weights over an image, once per word: the brighter a region, the higher its weight.

    Weights are scaled to the largest one of each word and resized to the image.

    Args:
        images: pixels [height, width, 3] from 0 to 255, or one image per word [words, height, width, 3], such
            as frames of a video.
        words: the output tokens.
        weights: attention weights [words, rows, columns] over the encoder's feature map.
        path: the file to write, if any.

    Returns:
        The figure.

    Raises:
        ValueError: images or weights have other axes, or there is not one map of weights, or not one image, for each
            word.

    Example:
        >>> import numpy as np, zoo
        >>> image, weights = np.zeros((32, 32, 3), "uint8"), np.ones((2, 7, 7), "float32")
        >>> figure = zoo.inspection.plot_image_attention(image, ["a", "dog"], weights)
    """
    advice = "Take one row of a batch, and leave out padding."
    weights = check_array("weights", weights, "[words, rows, columns]", advice)
    check_labels("words", words, len(weights), "maps of weights")
    if np.ndim(images) == 4:
        images = np.asarray(images)
        check_labels("words", words, len(images), "images")
    else:
        images = check_array("images", images, "[height, width, 3]", "Or pass an image for each word.")
    columns = min(len(words) + 1, 6)
    rows = -(-(len(words) + 1) // columns)
    height, width = images.shape[-3:-1]
    images = np.broadcast_to(images, (len(words), height, width, 3))
    figure = Figure(2 * columns, (2 * height / width + 0.3) * rows, dpi=100)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    grid[0].imshow(images[0].astype(np.uint8))
    panels = grid[1 : len(words) + 1]
    for axes, word, image, word_weights in zip(panels, words, images, weights, strict=True):
        scaled = word_weights[..., None] / max(word_weights.max(), 1e-9)
        brightness = np.clip(tf.image.resize(scaled, [height, width], "bicubic").numpy(), 0, 1)
        axes.imshow((image * (0.25 + 0.75 * brightness)).astype(np.uint8))
        axes.set_title(word, fontsize=11)
    figure.suptitle("brightness: attention weight", fontsize=10)
    return finish(figure, path)
