"""Classes that a model predicts for test examples, compared with the true ones."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.card import CONFUSION_PICTURE, format_report
from zoo.display import ShortRepr
from zoo.files import atomic_write
from zoo.inspection.figures import save_figure
from zoo.metrics import (
    ClassScores,
    confusion_matrix,
    expected_calibration_error,
    macro_f1,
    score_classes,
    wilson_interval,
)
from zoo.reports.calibration import Calibration, compute_probabilities, find_temperature, fold_temperature
from zoo.reports.figures import plot_confusion_matrix
from zoo.reports.splits import SplitSummary
from zoo.reports.text_tables import write_table
from zoo.training import BucketedDataset, Progress

NUM_MISTAKES = 10
"""Number of the most confident mistakes in the run directory."""

_MAX_CLASSES = 20
"""Classes up to which a card has the whole confusion matrix; of more, the most frequent mistakes."""
_NUM_CONFUSIONS = 10

_SMALLEST = 1e-38
"""The smallest probability with a logit of its own, about the smallest normal number of float32."""
_SMALLEST_DISTANCE = 3e-8
"""The same for the distance of a probability from 1: half of that between 1 and the number below it."""


class Mistake(NamedTuple):
    """A wrong prediction.

    Example:
        >>> import zoo
        >>> mistakes = [zoo.reports.Mistake(1, "no", "yes", 0.6), zoo.reports.Mistake(7, "yes", "no", 0.9)]
        >>> max(mistakes, key=lambda mistake: mistake.confidence).row
        7
    """

    row: int
    """Index of the example."""
    predicted: str
    """The predicted label; of several labels at once, one of them or "not" one of them."""
    true: str
    """The true label."""
    confidence: float
    """Probability of the prediction."""


@dataclass(frozen=True, eq=False, repr=False)
class ClassificationReport(ShortRepr):
    """Predictions for test examples, compared with their true classes.

    Attributes:
        labels: names of the classes.
        probabilities: of each class, float [n, classes]; zeros for an example without a predicted label, which
            counts as a mistake.
        references: true classes, int [n]; or bool [n, classes] if an example has any number of labels.
        calibration: how the probabilities were calibrated.
        summary: class frequencies of the training examples, and the overlap of test with them.
        runs: int [n], the same number for examples that follow each other in a sequence and have the same
            prediction and reference; they are one mistake. By default each example is a run.
        warnings: what is wrong with the model or the data, a sentence each.

    >>> report = ClassificationReport(
    ...     ("no", "yes"),
    ...     probabilities=np.array([[0.9, 0.1], [0.6, 0.4], [0.25, 0.75]]),
    ...     references=np.array([0, 1, 1]),
    ...     calibration=Calibration(1.0, 25.0, 25.0),
    ...     summary=SplitSummary(np.array([0.5, 0.5]), overlap=0.0),
    ... )
    >>> report.confusion_matrix.tolist(), round(report.accuracy, 1)
    ([[1, 0], [1, 1]], 66.7)
    >>> report.find_mistakes(10)
    [Mistake(row=1, predicted='no', true='yes', confidence=0.6)]
    """

    labels: tuple[str, ...]
    probabilities: np.ndarray
    references: np.ndarray
    calibration: Calibration
    summary: SplitSummary
    runs: np.ndarray | None = None
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_logits(
        cls,
        labels: Sequence[str],
        validation: tuple[np.ndarray, np.ndarray],
        test: tuple[np.ndarray, np.ndarray],
        summary: SplitSummary,
        runs: np.ndarray | None = None,
        is_labeled: np.ndarray | None = None,
    ) -> "ClassificationReport":
        """Choose the temperature on validation examples, and measure the test examples with it.

        The temperature is 1 unless another one lowers the expected calibration error on validation.

        Args:
            labels: names of the classes.
            validation: logits and references of the validation examples, as in `find_temperature`.
            test: the same of the test examples.
            summary: as in the class.
            runs: as in the class.
            is_labeled: bool [n], which test examples have a predicted label; None stands for all.

        Raises:
            ValueError: a logit is not finite.
        """
        temperature = find_temperature(*validation)
        if _measure_ece(*validation, temperature) >= _measure_ece(*validation, 1.0):
            temperature = 1.0
        logits, references = test
        probabilities = compute_probabilities(logits / temperature, references.dtype == bool)
        if is_labeled is not None and is_labeled.any():
            probabilities[~is_labeled] = 0
            test = logits[is_labeled], references[is_labeled]
        calibration = Calibration(temperature, _measure_ece(*test, 1.0), _measure_ece(*test, temperature))
        return cls(tuple(labels), probabilities, references, calibration, summary, runs)

    @property
    def is_multi_label(self) -> bool:
        """Whether an example has any number of labels."""
        return self.references.dtype == bool

    @cached_property
    def predictions(self) -> np.ndarray:
        """The predicted classes, in the form of `references`; -1 where there is none."""
        return _predict(self.probabilities, self.is_multi_label)[0]

    @property
    def accuracy(self) -> float:
        """Share of right predictions, in percent; of several labels at once, of the decisions on each label."""
        return 100 * float(np.mean(self.predictions == self.references))

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of the accuracy; None for the steps of sequences, which depend on each other."""
        if self.is_multi_label or self.runs is not None:
            return None
        return wilson_interval(int(np.sum(self.predictions == self.references)), len(self.references))

    @property
    def majority_accuracy(self) -> float:
        """The accuracy of always predicting the most frequent class of the training examples."""
        frequencies = self.summary.frequencies
        majority = frequencies > 0.5 if self.is_multi_label else frequencies.argmax()
        return 100 * float(np.mean(self.references == majority))

    @cached_property
    def confusion_matrix(self) -> np.ndarray | None:
        """Number of examples of each class (row) predicted as each class (column); None for several labels."""
        if self.is_multi_label:
            return None
        is_labeled = self.predictions >= 0
        return confusion_matrix(self.predictions[is_labeled], self.references[is_labeled], len(self.labels))

    @property
    def num_unlabeled(self) -> int:
        """Number of examples without a predicted label."""
        return 0 if self.is_multi_label else int(np.sum(self.predictions < 0))

    @cached_property
    def class_scores(self) -> tuple[ClassScores, ...]:
        """Precision, recall and F1 of each class."""
        matrix = self.confusion_matrix
        if matrix is not None:
            actual = np.bincount(self.references, minlength=len(self.labels))
            return score_classes(np.diag(matrix), matrix.sum(0), actual)
        sides = (self.predictions & self.references, self.predictions, self.references)
        return score_classes(*(side.sum(0) for side in sides))

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics for the card: accuracy, macro-F1, calibration error; beside them the majority class."""
        scores = {
            "test accuracy": self.accuracy,
            "test accuracy, majority class": self.majority_accuracy,
        }
        if any(score.f1 is not None for score in self.class_scores):
            scores["test macro-F1"] = macro_f1(self.class_scores)
        return scores | {
            "test ECE before calibration": self.calibration.ece_before,
            "test ECE": self.calibration.ece,
        }

    def find_mistakes(self, count: int = NUM_MISTAKES) -> list[Mistake]:
        """Return the wrong labels with the highest probability, at most one of each run."""
        confidences = _predict(self.probabilities, self.is_multi_label)[1]
        rows = np.argwhere((self.predictions != self.references) & (confidences > 0))
        order = np.argsort(-confidences[tuple(rows.T)], kind="stable")
        mistakes, runs = [], set()
        for row, *column in rows[order].tolist():
            run = (row if self.runs is None else int(self.runs[row]), *column)
            if run in runs:
                continue
            runs.add(run)
            predicted, true = (self._name(side[row], *column) for side in (self.predictions, self.references))
            mistakes.append(Mistake(row, predicted, true, round(float(confidences[row, *column]), 4)))
            if len(mistakes) == count:
                break
        return mistakes

    def _name(self, value: Any, column: int | None = None) -> str:
        """Return the label of a class, or with a column whether its label is set."""
        if column is None:
            return self.labels[value]
        return self.labels[column] if value[column] else f"not {self.labels[column]}"

    def as_json(self) -> dict[str, Any]:
        """Return what stands on a card: numbers and labels, but no examples."""
        matrix = self.confusion_matrix
        if len(self.labels) > _MAX_CLASSES:
            matrix = None
        return {
            "classes": [
                {"label": label, **scores._asdict()}
                for label, scores in zip(self.labels, self.class_scores, strict=True)
            ],
            "confusion_matrix": None if matrix is None else matrix.tolist(),
            "confusions": self._find_confusions() if matrix is None else [],
            "unlabeled": self.num_unlabeled,
            "accuracy_interval": self.accuracy_interval and list(self.accuracy_interval),
            "calibration": self.calibration._asdict(),
        }

    def _find_confusions(self) -> list[tuple[str, str, int]]:
        """Return true class, predicted class and number of the most frequent kinds of mistakes."""
        if self.confusion_matrix is None:
            return []
        errors = self.confusion_matrix - np.diag(np.diag(self.confusion_matrix))
        largest = np.argsort(-errors, axis=None, kind="stable")[:_NUM_CONFUSIONS]
        cells = zip(*np.unravel_index(largest, errors.shape), strict=True)
        return [(self.labels[i], self.labels[j], int(errors[i, j])) for i, j in cells if errors[i, j]]

    def make_files(self) -> dict[str, bytes]:
        """Return the picture of the confusion matrix under its name, if there is one."""
        if self.confusion_matrix is None:
            return {}
        content = io.BytesIO()
        save_figure(plot_confusion_matrix(self.confusion_matrix, self.labels), content, bbox_inches="tight")
        return {CONFUSION_PICTURE: content.getvalue()}

    def save(
        self, directory: Path, describe_rows: Callable[[Sequence[int]], Sequence[Mapping[str, Any]]]
    ) -> None:
        """Write `report.md`, `confusion_matrix.png` and `mistakes.tsv`.

        Args:
            directory: where the files go. They contain examples: it belongs to the run directory, not to an
                export.
            describe_rows: function from indices of test examples to the columns of `mistakes.tsv` that show
                them, by name.
        """
        with atomic_write(directory / "report.md") as temporary:
            warnings = "".join(f"- Warning: {warning}\n" for warning in self.warnings)
            content = f"# Test examples\n\n{warnings and warnings + chr(10)}{format_report(self.as_json())}"
            temporary.write_text(content, encoding="utf-8")
        for name, picture in self.make_files().items():
            with atomic_write(directory / name) as temporary:
                temporary.write_bytes(picture)
        mistakes = self.find_mistakes()
        examples = describe_rows([mistake.row for mistake in mistakes])
        rows = [
            {
                "confidence": mistake.confidence,
                "predicted": mistake.predicted,
                "true": mistake.true,
                **example,
            }
            for mistake, example in zip(mistakes, examples, strict=True)
        ]
        write_table(directory / "mistakes.tsv", rows)


def calibrate_classifier(
    model: Any,
    validation: BucketedDataset,
    test: BucketedDataset,
    labels: Sequence[str],
    summary: SplitSummary,
    has_label: Callable[[Any], tf.Tensor] | None = None,
) -> ClassificationReport:
    """Calibrate a classifier on validation examples, and report its predictions for test examples.

    This changes the model: its logits are divided by the temperature, by the weights of `model.scores`. Every worker
    of several does the same.

    Args:
        model: a model whose last layer is `model.scores`, such as `zoo.ManyToOne`.
        validation: batches of inputs and true classes, from `zoo.training.bucket_by_length`.
        test: the same of the test examples.
        labels: names of the classes.
        summary: of the splits, such as from `summarize_texts`.
        has_label: from a batch of inputs to bool [n], which of them the export labels; None stands for all.

    Returns:
        The report, whose rows are in the order in which the examples were batched.

    Example:
        >>> import numpy as np, tensorflow as tf, zoo
        >>> from zoo.reports import SplitSummary, calibrate_classifier
        >>> model = zoo.ManyToOne(vocabulary_size=9, embedding_dim=4, encoder=None, classes=2)
        >>> texts = tf.data.Dataset.from_tensor_slices(([[1, 2, 3]] * 40, [0, 1] * 20))
        >>> batches = zoo.training.bucket_by_length(texts, batch_size=20)
        >>> summary = SplitSummary(np.array([0.5, 0.5]), overlap=0.0)
        >>> calibrate_classifier(model, batches, batches, ["bad", "good"], summary).accuracy
        50.0
    """
    inputs, _ = test(0).element_spec

    def compute(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
        logits = model(x, training=False)
        return logits, tf.ones(tf.shape(logits)[:1], tf.bool) if has_label is None else has_label(x)

    function = tf.function(compute, [inputs], autograph=False)
    logits, is_labeled, references = _collect_logits(function, test)
    validation_logits, _, validation_references = _collect_logits(function, validation)
    report = ClassificationReport.from_logits(
        labels,
        (validation_logits, validation_references),
        (logits, references),
        summary,
        is_labeled=is_labeled,
    )
    fold_temperature(model.scores, report.calibration.temperature)
    return report


Tagged = tuple[Sequence[np.ndarray], Sequence[np.ndarray]]
"""Probabilities [time, classes] and tags of each sequence, as `ClassificationReport` has them of one example."""


def calibrate_tagger(
    model: Any, validation: Tagged, test: Tagged, labels: Sequence[str], summary: SplitSummary
) -> ClassificationReport:
    """Calibrate a sequence tagger on validation sequences, and report its tags of test sequences.

    This changes the model: its logits are divided by the temperature, by the weights of `model.scores`.

    Args:
        model: a model whose last layer is `model.scores`, such as `zoo.ManyToMany`.
        validation: the model's probabilities for each sequence, float [time, classes], and the true tags: int
            [time], or bool [time, classes] if a step has any number of them.
        test: the same of the test sequences.
        labels: names of the tags.
        summary: of the splits, from `summarize_tags`.

    Returns:
        The report, whose rows are the steps of all sequences one after the other.

    Example:
        >>> import keras, numpy as np, zoo
        >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(2)])
        >>> model.scores = model.layers[-1]
        >>> probabilities, tags = [np.array([[0.9, 0.1], [0.2, 0.8]])], [np.array([0, 1])]
        >>> summary = zoo.reports.SplitSummary(np.array([0.5, 0.5]), overlap=0.0)
        >>> sequences = probabilities, tags
        >>> zoo.reports.calibrate_tagger(model, sequences, sequences, ["rest", "step"], summary).accuracy
        100.0
    """
    report = ClassificationReport.from_logits(
        labels, _join_steps(*validation), _join_steps(*test), summary, _number_runs(*test)
    )
    fold_temperature(model.scores, report.calibration.temperature)
    return report


def _join_steps(
    probabilities: Sequence[np.ndarray], tags: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and references of the steps of all sequences."""
    p, references = np.concatenate(probabilities).astype(np.float64), np.concatenate(tags)
    logits = np.log(np.maximum(p, _SMALLEST))
    if references.dtype == bool:
        logits -= np.log(np.maximum(1 - p, _SMALLEST_DISTANCE))
    return logits, references


def _number_runs(probabilities: Sequence[np.ndarray], tags: Sequence[np.ndarray]) -> np.ndarray:
    """Number the runs of steps with the same prediction and the same tag."""
    numbers, count = [], 0
    for rows, references in zip(probabilities, tags, strict=True):
        predictions = _predict(rows, references.dtype == bool)[0]
        both = np.stack([predictions, references]).reshape(2, len(rows), -1)
        changes = (both[:, 1:] != both[:, :-1]).any((0, 2))
        numbers.append(count + np.concatenate([[0], np.cumsum(changes)]))
        count = numbers[-1][-1] + 1
    return np.concatenate(numbers)


def _collect_logits(
    compute: Callable[[Any], tuple[tf.Tensor, tf.Tensor]], data: BucketedDataset
) -> list[np.ndarray]:
    """Return logits [n, classes], which have a label [n], and true classes [n] in the order of the examples."""
    progress = Progress("reporting", data.num_batches)
    keys, columns = [], []
    for batch_keys, (x, y) in zip(data.make_keys(0), data(0), strict=True):
        keys.append(batch_keys.numpy())
        columns.append([column.numpy() for column in (*compute(x), y)])
        progress.update(len(keys[-1]))
    progress.clear()
    order = np.argsort(np.concatenate(keys))
    return [np.concatenate(column)[order] for column in zip(*columns, strict=True)]


def _predict(probabilities: np.ndarray, multi_label: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the predictions, -1 where there is none, and the probability of each."""
    if multi_label:
        return probabilities > 0.5, np.maximum(probabilities, 1 - probabilities)
    confidences = probabilities.max(-1)
    return np.where(confidences > 0, probabilities.argmax(-1), -1), confidences


def _measure_ece(logits: np.ndarray, references: np.ndarray, temperature: float) -> float:
    return measure_ece(compute_probabilities(logits / temperature, references.dtype == bool), references)


def measure_ece(probabilities: np.ndarray, references: np.ndarray) -> float:
    """Return the expected calibration error of the predicted classes, in percentage points.

    Args:
        probabilities: of each class, float [n, classes].
        references: true classes, int [n]; or bool [n, classes] if an example has any number of labels.
    """
    predictions, confidences = _predict(probabilities, references.dtype == bool)
    return expected_calibration_error(confidences.ravel(), (predictions == references).ravel())
