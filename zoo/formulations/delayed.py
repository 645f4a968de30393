"""Delayed many-to-many: a sequence to another, emitted once the first has been read to its end."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo.attention import Memory
from zoo.cells import Serializable, Tensor
from zoo.formulations.decoder import Decoder, State
from zoo.formulations.encoder import Encoder, ScaledEmbedding, deserialized
from zoo.formulations.frames import FrameVectors, located


class DelayedManyToMany(Serializable, keras.Model):
    """Delayed many-to-many: reads a sequence to its end, then emits another.

        v_j = embedding of x_j
        m_1 ... m_T = encoder(v_1 ... v_T),    s = its final state
        p(y_t | y_1 ... y_{t-1}, x) = softmax of the decoder's logits_t

    Sutskever, Vinyals and Le (2014, "Sequence to sequence learning with neural networks"), and with a decoder
    that has an attention Bahdanau et al. (2015). A call is teacher forcing: each step is given the true
    token before it. To emit, take `prepare_memory` and one `decoder.step` after the other, as `zoo.decoding.beam_search`
    does.

    With frames for x it tells of a video: Venugopalan et al. (2015, "Sequence to sequence - video to text").
    Where each frame becomes a map, the encoder reads what happens at each place of it, with one set of
    weights for all, s is the maximum over places, and attention chooses among all places of all frames.

    Args:
        embedding: makes the vectors v_j: a `ScaledEmbedding` of ids, or `FrameVectors` of frames.
        encoder: reads the vectors.
        decoder: emits the target.
        dropout: share of the features of m dropped in training.
        scheduled_sampling: whether a share of the tokens given in training is replaced by the decoder's
            own; `ScheduledSampling` sets how many. The steps are then taken one by one.
        **kwargs: `name` and `dtype`.

    Call arguments:
        inputs: source ids [batch, time], or frames [batch, time, ...], where what is zero throughout is
            padding, but not among frames that become maps; and target ids [batch, steps]: for each step the
            token before the one that is to be predicted.
        training: whether to drop, and to sample.

    Returns:
        Logits [batch, steps, target vocabulary].

    Attributes:
        positions: shape of what the decoder looks into, once the model is built: (time,), or of frames that
            become maps (time, rows, columns).
    """

    def __init__(
        self,
        embedding: ScaledEmbedding | FrameVectors,
        encoder: Encoder,
        decoder: Decoder,
        dropout: float = 0.0,
        scheduled_sampling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding, self.encoder, self.decoder = embedding, encoder, decoder
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)
        self.scheduled_sampling = scheduled_sampling

    def build(self, inputs_shape: Sequence[Sequence[int | None]]) -> None:
        """Make all weights, for a source [batch, time, ...] and target ids [batch, steps]."""
        self.embedding.build(inputs_shape[0])
        shape = self.embedding.compute_output_shape(inputs_shape[0])
        self.positions = tuple(shape[1:-1])
        self.encoder.build((None, None, shape[-1] + (2 if len(shape) == 5 else 0)))
        width = self.encoder.output_size
        if not self.decoder.built:  # as it is when a file is loaded
            self.decoder.build((None, width), (None, None, width))
        if self.scheduled_sampling:
            self.sampled = self.add_weight(name="sampled", initializer="zeros", trainable=False)

    def prepare_memory(self, source: Tensor, training: bool = False) -> tuple[Memory | None, State]:
        """Read a source [batch, time, ...]: the decoder's memory, and its state before the first step."""
        vectors = self.embedding(source)
        if len(vectors.shape) == 5:
            outputs, summary = self._read_places(vectors, training)
            mask = ops.ones(ops.shape(outputs)[:2], "bool")
        else:
            mask = ops.any(ops.not_equal(source, 0), axis=tuple(range(2, len(source.shape))))
            outputs, states = self.encoder(vectors, mask=mask, training=training)
            summary = self.encoder.summary(states)
        memory = self.decoder.prepare_memory(self.drop(outputs, training=training), mask)
        return memory, self.decoder.get_initial_state(summary, memory)

    def _read_places(self, maps: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Outputs of maps [batch, time, rows, columns, width], frame by frame and row by row; a summary."""
        batch, time, rows, columns, width = ops.shape(maps)
        places, size = rows * columns, self.encoder.output_size
        maps = tf.reshape(located(maps), [batch, time, places, width + 2])
        each = tf.reshape(tf.transpose(maps, [0, 2, 1, 3]), [batch * places, time, width + 2])
        outputs, states = self.encoder(each, training=training)
        outputs = tf.transpose(tf.reshape(outputs, [batch, places, time, size]), [0, 2, 1, 3])
        summary = tf.reshape(self.encoder.summary(states), [batch, places, size])
        return tf.reshape(outputs, [batch, time * places, size]), tf.reduce_max(summary, axis=1)

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> Tensor:
        """Predict each target token; see the class."""
        source, target = inputs
        memory, state = self.prepare_memory(source, training)
        sampled = self.sampled if self.scheduled_sampling else None
        return self.decoder(target, state, memory, training=training, sampling=sampled)[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "embedding": keras.saving.serialize_keras_object(self.embedding),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "dropout": self.drop.rate,
            "scheduled_sampling": self.scheduled_sampling,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DelayedManyToMany":
        """The model of a `get_config`."""
        return cls(**deserialized(config, "embedding", "encoder", "decoder"))


def apply_teacher_forcing(source: Tensor, target: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
    """A batch of source and target ids as `zoo.fit` takes it: inputs, what to predict, and weights.

    Args:
        source: [batch, time], padded with 0.
        target: [batch, 1 + steps] from the start token to the end token, padded with 0.

    Returns:
        `(source, target[:, :-1])`, `target[:, 1:]`, and weights [batch, steps] that are 0 for padding.
    """
    following = target[:, 1:]
    return (source, target[:, :-1]), following, tf.cast(following != 0, tf.float32)


class ScheduledSampling(keras.callbacks.Callback):
    """Lets a model with `scheduled_sampling` read more and more of its own tokens as it is trained.

    Bengio et al. (2015, "Scheduled sampling for sequence prediction with recurrent neural networks"), with
    their linear schedule: the share of own tokens is 0 in the first epoch, and grows by the same step each
    epoch to `share` in epoch `epochs`, where it stays.

    Args:
        model: the model.
        share: of own tokens at the end.
        epochs: until then.
    """

    def __init__(self, model: DelayedManyToMany, share: float, epochs: int) -> None:
        super().__init__()
        if not model.scheduled_sampling:
            raise ValueError("`model` must be made with `scheduled_sampling=True`.")
        if not 0 <= share <= 1:
            raise ValueError(f"`share` must be between 0 and 1, but it is {share!r}.")
        self.target, self.share, self.epochs = model, share, epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the share."""
        self.target.sampled.assign(self.share * min(1.0, epoch / max(1, self.epochs - 1)))
