"""The Legendre memory unit."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from zoo.cells.base import Cell, States, Tensor, check_widths
from zoo.cells.signatures import collect_arguments, complete_docstring


@complete_docstring
class LMUCell(Cell):
    """One step of the Legendre memory unit: a nonlinear state and a linear memory of a sliding window.

        u_t = x_u + r_u + E flatten(m_{t-1})                what is written to the memory [memory_dim]
        m_t = m_{t-1} A + u_t ⊗ B                           memory [memory_dim, order]
        h_t = φ(x_h + r_h + M flatten(m_t))                 output

    with x_t = W input_t + b and r_t = U h_{t-1}, whose blocks are h [units] and u [memory_dim]. The states are
    h and m.

    A and B are computed, and not trained by default. They are those of the linear system that keeps the last
    `theta` steps of each u as the coefficients of `order` Legendre polynomials: with i, j = 0, ..., order - 1

        θ dm/dt = m Ã + u ⊗ B̃
        Ã_ji = (2 i + 1) (-1 if i < j else (-1)^(i - j + 1)),  B̃_i = (2 i + 1) (-1)^i

    discretized by zero-order hold for steps of 1: A = exp(Ã / θ), and B is the memory after one step with u =
    1 from a memory of zeros. So u_{t-s}, for 0 <= s <= theta, is close to Σ_i P_i(2 s / theta - 1) m_i, where
    P_i is the Legendre polynomial of degree i.

    Voelker, Kajić and Eliasmith (2019), "Legendre memory units: continuous-time representation in recurrent
    neural networks". Departures: there is a bias b (`use_bias=False` is the paper), there may be several
    memories (the paper has one), and W and U start as everywhere in this package (the paper starts the parts
    that write to the memory as LeCun uniform, the others as Glorot normal). As in the paper E starts at zero.

    Weights: `kernel` W [features, units + memory_dim], `recurrent_kernel` U [units, units + memory_dim], `bias`
    b [units + memory_dim], `memory_kernel` M [memory_dim * order, units], `memory_encoder` E [memory_dim *
    order, memory_dim], `memory_matrix` A [order, order], `memory_input` B [order].

    Args:
        units: int. Width of the output and of h.
        order: int. Number of Legendre polynomials of a memory. More of them keep faster changes of u: a
            memory resolves about `order / 2` periods in its window.
        theta: float. Length of the window in time steps; at least 1. Longer sequences are fine: the window
            slides.
        memory_dim: int. Number of memories, each with a window of its own.
        trainable_memory: bool. Whether A and B are trained.

    Output shape:
        A tuple of the output [batch, units] and the new states: h [batch, units] and m [batch, memory_dim,
        order].

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.LMUCell(4, order=6, theta=100)
        >>> output, [h, m] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape, m.shape
        (TensorShape([2, 4]), TensorShape([2, 1, 6]))
    """

    weight_blocks = ("hidden", "memory")
    state_names = ("hidden", "memory")

    def __init__(
        self,
        units: int,
        order: int,
        theta: float,
        memory_dim: int = 1,
        trainable_memory: bool = False,
        activation: str | Callable[..., Any] | None = "tanh",
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
        super().__init__(
            **collect_arguments(locals(), "order", "theta", "memory_dim", "trainable_memory"), **kwargs
        )
        check_widths(order=order, memory_dim=memory_dim)
        self.order = int(order)
        self.theta = float(theta)
        if not self.theta >= 1:
            raise ValueError(f"`theta` must be a number of time steps of at least 1, but it is {theta!r}.")
        self.memory_dim = int(memory_dim)
        self.trainable_memory = trainable_memory

    @property
    def state_size(self) -> list[int | tuple[int, ...]]:
        """Width of h and shape of the memory."""
        return [self.units, (self.memory_dim, self.order)]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for inputs [batch, features]."""
        super().build(input_shape)
        size = self.memory_dim * self.order
        self.memory_kernel = self.add_weight(shape=(size, self.units), name="memory_kernel")
        self.memory_encoder = self.add_weight(
            shape=(size, self.memory_dim), name="memory_encoder", initializer="zeros"
        )
        a, b = discretize_legendre_memory(self.order, self.theta)
        self.memory_matrix = self._add_memory_weight("memory_matrix", a)
        self.memory_input = self._add_memory_weight("memory_input", b)

    def _add_memory_weight(self, name: str, value: np.ndarray) -> Any:
        return self.add_weight(
            shape=value.shape,
            name=name,
            initializer=lambda shape, dtype: ops.convert_to_tensor(value, dtype),
            trainable=self.trainable_memory,
        )

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W, with columns for h and for u."""
        return (features, self.units + self.memory_dim)

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units], the output, and the states h_t and m_t [batch, memory_dim, order]."""
        h, u = ops.split(x + r, [self.units], axis=-1)
        u = u + self.product("memory_encoder", self.flatten_memory(states[1]))
        m = self.product("memory_matrix", states[1]) + u[..., None] * self.get_weight("memory_input")
        h = self.activation(h + self.product("memory_kernel", self.flatten_memory(m)))
        return h, [h, m]

    def flatten_memory(self, m: Tensor) -> Tensor:
        """Reshape a memory [..., memory_dim, order] to [..., memory_dim * order]."""
        return ops.reshape(m, (*ops.shape(m)[:-2], self.memory_dim * self.order))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "order": self.order,
            "theta": self.theta,
            "memory_dim": self.memory_dim,
            "trainable_memory": self.trainable_memory,
        }


def discretize_legendre_memory(order: int, theta: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute A [order, order] and B [order] of m_t = m_{t-1} A + u_t B in float64.

    u is constant through a step, so A and B are the first columns of the exponential of [[Ã, 0], [B̃, 0]] / θ,
    which acts on [m, u] from the right.
    """
    i = np.arange(order)
    j = i[:, None]
    system = np.zeros((order + 1, order + 1))
    system[:order, :order] = (2 * i + 1) * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    system[order, :order] = (2 * i + 1) * (-1.0) ** i
    with tf.init_scope():  # `build` may be called inside a graph
        exponential = tf.linalg.expm(system / theta).numpy()
    return exponential[:order, :order], exponential[order, :order]
