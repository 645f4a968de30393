"""A client that runs as a script, in any version of TensorFlow: runs signatures of exports in one of four ways.

It reads a list of calls on standard input: directory of an export, name of a signature, and inputs by name; and
writes a list of outputs by name. Both are pickled without NumPy, whose versions do not read each other's pickles.
"""

import ctypes
import pickle
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Values = dict[str, np.ndarray]
Packed = dict[str, tuple[str, tuple[int, ...], Any]]

STRING_SIZE = 24  # bytes of a TF_TString
DTYPES = {"float32": 1, "int32": 3, "uint8": 4, "object": 7, "int64": 9, "bool": 10}  # TF_DataType


def pack(values: Mapping[str, Any]) -> Packed:
    """Return arrays by name as dtypes, shapes and bytes, or strings."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    return {
        name: (
            array.dtype.name,
            array.shape,
            array.ravel().tolist() if array.dtype == object else array.tobytes(),
        )
        for name, array in arrays.items()
    }


def unpack(packed: Packed) -> Values:
    """Return the arrays by name that `pack` has packed."""
    return {
        name: np.array(content, object).reshape(shape)
        if dtype == "object"
        else np.frombuffer(content, dtype).reshape(shape)
        for name, (dtype, shape, content) in packed.items()
    }


@cache
def load(directory: str) -> Any:
    """Return the object that `tf.saved_model.load` returns, once for each directory."""
    import tensorflow as tf

    return tf.saved_model.load(directory)


def run_loaded(directory: str, signature: str, inputs: Values) -> Values:
    """Run a signature of a SavedModel that `tf.saved_model.load` loads."""
    import tensorflow as tf

    model = load(directory)
    outputs = model.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def run_in_session(directory: str, signature: str, inputs: Values) -> Values:
    """Run a signature in a session of TensorFlow 1."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        described = v1.saved_model.loader.load(session, ["serve"], directory).signature_def[signature]
        feeds = {described.inputs[name].name: value for name, value in inputs.items()}
        return session.run({name: tensor.name for name, tensor in described.outputs.items()}, feeds)


def run_in_keras(directory: str, signature: str, inputs: Values) -> Values:
    """Run a signature with one input in a layer of Keras 3."""
    import keras
    import tensorflow as tf

    (value,) = inputs.values()
    outputs = keras.layers.TFSMLayer(directory, call_endpoint=signature)(tf.constant(value))
    return {name: output.numpy() for name, output in outputs.items()}


def run_in_c(directory: str, signature: str, inputs: Values) -> Values:
    """Run a signature with TensorFlow's C library, which the bindings of other languages use."""
    from tensorflow.core.protobuf import meta_graph_pb2  # of the signature; Python runs nothing

    c = load_c_library()
    status = c.TF_NewStatus()

    def check() -> None:
        if c.TF_GetCode(status):
            raise RuntimeError(c.TF_Message(status).decode())

    graph, meta_graph = c.TF_NewGraph(), c.TF_NewBuffer()
    tags = (ctypes.c_char_p * 1)(b"serve")
    session = c.TF_LoadSessionFromSavedModel(
        *(c.TF_NewSessionOptions(), None, directory.encode(), tags, 1, graph, meta_graph, status)
    )
    check()
    content = ctypes.string_at(meta_graph.contents.data, meta_graph.contents.length)
    described = meta_graph_pb2.MetaGraphDef.FromString(content).signature_def[signature]

    def find(name: str) -> Output:
        operation, _, index = name.partition(":")
        return Output(c.TF_GraphOperationByName(graph, operation.encode()), int(index))

    names = list(described.outputs)
    feeds = (Output * len(inputs))(*(find(described.inputs[name].name) for name in inputs))
    fetches = (Output * len(names))(*(find(described.outputs[name].name) for name in names))
    values = (ctypes.c_void_p * len(inputs))(*(make_tensor(c, value) for value in inputs.values()))
    results = (ctypes.c_void_p * len(names))()
    c.TF_SessionRun(
        *(session, None, feeds, values, len(inputs), fetches, results, len(names), None, 0, None, status)
    )
    check()
    return {name: read_tensor(c, tensor) for name, tensor in zip(names, results, strict=True)}


class Buffer(ctypes.Structure):
    """TF_Buffer."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("data_deallocator", ctypes.c_void_p),
    )


class Output(ctypes.Structure):
    """TF_Output."""

    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


def load_c_library() -> Any:
    """Return the C library in the wheel of TensorFlow."""
    from importlib.util import find_spec

    c = ctypes.CDLL(str(Path(find_spec("tensorflow").origin).with_name("libtensorflow_cc.so.2")))
    for name in (
        *("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_LoadSessionFromSavedModel"),
        *("TF_GraphOperationByName", "TF_AllocateTensor", "TF_TensorData"),
    ):
        getattr(c, name).restype = ctypes.c_void_p
    c.TF_NewBuffer.restype = ctypes.POINTER(Buffer)
    c.TF_Message.restype = ctypes.c_char_p
    c.TF_Dim.restype = ctypes.c_int64
    c.TF_TensorByteSize.restype = c.TF_StringGetSize.restype = ctypes.c_size_t
    c.TF_StringGetDataPointer.restype = ctypes.c_void_p
    pointer = ctypes.c_void_p
    c.TF_GetCode.argtypes = c.TF_Message.argtypes = c.TF_TensorData.argtypes = (pointer,)
    c.TF_TensorType.argtypes = c.TF_NumDims.argtypes = c.TF_TensorByteSize.argtypes = (pointer,)
    c.TF_Dim.argtypes = (pointer, ctypes.c_int)
    c.TF_StringInit.argtypes = c.TF_StringGetSize.argtypes = c.TF_StringGetDataPointer.argtypes = (pointer,)
    c.TF_StringCopy.argtypes = (pointer, ctypes.c_char_p, ctypes.c_size_t)
    c.TF_GraphOperationByName.argtypes = (pointer, ctypes.c_char_p)
    c.TF_AllocateTensor.argtypes = (ctypes.c_int, pointer, ctypes.c_int, ctypes.c_size_t)
    c.TF_LoadSessionFromSavedModel.argtypes = (
        *(pointer, pointer, ctypes.c_char_p, pointer, ctypes.c_int, pointer),
        *(ctypes.POINTER(Buffer), pointer),
    )
    c.TF_SessionRun.argtypes = (
        *(pointer, pointer, pointer, pointer, ctypes.c_int, pointer, pointer, ctypes.c_int),
        *(pointer, ctypes.c_int, pointer, pointer),
    )
    return c


def make_tensor(c: Any, array: np.ndarray) -> int:
    """Return a TF_Tensor with the content of an array."""
    size = array.size * STRING_SIZE if array.dtype == object else array.nbytes
    dims = (ctypes.c_int64 * array.ndim)(*array.shape)
    tensor: int = c.TF_AllocateTensor(DTYPES[array.dtype.name], dims, array.ndim, size)
    data = c.TF_TensorData(tensor)
    if array.dtype == object:
        for number, string in enumerate(array.ravel()):
            c.TF_StringInit(data + number * STRING_SIZE)
            c.TF_StringCopy(data + number * STRING_SIZE, string, len(string))
    elif array.nbytes:
        ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, array.nbytes)
    return tensor


def read_tensor(c: Any, tensor: int) -> np.ndarray:
    """Return the content of a TF_Tensor."""
    shape = tuple(c.TF_Dim(tensor, axis) for axis in range(c.TF_NumDims(tensor)))
    dtype = {number: name for name, number in DTYPES.items()}[c.TF_TensorType(tensor)]
    data, size = c.TF_TensorData(tensor), int(np.prod(shape, dtype=np.int64))
    if dtype != "object":
        content = ctypes.string_at(data, c.TF_TensorByteSize(tensor)) if size else b""
        return np.frombuffer(content, dtype).reshape(shape)
    places = range(data or 0, (data or 0) + size * STRING_SIZE, STRING_SIZE)
    strings = [ctypes.string_at(c.TF_StringGetDataPointer(p), c.TF_StringGetSize(p)) for p in places]
    return np.array(strings, object).reshape(shape)


WAYS = {"load": run_loaded, "session": run_in_session, "keras": run_in_keras, "c": run_in_c}

if __name__ == "__main__":
    run = WAYS[sys.argv[1]]
    calls = pickle.load(sys.stdin.buffer)
    results = [pack(run(directory, signature, unpack(inputs))) for directory, signature, inputs in calls]
    sys.stdout.buffer.write(pickle.dumps(results))
