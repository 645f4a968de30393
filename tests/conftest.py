"""Files that take long come first, so that both processes end at about the same time; what many tests use."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

LONG = (
    "test_captioning",
    "test_translation",
    "test_tagging",
    "test_sentiment",
    "test_loop",
    "test_recurrence",
    "test_resume",
    "test_cells",
    "test_decoder",
    "test_workers",
    "test_captioning_data",
    "test_benchmarks",
    "test_saved_models",
    "test_training",
    "test_next_word",
    "test_wheel",
    "test_readme",
    "test_programs",
)


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # else xdist begins with the files of most tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))


@pytest.fixture
def asked_here(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Exports are asked by this process: a fresh one, which those of other tests start, takes seconds.

    Returns:
        What an export in a folder answers to inputs by name.
    """

    def answers(folder: Path, inputs: Mapping[str, object]) -> dict[str, np.ndarray]:
        import tensorflow as tf  # not in the process that shares out the tests

        serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
        said = serve(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in said.items()}

    monkeypatch.setattr("zoo.export.saved_model._answers_of_a_fresh_process", answers)
    return answers


@pytest.fixture
def saved_model_cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command of this name, which comes with TensorFlow: from its arguments to what it prints."""

    def run(*arguments: str | Path) -> str:
        from tensorflow.python.tools.saved_model_cli import create_parser

        create_parser().parse_args([str(argument) for argument in arguments]).func()
        return capsys.readouterr().out

    return run
