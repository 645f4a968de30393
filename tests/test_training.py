"""The training loop: what a step computes, what a run directory holds, and exact resume."""

import io
import json
import logging
import math
import os
import re
import resource
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from resumable import assert_identical

import zoo
from zoo.files import read_json, write_json
from zoo.training import Progress, run_log
from zoo.training.best_epoch import find_best_epoch, find_last_improvement
from zoo.training.curves import plot_training_curves

RNG = np.random.default_rng(5)
X = RNG.normal(size=(57, 6, 3)).astype("float32")
Y = (X[:, 0, 0] + X[:, -1, 1] > 0).astype("int64")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Skip compilation and plots, which take most of the time of small runs. `test_resume` compiles."""
    monkeypatch.setattr("zoo.training.run_directory.plot_training_curves", lambda run_dir, image_path: None)
    with zoo.disable_jit():
        yield


def make_dataset(*values: np.ndarray, batch: int = 10) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(values or (X, Y)).batch(batch)


def build_model(*layers: Callable[[], keras.layers.Layer]) -> keras.Model:
    """Build a model from functions that make its layers, with the same initial weights each time."""
    keras.utils.set_random_seed(3)
    layers = layers or (lambda: keras.layers.Flatten(), lambda: keras.layers.Dense(2))
    return keras.Sequential([keras.Input((6, 3)), *(layer() for layer in layers)])


def accuracy() -> list[keras.metrics.Metric]:
    return [keras.metrics.SparseCategoricalAccuracy("accuracy")]


def run_fit(run_dir: Path, model: keras.Model | None = None, train: Any = None, **options: Any) -> tuple:
    """Return the model, and the metrics of each epoch by name, by default of a small run."""
    model = build_model() if model is None else model
    train = make_dataset() if train is None else train
    options = {
        "optimizer": keras.optimizers.Adam(0.03, global_clipnorm=0.5),
        "loss": LOSS,
        "epochs": 2,
        "monitor": "loss",
        **options,
    }
    return model, zoo.fit(model, train, run_dir=run_dir, **options).history


def read_log(run_dir: Path, kind: str) -> list[dict[str, Any]]:
    lines = run_log.read_log(run_dir)
    return [{k: v for k, v in line.items() if k != "timing"} for line in lines if line["kind"] == kind]


class CallAt(keras.callbacks.Callback):
    """Calls a function after a batch of the first epoch, counted from 1."""

    def __init__(self, batch: int, function: Callable[[], Any]) -> None:
        super().__init__()
        self.batch, self.function = batch, function

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch + 1 == self.batch:
            self.function()


# --- What a step computes ----------------------------------------------------------------------------


def test_fit_equals_keras_fit(tmp_path: Path) -> None:
    """Weights agree, with a smaller last batch, clipping and a regularizer."""

    def build() -> keras.Model:
        return build_model(lambda: zoo.GRU(4), lambda: keras.layers.Dense(2, kernel_regularizer="l2"))

    model, history = run_fit(tmp_path, build(), metrics=accuracy())
    other = build()
    other.compile(
        keras.optimizers.Adam(0.03, global_clipnorm=0.5), LOSS, metrics=accuracy(), jit_compile=False
    )
    expected = other.fit(make_dataset(), epochs=2, shuffle=False, verbose=0).history
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=1e-5)
    assert history["accuracy"] == pytest.approx(expected["accuracy"])


def test_sample_weights_of_elements(tmp_path: Path) -> None:
    """Loss and gradient are those of the mean over all elements of the batch that are not padding."""
    present = RNG.random((12, 6)) < 0.6
    targets = RNG.integers(0, 2, (12, 6))
    model = build_model(lambda: keras.layers.Dense(4), lambda: keras.layers.Dense(2))
    x = X[:12]
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(x))
        mean = tf.reduce_mean(tf.boolean_mask(losses, present))
    norm = tf.linalg.global_norm(tape.gradient(mean, [v.value for v in model.trainable_variables]))
    batches = make_dataset(x, targets, present.astype("float32"), batch=12)
    run_fit(tmp_path, model, batches, epochs=1)
    (line,) = read_log(tmp_path, "step")
    assert line["loss"] == pytest.approx(float(mean), rel=1e-5)
    assert line["gradient_norm"] == pytest.approx(float(norm), rel=1e-5)


def test_sample_weights_of_rows_apply_to_all_their_elements() -> None:
    targets, rows = RNG.integers(0, 2, (57, 6)), RNG.random(57).astype("float32")
    model = build_model(lambda: keras.layers.Dense(4), lambda: keras.layers.Dense(2))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(X)).numpy().mean(1)
    expected = (losses * rows).sum() / rows.sum()
    assert zoo.evaluate(model, make_dataset(X, targets, rows), LOSS)["loss"] == pytest.approx(
        expected, rel=1e-5
    )


def test_metrics_weight_each_time_step() -> None:
    """Short rows count no more than long ones; each row has another share of correct steps."""
    lengths, right = np.array([1, 2, 5]), np.array([1, 1, 0])
    x = np.stack([np.zeros((3, 5)), right[:, None] - np.full((3, 5), 0.5)], -1).astype("float32")
    weights = ((np.arange(5) < lengths[:, None]) * [[2.0], [1.0], [1.0]]).astype("float32")

    def padded() -> Iterator[tuple[np.ndarray, ...]]:
        for rows, time in ((slice(0, 2), 2), (slice(2, 3), 5)):
            yield x[rows, :time], np.ones((3, 5), "int64")[rows, :time], weights[rows, :time]

    spec = ((2,), tf.float32), ((), tf.int64), ((), tf.float32)
    signature = tuple(tf.TensorSpec([None, None, *shape], kind) for shape, kind in spec)
    batches = tf.data.Dataset.from_generator(padded, output_signature=signature)
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Identity()])
    metrics = zoo.evaluate(model, batches, LOSS, accuracy())
    assert metrics["accuracy"] == pytest.approx((2 * 1 + 2) / (2 * 1 + 2 + 5))


def test_gradient_norm_sums_repeated_rows_of_an_embedding(tmp_path: Path) -> None:
    ids, model = np.full((4, 5), 2), zoo.ManyToOne(4, 3, None, 2, "mean")
    model.build((None, None))
    with tf.GradientTape() as tape:
        mean = tf.reduce_mean(LOSS(Y[:4], model(ids)))
    gradients = tape.gradient(mean, [v.value for v in model.trainable_variables])
    norm = tf.linalg.global_norm([tf.convert_to_tensor(gradient) for gradient in gradients])
    run_fit(tmp_path, model, make_dataset(ids, Y[:4]), epochs=1)
    assert read_log(tmp_path, "step")[0]["gradient_norm"] == pytest.approx(float(norm), rel=1e-5)


def test_loss_scaling_changes_no_update(tmp_path: Path) -> None:
    plain, _ = run_fit(tmp_path / "plain", optimizer=keras.optimizers.SGD(0.1, global_clipnorm=0.5))
    scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, global_clipnorm=0.5))
    scaled, _ = run_fit(tmp_path / "scaled", optimizer=scaling)
    for one, two in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    for one, two in zip(*(read_log(tmp_path / name, "step") for name in ("plain", "scaled")), strict=True):
        assert [one[name] for name in ("loss", "gradient_norm")] == pytest.approx(
            [two["loss"], two["gradient_norm"]], rel=1e-4
        )


def test_step_with_overflowing_scaled_gradients_is_skipped(tmp_path: Path) -> None:
    scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-5), initial_scale=2.0**127)
    start = build_model()
    model, history = run_fit(tmp_path, optimizer=scaling, train=make_dataset(X * 100, Y), epochs=3)
    assert math.isinf(read_log(tmp_path, "step")[0]["gradient_norm"])
    assert float(scaling.dynamic_scale) < 2.0**127
    assert 0 < int(scaling.iterations) < 3 * 6
    assert any((one != two).any() for one, two in zip(start.get_weights(), model.get_weights(), strict=True))
    assert all(map(math.isfinite, history["loss"]))


@pytest.mark.parametrize("kind", [zoo.optimizers.FusedAdam, keras.optimizers.Adam, keras.optimizers.SGD])
def test_accumulated_batches_equal_one_large_batch(kind: Any, tmp_path: Path) -> None:
    """Three batches of 4 and one of 12, with clipping, weight decay and a regularizer."""

    def train(batch: int, steps: int | None, scale: bool = False) -> keras.Model:
        model = build_model(lambda: zoo.GRU(4), lambda: keras.layers.Dense(2, kernel_regularizer="l2"))
        optimizer = kind(0.05, global_clipnorm=0.3, weight_decay=0.01, gradient_accumulation_steps=steps)
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer) if scale else optimizer
        data = make_dataset(X[:48], Y[:48], batch=batch)
        run_fit(tmp_path / f"{steps}{scale}", model, data, optimizer=optimizer, epochs=3)
        return model

    expected, start = train(12, None), build_model(lambda: zoo.GRU(4), lambda: keras.layers.Dense(2))
    for model in (train(4, 3), train(4, 3, scale=True)):
        for one, two, first in zip(model.weights, expected.weights, start.weights, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=2e-5)
            assert np.abs(np.asarray(one) - np.asarray(first)).max() > 1e-3


def test_run_that_accumulates_gradients_resumes_exactly(tmp_path: Path) -> None:
    """Interrupted between two updates; the third epoch begins between two updates, too."""

    def run(name: str, *callbacks: keras.callbacks.Callback) -> keras.Model:
        optimizer = zoo.optimizers.FusedAdam(0.03, gradient_accumulation_steps=4)
        options = {"optimizer": optimizer, "epochs": 3, "callbacks": callbacks}
        return run_fit(tmp_path / name, dropout_model(), shuffled_dataset(), **options)[0]

    expected = run("uninterrupted")
    with pytest.raises(zoo.errors.Interrupted):
        run("resumed", CallAt(4, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert_identical(expected, run("resumed"))
    assert read_log(tmp_path / "uninterrupted", "step") == read_log(tmp_path / "resumed", "step")


def test_more_accumulation_steps_than_batches_raise(tmp_path: Path) -> None:
    optimizer = keras.optimizers.Adam(0.1, gradient_accumulation_steps=13)
    with pytest.raises(
        ValueError, match="is 13, but 2 epochs have 12 batches, so the weights would never change"
    ):
        run_fit(tmp_path, optimizer=optimizer)


def test_half_precision_losses_are_summed_in_float32() -> None:
    x, y = np.ones((90, 1000, 1), "float16"), np.ones((90, 1000, 1), "float32")

    def loss(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return tf.abs(tf.cast(targets, outputs.dtype) - outputs)[..., 0]

    model = keras.Sequential([keras.Input((1000, 1)), keras.layers.Rescaling(0.5, dtype="float16")])
    assert zoo.evaluate(model, make_dataset(x, y, batch=90), loss)["loss"] == pytest.approx(0.5)


def test_evaluate_equals_keras_and_includes_the_last_batch() -> None:
    keras_metrics = [keras.metrics.CategoricalHinge(), keras.metrics.F1Score("macro"), keras.metrics.AUC(20)]
    model, one_hot = build_model(), np.eye(2)[Y].astype("float32")
    model.add(keras.layers.Softmax())
    loss = keras.losses.CategoricalCrossentropy()
    metrics = zoo.evaluate(model, make_dataset(X, one_hot), loss, keras_metrics)
    model.compile(loss=loss, metrics=keras_metrics)
    expected = model.evaluate(X, one_hot, verbose=0, return_dict=True)
    assert metrics == pytest.approx(expected, rel=1e-5)


def test_states_are_carried_between_windows_and_reset_each_epoch(tmp_path: Path) -> None:
    """Truncated backpropagation through time equals a loop written by hand."""
    ids = RNG.integers(0, 5, 49)
    windows = zoo.training.bptt_windows(ids, batch_size=2, steps=6)

    def build(stateful: bool) -> keras.Model:
        keras.utils.set_random_seed(3)
        shape = keras.Input(batch_shape=(2, 6))
        layer = zoo.GRU(4, stateful=stateful, return_sequences=True, return_state=True, name="gru")
        return keras.Sequential(
            [shape, keras.layers.Embedding(5, 3), layer, FirstOutput(), keras.layers.Dense(5)]
        )

    model, _ = run_fit(
        tmp_path, build(True), windows, validation=windows, optimizer=keras.optimizers.SGD(0.5)
    )
    embedding, layer, _, scores = (other := build(False)).layers
    for _ in range(2):
        state = tf.zeros((2, 4))
        for x, y in windows:
            with tf.GradientTape() as tape:
                outputs, state = layer(embedding(x), initial_state=[tf.stop_gradient(state)])
                loss = tf.reduce_mean(LOSS(y, scores(outputs)))
            variables = [v.value for v in other.trainable_variables]
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
                variable.assign_sub(0.5 * tf.convert_to_tensor(gradient))
    for one, two in zip(model.trainable_variables, other.trainable_variables, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=1e-5)


class FirstOutput(keras.layers.Layer):
    """Returns the first of several inputs."""

    def call(self, inputs: Any) -> Any:
        return inputs[0]


# --- The best epoch ---------------------------------------------------------------------------------


def test_fit_restores_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    """Validation has inverted labels, so its accuracy falls as the model learns."""
    options = {"metrics": accuracy(), "epochs": 12, "monitor": "val_accuracy", "mode": "max"}
    model, history = run_fit(tmp_path, validation=make_dataset(X, 1 - Y), **options)
    assert history["accuracy"][-1] > 0.9
    values = history["val_accuracy"]
    assert max(values) > values[-1]
    assert zoo.evaluate(model, make_dataset(X, 1 - Y), LOSS, accuracy())["accuracy"] == max(values)


class SetMetrics(keras.callbacks.Callback):
    """Replaces the metrics of each epoch."""

    def __init__(self, **metrics: list[float]) -> None:
        super().__init__()
        self.metrics = metrics

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        logs |= {name: values[epoch] for name, values in self.metrics.items()}


@pytest.mark.parametrize(
    ("metrics", "best"),
    [
        ({"val_accuracy": [0.5, 0.5, 0.5], "val_loss": [0.9, 0.7, 0.8]}, 2),  # the lower validation loss
        ({"val_accuracy": [0.5, 0.5, 0.5], "val_loss": [0.9, 0.7, 0.7]}, 3),  # the later epoch
        ({"val_accuracy": [0.5, 0.6, 0.5], "val_loss": [0.9, 0.7, 0.6]}, 2),  # accuracy comes first
        ({"val_accuracy": [0.6, math.nan, 0.6], "val_loss": [0.7, 0.1, math.nan]}, 1),
        ({"val_accuracy": [math.nan] * 3, "val_loss": [math.nan] * 3}, 3),
        ({"val_accuracy": [0.5, 0.5, 0.5], "loss": [0.3, 0.2, 0.4]}, 2),  # without validation
    ],
)
def test_ties_go_to_the_lower_loss_then_to_the_later_epoch(
    metrics: dict[str, list[float]], best: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The weights are those after that epoch, and the log names it."""
    caplog.set_level("INFO")
    options = {"monitor": "val_accuracy", "mode": "max", "epochs": 3}
    model, _ = run_fit(tmp_path / "all", callbacks=[SetMetrics(**metrics)], **options)
    expected, _ = run_fit(tmp_path / "best", epochs=best, callbacks=[KeepLast()], monitor="kept", mode="max")
    for one, two in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert f"kept: epoch {best} of 3, with val_accuracy" in caplog.text


@pytest.mark.parametrize(("mode", "worst"), [("min", math.inf), ("max", -math.inf)])
def test_nan_is_worse_than_infinity(mode: Any, worst: float) -> None:
    history = [{"score": worst, "loss": 2.0}, {"score": math.nan, "loss": 1.0}]
    assert find_best_epoch(history, "score", mode) == 0
    assert find_last_improvement(history[::-1], "score", mode) == 1


class KeepLast(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        logs["kept"] = epoch


def test_patience_goes_on_while_the_loss_falls_and_stops_where_nothing_improves(tmp_path: Path) -> None:
    metrics = SetMetrics(bleu=[0, 0, 0, 0, 0, 0], loss=[9, 8, 7, 7, 7, 6])
    _, history = run_fit(tmp_path, monitor="bleu", mode="max", patience=2, epochs=6, callbacks=[metrics])
    assert history["loss"] == [9, 8, 7, 7, 7]


def test_patience_stops_and_a_second_call_trains_no_further(tmp_path: Path) -> None:
    """`monitor` is a metric that a callback adds, such as BLEU."""

    class Bleu(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            logs["bleu"] = [10, 30, 20, 29, 40][epoch]

    options = {"monitor": "bleu", "mode": "max", "patience": 2, "epochs": 5, "callbacks": [Bleu()]}
    _, history = run_fit(tmp_path, **options)
    assert history["bleu"] == [10, 30, 20, 29]
    _, again = run_fit(tmp_path, **options)
    assert again == history


def test_callback_can_stop_training(tmp_path: Path) -> None:
    class StopTraining(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            self.model.stop_training = epoch == 1

    assert len(run_fit(tmp_path, epochs=5, callbacks=[StopTraining()])[1]["loss"]) == 2


@pytest.mark.parametrize(
    "callbacks", [[], [keras.callbacks.ReduceLROnPlateau("loss")], [SetMetrics(bleu=[1, 2])]]
)
def test_unknown_monitor_raises(callbacks: list[keras.callbacks.Callback], tmp_path: Path) -> None:
    """Before the first step, unless a callback may add the metric."""
    with pytest.raises(
        zoo.errors.TrainingError, match=r"`monitor` is 'f1', but the metrics are loss, accuracy[.,]"
    ):
        run_fit(tmp_path / "run", monitor="f1", mode="max", metrics=accuracy(), callbacks=callbacks)
    is_late = any(isinstance(callback, SetMetrics) for callback in callbacks)
    assert (tmp_path / "run").exists() == is_late


# --- The run directory --------------------------------------------------------------------------------


def test_run_directory_has_settings_provenance_log_and_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.training.run_directory.plot_training_curves", plot_training_curves)
    _, history = run_fit(tmp_path, settings={"seed": 3, "at": tmp_path}, metrics=accuracy())
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["settings"]["seed"] == 3
    assert run["settings"]["at"] == str(tmp_path)
    assert run["settings"]["fit"]["optimizer"]["global_clipnorm"] == 0.5
    assert run["versions"]["keras"] == keras.__version__
    assert run["commit"]
    assert run["command"] == shlex.join(sys.orig_argv)
    assert [line["step"] for line in read_log(tmp_path, "step")] == list(range(1, 13))
    assert [line["accuracy"] for line in read_log(tmp_path, "epoch")] == history["accuracy"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("epochs", [2, 40])
def test_curves_mark_the_best_epoch_with_plain_numbers(tmp_path: Path, epochs: int) -> None:
    _, history = run_fit(tmp_path, metrics=accuracy(), epochs=epochs)
    figure = plot_training_curves(tmp_path)
    figure.draw_without_rendering()
    losses, norms, _ = figure.get_axes()
    lines = {line.get_label(): line for line in losses.get_lines()}
    best = np.argmin(history["loss"])
    steps = [line["step"] for line in read_log(tmp_path, "epoch")]
    assert set(lines[f"best epoch ({best + 1}), which is kept"].get_xdata()) == {steps[best]}
    assert ("training, smoothed" in lines) == (len(read_log(tmp_path, "step")) >= 100)
    assert ("training" in lines) == (len(read_log(tmp_path, "step")) < 100)
    for axes in (losses, norms):
        labels = [label.get_text() for label in axes.get_yticklabels(which="both")]
        assert any(labels)
        assert all(re.fullmatch(r"[\d.e-]*", label) for label in labels)


def test_curves_of_a_loss_that_is_not_positive_are_linear(tmp_path: Path) -> None:
    """A logarithmic axis would warn, and a warning may be an error."""
    data = make_dataset(X[:, 0], X[:, 0])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    run_fit(
        tmp_path, model, data, loss=lambda y, outputs: keras.ops.mean((y - outputs) ** 2, -1) - 100, epochs=1
    )
    losses, norms, *_ = plot_training_curves(tmp_path, tmp_path / "curves.png").get_axes()
    assert (losses.get_yscale(), norms.get_yscale()) == ("linear", "log")


def test_tensorboard_has_the_log(tmp_path: Path) -> None:
    run_fit(tmp_path)
    run_fit(tmp_path)  # rewrites the events
    (file,) = (tmp_path / "tensorboard").iterdir()
    read = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            read.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert read["gradient_norm"] == [
        (line["step"], np.float32(line["gradient_norm"])) for line in read_log(tmp_path, "step")
    ]
    assert read["epoch_loss"] == [(n["step"], np.float32(n["loss"])) for n in read_log(tmp_path, "epoch")]


def test_other_settings_raise_and_list_the_differences(tmp_path: Path) -> None:
    run_fit(tmp_path, settings={"units": 4, "seed": 1})
    with pytest.raises(zoo.errors.TrainingError, match="other settings") as error:
        run_fit(tmp_path, settings={"units": 5, "seed": 1}, patience=3)
    assert "  units: was 4, is now 5\n  fit.patience: was None, is now 3\n" in str(error.value)
    assert "seed" not in str(error.value)


def test_an_optimizer_whose_learning_rate_a_callback_has_changed_is_made_anew(tmp_path: Path) -> None:
    def options() -> dict[str, Any]:
        reduce = keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100.0)
        return {"optimizer": keras.optimizers.SGD(0.1), "callbacks": [reduce], "epochs": 3}

    first = options()
    _, history = run_fit(tmp_path, **first)
    with pytest.raises(zoo.errors.TrainingError, match=r"(?s)learning_rate: was 0\.1.* make it anew\."):
        run_fit(tmp_path, **{**options(), "optimizer": first["optimizer"]})
    assert run_fit(tmp_path, **options())[1] == history


def test_the_number_that_keras_gives_a_loss_is_no_setting(tmp_path: Path) -> None:
    for _ in range(2):
        run_fit(tmp_path, loss=zoo.losses.LabelSmoothedCrossentropy(0.1), epochs=1)


def test_other_code_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run_fit(tmp_path)
    run = read_json(tmp_path / "run.json")
    run["versions"]["keras"] = "3.0.0"
    del run["digest"]
    write_json(tmp_path / "run.json", run)
    run_fit(tmp_path)
    assert f"versions.keras: was '3.0.0', is now '{keras.__version__}'" in caplog.text


def test_run_directory_in_use_raises(tmp_path: Path) -> None:
    def fit_again() -> None:
        with pytest.raises(zoo.errors.TrainingError, match="Another process is training"):
            run_fit(tmp_path)

    run_fit(tmp_path, callbacks=[CallAt(1, fit_again)], epochs=1)


def test_unwritable_run_directory_raises(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(zoo.errors.TrainingError, match="could not be written: Not a directory"):
        run_fit(tmp_path / "file" / "run")


# --- Resume ------------------------------------------------------------------------------------------


def shuffled_dataset() -> tf.data.Dataset:
    keras.utils.set_random_seed(0)  # on which the order depends, too
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(57, seed=2).batch(10).prefetch(2)


def dropout_model() -> keras.Model:
    dense = [lambda width=width: keras.layers.Dense(width) for width in (64, 2)]
    return build_model(lambda: keras.layers.Dropout(0.3), lambda: keras.layers.Flatten(), *dense)


@pytest.fixture(scope="module")
def uninterrupted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, keras.Model, dict[str, list[float]]]:
    """Run directory, model and history of a run that is not interrupted."""
    run_dir = tmp_path_factory.mktemp("uninterrupted")
    with zoo.disable_jit():
        return run_dir, *run_fit(run_dir, dropout_model(), shuffled_dataset())


def interrupt(run_dir: Path, batch: int, number: int = signal.SIGINT, **options: Any) -> None:
    stop = CallAt(batch, lambda: os.kill(os.getpid(), number))
    with pytest.raises(zoo.errors.Interrupted) as error:
        run_fit(run_dir, dropout_model(), shuffled_dataset(), callbacks=[stop], **options)
    assert error.value.signal == number
    assert f"Stopped at step {batch + 1}; saved in {run_dir}. To resume: " in str(error.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_saves_and_the_same_call_resumes(tmp_path: Path, number: int, uninterrupted: tuple) -> None:
    run_dir, model, history = uninterrupted
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interrupt(tmp_path, 3, number)
    resumed, resumed_history = run_fit(tmp_path, dropout_model(), shuffled_dataset())
    assert_identical(model, resumed)
    assert history == resumed_history
    assert read_log(run_dir, "step") == read_log(tmp_path, "step")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_resume_with_a_dataset_object_that_has_reshuffled_raises(
    tmp_path: Path, uninterrupted: tuple
) -> None:
    """As in a notebook. The dataset made anew resumes exactly, also in the same process."""
    data, stop = shuffled_dataset(), CallAt(3, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(zoo.errors.Interrupted):
        run_fit(tmp_path, dropout_model(), data, callbacks=[stop])
    with pytest.raises(zoo.errors.TrainingError, match=r"it reshuffles, .* Make the dataset anew"):
        run_fit(tmp_path, dropout_model(), data)
    assert_identical(uninterrupted[1], run_fit(tmp_path, dropout_model(), shuffled_dataset())[0])


def test_more_epochs_with_the_same_dataset_object_go_on_in_its_order(
    tmp_path: Path, uninterrupted: tuple
) -> None:
    data = shuffled_dataset()
    for epochs in (1, 1, 2):
        model, _ = run_fit(tmp_path, dropout_model(), data, epochs=epochs)
    assert_identical(uninterrupted[1], model)


def test_passes_for_validation_and_class_weights_are_replayed(tmp_path: Path) -> None:
    """The training data are the validation data, too; interrupted in the second epoch."""

    class StopLater(CallAt):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.model.optimizer.iterations == self.batch:
                self.function()

    def run(name: str, *callbacks: keras.callbacks.Callback) -> keras.Model:
        data = shuffled_dataset()
        options = {"class_weight": "balanced", "callbacks": callbacks, "validation": data}
        return run_fit(tmp_path / name, dropout_model(), data, **options)[0]

    expected = run("uninterrupted")
    with pytest.raises(zoo.errors.Interrupted):
        run("resumed", StopLater(8, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert_identical(expected, run("resumed"))


def test_history_is_that_of_keras_also_after_a_resume(tmp_path: Path) -> None:
    """A second process gets all epochs, and in `model.history`, too."""
    for _ in range(2):
        model = build_model()
        history = zoo.fit(
            model,
            make_dataset(),
            make_dataset(X, 1 - Y),
            optimizer=keras.optimizers.SGD(0.1),
            loss=LOSS,
            metrics=accuracy(),
            epochs=3,
            run_dir=tmp_path,
        )
        assert isinstance(history, keras.callbacks.History)
        assert model.history is history
        assert history.epoch == [0, 1, 2]
        assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
        log = read_log(tmp_path, "epoch")
        assert history.history == {name: [line[name] for line in log] for name in history.history}


def test_signal_after_the_last_step_stops(tmp_path: Path, uninterrupted: tuple) -> None:
    class InterruptAtEnd(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            if epoch == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(zoo.errors.Interrupted, match="Stopped at step 12; saved in"):
        run_fit(tmp_path, dropout_model(), shuffled_dataset(), callbacks=[InterruptAtEnd()])
    resumed, history = run_fit(tmp_path, dropout_model(), shuffled_dataset())
    assert_identical(uninterrupted[1], resumed)
    assert history == uninterrupted[2]


def test_resume_restores_states_of_stateful_layers(tmp_path: Path) -> None:
    """Truncated backpropagation through time, interrupted in the middle of an epoch."""
    windows = zoo.training.bptt_windows(RNG.integers(0, 5, 61), batch_size=2, steps=5)

    def run(name: str, *callbacks: keras.callbacks.Callback) -> keras.Model:
        keras.utils.set_random_seed(3)
        stack = [zoo.LSTM(4, stateful=True, return_sequences=True), keras.layers.Dense(5)]
        model = keras.Sequential([keras.Input(batch_shape=(2, 5)), keras.layers.Embedding(5, 3), *stack])
        return run_fit(tmp_path / name, model, windows, callbacks=callbacks)[0]

    expected = run("uninterrupted")
    with pytest.raises(zoo.errors.Interrupted):
        run("resumed", CallAt(3, lambda: os.kill(os.getpid(), signal.SIGINT)))
    resumed = run("resumed")
    assert_identical(expected, resumed)
    assert read_log(tmp_path / "uninterrupted", "step") == read_log(tmp_path / "resumed", "step")
    for one, two in zip(expected.layers[1].states, resumed.layers[1].states, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


@pytest.mark.parametrize("corruption", ["cut", "flipped", "manifest", "missing"])
def test_corrupt_checkpoint_is_skipped(
    tmp_path: Path, corruption: str, uninterrupted: tuple, caplog: pytest.LogCaptureFixture
) -> None:
    run_dir, model, _ = uninterrupted
    interrupt(tmp_path, 4, checkpoint_seconds=0)
    newest = max((tmp_path / "checkpoints").iterdir())
    manifest, state = newest / "checkpoint.json", newest / "state.data-00000-of-00001"
    content = bytearray(state.read_bytes())
    if corruption == "cut":
        state.write_bytes(content[: len(content) // 2])
    elif corruption == "flipped":
        content[len(content) // 3] ^= 4
        state.write_bytes(content)
    elif corruption == "manifest":
        manifest.write_text(manifest.read_text().replace('"batch": 5', '"batch": 3'))
    else:
        manifest.unlink()
    caplog.set_level("INFO")
    resumed, _ = run_fit(tmp_path, dropout_model(), shuffled_dataset())
    assert f"Skipping the checkpoint {newest}: " in caplog.text
    assert "resuming after step 4, in epoch 1" in caplog.text
    assert_identical(model, resumed)
    assert read_log(run_dir, "step") == read_log(tmp_path, "step")


def test_complete_run_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model, _ = run_fit(tmp_path)
    caplog.set_level("INFO")
    again, _ = run_fit(tmp_path)
    complete = f"{tmp_path}: training is complete; raise the number of epochs to go on"
    assert ("zoo.training.training_loop", logging.WARNING, complete) in caplog.record_tuples
    assert "resuming" not in caplog.text
    assert_identical(model, again)


def test_checkpoint_of_another_model_raises(tmp_path: Path) -> None:
    run_fit(tmp_path, build_model())
    with pytest.raises(
        zoo.errors.TrainingError,
        match=r"belongs to another model: 'model' has float32 \(18, 2\) where the current model has float32 \(18, 3\)",
    ):
        run_fit(tmp_path, build_model(lambda: keras.layers.Flatten(), lambda: keras.layers.Dense(3)))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (
            5000,
            r"(?s)The checkpoint could not be written.*File too large\. The last good .* is \S*/000004\.",
        ),
        (100, r"(?s)The run directory .* could not be written: File too large\."),
    ],
    ids=["checkpoint", "log"],
)
def test_full_disk_leaves_the_last_good_checkpoint(
    tmp_path: Path, size: int, message: str, uninterrupted: tuple
) -> None:
    """From a certain step on, files may not exceed a size, so that a write fails halfway."""

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))

    run_dir, model, _ = uninterrupted
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(zoo.errors.TrainingError, match=message):
            run_fit(
                tmp_path,
                dropout_model(),
                shuffled_dataset(),
                callbacks=[CallAt(4, limit_file_size)],
                checkpoint_seconds=0,
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    resumed, _ = run_fit(tmp_path, dropout_model(), shuffled_dataset())
    assert_identical(model, resumed)
    assert read_log(run_dir, "step") == read_log(tmp_path, "step")


# --- NaN and infinity --------------------------------------------------------------------------------


class Overflow(keras.layers.Layer):
    """Returns infinity where the first feature is above 2.9."""

    def call(self, x: Any) -> Any:
        return x / tf.cast(x[..., :1] < 2.9, x.dtype)


class SquareRoot(keras.layers.Layer):
    """Adds the square root of a weight that is zero: finite, but its gradient is not."""

    def build(self, shape: Any) -> None:
        self.weight = self.add_weight(name="weight", initializer="zeros")

    def call(self, x: Any) -> Any:
        return x + keras.ops.sqrt(self.weight)


def with_nan(values: np.ndarray, row: int) -> np.ndarray:
    values = values.copy()
    values[row] = np.nan
    return values


def model_with_infinite_weight() -> keras.Model:
    model = build_model()
    model.layers[-1].kernel.assign(np.full((18, 2), np.inf))
    return model


LARGE = X.copy()
LARGE[34, 0, 0] = 3.1


@pytest.mark.parametrize(
    ("build", "x", "batch", "cause"),
    [
        (build_model, with_nan(X, 34), 4, "the inputs of the batch are not finite"),
        (model_with_infinite_weight, X, 1, r"the weight \S*kernel is not finite"),
        (
            lambda: build_model(lambda: Overflow(name="over"), lambda: keras.layers.Flatten()),
            LARGE,
            4,
            "the output of the layer \\S*/over is not finite",
        ),
        (
            lambda: build_model(lambda: keras.layers.Flatten(), lambda: SquareRoot(name="root")),
            X,
            1,
            "the gradient of \\S*root/weight is not finite",
        ),
    ],
    ids=["inputs", "weights", "layer", "gradient"],
)
def test_nonfinite_step_is_located(
    tmp_path: Path, build: Callable, x: np.ndarray, batch: int, cause: str
) -> None:
    where = f"Training stopped at step {batch}, batch {batch} of epoch 1: {cause}"
    with pytest.raises(zoo.errors.TrainingError, match=where):
        run_fit(tmp_path, build(), make_dataset(x, Y), checkpoint_seconds=0)
    saved = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert saved == (["000003", "000004"] if batch > 1 else ["000001"])  # the first has the initial weights


def test_remaining_time_is_estimated_without_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batch of each size compiles: here for 40 and 30 seconds, where others take one or two."""
    seconds = 0.0
    monkeypatch.setattr("zoo.training.progress.time.monotonic", lambda: seconds)
    stream = io.StringIO()
    progress = Progress("epoch 1/2", num_batches=10, batches_after=10, stream=stream)
    for size, duration in ((64, 40), (64, 1), (28, 30), (64, 2), (64, 1)):
        seconds += duration
        progress.printed_at = -math.inf
        progress.update(size)
    lines = stream.getvalue().splitlines()
    assert [re.findall(r"left (\S+)", line) for line in lines] == [[], ["0:18"], ["0:17"], ["0:24"], ["0:20"]]
    assert progress.timing()["seconds"] == 74


def test_progress_clear_erases_the_line_on_a_terminal_only() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, suffix in ((Terminal(), "\r\x1b[K"), (io.StringIO(), "")):
        progress = Progress("reading", 3, stream=stream)
        progress.printed_at = -math.inf
        progress.update(2)
        printed = stream.getvalue()
        assert "reading  1/3  " in printed
        progress.clear()
        assert stream.getvalue() == printed + suffix
