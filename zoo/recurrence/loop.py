"""The loop over time."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.cells import Cell, States, Tensor, masked

Step = Callable[[list[Tensor], States], tuple[Tensor, States]]
"""One step of a loop over time: `(output_t, states_t)` from what is read at t and the states before it."""


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
    drop = noise = None
    if training:
        noise = cell.noise(sequences)
        sequences = masked(sequences, cell.dropout_mask(sequences[:1]))
        drop = cell.recurrent_dropout_mask(states[0])

    def step(xs: list[Tensor], states: States) -> tuple[Tensor, States]:
        x, *noise = xs
        r = cell.recurrent([masked(states[0], drop), *states[1:]])
        return cell.step(x, r, states, *noise)

    xs = [cell.project(sequences)] + ([] if noise is None else [noise])
    last, outputs, states = scan(step, xs, states, mask, cell.units, unroll)
    return cell.readout(last), cell.readout(outputs), states


def scan(
    step: Step,
    xs: list[Tensor],
    states: States,
    mask: Tensor | None,
    width: int,
    unroll: bool = False,
) -> tuple[Tensor, Tensor, States]:
    """Apply `step` from the first time to the last.

    Args:
        step: from the list of what `xs` hold at t, each [batch, ...], and the states to the output and
            the new states.
        xs: each [time, batch, ...]; `time` may be 0.
        states: before the first step, each [batch, units].
        mask: bool [time, batch, 1]; where False, output and states are those of the step before.
        width: of the output.
        unroll: whether to lay out every step in the graph, for a `time` known beforehand.

    Returns:
        The last output [batch, width], all outputs [time, batch, width], the last states.
    """
    # The loop keeps static shapes, so a batch size that one of its tensors knows, all must know.
    known = (*(x.shape[1] for x in xs), *(s.shape[0] for s in states))
    batch = next((n for n in known if n is not None), None)
    xs = [tf.ensure_shape(x, [None, batch, None]) for x in xs]
    states = [tf.ensure_shape(s, [batch, None]) for s in states]
    time = xs[0].shape[0] if xs[0].shape[0] is not None else tf.shape(xs[0])[0]

    def advance(t: Any, output: Tensor, states: States) -> tuple[Tensor, States]:
        new_output, new_states = step([x.read(t) for x in inputs], states)
        if mask is None:
            return new_output, new_states
        valid = masks.read(t)
        states = [tf.where(valid, new, old) for new, old in zip(new_states, states, strict=True)]
        return tf.where(valid, new_output, output), states

    def body(t: Tensor, output: Tensor, states: States, outputs: tf.TensorArray) -> tuple:
        output, states = advance(t, output, states)
        return t + 1, output, states, outputs.write(t, output)

    inputs = [unstacked(x) for x in xs]
    if mask is not None:
        masks = unstacked(tf.ensure_shape(mask, [None, batch, 1]))
    output = tf.zeros([tf.shape(xs[0])[1], width], states[0].dtype)
    output = tf.ensure_shape(output, [batch, width])
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


def unstacked(x: Tensor) -> tf.TensorArray:
    """`x` [time, ...] as an array to read by time."""
    return tf.TensorArray(x.dtype, x.shape[0] or tf.shape(x)[0], element_shape=x.shape[1:]).unstack(x)
