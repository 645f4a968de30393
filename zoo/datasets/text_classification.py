"""Labeled texts from TFDS or from users' files."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from zoo.datasets.fingerprint import note_fact, record_sources
from zoo.datasets.label_names import check_renames, note_left_out
from zoo.datasets.messages import abbreviate, count_noun
from zoo.datasets.readers.content import find_dataset
from zoo.datasets.readers.labeled_texts import LabeledText, read_text_directory, read_text_table
from zoo.datasets.readers.text_files import note_damaged_texts
from zoo.datasets.records import DataInfo, DataSplits, count_examples, sort_labels
from zoo.datasets.splits import SPLITS, HashRule, find_missing_splits, find_split_names, make_tenths_rule
from zoo.datasets.tfds_catalog import describe_features, find_builder, get_data_info, prepare, read_split
from zoo.errors import DataError
from zoo.user_files import TABLE, report_unreadable

_RARE = 5  # texts: a label that occurs less often may be a typing error

_Condition = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Of texts and labels, string and int64 `[batch]`, to bool `[batch]`."""


@record_sources
def load_text_classification(
    dataset: str | Path,
    *,
    data_dir: Path | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    rename_labels: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> DataSplits[tf.data.Dataset]:
    r"""Load labeled texts from a path or, if there is no such path, from TFDS by name.

    A path is a TSV or CSV file, or a directory that contains for each split (`train`; optional `validation`,
    `valid`, `val` or `dev`; optional `test`) such a file or a directory `<label>/*.txt`, as aclImdb has it. Other files
    and columns are left out, which a note states.
    Files may be compressed (.gz, .xz, .bz2) and are read into memory. Tables begin with a header. Whether
    commas, semicolons or tabs separate cells is detected and logged. Labels are read without surrounding
    spaces.

    Of a TFDS set, examples without a label (-1) and splits of other names are left out. If no test label
    remains (GLUE), the validation split becomes the test split. A split that is then missing is a tenth of
    the training examples, chosen by a hash of the text. `tf.data` does not know the cardinality of such
    splits.

    Args:
        dataset: path or TFDS name (`negation`, `imdb_reviews`, `glue/sst2`).
        data_dir: directory of data prepared by TFDS and of downloads; its own default if `None`.
        text_column: column, or TFDS feature, of the text. Default: the column `text`; the feature that the
            set declares as input, or its only text.
        label_column: the same for the label. Default: the column `label`; the feature that the set declares
            as target, or its only class label.
        rename_labels: new names of labels by their names in the data, such as `{"1": "neg", "5": "pos"}`. Several may
            get the same one, and texts whose label gets an empty one are left out. Other labels stay as they are.
        encoding: encoding of files. Default: the one of their byte order mark (UTF-8 or UTF-16), otherwise
            UTF-8.

    Returns:
        Pairs of a text (scalar string) and its label (scalar int64), an index of `info.labels`, in a fixed
        order. Labels from files are those of the training data, sorted, by value if all are integers.

    Raises:
        DataError: there is no such set, its host does not answer, the data have another form, or a label to rename
            does not occur.

    Example:
        >>> import tempfile, zoo
        >>> rows = [f"film {i},{'good' if i % 2 else 'bad'}" for i in range(100)]
        >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        ...     print("text,label", *rows, sep="\n", file=file, flush=True)
        ...     splits = zoo.datasets.load_text_classification(file.name)
        >>> splits.info.labels
        ('bad', 'good')
    """
    if path := find_dataset(dataset):
        return _load_files(
            path, text_column or "text", label_column or "label", rename_labels or {}, encoding
        )
    return _load_tfds(find_builder(str(dataset), data_dir), text_column, label_column, rename_labels or {})


def _load_tfds(
    builder: Any, text_column: str | None, label_column: str | None, renames: Mapping[str, str]
) -> DataSplits[tf.data.Dataset]:
    text = _find_feature(builder, tfds.features.Text, text_column)
    label = _find_feature(builder, tfds.features.ClassLabel, label_column)
    prepare(builder)
    notes = []
    splits = {
        split: _filter(
            lambda _, labels: labels >= 0,
            read_split(builder, split).map(lambda example: (example[text], example[label])),
        )
        for split in SPLITS
        if split in builder.info.splits
    }
    if "test" in splits and _is_empty(splits["test"]):
        del splits["test"]
        notes.append("The labels of the test split are not public.")
        if "validation" in splits:
            splits["test"] = splits.pop("validation")
            notes.append("test is the validation split.")
    labels = tuple(builder.info.features[label].names)
    if renames:
        splits, labels, rename_notes = _rename_classes(splits, labels, renames, builder.info.full_name)
        notes += rename_notes
    return _complete(splits, dataclasses.replace(get_data_info(builder), labels=labels), notes)


def _rename_classes(
    splits: Mapping[str, tf.data.Dataset], labels: tuple[str, ...], renames: Mapping[str, str], location: str
) -> tuple[dict[str, tf.data.Dataset], tuple[str, ...], list[str]]:
    """Return the splits with the ids of the new labels, these labels, and a note on texts that are left out."""
    notes = check_renames(renames, labels, location)
    names = [renames.get(label, label) for label in labels]
    new_labels = tuple(dict.fromkeys(filter(None, names)))
    ids = tf.constant([new_labels.index(name) if name else -1 for name in names], tf.int64)
    renamed = {
        split: _filter(
            lambda _, labels: labels >= 0, examples.map(lambda text, label: (text, tf.gather(ids, label)))
        )
        for split, examples in splits.items()
    }
    before, after = (sum(map(count_examples, examples.values())) for examples in (splits, renamed))
    return renamed, new_labels, notes + note_left_out(renames, before - after, "text")


def _find_feature(builder: Any, feature_type: type, chosen: str | None) -> str:
    """Return the name of the feature of a type that is chosen, declared or the only one."""
    matching = [name for name, feature in builder.info.features.items() if isinstance(feature, feature_type)]
    declared = [key for key in builder.info.supervised_keys or () if key in matching]
    names = [chosen] if chosen else declared or matching
    if len(names) == 1 and names[0] in matching:
        return names[0]
    raise DataError(
        f"{builder.info.full_name}: found the features {describe_features(builder)}. Expected one "
        f"{feature_type.__name__} feature{f' {chosen!r}' if chosen else ''}. Choose with --text-column and "
        "--label-column."
    )


def _load_files(
    path: Path, text_column: str, label_column: str, renames: Mapping[str, str], encoding: str | None
) -> DataSplits[tf.data.Dataset]:
    paths = _find_paths(path)
    texts, left_out, notes = {}, _list_others(path, paths), []
    for split, split_path in paths.items():
        if split_path.is_dir():
            texts[split], names = read_text_directory(split_path, encoding)
            left_out += [f"{split_path.name}/{name}" for name in names]
        else:
            texts[split], column_notes = read_text_table(split_path, text_column, label_column, encoding)
            notes += column_notes
    note_fact("texts", {split: len(split_texts) for split, split_texts in texts.items()})
    texts, rename_notes = _rename_labels(texts, renames, str(path))
    notes += rename_notes
    labels = sort_labels(text.label for text in texts["train"])
    _check_labels(texts["train"], labels)
    splits = {split: _make_dataset(split_texts, labels) for split, split_texts in texts.items()}
    all_texts = [text for split in texts.values() for text in split]
    notes += note_damaged_texts((text.text for text in all_texts), str(path)) + _note_oddities(all_texts)
    if left_out:
        notes.append(
            f"Left out, since only <split>/<label>/*.txt and tables of splits are read: {abbreviate(left_out)}."
        )
    return _complete(splits, DataInfo(str(path), labels=labels), notes)


def _rename_labels(
    texts: Mapping[str, list[LabeledText]], renames: Mapping[str, str], location: str
) -> tuple[dict[str, list[LabeledText]], list[str]]:
    """Return the texts of each split with the new names of their labels, and a note on those that are left out."""
    notes = check_renames(renames, {text.label for split in texts.values() for text in split}, location)
    renamed = {
        split: [
            text._replace(label=label)
            for text in split_texts
            if (label := renames.get(text.label, text.label))
        ]
        for split, split_texts in texts.items()
    }
    before, after = (sum(map(len, splits.values())) for splits in (texts, renamed))
    return renamed, notes + note_left_out(renames, before - after, "text")


def _find_paths(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {"train": path}
    with report_unreadable(path):
        children = [child.name for child in path.iterdir()]
    names = find_split_names(children, str(path), suffix=f"({TABLE})?")
    if "train" not in names:
        raise DataError(
            f"{path} contains no training data. Expected train.tsv, train.csv or train/<label>/*.txt. A TFDS "
            "name is looked up only where there is no directory of that name."
        )
    return {split: path / name for split, name in names.items()}


def _list_others(path: Path, paths: dict[str, Path]) -> list[str]:
    """Return the names of what is in a directory beside the splits, without hidden files."""
    if path.is_file():
        return []
    with report_unreadable(path):
        children = sorted(child.name for child in path.iterdir())
    used = {split_path.name for split_path in paths.values()}
    return [name for name in children if name not in used and not name.startswith(".")]


def _check_labels(texts: list[LabeledText], labels: tuple[str, ...]) -> None:
    """Raise an error if the labels are those of another column, such as the number of the row."""
    if len(labels) == len(texts) > _RARE:
        raise DataError(
            f"{texts[0].location}: found {len(labels):,} labels for as many texts: {abbreviate(labels)}. Expected "
            "labels that several texts have. Check that --label-column names the right column."
        )


def _note_oddities(texts: list[LabeledText]) -> list[str]:
    """Return notes on labels and texts that may be mistakes."""
    notes = []
    counts = Counter(text.label for text in texts)
    if rare := sorted(label for label, count in counts.items() if count < _RARE):
        have = "label has" if len(rare) == 1 else "labels have"
        notes.append(
            f"{len(rare):,} {have} fewer than {_RARE} texts: {abbreviate(rare)}. Check that it is intended."
        )
    variants: dict[str, list[str]] = {}
    for label in sorted(counts):
        variants.setdefault(" ".join(label.casefold().split()), []).append(label)
    for group in variants.values():
        if len(group) > 1:
            notes.append(f"The labels {' and '.join(group)} differ in case only. Make them one if they are.")
    labels_of: dict[str, set[str]] = {}
    for text in texts:
        labels_of.setdefault(text.text, set()).add(text.label)
    if ambiguous := [text for text, labels in labels_of.items() if len(labels) > 1]:
        notes.append(
            f"{count_noun(len(ambiguous), 'text')} with different labels in different rows, such as "
            f"{ambiguous[0][:60]!r}. Check the labels."
        )
    if num_empty := sum(not text.text.strip() for text in texts):
        notes.append(f"{count_noun(num_empty, 'text')} without words. Remove the rows if that is a mistake.")
    return notes


def _make_dataset(texts: list[LabeledText], labels: tuple[str, ...]) -> tf.data.Dataset:
    ids = {name: i for i, name in enumerate(labels)}
    for text in texts:
        if text.label not in ids:
            raise DataError(
                f"{text.location}: found the label {text.label!r}. Expected a label of the training data: "
                f"{', '.join(labels)}. Correct it, or add such examples to train."
            )
    return tf.data.Dataset.from_tensor_slices(
        (
            tf.constant([text.text for text in texts], tf.string),
            tf.constant([ids[text.label] for text in texts], tf.int64),
        )
    )


def _complete(
    splits: dict[str, tf.data.Dataset], info: DataInfo, notes: list[str]
) -> DataSplits[tf.data.Dataset]:
    """Hold missing splits out of the training examples."""
    if "train" not in splits:
        raise DataError(f"{info.source} has no labeled train split. Choose another data set.")
    if len(info.labels) < 2:
        raise DataError(
            f"{info.source}: found {f'the label {info.labels[0]} alone' if info.labels else 'no label'}. Expected 2 or "
            "more. Check that the label column is the right one, and that --rename-labels leaves two labels."
        )
    train, missing = splits["train"], find_missing_splits(splits)
    if missing:
        rule = make_tenths_rule(missing)
        for split in ("train", *missing):
            splits[split] = _filter(_make_condition(rule, split), train)
    for split, examples in splits.items():
        if _is_empty(examples):
            raise DataError(
                f"{info.source}: no examples for the {split} split. Expected some in a file of its own, or "
                "more training examples: a missing split is a tenth of them. Add examples."
            )
    if missing:
        num_texts = count_noun(count_examples(train), "text")
        counts = {split: count_examples(splits[split]) for split in missing}
        notes = notes + [
            f"{split} is {count:,} of {num_texts}, chosen by a hash of the text."
            for split, count in counts.items()
        ]
    return DataSplits(**splits, info=dataclasses.replace(info, notes=tuple(notes)))


def _make_condition(rule: HashRule, split: str) -> _Condition:
    return lambda texts, _: rule.is_in_split(split, texts)


def _filter(condition: _Condition, examples: tf.data.Dataset) -> tf.data.Dataset:
    """Return the examples that fulfill a condition, by batches: much faster than `filter`."""

    def apply(texts: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mask = condition(texts, labels)
        return texts[mask], labels[mask]

    return examples.batch(256).map(apply).unbatch()


def _is_empty(examples: tf.data.Dataset) -> bool:
    return next(iter(examples.take(1)), None) is None
