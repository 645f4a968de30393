"""Exported models by name: where they are, without TensorFlow."""

import json
import os
from difflib import get_close_matches
from pathlib import Path

from zoo.card import FILE
from zoo.errors import UsageError
from zoo.files import read_regular_file, sha256
from zoo.paths import abbreviate_path, find_path_kind, parse_path

CHECKOUT = Path(__file__).parents[1] / "saved_models"
VARIABLE = "ZOO_MODELS"

EXPORT_RECORD = "export.json"
"""File in the directory of a run: where its export is, and the hash of the export's card."""

_MAX_RECORD_BYTES = 100_000
_SAVED_MODEL = "saved_model.pb"


def get_models_dir(models_dir: str | Path | None = None) -> Path:
    """Return the directory of models: the argument, else `ZOO_MODELS`, else `saved_models` of the checkout.

    Raises:
        UsageError: it does not exist.
    """
    from_environment = os.environ.get(VARIABLE)
    default = CHECKOUT if CHECKOUT.is_dir() else "saved_models"
    origin = "--models" if models_dir else VARIABLE if from_environment else "the default"
    directory = parse_path(models_dir or from_environment or default, origin)
    if find_path_kind(directory, origin) != "directory":
        raise UsageError(
            f"There is no directory {directory} ({origin}). Models are not part of the installed package: name a "
            f"directory that holds <name>/<version>/ for each model by --models or {VARIABLE}; the project's "
            "checkout has one, saved_models."
        )
    return directory


def list_models(models_dir: Path) -> dict[str, Path]:
    """Return the newest version of each model in a directory by name, also where a file of it is missing.

    Raises:
        UsageError: there are none.
    """
    files = [*models_dir.glob(f"*/*/{_SAVED_MODEL}"), *models_dir.glob(f"*/*/{FILE}")]
    versions = {file.parent for file in files if file.parent.name.isdecimal()}
    newest = {path.parent.name: path for path in sorted(versions, key=lambda path: int(path.name))}
    if not newest:
        raise UsageError(
            f"{models_dir} holds no models. Expected <name>/<version>/{_SAVED_MODEL}: name another directory by "
            f"--models or {VARIABLE}."
        )
    return dict(sorted(newest.items()))


def find_model(name: str | Path, models_dir: str | Path | None = None, option: str = "") -> Path:
    """Return the directory of an exported model.

    Args:
        name: name of a model in the directory of models; or the directory of an export, or of a run that has
            exported.
        models_dir: directory of models; see `get_models_dir`.
        option: the option that the name was written for; errors begin with it.

    Raises:
        UsageError: there is no such model.
    """
    prefix = f"{option}: " if option else ""
    path = parse_path(name, option)
    if find_path_kind(path, option) == "directory":
        if (path / _SAVED_MODEL).exists() or (path / FILE).exists():
            return path
        if (path / EXPORT_RECORD).exists():
            return _find_export_of_run(path, prefix)
    if len(path.parts) != 1 or _is_run(path):
        raise UsageError(
            f"{prefix}{abbreviate_path(path)} holds no SavedModel. Expected the name of a model, the directory of an "
            f"export, such as runs/sentiment/export/1, or that of a run that has exported. {_describe(path)}"
        )
    known = list_models(get_models_dir(models_dir))
    if str(name) not in known:
        close = get_close_matches(str(name), known, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Expected one of {', '.join(known)}."
        raise UsageError(
            f"{prefix}{abbreviate_path(name)} is neither the name of a model nor a directory with a SavedModel. {hint}"
        )
    return known[str(name)]


def _is_run(path: Path) -> bool:
    return (path / "run.json").exists() or any(path.glob("*/run.json"))


def _describe(path: Path) -> str:
    """Return what is at a path instead of an export, and what to do."""
    if find_path_kind(path) is None:
        return "It does not exist. Train a model, or name another directory."
    if (path / "run.json").exists():
        return f"It is one model of a run: name the run, {path.parent}."
    if _is_run(path):
        return "It is a run without an export. Repeat its command: it exports at the end."
    below = {str(file.parent) for name in (_SAVED_MODEL, FILE) for file in path.glob(f"*/{name}")}
    return f"Did you mean {' or '.join(sorted(below))}?" if below else "It is neither."


def _find_export_of_run(path: Path, prefix: str) -> Path:
    """Return the export that a run names, which must still be the one that the run wrote."""
    record_path = path / EXPORT_RECORD
    try:
        record = json.loads(read_regular_file(record_path, _MAX_RECORD_BYTES))
        directory, digest = path / record["directory"], record["card"]
        card = directory / FILE
        is_same = card.is_file() and sha256(card) == digest
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{prefix}{record_path} cannot be read: {error}. Name the directory of the export instead."
        ) from error
    if not is_same:
        state = "has been replaced since" if card.exists() else "is missing"
        raise UsageError(
            f"{prefix}the export of the run {path} in {directory} {state}. Name the directory of another export, "
            "or repeat the command of the run with its own --export-dir."
        )
    return directory
