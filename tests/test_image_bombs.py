"""No image file takes more memory than one with as many pixels as are allowed, in the graph and in the client."""

import io
import json
import pickle
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import tensorflow as tf
from image_bombs import (
    CLIENT_FORMATS,
    GRAPH_FORMATS,
    encode,
    generate_files,
    make_bombs,
    make_gif,
    make_segment,
    repeat_scan,
)
from PIL import Image

from zoo.errors import ImageError
from zoo.preprocessing.images import ImageReader, convert_images, open_image
from zoo.preprocessing.images.avif import find_frame_sizes
from zoo.preprocessing.images.headers import read_headers

SIDE, MAX_PIXELS = 4_000, 1_000_000
"""Bombs are 16 times as large as what is allowed."""

MAX_MEGABYTES = 24
"""Less than the pixels of a bomb take."""

READABLE = {
    *("gif with a large second frame", "gif of many frames", "gif of many small frames"),
    *("png with text", "png with a profile", "tiff with a tall strip"),
}
"""Files whose small first frame is decoded, whose text is not, or whose strip is shorter than it states."""

# Prints of each file its statuses in the graph and in the client, and the memory that reading it takes.
READ = """
import ctypes, json, pickle, sys
from pathlib import Path
import tensorflow as tf
from zoo.errors import ImageError
from zoo.preprocessing.images import ImageReader, convert_images, open_image

def read_kilobytes(name):
    return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0])

def read(content):
    statuses = []
    converted, problems = convert_images([content], max_pixels)
    for images in ([content], converted):
        statuses.append(reader(tf.constant(images)).status[0].numpy().decode())
    try:
        open_image(content, max_pixels)
    except ImageError as error:
        problems.append(str(error))
    return statuses[0], problems[0] or statuses[1], problems[-1]

files, warm_up, max_pixels = pickle.load(sys.stdin.buffer)
reader, libc = ImageReader(24, max_pixels), ctypes.CDLL(None)
for content in warm_up:
    read(content)
results = {}
for name, content in files.items():
    libc.malloc_trim(0)  # returns what files before have freed
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = read_kilobytes("VmRSS")
    statuses = read(content)
    results[name] = [*statuses, (read_kilobytes("VmHWM") - before) / 1024]
print(json.dumps(results))
"""


def read_in_process(files: dict[str, bytes]) -> dict[str, tuple[str, str, str, float]]:
    """Read files in a process of its own.

    Returns:
        Of each file its status from the graph, from the graph after the client has converted it, and from the
        client's own decoder; and the megabytes that reading it took.
    """
    warm_up = [content for name, content in make_bombs(1_000).items() if "with" not in name]
    process = subprocess.run(
        [sys.executable, "-c", READ],
        input=pickle.dumps((files, warm_up, MAX_PIXELS)),
        capture_output=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.returncode == 0, process.stderr.decode()
    results: dict[str, tuple[str, str, str, float]] = json.loads(process.stdout)
    return results


def test_bombs_take_no_memory() -> None:
    results = read_in_process(make_bombs(SIDE))
    assert {name: megabytes for name, (*_, megabytes) in results.items() if megabytes > MAX_MEGABYTES} == {}
    assert {name for name, (_, status, *_) in results.items() if status == ""} == READABLE
    assert {name for name, (status, *_) in results.items() if status == ""} == READABLE - {
        "tiff with a tall strip"
    }


def test_the_client_refuses_what_earlier_exports_would_decode() -> None:
    """Their graphs check the logical screen of a GIF, and not its frame."""
    contents = {name: content for name, content in make_bombs(1_200).items() if name not in READABLE}
    _, problems = convert_images(list(contents.values()), MAX_PIXELS, is_oriented=False)
    accepted = {name for name, problem in zip(contents, problems, strict=True) if not problem}
    # One has no more pixels than are allowed, and the decoders refuse the second header of the others.
    assert accepted == {"heif", "png with a false header first", "jpeg with two frames"}


def test_gifs_of_many_short_blocks_are_refused() -> None:
    """A walk through all of them would take seconds; the answer does not depend on other images of the batch."""
    usual = make_gif((300, 300), [(0, 0, 300, 300)])
    comment = b"!\xfe" + b"\1x" * 3_000 + b"\0"
    hostile, short = (make_gif((9, 9), [(0, 0, 9, 9)], comment[: 2 + 2 * n] + b"\0") for n in (3_000, 900))
    empty = make_gif((9, 9), [(0, 0, 9, 9)], b"!\xfe\0" * 20_000)
    long = make_gif((9, 9), [(0, 0, 9, 9)], b"!\xfe" + (b"\xff" + bytes(255)) * 1_200 + b"\0")
    _, status = ImageReader(8, MAX_PIXELS)(tf.constant([usual, hostile, short, empty, long]))
    assert status.numpy().tolist() == [b"", b"the picture is broken", b"", b"the picture is broken", b""]


def test_jpegs_of_a_hundred_scans_are_read() -> None:
    """Markers elsewhere in a file are none of its scans: before its frame, in its segments and behind its end."""
    image = Image.new("RGB", (40, 26), (200, 30, 40))
    plain, markers = encode(image, "JPEG"), b"\xff\xda\0\4ab" * 200
    start = plain.index(b"\xff\xda")
    files = {
        "100 scans": repeat_scan(image, 100, progressive=True),
        "before": plain[:2] + make_segment(markers, 0xE1) + plain[2:],
        "in a segment": plain[:start] + make_segment(markers, 0xFE) + plain[start:],
        "behind": plain + markers,
        "100 scans, and markers behind": repeat_scan(image, 100, progressive=True) + markers,
        "101 scans": repeat_scan(image, 101, progressive=True) + markers,
        "101 scans, without an end": repeat_scan(image, 101, progressive=True)[:-2],
        "markers alone": plain[:start] + markers,
    }
    refused = {"101 scans", "101 scans, without an end", "markers alone"}
    problem = "the picture is a JPEG of more than 100 scans: save it again with fewer"
    for names in (list(files), ["behind"], ["101 scans"]):
        _, status = ImageReader(8, MAX_PIXELS)(tf.constant([files[name] for name in names]))
        assert status.numpy().tolist() == [problem.encode() if name in refused else b"" for name in names]
    for name, content in files.items():
        if name in refused:
            with pytest.raises(ImageError, match=problem):
                open_image(content)
        else:
            assert open_image(content).size == (40, 26)


def make_bits(digits: str, *numbers: tuple[int, int]) -> bytes:
    """Return digits and (number, bits) as bytes, with a one behind them and zeros to the end of the last byte."""
    bits = digits.replace(" ", "") + "".join(f"{number:0{count}b}" for number, count in numbers) + "1"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def make_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def make_avif_boxes(unit: bytes, extents: Sequence[tuple[int, int]], kind: bytes = b"av01") -> bytes:
    """Boxes of one item, whose data are extents (start, length) of the box `idat`."""
    described = b"".join(struct.pack(">II", *extent) for extent in extents)
    iloc = b"\1\0\0\0\x44\0" + struct.pack(">HHHHH", 1, 7, 1, 0, len(extents)) + described
    infe = make_box(b"infe", b"\2\0\0\0" + struct.pack(">HH", 7, 0) + kind + b"\0")
    iinf = b"\0\0\0\0\0\1" + infe
    boxes = make_box(b"iinf", iinf) + make_box(b"iloc", iloc) + make_box(b"idat", unit)
    return make_box(b"ftyp", b"avif\0\0\0\0") + make_box(b"meta", b"\0\0\0\0" + boxes)


REDUCED = make_bits("000 1 1 00000 1011 1010", (2_999, 12), (1_499, 11))
WHOLE = make_bits("000 0 0 0 0 00000 000000000000 00000 1011 1010", (2_999, 12), (1_499, 11))
TIMED = make_bits(
    "000 0 0 1" + "0" * 64 + "1 1 1 01001" + "0" * 42 + "1 00001"
    "000000000000 01000 0 1" + "0" * 21 + "1 0000 000000000000 00111 0 0 1011 1010",
    (2_999, 12),
    (1_499, 11),
)  # timing, model of the decoder, two operating points


@pytest.mark.parametrize(
    ("header", "size"),
    [(REDUCED, (3_000, 1_500)), (WHOLE, (4_096, 2_048)), (TIMED, (4_096, 2_048))],
)
def test_frame_sizes_are_read_from_sequence_headers(header: bytes, size: tuple[int, int]) -> None:
    delimiter, sized = b"\x12\0", b"\x0a" + bytes([len(header)]) + header
    for unit in (sized, delimiter + sized, b"\x0e\0" + sized[1:], delimiter + b"\x08" + header):
        assert find_frame_sizes(make_avif_boxes(unit, [(0, len(unit))])) == [size]
        assert find_frame_sizes(make_avif_boxes(unit, [(0, 3), (3, len(unit) - 3)])) == [size]
        assert find_frame_sizes(make_avif_boxes(unit, [(0, len(unit))], b"Exif")) == []
    assert find_frame_sizes(make_avif_boxes(sized + sized, [(0, 2 * len(sized))])) == [size] * 2


def test_avif_files_that_cannot_be_read_are_broken() -> None:
    unit = b"\x0a" + bytes([len(REDUCED)]) + REDUCED
    endless = make_avif_boxes(unit, [(0, 99)] * 1_000)
    for content in (endless, make_avif_boxes(unit[:4], [(0, 9)]), b"\0\0\0\x0cftypavif\0\0\0\3meta"):
        with pytest.raises(ValueError, match=r"overlap|within a number|a box"):
            find_frame_sizes(content)
        assert convert_images([content])[1] == ["the picture is broken"]


def count_decoded_pixels(image: bytes) -> tuple[int, int, int]:
    """Return number of frames, height and width of what TensorFlow allocates for a file; zeros if it refuses it."""
    try:
        if image.startswith(b"GIF"):
            return tuple(tf.image.decode_gif(image).shape[:3])
        if image.startswith(b"BM"):
            return (1, *tf.image.decode_bmp(image).shape[:2])
        return (1, *tf.io.decode_image(image, expand_animations=False).shape[:2])
    except tf.errors.OpError:
        return 0, 0, 0


@pytest.mark.parametrize("count", [400, pytest.param(6_000, marks=pytest.mark.slow)])
def test_the_graph_decodes_the_size_that_it_has_checked(count: int) -> None:
    """For well-formed and damaged files of all sizes."""
    limit, num_decoded, num_large, lost = 40_000, 0, 0, []
    check = tf.function(
        lambda images: read_headers(images, limit), [tf.TensorSpec([None], tf.string)], autograph=False
    )
    contents = [content for _, content in generate_files(11, count, GRAPH_FORMATS)]
    for start in range(0, count, 100):
        headers = check(tf.constant(contents[start : start + 100]))
        columns = (headers.images, headers.status, headers.height, headers.width)
        rows = zip(*(column.numpy().tolist() for column in columns), strict=True)
        for number, (image, status, height, width) in enumerate(rows, start):
            num_large += b"can be read" in status
            if status == b"":
                decoded = count_decoded_pixels(image)
                num_decoded += decoded[0]
                if decoded not in ((1, height, width), (0, 0, 0)) or height * width > limit:
                    lost.append((number, decoded, (height, width)))
    print(f"{count} files tried, {num_decoded} decoded, {num_large} too large, {len(lost)} lost")
    assert lost == []
    assert num_decoded > count / 10
    assert num_large > count / 20


@pytest.mark.parametrize("count", [60, pytest.param(1_000, marks=pytest.mark.slow)])
def test_the_client_decodes_no_more_than_allowed(count: int) -> None:
    limit, num_decoded, lost = 40_000, 0, []
    for number, (_, content) in enumerate(generate_files(12, count, CLIENT_FORMATS, longest=300)):
        (converted,), (problem,) = convert_images([content], limit)
        if not problem and converted.startswith(b"\x89PNG"):
            num_decoded += 1
            with Image.open(io.BytesIO(converted)) as image:
                if image.width * image.height > limit:
                    lost.append((number, image.size))
    print(f"{count} files tried, {num_decoded} decoded, {len(lost)} lost")
    assert lost == []
    assert num_decoded > count / 10


@pytest.mark.slow
def test_random_files_take_no_memory() -> None:
    formats = (*GRAPH_FORMATS, *CLIENT_FORMATS)
    files = {
        f"{number} {name}": content
        for number, (name, content) in enumerate(generate_files(13, 600, formats, 2_500))
    }
    results = read_in_process(files)
    lost = {name: megabytes for name, (*_, megabytes) in results.items() if megabytes > MAX_MEGABYTES}
    print(f"{len(files)} files tried, {len(lost)} lost")
    assert lost == {}
