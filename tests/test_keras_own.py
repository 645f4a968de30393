"""The tests that Keras ships for its recurrent layers pass with ours in their place."""

import importlib
import unittest
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import keras
import pytest

import zoo

MODULES = ("rnn", "simple_rnn", "lstm", "gru", "bidirectional", "stacked_rnn_cells")

OURS = ("RNN", "SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell")

NO_CUDNN = "tests the dispatch to cuDNN and its switch `use_cudnn`, which our layers do not have"
LONG = "takes half a minute; the cells by themselves are tested so, and stacks of them by the others"
NO_TORCH = "tests the dispatch to cuDNN of another backend, torch"
LEFT_OUT = {
    "bidirectional::SimpleRNNTest::test_fused_gru_eligibility": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_fused_gru_matches_unfused": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_fused_lstm_eligibility": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_fused_lstm_matches_unfused": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_keeps_use_cudnn": NO_CUDNN,
    "bidirectional::SimpleRNNTest::test_torch_cudnn_bidirectional_gru_dispatch_fires": NO_TORCH,
    "gru::GRUTest::test_torch_cudnn_dispatch_fires": NO_TORCH,
    "stacked_rnn_cells::StackedRNNTest::test_basics": LONG,
}


class Layers:
    """Keras's `layers`, with ours in the place of its recurrent ones."""

    def __getattr__(self, name: str) -> Any:
        return getattr(zoo if name in OURS else keras.layers, name)


def load(name: str) -> ModuleType:
    """Keras's test module of that name."""
    return importlib.import_module(f"keras.src.layers.rnn.{name}_test")


def cases(module: ModuleType) -> list[type[unittest.TestCase]]:
    """The test classes that the module itself defines."""
    classes = [c for c in vars(module).values() if isinstance(c, type)]
    return [c for c in classes if issubclass(c, unittest.TestCase) and c.__module__ == module.__name__]


SHIPPED = {
    f"{name}::{case.__name__}::{test}": case(test)
    for name in MODULES
    for case in cases(load(name))
    for test in unittest.defaultTestLoader.getTestCaseNames(case)
}

TAKEN = [name for name in SHIPPED if name not in LEFT_OUT]


@pytest.fixture(autouse=True)
def _our_layers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in MODULES:
        monkeypatch.setattr(load(name), "layers", Layers())
    yield
    keras.config.enable_traceback_filtering()  # Keras's tests switch it off and leave it so


def run(name: str) -> unittest.TestResult:
    result = unittest.TestResult()
    SHIPPED[name].run(result)
    return result


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
def test_passes(name: str) -> None:
    result = run(name)
    assert result.testsRun == 1
    assert not result.skipped
    assert result.wasSuccessful(), "\n".join(text for _, text in result.failures + result.errors)


def test_no_module_of_keras_has_lost_its_tests() -> None:
    assert {name.partition("::")[0] for name in TAKEN} == set(MODULES)
    assert len(TAKEN) >= 47


def test_what_is_left_out_is_still_there_to_leave_out() -> None:
    assert set(LEFT_OUT) <= set(SHIPPED)


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
def test_fails_where_our_layers_are_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inner_loop = zoo.RNN.inner_loop

    def broken(*args: Any, **kwargs: Any) -> tuple:
        last, outputs, states = inner_loop(*args, **kwargs)
        return last + 1, outputs, states

    monkeypatch.setattr(zoo.RNN, "inner_loop", broken)
    assert run(name).failures


def test_the_layers_under_test_are_ours() -> None:
    for name in MODULES:
        layers = load(name).layers
        assert all(getattr(layers, ours).__module__.partition(".")[0] == "zoo" for ours in OURS)
        assert layers.Bidirectional is keras.layers.Bidirectional
