"""`Run`: several models in one directory, typed settings, and time over all processes."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.errors import TrainingError
from zoo.training import Run
from zoo.training.run_log import RunLog

X = np.linspace(-1, 1, 8, dtype="float32").reshape(8, 1)


@dataclass(frozen=True)
class Settings:
    units: int = 3
    rates: tuple[float, ...] = (0.1, 0.2)
    weights: Path | None = None
    num_beams: int = 5
    data_dir: Path | None = None
    run_dir: Path = Path("runs/test")
    export_dir: Path = Path("exports/1")
    citation: str = "someone"


pytestmark = pytest.mark.usefixtures("no_plots")


def run_fit(
    run: Run, name: str, epochs: int = 1, model: keras.Model | None = None, rate: float = 0.1
) -> dict[str, list[float]]:
    model = model or keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    history = run.fit(
        model,
        tf.data.Dataset.from_tensor_slices((X, X)).batch(4),
        name=name,
        optimizer=keras.optimizers.SGD(rate),
        loss=keras.losses.MeanSquaredError(),
        epochs=epochs,
    )
    return history.history


def read_settings(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "run.json").read_text())["settings"]


def test_settings_are_recorded_as_json_values_without_locations(tmp_path: Path) -> None:
    run = Run(tmp_path, Settings(weights=Path("weights.h5")))
    assert run.settings == {"units": 3, "rates": [0.1, 0.2], "weights": "weights.h5", "num_beams": 5}
    run_fit(run, "linear")
    recorded = read_settings(tmp_path / "linear")
    assert {name: recorded[name] for name in run.settings} == run.settings
    assert set(recorded) == {*run.settings, "fit"}


def test_each_model_has_a_directory_and_a_second_process_trains_no_further(tmp_path: Path) -> None:
    run = Run(tmp_path, Settings())
    histories = [run_fit(run, name) for name in ("first", "second")]
    assert [len(history["loss"]) for history in histories] == [1, 1]
    assert run_fit(Run(tmp_path, Settings()), "first") == histories[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_best_epoch_is_that_of_the_fitted_model(tmp_path: Path) -> None:
    """In this process, and in one that finds the training complete."""
    run = Run(tmp_path, Settings())
    assert run.get_best_epoch(keras.Sequential()) is None
    models = [keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]) for _ in range(2)]
    for model, rate in zip(models, (0.1, 1e3), strict=True):  # the second one diverges
        history = run_fit(run, f"rate_{rate:g}", epochs=2, model=model, rate=rate)
        assert run.best_epoch.metrics == {"loss": history["loss"][run.best_epoch.number - 1]}
    assert [run.get_best_epoch(model)[:2] for model in models] == [(2, 2), (1, 2)]
    assert run.get_best_epoch(keras.Sequential()) == run.best_epoch
    again = Run(tmp_path, Settings())
    run_fit(again, "rate_0.1", epochs=2)
    assert again.best_epoch == run.get_best_epoch(models[0])


def test_only_settings_that_may_change_may_change(tmp_path: Path) -> None:
    run_fit(Run(tmp_path, Settings(), may_change=["num_beams"]), "linear")
    run = Run(tmp_path, Settings(num_beams=1), may_change=["num_beams"])
    assert run.settings["num_beams"] == 1
    run_fit(run, "linear")
    with pytest.raises(TrainingError, match="units: was 3, is now 4"):
        run_fit(Run(tmp_path, Settings(units=4), may_change=["num_beams"]), "linear")


def test_unknown_setting_in_may_change_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`may_change` names beams, but the settings are units, rates"):
        Run(tmp_path, Settings(), may_change=["beams", "units"])


def test_elapsed_minutes_include_epochs_of_earlier_processes(tmp_path: Path) -> None:
    """Neither its own epochs, which the clock covers, nor other models in the directory are added."""
    run = Run(tmp_path, Settings())
    run_fit(run, "linear")
    now = time.time()
    lines = [("step", now - 90, 7.0), ("epoch", now - 80, 120.0), ("epoch", now + 10, 50.0)]
    for name in ("linear", "other"):
        (tmp_path / name).mkdir(exist_ok=True)
        with RunLog(tmp_path / name, 0) as log:
            for step, (kind, wall_time, seconds) in enumerate(lines):
                log.append(
                    {"kind": kind, "step": step, "timing": {"wall_time": wall_time, "seconds": seconds}}
                )
    run._started_at = now - 60
    assert run.elapsed_minutes == pytest.approx(1 + 2, abs=0.1)


def test_a_run_that_is_repeated_has_the_minutes_of_the_first_time(tmp_path: Path) -> None:
    first = Run(tmp_path, Settings())
    run_fit(first, "linear")
    first._started_at -= 120  # what comes before and after the epochs
    minutes = first.elapsed_minutes
    assert minutes > 2
    again = Run(tmp_path, Settings())
    run_fit(again, "linear")
    assert again.elapsed_minutes == minutes
    (tmp_path / "minutes.json").write_text("{")
    assert again.elapsed_minutes < 2


def test_few_steps_are_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(tmp_path, Settings())
    run.plan_schedule("linear", 4, 5)
    assert caplog.messages == [
        "linear has 20 steps to learn in, 5 in each epoch, which are hardly ever enough. Expected 100 or more. "
        "Raise --epochs."
    ]
    caplog.clear()
    run.plan_schedule("linear", 20, 5)
    assert caplog.messages == []
    assert Run(tmp_path, {"gradient_accumulation_steps": 4}).plan_schedule("linear", 20, 5) == [(0, 100)]
    assert caplog.messages == [
        "linear has 25 steps to learn in, each of 4 batches, which are hardly ever enough. Expected 100 or more. "
        "Raise --epochs or lower --gradient-accumulation-steps."
    ]
