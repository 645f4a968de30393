"""The short sentences with sentiment, `benchmarks/short_sentences.tsv`: form, counts, and that their halves differ."""

import unicodedata
from collections import Counter
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_benchmarks import load

from zoo.errors import UsageError

script = load("short_sentences")
SPLITS = ("choosing", "evaluation")


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, ...]]:
    text = script.TEST_SET.read_text(encoding="utf-8")
    header, *lines = text.removesuffix("\n").split("\n")
    assert header.split("\t") == list(script.Sentence._fields)
    return [script.Sentence(*line.split("\t")) for line in lines]


def test_splits_are_balanced_by_kind_and_label(rows: list[tuple[str, ...]]) -> None:
    counts = Counter(row[:3] for row in rows)
    kinds = {row.kind for row in rows}
    assert len(kinds) == 15
    assert counts == dict.fromkeys(product(SPLITS, kinds, script.LABELS), 5)


def test_sentences_are_short_and_do_not_repeat(rows: list[tuple[str, ...]]) -> None:
    for row in rows:
        assert 1 <= len(row.text.split()) <= 16, row
        assert row.text == " ".join(row.text.split()) == unicodedata.normalize("NFC", row.text), row
    words = ["".join(filter(str.isalnum, row.text.casefold())) for row in rows]
    assert len(set(words)) == len(rows) == 300


def test_splits_do_not_share_pairs(rows: list[tuple[str, ...]]) -> None:
    """Sentences of different splits have fewer words in common than the two of most pairs."""
    texts = {
        split: [set(row.text.casefold().split()) for row in rows if row.split == split] for split in SPLITS
    }
    shares = [
        len(left & right) / len(left | right)
        for left, right in product(*texts.values())
        if len(left | right) > 6
    ]
    assert max(shares) < 0.5


def test_benchmark_counts_by_kind_and_label(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = script.read_sentences("choosing")
    predictions = ["pos" if sentence.kind == "question" else sentence.label for sentence in sentences]
    predictor = SimpleNamespace(
        card={"task": "text_classification"},
        predict=lambda texts: [
            SimpleNamespace(label={"neg": "bad", "pos": "good"}[label], scores={"bad": 0.5, "good": 0.5})
            for label in predictions
        ],
    )
    monkeypatch.setattr(script, "load", lambda model: predictor)
    script.main(script.Settings(Path("model"), show_wrong=True))
    printed = capsys.readouterr().out
    assert "| question | 0 of 5 | 5 of 5 | 5 of 10 | 50.0 |" in printed
    assert "| plain | 5 of 5 | 5 of 5 | 10 of 10 | 100.0 |" in printed
    assert "| all | 70 of 75 | 75 of 75 | 145 of 150 | 96.7 |" in printed
    assert printed.count("\npos instead of neg, question: ") == 5


def test_models_of_another_kind_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = SimpleNamespace(card={"task": "translation"})
    monkeypatch.setattr(script, "load", lambda model: predictor)
    with pytest.raises(UsageError, match="model is an export of the task 'translation'"):
        script.classify(Path("model"), ["Fine."])
    predictor.card["task"] = "text_classification"
    predictor.predict = lambda texts: [SimpleNamespace(label="a", scores={"a": 0.5, "b": 0.2, "c": 0.3})]
    with pytest.raises(UsageError, match="has the labels a, b, c; expected two"):
        script.classify(Path("model"), ["Fine."])
