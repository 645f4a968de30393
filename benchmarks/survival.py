"""What survives a translation: URLs, e-mail addresses, numbers, placeholders, tags, emoji, and names.

python benchmarks/survival.py saved_models/translation/1
python benchmarks/survival.py runs/translation/export/1 --split evaluation --show-lost

The test set is `survival.tsv`: English sentences with items that are unchanged in their German translations.
The half `choosing` is development data, the half `evaluation` is for the evaluation of what was chosen. An item
survives if the best translation has it as a whole as often as the source: it is found there, and is no part of a
longer item. A name must not be a part of a longer word. Names are counted apart from the other kinds, since most of
them look like ordinary words. chrF compares with the references; it is that of the sentences which contain an item of
the kind.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import tyro
from sets import read_half

from zoo.cli.errors import exit_on_user_error
from zoo.errors import UsageError
from zoo.metrics import chrf
from zoo.preprocessing.text.item_patterns import list_candidates
from zoo.serving.loading import load

TEST_SET = Path(__file__).with_name("survival.tsv")
LANGUAGES = ["en", "de"]


@dataclass(frozen=True)
class Settings:
    """Measure what a translator carries over unchanged."""

    model: tyro.conf.Positional[Path]  # directory of an export, from English to German
    split: Literal["choosing", "evaluation"] = "choosing"  # half of the test set
    show_lost: bool = False  # whether to print the items that do not survive, with their translations


class Item(NamedTuple):
    """A row of the test set."""

    split: str
    kind: str
    item: str
    source: str
    reference: str


def read_items(split: str) -> list[Item]:
    """Return the items of one half of the test set."""
    return read_half(TEST_SET, Item, split)


def count_occurrences(item: Item, text: str) -> int:
    """How often the item stands in a text as a whole: as it is found there, or, if a name, not in a longer word."""
    if item.kind == "name":
        return len(re.findall(rf"(?<!\w){re.escape(item.item)}(?!\w)", text))
    return find_items(text)[item.item]


@cache
def find_items(text: str) -> Counter[str]:
    """Return the items and words of a text, and how often it has each."""
    [(_, candidates)] = list_candidates([text])
    return Counter(candidate.text for candidate in candidates)


def has_survived(item: Item, translation: str) -> bool:
    """Whether the translation contains the item as often as the source does."""
    return count_occurrences(item, translation) == count_occurrences(item, item.source)


def translate(model: Path, sources: Sequence[str]) -> dict[str, str]:
    """Return the best translation of each source."""
    predictor = load(model)
    languages = predictor.card["preprocessor"].get("languages")
    if predictor.card["task"] != "translation" or languages != LANGUAGES:
        raise UsageError(
            f"{model} is for {predictor.card['task']}, languages {languages}. Expected a translator from English to "
            "German."
        )
    unique = list(dict.fromkeys(sources))
    predictions = predictor.predict(unique)
    return {
        source: prediction.translations[0] for source, prediction in zip(unique, predictions, strict=True)
    }


def format_table(items: Sequence[Item], translations: dict[str, str]) -> str:
    """Return a table of the kinds, with all but the names together."""
    kinds = list(dict.fromkeys(item.kind for item in items))
    groups = {kind: [item for item in items if item.kind == kind] for kind in kinds}
    groups["all but names"] = [item for item in items if item.kind != "name"]
    lines = ["| kind | items | survive | % | chrF |", "| --- | --: | --: | --: | --: |"]
    for kind, members in groups.items():
        count = sum(has_survived(item, translations[item.source]) for item in members)
        references = {item.source: item.reference for item in members}
        score = chrf([translations[source] for source in references], list(references.values())).score
        lines.append(
            f"| {kind} | {len(members)} | {count} | {100 * count / len(members):.1f} | {score:.1f} |"
        )
    return "\n".join(lines)


def main(settings: Settings) -> None:
    """Translate the sentences, and print the table."""
    items = read_items(settings.split)
    translations = translate(settings.model, [item.source for item in items])
    print(format_table(items, translations))
    if settings.show_lost:
        for item in items:
            if not has_survived(item, translations[item.source]):
                print(f"\n{item.kind}: {item.item}\n  {item.source}\n  {translations[item.source]}")


if __name__ == "__main__":
    with exit_on_user_error():
        main(tyro.cli(Settings))
