"""The training loop: what a step computes, what is kept, and that a run goes on to the bit."""

import io
import json
import math
import os
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

import zoo
from zoo.training import Progress
from zoo.training.curves import plot_training_curves

RNG = np.random.default_rng(5)
X = RNG.normal(size=(57, 6, 3)).astype("float32")
Y = (X[:, 0, 0] + X[:, -1, 1] > 0).astype("int64")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compiling and drawing take most of the time of small runs. `test_resume` compiles."""
    monkeypatch.setattr("zoo.training.run_directory.plot_training_curves", lambda log, picture: None)
    with zoo.disable_jit():
        yield


def dataset(*values: np.ndarray, batch: int = 10) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(values or (X, Y)).batch(batch)


def network(*layers: Callable[[], keras.layers.Layer]) -> keras.Model:
    """The layers, each made by a function, with the same random numbers each time."""
    keras.utils.set_random_seed(3)
    layers = layers or (lambda: keras.layers.Flatten(), lambda: keras.layers.Dense(2))
    return keras.Sequential([keras.Input((6, 3)), *(layer() for layer in layers)])


def accuracy() -> list[keras.metrics.Metric]:
    return [keras.metrics.SparseCategoricalAccuracy("accuracy")]


def fitted(folder: Path, model: keras.Model | None = None, training: Any = None, **options: Any) -> tuple:
    """The model and the figures of each epoch, by default of a small run."""
    model = network() if model is None else model
    training = dataset() if training is None else training
    options = {
        "optimizer": keras.optimizers.Adam(0.03, global_clipnorm=0.5),
        "loss": LOSS,
        "epochs": 2,
        "monitor": "loss",
        **options,
    }
    return model, zoo.fit(model, training, run_dir=folder, **options)


def log(folder: Path, kind: str) -> list[dict[str, Any]]:
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [{k: v for k, v in line.items() if k != "timing"} for line in lines if line["kind"] == kind]


def weights(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(v) for v in (*model.variables, *model.optimizer.variables)]


def assert_same(model: keras.Model, other: keras.Model) -> None:
    for one, two in zip(weights(model), weights(other), strict=True):
        np.testing.assert_array_equal(one, two)


class At(keras.callbacks.Callback):
    """Does something after a number of batches of the first epoch."""

    def __init__(self, batch: int, act: Callable[[], Any]) -> None:
        super().__init__()
        self.at, self.act = batch, act

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch + 1 == self.at:
            self.act()


# --- What a step computes ----------------------------------------------------------------------------


def test_equals_the_fit_of_keras(tmp_path: Path) -> None:
    """On the same batches, the last of them smaller, with clipping and a regularizer: the same weights."""

    def made() -> keras.Model:
        return network(lambda: zoo.GRU(4), lambda: keras.layers.Dense(2, kernel_regularizer="l2"))

    model, history = fitted(tmp_path, made(), metrics=accuracy())
    other = made()
    other.compile(
        keras.optimizers.Adam(0.03, global_clipnorm=0.5), LOSS, metrics=accuracy(), jit_compile=False
    )
    theirs = other.fit(dataset(), epochs=2, shuffle=False, verbose=0).history
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=1e-5)
    assert [epoch["accuracy"] for epoch in history] == pytest.approx(theirs["accuracy"])


def test_each_element_has_the_weight_it_is_given(tmp_path: Path) -> None:
    """Loss and gradients are those of the mean over what is not padding, in the whole batch."""
    present = RNG.random((12, 6)) < 0.6
    targets = RNG.integers(0, 2, (12, 6))
    made = network(lambda: keras.layers.Dense(4), lambda: keras.layers.Dense(2))
    x = X[:12]
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, made(x))
        mean = tf.reduce_mean(tf.boolean_mask(losses, present))
    norm = tf.linalg.global_norm(tape.gradient(mean, [v.value for v in made.trainable_variables]))
    batches = dataset(x, targets, present.astype("float32"), batch=12)
    fitted(tmp_path, made, batches, epochs=1)
    (line,) = log(tmp_path, "step")
    assert line["loss"] == pytest.approx(float(mean), rel=1e-5)
    assert line["norm"] == pytest.approx(float(norm), rel=1e-5)


def test_weights_of_rows_count_for_all_their_elements() -> None:
    targets, rows = RNG.integers(0, 2, (57, 6)), RNG.random(57).astype("float32")
    model = network(lambda: keras.layers.Dense(4), lambda: keras.layers.Dense(2))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(X)).numpy().mean(1)
    expected = (losses * rows).sum() / rows.sum()
    assert zoo.evaluate(model, dataset(X, targets, rows), LOSS)["loss"] == pytest.approx(expected, rel=1e-5)


def test_metrics_count_each_step_by_its_weight() -> None:
    """A batch of short rows counts no more than one of long rows: of each another share of steps is right."""
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
    found = zoo.evaluate(model, batches, LOSS, accuracy())
    assert found["accuracy"] == pytest.approx((2 * 1 + 2) / (2 * 1 + 2 + 5))


def test_norm_adds_up_rows_of_an_embedding_that_come_more_than_once(tmp_path: Path) -> None:
    ids, model = np.full((4, 5), 2), zoo.ManyToOne(4, 3, None, 2, "mean")
    model.build((None, None))
    with tf.GradientTape() as tape:
        mean = tf.reduce_mean(LOSS(Y[:4], model(ids)))
    gradients = tape.gradient(mean, [v.value for v in model.trainable_variables])
    norm = tf.linalg.global_norm([tf.convert_to_tensor(gradient) for gradient in gradients])
    fitted(tmp_path, model, dataset(ids, Y[:4]), epochs=1)
    assert log(tmp_path, "step")[0]["norm"] == pytest.approx(float(norm), rel=1e-5)


def test_a_scaled_loss_moves_weights_as_an_unscaled_one_does(tmp_path: Path) -> None:
    plain, _ = fitted(tmp_path / "plain", optimizer=keras.optimizers.SGD(0.1, global_clipnorm=0.5))
    scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, global_clipnorm=0.5))
    scaled, _ = fitted(tmp_path / "scaled", optimizer=scaling)
    for one, two in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    for one, two in zip(*(log(tmp_path / name, "step") for name in ("plain", "scaled")), strict=True):
        assert [one[name] for name in ("loss", "norm")] == pytest.approx([two["loss"], two["norm"]], rel=1e-4)


def test_a_step_whose_scaled_gradients_overflow_is_left_out(tmp_path: Path) -> None:
    scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-5), initial_scale=2.0**127)
    start = network()
    model, history = fitted(tmp_path, optimizer=scaling, training=dataset(X * 100, Y), epochs=3)
    assert math.isinf(log(tmp_path, "step")[0]["norm"])
    assert float(scaling.dynamic_scale) < 2.0**127
    assert 0 < int(scaling.iterations) < 3 * 6
    assert any((one != two).any() for one, two in zip(start.get_weights(), model.get_weights(), strict=True))
    assert all(math.isfinite(epoch["loss"]) for epoch in history)


def test_losses_of_half_precision_are_summed_in_single() -> None:
    x, y = np.ones((90, 1000, 1), "float16"), np.ones((90, 1000, 1), "float32")

    def loss(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return tf.abs(tf.cast(targets, outputs.dtype) - outputs)[..., 0]

    model = keras.Sequential([keras.Input((1000, 1)), keras.layers.Rescaling(0.5, dtype="float16")])
    assert zoo.evaluate(model, dataset(x, y, batch=90), loss)["loss"] == pytest.approx(0.5)


def test_evaluate_equals_keras_and_drops_no_example() -> None:
    metrics = [keras.metrics.CategoricalHinge(), keras.metrics.F1Score("macro"), keras.metrics.AUC(20)]
    model, one_hot = network(), np.eye(2)[Y].astype("float32")
    model.add(keras.layers.Softmax())
    loss = keras.losses.CategoricalCrossentropy()
    found = zoo.evaluate(model, dataset(X, one_hot), loss, metrics)
    model.compile(loss=loss, metrics=metrics)
    theirs = model.evaluate(X, one_hot, verbose=0, return_dict=True)
    assert found == pytest.approx(theirs, rel=1e-5)


def test_states_are_carried_from_window_to_window_and_start_at_zero(tmp_path: Path) -> None:
    """Truncated back-propagation through time, beside the same by hand."""
    ids = RNG.integers(0, 5, 49)
    windows = zoo.training.bptt_windows(ids, batch_size=2, steps=6)

    def made(stateful: bool) -> keras.Model:
        keras.utils.set_random_seed(3)
        shape = keras.Input(batch_shape=(2, 6))
        layer = zoo.GRU(4, stateful=stateful, return_sequences=True, return_state=True, name="gru")
        return keras.Sequential([shape, keras.layers.Embedding(5, 3), layer, First(), keras.layers.Dense(5)])

    model, _ = fitted(tmp_path, made(True), windows, validation=windows, optimizer=keras.optimizers.SGD(0.5))
    embedding, layer, _, scores = (other := made(False)).layers
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


class First(keras.layers.Layer):
    """The first of several inputs."""

    def call(self, inputs: Any) -> Any:
        return inputs[0]


# --- Choosing ----------------------------------------------------------------------------------------


def test_learns_and_ends_with_the_weights_of_the_best_epoch(tmp_path: Path) -> None:
    """Validation has the other labels, so the more is learnt, the worse it is."""
    options = {"metrics": accuracy(), "epochs": 12, "monitor": "val_accuracy", "mode": "max"}
    model, history = fitted(tmp_path, validation=dataset(X, 1 - Y), **options)
    assert history[-1]["accuracy"] > 0.9
    values = [epoch["val_accuracy"] for epoch in history]
    assert max(values) > values[-1]
    assert zoo.evaluate(model, dataset(X, 1 - Y), LOSS, accuracy())["accuracy"] == max(values)


def test_stops_without_a_better_epoch_and_stays_stopped(tmp_path: Path) -> None:
    """A callback's figure, such as BLEU, is what epochs are compared by."""

    class Bleu(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            logs["bleu"] = [10, 30, 20, 30, 40][epoch]

    options = {"monitor": "bleu", "mode": "max", "patience": 2, "epochs": 5, "callbacks": [Bleu()]}
    _, history = fitted(tmp_path, **options)
    assert [epoch["bleu"] for epoch in history] == [10, 30, 20, 30]
    _, again = fitted(tmp_path, **options)
    assert again == history


def test_a_callback_may_stop_training(tmp_path: Path) -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            self.model.stop_training = epoch == 1

    assert len(fitted(tmp_path, epochs=5, callbacks=[Stop()])[1]) == 2


def test_what_is_monitored_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(
        zoo.errors.TrainingError, match=r"`monitor` is 'f1', but the figures are loss, accuracy\."
    ):
        fitted(tmp_path, monitor="f1", metrics=accuracy())


# --- The run folder ----------------------------------------------------------------------------------


def test_run_folder_tells_what_the_run_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.training.run_directory.plot_training_curves", plot_training_curves)
    _, history = fitted(tmp_path, settings={"seed": 3, "at": tmp_path}, metrics=accuracy())
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["settings"]["seed"] == 3
    assert run["settings"]["at"] == str(tmp_path)
    assert run["settings"]["fit"]["optimizer"]["global_clipnorm"] == 0.5
    assert run["versions"]["keras"] == keras.__version__
    assert run["commit"]
    assert run["command"] == shlex.join(sys.orig_argv)
    assert [line["step"] for line in log(tmp_path, "step")] == list(range(1, 13))
    assert [line["accuracy"] for line in log(tmp_path, "epoch")] == [epoch["accuracy"] for epoch in history]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_tensorboard_gets_the_log(tmp_path: Path) -> None:
    fitted(tmp_path)
    fitted(tmp_path)  # goes on after the end, and writes the events anew
    (file,) = (tmp_path / "tensorboard").iterdir()
    read = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            read.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert read["norm"] == [(line["step"], np.float32(line["norm"])) for line in log(tmp_path, "step")]
    assert read["epoch_loss"] == [(n["step"], np.float32(n["loss"])) for n in log(tmp_path, "epoch")]


def test_other_settings_are_refused_and_the_difference_shown(tmp_path: Path) -> None:
    fitted(tmp_path, settings={"units": 4, "seed": 1})
    with pytest.raises(zoo.errors.TrainingError, match="other settings") as error:
        fitted(tmp_path, settings={"units": 5, "seed": 1}, epochs=3)
    assert "  units: was 4, is now 5\n  fit.epochs: was 2, is now 3\n" in str(error.value)
    assert "seed" not in str(error.value)


def test_other_code_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fitted(tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    run["versions"]["keras"] = "3.0.0"
    (tmp_path / "run.json").write_text(json.dumps(run))
    fitted(tmp_path)
    assert f"versions.keras: was '3.0.0', is now '{keras.__version__}'" in capsys.readouterr().out


def test_a_folder_is_for_one_process(tmp_path: Path) -> None:
    def again() -> None:
        with pytest.raises(zoo.errors.TrainingError, match="Another process is training"):
            fitted(tmp_path)

    fitted(tmp_path, callbacks=[At(1, again)], epochs=1)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(zoo.errors.TrainingError, match="could not be written: Not a directory"):
        fitted(tmp_path / "file" / "run")


# --- Going on ----------------------------------------------------------------------------------------


def shuffled() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(57, seed=2).batch(10).prefetch(2)


def dropping() -> keras.Model:
    dense = [lambda width=width: keras.layers.Dense(width) for width in (64, 2)]
    return network(lambda: keras.layers.Dropout(0.3), lambda: keras.layers.Flatten(), *dense)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model, list[dict[str, float]]]:
    """The folder, the model and the figures of a run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    with zoo.disable_jit():
        return folder, *fitted(folder, dropping(), shuffled())


def interrupted(folder: Path, batch: int, number: int = signal.SIGINT, **options: Any) -> None:
    stop = At(batch, lambda: os.kill(os.getpid(), number))
    with pytest.raises(zoo.errors.Interrupted) as error:
        fitted(folder, dropping(), shuffled(), callbacks=[stop], **options)
    assert error.value.signal == number
    assert f"stopped at step {batch + 1}, saved in {folder}. To go on: " in str(error.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_same_call_goes_on(tmp_path: Path, number: int, whole: tuple) -> None:
    folder, model, history = whole
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interrupted(tmp_path, 3, number)
    resumed, their_history = fitted(tmp_path, dropping(), shuffled())
    assert_same(model, resumed)
    assert history == their_history
    assert log(folder, "step") == log(tmp_path, "step")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_a_signal_at_the_end_of_the_last_epoch_is_heeded(tmp_path: Path, whole: tuple) -> None:
    class AtEnd(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            if epoch == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(zoo.errors.Interrupted, match="stopped at step 12, saved in"):
        fitted(tmp_path, dropping(), shuffled(), callbacks=[AtEnd()])
    resumed, history = fitted(tmp_path, dropping(), shuffled())
    assert_same(whole[1], resumed)
    assert history == whole[2]


def test_states_that_are_carried_are_taken_up_again(tmp_path: Path) -> None:
    """Truncated back-propagation through time, interrupted in the middle of an epoch."""
    windows = zoo.training.bptt_windows(RNG.integers(0, 5, 61), batch_size=2, steps=5)

    def run(folder: str, *callbacks: keras.callbacks.Callback) -> keras.Model:
        keras.utils.set_random_seed(3)
        stack = [zoo.LSTM(4, stateful=True, return_sequences=True), keras.layers.Dense(5)]
        model = keras.Sequential([keras.Input(batch_shape=(2, 5)), keras.layers.Embedding(5, 3), *stack])
        return fitted(tmp_path / folder, model, windows, callbacks=callbacks)[0]

    whole = run("whole")
    with pytest.raises(zoo.errors.Interrupted):
        run("resumed", At(3, lambda: os.kill(os.getpid(), signal.SIGINT)))
    resumed = run("resumed")
    assert_same(whole, resumed)
    assert log(tmp_path / "whole", "step") == log(tmp_path / "resumed", "step")
    for one, two in zip(whole.layers[1].states, resumed.layers[1].states, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


@pytest.mark.parametrize("damage", ["cut", "flipped", "manifest", "missing"])
def test_a_damaged_checkpoint_is_passed_over(
    tmp_path: Path, damage: str, whole: tuple, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model, _ = whole
    interrupted(tmp_path, 4, checkpoint_seconds=0)
    newest = max((tmp_path / "checkpoints").iterdir())
    manifest, state = newest / "checkpoint.json", newest / "state.data-00000-of-00001"
    content = bytearray(state.read_bytes())
    if damage == "cut":
        state.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 3] ^= 4
        state.write_bytes(content)
    elif damage == "manifest":
        manifest.write_text(manifest.read_text().replace('"batch": 5', '"batch": 3'))
    else:
        manifest.unlink()
    resumed, _ = fitted(tmp_path, dropping(), shuffled())
    said = capsys.readouterr().out
    assert f"The checkpoint {newest} is passed over: " in said
    assert "going on after step 4, in epoch 1" in said
    assert_same(model, resumed)
    assert log(folder, "step") == log(tmp_path, "step")


def test_a_run_that_is_done_is_not_said_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, _ = fitted(tmp_path)
    again, _ = fitted(tmp_path)
    said = capsys.readouterr().out
    assert f"{tmp_path}: its training is done" in said
    assert "going on" not in said
    assert_same(model, again)


def test_a_checkpoint_of_another_model_is_not_used(tmp_path: Path) -> None:
    fitted(tmp_path, network())
    with pytest.raises(
        zoo.errors.TrainingError, match=r"No checkpoint in .* can be used\. To start anew, remove"
    ):
        fitted(tmp_path, network(lambda: keras.layers.Flatten(), lambda: keras.layers.Dense(3)))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (5000, r"(?s)A checkpoint could not be written.*File too large\. The last good one is \S*/000003\."),
        (100, r"(?s)The run folder .* could not be written: File too large\."),
    ],
    ids=["checkpoint", "log"],
)
def test_a_full_disk_leaves_the_last_good_checkpoint(
    tmp_path: Path, size: int, message: str, whole: tuple
) -> None:
    """From a certain step on, no file may grow beyond a size: writing fails half-way through one."""

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))

    folder, model, _ = whole
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(zoo.errors.TrainingError, match=message):
            fitted(tmp_path, dropping(), shuffled(), callbacks=[At(4, fill)], checkpoint_seconds=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    resumed, _ = fitted(tmp_path, dropping(), shuffled())
    assert_same(model, resumed)
    assert log(folder, "step") == log(tmp_path, "step")


# --- Numbers that are not finite ---------------------------------------------------------------------


class Overflow(keras.layers.Layer):
    """Outputs that are not finite where the first feature is above 2.9."""

    def call(self, x: Any) -> Any:
        return x / tf.cast(x[..., :1] < 2.9, x.dtype)


class Root(keras.layers.Layer):
    """The root of a weight that is zero: finite, with a gradient that is not."""

    def build(self, shape: Any) -> None:
        self.weight = self.add_weight(name="weight", initializer="zeros")

    def call(self, x: Any) -> Any:
        return x + keras.ops.sqrt(self.weight)


def nan_in(values: np.ndarray, row: int) -> np.ndarray:
    values = values.copy()
    values[row] = np.nan
    return values


def spoilt() -> keras.Model:
    model = network()
    model.layers[-1].kernel.assign(np.full((18, 2), np.inf))
    return model


LARGE = X.copy()
LARGE[34, 0, 0] = 3.1


@pytest.mark.parametrize(
    ("made", "x", "batch", "cause"),
    [
        (network, nan_in(X, 34), 4, "the inputs of the batch are not finite"),
        (spoilt, X, 1, r"the weight \S*kernel is not finite"),
        (
            lambda: network(lambda: Overflow(name="over"), lambda: keras.layers.Flatten()),
            LARGE,
            4,
            "the output of the layer \\S*/over is not finite",
        ),
        (
            lambda: network(lambda: keras.layers.Flatten(), lambda: Root(name="root")),
            X,
            1,
            "the gradient of \\S*root/weight is not finite",
        ),
    ],
    ids=["inputs", "weights", "layer", "gradient"],
)
def test_a_step_that_is_not_finite_is_named(
    tmp_path: Path, made: Callable, x: np.ndarray, batch: int, cause: str
) -> None:
    where = f"Training stopped at step {batch}, batch {batch} of epoch 1: {cause}"
    with pytest.raises(zoo.errors.TrainingError, match=where):
        fitted(tmp_path, made(), dataset(x, Y), checkpoint_seconds=0)
    kept = sorted((tmp_path / "checkpoints").iterdir()) if batch > 1 else []
    assert [path.name for path in kept] == ["000002", "000003"][: len(kept)]


def test_progress_leaves_a_clean_line_on_a_terminal_and_says_nothing_elsewhere() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, last in ((Terminal(), "\r\x1b[K"), (io.StringIO(), "")):
        progress = Progress("reading", 3, stream=stream)
        progress.printed = -math.inf
        progress.step(2, 0, dict)
        shown = stream.getvalue()
        assert "reading  1/3  left 0:00" in shown
        progress.clear()
        assert stream.getvalue() == shown + last
