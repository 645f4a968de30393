"""Language model: predicts the next token at each step of a text."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.formulations.encoder import Encoder, ScaledEmbedding, build_once, check_encoder, deserialize_objects

States = Sequence[Sequence[Tensor]]
"""The states of an encoder: for each layer a list of tensors [batch, units]."""


class LanguageModel(Serializable, keras.Model):
    """Recurrent language model: direct many-to-many, where the target of a step is the next token.

        v_t = √d E_w of token w_t                       d is `embedding_dim`
        h_1 ... h_T = encoder(v_1 ... v_T)
        p(w_{t+1} | w_1 ... w_t) = softmax(V h_t + b)   V = E with `tie_weights`

    From Mikolov et al. (2010), "Recurrent neural network based language model". Dropout is applied to v_t and
    to h_t, not between the time steps, as by Zaremba, Sutskever and Vinyals (2014), "Recurrent neural network
    regularization". Tied weights are those of Press and Wolf (2017), "Using the output embedding to improve
    language models".

    The state of the encoder sums up the text so far. Three ways to carry it on:

    - `step` computes one token and returns the new states. It is the `step` of `zoo.decoding.sample`.
    - `read` computes any number of tokens, for example a prompt, and returns the logits and the new states.
    - With `Encoder(..., stateful=True)` each call starts from the states in which the call before ended, and
      gradients stop there: truncated back-propagation through time, on the windows of
      `zoo.training.bptt_windows`.

    Args:
        vocabulary_size: int. Number of token ids. Id 0 is padding.
        embedding_dim: int. Width d of the token vectors.
        encoder: `zoo.Encoder`. It must read forwards only. Its last layer gives h_t.
        dropout: float in [0, 1). Share of the features of v_t and h_t that are dropped in training. Defaults
            to `0.0`.
        tie_weights: bool. Whether the embedding E also computes the logits. The output width of the encoder
            must then be `embedding_dim`. Defaults to `False`.
        **kwargs: `name` and `dtype`, as of every Keras model.

    Call arguments:
        ids: int tensor [batch, time]. Where an id is 0, the states stay as they are. Or a tuple of ids, candidates, and
            their log weights, as `zoo.training.sample_candidates` returns it, to compute the logits of the
            candidates alone in training.
        training: bool. Whether dropout is applied. Defaults to `False`.

    Input shape:
        [batch, time], as `build` takes it. The batch size must be known if the encoder is stateful.

    Output shape:
        [batch, time, vocabulary_size]: at each step the logits of the token that follows. With candidates [batch, time,
        candidates]: their logits plus their log weights.

    Raises:
        TypeError: `encoder` is not an `Encoder`.
        ValueError: the encoder is bidirectional, or `tie_weights` is set and the widths differ.

    Example:
        >>> import numpy as np, zoo
        >>> model = zoo.LanguageModel(50, 16, zoo.Encoder(zoo.LSTMCell(32), depth=2))
        >>> model(np.array([[3, 7, 9], [4, 8, 0]])).shape
        TensorShape([2, 3, 50])
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        encoder: Encoder,
        dropout: float = 0.0,
        tie_weights: bool = False,
        **kwargs: Any,
    ) -> None:
        check_encoder(encoder)
        if encoder.bidirectional:
            raise ValueError(
                "`encoder` must not be bidirectional: it would read the tokens that are to be predicted."
            )
        if tie_weights and encoder.output_size != embedding_dim:
            raise ValueError(
                "With `tie_weights` the output width of `encoder` must equal `embedding_dim`, but they are "
                f"{encoder.output_size} and {embedding_dim}."
            )
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.embedding = ScaledEmbedding(vocabulary_size, embedding_dim, name="embedding", dtype=policy)
        self.encoder, self.tie_weights = encoder, tie_weights
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=policy)
        if not tie_weights:
            self.scores = keras.layers.Dense(vocabulary_size, name="scores", dtype=policy)

    def build(self, ids_shape: Sequence[int | None]) -> None:
        """Create all weights, for ids [batch, time]."""
        self.embedding.build(ids_shape)
        build_once(self.encoder, (*ids_shape, self.embedding.output_dim))
        if self.tie_weights:
            self.bias = self.add_weight(shape=(self.embedding.input_dim,), name="bias", initializer="zeros")
        else:
            self.scores.build((*ids_shape, self.encoder.output_size))

    def call(self, ids: Tensor | tuple[Tensor, Tensor, Tensor], training: bool = False) -> Tensor:
        """Return logits [batch, time, vocabulary_size]; see the class."""
        if not isinstance(ids, tuple):
            return self.read(ids, training=training)[0]
        ids, candidates, log_weights = ids
        outputs, _ = self._encode(ids, None, training)
        logits = self._compute_logits(outputs, candidates[0])  # all rows are equal
        return logits + ops.cast(log_weights[0], logits.dtype)

    def get_initial_state(self, batch_size: int | Tensor) -> list[list[Tensor]]:
        """Return the states before the first token, zeros: for each layer tensors [batch_size, units]."""
        return self.encoder.get_initial_state(batch_size)

    def read(
        self, ids: Tensor, states: States | None = None, training: bool = False
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Continue a text by any number of tokens.

        Args:
            ids: int tensor [batch, time], with at least one time step.
            states: from `get_initial_state`, or from the call before. None stands for the initial state, or
                with a stateful encoder for the states in which the call before ended. Defaults to `None`.
            training: bool. Whether dropout is applied. Defaults to `False`.

        Returns:
            Logits [batch, time, vocabulary_size] and the states after the last token.
        """
        outputs, new_states = self._encode(ids, states, training)
        return self._compute_logits(outputs), new_states

    def _encode(
        self, ids: Tensor, states: States | None, training: bool
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Return h_t [batch, time, width] and the states after the last token."""
        vectors = self.drop(self.embedding(ids), training=training)
        mask = ops.not_equal(ids, 0)
        outputs, new_states = self.encoder(vectors, mask=mask, training=training, states=states)
        return self.drop(outputs, training=training), new_states

    def _compute_logits(self, outputs: Tensor, candidates: Tensor | None = None) -> Tensor:
        """Return the logits of candidates, or of all tokens."""
        if self.tie_weights:
            return self.embedding.compute_logits(outputs, self.bias, candidates)
        if candidates is None:
            return self.scores(outputs)
        kernel, bias = ops.take(self.scores.kernel, candidates, 1), ops.take(self.scores.bias, candidates)
        return ops.matmul(outputs, ops.cast(kernel, outputs.dtype)) + ops.cast(bias, outputs.dtype)

    def step(self, tokens: Tensor, states: States) -> tuple[Tensor, list[list[Tensor]]]:
        """Continue a text by one token.

        Args:
            tokens: int tensor [batch].
            states: from `get_initial_state`, `read`, or the step before.

        Returns:
            Logits [batch, vocabulary_size] of the next token and the states after this one.
        """
        logits, states = self.read(tokens[:, None], states)
        return logits[:, 0], states

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "vocabulary_size": self.embedding.input_dim,
            "embedding_dim": self.embedding.output_dim,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "dropout": self.drop.rate,
            "tie_weights": self.tie_weights,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LanguageModel":
        """Create the model from the result of `get_config`."""
        return cls(**deserialize_objects(config, "encoder"))
