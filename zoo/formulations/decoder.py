"""The decoder: a recurrent language model with attention over a memory, which generates a sequence."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from zoo.attention import Attention, Memory
from zoo.cells import Cell, Serializable, Tensor
from zoo.cells.base import multiply_scope
from zoo.cells.checks import check_part
from zoo.decoding import DecodingResult
from zoo.formulations.encoder import ScaledEmbedding, build_once, deserialize_objects, make_layer
from zoo.layers import swap_batch_and_time

State = dict[str, Any]
"""The state of a decoder between two steps, by name: tensors whose first axis is that of the rows."""


class GeneratedSequences(NamedTuple):
    """Sequences that `Decoder.generate` returns, the best of each row first.

    Attributes:
        tokens: int32 tensor [batch, n, steps], 0 after the end; `steps` is at least 1.
        scores: float32 tensor [batch, n].
        attention: attention weights [batch, num_attended or n, steps, positions], zero after the end of a sequence;
            None without attention.
        is_complete: bool tensor [batch, n]. Whether the sequence ended with the end token; False if it stopped at its
            limit.
    """

    tokens: Tensor
    scores: Tensor
    attention: Tensor | None
    is_complete: Tensor


class Decoder(Serializable, keras.layers.Layer):
    """A stack of recurrent layers that generates a sequence, one token per step.

        v_t = √d E_y of token y_{t-1}               d is `embedding_dim`; with input feeding [v_t; o_{t-1}]
        h¹_t = layer 1 of v_t
        c_t = Σ_j α_tj m_j                          attention of h¹_t over the memory m
        hᵏ_t = layer k of [hᵏ⁻¹_t; c_t]             k = 2 ... depth
        o_t = tanh(W_o [h_t; c_t] + b_o)            h_t is that of the last layer
        logits_t = E o_t + b                        with `tie_weights`; otherwise V o_t + b

    With one layer this is the global attention of Luong, Pham and Manning (2015), "Effective approaches to
    attention-based neural machine translation". With more layers the attention follows the first one, as in
    Wu et al. (2016), "Google's neural machine translation system", who use the context of the step before.
    Here no step waits for a context, so in training each layer runs over all steps at once, and attention and
    logits are single products. Input feeding (also Luong et al.) makes each step depend on the output of the
    step before: the steps are then computed one by one, and the cells draw their dropout masks at each step.

    The states of all layers before the first step are tanh(W_s s + b_s), where s is a summary of the source,
    for example the final state of an encoder.

    Args:
        vocabulary_size: int. Number of token ids.
        embedding_dim: int. Width d of v_t and of o_t.
        cell: a cell of this library, for example `zoo.GRUCell(64)`. It is the template of the cell of each
            layer. They share its settings, not its weights, name, seed or dtype.
        depth: int. Number of layers. Defaults to `1`.
        attention: `zoo.Attention` or None. Computes c_t from the memory. None leaves c_t out: the decoder
            then depends on the source through s alone. Defaults to `None`.
        input_feeding: bool. Whether the input of each step contains o_{t-1}. Defaults to `False`.
        tie_weights: bool. Whether the embedding E also computes the logits (Press and Wolf, 2017, "Using the
            output embedding to improve language models"). Defaults to `True`.
        dropout: float in [0, 1). Share of the features of o_t that are dropped in training. Defaults to
            `0.0`.
        **kwargs: `name`, `dtype` and `trainable`, as of every Keras layer.

    Call arguments:
        tokens: int tensor [rows, steps]. At each step the token before the one to predict, y_{t-1}.
        state: state before the first step, from `get_initial_state` or from an earlier call.
        memory: `Memory` from `prepare_memory`, or None without attention. Its batch size is `rows` or a
            divisor of it; see `zoo.Attention`. Defaults to `None`.
        training: bool. Whether dropout is applied. Defaults to `False`.
        sampling_probability: float tensor [] or None. In training, the probability with which a step reads a
            token drawn from the predictions of the step before instead of the one in `tokens`; see
            `ScheduledSampling`. Defaults to `None`.

    Input shape:
        `build` takes two shapes: summary [batch, width] and memory [batch, positions, width]. Without
        attention the second one may be left out.

    Output shape:
        A tuple of the logits [rows, steps, vocabulary_size], the attention weights α [rows, steps, positions]
        or None, and the state after the last step. With attention its entry "coverage" [rows, positions] is
        the sum of α over all steps so far; at padding it is 1 from the start.

    Raises:
        TypeError: `cell` is not a cell, or `attention` not an `Attention`.
        ValueError: `depth` is below 1.

    Example:
        >>> import numpy as np, zoo
        >>> decoder = zoo.Decoder(60, 16, zoo.GRUCell(32), attention=zoo.MultiplicativeAttention())
        >>> decoder.build((None, 8), (None, None, 8))
        >>> memory = decoder.prepare_memory(np.ones((3, 5, 8), "float32"), np.ones((3, 5), bool))
        >>> state = decoder.get_initial_state(np.ones((3, 8), "float32"), memory)
        >>> logits, weights, state = decoder(np.array([[1, 7], [1, 9], [1, 4]]), state, memory)
        >>> logits.shape, weights.shape
        (TensorShape([3, 2, 60]), TensorShape([3, 2, 5]))
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        cell: Cell,
        depth: int = 1,
        attention: Attention | None = None,
        input_feeding: bool = False,
        tie_weights: bool = True,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if attention is not None:
            check_part("attention", attention, Attention, "Create one: `zoo.AdditiveAttention(64)`.")
        if depth < 1:
            raise ValueError(f"`depth` must be at least 1, but it is {depth!r}.")
        super().__init__(autocast=False, **kwargs)  # the coverage stays float32
        policy = self.dtype_policy
        self.cell, self.depth, self.attention = cell, depth, attention
        self.input_feeding, self.tie_weights = input_feeding, tie_weights
        self.embedding = ScaledEmbedding(vocabulary_size, embedding_dim, name="embedding", dtype=policy)
        self.stack = [make_layer(cell, i + 1, policy) for i in range(depth)]
        self.state_shapes = cell.state_shapes * depth
        self.state_sizes = [math.prod(shape) for shape in self.state_shapes]
        self.initial = keras.layers.Dense(sum(self.state_sizes), "tanh", name="initial", dtype=policy)
        self.output_vector = keras.layers.Dense(embedding_dim, "tanh", name="output_vector", dtype=policy)
        self.drop = keras.layers.Dropout(dropout, name="drop", dtype=policy)
        self.seed_generator = keras.random.SeedGenerator()
        if not tie_weights:
            self.scores = keras.layers.Dense(vocabulary_size, name="scores", dtype=policy)

    def build(
        self, summary_shape: Sequence[int | None], memory_shape: Sequence[int | None] | None = None
    ) -> None:
        """Create all weights, for a summary [batch, width] and a memory [batch, positions, width]."""
        width, units, context_width = self.embedding.output_dim, self.cell.output_size, 0
        self.initial.build(summary_shape)
        self.embedding.build((None, None))
        if self.attention is not None:
            if memory_shape is None or memory_shape[-1] is None:
                raise ValueError(
                    "A decoder with attention needs a `memory_shape` whose last axis is known, but it is "
                    f"{memory_shape}."
                )
            context_width = memory_shape[-1]
            build_once(self.attention, (None, None, units), memory_shape)
        for index, layer in enumerate(self.stack):
            layer.build((None, None, units + context_width if index else width * (1 + self.input_feeding)))
        self.output_vector.build((None, None, units + context_width))
        if self.tie_weights:
            self.bias = self.add_weight(shape=(self.embedding.input_dim,), name="bias", initializer="zeros")
        else:
            self.scores.build((None, None, width))

    def set_output_bias(self, counts: np.ndarray) -> None:
        """Set b so that before training each token is as likely as it is frequent in the data.

            b_v = log((n_v + 0.1) / Σ_w (n_w + 0.1))

        Otherwise training begins by learning which tokens are rare, and the gradients of that do not depend
        on what the decoder attends to. With many rare tokens this delays the learning of attention by epochs.

        Args:
            counts: array [vocabulary_size]. n, the number of times each token is a target in the training
                data.
        """
        probabilities = (counts + 0.1) / np.sum(counts + 0.1)
        (self.bias if self.tie_weights else self.scores.bias).assign(np.log(probabilities))

    def prepare_memory(self, values: Tensor, mask: Tensor) -> Memory | None:
        """Prepare what the attention attends to, once for all steps.

        Args:
            values: float tensor [batch, positions, width]. m_j.
            mask: bool tensor [batch, positions]. False where there is padding.

        Returns:
            The memory, or None without attention.
        """
        return None if self.attention is None else self.attention.prepare_memory(values, mask)

    def get_initial_state(self, summary: Tensor, memory: Memory | None = None) -> State:
        """Return the state before the first step.

        Args:
            summary: float tensor [batch, width]. s.
            memory: result of `prepare_memory`. Defaults to `None`.
        """
        vectors = tf.split(self.initial(summary), self.state_sizes, axis=-1)
        shaped = [tf.reshape(v, [-1, *s]) for v, s in zip(vectors, self.state_shapes, strict=True)]
        state: State = {"states": shaped}
        if memory is not None:
            state["coverage"] = ops.cast(ops.logical_not(memory.mask), "float32")
        if self.input_feeding:
            shape = (ops.shape(summary)[0], self.embedding.output_dim)
            state["output_vector"] = ops.zeros(shape, self.compute_dtype)
        return state

    def step(self, tokens: Tensor, state: State, memory: Memory | None = None) -> tuple[Tensor, State]:
        """Compute one step.

        Args:
            tokens: int tensor [rows]. The token before the one to predict.
            state: from `get_initial_state`, or from the step before.
            memory: result of `prepare_memory`. Defaults to `None`.

        Returns:
            Logits [rows, vocabulary_size] and the new state.
        """
        logits, _, state = self(tokens[:, None], state, memory)
        return logits[:, 0], state

    def generate(
        self,
        search: Callable[..., DecodingResult],
        state: State,
        memory: Memory | None,
        *,
        start_id: int | Tensor,
        num_attended: int | None = None,
        **options: Any,
    ) -> GeneratedSequences:
        """Generate sequences with a search, and return the attention weights of each token.

        The weights are computed afterwards, from the finished sequences.

        Args:
            search: `zoo.decoding.greedy_search`, `zoo.decoding.sample`, `zoo.decoding.beam_search`, or a
                function with the same arguments.
            state: state of `batch` rows before the first step.
            memory: `Memory` of `batch` rows, or None without attention.
            start_id: int, or int tensor [batch]. The token that the first step reads.
            num_attended: int or None. Of how many sequences of each row, the best first, the attention weights
                are computed; None for all. Defaults to `None`.
            **options: further arguments of the search: `end_id`, `max_length`, constraints such as
                `no_repeat_ngram_size`, and others.
        """
        products = [] if memory is None else self._map_contexts(memory.values)
        widths = [product.shape[-1] for product in products]
        prepared = () if memory is None else memory._replace(values=ops.concatenate(products, axis=-1))
        # The steps read weights from tensors, so that the loop of the search does not read variables.
        values = [(weight, tf.convert_to_tensor(weight.value)) for weight in self.weights]

        def step(tokens: Tensor, state: State, memory: Memory | tuple[()]) -> tuple[Tensor, State]:
            with keras.StatelessScope(values, initialize_variables=False):
                return self._run_step(tokens, state, memory, widths)

        result = search(step, state, start_id=start_id, memory=prepared, **options)
        tokens = tf.pad(result.tokens, [[0, 0], [0, 0], [0, 1]])
        weights = self.compute_attention(tokens[:, :num_attended], start_id, state, memory)
        return GeneratedSequences(tokens, result.scores, weights, result.is_complete)

    def compute_attention(
        self, sequences: Tensor, start_id: int | Tensor, state: State, memory: Memory | None
    ) -> Tensor | None:
        """Return the attention weights with which sequences are generated, zero after their ends.

        Args:
            sequences: int tensor [batch, n, steps], with at least one step; 0 after the end.
            start_id: int, or int tensor [batch]. The token before the first.
            state: state of `batch` rows before the first step.
            memory: `Memory` of `batch` rows, or None without attention.

        Returns:
            Float tensor [batch, n, steps, positions]; None without attention.
        """
        if memory is None:
            return None
        batch, n, steps = tf.unstack(tf.shape(sequences))
        start = tf.broadcast_to(tf.reshape(tf.cast(start_id, sequences.dtype), [-1, 1, 1]), [batch, n, 1])
        tokens = tf.reshape(tf.concat([start, sequences[:, :, :-1]], axis=-1), [batch * n, steps])
        state = tf.nest.map_structure(lambda x: tf.repeat(x, n, axis=0), state)
        _, weights, _ = self(tokens, state, memory)
        weights = tf.reshape(weights, [batch, n, steps, tf.shape(weights)[-1]])
        return tf.where(sequences[..., None] == 0, tf.zeros([], weights.dtype), weights)

    def call(
        self,
        tokens: Tensor,
        state: State,
        memory: Memory | None = None,
        training: bool = False,
        sampling_probability: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, State]:
        """Return logits, attention weights and the new state; see the class."""
        probability = sampling_probability if training else None
        is_sequential = self.input_feeding or probability is not None
        if is_sequential and tokens.shape[1] != 1:
            outputs, weights, state = self._run_sequentially(tokens, state, memory, training, probability)
        else:
            outputs, weights, state = self._run(tokens, state, memory, training)
        return self._compute_logits(outputs), weights, state

    def _run(
        self, tokens: Tensor, state: State, memory: Memory | None, training: bool
    ) -> tuple[Tensor, Tensor | None, State]:
        """Compute o_t [rows, steps, embedding_dim] of all steps at once; with input feeding, of one step."""
        h = self.embedding(tokens)
        if self.input_feeding:
            h = ops.concatenate([h, state["output_vector"][:, None]], axis=-1)
        states_per_layer = len(self.cell.state_names)
        new_state: State = {**state, "states": []}
        context: list[Tensor] = []
        weights = None
        for index, layer in enumerate(self.stack):
            inputs = ops.concatenate([h, *context], axis=-1) if index and context else h
            initial_state = state["states"][index * states_per_layer : (index + 1) * states_per_layer]
            h, *final_state = layer(inputs, initial_state=initial_state, training=training)
            new_state["states"] += final_state
            if index == 0 and self.attention is not None:
                c, weights = self.attention(h, memory)
                context = [ops.cast(c, h.dtype)]
                new_state["coverage"] = state["coverage"] + ops.sum(ops.cast(weights, "float32"), axis=1)
        outputs = self.output_vector(ops.concatenate([h, *context], axis=-1))
        if self.input_feeding:
            new_state["output_vector"] = outputs[:, -1]
        return self.drop(outputs, training=training), weights, new_state

    def _map_contexts(self, values: Tensor) -> list[Tensor]:
        """Return W_c m_j for each weight that maps contexts, from the values m_j [batch, positions, width].

        W maps [h_t; c_t] to W_h h_t + W_c c_t. A context is a weighted mean, so W_c c_t = Σ_j α_tj W_c m_j: in a
        search, one product for all steps and hypotheses instead of one for each.

        Returns:
            Tensors [batch, positions, n]: for W_o, for W of each layer from the second on (n = 0 if it does not
            map [h_t; c_t]), and m_j itself, if there are such layers.
        """
        units, layers = self.cell.output_size, self.stack[1:]
        products = []
        for kernel in (self.output_vector.kernel, *(layer.cell.kernel for layer in layers)):
            is_map = len(kernel.shape) == 2 and kernel.shape[0] == units + values.shape[-1]
            kernel = ops.cast(kernel, values.dtype)[units:]
            products.append(ops.matmul(values, kernel) if is_map else values[..., :0])
        return [*products, values] if layers else products

    def _run_step(
        self, tokens: Tensor, state: State, memory: Memory | tuple[()], widths: Sequence[int]
    ) -> tuple[Tensor, State]:
        """Compute what `step` computes, faster.

        Args:
            tokens: int tensor [rows].
            state: from `get_initial_state`, or from the step before.
            memory: its values are those of `_map_contexts`, side by side. Without attention ().
            widths: their widths.
        """
        h = self.embedding(tokens)
        if self.input_feeding:
            h = ops.concatenate([h, state["output_vector"]], axis=-1)
        states_per_layer = len(self.cell.state_names)
        new_state: State = {**state, "states": []}
        products: list[Tensor] = []  # W_c c_t of W_o and of each layer from the second on, and c_t
        for index, layer in enumerate(self.stack):
            states = state["states"][index * states_per_layer : (index + 1) * states_per_layer]
            if products:
                inputs = ops.concatenate([h, products[-1]], axis=-1)
                with multiply_scope(partial(_multiply_parts, inputs, h, products[index])):
                    h, states = layer.cell(inputs, states)
            else:
                h, states = layer.cell(h, states)
            new_state["states"] += states
            if index == 0 and self.attention is not None:
                c, weights = self.attention(h, memory)
                products = tf.split(ops.cast(c, h.dtype), widths, axis=-1)
                new_state["coverage"] = state["coverage"] + ops.cast(weights, "float32")
        if products:
            kernel = ops.cast(self.output_vector.kernel, h.dtype)[: h.shape[-1]]
            outputs = ops.matmul(h, kernel) + products[0] + ops.cast(self.output_vector.bias, h.dtype)
            outputs = ops.tanh(outputs)
        else:
            outputs = self.output_vector(h)
        if self.input_feeding:
            new_state["output_vector"] = outputs
        # With an axis of steps, TensorFlow does not fuse the product and the bias, which takes longer for few rows.
        return self._compute_logits(outputs[:, None])[:, 0], new_state

    def _run_sequentially(
        self, tokens: Tensor, state: State, memory: Memory | None, training: bool, probability: Tensor | None
    ) -> tuple[Tensor, Tensor | None, State]:
        """Compute o_t of all steps one by one: each needs the output of the step before."""

        def step(carry: dict[str, Any], inputs: tuple[Tensor, Tensor]) -> dict[str, Any]:
            tokens, probability_t = inputs
            if probability is not None:
                tokens = self._sample_tokens(tokens, carry["outputs"], probability_t)
            outputs, weights, state = self._run(tokens[:, None], carry["state"], memory, training)
            new_carry = {"outputs": outputs[:, 0], "state": state}
            return new_carry if weights is None else new_carry | {"weights": weights[:, 0]}

        steps = tf.shape(tokens)[1]
        # Before the first step there are no predictions to draw from.
        probabilities = tf.where(
            tf.range(steps) > 0, 0.0 if probability is None else tf.cast(probability, tf.float32), 0.0
        )
        outputs = tf.zeros([tf.shape(tokens)[0], self.embedding.output_dim], self.compute_dtype)
        carry = {"outputs": outputs, "state": state}
        if memory is not None:
            carry["weights"] = tf.zeros_like(state["coverage"], memory.values.dtype)
        history = tf.scan(step, (tf.transpose(tokens), probabilities), carry)
        weights = None if memory is None else swap_batch_and_time(history["weights"])
        state = tf.nest.map_structure(lambda x: x[-1], history["state"])
        return swap_batch_and_time(history["outputs"]), weights, state

    def _sample_tokens(self, tokens: Tensor, outputs: Tensor, probability: Tensor) -> Tensor:
        """Replace each of `tokens` [rows], with a probability, by one drawn after o_{t-1} [rows, width]."""
        logits = tf.stop_gradient(self._compute_logits(outputs))
        samples = keras.random.categorical(logits, 1, dtype=tokens.dtype, seed=self.seed_generator)[:, 0]
        uniform = keras.random.uniform(ops.shape(tokens), dtype="float32", seed=self.seed_generator)
        return ops.where(uniform < probability, samples, tokens)

    def _compute_logits(self, outputs: Tensor) -> Tensor:
        """Return the logits [..., vocabulary_size] of o_t [..., embedding_dim]."""
        return self.embedding.compute_logits(outputs, self.bias) if self.tie_weights else self.scores(outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "vocabulary_size": self.embedding.input_dim,
            "embedding_dim": self.embedding.output_dim,
            "cell": keras.saving.serialize_keras_object(self.cell),
            "depth": self.depth,
            "attention": keras.saving.serialize_keras_object(self.attention),
            "input_feeding": self.input_feeding,
            "tie_weights": self.tie_weights,
            "dropout": self.drop.rate,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Decoder":
        """Create the decoder from the result of `get_config`."""
        return cls(**deserialize_objects(config, "cell", "attention"))


def check_decoder(decoder: Any) -> None:
    """Raise a TypeError if the decoder of a model is something else, such as a cell."""
    advice = "Create one from a cell: `zoo.Decoder(vocabulary_size, 16, zoo.GRUCell(32))`."
    check_part("decoder", decoder, Decoder, advice)


def _multiply_parts(
    inputs: Tensor, h: Tensor, product: Tensor, cell: Cell, name: str, v: Tensor, weight: Tensor
) -> Tensor:
    """Compute `Cell.product`, where W of `inputs`, [h; c], is W_h h and a product W_c c that is known."""
    if name == "kernel" and v is inputs:
        return ops.matmul(h, ops.cast(weight, h.dtype)[: h.shape[-1]]) + product
    return ops.matmul(v, weight)
