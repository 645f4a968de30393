"""Direct many-to-many (sequence tagger): a sequence to a vector of class scores at each of its steps."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.cells import Serializable, Tensor
from zoo.cells.checks import check_part
from zoo.formulations.encoder import Encoder, build_once, check_encoder, deserialize_objects
from zoo.formulations.frames import FrameVectors

StreamState = dict[str, Tensor]
"""The state of streams between two calls, by name: tensors whose first axis is the batch."""


class ManyToMany(Serializable, keras.Model):
    """Direct many-to-many (sequence tagger): maps each step of a sequence to a vector of class scores.

        v_t = vectors of x_t and the steps near it
        y_1 ... y_T = encoder(v_1 ... v_T)
        scores_t = V y_t + b

    The model also tags streams, if the encoder is not bidirectional: `get_initial_state` creates the state,
    `step` takes the next steps, any number of them, and `finish` ends the stream. Together they return what a
    call returns for the whole sequence, `lookahead` steps later, because v_t depends on so many later steps.

    Args:
        encoder: `zoo.Encoder` or None. Reads v_t. None leaves recurrence out, y_t = v_t: the baseline without
            memory.
        classes: int. Number of classes.
        vectors: `zoo.FrameVectors` or None. Computes v_t. With None the steps are vectors already, v_t = x_t.
            Defaults to `None`.
        dropout: float in [0, 1). Share of the features of y_t that are dropped in training. Defaults to
            `0.0`.
        **kwargs: `name` and `dtype`, as of every Keras model.

    Call arguments:
        inputs: a tuple of the sequences x, float or int tensor [batch, time, ...], and their lengths, int
            tensor [batch].
        training: bool. Whether dropout is applied. Defaults to `False`.

    Input shape:
        A tuple of the sequences [batch, time, ...] and the lengths [batch], as `build` takes it. All axes of
        the sequences from the third on must be known.

    Output shape:
        [batch, time, classes]: logits. After the end of a sequence they have no meaning.

    Example:
        >>> import numpy as np, zoo
        >>> model = zoo.ManyToMany(zoo.Encoder(zoo.GRUCell(16)), classes=5)
        >>> x = np.ones((2, 7, 8), "float32")
        >>> model((x, np.array([7, 4]))).shape
        TensorShape([2, 7, 5])
        >>> scores, state = model.step(x[:, :3], model.get_initial_state(2))
        >>> scores.shape
        TensorShape([2, 3, 5])
    """

    def __init__(
        self,
        encoder: Encoder | None,
        classes: int,
        vectors: FrameVectors | None = None,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if encoder is not None:
            check_encoder(encoder)
        if vectors is not None:
            check_part(
                "vectors", vectors, FrameVectors, "Wrap a network in one: `zoo.FrameVectors(network)`."
            )
        super().__init__(**kwargs)
        self.encoder, self.vectors = encoder, vectors
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)
        self.scores = keras.layers.Dense(classes, name="scores", dtype=self.dtype_policy)

    def build(self, inputs_shape: Sequence[Sequence[int | None]]) -> None:
        """Create all weights, for sequences [batch, time, ...] and lengths [batch]."""
        shape = tuple(inputs_shape[0])
        self.step_shape = shape[2:]
        if self.vectors is not None:
            build_once(self.vectors, shape)
            shape = self.vectors.compute_output_shape(shape)
        width = shape[-1]
        if self.encoder is not None:
            build_once(self.encoder, (None, None, width))
            width = self.encoder.output_size
        self.scores.build((None, None, width))

    @property
    def lookahead(self) -> int:
        """Number of steps by which the scores of a stream are late."""
        return 0 if self.vectors is None else self.vectors.lookahead

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> Tensor:
        """Return logits [batch, time, classes]; see the class.

        Raises:
            ValueError: the lengths are no whole numbers [batch], or, where their values are known, not between 0 and
                the number of steps.
        """
        sequences, lengths = inputs
        _check_lengths(lengths, sequences)
        mask = tf.sequence_mask(lengths, tf.shape(sequences)[1])
        is_valid = tf.reshape(mask, tf.concat([tf.shape(mask), [1] * len(self.step_shape)], 0))
        outputs = tf.where(is_valid, sequences, tf.zeros([], sequences.dtype))
        if self.vectors is not None:
            outputs = self.vectors(outputs, training=training)
        if self.encoder is not None:
            outputs, _ = self.encoder(outputs, mask=mask, training=training)
        return self.scores(self.drop(outputs, training=training))

    def get_initial_state(self, batch_size: int | Tensor) -> StreamState:
        """Return the state of streams before their first step.

        Its entries are `steps` [batch_size], the number of steps so far, at most 2^31 - 1; `past`
        [batch_size, n, ...], the last n steps, if later vectors depend on them; and the states of the encoder
        by layer, such as `layer1_hidden`.

        Args:
            batch_size: int or int tensor []. Number of streams.

        Raises:
            ValueError: the encoder is bidirectional.
        """
        if self.encoder is not None and self.encoder.bidirectional:
            raise ValueError(
                "A bidirectional encoder cannot tag a stream, because it also reads a sequence from its end. "
                "Create the model with an encoder of one direction."
            )
        state = {"steps": tf.zeros([batch_size], tf.int32)}
        if self.vectors is not None and (count := self.vectors.lookbehind + self.lookahead):
            state["past"] = tf.zeros([batch_size, count, *self.step_shape], self.compute_dtype)
        if self.encoder is not None:
            state |= name_states(self.encoder, self.encoder.get_initial_state(batch_size))
        return state

    def step(self, sequences: Tensor, state: StreamState) -> tuple[Tensor, StreamState]:
        """Continue streams.

        Args:
            sequences: tensor [batch, time, ...]. The next steps; in a graph `time` may be 0.
            state: from `get_initial_state`, or from the call before.

        Returns:
            Logits [batch, time, classes] and the state after these steps. The logits are those of the steps
            `lookahead` earlier. So the first `lookahead` of a stream have no meaning.
        """
        outputs = tf.cast(sequences, self.compute_dtype)
        time = tf.shape(outputs)[1]
        steps = state["steps"]
        new_state = {
            "steps": steps + tf.minimum(time, steps.dtype.max - steps)
        }  # never wraps to a negative number
        if "past" in state:
            outputs = tf.concat([state["past"], outputs], 1)
            new_state["past"] = outputs[:, time:]
        if self.vectors is not None:
            outputs = self.vectors.encode_inner(outputs)
        if self.encoder is not None:
            states = select_states(self.encoder, state)
            outputs, states = self.encoder(outputs, mask=self.find_valid_steps(state, time), states=states)
            new_state |= name_states(self.encoder, states)
        return self.scores(outputs), new_state

    def find_valid_steps(self, state: StreamState, time: int | Tensor) -> Tensor:
        """Return which logits of the next `time` steps belong to a step, bool [batch, time]: the first do not.

        Args:
            state: from `get_initial_state` or `step`, before these steps.
            time: int or int tensor []. Number of steps.
        """
        return tf.range(time) >= self.lookahead - state["steps"][:, None]

    def finish(self, state: StreamState) -> Tensor:
        """End streams.

        Args:
            state: from `get_initial_state` or `step`.

        Returns:
            Logits [batch, lookahead, classes] of the last `lookahead` steps.
        """
        rows = tf.shape(state["steps"])[0]
        if not self.lookahead:
            return tf.zeros([rows, 0, self.scores.units], self.compute_dtype)
        return self.step(tf.zeros([rows, self.lookahead, *self.step_shape], self.compute_dtype), state)[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "classes": self.scores.units,
            "vectors": keras.saving.serialize_keras_object(self.vectors),
            "dropout": self.drop.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ManyToMany":
        """Create the model from the result of `get_config`."""
        return cls(**deserialize_objects(config, "encoder", "vectors"))


def name_states(encoder: Encoder, states: Sequence[Sequence[Tensor]]) -> StreamState:
    """Return the states of an encoder by name, such as `layer1_hidden`."""
    return {
        f"{layer.name}_{name}": state
        for layer, layer_states in zip(encoder.stack, states, strict=True)
        for name, state in zip(encoder.cell.state_names, layer_states, strict=True)
    }


def select_states(encoder: Encoder, state: StreamState) -> list[list[Tensor]]:
    """Return the states that `name_states` has named, in the form in which an encoder takes them."""
    return [[state[f"{layer.name}_{name}"] for name in encoder.cell.state_names] for layer in encoder.stack]


def _check_lengths(lengths: Tensor, sequences: Tensor) -> None:
    """Check that there is a number of steps for each sequence; see `ManyToMany.call`."""
    lengths, expected = tf.convert_to_tensor(lengths), sequences.shape[:1]
    if not lengths.dtype.is_integer or not lengths.shape.is_compatible_with(expected):
        raise ValueError(
            f"The lengths are {lengths.dtype.name} {list(lengths.shape)}. Expected whole numbers {list(expected)}, one "
            f"for each sequence of the batch {list(sequences.shape)}."
        )
    if tf.executing_eagerly():
        wrong = [length for length in lengths.numpy().tolist() if not 0 <= length <= sequences.shape[1]]
        if wrong:
            raise ValueError(
                f"The lengths have {wrong[0]}. Expected the number of valid steps of each sequence, from 0 to "
                f"{sequences.shape[1]}, for the batch {list(sequences.shape)}."
            )
