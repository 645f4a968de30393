"""Recurrent cells, h_t = f_W(h_{t-1}, x_t), each as two products and one elementwise update.

    x_t = project(input_t)              W input_t + b: knows no state, so one product can do many time steps
    r_t = recurrent(states_{t-1})       U h_{t-1}: must wait for the step before; some cells have none
    output_t, states_t = update(x_t, r_t, states_{t-1})     mostly elementwise: the cell's character

A new cell states what differs, usually `gates`, `combine` or `update`, and inherits the rest: the weights
and their options, dropout, zoneout, masks, serialization, the loop over time of `zoo.RNN`, and its gates by
name for inspection. Every cell is also an ordinary Keras cell, which `keras.layers.RNN` runs.

Notation: σ is `recurrent_activation` (the logistic sigmoid), φ is `activation` (tanh), ⊙ multiplies
elementwise; x_i is the block of x_t that belongs to gate i, and likewise r_i.
"""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import keras
from keras import ops

Tensor = Any
"""A tensor of the Keras backend in use."""

States = Sequence[Tensor]
"""The states of a cell, in the order of its `state_names`, each [batch, units]."""

_SERIALIZERS = {
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}


class Serializable:
    """Registers every subclass for serialization, under its top-level package and its name.

    Where two classes of one package share a name, `keras.saving.register_keras_serializable` on them
    tells them apart.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)


class Cell(Serializable, keras.layers.Layer):
    """The base of all cells: weights W, U and b in named blocks, and the contract of the module.

    A subclass names the blocks of its weights and its states, and overrides `update`, or `gates`, or
    whatever else differs. It is `Serializable`, so models that hold it are saved, loaded and wrapped in
    `keras.layers.Bidirectional` without further ado.

    `project`, `recurrent`, `gates` and `readout` work on any number of leading axes: one time step
    [batch, width] or several [time, batch, width]. `update` is given one step at a time. All of them are
    functions of their arguments and of the cell's weights alone, for in training they are computed twice.

    Args:
        units: width of the output and of each state.
        activation: φ, a name or a function; None is the identity.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of W, U and b; likewise
            `*_regularizer` and `*_constraint`.
        dropout: share of the input's features dropped in training. One mask serves all time steps and
            all gates: the tied weights of Gal and Ghahramani (2016, "A theoretically grounded application
            of dropout in recurrent neural networks"). Keras draws a mask for each gate.
        recurrent_dropout: the same for h_{t-1} on its way into U: the variational dropout of that paper.
        zoneout: probability with which, at each step of training, a unit of a state stays as it was
            (Krueger et al., 2017, "Zoneout: regularizing RNNs by randomly preserving hidden
            activations"). Otherwise the state is the mean of the two. One number for all states, or one
            for each; the paper's best LSTM has 0.05 for h and 0.5 for c. There h_t is computed from the
            c_t before zoneout, as in the paper.
        seed: of the dropout masks and of zoneout.
        implementation: accepted for Keras's sake and without effect.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Attributes:
        weight_blocks: names of the n blocks that lie side by side in W [features, n * units],
            U [units, n * units] and b [n * units].
        state_names: names of the states. The first is h, which U multiplies and dropout drops.
    """

    weight_blocks: ClassVar[tuple[str, ...]]
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        *,
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
        zoneout: float | Sequence[float] = 0.0,
        seed: int | None = None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if not hasattr(self, "weight_blocks"):
            raise NotImplementedError(
                f"{type(self).__name__} must name the blocks of its weights, as in "
                '`weight_blocks = ("hidden",)`.'
            )
        check_widths(units=units)
        states = len(self.state_names)
        zoneouts = list(zoneout) if isinstance(zoneout, Sequence) else [zoneout] * states
        if len(zoneouts) != states:
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
    def state_size(self) -> int | list[int]:
        """Width of the state, or of each state where there are several."""
        sizes = [self.units] * len(self.state_names)
        return sizes if len(sizes) > 1 else sizes[0]

    def get_initial_state(self, batch_size: int | Tensor | None = None) -> list[Tensor]:
        """States of zeros, each [batch, units]."""
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in self._state_sizes()]

    def _state_sizes(self) -> list[int]:
        return self.state_size if isinstance(self.state_size, list) else [self.state_size]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make W, U and b for inputs [batch, features]."""
        width = self.units * len(self.weight_blocks)
        self.kernel = self._weight("kernel", (input_shape[-1], width))
        recurrent = self.recurrent_shape(width)
        self.recurrent_kernel = None if recurrent is None else self._weight("recurrent_kernel", recurrent)
        self.bias = self._weight("bias", self.bias_shape(width)) if self.use_bias else None

    def recurrent_shape(self, width: int) -> tuple[int, ...] | None:
        """Shape of U, where W has `width` columns; None for a cell without U."""
        return (self.units, width)

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Shape of b, where W and U have `width` columns."""
        return (width,)

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Values of b before training."""
        return self.bias_initializer(shape, dtype=dtype)

    def _weight(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        kind = name.partition("_")[0]
        return self.add_weight(
            shape=shape,
            name=name,
            initializer=self.initial_bias if name == "bias" else getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def project(self, inputs: Tensor) -> Tensor:
        """W input + b, over the last axis of `inputs` [..., features]: one time step or all of them."""
        x = self.multiply("kernel", inputs)
        return x if self.bias is None else x + self.bias

    def recurrent(self, states: States) -> Tensor | None:
        """U h, from the states, each [..., units]; None for a cell without U."""
        return None if self.recurrent_kernel is None else self.multiply("recurrent_kernel", states[0])

    def multiply(self, weight: str, x: Tensor) -> Tensor:
        """`x` [..., width] times the weight of that name: "kernel", which is W, or "recurrent_kernel", U."""
        return ops.matmul(x, getattr(self, weight))

    def gates(self, x: Tensor, r: Tensor | None, states: States) -> dict[str, Tensor]:
        """The gates by name, each [..., units]; for a cell without gates there are none."""
        return {}

    def update(self, x: Tensor, r: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """The step itself: `(output, states)` from x_t, r_t [..., n * units] and the old states.

        The output is [..., units]; what has another width comes from `readout`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `update(x, r, states)`.")

    def readout(self, outputs: Tensor) -> Tensor:
        """A linear map, without a bias, of what `update` puts out: over all time steps at once.

        Its width is `output_size`.
        """
        return outputs

    @property
    def noise_size(self) -> int:
        """How many random numbers `step` needs in training, for each row and time step.

        For zoneout one for each unit of each state, in the order of the states.
        """
        return sum(self._state_sizes()) if any(self.zoneout) else 0

    def draw_noise(self, like: Tensor) -> Tensor | None:
        """Random numbers in [0, 1) for `step`, [..., noise_size] for inputs [..., features]."""
        if not self.noise_size:
            return None
        shape = (*ops.shape(like)[:-1], self.noise_size)
        # In half precision a rate could not be met: uniform numbers come in steps of 1/128 there.
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def step(
        self, x: Tensor, r: Tensor | None, states: States, noise: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """`update`, and zoneout after it; `noise` is given in training."""
        return self._apply_zoneout(self.update(x, r, states), states, noise)

    def _apply_zoneout(
        self, updated: tuple[Tensor, list[Tensor]], old: States, noise: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        output, states = self._check_outputs(updated, old)
        if not any(self.zoneout):
            return output, states
        zoned, start = [], 0
        for rate, before, after in zip(self.zoneout, old, states, strict=True):
            size = before.shape[-1]
            if noise is None:
                zoned.append(rate * before + (1 - rate) * after)
            else:
                zoned.append(ops.where(noise[..., start : start + size] < rate, before, after))
            start += size
        return zoned[0] if output is states[0] else output, zoned

    def _check_outputs(
        self, updated: tuple[Tensor, list[Tensor]], old: States
    ) -> tuple[Tensor, list[Tensor]]:
        """What a step gave, if it has the form that the loop over time needs."""
        try:
            output, states = updated if isinstance(updated, tuple) else ()
            found = [tuple(tensor.shape)[1:] for tensor in (output, *states)]
        except (AttributeError, TypeError, ValueError):
            found = f"unknown, for it gives a {type(updated).__name__}"
        expected = [(self.units,), *(tuple(state.shape)[1:] for state in old)]
        if found != expected:
            raise ValueError(
                f"Each step of {type(self).__name__} (its `update`, or `combine`) must give a tuple of the "
                f"output and a list of the states {', '.join(self.state_names)}. After the batch their "
                f"shapes must be {expected}, but they are {found}."
            )
        return output, states

    def split(self, z: Tensor) -> list[Tensor]:
        """`z` [..., n * units] cut into its blocks, each [..., units]."""
        return ops.split(z, len(self.weight_blocks), axis=-1)

    def draw_dropout_mask(self, like: Tensor) -> Tensor | None:
        """What to multiply inputs by in training: 0 or 1 / (1 - dropout); None where nothing drops."""
        return self._mask(like, self.dropout)

    def draw_recurrent_dropout_mask(self, like: Tensor) -> Tensor | None:
        """The same for h_{t-1} on its way into U."""
        return self._mask(like, self.recurrent_dropout)

    def _mask(self, like: Tensor, rate: float) -> Tensor | None:
        return keras.random.dropout(ops.ones_like(like), rate, seed=self.seed_generator) if rate else None

    def call(
        self, inputs: Tensor, states: States | Tensor, training: bool = False
    ) -> tuple[Tensor, list[Tensor] | Tensor]:
        """One time step, as Keras calls it.

        `zoo.RNN` draws one dropout mask for a whole sequence. A step on its own knows no sequence, so
        here, and under `keras.layers.RNN`, each step draws its own.

        Args:
            inputs: [batch, features].
            states: a list of tensors [batch, units], or one such tensor.
            training: whether to drop.

        Returns:
            The output [batch, units], and the new states in the form in which the old ones came.
        """
        nested = isinstance(states, (list, tuple))
        states = list(states) if nested else [states]
        seen, noise = states, None
        if training:
            noise = self.draw_noise(inputs)
            inputs = apply_mask(inputs, self.draw_dropout_mask(inputs))
            seen = [apply_mask(states[0], self.draw_recurrent_dropout_mask(states[0])), *states[1:]]
        output, states = self.step(self.project(inputs), self.recurrent(seen), states, noise)
        return self.readout(output), (states if nested else states[0])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
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


def check_widths(**widths: int) -> None:
    """Refuse widths that are not positive whole numbers."""
    for name, width in widths.items():
        if isinstance(width, bool) or not isinstance(width, Integral) or width < 1:
            raise ValueError(f"`{name}` must be a positive whole number, but it is {width!r}.")


def check_rates(**rates: float) -> None:
    """Refuse rates that are not at least 0 and below 1."""
    for name, rate in rates.items():
        if not isinstance(rate, Real) or not 0 <= rate < 1:
            raise ValueError(f"`{name}` must be a number of at least 0 and below 1, but it is {rate!r}.")


def apply_mask(x: Tensor, mask: Tensor | None) -> Tensor:
    """`x` times a dropout mask, where there is one."""
    return x if mask is None else x * mask


class GatedCell(Cell):
    """A cell with gates: `gates(x, r, states)` opens them and `combine(gates, states)` does the rest.

    Args:
        units: width of the output and of each state.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        candidate_dropout: share of the candidate dropped in training, anew at each step: recurrent
            dropout without memory loss (Semeniuta et al., 2016, "Recurrent dropout without memory
            loss"), for cells with a gate of the name `candidate`.
        **kwargs: as in `Cell`.
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        *,
        candidate_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, **kwargs)
        check_rates(candidate_dropout=candidate_dropout)
        if candidate_dropout and type(self).update is not GatedCell.update:
            raise ValueError(
                f"`candidate_dropout` needs a cell that defines `gates` and `combine`, but "
                f"{type(self).__name__} defines `update`."
            )
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.candidate_dropout = candidate_dropout

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """`(output, states)` from the gates by name and the old states."""
        raise NotImplementedError(f"{type(self).__name__} must define `combine(gates, states)`.")

    def update(self, x: Tensor, r: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """See `Cell.update`."""
        return self.combine(self._compute_gates(x, r, states), states)

    def _compute_gates(self, x: Tensor, r: Tensor | None, states: States) -> dict[str, Tensor]:
        gates = self.gates(x, r, states)
        if not isinstance(gates, dict):
            raise ValueError(
                f"`gates` of {type(self).__name__} must give a dict of gates by name, but it gives a "
                f"{type(gates).__name__}."
            )
        return gates

    @property
    def noise_size(self) -> int:
        """See `Cell.noise_size`; for the candidate's dropout there is one more for each unit, the last."""
        return super().noise_size + (self.units if self.candidate_dropout else 0)

    def step(
        self, x: Tensor, r: Tensor | None, states: States, noise: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """See `Cell.step`; before it the candidate is dropped."""
        if noise is None or not self.candidate_dropout:
            return super().step(x, r, states, noise)
        gates = self.drop_candidate(self._compute_gates(x, r, states), noise)
        return self._apply_zoneout(self.combine(gates, states), states, noise)

    def drop_candidate(self, gates: dict[str, Tensor], noise: Tensor) -> dict[str, Tensor]:
        """The gates after the candidate's dropout, for one time step or several."""
        rate, candidate = self.candidate_dropout, gates["candidate"]
        candidate = ops.where(noise[..., -self.units :] < rate, 0, candidate / (1 - rate))
        return {**gates, "candidate": candidate}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        recurrent_activation = keras.activations.serialize(self.recurrent_activation)
        return {
            **super().get_config(),
            "recurrent_activation": recurrent_activation,
            "candidate_dropout": self.candidate_dropout,
        }
