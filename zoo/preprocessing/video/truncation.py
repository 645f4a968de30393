"""Video files that end too early: the size that a file's own header states."""

from pathlib import Path
from typing import BinaryIO

_MATROSKA = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MP4_BOXES = (b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx")


def find_stated_size(path: Path) -> int | None:
    """Return how many bytes a video file has if it is complete, as the headers inside of it state.

    Args:
        path: a file: MP4 and its relatives, Matroska, WebM, AVI, ASF and WMV state a size.

    Returns:
        The number of bytes, which may be less than the size of the file if something was appended; None if the
        file does not state it, as streams and other formats do not.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(16)
        file.seek(0)
        if start.startswith(_MATROSKA):
            return _find_matroska_end(file)
        if start[:4] == b"RIFF":
            return _find_riff_end(file, size)
        if start == _ASF_HEADER:
            return _find_asf_size(file)
        if start[4:8] in _MP4_BOXES:
            return _find_mp4_end(file, size)
    return None


def _find_matroska_end(file: BinaryIO) -> int | None:
    """Return the end of the segment that follows the EBML header."""
    file.seek(4)
    header_size = _read_ebml_size(file)
    if header_size is None:
        return None
    file.seek(header_size, 1)
    if file.read(4) != _SEGMENT:
        return None
    segment_size = _read_ebml_size(file)
    return None if segment_size is None else file.tell() + segment_size


def _read_ebml_size(file: BinaryIO) -> int | None:
    """Read a size whose leading zero bits state its own length; all ones mean that it is unknown."""
    first = int.from_bytes(file.read(1))
    num_bytes = 9 - first.bit_length()
    value = int.from_bytes(bytes([first]) + file.read(num_bytes - 1)) & ((1 << 7 * num_bytes) - 1)
    return None if first == 0 or value == (1 << 7 * num_bytes) - 1 else value


def _find_riff_end(file: BinaryIO, size: int) -> int | None:
    """Return the end of the last RIFF chunk; files above 1 GB have several."""
    end = 0
    while end < size:
        file.seek(end)
        header = file.read(12)
        if header[:4] != b"RIFF" or header[8:11] != b"AVI" or header[4:8] == b"\xff\xff\xff\xff":
            break
        end += 8 + int.from_bytes(header[4:8], "little")
    return end or None


def _find_mp4_end(file: BinaryIO, size: int) -> int | None:
    """Return the end of the last box at the top level."""
    end = 0
    while end < size:
        file.seek(end)
        header = file.read(16)
        length = int.from_bytes(header[:4])
        if length == 1:
            length = int.from_bytes(header[8:])
        if header[4:8] not in _MP4_BOXES or length < 8:  # a length of 0 reaches to the end of the file
            break
        end += length
    return end or None


def _find_asf_size(file: BinaryIO) -> int | None:
    """Return the size in the file properties; broadcasts do not know it."""
    header = file.read(1 << 16)
    position = header.find(_ASF_PROPERTIES)
    return int.from_bytes(header[position + 40 : position + 48], "little") or None if position > 0 else None
