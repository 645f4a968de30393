"""Many-to-one (sequence classifier): a sequence to one vector of class scores."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import tensorflow as tf
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.formulations.encoder import Encoder, build_once, check_encoder, deserialize_objects


class ManyToOne(Serializable, keras.Model):
    """Many-to-one (sequence classifier): maps a sequence of token ids to one vector of class scores.

        v_t = E_w of token w_t
        y_1 ... y_T = encoder(v_1 ... v_T)
        p = pooling of y_1 ... y_T over the steps that are not padding
        scores = V p + b

    With a bidirectional encoder and max pooling this is the BiLSTM-max of Conneau et al. (2017), "Supervised
    learning of universal sentence representations from natural language inference data".

    With `adversarial_radius` ρ, training adds a loss that keeps the scores p from changing near the token vectors v:

        g = gradient of log max_c softmax(p)_c with respect to v
        r = -ρ · mean length of the v_t · g / |g|
        loss = KL(softmax(p(v)) || softmax(p(v + r)))

    That is adversarial training on the model's own predictions: Miyato et al. (2017), "Adversarial training methods
    for semi-supervised text classification". A step then takes two to three times as long.

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
        word_dropout_min_length: int. Rows of fewer tokens keep all their vectors: in a short text each word may
            decide. Defaults to `1`.
        adversarial_radius: float. Length of the change r of the vectors of a row, in mean lengths of a vector; 0.3
            is a good value, and 0 means no adversarial training. Defaults to `0.0`.
        **kwargs: `name` and `dtype`, as of every Keras model.

    Call arguments:
        ids: int tensor [batch, time], with at least one time step.
        training: bool. Whether dropout is applied. Defaults to `False`.

    Input shape:
        [batch, time], as `build` takes it.

    Output shape:
        [batch, classes]: logits. For a row of padding p is zero.

    Raises:
        TypeError: `encoder` is not an `Encoder`.
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
        word_dropout_min_length: int = 1,
        adversarial_radius: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if pooling not in ("max", "mean", "max_mean", "last"):
            raise ValueError(f'`pooling` must be "max", "mean", "max_mean" or "last", but it is {pooling!r}.')
        if encoder is None and pooling == "last":
            raise ValueError('Without an encoder `pooling` must not be "last".')
        if encoder is not None:
            check_encoder(encoder)
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.embedding = keras.layers.Embedding(
            vocabulary_size, embedding_dim, name="embedding", dtype=policy
        )
        self.encoder, self.pooling, self.adversarial_radius = encoder, pooling, adversarial_radius
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=policy)
        self.drop_words = keras.layers.Dropout(word_dropout, (None, None, 1), name="drop_words", dtype=policy)
        self.word_dropout_min_length = word_dropout_min_length
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
        vectors = self.embedding(ids)
        if training and self.drop_words.rate:
            is_long = ops.sum(ops.cast(mask, "int32"), axis=1) >= self.word_dropout_min_length
            vectors = ops.where(is_long[:, None, None], self.drop_words(vectors, training=True), vectors)
        if not (training and self.adversarial_radius):
            return self._score(vectors, mask, training)
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            scores = self._score(vectors, mask, training)
            confidence = tf.reduce_max(tf.nn.log_softmax(scores), axis=-1)
        change = self._scale_change(-tape.gradient(confidence, vectors), vectors, mask)
        changed_scores = self._score(vectors + change, mask, training)
        log_p, log_q = (tf.nn.log_softmax(logits) for logits in (tf.stop_gradient(scores), changed_scores))
        self.add_loss(tf.reduce_mean(tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1)))
        return scores

    def _scale_change(self, direction: Tensor, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return `direction` [batch, time, width], of each row with the length that `adversarial_radius` states."""
        largest = tf.reduce_max(tf.abs(direction), axis=[1, 2], keepdims=True)
        direction = tf.math.divide_no_nan(direction, largest)  # so that its squares do not underflow
        length = tf.norm(direction, axis=[1, 2], keepdims=True)
        lengths = tf.where(mask, tf.norm(vectors, axis=-1), 0)
        num_words = tf.reduce_sum(tf.cast(lengths > 0, lengths.dtype), axis=1)
        mean = tf.math.divide_no_nan(tf.reduce_sum(lengths, axis=1), num_words)[:, None, None]
        change = tf.math.divide_no_nan(self.adversarial_radius * mean * direction, length)
        return tf.stop_gradient(change)

    def _score(self, vectors: Tensor, mask: Tensor, training: bool) -> Tensor:
        """Return logits [batch, classes] for token vectors [batch, time, width]."""
        if self.encoder is None:
            pooled = self._pool(vectors, mask)
        else:
            outputs, states = self.encoder(vectors, mask=mask, training=training)
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
            "word_dropout_min_length": self.word_dropout_min_length,
            "adversarial_radius": self.adversarial_radius,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ManyToOne":
        """Create the model from the result of `get_config`."""
        return cls(**deserialize_objects(config, "encoder"))
