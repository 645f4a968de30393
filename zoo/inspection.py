"""What goes on inside: gates and states of recurrent layers by name, and where a decoder looks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from zoo.cells import States, Tensor
from zoo.formulations import Encoder
from zoo.recurrence import RNN, scan, swap_batch_and_time


def gates(layer: RNN, sequences: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    """The gates and states of a layer as it reads sequences from a state of zeros.

    Args:
        layer: one with a cell of this library.
        sequences: [batch, time, features].
        mask: bool [batch, time], False where there is padding.

    Returns:
        For each of the cell's gates, and for each of its states, a tensor [batch, time, units] under
        its name, in the order of the inputs. The states are those after the step. Under padding the
        states are held, and the gates are of no meaning.
    """
    cell = layer.cell
    sequences, mask = layer.in_time_order(sequences, mask)
    start = cell.get_initial_state(tf.shape(sequences)[1])
    sizes = [state.shape[-1] for state in start]

    def step(xs: list[Tensor], states: States) -> tuple[Tensor, States]:
        _, states = cell.step(xs[0], cell.recurrent(states), states)
        return tf.concat(states, -1), states

    x = cell.project(sequences)
    history = scan(step, [x], start, mask, sum(sizes))[1]
    after = tf.split(history, sizes, axis=-1)
    before = [tf.concat([h[None], hs[:-1]], 0) for h, hs in zip(start, after, strict=True)]
    values = cell.gates(x, cell.recurrent(before), before)
    values |= dict(zip(cell.state_names, after, strict=True))
    if layer.go_backwards:
        values = {name: tf.reverse(value, [0]) for name, value in values.items()}
    return {name: swap_batch_and_time(value) for name, value in values.items()}


def encoder_gates(encoder: Encoder, sequences: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    """The gates and states of all layers of an encoder.

    Returns:
        As `gates`, under names such as `layer1_forget`, or where the encoder reads in both directions
        `layer1_forward_forget` and `layer1_backward_forget`.
    """
    values = {}
    names = ["forward_", "backward_"] if encoder.bidirectional else [""]
    for index, layer in enumerate(encoder.stack):
        for name, direction in zip(names, encoder.directions(index), strict=True):
            found = gates(direction, sequences, mask)
            values |= {f"{layer.name}_{name}{gate}": value for gate, value in found.items()}
        sequences, _ = encoder.read(index, sequences, mask)
    return values


def plot_attention(weights: np.ndarray, source: Sequence[str], target: Sequence[str], picture: Path) -> None:
    """Draw where a decoder looked: a row for each step, a column for each position, darker for more.

    Args:
        weights: attention [target, source], between 0 and 1.
        source: what stands at each position, such as words.
        target: what each step put out.
        picture: a file to write; the ending names the format, as in `attention.png`.
    """
    columns, rows = len(source), len(target)
    figure = Figure(figsize=(1.5 + 0.35 * columns, 1.5 + 0.3 * rows), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), source, rotation=45, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(rows), target)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    figure.colorbar(image, label="attention", shrink=0.6)
    figure.savefig(picture, dpi=150)


def plot_glimpses(images: np.ndarray, words: Sequence[str], weights: np.ndarray, picture: Path) -> None:
    """Draw where a decoder looked in an image: the image once for each word, bright where it looked.

    Args:
        images: pixels [height, width, 3], from 0 to 255; or one for each word [words, height, width, 3], such
            as the frames of a clip.
        words: what it put out.
        weights: attention [words, rows, columns], over a map of the image.
        picture: a file to write; the ending names the format, as in `glimpses.png`.
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
    figure.savefig(picture, dpi=100)
