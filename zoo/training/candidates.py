"""Candidates of a softmax: a training step computes the logits of some classes instead of all."""

from typing import Any

import tensorflow as tf

_PADDING_ID = 0


def sample_candidates(
    windows: tf.data.Dataset, vocabulary_size: int, num_sampled: int, seed: int
) -> tf.data.Dataset:
    """Choose candidates for each batch of a language model, so that a training step takes less time.

        L = -z_y + log(sum over c of targets e^(z_c) + (n / m) sum over c of sampled e^(z_c))

    The candidates of a batch are the m sampled tokens, drawn evenly from the n that are no target of the batch, and
    all its targets. The second sum is multiplied by n / m, so that the sum of both is an unbiased estimate of the sum
    over the vocabulary; L is, on average, slightly below the loss of all tokens. This is the sampled softmax of Jean
    et al. (2015), "On using very large target vocabulary for neural machine translation", with the targets of the
    whole batch, and with weights, which they leave out. `zoo.LanguageModel` takes the result as its input, and any loss
    of logits compares them with the targets. Evaluate on batches of all tokens.

    Args:
        windows: pairs of ids and of the ids that follow them, int [batch, time], such as those of `bptt_windows`.
        vocabulary_size: int. Number of ids. Id 0 is padding, and no candidate.
        num_sampled: int. m, at least 1. If there are not so many tokens besides the targets, all tokens are candidates,
            and L is the loss itself.
        seed: int. The same seed gives the same candidates.

    Returns:
        Pairs `((ids, candidates, log_weights), labels)`: the ids; the ids of the candidates, int [batch, c]; the
        logarithm of the weight of each, float32 [batch, c]; and for each target its place among the candidates, int
        [batch, time]. All rows have the same candidates, so that replicas can share the rows.

    Raises:
        ValueError: `num_sampled` is below 1.

    Example:
        >>> import tensorflow as tf, zoo
        >>> windows = tf.data.Dataset.from_tensors(([[5, 7]], [[7, 9]]))
        >>> batches = zoo.training.sample_candidates(windows, vocabulary_size=10, num_sampled=3, seed=1)
        >>> (ids, candidates, log_weights), labels = next(iter(batches))
        >>> candidates.shape, labels.numpy().tolist()  # 7, 9, and three of 1, 2, 3, 4, 5, 6, 8
        (TensorShape([1, 5]), [[0, 1]])
        >>> [round(float(weight), 2) for weight in tf.exp(log_weights)[0]]
        [1.0, 1.0, 2.33, 2.33, 2.33]
    """
    if num_sampled < 1:
        raise ValueError(f"`num_sampled` must be at least 1, but it is {num_sampled}.")

    def choose(number: tf.Tensor, window: tuple[tf.Tensor, tf.Tensor]) -> tuple[Any, tf.Tensor]:
        ids, labels = window
        targets, places = tf.unique(tf.reshape(labels, [-1]))
        is_other = tf.tensor_scatter_nd_update(
            tf.ones([vocabulary_size]), targets[:, None], tf.zeros_like(targets, tf.float32)
        )
        is_other = tf.tensor_scatter_nd_update(is_other, [[_PADDING_ID]], [0.0])
        num_others = tf.cast(tf.reduce_sum(is_other), tf.int32)
        count = tf.minimum(num_sampled, num_others)
        # The others in random order, before all that are none.
        keys = is_other * (
            1 + tf.random.stateless_uniform([vocabulary_size], [seed, tf.cast(number, tf.int32)])
        )
        sampled = tf.cast(tf.math.top_k(keys, count).indices, targets.dtype)
        weight = tf.cast(num_others, tf.float32) / tf.cast(tf.maximum(count, 1), tf.float32)
        log_weights = tf.concat([tf.zeros([tf.size(targets)]), tf.fill([count], tf.math.log(weight))], 0)
        candidates = tf.concat([targets, sampled], 0)
        candidates, log_weights = (tf.tile(x[None], [tf.shape(ids)[0], 1]) for x in (candidates, log_weights))
        return (ids, candidates, log_weights), tf.reshape(places, tf.shape(labels))

    return windows.enumerate().map(choose)
