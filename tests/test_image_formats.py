"""EXIF orientations equal Pillow's; the size that is checked is the one that is decoded; further formats."""

import importlib.util
import io
import random
import resource
import struct
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tensorflow as tf
from image_bombs import encode, overwrite
from PIL import Image, ImageOps

from zoo.errors import ImageError, UsageError
from zoo.preprocessing.images import (
    FeatureExtractor,
    ImageReader,
    convert_images,
    encode_image,
    make_thumbnail,
    open_image,
)
from zoo.preprocessing.images.headers import read_headers
from zoo.preprocessing.video import open_video
from zoo.training import extract_features

pillow_heif.register_heif_opener()  # for tests that write HEIC

RNG = np.random.default_rng(3)
SIZE = 24
ORIENTATION = 0x0112
CORRUPT = "the picture is broken"


def make_image(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """An image without symmetry, smooth enough for lossy formats."""
    cells = Image.fromarray(RNG.integers(0, 255, (3, 3, 3)).astype(np.uint8))
    return cells.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


IMAGE = make_image(40, 26)


def decode(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def make_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def make_directory(
    entries: Sequence[tuple[int, int, int, bytes]], order: str, start: int = 8, count: int | None = None
) -> bytes:
    """EXIF data: a TIFF header and a directory of entries: tag, type, number of values, value or offset."""
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    packed = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    number = struct.pack(order + "H", len(entries) if count is None else count)
    return header + bytes(max(0, start - 8)) + number + packed + bytes(4)


def make_segment(content: bytes, marker: int = 0xE1) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def insert(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def read_all(images: tf.Tensor) -> tuple[tf.Tensor, ...]:
    headers = read_headers(images, 2**40)
    return headers.status, headers.height, headers.width, headers.orientation


# Orientation.


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpegs_are_upright_as_pillow_shows_them(mode: str) -> None:
    xmp = make_segment(b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>")
    contents, orientations, upright = [], [], []
    for width, height in ((31, 17), (1, 9)):
        plain = encode(make_image(width, height, mode), "JPEG", quality=95)
        for order in "<>":
            for orientation in range(10):
                value = struct.pack(order + "HH", orientation, 0)
                entries = [(0x010F, 2, 4, b"abc\0"), (ORIENTATION, 3, 1, value)]
                exif = make_segment(b"Exif\0\0" + make_directory(entries, order))
                contents.append(insert(plain, *([xmp, b"\xff\xff", exif] if orientation % 2 else [exif])))
                orientations.append(orientation)
                upright.append(plain)
    pixels, status = ImageReader(SIZE)(tf.constant(contents))
    assert not any(status.numpy())
    stored = ImageReader(SIZE)(tf.constant(upright)).pixels.numpy()
    for content, orientation, image, lying in zip(
        contents, orientations, pixels.numpy(), stored, strict=True
    ):
        transposed = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
        expected = np.asarray(transposed.resize((SIZE, SIZE), Image.Resampling.BILINEAR)).astype(int)
        assert np.abs(image - expected).max() <= 15, orientation  # two JPEG decoders differ
        # Exactly, from pixels of one decoder.
        method = dict(zip(range(2, 9), (0, 3, 1, 5, 4, 6, 2), strict=True)).get(orientation)
        turned = Image.fromarray(lying)
        turned = turned if method is None else turned.transpose(Image.Transpose(method))
        np.testing.assert_array_equal(image, np.asarray(turned))


def test_thumbnail_is_upright() -> None:
    thumbnail = make_thumbnail(encode(IMAGE, "JPEG", quality=95, exif=make_exif(6)))
    expected = np.asarray(IMAGE.transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(np.asarray(thumbnail) - expected).max() <= 40
    assert thumbnail.size == (26, 40)


def get_pillows_orientation(content: bytes) -> int | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(content))
        except (OSError, SyntaxError):
            return None
        try:
            orientation = image.getexif().get(ORIENTATION, 1)
        except Exception:
            return 1
    return orientation if orientation in range(2, 9) else 1


def generate_exif(choose: random.Random) -> bytes:
    """EXIF data with an orientation, half of them with entries that are wrong in some way."""
    order, is_wild = choose.choice("<>"), choose.random() < 0.5
    entries = []
    for _ in range(choose.choice([0, 1, 2, 5])):
        if is_wild:
            tag = choose.choice([0x010F, ORIENTATION, choose.randrange(65536)])
            kind, number = choose.randrange(20), choose.choice([0, 1, 2, 5, choose.randrange(2**32)])
        else:
            tag, kind, number = choose.choice([0x010F, 0x0110, 0x8769]), choose.choice([2, 3, 4, 5]), 1
        entries.append(
            (tag, kind, number, struct.pack(order + "I", choose.choice([0, 8, 20, 2**32 - 1][: 3 + is_wild])))
        )
    value = struct.pack(order + "HH", choose.randrange(10), 0)
    kind = choose.choice([1, 2, 3, 4, 8, 9]) if is_wild else 3
    entries.insert(
        choose.randrange(len(entries) + 1), (ORIENTATION, kind, 1 + is_wild * choose.randrange(3), value)
    )
    start = choose.choice([0, 4, 10, choose.randrange(100)]) if choose.random() < 0.2 else 8
    count = choose.choice([0, len(entries) + 1, 65535]) if choose.random() < 0.1 else None
    content = bytearray(make_directory(entries, order, start, count))
    for _ in range(choose.choice([0, 0, 0, 1, 3])):
        content[choose.randrange(len(content))] = choose.randrange(256)
    return bytes(content[: choose.randrange(len(content))] if choose.random() < 0.1 else content)


def generate_jpegs(seed: int, count: int) -> Iterator[bytes]:
    choose = random.Random(seed)
    base = encode(Image.new("RGB", (9, 7)), "JPEG")
    for _ in range(count):
        segments = [make_segment(b"Exif\0\0" + generate_exif(choose))]
        others = [b"\xff\xd3", b"junk", b"\xff\0", b"\xff\xff", b"\xff\xe7\0\0", make_segment(b"Exif\0\0x")]
        segments += choose.sample(others, choose.choice([0, 0, 0, 1, 2]))
        choose.shuffle(segments)
        yield insert(base, *segments)


@pytest.mark.parametrize("count", [2_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_wrong_exif_data_mean_upright_or_what_pillow_makes_of_them(count: int) -> None:
    contents = list(generate_jpegs(5, count))
    num_turned = 0
    for start in range(0, count, 500):
        batch = contents[start : start + 500]
        orientations = read_all(tf.constant(batch))[3].numpy()
        for content, orientation in zip(batch, orientations, strict=True):
            expected = get_pillows_orientation(content)
            assert orientation == 1 or expected in (orientation, None), content
            num_turned += orientation == expected != 1
    assert num_turned > count / 6


def test_entries_outside_of_the_data_are_wrong_data() -> None:
    base = encode(Image.new("RGB", (9, 7)), "JPEG")
    contents = []
    for kind in range(20):
        for number in range(5):  # with 40 bytes, Pillow skips the entry
            entries = [(0x010F, kind, number, b"\xff\xff\xff\0"), (ORIENTATION, 3, 1, b"\6\0\0\0")]
            contents.append(insert(base, make_segment(b"Exif\0\0" + make_directory(entries, "<"))))
    orientations = read_all(tf.constant(contents))[3].numpy().tolist()
    assert orientations == list(map(get_pillows_orientation, contents))
    assert set(orientations) == {1, 6}


# The walk through a JPEG.

FALSE_FRAME = make_segment(b"\x08\xea\x60\xea\x60\x03\x01\x22\0\x02\x11\1\x03\x11\1", 0xC0)
SEGMENTS = (
    *(
        b"\xff\xd0",
        b"\xff\x01",
        b"junk",
        b"\xff\0",
        b"\xff" * 40,
        b"\xff\xd8",
        b"\xff\xd9",
        b"\xff\xf0\0\4ab",
    ),
    *(FALSE_FRAME, make_segment(FALSE_FRAME, 0xE0), b"\xff\xe0\0\0" + make_segment(FALSE_FRAME, 0xE0)),
    *(b"\xff\xd0" + make_segment(b"\xff\xd0" + FALSE_FRAME, 0xE0), b"\xff\xe0\0\1", b"\xff\xdc\0\4\0\7"),
)


def test_size_is_that_of_the_frame_that_is_decoded() -> None:
    choose = random.Random(7)
    bases = [
        encode(Image.new(mode, (9, 7)), "JPEG", progressive=progressive)
        for mode in ("RGB", "L")
        for progressive in (False, True)
    ]
    contents = [insert(bases[0], segment) for segment in SEGMENTS]
    contents += [
        insert(choose.choice(bases), *choose.choices([*SEGMENTS, bytes([255, choose.randrange(256)])], k=2))
        for _ in range(400)
    ]
    status, height, width, _ = (value.numpy() for value in read_all(tf.constant(contents)))
    num_decoded = 0
    for row, content in enumerate(contents):
        try:
            shape = tf.io.decode_image(content).shape
        except tf.errors.InvalidArgumentError:
            continue
        num_decoded += 1
        assert (height[row], width[row], status[row]) == (*shape[:2], b""), content
    assert num_decoded > 100


def test_walk_is_bounded() -> None:
    start = encode(IMAGE, "JPEG")[:2]
    status, *_ = read_all(
        tf.constant([start + b"\xff\xe0\0\2" * 100_000, start + b"\xff" + b"x" * 1_000_000])
    )
    assert status.numpy().tolist() == [CORRUPT.encode()] * 2


# Further formats.

TRANSPARENT = IMAGE.copy()
TRANSPARENT.putalpha(IMAGE.getchannel(0))
GRAY = IMAGE.getchannel(0)
GRAY_16_BIT = Image.fromarray(np.asarray(GRAY).astype(np.uint16) * 257)
LOSSLESS: dict[str, tuple[bytes, Image.Image]] = {
    "webp": (encode(IMAGE, "WEBP", lossless=True), IMAGE),
    "webp with alpha": (encode(TRANSPARENT, "WEBP", lossless=True, exact=True), IMAGE),
    "animated webp": (
        encode(IMAGE, "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", IMAGE.size)]),
        IMAGE,
    ),
    "tiff": (encode(IMAGE, "TIFF", compression="tiff_lzw"), IMAGE),
    "tiff of two pages": (encode(IMAGE, "TIFF", save_all=True, append_images=[GRAY]), IMAGE),
    "tiff with alpha": (encode(TRANSPARENT, "TIFF"), IMAGE),
    "cmyk tiff": (encode(IMAGE.convert("CMYK"), "TIFF"), IMAGE.convert("CMYK")),
    "tiff of 16 bits": (encode(GRAY_16_BIT, "TIFF"), GRAY),
    "tiff with a palette": (encode(IMAGE.convert("P"), "TIFF"), IMAGE.convert("P")),
    "bmp with a palette": (encode(IMAGE.convert("P"), "BMP"), IMAGE.convert("P")),
    "gray bmp": (encode(GRAY, "BMP"), GRAY),
    "bmp of one bit": (encode(IMAGE.convert("1"), "BMP"), IMAGE.convert("1")),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_conversion_loses_nothing(name: str) -> None:
    content, expected = LOSSLESS[name]
    (converted,), (problem,) = convert_images([content])
    assert problem == ""
    assert converted.startswith(b"\x89PNG")
    np.testing.assert_array_equal(decode(converted), np.asarray(expected.convert("RGB")))
    reader = ImageReader(SIZE)
    pixels, status = reader(tf.constant([converted]))
    assert status[0] == b""
    np.testing.assert_array_equal(
        reader(tf.constant([encode(expected.convert("RGB"), "PNG")])).pixels, pixels
    )


def test_images_in_memory_are_encoded_as_files_are_read() -> None:
    for name, (content, expected) in LOSSLESS.items():
        encoded = encode_image(Image.open(io.BytesIO(content)))
        np.testing.assert_array_equal(decode(encoded), np.asarray(expected.convert("RGB")), name)
    lying = Image.open(io.BytesIO(encode(IMAGE, "PNG", exif=make_exif(6))))
    np.testing.assert_array_equal(decode(encode_image(lying)), np.asarray(ImageOps.exif_transpose(lying)))
    np.testing.assert_array_equal(decode(encode_image(np.asarray(IMAGE))), np.asarray(IMAGE))
    with pytest.raises(UsageError, match="32 bits for a color: convert it to 8 bits"):
        encode_image(Image.new("F", (9, 9)))


@pytest.mark.parametrize("image_format", ["WEBP", "AVIF", "TIFF", "PNG", "HEIF"])
def test_conversion_applies_orientations(image_format: str) -> None:
    for orientation in range(1, 9):
        if image_format == "TIFF":
            content = encode(IMAGE, "TIFF", tiffinfo={ORIENTATION: orientation})
        elif image_format == "HEIF":  # stores the orientation of the image that it encodes
            lying = Image.open(io.BytesIO(encode(IMAGE, "PNG", exif=make_exif(orientation))))
            content = encode(lying, "HEIF", quality=95)
        else:
            content = encode(IMAGE, image_format, exif=make_exif(orientation), quality=95)
        (converted,), _ = convert_images([content])
        lying = Image.open(io.BytesIO(encode(IMAGE, "PNG", exif=make_exif(orientation))))
        expected = np.asarray(ImageOps.exif_transpose(lying)).astype(int)
        assert decode(converted).shape == expected.shape
        assert np.abs(decode(converted) - expected).mean() <= 5, orientation
        assert Image.open(io.BytesIO(converted)).getexif().get(ORIENTATION, 1) == 1
        assert (converted is content) == (image_format == "PNG" and orientation == 1)


def test_what_the_graph_reads_is_not_converted() -> None:
    contents = [
        *(encode(IMAGE, image_format) for image_format in ("JPEG", "PNG", "GIF", "BMP")),
        encode(IMAGE, "JPEG", exif=make_exif(6)),
        encode(IMAGE, "BMP") + b"behind",
        *(b"", b"text", b"RIFF", encode(IMAGE, "JPEG2000")),
    ]
    converted, problems = convert_images(contents)
    assert all(one is other for one, other in zip(converted, contents, strict=True))
    assert not any(problems)


def test_images_are_turned_for_graphs_that_do_not() -> None:
    contents = [encode(IMAGE, "JPEG", quality=95, exif=make_exif(orientation)) for orientation in (1, 6)]
    (same, turned), _ = convert_images(contents, is_oriented=False)
    assert same is contents[0]
    expected = np.asarray(IMAGE.transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(decode(turned) - expected).max() <= 40


def make_tiff_header(size: int, tile_size: int) -> bytes:
    """A compressed TIFF of size x size pixels, in tiles, without the pixels."""
    tags = {
        256: size,
        257: size,
        258: 8,
        259: 5,
        262: 1,
        277: 1,
        322: tile_size,
        323: tile_size,
        324: 8,
        325: 100,
    }
    return make_directory([(tag, 4, 1, struct.pack("<I", value)) for tag, value in tags.items()], "<")


INVALID = {
    "half a webp": (encode(IMAGE, "WEBP")[:60], CORRUPT),
    "half a tiff": (encode(IMAGE, "TIFF")[:300], CORRUPT),
    "half an avif": (encode(IMAGE, "AVIF")[:200], CORRUPT),
    "half a heic": (encode(IMAGE, "HEIF")[:300], CORRUPT),
    "bmp with unusual masks": (
        overwrite(encode(TRANSPARENT, "BMP")[:54] + b"abcd" * 3 + bytes(40 * 26 * 4), 30, b"\3"),
        "is BMP of an unusual kind, which is not read here",
    ),
    "large tiff": (make_tiff_header(9000, 64), "the picture has 9000 x 9000 pixels; 50,000,000 can be read"),
    "huge tiff": (make_tiff_header(40_000, 64), "is too large"),
    "tiff with large tiles": (make_tiff_header(32, 30_000), "has 30000 x 30000 pixels"),
    "tiff of floats": (encode(Image.new("F", (9, 9)), "TIFF"), "TIFF with 32 bits for a color"),
}


@pytest.mark.parametrize("name", INVALID)
def test_images_that_cannot_be_converted_have_a_reason(name: str) -> None:
    content, expected = INVALID[name]
    other = encode(IMAGE, "WEBP")
    contents, problems = convert_images([content, other])
    assert expected in problems[0]
    assert contents[0] == b""
    assert contents[1].startswith(b"\x89PNG")
    with pytest.raises(ImageError, match=expected):
        open_image(content)


def test_missing_decoders_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"is HEIC, .* pillow-heif\. Install the extra `heif`"):
        convert_images([encode(IMAGE, "HEIF")])
    monkeypatch.setattr("PIL.features.check", lambda name: False)
    with pytest.raises(UsageError, match=r"is AVIF, .* 11\.3 or later"):
        convert_images([encode(IMAGE, "AVIF")])


def test_features_of_converted_images(tmp_path: Path) -> None:
    images = [encode(IMAGE, "WEBP", lossless=True), INVALID["half a webp"][0], encode(IMAGE, "PNG"), b"x"]
    extractor = FeatureExtractor(ImageReader(SIZE))
    pixels, status = extract_features(extractor, lambda: images, tmp_path)
    assert status == ["", CORRUPT, "", "the picture is not JPEG, PNG, GIF or BMP"]
    np.testing.assert_array_equal(pixels[0], pixels[2])
    assert pixels[0].any()
    assert not pixels[1].any()


def test_large_images_are_refused_before_they_take_memory() -> None:
    contents = [INVALID[name][0] for name in INVALID if "large" in name or "huge" in name]
    large = Image.new("RGB", (4000, 3000))  # 36 MB
    contents += [encode(large, "WEBP", quality=1), encode(large, "AVIF", speed=10)]
    convert_images([encode(IMAGE, image_format) for image_format in ("WEBP", "AVIF", "TIFF")])
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak, which earlier tests may have raised
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, problems = convert_images(contents, max_pixels=10_000_000)
    assert all("can be read" in problem for problem in problems)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_converted_images_are_frames(tmp_path: Path) -> None:
    for number, image_format in enumerate(("WEBP", "TIFF", "PNG", "AVIF")):
        (tmp_path / f"{number}.{image_format.lower()}").write_bytes(encode(IMAGE, image_format))
    (tmp_path / "4.webp").write_bytes(INVALID["half a webp"][0])
    video = open_video(tmp_path)
    frames = [frame for _, frame in video.decode()]
    assert [frame.shape for frame in frames] == [(26, 40, 3)] * 4
    assert "4.webp cannot be read: the picture is broken" in video.problem
