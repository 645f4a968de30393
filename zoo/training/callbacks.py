"""Callbacks with a state, which checkpoints store, so that a resumed run ends where an uninterrupted one does.

A callback has one of three kinds of state:

- Keras's own `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint` and `History` are known by name.
- Any callback may have `get_state()`, which returns its state as JSON values ({} for none), and
  `set_state(state)`, which continues with it.
- Others cannot be resumed: `zoo.fit` raises an error.
"""

import contextlib
import inspect
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from zoo._compat import get_callback_state_names
from zoo.errors import TrainingError

logger = logging.getLogger(__name__)

_MONITORING = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.ReduceLROnPlateau,
)

_REFUSED = {
    keras.callbacks.BackupAndRestore: "`fit` saves and resumes by itself.",
    keras.callbacks.SwapEMAWeights: "`fit` does not swap weights before an evaluation.",
}

_NOT_COMPARED = {"filepath", "verbose"}
"""Arguments of Keras's callbacks that training does not depend on."""


class CallbackGroup:
    """The callbacks of a training, called in their order, and their states.

    Args:
        callbacks: Keras callbacks.
        directions: "min" or "max" by the names of metrics, for Keras's callbacks with `mode="auto"`.
        monitor: name of the metric by which `fit` compares epochs.
        mode: "min" or "max", whichever is better.

    Raises:
        ValueError: a callback contradicts what `fit` does by itself, or `get_state` does not return JSON values.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        directions: Mapping[str, str],
        monitor: str,
        mode: str,
    ) -> None:
        self.callbacks = callbacks
        for callback in callbacks:
            name = type(callback).__name__
            if reason := _REFUSED.get(type(callback)):
                raise ValueError(f"`callbacks` has a {name}. {reason} Remove the callback.")
            if isinstance(callback, _MONITORING) and callback.mode == "auto":
                callback.mode = directions.get(callback.monitor.removeprefix("val_"), "auto")
            if _restores_best_weights(callback) and (callback.monitor, callback.mode) != (monitor, mode):
                raise ValueError(
                    f"`callbacks` has an EarlyStopping that restores the weights with the best ({callback.mode}) "
                    f"{callback.monitor}, but `fit` restores those with the best ({mode}) {monitor}. Pass "
                    f'`monitor="{callback.monitor}"` to `fit`, and `mode` if needed, or remove '
                    "`restore_best_weights`."
                )
            try:
                json.dumps(_get_state(callback))
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"`get_state` of the callback {name} must return JSON values (a dict of numbers, strings, "
                    f"lists), but: {error}."
                ) from error

    @property
    def may_add_metrics(self) -> bool:
        """Whether a callback may add metrics at the end of an epoch, as those of Keras do not."""
        return any(not type(callback).__module__.startswith("keras.") for callback in self.callbacks)

    def call(self, hook: str, *arguments: Any) -> None:
        """Call a method of all callbacks."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)

    @contextlib.contextmanager
    def without_restoring(self) -> Iterator[None]:
        """Switch `restore_best_weights` off within this context: `fit` restores the best weights itself."""
        restoring = [callback for callback in self.callbacks if _restores_best_weights(callback)]
        for callback in restoring:
            callback.restore_best_weights = False
        try:
            yield
        finally:
            for callback in restoring:
                callback.restore_best_weights = True

    def settings(self) -> dict[str, Any]:
        """Return the arguments of Keras's own callbacks with a state, by class name: a run depends on them."""
        settings: dict[str, Any] = {}
        for callback in self.callbacks:
            if not get_callback_state_names(callback):
                continue
            values = {
                name: getattr(callback, name)
                for name in inspect.signature(type(callback).__init__).parameters
                if name not in _NOT_COMPARED and hasattr(callback, name)
            }
            if "min_delta" in values:  # Keras changes its sign when training begins
                values["min_delta"] = abs(values["min_delta"])
            name, number = type(callback).__name__, 1
            while name in settings:
                name, number = f"{type(callback).__name__} {number + 1}", number + 1
            settings[name] = values
        return settings

    def get_states(self) -> list[dict[str, Any]]:
        """Return the states of the callbacks that have one, as JSON values."""
        states = [(type(callback).__name__, _get_state(callback)) for callback in self.callbacks]
        return [{"callback": name, "state": state} for name, state in states if state is not None]

    def warn_if_not_resumable(self) -> None:
        """Log which callbacks prevent that the run is resumed."""
        for name in self._find_names_without_state():
            logger.warning(
                "The callback %s has no get_state and set_state: if the run stops, it cannot be resumed with the "
                "callback.",
                name,
            )

    def set_states(self, saved: Sequence[Mapping[str, Any]], run_dir: Path) -> None:
        """Continue with states that `get_states` has returned.

        Args:
            saved: the states.
            run_dir: directory of the run, for errors.

        Raises:
            TrainingError: a callback cannot continue, or the states are those of other callbacks.
        """
        if names := self._find_names_without_state():
            raise TrainingError(
                f"{run_dir} cannot be resumed with the callback {names[0]}, whose state is not part of a "
                "checkpoint. Give it the methods `get_state()`, which returns its state as JSON values ({} for "
                "none), and `set_state(state)`; or remove the callback."
            )
        remaining = list(saved)
        for callback in self.callbacks:
            name, fresh = type(callback).__name__, _get_state(callback)
            match = next((item for item in remaining if item["callback"] == name), None)
            if match is not None:
                remaining.remove(match)
                _set_state(callback, match["state"])
            elif fresh:
                raise TrainingError(
                    f"The checkpoint in {run_dir} has no state of the callback {name}, so the run began without "
                    "it. Remove the callback, or use another run directory."
                )
        if missing := [item["callback"] for item in remaining if item["state"]]:
            raise TrainingError(
                f"{run_dir} contains a run with the callback {missing[0]}, which is missing now. Pass it again, or "
                "use another run directory."
            )

    def _find_names_without_state(self) -> list[str]:
        return [type(callback).__name__ for callback in self.callbacks if _get_state(callback) is None]


def _restores_best_weights(callback: keras.callbacks.Callback) -> bool:
    return isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights


def _has_state_methods(callback: keras.callbacks.Callback) -> bool:
    return hasattr(callback, "get_state") and hasattr(callback, "set_state")


def _get_state(callback: keras.callbacks.Callback) -> Any:
    """Return the state of a callback, None if it is unknown."""
    if _has_state_methods(callback):
        return callback.get_state()
    names = get_callback_state_names(callback)
    if names is None:
        return None
    return {name: _to_json(getattr(callback, name, None)) for name in names}


def _set_state(callback: keras.callbacks.Callback, state: Any) -> None:
    if _has_state_methods(callback):
        callback.set_state(state)
        return
    for name, value in state.items():
        setattr(callback, name, value)


def _to_json(value: Any) -> Any:
    """Convert a NumPy number to a Python one."""
    return value.item() if hasattr(value, "item") else value
