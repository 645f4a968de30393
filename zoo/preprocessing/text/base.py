"""What both tokenizers share: special ids, the result, cleaning, padding and the vocabulary file."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import tensorflow as tf

from zoo._compat import make_text_file_initializer
from zoo.errors import UsageError
from zoo.files import atomic_write, sha256
from zoo.preprocessing.config import VERSION, make_config, read_config

logger = logging.getLogger(__name__)

PADDING_ID = 0
"""Id of padding, of both tokenizers."""

UNKNOWN_ID = 1
"""Id of what is not in the vocabulary, of both tokenizers."""

METASPACE = "\u2581"
"""Stands for a space in word pieces."""


class TokenizedText(NamedTuple):
    """The tokens of n texts.

    Attributes:
        ids: int32 [n, time], time >= 1, padded with `PADDING_ID` on the right.
        tokens: ragged string [n, tokens]: the token behind each id, as it stands in the text. An unknown
            token has its own text here and the id `UNKNOWN_ID`.
        status: string [n]: empty, or what was truncated or is unknown. Of unknown words a `WordPieceTokenizer` lists
            some; a `WordTokenizer` has a status only if it knows none of the words.

    Example:
        >>> import tensorflow as tf, zoo
        >>> tokenized = zoo.preprocessing.text.TokenizedText(  # "ran" is unknown
        ...     ids=tf.constant([[2, 3, 1], [3, 0, 0]]),
        ...     tokens=tf.ragged.constant([["a", "dog", "ran"], ["dog"]]),
        ...     status=tf.constant(["", ""]),
        ... )
        >>> tokenized.ids.shape, tokenized.tokens.row_lengths().numpy().tolist()
        (TensorShape([2, 3]), [3, 1])
    """

    ids: tf.Tensor
    tokens: tf.RaggedTensor
    status: tf.Tensor


class Tokenizer(tf.Module):
    """Base class: raw texts to token ids, inside the graph.

    The vocabulary file becomes an asset of any SavedModel that contains the tokenizer, under its own name.

    Args:
        vocabulary_path: file with one token per line, UTF-8.
        max_tokens: longer texts are truncated to this number of tokens.
        version: version of the preprocessing, by which texts are split; an older one for a model that was exported
            with it.

    Example:
        >>> import tempfile, tensorflow as tf, zoo
        >>> from pathlib import Path
        >>> class LetterTokenizer(zoo.preprocessing.text.Tokenizer):
        ...     def split(self, texts):
        ...         return tf.strings.unicode_split(texts, "UTF-8")
        >>> path = zoo.preprocessing.text.write_vocabulary("abc", Path(tempfile.mkdtemp(), "letters.txt"))
        >>> tokenizer = LetterTokenizer(path, max_tokens=100)
        >>> tokenizer.split(tf.constant(["abba", "c"])).row_lengths().numpy().tolist()
        [4, 1]
        >>> config = tokenizer.get_config()
        >>> LetterTokenizer.from_config(config, path.parent).max_tokens
        100
    """

    def __init__(self, vocabulary_path: Path | str, max_tokens: int, version: int = VERSION) -> None:
        super().__init__()
        self.vocabulary_path = Path(vocabulary_path)
        self.max_tokens = max_tokens
        self.version = version
        self._vocabulary_sha256 = sha256(self.vocabulary_path)

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, the special ones included."""
        raise NotImplementedError

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split texts, string [n], into what the vocabulary is looked up for; ragged string [n, words]."""
        raise NotImplementedError

    def __call__(self, texts: tf.Tensor) -> TokenizedText:
        """Tokenize texts.

        Args:
            texts: string [n]. Bytes that are not UTF-8 and control characters count as spaces.

        Returns:
            A `TokenizedText` of n rows. Each row is what the text alone would give, up to padding.
        """
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs beside the vocabulary file, as JSON.

        Raises:
            UsageError: the vocabulary file has changed since the tokenizer was created, so an export would
                contain another vocabulary than the one it was trained with.
        """
        path = self.vocabulary_path
        if not path.is_file() or sha256(path) != self._vocabulary_sha256:
            raise UsageError(
                f"{path} has changed since it was read. Expected the vocabulary of this tokenizer. "
                "Let no other process write to the directory, and run the same command again."
            )
        return make_config(version=self.version, vocabulary_file=path.name, max_tokens=self.max_tokens)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets_dir: Path | str) -> Self:
        """Rebuild a tokenizer.

        Args:
            config: what `get_config` returned.
            assets_dir: directory of the vocabulary file: the `assets` directory of an export.

        Returns:
            A tokenizer with the same results.

        Raises:
            UsageError: the configuration was made by a later version of the preprocessing.
        """
        arguments = read_config(config)
        path = Path(assets_dir) / arguments.pop("vocabulary_file")
        return cls(path, version=config["version"], **arguments)


def write_vocabulary(tokens: Iterable[str], path: Path) -> Path:
    """Write a vocabulary file: one token per line, UTF-8. Logs a warning if there is one with other tokens.

    Args:
        tokens: the tokens, from `build_vocabulary` or `train_wordpiece`.
        path: the file. Missing parent directories are created.

    Returns:
        `path`.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = zoo.preprocessing.text.write_vocabulary(["a", "dog"], Path(directory, "words.txt"))
        ...     print(path.read_text().split())
        ['a', 'dog']
    """
    content = "".join(f"{token}\n" for token in tokens).encode()
    if path.is_file() and path.read_bytes() != content:
        logger.warning("%s is corrupt, or of another version of the preprocessing; rebuilding it", path)
    with atomic_write(path) as temporary:  # several workers may write the same file
        temporary.write_bytes(content)
    return path


def make_token_to_id_table(vocabulary_path: Path, default: int) -> tf.lookup.StaticHashTable:
    """Return a table from the lines of a file (string) to their numbers (int64), counted from 0."""
    return _make_table(vocabulary_path, _LINE, _LINE_NUMBER, default)


def make_id_to_token_table(vocabulary_path: Path, default: str) -> tf.lookup.StaticHashTable:
    """Return a table from the numbers of lines (int64), counted from 0, to the lines of a file (string)."""
    return _make_table(vocabulary_path, _LINE_NUMBER, _LINE, default)


_LINE = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
_LINE_NUMBER = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)


def _make_table(path: Path, key: Any, value: Any, default: int | str) -> tf.lookup.StaticHashTable:
    # The name of a table stays in an export: the hash of the file identifies it, and hides where it lay.
    initializer = make_text_file_initializer(path, key, value, shared_name=sha256(path))
    return tf.lookup.StaticHashTable(initializer, default)


def replace_invalid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Replace bytes that are not UTF-8 and control characters, NUL among them, by spaces.

    Call it first of all: `tf.strings.lower` truncates a string at NUL, and `tf.strings.regex_replace` skips
    strings with invalid UTF-8.

    Args:
        texts: string, any shape.

    Returns:
        string, the same shape, valid UTF-8.
    """
    return tf.strings.unicode_transcode(
        texts,
        "UTF-8",
        "UTF-8",
        errors="replace",
        replacement_char=ord(" "),
        replace_control_characters=True,
    )


def split_length(max_tokens: int) -> tuple[int, int]:
    """Return how many of the tokens of a text that is truncated in the middle are its first, and how many its last."""
    num_last = max_tokens // 2
    return max_tokens - num_last, num_last


def truncate_middle(tokens: tf.RaggedTensor, max_tokens: int) -> tf.RaggedTensor:
    """Keep the first half and the last half of `max_tokens` of each row of more tokens, ragged [n, tokens].

    >>> truncate_middle(tf.ragged.constant([[1, 2, 3, 4, 5, 6], [7, 8]]), 3).to_list()
    [[1, 2, 6], [7, 8]]
    """
    num_first, num_last = split_length(max_tokens)
    position = tf.ragged.range(tokens.row_lengths()).flat_values
    length = tf.gather(tokens.row_lengths(), tokens.value_rowids())
    is_kept = (position < num_first) | (position >= length - num_last)
    return tf.ragged.boolean_mask(tokens, tokens.with_flat_values(is_kept))


def pad_ids(ids: tf.RaggedTensor) -> tf.Tensor:
    """Pad int32 [n, ragged] on the right with `PADDING_ID`, to [n, time] with time >= 1."""
    dense = ids.to_tensor(PADDING_ID)
    return tf.pad(dense, [[0, 0], [0, tf.maximum(0, 1 - tf.shape(dense)[1])]])
