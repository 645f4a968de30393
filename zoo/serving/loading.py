"""`zoo.load`: an exported model, ready to predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import tensorflow as tf

from zoo.card import read_card
from zoo.errors import UsageError
from zoo.manifest import check_files, check_sizes
from zoo.model_store import find_model
from zoo.tasks.base import Predictor
from zoo.tasks.registry import get_task

if TYPE_CHECKING:  # for the types of the shipped models
    from zoo.tasks.captioning import CaptioningPredictor
    from zoo.tasks.frame_tagging import FrameTaggingPredictor
    from zoo.tasks.language_model import NextWordPredictor
    from zoo.tasks.text_classification import TextClassificationPredictor
    from zoo.tasks.translation import TranslationPredictor


@overload
def load(
    name: Literal["captioning"], models_dir: str | Path | None = None, verify: bool = False
) -> "CaptioningPredictor": ...
@overload
def load(
    name: Literal["language_model"], models_dir: str | Path | None = None, verify: bool = False
) -> "NextWordPredictor": ...
@overload
def load(
    name: Literal["sentiment"], models_dir: str | Path | None = None, verify: bool = False
) -> "TextClassificationPredictor": ...
@overload
def load(
    name: Literal["tagging"], models_dir: str | Path | None = None, verify: bool = False
) -> "FrameTaggingPredictor": ...
@overload
def load(
    name: Literal["translation"], models_dir: str | Path | None = None, verify: bool = False
) -> "TranslationPredictor": ...
@overload
def load(
    name: str | Path, models_dir: str | Path | None = None, verify: bool = False
) -> Predictor[Any, Any]: ...
def load(name: str | Path, models_dir: str | Path | None = None, verify: bool = False) -> Predictor[Any, Any]:
    """Load an exported model: raw texts, images or videos in, typed predictions out.

    The task that is named on the model's card decides the class of the predictor.

    >>> import zoo
    >>> [prediction] = zoo.load("sentiment").predict(["A delight from start to end."])
    >>> prediction.label
    'pos'

    Args:
        name: name of a model in the directory of models, or the directory of any export, such as
            "runs/sentiment/export/1".
        models_dir: directory of models, with <name>/<version>/ for each; None is that of the environment
            variable ZOO_MODELS, else `saved_models` of the checkout.
        verify: whether to check the hash of every file before it is loaded. The sizes are checked in any case,
            which takes no time.

    Raises:
        UsageError: there is no such model, its files have changed or cannot be read, or no installed package has its
            task.
    """
    directory = find_model(name, models_dir)
    card = read_card(directory)
    check_files(directory, card) if verify else check_sizes(directory, card)
    try:
        task = get_task(card["task"])
    except UsageError as error:
        raise UsageError(f"{directory}: {error}") from error
    return task.predictor(directory, card, load_saved_model(directory))


def load_saved_model(directory: Path) -> Any:
    """Load a SavedModel; the object must stay referenced for as long as its signatures are used.

    Raises:
        UsageError: its files cannot be read.
    """
    if not (directory / "saved_model.pb").exists():
        raise UsageError(
            f"{directory} holds no saved_model.pb. Restore the files, or export the model again."
        )
    try:
        if (directory / "fingerprint.pb").exists():  # if it is damaged, TensorFlow only logs a traceback
            tf.saved_model.experimental.read_fingerprint(str(directory))
        return tf.saved_model.load(str(directory))
    except Exception as error:  # a damaged graph raises anything, from OSError to KeyError
        reason = " ".join(str(error).split()).rstrip(". ")
        raise UsageError(
            f"{directory} cannot be read: {reason}. Restore the files, or export the model again."
        ) from error
