"""The simple recurrent unit."""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from zoo.cells.base import GatedCell, States, Tensor
from zoo.cells.linear import MIN_SCAN_STEPS, check_no_recurrent_dropout
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.scans import forward_fill, scan_valid_steps


@complete_docstring
class SRUCell(GatedCell):
    """One step of the simple recurrent unit (SRU).

        g = x_g                         candidate
        f = σ(x_f + v_f ⊙ c_{t-1})      forget gate: how much stays
        r = σ(x_r + v_r ⊙ c_{t-1})      reset gate: how much of the output is memory
        c_t = f ⊙ c_{t-1} + (1 - f) ⊙ g
        h_t = r ⊙ φ(c_t) + (1 - r) ⊙ α x_h

    with x_t = W input_t + b, where b has the blocks f and r. x_h, the highway, is the input itself where
    that has as many features as the cell has units; otherwise it is one more block of W. α, a constant, is
    √(1 + 2 exp(highway_bias)). v is the weight `recurrent_kernel` [2 * units]. The only state is c.

    Lei et al. (2018), "Simple recurrent units for highly parallelizable recurrence". φ is the identity there.
    With `use_peepholes=False` there is no v, and no gate depends on c, so a layer computes all time steps by
    a parallel scan: the first version of the paper, Lei and Zhang (2017), "Training RNNs as fast as CNNs",
    which also has `activation="tanh"` and `rescale=False`. Departures: inputs of another width have the block
    x_h, as in the authors' code; W_f and W_r start with the variance of W, where that code halves it.

    Args:
        activation: str, callable or None. φ, a function or its Keras name; None is the identity.
        recurrent_initializer: str, dict, callable or None. Initializer of v; None is uniform between -√1.5
            and √1.5.
        recurrent_regularizer: str, dict, callable or None. Regularizer of v.
        recurrent_constraint: str, dict, callable or None. Constraint on v.
        recurrent_dropout: float in [0, 1). Fraction of c_{t-1} that is dropped on its way to v in training,
            with one mask per sequence.
        use_peepholes: bool. Whether the gates depend on c_{t-1}.
        highway_bias: float. What is added to the bias of r before training. Below 0, h_t is close to the
            input at first.
        rescale: bool. Whether α is √(1 + 2 exp(highway_bias)), which keeps the variance of the input in
            deep stacks; otherwise it is 1.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.SRUCell(4)
        >>> output, [c] = cell(keras.ops.ones((2, 4)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("candidate", "forget", "reset", "highway")
    state_names = ("cell",)
    parallel_methods: ClassVar[frozenset[str]] = frozenset(
        {"project", "product", "get_weight", "gates", "compute_gates", "compute_output", "split"}
    )
    min_parallel_steps = MIN_SCAN_STEPS

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "lecun_uniform",
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
        use_peepholes: bool = True,
        highway_bias: float = 0.0,
        rescale: bool = True,
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(-math.sqrt(1.5), math.sqrt(1.5))
        super().__init__(**collect_arguments(locals(), "use_peepholes", "highway_bias", "rescale"), **kwargs)
        self.use_peepholes = self.needs_steps = use_peepholes
        self.highway_bias = highway_bias
        self.rescale = rescale
        if not use_peepholes:
            check_no_recurrent_dropout(self)

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W: without the block of the highway if there are as many features as units."""
        return (features, self.units * (3 if features == self.units else 4))

    def recurrent_shape(self, width: int) -> tuple[int, ...] | None:
        """Return the shape of v, [2 * units]; None without peepholes."""
        return (2 * self.units,) if self.use_peepholes else None

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of b, [2 * units]."""
        return (2 * self.units,)

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Return the values of b before training."""
        highway = ops.repeat(ops.array([0, self.highway_bias], dtype), self.units)
        return super().initial_bias(shape, dtype) + highway

    def project(self, inputs: Tensor) -> Tensor:
        """Return x [..., 4 * units] for `inputs` [..., features], of one time step or of all."""
        x, bias = self.product("kernel", inputs), self.get_weight("bias")
        if inputs.shape[-1] == self.units:
            x = ops.concatenate([x, inputs], -1)
        return x if bias is None else x + ops.pad(bias, [[self.units, self.units]])

    def recurrent(self, states: States) -> Tensor | None:
        """Return v ⊙ c [..., 2 * units] for the state c [..., units]; None without peepholes."""
        if not self.use_peepholes:
            return None
        return ops.concatenate([states[0], states[0]], -1) * self.get_weight("recurrent_kernel")

    def gates(self, x: Tensor, r: Tensor | None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "candidate", "forget", "reset", "highway"."""
        candidate, forget, reset, highway = self.split(x)
        if r is not None:
            r_forget, r_reset = ops.split(r, 2, -1)
            forget, reset = forget + r_forget, reset + r_reset
        scale = math.sqrt(1 + 2 * math.exp(self.highway_bias)) if self.rescale else 1
        return {
            "candidate": candidate,
            "forget": self.recurrent_activation(forget),
            "reset": self.recurrent_activation(reset),
            "highway": scale * highway,
        }

    def compute_output(self, gates: dict[str, Tensor], c: Tensor) -> Tensor:
        """Return h_t from the gates and c_t, each [..., units]."""
        return gates["reset"] * self.activation(c) + (1 - gates["reset"]) * gates["highway"]

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t and c_t, each [batch, units]."""
        c = gates["forget"] * states[0] + (1 - gates["forget"]) * gates["candidate"]
        return self.compute_output(gates, c), [c]

    def parallel(self, inputs: Tensor, valid: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h of all time steps, [time, batch, units], and the last c, for a cell without peepholes."""
        gates = self.compute_gates(self.project(inputs), None, states)
        written = (1 - gates["forget"]) * gates["candidate"]
        c, last = scan_valid_steps(gates["forget"], written, states[0], valid)
        return forward_fill(self.compute_output(gates, c), valid), [last]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "use_peepholes": self.use_peepholes,
            "highway_bias": self.highway_bias,
            "rescale": self.rescale,
        }
