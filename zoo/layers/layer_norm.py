"""Layers with layer normalization."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import LayerNormGRUCell, LayerNormLSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class LayerNormLSTM(CellLayer):
    """An LSTM with layer normalization.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.LayerNormLSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = LayerNormLSTMCell

    unit_forget_bias: bool = attribute_of_cell("unit_forget_bias")
    epsilon: float = attribute_of_cell("epsilon")

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        epsilon: float = 1e-5,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))


@complete_docstring
class LayerNormGRU(CellLayer):
    """A GRU with layer normalization.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.LayerNormGRU(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = LayerNormGRUCell

    reset_after: bool = attribute_of_cell("reset_after")
    epsilon: float = attribute_of_cell("epsilon")

    def __init__(
        self,
        units: int,
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
        reset_after: bool = True,
        *,
        epsilon: float = 1e-5,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
