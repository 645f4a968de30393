"""Normalization, grapheme clusters and words of all of Unicode, inside the graph."""

import unicodedata

import pytest
import regex
import tensorflow as tf
import text_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.preprocessing.text import normalize_texts, pre_tokenize, split_plain_words, split_words
from zoo.preprocessing.text.normalization import compose, decompose
from zoo.preprocessing.text.unicode import find_cluster_starts, load_tables, look_up_characters

CHANGED = "\u20e3\U00011a3a"  # properties that `regex` has from a later version of Unicode
NEW_LETTERS = "\u2c2f\ua7c0\ua7d0\ua7d6\ua7d8" + "".join(map(chr, range(0x10570, 0x10596)))  # capitals
ASSIGNED = [
    *(chr(code) for code in range(0x20, 0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")),
]
SAMPLE = [c for i, c in enumerate(ASSIGNED) if i % 50 == 0 or unicodedata.category(c) not in ("Lo", "Co")]
TRICKY = (
    "aB1'\u2019.-_ \t\0<br />\u2581\u00ad\u200b\u200c\u200d\u200e\ufe0f\u20e3\u0301\u0308\u0338=\u093c\u094d\u0915"
    "\u0924\u4e2d\u30fc\u306e\u0e01\u0e33\u2764\U0001f469\U0001f44d\U0001f3fd\U0001f1e9\U0001f1ea\uac00\u1100"
    "\u1161\u11a8\u0600"
)
characters = st.one_of(
    st.sampled_from(TRICKY),
    st.sampled_from([chr(code) for code in (*load_tables()["decomposable"], *load_tables()["pairs"].flat)]),
    st.characters(exclude_categories=("Cs", "Cn"), exclude_characters=CHANGED + NEW_LETTERS),
)
texts = st.lists(st.text(characters, max_size=20), max_size=30)
few = settings(derandomize=True, max_examples=60, deadline=None)


def decode(strings: tf.Tensor) -> list[str]:
    return [string.decode() for string in strings.numpy()]


def split(function: object, rows: list[str]) -> list[list[str]]:
    return [[word.decode() for word in row] for row in function(tf.constant(rows, tf.string)).to_list()]


def compose_texts(rows: list[str]) -> list[str]:
    decoded = tf.strings.unicode_decode([reference.replace_controls(row) for row in rows] or [""], "UTF-8")
    values, row_ids = compose(*decompose(decoded.flat_values, decoded.value_rowids()))
    ragged = tf.RaggedTensor.from_value_rowids(values, row_ids, decoded.nrows())
    return decode(tf.strings.unicode_encode(ragged, "UTF-8"))[: len(rows)]


def test_every_character_is_composed_as_by_python() -> None:
    for context in ("{}", "a{}", "\u1100{}", "{}\u0301", "\u0327{}\u0316"):
        rows = [context.format(c) for c in ASSIGNED]
        assert compose_texts(rows) == [unicodedata.normalize("NFC", row) for row in rows]


@few
@given(texts)
def test_random_texts_are_composed_as_by_python(rows: list[str]) -> None:
    expected = [unicodedata.normalize("NFC", reference.replace_controls(row)) for row in rows]
    assert compose_texts(rows) == expected


@pytest.mark.parametrize("context", ["{}", "a{}b", "\u4e2d{}\u0e01", "\u0915\u094d{}\u0924"])
def test_characters_are_split_as_by_python(context: str) -> None:
    rows = [context.format(c) for c in SAMPLE if c not in CHANGED]
    assert split(pre_tokenize, rows) == [reference.pre_tokenize(row) for row in rows]
    rows = [row for row in rows if not set(NEW_LETTERS) & set(row)]
    assert split(split_words, rows) == [reference.split_words(row) for row in rows]


@few
@given(texts)
def test_random_texts_are_split_as_by_python(rows: list[str]) -> None:
    assert decode(normalize_texts(tf.constant(rows, tf.string))) == [reference.normalize(row) for row in rows]
    assert split(pre_tokenize, rows) == [reference.pre_tokenize(row) for row in rows]
    assert split(split_words, rows) == [reference.split_words(row) for row in rows]


@few
@given(texts)
def test_normalizing_twice_changes_nothing(rows: list[str]) -> None:
    once = normalize_texts(tf.constant(rows, tf.string))
    assert decode(normalize_texts(once)) == decode(once)
    composed = [unicodedata.normalize("NFD", row) for row in rows]
    assert decode(normalize_texts(tf.constant(composed, tf.string))) == decode(once)


@few
@given(texts)
def test_joined_pre_tokens_are_the_text(rows: list[str]) -> None:
    normalized = decode(normalize_texts(tf.constant(rows, tf.string)))
    joined = ["".join(words).replace("\u2581", " ").strip(" ") for words in split(pre_tokenize, rows)]
    spaced = ["".join(" " if reference.is_space(c) else c for c in text) for text in normalized]
    assert joined == [" ".join(part for part in text.split(" ") if part) for text in spaced]


@few
@given(texts)
def test_a_text_alone_is_split_as_in_a_batch(rows: list[str]) -> None:
    for function in (pre_tokenize, split_words, split_plain_words):
        assert split(function, rows) == [split(function, [row])[0] for row in rows]


@few
@given(texts)
def test_splitting_words_again_changes_nothing(rows: list[str]) -> None:
    for function in (split_words, split_plain_words):
        words = split(function, rows)
        assert split(function, [" ".join(row) for row in words]) == words


def test_pairs_of_all_kinds_of_characters_have_the_clusters_of_regex() -> None:
    kinds = " \x01\u034f\U0001f1e6\u0600\u0a03\u1100\u1160\u11a8\uac00\uac01\u0900\u0903\u0904\u0d4e\u0915\u231a\u0300"
    kinds += "\u093c\u094d\u200d\u0378\n"
    rows = [a + between + b for a in kinds for between in ("", "\u0308") for b in kinds]
    rows = [row for row in rows if not regex.search("\u094d.*\u0915", row)]  # rule 9c, below
    text = tf.strings.unicode_decode(rows, "UTF-8")
    characters = look_up_characters(text.flat_values, text.value_rowids())
    starts = text.with_flat_values(find_cluster_starts(characters)).to_list()
    assert starts == [
        [i == 0 for cluster in regex.findall(r"\X", row) for i in range(len(cluster))] for row in rows
    ]


@pytest.mark.parametrize(
    "clusters",
    [
        "a|b\u0308|c\u0903|\u0600d",
        "\U0001f1e9\U0001f1ea|\U0001f1eb\U0001f1f7|\U0001f1ee",
        "a|\U0001f1e9\U0001f1ea|b|\U0001f1eb",
        "\U0001f476\U0001f3ff\u0308\u200d\U0001f476\U0001f3ff|\U0001f476",
        "a\u200d|\U0001f6d1|\U0001f6d1\u200d\U0001f6d1",
        "\u0915|\u0924\u094d\u0924|a\u094d|\u0924",
        "\u0915\u093c\u200d\u094d\u0924\u094d\u092f|?\u094d|\u0924",
        "\u1100\u1161\u11a8|\u1100\uac00\u11a8\u11a8|\uac01\u11a8|\uac01|\u1161",
        "1\ufe0f\u20e3|2\ufe0f\u20e3|\u2764\ufe0f|\U0001f3f4\U000e0067\U000e007f",
    ],
)
def test_grapheme_clusters(clusters: str) -> None:
    parts = clusters.split("|")
    text = tf.strings.unicode_decode(["x" + "".join(parts), "".join(parts)], "UTF-8")
    characters = look_up_characters(text.flat_values, text.value_rowids())
    starts = find_cluster_starts(characters).numpy().tolist()
    expected = [i == 0 for part in parts for i in range(len(part))]
    assert starts == [True, *expected, *expected]
