"""Cells whose state is linear in the one before."""

from keras import ops

from zoo.cells.base import LinearCell, States, Tensor


class MinGRUCell(LinearCell):
    """Minimal gated recurrent unit (Feng et al., 2024, "Were RNNs all we needed?").

        z = σ(x_z)                      update: how much is kept
        g = φ(x_g)                      candidate
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    z is the paper's 1 - z, so that it means here what it means in `GRUCell`. φ is the identity, as in the
    paper's first form. Its second, in log space, needs a positive g; here all is computed as it stands. The
    arguments are those of `LinearCell`.
    """

    blocks = ("update", "candidate")

    def gates(self, x: Tensor, r: None, states: States | None) -> dict[str, Tensor]:
        """See `LinearCell`."""
        z, g = self.split(x)
        return {"update": self.recurrent_activation(z), "candidate": self.activation(g)}

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """See `LinearCell.coefficients`."""
        return gates["update"], (1 - gates["update"]) * gates["candidate"]


class MinLSTMCell(LinearCell):
    """Minimal long short-term memory (Feng et al., 2024, "Were RNNs all we needed?").

        f = σ(x_f) / (σ(x_f) + σ(x_i))  forget: the share of what is kept
        i = 1 - f                       input: the share of what is written
        g = φ(x_g)                      candidate
        h_t = f ⊙ h_{t-1} + i ⊙ g

    There is no cell state and no output gate. φ is the identity, as in the paper's first form. Its second,
    in log space, needs a positive g; here all is computed as it stands, and where both σ are 0, f is 0. The
    arguments are those of `LinearCell`.
    """

    blocks = ("input", "forget", "candidate")

    def gates(self, x: Tensor, r: None, states: States | None) -> dict[str, Tensor]:
        """See `LinearCell`."""
        i, f, g = self.split(x)
        i, f = self.recurrent_activation(i), self.recurrent_activation(f)
        forget = ops.divide_no_nan(f, f + i)
        return {"input": 1 - forget, "forget": forget, "candidate": self.activation(g)}

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """See `LinearCell.coefficients`."""
        return gates["forget"], gates["input"] * gates["candidate"]
