"""Cells with layer normalization (Ba, Kiros and Hinton, 2016, "Layer normalization").

    LN(z) = (z - mean of z) / sqrt(variance of z + epsilon)

Mean and variance are those of the units of one row at one time step. The paper has no epsilon, its authors'
programs have.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor
from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell


class LayerNormCell(GatedCell):
    """Normalizes W x and U h, each alone: the part that the cells of this module share.

    Args:
        *args: as in the cell that is normalized.
        epsilon: added to each variance.
        **kwargs: as in the cell that is normalized.

    Attributes:
        block_groups: numbers of neighboring blocks that are normalized together, as one vector.
    """

    block_groups: ClassVar[tuple[int, ...]]

    def __init__(self, *args: Any, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: Sequence[int | None]) -> None:
        """See `Cell.build`."""
        super().build(input_shape)
        width = (self.units * len(self.weight_blocks),)
        self.kernel_gain = self.add_weight(shape=width, name="kernel_gain", initializer="ones")
        self.recurrent_kernel_gain = self.add_weight(
            shape=width, name="recurrent_kernel_gain", initializer="ones"
        )

    def multiply(self, weight: str, x: Tensor) -> Tensor:
        """See `Cell.multiply`: W x is normalized here, U h in `gates`, so that `recurrent` is linear."""
        z = super().multiply(weight, x)
        return self.normalize_groups(z, self.kernel_gain) if weight == "kernel" else z

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        r = self.normalize_groups(r, self.recurrent_kernel_gain, self.recurrent_bias)
        return super().gates(x, r, states)

    @property
    def recurrent_bias(self) -> Tensor | None:
        """What is added to r once it is normalized."""
        return None

    def normalize_groups(self, z: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
        """LN of each group of `z` alone, times `gain`, plus `bias`."""
        edges = accumulate((blocks * self.units for blocks in self.block_groups), initial=0)
        groups = [slice(start, end) for start, end in pairwise(edges)]
        z = ops.concatenate([self.normalize(z[..., group], gain[group]) for group in groups], axis=-1)
        return z if bias is None else z + bias

    def normalize(self, z: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
        """LN(z) over the last axis, times `gain`, plus `bias`; in float32 where `z` is narrower."""
        return ops.layer_normalization(z, gain, bias, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "epsilon": self.epsilon}


class LayerNormLSTMCell(LayerNormCell, LSTMCell):
    """LSTM with layer normalization (Ba, Kiros and Hinton, 2016, "Layer normalization").

        x_t = α_x ⊙ LN(W input_t) + b       all four blocks together, as one vector
        r_t = α_r ⊙ LN(U h_{t-1})           likewise
        i, f, g, o, c_t as in `LSTMCell`
        h_t = o ⊙ φ(α_c ⊙ LN(c_t) + β_c)

    The state that is carried is c_t as it is, not normalized. The gains α_x and α_r [4 * units] and
    α_c [units] start at 1, β_c [units] at 0. In the paper each LN has a bias, and there is b besides: those
    of x and r are left out, for they add up with b. Without `use_bias` there is neither b nor β_c.

    Args:
        *args: `units`, `activation` and `recurrent_activation`, as in `LSTMCell`.
        epsilon: added to each variance.
        **kwargs: as in `LSTMCell`.
    """

    block_groups = (4,)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """See `Cell.build`."""
        super().build(input_shape)
        width = (self.units,)
        self.cell_gain = self.add_weight(shape=width, name="cell_gain", initializer="ones")
        self.cell_bias = (
            self.add_weight(shape=width, name="cell_bias", initializer="zeros") if self.use_bias else None
        )

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """See `GatedCell.combine`."""
        c = self.compute_cell_state(gates, states)
        h = gates["output"] * self.activation(self.normalize(c, self.cell_gain, self.cell_bias))
        return h, [h, c]


class LayerNormGRUCell(LayerNormCell, GRUCell):
    """GRU with layer normalization (Ba, Kiros and Hinton, 2016, "Layer normalization").

        x_t = α_x ⊙ LN(W input_t) + b_x     blocks z and r together, as one vector, g alone
        r_t = α_r ⊙ LN(U h_{t-1}) + b_r     likewise
        z, r, g, h_t as in `GRUCell`, which resets after the product with U_g, as the paper does here

    The gains α_x and α_r [3 * units] start at 1. b_x and b_r, the rows of b [2, 3 * units], are the biases
    of the paper's LN. z is the paper's 1 - z.

    Args:
        *args: `units`, `activation` and `recurrent_activation`, as in `GRUCell`.
        epsilon: added to each variance.
        **kwargs: as in `GRUCell`, but `reset_after` must be True.
    """

    block_groups = (2, 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.reset_after:
            raise ValueError(
                "`reset_after` must be True: LayerNormGRUCell normalizes the product with U and resets it "
                "after that. For a reset before the product there is GRUCell."
            )

    def recurrent(self, states: States) -> Tensor:
        """See `Cell.recurrent`."""
        return self.multiply("recurrent_kernel", states[0])

    @property
    def recurrent_bias(self) -> Tensor | None:
        """See `LayerNormCell.recurrent_bias`."""
        return self.bias[1] if self.use_bias else None
