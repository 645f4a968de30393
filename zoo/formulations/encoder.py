"""The encoder: a stack of recurrent layers, which reads a sequence."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells import Cell, Serializable, Tensor
from zoo.cells.checks import check_initialized, check_part, check_stackable, check_template
from zoo.cells.serialization import deserialize_functions
from zoo.layers import RNN


class Encoder(Serializable, keras.layers.Layer):
    """A stack of recurrent layers that reads a sequence and has an output at every step.

        y⁰_t = x_t
        yᵏ_t = RNN of layer k over yᵏ⁻¹                 k = 1 ... depth
        yᵏ_t = yᵏ⁻¹_t + RNN of layer k over yᵏ⁻¹        with `residual`, from k = 2 on

    With `bidirectional` each layer is two RNNs, one in each direction, and yᵏ_t is [forward; backward]:
    Schuster and Paliwal (1997), "Bidirectional recurrent neural networks". Residual connections are those of
    He et al. (2016), "Deep residual learning for image recognition".

    Args:
        cell: a cell of this library, for example `zoo.LSTMCell(64)`. It is the template of the cell of each
            layer and direction. They share its settings, not its weights, name, seed or dtype.
        depth: int. Number of layers. Defaults to `1`.
        bidirectional: bool. Whether each layer reads in both directions, with weights for each. Defaults to
            `False`.
        residual: bool. Whether each layer from the second on adds its inputs to its outputs. Defaults to
            `False`.
        stateful: bool. Whether a call starts from the states in which the call before ended, for a fixed
            batch size. Gradients stop there (truncated back-propagation through time). Defaults to `False`.
        **kwargs: `name`, `dtype` and `trainable`, as of every Keras layer.

    Call arguments:
        sequences: float tensor [batch, time, features], with at least one time step.
        mask: bool tensor [batch, time] or None. False where there is padding: the states stay as they are,
            and the output is zero. Defaults to `None`.
        training: bool. Whether the dropout of the cells is applied. Defaults to `False`.
        states: the states before the first step, in the form in which a call returns them. None stands for
            zeros, or with `stateful` for those in which the call before ended. Defaults to `None`.

    Input shape:
        [batch, time, features], as `build` takes it. The batch size must be known if the encoder is stateful.

    Output shape:
        A tuple of the outputs [batch, time, output_size] and the final states: for each layer a list of
        tensors [batch, units], those of the forward direction first. `output_size` is the output size of the
        cell, twice that if the encoder is bidirectional.

    Raises:
        TypeError: `cell` is not a cell.
        ValueError: `depth` is below 1, or both `bidirectional` and `stateful` are set.

    Example:
        >>> import numpy as np, zoo
        >>> encoder = zoo.Encoder(zoo.GRUCell(16), depth=2, bidirectional=True)
        >>> outputs, states = encoder(np.ones((3, 7, 8), "float32"))
        >>> outputs.shape, len(states), states[-1][0].shape
        (TensorShape([3, 7, 32]), 2, TensorShape([3, 16]))
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
            raise ValueError(
                "`stateful` and `bidirectional` exclude each other: the backward direction starts at the end "
                "of the sequence, which is not known before the last call."
            )
        super().__init__(**kwargs)
        self.cell, self.depth, self.bidirectional = cell, depth, bidirectional
        self.residual, self.stateful = residual, stateful
        policy = self.dtype_policy
        layers = [
            make_layer(cell, i + 1, policy, zero_output_for_mask=True, stateful=stateful)
            for i in range(depth)
        ]
        self.stack = [
            keras.layers.Bidirectional(layer, name=layer.name, dtype=policy) if bidirectional else layer
            for layer in layers
        ]
        # `Bidirectional` copies its layer by serialization. While Keras loads a file, it takes objects with
        # the same address for one shared object. So the layers stay alive: no address may be used again.
        self._copied = lambda: layers

    def build(self, sequences_shape: Sequence[int | None]) -> None:
        """Create the weights of all layers, for inputs [batch, time, features]."""
        shape = tuple(sequences_shape)
        for layer in self.stack:
            layer.build(shape)
            shape = (*shape[:-1], self.output_size)

    @property
    def output_size(self) -> int:
        """Width of the outputs."""
        return self.cell.output_size * (2 if self.bidirectional else 1)

    def get_directions(self, index: int) -> list[RNN]:
        """Return the forward layer and, if there is one, the backward layer of layer `index` of the stack."""
        layer = self.stack[index]
        return [layer.forward_layer, layer.backward_layer] if self.bidirectional else [layer]

    def call(
        self,
        sequences: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        states: Sequence[Sequence[Tensor]] | None = None,
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Return the outputs and the final states; see the class."""
        final_states = []
        for index in range(self.depth):
            initial_state = None if states is None else states[index]
            sequences, state = self.run_layer(index, sequences, mask, training, initial_state)
            final_states.append(state)
        return sequences, final_states

    def run_layer(
        self,
        index: int,
        sequences: Tensor,
        mask: Tensor | None = None,
        training: bool = False,
        initial_state: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Run one layer of the stack.

        Args:
            index: int. Position of the layer in the stack, from 0.
            sequences: float tensor [batch, time, features]. Outputs of the layer before.
            mask: bool tensor [batch, time] or None. False where there is padding. Defaults to `None`.
            training: bool. Whether the dropout of the cell is applied. Defaults to `False`.
            initial_state: list of tensors [batch, units] or None. States before the first step. Defaults to
                `None`.

        Returns:
            The outputs [batch, time, output_size] and the list of final states of the layer.
        """
        layer = self.stack[index]
        outputs, *state = layer(sequences, initial_state=initial_state, mask=mask, training=training)
        return (sequences + outputs if self.residual and index else outputs), state

    def get_initial_state(self, batch_size: int | Tensor) -> list[list[Tensor]]:
        """Return the states before the first step, zeros: for each layer tensors [batch_size, units]."""
        return [
            [
                state
                for layer in self.get_directions(index)
                for state in layer.cell.get_initial_state(batch_size)
            ]
            for index in range(self.depth)
        ]

    def reset_state(self) -> None:
        """Set the carried states of a stateful encoder to zero."""
        for layer in self.stack:
            layer.reset_state()

    def summarize(self, states: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the final output of each direction of the last layer, side by side.

        Args:
            states: final states of all layers, as a call returns them.

        Returns:
            Float tensor [batch, output_size]: the final hidden state h, mapped by `readout` of the cell.
        """
        states_per_direction = len(self.cell.state_names)  # h is the first of them
        final = zip(self.get_directions(-1), states[-1][::states_per_direction], strict=True)
        return ops.concatenate([layer.cell.readout(h) for layer, h in final], axis=-1)

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """Return None: masks are arguments of each call, and Keras passes none on."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
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
        """Create the encoder from the result of `get_config`."""
        return cls(**deserialize_objects(config, "cell"))


class ScaledEmbedding(Serializable, keras.layers.Embedding):
    """Embedding with vectors of variance 1 from weights of variance 1 / d: v = √d E_id.

    d is `output_dim`. As in Vaswani et al. (2017), "Attention is all you need". The vectors of
    `keras.layers.Embedding` start near zero. Then all states of an encoder are alike at first, and an
    attention learns late, because it cannot tell positions apart. Weights of variance 1 would be too large
    where E also computes logits (tied weights).

    Args:
        input_dim: int. Number of ids.
        output_dim: int. Width d of the vectors.
        **kwargs: arguments of `keras.layers.Embedding`. `embeddings_initializer` defaults to a normal
            distribution of variance 1 / d.

    Call arguments:
        ids: int tensor [...].

    Input shape:
        [...], any shape; `build` creates E for all of them.

    Output shape:
        [..., output_dim]

    Example:
        >>> import numpy as np, zoo
        >>> zoo.ScaledEmbedding(50, 16)(np.array([[3, 7, 9], [4, 8, 0]])).shape
        TensorShape([2, 3, 16])
    """

    def __init__(self, input_dim: int, output_dim: int, **kwargs: Any) -> None:
        initializer = keras.initializers.RandomNormal(stddev=output_dim**-0.5)
        super().__init__(input_dim, output_dim, **{"embeddings_initializer": initializer, **kwargs})

    def call(self, ids: Tensor) -> Tensor:
        """Return the vectors [..., output_dim] of ids [...]."""
        return super().call(ids) * self.output_dim**0.5

    def compute_logits(self, outputs: Tensor, bias: Tensor, ids: Tensor | None = None) -> Tensor:
        """Return E o + b, the logits of ids where the weights are tied.

        Args:
            outputs: float tensor [..., output_dim]. o.
            bias: float tensor [input_dim]. b.
            ids: int tensor [n] or None. Ids to compute the logits of; None: all. Defaults to `None`.

        Returns:
            Float tensor [..., n], or [..., input_dim] for all ids, of the dtype of `outputs`.
        """
        parts = (
            (self.embeddings, bias) if ids is None else (ops.take(x, ids, 0) for x in (self.embeddings, bias))
        )
        embeddings, bias = (ops.cast(x, outputs.dtype) for x in parts)
        *axes, width = ops.shape(outputs)
        products = ops.matmul(ops.reshape(outputs, (-1, width)), ops.transpose(embeddings))
        return ops.reshape(products, (*axes, ops.shape(embeddings)[0])) + bias


def check_encoder(encoder: Any) -> None:
    """Raise a TypeError if the encoder of a model is something else, such as a cell."""
    check_part("encoder", encoder, Encoder, "Wrap a cell in one: `zoo.Encoder(zoo.GRUCell(16))`.")


def make_layer(cell: Cell, number: int, policy: keras.DTypePolicy, **kwargs: Any) -> RNN:
    """Create layer `number` of a stack, which returns the outputs of all steps and the final states.

    The layer has a copy of the cell without its seed, because layers with the same seed would drop the same
    units, and with a fixed name, so that the paths of its weights are the same in every process.
    """
    if isinstance(cell, Cell):
        check_initialized(cell)
    check_template(cell)
    check_stackable(cell, number)
    cell = type(cell).from_config({**cell.get_config(), "name": "cell", "seed": None, "dtype": policy})
    name = f"layer{number}"
    return RNN(cell, return_sequences=True, return_state=True, name=name, dtype=policy, **kwargs)


def build_once(layer: keras.layers.Layer, *shapes: Sequence[int | None] | None) -> None:
    """Build a layer, unless it has its weights already, for example those of another model that it was part of."""
    if not layer.built:
        layer.build(*shapes)


def deserialize_objects(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a `get_config` result with the entries of the given names deserialized, and not yet built.

    Keras would build them from the shapes in their configurations, and the `build` of the layer or model that
    holds them would then create their weights again.
    """
    objects = {}
    for name in names:
        serialized = config[name]
        if serialized is not None:
            serialized = {key: value for key, value in serialized.items() if key != "build_config"}
        objects[name] = keras.saving.deserialize_keras_object(serialized)
    return {**deserialize_functions(config), **objects}
