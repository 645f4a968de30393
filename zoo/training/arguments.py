"""Arguments of `fit` and `evaluate` as Keras's `compile` and `fit` take them: strings, class weights."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import get_argument, get_wrapped_function, resolve_loss, resolve_metric
from zoo.errors import UsageError
from zoo.formulations import DelayedManyToMany, LanguageModel, ManyToMany, ManyToOne, OneToMany
from zoo.layers import reset_states
from zoo.training.passes import begin_pass
from zoo.training.step_runner import Loss, get_class_ids

ClassWeight = Mapping[int, float] | Literal["balanced"]

_RETURN_LOGITS = (DelayedManyToMany, LanguageModel, ManyToMany, ManyToOne, OneToMany)

_COUNTING_METRICS = (
    keras.metrics.FalseNegatives,
    keras.metrics.FalsePositives,
    keras.metrics.Precision,
    keras.metrics.Recall,
    keras.metrics.TrueNegatives,
    keras.metrics.TruePositives,
)
"""Metrics that compare outputs with `thresholds`."""

_PROBABILITY_FUNCTIONS = (
    keras.losses.dice,
    keras.losses.kl_divergence,
    keras.losses.poisson,
    keras.losses.tversky,
)
"""Losses and metrics that have no variant for logits, as functions."""

_PROBABILITY_METRICS = (
    keras.metrics.PrecisionAtRecall,
    keras.metrics.RecallAtPrecision,
    keras.metrics.SensitivityAtSpecificity,
    keras.metrics.SpecificityAtSensitivity,
)
"""Metrics that have no variant for logits, as classes."""

_HINTS = {
    "batch_size": "Batch the dataset: `dataset.batch(32)`, or `zoo.training.bucket_by_length`.",
    "sample_weight": "Make the weights the third component of the batches: `(x, y, sample_weight)`.",
    "shuffle": "Shuffle the dataset: `dataset.shuffle(len(x), seed=1)` before `batch`.",
    "steps_per_epoch": "Give a dataset of so many batches: `dataset.take(steps)`.",
    "validation_data": "Give batches as `validation`: `zoo.fit(model, train, validation)`.",
    "validation_split": (
        "Split the data before: of shuffled examples, "
        "`train, validation = keras.utils.split_dataset(dataset, right_size=0.1, shuffle=True, seed=1)` "
        "before `batch`; of arrays, `x[:-n]` and `x[-n:]`."
    ),
    "verbose": "Progress is printed, as a line on a terminal and every 30 seconds elsewhere.",
    "x": "Give batches as `train`.",
    "y": "Give batches `(x, y)` as `train`.",
}
"""What to do instead of arguments of Keras's `fit`."""


def refuse_arguments(names: Sequence[str]) -> NoReturn:
    """Raise `TypeError` for arguments that `fit` does not have, with what to do instead."""
    hints = [f"{name!r}. {_HINTS[name]}" if name in _HINTS else f"{name!r}." for name in names]
    raise TypeError(f"`zoo.fit` got the unexpected argument {' '.join(hints)}")


def check_data(name: str, data: Any) -> None:
    """Check that an argument is a dataset, or a function from epoch numbers to datasets.

    Args:
        name: name of the argument.
        data: the argument.

    Raises:
        TypeError: it is anything else, such as arrays.
    """
    if not isinstance(data, tf.data.Dataset) and not callable(data):
        raise TypeError(
            f"`{name}` must be a `tf.data.Dataset` of batches, or a function from the epoch number to one, but it is "
            f"of type {type(data).__name__}. Make a dataset of arrays: "
            "`tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=1).batch(32)`."
        )


def resolve_optimizer(optimizer: keras.optimizers.Optimizer | str) -> keras.optimizers.Optimizer:
    """Return the optimizer that a string stands for in Keras's `compile`.

    Raises:
        ValueError: the name is unknown, or the optimizer has `use_ema`.
    """
    optimizer = keras.optimizers.get(optimizer)
    if optimizer.use_ema or getattr(optimizer, "inner_optimizer", optimizer).use_ema:
        raise ValueError(
            "`optimizer` has `use_ema`, which would have no effect: `fit` keeps the weights of the best epoch, and not "
            "their moving averages. Leave `use_ema` out."
        )
    return optimizer


def resolve_loss_and_metrics(
    model: keras.Model, dataset: tf.data.Dataset, loss: Loss | str, metrics: Any
) -> tuple[Loss, list[keras.metrics.Metric]]:
    """Return the loss and the metrics that strings and functions stand for, as in Keras's `compile`.

    The formulations of this library return logits, so for them a string means the loss or metric of logits, and so it
    does for any model if the loss has `from_logits`. With any other model "sparse_categorical_crossentropy" and the
    like mean the loss of probabilities.

    Args:
        model: the built model.
        dataset: batches.
        loss: a loss as in `fit`.
        metrics: metrics as in `fit`.

    Raises:
        ValueError: a name is unknown, or a loss or metric of probabilities is given for a model that returns logits.
    """
    metrics = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
    _, y, _ = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    outputs = compute_output_spec(model, dataset)
    returns_logits = isinstance(model, _RETURN_LOGITS) or (
        not isinstance(loss, str) and get_argument(loss, "from_logits") is True
    )
    name = loss
    if isinstance(loss, str):
        loss = resolve_loss(loss, y, outputs)
    if returns_logits:
        loss = _convert_to_logits("`loss` is", name, loss)
    elif isinstance(name, str) and "crossentropy" in loss.name:
        _check_probabilities(model, dataset, name)
    resolved = []
    for identifier in metrics:
        metric = identifier
        if not isinstance(identifier, keras.metrics.Metric):
            metric = resolve_metric(identifier, y, outputs)
        resolved.append(_convert_to_logits("`metrics` has", identifier, metric) if returns_logits else metric)
    return loss, resolved


def _convert_to_logits(place: str, identifier: Any, resolved: Any) -> Any:
    """Return a loss or metric that reads logits.

    Args:
        place: where it was given, for errors.
        identifier: what was given. Only a string may mean both probabilities and logits.
        resolved: the loss or metric that the identifier stands for.

    Raises:
        ValueError: it reads probabilities.
    """
    arguments: dict[str, Any] | None = {}
    wrapped = get_wrapped_function(resolved)
    if get_argument(resolved, "from_logits") is False:
        arguments = {"from_logits": True}
    elif isinstance(resolved, _COUNTING_METRICS) and resolved.thresholds == [0.5]:
        arguments = {"thresholds": 0}
    elif wrapped is keras.metrics.binary_accuracy or isinstance(resolved, keras.metrics.BinaryIoU):
        arguments = {"threshold": 0} if get_argument(resolved, "threshold") == 0.5 else {}
    elif isinstance(resolved, keras.metrics.FBetaScore):
        arguments = None if resolved.threshold else {}
    elif wrapped in _PROBABILITY_FUNCTIONS or isinstance(resolved, _PROBABILITY_METRICS):
        arguments = None
    if not arguments and arguments is not None:
        return resolved
    if isinstance(identifier, str) and arguments is not None:
        return type(resolved).from_config({**resolved.get_config(), **arguments})
    name = getattr(identifier, "__name__", type(identifier).__name__)
    (hint,) = [f"Pass `{name}={value}` to it." for name, value in (arguments or {}).items()] or [
        "Use another one, or end the model with a softmax or sigmoid."
    ]
    raise ValueError(
        f"{place} {repr(identifier) if isinstance(identifier, str) else name}, which takes probabilities, but the "
        f"outputs of the model are logits. {hint}"
    )


def compute_output_spec(model: keras.Model, dataset: tf.data.Dataset) -> tf.TensorSpec:
    """Return shape and dtype of the outputs of a model for the batches of a dataset."""
    x, *_ = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    outputs = function.get_concrete_function(x).structured_outputs
    return tf.TensorSpec(outputs.shape, outputs.dtype)


def _check_probabilities(model: keras.Model, dataset: tf.data.Dataset, loss: str) -> None:
    """Raise an error if the outputs of a model for the first batch are not between 0 and 1."""
    for batch in begin_pass(dataset).take(1):
        x, *_ = keras.utils.unpack_x_y_sample_weight(batch)
        outputs = keras.ops.convert_to_numpy(model(x, training=False))
        reset_states(model)
        if outputs.min() < 0 or outputs.max() > 1:
            name = "".join(word.capitalize() for word in loss.split("_"))
            name = name if hasattr(keras.losses, name) else "SparseCategoricalCrossentropy"
            raise ValueError(
                f"`loss` is {loss!r}, which takes probabilities, but the outputs of the model are between "
                f"{outputs.min():.3g} and {outputs.max():.3g}. If they are logits, pass "
                f"`keras.losses.{name}(from_logits=True)`; else end the model with a softmax or sigmoid."
            )


def describe_loss(loss: Loss) -> dict[str, Any] | str:
    """Return the name of a loss, and the arguments of a Keras loss, as JSON values."""
    if not isinstance(loss, keras.losses.Loss):
        return getattr(loss, "__name__", type(loss).__name__)
    config = {name: value for name, value in loss.get_config().items() if name != "name"}  # Keras numbers it
    values = {
        key: value for key, value in config.items() if isinstance(value, bool | int | float | str | None)
    }
    return {"class": type(loss).__name__, **values}


def resolve_class_weight(
    class_weight: ClassWeight, model: keras.Model, dataset: tf.data.Dataset, loss: Loss
) -> dict[int, float]:
    """Return the weight of each class, after a check.

    Args:
        class_weight: weights by class id, or "balanced" for those of `balance_class_weight`.
        model: the built model.
        dataset: the training batches of an epoch.
        loss: the loss.

    Raises:
        UsageError: an element may have several classes, an id is not that of a class of the model, or a weight is
            negative or not finite.
    """
    outputs = compute_output_spec(model, dataset)
    if outputs.shape[-1] > 1 and getattr(loss, "name", "").startswith("binary"):
        raise UsageError(
            "`class_weight` needs one class for each element, but with a binary loss and several outputs an element "
            "may have several. Give sample weights with the shape of the losses instead."
        )
    if class_weight == "balanced":
        return balance_class_weight(dataset, outputs)
    if not isinstance(class_weight, Mapping):
        raise UsageError(
            '`class_weight` must be "balanced" or a dict of weights by class id, such as {0: 1.0, 1: 4.0}, but it is '
            f"{class_weight!r}."
        )
    num_classes = max(outputs.shape[-1], 2)  # a single output stands for two classes
    for class_id, weight in class_weight.items():
        if not isinstance(class_id, int | np.integer) or not 0 <= class_id < num_classes:
            raise UsageError(
                f"`class_weight` has the class {class_id!r}, but the classes of the model are 0 to {num_classes - 1}. "
                "Use the ids of the labels as keys."
            )
        if not (math.isfinite(weight) and weight >= 0):
            raise UsageError(
                f"`class_weight` of the class {class_id} must be a number of at least 0, but it is {weight!r}."
            )
    return {int(class_id): float(weight) for class_id, weight in class_weight.items()}


def balance_class_weight(dataset: tf.data.Dataset, outputs: tf.TensorSpec) -> dict[int, float]:
    """Return weights with which all classes that occur contribute equally to the loss.

        weight of c = examples / (classes * examples of c)

    These are scikit-learn's weights "balanced". An example with a sample weight counts by it; padding, with the
    weight 0, does not count.

    Args:
        dataset: batches `(x, y)` or `(x, y, sample_weight)`.
        outputs: shape of the outputs of the model.

    Example:
        >>> data = tf.data.Dataset.from_tensors((tf.zeros([4, 1]), tf.constant([0, 0, 0, 2])))
        >>> balance_class_weight(data, tf.TensorSpec([None, 3]))
        {0: 0.6666666666666666, 2: 2.0}
    """
    counts = np.zeros(max(outputs.shape[-1], 2))
    for batch in begin_pass(dataset):
        _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        ids = get_class_ids(y, outputs).numpy()
        weights = np.ones(ids.shape)
        if sample_weight is not None:
            rows = np.asarray(sample_weight, float)
            weights *= rows.reshape(rows.shape + (1,) * (ids.ndim - rows.ndim))
        counts += np.bincount(ids.ravel(), weights.ravel(), len(counts))[: len(counts)]
    occurring = np.flatnonzero(counts)
    return {int(c): float(counts.sum() / (len(occurring) * counts[c])) for c in occurring}
