"""The way back: a Keras model and its weights from an export's card and variables."""

import contextlib
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.card import FILE
from zoo.errors import ExportError, ZooError


def list_variables(model: keras.Model) -> list[tf.Variable]:
    """Return the plain variables of a model's weights, in the order of `model.weights`."""
    return [weight.value for weight in model.weights]


def describe_weights(model: keras.Model) -> list[dict[str, Any]]:
    """Return path and shape of each weight of a built model, as a card stores them."""
    return [{"path": path, "shape": list(shape)} for path, shape in _list_weights(model)]


def load_keras_model(directory: Path, card: Mapping[str, Any]) -> keras.Model:
    """Rebuild the Keras model of an export, with its weights, ready to train.

    The configuration comes from the card, the weights from the export's own variables. Pretrained weights are
    not needed.

    Args:
        directory: directory of the export.
        card: content of its `card.json`.

    Raises:
        ExportError: the card does not describe the model, or the variables do not fit it.

    Example:
        >>> import zoo
        >>> from zoo.card import read_card
        >>> from zoo.model_store import find_model
        >>> directory = find_model("sentiment")
        >>> zoo.export.load_keras_model(directory, read_card(directory)).scores.units
        2
    """
    if not card.get("model"):
        raise ExportError(
            f"{directory} does not describe its Keras model. Expected `model` in card.json: export the model "
            "again with this version."
        )
    with report_misfit(directory, "model.config"):
        config = copy.deepcopy(card["model"]["config"])  # Keras takes that of a functional model apart
        model: keras.Model = keras.saving.deserialize_keras_object(config)
        if not isinstance(model, keras.Model) or not model.built:
            raise TypeError("it is not the configuration of a Keras model that was built")
    restore_weights(model, directory, "model", card["model"]["weights"])
    return model


@contextlib.contextmanager
def report_misfit(directory: Path, field: str) -> Iterator[None]:
    """Raise an `ExportError` if the block cannot build what a field of a card describes.

    Args:
        directory: directory of the export.
        field: name of the field in `card.json`, whose content the code of a task or of Keras reads.

    Example:
        >>> import zoo
        >>> from pathlib import Path
        >>> try:
        ...     with zoo.export.report_misfit(Path("model"), "labels"):
        ...         int("three")
        ... except zoo.errors.ExportError as error:
        ...     print(error)  # doctest: +ELLIPSIS
        model/card.json: `labels` does not describe what was exported: ValueError: invalid literal for int() ...
    """
    try:
        yield
    except ZooError as error:
        if str(directory) in str(error):
            raise
        raise ExportError(f"{directory / FILE}: `{field}`: {error}") from error
    except Exception as error:  # other code may raise anything for a configuration that it did not write
        raise ExportError(
            f"{directory / FILE}: `{field}` does not describe what was exported: {type(error).__name__}: "
            f"{str(error)[:500]}. Restore the file, or export the model again."
        ) from error


def restore_weights(
    model: keras.Model, directory: Path, name: str, described: Sequence[Mapping[str, Any]]
) -> None:
    """Set the weights of a built model to those of an export.

    Args:
        model: the model.
        directory: directory of the export.
        name: under which the model was exported: "model", or "networks/" and the name of a network.
        described: path and shape of each weight, from the card.

    Raises:
        ExportError: the model has other weights than the card describes, or the variables lack some.

    Example:
        >>> import numpy as np, zoo
        >>> from zoo.card import read_card
        >>> from zoo.model_store import find_model
        >>> directory = find_model("sentiment")
        >>> card = read_card(directory)
        >>> model = zoo.export.load_keras_model(directory, card)
        >>> trained = model.scores.kernel.numpy()
        >>> _ = model.scores.kernel.assign(np.zeros_like(trained))
        >>> zoo.export.restore_weights(model, directory, "model", card["model"]["weights"])
        >>> bool((model.scores.kernel.numpy() == trained).all())
        True
    """
    expected = [(weight["path"], tuple(weight["shape"])) for weight in described]
    actual = _list_weights(model)
    if len(actual) != len(expected):
        raise ExportError(
            f"{directory}: expected {len(expected)} weights of {name!r}, as on its card, and this version of the "
            f"code makes {len(actual)}. Load it with the version that exported it."
        )
    try:
        reader = tf.train.load_checkpoint(str(directory / "variables" / "variables"))
    except (ValueError, tf.errors.OpError) as error:
        raise _make_variables_error(directory, str(error)) from error
    shapes = reader.get_variable_to_shape_map()
    values = []
    for number, (weight, (path, shape), (actual_path, actual_shape)) in enumerate(
        zip(model.weights, expected, actual, strict=True)
    ):
        if shape != actual_shape or not _is_same_path(path, actual_path):
            raise ExportError(
                f"{directory}: expected weight {number} of {name!r} to be {path} of shape {list(shape)}, as on its "
                f"card, and this version of the code makes {actual_path} of shape {list(actual_shape)}. Load it "
                "with the version that exported it."
            )
        key = f"{name}/{number}/.ATTRIBUTES/VARIABLE_VALUE"
        if key not in shapes or tuple(shapes[key]) != shape:
            raise ExportError(
                f"{directory}: variables/ holds no {path} of shape {list(shape)}. Restore the files, or export the "
                "model again."
            )
        try:
            values.append(reader.get_tensor(key).astype(weight.dtype))  # half-precision exports hold float16
        except (ValueError, IndexError, tf.errors.OpError) as error:
            raise _make_variables_error(directory, f"{path}: {error}") from error
    model.set_weights(values)


def _make_variables_error(directory: Path, reason: str) -> ExportError:
    return ExportError(
        f"{directory}: variables/ cannot be read: {reason}. Restore the files, or export the model again."
    )


def _list_weights(model: keras.Model) -> list[tuple[str, tuple[int, ...]]]:
    """Path and shape of each weight, without the counters that Keras appends to names within a process."""
    return [(re.sub(r"_\d+(?=/|$)", "", weight.path), tuple(weight.shape)) for weight in model.weights]


def _is_same_path(one: str, other: str) -> bool:
    # A layer that is rebuilt by itself, before the model around it, has a path without the model's name.
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")
