"""The half that consumes a sequence: a stack of recurrent layers."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells import Cell, Serializable, Tensor
from zoo.layers import RNN


class Encoder(Serializable, keras.layers.Layer):
    """A stack of recurrent layers that reads a sequence and answers at every step.

    Args:
        cell: the cell of each layer and direction; they share its settings, not its weights, name, seed or
            dtype. Their masks follow `keras.utils.set_random_seed`.
        depth: number of layers.
        bidirectional: whether each layer reads in both directions, with weights for each, and gives
            both outputs side by side (Schuster and Paliwal, 1997, "Bidirectional recurrent networks").
        residual: whether each layer from the second on adds its inputs to its outputs (He et al., 2016).
        stateful: whether a call goes on from the states in which the one before ended, for a fixed batch
            size. Gradients stop there: truncated back-propagation through time.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        sequences: [batch, time, features].
        mask: bool [batch, time], False where there is padding.
        training: whether to drop.
        states: before the first step, as a call returns them; zeros if not given.

    Returns:
        Outputs [batch, time, width], zero where there is padding, and a list of the final states of each
        layer: a list of tensors [batch, units], those of the forward direction first. `width` is the
        cell's output size, twice that if bidirectional.
    """

    def __init__(
        self,
        cell: Cell,
        depth: int = 1,
        bidirectional: bool = False,
        residual: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        if depth < 1:
            raise ValueError(f"`depth` must be at least 1, but it is {depth!r}.")
        if bidirectional and stateful:
            raise ValueError("`stateful` goes on from the past; what reads backwards comes from the future.")
        super().__init__(**kwargs)
        self.cell, self.depth, self.bidirectional = cell, depth, bidirectional
        self.residual, self.stateful = residual, stateful
        policy = self.dtype_policy
        layers = [
            numbered_layer(cell, i + 1, policy, zero_output_for_mask=True, stateful=stateful)
            for i in range(depth)
        ]
        self.stack = [
            keras.layers.Bidirectional(layer, name=layer.name, dtype=policy) if bidirectional else layer
            for layer in layers
        ]
        # While Keras loads a file it takes objects of the same address for one shared object, and
        # `Bidirectional` copies its layer by that way: the copied ones must not be freed for others.
        self._copied = lambda: layers

    def build(self, sequences_shape: Sequence[int | None]) -> None:
        """Make the weights of all layers, for inputs [batch, time, features]."""
        shape = tuple(sequences_shape)
        for layer in self.stack:
            layer.build(shape)
            shape = (*shape[:-1], self.output_size)

    @property
    def output_size(self) -> int:
        """Width of the outputs."""
        return self.cell.output_size * (2 if self.bidirectional else 1)

    def directions(self, index: int) -> list[RNN]:
        """The layers that read forwards and, where there is one, backwards, of a layer of the stack."""
        layer = self.stack[index]
        return [layer.forward_layer, layer.backward_layer] if self.bidirectional else [layer]

    def call(
        self,
        sequences: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        states: Sequence[Sequence[Tensor]] | None = None,
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Read the sequences; see the class."""
        after = []
        for index in range(self.depth):
            before = None if states is None else states[index]
            sequences, state = self.read(index, sequences, mask, training, before)
            after.append(state)
        return sequences, after

    def read(
        self,
        index: int,
        sequences: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        state: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Outputs and final states of one layer of the stack, for the outputs of the layer before it."""
        layer = self.stack[index]
        outputs, *state = layer(sequences, initial_state=state, mask=mask, training=training)
        return (sequences + outputs if self.residual and index else outputs), state

    def get_initial_state(self, batch: Tensor) -> list[list[Tensor]]:
        """The states before the first step, zeros, for a number of rows."""
        return [
            [state for layer in self.directions(index) for state in layer.cell.get_initial_state(batch)]
            for index in range(self.depth)
        ]

    def summary(self, states: Sequence[Sequence[Tensor]]) -> Tensor:
        """The hidden state in which each direction of the last layer ends, read out: [batch, width]."""
        each = len(self.cell.state_names)  # the states of a direction, h the first of them
        ends = zip(self.directions(-1), states[-1][::each], strict=True)
        return ops.concatenate([layer.cell.readout(h) for layer, h in ends], axis=-1)

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """Masks are given to each call, not passed on behind the caller's back."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "depth": self.depth,
            "bidirectional": self.bidirectional,
            "residual": self.residual,
            "stateful": self.stateful,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Encoder":
        """The encoder of a `get_config`."""
        return cls(**deserialized(config, "cell"))


class ScaledEmbedding(Serializable, keras.layers.Embedding):
    """Vectors of variance 1 from weights E of variance 1 / width: v = √width E_id.

    As in Vaswani et al. (2017, "Attention is all you need"). Keras's own start near zero: then all states
    are alike at first, attention has nothing to choose from, and learns late. Weights of variance 1 would
    do for v, and would be too large for a product with them, as where E also gives the scores.

    Args:
        input_dim: number of ids.
        output_dim: width of the vectors.
        **kwargs: as in `keras.layers.Embedding`.
    """

    def __init__(self, input_dim: int, output_dim: int, **kwargs: Any) -> None:
        start = keras.initializers.RandomNormal(stddev=output_dim**-0.5)
        super().__init__(input_dim, output_dim, **{"embeddings_initializer": start, **kwargs})

    def call(self, ids: Tensor) -> Tensor:
        """The vectors [..., width] of ids [...]."""
        return super().call(ids) * self.output_dim**0.5


def numbered_layer(cell: Cell, number: int, policy: keras.DTypePolicy, **kwargs: Any) -> RNN:
    """A layer of a stack, with outputs of all steps and final states, and a cell of its own.

    Of its own in name and seed, too: layers of one seed would drop the same units.
    """
    cell = type(cell).from_config({**cell.get_config(), "name": None, "seed": None, "dtype": policy})
    name = f"layer{number}"
    return RNN(cell, return_sequences=True, return_state=True, name=name, dtype=policy, **kwargs)


def deserialized(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """A `get_config` with the objects of those names made anew."""
    return {**config, **{name: keras.saving.deserialize_keras_object(config[name]) for name in names}}
