"""Inference of an LSTM by `BlockLSTMV2`, one operation of TensorFlow for all time steps.

For a small product at each step, the loop over time spends most of its time on starting operations. One
operation for all steps avoids that. XLA, LiteRT and ONNX do not have it, so it runs inside
`export_scope(tensorflow_only=True)` only, where functions that take strings are traced: none of the three runs
them anyway.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from zoo.cells import Cell, LSTMCell, States, Tensor
from zoo.cells.base import inherits_steps, is_inherited
from zoo.layers.export_scope import ExportScope, get_export_scope

MAX_WEIGHTS = 200_000
"""Most weights, in W and U, for which the operation is used.

It multiplies by W at every step, where the loop has one product for all steps. With more weights this costs more
than the operation saves: about 0.4 of the loop's time with 33,000 weights, 0.7 with 200,000, 1.1 with 400,000.
"""

MAX_PRODUCTS = 400_000
"""Most multiplications in a step, weights times rows, for which the operation is used.

Above about 500,000 its products run in several threads, which at this size takes longer than the loop.
"""


def can_run_block_lstm(cell: Cell, inputs: Tensor, states: States) -> bool:
    """Return whether `run_block_lstm` may run here, and computes what the steps of a cell compute in inference.

    The operation has the equations of `LSTMCell` with tanh and the logistic function, in float32.

    Args:
        cell: the cell, built.
        inputs: [time, batch, features].
        states: before the first step, each [batch, units].
    """
    return (
        get_export_scope() is ExportScope.TENSORFLOW
        and tf.inside_function()
        and isinstance(cell, LSTMCell)
        and inherits_steps(cell, LSTMCell)
        and is_inherited(cell, LSTMCell, "kernel_shape", "recurrent_shape", "bias_shape", "readout")
        and cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and not any(cell.zoneout)
        and cell.compute_dtype == "float32"
        and all(x.dtype == tf.float32 for x in (inputs, *states))
        and inputs.shape[0] != 1  # for one step, joining W and U takes longer than the step
        and count_weights(cell) <= MAX_WEIGHTS
    )


def count_weights(cell: Cell) -> int:
    """Return the number of weights in W and U of a built cell."""
    features, width = cell.kernel.shape
    return (features + cell.units) * width


def run_block_lstm(
    cell: LSTMCell,
    inputs: Tensor,
    states: States,
    mask: Tensor | None,
    run_steps: Callable[[], tuple[Tensor, Tensor, States]],
) -> tuple[Tensor, Tensor, States]:
    """Run an LSTM over time: a few rows by `BlockLSTMV2`, more rows by steps.

    Args:
        cell: the cell, built; one for which `can_run_block_lstm` is True.
        inputs: [time, batch, features]; `time` may be 0.
        states: before the first step, each [batch, units].
        mask: bool [time, batch, 1], or None.
        run_steps: computes the results by steps.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    is_small = tf.shape(inputs)[1] * count_weights(cell) <= MAX_PRODUCTS
    return tf.cond(is_small, lambda: _run(cell, inputs, states, mask), run_steps)


def _run(
    cell: LSTMCell, inputs: Tensor, states: States, mask: Tensor | None
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run an LSTM over time by `BlockLSTMV2`.

    The operation has no mask. So the valid steps of each row are moved to its front, in their order. Afterwards
    the output at a step is that of the last valid step up to it, or zero if there is none.
    """
    time, rows, features = tf.unstack(tf.shape(inputs))
    counts, lengths = None, tf.fill([rows], time)  # of valid steps: up to each step, and in each row
    if mask is not None:
        is_valid = mask[:, :, 0]
        counts, others = (tf.cumsum(tf.cast(flags, tf.int32), 0) for flags in (is_valid, ~is_valid))
        lengths = tf.reduce_sum(tf.cast(is_valid, tf.int32), 0)
        places = tf.where(is_valid, counts, lengths + others) - 1
        order = tf.math.invert_permutation(tf.reshape(places * rows + tf.range(rows), [-1]))
        inputs = tf.gather(tf.reshape(inputs, [time * rows, features]), order)
        inputs = tf.reshape(inputs, [time, rows, features])

    weights = [tf.convert_to_tensor(weight) for weight in (cell.kernel, cell.recurrent_kernel)]
    no_peephole = tf.zeros([cell.units])
    results = tf.raw_ops.BlockLSTMV2(
        seq_len_max=tf.cast(time, tf.int64),
        x=inputs,
        h_prev=states[0],
        cs_prev=states[1],
        w=tf.concat(weights, 0),  # blocks in the order input, forget, candidate, output
        b=tf.zeros([4 * cell.units]) if cell.bias is None else tf.convert_to_tensor(cell.bias),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
    )

    def get_after(first: Tensor, values: Tensor, counts: Tensor) -> Tensor:
        """Return the values after `counts` [..., batch] steps, of `values` [time, batch, units] and before."""
        values = tf.reshape(tf.concat([first[None], values], 0), [-1, cell.units])
        return tf.gather(values, counts * rows + tf.range(rows))

    zeros = tf.zeros_like(states[0])
    outputs = results.h if counts is None else get_after(zeros, results.h, counts)
    after = [
        get_after(before, values, lengths)
        for before, values in zip(states, (results.h, results.cs), strict=True)
    ]
    return get_after(zeros, results.h, lengths), outputs, after
