"""Model cards: what is known about an exported model, as `card.json` and as a page to read.

Nothing here needs TensorFlow, so that `zoo list` and `zoo show` start at once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from zoo.errors import UsageError
from zoo.files import sha256

InputKind = Literal["text", "image", "video", "array"]

FILE = "card.json"
PAGE = "README.md"
CONFUSION_PICTURE = "confusion_matrix.png"
NOT_BATCHABLE = " Not batchable: a server cannot combine its requests."


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


def read_card(directory: Path) -> dict[str, Any]:
    """Return the content of `card.json` in the directory of an export; an empty dict if there is no card.

    Raises:
        UsageError: the file cannot be read or is not JSON.
    """
    path = directory / FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}. Expected the card that the export wrote: restore the file, or "
            "export the model again."
        ) from error
    return content


def compare_files(directory: Path, hashes: Mapping[str, str]) -> list[str]:
    """Return which files of an export are missing, not on its card, or changed."""
    present = {
        file.relative_to(directory).as_posix()
        for file in directory.rglob("*")
        if file.is_file() and file.name not in (FILE, PAGE)
    }
    return [
        *(f"{name} is missing" for name in sorted(hashes.keys() - present)),
        *(f"{name} is not on the card" for name in sorted(present - hashes.keys())),
        *(
            f"{name} has changed"
            for name in sorted(present & hashes.keys())
            if sha256(directory / name) != hashes[name]
        ),
    ]


def write_card(card: Card, facts: Mapping[str, Any], directory: Path) -> None:
    """Write `card.json` and the page `README.md` into the directory of an export.

    Args:
        card: what the task and the recipe state.
        facts: what the export adds: `model`, `networks`, `signatures`, `example`, `size_bytes`, `sha256`,
            `versions` and `commit`.
        directory: directory of the export.
    """
    content = asdict(card) | dict(facts)
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    (directory / FILE).write_text(text, encoding="utf-8")
    (directory / PAGE).write_text(format_page(content), encoding="utf-8")


def get_headline(card: Mapping[str, Any]) -> tuple[str, float] | None:
    """Return name and value of the metric by which models of the card's task are compared, if measured."""
    name = card.get("headline", "")
    return (name, card["metrics"][name]) if name else None


def format_page(card: Mapping[str, Any]) -> str:
    """Return the content of `card.json` as a page in Markdown."""
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
    versions = ", ".join(f"{name} {version}" for name, version in card["versions"].items())
    warnings = "".join(f"Warning: {warning}\n\n" for warning in card.get("warnings", ()))
    report = format_report(card["report"]) if card.get("report") else ""
    return f"""# {card["title"]}

{card["summary"]}

```python
{numpy}import tensorflow as tf

model = tf.saved_model.load(".")  # the directory of this page
outputs = model.signatures["serving_default"]({arguments})
```

{signatures}

{warnings}| metric | value |
| --- | --- |
{_format_rows(card["metrics"])}
{report and chr(10) + report}
Trained by `{card["command"]}` at commit {card["commit"]} with {versions}.{epoch} {card["size_bytes"] / 1e6:.1f} MB.

Data: {card["data"]}

License: {card["license"]}

Limits:

{limits}

| setting | value |
| --- | --- |
{_format_rows(card["settings"])}
"""


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


def format_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, whose columns after the first are aligned to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def format_percent(value: float | None) -> str:
    """Return a percentage with one decimal; a dash for None."""
    return "–" if value is None else f"{value:.1f}"


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _format_rows(items: Mapping[str, Any]) -> str:
    return "\n".join(f"| {name} | {_format_value(value)} |" for name, value in items.items())


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
    """Python code that makes the tensor of an example's input."""
    if "files" in value:
        return f"tf.stack([tf.io.read_file(name) for name in {value['files']!r}])"
    return f"tf.constant(np.load({value['array']!r}))" if "array" in value else f"tf.constant({value!r})"
