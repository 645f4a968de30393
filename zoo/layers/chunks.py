"""The fast loop over time: in chunks of steps, with a gradient of its own.

    forward     Chunk by chunk. x_t = W input_t + b of the whole chunk by one large product (in inference step by
                step, if W is small); then, step by step, r_t = U h_{t-1} and the update. Stored for
                back-propagation are the states, and x_t and r_t (or their sum, where the update depends on it
                alone) unless that takes too much memory.
    backward    Chunk by chunk, the last one first. What was not stored of x and r is computed again, by one
                large product each. Then, step by step from the last one, the vector-Jacobian products of the
                update and of r_t = U h_{t-1}. Then the gradients of the weights, by one product each for the
                whole chunk.

The only requirement on `update` is that it may be computed twice; it may mix units and rows. The gradients of
weights that `update` uses other than by `product`, such as peepholes, are added up step by step.

The steps of a chunk are compiled by XLA if `should_compile` is true. Large products stay outside, where
TensorFlow's own kernels are faster.
"""

import contextlib
import contextvars
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zoo.cells import Tensor
from zoo.layers.pure_cell import PureCell, StepProducts
from zoo.layers.rows import LoopInputs

MAX_CHUNK_ROWS = 1600
"""Most rows, steps times batch size, in a chunk if both sizes are known when the graph is built.

Products of more rows are no faster, and the memory that a chunk needs in the backward pass grows with it.
"""

DYNAMIC_CHUNK_SIZE = 16
"""Time steps in a chunk if the length is not known when the graph is built: one graph serves every length."""

MAX_UNROLLED_CHUNKS = 8
"""Most chunks that are laid out in the graph, if their number is known; more are run by a loop."""

MAX_PROJECTED_WEIGHTS = 2**16
"""Most weights in W for which inference computes W input step by step, if the steps are compiled."""

MAX_STORED_BYTES = 64 * 2**20
"""Most memory for what makes the loop faster: x and r of all steps, and copies of the halves of a batch.

x and r that need more are computed again in the backward pass.
"""

MIN_HALVED_ROWS = 16
"""Least batch size that is halved, if it is known when the graph is built."""

ZERO = tf.UnconnectedGradients.ZERO

RunPlain = Callable[[LoopInputs, list[Tensor]], tuple[Tensor, Tensor, list[Tensor]]]
"""Runs a cell by plain steps with the values of its weights, to the last output, all outputs and the last states."""

CompileSteps = Callable[..., Callable[..., Any]]
"""From a function of a cell and its first arguments to the function of the others."""

_jit_enabled = contextvars.ContextVar("jit_enabled", default=True)


@contextlib.contextmanager
def disable_jit() -> Iterator[None]:
    """Return a context in which no loop over time is compiled by XLA.

    For graphs that must load where XLA is missing, and for cells with operations that XLA lacks.

    Example:
        >>> import keras, zoo
        >>> with zoo.disable_jit():
        ...     outputs = zoo.LSTM(4)(keras.ops.ones((2, 7, 3)))
        >>> outputs.shape
        TensorShape([2, 4])
    """
    token = _jit_enabled.set(False)
    try:
        yield
    finally:
        _jit_enabled.reset(token)


def should_compile(batch: int | None, training: bool) -> bool:
    """Return whether XLA compiles the steps of a chunk.

    Compiled steps were faster at every shape measured, at the price of one compilation for each new batch
    size. So training is compiled, and inference if the batch size is known when the graph is built;
    `keras.Model.export` leaves it open. TensorFlow does not compile for several replicas in one process; with
    one replica in each of several processes it does. This is a rule and not a timing, so that repeated runs are
    identical.

    Args:
        batch: the static batch size, or None.
        training: whether the loop runs in training.
    """
    is_worthwhile = training or batch is not None
    strategy = tf.distribute.get_strategy()
    # The default strategy has one replica, and no list of devices.
    is_one_replica = strategy.num_replicas_in_sync == 1 or len(strategy.extended.worker_devices) == 1
    return is_worthwhile and _jit_enabled.get() and is_one_replica


class Chunking:
    """How a sequence is cut into `count` chunks of `length` steps; the last one may be padded.

    The steps of a chunk are compiled for `size` of them, which is more than `length` if that is known at run time
    only. `pad` and `trim` convert between the two.

    Args:
        inputs: [time, batch, features].
        in_chunks: if False, all steps are one chunk if their number is known when the graph is built.

    Attributes:
        time: number of time steps, an int or a tensor.
        is_static: whether `time` is an int.
        batch: batch size, an int or None.
        rows: batch size, an int or a tensor.
        count: number of chunks, an int or a tensor.
        length: time steps in a chunk, an int or a tensor.
        size: time steps that a chunk is compiled for, an int.
    """

    def __init__(self, inputs: Tensor, in_chunks: bool) -> None:
        self.time, self.batch = inputs.shape[:2]
        self.rows = tf.shape(inputs)[1] if self.batch is None else self.batch
        self.is_static = self.time is not None
        if self.is_static:
            limit = DYNAMIC_CHUNK_SIZE if self.batch is None else max(4, MAX_CHUNK_ROWS // max(1, self.batch))
            limit = limit if in_chunks else max(1, self.time)
            self.count = max(1, math.ceil(self.time / limit))
            self.length = self.size = math.ceil(self.time / self.count)
        else:
            self.time, self.size = tf.shape(inputs)[0], DYNAMIC_CHUNK_SIZE
            self.count = tf.maximum(1, (self.time + self.size - 1) // self.size)
            self.length = (self.time + self.count - 1) // self.count

    def num_steps(self, i: int | Tensor) -> Tensor:
        """Return the number of steps in chunk `i`."""
        return tf.minimum(self.time - i * self.length, self.length)

    def split(self, x: Tensor) -> Tensor:
        """Pad `x` [time, batch, ...] to [count * length, batch, ...]."""
        if self.is_static and self.time == self.count * self.length:
            return x
        return tf.pad(x, [[0, self.count * self.length - self.time], *([0, 0] for _ in x.shape[1:])])

    def read(self, x: Tensor, i: int | Tensor) -> Tensor:
        """Return chunk `i` of a result of `split`, [length, batch, ...]."""
        size = tf.concat([[self.length], tf.shape(x)[1:]], 0)
        chunk = tf.slice(x, [i * self.length, *(0 for _ in x.shape[1:])], size)
        return tf.ensure_shape(chunk, [self.size if self.is_static else None, *x.shape[1:]])

    def pad(self, chunk: Tensor) -> Tensor:
        """Pad a chunk [length, batch, ...] to [size, batch, ...]."""
        if not self.is_static:
            chunk = tf.pad(chunk, [[0, self.size - self.length], *([0, 0] for _ in chunk.shape[1:])])
        return tf.ensure_shape(chunk, [self.size, *chunk.shape[1:]])

    def trim(self, chunk: Tensor) -> Tensor:
        """Cut a chunk [size, batch, ...] to [length, batch, ...]."""
        return chunk if self.is_static else chunk[: self.length]

    def join(self, chunks: tf.TensorArray) -> Tensor:
        """Join an array of chunks [size, batch, ...] to [time, batch, ...]."""
        if self.is_static and self.count == 1:
            return chunks.read(0)
        x = chunks.stack()[:, : self.length]
        x = tf.reshape(x, [self.count * self.length, self.rows, x.shape[-1]])[: self.time]
        return tf.ensure_shape(x, [None, self.batch, None])

    def scan(
        self,
        body: Callable[[Any, Any], tuple[Any, list[Tensor]]],
        carry: Any,
        values: Sequence[tuple[Sequence[int | None], Any]],
        backwards: bool = False,
    ) -> tuple[Any, list[tf.TensorArray]]:
        """Apply `body` to every chunk.

        Args:
            body: from the index of a chunk and the carry to the new carry and a list of values.
            carry: the first carry.
            values: static shape and dtype of each value.
            backwards: whether to start with the last chunk.

        Returns:
            The last carry, and for each value an array with its results by chunk.
        """

        def step(done: Any, carry: Any, arrays: list[tf.TensorArray]) -> tuple[Any, ...]:
            i = self.count - 1 - done if backwards else done
            carry, results = body(i, carry)
            arrays = [array.write(i, value) for array, value in zip(arrays, results, strict=True)]
            return done + 1, carry, arrays

        arrays = [
            tf.TensorArray(dtype, self.count, element_shape=shape, clear_after_read=False)
            for shape, dtype in values
        ]
        if self.is_static and self.count <= MAX_UNROLLED_CHUNKS:
            for done in range(self.count):
                _, carry, arrays = step(done, carry, arrays)
        else:
            _, carry, arrays = tf.while_loop(
                lambda done, *_: done < self.count, step, (0, carry, arrays), maximum_iterations=self.count
            )
        return carry, arrays


def run_in_chunks(
    pure_cell: PureCell, loop_inputs: LoopInputs, training: bool, run_plain: RunPlain
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a cell over time, with both halves of the batch at the same time if they are independent.

    Inference does not store the states; a gradient, if one is asked for nevertheless, runs forward again.
    Second derivatives are those of `run_plain`.

    Args:
        pure_cell: the cell, after `analyze`.
        loop_inputs: what the loop reads.
        training: whether the loop runs in training.
        run_plain: runs the cell by plain steps to the same results.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    jit = should_compile(loop_inputs.inputs.shape[1], training) and pure_cell.can_compile

    @functools.cache  # halves of the same size share one compiled function
    def compile_steps(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
        steps = functools.partial(function, pure_cell, *arguments)
        if jit:
            steps = tf.function(steps, jit_compile=True, autograph=False)
        # A persistent tape around a `tf.function` would differentiate the steps, which compiled ones do not allow.
        return lambda *inputs: tf.nest.map_structure(tf.stop_gradient, steps(*inputs))

    parts = loop_inputs.halve() if jit and should_halve(pure_cell, loop_inputs) else [loop_inputs]
    # In inference, a small product is faster as a part of the compiled step.
    is_small = loop_inputs.inputs.shape[-1] * pure_cell.xr_widths[0] <= MAX_PROJECTED_WEIGHTS
    project = jit and not training and pure_cell.has_recurrent and is_small
    max_bytes = MAX_STORED_BYTES // len(parts)
    results = [
        run_part(pure_cell, part, training, run_plain, compile_steps, project, max_bytes) for part in parts
    ]
    if len(parts) == 1:
        return results[0]
    last, outputs, states = zip(*results, strict=True)
    return tf.concat(last, 0), tf.concat(outputs, 1), [tf.concat(s, 0) for s in zip(*states, strict=True)]


def should_halve(pure_cell: PureCell, loop_inputs: LoopInputs) -> bool:
    """Return whether the halves of a batch are computed by two loops.

    TensorFlow runs them at the same time, while the small products of a compiled step keep one core busy. On a
    single core nothing is lost but a second compilation for an odd batch size. The halves need a copy of inputs
    and outputs, so large ones stay whole. This is a rule and not a timing, so that repeated runs are identical.
    """
    inputs, drop = loop_inputs.inputs, loop_inputs.drop
    batch = inputs.shape[1]
    has_rows = drop is None or drop.shape[0] == batch
    is_worthwhile = has_rows and (batch is None or batch >= MIN_HALVED_ROWS)
    is_small = count_bytes(inputs, inputs.shape[-1] + pure_cell.cell.units) <= MAX_STORED_BYTES
    return is_worthwhile and is_small and pure_cell.has_independent_rows


def run_part(
    pure_cell: PureCell,
    loop_inputs: LoopInputs,
    training: bool,
    run_plain: RunPlain,
    compile_steps: CompileSteps,
    project: bool,
    max_bytes: int,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a cell over time for some rows of a batch.

    Args:
        pure_cell: the cell, after `analyze`.
        loop_inputs: what the loop reads.
        training: whether the loop runs in training.
        run_plain: runs the cell by plain steps to the same results.
        compile_steps: compiles the steps of a chunk.
        project: whether the compiled steps project the inputs.
        max_bytes: most memory for x and r of all steps.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    chunking = Chunking(loop_inputs.inputs, in_chunks=not project)
    count = len(loop_inputs.states)
    # A masked step repeats the output, but may reset the states: then they are not the same tensor.
    output_state = None if {"mask", "resets"} <= set(loop_inputs.sequences) else pure_cell.output_state
    # Index of the output in the carry: the states, followed by the output if it is not a state.
    output_index = count if output_state is None else output_state

    @tf.custom_gradient
    def run(
        inputs: Tensor,
        states: list[Tensor],
        starts: list[Tensor],
        weights: list[Tensor],
        sequences: dict[str, Tensor],
        drop: list[Tensor],
    ) -> tuple[Any, ...]:
        sources = inputs, states, starts, weights
        constants = sequences, drop
        # Hide the operations from an outer tape, which would differentiate them itself.
        inputs, states, starts, weights = tf.nest.map_structure(tf.stop_gradient, sources)
        drop_mask = drop[0] if drop else None
        inputs = chunking.split(inputs)
        split_sequences = {name: chunking.split(value) for name, value in sequences.items()}
        padded = LoopInputs(inputs, states, split_sequences, drop_mask, starts)
        loop = ChunkLoop(pure_cell, chunking, compile_steps, project, output_index, padded, weights)

        keep = training and count_bytes(inputs, sum(pure_cell.xr_widths)) <= max_bytes
        stored = tuple(sorted({*range(count), output_index})) if training else (output_index,)
        last, arrays = loop.run_forward(stored, keep)
        outputs, output = chunking.join(arrays[stored.index(output_index)]), last[output_index]
        has_started, ever_started = find_first_valid_step(sequences.get("mask"), chunking)

        def gradient(*d_results: Tensor) -> tuple[Any, ...]:
            d_sources = first_gradient(list(d_results), *sources)
            return (*d_sources, *tf.nest.map_structure(lambda _: None, constants))

        @tf.custom_gradient
        def first_gradient(d_results: list[Tensor], *sources: Any) -> tuple[Any, ...]:
            d_results = [relax_batch_size(d, chunking.batch) for d in d_results]
            d_output, d_outputs, *d_carry = tf.nest.map_structure(tf.stop_gradient, d_results)
            if output_state is None:
                d_carry.append(tf.zeros_like(d_output))
            d_carry[output_index] += zero_unless(ever_started, d_output)
            d_outputs = chunking.split(zero_unless(has_started, d_outputs))
            afters = arrays[:count] if training else loop.run_forward(tuple(range(count)), keep=False)[1]
            d_sources = loop.run_backward(afters, arrays[len(stored) :], d_outputs, d_carry)

            def run_again(
                inputs: Tensor, states: list[Tensor], starts: list[Tensor], weights: list[Tensor]
            ) -> tuple[Tensor, Tensor, list[Tensor]]:
                return run_plain(LoopInputs(inputs, states, sequences, drop_mask, starts), weights)

            def second_gradient(*dd: Tensor) -> tuple[Any, ...]:
                return differentiate_twice(run_again, sources, d_results, list(dd))

            return d_sources, second_gradient

        last_output = zero_unless(ever_started, output)
        return (last_output, zero_unless(has_started, outputs), *last[:count]), gradient

    output, outputs, *states = run(
        loop_inputs.inputs,
        loop_inputs.states,
        loop_inputs.starts,
        pure_cell.weights,
        dict(loop_inputs.sequences),
        [] if loop_inputs.drop is None else [loop_inputs.drop],
    )
    return output, outputs, states


@dataclass(frozen=True)
class ChunkLoop:
    """The loop over the chunks of a sequence, forward and backward.

    Attributes:
        pure_cell: the cell, after `analyze`.
        chunking: how the sequence is cut.
        compile_steps: compiles the steps of a chunk.
        project: whether the compiled steps project the inputs.
        output_index: index of the output in the carry.
        loop_inputs: what the loop reads; inputs and sequences are padded by `Chunking.split`.
        weights: the values of the cell's weights.
    """

    pure_cell: PureCell
    chunking: Chunking
    compile_steps: CompileSteps
    project: bool
    output_index: int
    loop_inputs: LoopInputs
    weights: list[Tensor]

    def run_forward(self, stored: tuple[int, ...], keep: bool) -> tuple[list[Tensor], list[tf.TensorArray]]:
        """Run all chunks.

        Args:
            stored: indices of the parts of the carry to return for every step.
            keep: whether to return x and r for every step.

        Returns:
            The last carry; and arrays by chunk, each of [size, batch, ...]: for each of `stored` that part after
            each step, and with `keep` those of `PureCell.xr_widths`.
        """
        pure_cell, chunking, loop_inputs = self.pure_cell, self.chunking, self.loop_inputs
        forward = self.compile_steps(forward_steps, stored, keep, self.project)

        def body(i: Any, carry: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            x = chunking.read(loop_inputs.inputs, i)
            x = chunking.pad(x if self.project else pure_cell.project(x, self.weights))
            constants = self.read_sequences(i), loop_inputs.drop, loop_inputs.starts
            carry, afters, kept = forward(x, *constants, carry, chunking.num_steps(i), self.weights)
            if keep and not pure_cell.is_additive:
                kept = [x, *kept]
            return carry, [*afters, *kept]

        carry = [*loop_inputs.states]
        dtype = carry[0].dtype
        if self.output_index == len(carry):
            output = tf.zeros([chunking.rows, pure_cell.cell.units], dtype)
            carry.append(tf.ensure_shape(output, [chunking.batch, None]))
        widths = [carry[j].shape[-1] for j in stored] + (pure_cell.xr_widths if keep else [])
        return chunking.scan(
            body, carry, [([chunking.size, chunking.batch, width], dtype) for width in widths]
        )

    def run_backward(
        self,
        afters: list[tf.TensorArray],
        kept: list[tf.TensorArray],
        d_outputs: Tensor,
        d_carry: list[Tensor],
    ) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
        """Propagate gradients back through all chunks.

        Args:
            afters: the states after each step, from `run_forward`.
            kept: x and r of each step, from `run_forward`; empty to compute them again.
            d_outputs: for the output of each step, padded by `Chunking.split`.
            d_carry: for the carry after the last step.

        Returns:
            The gradients of inputs [time, batch, features], states, starts and weights.
        """
        pure_cell, chunking, weights = self.pure_cell, self.chunking, self.weights
        inputs, states, starts = self.loop_inputs.inputs, self.loop_inputs.states, self.loop_inputs.starts
        drop = self.loop_inputs.drop
        backward = self.compile_steps(backward_steps, self.output_index)
        dtype = states[0].dtype
        transposed = {j: tf.transpose(tf.cast(weights[j], dtype)) for j in pure_cell.product_weights}

        def body(i: Any, carry: Any) -> tuple[Any, list[Tensor]]:
            d_carry, d_starts, d_weights = carry
            sequences = self.read_sequences(i)
            before = self.read_states_before(afters, i, sequences.get("resets"))
            chunk = chunking.read(inputs, i)
            valid_before = [chunking.trim(state) for state in before]
            # A tape inside a loop does not track tensors from outside it, hence the copies.
            chunk, copies = tf.identity(chunk), [tf.identity(weight) for weight in weights]
            with tf.GradientTape() as tape:
                tape.watch([chunk, *copies])
                x = pure_cell.project(chunk, copies)
                r = pure_cell.recurrent(valid_before, drop, copies)
            if kept:
                xr = [array.read(i) for array in kept]
            else:
                xr = [x + r] if pure_cell.is_additive else [x] if r is None else [x, r]
                xr = [chunking.pad(value) for value in xr]
            d_xr, d_carry, d_used, factors, d_products, d_new_starts = backward(
                *(xr, sequences, drop, before, chunking.pad(chunking.read(d_outputs, i))),
                *(d_carry, chunking.num_steps(i), weights, transposed),
            )
            d_xr = [chunking.trim(d) for d in d_xr]
            if pure_cell.is_additive:
                d_xr = [d_xr[0], d_xr[0]]
            d_chunk, *gradients = tape.gradient([x] if r is None else [x, r], [chunk, *copies], d_xr, ZERO)
            gradients = self.add_step_gradients(gradients, d_used, factors, d_products)
            d_weights = [total + d for total, d in zip(d_weights, gradients, strict=True)]
            d_starts = [total + d for total, d in zip(d_starts, d_new_starts, strict=True)]
            return (d_carry, d_starts, d_weights), [chunking.pad(d_chunk)]

        zeros = [tf.zeros_like(start) for start in starts], [to_sum(tf.zeros_like(w)) for w in weights]
        values = [([chunking.size, chunking.batch, inputs.shape[-1]], inputs.dtype)]
        carry, (d_inputs,) = chunking.scan(body, (d_carry, *zeros), values, backwards=True)
        d_carry, d_starts, d_weights = carry
        d_weights = [tf.cast(d, weight.dtype) for d, weight in zip(d_weights, weights, strict=True)]
        return chunking.join(d_inputs), d_carry[: len(states)], d_starts, d_weights

    def read_sequences(self, i: int | Tensor) -> dict[str, Tensor]:
        """Return noise, mask and resets of chunk `i`, each [size, batch, ...]."""
        sequences = self.loop_inputs.sequences
        return {name: self.chunking.pad(self.chunking.read(value, i)) for name, value in sequences.items()}

    def read_states_before(
        self, afters: list[tf.TensorArray], i: int | Tensor, resets: Tensor | None
    ) -> list[Tensor]:
        """Return the states before each step of chunk `i`, after a reset, from those after each step."""
        starts, before = self.loop_inputs.starts, []
        for j, (after, state) in enumerate(zip(afters, self.loop_inputs.states, strict=True)):
            if isinstance(i, int):
                first = after.read(i - 1)[self.chunking.length - 1] if i else state
            else:
                first = tf.where(i > 0, after.read(tf.maximum(i - 1, 0))[self.chunking.length - 1], state)
            values = tf.concat([first[None], after.read(i)[:-1]], 0)
            before.append(values if resets is None else tf.where(resets, starts[j], values))
        return before

    def add_step_gradients(
        self,
        gradients: list[Tensor],
        d_used: list[Tensor],
        factors: list[Tensor],
        d_products: list[Tensor],
    ) -> list[Tensor]:
        """Add what the steps of a chunk contribute to the gradients of the weights.

        Args:
            gradients: the gradients by `project` and `recurrent`.
            d_used: the gradients of `PureCell.step_weights`.
            factors: for each of `PureCell.step_products` what the weight is multiplied by, [size, batch, ...].
            d_products: for each of them the gradient by the product, [size, batch, ...].
        """
        gradients = [to_sum(d) for d in gradients]
        for j, d in zip(self.pure_cell.step_weights, d_used, strict=True):
            gradients[j] += d
        for (j, count), v, d in zip(self.pure_cell.step_products, factors, d_products, strict=True):
            v, d = (tf.reshape(self.chunking.trim(q), [-1, q.shape[-1] // count]) for q in (v, d))
            gradients[j] += to_sum(tf.matmul(v, d, transpose_a=True))
        return gradients


def find_first_valid_step(mask: Tensor | None, chunking: Chunking) -> tuple[Tensor | None, Tensor | None]:
    """Return where there has been a valid step, bool [time, batch, 1], and whether there is one, [batch, 1].

    Before the first valid step the output is zero, whatever the initial state is. Without a mask all steps are
    valid: the first result is None, and the second a scalar, or None if there is a step for certain.
    """
    if mask is not None:
        return tf.cumsum(tf.cast(mask, tf.int32), 0) > 0, tf.reduce_any(mask, 0)
    if chunking.is_static and chunking.time:
        return None, None
    return None, tf.convert_to_tensor(chunking.time) > 0


def differentiate_twice(
    function: Callable[..., Any], sources: tuple[Any, ...], d_results: list[Tensor], dd: list[Tensor]
) -> tuple[Any, ...]:
    """Differentiate the gradient of a function.

    Args:
        function: from `sources` to its results.
        sources: nested structures of tensors.
        d_results: for the results of the function, flat.
        dd: for the gradients of the sources, flat.

    Returns:
        The gradients of `d_results` and of the sources.
    """
    with tf.GradientTape() as outer:
        outer.watch([d_results, sources])
        with tf.GradientTape() as inner:
            inner.watch(sources)
            results = tf.nest.flatten(function(*sources))
        d_sources = inner.gradient(results, sources, d_results, ZERO)
    return outer.gradient(tf.nest.flatten(d_sources), (d_results, *sources), dd, ZERO)


def count_bytes(inputs: Tensor, width: int) -> int:
    """Return the memory for `width` numbers for each row of inputs [time, batch, features].

    A length that is not known when the graph is built counts as 128 steps, a batch size as 64 rows.
    """
    steps, rows = (default if n is None else n for n, default in zip(inputs.shape, (128, 64), strict=False))
    return int(steps * rows * width * inputs.dtype.size)


def relax_batch_size(d: Tensor, batch: int | None) -> Tensor:
    """Forget the static batch size of a gradient [..., batch, width] if that of the inputs is not known.

    A loop needs one static shape, and what follows the layer may know more than the inputs.
    """
    if batch is not None or d.shape[-2] is None:
        return d
    return tf.raw_ops.PlaceholderWithDefault(input=d, shape=[*d.shape[:-2], None, d.shape[-1]])


def to_sum(d: Tensor) -> Tensor:
    """Cast a gradient that is added up over time: half precision would lose most of the small terms."""
    return tf.cast(d, tf.float32) if d.dtype.size < 4 else d


def zero_unless(condition: Tensor | None, x: Tensor) -> Tensor:
    """Return `x` where the condition is True, zero elsewhere; `x` without a condition."""
    return x if condition is None else tf.where(condition, x, 0)


def forward_steps(
    pure_cell: PureCell,
    stored: Sequence[int],
    keep: bool,
    project: bool,
    x: Tensor,
    sequences: Mapping[str, Tensor],
    drop: Tensor | None,
    starts: Sequence[Tensor],
    carry: list[Tensor],
    num_steps: Tensor,
    weights: list[Tensor],
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Run the first `num_steps` steps of a chunk.

    Args:
        pure_cell: the cell.
        stored: indices of the parts of the carry to return for every step.
        keep: whether to return x + r (if the step depends on it alone) or r for every step.
        project: whether to project the inputs step by step, which is faster where x is not needed later.
        x: the inputs [size, batch, features] if `project` is True, else the results of `project`.
        sequences: noise, mask and resets, each [size, batch, ...].
        drop: the mask of recurrent dropout, or None.
        starts: with resets, the states that they set.
        carry: the carry before the first step, each [batch, size].
        num_steps: the number of steps to run.
        weights: the values of the cell's weights.

    Returns:
        The carry after the last step; for each of `stored` that part after each step, [size, batch, ...]; with
        `keep` a list of x + r or r of each step, empty for a cell without r.
    """
    size, count = x.shape[0], len(pure_cell.cell.state_names)
    xs, by_step = unstack(x), {name: unstack(value) for name, value in sequences.items()}
    kept = []
    if keep and pure_cell.has_recurrent:  # r may have another width than x
        zeros = tf.zeros([tf.shape(x)[1], pure_cell.xr_widths[-1]], x.dtype)
        kept = [make_zeros_array(x, tf.ensure_shape(zeros, [x.shape[1], None]))]

    def body(
        t: Tensor,
        ahead: list[Tensor],
        carry: list[Tensor],
        afters: list[tf.TensorArray],
        kept: list[tf.TensorArray],
    ) -> tuple[Any, ...]:
        if project:
            x_t = pure_cell.project(xs.read(t), weights)
        else:
            # XLA vectorizes the kernel of a step only if it does not read x at t itself.
            x_t, ahead = ahead[0], [xs.read(tf.minimum(t + 1, size - 1))]
        now = {name: array.read(t) for name, array in by_step.items()}
        states = reset_states(now.get("resets"), starts, carry[:count])
        r_t = pure_cell.recurrent(states, drop, weights)
        if kept:
            kept = [kept[0].write(t, x_t + r_t if pure_cell.is_additive else r_t)]
        carry = [*states, *carry[count:]]
        carry = pure_cell.step(x_t, r_t, now.get("noise"), now.get("mask"), carry, weights)
        afters = [array.write(t, carry[j]) for array, j in zip(afters, stored, strict=True)]
        return t + 1, ahead, carry, afters, kept

    ahead, afters = [] if project else [x[0]], [make_zeros_array(x, carry[j]) for j in stored]
    _, _, carry, afters, kept = tf.while_loop(
        lambda t, *_: t < num_steps, body, (0, ahead, carry, afters, kept), maximum_iterations=size
    )
    return carry, [array.stack() for array in afters], [array.stack() for array in kept]


def backward_steps(
    pure_cell: PureCell,
    output_index: int,
    xr: list[Tensor],
    sequences: Mapping[str, Tensor],
    drop: Tensor | None,
    before: list[Tensor],
    d_outputs: Tensor,
    d_carry: list[Tensor],
    num_steps: Tensor,
    weights: list[Tensor],
    transposed: Mapping[int, Tensor],
) -> tuple[list[Tensor], ...]:
    """Propagate gradients back through the first `num_steps` steps of a chunk.

    d_v is the gradient of the loss with respect to v.

    Args:
        pure_cell: the cell.
        output_index: index of the output in the carry.
        xr: results of `project` and `recurrent`, each [size, batch, n * units]: x and r, or x for a cell without
            r, or x + r if the step depends on it alone.
        sequences: noise, mask and resets, each [size, batch, ...].
        drop: the mask of recurrent dropout, or None.
        before: the states before each step, after a reset, each [size, batch, size of the state].
        d_outputs: for the output of each step, [size, batch, units].
        d_carry: for the carry after the last step.
        num_steps: the number of steps.
        weights: the values of the cell's weights.
        transposed: the transposed weights that `recurrent` and `step` multiply by, by index.

    Returns:
        d_xr; d_carry before the first step; the gradients of the weights that `step` uses other than in
        products; for each product in a step the factor of the weight, and the gradient by the product, each
        [size, batch, ...]; and d_starts, empty without resets.
    """
    size, count = d_outputs.shape[0], len(before)
    resets = sequences.get("resets")
    arrays = tf.nest.map_structure(unstack, [xr, before, d_outputs, dict(sequences)])
    product_widths = [count * weights[i].shape[1] for i, count in pure_cell.step_products]

    def body(
        t: Tensor,
        d_carry: list[Tensor],
        d_xr: list[tf.TensorArray],
        d_used: list[Tensor],
        factors: list[tf.TensorArray],
        d_products: list[tf.TensorArray],
        d_starts: list[Tensor],
    ) -> tuple[Any, ...]:
        xr, states, d_output, now = tf.nest.map_structure(lambda array: array.read(t), arrays)
        # A tape inside a loop does not track tensors from outside it, hence the copies.
        copies = [tf.identity(weight) for weight in weights]
        used = [copies[i] for i in pure_cell.step_weights]
        offsets = [tf.zeros([tf.shape(d_output)[0], n], d_output.dtype) for n in product_widths]
        products = StepProducts(pure_cell, transposed, offsets)
        d_carry = [d + d_output if i == output_index else d for i, d in enumerate(d_carry)]
        carry = [*states, *(tf.zeros_like(d) for d in d_carry[count:])]
        with tf.GradientTape() as tape:
            tape.watch([xr, carry, used, offsets])
            x, r = xr if len(xr) > 1 else (xr[0], tf.zeros_like(xr[0]) if pure_cell.has_recurrent else None)
            new = pure_cell.step(x, r, now.get("noise"), now.get("mask"), carry, copies, products)
        d_step, d_carry, d_new, d_now = tape.gradient(new, [xr, carry, used, offsets], d_carry, ZERO)
        if r is not None:
            with tf.GradientTape() as tape:
                tape.watch(states)
                product = pure_cell.recurrent(states, drop, copies, StepProducts(pure_cell, transposed))
            d_states = tape.gradient(product, states, d_step[-1], ZERO)
            d_carry = [a + b for a, b in zip(d_carry, d_states, strict=False)] + d_carry[count:]
        if resets is not None:
            d_starts = [d + tf.where(now["resets"], e, 0) for d, e in zip(d_starts, d_carry, strict=False)]
            kept = [tf.where(now["resets"], tf.zeros_like(d), d) for d in d_carry[:count]]
            d_carry = [*kept, *d_carry[count:]]
        return (
            t - 1,
            d_carry,
            [array.write(t, d) for array, d in zip(d_xr, d_step, strict=True)],
            [a + to_sum(b) for a, b in zip(d_used, d_new, strict=True)],
            [array.write(t, v) for array, v in zip(factors, products.factors, strict=True)],
            [array.write(t, d) for array, d in zip(d_products, d_now, strict=True)],
            d_starts,
        )

    def make_arrays(widths: Sequence[int]) -> list[tf.TensorArray]:
        like = d_outputs[0, :, :1]
        return [make_zeros_array(d_outputs, tf.repeat(like, width, axis=1)) for width in widths]

    start = (
        num_steps - 1,
        d_carry,
        [make_zeros_array(value, value[0]) for value in xr],
        [to_sum(tf.zeros_like(weights[i])) for i in pure_cell.step_weights],
        make_arrays([count * weights[i].shape[0] for i, count in pure_cell.step_products]),
        make_arrays(product_widths),
        [] if resets is None else [tf.zeros_like(state[0]) for state in before],
    )
    _, d_carry, d_xr, d_used, factors, d_products, d_starts = tf.while_loop(
        lambda t, *_: t >= 0, body, start, maximum_iterations=size
    )
    stacked = ([array.stack() for array in values] for values in (d_xr, factors, d_products))
    d_xr, factors, d_products = stacked
    return d_xr, d_carry, d_used, factors, d_products, d_starts


def reset_states(resets: Tensor | None, starts: Sequence[Tensor], states: list[Tensor]) -> list[Tensor]:
    """Return `starts` where `resets` is True, and `states` elsewhere or without resets."""
    if resets is None:
        return states
    return [tf.where(resets, start, state) for start, state in zip(starts, states, strict=True)]


def count_steps(x: Tensor) -> int | Tensor:
    """Return the number of time steps in `x` [time, ...], an int if it is static."""
    return tf.shape(x)[0] if x.shape[0] is None else x.shape[0]


def unstack(x: Tensor) -> tf.TensorArray:
    """Convert `x` [time, ...] to an array by time step."""
    array = tf.TensorArray(x.dtype, count_steps(x), element_shape=x.shape[1:], clear_after_read=False)
    return array.unstack(x)


def make_zeros_array(x: Tensor, value: Tensor) -> tf.TensorArray:
    """Create an array with zeros like `value` for each time step of `x` [time, ...]."""
    zeros = tf.zeros(tf.concat([[count_steps(x)], tf.shape(value)], 0), value.dtype)
    return unstack(tf.ensure_shape(zeros, [x.shape[0], *value.shape]))
