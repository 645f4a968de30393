"""Metrics of sequence tagging, by hand, against NumPy and against brute force."""

from collections.abc import Callable
from itertools import pairwise, permutations

import numpy as np
import pytest

from zoo.metrics import (
    Segment,
    TransitionScores,
    find_segments,
    find_transitions,
    score_frames,
    score_multilabel_frames,
    score_transitions,
    segmental_edit_score,
    segmental_f1,
)

LABELS = ["shot", "cut", "dissolve", "fade"]


def random_sequences(seed: int, count: int = 6, stay: float = 0.7) -> list[np.ndarray]:
    """Sequences of 0 to 39 frames; `stay` is the probability that a frame has the label of the one before."""
    random = np.random.default_rng(seed)
    sequences = []
    for length in [0, 1, *random.integers(2, 40, count - 2)]:
        ids = random.integers(0, len(LABELS), length)
        for frame in range(1, length):
            if random.random() < stay:
                ids[frame] = ids[frame - 1]
        sequences.append(np.array(LABELS)[ids])
    return sequences


def corrupt(sequences: list[np.ndarray], seed: int, rate: float = 0.3) -> list[np.ndarray]:
    """Replace the labels of some frames by random ones, which may be the same."""
    random = np.random.default_rng(seed)
    return [
        np.where(random.random(len(labels)) < rate, random.choice(LABELS, len(labels)), labels)
        for labels in sequences
    ]


def spell(letters: str) -> list[str]:
    """The labels that begin with these letters: s shot, c cut, d dissolve, f fade."""
    return [next(label for label in LABELS if label.startswith(letter)) for letter in letters]


# Segments.


def test_segments_by_hand() -> None:
    expected = [Segment("shot", 0, 3), Segment("cut", 3, 4), Segment("shot", 4, 6)]
    assert find_segments(spell("ssscss")) == find_segments(np.array(spell("ssscss"))) == expected
    assert find_segments([]) == []
    assert type(find_segments(np.array(["cut"]))[0].label) is str


@pytest.mark.parametrize("seed", range(3))
def test_segments_reproduce_the_sequence(seed: int) -> None:
    for labels in random_sequences(seed):
        segments = find_segments(labels)
        assert [label for label, start, end in segments for _ in range(start, end)] == labels.tolist()
        for before, after in pairwise(segments):
            assert before.end == after.start
            assert before.label != after.label


# By frame.


def test_frame_scores_by_hand() -> None:
    """Eight of ten frames are correct, and no frame is a fade."""
    predictions = [spell("sscsss"), spell("sdds")]
    references = [spell("sscscs"), spell("ddds")]
    # Shot: 5 true positives, 7 predicted, 5 actual. Cut: 1, 1, 2. Dissolve: 2, 2, 3. Fade: left out.
    f1 = {"shot": 2 * 5 / 12, "cut": 2 * 1 / 3, "dissolve": 2 * 2 / 5}
    expected = {"accuracy": 80, "macro-F1": 100 * sum(f1.values()) / 3}
    expected |= {f"F1 {label}": 100 * score for label, score in f1.items()}
    assert score_frames(predictions, references, LABELS) == pytest.approx(expected)


def test_label_that_is_only_predicted_counts() -> None:
    scores = score_frames([spell("sf")], [spell("ss")], LABELS)
    assert scores == pytest.approx(
        {"accuracy": 50, "macro-F1": 100 / 3, "F1 shot": 100 * 2 / 3, "F1 fade": 0}
    )


def f1_from_confusion_matrix(predictions: list[np.ndarray], references: list[np.ndarray]) -> np.ndarray:
    """F1 of each label, NaN for labels that do not occur."""
    actual, predicted = np.concatenate(references), np.concatenate(predictions)
    matrix = np.array([[np.sum((actual == i) & (predicted == j)) for j in LABELS] for i in LABELS], float)
    with np.errstate(invalid="ignore"):
        precision = np.nan_to_num(np.diag(matrix) / matrix.sum(0))
        recall = np.nan_to_num(np.diag(matrix) / matrix.sum(1))
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))
    return np.where(matrix.sum(0) + matrix.sum(1), 100 * f1, np.nan)


@pytest.mark.parametrize("seed", range(5))
def test_frame_scores_equal_those_of_a_confusion_matrix(seed: int) -> None:
    def drop_fades(sequences: list[np.ndarray]) -> list[np.ndarray]:
        return [np.where(labels == "fade", "cut", labels) for labels in sequences]

    references = random_sequences(seed)
    if seed == 0:
        references = drop_fades(references)
    predictions = corrupt(references, seed + 100)
    if seed == 0:
        predictions = drop_fades(predictions)
    scores = score_frames(predictions, references, LABELS)
    expected = f1_from_confusion_matrix(predictions, references)
    assert np.isnan(expected).any() == (seed == 0)
    assert scores["macro-F1"] == pytest.approx(np.nanmean(expected))
    assert [scores.get(f"F1 {label}", np.nan) for label in LABELS] == pytest.approx(expected, nan_ok=True)
    is_correct = np.concatenate(predictions) == np.concatenate(references)
    assert scores["accuracy"] == pytest.approx(100 * is_correct.mean())


@pytest.mark.parametrize(
    ("prediction", "tolerance", "correct"),
    [
        # The reference is sssssdddddsssss, with boundaries at 5 and 10.
        ("ssssdddddddssss", 0, 13),
        ("ssssdddddddssss", 1, 15),  # one frame early, one frame late
        ("sssssssdddsssss", 1, 14),  # two frames late: frame 6 is not beside the boundary
        ("sssssssdddsssss", 2, 15),
        ("sssdddddddsssss", 1, 14),  # two frames early: frame 3 is not beside the boundary
        ("sssddddddddddss", 2, 14),  # two frames early, three frames late
        ("ssssscccddsssss", 9, 12),  # a cut is neither of the two labels
        # The tolerance covers at most two frames of five. The middle frame of the dissolve is outside, and of
        # each shot, which has one boundary, three frames are.
        ("sssssssssssssss", 9, 14),
        ("ddddddddddddddd", 9, 9),
    ],
)
def test_tolerance_by_hand(prediction: str, tolerance: int, correct: int) -> None:
    scores = score_frames([spell(prediction)], [spell("sssssdddddsssss")], LABELS, tolerance)
    assert scores["accuracy"] == pytest.approx(100 * correct / 15)


def test_tolerance_does_not_cover_a_segment_of_one_frame() -> None:
    reference = spell("sssssscssssss")
    assert score_frames([reference], [reference], LABELS, 3)["macro-F1"] == 100
    missed = score_frames([spell("sssssssssssss")], [reference], LABELS, 3)
    assert missed["F1 cut"] == 0
    # One frame late: the prediction is accepted there, but the frame of the cut itself is wrong.
    late = score_frames([spell("ssssssscsssss")], [reference], LABELS, 1)
    assert late["accuracy"] == pytest.approx(100 * 12 / 13)
    assert late["F1 cut"] == pytest.approx(100 * 2 * 1 / (1 + 2))
    assert late["F1 shot"] == pytest.approx(100 * 2 * 11 / (12 + 11))


@pytest.mark.parametrize("seed", range(3))
def test_tolerance_accepts_the_label_across_a_near_boundary(seed: int) -> None:
    """Checked frame by frame; "near" never reaches half a segment."""
    references, tolerance = random_sequences(seed, 12, stay=0.85), 2
    predictions = corrupt(references, seed, 0.5)
    correct = tolerated = 0
    for prediction, reference in zip(predictions, references, strict=True):
        segments = find_segments(reference)
        for index, (label, start, end) in enumerate(segments):
            for frame in range(start, end):
                accepted = {label}
                if index > 0 and frame - start < min(tolerance, (end - start - 1) // 2):
                    accepted.add(segments[index - 1].label)
                if index < len(segments) - 1 and end - 1 - frame < min(tolerance, (end - start - 1) // 2):
                    accepted.add(segments[index + 1].label)
                correct += prediction[frame] in accepted
                tolerated += prediction[frame] in accepted - {label}
    assert tolerated > 0
    accuracy = score_frames(predictions, references, LABELS, tolerance)["accuracy"]
    assert accuracy == pytest.approx(100 * correct / sum(map(len, references)))


# Several labels per frame.


def test_multilabel_scores_by_hand() -> None:
    """The columns are a, b and c, which never occurs; the sequences have three frames and one."""
    predictions = [np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]], bool), np.array([[1, 1, 0]], bool)]
    references = [np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], bool), np.array([[1, 0, 0]], bool)]
    # a: 2 true positives, 3 predicted, 3 actual. b: 1, 2, 1.
    expected = {"micro-F1": 100 * 2 * 3 / 9, "macro-F1": 100 * (2 / 3 + 2 / 3) / 2}
    expected |= {"F1 a": 100 * 2 * 2 / 6, "F1 b": 100 * 2 * 1 / 3}
    assert score_multilabel_frames(predictions, references, ["a", "b", "c"]) == pytest.approx(expected)
    nothing = [np.zeros([4, 3], bool)]
    assert score_multilabel_frames(nothing, nothing, ["a", "b", "c"]) == {"micro-F1": 100, "macro-F1": 100}


def to_multilabel(sequences: list[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(labels)[:, np.newaxis] == np.array(LABELS) for labels in sequences]


@pytest.mark.parametrize("seed", range(3))
def test_multilabel_scores_equal_single_label_scores_for_one_label_per_frame(seed: int) -> None:
    references = random_sequences(seed)
    predictions = corrupt(references, seed)
    single = score_frames(predictions, references, LABELS)
    multi = score_multilabel_frames(to_multilabel(predictions), to_multilabel(references), LABELS)
    assert multi.pop("micro-F1") == pytest.approx(single.pop("accuracy"))
    assert multi == pytest.approx(single)


# By segment.


@pytest.mark.parametrize(
    ("prediction", "reference", "background", "score"),
    [
        ("sssdss", "sddddd", (), 1 - 1 / 3),  # s d s for s d: one deletion
        ("ssdd", "ddss", (), 0),  # s d for d s: two substitutions
        ("scsdsf", "sdsfff", (), 1 - 2 / 6),  # s c s d s f for s d s f: two deletions
        ("sscd", "sfcs", (), 1 - 2 / 4),  # s c d for s f c s: one insertion, one substitution
        ("scsdsf", "sdsfff", ("shot",), 1 - 1 / 3),  # c d f for d f
        ("csc", "cdc", ("shot",), 1 - 1 / 3),  # c c for c d c: removing the background merges no segments
        ("ssss", "ssss", ("shot",), 1),  # nothing for nothing
        ("ssss", "sscs", ("shot",), 0),  # nothing for c
    ],
)
def test_edit_score_by_hand(
    prediction: str, reference: str, background: tuple[str, ...], score: float
) -> None:
    sequences = [spell(prediction)], [spell(reference)]
    assert segmental_edit_score(*sequences, background) == pytest.approx(100 * score)
    # Each sequence has the same weight, whatever its length.
    other = spell("sssdddsssfff")
    mean = segmental_edit_score([spell(prediction), other], [spell(reference), other], background)
    assert mean == pytest.approx(100 * (score + 1) / 2)


def levenshtein(a: list[str], b: list[str]) -> int:
    """The recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(
        levenshtein(a[1:], b) + 1,
        levenshtein(a, b[1:]) + 1,
        levenshtein(a[1:], b[1:]) + (a[0] != b[0]),
    )


def test_edit_score_is_a_levenshtein_distance() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        prediction, reference = random.choice(LABELS, [2, 6])
        a, b = ([segment.label for segment in find_segments(side)] for side in (prediction, reference))
        expected = 1 - levenshtein(a, b) / max(len(a), len(b))
        assert segmental_edit_score([prediction], [reference]) == pytest.approx(100 * expected)


def test_segmental_f1_by_hand() -> None:
    """Frames 0-9 shot, 10-13 dissolve, 14-19 shot, predicted as 0-7, 8-12 and 13-19."""
    predictions, references = [spell("s" * 8 + "d" * 5 + "s" * 7)], [spell("s" * 10 + "d" * 4 + "s" * 6)]
    # Intersections over unions: 8 / 10, 3 / 6 and 6 / 7.
    for overlap, true_positives in ((0.1, 3), (0.5, 3), (0.51, 2), (0.8, 2), (0.81, 1), (0.9, 0)):
        assert segmental_f1(predictions, references, overlap) == pytest.approx(100 * true_positives / 3)
    # The dissolve alone; and counts are summed over sequences.
    assert segmental_f1(predictions, references, 0.51, ["shot"]) == 0
    more = [spell("ddssss")]
    both = segmental_f1(predictions + more, references + more, 0.51, ["shot"])
    assert both == pytest.approx(100 * 2 * 1 / (2 + 2))


def test_reference_segment_is_matched_once() -> None:
    """A dissolve of ten frames, predicted as two with a cut between: the second one is a false positive."""
    predictions, references = [spell("ddddcddddd")], [spell("dddddddddd")]
    assert segmental_f1(predictions, references, 0.1) == pytest.approx(100 * 2 * 1 / (3 + 1))
    # The other way round, one prediction matches one reference.
    assert segmental_f1(references, predictions, 0.1) == pytest.approx(100 * 2 * 1 / (1 + 3))


def test_predicted_segment_is_compared_with_its_best_reference_only() -> None:
    """Two predictions overlap the same reference most; as usual, the second best is not tried."""
    predictions, references = [spell("ddcdddddss")], [spell("ddddddcddd")]
    # Frames 0-1 and 3-7 over 0-5: 2 / 6 and 3 / 8; over 7-9: 0 and 1 / 7. The cut, 2 over 6, is wrong.
    assert segmental_f1(predictions, references, 0.1, ["shot"]) == pytest.approx(100 * 2 * 1 / (3 + 3))
    # Above 2 / 6 only the second prediction matches.
    assert segmental_f1(predictions, references, 0.36, ["shot"]) == pytest.approx(100 * 2 * 1 / (3 + 3))
    assert segmental_f1(predictions, references, 0.38, ["shot"]) == 0


@pytest.mark.parametrize("overlap", [0.1, 0.25, 0.5])
def test_segmental_f1_equals_that_of_sets_of_frames(overlap: float) -> None:
    references = random_sequences(1, 12)
    predictions = corrupt(references, 2)
    true_positives = num_predicted = num_actual = 0
    for pair in zip(predictions, references, strict=True):
        predicted, actual = (
            [(label, set(range(start, end))) for label, start, end in find_segments(labels)]
            for labels in pair
        )
        is_matched = [False] * len(actual)
        for label, frames in predicted:
            ious = [len(frames & other) / len(frames | other) * (label == name) for name, other in actual]
            best = int(np.argmax(ious))
            if ious[best] >= overlap and not is_matched[best]:
                is_matched[best] = True
                true_positives += 1
        num_predicted += len(predicted)
        num_actual += len(actual)
    assert 0 < true_positives < min(num_predicted, num_actual)
    precision, recall = true_positives / num_predicted, true_positives / num_actual
    expected = 100 * 2 * precision * recall / (precision + recall)
    assert segmental_f1(predictions, references, overlap) == pytest.approx(expected)


# By transition.


@pytest.mark.parametrize(
    ("letters", "transitions"),
    [
        ("", []),
        ("ssss", []),
        ("scsdd", [Segment("cut", 1, 2), Segment("dissolve", 3, 5)]),
        ("sfccs", [Segment("cut", 1, 4)]),  # adjacent labels form one transition
        ("dccdfds", [Segment("dissolve", 0, 6)]),  # three scattered frames outnumber two adjacent ones
        ("sdcs", [Segment("dissolve", 1, 3)]),  # equally frequent: the first
        ("scffccfs", [Segment("cut", 1, 7)]),
    ],
)
def test_transitions_by_hand(letters: str, transitions: list[Segment]) -> None:
    assert find_transitions(spell(letters), "shot") == transitions


@pytest.mark.parametrize(
    ("letters", "max_gap", "transitions"),
    [
        ("sddsdds", 0, []),
        ("sddsdds", 1, [Segment("dissolve", 1, 6)]),
        ("sddssdds", 1, []),
        ("sddssffffs", 2, [Segment("fade", 1, 9)]),
        ("ddddscs", 3, [Segment("dissolve", 0, 4), Segment("cut", 5, 6)]),  # a cut ends a transition
        ("scscs", 3, [Segment("cut", 1, 2), Segment("cut", 3, 4)]),
        ("sddcs", 0, [Segment("cut", 3, 4)]),  # two frames do not name it
        ("sddcdds", 0, [Segment("dissolve", 1, 6)]),
        ("sdfs", 0, []),
        ("sddfs", 0, [Segment("dissolve", 1, 4)]),  # which neither label reaches alone
    ],
)
def test_transitions_with_limits_by_hand(letters: str, max_gap: int, transitions: list[Segment]) -> None:
    limits = {"dissolve": 3, "fade": 3}
    assert find_transitions(spell(letters), "shot", limits, max_gap) == transitions


def test_transition_scores_by_hand() -> None:
    references = [spell("sssscssssssddddssss"), spell("ssssfff"), spell("sssss")]
    predictions = [spell("sscsssssssddsscssss"), spell("sssssss"), spell("ssscs")]
    # A cut that is two frames early, a dissolve with two predictions, one of them a false positive, a missed
    # fade, and another false positive.
    scores = score_transitions(predictions, references, "shot")
    assert scores == pytest.approx(
        TransitionScores(precision=100 * 2 / 4, recall=100 * 2 / 3, f1=100 * 4 / 7, kind_accuracy=100)
    )
    # With a tolerance of one frame the cut is missed as well.
    assert score_transitions(predictions, references, "shot", 1)[:2] == pytest.approx((25, 100 / 3))


@pytest.mark.parametrize(
    ("prediction", "matches"), [((7, 8), False), ((7, 9), True), ((14, 15), True), ((15, 16), False)]
)
def test_transition_tolerance_is_exact(prediction: tuple[int, int], matches: bool) -> None:
    """Frames 10 to 12, with a tolerance of 8 to 14."""
    scores = score_transitions([[Segment("", *prediction)]], [[Segment("cut", 10, 13)]], "shot", 2)
    assert scores == ((100, 100, 100, 0) if matches else (0, 0, 0, 0))


def test_labels_matter_to_kind_accuracy_only() -> None:
    predictions, references = [spell("scssssfffssssds")], [spell("scssssdddssssds")]
    scores = score_transitions(predictions, references, "shot", 0)
    assert scores == pytest.approx(TransitionScores(100, 100, 100, kind_accuracy=100 * 2 / 3))


def test_scores_without_transitions() -> None:
    none, one = [spell("ssss")], [spell("sscs")]
    assert score_transitions(none, none, "shot") == (100, 100, 100, 100)
    assert score_transitions(none, one, "shot") == score_transitions(one, none, "shot") == (0, 0, 0, 0)
    assert score_transitions([[]], one, "shot") == (0, 0, 0, 0)


def test_matching_in_order_of_the_start_would_be_wrong() -> None:
    """The long segment starts first, but has to leave the first reference to the short one."""
    predictions = [[Segment("", 0, 20), Segment("", 4, 6)]]
    references = [[Segment("", 5, 6), Segment("", 15, 16)]]
    assert score_transitions(predictions, references, "shot", 0)[:3] == (100, 100, 100)
    assert score_transitions(references, predictions, "shot", 0)[:3] == (100, 100, 100)


def count_matches(predictions: list[Segment], references: list[Segment], tolerance: int) -> int:
    """The size of the largest matching, found by trying all of them."""
    overlaps = np.array(
        [
            [bool({*range(a, b)} & {*range(c - tolerance, d + tolerance)}) for _, c, d in references]
            for _, a, b in predictions
        ]
    ).reshape(len(predictions), len(references))
    overlaps = overlaps if len(predictions) <= len(references) else overlaps.T
    rows = np.arange(len(overlaps))
    orders = permutations(range(overlaps.shape[1]), len(overlaps))
    return max(int(overlaps[rows, list(order)].sum()) for order in orders)


@pytest.mark.parametrize("tolerance", [0, 1, 2])
def test_number_of_matches_is_the_largest_possible(tolerance: int) -> None:
    """On small sets of segments that may overlap, contain and equal one another."""
    random = np.random.default_rng(tolerance)

    def random_segments() -> list[Segment]:
        starts = random.integers(0, 14, random.integers(0, 6))
        return [Segment("", int(start), int(start + random.integers(1, 7))) for start in starts]

    partial_matchings = 0
    for _ in range(150):
        predictions, references = random_segments(), random_segments()
        matches = count_matches(predictions, references, tolerance)
        scores = score_transitions([predictions], [references], "shot", tolerance)
        if predictions or references:
            assert scores.precision * len(predictions) == pytest.approx(100 * matches)
            assert scores.recall * len(references) == pytest.approx(100 * matches)
            assert scores.f1 == pytest.approx(100 * 2 * matches / (len(predictions) + len(references)))
        partial_matchings += 0 < matches < min(len(predictions), len(references))
    assert partial_matchings > 5


def test_labels_and_segments_score_the_same() -> None:
    references = random_sequences(3)
    predictions = corrupt(references, 4, 0.1)
    predicted, actual = (
        [find_transitions(labels, "shot") for labels in side] for side in (predictions, references)
    )
    expected = score_transitions(predictions, references, "shot", 0)
    assert 0 < expected.f1 < 100
    assert score_transitions(predicted, actual, "shot", 0) == expected
    assert score_transitions(predicted, references, "shot", 0) == expected


# All metrics.


METRICS: dict[str, Callable[..., dict[str, float]]] = {
    "frames": lambda *sides: score_frames(*sides, LABELS),
    "frames, tolerance": lambda *sides: score_frames(*sides, LABELS, 2),
    "multilabel": lambda *sides: score_multilabel_frames(*map(to_multilabel, sides), LABELS),
    "edit": lambda *sides: {"": segmental_edit_score(*sides)},
    "edit, background": lambda *sides: {"": segmental_edit_score(*sides, ["shot"])},
    "segments": lambda *sides: {"": segmental_f1(*sides, 0.25)},
    "segments, background": lambda *sides: {"": segmental_f1(*sides, 1.0, ["shot"])},
    "transitions": lambda *sides: score_transitions(*sides, "shot")._asdict(),
}


@pytest.mark.parametrize("name", METRICS)
def test_perfect_predictions_score_100_and_order_does_not_matter(name: str) -> None:
    metric, references = METRICS[name], random_sequences(5)
    assert set(metric(references, references).values()) == {100}
    predictions = corrupt(references, 6)
    scores = metric(predictions, references)
    assert all(0 <= score <= 100 for score in scores.values())
    assert any(score < 100 for score in scores.values())
    # The order of the sequences does not matter, and lists score as arrays do.
    order = np.random.default_rng(7).permutation(len(references))
    shuffled = metric([predictions[i].tolist() for i in order], [references[i].tolist() for i in order])
    assert shuffled == pytest.approx(scores)


@pytest.mark.parametrize("name", METRICS)
def test_numbers_of_sequences_must_agree(name: str) -> None:
    sequences = random_sequences(5)
    for predictions, references in ((sequences[1:], sequences), ([], [])):
        with pytest.raises(ValueError, match="Expected one reference per prediction"):
            METRICS[name](predictions, references)


@pytest.mark.parametrize("name", [name for name in METRICS if name != "transitions"])
def test_numbers_of_frames_must_agree(name: str) -> None:
    references = random_sequences(5)
    with pytest.raises(ValueError, match=f"Sequence 4: .* got {len(references[4]) - 1} predictions"):
        METRICS[name]([*references[:4], references[4][1:], *references[5:]], references)
    with pytest.raises(ValueError, match="at least one frame"):
        METRICS[name]([references[0]], [references[0]])


def test_unknown_labels_raise() -> None:
    with pytest.raises(ValueError, match="Expected the labels shot, cut, got fade, wipe"):
        score_frames([["fade", "cut"]], [["shot", "wipe"]], ["shot", "cut"])


@pytest.mark.parametrize("labels", ["shot", [b"shot"], np.array([["shot"]]), [1, 2]])
def test_labels_must_be_a_sequence_of_str(labels: object) -> None:
    with pytest.raises(ValueError, match="Expected a sequence of labels"):
        find_segments(labels)


def test_arguments_that_are_not_nested_raise() -> None:
    reference = spell("sscs")
    with pytest.raises(ValueError, match="Expected a sequence of labels"):
        segmental_edit_score(reference, reference)
    with pytest.raises(ValueError, match="to be a collection of labels"):
        segmental_edit_score([reference], [reference], "shot")


@pytest.mark.parametrize("overlap", [0, 10])
def test_overlap_out_of_range_raises(overlap: float) -> None:
    with pytest.raises(ValueError, match="for F1@25, got"):
        segmental_f1([spell("sscs")], [spell("sscs")], overlap)


def test_empty_transition_raises() -> None:
    with pytest.raises(ValueError, match=r"Expected at least one frame .* start=3, end=3"):
        score_transitions([[Segment("cut", 3, 3)]], [spell("sscs")], "shot")


@pytest.mark.parametrize("wrong", [np.ones([3, 2]), np.ones([3, 1], bool), np.ones(3, bool)])
def test_multilabel_arrays_must_have_a_column_per_label(wrong: np.ndarray) -> None:
    valid = np.ones([3, 2], bool)
    for predictions, references in (([wrong], [valid]), ([valid], [wrong])):
        with pytest.raises(ValueError, match=r"Expected bool \[time, 2\] for the labels a, b"):
            score_multilabel_frames(predictions, references, ["a", "b"])
