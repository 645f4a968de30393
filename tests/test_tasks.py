"""Exported models by name: from Python, and from the command line `zoo`."""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import __main__ as command
from zoo.preprocessing.video import open_video
from zoo.serving.model_store import models, models_directory
from zoo.serving.verification import chosen_clearly, compared, verify

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "saved_models"
DOG, FILM = str(ROOT / "docs/drawings/dog.jpg"), str(ROOT / "docs/drawings/film.mp4")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the command, and gives what it prints, what it says of mistakes, and its exit code."""

    def ran(*arguments: str, typed: Sequence[bytes] = ()) -> tuple[str, str, int]:
        monkeypatch.setattr(sys, "argv", ["zoo", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(typed))))
        code = 0
        try:
            command.main()
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return printed.out, printed.err, code

    return ran


# From Python.


def test_texts_are_classified() -> None:
    model = zoo.load("sentiment")
    assert isinstance(model, zoo.tasks.Classifier)
    good, bad, nothing = model.predict(["A delight from start to end.", b"Dreadful and dull.", ""])
    assert (good.label, bad.label) == ("pos", "neg")
    assert good.scores["pos"] == max(good.scores.values())
    assert sum(good.scores.values()) == pytest.approx(1, abs=1e-5)
    assert (good.status, nothing.status) == ("", "no words in the text")
    assert model.predict([]) == []


def test_many_texts_are_answered_in_their_order() -> None:
    """More than go through the graph at once."""
    texts = [f"It was {('good', 'bad')[n % 3 == 0]}, number {n}." for n in range(150)]
    model = zoo.load("sentiment")
    scores = [answer.scores["pos"] for answer in model.predict(iter(texts))]
    some = [model.predict([texts[n]])[0].scores["pos"] for n in (0, 63, 64, 149)]
    np.testing.assert_allclose([scores[n] for n in (0, 63, 64, 149)], some, atol=1e-5)


def test_texts_are_translated() -> None:
    (said, none) = zoo.load("translation").predict(["Where is the station?", ""])
    assert "Bahnhof" in said.translations[0]
    assert len(said.translations) == len(said.scores) == 5
    assert said.attention.shape == (len(said.target), len(said.source))
    np.testing.assert_allclose(said.attention.sum(1), 1, atol=1e-5)
    assert none.translations == none.target == ()
    assert none.status == "no text"


def test_pictures_are_captioned_by_name_and_by_content() -> None:
    model = zoo.load("captioning")
    by_name, by_content, broken = model.predict([DOG, Path(DOG).read_bytes(), b"no picture"])
    assert by_name.captions == by_content.captions
    assert "dog" in by_name.words
    assert by_name.attention.shape == (len(by_name.words), 7, 7)
    assert broken.captions == ()
    assert broken.status
    with pytest.raises(zoo.errors.UsageError, match=r"no.jpg cannot be read"):
        model.predict(["no.jpg"])


def test_shots_of_a_video_and_of_its_frames() -> None:
    model = zoo.load("tagging")
    frames = np.stack([frame for _, frame in open_video(FILM).decode((27, 48))])
    film, same = model.predict([FILM, frames])
    assert film.tags == same.tags
    assert [part.what for part in film.parts] == ["start", "cut", "dissolve", "fade", "wipe"]
    assert film.times[film.parts[1].start] == pytest.approx(2.8)
    assert len(film.times) == len(film.tags) + 1
    assert same.times == ()
    assert list(same.lines("frames", 1))[2].split()[:3] == ["2", "70", "to"]


def test_one_input_is_no_list() -> None:
    with pytest.raises(zoo.errors.UsageError, match=r"Expected a list of inputs, each one a text; got 5"):
        zoo.load("sentiment").predict(5)
    with pytest.raises(
        zoo.errors.UsageError, match=r"Expected a list of inputs, each one a text; got 'Good.'"
    ):
        zoo.load("sentiment").predict("Good.")
    with pytest.raises(zoo.errors.UsageError, match="Expected a text, got 3"):
        zoo.load("sentiment").predict([3])


def test_models_are_found_by_name_version_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("2", "10", "draft"):
        (tmp_path / "mine" / version).mkdir(parents=True)
        (tmp_path / "mine" / version / "saved_model.pb").touch()
    assert models(tmp_path) == {"mine": tmp_path / "mine" / "10"}
    assert models_directory() == SHIPPED
    monkeypatch.setenv("ZOO_MODELS", str(tmp_path))
    assert models_directory() == tmp_path
    assert models_directory(SHIPPED) == SHIPPED
    with pytest.raises(zoo.errors.UsageError, match=r"is no model's name. There are mine"):
        zoo.load("sentiment")
    assert zoo.load("sentiment", SHIPPED).card["title"].startswith("Sentiment")
    with pytest.raises(zoo.errors.UsageError, match="Did you mean sentiment"):
        zoo.load("sentimnt", SHIPPED)
    monkeypatch.setenv("ZOO_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(zoo.errors.UsageError, match=r"ZOO_MODELS says .*nowhere"):
        zoo.load("sentiment")
    with pytest.raises(zoo.errors.UsageError, match="holds no models"):
        models(ROOT / "docs")


# The command.


def test_list_shows_score_and_size(run) -> None:
    printed, _, code = run("list")
    rows = printed.splitlines()
    assert code == 0
    assert [row.split()[0] for row in rows] == ["captioning", "sentiment", "tagging", "translation"]
    card = json.loads((SHIPPED / "captioning/1/card.json").read_text())
    assert f"test BLEU-4  {card['figures']['test BLEU-4']:.2f}" in rows[0]
    assert all(" MB  " in row for row in rows)


def test_show_prints_the_card(run) -> None:
    printed, _, _ = run("show", "tagging")
    assert printed == (SHIPPED / "tagging/1/README.md").read_text(encoding="utf-8")


def test_predict_as_text_and_as_json(run, tmp_path: Path) -> None:
    printed, _, _ = run("predict", "sentiment", "A delight.", "--plot", str(tmp_path / "gates.png"))
    assert printed.split() == ["pos", printed.split()[1], "A", "delight."]
    assert (tmp_path / "gates.png").stat().st_size > 10_000
    (tmp_path / "texts.txt").write_text("Where is he?\n\nI am here.\n")
    printed, _, _ = run("predict", "translation", "--json", "--file", str(tmp_path / "texts.txt"))
    first, empty, last = map(json.loads, printed.splitlines())
    assert first["input"] == "Where is he?"
    assert last["translations"][0] == "Ich bin hier."
    assert empty["status"] == "no text"
    assert "attention" not in first


def test_predict_reads_names_from_standard_input(run) -> None:
    printed, _, code = run("predict", "captioning", typed=[DOG.encode(), b"\n", DOG.encode()])
    assert code == 0
    assert [line.split()[0] for line in printed.splitlines()] == [DOG, DOG]


def test_commands_of_the_readme_run(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("docs", "saved_models"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^zoo (.*?) *(?:#.*)?$", readme, re.MULTILINE)
    assert len(commands) == 6
    for arguments in map(shlex.split, commands):
        if arguments != ["demo"]:  # test_page uses that
            printed, said, code = run(*arguments)
            assert code == 0, said
            assert printed
    assert (tmp_path / "alignment.png").exists()


def test_predict_of_a_video_writes_tables(run, tmp_path: Path) -> None:
    printed, said, _ = run("predict", "tagging", FILM, "--json", "--folder", str(tmp_path))
    answer = json.loads(printed)
    assert answer["parts"][1] == {"what": "cut", "start": 70, "end": answer["parts"][1]["end"]}
    assert "tables and a contact sheet are in" in said
    assert {file.name for file in (tmp_path / "film.mp4").iterdir()} == {
        *("frames.csv", "parts.csv", "parts.png")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "sentimnt", "x"], "Did you mean sentiment"),
        (["predict", "runs/no/1", "x"], "runs/no/1 holds no SavedModel"),
        (["predict", str(SHIPPED / "tagging"), "x"], "Did you mean " + str(SHIPPED / "tagging" / "1")),
        (["predict", "captioning", "no.jpg"], "no.jpg cannot be read"),
        (["predict", "captioning", "no.jpg"], "Expected a picture: JPEG"),
        (["predict", "sentiment", "--file", DOG], "Expected text in UTF-8, got b'"),
        (
            ["predict", "tagging", FILM, "--folder", f"{DOG}/x"],
            f"{DOG} is no folder. Name another",
        ),
        (["predict", "captioning"], "There was no input. Give a picture, or several"),
        (["predict", "sentiment", "x", "--plot", "x.wrong"], "the name of a picture"),
        (["list", "--models", "nowhere"], "no folder of models"),
        (["show", "nothing"], "is no model's name"),
        (["demo", "--port", "70000"], "a port between 0 and 65535"),
        (["lst"], "list"),
    ],
)
def test_a_mistake_ends_with_a_helpful_line(run, arguments: list[str], message: str) -> None:
    _, said, code = run(*arguments)
    assert code == 2
    assert message in " ".join(said.replace("│", " ").split())


def test_as_many_labels_are_printed_as_are_asked_for(run) -> None:
    one, two = (run("predict", "sentiment", "Dull.", "--best", best)[0].splitlines() for best in "12")
    assert [line.split()[0] for line in two] == ["neg", "pos"]
    assert one == two[:1]


def test_what_cannot_be_read_does_not_keep_the_others_from_answers(run, tmp_path: Path) -> None:
    printed, said, code = run("predict", "captioning", "no.jpg", DOG, str(tmp_path), "--json")
    assert [json.loads(line)["input"] for line in printed.splitlines()] == [DOG]
    assert "error: 2 inputs have no answer.\nno.jpg cannot be read: " in said
    assert f"\n{tmp_path} cannot be read: " in said
    assert code == 2
    (tmp_path / "text.mp4").write_text("no video")
    given = str(tmp_path / "text.mp4"), FILM
    printed, said, code = run("predict", "tagging", *given, "--folder", str(tmp_path / "out"))
    assert printed.splitlines()[0] == FILM
    assert "error: " in said
    assert code == 2


def test_a_long_text_is_drawn_at_its_beginning(run, tmp_path: Path) -> None:
    run("predict", "sentiment", "word " * 400, "--plot", str(tmp_path / "gates.png"))
    with Image.open(tmp_path / "gates.png") as picture:
        assert picture.width < 7_000


def test_where_there_is_no_answer_there_are_no_scores(tmp_path: Path) -> None:
    for name, given in (("translation", " "), ("captioning", b"no picture")):
        (answer,) = zoo.load(name).predict([given])
        assert (answer.status != "", answer.scores) == (True, ())
        assert answer.status in "\n".join(answer.lines("it", 2))


def test_it_is_a_module_too(tmp_path: Path) -> None:
    """Run elsewhere, reading standard input, with someone who stops to read."""
    texts = "Good.\n" * 100
    ran = subprocess.run(
        f"{sys.executable} -m zoo predict sentiment | head -1",
        shell=True,
        input=texts,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"ZOO_MODELS": str(SHIPPED)},
    )
    assert ran.stdout.startswith("pos")
    assert ran.stdout.count("\n") == 1
    assert "Traceback" not in ran.stderr


# Verification.


def test_what_is_as_it_was_is_said(run) -> None:
    printed, _, code = run("verify", "sentiment", "captioning")
    assert code == 0
    assert printed.count("as on the card") == 2


def test_what_is_damaged_is_told_and_the_others_are_seen_to(run, tmp_path: Path) -> None:
    for name in ("sentiment", "tagging", "translation"):
        shutil.copytree(SHIPPED / name, tmp_path / name)
    (tmp_path / "tagging/1/card.json").write_text("{")
    (tmp_path / "translation/1/saved_model.pb").unlink()
    printed, _, code = run("verify", "--models", str(tmp_path))
    sentiment, tagging, translation = printed.splitlines()
    assert code == 1
    assert "as on the card" in sentiment
    assert "tagging/1/card.json cannot be read: " in tagging
    assert translation == "translation: there is no saved_model.pb"
    printed, _, code = run("list", "--models", str(tmp_path))
    assert (len(printed.splitlines()), code) == (3, 0)
    for name, message in (("tagging", "card.json cannot be read"), ("translation", "holds no SavedModel")):
        _, said, code = run("predict", name, "x", "--models", str(tmp_path))
        assert message in said
        assert code == 2


def test_what_was_changed_is_found(run, tmp_path: Path) -> None:
    copy = tmp_path / "sentiment" / "1"
    shutil.copytree(SHIPPED / "sentiment/1", copy)
    assert verify(copy)[0] == []
    card = json.loads((copy / "card.json").read_text())
    right = json.dumps(card)
    card["example"]["scores"][0] = card["example"]["scores"][0][::-1]
    (copy / "card.json").write_text(json.dumps(card))
    assert any("scores differ by" in problem for problem in verify(copy)[0])
    (copy / "card.json").write_text(right.replace('"label": ["', '"label": ["un'))
    assert any(problem.startswith("label are ") for problem in verify(copy)[0])
    (copy / "card.json").write_text(right)
    weights = copy / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    (copy / "notes.txt").touch()
    (copy / "fingerprint.pb").unlink()
    printed, _, code = run("verify", str(copy))
    assert code == 1
    for problem in (f"{weights.relative_to(copy)} has changed", "notes.txt is not", "no fingerprint.pb"):
        assert problem in printed


def test_strings_hang_on_scores_that_are_far_apart() -> None:
    scores = np.array([[3.0, 2.0, 1.999], [1.0, 0.999, 0.5], [0.9, 0.05, 0.05]])
    assert chosen_clearly((3,), scores).tolist() == [True, False, True]
    assert chosen_clearly((3, 2), scores).tolist() == [[True] * 2, [False] * 2, [True] * 2]
    ranked = [[True, False, False], [False, False, True], [True, False, False]]
    assert chosen_clearly((3, 3), scores).tolist() == ranked
    steps = np.array([[[0.9, 0.1], [0.5, 0.5]]])
    assert chosen_clearly((1, 2), steps).tolist() == [[True, False]]
    assert chosen_clearly((2,), np.array([[-1.0], [-2.0]])).tolist() == [True, True]
    names = np.array([b"a", b"x"], object)
    expected = {"scores": [[0.9, 0.1], [0.501, 0.499]], "label": ["a", "b"]}
    said = {"scores": np.array(expected["scores"]), "label": names}
    assert compared(expected, said) == ([], 0.0, 1)
    wrong, *_ = compared(expected, {"scores": np.full((2, 2), np.nan)})
    assert wrong == ["label is not given", "scores differ by nan"]
    expected = {"scores": [[0.9, 0.8], [0.9, 0.501]], "tags": ["a|b", "a|b"]}
    said = {"scores": np.array(expected["scores"]), "tags": np.array([b"a|b", b"a"], object)}
    assert compared(expected, said, several=True) == ([], 0.0, 1)
