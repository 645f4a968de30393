"""The test set of copied items, `benchmarks/survival.tsv`: its form, its counts, and that its halves share nothing."""

import re
import unicodedata
from collections import Counter
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from test_benchmarks import load

PATH = Path(__file__).parents[1] / "benchmarks" / "survival.tsv"
COUNTS = {"url": 44, "email": 42, "number": 42, "placeholder": 44, "tag": 42, "emoji": 42, "name": 206}
LOOKS = {
    "url": r"(?:https?|ftp|wss)://\S+[\w/]|www\.\S+\w",
    "email": r"[\w.+-]+@[\w.-]+\.[a-z]+",
    "number": r"\d+(?:[:-]\d+)?",
    "placeholder": r"\{\w+\}|\{\{[\w.]+\}\}|\$\{\w+\}|%(?:\d\$)?[sd]|%\(\w+\)s",
    "tag": r"</?\w+(?: [\w-]+=\"[^\"]*\")*/?>",
    "emoji": r"[^\w\s]+|\d\ufe0f\u20e3",
    "name": r"[^\W\d_][\w -]*\w",
}


class Row(NamedTuple):
    split: str
    kind: str
    item: str
    source: str
    reference: str


def count_occurrences(item: str, sentence: str) -> int:
    """Occurrences of an item that is not a part of a longer word."""
    before, after = r"(?<!\w)" if item[0].isalnum() else "", r"(?!\w)" if item[-1].isalnum() else ""
    return len(re.findall(before + re.escape(item) + after, sentence))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    header, *lines = PATH.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert header.split("\t") == list(Row._fields)
    return [Row(*line.split("\t")) for line in lines]


def test_every_kind_is_halved_between_the_splits(rows: list[Row]) -> None:
    assert Counter(row.kind for row in rows) == COUNTS
    halves = {
        (split, kind): count // 2 for split in ("choosing", "evaluation") for kind, count in COUNTS.items()
    }
    assert Counter((row.split, row.kind) for row in rows) == halves


def test_items_stand_once_in_the_sentence_and_in_its_reference(rows: list[Row]) -> None:
    for row in rows:
        assert re.fullmatch(LOOKS[row.kind], row.item), row
        for sentence in (row.source, row.reference):
            assert count_occurrences(row.item, sentence) == 1, row
            assert 4 <= len(sentence.split()) <= 20, row
            assert sentence == " ".join(sentence.split()) == unicodedata.normalize("NFC", sentence), row


def test_items_and_sentences_do_not_repeat(rows: list[Row]) -> None:
    assert len({row.item.casefold() for row in rows}) == len(rows)
    references = {row.source: row.reference for row in rows}
    assert len(set(references.values())) == len(references)
    assert all(references[row.source] == row.reference for row in rows)


def test_splits_share_no_sentence_and_no_item(rows: list[Row]) -> None:
    for row, other in product(rows, rows):
        if row.split != other.split:
            assert row.source != other.source
            assert count_occurrences(row.item, other.source) == 0, (row, other)
            assert count_occurrences(row.item, other.reference) == 0, (row, other)


def test_sentences_are_not_filled_templates(rows: list[Row]) -> None:
    frames = {row.source: row.source for row in rows}
    for row in rows:
        frames[row.source] = frames[row.source].replace(row.item, "*")
    assert len(set(frames.values())) == len(frames) > 390


def test_benchmark_counts_items_that_stand_unchanged(rows: list[Row]) -> None:
    script = load("survival")
    items = script.read_items("choosing")
    assert len(items) == sum(COUNTS.values()) // 2
    references = {item.source: item.reference for item in items}
    table = script.format_table(items, references)
    assert "| all but names | 128 | 128 | 100.0 | 100.0 |" in table
    without_names = {
        source: "".join(part for part in text if not part.isalpha()) for source, text in references.items()
    }
    assert "| name | 103 | 0 | 0.0 |" in script.format_table(items, without_names)
    item = script.Item("choosing", "name", "Tom", "Tom and Tom", "Tom und Tom")
    assert [script.has_survived(item, text) for text in ("Tom, Tom", "Tom", "Toms Tom", "Tom Tom Tom")] == [
        *(True, False, False, False),
    ]
    item = script.Item("choosing", "url", "https://x.org/a", "See https://x.org/a.", "Siehe https://x.org/a.")
    texts = ("https://x.org/a!", "https://x.org/aund", "ahttps://x.org/a", "https://x.org/a/b")
    assert [script.has_survived(item, text) for text in texts] == [True, False, False, False]
    item = script.Item("choosing", "number", "3", "3 dogs", "3 Hunde")
    assert [script.has_survived(item, text) for text in ("hat. 3", "hat.3", "3,5", "3und")] == [
        *(True,) * 2,
        *(False,) * 2,
    ]
