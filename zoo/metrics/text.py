"""How good answers are, as papers report it."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sacrebleu.metrics import BLEU, CHRF


class CorpusScore(NamedTuple):
    """A figure, and what makes it comparable."""

    score: float
    """From 0 to 100."""
    signature: str
    """Of sacrebleu: equal signatures, comparable scores."""


def bleu(answers: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> CorpusScore:
    """BLEU of a whole set (Papineni et al., 2002), by sacrebleu (Post, 2018).

    Args:
        answers: a text each.
        references: the right one for each.
        tokenize: of sacrebleu, such as "13a", "zh", or "none" for texts that are tokenized already.

    >>> bleu(["the cat sat on the mat"], ["the cat sat on a mat"]).signature.split("|version")[0]
    'nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp'
    """
    return _score(BLEU(tokenize=tokenize, force=True), answers, references)


def chrf(answers: Sequence[str], references: Sequence[str]) -> CorpusScore:
    """chrF2 of a whole set (Popović, 2015), by sacrebleu: an F-score over pieces of up to 6 characters.

    >>> round(chrf(["a cat"], ["the cat"]).score)
    31
    """
    return _score(CHRF(), answers, references)


def exact_match(answers: Sequence[str], references: Sequence[str]) -> float:
    """The share of answers, from 0 to 100, that are their references; every sort of space is one space.

    >>> exact_match(["14:30\u202fh", "14.30"], ["14:30 h", "14:30"])
    50.0
    """
    _check(answers, references)
    pairs = zip(answers, references, strict=True)
    return 100 * sum(one.split() == other.split() for one, other in pairs) / len(references)


def _score(metric: BLEU | CHRF, answers: Sequence[str], references: Sequence[str]) -> CorpusScore:
    _check(answers, references)
    score = metric.corpus_score(list(answers), [list(references)]).score
    return CorpusScore(score, str(metric.get_signature()))


def _check(answers: Sequence[str], references: Sequence[str]) -> None:
    if not len(answers) == len(references) > 0:
        raise ValueError(
            f"Expected a reference for each answer, and one at least, got {len(answers)} answers and "
            f"{len(references)} references."
        )


def normalize_caption(caption: str) -> str:
    """Words in lower case, a space between two, without punctuation: what captions are compared as.

    >>> normalize_caption("A man's dog, half-asleep, sits on the grass .")
    "a man's dog half asleep sits on the grass"
    """
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", caption.lower().replace("\u2019", "'")))


def score_captions(answers: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """How captions are measured, all from 0 to 100 but CIDEr, which may be more.

    BLEU-1 to BLEU-4 of the whole set, against all references, the brevity penalty by the closest length
    (Papineni et al., 2002). ROUGE-L, the mean over captions of an F-score of the longest common subsequence,
    recall weighing 1.2² times as much (Lin, 2004). CIDEr in its variant D, with clipped counts and a penalty
    for other lengths (Vedantam et al., 2015), 100 where the usual scale has 1. Both as the COCO evaluation
    has them, but for its tokenizer: here words are those of `normalize_caption`.

    Args:
        answers: a caption of each picture.
        references: for each picture its right captions, one at least.

    Returns:
        The figures by name.

    Raises:
        ValueError: there are no answers, or an answer has no references.
    """
    if not answers or len(answers) != len(references) or not all(references):
        raise ValueError(
            "Expected references for each answer, and one answer at least, got "
            f"{len(references)} for {len(answers)}, {sum(not some for some in references)} of them empty."
        )
    said = [normalize_caption(answer) for answer in answers]
    right = [[normalize_caption(reference) for reference in some] for some in references]
    # Of sacrebleu each stream has one reference of every answer, or none.
    most = max(map(len, right))
    streams = [[some[k] if k < len(some) else None for some in right] for k in range(most)]
    scores = {}
    for order in range(1, 5):
        metric = BLEU(tokenize="none", force=True, max_ngram_order=order, smooth_method="none")
        scores[f"BLEU-{order}"] = float(metric.corpus_score(said, streams).score)
    tokens, wanted = [one.split() for one in said], [[one.split() for one in some] for some in right]
    scores["ROUGE-L"] = 100 * float(np.mean([_rouge(*pair) for pair in zip(tokens, wanted, strict=True)]))
    scores["CIDEr"] = 100 * _cider(tokens, wanted)
    return scores


def _rouge(answer: list[str], references: list[list[str]]) -> float:
    common = [_common_subsequence(answer, reference) for reference in references]
    precision = max(common) / max(len(answer), 1)
    recall = max(same / max(len(reference), 1) for same, reference in zip(common, references, strict=True))
    if not precision or not recall:
        return 0.0
    return (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def _common_subsequence(one: list[str], other: list[str]) -> int:
    """Length of the longest."""
    lengths = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, same in enumerate(other, 1):
            above = lengths[place]
            lengths[place] = before + 1 if word == same else max(above, lengths[place - 1])
            before = above
    return lengths[-1]


def _cider(answers: list[list[str]], references: list[list[list[str]]]) -> float:
    """CIDEr-D: cosines of n-gram counts, weighted by how few pictures have an n-gram in their references."""
    pictures = [set().union(*(_ngrams(one) for one in some)) for some in references]
    frequency = Counter(ngram for picture in pictures for ngram in picture)

    def weighted(words: list[str]) -> dict[tuple[str, ...], float]:
        return {
            ngram: count * (math.log(len(answers)) - math.log(max(1, frequency[ngram])))
            for ngram, count in _ngrams(words).items()
        }

    def similarity(one: list[str], other: list[str]) -> float:
        first, second, total = weighted(one), weighted(other), 0.0
        for size in range(1, 5):
            a, b = ({k: v for k, v in vector.items() if len(k) == size} for vector in (first, second))
            norms = math.hypot(*a.values()) * math.hypot(*b.values())
            product = sum(min(value, b[ngram]) * b[ngram] for ngram, value in a.items() if ngram in b)
            total += product / norms if norms else 0.0
        return total / 4 * math.exp(-((len(one) - len(other)) ** 2) / (2 * 6.0**2))

    means = [
        np.mean([similarity(answer, reference) for reference in some])
        for answer, some in zip(answers, references, strict=True)
    ]
    return 10 * float(np.mean(means))


def _ngrams(words: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for n in range(1, 5) for i in range(len(words) - n + 1))
