"""The exported model that training starts from, instead of from random weights: `--init-from` of the recipes."""

import dataclasses
import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.card import ModelCard, read_card
from zoo.components import freeze_parts
from zoo.datasets import DataInfo
from zoo.display import ShortRepr
from zoo.errors import ExportError, UsageError
from zoo.export import load_keras_model, report_misfit
from zoo.files import atomic_write
from zoo.formulations import Encoder
from zoo.manifest import compare_files, read_hashes
from zoo.model_store import find_model
from zoo.tasks.base import Task

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, repr=False)
class Ancestor(ShortRepr):
    """An exported model, whose files are those on its card, to start training from.

    Attributes:
        task: the task of the model to train: its own, or one that lists its own in `Task.ancestors`.
        directory: directory of the export.
        card: content of its `card.json`.

    Example:
        >>> import zoo
        >>> from pathlib import Path
        >>> ancestor = zoo.tasks.read_ancestor(zoo.tasks.get_task("text_classification"), Path("sentiment"))
        >>> ancestor.card["labels"], ancestor.model_settings["units"]
        (['neg', 'pos'], 128)
    """

    task: Task
    directory: Path
    card: ModelCard = dataclasses.field(repr=False)

    @property
    def record(self) -> dict[str, str]:
        """What `run.json` and the card of a model that is trained from this one state about it.

        "digest" is a hash of everything that the other model depends on: weights, vocabularies, preprocessor,
        configuration and labels.
        """
        content = {name: self.card.get(name) for name in ("preprocessor", "model", "networks", "labels")}
        files = {
            name: digest
            for name, digest in read_hashes(self.directory, self.card).items()
            if name.startswith(("variables/", "assets/"))
        }
        digest = hashlib.sha256(json.dumps([content, files], sort_keys=True).encode()).hexdigest()
        return {
            "name": f"{self.card['title']}, version {self.directory.name}",
            "license": self.card["license"],
            "data": self.card["data"],
            "digest": digest,
        }

    @property
    def is_of_other_task(self) -> bool:
        """Whether only the embedding and the encoder are of use, because the model has another task."""
        return bool(self.card["task"] != self.task.name)

    @property
    def model_settings(self) -> dict[str, Any]:
        """The settings of the recipe that decide the form of the model, as on the card.

        Raises:
            UsageError: the card lacks one, or the recipe cannot build its parts.
        """
        if self.is_of_other_task:
            assert self.card["model"]  # `read_ancestor` has checked it
            model = self.card["model"]["config"]
            try:
                return self.task.ancestors[self.card["task"]](model["config"])
            except (KeyError, TypeError) as error:
                raise UsageError(
                    f"--init-from: the recipe cannot build the parts of {self.directory}, whose model is a "
                    f"{model['class_name']}: unexpected or missing is {error}. Use a model of the recipe "
                    f"{self.card['task']}."
                ) from error
        settings = self.card["settings"]
        if missing := [name for name in self.task.model_settings if name not in settings]:
            raise UsageError(
                f"{self.directory}: its card has no setting {', '.join(missing)}, so the recipe cannot build its "
                "model again. Expected an export of this recipe. Continue the training of another model in Python: "
                "zoo.tasks.get_task(...).from_export."
            )
        values = ((name, settings[name]) for name in self.task.model_settings)
        return {name: tuple(value) if isinstance(value, list) else value for name, value in values}

    @cached_property
    def model(self) -> keras.Model:
        """The Keras model, with its weights."""
        return load_keras_model(self.directory, self.card)

    def make_encoder(self, dropout: float) -> Encoder:
        """Return an encoder of the form of the model's, with random weights.

        Args:
            dropout: share of the inputs of its cells that are dropped in training.
        """
        config = self.model.encoder.get_config()
        cell = {**config["cell"], "config": {**config["cell"]["config"], "dropout": dropout}}
        return Encoder.from_config({**config, "cell": cell, "stateful": False})

    def get_frame_network(self, shape: Sequence[int]) -> keras.Model:
        """Return the network that turns each step into a vector, of a `ManyToMany`.

        Args:
            shape: shape of a step in the data to train on.

        Raises:
            UsageError: the model reads steps of another shape.
        """
        if tuple(shape) != tuple(self.model.step_shape):
            steps = (f"steps of shape {list(each)}" for each in (self.model.step_shape, shape))
            raise self._make_form_error(*steps)
        return self.model.vectors.encoder

    def load_preprocessor(self, run_dir: Path) -> Any:
        """Return the preprocessor, with copies of its vocabularies in the directory of a run.

        Args:
            run_dir: the directory of the run. The run does not need the export's own files any more.
        """
        for path in (self.directory / "assets").glob("*"):
            with atomic_write(run_dir / path.name) as temporary:  # several workers may write the same file
                shutil.copyfile(path, temporary)
        return self.task.load_preprocessor(self.directory, self.card, run_dir)

    def initialize(self, model: keras.Model, labels: Sequence[str] = ()) -> bool:
        """Set the weights of a model to those of this one.

        With the same labels, in any order, the scores of each label are kept. With other labels the layer
        `scores` of the model keeps the random weights that it has. From a model of another task the embedding, which
        then returns the same vectors, and the encoder take their weights.

        Args:
            model: a model of the same form, or with parts of the same form. It is built if it is not yet.
            labels: its labels, in the order of its outputs; empty if it has none.

        Returns:
            Whether all weights are those of this model.

        Raises:
            UsageError: the model has another form.
        """
        if not model.built:
            with report_misfit(self.directory, "model.config"):
                assert self.card["model"]  # `read_ancestor` has checked it
                model.build_from_config(self.card["model"]["config"]["build_config"])
        old_labels = self.card.get("labels") or []
        keeps_scores = not self.is_of_other_task and set(labels) == set(old_labels)
        order = [old_labels.index(label) for label in labels] if keeps_scores else []
        scores = {id(weight) for weight in model.scores.weights} if labels else set()
        source, target = self.model.weights, model.weights
        if self.is_of_other_task:
            vectors = self.model.embedding(np.arange(self.model.embedding.input_dim))
            source = [vectors, *self.model.encoder.weights]
            target = [*model.embedding.weights, *model.encoder.weights]
        if len(source) != len(target):
            raise self._make_form_error(f"{len(source)} weights", f"{len(target)}")
        for old, new in zip(source, target, strict=True):
            if id(new) in scores:
                if keeps_scores:
                    new.assign(old.numpy()[..., order])
                continue
            if old.shape != new.shape:
                shapes = (list(weight.shape) for weight in (old, new))
                raise self._make_form_error(*(f"{new.path} of shape {shape}" for shape in shapes))
            new.assign(old)
        parts = "the embedding and the encoder of " if self.is_of_other_task else ""
        logger.info("starting from %s%s, %s", parts, self.directory, self.card["title"])
        if old_labels and not keeps_scores:
            logger.info(
                "new scores: the labels are %s, and those of %s are %s. To keep its scores, use its labels; "
                "sentiment has --rename-labels.",
                ", ".join(labels),
                self.directory,
                ", ".join(old_labels),
            )
        return keeps_scores

    def check_data(self, info: DataInfo) -> None:
        """Check that data are what the model reads.

        Raises:
            UsageError: they are of another kind.
        """
        reads_video = self.card["input_kind"] == "video"
        several = self.card["preprocessor"].get("multi_label", False)
        languages = self.card["preprocessor"].get("languages")
        if info.is_video != reads_video:
            kind = f"reads {self.card['input_kind']}s"
            problem = kind, "the data are " + ("videos" if info.is_video else "not")
        elif info.multi_label != several:
            problem = (
                "has " + ("any number of labels" if several else "one label") + " for each step",
                "the data have " + ("any number" if info.multi_label else "one"),
            )
        elif languages and info.languages and list(info.languages) != languages:
            problem = (
                f"translates from {' to '.join(languages)}",
                f"the data are {' to '.join(info.languages)}",
            )
        else:
            return
        raise UsageError(
            f"--init-from: {self.directory} {problem[0]}, and {problem[1]}. Use a model of the same kind, or train "
            "from scratch."
        )

    def _make_form_error(self, expected: str, actual: str) -> UsageError:
        return UsageError(
            f"--init-from: {self.directory} has {expected}, and the model to train has {actual}. Expected a model of "
            "the same form: the same settings of the model, and data with features of the same width."
        )


def load_ancestor(task: Task, settings: Any, info: DataInfo) -> Ancestor | None:
    """Return the model that `--init-from` names; None without it.

    Args:
        task: the task of the recipe.
        settings: settings of the recipe.
        info: about the data to train on.

    Raises:
        UsageError: there is no such model, it is of another task or form, reads other data, or would be overwritten; or
            a setting needs weights that are not random: `--self-critical` those of an ancestor, `--freeze` these, word
            vectors, or published ones of a network that reads images.
        ExportError: its files are damaged.
    """
    if not settings.init_from:
        pretrained = {"embedding"} if getattr(settings, "vectors", None) else set()
        # Clips have a recurrent encoder, too, which is random.
        if getattr(settings, "encoder", "small") != "small" and not info.is_video:
            pretrained.add("encoder")
        if set(settings.freeze) - pretrained:
            raise UsageError(
                f"--freeze {' '.join(settings.freeze)} keeps weights as they are, and these are random. Expected "
                "--init-from with a model to start from, or leave out --freeze."
            )
        if getattr(settings, "self_critical", False):
            raise UsageError(
                "--self-critical improves the captions of a trained model, and the weights are random. Expected "
                "--init-from with a model to start from, or leave out --self-critical."
            )
        return None
    ancestor = read_ancestor(task, settings.init_from)
    ancestor.check_data(info)
    for option, path, source in (
        ("--export-dir", settings.export_dir, ancestor.directory),
        ("--run-dir", settings.run_dir, settings.init_from),
    ):
        if path.resolve() == source.resolve():
            raise UsageError(
                f"{option} {path} is the model that --init-from starts from. Choose another directory, so that it "
                "stays as it is."
            )
    if not getattr(settings, "names", True):
        raise UsageError(
            "--no-names and --init-from exclude each other: the vocabulary is that of the model to start from. Leave "
            "out one."
        )
    if getattr(settings, "vectors", None):
        raise UsageError(
            "--vectors and --init-from exclude each other: the model to start from has word vectors. Leave out one."
        )
    values = json.loads(json.dumps(dataclasses.asdict(settings), default=str))
    for name, value in ancestor.model_settings.items():
        expected = list(value) if isinstance(value, tuple) else value
        if values[name] != expected:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} is {values[name]}, but the model of {ancestor.directory} was trained with {expected}, and "
                f"its weights fit no other. Leave out {option}, or leave out --init-from to train from random weights."
            )
    return ancestor


def initialize(
    model: keras.Model, ancestor: Ancestor | None, freeze: Sequence[str], labels: Sequence[str] = ()
) -> bool:
    """Set the weights of a model to those of the one that `--init-from` names, and freeze parts of it.

    Args:
        model: the model. Without an ancestor it must be built if `freeze` names a part.
        ancestor: from `load_ancestor`.
        freeze: names of parts; see `zoo.components.freeze_parts`.
        labels: labels of the model, in the order of its outputs.

    Returns:
        Whether the model can be evaluated already: it has no random weights.
    """
    is_trained = ancestor is not None and ancestor.initialize(model, labels)
    freeze_parts(model, freeze)
    return is_trained


def read_ancestor(task: Task, path: Path) -> Ancestor:
    """Return the model to start training from.

    Args:
        task: the task of the model to train.
        path: name of a model in the directory of models; or directory of an export, or of a run, which stands for
            its export.

    Raises:
        UsageError: there is no such export, it is of a task from which the model cannot start, or it has no card.
        ExportError: its files are not those on its card, or the card does not describe the Keras model.

    Example:
        >>> import zoo
        >>> from pathlib import Path
        >>> task = zoo.tasks.get_task("text_classification")
        >>> zoo.tasks.read_ancestor(task, Path("sentiment")).is_of_other_task
        False
    """
    directory = find_model(path, option="--init-from")
    card = read_card(directory)
    if card["task"] not in (task.name, *task.ancestors):
        expected = " or ".join(map(repr, (task.name, *task.ancestors)))
        raise UsageError(
            f"--init-from: {directory} is an export of the task {card['task']!r}, expected {expected}. Use the "
            "recipe of its task, or a model of this one."
        )
    if not card["model"]:
        raise ExportError(
            f"--init-from: the card of {directory} does not describe its Keras model. Export the model again with "
            "this version."
        )
    if problems := compare_files(directory, card):
        raise ExportError(
            f"--init-from: {directory} is not as its card describes it: {'; '.join(problems[:5])}. Restore the "
            "files, or export the model again."
        )
    return Ancestor(task, directory, card)
