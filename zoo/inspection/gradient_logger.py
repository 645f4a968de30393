"""A Keras callback that logs gradient norms to TensorBoard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo._compat import direct_trainable_variables, flatten_layers
from zoo.cells import Tensor
from zoo.cells.base import widen
from zoo.inspection.gradients import state_gradients
from zoo.inspection.states import preserve_variables
from zoo.tensorboard import ScalarWriter


class GradientLogger(keras.callbacks.Callback):
    """Logs gradient norms to TensorBoard during training, always for the same batch.

    The scalars are:

    - `gradient/<layer>` for each layer with weights w: the norm ||dL/dw||;
    - `state_gradient/<state>/back_<k>` for each state s of each recurrent layer: the norm ||dL/ds_{T-k}||,
      k = 0, 1, 2, 4, 8 ... steps before the last one, as a root mean square over the batch.

    Norms are computed in float32. The gradients have the dtype of the states: in float16, those below 6e-8 are 0.

    The callback works in `model.fit` and in `zoo.fit`. It does not change the training.

    Args:
        model: the model that is trained.
        batch: inputs and targets for which gradients are computed.
        loss: a function from targets and outputs to a scalar L, such as a Keras loss.
        log_dir: the TensorBoard log directory.
        update_freq: training steps between logs. The first step is logged.

    Raises:
        ValueError: `update_freq` is less than 1, `batch` is no pair, or `loss` is no function.

    Example:
        >>> import keras, numpy as np, pathlib, tempfile, zoo
        >>> model, x, y = keras.Sequential([zoo.LSTM(8)]), np.ones([4, 10, 3], "float32"), np.ones([4, 8])
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as log_dir:
        ...     logger = zoo.inspection.GradientLogger(
        ...         model, (x, y), keras.losses.MeanSquaredError(), pathlib.Path(log_dir)
        ...     )
        ...     history = model.fit(x, y, callbacks=[logger], verbose=0)
    """

    def __init__(
        self,
        model: keras.Model,
        batch: tuple[Any, Any],
        loss: Callable[[Any, Any], Tensor],
        log_dir: str | Path,
        update_freq: int = 100,
    ) -> None:
        super().__init__()
        if update_freq < 1:
            raise ValueError(f"Expected `update_freq` of at least 1, got {update_freq!r}.")
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            raise ValueError(
                f"batch: found {type(batch).__name__}. Expected a pair of inputs and targets: `(x, y)`."
            )
        if not callable(loss) or isinstance(loss, type):
            raise ValueError(
                f"loss: found {loss!r}. Expected a function, such as `keras.losses.MeanSquaredError()`."
            )
        self.observed_model = model  # Keras replaces `self.model` by the model in `fit`
        self.batch, self.loss, self.update_freq = batch, loss, update_freq
        self.writer = ScalarWriter(Path(log_dir))

    def get_state(self) -> dict[str, Any]:
        """Return the state for a checkpoint of `zoo.fit`: none."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue with a state that `get_state` has returned."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Log every `update_freq` steps."""
        step = int(self.model.optimizer.iterations) - 1  # continues in a resumed run
        if step % self.update_freq == 0:
            self.writer.write(step, self._compute_norms())
            self.writer.flush()

    def _compute_norms(self) -> dict[str, float]:
        model = self.observed_model
        inputs, targets = self.batch
        with tf.GradientTape() as tape, preserve_variables(model):
            loss = self.loss(targets, model(inputs))
        weights = {
            layer.path: [weight.value for weight in variables]
            for layer in flatten_layers(model)
            if (variables := direct_trainable_variables(layer))
        }
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        norms = {
            # `global_norm` would count the rows of a sparse gradient one by one, and half precision loses squares.
            f"gradient/{path}": float(
                tf.linalg.global_norm([widen(tf.convert_to_tensor(gradient)) for gradient in of_layer])
            )
            for path, of_layer in gradients.items()
        }
        by_state = state_gradients(model, inputs, lambda outputs: self.loss(targets, outputs))
        for name, gradient in by_state.items():
            by_step = tf.sqrt(tf.reduce_mean(tf.reduce_sum(widen(gradient) ** 2, -1), 0)).numpy()
            k = 0
            while k < len(by_step):
                norms[f"state_gradient/{name}/back_{k}"] = float(by_step[-1 - k])
                k = max(1, 2 * k)
        return norms
