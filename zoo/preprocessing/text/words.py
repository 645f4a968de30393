"""Raw strings to word ids, inside the graph, with TensorFlow's own operations alone."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from zoo.files import sha256

PADDING, UNKNOWN = 0, 1
"""The first two ids; the word on line k of a vocabulary, counted from 0, has the id k + 2."""

_SPACE = ord(" ")
_REWRITES = (
    (r"[\p{Z}\p{C}]", " "),  # every sort of space, and characters that do not show
    (r"<br\s*/?>", " "),
    ("[\u2018\u2019\u02bc\u0060\u00b4]", "'"),  # every sort of apostrophe
    (
        r"[^\p{L}\p{M}\p{N}'\s]",
        r" \0 ",
    ),  # what is neither letter, digit nor space is a word of its own
    (r"(^|\s)('+)", r"\1\2 "),  # an apostrophe is part of a word only inside it
    (r"('+)(\s|$)", r" \1\2"),
)


def valid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Spaces for bytes that are not UTF-8 and for control characters, NUL among them.

    To be called first of all: `tf.strings.lower` ends a string at NUL, and `tf.strings.regex_replace` leaves
    invalid UTF-8 as it is.
    """
    return tf.strings.unicode_transcode(
        texts,
        "UTF-8",
        "UTF-8",
        errors="replace",
        replacement_char=_SPACE,
        replace_control_characters=True,
    )


def padded(ids: tf.RaggedTensor) -> tf.Tensor:
    """Ids [n, time], padded with `PADDING` on the right, with time >= 1."""
    dense = ids.to_tensor(PADDING)
    return tf.pad(dense, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(dense)[1])]])


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Lower-case words and punctuation marks of each text.

    Control characters, NUL among them, bytes that are not UTF-8, and the tag `<br />` count as spaces.
    "Don't" is one word; each other mark and each emoji is a word of its own.

    Args:
        texts: string [n], UTF-8.

    Returns:
        Ragged string [n, words].

    >>> [word.decode() for word in split_words(["It's GREAT,<br />isn\u2019t it?!"])[0].numpy()]
    ["it's", 'great', ',', "isn't", 'it', '?', '!']
    """
    texts = tf.strings.lower(valid_utf8(texts), encoding="utf-8")
    for pattern, replacement in _REWRITES:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return tf.strings.split(texts)


def learn_vocabulary(texts: tf.data.Dataset, size: int) -> list[str]:
    """The most frequent words of `texts`, most frequent first, ties in alphabetical order.

    Args:
        texts: scalar strings.
        size: how many ids there are to be, the two for padding and for unknown words included.
    """
    counts: Counter[bytes] = Counter()
    for batch in texts.batch(1024):
        counts.update(split_words(batch).flat_values.numpy().tolist())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [word.decode() for word in ranked[: max(size - 2, 0)]]


class Words(NamedTuple):
    """What a `WordTokenizer` makes of n texts."""

    ids: tf.Tensor
    """int32 [n, time], time >= 1, padded with `PADDING` on the right."""
    words: tf.RaggedTensor
    """string [n, words]: the words behind the ids."""
    status: tf.Tensor
    """string [n]: empty, or what is to be said about the text."""


LINE = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
NUMBER = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)


class _Lines(tf.lookup.TextFileInitializer):
    @property
    def _shared_name(self) -> str:
        # An export keeps the name, which is to tell what is in the file, and not where it lay.
        return super()._shared_name.replace(self._filename_arg, sha256(Path(self._filename_arg)))


def table(file: Path | str, key: tuple, value: tuple, default: int | str) -> tf.lookup.StaticHashTable:
    """A table from `LINE` to `NUMBER` of a file's lines, or back; an asset of what is exported."""
    return tf.lookup.StaticHashTable(_Lines(str(file), *key, *value), default)


class WordTokenizer(tf.Module):
    """Texts to word ids, by a vocabulary that travels with a SavedModel as an asset.

    Args:
        vocabulary: a file with one word a line.
        max_words: a longer text is cut to its first and its last words, half of them each.
    """

    def __init__(self, vocabulary: Path | str, max_words: int) -> None:
        super().__init__()
        self.tail = max_words // 2
        self.head = max_words - self.tail
        self.table = table(vocabulary, LINE, NUMBER, UNKNOWN - 2)

    @property
    def size(self) -> int:
        """How many ids there are, those for padding and for unknown words included."""
        return int(self.table.size()) + 2

    def __call__(self, texts: tf.Tensor) -> Words:
        """Encode string [n]."""
        words = split_words(texts)
        count = words.row_lengths()
        words = self._cut(words)
        ids = tf.cast(self.table.lookup(words.flat_values) + 2, tf.int32)
        ragged = words.with_flat_values(ids)
        known = tf.reduce_any(ragged != UNKNOWN, axis=1)
        return Words(padded(ragged), words, self._status(count, known))

    def _cut(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        position = tf.ragged.range(words.row_lengths()).flat_values
        length = tf.gather(words.row_lengths(), words.value_rowids())
        kept = (position < self.head) | (position >= length - self.tail)
        return tf.ragged.boolean_mask(words, words.with_flat_values(kept))

    def _status(self, count: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
        read = f" words the first {self.head} and the last {self.tail} were read"
        cut = tf.strings.join(["cut: of ", tf.strings.as_string(count), read])
        status = tf.where(count > self.head + self.tail, cut, "")
        status = tf.where(known, status, "none of the words is known")
        return tf.where(count > 0, status, "no words in the text")


def write_vocabulary(words: Iterable[str], path: Path) -> Path:
    """Write one word a line, as `WordTokenizer` reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
    return path
