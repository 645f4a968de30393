"""How good the tags of frames are: frame by frame, segment by segment, and as transitions that were found.

Figures go from 0 to 100. Those of F1 are 2 · right / (answered + wanted): 100 where there was nothing to find
and nothing was found.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

Tags = Sequence[str] | np.ndarray
"""A tag of each frame."""


class Segment(NamedTuple):
    """Frames in a row that bear one tag."""

    label: str
    start: int
    """The first frame."""
    end: int
    """The frame after the last."""


class TransitionScores(NamedTuple):
    """How well transitions are found, each figure from 0 to 100."""

    precision: float
    """The share of the answers that match a reference."""
    recall: float
    """The share of the references that an answer matches."""
    f1: float
    """Their harmonic mean."""
    kind_accuracy: float
    """The share of the matches that bear the same tag."""


def find_segments(tags: Tags) -> list[Segment]:
    """The segments of a sequence, in order.

    Raises:
        ValueError: the tags are not a sequence of str.

    >>> find_segments(["shot", "shot", "cut"])
    [Segment(label='shot', start=0, end=2), Segment(label='cut', start=2, end=3)]
    """
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError(f"Expected a sequence of tags, each a str, got {tags!r:.80}. Decode bytes first.")
    found, start = [], 0
    for tag, frames in groupby(tags):
        end = start + len(list(frames))
        found.append(Segment(str(tag), start, end))
        start = end
    return found


# Frame by frame.


def score_frames(
    answers: Sequence[Tags], references: Sequence[Tags], tags: Sequence[str], tolerance: int = 0
) -> dict[str, float]:
    """Accuracy and F1 over all frames of a set.

    The ends of a slow dissolve cannot be seen to the frame. With a tolerance, the last `tolerance` frames
    before a boundary of the reference, and the first behind it, may bear either of its two tags: whichever
    was answered is taken for the reference. It reaches over less than half of a segment, (length - 1) // 2
    frames from either end, so that missing a segment always costs: one of one or two frames has to be met.

    Args:
        answers: sequences of tags, which may differ in length.
        references: the right ones, of the same lengths.
        tags: all there are.
        tolerance: in frames.

    Returns:
        "accuracy", "macro-F1" and "F1 <tag>" of each tag. A tag that neither occurs nor is answered has no
        figure, and no part in the mean.

    Raises:
        ValueError: answers and references do not go together, or bear other tags.

    >>> score_frames([["a", "a", "b", "b"]], [["a", "b", "b", "b"]], ["a", "b", "c"])["accuracy"]
    75.0
    """
    right, answered, wanted = Counter(), Counter(), Counter()
    for answer, reference in _frame_pairs(answers, references):
        reference = _forgiving(answer, reference, tolerance)
        right.update(one for one, other in zip(answer, reference, strict=True) if one == other)
        answered.update(answer)
        wanted.update(reference)
    if unknown := (answered.keys() | wanted.keys()) - set(tags):
        raise ValueError(f"Expected the tags {', '.join(tags)}, got {', '.join(sorted(map(str, unknown)))}.")
    counts = {tag: (right[tag], answered[tag], wanted[tag]) for tag in tags}
    return {"accuracy": 100 * right.total() / wanted.total(), **_f1_by_tag(counts)}


def _forgiving(answer: Tags, reference: Tags, tolerance: int) -> Tags:
    """The reference, with the answer's tags where they are as good."""
    if not tolerance:
        return reference
    result = list(reference)
    for before, after in pairwise(find_segments(reference)):
        reach = [min(tolerance, (one.end - one.start - 1) // 2) for one in (before, after)]
        for frame in range(after.start - reach[0], after.start + reach[1]):
            if answer[frame] in (before.label, after.label):
                result[frame] = answer[frame]
    return result


def score_multilabel_frames(
    answers: Sequence[np.ndarray], references: Sequence[np.ndarray], tags: Sequence[str]
) -> dict[str, float]:
    """F1 over all frames of a set, where a frame may bear several tags, or none.

    Args:
        answers: whether a frame bears a tag, bool [time, tags] each; time may differ.
        references: the right ones, of the same shapes.
        tags: one a column.

    Returns:
        "micro-F1", over all tags at once, "macro-F1" and "F1 <tag>" of each tag. A tag that neither occurs
        nor is answered has no figure, and no part in the mean.

    Raises:
        ValueError: answers and references do not go together, or are not as above.

    >>> answer = np.array([[True, False], [False, False], [True, False]])
    >>> score_multilabel_frames([answer], [~answer], ["a", "b"])["micro-F1"]
    0.0
    """
    pairs = _frame_pairs(answers, references)
    answered, wanted = (
        np.concatenate([_labels(one, tags) for one in side]) for side in zip(*pairs, strict=True)
    )
    sums = [np.sum(labels, axis=0) for labels in (answered & wanted, answered, wanted)]
    counts = dict(zip(tags, np.stack(sums, axis=1).tolist(), strict=True))
    return {"micro-F1": _f1(*(int(total.sum()) for total in sums)), **_f1_by_tag(counts)}


def _labels(labels: np.ndarray, tags: Sequence[str]) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype != bool or labels.shape[1:] != (len(tags),):
        raise ValueError(
            f"Expected bool [time, {len(tags)}] for the tags {', '.join(tags)}, got {labels.dtype} "
            f"{list(labels.shape)}. Compare scores with a threshold first."
        )
    return labels


def _f1_by_tag(counts: Mapping[str, Sequence[int]]) -> dict[str, float]:
    figures = {f"F1 {tag}": _f1(*count) for tag, count in counts.items() if any(count)}
    return {"macro-F1": float(np.mean(list(figures.values()) or [100])), **figures}


def _f1(right: int, answered: int, wanted: int) -> float:
    return 200 * right / (answered + wanted) if answered or wanted else 100.0


# Segment by segment.


def segmental_edit_score(
    answers: Sequence[Tags], references: Sequence[Tags], background: Collection[str] = ()
) -> float:
    """Segmental edit score (Lea et al., 2017): are the segments the right ones, in the right order?

    The mean over sequences of 100 · (1 - d / n), with d the Levenshtein distance between the tags of the
    segments, and n the larger number of segments. When they begin and end does not matter; one too many does.

    Args:
        answers: sequences of tags, which may differ in length.
        references: the right ones, of the same lengths.
        background: tags whose segments do not count.

    Raises:
        ValueError: answers and references do not go together.

    >>> segmental_edit_score([list("aabbbcba")], [list("abbbbbcc")])
    60.0
    """
    scores = []
    for answer, reference in _frame_pairs(answers, references):
        one, other = ([part.label for part in _counting(tags, background)] for tags in (answer, reference))
        longer = max(len(one), len(other))
        scores.append(1 - _levenshtein(one, other) / longer if longer else 1)
    return 100 * float(np.mean(scores))


def segmental_f1(
    answers: Sequence[Tags], references: Sequence[Tags], overlap: float, background: Collection[str] = ()
) -> float:
    """Segmental F1@k (Lea et al., 2017): are the segments the right ones, about where they should be?

    A segment that was answered goes to the reference of its tag with which its intersection over union is
    highest. It is right if that is `overlap` at least, and no other segment had met this reference before.
    Counts are of the whole set, as has been usual since Abu Farha and Gall (2019); the code of Lea et al.
    takes the mean over sequences.

    Args:
        answers: sequences of tags, which may differ in length.
        references: the right ones, of the same lengths.
        overlap: 0.1, 0.25 and 0.5 for F1@10, F1@25 and F1@50.
        background: tags whose segments do not count.

    Raises:
        ValueError: answers and references do not go together, or the overlap is no share.

    >>> segmental_f1([list("aabb")], [list("aaab")], 0.5)
    100.0
    >>> segmental_f1([list("aabb")], [list("aaab")], 0.6)
    50.0
    """
    if not 0 < overlap <= 1:
        raise ValueError(
            f"Expected an overlap above 0 and of 1 at most, such as 0.25 for F1@25, got {overlap}."
        )
    right = answered = wanted = 0
    for pair in _frame_pairs(answers, references):
        one, other = (_counting(tags, background) for tags in pair)
        right += len(_met(one, other, overlap))
        answered += len(one)
        wanted += len(other)
    return _f1(right, answered, wanted)


def _met(answers: list[Segment], references: list[Segment], overlap: float) -> set[Segment]:
    """The references that an answer meets."""
    met = set()
    for answer in answers:
        shared = partial(_intersection_over_union, answer)
        best = max((one for one in references if one.label == answer.label), key=shared, default=None)
        if best and shared(best) >= overlap:
            met.add(best)
    return met


def _intersection_over_union(one: Segment, other: Segment) -> float:
    shared = max(0, min(one.end, other.end) - max(one.start, other.start))
    return shared / (one.end - one.start + other.end - other.start - shared)


def _counting(tags: Tags, background: Collection[str]) -> list[Segment]:
    if isinstance(background, str):
        raise ValueError(
            f"Expected a collection of tags as background, got {background!r}. Put it in a list."
        )
    return [segment for segment in find_segments(tags) if segment.label not in background]


def _levenshtein(one: Sequence[str], other: Sequence[str]) -> int:
    """The least number of insertions, deletions and replacements that make one the other."""
    row = list(range(len(other) + 1))
    for taken, tag in enumerate(one, 1):
        diagonal, row[0] = row[0], taken
        for place, wanted in enumerate(other, 1):
            cheapest = min(row[place] + 1, row[place - 1] + 1, diagonal + (tag != wanted))
            diagonal, row[place] = row[place], cheapest
    return row[-1]


# Transitions.


def find_transitions(tags: Tags, background: str, shortest: Mapping[str, int] | None = None) -> list[Segment]:
    """The longest runs of frames without the background, each one transition, whatever tags are in it.

    Args:
        tags: of a sequence.
        background: the tag of what is no transition.
        shortest: how many frames a transition of a tag has at least, 1 if it is not there. A run that is too
            short for all of its tags is left out, as the flicker of an unsure answer.

    Returns:
        The runs in order. The tag of each is its most frequent one, of equals the first.

    >>> find_transitions(["shot", "fade", "cut", "cut", "shot", "wipe"], "shot", {"wipe": 2})
    [Segment(label='cut', start=1, end=4)]
    """
    found = []
    for is_background, run in groupby(find_segments(tags), lambda segment: segment.label == background):
        if not is_background:
            frames = Counter()
            parts = list(run)
            for tag, start, end in parts:
                frames[tag] += end - start
            if frames.total() >= min((shortest or {}).get(tag, 1) for tag in frames):
                found.append(Segment(frames.most_common(1)[0][0], parts[0].start, parts[-1].end))
    return found


def score_transitions(
    answers: Sequence[Tags | Sequence[Segment]],
    references: Sequence[Tags | Sequence[Segment]],
    background: str,
    tolerance: int = 2,
) -> TransitionScores:
    """Precision, recall and F1 of the transitions of a whole set, whatever their kinds.

    An answer matches a reference if they share a frame, the reference widened by the tolerance on both sides.
    Each matches once at most, and as many as can do match. Where neither side has any, all figures are 100;
    one of which there is nothing to take a share of is 0.

    Args:
        answers: for each sequence its tags, or its transitions as another detector gives them.
        references: the right ones, in either form.
        background: the tag of what is no transition.
        tolerance: in frames.

    Raises:
        ValueError: the numbers of answers and references differ, or a range is empty.

    >>> clip = ["shot", "shot", "cut", "shot", "shot", "shot"]
    >>> score_transitions([clip], [[Segment("cut", 4, 5), Segment("fade", 5, 6)]], "shot").recall
    50.0
    """
    matches, answered, wanted = [], 0, 0
    for pair in _pairs(answers, references):
        found, right = (_ranges(one, background) for one in pair)
        widened = [Segment(tag, start - tolerance, end + tolerance) for tag, start, end in right]
        matches += _matches(found, widened)
        answered += len(found)
        wanted += len(right)
    if not answered and not wanted:
        return TransitionScores(100.0, 100.0, 100.0, 100.0)
    return TransitionScores(
        precision=_share(len(matches), answered),
        recall=_share(len(matches), wanted),
        f1=_f1(len(matches), answered, wanted),
        kind_accuracy=_share(sum(one.label == other.label for one, other in matches), len(matches)),
    )


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _ranges(sequence: Tags | Sequence[Segment], background: str) -> list[Segment]:
    if all(isinstance(one, Segment) for one in sequence):
        return list(sequence)
    return find_transitions(sequence, background)


def _matches(answers: Iterable[Segment], references: Iterable[Segment]) -> list[tuple[Segment, Segment]]:
    """As many pairs of an answer and a reference that share a frame as there can be.

    The range that ends first, of whichever side, shares its last frame with all that it overlaps. Of these
    the one that ends first is its best partner: what this one overlaps later on, each of the others does too,
    so that in any matching they may change places.
    """
    waiting = [sorted(side, key=lambda segment: segment.end) for side in (answers, references)]
    for segment in (*waiting[0], *waiting[1]):
        if segment.start >= segment.end:
            raise ValueError(f"Expected a frame at least in each transition, got {segment}.")
    found = []
    while all(waiting):
        if waiting[1][0].end < waiting[0][0].end:
            waiting.reverse()
        first = waiting[0].pop(0)
        partner = next((one for one in waiting[1] if one.start < first.end), None)
        if partner:
            waiting[1].remove(partner)
            found.append((first, partner))
    return found


# What goes together.


def _pairs(answers: Sequence, references: Sequence) -> list[tuple]:
    if not len(answers) == len(references) > 0:
        raise ValueError(
            f"Expected a reference for each answer, and one at least, got {len(answers)} answers and "
            f"{len(references)} references."
        )
    return list(zip(answers, references, strict=True))


def _frame_pairs(answers: Sequence, references: Sequence) -> list[tuple]:
    pairs = _pairs(answers, references)
    for number, (answer, reference) in enumerate(pairs):
        if len(answer) != len(reference):
            raise ValueError(
                f"Sequence {number}: expected tags for each frame, got {len(answer)} answers and "
                f"{len(reference)} references. Cut off what is padding."
            )
    if not any(len(reference) for reference in references):
        raise ValueError("Expected one frame at least, and all sequences are empty.")
    return pairs
