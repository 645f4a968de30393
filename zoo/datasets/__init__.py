"""Data sets: the embedded defaults as TFDS builders, and readers for users' own files."""

from zoo.datasets.catalogue import DataError
from zoo.datasets.classification import LabelledTexts, load_classification
from zoo.datasets.negation import Negation

__all__ = ["DataError", "LabelledTexts", "Negation", "load_classification"]
