r"""Items that a translation carries over unchanged: URLs, numbers, placeholders, tags, emoji and names.

A translator replaces each of them by a numbered token, `[COPY1]` to `[COPY8]`, on both sides. So it learns where
an item goes, and never has to spell it. Which kinds of items are carried over is learned from the training pairs.

A marked text is a text in which the character U+0001 stands before and after each number that replaces an item:
"\x011\x01 is away" for "Tom is away". Normalized texts do not contain this character.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from zoo.errors import UsageError
from zoo.files import sha256
from zoo.preprocessing.config import make_config, read_config
from zoo.preprocessing.text.base import make_token_to_id_table, write_vocabulary
from zoo.preprocessing.text.item_patterns import (
    CAPITALIZED,
    DECIMALS,
    KINDS,
    MARK,
    WORD_KINDS,
    classify,
    exchange_separators,
    is_any,
    is_odd,
    lower_strings,
    lower_texts,
    normalize_copyable,
    split_candidates,
)
from zoo.preprocessing.text.marked_pairs import (
    Pair,
    Tally,
    count_candidates,
    insert_items,
    mark_pair,
    split_into_batches,
)
from zoo.preprocessing.text.word_pieces import COPY_TOKENS

MIN_SHARE = 0.9
"""Share of its occurrences that must stand unchanged in the target for a kind or a name to be carried over."""
MIN_UNKNOWN_SHARE = 0.25
"""The same for words that are unknown. Those that occur once in training stand for them.

It is low, since a word that is carried over although it should be translated does less harm than a name that is not.
"""
MIN_RARE_SHARE = 0.5
"""The same for names that occur fewer than `MIN_OCCURRENCES` times, more often in capitals than not.

Of two occurrences of "Peter" one may be "Saint Peter's Square", which has a name of its own in the target.
"""
MIN_OCCURRENCES = 10
"""A kind that occurs less often in training is carried over."""
MAX_WORDS = 50_000
"""Number of words that count as known, the most frequent ones."""

_NAME_MARK = "\x02"
_HEADER = "# capitals: carried over; no capitals: not"
_RARE_HEADER = "# no capitals: not, but with a capital inside a sentence like unknown words"


class CopiedItems(tf.Module):
    """Finds the items of texts that are carried over, and replaces them by numbers, inside the graph.

    A name is a capitalized word, or a word with a capital letter or a digit inside. It is carried over if its file
    of words contains it in capitals, or contains it in no form and words of its kind are carried over. A word that
    training has once, in small letters, is unknown if it is capitalized inside a sentence: a single "to peter out"
    does not make "Peter" a known word. Names with a space or a hyphen between them are one item.

    A URL with a scheme or "www." goes to the next space or to punctuation beyond ASCII, without the marks that end a
    sentence and without brackets and quotes that are not paired inside of it. Letters of a script without spaces, and
    emoji, belong to it after one of its marks ("/wiki/中文"), not directly after a letter or a digit ("x.org谢谢").
    A domain without a scheme has ASCII letters, digits and "-" only, and ends in .com, .edu, .gov, .info, .net or
    .org, or in two lower-case letters after a name of two characters or more: "zeit.de" and "main.py", but not "e.g.".
    An e-mail address may have letters of any script; if its name is in a script without spaces, it starts where the
    letters start. A placeholder in braces may contain spaces and further braces, three levels in all. The signs of
    numbers, units apart from them, `@user`, `#tag` and paths without a scheme are not items.

    Args:
        kinds: names of the kinds that are carried over, of `KINDS` and `WORD_KINDS`.
        words_path: file of words, as `adapt` writes it. It becomes an asset of any SavedModel that contains the
            object, under its own name.
        exchanges_separators: whether decimal numbers have points and commas exchanged in the target.

    >>> import tempfile
    >>> pairs = [("Tom has 2 dogs.", "Tom hat 2 Hunde."), ("Dogs like Tom.", "Hunde mögen Tom.")]
    >>> items = CopiedItems.adapt(pairs, Path(tempfile.mkdtemp(), "words.txt"))
    >>> [text.decode() for text in items.find(tf.constant(["Dogs saw Xaver at https://x.org/."]))[0].numpy()]
    ['Dogs saw ', 'Xaver', ' at ', 'https://x.org/', '.']
    """

    def __init__(
        self, kinds: Sequence[str], words_path: Path | str, exchanges_separators: bool = False
    ) -> None:
        super().__init__()
        self.exchanges_separators = exchanges_separators
        self.kinds, self.words_path = tuple(kinds), Path(words_path)
        self._words_sha256 = sha256(self.words_path)
        self._words = make_token_to_id_table(self.words_path, -1)

    @classmethod
    def adapt(cls, pairs: Iterable[Pair], words_path: Path) -> Self:
        """Learn from training pairs which kinds of items and which names are carried over.

        A kind is carried over if at least `MIN_SHARE` of its occurrences in the sources stand unchanged in the
        target, or if it occurs fewer than `MIN_OCCURRENCES` times. Items that the target lacks count only if it has
        an item of the same kind that could be another form of them: "15:05" of "3:05 PM", but not "zwölf" of "12".

        A name is carried over if that holds for all occurrences of its letters, in capitals or not. For a name that
        occurs fewer than `MIN_OCCURRENCES` times, more often in capitals than not, `MIN_RARE_SHARE` is enough. A kind
        of unknown words is carried over if `MIN_UNKNOWN_SHARE` of the words that occur once are: these were unknown
        but for one pair.

        Decimal numbers are also carried over if they stand in the targets with points and commas exchanged: at least
        `MIN_OCCURRENCES` of them, and `MIN_SHARE` of those that stand there in either form.

        Args:
            pairs: sources and targets.
            words_path: where the words are written, one per line.

        Returns:
            The object, which depends on the pairs alone.
        """
        kinds = Tally()
        words, names = Tally(), Tally()  # in lower case; as they are written
        kind_of_word: dict[str, str] = {}
        num_exchanged = num_in_either_form = 0
        for (word, lower, exchanged, kind), count, num_copies, num_others in count_candidates(pairs):
            if kind in KINDS:
                kinds.add(kind, count, num_copies)
                num_exchanged += num_others
                if exchanged != word:
                    num_in_either_form += num_copies + num_others
                continue
            words.add(lower, count, num_copies)
            if kind:
                names.add(word, count, num_copies)
                kind_of_word[lower] = kind
        for lower, kind in kind_of_word.items():
            if words.occurrences[lower] == 1:
                kinds.add(kind, 1, words.unchanged[lower])
        exchanges = num_exchanged >= max(MIN_OCCURRENCES, MIN_SHARE * num_in_either_form)
        min_shares = dict.fromkeys(KINDS, MIN_SHARE) | dict.fromkeys(WORD_KINDS, MIN_UNKNOWN_SHARE)
        carried = [
            kind
            for kind, min_share in min_shares.items()
            if kinds.occurrences[kind] < MIN_OCCURRENCES
            or kinds.get_share(kind) >= min_share
            or (kind == DECIMALS and exchanges)
        ]
        lowered = dict(zip(names.occurrences, lower_strings(names.occurrences), strict=True))
        in_capitals = Counter[str]()
        for name, lower in lowered.items():
            in_capitals[lower] += names.occurrences[name]

        def is_copied(lower: str) -> bool:
            is_rare_name = words.occurrences[lower] < min(MIN_OCCURRENCES, 2 * in_capitals[lower])
            return words.get_share(lower) >= (MIN_RARE_SHARE if is_rare_name else MIN_SHARE)

        copied = set(filter(is_copied, kind_of_word))
        rare = {
            lower for lower, count in words.occurrences.items() if count == 1 and lower not in kind_of_word
        }
        lines = [
            *sorted(name for name, lower in lowered.items() if lower in copied and names.unchanged[name]),
            *(word for word, _ in words.occurrences.most_common() if word not in copied | rare),
            _RARE_HEADER,
            *(word for word in words.occurrences if word in rare),
        ]
        write_vocabulary([_HEADER, *lines[:MAX_WORDS]], words_path)
        return cls(carried, words_path, exchanges)

    def find(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split texts into what is translated and items that are carried over, alternately.

        Args:
            texts: string [n].

        Returns:
            Ragged string [n, segments]. The second, fourth, ... segment of a row are items; the others may be
            empty. Joined they are the text, normalized.
        """
        segments = split_candidates(normalize_copyable(texts))
        values = segments.flat_values
        kinds = classify(segments)
        is_item = is_any(kinds, [kind for kind in KINDS if kind in self.kinds])
        is_word = is_any(kinds, WORD_KINDS)
        is_name = is_word & (self._words.lookup(values) >= 0)
        places = self._words.lookup(lower_texts(values))
        first_rare = self._words.lookup(tf.constant(_RARE_HEADER))
        is_rare = (first_rare >= 0) & (places > first_rare) & is_any(kinds, [CAPITALIZED])
        is_unknown = ((places < 0) | is_rare) & (self._words.lookup(values) < 0)
        is_name |= is_unknown & is_any(kinds, [kind for kind in WORD_KINDS if kind in self.kinds])
        marks = tf.where(is_item, MARK, tf.where(is_name, _NAME_MARK, ""))
        marked = tf.strings.reduce_join(segments.with_values(marks + values + marks), axis=1)
        marked = tf.strings.regex_replace(marked, f"{_NAME_MARK}([ -]){_NAME_MARK}", r"\1")
        return tf.strings.split(tf.strings.regex_replace(marked, _NAME_MARK, MARK), MARK)

    def write(self, items: tf.Tensor) -> tf.Tensor:
        """Return items, strings of any shape, as the target has them: decimal numbers may be written in another way."""
        return exchange_separators(items) if self.exchanges_separators else items

    def mark(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Replace the items of texts by their numbers, in the order in which they occur first.

        Equal items of a text have one number. From the ninth on, items stay text.

        Args:
            texts: string [n].

        Returns:
            A tuple of the marked texts, string [n], the items with the numbers 1 to 8, string [n, 8], empty where a
            text has fewer, and the number of different items of each text, int32 [n].
        """
        segments = self.find(texts)
        is_item = is_odd(segments)
        row_ids = segments.value_rowids()[is_item]
        items = tf.RaggedTensor.from_value_rowids(segments.flat_values[is_item], row_ids, segments.nrows())
        # `tf.unique` numbers the items of all rows in the order in which they occur first.
        keys = tf.strings.as_string(row_ids) + MARK + items.flat_values
        numbers = items.with_values(tf.unique(keys).idx)
        numbers = numbers - tf.reduce_min(numbers, axis=1)[:, None] + 1
        num_items = tf.maximum(tf.reduce_max(numbers, axis=1), 0)
        numbers = numbers.flat_values
        is_numbered = numbers <= len(COPY_TOKENS)
        marked = tf.where(is_numbered, MARK + tf.strings.as_string(numbers) + MARK, items.flat_values)
        marked = tf.tensor_scatter_nd_update(segments.flat_values, tf.where(is_item), marked)
        positions = tf.stack([tf.cast(row_ids, tf.int32), numbers - 1], axis=1)[is_numbered]
        table = tf.fill([tf.size(texts), len(COPY_TOKENS)], "")
        return (
            tf.strings.reduce_join(segments.with_values(marked), axis=1),
            tf.tensor_scatter_nd_update(table, positions, items.flat_values[is_numbered]),
            num_items,
        )

    def mark_pairs(self, pairs: Iterable[Pair], inserted: float = 0.0) -> Iterator[Pair]:
        """Yield training pairs as marked texts.

        An item is replaced if it occurs in the source as often as what `write` makes of it in the target. In half of
        the pairs items are numbered as `mark` does, in the others at random, so that all tokens get trained. Each
        call draws the same numbers.

        Args:
            pairs: sources and targets.
            inserted: share of the pairs without items that come a second time, with items, so that the tokens get
                trained although the pairs have few: a word that both sides share becomes an item, or items are put
                around it or around both texts.
        """
        rng = random.Random(0)
        for batch in split_into_batches(pairs):
            sources, targets = zip(*batch, strict=True)
            found = self.find(tf.constant(sources))
            for segments, in_target, target in zip(
                found.to_list(),
                found.with_values(self.write(found.flat_values)).to_list(),
                normalize_copyable(tf.constant(targets)).numpy(),
                strict=True,
            ):
                segments, in_target = ([part.decode() for part in parts] for parts in (segments, in_target))
                written = dict(zip(segments[1::2], in_target[1::2], strict=True))
                pair = mark_pair(segments, written, target.decode(), rng)
                yield pair
                if MARK not in pair[0] and rng.random() < inserted:
                    yield insert_items(*pair, rng)

    def describe(self) -> list[str]:
        """Return sentences about what is carried over and what is not, for a model card."""
        kinds = [*KINDS, *WORD_KINDS]
        not_carried = [kind for kind in kinds if kind not in self.kinds]
        carried = [*(kind for kind in kinds if kind in self.kinds), f"the names in `{self.words_path.name}`"]
        exchanged = " Decimal numbers have points and commas exchanged." if self.exchanges_separators else ""
        return [
            f"Up to {len(COPY_TOKENS)} items of a text are carried over unchanged. They are {', '.join(carried)}."
            f"{exchanged}",
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
        return make_config(
            words_file=self.words_path.name,
            kinds=list(self.kinds),
            exchanges_separators=self.exchanges_separators,
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets_dir: Path | str) -> Self:
        """Rebuild the object from what `get_config` returned and the directory of its file of words.

        Raises:
            UsageError: the configuration was made by a later version of the preprocessing.
        """
        arguments = read_config(config)
        return cls(words_path=Path(assets_dir) / arguments.pop("words_file"), **arguments)
