"""Raw texts to word ids, inside the graph, with core TensorFlow operations."""

from collections import Counter
from pathlib import Path

import tensorflow as tf

from zoo.preprocessing.text.base import (
    UNKNOWN_ID,
    TokenizedText,
    Tokenizer,
    make_token_to_id_table,
    pad_ids,
    replace_invalid_utf8,
)

_FIRST_WORD_ID = UNKNOWN_ID + 1
_REWRITES = (
    (r"[\p{Z}\p{C}]", " "),  # all kinds of spaces, and characters without a glyph
    (r"<br\s*/?>", " "),
    ("[\u2018\u2019\u02bc\u0060\u00b4]", "'"),  # all kinds of apostrophes
    (r"[^\p{L}\p{M}\p{N}'\s]", r" \0 "),  # anything but letters, digits and spaces is a word by itself
    (r"(^|\s)('+)", r"\1\2 "),  # an apostrophe is part of a word only inside it
    (r"('+)(\s|$)", r" \1\2"),
)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into lower-case words and punctuation marks.

    Control characters, NUL among them, bytes that are not UTF-8, and the tag `<br />` count as spaces. An
    apostrophe inside a word belongs to it, so "don't" is one word. Every other mark and every emoji is a word
    by itself.

    Args:
        texts: string [n], UTF-8.

    Returns:
        Ragged string [n, words].

    >>> [word.decode() for word in split_words(["It's GREAT,<br />isn\u2019t it?!"])[0].numpy()]
    ["it's", 'great', ',', "isn't", 'it', '?', '!']
    """
    texts = tf.strings.lower(replace_invalid_utf8(texts), encoding="utf-8")
    for pattern, replacement in _REWRITES:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return tf.strings.split(texts)


def build_vocabulary(texts: tf.data.Dataset, vocabulary_size: int) -> list[str]:
    """Return the most frequent words of texts, as `split_words` splits them.

    Args:
        texts: Dataset of scalar strings: the training texts.
        vocabulary_size: Number of ids, those of padding and of unknown words included: two more than there
            are words in the result.

    Returns:
        At most `vocabulary_size - 2` words, the most frequent first, ties in alphabetical order. Write them
        to a file with `write_vocabulary`.
    """
    counts: Counter[bytes] = Counter()
    for batch in texts.batch(1024):
        counts.update(split_words(batch).flat_values.numpy().tolist())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [word.decode() for word in ranked[: max(vocabulary_size - _FIRST_WORD_ID, 0)]]


class WordTokenizer(Tokenizer):
    """Texts to ids of lower-case words.

    The word on line k of the vocabulary file, counted from 0, has the id k + 2; `PADDING_ID` is 0 and
    `UNKNOWN_ID` 1. A text of more than `max_tokens` words is truncated in the middle: the first half of the
    ids are its first words, the second half its last words.

    `status` of a text is one of:

    - "" if it was read completely and at least one word is known;
    - "no words in the text";
    - "none of the words is known";
    - "cut: of 900 words the first 200 and the last 200 were read".

    Args:
        vocabulary_path: File with one word per line, as `build_vocabulary` and `write_vocabulary` make it.
        max_tokens: Greatest number of words per text; longer texts are truncated.

    >>> import tempfile
    >>> from zoo.preprocessing.text import write_vocabulary
    >>> path = write_vocabulary(["good", "film"], Path(tempfile.mkdtemp(), "words.txt"))
    >>> WordTokenizer(path, max_tokens=100)(["A good film!", "Good"]).ids.numpy().tolist()
    [[1, 2, 3, 1], [2, 0, 0, 0]]
    """

    def __init__(self, vocabulary_path: Path | str, max_tokens: int) -> None:
        super().__init__(vocabulary_path, max_tokens)
        self._num_last = max_tokens // 2
        self._num_first = max_tokens - self._num_last
        self._token_to_line = make_token_to_id_table(self.vocabulary_path, UNKNOWN_ID - _FIRST_WORD_ID)

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, those of padding and of unknown words included."""
        return int(self._token_to_line.size()) + _FIRST_WORD_ID

    def __call__(self, texts: tf.Tensor) -> TokenizedText:
        """Tokenize texts.

        Args:
            texts: string [n], UTF-8. See `split_words`.

        Returns:
            A `TokenizedText` of n rows.
        """
        words = split_words(texts)
        num_words = words.row_lengths()
        words = self._truncate(words)
        ids = self.words_to_ids(words)
        any_known = tf.reduce_any(ids != UNKNOWN_ID, axis=1)
        return TokenizedText(pad_ids(ids), words, self._status(num_words, any_known))

    def words_to_ids(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the id of each word, without truncation and padding.

        Args:
            words: Ragged string [n, words], from `split_words`.

        Returns:
            Ragged int32 [n, words].
        """
        lines = self._token_to_line.lookup(words.flat_values)
        return words.with_flat_values(tf.cast(lines + _FIRST_WORD_ID, tf.int32))

    def get_vocabulary(self) -> list[str]:
        """Return the words in the order of their ids, the first of which is 2."""
        words, lines = (column.numpy().tolist() for column in self._token_to_line.export())
        return [word.decode() for _, word in sorted(zip(lines, words, strict=True))]

    def _truncate(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        position = tf.ragged.range(words.row_lengths()).flat_values
        length = tf.gather(words.row_lengths(), words.value_rowids())
        is_read = (position < self._num_first) | (position >= length - self._num_last)
        return tf.ragged.boolean_mask(words, words.with_flat_values(is_read))

    def _status(self, num_words: tf.Tensor, any_known: tf.Tensor) -> tf.Tensor:
        limits = f" words the first {self._num_first} and the last {self._num_last} were read"
        truncated = tf.strings.join(["cut: of ", tf.strings.as_string(num_words), limits])
        status = tf.where(num_words > self.max_tokens, truncated, "")
        status = tf.where(any_known, status, "none of the words is known")
        return tf.where(num_words > 0, status, "no words in the text")
