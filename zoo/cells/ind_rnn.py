"""The independently recurrent network."""

from collections.abc import Callable
from typing import Any

import keras

from zoo.cells.base import States, Tensor
from zoo.cells.simple_rnn import SimpleRNNCell


class IndRNNCell(SimpleRNNCell):
    """Independently recurrent network (Li et al., 2018).

        h_t = φ(W x_t + b + u ⊙ h_{t-1})

    The source is "Independently recurrent neural network (IndRNN): building a longer and deeper RNN". No
    unit sees another's past: u [units], the weight `recurrent_kernel`, is a vector. Over T steps a gradient
    grows by |u|^T, so the paper keeps |u| at most 2^(1/T). A cell knows no T; here that is
    `recurrent_constraint=keras.constraints.MaxNorm(2 ** (1 / T), axis=())`, and the default is none.

    Args:
        units: width of h.
        activation: φ, a name or a function; None is the identity.
        recurrent_initializer: of u; None is uniform from 0 to 1.
        **kwargs: as in `Cell`.
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "relu",
        *,
        recurrent_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(0, 1)
        super().__init__(units, activation, recurrent_initializer=recurrent_initializer, **kwargs)

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        """See `Cell.recurrent_shape`."""
        return (width,)

    def recurrent(self, states: States) -> Tensor:
        """See `Cell.recurrent`."""
        return states[0] * self.recurrent_kernel
