"""Self-critical training: a captioner learns from the scores of captions that it samples itself."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.decoding import sample
from zoo.formulations import apply_teacher_forcing
from zoo.metrics.text import CiderScorer, split_captions
from zoo.preprocessing.text import END_ID, PADDING_ID, START_ID
from zoo.tasks.captioning import CaptioningModule, FeatureSplit
from zoo.training import BucketedDataset
from zoo.training.bucketing import plan_buckets

NUM_SAMPLES = 5
"""Captions that are sampled of each image."""

_END = "."  # no word of a normalized caption


def sample_captions(
    module: CaptioningModule, split: FeatureSplit, batch_size: int, seed: int
) -> BucketedDataset:
    """Return batches of captions that the model samples, with their advantages, for `zoo.losses.PolicyGradientLoss`.

        A_k = r_k - mean of the rewards r_j of the other samples of the image

    The reward of a caption is its CIDEr-D. This is self-critical sequence training (Rennie et al., 2017,
    "Self-critical sequence training for image captioning") with the baseline of Luo (2020, "A better variant of
    self-critical sequence training"). The end of a caption counts as a word of it: otherwise captions that stop within
    a phrase, such as "a dog in a", would have high rewards.

    A batch is sampled when it is read, with the weights that the model has then. It depends on them, the seed, and the
    numbers of epoch and batch alone, so that training resumes exactly. Nothing may read batches ahead of training.

    Args:
        module: the module of the model to train.
        split: the training split.
        batch_size: number of captions in a batch, `NUM_SAMPLES` of each image.
        seed: of the order of the images, and of the samples.
    """
    scorer = CiderScorer(
        [[[*words, _END] for words in split_captions(captions)] for captions in split.captions]
    )
    num_images = max(1, batch_size // NUM_SAMPLES)
    images = plan_buckets(np.ones(len(split.rows), int), num_images, seed=seed)
    draw = tf.function(partial(_draw, module), autograph=False, reduce_retracing=True)

    def sample_batch(
        epoch: int, number: np.ndarray, keys: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        features = split.features[split.rows[keys]]
        generator = np.random.default_rng([seed, epoch, int(number)])
        seeds = generator.integers(2**31, size=len(keys) * NUM_SAMPLES, dtype=np.int32)
        tokens, captions, is_complete = draw(tf.constant(features), tf.constant(seeds))
        texts = [caption.decode() for caption in captions.numpy()]
        words = [
            [*words, _END] if complete else words
            for words, complete in zip(split_captions(texts), is_complete.numpy(), strict=True)
        ]
        pairs = zip(words, np.repeat(keys, NUM_SAMPLES), strict=True)
        rewards = np.reshape([scorer.score(*pair) for pair in pairs], (-1, NUM_SAMPLES))
        advantages = (rewards - rewards.mean(1, keepdims=True)) * NUM_SAMPLES / (NUM_SAMPLES - 1)
        repeated = np.repeat(features, NUM_SAMPLES, axis=0)
        return repeated, tokens.numpy(), advantages.reshape(-1).astype(np.float32)

    def make_epoch(epoch: int) -> tf.data.Dataset:
        def make_batch(number: tf.Tensor, keys: tf.Tensor) -> tuple[tf.Tensor, ...]:
            types = split.features.dtype, tf.int32, tf.float32
            features, tokens, advantages = tf.numpy_function(
                partial(sample_batch, epoch), [number, keys], types
            )
            features = tf.ensure_shape(features, [None, *split.features.shape[1:]])
            pairs = apply_teacher_forcing(features, tf.ensure_shape(tokens, [None, None]))
            return add_advantages(*pairs, advantages=tf.ensure_shape(advantages, [None]))

        return images(epoch).enumerate().map(make_batch)

    return replace(images, make_epoch=make_epoch, is_sampled=True)


def add_advantages(
    x: Any, y: tf.Tensor, weights: tf.Tensor, advantages: tf.Tensor | None = None
) -> tuple[Any, tf.Tensor, tf.Tensor]:
    """Return a batch whose labels are those of `zoo.losses.PolicyGradientLoss`.

    Args:
        x: inputs.
        y: token ids [batch, steps].
        weights: [batch, steps].
        advantages: [batch]; default is 1, so that the loss is the cross-entropy.
    """
    ids = tf.cast(y, tf.float32)
    advantages = tf.ones_like(ids) if advantages is None else tf.zeros_like(ids) + advantages[:, None]
    return x, tf.stack([ids, advantages], axis=-1), weights


def _draw(
    module: CaptioningModule, features: tf.Tensor, seeds: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Sample captions; return their ids from the start to the end token, their texts, and whether they have an end."""
    prepared = module.model.prepare_memory(features)
    memory, state = tf.nest.map_structure(lambda x: tf.repeat(x, NUM_SAMPLES, axis=0), prepared)
    search = partial(sample, seeds=seeds, end_id=END_ID, max_length=module.max_length)
    sequences, _, _, is_complete = module.model.decoder.generate(search, state, memory, start_id=START_ID)
    ids, is_complete = sequences[:, 0], is_complete[:, 0]
    positions = tf.range(tf.shape(ids)[1])
    lengths = tf.reduce_max(tf.where(ids == PADDING_ID, 0, positions + 1), axis=1, keepdims=True)
    is_end = (positions == lengths) & is_complete[:, None]
    tokens = tf.pad(tf.where(is_end, END_ID, ids), [[0, 0], [1, 0]], constant_values=START_ID)
    return tokens, module.decode(sequences)["captions"][:, 0], is_complete
