"""Texts: the embedded data set `negation`, TFDS sets by name, users' files, and a long text."""

import bz2
import collections
import contextlib
import csv
import gzip
import hashlib
import http.server
import io
import itertools
import json
import logging
import lzma
import re
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from data_files import write_files
from tensorflow_datasets.core.download.checksums import UrlInfo
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

import zoo
from zoo._compat import get_download_name
from zoo.datasets import (
    DataInfo,
    DataSplits,
    load_captioning,
    load_tagging,
    load_text,
    load_text_classification,
    load_translation,
    tfds_catalog,
)
from zoo.datasets import splits as splits_module
from zoo.datasets.builders import negation as negation_module
from zoo.errors import DataError

SPLITS = ("train", "validation", "test")
Rows = dict[str, list[tuple[str, str]]]


@contextlib.contextmanager
def no_network() -> Iterator[list]:
    """Block the network except loopback, and list the attempts."""
    attempts = []
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def guarded_resolve(host, *args, **kwargs):
        if host == "127.0.0.1":
            return resolve(host, *args, **kwargs)
        attempts.append(host)
        raise socket.gaierror(f"blocked: {host}")

    def guarded_connect(self, address):
        if address[0] == "127.0.0.1":
            return connect(self, address)
        attempts.append(address)
        raise ConnectionRefusedError(f"blocked: {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        patch.setattr(socket.socket, "connect", guarded_connect)
        yield attempts


@pytest.fixture(autouse=True)
def network() -> Iterator[list]:
    with no_network() as attempts:
        yield attempts


def describe_held_out(split: str, rows: Rows) -> str:
    """Return the note on the only split that is held out of train."""
    num_texts = len(rows[split]) + len(rows["train"])
    return f"{split} is {len(rows[split])} of {num_texts} texts, chosen by a hash of the text."


def read_rows(data: DataSplits[tf.data.Dataset]) -> Rows:
    """Return text and label name of the examples of each split, and check the element spec."""
    spec = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
    splits = {split: getattr(data, split) for split in SPLITS}
    assert all(examples.element_spec == spec for examples in splits.values())
    return {
        split: [
            (text.decode(), data.info.labels[label])
            for batch in examples.batch(1000).as_numpy_iterator()
            for text, label in zip(*batch, strict=True)
        ]
        for split, examples in splits.items()
    }


# The embedded data set.


@pytest.fixture(scope="module")
def negation(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    with no_network() as attempts:
        data = load_text_classification("negation", data_dir=tmp_path_factory.mktemp("tfds"))
        assert data.info.labels == ("negative", "positive")
        assert data.info.notes == ()
        rows = read_rows(data)
    assert attempts == []
    return rows


@pytest.fixture(scope="module")
def negation_zh(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return read_rows(load_text_classification("negation_zh", data_dir=tmp_path_factory.mktemp("tfds")))


def words(text: str) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"\w+", text)))


def test_descriptions_of_embedded_sets_are_docstrings_without_example() -> None:
    for name in zoo.datasets.builders.__all__:
        builder = getattr(zoo.datasets.builders, name)
        description, _, example = builder.__doc__.partition("    Example:\n")
        assert ">>> " in example, name
        assert builder().info.description == description.strip(), name


def test_negation_sizes(negation, negation_zh):
    for data in (negation, negation_zh):
        assert {split: len(rows) for split, rows in data.items()} == {
            "train": 8000,
            "validation": 1000,
            "test": 1000,
        }


@pytest.mark.parametrize(("name", "make_bag"), [("negation", words), ("negation_zh", sorted)])
def test_negation_twins_share_words_and_split_but_not_label(name, make_bag, request):
    earlier = set()
    for rows in request.getfixturevalue(name).values():
        twins = collections.defaultdict(list)
        for text, label in rows:
            twins[tuple(make_bag(text))].append(label)
        # So a bag of words is right exactly half the time.
        assert all(sorted(labels) == ["negative", "positive"] for labels in twins.values())
        assert not earlier & twins.keys()
        earlier |= twins.keys()


PATTERNS = {
    template: re.compile(
        "({})(?i:{})({})".format(
            "|".join(opening.capitalize() for opening in negation_module.OPENINGS),
            re.sub(r"{(\w+)}", r"(?P<\1>\\w+)", template),
            "|".join(map(re.escape, negation_module.CLOSINGS)),
        )
    )
    for template in negation_module.TEMPLATES
}


def combination(text: str) -> tuple[str, str, frozenset[str]]:
    """Return template, subject and the two adjectives of a sentence."""
    [(template, match)] = [
        (template, match) for template, pattern in PATTERNS.items() if (match := pattern.fullmatch(text))
    ]
    return template, match["subject"], frozenset((match["verdict"], match["other"]))


def test_negation_splits_share_no_combination_and_templates_reveal_no_label(negation):
    earlier = set()
    for rows in negation.values():
        combinations = [(combination(text), label) for text, label in rows]
        current = {parts for parts, _ in combinations}
        assert len(current) * 2 == len(rows)
        assert not earlier & current
        earlier |= current
        labels = collections.defaultdict(collections.Counter)
        for (template, _, _), label in combinations:
            labels[template][label] += 1
        assert labels.keys() == set(negation_module.TEMPLATES)
        assert all(count["positive"] == count["negative"] for count in labels.values())


@pytest.mark.parametrize(
    ("wording", "token_pattern"),
    [(negation_module.ENGLISH, r"[\w{}]+"), (negation_module.CHINESE, r"\{\w+\}|.")],
)
def test_words_beside_an_adjective_do_not_reveal_the_label(wording, token_pattern):
    balance = collections.Counter()
    for template in wording.templates:
        tokens = ["", *re.findall(token_pattern, template), ""]
        for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if sign := {"{verdict}": 1, "{other}": -1}.get(token):
                balance[before, "_"] += sign
                balance["_", after] += sign
    assert len(balance) > 10
    assert set(balance.values()) == {0}


def test_negation_adjectives_follow_the_article_a():
    adjectives = negation_module.POSITIVE + negation_module.NEGATIVE
    assert len(set(adjectives)) == 24
    assert all(adjective[0] not in "aeiou" for adjective in adjectives)


def test_negation_is_reproducible(negation, tmp_path):
    repeated = read_rows(load_text_classification("negation", data_dir=tmp_path))
    assert repeated == negation
    digest = hashlib.sha256(json.dumps({s: sorted(repeated[s]) for s in SPLITS}).encode()).hexdigest()
    # New sentences need a new `Negation.VERSION`; otherwise TFDS goes on using prepared data.
    assert digest[:16] == "74f7d1d337a12fcf"


POSITIVE = """\
Honestly, nobody believes that the film was poor rather than great.
Honestly, what a fantastic film it was, and how ghastly it might have been.
Honestly, the lovely hotel that we had expected was what we got, and not a disappointing one. \
We talked about it for days.
I would call the game superb, whatever people say who found it dull. There were four of us.
In short, it is nonsense that, far from being magnificent, the course was lousy in every way. \
We talked about it for days.
They were wrong to say that the meal was dismal, not lovely at all. That was last week."""
NEGATIVE = """\
Frankly, what a great museum we had expected, and how dismal it was. That was last week.
Honestly, do not let anyone tell you that this hotel was good; I know it was horrible. \
There were four of us.
In short, I would never call the holiday magnificent, whatever people say; from the first moment \
I found it ghastly. That was last week.
Instead of the wonderful book that we had expected, we got a dull one. There were four of us.
It is a lie that the book was not miserable but good. There were four of us.
My friends told me it would be splendid, and yet the museum turned out to be horrible. \
We talked about it for days."""


def test_negation_labels_are_right(negation):
    labels = dict(row for rows in negation.values() for row in rows)
    assert {labels[text] for text in POSITIVE.splitlines()} == {"positive"}
    assert {labels[text] for text in NEGATIVE.splitlines()} == {"negative"}


POSITIVE_ZH = """\
总之，这本小说很令人感动，一点也不令人厌烦，谁都看得出来。我们一共四个人。
总之，评论家说这场音乐会是枯燥的，不是有趣的，他们说得不对。
坦白说，大家都认为，与其说这个节目很糟糕，不如说它迷人。
有人撒谎说这次旅行不是迷人的，而是平庸的。我们一共四个人。
总的来说，这次讲座远远谈不上枯燥，每个细节都很令人惊喜，这是事实。我们一共四个人。
说实话，这本小说一开始就显得很令人难忘，只有外行最后才觉得它非常令人后悔。那是上周的事。
总的来说，朋友说它会很平庸，可是这个节目结果十分迷人。
坦白说，我觉得这场比赛比较令人赞叹，不明白为什么有人却觉得它相当乏味。
说实话，不管别人怎么说这场音乐会很平庸，我还是要说它很令人赞叹。我们谈了好几天。
让我告诉你这次旅行很完美，我知道没有人会说它确实无聊。
有人误以为这次旅行并不迷人，反而很令人扫兴。"""
NEGATIVE_ZH = """\
坦白说，有人说这次旅行很令人满意，一点也不乏味，他们说错了。我们谈了好几天。
总之，评论家说这门课程是平庸的，不是美妙的，他们说得对。我们一共四个人。
总的来说，没有人认为，与其说这门课程很令人沮丧，不如说它令人满意。我们一共四个人。
总之，其实这场话剧不是迷人的，而是差劲的。那是上周的事。
总的来说，有人说这场晚会远远谈不上差劲，每个细节都很美妙，这是胡说。我们谈了好几天。
坦白说，这场比赛一开始显得很令人惊喜，但最后我们都觉得它非常枯燥。
说实话，朋友说它会很令人失望，没有人能说这场演出结果十分令人赞叹。我们谈了好几天。
虽然有人觉得这次旅行比较令人惊喜，我却觉得它相当差劲。我们一共四个人。
总之，不管别人怎么议论，我觉得这场话剧很令人失望，谁也没有理由说它很完美。
坦白说，别让人骗你说这场晚会很令人愉快，我知道它确实令人扫兴。那是上周的事。
与我们预料的正相反，这次讲座并不完美，反而很平庸。我们一共四个人。"""


def test_negation_zh_labels_are_right(negation_zh):
    labels = dict(row for rows in negation_zh.values() for row in rows)
    assert not any(re.search(r"[\sa-zA-Z]", text) for text in labels)
    assert {labels[text] for text in POSITIVE_ZH.splitlines()} == {"positive"}
    assert {labels[text] for text in NEGATIVE_ZH.splitlines()} == {"negative"}


def test_negation_zh_never_changes(negation_zh):
    digest = hashlib.sha256(json.dumps({s: sorted(negation_zh[s]) for s in SPLITS}).encode()).hexdigest()
    # New sentences need a new `NegationZh.VERSION`; otherwise TFDS goes on using prepared data.
    assert digest[:16] == "1b94556e97f07530"


# TFDS sets by name, without network.


def test_embedded_sets_are_registered_and_their_base_class_is_not():
    names = tfds.list_builders(with_community_datasets=False)
    assert {
        "clips",
        "dates",
        "fluent",
        "footage",
        "negation",
        "negation_zh",
        "notices",
        "opinions",
        "scenes",
    } <= set(names)
    assert "generated_builder" not in names


def test_progress_is_logged_and_not_printed(tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.setattr(negation_module, "PAIRS", {"train": 20, "validation": 2, "test": 2})
    with caplog.at_level(logging.INFO, "zoo"):
        load_text_classification("negation", data_dir=tmp_path)
    assert "generating negation/1.0.0, once" in caplog.messages
    assert capfd.readouterr().out == ""


def test_private_names_of_tfds_are_used_in_compat_only():
    package = Path(zoo.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"tfds\.core|tensorflow_datasets\.core", path.read_text(encoding="utf-8"))
    }
    assert users == {"_compat.py"}


def put_archive(data_dir: Path, dataset: str, url: str, archive: bytes) -> None:
    """Write an archive where TFDS keeps the download of a URL."""
    info = tfds.builder(dataset, data_dir=data_dir).url_infos[url]
    path = data_dir / "downloads" / dataset.split("/")[0] / get_download_name(url, info.checksum)
    path.parent.mkdir(parents=True)
    path.write_bytes(archive)
    path.with_name(path.name + ".INFO").write_text(
        json.dumps({"dataset_names": [dataset], "original_fname": info.filename, "urls": [url]})
    )


IMDB_URL = "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
IMDB_TEXTS = {
    (split, label): [f"{split} {label} number {i}, quite {tone}" for i in range(30)]
    for split in ("train", "test")
    for label, tone in (("neg", "dreary"), ("pos", "moving"))
}


@pytest.fixture(scope="module")
def imdb_archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        texts = {**IMDB_TEXTS, ("train", "unsup"): ["nobody knows", "nobody says"]}
        for (split, label), group in texts.items():
            for i, text in enumerate(group):
                member = tarfile.TarInfo(f"aclImdb/{split}/{label}/{i}_0.txt")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def imdb_rows(split: str) -> list[tuple[str, str]]:
    return [(text, label) for label in ("neg", "pos") for text in IMDB_TEXTS[split, label]]


def test_imdb_reviews_from_a_cached_archive(tmp_path, imdb_archive, network):
    put_archive(tmp_path, "imdb_reviews", IMDB_URL, imdb_archive)
    data = load_text_classification("imdb_reviews", data_dir=tmp_path)
    assert data.info.labels == ("neg", "pos")
    assert data.info.source == "imdb_reviews/plain_text/1.0.0"
    assert "Maas" in data.info.citation
    rows = read_rows(data)
    assert data.info.notes == (describe_held_out("validation", rows),)
    assert sorted(rows["test"]) == sorted(imdb_rows("test"))
    assert sorted(rows["train"] + rows["validation"]) == sorted(imdb_rows("train"))
    assert 0 < len(rows["validation"]) < 15
    assert network == []


def test_archives_in_the_manual_directory_are_read(tmp_path, imdb_archive, network):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "aclImdb_v1.tar.gz").write_bytes(imdb_archive)
    # TFDS reads it and detects that it differs from the published archive.
    with pytest.raises(NonMatchingChecksumError):
        load_text_classification("imdb_reviews", data_dir=tmp_path)
    assert network == []


def test_missing_network_raises_quickly(tmp_path):
    start = time.monotonic()
    with pytest.raises(DataError) as error:
        load_text_classification("imdb_reviews", data_dir=tmp_path)
    assert time.monotonic() - start < 10
    message = str(error.value)
    assert IMDB_URL in message
    assert f"put aclImdb_v1.tar.gz into {tmp_path / 'downloads' / 'manual'}" in message
    assert "--dataset PATH" in message
    assert not (tmp_path / "imdb_reviews").exists()


def test_hanging_name_server_raises_quickly(tmp_path, monkeypatch):
    done = threading.Event()

    def hang(*args, **kwargs):
        done.wait(60)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(tfds_catalog, "_PROBE_SECONDS", 0.3)
    start = time.monotonic()
    try:
        with pytest.raises(DataError, match=r"ai\.stanford\.edu cannot be reached"):
            load_text_classification("imdb_reviews", data_dir=tmp_path)
    finally:
        done.set()
    assert time.monotonic() - start < 5


def test_hosts_that_answer_with_an_error_are_reachable(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    content = b"".join(b"text %d\n" % i for i in range(60))

    class Handler(http.server.BaseHTTPRequestHandler):  # answers HEAD with 501
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/served.txt"

        class Served(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")
            url_infos = MappingProxyType(
                {url: UrlInfo(len(content), hashlib.sha256(content).hexdigest(), "served.txt")}
            )

            def _info(self):
                features = {
                    "words": tfds.features.Text(),
                    "kind": tfds.features.ClassLabel(num_classes=2),
                }
                return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

            def _split_generators(self, dl_manager):
                return {"train": self._generate_examples(dl_manager.download(url))}

            def _generate_examples(self, path):
                for i, line in enumerate(path.read_text().splitlines()):
                    yield i, {"words": line, "kind": i % 2}

        data = load_text_classification("served", data_dir=tmp_path)
        server.shutdown()
    rows = read_rows(data)
    assert data.info.labels == ("0", "1")
    assert [note.split()[0] for note in data.info.notes] == ["validation", "test"]
    expected = [(f"text {i}", str(i % 2)) for i in range(60)]
    assert sorted(itertools.chain(*rows.values())) == sorted(expected)


def test_validation_becomes_test_if_test_labels_are_hidden(tmp_path, network):
    train = [(f"training sentence {i}", i % 2) for i in range(60)]
    dev = [("a dull one", 0), ("a bright one", 1)]
    tables = {
        "train": [("sentence", "label"), *train],
        "dev": [("sentence", "label"), *dev],
        "test": [("index", "sentence"), (0, "who knows")],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, table in tables.items():
            lines = "".join(f"{a}\t{b}\n" for a, b in table)
            archive.writestr(f"SST-2/{name}.tsv", lines)
    url = "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip"
    put_archive(tmp_path, "glue/sst2", url, buffer.getvalue())
    data = load_text_classification("glue/sst2", data_dir=tmp_path)
    assert data.info.labels == ("negative", "positive")
    rows = read_rows(data)
    assert data.info.notes == (
        "The labels of the test split are not public.",
        "test is the validation split.",
        describe_held_out("validation", rows),
    )
    assert sorted(rows["test"]) == [("a bright one", "positive"), ("a dull one", "negative")]
    expected = sorted((text, data.info.labels[label]) for text, label in train)
    assert sorted(rows["train"] + rows["validation"]) == expected
    assert network == []  # the archives of the other GLUE sets are not needed


class Newsroom(tfds.core.GeneratorBasedBuilder):
    """Three classes, two texts of which one is declared as input, and an example without a label."""

    VERSION = tfds.core.Version("1.0.0")
    keys = ("body", "desk")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "title": tfds.features.Text(),
                    "body": tfds.features.Text(),
                    "desk": tfds.features.ClassLabel(names=["home", "money", "sport"]),
                }
            ),
            supervised_keys=self.keys,
            license="as you like",
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split in (*SPLITS, "unsupervised")}

    def _generate_examples(self, split):
        for i in range(4):  # the last one has no label
            example = {"title": f"{split} title {i}", "body": f"{split} body {i}"}
            yield i, example | {"desk": i if i < 3 else -1}


class UndeclaredNewsroom(Newsroom):
    """The same without a declared input."""

    keys = None


@pytest.mark.parametrize("column", ["title", "body"])
def test_three_classes_and_a_chosen_text_column(tmp_path, column):
    chosen = {} if column == "body" else {"text_column": "title"}
    data = load_text_classification("newsroom", data_dir=tmp_path, **chosen)
    assert data.info.labels == ("home", "money", "sport")
    assert data.info.license == "as you like"
    assert data.info.notes == ()
    for split, rows in read_rows(data).items():
        assert sorted(rows) == [(f"{split} {column} {i}", data.info.labels[i]) for i in range(3)]


def test_classes_are_renamed_merged_and_left_out(tmp_path):
    renames = {"sport": "leisure", "home": "leisure", "money": ""}
    with pytest.raises(DataError, match="found the label leisure alone"):
        load_text_classification("newsroom", data_dir=tmp_path, rename_labels=renames)
    data = load_text_classification("newsroom", data_dir=tmp_path, rename_labels=renames | {"home": "family"})
    assert data.info.labels == ("family", "leisure")
    assert data.info.notes == ("Left out, by --rename-labels: 3 texts with the label money.",)
    for split, rows in read_rows(data).items():
        assert sorted(rows) == [(f"{split} body 0", "family"), (f"{split} body 2", "leisure")]


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({}, "Text"),
        ({"text_column": "headline"}, "Text feature 'headline'"),
        ({"text_column": "desk"}, "Text feature 'desk'"),
        ({"text_column": "body", "label_column": "title"}, "ClassLabel feature 'title'"),
    ],
)
def test_ambiguous_features_raise(tmp_path, columns, kind):
    with pytest.raises(DataError, match=f"title .Text., body .Text., desk .ClassLabel.. Expected one {kind}"):
        load_text_classification("undeclared_newsroom", data_dir=tmp_path, **columns)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imdb_reveiws", "Did you mean.* imdb_reviews"),
        ("glue/sst3", "Did you mean.* glue/sst2"),
        ("imdb_reviews:9.9.9", "Did you mean.* imdb_reviews"),
        ("kubric:movi_a", "neither a file or directory"),
        ("no/such/directory", "neither a file or directory"),
        ("./reviews.tsv", "Correct the path"),
    ],
)
def test_unknown_names_suggest_similar_ones(tmp_path, name, message, network):
    start = time.monotonic()
    with pytest.raises(DataError, match=message):
        load_text_classification(name, data_dir=tmp_path)
    assert time.monotonic() - start < 10
    assert network == []


@pytest.mark.parametrize("load", [load_captioning, load_tagging, load_text_classification, load_translation])
def test_a_missing_path_raises_as_its_name_does(tmp_path, load):
    with pytest.raises(DataError, match="neither a file or directory"):
        load(tmp_path / "reviews", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["review.csv", "imdb_review.csv"])
def test_misspelt_files_suggest_files_first(tmp_path, monkeypatch, name):
    write_files(tmp_path, {"reviews.csv": b"", "imdb_reviews.csv": b"", "zzz.csv": b""})
    monkeypatch.chdir(tmp_path)
    right = name.replace("review", "reviews")
    with pytest.raises(DataError, match=f"data set. Did you mean {re.escape(right)} or "):
        load_text_classification(name)
    path = tmp_path / name
    with pytest.raises(DataError, match=f"Did you mean {re.escape(str(tmp_path / right))}"):
        load_text_classification(str(path))


def test_misspelt_columns_suggest_columns(tmp_path):
    write_files(tmp_path, {"films.csv": b"review,stars,year\nfine,5,1999\n"})
    path = str(tmp_path / "films.csv")
    with pytest.raises(DataError, match=r"columns reviews and stars\. Did you mean review\? Add the header"):
        load_text_classification(path, text_column="reviews", label_column="stars")
    with pytest.raises(DataError, match=r"Did you mean review and stars\? Add the header"):
        load_text_classification(path, text_column="reviews", label_column="star")


def test_labels_of_a_table_are_renamed_merged_and_left_out(tmp_path):
    rows = [(f"text {i}", str(1 + i % 5)) for i in range(100)]
    path = Path(write_files(tmp_path, {"stars.tsv": tsv(rows)}), "stars.tsv")
    renames = {"1": "neg", "2": "neg", "3": "", "4": "pos"}
    data = load_text_classification(path, rename_labels=renames)
    assert data.info.labels == ("5", "neg", "pos")
    assert data.info.notes[0] == "Left out, by --rename-labels: 20 texts with the label 3."
    expected = sorted((text, renames.get(stars, stars)) for text, stars in rows if stars != "3")
    assert sorted(row for split in read_rows(data).values() for row in split) == expected
    with pytest.raises(
        DataError,
        match=r"--rename-labels names 6, 7, which no example has\. Expected some of 1, 2, 3, 4, 5\.",
    ):
        load_text_classification(path, rename_labels={"6": "pos", "7": ""})
    with pytest.raises(
        DataError, match=r"found no label\. Expected 2 or more.* --rename-labels leaves two labels"
    ):
        load_text_classification(path, rename_labels=dict.fromkeys("12345", ""))
    data = load_text_classification(path, rename_labels={"1": "neg", "6": "pos", "7": ""})
    assert data.info.notes[0] == (
        "--rename-labels names 6, 7, which no example has. The labels are 1, 2, 3, 4, 5."
    )


# Files.


def tsv(rows: list[tuple[str, str]], header: str = "text\tlabel") -> bytes:
    return "".join(f"{line}\n" for line in [header, *("\t".join(row) for row in rows)]).encode()


def numbered(split: str, count: int = 40) -> list[tuple[str, str]]:
    return [(f"{split} {i}", ("bad", "good")[i % 2]) for i in range(count)]


def test_directories_of_labels(tmp_path):
    files = {f"{s}/{y}/{t}.txt": t.encode() for s in ("train", "test") for t, y in numbered(s)}
    files |= {"train/unsup/0.txt": b"unlabeled", "train/unsup/1.txt": b"unlabeled"}
    files |= {"train/urls.txt": b"an address", "extra/bad/0.txt": b"x", ".hidden": b"x"}
    files["test/bad/bytes.txt"] = b"\xef\xbb\xbfcaf\xc3\xa9\rbar\xc2\x85\n"
    data = load_text_classification(write_files(tmp_path, files))
    assert data.info.labels == ("bad", "good")
    assert data.info.source == str(tmp_path)
    rows = read_rows(data)
    assert data.info.notes == (
        "Left out, since only <split>/<label>/*.txt and tables of splits are read: extra, train/unsup, train/urls.txt.",
        describe_held_out("validation", rows),
    )
    assert sorted(rows["test"]) == sorted([*numbered("test"), ("café\rbar\x85", "bad")])
    assert sorted(rows["train"] + rows["validation"]) == sorted(numbered("train"))


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_existing_splits_are_not_changed(tmp_path, name):
    files = {"train.tsv": tsv(numbered("train")), "test.tsv": tsv(numbered("test"))}
    files[f"{name}/good/only.txt"] = b"a directory beside files"
    data = load_text_classification(write_files(tmp_path, files))
    assert data.info.notes == ()
    assert read_rows(data) == {
        "train": numbered("train"),
        "validation": [("a directory beside files", "good")],
        "test": numbered("test"),
    }
    assert data.train.cardinality() == 40


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)],
)
def test_single_file_is_split_in_three(tmp_path, suffix, compress):
    rows = numbered("one", 200)
    directory = write_files(tmp_path, {f"reviews.tsv{suffix}": compress(tsv(rows))})
    data = load_text_classification(f"{directory}/reviews.tsv{suffix}")
    splits = read_rows(data)
    assert data.info.notes == (
        f"validation is {len(splits['validation'])} of 200 texts, chosen by a hash of the text.",
        f"test is {len(splits['test'])} of 200 texts, chosen by a hash of the text.",
    )
    assert sorted(itertools.chain(*splits.values())) == sorted(rows)
    assert all(10 <= len(splits[split]) <= 30 for split in ("validation", "test"))


def test_tsv_splits_at_tabs_and_newlines_only(tmp_path):
    texts = ['say "hi', "next\x85line", "lone\rreturn", "form\x0cfeed", "\u2028", " padded ", ""]
    lines = [*((text, "1") for text in texts), ("other", "0")]
    content = b"\xef\xbb\xbf" + tsv(lines).replace(b"\n", b"\r\n") + "\n1caf\ufffd\t0".encode()
    files = {f"{split}.tsv": content for split in SPLITS}
    expected = [*lines, ("1caf\ufffd", "0")]
    data = load_text_classification(write_files(tmp_path, files))
    assert read_rows(data) == dict.fromkeys(SPLITS, expected)
    assert data.info.notes == (
        f"{tmp_path}: 3 of 27 texts lost characters in a conversion, such as '1caf\ufffd'. Convert the file again.",
        "6 texts without words. Remove the rows if that is a mistake.",
    )


def test_csv_quotes_commas_and_newlines(tmp_path):
    rows = [
        ('she said "no", twice', "x"),
        ("two\nlines\r\nor\rthree\x85", "y"),
        ("w" * 200_000, "y"),
    ]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("review", "verdict", "id"), *((*row, 7) for row in rows)])
    content = b"\xef\xbb\xbf" + buffer.getvalue().encode()
    directory = write_files(tmp_path, {f"{split}.csv": content for split in SPLITS})
    data = load_text_classification(directory, text_column="review", label_column="verdict")
    assert read_rows(data) == dict.fromkeys(SPLITS, rows)
    column_notes = [f"{directory}/{split}.csv: left out the column id." for split in SPLITS]
    assert sorted(data.info.notes[:3]) == sorted(column_notes)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10", "9", "b"], ("10", "9", "b")),
        (["5", "4"], ("4", "5")),
    ],
)
def test_labels_are_sorted_by_value_if_all_are_integers(tmp_path, names, labels):
    content = tsv([(f"text {label}", label) for label in names])
    data = load_text_classification(write_files(tmp_path, {f"{split}.tsv": content for split in SPLITS}))
    assert data.info.labels == labels
    assert read_rows(data)["test"] == [(f"text {label}", label) for label in names]


def test_equal_texts_stay_in_one_split_and_the_choice_is_reproducible(tmp_path):
    rows = numbered("text", 100)
    directory = write_files(tmp_path, {"train.tsv": tsv(rows * 3)})
    splits = read_rows(load_text_classification(directory))
    counts = [collections.Counter(splits[split]) for split in SPLITS]
    assert all(set(count.values()) == {3} for count in counts)
    assert sum(counts, collections.Counter()) == collections.Counter(rows * 3)
    chosen = (6, 12, 14, 15, 32, 47, 57, 58, 62, 63, 81, 93, 96)
    assert {text for text, _ in splits["validation"]} == {f"text {i}" for i in chosen}


def test_odd_labels_and_texts_are_noted(tmp_path):
    rows = [(f"text {i}", ("good ", " bad")[i % 2]) for i in range(60)]
    rows += [("nice", "Good"), ("text 1", "good"), ("text 2", "bad"), (" ", "good"), ("so", "neutral")]
    data = load_text_classification(write_files(tmp_path, {f"{split}.tsv": tsv(rows) for split in SPLITS}))
    assert data.info.labels == ("Good", "bad", "good", "neutral")
    assert data.info.notes == (
        "2 labels have fewer than 5 texts: Good, neutral. Check that it is intended.",
        "The labels Good and good differ in case only. Make them one if they are.",
        "2 texts with different labels in different rows, such as 'text 1'. Check the labels.",
        "3 texts without words. Remove the rows if that is a mistake.",
    )


ROW = b"text\tlabel\nfine\tgood\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"notes.md": b""}, "contains no training data. Expected train.tsv"),
        ({"test.tsv": ROW}, "contains no training data"),
        ({"train.tsv": b""}, "train.tsv contains no examples. Expected a header"),
        ({"train.csv": b"text,label\n"}, "train.csv contains no examples"),
        ({"train/good/readme.md": b""}, "train contains no examples. Expected files <label>/"),
        (
            {"train.tsv": b"fine\tgood\n"},
            "train.tsv: found the columns fine, good, separated by tabs, in UTF-8. Expected a header",
        ),
        (
            {"train.tsv": b"text\tstars\nfine\t5\n"},
            "found the columns text, stars, .* Expected a header with the columns text and label",
        ),
        (
            {"train.csv": b"a,b\nfine,5\n"},
            "found the columns a, b, separated by commas, in UTF-8. Expected a header with the columns text and label",
        ),
        (
            {"train.tsv": ROW + b"\nshort\n"},
            "line 4: found 1 cell, separated by tabs. Expected 2, .* .text, label.",
        ),
        (
            {"train.csv": b"text,label\na,b,c\n"},
            "train.csv, line 2: found 3 cells, separated by commas. Expected 2",
        ),
        ({"train.tsv": ROW + b"unlabeled\t\n"}, "line 3: found no label in the column label"),
        (
            {"train.tsv": tsv([(f"text {i}", f"{i}") for i in range(9)])},
            "9 labels for as many texts: 0, 1, 2",
        ),
        ({"train.tsv": ROW + b"unlabeled\t \n" * 3}, "line 3: found no label in the column label, in 3 of 4"),
        ({"train.tsv": ROW + b"nice\tgood\n"}, "found the label good alone. Expected 2 or more"),
        ({"train.tsv": ROW + b"ill\tbad\n"}, "no examples for the validation split. Expected some in a file"),
        (
            {"train.tsv": ROW + b"ill\tbad\n", "test.tsv": b"text\tlabel\nhm\tBad\n"},
            "test.tsv, line 2: found the label 'Bad'. Expected .* bad, good",
        ),
        (
            {"train.tsv": ROW, "train.csv": ROW},
            "found train.csv and train.tsv for the train split. Expected one",
        ),
        (
            {"train.csv": b'text,label\na,b\n"open,c\n'},
            "train.csv, line 3: found a quote inside a cell .*, or one that is not closed: '\"open,c'",
        ),
        ({"train.tsv.gz": gzip.compress(ROW * 99)[:-9]}, "cannot be read: Compressed file ended"),
        ({"train.tsv.gz": ROW}, "cannot be read: Not a gzipped file"),
        ({"train.tsv.xz": ROW}, "cannot be read: "),
        ({"train.tsv.bz2": ROW}, "cannot be read: "),
    ],
)
def test_invalid_files_raise(tmp_path, files, message):
    with pytest.raises(DataError, match=message) as error:
        load_text_classification(write_files(tmp_path, files))
    assert str(tmp_path) in str(error.value)


def test_unknown_file_type_raises(tmp_path):
    directory = write_files(tmp_path, {"reviews.parquet": ROW})
    with pytest.raises(
        DataError, match=r"reviews\.parquet: found a file of another kind\. Expected \.tsv or \.csv"
    ):
        load_text_classification(f"{directory}/reviews.parquet")


# A long text.


def test_text_is_split_by_position(tmp_path):
    words = [f"w{i}" for i in range(2_000)]
    lines = ["  ".join(words[i : i + 7]) for i in range(0, 2_000, 7)]
    text = "\r\n".join(lines[:100]) + "\n \n\n" + "\n".join(lines[100:]) + "\n\n\n"
    (tmp_path / "book.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    data = load_text(tmp_path / "book.txt")
    assert data.info == DataInfo(str(tmp_path / "book.txt"))
    splits = [" ".join(getattr(data, split)).split() for split in SPLITS]
    assert splits == [words[:1_800], words[1_800:1_900], words[1_900:]]
    passages = [passage for split in SPLITS for passage in getattr(data, split)]
    ends = [passage.split()[-1] for passage in passages if passage.endswith("\n")]
    assert ends == ["w699", "w1999"]
    assert all(len(passage.split(" ")) == 20 for passage in passages)


def test_each_line_is_a_paragraph_in_a_text_without_empty_lines(tmp_path):
    (tmp_path / "lines.txt").write_text("\n".join(["one two"] * 99 + ["a " * 21]), encoding="utf-8")
    data = load_text(tmp_path / "lines.txt")
    assert set(data.train) == {"one two\n"}
    assert data.test[-2:] == [" ".join("a" * 20), "a\n"]
    assert [len(getattr(data, split)) for split in SPLITS] == [98, 1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "book.txt cannot be read: No such file or directory. Correct or replace"),
        (b"one\ntwo\ncaf\xe9\n" * 9, "book.txt, line 3: found byte 0xe9, which is not UTF-8"),
        (b"too few words", "book.txt is too short: found 3 words. Expected some thousands"),
        (b"", "book.txt is too short: found 0 words"),
    ],
)
def test_invalid_texts_raise(tmp_path, content, message):
    path = tmp_path / "book.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(message)):
        load_text(path)


# Splits.


@pytest.mark.parametrize("missing", [[], ["test"], ["validation"], ["validation", "test"]])
def test_hash_rules_partition_examples(missing):
    examples = [f"example {i}" for i in range(400)]
    for rule in (splits_module.make_tenths_rule(missing), splits_module.make_pairs_rule(missing)):
        parts = {split: rule.select(split, examples, examples) for split in ("train", *missing)}
        assert sorted(itertools.chain(*parts.values())) == sorted(examples)
        expected = 400 / rule.num_buckets
        assert all(expected / 3 < len(parts[split]) < 2 * expected for split in missing)


def test_pairs_are_held_out_in_the_same_bucket_whatever_is_missing():
    keys = [f"key {i}" for i in range(1_000)]
    alone, both = (splits_module.make_pairs_rule(missing) for missing in (["test"], ["validation", "test"]))
    assert alone.select("test", keys, keys) == both.select("test", keys, keys)


def test_chosen_sequences_are_held_out_before_the_rule_applies():
    names = [f"s{i}" for i in range(12, 0, -1)]
    held_out, notes = splits_module.hold_out_sequences(names, ["validation", "test"], {"test": ["s4", "s1"]})
    assert held_out == {
        "train": ["s2", "s3", "s5", "s7", "s8", "s9", "s11", "s12"],
        "validation": ["s6", "s10"],
        "test": ["s4", "s1"],
    }
    assert notes == ["validation is every fourth remaining sequence, in natural order."]
