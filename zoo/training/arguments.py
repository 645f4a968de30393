"""Arguments of `fit` and `evaluate` as Keras's `compile` and `fit` take them: strings, class weights."""

import inspect
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

_ONE_OUTPUT = (
    "Expected one tensor. Let the model return one, such as all outputs side by side, or pass as `loss` a function "
    "from targets and outputs to a loss for each element, without `metrics`."
)

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


def check_data(name: str, data: Any) -> tf.data.Dataset:
    """Check that an argument is a dataset of batches, or a function from epoch numbers to such datasets.

    Args:
        name: name of the argument.
        data: the argument.

    Returns:
        The dataset, of a function that of epoch 0.

    Raises:
        TypeError: it is anything else, such as arrays.
        ValueError: the dataset has no end, or no targets.
    """
    dataset, found = data, f"it is of type {type(data).__name__}"
    if callable(data):
        dataset, found = None, "it is a generator function"
        if not inspect.isgeneratorfunction(data):
            dataset = data(0)
            found = f"it is a function that returns a {type(dataset).__name__}"
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            f"`{name}` must be a `tf.data.Dataset` of batches, or a function from the epoch number to one, but "
            f"{found}. Make a dataset of arrays, `tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), "
            "seed=1).batch(32)`, or of a generator, by `tf.data.Dataset.from_generator`."
        )
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"`{name}` has no end, so that its first epoch has none. Leave out `repeat`, or give the number of batches "
            "of an epoch: `dataset.take(steps)`."
        )
    if keras.utils.unpack_x_y_sample_weight(dataset.element_spec)[1] is None:
        raise ValueError(
            f"`{name}` has batches without targets. Make batches `(x, y)` or `(x, y, sample_weight)`; the targets may "
            "be the inputs."
        )
    return dataset


def check_epochs(epochs: Any) -> None:
    """Raise `ValueError` if a number of epochs is not an integer of at least 1."""
    if not isinstance(epochs, int | np.integer) or epochs < 1:
        raise ValueError(f"`epochs` must be a whole number of at least 1, but it is {epochs!r}.")


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
        ValueError: a name is unknown, two metrics have the same, one is called "loss", there are several outputs, or a
            loss or metric of probabilities is given for a model that returns logits.
    """
    metrics = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
    for name, kind, value in [("loss", "loss", loss), *(("metrics", "metric", metric) for metric in metrics)]:
        if not isinstance(value, str) and not callable(value):
            raise ValueError(
                f"`{name}` has {value!r:.80}. Expected a Keras {kind}, its name or a function, for the one output of "
                "the model."
            )
    if (
        not metrics
        and not isinstance(loss, str | keras.losses.Loss)
        and not isinstance(model, _RETURN_LOGITS)
    ):
        return loss, metrics  # a function may take targets and outputs of any structure
    _, y, _ = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    if keras.tree.is_nested(y):
        raise ValueError(f"The batches have several targets, {_describe_structure(y)}. {_ONE_OUTPUT}")
    outputs = compute_output_spec(model, dataset)
    returns_logits = isinstance(model, _RETURN_LOGITS) or (
        not isinstance(loss, str) and get_argument(loss, "from_logits") is True
    )
    resolved_loss: Any = resolve_loss(loss, y, outputs) if isinstance(loss, str) else loss
    if returns_logits:
        resolved_loss = _convert_to_logits("`loss` is", loss, resolved_loss)
    elif isinstance(loss, str) and "crossentropy" in resolved_loss.name:
        _check_probabilities(model, dataset, loss)
    resolved = []
    for identifier in metrics:
        metric = identifier
        if not isinstance(identifier, keras.metrics.Metric):
            metric = resolve_metric(identifier, y, outputs)
        resolved.append(_convert_to_logits("`metrics` has", identifier, metric) if returns_logits else metric)
    names = ["loss", *(metric.name for metric in resolved)]
    if repeated := [name for place, name in enumerate(names) if name in names[:place]]:
        raise ValueError(
            f"`metrics` has the name {repeated[0]!r} twice, or as that of the loss. Give each metric a `name` of "
            "its own."
        )
    return resolved_loss, resolved


def _convert_to_logits(place: str, identifier: Any, resolved: Any) -> Any:
    """Return a loss or metric that reads logits.

    Args:
        place: where it was given, for errors.
        identifier: what was given. Only a string may mean both probabilities and logits.
        resolved: the loss or metric that the identifier stands for.

    Raises:
        ValueError: it reads probabilities.
    """
    arguments = _find_arguments_for_logits(resolved)
    if arguments == {}:
        return resolved
    if arguments and isinstance(identifier, str):
        return type(resolved).from_config({**resolved.get_config(), **arguments})
    hint = "Use another one, or end the model with a softmax or sigmoid."
    if arguments:
        hint = f"Pass {', '.join(f'`{name}={value}`' for name, value in arguments.items())} to it."
    name = repr(identifier)
    if not isinstance(identifier, str):
        name = getattr(identifier, "__name__", type(identifier).__name__)
    raise ValueError(
        f"{place} {name}, which takes probabilities, but the outputs of the model are logits. {hint}"
    )


def _find_arguments_for_logits(function: Any) -> dict[str, Any] | None:
    """Return the arguments with which a loss or metric reads logits; {} if it does so, None if there are none."""
    if get_argument(function, "from_logits") is False:
        return {"from_logits": True}
    if isinstance(function, _COUNTING_METRICS):
        return {"thresholds": 0} if function.thresholds == [0.5] else {}
    wrapped = get_wrapped_function(function)
    if wrapped is keras.metrics.binary_accuracy or isinstance(function, keras.metrics.BinaryIoU):
        return {"threshold": 0} if get_argument(function, "threshold") == 0.5 else {}
    if isinstance(function, keras.metrics.FBetaScore):
        return {} if function.threshold is None else None  # without a threshold, the largest output counts
    is_of_probabilities = wrapped in _PROBABILITY_FUNCTIONS or isinstance(function, _PROBABILITY_METRICS)
    return None if is_of_probabilities else {}


def compute_output_spec(model: keras.Model, dataset: tf.data.Dataset) -> tf.TensorSpec:
    """Return shape and dtype of the outputs of a model for the batches of a dataset.

    Raises:
        ValueError: the model has several outputs.
    """
    x, *_ = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    outputs = function.get_concrete_function(x).structured_outputs
    if keras.tree.is_nested(outputs):
        raise ValueError(f"`model` has several outputs, {_describe_structure(outputs)}. {_ONE_OUTPUT}")
    return tf.TensorSpec(outputs.shape, outputs.dtype)


def _describe_structure(values: Any) -> str:
    return f"{type(values).__name__} of {len(values)}"


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

    Raises:
        UsageError: an element that counts has a class that the model does not have.

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
        ids, weights = ids[weights != 0], weights[weights != 0]
        if outside := set(ids[(ids < 0) | (ids >= len(counts))].tolist()):
            raise UsageError(
                f'`class_weight` is "balanced", but the targets have the class {min(outside)}, and the classes of the '
                f"model are 0 to {len(counts) - 1}. Give such elements the sample weight 0."
            )
        counts += np.bincount(ids, weights, len(counts))
    occurring = np.flatnonzero(counts)
    return {int(c): float(counts.sum() / (len(occurring) * counts[c])) for c in occurring}
