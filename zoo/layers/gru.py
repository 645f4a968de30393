"""The gated recurrent unit, as a layer."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from zoo.cells import GRUCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class GRU(CellLayer):
    """The gated recurrent unit.

    Args:
        use_cudnn: bool or "auto". Accepted for compatibility with Keras, without effect: one loop runs on
            every device.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.GRU(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = GRUCell

    reset_after: bool = attribute_of_cell("reset_after")

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
        use_cudnn: bool | Literal["auto"] = "auto",
        *,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals(), "use_cudnn"))
        self.use_cudnn = use_cudnn
