"""The base of cells whose last input is a time."""

from collections.abc import Sequence
from typing import cast

from keras import ops

from zoo.cells.base import Cell, Tensor
from zoo.cells.signatures import complete_docstring


@complete_docstring
class TimeInputCell(Cell):
    """The base of cells whose last input is a time, on which neither W nor dropout acts.

        input_t = [features_t, time_t]
        x_t = W features_t + b, and what the step needs of time_t                   `project`

    W has no row for the time, `dropout` never drops it, and the cell cannot be the second one of a stack. A
    subclass splits the time off in `project`, and passes the other columns on: `super().project(inputs[..., :-1])`.

    Input shape:
        [batch, features + 1]. The last column is the time: a time stamp, or the time since the step before.

    Example:
        >>> import keras, zoo
        >>> class DecayCell(zoo.cells.TimeInputCell, zoo.SimpleRNNCell):
        ...     def project(self, inputs):
        ...         x = super().project(inputs[..., :-1])
        ...         return keras.ops.concatenate([x, 0.5 ** inputs[..., -1:]], axis=-1)
        ...
        ...     def update(self, x, r, states):
        ...         h = self.activation(x[..., :-1] + r) + x[..., -1:] * states[0]
        ...         return h, [h]
        >>> zoo.RNN(DecayCell(4))(keras.ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """

    extra_columns = "the time"

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for inputs [batch, features + 1]."""
        super().build((*input_shape[:-1], cast(int, input_shape[-1]) - 1))

    def draw_dropout_mask(self, like: Tensor) -> Tensor | None:
        """Draw the factors of the inputs in training: that of the time is 1."""
        mask = super().draw_dropout_mask(like)
        return mask if mask is None else ops.concatenate([mask[..., :-1], ops.ones_like(mask[..., -1:])], -1)
