"""Data sets: the embedded defaults as TFDS builders, and readers for users' own files."""

from zoo.datasets.builders.clips import Clips
from zoo.datasets.builders.dates import Dates
from zoo.datasets.builders.fluent import Fluent, Gaps, load_fluent
from zoo.datasets.builders.footage import Footage, load_footage
from zoo.datasets.builders.negation import Negation
from zoo.datasets.builders.scenes import Scenes
from zoo.datasets.captioning import Captioned, CaptioningData, load_captioning
from zoo.datasets.tagging import Tagged, TaggedSequences, load_tagging
from zoo.datasets.text_classification import LabelledTexts, load_text_classification
from zoo.datasets.translation import ParallelTexts, load_translation

__all__ = [
    "Captioned",
    "CaptioningData",
    "Clips",
    "Dates",
    "Fluent",
    "Footage",
    "Gaps",
    "LabelledTexts",
    "Negation",
    "ParallelTexts",
    "Scenes",
    "Tagged",
    "TaggedSequences",
    "load_captioning",
    "load_fluent",
    "load_footage",
    "load_tagging",
    "load_text_classification",
    "load_translation",
]
