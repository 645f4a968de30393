"""The independently recurrent network."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from zoo.cells.base import States, Tensor
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.cells.simple_rnn import SimpleRNNCell


@complete_docstring
class IndRNNCell(SimpleRNNCell):
    """One step of the independently recurrent network.

        h_t = φ(W input_t + b + u ⊙ h_{t-1})

    Li et al. (2018), "Independently recurrent neural network (IndRNN): building a longer and deeper RNN".
    The weight `recurrent_kernel` is the vector u [units]: each unit depends on its own past alone.

    Over T steps a gradient grows by |u|^T, so the paper keeps |u| at or below 2^(1/T). Departure: there is no
    such bound by default, because a cell may run for any number of steps. To set it, pass
    `recurrent_constraint=keras.constraints.MaxNorm(2 ** (1 / T), axis=())`.

    Args:
        recurrent_initializer: str, dict, callable or None. Initializer of u; None is uniform between 0 and 1.
        recurrent_regularizer: str, dict, callable or None. Regularizer of u.
        recurrent_constraint: str, dict, callable or None. Constraint on u.
        recurrent_dropout: float in [0, 1). Fraction of h_{t-1} that is dropped on its way to u in training,
            with one mask per sequence.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.IndRNNCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "relu",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        zoneout: float | Sequence[float] = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(0, 1)
        super().__init__(**collect_arguments(locals()), **kwargs)

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of u, [width]."""
        return (width,)

    def recurrent(self, states: States) -> Tensor:
        """Return r = u ⊙ h for `states`, each [..., units]."""
        return states[0] * self.get_weight("recurrent_kernel")
