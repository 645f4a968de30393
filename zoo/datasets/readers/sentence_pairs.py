"""Sentences and their translations: two parallel files, or a table, perhaps in a zip."""

import re
from pathlib import Path
from typing import NamedTuple

from babel.core import get_global

from zoo.datasets.fingerprint import note_file
from zoo.datasets.messages import abbreviate, count_noun
from zoo.datasets.readers.tables import Table, find_names, log_tables, read_table
from zoo.datasets.readers.text_files import read_text
from zoo.datasets.splits import SPLIT_NAMES
from zoo.errors import DataError
from zoo.languages import find_language, is_same_language
from zoo.user_files import COMPRESSION, ZipFiles, report_unreadable, split_lines

Pairs = list[tuple[str, str]]
"""Sources and targets."""

Languages = tuple[str, str]
"""Names of the languages of source and target."""


_SUFFIX = rf"(?i:\.(csv|tsv|txt)){COMPRESSION}$"


class PairTable(NamedTuple):
    """Pairs from a table.

    Attributes:
        pairs: source and target of each row.
        languages: of the two columns, if the header or the name of the file states them.
        notes: what was left out, and what may be a header and is read as a pair.
    """

    pairs: Pairs
    languages: Languages | None
    notes: list[str]


def read_parallel_directory(
    directory: Path, languages: Languages, encoding: str | None = None
) -> tuple[dict[str, Pairs], list[str]]:
    """Read two files for each split, named `<split>*.<language>`, with a sentence in each line.

    Args:
        directory: contains the files, perhaps also files of other languages.
        languages: suffixes of the two files.
        encoding: encoding of the files; see `read_text`.

    Returns:
        The pairs of each split, and a note on files in these languages that are named after no split.

    Raises:
        DataError: there are no files for training, a split has several, or two files do not match.
    """
    splits = {}
    # No letter follows: "valid" is not the beginning of "validity.en".
    stems = {split: rf"({names})(?![^\W\d_]).*" for split, names in SPLIT_NAMES.items()}
    for split, stem in stems.items():
        pairs = read_parallel_files(directory, stem, languages, encoding)
        if pairs is not None:
            splits[split] = pairs
    if "train" not in splits:
        first, second = (f"train.{language}" for language in languages)
        raise DataError(
            f"{directory} contains no training data. Expected {first} and {second}. If files have another "
            "name, choose them by what their names have in common. A TFDS name is looked up only where there "
            "is no directory of that name."
        )
    others = [path.name for language in languages for path in _list_files(directory, ".*", language)]
    used = "|".join(stems.values())
    if others := sorted(name for name in others if not re.match(rf"({used})\.", name)):
        return splits, [f"Left out because they are named after no split: {abbreviate(others)}."]
    return splits, []


def read_parallel_files(
    directory: Path, stem: str, languages: Languages, encoding: str | None = None
) -> Pairs | None:
    """Read two files with a sentence in each line.

    Args:
        directory: contains the files.
        stem: a regular expression for their name before the language.
        languages: suffixes of the two files.
        encoding: encoding of the files; see `read_text`.

    Returns:
        The pairs; `None` if there is neither file.

    Raises:
        DataError: a language has no file or several, a file is corrupt, or the numbers of lines differ.
    """
    source, target = (_find_file(directory, stem, language) for language in languages)
    if not source and not target:
        return None
    if not (source and target):
        missing = languages[0] if target else languages[1]
        raise DataError(f"{source or target}: expected a file in {missing!r} beside it. Add the file.")
    sources, targets = _read_lines(source, encoding), _read_lines(target, encoding)
    if len(sources) != len(targets):
        raise DataError(
            f"{source} has {count_noun(len(sources), 'line')} and {target.name} has {len(targets):,}. "
            "Expected a sentence in each line and its translation in the same line of the other file."
        )
    return list(zip(sources, targets, strict=True))


def _list_files(directory: Path, stem: str, language: str) -> list[Path]:
    pattern = rf"{stem}\.{re.escape(language)}{COMPRESSION}"
    with report_unreadable(directory):
        children = sorted(directory.iterdir()) if directory.is_dir() else []
    return [path for path in children if re.fullmatch(pattern, path.name) and path.name[0] != "."]


def _find_file(directory: Path, stem: str, language: str) -> Path | None:
    paths = _list_files(directory, stem, language)
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise DataError(f"{directory}: found {names}. Expected one of them. Remove or rename the others.")
    return paths[0] if paths else None


def _read_lines(path: Path, encoding: str | None) -> list[str]:
    return split_lines(path, read_text(path, encoding=encoding).text)


def read_pair_table(path: Path, languages: Languages | None, encoding: str | None = None) -> PairTable:
    """Read a table of pairs.

    A header is recognized if it contains the names of both languages (see `zoo.languages.is_same_language`), or
    `source` and `target`; or, where no languages are given, the English names of two languages. Without one, the first
    two columns are source and target.

    Args:
        path: a file `.csv`, `.tsv` or `.txt`, perhaps compressed, or a zip that contains one such file. Zips
            from www.manythings.org/anki, such as `deu-eng.zip`, have English first.
        languages: languages of source and target, if they are known.
        encoding: encoding of the file; see `read_text`.

    Raises:
        DataError: it is another kind of file, is corrupt or in another encoding, the two columns are not clear, or
            the header names other languages.
    """
    name, content = str(path), None
    if path.suffix.lower() == ".zip":
        note_file(path)
        archive = ZipFiles(path)
        member = _find_member(archive)
        name, content = f"{path}/{member}", archive.read(member)
    elif not re.search(_SUFFIX, path.name):
        raise DataError(
            f"{path}: found a file of another kind. Expected a directory, a zip, or a file .csv, .tsv or .txt, "
            "perhaps with .gz, .xz or .bz2. Choose parallel files by their directory, or by what their names "
            "have in common."
        )

    def find_header(cells: list[str]) -> list[int]:
        """Return the places of source and target in a header; none if the row is no header."""
        return _find_columns(name, cells, languages)

    table = read_table(name, lambda cells: bool(find_header(cells)), content=content, encoding=encoding)
    if not table.rows:
        raise DataError(f"{name} contains no pairs. Expected source and target in each line.")
    width = len(table.rows[0].cells)
    if width < 2 or (width > 2 and not table.header and table.format.is_quoted):
        raise DataError(
            f"{name}, line {table.rows[0].line}: found {count_noun(width, 'cell')}, {table.format}. Expected "
            'source and target. Put a sentence that contains the delimiter in quotes ("), or add a header with '
            "the columns source and target."
        )
    log_tables([table])
    source, target = find_header(table.header) or (0, 1)
    pairs = [(cells[source], cells[target]) for _, cells in table.rows]
    notes = table.note_other_columns(source, target) + _note_doubtful_pair(table)
    if not table.header:
        return PairTable(pairs, _find_languages(path), notes)
    if languages:  # the header names them
        return PairTable(pairs, None, notes)
    one, other = find_language(table.header[source]), find_language(table.header[target])
    return PairTable(pairs, (one, other) if one and other else _find_languages(path), notes)


def _find_columns(name: str, cells: list[str], languages: Languages | None) -> list[int]:
    """Return the places of source and target in the first row of a table; none if it is no header.

    Raises:
        DataError: the row is a header, and the two columns are not clear.
    """

    def find_side(side: str) -> list[int]:
        same = [place for place, cell in enumerate(cells) if is_same_language(cell.strip(), side)]
        return find_names(cells, side) or same

    for sides in filter(None, (languages, ("source", "target"))):
        places = [find_side(side) for side in sides]
        if all(places):
            if any(len(found) > 1 for found in places):
                raise DataError(
                    f"{name}: found the columns {abbreviate(cells)}. Expected one for {sides[0]} and one for "
                    f"{sides[1]}. Rename or remove the others."
                )
            return [place for (place,) in places]
    named = [place for place, cell in enumerate(cells) if find_language(cell)]
    if not languages and len(named) == 2:
        return named
    if len(named) > 1 or (languages and any(map(find_side, languages))):
        sides = languages or ("source", "target")
        raise DataError(
            f"{name}, line 1: found what looks like a header: {', '.join(cells)[:200]}. Expected a column for "
            f"{sides[0]} and one for {sides[1]}. Choose two of the columns with --source and --target; if the line is "
            "a pair, put a header with the columns source and target above it."
        )
    return []


def _note_doubtful_pair(table: Table) -> list[str]:
    """Return a note on a first row that is read as a pair, if one of its sides is a single word without punctuation."""
    if table.header or not any(re.fullmatch(r"[\w-]+", cell.strip()) for cell in table.rows[0].cells[:2]):
        return []
    line, (source, target, *_) = table.rows[0]
    return [f"{table.path}: line {line} is read as a pair, not as a header: {source[:40]} -> {target[:40]}."]


def _find_languages(path: Path) -> Languages | None:
    """Return the languages of a zip from www.manythings.org/anki."""
    match = re.fullmatch(r"([a-z]{3})-eng(?![a-z]).*\.zip", path.name)
    codes = get_global("language_aliases")
    return (codes.get("eng", "eng"), codes.get(match[1], match[1])) if match else None


def _find_member(archive: ZipFiles) -> str:
    names = [name for name in archive.sizes if re.search(r"(^|/)[^_./][^/]*(?i:\.(csv|tsv|txt))$", name)]
    if len(names) != 1:
        raise DataError(
            f"{archive.path}: found {abbreviate(names) or 'no such file'}. Expected one file .csv, .tsv or .txt "
            "whose name does not begin with an underscore. Unpack the zip and choose the file itself."
        )
    return names[0]
