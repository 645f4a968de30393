"""Hostile image files, made from a seed: small files that claim or hold many pixels, and files with random damage."""

import io
import random
import struct
import zlib
from collections.abc import Iterator, Sequence
from functools import cache

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

GRAPH_FORMATS = ("JPEG", "PNG", "GIF", "BMP")
CLIENT_FORMATS = ("WEBP", "AVIF", "TIFF", "HEIF")

Frame = tuple[int, int, int, int]
"""Left, top, width and height of a frame of a GIF."""


def encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    """Return an image as a file."""
    content = io.BytesIO()
    image.save(content, image_format, **options)
    return content.getvalue()


def overwrite(content: bytes, offset: int, new: bytes) -> bytes:
    """Replace bytes of a file."""
    return content[:offset] + new + content[offset + len(new) :]


# GIF.


def compress_lzw(num_pixels: int) -> bytes:
    """Return the LZW codes of pixels of color 0: the n-th code after a clear code stands for n pixels."""
    clear, end = 256, 257
    bits, position, code, width = 0, 0, end + 1, 9

    def emit(value: int) -> None:
        nonlocal bits, position
        bits |= value << position
        position += width

    parts = []
    emit(clear)
    length = 1  # of the next code
    while num_pixels:
        used = min(length, num_pixels)
        emit(0 if used == 1 else 256 + used)
        num_pixels -= used
        if length > 1:
            code += 1
            if code == 1 << width and width < 12:
                width += 1
        length += 1
        if code == 4096:
            emit(clear)
            code, width, length = end + 1, 9, 1
        if position > 100_000:
            whole = position // 8
            parts.append((bits & ((1 << 8 * whole) - 1)).to_bytes(whole, "little"))
            bits, position = bits >> 8 * whole, position - 8 * whole
    emit(end)
    return b"".join([*parts, bits.to_bytes((position + 7) // 8, "little")])


@cache
def compress_frame(num_pixels: int) -> bytes:
    """Return the pixels of a frame of a GIF, in blocks."""
    codes = compress_lzw(num_pixels)
    blocks = (codes[start : start + 255] for start in range(0, len(codes), 255))
    return b"\x08" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def make_gif(screen: tuple[int, int], frames: Sequence[Frame], before: bytes = b"") -> bytes:
    """Return a GIF of frames of any size on a logical screen; `before` stands before the first one."""
    header = b"GIF89a" + struct.pack("<HH", *screen) + b"\x80\0\0" + b"\xc8\x1e\x28\0\0\0"
    described = (
        b"," + struct.pack("<HHHHB", *frame, 0) + compress_frame(frame[2] * frame[3]) for frame in frames
    )
    return header + before + b"".join(described) + b";"


# PNG.


def make_chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def make_header_chunk(width: int, height: int, depth: int = 8, color: int = 2) -> bytes:
    """Return the chunk IHDR."""
    return make_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))


@cache
def compress_rows(width: int, height: int, depth: int, color: int) -> bytes:
    """Return the chunk IDAT of black pixels."""
    row_length = 1 + width * {0: 1, 2: 3, 6: 4}[color] * depth // 8
    return make_chunk(b"IDAT", zlib.compress(bytes(row_length * height), 1))


def make_png(
    width: int, height: int, depth: int = 8, color: int = 2, before: bytes = b"", after: bytes = b""
) -> bytes:
    """Return a black PNG, with chunks before and after its header."""
    header = make_header_chunk(width, height, depth, color)
    pixels = compress_rows(width, height, depth, color)
    return b"\x89PNG\r\n\x1a\n" + before + header + after + pixels + make_chunk(b"IEND", b"")


# JPEG.


def make_segment(content: bytes, marker: int) -> bytes:
    """Return a segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def make_frame_header(width: int, height: int, marker: int = 0xC0) -> bytes:
    """Return the header of a frame of three components."""
    content = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
    return make_segment(content, marker)


def resize_jpeg(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG that states another size; a decoder allocates it, and misses pixels."""
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        if (offset := jpeg.find(marker)) >= 0:
            return overwrite(jpeg, offset + 5, struct.pack(">HH", height, width))
    raise ValueError("the JPEG has no header of a frame")


def repeat_scan(image: Image.Image, count: int, between: bytes = b"", **options: object) -> bytes:
    """Return a JPEG of `count` scans: the last one of an image is repeated, with bytes before each."""
    jpeg = encode(image, "JPEG", **options)
    start = jpeg.rfind(b"\xff\xda")
    scan = jpeg[start:-2]
    return jpeg[:start] + (between + scan) * (count - jpeg.count(b"\xff\xda") + 1) + jpeg[-2:]


# Formats of the client.


def make_tiff(width: int, height: int, tags: Sequence[tuple[int, int]] = (), strip: bytes = b"") -> bytes:
    """Return a gray TIFF of one strip, compressed by zlib, with further tags."""
    strip = strip or zlib.compress(bytes(width * height), 1)
    values = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 273: 8, 277: 1, 278: height, 279: len(strip)}
    entries = sorted((values | dict(tags)).items())
    packed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(strip))
        + strip
        + struct.pack("<H", len(entries))
        + packed
        + bytes(4)
    )


def restate_size(content: bytes, width: int, height: int) -> bytes:
    """Return an AVIF or HEIC whose container states another size than that of its frames."""
    offset = 0
    while (offset := content.find(b"ispe", offset)) >= 0:
        content = overwrite(content, offset + 8, struct.pack(">II", width, height))
        offset += 4
    return content


# Bombs.


def make_bombs(side: int) -> dict[str, bytes]:
    """Return small files by name, whose decoder would allocate a quarter of side x side pixels or more."""
    # As flat as a file can be: scaling would take memory for each column.
    width, flat = 70_000, Image.new("L", (70_000, 1))
    large, medium = (Image.new("RGB", (size, size), (200, 30, 40)) for size in (side, side // 2))
    small = Image.new("RGB", (40, 26), (200, 30, 40))
    jpeg, progressive = encode(small, "JPEG"), encode(small, "JPEG", progressive=True)
    false_frame = make_segment(make_frame_header(40, 26), 0xE0)
    resized = resize_jpeg(jpeg, side, side)
    many = [(0, 0, side // 5, side // 5)] * 50
    bmp = encode(small, "BMP")
    avif = encode(large, "AVIF", speed=10, quality=30)
    heif = encode(medium, "HEIF", quality=30)  # takes seconds for larger ones
    return {
        "gif": make_gif((side, side), [(0, 0, side, side)]),
        "gif on a small screen": make_gif((10, 10), [(0, 0, side, side)]),
        "gif on a small screen, shifted": make_gif((10, 10), [(9, 9, side, side)]),
        "gif with a comment": make_gif((10, 10), [(0, 0, side, side)], b"!\xfe" + b"\xff" * 256 + b"\0"),
        "gif with a large second frame": make_gif((10, 10), [(0, 0, 10, 10), (0, 0, side, side)]),
        "gif of many frames": make_gif((10, 10), many),
        "gif of many small frames": make_gif((10, 10), [(0, 0, 9, 9)] * 20_000),
        "png": make_png(side, side),
        "png of 16 bits": make_png(side, side, 16, 6),
        "png with a chunk before its header": make_png(side, side, before=make_chunk(b"abCd", b"x")),
        "png with a false header in a chunk": make_png(
            side, side, before=make_chunk(b"teXt", make_header_chunk(9, 7))
        ),
        "png with a false header first": make_png(side, side, before=make_header_chunk(9, 7)),
        "png with text": make_png(
            9, 7, after=make_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(3 * side * side), 9)) * 9
        ),
        "png with a profile": make_png(
            9, 7, after=make_chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(3 * side * side), 9))
        ),
        "jpeg": resized,
        "progressive jpeg": resize_jpeg(progressive, side, side),
        "jpeg with a marker without length": resized[:2] + b"\xff\xd0" + false_frame + resized[2:],
        "jpeg with bytes between segments": resized[:2] + b"\xff\xd0junk\xff\0" + false_frame + resized[2:],
        "jpeg with a false frame": resized[:2] + false_frame + resized[2:],
        "jpeg with a short segment": resized[:2] + b"\xff\xe0\0\0" + false_frame + resized[2:],
        "jpeg with two frames": resized[:2] + make_frame_header(40, 26) + resized[2:],
        "jpeg of many scans": repeat_scan(small, 101, progressive=True),
        "jpeg of many scans of all colors": repeat_scan(small, 101),
        "jpeg of scans behind a false end": repeat_scan(
            small, 101, make_segment(b"\xff\xd9", 0xFE), progressive=True
        ),
        "jpeg of many segments between scans": repeat_scan(small, 101, make_segment(b"", 0xFE) * 50),
        "jpeg with a second size": jpeg[:2] + make_frame_header(side, side) + jpeg[2:],
        "bmp": overwrite(bmp, 18, struct.pack("<ii", side, -side)),
        "flat bmp": overwrite(encode(small, "BMP"), 18, struct.pack("<ii", width, 1)) + bytes(3 * width),
        "flat bmp with a palette": encode(flat, "BMP"),
        "flat png": make_png(width, 1),
        "tall png": make_png(1, width),
        "flat tiff": make_tiff(width, 1),
        "bmp with pixels far behind": overwrite(bmp, 10, struct.pack("<I", 2**31 + 54)),
        "bmp of run lengths": overwrite(
            overwrite(encode(small.convert("P"), "BMP"), 18, struct.pack("<ii", side, side)), 30, b"\1"
        ),
        "webp": encode(large, "WEBP", lossless=True, method=0),
        "lossy webp": encode(large, "WEBP", method=0),
        "animated webp": encode(large, "WEBP", lossless=True, method=0, save_all=True, append_images=[large]),
        "tiff": make_tiff(side, side),
        "tiff with a tall strip": make_tiff(40, 26, [(278, side * side)], zlib.compress(bytes(side * side), 9)),
        "tiff in tiles": make_tiff(40, 26, [(322, side), (323, side), (324, 8), (325, 9)]),
        "avif": avif,
        "avif that states a small size": restate_size(avif, 40, 26),
        "heif": heif,
        "heif that states a small size": restate_size(heif, 40, 26),
    }  # fmt: skip


# Random files.


def make_base(choose: random.Random, image_format: str, longest: int) -> bytes:
    """Return a well-formed file of any size up to longest x longest pixels."""
    width, height = (choose.choice([1, 7, 40, longest // 3, longest]) for _ in range(2))
    if image_format == "GIF":
        frames = [
            (choose.choice([0, 5]), 0, *(choose.choice([1, 9, width, height]) for _ in range(2)))
            for _ in range(choose.choice([1, 1, 2, 5]))
        ]
        screen = choose.choice([(width, height), (1, 1), (0, 0), (longest, 1)])
        return make_gif(screen, frames, choose.choice([b"", b"!\xf9\4\0\0\0\0\0", b"!\xfe\3abc\0"]))
    if image_format == "PNG":
        return make_png(width, height, *choose.choice([(8, 2), (16, 6), (8, 0)]))
    image = Image.new(choose.choice(["RGB", "L"]), (width, height), 90)
    if image_format == "JPEG":
        return encode(image, "JPEG", progressive=choose.random() < 0.5)
    if image_format == "AVIF":
        return encode(image, "AVIF", speed=10, quality=30)
    if image_format == "TIFF":
        return make_tiff(width, height)
    return encode(image, image_format)


def damage(choose: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return a file with one flaw: another number, bytes that are inserted, removed, or from another file."""
    if b"ispe" in content and choose.random() < 0.2:
        return restate_size(content, 40, 26)
    kind = choose.randrange(8)
    start = choose.randrange(min(1 + len(content), choose.choice([40, 400, 1 + len(content)])))
    number = choose.choice([0, 1, 7, 255, 256, 3000, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1])
    if kind == 0:
        size = choose.choice([2, 4])
        order = choose.choice(["big", "little"])
        return overwrite(content, start, (number % 256**size).to_bytes(size, order))[: len(content)]
    if kind == 1:
        return overwrite(content, start, bytes([choose.randrange(256)]))
    if kind == 2:
        return content[:start]
    if kind == 3:
        return content[:start] + content[start + choose.randrange(1, 30) :]
    if kind == 4:
        other = choose.choice(others)
        return content[:start] + other[choose.randrange(len(other)) :]
    inserted = choose.choice([
        b"\xff\xd0", b"\xff\x01", b"junk", b"\xff\0", b"\xff\xe0\0\0", b"\xff\xdc\0\4\x7f\xff",
        make_segment(make_frame_header(9, 7), 0xE0), make_frame_header(9, 7), make_frame_header(3000, 3000, 0xC2),
        make_chunk(b"abCd", b"x"), make_header_chunk(9, 7), make_header_chunk(3000, 3000),
        b"!\xfe\3abc\0", b",\0\0\0\0\xb8\x0b\xb8\x0b\0" + compress_frame(9), choose.choice(others),
    ])  # fmt: skip
    if kind == 5:  # where segments, chunks and blocks begin
        start = choose.choice([2, 8, 13, 19, 20, 33])
    return content[:start] + inserted + content[start:]


def generate_files(
    seed: int, count: int, formats: Sequence[str], longest: int = 600
) -> Iterator[tuple[str, bytes]]:
    """Yield formats and files; a quarter of them are well-formed, the others have one to three flaws."""
    choose = random.Random(seed)
    bases = {name: [make_base(choose, name, longest) for _ in range(12)] for name in formats}
    for _ in range(count):
        name = choose.choice(formats)
        content = choose.choice(bases[name])
        for _ in range(choose.choice([0, 1, 1, 2, 3])):
            content = damage(choose, content, bases[name])
        yield name, content
