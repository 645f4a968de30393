"""Gradients while a model is trained, for TensorBoard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo._compat import direct_trainable_variables, flatten_layers
from zoo.cells import Tensor
from zoo.inspection.gradients import state_gradients, undisturbed
from zoo.tensorboard import ScalarWriter


class GradientLogger(keras.callbacks.Callback):
    """Logs to TensorBoard how gradients flow at chosen steps of a training, for a batch that stays the same.

    Of each layer with weights `gradient/<layer>`, the norm of dL/dw; and of each state of a recurrent layer
    `state_gradient/<state>/back_<k>`, the norm of dL/ds_{T-k}, k = 0, 1, 2, 4, 8 ... steps before the last,
    its root mean square over the rows.

    Args:
        model: the model that is trained.
        batch: inputs and targets.
        loss: from targets and outputs to L, a scalar.
        log_dir: where TensorBoard looks.
        update_freq: steps between logs; the first step is logged.
    """

    def __init__(
        self,
        model: keras.Model,
        batch: tuple[Any, Any],
        loss: Callable[[Any, Any], Tensor],
        log_dir: Path,
        update_freq: int = 100,
    ) -> None:
        super().__init__()
        if update_freq < 1:
            raise ValueError(f"`update_freq` must be at least 1, but it is {update_freq!r}.")
        self.observed, self.batch, self.loss, self.update_freq = model, batch, loss, update_freq
        self.writer = ScalarWriter(log_dir)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Log, if it is time."""
        step = int(self.model.optimizer.iterations) - 1  # goes on where a run is resumed
        if step % self.update_freq == 0:
            self.writer.write(step, self._norms())
            self.writer.flush()

    def _norms(self) -> dict[str, float]:
        inputs, targets = self.batch
        with tf.GradientTape() as tape, undisturbed(self.observed):
            loss = self.loss(targets, self.observed(inputs))
        weights = {
            layer.path: [weight.value for weight in variables]
            for layer in flatten_layers(self.observed)
            if (variables := direct_trainable_variables(layer))
        }
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        norms = {f"gradient/{path}": float(tf.linalg.global_norm(own)) for path, own in gradients.items()}
        found = state_gradients(self.observed, inputs, lambda outputs: self.loss(targets, outputs))
        for name, values in found.items():
            by_step = tf.sqrt(tf.reduce_mean(tf.reduce_sum(values**2, -1), 0)).numpy()
            back = 0
            while back < len(by_step):
                norms[f"state_gradient/{name}/back_{back}"] = float(by_step[-1 - back])
                back = max(1, 2 * back)
        return norms
