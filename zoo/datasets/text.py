"""One long text for a language model."""

from pathlib import Path

from zoo.datasets.records import DataInfo, DataSplits
from zoo.datasets.splits import split_by_position
from zoo.errors import DataError

_PASSAGE = 20  # words


def load_text(path: str | Path) -> DataSplits[list[str]]:
    """Load a text file for a language model and split it by position.

    The first 90 % of the words are for training, the next 5 % for validation, the last 5 % for testing.

    Args:
        path: A text file in UTF-8, with or without a byte order mark.

    Returns:
        For each split its passages: strings of 20 words with one space between them, in the order of the
        text.

    Raises:
        DataError: The file cannot be read, is not in UTF-8, or has too few words.
    """
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Expected a text file in UTF-8. Correct the path."
        ) from error
    try:
        words = content.decode("utf-8-sig").split()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line:,}: found byte {content[error.start]:#04x}, which is not UTF-8. Expected a "
            "text file in UTF-8. Convert the file, for example with iconv."
        ) from error
    passages = [" ".join(words[start : start + _PASSAGE]) for start in range(0, len(words), _PASSAGE)]
    splits = split_by_position(passages)
    if not all(splits.values()):
        raise DataError(
            f"{path} is too short: found {len(words):,} words. Expected some thousands, for three splits. "
            "Choose a longer text."
        )
    return DataSplits(**splits, info=DataInfo(str(path)))
