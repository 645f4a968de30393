"""Data sets: the embedded defaults as TFDS builders, and readers for users' own files."""

from zoo.datasets.captioning import Captioned, CaptionedImages, load_captioning
from zoo.datasets.catalogue import DataError
from zoo.datasets.classification import LabelledTexts, load_classification
from zoo.datasets.clips import Clips
from zoo.datasets.dates import Dates
from zoo.datasets.fluent import Fluent, Gaps, load_fluent
from zoo.datasets.footage import Footage, load_footage
from zoo.datasets.negation import Negation
from zoo.datasets.scenes import Scenes
from zoo.datasets.tagging import Tagged, TaggedSequences, load_tagging
from zoo.datasets.translation import ParallelTexts, load_translation

__all__ = [
    "Captioned",
    "CaptionedImages",
    "Clips",
    "DataError",
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
    "load_classification",
    "load_fluent",
    "load_footage",
    "load_tagging",
    "load_translation",
]
