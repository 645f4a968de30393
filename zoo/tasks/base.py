"""What a task consists of: both ends of the contract of its exports, and the way back to training.

A task has one file. It defines a `Preprocessor` (raw examples to model inputs), a `ServingModule` (the graph
that is exported), a `Predictor` with its `Prediction` (the client that reads the graph's outputs), and binds
them in a `Task`, which the entry-point group `zoo.tasks` names. `zoo.load`, `zoo list`, `zoo predict`,
`zoo evaluate`, `zoo verify` and the demo page use nothing else.
"""

import dataclasses
import itertools
import json
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import keras
import matplotlib.figure
import numpy as np
import tensorflow as tf

from zoo.card import FILE, Answer, Card, InputKind, read_card
from zoo.datasets import DataInfo
from zoo.display import ShortRepr, format_html_table, format_repr
from zoo.errors import UsageError
from zoo.export import export_model, load_keras_model, name_example_files, report_misfit, restore_weights
from zoo.files import atomic_write, sha256
from zoo.languages import list_language_codes
from zoo.layers import export_scope
from zoo.manifest import check_sizes
from zoo.model_store import EXPORT_RECORD
from zoo.preprocessing.text import TokenizedText, WordPieceTokenizer, WordTokenizer
from zoo.preprocessing.text.base import split_length
from zoo.reports import ClassificationReport, GenerationReport
from zoo.shots.lists import ShotList
from zoo.training import Progress, Run

Input = TypeVar("Input")
Item = TypeVar("Item")


class Preprocessor(ABC):
    """Raw examples to model inputs, inside the graph; it travels with the export and is loaded from it.

    Attributes:
        resources: modules with tables, such as tokenizers, that the graph uses.
        networks: frozen Keras networks that the graph uses before the model, by name.

    Example:
        >>> import zoo
        >>> from pathlib import Path
        >>> class Scaler(zoo.tasks.Preprocessor):
        ...     def __init__(self, factor):
        ...         self.factor = factor
        ...     def get_config(self):
        ...         return {"factor": self.factor}
        ...     @classmethod
        ...     def from_config(cls, config, assets):
        ...         return cls(**config)
        >>> Scaler.from_config(Scaler(255).get_config(), Path("assets")).factor
        255
    """

    resources: Sequence[tf.Module] = ()
    networks: Mapping[str, keras.Model] = {}

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs besides the files in `assets/`, as JSON values."""

    @classmethod
    @abstractmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Self:
        """Rebuild the preprocessor of an export.

        Args:
            config: what `get_config` returned.
            assets: the `assets` directory of the export, which holds its vocabularies.
        """


P = TypeVar("P", bound=Preprocessor)
TextTokenizer = TypeVar("TextTokenizer", bound=WordTokenizer | WordPieceTokenizer)
_WORD_PIECES = "word pieces"


class TextPreprocessor(Preprocessor, Generic[TextTokenizer]):
    """Base class: texts to ids of words or of word pieces.

    Args:
        tokenizer: splits texts into tokens, and looks up their ids.
    """

    def __init__(self, tokenizer: TextTokenizer) -> None:
        self.tokenizer = tokenizer
        self.resources = (tokenizer,)

    @property
    def token_name(self) -> str:
        """What the tokens are, in the plural."""
        return _WORD_PIECES if isinstance(self.tokenizer, WordPieceTokenizer) else "words"

    def get_config(self) -> dict[str, Any]:
        """Return the configuration of the tokenizer, and whether its tokens are word pieces."""
        config = {"tokenizer": self.tokenizer.get_config()}
        return {"tokens": _WORD_PIECES, **config} if self.token_name == _WORD_PIECES else config

    @staticmethod
    def load_tokenizer(config: Mapping[str, Any], assets: Path) -> WordTokenizer | WordPieceTokenizer:
        """Rebuild the tokenizer of an export.

        Args:
            config: what `get_config` returned.
            assets: the `assets` directory of the export.

        Raises:
            UsageError: the tokens are neither words nor word pieces.
        """
        tokenizers = {"words": WordTokenizer, _WORD_PIECES: WordPieceTokenizer}
        tokens = config.get("tokens", "words")
        if tokens not in tokenizers:
            raise UsageError(
                f"its tokens are {tokens!r}, expected {' or '.join(tokenizers)}. Use another model."
            )
        return tokenizers[tokens].from_config(config["tokenizer"], assets)


class Description(NamedTuple):
    """What the card of an export states about the model in words.

    Attributes:
        title: name of the model.
        summary: what it does, in a sentence.
        limits: what it does not do, a sentence each.
        purpose: what it is for, and what not, a sentence or two; empty to state nothing.

    Example:
        >>> import zoo
        >>> description = zoo.tasks.Description("Ratings", "Rates texts.", limits=("It reads English alone.",))
        >>> description.title, description.purpose
        ('Ratings', '')
    """

    title: str
    summary: str
    limits: tuple[str, ...]
    purpose: str = ""


class ServingModule(ABC, Generic[P]):
    """The graph that is exported: raw inputs in, outputs that a person can read.

    Attributes:
        preprocessor: raw inputs to model inputs.
        model: the Keras model.
        labels: names of the classes, in the order of the model's outputs; empty if it has none.
        input_kind: what an input is: "text", "image", "video", or "array" of features.

    Example:
        >>> import keras, tensorflow as tf, zoo
        >>> class Scorer(zoo.tasks.ServingModule):
        ...     input_kind = "array"
        ...     @property
        ...     def signatures(self):
        ...         features = tf.TensorSpec([None, 3], tf.float32, "features")
        ...         return {"serving_default": zoo.tasks.make_signature(self.score, [features])}
        ...     def score(self, features):
        ...         return {"scores": self.model(features), "status": tf.fill(tf.shape(features)[:1], "")}
        ...     def describe(self, info):
        ...         return zoo.tasks.Description("Scorer", "Scores features.", ())
        >>> model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
        >>> outputs = Scorer(None, model, ["no", "yes"]).signatures["serving_default"](tf.ones([4, 3]))
        >>> outputs["scores"].shape, outputs["status"].shape
        (TensorShape([4, 2]), TensorShape([4]))
    """

    input_kind: InputKind

    def __init__(self, preprocessor: P, model: keras.Model, labels: Sequence[str] = ()) -> None:
        self.preprocessor, self.model, self.labels = preprocessor, model, tuple(labels)

    @property
    @abstractmethod
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """`tf.function`s with an input signature by name; one is `serving_default`.

        `serving_default` returns tensors by name whose first axis is the batch, so that servers can combine
        requests. Among them is `status` [batch], which is empty for a valid row and otherwise says what was wrong
        with it. A row without an answer has empty strings and zeros. What does not depend on the inputs, such as
        the labels, has a signature of its own: `make_labels_signature`.
        """

    @abstractmethod
    def describe(self, info: DataInfo) -> Description:
        """Return what the card states, for a model trained on this data."""

    def make_files(self) -> Mapping[str, bytes]:
        """Return the content of further files of the export by name."""
        return {}


class Table(NamedTuple):
    """A prediction as a table.

    Attributes:
        columns: names of the columns.
        rows: texts and numbers.
        is_ranked: whether the first row is the best of several alternatives.
        has_bars: whether the last column holds probabilities, to be drawn as bars, too.
        num_best: number of alternatives that are shown where there is room for few.
        note: what the numbers mean, in a sentence or two.
        continues_input: whether the first cell of each row may follow the input, which is a text.

    Example:
        >>> import zoo
        >>> zoo.tasks.Table(("label", "score"), [("positive", 0.9), ("negative", 0.1)]).columns
        ('label', 'score')
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | float]]
    is_ranked: bool = True
    has_bars: bool = False
    num_best: int = 1
    note: str = ""
    continues_input: bool = False


class WordEffect(NamedTuple):
    """How much a prediction depends on a word.

    Attributes:
        text: the word as it stands in the input, with the spaces that follow; of a long input several words.
        effect: by how much it raises the log-odds of what is predicted.
        score_without: probability of what is predicted if the word is left out.

    Example:
        >>> import zoo
        >>> words = [zoo.tasks.WordEffect("not ", 1.8, 0.2), zoo.tasks.WordEffect("bad", -0.3, 0.6)]
        >>> max(words, key=lambda word: word.effect).text
        'not '
    """

    text: str
    effect: float
    score_without: float


class Explanation(NamedTuple):
    """What a prediction for a text is based on.

    Attributes:
        label: what is predicted.
        words: the words of the text in their order; empty if it has only one.
        gates: mean of each gate at each word, a row for each word; None if the model has no gates.

    Example:
        >>> import zoo
        >>> words = (zoo.tasks.WordEffect("not ", 1.8, 0.2), zoo.tasks.WordEffect("bad", -0.3, 0.6))
        >>> explanation = zoo.tasks.Explanation("positive", words, gates=None)
        >>> "".join(word.text for word in explanation.words)
        'not bad'
    """

    label: str
    words: tuple[WordEffect, ...]
    gates: Table | None


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Prediction(ShortRepr, ABC):
    """What a model predicts for one input. A notebook shows it as a table.

    Attributes:
        status: empty for a valid input, otherwise what was wrong with it or left out of it.
        is_partial: whether the input was read in part, because it is damaged or too long.

    Example:
        >>> import dataclasses, zoo
        >>> @dataclasses.dataclass(frozen=True, eq=False, repr=False)
        ... class Rating(zoo.tasks.Prediction):
        ...     rating: float
        ...     def as_table(self):
        ...         return zoo.tasks.Table(("rating",), [(self.rating,)])
        ...     def format_lines(self, name, top_k):
        ...         yield f"{self.rating:.1f}  {name}"
        >>> prediction = Rating(status="", rating=4.5)
        >>> prediction.as_json()
        {'status': '', 'is_partial': False, 'rating': 4.5}
        >>> print(*prediction.format_lines("A fine film.", top_k=1))
        4.5  A fine film.
    """

    status: str
    is_partial: bool = dataclasses.field(default=False, kw_only=True)

    def _repr_html_(self) -> str:
        table = self.as_table()
        return format_html_table(table.columns, table.rows, self.status)

    @property
    def has_answer(self) -> bool:
        """Whether the model has an answer for the input."""
        return bool(self.as_table().rows)

    def as_json(self) -> dict[str, Any]:
        """Return all fields that are not arrays, such as attention maps are."""
        fields = dataclasses.asdict(self)
        return {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}

    @abstractmethod
    def as_table(self) -> Table:
        """Return the prediction as a table; without rows if the input has none."""

    @abstractmethod
    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield the lines to print.

        Args:
            name: the input as the user wrote it.
            top_k: number of alternatives to print.
        """


R = TypeVar("R", bound=Prediction)


class Predictions(list[R]):
    """A list of predictions, which a notebook shows as one table: the best of each, or all rows of those unranked.

    Args:
        predictions: the predictions.
        names: the inputs as texts or paths; empty for others.
    """

    def __init__(self, predictions: Iterable[R], names: Iterable[str]) -> None:
        super().__init__(predictions)
        self._names = {id(prediction): name for prediction, name in zip(self, names, strict=True)}

    def _repr_html_(self) -> str:
        columns: tuple[str, ...] = ()
        rows: list[list[str | float]] = []
        for prediction in self:  # may be in another order by now
            name, table = self._names.get(id(prediction), ""), prediction.as_table()
            columns = table.columns
            best = table.rows[: table.num_best] if table.is_ranked else table.rows
            for index, cells in enumerate(best or [[""] * len(columns)]):
                rows.append([*(("", "") if index else (name, prediction.status)), *cells])
        return format_html_table(["input", "status", *columns], rows)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Evaluation(ShortRepr):
    """How well a model does on examples with known targets. A notebook shows the metrics as a table.

    Attributes:
        metrics: scores by name, as the recipe of the task reports them for its test examples.
        num_examples: number of examples.
        predictions: prediction of each example; empty if the metrics need none.
        report: scores by label or signatures of metrics, and warnings; None if the task has no report.

    Example:
        >>> import zoo
        >>> evaluation = zoo.load("sentiment").evaluate(["A delight.", "Dull.", "Dreadful."], ["pos", "neg", "pos"])
        >>> round(evaluation.metrics["accuracy"], 1)
        66.7
        >>> [prediction.label for prediction in evaluation.predictions]
        ['pos', 'neg', 'neg']
        >>> evaluation.report.confusion_matrix.tolist()
        [[1, 0], [1, 1]]
    """

    metrics: Mapping[str, float]
    num_examples: int
    predictions: Sequence[Prediction] = ()
    report: ClassificationReport | GenerationReport | None = None

    def _repr_html_(self) -> str:
        return format_html_table(["metric", "value"], list(self.metrics.items()))

    def as_json(self) -> dict[str, Any]:
        """Return numbers and labels, but no examples."""
        return {
            "num_examples": self.num_examples,
            "num_without_answer": sum(not prediction.has_answer for prediction in self.predictions),
            "num_read_in_part": sum(prediction.is_partial for prediction in self.predictions),
            "metrics": dict(self.metrics),
            "report": None if self.report is None else self.report.as_json(),
        }


class Predictor(ABC, Generic[Input, R]):
    """A loaded export: raw inputs in, typed predictions out.

    Attributes:
        directory: directory of the export.
        card: content of its `card.json`.
        signatures: the functions of the SavedModel by name, for what `predict` does not do.
        input_kind: what an input is: "text", "image", "video", or "array" of features.
        batch_size: number of inputs that are computed together.
        writes_files: whether `save` writes files for each input.
        finds_shots: whether `list_shots` returns the shots of a video.
        plot_caption: what the picture that `plot` draws shows.
        ranking_output: name of the output of `serving_default` with the scores that decide the others, such as
            the label with the highest score; None if no output is decided by scores. `zoo verify` compares
            decided outputs only where these scores are clearly apart, because processors round differently.
        target_name: what the target of an input is, such as "label": the column of `zoo evaluate`; empty if
            `evaluate` needs inputs alone.
        has_several_targets: whether an input may have several targets, such as the captions of an image. Rows of
            `zoo evaluate` with the same input are then one example.

    Example:
        >>> import zoo
        >>> predictor = zoo.load("sentiment")
        >>> predictor.signatures["serving_default"].structured_outputs["scores"].shape
        TensorShape([None, 2])
        >>> [prediction] = predictor.predict(["Good, not bad."])
        >>> prediction.label
        'pos'
        >>> figure = predictor.plot("Good, not bad.", prediction)
        >>> len(figure.axes) > 0
        True
    """

    batch_size: int = 64
    writes_files: ClassVar[bool] = False
    finds_shots: bool = False
    plot_caption: ClassVar[str] = ""
    ranking_output: ClassVar[str | None] = "scores"
    target_name: ClassVar[str] = "target"
    has_several_targets: ClassVar[bool] = False

    def __init__(self, directory: Path, card: Mapping[str, Any], model: Any) -> None:
        self.directory, self.card = directory, card
        self.input_kind: InputKind = card["input_kind"]
        self.signatures = model.signatures
        self._model = model  # its variables live as long as it does

    def __repr__(self) -> str:
        return format_repr(self, ["directory"])

    def predict(self, inputs: Iterable[Input], *, progress: bool = False) -> Predictions[R]:
        """Return a prediction for each input, in a list that a notebook shows as a table.

        Args:
            inputs: texts, images, videos or arrays, as the task takes them.
            progress: whether to print how much of a long input has been read.

        Raises:
            UsageError: `inputs` is a single input, or one of them is of another kind.
        """
        check_list(inputs, self.input_kind)
        predictions: list[R] = []
        names: list[str] = []
        for batch in split_batches(inputs, self.batch_size):
            predictions += self.predict_batch(batch, progress)
            names += [str(item) if isinstance(item, (str, Path)) else "" for item in batch]
        return Predictions(predictions, names)

    @abstractmethod
    def predict_batch(self, inputs: Sequence[Input], progress: bool) -> Iterable[R]:
        """Yield the predictions for up to `batch_size` inputs."""

    def evaluate(
        self, inputs: Iterable[Input], targets: Iterable[Any] = (), *, progress: bool = False
    ) -> Evaluation:
        """Predict for inputs whose targets are known, and return the metrics that the recipe of the task reports.

        An input without an answer counts as a wrong one.

        Args:
            inputs: texts, images or videos, as `predict` takes them.
            targets: target of each input: a label, a translation, or a caption or a list of captions.
            progress: whether to print the number of batches on standard error.

        Raises:
            UsageError: the task has no such metrics, the numbers of inputs and targets differ or are 0, `inputs` is a
                single input, or a target cannot be one of this model.
        """
        self.check_evaluation()
        check_list(inputs, self.input_kind)
        check_list(targets, self.target_name, (str, bytes))
        inputs, targets = list(inputs), list(targets)
        if not len(inputs) == len(targets) > 0:
            raise UsageError(
                f"Expected a {self.target_name} for each input, and at least one, got {len(inputs):,} inputs and "
                f"{len(targets):,} targets. Pass two lists of the same length."
            )
        for number, target in enumerate(targets):
            try:
                self.check_target(target)
            except UsageError as error:
                raise UsageError(f"targets[{number}]: {error}") from error
        predictions: list[R] = []
        bar = Progress("evaluating", -(-len(inputs) // self.batch_size), stream=sys.stderr)
        for batch in split_batches(inputs, self.batch_size):
            predictions += self.predict(batch)
            if progress:
                bar.update(len(batch))
        if progress:
            bar.clear()
        return self.evaluate_predictions(inputs, predictions, targets)

    def evaluate_predictions(
        self, inputs: Sequence[Input], predictions: Sequence[R], targets: Sequence[Any]
    ) -> Evaluation:
        """Return the metrics of predictions for inputs whose targets are known, for `evaluate`.

        A task that does not define this method cannot be evaluated.

        Args:
            inputs: one or more inputs.
            predictions: prediction of each, perhaps without an answer.
            targets: target of each, as `check_target` accepts it.
        """
        raise NotImplementedError

    def check_evaluation(self) -> None:
        """Check that models of the task can be evaluated.

        Raises:
            UsageError: the task does not define `evaluate_predictions`.
        """
        if type(self).evaluate_predictions is Predictor.evaluate_predictions:
            raise UsageError(
                f"{self.directory}: models of the task {self.card['task']!r} cannot be evaluated: the predictor has no "
                "method `evaluate_predictions`. Use a model of another task, or add the method to the task."
            )

    def check_target(self, target: Any) -> None:
        """Check that something is the target of an input; `zoo evaluate` passes the text of a cell.

        Raises:
            UsageError: it cannot be a target of this model, such as a label that it does not know.
        """

    @abstractmethod
    def parse(self, argument: bytes, frame_rate: float = 25.0) -> Input:
        """Return the input that a command-line argument, or a line of a file, stands for.

        Args:
            argument: a text, or the path of an image or video.
            frame_rate: frames per second of a video that is a directory of images.
        """

    def explain(self, item: Input, prediction: R) -> Explanation | None:
        """Return what the prediction for a text is based on, word by word; None if that is not known."""
        return None

    def plot(self, item: Input, prediction: R, path: Path | None = None) -> matplotlib.figure.Figure:
        """Plot what a prediction is based on, such as attention weights or gates.

        Args:
            item: the input.
            prediction: its prediction.
            path: the file to write, if any.

        Returns:
            The figure, which a notebook shows.

        Raises:
            UsageError: there is nothing to plot.
        """
        raise UsageError(f"{self.directory} has nothing to plot. Leave out --plot.")

    def save(self, item: Input, prediction: R, directory: Path) -> None:
        """Write files about a prediction, such as tables, if `writes_files`."""

    def list_shots(self, item: Input, prediction: R) -> ShotList:
        """Return the shots of a video, if `finds_shots`.

        Raises:
            UsageError: the model does not find shots, or the input is no video.
        """
        raise UsageError(
            f"{self.directory} finds no shots. Use a model with the tag `shot`, such as `tagging`."
        )

    def read_examples(self) -> list[tuple[str, Any]]:
        """Return name and value of each example on the card; nothing if it shows none."""
        paths = [
            self.directory / answer["file"] for answer in self.card.get("answers", ()) if "file" in answer
        ]
        if paths:
            return [(str(path), path) for path in paths]
        inputs = {
            name: [self.directory / file for file in value["files"]]
            if "files" in value
            else np.load(self.directory / value["array"])
            if "array" in value
            else value
            for name, value in self.card["example"]["inputs"].items()
        }
        return self.list_examples(inputs)

    def list_examples(self, inputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Return name and value of each example in inputs of `serving_default`, as `zoo.export_model` takes them."""
        if not inputs:
            return []
        if "text" in inputs:
            return [(text, text) for text in inputs["text"]]
        if "image" in inputs:
            return [(str(path), path) for path in inputs["image"]]
        lengths = inputs["lengths"]
        (values,) = (value for name, value in inputs.items() if name != "lengths")
        return [
            (f"example {row + 1}, {length} steps", values[row, :length]) for row, length in enumerate(lengths)
        ]

    def answer_examples(self, inputs: Mapping[str, Any], paths: Sequence[Path] = ()) -> list[Answer]:
        """Return what the card shows of examples.

        Args:
            inputs: of `serving_default`, as `zoo.export_model` takes them.
            paths: files to show instead.
        """
        pairs: list[tuple[str, Any]] = [(str(path), path) for path in paths] or self.list_examples(inputs)
        predictions = self.predict([value for _, value in pairs])
        files = name_example_files([value for _, value in pairs if isinstance(value, Path)])
        answers = []
        for row, ((name, value), prediction) in enumerate(zip(pairs, predictions, strict=True)):
            table = prediction.as_table()
            rows = table.rows[: table.num_best] if table.is_ranked else table.rows
            answer = Answer(
                input=name,
                columns=list(table.columns),
                rows=[
                    [cell if isinstance(cell, str) else round(cell, 4) for cell in cells] for cells in rows
                ],
                status=prediction.status,
            )
            if isinstance(value, Path):
                answer |= {"input": value.name, "file": files[row]}
            answers.append(answer)
        return answers

    def get_ranking_scores(self, outputs: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Return the scores [..., choices] of `ranking_output`."""
        return None if self.ranking_output is None else outputs[self.ranking_output]

    def serve(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Return the outputs of `serving_default` for inputs by name."""
        return call_signature(self.signatures["serving_default"], **inputs)


class TextPredictor(Predictor[str | bytes, R]):
    """Base class of predictors whose inputs are texts.

    Example:
        >>> import zoo
        >>> outputs = zoo.load("sentiment").serve_texts(["Good.", "Not good."])
        >>> outputs["scores"].shape, outputs["status"].tolist()
        ((2, 2), [b'', b''])
    """

    def parse(self, argument: bytes, frame_rate: float = 25.0) -> bytes:
        """Return the text itself, which must be UTF-8."""
        try:
            argument.decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"Expected text in UTF-8, got {argument!r:.60}. Is it the right file? Save it as UTF-8."
            ) from error
        return argument

    def make_empty(self, status: str) -> R:
        """Return the prediction of an empty text with another status, for a text that cannot be read."""
        return dataclasses.replace(self.predict([""])[0], status=status)

    def serve_texts(self, texts: Sequence[str | bytes]) -> dict[str, np.ndarray]:
        """Return the outputs of `serving_default` for texts."""
        check_texts(texts)
        return self.serve(text=list(texts))


@dataclasses.dataclass(frozen=True)
class Task:
    """Binds what belongs to a task; the entry-point group `zoo.tasks` names one such record for each task.

    Attributes:
        name: as the card stores it.
        headline_metrics: names of the metrics by which models of the task are compared; the first one that
            was measured is the model's headline.
        preprocessor: class of the preprocessor.
        predictor: class of the client.
        model_settings: names of the settings of the task's recipe that decide the form of the model: a model that
            starts from another one has its values.
        pipeline_tags: what model hubs call the task, by the kind of input.
        ancestors: further tasks from whose models the recipe can start, by name. It takes over `embedding` and
            `encoder`. The values are functions from the configuration of such a Keras model to the settings that
            it decides.

    Example:
        >>> import zoo
        >>> from zoo.model_store import find_model
        >>> task = zoo.tasks.get_task("text_classification")
        >>> preprocessor, model = task.from_export(find_model("sentiment"))
        >>> model(preprocessor.tokenizer(["Good, not bad."]).ids).shape
        TensorShape([1, 2])
    """

    name: str
    headline_metrics: tuple[str, ...]
    preprocessor: type[Preprocessor]
    predictor: type[Predictor[Any, Any]]
    model_settings: tuple[str, ...] = ()
    pipeline_tags: Mapping[InputKind, str] = dataclasses.field(default_factory=dict)
    ancestors: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = dataclasses.field(
        default_factory=dict
    )

    def export(
        self,
        run: Run,
        module: ServingModule[Any],
        info: DataInfo,
        directory: str | Path,
        examples: Mapping[str, Any],
        publish_examples: bool = True,
        report: ClassificationReport | GenerationReport | None = None,
        videos: Sequence[Path] = (),
    ) -> Path:
        """Export a model with its card.

        Args:
            run: the run that trained it; its settings, metrics and command go to the card. With the setting
                `half_precision` the export stores matrices in float16.
            module: the graph, with preprocessor and model.
            info: about the data that it was trained on.
            directory: where the export goes.
            examples: inputs of `serving_default` by name; see `zoo.export_model`.
            publish_examples: whether the card shows them; see `zoo.export_model`.
            report: what the model does on test examples, for the card.
            videos: files that the card shows instead of the examples, whose frames are too many to be stored.

        Raises:
            ExportError: see `zoo.export_model`.
        """
        directory = Path(directory)
        title, summary, limits, purpose = module.describe(info)
        best_epoch = run.get_best_epoch(module.model)
        data = " ".join(filter(None, [f"{info.source}.", *info.notes, info.citation]))
        license = info.license or "not stated"
        if run.ancestor:
            data, license = add_ancestor(data, license, run.ancestor)
        if module.labels:
            limits = (*limits, _describe_scores(report if isinstance(report, ClassificationReport) else None))
        half_precision = bool(run.settings.get("half_precision"))
        if half_precision:
            limits = (*limits, "Matrices of weights are stored in float16; the graph computes in float32.")
        card = Card(
            task=self.name,
            input_kind=module.input_kind,
            title=title,
            summary=summary,
            data=data,
            license=license,
            command=run.command,
            settings=run.settings,
            metrics={name: round_metric(value) for name, value in run.metrics.items()},
            headline=next((name for name in self.headline_metrics if name in run.metrics), ""),
            limits=limits,
            labels=module.labels,
            preprocessor=module.preprocessor.get_config(),
            best_epoch=best_epoch._asdict() if best_epoch else {},
            ancestor=run.ancestor,
            report={} if report is None else report.as_json(),
            warnings=() if report is None else report.warnings,
            purpose=purpose,
            datasets=info.names,
            languages=list_language_codes(info.languages or ()),
            pipeline_tag=self.pipeline_tags.get(module.input_kind, ""),
        )
        shown = videos if publish_examples else ()
        copies = {
            name: path.read_bytes() for name, path in zip(name_example_files(shown), shown, strict=True)
        }

        def answer(signatures: Mapping[str, Any]) -> list[Answer]:
            graph = SimpleNamespace(signatures=signatures)
            return self.predictor(directory, dataclasses.asdict(card), graph).answer_examples(
                examples, videos
            )

        exported = export_model(
            module.signatures,
            directory,
            card,
            examples=examples,
            publish_examples=publish_examples,
            model=module.model,
            networks=module.preprocessor.networks,
            resources=module.preprocessor.resources,
            files={**module.make_files(), **({} if report is None else report.make_files()), **copies},
            half_precision=half_precision,
            answer=answer,
        )
        run_dir = run.directory.absolute()
        location = exported.relative_to(run_dir) if exported.is_relative_to(run_dir) else exported
        with atomic_write(run_dir / EXPORT_RECORD) as temporary:
            record = {"directory": location.as_posix(), "card": sha256(exported / FILE)}
            temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        return exported

    def from_export(self, directory: str | Path) -> tuple[Any, keras.Model]:
        """Return the preprocessor and the Keras model of an export, with its weights, ready to train.

        Raises:
            ExportError: the card does not describe them, or the variables do not fit.
            UsageError: the export is of another task, or its files are not of the size on its card.
        """
        directory = Path(directory)
        card = read_card(directory)
        check_sizes(directory, card)
        if card["task"] != self.name:
            raise UsageError(
                f"{directory} is an export of the task {card['task']!r}, expected {self.name!r}. Use "
                "`zoo.tasks.get_task` with the name on its card."
            )
        preprocessor = self.load_preprocessor(directory, card, directory / "assets")
        return preprocessor, load_keras_model(directory, card)

    def load_preprocessor(self, directory: Path, card: Mapping[str, Any], assets: Path) -> Any:
        """Return the preprocessor of an export, with the weights of its frozen networks.

        Args:
            directory: directory of the export.
            card: content of its `card.json`.
            assets: directory of its vocabularies, or of copies of them.

        Raises:
            ExportError: the card does not describe the preprocessor, or the variables do not fit the card.
        """
        with report_misfit(directory, "preprocessor"):
            preprocessor = self.preprocessor.from_config(card["preprocessor"], assets)
        for name, network in preprocessor.networks.items():
            described = card["networks"].get(name, {"weights": []})
            restore_weights(network, directory, f"networks/{name}", described["weights"])
        return preprocessor


def add_ancestor(data: str, license: str, ancestor: Mapping[str, str]) -> tuple[str, str]:
    """Return data and license of a model with those of its ancestor; what is the same is not repeated.

    Args:
        data: what the model was trained on.
        license: what the license of its data allows.
        ancestor: "name", "data" and "license" of the model that its training started from.

    >>> add_ancestor("Photos.", "CC0", {"name": "A", "data": "Photos.", "license": "CC0"})
    ('Photos. Fine-tuned from A, with the same data.', 'CC0')
    >>> earlier = "Photos. Fine-tuned from A, with the same data."
    >>> add_ancestor("Photos.", "CC0", {"name": "A", "data": earlier, "license": "not stated"})
    ('Photos. Fine-tuned from A, with the same data.', 'CC0')
    >>> add_ancestor("Photos.", "CC0", {"name": "A", "data": "Films.", "license": "MIT"})
    ('Photos. Fine-tuned from A, with this data: Films.', 'CC0. The license of A still holds: MIT')
    >>> earlier = "not stated. The license of B still holds: CC0. The license of C still holds: MIT"
    >>> add_ancestor("Photos.", "CC0", {"name": "A", "data": "Films.", "license": earlier})
    ('Photos. Fine-tuned from A, with this data: Films.', 'CC0. The license of C still holds: MIT')
    """
    name, earlier = ancestor["name"], ancestor["data"]
    if f"{earlier} ".startswith(f"{data} "):
        note = f" Fine-tuned from {name}, with the same data."
        data = f"{data}{note}{earlier.removeprefix(data).removeprefix(note)}"
    else:
        data = f"{data} Fine-tuned from {name}, with this data: {earlier}"
    own, *older = re.split(r"\. The license of (.+?) still holds: ", ancestor["license"])
    terms = {"not stated", license.rstrip(".")}
    for model, text in [(name, own), *zip(older[::2], older[1::2], strict=True)]:
        if text.rstrip(".") not in terms:
            terms.add(text.rstrip("."))
            license = f"{license.rstrip('.')}. The license of {model} still holds: {text}"
    return data, license


def _describe_scores(report: ClassificationReport | None) -> str:
    """Return what a score of a label means, for the limits on a card."""
    if report is None:
        return "The scores are not calibrated: a score of 0.99 does not mean one error in a hundred."
    return (
        f"Scores of predicted labels are off by {report.calibration.ece:.1f} percentage points on the test examples, "
        "on average; on other data it may be more."
    )


def describe_search_scores(item: str) -> str:
    """Return what the scores of a beam search mean, for `Table.note`.

    >>> describe_search_scores("text")
    'A score is a log-probability: the closer to 0, the more probable. It ranks the answers to one text.'
    """
    return f"A score is a log-probability: the closer to 0, the more probable. It ranks the answers to one {item}."


def describe_truncation(tokenizer: WordTokenizer | WordPieceTokenizer) -> str:
    """Return which part of a long text a tokenizer reads, for the limits on a card.

    Args:
        tokenizer: a tokenizer of words, or of word pieces.
    """
    limit, name, side = tokenizer.max_tokens, "words", "middle"
    if isinstance(tokenizer, WordPieceTokenizer):
        name, side = _WORD_PIECES, tokenizer.truncation_side
    num_first, num_last = split_length(limit)
    parts = {
        "left": f"the last {limit:,}",
        "middle": f"the first {num_first:,} and the last {num_last:,}",
        "right": f"the first {limit:,}",
    }
    return f"A text of more than {limit:,} {name} is cut: {parts[side]} are read."


def make_signature(
    function: Callable[..., dict[str, tf.Tensor]], specs: Sequence[tf.TensorSpec]
) -> Callable[..., dict[str, tf.Tensor]]:
    """Return a `tf.function` for `ServingModule.signatures`, in whose graph loops over time are fast.

    Args:
        function: from the inputs to outputs by name.
        specs: the inputs, each with the name by which clients call it. Where one is a string, TensorFlow alone
            can run the graph, and it may use all of TensorFlow's operations.

    Example:
        >>> import tensorflow as tf, zoo
        >>> double = zoo.tasks.make_signature(lambda x: {"y": 2 * x}, [tf.TensorSpec([None], tf.float32, "x")])
        >>> double(tf.constant([1.0, 2.0]))["y"].numpy().tolist()
        [2.0, 4.0]
    """
    takes_strings = any(spec.dtype == tf.string for spec in specs)

    def trace(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        with export_scope(tensorflow_only=takes_strings):
            return function(*inputs)

    return tf.function(trace, specs, autograph=False)


def make_labels_signature(labels: Sequence[str]) -> Callable[..., dict[str, tf.Tensor]]:
    """Return the signature `labels`: it has no inputs, and returns the names of the classes in the order of the scores.

    >>> make_labels_signature(["neg", "pos"])()["labels"].numpy().tolist()
    [b'neg', b'pos']
    """
    return make_signature(lambda: {"labels": tf.constant(labels)}, [])


def make_encode_signature(
    tokenize: Callable[[tf.Tensor], TokenizedText],
) -> Callable[..., dict[str, tf.Tensor]]:
    """Return the signature `encode`: from texts, string [batch], to "ids", int32 [batch, time], and "status".

    Args:
        tokenize: a tokenizer.
    """

    def encode(text: tf.Tensor) -> dict[str, tf.Tensor]:
        tokenized = tokenize(text)
        return {"ids": tokenized.ids, "status": tokenized.status}

    return make_signature(encode, [tf.TensorSpec([None], tf.string, "text")])


def add_limit_to_status(
    status: tf.Tensor, output: str, is_complete: tf.Tensor, limit: int | tf.Tensor
) -> tf.Tensor:
    """Return statuses that also say which outputs stopped at their limit instead of at an end token.

    Args:
        status: string [batch].
        output: what is generated, such as "translation".
        is_complete: bool [batch]. Whether the output has an end.
        limit: int, or int tensor [batch]. Number of tokens at which the search stops.

    >>> status = add_limit_to_status(tf.constant(["unknown: q"]), "caption", tf.constant([False]), 41)
    >>> status.numpy()[0].decode()
    'unknown: q; the caption has no end: it stopped at the limit of 41 tokens'
    """
    problem = tf.strings.join(
        [f"the {output} has no end: it stopped at the limit of ", tf.strings.as_string(limit), " tokens"]
    )
    return join_status(status, tf.where(is_complete, "", problem))


def join_status(status: tf.Tensor, problem: tf.Tensor) -> tf.Tensor:
    """Return statuses, string [batch], each with a further problem, string [batch], unless that is empty."""
    separator = tf.where((status == "") | (problem == ""), "", "; ")
    return tf.strings.join([status, separator, problem])


def round_metric(value: float) -> float:
    """Return a measured value with two decimals; a value below 0.1, such as a learning rate, with two digits."""
    return float(f"{value:{'.2g' if 0 < abs(value) < 0.1 else '.2f'}}")


def call_signature(signature: Callable[..., Any], **inputs: Any) -> dict[str, np.ndarray]:
    """Return the outputs of a signature as arrays."""
    outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def check_list(items: Any, kind: str, single: tuple[type, ...] = (str, bytes, Path, np.ndarray)) -> None:
    """Check that an argument is a list of inputs or of targets.

    Args:
        items: what a user passes.
        kind: what an item is, such as "text".
        single: types of a single item, which could be taken for a list of its characters or frames.

    Raises:
        UsageError: it is a single item, or nothing that contains items.
    """
    if isinstance(items, single) or not isinstance(items, Iterable):
        got = f"an array {list(items.shape)}" if isinstance(items, np.ndarray) else f"{items!r:.60}"
        raise UsageError(f"Expected a list of {kind}s, got {got}. Put it into a list, also a single one.")


def check_texts(items: Iterable[Any]) -> None:
    """Check that inputs are texts.

    Raises:
        UsageError: one of them is neither a `str` nor `bytes`.
    """
    for item in items:
        if not isinstance(item, (str, bytes)):
            raise UsageError(f"Expected a text, got {item!r:.60}. Convert it, or leave it out.")


def check_array(array: np.ndarray, spec: tf.TensorSpec) -> None:
    """Check that an array is an input of a signature, without the batch.

    Args:
        array: what a user passes, such as the frames of a video.
        spec: the input of the signature, [batch, time, ...].

    Raises:
        UsageError: it has another dtype or shape, or steps without values, such as frames without pixels.
    """
    is_input = array.dtype == spec.dtype.as_numpy_dtype and spec.shape[1:].is_compatible_with(array.shape)
    if not is_input or 0 in array.shape[1:]:
        sizes = ", ".join("n" if size is None else str(size) for size in spec.shape[1:])
        raise UsageError(
            f"Expected an array of {spec.dtype.name} [{sizes}] with values, got {array.dtype} {list(array.shape)}. "
            "Convert it."
        )


def split_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of up to `size` items."""
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, size)):
        yield batch


def decode_strings(strings: np.ndarray) -> tuple[str, ...]:
    """Decode the strings of one row; empty ones at its end are padding and are left out."""
    decoded = [string.decode(errors="replace") for string in strings]
    while decoded and not decoded[-1]:
        decoded.pop()
    return tuple(decoded)


def is_truncated(status: str) -> bool:
    """Return whether a tokenizer read a text in part, by its status."""
    return status.startswith("cut: ")


def format_status(status: str) -> str:
    """Return a status as it stands behind a prediction; nothing for a valid input."""
    return f"  [{status}]" if status else ""
