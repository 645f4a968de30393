"""`keras.Model.export(format="onnx")`: onnxruntime computes what the model computes."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers
from references import assert_close, random_normal, randomize_weights
from test_cells import CASES, Case

import zoo

WORDS, FEATURES, UNITS = 10, 9, 6


def assert_exported(model: keras.Model, path: Path, *batches: list[np.ndarray]) -> None:
    """Export a model and compare onnxruntime with it, on batches of its inputs."""
    expected = [keras.tree.flatten(model(batch if len(batch) > 1 else batch[0])) for batch in batches]
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    names = [given.name for given in session.get_inputs()]
    for batch, values in zip(batches, expected, strict=True):
        outputs = session.run(None, dict(zip(names, batch, strict=True)))
        for output, value in zip(outputs, values, strict=True):
            assert_close(output, value, 1e-6)


def make_word_ids(*lengths: int) -> np.ndarray:
    """Create word ids [batch, time], 0 behind each length and in one place in the middle."""
    ids = np.random.default_rng(0).integers(1, WORDS, (len(lengths), max(lengths)), "int32")
    ids[np.arange(ids.shape[1]) >= np.array(lengths)[:, None]] = 0
    ids[0, 1] = 0
    return ids


def make_masked_model(*recurrent_layers: keras.Layer) -> keras.Model:
    """Create a model of word ids in which layers follow each other; it returns the outputs of all of them."""
    ids = keras.Input((None,), dtype="int32")
    x, outputs = layers.Embedding(WORDS, FEATURES, mask_zero=True)(ids), []
    mask = x._keras_mask
    for layer in recurrent_layers:
        y = layer(x, mask=mask)
        outputs.append(y)
        x = y[0] if isinstance(y, (list, tuple)) else y
    model = keras.Model(ids, outputs)
    randomize_weights(model)
    return model


def test_layers_and_wrappers_with_open_batch_and_time(tmp_path: Path) -> None:
    every = {"return_sequences": True}
    model = make_masked_model(
        layers.Bidirectional(zoo.LSTM(UNITS, **every)),
        zoo.RNN([zoo.LSTMCell(4), zoo.GRUCell(UNITS, reset_after=False)], return_state=True, **every),
        zoo.GRU(UNITS, go_backwards=True, zero_output_for_mask=True, **every),
        zoo.Residual(zoo.SimpleRNN(UNITS, zoneout=0.3, dropout=0.2, recurrent_dropout=0.2, **every)),
        zoo.ProjectedLSTM(UNITS, 4, **every),
        zoo.MinGRU(UNITS),
    )
    batches = [[make_word_ids(*lengths)] for lengths in ([7, 4, 1, 0], [3], [2] * 6)]
    assert_exported(model, tmp_path / "model.onnx", *batches)


@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize(("time", "unroll"), [(None, False), (7, False), (7, True)])
def test_static_sizes_and_initial_states(
    batch: int | None, time: int | None, unroll: bool, tmp_path: Path
) -> None:
    sequences = keras.Input(batch_shape=(batch, time, FEATURES))
    state = keras.Input(batch_shape=(batch, UNITS))
    layer = zoo.LSTM(UNITS, unroll=unroll, return_sequences=True)
    model = keras.Model([sequences, state], layer(sequences, initial_state=[state, state]))
    data = [random_normal(i, 4, *shape, dtype="float32") for i, shape in enumerate([(7, FEATURES), (UNITS,)])]
    assert_exported(model, tmp_path / "model.onnx", data)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_cell(case: Case, tmp_path: Path) -> None:
    layer = zoo.RNN(case.cell(UNITS, **case.arguments), return_sequences=True, return_state=True)
    batches = [[make_word_ids(*lengths)] for lengths in ([7, 4, 1, 0], [3])]
    assert_exported(make_masked_model(layer), tmp_path / "model.onnx", *batches)
