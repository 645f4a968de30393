"""Long short-term memory and its family."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from keras import ops

from zoo.cells.base import GatedCell, States, Tensor, check_widths
from zoo.cells.signatures import collect_arguments, complete_docstring


@complete_docstring
class LSTMCell(GatedCell):
    """One step of long short-term memory.

        i = σ(x_i + r_i)                input gate: how much is written
        f = σ(x_f + r_f)                forget gate: how much stays
        g = φ(x_g + r_g)                candidate: what is written
        o = σ(x_o + r_o)                output gate: how much is read
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    with x_t = W input_t + b and r_t = U h_{t-1}; the states are h and c.

    Hochreiter and Schmidhuber (1997), "Long short-term memory"; the forget gate is that of Gers,
    Schmidhuber and Cummins (2000), "Learning to forget: continual prediction with LSTM". Departures: φ is
    tanh where the papers scale the logistic function, each cell has its own gates, and gradients are not
    truncated. As in Keras there are no peepholes; see `PeepholeLSTMCell`.

    The order of the gates and the weights are those of `keras.layers.LSTM`.

    Args:
        unit_forget_bias: bool. Whether the bias of the forget gate starts at 1, which leaves the gate open
            at first. Jozefowicz, Zaremba and Sutskever (2015), "An empirical exploration of recurrent
            network architectures".

    Example:
        >>> import keras, zoo
        >>> cell = zoo.LSTMCell(4)
        >>> output, [h, c] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks: ClassVar[tuple[str, ...]] = ("input", "forget", "candidate", "output")
    state_names: tuple[str, ...] = ("hidden", "cell")

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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**collect_arguments(locals(), "unit_forget_bias"), **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Return the values of b before training: with `unit_forget_bias` ones for the forget gate."""
        bias = super().initial_bias(shape, dtype)
        if self.unit_forget_bias and "forget" in self.weight_blocks:
            start = self.weight_blocks.index("forget") * self.units
            ones = ops.ones(self.units, dtype)
            bias = ops.concatenate([bias[:start], ones, bias[start + self.units :]])
        return bias

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "input", "forget", "candidate", "output"."""
        i, f, g, o = self.split(x + r)
        return {
            "input": self.recurrent_activation(i),
            "forget": self.recurrent_activation(f),
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t and the states h_t and c_t, each [batch, units]."""
        c = self.compute_cell_state(gates, states)
        h = gates["output"] * self.activation(c)
        return h, [h, c]

    def compute_cell_state(self, gates: dict[str, Tensor], states: States) -> Tensor:
        """Compute c_t [..., units] from the gates and the states of the step before."""
        return gates["forget"] * states[1] + gates["input"] * gates["candidate"]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@complete_docstring
class PeepholeLSTMCell(LSTMCell):
    """One step of an LSTM whose gates depend on the cell state, too.

        i = σ(x_i + r_i + p_i ⊙ c_{t-1})
        f = σ(x_f + r_f + p_f ⊙ c_{t-1})
        g = φ(x_g + r_g)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        o = σ(x_o + r_o + p_o ⊙ c_t)
        h_t = o ⊙ φ(c_t)

    with x_t = W input_t + b and r_t = U h_{t-1}. The peepholes p_i, p_f and p_o are the rows of one weight
    `peephole` [3, units].

    Gers and Schmidhuber (2000), "Recurrent nets that time and count". Departures: the peepholes start at
    zero, so that the cell is an LSTM at first, where the paper starts them at random; the paper has other
    squashing functions where φ is; and it cuts gradients off between memory blocks, which does not happen
    here.

    Args:
        candidate_dropout: float in [0, 1). Fraction of the candidate that is dropped in training, with a
            new mask at each step: "Recurrent dropout without memory loss" (Semeniuta, Severyn and Barth,
            2016). It is applied after the gates, so o depends on the c_t of the whole candidate.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.PeepholeLSTMCell(4)
        >>> output, [h, c] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, U, b and the peepholes for inputs [batch, features]."""
        super().build(input_shape)
        self.peephole = self.add_weight(shape=(3, self.units), name="peephole", initializer="zeros")

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "input", "forget", "candidate", "output"."""
        i, f, g, o = self.split(x + r)
        peephole = self.get_weight("peephole")
        p_i, p_f, p_o = (peephole[i] for i in range(3))
        gates = {
            "input": self.recurrent_activation(i + p_i * states[1]),
            "forget": self.recurrent_activation(f + p_f * states[1]),
            "candidate": self.activation(g),
        }
        output = self.recurrent_activation(o + p_o * self.compute_cell_state(gates, states))
        return {**gates, "output": output}


@complete_docstring
class CoupledLSTMCell(LSTMCell):
    """One step of an LSTM with coupled input and forget gates (CIFG): it forgets as much as it writes.

        i = σ(x_i + r_i)
        f = 1 - i
        g = φ(x_g + r_g)
        o = σ(x_o + r_o)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    with x_t = W input_t + b and r_t = U h_{t-1}, which have three blocks: there are no weights of a forget
    gate.

    Greff et al. (2017), "LSTM: a search space odyssey". Departure: the paper's variant has peepholes.

    Args:
        unit_forget_bias: bool. Accepted for compatibility with `LSTMCell`, without effect: the forget gate
            has no bias.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.CoupledLSTMCell(4)
        >>> output, [h, c] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("input", "candidate", "output")

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "input", "forget", "candidate", "output"."""
        i, g, o = self.split(x + r)
        write = self.recurrent_activation(i)
        return {
            "input": write,
            "forget": 1 - write,
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }


@complete_docstring
class ProjectedLSTMCell(LSTMCell):
    """One step of an LSTM whose output is narrower than its memory.

        i = σ(x_i + r_i),  f = σ(x_f + r_f),  g = φ(x_g + r_g),  o = σ(x_o + r_o)
        c_t = f ⊙ c_{t-1} + i ⊙ g
        m_t = o ⊙ φ(c_t)
        h_t = P m_t

    with x_t = W input_t + b and r_t = U h_{t-1}. W is [features, 4 * units], U [projection_units, 4 *
    units], and P, the weight `projection`, [units, projection_units].

    Sak, Senior and Beaufays (2014), "Long short-term memory recurrent neural network architectures for
    large scale acoustic modeling". Departures: there are no peepholes and no second projection that U does
    not see, as in PyTorch's `LSTM(proj_size=...)`.

    The states are m and c, both [units]: `initial_state`, `recurrent_dropout` and `zoneout` act on m. The
    projection is computed from m on its way into U, and for the outputs of all time steps in one product.

    Args:
        units: int. Width of m and of c.
        projection_units: int. Width of h, the output.

    Output shape:
        A tuple of the output [batch, projection_units] and the new states m and c, each [batch, units].

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.ProjectedLSTMCell(4, 2)
        >>> output, [m, c] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 2])
    """

    def __init__(
        self,
        units: int,
        projection_units: int,
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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        check_widths(projection_units=projection_units)
        super().__init__(**collect_arguments(locals(), "projection_units"), **kwargs)
        self.projection_units = int(projection_units)

    @property
    def output_size(self) -> int:
        """Width of the output."""
        return self.projection_units

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, U, b and P for inputs [batch, features]."""
        super().build(input_shape)
        self.projection = self.add_weight(shape=(self.units, self.projection_units), name="projection")

    def recurrent_shape(self, width: int) -> tuple[int, int]:
        """Return the shape of U, [projection_units, width]."""
        return (self.projection_units, width)

    def recurrent(self, states: States) -> Tensor:
        """Return r = U P m for `states`, each [..., units]."""
        return super().recurrent([self.readout(states[0])])

    def readout(self, outputs: Tensor) -> Tensor:
        """Return h = P m [..., projection_units] for m [..., units]."""
        return ops.matmul(outputs, self.get_weight("projection"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "projection_units": self.projection_units}
