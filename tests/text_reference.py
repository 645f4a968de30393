"""How texts are normalized and split, in plain Python: a second opinion for `zoo.preprocessing.text`."""

import itertools
import unicodedata

import regex

JOINERS = "\u200c\u200d"
DIRECTIONS = "\u200e\u200f\u061c"
IGNORED = regex.compile(
    "[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001]"
)
UNSPACED = regex.compile(
    r"[[\p{L}\p{Nl}--\u02b0-\u02ff]&&[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Yiii}\p{scx=Thai}\p{scx=Laoo}"
    r"\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tale}\p{scx=Talu}\p{scx=Lana}\p{scx=Tavt}]]",
    regex.VERSION1,
)
SPACES = regex.compile("([\\p{Z}\\p{Cc}\u2581\ufff9-\ufffb])")
EXTEND = regex.compile(r"\p{GCB=Extend}(?<!\u200c)")
PICTOGRAPH = regex.compile(r"\p{Extended_Pictographic}")
LINKED = regex.compile(
    r"[\p{InCB=Consonant}&&[\p{Deva}\p{Beng}\p{Gujr}\p{Orya}\p{Telu}\p{Mlym}]]", regex.VERSION1
)
LINKS = r"[\p{InCB=Extend}\p{InCB=Linker}]*"


def category(c: str) -> str:
    return "S" if c in "\ufe0e\ufe0f" else unicodedata.category(c)[0]


def is_space(c: str) -> bool:
    return SPACES.match(c) is not None


def replace_controls(text: str) -> str:
    return "".join(" " if c < " " else c for c in text)


def is_joined(before: str, after: str) -> bool:
    """Whether a joiner between two characters is needed."""
    if unicodedata.combining(before) == 9 or (after and category(after) == "M"):
        return True
    if not after or not PICTOGRAPH.match(after):
        return category(before) in "LM" and after != "" and category(after) == "L"
    return bool(PICTOGRAPH.match(before) or EXTEND.match(before))


def normalize(text: str, dropped: str = "") -> str:
    text = "".join(c for c in replace_controls(text) if c not in dropped)
    text = unicodedata.normalize("NFC", IGNORED.sub("", text))
    kept = []
    for before, c, after in zip(["", *text], text, [*text[1:], ""], strict=False):
        if c not in JOINERS or (before and not is_space(before) and is_joined(before, after)):
            kept.append(c)
    return "".join(kept)


def split_clusters(text: str) -> list[str]:
    """Grapheme clusters; a space is one, and a mark after it stands by itself."""
    clusters: list[str] = []
    for cluster in (part for run in regex.split(SPACES, text) for part in regex.findall(r"\X", run)):
        starts = [0, *(i for i in range(1, len(cluster)) if is_split_by_rule_9c(cluster, i)), len(cluster)]
        clusters += [cluster[i:j] for i, j in itertools.pairwise(starts)]
    return clusters


def is_split_by_rule_9c(cluster: str, i: int) -> bool:
    """Whether `regex` joins consonants that Unicode 15.1 does not join.

    It needs no consonant before the linker, and knows scripts that have been added to the rule since.
    """
    linker = regex.search(rf"(.?)({LINKS}\p{{InCB=Linker}}{LINKS})$", cluster[:i])
    if not linker or not regex.match(r"\p{InCB=Consonant}", cluster[i]):
        return False
    return not (LINKED.match(cluster[i]) and linker[1] and LINKED.match(linker[1]))


def split(text: str, joined: str, apostrophe: str = "") -> list[str]:
    """Words of normalized text; those after a space or at the start begin with "▁"."""
    clusters = split_clusters(text)
    is_word = [
        category(c[0]) in joined
        and not UNSPACED.match(c[0])
        and not PICTOGRAPH.match(c[0])
        and "\u20e3" not in c
        for c in clusters
    ]
    is_joined = [
        here or (c[0] == apostrophe and 0 < i < len(clusters) - 1 and is_word[i - 1] and is_word[i + 1])
        for i, (c, here) in enumerate(zip(clusters, is_word, strict=True))
    ]
    words: list[str] = []
    for i, c in enumerate(clusters):
        if is_space(c[0]):
            continue
        if i and is_joined[i] and is_joined[i - 1]:
            words[-1] += c
        else:
            words.append(("▁" if i == 0 or is_space(clusters[i - 1][0]) else "") + c)
    return words


def pre_tokenize(text: str) -> list[str]:
    words = split(normalize(text), "LM")
    return list(
        itertools.chain(*(("▁", w[1:]) if w[0] == "▁" and UNSPACED.match(w[1]) else [w] for w in words))
    )


def split_words(text: str) -> list[str]:
    text = normalize(regex.sub(r"<br\s*/?>", " ", text.lower()), DIRECTIONS + "\ufe0e\ufe0f")
    text = regex.sub("[\u2018\u2019\u02bc\u0060\u00b4]", "'", text)
    return [word.removeprefix("▁") for word in split(text, "LMN", "'")]
