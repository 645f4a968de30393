"""The real-gated linear recurrent unit."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells.base import States, Tensor
from zoo.cells.linear import LinearCell
from zoo.cells.signatures import collect_arguments, complete_docstring

POWER = 8
"""How many times σ(Λ) is multiplied by itself in a step with r = 1: c in the paper."""


@complete_docstring
class RGLRUCell(LinearCell):
    """One step of the real-gated linear recurrent unit (RG-LRU).

        r = σ(x_r)                      recurrence gate: how much decays
        i = σ(x_i)                      input gate: how much is written
        g = φ(x_g)                      candidate
        a = σ(Λ)^(8 r)                  decay, unit by unit
        h_t = a ⊙ h_{t-1} + √(1 - a²) ⊙ i ⊙ g

    with x_t = W input_t + b. Where the input has as many features as the cell has units, x_g is the input
    itself, and W and b have the blocks r and i alone. Λ is the weight `recurrent_logit` [units]. No gate
    depends on h, so a layer computes all time steps by a parallel scan.

    De et al. (2024), "Griffin: mixing gated linear recurrences with local attention for efficient language
    models". φ is the identity there, and inputs are as wide as the state. Departures: W is a full matrix,
    where the paper's models have 16 blocks on its diagonal; inputs of another width have the block g. The
    authors' code also leaves √(1 - a²) out in the first step of a sequence, which the paper does not. Decays
    near 1 need float32: in half precision they round to 1.

    Args:
        recurrent_initializer: str, dict, callable or None. Initializer of Λ; None draws σ(Λ)^8, the decay of
            a step with r = 1, uniformly between 0.9 and 0.999, as in the paper.
        recurrent_regularizer: str, dict, callable or None. Regularizer of Λ.
        recurrent_constraint: str, dict, callable or None. Constraint on Λ.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.RGLRUCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 4)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("recurrence", "input", "candidate")

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "lecun_normal",
        recurrent_initializer: Any = None,
        bias_initializer: Any = "zeros",
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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**collect_arguments(locals()), **kwargs)

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W: without the block of the candidate if there are as many features as units."""
        return (features, self.units * (2 if features == self.units else 3))

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, b and Λ for inputs [batch, features]."""
        super().build(input_shape)
        self.recurrent_logit = self.add_weight(
            shape=(self.units,),
            name="recurrent_logit",
            initializer=self.recurrent_initializer or self.initial_logit,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )

    def initial_logit(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Return the values of Λ before training."""
        log_decay = ops.log(keras.initializers.RandomUniform(0.9, 0.999)(shape, "float32")) / POWER
        return ops.cast(log_decay - ops.log(-ops.expm1(log_decay)), dtype)

    def project(self, inputs: Tensor) -> Tensor:
        """Return x [..., 3 * units] for `inputs` [..., features], of one time step or of all."""
        x = super().project(inputs)
        return ops.concatenate([x, inputs], -1) if inputs.shape[-1] == self.units else x

    def gates(self, x: Tensor, r: None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "recurrence", "input", "candidate"."""
        r, i, g = self.split(x)
        return {
            "recurrence": self.recurrent_activation(r),
            "input": self.recurrent_activation(i),
            "candidate": self.activation(g),
        }

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return a and √(1 - a²) ⊙ i ⊙ g, each [..., units]."""
        log_a = -POWER * gates["recurrence"] * ops.softplus(-self.get_weight("recurrent_logit"))
        # 1 - a² without `expm1`, which ONNX lacks: exact where a is near 1, and above 0, where the root has no
        # gradient.
        tanh = ops.tanh(log_a)
        rest = ops.maximum(-2 * tanh / (1 - tanh), 1e-7 if self.compute_dtype == "float16" else 1e-14)
        return ops.exp(log_a), ops.sqrt(rest) * gates["input"] * gates["candidate"]
