"""The shipped models: predictions for plain inputs, and cards that describe the files."""

import csv
import io
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from zoo.card import format_page, read_card
from zoo.manifest import compare_files, compute_digest
from zoo.metrics import find_transitions
from zoo.preprocessing.video import open_video

ROOT = Path(__file__).parents[1]
MODELS = sorted(path.parent for path in (ROOT / "saved_models").glob("*/*/saved_model.pb"))
MEGABYTES = {"captioning": 30, "language_model": 20, "sentiment": 20, "tagging": 10, "translation": 30}

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.parent.name)


def card(model: Path) -> dict:
    return json.loads((model / "card.json").read_text(encoding="utf-8"))


@cache
def loaded(model: Path) -> Any:
    return tf.saved_model.load(str(model))


def serve(model: Path, **inputs: list[str] | list[bytes] | np.ndarray) -> dict[str, np.ndarray]:
    signature = loaded(model).signatures["serving_default"]
    outputs = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def test_there_is_a_model_for_each_task() -> None:
    assert [model.parent.name for model in MODELS] == sorted(MEGABYTES)


@every_model
def test_card_describes_the_files(model: Path) -> None:
    uncounted = ("card.json", "README.md", "SHA256SUMS")
    described = [f for f in model.rglob("*") if f.is_file() and f.name not in uncounted]
    assert card(model)["size_bytes"] == sum(file.stat().st_size for file in described)
    assert card(model)["size_bytes"] < MEGABYTES[model.parent.name] * 1e6
    assert (model / "README.md").read_text(encoding="utf-8") == format_page(card(model))
    assert re.fullmatch("[0-9a-f]{40}", card(model)["commit"])


@every_model
def test_the_page_of_all_models_has_the_digest(model: Path) -> None:
    """The digest is published outside of what it covers."""
    page = (ROOT / "saved_models" / "README.md").read_text(encoding="utf-8")
    assert f"| `{model.parent.name}/1` | `{compute_digest(model)}` |" in page


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/serving.md"])
def test_digests_in_commands_are_those_of_models(page: str) -> None:
    digests = re.findall(r"--digest ([0-9a-f]{64})", (ROOT / page).read_text(encoding="utf-8"))
    assert digests
    assert set(digests) <= {compute_digest(model) for model in MODELS}


def test_git_changes_no_line_ends_of_models(tmp_path: Path) -> None:
    """Git on Windows converts the line ends of text files, unless an attribute forbids it."""
    repository, checkout = tmp_path / "repository", tmp_path / "checkout"
    shutil.copytree(ROOT / "saved_models/sentiment", repository / "saved_models/sentiment")
    shutil.copy(ROOT / ".gitattributes", repository)
    (repository / "notes.txt").write_bytes(b"one\ntwo\n")
    commit = ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "x"]
    for arguments in (["init", "-q"], ["add", "."], commit):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
    convert = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    subprocess.run(["git", *convert, "clone", "-q", str(repository), str(checkout)], check=True)
    assert (checkout / "notes.txt").read_bytes() == b"one\r\ntwo\r\n"  # so that the test can fail
    export = checkout / "saved_models/sentiment/1"
    assert compare_files(export, read_card(export)) == []


def test_all_models_together_are_small() -> None:
    assert sum(file.stat().st_size for model in MODELS for file in model.rglob("*")) < 90e6


@every_model
def test_cards_name_no_paths_of_a_machine(model: Path) -> None:
    written = (model / "card.json").read_text(encoding="utf-8") + (model / "README.md").read_text(
        encoding="utf-8"
    )
    assert not re.search(r"(?<![\w.:/])/\w|\.\./", written)  # neither an absolute path nor one upwards
    assert not re.search(rb"/(tmp|root|home|usr|var|work)/", (model / "saved_model.pb").read_bytes())


@every_model
def test_the_code_on_the_card_runs(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model)
    (code,) = re.findall(r"^```python\n(.*?)^```", (model / "README.md").read_text("utf-8"), re.M | re.S)
    names = {}
    exec(code, names)
    expected = card(model)["example"]["outputs"]
    status = names["outputs"]["status"].numpy().astype(str).tolist()
    assert status
    assert status == expected["status"][: len(status)]  # of the first examples
    assert set(names["outputs"]) == set(expected)


def test_sentiment_of_plain_sentences() -> None:
    """Nearly all are right: those of the benchmark without negation, contrast and so on, and four others."""
    with (ROOT / "benchmarks/short_sentences.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        labels = {row["text"]: row["label"] for row in rows if row["kind"] == "plain"}
    labels |= {
        "A moving story, finely acted, and I would gladly see it again.": "pos",
        "Two hours of my life that I will never get back. Dreadful.": "neg",
        "The plot makes no sense and the jokes fall flat.": "neg",
        "One of the best comedies in years; the audience loved every minute.": "pos",
    }
    assert len(labels) == 24
    predicted = serve(ROOT / "saved_models/sentiment/1", text=list(labels))["label"].astype(str)
    wrong = [text for text, label in zip(labels, predicted, strict=True) if labels[text] != label]
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where is the station?", {"Wo", "ist", "der", "Bahnhof?"}),
        ("I don't have any money.", {"Ich", "habe", "kein", "Geld."}),
        ("A dog runs across the grass.", {"Ein", "Hund", "rennt", "Gras."}),
        ("She is reading a book.", {"Sie", "liest", "ein", "Buch."}),
    ],
)
def test_translation_of_plain_sentences(text: str, words: set[str]) -> None:
    outputs = serve(ROOT / "saved_models/translation/1", text=[text])
    assert words <= set(outputs["translations"][0, 0].decode().split())
    assert outputs["status"].tolist() == [b""]
    assert (np.diff(outputs["scores"][0]) <= 0).all()
    source, target = (
        [p.decode() for p in outputs[f"{side}_tokens"][0] if p] for side in ("source", "target")
    )
    assert "".join(source).replace("▁", " ").split() == text.split()
    sums = outputs["attention"][0].sum(-1)
    np.testing.assert_allclose(sums[: len(target)], 1, atol=1e-5)
    assert not sums[len(target) :].any()


def test_captions_of_a_drawing_in_other_forms() -> None:
    drawing = Image.open(ROOT / "docs" / "drawings" / "dog.jpg")
    images = []
    for picture, kind in (
        (drawing, "PNG"),
        (drawing.resize((900, 900)), "GIF"),
        (drawing.resize((300, 200)), "BMP"),
    ):
        images.append(io.BytesIO())
        picture.save(images[-1], kind)
    outputs = serve(ROOT / "saved_models/captioning/1", image=[image.getvalue() for image in images])
    for caption in outputs["captions"][:, 0]:
        assert {"brown", "dog", "grass"} <= set(caption.decode().split())
    assert not any(outputs["status"])
    assert (np.diff(outputs["scores"]) <= 0).all()
    spoken = outputs["words"] != b""
    np.testing.assert_allclose(outputs["attention"].sum((2, 3)), spoken, atol=1e-5)


def test_shots_of_a_film_as_a_whole_and_by_litert() -> None:
    """The film of docs/drawings/film.py: a cut at 70, a dissolve, a fade and a wipe."""
    model = ROOT / "saved_models/tagging/1"
    frames = np.stack([frame for _, frame in open_video(ROOT / "docs/drawings/film.mp4").decode((27, 48))])
    outputs = serve(model, frames=frames[None], lengths=np.array([len(frames)], np.int32))
    tags = [tag.decode() for tag in outputs["tags"][0]]
    assert tags.index("cut") == 70
    assert [transition.label for transition in find_transitions(tags, "shot")] == [
        "cut",
        "dissolve",
        "fade",
        "wipe",
    ]
    runner = Interpreter(model_path=str(model / "step.tflite")).get_signature_runner()
    details = runner.get_input_details()
    state = {name: np.zeros(x["shape"], x["dtype"]) for name, x in details.items() if name != "frames"}
    labels, delay, streamed = card(model)["labels"], 16, []
    for frame in [*frames, *np.zeros((delay, *frames.shape[1:]))]:
        step = runner(frames=frame[None, None].astype(np.float32), **state)
        state = {name: step[name] for name in state}
        streamed.append(labels[step["scores"][0, 0].argmax()])
    assert streamed[delay:] == tags
