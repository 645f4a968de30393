"""The shipped models: they answer as their cards say, and the cards describe what lies there."""

import io
import json
import re
import runpy
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from zoo.export.saved_model import page
from zoo.metrics import find_transitions
from zoo.preprocessing.video import open_video
from zoo.recipes import captioning, sentiment, tagging, translation
from zoo.serving.verification import verify

ROOT = Path(__file__).parents[1]
MODELS = sorted(path.parent for path in (ROOT / "saved_models").glob("*/*/saved_model.pb"))
MEGABYTES = {"captioning": 30, "sentiment": 20, "tagging": 10, "translation": 30}

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.parent.name)


def card(model: Path) -> dict:
    return json.loads((model / "card.json").read_text(encoding="utf-8"))


@cache
def loaded(model: Path) -> Any:
    return tf.saved_model.load(str(model))


def serve(model: Path, **inputs: list[str] | list[bytes] | np.ndarray) -> dict[str, np.ndarray]:
    signature = loaded(model).signatures["serving_default"]
    said = signature(**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in said.items()}


def test_there_is_a_model_of_each_task() -> None:
    assert [model.parent.name for model in MODELS] == sorted(MEGABYTES)


@every_model
def test_card_describes_the_files(model: Path) -> None:
    described = [f for f in model.rglob("*") if f.is_file() and f.name not in ("card.json", "README.md")]
    assert card(model)["size_bytes"] == sum(file.stat().st_size for file in described)
    assert card(model)["size_bytes"] < MEGABYTES[model.parent.name] * 1e6
    assert (model / "README.md").read_text(encoding="utf-8") == page(card(model))
    assert re.fullmatch("[0-9a-f]{40}", card(model)["commit"])


def test_all_models_are_small_together() -> None:
    assert sum(file.stat().st_size for model in MODELS for file in model.rglob("*")) < 90e6


@every_model
def test_card_tells_nothing_of_a_machine(model: Path) -> None:
    written = (model / "card.json").read_text(encoding="utf-8") + (model / "README.md").read_text(
        encoding="utf-8"
    )
    assert not re.search(r"(?<![\w.:/])/\w|\.\./", written)  # neither an absolute path nor one upwards
    assert not re.search(rb"/(tmp|root|home|usr|var|work)/", (model / "saved_model.pb").read_bytes())


@every_model
def test_the_code_on_the_card_runs(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model)
    (code,) = re.findall(r"^```python\n(.*?)^```", (model / "README.md").read_text("utf-8"), re.M | re.S)
    found = {}
    exec(code, found)
    expected = card(model)["example"]
    assert found["answer"]["status"].numpy().astype(str).tolist() == expected["status"]
    assert set(found["answer"]) <= set(expected)


@every_model
def test_files_and_answers_are_as_on_the_card(model: Path) -> None:
    assert verify(model)[0] == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A moving story, finely acted, and I would gladly see it again.", "pos"),
        ("Two hours of my life that I will never get back. Dreadful.", "neg"),
        ("The plot makes no sense and the jokes fall flat.", "neg"),
        ("One of the best comedies in years; the audience loved every minute.", "pos"),
    ],
)
def test_sentiment_of_plain_sentences(text: str, label: str) -> None:
    assert serve(ROOT / "saved_models/sentiment/1", text=[text])["label"].tolist() == [label.encode()]


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
    answer = serve(ROOT / "saved_models/translation/1", text=[text])
    assert words <= set(answer["translations"][0, 0].decode().split())
    assert answer["status"].tolist() == [b""]
    assert (np.diff(answer["scores"][0]) <= 0).all()
    source, target = ([p.decode() for p in answer[f"{side}_pieces"][0] if p] for side in ("source", "target"))
    assert "".join(source).replace("▁", " ").split() == text.split()
    sums = answer["attention"][0].sum(-1)
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
    answer = serve(ROOT / "saved_models/captioning/1", image=[image.getvalue() for image in images])
    for caption in answer["captions"][:, 0]:
        assert {"brown", "dog", "grass"} <= set(caption.decode().split())
    assert not any(answer["status"])
    assert (np.diff(answer["scores"]) <= 0).all()
    spoken = answer["words"] != b""
    np.testing.assert_allclose(answer["attention"].sum((2, 3)), spoken, atol=1e-5)


def test_shots_of_a_film_as_a_whole_and_by_litert() -> None:
    """The film of docs/drawings/film.py: a cut at 70, a dissolve, a fade and a wipe."""
    model = ROOT / "saved_models/tagging/1"
    frames = np.stack([frame for _, frame in open_video(ROOT / "docs/drawings/film.mp4").decode((27, 48))])
    answer = serve(model, frames=frames[None], lengths=np.array([len(frames)], np.int32))
    tags = [tag.decode() for tag in answer["tags"][0]]
    assert tags.index("cut") == 70
    assert [found.label for found in find_transitions(tags, "shot")] == ["cut", "dissolve", "fade", "wipe"]
    runner = Interpreter(model_path=str(model / "step.tflite")).get_signature_runner()
    details = runner.get_input_details()
    state = {name: np.zeros(x["shape"], x["dtype"]) for name, x in details.items() if name != "frames"}
    labels, late, said = answer["labels"].astype(str), 8, []
    for frame in [*frames, *np.zeros((late, *frames.shape[1:]))]:
        found = runner(frames=frame[None, None].astype(np.float32), **state)
        state = {name: found[name] for name in state}
        said.append(labels[found["scores"][0, 0].argmax()])
    assert said[late:] == tags


@pytest.mark.parametrize(
    ("recipe", "text", "answer"),
    [
        (captioning, "docs/drawings/dog.jpg", "dog"),
        (sentiment, "A delight from start to end.", "pos "),
        (tagging, "docs/drawings/film.mp4", "0:00:02.800 to"),
        (translation, "I have a question.", "Ich habe eine Frage."),
    ],
    ids=["captioning", "sentiment", "tagging", "translation"],
)
def test_recipe_predicts_with_the_shipped_model(
    recipe: ModuleType,
    text: str,
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("docs", "saved_models"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setattr(sys, "argv", [recipe.__file__, "predict", text])
    runpy.run_path(recipe.__file__, run_name="__main__")
    assert answer in capsys.readouterr().out
