"""Pretrained word vectors from a file, such as those of GloVe, word2vec and fastText."""

import codecs
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from zoo.errors import DataError
from zoo.paths import parse_path
from zoo.user_files import open_file

_FLOAT_SIZE = np.dtype("<f4").itemsize
_LONGEST_WORD = 10_000  # bytes; longer ones mean that a binary file is something else
_CONTROL = re.compile(rb"[\x00-\x1f]")
_MAX_WIDTH = 10_000  # numbers of a vector
_MAX_LINE = 1 << 20  # bytes


class WordVectors(NamedTuple):
    """Vectors of the words of a vocabulary.

    Attributes:
        values: float32 [words, width]. Zero where a word has none.
        is_found: bool [words]. Whether the file has a vector of the word.

    Example:
        >>> import numpy as np, zoo
        >>> values = np.array([[-0.5, -1.0], [0.0, 0.0]], "float32")
        >>> vectors = zoo.preprocessing.text.WordVectors(values, is_found=np.array([True, False]))
        >>> vectors.values.shape, float(vectors.is_found.mean())  # half of the words have a vector
        ((2, 2), 0.5)
    """

    values: np.ndarray
    is_found: np.ndarray


def read_word_vectors(path: Path, words: Sequence[str]) -> WordVectors:
    r"""Read the vectors of some words.

    Three formats are read, also compressed (`.gz`, `.xz`, `.bz2`):

    - text: a word and its numbers on each line, separated by spaces, as GloVe has it;
    - text of word2vec and fastText: the same after a first line with the number of words and the width;
    - binary of word2vec (`.bin`): the same first line, then each word, a space, and its numbers as
        little-endian float32.

    A word that the file has in capitals only, such as a name, takes the first vector of that word. Lines of
    other words are not stored; that they have the right number of fields is checked all the same.

    Args:
        path: the file.
        words: lower-case words, such as those of a vocabulary.

    Raises:
        DataError: the file cannot be read, a line is broken (the message has its number), or none of the words
            is in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "vectors.txt")
    ...     _ = path.write_text("good 0.5 1\nbad -0.5 -1\n")
    ...     read_word_vectors(path, ["bad", "odd"])
    WordVectors(values=array([[-0.5, -1. ],
           [ 0. ,  0. ]], dtype=float32), is_found=array([ True, False]))
    """
    rows = {word.encode(): row for row, word in enumerate(words)}
    path = parse_path(path)
    with open_file(path, unpack=True) as file:
        width, vectors = _read_entries(path, file)
        values = np.zeros((len(words), width), np.float32)
        is_exact, is_found = (np.zeros(len(words), bool) for _ in range(2))
        for place, word, numbers in vectors:
            row = rows.get(word)
            exact = row is not None
            if row is None:
                row = rows.get(word.decode(errors="replace").lower().encode())
            if row is None or is_exact[row] or (is_found[row] and not exact):
                continue
            values[row] = _parse_numbers(place, numbers)
            is_found[row], is_exact[row] = True, exact
    if not is_found.any():
        raise DataError(
            f"{path} has a vector of none of the {len(words):,} words of the vocabulary. Expected vectors of the "
            "same language."
        )
    return WordVectors(values, is_found)


def read_vector_width(path: Path) -> int:
    r"""Return the width of the vectors in a file, from its first line.

    Raises:
        DataError: the file cannot be read.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        ...     print("dog 0.1 0.2 0.3", "cat 0.2 0.1 0.3", sep="\n", file=file, flush=True)
        ...     zoo.preprocessing.text.read_vector_width(Path(file.name))
        3
    """
    path = parse_path(path)
    with open_file(path, unpack=True) as file:
        return _read_entries(path, file)[0]


class _Entry(NamedTuple):
    """A word with its vector.

    Attributes:
        place: file and line, for error messages.
        word: UTF-8.
        numbers: as text, or in bytes as float32.
    """

    place: str
    word: bytes
    numbers: Sequence[bytes] | bytes


def _read_entries(path: Path, file: BinaryIO) -> tuple[int, Iterator[_Entry]]:
    """Return the width of the vectors, and an iterator over all of them."""
    lines = _iterate_lines(path, file)
    first = next(lines, b"").removeprefix(codecs.BOM_UTF8)
    fields = first.split()
    header = (
        [int(field) for field in fields if field.isdigit()] if len(fields) == 2 and len(first) < 40 else []
    )
    width = header[1] if len(header) == 2 else len(fields) - 1
    if width > _MAX_WIDTH:
        raise DataError(
            f"{path}, line 1: found vectors of {width:,} numbers. Expected at most {_MAX_WIDTH:,}. Restore the file."
        )
    if ".bin" in (suffix.lower() for suffix in path.suffixes):
        if len(header) != 2 or not header[1]:
            raise DataError(
                f"{path} does not begin with the number of words and the width of the vectors. Expected the binary "
                "format of word2vec."
            )
        return header[1], _read_binary(path, file, *header)
    if len(header) == 2 and header[1]:
        return header[1], _read_text(path, lines, 2, header[1], header[0])
    if len(fields) < 2:
        raise DataError(f"{path}, line 1: expected a word and the numbers of its vector, got {first!r:.60}.")
    return width, _read_text(path, itertools.chain([first], lines), 1, width, None)


def _iterate_lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """Yield lines that end at a newline, of bounded length."""
    for number in itertools.count(1):
        line = file.readline(_MAX_LINE + 1)
        if len(line) > _MAX_LINE:
            raise DataError(
                f"{path}, line {number:,}: found a line of more than {_MAX_LINE:,} bytes. Expected a word and its "
                "numbers. Restore the file."
            )
        if not line:
            return
        yield line


def _read_text(
    path: Path, lines: Iterable[bytes], first_number: int, width: int, count: int | None
) -> Iterator[_Entry]:
    number = first_number - 1
    for number, line in enumerate(lines, first_number):
        word, *numbers = line.split() or [b""]
        if len(numbers) != width:
            # Some words of the largest files of GloVe contain spaces; no text has such a word.
            if len(numbers) > width and not any(map(_is_number, numbers[:-width])):
                continue
            raise DataError(
                f"{path}, line {number}: expected a word and {width} numbers, as on the first line, found "
                f"{len(numbers)} numbers. Restore the file."
            )
        yield _Entry(f"{path}, line {number}", word, numbers)
    if count is not None and number != count + 1:
        raise DataError(
            f"{path}: its first line states {count:,} words, and {number - 1:,} follow. Restore the file."
        )


def _read_binary(path: Path, file: BinaryIO, count: int, width: int) -> Iterator[_Entry]:
    for number in range(1, count + 1):
        place = f"{path}, word {number:,} of {count:,}"
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b"") and len(word) < _LONGEST_WORD:
            word += byte
        numbers = file.read(width * _FLOAT_SIZE)
        word = word.lstrip(b"\n")
        is_word = byte == b" " and not _CONTROL.search(word)
        if not is_word or len(numbers) != width * _FLOAT_SIZE:
            raise DataError(f"{place}: expected a word and {width} numbers of 4 bytes. Restore the file.")
        yield _Entry(place, bytes(word), numbers)
    if file.read(2).strip():
        raise DataError(f"{path}: its first line states {count:,} words, and more follow. Restore the file.")


def _parse_numbers(place: str, numbers: Sequence[bytes] | bytes) -> np.ndarray:
    if isinstance(numbers, bytes):
        vector = np.frombuffer(numbers, "<f4").astype(np.float32)
    elif wrong := [field for field in numbers if not _is_number(field)]:
        raise DataError(
            f"{place}: expected numbers after the word, got {wrong[0].decode(errors='replace')!r:.40}. Restore the "
            "file."
        )
    else:
        with np.errstate(over="ignore"):  # reported below
            vector = np.fromiter(map(float, numbers), np.float32, len(numbers))
    if not np.isfinite(vector).all():
        raise DataError(f"{place}: the vector has NaN or infinity. Expected finite numbers.")
    return vector


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
