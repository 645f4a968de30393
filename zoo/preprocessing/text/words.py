"""Raw texts to word ids, inside the graph, with core TensorFlow operations."""

from collections import Counter
from pathlib import Path

import tensorflow as tf

from zoo.preprocessing.config import VERSION
from zoo.preprocessing.text import version_1
from zoo.preprocessing.text.base import (
    UNKNOWN_ID,
    TokenizedText,
    Tokenizer,
    make_token_to_id_table,
    pad_ids,
    replace_invalid_utf8,
    split_length,
    truncate_middle,
)
from zoo.preprocessing.text.normalization import read_characters
from zoo.preprocessing.text.splitting import SplitTexts, are_characters, split_characters
from zoo.preprocessing.text.unicode import Kind, shift_right

NO_WORDS = "no words in the text"
"""Status of a text without words."""

NO_KNOWN_WORDS = "none of the words is known"
"""Status of a text of which no word is in the vocabulary."""

_FIRST_WORD_ID = UNKNOWN_ID + 1
_SMALL_SHARE = 0.1  # of the occurrences of a word that is no name
_APOSTROPHES = "\u2018\u2019\u02bc\u0060\u00b4\u1fef\u1ffd"  # the last two are equivalent to those before
_WORD_KINDS = (Kind.LETTER, Kind.MARK, Kind.NUMBER)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into lower-case words and punctuation marks.

    Texts are normalized (`normalize_texts`). The tag `<br />` counts as a space. An apostrophe inside a word
    belongs to it, so "don't" is one word. Every other mark and every emoji, with all that belongs to it, is a word
    by itself, and so is each character of a script without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese
    and their relatives. Direction marks and variation selectors of emoji are dropped.

    Args:
        texts: string [n], UTF-8.

    Returns:
        Ragged string [n, words].

    >>> [word.decode() for word in split_words(["It's GREAT,<br />isn\u2019t it?!"])[0].numpy()]
    ["it's", 'great', ',', "isn't", 'it', '?', '!']
    >>> [word.decode() for word in split_words(["\u4e0d\u597d\u770b\u3002"])[0].numpy()]
    ['\u4e0d', '\u597d', '\u770b', '\u3002']
    """
    return _split(texts, with_symbols=True).words


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def split_plain_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into lower-case words as `split_words` does, and leave out punctuation marks and emoji.

    Args:
        texts: string [n], UTF-8.

    Returns:
        Ragged string [n, words].

    >>> [word.decode() for word in split_plain_words(["A man's dog, half-asleep."])[0].numpy()]
    ['a', "man's", 'dog', 'half', 'asleep']
    """
    return _split(texts, with_symbols=False).words


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def join_plain_words(texts: tf.Tensor) -> tf.Tensor:
    """Lowercase texts, and leave out punctuation marks, emoji and repeated spaces.

    A space separates the words of `split_plain_words`. Beside a character of a script without spaces there is one
    only where the text has one.

    Args:
        texts: string [n], UTF-8.

    Returns:
        string [n].

    >>> texts = join_plain_words(["A man's  dog, half-asleep.", "3\u53ea\u72d7\uff0c\u8dd1\u3002"]).numpy()
    >>> [text.decode() for text in texts]
    ["a man's dog half asleep", '3\u53ea\u72d7\u8dd1']
    """
    words, follows_space = _split(texts, with_symbols=False)
    is_character = are_characters(words.flat_values)
    has_space = follows_space | ~(is_character | shift_right(is_character))
    spaced = tf.strings.join([tf.where(has_space, " ", ""), words.flat_values])
    return tf.strings.strip(tf.strings.reduce_join(words.with_flat_values(spaced), axis=1))


def _split(texts: tf.Tensor, with_symbols: bool) -> SplitTexts:
    texts = tf.strings.lower(replace_invalid_utf8(texts), encoding="utf-8")
    texts = tf.strings.regex_replace(texts, r"<br\s*/?>", " ")
    texts = tf.strings.regex_replace(texts, f"[{_APOSTROPHES}]", "'")
    characters = read_characters(texts, dropped=(Kind.DIRECTION, Kind.PRESENTATION))
    return split_characters(
        characters,
        tf.size(texts, tf.int64),
        joined=_WORD_KINDS,
        with_apostrophes=True,
        with_symbols=with_symbols,
    )


def build_vocabulary(texts: tf.data.Dataset, vocabulary_size: int, names: bool = True) -> list[str]:
    """Return the most frequent words of texts, as `split_words` splits them.

    Args:
        texts: dataset of scalar strings: the training texts.
        vocabulary_size: number of ids, those of padding and of unknown words included: two more than there
            are words in the result.
        names: whether to include names: words of two letters or more that begin with a small letter in less than a
            tenth of their occurrences.

    Returns:
        At most `vocabulary_size - 2` words, the most frequent first, ties in alphabetical order. Write them
        to a file with `write_vocabulary`.

    Example:
        >>> import tensorflow as tf, zoo
        >>> texts = tf.data.Dataset.from_tensor_slices(["a dog runs", "a dog sleeps"])
        >>> zoo.preprocessing.text.build_vocabulary(texts, vocabulary_size=5)
        ['a', 'dog', 'runs']
    """
    counts: Counter[bytes] = Counter()
    small: Counter[bytes] = Counter()  # without words that begin with a capital letter
    for batch in texts.batch(1024):
        counts.update(split_words(batch).flat_values.numpy().tolist())
        if not names:
            rest = tf.strings.regex_replace(replace_invalid_utf8(batch), r"\p{Lu}[\pL\pM]*", "")
            small.update(split_words(rest).flat_values.numpy().tolist())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    if not names:
        ranked = [
            word
            for word in ranked
            if small[word] >= _SMALL_SHARE * counts[word] or len(word.split(b"'")[0].decode()) < 2
        ]
    return [word.decode() for word in ranked[: max(vocabulary_size - _FIRST_WORD_ID, 0)]]


class WordTokenizer(Tokenizer):
    """Texts to ids of lower-case words.

    The word on line k of the vocabulary file, counted from 0, has the id k + 2; `PADDING_ID` is 0 and
    `UNKNOWN_ID` 1. A text of more than `max_tokens` words is truncated in the middle: the first half of the
    ids are its first words, the second half its last words.

    `status` of a text is one of:

    - "" if it was read completely and at least one word is known;
    - "no words in the text", `NO_WORDS`;
    - "none of the words is known", `NO_KNOWN_WORDS`;
    - "cut: of 900 words the first 200 and the last 200 were read".

    Args:
        vocabulary_path: file with one word per line, as `build_vocabulary` and `write_vocabulary` make it.
        max_tokens: greatest number of words per text; longer texts are truncated.
        version: version of the preprocessing; see `Tokenizer`.

    >>> import tempfile
    >>> from zoo.preprocessing.text import write_vocabulary
    >>> path = write_vocabulary(["good", "film"], Path(tempfile.mkdtemp(), "words.txt"))
    >>> WordTokenizer(path, max_tokens=100)(["A good film!", "Good"]).ids.numpy().tolist()
    [[1, 2, 3, 1], [2, 0, 0, 0]]
    """

    def __init__(self, vocabulary_path: Path | str, max_tokens: int, version: int = VERSION) -> None:
        super().__init__(vocabulary_path, max_tokens, version)
        self._token_to_line = make_token_to_id_table(self.vocabulary_path, UNKNOWN_ID - _FIRST_WORD_ID)

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, those of padding and of unknown words included."""
        return int(self._token_to_line.size()) + _FIRST_WORD_ID

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split texts, string [n], into words, ragged string [n, words]; see `split_words`."""
        return version_1.split_words(texts) if self.version == 1 else split_words(texts)

    def __call__(self, texts: tf.Tensor) -> TokenizedText:
        """Tokenize texts.

        Args:
            texts: string [n], UTF-8. See `split_words`.

        Returns:
            A `TokenizedText` of n rows.
        """
        words = self.split(texts)
        num_words = words.row_lengths()
        words = truncate_middle(words, self.max_tokens)
        ids = self.words_to_ids(words)
        any_known = tf.reduce_any(ids != UNKNOWN_ID, axis=1)
        return TokenizedText(pad_ids(ids), words, self._status(num_words, any_known))

    def words_to_ids(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the id of each word, without truncation and padding.

        Args:
            words: ragged string [n, words], from `split`.

        Returns:
            Ragged int32 [n, words].
        """
        lines = self._token_to_line.lookup(words.flat_values)
        return words.with_flat_values(tf.cast(lines + _FIRST_WORD_ID, tf.int32))

    def get_vocabulary(self) -> list[str]:
        """Return the words in the order of their ids, the first of which is 2."""
        words, lines = (column.numpy().tolist() for column in self._token_to_line.export())
        return [word.decode() for _, word in sorted(zip(lines, words, strict=True))]

    def _status(self, num_words: tf.Tensor, any_known: tf.Tensor) -> tf.Tensor:
        num_first, num_last = split_length(self.max_tokens)
        limits = f" words the first {num_first} and the last {num_last} were read"
        truncated = tf.strings.join(["cut: of ", tf.strings.as_string(num_words), limits])
        status = tf.where(num_words > self.max_tokens, truncated, "")
        status = tf.where(any_known, status, NO_KNOWN_WORDS)
        return tf.where(num_words > 0, status, NO_WORDS)
