"""The gated recurrent unit."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor
from zoo.cells.signatures import collect_arguments, complete_docstring


@complete_docstring
class GRUCell(GatedCell):
    """One step of the gated recurrent unit.

        z = σ(x_z + r_z)                update gate: how much stays
        r = σ(x_r + r_r)                reset gate: how much of the past the candidate depends on
        g = φ(x_g + r ⊙ r_g)            candidate, with `reset_after=True`
        g = φ(x_g + U_g (r ⊙ h_{t-1}))  candidate, with `reset_after=False`
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    with x_t = W input_t + b and r_t = U h_{t-1}. With `reset_after` U has a bias of its own: b is then
    [2, 3 * units], and r_t = U h_{t-1} + b_r.

    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation". Departure: the paper resets before the product with U_g. Resetting after it is the default
    here and in Keras; it keeps the update elementwise, with one product with U per step.

    The order of the gates and the weights are those of `keras.layers.GRU`.

    Args:
        reset_after: bool. Whether the reset gate is applied after the product with U_g, or before it.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.GRUCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("update", "reset", "candidate")

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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**collect_arguments(locals(), "reset_after"), **kwargs)
        self.reset_after = reset_after

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of b: [2, width] with `reset_after`, whose second row is the bias of U."""
        return (2, width) if self.reset_after else (width,)

    def project(self, inputs: Tensor) -> Tensor:
        """Return x = W input + b for `inputs` [..., features], of one time step or of all."""
        if not (self.reset_after and self.use_bias):
            return super().project(inputs)
        return self.product("kernel", inputs) + self.get_weight("bias")[0]

    def recurrent(self, states: States) -> Tensor:
        """Return r = U h plus its bias; with `reset_after=False` U_z h, U_r h and h itself, side by side."""
        if not self.reset_after:
            h, width = states[0], 2 * self.units
            return ops.concatenate(
                [ops.matmul(h, self.get_weight("recurrent_kernel")[:, :width]), h], axis=-1
            )
        r = super().recurrent(states)
        return r + self.get_weight("bias")[1] if self.use_bias else r

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "update", "reset", "candidate"."""
        (x_z, x_r, x_g), (r_z, r_r, r_g) = self.split(x), self.split(r)
        update = self.recurrent_activation(x_z + r_z)
        reset = self.recurrent_activation(x_r + r_r)
        past = reset * r_g
        if not self.reset_after:
            past = ops.matmul(past, self.get_weight("recurrent_kernel")[:, 2 * self.units :])
        return {"update": update, "reset": reset, "candidate": self.activation(x_g + past)}

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units], the output and the only state."""
        h = gates["update"] * states[0] + (1 - gates["update"]) * gates["candidate"]
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "reset_after": self.reset_after}
