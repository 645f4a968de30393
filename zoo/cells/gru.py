"""The gated recurrent unit and its family."""

from collections.abc import Callable
from typing import Any

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor


class GRUCell(GatedCell):
    """Gated recurrent unit (Cho et al., 2014, "Learning phrase representations using RNN encoder-decoder").

        z = σ(x_z + r_z)                update: how much is kept
        r = σ(x_r + r_r)                reset: how much of the past the candidate sees
        g = φ(x_g + r ⊙ r_g)            candidate, with `reset_after=True`
        g = φ(x_g + U_g (r ⊙ h_{t-1}))  candidate, with `reset_after=False`
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    The paper resets before the product with U_g. Resetting after it, the default here and in
    `keras.layers.GRU`, keeps the update elementwise; U has then a bias of its own, the second row of
    b [2, 3 * units]. Weights are interchangeable with `keras.layers.GRU`.

    Args:
        units: width of h.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        reset_after: whether the reset gate acts after the product with U_g, or before it.
        **kwargs: as in `Cell`.
    """

    weight_blocks = ("update", "reset", "candidate")

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        *,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, **kwargs)
        self.reset_after = reset_after

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Shape of b, where W and U have `width` columns."""
        return (2, width) if self.reset_after else (width,)

    def project(self, inputs: Tensor) -> Tensor:
        """See `Cell.project`."""
        if not (self.reset_after and self.use_bias):
            return super().project(inputs)
        return self.multiply("kernel", inputs) + self.bias[0]

    def recurrent(self, states: States) -> Tensor:
        """U h and its bias; before the reset U_z h, U_r h and h itself, which U_g is to multiply."""
        if not self.reset_after:
            h, width = states[0], 2 * self.units
            return ops.concatenate([ops.matmul(h, self.recurrent_kernel[:, :width]), h], axis=-1)
        r = super().recurrent(states)
        return r + self.bias[1] if self.use_bias else r

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        (x_z, x_r, x_g), (r_z, r_r, r_g) = self.split(x), self.split(r)
        update = self.recurrent_activation(x_z + r_z)
        reset = self.recurrent_activation(x_r + r_r)
        past = reset * r_g
        if not self.reset_after:
            past = ops.matmul(past, self.recurrent_kernel[:, 2 * self.units :])
        return {"update": update, "reset": reset, "candidate": self.activation(x_g + past)}

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """See `GatedCell.combine`."""
        h = gates["update"] * states[0] + (1 - gates["update"]) * gates["candidate"]
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "reset_after": self.reset_after}
