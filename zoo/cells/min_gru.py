"""The minimal gated recurrent unit."""

from zoo.cells.base import States, Tensor
from zoo.cells.linear import LinearCell
from zoo.cells.signatures import complete_docstring


@complete_docstring
class MinGRUCell(LinearCell):
    """One step of the minimal gated recurrent unit (minGRU).

        z = σ(x_z)                      update gate: how much stays
        g = φ(x_g)                      candidate
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    with x_t = W input_t + b. No gate depends on h, so a layer computes all time steps by a parallel scan.

    Feng et al. (2024), "Were RNNs all we needed?". φ is the identity, as in the first form of the paper.
    Departures: z is the paper's 1 - z, which gives it the meaning that it has in `GRUCell`; the paper's
    second form, in log space and with a positive g, is left out.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.MinGRUCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("update", "candidate")

    def gates(self, x: Tensor, r: None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "update", "candidate"."""
        z, g = self.split(x)
        return {"update": self.recurrent_activation(z), "candidate": self.activation(g)}

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return z and (1 - z) ⊙ g, each [..., units]."""
        return gates["update"], (1 - gates["update"]) * gates["candidate"]
