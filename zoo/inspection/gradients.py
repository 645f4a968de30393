"""Gradients through time, Jacobians of the recurrence, and saliency of the inputs."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo._compat import flatten_layers
from zoo.cells import Cell, States, Tensor
from zoo.cells.base import widen
from zoo.inspection.states import (
    cell_scope,
    check_found,
    check_model,
    find_prefixes,
    join_runs,
    preserve_variables,
)
from zoo.layers import RNN, observe_states, scan
from zoo.layers.loop import CellRun, record_runs
from zoo.layers.pure_cell import flatten_states, restore_states
from zoo.layers.rnn import find_loop_cells


def state_gradients(model: keras.Layer, inputs: Any, loss: Callable[[Any], Tensor]) -> dict[str, Tensor]:
    """Compute the gradient of a loss with respect to every state of every recurrent layer at every time step.

    The gradient dL/ds_t is the total derivative, through the output at t and through all later steps:

        dL/ds_t = Σ_{u≥t} ∂L/∂s_u · ds_u/ds_t

    It is computed by back-propagation through time (Werbos, 1990, "Backpropagation through time: what it does
    and how to do it"). If its norm shrinks towards early steps, the gradient vanishes; if it grows, the
    gradient explodes (Pascanu, Mikolov and Bengio, 2013, "On the difficulty of training recurrent neural
    networks").

    Args:
        model: a model or layer that contains `zoo.RNN` layers. It is called eagerly, in inference mode, and
            its variables and carried states are restored afterwards. If a layer is called more than once, its
            steps are concatenated.
        inputs: the inputs of the model.
        loss: a function from the outputs of the model to a scalar L. If L is a mean over the batch, the
            gradient of each row is divided by the batch size.

    Returns:
        A tensor [batch, time, units] for each state, in the order of the inputs. The names are those that
        `zoo.inspection.gates` has, such as `hidden` for a layer, `layer1_hidden` for an encoder, and
        `encoder/layer1_hidden` for a model. At padded steps the gradients are 0. They have the dtype of the states:
        in float16, those below 6e-8 are 0, unless `loss` is scaled up.

    Raises:
        TypeError: `model` is not a model or a layer.
        ValueError: the model contains no `zoo.RNN` with a `zoo.Cell` that does not override `call`, or the loss is no
            scalar.

    Example:
        >>> import numpy as np, tensorflow as tf, zoo
        >>> layer, x = zoo.LSTM(8), np.ones([4, 10, 3], "float32")
        >>> gradients = zoo.inspection.state_gradients(layer, x, lambda outputs: tf.reduce_sum(outputs**2))
        >>> {name: gradient.shape for name, gradient in gradients.items()}
        {'hidden': TensorShape([4, 10, 8]), 'cell': TensorShape([4, 10, 8])}
    """
    check_model(model)
    check_found(model, find_prefixes(model))
    history: dict[int, list[list[Tensor]]] = {}
    with tf.GradientTape() as tape:

        def observe(cell: Cell, states: States) -> States:
            states = [tf.identity(state) for state in states]
            tape.watch(states)
            history.setdefault(find_last_run(runs, cell), []).append(states)
            return states

        with preserve_variables(model), record_runs() as runs, observe_states(observe):
            value = loss(model(inputs))
        _check_result("loss", value, "a scalar", 0, "Sum or average it, such as `tf.reduce_mean(...)`.")
    gradients = tape.gradient(value, history, unconnected_gradients="zero")
    # A run without any step has no history.
    runs = [run for i, run in enumerate(runs) if i in gradients]
    by_state = [[tf.stack(steps) for steps in zip(*gradients[i], strict=True)] for i in sorted(gradients)]
    values = [
        dict(zip(run.cell.state_names, states, strict=True))
        for run, states in zip(runs, by_state, strict=True)
    ]
    return join_runs(model, runs, values)


def find_last_run(runs: Sequence[CellRun], cell: Cell) -> int:
    """Return the index of the run of a cell that started last."""
    return next(i for i in reversed(range(len(runs))) if runs[i].cell is cell)


def _check_result(name: str, value: Any, expected: str, max_rank: int, advice: str) -> None:
    """Raise a ValueError unless a function of the user returned a tensor with at most `max_rank` axes."""
    if not tf.is_tensor(value):
        raise ValueError(
            f"{name}: found {type(value).__name__} as its result. Expected {expected}, a tensor that TensorFlow "
            "computes from the outputs. Do not convert it to NumPy or to a number."
        )
    if value.shape.rank > max_rank:
        raise ValueError(
            f"{name}: found a result of shape {tuple(value.shape)}. Expected {expected}. {advice}"
        )


def step_jacobians(
    layer: RNN,
    sequences: Tensor,
    mask: Tensor | None = None,
    constants: dict[str, Tensor] | None = None,
) -> Tensor:
    """Compute the Jacobian of each time step of a layer, J_t = ds_t/ds_{t-1}.

    The state s is the concatenation of all states of the cell, flattened, in the order of its `state_names`;
    for an LSTM s = [h; c]. The layer reads the sequences as in inference, from `get_initial_state` of the cell:
    a state of zeros in most cells.

    Args:
        layer: a built layer whose cell is a `zoo.Cell`.
        sequences: [batch, time, features].
        mask: bool [batch, time], False for padding; None if there is no padding.
        constants: the call argument `constants` of the layer.

    Returns:
        [batch, time, n, n] of the layer's compute dtype, where n is the size of s, in the order of computation.
        Element [i, j] is the derivative of unit i after the step with respect to unit j before it. At padded
        steps the Jacobian is the identity.

    Raises:
        ValueError: the layer's cell is not a `zoo.Cell`, overrides `call`, or has another dtype than the layer; the
            layer is not built; or the sequences have other axes.

    Example:
        >>> import numpy as np, zoo
        >>> layer, x = zoo.LSTM(8), np.ones([4, 10, 3], "float32")
        >>> last = layer(x)
        >>> zoo.inspection.step_jacobians(layer, x).shape
        TensorShape([4, 10, 16, 16])
    """
    check_model(layer)
    if not isinstance(layer, RNN) or not isinstance(layer.cell, Cell):
        raise ValueError(
            f"Expected a `zoo.RNN` with one `zoo.Cell`, got {layer!r}. For a Bidirectional layer pass its "
            "`forward_layer` or its `backward_layer`; for a layer of Keras, call `zoo.convert_from_keras` first."
        )
    check_found(layer, find_loop_cells(layer))
    if not layer.built:
        raise ValueError(f"{layer.name} has no weights yet. Call it, or its model, first.")
    if (rank := len(np.shape(sequences))) != 3:
        raise ValueError(
            f"sequences: found shape {tuple(np.shape(sequences))}. Expected [batch, time, features]. "
            + ("Add the axis of the batch: `x[None]`." if rank == 2 else "Flatten the features of a step.")
        )
    cell = layer.cell
    with cell_scope(cell, constants):
        xs = tf.convert_to_tensor(sequences)
        if layer.autocast:
            xs = tf.cast(xs, cell.compute_dtype)
        xs, mask, _ = layer.to_time_major(xs, mask, None)
        initial_states = flatten_states(cell.get_initial_state(tf.shape(xs)[1]))
        sizes = [state.shape[-1] for state in initial_states]
        size = sum(sizes)
        time, batch = xs.shape[:2]

        def step(xs: list[Tensor], states: States) -> tuple[Tensor, States]:
            states = restore_states(cell, states)
            after = flatten_states(cell.step(xs[0], cell.recurrent(states), states)[1])
            return tf.concat(after, -1), after

        x = cell.project(xs)
        after = scan(step, [x], initial_states, mask, size)[1]
        before = tf.concat([tf.concat(initial_states, -1)[None], after[:-1]], 0)

        def differentiate(x: Tensor, before: Tensor) -> Tensor:
            """Return the Jacobians [rows, n, n] of steps from `x` [rows, width] and states before [rows, n]."""
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(before)
                outputs, _ = step([x], tf.split(before, sizes, -1))
            # `pfor` would trace anew at each call, of which TensorFlow warns.
            return tape.batch_jacobian(outputs, before, experimental_use_pfor=False)

        if constants:  # may have the batch as first axis
            jacobians = tf.stack([differentiate(*of_step) for of_step in zip(x, before, strict=True)])
        else:  # all steps at once: each row of this batch is one step of one sequence
            jacobians = differentiate(*(tf.reshape(v, [time * batch, v.shape[-1]]) for v in (x, before)))
    jacobians = tf.reshape(jacobians, [time, batch, size, size])
    if mask is not None:
        jacobians = tf.where(mask[..., None], jacobians, tf.eye(size, dtype=jacobians.dtype))
    return tf.transpose(jacobians, [1, 0, 2, 3])


def jacobian(step_jacobians: Tensor, t: int, k: int) -> Tensor:
    """Compute the Jacobian between two time steps, the product of the Jacobians of the steps between them.

        ds_t/ds_k = J_t J_{t-1} ... J_{k+1},    J_i = ds_i/ds_{i-1}

    Args:
        step_jacobians: [batch, time, n, n], from `zoo.inspection.step_jacobians`.
        t: the later step, counted from 0.
        k: the earlier step; -1 is the state before the first step.

    Returns:
        [batch, n, n], in at least float32. For an LSTM the first `units` rows and columns are dh_t/dh_k.

    Raises:
        ValueError: `t` and `k` do not satisfy -1 <= k <= t < time, or `step_jacobians` has other axes.

    Example:
        >>> import numpy as np, zoo
        >>> layer, x = zoo.GRU(8), np.ones([4, 10, 3], "float32")
        >>> last = layer(x)
        >>> zoo.inspection.jacobian(zoo.inspection.step_jacobians(layer, x), t=9, k=2).shape
        TensorShape([4, 8, 8])
    """
    _check_steps(step_jacobians, t, k)
    size, step_jacobians = step_jacobians.shape[-1], widen(step_jacobians)
    product = tf.eye(size, batch_shape=[step_jacobians.shape[0]], dtype=step_jacobians.dtype)
    for i in range(t, k, -1):
        product = product @ step_jacobians[:, i]
    return product


def _check_steps(step_jacobians: Tensor, t: int, k: int) -> None:
    shape = getattr(step_jacobians, "shape", None)
    if shape is None or len(shape) != 4:
        found = type(step_jacobians).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"step_jacobians: found {found}. Expected [batch, time, n, n], which `zoo.inspection.step_jacobians` "
            "returns. For one example of a batch write `[:1]` instead of `[0]`."
        )
    if not -1 <= k <= t < shape[1]:
        raise ValueError(f"Expected -1 <= k <= t < {shape[1]}, got t={t} and k={k}.")


def largest_singular_values(step_jacobians: Tensor, t: int, size: int | None = None) -> np.ndarray:
    """Compute ||ds_t/ds_k|| for k = 0 ... t: how strongly the state at t depends on earlier ones.

    The norm is the spectral norm, the largest singular value of `zoo.inspection.jacobian`.

    Args:
        step_jacobians: [batch, time, n, n], from `zoo.inspection.step_jacobians`.
        t: the later step, counted from 0.
        size: take only the first `size` units of the state, such as `units` for h of an LSTM; None takes all.

    Returns:
        [batch, t + 1], one norm for each k, in at least float32. At k = t it is 1.

    Raises:
        ValueError: `t` does not satisfy 0 <= t < time, or `step_jacobians` has other axes.

    Example:
        >>> import numpy as np, zoo
        >>> layer, x = zoo.GRU(8), np.ones([4, 10, 3], "float32")
        >>> last = layer(x)
        >>> zoo.inspection.largest_singular_values(zoo.inspection.step_jacobians(layer, x), t=9).shape
        (4, 10)
    """
    _check_steps(step_jacobians, t, 0)
    n, step_jacobians = step_jacobians.shape[-1], widen(step_jacobians)
    product = tf.eye(n, batch_shape=[step_jacobians.shape[0]], dtype=step_jacobians.dtype)
    norms = []
    for i in range(t, -1, -1):
        norms.append(np.linalg.norm(product[:, :size, :size], ord=2, axis=(1, 2)))
        product = product @ step_jacobians[:, i]
    return np.stack(norms[::-1], 1)


def saliency(model: keras.Layer, inputs: Any, score: Callable[[Any], Tensor]) -> dict[str, Tensor]:
    """Compute how much each time step contributed to an output, as gradient times input.

        a_t = Σ_d x_td · dS/dx_td

    To first order a_t is the decrease of S if x_t were zero. For token ids x_t is their embedding.

    Shrikumar et al. (2016, "Not just a black box: learning important features through propagating activation
    differences").

    Args:
        model: any model. It is called eagerly, in inference mode, and its variables and carried states are
            restored afterwards.
        inputs: the inputs of the model. Saliency is computed for float inputs and for the outputs of
            embedding layers.
        score: a function from the outputs of the model to S [batch], such as the logit of a class.

    Returns:
        Tensors a [batch, time]: for each float input [batch, time, features] as "inputs", "inputs2", "inputs3" and so
        on, and for each call of an embedding layer by its name; further calls of it, in the order in which the model
        makes them, have a number: "embedding2". An input without influence has a saliency of 0, even if it is NaN.

    Raises:
        TypeError: `model` is not a model or a layer.
        ValueError: the model is a cell, the scores are not [batch], or there is neither a float input nor an embedding
            layer.

    Example:
        >>> import numpy as np, zoo
        >>> layer, x = zoo.GRU(8), np.ones([4, 10, 3], "float32")
        >>> zoo.inspection.saliency(layer, x, lambda outputs: outputs[:, 0])["inputs"].shape
        TensorShape([4, 10])
    """
    check_model(model)
    tensors = [tf.convert_to_tensor(value) for value in keras.tree.flatten(inputs)]
    watched: dict[str, Tensor] = {}
    with tf.GradientTape() as tape:

        def watch(name: str, value: Tensor) -> Tensor:
            value = tf.identity(value)
            tape.watch(value)
            names = (f"{name}{number if number > 1 else ''}" for number in itertools.count(1))
            watched[next(unused for unused in names if unused not in watched)] = value
            return value

        tensors = [watch("inputs", tensor) if tensor.dtype.is_floating else tensor for tensor in tensors]
        with preserve_variables(model), _intercept_embeddings(model, watch):
            scores = score(model(keras.tree.pack_sequence_as(inputs, tensors)))
        _check_result("score", scores, "a score for each row [batch]", 1, "Take one output: `outputs[:, 0]`.")
        total = tf.reduce_sum(scores)
    if not watched:
        types = ", ".join(tensor.dtype.name for tensor in tensors)
        raise ValueError(
            f"inputs: found {types}, and {model.name} has no embedding layer. Expected float inputs or an embedding, "
            "because whole numbers have no gradient. Convert the inputs: `x.astype('float32')`."
        )
    gradients = tape.gradient(total, watched, unconnected_gradients="zero")
    return {
        name: tf.reduce_sum(
            tf.reshape(tf.math.multiply_no_nan(value, gradients[name]), [*value.shape[:2], -1]), -1
        )
        for name, value in watched.items()
    }


@contextmanager
def _intercept_embeddings(model: keras.Layer, replace: Callable[[str, Tensor], Tensor]) -> Iterator[None]:
    """Replace the outputs of embedding layers by `replace(name, outputs)` inside the context."""

    def wrap(name: str, call: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda *args, **kwargs: replace(name, call(*args, **kwargs))

    layers = [layer for layer in flatten_layers(model) if isinstance(layer, keras.layers.Embedding)]
    for layer in layers:
        layer.call = wrap(layer.name, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call
