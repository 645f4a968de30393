"""The minimal gated recurrent unit."""

from zoo.cells.base import States, Tensor
from zoo.cells.linear import LinearCell


class MinGRUCell(LinearCell):
    """Minimal gated recurrent unit (Feng et al., 2024, "Were RNNs all we needed?").

        z = σ(x_z)                      update: how much is kept
        g = φ(x_g)                      candidate
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    z is the paper's 1 - z, so that it means here what it means in `GRUCell`. φ is the identity, as in the
    paper's first form. Its second, in log space, needs a positive g; here all is computed as it stands. The
    arguments are those of `LinearCell`.
    """

    weight_blocks = ("update", "candidate")

    def gates(self, x: Tensor, r: None, states: States | None) -> dict[str, Tensor]:
        """See `LinearCell`."""
        z, g = self.split(x)
        return {"update": self.recurrent_activation(z), "candidate": self.activation(g)}

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """See `LinearCell.coefficients`."""
        return gates["update"], (1 - gates["update"]) * gates["candidate"]
