"""NumPy references of the cells, and functions that compare outputs and gradients with them."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Array = np.ndarray

Step = Callable[..., tuple[Array, list[Array], dict[str, Array]]]
"""`step(weights, x, states, drop)` returns the output, the new states and the gates by name.

`weights` lie as in the cell, and `drop` is the recurrent dropout mask, by which h is multiplied on its
way into U, and there alone.
"""


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def preactivation(weights: list[Array], x: Array, h: Array) -> Array:
    kernel, recurrent_kernel, *bias = weights
    return x @ kernel + h @ recurrent_kernel + (bias[0] if bias else 0)


def simple_rnn(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    h = np.tanh(preactivation(weights, x, states[0] * drop))
    return h, [h], {}


def sigmoid_rnn(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    h = sigmoid(preactivation(weights, x, states[0] * drop))
    return h, [h], {}


def mixing_rnn(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    z = preactivation(weights, x, states[0] * drop)
    h = np.tanh(z - z.mean(-1, keepdims=True))
    return h, [h], {}


def lstm_output(i: Array, f: Array, g: Array, o: Array, c: Array) -> tuple:
    c = f * c + i * g
    h = o * np.tanh(c)
    return h, [h, c], {"input": i, "forget": f, "candidate": g, "output": o}


def lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    h, c = states
    i, f, g, o = np.split(preactivation(weights, x, h * drop), 4, -1)
    return lstm_output(sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o), c)


def coupled_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    h, c = states
    i, g, o = np.split(preactivation(weights, x, h * drop), 3, -1)
    return lstm_output(sigmoid(i), 1 - sigmoid(i), np.tanh(g), sigmoid(o), c)


def unforgetting_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    h, c = states
    i, g, o = np.split(preactivation(weights, x, h * drop), 3, -1)
    return lstm_output(sigmoid(i), np.ones_like(i), np.tanh(g), sigmoid(o), c)


def half_open_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    h, c = states
    i, f, g, o = np.split(preactivation(weights, x, h * drop), 4, -1)
    return lstm_output(sigmoid(i), sigmoid(f), np.tanh(g), (1 + sigmoid(o)) / 2, c)


def peephole_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    *weights, (p_i, p_f, p_o) = weights
    h, c = states
    i, f, g, o = np.split(preactivation(weights, x, h * drop), 4, -1)
    i, f, g = sigmoid(i + p_i * c), sigmoid(f + p_f * c), np.tanh(g)
    return lstm_output(i, f, g, sigmoid(o + p_o * (f * c + i * g)), c)


def projected_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    *weights, projection = weights
    m, c = states
    i, f, g, o = np.split(preactivation(weights, x, (m * drop) @ projection), 4, -1)
    m, states, gates = lstm_output(sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o), c)
    return m @ projection, states, gates


def layer_norm(z: Array) -> Array:
    return (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5)


def layer_norm_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    kernel, recurrent_kernel, bias, gain_x, gain_r, gain_c, bias_c = weights
    h, c = states
    z = layer_norm(x @ kernel) * gain_x + layer_norm((h * drop) @ recurrent_kernel) * gain_r + bias
    i, f, g, o = np.split(z, 4, -1)
    _, (_, c), gates = lstm_output(sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o), c)
    h = sigmoid(o) * np.tanh(layer_norm(c) * gain_c + bias_c)
    return h, [h, c], gates


def gru_output(z: Array, r: Array, g: Array, h: Array) -> tuple:
    h = z * h + (1 - z) * g
    return h, [h], {"update": z, "reset": r, "candidate": g}


def gru(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, recurrent_kernel, *bias), (h,) = weights, states
    b_x, b_r = bias[0] if bias else (0, 0)
    x_z, x_r, x_g = np.split(x @ kernel + b_x, 3, -1)
    r_z, r_r, r_g = np.split((h * drop) @ recurrent_kernel + b_r, 3, -1)
    z, r = sigmoid(x_z + r_z), sigmoid(x_r + r_r)
    return gru_output(z, r, np.tanh(x_g + r * r_g), h)


def gru_reset_before(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, recurrent_kernel, bias), (h,) = weights, states
    x_z, x_r, x_g = np.split(x @ kernel + bias, 3, -1)
    u_z, u_r, u_g = np.split(recurrent_kernel, 3, -1)
    dropped = h * drop
    z, r = sigmoid(x_z + dropped @ u_z), sigmoid(x_r + dropped @ u_r)
    return gru_output(z, r, np.tanh(x_g + (r * dropped) @ u_g), h)


def layer_norm_gru(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, recurrent_kernel, (b_x, b_r), gain_x, gain_r), (h,) = weights, states
    both = 2 * h.shape[-1]

    def normalized(z: Array) -> Array:
        return np.concatenate([layer_norm(z[..., :both]), layer_norm(z[..., both:])], -1)

    x_z, x_r, x_g = np.split(normalized(x @ kernel) * gain_x + b_x, 3, -1)
    r_z, r_r, r_g = np.split(normalized((h * drop) @ recurrent_kernel) * gain_r + b_r, 3, -1)
    z, r = sigmoid(x_z + r_z), sigmoid(x_r + r_r)
    return gru_output(z, r, np.tanh(x_g + r * r_g), h)


def gru_d(
    weights: list[Array], x: Array, states: list[Array], drop: Any = 1, mean: float | Array = 0.0
) -> tuple:
    kernel, recurrent_kernel, bias, u_g, input_decay, b_input, hidden_decay, b_hidden = weights
    h, last = states
    values, mask, gaps = np.split(x, 3, -1)
    observed, last = mask > 0, np.where(mask > 0, values, last)
    gamma_v = np.exp(-np.maximum(0, gaps * input_decay + b_input))
    gamma_h = np.exp(-np.maximum(0, gaps @ hidden_decay + b_hidden))
    imputed = np.where(observed, values, gamma_v * last + (1 - gamma_v) * mean)
    x_z, x_r, x_g = np.split(np.concatenate([imputed, mask], -1) @ kernel + bias, 3, -1)
    dropped = gamma_h * h * drop
    r_z, r_r = np.split(dropped @ recurrent_kernel, 2, -1)
    z, r = sigmoid(x_z + r_z), sigmoid(x_r + r_r)
    g = np.tanh(x_g + (r * dropped) @ u_g)
    h = z * gamma_h * h + (1 - z) * g
    decays = {"hidden_decay": gamma_h, "input_decay": gamma_v, "last": last}
    return h, [h, last], {"update": z, "reset": r, "candidate": g, **decays}


def lmu(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    *weights, memory_kernel, memory_encoder, a, b = weights
    h, m = states

    def flatten(m: Array) -> Array:
        return m.reshape(*m.shape[:-2], -1)

    z, u = np.split(preactivation(weights, x, h * drop), [h.shape[-1]], -1)
    m = m @ a + (u + flatten(m) @ memory_encoder)[..., None] * b
    h = np.tanh(z + flatten(m) @ memory_kernel)
    return h, [h, m], {}


def ind_rnn(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    kernel, recurrent, bias = weights
    h = np.maximum(x @ kernel + recurrent * (states[0] * drop) + bias, 0)
    return h, [h], {}


def min_gru(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (h,) = weights, states
    z, g = np.split(x @ kernel + bias, 2, -1)
    z = sigmoid(z)
    h = z * h + (1 - z) * g
    return h, [h], {"update": z, "candidate": g}


def min_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (h,) = weights, states
    i, f, g = np.split(x @ kernel + bias, 3, -1)
    i, f = sigmoid(i), sigmoid(f)
    i, f = i / (i + f), f / (i + f)
    h = f * h + i * g
    return h, [h], {"input": i, "forget": f, "candidate": g}


def cfc(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    """CfC with two hidden layers."""
    kernel, recurrent_kernel, bias, kernel_1, bias_1, kernel_2, bias_2 = weights
    z = np.tanh(preactivation([kernel, recurrent_kernel, bias], x[..., :-1], states[0] * drop))
    s, g, f, o = np.split(np.tanh(z @ kernel_1 + bias_1) @ kernel_2 + bias_2, 4, -1)
    s, g, k = np.tanh(s), np.tanh(g), sigmoid(f * np.maximum(x[..., -1:], 0) + o)
    h = s + k * (g - s)
    return h, [h], {"start": s, "candidate": g, "time": k}


def cfc_without_gate(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    """CfC without backbone, whose value after a short time is not gated."""
    s, g, f, o = np.split(preactivation(weights, x[..., :-1], states[0] * drop), 4, -1)
    s, g, k = np.tanh(s), np.tanh(g), sigmoid(f * np.maximum(x[..., -1:], 0) + o)
    return s + k * g, [s + k * g], {"start": s, "candidate": g, "time": k}


def pure_cfc(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    """Pure CfC with one hidden layer."""
    *weights, kernel_1, bias_1, decay, amplitude = weights
    g = np.tanh(preactivation(weights, x[..., :-1], states[0] * drop)) @ kernel_1 + bias_1
    k = np.exp(-np.maximum(x[..., -1:], 0) * (abs(decay) + abs(g)))
    h = amplitude - amplitude * g * k
    return h, [h], {"candidate": g, "time": k}


def ltc(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    """LTC with six unfolds, from one list of the synapses of features and units."""
    kernel, recurrent_kernel, bias = weights
    w, e, m, s = np.split(np.concatenate([kernel, recurrent_kernel]), 4, -1)
    leak, rest, capacitance = np.split(bias, 3)
    step, v = np.maximum(x[..., -1:], 0) / 6, states[0]
    for _ in range(6):
        u = np.concatenate([x[..., :-1], v], -1)[..., None]
        a = abs(w) * sigmoid(s * (u - m))
        current = abs(leak) * rest + (a * e).sum(-2)
        v = (abs(capacitance) * v + step * current) / (abs(capacitance) + step * (abs(leak) + a.sum(-2)))
    return v, [v], {}


def compute_time_gate(shift: Array, log_period: Array, ratio: Array, time: Array, leak: float) -> Array:
    """The time gate of the phased LSTM."""
    phase = (time / np.exp(log_period) - shift) % 1
    up, down = phase < abs(ratio) / 2, phase < abs(ratio)
    return np.select([up, down], [2 * phase / abs(ratio), 2 - 2 * phase / abs(ratio)], leak * phase)


def phased_lstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1, leak: float = 0) -> tuple:
    *weights, shift, log_period, ratio = weights
    k = compute_time_gate(shift, log_period, ratio, x[..., -1:], leak)
    _, new, gates = lstm(weights, x[..., :-1], states, drop)
    h, c = (old + k * (new - old) for new, old in zip(new, states, strict=True))
    return h, [h, c], {**gates, "time": k}


def rg_lru(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias, logit), (h,) = weights, states
    z = x @ kernel + bias
    r, i, *g = np.split(z, z.shape[-1] // h.shape[-1], -1)
    r, i, g = sigmoid(r), sigmoid(i), g[0] if g else x
    a = sigmoid(logit) ** (8 * r)
    h = a * h + np.sqrt(1 - a**2) * (i * g)
    return h, [h], {"recurrence": r, "input": i, "candidate": g}


def lru(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    kernel, *bias, nu_log, theta_log, gamma_log, readout, skip = weights
    eigenvalue = np.exp(-np.exp(nu_log) + 1j * np.exp(theta_log))
    b_real, b_imaginary = np.split(kernel, 2, -1)
    c_real, c_imaginary = np.split(readout, 2, 0)
    h = states[0] + 1j * states[1]
    h = eigenvalue * h + np.exp(gamma_log) * (x @ (b_real + 1j * b_imaginary))
    y = np.real(h @ (c_real + 1j * c_imaginary)) + (x @ skip if skip.ndim == 2 else x * skip)
    return y + sum(bias), [h.real, h.imag], {}


def sru_output(
    g: Array, f: Array, r: Array, highway: Array, c: Array, activation: Callable = np.asarray
) -> tuple:
    c = f * c + (1 - f) * g
    h = r * activation(c) + (1 - r) * highway
    return h, [c], {"candidate": g, "forget": f, "reset": r, "highway": highway}


def sru(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, v, bias), (c,) = weights, states
    z, (v_f, v_r), (b_f, b_r) = x @ kernel, np.split(v, 2), np.split(bias, 2)
    g, f, r, *highway = np.split(z, z.shape[-1] // c.shape[-1], -1)
    f, r = sigmoid(f + v_f * (c * drop) + b_f), sigmoid(r + v_r * (c * drop) + b_r)
    return sru_output(g, f, r, np.sqrt(3) * (highway[0] if highway else x), c)


def sru_of_2017(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (c,) = weights, states
    z, (b_f, b_r) = x @ kernel, np.split(bias, 2)
    g, f, r, *highway = np.split(z, z.shape[-1] // c.shape[-1], -1)
    return sru_output(g, sigmoid(f + b_f), sigmoid(r + b_r), highway[0] if highway else x, c, np.tanh)


def qrnn_output(z: Array, f: Array, i: Array, o: Array | float, c: Array) -> tuple[Array, Array]:
    c = f * c + i * z
    return o * c, c


def qrnn(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (c,) = weights, states
    z, f, o = np.split(x @ kernel + bias, 3, -1)
    z, f, o = np.tanh(z), sigmoid(f), sigmoid(o)
    h, c = qrnn_output(z, f, 1 - f, o, c)
    return h, [c], {"candidate": z, "forget": f, "output": o}


def qrnn_f(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (c,) = weights, states
    z, f = np.split(x @ kernel + bias, 2, -1)
    z, f = np.tanh(z), sigmoid(f)
    h, c = qrnn_output(z, f, 1 - f, 1, c)
    return h, [c], {"candidate": z, "forget": f}


def qrnn_ifo_of_3_steps(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (c, ahead) = weights, states
    now, one_ahead, two_ahead = np.split(x @ kernel, 3, -1)
    one_before, two_before = np.split(ahead, 2, -1)
    z, f, o, i = np.split(now + one_before + bias, 4, -1)
    z, f, o, i = np.tanh(z), sigmoid(f), sigmoid(o), sigmoid(i)
    h, c = qrnn_output(z, f, i, o, c)
    ahead = np.concatenate([one_ahead + two_before, two_ahead], -1)
    return h, [c, ahead], {"candidate": z, "forget": f, "output": o, "input": i, "filter": ahead}


def convolve_causally(x: Array, kernel: Array) -> Array:
    """Return the sums of x_{t-j} kernel[j] over j, [batch, time, width], with zeros before the first step."""
    products = [np.pad(x, [(0, 0), (j, 0), (0, 0)])[:, : x.shape[1]] @ k for j, k in enumerate(kernel)]
    return np.sum(products, 0)


def slstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    kernel, recurrent_kernel, bias = weights
    h, c, n, m = states
    heads = np.split(h * drop, len(recurrent_kernel), -1)
    by_head = [np.split(h @ u, 4, -1) for h, u in zip(heads, recurrent_kernel, strict=True)]
    r = [np.concatenate(gate, -1) for gate in zip(*by_head, strict=True)]
    log_i, f, z, o = (a + b for a, b in zip(np.split(x @ kernel + bias, 4, -1), r, strict=True))
    kept = np.log(sigmoid(f)) + m
    top = np.maximum(kept, log_i)
    i, f, z, o = np.exp(log_i - top), np.exp(kept - top), np.tanh(z), sigmoid(o)
    c, n = f * c + i * z, f * n + i
    h = o * c / n
    return h, [h, c, n, top], {"input": i, "forget": f, "candidate": z, "output": o, "stabilizer": top}


def mlstm(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
    (kernel, bias), (c, n, m) = weights, states
    heads, size = n.shape[-2:]
    z = x @ kernel + bias
    q, k, v, o = (part.reshape(*x.shape[:-1], heads, size) for part in np.split(z[..., : -2 * heads], 4, -1))
    log_i, f = np.split(z[..., -2 * heads :], 2, -1)
    k = k / np.sqrt(size)
    kept = np.log(sigmoid(f)) + m
    top = np.maximum(kept, log_i)
    i, f, o = np.exp(log_i - top), np.exp(kept - top), sigmoid(o)
    c = f[..., None, None] * c + i[..., None, None] * v[..., :, None] * k[..., None, :]
    n = f[..., None] * n + i[..., None] * k
    read, total = np.squeeze(c @ q[..., None], -1), np.sum(n * q, -1)
    h = o * read / np.maximum(np.abs(total), np.exp(-top))[..., None]
    names = ("query", "key", "value", "input", "forget", "output", "stabilizer")
    return h.reshape(*x.shape[:-1], -1), [c, n, top], dict(zip(names, (q, k, v, i, f, o, top), strict=True))


def add_zoneout(step: Step, zoneout: Sequence[float]) -> Step:
    """Return a step with zoneout, as in inference."""

    def zoned_step(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
        _, new, gates = step(weights, x, states, drop)
        states = [z * s + (1 - z) * n for z, s, n in zip(zoneout, states, new, strict=True)]
        return states[0], states, gates

    return zoned_step


def add_noise(
    step: Step,
    combine: Callable[..., tuple] | None,
    features: int,
    zoneout: Sequence[float],
    candidate_dropout: float,
) -> Step:
    """Return a step as in training, with its random numbers in x after the features: zoneout, then candidate.

    `combine` is `lstm_output` or `gru_output`: it computes the step from the gates and the last state.
    """

    def noisy_step(weights: list[Array], x: Array, states: list[Array], drop: Any = 1) -> tuple:
        x, *noise = np.split(x, features + np.cumsum([0] + [s.size for s in states]))
        _, new, gates = step(weights, x, states, drop)
        if candidate_dropout:
            gates["candidate"] *= (noise[-1] >= candidate_dropout) / (1 - candidate_dropout)
            _, new, _ = combine(*gates.values(), states[-1])
        zipped = zip(noise[:-1], zoneout, states, new, strict=True)
        states = [np.where(draw < rate, old, new) for draw, rate, old, new in zipped]
        return states[0], states, gates

    return noisy_step


def run(
    step: Step,
    weights: list[Array],
    x: Array,
    states: list[Array],
    mask: Array | None = None,
    drop: Array | None = None,
) -> list[Array]:
    """Return all outputs [batch, time, units] and the final states; each row skips its masked steps."""
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    outputs = np.zeros((*x.shape[:2], step(weights, x[0, 0], [state[0] for state in states])[0].size))
    finals = [state.copy() for state in states]
    for row in range(len(x)):
        output = 0
        for t in range(x.shape[1]):
            if mask[row, t]:
                row_drop = 1 if drop is None else drop[row]
                output, state, _ = step(weights, x[row, t], [final[row] for final in finals], row_drop)
                for final, new in zip(finals, state, strict=True):
                    final[row] = new
            outputs[row, t] = output
    return [outputs, *finals]


def weighted_sum(outputs: Sequence[Array]) -> float:
    """Return the loss whose gradients are compared: a sum of all numbers with different weights."""
    return sum(np.sum(y * np.cos(np.arange(y.size)).reshape(y.shape)) for y in outputs)


def weighted_sum_of_tensors(outputs: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return `weighted_sum` of tensors."""
    weights = [tf.reshape(tf.cos(tf.cast(tf.range(tf.size(y)), y.dtype)), tf.shape(y)) for y in outputs]
    return tf.add_n([tf.reduce_sum(y * w) for y, w in zip(outputs, weights, strict=True)])


def evaluate(
    function: Callable[..., Any],
    x: Array,
    states: Sequence[Array],
    variables: Sequence[keras.Variable] = (),
    graph: bool = False,
    jit: bool = False,
) -> tuple[list[Array], list[Array]]:
    """Return outputs of `function(x, states)`, and gradients by x, each state and each variable.

    Args:
        function: from `x` [batch, time, features] and states [batch, *shape] to any structure of tensors.
        x: [batch, time, features].
        states: each [batch, *shape].
        variables: variables that the function depends on.
        graph: whether to run it in a graph where batch size and length are unknown.
        jit: whether to compile it with XLA.
    """

    def forward_and_back(x: tf.Tensor, states: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch([x, *states])
            outputs = tf.nest.flatten(function(x, states))
            loss = weighted_sum_of_tensors(outputs)
        sources = [x, *states, *(v.value for v in variables)]
        return outputs, tape.gradient(loss, sources, unconnected_gradients="zero")

    x, states = tf.constant(x), [tf.constant(state) for state in states]
    if graph or jit:
        signature = [
            tf.TensorSpec([None, None, x.shape[2]], x.dtype),
            [tf.TensorSpec([None, *state.shape[1:]], state.dtype) for state in states],
        ]
        signature = None if jit else signature
        forward_and_back = tf.function(
            forward_and_back, input_signature=signature, jit_compile=jit, autograph=False
        )
    return tf.nest.map_structure(np.asarray, forward_and_back(x, states))


def compute_slopes(
    loss: Callable[[list[Array]], float], at: list[Array], directions: list[Array]
) -> list[float]:
    """Return central differences of fourth order of the loss at the arrays `at`, each along its direction."""

    def loss_beside(index: int, step: float) -> float:
        return loss([a + step * directions[i] if i == index else a for i, a in enumerate(at)])

    def rise(index: int, step: float) -> float:
        return loss_beside(index, step) - loss_beside(index, -step)

    return [(8 * rise(i, 3e-5) - rise(i, 6e-5)) / 36e-5 for i in range(len(at))]


def random_normal(seed: int, *shape: int, dtype: str = "float64") -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def randomize_weights(layer: keras.layers.Layer, seed: int = 0) -> list[Array]:
    """Set every weight, biases included, to random values, and return them."""
    layer.set_weights([random_normal(seed + i, *w.shape) / 2 for i, w in enumerate(layer.get_weights())])
    return layer.get_weights()


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Assert that two structures of arrays are equal up to the tolerance, number by number."""
    actual, expected = tf.nest.flatten(actual), tf.nest.flatten(expected)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance)
