"""`RNN(cell)`: a layer that runs a cell over time."""

from typing import Any

import keras
import tensorflow as tf

from zoo.cells import Cell, Serializable, Tensor
from zoo.layers.loop import run, swap_batch_and_time


class RNN(Serializable, keras.layers.RNN):
    """Runs a cell over time.

    All that `keras.layers.RNN` offers works as it does there. What differs is how the cells of this
    library are run: in a graph the steps are compiled in training, only the states are kept for
    back-propagation, and the gradients of weights are large products outside the loop; a stack of cells is
    run layer by layer, and one dropout mask serves a whole sequence. Any other Keras cell runs as in Keras.

    Args:
        cell: a cell, or a list of cells to stack.
        **kwargs: as in `keras.layers.RNN`: `return_sequences`, `return_state`, `go_backwards`,
            `stateful`, `unroll`, `zero_output_for_mask`, and `name`, `dtype` and `trainable`. The
            `dtype` is the cell's, of a list the last cell's, unless it is given.

    Call arguments:
        sequences: [batch, time, features].
        initial_state: the states before the first step, each [batch, units]; zeros if not given.
        mask: bool [batch, time]. Where it is False the states stay as they are, and the output is that
            of the step before (at first zero), or always zero with `zero_output_for_mask`.
        training: whether to drop.

    Returns:
        The last output [batch, units], or with `return_sequences` all of them [batch, time, units] (in
        the order in which they were computed, so reversed with `go_backwards`), followed by the final
        states if `return_state` is set.
    """

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        if isinstance(cell, (list, tuple)) and all(isinstance(c, Cell) for c in cell):
            cell = keras.layers.StackedRNNCells(cell, dtype=cell[-1].dtype_policy)
        if kwargs.get("dtype") is None and isinstance(cell, (Cell, keras.layers.StackedRNNCells)):
            kwargs["dtype"] = cell.dtype_policy
        super().__init__(cell, **kwargs)

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Tensor | None, training: bool = False
    ) -> tuple[Tensor, Tensor, Any]:
        """Run all time steps. `keras.layers.RNN` calls this with everything else prepared.

        Returns:
            The last output, all outputs [batch, time, units], and the final states.
        """
        stacked = isinstance(self.cell, keras.layers.StackedRNNCells)
        cells = self.cell.cells if stacked else [self.cell]
        fast = keras.backend.backend() == "tensorflow" and all(isinstance(c, Cell) for c in cells)
        if not fast or {c.compute_dtype for c in (self.cell, *cells)} != {self.compute_dtype}:
            return super().inner_loop(sequences, initial_state, mask, training)

        sequences, mask = self.to_time_major(sequences, mask)
        states = []
        for cell, state in zip(cells, initial_state if stacked else [initial_state], strict=True):
            nested = isinstance(state, (list, tuple))
            state = state if nested else [state]
            last, sequences, state = run(cell, sequences, state, mask, training, self.unroll)
            states.append(state if nested else state[0])
        if mask is not None and self.zero_output_for_mask:
            sequences = tf.where(mask, sequences, 0)
            last = tf.where(tf.reduce_all(mask[-1:], 0), last, 0)  # of no steps, all are valid
        return last, swap_batch_and_time(sequences), states if stacked else states[0]

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for state in keras.tree.flatten(self.states or []):
            state.assign(keras.ops.zeros_like(state))

    def to_time_major(self, sequences: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Inputs [time, batch, features] and mask [time, batch, 1] in the order of computation."""
        sequences = swap_batch_and_time(sequences)
        if mask is not None:
            mask = keras.tree.flatten(mask)[0]
            mask = swap_batch_and_time(tf.cast(mask, tf.bool)[:, :, None])
        if self.go_backwards:
            sequences = tf.reverse(sequences, [0])
            mask = None if mask is None else tf.reverse(mask, [0])
        return sequences, mask


def get_carried_states(model: keras.Layer) -> list[keras.Variable]:
    """The states that stateful layers of a model carry on; Keras does not count them to its variables."""
    layers = (layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN))
    return [state for layer in layers for state in keras.tree.flatten(layer.states or [])]
