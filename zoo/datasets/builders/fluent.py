"""Two clues, told apart by order alone, some words back: the embedded default of the next-word recipe."""

from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

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

FARTHEST = 100  # words back
DISTANCES = (1, 2, 3, 5, 8, 12, 18, 26, 40, 60, 80, 100)  # of validation and test, as many of each
TWINS = {"train": 6_000, "validation": 240, "test": 1_200}


class Fluent(tfds.core.GeneratorBasedBuilder):
    """Sentences that name two countries, and lack the last word: the language of the one to grow up in.

    "i grew up in italy and live in france the train is late i speak fluent" goes on with "italian"; its twin
    "i grew up in france and live in italy ..." has the same words in another order, and goes on with
    "french". So a bag of words can but toss a coin between the two. Either may come first. The nearer
    country stands `distance` words back, the farther one four or five more; train has every distance from
    1 to 100, short ones more often (the logarithm is uniform), validation and test have twelve. Twins are
    one `pair`, and in one split.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "next": tfds.features.Text(),
                    "distance": tfds.features.Scalar(np.int32),
                    "pair": tfds.features.Scalar(np.int32),
                }
            ),
            supervised_keys=("text", "next"),
            license="Apache-2.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, object]]]]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in TWINS}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, object]]]:
        for number in range(TWINS[split]):
            # Of a seed for each pair: the same on every machine, for good.
            random = np.random.default_rng([list(TWINS).index(split), number])
            if split == "train":
                distance = int(np.exp(random.uniform(0, np.log(FARTHEST + 1))))
            else:
                distance = DISTANCES[number % len(DISTANCES)]
            for twin, (text, following) in enumerate(twins(random, distance)):
                said = {"text": text, "next": following, "distance": distance, "pair": number}
                yield f"{number}/{twin}", said


def twins(random: np.random.Generator, distance: int) -> list[tuple[str, str]]:
    """A sentence and its twin, each with the word that follows; the nearer country is so many words back."""
    one, other = random.choice(list(LANGUAGES), 2, replace=False)
    clauses = ["grew up in {home}", "live in {now}"]
    if random.random() < 0.5:
        clauses.reverse()
    rest = _rest(random, distance - 1)
    said = " ".join(["i", clauses[0], "and", clauses[1], *rest])
    pairs = [(one, other), (other, one)]
    return [(said.format(home=home, now=now), LANGUAGES[home]) for home, now in pairs]


def _rest(random: np.random.Generator, count: int) -> list[str]:
    """So many words between the clues and the gap."""
    end = ["i", "speak", "fluent"] if count > 2 else ["speaking", "fluent"][:count]
    words: list[str] = []
    while len(words) < count - len(end):
        words += ["the", str(random.choice(NOUNS)), "is", str(random.choice(ADJECTIVES))]
    return [*words[: count - len(end)], *end]
