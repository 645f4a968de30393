"""`zoo evaluate`: a model scored on a table of inputs, with what it should answer beside them."""

import contextlib
import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from zoo.card import InputKind
from zoo.cli.predict import ProblemReport, check_encoding, find_input_kind, find_problem, is_table
from zoo.cli.renames import Renames
from zoo.errors import DataError, InputError, UsageError
from zoo.paths import abbreviate_path, find_path_kind

if TYPE_CHECKING:  # the command line checks its options before it imports TensorFlow
    from zoo.cli.predict_table import InputRow
    from zoo.tasks import Predictor

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluateOptions:
    """A table of inputs and targets. Paths have no `~`: see `zoo.paths.expand_paths`."""

    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    """table (.csv, .tsv) with a header and an example in each row"""
    column: str | None = None  # column of the inputs; None: text, image or video
    target_column: str | None = None
    """column of what the model should answer; None: label, translation or caption"""
    rename_labels: Renames = field(default_factory=dict)
    """new names of labels in the table, such as 1=neg 2=neg 4=pos 5=pos; 3= leaves out rows with the label 3"""
    encoding: str | None = None  # encoding of the table; None: UTF-8, or what a byte order mark states
    json: bool = False  # print one JSON object

    def check(self, input_kind: InputKind) -> None:
        """Check what can be checked before a model is loaded.

        Args:
            input_kind: what the model's inputs are.

        Raises:
            UsageError: an option cannot be used, or there is no such table.
        """
        if input_kind == "array":
            raise UsageError(
                "The model reads arrays of features, which a table does not hold. Call `zoo.load(...).predict` with "
                "them in Python."
            )
        if find_path_kind(self.file) != "file":
            raise UsageError(
                f"There is no file {abbreviate_path(self.file)}. Name a table (.csv, .tsv) with an example in each row."
            )
        if not is_table(self.file):
            raise UsageError(
                f"{abbreviate_path(self.file)} is no table. Expected .csv or .tsv. Save it as one."
            )
        if self.encoding:
            check_encoding(self.encoding)


def run_evaluate(predictor: "Predictor[Any, Any]", options: EvaluateOptions) -> None:
    """Print the scores of a model on a table.

    Raises:
        DataError: the table cannot be read, or a row is no example of this model.
        InputError: some inputs have no answer, or were read in part; the scores have been printed.
        UsageError: the table lacks a column, or the model cannot be evaluated.
    """
    import tensorflow as tf

    from zoo.cli.recipes import print_metrics, print_report
    from zoo.datasets.messages import count_noun

    predictor.check_evaluation()
    rows, targets = _read_examples(predictor, options)
    inputs = [predictor.parse(row.value) for row in rows]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # progress stays out of the output
            evaluation = predictor.evaluate(inputs, targets, progress=True)
    except tf.errors.OpError as error:
        raise InputError(f"{options.file}: the model fails: {str(error)[:500]}") from error
    problems = ProblemReport(num_inputs=len(rows))
    for row, prediction in zip(rows, evaluation.predictions, strict=False):
        if problem := find_problem(row, prediction, predictor.input_kind):
            problems.add(f"{row.location}{problem}", is_printed=True)
    if options.json:
        print(json.dumps(evaluation.as_json(), ensure_ascii=False))
    else:
        print(count_noun(evaluation.num_examples, predictor.input_kind))
        print_metrics(evaluation.metrics, evaluation.report)
        if evaluation.report:
            print_report(evaluation.report)
    problems.finish()


def _read_examples(
    predictor: "Predictor[Any, Any]", options: EvaluateOptions
) -> "tuple[list[InputRow], list[Any]]":
    """Return a row of the table for each example, and its targets.

    Raises:
        DataError: the table cannot be read, a row is no example of this model, or no row has a label to rename.
        UsageError: the table lacks a column, the model needs no targets, or it does not have the new name of a label.
    """
    from zoo.cli.predict_table import find_required_column, iterate_rows, read_input_table
    from zoo.datasets.label_names import check_renames, note_left_out
    from zoo.datasets.messages import count_noun, suggest_names
    from zoo.datasets.readers.tables import log_tables

    kind, target_name = predictor.input_kind, predictor.target_name
    if options.target_column and not target_name:
        raise UsageError(f"--target-column: the model is scored on {kind}s alone. Leave out --target-column.")
    renames = options.rename_labels
    if renames and not (labels := predictor.card["labels"]):
        raise UsageError("--rename-labels: the model has no labels. Leave out --rename-labels.")
    if renames and (unknown := [name for name in renames.values() if name and name not in labels]):
        raise UsageError(
            f"--rename-labels: the model has no label {unknown[0]!r}. Expected some of {', '.join(labels)[:200]}. "
            f"{suggest_names(unknown, labels)}Correct the name behind the `=`."
        )
    table = read_input_table(options.file, options.column, kind, options.encoding)
    column = options.target_column or target_name
    place = find_required_column(table, column, target_name, "--target-column") if target_name else None
    found = [
        (row, "" if place is None else row.cells[place].strip())
        for row in iterate_rows(table, options.column, kind)
        if any(cell.strip() for cell in row.cells)
    ]
    notes = check_renames(renames, {target for _, target in found}, str(options.file))
    kept = [(row, renames.get(target, target)) for row, target in found if renames.get(target) != ""]
    examples: dict[bytes | int, tuple[InputRow, list[str]]] = {}
    for number, (row, target) in enumerate(kept):
        try:
            _check_example(predictor, row.value.decode(), target)
        except UsageError as error:
            raise DataError(f"{row.location}{error}") from error
        key = row.value if predictor.has_several_targets else number
        examples.setdefault(key, (row, []))[1].append(target)
    if found and not kept:
        raise DataError(
            f"{options.file}: --rename-labels leaves out all {count_noun(len(found), 'row')}. Give the label of some "
            "rows a new name behind the `=`."
        )
    if not examples:
        raise DataError(f"{options.file} contains no examples. Expected a header and a row for each example.")
    log_tables([table])
    for note in [*notes, *note_left_out(renames, len(found) - len(kept), "row")]:
        logger.info(note)
    rows, targets = map(list, zip(*examples.values(), strict=True))
    if predictor.has_several_targets:
        return rows, targets
    return rows, [target for (target,) in targets] if target_name else []


def _check_example(predictor: "Predictor[Any, Any]", value: str, target: str) -> None:
    """Check that a row has an input, and a target of the model if it needs one.

    Raises:
        UsageError: it does not.
    """
    kind, target_name = predictor.input_kind, predictor.target_name
    for name, content in ((kind, value), (target_name, target)):
        if name and not content.strip():
            raise UsageError(f"found no {name}. Expected one in each row. Add it, or remove the row.")
    if kind != "text" and not find_input_kind(value):
        raise UsageError(
            f"there is no file {abbreviate_path(value)}. Expected the path of the {kind}, relative to the working "
            "directory or to the table. Correct it."
        )
    if target_name:
        predictor.check_target(target)
