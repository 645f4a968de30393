"""Recurrent cells, h_t = f_W(h_{t-1}, x_t), each as two linear maps and one elementwise update.

    x_t = project(input_t)              W input_t + b: knows no state, so one product does all time steps
    r_t = recurrent(states_{t-1})       U h_{t-1}: the only product inside the loop over time
    output_t, states_t = update(x_t, r_t, states_{t-1})     elementwise: the cell's character

A new cell states what differs, usually `gates` or `update`, and inherits the rest: the weights and their
options, dropout, masks, serialisation, the loop over time of `zoo.RNN`, and its gates by name for inspection.
Every cell is also an ordinary Keras cell, which `keras.layers.RNN` runs.

Notation: σ is `recurrent_activation` (the logistic sigmoid), φ is `activation` (tanh), ⊙ multiplies
elementwise; x_i is the block of x_t that belongs to gate i, and likewise r_i.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
from keras import ops

Tensor = Any
"""A tensor of the Keras backend in use."""

States = Sequence[Tensor]
"""The states of a cell, in the order of its `state_names`, each [batch, units]."""

_SERIALISERS = {
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}


class Registered:
    """Registers every subclass for serialisation, under its top-level package and its name.

    Where two classes of one package share a name, `keras.saving.register_keras_serializable` on them
    tells them apart.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)


class Cell(Registered, keras.layers.Layer):
    """The base of all cells: weights W, U and b in named blocks, and the contract of the module.

    A subclass names the blocks of its weights and its states, and overrides `update`, or `gates`, or
    whatever else differs. It is `Registered`, so models that hold it are saved, loaded and wrapped in
    `keras.layers.Bidirectional` without further ado.

    `update` is elementwise: unit j of what it returns depends on unit j of its arguments alone.

    Args:
        units: width of the output and of each state.
        activation: φ, a name or a function; None is the identity.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of W, U and b; likewise
            `*_regularizer` and `*_constraint`.
        dropout: share of the input's features dropped in training. One mask serves all time steps and
            all gates: the tied weights of Gal and Ghahramani (2016, "A theoretically grounded application
            of dropout in recurrent neural networks"). Keras draws a mask for each gate.
        recurrent_dropout: the same for h_{t-1} on its way into U.
        seed: of the dropout masks.
        implementation: accepted for Keras's sake and without effect.
        **kwargs: `name`, `dtype` and `trainable`, as in any Keras layer.

    Attributes:
        blocks: names of the blocks in which W [features, blocks * units], U [units, blocks * units] and
            b [blocks * units] lie side by side.
        state_names: names of the states. The first is h, which U multiplies and dropout drops.
    """

    blocks: ClassVar[tuple[str, ...]]
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
        seed: int | None = None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"`units` must be a positive whole number, but it is {units!r}.")
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"`{name}` must be at least 0 and below 1, but it is {rate!r}.")
        super().__init__(**kwargs)
        self.units = units
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
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make W, U and b for inputs [batch, features]."""
        width = self.units * len(self.blocks)
        self.kernel = self._weight("kernel", (input_shape[-1], width))
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, width))
        self.bias = self._weight("bias", self.bias_shape(width)) if self.use_bias else None

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
        x = ops.matmul(inputs, self.kernel)
        return x if self.bias is None else x + self.bias

    def recurrent(self, states: States) -> Tensor:
        """U h, a linear map of the states, each [..., units]."""
        return ops.matmul(states[0], self.recurrent_kernel)

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """The gates by name, each [..., units]; for a cell without gates there are none."""
        return {}

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """The step itself: `(output, states)` from x_t, r_t [..., blocks * units] and the old states."""
        raise NotImplementedError(f"{type(self).__name__} must define `update(x, r, states)`.")

    def split(self, z: Tensor) -> list[Tensor]:
        """`z` [..., blocks * units] cut into its blocks, each [..., units]."""
        return ops.split(z, len(self.blocks), axis=-1)

    def dropout_mask(self, like: Tensor) -> Tensor | None:
        """What to multiply inputs by in training: 0 or 1 / (1 - dropout); None where nothing drops."""
        return self._mask(like, self.dropout)

    def recurrent_dropout_mask(self, like: Tensor) -> Tensor | None:
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
        seen = states
        if training:
            inputs = masked(inputs, self.dropout_mask(inputs))
            seen = [masked(states[0], self.recurrent_dropout_mask(states[0])), *states[1:]]
        output, states = self.update(self.project(inputs), self.recurrent(seen), states)
        return output, (states if nested else states[0])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        weights = {
            f"{weight}_{kind}": module.serialize(getattr(self, f"{weight}_{kind}"))
            for kind, module in _SERIALISERS.items()
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
            "seed": self.seed,
        }


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """`x` times a dropout mask, where there is one."""
    return x if mask is None else x * mask


class SimpleRNNCell(Cell):
    """The vanilla recurrent network (Elman, 1990, "Finding structure in time").

        h_t = φ(W x_t + b + U h_{t-1})

    φ is tanh, or with `activation="sigmoid"` the logistic function. The arguments are those of `Cell`;
    weights are interchangeable with `keras.layers.SimpleRNN`.
    """

    blocks = ("hidden",)

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """See `Cell.update`."""
        h = self.activation(x + r)
        return h, [h]


class GatedCell(Cell):
    """A cell whose gates have an activation of their own, σ.

    Args:
        units: width of the output and of each state.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        **kwargs: as in `Cell`.
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, **kwargs)
        self.recurrent_activation = keras.activations.get(recurrent_activation)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        recurrent_activation = keras.activations.serialize(self.recurrent_activation)
        return {**super().get_config(), "recurrent_activation": recurrent_activation}


class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with the forget gate of Gers et al. (2000).

        i = σ(x_i + r_i)                input: how much is written
        f = σ(x_f + r_f)                forget: how much is kept
        g = φ(x_g + r_g)                candidate: what is written
        o = σ(x_o + r_o)                output: how much is shown
        c_t = f ⊙ c_{t-1} + i ⊙ g
        h_t = o ⊙ φ(c_t)

    There are no peepholes, as in `keras.layers.LSTM`, with which weights are interchangeable.

    Args:
        units: width of h and of c.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        unit_forget_bias: whether the forget gate's bias starts at 1, which keeps it open at first
            (Jozefowicz et al., 2015, "An empirical exploration of recurrent network architectures").
        **kwargs: as in `Cell`.
    """

    blocks = ("input", "forget", "candidate", "output")
    state_names = ("hidden", "cell")

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        *,
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def initial_bias(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Values of b before training: ones in the forget block, where there is one."""
        bias = super().initial_bias(shape, dtype)
        if self.unit_forget_bias and "forget" in self.blocks:
            start = self.blocks.index("forget") * self.units
            ones = ops.ones(self.units, dtype)
            bias = ops.concatenate([bias[:start], ones, bias[start + self.units :]])
        return bias

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        i, f, g, o = self.split(x + r)
        return {
            "input": self.recurrent_activation(i),
            "forget": self.recurrent_activation(f),
            "candidate": self.activation(g),
            "output": self.recurrent_activation(o),
        }

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """See `Cell.update`."""
        gate = self.gates(x, r, states)
        c = gate["forget"] * states[1] + gate["input"] * gate["candidate"]
        h = gate["output"] * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class GRUCell(GatedCell):
    """Gated recurrent unit (Cho et al., 2014, "Learning phrase representations using RNN encoder-decoder").

        z = σ(x_z + r_z)                update: how much is kept
        r = σ(x_r + r_r)                reset: how much of the past the candidate sees
        g = φ(x_g + r ⊙ r_g)            candidate, with `reset_after=True`
        g = φ(x_g + U_g (r ⊙ h_{t-1}))  candidate, with `reset_after=False`
        h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g

    The paper resets before the product with U_g. Resetting after it, the default here and in
    `keras.layers.GRU`, keeps the update elementwise; U has then a bias
    of its own, the second row of b [2, 3 * units]. Weights are interchangeable with `keras.layers.GRU`.

    Args:
        units: width of h.
        activation: φ, a name or a function; None is the identity.
        recurrent_activation: σ, likewise.
        reset_after: whether the reset gate acts after the product with U_g, or before it.
        **kwargs: as in `Cell`.
    """

    blocks = ("update", "reset", "candidate")

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "tanh",
        recurrent_activation: str | Callable | None = "sigmoid",
        *,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, **kwargs)
        self.reset_after = reset_after

    def bias_shape(self, width: int) -> tuple[int, ...]:
        """Shape of b, where W and U have `width` columns."""
        return (2, width) if self.reset_after else (width,)

    def project(self, inputs: Tensor) -> Tensor:
        """See `Cell.project`."""
        if not (self.reset_after and self.use_bias):
            return super().project(inputs)
        return ops.matmul(inputs, self.kernel) + self.bias[0]

    def recurrent(self, states: States) -> Tensor:
        """U h and its bias; before the reset U_z h, U_r h and h itself, which U_g is to multiply."""
        if not self.reset_after:
            h, width = states[0], 2 * self.units
            return ops.concatenate([ops.matmul(h, self.recurrent_kernel[:, :width]), h], axis=-1)
        r = super().recurrent(states)
        return r + self.bias[1] if self.use_bias else r

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """See `Cell.gates`."""
        (x_z, x_r, x_g), (r_z, r_r, r_g) = self.split(x), self.split(r)
        update = self.recurrent_activation(x_z + r_z)
        reset = self.recurrent_activation(x_r + r_r)
        past = reset * r_g
        if not self.reset_after:
            past = ops.matmul(past, self.recurrent_kernel[:, 2 * self.units :])
        return {"update": update, "reset": reset, "candidate": self.activation(x_g + past)}

    def update(self, x: Tensor, r: Tensor, states: States) -> tuple[Tensor, list[Tensor]]:
        """See `Cell.update`."""
        gate = self.gates(x, r, states)
        h = gate["update"] * states[0] + (1 - gate["update"]) * gate["candidate"]
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "reset_after": self.reset_after}
