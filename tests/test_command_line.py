"""What the recipes say of their settings, and of a user's mistakes: one line that helps, and no traceback."""

import runpy
import shlex
import sys

import pytest
from exports import ROOT, mistaken


@pytest.mark.parametrize(
    ("recipe", "default"),
    [
        ("captioning", "scenes"),
        ("next_word", "fluent"),
        ("sentiment", "negation"),
        ("tagging", "footage"),
        ("translation", "dates"),
    ],
)
def test_settings_are_explained(
    recipe: str, default: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{recipe}.py", "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / "recipes" / f"{recipe}.py"), run_name="__main__")
    assert end.value.code == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"To ask a trained model instead: {recipe}.py predict --help" in shown
    assert f"(default: {default})" in shown


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("captioning", "--unitz 3", "--units"),
        ("captioning", "--tuned -1", "a whole number of at least 0"),
        ("captioning", "--encoder MobilenetV2", "Did you mean MobileNetV2"),
        ("captioning", "--encoder efficientnet_lite0 --weights no.npz", "no.npz cannot be read"),
        ("captioning", "--dataset scences", "Did you mean scenes"),
        ("captioning", "--dataset mnist", "expected one picture, or one clip, and its captions"),
        ("captioning", "--examples no.jpg", "there is no file no.jpg"),
        ("captioning", "predict --model nowhere x.jpg", "nowhere holds no SavedModel"),
        ("captioning", "predict --model saved_models/sentiment/1 x.jpg", "expected captions."),
        ("captioning", "predict --plot nowhere/picture.png x.jpg", "there is no folder nowhere"),
        ("next_word", "--epochs 0", "a whole number of at least 1"),
        ("next_word", "--rates 0.1 x", "numbers above 0, got '0.1 x'"),
        ("next_word", "--dataset no.txt", "no.txt cannot be read"),
        ("next_word", "--dataset .ci/run", "run is too short"),
        ("next_word", "--nearest 101", "no clue stands 101 words back"),
        ("next_word", "predict --model nowhere x", "nowhere holds no SavedModel"),
        ("next_word", "predict --model saved_models/sentiment/1 x", "expected probabilities."),
        ("sentiment", "--unitz 3", "--units"),
        ("sentiment", "--units 0", "at least 1, got '0'"),
        ("sentiment", "--vocabulary 2", "a whole number of at least 3, got '2'"),
        ("sentiment", "--dropout 1", "below 1, got '1'"),
        ("sentiment", "--cell lstn", "lstm"),
        ("sentiment", "--dataset negatoin", "Did you mean negation"),
        ("sentiment", "predict --model nowhere text", "nowhere holds no SavedModel"),
        ("sentiment", "predict --model saved_models/translation/1 text", "expected label."),
        ("sentiment", "predict --file nowhere.txt", "nowhere.txt cannot be read"),
        ("sentiment", "predict --file README.md text", "not both"),
        ("tagging", "--unitz 3", "--units"),
        ("tagging", "--epochs 0", "a whole number of at least 1"),
        ("tagging", "--size 0 9", "two whole numbers of at least 1, height and width, got '0 9'"),
        ("tagging", "--dataset footge", "Did you mean footage"),
        ("tagging", "--dataset mnist", "expected one sequence of frames or vectors"),
        ("tagging", "--footage nowhere", "There is no nowhere. Expected pictures and videos"),
        ("tagging", "--footage README.md", "of 0 pictures and videos none is left for train"),
        ("tagging", "predict --model nowhere x.mp4", "nowhere holds no SavedModel"),
        ("tagging", "predict --model saved_models/sentiment/1 x.mp4", "expected tags."),
        ("tagging", "predict --rate 0 x.mp4", "a number above 0"),
        ("tagging", "predict", "There was no input. Give a video, or several"),
        ("translation", "--unitz 3", "--units"),
        ("translation", "--attention adative", "additive"),
        ("translation", "--length-penalty -1", "a number of at least 0"),
        ("translation", "--length-penalty nan", "a number of at least 0"),
        ("translation", "--seed -1", "a whole number of at least 0"),
        ("translation", "--max-pieces 1", "no pair has fewer than 1 word pieces"),
        ("translation", "--dataset datez", "Did you mean dates"),
        ("translation", "--target xx", "dates/xx"),
        ("translation", "--target en", "two languages"),
        ("translation", "predict --model nowhere text", "nowhere holds no SavedModel"),
        ("translation", "predict --model saved_models/sentiment/1 text", "expected translations."),
        ("translation", "predict --plot nowhere/picture.png text", "there is no folder nowhere"),
        ("translation", "predict --plot picture.wrong text", "the name of a picture"),
    ],
)
def test_a_mistake_ends_with_a_helpful_line(
    recipe: str,
    arguments: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert message in mistaken(recipe, shlex.split(arguments), monkeypatch, capsys)
