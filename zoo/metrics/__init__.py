"""Metrics of generated text and of tagged sequences, as papers report them: percentages from 0 to 100."""

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
from zoo.metrics.text import CorpusScore, bleu, chrf, exact_match, normalize_caption, score_captions

__all__ = [
    "CorpusScore",
    "Segment",
    "TransitionScores",
    "bleu",
    "chrf",
    "exact_match",
    "find_segments",
    "find_transitions",
    "normalize_caption",
    "score_captions",
    "score_frames",
    "score_multilabel_frames",
    "score_transitions",
    "segmental_edit_score",
    "segmental_f1",
]
