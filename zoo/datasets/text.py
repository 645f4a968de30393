"""One long text for a language model."""

import re
from pathlib import Path

from zoo.datasets.fingerprint import record_sources
from zoo.datasets.readers.text_files import read_text
from zoo.datasets.records import DataInfo, DataSplits
from zoo.datasets.splits import split_by_position
from zoo.errors import DataError
from zoo.paths import parse_path

_PASSAGE = 20  # words
_SPACES = re.compile("(?<=[。！？])")
_EMPTY_LINES = re.compile(r"\n\s*\n")


@record_sources
def load_text(path: str | Path, *, encoding: str | None = None) -> DataSplits[list[str]]:
    r"""Load a text file for a language model and split it by position.

    The first 90 % of the words are for training, the next 5 % for validation, the last 5 % for testing. Words are
    what spaces separate, and in Chinese and Japanese the end of a sentence. Empty lines separate paragraphs. In a file
    without empty lines each line is a paragraph.

    Args:
        path: a text file, which may be compressed (.gz, .xz, .bz2).
        encoding: encoding of the file. Default: the one of its byte order mark (UTF-8 or UTF-16), otherwise
            UTF-8.

    Returns:
        For each split its passages in the order of the text: strings of at most 20 words with one space between
        them. The last passage of a paragraph ends in a line break, each other one has 20 words.

    Raises:
        DataError: the file cannot be read, is in another encoding, or has too few words.

    Example:
        >>> import tempfile, zoo
        >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        ...     print(*(f"This is sentence {i}." for i in range(200)), sep="\n", file=file, flush=True)
        ...     splits = zoo.datasets.load_text(file.name)
        >>> len(splits.train), splits.train[0]
        (180, 'This is sentence 0.\n')
    """
    path = parse_path(path, "dataset")
    text = _SPACES.sub(" ", "\n".join(read_text(path, encoding=encoding).text.splitlines()).strip())
    paragraphs = _EMPTY_LINES.split(text) if _EMPTY_LINES.search(text) else text.split("\n")
    passages, lengths = [], []
    for paragraph in paragraphs:
        words = paragraph.split()
        parts = [words[start : start + _PASSAGE] for start in range(0, len(words), _PASSAGE)]
        passages += [" ".join(part) + "\n" * (part is parts[-1]) for part in parts]
        lengths += [len(part) for part in parts]
    splits = split_by_position(passages, lengths)
    if not all(splits.values()):
        raise DataError(
            f"{path} is too short: found {sum(lengths):,} words. Expected some thousands, for three splits. "
            "Choose a longer text."
        )
    return DataSplits(**splits, info=DataInfo(str(path)))
