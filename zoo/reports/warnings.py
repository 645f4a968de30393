"""Warnings about a model that has learned nothing, and about data that make its scores too good."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from zoo.datasets.messages import count_noun
from zoo.metrics import bleu, chrf, explain_zero_cider
from zoo.reports.calibration import Calibration
from zoo.reports.classification import ClassificationReport, measure_ece
from zoo.reports.generation import GenerationReport
from zoo.reports.splits import SplitSummary

MAX_OVERLAP = 2.0
"""Percentage of the test examples that may be in train, too, without a warning."""

MIN_TEST_EXAMPLES = 30
"""Number of test examples below which there is a warning: 3 more errors change the accuracy by 10 points or more."""

_MIN_GAIN = 0.02
"""Share of the errors of the majority class that a model must avoid in training to have learned something."""


def add_warnings(
    report: ClassificationReport, metrics: Mapping[str, float], train_accuracy: float
) -> ClassificationReport:
    """Return a report with what is wrong with the model or its data, a sentence each.

    - The model predicts one class only, or no label at all.
    - A baseline is better, or as good.
    - The accuracy on training examples is that of the majority class.
    - More than 2 % of the test examples are in train, too.
    - There are fewer than 30 test examples.

    Args:
        report: the predictions for the test examples.
        metrics: metrics of the model and of baselines, in percent, as `compare_with_baselines` takes them.
        train_accuracy: accuracy on the training examples, as measured in training, from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from zoo.reports import Calibration, ClassificationReport, SplitSummary, add_warnings
        >>> report = ClassificationReport(
        ...     ("no", "yes"),
        ...     probabilities=np.array([[0.9, 0.1]] * 40),
        ...     references=np.array([0, 1] * 20),
        ...     calibration=Calibration(1.0, 25.0, 25.0),
        ...     summary=SplitSummary(np.array([0.5, 0.5]), overlap=0.0),
        ... )
        >>> add_warnings(report, {}, train_accuracy=0.9).warnings
        ("The model predicts 'no' for every test example.",)
    """
    warnings = describe_predictions(report) + compare_with_baselines(metrics)
    frequencies = report.summary.frequencies
    if report.is_multi_label:
        frequencies = np.maximum(frequencies, 1 - frequencies)
    majority = 100 * float(frequencies.mean() if report.is_multi_label else frequencies.max())
    train_accuracy *= 100
    if train_accuracy < majority + _MIN_GAIN * (100 - majority):
        warnings.append(
            f"The accuracy on training examples is {train_accuracy:.1f}, no better than the {majority:.1f} of the "
            "most frequent class. Unless classes are weighted, the model has learned nothing: train longer, with "
            "another learning rate or with more examples, and check the labels."
        )
    warnings += describe_overlap(report.summary.overlap) + describe_size(len(report.predictions))
    return dataclasses.replace(report, warnings=tuple(warnings))


def report_labels(
    labels: Sequence[str], probabilities: np.ndarray, references: np.ndarray
) -> ClassificationReport:
    """Return a report about labels that an exported model predicts, with what is wrong with the model or the data.

    - The model predicts one class only.
    - There are fewer than 30 examples.

    Args:
        labels: names of the classes.
        probabilities: of each class, float [n, classes]; zeros for an example without a predicted label.
        references: true classes, int [n]. The class frequencies of the report are theirs.

    Example:
        >>> import numpy as np
        >>> from zoo.reports import report_labels
        >>> probabilities = np.array([[0.75, 0.25], [0.25, 0.75], [0.0, 0.0]] * 10)
        >>> report = report_labels(("no", "yes"), probabilities, np.array([0, 1, 1] * 10))
        >>> round(report.accuracy, 1), report.calibration.ece, report.num_unlabeled
        (66.7, 25.0, 10)
    """
    has_label = probabilities.any(-1) if probabilities.any() else np.full(len(references), True)
    ece = measure_ece(probabilities[has_label], references[has_label])
    summary = SplitSummary(np.bincount(references, minlength=len(labels)) / len(references), overlap=0.0)
    report = ClassificationReport(
        tuple(labels), probabilities, references, Calibration(1.0, ece, ece), summary
    )
    warnings = describe_predictions(report) + describe_size(len(references))
    return dataclasses.replace(report, warnings=tuple(warnings))


def report_generation(
    inputs: Sequence[str],
    texts: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    metrics: Mapping[str, float],
    overlap: float,
    bleu_tokenizer: str | None = None,
) -> GenerationReport:
    """Return a report about generated texts, with what is wrong with the model or its data.

    - The model generates the same text for every test example.
    - A baseline is better, or as good.
    - More than 2 % of the test examples are in train, too.
    - There are fewer than 30 test examples.
    - CIDEr, if it is one of the metrics, is 0 for some of the images whatever their captions.

    Args:
        inputs: what each text was generated for, such as the source sentence or the name of the image.
        texts: generated text of each test example.
        references: one reference text of each, or several.
        metrics: metrics of the model and of baselines, as `compare_with_baselines` takes them.
        overlap: share of the test examples that are also in train, in percent.
        bleu_tokenizer: the tokenizer of the metric BLEU; the report then has the signatures of BLEU and chrF.

    Example:
        >>> import zoo
        >>> sources, references = ["one", "two"] * 20, ["eins", "zwei"] * 20
        >>> report = zoo.reports.report_generation(sources, ["eins"] * 40, references, {}, overlap=0.0)
        >>> report.warnings
        ('The model generates the same text for every test example.',)
    """
    warnings = []
    if len(texts) > 1 and len(set(texts)) == 1:
        warnings.append("The model generates the same text for every test example.")
    warnings += compare_with_baselines(metrics) + describe_overlap(overlap) + describe_size(len(texts))
    several = tuple((valid,) if isinstance(valid, str) else tuple(valid) for valid in references)
    if "test CIDEr" in metrics and (reason := explain_zero_cider(several)):
        warnings.append(reason)
    signatures = {}
    if bleu_tokenizer:
        first = [valid[0] for valid in several]
        scores = {"BLEU": bleu(texts, first, bleu_tokenizer), "chrF": chrf(texts, first)}
        signatures = {name: score.signature for name, score in scores.items()}
    return GenerationReport(tuple(inputs), tuple(texts), several, tuple(warnings), signatures)


def report_perplexity(metrics: Mapping[str, float]) -> GenerationReport:
    """Return a report about a language model with warnings alone, since it is not tested by texts that it generates.

    - The model that training started from is better, or as good.

    Args:
        metrics: metrics of the model and of the one it started from, as `compare_with_baselines` takes them.

    Example:
        >>> import zoo
        >>> metrics = {"test perplexity per word": 90.0, "test perplexity per word, starting model": 90.0}
        >>> zoo.reports.report_perplexity(metrics).warnings
        ('The test perplexity per word was the same before this training as after it (90.00).',)
    """
    return GenerationReport((), (), (), tuple(compare_with_baselines(metrics)))


def describe_predictions(report: ClassificationReport) -> list[str]:
    """Return a sentence if the model predicts the same class for all examples, or no label at all."""
    if report.is_multi_label:
        return [] if report.predictions.any() else ["The model predicts no label for any test example."]
    predicted = np.unique(report.predictions[report.predictions >= 0])
    if len(predicted) == 1:
        return [f"The model predicts {report.labels[predicted[0]]!r} for every test example."]
    return []


def compare_with_baselines(metrics: Mapping[str, float]) -> list[str]:
    """Return a sentence for each baseline that is better than the model on the test examples, or as good.

    Args:
        metrics: values by name. A metric of a baseline has the name of that of the model, which starts with
            "test", then a comma and the name of the baseline: "starting model" is the model of `--init-from`, as it
            was before this training. Higher is better, except for perplexities. Values are compared as they are
            printed. At 0, such as exact matches of long texts, they do not compare.

    >>> compare_with_baselines({"test BLEU": 20.0, "test BLEU, without attention": 21.5})
    ["The baseline 'without attention' has a higher test BLEU (21.50) than the model (20.00)."]
    >>> compare_with_baselines({"test accuracy": 69.7, "test accuracy, bag of words": 69.7})
    ["The baseline 'bag of words' has the same test accuracy as the model (69.70)."]
    >>> [sentence] = compare_with_baselines({"test accuracy": 69.7, "test accuracy, starting model": 71.2})
    >>> sentence.split(". ")[0]
    'The test accuracy was higher before this training (71.20) than after it (69.70)'
    """
    sentences = []
    for name, value in metrics.items():
        metric, _, baseline = name.partition(", ")
        if not (name.startswith("test ") and baseline and metric in metrics):
            continue
        value, score = round(value, 2), round(metrics[metric], 2)
        lower_is_better = "perplexity" in metric
        if value == 0 or (value > score if lower_is_better else value < score):
            continue
        comparative, is_same = "lower" if lower_is_better else "higher", value == score
        if baseline == "starting model" and is_same:
            sentences.append(f"The {metric} was the same before this training as after it ({score:.2f}).")
        elif baseline == "starting model":
            sentences.append(
                f"The {metric} was {comparative} before this training ({value:.2f}) than after it ({score:.2f}). Use "
                "the model as it was, unless other metrics matter more."
            )
        elif is_same:
            sentences.append(f"The baseline {baseline!r} has the same {metric} as the model ({score:.2f}).")
        else:
            sentences.append(
                f"The baseline {baseline!r} has a {comparative} {metric} ({value:.2f}) than the model ({score:.2f})."
            )
    return sentences


def describe_size(num_examples: int) -> list[str]:
    """Return a sentence if there are fewer than `MIN_TEST_EXAMPLES` test examples."""
    if num_examples >= MIN_TEST_EXAMPLES:
        return []
    return [
        f"The test scores are those of {count_noun(num_examples, 'example')}, and say little about other data. Add "
        "examples."
    ]


def describe_overlap(overlap: float) -> list[str]:
    """Return a sentence if more than `MAX_OVERLAP` percent of the test examples are in train, too."""
    if overlap <= MAX_OVERLAP:
        return []
    return [
        f"{overlap:.1f} % of the test examples are in train, too, so the test scores are too good. Remove them "
        "from one of the splits."
    ]
