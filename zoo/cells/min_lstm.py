"""The minimal long short-term memory."""

from keras import ops

from zoo.cells.base import States, Tensor
from zoo.cells.linear import LinearCell


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

    weight_blocks = ("input", "forget", "candidate")

    def gates(self, x: Tensor, r: None, states: States | None) -> dict[str, Tensor]:
        """See `LinearCell`."""
        i, f, g = self.split(x)
        i, f = self.recurrent_activation(i), self.recurrent_activation(f)
        forget = ops.divide_no_nan(f, f + i)
        return {"input": 1 - forget, "forget": forget, "candidate": self.activation(g)}

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """See `LinearCell.coefficients`."""
        return gates["forget"], gates["input"] * gates["candidate"]
