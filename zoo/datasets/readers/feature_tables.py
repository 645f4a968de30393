"""Tables of features with a tag in each row: a sequence in each table, or several in one."""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.datasets.messages import abbreviate
from zoo.datasets.readers.sequences import TaggedSequence, index_by_name
from zoo.datasets.readers.tables import Row, Table
from zoo.datasets.readers.tag_tables import (
    describe_header,
    find_column,
    is_number,
    normalize_number,
    parse_tags,
)
from zoo.errors import DataError
from zoo.user_files import TABLE

_EXPECTED = (
    "Expected a header with a column tag, label, phase or class; or, without a header: sequence, frame "
    "number, tag, features"
)
_MAX_NUMBER = float(np.finfo(np.float32).max)
_OTHER_COLUMNS = ("sequence", "frame", "time", "tag")


def read_feature_tables(
    tables: dict[str, list[Table]], root: Path
) -> tuple[dict[str, list[TaggedSequence]], list[str]]:
    """Read the sequences of tables with the same columns.

    Args:
        tables: the tables of each split.
        root: directory that contains all tables.

    Returns:
        The sequences of each split, and notes on columns that were left out.

    Raises:
        DataError: columns differ, there are no features, or a cell is no number.
    """
    names = _name_tables([table.path for group in tables.values() for table in group], root)
    named = {
        split: {names[Path(table.path)]: _complete_header(table) for table in group}
        for split, group in tables.items()
    }
    first, *rest = [table for group in named.values() for table in group.values()]
    for table in rest:
        if table.header != first.header:
            pattern = Path(first.path).parent / re.sub(r"^[^_.\- ]*", "*", Path(first.path).name)
            raise DataError(
                f"{first.path} and {Path(table.path).name} have different columns. Expected the same in all "
                f'tables. Choose some by a pattern, such as --dataset "{pattern}".'
            )
    others = [find_column(first, column) for column in _OTHER_COLUMNS]
    columns = [place for place in range(len(first.header)) if place not in others]
    all_tables = (first, *rest)
    features = [place for place in columns if any(_has_numbers(table, place) for table in all_tables)]
    if not features:
        raise DataError(
            f"{first.path}: found {describe_header(first)}, and no numbers. {_EXPECTED}, and features."
        )
    splits = {split: _read_sequences(group, features) for split, group in named.items()}
    left_out = [first.header[place] for place in columns if place not in features]
    return splits, [f"Left out columns without numbers: {abbreviate(left_out)}."] if left_out else []


def _name_tables(files: list[Path | str], root: Path) -> dict[Path, str]:
    """Name sequences by the paths of their tables, without a suffix that all have, as in a_raw and b_raw."""
    stems = [re.sub(TABLE, "", Path(file).relative_to(root).as_posix()) for file in files]
    suffixes = [stems[0][match.start() :] for match in re.finditer(r"[_.\- ]", stems[0])]
    shared = next((suffix for suffix in suffixes if all(stem.endswith(suffix) for stem in stems)), "")
    names = (stem.removesuffix(shared) for stem in stems)
    paths = index_by_name(zip(names, map(Path, files), strict=True))
    return {path: name for name, path in paths.items()}


def _has_numbers(table: Table, place: int) -> bool:
    return any(is_number(row.cells[place]) for row in table.rows)


def _complete_header(table: Table) -> Table:
    """Give a table a header in which one column is the tag: the last, if none is called so."""
    line, cells = table.rows[0]
    header = table.header or ["sequence", "frame", "tag", *map(str, range(4, len(cells) + 1))]
    if not table.header and not (cells[3:] and all(map(is_number, [cells[1], *cells[3:]]))):
        raise DataError(f"{table.path}, line {line}: found no header. {_EXPECTED}. Correct the file.")
    table = table._replace(header=header)
    return table if find_column(table, "tag") is not None else table._replace(header=[*header[:-1], "tag"])


def _read_sequences(tables: dict[str, Table], features: list[int]) -> list[TaggedSequence]:
    """Read the sequences of a split, with their time steps in the order of the frames."""
    steps_of: dict[str, list[_Step]] = {}
    for table_name, table in tables.items():
        sequence, frame, time, tag = (find_column(table, column) for column in _OTHER_COLUMNS)
        assert tag is not None
        for row in table.rows:
            steps = steps_of.setdefault(table_name if sequence is None else row.cells[sequence], [])
            position = float(len(steps)) if frame is None else _parse_number(table, row, frame)
            step_time = position if time is None else _parse_number(table, row, time)
            values = [_parse_number(table, row, place) for place in features]
            tags = parse_tags(row.cells[tag])
            steps.append(_Step(position, step_time, tags, values, f"{table.path}, line {row.line:,}"))
    sequences = []
    for name, steps in steps_of.items():
        steps.sort(key=lambda step: step.position)
        for step, following in pairwise(steps):
            if step.position == following.position:
                raise DataError(
                    f"{following.location}: {name} has frame {step.position:g} twice. Expected it once. Remove one of "
                    "the rows."
                )
            if step.time > following.time:
                raise DataError(
                    f"{following.location}: found the time {following.time:g} after {step.time:g} in {name}. Expected "
                    "times that do not decrease. Sort the rows by time, or name recordings in a column sequence."
                )
        values, times = ([getattr(step, field) for step in steps] for field in ("values", "time"))
        tags_of_steps = [step.tags for step in steps]
        sequences.append(
            TaggedSequence(name, np.array(values, np.float32), tags_of_steps, np.array(times, float))
        )
    return sequences


class _Step(NamedTuple):
    """A row of a sequence: its place in it, and where it is in a file."""

    position: float
    time: float
    tags: tuple[str, ...]
    values: list[float]
    location: str


def _parse_number(table: Table, row: Row, place: int) -> float:
    number = normalize_number(table, row.cells[place])
    is_valid = is_number(number) and "," not in number  # which may separate thousands
    if not is_valid or abs(float(number)) > _MAX_NUMBER:
        bound = f" of at most {_MAX_NUMBER:.1e}" if is_valid else ""
        raise DataError(
            f"{table.path}, line {row.line:,}, column {table.header[place]}: found {row.cells[place][:60]!r}. Expected "
            f"a number{bound}. Correct it, or remove the column."
        )
    return float(number)
