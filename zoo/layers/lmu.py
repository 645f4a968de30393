"""The Legendre memory unit, as a layer."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import LMUCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class LMU(CellLayer):
    """The Legendre memory unit: a nonlinear state and a linear memory of a sliding window.

    Output shape:
        [batch, units]; with `return_sequences` [batch, time, units]. With `return_state` a tuple of it and the
        final states: h [batch, units], and m [batch, memory_dim, order].

    Example:
        >>> import keras, zoo
        >>> layer = zoo.LMU(4, order=6, theta=100, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = LMUCell

    order: int = attribute_of_cell("order")
    theta: float = attribute_of_cell("theta")
    memory_dim: int = attribute_of_cell("memory_dim")
    trainable_memory: bool = attribute_of_cell("trainable_memory")

    def __init__(
        self,
        units: int,
        order: int,
        theta: float,
        memory_dim: int = 1,
        trainable_memory: bool = False,
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
