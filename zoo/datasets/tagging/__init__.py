"""Sequences with a tag at each step, frames of videos or features, from TFDS or from users' own files."""

from zoo.datasets.tagging.load import load_tagging
from zoo.datasets.tagging.videos import NONE

__all__ = ["NONE", "load_tagging"]
