"""Metrics of captions, by hand and against the output of pycocoevalcap."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from zoo.metrics import (
    bleu,
    chrf,
    exact_match,
    explain_zero_cider,
    normalize_caption_lists,
    normalize_captions,
    score_captions,
    score_translations,
    sentence_chrf,
)
from zoo.metrics.text import CiderScorer, split_captions
from zoo.reports import report_generation


def test_perfect_captions_have_the_highest_scores() -> None:
    captions = ["a red dog runs on grass", "two men play a game", "a blue car is on the road"]
    scores = score_captions([text.title() + " ." for text in captions], [[text, "x y"] for text in captions])
    for name in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"):
        assert scores[name] == pytest.approx(100)
    # CIDEr averages over references, of which one is matched in full and one not at all.
    assert scores["CIDEr"] == pytest.approx(1000 / 2)


def test_bleu_by_hand() -> None:
    """Counts are clipped by the reference that has most of a word; the closest reference length is 5."""
    scores = score_captions(["the the the cat"], [["the cat sat on it", "the the mat was a red one"]])
    brevity_penalty = math.exp(1 - 5 / 4)
    assert scores["BLEU-1"] == pytest.approx(100 * brevity_penalty * 3 / 4)
    assert scores["BLEU-2"] == pytest.approx(100 * brevity_penalty * math.sqrt(3 / 4 * 2 / 3))
    assert scores["BLEU-3"] == scores["BLEU-4"] == 0


def test_rouge_by_hand() -> None:
    """The longest common subsequence with the first reference is "a c d", with the second empty."""
    scores = score_captions(["a b c d"], [["a c x y z d", "q"]])
    precision, recall, beta_squared = 3 / 4, 3 / 6, 1.2**2
    expected = (1 + beta_squared) * precision * recall / (recall + beta_squared * precision)
    assert scores["ROUGE-L"] == pytest.approx(100 * expected)


def test_cider_by_hand() -> None:
    """Two images and one-word references: the IDF is log 2, and 0 for a word that both images have."""
    scores = score_captions(["dog", "cat cat"], [["dog"], ["cat"]])
    # One order of four; cosines 1 and min(2, 1) * 1 / (2 * 1); one word too many costs exp(-1 / 72).
    assert scores["CIDEr"] == pytest.approx(1000 * np.mean([1 / 4, math.exp(-1 / 72) / 2 / 4]))


@pytest.mark.parametrize(
    ("references", "num_zero"),
    [
        ([["a dog runs", "the dog"]], 1),
        ([["the dog"], ["the dog"]], 2),
        ([["the dog"], ["the dog runs"], ["a cat", "the dog"]], 1),
    ],
)
def test_zero_cider_of_perfect_captions_is_explained(
    references: list[list[str]], num_zero: int, caplog: pytest.LogCaptureFixture
) -> None:
    captions = [texts[0] for texts in references]
    cider = score_captions(captions, references)["CIDEr"]
    assert (cider == 0) == (num_zero == len(references))
    explanation = f"CIDEr is 0 for {num_zero} of {len(references)} images, even for a perfect caption"
    assert explanation in caplog.text
    assert (
        explanation
        in report_generation(captions, captions, references, {"test CIDEr": cider}, 0.0).warnings[-1]
    )


def test_cider_without_zeros_needs_no_explanation(caplog: pytest.LogCaptureFixture) -> None:
    score_captions(["a dog", "a cat"], [["a dog"], ["a cat"]])
    assert not caplog.messages
    report = report_generation(["1"], ["a dog"], [["a dog"]], {"test BLEU": 1.0}, 0.0)
    assert not any("CIDEr" in warning for warning in report.warnings)


def test_scores_equal_those_of_pycocoevalcap() -> None:
    """Bleu(4), Rouge() and Cider() of pycocoevalcap 1.2 on the same texts."""
    random = np.random.default_rng(0)
    words = ["a", "the", "dog", "cat", "runs", "sits", "on", "grass", "red", "big", "small", "man"]
    words += ["woman", "in", "park"]

    def sentence() -> str:
        return " ".join(random.choice(words, random.integers(3, 12)))

    predictions = [sentence() for _ in range(40)]
    references = [[sentence() for _ in range(random.integers(1, 6))] for _ in range(40)]
    for i in range(0, 40, 3):
        references[i][0] = predictions[i]
    for i in range(1, 40, 3):
        predictions[i] = " ".join([*references[i][-1].split()[:-2], "dog"])
    scores = score_captions(predictions, references)
    assert list(scores) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"]
    expected = [74.0175731186, 64.3715239695, 60.4280977603, 58.5892536073, 67.6076331662, 251.658813244]
    assert list(scores.values()) == pytest.approx(expected, abs=1e-6)


def test_empty_predictions_score_zero() -> None:
    scores = score_captions(["", "."], [["a dog"], ["a cat"]])
    assert set(scores.values()) == {0.0}


@pytest.mark.parametrize(("predictions", "references"), [(["a"], []), ([], []), (["a"], [[]])])
def test_captions_without_references_raise(predictions: list[str], references: list[list[str]]) -> None:
    with pytest.raises(ValueError, match=r"expected as many of both|has no texts, expected at least one"):
        score_captions(predictions, references)


NESTED = [score_captions, sentence_chrf]
FLAT = [bleu, chrf, exact_match, score_translations]


@pytest.mark.parametrize(
    ("metrics", "predictions", "references", "problem"),
    [
        (
            NESTED,
            ["a dog"],
            ["a dog"],
            r"`references\[0\]` is 'a dog', expected a list of texts\. Put it into a list",
        ),
        (NESTED, ["a dog"], "a", "`references` is 'a', expected a list of lists of texts"),
        (NESTED, "a", [["a"]], "`predictions` is 'a', expected a list of texts"),
        (NESTED, ["a", "b"], [["a"], [None]], r"`references\[1\]\[0\]` is None, expected a text"),
        (NESTED, ["a", "b"], [["a"], []], r"`references\[1\]` has no texts"),
        (FLAT, "ab", "ab", "`predictions` is 'ab', expected a list of texts"),
        (FLAT, ["a", "b"], "ab", "`references` is 'ab', expected a list of texts"),
        (FLAT, ["a"], [["a"]], r"`references\[0\]` is \['a'\], expected a text\. Pass the texts themselves"),
        (FLAT, [["a"]], ["a"], r"`predictions\[0\]` is \['a'\], expected a text"),
        (FLAT, ["a"], None, "`references` is None, expected a list of texts"),
        (FLAT, [3], ["a"], r"`predictions\[0\]` is 3, expected a text"),
    ],
)
def test_metrics_refuse_other_nestings(
    metrics: list[Callable], predictions: object, references: object, problem: str
) -> None:
    for metric in metrics:
        with pytest.raises(ValueError, match=problem):
            metric(predictions, references)


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (normalize_captions, "a dog"),
        (split_captions, "a dog"),
        (normalize_caption_lists, ["a dog"]),
        (explain_zero_cider, ["a dog"]),
        (CiderScorer, [["a dog"]]),
        (lambda words: CiderScorer([[["a", "dog"]]]).score(words, 0), "a dog"),
    ],
)
def test_functions_of_captions_refuse_other_nestings(function: Callable, value: object) -> None:
    with pytest.raises(ValueError, match="is 'a dog', expected a list of texts"):
        function(value)


@pytest.mark.parametrize(
    ("caption", "normalized"),
    [
        ("A dog's bowl .", "a dog's bowl"),
        ("Two-tone, 3 CARS!", "two tone 3 cars"),
        ("Ein Mädchen\u2019s  Hut\n", "ein mädchen's hut"),
        ("...", ""),
        ("एक काला कुत्ता।", "एक काला कुत्ता"),
        ("كَلْبٌ أَسْوَد", "كَلْبٌ أَسْوَد"),
        ("Cafe\u0301, 👍🏽", "café"),
        ("黒い犬が、3匹の ネコと走る。", "黒い犬が3匹の ネコと走る"),
        ("แมวดำ, กำลังวิ่ง", "แมวดำ กำลังวิ่ง"),
    ],
)
def test_normalize_captions(caption: str, normalized: str) -> None:
    assert normalize_captions([caption, "", caption]) == [normalized, "", normalized]
