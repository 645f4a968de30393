"""A gated recurrent unit for time series with missing values."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells.base import GatedCell, States, Tensor
from zoo.cells.signatures import collect_arguments, complete_docstring


@complete_docstring
class GRUDCell(GatedCell):
    """One step of GRU-D, a gated recurrent unit for time series with missing values.

    The inputs [batch, 3 * D] are three groups of D columns, one column for each variable of the time series:

        v_t     the values; where one is missing, any number or NaN
        m_t     the observation mask: 1 where the value is observed, 0 where it is missing
        δ_t     the time since the variable was last observed at a step before, in a unit of your choice:
                δ_t = s_t - s_{t-1} + (1 - m_{t-1}) ⊙ δ_{t-1} for time stamps s_t, and δ_1 = 0

    A missing value decays from the last observed one, v', to the mean of the variable; so does the state:

        γ_v = exp(-max(0, w ⊙ δ_t + b_v))                           input decay, between 0 and 1
        γ_h = exp(-max(0, W_h δ_t + b_h))                           hidden decay
        v̂ = m_t ⊙ v_t + (1 - m_t) ⊙ (γ_v ⊙ v' + (1 - γ_v) ⊙ mean)   imputed values
        ĥ = γ_h ⊙ h_{t-1}
        z = σ(W_z [v̂, m_t] + U_z ĥ + b_z)                           update gate: how much stays
        r = σ(W_r [v̂, m_t] + U_r ĥ + b_r)                           reset gate
        g = φ(W_g [v̂, m_t] + U_g (r ⊙ ĥ) + b_g)                     candidate
        h_t = z ⊙ ĥ + (1 - z) ⊙ g

    The states are h and v', the last observed values [batch, D]. Before its first observation the last value
    of a variable is its mean.

    Che et al. (2018), "Recurrent neural networks for multivariate time series with missing values". Departure:
    z is 1 - z of the paper, as in `GRUCell`. The paper does not say how the decays start: w is uniform
    between 0 and 1 here, because the gradient of a negative one is zero and it would stay negative; W_h starts
    as `glorot_uniform`, b_v and b_h at zero.

    Weights: `kernel` W [2 * D, 3 * units]; `recurrent_kernel` U_z and U_r [units, 2 * units];
    `recurrent_candidate_kernel` U_g [units, units]; `bias` [3 * units]; `input_decay_kernel` w [D] and
    `input_decay_bias` b_v [D]; `hidden_decay_kernel` W_h [D, units] and `hidden_decay_bias` b_h [units].

    Args:
        units: int. Width of the output and of h.
        input_mean: sequence of D floats. Mean of the observed values of each variable in the training data;
            zeros for standardized variables. It is not trained.
        dropout: float in [0, 1). Fraction of the values v_t that are dropped in training, observed or not,
            with one mask per sequence. Observation masks and time gaps are never dropped.
        zoneout: float in [0, 1), or one such number for each state. Probability with which a unit of a state
            keeps its value in a training step; in inference the new state is the expected value. A single
            number is that of h; the last observed values are then always kept up to date.
        recurrent_dropout: float in [0, 1). Fraction of h_{t-1} that is dropped on its way into U_z, U_r and
            U_g in training, with one mask per sequence.

    Input shape:
        [batch, 3 * D]

    Output shape:
        A tuple of the output [batch, units] and the new states: h [batch, units], and the last observed values
        [batch, D].

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.GRUDCell(4, input_mean=[36.6, 80.0])
        >>> output, [h, last] = cell(keras.ops.ones((2, 6)), cell.get_initial_state(batch_size=2))
        >>> output.shape, last.shape
        (TensorShape([2, 4]), TensorShape([2, 2]))
    """

    extra_columns = "observation masks and time gaps"
    weight_blocks = ("update", "reset", "candidate")
    state_names = ("hidden", "last")

    def __init__(
        self,
        units: int,
        input_mean: Sequence[float],
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
        seed: int | None = None,
        *,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if not isinstance(zoneout, Sequence):
            zoneout = [zoneout, 0.0]
        super().__init__(**collect_arguments(locals(), "input_mean"), **kwargs)
        try:
            self.input_mean = [float(mean) for mean in input_mean]
        except TypeError:
            raise ValueError(
                "`input_mean` must be a sequence of numbers, the mean of each variable, but it is "
                f"{input_mean!r}. For standardized variables pass zeros."
            ) from None

    @property
    def state_size(self) -> list[int | tuple[int, ...]]:
        """Widths of h and of the last observed values."""
        return [self.units, len(self.input_mean)]

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Tensor]:
        """Return h = 0 [batch_size, units] and the mean of each variable [batch_size, D]."""
        h, last = super().get_initial_state(batch_size)
        return [h, last + ops.convert_to_tensor(self.input_mean, last.dtype)]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for inputs [batch, 3 * D]."""
        count = len(self.input_mean)
        if input_shape[-1] != 3 * count:
            raise ValueError(
                f"{type(self).__name__} has an `input_mean` of {count} variables and needs inputs of {3 * count} "
                f"columns (values, observation mask, time gaps), but they have {input_shape[-1]}. Concatenate the "
                "three groups on the last axis."
            )
        super().build(input_shape)
        self.recurrent_candidate_kernel = self.add_weight(
            shape=(self.units, self.units),
            name="recurrent_candidate_kernel",
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.input_decay_kernel = self.add_weight(
            shape=(count,), name="input_decay_kernel", initializer=keras.initializers.RandomUniform(0, 1)
        )
        self.input_decay_bias = self.add_weight(shape=(count,), name="input_decay_bias", initializer="zeros")
        self.hidden_decay_kernel = self.add_weight(shape=(count, self.units), name="hidden_decay_kernel")
        self.hidden_decay_bias = self.add_weight(
            shape=(self.units,), name="hidden_decay_bias", initializer="zeros"
        )

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W, which multiplies imputed values and observation mask."""
        return (features // 3 * 2, 3 * self.units)

    def recurrent_shape(self, width: int) -> tuple[int, int]:
        """Return the shape of U_z and U_r, side by side."""
        return (self.units, 2 * self.units)

    def draw_dropout_mask(self, like: Tensor) -> Tensor | None:
        """Draw the factors of the inputs in training: those of observation mask and time gaps are 1."""
        values, *others = ops.split(like, 3, axis=-1)
        mask = super().draw_dropout_mask(values)
        return None if mask is None else ops.concatenate([mask, *map(ops.ones_like, others)], axis=-1)

    def project(self, inputs: Tensor) -> Tensor:
        """Return γ_h, γ_v, m and v side by side, with zeros for missing values [..., units + 3 * D]."""
        values, mask, gaps = ops.split(inputs, 3, axis=-1)
        hidden_rates = self.product("hidden_decay_kernel", gaps) + self.get_weight("hidden_decay_bias")
        input_rates = self.get_weight("input_decay_kernel") * gaps + self.get_weight("input_decay_bias")
        rates = ops.concatenate([hidden_rates, input_rates], axis=-1)
        values = ops.where(mask > 0, values, 0)  # a missing one may be NaN
        return ops.concatenate([ops.exp(-ops.relu(rates)), mask, values], axis=-1)

    def recurrent(self, states: States) -> Tensor:
        """Return h_{t-1}, which `gates` multiplies by U after its decay."""
        return states[0]

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name: "update", "reset", "candidate" and "hidden_decay" [..., units].

        And "input_decay" and "last", the last observed values after the step, [..., D].
        """
        count = len(self.input_mean)
        ends = [self.units, self.units + count, self.units + 2 * count]
        hidden_decay, input_decay, mask, values = ops.split(x, ends, axis=-1)
        is_observed = mask > 0
        mean = ops.convert_to_tensor(self.input_mean, values.dtype)
        decayed = input_decay * states[1] + (1 - input_decay) * mean
        imputed = ops.where(is_observed, values, decayed)
        x = self.product("kernel", ops.concatenate([imputed, mask], axis=-1))
        bias = self.get_weight("bias")
        h = hidden_decay * r
        x_z, x_r, x_g = self.split(x if bias is None else x + bias)
        u_z, u_r = ops.split(self.product("recurrent_kernel", h), 2, axis=-1)
        reset = self.recurrent_activation(x_r + u_r)
        past = self.product("recurrent_candidate_kernel", reset * h)
        return {
            "update": self.recurrent_activation(x_z + u_z),
            "reset": reset,
            "candidate": self.activation(x_g + past),
            "hidden_decay": hidden_decay,
            "input_decay": input_decay,
            "last": ops.where(is_observed, values, states[1]),
        }

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units], the output, and the states h_t and the last observed values."""
        past = gates["hidden_decay"] * states[0]
        h = gates["update"] * past + (1 - gates["update"]) * gates["candidate"]
        return h, [h, gates["last"]]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "input_mean": list(self.input_mean)}
