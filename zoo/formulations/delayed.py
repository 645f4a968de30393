"""Delayed many-to-many (sequence-to-sequence): a sequence to another, once the first has ended."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from zoo.attention import Memory
from zoo.cells import Serializable, Tensor
from zoo.cells.checks import check_part
from zoo.formulations.decoder import Decoder, State, check_decoder
from zoo.formulations.encoder import Encoder, ScaledEmbedding, build_once, check_encoder, deserialize_objects
from zoo.formulations.frames import FrameVectors, append_coordinates


class DelayedManyToMany(Serializable, keras.Model):
    """Delayed many-to-many (sequence-to-sequence): reads a sequence to its end, then generates another.

        v_j = embedding of x_j
        m_1 ... m_T = encoder(v_1 ... v_T),    s = final outputs of the encoder
        p(y_t | y_1 ... y_{t-1}, x) = softmax of the decoder's logits_t

    From Sutskever, Vinyals and Le (2014), "Sequence to sequence learning with neural networks"; with
    attention in the decoder, Bahdanau, Cho and Bengio (2015), "Neural machine translation by jointly learning
    to align and translate".

    A call is teacher forcing: each step reads the true token before it. To generate, call `prepare_memory`,
    and then `decoder.generate` with one of the searches of `zoo.decoding`.

    With `FrameVectors` as embedding the model captions videos: Venugopalan et al. (2015), "Sequence to
    sequence - video to text". Where these are feature maps, the encoder reads the sequence at each place of
    the map, with one set of weights and the coordinates of the place; s is the maximum over places, and the
    memory holds all places of all frames.

    Args:
        embedding: `zoo.ScaledEmbedding` of ids, or `zoo.FrameVectors` of frames. Computes v_j.
        encoder: `zoo.Encoder`. Reads v_j.
        decoder: `zoo.Decoder`. Generates the target.
        dropout: float in [0, 1). Share of the features of m_j that are dropped in training. Defaults to
            `0.0`.
        scheduled_sampling: bool. Whether steps in training may read tokens that the model predicts; the
            callback `ScheduledSampling` sets the probability. The steps of the decoder are then computed one
            by one. Defaults to `False`.
        **kwargs: `name` and `dtype`, as of every Keras model.

    Call arguments:
        inputs: a tuple of the source and the target. The source are ids [batch, time], where 0 is padding, or
            frames [batch, time, ...], where a frame of zeros is padding (unless frames become feature maps).
            The target are ids [batch, steps]: at each step the token before the one to predict.
        training: bool. Whether dropout and scheduled sampling are applied. Defaults to `False`.

    Input shape:
        A tuple of the source [batch, time, ...] and the target [batch, steps], as `build` takes it. For
        frames all axes from the third on must be known.

    Output shape:
        [batch, steps, vocabulary size of the decoder]: logits.

    Attributes:
        memory_shape: shape of the positions of the memory, after `build`: (time,), or for feature maps (time,
            rows, columns).

    Raises:
        TypeError: `embedding` is not a layer, `encoder` not an `Encoder`, or `decoder` not a `Decoder`.

    Example:
        >>> import numpy as np, zoo
        >>> encoder = zoo.Encoder(zoo.GRUCell(16), bidirectional=True)
        >>> decoder = zoo.Decoder(60, 16, zoo.GRUCell(32), attention=zoo.MultiplicativeAttention())
        >>> model = zoo.DelayedManyToMany(zoo.ScaledEmbedding(50, 16), encoder, decoder)
        >>> model((np.array([[3, 7, 9], [4, 8, 0]]), np.array([[1, 5], [1, 6]]))).shape
        TensorShape([2, 2, 60])
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
        check_part(
            "embedding", embedding, keras.Layer, "Create one: `zoo.ScaledEmbedding(vocabulary_size, 16)`."
        )
        check_encoder(encoder)
        check_decoder(decoder)
        super().__init__(**kwargs)
        self.embedding, self.encoder, self.decoder = embedding, encoder, decoder
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)
        self.scheduled_sampling = scheduled_sampling

    def build(self, inputs_shape: Sequence[Sequence[int | None]]) -> None:
        """Create all weights, for a source [batch, time, ...] and target ids [batch, steps]."""
        build_once(self.embedding, inputs_shape[0])
        shape = self.embedding.compute_output_shape(inputs_shape[0])
        self.memory_shape = tuple(shape[1:-1])
        has_maps = len(shape) == 5
        width: Any = shape[-1]
        build_once(self.encoder, (None, None, width + 2 if has_maps else width))
        width = self.encoder.output_size
        build_once(self.decoder, (None, width), (None, None, width))
        if self.scheduled_sampling:
            self.sampling_probability = self.add_weight(
                name="sampling_probability", initializer="zeros", trainable=False
            )

    def prepare_memory(self, source: Tensor, training: bool = False) -> tuple[Memory | None, State]:
        """Read the source.

        Args:
            source: ids [batch, time] or frames [batch, time, ...]; see the class.
            training: bool. Whether dropout is applied. Defaults to `False`.

        Returns:
            The memory of the decoder, None without attention, and its state before the first step.
        """
        vectors = self.embedding(source)
        if len(vectors.shape) == 5:
            outputs, summary = self._read_maps(vectors, training)
            mask = ops.ones(ops.shape(outputs)[:2], "bool")
        else:
            mask = ops.any(ops.not_equal(source, 0), axis=tuple(range(2, len(source.shape))))
            outputs, states = self.encoder(vectors, mask=mask, training=training)
            summary = self.encoder.summarize(states)
        memory = self.decoder.prepare_memory(self.drop(outputs, training=training), mask)
        return memory, self.decoder.get_initial_state(summary, memory)

    def _read_maps(self, maps: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Read maps [batch, time, rows, columns, width], place by place.

        Returns:
            The outputs [batch, time * rows * columns, output_size] and a summary [batch, output_size].
        """
        batch, time, rows, columns, width = ops.shape(maps)
        places, size = rows * columns, self.encoder.output_size
        maps = tf.reshape(append_coordinates(maps), [batch, time, places, width + 2])
        sequences = tf.reshape(tf.transpose(maps, [0, 2, 1, 3]), [batch * places, time, width + 2])
        outputs, states = self.encoder(sequences, training=training)
        outputs = tf.transpose(tf.reshape(outputs, [batch, places, time, size]), [0, 2, 1, 3])
        summary = tf.reshape(self.encoder.summarize(states), [batch, places, size])
        return tf.reshape(outputs, [batch, time * places, size]), tf.reduce_max(summary, axis=1)

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> Tensor:
        """Return logits [batch, steps, vocabulary size]; see the class."""
        source, target = inputs
        memory, state = self.prepare_memory(source, training)
        probability = self.sampling_probability if self.scheduled_sampling else None
        return self.decoder(target, state, memory, training=training, sampling_probability=probability)[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
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
        """Create the model from the result of `get_config`."""
        return cls(**deserialize_objects(config, "embedding", "encoder", "decoder"))


def apply_teacher_forcing(source: Tensor, target: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
    """Turn a batch of pairs into inputs, labels and sample weights for `zoo.fit`.

    Args:
        source: tensor [batch, time, ...]. The first input of the model.
        target: int tensor [batch, 1 + steps]. Ids from the start token to the end token, padded with 0.

    Returns:
        The inputs `(source, target[:, :-1])`, the labels `target[:, 1:]`, and float32 weights [batch, steps],
        which are 0 for padding and 1 otherwise.

    Example:
        >>> import tensorflow as tf, zoo
        >>> source, target = tf.constant([[5, 7]]), tf.constant([[2, 8, 9, 3, 0]])
        >>> inputs, labels, weights = zoo.formulations.apply_teacher_forcing(source, target)
        >>> inputs[1].numpy().tolist(), labels.numpy().tolist(), weights.numpy().tolist()
        ([[2, 8, 9, 3]], [[8, 9, 3, 0]], [[1.0, 1.0, 1.0, 0.0]])
    """
    labels = target[:, 1:]
    return (source, target[:, :-1]), labels, tf.cast(labels != 0, tf.float32)


class ScheduledSampling(keras.callbacks.Callback):
    """Callback that raises the share of predicted tokens which a decoder reads in training.

        p(epoch) = final_probability * min(1, epoch / (epochs - 1))         epoch = 0, 1, ...

    From Bengio et al. (2015), "Scheduled sampling for sequence prediction with recurrent neural networks",
    with their linear schedule.

    Args:
        model: `zoo.DelayedManyToMany` with `scheduled_sampling=True`.
        final_probability: float in [0, 1]. p from epoch `epochs - 1` on.
        epochs: int. Number of epochs until p is `final_probability`.

    Raises:
        ValueError: the model has no scheduled sampling, or `final_probability` is not in [0, 1].

    Example:
        >>> import zoo
        >>> encoder, decoder = zoo.Encoder(zoo.GRUCell(8)), zoo.Decoder(60, 8, zoo.GRUCell(8))
        >>> embedding = zoo.ScaledEmbedding(50, 8)
        >>> model = zoo.DelayedManyToMany(embedding, encoder, decoder, scheduled_sampling=True)
        >>> callback = zoo.formulations.ScheduledSampling(model, final_probability=0.25, epochs=10)
    """

    def __init__(self, model: DelayedManyToMany, final_probability: float, epochs: int) -> None:
        super().__init__()
        if not model.scheduled_sampling:
            raise ValueError("`model` has no scheduled sampling. Create it with `scheduled_sampling=True`.")
        if not 0 <= final_probability <= 1:
            raise ValueError(f"`final_probability` must be between 0 and 1, but it is {final_probability!r}.")
        self.sampling_model = model
        self.final_probability, self.epochs = final_probability, epochs

    def get_state(self) -> dict[str, Any]:
        """Return the state for a checkpoint of `zoo.fit`: none, because the probability is a variable of the model."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue with a state that `get_state` has returned."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the probability of the epoch."""
        probability = self.final_probability * min(1.0, epoch / max(1, self.epochs - 1))
        self.sampling_model.sampling_probability.assign(probability)
