"""The phased LSTM, as a layer."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells import PhasedLSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.layers.cell_layer import CellLayer, attribute_of_cell


@complete_docstring
class PhasedLSTM(CellLayer):
    """An LSTM whose units are open periodically, for steps at irregular times.

    Input shape:
        [batch, time, features + 1]. The last column is the time stamp.

    Example:
        >>> import keras, zoo
        >>> features = keras.ops.ones((2, 7, 3))
        >>> times = keras.ops.cumsum(keras.random.uniform((2, 7, 1), 0, 10), axis=1)
        >>> layer = zoo.PhasedLSTM(4, return_sequences=True)
        >>> layer(keras.ops.concatenate([features, times], axis=-1)).shape
        TensorShape([2, 7, 4])
    """

    cell_class = PhasedLSTMCell

    unit_forget_bias: bool = attribute_of_cell("unit_forget_bias")
    min_period: float = attribute_of_cell("min_period")
    max_period: float = attribute_of_cell("max_period")
    open_ratio: float = attribute_of_cell("open_ratio")
    leak: float = attribute_of_cell("leak")

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
        min_period: float = 1.0,
        max_period: float = 1000.0,
        open_ratio: float = 0.05,
        leak: float = 0.001,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        zero_output_for_mask: bool = False,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(kwargs, **collect_arguments(locals()))
