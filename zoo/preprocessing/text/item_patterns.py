"""Which parts of a text may be carried over unchanged: patterns of items, and of words that may be names."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import tensorflow as tf

from zoo.preprocessing.text.base import METASPACE
from zoo.preprocessing.text.normalization import normalize_texts

MARK = "\x01"
"""Stands before and after an item, or before and after the number that replaces it."""
STAND_IN = "\ufffc"
"""The object replacement character, which `pre_tokenize` makes a pre-token by itself."""

# Patterns in the syntax of RE2, for texts without spaces other than " ".
_LATIN = r"\x{C0}-\x{DFF}\x{1E00}-\x{1FFF}"  # and Greek, Cyrillic, Arabic, Hindi: scripts with spaces
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts without spaces, for a class of characters."""
_OTHER = rf"[^\x00-\x{{BF}}\p{{P}}\p{{Z}}{_LATIN}]"  # letters of scripts without spaces, and emoji
_IN_URL = rf"[!#-&*-;=?-Z^_a-z|~{_LATIN}-]"
_IN_PAIR = rf"(?:{_IN_URL}|{_OTHER})*"
_GROUP = (  # "/中" but not "a中"; "it's"; "(x)"; '="x"'
    rf"[!#-&*-/:;=?@^_|~]{_OTHER}+|'[A-Za-z{_LATIN}]|\({_IN_PAIR}\)|\{{{_IN_PAIR}\}}|\[{_IN_PAIR}\]|=\"{_IN_PAIR}\""
)
_PATH = rf"(?:{_GROUP}|{_IN_URL})*(?:{_GROUP}|[#-&+/-9=A-Z_a-z~{_LATIN}-])"
_URL = rf"(?:[A-Za-z]{{2,10}}://|[Ww]{{3}}\.){_OTHER}*{_PATH}"
_LABELS = r"(?:[A-Za-z0-9-]+\.)"
_DOMAIN = (
    rf"(?:{_LABELS}*[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]+\.[a-z]{{2}}|{_LABELS}+(?:com|edu|gov|info|net|org))\b"
    rf"(?::[0-9]+)?(?:/{_OTHER}*(?:{_PATH})?|[?#]{_PATH})?"
)
_BRACES = r"\{[^{}]*\}"
for _ in range(2):
    _BRACES = rf"\{{(?:[^{{}}]|{_BRACES})*\}}"
# Scripts with capital letters.
IN_WORD = r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Nd}_\x{300}-\x{36F}\x{200C}\x{200D}]"
_WITH_DIGITS = (
    rf"(?:[vV]\p{{Nd}}+\.)?\p{{Nd}}{IN_WORD}*(?:[.,:/-]\p{{Nd}}{IN_WORD}*)*"  # "3", "3:05pm", "v1.2"
)
_EXCHANGEABLE = "|".join(
    [rf"\p{{Nd}}{{1,3}}(?:[{a}]\p{{Nd}}{{3}})+(?:[{b}]\p{{Nd}}+)?" for a, b in (",.", ".,")]
    + [r"\p{Nd}+[.,]\p{Nd}+"]
)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IP_ADDRESS = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
DECIMALS = "decimal numbers"
"""Kind of numbers in which languages exchange points and commas: "1,250.75" is "1.250,75" in German.

It includes numbers with more points or commas, such as "1.2.3", which are the same in all languages.
"""
KINDS = {
    "tags": (
        r"</?[0-9]+/?>|</?[A-Za-z][A-Za-z0-9:._-]*"
        r"(?: +[A-Za-z_@:][A-Za-z0-9:._@-]*(?: *= *(?:\"[^\"]*\"|'[^']*'|[^ \"'=<>`]+))?)* */?>"
    ),
    "URLs": rf"{_URL}|{_DOMAIN}",
    "e-mail addresses": (
        rf"(?:[A-Za-z0-9{_LATIN}](?:[A-Za-z0-9.!#$%&*+/=?^_~{_LATIN}-]*[A-Za-z0-9_+{_LATIN}-])?|[{UNSPACED}]+)"
        rf"@(?:[A-Za-z0-9{_LATIN}{UNSPACED}-]+\.)+[A-Za-z{_LATIN}]{{2,}}"
    ),
    "character references": r"&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#[xX][0-9A-Fa-f]+);",
    "placeholders": (
        rf"[$#@%]?{_BRACES}|\$[A-Za-z_][A-Za-z0-9_]*|%[A-Z][A-Z0-9_]+%|"
        r"%(?:\([A-Za-z_][A-Za-z0-9_]*\)|[0-9]+\$)?[-+#0]*[0-9]*(?:\.[0-9]+)?l*(?:[cdeEfFgGiosuxX]\b|@)|%[0-9]\b"
    ),
    "emoji": (
        r"(?:(?:[\x{1F1E6}-\x{1F1FF}]{2}|[0-9#*]\x{FE0F}?\x{20E3}|[\x{203C}\x{2049}\x{2194}-\x{21AA}"
        r"\x{231A}-\x{23FF}\x{25AA}-\x{27BF}\x{2934}\x{2935}\x{2B05}-\x{2B55}\x{1F000}-\x{1F1E5}\x{1F200}-\x{1FAFF}])"
        r"[\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*\x{200D}?)+"
    ),
    "whole numbers": r"\p{Nd}+",
    DECIMALS: r"\p{Nd}+(?:[.,]\p{Nd}+)+",
    "numbers with colons": r"\p{Nd}+(?::\p{Nd}+)+",
    "numbers with other separators": r"\p{Nd}+(?:[.,:/-]\p{Nd}+)+",
    "numbers with letters": _WITH_DIGITS,
}
"""Pattern of each kind of items, apart from names; an item is of the first kind that fits."""

# In this order: a tag may contain a URL, and an address contains a domain.
_SEARCHES = (
    KINDS["tags"],
    _URL,
    KINDS["e-mail addresses"],
    _DOMAIN,
    KINDS["character references"],
    KINDS["placeholders"],
    KINDS["emoji"],
    rf"{_WITH_DIGITS}|{IN_WORD}+",
)
_CAPITALIZED = r"\p{Lu}[^\p{Lu}\p{Nd}_]+"
_MIXED = r"[^\p{Nd}].*[\p{Lu}\p{Nd}_].*"
_SENTENCE_START = r".*[.!?…][^\p{L}\p{N}]*"
_ABBREVIATION = r"\p{Lu}\p{L}{0,3}\..*"  # "Mr. Xaver" does not start a sentence

CAPITALIZED = "unknown capitalized words"
"""Kind of a capitalized word that does not start a sentence."""
WORD_KINDS = (
    CAPITALIZED,
    "unknown first words",
    "unknown words with inner capitals or digits",
)
"""Kinds of words that the training sources do not contain: "Xaver", the same at the start of a sentence; "XY3"."""


def normalize_copyable(texts: tf.Tensor) -> tf.Tensor:
    """Normalize texts in which items are to be found. U+FFFC and U+2581, which stand for others, become spaces."""
    return tf.strings.regex_replace(normalize_texts(texts), f"[{STAND_IN}{METASPACE}]", " ")


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def split_candidates(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into what stands between, and items of all kinds and words, alternately."""
    for pattern in _SEARCHES:
        segments = tf.strings.split(texts, MARK)
        values = segments.flat_values
        found = tf.strings.regex_replace(values, pattern, rf"{MARK}\0{MARK}")
        values = tf.where(is_odd(segments), MARK + values + MARK, found)
        texts = tf.strings.reduce_join(segments.with_values(values), axis=1)
    return tf.strings.split(texts, MARK)


def classify(segments: tf.RaggedTensor) -> tf.Tensor:
    """Return the kind of each item, of `KINDS`, and of each word, of `WORD_KINDS`; "" for others."""
    values = segments.flat_values
    is_first = tf.ragged.range(segments.row_lengths()).flat_values == 0
    starts = tf.strings.regex_full_match(tf.where(is_first, "! " + values, values), _SENTENCE_START)
    starts &= is_first | ~tf.strings.regex_full_match(tf.roll(values, 1, 0) + values, _ABBREVIATION)
    starts = tf.roll(starts, 1, 0)  # to the segment after
    _, first, mixed = WORD_KINDS
    kinds = tf.where(tf.strings.regex_full_match(values, _MIXED), mixed, "")
    kinds = tf.where(
        tf.strings.regex_full_match(values, _CAPITALIZED), tf.where(starts, first, CAPITALIZED), kinds
    )
    for kind, pattern in reversed(KINDS.items()):
        kinds = tf.where(tf.strings.regex_full_match(values, pattern), kind, kinds)
    return tf.where(is_odd(segments), kinds, "")


class Candidate(NamedTuple):
    """An item or a word of a source.

    Attributes:
        text: as it is written.
        lower: the same in lower case.
        exchanged: the same, as `exchange_separators` returns it.
        kind: of `KINDS` or `WORD_KINDS`, or "".
    """

    text: str
    lower: str
    exchanged: str
    kind: str


def list_candidates(texts: Sequence[str]) -> list[tuple[str, list[Candidate]]]:
    """Return each text, normalized, with its items and words."""
    normalized = normalize_copyable(tf.constant(texts))
    segments = split_candidates(normalized)
    values = segments.flat_values
    columns = values, lower_texts(values), exchange_separators(values), classify(segments)
    rows = zip(*(segments.with_values(column).to_list() for column in columns), strict=True)
    return [
        (
            text.decode(),
            [Candidate(*(part.decode() for part in parts)) for parts in zip(*row, strict=True)][1::2],
        )
        for text, row in zip(normalized.numpy(), rows, strict=True)
    ]


def exchange_separators(texts: tf.Tensor) -> tf.Tensor:
    """Exchange points and commas in those of the texts that are decimal numbers.

    >>> exchange_separators(tf.constant(["1,250.75", "2.5", "12", "1.2.3", "192.168.100.200"])).numpy().tolist()
    [b'1.250,75', b'2,5', b'12', b'1.2.3', b'192.168.100.200']
    """
    exchanged = texts
    for old, new in ((r"\.", MARK), (",", "."), (MARK, ",")):
        exchanged = tf.strings.regex_replace(exchanged, old, new)
    is_decimal = tf.strings.regex_full_match(texts, _EXCHANGEABLE)
    return tf.where(is_decimal & ~tf.strings.regex_full_match(texts, _IP_ADDRESS), exchanged, texts)


def is_any(values: tf.Tensor, choices: Sequence[str]) -> tf.Tensor:
    """Return which strings [n] are one of the choices, bool [n]."""
    if not choices:
        return tf.zeros_like(values, tf.bool)
    return tf.reduce_any(values[:, None] == tf.constant(list(choices)), axis=1)


def is_odd(segments: tf.RaggedTensor) -> tf.Tensor:
    """Return which segments of each row are the second, fourth, and so on, bool [all segments]."""
    return tf.ragged.range(segments.row_lengths()).flat_values % 2 == 1


def lower_texts(texts: tf.Tensor) -> tf.Tensor:
    """Return texts, string [n], in lower case."""
    return tf.strings.lower(texts, encoding="utf-8")


def lower_strings(texts: Iterable[str]) -> list[str]:
    """Return texts in lower case."""
    return [text.decode() for text in lower_texts(tf.constant(list(texts), tf.string)).numpy()]
