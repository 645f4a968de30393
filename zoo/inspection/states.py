"""Gates and states of recurrent layers, by name."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from zoo.cells import Cell, States, Tensor
from zoo.formulations import Encoder
from zoo.layers import RNN, scan, swap_batch_and_time
from zoo.layers.chunks import PureCell


@contextmanager
def opened(layer: RNN) -> Iterator[Cell]:
    """Within this context the cell of a layer may be called part by part, in any precision.

    Raises:
        ValueError: it is no layer with a cell of this library, or has no weights yet.
    """
    if not isinstance(layer, RNN) or not isinstance(layer.cell, Cell):
        raise ValueError(
            f"Expected a `zoo.RNN` with one cell of this library, got {layer!r}. Of a Bidirectional layer "
            "give its `forward_layer` or its `backward_layer`."
        )
    if not layer.built:
        raise ValueError(f"{layer.name} has no weights yet: call it, or the model it is in, before.")
    pure_cell = PureCell(layer.cell)
    with pure_cell.weight_scope(pure_cell.weights):
        yield layer.cell


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

    Raises:
        ValueError: it is no such layer, or has no weights yet.
    """
    with opened(layer) as cell:
        sequences, mask = layer.to_time_major(tf.cast(sequences, cell.compute_dtype), mask)
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
