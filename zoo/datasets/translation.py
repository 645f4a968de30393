"""Pairs of sentences from TFDS or from users' own files, in one shape."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tensorflow as tf
import tensorflow_datasets as tfds
from babel.core import get_global

from zoo.datasets import tfds_catalog
from zoo.datasets.files import BROKEN, COMPRESSION, SPLITS, foreign, open_text
from zoo.datasets.records import DataInfo, DataSplits
from zoo.errors import DataError

Pairs = list[tuple[str, str]]

_CHOOSE = "--source {} --target {}"
_PLACES = {"validation": 0, "test": 1}  # of 50, by a hash: the same in all sets that are put together


def load_translation(
    datasets: str | Sequence[str],
    *,
    languages: tuple[str, str] | None = None,
    data_dir: Path | None = None,
    max_words: int = 100,
) -> DataSplits[tf.data.Dataset]:
    """Loads translation sets from paths or, where there is none such, from TFDS by name, into memory.

    A path is one of these. Files are UTF-8 and may be compressed (.gz, .xz, .bz2).

    - A folder with two files for each split, one sentence a line: `train.en` and `train.de`, also with
      something between, as in `test_2016.tok.en.gz`. `validation`, `valid`, `val` or `dev`, and `test`
      are optional. Files of other languages may lie there, too.
    - What two such files have in common: `europarl` for `europarl.en` and `europarl.de`.
    - A file `.tsv` or `.txt` with source, tab, target on a line. Further columns are ignored, there is no
      header.
    - A zip that holds such a file, as www.manythings.org/anki has them. One whose name begins as in
      `deu-eng.zip` has English first; its columns are swapped where `languages` says so.

    Pairs with an empty side are left out. Whatever split is missing is a fiftieth of the sources of train,
    chosen by a hash of their words, so that all translations of a sentence stay together, and every run and
    machine chooses the same; such a split has the first translation of each source only. Then the sets are
    put together, and these pairs are left out of train: those whose source is in validation or test, case
    and punctuation aside; those of more than `max_words` words; and all but the first of equal pairs.

    Args:
        datasets: A path or a TFDS name (`dates/de`, `ted_hrlr_translate/pt_to_en`), or several.
        languages: Those of source and target, as file names or TFDS have them. Parallel files need them;
            of a TFDS set they are by default those that it declares, and of a table that does not say
            they are `source` and `target`.
        data_dir: Where TFDS keeps prepared data and downloads; its own folder if None.
        max_words: The most words, between spaces, that a side of a pair in train may have.

    Raises:
        DataError: There is no such set, its host does not answer, or the data are not as above.
    """
    names = [datasets] if isinstance(datasets, str) else datasets
    if languages and languages[0] == languages[1]:
        raise DataError(f"Expected two languages, got {languages[0]} twice. Choose others.")
    if not names:
        raise DataError("Expected at least one data set. Name one.")
    sets = [_completed(_load(name, languages, data_dir)) for name in names]
    languages = _common_languages(sets)
    splits = {split: [pair for part in sets for pair in part.splits[split]] for split in SPLITS}
    splits["train"], left_out = _fit_to_train(**splits, max_words=max_words)
    source = " + ".join(part.source for part in sets)
    for split, pairs in splits.items():
        if not pairs:
            raise DataError(
                f"{source}: no pairs for the {split} split. Give it files of its own, or more pairs: where a "
                "split is missing, a fiftieth of the sources is held out of train."
            )
    sizes = ", ".join(f"{split} {len(pairs):,}" for split, pairs in splits.items())
    info = DataInfo(
        source,
        license="; ".join(part.license for part in sets if part.license),
        citation="\n\n".join(part.citation for part in sets if part.citation),
        notes=(*(note for part in sets for note in part.notes), *left_out, f"Pairs: {sizes}."),
        languages=languages,
    )
    sides = {split: tuple(map(list, zip(*pairs, strict=True))) for split, pairs in splits.items()}
    return DataSplits(
        **{split: tf.data.Dataset.from_tensor_slices(both) for split, both in sides.items()}, info=info
    )


@dataclass
class _Set:
    """One of the sets, with the splits that it has."""

    source: str
    splits: dict[str, Pairs]
    languages: tuple[str, str] | None
    notes: list[str] = field(default_factory=list)
    citation: str = ""
    license: str = ""


def _load(name: str, languages: tuple[str, str] | None, data_dir: Path | None) -> _Set:
    path = Path(name).expanduser()
    if path.is_dir():
        return _from_folder(path, languages)
    if path.exists():
        return _from_table(path, languages)
    pairs = _parallel(path.parent, re.escape(path.name), languages) if languages else None
    if pairs is not None:
        return _Set(str(path), {"train": pairs}, languages)
    try:
        builder = tfds_catalog.find(name, data_dir)
    except DataError:
        if not languages and any(file.name.startswith(f"{path.name}.") for file in path.parent.glob("*")):
            raise _unnamed(path) from None
        raise
    return _from_tfds(builder, languages)


# Parallel files.


def _from_folder(folder: Path, languages: tuple[str, str] | None) -> _Set:
    if not languages:
        raise _unnamed(folder)
    splits = {}
    for split, names in SPLITS.items():
        # No letter after the name: "valid" is not the beginning of "validity.en".
        pairs = _parallel(folder, rf"({names})(?![^\W\d_]).*", languages)
        if pairs is not None:
            splits[split] = pairs
    if "train" not in splits:
        first, second = (f"train.{language}" for language in languages)
        raise DataError(
            f"{folder} holds no training data. Expected {first} and {second}; of files of another name "
            "give what their names have in common. A TFDS name is looked up only where no folder has "
            "that name."
        )
    return _Set(str(folder), splits, languages)


def _unnamed(path: Path) -> DataError:
    choose = _CHOOSE.format("en", "de")
    return DataError(f"{path}: expected the languages of the parallel files. Name them, as in {choose}.")


def _parallel(folder: Path, stem: str, languages: tuple[str, str]) -> Pairs | None:
    """Reads the two files of which the names are the stem, a regular expression, and a language."""
    paths = []
    for language in languages:
        pattern = rf"{stem}\.{re.escape(language)}{COMPRESSION}"
        found = [path for path in sorted(folder.glob("*")) if re.fullmatch(pattern, path.name)]
        if len(found) > 1:
            some = " and ".join(path.name for path in found)
            raise DataError(f"{folder}: {some} could each be meant. Leave one of them.")
        paths += found or [None]
    source, target = paths
    if source and target:
        sources, targets = _lines(source), _lines(target)
        if len(sources) != len(targets):
            raise DataError(
                f"{source} has {len(sources):,} lines and {target.name} {len(targets):,}. Expected in both "
                "one sentence a line, each line the translation of the other."
            )
        return list(zip(sources, targets, strict=True))
    if source or target:
        missing = languages[0] if target else languages[1]
        raise DataError(f"{source or target}: expected the same in {missing!r} beside it. Add it.")
    return None


# Tables.


def _from_table(path: Path, languages: tuple[str, str] | None) -> _Set:
    if not re.search(rf"\.((tsv|txt){COMPRESSION}|zip)$", path.name):
        raise DataError(
            f"{path}: expected a folder, a zip, or a file .tsv or .txt, perhaps with .gz, .xz or .bz2. "
            "Of parallel files give the folder, or what their names have in common."
        )
    splits, without = {"train": []}, []
    for number, line in enumerate(_lines(path), 1):
        fields = line.split("\t")
        if len(fields) > 1:
            splits["train"].append((fields[0], fields[1]))
        elif line.strip():
            without.append(number)
    if not splits["train"]:
        raise DataError(f"{path} has no line with a tab. Expected source, tab, target on each line.")
    notes = []
    if without:
        lines = _some(len(without), "line")
        notes.append(f"Left out of {path}: {lines} without a tab, the first is line {without[0]:,}.")
    if named := re.fullmatch(r"([a-z]{3})-eng(?![a-z]).*\.zip", path.name):
        codes = get_global("language_aliases")
        columns = tuple(codes.get(code, code) for code in ("eng", named[1]))
        languages = _chosen(languages or columns, columns, str(path))
        if languages != columns:
            splits["train"] = [(target, source) for source, target in splits["train"]]
    return _Set(str(path), splits, languages, notes)


def _lines(path: Path) -> list[str]:
    """Reads lines, which end at a newline only, and not at the other signs that Python knows."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_member(archive)) as raw:
                return list(io.TextIOWrapper(raw, "utf-8-sig", "replace", newline="\n"))
        with open_text(path, newline="\n") as file:
            return list(file)
    except (*BROKEN, RuntimeError) as error:  # the latter of an encrypted zip
        raise DataError(f"{path} cannot be read: {error}. Correct or replace the file.") from error


def _member(archive: zipfile.ZipFile) -> str:
    found = [name for name in archive.namelist() if re.search(r"(^|/)[^_./][^/]*\.(tsv|txt)$", name)]
    if len(found) != 1:
        raise DataError(
            f"{archive.filename}: expected one file .tsv or .txt, whose name does not begin with an "
            f"underscore, found {', '.join(found) or 'none'}. Give that file itself."
        )
    return found[0]


# TFDS.


def _from_tfds(builder: tfds.core.DatasetBuilder, languages: tuple[str, str] | None) -> _Set:
    info = builder.info
    if not isinstance(info.features, tfds.features.Translation):
        raise DataError(
            f"{info.full_name}: expected a translation set, and the features are "
            f"{tfds_catalog.named_features(info)}. Choose another."
        )
    source, target = languages = _chosen(
        languages or tuple(info.supervised_keys or info.features), tuple(info.features), info.full_name
    )
    tfds_catalog.prepare(builder)
    if "train" not in info.splits:
        raise DataError(f"{info.full_name} has no train split. Choose another data set.")
    splits = {
        split: [
            (one.decode(), other.decode())
            for batch in builder.as_dataset(
                split=split, batch_size=1024, shuffle_files=False
            ).as_numpy_iterator()
            for one, other in zip(batch[source], batch[target], strict=True)
        ]
        for split in SPLITS
        if split in info.splits
    }
    return _Set(splits=splits, languages=languages, **tfds_catalog.origin(info))


# Languages.


def _chosen(languages: tuple[str, ...], offered: tuple[str, ...], source: str) -> tuple[str, str]:
    if len(set(languages)) != 2 or not set(languages) <= set(offered):
        raise DataError(
            f"{source}: expected two of the languages {', '.join(offered)}, got {', '.join(languages)}. "
            f"Choose, as in {_CHOOSE.format(*offered)}."
        )
    return languages


def _common_languages(sets: list[_Set]) -> tuple[str, str]:
    named = {part.languages: part.source for part in sets if part.languages}
    if len(named) > 1:
        found = ", ".join(f"{source} is {one} to {other}" for (one, other), source in named.items())
        raise DataError(f"Expected data sets of the same languages: {found}.")
    return next(iter(named), ("source", "target"))


# What is kept, and where.


def _completed(part: _Set) -> _Set:
    """Leaves out pairs with an empty side, and holds the splits that are missing out of train."""
    empty = 0
    for split, pairs in part.splits.items():
        stripped = [(source.strip(), target.strip()) for source, target in pairs]
        part.splits[split] = [pair for pair in stripped if all(pair)]
        empty += len(pairs) - len(part.splits[split])
    if empty:
        part.notes.append(f"Left out of {part.source}: {_some(empty, 'pair')} with an empty side.")
    sides = (side for pairs in part.splits.values() for pair in pairs for side in pair)
    part.notes += foreign(sides, part.source)
    missing = [split for split in SPLITS if split not in part.splits]
    train = part.splits["train"]
    places = tf.strings.to_hash_bucket_fast(_keys(train), 50).numpy().tolist()
    for split in missing:
        first = {}
        for (source, target), place in zip(train, places, strict=True):
            if place == _PLACES[split]:
                first.setdefault(source, target)
        part.splits[split] = list(first.items())
    if missing:
        part.notes.append(
            f"Held out of train of {part.source}: a fiftieth of the sources for {' and for '.join(missing)}, "
            "chosen by a hash of their words, with the first translation of each source only."
        )
    held_out = [_PLACES[split] for split in missing]
    part.splits["train"] = [pair for pair, place in zip(train, places, strict=True) if place not in held_out]
    return part


def _fit_to_train(train: Pairs, validation: Pairs, test: Pairs, max_words: int) -> tuple[Pairs, list[str]]:
    """Returns the pairs that may stay in train, and a note of the others, if any."""
    elsewhere = set(_keys(validation + test).numpy())
    kept, left_out = {}, Counter()
    for pair, key in zip(train, _keys(train).numpy(), strict=True):
        if key in elsewhere:
            left_out["whose source is in validation or test"] += 1
        elif any(len(side.split()) > max_words for side in pair):
            left_out[f"of more than {max_words:,} words on a side"] += 1
        elif pair in kept:
            left_out["already there"] += 1
        else:
            kept[pair] = None
    found = ", ".join(f"{_some(count, 'pair')} {reason}" for reason, count in left_out.items())
    return list(kept), [f"Left out of train: {found}."] if found else []


def _keys(pairs: Pairs) -> tf.Tensor:
    """Returns for each source what it shares with those that differ in case and punctuation only."""
    sources = tf.constant([source.casefold() for source, _ in pairs], tf.string)
    words = tf.strings.strip(tf.strings.regex_replace(sources, r"[^\p{L}\p{M}\p{N}]+", " "))
    return tf.where(words == "", sources, words)


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
