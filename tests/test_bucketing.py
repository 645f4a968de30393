"""Batches of sequences of similar length: little padding, every example once, an order per epoch."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from zoo.training.bucketing import BucketedDataset, bptt_windows, bucket_by_length, plan_buckets

RNG = np.random.default_rng(5)
LENGTHS = np.random.default_rng(6).integers(0, 60, 200)
LOGNORMAL = RNG.lognormal(3, 0.6, 10_000).astype(int)
PAIRS = np.stack([LOGNORMAL, (LOGNORMAL * RNG.lognormal(0, 0.2, 10_000)).astype(int)], axis=1)
BY_SIZE, BY_TOKENS = {"batch_size": 32}, {"max_tokens": 800}


def examples() -> tf.data.Dataset:
    """Example k has LENGTHS[k] ids and words, each k, and half as many rows of features."""
    lengths = tf.constant(LENGTHS)

    def example(k: tf.Tensor) -> tuple[dict[str, tf.Tensor], tuple[tf.Tensor, ...]]:
        ids, features = tf.fill([lengths[k]], k), tf.fill([lengths[k] // 2], tf.cast(k, tf.float32))
        words = tf.strings.as_string(ids)
        sequences = {"ids": ids, "words": words, "features": tf.stack([features, -features], axis=1)}
        return sequences, (k, tf.strings.as_string(k), tf.stack([k, k]))

    return tf.data.Dataset.range(len(LENGTHS)).map(example)


def words() -> tf.data.Dataset:
    """Example k has LENGTHS[k] words, each k, and the label k."""
    texts = tf.constant([f"{k} " * length for k, length in enumerate(LENGTHS)])

    def example(k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.strings.split(texts[k]), k

    return tf.data.Dataset.range(len(LENGTHS)).map(example)


def batch_keys(dataset: BucketedDataset, epoch: int = 0) -> list[list[int]]:
    return [keys.tolist() for keys in dataset(epoch).as_numpy_iterator()]


def content(dataset: tf.data.Dataset) -> list[list[Any]]:
    return [[part.numpy().tolist() for part in tf.nest.flatten(batch)] for batch in dataset]


def padding_share(lengths: np.ndarray, keys: list[list[int]]) -> float:
    """Share of padding in the time steps of an epoch."""
    columns = lengths.reshape(len(lengths), -1)
    return 1 - columns.sum() / sum(len(batch) * columns[batch].max(axis=0).sum() for batch in keys)


def test_every_example_comes_once_per_epoch_and_is_complete() -> None:
    dataset, all_keys = bucket_by_length(examples(), batch_size=16, seed=1), []
    for sequences, (keys, names, pairs) in dataset(0).as_numpy_iterator():
        lengths = LENGTHS[keys]
        for name, counts in (("ids", lengths), ("words", lengths), ("features", lengths // 2)):
            assert sequences[name].shape[:2] == (len(keys), max(counts.max(), 1))
        for row, (key, length) in enumerate(zip(keys, lengths, strict=True)):
            padding = sequences["ids"].shape[1] - length
            assert sequences["ids"][row].tolist() == [key] * length + [0] * padding
            assert sequences["words"][row].tolist() == [b"%d" % key] * length + [b""] * padding
            features = sequences["features"][row]
            assert features[: length // 2].tolist() == [[key, -key]] * (length // 2)
            assert not features[length // 2 :].any()
        assert names.tolist() == [b"%d" % key for key in keys]
        assert pairs.tolist() == [[key, key] for key in keys]
        all_keys += keys.tolist()
    assert sorted(all_keys) == list(range(len(LENGTHS)))


def test_static_shapes() -> None:
    sequences, (_, _, pairs) = bucket_by_length(examples(), batch_size=16)(0).element_spec
    assert sequences["features"] == tf.TensorSpec([None, None, 2], tf.float32)
    assert pairs == tf.TensorSpec([None, 2], tf.int64)


def test_autotune_is_off() -> None:
    assert not bucket_by_length(examples(), batch_size=16)(0).options().autotune.enabled


def test_counts_and_padding_share_match_the_batches() -> None:
    plan = bucket_by_length(examples(), batch_size=16, seed=1)
    sizes = [len(keys) for _, (keys, _, _) in plan(0)]
    assert (plan.num_examples, plan.num_batches, plan.batch_sizes) == (200, 13, (8, 16))
    assert sorted(sizes) == [8] + [16] * 12
    assert int(plan(0).cardinality()) == 13
    match = re.fullmatch(r"200 examples in 13 batches of up to 16, at most (\d+\.\d) % padding", str(plan))
    printed = float(match[1])
    assert 0 <= printed - 100 * plan.padding_share < 0.1  # rounded up
    one = bucket_by_length(examples().take(1), batch_size=16)
    assert str(one).startswith("1 example in 1 batch of up to 1, ")


@pytest.mark.parametrize("lengths", [LOGNORMAL, PAIRS], ids=["one", "two"])
@pytest.mark.parametrize("options", [BY_SIZE, BY_TOKENS], ids=["size", "tokens"])
def test_padding_stays_below_max_padding_in_every_epoch(lengths: np.ndarray, options: dict[str, int]) -> None:
    plan = plan_buckets(lengths, seed=1, **options)
    shares = [padding_share(lengths, batch_keys(plan, number)) for number in range(3)]
    assert max(shares) <= plan.padding_share <= 0.1
    assert plan.padding_share < max(shares) + 0.03  # the bound is tight
    assert plan_buckets(lengths, max_padding=0.08, **options).padding_share <= 0.08
    coarse = plan_buckets(lengths, max_padding=0.5, **options)
    assert coarse.padding_share > 0.1  # no finer than necessary


def test_unreachable_max_padding_gives_the_least_padding() -> None:
    """The finest grid is not the best: among few pairs hardly two have the same lengths."""
    lengths = PAIRS[:2000]
    plan = plan_buckets(lengths, batch_size=32, max_padding=0.0)
    to_and_fro = lengths[:, 1] * (-1) ** lengths[:, 0]
    finest = np.split(np.lexsort((to_and_fro, lengths[:, 0])), range(32, 2000, 32))
    assert plan.padding_share < padding_share(lengths, [list(batch) for batch in finest]) - 0.01
    assert plan.padding_share <= min(
        plan_buckets(lengths, 32, max_padding=bound).padding_share for bound in (0.14, 0.16, 0.2)
    )


def test_max_tokens_is_kept_with_few_batch_sizes() -> None:
    plan = plan_buckets(PAIRS, max_tokens=800, seed=1)
    keys = batch_keys(plan)
    assert sorted(itertools.chain(*keys)) == list(range(len(PAIRS)))
    tokens = [len(batch) * PAIRS[batch].max() for batch in keys]
    assert max(tokens) <= 800
    assert np.mean(tokens) > 0.7 * 800
    assert {len(batch) for batch in keys} == set(plan.batch_sizes)
    regular = {2**k for k in range(9)} | {3 * 2**k for k in range(9)}
    assert len([size for size in plan.batch_sizes if size not in regular]) <= 1  # the last
    assert plan.num_batches == len(keys)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    first, second, other = (plan_buckets(LENGTHS, 16, seed=seed) for seed in (1, 1, 2))
    epochs = [batch_keys(first, number) for number in range(3)]
    assert epochs[::-1] == [batch_keys(second, number) for number in (2, 1, 0)]
    assert batch_keys(other) not in epochs
    compositions = [{frozenset(batch) for batch in keys} for keys in epochs]
    assert all(not a & b for a, b in itertools.combinations(compositions, 2))
    lengths = [[LENGTHS[batch].max() for batch in keys] for keys in epochs]
    assert all(order != sorted(order) for order in lengths)  # long and short ones mixed


def test_random_functions_draw_by_seed_epoch_and_place() -> None:
    def draw(
        seed: tf.Tensor, sequences: dict[str, tf.Tensor], labels: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, ...]:
        return labels[0], tf.random.stateless_uniform([], seed)

    def read(seed: int, epoch: int, skipped: int = 0) -> list[tuple[list[int], float]]:
        dataset = bucket_by_length(examples(), 32, seed=3).map_at_random(draw, seed)
        assert not dataset(epoch).options().autotune.enabled
        return [(keys.tolist(), float(x)) for keys, x in dataset(epoch).skip(skipped).as_numpy_iterator()]

    first = read(1, 0)
    assert read(1, 0) == first
    assert read(1, 0, skipped=3) == first[3:]  # as a run that resumes
    draws = [x for seed, epoch in [(1, 0), (1, 1), (2, 0), (2, 1)] for _, x in read(seed, epoch)]
    assert len(set(draws)) == len(draws) == 4 * len(first)
    assert [keys for keys, _ in read(2, 0)] == [keys for keys, _ in first]  # the order has a seed of its own


def test_order_is_fixed_without_seed() -> None:
    plan = plan_buckets(LENGTHS, 16)
    keys = batch_keys(plan)
    assert keys == batch_keys(plan, 1)
    assert sorted(itertools.chain(*keys)) == list(range(200))


def test_sequences_of_equal_length_count_once() -> None:
    """Ids and words of an example have one length, its features half of it."""
    both = itertools.permutations([LENGTHS, LENGTHS // 2])
    expected = {plan_buckets(np.stack(lengths, axis=1), 16).padding_share for lengths in both}
    assert bucket_by_length(examples(), batch_size=16).padding_share in expected


def test_empty_sequences_are_padded_to_one_step() -> None:
    """Recurrent layers do not accept batches without time steps."""
    empty = tf.data.Dataset.range(3).map(lambda k: tf.range(0 * k))
    (batch,) = bucket_by_length(empty, batch_size=4)(0)
    assert batch.numpy().tolist() == [[0], [0], [0]]


def test_examples_without_sequences() -> None:
    vectors = np.arange(14).reshape(7, 2)
    plan = bucket_by_length(tf.data.Dataset.from_tensor_slices(vectors), batch_size=3)
    assert np.concatenate(list(plan(0))).tolist() == vectors.tolist()
    assert plan.padding_share == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "batch_size=None and max_tokens=None"),
        ({"batch_size": 2, "max_tokens": 100}, "batch_size=2 and max_tokens=100"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"max_tokens": 58}, f"Example {LENGTHS.argmax()} has 59"),
    ],
)
def test_wrong_sizes_raise(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_buckets(LENGTHS, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (examples().take(0), "at least one example"),
        (examples().repeat(), "finite dataset"),
        (tf.data.Dataset.range(3).map(lambda k: tf.zeros([3, k])), "no unknown dimension but the first"),
    ],
    ids=["empty", "infinite", "unknown"],
)
def test_wrong_examples_raise(wrong: tf.data.Dataset, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bucket_by_length(wrong, batch_size=2)


# --- Cache --------------------------------------------------------------------------------------


def test_cached_examples_are_not_read_again(tmp_path: Path) -> None:
    cache = tmp_path / "new" / "examples"
    expected = content(bucket_by_length(examples(), 16, cache_path=cache)(0))
    assert content(bucket_by_length(examples().take(0), 16, cache_path=cache)(0)) == expected
    assert list(cache.parent.iterdir()) == [cache]


def flip_byte(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "corrupt",
    [
        flip_byte,
        lambda content: content[: len(content) // 2],
        lambda content: content[: -len(b"end") - 16],
        lambda content: b"",
    ],
    ids=["flipped", "cut", "cut between records", "emptied"],  # a record has 16 bytes of length and checksums
)
def test_corrupt_cache_is_rebuilt(
    corrupt: Callable[[bytes], bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache, dataset = tmp_path / "examples", tf.data.Dataset.range(3000)
    expected = content(bucket_by_length(dataset, 1000, cache_path=cache)(0))
    before = cache.read_bytes()
    cache.write_bytes(corrupt(before))
    assert content(bucket_by_length(dataset, 1000, cache_path=cache)(0)) == expected
    assert f"{cache} is corrupt or does not hold" in caplog.text
    assert cache.read_bytes() == before


def test_cache_of_another_structure_is_rebuilt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = tmp_path / "examples"
    named = words().map(lambda text, k: {"text": text, "title": k})
    bucket_by_length(named, 16, cache_path=cache)
    assert not caplog.text
    assert content(bucket_by_length(words(), 16, cache_path=cache)(0)) == content(
        bucket_by_length(words(), 16)(0)
    )
    assert f"{cache} is corrupt or does not hold" in caplog.text


def test_failed_write_leaves_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: tf.Tensor) -> None:
        assert len(list(tmp_path.iterdir())) == 1  # it has been begun
        raise OSError("disk full")

    monkeypatch.setattr(tf.io, "serialize_tensor", full)
    with pytest.raises(OSError, match="disk full"):
        bucket_by_length(words(), 16, cache_path=tmp_path / "examples")
    assert not list(tmp_path.iterdir())


# --- Windows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [41, 60, 61, 80])  # 41 and 61 fill their windows exactly
def test_windows_continue_each_other(count: int) -> None:
    ids = RNG.integers(0, 1000, count)
    windows = list(bptt_windows(ids, batch_size=4, steps=5).as_numpy_iterator())
    inputs, targets = (np.concatenate(parts, axis=1) for parts in zip(*windows, strict=True))
    read = inputs.size
    assert inputs.flatten().tolist() == ids[:read].tolist()  # each row is a stream
    assert targets.flatten().tolist() == ids[1 : read + 1].tolist()
    assert 0 < count - read <= 4 * 5


def test_windows_have_a_static_shape() -> None:
    dataset = bptt_windows(np.arange(100, dtype="int32"), batch_size=4, steps=5)
    assert dataset.element_spec == (tf.TensorSpec([4, 5], tf.int32),) * 2
    assert int(dataset.cardinality()) == 4


def test_too_short_sequence_raises() -> None:
    assert len(bptt_windows(np.arange(21), 4, 5)) == 1
    with pytest.raises(ValueError, match=r"more than 4 \* 5 ids, .* got 20"):
        bptt_windows(np.arange(20), 4, 5)
