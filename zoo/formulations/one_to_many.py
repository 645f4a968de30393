"""One-to-many (captioner): one input, such as an image, to a sequence."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.attention import Memory
from zoo.cells import Serializable, Tensor
from zoo.cells.checks import check_part
from zoo.formulations.decoder import Decoder, State, check_decoder
from zoo.formulations.encoder import build_once, deserialize_objects
from zoo.formulations.frames import append_coordinates
from zoo.preprocessing.images import apply_encoder


class OneToMany(Serializable, keras.Model):
    """One-to-many (captioner): reads one input, such as an image, and generates a sequence.

        a_ij = encoder(image) at row i and column j
        m_ij = [a_ij; y_i; x_j]                     y_i and x_j are coordinates from -1 to 1
        s    = mean of a_ij
        p(w_t | w_1 ... w_{t-1}, image) = softmax of the decoder's logits_t

    With attention in the decoder this is the soft attention of Xu et al. (2015), "Show, attend and tell",
    with their doubly stochastic regularization. It adds to the loss of each sequence, so that the decoder
    attends to each place once in total,

        λ Σ_ij (1 - Σ_t α_tij)²

    divided by the number of tokens, because the loss is a mean over tokens here. Differences to the paper: no
    gate on the context; and the memory contains coordinates (Liu et al., 2018, "An intriguing failing of
    convolutional neural networks and the CoordConv solution"), so that a decoder can tell left from right.
    Without attention the image determines the first state only, as in Vinyals et al. (2015), "Show and tell",
    where it is the first input.

    Args:
        decoder: `zoo.Decoder`. Generates the sequence.
        encoder: Keras model or None. Maps images [batch, ...] to feature maps [batch, rows, columns, width].
            With None the inputs are feature maps, for example computed once by an encoder that is not
            trained. Defaults to `None`.
        dropout: float in [0, 1). Share of the features a_ij that are dropped in training. Defaults to `0.0`.
        doubly_stochastic: float. λ. Defaults to `1.0`.
        **kwargs: `name` and `dtype`, as of every Keras model.

    Call arguments:
        inputs: a tuple of images or feature maps [batch, ...] and ids [batch, steps]: at each step the token
            before the one to predict. Id 0 is padding.
        training: bool. Whether dropout and regularization are applied. Defaults to `False`.

    Input shape:
        A tuple of the images or feature maps [batch, ...] and the ids [batch, steps], as `build` takes it.
        All axes of the images but the first must be known.

    Output shape:
        [batch, steps, vocabulary size of the decoder]: logits.

    Attributes:
        memory_shape: shape of the positions of the memory, (rows, columns), after `build`.

    Example:
        >>> import numpy as np, zoo
        >>> decoder = zoo.Decoder(60, 16, zoo.GRUCell(32), attention=zoo.AdditiveAttention(24))
        >>> model = zoo.OneToMany(decoder)
        >>> model((np.ones((2, 4, 4, 8), "float32"), np.array([[1, 5, 7], [1, 6, 0]]))).shape
        TensorShape([2, 3, 60])
    """

    def __init__(
        self,
        decoder: Decoder,
        encoder: keras.Model | None = None,
        dropout: float = 0.0,
        doubly_stochastic: float = 1.0,
        **kwargs: Any,
    ) -> None:
        check_decoder(decoder)
        if encoder is not None:
            check_part(
                "encoder", encoder, keras.Layer, "Pass a Keras model that maps images to feature maps."
            )
        super().__init__(**kwargs)
        self.decoder, self.encoder, self.doubly_stochastic = decoder, encoder, doubly_stochastic
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=self.dtype_policy)

    def build(self, inputs_shape: Sequence[Sequence[int | None]]) -> None:
        """Create all weights, for images or feature maps [batch, ...] and ids [batch, steps]."""
        shape = tuple(inputs_shape[0])
        if self.encoder is not None:
            shape = self.encoder.compute_output_shape(shape)
        _, rows, columns, width = shape
        if rows is None or columns is None or width is None:
            raise ValueError(
                f"The shape of the feature maps must be known except for the batch size, but it is {shape}."
            )
        self.memory_shape = (rows, columns)
        build_once(self.decoder, (None, width), (None, None, width + 2))

    def prepare_memory(self, images: Tensor, training: bool = False) -> tuple[Memory | None, State]:
        """Read images.

        Args:
            images: images or feature maps [batch, ...]; see the class.
            training: bool. Whether dropout is applied. Defaults to `False`.

        Returns:
            The memory of the decoder, None without attention, and its state before the first step. The
            positions of the memory are those of the feature map, row by row.
        """
        maps = ops.cast(images, self.compute_dtype)
        if self.encoder is not None:
            maps = apply_encoder(self.encoder, maps, training)
        maps = self.drop(maps, training=training)
        shape = (-1, math.prod(self.memory_shape), maps.shape[-1] + 2)
        values = ops.reshape(append_coordinates(maps), shape)
        memory = self.decoder.prepare_memory(values, ops.ones(ops.shape(values)[:2], "bool"))
        return memory, self.decoder.get_initial_state(ops.mean(maps, axis=(1, 2)), memory)

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> Tensor:
        """Return logits [batch, steps, vocabulary size]; see the class."""
        images, tokens = inputs
        memory, state = self.prepare_memory(images, training)
        logits, weights, _ = self.decoder(tokens, state, memory, training=training)
        if training and weights is not None and self.doubly_stochastic:
            mask = ops.cast(ops.not_equal(tokens, 0), weights.dtype)
            deficits = 1 - ops.sum(weights * mask[:, :, None], axis=1)
            penalties = ops.sum(deficits**2, axis=-1) / ops.maximum(ops.sum(mask, axis=1), 1)
            self.add_loss(self.doubly_stochastic * ops.mean(penalties))
        return logits

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "dropout": self.drop.rate,
            "doubly_stochastic": self.doubly_stochastic,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "OneToMany":
        """Create the model from the result of `get_config`."""
        encoder = keras.saving.deserialize_keras_object(config["encoder"])
        return cls(**{**deserialize_objects(config, "decoder"), "encoder": encoder})
