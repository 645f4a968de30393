"""Dates, times of day and durations in two languages: the default data set for translation."""

import itertools
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time
from functools import partial
from typing import Any, Literal, NamedTuple

import babel
import tensorflow_datasets as tfds
from babel.dates import (
    TIMEDELTA_UNITS,
    format_date,
    format_skeleton,
    format_time,
    format_timedelta,
    get_datetime_format,
)
from babel.lists import format_list
from babel.localedata import locale_identifiers

from zoo._compat import make_builder_config, make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, assign_split, hash_words

SIZES = {"train": 10_000, "validation": 1_000, "test": 1_000}

SECONDS = dict(TIMEDELTA_UNITS)


def _format_date(style: str, locale: str, *numbers: int) -> str:
    if style == "abbreviated":
        return format_skeleton("yMMMEd", date(*numbers), locale=locale)
    return format_date(date(*numbers), style, locale)


def _format_time(locale: str, hour: int, minute: int) -> str:
    return format_time(time(hour, minute), "short", locale=locale)


def _format_date_and_time(style: Literal["full", "medium"], locale: str, *numbers: int) -> str:
    pattern = str(get_datetime_format(style, locale)).replace("'", "")
    return pattern.format(_format_time(locale, *numbers[3:]), _format_date(style, locale, *numbers[:3]))


def _format_duration(units: str, locale: str, *numbers: int) -> str:
    # `format_unit` has fewer of CLDR's fallbacks.
    parts = [
        format_timedelta(number * SECONDS[unit], threshold=1, locale=locale)
        for unit, number in zip(units.split(), numbers, strict=True)
    ]
    return format_list(parts, locale=locale)


class Phrase(NamedTuple):
    """A kind of sentence.

    Attributes:
        fraction: fraction of all sentences that are of this kind.
        choices: what the numbers of a sentence are chosen from: one tuple of each sequence.
        format: makes the sentence of a locale and the chosen numbers.
    """

    fraction: float
    choices: tuple[Sequence[tuple[int, ...]], ...]
    format: Callable[..., str]


def _combine(first: range, second: range) -> list[tuple[int, int]]:
    return list(itertools.product(first, second))


YEARS = [(year,) for year in range(1950, 2050)]
DAYS = [(month, day) for month in range(1, 13) for day in range(1, monthrange(2001, month)[1] + 1)]
DATE = (YEARS, DAYS)
CLOCK = _combine(range(24), range(60))
HOURS_MINUTES = _combine(range(1, 24), range(1, 60))
DAY_COUNTS = [(days,) for days in range(1, 7)]

# Each kind needs its own English wording: "May 5, 2018" would be both the long and the medium form.
PHRASES = {
    "full": Phrase(0.12, DATE, partial(_format_date, "full")),
    "long": Phrase(0.12, DATE, partial(_format_date, "long")),
    "abbreviated": Phrase(0.12, DATE, partial(_format_date, "abbreviated")),
    "time": Phrase(0.06, (CLOCK,), _format_time),
    "full, time": Phrase(0.13, (*DATE, CLOCK), partial(_format_date_and_time, "full")),
    "medium, time": Phrase(0.24, (*DATE, CLOCK), partial(_format_date_and_time, "medium")),
    "years": Phrase(0.03, (_combine(range(1, 41), range(1, 12)),), partial(_format_duration, "year month")),
    "days": Phrase(0.05, (DAY_COUNTS, HOURS_MINUTES), partial(_format_duration, "day hour minute")),
    "hours": Phrase(0.06, (HOURS_MINUTES,), partial(_format_duration, "hour minute")),
    "minutes": Phrase(
        0.07, (_combine(range(1, 60), range(1, 60)),), partial(_format_duration, "minute second")
    ),
}


class Dates(GeneratedBuilder):
    """Dates, times of day and durations in English (US) and in another locale, worded as in CLDR.

    "Monday, March 5, 2018, 3:05 PM" is "Montag, 5. März 2018, 15:05". Each combination of month and day, of
    hour and minute, and of the two smallest units of a duration is in one split only, and each number is in
    the training split. So a model that memorizes combinations fails. The configuration is the locale, any
    that Babel contains. The version ends with the version of Babel, because CLDR changes wordings.

    Example:
        >>> import zoo
        >>> sorted(zoo.datasets.builders.Dates(config="fr").info.features)
        ['en', 'fr']
        >>> len(zoo.datasets.builders.Dates.BUILDER_CONFIGS) > 700  # locales
        True
    """

    VERSION = make_dataset_version(".".join(["1", *babel.__version__.split(".")[:2]]))
    BUILDER_CONFIGS = tuple(
        make_builder_config(locale) for locale in sorted(locale_identifiers()) if locale != "en"
    )
    DEFAULT_BUILDER_CONFIG_NAME = "de"
    text_languages = None

    def _info(self) -> Any:
        languages = ("en", self.builder_config.name)
        return self.declare(
            tfds.features.Translation(languages), languages, "Unicode-3.0", "https://cldr.unicode.org"
        )

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, str]]]:
        locale = self.builder_config.name
        for name, phrase in PHRASES.items():
            numbers = _generate_numbers(name, phrase, split)
            pairs: dict[str, str] = {}
            while len(pairs) < round(phrase.fraction * SIZES[split]):
                chosen = next(numbers)
                pairs[phrase.format("en", *chosen)] = phrase.format(locale, *chosen)
            for source, target in pairs.items():
                yield source, {"en": source, locale: target}


def _generate_numbers(name: str, phrase: Phrase, split: str) -> Iterator[tuple[int, ...]]:
    """Yield the numbers of phrases whose combinations all belong to a split."""
    for i in itertools.count():
        # Numbers come from a hash: the same on every machine.
        number, chosen = hash_words(name, i), []
        for choices in phrase.choices:
            number, place = divmod(number, len(choices))
            chosen.append(choices[place])
        if {assign_split(*numbers) for numbers in chosen if len(numbers) == 2} == {split}:
            yield tuple(itertools.chain(*chosen))
