"""Long short-term memory and its family."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor, check_widths


class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with the forget gate of Gers et al. (2000).

        i = σ(x_i + r_i)                input: how much is written
        f = σ(x_f + r_f)                forget: how much is kept
        g = φ(x_g + r_g)                candidate: what is written
        o = σ(x_o + r_o)                output: how much is shown
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    There are no peepholes, as in `keras.layers.LSTM`, with which weights are interchangeable.

    Args:
        units: width of h and of c.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        unit_forget_bias: whether the forget gate's bias starts at 1, which keeps it open at first
            (Jozefowicz et al., 2015, "An empirical exploration of recurrent network architectures").
        **kwargs: as in `Cell`.
    """

    weight_blocks = ("input", "forget", "candidate", "output")
    state_names = ("hidden", "cell")

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        *,
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Values of b before training: ones in the forget block, where there is one."""
        bias = super().initial_bias(shape, dtype)
        if self.unit_forget_bias and "forget" in self.weight_blocks:
            start = self.weight_blocks.index("forget") * self.units
            ones = ops.ones(self.units, dtype)
            bias = ops.concatenate([bias[:start], ones, bias[start + self.units :]])
        return bias

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        i, f, g, o = self.split(x + r)
        return {
            "input": self.recurrent_activation(i),
            "forget": self.recurrent_activation(f),
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """See `GatedCell.combine`."""
        c = self.compute_cell_state(gates, states)
        h = gates["output"] * self.activation(c)
        return h, [h, c]

    def compute_cell_state(self, gates: dict[str, Tensor], states: States) -> Tensor:
        """c_t [..., units], from the gates by name and the old states."""
        return gates["forget"] * states[1] + gates["input"] * gates["candidate"]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class PeepholeLSTMCell(LSTMCell):
    """LSTM whose gates see the cell state (Gers and Schmidhuber, 2000, "Recurrent nets that time and count").

        i = σ(x_i + r_i + p_i ⊙ c_{t-1})
        f = σ(x_f + r_f + p_f ⊙ c_{t-1})
        g = φ(x_g + r_g)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        o = σ(x_o + r_o + p_o ⊙ c_t)
        h_t = o ⊙ φ(c_t)

    The peepholes p_i, p_f and p_o are the rows of one weight [3, units], which starts at zero: at first the
    cell is an LSTM. The paper starts them at random, has two other squashing functions where φ is, and cuts
    gradients off between memory blocks; here they are whole. The arguments are those of `LSTMCell`.
    `candidate_dropout` comes after the gates: o sees the c_t of the whole candidate.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """See `Cell.build`."""
        super().build(input_shape)
        self.peephole = self.add_weight(shape=(3, self.units), name="peephole", initializer="zeros")

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        i, f, g, o = self.split(x + r)
        p_i, p_f, p_o = (self.peephole[i] for i in range(3))
        gates = {
            "input": self.recurrent_activation(i + p_i * states[1]),
            "forget": self.recurrent_activation(f + p_f * states[1]),
            "candidate": self.activation(g),
        }
        output = self.recurrent_activation(o + p_o * self.compute_cell_state(gates, states))
        return {**gates, "output": output}


class CoupledLSTMCell(LSTMCell):
    """LSTM that forgets as much as it writes (Greff et al., 2017, "LSTM: a search space odyssey": CIFG).

        i = σ(x_i + r_i)
        f = 1 - i
        g = φ(x_g + r_g)
        o = σ(x_o + r_o)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    There are three blocks of weights, and no peepholes, which the paper's variant has. The arguments are
    those of `LSTMCell`; `unit_forget_bias` is without effect, for the forget gate has no bias.
    """

    weight_blocks = ("input", "candidate", "output")

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        i, g, o = self.split(x + r)
        write = self.recurrent_activation(i)
        return {
            "input": write,
            "forget": 1 - write,
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }


class ProjectedLSTMCell(LSTMCell):
    """LSTM whose output is narrower than its memory (Sak, Senior and Beaufays, 2014).

        i, f, g, o, c_t as in `LSTMCell`, with r_t = U h_{t-1}
        m_t = o ⊙ φ(c_t)
        h_t = P m_t

    The source is "Long short-term memory recurrent neural network architectures for large scale acoustic
    modeling". W is [features, 4 * units], U [projection_units, 4 * units] and P, the weight `projection`,
    [units, projection_units].

    The output is h [projection_units], the states are m and c [units]. What is carried from step to step,
    and what `initial_state`, `recurrent_dropout` and `zoneout` act on, is m and not its projection: P m is
    computed on its way into U, and for the outputs of all time steps in one product. The paper's peepholes
    and its second projection, which U does not see, are left out, as in PyTorch's `LSTM(proj_size=...)`.

    Args:
        units: width of m and of c.
        projection_units: width of h.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        **kwargs: as in `LSTMCell`.
    """

    def __init__(
        self,
        units: int,
        projection_units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        **kwargs: Any,
    ) -> None:
        check_widths(projection_units=projection_units)
        super().__init__(units, activation, recurrent_activation, **kwargs)
        self.projection_units = int(projection_units)

    @property
    def output_size(self) -> int:
        """Width of the output."""
        return self.projection_units

    def build(self, input_shape: Sequence[int | None]) -> None:
        """See `Cell.build`."""
        super().build(input_shape)
        self.projection = self.add_weight(shape=(self.units, self.projection_units), name="projection")

    def recurrent_shape(self, width: int) -> tuple[int, int]:
        """See `Cell.recurrent_shape`."""
        return (self.projection_units, width)

    def recurrent(self, states: States) -> Tensor:
        """See `Cell.recurrent`."""
        return super().recurrent([self.readout(states[0])])

    def readout(self, outputs: Tensor) -> Tensor:
        """P m, from m [..., units]."""
        return ops.matmul(outputs, self.projection)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "projection_units": self.projection_units}
