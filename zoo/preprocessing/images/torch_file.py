"""Files of tensors that PyTorch wrote before its version 1.6, read without PyTorch."""

import pickle
import struct
from typing import Any, BinaryIO

import numpy as np

from zoo.errors import WeightsError


def read_torch_file(file: BinaryIO) -> dict[str, np.ndarray]:
    """Read the tensors of a state dictionary. Code in the file is not executed.

    The file consists of five pickles (a magic number, a version, facts about the machine, the tensors without
    their values, and the keys of the storages), followed by each storage: the number of its values, in 8
    bytes, and the values.

    Args:
        file: a file opened for reading bytes.

    Returns:
        The arrays by their names.

    Raises:
        WeightsError: the file contains anything but tensors of float32 and int64.
    """
    *_, tensors, keys = (_TensorUnpickler(file).load() for _ in range(5))
    dtypes = dict(storage for storage, *_ in tensors.values())
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        dtype = np.dtype(dtypes[key])
        storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key][offset:], shape, [storages[key].itemsize * stride for stride in strides]
        )
        for name, ((key, _), offset, shape, strides) in tensors.items()
    }


class _StateDict(dict[str, Any]):
    """A dictionary that can have attributes, as PyTorch's state dictionaries have."""


class _TensorUnpickler(pickle.Unpickler):
    """Unpickles tensors as tuples of storage, offset, shape and strides, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            ("collections", "OrderedDict"): _StateDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, *layout: (storage, *layout[:3]),
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
        }
        if (module, name) not in allowed:
            raise WeightsError(f"The weights contain a {module}.{name}, expected tensors only.")
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Return key and dtype of a storage; its values come later in the file."""
        return pid[2], pid[1]
