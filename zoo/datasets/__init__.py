"""Data sets: the embedded defaults as TFDS builders, and readers for users' own files."""

from zoo.datasets.builders.clips import Clips
from zoo.datasets.builders.dates import Dates
from zoo.datasets.builders.fluent import Fluent
from zoo.datasets.builders.footage import Footage, load_footage
from zoo.datasets.builders.negation import Negation
from zoo.datasets.builders.scenes import Scenes
from zoo.datasets.captioning import load_captioning
from zoo.datasets.cloze import load_cloze
from zoo.datasets.records import CaptioningSplit, ClozeSet, DataInfo, DataSplits, TaggingSplit
from zoo.datasets.tagging import load_tagging
from zoo.datasets.text import load_text
from zoo.datasets.text_classification import load_text_classification
from zoo.datasets.translation import load_translation

__all__ = [
    "CaptioningSplit",
    "Clips",
    "ClozeSet",
    "DataInfo",
    "DataSplits",
    "Dates",
    "Fluent",
    "Footage",
    "Negation",
    "Scenes",
    "TaggingSplit",
    "load_captioning",
    "load_cloze",
    "load_footage",
    "load_tagging",
    "load_text",
    "load_text_classification",
    "load_translation",
]
