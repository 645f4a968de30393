"""Exported models from Python: `zoo.load`, typed predictions, the model store."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.errors import UsageError
from zoo.model_store import get_models_dir, list_models
from zoo.preprocessing.video import open_video
from zoo.tasks.text_classification import LabelPrediction

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "saved_models"
DOG, FILM = str(ROOT / "docs/drawings/dog.jpg"), str(ROOT / "docs/drawings/film.mp4")


def test_texts_are_classified() -> None:
    model = zoo.load("sentiment")
    good, bad, empty = model.predict(["A delight from start to end.", b"Dreadful and dull.", ""])
    assert (good.label, bad.label) == ("pos", "neg")
    assert good.scores["pos"] == max(good.scores.values())
    assert sum(good.scores.values()) == pytest.approx(1, abs=1e-5)
    assert (good.status, empty.status) == ("", "no words in the text")
    assert good.as_table().rows[0] == ("pos", good.scores["pos"])
    assert model.predict([]) == []


@pytest.mark.parametrize("name", ["sentiment", "translation"])
def test_long_texts_are_read_in_part(name: str) -> None:
    whole, long = zoo.load(name).predict(["I see a house.", "I see a house. " * 250])
    assert (whole.is_partial, long.is_partial) == (False, True)
    assert long.has_answer
    assert long.status.startswith("cut: ")


def test_predictions_are_in_the_order_of_many_inputs() -> None:
    """More inputs than are computed together."""
    texts = [f"It was {('good', 'bad')[n % 3 == 0]}, number {n}." for n in range(150)]
    model = zoo.load("sentiment")
    scores = [prediction.scores["pos"] for prediction in model.predict(iter(texts))]
    rows = (0, 63, 64, 149)
    alone = [model.predict([texts[n]])[0].scores["pos"] for n in rows]
    np.testing.assert_allclose([scores[n] for n in rows], alone, atol=1e-5)


def test_texts_are_translated() -> None:
    station, empty = zoo.load("translation").predict(["Where is the station?", ""])
    assert "Bahnhof" in station.translations[0]
    assert len(station.translations) == len(station.scores) == 5
    assert station.attention.shape == (len(station.target_tokens), len(station.source_tokens))
    np.testing.assert_allclose(station.attention.sum(1), 1, atol=1e-5)
    assert empty.translations == empty.target_tokens == ()
    assert empty.status == "no text"


def test_images_are_captioned_by_path_and_by_content() -> None:
    model = zoo.load("captioning")
    by_path, by_content, broken = model.predict([DOG, Path(DOG).read_bytes(), b"no image"])
    assert by_path.captions == by_content.captions
    assert "dog" in by_path.words
    assert by_path.attention.shape == (len(by_path.words), 7, 7)
    assert broken.captions == ()
    assert broken.status
    with pytest.raises(UsageError, match=r"no.jpg cannot be read"):
        model.predict(["no.jpg"])


def test_images_are_captioned_from_memory(tmp_path: Path) -> None:
    model = zoo.load("captioning")
    image = Image.open(DOG)
    image.save(tmp_path / "dog.png")
    by_path, by_image, by_array = model.predict([tmp_path / "dog.png", image, np.asarray(image)])
    assert by_path.captions == by_image.captions == by_array.captions
    for wrong in (np.zeros([9, 9, 3]), np.zeros([2, 9, 9, 3], np.uint8), np.zeros([9, 9], np.uint8)):
        with pytest.raises(UsageError, match=r"array of uint8 \[height, width, 3\], got .*Convert it"):
            model.predict([wrong])
    with pytest.raises(UsageError, match=r"an image of Pillow, or an array of uint8 .*\. Got int\."):
        model.predict([3])
    with pytest.raises(UsageError, match=r"got an array \[9, 9, 3\]\. Put it into a list"):
        model.predict(np.zeros([9, 9, 3], np.uint8))
    with pytest.raises(
        UsageError, match=r"Expected a video: a path, or an array of uint8 .* Got JpegImageFile\."
    ):
        zoo.load("tagging").predict([image])


def test_effects_of_words_are_those_of_leaving_them_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model, text = zoo.load("sentiment"), "  A fine cast,\nbut a dreadful film.\n"
    [prediction] = model.predict([text])
    effects = model.measure_effects(text, prediction)
    assert [word.text for word in effects] == ["A ", "fine ", "cast,\n", "but ", "a ", "dreadful ", "film."]
    assert prediction.label == "neg"
    assert max(effects, key=lambda word: word.effect).text == "dreadful "
    [without] = model.predict(["A fine cast,\nbut a film."])
    score, other = (one.scores["neg"] for one in (prediction, without))
    assert effects[5].score_without == pytest.approx(other, abs=1e-6)
    assert effects[5].effect == pytest.approx(np.log(score / (1 - score) / (other / (1 - other))), abs=1e-4)
    monkeypatch.setattr("zoo.tasks.text_classification._MAX_WORDS_COMPUTED", 20)
    assert [word.text for word in model.measure_effects(text, prediction)] == [
        "A fine cast,\n",
        "but a dreadful ",
        "film.",
    ]
    assert model.measure_effects("dreadful", prediction) == ()
    assert len(model.explain("dreadful", prediction).gates.rows) == 1
    assert model.explain("", model.predict([""])[0]) is None


def test_plot_has_the_effects_of_words_and_the_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    model, text = zoo.load("sentiment"), "A fine cast, but a dreadful film."
    [prediction] = model.predict([text])
    effects, gates = model.plot(text, prediction).axes
    assert effects.get_title() == "How much each word speaks for “negative”"
    assert [label.get_text() for label in effects.get_xticklabels()] == text.split()
    heights = [bar.get_height() for bar in effects.patches]
    assert heights == [word.effect for word in model.measure_effects(text, prediction)]
    assert [label.get_text() for label in gates.get_yticklabels()][:2] == ["forget →", "forget ←"]
    assert gates.get_title() == "How open each gate is at each word, in percent"
    assert [label.get_text() for label in gates.get_xticklabels()][-2:] == ["film", "."]
    monkeypatch.setattr("zoo.tasks.text_classification.MAX_PLOTTED_WORDS", 2)
    effects, gates = model.plot(text, prediction).axes
    assert effects.get_title().endswith(": the 2 with the largest effects")
    assert "dreadful" in [label.get_text() for label in effects.get_xticklabels()]
    assert gates.get_title().endswith(" in percent: the first 2 of 9 words and punctuation marks")
    assert [label.get_text() for label in gates.get_xticklabels()] == ["a", "fine"]
    [gates] = model.plot("dreadful", prediction).axes  # no other word to leave out
    assert [label.get_text() for label in gates.get_xticklabels()] == ["dreadful"]
    with pytest.raises(UsageError, match=r"no known word, so there is nothing to plot"):
        model.plot("", model.predict([""])[0])


def test_effects_of_words_without_spaces() -> None:
    prediction = LabelPrediction("", "pos", {"neg": 0.25, "pos": 0.75})
    words = zoo.load("sentiment").measure_effects("\u4e0d\u597d dull", prediction)
    assert [word.text for word in words] == ["\u4e0d", "\u597d ", "dull"]
    assert words[2].score_without == 0.5  # no known word is left


def test_shots_of_a_video_and_of_its_frames() -> None:
    model = zoo.load("tagging")
    frames = np.stack([frame for _, frame in open_video(FILM).decode((27, 48))])
    film, same = model.predict([FILM, frames])
    assert film.tags == same.tags
    assert [segment.label for segment in film.segments] == ["start", "cut", "dissolve", "fade", "wipe"]
    assert film.times[film.segments[1].start] == pytest.approx(2.8)
    assert len(film.times) == len(film.tags) + 1
    assert same.times == ()
    assert list(same.format_lines("frames", 1))[2].split()[:3] == ["2", "70", "to"]
    assert film.as_table().rows[1][:2] == ("cut", "0:00:02.800")


@pytest.mark.parametrize("inputs", [5, "Good.", b"Good.", Path("good.txt"), np.zeros(3)])
def test_predict_refuses_what_is_not_a_list(inputs: object) -> None:
    with pytest.raises(UsageError, match="Expected a list of texts, got "):
        zoo.load("sentiment").predict(inputs)


def test_predict_refuses_what_is_not_a_text() -> None:
    with pytest.raises(UsageError, match="Expected a text, got 3"):
        zoo.load("sentiment").predict([3])


@pytest.mark.parametrize(("name", "item"), [("translation", " "), ("captioning", b"no image")])
def test_inputs_without_a_prediction_have_a_status_and_no_scores(name: str, item: str | bytes) -> None:
    [prediction] = zoo.load(name).predict([item])
    assert prediction.status
    assert prediction.scores == ()
    assert prediction.as_table().rows == []
    assert prediction.status in "\n".join(prediction.format_lines("it", 2))


def test_models_are_found_by_name_version_and_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("2", "10", "draft"):
        (tmp_path / "mine" / version).mkdir(parents=True)
        (tmp_path / "mine" / version / "saved_model.pb").touch()
    assert list_models(tmp_path) == {"mine": tmp_path / "mine" / "10"}
    assert get_models_dir() == SHIPPED
    monkeypatch.setenv("ZOO_MODELS", str(tmp_path))
    assert get_models_dir() == tmp_path
    assert get_models_dir(SHIPPED) == SHIPPED
    with pytest.raises(UsageError, match=r"neither the name of a model nor a directory .* one of mine"):
        zoo.load("sentiment")
    assert zoo.load("sentiment", SHIPPED).card["title"].startswith("Sentiment")
    with pytest.raises(UsageError, match="Did you mean sentiment"):
        zoo.load("sentimnt", SHIPPED)
    monkeypatch.setenv("ZOO_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"no directory .*nowhere \(ZOO_MODELS\)"):
        zoo.load("sentiment")
    with pytest.raises(UsageError, match="holds no models"):
        list_models(ROOT / "docs")


def test_an_export_without_a_card_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(UsageError, match=r"has no card\.json\. .*tf\.saved_model\.load"):
        zoo.load(tmp_path)
