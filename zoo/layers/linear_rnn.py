"""The base of the layers whose cell is linear in its state."""

from collections.abc import Callable, Sequence
from typing import Any

from zoo.cells.signatures import collect_arguments
from zoo.layers.cell_layer import CellLayer


class LinearRNN(CellLayer):
    """Runs a `LinearCell` over time: the constructor that `MinGRU` and `MinLSTM` have in common."""

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
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
