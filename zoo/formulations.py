"""The ways in which sequences go in and come out, as Keras models built from one `Encoder`.

many-to-one     a sequence to one answer: `ManyToOne`
"""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from zoo.cells import Cell, Registered, Tensor
from zoo.recurrence import RNN


class Encoder(Registered, keras.layers.Layer):
    """A stack of recurrent layers that reads a sequence and answers at every step.

    Args:
        cell: the cell of each layer; the layers share its settings, not its weights.
        depth: number of layers.
        bidirectional: whether each layer reads in both directions, with weights for each, and gives
            both outputs side by side (Schuster and Paliwal, 1997, "Bidirectional recurrent networks").
        stateful: whether a call goes on from the states in which the one before ended, for a fixed batch
            size. Gradients stop there: truncated back-propagation through time.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        sequences: [batch, time, features].
        mask: bool [batch, time], False where there is padding.
        training: whether to drop.

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
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        if depth < 1:
            raise ValueError(f"`depth` must be at least 1, but it is {depth!r}.")
        if bidirectional and stateful:
            raise ValueError("`stateful` goes on from the past; what reads backwards comes from the future.")
        super().__init__(**kwargs)
        self.cell, self.depth, self.bidirectional, self.stateful = cell, depth, bidirectional, stateful
        layers = [self._layer(i + 1) for i in range(depth)]
        self.stack = [
            keras.layers.Bidirectional(layer, name=layer.name) if bidirectional else layer for layer in layers
        ]
        # While Keras loads a file it takes objects of the same address for one shared object, and
        # `Bidirectional` copies its layer by that way: the copied ones must not be freed for others.
        self._copied = lambda: layers

    def _layer(self, number: int) -> RNN:
        # A cell of its own for each layer, so that a name or a seed given to `cell` serves one only.
        config = {**self.cell.get_config(), "name": None}
        if self.cell.seed is not None:
            config["seed"] = self.cell.seed + number
        return RNN(
            type(self.cell).from_config(config),
            return_sequences=True,
            return_state=True,
            zero_output_for_mask=True,
            stateful=self.stateful,
            name=f"layer{number}",
        )

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
        self, sequences: Tensor, mask: Tensor | None = None, training: bool = False
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Read the sequences; see the class."""
        states = []
        for layer in self.stack:
            sequences, *state = layer(sequences, mask=mask, training=training)
            states.append(state)
        return sequences, states

    def compute_mask(self, *args: Any, **kwargs: Any) -> None:
        """Masks are given to each call, not passed on behind the caller's back."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "depth": self.depth,
            "bidirectional": self.bidirectional,
            "stateful": self.stateful,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Encoder":
        """The encoder of a `get_config`."""
        return cls(**_deserialised(config, "cell"))


class ManyToOne(Registered, keras.Model):
    """Many-to-one: reads a sequence of ids, and gives one vector of class scores (logits).

        v_t = embedding of id_t
        y_1 ... y_T = encoder(v_1 ... v_T)
        p = pooling of y_1 ... y_T over the steps that are not padding
        scores = V p + b

    Args:
        vocabulary: number of ids; id 0 is padding.
        embedding: width of the vectors v_t.
        encoder: reads the vectors. None leaves recurrence out, y_t = v_t: a bag of words, the baseline
            without memory, which gives the same words in any order the same scores.
        classes: number of classes.
        pooling: "max" or "mean" of the outputs over time, or "last": the hidden state in which each
            direction of the last layer ends, read out.
        dropout: share of p dropped in training.
        word_dropout: share of the vectors v_t dropped whole in training, so that no single one decides.
        **kwargs: `name` and `dtype`.

    Call arguments:
        ids: [batch, time], with `time` at least 1.
        training: whether to drop.

    Returns:
        Scores [batch, classes]. Where a row is all padding, p is zero.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        encoder: Encoder | None,
        classes: int,
        pooling: Literal["max", "mean", "last"] = "max",
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if pooling not in ("max", "mean", "last"):
            raise ValueError(f'`pooling` must be "max", "mean" or "last", but it is {pooling!r}.')
        if encoder is None and pooling == "last":
            raise ValueError('Without an encoder `pooling` must be "max" or "mean".')
        super().__init__(**kwargs)
        self.embedding = keras.layers.Embedding(vocabulary, embedding, name="embedding")
        self.encoder = encoder
        self.pooling = pooling
        self.drop = keras.layers.Dropout(dropout, name="drop")
        self.drop_words = keras.layers.Dropout(word_dropout, (None, None, 1), name="drop_words")
        self.scores = keras.layers.Dense(classes, name="scores")

    def build(self, ids_shape: Sequence[int | None]) -> None:
        """Make all weights, for ids [batch, time]."""
        width = self.embedding.output_dim
        self.embedding.build(ids_shape)
        if self.encoder is not None:
            self.encoder.build((*ids_shape, width))
            width = self.encoder.output_size
        self.scores.build((ids_shape[0], width))

    def call(self, ids: Tensor, training: bool = False) -> Tensor:
        """Score the sequences; see the class."""
        mask = ops.not_equal(ids, 0)
        outputs = self.drop_words(self.embedding(ids), training=training)
        if self.encoder is not None:
            outputs, states = self.encoder(outputs, mask=mask, training=training)
        if self.pooling == "last":
            each = len(self.encoder.cell.state_names)  # the states of a direction, h the first of them
            ends = zip(self.encoder.directions(-1), states[-1][::each], strict=True)
            pooled = ops.concatenate([layer.cell.readout(h) for layer, h in ends], axis=-1)
        else:
            pooled = self._pool(outputs, mask)
        return self.scores(self.drop(pooled, training=training))

    def _pool(self, outputs: Tensor, mask: Tensor) -> Tensor:
        valid = mask[:, :, None]
        if self.pooling == "max":
            highest = ops.max(ops.where(valid, outputs, outputs.dtype.min), axis=1)
            return ops.where(ops.any(valid, axis=1), highest, 0)
        count = ops.sum(ops.cast(valid, outputs.dtype), axis=1)
        return ops.sum(ops.where(valid, outputs, 0), axis=1) / ops.maximum(count, 1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        encoder = self.encoder
        return {
            **super().get_config(),
            "vocabulary": self.embedding.input_dim,
            "embedding": self.embedding.output_dim,
            "encoder": None if encoder is None else keras.saving.serialize_keras_object(encoder),
            "classes": self.scores.units,
            "pooling": self.pooling,
            "dropout": self.drop.rate,
            "word_dropout": self.drop_words.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ManyToOne":
        """The model of a `get_config`."""
        return cls(**_deserialised(config, "encoder"))


def _deserialised(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {**config, name: keras.saving.deserialize_keras_object(config[name])}
