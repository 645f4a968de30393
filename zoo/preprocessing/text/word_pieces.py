"""Raw strings to word pieces and back without a loss, inside the graph, with core operations alone."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from zoo.preprocessing.text.words import LINE, NUMBER, PADDING, UNKNOWN, padded, table, valid_utf8

START, END = 2, 3
"""The ids after `PADDING` and `UNKNOWN`; here the piece on line k of a vocabulary, from 0, has the id k."""

_SPECIAL = ("[PAD]", "[UNK]", "[START]", "[END]")
_CONTINUING = "##"  # stands before a piece that does not start its pre-token
_METASPACE = "\u2581"  # stands for the space before a pre-token, and starts the text
_SPACES = rf"(?:[\p{{Z}}{_METASPACE}]|[^\P{{C}}\x{{200C}}-\x{{200F}}])+"
_LETTERS = r"[\p{L}\p{M}\x{200C}\x{200D}]+"
_TOO_LONG = 100  # characters of a pre-token; as in `tokenizers`, a longer one is unknown
_NAMED = 3  # unknown pre-tokens named in a status


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def pre_tokens(texts: tf.Tensor) -> tf.RaggedTensor:
    """What word pieces do not reach across: runs of letters, and each other character by itself.

    A run of spaces, of whatever sort, and of characters that do not show, such as control characters, bytes
    that are not UTF-8, and "▁" itself, counts as one space. What follows a space, or starts the text, starts
    with "▁". So the pre-tokens joined, with "▁" as a space, are the text again. The joiners U+200C and U+200D
    are letters, and the marks of direction U+200E and U+200F characters: Arabic and Persian need them.

    Args:
        texts: string [n], UTF-8.

    Returns:
        Ragged string [n, pre-tokens].

    >>> print(*(token.decode() for token in pre_tokens(["Don't  pay 14!"])[0].numpy()))
    ▁Don ' t ▁pay ▁1 4 !
    """
    texts = tf.strings.regex_replace(valid_utf8(texts), _SPACES, " ")
    texts = tf.strings.regex_replace(tf.strings.strip(texts), "(^| )(.)", rf"{_METASPACE}\2")
    return tf.strings.split(tf.strings.regex_replace(texts, f"{_METASPACE}?({_LETTERS}|.)", r"\0 "))


def train_wordpiece(texts: Iterable[str], size: int, min_frequency: int = 5) -> list[str]:
    """A WordPiece vocabulary, the same one each time.

    First come the special pieces, then the characters, then what `tokenizers` joins of them.

    Args:
        texts: what to learn from.
        size: how many pieces there are to be, the special ones included; fewer where the texts give no more.
        min_frequency: pieces seen fewer times are left out. So are characters that fewer words have: these
            words are unknown, and from them a model learns what to do with such.

    Raises:
        ValueError: the characters alone are more than `size` pieces.
    """
    remaining, counts = iter(texts), Counter[bytes]()
    while batch := list(islice(remaining, 1024)):
        counts.update(pre_tokens(batch).flat_values.numpy().tolist())
    words = Counter({word.decode(): count for word, count in counts.items()})
    seen = Counter[str]()
    for word, count in words.items():
        seen.update(dict.fromkeys(word, count))
    alphabet = sorted(character for character, count in seen.items() if count >= min_frequency)
    # The trainer meets pre-tokens in random order, and would number characters, and decide ties, by it.
    # It takes them as they come here, and no others, where they are special and its own alphabet is empty.
    given = [*_SPECIAL, *alphabet, *(_CONTINUING + character for character in alphabet)]
    if len(given) > size:
        raise ValueError(
            f"size={size} is too small: the {len(alphabet)} characters alone make {len(given)} pieces. "
            f"Give at least that size, or a min_frequency above {min_frequency}."
        )
    tokenizer = Tokenizer(WordPiece(unk_token=_SPECIAL[UNKNOWN]))
    trainer = WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=given,
        limit_alphabet=0,
        continuing_subword_prefix=_CONTINUING,
        show_progress=False,
    )
    tokenizer.train_from_iterator(words.elements(), trainer)
    learnt = tokenizer.get_vocab()
    return sorted(learnt, key=learnt.__getitem__)


class Pieces(NamedTuple):
    """What a `WordPieceTokenizer` makes of n texts."""

    ids: tf.Tensor
    """int32 [n, time], time >= 1, padded with `PADDING` on the right, without `START` and `END`."""
    pieces: tf.RaggedTensor
    """string [n, pieces]: what of the text is behind the ids; joined, with "▁" as a space, it is the text."""
    status: tf.Tensor
    """string [n]: empty, or what is to be said about the text."""


class WordPieceTokenizer(tf.Module):
    """Texts to ids of word pieces and back, by a vocabulary that travels with a SavedModel as an asset.

    A pre-token (`pre_tokens`) becomes the longest piece it starts with, then the longest that the rest of it
    starts with, and so on; where there is none, or the pre-token has more than 100 characters, all of it is
    one unknown piece. The ids are those of `tokenizers.models.WordPiece`.

    Args:
        vocabulary: a file with one piece a line, as `train_wordpiece` gives them.
        max_pieces: a longer text is cut to its first pieces.

    Raises:
        ValueError: the file does not start with the special pieces.
    """

    def __init__(self, vocabulary: Path | str, max_pieces: int) -> None:
        super().__init__()
        pieces = Path(vocabulary).read_text(encoding="utf-8").split("\n")
        if tuple(pieces[: len(_SPECIAL)]) != _SPECIAL:
            raise ValueError(
                f"{vocabulary} starts with the lines {pieces[: len(_SPECIAL)]}, not {list(_SPECIAL)}. "
                "Write what `train_wordpiece` gives by `write_vocabulary`."
            )
        self.longest = max(len(piece.removeprefix(_CONTINUING)) for piece in pieces)
        self.max_pieces = max_pieces
        self.id_of = table(vocabulary, LINE, NUMBER, UNKNOWN)
        self.piece_of = table(vocabulary, NUMBER, LINE, "")

    @property
    def size(self) -> int:
        """How many ids there are, the special ones included."""
        return int(self.id_of.size())

    def __call__(self, texts: tf.Tensor) -> Pieces:
        """Encode string [n]."""
        tokens = pre_tokens(texts)
        count = tokens.row_lengths()
        tokens = tokens[:, : self.max_pieces + 1]  # enough, for each is one piece or more
        unique, index = tf.unique(tokens.flat_values)
        ids, pieces = (
            tokens.with_values(tf.gather(found, index)).merge_dims(1, 2)
            for found in self._word_pieces(unique)
        )
        cut = ids.row_lengths() > self.max_pieces
        ids, pieces = ids[:, : self.max_pieces], pieces[:, : self.max_pieces]
        unknown = tf.ragged.boolean_mask(pieces, ids == UNKNOWN)
        return Pieces(padded(ids), pieces, self._status(count, cut, unknown))

    def _word_pieces(self, tokens: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Ids, and what is behind them, [tokens, pieces].

        Each step of the loop takes one piece off each token that has a rest, or all it can if none is known.
        """
        size = tf.size(tokens, tf.int64)
        numbers = tf.range(size)
        too_long = tf.strings.length(tokens, "UTF8_CHAR") > _TOO_LONG
        rest = tf.where(too_long, " ", tokens)  # a space is not in any vocabulary

        def next_pieces(
            number: tf.Tensor, rest: tf.Tensor, prefix: tf.Tensor, owners: tf.Tensor, pieces: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            longest = tf.minimum(self.longest, tf.reduce_max(tf.strings.length(rest, "UTF8_CHAR")))
            lengths = tf.tile(tf.range(longest, 0, -1)[None], [tf.size(rest), 1])
            starts = prefix + tf.strings.substr(rest[:, None], tf.zeros_like(lengths), lengths, "UTF8_CHAR")
            known = tf.cast(self.id_of.lookup(starts) != UNKNOWN, tf.int32)
            first = tf.argmax(known, axis=1)  # longer ones come before
            piece = tf.gather(starts, first, batch_dims=1)
            owners, pieces = tf.concat([owners, number], 0), tf.concat([pieces, piece], 0)
            taken = tf.strings.length(piece) - tf.strings.length(prefix)
            rest = tf.strings.substr(rest, taken, tf.strings.length(rest))
            return number[rest != ""], rest[rest != ""], _CONTINUING, owners, pieces

        vector = tf.TensorShape([None])
        *_, owners, pieces = tf.while_loop(
            lambda number, *_: tf.size(number) > 0,
            next_pieces,
            [numbers, rest, "", numbers[:0], tokens[:0]],
            [vector, vector, tf.TensorShape([]), vector, vector],
        )
        order = tf.argsort(owners, stable=True)
        owners, pieces = tf.gather(owners, order), tf.gather(pieces, order)
        pieces = tf.RaggedTensor.from_value_rowids(pieces, owners, size)
        ids = pieces.with_values(tf.cast(self.id_of.lookup(pieces.values), tf.int32))
        pieces = pieces.with_values(_surfaces(pieces.values))
        whole = tf.RaggedTensor.from_uniform_row_length(tokens, 1)
        unknown = whole.with_values(tf.fill([size], UNKNOWN))
        # A token is unknown as a whole if a part of it is.
        row = numbers + tf.where(tf.reduce_any(ids == UNKNOWN, axis=1), size, 0)
        return tf.gather(tf.concat([ids, unknown], 0), row), tf.gather(tf.concat([pieces, whole], 0), row)

    def _status(self, count: tf.Tensor, cut: tf.Tensor, unknown: tf.RaggedTensor) -> tf.Tensor:
        read = tf.strings.as_string(count) + " words and marks were read"
        cut = tf.where(cut, f"cut: the first {self.max_pieces} pieces of " + read, "")
        named = unknown[:, :_NAMED]
        plain = tf.strings.regex_replace(named.values, _METASPACE, "")
        named = named.with_values(tf.strings.regex_replace(plain, "^(.{30}).+", r"\1..."))
        more = tf.where(unknown.row_lengths() > _NAMED, ", ...", "")
        names = "unknown: " + tf.strings.reduce_join(named, axis=1, separator=", ") + more
        names = tf.where(unknown.row_lengths() > 0, names, "")
        between = tf.where((cut != "") & (names != ""), "; ", "")
        return tf.where(count > 0, cut + between + names, "no text")

    def pieces_of(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """What is behind the ids, joined by nothing and with "▁" for a space the text.

        It is empty for `START`, and from the first `END` or `PADDING` on.

        Args:
            ids: int32 [..., time].
            copies: string [..., time], what stands for unknown pieces: pieces of the source, say, that
                attention points at. Where it is empty or not given that is "▁[UNK]".

        Returns:
            String [..., time].
        """
        unknown = f"{_METASPACE}{_SPECIAL[UNKNOWN]}"
        if copies is not None:
            unknown = tf.where(copies == "", unknown, copies)
        pieces = _surfaces(self.piece_of.lookup(tf.cast(ids, tf.int64)))
        ends = tf.cast((ids == END) | (ids == PADDING), tf.int32)
        silent = (ids == START) | (tf.cumsum(ends, axis=-1) > 0)
        return tf.where(silent, "", tf.where(ids == UNKNOWN, unknown, pieces))

    def text(self, ids: tf.Tensor, copies: tf.Tensor | None = None) -> tf.Tensor:
        """The texts, string [...], that `pieces_of` gives the pieces of."""
        joined = tf.strings.reduce_join(self.pieces_of(ids, copies), axis=-1)
        return tf.strings.strip(tf.strings.regex_replace(joined, f"{_METASPACE}+", " "))


def joined_words(pieces: tf.Tensor, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Words of pieces, and for each the mean of what belongs to its pieces.

    Args:
        pieces: string [n, time], as `WordPieceTokenizer.pieces_of` gives them.
        values: [n, time, width], such as weights of attention.

    Returns:
        String [n, words] and [n, words, width], padded with empty words and zeros; one word at least.

    >>> pieces, values = [["\u2581dog", "house", "\u2581red", ""]], tf.reshape(tf.range(4.0), [1, 4, 1])
    >>> words, means = joined_words(tf.constant(pieces), values)
    >>> [word.decode() for word in words[0].numpy()], means[0, :, 0].numpy().tolist()
    (['doghouse', 'red'], [0.5, 2.0])
    """
    starts = tf.cast(tf.strings.substr(pieces, 0, 1, "UTF8_CHAR") == _METASPACE, tf.int32)
    word = tf.maximum(tf.cumsum(starts, axis=1) - 1, 0)
    rows, count = tf.shape(pieces)[0], tf.maximum(tf.reduce_max(word) + 1, 1)
    belongs = tf.one_hot(tf.where(pieces == "", -1, word), count, dtype=values.dtype)
    sums = tf.matmul(belongs, values, transpose_a=True)
    means = sums / tf.maximum(tf.reduce_sum(belongs, axis=1), 1)[..., None]
    place = tf.range(rows)[:, None] * count + word
    words = tf.strings.unsorted_segment_join(tf.reshape(pieces, [-1]), tf.reshape(place, [-1]), rows * count)
    words = tf.strings.regex_replace(tf.reshape(words, [rows, count]), _METASPACE, "")
    return words, means


def _surfaces(pieces: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(pieces, f"^{_CONTINUING}", "")
