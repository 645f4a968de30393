"""`RNN(cell)`: a layer that runs a cell over time."""

import inspect
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo._compat import flatten_layers, get_keras_mask
from zoo.cells import Cell, Serializable, Tensor
from zoo.cells.base import is_inherited
from zoo.cells.checks import (
    build_sublayers,
    check_cells,
    check_flags,
    check_initialized,
    check_layer,
    check_stackable,
    check_state_size,
    check_states,
    check_used_constants,
    get_flags,
)
from zoo.cells.signatures import complete_docstring
from zoo.layers.loop import CellRun, record_run, run_cell, swap_batch_and_time

_sequence_inputs: ContextVar[tuple[dict[str, Tensor], Tensor | None]] = ContextVar(
    "sequence_inputs", default=({}, None)
)
"""The call arguments `constants` and `resets`, which Keras's `call` does not pass to `inner_loop`."""


@complete_docstring
class RNN(Serializable, keras.layers.RNN):
    """Runs a cell over time.

        output_t, states_t = cell(input_t, states_{t-1})        for t = 1 to T

    Everything that `keras.layers.RNN` offers works as it does there. The difference is how `zoo.Cell`s are
    run. In a graph their steps are compiled by XLA in training. For back-propagation the states are stored,
    and W input and U h up to a bound of memory, and the gradients of the weights are large products outside
    the loop. The cells of a stack run one after the other, each over all time steps. One dropout mask serves
    a whole sequence. Any other Keras cell runs as in Keras, and so does a `zoo.Cell` that overrides `call`.

    Args:
        cell: a cell, or a list of cells to stack: instances of `zoo.Cell`, or any Keras cells. The default
            `dtype` of the layer is that of the cell, or that of the last cell of a list; the default
            `autocast` is that of the cell, or that of the first cell of a list.
        return_sequences: bool. Whether to return the outputs of all time steps instead of the last one.
        return_state: bool. Whether to return the final states, too.
        go_backwards: bool. Whether to process the sequences from their end; outputs, and the mask that the
            layer passes on, are in the order of processing.
        stateful: bool. Whether the final states of a batch are the initial states of the next one. The
            batch size must then be fixed.
        unroll: bool. Whether to lay out every time step in the graph instead of using a loop, for a length
            that is known when the graph is built.
        zero_output_for_mask: bool. Whether the output is zero where the mask is False, instead of that of
            the step before.
        **kwargs: `name`, `dtype`, `trainable` and the other arguments of every Keras layer.

    Call arguments:
        sequences: tensor [batch, time, features].
        initial_state: list of tensors, the states before the first step, each [batch, units] or in its own
            shape. Zeros by default, or with `stateful` the final states of the batch before.
        mask: bool tensor [batch, time], False under padding; by default the mask that the sequences carry,
            such as that of `Embedding(mask_zero=True)`. (Keras ignores that one if it is called with an
            `initial_state`.) Where it is False the states stay as they are, and the output is that of the
            step before (zero before the first valid step).
        training: bool, `False` by default. Whether dropout and zoneout draw random numbers.
        constants: dict of tensors by name, each with the batch as first axis, that the cells use in every
            step; none by default. See `zoo.Cell.prepare_constants`.
        resets: bool tensor [batch, time]; none by default. Where it is True, the states of the row are set to
            `cell.get_initial_state` before the step, whether the mask is True there or not. With `go_backwards`,
            which reads a sequence from its end, the flag belongs at the last step of each sequence.

    Input shape:
        [batch, time, features]

    Output shape:
        [batch, units], or with `return_sequences` [batch, time, units]. With `return_state` a tuple of that
        and the final states, each [batch, units].

    Raises:
        TypeError: `cell` is neither a cell nor a list of cells. In a call: `constants` is not a dict, or a method
            of a cell has the wrong arguments, or computes what a graph or the dtype does not permit.
        ValueError: the `state_size` of a cell is wrong, or a cell cannot follow another one. In a call: the
            sequences, `initial_state`, `mask` or `resets` do not have the shapes above, a mask of floats has
            others than 0 and 1, no cell reads one of the `constants`, or a step does not return what it must.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.RNN([zoo.LSTMCell(4), zoo.GRUCell(5)], return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 5])
    """

    def __init__(
        self,
        cell: keras.layers.Layer | Sequence[keras.layers.Layer],
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        cells = cell if isinstance(cell, (list, tuple)) else [cell]
        for one in cells:
            if isinstance(one, Cell):
                check_initialized(one)
        check_cells(cell)
        for number, one in enumerate(cells, 1):
            if isinstance(one, Cell):
                check_stackable(one, number)
                check_state_size(one)
        if isinstance(cell, (list, tuple)) and all(isinstance(c, Cell) for c in cell):
            cell = keras.layers.StackedRNNCells(cell, dtype=cell[-1].dtype_policy)
        if kwargs.get("dtype") is None and isinstance(cell, (Cell, keras.layers.StackedRNNCells)):
            kwargs["dtype"] = cell.dtype_policy
        first = cell.cells[0] if isinstance(cell, keras.layers.StackedRNNCells) else cell
        if isinstance(first, Cell):
            kwargs.setdefault("autocast", first.autocast)
        super().__init__(
            cell,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            unroll,
            zero_output_for_mask,
            **kwargs,
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    def build(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Any] | None = None,
        constants_shape: dict[str, Sequence[int | None]] | None = None,
        resets_shape: Sequence[int | None] | None = None,
    ) -> None:
        """Create the weights of the cell for sequences [batch, time, features]."""
        self._check_constants(constants_shape)
        super().build(sequences_shape, initial_state_shape)
        features = sequences_shape[-1]
        spec = self.input_spec
        self.input_spec = keras.layers.InputSpec(ndim=spec.ndim, min_ndim=spec.min_ndim, axes={-1: features})
        for cell in getattr(self.cell, "cells", [self.cell]):
            if isinstance(cell, Cell) and is_inherited(cell, Cell, "call", "__call__"):
                build_sublayers(cell, features, constants_shape or {})
            features = getattr(cell, "output_size", None) or keras.tree.flatten(cell.state_size)[0]

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape and dtype of what a call returns, for the arguments of a symbolic call."""
        arguments = inspect.signature(self.call).bind(*args, **kwargs).arguments
        sequences = next(iter(arguments.values()))
        self._check_call(sequences, arguments.get("initial_state"), arguments.get("constants"))
        for name in ("mask", "resets"):
            if find_loop_cells(self) and (flags := arguments.get(name)) is not None:
                check_flags(self.name, name, get_flags(flags), sequences.shape[:2])
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Any] | None = None,
        constants_shape: dict[str, Sequence[int | None]] | None = None,
        resets_shape: Sequence[int | None] | None = None,
    ) -> Any:
        """Return the shape of what a call returns."""
        cells = getattr(self.cell, "cells", [self.cell])
        if not self.return_state or not all(isinstance(cell, Cell) for cell in cells):
            return super().compute_output_shape(sequences_shape, initial_state_shape)
        batch, time = sequences_shape[:2]
        width = self.cell.output_size
        output = (batch, time, width) if self.return_sequences else (batch, width)
        states = [[(batch, *shape) for shape in cell.state_shapes] for cell in cells]
        if self.cell is cells[0]:
            return output, *states[0]
        # As in a call, the states of a stacked cell are a list, unless its `state_size` is a number.
        is_list = [isinstance(cell.state_size, (list, tuple)) for cell in cells]
        return output, *(s if many else s[0] for s, many in zip(states, is_list, strict=True))

    def compute_mask(self, sequences: Tensor, mask: Any) -> Any:
        """Return the mask of the outputs, which is in their order: with `go_backwards` reversed."""
        if keras.tree.flatten(mask)[0] is not None:
            mask = get_flags(mask)
            mask = ops.flip(mask, 1) if self.go_backwards else mask
        return super().compute_mask(sequences, mask)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool = False,
        constants: dict[str, Tensor] | None = None,
        resets: Tensor | None = None,
    ) -> Any:
        """Run the cell over time; the arguments are described above."""
        self._check_call(sequences, initial_state, constants)
        if mask is None:
            mask = get_keras_mask(sequences)
        token = _sequence_inputs.set((constants or {}, resets))
        try:
            return super().call(sequences, initial_state, mask, training)
        finally:
            _sequence_inputs.reset(token)

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Tensor | None, training: bool = False
    ) -> tuple[Tensor, Tensor, Any]:
        """Run all time steps; `keras.layers.RNN` calls this after it has prepared the states.

        Args:
            sequences: tensor [batch, time, features].
            initial_state: the states before the first step, in the structure of `cell.state_size`.
            mask: bool tensor [batch, time] or None.
            training: whether dropout and zoneout draw random numbers.

        Returns:
            The last output [batch, units], all outputs [batch, time, units], and the final states.
        """
        cells = find_loop_cells(self)
        constants, resets = _sequence_inputs.get()
        if not cells:
            if constants or resets is not None:
                raise ValueError(
                    f"`constants` and `resets` need cells that derive from `zoo.Cell`, do not override `call`, and "
                    f"have the dtype of the layer, but the cell of {self.name} is {self.cell}."
                )
            return super().inner_loop(sequences, initial_state, mask, training)

        sequences, mask, resets = self.to_time_major(sequences, mask, resets)
        is_stack = self.cell is not cells[0]
        states = []
        for cell, state in zip(cells, initial_state if is_stack else [initial_state], strict=True):
            is_list = isinstance(state, (list, tuple))
            state = state if is_list else [state]
            record_run(CellRun(self, cell, sequences, state, mask, constants, resets))
            last, sequences, state = run_cell(
                cell, sequences, state, mask, training, self.unroll, constants, resets
            )
            states.append(state if is_list else state[0])
        if mask is not None and self.zero_output_for_mask:
            sequences = tf.where(mask, sequences, 0)
            last = tf.where(tf.reduce_all(mask[-1:], 0), last, 0)  # a sequence of length 0 counts as valid
        return last, swap_batch_and_time(sequences), states if is_stack else states[0]

    def _check_call(self, sequences: Tensor, initial_state: Any, constants: Any) -> None:
        """Raise a TypeError or ValueError if an argument of a call, symbolic or not, does not fit the cells."""
        if sequences.shape[1] == 0:
            raise ValueError(
                f"The sequences of {self.name} must have at least one time step, but their shape is "
                f"{tuple(sequences.shape)}. Leave such a batch out, or pad its sequences and pass a `mask`."
            )
        self._check_constants(constants)
        cells = find_loop_cells(self)
        if constants and cells:
            check_used_constants(self.name, cells, constants)
        if initial_state is not None and cells:
            is_stack = self.cell is not cells[0]
            check_states(self.name, "initial_state", cells, sequences.shape[0], initial_state, is_stack)

    def _check_constants(self, constants: Any) -> None:
        if constants is not None and not isinstance(constants, dict):
            raise TypeError(
                f"`constants` of {self.name} must be a dict of tensors by name, which the cell reads as "
                '`self.constants["context"]`. Write `layer(x, constants={"context": tensor})`.'
            )

    def reset_state(self) -> None:
        """Set the states of a stateful layer to those before the first step, zero in most cells."""
        states = keras.tree.flatten(self.states or [])
        if states:
            initial = keras.tree.flatten(self.get_initial_state(states[0].shape[0]))
            for state, value in zip(states, initial, strict=True):
                state.assign(value)

    def to_time_major(
        self, sequences: Tensor, mask: Tensor | None, resets: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Convert inputs [batch, time, features], a mask and resets [batch, time] for the loop over time.

        Returns:
            The inputs [time, batch, features], and mask and resets [time, batch, 1], all reversed with
            `go_backwards`.
        """

        def convert(x: Tensor) -> Tensor:
            x = swap_batch_and_time(x)
            return tf.reverse(x, [0]) if self.go_backwards else x

        def convert_flags(name: str, flags: Tensor | None) -> Tensor | None:
            if flags is None:
                return None
            flags = get_flags(flags)
            check_flags(self.name, name, flags, sequences.shape[:2])
            return convert(tf.cast(flags, tf.bool)[:, :, None])

        return convert(sequences), convert_flags("mask", mask), convert_flags("resets", resets)


def find_loop_cells(layer: RNN) -> list[Cell]:
    """Return the cells of a layer that the loop over time of this library runs; none if the loop of Keras runs them."""
    is_stack = isinstance(layer.cell, keras.layers.StackedRNNCells)
    cells = layer.cell.cells if is_stack else [layer.cell]
    is_ours = keras.backend.backend() == "tensorflow" and all(isinstance(c, Cell) for c in cells)
    # The loop over time calls the methods of the cells, and neither their `call` nor that of a stack.
    is_ours = is_ours and all(is_inherited(c, Cell, "call", "__call__") for c in cells)
    if is_stack:
        is_ours = is_ours and is_inherited(layer.cell, keras.layers.StackedRNNCells, "call", "__call__")
    is_ours = is_ours and {c.compute_dtype for c in (layer.cell, *cells)} == {layer.compute_dtype}
    return list(cells) if is_ours else []


def get_carried_states(model: keras.Layer) -> list[keras.Variable]:
    """Return the states that the stateful layers of a model carry from batch to batch.

    Keras does not count them among the variables of the model.

    Args:
        model: a model, or a layer.

    Returns:
        The variables, in the order of the layers and of their states; none of layers that are not built.

    Raises:
        TypeError: `model` is not a model or a layer.

    Example:
        >>> import zoo
        >>> layer = zoo.GRU(4, stateful=True)
        >>> layer.build((2, 7, 3))
        >>> [tuple(state.shape) for state in zoo.layers.get_carried_states(layer)]
        [(2, 4)]
    """
    check_layer(model)
    layers = (layer for layer in flatten_layers(model) if isinstance(layer, keras.layers.RNN))
    return [state for layer in layers for state in keras.tree.flatten(layer.states or [])]


def reset_states(model: keras.Layer) -> None:
    """Set the states of all stateful recurrent layers in a model to those before the first step.

    Call it between sequences that do not continue each other. It reaches layers at any depth, those of
    wrappers, nested models and custom layers included, of this library and of Keras.

    Args:
        model: a model, or a layer.

    Raises:
        TypeError: `model` is not a model or a layer.

    Example:
        >>> import keras, zoo
        >>> inputs = keras.Input(batch_shape=(2, 7, 3))
        >>> model = keras.Model(inputs, keras.layers.Bidirectional(zoo.LSTM(4, stateful=True))(inputs))
        >>> first = model(keras.ops.ones((2, 7, 3)))
        >>> zoo.reset_states(model)
        >>> bool(keras.ops.all(model(keras.ops.ones((2, 7, 3))) == first))
        True
    """
    check_layer(model)
    for layer in flatten_layers(model):
        if isinstance(layer, RNN):
            layer.reset_state()
        elif isinstance(layer, keras.layers.RNN):  # its own `reset_state` fails for stacked cells
            for state in keras.tree.flatten(layer.states or []):
                state.assign(keras.ops.zeros_like(state))
