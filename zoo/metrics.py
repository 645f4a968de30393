"""How good answers are, as papers report it."""

from collections.abc import Sequence
from typing import NamedTuple

from sacrebleu.metrics import BLEU, CHRF


class Score(NamedTuple):
    """A figure, and what makes it comparable."""

    score: float
    """From 0 to 100."""
    signature: str
    """Of sacrebleu: equal signatures, comparable scores."""


def bleu(answers: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> Score:
    """BLEU of a whole set (Papineni et al., 2002), by sacrebleu (Post, 2018).

    Args:
        answers: a text each.
        references: the right one for each.
        tokenize: of sacrebleu, such as "13a", "zh", or "none" for texts that are tokenised already.

    >>> bleu(["the cat sat on the mat"], ["the cat sat on a mat"]).signature.split("|version")[0]
    'nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp'
    """
    return _score(BLEU(tokenize=tokenize, force=True), answers, references)


def chrf(answers: Sequence[str], references: Sequence[str]) -> Score:
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


def _score(metric: BLEU | CHRF, answers: Sequence[str], references: Sequence[str]) -> Score:
    _check(answers, references)
    score = metric.corpus_score(list(answers), [list(references)]).score
    return Score(score, str(metric.get_signature()))


def _check(answers: Sequence[str], references: Sequence[str]) -> None:
    if not len(answers) == len(references) > 0:
        raise ValueError(
            f"Expected a reference for each answer, and one at least, got {len(answers)} answers and "
            f"{len(references)} references."
        )
