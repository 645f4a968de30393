"""Write zoo/preprocessing/text/unicode.npz, the properties of all characters in Unicode 15.1.

pip install unicodedataplus==15.1.0
python tests/make_unicode_tables.py

The file changes only with the version of Unicode, and with it `zoo.preprocessing.config.VERSION`.
"""

import itertools
from pathlib import Path

import numpy as np
import unicodedataplus as unicode  # type: ignore[import-not-found]  # not needed by the tests

from zoo.preprocessing.text import unicode as zoo_unicode
from zoo.preprocessing.text.unicode import BLOCK_SIZE, NUM_CODE_POINTS, Break, Conjunct, Kind, pack_properties

KEPT_FORMATS = "\u200c\u200d\u200e\u200f\u061c"  # joiners and direction marks; the others show nothing
NO_SPACES = {
    *("Hani", "Hira", "Kana", "Bopo", "Yiii", "Thai", "Laoo", "Khmr", "Mymr", "Tale", "Talu", "Lana", "Tavt"),
}
BREAKS = {
    "Other": Break.OTHER,
    "CR": Break.CONTROL,
    "LF": Break.CONTROL,
    "Control": Break.CONTROL,
    "Extend": Break.EXTEND,
    "ZWJ": Break.ZWJ,
    "Regional_Indicator": Break.REGIONAL_INDICATOR,
    "Prepend": Break.PREPEND,
    "SpacingMark": Break.SPACING_MARK,
    "L": Break.L,
    "V": Break.V,
    "T": Break.T,
    "LV": Break.LV,
    "LVT": Break.LVT,
}


def is_ignored(c: str) -> bool:
    """Whether a format character shows nothing: those that Unicode's Default_Ignorable_Code_Point names."""
    ranges = [(0xAD, 0xAD), (0x180E, 0x180E), (0x200B, 0x200B), (0x202A, 0x202E), (0x2060, 0x206F)]
    ranges += [(0xFEFF, 0xFEFF), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0001, 0xE0001)]
    return unicode.category(c) == "Cf" and any(first <= ord(c) <= last for first, last in ranges)


def find_kind(c: str) -> Kind:
    """The kind of a character, for splitting texts into words."""
    category = unicode.category(c)
    if is_ignored(c):
        return Kind.IGNORED
    if c in "\u200c\u200d":
        return Kind.JOINER
    if c in KEPT_FORMATS:
        return Kind.DIRECTION
    if c in "\ufe0e\ufe0f":
        return Kind.PRESENTATION
    if category[0] == "Z" or category == "Cc" or c in "\u2581\ufff9\ufffa\ufffb":
        return Kind.SPACE
    if unicode.is_extended_pictographic(c):
        return Kind.OTHER
    if category[0] in "LM" or category == "Nl":
        if NO_SPACES.intersection(unicode.script_extensions(c)) and category[0] != "M":
            return Kind.CHARACTER
        if category[0] == "M":
            return Kind.MARK
        return Kind.LETTER if category[0] == "L" else Kind.NUMBER
    return Kind.NUMBER if category[0] == "N" else Kind.OTHER


def is_stable(c: str, seconds: set[str]) -> bool:
    """Whether NFC leaves the character as it is in every text whose marks are in canonical order."""
    is_jamo = 0x1161 <= ord(c) <= 0x1175 or 0x11A8 <= ord(c) <= 0x11C2
    return unicode.normalize("NFC", c) == c and c not in seconds and not is_jamo


def main() -> None:
    characters = [chr(code) for code in range(NUM_CODE_POINTS)]
    surrogates = range(0xD800, 0xE000)
    decompositions, pairs = {}, {}
    for c in characters:
        if ord(c) in surrogates or 0xAC00 <= ord(c) <= 0xD7A3:
            continue
        if (full := unicode.normalize("NFD", c)) != c:
            decompositions[ord(c)] = [ord(part) for part in full]
        mapping = unicode.decomposition(c)
        if mapping and "<" not in mapping and unicode.normalize("NFC", c) == c:
            first, second = mapping.split()
            pairs[int(first, 16), int(second, 16)] = ord(c)
    seconds = {chr(second) for _, second in pairs}
    # `compose` in zoo/preprocessing/text/normalization.py relies on this.
    assert not {c for c in seconds if not unicode.combining(c)} & {chr(first) for first, _ in pairs}

    properties = np.zeros(NUM_CODE_POINTS, np.int32)
    for c in characters:
        if ord(c) in surrogates:
            continue
        properties[ord(c)] = pack_properties(
            kind=find_kind(c),
            combining_class=unicode.combining(c),
            is_stable=is_stable(c, seconds),
            grapheme_break=Break.PICTOGRAPHIC
            if unicode.is_extended_pictographic(c)
            else BREAKS[unicode.grapheme_cluster_break(c)],
            conjunct=Conjunct[unicode.indic_conjunct_break(c).upper()],
        )
    distinct, number = np.unique(properties, return_inverse=True)
    blocks, index = np.unique(number.reshape(-1, BLOCK_SIZE), axis=0, return_inverse=True)
    assert max(len(distinct), len(blocks)) <= 256  # numbers of 8 bits
    longest = max(map(len, decompositions.values()))
    padded = [list(itertools.islice([*parts, *[-1] * longest], longest)) for parts in decompositions.values()]
    ordered = sorted(pairs)
    path = Path(zoo_unicode.__file__).with_name("unicode.npz")
    np.savez_compressed(
        path,
        properties=distinct,
        blocks=blocks.reshape(-1).astype(np.uint8),
        block_index=index.reshape(-1).astype(np.uint8),
        decomposable=np.array(list(decompositions), np.int32),
        decompositions=np.array(padded, np.int32),
        pairs=np.array(ordered, np.int32),
        composites=np.array([pairs[pair] for pair in ordered], np.int32),
    )
    print(f"Wrote {path}: {path.stat().st_size:,} bytes, {len(blocks)} blocks, {len(pairs)} pairs.")


if __name__ == "__main__":
    main()
