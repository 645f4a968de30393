"""What a trained model does on test examples: scores by class, mistakes, calibration, and warnings."""

from zoo.reports.calibration import Calibration, find_temperature, fold_temperature
from zoo.reports.classification import ClassificationReport, Mistake, calibrate_classifier, calibrate_tagger
from zoo.reports.figures import plot_confusion_matrix
from zoo.reports.generation import GenerationReport
from zoo.reports.splits import (
    SplitSummary,
    describe_steps,
    describe_texts,
    measure_overlap,
    measure_text_overlap,
    read_first_texts,
    summarize_tags,
    summarize_texts,
)
from zoo.reports.warnings import add_warnings, report_generation, report_labels, report_perplexity

__all__ = [
    "Calibration",
    "ClassificationReport",
    "GenerationReport",
    "Mistake",
    "SplitSummary",
    "add_warnings",
    "calibrate_classifier",
    "calibrate_tagger",
    "describe_steps",
    "describe_texts",
    "find_temperature",
    "fold_temperature",
    "measure_overlap",
    "measure_text_overlap",
    "plot_confusion_matrix",
    "read_first_texts",
    "report_generation",
    "report_labels",
    "report_perplexity",
    "summarize_tags",
    "summarize_texts",
]
