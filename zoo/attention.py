"""Attention: where a decoder looks, at each of its steps, in what it was given to remember.

e_ij = score(q_i, m_j)              of query i and each position j of the memory
α_i = softmax over j of e_i         over the positions that are not padding
c_i = Σ_j α_ij m_j                  the context
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from zoo.cells import Serializable, Tensor


class Memory(NamedTuple):
    """What an attention looks at, prepared once for all steps."""

    values: Tensor
    """m [batch, positions, width]."""
    keys: Tensor
    """What of them each score needs [batch, positions, units]."""
    mask: Tensor
    """bool [batch, positions], False where there is padding."""


class Attention(Serializable, keras.layers.Layer):
    """The base of attentions. A subclass defines `build` and `score`, and the layer `keys`.

    Call arguments:
        queries: [rows, steps, width]. There are as many rows as the memory has, or a multiple: then the
            first few share the memory's first row, and so on, as the hypotheses of a beam search do.
        memory: from `prepare_memory`.

    Returns:
        The contexts c [rows, steps, width of the memory] and the weights α [rows, steps, positions]. Where
        all of a row is padding both are zero.
    """

    keys: keras.layers.Layer

    def prepare_memory(self, values: Tensor, mask: Tensor) -> Memory:
        """Prepare m [batch, positions, width] and its mask, bool [batch, positions]."""
        values = ops.cast(values, self.compute_dtype)
        return Memory(values, self.keys(values), ops.cast(mask, "bool"))

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """E [batch, queries, positions] of queries [batch, queries, width] and prepared keys."""
        raise NotImplementedError(f"{type(self).__name__} must define `score(queries, keys)`.")

    def call(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Look into the memory; see the class."""
        rows, steps, width = ops.shape(queries)
        batch = ops.shape(memory.values)[0]
        together = (rows // ops.maximum(batch, 1)) * steps  # of the queries, those that share a memory
        scores = self.score(ops.reshape(queries, (batch, together, width)), memory.keys)
        valid = memory.mask[:, None, :]
        weights = tf.nn.softmax(tf.where(valid, scores, scores.dtype.min))
        weights = tf.where(valid, weights, 0)
        context = ops.matmul(weights, memory.values)
        return tuple(ops.reshape(x, (rows, steps, ops.shape(x)[-1])) for x in (context, weights))


class AdditiveAttention(Attention):
    """Scores by a hidden layer: e_ij = v · tanh(W q_i + U m_j).

    Bahdanau, Cho and Bengio (2015, "Neural machine translation by jointly learning to align and
    translate"). Its tensors [batch, queries, positions, units] take more time and memory than the product.

    Args:
        units: width of the hidden layer.
        **kwargs: `name`, `dtype` and `trainable`.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.queries = keras.layers.Dense(units, use_bias=False, name="queries", dtype=self.dtype_policy)  # W
        self.keys = keras.layers.Dense(units, use_bias=False, name="keys", dtype=self.dtype_policy)  # U

    def build(self, queries_shape: Sequence[int | None], memory_shape: Sequence[int | None]) -> None:
        """Make W, U and v, for queries [rows, steps, width] and a memory [batch, positions, width]."""
        self.queries.build(queries_shape)
        self.keys.build(memory_shape)
        self.v = self.add_weight(shape=(self.units,), name="v", initializer="glorot_uniform")

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """See `Attention.score`."""
        hidden = ops.tanh(self.queries(queries)[:, :, None] + keys[:, None])
        return ops.sum(hidden * self.v, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "units": self.units}


class MultiplicativeAttention(Attention):
    """Scores by a product: e_ij = q_i · W m_j / √d, where d is the width of q.

    The "general" score of Luong, Pham and Manning (2015, "Effective approaches to attention-based neural
    machine translation"), but divided by √d, as in Vaswani et al. (2017, "Attention is all you need"):
    else scores grow until each step looks at a single position, where the softmax has no gradient.

    Args:
        **kwargs: `name`, `dtype` and `trainable`.
    """

    def build(self, queries_shape: Sequence[int | None], memory_shape: Sequence[int | None]) -> None:
        """Make W, for queries [rows, steps, width] and a memory [batch, positions, width]."""
        width = queries_shape[-1]
        self.keys = keras.layers.Dense(width, use_bias=False, name="keys", dtype=self.dtype_policy)
        self.keys.build(memory_shape)

    def score(self, queries: Tensor, keys: Tensor) -> Tensor:
        """See `Attention.score`."""
        return ops.matmul(queries / keys.shape[-1] ** 0.5, ops.transpose(keys, (0, 2, 1)))
