"""The closed-form continuous-time network, as a layer."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from zoo.cells import CfCCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class CfC(CellLayer):
    """The closed-form continuous-time network (CfC), for steps at irregular times.

    Input shape:
        [batch, time, features + 1]. The last column is δ, the time since the step before.

    Example:
        >>> import keras, zoo
        >>> features, gaps = keras.ops.ones((2, 7, 3)), keras.random.uniform((2, 7, 1))
        >>> layer = zoo.CfC(4, return_sequences=True)
        >>> layer(keras.ops.concatenate([features, gaps], axis=-1)).shape
        TensorShape([2, 7, 4])
    """

    cell_class = CfCCell

    mode: str = attribute_of_cell("mode")
    backbone_units: int = attribute_of_cell("backbone_units")
    backbone_layers: int = attribute_of_cell("backbone_layers")
    backbone_activation: Any = attribute_of_cell("backbone_activation")

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
        *,
        mode: Literal["default", "no_gate", "pure"] = "default",
        backbone_units: int = 128,
        backbone_layers: int = 1,
        backbone_activation: str | Callable[..., Any] | None = "tanh",
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
