"""`fit`: training that goes on where it was stopped, to the bit; and `evaluate`."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from zoo.errors import Interrupted, TrainingError
from zoo.layers import get_carried_states
from zoo.provenance import command
from zoo.training.bucketing import without_autotune
from zoo.training.distribution import is_chief
from zoo.training.nonfinite import locate_nonfinite
from zoo.training.progress import Progress
from zoo.training.run_directory import RunDirectory
from zoo.training.signals import SignalHandler
from zoo.training.step_runner import Loss, MetricAccumulator, StepRunner

Data = tf.data.Dataset | Callable[[int], tf.data.Dataset]
"""Batches: the same dataset in each epoch, or a function from the epoch, counted from 0, to its dataset."""


def fit(
    model: keras.Model,
    train: Data,
    validation: Data | None = None,
    *,
    optimizer: keras.optimizers.Optimizer,
    loss: Loss,
    metrics: Sequence[keras.metrics.Metric] = (),
    epochs: int,
    run_dir: Path | str,
    settings: Mapping[str, Any] | None = None,
    monitor: str | None = None,
    mode: Literal["min", "max"] = "min",
    patience: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint_seconds: float = 60.0,
) -> list[dict[str, float]]:
    """Train a model, and leave it with the weights of its best epoch.

    The same call in a new process goes on where the last one was stopped, in the middle of an epoch too,
    and ends with the same bits: weights, optimizer, random numbers of layers and the position in `train`
    are in the checkpoint, and log lines written after it are taken back. On SIGINT (Ctrl-C) and SIGTERM the
    step is finished and saved. Inside `zoo.training.distribution_scope` the rows of each batch are shared out
    among the replicas; `run_dir` must then be one that all machines see.

    Args:
        model: called as `model(x, training=True)`. States of its stateful layers are carried from
            batch to batch, and are zero at the start of each epoch: with `zoo.training.bptt_windows` this is
            truncated back-propagation through time (Williams and Peng, 1990).
        train: batches `(x, y)` or `(x, y, weights)`, with weights [batch] or as the loss has elements: 0
            where there is padding. Either a dataset, or a function that gives the dataset of an epoch,
            counted from 0, such as a `BucketedDataset`. Two processes must read the same from it: give its
            `shuffle` a seed. To go on, what the epoch has seen is read again and skipped; of a dataset
            also all epochs before, which may shuffle anew each time.
        validation: batches likewise.
        optimizer: a Keras optimizer. Its `global_clipnorm` bounds the norm of the gradients of the whole
            batch (Pascanu et al., 2013), and the norm before that is in the log.
        loss: a Keras loss, or a function of targets and outputs that gives a loss for each element. The
            weighted mean over all elements of the batch is minimized, plus the losses that the model adds.
        metrics: Keras metrics whose state is made of sums, as that of almost all is.
        epochs: how often all of `train` is seen.
        run_dir: what is kept of the run; see `zoo.training.run_directory`.
        settings: what else the run depends on, such as a recipe's settings and the seed. A run that was
            started with others is not gone on with.
        monitor: the figure by which epochs are compared; None is the loss, on `validation` if there is one.
            Figures on `validation` begin with "val_"; a callback may add others, such as BLEU, to the `logs`
            of its `on_epoch_end`.
        mode: whether the best is the lowest or the highest.
        patience: stop after so many epochs without a better one; None goes on to the end.
        callbacks: Keras callbacks. What one remembers itself is not in the checkpoint: so use `patience`
            in the place of `keras.callbacks.EarlyStopping`.
        checkpoint_seconds: time between checkpoints. There is one after each epoch in any case.

    Returns:
        The figures of each epoch: "loss" and metrics in training, and on `validation` with "val_" before.

    Raises:
        TrainingError: the folder is of another run, in use, damaged or full; loss or gradient are not
            finite; `monitor` is none of the figures.
        Interrupted: a `KeyboardInterrupt`, after a signal.
    """
    monitor = monitor or ("loss" if validation is None else "val_loss")
    first = _epoch_dataset(train, 0)
    if not model.built:
        inputs, *_ = keras.utils.unpack_x_y_sample_weight(first.element_spec)
        model.build(keras.tree.map_structure(lambda spec: tuple(spec.shape), inputs))
    optimizer.build(model.trainable_variables)
    model.optimizer, model.stop_training = optimizer, False  # what callbacks expect
    of_fit = {
        "epochs": epochs,
        "monitor": f"{mode} of {monitor}",
        "patience": patience,
        "optimizer": {**optimizer.get_config(), "name": type(optimizer).__name__},
        "batch": str(first.element_spec),
        "batches": int(first.cardinality()),
    }
    described = {**(settings or {}), "fit": of_fit}
    with SignalHandler() as stop, RunDirectory(Path(run_dir), described, write=is_chief()) as opened:
        steps = StepRunner(model, loss, metrics, first.element_spec, optimizer)
        run = _Run(steps, train, validation, opened, stop, callbacks, monitor, mode, checkpoint_seconds)
        run.train(epochs, math.inf if patience is None else patience)
    return run.at.history


def evaluate(
    model: keras.Model,
    data: Data,
    loss: Loss,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> dict[str, float]:
    """Loss and metrics of a model over all batches; the arguments are those of `fit`."""
    with SignalHandler() as stop:
        batches = _epoch_dataset(data, 0)
        return _evaluated(StepRunner(model, loss, metrics, batches.element_spec), batches, stop)


def _epoch_dataset(data: Data, epoch: int) -> tf.data.Dataset:
    return data(epoch) if callable(data) else data


def _evaluated(steps: StepRunner, batches: tf.data.Dataset, stop: SignalHandler) -> dict[str, float]:
    measures, progress = MetricAccumulator(steps.metrics), Progress("evaluating", int(batches.cardinality()))
    _forget(steps.model)
    for batch in without_autotune(batches):
        measured = steps.test(batch, stop.asked())
        measures.add(measured["sums"])
        progress.step(_rows(batch), 0, measures.results)
        if measured["stop"]:
            message = f"stopped in an evaluation; what was trained is saved. To go on: {command()}"
            raise Interrupted(message, stop.signal)
    progress.clear()
    _forget(steps.model)
    return measures.results()


def _rows(batch: Any) -> int:
    return keras.tree.flatten(batch)[0].shape[0]


def _forget(model: keras.Model) -> None:
    """Set the states of stateful layers to zero."""
    for state in get_carried_states(model):
        state.assign(keras.ops.zeros_like(state))


@dataclass
class _Position:
    """Where a run stands."""

    epoch: int = 0  # being trained, from 0
    batch: int = 0  # batches of it done
    step: int = 0  # batches done in all
    sums: list[Any] = field(default_factory=list)  # of the measures in this epoch
    log: int = 0  # bytes
    history: list[dict[str, float]] = field(default_factory=list)
    best: int | None = None  # the epoch
    stopped: bool = False


@dataclass
class _Run:
    """What `fit` does, one method for each of its parts."""

    steps: StepRunner
    training: Data
    validation: Data | None
    folder: RunDirectory
    stop: SignalHandler
    callbacks: Sequence[keras.callbacks.Callback]
    monitor: str
    mode: str
    checkpoint_seconds: float

    def train(self, epochs: int, patience: float) -> None:
        self.measures = MetricAccumulator(self.steps.metrics)
        self.resume(epochs)
        for callback in self.callbacks:
            callback.set_model(self.steps.model)
            callback.set_params({"epochs": epochs, "verbose": 0})
        self.call("on_train_begin")
        while self.at.epoch < epochs and not self.at.stopped:
            self.train_epoch(epochs)
            self.end_epoch(patience)
            if self.steps.mean_over_replicas(float(self.stop.came)):  # asked after the epoch's last step
                self.leave()
        self.call("on_train_end")
        if self.at.history:
            self.folder.plot_training_curves()
        self.agree()  # the chief has written the best weights
        if self.at.best is not None:
            self.folder.best.restore(self.weights())

    def call(self, hook: str, *arguments: Any) -> None:
        """Call a method of all callbacks."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)

    # --- What is kept -------------------------------------------------------------------------------

    def weights(self) -> dict[str, list[tf.Variable]]:
        """All that the model's outputs depend on."""
        return {"model": [v.value for v in self.steps.model.variables]}

    def state(self) -> dict[str, list[tf.Variable]]:
        """All that a step depends on or changes, but for the position."""
        kept = {"optimizer": self.steps.optimizer.variables, "states": get_carried_states(self.steps.model)}
        return self.weights() | {name: [v.value for v in variables] for name, variables in kept.items()}

    def resume(self, epochs: int) -> None:
        """Take up the last checkpoint, or begin."""
        progress = self.folder.checkpoints.restore(self.state())
        self.at = _Position()
        if progress is not None:
            self.at = _Position(**progress)
            if self.at.sums:
                self.measures.sums = [np.asarray(value) for value in self.at.sums]
            done = self.at.stopped or self.at.epoch >= epochs
            where = f"going on after step {self.at.step}, in epoch {self.at.epoch + 1}"
            say(f"{self.folder.path}: {'its training is done' if done else where}")
            if not callable(self.training):
                for _ in range(self.at.epoch):
                    self.training.reduce(0, lambda count, *_: count)
        self.folder.open_log(self.at.log)
        self.agree()
        self.saved = self.drawn = time.monotonic()

    def save(self) -> None:
        """Write a checkpoint."""
        self.at.sums = [value.tolist() for value in self.measures.sums or ()]
        self.folder.save(self.state(), asdict(self.at))
        self.saved = time.monotonic()

    def agree(self) -> None:
        """Wait for the other workers, and make sure that they stand at the same step."""
        mean = self.steps.mean_over_replicas(self.at.step)
        if mean != self.at.step:
            raise TrainingError(
                f"This worker stands at step {self.at.step} of {self.folder.path}, the workers on average at "
                f"step {mean:g}. The run folder must be one that all of them see, such as a shared volume."
            )

    # --- An epoch -----------------------------------------------------------------------------------

    def train_epoch(self, epochs: int) -> None:
        """Train on what is left of an epoch."""
        dataset = _epoch_dataset(self.training, self.at.epoch)
        batches = int(dataset.cardinality())
        after = batches * (epochs - self.at.epoch - 1)
        self.progress = Progress(f"epoch {self.at.epoch + 1}/{epochs}", batches, after, self.at.batch)
        if self.at.batch == 0:
            self.measures.sums = None
            _forget(self.steps.model)
        self.call("on_epoch_begin", self.at.epoch)
        asked = time.monotonic()
        for batch in without_autotune(dataset.skip(self.at.batch)):
            self.train_batch(batch, time.monotonic() - asked)
            if time.monotonic() - self.saved > self.checkpoint_seconds:
                self.save()
            asked = time.monotonic()

    def train_batch(self, batch: Any, waited: float) -> None:
        """One step, and its line in the log."""
        self.call("on_train_batch_begin", self.at.batch)
        gradients, measured = self.steps.gradients(batch, self.stop.asked())
        figures = {name: float(measured[name]) for name in ("loss", "norm", "learning_rate")}
        scales = isinstance(self.steps.optimizer, keras.optimizers.LossScaleOptimizer)
        # One that scales the loss leaves out a step whose gradients overflow, and lowers the scale.
        if not math.isfinite(figures["loss"]) or not (scales or math.isfinite(figures["norm"])):
            where = f"step {self.at.step + 1}, batch {self.at.batch + 1} of epoch {self.at.epoch + 1}"
            cause = locate_nonfinite(self.steps.model, batch, figures["loss"], gradients)
            raise TrainingError(
                f"Training stopped at {where}: {cause}. Checkpoints from before are in {self.folder.path}. A "
                "lower learning rate or `global_clipnorm` may help, in another folder."
            )
        self.steps.update(gradients)
        self.measures.add(measured["sums"])
        self.at.batch += 1
        self.at.step += 1
        timing = {"waited": round(waited, 6)}
        self.folder.log("step", {"epoch": self.at.epoch + 1, "step": self.at.step, **figures}, timing)
        self.progress.step(_rows(batch), waited, lambda: self.measures.results() | {"norm": figures["norm"]})
        self.call("on_train_batch_end", self.at.batch - 1, {"loss": figures["loss"]})
        if measured["stop"]:
            self.leave()

    def end_epoch(self, patience: float) -> None:
        """Evaluate, log, keep the weights if they are the best, save."""
        timing = self.progress.timing()
        figures = self.measures.results()
        if self.validation is not None:
            try:
                validated = _evaluated(self.steps, _epoch_dataset(self.validation, 0), self.stop)
            except Interrupted:
                self.leave()
            figures |= {f"val_{name}": value for name, value in validated.items()}
        self.call("on_epoch_end", self.at.epoch, figures)
        if self.monitor not in figures:
            raise TrainingError(f"`monitor` is {self.monitor!r}, but the figures are {', '.join(figures)}.")
        figures = {name: float(value) for name, value in figures.items()}
        self.progress.end(figures, timing)
        self.at.history.append(figures)
        if self.is_best():
            self.at.best = self.at.epoch
            self.folder.save_best(self.weights())
        line = {"epoch": self.at.epoch + 1, "step": self.at.step, **figures}
        self.folder.log("epoch", line, timing)
        self.at.stopped = self.at.epoch - self.at.best >= patience or self.steps.model.stop_training
        self.at.epoch += 1
        self.at.batch = 0
        self.save()
        if time.monotonic() - self.drawn > 30:
            self.folder.plot_training_curves()
            self.drawn = time.monotonic()

    def is_best(self) -> bool:
        """Whether the last epoch is better than all before; a figure that is not a number is not."""
        last = self.at.history[-1][self.monitor]
        if self.at.best is None or math.isnan(best := self.at.history[self.at.best][self.monitor]):
            return True
        return last > best if self.mode == "max" else last < best

    def leave(self) -> None:
        """Save, and raise what ends the run."""
        self.save()
        self.agree()  # the others would be missed while one is saving
        raise Interrupted(
            f"stopped at step {self.at.step}, saved in {self.folder.path}. To go on: {command()}",
            self.stop.signal,
        )


def say(message: str) -> None:
    """Tell the user, where there is one to tell."""
    if is_chief():
        print(message, flush=True)
