"""What a run was started with: settings, data, epochs, versions, commit and command, in `run.json`."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.datasets.fingerprint import describe_changes
from zoo.errors import TrainingError
from zoo.files import CorruptFileError, read_json, write_json
from zoo.provenance import get_command, get_commit, get_portable_command, get_versions
from zoo.training.checkpoints import CheckpointManager

logger = logging.getLogger(__name__)

FILE = "run.json"

_LEARNING_RATE = "fit.optimizer.learning_rate"

_CYCLES = "fit.optimizer.learning_rate.config.cycles"
"""Setting with the cycles of `zoo.schedules.warmup_cosine_decay`, in steps."""


@dataclasses.dataclass(frozen=True)
class Cycle:
    """Epochs that were asked for at one time. The learning rate runs through its schedule once in each cycle.

    Attributes:
        start: number of epochs before it.
        epochs: number of its epochs.
        command: the command that asked for it, without the paths of this machine.

    Example:
        >>> import zoo
        >>> zoo.training.Cycle(4, 6).end
        10
    """

    start: int
    epochs: int
    command: str = dataclasses.field(default_factory=get_portable_command)

    @property
    def end(self) -> int:
        """Number of epochs up to its end."""
        return self.start + self.epochs


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """Content of `run.json`.

    Attributes:
        settings: everything that the run depends on besides data and code.
        data: fingerprint of the data.
        cycles: the epochs, in the order in which they were asked for.
        versions: versions of packages.
        commit: commit of this library.
        command: the command line that started the run.
    """

    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    cycles: Sequence[Cycle]
    versions: Mapping[str, str] = dataclasses.field(default_factory=get_versions)
    commit: str = dataclasses.field(default_factory=get_commit)
    command: str = dataclasses.field(default_factory=get_command)

    def write(self, run_dir: Path) -> None:
        """Write `run.json`."""
        write_json(run_dir / FILE, dataclasses.asdict(self))


def read_record(run_dir: Path) -> RunRecord | None:
    """Return the record of a run; None if there is no run in the directory.

    Raises:
        TrainingError: `run.json` is corrupt, or is missing although there are other files of a run.
    """
    path = run_dir / FILE
    others = [run_dir / name for name in ("log.jsonl", "checkpoints", "best")]
    if not path.exists() and not any(other.exists() for other in others):
        return None
    try:
        content = read_json(path)
        del content["digest"]
        cycles = [Cycle(**cycle) for cycle in content.pop("cycles")]
        if not cycles:
            raise ValueError("`cycles` is empty")
        return RunRecord(**content, cycles=cycles)
    except (CorruptFileError, KeyError, TypeError, ValueError) as error:
        problem = error if isinstance(error, CorruptFileError) else f"{path} has another form: {error!r}."
        raise TrainingError(
            f"{problem} Expected the settings of the run in {run_dir}. Copy the file again from where it was "
            "written, or remove the directory to start again from scratch."
        ) from error


def plan_cycles(run_dir: Path | str, epochs: int) -> list[Cycle]:
    """Return the cycles of a run of this many epochs: those of the run, and one with the epochs that are added.

    The cycle that is added starts where the run ends, also if `patience` or a callback stopped it earlier than
    planned.

    Args:
        run_dir: directory of the run. It need not exist.
        epochs: number of epochs of the whole run.

    Raises:
        TrainingError: the run has more epochs, or `run.json` is corrupt.

    Example:
        >>> import tempfile, zoo
        >>> with tempfile.TemporaryDirectory() as run_dir:
        ...     [(cycle.start, cycle.epochs) for cycle in zoo.training.plan_cycles(run_dir, 5)]
        [(0, 5)]
    """
    run_dir = Path(run_dir)
    record = read_record(run_dir)
    if record is None:
        return [Cycle(0, epochs)]
    cycles, end = list(record.cycles), record.cycles[-1].end
    if epochs < end:
        raise TrainingError(
            f"{run_dir} contains a run of {end} epochs, found {epochs}. The number of epochs can be raised, not "
            f"lowered. Use {end} epochs or more, or another run directory."
        )
    if epochs > end:
        position = CheckpointManager(run_dir / "checkpoints").read_position()
        stopped = position and has_stopped(position["epoch"], position["is_stopped"], cycles)
        start = position["epoch"] if position and stopped else end
        cycles.append(Cycle(start, epochs - start))
    return cycles


def has_stopped(epoch: int, is_stopped: bool, cycles: Sequence[Cycle]) -> bool:
    """Return whether `patience` or a callback has stopped the last cycle of a run.

    Args:
        epoch: number of epochs that are trained.
        is_stopped: whether the last of them was to be the end.
        cycles: the cycles of the run.
    """
    return is_stopped and epoch > cycles[-1].start


def check_record(saved: RunRecord, current: RunRecord, run_dir: Path) -> None:
    """Compare the record of a run with what this process would train.

    Args:
        saved: the record of the run.
        current: that of this process, whose cycles may be more.
        run_dir: directory of the run, for messages.

    Raises:
        TrainingError: settings or data differ.
    """
    covered = current.data.get("covers", ())  # paths, instead of which the content of the files is compared
    settings, new_settings = (
        _flatten({name: value for name, value in record.settings.items() if name not in covered})
        for record in (saved, current)
    )
    if len(current.cycles) > len(saved.cycles):
        # The schedule goes on where that of the run ends.
        before, now = settings.get(_CYCLES), new_settings.get(_CYCLES)
        if before and now and now[: len(before)] == before:
            settings[_CYCLES] = now
    if differences := describe_differences(settings, new_settings):
        hint = ""
        if f"  {_LEARNING_RATE}: " in differences:
            hint = (
                " A callback may have changed the learning rate of this optimizer, if it was trained before: then make "
                "it anew."
            )
        raise TrainingError(
            f"{run_dir} contains a run with other settings:\n{differences}\n"
            f"Use the settings of that run, or another run directory, or remove this one.{hint}"
        )
    if changes := describe_changes(saved.data, current.data):
        raise TrainingError(
            f"{run_dir} contains a run with other data:\n{changes}\n"
            "Use the data of that run, or another run directory, or remove this one."
        )
    code = [{"versions": record.versions, "commit": record.commit} for record in (saved, current)]
    if differences := describe_differences(*code):
        logger.warning("%s was started with other code, so its results may differ:\n%s", run_dir, differences)


def describe_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return a line for each value that differs, nested ones included."""
    flat_before, flat_now = _flatten(before), _flatten(now)
    return "\n".join(
        f"  {name}: was {flat_before.get(name, 'not set')!r}, is now {flat_now.get(name, 'not set')!r}"
        for name in {**flat_before, **flat_now}
        if flat_before.get(name, KeyError) != flat_now.get(name, KeyError)
    )


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
