"""The linear recurrent unit."""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from zoo.cells.base import Cell, States, Tensor, check_widths
from zoo.cells.linear import MIN_SCAN_STEPS, check_no_recurrent_dropout
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.scans import forward_fill, scan_valid_steps


@complete_docstring
class LRUCell(Cell):
    """One step of the linear recurrent unit (LRU), whose state h has complex numbers.

        λ = exp(-exp(ν) + i exp(θ))     eigenvalues, inside the unit circle
        h_t = λ ⊙ h_{t-1} + exp(γ) ⊙ (B input_t)
        y_t = φ(Re(C h_t) + D input_t + b)

    The weights `nu_log`, `theta_log` and `gamma_log` are ν, θ and γ, each [state_units]. B is complex,
    [features, state_units]: W, the weight `kernel` [features, 2 * state_units], holds its real and then its
    imaginary part side by side. C is complex, [state_units, units]: the weight `output_kernel` [2 *
    state_units, units] holds its real part above its imaginary part. The weight `skip_kernel` is D: [units],
    the diagonal, where the input has as many features as the cell has units, otherwise [features, units].
    Nothing but h depends on the step before, so a layer computes all time steps by a parallel scan.

    At first λ lies in a ring of the complex plane, spread evenly over its area: r_min ≤ |λ| ≤ r_max, and
    the phase between 0 and `max_phase`. exp(γ) is √(1 - |λ|²), so that h neither grows nor shrinks. For long
    memory, the paper sets r_min to 0.9, r_max to 0.999 and max_phase to π / 50 or so.

    Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences". Departures: inputs
    and outputs need not be equally wide; φ and b are the identity and absent by default, as in the paper,
    which puts nonlinear layers between LRUs. Eigenvalues near 1 need float32: in half precision they round.

    Args:
        units: int. Width of the output y.
        state_units: int or None. Complex numbers in h; None is `units`.
        activation: str, callable or None. φ, a function or its Keras name; None is the identity.
        use_bias: bool. Whether the output has a bias b.
        kernel_initializer: str, dict, callable or None. Initializer of W; None is normal with variance
            1 / (2 * features), as in the paper.
        recurrent_initializer: str, dict, callable or None. Without effect: see `r_min`.
        recurrent_regularizer: str, dict, callable or None. Regularizer of ν.
        recurrent_constraint: str, dict, callable or None. Constraint on ν.
        recurrent_dropout: float. Must be 0: there is no U, so that nothing could be dropped on its way there.
        r_min: float in [0, 1). Smallest |λ| before training.
        r_max: float in (r_min, 1]. Largest |λ| before training.
        max_phase: float, in radians. Largest phase of λ before training.

    Call arguments:
        inputs: tensor [batch, features]. One time step.
        states: list of two tensors [batch, state_units], the real and the imaginary part of h.
        training: bool, `False` by default. Whether dropout and zoneout draw random numbers.
        constants: dict of tensors by name, for `prepare_constants`; none by default.

    Output shape:
        A tuple of the output [batch, units] and the new states, the real and the imaginary part of h, each
        [batch, state_units].

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.LRUCell(4, state_units=6, r_min=0.9, r_max=0.999)
        >>> output, [real, imaginary] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape, real.shape
        (TensorShape([2, 4]), TensorShape([2, 6]))
    """

    weight_blocks = ("real", "imaginary")
    state_names = ("real", "imaginary")
    parallel_methods: ClassVar[frozenset[str]] = frozenset(
        {"project", "product", "get_weight", "compute_eigenvalues", "compute_output"}
    )
    min_parallel_steps = MIN_SCAN_STEPS

    def __init__(
        self,
        units: int,
        state_units: int | None = None,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = False,
        kernel_initializer: Any = None,
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
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
        zoneout: float | Sequence[float] = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.VarianceScaling(0.5, "fan_in", "untruncated_normal")
        super().__init__(
            **collect_arguments(locals(), "state_units", "r_min", "r_max", "max_phase"), **kwargs
        )
        check_no_recurrent_dropout(self)
        self.state_units = self.units if state_units is None else state_units
        check_widths(state_units=self.state_units)
        if not 0 <= r_min < r_max <= 1:
            raise ValueError(
                f"`r_min` and `r_max` must be 0 <= r_min < r_max <= 1, but they are {r_min!r} and {r_max!r}."
            )
        if not max_phase > 0:
            raise ValueError(f"`max_phase` must be a number above 0, but it is {max_phase!r}.")
        self.r_min, self.r_max, self.max_phase = r_min, r_max, max_phase

    @property
    def state_size(self) -> list[int | tuple[int, ...]]:
        """Widths of the states."""
        return [self.state_units, self.state_units]

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W, [features, 2 * state_units]."""
        return (features, 2 * self.state_units)

    def recurrent_shape(self, width: int) -> None:
        """Return None: there is no U."""

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of b, [units]."""
        return (self.units,)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, b, ν, θ, γ, C and D for inputs [batch, features]."""
        super().build(input_shape)
        # An initializer returns the same numbers whenever it is called: ν and γ belong together.
        ring = keras.initializers.RandomUniform(self.r_min**2, self.r_max**2)
        phases = keras.initializers.RandomUniform(0, self.max_phase)

        def draw_square(shape: tuple[int, ...]) -> Tensor:
            """Return |λ|², off 0 and 1, where logarithms are infinite."""
            return ops.clip(ring(shape, "float32"), 1e-7, 1 - 1e-6)

        def initial_nu(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
            return ops.cast(ops.log(-0.5 * ops.log(draw_square(shape))), dtype)

        def initial_gamma(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
            return ops.cast(0.5 * ops.log(1 - draw_square(shape)), dtype)

        def initial_theta(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
            return ops.cast(ops.log(ops.maximum(phases(shape, "float32"), 1e-7)), dtype)

        n, features = self.state_units, input_shape[-1]
        self.nu_log = self.add_weight(
            shape=(n,),
            name="nu_log",
            initializer=initial_nu,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.theta_log = self.add_weight(shape=(n,), name="theta_log", initializer=initial_theta)
        self.gamma_log = self.add_weight(shape=(n,), name="gamma_log", initializer=initial_gamma)
        self.output_kernel = self.add_weight(
            shape=(2 * n, self.units),
            name="output_kernel",
            initializer=keras.initializers.VarianceScaling(2, "fan_in", "untruncated_normal"),
        )
        is_diagonal = features == self.units
        self.skip_kernel = self.add_weight(
            shape=(self.units,) if is_diagonal else (features, self.units),
            name="skip_kernel",
            initializer=keras.initializers.RandomNormal(stddev=1)
            if is_diagonal
            else keras.initializers.VarianceScaling(1, "fan_in", "untruncated_normal"),
        )

    def project(self, inputs: Tensor) -> Tensor:
        """Return exp(γ) ⊙ B input, its real and its imaginary part, and D input + b, side by side.

        Args:
            inputs: tensor [..., features], of one time step or of all.

        Returns:
            A tensor [..., 2 * state_units + units].
        """
        is_diagonal = len(self.skip_kernel.shape) == 1
        drive = self.product("kernel", inputs) * ops.tile(ops.exp(self.get_weight("gamma_log")), 2)
        skip = inputs * self.get_weight("skip_kernel") if is_diagonal else self.product("skip_kernel", inputs)
        bias = self.get_weight("bias")
        return ops.concatenate([drive, skip if bias is None else skip + bias], -1)

    def compute_eigenvalues(self) -> tuple[Tensor, Tensor]:
        """Return the real and the imaginary part of λ, each [state_units]."""
        radius = ops.exp(-ops.exp(self.get_weight("nu_log")))
        phase = ops.exp(self.get_weight("theta_log"))
        return radius * ops.cos(phase), radius * ops.sin(phase)

    def compute_output(self, real: Tensor, imaginary: Tensor, skip: Tensor) -> Tensor:
        """Return y [..., units] for h [..., state_units] and D input + b [..., units]."""
        parts = ops.concatenate([real, -imaginary], -1)
        return self.activation(self.product("output_kernel", parts) + skip)

    def update(self, x: Tensor, r: None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute y_t [batch, units] and h_t, two tensors [batch, state_units]."""
        n, (real, imaginary) = self.state_units, states
        b_real, b_imaginary, skip = ops.split(x, [n, 2 * n], -1)
        a_real, a_imaginary = self.compute_eigenvalues()
        new_real = a_real * real - a_imaginary * imaginary + b_real
        new_imaginary = a_real * imaginary + a_imaginary * real + b_imaginary
        return self.compute_output(new_real, new_imaginary, skip), [new_real, new_imaginary]

    def parallel(self, inputs: Tensor, valid: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute y of all time steps, [time, batch, units], and the last h."""
        n = self.state_units
        b_real, b_imaginary, skip = ops.split(self.project(inputs), [n, 2 * n], -1)
        b = make_complex(b_real, b_imaginary)
        a = tf.broadcast_to(make_complex(*self.compute_eigenvalues()), tf.shape(b))
        hidden, last = scan_valid_steps(tf.ensure_shape(a, b.shape), b, make_complex(*states), valid)
        (real, imaginary), last_states = (
            [ops.cast(part(h), self.compute_dtype) for part in (tf.math.real, tf.math.imag)]
            for h in (hidden, last)
        )
        outputs = self.compute_output(real, imaginary, skip)
        return forward_fill(outputs, valid), last_states

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "state_units": self.state_units,
            "r_min": self.r_min,
            "r_max": self.r_max,
            "max_phase": self.max_phase,
        }


def make_complex(real: Tensor, imaginary: Tensor) -> Tensor:
    """Return complex numbers, of float32 for half precision."""
    if real.dtype in (tf.bfloat16, tf.float16):
        real, imaginary = tf.cast(real, tf.float32), tf.cast(imaginary, tf.float32)
    return tf.complex(real, imaginary)
