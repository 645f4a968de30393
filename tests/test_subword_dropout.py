"""Word pieces that are split at random keep the text, and are split as often and where they should be."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from test_word_pieces import ODD, SENTENCES

from zoo.preprocessing.text import (
    COPY_TOKENS,
    END_ID,
    PADDING_ID,
    START_ID,
    CopyingTokenizer,
    SubwordDropout,
    WordPieceTokenizer,
    pre_tokenize_marked,
    train_wordpiece,
    write_vocabulary,
)
from zoo.tasks.translation import TranslationPreprocessor


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> WordPieceTokenizer:
    vocabulary = train_wordpiece(SENTENCES * 5, vocabulary_size=400)
    return WordPieceTokenizer(
        write_vocabulary(vocabulary, tmp_path_factory.mktemp("pieces") / "v.txt"), max_tokens=300
    )


def find_parts(tokenizer: WordPieceTokenizer, piece: int) -> set[tuple[int, int]]:
    """Return all pairs of ids whose tokens, joined, are the token of a piece."""
    tokens = tokenizer.get_vocabulary()
    return {
        (first, rest)
        for first, token in enumerate(tokens)
        for rest, end in enumerate(tokens)
        if end.startswith("##") and first > END_ID and token + end[2:] == tokens[piece]
    }


@pytest.mark.parametrize("rate", [0.2, 1.0])
def test_texts_stay_as_they_are(tokenizer: WordPieceTokenizer, rate: float) -> None:
    ids = tokenizer(tf.constant(SENTENCES + ODD)).ids
    split = SubwordDropout(tokenizer, rate)(ids, [3, 4])
    assert tf.reduce_sum(tf.cast(split != PADDING_ID, tf.int32)) > tf.reduce_sum(
        tf.cast(ids != PADDING_ID, tf.int32)
    )
    np.testing.assert_array_equal(tokenizer.detokenize(split).numpy(), tokenizer.detokenize(ids).numpy())


def test_rate_zero_changes_nothing(tokenizer: WordPieceTokenizer) -> None:
    ids = tokenizer(tf.constant(SENTENCES)).ids
    np.testing.assert_array_equal(SubwordDropout(tokenizer, 0.0)(ids, [3, 4]), ids)


def test_every_way_to_split_a_piece_is_equally_frequent(tmp_path: Path) -> None:
    pieces = [
        "a",
        "b",
        "n",
        "##a",
        "##n",
        "ba",
        "ban",
        "banan",
        "banana",
        "##na",
        "##ana",
        "##nana",
        "##anana",
        "nan",
    ]
    path = write_vocabulary(["[PAD]", "[UNK]", "[START]", "[END]", *pieces], tmp_path / "v.txt")
    tokenizer, draws, num_ways = WordPieceTokenizer(path, max_tokens=9), 3000, set[int]()
    for piece in range(END_ID + 1, tokenizer.vocabulary_size):
        expected = find_parts(tokenizer, piece)
        split = SubwordDropout(tokenizer, 1.0)(tf.fill([draws, 1], piece), [5, piece]).numpy()
        counts = Counter(tuple(int(k) for k in row if k != PADDING_ID) for row in split)
        assert set(counts) == (expected or {(piece,)})
        share = 1 / len(counts)
        deviation = (draws * share * (1 - share)) ** 0.5
        assert all(abs(count - draws * share) <= 5 * deviation for count in counts.values())
        num_ways.add(len(expected))
    assert num_ways >= {0, 1, 2, 4}


def test_as_many_pieces_are_split_as_the_rate_says(tokenizer: WordPieceTokenizer) -> None:
    piece = next(k for k in range(END_ID + 1, tokenizer.vocabulary_size) if find_parts(tokenizer, k))
    split = SubwordDropout(tokenizer, 0.1)(tf.fill([100, 300], piece), [6, 7]).numpy()
    num_more = np.count_nonzero(split != PADDING_ID) - 30_000
    assert abs(num_more - 3000) < 5 * (30_000 * 0.1 * 0.9) ** 0.5


def test_special_tokens_stay_whole(tmp_path: Path) -> None:
    # Characters and pieces from which the special tokens could be joined.
    texts = [f"x{token[1:-1].lower()}x {token}" for token in ("[PAD]", "[START]", *COPY_TOKENS)] * 5
    vocabulary = train_wordpiece(texts, 400, split=pre_tokenize_marked, special_tokens=COPY_TOKENS)
    vocabulary += [f"##{token[1:]}" for token in ("[PAD]", "[UNK]", "[START]", "[END]", *COPY_TOKENS)]
    assert "[" in vocabulary
    tokenizer = CopyingTokenizer(write_vocabulary(vocabulary, tmp_path / "v.txt"), max_tokens=100)
    special = tf.range(1, END_ID + 1 + len(COPY_TOKENS))[None]
    np.testing.assert_array_equal(SubwordDropout(tokenizer, 1.0)(special, [1, 1]), special)


def test_the_seed_alone_decides(tokenizer: WordPieceTokenizer) -> None:
    ids, split = tokenizer(tf.constant(SENTENCES)).ids, SubwordDropout(tokenizer, 0.3)
    first, again, other = (split(ids, seed).numpy() for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


def test_a_batch_without_pieces_has_one_step(tokenizer: WordPieceTokenizer) -> None:
    assert SubwordDropout(tokenizer, 1.0)(tf.zeros([3, 2], tf.int32), [1, 2]).shape == (3, 1)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rates_that_are_no_probability_are_refused(tokenizer: WordPieceTokenizer, rate: float) -> None:
    with pytest.raises(ValueError, match="`rate` must be a probability"):
        SubwordDropout(tokenizer, rate)


def test_training_pairs_are_split_and_validation_pairs_are_not(tmp_path: Path) -> None:
    texts = [(sentence, " ".join(reversed(sentence.split()))) for sentence in SENTENCES]
    pairs = tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*texts, strict=True))))
    preprocessor = TranslationPreprocessor.adapt(pairs.repeat(5), 400, 300, ("en", "de"), tmp_path)

    def read(
        seed: int | None, subword_dropout: float, epoch: int = 0
    ) -> tuple[set[tuple[bytes, bytes]], int]:
        """Return the texts of an epoch, and the number of its target tokens."""
        read, num_tokens = set[tuple[bytes, bytes]](), 0
        for (source, target), labels, weights in preprocessor.bucket(pairs, 4, seed, subword_dropout)(epoch):
            assert np.all(target[:, 0] == START_ID)
            np.testing.assert_array_equal(target[:, 1:], labels[:, :-1])
            texts = preprocessor.source.detokenize(source), preprocessor.target.detokenize(labels)
            read |= set(zip(*(t.numpy().tolist() for t in texts), strict=True))
            num_tokens += int(tf.reduce_sum(weights))
        return read, num_tokens

    plain, num_tokens = read(1, 0.0)
    for epoch in range(2):
        split, num_parts = read(1, 0.5, epoch)
        assert split == plain
        assert num_parts > num_tokens
    assert read(None, 0.5)[1] == read(None, 0.0)[1]
