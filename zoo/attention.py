"""Attention: at each step, a weighted mean of the positions of a memory.

e_ij = score(q_i, m_j)              of query i and each position j of the memory
α_i = softmax over j of e_i         over the positions that are not padding
c_i = Σ_j α_ij m_j                  the context
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from zoo.cells import Serializable, Tensor


class Memory(NamedTuple):
    """What an attention layer attends to, prepared once for all steps.

    Attributes:
        values: float tensor [batch, positions, width]. m_j, for example the outputs of an encoder.
        keys: float tensor [batch, positions, units]. The part of the scores that depends on m_j alone.
        mask: bool tensor [batch, positions]. False where there is padding.

    Example:
        >>> import numpy as np, zoo
        >>> attention = zoo.MultiplicativeAttention()
        >>> attention.build((None, None, 8), (None, None, 6))
        >>> memory = attention.prepare_memory(np.ones((2, 5, 6), "float32"), np.ones((2, 5), bool))
        >>> memory.values.shape, memory.keys.shape
        (TensorShape([2, 5, 6]), TensorShape([2, 5, 8]))
    """

    values: Tensor
    keys: Tensor
    mask: Tensor


class Attention(Serializable, keras.layers.Layer):
    """The base of attention layers: contexts and weights of queries over a memory.

        e_ij = score(q_i, m_j)
        α_i = softmax over j of e_i
        c_i = Σ_j α_ij m_j

    A subclass defines `build`, `score` and the layer `keys`, which maps m_j to what `score` needs of it.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as of every Keras layer.

    Call arguments:
        queries: float tensor [rows, steps, width], or for one step [rows, width]. `rows` is the batch size of
            the memory or a multiple of it. With k times as many, the first k rows share the memory of batch row
            0, the next k that of row 1, and so on: the order of the hypotheses of a beam search.
        memory: `Memory` from `prepare_memory`.

    Input shape:
        `build` takes two shapes: queries [rows, steps, width] and memory [batch, positions, width].

    Output shape:
        A tuple of the contexts c [rows, steps, width of the memory] and the weights α [rows, steps,
        positions], without the second axis for queries of one step. Both are zero where all positions of a
        row are padding.

    Example:
        >>> import numpy as np, zoo
        >>> attention = zoo.MultiplicativeAttention()
        >>> attention.build((None, None, 8), (None, None, 6))
        >>> memory = attention.prepare_memory(np.ones((2, 5, 6), "float32"), np.ones((2, 5), bool))
        >>> context, weights = attention(np.ones((2, 3, 8), "float32"), memory)
        >>> context.shape, weights.shape
        (TensorShape([2, 3, 6]), TensorShape([2, 3, 5]))
    """

    keys: keras.layers.Layer

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def prepare_memory(self, values: Tensor, mask: Tensor) -> Memory:
        """Compute the keys of a memory.

        Args:
            values: float tensor [batch, positions, width]. m_j.
            mask: bool tensor [batch, positions]. False where there is padding.

        Raises:
            ValueError: the mask has another shape.
        """
        values, mask = ops.cast(values, self.compute_dtype), ops.cast(mask, "bool")
        expected = tuple(values.shape[:2])
        pairs = zip(mask.shape, expected, strict=False)
        if len(mask.shape) != 2 or any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ValueError(
                f"`mask` of {self.name} must be a bool tensor [batch, positions], {expected} for these values, "
                f"but its shape is {tuple(mask.shape)}."
            )
        return Memory(values, self.keys(values), mask)

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return e [batch, queries, positions].

        Args:
            queries: float tensor [batch, queries, width].
            keys: float tensor [batch, positions, units]. Keys of a `Memory`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `score(queries, keys)`.")

    def call(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return contexts and weights; see the class."""
        rows, *steps, width = ops.shape(queries)
        batch = ops.shape(memory.values)[0]
        queries_per_memory = math.prod(steps, start=rows // ops.maximum(batch, 1))
        scores = self.score(ops.reshape(queries, (batch, queries_per_memory, width)), memory.keys)
        weights = _compute_masked_softmax(scores, memory.mask[:, None, :])
        context = ops.matmul(weights, memory.values)
        return (
            ops.reshape(context, (rows, *steps, ops.shape(context)[-1])),
            ops.reshape(weights, (rows, *steps, ops.shape(weights)[-1])),
        )


def _compute_masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the softmax over the last axis of `scores`, 0 where the mask is False.

    On a CPU these operations are faster than `tf.nn.softmax`, which starts several threads for few numbers.
    """
    dtype = scores.dtype
    scores = tf.where(mask, tf.cast(scores, "float32") if dtype.size < 4 else scores, scores.dtype.min)
    exponentials = tf.exp(scores - tf.stop_gradient(tf.reduce_max(scores, axis=-1, keepdims=True)))
    exponentials = tf.where(mask, exponentials, 0)
    total = tf.reduce_sum(exponentials, axis=-1, keepdims=True)
    return tf.cast(tf.math.divide_no_nan(exponentials, total), dtype)


class AdditiveAttention(Attention):
    """Attention with a hidden layer as score: e_ij = v · tanh(W q_i + U m_j).

    From Bahdanau, Cho and Bengio (2015), "Neural machine translation by jointly learning to align and
    translate". The hidden layer [batch, queries, positions, units] takes more time and memory than the
    product of `MultiplicativeAttention`.

    Args:
        units: int. Width of the hidden layer.
        **kwargs: `name`, `dtype` and `trainable`, as of every Keras layer.

    Call arguments:
        queries: float tensor [rows, steps, width]. `rows` is the batch size of the memory or a multiple of
            it; see `Attention`.
        memory: `Memory` from `prepare_memory`.

    Input shape:
        `build` takes two shapes: queries [rows, steps, width] and memory [batch, positions, width].

    Output shape:
        A tuple of the contexts c [rows, steps, width of the memory] and the weights α [rows, steps,
        positions].

    Example:
        >>> import numpy as np, zoo
        >>> attention = zoo.AdditiveAttention(16)
        >>> attention.build((None, None, 8), (None, None, 6))
        >>> memory = attention.prepare_memory(np.ones((2, 5, 6), "float32"), np.ones((2, 5), bool))
        >>> context, weights = attention(np.ones((2, 3, 8), "float32"), memory)
        >>> context.shape, weights.shape
        (TensorShape([2, 3, 6]), TensorShape([2, 3, 5]))
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.queries = keras.layers.Dense(units, use_bias=False, name="queries", dtype=self.dtype_policy)  # W
        self.keys = keras.layers.Dense(units, use_bias=False, name="keys", dtype=self.dtype_policy)  # U

    def build(self, queries_shape: Sequence[int | None], memory_shape: Sequence[int | None]) -> None:
        """Create W, U and v, for queries [rows, steps, width] and a memory [batch, positions, width]."""
        self.queries.build(queries_shape)
        self.keys.build(memory_shape)
        self.v = self.add_weight(shape=(self.units,), name="v", initializer="glorot_uniform")

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return e [batch, queries, positions]; see `Attention.score`."""
        hidden = ops.tanh(self.queries(queries)[:, :, None] + keys[:, None])
        return ops.sum(hidden * self.v, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "units": self.units}


class MultiplicativeAttention(Attention):
    """Attention with a scaled product as score: e_ij = q_i · W m_j / √d, where d is the width of q.

    The "general" score of Luong, Pham and Manning (2015), "Effective approaches to attention-based neural
    machine translation", divided by √d as in Vaswani et al. (2017), "Attention is all you need". Without the
    division the scores of wide queries grow until the softmax selects a single position, where it has no
    gradient.

    Args:
        **kwargs: `name`, `dtype` and `trainable`, as of every Keras layer.

    Call arguments:
        queries: float tensor [rows, steps, width]. `rows` is the batch size of the memory or a multiple of
            it; see `Attention`.
        memory: `Memory` from `prepare_memory`.

    Input shape:
        `build` takes two shapes: queries [rows, steps, width] and memory [batch, positions, width].

    Output shape:
        A tuple of the contexts c [rows, steps, width of the memory] and the weights α [rows, steps,
        positions].

    Example:
        >>> import numpy as np, zoo
        >>> attention = zoo.MultiplicativeAttention()
        >>> attention.build((None, None, 8), (None, None, 6))
        >>> memory = attention.prepare_memory(np.ones((2, 5, 6), "float32"), np.ones((2, 5), bool))
        >>> context, weights = attention(np.ones((2, 3, 8), "float32"), memory)
        >>> context.shape, weights.shape
        (TensorShape([2, 3, 6]), TensorShape([2, 3, 5]))
    """

    def build(self, queries_shape: Sequence[int | None], memory_shape: Sequence[int | None]) -> None:
        """Create W, for queries [rows, steps, width] and a memory [batch, positions, width]."""
        width = queries_shape[-1]
        self.keys = keras.layers.Dense(width, use_bias=False, name="keys", dtype=self.dtype_policy)
        self.keys.build(memory_shape)

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return e [batch, queries, positions]; see `Attention.score`."""
        return ops.matmul(queries / keys.shape[-1] ** 0.5, ops.transpose(keys, (0, 2, 1)))
