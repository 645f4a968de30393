"""Sentences and their translations: two parallel files, or a table, perhaps in a zip."""

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from babel.core import get_global

from zoo.datasets.messages import count_noun
from zoo.datasets.readers.tables import read_rows
from zoo.datasets.readers.text_files import COMPRESSION, open_text, report_unreadable
from zoo.datasets.splits import SPLIT_NAMES
from zoo.errors import DataError

Pairs = list[tuple[str, str]]
"""Sources and targets."""

Languages = tuple[str, str]
"""Names of the languages of source and target."""


class PairTable(NamedTuple):
    """Pairs from a table.

    Attributes:
        pairs: First and second cell of each row.
        languages: Of the two columns, if the name of the file states them.
        notes: What was left out.
    """

    pairs: Pairs
    languages: Languages | None
    notes: list[str]


def read_parallel_directory(directory: Path, languages: Languages) -> dict[str, Pairs]:
    """Read two files for each split, named `<split>*.<language>`, with a sentence in each line.

    Args:
        directory: Contains the files, perhaps also files of other languages.
        languages: Suffixes of the two files.

    Raises:
        DataError: There are no files for training, a split has several, or two files do not match.
    """
    splits = {}
    for split, names in SPLIT_NAMES.items():
        # No letter follows: "valid" is not the beginning of "validity.en".
        pairs = read_parallel_files(directory, rf"({names})(?![^\W\d_]).*", languages)
        if pairs is not None:
            splits[split] = pairs
    if "train" not in splits:
        first, second = (f"train.{language}" for language in languages)
        raise DataError(
            f"{directory} contains no training data. Expected {first} and {second}. If files have another "
            "name, choose them by what their names have in common. A TFDS name is looked up only where there "
            "is no directory of that name."
        )
    return splits


def read_parallel_files(directory: Path, stem: str, languages: Languages) -> Pairs | None:
    """Read two files with a sentence in each line.

    Args:
        directory: Contains the files.
        stem: A regular expression for their name before the language.
        languages: Suffixes of the two files.

    Returns:
        The pairs; `None` if there is neither file.

    Raises:
        DataError: A language has no file or several, a file is corrupt, or the numbers of lines differ.
    """
    source, target = (_find_file(directory, stem, language) for language in languages)
    if not source and not target:
        return None
    if not (source and target):
        missing = languages[0] if target else languages[1]
        raise DataError(f"{source or target}: expected a file in {missing!r} beside it. Add the file.")
    sources, targets = _read_lines(source), _read_lines(target)
    if len(sources) != len(targets):
        raise DataError(
            f"{source} has {count_noun(len(sources), 'line')} and {target.name} has {len(targets):,}. "
            "Expected a sentence in each line and its translation in the same line of the other file."
        )
    return list(zip(sources, targets, strict=True))


def _find_file(directory: Path, stem: str, language: str) -> Path | None:
    pattern = rf"{stem}\.{re.escape(language)}{COMPRESSION}"
    paths = [path for path in sorted(directory.glob("*")) if re.fullmatch(pattern, path.name)]
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise DataError(f"{directory}: found {names}. Expected one of them. Remove or rename the others.")
    return paths[0] if paths else None


def _read_lines(path: Path) -> list[str]:
    with report_unreadable(path), open_text(path) as file:
        return list(file)


def read_pair_table(path: Path) -> PairTable:
    """Read a file with source, tab and target in each line, without a header; further cells are ignored.

    Args:
        path: A file `.tsv` or `.txt`, perhaps compressed, or a zip that contains one such file. Zips from
            www.manythings.org/anki, such as `deu-eng.zip`, have English first.

    Raises:
        DataError: It is another kind of file, is corrupt, or has no line with a tab.
    """
    if not re.search(rf"\.((tsv|txt){COMPRESSION}|zip)$", path.name):
        raise DataError(
            f"{path}: expected a directory, a zip, or a file .tsv or .txt, perhaps with .gz, .xz or .bz2. "
            "Choose parallel files by their directory, or by what their names have in common."
        )
    if path.suffix == ".zip":
        with report_unreadable(path), zipfile.ZipFile(path) as archive:
            member = _find_member(archive)
            rows = read_rows(f"{path}/{member}", archive.read(member))
    else:
        rows = read_rows(path)
    pairs = [(row.cells[0], row.cells[1]) for row in rows if len(row.cells) > 1]
    without_tab = [row.line for row in rows if len(row.cells) == 1]
    if not pairs:
        raise DataError(f"{path} has no line with a tab. Expected source, tab and target in each line.")
    notes = []
    if without_tab:
        lines = count_noun(len(without_tab), "line")
        notes.append(f"{path}: left out {lines} without a tab, the first is line {without_tab[0]:,}.")
    return PairTable(pairs, _find_languages(path), notes)


def _find_languages(path: Path) -> Languages | None:
    """Return the languages of a zip from www.manythings.org/anki."""
    match = re.fullmatch(r"([a-z]{3})-eng(?![a-z]).*\.zip", path.name)
    codes = get_global("language_aliases")
    return (codes.get("eng", "eng"), codes.get(match[1], match[1])) if match else None


def _find_member(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if re.search(r"(^|/)[^_./][^/]*\.(tsv|txt)$", name)]
    if len(names) != 1:
        raise DataError(
            f"{archive.filename}: found {', '.join(names) or 'no such file'}. Expected one file .tsv or .txt "
            "whose name does not begin with an underscore. Unpack the zip and choose the file itself."
        )
    return names[0]
