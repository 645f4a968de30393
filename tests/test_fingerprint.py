"""The fingerprint of data, and runs that refuse other data."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import zoo
from zoo.datasets import fingerprint as module
from zoo.datasets import (
    load_captioning,
    load_footage,
    load_tagging,
    load_text,
    load_text_classification,
    load_translation,
    tfds_catalog,
)
from zoo.datasets.fingerprint import compute_fingerprint, describe_changes
from zoo.datasets.tfds_catalog import find_builder
from zoo.errors import DataError, TrainingError
from zoo.training import Run


def write_reviews(path: Path, labels: str = "ab", count: int = 60) -> None:
    rows = [f"{labels[i % 2]}\ttext {i}" for i in range(count)]
    path.write_text("\n".join(["label\ttext", *rows]), encoding="utf-8")


def write_pictures(directory: Path) -> None:
    directory.mkdir(parents=True)
    for number in range(60):
        Image.new("RGB", (12, 12), (number, 0, 0)).save(directory / f"{number}.png")
    rows = [f"{number}.png\ta picture" for number in range(60)]
    (directory / "captions.tsv").write_text("\n".join(rows), encoding="utf-8")


def write_features(directory: Path) -> None:
    directory.mkdir(parents=True)
    for number in range(6):
        rows = [f"{step * number},{'ab'[step % 2]}" for step in range(8)]
        (directory / f"{number}.csv").write_text("\n".join(["x,tag", *rows]), encoding="utf-8")


def write_pairs(directory: Path) -> None:
    directory.mkdir(parents=True)
    for split in ("train", "valid", "test"):
        for language in ("en", "de"):
            lines = "".join(f"{split} {language} {i}\n" for i in range(5))
            (directory / f"{split}.{language}").write_text(lines, encoding="utf-8")


def zip_pictures(directory: Path) -> None:
    write_pictures(directory / "pictures")
    with zipfile.ZipFile(directory / "pictures.zip", "w") as archive:
        for path in sorted((directory / "pictures").iterdir()):
            archive.write(path, path.name)
    shutil.rmtree(directory / "pictures")


def write_texts(directory: Path) -> None:
    for label in ("neg", "pos"):
        (directory / "train" / label).mkdir(parents=True)
        for number in range(40):
            (directory / "train" / label / f"{number}.txt").write_text(f"{label} {number}", encoding="utf-8")


def write_book(directory: Path) -> None:
    directory.mkdir()
    (directory / "book.txt").write_text("one two three " * 500, encoding="utf-8")


KINDS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "texts": (write_texts, load_text_classification),
    "captioning": (write_pictures, load_captioning),
    "zip": (zip_pictures, load_captioning),
    "features": (write_features, lambda path: load_tagging(str(path))),
    "footage": (write_pictures, lambda path: load_footage([path], 2, size=(16, 16))),
    "pairs": (write_pairs, lambda path: load_translation(str(path), languages=("en", "de"))),
    "book": (write_book, lambda path: load_text(path / "book.txt")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_that_a_loader_reads_is_in_the_fingerprint(kind: str, tmp_path: Path) -> None:
    """A changed byte in any file changes it; a file that is not read, another place and time do not."""
    write, load = KINDS[kind]
    write(tmp_path / "data")
    before = compute_fingerprint(load(tmp_path / "data").info.sources)
    files = sorted(path for path in (tmp_path / "data").rglob("*") if path.is_file())
    num_files = sum(entry["files"] for entry in before["files"].values())
    assert num_files == (len(files) - 1 if kind == "footage" else len(files))  # which needs no captions
    (tmp_path / "data" / "notes.md").write_text("not read")
    shutil.move(tmp_path / "data", tmp_path / "moved")
    for path in (tmp_path / "moved").rglob("*"):
        os.utime(path, (1e9, 1e9))
    moved = compute_fingerprint(load(tmp_path / "moved").info.sources)
    assert moved == before
    assert describe_changes(before, moved) == ""
    path = tmp_path / "moved" / files[len(files) // 2].relative_to(tmp_path / "data")
    sources = load(tmp_path / "moved").info.sources
    content = bytearray(path.read_bytes())
    content[-2 if kind != "zip" else 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"has changed since it was read\. Let no other process"):
        compute_fingerprint(sources)
    for state in sources.files.values():  # as a loader would read it now
        object.__setattr__(state, "modified", state.path.stat().st_mtime_ns)
    (line,) = describe_changes(before, compute_fingerprint(sources)).splitlines()
    assert "bytes, SHA-256 " in line
    assert path.suffix in line


def test_changed_labels_are_refused_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "reviews.tsv"
    write_reviews(path)

    def fit(path: Path = path, **settings: Any) -> Run:
        data = load_text_classification(str(path))
        run = Run(tmp_path / "run", {"dataset": str(path), **settings}, data=data.info)
        run.fit(
            keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)]),
            tf.data.Dataset.from_tensors((np.ones((2, 1)), np.ones(2))),
            name="model",
            optimizer="sgd",
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            epochs=1,
        )
        return run

    with pytest.MonkeyPatch.context() as patch, zoo.disable_jit():
        patch.setattr("zoo.training.run_directory.plot_training_curves", lambda run_dir, image_path: None)
        assert fit().data["files"]["reviews.tsv"]["bytes"] == path.stat().st_size
        fit()
        write_reviews(path, labels="ba")
        message = r"reviews\.tsv: was 600 bytes, SHA-256 \w{8}, is now 600 bytes, SHA-256 \w{8}"
        with pytest.raises(
            TrainingError, match=rf"a run with other data:\n  {message}\nUse the data of that run"
        ):
            fit()
        write_reviews(path, count=59)
        with pytest.raises(TrainingError, match="  texts, train: was 60, is now 59"):
            fit()
        write_reviews(path)
        fit()
        copy = Path(shutil.copytree(tmp_path, tmp_path / "copy", ignore=shutil.ignore_patterns("run")))
        fit(copy / path.name)  # the same data at another place
        with pytest.raises(TrainingError, match=r"other settings:\n  dataset: was '.*', is now 'reviews'\n"):
            Run(tmp_path / "run", {"dataset": "reviews"}, data=load_text_classification(str(path)).info)
    saved = json.loads((tmp_path / "run/model/run.json").read_text())
    assert saved["data"]["files"]["reviews.tsv"]["files"] == 1


def test_many_changes_are_abbreviated() -> None:
    entry = {"files": 1, "bytes": 7, "sha256": "0123456789"}
    before = {"files": {f"{number}.csv": entry for number in range(30)}, "examples": {"train": 3}}
    lines = describe_changes(before, {"files": {}}).splitlines()
    assert lines[0] == "  0.csv: was 7 bytes, SHA-256 01234567, is now missing"
    assert lines[10:] == ["  and 21 more"]


def test_files_that_are_settings_are_hashed(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text("a 1")
    settings = {"vectors": tmp_path / "glove.txt", "weights": tmp_path / "missing", "export_dir": tmp_path}
    assert list(Run(tmp_path / "run", settings).data) == ["vectors", "covers"]


def test_names_of_files_are_in_the_fingerprint(tmp_path: Path) -> None:
    """Also that of the only file of its directory and suffix, beside many others."""

    def compute(name: str) -> dict[str, Any]:
        sources = module.DataSources()
        for path in [*(tmp_path / "a" / f"{number}.txt" for number in range(60)), tmp_path / "b" / name]:
            path.parent.mkdir(exist_ok=True)
            path.write_text("same")
            sources.files[str(path)] = module._get_state(path)
        return compute_fingerprint(sources)

    assert describe_changes(compute("x.txt"), compute("y.txt")).count("b/") == 2


def test_hashes_are_cached_until_path_size_or_time_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def hash_file(path: Path) -> str:
        hashed.append(path.name)
        return path.read_text(encoding="utf-8")

    monkeypatch.setattr(module, "sha256", hash_file)
    path, cache = tmp_path / "reviews.tsv", tmp_path / "run" / "file_hashes.json"
    write_reviews(path)

    def compute() -> int:
        hashed.clear()
        compute_fingerprint(load_text_classification(str(path)).info.sources, cache)
        return len(hashed)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_CLOCK_SECONDS", 3600)
        assert [compute(), compute()] == [
            1,
            1,
        ]  # just written: it may change again in the same tick of the clock
    os.utime(path, (1e9, 1e9))
    assert [compute(), compute()] == [1, 0]
    os.utime(path, (1e9 + 1, 1e9 + 1))
    assert [compute(), compute()] == [1, 0]
    cache.write_bytes(cache.read_bytes()[:-9])
    assert [compute(), compute()] == [1, 0]


def test_generated_sets_have_name_version_and_content(tmp_path: Path) -> None:
    """Two machines that generate a set store its features in different orders."""
    fingerprints = []
    for number in range(2):
        sources = load_text_classification("negation", data_dir=tmp_path / str(number)).info.sources
        fingerprints.append(compute_fingerprint(sources))
    assert fingerprints[0] == fingerprints[1]
    assert fingerprints[0]["negation/1.0.0"] == {"train": 8000, "validation": 1000, "test": 1000}
    (path,) = (tmp_path / "1").rglob("*test.tfrecord*")
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records[:-1]:
            writer.write(record)
    sources = load_text_classification("negation", data_dir=tmp_path / "1").info.sources
    assert "negation-test.tfrecord" in describe_changes(fingerprints[0], compute_fingerprint(sources))


def test_order_of_features_in_a_record_does_not_matter(tmp_path: Path) -> None:
    examples = [
        tf.train.Example(
            features=tf.train.Features(
                feature={
                    name: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
                    for name, value in pairs
                }
            )
        )
        for pairs in ((("a", 1), ("b", 2)), (("b", 2), ("a", 1)), (("a", 2), ("b", 1)))
    ]
    hashes = []
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(example.SerializeToString())
        hashes.append(module._hash_records(path))
    assert hashes[0] == hashes[1] != hashes[2]


def test_downloaded_sets_have_the_checksums_of_their_downloads(tmp_path: Path) -> None:
    sources = module.DataSources()
    token = module._recorded.set(sources)
    try:
        tfds_catalog._note_sources(find_builder("imdb_reviews", tmp_path))
    finally:
        module._recorded.reset(token)
    assert not sources.files
    assert "SHA-256 of the checksums" in sources.facts["imdb_reviews/plain_text/1.0.0"]
