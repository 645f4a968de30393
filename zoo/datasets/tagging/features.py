"""Tables of features with a tag in each row, which are sequences or hold several."""

import re
from functools import partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import numpy as np

from zoo.datasets.files import TABLE
from zoo.datasets.tagging.splits import ReadSequence, Splits, by_name
from zoo.datasets.tagging.tables import Table, is_number, tags_in
from zoo.datasets.tfds_catalog import some
from zoo.errors import DataError

_EXPECTED = (
    "Expected a header with a column tag, label, phase or class; or, without a header: sequence, frame "
    "number, tag, features"
)
_OTHERS = ("sequence", "frame", "time", "tag")


def tagged_features(tables: dict[str, list[Table]], root: Path) -> tuple[Splits, list[str]]:
    """Takes sequences out of tables, which have the same columns; notes which columns are of no use."""
    files = [table.path for own in tables.values() for table in own]
    names = _names(files, root)
    named = {split: {names[own.path]: _headed(own) for own in some} for split, some in tables.items()}
    first, *rest = [table for own in named.values() for table in own.values()]
    for table in rest:
        if table.header != first.header:
            alike = first.path.parent / re.sub(r"^[^_.\- ]*", "*", first.path.name)
            raise DataError(
                f"{first.path} and {table.path.name} have different columns: expected the same in all. "
                f'Choose some by a pattern, such as --dataset "{alike}".'
            )
    others = [first.column(name) for name in _OTHERS]
    spare = [place for place in range(len(first.header)) if place not in others]
    features = [place for place in spare if is_number(first.rows[0][1][place])]
    if not features:
        raise DataError(f"{first.path}: found {first.found}, and no numbers. {_EXPECTED}, and features.")
    splits = {split: _sequences(own, features) for split, own in named.items()}
    words = [first.header[place] for place in spare if place not in features]
    return splits, [f"Left out, for they are no numbers: the columns {some(words)}."] if words else []


def _names(files: list[Path], root: Path) -> dict[Path, str]:
    """Paths within the root without endings, and without what they all end with, as in a_raw and b_raw."""
    stems = [re.sub(TABLE, "", file.relative_to(root).as_posix()) for file in files]
    endings = [stems[0][found.start() :] for found in re.finditer(r"[_.\- ]", stems[0])]
    ending = next((own for own in endings if all(stem.endswith(own) for stem in stems)), "")
    named = by_name((stem.removesuffix(ending), file) for stem, file in zip(stems, files, strict=True))
    return {file: name for name, file in named.items()}


def _headed(table: Table) -> Table:
    """With a header in which there is a tag: the last column where no other is called so."""
    line, cells = table.rows[0]
    header = table.header or ["sequence", "frame", "tag", *map(str, range(4, len(cells) + 1))]
    if not table.header and not (cells[3:] and all(map(is_number, [cells[1], *cells[3:]]))):
        raise DataError(f"{table.path}, line {line}: found no header. {_EXPECTED}. Correct the file.")
    table = table._replace(header=header)
    return table if table.column("tag") is not None else table._replace(header=[*header[:-1], "tag"])


def _sequences(tables: dict[str, Table], features: list[int]) -> list[ReadSequence]:
    """The sequences of tables, in order of their frames."""
    found: dict[str, list[tuple[float, float, tuple[str, ...], list[float]]]] = {}
    for name, table in tables.items():
        sequence, frame, time, tag = map(table.column, _OTHERS)
        for line, cells in table.rows:
            steps = found.setdefault(name if sequence is None else cells[sequence], [])
            number = partial(_number, table, line, cells)
            position = len(steps) if frame is None else number(frame)
            when = position if time is None else number(time)
            steps.append((position, when, tags_in(cells[tag]), [number(place) for place in features]))
    sequences = []
    for name, steps in found.items():
        frames, times, tags, values = zip(*sorted(steps, key=itemgetter(0)), strict=True)
        if twice := [frame for frame, other in pairwise(frames) if frame == other]:
            raise DataError(f"{name} has frame {twice[0]:g} twice. Remove one of them.")
        sequences.append(ReadSequence(name, np.array(values, np.float32), list(tags), np.array(times, float)))
    return sequences


def _number(table: Table, line: int, cells: list[str], place: int) -> float:
    if not is_number(cells[place]):
        raise DataError(
            f"{table.path}, line {line}: expected a number in column {table.header[place]}, found "
            f"{cells[place]!r}. Correct it."
        )
    return float(cells[place])
