"""Gate activations and states of recurrent layers at every time step, by name."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from zoo._compat import autocast_scope
from zoo.cells import Cell, States, Tensor
from zoo.formulations import Encoder
from zoo.layers import RNN, scan, swap_batch_and_time
from zoo.layers.pure_cell import PureCell, flatten_states, restore_states


@contextmanager
def cell_scope(layer: RNN, constants: dict[str, Tensor] | None = None) -> Iterator[Cell]:
    """Yield the cell of a layer, so that its methods can be called outside of the layer.

    Inside the context the weights have the cell's compute dtype, as in a call of the layer.

    Args:
        layer: a built layer whose cell is a `zoo.Cell`.
        constants: the call argument `constants` of the layer.

    Raises:
        ValueError: the layer has another cell, or is not built.
    """
    if not isinstance(layer, RNN) or not isinstance(layer.cell, Cell):
        raise ValueError(
            f"Expected a `zoo.RNN` with one `zoo.Cell`, got {layer!r}. For a Bidirectional layer pass its "
            "`forward_layer` or its `backward_layer`."
        )
    if not layer.built:
        raise ValueError(f"{layer.name} has no weights yet. Call it, or its model, first.")
    with autocast_scope(layer.cell.compute_dtype):
        prepared = layer.cell.compute_constants(constants, False)
    pure_cell = PureCell(layer.cell, prepared)
    with pure_cell.weight_scope(pure_cell.weights):
        yield layer.cell


def gates(
    layer: RNN,
    sequences: Tensor,
    mask: Tensor | None = None,
    constants: dict[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Compute the gate activations and states of a layer at every time step.

    The layer reads the sequences from a state of zeros, as in inference, without dropout. For `zoo.LSTM` the
    result has the gates of its equations and both states:

        input      i_t = σ(W_i x_t + U_i h_{t-1} + b_i)
        forget     f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
        candidate  c̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
        output     o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
        cell       c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t
        hidden     h_t = o_t ⊙ tanh(c_t)

    Args:
        layer: a built layer whose cell is a `zoo.Cell`.
        sequences: [batch, time, features].
        mask: bool [batch, time], False for padding; None if there is no padding.
        constants: the call argument `constants` of the layer.

    Returns:
        A tensor [batch, time, ...] for each gate of the cell, then for each state, by name and in the order
        of the inputs, also for a layer that reads backwards. States are those after the step. At padded steps
        states keep their value, and gates have no meaning.

    Raises:
        ValueError: the layer's cell is not a `zoo.Cell`, or the layer is not built.

    >>> import numpy as np, zoo
    >>> layer, x = zoo.LSTM(8), np.ones([4, 10, 3], "float32")
    >>> last = layer(x)
    >>> zoo.inspection.gates(layer, x)["forget"].shape
    TensorShape([4, 10, 8])
    """
    with cell_scope(layer, constants) as cell:
        xs, mask, _ = layer.to_time_major(tf.cast(sequences, cell.compute_dtype), mask, None)
        initial_states = flatten_states(cell.get_initial_state(tf.shape(xs)[1]))
        sizes = [state.shape[-1] for state in initial_states]

        def step(xs: list[Tensor], states: States) -> tuple[Tensor, States]:
            states = restore_states(cell, states)
            states = flatten_states(cell.step(xs[0], cell.recurrent(states), states)[1])
            return tf.concat(states, -1), states

        x = cell.project(xs)
        history = scan(step, [x], initial_states, mask, sum(sizes))[1]
        after = tf.split(history, sizes, axis=-1)
        before = [tf.concat([h[None], hs[:-1]], 0) for h, hs in zip(initial_states, after, strict=True)]
        states_before = restore_states(cell, before)
        values = cell.gates(x, cell.recurrent(states_before), states_before)
        values |= dict(zip(cell.state_names, restore_states(cell, after), strict=True))
    if layer.go_backwards:
        values = {name: tf.reverse(value, [0]) for name, value in values.items()}
    return {name: swap_batch_and_time(value) for name, value in values.items()}


def encoder_gates(encoder: Encoder, sequences: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    """Compute the gate activations and states of all layers of an encoder at every time step.

    Args:
        encoder: a built encoder.
        sequences: [batch, time, features].
        mask: bool [batch, time], False for padding; None if there is no padding.

    Returns:
        Tensors [batch, time, units] as from `gates`, with names such as `layer1_forget`. A bidirectional
        encoder has `layer1_forward_forget` and `layer1_backward_forget`.

    Raises:
        ValueError: the encoder's cell is not a `zoo.Cell`, or the encoder is not built.

    >>> import numpy as np, zoo
    >>> encoder, x = zoo.Encoder(zoo.SimpleRNNCell(8), depth=2), np.ones([4, 10, 3], "float32")
    >>> outputs, states = encoder(x)
    >>> list(zoo.inspection.encoder_gates(encoder, x))
    ['layer1_hidden', 'layer2_hidden']
    """
    values: dict[str, Tensor] = {}
    prefixes = ["forward_", "backward_"] if encoder.bidirectional else [""]
    for index, layer in enumerate(encoder.stack):
        for prefix, direction in zip(prefixes, encoder.get_directions(index), strict=True):
            layer_values = gates(direction, sequences, mask)
            values |= {f"{layer.name}_{prefix}{name}": value for name, value in layer_values.items()}
        sequences, _ = encoder.run_layer(index, sequences, mask)
    return values
