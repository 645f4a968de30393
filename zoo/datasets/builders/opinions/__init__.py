"""Short opinions of many kinds: the TFDS builder `opinions`."""

from zoo.datasets.builders.opinions.builder import Opinions

__all__ = ["Opinions"]
