"""Data sets: loaders that return `DataSplits`, from the embedded sets, TFDS or users' files.

Importing this package registers the embedded sets, `zoo.datasets.builders`, with TFDS.
"""

from zoo.datasets import builders
from zoo.datasets.captioning import load_captioning
from zoo.datasets.cloze import load_cloze
from zoo.datasets.footage import load_footage
from zoo.datasets.records import CaptioningSplit, ClozeSet, DataInfo, DataSplits, TaggingSplit, count_examples
from zoo.datasets.tagging import load_tagging
from zoo.datasets.text import load_text
from zoo.datasets.text_classification import load_text_classification
from zoo.datasets.translation import load_translation, read_pairs

__all__ = [
    "CaptioningSplit",
    "ClozeSet",
    "DataInfo",
    "DataSplits",
    "TaggingSplit",
    "builders",
    "count_examples",
    "load_captioning",
    "load_cloze",
    "load_footage",
    "load_tagging",
    "load_text",
    "load_text_classification",
    "load_translation",
    "read_pairs",
]
