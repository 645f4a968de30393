"""Cells with layer normalization.

    LN(z) = (z - mean(z)) / sqrt(variance(z) + epsilon)

Mean and variance are over the units of one row at one time step.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor
from zoo.cells.gru import GRUCell
from zoo.cells.lstm import LSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring


class LayerNormCell(GatedCell):
    """Normalizes W input and U h, each alone: what the cells of this module have in common.

    Args:
        epsilon: float. Added to each variance.
        **arguments: those of the cell that is normalized.

    Attributes:
        block_groups: numbers of neighboring weight blocks that are normalized together, as one vector.
    """

    block_groups: ClassVar[tuple[int, ...]]

    def __init__(self, *, epsilon: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.epsilon = epsilon

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, U, b and the gains for inputs [batch, features]."""
        super().build(input_shape)
        width = (self.units * len(self.weight_blocks),)
        self.kernel_gain = self.add_weight(shape=width, name="kernel_gain", initializer="ones")
        self.recurrent_kernel_gain = self.add_weight(
            shape=width, name="recurrent_kernel_gain", initializer="ones"
        )

    def product(self, name: str, v: Tensor) -> Tensor:
        """Return the product of `v` and a weight, and normalize W input.

        U h is normalized in `gates`, so that `recurrent` stays linear.
        """
        z = super().product(name, v)
        return self.normalize_groups(z, self.get_weight("kernel_gain")) if name == "kernel" else z

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units], from the normalized `r`."""
        r = self.normalize_groups(r, self.get_weight("recurrent_kernel_gain"), self.recurrent_bias)
        return super().gates(x, r, states)

    @property
    def recurrent_bias(self) -> Tensor | None:
        """What is added to r after normalization, [n * units]; None for nothing."""
        return None

    def normalize_groups(self, z: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return gain ⊙ LN(z) + bias for `z` [..., n * units], each group of blocks normalized alone."""
        edges = accumulate((blocks * self.units for blocks in self.block_groups), initial=0)
        groups = [slice(start, end) for start, end in pairwise(edges)]
        z = ops.concatenate([self.normalize(z[..., group], gain[group]) for group in groups], axis=-1)
        return z if bias is None else z + bias

    def normalize(self, z: Tensor, gain: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return gain ⊙ LN(z) + bias over the last axis of `z`, computed in at least float32."""
        return ops.layer_normalization(z, gain, bias, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "epsilon": self.epsilon}


@complete_docstring
class LayerNormLSTMCell(LayerNormCell, LSTMCell):
    """One step of an LSTM with layer normalization.

        x_t = α_x ⊙ LN(W input_t) + b       all four blocks normalized as one vector
        r_t = α_r ⊙ LN(U h_{t-1})           all four blocks normalized as one vector
        i = σ(x_i + r_i),  f = σ(x_f + r_f),  g = φ(x_g + r_g),  o = σ(x_o + r_o)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(α_c ⊙ LN(c_t) + β_c)

    The gains α_x and α_r [4 * units] and α_c [units] start at 1, β_c [units] at 0. The state is c_t itself,
    not its normalization. Without `use_bias` there is neither b nor β_c.

    Ba, Kiros and Hinton (2016), "Layer normalization". Departures: the paper gives each LN a bias besides
    b; those of x and r are left out, because they would only be added to b. The paper has no epsilon, its
    authors' code has.

    Args:
        epsilon: float. Added to each variance.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.LayerNormLSTMCell(4)
        >>> output, [h, c] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    block_groups = (4,)

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        epsilon: float = 1e-5,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**collect_arguments(locals()), **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, U, b, the gains and β_c for inputs [batch, features]."""
        super().build(input_shape)
        width = (self.units,)
        self.cell_gain = self.add_weight(shape=width, name="cell_gain", initializer="ones")
        self.cell_bias = (
            self.add_weight(shape=width, name="cell_bias", initializer="zeros") if self.use_bias else None
        )

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t and the states h_t and c_t, each [batch, units]."""
        c = self.compute_cell_state(gates, states)
        normalized = self.normalize(c, self.get_weight("cell_gain"), self.get_weight("cell_bias"))
        h = gates["output"] * self.activation(normalized)
        return h, [h, c]


@complete_docstring
class LayerNormGRUCell(LayerNormCell, GRUCell):
    """One step of a GRU with layer normalization.

        x_t = α_x ⊙ LN(W input_t) + b_x     blocks z and r normalized as one vector, g alone
        r_t = α_r ⊙ LN(U h_{t-1}) + b_r     blocks z and r normalized as one vector, g alone
        z = σ(x_z + r_z),  r = σ(x_r + r_r),  g = φ(x_g + r ⊙ r_g)
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    The gains α_x and α_r [3 * units] start at 1. b_x and b_r are the rows of b [2, 3 * units].

    Ba, Kiros and Hinton (2016), "Layer normalization". As in the paper the reset gate is applied after the
    product with U_g, and b_x and b_r are the biases of its LN. Departures: z is the paper's 1 - z. The
    paper has no epsilon, its authors' code has.

    Args:
        reset_after: bool. Accepted for compatibility with `GRUCell`; must be True.
        epsilon: float. Added to each variance.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.LayerNormGRUCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    block_groups = (2, 1)

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        *,
        epsilon: float = 1e-5,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if not reset_after:
            raise ValueError(
                "`reset_after` must be True: LayerNormGRUCell normalizes the product with U and applies the "
                "reset gate after that. For a reset before the product use GRUCell."
            )
        super().__init__(**collect_arguments(locals()), **kwargs)

    def recurrent(self, states: States) -> Tensor:
        """Return U h [..., 3 * units] for `states`, each [..., units]; `gates` normalizes it and adds b_r."""
        return self.product("recurrent_kernel", states[0])

    @property
    def recurrent_bias(self) -> Tensor | None:
        """b_r [3 * units], what is added to r after normalization; None without `use_bias`."""
        return self.get_weight("bias")[1] if self.use_bias else None
