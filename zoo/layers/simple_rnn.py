"""The vanilla recurrent layer."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import SimpleRNNCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer


@complete_docstring
class SimpleRNN(CellLayer):
    """The vanilla recurrent network.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.SimpleRNN(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        zoneout: float | Sequence[float] = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
