"""Wording of messages and notes."""

import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches


def abbreviate(names: Sequence[str]) -> str:
    """Join the first three names and state how many more there are.

    >>> abbreviate(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def count_noun(count: int, noun: str) -> str:
    """Return a number with a noun, in the plural where English needs it.

    >>> count_noun(1, "line"), count_noun(1_200, "line")
    ('1 line', '1,200 lines')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def suggest_names(wrong: Sequence[str], known: Sequence[str]) -> str:
    """Return a question that names the most similar one of the known names for each wrong one, if there are any.

    >>> suggest_names(["reviews"], ["review", "stars"]), suggest_names(["body"], ["review", "stars"])
    ('Did you mean review? ', '')
    """
    similar = [match for name in wrong for match in get_close_matches(name, known, 1)]
    return f"Did you mean {' and '.join(similar)}? " if similar else ""


def measure_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for a Chinese character, none for a mark.

    >>> [measure_width(text) for text in ("ab", "\u6b63\u9762", "e\u0301")]
    [2, 4, 1]
    """
    widths = (
        0 if unicodedata.category(c)[0] == "M" else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
    return sum(widths)
