"""Training pairs with items that are carried over: counted, and replaced by numbers on both sides."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from zoo.preprocessing.text.item_patterns import KINDS, MARK, Candidate, list_candidates
from zoo.preprocessing.text.word_pieces import COPY_TOKENS

Pair = tuple[str, str]

_MAX_ENDING = 2  # letters that a language may add to a name: "Toms"
_SEPARATORS = tuple(".,:/-")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_WORD_FORMS = ("{1}", "{1}{0}{2}")
_TEXT_FORMS = ("{1} {0}", "{0} {1}", "{1}{0}{2}")


class Tally:
    """How often something occurs, and how often it stands unchanged in the target."""

    def __init__(self) -> None:
        self.occurrences, self.unchanged = Counter[str](), Counter[str]()

    def add(self, name: str, count: int, num_copies: int) -> None:
        """Count occurrences, and how many of them stand unchanged in the target."""
        self.occurrences[name] += count
        self.unchanged[name] += num_copies

    def get_share(self, name: str) -> float:
        """Return the share that stands unchanged."""
        return self.unchanged[name] / self.occurrences[name]


def count_candidates(pairs: Iterable[Pair]) -> Iterator[tuple[Candidate, int, int, int]]:
    """Yield the items and words of each source, with three numbers.

    These are how often it counts, how often it stands unchanged in the target, and how often it stands there with
    points and commas exchanged, if it is a decimal number.
    """
    for batch in split_into_batches(pairs):
        rows = zip(*(list_candidates(side) for side in zip(*batch, strict=True)), strict=True)
        for (source, candidates), (target, in_target) in rows:
            for candidate, count in Counter(candidates).items():
                num_copies = min(count, len(find_item(candidate.text, target))) if candidate.kind else 0
                if candidate.kind in KINDS:
                    others = {
                        other.text
                        for other in in_target
                        if _get_group(other.kind) == _get_group(candidate.kind)
                    }
                    if all(find_item(other, source) for other in others):
                        count = num_copies  # the target has none that could be another form of it
                num_exchanged = 0
                if candidate.exchanged != candidate.text:
                    num_exchanged = min(count, len(find_item(candidate.exchanged, target)))
                yield candidate, count, num_copies, num_exchanged


def _get_group(kind: str) -> str:
    return "numbers" if "numbers" in kind else kind


def split_into_batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """Yield lists of 1,024 pairs."""
    remaining = iter(pairs)
    while batch := list(islice(remaining, 1024)):
        yield batch


def find_item(item: str, text: str) -> list[int]:
    """Return the places at which a text contains an item that is not a part of a longer word or number.

    A name may have an ending of up to two letters.

    >>> find_item("Tom", "Toms Hund mag Tom und Tomaten."), find_item("3", "3,5 und 3.")
    ([0, 14], [8])
    >>> find_item("1.000", "1.000.000 und 1.000.")
    [14]
    """
    is_name = not item[0].isdigit() and item.replace(" ", "").replace("-", "").replace("_", "").isalnum()
    places, start = [], 0
    while (start := text.find(item, start)) >= 0:
        end = start + len(item)
        before, after = text[max(start - 2, 0) : start], text[end : end + _MAX_ENDING + 1]
        length = next((i for i, character in enumerate(after) if not character.isalnum()), len(after))
        is_start = not (item[0].isalnum() and before[-1:].isalnum())
        is_end = not item[-1].isalnum() or length <= (_MAX_ENDING if is_name else 0)
        is_whole = not (
            (item[0].isdigit() and before[-1:] in _SEPARATORS and before[:-1].isdigit())
            or (item[-1].isdigit() and after[:1] in _SEPARATORS and after[1:2].isdigit())
        )
        if is_start and is_end and is_whole and before[-1:] != MARK:
            places.append(start)
        start = end
    return places


def mark_pair(segments: Sequence[str], written: Mapping[str, str], target: str, rng: random.Random) -> Pair:
    """Return a pair as marked texts; an item is replaced if it occurs equally often on both sides.

    Args:
        segments: of the source, from `CopiedItems.find`.
        written: how each item is written in the target.
        target: the normalized target.
        rng: draws the numbers.
    """
    counts = Counter(segments[1::2])
    rest, found = target, list[tuple[int, str]]()
    for item in sorted(counts, key=len, reverse=True):  # a name may be a part of another one
        length = len(written[item])
        places = find_item(written[item], rest)
        if len(places) == counts[item]:
            found += [(place, item) for place in places]
            for place in places:
                rest = rest[:place] + MARK * length + rest[place + length :]
    copied = {item for _, item in found}
    numbers = dict(zip((item for item in counts if item in copied), _draw_numbers(rng), strict=False))
    for place, item in sorted(found, reverse=True):
        if item in numbers:
            end = place + len(written[item])
            target = f"{target[:place]}{MARK}{numbers[item]}{MARK}{target[end:]}"
    source = "".join(
        f"{MARK}{numbers[segment]}{MARK}" if i % 2 and segment in numbers else segment
        for i, segment in enumerate(segments)
    )
    return source, target


def _draw_numbers(rng: random.Random) -> list[int]:
    """Return the numbers of items: in half of the pairs as `CopiedItems.mark` counts, otherwise in random order."""
    numbers = list(range(1, len(COPY_TOKENS) + 1))
    if rng.random() < 0.5:
        rng.shuffle(numbers)
    return numbers


def insert_items(source: str, target: str, rng: random.Random) -> Pair:
    """Replace a word that both sides share by an item, or put items around it or around the whole texts."""
    items = [f"{MARK}{number}{MARK}" for number in _draw_numbers(rng)]
    in_source, in_target = (
        {word.lower(): word for word in _LONG_WORD.findall(text)} for text in (source, target)
    )
    shared = sorted(in_source.keys() & in_target.keys())
    if shared and rng.random() < 0.5:
        word, form = rng.choice(shared), rng.choice(_WORD_FORMS)
        old = in_source[word], in_target[word]
    else:
        old, form = (source, target), rng.choice(_TEXT_FORMS)
    source, target = (
        text.replace(part, form.format(part, *items), 1)
        for text, part in zip((source, target), old, strict=True)
    )
    return source, target
