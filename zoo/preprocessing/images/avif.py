"""The size of AVIF images, from the video frames that the decoder allocates.

The container states a size, too, but the decoder scales frames of any other size to it. The AV1 bitstream
specification describes the sequence header of frames in section 5.5, ISO/IEC 14496-12 boxes and items.
"""

from collections.abc import Iterator

_SEQUENCE_HEADER = 1  # type of an open bitstream unit


class _Bits:
    """Unsigned numbers of any number of bits, one after the other. Reading after the end is a `ValueError`."""

    def __init__(self, content: bytes) -> None:
        self._content, self._position = content, 0

    def read(self, count: int) -> int:
        """Return the next number of `count` bits."""
        first, last = self._position // 8, (self._position + count + 7) // 8
        if last > len(self._content):
            raise ValueError("the data end within a number")
        number = int.from_bytes(self._content[first:last])
        self._position += count
        return (number >> (8 * last - self._position)) & ((1 << count) - 1)

    def skip_if(self, *counts: int) -> bool:
        """Read a flag, skip numbers of these many bits if it is set, and return it."""
        flag = bool(self.read(1))
        if flag:
            self._position += sum(counts)
        return flag


def find_frame_sizes(content: bytes) -> list[tuple[int, int]]:
    """Return width and height of all AV1 frames of the items of an AVIF file, at least as large as the decoder's.

    Args:
        content: the content of the file.

    Raises:
        ValueError: the boxes cannot be read.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (40, 26)).save(file, "AVIF")
    >>> find_frame_sizes(file.getvalue())
    [(40, 26)]
    """
    boxes = dict(_iterate_boxes(content))
    meta = dict(_iterate_boxes(boxes.get(b"meta", b"")))
    types = dict(_iterate_types(meta.get(b"iinf", b"")))
    sizes = []
    for item, extents in _iterate_items(meta.get(b"iloc", b"")):
        if types.get(item) == b"av01":
            if sum(length for *_, length in extents) > len(content):
                raise ValueError("extents of an item overlap")
            data = b"".join(
                (meta.get(b"idat", b"") if is_in_meta else content)[start : start + length]
                for is_in_meta, start, length in extents
            )
            sizes += [_read_size(unit) for kind, unit in _iterate_units(data) if kind == _SEQUENCE_HEADER]
    return sizes


def use_still_image(content: bytes) -> bytes:
    """Return an AVIF file whose decoder reads its items, also if it has a track of an animation."""
    return content[:8] + b"avif" + content[12:]


def _iterate_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and payload of boxes; that of `meta`, which holds boxes, without its version."""
    position = 0
    while position + 8 <= len(content):
        size, kind, header = (
            int.from_bytes(content[position : position + 4]),
            content[position + 4 : position + 8],
            8,
        )
        if size == 1:
            size, header = int.from_bytes(content[position + 8 : position + 16]), 16
        if size == 0:
            size = len(content) - position
        if size < header:
            raise ValueError(f"a box {kind!r} of {size} bytes")
        yield kind, content[position + header + 4 * (kind == b"meta") : position + size]
        position += size


def _iterate_types(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and type of the items in the box `iinf`."""
    for kind, infe in _iterate_boxes(iinf[6 if iinf[:1] == b"\0" else 8 :]):
        if kind == b"infe" and infe[:1] in (b"\2", b"\3"):
            end = 6 if infe[:1] == b"\2" else 8
            yield int.from_bytes(infe[4:end]), infe[end + 2 : end + 6]


def _iterate_items(iloc: bytes) -> Iterator[tuple[int, list[tuple[bool, int, int]]]]:
    """Yield number and extents of the items in the box `iloc`: whether they are in `idat`, start, and length."""
    bits, version = _Bits(iloc), iloc[:1]
    bits.read(32)
    offset_size, length_size, base_size, index_size = (8 * bits.read(4) for _ in range(4))
    long = 32 if version == b"\2" else 16
    has_method = version in (b"\1", b"\2")
    for _ in range(bits.read(long)):
        item = bits.read(long)
        method = bits.read(16) & 15 if has_method else 0
        bits.read(16)
        base, extents = bits.read(base_size), []
        for _ in range(bits.read(16)):
            if has_method:
                bits.read(index_size)
            start, length = bits.read(offset_size), bits.read(length_size)
            extents.append((method == 1, base + start, length))  # a length of 0, "all", is not in use
        yield item, extents


def _iterate_units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and payload of open bitstream units."""
    position = 0
    while position < len(data):
        header = data[position]
        position += 2 if header & 4 else 1
        size = len(data) - position
        if header & 2:  # a number of 7 bits a byte, the lowest first
            size = 0
            for shift in range(0, 56, 7):
                byte = int.from_bytes(data[position : position + 1])
                position += 1
                size |= (byte & 127) << shift
                if byte < 128:
                    break
        yield header >> 3 & 15, data[position : position + size]
        position += size


def _read_size(sequence_header: bytes) -> tuple[int, int]:
    """Return the largest width and height of the frames of a sequence."""
    bits = _Bits(sequence_header)
    bits.read(4)
    is_reduced = bool(bits.read(1))
    if is_reduced:
        bits.read(5)
    else:
        _skip_operating_points(bits)
    counts = [bits.read(4) + 1 for _ in range(2)]
    width, height = (bits.read(count) + 1 for count in counts)
    # Only in a reduced header frames cannot have a size of their own, which has as many bits.
    return (width, height) if is_reduced else (1 << counts[0], 1 << counts[1])


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.skip_if(64):  # timing
        if bits.read(1):
            zeros = 0
            while zeros < 32 and not bits.read(1):
                zeros += 1
            bits.read(zeros)
        if bits.read(1):  # model of the decoder
            delay_bits = bits.read(5) + 1
            bits.read(42)
    has_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if delay_bits:
            bits.skip_if(2 * delay_bits + 1)
        if has_delay:
            bits.skip_if(4)
