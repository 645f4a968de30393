"""Gate activations and states of recurrent layers at every time step, by name."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import tensorflow as tf

from zoo._compat import autocast_scope, flatten_layers
from zoo.cells import Cell, States, Tensor
from zoo.cells.checks import check_layer
from zoo.layers import RNN, get_carried_states, scan, swap_batch_and_time
from zoo.layers.chunks import reset_states
from zoo.layers.loop import CellRun, record_runs
from zoo.layers.pure_cell import PureCell, flatten_states, restore_states


@contextmanager
def cell_scope(cell: Cell, constants: dict[str, Tensor] | None = None) -> Iterator[None]:
    """Return a context in which the methods of a built cell can be called outside of its layer.

    Inside the context the weights have the cell's compute dtype, as in a call of the layer.

    Args:
        cell: the cell.
        constants: the call argument `constants` of the layer.
    """
    with autocast_scope(cell.compute_dtype):
        prepared = cell.compute_constants(constants, False)
    pure_cell = PureCell(cell, prepared, training=False)
    with pure_cell.weight_scope(pure_cell.weights):
        yield


@contextmanager
def preserve_variables(model: keras.Layer) -> Iterator[None]:
    """Restore on exit what a call of the model changes: non-trainable variables and states it carries."""
    variables = [*model.non_trainable_variables, *get_carried_states(model)]
    values = [tf.identity(variable.value) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def find_prefixes(model: keras.Layer) -> dict[tuple[int, int], str]:
    """Return the prefixes of the names of gates and states, by the ids of a layer in a model and its `zoo.Cell`.

    The prefix is the path of the layer inside the model, such as `encoder/layer1_`; it is empty for the model
    itself. The two directions of a `Bidirectional` are `<its path>_forward_` and `<its path>_backward_`. If a layer
    has several cells, the name of the cell follows.
    """
    layers = flatten_layers(model)
    paths = {id(layer): "" if layer is model else _get_relative_path(layer, model) for layer in layers}
    for layer in layers:
        if isinstance(layer, keras.layers.Bidirectional):
            for direction in ("forward", "backward"):
                directed = getattr(layer, f"{direction}_layer")
                paths[id(directed)] = "_".join(filter(None, (paths[id(layer)], direction)))
    prefixes = {}
    for layer in layers:
        if isinstance(layer, RNN):
            cells = getattr(layer.cell, "cells", [layer.cell])
            for cell in cells:
                names = [paths[id(layer)], cell.name if len(cells) > 1 else ""]
                if isinstance(cell, Cell):
                    name = "/".join(filter(None, names))
                    prefixes[id(layer), id(cell)] = f"{name}_" if name else ""
    return prefixes


def check_model(model: Any) -> None:
    """Raise an error if a model cannot read sequences: a TypeError if it is no layer, a ValueError if it is a cell."""
    check_layer(model)
    if isinstance(model, (Cell, keras.layers.StackedRNNCells)):
        raise ValueError(
            f"Found the cell {model!r}, which computes one step. Expected a layer or a model. Wrap it in "
            "`layer = zoo.RNN(cell)` and call the layer first."
        )


def check_found(model: keras.Layer, found: Sized) -> None:
    """Raise a ValueError if nothing was found in a model that a `zoo.RNN` with a `zoo.Cell` has."""
    if not len(found):
        raise ValueError(
            f"Expected a `zoo.RNN` with a `zoo.Cell` that does not override `call`, or a model that contains one, got "
            f"{model!r}. For layers of Keras, call `zoo.convert_from_keras` first."
        )


def _get_relative_path(layer: keras.Layer, model: keras.Layer) -> str:
    return (layer.path or layer.name).removeprefix(f"{model.path or model.name}/")


def gates(
    model: keras.Layer,
    inputs: Any,
    mask: Tensor | None = None,
    constants: dict[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Compute the gate activations and states of recurrent layers at every time step.

    The model reads the inputs as in inference, without dropout. For `zoo.LSTM` the result has the gates of its
    equations and both states:

        input      i_t = σ(W_i x_t + U_i h_{t-1} + b_i)
        forget     f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
        candidate  c̃_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
        output     o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
        cell       c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t
        hidden     h_t = o_t ⊙ tanh(c_t)

    Args:
        model: a built `zoo.RNN` layer, such as `zoo.LSTM`; a `keras.layers.Bidirectional` of one; a `zoo.Encoder`;
            or a whole model that contains such layers.
        inputs: the inputs of the model. For a layer [batch, time, features].
        mask: bool [batch, time], False for padding; None if there is no padding, or if the model finds it itself.
        constants: the call argument `constants` of a `zoo.RNN`.

    Returns:
        A tensor [batch, time, ...] for each gate of a cell, then for each of its states, by name and in the order
        of the inputs, also for a layer that reads backwards. States are those after the step. At padded steps
        states keep their value, and gates have no meaning.

        The names of a layer are those of its gates and states, such as `forget`. Those of a `Bidirectional` begin
        with the direction, `forward_forget`; those of an encoder with the layer, `layer1_forget` or
        `layer1_forward_forget`; and those of a model with the path of the layer, `encoder/layer1_forget`. Layers are
        in the order in which they run. If a layer runs more than once, its steps are concatenated.

    Raises:
        TypeError: `model` is not a model or a layer.
        ValueError: the model is a cell, it is not built, or no `zoo.Cell` has run in it.

    Example:
        >>> import keras, numpy as np, zoo
        >>> layer, x = zoo.LSTM(8), np.ones([4, 10, 3], "float32")
        >>> last = layer(x)
        >>> zoo.inspection.gates(layer, x)["forget"].shape
        TensorShape([4, 10, 8])
        >>> both = keras.layers.Bidirectional(zoo.SimpleRNN(8))
        >>> last = both(x)
        >>> list(zoo.inspection.gates(both, x))
        ['forward_hidden', 'backward_hidden']
    """
    check_model(model)
    if not model.built:
        raise ValueError(f"{model.name} has no weights yet. Call it, or its model, first.")
    check_found(model, find_prefixes(model))
    arguments = {"mask": mask, "constants": constants}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    with preserve_variables(model) if tf.executing_eagerly() else nullcontext(), record_runs() as runs:
        model(inputs, **arguments)
    return join_runs(model, runs, map(_compute_gates, runs))


def join_runs(
    model: keras.Layer, runs: Sequence[CellRun], values: Iterable[dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Return values of cells by the names that they have in a model, in the order of the inputs.

    Args:
        model: the model.
        runs: the runs of its cells.
        values: of each run, by the names that they have in the cell, each [time, batch, ...].

    Returns:
        Tensors [batch, time, ...]. If a cell runs more than once in one layer, its steps are concatenated.

    Raises:
        ValueError: there are no runs.
    """
    prefixes = find_prefixes(model)  # a layer has its path only after its first call
    joined: dict[str, list[Tensor]] = {}
    for run, of_run in zip(runs, values, strict=True):
        prefix = prefixes[id(run.layer), id(run.cell)]
        for name, value in of_run.items():
            value = swap_batch_and_time(tf.reverse(value, [0]) if run.layer.go_backwards else value)
            joined.setdefault(prefix + name, []).append(value)
    check_found(model, joined)
    return {name: steps[0] if len(steps) == 1 else tf.concat(steps, 1) for name, steps in joined.items()}


def _compute_gates(run: CellRun) -> dict[str, Tensor]:
    """Return gates and states [time, batch, ...] of a cell, by name, in the order of computation."""
    cell = run.cell
    with cell_scope(cell, run.constants):
        xs = run.sequences  # time stamps of a cell without `autocast` keep their dtype
        if cell.autocast:
            xs = tf.cast(xs, cell.compute_dtype)
        starts = flatten_states(cell.get_initial_state(tf.shape(xs)[1]))
        initial_states = flatten_states(run.states)
        sizes = [state.shape[-1] for state in starts]

        def step(xs: list[Tensor], states: States) -> tuple[Tensor, States]:
            states = restore_states(cell, states)
            states = flatten_states(cell.step(xs[0], cell.recurrent(states), states)[1])
            return tf.concat(states, -1), states

        x = cell.project(xs)
        history = scan(step, [x], initial_states, run.mask, sum(sizes), resets=run.resets, starts=starts)[1]
        after = tf.split(history, sizes, axis=-1)
        before = [tf.concat([h[None], hs[:-1]], 0) for h, hs in zip(initial_states, after, strict=True)]
        states_before = restore_states(cell, reset_states(run.resets, starts, before))
        values = cell.gates(x, cell.recurrent(states_before), states_before)
        return values | dict(zip(cell.state_names, restore_states(cell, after), strict=True))
