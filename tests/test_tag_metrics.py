"""Metrics of tagged sequences: by hand, against NumPy, and against all that could be matched."""

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

TAGS = ["shot", "cut", "dissolve", "fade"]


def drawn(seed: int, sequences: int = 6, stay: float = 0.7) -> list[np.ndarray]:
    """Sequences of 0 to 39 frames, which keep a tag for some frames."""
    random = np.random.default_rng(seed)
    made = []
    for length in [0, 1, *random.integers(2, 40, sequences - 2)]:
        tags = random.integers(0, len(TAGS), length)
        for frame in range(1, length):
            if random.random() < stay:
                tags[frame] = tags[frame - 1]
        made.append(np.array(TAGS)[tags])
    return made


def changed(sequences: list[np.ndarray], seed: int, share: float = 0.3) -> list[np.ndarray]:
    """The same lengths, some frames with another tag, or with the same by chance."""
    random = np.random.default_rng(seed)
    return [
        np.where(random.random(len(one)) < share, random.choice(TAGS, len(one)), one) for one in sequences
    ]


def clip(text: str) -> list[str]:
    """Frames by their first letters: s shot, c cut, d dissolve, f fade."""
    return [next(tag for tag in TAGS if tag.startswith(letter)) for letter in text]


# Segments.


def test_segments_by_hand() -> None:
    wanted = [Segment("shot", 0, 3), Segment("cut", 3, 4), Segment("shot", 4, 6)]
    assert find_segments(clip("ssscss")) == find_segments(np.array(clip("ssscss"))) == wanted
    assert find_segments([]) == []
    assert type(find_segments(np.array(["cut"]))[0].label) is str


@pytest.mark.parametrize("seed", range(3))
def test_segments_make_the_sequence_again(seed: int) -> None:
    for tags in drawn(seed):
        found = find_segments(tags)
        assert [one.label for one in found for _ in range(one.start, one.end)] == tags.tolist()
        assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
        assert all(one.label != other.label for one, other in pairwise(found))


# Frame by frame.


def test_frame_scores_by_hand() -> None:
    """Of ten frames eight are right. Nobody speaks of a fade."""
    answers = [clip("sscsss"), clip("sdds")]
    references = [clip("sscscs"), clip("ddds")]
    # shot: 5 right, 7 answered, 5 wanted. cut: 1, 1, 2. dissolve: 2, 2, 3. A fade has no part in the mean.
    figures = {"shot": 2 * 5 / 12, "cut": 2 * 1 / 3, "dissolve": 2 * 2 / 5}
    wanted = {"accuracy": 80, "macro-F1": 100 * sum(figures.values()) / 3}
    wanted |= {f"F1 {tag}": 100 * figure for tag, figure in figures.items()}
    assert score_frames(answers, references, TAGS) == pytest.approx(wanted)


def test_a_tag_that_is_only_answered_counts() -> None:
    scores = score_frames([clip("sf")], [clip("ss")], TAGS)
    assert scores == pytest.approx(
        {"accuracy": 50, "macro-F1": 100 / 3, "F1 shot": 100 * 2 / 3, "F1 fade": 0}
    )


def f1_of_confusions(answers: list[np.ndarray], references: list[np.ndarray]) -> np.ndarray:
    """By a confusion matrix [wanted, answered]: F1 of each tag, NaN where it has none."""
    pairs = np.stack([np.concatenate(references), np.concatenate(answers)])
    matrix = np.array([[np.sum((pairs[0] == i) & (pairs[1] == j)) for j in TAGS] for i in TAGS], float)
    with np.errstate(invalid="ignore"):
        precision = np.nan_to_num(np.diag(matrix) / matrix.sum(0))
        recall = np.nan_to_num(np.diag(matrix) / matrix.sum(1))
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))
    return np.where(matrix.sum(0) + matrix.sum(1), 100 * f1, np.nan)


@pytest.mark.parametrize("seed", range(5))
def test_frame_scores_are_those_of_a_confusion_matrix(seed: int) -> None:
    references = drawn(seed)
    if seed == 0:  # a tag that nobody knows
        references = [np.where(one == "fade", "cut", one) for one in references]
    answers = changed(references, seed + 100)
    if seed == 0:
        answers = [np.where(one == "fade", "cut", one) for one in answers]
    scores, known = score_frames(answers, references, TAGS), f1_of_confusions(answers, references)
    assert np.isnan(known).any() == (seed == 0)
    assert scores["macro-F1"] == pytest.approx(np.nanmean(known))
    assert [scores.get(f"F1 {tag}", np.nan) for tag in TAGS] == pytest.approx(known, nan_ok=True)
    same = np.concatenate(answers) == np.concatenate(references)
    assert scores["accuracy"] == pytest.approx(100 * same.mean())


@pytest.mark.parametrize(
    ("answer", "tolerance", "right"),
    [
        # Of sssssdddddsssss, with boundaries at 5 and 10.
        ("ssssdddddddssss", 0, 13),
        ("ssssdddddddssss", 1, 15),  # a frame early and a frame late
        ("sssssssdddsssss", 1, 14),  # two late: frame 6 is not beside the boundary
        ("sssssssdddsssss", 2, 15),
        ("sssdddddddsssss", 1, 14),  # two early: frame 3 is not
        ("sssddddddddddss", 2, 14),  # two early; three late
        ("ssssscccddsssss", 9, 12),  # a cut is neither of the two tags
        # However large, it reaches over two frames of five: the middle of the dissolve stays, and of each
        # shot, which has one boundary alone, three frames.
        ("sssssssssssssss", 9, 14),
        ("ddddddddddddddd", 9, 9),
    ],
)
def test_tolerance_by_hand(answer: str, tolerance: int, right: int) -> None:
    scores = score_frames([clip(answer)], [clip("sssssdddddsssss")], TAGS, tolerance)
    assert scores["accuracy"] == pytest.approx(100 * right / 15)


def test_f1_with_a_tolerance_by_hand() -> None:
    """Between a shot and a cut of one frame only the shot gives way, so that a cut cannot be missed."""
    reference = clip("sssssscssssss")
    assert score_frames([reference], [reference], TAGS, 3)["macro-F1"] == 100
    missed = score_frames([clip("sssssssssssss")], [reference], TAGS, 3)
    assert missed["F1 cut"] == 0
    # A frame late: there the cut is as good as the shot, and where it should have been it is missed.
    late = score_frames([clip("ssssssscsssss")], [reference], TAGS, 1)
    assert late["accuracy"] == pytest.approx(100 * 12 / 13)
    assert late["F1 cut"] == pytest.approx(100 * 2 * 1 / (1 + 2))
    assert late["F1 shot"] == pytest.approx(100 * 2 * 11 / (12 + 11))


@pytest.mark.parametrize("seed", range(3))
def test_a_tolerance_forgives_what_it_says(seed: int) -> None:
    """Frame by frame, of all boundaries: the tag across one that is near, but not half a segment away."""
    references, tolerance = drawn(seed, 12, stay=0.85), 2
    answers = changed(references, seed, 0.5)
    right = forgiven = 0
    for answer, reference in zip(answers, references, strict=True):
        parts = find_segments(reference)
        for number, (tag, start, end) in enumerate(parts):
            for frame in range(start, end):
                allowed = {tag}
                if number > 0 and frame - start < min(tolerance, (end - start - 1) // 2):
                    allowed.add(parts[number - 1].label)
                if number < len(parts) - 1 and end - 1 - frame < min(tolerance, (end - start - 1) // 2):
                    allowed.add(parts[number + 1].label)
                right += answer[frame] in allowed
                forgiven += answer[frame] in allowed - {tag}
    assert forgiven > 0
    frames = sum(map(len, references))
    assert score_frames(answers, references, TAGS, tolerance)["accuracy"] == pytest.approx(
        100 * right / frames
    )


# Several tags a frame.


def test_multi_label_scores_by_hand() -> None:
    """The columns are a, b and c, of which c is never borne; two sequences of three frames and one."""
    answers = [np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]], bool), np.array([[1, 1, 0]], bool)]
    references = [np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], bool), np.array([[1, 0, 0]], bool)]
    # a: 2 right, 3 answered, 3 wanted. b: 1, 2, 1.
    wanted = {"micro-F1": 100 * 2 * 3 / 9, "macro-F1": 100 * (2 / 3 + 2 / 3) / 2}
    wanted |= {"F1 a": 100 * 2 * 2 / 6, "F1 b": 100 * 2 * 1 / 3}
    assert score_multilabel_frames(answers, references, ["a", "b", "c"]) == pytest.approx(wanted)
    nothing = [np.zeros([4, 3], bool)]
    assert score_multilabel_frames(nothing, nothing, ["a", "b", "c"]) == {"micro-F1": 100, "macro-F1": 100}


@pytest.mark.parametrize("seed", range(3))
def test_one_tag_a_frame_is_a_case_of_several(seed: int) -> None:
    references = drawn(seed)
    answers = changed(references, seed)
    single = score_frames(answers, references, TAGS)
    several = score_multilabel_frames(
        *([one[:, np.newaxis] == np.array(TAGS) for one in side] for side in (answers, references)), TAGS
    )
    assert several.pop("micro-F1") == pytest.approx(single.pop("accuracy"))
    assert several == pytest.approx(single)


# Segment by segment.


@pytest.mark.parametrize(
    ("answer", "reference", "background", "score"),
    [
        ("sssdss", "sddddd", (), 1 - 1 / 3),  # s d s for s d: one of three is too many
        ("ssdd", "ddss", (), 0),  # s d for d s: two replaced
        ("scsdsf", "sdsfff", (), 1 - 2 / 6),  # s c s d s f for s d s f: two too many
        ("sscd", "sfcs", (), 1 - 2 / 4),  # s c d for s f c s: f is missing, d is no s
        ("scsdsf", "sdsfff", ("shot",), 1 - 1 / 3),  # c d f for d f
        ("csc", "cdc", ("shot",), 1 - 1 / 3),  # c c for c d c: what stood apart stays two
        ("ssss", "ssss", ("shot",), 1),  # nothing for nothing
        ("ssss", "sscs", ("shot",), 0),  # nothing for c
    ],
)
def test_segment_edit_by_hand(answer: str, reference: str, background: tuple[str, ...], score: float) -> None:
    sequences = [clip(answer)], [clip(reference)]
    assert segmental_edit_score(*sequences, background) == pytest.approx(100 * score)
    # Of several sequences it is the mean, however long they are.
    right = clip("sssdddsssfff")
    both = segmental_edit_score([clip(answer), right], [clip(reference), right], background)
    assert both == pytest.approx(100 * (score + 1) / 2)


def distance(one: list[str], other: list[str]) -> int:
    """Levenshtein's, as it is defined."""
    if not one or not other:
        return len(one) + len(other)
    return min(
        distance(one[1:], other) + 1,
        distance(one, other[1:]) + 1,
        distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


def test_segment_edit_is_levenshteins_distance() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        answer, reference = random.choice(TAGS, [2, 6])
        one, other = ([part.label for part in find_segments(tags)] for tags in (answer, reference))
        wanted = 1 - distance(one, other) / max(len(one), len(other))
        assert segmental_edit_score([answer], [reference]) == pytest.approx(100 * wanted)


def test_segment_f1_by_hand() -> None:
    """Frames 0-9 shot, 10-13 dissolve, 14-19 shot, answered as 0-7, 8-12 and 13-19."""
    answers, references = [clip("s" * 8 + "d" * 5 + "s" * 7)], [clip("s" * 10 + "d" * 4 + "s" * 6)]
    # Intersections over unions: 8 / 10, 3 / 6 and 6 / 7.
    for overlap, right in ((0.1, 3), (0.5, 3), (0.51, 2), (0.8, 2), (0.81, 1), (0.9, 0)):
        assert segmental_f1(answers, references, overlap) == pytest.approx(100 * right / 3)
    # Of the dissolve alone, and of a whole set: the counts are added up, not the figures.
    assert segmental_f1(answers, references, 0.51, ["shot"]) == 0
    more = [clip("ddssss")]
    both = segmental_f1(answers + more, references + more, 0.51, ["shot"])
    assert both == pytest.approx(100 * 2 * 1 / (2 + 2))


def test_a_reference_is_met_once() -> None:
    """A dissolve of ten frames, answered in two parts with a cut between: the second part is wrong."""
    answers, references = [clip("ddddcddddd")], [clip("dddddddddd")]
    assert segmental_f1(answers, references, 0.1) == pytest.approx(100 * 2 * 1 / (3 + 1))
    # The other way round one answer meets one reference.
    assert segmental_f1(references, answers, 0.1) == pytest.approx(100 * 2 * 1 / (1 + 3))


def test_an_answer_goes_to_the_reference_that_it_fits_best() -> None:
    """Two answers fit the same reference best: the usual protocol does not try the next for either."""
    answers, references = [clip("ddcdddddss")], [clip("ddddddcddd")]
    # Frames 0-1 and 3-7 over 0-5: 2 / 6 and 3 / 8; over 7-9: 0 and 1 / 7. The cut, 2 over 6, is wrong.
    assert segmental_f1(answers, references, 0.1, ["shot"]) == pytest.approx(100 * 2 * 1 / (3 + 3))
    # With more overlap wanted, only the later of the two meets it.
    assert segmental_f1(answers, references, 0.36, ["shot"]) == pytest.approx(100 * 2 * 1 / (3 + 3))
    assert segmental_f1(answers, references, 0.38, ["shot"]) == 0


@pytest.mark.parametrize("overlap", [0.1, 0.25, 0.5])
def test_segment_f1_by_counting_frames(overlap: float) -> None:
    """The protocol again, with sets of frames."""
    references = drawn(1, 12)
    answers = changed(references, 2)
    right = answered = wanted = 0
    for pair in zip(answers, references, strict=True):
        found, known = (
            [(tag, set(range(start, end))) for tag, start, end in find_segments(one)] for one in pair
        )
        used = [False] * len(known)
        for tag, frames in found:
            shares = [len(frames & own) / len(frames | own) * (tag == name) for name, own in known]
            best = int(np.argmax(shares))
            if shares[best] >= overlap and not used[best]:
                used[best] = True
                right += 1
        answered += len(found)
        wanted += len(known)
    assert 0 < right < min(answered, wanted)
    precision, recall = right / answered, right / wanted
    figure = 100 * 2 * precision * recall / (precision + recall)
    assert segmental_f1(answers, references, overlap) == pytest.approx(figure)


# Transitions.


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("", []),
        ("ssss", []),
        ("scsdd", [Segment("cut", 1, 2), Segment("dissolve", 3, 5)]),
        ("sfccs", [Segment("cut", 1, 4)]),  # two kinds side by side are one transition
        ("dccdfds", [Segment("dissolve", 0, 6)]),  # three frames against two in a row
        ("sdcs", [Segment("dissolve", 1, 3)]),  # of equals the first
        ("scffccfs", [Segment("cut", 1, 7)]),
    ],
)
def test_transitions_by_hand(tags: str, found: list[Segment]) -> None:
    assert find_transitions(clip(tags), "shot") == found


def test_transition_scores_by_hand() -> None:
    references = [clip("sssscssssssddddssss"), clip("ssssfff"), clip("sssss")]
    answers = [clip("sscsssssssddsscssss"), clip("sssssss"), clip("ssscs")]
    # A cut two frames early; a dissolve met by two answers, of which one is too many; a fade is missed; the
    # last is invented.
    scores = score_transitions(answers, references, "shot")
    assert scores == pytest.approx(
        TransitionScores(precision=100 * 2 / 4, recall=100 * 2 / 3, f1=100 * 4 / 7, kind_accuracy=100)
    )
    # With a frame less than the usual two the cut is missed, too.
    assert score_transitions(answers, references, "shot", 1)[:2] == pytest.approx((25, 100 / 3))


@pytest.mark.parametrize(
    ("answer", "matches"), [((7, 8), False), ((7, 9), True), ((14, 15), True), ((15, 16), False)]
)
def test_the_tolerance_of_a_transition_ends_where_it_should(answer: tuple[int, int], matches: bool) -> None:
    """Frames 10 to 12, with 8, 9, 13 and 14 beside them."""
    scores = score_transitions([[Segment("", *answer)]], [[Segment("cut", 10, 13)]], "shot", 2)
    assert scores == ((100, 100, 100, 0) if matches else (0, 0, 0, 0))


def test_kinds_do_not_matter_but_for_their_own_figure() -> None:
    answers, references = [clip("scssssfffssssds")], [clip("scssssdddssssds")]
    scores = score_transitions(answers, references, "shot", 0)
    assert scores == pytest.approx(TransitionScores(100, 100, 100, kind_accuracy=100 * 2 / 3))


def test_where_there_are_no_transitions() -> None:
    none, one = [clip("ssss")], [clip("sscs")]
    assert score_transitions(none, none, "shot") == (100, 100, 100, 100)
    assert score_transitions(none, one, "shot") == score_transitions(one, none, "shot") == (0, 0, 0, 0)
    assert score_transitions([[]], one, "shot") == (0, 0, 0, 0)


def test_a_first_choice_that_is_wrong() -> None:
    """The long answer must leave the first reference to the short one, though it begins before it."""
    answers = [[Segment("", 0, 20), Segment("", 4, 6)]]
    references = [[Segment("", 5, 6), Segment("", 15, 16)]]
    for one, other in ((answers, references), (references, answers)):
        assert score_transitions(one, other, "shot", 0)[:3] == (100, 100, 100)


def most_matches(answers: list[Segment], references: list[Segment], tolerance: int) -> int:
    """By all ways to give the fewer of them partners."""
    fits = np.array(
        [
            [bool({*range(a, b)} & {*range(c - tolerance, d + tolerance)}) for _, c, d in references]
            for _, a, b in answers
        ]
    ).reshape(len(answers), len(references))
    fits = fits if len(answers) <= len(references) else fits.T
    rows = np.arange(len(fits))
    return max(int(fits[rows, list(order)].sum()) for order in permutations(range(fits.shape[1]), len(fits)))


@pytest.mark.parametrize("tolerance", [0, 1, 2])
def test_as_many_as_can_do_match(tolerance: int) -> None:
    """Small sets of ranges that may overlap one another, hold one another, or be the same."""
    random = np.random.default_rng(tolerance)

    def ranges() -> list[Segment]:
        starts = random.integers(0, 14, random.integers(0, 6))
        return [Segment("", int(start), int(start + random.integers(1, 7))) for start in starts]

    short = 0
    for _ in range(150):
        answers, references = ranges(), ranges()
        most = most_matches(answers, references, tolerance)
        scores = score_transitions([answers], [references], "shot", tolerance)
        if answers or references:
            assert scores.precision * len(answers) == pytest.approx(100 * most)
            assert scores.recall * len(references) == pytest.approx(100 * most)
            assert scores.f1 == pytest.approx(100 * 2 * most / (len(answers) + len(references)))
        short += 0 < most < min(len(answers), len(references))
    assert short > 5


def test_tags_and_their_transitions_score_the_same() -> None:
    references = drawn(3)
    answers = changed(references, 4, 0.1)
    ranges = [[find_transitions(one, "shot") for one in side] for side in (answers, references)]
    wanted = score_transitions(answers, references, "shot", 0)
    assert 0 < wanted.f1 < 100
    assert score_transitions(*ranges, "shot", 0) == wanted
    assert score_transitions(ranges[0], references, "shot", 0) == wanted


# All of them.


def single(call: Callable) -> Callable:
    return lambda *sides: {"": call(*sides)}


METRICS = {
    "frames": lambda *sides: score_frames(*sides, TAGS),
    "frames, tolerant": lambda *sides: score_frames(*sides, TAGS, 2),
    "several": lambda *sides: score_multilabel_frames(
        *([np.asarray(one)[:, np.newaxis] == np.array(TAGS) for one in side] for side in sides), TAGS
    ),
    "edit": single(segmental_edit_score),
    "edit, no shots": single(lambda *sides: segmental_edit_score(*sides, ["shot"])),
    "segments": single(lambda *sides: segmental_f1(*sides, 0.25)),
    "segments, no shots": single(lambda *sides: segmental_f1(*sides, 1.0, ["shot"])),
    "transitions": lambda *sides: score_transitions(*sides, "shot")._asdict(),
}


@pytest.mark.parametrize("name", METRICS)
def test_what_is_right_is_right_in_full(name: str) -> None:
    metric, references = METRICS[name], drawn(5)
    assert set(metric(references, references).values()) == {100}
    answers = changed(references, 6)
    scores = metric(answers, references)
    assert all(0 <= score <= 100 for score in scores.values())
    assert any(score < 100 for score in scores.values())
    # In whatever order the sequences come, and whether they are arrays or lists.
    order = np.random.default_rng(7).permutation(len(references))
    shuffled = metric([answers[i].tolist() for i in order], [references[i].tolist() for i in order])
    assert shuffled == pytest.approx(scores)


@pytest.mark.parametrize("name", METRICS)
def test_a_reference_for_each_answer(name: str) -> None:
    references = drawn(5)
    for answers, wanted in ((references[1:], references), ([], [])):
        with pytest.raises(ValueError, match="Expected a reference for each answer"):
            METRICS[name](answers, wanted)


@pytest.mark.parametrize("name", [name for name in METRICS if name != "transitions"])
def test_a_tag_for_each_frame(name: str) -> None:
    right = drawn(5)
    with pytest.raises(ValueError, match=f"Sequence 4: .* got {len(right[4]) - 1} answers"):
        METRICS[name]([*right[:4], right[4][1:], *right[5:]], right)
    with pytest.raises(ValueError, match="one frame at least"):
        METRICS[name]([right[0]], [right[0]])


def test_what_cannot_be_scored_is_told() -> None:
    right = [clip("sscs")]
    with pytest.raises(ValueError, match="Expected the tags shot, cut, got fade, wipe"):
        score_frames([["fade", "cut"]], [["shot", "wipe"]], ["shot", "cut"])
    for flat in ("shot", [b"shot"], np.array([["shot"]]), [1, 2]):
        with pytest.raises(ValueError, match="Expected a sequence of tags"):
            find_segments(flat)
    with pytest.raises(ValueError, match="Expected a sequence of tags"):
        segmental_edit_score(right[0], right[0])
    with pytest.raises(ValueError, match="Expected a collection of tags"):
        segmental_edit_score(right, right, "shot")
    for overlap in (0, 10):
        with pytest.raises(ValueError, match="for F1@25, got"):
            segmental_f1(right, right, overlap)
    with pytest.raises(ValueError, match=r"Expected a frame at least .* start=3, end=3"):
        score_transitions([[Segment("cut", 3, 3)]], right, "shot")
    for labels in (np.ones([3, 2]), np.ones([3, 1], bool), np.ones(3, bool)):
        for sides in (([labels], [np.ones([3, 2], bool)]), ([np.ones([3, 2], bool)], [labels])):
            with pytest.raises(ValueError, match=r"Expected bool \[time, 2\] for the tags a, b"):
                score_multilabel_frames(*sides, ["a", "b"])
