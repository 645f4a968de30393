"""The fast loop over time: in chunks of steps, with a gradient of its own.

    forward     Step by step: x_t = W input_t + b, r_t = U h_{t-1}, then the update. Only the states are
    stored
                for back-propagation.
    backward    Chunk by chunk, the last one first. x and r of the whole chunk are computed again, by one
    large
                product each. Then, step by step from the last one, the vector-Jacobian products of the
                update and of r_t = U h_{t-1}. Then the gradients of W, U and b, by one product each for the
                whole chunk.

The only requirement on `update` is that it may be computed twice; it may mix units and rows. The gradients of
weights that `update` uses itself, such as peepholes, are added up step by step.

The steps of a chunk are compiled by XLA if `should_compile` is true. Large products stay outside, where
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

from zoo._compat import autocast_scope, updated_variable_ids
from zoo.cells import Cell, States, Tensor, apply_mask

MAX_CHUNK_ROWS = 1600
"""Most rows, steps times batch size, in a chunk of training if both sizes are known when the graph is built.

Products of more rows are no faster, and the memory that a chunk needs in the backward pass grows with it.
"""

DYNAMIC_CHUNK_SIZE = 32
"""Time steps in a chunk if the length is not known when the graph is built: one graph serves every length."""

ZERO = tf.UnconnectedGradients.ZERO


class PureCell:
    """The methods of a cell as pure functions of tensors, its weights among them.

    Its states are flat, [..., size]; the methods of the cell get them in their shapes.

    Args:
        cell: the cell, built.
        constants: the result of its `prepare_constants`.

    Attributes:
        weights: the values of the cell's weights, followed by its constants in floating point.
        update_weights: indices of the weights that `update` uses itself; set by `analyze`.
        output_state: index of the state that is also the output, None if the output is not a state; set by
            `analyze`.
    """

    def __init__(self, cell: Cell, constants: dict[str, Tensor]) -> None:
        self.cell = cell
        self.constants = constants
        # Those that are not differentiable remain what they are.
        self.differentiable = [name for name, value in constants.items() if value.dtype.is_floating]
        self.weights = [tf.convert_to_tensor(weight.value) for weight in cell.weights]
        self.weights += [constants[name] for name in self.differentiable]
        self.update_weights: list[int] = []
        self.output_state: int | None = None

    @contextlib.contextmanager
    def weight_scope(self, weights: Sequence[Tensor]) -> Iterator[keras.StatelessScope]:
        """Return a context in which the cell's weights have these values, cast to its compute dtype.

        Keras casts weights only while a layer is called, and back-propagation happens after that.
        """
        with (
            autocast_scope(self.cell.compute_dtype),
            keras.StatelessScope(initialize_variables=False) as scope,
        ):
            for update in zip(self.cell.weights, weights[: len(self.cell.weights)], strict=True):
                scope.add_update(update)
            values = zip(self.differentiable, weights[len(self.cell.weights) :], strict=True)
            with self.cell.constants_scope({**self.constants, **dict(values)}):
                yield scope

    def project(self, inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Compute `project` of the cell, [..., n * units], for inputs [..., features]."""
        with self.weight_scope(weights):
            return self.cell.project(inputs)

    def recurrent(self, states: States, drop: Tensor | None, weights: Sequence[Tensor]) -> Tensor | None:
        """Compute `recurrent` of the cell, [..., n * units], for states [..., size] and a dropout mask."""
        with self.weight_scope(weights):
            states = restore_states(self.cell, states)
            return self.cell.recurrent((apply_mask(states[0], drop), *states[1:]))

    def step(
        self,
        x: Tensor,
        r: Tensor | None,
        noise: Tensor | None,
        valid: Tensor | None,
        carry: Sequence[Tensor],
        weights: Sequence[Tensor],
    ) -> list[Tensor]:
        """Compute `step` of the cell.

        Args:
            x: result of `project`, [batch, n * units].
            r: result of `recurrent`, [batch, n * units], or None.
            noise: random numbers [batch, noise_size], or None.
            valid: bool [batch, 1], or None; where False the carry stays as it is.
            carry: the states before the step, followed by the output if it is not a state.
            weights: the values of the cell's weights.

        Returns:
            The carry after the step.
        """
        count = len(self.cell.state_names)
        with self.weight_scope(weights):
            output, states = self.cell.step(x, r, restore_states(self.cell, carry[:count]), noise)
        new = [*flatten_states(states), output][: len(carry)]
        if valid is None:
            return new
        return [tf.where(valid, after, before) for after, before in zip(new, carry, strict=True)]

    def analyze(self, inputs: Tensor, states: States, noise: Tensor | None) -> bool:
        """Trace one step: set `update_weights` and `output_state`, and return whether the step is pure.

        A pure step changes no variable and has no stateful operation, so that it may be computed twice. And it
        depends on its arguments and the cell's weights alone: a floating-point tensor that the cell holds, or a
        variable that it does not track, would get no gradient.

        Args:
            inputs: [time, batch, features].
            states: before the first step, each [batch, size].
            noise: random numbers [time, batch, noise_size], or None.
        """
        updated: set[int] = set()

        def trace(inputs: Tensor, states: States, noise: Tensor | None, weights: list[Tensor]) -> None:
            states = restore_states(self.cell, states)
            with self.weight_scope(weights) as scope:
                x, r = self.cell.project(inputs), self.cell.recurrent(states)
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    output, new = self.cell.step(x, r, states, noise)
                self.output_state = next((i for i, state in enumerate(new) if state is output), None)
                updated.update(updated_variable_ids(scope) - {id(weight) for weight in self.cell.weights})
            gradients = tape.gradient([output, *new], weights)
            self.update_weights = [i for i, gradient in enumerate(gradients) if gradient is not None]

        arguments = (inputs[0], list(states), None if noise is None else noise[0], self.weights)
        specs = tf.nest.map_structure(
            lambda x: None if x is None else tf.TensorSpec(x.shape, x.dtype), arguments
        )
        function = tf.function(trace, autograph=False).get_concrete_function(*specs)
        operations = function.graph.get_operations()
        stateful = {operation.type for operation in operations if operation.op_def.is_stateful}
        captured = {tensor.dtype for tensor in function.captured_inputs}
        is_closed = all(dtype.is_integer or dtype.is_bool or dtype == tf.string for dtype in captured)
        return not updated and is_closed and stateful <= {"Placeholder"}


def flatten_states(states: States) -> list[Tensor]:
    """Reshape states [..., batch, *shape] of a step, without leading axes, to [batch, size]."""
    return [s if s.shape.rank == 2 else tf.reshape(s, [-1, math.prod(s.shape[1:])]) for s in states]


def restore_states(cell: Cell, states: States) -> tuple[Tensor, ...]:
    """Reshape states [..., size] to [..., *shape], as the methods of a cell expect them.

    The result is a tuple, because a list could be changed in place.
    """
    return tuple(
        state if len(shape) == 1 else tf.reshape(state, tf.concat([tf.shape(state)[:-1], shape], 0))
        for state, shape in zip(states, cell.state_shapes, strict=True)
    )


_jit_enabled = contextvars.ContextVar("jit_enabled", default=True)


@contextlib.contextmanager
def disable_jit() -> Iterator[None]:
    """Return a context in which no loop over time is compiled by XLA.

    For graphs that must load where XLA is missing, and for cells with operations that XLA lacks.
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
    `keras.Model.export` leaves it open. TensorFlow does not compile for several replicas in one process.
    This is a rule and not a timing, so that repeated runs are identical.

    Args:
        batch: the static batch size, or None.
        training: whether the loop runs in training.
    """
    is_worthwhile = training or batch is not None
    return is_worthwhile and _jit_enabled.get() and tf.distribute.get_strategy().num_replicas_in_sync == 1


class Chunking:
    """How a sequence is cut into chunks: `count` of them, each of `size` steps, the last one padded.

    Args:
        inputs: [time, batch, features].
        training: whether the loop runs in training. In inference all steps are one chunk if their number is
            known when the graph is built.

    Attributes:
        time: number of time steps, an int or a tensor.
        is_static: whether `time` is an int.
        batch: batch size, an int or None.
        rows: batch size, an int or a tensor.
        size: time steps in a chunk, an int.
        count: number of chunks, an int or a tensor.
    """

    def __init__(self, inputs: Tensor, training: bool) -> None:
        self.time, self.batch = inputs.shape[:2]
        self.rows = tf.shape(inputs)[1] if self.batch is None else self.batch
        self.is_static = self.time is not None
        if self.is_static:
            limit = DYNAMIC_CHUNK_SIZE if self.batch is None else max(4, MAX_CHUNK_ROWS // max(1, self.batch))
            limit = min(limit, self.time) if training else self.time
            # A size that divides the length needs no padded copy.
            exact = (size for size in range(limit, limit // 2, -1) if self.time % size == 0)
            self.size = next(exact, limit)
            self.count = math.ceil(self.time / self.size) if self.time else 1
        else:
            self.time, self.size = tf.shape(inputs)[0], DYNAMIC_CHUNK_SIZE
            self.count = tf.maximum(1, (self.time + self.size - 1) // self.size)

    def split(self, x: Tensor) -> Tensor:
        """Cut `x` [time, batch, ...] into chunks [count, size, batch, ...]."""
        if not self.is_static or self.time < self.count * self.size:
            x = tf.pad(x, [[0, self.count * self.size - self.time], [0, 0], [0, 0]])
        return tf.reshape(x, [self.count, self.size, self.rows, x.shape[-1]])

    def join(self, chunks: tf.TensorArray) -> Tensor:
        """Join an array of chunks [size, batch, ...] to [time, batch, ...]; the inverse of `split`."""
        x = chunks.read(0) if self.is_static and self.count == 1 else chunks.stack()
        x = tf.reshape(x, [self.count * self.size, self.rows, x.shape[-1]])
        x = tf.ensure_shape(x, [None, self.batch, None])
        return x if self.is_static and self.time == self.count * self.size else x[: self.time]

    def num_steps(self, i: Tensor) -> Tensor:
        """Return the number of steps in chunk `i` that are not padding."""
        return tf.minimum(self.time - i * self.size, self.size)

    def scan(
        self,
        body: Callable[[Tensor, Any], tuple[Any, list[Tensor]]],
        carry: Any,
        shapes: Sequence[Sequence[int | None]],
        dtype: Any,
        backwards: bool = False,
    ) -> tuple[Any, list[tf.TensorArray]]:
        """Apply `body` to every chunk.

        Args:
            body: from the index of a chunk and the carry to the new carry and a list of values.
            carry: the first carry.
            shapes: static shapes of the values.
            dtype: of the values.
            backwards: whether to start with the last chunk.

        Returns:
            The last carry, and for each value an array with its results by chunk.
        """

        def step(done: Tensor, carry: Any, arrays: list[tf.TensorArray]) -> tuple[Any, ...]:
            i = self.count - 1 - done if backwards else done
            carry, values = body(i, carry)
            arrays = [array.write(i, value) for array, value in zip(arrays, values, strict=True)]
            return done + 1, carry, arrays

        arrays = [
            tf.TensorArray(dtype, self.count, element_shape=shape, clear_after_read=False) for shape in shapes
        ]
        if self.is_static and self.count == 1:
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
    run_plain: Callable[[Tensor, list[Tensor]], tuple[Tensor, Tensor, States]],
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run a cell over time.

    Inference does not store the states; a gradient, if one is asked for nevertheless, runs forward again.
    Second derivatives are those of `run_plain`.

    Args:
        pure_cell: the cell, after `analyze`.
        inputs: [time, batch, features]; `time` may be 0.
        states: before the first step, each [batch, size].
        mask: bool [time, batch, 1], or None.
        drop: the mask of recurrent dropout [batch, size], or None.
        noise: random numbers [time, batch, noise_size], or None.
        training: whether the loop runs in training.
        run_plain: runs the cell by plain steps, from inputs and states to the same results.

    Returns:
        The last output [batch, units], all outputs [time, batch, units], the last states.
    """
    chunking = Chunking(inputs, training)
    jit = should_compile(chunking.batch, training)
    all_states = range(len(states))
    # Index of the output in the carry: the states, followed by the output if it is not a state.
    output_index = len(states) if pure_cell.output_state is None else pure_cell.output_state
    optional = {"mask": mask, "drop": drop, "noise": noise}
    constants = {name: value for name, value in optional.items() if value is not None}

    def compile_steps(function: Callable[..., Any]) -> Callable[..., Any]:
        function = functools.partial(function, pure_cell)
        return tf.function(function, jit_compile=True, autograph=False) if jit else function

    @tf.custom_gradient
    def run(
        inputs: Tensor, states: list[Tensor], weights: list[Tensor], constants: dict[str, Tensor]
    ) -> tuple[Any, ...]:
        sources = inputs, states, weights
        # Hide the operations from an outer tape, which would differentiate them itself.
        inputs, states, weights = tf.nest.map_structure(tf.stop_gradient, sources)
        chunks = chunking.split(inputs)
        masks, noises = (
            chunking.split(constants[name]) if name in constants else None for name in ("mask", "noise")
        )
        drop = constants.get("drop")

        def run_forward(stored: Sequence[int]) -> tuple[list[Tensor], list[tf.TensorArray]]:
            """Return the last carry, and by chunk the `stored` parts of the carry after each step."""
            forward = compile_steps(forward_steps)

            def body(i: Tensor, carry: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
                x = chunks[i] if jit else pure_cell.project(chunks[i], weights)
                per_chunk = get_chunk(noises, i), get_chunk(masks, i), drop
                return forward(x, *per_chunk, carry, chunking.num_steps(i), weights, stored, jit)

            carry = [*states]
            if pure_cell.output_state is None:
                output = tf.zeros([chunking.rows, pure_cell.cell.units], states[0].dtype)
                carry.append(tf.ensure_shape(output, [chunking.batch, None]))
            shapes = [[chunking.size, *carry[j].shape] for j in stored]
            return chunking.scan(body, carry, shapes, states[0].dtype)

        def states_before(afters: list[tf.TensorArray], i: Tensor) -> list[Tensor]:
            """Return the states before each step of chunk `i`, from arrays of the states after each step."""
            firsts = [after.read(tf.maximum(i - 1, 0))[-1] for after in afters]
            firsts = [tf.where(i > 0, first, state) for first, state in zip(firsts, states, strict=True)]
            return [
                tf.concat([first[None], after.read(i)[:-1]], 0)
                for first, after in zip(firsts, afters, strict=True)
            ]

        stored = sorted({*all_states, output_index}) if training else [output_index]
        last, arrays = run_forward(stored)
        outputs, output = chunking.join(arrays[stored.index(output_index)]), last[output_index]
        # Before the first valid step the output is zero, whatever the initial state is.
        has_started = ever_started = None
        if mask is not None:
            has_started = tf.cumsum(tf.cast(constants["mask"], tf.int32), 0) > 0
            ever_started = tf.reduce_any(constants["mask"], 0)
        elif not chunking.is_static:
            ever_started = chunking.time > 0

        def gradient(*d_results: Tensor) -> tuple[Any, ...]:
            return (*first_gradient(list(d_results), *sources), dict.fromkeys(constants))

        @tf.custom_gradient
        def first_gradient(d_results: list[Tensor], *sources: Any) -> tuple[Any, ...]:
            d_output, d_outputs, *d_carry = tf.nest.map_structure(tf.stop_gradient, d_results)
            if pure_cell.output_state is None:
                d_carry.append(tf.zeros_like(d_output))
            d_carry[output_index] += zero_unless(ever_started, d_output)
            d_chunks = chunking.split(zero_unless(has_started, d_outputs))
            afters = arrays[: len(states)] if training else run_forward(all_states)[1]
            backward = compile_steps(backward_steps)

            def body(i: Tensor, carry: tuple[list[Tensor], list[Tensor]]) -> tuple[Any, list[Tensor]]:
                d_carry, d_weights = carry
                # A tape inside a loop does not track tensors from outside it, hence the copies.
                chunk, copies = tf.identity(chunks[i]), [tf.identity(weight) for weight in weights]
                before = states_before(afters, i)
                with tf.GradientTape() as tape:
                    tape.watch([chunk, *copies])
                    x, r = pure_cell.project(chunk, copies), pure_cell.recurrent(before, drop, copies)
                per_chunk = get_chunk(noises, i), get_chunk(masks, i), drop
                d_xr, d_carry, d_update = backward(
                    *(x, r, *per_chunk, before, d_chunks[i]),
                    *(d_carry, chunking.num_steps(i), weights, output_index),
                )
                xr = [x] if r is None else [x, r]
                d_chunk, *gradients = tape.gradient(xr, [chunk, *copies], d_xr, ZERO)
                for j, d in zip(pure_cell.update_weights, d_update, strict=True):
                    gradients[j] += d
                d_weights = [total + d for total, d in zip(d_weights, gradients, strict=True)]
                return (d_carry, d_weights), [d_chunk]

            carry = d_carry, [tf.zeros_like(weight) for weight in weights]
            shapes = [[chunking.size, chunking.batch, inputs.shape[-1]]]
            carry, (d_inputs,) = chunking.scan(body, carry, shapes, inputs.dtype, backwards=True)
            d_carry, d_weights = carry

            def second_gradient(*dd: Tensor) -> tuple[Any, ...]:
                with tf.GradientTape() as outer:
                    outer.watch([d_results, sources])
                    with tf.GradientTape() as inner, pure_cell.weight_scope(sources[2]):
                        inner.watch(sources)
                        results = tf.nest.flatten(run_plain(*sources[:2]))
                    d_sources = inner.gradient(results, sources, d_results, ZERO)
                return outer.gradient(tf.nest.flatten(d_sources), (d_results, *sources), list(dd), ZERO)

            return (chunking.join(d_inputs), d_carry[: len(states)], d_weights), second_gradient

        last_output = zero_unless(ever_started, output)
        return (last_output, zero_unless(has_started, outputs), *last[: len(states)]), gradient

    output, outputs, *states = run(inputs, states, pure_cell.weights, constants)
    return output, outputs, states


def zero_unless(condition: Tensor | None, x: Tensor) -> Tensor:
    """Return `x` where the condition is True, zero elsewhere; `x` without a condition."""
    return x if condition is None else tf.where(condition, x, 0)


def forward_steps(
    pure_cell: PureCell,
    x: Tensor,
    noise: Tensor | None,
    mask: Tensor | None,
    drop: Tensor | None,
    carry: list[Tensor],
    num_steps: Tensor,
    weights: list[Tensor],
    stored: Sequence[int],
    project: bool,
) -> tuple[list[Tensor], list[Tensor]]:
    """Run the first `num_steps` steps of a chunk.

    Args:
        pure_cell: the cell.
        x: the inputs [size, batch, features] if `project` is True, else the results of `project`.
        noise: random numbers [size, batch, noise_size], or None.
        mask: bool [size, batch, 1], or None.
        drop: the mask of recurrent dropout [batch, size], or None.
        carry: the carry before the first step, each [batch, size].
        num_steps: the number of steps to run.
        weights: the values of the cell's weights.
        stored: indices of the parts of the carry to return for every step.
        project: whether to project the inputs step by step.

    Returns:
        The carry after the last step; for each of `stored` that part after each step, [size, batch, ...].
    """
    xs, noises, masks = unstack(x), unstack_optional(noise), unstack_optional(mask)
    count = len(pure_cell.cell.state_names)

    def body(t: Tensor, carry: list[Tensor], afters: list[tf.TensorArray]) -> tuple[Any, ...]:
        x_t = pure_cell.project(xs.read(t), weights) if project else xs.read(t)
        r_t = pure_cell.recurrent(carry[:count], drop, weights)
        carry = pure_cell.step(x_t, r_t, read_step(noises, t), read_step(masks, t), carry, weights)
        return t + 1, carry, [array.write(t, carry[j]) for array, j in zip(afters, stored, strict=True)]

    _, carry, afters = tf.while_loop(
        lambda t, *_: t < num_steps,
        body,
        (0, carry, [make_zeros_array(x, carry[j]) for j in stored]),
        maximum_iterations=count_steps(x),
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
    num_steps: Tensor,
    weights: list[Tensor],
    output_index: int,
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Propagate gradients back through the first `num_steps` steps of a chunk.

    d_v is the gradient of the loss with respect to v.

    Args:
        pure_cell: the cell.
        x: results of `project`, [size, batch, n * units].
        r: results of `recurrent`, [size, batch, n * units], or None.
        noise: random numbers [size, batch, noise_size], or None.
        mask: bool [size, batch, 1], or None.
        drop: the mask of recurrent dropout [batch, size], or None.
        before: the states before each step, each [size, batch, size of the state].
        d_outputs: for the output of each step, [size, batch, units].
        d_carry: for the carry after the last step.
        num_steps: the number of steps.
        weights: the values of the cell's weights.
        output_index: index of the output in the carry.

    Returns:
        d_x and d_r, d_carry before the first step, and the gradients of the weights that `update` uses
        itself.
    """
    xr = [x] if r is None else [x, r]
    xrs, noises, masks = [unstack(v) for v in xr], unstack_optional(noise), unstack_optional(mask)
    befores, outputs = [unstack(state) for state in before], unstack(d_outputs)

    def body(t: Tensor, d_carry: list[Tensor], d_xr: list[Any], d_update: list[Tensor]) -> tuple[Any, ...]:
        # A tape inside a loop does not track tensors from outside it, hence the copies.
        states, copies = [array.read(t) for array in befores], [tf.identity(weight) for weight in weights]
        xr, used = [array.read(t) for array in xrs], [copies[i] for i in pure_cell.update_weights]
        x, r = xr if len(xr) > 1 else (*xr, None)
        d_carry = [d + outputs.read(t) if i == output_index else d for i, d in enumerate(d_carry)]
        carry = [*states, *(tf.zeros_like(d) for d in d_carry[len(states) :])]
        with tf.GradientTape() as tape:
            tape.watch([*xr, *carry, *used])
            new = pure_cell.step(x, r, read_step(noises, t), read_step(masks, t), carry, copies)
        d_step, d_carry, d_used = tape.gradient(new, [xr, carry, used], d_carry, ZERO)
        if r is not None:
            with tf.GradientTape() as tape:
                tape.watch(states)
                product = pure_cell.recurrent(states, drop, copies)
            d_states = tape.gradient(product, states, d_step[1], ZERO)
            d_states = [a + b for a, b in zip(d_carry, d_states, strict=False)]
            d_carry = [*d_states, *d_carry[len(states) :]]
        d_xr = [array.write(t, d) for array, d in zip(d_xr, d_step, strict=True)]
        return t - 1, d_carry, d_xr, [a + b for a, b in zip(d_update, d_used, strict=True)]

    _, d_carry, d_xr, d_update = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (
            num_steps - 1,
            d_carry,
            [make_zeros_array(value, value[0]) for value in xr],
            [tf.zeros_like(weights[i]) for i in pure_cell.update_weights],
        ),
        maximum_iterations=count_steps(x),
    )
    return [array.stack() for array in d_xr], d_carry, d_update


def count_steps(x: Tensor) -> int | Tensor:
    """Return the number of time steps in `x` [time, ...], an int if it is static."""
    return tf.shape(x)[0] if x.shape[0] is None else x.shape[0]


def unstack(x: Tensor) -> tf.TensorArray:
    """Convert `x` [time, ...] to an array by time step."""
    array = tf.TensorArray(x.dtype, count_steps(x), element_shape=x.shape[1:], clear_after_read=False)
    return array.unstack(x)


def unstack_optional(x: Tensor | None) -> tf.TensorArray | None:
    """Convert `x` [time, ...] to an array by time step, None to None."""
    return None if x is None else unstack(x)


def read_step(array: tf.TensorArray | None, t: Tensor) -> Tensor | None:
    """Return element `t` of an array, None without an array."""
    return None if array is None else array.read(t)


def make_zeros_array(x: Tensor, value: Tensor) -> tf.TensorArray:
    """Create an array with zeros like `value` for each time step of `x` [time, ...]."""
    zeros = tf.zeros(tf.concat([[count_steps(x)], tf.shape(value)], 0), value.dtype)
    return unstack(tf.ensure_shape(zeros, [x.shape[0], *value.shape]))


def get_chunk(chunks: Tensor | None, i: Tensor) -> Tensor | None:
    """Return chunk `i`, None without chunks."""
    return None if chunks is None else chunks[i]
