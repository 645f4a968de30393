"""Model cards: what is known about an exported model, as `card.json` and as a page to read.

Nothing here needs TensorFlow, so that `zoo list` and `zoo show` start at once.
"""

import html
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast
from urllib.parse import quote

import msgspec

from zoo.errors import UsageError
from zoo.files import read_regular_file

InputKind = Literal["text", "image", "video", "array"]

FILE = "card.json"
PAGE = "README.md"
CONFUSION_PICTURE = "confusion_matrix.png"
NOT_BATCHABLE = " Not batchable: a server cannot combine its requests."

CARD_VERSION = 1
"""Version of the form of `card.json` that this library writes. Cards without a version are older."""

MAX_TEXT = 200
"""Characters of a text that are shown beside its answer."""

_LABEL_NAMES = {"neg": "negative", "neu": "neutral", "pos": "positive"}
_MAX_CARD_BYTES = 50_000_000
_FILE_NAME = re.compile(r"[^/\\\0]+")
_ADVICE = "Restore the file, or export the model again."
_HUB_LICENSE = re.compile(
    r"apache-2\.0|mit|bsd-[23]-clause|cc0-1\.0|cc-by-(2\.[05]|[34]\.0)|cc-by-(sa|nc|nc-sa|nc-nd)-[34]\.0|l?gpl-3\.0|"
    r"odbl|pddl|unlicense"
)
_HUB_METRICS = {
    "accuracy": "accuracy",
    "macro-F1": "f1",
    "transition f1": "f1",
    "BLEU": "bleu",
    "BLEU-4": "bleu",
    "chrF": "chrf",
    "ROUGE-L": "rouge",
    "exact match": "exact_match",
    "perplexity per word": "perplexity",
}
_METRIC_NAMES = {"transition f1": "F1 of transitions"}
_BLEU_MEANING = (
    "It compares the words and short phrases of the answers with the expected texts: 100 would be identical, and a "
    "good answer in other words scores low."
)
_METRIC_MEANINGS = {
    "accuracy": "It is the share of answers that are right.",
    "macro-F1": "It counts both what is missed and what is wrongly found, for each label alike: 100 would be no error.",
    "transition f1": "It counts both transitions that are missed and those wrongly found: 100 would be no error.",
    "BLEU": _BLEU_MEANING,
    "BLEU-4": _BLEU_MEANING,
    "perplexity per word": "The model is as unsure of what comes next as if it had to choose among so many equally "
    "likely words, or pieces of words: lower is better.",
}


@dataclass(frozen=True)
class Card:
    """What is known about an exported model besides what its files show.

    Attributes:
        task: name of the task, under which `zoo.load` finds the code for the model.
        input_kind: what an input is: "text", "image", "video", or "array" of features.
        title: name of the model.
        summary: what it does, in a sentence.
        data: what it was trained and measured on, and how the splits were made.
        license: what the licenses of the data allow.
        command: command that trains and exports it again.
        settings: all settings of the recipe, the seed included, as JSON values.
        metrics: measured values by name; scores and shares in percent.
        headline: name of the metric in `metrics` by which such models are compared; empty if it was not
            measured.
        limits: what the model does not do, a sentence each.
        labels: names of the classes, in the order of the model's outputs; empty if it has none.
        preprocessor: configuration of the preprocessor.
        best_epoch: the epoch whose weights the model has: `number`, from 1, `num_epochs`, how many were trained,
            and its `metrics` by name; empty if it is not known.
        ancestor: of a model whose training started from another one: "name", "license", "data" and "digest" of
            that one.
        report: `as_json` of a report in `zoo.reports` on test examples; empty if there is none.
        warnings: what is wrong with the model or its data, a sentence each.
        purpose: what the model is for, and what not, a sentence or two.
        answers: what it answers to the examples, for people to read; none if they are not published.
        datasets: names of the data sets, for model hubs.
        languages: codes of the languages that the model reads or writes, such as "en"; empty if they are not known.
        pipeline_tag: what model hubs call the task; empty if they have no name for it.

    Example:
        >>> import zoo
        >>> card = zoo.export.Card(
        ...     task="text_classification",
        ...     input_kind="text",
        ...     title="Reviews",
        ...     summary="Labels reviews of films.",
        ...     data="reviews.csv",
        ...     license="CC0-1.0",
        ...     command="zoo train sentiment --dataset reviews.csv",
        ...     metrics={"test accuracy": 91.5, "minutes": 2.0},
        ...     headline="test accuracy",
        ... )
        >>> card.metrics[card.headline]
        91.5
    """

    task: str
    input_kind: InputKind
    title: str
    summary: str
    data: str
    license: str
    command: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    headline: str = ""
    limits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    preprocessor: Mapping[str, Any] = field(default_factory=dict)
    best_epoch: Mapping[str, Any] = field(default_factory=dict)
    ancestor: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    purpose: str = ""
    answers: "tuple[Answer, ...]" = ()
    datasets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    pipeline_tag: str = ""


class WeightDescription(TypedDict):
    """A weight of a Keras model."""

    path: str
    shape: list[Annotated[int, msgspec.Meta(ge=0)]]


class ModelDescription(TypedDict):
    """A Keras model: the configuration from which it is built again, and its weights."""

    config: dict[str, Any]
    weights: list[WeightDescription]


class NetworkDescription(TypedDict):
    """A frozen network, whose form its preprocessor knows."""

    weights: list[WeightDescription]


class Signature(TypedDict):
    """The tensors of a signature by name, such as `float32 [None, 2]`, and whether all have a free first axis."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    is_batchable: NotRequired[bool]


class Example(TypedDict):
    """Inputs and outputs of `serving_default` by name.

    An input is a list of values, `{"files": names}` for the content of files in the directory of the export, or
    `{"array": name}` for a NumPy file there.
    """

    inputs: dict[str, list[Any] | dict[str, list[str] | str]]
    outputs: dict[str, Any]


class Answer(TypedDict):
    """What a model answers to an example, as a table; without rows if it has no answer.

    Attributes:
        input: the text, or the name of the file.
        file: name of a copy of the file in the directory of the export.
        columns: names of the columns.
        rows: the best answer, or the parts of a whole one, such as the shots of a video.
        status: what was wrong with the input; empty for a valid one.
    """

    input: str
    file: NotRequired[str]
    columns: list[str]
    rows: list[list[str | float]]
    status: str


class EpochDescription(TypedDict, total=False):
    """The epoch whose weights a model has; all fields, or none if it is not known."""

    number: int
    num_epochs: int
    metrics: dict[str, float]


class ClassScores(TypedDict):
    """Scores of a class on test examples; None where a ratio has no denominator."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    examples: int


class CalibrationDescription(TypedDict):
    """How scores were calibrated."""

    temperature: float
    ece_before: float
    ece: float


class ReportDescription(TypedDict, total=False):
    """A report on test examples: `signatures` of a generator, or the other fields of a classifier, or none.

    Reports of earlier versions have no `accuracy_interval`.
    """

    signatures: dict[str, str]
    classes: list[ClassScores]
    confusion_matrix: list[list[int]] | None
    confusions: list[tuple[str, str, int]]
    accuracy_interval: tuple[float, float] | None
    calibration: CalibrationDescription


class ModelCard(TypedDict):
    """Content of `card.json`: the fields of `Card`, and what the export adds.

    Fields that are not required are missing on cards of earlier versions.

    Attributes:
        card_version: version of this form.
        model: the Keras model; None if the export was not made of one.
        networks: frozen networks in front of the model, by name.
        signatures: signatures of the SavedModel by name.
        example: inputs of `serving_default`, and what the model returned for them; empty if not published.
        size_bytes: size of all files besides card, page and manifest.
        sha256: hashes of these files by name; of exports without a manifest.
        versions: versions of the packages that wrote the export, by name.
        commit: commit of this library.
    """

    card_version: NotRequired[int]
    task: str
    input_kind: InputKind
    title: str
    summary: str
    data: str
    license: str
    command: str
    settings: dict[str, Any]
    metrics: dict[str, float]
    headline: str
    limits: list[str]
    labels: list[str]
    preprocessor: dict[str, Any]
    best_epoch: NotRequired[EpochDescription]
    ancestor: NotRequired[dict[str, str]]
    report: NotRequired[ReportDescription]
    warnings: NotRequired[list[str]]
    purpose: NotRequired[str]
    answers: NotRequired[list[Answer]]
    datasets: NotRequired[list[str]]
    languages: NotRequired[list[str]]
    pipeline_tag: NotRequired[str]
    model: ModelDescription | None
    networks: dict[str, NetworkDescription]
    signatures: dict[str, Signature]
    example: Example
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: NotRequired[dict[str, Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]]]
    versions: dict[str, str]
    commit: str


def read_card(directory: Path) -> ModelCard:
    """Return the content of `card.json` in the directory of an export, after a check of all its fields.

    Raises:
        UsageError: the file is missing, cannot be read, is written by a later version, or a field is missing or
            has another type than `ModelCard` states; the message names the file and the field.
    """
    path = directory / FILE
    try:
        if not path.exists():
            raise UsageError(
                f"{directory} has no {FILE}. Expected the card that the export wrote. {_ADVICE} Without a card, "
                "load the model with tf.saved_model.load and call its signatures."
            )
        content = json.loads(read_regular_file(path, _MAX_CARD_BYTES).decode())
        json.dumps(content, ensure_ascii=False).encode()  # lone surrogates cannot be printed
        version = content.get("card_version") if isinstance(content, dict) else None
        if isinstance(version, int) and version > CARD_VERSION:
            raise UsageError(
                f"{path}: `card_version` is {version}, expected at most {CARD_VERSION}. A later version of rnn-zoo "
                "has written the export: install that one."
            )
        msgspec.convert(content, ModelCard)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, UsageError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        reason = re.sub(r" - at `\$\.?(.*)`$", r", at `\1`", reason or "").replace(", at ``", "")
        raise UsageError(f"{path} cannot be read as a model card: {reason}. {_ADVICE}") from error
    card = cast(ModelCard, content)
    if problem := _find_contradiction(card):
        raise UsageError(f"{path} cannot be read as a model card: {problem}. {_ADVICE}")
    return card


def _find_contradiction(card: ModelCard) -> str:
    """Return which field of a card, whose types are right, does not fit the others; empty if all do."""
    if card["headline"] and card["headline"] not in card["metrics"]:
        return f"`metrics` has no {card['headline']!r}, which `headline` names"
    if "serving_default" not in card["signatures"]:
        return "`signatures` has no `serving_default`"
    for name, keys in (
        ("best_epoch", EpochDescription.__annotations__.keys()),
        ("report", ReportDescription.__annotations__.keys() - {"signatures", "accuracy_interval"}),
    ):
        described = cast(Mapping[str, Any], card.get(name) or {})
        if described and "signatures" not in described and (missing := sorted(keys - described.keys())):
            return f"`{name}` has no `{missing[0]}`"
    for name, value in card["example"]["inputs"].items():
        if isinstance(value, dict):
            files: Any = value.get("files", [value.get("array")])
            if len(value) != 1 or not isinstance(files, list) or not all(map(_is_file_name, files)):
                return f"`example.inputs.{name}` names no files in the directory of the export"
    for number, answer in enumerate(card.get("answers", ())):
        if "file" in answer and not _is_file_name(answer["file"]):
            return f"`answers[{number}].file` names no file in the directory of the export"
        if any(len(row) != len(answer["columns"]) for row in answer["rows"]):
            return f"`answers[{number}].rows` has rows of other lengths than `columns`"
    return ""


def _is_file_name(name: Any) -> bool:
    """Return whether a value is the name of a file, without a directory."""
    return isinstance(name, str) and bool(_FILE_NAME.fullmatch(name)) and name not in (".", "..")


def write_card(card: Card, facts: Mapping[str, Any], directory: Path) -> None:
    """Write `card.json` and the page `README.md` into the directory of an export.

    Args:
        card: what the task and the recipe state.
        facts: what the export adds: `model`, `networks`, `signatures`, `example`, `size_bytes`, `versions` and
            `commit`.
        directory: directory of the export.
    """
    content = {"card_version": CARD_VERSION} | asdict(card) | dict(facts)
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    (directory / FILE).write_text(text, encoding="utf-8")
    (directory / PAGE).write_text(format_page(content), encoding="utf-8")


def get_headline(card: ModelCard) -> tuple[str, float] | None:
    """Return name and value of the metric by which models of the card's task are compared, if measured."""
    name = card["headline"]
    return (name, card["metrics"][name]) if name else None


def describe_headline(card: ModelCard) -> str:
    """Return in words the metric by which models of the card's task are compared; empty if it was not measured.

    A perplexity per word is followed by that per word piece, by which language models of the same pieces are compared.

    >>> describe_headline({"headline": "test accuracy", "metrics": {"test accuracy": 90.27}})
    'Accuracy on test data: 90.3 %'
    >>> metrics = {"test perplexity per word": 156.48, "test perplexity per piece": 63.66}
    >>> describe_headline({"headline": "test perplexity per word", "metrics": metrics})
    'Perplexity per word on test data: 156.5; per word piece: 63.7'
    """
    if not (headline := get_headline(card)):
        return ""
    name, value = headline
    metric = name.removeprefix("test ")
    text = _METRIC_NAMES.get(metric, metric[:1].upper() + metric[1:])
    text += f"{' on test data' if metric != name else ''}: {_format_score(value)}"
    if metric.endswith("accuracy"):
        text += " %"
    per_piece = card["metrics"].get("test perplexity per piece")
    if metric == "perplexity per word" and per_piece is not None:
        text += f"; per word piece: {_format_score(per_piece)}"
    return text


def explain_headline(card: ModelCard) -> str:
    """Return what the metric of `describe_headline` means, in a sentence; empty if that is not known.

    >>> explain_headline({"headline": "test accuracy"})
    'It is the share of answers that are right.'
    """
    return _METRIC_MEANINGS.get(card["headline"].removeprefix("test "), "")


def _format_score(value: float) -> str:
    """Return a metric with one decimal; one that is near zero with three digits."""
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.3g}"


def name_label(label: str, labels: Collection[str]) -> str:
    """Return the name of a label for people: "negative", "neutral" and "positive" for a sentiment's abbreviation.

    Predictions, tables and JSON have the labels themselves; names are used where people read.

    >>> name_label("pos", ["neg", "pos"]), name_label("pos", ["noun", "pos"])
    ('positive', 'pos')

    Args:
        label: the label.
        labels: all labels of the model.
    """
    return _LABEL_NAMES.get(label, label) if {"neg", "pos"} <= set(labels) else label


def get_title(card: ModelCard) -> str:
    """Return the title of a model, without the name of its data in parentheses."""
    return _write_out_names(re.sub(r" \([^()]*\)$", "", card["title"]), card)


def get_summary(card: ModelCard) -> str:
    """Return what a model does, in a sentence."""
    return _write_out_names(card["summary"], card)


def _write_out_names(text: str, card: ModelCard) -> str:
    """Return a text with the names of labels and languages, for which earlier cards have their codes."""
    labels, languages = card["labels"], card["preprocessor"].get("languages", ())
    text = text.replace(" or ".join(labels), " or ".join(name_label(label, labels) for label in labels))
    codes = " to ".join(languages)
    if codes and codes in text:
        from zoo.languages import name_language  # the import of Babel takes a fifth of a second

        text = text.replace(codes, " to ".join(map(name_language, languages)))
    return text.removeprefix("Translation, ")


def get_metadata(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what model hubs read about a model, by the names that they use.

    Metrics are those of the test split for which hubs have a name. `datasets` have the names of TFDS, or of files. A
    license that hubs do not list is `other`, and the page states it: without `license_link`, for which hubs expect a
    file LICENSE or an address.

    Args:
        card: content of `card.json`.
    """
    terms = {part.strip().lower().replace(" ", "-") for part in card["license"].split(";")}
    license_id = next(iter(terms)) if len(terms) == 1 else ""
    license_name = re.sub("[^a-z0-9.]+", "-", card["license"].lower()).strip("-")
    if card["license"] == "not stated":
        terms_of_use = {"license": "unknown"}
    elif _HUB_LICENSE.fullmatch(license_id):
        terms_of_use = {"license": license_id}
    else:
        name = license_name if len(license_name) <= 40 else "stated-on-the-card"
        terms_of_use = {"license": "other", "license_name": name}
    metrics = [
        {"type": hub_name, "value": card["metrics"][f"test {name}"], "name": f"test {name}"}
        for name, hub_name in _HUB_METRICS.items()
        if f"test {name}" in card["metrics"]
    ]
    datasets, tag = card.get("datasets", ()), card.get("pipeline_tag", "")
    published = [name for name in datasets if _is_of_tfds(name, card["data"])]
    metadata: dict[str, Any] = {
        **terms_of_use,
        "language": list(card.get("languages", ())),
        "datasets": list(datasets),
        "metrics": list(dict.fromkeys(metric["type"] for metric in metrics)),
        "pipeline_tag": tag,
        "library_name": "rnn-zoo",
        "tags": ["tensorflow", "keras", "saved-model", "recurrent-neural-network"],
    }
    if metrics and datasets and tag:
        kind = published[0] if len(published) == len(datasets) else "unknown"  # hubs require one
        result = {
            "task": {"type": tag},
            "dataset": {"type": kind, "name": " + ".join(datasets), "split": "test"},
            "metrics": metrics,
        }
        metadata["model-index"] = [{"name": card["title"], "results": [result]}]
    return {name: value for name, value in metadata.items() if value}


def _is_of_tfds(name: str, data: str) -> bool:
    """Return whether a data set is one of TFDS, which a card names with its version.

    >>> data = "imdb_reviews/plain_text/1.0.0 + reviews.csv."
    >>> _is_of_tfds("imdb_reviews", data), _is_of_tfds("reviews.csv", data)
    (True, False)
    """
    return bool(re.search(rf"(?<![\w/.-]){re.escape(name)}(/[^/\s]+)?/\d+\.\d+\.\d+\b", data))


def _format_metadata(card: Mapping[str, Any]) -> str:
    """Return the block at the top of a page that model hubs read, in YAML, of which JSON is a part."""
    lines = [
        f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in get_metadata(card).items()
    ]
    return f"---\n{''.join(lines)}---\n\n"


def format_page(card: Mapping[str, Any], has_metadata: bool = True) -> str:
    """Return the content of `card.json` as a page in Markdown.

    Args:
        card: content of `card.json`.
        has_metadata: whether the page begins with the metadata for model hubs. Pages of earlier exports never do.
    """
    signatures = "\n".join(
        f"- `{name}`: {_format_signature(signature)}" for name, signature in card["signatures"].items()
    )
    limits = "\n".join(f"- {limit}" for limit in card["limits"])
    inputs = card["example"]["inputs"]
    arguments = ", ".join(f"{name}={_format_input(value)}" for name, value in inputs.items())
    best = card.get("best_epoch")  # earlier exports do not state it
    epoch = f" Weights of epoch {best['number']} of {best['num_epochs']}." if best else ""
    if not inputs:  # the card shows no examples
        arguments = ", ".join(f"{name}=..." for name in card["signatures"]["serving_default"]["inputs"])
    numpy = "import numpy as np\n" if "np.load" in arguments else ""
    command = _format_code(card["command"])
    versions = ", ".join(f"{name} {version}" for name, version in card["versions"].items())
    warnings = "".join(f"Warning: {warning}\n\n" for warning in card.get("warnings", ()))
    report = format_report(card["report"]) if card.get("report") else ""
    purpose, answers = card.get("purpose", ""), card.get("answers")
    examples = f"Examples:\n\n{format_answers(answers, card['input_kind'])}\n\n" if answers else ""
    metadata = _format_metadata(card) if has_metadata and "datasets" in card else ""
    return f"""{metadata}# {card["title"]}

{card["summary"]}{purpose and " " + purpose}

```python
{numpy}import tensorflow as tf

model = tf.saved_model.load(".")  # the directory of this page
outputs = model.signatures["serving_default"]({arguments})
```

{signatures}

{examples}{warnings}| metric | value |
| --- | --- |
{_format_rows(card["metrics"])}
{report and chr(10) + report}
Trained by {command} at commit {card["commit"]} with {versions}.{epoch} {card["size_bytes"] / 1e6:.1f} MB.

Data: {card["data"]}

License: {card["license"]}

Limits:

{limits}

| setting | value |
| --- | --- |
{_format_rows(card["settings"])}
"""


def format_answers(answers: Sequence[Answer], input_kind: InputKind) -> str:
    """Return examples and answers as a table in Markdown, with images where the inputs are images.

    >>> answer = Answer(input="so-so", columns=["label", "probability"], rows=[["neg", 0.51234]], status="")
    >>> print(format_answers([answer], "text"))
    | input | label | probability |
    | --- | --- | --- |
    | so-so | neg | 0.512 |
    """
    has_status = any(answer["status"] for answer in answers)
    columns = ["input", *answers[0]["columns"], *(["status"] if has_status else [])]
    rows = []
    for answer in answers:
        cells = [_format_example(answer, input_kind), answer["status"]]
        for row in answer["rows"] or [[""] * len(answer["columns"])]:
            texts = [cell if isinstance(cell, str) else f"{cell:.3f}" for cell in row]
            rows.append([cells[0], *map(_escape, texts), *([_escape(cells[1])] if has_status else [])])
            cells = ["", ""]  # further rows belong to the same input
    return format_table(columns, rows, num_left=len(columns))


def _format_example(answer: Answer, input_kind: InputKind) -> str:
    """Return an input as a cell of a table in Markdown: a text, a picture, or a link to a file."""
    name = _escape(abbreviate(answer["input"]))
    if "file" not in answer:
        return name
    file = quote(answer["file"])
    return (
        f'<img src="{file}" alt="{html.escape(name)}" width="160">'
        if input_kind == "image"
        else f"[{name}]({file})"
    )


def abbreviate(text: str) -> str:
    """Return a text as it is shown beside an answer: of a long one the beginning."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def format_report(report: Mapping[str, Any]) -> str:
    """Return a report on test examples in Markdown: of a classifier scores, confusion matrix and calibration.

    Args:
        report: from `as_json` of a report in `zoo.reports`.
    """
    if "signatures" in report:
        return (
            "\n".join(f"- {name} of sacrebleu: `{text}`" for name, text in report["signatures"].items())
            + "\n"
        )
    matrix, calibration = report["confusion_matrix"], report["calibration"]
    labels = [scores["label"] for scores in report["classes"]]
    rows = [
        [
            _escape(scores["label"]),
            *(format_percent(scores[name]) for name in ("precision", "recall", "f1")),
            f"{scores['examples']:,}",
        ]
        for scores in report["classes"]
    ]
    parts = [format_table(["class", "precision", "recall", "F1", "test examples"], rows)]
    if any("–" in row for row in rows):
        parts.append("– is a ratio without a denominator: the class has no examples, or is never predicted.")
    if interval := report.get("accuracy_interval"):  # earlier exports do not state it
        num_examples = sum(scores["examples"] for scores in report["classes"])
        parts.append(f"Test accuracy: {format_interval(interval, num_examples)}.")
    if unlabeled := report.get("unlabeled"):  # earlier exports label all examples
        parts.append(
            f"Of the test examples, {unlabeled:,} have no word that the model knows, and get no label."
        )
    if matrix is not None:
        counts = [
            [_escape(label), *(f"{count:,}" for count in row)]
            for label, row in zip(labels, matrix, strict=True)
        ]
        parts.append(format_table(["true ↓ predicted →", *map(_escape, labels)], counts))
    elif report["confusions"]:
        confusions = [
            [_escape(true), _escape(predicted), f"{count:,}"]
            for true, predicted, count in report["confusions"]
        ]
        parts.append(format_table(["true", "predicted", "test examples"], confusions))
    if matrix is not None or report["confusions"]:
        parts.append(f"![Confusion matrix]({CONFUSION_PICTURE})")
    parts.append(format_calibration(calibration))
    return "\n\n".join(parts) + "\n"


def format_interval(interval: Sequence[float], num_examples: int) -> str:
    """Return the confidence interval of an accuracy, in words.

    >>> format_interval((81.37, 93.75), 100)
    '81.4 to 93.8 at 95 % confidence, 100 examples'
    """
    low, high = map(format_percent, interval)
    return f"{low} to {high} at 95 % confidence, {num_examples:,} example{'' if num_examples == 1 else 's'}"


def format_calibration(calibration: Mapping[str, Any]) -> str:
    """Return how a model was calibrated, in a sentence or two."""
    before, after = (f"{calibration[name]:.2f}" for name in ("ece_before", "ece"))
    if calibration["temperature"] == 1:
        return (
            f"Calibration: the expected calibration error of the test examples is {after} percentage points. "
            "Temperature scaling would not have helped on validation."
        )
    return (
        f"Calibration: the logits are divided by the temperature {calibration['temperature']:.3g}, chosen on "
        f"validation and contained in the weights. The expected calibration error of the test examples is "
        f"{after} percentage points, {before} without it."
    )


def format_table(columns: Sequence[str], rows: Sequence[Sequence[str]], num_left: int = 1) -> str:
    """Return a table in Markdown, whose columns after the first ones, `num_left`, are aligned to the right."""
    lines = [columns, ["---"] * num_left + ["---:"] * (len(columns) - num_left), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_percent(value: float | None) -> str:
    """Return a percentage with one decimal; a dash for None."""
    return "–" if value is None else f"{value:.1f}"


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _format_code(text: str) -> str:
    r"""Return a text as code in a line of Markdown, even if it has line breaks, or backticks.

    >>> print(_format_code("zoo train sentiment --citation '@misc{a,\n\n b}'"), _format_code("a `b`"))
    `zoo train sentiment --citation '@misc{a, b}'` `` a `b` ``
    """
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if len(fence) > 1 else ""
    return f"{fence}{space}{' '.join(text.split())}{space}{fence}"


def _format_rows(items: Mapping[str, Any]) -> str:
    r"""Return the rows of a table in Markdown, of names and values.

    >>> print(_format_rows({"citation": "@misc{a,\n  b|c}", "offsets": [1, 2]}))
    | citation | @misc{a, b\|c} |
    | offsets | 1 2 |
    """
    return "\n".join(
        f"| {_escape(name)} | {_escape(_format_value(value))} |" for name, value in items.items()
    )


def _format_value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return str(value)


def _format_signature(signature: Mapping[str, Any]) -> str:
    inputs, outputs = (_format_tensors(signature[side]) for side in ("inputs", "outputs"))
    is_batchable = signature.get("is_batchable", True)  # earlier exports do not state it
    return f"{f'inputs {inputs}' if inputs else 'no inputs'}; outputs {outputs}.{'' if is_batchable else NOT_BATCHABLE}"


def _format_tensors(tensors: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` {tensor}" for name, tensor in tensors.items())


def _format_input(value: Any) -> str:
    """Python code that makes the tensor of an example's input; of many texts or files, the first two."""
    if "files" in value:
        return f"tf.stack([tf.io.read_file(name) for name in {value['files'][:2]!r}])"
    if "array" in value:
        return f"tf.constant(np.load({value['array']!r}))"
    return f"tf.constant({(value[:2] if all(isinstance(item, str) for item in value) else value)!r})"
