"""Pretrained word vectors: the formats of GloVe and word2vec, what is broken in a file, and an embedding of them."""

import gzip
import logging
import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from exports import run_with_mistake

from zoo.errors import DataError, UsageError
from zoo.preprocessing.text import WordTokenizer, read_vector_width, read_word_vectors, write_vocabulary
from zoo.tasks.text_classification import TextClassificationPreprocessor

VECTORS = {"good": [0.5, -1.0, 2.0], "film": [0.25, 0.0, -3.0], "Paris": [1.0, 1.0, 1.0]}
WORDS = ["film", "paris", "unseen", "good"]
VALUES = [[0.25, 0, -3], [1, 1, 1], [0, 0, 0], [0.5, -1, 2]]


def as_glove() -> bytes:
    return "".join(f"{word} {' '.join(map(str, vector))}\n" for word, vector in VECTORS.items()).encode()


def as_word2vec() -> bytes:  # its own program writes a space at the end of each line
    return b"3 3\n" + as_glove().replace(b"\n", b" \n")


def as_binary() -> bytes:
    entries = (word.encode() + b" " + struct.pack("<3f", *vector) for word, vector in VECTORS.items())
    return b"3 3\n" + b"\n".join(entries) + b"\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", as_glove()),
        ("glove.txt.gz", gzip.compress(as_glove(), mtime=0)),
        ("windows.txt", as_glove().replace(b"\n", b"\r\n")),
        ("without_end.txt", as_glove().rstrip()),
        ("wiki.vec", as_word2vec()),
        ("word2vec.bin", as_binary()),
        ("WORD2VEC.BIN", as_binary()),
        ("word2vec.bin.gz", gzip.compress(as_binary(), mtime=0)),
    ],
)
def test_every_format_has_the_same_vectors(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    values, is_found = read_word_vectors(path, WORDS)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, VALUES)
    assert is_found.tolist() == [True, True, False, True]
    assert read_vector_width(path) == 3


def test_words_are_matched_exactly_first_and_lines_end_at_newlines_alone(tmp_path: Path) -> None:
    """A file may have a word in several spellings, with a line separator of Unicode, or of several parts."""
    path = tmp_path / "vectors.txt"
    lines = ["The 9 9", "the 1 2", "THE 8 8", "a\u0085b 3 4", "Bar 5 6", "BAR 7 7", ". . . 0 0", "\u00a0 1 1"]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    values, is_found = read_word_vectors(path, ["the", "a\u0085b", "bar", ".", "\u00a0"])
    assert values[:3].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert is_found.tolist() == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            b"good 1 2\nfilm 1\n",
            r"a\.txt, line 2: expected a word and 2 numbers, .*, found 1 numbers",
        ),
        ("a.txt", b"good 1 2\nodd 1 2 3\n", r"line 2: expected a word and 2 numbers, .*, found 3 numbers"),
        ("a.txt", b"good 1 2\n\nfilm 1 2\n", r"line 2: expected a word and 2 numbers, .*, found 0 numbers"),
        ("a.txt", b"good 1 2\nfilm 1 x2\n", r"line 2: expected numbers after the word, got 'x2'"),
        ("a.txt", b"good 1 nan\n", r"line 1: the vector has NaN or infinity"),
        ("a.txt", b"good 1 1e60\n", r"line 1: the vector has NaN or infinity"),
        ("a.txt", b"", r"line 1: expected a word and the numbers of its vector, got b''"),
        ("a.vec", b"3 2\ngood 1 2\nfilm 1 2 3\n", r"line 3: expected a word and 2 numbers"),
        ("a.vec", b"3 2\ngood 1 2\nfilm 1 2\n", r"its first line states 3 words, and 2 follow"),
        ("a.txt", b"gut 1 2\nschlecht 1 2\n", r"a vector of none of the 2 words of the vocabulary"),
        ("a.txt.gz", gzip.compress(as_glove(), mtime=0)[:-20], r"a\.txt\.gz cannot be read"),
        ("a.txt.gz", as_glove(), r"a\.txt\.gz cannot be read: Not a gzipped file"),
        ("a.bin", as_binary()[:-8], r"a\.bin, word 3 of 3: expected a word and 3 numbers"),
        ("a.bin", as_glove(), r"a\.bin does not begin with the number of words"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_word_vectors(path, ["good", "film"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.txt cannot be read: No such file"):
        read_vector_width(tmp_path / "no.txt")


@pytest.fixture
def preprocessor(tmp_path: Path) -> TextClassificationPreprocessor:
    path = write_vocabulary(["film", "unseen", "good", "paris"], tmp_path / "vocabulary.txt")
    return TextClassificationPreprocessor(WordTokenizer(path, max_tokens=3))


@pytest.fixture
def train() -> tf.data.Dataset:
    texts = ["Good film, good film, good film", "unseen"]  # ten words: commas, and one word without a vector
    return tf.data.Dataset.from_tensor_slices((texts, [1, 0]))


def test_an_embedding_has_the_vectors_and_the_coverage_is_logged(
    preprocessor: TextClassificationPreprocessor,
    train: tf.data.Dataset,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "glove.txt"
    path.write_bytes(as_glove())
    with caplog.at_level(logging.INFO):
        vectors = preprocessor.load_vectors(path, train, embedding_dim=3, seed=1)
    ids = preprocessor.tokenizer(tf.constant(["film good Paris", "qwxz unseen"])).ids.numpy()
    np.testing.assert_array_equal(vectors[ids[0]], [VECTORS["film"], VECTORS["good"], VECTORS["Paris"]])
    assert vectors.shape == (6, 3)
    assert not vectors[0].any()
    np.testing.assert_allclose(vectors[ids[1, 0]], np.mean(list(VECTORS.values()), 0), rtol=1e-6)
    np.testing.assert_array_equal(vectors, preprocessor.load_vectors(path, train, 3, seed=1))
    other = preprocessor.load_vectors(path, train, 3, seed=2)
    assert [row for row in range(6) if (other[row] != vectors[row]).any()] == [ids[1, 1]]
    # Three of the four words of the vocabulary; six of the nine words of the texts.
    assert "vectors of 3 numbers for 75.0 % of the vocabulary and 66.7 % of the words" in caplog.text


def test_a_wider_embedding_has_further_features_and_a_narrower_one_is_refused(
    preprocessor: TextClassificationPreprocessor, train: tf.data.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "glove.txt"
    path.write_bytes(as_glove())
    vectors = preprocessor.load_vectors(path, train, embedding_dim=40, seed=1)
    assert vectors.shape == (6, 40)
    np.testing.assert_array_equal(vectors[:, :3], preprocessor.load_vectors(path, train, 3, seed=1))
    assert 0.04 < np.abs(vectors[:, 3:]).max() < 0.05
    assert len(np.unique(vectors[:, 3:])) == 6 * 37
    with pytest.raises(UsageError, match=r"--embedding-dim is 2, but the vectors of .* have 3 numbers"):
        preprocessor.load_vectors(path, train, embedding_dim=2, seed=1)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (as_glove(), "--embedding-dim 2", "--embedding-dim is 2, but"),
        (b"good 1 2\nfilm 1\n", "", "line 2: expected a word and 2 numbers"),
        (as_glove(), "--freeze encoder", "--freeze encoder keeps weights as they are"),
    ],
)
def test_the_command_line_names_the_mistake(
    content: bytes,
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "glove.txt").write_bytes(content)
    texts = "".join(f"good film {number}\tpos\nbad film {number}\tneg\n" for number in range(60))
    (tmp_path / "texts.tsv").write_text("text\tlabel\n" + texts)
    options = {"--dataset": "texts.tsv", "--vectors": "glove.txt", "--run-dir": "run"}
    paths = [word for option, name in options.items() for word in (option, str(tmp_path / name))]
    assert message in run_with_mistake("sentiment", [*paths, *arguments.split()], monkeypatch, capsys)
