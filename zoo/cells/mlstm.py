"""The mLSTM: a matrix memory with exponential gates, computed for many time steps at once."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from keras import ops

from zoo.cells.base import Cell, States, Tensor, widen
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.cells.slstm import check_heads, stabilize
from zoo.scans import forward_fill

MAX_CHUNK_SIZE = 64
"""Most time steps in a chunk of `MLSTMCell.parallel`."""

NEVER = -1e30
"""Logarithm of the weight of a step that must have none; finite, so that differences are defined."""

MAX_STABILIZER = 14.0
"""Where the lower bound of the denominator ends, exp(-14) = 8e-7: so 0 / 0 cannot happen."""


@complete_docstring
class MLSTMCell(Cell):
    """One step of the mLSTM: a matrix memory C for each head, which is written by keys and read by queries.

        q = x_q                                 query
        k = x_k / √head_dim                     key
        v = φ(x_v)                              value
        o = σ(x_o)                              output gate
        log i = x_i                             input gate i = exp(x_i), one number for each head
        log f = log σ(x_f)                      forget gate f = σ(x_f), one number for each head
        m_t = max(log f + m_{t-1}, log i)
        i' = exp(log i - m_t)
        f' = exp(log f + m_{t-1} - m_t)
        C_t = f' C_{t-1} + i' v k^T
        n_t = f' n_{t-1} + i' k
        h_t = o ⊙ C_t q / max(|n_t · q|, exp(-m_t))

    with x_t = W input_t + b, for each head. The states are C [num_heads, head_dim, head_dim], n [num_heads,
    head_dim] and m [num_heads], with head_dim = units / num_heads. The stabilizer m keeps the exponentials in
    range. It scales C and n by exp(-m), so h does not depend on it. W is [features, 4 * units + 2 *
    num_heads]: the blocks of q, k, v and o have `units` columns, those of i and f have `num_heads`.

    Nothing but C, n and m depends on the step before, so a layer computes the steps of a chunk at once:
    within a chunk as an attention with decaying weights, from chunk to chunk by the states.

    Beck et al. (2024), "xLSTM: extended long short-term memory". As in the authors' code b_f starts at values
    from 3 to 6, one for each head. Departures: f is always σ, as in that code, where the paper also allows
    exp (override `activate` for it); the columns of W for i and f start like the others, where the code
    starts them at 0; the denominator is at least exp(-14) = 8e-7, where the code adds 1e-6 to it.

    The cell is the recurrence, its output gate included. The other parts of an xLSTM block are left to the
    user: the projections up and down, the causal convolution before q and k, the normalization of each
    head's output, the skip connection, and the residual connection. In the authors' block i and f are
    computed from q, k and v, and the normalization comes before the output gate, which is SiLU of a second
    projection.

    Args:
        units: int. Width of the output, a multiple of `num_heads`.
        num_heads: int. Number of heads.
        activation: str, callable or None. φ, the activation of the value: a function or its Keras name. None,
            the identity, is that of the paper.
        recurrent_initializer: str, dict, callable or None. Without effect: there is no U.
        recurrent_regularizer: str, dict, callable or None. Without effect: there is no U.
        recurrent_constraint: str, dict, callable or None. Without effect: there is no U.
        bias_initializer: str, dict, callable or None. Initializer of b, without that of the forget gate.
        recurrent_dropout: float. Must be 0: there is no U.
        zoneout: float. Must be 0: C, n and m are meaningful only together.

    Call arguments:
        inputs: tensor [batch, features]. One time step.
        states: list of the tensors C [batch, num_heads, head_dim, head_dim], n [batch, num_heads, head_dim]
            and m [batch, num_heads].
        training: bool, `False` by default. Whether dropout draws random numbers.
        constants: dict of tensors by name, for `prepare_constants`; none by default.

    Output shape:
        A tuple of the output [batch, units] and the new states, shaped as the old ones.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.MLSTMCell(4, num_heads=2)
        >>> output, [C, n, m] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape, C.shape
        (TensorShape([2, 4]), TensorShape([2, 2, 2, 2]))
    """

    weight_blocks = ("query", "key", "value", "output", "input", "forget")
    state_names = ("memory", "normalizer", "stabilizer")
    parallel_methods = frozenset(
        {"project", "product", "get_weight", "split", "activate", "read", "scan_chunks"}
    )
    min_parallel_steps = 100

    def __init__(
        self,
        units: int,
        num_heads: int = 4,
        activation: str | Callable[..., Any] | None = None,
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
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        check_heads(units, num_heads)
        super().__init__(**collect_arguments(locals(), "num_heads"), **kwargs)
        self.num_heads = int(num_heads)
        if self.recurrent_dropout or any(self.zoneout):
            raise ValueError(
                f"`recurrent_dropout` and `zoneout` of {type(self).__name__} must be 0, because it has no U and "
                f"its states are meaningful only together, but they are {recurrent_dropout!r} and {zoneout!r}. "
                "Use `dropout` instead."
            )

    @property
    def head_dim(self) -> int:
        """Number of units in a head."""
        return self.units // self.num_heads

    @property
    def state_size(self) -> list[int | tuple[int, ...]]:
        """Shapes of C, n and m."""
        heads, size = self.num_heads, self.head_dim
        return [(heads, size, size), (heads, size), heads]

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W, [features, 4 * units + 2 * num_heads]."""
        return (features, 4 * self.units + 2 * self.num_heads)

    def recurrent_shape(self, width: int) -> None:
        """Return None: there is no U."""

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Return the values of b before training: from 3 to 6 for the forget gates."""
        bias = super().initial_bias(shape, dtype)
        return ops.concatenate([bias[: -self.num_heads], ops.linspace(3, 6, self.num_heads, dtype=dtype)])

    def split(self, z: Tensor) -> list[Tensor]:
        """Split `z` [..., 4 * units + 2 * num_heads] into blocks, in the order of `weight_blocks`.

        Those of q, k, v and o are [..., num_heads, head_dim], those of i and f [..., num_heads].
        """
        ends = [*(n * self.units for n in range(1, 5)), 4 * self.units + self.num_heads]
        *blocks, i, f = ops.split(z, ends, axis=-1)
        shape = (*ops.shape(z)[:-1], self.num_heads, self.head_dim)
        return [*(ops.reshape(block, shape) for block in blocks), i, f]

    def activate(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute what does not depend on the states, for `x` of one time step or of all.

        Args:
            x: result of `project`, [..., 4 * units + 2 * num_heads].

        Returns:
            q, k, v and o, each [..., num_heads, head_dim]; log i and log f, each [..., num_heads] and in at
            least float32.
        """
        q, k, v, o, i, f = self.split(x)
        k = k / math.sqrt(self.head_dim)
        return q, k, self.activation(v), ops.sigmoid(o), widen(i), ops.log_sigmoid(widen(f))

    def gates(self, x: Tensor, r: None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, with "query", "key" and "value".

        These and "output" are [..., num_heads, head_dim]. "input" (i'), "forget" (f') and "stabilizer" (m_t)
        are [..., num_heads].
        """
        q, k, v, o, log_i, log_f = self.activate(x)
        i, f, m = stabilize(log_i, log_f + widen(states[2]), self.compute_dtype)
        return {"query": q, "key": k, "value": v, "input": i, "forget": f, "output": o, "stabilizer": m}

    def update(self, x: Tensor, r: None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units] and the states C_t, n_t and m_t."""
        gate = self.gates(x, r, states)
        q, k, v, m = (gate[name] for name in ("query", "key", "value", "stabilizer"))
        i, f = gate["input"][..., None], gate["forget"][..., None]
        n = f * states[1] + i * k
        memory = f[..., None] * states[0] + (i * v)[..., :, None] * k[..., None, :]
        h = self.read(ops.sum(memory * q[..., None, :], -1), ops.sum(n * q, -1), m, gate["output"])
        return ops.reshape(h, (*ops.shape(h)[:-2], self.units)), [memory, n, m]

    def read(self, numerator: Tensor, denominator: Tensor, m: Tensor, output: Tensor) -> Tensor:
        """Return h for C q, n · q, m and o: [..., num_heads, head_dim]."""
        # Both are scaled by exp(m) where m is negative, because exp(-m) could be infinite there.
        scale = ops.exp(ops.minimum(m, 0))
        bound = ops.exp(-ops.clip(m, 0, MAX_STABILIZER))
        factor = scale / ops.maximum(ops.abs(denominator) * scale, bound)
        return output * numerator * factor[..., None]

    def parallel(self, inputs: Tensor, valid: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h of all time steps, chunk by chunk, and the last states; see `Cell.parallel`."""
        q, k, v, o, log_i, log_f = self.activate(self.project(inputs))
        if valid is not None:
            log_i, log_f = ops.where(valid, log_i, NEVER), ops.where(valid, log_f, 0)
        time = tf.shape(inputs)[0]
        count = tf.maximum(1, (time + MAX_CHUNK_SIZE - 1) // MAX_CHUNK_SIZE)
        size = tf.maximum(1, (time + count - 1) // count)
        padding = [[0, count * size - time], [0, 0], [0, 0]]
        # Logarithms are differences of sums over many steps: float32 would lose them.
        log_f = cut_time(tf.pad(tf.cast(log_f, tf.float64), padding), count)
        log_i = cut_time(tf.pad(tf.cast(log_i, tf.float64), padding, constant_values=NEVER), count)
        q, k, v = (cut_time(tf.pad(widen(x), [*padding, [0, 0]]), count) for x in (q, k, v))

        # After t steps of a chunk, step s has the weight exp(decay_t + log_w_s), and the states before the
        # chunk have exp(decay_t). The stabilizer is m_t = decay_t + top_t.
        decay = tf.cumsum(log_f, -1)
        log_w = log_i - decay
        last_decay, last_top = decay[..., -1], tf.reduce_max(log_w, -1)
        weighted = k * tf.cast(tf.exp(log_w - last_top[..., None]), k.dtype)[..., None]
        writes = tf.matmul(v, weighted, transpose_a=True), tf.reduce_sum(weighted, -2), last_top, last_decay
        (memory, n, m), last = self.scan_chunks(writes, states)

        top = tf.maximum(m[..., None], find_cumulative_max(log_w))
        steps = tf.range(size)
        is_later = tf.where(steps[:, None] < steps[None, :], tf.constant(NEVER, q.dtype), 0)
        exponents = tf.cast(log_w[..., None, :] - top[..., :, None], q.dtype) + is_later
        scores = tf.exp(exponents) * tf.matmul(q, k, transpose_b=True)
        q *= tf.cast(tf.exp(m[..., None] - top), q.dtype)[..., None]
        read = tf.matmul(scores, v) + tf.matmul(q, memory, transpose_b=True)
        total = tf.reduce_sum(scores, -1) + tf.reduce_sum(q * n[..., None, :], -1)

        read, total, m_t = (join_time(x)[:time] for x in (read, total, tf.cast(decay + top, q.dtype)))
        h = ops.cast(self.read(read, total, m_t, widen(o)), self.compute_dtype)
        outputs = ops.reshape(h, (*ops.shape(h)[:2], self.units))
        return forward_fill(outputs, valid), last

    def scan_chunks(self, writes: tuple[Tensor, ...], states: States) -> tuple[list[Tensor], list[Tensor]]:
        """Compute the states from chunk to chunk.

        Args:
            writes: for each chunk what it writes to C and to n, scaled by exp(-top); top; and the sum of its
                log f. Each is [chunks, batch, ...].
            states: the states C, n and m before the first chunk.

        Returns:
            C, n and m before each chunk, each [chunks, batch, ...], and after the last one.
        """

        def advance(before: tuple[Tensor, ...], chunk: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            memory, n, m = before
            written, written_n, top, decay = chunk
            top = decay + top
            # Rounded as the state is, in which C and n are scaled by it.
            new = tf.cast(tf.cast(tf.maximum(m + decay, top), self.compute_dtype), m.dtype)
            f, i = (tf.cast(tf.exp(exponent - new), n.dtype)[..., None] for exponent in (m + decay, top))
            return f[..., None] * memory + i[..., None] * written, f * n + i * written_n, new

        first = widen(states[0]), widen(states[1]), tf.cast(states[2], tf.float64)
        after = tf.scan(advance, writes, first)
        joined = [tf.concat([start[None], ends], 0) for start, ends in zip(first, after, strict=True)]
        # The gradient of `split` is faster than that of a slice.
        before, last = zip(*(tf.split(state, [tf.shape(state)[0] - 1, 1]) for state in joined), strict=True)
        return list(before), [tf.cast(state[0], self.compute_dtype) for state in last]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_heads": self.num_heads}


def cut_time(x: Tensor, count: Tensor) -> Tensor:
    """Cut `x` [time, batch, heads, ...] into `count` chunks, [count, batch, heads, size, ...]."""
    x = tf.reshape(x, tf.concat([[count, -1], tf.shape(x)[1:]], 0))
    return tf.transpose(x, [0, 2, 3, 1, *range(4, x.shape.rank)])


def join_time(chunks: Tensor) -> Tensor:
    """Join `chunks` [count, batch, heads, size, ...] to [time, batch, heads, ...]; the inverse of `cut_time`."""
    x = tf.transpose(chunks, [0, 3, 1, 2, *range(4, chunks.shape.rank)])
    return tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], 0))


def find_cumulative_max(x: Tensor) -> Tensor:
    """Return the maximum of x_1 to x_t at each t, along the last axis of at most MAX_CHUNK_SIZE elements."""
    size, shift = tf.shape(x)[-1], 1
    while shift < MAX_CHUNK_SIZE:
        before = [*([0, 0] for _ in x.shape[1:]), [shift, 0]]
        x, shift = tf.maximum(x, tf.pad(x, before, constant_values=NEVER)[..., :size]), 2 * shift
    return x
