"""One step: gradients of a batch, the update of the weights, the measures of a batch.

Each step sees the whole global batch on every replica, which takes its rows of it. Losses, gradients and
measures are summed over the replicas, so all of them know the same, and it is what one machine would know.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import disable_gradient_all_reduce

Loss = keras.losses.Loss | Callable[[Any, Any], Any]


class MetricAccumulator:
    """Loss and metrics, gathered over batches. What is gathered are sums, so replicas add theirs.

    Args:
        metrics: Keras metrics whose state is made of sums, as that of almost all is.

    Attributes:
        sums: of the weighted losses, of the weights, and the state of each metric; None before any batch.
    """

    def __init__(self, metrics: Sequence[keras.metrics.Metric]) -> None:
        self.metrics = metrics
        self.sums: list[np.ndarray] | None = None

    def add(self, sums: Sequence[tf.Tensor]) -> None:
        """Add what a batch adds."""
        new = [np.asarray(value, np.float64) for value in sums]
        self.sums = new if self.sums is None else [*map(np.add, self.sums, new)]

    def results(self) -> dict[str, float]:
        """Loss and metrics by name, over all that was added."""
        if self.sums is None:
            raise ValueError("Expected one batch at least, got none.")
        total, count, *sums = self.sums
        results = {"loss": float(total / max(count, 1e-30))}
        for metric in self.metrics:
            size = len(metric.variables)
            state = [tf.cast(value, v.dtype) for value, v in zip(sums[:size], metric.variables, strict=True)]
            result, sums = metric.stateless_result(state), sums[size:]
            named = result if isinstance(result, Mapping) else {metric.name: result}
            results |= {name: float(value) for name, value in named.items()}
        return results


class StepRunner:
    """The steps of training and of evaluation, for a model under the strategy that is in force.

        values = loss of each element
        L = sum(weights * values) / sum(weights) + losses the model adds
        g = dL/dw,    w = optimizer(w, g)

    Both sums go over the batches of all replicas, so L does not depend on their number.

    Args:
        model: called as `model(x, training=...)`.
        loss: of targets and outputs; its reduction is not used.
        metrics: what else is measured.
        spec: shapes and dtypes of a batch: `(x, y)` or `(x, y, weights)`.
        optimizer: updates the weights, where this is for training.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Loss,
        metrics: Sequence[keras.metrics.Metric],
        spec: Any,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        self.model, self.loss, self.metrics, self.optimizer = model, _unreduced(loss), metrics, optimizer
        self.strategy = tf.distribute.get_strategy()
        signature = [spec, tf.TensorSpec([], tf.float32)]
        self.gradients = tf.function(self._gradients, input_signature=signature, autograph=False)
        self.test = tf.function(self._test, input_signature=signature, autograph=False)
        self.update = tf.function(self._update, autograph=False)
        number = [tf.TensorSpec([], tf.float64)]
        self.total = tf.function(partial(self._run, _summed), input_signature=number, autograph=False)
        if self.strategy.num_replicas_in_sync > 1 and optimizer is not None:
            disable_gradient_all_reduce(optimizer)

    def _gradients(self, batch: Any, stop: tf.Tensor) -> tuple[list[tf.Tensor], dict[str, Any]]:
        """Gradients of all trainable weights, and what was measured.

        Args:
            batch: of `spec`.
            stop: 1 where this worker was asked to stop, else 0.

        Returns:
            The gradients, and "loss", "norm" of all gradients, "learning_rate", "sums" for
            `MetricAccumulator` and "stop", the number of workers that were asked to stop.
        """

        def on_replica(batch: Any, stop: tf.Tensor) -> tuple[list[tf.Tensor], dict[str, Any]]:
            x, y, weights = self._rows(batch)
            variables = [v.value for v in self.model.trainable_variables]
            with self._own_random_numbers(), tf.GradientTape() as tape:
                outputs = self.model(x, training=True)
                total, count, everywhere = self._loss(y, outputs, weights)
                loss = total / everywhere
                if self.model.losses:
                    loss += tf.add_n(self.model.losses) / self.strategy.num_replicas_in_sync
                scaled = self.optimizer.scale_loss(loss)  # as `apply` expects it
            gradients = tape.gradient(scaled, variables, unconnected_gradients="zero")
            # A row of an embedding may come more than once: the norm is that of the sum.
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
            sums = self._sums(total, count, y, outputs, weights)
            return _summed((gradients, {"loss": loss, "sums": sums, "stop": stop}))

        gradients, measured = self._run(on_replica, batch, stop)
        measured["norm"] = tf.linalg.global_norm(gradients) / self.optimizer.scale_loss(tf.constant(1.0))
        measured["learning_rate"] = tf.convert_to_tensor(self.optimizer.learning_rate)
        return gradients, measured

    def _update(self, gradients: list[tf.Tensor]) -> None:
        """Update the weights by gradients that are the same on all replicas."""
        self.strategy.run(self.optimizer.apply, args=(gradients, self.model.trainable_variables))

    def _test(self, batch: Any, stop: tf.Tensor) -> dict[str, Any]:
        """What was measured of a batch in evaluation: "sums" and "stop"."""

        def on_replica(batch: Any, stop: tf.Tensor) -> dict[str, Any]:
            x, y, weights = self._rows(batch)
            outputs = self.model(x, training=False)
            total, count, _ = self._loss(y, outputs, weights)
            return _summed({"sums": self._sums(total, count, y, outputs, weights), "stop": stop})

        return self._run(on_replica, batch, stop)

    def mean_over_replicas(self, number: float) -> float:
        """The mean of a number that each worker has; waits for all of them."""
        return float(self.total(number)) / self.strategy.num_replicas_in_sync

    def _run(self, on_replica: Callable, *arguments: Any) -> Any:
        results = self.strategy.run(on_replica, args=arguments)
        return keras.tree.map_structure(lambda x: self.strategy.experimental_local_results(x)[0], results)

    def _sums(
        self, total: tf.Tensor, count: tf.Tensor, y: Any, outputs: Any, weights: Any
    ) -> list[tf.Tensor]:
        """What a batch adds to `MetricAccumulator`."""
        sums = [total, count]
        if weights is not None and weights.shape.rank > 1:
            # A metric averages each row over its steps before it weights it: short rows would count more.
            y, outputs, weights = (_flat(x, weights.shape.rank) for x in (y, outputs, weights))
        for metric in self.metrics:
            if not metric.variables:  # some make their state when they see what it is to be of
                with tf.init_scope():
                    metric.update_state(
                        *(tf.zeros([size or 1 for size in x.shape], x.dtype) for x in (y, outputs))
                    )
                    metric.reset_state()
            zeros = [tf.zeros(v.shape, v.dtype) for v in metric.variables]
            sums += metric.stateless_update_state(zeros, y, outputs, sample_weight=weights)
        return sums

    @contextlib.contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        """Within this context each replica draws other numbers: all have the same seeds, and other rows."""
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        states = [v.value for v in self.model.variables if v.path.endswith("seed_generator_state")]
        if self.strategy.num_replicas_in_sync == 1:
            states = []
        for state in states:  # a seed and a count of the draws
            state.assign_add([tf.cast(number, state.dtype) * 1_000_003, 0])
        yield
        for state in states:
            state.assign_sub([tf.cast(number, state.dtype) * 1_000_003, 0])

    def _rows(self, batch: Any) -> tuple[Any, Any, Any]:
        """The inputs, targets and weights that are this replica's."""
        replicas = self.strategy.num_replicas_in_sync
        if replicas > 1:
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            batch = keras.tree.map_structure(lambda x: x[number::replicas], batch)
        return keras.utils.unpack_x_y_sample_weight(batch)

    def _loss(self, y: Any, outputs: Any, weights: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Sum of the weighted losses and of the weights in this replica, and of the weights everywhere."""
        values = self.loss(y, outputs)
        if values.dtype.size < 4:  # sums of half precision overflow
            values = tf.cast(values, tf.float32)
        if weights is None:
            weights = tf.ones_like(values)
        while weights.shape.rank < values.shape.rank:
            weights = weights[..., None]
        weights = tf.broadcast_to(tf.cast(weights, values.dtype), tf.shape(values))
        count = tf.reduce_sum(weights)
        return tf.reduce_sum(weights * values), count, tf.maximum(_summed(count), 1e-30)


def _flat(x: tf.Tensor, axes: int) -> tf.Tensor:
    """The first axes as one."""
    flat = tf.reshape(x, tf.concat([[-1], tf.shape(x)[axes:]], 0))
    return tf.ensure_shape(flat, [None, *x.shape[axes:]])


def _summed(values: Any) -> Any:
    """Over all replicas."""
    context = tf.distribute.get_replica_context()
    # An argument of a function has no device, and needs one.
    flat = [tf.identity(value) for value in keras.tree.flatten(values)]
    return keras.tree.pack_sequence_as(values, context.all_reduce(tf.distribute.ReduceOp.SUM, flat))


def _unreduced(loss: Loss) -> Loss:
    if isinstance(loss, keras.losses.Loss):
        loss = copy.copy(loss)
        loss.reduction = "none"
    return loss
