"""The phased LSTM."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.cells.base import States, Tensor, check_rates
from zoo.cells.lstm import LSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.cells.time_input import TimeInputCell


@complete_docstring
class PhasedLSTMCell(TimeInputCell, LSTMCell):
    """One step of an LSTM whose units are open periodically, for steps at irregular times.

        p = ((t - s τ) mod τ) / τ                   phase of each unit at the time t
        k = 2p / q                                  where p < q / 2: the unit opens
        k = 2 - 2p / q                              where q / 2 <= p < q: it closes
        k = α p                                     elsewhere: it is closed and leaks
        i = σ(x_i + r_i),  f = σ(x_f + r_f),  g = φ(x_g + r_g),  o = σ(x_o + r_o)
        c' = f ⊙ c_{t-1} + i ⊙ g
        h' = o ⊙ φ(c')
        c_t = k ⊙ c' + (1 - k) ⊙ c_{t-1}
        h_t = k ⊙ h' + (1 - k) ⊙ h_{t-1}

    with x_t = W features_t + b and r_t = U h_{t-1}. The last column of the input is t, the time stamp of the
    step, in any unit; the other columns are features_t. The weights `shift` (s, in periods), `log_period`
    (log τ) and `ratio` (q) [units] belong to the time gate k.

    Phases are computed in float32 also in half precision, or in float64 where the inputs are float64.
    float32 has 24 significant bits: it resolves a second within 194 days. Subtract the time of the first
    step from larger stamps, or pass inputs of float64. A layer around this one, such as `Bidirectional`, must
    not cast the inputs either: `autocast=False`.

    Neil, Pfeiffer and Liu (2016), "Phased LSTM: accelerating recurrent network training for long or
    event-based sequences". As there, α is 0 in inference. Departures: there are no peepholes. The weights are
    log τ and s in periods, so that a step of an optimizer changes short and long periods alike, where the
    paper's are τ and s in units of time. q enters by its absolute value.

    Args:
        min_period: float. Shortest period at the start, in the unit of the time stamps.
        max_period: float. Longest period at the start. The logarithm of τ is drawn uniformly between the
            two, and s between 0 and 1.
        open_ratio: float in (0, 1). Fraction of a period during which a unit is open: q at the start.
        leak: float in [0, 1). α in training.

    Input shape:
        [batch, features + 1]. The last column is the time stamp.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.PhasedLSTMCell(4)
        >>> output, [h, c] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

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
        min_period: float = 1.0,
        max_period: float = 1000.0,
        open_ratio: float = 0.05,
        leak: float = 0.001,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        inherited = collect_arguments(locals(), "min_period", "max_period", "open_ratio", "leak")
        if kwargs.pop("autocast", False):
            raise ValueError(
                "`autocast` of PhasedLSTMCell must be False, because half precision could not tell time stamps apart, "
                "but it is True. Leave it out."
            )
        super().__init__(**inherited, autocast=False, **kwargs)
        if not 0 < min_period <= max_period:
            raise ValueError(
                "`min_period` must be positive and at most `max_period`, but they are "
                f"{min_period!r} and {max_period!r}."
            )
        if not 0 < open_ratio < 1:
            raise ValueError(f"`open_ratio` must be between 0 and 1, but it is {open_ratio!r}.")
        check_rates(leak=leak)
        self.min_period = min_period
        self.max_period = max_period
        self.open_ratio = open_ratio
        self.leak = leak

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for inputs [batch, features + 1]."""
        super().build(input_shape)
        initializers = {
            "shift": keras.initializers.RandomUniform(0, 1),
            "log_period": keras.initializers.RandomUniform(*np.log([self.min_period, self.max_period])),
            "ratio": keras.initializers.Constant(self.open_ratio),
        }
        for name, initializer in initializers.items():
            weight = self.add_weight(shape=(self.units,), name=name, initializer=initializer, autocast=False)
            setattr(self, name, weight)

    def prepare_constants(self, constants: dict[str, Tensor], training: bool) -> dict[str, Tensor]:
        """Return `constants`, in training with α under "leak"."""
        leak = {"leak": ops.convert_to_tensor(self.leak, self.variable_dtype)} if training else {}
        return {**constants, **leak}

    def project(self, inputs: Tensor) -> Tensor:
        """Return W features + b and the time gate, side by side, for `inputs` [..., features + 1]."""
        x = super().project(ops.cast(inputs[..., :-1], self.compute_dtype))
        k = self.compute_time_gate(inputs[..., -1:])
        return ops.concatenate([x, ops.cast(k, self.compute_dtype)], axis=-1)

    def compute_time_gate(self, time: Tensor) -> Tensor:
        """Return k [..., units] at the time stamps `time` [..., 1], in float32 or float64."""
        dtype = keras.backend.result_type(time.dtype, "float32")
        weights = (*map(self.get_weight, ("shift", "log_period", "ratio")), self.constants.get("leak", 0.0))
        time, shift, log_period, ratio, leak = (ops.cast(value, dtype) for value in (time, *weights))
        period, ratio = ops.exp(log_period), ops.abs(ratio)
        phase = ops.mod(time - shift * period, period) / period
        opening, closing = 2 * phase / ratio, 2 - 2 * phase / ratio
        return ops.where(phase < ratio / 2, opening, ops.where(phase < ratio, closing, leak * phase))

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: those of an LSTM, and "time"."""
        return {**super().gates(x[..., : -self.units], r, states), "time": x[..., -self.units :]}

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t and the states h_t and c_t, each [batch, units]."""
        _, new = super().combine(gates, states)
        k = gates["time"]
        h, c = (k * after + (1 - k) * before for after, before in zip(new, states, strict=True))
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "min_period": self.min_period,
            "max_period": self.max_period,
            "open_ratio": self.open_ratio,
            "leak": self.leak,
        }
