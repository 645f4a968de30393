"""Labeled texts from TFDS or from users' own files, in one shape."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.datasets import tfds_catalog
from zoo.datasets.files import SPLITS, TABLE, foreign, of_splits, read_table, sorted_labels
from zoo.datasets.records import DataInfo, DataSplits
from zoo.errors import DataError


def load_text_classification(
    dataset: str,
    *,
    data_dir: Path | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
) -> DataSplits[tf.data.Dataset]:
    """Loads a text classification set from a path or, where there is none such, from TFDS by name.

    A path is a TSV or CSV file or a folder that holds for each split (`train`; optional
    `validation`, `valid`, `val` or `dev`; optional `test`) such a file or a folder
    `<label>/*.txt`, as aclImdb has it. Files are UTF-8, may be compressed (.gz, .xz, .bz2), begin
    with a header line, and are read into memory. TSV has no quoting: tabs and newlines only
    separate. Labels are those of the training data, sorted, by value if all are integers.

    Of a TFDS set, examples without a label (-1) and other splits are left out. If no test label
    remains (GLUE), the validation split becomes the test split. Whatever split is then missing is
    a tenth of train, chosen by a hash of the text: equal texts stay together, and every run and
    machine chooses the same. The cardinality of such splits is unknown to `tf.data`.

    Args:
        dataset: The path or the TFDS name (`negation`, `imdb_reviews`, `glue/sst2`).
        data_dir: Where TFDS keeps prepared data and downloads; its own folder if None.
        text_column: Column or TFDS feature of the text; if None, column `text`, or the feature that
            the set declares as its input, or its only text.
        label_column: The same for the label.

    Raises:
        DataError: There is no such set, its host does not answer, or the data are not as above.
    """
    path = Path(dataset).expanduser()
    if path.exists():
        return _from_files(path, text_column or "text", label_column or "label")
    return _from_tfds(tfds_catalog.find(dataset, data_dir), text_column, label_column)


def _from_tfds(
    builder: tfds.core.DatasetBuilder, text_column: str | None, label_column: str | None
) -> DataSplits[tf.data.Dataset]:
    text = _feature(builder, tfds.features.Text, text_column)
    label = _feature(builder, tfds.features.ClassLabel, label_column)
    tfds_catalog.prepare(builder)
    info, notes = builder.info, []
    config = tfds.ReadConfig(try_autocache=False)  # its cache warns when a split is read in part
    splits = {
        split: _where(
            lambda _, labels: labels >= 0,
            builder.as_dataset(split=split, shuffle_files=False, read_config=config).map(
                lambda example: (example[text], example[label])
            ),
        )
        for split in SPLITS
        if split in info.splits
    }
    if "test" in splits and _is_empty(splits["test"]):
        del splits["test"]
        notes.append("The labels of the test split are not public.")
        if "validation" in splits:
            splits["test"] = splits.pop("validation")
            notes.append("test is the validation split.")
    labels = tuple(info.features[label].names)
    notes += _complete(splits, labels, info.full_name)
    about = DataInfo(labels=labels, notes=tuple(notes), **tfds_catalog.origin(info))
    return DataSplits(**splits, info=about)


def _feature(builder: tfds.core.DatasetBuilder, kind: type, chosen: str | None) -> str:
    """Returns the name of the feature of that kind that is chosen, declared or the only one."""
    features = builder.info.features
    fitting = [name for name, feature in features.items() if isinstance(feature, kind)]
    declared = [key for key in builder.info.supervised_keys or () if key in fitting]
    names = [chosen] if chosen else declared or fitting
    if len(names) == 1 and names[0] in fitting:
        return names[0]
    raise DataError(
        f"{builder.info.full_name}: expected one {kind.__name__} feature"
        f"{f' {chosen!r}' if chosen else ''}, and the features are "
        f"{tfds_catalog.named_features(builder.info)}. Choose with --text-column and --label-column."
    )


class _Row(NamedTuple):
    where: str
    text: str
    label: str


def _from_files(path: Path, text_column: str, label_column: str) -> DataSplits[tf.data.Dataset]:
    rows = {
        split: _rows(split_path, text_column, label_column)
        for split, split_path in _split_paths(path).items()
    }
    labels = sorted_labels(row.label for row in rows["train"])
    splits = {split: _dataset(split_rows, labels) for split, split_rows in rows.items()}
    notes = foreign((row.text for own in rows.values() for row in own), str(path))
    notes += _complete(splits, labels, str(path))
    return DataSplits(**splits, info=DataInfo(str(path), labels=labels, notes=tuple(notes)))


def _split_paths(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {"train": path}
    found = of_splits(path.iterdir(), f"({TABLE})?")
    if "train" not in found:
        raise DataError(
            f"{path} holds no training data. Expected train.tsv, train.csv or train/<label>/*.txt. "
            "A TFDS name is looked up only where no folder has that name."
        )
    return found


def _rows(path: Path, text_column: str, label_column: str) -> list[_Row]:
    if path.is_dir():
        rows = [
            # Bytes, for lone carriage returns to survive.
            _Row(str(p), p.read_bytes().strip().decode("utf-8-sig", "replace"), p.parent.name)
            for p in sorted(path.glob("*/*.txt"))
            if p.parent.name != "unsup"
        ]
    else:
        rows = list(_table(path, text_column, label_column))
    if not rows:
        raise DataError(
            f"{path} holds no examples. Expected "
            + ("<label>/*.txt." if path.is_dir() else "a header line and a line for each example.")
        )
    return rows


def _table(path: Path, text_column: str, label_column: str) -> Iterator[_Row]:
    """Yields the rows of a TSV or CSV file; the header line must name both columns."""
    if not re.search(TABLE, path.name):
        raise DataError(f"{path}: expected .tsv or .csv, perhaps with .gz, .xz or .bz2.")
    lines = read_table(path)
    number, header = next(lines, (0, []))
    lacking = [repr(column) for column in (text_column, label_column) if column not in header]
    if header and lacking:
        raise DataError(
            f"{path}, line {number}: expected a header with a column {' and a column '.join(lacking)}, found "
            f"{', '.join(header)[:200]}. Add the header or name your columns with --text-column and "
            "--label-column."
        )
    for number, fields in lines:
        where = f"{path}, line {number}"
        if len(fields) != len(header):
            raise DataError(
                f"{where}: expected {len(header)} fields ({', '.join(header)}), found "
                f"{len(fields)}. Correct the line."
            )
        row = dict(zip(header, fields, strict=True))
        if not row[label_column]:
            raise DataError(f"{where}: expected a label in {label_column!r}. Give it one.")
        yield _Row(where, row[text_column], row[label_column])


def _dataset(rows: list[_Row], labels: tuple[str, ...]) -> tf.data.Dataset:
    index = {name: i for i, name in enumerate(labels)}
    for row in rows:
        if row.label not in index:
            raise DataError(
                f"{row.where}: unknown label {row.label!r}. Expected a label of the training data: "
                f"{', '.join(labels)}. Correct it, or add such examples to train."
            )
    texts = tf.constant([row.text for row in rows], tf.string)
    indices = tf.constant([index[row.label] for row in rows], tf.int64)
    return tf.data.Dataset.from_tensor_slices((texts, indices))


def _complete(splits: dict[str, tf.data.Dataset], labels: tuple[str, ...], source: str) -> list[str]:
    """Adds the splits that are missing, held out of train; returns a note for each."""
    if "train" not in splits:
        raise DataError(f"{source} has no labeled train split. Choose another data set.")
    if len(labels) < 2:
        raise DataError(
            f"{source}: expected at least 2 labels, found {', '.join(labels)}. Is the label column "
            "the right one?"
        )
    train = splits["train"]
    missing = [split for split in SPLITS if split not in splits]
    for i, split in enumerate(missing):
        splits[split] = _tenths(train, i, i + 1)
    if missing:
        splits["train"] = _tenths(train, len(missing), 10)
    for split, examples in splits.items():
        if _is_empty(examples):
            raise DataError(
                f"{source}: no examples for the {split} split. Give it a file of its own, or more examples: "
                "where a split is missing, a tenth of the texts is held out of train."
            )
    return [f"{split} is a tenth of train, chosen by a hash of the text." for split in missing]


def _tenths(examples: tf.data.Dataset, start: int, stop: int) -> tf.data.Dataset:
    """Returns the examples in some of ten parts; the text alone decides which part it is in."""

    def chosen(texts: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        parts = tf.strings.to_hash_bucket_fast(texts, 10)
        return (start <= parts) & (parts < stop)

    return _where(chosen, examples)


def _where(
    condition: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], examples: tf.data.Dataset
) -> tf.data.Dataset:
    """Returns the examples that meet the condition, by the batch: much faster than `filter`."""

    def chosen(texts: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mask = condition(texts, labels)
        return texts[mask], labels[mask]

    return examples.batch(256).map(chosen).unbatch()


def _is_empty(examples: tf.data.Dataset) -> bool:
    return next(iter(examples.take(1)), None) is None
