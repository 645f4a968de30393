"""Pairs of sentences from TFDS or from users' files."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
from babel.languages import get_official_languages

from zoo.datasets.builders import Dates
from zoo.datasets.fingerprint import record_sources
from zoo.datasets.messages import count_noun
from zoo.datasets.readers.content import find_dataset
from zoo.datasets.readers.sentence_pairs import (
    Languages,
    Pairs,
    read_pair_table,
    read_parallel_directory,
    read_parallel_files,
)
from zoo.datasets.readers.text_files import note_damaged_texts
from zoo.datasets.records import DataInfo, DataSplits
from zoo.datasets.splits import SPLITS, find_missing_splits, make_pairs_rule, normalize_source
from zoo.datasets.tfds_catalog import describe_features, find_builder, get_data_info, prepare, read_split
from zoo.errors import DataError
from zoo.languages import is_same_language, normalize_language
from zoo.paths import parse_path
from zoo.preprocessing.text import split_plain_words

_OPTIONS = "--source {} --target {}"


@record_sources
def load_translation(
    datasets: str | Path | Sequence[str | Path],
    *,
    languages: Languages | None = None,
    data_dir: Path | None = None,
    max_words: int = 100,
    encoding: str | None = None,
) -> DataSplits[tf.data.Dataset]:
    r"""Load pairs of sentences from paths or, if there is no such path, from TFDS by name, into memory.

    A path is one of these. Files may be compressed (.gz, .xz, .bz2).

    - A directory with two files for each split, a sentence in each line: `train.en` and `train.de`, also with
      something between, as in `test_2016.tok.en.gz`. `validation`, `valid`, `val` or `dev`, and `test` are
      optional. There may be files of other languages, too; those of other names are noted.
    - What the names of two such files have in common: `europarl` for `europarl.en` and `europarl.de`.
    - A table `.csv`, `.tsv` or `.txt` with source and target in each row, separated by commas, semicolons or
      tabs. A header is optional: the languages, as codes or in English, or `source` and `target`. Other columns are
      left out.
    - A zip that contains such a file, as from www.manythings.org/anki. One whose name begins as in
      `deu-eng.zip` has English first; its columns are swapped if `languages` says so.

    Pairs with an empty side are left out. A missing split is a fiftieth of the sources of the training pairs,
    chosen by a hash of their words, and has the first translation of each source only. Then the sets are
    combined, and these pairs are left out of the training split: those whose source is in validation or test,
    apart from case and punctuation; those of more than `max_words` words; and all but the first of equal
    pairs.

    Args:
        datasets: path or TFDS name (`dates/de`, `dates/zh_CN`, `ted_hrlr_translate/pt_to_en`), or several.
        languages: languages of source and target, as file names or TFDS name them. Needed for parallel files.
            Default for a TFDS set: those that it declares. Default for a table: those in its name, or in English
            in its header; otherwise `source` and `target`. Columns and features may have another spelling:
            "zh_CN", "zh-cn" and "zh" are the same, and so are "German" and "de". File names may not.
        data_dir: directory of data prepared by TFDS and of downloads; its own default if `None`.
        max_words: maximum number of words on a side of a training pair, as
            `zoo.preprocessing.text.split_plain_words` counts them: in Chinese, Japanese or Thai, of characters.
        encoding: encoding of files. Default: the one of their byte order mark (UTF-8 or UTF-16), otherwise
            UTF-8.

    Returns:
        Pairs of a source and a target (scalar strings), in a fixed order.

    Raises:
        DataError: there is no such set, its host does not answer, or the data have another form.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for language, word in (("en", "sentence"), ("de", "Satz")):
        ...         lines = "".join(f"{word} {i}\n" for i in range(1_000))
        ...         _ = Path(directory, f"train.{language}").write_text(lines)
        ...     splits = zoo.datasets.load_translation(directory, languages=("en", "de"))
        >>> splits.info.languages
        ('en', 'de')
    """
    names = [datasets] if isinstance(datasets, (str, Path)) else datasets
    if languages and (isinstance(languages, str) or len(languages) != 2):
        raise DataError(
            f"languages: found {languages!r}. Expected two, of source and target. Write them as a pair: "
            '`languages=("en", "de")`.'
        )
    if languages and languages[0] == languages[1]:
        raise DataError(f"Found the language {languages[0]} twice. Expected two. Choose another one.")
    if not names:
        raise DataError("Found no data set. Expected one at least. Choose one.")
    sets = [_complete(_load(str(name), languages, data_dir, encoding)) for name in names]
    splits = {split: [pair for part in sets for pair in part.splits[split]] for split in SPLITS}
    splits["train"], left_out = _filter_train(**splits, max_words=max_words)
    source = " + ".join(part.info.source for part in sets)
    for split, pairs in splits.items():
        if not pairs:
            raise DataError(
                f"{source}: no pairs for the {split} split. Expected some in files of its own, or more "
                "training pairs: a missing split is a fiftieth of them. Add pairs."
            )
    sizes = ", ".join(f"{split} {len(pairs):,}" for split, pairs in splits.items())
    info = DataInfo(
        source,
        license="; ".join(part.info.license for part in sets if part.info.license),
        citation="\n\n".join(part.info.citation for part in sets if part.info.citation),
        notes=(*(note for part in sets for note in part.notes), *left_out, f"Pairs: {sizes}."),
        languages=languages or _find_common_languages(sets),
        is_redistributable=all(part.info.is_redistributable for part in sets),
        is_generated=all(part.info.is_generated for part in sets),
    )
    train, validation, test = (_make_dataset(splits[split]) for split in SPLITS)
    return DataSplits(train, validation, test, info)


def read_pairs(split: tf.data.Dataset, max_pairs: int | None = None) -> tuple[list[str], list[str]]:
    """Return the sources and the targets of a split, as texts.

    Args:
        split: pairs, as `load_translation` returns them.
        max_pairs: of more pairs some are left out, evenly; None stands for all.

    Example:
        >>> import tensorflow as tf, zoo
        >>> pairs = tf.data.Dataset.from_tensor_slices((["one", "two"], ["eins", "zwei"]))
        >>> zoo.datasets.read_pairs(pairs)
        (['one', 'two'], ['eins', 'zwei'])
    """
    pairs = [(source.decode(), target.decode()) for source, target in split.as_numpy_iterator()]
    if max_pairs:
        pairs = pairs[:: max(-(-len(pairs) // max_pairs), 1)]
    return [source for source, _ in pairs], [target for _, target in pairs]


def _make_dataset(pairs: Pairs) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*pairs, strict=True))))


@dataclass
class _PairSet:
    """One of the sets that are combined, with the splits that it has."""

    info: DataInfo
    splits: dict[str, Pairs]
    languages: Languages | None
    notes: list[str] = field(default_factory=list)


def _load(name: str, languages: Languages | None, data_dir: Path | None, encoding: str | None) -> _PairSet:
    if found := find_dataset(name):
        if not found.is_dir():
            return _load_table(found, languages, encoding)
        if not languages:
            raise _make_languages_error(found)
        splits, notes = read_parallel_directory(found, languages, encoding)
        return _PairSet(DataInfo(str(found)), splits, languages, notes)
    path = parse_path(name)
    if languages:
        pairs = read_parallel_files(path.parent, re.escape(path.name), languages, encoding)
        if pairs is not None:
            return _PairSet(DataInfo(str(path)), {"train": pairs}, languages)
    try:
        builder = find_builder(_normalize_name(name), data_dir)
    except DataError:
        if not languages and any(file.name.startswith(f"{path.name}.") for file in path.parent.glob("*")):
            raise _make_languages_error(path) from None
        raise
    return _load_tfds(builder, languages)


def _normalize_name(name: str) -> str:
    """Return the name of a TFDS set; of `dates` with the locale as Babel spells it.

    Raises:
        DataError: the locale is the code of a country that is no language.
    """
    dataset, slash, locale = name.partition("/")
    if dataset != Dates.name or not slash:
        return name
    locale = normalize_language(locale)
    if locale not in Dates.builder_configs and (languages := get_official_languages(locale.upper())):
        raise DataError(
            f"{name}: found the country {locale!r}. Expected a language or locale of Babel. Did you mean "
            f"{' or '.join(languages[:3])}?"
        )
    return f"{dataset}/{locale}"


def _load_table(path: Path, languages: Languages | None, encoding: str | None) -> _PairSet:
    pairs, column_languages, notes = read_pair_table(path, languages, encoding)
    if column_languages:
        languages = _choose_languages(languages or column_languages, column_languages, str(path))
        if languages != column_languages:
            pairs = [(target, source) for source, target in pairs]
    return _PairSet(DataInfo(str(path)), {"train": pairs}, languages, notes)


def _load_tfds(builder: Any, languages: Languages | None) -> _PairSet:
    info = builder.info
    if not isinstance(info.features, tfds.features.Translation):
        raise DataError(
            f"{info.full_name}: found the features {describe_features(builder)}. Expected a translation set. "
            "Choose another data set."
        )
    source, target = languages = _choose_languages(
        languages or tuple(info.supervised_keys or info.features), tuple(info.features), info.full_name
    )
    prepare(builder)
    if "train" not in info.splits:
        raise DataError(f"{info.full_name} has no train split. Choose another data set.")
    splits = {
        split: [
            (source_text.decode(), target_text.decode())
            for batch in read_split(builder, split, batch_size=1024).as_numpy_iterator()
            for source_text, target_text in zip(batch[source], batch[target], strict=True)
        ]
        for split in SPLITS
        if split in info.splits
    }
    return _PairSet(get_data_info(builder), splits, languages)


# Languages.


def _make_languages_error(path: Path) -> DataError:
    options = _OPTIONS.format("en", "de")
    return DataError(
        f"{path}: found parallel files. Expected the languages of source and target. Choose them, as in "
        f"{options}."
    )


def _choose_languages(chosen: tuple[str, ...], available: tuple[str, ...], source: str) -> Languages:
    """Return two of the available languages, as they are spelled there."""
    chosen = tuple(_find_spelling(language, available) for language in chosen)
    if len(set(chosen)) != 2 or not set(chosen) <= set(available):
        raise DataError(
            f"{source}: found the languages {', '.join(available)}. Expected two of them, got "
            f"{', '.join(chosen)}. Choose, as in {_OPTIONS.format(*available)}."
        )
    source_language, target_language = chosen
    return source_language, target_language


def _find_spelling(language: str, available: tuple[str, ...]) -> str:
    """Return the available name of a language; the name as it is if there is none, or more than one."""
    names = [language] if language in available else [n for n in available if is_same_language(n, language)]
    return names[0] if len(names) == 1 else language


def _find_common_languages(sets: list[_PairSet]) -> Languages:
    named = {part.languages: part.info.source for part in sets if part.languages}
    if len(named) > 1:
        found = ", ".join(f"{source} is {one} to {other}" for (one, other), source in named.items())
        raise DataError(
            f"Found different languages: {found}. Expected the same in all data sets. Remove some."
        )
    return next(iter(named), ("source", "target"))


# Which pairs are in which split.


def _complete(part: _PairSet) -> _PairSet:
    """Leave out pairs with an empty side, and hold missing splits out of the training pairs."""
    num_empty = 0
    for split, pairs in part.splits.items():
        stripped = [(source.strip(), target.strip()) for source, target in pairs]
        part.splits[split] = [pair for pair in stripped if all(pair)]
        num_empty += len(pairs) - len(part.splits[split])
    if num_empty:
        part.notes.append(f"{part.info.source}: left out {count_noun(num_empty, 'pair')} with an empty side.")
    sides = (side for pairs in part.splits.values() for pair in pairs for side in pair)
    part.notes += note_damaged_texts(sides, part.info.source)
    missing = find_missing_splits(part.splits)
    if missing:
        train, rule = part.splits["train"], make_pairs_rule(missing)
        keys = normalize_source([source for source, _ in train])
        for split in missing:
            first: dict[str, str] = {}
            for source, target in rule.select(split, train, keys):
                first.setdefault(source, target)
            part.splits[split] = list(first.items())
        part.splits["train"] = rule.select("train", train, keys)
        part.notes.append(
            f"{part.info.source}: of {count_noun(len({source for source, _ in train}), 'source')} of train "
            f"{' and '.join(f'{len(part.splits[split]):,} are for {split}' for split in missing)}, chosen by a hash of "
            "their words, with the first translation of each source only."
        )
    return part


def _filter_train(train: Pairs, validation: Pairs, test: Pairs, max_words: int) -> tuple[Pairs, list[str]]:
    """Return the pairs that may stay in the training split, and a note on the others, if any."""
    held_out = set(normalize_source([source for source, _ in validation + test]))
    filtered: dict[tuple[str, str], None] = {}
    left_out: Counter[str] = Counter()
    for pair, key in zip(train, normalize_source([source for source, _ in train]), strict=True):
        if key in held_out:
            left_out["with a source that is in validation or test"] += 1
        elif (
            max(map(len, pair)) > max_words
            and split_plain_words(pair).row_lengths().numpy().max() > max_words
        ):
            left_out[f"of more than {max_words:,} words on a side"] += 1
        elif pair in filtered:
            left_out["equal to an earlier one"] += 1
        else:
            filtered[pair] = None
    counts = ", ".join(f"{count_noun(count, 'pair')} {reason}" for reason, count in left_out.items())
    return list(filtered), [f"Left out of train: {counts}."] if counts else []
