"""The sLSTM: an LSTM with exponential gates and heads."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from zoo.cells.base import States, Tensor, check_widths, widen
from zoo.cells.lstm import LSTMCell
from zoo.cells.signatures import collect_arguments, complete_docstring


@complete_docstring
class SLSTMCell(LSTMCell):
    """One step of the sLSTM: an LSTM with exponential gates, a normalizer, and heads.

        log i = x_i + r_i                       input gate i = exp(x_i + r_i)
        log f = log σ(x_f + r_f)                forget gate f = σ(x_f + r_f)
        z = φ(x_z + r_z)                        candidate
        o = σ(x_o + r_o)                        output gate
        m_t = max(log f + m_{t-1}, log i)       or log i where n_{t-1} = 0
        i' = exp(log i - m_t)
        f' = exp(log f + m_{t-1} - m_t)
        c_t = f' ⊙ c_{t-1} + i' ⊙ z
        n_t = f' ⊙ n_{t-1} + i'
        h_t = o ⊙ c_t / n_t

    with x_t = W input_t + b and r_t = U h_{t-1}; the states are h, c, n and m. The stabilizer m keeps the
    exponentials in range. It scales c and n by exp(-m), so h does not depend on it.

    The units are split into heads of `head_dim` = units / num_heads units each. U is block-diagonal, so that
    a head reads its own part of h_{t-1} alone. The weight `recurrent_kernel` [num_heads, head_dim, 4 *
    head_dim] has a matrix for each head.

    Beck et al. (2024), "xLSTM: extended long short-term memory". The order of the gates is that of the
    authors' code. Departures: f is always σ, as in that code, where the paper also allows exp; U starts
    orthogonal and b_f at 1, where the code starts U at 0 and b_f at values from 5 to -7 that depend on the
    position of the block in a stack.

    The cell is the recurrence, its output gate included. The other parts of an xLSTM block are left to the
    user: the causal convolution before it (in the paper, i and f read its output, z and o the input itself),
    the normalization of each head's output, the gated feed-forward layer, and the residual connection.

    Args:
        units: int. Width of the output and of each state, a multiple of `num_heads`.
        num_heads: int. Number of heads.
        activation: str, callable or None. φ, the activation of the candidate: a function or its Keras name;
            None is the identity.
        recurrent_activation: str, callable or None. σ of the output gate: a function or its Keras name; None
            is the identity. The forget gate always has the logistic sigmoid.
        recurrent_initializer: str, dict, callable or None. Initializer of U [num_heads, head_dim, 4 *
            head_dim].
        zoneout: float or four floats. Zoneout of h, as a list `[rate, 0, 0, 0]`. It must be 0 for c, n and
            m, which are meaningful only together.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.SLSTMCell(4, num_heads=2)
        >>> output, [h, c, n, m] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    state_names = ("hidden", "cell", "normalizer", "stabilizer")

    def __init__(
        self,
        units: int,
        num_heads: int = 4,
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
        check_heads(units, num_heads)
        super().__init__(**collect_arguments(locals(), "num_heads"), **kwargs)
        self.num_heads = int(num_heads)
        if any(self.zoneout[1:]):
            raise ValueError(
                f"`zoneout` of {type(self).__name__} must be 0 for the states {self.state_names[1:]}, which are "
                f"meaningful only together, but it is {zoneout!r}. Write `zoneout=[rate, 0, 0, 0]`."
            )

    @property
    def head_dim(self) -> int:
        """Number of units in a head."""
        return self.units // self.num_heads

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of U, [num_heads, head_dim, 4 * head_dim]."""
        return (self.num_heads, self.head_dim, width // self.num_heads)

    def compute_constants(self, constants: dict[str, Tensor] | None, training: bool) -> dict[str, Tensor]:
        """Return the constants with the matrix of each head [head_dim, 4 * head_dim], for `recurrent`."""
        prepared = super().compute_constants(constants, training)
        kernel = prepared.get("recurrent_kernel", self.recurrent_kernel)
        return {**prepared, **{f"recurrent_kernel_{j}": kernel[j] for j in range(self.num_heads)}}

    def recurrent(self, states: States) -> Tensor:
        """Return r = U h for `states`, each [..., units]."""
        # One product for each head is faster than `einsum`, which XLA computes by a plain loop on a CPU, and from
        # about 100 units on faster than one product with a dense U.
        hs = ops.split(states[0], self.num_heads, axis=-1)
        rs = [self.product(f"recurrent_kernel_{j}", h) for j, h in enumerate(hs)]
        by_head = [ops.split(r, len(self.weight_blocks), axis=-1) for r in rs]
        return ops.concatenate([r for by_gate in zip(*by_head, strict=True) for r in by_gate], axis=-1)

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units].

        They are "input" (i'), "forget" (f'), "candidate", "output" and "stabilizer" (m_t).
        """
        i, f, z, o = self.split(x + r)
        _, _, n, m = states
        kept = ops.where(n == 0, -float("inf"), ops.log_sigmoid(widen(f)) + widen(m))
        i, f, m = stabilize(widen(i), kept, self.compute_dtype)
        return {
            "input": i,
            "forget": f,
            "candidate": self.activation(z),
            "output": self.recurrent_activation(o),
            "stabilizer": m,
        }

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t and the states h_t, c_t, n_t and m_t, each [batch, units]."""
        c = self.compute_cell_state(gates, states)
        n = gates["forget"] * states[2] + gates["input"]
        h = gates["output"] * c / n
        return h, [h, c, n, gates["stabilizer"]]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_heads": self.num_heads}


def check_heads(units: int, num_heads: int) -> None:
    """Raise a ValueError if `units` cannot be split into `num_heads` heads of equal width."""
    check_widths(units=units, num_heads=num_heads)
    if units % num_heads:
        raise ValueError(
            f"`units` must be a multiple of `num_heads`, but they are {units} and {num_heads}. Choose a number of "
            "heads that divides `units`."
        )


def stabilize(log_input: Tensor, log_kept: Tensor, dtype: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return i' = exp(log i - m), f' = exp(log k - m), and m = max(log k, log i), all of `dtype`.

    The exponents use the m that is rounded to `dtype`, which is what the next step gets.

    Args:
        log_input: log i, in at least float32.
        log_kept: log k = log f + m_{t-1}, in at least float32.
        dtype: of the results.
    """
    m = ops.cast(ops.maximum(log_kept, log_input), dtype)
    i, f = (ops.exp(exponent - widen(m)) for exponent in (log_input, log_kept))
    return ops.cast(i, dtype), ops.cast(f, dtype), m
