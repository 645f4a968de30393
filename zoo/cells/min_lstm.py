"""The minimal long short-term memory."""

from keras import ops

from zoo.cells.base import States, Tensor
from zoo.cells.linear import LinearCell
from zoo.cells.signatures import complete_docstring


@complete_docstring
class MinLSTMCell(LinearCell):
    """One step of minimal long short-term memory (minLSTM).

        f = σ(x_f) / (σ(x_f) + σ(x_i))  forget gate: how much stays; 0 where both σ are 0
        i = 1 - f                       input gate: how much is written
        g = φ(x_g)                      candidate
        h_t = f ⊙ h_{t-1} + i ⊙ g

    with x_t = W input_t + b. There is no cell state and no output gate. No gate depends on h, so a layer
    computes all time steps by a parallel scan.

    Feng et al. (2024), "Were RNNs all we needed?". φ is the identity, as in the first form of the paper.
    Departure: the paper's second form, in log space and with a positive g, is left out.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.MinLSTMCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("input", "forget", "candidate")

    def gates(self, x: Tensor, r: None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "input", "forget", "candidate"."""
        i, f, g = self.split(x)
        i, f = self.recurrent_activation(i), self.recurrent_activation(f)
        forget = ops.divide_no_nan(f, f + i)
        return {"input": 1 - forget, "forget": forget, "candidate": self.activation(g)}

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return f and i ⊙ g, each [..., units]."""
        return gates["forget"], gates["input"] * gates["candidate"]
