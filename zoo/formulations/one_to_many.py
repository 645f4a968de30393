"""One-to-many: one thing to a sequence that tells of it."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.attention import Memory
from zoo.cells import Serializable, Tensor
from zoo.formulations.decoder import Decoder, State
from zoo.formulations.encoder import deserialized
from zoo.formulations.frames import located
from zoo.preprocessing.images import apply_encoder


class OneToMany(Serializable, keras.Model):
    """One-to-many: looks at one thing, such as an image, and emits a sequence.

        a_ij = encoder(image) at row i and column j
        m_ij = [a_ij; y_i; x_j]            y_i and x_j run from -1 to 1 over the map
        s    = mean of a_ij
        p(w_t | w_1 ... w_{t-1}, image) = softmax of the decoder's logits_t

    With a decoder that has an attention this is the soft attention of Xu et al. (2015, "Show, attend and
    tell"), with their doubly stochastic regularization, which adds to the loss of each sequence

        λ Σ_ij (1 - Σ_t α_tij)²

    and so makes the decoder look everywhere once. Their gate on the context is left out, and the position in
    the map is put in (Liu et al., 2018, "An intriguing failing of convolutional neural networks and the
    CoordConv solution"), so that a decoder can tell left from right. Without attention the image sets the
    first state alone: Vinyals et al. (2015, "Show and tell"), where it is the first input.

    Args:
        decoder: emits the sequence.
        encoder: from images [batch, ...] to maps [batch, rows, columns, width]. None: the inputs are maps, as
            an encoder that is not trained gave them.
        dropout: share of the features of a dropped in training.
        doubly_stochastic: λ. Here the loss is a mean over tokens, so the regularization is divided by their
            number, too.
        **kwargs: `name` and `dtype`.

    Call arguments:
        inputs: images or maps, and ids [batch, steps]: for each step the token before the one that is to be
            predicted; id 0 is padding.
        training: whether to drop, and to regularize.

    Returns:
        Logits [batch, steps, vocabulary].

    Attributes:
        positions: shape of what the decoder looks into, (rows, columns), once the model is built.
    """

    def __init__(
        self,
        decoder: Decoder,
        encoder: keras.Model | None = None,
        dropout: float = 0.0,
        doubly_stochastic: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.decoder, self.encoder, self.doubly_stochastic = decoder, encoder, doubly_stochastic
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)

    def build(self, inputs_shape: Sequence[Sequence[int | None]]) -> None:
        """Make all weights, for images or maps [batch, ...] and ids [batch, steps]."""
        shape = tuple(inputs_shape[0])
        if self.encoder is not None:
            shape = self.encoder.compute_output_shape(shape)
        self.positions = shape[1:3]
        if not self.decoder.built:  # as it is when a file is loaded
            self.decoder.build((None, shape[-1]), (None, None, shape[-1] + 2))

    def prepare_memory(self, images: Tensor, training: bool = False) -> tuple[Memory | None, State]:
        """Look at images or maps [batch, ...]: the decoder's memory, and its state before the first step.

        The memory has the positions of the map row by row.
        """
        maps = ops.cast(images, self.compute_dtype)
        if self.encoder is not None:
            maps = apply_encoder(self.encoder, maps, training)
        maps = self.drop(maps, training=training)
        values = ops.reshape(located(maps), (-1, math.prod(self.positions), maps.shape[-1] + 2))
        memory = self.decoder.prepare_memory(values, ops.ones(ops.shape(values)[:2], "bool"))
        return memory, self.decoder.get_initial_state(ops.mean(maps, axis=(1, 2)), memory)

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> Tensor:
        """Predict each token; see the class."""
        images, tokens = inputs
        memory, state = self.prepare_memory(images, training)
        logits, weights, _ = self.decoder(tokens, state, memory, training=training)
        if training and weights is not None and self.doubly_stochastic:
            steps = ops.cast(ops.not_equal(tokens, 0), weights.dtype)
            missed = 1 - ops.sum(weights * steps[:, :, None], axis=1)
            squares = ops.sum(missed**2, axis=-1) / ops.maximum(ops.sum(steps, axis=1), 1)
            self.add_loss(self.doubly_stochastic * ops.mean(squares))
        return logits

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "dropout": self.drop.rate,
            "doubly_stochastic": self.doubly_stochastic,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "OneToMany":
        """The model of a `get_config`."""
        return cls(**deserialized(config, "decoder", "encoder"))
