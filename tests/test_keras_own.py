"""The tests that Keras ships for its recurrent layers pass with the layers of the library in their place."""

import importlib
import unittest
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import keras
import pytest

import zoo

MODULES = ("rnn", "simple_rnn", "lstm", "gru", "bidirectional", "stacked_rnn_cells")

REPLACED = ("RNN", "SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell")

NO_CUDNN = "tests the dispatch to cuDNN, which our layers do not use"
NO_TORCH = "tests the dispatch to cuDNN of the torch backend"
EXCLUDED = {
    "bidirectional::SimpleRNNTest::test_fused_gru_eligibility": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_fused_lstm_eligibility": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_torch_cudnn_bidirectional_gru_dispatch_fires": NO_TORCH,
    "gru::GRUTest::test_torch_cudnn_dispatch_fires": NO_TORCH,
}


class Layers:
    """`keras.layers` with the recurrent layers of the library in place of Keras's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(zoo if name in REPLACED else keras.layers, name)


def import_test_module(name: str) -> ModuleType:
    """Import Keras's test module of that name."""
    return importlib.import_module(f"keras.src.layers.rnn.{name}_test")


def find_test_classes(module: ModuleType) -> list[type[unittest.TestCase]]:
    """Return the test classes that are defined in the module."""
    classes = [c for c in vars(module).values() if isinstance(c, type)]
    return [c for c in classes if issubclass(c, unittest.TestCase) and c.__module__ == module.__name__]


KERAS_TESTS = {
    f"{name}::{case.__name__}::{test}": case(test)
    for name in MODULES
    for case in find_test_classes(import_test_module(name))
    for test in unittest.defaultTestLoader.getTestCaseNames(case)
}

INCLUDED = [name for name in KERAS_TESTS if name not in EXCLUDED]


@pytest.fixture(autouse=True)
def _replace_layers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in MODULES:
        monkeypatch.setattr(import_test_module(name), "layers", Layers())
    yield
    keras.config.enable_traceback_filtering()  # Keras's tests switch it off


def run(name: str) -> unittest.TestResult:
    result = unittest.TestResult()
    KERAS_TESTS[name].run(result)
    return result


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name.endswith("test_basics") else ()) for name in INCLUDED],
)
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
def test_keras_test_passes(name: str) -> None:
    result = run(name)
    assert result.testsRun == 1
    assert not result.skipped
    assert result.wasSuccessful(), "\n".join(text for _, text in result.failures + result.errors)


def test_every_keras_module_has_tests() -> None:
    assert {name.partition("::")[0] for name in INCLUDED} == set(MODULES)
    assert len(INCLUDED) >= 50


def test_excluded_tests_exist() -> None:
    assert set(EXCLUDED) <= set(KERAS_TESTS)


@pytest.mark.parametrize(
    "name",
    [
        "rnn::RNNTest::test_forward_pass_two_states",
        "simple_rnn::SimpleRNNTest::test_masking",
        "lstm::LSTMTest::test_correctness0",
        "gru::GRUTest::test_pass_return_state",
        "bidirectional::SimpleRNNTest::test_statefulness",
        "stacked_rnn_cells::StackedRNNTest::test_stacked_lstm_cell_mask",
    ],
)
def test_keras_test_fails_with_broken_layers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inner_loop = zoo.RNN.inner_loop

    def broken(*args: Any, **kwargs: Any) -> tuple:
        last, outputs, states = inner_loop(*args, **kwargs)
        return last + 1, outputs, states

    monkeypatch.setattr(zoo.RNN, "inner_loop", broken)
    assert run(name).failures


def test_layers_under_test_are_those_of_the_library() -> None:
    for name in MODULES:
        layers = import_test_module(name).layers
        assert all(getattr(layers, ours).__module__.partition(".")[0] == "zoo" for ours in REPLACED)
        assert layers.Bidirectional is keras.layers.Bidirectional
