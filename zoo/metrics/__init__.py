"""Metrics of classes, generated text and tagged sequences, as papers report them: percentages from 0 to 100."""

from zoo.metrics.classification import (
    ClassScores,
    confusion_matrix,
    expected_calibration_error,
    macro_f1,
    score_classes,
)
from zoo.metrics.tagging import (
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
from zoo.metrics.text import (
    CorpusScore,
    bleu,
    choose_bleu_tokenizer,
    chrf,
    exact_match,
    normalize_caption_lists,
    normalize_captions,
    score_captions,
    score_translations,
    sentence_chrf,
)

__all__ = [
    "ClassScores",
    "CorpusScore",
    "Segment",
    "TransitionScores",
    "bleu",
    "choose_bleu_tokenizer",
    "chrf",
    "confusion_matrix",
    "exact_match",
    "expected_calibration_error",
    "find_segments",
    "find_transitions",
    "macro_f1",
    "normalize_caption_lists",
    "normalize_captions",
    "score_captions",
    "score_classes",
    "score_frames",
    "score_multilabel_frames",
    "score_transitions",
    "score_translations",
    "segmental_edit_score",
    "segmental_f1",
    "sentence_chrf",
]
