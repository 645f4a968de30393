"""The methods of a cell as pure functions of tensors, which the loop over time differentiates itself."""

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo._compat import autocast_scope, call_context_scope, make_call_context, updated_variable_ids
from zoo.cells import Cell, States, Tensor, apply_mask
from zoo.cells.base import Multiply, multiply_scope
from zoo.cells.checks import check_no_losses
from zoo.layers.rows import LoopInputs, has_independent_rows

RARE_BATCH_SIZES = 7919, 7901
"""Stand for the batch size, so that shapes show which tensors have one row for each sequence."""


class PureCell:
    """The methods of a cell as pure functions of tensors, its weights among them.

    Its states are flat, [..., size]; the methods of the cell get them in their shapes.

    Args:
        cell: the cell, built.
        constants: the result of its `prepare_constants`.
        training: whether layers inside the cell are called in training.

    Attributes:
        weights: the values of the cell's weights, followed by its constants in floating point.
        call_context: how Keras calls layers inside the cell; see `make_call_context`.
        output_state: index of the state that is also the output, None if the output is not a state.
        is_additive: whether a step depends on x + r alone, so that the gradients by x and by r are the same.
        has_recurrent: whether there is an r.
        xr_widths: widths of x and r, of x for a cell without r, or of x + r if `is_additive`.
        product_weights: indices of the weights that `recurrent` and `step` multiply by, through `product`.
        step_products: for each product in `step` of a v [batch, ..., n], by order of the calls, the index of the
            weight and the number of rows of v for each sequence.
        step_calls: for each call of `product` in `step`, whether it is one of `step_products`. The others are
            in loops or branches of the graph, or their v has other rows.
        can_compile: whether XLA can compile a step and its gradient: loops of an unknown length have none.
        step_weights: indices of the weights that `step` uses otherwise.
        has_independent_rows: whether each sequence of a batch is computed for itself.
        is_pure: whether a step is pure; see `analyze`.

    All but `weights` and `call_context` are set by `analyze`.
    """

    def __init__(self, cell: Cell, constants: dict[str, Tensor], training: bool) -> None:
        self.cell = cell
        self.constants = constants
        # Those that are not differentiable remain what they are.
        self.differentiable = [name for name, value in constants.items() if value.dtype.is_floating]
        self.weights = [tf.convert_to_tensor(weight.value) for weight in cell.weights]
        self.weights += [constants[name] for name in self.differentiable]
        self.call_context = make_call_context(training)
        self.output_state: int | None = None
        self.is_additive = self.has_recurrent = False
        self.xr_widths: list[int] = []
        self.product_weights: set[int] = set()
        self.step_products: list[tuple[int, int]] = []
        self.step_calls: list[bool] = []
        self.step_weights: list[int] = []
        self.can_compile = True
        self.has_independent_rows = False
        self.is_pure = False

    @contextlib.contextmanager
    def weight_scope(self, weights: Sequence[Tensor]) -> Iterator[keras.StatelessScope]:
        """Return a context in which the cell's weights have these values, cast to its compute dtype.

        Keras casts weights, and passes `training` to layers inside the cell, only while a layer is called;
        back-propagation happens after that.
        """
        count = len(self.cell.weights)
        with (
            call_context_scope(self.call_context),
            autocast_scope(self.cell.compute_dtype),
            keras.StatelessScope(collect_losses=True, initialize_variables=False) as scope,
        ):
            for update in zip(self.cell.weights, weights[:count], strict=True):
                scope.add_update(update)
            constants = dict(zip(self.differentiable, weights[count:], strict=True))
            with self.cell.constants_scope({**self.constants, **constants}):
                yield scope

    def find_weight(self, cell: Cell, name: str, v: Tensor, weight: Tensor) -> int | None:
        """Return the index of a weight in a product `v @ weight` with a matrix, None for other products."""
        is_plain = cell is self.cell and v.shape.rank >= 2 and len(weight.shape) == 2
        if not is_plain or v.dtype != self.cell.compute_dtype:
            return None
        if name in self.constants:
            position = self.differentiable.index(name) if name in self.differentiable else None
            return None if position is None else len(self.cell.weights) + position
        return next((i for i, variable in enumerate(self.cell.weights) if variable is weight), None)

    def project(self, inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Compute `project` of the cell, [..., n * units], for inputs [..., features]."""
        with self.weight_scope(weights), multiply_scope(multiply_rows):
            return self.cell.project(inputs)

    def recurrent(
        self,
        states: States,
        drop: Tensor | None,
        weights: Sequence[Tensor],
        multiply: Multiply | None = None,
    ) -> Tensor | None:
        """Compute `recurrent` of the cell, [..., n * units], for states [..., size] and a dropout mask."""
        with self.weight_scope(weights), multiply_scope(multiply or multiply_rows):
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
        multiply: Multiply | None = None,
    ) -> list[Tensor]:
        """Compute `step` of the cell.

        Args:
            x: result of `project`, [batch, n * units].
            r: result of `recurrent`, [batch, n * units], or None.
            noise: random numbers [batch, noise_size], or None.
            valid: bool [batch, 1], or None; where False the carry stays as it is.
            carry: the states before the step, followed by the output if it is not a state.
            weights: the values of the cell's weights.
            multiply: computes the products.

        Returns:
            The carry after the step.
        """
        count = len(self.cell.state_names)
        with self.weight_scope(weights), multiply_scope(multiply or multiply_rows):
            output, states = self.cell.step(x, r, restore_states(self.cell, carry[:count]), noise)
        new = [*flatten_states(states), output][: len(carry)]
        # What the cell computes with may have a batch size that is not known when the graph is built.
        new = [tf.ensure_shape(after, before.shape) for after, before in zip(new, carry, strict=True)]
        if valid is None:
            return new
        return [tf.where(valid, after, before) for after, before in zip(new, carry, strict=True)]

    def analyze(self, loop_inputs: LoopInputs) -> bool:
        """Trace one step: set the attributes that describe it, and return whether it is pure.

        A pure step changes no variable and has no stateful operation, so that it may be computed twice. And it
        depends on its arguments and the cell's weights alone: a floating-point tensor that the cell holds, or a
        variable that it does not track, would get no gradient.

        Args:
            loop_inputs: what the loop reads.

        Raises:
            ValueError: the step adds losses.
        """
        updated: set[int] = set()
        products: list[tuple[int, int]] = []
        calls: list[bool] = []
        traced: list[tuple[list[Tensor], list[Tensor]]] = []
        graph: Any = None
        rows: int | None = None

        def multiply(cell: Cell, name: str, v: Tensor, weight: Tensor) -> Tensor:
            index, weight = self.find_weight(cell, name, v, weight), ops.convert_to_tensor(weight)
            # A product in a loop or a branch of the graph, or of other rows than the batch, is not recorded.
            is_outside = tf.compat.v1.get_default_graph() is graph
            is_recorded = index is not None and v.shape[0] == rows and is_outside and None not in v.shape[1:]
            calls.append(is_recorded)
            if index is None or not is_recorded:
                return ops.matmul(v, weight)
            products.append((index, math.prod(v.shape[1:-1])))
            return tf.matmul(v, tf.stop_gradient(weight))

        def trace(inputs: Tensor, states: States, noise: Tensor | None, weights: list[Tensor]) -> None:
            nonlocal graph, rows
            graph, rows = tf.compat.v1.get_default_graph(), inputs.shape[0]
            products.clear()
            of_rows = [inputs, *states, *([] if noise is None else [noise])]
            states = restore_states(self.cell, states)
            with self.weight_scope(weights) as scope, multiply_scope(multiply):
                x, r = self.cell.project(inputs), self.cell.recurrent(states)
                self.product_weights = {index for index, _ in products}
                products.clear()
                calls.clear()
                x, r = tf.identity(x), None if r is None else tf.identity(r)
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    output, new = self.cell.step(x, r, states, noise)
                self.has_recurrent = r is not None
                self.is_additive = r is not None and x.shape == r.shape and is_sum(x, r, [output, *new])
                xr = [x] if r is None or self.is_additive else [x, r]
                self.xr_widths = [value.shape[-1] for value in xr]
                self.output_state = next((i for i, state in enumerate(new) if state is output), None)
                check_no_losses(self.cell, scope.losses)
                updated.update(updated_variable_ids(scope) - {id(weight) for weight in self.cell.weights})
            traced.append((of_rows, [*([] if r is None else [r]), x, output, *new]))
            gradients = tape.gradient([output, *new], weights)
            self.step_weights = [i for i, gradient in enumerate(gradients) if gradient is not None]

        noise = loop_inputs.sequences.get("noise")
        of_rows = loop_inputs.inputs[0], list(loop_inputs.states), None if noise is None else noise[0]
        trace_with = functools.partial(trace_with_batch, trace, of_rows, self.weights)
        try:
            function = trace_with(RARE_BATCH_SIZES[0])
            # Constants of unknown shape may have a row for each sequence; with others the rare size would fail.
            is_rare = all(weight.shape.is_fully_defined() for weight in self.weights)
        except (ValueError, TypeError):  # the cell uses other tensors of the batch
            function, is_rare = trace_with(None), False
        self.has_independent_rows = is_rare and has_independent_rows(
            *traced[-1], trace_with(RARE_BATCH_SIZES[1]).graph
        )
        self.step_products, self.step_calls = list(products), list(calls)
        self.product_weights |= {index for index, _ in products}
        definition = function.graph.as_graph_def()
        nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
        self.can_compile = not {"While", "StatelessWhile"} & {node.op for node in nodes}
        operations = function.graph.get_operations()
        stateful = {operation.type for operation in operations if operation.op_def.is_stateful}
        captured = {tensor.dtype for tensor in function.captured_inputs}
        is_closed = all(dtype.is_integer or dtype.is_bool or dtype == tf.string for dtype in captured)
        self.is_pure = not updated and is_closed and stateful <= {"Placeholder"}
        return self.is_pure


@dataclass
class StepProducts:
    """Computes the products of one step that are called through `Cell.product`, for back-propagation.

    The gradient of a weight is the sum of v^T d over all steps, where v is what the weight is multiplied by, and
    d the gradient by the product. A step only has to return v and d; one product of many rows follows.

    Attributes:
        pure_cell: the cell, after `analyze`.
        transposed: the transposed weights by index.
        offsets: zeros, added to the products of a step by order of the calls; the gradients by them are the d.
            None in `recurrent`.
        factors: the v so far.
    """

    pure_cell: PureCell
    transposed: Mapping[int, Tensor]
    offsets: Sequence[Tensor] | None = None
    factors: list[Tensor] = field(default_factory=list)
    num_calls: int = 0

    def __call__(self, cell: Cell, name: str, v: Tensor, weight: Tensor) -> Tensor:
        """Return `v @ weight`."""
        index = self.pure_cell.find_weight(cell, name, v, weight)
        weight = ops.convert_to_tensor(weight)
        is_recorded = index is not None
        if self.offsets is not None:
            is_recorded = self.pure_cell.step_calls[self.num_calls]
            self.num_calls += 1
        if index is None or not is_recorded:
            return ops.matmul(v, weight)

        @tf.custom_gradient
        def multiply(v: Tensor) -> tuple[Tensor, Any]:
            # A product with a matrix that is transposed beforehand is faster than one that transposes it.
            return tf.matmul(v, weight), lambda d: tf.matmul(d, self.transposed[index])

        rows = tf.reshape(v, [-1, v.shape[-1]])  # XLA is slow with more axes
        product = tf.reshape(multiply(rows), tf.concat([tf.shape(v)[:-1], weight.shape[-1:]], 0))
        if self.offsets is not None:
            product += tf.reshape(self.offsets[len(self.factors)], tf.shape(product))
        self.factors.append(tf.reshape(v, [-1, math.prod(v.shape[1:])]))
        return product


def multiply_rows(cell: Cell, name: str, v: Tensor, weight: Tensor) -> Tensor:
    """Return `v @ weight`, by one product of matrices for all leading axes of `v`.

    So is the gradient, which for more axes would be a product for each index and their sum.
    """
    weight = ops.convert_to_tensor(weight)
    if v.shape.rank <= 2 or weight.shape.rank != 2:
        return ops.matmul(v, weight)
    product = ops.matmul(tf.reshape(v, [-1, v.shape[-1]]), weight)
    return tf.reshape(product, tf.concat([tf.shape(v)[:-1], [weight.shape[-1]]], 0))


def is_sum(x: Tensor, r: Tensor, results: Sequence[Tensor]) -> bool:
    """Return whether all that a graph computes from `x` and `r` is their sum, and neither is a result itself."""
    of_x, of_r = x.consumers(), r.consumers()
    is_one = len(of_x) == len(of_r) == 1 and of_x[0] is of_r[0] and of_x[0].type in ("Add", "AddV2")
    return is_one and not any(result is x or result is r for result in results)


def trace_with_batch(trace: Any, of_rows: tuple[Any, ...], weights: list[Tensor], batch: int | None) -> Any:
    """Trace a function of tensors [batch, ...] and of weights with another batch size, or with their own."""

    def make_spec(x: Tensor | None, is_of_rows: bool = True) -> tf.TensorSpec | None:
        if x is None:
            return None
        shape = x.shape.as_list()
        if shape and (is_of_rows or shape[0] is None):
            shape[0] = batch or shape[0]
        return tf.TensorSpec(shape, x.dtype)

    specs = [*tf.nest.map_structure(make_spec, of_rows), [make_spec(x, False) for x in weights]]
    return tf.function(trace, autograph=False).get_concrete_function(*specs)


def flatten_states(states: States) -> list[Tensor]:
    """Reshape the states of one step, each [batch, *shape], to [batch, size]."""
    return [s if s.shape.rank == 2 else tf.reshape(s, [-1, math.prod(s.shape[1:])]) for s in states]


def restore_states(cell: Cell, states: States) -> tuple[Tensor, ...]:
    """Reshape states [..., size] to [..., *shape], as the methods of a cell expect them.

    The result is a tuple, because a list could be changed in place.
    """
    return tuple(
        state if len(shape) == 1 else tf.reshape(state, tf.concat([tf.shape(state)[:-1], shape], 0))
        for state, shape in zip(states, cell.state_shapes, strict=True)
    )
