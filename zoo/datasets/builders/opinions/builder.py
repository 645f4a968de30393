"""The TFDS builder `opinions`."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, assign_split, make_generator
from zoo.datasets.builders.opinions.grammar import Pair, expand_template
from zoo.datasets.builders.opinions.lexicon import GENERAL, MISSPELLINGS, TOPICS
from zoo.datasets.builders.opinions.templates import TEMPLATES

PAIRS = {"train": 20_000, "validation": 1_000, "test": 1_000}  # of two sentences each
INFORMAL = "spelling"
"""The kind of sentences in small letters, with typing errors."""

_OPENER = 0.1  # share of sentences that begin with "Honestly," and the like
_MARKS = (".", ".", ".", ".", ".", "!", "")
_INFORMAL_MARKS = ("", "", "", "!", "!!", "!!!", "...", ".")
_VOWEL_SOUND = re.compile(r"\b([Aa]) (?=[aeio]|u(?!s[aei])|hon)")
_SENTENCE_START = re.compile(r"(?<=[.!?] )[a-z]")
_TYPO = 0.5  # share of informal sentences with frequent misspellings, and of the others with a typing error
_WORD = re.compile(r"[a-z]+")
_LONG_WORD = re.compile(r"[a-z]{4,}")


class Opinions(GeneratedBuilder):
    """Short opinions on films, food, hotels, products, jobs, doctors and other things of daily life, in pairs.

    "I don't think the soup is bland." is positive, "I don't think the soup is delicious." is negative. The
    sentences are of 15 kinds, such as negation, contrast, understatement, comparison, unfulfilled conditions,
    denied opinions, expectations, and chat spelling; `kind` is one of them. Most sentences of a pair have a few
    words that differ, and the same structure, so that a word of praise or blame alone does not decide. Each
    template is in one split only: validation and test have constructions that the training split lacks. `text`
    is a scalar string, `label` a scalar int64: 0 is negative, 1 is positive.

    Example:
        >>> import zoo
        >>> kinds = zoo.datasets.builders.Opinions().info.features["kind"]
        >>> kinds.num_classes, "negation" in kinds.names
        (15, True)
    """

    VERSION = make_dataset_version("1.1.0")

    def _info(self) -> Any:
        features = {
            "text": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=["negative", "positive"]),
            "kind": tfds.features.ClassLabel(names=list(TEMPLATES)),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("text", "label"))

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, str]]]:
        templates = {
            kind: [template for template in all_templates if assign_split("opinions", template) == split]
            for kind, all_templates in TEMPLATES.items()
        }
        number = 0
        texts: set[str] = set()
        while len(texts) < 2 * PAIRS[split]:
            rng = make_generator(split, number)
            kind = choose(rng, tuple(TEMPLATES))
            pair = make_pair(kind, choose(rng, templates[kind]), rng)
            number += 1
            if texts.isdisjoint(pair) and len(set(pair)) == 2:
                texts.update(pair)
                for label, text in zip(("positive", "negative"), pair, strict=True):
                    yield text, {"text": text, "label": label, "kind": kind}


def choose(rng: np.random.Generator, options: Any) -> Any:
    """Return one of several options."""
    return options[int(rng.integers(len(options)))]


def make_pair(kind: str, template: str, rng: np.random.Generator) -> Pair:
    """Make a positive and a negative sentence.

    Args:
        kind: kind of the template.
        template: its text.
        rng: makes all choices.
    """
    topic = TOPICS[choose(rng, tuple(TOPICS))]

    def draw(name: str) -> str:
        word: str = choose(rng, choose(rng, [words[name] for words in (GENERAL, topic) if name in words]))
        return word

    pair = expand_template(template, draw, lambda count: int(rng.integers(count)))
    if kind == INFORMAL:
        end, seed = choose(rng, _INFORMAL_MARKS), int(rng.integers(2**31))
        return Pair(*(misspell(text.lower() + end, seed) for text in pair))
    opener = f"{draw('opener')}, " if rng.random() < _OPENER else ""
    end = choose(rng, _MARKS)
    return Pair(*(finish_sentence(text, opener, end) for text in pair))


def finish_sentence(text: str, opener: str, end: str) -> str:
    """Return a text with the right articles and capitals, and with a mark at its end.

    >>> finish_sentence("a awful show", opener="", end=".")
    'An awful show.'
    >>> finish_sentence("never mind the rain. we danced all night", opener="", end="!")
    'Never mind the rain. We danced all night!'
    """
    if opener and not re.match(r"(I\b|[A-Z]\w*\.|[A-Z]{2})", text):
        text = text[0].lower() + text[1:]
    text = _VOWEL_SOUND.sub(r"\1n ", opener + text)
    text = _SENTENCE_START.sub(lambda match: match[0].upper(), text)
    if text[-1].isalnum():
        text += end
    return text[0].upper() + text[1:]


def misspell(text: str, seed: int) -> str:
    """Return a text with the frequent misspellings of some words, and perhaps a typing error in one.

    The error is a long vowel ("loooove"), a letter too few, or two swapped.

    Args:
        text: in small letters.
        seed: of the choices. Two texts of the same structure are changed alike.
    """
    rng = np.random.default_rng(seed)
    if rng.random() < _TYPO:
        return _WORD.sub(lambda match: choose(rng, MISSPELLINGS.get(match[0], [match[0]])), text)
    words = list(_LONG_WORD.finditer(text))
    if not words or rng.random() > _TYPO:
        return text
    match = words[int(rng.random() * len(words))]
    word, way, length = match[0], rng.random(), int(rng.integers(2, 5))
    place = 1 + int(rng.random() * (len(word) - 2))
    if way < 0.5:
        if vowel := re.search(r"[aeou]", word[1:]):
            place = 1 + vowel.start()
        word = word[:place] + word[place] * length + word[place + 1 :]
    elif way < 0.8:
        word = word[:place] + word[place + 1 :]
    else:
        word = word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
    return text[: match.start()] + word + text[match.end() :]
