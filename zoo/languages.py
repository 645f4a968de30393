"""Names of languages: the usual spellings, English names, and Babel's name of each."""

from collections.abc import Iterable
from functools import cache

import babel
from babel.core import get_global


def normalize_language(language: str) -> str:
    """Return Babel's name of a language or locale; of one that Babel does not contain, the name as it is.

    Args:
        language: a code of two or three letters; script and territory may follow, after "_" or "-".

    >>> [normalize_language(name) for name in ("de", "zh_CN", "zh-cn", "zh-Hans", "pt-BR", "target")]
    ['de', 'zh_Hans_CN', 'zh_Hans_CN', 'zh_Hans', 'pt_BR', 'target']
    """
    try:
        return str(babel.Locale.parse(language.replace("-", "_")))
    except (ValueError, babel.UnknownLocaleError):
        return language


def find_language(name: str) -> str | None:
    """Return the code of a language by its English name, in any case; `None` if there is no such language.

    >>> find_language("German"), find_language("portuguese"), find_language("de")
    ('de', 'pt', None)
    """
    return _list_english_names().get(name.strip().casefold())


def list_language_codes(languages: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of languages, without script and territory; what is no language is left out.

    >>> list_language_codes(("en", "zh_CN", "German", "target"))
    ('en', 'zh', 'de')
    """
    codes = (normalize_language(find_language(name) or name).split("_")[0] for name in languages)
    return tuple(dict.fromkeys(code for code in codes if code in babel.Locale("en").languages))


def name_language(language: str) -> str:
    """Return the English name of a language or locale; of one that Babel does not contain, the name as it is.

    >>> [name_language(name) for name in ("de", "pt-BR", "zh_Hans", "German", "target")]
    ['German', 'Portuguese (Brazil)', 'Chinese (Simplified)', 'German', 'target']
    """
    try:
        name = babel.Locale.parse(language.replace("-", "_")).get_display_name("en")
    except (ValueError, babel.UnknownLocaleError):
        return language
    return name or language


def is_same_language(language: str, other: str) -> bool:
    """Return whether two names stand for the same language, with script and territory as CLDR completes them.

    >>> is_same_language("zh", "zh-CN"), is_same_language("zh", "zh_TW"), is_same_language("deu", "de")
    (True, False, True)
    >>> is_same_language("German", "de")
    True
    """
    return _complete_name(language) == _complete_name(other)


@cache
def _list_english_names() -> dict[str, str]:
    """Return the codes of languages by their English names, in lower case."""
    return {name.casefold(): code for code, name in babel.Locale("en").languages.items()}


def _complete_name(language: str) -> str:
    """Return a name with its likely script and territory: "zh_Hans_CN" for "zh"."""
    name = normalize_language(find_language(language) or language)
    code, *subtags = name.split("_")
    likely = get_global("likely_subtags")
    completed = next(filter(None, map(likely.get, (name, code))), None)
    if completed is None:
        return name
    _, script, territory = completed.split("_")
    script = next((tag for tag in subtags if len(tag) == 4), script)
    territory = next((tag for tag in subtags if len(tag) != 4), territory)
    return f"{code}_{script}_{territory}"
