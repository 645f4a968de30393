"""Two clues that differ in order alone, far from the word to predict: the default data set for next words."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, make_generator

__all__ = ["Fluent", "make_pair"]

LANGUAGES = {
    "italy": "italian",
    "france": "french",
    "spain": "spanish",
    "germany": "german",
    "poland": "polish",
    "greece": "greek",
    "turkey": "turkish",
    "japan": "japanese",
    "sweden": "swedish",
    "finland": "finnish",
}
NOUNS, ADJECTIVES = (
    line.split()
    for line in (
        "weather train garden river market coffee bread music street morning bridge window",
        "fine late small cold busy bitter fresh loud empty quiet old open",
    )
)

MAX_DISTANCE = 100  # words
DISTANCES = (1, 2, 3, 5, 8, 12, 18, 26, 40, 60, 80, 100)  # in validation and test, equally frequent
PAIRS = {"train": 6_000, "validation": 240, "test": 1_200}  # of two sentences each


class Fluent(GeneratedBuilder):
    """Sentences that name two countries and end before the language of the country where somebody grew up.

    "i grew up in italy and live in france the train is late i speak fluent" continues with "italian". The
    other sentence of the pair, "i grew up in france and live in italy ...", has the same words in another
    order and continues with "french". So a bag of words can only choose at random between the two. Either
    country may come first. `distance` is the number of words from the nearer country to the end, the other
    country is 4 or 5 words farther. The training split has every distance from 1 to 100, short ones more
    often (the logarithm is uniform); validation and test have twelve of them. Both sentences of a `pair` are
    in the same split.

    Example:
        >>> import zoo
        >>> features = zoo.datasets.builders.Fluent().info.features
        >>> {name: feature.dtype.name for name, feature in features.items()}
        {'text': 'string', 'next': 'string', 'distance': 'int32', 'pair': 'int32'}
    """

    VERSION = make_dataset_version("1.0.0")

    def _info(self) -> Any:
        features = {
            "text": tfds.features.Text(),
            "next": tfds.features.Text(),
            "distance": tfds.features.Scalar(np.int32),
            "pair": tfds.features.Scalar(np.int32),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("text", "next"))

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for number in range(PAIRS[split]):
            rng = make_generator(split, number)
            if split == "train":
                distance = int(np.exp(rng.uniform(0, np.log(MAX_DISTANCE + 1))))
            else:
                distance = DISTANCES[number % len(DISTANCES)]
            for place, (text, next_word) in enumerate(make_pair(rng, distance)):
                example = {"text": text, "next": next_word, "distance": distance, "pair": number}
                yield f"{number}/{place}", example


def make_pair(rng: np.random.Generator, distance: int) -> list[tuple[str, str]]:
    """Make two sentences with the same words in another order, each with the word that continues it.

    Args:
        rng: makes all choices.
        distance: number of words from the nearer country to the end.

    Returns:
        Sentence and next word, twice.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders.fluent import make_pair
        >>> (one, _), (other, _) = make_pair(np.random.default_rng(3), distance=2)
        >>> one != other, sorted(one.split()) == sorted(other.split())
        (True, True)
    """
    one, other = rng.choice(list(LANGUAGES), 2, replace=False)
    clauses = ["grew up in {home}", "live in {now}"]
    if rng.random() < 0.5:
        clauses.reverse()
    template = " ".join(["i", clauses[0], "and", clauses[1], *_make_filler(rng, distance - 1)])
    return [
        (template.format(home=home, now=now), LANGUAGES[home]) for home, now in [(one, other), (other, one)]
    ]


def _make_filler(rng: np.random.Generator, count: int) -> list[str]:
    """Make the words between the clues and the word to predict."""
    end = ["i", "speak", "fluent"] if count > 2 else ["speaking", "fluent"][:count]
    words: list[str] = []
    while len(words) < count - len(end):
        words += ["the", str(rng.choice(NOUNS)), "is", str(rng.choice(ADJECTIVES))]
    return [*words[: count - len(end)], *end]
