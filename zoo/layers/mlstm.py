"""The mLSTM, as a layer."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import MLSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class MLSTM(CellLayer):
    """The mLSTM: a matrix memory C for each head, which is written by keys and read by queries.

    Output shape:
        [batch, units], or with `return_sequences` [batch, time, units]. With `return_state` a tuple of that
        and the final states C [batch, num_heads, head_dim, head_dim], n [batch, num_heads, head_dim] and m
        [batch, num_heads].

    Example:
        >>> import keras, zoo
        >>> layer = zoo.MLSTM(4, num_heads=2, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = MLSTMCell

    num_heads: int = attribute_of_cell("num_heads")
    head_dim: int = attribute_of_cell("head_dim")

    def __init__(
        self,
        units: int,
        num_heads: int = 4,
        activation: str | Callable[..., Any] | None = None,
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
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
