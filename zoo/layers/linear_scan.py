"""The parallel scan, for cells that are linear in their state."""

from typing import Any

import tensorflow as tf

from zoo.cells import Cell, LinearCell, States, Tensor
from zoo.cells.base import is_inherited


def can_scan(cell: Cell) -> bool:
    """Return whether `run_linear_cell` computes what the steps of a cell compute, zoneout and noise aside.

    The scan calls `project`, `compute_gates` and `coefficients`. A cell that overrides another method of a
    step, or that has a U or several states, needs steps.
    """
    return (
        isinstance(cell, LinearCell)
        and is_inherited(cell, LinearCell, "recurrent", "combine", "update", "step")
        and is_inherited(cell, LinearCell, "_apply_zoneout", "_check_update")
        and cell.recurrent_kernel is None
        and len(cell.state_names) == 1
    )


def run_linear_cell(
    cell: LinearCell, inputs: Tensor, states: States, mask: Tensor | None
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a linear cell over time: h_t = a_t ⊙ h_{t-1} + b_t, with all a and b computed beforehand.

    Args:
        cell: the cell, built; one for which `can_scan` is True.
        inputs: [time, batch, features]; `time` may be 0.
        states: h before the first step, [batch, units].
        mask: bool [time, batch, 1], or None.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    a, b = cell.coefficients(cell.compute_gates(cell.project(inputs), None, ()))
    if mask is not None:
        a, b = tf.where(mask, a, 1), tf.where(mask, b, 0)
    hidden = linear_scan(a, b, states[0])
    # After no steps at all, the last state is the first.
    last = tf.concat([states[0][None], hidden], 0)[-1]
    outputs, output = hidden, last
    if mask is not None:
        has_started = tf.cumsum(tf.cast(mask, tf.int32), 0) > 0
        outputs = tf.where(has_started, hidden, 0)
        output = tf.where(tf.reduce_any(mask, 0), last, 0)
    return output, outputs, [last]


@tf.custom_gradient
def linear_scan(a: Tensor, b: Tensor, initial: Tensor) -> tuple[Tensor, Any]:
    """Compute h_t = a_t ⊙ h_{t-1} + b_t for all t in about 2 √time steps instead of `time`.

    Time is cut into √time pieces. All pieces run side by side from a state of zeros; then the state at the
    end of each piece follows from that of the piece before; then the contribution of that state is added to
    every h. This is the algorithm of Blelloch (1990), "Prefix sums and their applications", with two levels
    instead of a tree. The gradient is the same scan in reverse.

    Args:
        a: [time, batch, units].
        b: [time, batch, units].
        initial: h before the first step, [batch, units].

    Returns:
        h [time, batch, units].
    """
    hidden = _scan_two_levels(a, b, initial)

    def gradient(d_hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # d_b_t = d_hidden_t + a_{t+1} d_b_{t+1} and d_a_t = d_b_t h_{t-1}.
        after = tf.concat([a[1:], tf.zeros_like(a[:1])], 0)
        d_b = tf.reverse(
            linear_scan(tf.reverse(after, [0]), tf.reverse(d_hidden, [0]), tf.zeros_like(initial)), [0]
        )
        before = tf.concat([initial[None], hidden], 0)[:-1]
        return d_b * before, d_b, tf.reduce_sum((a * d_b)[:1], 0)

    return hidden, gradient


def _scan_two_levels(a: Tensor, b: Tensor, initial: Tensor) -> Tensor:
    time, rows, units = tf.unstack(tf.shape(a))
    size = tf.maximum(1, tf.cast(tf.math.ceil(tf.sqrt(tf.cast(time, tf.float32))), tf.int32))
    count = tf.maximum(1, (time + size - 1) // size)

    def split(x: Tensor, padding: float) -> Tensor:
        """Cut `x` [time, batch, units] into pieces, [size, count, batch, units]."""
        x = tf.pad(x, [[0, count * size - time], [0, 0], [0, 0]], constant_values=padding)
        x = tf.reshape(x, [count, size, rows, units])
        return tf.ensure_shape(tf.transpose(x, [1, 0, 2, 3]), [None, None, *a.shape[1:]])

    def compose(before: tuple[Tensor, Tensor], now: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Compose two maps h -> a h + b to one."""
        return now[0] * before[0], now[0] * before[1] + now[1]

    pieces_a, pieces_b = split(a, 1), split(b, 0)
    identity = (tf.ones_like(pieces_a[0]), tf.zeros_like(pieces_b[0]))
    inner = tf.scan(compose, (pieces_a, pieces_b), identity)
    ends = tf.scan(lambda h, ab: ab[0] * h + ab[1], (inner[0][-1], inner[1][-1]), initial)
    starts = tf.concat([initial[None], ends], 0)[:-1]
    hidden = tf.transpose(inner[0] * starts + inner[1], [1, 0, 2, 3])
    return tf.reshape(hidden, [count * size, rows, units])[:time]
