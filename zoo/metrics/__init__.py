"""How good answers are, as papers report it."""

from zoo.metrics.tags import (
    Scores,
    Segment,
    frame_scores,
    multi_label_scores,
    segment_edit,
    segment_f1,
    segments,
    transition_scores,
    transitions,
)
from zoo.metrics.text import Score, bleu, caption_scores, chrf, exact_match, plain_words

__all__ = [
    "Score",
    "Scores",
    "Segment",
    "bleu",
    "caption_scores",
    "chrf",
    "exact_match",
    "frame_scores",
    "multi_label_scores",
    "plain_words",
    "segment_edit",
    "segment_f1",
    "segments",
    "transition_scores",
    "transitions",
]
