"""Metrics of sequence tagging: by frame, by segment, and by transition between shots.

All scores are percentages, from 0 to 100. An F1 is

    F1 = 2 · precision · recall / (precision + recall) = 2 · true positives / (predicted + actual)

and 100 where there is nothing to find and nothing was predicted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from functools import partial
from itertools import groupby, pairwise
from typing import NamedTuple, TypeVar, cast

import numpy as np

Labels = Sequence[str] | np.ndarray
"""One label per frame."""

_Sequence = TypeVar("_Sequence", bound=Sized)


class Segment(NamedTuple):
    """Consecutive frames with one label: frames `start` to `end - 1`.

    Example:
        >>> segment = Segment("dissolve", 10, 16)
        >>> segment.end - segment.start
        6
    """

    label: str
    start: int
    """The first frame, counted from 0."""
    end: int
    """The frame after the last."""


class TransitionScores(NamedTuple):
    """Detection scores of transitions, in percent.

    Example:
        >>> from zoo.metrics import Segment, score_transitions
        >>> found, true = [Segment("cut", 10, 11)], [Segment("cut", 10, 11), Segment("cut", 50, 51)]
        >>> scores = score_transitions([found], [true], background="shot")
        >>> scores.precision, scores.recall
        (100.0, 50.0)
    """

    precision: float
    """Predicted transitions that match a reference."""
    recall: float
    """Reference transitions that match a prediction."""
    f1: float
    """The harmonic mean of precision and recall."""
    kind_accuracy: float
    """Matched pairs whose labels are equal."""


def find_segments(labels: Labels) -> list[Segment]:
    """Split a sequence into its segments: the longest runs of equal labels.

    Args:
        labels: one label per frame.

    Returns:
        The segments in order. They cover the sequence without gaps.

    Raises:
        ValueError: `labels` is not a sequence of `str`.

    Example:
        >>> find_segments(["shot", "shot", "cut"])
        [Segment(label='shot', start=0, end=2), Segment(label='cut', start=2, end=3)]
    """
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise ValueError(
            f"Expected a sequence of labels, each a str, got {labels!r:.80}. Decode bytes first."
        )
    segments, start = [], 0
    for label, frames in groupby(labels):
        end = start + len(list(frames))
        segments.append(Segment(str(label), start, end))
        start = end
    return segments


# By frame.


def score_frames(
    predictions: Sequence[Labels],
    references: Sequence[Labels],
    labels: Sequence[str],
    tolerance: int = 0,
) -> dict[str, float]:
    """Compute accuracy and F1 over all frames of a data set.

    The exact frame at which a slow dissolve begins or ends is not visible. With a tolerance, the last
    `tolerance` frames before each boundary of the reference and the first `tolerance` frames after it may
    have either of the two adjacent labels. The tolerance covers less than half of a segment, at most
    (length - 1) // 2 frames from each end, so a missed segment always lowers the scores. Segments of one or
    two frames have no tolerance.

    Args:
        predictions: predicted labels of each sequence; lengths may differ between sequences.
        references: true labels of each sequence, of the same lengths.
        labels: all labels of the data set.
        tolerance: in frames.

    Returns:
        "accuracy", "macro-F1", and "F1 <label>" for each label. A label that occurs neither in the
        predictions nor in the references has no F1 and does not enter the mean.

    Raises:
        ValueError: predictions and references differ in number or length, are empty, or contain other labels.

    Example:
        >>> score_frames([["a", "a", "b", "b"]], [["a", "b", "b", "b"]], ["a", "b", "c"])["accuracy"]
        75.0
    """
    true_positives: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    actual: Counter[str] = Counter()
    for prediction, reference in _frame_pairs(predictions, references):
        reference = _apply_tolerance(prediction, reference, tolerance)
        true_positives.update(p for p, r in zip(prediction, reference, strict=True) if p == r)
        predicted.update(prediction)
        actual.update(reference)
    if unknown := (predicted.keys() | actual.keys()) - set(labels):
        raise ValueError(
            f"Expected the labels {', '.join(labels)}, got {', '.join(sorted(map(str, unknown)))}."
        )
    counts = {label: (true_positives[label], predicted[label], actual[label]) for label in labels}
    return {"accuracy": 100 * true_positives.total() / actual.total(), **_f1_per_label(counts)}


def _apply_tolerance(prediction: Labels, reference: Labels, tolerance: int) -> Labels:
    """Replace labels of the reference by predicted ones that the tolerance accepts."""
    if not tolerance:
        return reference
    accepted = list(reference)
    for before, after in pairwise(find_segments(reference)):
        reach = [min(tolerance, (segment.end - segment.start - 1) // 2) for segment in (before, after)]
        for frame in range(after.start - reach[0], after.start + reach[1]):
            if prediction[frame] in (before.label, after.label):
                accepted[frame] = prediction[frame]
    return accepted


def score_multilabel_frames(
    predictions: Sequence[np.ndarray], references: Sequence[np.ndarray], labels: Sequence[str]
) -> dict[str, float]:
    """Compute F1 over all frames of a data set whose frames have any number of labels.

    Args:
        predictions: for each sequence a bool array [time, labels]; time may differ between sequences.
        references: the true arrays, of the same shapes.
        labels: the label of each column.

    Returns:
        "micro-F1" over all labels together, "macro-F1", and "F1 <label>" for each label. A label that occurs
        neither in the predictions nor in the references has no F1 and does not enter the mean.

    Raises:
        ValueError: predictions and references differ in number or length, are empty, or have other shapes or
            dtypes.

    Example:
        >>> prediction = np.array([[True, False], [False, False], [True, False]])
        >>> score_multilabel_frames([prediction], [~prediction], ["a", "b"])["micro-F1"]
        0.0
    """
    pairs = _frame_pairs(predictions, references)
    predicted, actual = (
        np.concatenate([_check_multilabel(array, labels) for array in side])
        for side in zip(*pairs, strict=True)
    )
    sums = [np.sum(array, axis=0) for array in (predicted & actual, predicted, actual)]
    counts = dict(zip(labels, np.stack(sums, axis=1).tolist(), strict=True))
    return {"micro-F1": _f1(*(int(total.sum()) for total in sums)), **_f1_per_label(counts)}


def _check_multilabel(array: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype != bool or array.shape[1:] != (len(labels),):
        raise ValueError(
            f"Expected bool [time, {len(labels)}] for the labels {', '.join(labels)}, got {array.dtype} "
            f"{list(array.shape)}. Compare scores with a threshold first."
        )
    return array


def _f1_per_label(counts: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Macro-F1 and the F1 of each label, from its true positives, predicted and actual frames."""
    scores = {f"F1 {label}": _f1(*count) for label, count in counts.items() if any(count)}
    return {"macro-F1": float(np.mean(list(scores.values()) or [100])), **scores}


def _f1(true_positives: int, predicted: int, actual: int) -> float:
    return 200 * true_positives / (predicted + actual) if predicted or actual else 100.0


# By segment.


def segmental_edit_score(
    predictions: Sequence[Labels], references: Sequence[Labels], background: Collection[str] = ()
) -> float:
    """Compute the segmental edit score, which compares the order of segments.

    For each sequence it is 100 · (1 - d / n), where d is the Levenshtein distance between the labels of the
    predicted and the true segments, and n the larger number of segments; the result is the mean over
    sequences. It ignores where segments begin and end and penalizes over-segmentation.

    Lea et al. (2017, "Temporal convolutional networks for action segmentation and detection").

    Args:
        predictions: predicted labels of each sequence; lengths may differ between sequences.
        references: true labels of each sequence, of the same lengths.
        background: labels whose segments are left out.

    Returns:
        The score as a percentage. A sequence without any segment on either side counts as 100.

    Raises:
        ValueError: predictions and references differ in number or length, or are empty.

    Example:
        >>> segmental_edit_score([list("aabbbcba")], [list("abbbbbcc")])
        60.0
    """
    scores = []
    for prediction, reference in _frame_pairs(predictions, references):
        predicted, actual = (
            [segment.label for segment in _find_foreground(labels, background)]
            for labels in (prediction, reference)
        )
        longer = max(len(predicted), len(actual))
        scores.append(1 - _levenshtein(predicted, actual) / longer if longer else 1)
    return 100 * float(np.mean(scores))


def segmental_f1(
    predictions: Sequence[Labels],
    references: Sequence[Labels],
    overlap: float,
    background: Collection[str] = (),
) -> float:
    """Compute segmental F1@k, which compares segments by their overlap.

    Each predicted segment is compared with the true segment of the same label with which its intersection
    over union is highest. It is a true positive if that is at least `overlap` and no earlier prediction has
    matched the same true segment. Counts are summed over the data set, as is usual since Abu Farha and Gall
    (2019, "MS-TCN: multi-stage temporal convolutional network for action segmentation"); the original code
    takes the mean over sequences.

    Lea et al. (2017, "Temporal convolutional networks for action segmentation and detection").

    Args:
        predictions: predicted labels of each sequence; lengths may differ between sequences.
        references: true labels of each sequence, of the same lengths.
        overlap: the least intersection over union, in (0, 1]: 0.1 for F1@10, 0.25 for F1@25, 0.5 for F1@50.
        background: labels whose segments are left out.

    Returns:
        F1 as a percentage.

    Raises:
        ValueError: predictions and references differ in number or length, are empty, or `overlap` is out of
            range.

    Example:
        >>> segmental_f1([list("aabb")], [list("aaab")], 0.5)
        100.0
        >>> segmental_f1([list("aabb")], [list("aaab")], 0.6)
        50.0
    """
    if not 0 < overlap <= 1:
        raise ValueError(f"Expected 0 < overlap <= 1, such as 0.25 for F1@25, got {overlap}.")
    true_positives = num_predicted = num_actual = 0
    for pair in _frame_pairs(predictions, references):
        predicted, actual = (_find_foreground(labels, background) for labels in pair)
        true_positives += len(_match_by_overlap(predicted, actual, overlap))
        num_predicted += len(predicted)
        num_actual += len(actual)
    return _f1(true_positives, num_predicted, num_actual)


def _match_by_overlap(predictions: list[Segment], references: list[Segment], overlap: float) -> set[Segment]:
    """Return the reference segments that a prediction matches."""
    matched = set()
    for prediction in predictions:
        iou = partial(_intersection_over_union, prediction)
        candidates = [reference for reference in references if reference.label == prediction.label]
        best = max(candidates, key=iou, default=None)
        if best and iou(best) >= overlap:
            matched.add(best)
    return matched


def _intersection_over_union(a: Segment, b: Segment) -> float:
    intersection = max(0, min(a.end, b.end) - max(a.start, b.start))
    return intersection / (a.end - a.start + b.end - b.start - intersection)


def _find_foreground(labels: Labels, background: Collection[str]) -> list[Segment]:
    if isinstance(background, str):
        raise ValueError(
            f"Expected `background` to be a collection of labels, got {background!r}. Put it in a list."
        )
    return [segment for segment in find_segments(labels) if segment.label not in background]


def _levenshtein(a: Sequence[str], b: Sequence[str]) -> int:
    """Count the insertions, deletions and substitutions that turn `a` into `b`, at the least."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
            diagonal, row[j] = row[j], cost
    return row[-1]


# By transition.


def find_transitions(
    labels: Labels, background: str, min_lengths: Mapping[str, int] | None = None, max_gap: int = 0
) -> list[Segment]:
    """Find the transitions in a sequence: the longest runs of frames without the background label.

    A run counts as one transition even if its frames have several labels. A run may have gaps, but not beside
    a label without a least number of frames.

    Args:
        labels: one label per frame.
        background: the label of frames outside transitions.
        min_lengths: the least number of frames of a transition of each label; 1 for labels not listed. A run
            shorter than the least of these numbers among its labels is left out as noise. In a run in which
            another label has enough frames, a label with too few does not count. Where the label of the
            transition may have a single frame, as a cut, frames of such labels at both ends are left out.
        max_gap: the greatest number of background frames of a gap.

    Returns:
        The transitions in order, each with its most frequent label, and of equally frequent ones the first.

    Raises:
        ValueError: `labels` is not a sequence of `str`.

    Example:
        >>> find_transitions(["shot", "fade", "cut", "cut", "shot", "wipe"], "shot", {"wipe": 2})
        [Segment(label='cut', start=1, end=4)]
        >>> find_transitions(["shot", "wipe", "wipe", "cut", "shot"], "shot", {"wipe": 3})
        [Segment(label='cut', start=3, end=4)]
        >>> find_transitions(["fade", "fade", "shot", "fade", "shot"], "shot", {"fade": 2}, max_gap=1)
        [Segment(label='fade', start=0, end=4)]
    """
    minimum = min_lengths or {}
    runs: list[list[Segment]] = []
    for segment in find_segments(labels):
        if segment.label == background:
            continue
        last = runs[-1][-1] if runs else None
        longest = max_gap if last and min(minimum.get(each.label, 1) for each in (last, segment)) > 1 else 0
        if last and segment.start - last.end <= longest:
            runs[-1].append(segment)
        else:
            runs.append([segment])
    transitions = []
    for run in runs:
        frames: Counter[str] = Counter()
        for label, start, end in run:
            frames[label] += end - start
        if frames.total() < min(minimum.get(label, 1) for label in frames):
            continue
        long_enough = {label: count for label, count in frames.items() if count >= minimum.get(label, 1)}
        counted = long_enough or frames
        label = max(counted, key=counted.__getitem__)
        if minimum.get(label, 1) == 1:
            run = [segment for segment in run if segment.label in counted]
        transitions.append(Segment(label, run[0].start, run[-1].end))
    return transitions


def score_transitions(
    predictions: Sequence[Labels | Sequence[Segment]],
    references: Sequence[Labels | Sequence[Segment]],
    background: str,
    tolerance: int = 2,
) -> TransitionScores:
    """Compute precision, recall and F1 of detected transitions over a data set, whatever their labels.

    A predicted and a true transition match if they share a frame after the true one is extended by
    `tolerance` frames on both sides. Each is matched at most once, and the number of matches is the largest
    possible.

    Args:
        predictions: for each sequence its predicted labels, or its transitions as segments.
        references: the true ones, in either form.
        background: the label of frames outside transitions.
        tolerance: in frames.

    Returns:
        The scores. All are 100 where neither side has a transition; a ratio without a denominator is 0.

    Raises:
        ValueError: predictions and references differ in number, there are none, or a segment is empty.

    Example:
        >>> frames = ["shot", "shot", "cut", "shot", "shot", "shot"]
        >>> score_transitions([frames], [[Segment("cut", 4, 5), Segment("fade", 5, 6)]], "shot").recall
        50.0
    """
    matches: list[tuple[Segment, Segment]] = []
    num_predicted = num_actual = 0
    for prediction, reference in _pair(predictions, references):
        predicted, actual = _to_transitions(prediction, background), _to_transitions(reference, background)
        extended = [Segment(label, start - tolerance, end + tolerance) for label, start, end in actual]
        matches += _match_overlapping(predicted, extended)
        num_predicted += len(predicted)
        num_actual += len(actual)
    if not num_predicted and not num_actual:
        return TransitionScores(100.0, 100.0, 100.0, 100.0)
    return TransitionScores(
        precision=_percent_or_zero(len(matches), num_predicted),
        recall=_percent_or_zero(len(matches), num_actual),
        f1=_f1(len(matches), num_predicted, num_actual),
        kind_accuracy=_percent_or_zero(sum(a.label == b.label for a, b in matches), len(matches)),
    )


def _percent_or_zero(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _to_transitions(sequence: Labels | Sequence[Segment], background: str) -> list[Segment]:
    segments = [item for item in sequence if isinstance(item, Segment)]
    if len(segments) == len(sequence):
        return segments
    return find_transitions(cast(Labels, sequence), background)  # which raises if some are segments


def _match_overlapping(
    predictions: Iterable[Segment], references: Iterable[Segment]
) -> list[tuple[Segment, Segment]]:
    """Pair as many predictions as possible with a reference that shares a frame, each used at most once.

    This greedy choice is optimal: take the segment that ends first on either side. All segments of the other
    side that overlap it contain its last frame, so among them the one that ends first is the best partner:
    whatever it overlaps later on, the others overlap, too. The order within a pair is arbitrary.
    """
    sides = [sorted(side, key=lambda segment: segment.end) for side in (predictions, references)]
    for segment in (*sides[0], *sides[1]):
        if segment.start >= segment.end:
            raise ValueError(f"Expected at least one frame in each transition, got {segment}.")
    matches = []
    while all(sides):
        if sides[1][0].end < sides[0][0].end:
            sides.reverse()
        first = sides[0].pop(0)
        partner = next((segment for segment in sides[1] if segment.start < first.end), None)
        if partner:
            sides[1].remove(partner)
            matches.append((first, partner))
    return matches


# Checks.


def _pair(
    predictions: Sequence[_Sequence], references: Sequence[_Sequence]
) -> list[tuple[_Sequence, _Sequence]]:
    if not len(predictions) == len(references) > 0:
        raise ValueError(
            f"Expected one reference per prediction, and at least one of each, got {len(predictions)} "
            f"predictions and {len(references)} references."
        )
    return list(zip(predictions, references, strict=True))


def _frame_pairs(
    predictions: Sequence[_Sequence], references: Sequence[_Sequence]
) -> list[tuple[_Sequence, _Sequence]]:
    pairs = _pair(predictions, references)
    for index, (prediction, reference) in enumerate(pairs):
        if len(prediction) != len(reference):
            raise ValueError(
                f"Sequence {index}: expected one prediction per frame, got {len(prediction)} predictions for "
                f"{len(reference)} frames. Remove padding first."
            )
    if not any(len(reference) for reference in references):
        raise ValueError("Expected at least one frame, but all sequences are empty.")
    return pairs
