"""Checks of cells that users write: errors with the cell, the method, what is wrong and what to write."""

import contextlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import uninitialized_variables

METHODS = (
    "prepare_constants",
    "project",
    "recurrent",
    "gates",
    "coefficients",
    "combine",
    "update",
    "step",
    "readout",
)
"""The methods of a cell that a loop over time calls, directly or not."""


def check_layer(model: Any, kind: type = keras.Layer) -> None:
    """Raise a TypeError if a model or layer, or with `kind=keras.Model` a model, is something else, such as a path."""
    if not isinstance(model, kind):
        is_model = kind is keras.Model
        if hasattr(model, "signatures"):
            raise TypeError(
                f"Expected a Keras {'model' if is_model else 'model or layer'}, got {model!r}, the graph of an export. "
                "Rebuild the model: `preprocessor, model = TASK.from_export(path)` with the `TASK` of its module in "
                '`zoo.tasks`; or call a signature of the export: `model.signatures["gates"]` returns the gates of a '
                "text classifier."
            )
        layer_advice = " Put a layer into `keras.Sequential([keras.Input((None, features)), layer])`."
        raise TypeError(
            f"Expected a Keras {'model' if is_model else 'model or layer'}, got {model!r}. Load a file first: "
            f"`model = keras.saving.load_model(path)`.{layer_advice if is_model else ''}"
        )


def check_names(cell: Any) -> None:
    """Raise a TypeError if `weight_blocks` or `state_names` of a cell is not a tuple of names."""
    for attribute in ("weight_blocks", "state_names"):
        names = getattr(cell, attribute)
        is_sequence = isinstance(names, Sequence) and not isinstance(names, str)
        if not is_sequence or not all(isinstance(name, str) for name in names):
            raise TypeError(
                f"`{attribute}` of {type(cell).__name__} must be a tuple of names, but it is {names!r}. A tuple "
                f'with one name needs a comma: `{attribute} = ("hidden",)`.'
            )


def check_cells(cell: Any) -> None:
    """Raise a TypeError if what should be a cell, or a list of cells, is something else, such as a class or a layer."""
    for one in cell if isinstance(cell, (list, tuple)) and cell else [cell]:
        _check_cell(
            one,
            "`cell` must be a cell, which computes one time step, such as `zoo.LSTMCell(4)`, or a list of cells",
        )


def check_template(cell: Any) -> None:
    """Raise a TypeError if the cell that a stack copies for each of its layers is something else, such as a list."""
    _check_cell(
        cell,
        "`cell` must be a cell, which computes one time step, such as `zoo.LSTMCell(4)`; each of the `depth` layers "
        "gets a copy of it",
    )


def _check_cell(cell: Any, expected: str) -> None:
    if isinstance(cell, type):
        found = f"the class {cell.__name__}: write `{cell.__name__}(...)`"
    elif isinstance(cell, keras.layers.RNN) and not (cell.return_state and len(cell.state_size) == 1):
        # A layer that returns its output and one state does work as a cell, on sequences of sequences.
        found = f"{cell!r}, a layer that runs over all time steps; use that layer alone, or pass a cell"
    elif not callable(getattr(cell, "call", None)) or not hasattr(cell, "state_size"):
        names = [
            name.removeprefix("zoo>") for name in keras.saving.get_custom_objects() if name.startswith("zoo>")
        ]
        wanted = str(cell).replace("_", "").lower().removesuffix("cell") + "cell"
        advice = "".join(f": write `zoo.cells.{name}(...)`" for name in names if name.lower() == wanted)
        found = f"{cell!r}{advice}"
    else:
        return
    raise TypeError(f"{expected}, but it is {found}.")


def check_part(name: str, value: Any, kind: type, advice: str) -> None:
    """Raise a TypeError if the part `name` of a model is not an instance of `kind`.

    Args:
        name: name of the argument.
        value: its value.
        kind: a public class of this library, or of Keras.
        advice: what to write.
    """
    if not isinstance(value, kind):
        package = kind.__module__.partition(".")[0]
        raise TypeError(f"`{name}` must be a `{package}.{kind.__name__}`, but it is {value!r}. {advice}")


LAYER_ARGUMENTS = frozenset(
    {"activity_regularizer", "go_backwards", "return_sequences", "return_state", "stateful", "unroll"}
)
"""Arguments of a layer that runs a cell over time, which the cell itself does not have."""


def check_no_layer_arguments(cls: type, arguments: Mapping[str, Any]) -> None:
    """Raise a ValueError if a cell is created with arguments of a layer, as `keras.layers.Bidirectional` does."""
    if found := sorted(name for name in LAYER_ARGUMENTS if arguments.get(name) is not None):
        raise ValueError(
            f"{cls.__name__} is a cell, which computes one time step, and does not accept "
            f"{', '.join(f'`{name}`' for name in found)}. Give them to a layer that runs it over all time steps, "
            f"`zoo.RNN({cls.__name__}(...))`; wrappers such as `keras.layers.Bidirectional` need such a layer, too."
        )


def check_states(
    owner: str, argument: str, cells: Sequence[Any], batch: int | None, states: Any, is_stack: bool
) -> None:
    """Raise a ValueError if states do not have a tensor [batch, *shape] for each state of each cell.

    Args:
        owner: name of the layer or cell.
        argument: name of the argument that holds the states.
        cells: the cells.
        batch: number of rows, None if it is not known.
        states: the states.
        is_stack: whether `states` are a list with the states of each cell.
    """
    found = [to_list(state) for state in (to_list(states) if is_stack else [states])]
    expected = [[(batch, *shape) for shape in cell.state_shapes] for cell in cells]
    is_valid = [len(states) for states in found] == [len(shapes) for shapes in expected] and all(
        hasattr(state, "shape")
        and keras.backend.standardize_dtype(state.dtype) != "bool"
        and tf.TensorShape(state.shape).is_compatible_with(shape)
        for states, shapes in zip(found, expected, strict=True)
        for state, shape in zip(states, shapes, strict=True)
    )
    if is_valid:
        return
    names = [f"[{', '.join(cell.state_names)}]" for cell in cells]
    wanted = [
        f"[{', '.join(f'{name} {shape}' for name, shape in zip(cell.state_names, shapes, strict=True))}]"
        for cell, shapes in zip(cells, expected, strict=True)
    ]
    if is_stack:
        names, wanted = ([f"[{', '.join(texts)}]"] for texts in (names, wanted))
    if argument == "states":
        advice = f"Write `cell(x, {names[0]})`, for example with the states of `cell.get_initial_state(batch_size)`."
    else:
        advice = (
            f"Write `layer(x, {argument}={names[0]})`, for example with the states that a layer with "
            "`return_state=True` returns."
        )
    if owner.startswith(("forward_", "backward_")):
        advice += (
            " A `Bidirectional` splits its `initial_state`: pass a list with the states of the forward layer, "
            "then those of the backward layer."
        )
    if "bool" in (description := _describe_states(states, 1 + is_stack)):
        advice += " A mask is passed by its name: `layer(x, mask=mask)`."
    raise ValueError(
        f"`{argument}` of {owner} must be a list with one tensor for each state, {wanted[0]} for these "
        f"{'sequences' if argument == 'initial_state' else 'inputs'}, but it is {description}. {advice}"
    )


def to_list(states: Any) -> list[Any]:
    """Return states as a list, which may be one tensor alone."""
    return list(states) if keras.tree.is_nested(states) else [states]


def _describe_states(states: Any, depth: int) -> str:
    """Return the shapes of tensors in lists of this depth, and the types of what is no tensor."""
    if depth and isinstance(states, (list, tuple)):
        return f"[{', '.join(_describe_states(state, depth - 1) for state in states)}]"
    if not hasattr(states, "shape"):
        return type(states).__name__
    is_bool = keras.backend.standardize_dtype(states.dtype) == "bool"
    return f"{'bool ' if is_bool else ''}tensor {states.shape}"


def get_flags(flags: Any) -> Any:
    """Return a mask or resets as a tensor: nested lists are converted, of several tensors the first one is taken."""
    if hasattr(flags, "shape"):
        return flags
    first = keras.tree.flatten(flags)[0]
    return first if len(getattr(first, "shape", ())) > 1 else tf.convert_to_tensor(flags)


def check_flags(owner: str, name: str, flags: Any, shape: Sequence[int | None]) -> None:
    """Raise a ValueError if a mask or resets do not have a flag for each row and time step.

    As in Keras, numbers may stand for flags, and those other than 0 are True. Floats must be 0 or 1, where their
    values are known: others are probabilities, whose threshold the caller must choose.

    Args:
        owner: name of the layer.
        name: "mask" or "resets".
        flags: the tensor.
        shape: the sequences' batch size and number of time steps.
    """
    expected = f"`{name}` of {owner} must be a bool tensor [batch, time]"
    if not tf.TensorShape(flags.shape).is_compatible_with(shape):
        raise ValueError(
            f"{expected}, of shape {tuple(shape)} for these sequences, but its shape is {tuple(flags.shape)}."
        )
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(flags.dtype)):
        values = (
            flags if isinstance(flags, np.ndarray) else tf.is_tensor(flags) and tf.get_static_value(flags)
        )
        if isinstance(values, np.ndarray) and not ((values == 0) | (values == 1)).all():
            raise ValueError(
                f"{expected}, but it has values other than 0 and 1. Compare them with a number: "
                f"`{name}={name} > 0.5`."
            )


def check_initialized(cell: Any) -> None:
    """Raise a TypeError if the constructor of a cell did not call that of `zoo.Cell`."""
    if "units" not in vars(cell):
        name = type(cell).__name__
        raise TypeError(
            f"`__init__` of {name} does not call the constructor of its base class. Start it with "
            "`super().__init__(units, **kwargs)`."
        )


def check_state_size(cell: Any) -> None:
    """Raise a ValueError if `state_size` of a cell is not one width for each of its states."""
    sizes = cell.state_size
    entries = sizes if isinstance(sizes, (list, tuple)) else [sizes]
    count = len(cell.state_names)
    shapes = [size if isinstance(size, tuple) and size else (size,) for size in entries]
    is_valid = all(isinstance(n, int) and n > 0 for shape in shapes for n in shape)
    if isinstance(sizes, tuple) or len(shapes) != count or not is_valid:
        raise ValueError(
            f"`state_size` of {type(cell).__name__} must be a list with {count} entries, one for each of the "
            f"states {tuple(cell.state_names)}, but it is {sizes!r}. An entry is the width of a state [batch, "
            "width], or the shape of a state [batch, *shape] as a tuple: `[6, (2, 3)]`."
        )


def check_stackable(cell: Any, number: int) -> None:
    """Raise a ValueError if a cell cannot read the outputs of another one, as number 2 and later of a stack do."""
    columns = getattr(cell, "extra_columns", "")
    if number > 1 and columns:
        raise ValueError(
            f"{type(cell).__name__} cannot be number {number} of a stack: it expects {columns} in the last columns of "
            "its inputs, and the outputs of the layer before do not have them. Use one layer for each cell, and "
            "concatenate the columns to the inputs of each: "
            "`keras.ops.concatenate([outputs, columns], axis=-1)`."
        )


class Constants(dict[str, Any]):
    """The constants of a cell by name: reading one that does not exist raises a KeyError with advice."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(
            f"There is no constant {name!r}. Pass it to the layer, `layer(x, constants={{{name!r}: tensor}})`, or "
            "return it from `prepare_constants`."
        )


def check_used_constants(layer_name: str, cells: Sequence[Any], constants: Mapping[str, Any]) -> None:
    """Raise a ValueError if the cells of a layer are of this library and do not read all constants passed to it."""
    if not all(type(cell).__module__.startswith("zoo.cells.") for cell in cells):
        return  # what other cells read is not known
    known = sorted({weight.name for cell in cells for weight in cell.weights})
    if unknown := sorted(set(constants) - set(known)):
        names = ", ".join(dict.fromkeys(type(cell).__name__ for cell in cells))
        raise ValueError(
            f"`constants` of {layer_name} has {', '.join(map(repr, unknown))}, which {names} does not read. It reads "
            f"only tensors in place of its weights {', '.join(known)}. For a cell that reads other tensors in each "
            "step, derive a class from it that uses `self.constants`."
        )


def check_constants(cell: Any, constants: Any) -> dict[str, Any]:
    """Convert the result of `prepare_constants` to tensors by name; raise a TypeError if that is not possible."""
    if not isinstance(constants, Mapping):
        raise TypeError(
            f"`prepare_constants` of {type(cell).__name__} must return a dict of tensors by name, but it returns a "
            f"{type(constants).__name__}."
        )
    for name, value in constants.items():
        if value is None or isinstance(value, (list, tuple, Mapping)):
            raise TypeError(
                f"The constant {name!r} of {type(cell).__name__} must be a tensor, but it is a "
                f"{type(value).__name__}. Give each tensor a name of its own."
            )
    return {
        name: keras.ops.convert_to_tensor(
            value, dtype=cell.compute_dtype if isinstance(value, float) else None
        )
        for name, value in constants.items()
    }


class NoStates(Sequence[Any]):
    """The states of a `LinearCell` as its `gates` get them: reading one raises a TypeError.

    Args:
        cell: the cell.
    """

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def _refuse(self) -> Any:
        raise TypeError(
            f"`gates` of {type(self.cell).__name__} reads `states`. The gates of a `zoo.LinearCell` depend on `x` "
            "alone, because all time steps are computed at once. Derive the cell from `zoo.GatedCell` and define "
            "`combine` instead of `coefficients`."
        )

    def __getitem__(self, index: Any) -> Any:
        return self._refuse()

    def __len__(self) -> int:
        return int(self._refuse())


@contextlib.contextmanager
def explain_errors(
    cell: Any, constants: Mapping[str, Any] | None = None, batch: int | None = None
) -> Iterator[None]:
    """Return a context that replaces errors from inside TensorFlow or Python, where the cause is known.

    The new error is a TypeError and names the cell, its method, what is wrong and what to write.

    Args:
        cell: the cell whose methods are called inside the context.
        constants: the constants that a caller passed, by name.
        batch: number of rows; None if it is not known.
    """
    try:
        yield
    except Exception as error:
        message = explain(cell, error, constants or {}, batch)
        if message is None:
            raise
        raise TypeError(message) from error


def explain(cell: Any, error: Exception, constants: Mapping[str, Any], batch: int | None) -> str | None:
    """Return a message for an error that a method of a cell raised, None if the cause is not known."""
    name, text = type(cell).__name__, str(error)
    if match := re.search(rf"(\w+)\.({'|'.join(METHODS)})\(\) (takes|missing|got)", text):
        base = next(c for c in reversed(type(cell).__mro__) if match[2] in vars(c))
        arguments = ", ".join(inspect.signature(getattr(base, match[2])).parameters)
        return (
            f"`{match[2]}` of {name} has the wrong arguments: {text}. Write `def {match[2]}({arguments}):`."
        )
    traceback, frame, weight = error.__traceback__, None, None
    while traceback is not None:  # to the innermost method of the cell
        at = traceback.tb_frame
        method = at.f_code.co_name
        if at.f_locals.get("self") is cell and method in ("product", "get_weight"):
            weight = at.f_locals.get("name")  # None if a subclass calls the argument by another name
        elif at.f_locals.get("self") is cell and not method.startswith("_"):
            frame, weight = at, None
        traceback = traceback.tb_next
    if frame is None:
        return None
    method = frame.f_code.co_name
    variables = dict(frame.f_locals)
    if method in ("combine", "coefficients"):  # the first argument, whatever its name
        variables["gates"] = variables.get(frame.f_code.co_varnames[1])
    advice = (
        _find_weight_advice(cell, error, weight)
        or _find_advice(cell, error, text, variables)
        or _find_shape_advice(cell, error, text, method, constants, batch)
    )
    return None if advice is None else f"`{method}` of {name} {advice}"


def _find_weight_advice(cell: Any, error: Exception, weight: str | None) -> str | None:
    """Return what to say of a call of `product` or `get_weight` for a weight that does not exist."""
    is_missing = isinstance(error, AttributeError) and error.obj is cell and error.name == weight
    if not is_missing or weight in ("kernel", "recurrent_kernel"):
        return None
    weights = [name for name, value in vars(cell).items() if isinstance(value, keras.Variable)]
    return (
        f"reads the weight {weight!r}, but {type(cell).__name__} has no weight of that name. Its weights are "
        f"{', '.join(weights)}. Create others in `build`: `self.{weight} = self.add_weight(...)`."
    )


def _find_advice(cell: Any, error: Exception, text: str, variables: Mapping[str, Any]) -> str | None:
    blocks, states = tuple(cell.weight_blocks), tuple(cell.state_names)
    if isinstance(error, tf.errors.OperatorNotAllowedInGraphError):
        if "terating" in text:
            return "iterates over a tensor, which a graph cannot. Write `keras.ops.split` or `keras.ops.unstack`."
        return (
            "uses a tensor as a Python condition (`if`, `while`, `and`, `or`, `not`), whose value is not known "
            "while the graph is built. Write `keras.ops.where(condition, a, b)`."
        )
    if isinstance(error, NotImplementedError) and "numpy" in text.lower():
        return (
            "passes a tensor to a NumPy or Python function, which a graph cannot. Write the function of "
            "`keras.ops`, such as `keras.ops.tanh` for `np.tanh`."
        )
    if isinstance(error, AttributeError):
        if error.name == "numpy":
            return (
                "calls `.numpy()`, but a tensor has no value while the graph is built. Compute with functions of "
                "`keras.ops`."
            )
        if error.obj is cell and error.name in ("kernel", "recurrent_kernel", "bias"):
            return (
                f"needs the weight `{error.name}`, which does not exist. Start `build` of {type(cell).__name__} "
                "with `super().build(input_shape)`."
            )
        if isinstance(error.obj, tuple):
            return "changes `states` in place, which must stay as they are. Return a list of new states."
    if isinstance(error, TypeError) and "'tuple' object does not support item" in text:
        return "changes `states` in place, which must stay as they are. Return a list of new states."
    if isinstance(error, TypeError) and "NoneType" in text and cell.recurrent_kernel is None:
        return f"uses `r`, which is None, because {type(cell).__name__} has no U. Use `x` alone."
    if isinstance(error, ValueError) and "values to unpack" in text:
        return (
            f"unpacks the wrong number of tensors ({text}). `split` returns {len(blocks)}, one for each of "
            f"`weight_blocks` {blocks}, and `states` are {len(states)}, one for each of `state_names` {states}."
        )
    if isinstance(error, IndexError) and "tuple index" in text and "states" in variables:
        return f"reads a state that does not exist. There are {len(states)}, by `state_names` {states}."
    if isinstance(error, KeyError) and "There is no constant" in text:
        return f"reads `constants`: {error.args[0]}"
    if isinstance(error, KeyError) and isinstance(variables.get("gates"), dict):
        names = ", ".join(map(str, variables["gates"]))
        return f"reads the gate {text}, which `gates` does not return. It returns {names}."
    if re.search(
        r"expected to be an? \w+ tensor but is an? \w+ tensor|type \w+ (of|that does not match) ", text
    ):
        cause = re.sub(r" \[Op:.*", "", text).strip().rstrip(".")
        return (
            f"computes with tensors of two dtypes ({cause}). {type(cell).__name__} computes in {cell.compute_dtype}. "
            "Cast the other ones by `keras.ops.cast(x, self.compute_dtype)`."
        )
    return None


def _find_shape_advice(
    cell: Any, error: Exception, text: str, method: str, constants: Mapping[str, Any], batch: int | None
) -> str | None:
    """Return what to say of operands whose shapes do not match, where constants or `state_size` are the cause."""
    is_about_shapes = isinstance(error, (ValueError, tf.errors.InvalidArgumentError)) and re.search(
        "size-incompatible|Dimensions must be equal|ncompatible shapes|broadcastable shapes", text
    )
    if not is_about_shapes:
        return None
    cause = re.sub(r"{{function_node.*?}} | for '{{node.*?'(?= with)| \[Op:.*", "", text).strip().rstrip(".")
    mismatch = f"computes with tensors whose shapes do not match ({cause})."
    shapes = {
        name: tuple(value.shape)
        for name, value in constants.items()
        if hasattr(value, "shape") and not hasattr(cell, name)  # one in place of a weight has no batch axis
    }
    if wrong := [
        name
        for name, shape in shapes.items()
        if batch is not None and shape[:1] not in ((), (None,), (1,), (batch,))  # one row is broadcast
    ]:
        found = ", ".join(f"{name!r} has the shape {shapes[name]}" for name in wrong)
        return (
            f"{mismatch} The constant {found}, but constants have the batch as first axis, and the inputs have "
            f"{batch} rows. Pass one row for each of them."
        )
    has_other_states = any(shape != (cell.units,) for shape in cell.state_shapes)
    if method == "project" or not has_other_states:
        return None
    states = ", ".join(
        f"{name} {shape}" for name, shape in zip(cell.state_names, cell.state_shapes, strict=True)
    )
    return (
        f"{mismatch} By `state_size` {cell.state_size!r} the states have the shapes {states} after the batch axis, "
        f"and `units` are {cell.units}. Correct `state_size`, or the method."
    )


def check_no_losses(cell: Any, losses: Sequence[Any]) -> None:
    """Raise a ValueError if a step of a cell adds losses, of which a loop in a graph would lose all.

    Args:
        cell: the cell.
        losses: those that one step has added.
    """
    if losses:
        raise ValueError(
            f"A step of {type(cell).__name__} adds {len(losses)} to the losses of the model, by `add_loss` or the "
            "`activity_regularizer` of a layer inside the cell. A loop in a graph would lose it. Regularize the "
            "outputs of the layer instead, `zoo.RNN(cell, activity_regularizer=...)`, add the loss in "
            "`prepare_constants`, or lay out all steps in the graph by `unroll=True`."
        )


def build_sublayers(
    cell: Any, features: int | None, constants_shapes: Mapping[str, Sequence[int | None]]
) -> None:
    """Trace one step of a cell, so that layers inside it have weights before the loop over time starts.

    Errors of the step are left to the loop, which raises them again.

    Args:
        cell: the cell, built.
        features: width of its inputs.
        constants_shapes: shapes of the constants by name.

    Raises:
        ValueError: the step creates variables that do not belong to the cell, and would never be trained.
    """
    if keras.backend.backend() != "tensorflow":
        return

    def trace(inputs: Any, states: Any, constants: Any) -> None:
        cell.call(inputs, states, constants=constants)

    shapes = [(None, features), *((None, *shape) for shape in cell.state_shapes)]
    inputs, *states = (tf.TensorSpec(shape, cell.compute_dtype) for shape in shapes)
    constants = {name: tf.TensorSpec(shape, cell.compute_dtype) for name, shape in constants_shapes.items()}
    created: list[Any] = []
    with tf.init_scope(), keras.StatelessScope():  # the variables outlive the graph
        before = {id(variable) for variable in uninitialized_variables()}
        with contextlib.suppress(Exception):
            tf.function(trace, autograph=False).get_concrete_function(inputs, states, constants)
        created = [variable for variable in uninitialized_variables() if id(variable) not in before]
    tracked = {id(variable) for variable in cell.variables}
    if lost := [variable.path for variable in created if id(variable) not in tracked]:
        raise ValueError(
            f"A step of {type(cell).__name__} creates the variables {', '.join(lost)}, which do not belong to the "
            "cell and would never be trained. Create layers in `__init__` and weights in `build`, and assign "
            "them to attributes of the cell: `self.mix = keras.layers.Dense(units)`."
        )
