"""Exported models by name: where they are, without TensorFlow."""

import os
from difflib import get_close_matches
from pathlib import Path

from zoo.errors import UsageError

CHECKOUT = Path(__file__).parents[2] / "saved_models"
VARIABLE = "ZOO_MODELS"


def get_models_dir(models_dir: str | Path | None = None) -> Path:
    """Return the directory of models: the argument, else `ZOO_MODELS`, else `saved_models` of the checkout.

    Raises:
        UsageError: it does not exist.
    """
    from_environment = os.environ.get(VARIABLE)
    default = CHECKOUT if CHECKOUT.is_dir() else "saved_models"
    directory = Path(models_dir or from_environment or default).expanduser()
    if not directory.is_dir():
        origin = "--models" if models_dir else VARIABLE if from_environment else "the default"
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
    files = [*models_dir.glob("*/*/saved_model.pb"), *models_dir.glob("*/*/card.json")]
    versions = {file.parent for file in files if file.parent.name.isdecimal()}
    newest = {path.parent.name: path for path in sorted(versions, key=lambda path: int(path.name))}
    if not newest:
        raise UsageError(
            f"{models_dir} holds no models. Expected <name>/<version>/saved_model.pb: name another directory by "
            f"--models or {VARIABLE}."
        )
    return dict(sorted(newest.items()))


def find_model(name: str | Path, models_dir: str | Path | None = None) -> Path:
    """Return the directory of a model.

    Args:
        name: name of a model in the directory of models, or the directory of any export.
        models_dir: directory of models; see `get_models_dir`.

    Raises:
        UsageError: there is no such model.
    """
    path = Path(name).expanduser()
    if (path / "saved_model.pb").exists():
        return path
    if len(path.parts) != 1:
        below = sorted(str(file.parent) for file in path.glob("*/saved_model.pb"))
        hint = f"Did you mean {' or '.join(below)}?" if below else "Train a model, or name another directory."
        raise UsageError(f"{path} holds no SavedModel. {hint}")
    known = list_models(get_models_dir(models_dir))
    if str(name) not in known:
        close = get_close_matches(str(name), known, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Expected one of {', '.join(known)}."
        raise UsageError(f"{name} is neither the name of a model nor a directory with a SavedModel. {hint}")
    return known[str(name)]
