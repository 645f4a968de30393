"""Captions of images or videos: token files as Flickr8k has them, annotations of COCO, and tables."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from zoo.datasets.messages import abbreviate
from zoo.datasets.readers.file_index import FileIndex
from zoo.datasets.readers.tables import find_names, log_tables, read_table
from zoo.datasets.splits import find_split_names
from zoo.errors import DataError
from zoo.preprocessing.video import IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN
from zoo.user_files import COMPRESSION, TABLE, parse_json, split_lines

Captions = dict[str, list[str]]
"""The captions of each image or video, by the name that the file of captions states."""

EXPECTED = (
    "Expected a token file as Flickr8k has it (name#0, tab, caption), captions_*.json of COCO, or a .tsv or "
    ".csv with an image or video and a caption in each row"
)

TEXT_TABLE = rf"captions[^/]*\.txt{COMPRESSION}$"
"""Another name of a table, under which Flickr8k and Flickr30k are distributed today."""

_COLUMNS = {
    "input": ("image", "video", "clip", "file", "filename", "file_name", "image_name", "path", "name"),
    "caption": ("caption", "text", "sentence", "description", "comment"),
}
"""Names of the two columns in headers, in any case."""

_DIRECTORY = r"(.*/)?[^/]*"


class CaptionFiles(NamedTuple):
    """What files of captions contain.

    Attributes:
        splits: the captions of the splits that are there.
        notes: what was left out.
        unlisted: images with captions that are in no split, which a note names.
        locations: file and line, or entry, that name an image or video first, by its name.
    """

    splits: dict[str, Captions]
    notes: list[str]
    unlisted: list[str]
    locations: dict[str, str]


class CaptionTable(NamedTuple):
    """What a table contains: its captions, notes on columns that were left out, and where each input is named first."""

    captions: Captions
    notes: list[str]
    locations: dict[str, str]


def read_captions(files: FileIndex, location: str, encoding: str | None = None) -> CaptionFiles:
    """Read the captions of each split, in the first of these forms that is there.

    - `*token*.txt` with name, `#`, number, tab and caption in each line, and `*trainImages*.txt`,
      `*devImages*.txt` and `*testImages*.txt` with a name in each line. `*lemma*` is left out.
    - `captions_train*.json` and `captions_val*.json`.
    - Tables named after the splits, or a single table of any name; or `captions.txt`, which is a table, too.

    Args:
        files: all files.
        location: where they are, for messages.
        encoding: encoding of the files of captions; see `read_text`.

    Raises:
        DataError: a file is corrupt, in another encoding, or has another form; or two have the same role.
    """
    token_files = files.search(rf"token[^/]*\.txt{COMPRESSION}$")
    annotations = files.search(rf"captions_[^/]*\.json{COMPRESSION}$")
    tables = files.search(TABLE) or files.search(TEXT_TABLE)
    notes: list[str] = []
    unlisted: list[str] = []
    locations: dict[str, str] = {}
    if token_files:
        token_file = _choose_token_file(token_files, location)
        lists = files.search(rf"Images[^/]*\.txt{COMPRESSION}$")
        names = find_split_names(lists, location, _DIRECTORY, rf"Images[^/]*\.txt{COMPRESSION}")
        splits, unlisted, locations = _read_flickr(files, token_file, names, encoding)
        if unlisted:
            notes.append(f"Left out because no list of images names them: {abbreviate(unlisted)}.")
        used = [token_file, *names.values()]
    elif annotations:
        names = find_split_names(annotations, location, rf"{_DIRECTORY}captions_", r"[^/]*")
        splits = {}
        for split, name in names.items():
            splits[split], uncaptioned, places = _read_coco(name, files.read_text(name, encoding))
            locations = places | locations
            if uncaptioned:
                notes.append(f"Left out because {name} has no caption of them: {abbreviate(uncaptioned)}.")
        used = list(names.values())
    else:
        names = {"train": tables[0]} if len(tables) == 1 else {}
        names = names or find_split_names(tables, location, "(.*/)?", TABLE)
        splits = {}
        for split, name in names.items():
            table = read_caption_table(name, files.read(name), encoding)
            splits[split] = table.captions
            notes += table.notes
            locations = table.locations | locations
        used = list(names.values())
    if others := sorted({*token_files, *annotations, *tables}.difference(used)):
        notes.append(f"Left out because captions are read from {abbreviate(used)}: {abbreviate(others)}.")
    return CaptionFiles(splits, notes, unlisted, locations)


def _choose_token_file(token_files: list[str], location: str) -> str:
    """Return the file of the captions as they were written: beside it there may be one of their lemmas."""
    written = [name for name in token_files if "lemma" not in Path(name).name]
    choices = written or token_files
    if len(choices) > 1:
        raise DataError(
            f"{location}: found {abbreviate(choices)}. Expected one file of captions. Remove or rename the others."
        )
    return choices[0]


def read_caption_table(name: str, content: bytes, encoding: str | None = None) -> CaptionTable:
    """Read a table with an image or video and a caption in each row, with or without a header.

    A table with more than two columns needs a header that names the two, such as `image` and `caption`.

    Args:
        name: path of the file.
        content: its content.
        encoding: encoding of the file; see `read_text`.

    Raises:
        DataError: the file is corrupt or in another encoding, the two columns are not clear, or a cell of
            theirs is empty.
    """
    table = read_table(name, _is_header, _is_expected, content=content, encoding=encoding)
    if not table.rows:
        return CaptionTable({}, [], {})
    places = [table.find_column(*names) for names in _COLUMNS.values()]
    if None in places:
        width = len(table.rows[0].cells)
        if width != 2 or table.header:
            found = f"the columns {', '.join(table.header)[:200]}" if table.header else f"{width} cells"
            raise DataError(
                f"{name}, line {table.rows[0].line}: found {found}, {table.format}: "
                f"{table.rows[0].cells[0][:80]!r}. Expected an image or video and a caption. Put a caption in "
                'quotes ("), or add a header with the columns image and caption.'
            )
        places = [0, 1]
    log_tables([table])
    captions: Captions = {}
    locations: dict[str, str] = {}
    for line, cells in table.rows:
        image, caption = (cells[place or 0].strip() for place in places)
        if not image or not caption:
            raise DataError(
                f"{name}, line {line:,}: found no {'caption' if image else 'image'}. Expected an image or video "
                "and a caption. Complete the row, or remove it."
            )
        captions.setdefault(image, []).append(caption)
        locations.setdefault(image, f"{name}, line {line:,}")
    return CaptionTable(captions, table.note_other_columns(*places), locations)


def _is_expected(cells: list[str]) -> bool:
    if _is_header(cells):
        return all(find_names(cells, *names) for names in _COLUMNS.values())
    return len(cells) > 1


def _is_header(cells: list[str]) -> bool:
    file_names = f"({IMAGE_FILE_PATTERN}|{VIDEO_FILE_PATTERN})"
    return not any(re.search(file_names, cell.strip().lower()) for cell in cells)


def _read_flickr(
    files: FileIndex, token_file: str, lists: dict[str, str], encoding: str | None
) -> tuple[dict[str, Captions], list[str], dict[str, str]]:
    """Return the captions of each split, the images that are in no list, and where each image is named first."""
    captions: Captions = {}
    locations: dict[str, str] = {}
    for number, line in enumerate(split_lines(token_file, files.read_text(token_file, encoding)), 1):
        if line.strip():
            match = re.fullmatch(r"(.+)#\d+\t(.*\S.*)", line)
            if not match:
                raise DataError(
                    f"{token_file}, line {number:,}: found {line[:80]!r}. Expected name#0, tab, caption. "
                    "Correct the line."
                )
            captions.setdefault(match[1], []).append(match[2].strip())
            locations.setdefault(match[1], f"{token_file}, line {number:,}")
    splits: dict[str, Captions] = {}
    for split, name in lists.items():
        lines = split_lines(name, files.read_text(name, encoding))
        images = [line.strip() for line in lines if line.strip()]
        if missing := [image for image in images if image not in captions]:
            raise DataError(
                f"{name}: found {abbreviate(missing)}, which {token_file} has no caption of. Correct one of "
                "the two files."
            )
        splits[split] = {image: captions[image] for image in images}
    listed = {image for part in splits.values() for image in part}
    unlisted = [image for image in captions if splits and image not in listed]
    return splits or {"train": captions}, unlisted, locations


# COCO.

_COCO_FORM = (
    "Expected the captions of COCO: `images` with `id` and `file_name`, and `annotations` with `image_id` and "
    "`caption`"
)


def _read_coco(name: str, text: str) -> tuple[Captions, list[str], dict[str, str]]:
    """Return the captions of each image, the images without captions, and where each image is named."""
    content = parse_json(name, text)
    file_names: dict[Any, str] = {}
    locations: dict[str, str] = {}
    for place, image in enumerate(_get_field(name, content, "images", list)):
        where = f"{name}, images[{place}]"
        image_id = _get_field(where, image, "id", int, str)
        if image_id in file_names:
            raise DataError(
                f"{where}: found the id {image_id!r} a second time. Expected it once. Correct the file."
            )
        file_names[image_id] = _get_text(where, image, "file_name")
        locations.setdefault(file_names[image_id], where)
    captions: Captions = {file_name: [] for file_name in file_names.values()}
    for place, annotation in enumerate(_get_field(name, content, "annotations", list)):
        where = f"{name}, annotations[{place}]"
        image_id = _get_field(where, annotation, "image_id", int, str)
        if image_id not in file_names:
            raise DataError(
                f"{where}: found image_id {image_id!r}, which none of the images has. {_COCO_FORM}. Correct the file."
            )
        captions[file_names[image_id]].append(_get_text(where, annotation, "caption"))
    found = {file_name: texts for file_name, texts in captions.items() if texts}
    return found, [file_name for file_name, texts in captions.items() if not texts], locations


def _get_field(where: str, item: Any, key: str, *types: type) -> Any:
    """Return a value of an object that has one of the types.

    Raises:
        DataError: the item is no object, has no such value, or has one of another type.
    """
    value = item.get(key) if isinstance(item, dict) else None
    if type(value) in types:
        return value
    if not isinstance(item, dict):
        found = f"{_abbreviate_value(item)} instead of an object"
    elif key in item:
        found = f"{key!r}: {_abbreviate_value(value)}"
    else:
        found = f"no {key!r}"
    raise DataError(f"{where}: found {found}. {_COCO_FORM}. Correct or replace the file.")


def _get_text(where: str, item: Any, key: str) -> str:
    """Return a text that is not blank."""
    text: str = _get_field(where, item, key, str).strip()
    if not text or any("\ud800" <= character <= "\udfff" for character in text):
        found = "half of a surrogate pair in" if text else "no text in"
        raise DataError(f"{where}: found {found} {key!r}. {_COCO_FORM}. Correct the file.")
    return text


def _abbreviate_value(value: Any) -> str:
    text = (
        value if isinstance(value, str) else json.dumps(value) if not isinstance(value, list | dict) else ""
    )
    return repr(text[:60]) if text else "a list" if isinstance(value, list) else "an object"
