"""A run directory that is damaged, copied in part, used with other data, or continued with more epochs."""

import itertools
import json
import os
import random
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from resumable import assert_identical

import zoo
from zoo.errors import Interrupted, TrainingError
from zoo.files import read_json, write_json
from zoo.schedules import warmup_cosine_decay
from zoo.training import Run, plan_cycles
from zoo.training.run_log import RunLog, read_log

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")
BATCHES = 5


@pytest.fixture(autouse=True, scope="module")
def no_plots() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, zoo.disable_jit():
        patch.setattr("zoo.training.run_directory.plot_training_curves", lambda run_dir, image_path: None)
        yield


class StopAt(keras.callbacks.Callback):
    """Interrupts training after a step, counted from 1, over all epochs."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations) == self.step:
            os.kill(os.getpid(), signal.SIGINT)

    def get_state(self) -> dict[str, Any]:
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        pass


def train(run_dir: Path, epochs: int = 3, **options: Any) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a model with dropout on shuffled data, with the schedule of the recipes; return it and its history."""
    keras.utils.set_random_seed(4)
    layers = [keras.layers.Dense(4), keras.layers.Dropout(0.2), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    steps = [(cycle.start * BATCHES, cycle.epochs * BATCHES) for cycle in plan_cycles(run_dir, epochs)]
    history = zoo.fit(
        model,
        tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(40, seed=2).batch(8),
        tf.data.Dataset.from_tensor_slices((X, 1 - Y)).batch(8),  # so that the first epoch is the best
        optimizer=keras.optimizers.Adam(warmup_cosine_decay(0.02, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        epochs=epochs,
        run_dir=run_dir,
        checkpoint_seconds=0,
        **options,
    )
    return model, history.history


def read_steps(run_dir: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in line.items() if name != "timing"} for line in read_log(run_dir)]


# --- Damage -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Directories of a run that is complete and of one that was interrupted in its second epoch, and the model."""
    directory = tmp_path_factory.mktemp("runs")
    model, _ = train(directory / "complete")
    with pytest.raises(Interrupted):
        train(directory / "interrupted", callbacks=[StopAt(8)])
    return {"model": model, "complete": directory / "complete", "interrupted": directory / "interrupted"}


@pytest.fixture(scope="module")
def last_is_best(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    """Directory and model of a run whose last epoch is the best."""
    path = tmp_path_factory.mktemp("last") / "run"
    model, history = train(path, monitor="loss")
    assert history["loss"][-1] == min(history["loss"])
    return path, model


def truncate(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncated": truncate,
    "emptied": lambda path, rng: path.write_bytes(b""),
    "removed": lambda path, rng: path.unlink(),
    "flipped": flip,
}


def find_files(run_dir: Path) -> list[Path]:
    """The files of a run that are not empty, relative to its directory."""
    files = (path for path in sorted(run_dir.rglob("*")) if path.is_file() and path.stat().st_size)
    return [path.relative_to(run_dir) for path in files]


def train_damaged(run_dir: Path, expected: keras.Model, damaged: list[Path]) -> str:
    """Train in a damaged directory: the result is bit-identical, or the error names a damaged file."""
    message = ""
    try:
        model, _ = train(run_dir)
    except TrainingError as error:
        message = str(error)
    if not message:
        assert_identical(model, expected)
        return "identical"
    paths = [run_dir / path for path in damaged]
    assert any(str(path) in message or str(path.parent) in message for path in paths), message
    assert re.search("Copy .* again|remove", message)
    return "refused"


def slow(*values: Any) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("complete", "removed"),
        ("interrupted", "flipped"),
        *(slow("complete", kind) for kind in DAMAGES if kind != "removed"),
        *(slow("interrupted", kind) for kind in DAMAGES if kind != "flipped"),
    ],
)
def test_run_with_a_damaged_file_is_bit_identical_or_names_the_file(
    state: str, kind: str, runs: dict[str, Any], tmp_path: Path
) -> None:
    rng = random.Random(f"{state} {kind}")
    outcomes = {}
    for number, path in enumerate(find_files(runs[state])):
        if "tensorboard" in path.parts:
            continue
        run_dir = tmp_path / str(number)
        shutil.copytree(runs[state], run_dir)
        DAMAGES[kind](run_dir / path, rng)
        outcomes[str(path)] = train_damaged(run_dir, runs["model"], [path])
    assert (
        outcomes["run.json"] == "refused" or kind == "flipped"
    )  # a bit of white space may have been flipped
    assert outcomes["log.jsonl"] == "refused" or kind == "flipped"
    newest = max(path for path in outcomes if path.startswith("checkpoints"))
    assert outcomes[newest] == "identical"  # the checkpoint before it is used


@pytest.mark.slow
def test_run_with_several_damaged_files_is_bit_identical_or_names_one(
    runs: dict[str, Any], tmp_path: Path
) -> None:
    rng = random.Random(5)
    outcomes = []
    for number in range(60):
        state, run_dir = rng.choice(["complete", "interrupted"]), tmp_path / str(number)
        shutil.copytree(runs[state], run_dir)
        damaged = rng.sample(find_files(run_dir), rng.randint(1, 3))
        for path in damaged:
            DAMAGES[rng.choice(list(DAMAGES))](run_dir / path, rng)
        outcomes.append(train_damaged(run_dir, runs["model"], damaged))
        shutil.rmtree(run_dir)
    assert {"refused", "identical"} == set(outcomes)


@pytest.mark.parametrize("missing", ["best", "checkpoints", "run.json", "log.jsonl"])
@pytest.mark.parametrize("state", ["complete", "interrupted"])
def test_run_that_was_copied_in_part_raises(
    state: str, missing: str, runs: dict[str, Any], tmp_path: Path
) -> None:
    def ignore(directory: str, names: list[str]) -> list[str]:
        return [missing] if Path(directory) == runs[state] else []

    shutil.copytree(runs[state], tmp_path / "copy", ignore=ignore)
    with pytest.raises(TrainingError, match=rf"{tmp_path}/copy/{missing}.* Copy .* again from where it was"):
        train(tmp_path / "copy")


def test_best_weights_of_another_run_raise(runs: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(runs["complete"], tmp_path / "copy")
    with pytest.raises(Interrupted):
        train(tmp_path / "other", callbacks=[StopAt(7)], settings={"seed": 2})
    shutil.rmtree(tmp_path / "copy" / "best")
    (tmp_path / "other" / "best").rename(tmp_path / "copy" / "best")
    with pytest.raises(
        TrainingError,
        match=r"No checkpoint in \S*/copy/checkpoints can be used\. \S*/copy/best lacks the weights",
    ):
        train(tmp_path / "copy")


@pytest.mark.parametrize("file", ["checkpoint.json", "state.data-00000-of-00001"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_epoch_whose_weights_are_damaged_is_trained_again(
    file: str,
    damage: str,
    last_is_best: tuple[Path, keras.Model],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, model = last_is_best
    shutil.copytree(path, tmp_path / "run")
    best = max((tmp_path / "run" / "best").iterdir())
    DAMAGES[damage](best / file, random.Random(1))
    again, history = train(tmp_path / "run", monitor="loss")
    assert_identical(again, model)
    assert len(history["loss"]) == 3
    assert re.search(rf"Skipping the checkpoint \S*: {best / file} is ", caplog.text) or damage == "removed"
    assert [read_steps(tmp_path / "run")] == [read_steps(path)]


@pytest.mark.parametrize("name", ["best", "checkpoints", "lock", "log.jsonl", "run.json"])
def test_other_kinds_of_files_are_named(name: str, runs: dict[str, Any], tmp_path: Path) -> None:
    path = shutil.copytree(runs["complete"], tmp_path / "copy") / name
    if path.is_dir():
        shutil.rmtree(path)
        path.touch()
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(TrainingError, match=str(tmp_path / "copy")):
        train(tmp_path / "copy")


@pytest.mark.parametrize("file", ["run.json", "checkpoints/*/checkpoint.json", "best/*/checkpoint.json"])
@pytest.mark.parametrize("content", [{}, {"cycles": []}, {"files": [], "position": 3, "shapes": {}}])
def test_json_of_another_shape_is_named(
    file: str, content: dict[str, Any], runs: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(runs["complete"], tmp_path / "copy")
    for path in (tmp_path / "copy").glob(file):
        write_json(path, content)
    with pytest.raises(TrainingError, match=str(tmp_path / "copy")):
        train(tmp_path / "copy")


def test_log_drops_a_torn_last_line_and_names_a_corrupt_one(tmp_path: Path) -> None:
    lines = [
        {"kind": "step", "step": step, "loss": loss, "naïve": "ü", "timing": {"wall_time": 1.0}}
        for step, loss in enumerate([1e-300, float("nan"), float("inf")])
    ]
    with RunLog(tmp_path, 0) as log:
        for line in lines:
            log.append(line)
        num_bytes = log.sync_to_disk()
    path = tmp_path / "log.jsonl"
    assert str(read_log(tmp_path)) == str(lines)
    content = path.read_bytes()
    for size in range(num_bytes):
        path.write_bytes(content[:size])
        assert str(read_log(tmp_path)) == str(lines[: content[:size].count(b"\n")])
    for place, bit in itertools.product(range(num_bytes - 1), (0, 5)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        try:
            outcome = str(
                read_log(tmp_path)
            )  # the same where only white space or the case of a digit differs
        except TrainingError as error:
            outcome = str(error)
        number = content[:place].count(b"\n") + 1
        assert outcome == str(lines) or f"{path}, line {number}, is corrupt." in outcome


# --- More epochs ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def continued(runs: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A complete run that goes on from 3 to 5 and then to 6 epochs, without interruption."""
    run_dir = tmp_path_factory.mktemp("continued") / "run"
    shutil.copytree(runs["complete"], run_dir)
    train(run_dir, 5)
    model, history = train(run_dir, 6)
    return {"model": model, "history": history, "run_dir": run_dir}


def test_added_epochs_are_cycles_at_half_the_peak(continued: dict[str, Any], runs: dict[str, Any]) -> None:
    assert len(continued["history"]["loss"]) == 6
    steps = [line for line in read_log(continued["run_dir"]) if line["kind"] == "step"]
    assert [line["step"] for line in steps] == list(range(1, 6 * BATCHES + 1))
    rates = [line["learning_rate"] for line in steps]
    assert rates[: 3 * BATCHES] == [
        line["learning_rate"] for line in read_log(runs["complete"]) if "gradient_norm" in line
    ]
    for start, epochs, peak in ((0, 3, 0.02), (3, 2, 0.01), (5, 1, 0.005)):
        decay = keras.optimizers.schedules.CosineDecay(
            0.0, epochs * BATCHES, warmup_target=peak, warmup_steps=0
        )
        expected = [float(decay(step)) for step in range(epochs * BATCHES)]
        assert rates[start * BATCHES : (start + epochs) * BATCHES] == pytest.approx(expected, rel=1e-5)
    cycles = read_json(continued["run_dir"] / "run.json")["cycles"]
    assert [(cycle["start"], cycle["epochs"]) for cycle in cycles] == [(0, 3), (3, 2), (5, 1)]


@pytest.mark.parametrize("step", [slow(1), slow(13), 16, slow(22), slow(26)])
def test_interrupted_cycles_resume_bit_identically(
    step: int, continued: dict[str, Any], tmp_path: Path
) -> None:
    """Whether the epochs are added when the run is complete or before, and wherever it stops."""
    if step < 3 * BATCHES:
        with pytest.raises(Interrupted):
            train(tmp_path, 3, callbacks=[StopAt(step)])
        train(tmp_path, 5)
    else:
        train(tmp_path, 3)
        if step < 5 * BATCHES:
            with pytest.raises(Interrupted):
                train(tmp_path, 5, callbacks=[StopAt(step)])
        train(tmp_path, 5)
        if step > 5 * BATCHES:
            with pytest.raises(Interrupted):
                train(tmp_path, 6, callbacks=[StopAt(step)])
    model, history = train(tmp_path, 6)
    assert history == continued["history"]
    assert_identical(model, continued["model"])
    assert read_steps(tmp_path) == read_steps(continued["run_dir"])


def test_fewer_epochs_are_refused_in_words(continued: dict[str, Any]) -> None:
    with pytest.raises(
        TrainingError, match=r"a run of 6 epochs, found 5\. The number of epochs can be raised, not"
    ):
        train(continued["run_dir"], 5)


def test_schedule_that_does_not_continue_that_of_the_run_is_refused(
    runs: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(runs["complete"], tmp_path / "run")
    optimizer = keras.optimizers.Adam(warmup_cosine_decay(0.02, 5 * BATCHES))
    with pytest.raises(TrainingError, match=r"cycles: was \[\[0, 15\]\], is now \[\[0, 25\]\]"):
        zoo.fit(
            keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
            tf.data.Dataset.from_tensor_slices((X, Y)).batch(8),
            tf.data.Dataset.from_tensor_slices((X, Y)).batch(8),
            optimizer=optimizer,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            epochs=5,
            run_dir=tmp_path / "run",
        )


def test_a_run_that_patience_stopped_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Its cycle starts there, and patience begins anew; interrupted or not, the result is the same."""
    models = []
    for name, step in (("uninterrupted", None), ("interrupted", 12)):
        _, history = train(tmp_path / name, 8, patience=1)
        assert len(history["val_loss"]) == 2  # the first is the best
        if step:
            with pytest.raises(Interrupted):
                train(tmp_path / name, 10, patience=1, callbacks=[StopAt(step)])
        model, history = train(tmp_path / name, 10, patience=1)
        cycles = read_json(tmp_path / name / "run.json")["cycles"]
        assert [(cycle["start"], cycle["epochs"]) for cycle in cycles] == [(0, 8), (2, 8)]
        assert len(history["val_loss"]) == 3
        models.append(model)
    assert_identical(*models)


def test_run_joins_the_commands_and_plans_the_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Run` leaves `epochs` out of the settings that may not change."""

    def fit(epochs: int) -> Run:
        monkeypatch.setattr("sys.argv", ["train.py", f"--epochs={epochs}"])
        run = Run(tmp_path, {"epochs": epochs, "units": 1})
        cycles = run.plan_schedule("linear", epochs, 1)
        run.fit(
            keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
            tf.data.Dataset.from_tensor_slices((X, Y)).batch(40),
            name="linear",
            optimizer=keras.optimizers.SGD(warmup_cosine_decay(0.1, cycles)),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            epochs=epochs,
        )
        assert run.settings["epochs"] == epochs
        return run

    assert fit(1).command == "python train.py --epochs=1"
    run = fit(2)
    assert run.command == "python train.py --epochs=1 && python train.py --epochs=2"
    assert run.plan_schedule("linear", 2, 10) == [(0, 10), (10, 10)]
    assert run.best_epoch.num_epochs == 2
    with pytest.raises(TrainingError, match="units: was 1, is now 2"):
        Run(tmp_path, {"epochs": 2, "units": 2})
    assert json.loads((tmp_path / "linear" / "run.json").read_text())["settings"].keys() == {"units", "fit"}
