"""The vanilla recurrent network."""

from zoo.cells.base import Cell, States, Tensor
from zoo.cells.signatures import complete_docstring


@complete_docstring
class SimpleRNNCell(Cell):
    """One step of the vanilla recurrent network.

        h_t = φ(W input_t + b + U h_{t-1})

    Elman (1990), "Finding structure in time". Departures: the paper's φ is the logistic function, here
    `activation="sigmoid"`; and it cuts gradients off after one time step, which does not happen here.

    Arguments and weights are those of `keras.layers.SimpleRNNCell`.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.SimpleRNNCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("hidden",)

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units] from x_t and r_t [batch, units]."""
        h = self.activation(x + r)
        return h, [h]
