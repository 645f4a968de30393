"""The half that emits a sequence: a recurrent language model with a memory to look into."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.attention import Attention, Memory
from zoo.cells import Cell, Serializable, Tensor
from zoo.formulations.encoder import ScaledEmbedding, deserialized, numbered_layer
from zoo.layers import swap_batch_and_time

State = dict[str, Any]
"""What a decoder carries from step to step: tensors whose first axis is that of the rows."""


class Decoder(Serializable, keras.layers.Layer):
    """A stack of recurrent layers that emits a sequence, a token at a step.

        v_t = √embedding E_y of token y_{t-1}       with input feeding [v_t; o_{t-1}]
        h¹_t = layer 1 of v_t
        c_t = Σ_j α_tj m_j                          attention of h¹_t over the memory m
        hᵏ_t = layer k of [hᵏ⁻¹_t; c_t]             k = 2 ... depth
        o_t = tanh(W_o [h_t; c_t] + b_o)            h_t is that of the last layer
        logits_t = E o_t + b                        the same E where weights are tied

    With one layer this is the global attention of Luong et al. (2015); with more the attention stands after
    the first, as in Wu et al. (2016), but there the context is that of the step before. No step waits for a
    context, so in training each layer runs over all steps at once, and attention and logits are single
    products. Input feeding (Luong et al., 2015) makes each step wait for the one before: the steps are then
    taken one by one, and what the cells drop is drawn anew at each.

    The state before the first step is tanh(W_s s + b_s), cut in the states of all layers, of a summary s of
    what is to be told, such as the final state of an encoder.

    Args:
        vocabulary: number of tokens.
        embedding: width of v_t and o_t.
        cell: the cell of each layer; they share its settings, not its weights, name, seed or dtype.
        depth: number of layers.
        attention: looks into the memory. None leaves c_t out: all there is to know is in the summary.
        input_feeding: whether each step sees o_{t-1}.
        tied: whether E is the embedding (Press and Wolf, 2017, "Using the output embedding to improve
            language models"), or has weights of its own.
        dropout: share of o_t dropped in training.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        tokens: [rows, steps], each the one before that which is to be predicted.
        state: from `get_initial_state`, or from a call before.
        memory: from `prepare_memory`; with the rows of `tokens`, or fewer, as `Attention` has it.
        training: whether to drop.
        sampling: in training, the share of steps that read a token drawn from the step before instead of
            the one given: see `ScheduledSampling`.

    Returns:
        Logits [rows, steps, vocabulary], the weights α [rows, steps, positions] or None, and the state.
        Its entry "attended" [rows, positions] is the sum of the weights over the steps so far; at padding
        it is 1 from the start.
    """

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        cell: Cell,
        depth: int = 1,
        attention: Attention | None = None,
        input_feeding: bool = False,
        tied: bool = True,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if depth < 1:
            raise ValueError(f"`depth` must be at least 1, but it is {depth!r}.")
        super().__init__(autocast=False, **kwargs)  # sums of attention stay float32
        policy = self.dtype_policy
        self.vocabulary, self.cell, self.depth = vocabulary, cell, depth
        self.attention, self.input_feeding, self.tied = attention, input_feeding, tied
        self.embedding = ScaledEmbedding(vocabulary, embedding, name="embedding", dtype=policy)
        self.stack = [numbered_layer(cell, i + 1, policy) for i in range(depth)]
        sizes = cell.state_size
        self.state_sizes = (sizes if isinstance(sizes, list) else [sizes]) * depth
        self.initial = keras.layers.Dense(sum(self.state_sizes), "tanh", name="initial", dtype=policy)
        self.output_vector = keras.layers.Dense(embedding, "tanh", name="output_vector", dtype=policy)
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=policy)
        self.seed_generator = keras.random.SeedGenerator()
        if not tied:
            self.scores = keras.layers.Dense(vocabulary, name="scores", dtype=policy)

    def build(self, summary_shape: Sequence[int | None], memory_shape: Sequence[int | None]) -> None:
        """Make the weights, for a summary [batch, width] and a memory [batch, positions, width]."""
        width, units = self.embedding.output_dim, self.cell.output_size
        looked = 0
        self.initial.build(summary_shape)
        self.embedding.build((None, None))
        if self.attention is not None:
            looked = memory_shape[-1]
            if not self.attention.built:  # as it is when a file is loaded
                self.attention.build((None, None, units), memory_shape)
        for index, layer in enumerate(self.stack):
            inputs = units + looked if index else width * (1 + self.input_feeding)
            layer.build((None, None, inputs))
        self.output_vector.build((None, None, units + looked))
        if self.tied:
            self.bias = self.add_weight(shape=(self.vocabulary,), name="bias", initializer="zeros")
        else:
            self.scores.build((None, None, width))

    def set_output_bias(self, counts: np.ndarray) -> None:
        """Set b before training, so that each token is as likely as it is frequent.

            b_v = log((n_v + 0.1) / Σ_w (n_w + 0.1))

        Else training begins by learning which tokens are rare, and what a decoder looks at does not matter
        to that: where many are, and attention has to be learnt, that costs epochs.

        Args:
            counts: n of each token in the training data, [vocabulary].
        """
        shares = (counts + 0.1) / np.sum(counts + 0.1)
        (self.bias if self.tied else self.scores.bias).assign(np.log(shares))

    def prepare_memory(self, values: Tensor, mask: Tensor) -> Memory | None:
        """What to look into: values [batch, positions, width], and a mask, bool [batch, positions]."""
        return None if self.attention is None else self.attention.prepare_memory(values, mask)

    def get_initial_state(self, summary: Tensor, memory: Memory | None = None) -> State:
        """The state before the first step, for a summary [batch, width]."""
        state: State = {"states": tf.split(self.initial(summary), self.state_sizes, axis=-1)}
        if memory is not None:
            state["attended"] = ops.cast(ops.logical_not(memory.mask), "float32")
        if self.input_feeding:
            state["fed"] = ops.zeros((ops.shape(summary)[0], self.embedding.output_dim), self.compute_dtype)
        return state

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """One step: logits [rows, vocabulary] and the new state, for tokens [rows]."""
        logits, _, state = self(tokens[:, None], state, memory)
        return logits[:, 0], state

    def generate(
        self,
        search: Callable[..., Any],
        state: State,
        memory: Memory | None,
        *,
        start_id: int,
        **options: Any,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Let a search find answers.

        Args:
            search: such as `zoo.decoding.beam_search`.
            state: before the first step, of `batch` rows.
            memory: of `batch` rows.
            start_id: the token before the first.
            **options: further arguments of the search, such as `end_id`.

        Returns:
            Tokens [batch, n, steps], one step at least; scores [batch, n]; and the weights α
            [batch, n, steps, positions] with which the tokens were emitted, zero after the end, or None
            without attention.
        """
        found = search(
            lambda tokens, state: self.step(tokens, state, memory), state, start_id=start_id, **options
        )
        tokens = tf.pad(found.tokens, [[0, 0], [0, 0], [0, 1]])
        weights = self.weights_of(tokens, start_id, state, memory)
        if weights is not None:
            weights = tf.where(tokens[..., None] == 0, tf.zeros([], weights.dtype), weights)
        return tokens, found.scores, weights

    def weights_of(
        self, answers: Tensor, start_id: int, state: State, memory: Memory | None
    ) -> Tensor | None:
        """The weights α with which answers were emitted; None without attention.

        Args:
            answers: [batch, n, steps], with one step at least.
            start_id: the token before the first.
            state: before the first step, of `batch` rows.
            memory: of `batch` rows.

        Returns:
            [batch, n, steps, positions].
        """
        if memory is None:
            return None
        batch, n, steps = tf.unstack(tf.shape(answers))
        tokens = tf.reshape(answers, [batch * n, steps])
        before = tf.pad(tokens[:, :-1], [[0, 0], [1, 0]], constant_values=start_id)
        state = tf.nest.map_structure(lambda x: tf.repeat(x, n, axis=0), state)
        _, weights, _ = self(before, state, memory)
        return tf.reshape(weights, [batch, n, steps, tf.shape(weights)[-1]])

    def call(
        self,
        tokens: Tensor,
        state: State,
        memory: Memory | None = None,
        training: bool = False,
        sampling: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, State]:
        """Emit; see the class."""
        one_by_one = self.input_feeding or (training and sampling is not None)
        advance = self._one_by_one if one_by_one and tokens.shape[1] != 1 else self._advance
        outputs, weights, state = advance(tokens, state, memory, training, sampling)
        return self._logits(outputs), weights, state

    def _advance(
        self, tokens: Tensor, state: State, memory: Memory | None, training: bool, _: Any = None
    ) -> tuple[Tensor, Tensor | None, State]:
        """The equations of the class up to o_t [rows, steps, width], for all steps or, fed, for one."""
        h = self.embedding(tokens)
        if self.input_feeding:
            h = ops.concatenate([h, state["fed"][:, None]], axis=-1)
        new: State = {**state, "states": []}
        each, context, weights = len(self.cell.state_names), [], None
        for index, layer in enumerate(self.stack):
            inputs = ops.concatenate([h, *context], axis=-1) if index and context else h
            before = state["states"][index * each : (index + 1) * each]
            h, *after = layer(inputs, initial_state=before, training=training)
            new["states"] += after
            if index == 0 and self.attention is not None:
                looked, weights = self.attention(h, memory)
                context = [ops.cast(looked, h.dtype)]
                new["attended"] = state["attended"] + ops.sum(ops.cast(weights, "float32"), axis=1)
        outputs = self.output_vector(ops.concatenate([h, *context], axis=-1))
        if self.input_feeding:
            new["fed"] = outputs[:, -1]
        return self.drop(outputs, training=training), weights, new

    def _one_by_one(
        self, tokens: Tensor, state: State, memory: Memory | None, training: bool, sampling: Tensor | None
    ) -> tuple[Tensor, Tensor | None, State]:
        """The same step by step, each from what the one before put out."""

        def step(before: dict[str, Any], given: tuple[Tensor, Tensor]) -> dict[str, Any]:
            tokens, share = given
            if training and sampling is not None:
                tokens = self._sampled(tokens, before["outputs"], share)
            outputs, weights, state = self._advance(tokens[:, None], before["state"], memory, training)
            after = {"outputs": outputs[:, 0], "state": state}
            return after if weights is None else after | {"weights": weights[:, 0]}

        steps = tf.shape(tokens)[1]
        # Before the first step there is nothing to draw from.
        shares = tf.where(
            tf.range(steps) > 0, 0.0 if sampling is None else tf.cast(sampling, tf.float32), 0.0
        )
        width = self.embedding.output_dim
        before = {"outputs": tf.zeros([tf.shape(tokens)[0], width], self.compute_dtype), "state": state}
        if memory is not None:
            before["weights"] = tf.zeros_like(state["attended"], self.attention.compute_dtype)
        after = tf.scan(step, (tf.transpose(tokens), shares), before)
        weights = None if memory is None else swap_batch_and_time(after["weights"])
        state = tf.nest.map_structure(lambda x: x[-1], after["state"])
        return swap_batch_and_time(after["outputs"]), weights, state

    def _sampled(self, given: Tensor, outputs: Tensor, share: Tensor) -> Tensor:
        """Of the tokens given [rows], a share replaced by ones drawn as the step before predicts them."""
        logits = tf.stop_gradient(self._logits(outputs))
        drawn = keras.random.categorical(logits, 1, dtype=given.dtype, seed=self.seed_generator)[:, 0]
        chosen = keras.random.uniform(ops.shape(given), dtype="float32", seed=self.seed_generator) < share
        return ops.where(chosen, drawn, given)

    def _logits(self, outputs: Tensor) -> Tensor:
        if not self.tied:
            return self.scores(outputs)
        weights, bias = (ops.cast(x, outputs.dtype) for x in (self.embedding.embeddings, self.bias))
        return ops.matmul(outputs, ops.transpose(weights)) + bias

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "vocabulary": self.vocabulary,
            "embedding": self.embedding.output_dim,
            "cell": keras.saving.serialize_keras_object(self.cell),
            "depth": self.depth,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "input_feeding": self.input_feeding,
            "tied": self.tied,
            "dropout": self.drop.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Decoder":
        """The decoder of a `get_config`."""
        return cls(**deserialized(config, "cell", "attention"))
