"""`fit`, a training loop that resumes exactly where it was stopped, and `evaluate`."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import get_metric_direction
from zoo.errors import Interrupted, TrainingError, UsageError
from zoo.layers import get_carried_states, reset_states
from zoo.provenance import get_resume_command
from zoo.training.arguments import (
    ClassWeight,
    check_data,
    check_epochs,
    describe_loss,
    refuse_arguments,
    resolve_class_weight,
    resolve_loss_and_metrics,
    resolve_optimizer,
)
from zoo.training.best_epoch import find_best_epoch, find_last_improvement, get_best_epoch
from zoo.training.bucketing import BucketedDataset, without_autotune
from zoo.training.callbacks import CallbackGroup
from zoo.training.distribution import compare_workers, digest_batch, hash_batch, is_chief
from zoo.training.nonfinite import locate_nonfinite
from zoo.training.passes import begin_pass, count_passes, has_fixed_order
from zoo.training.progress import Progress
from zoo.training.run_directory import RunDirectory
from zoo.training.run_record import has_stopped
from zoo.training.signals import SignalHandler
from zoo.training.step_runner import Loss, MetricAccumulator, StepRunner, get_accumulation_steps

logger = logging.getLogger(__name__)

_PLOT_SECONDS = 30.0

Mode: TypeAlias = Literal["min", "max"]

Data: TypeAlias = tf.data.Dataset | Callable[[int], tf.data.Dataset]
"""Batches: one dataset for all epochs, or a function from the epoch number, from 0, to its dataset."""


def fit(
    model: keras.Model,
    train: Data,
    validation: Data | None = None,
    *,
    optimizer: keras.optimizers.Optimizer | str,
    loss: Loss | str,
    metrics: Sequence[keras.metrics.Metric | Callable[[Any, Any], Any] | str] = (),
    epochs: int,
    run_dir: Path | str,
    settings: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    monitor: str | None = None,
    mode: Literal["auto", "min", "max"] = "auto",
    patience: int | None = None,
    class_weight: ClassWeight | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint_seconds: float = 60.0,
    **unsupported: Any,
) -> keras.callbacks.History:
    """Train a model, and leave it with the weights of its best epoch.

    The same call in a new process resumes an interrupted run, also in the middle of an epoch, and ends with
    bit-identical weights. Checkpoints hold weights, optimizer, random states of layers, states of stateful
    layers, and the position in `train`; log lines written after the last checkpoint are removed. On SIGINT
    (Ctrl-C) and SIGTERM the current step is finished and saved. Within `zoo.training.distribution_scope` the
    replicas share the rows of each batch; all machines must then see the same `run_dir`.

    Args:
        model: a model, called as `model(x, training=True)`. States of stateful layers are carried from batch
            to batch and are reset at the start of each epoch. With `zoo.training.bptt_windows` this is
            truncated backpropagation through time (Williams and Peng, 1990,
            https://doi.org/10.1162/neco.1990.2.4.490).
        train: batches `(x, y)` or `(x, y, sample_weight)`. Weights have shape [batch] or the shape of the losses;
            give padding the weight 0. Where the outputs of the model carry a mask, as those of
            `Embedding(mask_zero=True)` do, masked elements have the weight 0 as well. Either a dataset, or a function
            from the epoch number, from 0, to a dataset, such as a `BucketedDataset`. Two processes must read the same
            batches: give `Dataset.shuffle` a seed. On resume, batches of the epoch that were already seen are read
            and skipped; for a dataset, which may reshuffle at each epoch, earlier epochs are read too. In the same
            process, such as a notebook, a dataset that reshuffles has gone on to another order after an interruption:
            make it anew, with all of its steps, before you call `fit` again.
        validation: batches for evaluation after each epoch, as in `train`. Of a function the dataset of epoch
            0 is used.
        optimizer: a Keras optimizer, or its name, such as "adam". Its `global_clipnorm` bounds the norm of the
            gradient of the whole batch (Pascanu et al., 2013, https://arxiv.org/abs/1211.5063). The log has the
            norm before clipping. With `gradient_accumulation_steps=n` each update takes the mean gradient of n
            batches, also across the end of an epoch; learning rate schedules count batches, as in Keras.
        loss: a Keras loss, its name, or a function from targets and outputs to a loss for each element. The
            weighted mean over all elements of the batch is minimized, plus the losses that the model adds. For
            formulations such as `zoo.ManyToOne`, which return logits, the name of a loss or metric means that of
            logits, and a loss or metric of probabilities is refused.
        metrics: Keras metrics, their names, or functions, as for Keras's `compile`: "accuracy" is the accuracy
            that fits the shapes. Sample weights and masks count in all of them. Their state must consist of sums, as
            it does for almost all metrics.
        epochs: number of passes over `train`. To go on from a run, pass a higher number. With
            `zoo.schedules.warmup_cosine_decay` and `zoo.training.plan_cycles`, the learning rate rises and falls
            once more over the epochs that are added.
        run_dir: directory of the run; see `zoo.training.run_directory`.
        settings: everything else that the result depends on, such as the seed and the settings of a recipe,
            as JSON values. A run is not resumed with other settings.
        data: what identifies the data, such as the hash of a file, as JSON values. A run is not resumed with
            other data.
        monitor: name of the metric by which epochs are compared: "loss" or a metric's name, with the prefix
            "val_" for `validation`, or one that a callback adds to the `logs` of its `on_epoch_end`, such as
            BLEU. None is "val_loss", or "loss" without `validation`. Of equal epochs the one with the lowest
            "val_loss" ("loss" without `validation`) is the best, then the last.
        mode: whether a lower ("min") or a higher ("max") `monitor` is better. "auto" is "min" for the loss, and
            what Keras defines for a metric.
        patience: number of epochs without improvement after which training stops: neither `monitor` nor, where it
            is equal, the loss is better than in all epochs before. None trains all epochs.
        class_weight: factor of the training loss of each class, by class id; 1 for classes without one.
            "balanced" is examples / (classes * examples of the class), counted in the training batches of
            epoch 0, with the mean 1 over all examples. The loss is still divided by the sample weights alone, as in
            Keras, so the effect does not depend on the batch size. Metrics and the validation loss do not depend
            on it.
        callbacks: Keras callbacks. Checkpoints hold the state of Keras's `EarlyStopping`, `ReduceLROnPlateau`,
            `ModelCheckpoint` and `History`, and of every callback with the methods `get_state()`, which returns
            JSON values, and `set_state(state)`. With other callbacks a run is not resumed, except for
            `LambdaCallback` and Keras's callbacks without a state. On resume, `on_train_begin` and, within an
            epoch, `on_epoch_begin` are called before the states, weights and learning rate are restored. The hooks
            of an evaluation, such as `on_test_begin`, are not called.
        checkpoint_seconds: seconds between checkpoints. Each epoch ends with a checkpoint in any case.
        **unsupported: other arguments of Keras's `fit`. The error says what to do instead.

    Returns:
        What Keras's `fit` returns, for all epochs, also those that an earlier process trained: `history` is a
        dict from the name of a metric to its value in each epoch, "loss" among them, those on `validation`
        with the prefix "val_"; `epoch` lists the numbers of the epochs, from 0. It is also `model.history`.

    Raises:
        TrainingError: `run_dir` belongs to a run with other settings, data or callbacks or with more epochs, is
            in use by another process, is corrupt or cannot be written; loss or gradients are not finite;
            `monitor` is not a metric; or a run is resumed with a dataset that reshuffles and was read further.
        TypeError: there are other arguments, or `train` or `validation` is not a dataset.
        ValueError: an argument is invalid, such as the name of a metric, a dataset that has no end or no targets, or a
            model with several outputs; or the arguments contradict each other: a loss or metric of probabilities for
            a model that returns logits, a `monitor` that needs a `mode`, or an optimizer or callback that does what
            `fit` does by itself.
        Interrupted: SIGINT or SIGTERM arrived. The state is saved.

    >>> import tempfile, keras, numpy as np, tensorflow as tf, zoo
    >>> x = np.linspace(-1, 1, 32, dtype="float32").reshape(32, 1)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as run_dir:
    ...     history = zoo.fit(
    ...         model,
    ...         tf.data.Dataset.from_tensor_slices((x, 2 * x)).batch(8),
    ...         optimizer=keras.optimizers.SGD(0.5),
    ...         loss=keras.losses.MeanSquaredError(),
    ...         epochs=9,
    ...         run_dir=run_dir,
    ...     )  # doctest: +ELLIPSIS
    epoch 1/9...
    >>> history.history["loss"][-1] < 0.01
    True
    """
    if unsupported:
        refuse_arguments(list(unsupported))
    check_epochs(epochs)
    first = check_data("train", train)
    evaluation_spec = None
    if validation is not None:
        evaluation_spec = check_data("validation", validation).element_spec
    if not model.built:
        inputs, *_ = keras.utils.unpack_x_y_sample_weight(first.element_spec)
        model.build(keras.tree.map_structure(lambda spec: tuple(spec.shape), inputs))
    optimizer = resolve_optimizer(optimizer)
    loss, metrics = resolve_loss_and_metrics(model, first, loss, metrics)
    monitor = monitor or ("loss" if validation is None else "val_loss")
    directions = _get_directions(metrics)
    direction = _resolve_mode(mode, monitor, directions)
    if patience is not None and patience < 1:
        raise ValueError(f"`patience` must be at least 1, or None for all epochs, but it is {patience!r}.")
    callback_group = CallbackGroup(callbacks, directions, monitor, direction)
    if not callback_group.may_add_metrics:
        names = ["loss", *(metric.name for metric in metrics)]
        _check_monitor(monitor, [*names, *([] if validation is None else (f"val_{name}" for name in names))])
    num_batches = int(first.cardinality())  # negative if unknown
    if (steps := get_accumulation_steps(optimizer)) > num_batches * epochs > 0:
        raise UsageError(
            f"`gradient_accumulation_steps` of the optimizer is {steps}, but {epochs} epochs have "
            f"{num_batches * epochs} batches, so the weights would never change. Use fewer accumulation steps, "
            "smaller batches or more epochs."
        )
    optimizer.build(model.trainable_variables)
    model.optimizer, model.stop_training = optimizer, False  # callbacks use both
    fit_settings = {
        "monitor": f"{direction} of {monitor}",
        "patience": patience,
        "loss": describe_loss(loss),
        "optimizer": {**optimizer.get_config(), "name": type(optimizer).__name__},
        "batch": str(first.element_spec),
        "batches": num_batches,
    }
    if class_weight is not None:
        class_weight = resolve_class_weight(class_weight, model, first, loss)
        fit_settings["class_weight"] = {str(class_id): weight for class_id, weight in class_weight.items()}
    if callback_settings := callback_group.settings():
        fit_settings["callbacks"] = callback_settings
    all_settings = {**(settings or {}), "fit": fit_settings}
    compare_workers({"settings": all_settings, "epochs": epochs, "data": data or {}})
    runner = StepRunner(model, loss, metrics, first.element_spec, optimizer, class_weight, evaluation_spec)
    with (
        SignalHandler() as signal_handler,
        RunDirectory(Path(run_dir), all_settings, epochs, data, is_writer=is_chief()) as run_directory,
    ):
        loop = _TrainingLoop(
            runner=runner,
            train=train,
            validation=validation,
            run_directory=run_directory,
            signal_handler=signal_handler,
            callbacks=callback_group,
            epochs=epochs,
            monitor=monitor,
            mode=direction,
            patience=math.inf if patience is None else patience,
            checkpoint_seconds=checkpoint_seconds,
        )
        return loop.run()


def evaluate(
    model: keras.Model,
    data: Data,
    loss: Loss | str,
    metrics: Sequence[keras.metrics.Metric | Callable[[Any, Any], Any] | str] = (),
) -> dict[str, float]:
    """Compute loss and metrics of a model over all batches.

    Args:
        model: a model, called as `model(x, training=False)`. States of stateful layers are reset before and
            after.
        data: batches `(x, y)` or `(x, y, sample_weight)`, as in `fit`. Of a function the dataset of epoch 0
            is used.
        loss: a loss, as in `fit`.
        metrics: Keras metrics, as in `fit`.

    Returns:
        "loss" and the metrics by name, each weighted over all elements.

    Raises:
        TypeError: `data` is not a dataset.
        ValueError: `data` has no end or no targets, the model has several outputs, a loss or metric is unknown, takes
            probabilities although the model returns logits, or has a name that another one has.
        Interrupted: SIGINT or SIGTERM arrived.

    >>> import keras, tensorflow as tf, zoo
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
    >>> data = tf.data.Dataset.from_tensor_slices(([[1.0], [2.0]], [[1.0], [4.0]])).batch(2)
    >>> zoo.evaluate(model, data, keras.losses.MeanSquaredError())
    {'loss': 2.0}
    """
    dataset = check_data("data", data)
    loss, metrics = resolve_loss_and_metrics(model, dataset, loss, metrics)
    with SignalHandler() as signal_handler:
        return _evaluate(StepRunner(model, loss, metrics, dataset.element_spec), dataset, signal_handler)


def _get_directions(metrics: Sequence[keras.metrics.Metric]) -> dict[str, Mode]:
    """Return "min" or "max" by the name of each metric of which it is known, "loss" among them."""
    directions: dict[str, Mode] = {"loss": "min"}
    for metric in metrics:
        if direction := get_metric_direction(metric):
            directions[metric.name] = direction
    return directions


def _resolve_mode(mode: Mode | Literal["auto"], monitor: str, directions: Mapping[str, Mode]) -> Mode:
    """Return "min" or "max", whichever is better for `monitor`."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f'`mode` must be "auto", "min" or "max", but it is {mode!r}.')
    if mode != "auto":
        return mode
    if direction := directions.get(monitor.removeprefix("val_")):
        return direction
    raise ValueError(
        f"`monitor` is {monitor!r}, but only of {', '.join(directions)} is it known whether lower or higher "
        'values are better. Pass `mode="min"` or `mode="max"`.'
    )


def _check_monitor(monitor: str, names: Sequence[str]) -> None:
    """Raise an error if there is no metric with the name `monitor`."""
    if monitor not in names:
        raise TrainingError(
            f"`monitor` is {monitor!r}, but the metrics are {', '.join(names)}. Choose one of them."
        )


def _epoch_dataset(data: Data, epoch: int) -> tf.data.Dataset:
    return data(epoch) if callable(data) else data


def _evaluate(
    runner: StepRunner, dataset: tf.data.Dataset, signal_handler: SignalHandler
) -> dict[str, float]:
    accumulator = MetricAccumulator(runner.metrics)
    progress = Progress("evaluating", int(dataset.cardinality()))
    reset_states(runner.model)
    for batch in without_autotune(begin_pass(dataset)):
        outcome = runner.evaluate_batch(batch, signal_handler.as_tensor())
        accumulator.update(outcome["sums"])
        progress.update(_batch_size(batch), 0, accumulator.results)
        if outcome["stop_requests"]:
            raise Interrupted(
                f"Stopped during evaluation. The trained weights are saved. To resume: {get_resume_command()}",
                signal_handler.signal_number,
            )
    progress.clear()
    reset_states(runner.model)
    return accumulator.results()


def _batch_size(batch: Any) -> int:
    return keras.tree.flatten(batch)[0].shape[0]


@dataclass
class _Position:
    """How far a run has come. Checkpoints store it as JSON."""

    epoch: int = 0  # in training, from 0
    batch: int = 0  # number of batches done in this epoch
    step: int = 0  # number of batches done in all epochs
    passes: int = 0  # over the training dataset, begun before that of this epoch
    first_pass: int = 0  # `passes` in the first epoch
    first_batch: int | None = None  # a checksum, to recognize the data
    metric_sums: list[Any] = field(default_factory=list)  # of this epoch
    log_bytes: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int | None = None
    best_digest: str | None = None  # of the weights of the best epoch
    is_stopped: bool = False  # by `patience` or a callback
    stop_training: bool = False  # `model.stop_training`, which a callback may set within an epoch
    callbacks: list[Any] = field(default_factory=list)  # their states


@dataclass
class _TrainingLoop:
    """The training of `fit`, whose arguments describe the fields."""

    runner: StepRunner
    train: Data
    validation: Data | None
    run_directory: RunDirectory
    signal_handler: SignalHandler
    callbacks: CallbackGroup
    epochs: int
    monitor: str
    mode: Mode
    patience: float
    checkpoint_seconds: float

    def __post_init__(self) -> None:
        self.accumulator = MetricAccumulator(self.runner.metrics)
        self.position = _Position()
        self.history = keras.callbacks.History()
        self.batch_digest: int | None = None  # of the batches that this process trained on
        self.saved_at = self.plotted_at = time.monotonic()

    def run(self) -> keras.callbacks.History:
        """Train all epochs, restore the best weights, and return the history."""
        is_resumed = self.resume()
        self.history.set_model(self.runner.model)
        self.history.set_params({"epochs": self.epochs, "verbose": 0})
        self.history.on_train_begin()
        for epoch, metrics in enumerate(self.position.history):
            self.history.on_epoch_end(epoch, metrics)
        with self.callbacks.without_restoring():
            self.begin_callbacks(is_resumed)
            while not self.is_complete:
                if self.position.is_stopped:
                    self.begin_cycle()
                self.train_epoch()
                self.end_epoch()
                # A signal may have arrived after the last step of the epoch.
                if self.runner.mean_over_replicas(float(self.signal_handler.is_received)):
                    self.stop()
            if self.position.history:
                self.run_directory.plot()
            self.synchronize()  # the chief has written the best weights
            if self.position.best_epoch is not None:
                self.run_directory.best.restore(self.weights(), self.position.best_digest)
                self.log_best_epoch()
            self.callbacks.call("on_train_end")
        return self.history

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are trained, or training was stopped before, and no epochs were added since."""
        epoch, is_stopped = self.position.epoch, self.position.is_stopped
        return epoch >= self.epochs or has_stopped(epoch, is_stopped, self.run_directory.cycles)

    def begin_cycle(self) -> None:
        """Go on with the epochs that were added, although `patience` or a callback stopped those before."""
        self.position.is_stopped = self.runner.model.stop_training = False
        self.callbacks.call("on_train_begin")

    def begin_callbacks(self, is_resumed: bool) -> None:
        """Call the first hooks of the callbacks. In a resumed run, their states are restored afterwards."""
        self.callbacks.call("set_model", self.runner.model)
        self.callbacks.call("set_params", {"epochs": self.epochs, "verbose": 0})
        self.callbacks.call("on_train_begin")
        if self.is_complete:
            return
        if not is_resumed:
            self.callbacks.warn_if_not_resumable()
            return
        if self.position.batch > 0:
            self.callbacks.call("on_epoch_begin", self.position.epoch)
        # The hooks may have changed the learning rate or weights, as they did when the run began.
        self.run_directory.restore(self.state())
        self.callbacks.set_states(self.position.callbacks, self.run_directory.path)

    # --- Checkpoints --------------------------------------------------------------------------------

    def weights(self) -> dict[str, list[tf.Variable]]:
        """Return the variables that the outputs of the model depend on."""
        return {"model": [v.value for v in self.runner.model.variables]}

    def state(self) -> dict[str, list[tf.Variable]]:
        """Return all variables that a step reads or writes."""
        assert self.runner.optimizer is not None
        variables = {
            "optimizer": self.runner.optimizer.variables,
            "states": get_carried_states(self.runner.model),
        }
        return self.weights() | {name: [v.value for v in values] for name, values in variables.items()}

    def resume(self) -> bool:
        """Restore the newest checkpoint, if there is one, and return whether it is of a later step than the first.

        The first checkpoint has the initial weights. A run directory without one was copied in part.
        """
        saved = self.run_directory.restore(self.state())
        if not callable(self.train):
            self.position.passes = self.position.first_pass = count_passes(self.train)
        if saved is not None:
            # Checkpoints of earlier versions have no "passes".
            position = _Position(**{"passes": self.position.passes + saved["epoch"], **saved})
            self.position = position
            self.runner.model.stop_training = position.stop_training
            if position.metric_sums:
                self.accumulator.sums = [np.asarray(value) for value in position.metric_sums]
            self.log_resume()
            if callable(self.train):
                self.check_first_batch(next(iter(self.train(0))))
            else:
                self.replay_passes(self.train)
        self.run_directory.open_log(asdict(self.position))
        if saved is None:
            self.save()
        self.synchronize()
        self.saved_at = self.plotted_at = time.monotonic()
        return self.position.step > 0

    def replay_passes(self, train: tf.data.Dataset) -> None:
        """Read the training dataset as often as it was read before this epoch, so that it has the same order."""
        numbers = range(count_passes(train), self.position.passes)
        has_read_more = count_passes(train) > self.position.passes
        if has_read_more and not self.is_complete and not has_fixed_order(train):
            raise TrainingError(
                f"{self.run_directory.path} cannot be resumed with this dataset: it reshuffles, and this process has "
                "read it further than the checkpoint, so that some examples would be seen twice and others never. "
                "Make the dataset anew, from its first step on, and call `fit` again."
            )
        for number in numbers:
            if number != self.position.first_pass:
                begin_pass(train).reduce(0, lambda count, *_: count)
                continue
            batches = iter(begin_pass(train))
            self.check_first_batch(next(batches))
            if self.is_complete:
                return
            for _ in batches:
                pass

    def hash_first_batch(self, batch: Any) -> int:
        """Return a checksum of the first batch, to recognize the data; of its keys if the model samples it."""
        if isinstance(self.train, BucketedDataset) and self.train.is_sampled:
            batch = next(iter(self.train.make_keys(0)))
        return hash_batch(batch)

    def check_first_batch(self, batch: Any) -> None:
        """Raise an error if the run did not begin with this batch."""
        if self.position.first_batch not in (None, self.hash_first_batch(batch)):
            raise TrainingError(
                f"{self.run_directory.path} contains a run that began with another batch, so these are other "
                "data. Use another run directory for them, or remove this one. If the data are the same, their order "
                "is not: give `Dataset.shuffle` a seed, so that every process reads the same batches."
            )

    def log_resume(self) -> None:
        """Log where the run is resumed."""
        path, position = self.run_directory.path, self.position
        if not is_chief():
            return
        if self.is_complete:
            # A warning, because Python shows it without a configuration of `logging`.
            logger.warning("%s: training is complete; raise the number of epochs to go on", path)
        else:
            logger.info("%s: resuming after step %d, in epoch %d", path, position.step, position.epoch + 1)

    def log_best_epoch(self) -> None:
        """Log which epoch's weights the model has."""
        if is_chief():
            best = get_best_epoch(asdict(self.position))
            names = dict.fromkeys([self.monitor, "val_loss", "loss"])
            metrics = ", ".join(f"{name} {best.metrics[name]:.4g}" for name in names if name in best.metrics)
            logger.info("kept: epoch %d of %d, with %s", best.number, best.num_epochs, metrics)

    def save(self) -> None:
        """Write a checkpoint."""
        self.position.metric_sums = [value.tolist() for value in self.accumulator.sums or ()]
        self.position.stop_training = self.runner.model.stop_training
        self.position.callbacks = self.callbacks.get_states()
        self.run_directory.save(self.state(), asdict(self.position))
        self.saved_at = time.monotonic()

    def synchronize(self) -> None:
        """Wait for the other workers, and check that all have done the same."""
        compare_workers(
            {"step": self.position.step, "digest of the batches": self.batch_digest},
            f"All workers must see {self.run_directory.path}, such as on a shared volume, and read the same "
            "batches in the same order: give `Dataset.shuffle` a seed.",
        )

    def stop(self) -> NoReturn:
        """Save, and raise `Interrupted`."""
        self.save()
        self.synchronize()  # no worker may end while another one saves
        raise Interrupted(
            f"Stopped at step {self.position.step}; saved in {self.run_directory.path}. "
            f"To resume: {get_resume_command()}",
            self.signal_handler.signal_number,
        )

    # --- An epoch -----------------------------------------------------------------------------------

    def train_epoch(self) -> None:
        """Train on the remaining batches of an epoch."""
        position = self.position
        dataset = _epoch_dataset(self.train, position.epoch)
        num_batches = int(dataset.cardinality())
        self.progress = Progress(
            f"epoch {position.epoch + 1}/{self.epochs}",
            num_batches,
            batches_after=num_batches * (self.epochs - position.epoch - 1),
            batches_before=position.batch,
        )
        if position.batch == 0:
            self.accumulator.sums = None
            reset_states(self.runner.model)
            self.callbacks.call("on_epoch_begin", position.epoch)
        requested_at = time.monotonic()
        for batch in without_autotune(begin_pass(dataset).skip(position.batch)):
            if self.runner.model.stop_training and position.batch > 0:
                break
            if position.step == 0:
                position.first_batch = self.hash_first_batch(batch)
            is_first = self.batch_digest is None
            self.batch_digest = digest_batch(batch, self.batch_digest or 0)
            if is_first:
                self.synchronize()
            self.train_batch(batch, time.monotonic() - requested_at)
            if time.monotonic() - self.saved_at > self.checkpoint_seconds:
                self.save()
            requested_at = time.monotonic()

    def train_batch(self, batch: Any, input_seconds: float) -> None:
        """Update the weights, and log the step.

        Args:
            batch: the batch.
            input_seconds: time spent waiting for the batch.
        """
        position = self.position
        self.callbacks.call("on_train_batch_begin", position.batch)
        gradients, outcome = self.runner.compute_gradients(batch, self.signal_handler.as_tensor())
        metrics = {name: float(outcome[name]) for name in ("loss", "gradient_norm", "learning_rate")}
        # A LossScaleOptimizer skips a step whose gradients overflow, and lowers the scale.
        skips_overflow = isinstance(self.runner.optimizer, keras.optimizers.LossScaleOptimizer)
        if not math.isfinite(metrics["loss"]) or not (
            skips_overflow or math.isfinite(metrics["gradient_norm"])
        ):
            cause = locate_nonfinite(self.runner.model, batch, metrics["loss"], gradients)
            raise TrainingError(
                f"Training stopped at step {position.step + 1}, batch {position.batch + 1} of epoch "
                f"{position.epoch + 1}: {cause}. Earlier checkpoints are in {self.run_directory.path}. A "
                "lower learning rate or `global_clipnorm` may help; use another run directory with it."
            )
        self.runner.apply_gradients(gradients)
        self.accumulator.update(outcome["sums"])
        position.batch += 1
        position.step += 1
        line = {"epoch": position.epoch + 1, "step": position.step, **metrics}
        self.run_directory.log("step", line, {"input_seconds": round(input_seconds, 6)})
        self.progress.update(
            _batch_size(batch),
            input_seconds,
            lambda: self.accumulator.results() | {"gradient_norm": metrics["gradient_norm"]},
        )
        self.callbacks.call("on_train_batch_end", position.batch - 1, {"loss": metrics["loss"]})
        if outcome["stop_requests"]:
            self.stop()

    def end_epoch(self) -> None:
        """Evaluate, log, save the weights if they are the best, and write a checkpoint."""
        position = self.position
        self.synchronize()
        timing = self.progress.timing()
        metrics = self.accumulator.results()
        if self.validation is not None:
            dataset = _epoch_dataset(self.validation, 0)
            try:
                validation_metrics = _evaluate(self.runner, dataset, self.signal_handler)
            except Interrupted:
                self.stop()
            metrics |= {f"val_{name}": value for name, value in validation_metrics.items()}
        self.callbacks.call("on_epoch_end", position.epoch, metrics)
        _check_monitor(self.monitor, list(metrics))
        metrics = {name: float(value) for name, value in metrics.items()}
        self.progress.finish(metrics, timing)
        position.history.append(metrics)
        self.history.on_epoch_end(position.epoch, metrics)
        position.best_epoch = find_best_epoch(position.history, self.monitor, self.mode)
        if position.best_epoch == position.epoch:
            position.best_digest = self.run_directory.save_best(self.weights())
        self.run_directory.log(
            "epoch", {"epoch": position.epoch + 1, "step": position.step, **metrics}, timing
        )
        last_improvement = find_last_improvement(position.history, self.monitor, self.mode)
        # Patience begins anew with each cycle.
        waited = position.epoch - max(last_improvement, self.run_directory.cycles[-1].start - 1)
        position.is_stopped = waited >= self.patience or self.runner.model.stop_training
        position.epoch += 1
        position.batch = 0
        if not callable(self.train):
            position.passes = count_passes(self.train)
        self.save()
        if time.monotonic() - self.plotted_at > _PLOT_SECONDS:
            self.run_directory.plot()
            self.plotted_at = time.monotonic()
