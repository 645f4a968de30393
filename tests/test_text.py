"""Raw texts to words and ids."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from zoo.errors import UsageError
from zoo.preprocessing.text import (
    PADDING_ID,
    UNKNOWN_ID,
    Tokenizer,
    WordPieceTokenizer,
    WordTokenizer,
    build_vocabulary,
    split_words,
    write_vocabulary,
)
from zoo.tasks.base import describe_truncation


def split(text: str | bytes) -> list[str]:
    return [word.decode() for word in split_words(tf.constant([text]))[0].numpy()]


@pytest.mark.parametrize(
    ("text", "clean_text"),
    [
        (b"great\0 awful", "great awful"),  # not truncated at NUL
        (b"a \xff\xfe fine\x80 film", "a fine film"),  # not UTF-8
        (b"\xf0\x9f\x98 cut off", "cut off"),
        ("one<br /><br/>two<BR>three", "one two three"),
        ("GREAT Été ÎLE ΣΟΦΟΣ", "great été île σοφος"),
        ("don\u2019t don\u2018t don`t", "don't don't don't"),
        ("tab\there\nline\r\nend\u0085next", "tab here line end next"),
        ("no\u00a0break zero\u200bwidth", "no break zerowidth"),
        ("", ""),
        (" \t\n ", ""),
    ],
)
def test_split_words_cleans_text(text: str | bytes, clean_text: str) -> None:
    assert split(text) == clean_text.split()


def test_split_words_separates_marks_and_emoji() -> None:
    assert split("Wow!!! 7/10 \U0001f600\U0001f44d.") == [
        *("wow", "!", "!", "!", "7", "/", "10", "\U0001f600", "\U0001f44d", "."),
    ]


def test_split_words_keeps_apostrophes_inside_words_only() -> None:
    assert split("'rock 'n' roll' isn't l'été ''x''") == [
        *("'", "rock", "'", "n", "'", "roll", "'", "isn't", "l'été", "'", "'", "x", "'", "'"),
    ]


def test_a_tokenizer_of_version_1_splits_as_it_was_exported(tmp_path: Path) -> None:
    texts, splits = ["面包 cafe\u0301"], []
    for cls in (WordTokenizer, WordPieceTokenizer):
        path = write_vocabulary(["[PAD]", "[UNK]", "[START]", "[END]", "面包"], tmp_path / "tokens.txt")
        for version in (1, 2):
            config = cls(path, 5).get_config() | {"version": version}
            tokenizer = cls.from_config(config, tmp_path)
            assert tokenizer.get_config() == config
            splits.append([word.decode() for word in tokenizer(tf.constant(texts)).tokens[0].numpy()])
    assert splits == [
        *(["面包", "cafe\u0301"], ["面", "包", "café"]),
        *(["▁面包", "▁cafe\u0301"], ["▁", "面", "包", "▁café"]),
    ]


def test_build_vocabulary_ranks_by_frequency_then_alphabet() -> None:
    texts = tf.data.Dataset.from_tensor_slices(["b a b", "c a B", "a, d"])
    assert build_vocabulary(texts, 6) == ["a", "b", ",", "c"]
    assert build_vocabulary(texts, 100) == ["a", "b", ",", "c", "d"]


def test_build_vocabulary_leaves_out_names() -> None:
    texts = [
        "Anna and I saw it. It's by Élodie McCoy, I'm sure",
        "Saw it with anna; Anna's well",
        "Good. Good, 3 字",
    ]
    dataset = tf.data.Dataset.from_tensor_slices([*texts, *["Anna"] * 12, *["Sure"] * 9])
    vocabulary = build_vocabulary(dataset, 100, names=False)
    kept = "and i saw it . by , i'm sure ; with well 3 字"
    assert sorted(vocabulary) == sorted(kept.split())
    assert set(build_vocabulary(dataset, 100)) - set(vocabulary) == {
        *("anna", "anna's", "élodie", "mccoy", "it's", "good")
    }


@pytest.fixture
def tokenizer(tmp_path: Path) -> WordTokenizer:
    return WordTokenizer(write_vocabulary(["great", "awful", "été"], tmp_path / "words.txt"), max_tokens=5)


def test_the_card_states_what_is_read_of_a_long_text(tokenizer: WordTokenizer) -> None:
    assert (
        describe_truncation(tokenizer)
        == "A text of more than 5 words is cut: the first 3 and the last 2 are read."
    )
    assert b"the first 3 and the last 2 were read" in tokenizer(tf.constant(["great " * 6])).status.numpy()[0]


def test_ids_and_status(tokenizer: WordTokenizer) -> None:
    tokenized = tokenizer(tf.constant(["Great, great!", "", "awful Été", "nothing known"]))
    assert tokenized.ids.numpy().tolist() == [
        [2, UNKNOWN_ID, 2, UNKNOWN_ID],
        [PADDING_ID] * 4,
        [3, 4, PADDING_ID, PADDING_ID],
        [UNKNOWN_ID, UNKNOWN_ID, PADDING_ID, PADDING_ID],
    ]
    assert tokenized.ids.dtype == tf.int32
    assert [status.decode() for status in tokenized.status.numpy()] == [
        *("", "no words in the text", "", "none of the words is known"),
    ]


def test_vocabulary_in_order_of_ids(tokenizer: WordTokenizer) -> None:
    assert tokenizer.vocabulary_size == 5
    assert tokenizer.get_vocabulary() == ["great", "awful", "été"]


def test_words_to_ids_does_not_truncate(tokenizer: WordTokenizer) -> None:
    words = tf.ragged.constant([["great"] * 7, [], ["été", "zz"]])
    ids = tokenizer.words_to_ids(words)
    assert ids.dtype == tf.int32
    assert ids.to_list() == [[2] * 7, [], [4, UNKNOWN_ID]]


def test_long_text_is_truncated_in_the_middle(tokenizer: WordTokenizer) -> None:
    tokenized = tokenizer(tf.constant(["great a b c d e f awful été", "great a b c awful"]))
    assert [word.decode() for word in tokenized.tokens[0].numpy()] == ["great", "a", "b", "awful", "été"]
    assert tokenized.ids.numpy()[0].tolist() == [2, 1, 1, 3, 4]
    assert [status.decode() for status in tokenized.status.numpy()] == [
        "cut: of 9 words the first 3 and the last 2 were read",
        "",
    ]


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_ids_have_at_least_one_time_step(tokenizer: WordTokenizer, texts: list[str]) -> None:
    assert tokenizer(tf.constant(texts, tf.string)).ids.shape == (len(texts), 1)


def test_rows_of_a_batch_equal_rows_alone(tokenizer: WordTokenizer) -> None:
    texts = ["great", "", "a b c d e f g great", "awful\0été", "zz"]
    batch = tokenizer(tf.constant(texts))
    for row, text in enumerate(texts):
        alone = tokenizer(tf.constant([text]))
        width = alone.ids.shape[1]
        assert batch.ids[row, :width].numpy().tolist() == alone.ids[0].numpy().tolist()
        assert not batch.ids[row, width:].numpy().any()
        assert batch.status[row] == alone.status[0]


@pytest.mark.parametrize("cls", [WordTokenizer, WordPieceTokenizer])
def test_tokenizer_is_rebuilt_from_the_assets_of_an_export(cls: type[Tokenizer], tmp_path: Path) -> None:
    vocabulary = ["[PAD]", "[UNK]", "[START]", "[END]", "\u2581a", "b", "\u2581b", "c"]
    path = write_vocabulary(vocabulary, tmp_path / "source.txt")
    module = tf.Module()
    module.tokenizer = cls(path, max_tokens=3)
    module.ids = tf.function(
        lambda texts: module.tokenizer(texts).ids, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path / "export"))
    config = json.loads(json.dumps(module.tokenizer.get_config()))
    path.unlink()
    assert config == {"version": 2, "vocabulary_file": "source.txt", "max_tokens": 3}
    rebuilt = cls.from_config(config, tmp_path / "export" / "assets")
    assert rebuilt.get_config() == config
    assert rebuilt.vocabulary_size == module.tokenizer.vocabulary_size
    texts = tf.constant(["a b c", "x b b b b a", ""])
    for expected, result in zip(module.tokenizer(texts), rebuilt(texts), strict=True):
        tf.debugging.assert_equal(expected, result)


def test_a_damaged_vocabulary_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_vocabulary(["good", "bad"], tmp_path / "vocabulary.txt")
    write_vocabulary(["good", "bad"], path)
    assert caplog.messages == []
    path.write_text("good\nbda\n")
    write_vocabulary(["good", "bad"], path)
    assert caplog.messages == [
        f"{path} is corrupt, or of another version of the preprocessing; rebuilding it"
    ]
    assert path.read_bytes() == b"good\nbad\n"


def test_a_vocabulary_that_has_changed_is_not_exported(tmp_path: Path) -> None:
    tokenizer = WordTokenizer(write_vocabulary(["good", "film"], tmp_path / "words.txt"), 5)
    write_vocabulary(["good", "film"], tmp_path / "words.txt")  # the same again, as after a resume
    assert tokenizer.get_config()["vocabulary_file"] == "words.txt"
    write_vocabulary(["film", "good"], tmp_path / "words.txt")
    assert tokenizer(tf.constant(["good film"])).ids.numpy().tolist() == [[2, 3]]
    with pytest.raises(UsageError, match=r"words\.txt has changed since it was read"):
        tokenizer.get_config()
    assert [path.name for path in tmp_path.iterdir()] == ["words.txt"]
    (tmp_path / "words.txt").unlink()
    with pytest.raises(UsageError, match=r"words\.txt has changed since it was read"):
        tokenizer.get_config()


def test_config_of_another_version_is_refused(tokenizer: WordTokenizer) -> None:
    config = tokenizer.get_config() | {"version": 3}
    with pytest.raises(UsageError, match="has version 3 of the preprocessing, expected at most 2"):
        WordTokenizer.from_config(config, tokenizer.vocabulary_path.parent)
