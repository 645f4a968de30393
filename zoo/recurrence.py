"""Cells run over time: `RNN(cell)`, and `SimpleRNN`, `LSTM` and `GRU` as ready layers."""

import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar

import keras
import tensorflow as tf

from zoo.cells import Cell, GRUCell, LSTMCell, Registered, SimpleRNNCell, States, Tensor, masked

Step = Callable[[Tensor, States], tuple[Tensor, States]]
"""One step of a loop over time: `(output_t, states_t)` from x_t and the states before it."""


class RNN(Registered, keras.layers.RNN):
    """Runs a cell over time.

    All that `keras.layers.RNN` offers works as it does there. What differs is how the cells of this
    library are run: W input_t + b is one product for all time steps, U h_{t-1} is the only product
    inside the loop, a stack of cells is run layer by layer, and one dropout mask serves a whole
    sequence. Any other Keras cell runs as in Keras.

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

        sequences, mask = self.in_time_order(sequences, mask)
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

    def in_time_order(self, sequences: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Inputs [time, batch, features] and mask [time, batch, 1] in the order of computation."""
        sequences = swap_batch_and_time(sequences)
        if mask is not None:
            mask = keras.tree.flatten(mask)[0]
            mask = swap_batch_and_time(tf.cast(mask, tf.bool)[:, :, None])
        if self.go_backwards:
            sequences = tf.reverse(sequences, [0])
            mask = None if mask is None else tf.reverse(mask, [0])
        return sequences, mask


def swap_batch_and_time(x: Tensor) -> Tensor:
    """[batch, time, features] to [time, batch, features], or back."""
    return tf.transpose(x, [1, 0, 2])


def run(
    cell: Cell,
    sequences: Tensor,
    states: States,
    mask: Tensor | None,
    training: bool = False,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, States]:
    """Run one of our cells over time; arguments and results as in `scan`."""
    drop = None
    if training:
        sequences = masked(sequences, cell.dropout_mask(sequences[:1]))
        drop = cell.recurrent_dropout_mask(states[0])

    def step(x: Tensor, states: States) -> tuple[Tensor, States]:
        r = cell.recurrent([masked(states[0], drop), *states[1:]])
        return cell.update(x, r, states)

    return scan(step, cell.project(sequences), states, mask, cell.output_size, unroll)


def scan(
    step: Step,
    x: Tensor,
    states: States,
    mask: Tensor | None,
    output_size: int,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, States]:
    """Apply `step` from the first time to the last.

    Args:
        step: from x_t [batch, width] and the states to the output and the new states.
        x: [time, batch, width]; `time` may be 0.
        states: before the first step, each [batch, units].
        mask: bool [time, batch, 1]; where False, output and states are those of the step before.
        output_size: width of the output.
        unroll: whether to lay out every step in the graph, for a `time` known beforehand.

    Returns:
        The last output [batch, output_size], all outputs [time, batch, output_size], the last states.
    """
    # The loop keeps static shapes, so a batch size that one of its tensors knows, all must know.
    batch = next((n for n in (x.shape[1], *(s.shape[0] for s in states)) if n is not None), None)
    x = tf.ensure_shape(x, [None, batch, None])
    states = [tf.ensure_shape(s, [batch, None]) for s in states]
    time = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]

    def advance(t: Any, output: Tensor, states: States) -> tuple[Tensor, States]:
        new_output, new_states = step(inputs.read(t), states)
        if mask is None:
            return new_output, new_states
        valid = masks.read(t)
        states = [tf.where(valid, new, old) for new, old in zip(new_states, states, strict=True)]
        return tf.where(valid, new_output, output), states

    def body(t: Tensor, output: Tensor, states: States, outputs: tf.TensorArray) -> tuple:
        output, states = advance(t, output, states)
        return t + 1, output, states, outputs.write(t, output)

    inputs = tf.TensorArray(x.dtype, time, element_shape=x.shape[1:]).unstack(x)
    if mask is not None:
        mask = tf.ensure_shape(mask, [None, batch, 1])
        masks = tf.TensorArray(tf.bool, time, element_shape=mask.shape[1:]).unstack(mask)
    output = tf.zeros([tf.shape(x)[1], output_size], states[0].dtype)
    output = tf.ensure_shape(output, [batch, output_size])
    if unroll:
        outputs = []
        for t in range(time):
            output, states = advance(t, output, states)
            outputs.append(output)
        return output, tf.stack(outputs), states
    # An array of no tensors does not know the batch size, so there is one even where `time` is 0.
    length = max(time, 1) if isinstance(time, int) else tf.maximum(time, 1)
    outputs = tf.TensorArray(output.dtype, length, element_shape=output.shape).write(0, output)
    _, output, states, outputs = tf.while_loop(
        lambda t, *_: t < time, body, (0, output, states, outputs), maximum_iterations=time
    )
    return output, outputs.stack()[:time], states


class ReadyRNN(RNN):
    """A layer with a cell of its own, whose arguments are the layer's too."""

    cell_class: ClassVar[type[Cell]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.cell_arguments = frozenset(_argument_names(cls.cell_class))
        for name in cls.cell_arguments:
            setattr(cls, name, property(attrgetter(f"cell.{name}")))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        settings = {name: kwargs.pop(name) for name in self.cell_arguments & kwargs.keys()}
        shared = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        super().__init__(self.cell_class(*args, **settings, **shared), **kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments: the layer's and the cell's."""
        config = super().get_config()
        del config["cell"]
        settings = self.cell.get_config()
        return {**config, **{k: v for k, v in settings.items() if k in self.cell_arguments}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ReadyRNN":
        """The layer of a `get_config`, Keras's own of the same name included."""
        return cls(**config)


def _argument_names(cell_class: type[Cell]) -> set[str]:
    initialisers = [base.__init__ for base in cell_class.__mro__ if issubclass(base, Cell)]
    parameters = [p for f in initialisers for p in inspect.signature(f).parameters.values()]
    return {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}


class SimpleRNN(ReadyRNN):
    """The vanilla recurrent layer: arguments of `SimpleRNNCell`, then those of `RNN`."""

    cell_class = SimpleRNNCell


class LSTM(ReadyRNN):
    """Long short-term memory: arguments of `LSTMCell`, then those of `RNN`."""

    cell_class = LSTMCell


class GRU(ReadyRNN):
    """Gated recurrent unit: arguments of `GRUCell`, then those of `RNN`."""

    cell_class = GRUCell
