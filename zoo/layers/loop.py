"""The loop over time: which form of it a cell gets, and the plain form, one step after the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from zoo._compat import autocast_scope, call_context_scope, is_exporting, make_call_context
from zoo.cells import Cell, States, Tensor, apply_mask
from zoo.cells.base import can_run_parallel, is_inherited
from zoo.cells.checks import explain_errors
from zoo.layers.block_lstm import can_run_block_lstm, run_block_lstm
from zoo.layers.chunks import reset_states, run_in_chunks, should_compile, unstack
from zoo.layers.export_scope import ExportScope, get_export_scope
from zoo.layers.pure_cell import PureCell, flatten_states, restore_states
from zoo.layers.rows import LoopInputs
from zoo.scans import compile_scans

Step = Callable[[list[Tensor], States], tuple[Tensor, States]]
"""One step of a loop over time: `(output_t, states_t)` from the inputs at t and the states before."""

StateObserver = Callable[[Cell, States], States]
"""Called with a cell and its states after each step; returns the states to continue with."""

MAX_PLAIN_ROWS = 4096
"""Most rows, steps times batch size, for which exports to TensorFlow take plain steps instead of chunks.

One loop starts sooner than chunks, but it needs the projected inputs of all steps at once: with more rows they
take much memory, and reading them takes longer.
"""

UNKNOWN_STEPS = 64
"""Assumed number of time steps where it is not known when the graph is built."""


class CellRun(NamedTuple):
    """What a cell read while it ran over time.

    Attributes:
        layer: the layer that ran the cell.
        cell: the cell.
        sequences: [time, batch, features], in the order of computation.
        states: before the first step.
        mask: bool [time, batch, 1] or None.
        constants: tensors by name, for `prepare_constants` of the cell; or None.
        resets: bool [time, batch, 1] or None.
    """

    layer: keras.Layer
    cell: Cell
    sequences: Tensor
    states: States
    mask: Tensor | None
    constants: dict[str, Tensor] | None
    resets: Tensor | None


_observer: ContextVar[StateObserver | None] = ContextVar("observer", default=None)
_runs: ContextVar[list[CellRun] | None] = ContextVar("runs", default=None)


@contextmanager
def observe_states(observer: StateObserver) -> Iterator[None]:
    """Return a context in which all loops take plain steps and call `observer` after each of them.

    Example:
        >>> import keras, zoo
        >>> steps = []
        >>> def observe(cell, states):
        ...     steps.append(states[0])
        ...     return states
        >>> with zoo.layers.observe_states(observe):
        ...     outputs = zoo.SimpleRNN(4)(keras.ops.ones((2, 3, 5)))
        >>> [tuple(h.shape) for h in steps]
        [(2, 4), (2, 4), (2, 4)]
    """
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


@contextmanager
def record_runs() -> Iterator[list[CellRun]]:
    """Return a context that yields a list, to which each cell is added before it runs over time, in their order."""
    runs: list[CellRun] = []
    token = _runs.set(runs)
    try:
        yield runs
    finally:
        _runs.reset(token)


def record_run(run: CellRun) -> None:
    """Add a run to the list of `record_runs`, if there is one."""
    if (runs := _runs.get()) is not None:
        runs.append(run)


def swap_batch_and_time(x: Tensor) -> Tensor:
    """Transpose [batch, time, ...] to [time, batch, ...], or back.

    Example:
        >>> import tensorflow as tf, zoo
        >>> zoo.layers.swap_batch_and_time(tf.zeros([2, 7, 3])).shape
        TensorShape([7, 2, 3])
    """
    return tf.transpose(x, [1, 0, *range(2, x.shape.rank)])


def run_cell(
    cell: Cell,
    sequences: Tensor,
    states: States,
    mask: Tensor | None,
    training: bool = False,
    unroll: bool = False,
    constants: dict[str, Tensor] | None = None,
    resets: Tensor | None = None,
) -> tuple[Tensor, Tensor, States]:
    """Run a cell of this library over time.

    A cell that defines `parallel` computes all steps at once, where that is faster. In a graph, the others take
    the steps of `run_in_chunks`. Plain steps are taken in eager execution, when unrolled, inside
    `observe_states`, by cells whose step is not pure, see `PureCell.analyze`, in `export_scope`, and in exports
    by Keras and tf2onnx: they run without XLA, and tf2onnx converts few forms of loops.

    Args:
        cell: the cell, built.
        sequences: [time, batch, features]; `time` may be 0.
        states: before the first step, each [batch, size] or [batch, *shape].
        mask: bool [time, batch, 1]; where False, output and states are those of the step before.
        training: whether dropout and zoneout draw random numbers.
        unroll: whether to lay out every step in the graph, for a `time` that is known beforehand.
        constants: tensors by name, for `prepare_constants` of the cell.
        resets: bool [time, batch, 1]; where True, the states are set to the cell's initial states before the
            step.

    Returns:
        The last output [batch, width], all outputs [time, batch, width], the last states.
    """
    explained = explain_errors(cell, constants, sequences.shape[1])
    # Keras's `call` may have called the cells of a stack already, which can change the context.
    in_context = call_context_scope(make_call_context(training))
    with autocast_scope(cell.compute_dtype), in_context, explained:
        prepared = cell.compute_constants(constants, training)
        with cell.constants_scope(prepared):
            run_steps = partial(_run_cell, cell, sequences, states, mask, training, unroll, prepared, resets)
            is_plain = not training and resets is None and not prepared and _observer.get() is None
            if is_plain and can_run_block_lstm(cell, sequences, states):
                return run_block_lstm(cell, sequences, states, mask, run_steps)
            return run_steps()


def _run_cell(
    cell: Cell,
    sequences: Tensor,
    states: States,
    mask: Tensor | None,
    training: bool,
    unroll: bool,
    constants: dict[str, Tensor],
    resets: Tensor | None,
) -> tuple[Tensor, Tensor, States]:
    sequences, states, mask, resets = set_static_batch_size(sequences, states, mask, resets)
    unroll = unroll or sequences.shape[0] == 1  # one step needs no loop
    loop_inputs = prepare_inputs(cell, sequences, states, mask, resets, training)
    pure_cell = PureCell(cell, constants, training)
    run_plain = partial(run_in_steps, pure_cell, unroll)
    form = choose_form(pure_cell, loop_inputs, training, unroll)
    if form is Form.PARALLEL:
        with compile_scans(is_in_process(training) and should_compile(loop_inputs.inputs.shape[1], training)):
            last, outputs, states = run_parallel(cell, loop_inputs.inputs, states, mask)
        states = flatten_states(states)
    elif form is Form.STEPS:
        # A loop that reads variables has effects for TensorFlow, and runs even if nothing uses its results.
        last, outputs, states = run_plain(loop_inputs, pure_cell.weights if pure_cell.is_pure else None)
    else:

        def run_chunks() -> tuple[Tensor, Tensor, list[Tensor]]:
            return run_in_chunks(pure_cell, loop_inputs, training, run_plain)

        if form is Form.CHUNKS:
            last, outputs, states = run_chunks()
        else:
            is_short = tf.reduce_prod(tf.shape(sequences)[:2]) <= MAX_PLAIN_ROWS
            last, outputs, states = tf.cond(
                is_short, lambda: run_plain(loop_inputs, pure_cell.weights), run_chunks
            )
    states = list(restore_states(cell, states))
    last, outputs = cell.readout(last), cell.readout(outputs)
    if mask is not None and not is_inherited(cell, Cell, "readout"):
        # The output is zero before the first valid step, also where `readout` has a bias.
        outputs = tf.where(tf.cumsum(tf.cast(mask, tf.int32), 0) > 0, outputs, 0)
        last = tf.where(tf.reduce_any(mask, 0), last, 0)
    return last, outputs, states


def prepare_inputs(
    cell: Cell, sequences: Tensor, states: States, mask: Tensor | None, resets: Tensor | None, training: bool
) -> LoopInputs:
    """Draw noise and dropout masks, and return what the loop reads; arguments are those of `run_cell`."""
    drop, noise = None, None
    if training:
        noise = cell.draw_noise(sequences)
        sequences = apply_mask(sequences, cell.draw_dropout_mask(sequences[:1]))
        drop = cell.draw_recurrent_dropout_mask(states[0])
    starts: list[Tensor] = []
    if resets is not None:
        initial = cell.get_initial_state(tf.shape(sequences)[1])
        starts = flatten_states(initial if isinstance(initial, (list, tuple)) else [initial])
        starts = [tf.ensure_shape(start, [sequences.shape[1], None]) for start in starts]
    flags = {"noise": noise, "mask": mask, "resets": resets}
    flags = {name: value for name, value in flags.items() if value is not None}
    return LoopInputs(sequences, flatten_states(states), flags, drop, starts)


class Form(Enum):
    """A form of the loop over time."""

    PARALLEL = auto()
    """All steps at once, by `parallel` of the cell."""

    CHUNKS = auto()
    """Chunks of steps, with a gradient of their own."""

    STEPS = auto()
    """One step after the other."""

    BY_SIZE = auto()
    """In an export to TensorFlow: steps for few rows, chunks for many."""


def choose_form(pure_cell: PureCell, loop_inputs: LoopInputs, training: bool, unroll: bool) -> Form:
    """Return the form of the loop that a cell gets. It analyzes `pure_cell`, if the form depends on that."""
    cell, sequences = pure_cell.cell, loop_inputs.sequences
    time, batch = loop_inputs.inputs.shape[:2]
    is_plain = unroll or _observer.get() is not None
    is_loop = not is_plain and is_in_process(training)
    is_parallel = (
        not is_plain and can_run_parallel(cell) and set(sequences) <= {"mask"} and not any(cell.zoneout)
    )
    if is_loop and should_compile(batch, training):
        is_parallel = is_parallel and is_parallel_faster(cell, time, "mask" in sequences, training)
    if is_parallel and not is_exporting(to_onnx=True):
        return Form.PARALLEL
    if is_plain or not tf.inside_function() or is_exporting() or not pure_cell.analyze(loop_inputs):
        return Form.STEPS
    if is_loop:
        return Form.CHUNKS
    return Form.BY_SIZE if get_export_scope() is ExportScope.TENSORFLOW else Form.STEPS


def is_in_process(training: bool) -> bool:
    """Return whether a graph is built, and for this process, not for an export."""
    is_graph = tf.inside_function() and not is_exporting()
    return is_graph and (training or get_export_scope() is ExportScope.NONE)


def run_in_steps(
    pure_cell: PureCell, unroll: bool, loop_inputs: LoopInputs, weights: list[Tensor] | None
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a cell one step after the other, calling the observer after each if there is one.

    Args:
        pure_cell: the cell.
        unroll: whether to lay out every step in the graph.
        loop_inputs: what the loop reads.
        weights: the values of the cell's weights; None to read its variables.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    cell, observer, sequences = pure_cell.cell, _observer.get(), loop_inputs.sequences

    def step(xs: list[Tensor], states: States) -> tuple[Tensor, States]:
        x, *noise = xs
        states = restore_states(cell, states)
        with call_context_scope(pure_cell.call_context):  # the same for each step
            r = cell.recurrent((apply_mask(states[0], loop_inputs.drop), *states[1:]))
            output, after = cell.step(x, r, states, *noise)
        if observer is None:
            return output, flatten_states(after)
        observed = observer(cell, after)
        return (observed[0] if output is after[0] else output), flatten_states(observed)

    with nullcontext() if weights is None else pure_cell.weight_scope(weights):
        xs = [cell.project(loop_inputs.inputs), *([sequences["noise"]] if "noise" in sequences else [])]
        arguments = sequences.get("mask"), cell.units, unroll, sequences.get("resets"), loop_inputs.starts
        last, outputs, states = scan(step, xs, loop_inputs.states, *arguments)
    return last, outputs, list(states)


def is_parallel_faster(cell: Cell, time: int | None, masked: bool, training: bool) -> bool:
    """Return whether `parallel` of a cell takes less time than steps that XLA compiles.

    The steps are fused with the gates, so that nothing is faster in inference. In training they compute the
    gates twice. This is a rule and not a timing, so that repeated runs are identical.

    Args:
        cell: a cell that can run in parallel.
        time: the number of time steps; None if it is not known when the graph is built.
        masked: whether there is a mask, which costs `parallel` more.
        training: whether the loop runs in training.
    """
    if cell.min_parallel_steps is None:
        return False
    steps = UNKNOWN_STEPS if time is None else time
    return not cell.min_parallel_steps or (training and steps >= cell.min_parallel_steps * (1 + masked))


def run_parallel(
    cell: Cell, sequences: Tensor, states: list[Tensor], mask: Tensor | None
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a cell by its method `parallel`; arguments and results are those of `run_cell`."""
    outputs, states = cell.parallel(sequences, mask, tuple(states))
    if mask is not None:
        outputs = tf.where(tf.cumsum(tf.cast(mask, tf.int32), 0) > 0, outputs, 0)
    # After no steps at all, the last output is zero.
    last = tf.concat([tf.zeros([1, *tf.unstack(tf.shape(outputs)[1:])], outputs.dtype), outputs], 0)[-1]
    return last, outputs, states


def set_static_batch_size(
    sequences: Tensor, states: States, *flags: Tensor | None
) -> tuple[Tensor, list[Tensor], Tensor | None, Tensor | None]:
    """Give all tensors the static batch size that one of them has: loops keep static shapes."""
    sizes = (*(x.shape[1] for x in (sequences, *flags) if x is not None), *(s.shape[0] for s in states))
    batch = next((size for size in sizes if size is not None), None)
    sequences, mask, resets = (
        None if x is None else tf.ensure_shape(x, [None, batch, None]) for x in (sequences, *flags)
    )
    states = [tf.ensure_shape(state, [batch, *(None for _ in state.shape[1:])]) for state in states]
    return sequences, states, mask, resets


def scan(
    step: Step,
    xs: list[Tensor],
    states: States,
    mask: Tensor | None,
    width: int,
    unroll: bool = False,
    resets: Tensor | None = None,
    starts: States = (),
) -> tuple[Tensor, Tensor, States]:
    """Apply `step` from the first time step to the last.

    Args:
        step: from the list of the inputs at t, each [batch, ...], and the states to the output and the new
            states.
        xs: the inputs, each [time, batch, ...]; `time` may be 0.
        states: before the first step, each [batch, size].
        mask: bool [time, batch, 1]; where False, output and states are those of the step before.
        width: of the output.
        unroll: whether to lay out every step in the graph, for a `time` that is known beforehand.
        resets: bool [time, batch, 1]; where True, the states are set to `starts` before the step.
        starts: with `resets`, states as `states`.

    Returns:
        The last output [batch, width], all outputs [time, batch, width], the last states.

    Example:
        >>> import tensorflow as tf, zoo
        >>> def add(xs, states):
        ...     total = states[0] + xs[0]
        ...     return total, [total]
        >>> xs, states = [tf.ones([4, 1, 2])], [tf.zeros([1, 2])]
        >>> last, outputs, states = zoo.layers.scan(add, xs, states, None, width=2)
        >>> last.numpy().tolist(), outputs.shape
        ([[4.0, 4.0]], TensorShape([4, 1, 2]))
    """
    first = xs[0]
    time = first.shape[0] if first.shape[0] is not None else tf.shape(first)[0]
    series = [*xs, mask, resets]
    if not unroll:
        series = [None if x is None else unstack(x) for x in series]

    def advance(t: Tensor, output: Tensor, states: States) -> tuple[Tensor, States]:
        *x, valid, reset = (None if x is None else x[t] if unroll else x.read(t) for x in series)
        states = reset_states(reset, starts, list(states))
        new_output, new_states = step(x, states)
        new_output = tf.ensure_shape(new_output, output.shape)
        new_states = [tf.ensure_shape(new, old.shape) for new, old in zip(new_states, states, strict=True)]
        if valid is None:
            return new_output, new_states
        states = [tf.where(valid, new, old) for new, old in zip(new_states, states, strict=True)]
        return tf.where(valid, new_output, output), states

    def body(t: Tensor, output: Tensor, states: States, outputs: tf.TensorArray) -> tuple[Any, ...]:
        output, states = advance(t, output, states)
        return t + 1, output, states, outputs.write(t, output)

    states = list(states)
    output = tf.ensure_shape(tf.zeros([tf.shape(first)[1], width], states[0].dtype), [first.shape[1], width])
    if unroll:
        all_outputs = []
        for t in range(time):
            output, states = advance(t, output, states)
            all_outputs.append(output)
        return output, tf.stack(all_outputs), states
    # tf2onnx converts only arrays that nothing is written to before the loop.
    outputs = tf.TensorArray(output.dtype, time, element_shape=output.shape)
    _, output, states, outputs = tf.while_loop(
        lambda t, *_: t < time, body, (0, output, states, outputs), maximum_iterations=time
    )
    if output.shape[0] is not None:
        return output, outputs.stack(), states
    # Where `time` is 0, `outputs.stack()` does not know the batch size.
    stacked = tf.raw_ops.TensorListStack(
        input_handle=outputs.flow, element_shape=tf.shape(output), element_dtype=output.dtype
    )
    return output, tf.ensure_shape(stacked, [first.shape[0], *output.shape]), states
