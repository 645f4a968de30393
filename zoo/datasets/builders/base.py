"""What the embedded data sets share: the TFDS boilerplate, random numbers and splits by hash."""

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from zoo._compat import get_builder_base_class, make_dataset_info
from zoo.datasets.splits import SPLITS

_TfdsBuilder: Any = get_builder_base_class()


class GeneratedBuilder(_TfdsBuilder):
    """Base class of the embedded data sets: three splits of generated examples.

    A subclass declares itself in `_info`, with `declare`, and yields the examples of a split in
    `_generate_examples`. Its docstring, without the example, becomes the description. A change of its examples
    needs a new `VERSION`; otherwise TFDS goes on using data that were prepared before.

    Attributes:
        text_languages: languages of the texts; `None` if there are none, or if they depend on the configuration.
    """

    text_languages: ClassVar[tuple[str, ...] | None] = ("en",)

    def declare(
        self,
        features: Any,
        supervised_keys: tuple[str, str],
        license: str = "Apache-2.0",
        homepage: str | None = None,
    ) -> Any:
        """Return the TFDS declaration of the data set.

        Args:
            features: the TFDS feature of an example.
            supervised_keys: names of the features that are input and target.
            license: SPDX name of the license.
            homepage: address of a page about the source of the data.
        """
        return make_dataset_info(
            self,
            description=(type(self).__doc__ or "").partition("Example:")[0],
            features=features,
            supervised_keys=supervised_keys,
            license=license,
            homepage=homepage,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[Any, dict[str, Any]]]]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in SPLITS}


def make_generator(split: str, number: int) -> np.random.Generator:
    """Return the random number generator of an example: the same on every machine and in every order.

    Args:
        split: "train", "validation" or "test".
        number: position of the example in the split.
    """
    return np.random.default_rng([SPLITS.index(split), number])


def hash_words(*words: object) -> int:
    """Return a large integer that depends on the words alone, not on the machine or on other calls."""
    return int.from_bytes(hashlib.sha256(" ".join(map(str, words)).encode()).digest())


def assign_split(*words: object) -> str:
    """Return the split of a combination: a tenth are for validation, a tenth for test, by a hash."""
    return {0: "validation", 1: "test"}.get(hash_words(*words) % 10, "train")
