"""BucketedDataset of sequences of like length: little padding, nothing left out, an order for each epoch."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from zoo.training.bucketing import BucketedDataset, batches, bucketed, streams

RNG = np.random.default_rng(5)
LENGTHS = np.random.default_rng(6).integers(0, 60, 200)
LOGNORMAL = RNG.lognormal(3, 0.6, 10_000).astype(int)
PAIRS = np.stack([LOGNORMAL, (LOGNORMAL * RNG.lognormal(0, 0.2, 10_000)).astype(int)], axis=1)
BY_SIZE, BY_TOKENS = {"batch_size": 32}, {"tokens": 800}


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


def epoch(found: BucketedDataset, number: int = 0) -> list[list[int]]:
    return [keys.tolist() for keys in found.epoch(number).as_numpy_iterator()]


def content(dataset: tf.data.Dataset) -> list[list[Any]]:
    return [[part.numpy().tolist() for part in tf.nest.flatten(batch)] for batch in dataset]


def padded(lengths: np.ndarray, keys: list[list[int]]) -> float:
    """The share of padding in the steps of an epoch."""
    columns = lengths.reshape(len(lengths), -1)
    return 1 - columns.sum() / sum(len(batch) * columns[batch].max(axis=0).sum() for batch in keys)


def test_every_example_comes_once_an_epoch_and_whole() -> None:
    found, seen = batches(examples(), batch_size=16, seed=1), []
    for sequences, (keys, names, pairs) in found.epoch(0).as_numpy_iterator():
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
        seen += keys.tolist()
    assert sorted(seen) == list(range(len(LENGTHS)))


def test_shapes_are_as_static_as_they_can_be() -> None:
    sequences, (_, _, pairs) = batches(examples(), batch_size=16).epoch(0).element_spec
    assert sequences["features"] == tf.TensorSpec([None, None, 2], tf.float32)
    assert pairs == tf.TensorSpec([None, 2], tf.int64)


def test_no_thread_tunes_what_an_end_would_have_to_wait_for() -> None:
    assert not batches(examples(), batch_size=16).epoch(0).options().autotune.enabled


def test_what_is_known_in_advance_is_true() -> None:
    found = batches(examples(), batch_size=16, seed=1)
    sizes = [len(keys) for _, (keys, _, _) in found.epoch(0)]
    assert (found.examples, found.batches, found.sizes) == (200, 13, (8, 16))
    assert sorted(sizes) == [8] + [16] * 12
    assert int(found.epoch(0).cardinality()) == 13
    said = re.fullmatch(
        r"200 examples in 13 batches of up to 16, at most (\d+\.\d) % of the steps padding", str(found)
    )
    assert 0 <= float(said[1]) - 100 * found.padding < 0.1  # "at most" is true of the rounded figure, too


@pytest.mark.parametrize("lengths", [LOGNORMAL, PAIRS], ids=["one", "two"])
@pytest.mark.parametrize("options", [BY_SIZE, BY_TOKENS], ids=["size", "tokens"])
def test_padding_stays_below_its_bound_in_every_epoch(lengths: np.ndarray, options: dict[str, int]) -> None:
    found = bucketed(lengths, seed=1, **options)
    shares = [padded(lengths, epoch(found, number)) for number in range(3)]
    assert max(shares) <= found.padding <= 0.1
    assert found.padding < max(shares) + 0.03  # and it is no idle figure
    assert bucketed(lengths, padding=0.08, **options).padding <= 0.08
    assert bucketed(lengths, padding=0.5, **options).padding > 0.1  # buckets no finer than they must be


def test_where_the_bound_cannot_be_kept_padding_is_the_least() -> None:
    """Which is not that of the finest grid: of few pairs hardly two share a length."""
    lengths = PAIRS[:2000]
    found = bucketed(lengths, batch_size=32, padding=0.0)
    to_and_fro = lengths[:, 1] * (-1) ** lengths[:, 0]
    finest = np.split(np.lexsort((to_and_fro, lengths[:, 0])), range(32, 2000, 32))
    assert found.padding < padded(lengths, [list(batch) for batch in finest]) - 0.01
    assert found.padding <= min(bucketed(lengths, 32, padding=bound).padding for bound in (0.14, 0.16, 0.2))


def test_no_batch_has_more_tokens_than_allowed_and_few_sizes_occur() -> None:
    found = bucketed(PAIRS, tokens=800, seed=1)
    keys = epoch(found)
    assert sorted(itertools.chain(*keys)) == list(range(len(PAIRS)))
    tokens = [len(batch) * PAIRS[batch].max() for batch in keys]
    assert max(tokens) <= 800
    assert np.mean(tokens) > 0.7 * 800
    assert {len(batch) for batch in keys} == set(found.sizes)
    regular = {2**k for k in range(9)} | {3 * 2**k for k in range(9)}
    assert len([size for size in found.sizes if size not in regular]) <= 1  # the last
    assert found.batches == len(keys)


def test_orders_differ_from_epoch_to_epoch_and_are_the_same_in_another_instance() -> None:
    first, second, other = (bucketed(LENGTHS, 16, seed=seed) for seed in (1, 1, 2))
    epochs = [epoch(first, number) for number in range(3)]
    assert epochs[::-1] == [epoch(second, number) for number in (2, 1, 0)]
    assert epoch(other) not in epochs
    compositions = [{frozenset(batch) for batch in keys} for keys in epochs]
    assert all(not a & b for a, b in itertools.combinations(compositions, 2))
    lengths = [[LENGTHS[batch].max() for batch in keys] for keys in epochs]
    assert all(order != sorted(order) for order in lengths)  # long and short ones mixed


def test_without_a_seed_the_order_stays() -> None:
    found = bucketed(LENGTHS, 16)
    keys = epoch(found)
    assert keys == epoch(found, 1)
    assert sorted(itertools.chain(*keys)) == list(range(200))


def test_every_length_counts_and_the_same_one_once() -> None:
    """The ids of an example and its words are equally long, its features half as long."""
    both = itertools.permutations([LENGTHS, LENGTHS // 2])
    expected = {bucketed(np.stack(lengths, axis=1), 16).padding for lengths in both}
    assert batches(examples(), batch_size=16).padding in expected


def test_empty_sequences_have_a_step() -> None:
    """Recurrent layers refuse batches without time."""
    empty = tf.data.Dataset.range(3).map(lambda k: tf.range(0 * k))
    (batch,) = batches(empty, batch_size=4).epoch(0)
    assert batch.numpy().tolist() == [[0], [0], [0]]


def test_examples_of_one_length_are_batched_too() -> None:
    vectors = np.arange(14).reshape(7, 2)
    found = batches(tf.data.Dataset.from_tensor_slices(vectors), batch_size=3)
    assert np.concatenate(list(found.epoch(0))).tolist() == vectors.tolist()
    assert found.padding == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "batch_size=None and tokens=None"),
        ({"batch_size": 2, "tokens": 100}, "batch_size=2 and tokens=100"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"tokens": 58}, f"example {LENGTHS.argmax()} has 59"),
    ],
)
def test_wrong_sizes_are_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bucketed(LENGTHS, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (examples().take(0), "one example at least"),
        (examples().repeat(), "without end"),
        (tf.data.Dataset.range(3).map(lambda k: tf.zeros([3, k])), "no unknown dimension but the first"),
    ],
    ids=["empty", "endless", "unknown"],
)
def test_wrong_examples_are_refused(wrong: tf.data.Dataset, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        batches(wrong, batch_size=2)


# --- Cache --------------------------------------------------------------------------------------


def test_cached_examples_are_not_read_again(tmp_path: Path) -> None:
    cache = tmp_path / "new" / "examples"
    expected = content(batches(examples(), 16, cache=cache).epoch(0))
    assert content(batches(examples().take(0), 16, cache=cache).epoch(0)) == expected
    assert list(cache.parent.iterdir()) == [cache]


def flip(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[: -len(b"end") - 16],
        lambda whole: b"",
    ],
    ids=["flipped", "cut", "cut between records", "emptied"],  # a record has 16 bytes of length and checksums
)
def test_damaged_cache_is_made_anew(
    damage: Callable[[bytes], bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache, dataset = tmp_path / "examples", tf.data.Dataset.range(3000)
    expected = content(batches(dataset, 1000, cache=cache).epoch(0))
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    assert content(batches(dataset, 1000, cache=cache).epoch(0)) == expected
    assert f"{cache} is damaged or not of" in caplog.text
    assert cache.read_bytes() == whole


def test_cache_of_another_structure_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = tmp_path / "examples"
    named = words().map(lambda text, k: {"text": text, "title": k})
    batches(named, 16, cache=cache)
    assert not caplog.text
    assert content(batches(words(), 16, cache=cache).epoch(0)) == content(batches(words(), 16).epoch(0))
    assert f"{cache} is damaged or not of" in caplog.text


def test_no_half_cache_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: tf.Tensor) -> None:
        assert len(list(tmp_path.iterdir())) == 1  # it has been begun
        raise OSError("disk full")

    monkeypatch.setattr(tf.io, "serialize_tensor", full)
    with pytest.raises(OSError, match="disk full"):
        batches(words(), 16, cache=tmp_path / "examples")
    assert not list(tmp_path.iterdir())


# --- Streams ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [41, 60, 61, 80])  # 41 and 61 fill their windows exactly
def test_streams_go_on_from_window_to_window(count: int) -> None:
    ids = RNG.integers(0, 1000, count)
    windows = list(streams(ids, batch_size=4, steps=5).as_numpy_iterator())
    inputs, following = (np.concatenate(parts, axis=1) for parts in zip(*windows, strict=True))
    read = inputs.size
    assert inputs.flatten().tolist() == ids[:read].tolist()  # a row is a stream, stream after stream
    assert following.flatten().tolist() == ids[1 : read + 1].tolist()
    assert 0 < count - read <= 4 * 5


def test_every_window_has_the_same_static_shape() -> None:
    dataset = streams(np.arange(100, dtype="int32"), batch_size=4, steps=5)
    assert dataset.element_spec == (tf.TensorSpec([4, 5], tf.int32),) * 2
    assert int(dataset.cardinality()) == 4


def test_too_short_a_sequence_is_refused() -> None:
    assert len(streams(np.arange(21), 4, 5)) == 1
    with pytest.raises(ValueError, match=r"more than 4 \* 5 ids, .* got 20"):
        streams(np.arange(20), 4, 5)
