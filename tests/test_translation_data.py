"""Pairs of sentences: users' files, TFDS sets, and the embedded data set `dates`."""

import bz2
import csv
import datetime
import functools
import gzip
import itertools
import lzma
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import babel
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from data_files import write_files, zip_files

from zoo.datasets import DataSplits, load_translation
from zoo.datasets.builders import dates as dates_module
from zoo.errors import DataError

SPLITS = ("train", "validation", "test")
EN_DE = ("en", "de")
Pairs = list[tuple[str, str]]


def read_pairs(data: DataSplits[tf.data.Dataset]) -> dict[str, Pairs]:
    """Return the pairs of each split, and check the element spec and cardinality."""
    pairs = {}
    for split in SPLITS:
        examples = getattr(data, split)
        assert examples.element_spec == (tf.TensorSpec((), tf.string),) * 2
        batches = examples.batch(1000).as_numpy_iterator()
        pairs[split] = [(a.decode(), b.decode()) for batch in batches for a, b in zip(*batch, strict=True)]
        assert examples.cardinality() == len(pairs[split])
    return pairs


def numbered(name: str, count: int = 3) -> Pairs:
    return [(f"{name} is {i}.", f"{name} ist {i}.") for i in range(count)]


def lines(texts: list[str] | tuple[str, ...]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def parallel(stem: str, pairs: Pairs, suffix: str = "", compress: Callable = bytes) -> dict[str, bytes]:
    """Return the contents of two parallel files by name."""
    sides = zip(EN_DE, zip(*pairs, strict=True), strict=True)
    return {f"{stem}.{language}{suffix}": compress(lines(side)) for language, side in sides}


def read_all_pairs(data: DataSplits[tf.data.Dataset]) -> Pairs:
    return sorted(itertools.chain(*read_pairs(data).values()))


COMPRESSIONS = pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)],
)


# Parallel files.


@COMPRESSIONS
@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("train.lc.norm.tok", "valid", "test_2031_news"),
        ("train-a", "dev.tok", "test9"),
        ("train", "validation", "test.final"),
    ],
)
def test_directories_of_parallel_files(tmp_path, names, suffix, compress):
    expected = {split: numbered(split, 5 - i) for i, split in enumerate(SPLITS)}
    files = {"train.fr": b"one line\n", "training.en": b"x\n", "validity.de": b"x\n", "README.en.md": b"x"}
    for name, pairs in zip(names, expected.values(), strict=True):
        files |= parallel(name, pairs, suffix, compress)
    data = load_translation(write_files(tmp_path, files), languages=EN_DE)
    assert read_pairs(data) == expected
    assert data.info.languages == EN_DE
    assert data.info.source == str(tmp_path)
    assert data.info.notes == (
        "Left out because they are named after no split: training.en, validity.de.",
        "Pairs: train 5, validation 4, test 3.",
    )
    assert data.info.citation == data.info.license == ""


def test_either_language_can_be_the_source(tmp_path):
    files = {name: content for split in SPLITS for name, content in parallel(split, numbered(split)).items()}
    data = load_translation(write_files(tmp_path, files), languages=("de", "en"))
    assert data.info.languages == ("de", "en")
    assert read_pairs(data)["test"] == [(target, source) for source, target in numbered("test")]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_common_name_means_two_training_files(tmp_path, suffix):
    pairs = numbered("europarl", 300)
    compress = gzip.compress if suffix else bytes
    files = parallel("corpus/europarl-v9", pairs, suffix, compress) | parallel(
        "corpus/europarl", [("x", "y")]
    )
    directory = write_files(tmp_path, files)
    data = load_translation(f"{directory}/corpus/europarl-v9", languages=EN_DE)
    assert read_all_pairs(data) == sorted(pairs)
    assert data.info.source == f"{directory}/corpus/europarl-v9"


def test_only_newlines_end_a_line(tmp_path):
    odd = ["next\x85line", "lone\rreturn", "form\x0cfeed", "para\u2029graph", "tab\there"]
    pairs = [(text, text.upper()) for text in odd]
    files = {name: content for split in SPLITS for name, content in parallel(split, numbered(split)).items()}
    files |= parallel("test", pairs)
    files["test.en"] = b"\xef\xbb\xbf" + files["test.en"].replace(b"\n", b"\r\n") + "caf\ufffd".encode()
    files["test.de"] += " Café \n".encode()
    data = load_translation(write_files(tmp_path, files), languages=EN_DE)
    assert read_pairs(data)["test"] == [*pairs, ("caf\ufffd", "Café")]
    assert re.match(rf"{tmp_path}: 1 of [\d,]+ texts lost characters in a conversion", data.info.notes[0])


# Tables.

TABLE = [("Go.", "Geh."), ("It rains.", "Es regnet."), ("She sings.", "Sie singt.")]


def table(pairs: Pairs) -> bytes:
    return lines(["\t".join(pair) for pair in pairs])


@COMPRESSIONS
@pytest.mark.parametrize("kind", [".tsv", ".txt"])
def test_tables(tmp_path, kind, suffix, compress):
    pairs = numbered("row", 300)
    content = b"\xef\xbb\xbf" + table([(*pair, "by somebody", "9") for pair in pairs])
    content += 'fine\u2028here\tgut\tx\t\r\n\r\n  \nalté\t"neu\ty\t'.encode()
    directory = write_files(tmp_path, {f"pairs{kind}{suffix}": compress(content)})
    data = load_translation(f"{directory}/pairs{kind}{suffix}")
    assert data.info.languages == ("source", "target")
    assert read_all_pairs(data) == sorted([*pairs, ("fine\u2028here", "gut"), ("alté", '"neu')])
    path = f"{directory}/pairs{kind}{suffix}"
    assert data.info.notes[0] == f"{path}: left out the columns 3, 4."


@pytest.mark.parametrize("header", ["", "de,note,en", "Target,note,Source"])
def test_tables_of_spreadsheets(tmp_path, header):
    pairs = [(f'Yes, it is "{i}"; or not.', f"Ja, es ist {i};\noder nicht.") for i in range(300)]
    rows = [header.split(",")] if header else []
    rows += [(target, "x", source) for source, target in pairs] if header else pairs
    for encoding, delimiter in (("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ",")):
        with (tmp_path / "pairs.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        chosen = "cp1252" if encoding == "cp1252" else None
        data = load_translation(str(tmp_path / "pairs.csv"), languages=EN_DE, encoding=chosen)
        assert read_all_pairs(data) == sorted(pairs)
        assert data.info.notes[0].endswith("left out the column note.") == bool(header)


def test_table_languages_can_be_chosen(tmp_path):
    directory = write_files(tmp_path, {"pairs.tsv": table(numbered("row", 300))})
    data = load_translation(f"{directory}/pairs.tsv", languages=("nds", "fy"))
    assert data.info.languages == ("nds", "fy")
    assert ("row is 7.", "row ist 7.") in read_all_pairs(data)


@pytest.mark.parametrize(
    ("header", "languages", "expected"),
    [
        ("id,English,German", ("en", "de"), ("en", "de")),
        ("id,English,german", None, ("en", "de")),
        ("id,en,DE", ("English", "German"), ("English", "German")),
        ("German,id,English", ("en", "de"), ("en", "de")),
    ],
)
def test_headers_of_english_names(tmp_path, header, languages, expected):
    pairs = numbered("row", 300)
    cells = [
        {"id": str(i), "english": en, "en": en, "german": de, "de": de} for i, (en, de) in enumerate(pairs)
    ]
    names = header.lower().split(",")
    rows = [header, *(",".join(row[name] for name in names) for row in cells)]
    data = load_translation(
        f"{write_files(tmp_path, {'pairs.csv': lines(rows)})}/pairs.csv", languages=languages
    )
    assert data.info.languages == expected
    assert read_all_pairs(data) == sorted(pairs)
    assert data.info.notes[0].endswith("left out the column id.")


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("id\tEnglish\tGerman", ("English", "Deutsch")),
        ("id\tEnglish\tGerman", ("es", "fr")),
        ("en\tdeutscher Satz", ("en", "de")),
        ("English\tGerman\tFrench", None),
    ],
)
def test_headers_of_other_columns_raise(tmp_path, header, languages):
    rows = [header, *("\t".join(["text"] * len(header.split("\t"))) for _ in range(80))]
    path = f"{write_files(tmp_path, {'pairs.tsv': lines(rows)})}/pairs.tsv"
    with pytest.raises(DataError) as error:
        load_translation(path, languages=languages)
    first, second = languages or ("source", "target")
    assert f"pairs.tsv, line 1: found what looks like a header: {', '.join(header.split(chr(9)))}." in str(
        error.value
    )
    assert f"Expected a column for {first} and one for {second}. Choose two" in str(error.value)


@pytest.mark.parametrize(
    ("first", "is_noted"), [("Englisch\tDeutsch", True), ("src\tGerman text", True), ("Go.\tGeh.", False)]
)
def test_doubtful_first_pairs_are_noted(tmp_path, first, is_noted):
    pairs = numbered("row", 300)
    path = f"{write_files(tmp_path, {'pairs.tsv': lines([first]) + table(pairs)})}/pairs.tsv"
    data = load_translation(path, languages=EN_DE)
    assert tuple(first.split("\t")) in read_all_pairs(data)
    note = f"{path}: line 1 is read as a pair, not as a header: {first.replace(chr(9), ' -> ')}."
    assert (note in data.info.notes) == is_noted


@pytest.mark.parametrize(
    ("name", "member", "languages", "expected", "swapped"),
    [
        ("deu-eng.zip", "deu.txt", None, ("en", "de"), False),
        ("deu-eng.zip", "deu.txt", ("en", "de"), ("en", "de"), False),
        ("spa-eng_2031-05-01.zip", "spa-eng/spa.txt", ("es", "en"), ("es", "en"), True),
        ("cmn-eng (1).zip", "cmn.txt", None, ("en", "zh"), False),
        ("mine.zip", "directory/pairs.tsv", ("de", "en"), ("de", "en"), False),
        ("deu-england.zip", "pairs.tsv", None, ("source", "target"), False),
    ],
)
def test_zips(tmp_path, name, member, languages, expected, swapped):
    pairs = numbered("zip", 300)
    files = {"_about.txt": b"terms", "sub/_about.txt": b"x", "__MACOSX/._a.txt": b"x", "readme.md": b"x"}
    write_files(tmp_path, {name: zip_files({**files, member: table([(*pair, "CC-BY") for pair in pairs])})})
    data = load_translation(str(tmp_path / name), languages=languages)
    assert data.info.languages == expected
    assert read_all_pairs(data) == sorted(pair[::-1] if swapped else pair for pair in pairs)


# TFDS.


class Parley(tfds.core.GeneratorBasedBuilder):
    """Two languages and no test split."""

    VERSION = tfds.core.Version("2.0.1")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.Translation(["pt", "en"]),
            supervised_keys=("pt", "en"),
            citation="@misc{parley}",
            license="as you like",
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(400), "validation": self._generate_examples(5)}

    def _generate_examples(self, count):
        for i in range(count):
            yield i, {"pt": f"são {i} de {count}", "en": f"it is {i} of {count}"}


class Mute(tfds.core.GeneratorBasedBuilder):
    """No translations."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"words": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        raise AssertionError("not to be prepared")

    def _generate_examples(self):
        raise AssertionError("not to be prepared")


def test_tfds_sets_declare_their_languages(tmp_path):
    data = load_translation("parley", data_dir=tmp_path)
    assert data.info.languages == ("pt", "en")
    assert data.info.source == "parley/2.0.1"
    assert data.info.citation == "@misc{parley}"
    assert data.info.license == "as you like"
    [held_out, sizes] = data.info.notes
    pairs = read_pairs(data)
    count = len(pairs["test"])
    assert held_out.startswith(
        f"parley/2.0.1: of 400 sources of train {count} are for test, chosen by a hash"
    )
    assert sorted(pairs["validation"]) == [(f"são {i} de 5", f"it is {i} of 5") for i in range(5)]
    train = {(f"são {i} de 400", f"it is {i} of 400") for i in range(400)}
    assert {*pairs["train"], *pairs["test"]} == train
    assert 2 <= len(pairs["test"]) <= 20
    assert sizes == f"Pairs: train {400 - len(pairs['test'])}, validation 5, test {len(pairs['test'])}."
    reversed_data = load_translation("parley", languages=("en", "pt"), data_dir=tmp_path)
    assert reversed_data.info.languages == ("en", "pt")
    assert ("it is 3 of 5", "são 3 de 5") in read_pairs(reversed_data)["validation"]


# Mistakes.

GOOD = {name: content for split in SPLITS for name, content in parallel(split, numbered(split)).items()}


def without(*names: str) -> dict[str, bytes]:
    return {name: content for name, content in GOOD.items() if name not in names}


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("", without("train.en", "train.de"), "contains no training data. Expected train.en and train.de"),
        ("", without("train.de"), "train.en: expected a file in 'de' beside it"),
        ("", without("test.en"), "test.de: expected a file in 'en' beside it"),
        ("", GOOD | {"test_b.en": b""}, r"found test.en and test_b.en. Expected one"),
        ("", GOOD | {"train.de.gz": b""}, r"found train.de and train.de.gz. Expected one"),
        (
            "",
            GOOD | {"dev.de": b"", "valid.de": b""},
            "found dev.de and valid.de and validation.de. Expected one",
        ),
        ("", GOOD | {"train.en": b"a\n" * 1200}, r"train.en has 1,200 lines and train.de has 3"),
        ("", GOOD | {"test.de": b"a\nb\nc"}, None),
        (
            "",
            GOOD | {"test.de": b"a\nb\nc\n\n"},
            r"test.en has 3 lines and test.de has 4. Expected a sentence in each line",
        ),
        ("", GOOD | {"test.en": b"", "test.de": b""}, "no pairs for the test split. Expected some in files"),
        ("", without("test.en", "test.de"), "no pairs for the test split"),
        ("", GOOD | {"train.en": b"", "train.de": b""}, "no pairs for the train split"),
        ("corpus", {"corpus.en": b"a\n"}, r"corpus.en: expected a file in 'de'"),
        (
            "train.en",
            GOOD,
            r"train.en: found a file of another .* Expected a directory, a zip, or a file .csv, .tsv.*in common",
        ),
        (
            "a.tsv",
            {"a.tsv": b"one\ntwo\n"},
            "a.tsv, line 1: found 1 cell, separated by tabs, in UTF-8. Expected source and",
        ),
        ("a.tsv", {"a.tsv": b""}, "a.tsv contains no pairs. Expected source and target"),
        (
            "a.csv",
            {"a.csv": b"Yes, sir.,Ja, Herr.\nNo, sir.,Nein, Herr.\n"},
            "a.csv, line 1: found 4 cells, separated by commas, in UTF-8. Expected source and target",
        ),
        ("a.tsv", {"a.tsv": b"a\tb\nbroken\n"}, "a.tsv, line 2: found 1 cell, separated by tabs. Expected 2"),
        ("", GOOD | {"test.de": b"a\n\xe4\n"}, "test.de, line 2: found byte 0xe4, which is not UTF-8"),
        ("a.tsv", {"a.tsv": b"a\tb\n"}, "no pairs for the validation split"),
        (
            "a.tsv.gz",
            {"a.tsv.gz": gzip.compress(table(TABLE))[:-9]},
            "a.tsv.gz cannot be read: Compressed",
        ),
        (
            "a.txt.xz",
            {"a.txt.xz": table(TABLE)},
            "a.txt.xz cannot be read: .* Correct or replace",
        ),
        ("a.zip", {"a.zip": table(TABLE)}, "a.zip cannot be read: File is not a zip file"),
        (
            "a.zip",
            {"a.zip": zip_files({"_a.txt": b"a\tb"})},
            "found no such file. Expected one file .csv, .tsv or .txt",
        ),
        (
            "a.zip",
            {"a.zip": zip_files({"a.txt": b"", "b/b.tsv": b""})},
            "found a.txt, b/b.tsv. Expected one file",
        ),
        (
            "fra-eng.zip",
            {"fra-eng.zip": zip_files({"fra.txt": table(TABLE)})},
            "found the languages en, fr. Expected two of them, got en, de",
        ),
        ("corpus", {}, "is neither a file or directory that exists nor a TFDS data set"),
    ],
)
def test_invalid_files_raise(tmp_path, name, files, message):
    path = str(Path(write_files(tmp_path, files)) / name)
    if message is None:
        load_translation(path, languages=EN_DE)
        return
    with pytest.raises(DataError, match=message) as error:
        load_translation(path, languages=EN_DE)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("name", ["", "train"])
def test_parallel_files_need_languages(tmp_path, name):
    with pytest.raises(
        DataError, match=r"Expected the languages of source and target.* --source en --target de"
    ):
        load_translation(str(Path(write_files(tmp_path, GOOD)) / name))


@pytest.mark.parametrize(
    ("name", "languages", "message"),
    [
        (
            "parley",
            ("pt", "fr"),
            "parley/2.0.1: found the languages pt, en. Expected two of them, got pt, fr",
        ),
        ("parley", ("en", "en"), "Found the language en twice. Expected two"),
        ("parley", "en", "languages: found 'en'. Expected two, of source and target. Write them as a pair"),
        ("parley", ("en",), "languages: found .'en',.. Expected two"),
        ("mute", None, "mute/1.0.0: found the features words .Text.. Expected a translation set"),
        ("dates/dee", None, "Did you mean.* dates/de"),
        ("dates/cn", None, "dates/cn: found the country 'cn'. Expected a language.* Did you mean zh"),
        ("dates/en", None, "neither a file or directory"),
        ((), None, "Found no data set. Expected one"),
    ],
)
def test_invalid_names_raise(tmp_path, name, languages, message):
    with pytest.raises(DataError, match=message):
        load_translation(name, languages=languages, data_dir=tmp_path)


# Which pairs are in which split.


def test_pairs_left_out_are_counted(tmp_path):
    long = " ".join(["word"] * 6)
    empty = [("nothing", " \u00a0"), ("", "nichts"), ("\t", "")]
    train = [("a", "x"), (long, "kurz"), ("a", "y"), ("b", f"{long} mehr"), ("a", "x"), ("A", "x"), *empty]
    held_out = [("c", "z"), ("c", "z"), (long.upper(), long), ("d", "")]
    files = parallel("train", [*train, ("C!", "Z"), ("five of them is fine", "v")]) | parallel(
        "val", held_out
    )
    data = load_translation(
        write_files(tmp_path, files | parallel("test", [("e", "e")])), languages=EN_DE, max_words=5
    )
    assert read_pairs(data) == {
        "train": [("a", "x"), ("a", "y"), ("A", "x"), ("five of them is fine", "v")],
        "validation": held_out[:3],
        "test": [("e", "e")],
    }
    assert data.info.notes == (
        f"{tmp_path}: left out 4 pairs with an empty side.",
        "Left out of train: 2 pairs with a source that is in validation or test, 1 pair of more than 5 words "
        "on a side, 1 pair equal to an earlier one.",
        "Pairs: train 4, validation 3, test 1.",
    )


def test_combined_sets_do_not_train_on_test_sentences(tmp_path):
    first = {name: content for split in SPLITS for name, content in parallel(split, numbered(split)).items()}
    leaks = [("TEST is 1", "geleakt"), ("  validation is, 2 . ", "geleakt"), ("test is 11.", "gut")]
    second = parallel("train", [*leaks, ("Extra  2.", "mehr 2.")])
    second |= parallel("valid", numbered("other")) | parallel("test", [("train is 0.", "Zug")])
    write_files(tmp_path, {f"one/{name}": content for name, content in first.items()})
    write_files(tmp_path, {f"two/{name}": content for name, content in second.items()})
    write_files(tmp_path, {"pairs.tsv": table(numbered("pairs", 300))})
    names = [str(tmp_path / name) for name in ("two", "one", "pairs.tsv")]
    data = load_translation(names, languages=EN_DE)
    alone = read_pairs(load_translation(names[2]))
    assert read_pairs(data) == {
        "train": [("test is 11.", "gut"), ("Extra  2.", "mehr 2."), *numbered("train")[1:], *alone["train"]],
        "validation": numbered("other") + numbered("validation") + alone["validation"],
        "test": [("train is 0.", "Zug"), *numbered("test"), *alone["test"]],
    }
    assert data.info.source == " + ".join(names)
    assert "Left out of train: 3 pairs with a source that is in validation or test." in data.info.notes


def test_sets_that_miss_different_splits_hold_out_the_same_sources(tmp_path):
    pairs = numbered("pairs", 600)
    write_files(tmp_path, {"pairs.tsv": table(pairs)})
    first = parallel("train", pairs) | parallel("val", numbered("val"))
    write_files(tmp_path, {f"one/{name}": content for name, content in first.items()})
    table_alone = read_pairs(load_translation(str(tmp_path / "pairs.tsv")))
    both = [str(tmp_path / name) for name in ("one", "pairs.tsv")]
    combined = read_pairs(load_translation(both, languages=EN_DE))
    assert combined["test"] == table_alone["test"] * 2
    assert combined["validation"] == numbered("val") + table_alone["validation"]
    assert not set(combined["train"]) & set(combined["test"] + combined["validation"])


def test_combined_sets_need_the_same_languages(tmp_path):
    write_files(tmp_path, {"deu-eng.zip": zip_files({"deu.txt": table(numbered("d", 300))})})
    names = [str(tmp_path / "deu-eng.zip"), "parley"]
    with pytest.raises(
        DataError, match=r"different languages: .*deu-eng.zip is en to de, parley/2.0.1 is pt to en"
    ):
        load_translation(names, data_dir=tmp_path)


def test_translations_of_a_sentence_stay_in_one_split_and_the_choice_is_reproducible(tmp_path):
    sources = [f"Sentence {i} of many." for i in range(600)]
    variants = [sources, [source.upper() for source in sources], [f"“{source[:-1]} !”" for source in sources]]
    pairs = [(source, f"{v} {i}") for v in range(3) for i, source in enumerate(variants[v])]
    pairs += [(source, f"again {i}") for i, source in enumerate(sources)]
    write_files(tmp_path, {"pairs.tsv": table(pairs)})
    data = load_translation(str(tmp_path / "pairs.tsv"))
    assert data.info.notes[0] == (
        f"{tmp_path / 'pairs.tsv'}: of 1,800 sources of train 33 are for validation and 24 are for test, "
        "chosen by a hash of their words, with the first translation of each source only."
    )
    splits = read_pairs(data)
    where = {split: {int(re.search(r"\d+", a)[0]) for a, _ in splits[split]} for split in SPLITS}
    assert sum(map(len, where.values())) == 600
    # Train has all translations, the other splits the first one of each source.
    assert splits["train"] == [pair for pair in pairs if int(re.search(r"\d+", pair[0])[0]) in where["train"]]
    for split in ("validation", "test"):
        assert splits[split] == [
            (source, f"{v} {i}")
            for v in range(3)
            for i, source in enumerate(variants[v])
            if i in where[split]
        ]
    assert sorted(where["validation"]) == [91, 139, 203, 238, 339, 357, 360, 430, 484, 487, 509]
    assert sorted(where["test"]) == [24, 64, 65, 79, 142, 260, 470, 561]


def test_sources_without_words_are_distinguished(tmp_path):
    signs = [(a + b, a + b) for a, b in itertools.product("!?…+-*/=<>%&$€☺♥★", repeat=2)]
    write_files(tmp_path, {"pairs.tsv": table(signs)})
    splits = read_pairs(load_translation(str(tmp_path / "pairs.tsv")))
    assert sorted(itertools.chain(*splits.values())) == sorted(signs)
    assert len(splits["train"]) > 200
    assert all(len(splits[split]) < 20 for split in ("validation", "test"))


# The embedded data set.

MONTHS, SHORT_MONTHS, WEEKDAYS = (
    line.split()
    for line in (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    )
)
UNITS = {
    "year": ("Jahr", "Jahre"),
    "month": ("Monat", "Monate"),
    "day": ("Tag", "Tage"),
    "hour": ("Stunde", "Stunden"),
    "minute": ("Minute", "Minuten"),
    "second": ("Sekunde", "Sekunden"),
}


def full(day: datetime.datetime) -> str:
    return f"{WEEKDAYS[day.weekday()]}, {long(day)}"


def long(day: datetime.datetime) -> str:
    return f"{day.day}. {MONTHS[day.month - 1]} {day.year}"


def abbreviated(day: datetime.datetime) -> str:
    return f"{WEEKDAYS[day.weekday()][:2]}., {day.day}. {SHORT_MONTHS[day.month - 1]} {day.year}"


GERMAN = {
    "%A, %B %d, %Y": full,
    "%B %d, %Y": long,
    "%a, %b %d, %Y": abbreviated,
    "%I:%M %p": lambda moment: f"{moment:%H:%M}",
    "%A, %B %d, %Y, %I:%M %p": lambda moment: f"{full(moment)}, {moment:%H:%M}",
    "%b %d, %Y, %I:%M %p": lambda moment: f"{moment:%d.%m.%Y, %H:%M}",
}


@functools.cache
def parse_english(english: str) -> tuple[str, list[tuple[int, int]], set[tuple[str, int]], str]:
    """Return format, number combinations, numbers by unit, and the German wording of an English phrase."""
    if quantities := re.findall(r"(\d+) ([a-z]+?)s?\b", english):
        numbers = [int(number) for number, _ in quantities]
        units = [unit for _, unit in quantities]
        *first, last = [
            f"{number} {UNITS[unit][number != 1]}" for number, unit in zip(numbers, units, strict=True)
        ]
        german = f"{', '.join(first)} und {last}"
        return " ".join(units), [tuple(numbers[-2:])], set(zip(units, numbers, strict=True)), german
    for form, words in GERMAN.items():
        try:
            moment = datetime.datetime.strptime(english, form)
        except ValueError:
            continue
        pairs, numbers = [], set()
        if "%d" in form:
            pairs.append((moment.month, moment.day))
            numbers |= {("month", moment.month), ("day of month", moment.day), ("year of era", moment.year)}
        if "%M" in form:
            pairs.append((moment.hour, moment.minute))
            numbers |= {("hour of day", moment.hour), ("minute of hour", moment.minute)}
        return form, pairs, numbers, words(moment)
    raise AssertionError(english)


def plain(text: str) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", text)


@pytest.fixture(scope="module")
def dates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pairs]:
    """The German examples as the builder generates them."""
    builder = tfds.builder("dates", data_dir=tmp_path_factory.mktemp("tfds"))
    assert builder.info.supervised_keys == EN_DE
    splits = {split: list(examples) for split, examples in builder._split_generators(None).items()}
    assert all(key == example["en"] for examples in splits.values() for key, example in examples)
    return {split: [(key, example["de"]) for key, example in splits[split]] for split in SPLITS}


def test_dates_are_worded_correctly(dates):
    for pairs in dates.values():
        for english, german in pairs:
            assert plain(german) == parse_english(plain(english))[-1]


def test_dates_sizes_and_unique_english_phrases(dates):
    assert {split: len(pairs) for split, pairs in dates.items()} == {
        "train": 10_000,
        "validation": 1_000,
        "test": 1_000,
    }
    english = Counter(source for pairs in dates.values() for source, _ in pairs)
    assert len(english) == 12_000


def test_number_combinations_are_in_one_split_and_all_numbers_in_train(dates):
    pairs, numbers, forms = ({split: Counter() for split in SPLITS} for _ in range(3))
    for split in SPLITS:
        for english, _ in dates[split]:
            form, combined, single, _ = parse_english(plain(english))
            pairs[split].update(combined)
            numbers[split].update(single)
            forms[split][form] += 1
    for one, other in itertools.combinations(SPLITS, 2):
        assert not pairs[one].keys() & pairs[other].keys()
    assert all(len(pairs[split]) > 100 for split in SPLITS)
    for split in ("validation", "test"):
        assert numbers[split].keys() <= numbers["train"].keys()
        assert {form: 10 * count for form, count in forms[split].items()} == forms["train"]
    assert len(forms["train"]) == 10
    expected = {("year of era", year) for year in range(1950, 2050)}
    expected |= {("month", month) for month in range(1, 13)} | {("day of month", day) for day in range(1, 32)}
    expected |= {("hour of day", hour) for hour in range(24)} | {("minute of hour", i) for i in range(60)}
    expected |= {("second", i) for i in range(1, 60)}
    rarest = min(expected, key=numbers["train"].get)
    assert numbers["train"][rarest] >= 5, rarest


@pytest.mark.parametrize(
    ("phrase", "numbers", "locale", "expected"),
    [
        ("full", (2018, 3, 5), "en", "Monday, March 5, 2018"),
        ("full", (2018, 3, 5), "de", "Montag, 5. März 2018"),
        ("full", (2018, 3, 5), "fr", "lundi 5 mars 2018"),
        ("full", (2018, 3, 5), "es", "lunes, 5 de marzo de 2018"),
        ("full", (2018, 3, 5), "ja", "2018年3月5日月曜日"),
        ("full", (2018, 3, 5), "tr", "5 Mart 2018 Pazartesi"),
        ("long", (1999, 12, 31), "en", "December 31, 1999"),
        ("long", (1999, 12, 31), "es", "31 de diciembre de 1999"),
        ("long", (1999, 12, 31), "hi", "31 दिसंबर 1999"),
        ("abbreviated", (1999, 12, 31), "en", "Fri, Dec 31, 1999"),
        ("abbreviated", (1999, 12, 31), "fr", "ven. 31 déc. 1999"),
        ("time", (0, 7), "en", "12:07 AM"),
        ("time", (0, 7), "fr", "00:07"),
        ("time", (13, 7), "es", "13:07"),
        ("time", (13, 7), "ar", "1:07 م"),
        ("medium, time", (2018, 3, 5, 15, 20), "en", "Mar 5, 2018, 3:20 PM"),
        ("medium, time", (2018, 3, 5, 15, 20), "de", "05.03.2018, 15:20"),
        ("full, time", (2018, 3, 5, 15, 20), "en", "Monday, March 5, 2018, 3:20 PM"),
        ("full, time", (2018, 3, 5, 15, 20), "th", "วันจันทร์ที่ 5 มีนาคม ค.ศ. 2018 15:20"),
        ("hours", (1, 20), "en", "1 hour and 20 minutes"),
        ("hours", (1, 20), "fr", "1 heure et 20 minutes"),
        ("hours", (1, 20), "nl", "1 uur en 20 minuten"),
        ("minutes", (2, 1), "es", "2 minutos y 1 segundo"),
        ("minutes", (2, 1), "zh", "2分钟和1秒钟"),
        ("years", (2, 11), "fr", "2 ans et 11 mois"),
        ("days", (6, 23, 1), "en", "6 days, 23 hours, and 1 minute"),
        ("days", (6, 23, 1), "fr", "6 jours, 23 heures et 1 minute"),
        ("days", (1, 2, 5), "ru", "1 день, 2 часа и 5 минут"),
    ],
)
def test_phrases_of_many_locales(phrase, numbers, locale, expected):
    assert plain(dates_module.PHRASES[phrase].format(locale, *numbers)) == expected


def test_another_locale(tmp_path, monkeypatch):
    monkeypatch.setattr(dates_module, "SIZES", {"train": 300, "validation": 100, "test": 100})
    data = load_translation("dates/ar", data_dir=tmp_path)
    assert data.info.languages == ("en", "ar")
    assert data.info.source == f"dates/ar/1.{'.'.join(babel.__version__.split('.')[:2])}"
    assert data.info.license == "Unicode-3.0"
    assert data.info.notes == ("Pairs: train 300, validation 100, test 100.",)
    pairs = read_pairs(data)
    assert [len(pairs[split]) for split in SPLITS] == [300, 100, 100]
    assert all(parse_english(plain(english)) for english, _ in itertools.chain(*pairs.values()))
    words = set(re.findall(r"[^\W\d_]+", " ".join(target for _, target in pairs["train"])))
    assert {"أبريل", "الأحد", "دقيقة", "م"} <= words
    assert not any(word.isascii() for word in words)


def test_numbers_never_change():
    # Other numbers need a new `Dates.VERSION`; otherwise TFDS goes on using prepared data.
    numbers = {
        name: next(dates_module._generate_numbers(name, phrase, "test"))
        for name, phrase in dates_module.PHRASES.items()
    }
    assert numbers == {
        "full": (1994, 11, 18),
        "long": (2004, 2, 25),
        "abbreviated": (2007, 4, 23),
        "time": (17, 4),
        "full, time": (1972, 12, 21, 0, 15),
        "medium, time": (1979, 11, 20, 23, 53),
        "years": (31, 7),
        "days": (5, 14, 42),
        "hours": (6, 6),
        "minutes": (43, 56),
    }
