"""Long short-term memory and its family."""

from collections.abc import Callable
from typing import Any

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor


class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with the forget gate of Gers et al. (2000).

        i = σ(x_i + r_i)                input: how much is written
        f = σ(x_f + r_f)                forget: how much is kept
        g = φ(x_g + r_g)                candidate: what is written
        o = σ(x_o + r_o)                output: how much is shown
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    There are no peepholes, as in `keras.layers.LSTM`, with which weights are interchangeable.

    Args:
        units: width of h and of c.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        unit_forget_bias: whether the forget gate's bias starts at 1, which keeps it open at first
            (Jozefowicz et al., 2015, "An empirical exploration of recurrent network architectures").
        **kwargs: as in `Cell`.
    """

    blocks = ("input", "forget", "candidate", "output")
    state_names = ("hidden", "cell")

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        *,
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Values of b before training: ones in the forget block, where there is one."""
        bias = super().initial_bias(shape, dtype)
        if self.unit_forget_bias and "forget" in self.blocks:
            start = self.blocks.index("forget") * self.units
            ones = ops.ones(self.units, dtype)
            bias = ops.concatenate([bias[:start], ones, bias[start + self.units :]])
        return bias

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        i, f, g, o = self.split(x + r)
        return {
            "input": self.recurrent_activation(i),
            "forget": self.recurrent_activation(f),
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """See `GatedCell.combine`."""
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        h = gates["output"] * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
