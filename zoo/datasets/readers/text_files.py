"""Text files in UTF-8, UTF-16 or a chosen encoding, which may be compressed or a member of a zip."""

import codecs
import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from zoo.datasets.messages import count_noun
from zoo.datasets.readers.content import read_content
from zoo.errors import DataError
from zoo.user_files import unpack_content

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_COMMON_ENCODINGS = {"cp1252": "Western European Windows", "cp932": "Japanese Windows"}


class DecodedText(NamedTuple):
    """The text of a file.

    Attributes:
        text: the text, without a byte order mark.
        encoding: Python's name of the encoding; "utf-8-sig" for UTF-8 with a byte order mark.
    """

    text: str
    encoding: str


def read_text(path: Path | str, content: bytes | None = None, encoding: str | None = None) -> DecodedText:
    """Read a text file as a whole, by the compression in its name.

    Args:
        path: the file.
        content: its content, if it is not on disk but a member of a zip.
        encoding: encoding of the file. Default: the one of its byte order mark, otherwise UTF-8.

    Raises:
        DataError: the file is corrupt, has another encoding, or contains NUL characters.
    """
    content = unpack_content(path, read_content(Path(path)) if content is None else content)
    name = _choose_encoding(path, content, encoding)
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(name, "replace").count("\n") + 1
        expected = "a text file in UTF-8, or in UTF-16 with a byte order mark" if encoding is None else name
        raise DataError(
            f"{path}, line {line:,}: found byte {content[error.start]:#04x}, which is not "
            f"{describe_encoding(name)}. Expected {expected}. {_suggest_encoding(content, error.start)}"
        ) from error
    text = text.removeprefix("\ufeff")
    _check_characters(path, content, text, name)
    return DecodedText(text, name)


def _choose_encoding(path: Path | str, content: bytes, encoding: str | None) -> str:
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if encoding is None:
        return marked or "utf-8"
    try:
        name = codecs.lookup(encoding).name
        "a".encode(name)  # fails for codecs that are not of texts
    except (LookupError, UnicodeError) as error:
        raise DataError(
            f"--encoding: found {encoding!r}. Expected the name of a text encoding, such as "
            f"{_list_common_encodings()}. Correct it."
        ) from error
    if marked and not name.startswith(marked.removesuffix("-sig")):
        raise DataError(
            f"{path} begins with the byte order mark of {describe_encoding(marked)}. Expected a file in "
            f"{name}, as --encoding states. Leave out --encoding."
        )
    return marked or name


def _check_characters(path: Path | str, content: bytes, text: str, encoding: str) -> None:
    """Raise an error if a file that could be decoded is in another encoding all the same."""
    if match := re.search("\0|\u0a00", text):  # the second is a newline with its bytes exchanged
        line = text.count("\n", 0, match.start()) + 1
        raise DataError(
            f"{path}, line {line:,}: found {match[0]!r}. Expected text in {describe_encoding(encoding)} "
            f"without such characters. {_suggest_encoding(content, content.find(0))}"
        )
    if encoding.startswith("utf"):
        return
    if not content.isascii():
        with contextlib.suppress(UnicodeDecodeError):
            content.decode("utf-8")
            raise DataError(
                f"{path} is in UTF-8. Expected a file in {encoding}, as --encoding states. Leave out "
                "--encoding, or convert the files that are in another encoding to UTF-8."
            )
    if match := re.search("[\x80-\x9f]", text):
        line = text.count("\n", 0, match.start()) + 1
        raise DataError(
            f"{path}, line {line:,}: found the control character {match[0]!r}, which texts in {encoding} do "
            f"not contain. Expected a file in {encoding}, as --encoding states. "
            f"{_suggest_encoding(content, len(text[: match.start()].encode(encoding)))}"
        )


def _suggest_encoding(content: bytes, position: int) -> str:
    """Return what to do about a file in another encoding, with a text around a byte that shows its encoding."""
    if content.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS)):
        return "The file is damaged, though it begins with a byte order mark. Replace it."
    pairs = content[:1000]
    zeros = [pairs[start::2].count(0) for start in (0, 1)]
    if max(zeros) > len(pairs) / 8:
        name = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        return f"The file seems to be in UTF-16 without a byte order mark: try --encoding {name}."
    if b"\0" in content:
        return "The file is damaged or not a text file. Replace it, or name its encoding with --encoding."
    for name in _COMMON_ENCODINGS:
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        middle = len(content[:position].decode(name, "ignore"))
        around = re.split(r"[\r\n]", text[max(0, middle - 30) : middle])[-1]
        around += re.split(r"[\r\n]", text[middle : middle + 30])[0]
        return f"Name the encoding with --encoding: in {name} this part of the file reads {around!r}."
    return f"Name the encoding of the file with --encoding, such as {_list_common_encodings()}."


def _list_common_encodings() -> str:
    return " or ".join(f"{name} ({description})" for name, description in _COMMON_ENCODINGS.items())


def describe_encoding(name: str) -> str:
    """Return the usual name of an encoding."""
    return name.removesuffix("-sig").upper() if name.startswith("utf") else name


def note_damaged_texts(texts: Iterable[str], source: str) -> list[str]:
    """Return notes if texts contain traces of a wrong conversion between encodings, otherwise no note.

    >>> note_damaged_texts(["schön", "schÃ¶n", "sch\N{REPLACEMENT CHARACTER}n"], "a.csv")[1]
    "a.csv: 1 of 3 texts seems to be UTF-8 that was read as cp1252, such as 'schÃ¶n'. Convert the file again."

    Args:
        texts: the texts.
        source: where they are from.
    """
    texts = list(texts)
    replaced = [text for text in texts if "\N{REPLACEMENT CHARACTER}" in text]
    garbled = [text for text in texts if _is_garbled(text)]
    reasons = (
        (replaced, "lost characters in a conversion"),
        (garbled, "seems to be UTF-8 that was read as cp1252"),
    )
    return [
        f"{source}: {len(found):,} of {count_noun(len(texts), 'text')} {reason}, such as {found[0][:60]!r}. "
        "Convert the file again."
        for found, reason in reasons
        if found
    ]


def _is_garbled(text: str) -> bool:
    """Return whether a text is UTF-8 that was decoded as cp1252: other texts are hardly ever valid UTF-8."""
    if text.isascii():
        return False
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False
