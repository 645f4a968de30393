"""Where exported models lie, and how one is found by its name."""

import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo.errors import UsageError

CHECKOUT = Path(__file__).parents[2] / "saved_models"
VARIABLE = "ZOO_MODELS"


def models_directory(given: str | Path | None = None) -> Path:
    """The folder of models: the one given, else that of ZOO_MODELS, else the checkout's `saved_models`.

    Raises:
        UsageError: There is none.
    """
    chosen = given or os.environ.get(VARIABLE) or (CHECKOUT if CHECKOUT.is_dir() else "saved_models")
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        told = "--models says" if given else f"{VARIABLE} says" if os.environ.get(VARIABLE) else "expected"
        raise UsageError(
            f"There is no folder of models ({told} {folder}). Models are no part of the package: name a "
            f"folder of them, <name>/<version>/ each, by --models or {VARIABLE}; the project's checkout has "
            "one, saved_models."
        )
    return folder


def models(folder: Path) -> dict[str, Path]:
    """The newest version of each model in a folder, by name; what has lost its graph, but not its card, too.

    Raises:
        UsageError: There are none.
    """
    files = [*folder.glob("*/*/saved_model.pb"), *folder.glob("*/*/card.json")]
    versions = {file.parent for file in files if file.parent.name.isdecimal()}
    found = {path.parent.name: path for path in sorted(versions, key=lambda path: int(path.name))}
    if not found:
        raise UsageError(f"{folder} holds no models. Expected <name>/<version>/saved_model.pb in it.")
    return dict(sorted(found.items()))


def read_card(folder: Path) -> dict[str, Any]:
    """What the card of a model says; empty where it has none.

    Raises:
        UsageError: It is damaged.
    """
    card = folder / "card.json"
    try:
        return json.loads(card.read_text(encoding="utf-8")) if card.exists() else {}
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{card} cannot be read: {error}. Get its files again, or export it anew."
        ) from error


def find_model(name: str | Path, folder: str | Path | None = None) -> Path:
    """Where a model lies: one of `models` by its name, or the folder of any export.

    Raises:
        UsageError: There is no such model.
    """
    given = Path(name).expanduser()
    if (given / "saved_model.pb").exists():
        return given
    if len(given.parts) != 1:
        below = sorted(str(file.parent) for file in given.glob("*/saved_model.pb"))
        hint = f"Did you mean {' or '.join(below)}?" if below else "Train one, or name another."
        raise UsageError(f"{given} holds no SavedModel. {hint}")
    known = models(models_directory(folder))
    if str(name) not in known:
        meant = get_close_matches(str(name), known, 1)
        hint = f"Did you mean {meant[0]}?" if meant else f"There are {', '.join(known)}."
        raise UsageError(f"{name} holds no SavedModel, and is no model's name. {hint}")
    return known[str(name)]


def saved(folder: Path, output: str = "") -> Any:
    """A SavedModel; to be kept in a name as long as it is used.

    Args:
        folder: of the SavedModel.
        output: what it must give, among others.

    Raises:
        UsageError: It cannot be read, or does not give that.
    """
    if not (folder / "saved_model.pb").exists():
        raise UsageError(f"{folder} holds no SavedModel. Train one, or name another.")
    try:
        found = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        told = str(error).rstrip(". ")
        raise UsageError(
            f"{folder} cannot be read: {told}. Get its files again, or export it anew."
        ) from error
    gives = outputs(found)
    if output and output not in gives:
        raise UsageError(
            f"{folder} gives {', '.join(sorted(gives))}; expected {output} among them. Name a model that "
            "this recipe exported."
        )
    return found


def outputs(model: Any) -> dict[str, tf.TensorSpec]:
    """What the `serving_default` of a SavedModel gives, by name.

    Raises:
        UsageError: It has no such signature.
    """
    serve = model.signatures.get("serving_default")
    if serve is None:
        raise UsageError("The SavedModel has no signature serving_default. Name a model of this library's.")
    return serve.structured_outputs
