"""Raw texts to word pieces and back without loss, inside the graph, with core TensorFlow operations."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from zoo.errors import DataError, UsageError
from zoo.preprocessing.config import VERSION
from zoo.preprocessing.text import version_1
from zoo.preprocessing.text.base import (
    METASPACE,
    PADDING_ID,
    UNKNOWN_ID,
    TokenizedText,
    Tokenizer,
    make_id_to_token_table,
    make_token_to_id_table,
    pad_ids,
    split_length,
    truncate_middle,
)
from zoo.preprocessing.text.normalization import read_characters
from zoo.preprocessing.text.splitting import are_characters, split_characters
from zoo.preprocessing.text.unicode import Kind

START_ID = 2
"""Id that marks the start of a decoder's sequence: what its first step reads."""

END_ID = 3
"""Id that marks the end of a decoder's sequence."""

FIRST_COPY_ID = 4
COPY_TOKENS = tuple(f"[COPY{number}]" for number in range(1, 9))
"""Stand for items that are carried over unchanged; in vocabularies that have them, their ids start here."""

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[START]", "[END]")
"""First lines of each vocabulary of word pieces."""

CONTINUATION = "##"
"""Prefix of a token that continues a word."""

_WORD_KINDS = (Kind.LETTER, Kind.MARK)
_MAX_WORD_LENGTH = 100  # characters; as in `tokenizers`, a longer word is unknown
_MAX_UNKNOWN_IN_STATUS = 3


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def pre_tokenize(texts: tf.Tensor) -> tf.RaggedTensor:
    """Split texts into pre-tokens: runs of letters, and every other character by itself.

    A token never reaches across two pre-tokens. Texts are normalized (`normalize_texts`). A character is a grapheme
    cluster, so an emoji stays in one piece with its modifiers. In scripts without spaces each letter is a pre-token:
    Chinese, Japanese, Thai, Lao, Khmer, Burmese and their relatives.

    A run of spaces, of controls, of bytes that are not UTF-8, and of "▁" counts as one space. A pre-token after a
    space or at the start of the text starts with "▁", so the pre-tokens joined, with "▁" as a space, are the
    normalized text again, up to the kind and number of spaces. Before a letter of a script without spaces "▁" is a
    pre-token by itself, because such a letter is the same token everywhere in a text.

    Args:
        texts: string [n], UTF-8.

    Returns:
        Ragged string [n, pre-tokens].

    >>> print(*(token.decode() for token in pre_tokenize(["Don't  pay 14!"])[0].numpy()))
    ▁Don ' t ▁pay ▁1 4 !
    >>> print(*(token.decode() for token in pre_tokenize(["\u660e\u65e5 ok"])[0].numpy()))
    ▁ \u660e \u65e5 ▁ok
    """
    words, follows_space = split_characters(
        read_characters(texts), tf.size(texts, tf.int64), joined=_WORD_KINDS
    )
    marks = tf.where(are_characters(words.flat_values), f"{METASPACE} ", METASPACE)
    marked = tf.strings.join([tf.where(follows_space, marks, ""), words.flat_values])
    return words.with_values(tf.strings.split(marked, " ")).merge_dims(1, 2)


def train_wordpiece(
    texts: Iterable[str],
    vocabulary_size: int,
    min_frequency: int = 5,
    split: Callable[[list[str]], tf.RaggedTensor] = pre_tokenize,
    special_tokens: tuple[str, ...] = (),
) -> list[str]:
    """Train a WordPiece vocabulary (Schuster and Nakajima, 2012). The result is deterministic.

    Args:
        texts: the training texts.
        vocabulary_size: number of tokens, the special ones included. There are fewer if the texts do not
            contain enough.
        min_frequency: rarer tokens are left out, and so are characters that occur in fewer words. The words
            with such characters are unknown: they teach a model how to handle unknown words.
        split: splits texts, string [n], into pre-tokens, ragged string [n, pre-tokens].
        special_tokens: further special tokens, such as `COPY_TOKENS`. Pre-tokens that are equal to them are not
            counted.

    Returns:
        The special tokens, then the characters, then the tokens that `tokenizers` merges from them. Write
        them to a file with `write_vocabulary`.

    Raises:
        UsageError: the characters alone are more than `vocabulary_size` tokens.

    Example:
        >>> import zoo
        >>> vocabulary = zoo.preprocessing.text.train_wordpiece(["hot hotel hotels"] * 5, vocabulary_size=50)
        >>> vocabulary[:4]
        ['[PAD]', '[UNK]', '[START]', '[END]']
    """
    remaining, word_counts = iter(texts), Counter[bytes]()
    while batch := list(islice(remaining, 1024)):
        word_counts.update(split(batch).flat_values.numpy().tolist())
    special_tokens = SPECIAL_TOKENS + special_tokens
    words = Counter({word.decode(): count for word, count in word_counts.items()})
    for token in special_tokens:
        del words[token]
    character_counts, continuations = Counter[str](), set[str]()
    for word, count in words.items():
        character_counts.update(dict.fromkeys(word, count))
        continuations.update(word[1:])
    alphabet = sorted(character for character, count in character_counts.items() if count >= min_frequency)
    # A letter of a script without spaces is a word, unless it is joined to the one before it.
    is_character = are_characters(tf.constant(alphabet, tf.string)).numpy()
    continued = [
        c for c, alone in zip(alphabet, is_character, strict=True) if not alone or c in continuations
    ]
    # The trainer sees words in random order, and would number characters and break ties by that order. It
    # keeps this order, and adds no characters, if all of them are special and its own alphabet is empty.
    initial_tokens = [*special_tokens, *alphabet, *(CONTINUATION + character for character in continued)]
    if len(initial_tokens) > vocabulary_size:
        raise UsageError(
            f"A vocabulary of {vocabulary_size} word pieces is too small: the {len(alphabet)} characters "
            f"alone make {len(initial_tokens)}. Set at least that size, or a min_frequency above "
            f"{min_frequency}."
        )
    tokenizer = HuggingFaceTokenizer(WordPiece(unk_token=SPECIAL_TOKENS[UNKNOWN_ID]))
    trainer = WordPieceTrainer(
        vocab_size=vocabulary_size,
        min_frequency=min_frequency,
        special_tokens=initial_tokens,
        limit_alphabet=0,
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    tokenizer.train_from_iterator(words.elements(), trainer)
    token_to_id = tokenizer.get_vocab()
    return sorted(token_to_id, key=token_to_id.__getitem__)


class WordPieceTokenizer(Tokenizer):
    """Texts to ids of word pieces and back.

    The longest token that a word (`pre_tokenize`) starts with is split off, then the longest that the rest
    starts with, and so on (Wu et al., 2016, "Google's neural machine translation system"). If there is no
    such token at some point, or the word has more than 100 characters, the whole word becomes one unknown
    token. The ids are those of `tokenizers.models.WordPiece`.

    The token on line k of the vocabulary file, counted from 0, has the id k; the first four are padding,
    unknown, start and end. The result of a call contains neither `START_ID` nor `END_ID`.

    `status` of a text is "" if it was read completely and all of it is known; "no text"; or one or both of

    - "cut: the first 100 pieces of 250 words and marks were read", if it has more than `max_tokens` tokens; "the
      last 100 pieces" or "the first 50 and the last 50 pieces" with another `truncation_side`;
    - "unknown: ", followed by up to three unknown words.

    Args:
        vocabulary_path: file with one token per line, as `train_wordpiece` and `write_vocabulary` make it.
        max_tokens: greatest number of tokens per text; longer texts are truncated.
        version: version of the preprocessing; see `Tokenizer`.
        truncation_side: where longer texts are truncated: "right", at their end; "left", at their start; or
            "middle", so that the first half of the ids are their first tokens and the second half their last.

    Raises:
        DataError: the file does not start with the special tokens.

    >>> import tempfile
    >>> from zoo.preprocessing.text import write_vocabulary
    >>> vocabulary = train_wordpiece(["hot hotel hotels"] * 5, vocabulary_size=50)
    >>> path = write_vocabulary(vocabulary, Path(tempfile.mkdtemp(), "pieces.txt"))
    >>> tokenizer = WordPieceTokenizer(path, max_tokens=100)
    >>> tokenized = tokenizer(["hotels hot"])
    >>> print(*(token.decode() for token in tokenized.tokens[0].numpy()))
    ▁hotels ▁hot
    >>> tokenizer.detokenize(tokenized.ids).numpy()
    array([b'hotels hot'], dtype=object)
    """

    def __init__(
        self,
        vocabulary_path: Path | str,
        max_tokens: int,
        version: int = VERSION,
        truncation_side: Literal["left", "middle", "right"] = "right",
    ) -> None:
        super().__init__(vocabulary_path, max_tokens, version)
        self.truncation_side = truncation_side
        vocabulary = self.vocabulary_path.read_text(encoding="utf-8").split("\n")
        first_lines = vocabulary[: len(SPECIAL_TOKENS)]
        if tuple(first_lines) != SPECIAL_TOKENS:
            raise DataError(
                f"{vocabulary_path} starts with the lines {first_lines}, expected {list(SPECIAL_TOKENS)}. "
                "Make the file with `train_wordpiece` and `write_vocabulary`."
            )
        self._max_token_length = max(len(token.removeprefix(CONTINUATION)) for token in vocabulary)
        self._token_to_id = make_token_to_id_table(self.vocabulary_path, UNKNOWN_ID)
        self._id_to_token = make_id_to_token_table(self.vocabulary_path, "")

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, the special ones included."""
        return int(self._token_to_id.size())

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split texts, string [n], into pre-tokens, ragged string [n, pre-tokens]; see `pre_tokenize`."""
        return version_1.pre_tokenize(texts) if self.version == 1 else pre_tokenize(texts)

    def __call__(self, texts: tf.Tensor) -> TokenizedText:
        """Tokenize texts.

        Args:
            texts: string [n], UTF-8. See `pre_tokenize`.

        Returns:
            A `TokenizedText` of n rows. Its tokens joined, with "▁" as a space, are the text.
        """
        words = self.split(texts)
        num_words = words.row_lengths()
        ids, tokens = self._tokenize(
            self._truncate(words, self.max_tokens + 1)
        )  # each becomes one token or more
        is_truncated = ids.row_lengths() > self.max_tokens
        ids, tokens = (self._truncate(x, self.max_tokens) for x in (ids, tokens))
        unknown = tf.ragged.boolean_mask(tokens, ids == UNKNOWN_ID)
        return TokenizedText(pad_ids(ids), tokens, self._status(num_words, is_truncated, unknown))

    def words_to_ids(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """Return the ids of the tokens of words, without truncation and padding.

        Args:
            words: ragged string [n, words], from `split`.

        Returns:
            Ragged int32 [n, tokens].
        """
        return self._tokenize(words)[0]

    def get_vocabulary(self) -> list[str]:
        """Return the tokens in the order of their ids, with "##" before those that continue a word."""
        ids = tf.range(self.vocabulary_size, dtype=tf.int64)
        return [token.decode() for token in self._id_to_token.lookup(ids).numpy()]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs beside the vocabulary file, as JSON; see `Tokenizer`."""
        config = super().get_config()
        return (
            config if self.truncation_side == "right" else {**config, "truncation_side": self.truncation_side}
        )

    def _truncate(self, values: tf.RaggedTensor, size: int) -> tf.RaggedTensor:
        if self.truncation_side == "middle":
            return truncate_middle(values, size)
        return values[:, :size] if self.truncation_side == "right" else values[:, -size:]

    def _tokenize(self, words: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Return ids int32 and texts string of the tokens of words, each ragged [n, tokens]."""
        unique_words, index = tf.unique(words.flat_values)
        ids, tokens = (
            words.with_values(tf.gather(values, index)).merge_dims(1, 2)
            for values in self._split_into_tokens(unique_words)
        )
        return ids, tokens

    def _split_into_tokens(self, words: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Split words [n] into tokens: their ids int32 [n, tokens], and their texts string [n, tokens].

        Each iteration of the loop takes the next token off every word that is not used up, or all that is
        left of a word if no token matches.
        """
        size = tf.size(words, tf.int64)
        numbers = tf.range(size)
        is_too_long = tf.strings.length(words, "UTF8_CHAR") > _MAX_WORD_LENGTH
        rests = tf.where(is_too_long, " ", words)  # no vocabulary contains a space

        def take_tokens(
            numbers: tf.Tensor, rests: tf.Tensor, prefix: tf.Tensor, row_ids: tf.Tensor, tokens: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            longest = tf.minimum(self._max_token_length, tf.reduce_max(tf.strings.length(rests, "UTF8_CHAR")))
            lengths = tf.tile(tf.range(longest, 0, -1)[None], [tf.size(rests), 1])
            candidates = prefix + tf.strings.substr(
                rests[:, None], tf.zeros_like(lengths), lengths, "UTF8_CHAR"
            )
            is_known = tf.cast(self._token_to_id.lookup(candidates) != UNKNOWN_ID, tf.int32)
            token = tf.gather(candidates, tf.argmax(is_known, axis=1), batch_dims=1)  # the longest
            row_ids, tokens = tf.concat([row_ids, numbers], 0), tf.concat([tokens, token], 0)
            num_taken = tf.strings.length(token) - tf.strings.length(prefix)
            rests = tf.strings.substr(rests, num_taken, tf.strings.length(rests))
            return numbers[rests != ""], rests[rests != ""], CONTINUATION, row_ids, tokens

        vector = tf.TensorShape([None])
        *_, row_ids, tokens = tf.while_loop(
            lambda numbers, *_: tf.size(numbers) > 0,
            take_tokens,
            [numbers, rests, "", numbers[:0], words[:0]],
            [vector, vector, tf.TensorShape([]), vector, vector],
        )
        order = tf.argsort(row_ids, stable=True)
        row_ids, tokens = tf.gather(row_ids, order), tf.gather(tokens, order)
        tokens = tf.RaggedTensor.from_value_rowids(tokens, row_ids, size)
        ids = tokens.with_values(tf.cast(self._token_to_id.lookup(tokens.values), tf.int32))
        tokens = tokens.with_values(_remove_continuation(tokens.values))
        # A word with an unknown part is unknown as a whole.
        whole_words = tf.RaggedTensor.from_uniform_row_length(words, 1)
        unknown_ids = whole_words.with_values(tf.fill([size], UNKNOWN_ID))
        row = numbers + tf.where(tf.reduce_any(ids == UNKNOWN_ID, axis=1), size, 0)
        return (
            tf.gather(tf.concat([ids, unknown_ids], 0), row),
            tf.gather(tf.concat([tokens, whole_words], 0), row),
        )

    def _status(self, num_words: tf.Tensor, is_truncated: tf.Tensor, unknown: tf.RaggedTensor) -> tf.Tensor:
        num_first, num_last = split_length(self.max_tokens)
        parts = {
            "right": f"the first {self.max_tokens}",
            "middle": f"the first {num_first} and the last {num_last}",
            "left": f"the last {self.max_tokens}",
        }
        words_read = tf.strings.as_string(num_words) + " words and marks were read"
        truncated = tf.where(is_truncated, f"cut: {parts[self.truncation_side]} pieces of " + words_read, "")
        shown = unknown[:, :_MAX_UNKNOWN_IN_STATUS]
        plain = tf.strings.regex_replace(shown.values, METASPACE, "")
        shown = shown.with_values(tf.strings.regex_replace(plain, "^(.{30}).+", r"\1..."))
        more = tf.where(unknown.row_lengths() > _MAX_UNKNOWN_IN_STATUS, ", ...", "")
        names = "unknown: " + tf.strings.reduce_join(shown, axis=1, separator=", ") + more
        names = tf.where(unknown.row_lengths() > 0, names, "")
        separator = tf.where((truncated != "") & (names != ""), "; ", "")
        return tf.where(num_words > 0, truncated + separator + names, "no text")

    def ids_to_tokens(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """Return the token behind each id. Joined, with "▁" as a space, they are the text.

        Args:
            ids: int32 [..., time], such as a decoder's output.
            copies: string [..., time]: what replaces unknown tokens, such as the source tokens that attention
                points at. Where it is empty, or None, an unknown token is "▁[UNK]".

        Returns:
            string [..., time]. Empty for `START_ID`, and from the first `END_ID` or `PADDING_ID` on.
        """
        unknown = f"{METASPACE}{SPECIAL_TOKENS[UNKNOWN_ID]}"
        if copies is not None:
            unknown = tf.where(copies == "", unknown, copies)
        tokens = _remove_continuation(self._id_to_token.lookup(tf.cast(ids, tf.int64)))
        is_end = tf.cast((ids == END_ID) | (ids == PADDING_ID), tf.int32)
        is_outside = (ids == START_ID) | (tf.cumsum(is_end, axis=-1) > 0)
        return tf.where(is_outside, "", tf.where(ids == UNKNOWN_ID, unknown, tokens))

    def detokenize(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """Return the texts behind ids.

        Args:
            ids: int32 [..., time], such as a decoder's output. Nothing from the first `END_ID` or
                `PADDING_ID` on is read.
            copies: string [..., time]: what replaces unknown tokens. See `ids_to_tokens`.

        Returns:
            string [...].
        """
        joined = tf.strings.reduce_join(self.ids_to_tokens(ids, copies), axis=-1)
        return tf.strings.strip(tf.strings.regex_replace(joined, f"{METASPACE}+", " "))


def merge_word_pieces(tokens: tf.Tensor, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Merge word pieces into words, and average what belongs to the pieces of each word.

    Each character of a script without spaces is a word.

    Args:
        tokens: string [n, time], from `WordPieceTokenizer.ids_to_tokens`.
        values: float [n, time, width], such as attention weights.

    Returns:
        The words, string [n, words], and the averages, float [n, words, width]. Rows are padded with empty
        words and zeros; there is at least one column.

    >>> tokens, values = [["\u2581dog", "house", "\u2581red", ""]], tf.reshape(tf.range(4.0), [1, 4, 1])
    >>> words, means = merge_word_pieces(tf.constant(tokens), values)
    >>> [word.decode() for word in words[0].numpy()], means[0, :, 0].numpy().tolist()
    (['doghouse', 'red'], [0.5, 2.0])
    """
    is_character = tf.reshape(are_characters(tf.reshape(tokens, [-1])), tf.shape(tokens))
    follows_space = tf.pad(tokens[:, :-1] == METASPACE, [[0, 0], [1, 0]])
    is_start = (tf.strings.substr(tokens, 0, 1, "UTF8_CHAR") == METASPACE) | (is_character & ~follows_space)
    is_start = tf.cast(is_start, tf.int32)
    word_index = tf.maximum(tf.cumsum(is_start, axis=1) - 1, 0)
    rows, max_words = tf.shape(tokens)[0], tf.maximum(tf.reduce_max(word_index) + 1, 1)
    membership = tf.one_hot(tf.where(tokens == "", -1, word_index), max_words, dtype=values.dtype)
    sums = tf.matmul(membership, values, transpose_a=True)
    means = sums / tf.maximum(tf.reduce_sum(membership, axis=1), 1)[..., None]
    segment = tf.range(rows)[:, None] * max_words + word_index
    words = tf.strings.unsorted_segment_join(
        tf.reshape(tokens, [-1]), tf.reshape(segment, [-1]), rows * max_words
    )
    words = tf.strings.regex_replace(tf.reshape(words, [rows, max_words]), METASPACE, "")
    return words, means


def _remove_continuation(tokens: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(tokens, f"^{CONTINUATION}", "")
