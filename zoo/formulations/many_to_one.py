"""Many-to-one (sequence classifier): a sequence to one vector of class scores."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.formulations.encoder import Encoder, build_once, deserialize_objects


class ManyToOne(Serializable, keras.Model):
    """Many-to-one (sequence classifier): maps a sequence of token ids to one vector of class scores.

        v_t = E_w of token w_t
        y_1 ... y_T = encoder(v_1 ... v_T)
        p = pooling of y_1 ... y_T over the steps that are not padding
        scores = V p + b

    With a bidirectional encoder and max pooling this is the BiLSTM-max of Conneau et al. (2017), "Supervised
    learning of universal sentence representations from natural language inference data".

    Args:
        vocabulary_size: int. Number of token ids. Id 0 is padding.
        embedding_dim: int. Width of the token vectors v_t.
        encoder: `zoo.Encoder` or None. Reads the vectors. None leaves recurrence out, y_t = v_t: a bag of
            words, which is the baseline that ignores word order.
        classes: int. Number of classes.
        pooling: "max", "mean", "max_mean" or "last". "max" and "mean" pool the outputs y_t over time, and
            "max_mean" has both side by side; "last" is the final hidden state of each direction of the last
            layer, mapped to outputs where the cell has a projection. "last" needs an encoder. Defaults to
            `'max'`.
        dropout: float in [0, 1). Share of the features of p that are dropped in training. Defaults to `0.0`.
        word_dropout: float in [0, 1). Share of the vectors v_t that are dropped as a whole in training.
            Defaults to `0.0`.
        **kwargs: `name` and `dtype`, as of every Keras model.

    Call arguments:
        ids: int tensor [batch, time], with at least one time step.
        training: bool. Whether dropout is applied. Defaults to `False`.

    Input shape:
        [batch, time], as `build` takes it.

    Output shape:
        [batch, classes]: logits. For a row of padding p is zero.

    Raises:
        ValueError: `pooling` is unknown, or "last" without an encoder.

    Example:
    >>> import numpy as np, zoo
    >>> encoder = zoo.Encoder(zoo.LSTMCell(32), bidirectional=True)
    >>> model = zoo.ManyToOne(50, 16, encoder, classes=3)
    >>> model(np.array([[3, 7, 9], [4, 8, 0]])).shape
    TensorShape([2, 3])
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        encoder: Encoder | None,
        classes: int,
        pooling: Literal["max", "mean", "max_mean", "last"] = "max",
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if pooling not in ("max", "mean", "max_mean", "last"):
            raise ValueError(f'`pooling` must be "max", "mean", "max_mean" or "last", but it is {pooling!r}.')
        if encoder is None and pooling == "last":
            raise ValueError('Without an encoder `pooling` must not be "last".')
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.embedding = keras.layers.Embedding(
            vocabulary_size, embedding_dim, name="embedding", dtype=policy
        )
        self.encoder, self.pooling = encoder, pooling
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=policy)
        self.drop_words = keras.layers.Dropout(word_dropout, (None, None, 1), name="drop_words", dtype=policy)
        self.scores = keras.layers.Dense(classes, name="scores", dtype=policy)

    def build(self, ids_shape: Sequence[int | None]) -> None:
        """Create all weights, for ids [batch, time]."""
        width = self.embedding.output_dim
        self.embedding.build(ids_shape)
        if self.encoder is not None:
            build_once(self.encoder, (*ids_shape, width))
            width = self.encoder.output_size
        if self.pooling == "max_mean":
            width *= 2
        self.scores.build((ids_shape[0], width))

    def call(self, ids: Tensor, training: bool = False) -> Tensor:
        """Return logits [batch, classes]; see the class."""
        mask = ops.not_equal(ids, 0)
        outputs = self.drop_words(self.embedding(ids), training=training)
        if self.encoder is None:
            pooled = self._pool(outputs, mask)
        else:
            outputs, states = self.encoder(outputs, mask=mask, training=training)
            is_last = self.pooling == "last"
            pooled = self.encoder.summarize(states) if is_last else self._pool(outputs, mask)
        return self.scores(self.drop(pooled, training=training))

    def _pool(self, outputs: Tensor, mask: Tensor) -> Tensor:
        """Return maximum, mean or both of `outputs` [batch, time, width] over valid steps, [batch, features]."""
        is_valid = mask[:, :, None]
        pooled = []
        if self.pooling in ("max", "max_mean"):
            highest = ops.max(ops.where(is_valid, outputs, outputs.dtype.min), axis=1)
            pooled.append(ops.where(ops.any(is_valid, axis=1), highest, 0))
        if self.pooling in ("mean", "max_mean"):
            count = ops.sum(ops.cast(is_valid, outputs.dtype), axis=1)
            pooled.append(ops.sum(ops.where(is_valid, outputs, 0), axis=1) / ops.maximum(count, 1))
        return ops.concatenate(pooled, axis=-1) if len(pooled) > 1 else pooled[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        encoder = self.encoder
        return {
            **super().get_config(),
            "vocabulary_size": self.embedding.input_dim,
            "embedding_dim": self.embedding.output_dim,
            "encoder": None if encoder is None else keras.saving.serialize_keras_object(encoder),
            "classes": self.scores.units,
            "pooling": self.pooling,
            "dropout": self.drop.rate,
            "word_dropout": self.drop_words.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ManyToOne":
        """Create the model from the result of `get_config`."""
        return cls(**deserialize_objects(config, "encoder"))
