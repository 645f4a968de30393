"""Sequences with a tag at each step, frames of videos or features, from TFDS or from users' own files."""

import csv
import glob
import hashlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from zoo.datasets import catalogue
from zoo.datasets.catalogue import DataError
from zoo.datasets.files import BROKEN, COMPRESSION, SPLITS, open_text
from zoo.video import VIDEO, FrameReader, Size, VideoError, natural, open_video, pictures_of, pieces

NONE = "none"
"""The label of frames that no row of a table covers."""

_TABLE = rf"\.(tsv|csv){COMPRESSION}$"
_VIDEO = re.compile(VIDEO, re.IGNORECASE)
_PIECE = 256  # frames that are in memory at once
_FEW = 5  # steps: a label that has fewer may be a slip of the pen

_SEQUENCE, _TAG = ("sequence", "video", "clip"), ("tag", "label", "phase", "class")
_FRAME, _TIME = ("frame",), ("time", "timestamp")
_SPANS = {
    "frame": (_FRAME,),
    "time": (_TIME,),
    "start and end": (("start",), ("end",)),
    "start_frame and end_frame": (("start_frame",), ("end_frame",)),
}
_OF_VIDEOS = f"Expected the columns video, tag, and either {', or '.join(_SPANS)}"
_OF_FEATURES = (
    "Expected a header with a column tag, label, phase or class; or, without a header: sequence, frame "
    "number, tag, features"
)
_EXPECTED = (
    "Expected videos or folders of numbered frames, and a .csv or .tsv with the columns video, tag, and "
    f"either {', or '.join(_SPANS)}; or .csv or .tsv of features and a tag"
)


@dataclass(frozen=True)
class Tagged:
    """The sequences of a split, and a tag for each step.

    Attributes:
        names: Of the sequences.
        sequences: Of each, frames uint8 [time, height, width, 3], perhaps mapped from a file, or features
            float32 [time, features].
        tags: Of each, positions in the labels int32 [time]; with several labels a step, whether it bears
            each, bool [time, labels].
        times: Of each, when its steps are, float64 [time]: seconds for videos; for features what the file
            says, in its own unit; else the number of the step.
    """

    names: list[str]
    sequences: list[np.ndarray]
    tags: list[np.ndarray]
    times: list[np.ndarray]


@dataclass(frozen=True)
class TaggedSequences:
    """Sequences with tags, in three splits.

    Attributes:
        train: For training.
        validation: For choosing the model.
        test: For the final figure.
        labels: What a step may bear.
        source: The TFDS name with configuration and version, or the path.
        notes: How the splits came to be, and what is odd in the data, a sentence each.
        citation: What TFDS says to cite, else empty.
        licence: What TFDS knows of the licence, else empty.
        multi_label: Whether a step may bear several labels, or none.
    """

    train: Tagged
    validation: Tagged
    test: Tagged
    labels: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()
    citation: str = ""
    licence: str = ""
    multi_label: bool = False


def load_tagging(
    dataset: str,
    *,
    data_dir: Path | None = None,
    size: Size = (27, 48),
    rate: float = 25.0,
    multi_label: bool = False,
    test: Sequence[str] = (),
    validation: Sequence[str] = (),
    cache: Path | None = None,
) -> TaggedSequences:
    """Loads a tagging set from a path or, where there is none such, from TFDS by name.

    A path is a folder, a file of it, or a pattern such as "folder/*_raw.csv.gz". Tables are CSV or TSV in
    UTF-8 and may be compressed (.gz, .xz, .bz2); upper and lower case are the same in headers. Forms:

    - Videos, or folders of numbered pictures, and a table. Its columns are `video`, `tag`, and `frame`,
      counted from 0; or `time` in seconds, which means the nearest frame; or `start` and `end` in seconds;
      or `start_frame` and `end_frame`. An end belongs to what comes next; seconds may be off by half a frame.
      Frames without a row are `none`.
    - Tables of features, each a sequence and with a header. The tag is in the column `tag`, `label`, `phase`
      or `class`, else in the last; `time` or `timestamp`, and `frame`, are no features; columns of anything
      but numbers are left out.
    - Tables of features of several sequences, with the columns `sequence`, `video` or `clip`, then `frame`
      and `tag`; or without a header: sequence, frame, tag, features. Frames may be missing.

    With `multi_label`, `|` separates the tags of a step, rows that overlap add up, and a step may have none.

    Splits are sub-folders or tables called `train`, `validation`, `valid`, `val` or `dev`, and `test`. If
    there are none such, they are chosen by name, else every third sequence, in natural order, is for test,
    and every fourth of the remaining ones for validation.

    Of a TFDS set one feature must be a sequence of frames or of vectors of numbers, another one of labels.

    Args:
        dataset: The path, the pattern, or the TFDS name (`footage`).
        data_dir: Where TFDS keeps prepared data and downloads; its own folder if None.
        size: Height and width that frames are scaled to.
        rate: Frames per second of folders of pictures.
        multi_label: Whether a step may bear several labels, or none.
        test: Names of sequences for testing.
        validation: The same for choosing the model.
        cache: Folder where decoded videos are kept, each in a file that is mapped and not read into memory;
            they are in memory if None.

    Raises:
        DataError: There is no such set, its host does not answer, or the data are not as above.
    """
    path = Path(dataset).expanduser()
    if path.exists() or re.search(r"[*?[]", dataset):
        splits, notes = _from_files(path, size, rate, cache, multi_label)
        about, labels = {"source": str(path)}, None
    else:
        builder = catalogue.find(dataset, data_dir)
        splits, labels = _from_tfds(builder, size)
        info, notes = builder.info, []
        about = {
            "source": info.full_name,
            "citation": info.citation.strip(),
            "licence": info.redistribution_info.license.strip(),
        }
    notes += _complete(splits, {"test": test, "validation": validation}, about["source"])
    everything = [sequence for split in splits.values() for sequence in split]
    for sequence in everything:
        _check(sequence, multi_label)
    labels = labels or _sorted({tag for sequence in everything for step in sequence.tags for tag in step})
    if len(labels) < 2 - multi_label:
        raise DataError(
            f"{about['source']}: expected 2 labels at least, found {', '.join(labels) or 'none'}. Is the "
            "column of the tags the right one?"
        )
    notes += _odd(splits, labels, multi_label)
    made = {split: _tagged(sequences, labels, multi_label) for split, sequences in splits.items()}
    return TaggedSequences(**made, labels=labels, notes=tuple(notes), **about, multi_label=multi_label)


class _Sequence(NamedTuple):
    name: str
    values: np.ndarray
    tags: list[tuple[str, ...]]  # of each step
    times: np.ndarray


Splits = dict[str, list[_Sequence]]


def _complete(splits: Splits, chosen: dict[str, Sequence[str]], source: str) -> list[str]:
    """Takes out of train the splits that are missing: those chosen by name, else every so many."""
    train = sorted(splits["train"], key=lambda sequence: natural(sequence.name))
    known, notes = {sequence.name: sequence for sequence in train}, []
    for split, given in chosen.items():
        names = [_VIDEO.sub("", name) for name in given]
        if names and split in splits:
            raise DataError(f"{source} has a {split} split of its own. Leave out --{split}.")
        if unknown := [name for name in names if name not in known]:
            raise DataError(
                f"--{split}: there is no sequence {_some(unknown)} to hold out. Choose among "
                f"{', '.join(known)}."
            )
        if names:
            splits[split] = [known.pop(name) for name in dict.fromkeys(names)]
    train = list(known.values())
    for split, every, of in (("test", 3, "sequence"), ("validation", 4, "remaining sequence")):
        if split not in splits:
            splits[split] = train[every - 1 :: every]
            del train[every - 1 :: every]
            notes.append(f"{split} is every {['third', 'fourth'][every - 3]} {of}, in natural order.")
    splits["train"] = train
    if empty := [split for split, sequences in splits.items() if not sequences]:
        raise DataError(
            f"{source}: too few sequences, none is left for {' and '.join(empty)}. Expected 5 at least, or 3 "
            "with two of them named by --test and --validation. Add some."
        )
    return notes


def _check(sequence: _Sequence, multi_label: bool) -> None:
    if multi_label:
        return
    for step, tags in enumerate(sequence.tags):
        if len(set(tags)) != 1:
            raise DataError(
                f"{sequence.name}, frame {step}: expected one tag, found {' and '.join(tags) or 'none'}. "
                "Correct it, or say by --multi-label that a frame may bear several tags, or none."
            )


def _sorted(labels: set[str]) -> tuple[str, ...]:
    """As text, unless all are whole numbers."""
    whole = all(re.fullmatch(r"[+-]?\d+", label) for label in labels)
    return tuple(sorted(labels, key=int if whole else str))


def _odd(splits: Splits, labels: tuple[str, ...], multi_label: bool) -> list[str]:
    """A note on each label that hardly occurs, or not where it is to be learnt."""
    counts = {
        (split, sequence.name): Counter(tag for tags in sequence.tags for tag in set(tags))
        for split, sequences in splits.items()
        for sequence in sequences
    }
    notes = []
    for label in labels:
        where = {key: count[label] for key, count in counts.items() if count[label]}
        if 0 < sum(where.values()) < _FEW:
            notes.append(
                f"Only {sum(where.values())} of the frames bear{'s' * (sum(where.values()) == 1)} the label "
                f"{label}: is it meant, in {_some([name for _, name in where])}?"
            )
        if not any(split == "train" for split, _ in where):
            notes.append(f"No sequence for training has the label {label}.")
    if multi_label:
        bare = sum(not tags for sequences in splits.values() for own in sequences for tags in own.tags)
        if bare:
            notes.append(f"{bare:,} frames bear no label.")
    return notes


def _tagged(sequences: list[_Sequence], labels: tuple[str, ...], multi_label: bool) -> Tagged:
    places = {label: place for place, label in enumerate(labels)}
    tags = []
    for sequence in sequences:
        if multi_label:
            own = np.zeros((len(sequence.tags), len(labels)), bool)
            for step, some in enumerate(sequence.tags):
                own[step, [places[tag] for tag in some]] = True
        else:
            own = np.array([places[step[0]] for step in sequence.tags], np.int32)
        tags.append(own)
    names, values, _, times = zip(*sequences, strict=True)
    return Tagged(list(names), list(values), tags, list(times))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


# Files.


class _Table(NamedTuple):
    path: Path
    header: list[str]  # in lower case; empty where there is none
    rows: list[tuple[int, list[str]]]  # number of the line, and its cells

    def column(self, names: tuple[str, ...]) -> int | None:
        """Place of the column that is called by one of the names."""
        found = [place for place, name in enumerate(self.header) if name in names]
        if len(found) > 1:
            both = " and ".join(self.header[place] for place in found)
            raise DataError(
                f"{self.path}: {both} could each be the {names[0]}. Rename or remove one of them."
            )
        return found[0] if found else None


def _from_files(
    path: Path, size: Size, rate: float, cache: Path | None, multi_label: bool
) -> tuple[Splits, list[str]]:
    found = _tables(path)
    tables = {split: [_table(file) for file in files] for split, files in found.items()}
    everything = [table for some in tables.values() for table in some]
    first, root = everything[0], Path(os.path.commonpath([table.path.parent for table in everything]))
    videos = _videos(root)
    known = {*_SEQUENCE, *_TAG, *(name for parts in _SPANS.values() for names in parts for name in names)}
    alone = all(len(some) == 1 for some in tables.values())
    if not (first.header and known.issuperset(first.header)) and not (videos and alone):
        return _features(tables)
    for some in tables.values():
        if len(some) > 1:
            raise DataError(
                f"{root}: expected one table of tags, found {_some([table.path.name for table in some])}. "
                "Choose one by its path, or name them by the splits: train, validation, test."
            )

    def read(video: Path) -> _Frames:
        try:
            return _frames(video, size, rate, cache)
        except VideoError as error:
            raise DataError(str(error)) from error

    single = {split: some[0] for split, some in tables.items()}
    return _tagged_videos(single, root, videos, read, multi_label)


def _tables(path: Path) -> dict[str, list[Path]]:
    """The files of tables by the split that they are for; all are for training unless they say otherwise."""
    if path.is_dir():
        folders = _of_splits([own for own in path.iterdir() if own.is_dir()], "")
        if "train" in folders:
            found = {split: _sorted_tables(list(own.iterdir())) for split, own in folders.items()}
        else:
            tables = _sorted_tables(list(path.iterdir()))
            named = {split: [own] for split, own in _of_splits(tables, _TABLE).items()}
            found = named if "train" in named else {"train": tables}
    else:
        files = [path] if path.exists() else map(Path, glob.glob(str(path), recursive=True))
        found = {"train": _sorted_tables(list(files))}
    for split, files in found.items():
        if not files:
            raise DataError(f"{path} holds no table for {split}. {_EXPECTED}.")
    return found


def _of_splits(paths: list[Path], ending: str) -> dict[str, Path]:
    found = {}
    for split, names in SPLITS.items():
        some = [path for path in paths if re.fullmatch(f"({names}){ending}", path.name)]
        if len(some) > 1:
            both = " and ".join(sorted(path.name for path in some))
            raise DataError(f"{some[0].parent}: {both} could each be the {split} split. Leave one of them.")
        if some:
            found[split] = some[0]
    return found


def _sorted_tables(paths: list[Path]) -> list[Path]:
    tables = [path for path in paths if re.search(_TABLE, path.name) and path.name[0] != "."]
    return sorted(tables, key=lambda path: natural(str(path)))


def _table(path: Path) -> _Table:
    form = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if ".tsv" in path.name else {}
    rows = []
    try:
        with open_text(path, newline="") as file:
            reader = csv.reader(file, **form)
            for cells in reader:
                if any(cells := [cell.strip() for cell in cells]):
                    rows.append((reader.line_num, cells))
    except (csv.Error, *BROKEN) as error:
        raise DataError(f"{path} cannot be read: {error}. Correct or replace the file.") from error
    header = []
    if rows and _is_header(rows[0][1]):
        header = [cell.lower() for cell in rows.pop(0)[1]]
    if not rows:
        raise DataError(f"{path} holds no rows. {_EXPECTED}.")
    width = len(header or rows[0][1])
    for line, cells in rows:
        if len(cells) != width:
            raise DataError(
                f"{path}, line {line}: expected {width} cells ({_some(header or rows[0][1])}), found "
                f"{len(cells)}. Correct the line."
            )
    return _Table(path, header, rows)


def _is_header(cells: list[str]) -> bool:
    return any(cell.lower() in _TAG for cell in cells) or not any(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _tags(cell: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in cell.split("|") if tag.strip())


# Videos and a table.


class _Frames(NamedTuple):
    pixels: np.ndarray
    times: np.ndarray
    problem: str


def _videos(root: Path) -> dict[str, Path]:
    """Videos and folders of pictures, by their path within the root, without ending."""
    found: dict[str, Path] = {}
    for inside in sorted(glob.glob("**/*", root_dir=root, recursive=True)):  # nothing hidden; follows links
        path, name = root / inside, Path(inside).as_posix()
        if not (pictures_of(path) if path.is_dir() else _VIDEO.search(name)):
            continue
        name = name if path.is_dir() else _VIDEO.sub("", name)
        if name in found:
            raise DataError(f"{found[name]} and {path} would have the same name. Rename or remove one.")
        found[name] = path
    return found


def _tagged_videos(
    tables: dict[str, _Table],
    root: Path,
    videos: dict[str, Path],
    read: Callable[[Path], _Frames],
    multi_label: bool,
) -> tuple[Splits, list[str]]:
    """The videos that tables name, with the tags that they give them."""
    splits: Splits = {}
    missing, notes, bare, count = [], [], 0, 0
    for split, table in tables.items():
        columns = _columns(table)
        rows, lost = _rows_by_video(table, columns.video, videos, root)
        missing += lost
        before = [sequence.name for sequences in splits.values() for sequence in sequences]
        if both := [name for name in rows if name in before]:
            raise DataError(f"{table.path}: {_some(both)} is also in another split. Leave it in one of them.")
        splits[split] = []
        for number, name in enumerate(sorted(rows, key=natural), 1):
            print(f"reading {name}, {number} of {len(rows)} for {split}", flush=True)
            frames = read(videos[name])
            tags = _tags_of_frames(table, columns, rows[name], name, frames)
            if frames.problem:
                notes.append(frames.problem)
            count += len(tags)
            bare += sum(not some for some in tags)
            if not multi_label:
                tags = [some or (NONE,) for some in tags]
            splits[split].append(_Sequence(name, frames.pixels, tags, frames.times))
    if missing:
        notes.append(f"Left out, for they are not there: {_some(missing)}.")
    seen = {sequence.name for sequences in splits.values() for sequence in sequences}
    if spare := [name for name in videos if name not in seen]:
        notes.append(f"Left out, for no row names them: {_some(spare)}.")
    if bare and not multi_label:
        notes.append(f"{bare:,} of {count:,} frames are in no row, and bear the label {NONE}.")
    return splits, notes


Rows = list[tuple[int, list[str]]]


def _rows_by_video(
    table: _Table, column: int, videos: dict[str, Path], root: Path
) -> tuple[dict[str, Rows], list[str]]:
    """The rows of each video that is there, and what those are called that are not."""
    folder = table.path.parent.relative_to(root)
    beside = [name for name in videos if Path(name).is_relative_to(folder)]

    def found(cell: str) -> str | None:
        given = _VIDEO.sub("", cell)
        name = (folder / given).as_posix()
        same = [own for own in beside if Path(own).name == Path(given).name]
        if name not in videos and len(same) == 1:  # it was elsewhere when the table was written
            return same[0]
        return name if name in videos else None

    names = {cell: found(cell) for cell in dict.fromkeys(cells[column] for _, cells in table.rows)}
    missing = [cell for cell, name in names.items() if name is None]
    rows: dict[str, Rows] = {}
    for line, cells in table.rows:
        if name := names[cells[column]]:
            rows.setdefault(name, []).append((line, cells))
    if not rows:
        raise DataError(
            f"{table.path}: none of the videos is there: {_some(missing)}. Expected them in "
            f"{table.path.parent}, which holds {_some(beside) or 'no videos'}."
        )
    return rows, missing


class _Columns(NamedTuple):
    """Places of the columns of a table of tags."""

    video: int
    tag: int
    span: list[int]  # one, or two for start and end
    in_frames: bool  # else in seconds


def _columns(table: _Table) -> _Columns:
    spans = {
        name: [place for each in parts if (place := table.column(each)) is not None]
        for name, parts in _SPANS.items()
    }
    whole = [name for name, places in spans.items() if len(places) == len(_SPANS[name])]
    video, tag = table.column(_SEQUENCE), table.column(_TAG)
    if video is None or tag is None or len(whole) != 1:
        raise DataError(
            f"{table.path}: found {_named(table)}. {_OF_VIDEOS}. Correct the header, which is the first line."
        )
    return _Columns(video, tag, spans[whole[0]], "frame" in whole[0])


def _named(table: _Table) -> str:
    return f"the columns {', '.join(table.header)}" if table.header else "no header"


def _tags_of_frames(
    table: _Table, columns: _Columns, rows: Rows, name: str, frames: _Frames
) -> list[tuple[str, ...]]:
    count, times = len(frames.times), frames.times
    gaps = np.diff(times)
    usual = np.median(gaps) if count > 1 else math.inf
    gaps = np.append(gaps, usual)
    if len(columns.span) == 2:  # a frame that is shown for long belongs to what it begins with
        gaps = np.minimum(gaps, usual)
    edges = times + gaps / 2  # from where on a time means the next frame; table's times may be rounded

    def position(cell: str) -> int:
        if columns.in_frames:
            return int(cell)
        seconds = float(cell)
        return int(np.searchsorted(edges, seconds, "right")) if seconds >= 0 else -1

    tags: list[tuple[str, ...]] = [()] * count
    for line, cells in rows:
        given = [cells[place] for place in columns.span]
        try:
            begin, *end = map(position, given)
        except ValueError:
            begin, end = -1, []
        end = end[0] if end else begin + 1
        if not 0 <= begin < end <= count:
            raise DataError(
                f"{table.path}, line {line}: {' to '.join(given)} is no part of {name}, which has {count:,} "
                f"frames, counted from 0, and whose last is at {times[-1]:.3f} s. Correct the line. "
                f"{frames.problem}".strip()
            )
        for step in range(begin, end):
            tags[step] += _tags(cells[columns.tag])
    return tags


def _frames(path: Path, size: Size, rate: float, cache: Path | None) -> _Frames:
    """Reads a video, or what the cache has of it."""
    if cache is None:
        video = open_video(path, rate)
        times, pixels = zip(*pieces(video.frames(size), _PIECE), strict=True)
        return _Frames(np.concatenate(pixels), np.concatenate(times), video.problem)
    file = cache / f"{_key(path, size, rate)}.npy"
    about = file.with_suffix(".json")
    if file.exists() and about.exists():
        known = json.loads(about.read_text(encoding="utf-8"))
        if known["sha256"] == _digest(file):
            return _Frames(np.load(file, mmap_mode="r"), np.array(known["times"]), known["problem"])
        print(f"{file} is damaged, and made anew")
    cache.mkdir(parents=True, exist_ok=True)
    video, times = open_video(path, rate), []
    unfinished = file.with_suffix(".unfinished")
    with unfinished.open("wb") as opened:
        _write_header(opened, (0, *size, 3))
        for own, pixels in pieces(video.frames(size), _PIECE):
            opened.write(pixels.tobytes())
            times += own.tolist()
        opened.seek(0)
        _write_header(opened, (len(times), *size, 3))
    known = {"sha256": _digest(unfinished), "times": times, "problem": video.problem}
    about.write_text(json.dumps(known), encoding="utf-8")
    unfinished.replace(file)
    return _Frames(np.load(file, mmap_mode="r"), np.array(times), video.problem)


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Begins a .npy file. NumPy leaves room for the first axis to grow: the length is always the same."""
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)


def _key(path: Path, size: Size, rate: float) -> str:
    files = pictures_of(path) if path.is_dir() else [path]
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr((str(path.resolve()), states, tuple(size), rate)).encode()).hexdigest()[:24]


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# Features.


class _Layout(NamedTuple):
    """Places of the columns of a table of features."""

    sequence: int | None  # else the table is one
    frame: int | None
    time: int | None
    tag: int
    features: list[int]


def _features(tables: dict[str, list[_Table]]) -> tuple[Splits, list[str]]:
    everything = [table for some in tables.values() for table in some]
    first, names = everything[0], _short([table.path for table in everything])
    for table in everything:
        if (table.header, len(table.rows[0][1])) != (first.header, len(first.rows[0][1])):
            alike = first.path.parent / re.sub(r"^[^_.\- ]*", "*", first.path.name)
            raise DataError(
                f"{first.path} and {table.path.name} have different columns: expected the same in all. "
                f'Choose some by a pattern, such as --dataset "{alike}".'
            )
    layout = _layout(first)
    splits = {
        split: _sequences({names[table.path]: table for table in some}, layout)
        for split, some in tables.items()
    }
    used = {place for place in layout[:4] if place is not None} | set(layout.features)
    spare = [name for place, name in enumerate(first.header) if place not in used]
    return splits, [f"Left out, for they are no numbers: the columns {_some(spare)}."] if spare else []


def _short(files: list[Path]) -> dict[Path, str]:
    """Names without endings, and without what they all end with, as in a_raw and b_raw."""
    stems = [re.sub(_TABLE, "", file.name) for file in files]
    endings = [stems[0][found.start() :] for found in re.finditer(r"[_.\- ]", stems[0])]
    same = [own for own in endings if len(files) > 1 and all(stem.endswith(own) for stem in stems)]
    return {file: stem.removesuffix(same[0] if same else "") for file, stem in zip(files, stems, strict=True)}


def _layout(table: _Table) -> _Layout:
    line, cells = table.rows[0]
    numbers = [place for place, cell in enumerate(cells) if _is_number(cell)]
    if table.header:
        tag = table.column(_TAG)
        tag = len(cells) - 1 if tag is None else tag
        own = [table.column(names) for names in (_SEQUENCE, _FRAME, _TIME)]
        layout = _Layout(*own, tag, [place for place in numbers if place not in (*own, tag)])
    else:
        layout = _Layout(0, 1, None, 2, list(range(3, len(cells))))
        if not layout.features or not {1, *layout.features} <= set(numbers):
            raise DataError(f"{table.path}, line {line}: found no header. {_OF_FEATURES}. Correct the file.")
    if not layout.features:
        raise DataError(f"{table.path}: found {_named(table)}, and no numbers. {_OF_FEATURES}, and features.")
    return layout


def _sequences(tables: dict[str, _Table], layout: _Layout) -> list[_Sequence]:
    """The sequences of tables, in order of their frames."""
    found: dict[str, list[tuple[float, float, tuple[str, ...], list[float]]]] = {}
    for name, table in tables.items():
        for row in table.rows:
            cells = row[1]
            steps = found.setdefault(name if layout.sequence is None else cells[layout.sequence], [])
            frame = len(steps) if layout.frame is None else _number(table, row, layout.frame)
            time = frame if layout.time is None else _number(table, row, layout.time)
            features = [_number(table, row, place) for place in layout.features]
            steps.append((frame, time, _tags(cells[layout.tag]), features))
    sequences = []
    for name, steps in found.items():
        steps.sort(key=lambda step: step[0])
        frames, times, tags, features = zip(*steps, strict=True)
        if twice := [frame for frame, count in Counter(frames).items() if count > 1]:
            raise DataError(f"{name} has frame {twice[0]:g} twice. Remove one of them.")
        values = np.array(features, np.float32)
        sequences.append(_Sequence(name, values, list(tags), np.array(times, np.float64)))
    return sequences


def _number(table: _Table, row: tuple[int, list[str]], place: int) -> float:
    line, cells = row
    if not _is_number(cells[place]):
        column = f"column {table.header[place]}" if table.header else f"cell {place + 1}"
        raise DataError(
            f"{table.path}, line {line}: expected a number in {column}, found {cells[place]!r}. Correct it."
        )
    return float(cells[place])


# TFDS.


def _from_tfds(builder: tfds.core.DatasetBuilder, size: Size) -> tuple[Splits, tuple[str, ...] | None]:
    features, info = builder.info.features, builder.info
    kinds = {name: _kind(feature) for name, feature in features.items()}
    values = [name for name, kind in kinds.items() if kind in ("frames", "vectors")]
    tags = [name for name, kind in kinds.items() if kind == "labels"]
    tags = tags or [name for name, kind in kinds.items() if kind == "numbers"]
    if len(values) != 1 or len(tags) != 1:
        found = ", ".join(f"{name} ({type(feature).__name__})" for name, feature in features.items())
        raise DataError(
            f"{info.full_name}: expected one sequence of frames or vectors and one of labels, and the "
            f"features are {found}. Choose another data set."
        )
    catalogue.prepare(builder)
    (value,), (tag,) = values, tags
    labels = tuple(features[tag].feature.names) if kinds[tag] == "labels" else None
    resize, config = FrameReader(size), tfds.ReadConfig(try_autocache=False)

    def sequence(name: str, example: dict[str, np.ndarray]) -> _Sequence:
        own, places = example[value], example[tag]
        if len(own) != len(places):
            raise DataError(
                f"{info.full_name}, {name}: expected a tag for each step, found {len(own)} steps and "
                f"{len(places)} tags. Choose another data set."
            )
        if labels and len(places) and not 0 <= places.min() <= places.max() < len(labels):
            raise DataError(f"{info.full_name}, {name}: a step has no label. Choose another data set.")
        if kinds[value] == "frames":
            own = own if own.shape[1:3] == tuple(size) else resize(own[None])[0].numpy()
        else:
            own = own.astype(np.float32)
        said = [(labels[place] if labels else str(place),) for place in places.tolist()]
        return _Sequence(name, own, said, np.arange(len(own), dtype=np.float64))

    splits = {}
    for split, names in SPLITS.items():
        for own in info.splits:
            if re.fullmatch(names, own):
                read = builder.as_dataset(split=own, shuffle_files=False, read_config=config)
                splits[split] = [
                    sequence(f"{own}/{number}", example)
                    for number, example in enumerate(read.as_numpy_iterator())
                ]
    if "train" not in splits:
        raise DataError(f"{info.full_name} has no train split. Choose another data set.")
    return splits, labels


def _kind(feature: tfds.features.FeatureConnector) -> str:
    """What a feature is a sequence of: frames, vectors, labels with names, or numbers; or nothing of use."""
    if isinstance(feature, tfds.features.FeaturesDict | tfds.features.Text):
        return ""
    inner = getattr(feature, "feature", None)
    if isinstance(inner, tfds.features.ClassLabel):
        return "labels"
    about = feature.get_tensor_info()
    if isinstance(about, dict):
        return ""
    rank, kind = len(about.shape), np.dtype(about.np_dtype)
    if rank == 4 and about.shape[-1] == 3 and kind == np.uint8:
        return "frames"
    if rank == 2 and np.issubdtype(kind, np.floating):
        return "vectors"
    return "numbers" if rank == 1 and np.issubdtype(kind, np.integer) else ""
