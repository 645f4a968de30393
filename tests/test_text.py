"""Raw strings to words and ids."""

from pathlib import Path

import pytest
import tensorflow as tf

import zoo
from zoo.preprocessing.text import PADDING, UNKNOWN


def words(text: str | bytes) -> list[str]:
    return [word.decode() for word in zoo.preprocessing.text.split_words(tf.constant([text]))[0].numpy()]


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        (b"great\0 awful", "great awful"),  # read whole, not as far as NUL
        (b"a \xff\xfe fine\x80 film", "a fine film"),  # not UTF-8
        (b"\xf0\x9f\x98 cut off", "cut off"),
        ("one<br /><br/>two<BR>three", "one two three"),
        ("GREAT Été ÎLE ΣΟΦΟΣ", "great été île σοφος"),
        ("don\u2019t don\u2018t don`t", "don't don't don't"),
        ("tab\there\nline\r\nend\u0085next", "tab here line end next"),
        ("no\u00a0break zero\u200bwidth", "no break zero width"),
        ("", ""),
        (" \t\n ", ""),
    ],
)
def test_odd_text_is_read_as_its_clean_twin(odd: str | bytes, plain: str) -> None:
    assert words(odd) == plain.split()


def test_marks_and_emoji_are_words_of_their_own() -> None:
    assert words("Wow!!! 7/10 \U0001f600\U0001f44d.") == [
        *("wow", "!", "!", "!", "7", "/", "10", "\U0001f600", "\U0001f44d", "."),
    ]


def test_apostrophes_belong_to_a_word_only_inside_it() -> None:
    assert words("'rock 'n' roll' isn't l'été ''x''") == [
        *("'", "rock", "'", "n", "'", "roll", "'", "isn't", "l'été", "''", "x", "''"),
    ]


def test_vocabulary_holds_the_most_frequent_words_in_a_stable_order() -> None:
    texts = tf.data.Dataset.from_tensor_slices(["b a b", "c a B", "a, d"])
    assert zoo.preprocessing.text.learn_vocabulary(texts, 6) == ["a", "b", ",", "c"]
    assert zoo.preprocessing.text.learn_vocabulary(texts, 100) == ["a", "b", ",", "c", "d"]


@pytest.fixture
def encoder(tmp_path: Path) -> zoo.preprocessing.text.WordTokenizer:
    return zoo.preprocessing.text.WordTokenizer(
        zoo.preprocessing.text.write_vocabulary(["great", "awful", "été"], tmp_path / "v.txt"), 5
    )


def test_ids(encoder: zoo.preprocessing.text.WordTokenizer) -> None:
    found = encoder(tf.constant(["Great, great!", "", "awful Été", "nothing known"]))
    assert found.ids.numpy().tolist() == [
        [2, UNKNOWN, 2, UNKNOWN],
        [PADDING] * 4,
        [3, 4, PADDING, PADDING],
        [UNKNOWN, UNKNOWN, PADDING, PADDING],
    ]
    assert found.ids.dtype == tf.int32
    assert [status.decode() for status in found.status.numpy()] == [
        *("", "no words in the text", "", "none of the words is known"),
    ]
    assert encoder.size == 5


def test_long_text_is_cut_to_its_ends_and_says_so(encoder: zoo.preprocessing.text.WordTokenizer) -> None:
    found = encoder(tf.constant(["great a b c d e f awful été", "great a b c awful"]))
    assert [word.decode() for word in found.words[0].numpy()] == ["great", "a", "b", "awful", "été"]
    assert found.ids.numpy()[0].tolist() == [2, 1, 1, 3, 4]
    assert [status.decode() for status in found.status.numpy()] == [
        "cut: of 9 words the first 3 and the last 2 were read",
        "",
    ]


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_there_is_always_a_time_step(encoder: zoo.preprocessing.text.WordTokenizer, texts: list[str]) -> None:
    assert encoder(tf.constant(texts, tf.string)).ids.shape == (len(texts), 1)


def test_a_row_of_a_batch_is_encoded_as_it_is_alone(encoder: zoo.preprocessing.text.WordTokenizer) -> None:
    texts = ["great", "", "a b c d e f g great", "awful\0été", "zz"]
    batch = encoder(tf.constant(texts))
    for row, text in enumerate(texts):
        alone = encoder(tf.constant([text]))
        width = alone.ids.shape[1]
        assert batch.ids[row, :width].numpy().tolist() == alone.ids[0].numpy().tolist()
        assert not batch.ids[row, width:].numpy().any()
        assert batch.status[row] == alone.status[0]
