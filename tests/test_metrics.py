"""Metrics of captions: by hand, and against figures of another implementation."""

import math

import numpy as np
import pytest

from zoo.metrics import normalize_caption, score_captions


def test_a_right_caption_has_the_highest_scores() -> None:
    right = ["a red dog runs on grass", "two men play a game", "a blue car is on the road"]
    scores = score_captions([text.title() + " ." for text in right], [[text, "x y"] for text in right])
    for name in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"):
        assert scores[name] == pytest.approx(100)
    # Half of the references are met in full, and the other half not at all.
    assert scores["CIDEr"] == pytest.approx(1000 / 2)


def test_bleu_by_hand() -> None:
    """Clipped by the reference that has most of a word; the closest length is 5, of a shorter answer."""
    scores = score_captions(["the the the cat"], [["the cat sat on it", "the the mat was a red one"]])
    brevity = math.exp(1 - 5 / 4)
    assert scores["BLEU-1"] == pytest.approx(100 * brevity * 3 / 4)
    assert scores["BLEU-2"] == pytest.approx(100 * brevity * math.sqrt(3 / 4 * 2 / 3))
    assert scores["BLEU-3"] == scores["BLEU-4"] == 0


def test_rouge_by_hand() -> None:
    """Of "a b c d" the reference has "a c" and "b d" in order; the other has nothing."""
    scores = score_captions(["a b c d"], [["a c x y z d", "q"]])
    precision, recall, weight = 3 / 4, 3 / 6, 1.2**2
    wanted = (1 + weight) * precision * recall / (recall + weight * precision)
    assert scores["ROUGE-L"] == pytest.approx(100 * wanted)


def test_cider_by_hand() -> None:
    """One word each, of two pictures: weights log 2, or 0 of a word that both have."""
    scores = score_captions(["dog", "cat cat"], [["dog"], ["cat"]])
    # Cosines 1 and min(2, 1) * 1 / (2 * 1), each of one order of four; a word too many costs exp(-1 / 72).
    assert scores["CIDEr"] == pytest.approx(1000 * np.mean([1 / 4, math.exp(-1 / 72) / 2 / 4]))
    assert score_captions(["the", "the"], [["the"], ["the"]])["CIDEr"] == 0


def test_figures_of_another_implementation() -> None:
    """Those of pycocoevalcap 1.2: Bleu(4), Rouge() and Cider(), of the same texts."""
    random = np.random.default_rng(0)
    words = ["a", "the", "dog", "cat", "runs", "sits", "on", "grass", "red", "big", "small", "man"]
    words += ["woman", "in", "park"]

    def sentence() -> str:
        return " ".join(random.choice(words, random.integers(3, 12)))

    answers = [sentence() for _ in range(40)]
    references = [[sentence() for _ in range(random.integers(1, 6))] for _ in range(40)]
    for i in range(0, 40, 3):
        references[i][0] = answers[i]
    for i in range(1, 40, 3):
        answers[i] = " ".join([*references[i][-1].split()[:-2], "dog"])
    found = score_captions(answers, references)
    names = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr"]
    assert list(found) == names
    known = [74.0175731186, 64.3715239695, 60.4280977603, 58.5892536073, 67.6076331662, 251.658813244]
    assert [found[name] for name in names] == pytest.approx(known, abs=1e-6)


def test_empty_answers_score_nothing() -> None:
    scores = score_captions(["", "."], [["a dog"], ["a cat"]])
    assert set(scores.values()) == {0.0}


def test_what_does_not_match_is_told() -> None:
    for answers, references in ((["a"], []), ([], []), (["a"], [[]])):
        with pytest.raises(ValueError, match="Expected references for each answer"):
            score_captions(answers, references)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog's bowl .", "a dog's bowl"),
        ("Two-tone, 3 CARS!", "two tone 3 cars"),
        ("Ein Mädchen\u2019s  Hut\n", "ein mädchen's hut"),
        ("...", ""),
    ],
)
def test_plain_words(caption: str, words: str) -> None:
    assert normalize_caption(caption) == words
