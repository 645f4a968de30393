r"""Items that a translation carries over unchanged: URLs, numbers, placeholders, tags, emoji and names.

A translator replaces each of them by a numbered token, `[COPY1]` to `[COPY8]`, on both sides. So it learns where
an item goes, and never has to spell it. Which kinds of items are carried over is learnt from the training pairs.

A marked text is a text in which the character U+0001 stands before and after each number that replaces an item:
"\x011\x01 is away" for "Tom is away". Normalized texts do not contain this character.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import tensorflow as tf

from zoo.errors import UsageError
from zoo.files import sha256
from zoo.preprocessing.config import make_config, read_config
from zoo.preprocessing.text.base import METASPACE, make_token_to_id_table, write_vocabulary
from zoo.preprocessing.text.normalization import normalize_texts
from zoo.preprocessing.text.word_pieces import COPY_TOKENS, FIRST_COPY_ID, WordPieceTokenizer, pre_tokenize

Pair = tuple[str, str]

# Patterns in the syntax of RE2, for texts without spaces other than " ".
_LATIN = r"\x{C0}-\x{DFF}\x{1E00}-\x{1FFF}"  # and Greek, Cyrillic, Arabic, Hindi: scripts with spaces
_IN_URL = rf"[!#-&*-;=?-Z_a-z~{_LATIN}-]"
_IN_BRACKETS = rf"\({_IN_URL}*\)|\{{{_IN_URL}*\}}"
_PATH = rf"(?:{_IN_URL}|{_IN_BRACKETS})*(?:[#-&+/-9=A-Z_a-z~{_LATIN}-]|{_IN_BRACKETS})"
_URL = rf"(?:[A-Za-z]{{2,10}}://|[Ww]{{3}}\.){_PATH}"
_DOMAIN = rf"(?:[A-Za-z0-9-]+\.)+(?:com|edu|eu|gov|info|io|net|org)\b(?:[/?#](?:{_PATH})?)?"
KINDS = {
    "tags": (
        r"</?[0-9]+/?>|</?[A-Za-z][A-Za-z0-9:._-]*"
        r"(?: +[A-Za-z_@:][A-Za-z0-9:._@-]*(?: *= *(?:\"[^\"]*\"|'[^']*'|[^ \"'=<>`]+))?)* */?>"
    ),
    "URLs": rf"{_URL}|{_DOMAIN}",
    "e-mail addresses": (
        rf"[A-Za-z0-9{_LATIN}](?:[A-Za-z0-9.!#$%&*+/=?^_~{_LATIN}-]*[A-Za-z0-9_+{_LATIN}-])?"
        rf"@(?:[A-Za-z0-9{_LATIN}-]+\.)+[A-Za-z{_LATIN}]{{2,}}"
    ),
    "character references": r"&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#[xX][0-9A-Fa-f]+);",
    "placeholders": (
        r"\{\{[^{}]*\}\}|[$#@%]?\{ ?[^{} ]*(?:, ?[^{} ]+)* ?\}|\$[A-Za-z_][A-Za-z0-9_]*|%[A-Z][A-Z0-9_]+%|"
        r"%(?:\([A-Za-z_][A-Za-z0-9_]*\)|[0-9]+\$)?[-+#0]*[0-9]*(?:\.[0-9]+)?l*(?:[cdeEfFgGiosuxX]\b|@)|%[0-9]\b"
    ),
    "emoji": (
        r"(?:(?:[\x{1F1E6}-\x{1F1FF}]{2}|[0-9#*]\x{FE0F}?\x{20E3}|[\x{203C}\x{2049}\x{2194}-\x{21AA}"
        r"\x{231A}-\x{23FF}\x{25AA}-\x{27BF}\x{2934}\x{2935}\x{2B05}-\x{2B55}\x{1F000}-\x{1F1E5}\x{1F200}-\x{1FAFF}])"
        r"[\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*\x{200D}?)+"
    ),
    "whole numbers": r"\p{Nd}+",
    "decimal numbers": r"\p{Nd}+(?:[.,]\p{Nd}+)+",
    "numbers with colons": r"\p{Nd}+(?::\p{Nd}+)+",
    "numbers with other separators": r"\p{Nd}+(?:[.,:/-]\p{Nd}+)+",
}
"""Pattern of each kind of items, apart from names; an item is of the first kind that fits."""

# Scripts with capital letters.
_IN_WORD = r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Nd}_\x{300}-\x{36F}\x{200C}\x{200D}]"
_WORD_OR_NUMBER = (
    rf"\p{{Nd}}{_IN_WORD}*(?:[.,:/-]\p{{Nd}}{_IN_WORD}*)*|{_IN_WORD}+"  # "3", "3:05", "3rd", "third"
)
_SEARCHES = (
    *(
        KINDS["tags"],
        _URL,
        KINDS["e-mail addresses"],
        _DOMAIN,
        KINDS["character references"],
        KINDS["placeholders"],
    ),
    *(KINDS["emoji"], _WORD_OR_NUMBER),
)  # in this order: a tag may contain a URL, and an address contains a domain
_CAPITALIZED = r"\p{Lu}[^\p{Lu}\p{Nd}_]+"
_MIXED = r"[^\p{Nd}].*[\p{Lu}\p{Nd}_].*"
_SENTENCE_START = r".*[.!?…][^\p{L}\p{N}]*"
_ABBREVIATION = r"\p{Lu}\p{L}{0,3}\..*"  # "Mr. Xaver" does not start a sentence

WORD_KINDS = (
    "unknown capitalized words",
    "unknown first words",
    "unknown words with inner capitals or digits",
)
"""Kinds of words that the training sources do not contain: "Xaver", the same at the start of a sentence; "XY3"."""

MIN_SHARE = 0.9
"""Share of its occurrences that must stand unchanged in the target for a kind or a name to be carried over."""
MIN_UNKNOWN_SHARE = 0.25
"""The same for words that are unknown. Those that occur once in training stand for them.

It is low, since a word that is carried over although it should be translated does less harm than a name that is not.
"""
MIN_OCCURRENCES = 10
"""A kind that occurs less often in training is carried over."""
MAX_WORDS = 50_000
"""Number of words that count as known, the most frequent ones."""

_MARK = "\x01"
_NAME_MARK = "\x02"
_STAND_IN = "\ufffc"  # object replacement character: a pre-token by itself
_HEADER = "# capitals: carried over; no capitals: not"
_BORDER_IN_WORD = rf".*{_IN_WORD}{_MARK}{_IN_WORD}.*"
_BORDER_IN_NUMBER = rf".*\p{{Nd}}{_MARK}\p{{Nd}}.*"
_MAX_ENDING = 2  # letters that a language may add to a name: "Toms"


class CopiedItems(tf.Module):
    """Finds the items of texts that are carried over, and replaces them by numbers, inside the graph.

    A name is a capitalized word, or a word with a capital letter or a digit inside. It is carried over if its file
    of words contains it in capitals, or contains it in no form and words of its kind are carried over. Names with a
    space or a hyphen between them are one item.

    Args:
        kinds: names of the kinds that are carried over, of `KINDS` and `WORD_KINDS`.
        words_path: file of words, as `adapt` writes it. It becomes an asset of any SavedModel that contains the
            object, under its own name.

    >>> import tempfile
    >>> pairs = [("Tom has 2 dogs.", "Tom hat 2 Hunde."), ("Dogs like Tom.", "Hunde mögen Tom.")]
    >>> items = CopiedItems.adapt(pairs, Path(tempfile.mkdtemp(), "words.txt"))
    >>> [text.decode() for text in items.find(tf.constant(["Dogs saw Xaver at https://x.org/."]))[0].numpy()]
    ['Dogs saw ', 'Xaver', ' at ', 'https://x.org/', '.']
    """

    def __init__(self, kinds: Sequence[str], words_path: Path | str) -> None:
        super().__init__()
        self.kinds, self.words_path = tuple(kinds), Path(words_path)
        self._words_sha256 = sha256(self.words_path)
        self._words = make_token_to_id_table(self.words_path, -1)

    @classmethod
    def adapt(cls, pairs: Iterable[Pair], words_path: Path) -> Self:
        """Learn from training pairs which kinds of items and which names are carried over.

        A kind is carried over if at least `MIN_SHARE` of its occurrences in the sources stand unchanged in the
        target, or if it occurs fewer than `MIN_OCCURRENCES` times. A name is if that holds for all occurrences of
        its letters, in capitals or not. A kind of unknown words is if `MIN_UNKNOWN_SHARE` of the words that occur
        once are: these were unknown but for one pair.

        Args:
            pairs: sources and targets.
            words_path: where the words are written, one per line.

        Returns:
            The object, which depends on the pairs alone.
        """
        kinds = _Tally()
        words, names = _Tally(), _Tally()  # in lower case; as they are written
        kind_of_word: dict[str, str] = {}
        for (word, lower, kind), count, num_copies in _count_candidates(pairs):
            if kind in KINDS:
                kinds.add(kind, count, num_copies)
                continue
            words.add(lower, count, num_copies)
            if kind:
                names.add(word, count, num_copies)
                kind_of_word[lower] = kind
        for lower, kind in kind_of_word.items():
            if words.occurrences[lower] == 1:
                kinds.add(kind, 1, words.unchanged[lower])
        min_shares = dict.fromkeys(KINDS, MIN_SHARE) | dict.fromkeys(WORD_KINDS, MIN_UNKNOWN_SHARE)
        carried = [
            kind
            for kind, min_share in min_shares.items()
            if kinds.occurrences[kind] < MIN_OCCURRENCES or kinds.get_share(kind) >= min_share
        ]
        copied = {lower for lower in kind_of_word if words.get_share(lower) >= MIN_SHARE}
        lowered = dict(zip(names.occurrences, _lower_all(names.occurrences), strict=True))
        lines = [
            *sorted(name for name, lower in lowered.items() if lower in copied and names.unchanged[name]),
            *(word for word, _ in words.occurrences.most_common() if word not in copied),
        ]
        write_vocabulary([_HEADER, *lines[:MAX_WORDS]], words_path)
        return cls(carried, words_path)

    def find(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split texts into what is translated and items that are carried over, alternately.

        Args:
            texts: string [n].

        Returns:
            Ragged string [n, segments]. The second, fourth, ... segment of a row are items; the others may be
            empty. Joined they are the text, normalized.
        """
        segments = _split_candidates(normalize_copyable(texts))
        values = segments.flat_values
        kinds = _classify(segments)
        is_item = _is_any(kinds, [kind for kind in KINDS if kind in self.kinds])
        is_word = _is_any(kinds, WORD_KINDS)
        is_name = is_word & (self._words.lookup(values) >= 0)
        is_unknown = (self._words.lookup(_lower(values)) < 0) & (self._words.lookup(values) < 0)
        is_name |= is_unknown & _is_any(kinds, [kind for kind in WORD_KINDS if kind in self.kinds])
        marks = tf.where(is_item, _MARK, tf.where(is_name, _NAME_MARK, ""))
        marked = tf.strings.reduce_join(segments.with_values(marks + values + marks), axis=1)
        marked = tf.strings.regex_replace(marked, f"{_NAME_MARK}([ -]){_NAME_MARK}", r"\1")
        return tf.strings.split(tf.strings.regex_replace(marked, _NAME_MARK, _MARK), _MARK)

    def mark(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Replace the items of texts by their numbers, in the order in which they occur first.

        Equal items of a text have one number. From the ninth on, items stay text.

        Args:
            texts: string [n].

        Returns:
            A tuple of the marked texts, string [n], and the items with the numbers 1 to 8, string [n, 8]; empty
            where a text has fewer.
        """
        segments = self.find(texts)
        is_item = _is_odd(segments)
        row_ids = segments.value_rowids()[is_item]
        items = tf.RaggedTensor.from_value_rowids(segments.flat_values[is_item], row_ids, segments.nrows())
        # `tf.unique` numbers the items of all rows in the order in which they occur first.
        keys = tf.strings.as_string(row_ids) + _MARK + items.flat_values
        numbers = items.with_values(tf.unique(keys).idx)
        numbers = (numbers - tf.reduce_min(numbers, axis=1)[:, None] + 1).flat_values
        is_numbered = numbers <= len(COPY_TOKENS)
        marked = tf.where(is_numbered, _MARK + tf.strings.as_string(numbers) + _MARK, items.flat_values)
        marked = tf.tensor_scatter_nd_update(segments.flat_values, tf.where(is_item), marked)
        positions = tf.stack([tf.cast(row_ids, tf.int32), numbers - 1], axis=1)[is_numbered]
        table = tf.fill([tf.size(texts), len(COPY_TOKENS)], "")
        return (
            tf.strings.reduce_join(segments.with_values(marked), axis=1),
            tf.tensor_scatter_nd_update(table, positions, items.flat_values[is_numbered]),
        )

    def mark_pairs(self, pairs: Iterable[Pair], inserted: float = 0.0) -> Iterator[Pair]:
        """Yield training pairs as marked texts.

        An item is replaced if it occurs equally often on both sides. In half of the pairs they are numbered as
        `mark` does, in the others at random, so that all tokens get trained. Each call draws the same numbers.

        Args:
            pairs: sources and targets.
            inserted: share of the pairs without items that come a second time, with items, so that the tokens get
                trained although the pairs have few: a word that both sides share becomes an item, or items are put
                around it or around both texts.
        """
        rng = random.Random(0)
        for batch in _split_into_batches(pairs):
            sources, targets = zip(*batch, strict=True)
            for segments, target in zip(
                self.find(tf.constant(sources)).to_list(),
                normalize_copyable(tf.constant(targets)).numpy(),
                strict=True,
            ):
                pair = _mark_pair([segment.decode() for segment in segments], target.decode(), rng)
                yield pair
                if _MARK not in pair[0] and rng.random() < inserted:
                    yield _insert_items(*pair, rng)

    def describe(self) -> list[str]:
        """Return sentences about what is carried over and what is not, for a model card."""
        kinds = [*KINDS, *WORD_KINDS]
        not_carried = [kind for kind in kinds if kind not in self.kinds]
        carried = [*(kind for kind in kinds if kind in self.kinds), f"the names in `{self.words_path.name}`"]
        return [
            f"Up to {len(COPY_TOKENS)} items of a text are carried over unchanged. They are {', '.join(carried)}.",
            *([f"These are translated like other words: {', '.join(not_carried)}."] if not_carried else []),
        ]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs beside the file of words, as JSON.

        Raises:
            UsageError: the file has changed since the object was created.
        """
        if not self.words_path.is_file() or sha256(self.words_path) != self._words_sha256:
            raise UsageError(
                f"{self.words_path} has changed since it was read. Expected the words of these items. Let no other "
                "process write to the directory, and run the same command again."
            )
        return make_config(words_file=self.words_path.name, kinds=list(self.kinds))

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets_dir: Path | str) -> Self:
        """Rebuild the object from what `get_config` returned and the directory of its file of words.

        Raises:
            UsageError: the configuration was made by another version of the preprocessing.
        """
        arguments = read_config(config)
        return cls(words_path=Path(assets_dir) / arguments.pop("words_file"), **arguments)


class CopyingTokenizer(WordPieceTokenizer):
    """Word pieces of marked texts: `WordPieceTokenizer` with a token for each number.

    `train_wordpiece` makes its vocabulary with `split=pre_tokenize_marked` and `special_tokens=COPY_TOKENS`.
    """

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split marked texts, string [n], into pre-tokens; see `pre_tokenize_marked`."""
        return pre_tokenize_marked(texts)

    def ids_to_tokens(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """Return the token behind each id, as `WordPieceTokenizer` does; `copies` hold the items, too.

        An item that would become a part of the word or number before it gets a space, and so does a number after it.
        """
        tokens = super().ids_to_tokens(ids, copies)
        if copies is None:
            return tokens
        tokens = tf.where(is_copy(ids) & (copies != "") & (tokens != ""), copies, tokens)
        before = tf.concat([tf.zeros_like(ids[..., :1]), ids[..., :-1]], axis=-1)
        borders = tf.concat([tf.fill(tf.shape(ids[..., :1]), ""), tokens[..., :-1]], axis=-1) + _MARK + tokens
        touches = is_copy(ids) & tf.strings.regex_full_match(borders, _BORDER_IN_WORD)
        touches |= is_copy(before) & tf.strings.regex_full_match(borders, _BORDER_IN_NUMBER)
        return tf.where(touches, METASPACE + tokens, tokens)


def pre_tokenize_marked(texts: tf.Tensor) -> tf.RaggedTensor:
    r"""Split marked texts into pre-tokens, as `pre_tokenize` does. An item is `[COPY1]` to `[COPY8]`.

    The space before an item is a pre-token by itself.

    Args:
        texts: string [n], from `CopiedItems`.

    Returns:
        Ragged string [n, pre-tokens].

    >>> print(*(token.decode() for token in pre_tokenize_marked(["See (\x012\x01) \x011\x01."])[0].numpy()))
    ▁See ▁( [COPY2] ) ▁ [COPY1] .
    """
    segments = tf.strings.split(texts, _MARK)
    is_item = _is_odd(segments)
    names = "[COPY" + segments.flat_values[is_item] + "]"
    texts = tf.strings.reduce_join(
        segments.with_values(tf.where(is_item, _STAND_IN, segments.flat_values)), axis=1
    )
    words = pre_tokenize(texts)
    separated = tf.strings.regex_replace(words.flat_values, _STAND_IN, f"{_MARK}{_STAND_IN}{_MARK}")
    parts = words.with_values(tf.strings.split(separated, _MARK)).merge_dims(1, 2)
    parts = tf.ragged.boolean_mask(parts, parts != "")
    places = tf.where(parts.flat_values == _STAND_IN)
    return parts.with_values(tf.tensor_scatter_nd_update(parts.flat_values, places, names))


def normalize_copyable(texts: tf.Tensor) -> tf.Tensor:
    """Normalize texts in which items are to be found. U+FFFC and U+2581, which stand for others, become spaces."""
    return tf.strings.regex_replace(normalize_texts(texts), f"[{_STAND_IN}{METASPACE}]", " ")


def count_copy_tokens(ids: tf.Tensor) -> tuple[tuple[int, ...], tf.Tensor]:
    """Return the ids of the copy tokens, and how often each of them occurs, int32 [n, 8], in ids [n, time]."""
    copy_ids = tuple(range(FIRST_COPY_ID, FIRST_COPY_ID + len(COPY_TOKENS)))
    is_equal = ids[:, :, None] == tf.constant(copy_ids, ids.dtype)
    return copy_ids, tf.reduce_sum(tf.cast(is_equal, tf.int32), axis=1)


def is_copy(ids: tf.Tensor) -> tf.Tensor:
    """Return which ids are those of copy tokens, bool of the same shape."""
    return (ids >= FIRST_COPY_ID) & (ids < FIRST_COPY_ID + len(COPY_TOKENS))


def gather_items(ids: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
    """Return the item that each copy token stands for, and "" for other tokens.

    Args:
        ids: int32 [n, ..., time].
        items: string [n, 8], from `CopiedItems.mark`.

    Returns:
        string [n, ..., time].
    """
    items = tf.concat([tf.fill([tf.shape(items)[0], 1], ""), items], axis=1)
    return tf.gather(items, tf.where(is_copy(ids), ids - FIRST_COPY_ID + 1, 0), batch_dims=1)


def find_item(item: str, text: str) -> list[int]:
    """Return the places at which a text contains an item that is not a part of a longer word or number.

    A name may have an ending of up to two letters.

    >>> find_item("Tom", "Toms Hund mag Tom und Tomaten."), find_item("3", "3,5 und 3.")
    ([0, 14], [8])
    """
    is_name = not item[0].isdigit() and item.replace(" ", "").replace("-", "").replace("_", "").isalnum()
    places, start = [], 0
    while (start := text.find(item, start)) >= 0:
        end = start + len(item)
        before, after = text[max(start - 2, 0) : start], text[end : end + _MAX_ENDING + 1]
        length = next((i for i, character in enumerate(after) if not character.isalnum()), len(after))
        is_start = not (item[0].isalnum() and before[-1:].isalnum())
        is_end = not item[-1].isalnum() or length <= (_MAX_ENDING if is_name else 0)
        is_whole = not item.isdigit() or not (
            (before[-1:] in _SEPARATORS and before[:-1].isdigit())
            or (after[:1] in _SEPARATORS and after[1:2].isdigit())
        )
        if is_start and is_end and is_whole and before[-1:] != _MARK:
            places.append(start)
        start = end
    return places


_SEPARATORS = tuple(".,:/-")


def _mark_pair(segments: Sequence[str], target: str, rng: random.Random) -> Pair:
    counts = Counter(segments[1::2])
    rest, found = target, list[tuple[int, str]]()
    for item in sorted(counts, key=len, reverse=True):  # a name may be a part of another one
        places = find_item(item, rest)
        if len(places) == counts[item]:
            found += [(place, item) for place in places]
            for place in places:
                rest = rest[:place] + _MARK * len(item) + rest[place + len(item) :]
    copied = {item for _, item in found}
    numbers = dict(zip((item for item in counts if item in copied), _draw_numbers(rng), strict=False))
    for place, item in sorted(found, reverse=True):
        if item in numbers:
            target = f"{target[:place]}{_MARK}{numbers[item]}{_MARK}{target[place + len(item) :]}"
    source = "".join(
        f"{_MARK}{numbers[segment]}{_MARK}" if i % 2 and segment in numbers else segment
        for i, segment in enumerate(segments)
    )
    return source, target


def _draw_numbers(rng: random.Random) -> list[int]:
    """Return the numbers of items: in half of the pairs as `CopiedItems.mark` counts, otherwise in random order."""
    numbers = list(range(1, len(COPY_TOKENS) + 1))
    if rng.random() < 0.5:
        rng.shuffle(numbers)
    return numbers


def _insert_items(source: str, target: str, rng: random.Random) -> Pair:
    """Replace a word that both sides share by an item, or put items around it or around the whole texts."""
    items = [f"{_MARK}{number}{_MARK}" for number in _draw_numbers(rng)]
    in_source, in_target = (
        {word.lower(): word for word in _LONG_WORD.findall(text)} for text in (source, target)
    )
    shared = sorted(in_source.keys() & in_target.keys())
    if shared and rng.random() < 0.5:
        word, form = rng.choice(shared), rng.choice(_WORD_FORMS)
        old = in_source[word], in_target[word]
    else:
        old, form = (source, target), rng.choice(_TEXT_FORMS)
    source, target = (
        text.replace(part, form.format(part, *items), 1)
        for text, part in zip((source, target), old, strict=True)
    )
    return source, target


_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_WORD_FORMS = ("{1}", "{1}{0}{2}")
_TEXT_FORMS = ("{1} {0}", "{0} {1}", "{1}{0}{2}")


class _Tally:
    """How often something occurs, and how often it stands unchanged in the target."""

    def __init__(self) -> None:
        self.occurrences, self.unchanged = Counter[str](), Counter[str]()

    def add(self, name: str, count: int, num_copies: int) -> None:
        self.occurrences[name] += count
        self.unchanged[name] += num_copies

    def get_share(self, name: str) -> float:
        return self.unchanged[name] / self.occurrences[name]


class _Candidate(NamedTuple):
    """An item or a word of a source.

    Attributes:
        text: as it is written.
        lower: the same in lower case.
        kind: of `KINDS` or `WORD_KINDS`, or "".
    """

    text: str
    lower: str
    kind: str


def _count_candidates(pairs: Iterable[Pair]) -> Iterator[tuple[_Candidate, int, int]]:
    """Yield the items and words of each source, how often they count, and how often they stand in the target."""
    for batch in _split_into_batches(pairs):
        rows = zip(*(_list_candidates(side) for side in zip(*batch, strict=True)), strict=True)
        for (source, candidates), (target, in_target) in rows:
            for candidate, count in Counter(candidates).items():
                num_copies = min(count, len(find_item(candidate.text, target))) if candidate.kind else 0
                if candidate.kind in KINDS:
                    others = {
                        other.text
                        for other in in_target
                        if _get_group(other.kind) == _get_group(candidate.kind)
                    }
                    if all(find_item(other, source) for other in others):
                        count = num_copies  # the target has none that could be another form of it
                yield candidate, count, num_copies


def _list_candidates(texts: Sequence[str]) -> list[tuple[str, list[_Candidate]]]:
    normalized = normalize_copyable(tf.constant(texts))
    segments = _split_candidates(normalized)
    columns = segments.flat_values, _lower(segments.flat_values), _classify(segments)
    rows = zip(*(segments.with_values(column).to_list() for column in columns), strict=True)
    return [
        (
            text.decode(),
            [_Candidate(*(part.decode() for part in parts)) for parts in zip(*row, strict=True)][1::2],
        )
        for text, row in zip(normalized.numpy(), rows, strict=True)
    ]


def _get_group(kind: str) -> str:
    return "numbers" if "numbers" in kind else kind


def _split_into_batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    remaining = iter(pairs)
    while batch := list(islice(remaining, 1024)):
        yield batch


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def _split_candidates(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into what stands between, and items of all kinds and words, alternately."""
    for pattern in _SEARCHES:
        segments = tf.strings.split(texts, _MARK)
        values = segments.flat_values
        found = tf.strings.regex_replace(values, pattern, rf"{_MARK}\0{_MARK}")
        values = tf.where(_is_odd(segments), _MARK + values + _MARK, found)
        texts = tf.strings.reduce_join(segments.with_values(values), axis=1)
    return tf.strings.split(texts, _MARK)


def _classify(segments: tf.RaggedTensor) -> tf.Tensor:
    """Return the kind of each item, of `KINDS`, and of each word, of `WORD_KINDS`; "" for others."""
    values = segments.flat_values
    is_first = tf.ragged.range(segments.row_lengths()).flat_values == 0
    starts = tf.strings.regex_full_match(tf.where(is_first, "! " + values, values), _SENTENCE_START)
    starts &= is_first | ~tf.strings.regex_full_match(tf.roll(values, 1, 0) + values, _ABBREVIATION)
    starts = tf.roll(starts, 1, 0)  # to the segment after
    capitalized, first, mixed = WORD_KINDS
    kinds = tf.where(tf.strings.regex_full_match(values, _MIXED), mixed, "")
    kinds = tf.where(
        tf.strings.regex_full_match(values, _CAPITALIZED), tf.where(starts, first, capitalized), kinds
    )
    for kind, pattern in reversed(KINDS.items()):
        kinds = tf.where(tf.strings.regex_full_match(values, pattern), kind, kinds)
    return tf.where(_is_odd(segments), kinds, "")


def _is_any(values: tf.Tensor, choices: Sequence[str]) -> tf.Tensor:
    if not choices:
        return tf.zeros_like(values, tf.bool)
    return tf.reduce_any(values[:, None] == tf.constant(list(choices)), axis=1)


def _is_odd(segments: tf.RaggedTensor) -> tf.Tensor:
    """Return which segments of each row are the second, fourth, and so on, bool [all segments]."""
    return tf.ragged.range(segments.row_lengths()).flat_values % 2 == 1


def _lower(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.lower(texts, encoding="utf-8")


def _lower_all(texts: Iterable[str]) -> list[str]:
    return [text.decode() for text in _lower(tf.constant(list(texts), tf.string)).numpy()]
