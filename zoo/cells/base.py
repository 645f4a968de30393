"""Recurrent cells, h_t = f_W(h_{t-1}, input_t), each as two linear maps and an update.

    x_t = project(input_t)              W input_t + b: does not depend on the state, so that one product
                                        serves all time steps
    r_t = recurrent(states_{t-1})       U h_{t-1}: depends on the step before; some cells have none
    output_t, states_t = update(x_t, r_t, states_{t-1})
                                        what is special about the cell, mostly elementwise

A new cell defines what is special about it, usually `gates` and `combine`, or `update`. It inherits the
weights and their options, dropout, zoneout, masks, serialization, the loop over time of `zoo.RNN`, and
gates by name for inspection. Every cell is also an ordinary Keras cell, which `keras.layers.RNN` runs.

Notation: σ is `recurrent_activation` (by default the logistic sigmoid), φ is `activation` (by default
tanh), ⊙ multiplies elementwise. x_i is the block of x_t that belongs to gate i, r_i the block of r_t.
"""

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, ClassVar, cast

import keras
from keras import ops

from zoo._compat import autocast_scope
from zoo.cells.checks import (
    Constants,
    check_constants,
    check_names,
    check_no_layer_arguments,
    check_states,
    explain_errors,
)
from zoo.cells.serialization import Serializable
from zoo.cells.signatures import collect_arguments, complete_docstring

Tensor = Any
"""A tensor of the Keras backend in use."""

States = Sequence[Tensor]
"""The states of a cell, in the order of its `state_names`, each [batch, units] or [batch, *shape]."""

_constants: ContextVar[Mapping[int, dict[str, Tensor]]] = ContextVar(
    "constants", default=MappingProxyType({})
)
"""By the `id` of a cell: what its `constants` are inside `constants_scope`."""

_SERIALIZERS = {
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}


@complete_docstring
class Cell(Serializable, keras.layers.Layer):
    """The base of all cells: weights W, U and b in named blocks, and the contract with `zoo.RNN`.

    A subclass names its weight blocks and its states, and defines `update`:

        x_t = W input_t + b                                     `project`
        r_t = U h_{t-1}                                         `recurrent`
        output_t, states_t = update(x_t, r_t, states_{t-1})

    `project`, `recurrent`, `gates` and `readout` accept any number of leading axes: one time step [batch,
    width] or several [time, batch, width]. `update` processes one time step per call. All of them must be
    functions of their arguments, of the cell's weights and of `constants` alone, because training evaluates
    them twice. Products with weights are computed by `product`.

    Args:
        units: int. Width of the output and of each state.
        activation: str, callable or None. φ, a function or its Keras name; None is the identity.
        use_bias: bool. Whether the cell has a bias b.
        kernel_initializer: str, dict, callable or None. Initializer of W.
        recurrent_initializer: str, dict, callable or None. Initializer of U.
        bias_initializer: str, dict, callable or None. Initializer of b.
        kernel_regularizer: str, dict, callable or None. Regularizer of W.
        recurrent_regularizer: str, dict, callable or None. Regularizer of U.
        bias_regularizer: str, dict, callable or None. Regularizer of b.
        kernel_constraint: str, dict, callable or None. Constraint on W.
        recurrent_constraint: str, dict, callable or None. Constraint on U.
        bias_constraint: str, dict, callable or None. Constraint on b.
        dropout: float in [0, 1). Fraction of the input features that are dropped in training. `zoo.RNN`
            draws one mask per sequence, for all time steps and all gates: the tied weights of Gal and
            Ghahramani (2016), "A theoretically grounded application of dropout in recurrent neural
            networks".
        recurrent_dropout: float in [0, 1). Fraction of h_{t-1} that is dropped on its way into U in
            training, with one mask per sequence for all gates: the variational dropout of the same paper.
            Keras draws a mask per gate.
        seed: int or None. Seed of the dropout masks and of zoneout; None draws a seed at random.
        zoneout: float in [0, 1), or one such number for each state. Probability with which a unit of a
            state keeps its value in a training step. In inference the new state is the expected value:
            zoneout times the old one plus 1 - zoneout times the updated one. Krueger et al. (2017),
            "Zoneout: regularizing RNNs by randomly preserving hidden activations", use 0.05 for h and 0.5
            for c of an LSTM. As in the paper, h_t is computed from the c_t before zoneout.
        implementation: int. Accepted for compatibility with Keras, without effect.
        **kwargs: `name`, `dtype`, `trainable` and `autocast`, as of every Keras layer. With `autocast=False`,
            which `zoo.RNN` adopts, the inputs keep their dtype in mixed precision, and `project` casts them.

    Attributes:
        weight_blocks: names of the n blocks that lie side by side in W [features, n * units], in U [units,
            n * units] and in b [n * units].
        state_names: names of the states. The first one is h, which U multiplies and `recurrent_dropout`
            drops.
        extra_columns: what the last columns of the inputs hold besides features, such as "the time gap"; empty
            for nothing. The outputs do not have them, so such a cell can only be the first one of a stack.
        parallel_methods: for a cell that defines `parallel`: names of the methods of a step that `parallel`
            calls. A subclass that overrides another one is run step by step.
        needs_steps: whether a cell that defines `parallel` is run step by step all the same, because of how
            its arguments were chosen.
        min_parallel_steps: for a cell that defines `parallel`: from how many time steps on it is faster in
            training than steps that XLA compiles. In inference such steps are always faster, unless this is
            0, the default: then `parallel` is always used. None means never. Where steps are not compiled,
            `parallel` is always used.

    Call arguments:
        inputs: tensor [batch, features]. One time step.
        states: list of tensors [batch, units], one for each of `state_names`. Where there is one state, the
            tensor alone is accepted, too.
        training: bool, `False` by default. Whether dropout and zoneout draw random numbers.
        constants: dict of tensors by name, for `prepare_constants`; none by default.

    Input shape:
        [batch, features]

    Output shape:
        A tuple of the output [batch, units] and the new states, each [batch, units].

    Raises:
        TypeError: a name that the class must define is not a tuple of names. In a call: a method of the class has
            the wrong arguments, or computes what a graph or the dtype does not permit.
        ValueError: an argument is out of its range, or unknown. In a call: the inputs or the states have other
            shapes than those above, or a step does not return what it must. In `get_config`: the constructor
            could not be called with the result.
        NotImplementedError: the class does not define what a subclass must define.

    Example:
        >>> import keras, zoo
        >>> class LeakyCell(zoo.Cell):
        ...     weight_blocks = ("hidden",)
        ...
        ...     def update(self, x, r, states):
        ...         h = 0.9 * states[0] + 0.1 * self.activation(x + r)
        ...         return h, [h]
        >>> zoo.RNN(LeakyCell(4))(keras.ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """

    weight_blocks: ClassVar[tuple[str, ...]]
    state_names: tuple[str, ...] = ("hidden",)
    extra_columns: ClassVar[str] = ""
    parallel_methods: ClassVar[frozenset[str]] = frozenset()
    needs_steps: bool = False
    min_parallel_steps: int | None = 0

    kernel: Any
    recurrent_kernel: Any  # None where `recurrent_shape` returns None
    bias: Any  # None without `use_bias`

    def __init__(
        self,
        units: int,
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
        if not hasattr(self, "weight_blocks"):
            raise NotImplementedError(
                f"{type(self).__name__} does not name the blocks of its weights. Define the class attribute "
                '`weight_blocks`, for example `weight_blocks = ("hidden",)`.'
            )
        check_names(self)
        check_no_layer_arguments(type(self), kwargs)
        check_widths(units=units)
        zoneouts = list(zoneout) if isinstance(zoneout, Sequence) else [zoneout] * len(self.state_names)
        if len(zoneouts) != len(self.state_names):
            raise ValueError(
                f"`zoneout` must be one number, or one for each of the states {self.state_names}, "
                f"but it is {zoneout!r}."
            )
        check_rates(dropout=dropout, recurrent_dropout=recurrent_dropout)
        check_rates(**{f"zoneout` of `{n}": z for n, z in zip(self.state_names, zoneouts, strict=True)})
        super().__init__(**kwargs)
        self.units = int(units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.zoneout = zoneouts
        self.seed = seed
        self.implementation = implementation
        self.seed_generator = keras.random.SeedGenerator(seed)

    @property
    def output_size(self) -> int:
        """Width of the output."""
        return self.units

    @property
    def state_size(self) -> int | list[int | tuple[int, ...]]:
        """Width of the state; a list if there are several states, or one that is not a vector.

        An entry of the list is the width of a state [batch, width], or the shape of a state [batch, *shape].
        """
        sizes: list[int | tuple[int, ...]] = [self.units] * len(self.state_names)
        return sizes if len(sizes) > 1 else self.units

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each state without the batch axis, from `state_size`."""
        sizes = self.state_size if isinstance(self.state_size, (list, tuple)) else [self.state_size]
        return [size if isinstance(size, tuple) else (size,) for size in sizes]

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Tensor]:
        """Return states of zeros, each [batch_size, units] or [batch_size, *shape]."""
        return [ops.zeros((batch_size, *shape), dtype=self.compute_dtype) for shape in self.state_shapes]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create W, U and b for inputs [batch, features]."""
        features, width = self.kernel_shape(cast(int, input_shape[-1]))
        self.kernel = self._add_weight("kernel", (features, width))
        recurrent = self.recurrent_shape(width)
        self.recurrent_kernel = None if recurrent is None else self._add_weight("recurrent_kernel", recurrent)
        self.bias = self._add_weight("bias", self.bias_shape(width)) if self.use_bias else None

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W for inputs [batch, features]: (features, n * units) by default."""
        return (features, self.units * len(self.weight_blocks))

    def recurrent_shape(self, width: int) -> tuple[int, ...] | None:
        """Return the shape of U for a W of `width` columns; None for a cell without U."""
        return (self.units, width)

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of b for a W of `width` columns."""
        return (width,)

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Return the values of b before training."""
        return self.bias_initializer(shape, dtype=dtype)

    def _add_weight(self, name: str, shape: tuple[int | None, ...]) -> Any:
        kind = name.partition("_")[0]
        return self.add_weight(
            shape=shape,
            name=name,
            initializer=self.initial_bias if name == "bias" else getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def project(self, inputs: Tensor) -> Tensor:
        """Return x = W input + b for `inputs` [..., features], of one time step or of all."""
        x, bias = self.product("kernel", inputs), self.get_weight("bias")
        return x if bias is None else x + bias

    def recurrent(self, states: States) -> Tensor | None:
        """Return r = U h for `states`, each [..., units]; None for a cell without U."""
        return None if self.recurrent_kernel is None else self.product("recurrent_kernel", states[0])

    def product(self, name: str, v: Tensor) -> Tensor:
        """Return the matrix product of `v` [..., n] and a weight [n, m]: [..., m].

        Use it for every matrix product of a step, also inside `update`, `gates` and `combine`. The loop over
        time then computes the gradient of the weight by one large product for many time steps, instead of a
        small one in each step.

        Args:
            name: the attribute that holds the weight, such as "kernel" (W) or "recurrent_kernel" (U). If
                `constants` has an entry of that name, [n, m], it replaces the weight.
            v: tensor [..., n].
        """
        return _multiply.get()(self, name, v, self.get_weight(name))

    def get_weight(self, name: str) -> Any:
        """Return a weight, or the entry of `constants` that replaces it.

        Use it wherever a step reads a weight other than by `product`: an attribute such as `self.bias` is not
        replaced.

        Args:
            name: the attribute that holds the weight, such as "bias". If `constants` has an entry of that name, it
                replaces the weight, and is cast to the dtype that the weight has in a step.
        """
        weight = self.constants.get(name)
        if weight is None:
            return getattr(self, name)
        if not keras.backend.is_float_dtype(weight.dtype):
            return weight
        return ops.cast(weight, getattr(getattr(self, name, None), "dtype", self.compute_dtype))

    def prepare_constants(self, constants: dict[str, Tensor], training: bool) -> dict[str, Tensor]:
        """Return the tensors that are constant through a sequence, which the methods of a step read.

        `zoo.RNN` calls it once for each batch of sequences, before the first step. Override it for values
        that follow from what the caller passed, such as keys of an attention, and for values that are
        computed or drawn once, such as weights with dropout. It may draw random numbers and may have any
        shapes; gradients pass through it. As an ordinary Keras cell, a cell calls it in each step.

        Args:
            constants: the call argument `constants` of `zoo.RNN`, a dict of tensors by name; empty if there
                was none.
            training: whether dropout and zoneout draw random numbers.

        Returns:
            A dict of tensors by name: what `self.constants` is in a step. By default it is `constants`.
        """
        return constants

    def compute_constants(self, constants: dict[str, Tensor] | None, training: bool) -> dict[str, Tensor]:
        """Return the result of `prepare_constants` for the constants that a caller passed, checked."""
        passed = Constants(constants or {})
        return check_constants(self, self.prepare_constants(passed, training))

    @property
    def constants(self) -> Mapping[str, Tensor]:
        """The result of `prepare_constants`, inside a step; empty outside."""
        return Constants(_constants.get().get(id(self), {}))

    @contextlib.contextmanager
    def constants_scope(self, constants: dict[str, Tensor]) -> Iterator[None]:
        """Return a context in which `self.constants` has these values."""
        token = _constants.set({**_constants.get(), id(self): constants})
        try:
            yield
        finally:
            _constants.reset(token)

    def parallel(self, inputs: Tensor, valid: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute all time steps at once, with the results of `update` step by step.

        A cell that can do so defines this method and the class attribute `parallel_methods`. `zoo.RNN` calls
        it unless zoneout, noise, resets, or a method that a subclass overrides, make steps necessary. See
        `zoo.scans` for what it can be built from.

        Args:
            inputs: tensor [time, batch, features]; `time` may be 0.
            valid: bool tensor [time, batch, 1], or None. Where False, the states and the output are those of
                the step before.
            states: before the first step, each [batch, units] or [batch, *shape].

        Returns:
            What `update` returns: the outputs [time, batch, units], arbitrary before the first valid step,
            and the states after the last step.
        """
        raise NotImplementedError(f"{type(self).__name__} is run step by step.")

    def gates(self, x: Tensor, r: Tensor | None, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]; an empty dict for a cell without gates.

        Args:
            x: result of `project`, [..., n * units].
            r: result of `recurrent`, [..., n * units], or None.
            states: states of the step before, each [..., units].
        """
        return {}

    def update(self, x: Tensor, r: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute one time step.

        Args:
            x: result of `project`, [batch, n * units].
            r: result of `recurrent`, [batch, n * units], or None.
            states: states of the step before, each [batch, units].

        Returns:
            The output [batch, units] and the list of new states. For an output of another width define
            `readout`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `update(x, r, states)`.")

    def readout(self, outputs: Tensor) -> Tensor:
        """Map what `update` returns [..., units] to the output [..., output_size].

        It must be linear and without a bias, because it is applied to the outputs of all time steps at
        once, zeros under padding included.
        """
        return outputs

    @property
    def noise_size(self) -> int:
        """How many random numbers `step` needs in training for each row and time step.

        Zoneout needs one for each unit of each state, in the order of the states.
        """
        return sum(map(math.prod, self.state_shapes)) if any(self.zoneout) else 0

    def draw_noise(self, inputs: Tensor) -> Tensor | None:
        """Draw random numbers in [0, 1) for `step`, [..., noise_size], for inputs [..., features]."""
        if not self.noise_size:
            return None
        shape = (*ops.shape(inputs)[:-1], self.noise_size)
        # float32 also in half precision, where uniform numbers come in steps of 1/128, too coarse for a rate.
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def step(
        self, x: Tensor, r: Tensor | None, states: States, noise: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Compute one time step with zoneout: `update`, then a mix of old and new states.

        Args:
            x: result of `project`, [batch, n * units].
            r: result of `recurrent`, [batch, n * units], or None.
            states: states of the step before, each [batch, units].
            noise: result of `draw_noise`, [batch, noise_size], in training; None in inference.

        Returns:
            The output [batch, units] and the list of new states.
        """
        return self._apply_zoneout(self.update(x, r, states), states, noise)

    def _apply_zoneout(
        self, updated: tuple[Tensor, list[Tensor]], old: States, noise: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        output, states = self._check_update(updated, old)
        if not any(self.zoneout):
            return output, states
        mixed, start = [], 0
        for rate, before, after in zip(self.zoneout, old, states, strict=True):
            size = math.prod(before.shape[1:])
            if noise is None:
                mixed.append(rate * before + (1 - rate) * after)
            else:
                uniform = ops.reshape(noise[:, start : start + size], (-1, *before.shape[1:]))
                mixed.append(ops.where(uniform < rate, before, after))
            start += size
        return mixed[0] if output is states[0] else output, mixed

    def _check_update(self, updated: tuple[Tensor, list[Tensor]], old: States) -> tuple[Tensor, list[Tensor]]:
        """Return what a step returned, if it has the form that the loop over time needs."""
        shapes: list[tuple[int | None, ...]] | str
        try:
            output, states = updated if isinstance(updated, tuple) else ()
            shapes = [tuple(tensor.shape)[1:] for tensor in (output, *states)]
            dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in (output, *states)]
        except (AttributeError, TypeError, ValueError):
            count = f" of {len(updated)}" if isinstance(updated, tuple) else ""
            shapes = f"unknown, because it returns a {type(updated).__name__}{count}"
        expected = [(self.units,), *(tuple(state.shape)[1:] for state in old)]
        if shapes != expected:
            if isinstance(updated, tuple) and len(updated) == 2 and hasattr(updated[1], "shape"):
                shapes = "unknown, because it returns a tensor in place of the list"
            raise ValueError(
                f"Each step of {type(self).__name__} (its `update`, or `combine`) must return the output and a list "
                f"with one tensor for each of `state_names` {tuple(self.state_names)}: `return output, "
                f"[{', '.join(self.state_names)}]`. By `units` and `state_size`, the shapes after the batch axis must "
                f"be {expected}, but they are {shapes}. If the cell has other states, change `state_names`, and "
                "`state_size` where a width is not `units`."
            )
        if set(dtypes) != {self.compute_dtype}:
            raise ValueError(
                f"Each step of {type(self).__name__} (its `update`, or `combine`) must return an output and "
                f"states of dtype {self.compute_dtype}, but they are {', '.join(dtypes)}. Cast them by "
                "`keras.ops.cast(x, self.compute_dtype)`."
            )
        return output, states

    def split(self, z: Tensor) -> list[Tensor]:
        """Split `z` [..., n * units] into blocks, each [..., units], in the order of `weight_blocks`."""
        width = self.units * len(self.weight_blocks)
        if z.shape[-1] != width:
            raise ValueError(
                f"`split` of {type(self).__name__} needs a tensor of {width} columns, {self.units} units for each "
                f"of `weight_blocks` {tuple(self.weight_blocks)}, but the tensor has {z.shape[-1]}."
            )
        return ops.split(z, len(self.weight_blocks), axis=-1)

    def draw_dropout_mask(self, like: Tensor) -> Tensor | None:
        """Draw the factors of the inputs in training, each 0 or 1 / (1 - dropout).

        Returns:
            A tensor of the shape of `like`, or None without dropout.
        """
        return self._draw_mask(like, self.dropout)

    def draw_recurrent_dropout_mask(self, like: Tensor) -> Tensor | None:
        """Draw the factors of h_{t-1} on its way into U, each 0 or 1 / (1 - recurrent_dropout).

        Returns:
            A tensor of the shape of `like`, or None without recurrent dropout.
        """
        return self._draw_mask(like, self.recurrent_dropout)

    def _draw_mask(self, like: Tensor, rate: float) -> Tensor | None:
        return keras.random.dropout(ops.ones_like(like), rate, seed=self.seed_generator) if rate else None

    def call(
        self,
        inputs: Tensor,
        states: States | Tensor,
        training: bool = False,
        constants: dict[str, Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor] | Tensor]:
        """Compute one time step, as `keras.layers.RNN` calls it.

        `zoo.RNN` draws one dropout mask per sequence. Here, and under `keras.layers.RNN`, each step draws
        its own.

        Args:
            inputs: tensor [batch, features].
            states: list of tensors [batch, units], or one such tensor.
            training: whether dropout and zoneout draw random numbers.
            constants: dict of tensors by name, for `prepare_constants`.

        Returns:
            The output [batch, output_size], and the new states: a list, or a tensor if `states` is one.
        """
        if len(inputs.shape) != 2:
            raise ValueError(
                f"{self.name} computes one step, from inputs [batch, features]: expected ndim=2, found "
                f"ndim={len(inputs.shape)}. Use `zoo.RNN(cell)` for sequences."
            )
        is_list = isinstance(states, (list, tuple))
        states = tuple(states) if is_list else (states,)  # a list could be changed in place
        recurrent_inputs, noise = states, None
        if training:
            noise = self.draw_noise(inputs)
            inputs = apply_mask(inputs, self.draw_dropout_mask(inputs))
            h = apply_mask(states[0], self.draw_recurrent_dropout_mask(states[0]))
            recurrent_inputs = (h, *states[1:])
        check_states(self.name, "states", [self], inputs.shape[0], states, is_stack=False)
        explained = explain_errors(self, constants, inputs.shape[0])
        with autocast_scope(self.compute_dtype), explained:
            with self.constants_scope(self.compute_constants(constants, training)):
                x, r = self.project(inputs), self.recurrent(recurrent_inputs)
                output, states = self.step(x, r, states, noise)
                output = self.readout(output)
            return output, (list(states) if is_list else states[0])

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create a cell from the result of `get_config`."""
        check_no_layer_arguments(cls, config)  # Keras would repeat the whole configuration before the message
        return super().from_config(config)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        weights = {
            f"{weight}_{kind}": module.serialize(getattr(self, f"{weight}_{kind}"))
            for kind, module in _SERIALIZERS.items()
            for weight in ("kernel", "recurrent", "bias")
        }
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **weights,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "zoneout": list(self.zoneout),
            "seed": self.seed,
        }


Multiply = Callable[[Cell, str, Tensor, Tensor], Tensor]
"""Computes `v @ weight` from a cell, the name of its weight, `v`, and the weight."""

_multiply: ContextVar[Multiply] = ContextVar("multiply", default=lambda cell, name, v, w: ops.matmul(v, w))


@contextlib.contextmanager
def multiply_scope(multiply: Multiply) -> Iterator[None]:
    """Return a context in which `multiply` computes `product` of all cells."""
    token = _multiply.set(multiply)
    try:
        yield
    finally:
        _multiply.reset(token)


def can_run_parallel(cell: Cell) -> bool:
    """Return whether `parallel` of a cell computes what its steps compute, zoneout and noise aside.

    It does unless the cell needs steps, or a class below the one that defines `parallel` overrides a method of
    a step that `parallel` does not call.
    """
    owner = next(c for c in type(cell).__mro__ if "parallel" in vars(c))
    return owner is not Cell and not cell.needs_steps and inherits_steps(cell, owner, cell.parallel_methods)


def inherits_steps(cell: Cell, owner: type[Cell], called: frozenset[str] = frozenset()) -> bool:
    """Return whether a cell has all methods of a step from `owner`, except those whose names are in `called`."""
    contract = [c for c in owner.__mro__ if issubclass(c, Cell)]
    methods = {name for c in contract for name, value in vars(c).items() if inspect.isfunction(value)}
    methods -= {name for name in methods if name.startswith("__")} | _OUTSIDE_STEPS | called
    return is_inherited(cell, owner, *methods)


_OUTSIDE_STEPS = frozenset(
    {
        *("bias_shape", "build", "initial_bias", "kernel_shape", "recurrent_shape"),
        *("draw_noise", "draw_dropout_mask", "draw_recurrent_dropout_mask", "prepare_constants"),
        *("get_config", "get_initial_state", "parallel", "readout"),
    }
)
"""Methods of a cell that the loop over time calls itself, or that no step calls."""


def check_widths(**widths: int) -> None:
    """Raise a ValueError for a width that is not a positive integer."""
    for name, width in widths.items():
        if isinstance(width, bool) or not isinstance(width, Integral) or width < 1:
            raise ValueError(f"`{name}` must be a positive integer, but it is {width!r}.")


def check_rates(**rates: float) -> None:
    """Raise a ValueError for a rate that is not in [0, 1)."""
    for name, rate in rates.items():
        if not isinstance(rate, Real) or not 0 <= rate < 1:
            raise ValueError(f"`{name}` must be a number of at least 0 and below 1, but it is {rate!r}.")


def is_inherited(instance: object, base: type, *names: str) -> bool:
    """Return whether all methods of these names are those of `base`, not overridden by a subclass or instance.

    A path that does not call a method must check this first: an override would be ignored.
    """
    return all(getattr(getattr(instance, name), "__func__", None) is getattr(base, name) for name in names)


def apply_mask(x: Tensor, mask: Tensor | None) -> Tensor:
    """Multiply `x` by a dropout mask, if there is one.

    Example:
        >>> import keras, zoo
        >>> zoo.cells.apply_mask(keras.ops.ones((2, 3)), None).shape
        TensorShape([2, 3])
    """
    return x if mask is None else x * mask


def widen(x: Tensor) -> Tensor:
    """Cast half precision to float32, in which large exponents and small squares can be computed."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))


@complete_docstring
class GatedCell(Cell):
    """The base of cells with gates: `gates` computes them, and `combine` the output and the new states.

        x_t = W input_t + b                             `project`
        r_t = U h_{t-1}                                 `recurrent`
        gates_t = gates(x_t, r_t, states_{t-1})
        output_t, states_t = combine(gates_t, states_{t-1})

    Args:
        recurrent_activation: str, callable or None. σ, the activation of the gates: a function or its Keras
            name; None is the identity.
        candidate_dropout: float in [0, 1). Fraction of the candidate that is dropped in training, with a
            new mask at each step, for cells with a gate named `candidate`. Semeniuta, Severyn and Barth
            (2016), "Recurrent dropout without memory loss".

    Example:
        >>> import keras, zoo
        >>> class UpdateGateCell(zoo.GatedCell):
        ...     weight_blocks = ("update", "candidate")
        ...
        ...     def gates(self, x, r, states):
        ...         u, g = self.split(x + r)
        ...         return {"update": self.recurrent_activation(u), "candidate": self.activation(g)}
        ...
        ...     def combine(self, gates, states):
        ...         h = gates["update"] * states[0] + (1 - gates["update"]) * gates["candidate"]
        ...         return h, [h]
        >>> zoo.RNN(UpdateGateCell(4))(keras.ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
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
        super().__init__(**collect_arguments(locals(), "recurrent_activation", "candidate_dropout"), **kwargs)
        check_rates(candidate_dropout=candidate_dropout)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.candidate_dropout = candidate_dropout
        self._check_candidate_dropout()

    def _check_candidate_dropout(self) -> None:
        """Raise a ValueError if a step with `candidate_dropout` would pass over an override of `update`."""
        if self.candidate_dropout and not is_inherited(self, GatedCell, "update"):
            raise ValueError(
                f"`candidate_dropout` needs a cell that defines `gates` and `combine`, but "
                f"{type(self).__name__} defines `update`."
            )

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute one time step from its gates.

        Args:
            gates: result of `gates`, each [batch, units], after `candidate_dropout`.
            states: states of the step before, each [batch, units].

        Returns:
            The output [batch, units] and the list of new states.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `combine(gates, states)`.")

    def update(self, x: Tensor, r: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute one time step: `combine` of `gates`.

        Args:
            x: result of `project`, [batch, n * units].
            r: result of `recurrent`, [batch, n * units], or None.
            states: states of the step before, each [batch, units].

        Returns:
            The output [batch, units] and the list of new states.
        """
        return self.combine(self.compute_gates(x, r, states), states)

    def compute_gates(self, x: Tensor, r: Tensor | None, states: States) -> dict[str, Tensor]:
        """Return the result of `gates`, which a subclass must define, checked to be a dict."""
        if is_inherited(self, Cell, "gates"):
            raise NotImplementedError(
                f"{type(self).__name__} must define `gates(x, r, states)`, which returns the gates by name, and "
                "`combine(gates, states)` (in a `zoo.LinearCell` `coefficients(gates)`), which reads them."
            )
        gates = self.gates(x, r, states)
        if not isinstance(gates, dict):
            raise ValueError(
                f"`gates` of {type(self).__name__} must return a dict of gates by name, but it returns a "
                f"{type(gates).__name__}."
            )
        return gates

    @property
    def noise_size(self) -> int:
        """How many random numbers `step` needs in training for each row and time step.

        After those of zoneout, `candidate_dropout` needs one for each unit.
        """
        return super().noise_size + (self.units if self.candidate_dropout else 0)

    def step(
        self, x: Tensor, r: Tensor | None, states: States, noise: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Compute one time step with candidate dropout and zoneout.

        Args:
            x: result of `project`, [batch, n * units].
            r: result of `recurrent`, [batch, n * units], or None.
            states: states of the step before, each [batch, units].
            noise: result of `draw_noise`, [batch, noise_size], in training; None in inference.

        Returns:
            The output [batch, units] and the list of new states.
        """
        if noise is None or not self.candidate_dropout:
            return super().step(x, r, states, noise)
        self._check_candidate_dropout()
        gates = self.drop_candidate(self.compute_gates(x, r, states), noise)
        return self._apply_zoneout(self.combine(gates, states), states, noise)

    def drop_candidate(self, gates: dict[str, Tensor], noise: Tensor) -> dict[str, Tensor]:
        """Apply `candidate_dropout` to `gates`, each [..., units], with `noise` [..., noise_size]."""
        rate, candidate = self.candidate_dropout, gates["candidate"]
        candidate = ops.where(noise[..., -self.units :] < rate, 0, candidate / (1 - rate))
        return {**gates, "candidate": candidate}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        recurrent_activation = keras.activations.serialize(self.recurrent_activation)
        return {
            **super().get_config(),
            "recurrent_activation": recurrent_activation,
            "candidate_dropout": self.candidate_dropout,
        }
