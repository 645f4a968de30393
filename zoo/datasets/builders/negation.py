"""Sentiment by word order alone: the embedded default of the sentiment recipe."""

import hashlib
import itertools
from collections.abc import Iterator

import tensorflow_datasets as tfds

# `verdict` is what the speaker thinks, `other` its opposite. The templates come in mirrored pairs:
# the words beside the verdict in one stand beside the other adjective in the next, so that no
# word beside an adjective tells which it is. Every adjective begins with a consonant, for "a".
TEMPLATES = (
    "the {subject} was {verdict}, not {other} at all",
    "they were wrong to say that the {subject} was {other}, not {verdict} at all",
    "the critics called the {subject} {verdict} and not {other}, and they were right",
    "the critics called the {subject} {other} and not {verdict}, and they were wrong",
    "everybody agrees that the {subject} was {verdict} rather than {other}",
    "nobody believes that the {subject} was {other} rather than {verdict}",
    "it is true that the {subject} was not {other} but {verdict}",
    "it is a lie that the {subject} was not {verdict} but {other}",
    "far from being {other}, the {subject} was {verdict} in every way",
    "it is nonsense that, far from being {verdict}, the {subject} was {other} in every way",
    "the {subject} seemed {other} at first, but in the end we all thought it was {verdict}",
    "the {subject} seemed {verdict} at first and later too, and only a fool thought it was {other}",
    "my friends told me it would be {other}, and yet the {subject} turned out to be {verdict}",
    "my friends told me it would be {verdict}, and nobody can say the {subject} turned out to be {other}",
    "what a {verdict} {subject} it was, and how {other} it might have been",
    "what a {other} {subject} we had expected, and how {verdict} it was",
    "I would call the {subject} {verdict}, whatever people say who found it {other}",
    "I would never call the {subject} {other}, whatever people say; from the first moment I found "
    "it {verdict}",
    "instead of the {other} {subject} that we had expected, we got a {verdict} one",
    "the {verdict} {subject} that we had expected was what we got, and not a {other} one",
    "I had heard that it was {other}, and yet after weeks of waiting and all that talk we found "
    "the {subject} {verdict}",
    "I had heard that it was {verdict}, and after weeks of waiting and all that talk nobody found "
    "the {subject} {other}",
    "do not let anyone tell you that this {subject} was {other}; I know it was {verdict}",
    "let me tell you that this {subject} was {verdict}; I know of nobody who would say it was {other}",
)
SUBJECTS, PRAISING, BLAMING = (
    line.split()
    for line in (
        "film book play concert meal hotel museum restaurant holiday course game show",
        "good great wonderful superb fantastic brilliant splendid marvellous delightful lovely terrific "
        "magnificent",
        "bad terrible dreadful poor horrible lousy miserable dull disappointing mediocre dismal ghastly",
    )
)
OPENINGS = ("", "honestly, ", "in short, ", "frankly, ", "all in all, ")
CLOSINGS = (
    ".",
    ". That was last week.",
    ". We talked about it for days.",
    ". There were four of us.",
)

PAIRS = {"train": 4000, "validation": 500, "test": 500}  # of twins: two sentences each


class Negation(tfds.core.GeneratorBasedBuilder):
    """Sentences whose twin has the same words in another order and the other label.

    "The film was good, not bad at all." is positive, "The film was bad, not good at all."
    negative. So a bag of words is right half the time. Both twins are in the same split, and
    no combination of template, subject and adjectives is in two splits. `text` is a scalar
    string, `label` a scalar int64, 0 negative and 1 positive.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.ClassLabel(names=["negative", "positive"]),
                }
            ),
            supervised_keys=("text", "label"),
            license="Apache-2.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, str]]]]:
        del dl_manager  # nothing is downloaded
        # Ordered by a hash and not a random generator: the same on every machine, for good.
        twins = iter(
            sorted(
                itertools.product(TEMPLATES, SUBJECTS, PRAISING, BLAMING),
                key=lambda words: _hash(*words),
            )
        )
        return {
            split: self._generate_examples(list(itertools.islice(twins, count)))
            for split, count in PAIRS.items()
        }

    def _generate_examples(
        self, twins: list[tuple[str, str, str, str]]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        for template, subject, praise, blame in twins:
            digest = _hash(template, subject, praise, blame)
            opening = OPENINGS[digest[-1] % len(OPENINGS)]
            closing = CLOSINGS[digest[-2] % len(CLOSINGS)]
            sentence = opening + template + closing
            sentence = sentence[0].upper() + sentence[1:]
            for label, verdict, other in (
                ("positive", praise, blame),
                ("negative", blame, praise),
            ):
                text = sentence.format(subject=subject, verdict=verdict, other=other)
                yield text, {"text": text, "label": label}


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\n".join(words).encode()).digest()
