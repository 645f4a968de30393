"""The quasi-recurrent network."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import tensorflow as tf
from keras import ops

from zoo.cells.base import GatedCell, States, Tensor, check_widths
from zoo.cells.linear import MIN_SCAN_STEPS, check_no_recurrent_dropout
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.scans import forward_fill, scan_valid_steps

POOLINGS = {"f": 2, "fo": 3, "ifo": 4}
"""How many of the weight blocks each form of pooling has."""


@complete_docstring
class QRNNCell(GatedCell):
    """One step of the quasi-recurrent network (QRNN): a causal convolution over time, and gated pooling.

        x_t = Σ_j W_j input_{t-j} + b   for j = 0 to kernel_size - 1
        z = φ(x_z)                      candidate
        f = σ(x_f)                      forget gate: how much stays
        o = σ(x_o)                      output gate; 1 with pooling "f"
        i = σ(x_i)                      input gate: how much is written; 1 - f with poolings "f" and "fo"
        c_t = f ⊙ c_{t-1} + i ⊙ z
        h_t = o ⊙ c_t

    W, the weight `kernel`, has the W_j side by side, [features, kernel_size * n * units] with the n blocks of
    the pooling. No gate depends on c, so a layer computes all time steps by a parallel scan.

    The states are c, and with a filter wider than one input "filter": what the inputs so far add to x in the
    kernel_size - 1 steps to come, [(kernel_size - 1) * n * units]. It is zero at first, as if zeros came
    before the sequence. Padding that a mask hides is no input.

    Bradbury et al. (2017), "Quasi-recurrent neural networks". Departures: there is a bias; zoneout of c, which
    is that of the paper, does not act on h_t of the same step.

    Args:
        kernel_size: int. Width of the filter: how many inputs x depends on, the present one included.
        pooling: "f", "fo" or "ifo". Which gates there are.
        recurrent_initializer: str, dict, callable or None. Without effect: there is no U.
        recurrent_regularizer: str, dict, callable or None. Without effect: there is no U.
        recurrent_constraint: str, dict, callable or None. Without effect: there is no U.
        recurrent_dropout: float. Must be 0: there is no U, so that nothing could be dropped on its way there.
        zoneout: float in [0, 1), or one such number for each state. Probability with which a unit of c keeps
            its value in a training step; in inference c is the expected value. One number is that of c alone.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.QRNNCell(4, kernel_size=2)
        >>> output, [c, ahead] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape, ahead.shape
        (TensorShape([2, 4]), TensorShape([2, 12]))
    """

    weight_blocks = ("candidate", "forget", "output", "input")
    state_names: tuple[str, ...] = ("cell", "filter")
    # `gates` is not among them: its entry "filter" is a state, which `parallel` computes itself.
    parallel_methods: ClassVar[frozenset[str]] = frozenset(
        {"project", "product", "get_weight", "compute_gates", "compute_written", "compute_output"}
    )
    min_parallel_steps: int | None = MIN_SCAN_STEPS

    def __init__(
        self,
        units: int,
        kernel_size: int = 2,
        pooling: str = "fo",
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
        check_widths(kernel_size=kernel_size)
        if pooling not in POOLINGS:
            raise ValueError(f"`pooling` must be one of {', '.join(POOLINGS)}, but it is {pooling!r}.")
        if kernel_size == 1:
            self.state_names = ("cell",)
        elif not isinstance(zoneout, Sequence):
            zoneout = [zoneout, 0.0]
        super().__init__(**collect_arguments(locals(), "kernel_size", "pooling"), **kwargs)
        check_no_recurrent_dropout(self)
        self.kernel_size = int(kernel_size)
        self.pooling = pooling
        if kernel_size > 1:
            self.min_parallel_steps = None  # the convolution apart takes longer than steps do

    @property
    def filter_width(self) -> int:
        """Width of what one input adds to x in one step, n * units."""
        return POOLINGS[self.pooling] * self.units

    @property
    def state_size(self) -> int | list[int | tuple[int, ...]]:
        """Widths of the states."""
        if self.kernel_size == 1:
            return self.units
        return [self.units, (self.kernel_size - 1) * self.filter_width]

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W, [features, kernel_size * n * units]."""
        return (features, self.kernel_size * self.filter_width)

    def recurrent_shape(self, width: int) -> None:
        """Return None: there is no U."""

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of b, [n * units]."""
        return (self.filter_width,)

    def project(self, inputs: Tensor) -> Tensor:
        """Return what `inputs` [..., features] add to x in their own step and in those to come.

        Returns:
            W_0 input + b, W_1 input, W_2 input and so on side by side, [..., kernel_size * n * units].
        """
        x, bias = self.product("kernel", inputs), self.get_weight("bias")
        if bias is None:
            return x
        return x + ops.pad(bias, [[0, (self.kernel_size - 1) * self.filter_width]])

    def gates(self, x: Tensor, r: None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units], and with a wider filter its state as "filter".

        The gates are "candidate", "forget", then "output" and "input" if the pooling has them.
        """
        if self.kernel_size == 1:
            return self.activate(x)
        padding = [*[[0, 0]] * (len(x.shape) - 1), [0, self.filter_width]]
        now, ahead = ops.split(x + ops.pad(states[1], padding), [self.filter_width], -1)
        return {**self.activate(now), "filter": ahead}

    def activate(self, z: Tensor) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units], for the result of the convolution, [..., n * units]."""
        blocks = ops.split(z, POOLINGS[self.pooling], -1)
        return {
            name: self.activation(block) if name == "candidate" else self.recurrent_activation(block)
            for name, block in zip(self.weight_blocks, blocks, strict=False)
        }

    def compute_written(self, gates: dict[str, Tensor]) -> Tensor:
        """Return i ⊙ z [..., units]."""
        return (gates["input"] if "input" in gates else 1 - gates["forget"]) * gates["candidate"]

    def compute_output(self, gates: dict[str, Tensor], c: Tensor) -> Tensor:
        """Return h_t from the gates and c_t, each [..., units]."""
        return gates["output"] * c if "output" in gates else c

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units] and the states."""
        c = gates["forget"] * states[0] + self.compute_written(gates)
        return self.compute_output(gates, c), [c] if self.kernel_size == 1 else [c, gates["filter"]]

    def parallel(self, inputs: Tensor, valid: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h of all time steps, [time, batch, units], and the last states."""
        z, *taps = ops.split(self.project(inputs), self.kernel_size, -1)
        last_filter: list[Tensor] = []
        if taps:
            before: Tensor = 0
            starts = ops.split(states[1], len(taps), -1)
            for tap, start in zip(reversed(taps), reversed(starts), strict=True):
                after = forward_fill(tap + before, valid, start)
                before = tf.concat([start[None], after[:-1]], 0)[: tf.shape(after)[0]]
                last_filter.insert(0, tf.concat([start[None], after[-1:]], 0)[-1])
            z += before
        gates = self.activate(z)
        c, last = scan_valid_steps(gates["forget"], self.compute_written(gates), states[0], valid)
        outputs = forward_fill(self.compute_output(gates, c), valid)
        return outputs, [last, *([ops.concatenate(last_filter, -1)] if taps else [])]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "kernel_size": self.kernel_size, "pooling": self.pooling}
