"""The fast loop over time: in chunks, with a gradient of its own.

    forward     step by step x_t = W input_t + b, r_t = U h_{t-1} and the update. For back-propagation the
                states are kept, and nothing else.
    backward    for each chunk, the last first, x and r again, one large product each; then step by step, the
                last first, the vector-Jacobian products of the update and of r_t = U h_{t-1}; then the
                gradients of W, U and b, one product each for the block instead of one for each step.

It asks nothing of `update` but that it can be computed twice: units and rows may mix. Weights that `update`
uses itself, such as peepholes, gather their gradients step by step.

The steps of a chunk are compiled by XLA where `should_compile` says so. Large products stay outside, where
TensorFlow's own kernels are faster.
"""

import contextlib
import contextvars
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend import AutocastScope  # it has no public name

from zoo.cells import Cell, States, Tensor, apply_mask

MAX_CHUNK_ROWS = 1600
"""Most rows, steps times batch, in a block of training where the sizes are known beforehand.

Products of more rows are no faster, and what a block needs while gradients go through it grows with it.
"""

DYNAMIC_CHUNK_SIZE = 32
"""Time steps in a block where the length is not known, so that one program serves every length."""


ZERO = tf.UnconnectedGradients.ZERO


class PureCell:
    """The maps of a cell as functions of tensors alone, its weights among them.

    Args:
        cell: the cell, built.

    Attributes:
        weights: the values of the cell's weights, in the dtype in which it computes.
        update_weights: indices of the weights that the update uses itself, once `analyze` has been called.
        output_state: index of the state that the update puts out, None if what it puts out is not a state.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.weights = [tf.convert_to_tensor(weight.value) for weight in cell.weights]
        self.update_weights: list[int] = []
        self.output_state: int | None = None

    @contextlib.contextmanager
    def weight_scope(self, weights: Sequence[Tensor]) -> Iterator[keras.StatelessScope]:
        """Within this context the cell's weights have these values.

        Keras casts weights in the call of a layer alone, and back-propagation comes after it.
        """
        computed = self.cell.compute_dtype
        autocast = AutocastScope(None if computed == self.cell.variable_dtype else computed)
        with autocast, keras.StatelessScope(initialize_variables=False) as scope:
            for update in zip(self.cell.weights, weights, strict=True):
                scope.add_update(update)
            yield scope

    def project(self, inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """The x of the contract, [..., width], for inputs [..., features]."""
        with self.weight_scope(weights):
            return self.cell.project(inputs)

    def recurrent(self, states: States, drop: Tensor | None, weights: Sequence[Tensor]) -> Tensor | None:
        """The r of the contract, [..., width], for states [..., size]."""
        with self.weight_scope(weights):
            return self.cell.recurrent([apply_mask(states[0], drop), *states[1:]])

    def step(
        self,
        x: Tensor,
        r: Tensor | None,
        noise: Tensor | None,
        valid: Tensor | None,
        carry: Sequence[Tensor],
        weights: Sequence[Tensor],
    ) -> list[Tensor]:
        """The carry after a step, from that before it: the states, and the output if it is none of them."""
        count = len(self.cell.state_names)
        with self.weight_scope(weights):
            output, states = self.cell.step(x, r, list(carry[:count]), noise)
        new = [*states, output][: len(carry)]
        if valid is None:
            return new
        return [tf.where(valid, after, before) for after, before in zip(new, carry, strict=True)]

    def analyze(self, inputs: Tensor, states: States, noise: Tensor | None) -> bool:
        """Whether the maps may be computed twice: no effects, no random numbers of their own.

        Finds out besides which weights the update uses itself, and whether it puts out a state.
        """
        updated: set[int] = set()

        def once(inputs: Tensor, states: States, noise: Tensor | None, weights: list[Tensor]) -> None:
            with self.weight_scope(weights) as scope:
                x, r = self.cell.project(inputs), self.cell.recurrent(states)
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    output, new = self.cell.step(x, r, states, noise)
                self.output_state = next((i for i, state in enumerate(new) if state is output), None)
                updated.update(scope.state_mapping.keys() - {id(weight) for weight in self.cell.weights})
            gradients = tape.gradient([output, *new], weights)
            self.update_weights = [i for i, gradient in enumerate(gradients) if gradient is not None]

        arguments = (inputs[0], list(states), None if noise is None else noise[0], self.weights)
        specs = tf.nest.map_structure(
            lambda x: None if x is None else tf.TensorSpec(x.shape, x.dtype), arguments
        )
        graph = tf.function(once, autograph=False).get_concrete_function(*specs).graph
        stateful = {operation.type for operation in graph.get_operations() if operation.op_def.is_stateful}
        return not updated and stateful <= {"Placeholder", "ReadVariableOp"}


_compiling = contextvars.ContextVar("compiling", default=True)


@contextlib.contextmanager
def disable_jit() -> Iterator[None]:
    """Within this context no loop is compiled by XLA.

    For SavedModels, which are to load where XLA is not, and for cells with operations that XLA lacks.
    """
    token = _compiling.set(False)
    try:
        yield
    finally:
        _compiling.reset(token)


def should_compile(batch: int | None, training: bool) -> bool:
    """Whether the steps of a chunk are compiled by XLA: a rule, never a timing, so that runs repeat exactly.

    Compiled steps are faster in every shape measured, for a compilation at each new batch size. So training
    is compiled, and inference where the batch size is known beforehand; `keras.Model.export` leaves it
    open. TensorFlow does not compile for several replicas in one program.
    """
    wanted = training or batch is not None
    return wanted and _compiling.get() and tf.distribute.get_strategy().num_replicas_in_sync == 1


class Chunking:
    """How a sequence is cut into chunks: `count` of them, each of `size` steps, the last one padded.

    Args:
        inputs: [time, batch, features].
        training: whether this is training; inference takes all steps as one block where their number is
            known beforehand.
    """

    def __init__(self, inputs: Tensor, training: bool) -> None:
        self.time, self.batch = inputs.shape[:2]
        self.rows = tf.shape(inputs)[1] if self.batch is None else self.batch
        self.known = self.time is not None
        if self.known:
            limit = DYNAMIC_CHUNK_SIZE if self.batch is None else max(4, MAX_CHUNK_ROWS // max(1, self.batch))
            limit = min(limit, self.time) if training else self.time
            # A size that leaves no rest spares a padded copy.
            exact = (size for size in range(limit, limit // 2, -1) if self.time % size == 0)
            self.size = next(exact, limit)
            self.count = math.ceil(self.time / self.size) if self.time else 1
        else:
            self.time, self.size = tf.shape(inputs)[0], DYNAMIC_CHUNK_SIZE
            self.count = tf.maximum(1, (self.time + self.size - 1) // self.size)

    def split(self, x: Tensor | None) -> Tensor | None:
        """`x` [time, batch, ...] in chunks [count, size, batch, ...]."""
        if x is None:
            return None
        if not self.known or self.time < self.count * self.size:
            x = tf.pad(x, [[0, self.count * self.size - self.time], [0, 0], [0, 0]])
        return tf.reshape(x, [self.count, self.size, self.rows, x.shape[-1]])

    def join(self, chunks: tf.TensorArray) -> Tensor:
        """The opposite of `split`, from an array of blocks."""
        x = chunks.read(0) if self.known and self.count == 1 else chunks.stack()
        x = tf.reshape(x, [self.count * self.size, self.rows, x.shape[-1]])
        x = tf.ensure_shape(x, [None, self.batch, None])
        return x if self.known and self.time == self.count * self.size else x[: self.time]

    def num_steps(self, i: Tensor) -> Tensor:
        """The number of steps in block `i` that are not padding."""
        return tf.minimum(self.time - i * self.size, self.size)

    def scan(
        self, body: Callable, carry: Any, shapes: list, dtype: Any, backwards: bool = False
    ) -> tuple[Any, list[tf.TensorArray]]:
        """Go through the blocks.

        Args:
            body: from a block's index and the carry to the carry and a list of values.
            carry: before the first of them.
            shapes: of the values.
            dtype: of the values.
            backwards: whether to begin with the last block.

        Returns:
            The last carry; the values of all blocks, as arrays.
        """

        def step(done: Tensor, carry: Any, arrays: list[tf.TensorArray]) -> tuple:
            i = self.count - 1 - done if backwards else done
            carry, values = body(i, carry)
            arrays = [array.write(i, value) for array, value in zip(arrays, values, strict=True)]
            return done + 1, carry, arrays

        arrays = [
            tf.TensorArray(dtype, self.count, element_shape=shape, clear_after_read=False) for shape in shapes
        ]
        if self.known and self.count == 1:
            _, carry, arrays = step(0, carry, arrays)
        else:
            _, carry, arrays = tf.while_loop(
                lambda done, *_: done < self.count, step, (0, carry, arrays), maximum_iterations=self.count
            )
        return carry, arrays


def run_in_chunks(
    pure_cell: PureCell,
    inputs: Tensor,
    states: list[Tensor],
    mask: Tensor | None,
    drop: Tensor | None,
    noise: Tensor | None,
    training: bool,
    plain: Callable,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a cell over time.

    In inference the states are not kept: a gradient, if one is asked for after all, goes forward again.
    Second derivatives are those of `plain`.

    Args:
        pure_cell: the cell's, examined.
        inputs: [time, batch, features]; `time` may be 0.
        states: before the first step, each [batch, size].
        mask: bool [time, batch, 1], or None.
        drop: the mask of recurrent dropout [batch, size], or None.
        noise: [time, batch, numbers], or None.
        training: whether this is training.
        plain: the same by plain steps, from inputs and states.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    chunking = Chunking(inputs, training)
    jit = should_compile(chunking.batch, training)
    every_state = range(len(states))
    shown = len(states) if pure_cell.output_state is None else pure_cell.output_state
    fixed = {"mask": mask, "drop": drop, "noise": noise}
    fixed = {name: value for name, value in fixed.items() if value is not None}

    def compiled(function: Callable) -> Callable:
        function = functools.partial(function, pure_cell)
        return tf.function(function, jit_compile=True, autograph=False) if jit else function

    @tf.custom_gradient
    def run(inputs: Tensor, states: list[Tensor], weights: list[Tensor], fixed: dict[str, Tensor]) -> tuple:
        sources = inputs, states, weights
        # An outer tape is not to look in: its gradient is not that of the operations here.
        inputs, states, weights = tf.nest.map_structure(tf.stop_gradient, sources)
        chunks, masks, noises = (chunking.split(x) for x in (inputs, fixed.get("mask"), fixed.get("noise")))
        drop = fixed.get("drop")

        def sweep(kept: Sequence[int]) -> tuple[list[Tensor], list[tf.TensorArray]]:
            """The last carry; those parts of it that are kept, after each step."""
            forward = compiled(forward_steps)

            def body(i: Tensor, carry: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
                chunk = chunks[i] if jit else pure_cell.project(chunks[i], weights)
                given = get_chunk(noises, i), get_chunk(masks, i), drop
                return forward(chunk, *given, carry, chunking.num_steps(i), weights, kept, jit)

            carry = [*states]
            if pure_cell.output_state is None:
                output = tf.zeros([chunking.rows, pure_cell.cell.units], states[0].dtype)
                carry.append(tf.ensure_shape(output, [chunking.batch, None]))
            shapes = [[chunking.size, *carry[j].shape] for j in kept]
            return chunking.scan(body, carry, shapes, states[0].dtype)

        def before(afters: list[tf.TensorArray], i: Tensor) -> list[Tensor]:
            """The states before each step of block `i`."""
            starts = [after.read(tf.maximum(i - 1, 0))[-1] for after in afters]
            starts = [tf.where(i > 0, start, state) for start, state in zip(starts, states, strict=True)]
            return [
                tf.concat([start[None], after.read(i)[:-1]], 0)
                for start, after in zip(starts, afters, strict=True)
            ]

        kept = sorted({*every_state, shown}) if training else [shown]
        last, keep = sweep(kept)
        outputs, output = chunking.join(keep[kept.index(shown)]), last[shown]
        # A state that is put out may begin with other than zero; an output begins with zero.
        begun = any_begun = None
        if mask is not None:
            begun = tf.cumsum(tf.cast(fixed["mask"], tf.int32), 0) > 0
            any_begun = tf.reduce_any(fixed["mask"], 0)
        elif not chunking.known:
            any_begun = chunking.time > 0

        def gradient(*d_results: Tensor) -> tuple:
            return (*first(list(d_results), *sources), dict.fromkeys(fixed))

        @tf.custom_gradient
        def first(d_results: list, *sources: Any) -> tuple:
            d_output, d_outputs, *d_carry = tf.nest.map_structure(tf.stop_gradient, d_results)
            if pure_cell.output_state is None:
                d_carry.append(tf.zeros_like(d_output))
            d_carry[shown] += keep_valid(any_begun, d_output)
            d_chunks = chunking.split(keep_valid(begun, d_outputs))
            afters = keep[: len(states)] if training else sweep(every_state)[1]
            backward = compiled(backward_steps)

            def body(i: Tensor, carry: tuple[list[Tensor], list[Tensor]]) -> tuple[tuple, list[Tensor]]:
                d_carry, d_weights = carry
                # Tensors from outside the loop are unknown to a tape inside: hence the copies.
                chunk, own = tf.identity(chunks[i]), [tf.identity(weight) for weight in weights]
                history = before(afters, i)
                with tf.GradientTape() as tape:
                    tape.watch([chunk, *own])
                    made = [pure_cell.project(chunk, own), pure_cell.recurrent(history, drop, own)]
                given = get_chunk(noises, i), get_chunk(masks, i), drop
                d_made, d_carry, d_used = backward(
                    *made, *given, history, d_chunks[i], d_carry, chunking.num_steps(i), weights, shown
                )
                made = [value for value in made if value is not None]
                d_chunk, *gradients = tape.gradient(made, [chunk, *own], d_made, ZERO)
                for j, d in zip(pure_cell.update_weights, d_used, strict=True):
                    gradients[j] += d
                d_weights = [total + d for total, d in zip(d_weights, gradients, strict=True)]
                return (d_carry, d_weights), [d_chunk]

            carry = d_carry, [tf.zeros_like(weight) for weight in weights]
            shapes = [[chunking.size, chunking.batch, inputs.shape[-1]]]
            carry, (d_inputs,) = chunking.scan(body, carry, shapes, inputs.dtype, backwards=True)
            d_carry, d_weights = carry

            def second(*dd: Tensor) -> tuple:
                with tf.GradientTape() as outer:
                    outer.watch([d_results, sources])
                    with tf.GradientTape() as inner, pure_cell.weight_scope(sources[2]):
                        inner.watch(sources)
                        results = tf.nest.flatten(plain(*sources[:2]))
                    d_sources = inner.gradient(results, sources, d_results, ZERO)
                return outer.gradient(tf.nest.flatten(d_sources), (d_results, *sources), list(dd), ZERO)

            return (chunking.join(d_inputs), d_carry[: len(states)], d_weights), second

        return (keep_valid(any_begun, output), keep_valid(begun, outputs), *last[: len(states)]), gradient

    output, outputs, *states = run(inputs, states, pure_cell.weights, fixed)
    return output, outputs, states


def keep_valid(valid: Tensor | None, x: Tensor) -> Tensor:
    """`x` where it is valid, zero elsewhere."""
    return x if valid is None else tf.where(valid, x, 0)


def forward_steps(
    pure_cell: PureCell,
    x: Tensor,
    noise: Tensor | None,
    mask: Tensor | None,
    drop: Tensor | None,
    carry: list[Tensor],
    steps: Tensor,
    weights: list[Tensor],
    kept: list[int],
    project: bool,
) -> tuple[list[Tensor], list[Tensor]]:
    """The first `steps` steps of a block.

    Returns:
        The carry; those parts of it that are `kept`, after each step, [size, batch, ...].
    """
    xs, noises, masks = unstack(x), unstack(noise), unstack(mask)
    states = len(pure_cell.cell.state_names)

    def body(t: Tensor, carry: list[Tensor], afters: list) -> tuple:
        x_t = pure_cell.project(xs.read(t), weights) if project else xs.read(t)
        r_t = pure_cell.recurrent(carry[:states], drop, weights)
        carry = pure_cell.step(x_t, r_t, read_step(noises, t), read_step(masks, t), carry, weights)
        return t + 1, carry, [array.write(t, carry[j]) for array, j in zip(afters, kept, strict=True)]

    _, carry, afters = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (0, carry, [zeros_array(x, carry[j]) for j in kept]),
        maximum_iterations=num_time_steps(x),
    )
    return carry, [after.stack() for after in afters]


def backward_steps(
    pure_cell: PureCell,
    x: Tensor,
    r: Tensor | None,
    noise: Tensor | None,
    mask: Tensor | None,
    drop: Tensor | None,
    before: list[Tensor],
    d_outputs: Tensor,
    d_carry: list[Tensor],
    steps: Tensor,
    weights: list[Tensor],
    shown: int,
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Back-propagation through the first `steps` steps of a block; d_v is the loss's gradient by v.

    Returns:
        d_x and d_r, d_carry before the chunk, and the gradients of the weights that the update uses.
    """
    made = [value for value in (x, r) if value is not None]
    xs, noises, masks = [unstack(value) for value in made], unstack(noise), unstack(mask)
    befores, outputs = [unstack(state) for state in before], unstack(d_outputs)

    def body(t: Tensor, d_carry: list[Tensor], d_made: list, d_used: list[Tensor]) -> tuple:
        states, own = [array.read(t) for array in befores], [tf.identity(weight) for weight in weights]
        made, used = [array.read(t) for array in xs], [own[i] for i in pure_cell.update_weights]
        x, r = made if len(made) > 1 else (*made, None)
        d_carry = [d + outputs.read(t) if i == shown else d for i, d in enumerate(d_carry)]
        carry = [*states, *(tf.zeros_like(d) for d in d_carry[len(states) :])]
        with tf.GradientTape() as tape:
            tape.watch([*made, *carry, *used])
            new = pure_cell.step(x, r, read_step(noises, t), read_step(masks, t), carry, own)
        d_step, d_carry, d_now = tape.gradient(new, [made, carry, used], d_carry, ZERO)
        if r is not None:
            with tf.GradientTape() as tape:
                tape.watch(states)
                product = pure_cell.recurrent(states, drop, own)
            d_states = tape.gradient(product, states, d_step[1], ZERO)
            d_states = [a + b for a, b in zip(d_carry, d_states, strict=False)]
            d_carry = [*d_states, *d_carry[len(states) :]]
        d_made = [array.write(t, d) for array, d in zip(d_made, d_step, strict=True)]
        return t - 1, d_carry, d_made, [a + b for a, b in zip(d_used, d_now, strict=True)]

    _, d_carry, d_made, d_used = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (
            steps - 1,
            d_carry,
            [zeros_array(value, value[0]) for value in made],
            [tf.zeros_like(weights[i]) for i in pure_cell.update_weights],
        ),
        maximum_iterations=num_time_steps(x),
    )
    return [array.stack() for array in d_made], d_carry, d_used


def num_time_steps(x: Tensor) -> int | Tensor:
    """The number of time steps in `x` [time, ...]."""
    return tf.shape(x)[0] if x.shape[0] is None else x.shape[0]


def unstack(x: Tensor | None) -> tf.TensorArray | None:
    """`x` [time, ...] as an array to read by time."""
    if x is None:
        return None
    array = tf.TensorArray(x.dtype, num_time_steps(x), element_shape=x.shape[1:], clear_after_read=False)
    return array.unstack(x)


def read_step(array: tf.TensorArray | None, t: Tensor) -> Tensor | None:
    """What an array holds at `t`, if there is one."""
    return None if array is None else array.read(t)


def zeros_array(x: Tensor, value: Tensor) -> tf.TensorArray:
    """An array of zeros like `value` for each time step of `x`."""
    zeros = tf.zeros(tf.concat([[num_time_steps(x)], tf.shape(value)], 0), value.dtype)
    return unstack(tf.ensure_shape(zeros, [x.shape[0], *value.shape]))


def get_chunk(chunks: Tensor | None, i: Tensor) -> Tensor | None:
    """Block `i`, if there are any."""
    return None if chunks is None else chunks[i]
