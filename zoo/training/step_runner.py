"""One step: gradients of a batch, update of the weights, loss and metrics.

Every replica receives the global batch and takes its rows of it. Losses, gradients and metric states are
summed over the replicas, so all of them have the results that a single machine would have.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import (
    accumulation_branch,
    count_applied_batches,
    disable_gradient_all_reduce,
    get_keras_mask,
)

Loss: TypeAlias = keras.losses.Loss | Callable[[Any, Any], Any]


class MetricAccumulator:
    """Accumulates loss and metrics over batches, as sums, so that replicas can add theirs.

    Args:
        metrics: Keras metrics whose state consists of sums, as it does for almost all of them.

    Attributes:
        sums: the sum of weighted losses, the sum of weights, and the state of each metric. None before the
            first batch.
    """

    def __init__(self, metrics: Sequence[keras.metrics.Metric]) -> None:
        self.metrics = metrics
        self.sums: list[np.ndarray] | None = None

    def update(self, sums: Sequence[tf.Tensor]) -> None:
        """Add the sums of a batch, as `StepRunner` returns them."""
        new = [np.asarray(value, np.float64) for value in sums]
        self.sums = new if self.sums is None else [*map(np.add, self.sums, new)]

    def results(self) -> dict[str, float]:
        """Return loss and metrics by name, over all batches so far."""
        if self.sums is None:
            raise ValueError("Expected at least one batch, got none.")
        total, count, *sums = self.sums
        results = {"loss": float(total / max(count, 1e-30))}
        for metric in self.metrics:
            size = len(metric.variables)
            state = [tf.cast(value, v.dtype) for value, v in zip(sums[:size], metric.variables, strict=True)]
            # The result may be a variable itself, which has this state only within the scope.
            with keras.StatelessScope(state_mapping=list(zip(metric.variables, state, strict=True))):
                result = metric.result()
                by_name = result if isinstance(result, Mapping) else {metric.name: result}
                results |= {name: float(value) for name, value in by_name.items()}
            sums = sums[size:]
        return results


class StepRunner:
    """Runs training and evaluation steps of a model under the current distribution strategy.

        L = sum(class weights * weights * losses) / sum(weights) + losses that the model adds
        g = dL/dw,    w = optimizer(w, g)

    Both sums are over the rows of all replicas, so L does not depend on the number of replicas. Elements that the
    model or the loss masks have the weight 0. Class weights are not in the divisor: a batch of rare classes alone
    counts more than one of frequent classes.

    Args:
        model: a model, called as `model(x, training=...)`.
        loss: a Keras loss, whose reduction is ignored, or a function from targets and outputs to the losses
            of the elements.
        metrics: Keras metrics.
        spec: `tf.TensorSpec`s of a batch, `(x, y)` or `(x, y, sample_weight)`.
        optimizer: updates the weights. None is for evaluation alone.
        class_weight: factor of the loss of each class in training, by class id; 1 for other classes.
        evaluation_spec: `tf.TensorSpec`s of a batch for evaluation; `spec` by default.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Loss,
        metrics: Sequence[keras.metrics.Metric],
        spec: Any,
        optimizer: keras.optimizers.Optimizer | None = None,
        class_weight: Mapping[int, float] | None = None,
        evaluation_spec: Any = None,
    ) -> None:
        self.model, self.loss, self.metrics = model, loss, metrics
        self.optimizer, self.class_weight = optimizer, class_weight
        self.strategy = tf.distribute.get_strategy()
        self._replicas_accumulate = (
            self.strategy.num_replicas_in_sync > 1 and get_accumulation_steps(optimizer) > 1
        )
        signature = [spec, tf.TensorSpec([], tf.float32)]
        self.compute_gradients = tf.function(
            self._compute_gradients, input_signature=signature, autograph=False
        )
        signature = [evaluation_spec or spec, tf.TensorSpec([], tf.float32)]
        self.evaluate_batch = tf.function(self._evaluate_batch, input_signature=signature, autograph=False)
        self._apply_functions = {
            is_update: tf.function(partial(self._apply_gradients, is_update), autograph=False)
            for is_update in (False, True)
        }
        scalar = [tf.TensorSpec([], tf.float64)]
        self._sum = tf.function(
            partial(self._run, _sum_over_replicas), input_signature=scalar, autograph=False
        )
        if self.strategy.num_replicas_in_sync > 1 and optimizer is not None:
            disable_gradient_all_reduce(optimizer)

    def _compute_gradients(
        self, batch: Any, stop_requested: tf.Tensor
    ) -> tuple[list[tf.Tensor], dict[str, Any]]:
        """Compute the gradients of all trainable weights, and loss and metrics.

        Args:
            batch: a batch of `spec`.
            stop_requested: 1 if this worker was asked to stop, else 0.

        Returns:
            The gradients; and "loss", "gradient_norm" before clipping, "learning_rate", "sums" for
            `MetricAccumulator`, and "stop_requests", the number of workers that were asked to stop.
        """
        optimizer = self.optimizer
        assert optimizer is not None

        def run_replica(batch: Any, stop_requested: tf.Tensor) -> tuple[list[tf.Tensor], dict[str, Any]]:
            x, y, weights = self._replica_rows(batch)
            variables = [v.value for v in self.model.trainable_variables]
            with self._replica_seeds(), tf.GradientTape() as tape:
                outputs = self.model(x, training=True)
                weights = _apply_mask(weights, outputs)
                total, count, global_count = self._weighted_loss(y, outputs, weights, self.class_weight)
                loss = total / global_count
                if self.model.losses:
                    loss += tf.add_n(self.model.losses) / self.strategy.num_replicas_in_sync
                scaled_loss = optimizer.scale_loss(loss)  # `optimizer.apply` divides by the scale
            gradients = tape.gradient(scaled_loss, variables, unconnected_gradients="zero")
            # Sparse gradients of an embedding may repeat a row; the norm is that of their sum.
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
            sums = self._metric_sums(total, count, y, outputs, weights)
            return _sum_over_replicas(
                (gradients, {"loss": loss, "sums": sums, "stop_requests": stop_requested})
            )

        gradients, outcome = self._run(run_replica, batch, stop_requested)
        outcome["gradient_norm"] = tf.linalg.global_norm(gradients) / optimizer.scale_loss(tf.constant(1.0))
        outcome["learning_rate"] = tf.convert_to_tensor(optimizer.learning_rate)
        return gradients, outcome

    def apply_gradients(self, gradients: list[tf.Tensor]) -> None:
        """Update the weights, or accumulate the gradients if the optimizer has `gradient_accumulation_steps`.

        Args:
            gradients: the gradients of a batch, equal on all replicas.
        """
        is_update = True
        if self._replicas_accumulate:
            steps = get_accumulation_steps(self.optimizer)
            is_update = (count_applied_batches(self.optimizer) + 1) % steps == 0
        self._apply_functions[is_update](gradients)

    def _apply_gradients(self, is_update: bool, gradients: list[tf.Tensor]) -> None:
        assert self.optimizer is not None
        accumulates = self._replicas_accumulate
        branch = accumulation_branch(self.optimizer, is_update) if accumulates else contextlib.nullcontext()
        with branch:
            self.strategy.run(self.optimizer.apply, args=(gradients, self.model.trainable_variables))

    def _evaluate_batch(self, batch: Any, stop_requested: tf.Tensor) -> dict[str, Any]:
        """Return "sums" and "stop_requests" of an evaluation batch, as `_compute_gradients` does."""

        def run_replica(batch: Any, stop_requested: tf.Tensor) -> dict[str, Any]:
            x, y, weights = self._replica_rows(batch)
            outputs = self.model(x, training=False)
            weights = _apply_mask(weights, outputs)
            total, count, _ = self._weighted_loss(y, outputs, weights)
            sums = self._metric_sums(total, count, y, outputs, weights)
            return _sum_over_replicas({"sums": sums, "stop_requests": stop_requested})

        return self._run(run_replica, batch, stop_requested)

    def mean_over_replicas(self, number: float) -> float:
        """Return the mean of a number that each worker has. Waits for all workers."""
        return float(self._sum(number)) / self.strategy.num_replicas_in_sync

    def _run(self, run_replica: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function on all replicas, and return the results of the first local one."""
        results = self.strategy.run(run_replica, args=arguments)
        return keras.tree.map_structure(lambda x: self.strategy.experimental_local_results(x)[0], results)

    def _metric_sums(
        self, total: tf.Tensor, count: tf.Tensor, y: Any, outputs: Any, weights: Any
    ) -> list[tf.Tensor]:
        """Return the sums of a batch for `MetricAccumulator`."""
        sums = [total, count]
        if weights is not None and weights.shape.rank > 1:
            # A Keras metric averages each row over its time steps and then applies the weights, so that short
            # rows would count more. Flattened, each time step counts by its weight.
            y, outputs, weights = (_flatten_axes(x, weights.shape.rank) for x in (y, outputs, weights))
        for metric in self.metrics:
            if not metric.variables:  # created at the first update
                with tf.init_scope():
                    metric.update_state(
                        *(tf.zeros([size or 1 for size in x.shape], x.dtype) for x in (y, outputs))
                    )
                    metric.reset_state()
            zeros = [tf.zeros(v.shape, v.dtype) for v in metric.variables]
            sums += metric.stateless_update_state(zeros, y, outputs, sample_weight=weights)
        return sums

    @contextlib.contextmanager
    def _replica_seeds(self) -> Iterator[None]:
        """Shift the seeds of the model within this context, so that replicas draw different numbers."""
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        states = [v.value for v in self.model.variables if v.path.endswith("seed_generator_state")]
        if self.strategy.num_replicas_in_sync == 1:
            states = []
        for state in states:  # the seed and the number of draws
            state.assign_add([tf.cast(index, state.dtype) * 1_000_003, 0])
        yield
        for state in states:
            state.assign_sub([tf.cast(index, state.dtype) * 1_000_003, 0])

    def _replica_rows(self, batch: Any) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights of the rows of this replica."""
        replicas = self.strategy.num_replicas_in_sync
        if replicas > 1:
            index = tf.distribute.get_replica_context().replica_id_in_sync_group
            batch = keras.tree.map_structure(lambda x: x[index::replicas], batch)
        return keras.utils.unpack_x_y_sample_weight(batch)

    def _weighted_loss(
        self, y: Any, outputs: Any, weights: Any, class_weight: Mapping[int, float] | None = None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the sums of weighted losses and of weights in this replica, and of weights in all.

        Class weights multiply the losses alone.
        """
        if isinstance(self.loss, keras.losses.Loss):
            to_tensor = partial(keras.ops.convert_to_tensor, dtype=self.loss.dtype)
            losses = self.loss.call(*keras.tree.map_structure(to_tensor, (y, outputs)))
        else:
            losses = self.loss(y, outputs)
        weights = _apply_mask(weights, losses)  # a loss with `ignore_class` masks elements
        if losses.dtype.size < 4:  # sums in half precision overflow
            losses = tf.cast(losses, tf.float32)
        weights = tf.ones_like(losses) if weights is None else _broadcast_weights(weights, losses)
        count = tf.reduce_sum(weights)
        if class_weight is not None:
            table = [class_weight.get(c, 1.0) for c in range(max(outputs.shape[-1], 2))]
            # Padding, with the weight 0, may have an id outside of the classes, such as -1.
            ids = tf.clip_by_value(get_class_ids(y, outputs), 0, len(table) - 1)
            losses *= _broadcast_weights(tf.gather(table, ids), losses)
        return tf.reduce_sum(weights * losses), count, tf.maximum(_sum_over_replicas(count), 1e-30)


def get_class_ids(y: tf.Tensor, outputs: tf.Tensor | tf.TensorSpec) -> tf.Tensor:
    """Return the class of each element of the targets, int32.

    Args:
        y: class ids [...] or [..., 1], or one-hot vectors [..., classes].
        outputs: the outputs of the model, or their shape: [..., classes], or [..., 1] for two classes.
    """
    if y.shape.rank < outputs.shape.rank:
        return tf.cast(tf.round(y), tf.int32)
    if y.shape[-1] == 1:
        return tf.cast(tf.round(y[..., 0]), tf.int32)
    return tf.argmax(y, axis=-1, output_type=tf.int32)


def get_accumulation_steps(optimizer: keras.optimizers.Optimizer | None) -> int:
    """Return the number of batches whose mean gradient updates the weights; 1 without accumulation."""
    wrapped = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    return getattr(wrapped, "gradient_accumulation_steps", None) or 1


def _apply_mask(weights: tf.Tensor | None, x: tf.Tensor) -> tf.Tensor | None:
    """Return weights that are 0 where a tensor carries a mask of Keras that is False."""
    mask = get_keras_mask(x)
    if mask is None:
        return weights
    mask = tf.cast(mask, tf.bool)
    weights = tf.ones([1] * mask.shape.rank) if weights is None else weights
    while weights.shape.rank < mask.shape.rank:
        weights = weights[..., None]
    while mask.shape.rank < weights.shape.rank:
        mask = mask[..., None]
    return tf.where(mask, weights, tf.zeros_like(weights))


def _broadcast_weights(weights: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
    """Return weights of rows or elements in the shape of the losses."""
    while weights.shape.rank < losses.shape.rank:
        weights = weights[..., None]
    return tf.broadcast_to(tf.cast(weights, losses.dtype), tf.shape(losses))


def _flatten_axes(x: tf.Tensor, axes: int) -> tf.Tensor:
    """Merge the first axes into one."""
    flat = tf.reshape(x, tf.concat([[-1], tf.shape(x)[axes:]], 0))
    return tf.ensure_shape(flat, [None, *x.shape[axes:]])


def _sum_over_replicas(values: Any) -> Any:
    """Sum each tensor of a structure over all replicas."""
    context = tf.distribute.get_replica_context()
    # all_reduce needs tensors with a device, and arguments of a tf.function have none.
    flat = [tf.identity(value) for value in keras.tree.flatten(values)]
    return keras.tree.pack_sequence_as(values, context.all_reduce(tf.distribute.ReduceOp.SUM, flat))
