"""The linear recurrent unit, as a layer."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import LRUCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class LRU(CellLayer):
    """The linear recurrent unit (LRU).

    Example:
        >>> import keras, zoo
        >>> layer = zoo.LRU(4, state_units=6, r_min=0.9, r_max=0.999, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = LRUCell

    state_units: int = attribute_of_cell("state_units")
    r_min: float = attribute_of_cell("r_min")
    r_max: float = attribute_of_cell("r_max")
    max_phase: float = attribute_of_cell("max_phase")

    def __init__(
        self,
        units: int,
        state_units: int | None = None,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = False,
        kernel_initializer: Any = None,
        recurrent_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        *,
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
        zoneout: float | Sequence[float] = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
