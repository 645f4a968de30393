"""Callbacks in `zoo.fit`: a run that was stopped and resumed ends where an uninterrupted one does."""

import copy
import itertools
import os
import signal
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo._compat import get_callback_state_names, get_metric_direction
from zoo.errors import Interrupted, TrainingError

RNG = np.random.default_rng(6)
X = RNG.normal(size=(40, 6)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
NUM_BATCHES = 4


pytestmark = pytest.mark.usefixtures("no_plots")


class ScaleRate(keras.callbacks.Callback):
    """Multiplies the learning rate at each batch whose number, over all epochs, is a multiple of 3."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def get_state(self) -> dict[str, int]:
        return {"count": self.count}

    def set_state(self, state: dict[str, int]) -> None:
        self.count = state["count"]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.count += 1
        if self.count % 3 == 0:
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * 0.9


class Counter(keras.callbacks.Callback):
    """Counts batches, and has no methods for its state."""

    count = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.count += 1


class StopAt(keras.callbacks.Callback):
    """Sends SIGTERM after a batch, counted over all epochs from 1, or at the end of an epoch."""

    def __init__(self, batch: int, at_epoch_end: bool = False) -> None:
        super().__init__()
        self.batch, self.at_epoch_end, self.count = batch, at_epoch_end, 0

    def get_state(self) -> dict[str, int]:
        return {}

    def set_state(self, state: dict[str, int]) -> None:
        raise AssertionError("is not in the run that resumes")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.count += 1
        if self.count == self.batch and not self.at_epoch_end:
            os.kill(os.getpid(), signal.SIGTERM)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.count == self.batch and self.at_epoch_end:
            os.kill(os.getpid(), signal.SIGTERM)


def make_callbacks(directory: Path) -> list[keras.callbacks.Callback]:
    """Callbacks with a state; the validation labels are inverted, so that the loss soon rises."""
    path = str(directory / "{epoch}-{batch}.weights.h5")
    return [
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1),
        keras.callbacks.EarlyStopping(patience=5, start_from_epoch=1, restore_best_weights=True),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 1.1),
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=3),
        ScaleRate(),
        keras.callbacks.History(),
    ]


def run_fit(run_dir: Path, callbacks: list[keras.callbacks.Callback], **options: Any) -> keras.Model:
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2)])
    train, validation = (tf.data.Dataset.from_tensor_slices((X, labels)).batch(10) for labels in (Y, 1 - Y))
    options = {"optimizer": zoo.optimizers.FusedAdam(0.01), "loss": LOSS, "epochs": 12, **options}
    zoo.fit(model, train, validation, run_dir=run_dir, callbacks=callbacks, **options)
    return model


def read_log(run_dir: Path) -> list[dict[str, Any]]:
    lines = zoo.training.run_log.read_log(run_dir)
    return [{name: value for name, value in line.items() if name != "timing"} for line in lines]


def read_states(callbacks: list[keras.callbacks.Callback]) -> list[Any]:
    names = [get_callback_state_names(callback) or () for callback in callbacks]
    return [
        {key: getattr(callback, key) for key in keys} for callback, keys in zip(callbacks, names, strict=True)
    ] + [callbacks[4].count]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model, list[Any]]:
    """Run directory, model and states of callbacks of a run that is not interrupted."""
    run_dir = tmp_path_factory.mktemp("uninterrupted")
    callbacks = make_callbacks(run_dir / "saved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.training.run_directory.plot_training_curves", lambda log_path, image_path: None)
        model = run_fit(run_dir, callbacks)
    return run_dir, model, read_states(callbacks)


@pytest.mark.parametrize(("batch", "at_epoch_end"), [(6, False), (12, True), (19, False)])
def test_run_with_callbacks_resumes_exactly(
    tmp_path: Path, batch: int, at_epoch_end: bool, uninterrupted: tuple
) -> None:
    run_dir, model, states = uninterrupted
    with pytest.raises(Interrupted):
        run_fit(tmp_path, [*make_callbacks(tmp_path / "saved"), StopAt(batch, at_epoch_end)])
    steps = len([line for line in read_log(tmp_path) if line["kind"] == "step"])
    assert steps == batch + (not at_epoch_end)  # the second step of an epoch, its end, its last step
    callbacks = make_callbacks(tmp_path / "saved")
    resumed = run_fit(tmp_path, callbacks)
    assert read_log(tmp_path) == read_log(run_dir)
    assert read_states(callbacks) == states
    assert callbacks[5].history == resumed.history.history
    for one, two in zip(
        (*model.variables, *model.optimizer.variables),
        (*resumed.variables, *resumed.optimizer.variables),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == sorted(
        path.name for path in (run_dir / "saved").iterdir()
    )


def test_callbacks_take_part_in_the_uninterrupted_run(uninterrupted: tuple) -> None:
    """The rate was lowered by the plateau, and training stopped early: what the test above compares."""
    run_dir, model, states = uninterrupted
    epochs = [line for line in read_log(run_dir) if line["kind"] == "epoch"]
    assert 6 < len(epochs) < 12
    assert states[1]["stopped_epoch"] == len(epochs) - 1
    rates = [line["learning_rate"] for line in epochs]
    assert min(after / before for before, after in itertools.pairwise(rates)) < 0.6
    losses = model.history.history["val_loss"]
    validation = tf.data.Dataset.from_tensor_slices((X, 1 - Y)).batch(10)
    assert zoo.evaluate(model, validation, LOSS)["loss"] == pytest.approx(min(losses))


@pytest.mark.parametrize(("batch", "at_epoch_end"), [(10, False), (8, True)])
def test_run_with_patience_resumes_exactly(tmp_path: Path, batch: int, at_epoch_end: bool) -> None:
    """Stopped when one of three epochs without improvement is over."""
    model = run_fit(tmp_path / "uninterrupted", [], patience=3)
    assert len(model.history.epoch) == 1 + int(np.argmin(model.history.history["val_loss"])) + 3 < 12
    with pytest.raises(Interrupted):
        run_fit(tmp_path / "resumed", [StopAt(batch, at_epoch_end)], patience=3)
    resumed = run_fit(tmp_path / "resumed", [], patience=3)
    assert resumed.history.history == model.history.history
    assert read_log(tmp_path / "resumed") == read_log(tmp_path / "uninterrupted")


def test_callback_without_methods_for_its_state_is_refused_when_a_run_resumes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Interrupted):
        run_fit(tmp_path, [Counter(), StopAt(2)])
    assert "The callback Counter has no get_state and set_state" in caplog.text
    with pytest.raises(TrainingError, match=r"cannot be resumed with the callback Counter.*`get_state\(\)`"):
        run_fit(tmp_path, [Counter()])
    run_fit(tmp_path, [], epochs=12)


def test_run_resumes_with_the_callbacks_it_began_with(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run_fit(tmp_path, [ScaleRate(), StopAt(2)])
    with pytest.raises(TrainingError, match="contains a run with the callback ScaleRate, which is missing"):
        run_fit(tmp_path, [])
    with pytest.raises(
        TrainingError, match="has no state of the callback ScaleRate, so the run began without"
    ):
        run_fit(tmp_path, [ScaleRate(), ScaleRate()])


def test_arguments_of_callbacks_of_keras_are_settings(tmp_path: Path) -> None:
    kinds = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau
    callbacks = [kind(patience=3) for kind in kinds]
    with pytest.raises(Interrupted):
        run_fit(tmp_path, [*callbacks, StopAt(6)])
    message = r"fit\.callbacks\.EarlyStopping\.patience: was 3, is now 4\n"
    with pytest.raises(TrainingError, match=message) as error:
        run_fit(tmp_path, [kind(patience=4 - index) for index, kind in enumerate(kinds)])
    assert "ReduceLROnPlateau" not in str(error.value)
    run_fit(tmp_path, [keras.callbacks.LambdaCallback(), *callbacks])


def test_early_stopping_restores_by_the_monitor_of_fit(tmp_path: Path) -> None:
    accuracy = keras.metrics.SparseCategoricalAccuracy("accuracy")
    callback = keras.callbacks.EarlyStopping("val_accuracy", restore_best_weights=True)
    with pytest.raises(
        ValueError, match=r"the best \(max\) val_accuracy, but `fit` .* the best \(min\) val_loss"
    ):
        run_fit(tmp_path, [callback], metrics=[accuracy])
    run_fit(tmp_path, [callback], metrics=[accuracy], monitor="val_accuracy")
    assert callback.restore_best_weights


@pytest.mark.parametrize(
    ("callback", "reason"),
    [
        (lambda path: keras.callbacks.BackupAndRestore(str(path)), "saves and resumes by itself"),
        (lambda path: keras.callbacks.SwapEMAWeights(), "does not swap weights"),
    ],
)
def test_callbacks_that_contradict_fit_are_refused(tmp_path: Path, callback: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        run_fit(tmp_path, [callback(tmp_path / "backup")])


def test_state_that_is_not_json_is_refused(tmp_path: Path) -> None:
    callback = ScaleRate()
    callback.count = np.zeros(2)
    with pytest.raises(ValueError, match="`get_state` of the callback ScaleRate must return JSON values"):
        run_fit(tmp_path, [callback])


@pytest.mark.parametrize(
    "kind",
    [zoo.formulations.ScheduledSampling, zoo.inspection.GradientLogger, zoo.training.GenerationMetrics],
)
def test_callbacks_of_the_library_can_be_resumed(kind: type) -> None:
    assert callable(kind.get_state)
    assert callable(kind.set_state)


def test_callback_can_stop_within_an_epoch(tmp_path: Path) -> None:
    """As in Keras, the epoch ends after the batch, with validation."""

    class StopTraining(Counter):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            super().on_train_batch_end(batch)
            self.model.stop_training = self.count == 6

    model = run_fit(tmp_path, [StopTraining()])
    log = read_log(tmp_path)
    assert [line["kind"] for line in log[4:]] == ["epoch", "step", "step", "epoch"]
    assert model.history.epoch == [0, 1]


# --- What `_compat` says about Keras's callbacks -------------------------------------------------------

SET_AGAIN = {"_current_epoch", "_model", "best_weights", "min_delta", "monitor_op", "params"}
"""Attributes that Keras sets again in a new process, and the best weights, which `fit` restores itself."""


@pytest.mark.parametrize(
    "make",
    [
        lambda path: keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True),
        lambda path: keras.callbacks.History(),
        lambda path: keras.callbacks.LambdaCallback(),
        lambda path: keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        lambda path: keras.callbacks.ModelCheckpoint(
            str(path / "m.weights.h5"), save_best_only=True, save_weights_only=True
        ),
        lambda path: keras.callbacks.ModelCheckpoint(
            str(path / "m.weights.h5"), save_freq=3, save_weights_only=True
        ),
        lambda path: keras.callbacks.ReduceLROnPlateau(patience=1, cooldown=2),
        lambda path: keras.callbacks.RemoteMonitor(),
        lambda path: keras.callbacks.TerminateOnNaN(),
    ],
)
@pytest.mark.filterwarnings("ignore:Could not reach RemoteMonitor")
def test_state_names_cover_all_that_a_callback_of_keras_changes(make: Any, tmp_path: Path) -> None:
    callback = make(tmp_path)
    names = get_callback_state_names(callback)
    before = {name: copy.copy(value) for name, value in vars(callback).items()}
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    model.compile("sgd", LOSS)
    model.fit(X, Y, epochs=5, validation_data=(X, 1 - Y), callbacks=[callback], verbose=0)
    changed = {name for name, value in vars(callback).items() if before.get(name, callback) != value}
    assert changed - SET_AGAIN <= set(names)
    assert set(names) <= set(vars(callback))


def test_metric_directions_are_those_of_keras() -> None:
    accuracy, error = keras.metrics.SparseCategoricalAccuracy(), keras.metrics.MeanSquaredError()
    assert get_metric_direction(accuracy) == "max"
    assert get_metric_direction(error) == "min"
    assert get_metric_direction(keras.metrics.Sum()) is None


def test_generation_metrics_log_examples_that_are_far_from_each_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In a set whose neighbors are alike, and have the same input twice."""
    inputs = [f"{number // 2}" for number in range(200)]
    callback = zoo.training.GenerationMetrics(inputs, lambda: inputs, lambda texts: {})
    with caplog.at_level("INFO", "zoo"):
        for epoch in range(10):
            callback.on_epoch_end(epoch)
    shown = sorted(int(message.split()[0]) for message in caplog.messages)
    assert len(shown) == 10
    assert min(later - earlier for earlier, later in itertools.pairwise(shown)) >= 5
    assert all(
        message == f"\n  {message.split()[0]}\n  -> {message.split()[0]}" for message in caplog.messages
    )
