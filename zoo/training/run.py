"""Bookkeeping of everything that one command trains."""

import contextlib
import json
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import keras

from zoo.datasets import DataInfo
from zoo.datasets.fingerprint import DataSources, compute_fingerprint
from zoo.files import CorruptFileError, read_json, sha256, write_json
from zoo.provenance import get_portable_command
from zoo.training.best_epoch import BestEpoch, get_best_epoch
from zoo.training.checkpoints import CheckpointManager
from zoo.training.distribution import compare_workers, is_chief
from zoo.training.run_log import read_log
from zoo.training.run_record import check_record, plan_cycles, read_record
from zoo.training.training_loop import Data, fit

_NOT_RECORDED = {
    "run_dir",
    "export_dir",
    "data_dir",
    "examples",
    "citation",
    "license",
    "language",
    "init_from",
}
"""Settings that say where files are and what the card shows. Training does not depend on them."""

_FEW_STEPS = 100
"""Steps below which a network that starts from random weights has hardly ever learned anything."""

logger = logging.getLogger(__name__)


class Ancestor(Protocol):
    """A model that training starts from, such as `zoo.tasks.Ancestor`."""

    @property
    def record(self) -> dict[str, str]:
        """Its "name", its "license", the "data" it was trained on, and the "digest" of its content."""


class Run:
    """Models trained by one command, each in a subdirectory, with settings, metrics and time.

    A task exports a model together with what its run knows: settings, metrics and command.

    Args:
        directory: directory of the run. Each model has a subdirectory with the content that
            `zoo.training.run_directory` lists.
        settings: settings as a dataclass or a mapping. Not recorded are the directories `run_dir`,
            `export_dir` and `data_dir`; `init_from`, instead of which `ancestor` is; and `examples`, `citation`,
            `license` and `language`, which only the card shows.
        data: description of the data, as the loaders in `zoo.datasets` return it. The files that they have read,
            and those that are settings, are hashed, and a run is not resumed with other data.
        ancestor: the model whose weights training starts from; None for random weights. A run is not resumed
            with another one.
        may_change: names of settings that may change when a run is resumed, because training does not depend
            on them, such as the number of beams of the export. `epochs` may be raised, and `half_precision` of the
            export may change, in any case.

    Attributes:
        directory: directory of the run.
        settings: the recorded settings as JSON values.
        ancestor: the record of the ancestor; empty without one.
        data: fingerprint of the data, as JSON values.
        metrics: measured values by name, empty at first, for the recipe to fill.
        command: the command of this process, without paths of this machine; after those that trained earlier
            epochs, if epochs were added.

    Raises:
        DataError: a file of the data has changed since it was read.
        TrainingError: a model in the directory was trained with other settings or data, or its `run.json` is
            corrupt.

    >>> import tempfile
    >>> import tensorflow as tf
    >>> data = tf.data.Dataset.from_tensor_slices(([[1.0], [2.0]], [[1.0], [2.0]])).batch(2)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     run = Run(directory, settings={"units": 1})
    ...     history = run.fit(
    ...         model,
    ...         data,
    ...         name="linear",
    ...         optimizer=keras.optimizers.SGD(0.1),
    ...         loss=keras.losses.MeanSquaredError(),
    ...         epochs=1,
    ...     )
    ...     run.metrics["minutes"] = run.elapsed_minutes  # doctest: +ELLIPSIS
    epoch 1/1...
    >>> run.settings, history.epoch, list(run.metrics)
    ({'units': 1}, [0], ['minutes'])
    """

    def __init__(
        self,
        directory: Path | str,
        settings: Any,
        data: DataInfo | None = None,
        ancestor: Ancestor | None = None,
        may_change: Collection[str] = (),
    ) -> None:
        self.directory = Path(directory)
        values = dict(settings) if isinstance(settings, Mapping) else asdict(settings)
        self.settings: dict[str, Any] = {
            name: value
            for name, value in json.loads(json.dumps(values, default=str)).items()
            if name not in _NOT_RECORDED
        }
        if unknown := set(may_change) - set(values):
            raise ValueError(
                f"`may_change` names {', '.join(sorted(unknown))}, but the settings are {', '.join(values)}."
            )
        compare_workers({"settings": self.settings})
        self.may_change = frozenset(may_change)
        self.ancestor: dict[str, str] = ancestor.record if ancestor else {}
        self.data = self._compute_fingerprint(data, values)
        self.metrics: dict[str, float] = {}
        self.command = get_portable_command()
        self._names: list[str] = []
        self._fitted: list[tuple[keras.Model, BestEpoch]] = []
        self._started_at = time.time()
        for path in sorted(self.directory.glob("*/run.json")):
            self._check_record(path.parent)

    def _compute_fingerprint(self, data: DataInfo | None, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fingerprint of the data, and of files that are settings, such as word vectors."""
        sources = data.sources if data else DataSources()
        files = {
            name: sha256(value)
            for name, value in settings.items()
            if isinstance(value, Path) and name not in _NOT_RECORDED and value.is_file()
            if str(value.absolute()) not in sources.files
        }
        covers = sorted(
            {*files, *(name for name, value in settings.items() if _is_read(name, value, sources))}
        )
        fingerprint = compute_fingerprint(sources, self.directory / "file_hashes.json") | files
        return fingerprint | {"covers": covers} if covers else fingerprint

    def _check_record(self, run_dir: Path) -> None:
        """Refuse other settings or data than those of a model before anything is computed or written."""
        saved = read_record(run_dir)
        assert saved is not None
        settings = {name: value for name, value in saved.settings.items() if name != "fit"}
        current = replace(saved, settings=self._get_trained_settings(), data=self.data)
        check_record(replace(saved, settings=settings), current, run_dir)

    def _get_trained_settings(self) -> dict[str, Any]:
        """Return the settings that training depends on, without the number of epochs."""
        names = self.settings.keys() - self.may_change - {"epochs", "half_precision"}
        settings = {name: value for name, value in self.settings.items() if name in names}
        return {**settings, "ancestor": self.ancestor} if self.ancestor else settings

    def plan_schedule(self, name: str, epochs: int, steps_per_epoch: int) -> list[tuple[int, int]]:
        """Return the cycles of the learning rate for `zoo.schedules.warmup_cosine_decay`.

        A new run has one cycle. A run that goes on with more epochs has another one for those that are added.
        Logs a warning if a model that starts from random weights has hardly any steps to learn in.

        Args:
            name: name of the model, as in `fit`.
            epochs: number of epochs of the whole run, as in `fit`.
            steps_per_epoch: number of batches of an epoch. With `gradient_accumulation_steps` among the settings
                the weights are updated less often, but learning rate schedules count batches, as in Keras.

        Returns:
            First step and number of steps of each cycle.

        Raises:
            TrainingError: the model was trained for more epochs, or its `run.json` is corrupt.
        """
        cycles = plan_cycles(self.directory / name, epochs)
        accumulation = self.settings.get("gradient_accumulation_steps") or 1
        updates = epochs * steps_per_epoch // accumulation
        if not self.ancestor and updates < _FEW_STEPS:
            is_accumulating = accumulation > 1
            logger.warning(
                "%s has %d steps to learn in, %s, which are hardly ever enough. Expected %d or more. Raise --epochs%s.",
                *(name, updates),
                f"each of {accumulation} batches" if is_accumulating else f"{steps_per_epoch} in each epoch",
                *(_FEW_STEPS, " or lower --gradient-accumulation-steps" if is_accumulating else ""),
            )
        return [(cycle.start * steps_per_epoch, cycle.epochs * steps_per_epoch) for cycle in cycles]

    def count_epochs(self, name: str) -> int:
        """Return the number of epochs of a model in this run, including those that are still to be trained.

        Args:
            name: name of the model, as in `fit`.

        Returns:
            The number of epochs, 0 if the run does not contain the model.

        Raises:
            TrainingError: its `run.json` is corrupt.

        Example:
            >>> import tempfile, zoo
            >>> with tempfile.TemporaryDirectory() as run_dir:
            ...     zoo.training.Run(run_dir, {}).count_epochs("lstm")
            0
        """
        record = read_record(self.directory / name)
        return record.cycles[-1].end if record else 0

    def fit(
        self,
        model: keras.Model,
        train: Data,
        validation: Data | None = None,
        *,
        name: str,
        **arguments: Any,
    ) -> keras.callbacks.History:
        """Train a model in the subdirectory `name`, with `zoo.fit`, or resume its training.

        Args:
            model: a model, left with the weights of its best epoch.
            train: batches `(x, y)` or `(x, y, sample_weight)`, as a dataset or a `BucketedDataset`.
            validation: batches for evaluation after each epoch.
            name: name of the model, and of its subdirectory.
            arguments: `optimizer`, `loss`, `epochs` and the other arguments of `zoo.fit`, except `run_dir`
                and `settings`.

        Returns:
            The metrics of each epoch, as `zoo.fit` does.

        Raises:
            TrainingError: as `zoo.fit` does, in particular if `name` was trained with other settings.
            Interrupted: SIGINT or SIGTERM arrived. The state is saved.
        """
        self._names.append(name)
        run_dir, settings = self.directory / name, self._get_trained_settings()
        history = fit(
            model, train, validation, run_dir=run_dir, settings=settings, data=self.data, **arguments
        )
        record, position = read_record(run_dir), CheckpointManager(run_dir / "checkpoints").read_position()
        assert record is not None
        assert position is not None  # `fit` ends with a checkpoint
        earlier = [cycle.command for cycle in record.cycles[:-1]]
        self.command = " && ".join(dict.fromkeys([*earlier, get_portable_command()]))
        self._fitted.append((model, get_best_epoch(position)))
        return history

    @property
    def best_epoch(self) -> BestEpoch:
        """The epoch whose weights the model of the last `fit` has."""
        return self._fitted[-1][1]

    def get_best_epoch(self, model: keras.Model) -> BestEpoch | None:
        """Return the epoch whose weights a model has; None before the first `fit`.

        Args:
            model: a model that `fit` trained, or another one with the weights of the last.
        """
        if not self._fitted:
            return None
        return next((best for fitted, best in self._fitted if fitted is model), self.best_epoch)

    @property
    def elapsed_minutes(self) -> float:
        """Minutes since this run was created, and those of epochs that earlier processes trained.

        A process that trains nothing, because an earlier one has trained all epochs, returns the minutes that the
        earlier one took, which are stored in `minutes.json`.
        """
        seconds, has_trained = time.time() - self._started_at, not self._names
        for name in self._names:
            epochs = [line["timing"] for line in read_log(self.directory / name) if line["kind"] == "epoch"]
            earlier = [timing["seconds"] for timing in epochs if timing["wall_time"] < self._started_at]
            has_trained |= len(earlier) < len(epochs)
            seconds += sum(earlier)
        path = self.directory / "minutes.json"
        if not has_trained:
            with contextlib.suppress(CorruptFileError, KeyError):
                return float(read_json(path)["minutes"])
        if is_chief():
            write_json(path, {"minutes": seconds / 60})
        return seconds / 60


def _is_read(name: str, value: Any, sources: DataSources) -> bool:
    """Return whether a setting is the path of data, or of a directory with data, in a fingerprint.

    Several paths are not: their order may matter.
    """
    if isinstance(value, tuple | list) and len(value) == 1:
        value = value[0]
    if not (isinstance(value, Path) or (isinstance(value, str) and name == "dataset")):
        return False
    path = Path(value).absolute()
    return any(path == state.path or path in state.path.parents for state in sources.files.values())
