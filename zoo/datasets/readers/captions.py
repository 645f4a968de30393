"""Captions of images or videos: token files as Flickr8k has them, annotations of COCO, and tables."""

import json
import re
from collections.abc import Iterable

from zoo.datasets.messages import abbreviate
from zoo.datasets.readers.file_index import FileIndex
from zoo.datasets.readers.tables import TABLE, find_names, log_tables, read_table
from zoo.datasets.readers.text_files import COMPRESSION
from zoo.datasets.splits import find_split_names
from zoo.errors import DataError
from zoo.preprocessing.video import IMAGE_FILE_PATTERN, VIDEO_FILE_PATTERN

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


def read_captions(files: FileIndex, location: str, encoding: str | None = None) -> dict[str, Captions]:
    """Read the captions of each split, in the first of these forms that is there.

    - `*token*.txt` with name, `#`, number, tab and caption in each line, and `*trainImages*.txt`,
      `*devImages*.txt` and `*testImages*.txt` with a name in each line.
    - `captions_train*.json` and `captions_val*.json`.
    - Tables named after the splits, or a single table of any name; or `captions.txt`, which is a table, too.

    Args:
        files: All files.
        location: Where they are, for messages.
        encoding: Encoding of the files of captions; see `read_text`.

    Returns:
        The captions of the splits that are there.

    Raises:
        DataError: A file is corrupt, in another encoding, or has another form.
    """
    if token_files := files.search(rf"token[^/]*\.txt{COMPRESSION}$"):
        lists = files.search(rf"Images[^/]*\.txt{COMPRESSION}$")
        splits = find_split_names(lists, location, _DIRECTORY, rf"Images[^/]*\.txt{COMPRESSION}")
        return _read_flickr(files, token_files[0], splits, encoding)
    if annotations := files.search(rf"captions_[^/]*\.json{COMPRESSION}$"):
        splits = find_split_names(annotations, location, rf"{_DIRECTORY}captions_", r"[^/]*")
        return {split: _read_coco(name, files.read_text(name, encoding)) for split, name in splits.items()}
    tables = files.search(TABLE) or files.search(TEXT_TABLE)
    splits = find_split_names(tables, location, "(.*/)?", TABLE)
    if len(tables) == 1:
        splits = {"train": tables[0]}
    return {split: read_caption_table(name, files.read(name), encoding) for split, name in splits.items()}


def read_caption_table(name: str, content: bytes, encoding: str | None = None) -> Captions:
    """Read a table with an image or video and a caption in each row, with or without a header.

    A table with more than two columns needs a header that names the two, such as `image` and `caption`.

    Args:
        name: Path of the file.
        content: Its content.
        encoding: Encoding of the file; see `read_text`.

    Raises:
        DataError: The file is corrupt or in another encoding, the two columns are not clear, or a cell of
            theirs is empty.
    """
    table = read_table(name, _is_header, _is_expected, content=content, encoding=encoding)
    if not table.rows:
        return {}
    places = [table.find_column(*names) for names in _COLUMNS.values()]
    if None in places:
        width = len(table.rows[0].cells)
        if width != 2:
            found = f"the columns {', '.join(table.header)}" if table.header else f"{width} cells"
            raise DataError(
                f"{name}, line {table.rows[0].line}: found {found}, {table.format}: "
                f"{table.rows[0].cells[0][:80]!r}. Expected an image or video and a caption. Put a caption in "
                'quotes ("), or add a header with the columns image and caption.'
            )
        places = [0, 1]
    log_tables([table])
    captions: Captions = {}
    for line, cells in table.rows:
        image, caption = (cells[place or 0].strip() for place in places)
        if not image or not caption:
            raise DataError(
                f"{name}, line {line:,}: found no {'caption' if image else 'image'}. Expected an image or video "
                "and a caption. Complete the row, or remove it."
            )
        captions.setdefault(image, []).append(caption)
    return captions


def _is_expected(cells: list[str]) -> bool:
    if _is_header(cells):
        return all(find_names(cells, *names) for names in _COLUMNS.values())
    return len(cells) > 1


def _is_header(cells: list[str]) -> bool:
    file_names = f"({IMAGE_FILE_PATTERN}|{VIDEO_FILE_PATTERN})"
    return not any(re.search(file_names, cell.strip().lower()) for cell in cells)


def _read_flickr(
    files: FileIndex, token_file: str, lists: dict[str, str], encoding: str | None
) -> dict[str, Captions]:
    pairs = []
    for number, line in enumerate(files.read_text(token_file, encoding).split("\n"), 1):
        if line.strip():
            match = re.fullmatch(r"(.+)#\d+\t(.*?)\r?", line)
            if not match:
                raise DataError(
                    f"{token_file}, line {number}: found {line[:80]!r}. Expected name#0, tab, caption. "
                    "Correct the line."
                )
            pairs.append((match[1], match[2]))
    captions = _group(pairs)
    splits = {}
    for split, name in lists.items():
        images = files.read_text(name, encoding).split()
        if missing := [image for image in images if image not in captions]:
            raise DataError(
                f"{name}: found {abbreviate(missing)}, which {token_file} has no caption of. Correct one of "
                "the two files."
            )
        splits[split] = {image: captions[image] for image in images}
    return splits or {"train": captions}


def _read_coco(name: str, text: str) -> Captions:
    try:
        content = json.loads(text)
        names = {image["id"]: image["file_name"] for image in content["images"]}
        return _group((names[item["image_id"]], item["caption"]) for item in content["annotations"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(
            f"{name} has another form than the captions of COCO: {error!r}. Expected `images` with `id` and "
            "`file_name`, and `annotations` with `image_id` and `caption`. Replace the file."
        ) from error


def _group(pairs: Iterable[tuple[str, str]]) -> Captions:
    """Collect the captions of each name, without empty ones."""
    captions: Captions = {}
    for name, caption in pairs:
        if caption.strip():
            captions.setdefault(name, []).append(caption.strip())
    return captions
