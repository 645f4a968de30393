"""The embedded set `opinions`: its grammar, its templates, and its sentences."""

import hashlib
import json
import re
from collections import Counter

import pytest

from zoo.datasets.builders import Opinions
from zoo.datasets.builders.opinions.builder import finish_sentence, misspell
from zoo.datasets.builders.opinions.grammar import expand_template
from zoo.datasets.builders.opinions.lexicon import GENERAL, TOPICS
from zoo.datasets.builders.opinions.templates import TEMPLATES

SIZES = {"train": 40_000, "validation": 2_000, "test": 2_000}

Example = dict[str, str]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Example]]:
    builder = Opinions(data_dir=tmp_path_factory.mktemp("tfds"))
    return {split: [example for _, example in builder._generate_examples(split)] for split in SIZES}


def test_labels_and_kinds_are_balanced(examples: dict[str, list[Example]]) -> None:
    for split, size in SIZES.items():
        counts = Counter((example["label"], example["kind"]) for example in examples[split])
        assert counts.total() == size
        assert {kind for _, kind in counts} == set(TEMPLATES)
        for kind in TEMPLATES:
            assert counts["positive", kind] == counts["negative", kind] > size / 100


def test_sentences_are_in_one_split_and_have_one_label(examples: dict[str, list[Example]]) -> None:
    texts = [example["text"] for split in SIZES for example in examples[split]]
    assert len(set(texts)) == len(texts) == sum(SIZES.values())


def test_sentences_have_the_right_articles_capitals_and_spaces(examples: dict[str, list[Example]]) -> None:
    for example in examples["train"]:
        text = example["text"]
        assert text == " ".join(text.split())
        if example["kind"] == "spelling":
            assert text == text.lower()
            continue
        assert not text[0].islower()
        assert not re.search(r"\ba (?:[aio]|e|un[^i])|\ban [bcdfgjklmnpqrstvwxyz]|\w [.!?,]", text, re.I), (
            text
        )


def test_examples_never_change(examples: dict[str, list[Example]]) -> None:
    rows = {split: [sorted(example.items()) for example in examples[split]] for split in SIZES}
    # New sentences need a new `Opinions.VERSION`; otherwise TFDS goes on using prepared data.
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16] == "4c2d79b5acac186f"


def test_templates_give_two_clean_sentences_of_known_words() -> None:
    names = set(GENERAL) | set.intersection(*map(set, TOPICS.values()))
    for template in (template for templates in TEMPLATES.values() for template in templates):
        assert set(re.findall(r"<(\w+)>", template)) <= names, template
        for last in (False, True):
            pair = expand_template(template, lambda name: name, lambda count, last=last: (count - 1) * last)
            assert pair.positive != pair.negative, template
            for text in pair:
                assert text == " ".join(text.split()), template


def test_words_of_praise_are_not_words_of_blame() -> None:
    pairs = "good bad, good_noun bad_noun, loved hated, works fails, won lost, suits puts_off, plus minus, stay leave"
    for good, bad in (pair.split() for pair in pairs.split(", ")):
        for topic in TOPICS.values():
            praise, blame = ({*GENERAL.get(name, ()), *topic.get(name, ())} for name in (good, bad))
            assert not praise & blame


@pytest.mark.parametrize("template", ["[a|b", "a]", "(a|b]", "[a|b|c]", "[a]", "a|b", "<a b>", "a)"])
def test_templates_that_are_not_well_formed_raise(template: str) -> None:
    with pytest.raises(ValueError, match=r"in (a|the) template"):
        expand_template(template, str, lambda count: 0)


def test_brackets_may_be_nested() -> None:
    picked = iter([1, 0])
    pair = expand_template("[not (so|very) <x>|<x>](, <x>|)", str.upper, lambda count: next(picked))
    assert pair == ("not very X, X", "X, X")


@pytest.mark.parametrize(
    ("text", "opener", "expected"),
    [
        ("a awful show", "", "An awful show."),
        ("The bed is bad", "Look, ", "Look, the bed is bad."),
        ("I hate it", "Well, ", "Well, I hate it."),
        ("a useful app?", "", "A useful app?"),
        ("such a honest clerk", "", "Such an honest clerk."),
        ("Worth it? every penny", "", "Worth it? Every penny."),
    ],
)
def test_sentences_are_finished(text: str, opener: str, expected: str) -> None:
    assert finish_sentence(text, opener, ".") == expected


def test_misspelled_texts_differ_in_one_word() -> None:
    changed = [misspell("the coffee is lovely here", seed) for seed in range(100)]
    differences = [
        sum(a != b for a, b in zip(text.split(), ["the", "coffee", "is", "lovely", "here"], strict=True))
        for text in changed
    ]
    assert set(differences) == {0, 1}
    assert 30 < sum(differences) < 70
    assert misspell("ok", 1) == "ok"
