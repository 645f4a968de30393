"""How gradients flow back through time, and from an output to what was read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.cells import Cell, States, Tensor
from zoo.inspection.states import opened
from zoo.layers import RNN, get_carried_states, observe_states, scan


def recurrent_cells(model: keras.Layer) -> dict[str, tuple[RNN, Cell]]:
    """The cells of this library in a model, each with its layer, by the layer's path.

    A cell of a stack in one layer also bears its own name.
    """
    found = {}
    for layer in model._flatten_layers():
        if isinstance(layer, RNN):
            stack = getattr(layer.cell, "cells", [layer.cell])
            for cell in stack:
                if isinstance(cell, Cell):
                    name = layer.path or layer.name
                    found[f"{name}/{cell.name}" if len(stack) > 1 else name] = (layer, cell)
    return found


@contextmanager
def undisturbed(model: keras.Layer) -> Iterator[None]:
    """After this context what a model carries from call to call is as before."""
    kept = [*model.non_trainable_variables, *get_carried_states(model)]
    before = [(variable, tf.identity(variable.value)) for variable in kept]
    yield
    for variable, value in before:
        variable.assign(value)


def state_gradients(model: keras.Layer, inputs: Any, loss: Callable[[Any], Tensor]) -> dict[str, Tensor]:
    """dL/ds_t of every state s of every recurrent layer: how much what a layer knew at t matters.

    The whole derivative, by way of the output at t and of all later steps: back-propagation through time
    (Werbos, 1990, "Backpropagation through time: what it does and how to do it"). Where its norm shrinks
    towards early steps the gradient vanishes, where it grows it explodes (Pascanu, Mikolov and Bengio, 2013,
    "On the difficulty of training recurrent neural networks").

    Args:
        model: any model or layer with recurrent layers of this library. It is called eagerly, as in
            inference. The steps of a layer that is called more than once follow each other.
        inputs: what it is called with.
        loss: from its outputs to L, a scalar. Where that is a mean over rows, each row's gradient is divided
            by their number.

    Returns:
        By names such as `encoder/layer1_hidden` a tensor [batch, time, units], in the order of the inputs.
        Steps under padding have no part in L, and gradients of zero.

    Raises:
        ValueError: there is no recurrent layer of this library.
    """
    cells = recurrent_cells(model)
    if not cells:
        raise ValueError(f"{model.name!r} has no recurrent layer of this library: expected a `zoo.RNN`.")
    kept: dict[int, list[list[Tensor]]] = {}
    with tf.GradientTape() as tape:

        def watch(cell: Cell, states: States) -> States:
            states = [tf.identity(state) for state in states]
            tape.watch(states)
            kept.setdefault(id(cell), []).append(states)
            return states

        with undisturbed(model), observe_states(watch):
            value = loss(model(inputs))
    gradients = tape.gradient(value, kept, unconnected_gradients="zero")
    found = {}
    for name, (layer, cell) in cells.items():
        for number, state in enumerate(cell.state_names):
            steps = [after[number] for after in gradients.get(id(cell), [])]
            if steps:
                values = tf.stack(steps, 1)
                found[f"{name}_{state}"] = tf.reverse(values, [1]) if layer.go_backwards else values
    return found


def step_jacobians(layer: RNN, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
    """ds_t/ds_{t-1} of every step of a layer, as it reads sequences from a state of zeros.

    s is all that the cell carries, side by side in the order of its `state_names`: of an LSTM [h; c].

    Args:
        layer: one with a cell of this library.
        sequences: [batch, time, features].
        mask: bool [batch, time], False where there is padding: there s is held, and the Jacobian is 1.

    Returns:
        [batch, time, n, n], n the size of s, in the order of computation: element [i, j] is how much unit i
        after the step moves with unit j before it.

    Raises:
        ValueError: it is no such layer, or has no weights yet.
    """
    with opened(layer) as cell:
        xs, mask = layer.to_time_major(tf.cast(sequences, cell.compute_dtype), mask)
        start = cell.get_initial_state(tf.shape(xs)[1])
        sizes = [state.shape[-1] for state in start]
        time, batch = xs.shape[:2]

        def step(read: list[Tensor], states: States) -> tuple[Tensor, States]:
            _, after = cell.step(read[0], cell.recurrent(states), states)
            return tf.concat(after, -1), after

        x = cell.project(xs)
        after = scan(step, [x], start, mask, sum(sizes))[1]
        before = tf.concat([tf.concat(start, -1)[None], after[:-1]], 0)
        rows = tf.reshape(before, [time * batch, sum(sizes)])
        with tf.GradientTape() as tape:
            tape.watch(rows)
            outputs, _ = step([tf.reshape(x, [time * batch, x.shape[-1]])], tf.split(rows, sizes, -1))
    found = tf.reshape(tape.batch_jacobian(outputs, rows), [time, batch, sum(sizes), sum(sizes)])
    if mask is not None:
        found = tf.where(mask[..., None], found, tf.eye(sum(sizes), dtype=found.dtype))
    return tf.transpose(found, [1, 0, 2, 3])


def jacobian(steps: Tensor, t: int, k: int) -> Tensor:
    """ds_t/ds_k, the product of the steps between.

        ds_t/ds_k = J_t J_{t-1} ... J_{k+1},    J_i = ds_i/ds_{i-1}

    Args:
        steps: from `step_jacobians` [batch, time, n, n].
        t: the later step, counted from 0.
        k: the earlier one; -1 is the state before the first.

    Returns:
        [batch, n, n]; of an LSTM the first `units` rows and columns are dh_t/dh_k.

    Raises:
        ValueError: not -1 <= k <= t < time.
    """
    if not -1 <= k <= t < steps.shape[1]:
        raise ValueError(f"Expected -1 <= k <= t < {steps.shape[1]}, got t={t} and k={k}.")
    product = tf.eye(steps.shape[-1], batch_shape=[steps.shape[0]], dtype=steps.dtype)
    for i in range(t, k, -1):
        product = product @ steps[:, i]
    return product


def largest_singular_values(steps: Tensor, t: int, size: int | None = None) -> np.ndarray:
    """||ds_t/ds_k|| for all k from 0 to t: how far back the state at t reaches.

    Args:
        steps: from `step_jacobians` [batch, time, n, n].
        t: the later step, counted from 0.
        size: of the part of the state that is looked at, from its beginning: `units` for h alone. None: all.

    Returns:
        [batch, t + 1], the largest singular value for each k; at k = t it is 1.
    """
    product = tf.eye(steps.shape[-1], batch_shape=[steps.shape[0]], dtype=steps.dtype)
    norms = []
    for i in range(t, -1, -1):
        norms.append(np.linalg.norm(product[:, :size, :size], ord=2, axis=(1, 2)))
        product = product @ steps[:, i]
    return np.stack(norms[::-1], 1)


def saliency(model: keras.Layer, inputs: Any, score: Callable[[Any], Tensor]) -> dict[str, Tensor]:
    """How much each step of what was read moved an output: the gradient times the input.

        a_t = Σ_d x_td dS/dx_td

    Shrikumar et al. (2016, "Not just a black box: learning important features through propagating activation
    differences"), to first order what S would lose without x_t. Of ids x_t is their embedding.

    Args:
        model: any model; it is called eagerly, as in inference.
        inputs: what it is called with. Those of floats are looked at, and the embeddings of ids.
        score: from its outputs to S [batch], such as the logit of a class for each row.

    Returns:
        a [batch, time] by the name of the embedding layer, or "inputs", with a number where there are more
        than one, for those of floats [batch, time, features].
    """
    given = [tf.convert_to_tensor(value) for value in keras.tree.flatten(inputs)]
    kept = {}
    with tf.GradientTape() as tape:
        for value in given:
            if value.dtype.is_floating:
                tape.watch(value)
                kept[f"inputs{len(kept) + 1 if kept else ''}"] = value

        def see(name: str, values: Tensor) -> Tensor:
            kept[name] = values = tf.identity(values)
            tape.watch(values)
            return values

        with _embeddings(model, see):
            total = tf.reduce_sum(score(model(keras.tree.pack_sequence_as(inputs, given))))
    gradients = tape.gradient(total, kept, unconnected_gradients="zero")
    return {
        name: tf.reduce_sum(tf.reshape(value * gradients[name], [*value.shape[:2], -1]), -1)
        for name, value in kept.items()
    }


@contextmanager
def _embeddings(model: keras.Layer, see: Callable[[str, Tensor], Tensor]) -> Iterator[None]:
    """What embedding layers give within goes through `see`, with their names."""

    def seen(name: str, call: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda *given, **more: see(name, call(*given, **more))

    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Embedding)]
    for layer in layers:
        layer.call = seen(layer.name, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call
