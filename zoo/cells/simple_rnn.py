"""The vanilla recurrent network."""

from zoo.cells.base import Cell, States, Tensor


class SimpleRNNCell(Cell):
    """The vanilla recurrent network (Elman, 1990, "Finding structure in time").

        h_t = φ(W x_t + b + U h_{t-1})

    φ is tanh, or with `activation="sigmoid"` the logistic function. The arguments are those of `Cell`;
    weights are interchangeable with `keras.layers.SimpleRNN`.
    """

    weight_blocks = ("hidden",)

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """See `Cell.update`."""
        h = self.activation(x + r)
        return h, [h]
