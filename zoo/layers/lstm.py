"""Long short-term memory and its family, as layers."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from zoo.cells import CoupledLSTMCell, LSTMCell, PeepholeLSTMCell, ProjectedLSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class LSTM(CellLayer):
    """Long short-term memory.

    Args:
        use_cudnn: bool or "auto". Accepted for compatibility with Keras, without effect: one loop runs on
            every device.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.LSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = LSTMCell

    unit_forget_bias: bool = attribute_of_cell("unit_forget_bias")

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


@complete_docstring
class PeepholeLSTM(LSTM):
    """An LSTM whose gates depend on the cell state, too.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.PeepholeLSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = PeepholeLSTMCell


@complete_docstring
class CoupledLSTM(LSTM):
    """An LSTM with coupled input and forget gates (CIFG): it forgets as much as it writes.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.CoupledLSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = CoupledLSTMCell


@complete_docstring
class ProjectedLSTM(CellLayer):
    """An LSTM whose output is narrower than its memory.

    Output shape:
        [batch, projection_units], or with `return_sequences` [batch, time, projection_units]. With
        `return_state` a tuple of that and the final states m and c, each [batch, units].

    Example:
        >>> import keras, zoo
        >>> layer = zoo.ProjectedLSTM(4, 2, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 2])
    """

    cell_class = ProjectedLSTMCell

    unit_forget_bias: bool = attribute_of_cell("unit_forget_bias")
    projection_units: int = attribute_of_cell("projection_units")

    def __init__(
        self,
        units: int,
        projection_units: int,
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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
