"""Sentiment that depends on word order alone: the default data set for text classification."""

import hashlib
import itertools
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder
from zoo.datasets.splits import SPLITS

# `verdict` is the opinion of the speaker, `other` its opposite. Templates come in pairs: the words beside the
# verdict in the first are beside the other adjective in the second, so that no word beside an adjective
# reveals which one it is. Every adjective begins with a consonant, to follow "a".
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
SUBJECTS, POSITIVE, NEGATIVE = (
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

PAIRS = {"train": 4000, "validation": 500, "test": 500}  # of two sentences each


class Negation(GeneratedBuilder):
    """Pairs of sentences with the same words in another order and opposite labels.

    "The film was good, not bad at all." is positive, "The film was bad, not good at all." is negative. So a
    bag of words is right half of the time. Both sentences of a pair are in the same split, and each
    combination of template, subject and adjectives is in one split only. `text` is a scalar string, `label` a
    scalar int64: 0 is negative, 1 is positive.
    """

    VERSION = make_dataset_version("1.0.0")

    def _info(self) -> Any:
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["negative", "positive"]),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("text", "label"))

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, str]]]:
        # Ordered by a hash: the same on every machine.
        combinations = sorted(
            itertools.product(TEMPLATES, SUBJECTS, POSITIVE, NEGATIVE), key=lambda words: _hash(*words)
        )
        start = sum(PAIRS[earlier] for earlier in SPLITS[: SPLITS.index(split)])
        for template, subject, positive, negative in combinations[start : start + PAIRS[split]]:
            digest = _hash(template, subject, positive, negative)
            opening = OPENINGS[digest[-1] % len(OPENINGS)]
            closing = CLOSINGS[digest[-2] % len(CLOSINGS)]
            sentence = opening + template + closing
            sentence = sentence[0].upper() + sentence[1:]
            for label, verdict, other in (
                ("positive", positive, negative),
                ("negative", negative, positive),
            ):
                text = sentence.format(subject=subject, verdict=verdict, other=other)
                yield text, {"text": text, "label": label}


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\n".join(words).encode()).digest()
