"""Parallel scans: recurrences over time in about 2 √time steps instead of `time`.

Time is cut into √time pieces. All pieces run side by side; then what comes before each piece follows from the
end of the piece before; then it is joined to every element of the piece. This is the algorithm of Blelloch
(1990), "Prefix sums and their applications", with two levels instead of a tree. The length need not be known
when a graph is built.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

Tensor = Any
"""A TensorFlow tensor."""

_is_compiled: ContextVar[bool] = ContextVar("is_compiled", default=False)
"""Whether `linear_scan` is compiled, see `compile_scans`."""


def linear_scan(a: Tensor, b: Tensor, initial: Tensor) -> Tensor:
    """Compute h_t = a_t ⊙ h_{t-1} + b_t for all t.

    The gradient is the same recurrence in reverse; it may be differentiated again.

    Args:
        a: tensor [time, ...], real or complex; `time` may be 0.
        b: tensor of the shape and dtype of `a`.
        initial: h before the first step, [...].

    Returns:
        h_1 to h_time, [time, ...].

    Example:
        >>> import tensorflow as tf, zoo
        >>> zoo.scans.linear_scan(tf.fill([3, 1], 0.5), tf.ones([3, 1]), tf.zeros([1]))[:, 0].numpy()
        array([1.  , 1.5 , 1.75], dtype=float32)
    """
    return _scan_forward(a, b, initial, _is_compiled.get() and bool(a.shape[0]))


def _scan_forward(a: Tensor, b: Tensor, initial: Tensor, compiled: bool) -> Tensor:
    """Compute h_t = a_t ⊙ h_{t-1} + b_t for all t, from the first one."""
    run = _run_forward if compiled else _scan_two_levels
    hidden = run(*(tf.stop_gradient(x) for x in (a, b, initial)))

    @tf.custom_gradient
    def add_gradient(a: Tensor, b: Tensor, initial: Tensor) -> tuple[Tensor, Any]:
        def gradient(d_hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            d_b = _scan_backward(tf.math.conj(a), d_hidden, compiled)
            before = tf.concat([initial[None], add_gradient(a, b, initial)], 0)[:-1]
            return d_b * tf.math.conj(before), d_b, tf.reduce_sum((tf.math.conj(a) * d_b)[:1], 0)

        return tf.identity(hidden), gradient

    return add_gradient(a, b, initial)


def _scan_backward(a: Tensor, b: Tensor, compiled: bool) -> Tensor:
    """Compute d_t = b_t + a_{t+1} ⊙ d_{t+1} for all t, from the last one, whose d is b."""
    zeros = tf.zeros(tf.shape(b)[1:], b.dtype)
    factors, terms = tf.stop_gradient(a), tf.stop_gradient(b)
    if compiled:
        d = _run_backward(factors, terms)
    else:
        after = tf.concat([factors[1:], zeros[None]], 0)[: tf.shape(a)[0]]
        d = tf.reverse(_scan_two_levels(tf.reverse(after, [0]), tf.reverse(terms, [0]), zeros), [0])

    @tf.custom_gradient
    def add_gradient(a: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        def gradient(d_d: Tensor) -> tuple[Tensor, Tensor]:
            d_b = _scan_forward(tf.math.conj(a), d_d, zeros, compiled)
            before = tf.concat([zeros[None], d_b], 0)[:-1]
            return before * tf.math.conj(add_gradient(a, b)), d_b

        return tf.identity(d), gradient

    return add_gradient(a, b)


@contextlib.contextmanager
def compile_scans(enabled: bool) -> Iterator[None]:
    """Return a context in which XLA compiles `linear_scan`, for lengths that are known when a graph is built.

    A compiled scan goes step by step, which then takes less than two levels do. The gradient is compiled
    where the scan is.

    Args:
        enabled: whether scans are compiled in this context.

    Returns:
        The context.

    Example:
        >>> import tensorflow as tf, zoo
        >>> with zoo.scans.compile_scans(True):
        ...     y = zoo.scans.linear_scan(tf.fill([3, 1, 1], 0.5), tf.ones([3, 1, 1]), tf.zeros([1, 1]))
        >>> y[:, 0, 0].numpy().tolist()
        [1.0, 1.5, 1.75]
    """
    token = _is_compiled.set(enabled)
    try:
        yield
    finally:
        _is_compiled.reset(token)


@tf.function(jit_compile=True, autograph=False)
def _run_forward(a: Tensor, b: Tensor, initial: Tensor) -> Tensor:
    time = b.shape[0]
    factors, outputs = _make_array(a), _make_array(b)

    def body(t: Tensor, h: Tensor, outputs: tf.TensorArray) -> tuple[Any, ...]:
        h = factors.read(t) * h + outputs.read(t)
        return t + 1, h, outputs.write(t, h)

    first = (0, initial, outputs)
    _, _, outputs = tf.while_loop(lambda t, *_: t < time, body, first, maximum_iterations=time)
    return outputs.stack()


@tf.function(jit_compile=True, autograph=False)
def _run_backward(a: Tensor, b: Tensor) -> Tensor:
    time = b.shape[0]
    # Reading from the array that is written, as above, would copy it at each step here.
    factors, inputs, outputs = _make_array(a), _make_array(b), _make_array(tf.zeros_like(b))

    def body(t: Tensor, carry: Tensor, outputs: tf.TensorArray) -> tuple[Any, ...]:
        d = carry + inputs.read(t)
        return t - 1, factors.read(t) * d, outputs.write(t, d)

    first = (time - 1, tf.zeros_like(b[0]), outputs)
    _, _, outputs = tf.while_loop(lambda t, *_: t >= 0, body, first, maximum_iterations=time)
    return outputs.stack()


def _make_array(x: Tensor) -> tf.TensorArray:
    """Convert `x` [time, ...] to an array by time step."""
    array = tf.TensorArray(x.dtype, x.shape[0], element_shape=x.shape[1:], clear_after_read=False)
    return array.unstack(x)


def _scan_two_levels(a: Tensor, b: Tensor, initial: Tensor) -> Tensor:
    def compose(before: tuple[Tensor, Tensor], now: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Compose two maps h -> a h + b to one."""
        return now[0] * before[0], now[0] * before[1] + now[1]

    inner = tf.scan(compose, (_split(a), _split(b)))
    ends = tf.scan(lambda h, ab: ab[0] * h + ab[1], (inner[0][-1], inner[1][-1]), initial)
    starts = tf.concat([initial[None], ends], 0)[:-1]
    return _join(inner[0] * starts + inner[1], a)


def associative_scan(combine: Callable[[Any, Any], Any], elements: Any) -> Any:
    """Compute all prefixes e_1, e_1 ∘ e_2, e_1 ∘ e_2 ∘ e_3, ... of an associative operation ∘.

    Args:
        combine: from two nested structures of tensors [..., *shape], the earlier one first, to a structure
            like them: ∘ for any number of leading axes. It must accept elements of zeros, with which the
            sequence is padded.
        elements: a tensor, or a nested structure of tensors, [time, *shape] each; `time` may be 0.

    Returns:
        A structure like `elements`.

    Example:
        >>> import tensorflow as tf, zoo
        >>> zoo.scans.associative_scan(tf.maximum, tf.constant([1, 3, 2, 5, 4])).numpy()
        array([1, 3, 3, 5, 5], dtype=int32)
    """
    inner = tf.scan(combine, tf.nest.map_structure(_split, elements))
    ends = tf.scan(combine, tf.nest.map_structure(lambda x: x[-1], inner))
    later = tf.nest.map_structure(lambda x: x[:, 1:], inner)
    starts = tf.nest.map_structure(lambda end, x: tf.broadcast_to(end[:-1], tf.shape(x)), ends, later)
    starts = tf.nest.map_structure(lambda start, x: tf.ensure_shape(start, x.shape), starts, later)
    joined = combine(starts, later)
    return tf.nest.map_structure(
        lambda first, rest, x: _join(tf.concat([first[:, :1], rest], 1), x), inner, joined, elements
    )


def scan_valid_steps(a: Tensor, b: Tensor, initial: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
    """Compute h_t = a_t ⊙ h_{t-1} + b_t for the valid steps; at the others h stays as it is.

    Half precision is computed in float32, because a may be near 1.

    Args:
        a: tensor [time, batch, units], real or complex; `time` may be 0.
        b: tensor of the shape and dtype of `a`.
        initial: h before the first step, [batch, units].
        valid: bool tensor [time, batch, 1], or None if all steps are valid.

    Returns:
        h_1 to h_time, [time, batch, units], and the last h, [batch, units].

    Example:
        >>> import tensorflow as tf, zoo
        >>> valid = tf.constant([True, False, True])[:, None, None]
        >>> h, last = zoo.scans.scan_valid_steps(tf.ones([3, 1, 1]), tf.ones([3, 1, 1]), tf.zeros([1, 1]), valid)
        >>> h[:, 0, 0].numpy(), last.numpy()
        (array([1., 1., 2.], dtype=float32), array([[2.]], dtype=float32))
    """
    dtype = b.dtype
    if dtype in (tf.bfloat16, tf.float16):
        a, b, initial = (tf.cast(x, tf.float32) for x in (a, b, initial))
    if valid is not None:
        a, b = _replace(a, valid, 1), _replace(b, valid, 0)
    hidden = linear_scan(a, b, initial)
    # After no steps at all, the last state is the first.
    last = tf.concat([initial[None], hidden], 0)[-1]
    return tf.cast(hidden, dtype), tf.cast(last, dtype)


def _replace(x: Tensor, valid: Tensor, value: int) -> Tensor:
    """Return `x` with `value` where it is not valid."""
    if not x.dtype.is_complex:
        return tf.where(valid, x, value)
    # TensorFlow's `where` is slow for complex numbers.
    return tf.complex(tf.where(valid, tf.math.real(x), value), tf.where(valid, tf.math.imag(x), 0))


def forward_fill(x: Tensor, valid: Tensor | None, initial: Tensor | None = None) -> Tensor:
    """Replace each element of a step that is not valid by that of the last valid step before.

    Args:
        x: tensor [time, batch, ...]; `time` may be 0.
        valid: bool tensor [time, batch, 1], or None if all steps are valid.
        initial: tensor [batch, ...], what is there before the first valid step; zeros by default.

    Returns:
        A tensor like `x`.

    Example:
        >>> import tensorflow as tf, zoo
        >>> valid = tf.constant([False, True, False, True])[:, None, None]
        >>> x = tf.constant([1.0, 2, 3, 4])[:, None, None]
        >>> zoo.scans.forward_fill(x, valid)[:, 0, 0].numpy()
        array([0., 2., 2., 4.], dtype=float32)
    """
    if valid is None:
        return x
    time, batch = tf.unstack(tf.shape(x)[:2])
    # Each step has the number of valid steps so far, which leads to the last one of them.
    number = tf.cumsum(tf.cast(valid[:, :, 0], tf.int32))
    rows = tf.broadcast_to(tf.range(batch), [time, batch])
    places = tf.stack([number, rows], -1)
    steps = tf.where(valid[:, :, 0], tf.range(1, time + 1)[:, None], 0)
    last = tf.gather_nd(tf.scatter_nd(places, steps, [time + 1, batch]), places)
    initial = tf.zeros(tf.shape(x)[1:], x.dtype) if initial is None else initial
    filled = tf.gather_nd(tf.concat([initial[None], x], 0), tf.stack([last, rows], -1))
    return tf.ensure_shape(filled, x.shape)


def _split(x: Tensor) -> Tensor:
    """Cut `x` [time, ...] into pieces, [size, count, ...], padded by zeros at the end."""
    time = tf.shape(x)[0]
    size = tf.maximum(1, tf.cast(tf.math.ceil(tf.sqrt(tf.cast(time, tf.float32))), tf.int32))
    count = tf.maximum(1, (time + size - 1) // size)
    x = tf.pad(x, [[0, count * size - time], *([0, 0] for _ in x.shape[1:])])
    pieces = tf.reshape(x, tf.concat([[count, size], tf.shape(x)[1:]], 0))
    order = [1, 0, *range(2, pieces.shape.rank)]
    return tf.ensure_shape(tf.transpose(pieces, order), [None, None, *x.shape[1:]])


def _join(pieces: Tensor, x: Tensor) -> Tensor:
    """Join pieces [size, count, ...] to a tensor of the shape of `x`; the inverse of `_split`."""
    order = [1, 0, *range(2, pieces.shape.rank)]
    joined = tf.reshape(tf.transpose(pieces, order), tf.concat([[-1], tf.shape(x)[1:]], 0))
    return tf.ensure_shape(joined[: tf.shape(x)[0]], x.shape)
