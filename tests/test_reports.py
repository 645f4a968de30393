"""Reports: scores by class, mistakes, calibration and warnings, compared with brute force."""

import json
import re
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import ROOT
from huggingface_hub import ModelCard
from PIL import Image

import zoo
from zoo.card import format_page, format_report, get_metadata, read_card
from zoo.cli.recipes import choose_examples, format_columns, may_publish, print_examples, print_results
from zoo.datasets import DataInfo, DataSplits, TaggingSplit
from zoo.datasets.tfds_catalog import find_builder, get_data_info, permits_redistribution
from zoo.errors import UsageError
from zoo.metrics import (
    confusion_matrix,
    expected_calibration_error,
    macro_f1,
    score_classes,
    sentence_chrf,
    wilson_interval,
)
from zoo.reports import (
    Calibration,
    ClassificationReport,
    SplitSummary,
    add_warnings,
    calibrate_classifier,
    calibrate_tagger,
    describe_steps,
    describe_texts,
    find_temperature,
    fold_temperature,
    measure_text_overlap,
    plot_confusion_matrix,
    read_first_texts,
    report_generation,
    summarize_tags,
    summarize_texts,
)
from zoo.reports.calibration import compute_probabilities
from zoo.reports.warnings import compare_with_baselines
from zoo.training import bucket_by_length

BALANCED = SplitSummary(np.array([0.5, 0.5]), overlap=0.0)


def make_report(
    probabilities: object, references: object, summary: SplitSummary = BALANCED, **fields: object
) -> ClassificationReport:
    probabilities = np.array(probabilities)
    labels = tuple("abcdefgh"[: probabilities.shape[1]])
    return ClassificationReport(
        labels, probabilities, np.array(references), Calibration(1.0, 5.0, 5.0), summary, **fields
    )


def make_texts(texts: list[str], labels: list[int]) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((texts, labels))


# Metrics.


def test_scores_by_class_equal_brute_force() -> None:
    random = np.random.default_rng(0)
    predictions, references = random.integers(0, 4, (2, 300))
    matrix = confusion_matrix(predictions, references, 5)
    scores = score_classes(np.diag(matrix), matrix.sum(0), matrix.sum(1))
    pairs = list(zip(references.tolist(), predictions.tolist(), strict=True))
    for i in range(5):
        assert matrix[i].tolist() == [pairs.count((i, j)) for j in range(5)]
    for i in range(4):
        right = pairs.count((i, i))
        precision = right / sum(predicted == i for _, predicted in pairs)
        recall = right / sum(true == i for true, _ in pairs)
        expected = (precision, recall, 2 * precision * recall / (precision + recall))
        np.testing.assert_allclose(scores[i][:3], np.multiply(100, expected))
    assert scores[4] == (None, None, None, 0)
    assert macro_f1(scores) == pytest.approx(np.mean([scores[i].f1 for i in range(4)]))


def test_ratios_without_a_denominator_are_undefined() -> None:
    """Class 1 is never predicted, class 2 has no examples, class 3 neither."""
    matrix = confusion_matrix(np.array([0, 0, 2]), np.array([0, 1, 0]), 4)
    scores = score_classes(np.diag(matrix), matrix.sum(0), matrix.sum(1))
    assert scores[1:] == ((None, 0.0, 0.0, 1), (0.0, None, 0.0, 0), (None, None, None, 0))
    assert macro_f1(scores) == pytest.approx(50 / 3)
    with pytest.raises(ValueError, match="got none"):
        macro_f1(scores[3:])


def test_confusion_matrix_refuses_other_classes_and_shapes() -> None:
    with pytest.raises(ValueError, match=r"predictions from 0 to 1, got 0 to 2"):
        confusion_matrix(np.array([0, 2]), np.array([0, 1]), 2)
    with pytest.raises(ValueError, match=r"one shape \[n\], got \[1\] and \[2\]"):
        confusion_matrix(np.array([0]), np.array([0, 1]), 2)


def test_calibration_error_by_hand() -> None:
    """Bins of a tenth: {0.95, 0.95} with one right, {0.55} right, {0.51} wrong with 0.55: two of them."""
    confidences = np.array([0.95, 0.95, 0.55, 0.51, 0.7])  # 0.7 is the upper bound of (0.6, 0.7]
    is_right = np.array([True, False, True, False, True])
    expected = (2 * abs(0.5 - 0.95) + 2 * abs(0.5 - 0.53) + 1 * abs(1 - 0.7)) / 5
    assert expected_calibration_error(confidences, is_right, bins=10) == pytest.approx(100 * expected)


def test_calibration_error_equals_brute_force() -> None:
    random = np.random.default_rng(1)
    confidences = random.uniform(size=500)
    is_right = random.uniform(size=500) < confidences**2
    expected = 0.0
    for k in range(15):
        inside = (confidences > k / 15) & (confidences <= (k + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(is_right[inside].mean() - confidences[inside].mean())
    assert expected_calibration_error(confidences, is_right) == pytest.approx(100 * expected)


@pytest.mark.parametrize("confidences", [[], [1.5], [np.nan]])
def test_calibration_error_refuses_what_are_no_probabilities(confidences: list[float]) -> None:
    with pytest.raises(ValueError, match="Expected confidences"):
        expected_calibration_error(np.array(confidences), np.zeros(len(confidences), bool))


def test_sentence_chrf_takes_the_best_reference() -> None:
    assert sentence_chrf(["a cat"], [["dogs", "a cat"]]) == [100.0]
    with pytest.raises(ValueError, match="Got 1 predictions and references for 0"):
        sentence_chrf(["a cat"], [])


# Calibration.


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_of_logits_that_are_too_large_or_small(factor: float) -> None:
    random = np.random.default_rng(2)
    logits = random.normal(0, 2, (20_000, 3))
    cumulated = compute_probabilities(logits).cumsum(1)
    references = (random.uniform(size=(len(logits), 1)) > cumulated).sum(1)
    assert find_temperature(factor * logits, references) == pytest.approx(factor, rel=0.05)


def test_temperature_has_the_lowest_smoothed_crossentropy() -> None:
    random = np.random.default_rng(3)
    logits, references = random.normal(0, 3, (40, 3)), random.integers(0, 3, 40)
    targets = (40 * np.eye(3)[references] + 1) / 43
    candidates = np.geomspace(0.05, 20, 4000)
    losses = [-np.sum(targets * np.log(compute_probabilities(logits / t))) for t in candidates]
    assert find_temperature(logits, references) == pytest.approx(candidates[np.argmin(losses)], rel=2e-3)


def test_temperature_of_several_labels() -> None:
    random = np.random.default_rng(4)
    logits = random.normal(0, 2, (10_000, 2))
    references = random.uniform(size=logits.shape) < compute_probabilities(logits, multi_label=True)
    assert find_temperature(2 * logits, references) == pytest.approx(2, rel=0.05)


def test_temperature_stays_in_its_bounds() -> None:
    logits = np.array([[2.0, -2.0]] * 10)
    always_right = find_temperature(logits, np.zeros(10, int))
    assert pytest.approx(compute_probabilities(logits / always_right)[0, 0], rel=1e-3) == 11 / 12
    assert find_temperature(logits, np.ones(10, int)) == pytest.approx(20)
    with pytest.raises(ValueError, match="finite logits"):
        find_temperature(np.array([[np.nan, 0.0]]), np.array([0]))


def test_temperature_is_folded_into_the_last_layer() -> None:
    layer = keras.layers.Dense(3)
    x = np.random.default_rng(5).normal(size=(4, 6)).astype("float32")
    layer.build((None, 6))
    layer.bias.assign([1.0, -2.0, 0.5])
    logits = layer(x).numpy()
    fold_temperature(layer, 2.5)
    np.testing.assert_allclose(layer(x), logits / 2.5, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="softmax"):
        fold_temperature(keras.layers.Dense(3, activation="softmax"), 2.0)


def test_temperature_that_does_not_help_on_validation_is_left_out() -> None:
    """On validation the probabilities are right already, which smoothed targets would change a little."""
    logits = np.log([[0.75, 0.25]] * 4)
    validation = (logits, np.array([0, 0, 0, 1]))
    report = ClassificationReport.from_logits("ab", validation, (logits, np.array([0, 0, 1, 1])), BALANCED)
    assert report.calibration == (1.0, pytest.approx(25), pytest.approx(25))


def make_classifier() -> tuple[zoo.ManyToOne, list[list[int]], np.ndarray]:
    """A model with random weights, and texts of different lengths with random classes."""
    keras.utils.set_random_seed(1)
    model = zoo.ManyToOne(20, 8, zoo.Encoder(zoo.GRUCell(8)), classes=3)
    model.build((None, None))
    model.scores.kernel.assign(40 * model.scores.kernel)
    random = np.random.default_rng(6)
    texts = [random.integers(1, 20, random.integers(1, 12)).tolist() for _ in range(120)]
    return model, texts, random.integers(0, 3, 120)


def test_classifier_is_calibrated_and_rows_are_in_the_order_of_the_examples() -> None:
    model, texts, classes = make_classifier()
    data = tf.data.Dataset.from_tensor_slices((tf.ragged.constant(texts), classes))
    splits = [bucket_by_length(split, batch_size=8) for split in (data.take(60), data.skip(60))]
    before = [model(np.array([text])).numpy()[0] for text in texts[60:]]
    report = calibrate_classifier(model, *splits, ("a", "b", "c"), SplitSummary(np.ones(3) / 3, 0.0))
    temperature = report.calibration.temperature
    assert temperature > 2
    assert report.calibration.ece < report.calibration.ece_before
    after = [model(np.array([text])).numpy()[0] for text in texts[60:]]
    np.testing.assert_allclose(after, np.array(before) / temperature, atol=1e-4)
    np.testing.assert_allclose(report.probabilities, tf.nn.softmax(after), atol=1e-5)
    assert report.references.tolist() == classes[60:].tolist()


def test_examples_without_a_label_are_mistakes_of_no_class() -> None:
    """Also for one whose most probable class would have been right."""
    model, texts, classes = make_classifier()
    texts[60:64] = [[1, 1]] * 4  # the unknown word
    classes[60:64] = int(model(np.array([[1, 1]])).numpy().argmax())
    data = tf.data.Dataset.from_tensor_slices((tf.ragged.constant(texts), classes))
    splits = [bucket_by_length(split, batch_size=8) for split in (data.take(60), data.skip(60))]
    summary = SplitSummary(np.ones(3) / 3, 0.0)
    report = calibrate_classifier(
        model, *splits, ("a", "b", "c"), summary, lambda ids: tf.reduce_any(ids > 1, axis=-1)
    )
    is_labeled = np.array([max(text) > 1 for text in texts[60:]])
    assert report.num_unlabeled == (~is_labeled).sum() >= 4
    logits = np.array([model(np.array([text])).numpy()[0] for text in texts[60:]])
    predictions = np.where(is_labeled, logits.argmax(1), -1)
    assert report.accuracy == pytest.approx(100 * np.mean(predictions == classes[60:]))
    assert report.confusion_matrix.sum() == is_labeled.sum()
    assert sum(score.examples for score in report.class_scores) == 60
    for index, score in enumerate(report.class_scores):
        is_class = classes[60:] == index
        assert score.recall == pytest.approx(100 * np.mean(predictions[is_class] == index))
    probabilities = tf.nn.softmax(logits).numpy()
    ece = expected_calibration_error(
        probabilities.max(1)[is_labeled], (predictions == classes[60:])[is_labeled]
    )
    assert report.calibration.ece == pytest.approx(ece, abs=1e-3)
    assert all(is_labeled[mistake.row] for mistake in report.find_mistakes(100))
    expected = (
        f"Of the test examples, {(~is_labeled).sum()} have no word that the model knows, and get no label."
    )
    assert expected in format_report(report.as_json())


@pytest.mark.parametrize("multi_label", [False, True])
def test_tagger_is_calibrated_by_its_probabilities(multi_label: bool) -> None:
    keras.utils.set_random_seed(2)
    model = zoo.ManyToMany(None, classes=2)
    model.build(((None, None, 4), (None,)))
    model.scores.kernel.assign((3 if multi_label else 10) * model.scores.kernel)
    random = np.random.default_rng(7)
    x = [random.normal(size=(1, time, 4)).astype("float32") for time in (5, 30, 40)]
    activate = tf.nn.sigmoid if multi_label else tf.nn.softmax

    def tag() -> list[np.ndarray]:
        return [activate(model((frames, np.array([frames.shape[1]])))).numpy()[0] for frames in x]

    before = tag()
    tags = [
        random.integers(0, 2, (len(p), 2)).astype(bool) if multi_label else random.integers(0, 2, len(p))
        for p in before
    ]
    report = calibrate_tagger(model, (before[:2], tags[:2]), (before[2:], tags[2:]), "ab", BALANCED)
    assert report.calibration.temperature > 2
    np.testing.assert_allclose(report.probabilities, tag()[2], atol=1e-5)


# The report.


def test_mistakes_are_the_most_confident_ones_and_one_of_each_run() -> None:
    probabilities = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.95, 0.05], [0.2, 0.8]]
    references = [1, 1, 0, 1, 0, 0]
    mistakes = make_report(probabilities, references).find_mistakes(3)
    assert [tuple(mistake) for mistake in mistakes] == [
        (0, "a", "b", 0.9),
        (1, "a", "b", 0.8),
        (5, "b", "a", 0.8),
    ]
    runs = np.array([0, 0, 1, 2, 3, 4])
    assert [m.row for m in make_report(probabilities, references, runs=runs).find_mistakes()] == [0, 5, 2]


def test_several_labels_have_scores_and_mistakes_but_no_confusion_matrix() -> None:
    report = make_report([[0.9, 0.3], [0.6, 0.2]], [[True, True], [False, False]])
    assert report.confusion_matrix is None
    assert report.make_files() == {}
    assert report.accuracy == 50
    assert report.class_scores == ((50.0, 100.0, pytest.approx(200 / 3), 1), (None, 0.0, 0.0, 1))
    assert report.find_mistakes() == [(1 - 1, "not b", "b", 0.7), (1, "a", "not a", 0.6)]
    assert "| b | – | 0.0 | 0.0 | 1 |" in format_report(report.as_json())


def test_report_is_saved_and_the_card_has_no_example(tmp_path: Path) -> None:
    report = make_report([[0.9, 0.1], [0.4, 0.6]], [1, 1], warnings=("All is lost.",))
    texts = make_texts(["a\tsecret\nthing", "good"], [1, 1])
    report.save(tmp_path, partial(describe_texts, texts))
    assert (tmp_path / "mistakes.tsv").read_text(encoding="utf-8").split("\n") == [
        "confidence\tpredicted\ttrue\ttext",
        "0.9\ta\tb\ta secret thing",
        "",
    ]
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "- Warning: All is lost." in page
    assert "| a | 0.0 | – | 0.0 | 0 |\n| b | 100.0 | 50.0 | 66.7 | 2 |" in page
    assert "| b | 1 | 1 |" in page
    assert (tmp_path / "confusion_matrix.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confusion_matrix.png",
        "mistakes.tsv",
        "report.md",
    ]
    assert "secret" not in json.dumps(report.as_json()) + page


def test_report_without_mistakes(tmp_path: Path) -> None:
    make_report([[0.9, 0.1]], [0]).save(tmp_path, lambda rows: [])
    assert (tmp_path / "mistakes.tsv").read_bytes() == b""


def test_steps_are_found_in_their_sequences() -> None:
    tags = [np.zeros(3, np.int32), np.zeros(0, np.int32), np.zeros(2, np.int32)]
    times = [np.arange(3) / 2, np.zeros(0), np.arange(2) / 2]
    split = TaggingSplit(["x", "empty", "y"], [t[:, None] for t in times], tags, times)
    assert describe_steps(split, [4, 0]) == [
        {"sequence": "y", "step": 1, "time": "0.5"},
        {"sequence": "x", "step": 0, "time": "0"},
    ]


def test_many_classes_show_their_most_frequent_confusions(capsys: pytest.CaptureFixture[str]) -> None:
    classes = 30
    references = np.arange(classes).repeat(4)
    predictions = references.copy()
    predictions[:3] = 7
    predictions[-1] = 0
    labels = tuple(f"class {i} | x" for i in range(classes))
    summary = SplitSummary(np.full(classes, 1 / classes), 0.0)
    report = ClassificationReport(
        labels, np.eye(classes)[predictions], references, Calibration(1.0, 1.0, 1.0), summary
    )
    page = format_report(report.as_json())
    assert r"| class 0 \| x | class 7 \| x | 3 |" in page
    assert "true ↓" not in page
    print_results({"test accuracy": 96.7}, report)
    printed = capsys.readouterr().out
    assert "The 10 classes with the lowest F1:" in printed
    assert printed.split("\n\n")[-1].splitlines()[1].startswith("class 0 ")
    assert len(printed.split("\n\n")[-1].splitlines()) == 11


@pytest.mark.parametrize("classes", [2, 5, 20, 80])
def test_confusion_picture_has_a_cell_for_each_class(classes: int, tmp_path: Path) -> None:
    matrix, path = np.diag(np.full(classes, 12_345)), tmp_path / "confusion.png"
    plot_confusion_matrix(matrix, [f"a class with a long name, number {i}" for i in range(classes)], path)
    pixels = np.array(Image.open(path).convert("RGB")).astype(int)
    assert 200 < min(pixels.shape[:2]) <= max(pixels.shape[:2]) < 4000
    dark_blue = (pixels[..., 2] > 80) & (pixels[..., 0] < 40) & (pixels[..., 1] < 70)
    assert dark_blue.any(1).sum() > min(classes, 20) * 10  # the diagonal crosses all rows of the matrix


def test_confusion_picture_takes_any_names(tmp_path: Path) -> None:
    """Dollar signs would be formulas, and the font has no Chinese letters."""
    plot_confusion_matrix(np.eye(3, dtype=int), ["$5_{ to $10", "\u597d\u5417", "a\nb"], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5_000


# Splits and warnings.


def test_overlap_ignores_case_punctuation_and_spaces_only() -> None:
    train = make_texts(["So good!", "\U0001f600", "bad"], [1, 1, 0])
    test = make_texts(["so  GOOD", "\U0001f622", "worse", "bad."], [1, 0, 0, 0])
    data = DataSplits(train, test, test, DataInfo("", labels=("no", "yes")))
    summary = summarize_texts(data)
    assert summary.overlap == measure_text_overlap(data) == 50
    np.testing.assert_allclose(summary.frequencies, [1 / 3, 2 / 3])


def test_overlap_of_sequences_and_frequencies_of_tags() -> None:
    one, other = np.ones((20, 3), np.float32), np.zeros((20, 3), np.float32)
    tags = [np.repeat([0, 1], [15, 5]).astype(np.int32), np.zeros(20, np.int32)]
    times = [np.arange(20.0)] * 2
    train = TaggingSplit(["x", "y"], [one, other], tags, times)
    test = TaggingSplit(["z", "x"], [one.copy(), one], [tags[0].copy(), tags[1]], times)
    summary = summarize_tags(DataSplits(train, test, test, DataInfo("", labels=("a", "b"))))
    assert summary.overlap == 50  # the second one has other tags
    assert summary.frequencies.tolist() == [35 / 40, 5 / 40]
    several = [np.stack([t == 0, t == 1], 1) for t in tags]
    train = TaggingSplit(["x", "y"], [one, other], several, times)
    info = DataInfo("", labels=("a", "b"), multi_label=True)
    assert summarize_tags(DataSplits(train, train, train, info)).frequencies.tolist() == [0.875, 0.125]


def find_warnings(report: ClassificationReport, train_accuracy: float = 0.9, **metrics: float) -> str:
    return " ".join(add_warnings(report, report.metrics | metrics, train_accuracy).warnings)


GOOD = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]


def test_good_model_has_no_warning() -> None:
    assert not find_warnings(make_report(GOOD * 8, [0, 1, 0, 1] * 8))
    assert find_warnings(make_report(GOOD, [0, 1, 0, 1])).startswith(
        "The test scores are those of 4 examples"
    )


def test_model_of_one_class_is_reported() -> None:
    warnings = find_warnings(make_report([[0.9, 0.1], [0.6, 0.4]], [0, 1]))
    assert "The model predicts 'a' for every test example." in warnings
    nothing = make_report([[0.4, 0.1], [0.3, 0.2]], [[True, False], [False, False]])
    assert "predicts no label" in find_warnings(nothing)


def test_better_baselines_are_reported() -> None:
    report = make_report(GOOD, [0, 1, 1, 1], SplitSummary(np.array([0.1, 0.9]), 0.0))
    assert report.majority_accuracy == 75
    assert "The baseline 'majority class' has the same test accuracy as" in find_warnings(report, 0.95)
    warnings = find_warnings(report, 0.95, **{"test accuracy, bag of words": 80.0})
    assert (
        "The baseline 'bag of words' has a higher test accuracy (80.00) than the model (75.00)." in warnings
    )
    report = make_report(GOOD, [0, 0, 1, 0], SplitSummary(np.array([0.9, 0.1]), 0.0))
    assert "'majority class' has a higher test accuracy (75.00) than the model (25.00)" in find_warnings(
        report, 0.95
    )


@pytest.mark.parametrize(
    ("baseline", "score", "comparison"),
    [
        (69.7, 69.70000076, "same"),
        (69.71, 69.7, "higher"),
        (1.0, 0.0, "higher"),
        (69.6, 69.7, ""),
        (0.0, 0.0, ""),
    ],
)
def test_baselines_are_compared_as_printed(baseline: float, score: float, comparison: str) -> None:
    for name, beginning in (
        ("single frames", r"The baseline 'single frames' has (a|the)"),
        ("starting model", r"The test accuracy was( the)?"),
    ):
        warnings = compare_with_baselines({f"test accuracy, {name}": baseline, "test accuracy": score})
        assert len(warnings) == bool(comparison)
        assert all(re.match(f"{beginning} {comparison} ", warning) for warning in warnings)


def test_lower_perplexities_are_better() -> None:
    names = "test perplexity per word", "test perplexity per word, starting model"
    assert not compare_with_baselines(dict(zip(names, (90.0, 95.0), strict=True)))
    assert compare_with_baselines(dict(zip(names, (95.0, 90.0), strict=True))) == [
        "The test perplexity per word was lower before this training (90.00) than after it (95.00). Use the model as "
        "it was, unless other metrics matter more."
    ]


@pytest.mark.parametrize(("num_right", "n"), [(0, 5), (1, 2), (89, 100), (4_999, 5_000), (7, 7)])
def test_bounds_of_an_interval_are_just_as_far_from_the_accuracy_as_chance_reaches(
    num_right: int, n: int
) -> None:
    low, high = (bound / 100 for bound in wilson_interval(num_right, n))
    assert 0 <= low < high <= 1
    for bound in {low, high} - {0.0, 1.0}:
        assert abs(num_right / n - bound) == pytest.approx(1.96 * np.sqrt(bound * (1 - bound) / n))
    for invalid in ((n + 1, n), (-1, n), (0, 0)):
        with pytest.raises(ValueError, match=r"from 0 to n right predictions, got -?\d+ of"):
            wilson_interval(*invalid)


def test_interval_of_an_accuracy_is_printed_and_on_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    report = make_report([[0.9, 0.1]] * 100, [0] * 89 + [1] * 11)
    print_results({"test accuracy": 89.0, "test accuracy, bag of words": 70.0}, report)
    lines = capsys.readouterr().out.splitlines()
    interval = "81.4 to 93.7 at 95 % confidence, 100 examples"
    assert lines[1].split(maxsplit=2) == ["test", "accuracy", f"89.0  ({interval})"]
    assert lines[2].endswith(" 70.0")
    assert f"Test accuracy: {interval}." in format_report(report.as_json())
    for other in (
        make_report(GOOD, np.eye(2, dtype=bool)[[0, 1, 0, 1]]),
        replace(report, runs=np.arange(100)),
    ):
        assert other.as_json()["accuracy_interval"] is None  # steps of a sequence depend on each other
        assert "confidence" not in format_report(other.as_json())


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["A longer text.", "Short."], "Short."),
        (["x" * 61, "two\nlines", " "], "The film was not dull but moving."),
        (["x" * 60], "x" * 60),
    ],
)
def test_next_command_has_a_short_text(
    texts: list[str], chosen: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predictor = SimpleNamespace(
        input_kind="text",
        read_examples=lambda: [(text, text) for text in texts],
        predict=lambda inputs: [SimpleNamespace(format_lines=lambda name, top_k: [name])] * len(inputs),
    )
    monkeypatch.setattr("zoo.cli.recipes.load", lambda directory: predictor)
    monkeypatch.setattr("zoo.cli.recipes.compute_digest", lambda directory: "0")
    print_examples(Path("runs/1"), {"text": texts})
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == f"next: {shlex.join(['zoo', 'predict', 'runs/1', chosen])}"
    )


@pytest.mark.parametrize(
    ("frequencies", "accuracy", "is_bad"),
    [([0.5, 0.5], 0.505, True), ([0.5, 0.5], 0.52, False), ([0.98, 0.02], 0.985, False)],
)
def test_training_accuracy_of_the_majority_is_reported(
    frequencies: list[float], accuracy: float, is_bad: bool
) -> None:
    report = make_report(GOOD, [0, 1, 0, 1], SplitSummary(np.array(frequencies), 0.0))
    assert ("has learned nothing" in find_warnings(report, accuracy)) is is_bad


@pytest.mark.parametrize(("overlap", "is_bad"), [(2.0, False), (2.1, True)])
def test_test_examples_in_train_are_reported(overlap: float, is_bad: bool) -> None:
    summary = SplitSummary(np.array([0.5, 0.5]), overlap)
    assert ("2.1 % of the test examples" in find_warnings(make_report(GOOD, [0, 1, 0, 1], summary))) is is_bad


def test_generated_texts_have_warnings_and_a_table_of_the_worst(tmp_path: Path) -> None:
    metrics = {"test BLEU": 3.0, "test BLEU, without attention": 4.0, "validation BLEU, other": 99.0}
    report = report_generation(["x", "y"], ["a cat", "a cat"], ["a cat", "two dogs"], metrics, overlap=50.0)
    same, baseline, overlap, size = report.warnings
    assert "same text" in same
    assert "'without attention' has a higher test BLEU (4.00) than the model (3.00)" in baseline
    assert overlap.startswith("50.0 %")
    assert "those of 2 examples" in size
    report.save(tmp_path)
    header, worst = (tmp_path / "worst.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "chrF\tinput\tgenerated\treference"
    assert worst.endswith("y\ta cat\ttwo dogs")
    many = [["x"] * 30, list("ab" * 15), [["a", "b"]] * 30]
    assert not report_generation(*many, {"test BLEU": 3.0}, overlap=0.0).warnings


# Examples on the card.


def test_first_texts_of_two_classes_are_examples() -> None:
    assert read_first_texts(make_texts(["one", "two", "three"], [1, 1, 0])) == ["one", "three"]
    assert read_first_texts(make_texts(["one"], [1])) == ["one"]


def test_only_data_that_everyone_may_see_are_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, embedded = DataInfo("reviews.csv", license="CC0"), DataInfo("negation", is_redistributable=True)
    assert choose_examples(None, ["mine"], own) == (["mine"], False)
    assert "The card will show no examples" in capsys.readouterr().out
    assert choose_examples(None, ["free"], embedded) == (["free"], True)
    (tmp_path / "examples.txt").write_text("\ufeffGut.\n\n Schlecht. \u2028 Ja. \n", encoding="utf-8")
    chosen = choose_examples(tmp_path / "examples.txt", ["mine"], own)
    assert chosen == (["Gut.", "Schlecht. \u2028 Ja."], True)
    assert may_publish(own, (ROOT / "docs/drawings/dog.jpg",))
    (tmp_path / "photo.jpg").write_text("no photo")
    with pytest.raises(UsageError, match=r"--examples: \S*photo\.jpg cannot be shown: "):
        may_publish(own, (tmp_path / "photo.jpg",))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_unusable_file_of_examples_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "examples.txt").write_bytes(content)
    with pytest.raises(UsageError, match=r"--examples: .*examples\.txt"):
        choose_examples(tmp_path / "examples.txt", [], DataInfo(""))


@pytest.mark.parametrize(
    ("license", "is_open"),
    [
        ("Apache-2.0", True),
        ("CC BY 2.0 FR", True),
        ("Creative Commons Attribution-ShareAlike 4.0", True),
        ("https://creativecommons.org/licenses/by-sa/4.0/", True),
        ("Permitted for research only", False),
        ("CC BY-NC-SA 4.0", False),
        ("Creative Commons Attribution-NonCommercial", False),
        ("No known license", False),
        ("", False),
    ],
)
def test_licenses_that_permit_examples_on_a_card(license: str, is_open: bool) -> None:
    assert permits_redistribution(license) is is_open


@pytest.mark.parametrize(
    "name", ["negation", "negation_zh", "dates/de", "scenes", "clips", "footage", "fluent", "opinions"]
)
def test_cards_may_show_examples_of_embedded_data(name: str) -> None:
    info = get_data_info(find_builder(name))
    assert info.is_redistributable
    assert info.is_generated


def test_rows_of_a_card_are_rows_of_a_table() -> None:
    """Also with a citation of several lines, and with the name of a label that has a pipe."""
    card = dict(read_card(ROOT / "saved_models" / "sentiment" / "1"))
    citation = "@article{maas,\n\n  title = {A | B},\n}"
    command = f"zoo train sentiment --citation '{citation}'"
    changes = {"settings": {"citation": citation}, "metrics": {"test F1 a|b": 90.0}, "command": command}
    page = format_page(card | changes)
    assert "\n| citation | @article{maas, title = {A \\| B}, } |\n" in page
    assert "\n| test F1 a\\|b | 90.0 |\n" in page
    assert "Trained by `zoo train sentiment --citation '@article{maas, title = {A | B}, }'` at commit" in page


def test_card_shows_warnings_and_report() -> None:
    card = dict(read_card(ROOT / "saved_models" / "sentiment" / "1"))
    del card["report"]
    before = format_page(card)
    report = make_report(GOOD, [0, 1, 0, 1])
    page = format_page(card | {"warnings": ["All is lost."], "report": report.as_json()})
    assert "Warning: All is lost.\n\n| metric |" in page
    assert format_report(report.as_json()) in page
    assert (
        page.replace("Warning: All is lost.\n\n", "").replace("\n" + format_report(report.as_json()), "")
        == before
    )


def test_metadata_of_a_card_are_read_by_model_hubs() -> None:
    """The page of an earlier export has none, and that of a later one is the same behind them."""
    facts = {"datasets": ["ted_hrlr", "pairs.tsv"], "languages": ["en", "de"], "pipeline_tag": "translation"}
    data = {"data": "ted_hrlr/en_to_de/1.0.0 + pairs.tsv. Pairs: 9."}
    card = read_card(ROOT / "saved_models" / "translation" / "1") | data
    earlier = {key: value for key, value in card.items() if key not in facts}
    page = format_page(earlier | facts)
    assert page.endswith("---\n\n" + format_page(earlier))
    assert format_page(earlier | facts, has_metadata=False) == format_page(earlier)
    metadata = ModelCard(page).data
    assert (metadata.license, metadata.license_name) == ("other", "stated-on-the-card")
    assert (metadata.language, metadata.datasets) == (["en", "de"], ["ted_hrlr", "pairs.tsv"])
    assert (metadata.pipeline_tag, metadata.library_name) == ("translation", "rnn-zoo")
    assert metadata.metrics == ["bleu", "chrf", "exact_match"]
    results = {result.metric_type: result for result in metadata.eval_results}
    assert results["bleu"].metric_value == earlier["metrics"]["test BLEU"]
    assert (results["chrf"].dataset_name, results["chrf"].dataset_split) == ("ted_hrlr + pairs.tsv", "test")
    assert results["chrf"].dataset_type == "unknown"
    [alone] = get_metadata(card | facts | {"datasets": ["ted_hrlr"]})["model-index"]
    assert alone["results"][0]["dataset"] == {"type": "ted_hrlr", "name": "ted_hrlr", "split": "test"}
    assert "datasets" not in get_metadata(card | facts | {"datasets": []})


@pytest.mark.parametrize(
    ("license", "expected"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("Apache-2.0; Apache-2.0", {"license": "apache-2.0"}),
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        ("CC BY-NC-SA 4.0", {"license": "cc-by-nc-sa-4.0"}),
        ("not stated", {"license": "unknown"}),
        ("Unicode-3.0", {"license": "other", "license_name": "unicode-3.0"}),
        ("CC BY 4.0; MIT", {"license": "other", "license_name": "cc-by-4.0-mit"}),
        (
            "For research alone: do not sell what it writes.",
            {"license": "other", "license_name": "stated-on-the-card"},
        ),
    ],
)
def test_license_in_the_metadata(license: str, expected: dict[str, str]) -> None:
    card = read_card(ROOT / "saved_models" / "sentiment" / "1") | {"license": license, "datasets": []}
    metadata = get_metadata(card)
    assert {name: value for name, value in metadata.items() if name.startswith("license")} == expected
    assert "model-index" not in metadata  # it would name the data set


def test_tables_are_aligned() -> None:
    assert format_columns([["class", "F1"], ["a", "–"]]).splitlines() == ["class  F1", "a       –"]
    # A Chinese character is as wide as two Latin letters.
    assert format_columns([["class", "\u6b63\u9762"], ["\u6b63", "1"]]).splitlines() == [
        "class  \u6b63\u9762",
        "\u6b63        1",
    ]
