"""An exported model by its name."""

from pathlib import Path
from typing import Any, Literal, overload

from zoo.errors import UsageError
from zoo.serving.model_store import find_model, outputs, saved
from zoo.tasks.captioning import Captioner
from zoo.tasks.frame_tagging import Tagger
from zoo.tasks.predictor import Program
from zoo.tasks.texts import Classifier, NextWordPredictor, Translator

KINDS: tuple[type[Program], ...] = (Captioner, Classifier, Tagger, Translator, NextWordPredictor)


@overload
def load(name: Literal["captioning"], models: str | Path | None = None) -> Captioner: ...
@overload
def load(name: Literal["sentiment"], models: str | Path | None = None) -> Classifier: ...
@overload
def load(name: Literal["tagging"], models: str | Path | None = None) -> Tagger: ...
@overload
def load(name: Literal["translation"], models: str | Path | None = None) -> Translator: ...
@overload
def load(name: str | Path, models: str | Path | None = None) -> Program[Any, Any]: ...
def load(name: str | Path, models: str | Path | None = None) -> Program[Any, Any]:
    """Load a trained model: raw texts, pictures or videos in, typed answers out.

    >>> import zoo
    >>> [answer] = zoo.load("sentiment").predict(["A delight from start to end."])
    >>> answer.label
    'pos'

    Args:
        name: of a model in the folder of models; or the folder of any export, such as
            "runs/sentiment/export/1".
        models: the folder of models, <name>/<version>/ each; None: that of the environment variable
            ZOO_MODELS, else `saved_models` of the checkout.

    Raises:
        UsageError: There is no such model, it cannot be read, or gives what no recipe's model does.
    """
    folder = find_model(name, models)
    model = saved(folder)
    gives = outputs(model)
    for kind in KINDS:
        if kind.output in gives:
            return kind(folder, model)
    raise UsageError(
        f"{folder} gives {', '.join(sorted(gives))}, as no model of the recipes does. Call its signatures."
    )
