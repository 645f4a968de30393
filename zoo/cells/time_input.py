"""The base of cells whose last input is a time."""

from collections.abc import Sequence
from typing import cast

from keras import ops

from zoo.cells.base import Cell, Tensor


class TimeInputCell(Cell):
    """The base of cells whose last input is a time, on which neither W nor dropout acts."""

    extra_columns = "the time"

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for inputs [batch, features + 1]."""
        super().build((*input_shape[:-1], cast(int, input_shape[-1]) - 1))

    def draw_dropout_mask(self, like: Tensor) -> Tensor | None:
        """Draw the factors of the inputs in training: that of the time is 1."""
        mask = super().draw_dropout_mask(like)
        return mask if mask is None else ops.concatenate([mask[..., :-1], ops.ones_like(mask[..., -1:])], -1)
