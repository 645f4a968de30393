"""Dates, times and durations from English: the embedded default of the translation recipe."""

import hashlib
import itertools
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time
from functools import partial
from typing import NamedTuple

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

SIZES = {"train": 10_000, "validation": 1_000, "test": 1_000}

SECONDS = dict(TIMEDELTA_UNITS)


def _date(style: str, locale: str, *numbers: int) -> str:
    if style == "abbreviated":
        return format_skeleton("yMMMEd", date(*numbers), locale=locale)
    return format_date(date(*numbers), style, locale)


def _time(locale: str, *numbers: int) -> str:
    return format_time(time(*numbers), "short", locale=locale)


def _date_and_time(style: str, locale: str, *numbers: int) -> str:
    pattern = get_datetime_format(style, locale).replace("'", "")
    return pattern.format(_time(locale, *numbers[3:]), _date(style, locale, *numbers[:3]))


def _duration(units: str, locale: str, *numbers: int) -> str:
    # Babel has more of CLDR's fallbacks here than in `format_unit`.
    parts = [
        format_timedelta(number * SECONDS[unit], threshold=1, locale=locale)
        for unit, number in zip(units.split(), numbers, strict=True)
    ]
    return format_list(parts, locale=locale)


class Phrase(NamedTuple):
    """What a sentence is made of, and how it is worded."""

    share: float  # of all sentences
    parts: tuple[Sequence[tuple[int, ...]], ...]  # of each, one is drawn
    word: Callable[..., str]


def _pairs(first: range, second: range) -> list[tuple[int, int]]:
    return list(itertools.product(first, second))


YEARS = [(year,) for year in range(1950, 2050)]
DAYS = [(month, day) for month in range(1, 13) for day in range(1, monthrange(2001, month)[1] + 1)]
DATE = (YEARS, DAYS)
CLOCK = _pairs(range(24), range(60))
HOURS_MINUTES = _pairs(range(1, 24), range(1, 60))
DAY_COUNTS = [(days,) for days in range(1, 7)]

# No two may be alike in English: "May 5, 2018" would be both the long and the medium form.
PHRASES = {
    "full": Phrase(0.12, DATE, partial(_date, "full")),
    "long": Phrase(0.12, DATE, partial(_date, "long")),
    "abbreviated": Phrase(0.12, DATE, partial(_date, "abbreviated")),
    "time": Phrase(0.06, (CLOCK,), _time),
    "full, time": Phrase(0.13, (*DATE, CLOCK), partial(_date_and_time, "full")),
    "medium, time": Phrase(0.24, (*DATE, CLOCK), partial(_date_and_time, "medium")),
    "years": Phrase(0.03, (_pairs(range(1, 41), range(1, 12)),), partial(_duration, "year month")),
    "days": Phrase(0.05, (DAY_COUNTS, HOURS_MINUTES), partial(_duration, "day hour minute")),
    "hours": Phrase(0.06, (HOURS_MINUTES,), partial(_duration, "hour minute")),
    "minutes": Phrase(0.07, (_pairs(range(1, 60), range(1, 60)),), partial(_duration, "minute second")),
}


class Dates(tfds.core.GeneratorBasedBuilder):
    """Dates, times of day and durations in English (US) and in another locale, as CLDR words them.

    "Monday, March 5, 2018, 3:05 PM" is "Montag, 5. März 2018, 15:05". Month and day, hour and minute, and
    the two smallest units of a duration: each such pair of numbers is in one split only, and each number
    is in train, so that to learn the pairs by heart does not help. The configuration is the locale, any
    that Babel knows. The version ends with that of Babel, as the wording changes with CLDR.
    """

    VERSION = tfds.core.Version(".".join(["1", *babel.__version__.split(".")[:2]]))
    BUILDER_CONFIGS = tuple(
        tfds.core.BuilderConfig(name=locale) for locale in sorted(locale_identifiers()) if locale != "en"
    )
    DEFAULT_BUILDER_CONFIG_NAME = "de"

    def _info(self) -> tfds.core.DatasetInfo:
        languages = ("en", self.builder_config.name)
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.Translation(languages),
            supervised_keys=languages,
            homepage="https://cldr.unicode.org",
            license="Unicode-3.0",
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, str]]]]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(split) for split in SIZES}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, str]]]:
        locale = self.builder_config.name
        for name, phrase in PHRASES.items():
            drawn, pairs = _drawn(name, phrase, split), {}
            while len(pairs) < round(phrase.share * SIZES[split]):
                numbers = next(drawn)
                pairs[phrase.word("en", *numbers)] = phrase.word(locale, *numbers)
            for source, target in pairs.items():
                yield source, {"en": source, locale: target}


def _drawn(name: str, phrase: Phrase, split: str) -> Iterator[tuple[int, ...]]:
    """Yields the numbers of phrases of which every pair belongs to the split."""
    for i in itertools.count():
        # A hash and not a random generator: the same on every machine, for good.
        number, chosen = _hash(name, i), []
        for part in phrase.parts:
            number, place = divmod(number, len(part))
            chosen.append(part[place])
        if {_split(numbers) for numbers in chosen if len(numbers) == 2} == {split}:
            yield tuple(itertools.chain(*chosen))


def _split(pair: tuple[int, int]) -> str:
    return {0: "validation", 1: "test"}.get(_hash(*pair) % 10, "train")


def _hash(*words: str | int) -> int:
    return int.from_bytes(hashlib.sha256(" ".join(map(str, words)).encode()).digest())
