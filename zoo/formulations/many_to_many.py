"""Direct many-to-many: a sequence to an answer at each of its steps."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.cells import Serializable, Tensor
from zoo.formulations.encoder import Encoder, deserialized
from zoo.formulations.frames import FrameVectors

Stream = dict[str, Tensor]
"""What is carried from piece to piece of a stream, by name: tensors whose first axis is that of the rows."""


class ManyToMany(Serializable, keras.Model):
    """Direct many-to-many: reads a sequence, and gives a vector of class scores (logits) at each step.

        v_t = vectors of x_t and what is around it
        y_1 ... y_T = encoder(v_1 ... v_T)
        scores_t = V y_t + b

    If the encoder reads in one direction, `step` takes a stream in pieces of any length and gives what the
    whole sequence gives, later by `lookahead` steps, for v_t looks as many ahead; and `finish` gives what is
    then owed.

    Args:
        encoder: reads the vectors. None leaves recurrence out, y_t = v_t: the baseline without memory.
        classes: number of classes.
        vectors: makes a vector of each step. None: the steps are vectors.
        dropout: share of y_t dropped in training.
        **kwargs: `name` and `dtype`.

    Call arguments:
        inputs: sequences x [batch, time, ...], and the number of steps of each, int [batch].
        training: whether to drop.

    Returns:
        Scores [batch, time, classes]. After the end of a row they are of no meaning.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        classes: int,
        vectors: FrameVectors | None = None,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder, self.vectors = encoder, vectors
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)
        self.scores = keras.layers.Dense(classes, name="scores", dtype=self.dtype_policy)

    def build(self, inputs_shape: Sequence[Sequence[int | None]]) -> None:
        """Make all weights, for sequences [batch, time, ...] and lengths [batch]."""
        _, _, *self.step_shape = shape = inputs_shape[0]
        if self.vectors is not None:
            self.vectors.build(shape)
            shape = self.vectors.compute_output_shape(shape)
        width = shape[-1]
        if self.encoder is not None:
            self.encoder.build((None, None, width))
            width = self.encoder.output_size
        self.scores.build((None, None, width))

    @property
    def lookahead(self) -> int:
        """How many steps the scores of a stream are late."""
        return 0 if self.vectors is None else self.vectors.ahead

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> Tensor:
        """Score each step; see the class."""
        sequences, lengths = inputs
        mask = tf.sequence_mask(lengths, tf.shape(sequences)[1])
        given = tf.reshape(mask, tf.concat([tf.shape(mask), [1] * len(self.step_shape)], 0))
        outputs = tf.where(given, sequences, tf.zeros([], sequences.dtype))
        if self.vectors is not None:
            outputs = self.vectors(outputs, training=training)
        if self.encoder is not None:
            outputs, _ = self.encoder(outputs, mask=mask, training=training)
        return self.scores(self.drop(outputs, training=training))

    def get_initial_state(self, batch: Tensor) -> Stream:
        """Streams before their first step, for a number of rows.

        `seen` counts the steps of each row, `past` are the last of them that are still looked at, and the
        others are the states of the encoder by layer.

        Raises:
            ValueError: the encoder reads in both directions.
        """
        if self.encoder is not None and self.encoder.bidirectional:
            raise ValueError("A stream has no end to read backwards from: make an encoder of one direction.")
        stream = {"seen": tf.zeros([batch], tf.int32)}
        if self.vectors is not None and (kept := self.vectors.behind + self.lookahead):
            stream["past"] = tf.zeros([batch, kept, *self.step_shape], self.compute_dtype)
        if self.encoder is not None:
            stream |= self._named(self.encoder.get_initial_state(batch))
        return stream

    def step(self, sequences: Tensor, stream: Stream) -> tuple[Tensor, Stream]:
        """Go on with streams.

        Args:
            sequences: the next steps, [batch, time, ...]; in a graph `time` may be 0.
            stream: from `get_initial_state`, or from the call before.

        Returns:
            Scores [batch, time, classes], and the stream after these steps. The scores are those of the
            steps `lookahead` earlier, so the first `lookahead` of a stream are of no meaning.
        """
        outputs = tf.cast(sequences, self.compute_dtype)
        time = tf.shape(outputs)[1]
        after = {"seen": stream["seen"] + time}
        if "past" in stream:
            outputs = tf.concat([stream["past"], outputs], 1)
            after["past"] = outputs[:, time:]
        if self.vectors is not None:
            outputs = self.vectors.inner(outputs)
        if self.encoder is not None:
            names = list(self._named(self.encoder.get_initial_state(0)))
            each = len(names) // self.encoder.depth
            states = [[stream[name] for name in names[i : i + each]] for i in range(0, len(names), each)]
            begun = stream["seen"][:, None] + tf.range(time) >= self.lookahead
            outputs, states = self.encoder(outputs, mask=begun, states=states)
            after |= self._named(states)
        return self.scores(outputs), after

    def finish(self, stream: Stream) -> Tensor:
        """The scores [batch, lookahead, classes] that are owed at the end of streams."""
        rows = tf.shape(stream["seen"])[0]
        if not self.lookahead:
            return tf.zeros([rows, 0, self.scores.units], self.compute_dtype)
        return self.step(tf.zeros([rows, self.lookahead, *self.step_shape], self.compute_dtype), stream)[0]

    def _named(self, states: Sequence[Sequence[Tensor]]) -> Stream:
        """The states of the encoder as a stream has them."""
        return {
            f"{layer.name}_{name}": state
            for layer, own in zip(self.encoder.stack, states, strict=True)
            for name, state in zip(self.encoder.cell.state_names, own, strict=True)
        }

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "classes": self.scores.units,
            "vectors": keras.saving.serialize_keras_object(self.vectors),
            "dropout": self.drop.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ManyToMany":
        """The model of a `get_config`."""
        return cls(**deserialized(config, "encoder", "vectors"))
