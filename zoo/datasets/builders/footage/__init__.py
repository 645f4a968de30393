"""Edited footage: the TFDS builder `footage`, and the editing of clips from any pictures."""

from zoo.datasets.builders.footage.builder import Footage, compute_ceiling
from zoo.datasets.builders.footage.editing import edit_clip, edit_clips, find_visible_tags
from zoo.datasets.builders.footage.stock import load_stock, paint_background, revisit_pictures
from zoo.datasets.builders.footage.style import (
    CLIP_LENGTH,
    CUT,
    DISSOLVE,
    FADE,
    GENTLE,
    SHOT,
    SIZE,
    TAGS,
    WILD,
    WIPE,
    Style,
)
from zoo.datasets.builders.footage.transitions import Transition, cut, dissolve, fade, wipe

__all__ = [
    "CLIP_LENGTH",
    "CUT",
    "DISSOLVE",
    "FADE",
    "GENTLE",
    "SHOT",
    "SIZE",
    "TAGS",
    "WILD",
    "WIPE",
    "Footage",
    "Style",
    "Transition",
    "compute_ceiling",
    "cut",
    "dissolve",
    "edit_clip",
    "edit_clips",
    "fade",
    "find_visible_tags",
    "load_stock",
    "paint_background",
    "revisit_pictures",
    "wipe",
]
