"""A gated recurrent unit for time series with missing values, as a layer."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import GRUDCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class GRUD(CellLayer):
    """GRU-D, a gated recurrent unit for time series with missing values.

    Input shape:
        [batch, time, 3 * D]

    Output shape:
        [batch, units]; with `return_sequences` [batch, time, units]. With `return_state` a tuple of it and the
        final states: h [batch, units], and the last observed values [batch, D].

    Example:
        >>> import keras, zoo
        >>> layer = zoo.GRUD(4, input_mean=[36.6, 80.0], return_sequences=True)
        >>> values, mask, gaps = keras.ops.ones((3, 2, 7, 2))
        >>> layer(keras.ops.concatenate([values, mask, gaps], axis=-1)).shape
        TensorShape([2, 7, 4])
    """

    cell_class = GRUDCell

    input_mean: list[float] = attribute_of_cell("input_mean")

    def __init__(
        self,
        units: int,
        input_mean: Sequence[float],
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
