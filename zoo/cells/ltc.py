"""The liquid time-constant network."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells.base import States, Tensor, check_widths
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.cells.time_input import TimeInputCell


def _uniform(size: tuple[int, ...], dtype: Any, *ranges: tuple[float, float]) -> list[Tensor]:
    return [keras.random.uniform(size, low, high, dtype=dtype) for low, high in ranges]


@keras.saving.register_keras_serializable("zoo")
def initialize_synapses(shape: tuple[int, int], dtype: Any = None) -> Tensor:
    """Draw the synapses [width, 4 * units] of an `LTCCell`, each quantity from its range."""
    size = (shape[0], shape[1] // 4)
    ranges = (0.001, 1), (0, 1), (0.3, 0.8), (3, 8)
    conductance, draw, midpoint, slope = _uniform(size, dtype, *ranges)
    reversal = ops.cast(ops.where(draw < 1 / 3, -1, 1), draw.dtype)
    return ops.concatenate([conductance, reversal, midpoint, slope], axis=-1)


@keras.saving.register_keras_serializable("zoo")
def initialize_membrane(shape: tuple[int], dtype: Any = None) -> Tensor:
    """Draw leak, resting potential and capacitance [3 * units] of an `LTCCell`, each from its range."""
    return ops.concatenate(_uniform((shape[0] // 3,), dtype, (0.001, 1), (-0.2, 0.2), (0.4, 0.6)))


@complete_docstring
class LTCCell(TimeInputCell):
    """One step of the liquid time-constant network (LTC), for steps at irregular times.

    Every input and every unit has a synapse to every unit. The state v is a potential:

        c dv/dt = g ⊙ (v_0 - v) + Σ w ⊙ φ(s ⊙ (u - m)) ⊙ (e - v)

    The sum is over all synapses of a unit, those from the features (u is a feature; w, e, m and s are the
    blocks of W) and those from the units (u is a unit's v; they are the blocks of U): conductance w, reversal
    potential e, midpoint m, slope s. The bias b [3 * units] holds the leak g, the resting potential v_0 and
    the capacitance c. φ is the logistic sigmoid.

    One step of the cell solves this equation for the time δ_t by N = `unfolds` steps of the paper's fused
    solver, which is stable for every δ_t >= 0:

        a = φ(s ⊙ (u - m))
        v <- (c ⊙ v + δ_t / N (g ⊙ v_0 + Σ w ⊙ a ⊙ e)) / (c + δ_t / N (g + Σ w ⊙ a))

    The last column of the input is δ_t, the time since the step before; a negative one counts as 0. The
    other columns are the features. For regular steps it is a column of ones. Choose a unit in which a
    typical δ is about 1.

    Hasani et al. (2021), "Liquid time-constant networks". Departures: w, g and c enter by their absolute
    values, where the authors' code constrains the weights to be non-negative. The fraction is extended by
    δ_t, so that δ_t = 0 leaves v as it is. There are no affine maps of features and output, which a `Dense`
    layer before and after can add.

    A step costs `unfolds` times units² sigmoids for each row of the batch, much more than that of an LSTM.

    Args:
        units: int. Width of the output and of v.
        activation: str, callable or None. φ, a function or its Keras name; None is the identity.
        use_bias: bool. Must be True: the bias holds leak, resting potential and capacitance.
        kernel_initializer: str, dict, callable or None. Initializer of W. None draws w between 0.001 and 1,
            e from {-1, 1}, -1 with probability 1/3, m between 0.3 and 0.8, and s between 3 and 8.
        recurrent_initializer: str, dict, callable or None. Initializer of U. None draws as for W.
        bias_initializer: str, dict, callable or None. Initializer of b. None draws g between 0.001 and 1,
            v_0 between -0.2 and 0.2, and c between 0.4 and 0.6.
        recurrent_dropout: float. Must be 0: there is no product with U.
        unfolds: int. N, the number of solver steps for each time step.

    Input shape:
        [batch, features + 1]. The last column is δ, the time since the step before.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.LTCCell(4)
        >>> output, [v] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("conductance", "reversal", "midpoint", "slope")
    state_names = ("potential",)

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = None,
        recurrent_initializer: Any = None,
        bias_initializer: Any = None,
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
        unfolds: int = 6,
        zoneout: float | Sequence[float] = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        check_widths(unfolds=unfolds)
        if not use_bias:
            raise ValueError(
                "`use_bias` of LTCCell must be True, because the bias holds leak, resting potential and "
                "capacitance, but it is False. Leave it out."
            )
        if recurrent_dropout:
            raise ValueError(
                "`recurrent_dropout` of LTCCell must be 0, because there is no product with U, but it is "
                f"{recurrent_dropout!r}. Use `zoneout` instead."
            )
        kernel_initializer = kernel_initializer or initialize_synapses
        recurrent_initializer = recurrent_initializer or initialize_synapses
        bias_initializer = bias_initializer or initialize_membrane
        super().__init__(**collect_arguments(locals(), "unfolds"), **kwargs)
        self.unfolds = int(unfolds)

    def bias_shape(self, width: int) -> tuple[int]:
        """Return the shape of b, [3 * units]."""
        return (3 * self.units,)

    def project(self, inputs: Tensor) -> Tensor:
        """Return both sums over the features and δ, side by side, for `inputs` [..., features + 1]."""
        sums = self.sum_synapses(inputs[..., :-1], self.get_weight("kernel"))
        return ops.concatenate([*sums, ops.relu(inputs[..., -1:])], axis=-1)

    def recurrent(self, states: States) -> None:
        """Return None: there is no product with U."""

    def sum_synapses(self, u: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return Σ w ⊙ a and Σ w ⊙ a ⊙ e, each [..., units], for `u` [..., width] and W or U.

        The sums run over the first axis of [width, ..., units], which XLA computes faster than an inner one.
        """
        shape = (weight.shape[0], *[1] * (len(u.shape) - 1), self.units)
        w, e, m, s = (ops.reshape(block, shape) for block in self.split(weight))
        w, u = ops.abs(w), ops.expand_dims(ops.moveaxis(u, -1, 0), -1)
        a = self.activation(s * u - s * m)
        return ops.sum(w * a, axis=0), ops.sum(w * e * a, axis=0)

    def update(self, x: Tensor, r: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute v [batch, units], the output and the only state."""
        leak, rest, capacitance = ops.split(self.get_weight("bias"), 3)
        leak, capacitance = ops.abs(leak), ops.abs(capacitance)
        conductance, current, gap = ops.split(x, [self.units, 2 * self.units], axis=-1)
        conductance, current, gap = conductance + leak, current + leak * rest, gap / self.unfolds
        v, weight = states[0], self.get_weight("recurrent_kernel")
        for _ in range(self.unfolds):
            more_conductance, more_current = self.sum_synapses(v, weight)
            numerator = capacitance * v + gap * (current + more_current)
            v = numerator / (capacitance + gap * (conductance + more_conductance))
        return v, [v]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "unfolds": self.unfolds}
