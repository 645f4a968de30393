"""Many-to-one: a sequence to one answer."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.formulations.encoder import Encoder, deserialized


class ManyToOne(Serializable, keras.Model):
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
        self.embedding = keras.layers.Embedding(
            vocabulary, embedding, name="embedding", dtype=self.dtype_policy
        )
        self.encoder = encoder
        self.pooling = pooling
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)
        self.drop_words = keras.layers.Dropout(
            word_dropout, (None, None, 1), name="drop_words", dtype=self.dtype_policy
        )
        self.scores = keras.layers.Dense(classes, name="scores", dtype=self.dtype_policy)

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
        pooled = self.encoder.summary(states) if self.pooling == "last" else self._pool(outputs, mask)
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
        return cls(**deserialized(config, "encoder"))
