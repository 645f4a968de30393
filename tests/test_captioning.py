"""The captioning recipe, run as a user runs it, and its export, asked by a process with TensorFlow alone."""

import dataclasses
import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import av
import numpy as np
import pytest
from exports import Answer, ask, figures
from matplotlib.image import imread
from PIL import Image

from zoo.cli.predict import Question
from zoo.cli.predict import ask as ask_aloud
from zoo.datasets import CaptioningSplit, DataSplits, load_captioning
from zoo.datasets.builders import scenes
from zoo.errors import UsageError, VideoError
from zoo.metrics import score_captions
from zoo.recipes import captioning
from zoo.serving.loading import load

COLOURS, SHAPES = ("red", "yellow", "blue"), ("square", "cross")
SIZES = {"train": 1_000, "validation": 100, "test": 200}
SETTINGS = captioning.Settings(
    image_size=32, units=64, embedding=32, batch_size=16, epochs=4, learning_rate=0.005, beams=2
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captioning")


@pytest.fixture(scope="module")
def trained(folder: Path) -> tuple[str, list[str]]:
    """What the recipe prints, of a smaller model and simpler scenes, and its captions of the test set."""
    places = {"data_dir": folder / "data", "folder": folder / "run", "export": folder / "1"}
    simple = [thing for thing in scenes.THINGS if thing.color in COLOURS and thing.shape in SHAPES]
    said, captioned = [], captioning.captioned
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(scenes, "SIZES", SIZES)
        patch.setattr(scenes, "THINGS", simple)
        patch.setattr(captioning, "captioned", lambda *given: said.append(captioned(*given)) or said[-1])
        captioning.train(dataclasses.replace(SETTINGS, **places))
    return printed.getvalue(), said[-1]


@pytest.fixture(scope="module")
def report(trained: tuple[str, list[str]]) -> str:
    return trained[0]


@pytest.fixture(scope="module")
def model(folder: Path, report: str) -> Path:
    return folder / "1"


@pytest.fixture(scope="module")
def data(folder: Path, report: str) -> DataSplits[CaptioningSplit]:
    return load_captioning("scenes", data_dir=folder / "data")


def encoded(picture: Image.Image, kind: str) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def odd(data: DataSplits[CaptioningSplit]) -> list[bytes]:
    """A picture in other forms, and what is none between them."""
    png = next(data.test.read_inputs())
    picture = Image.open(io.BytesIO(png))
    return [png, b"", encoded(picture, "BMP"), png[:500], encoded(picture.convert("RGBA"), "PNG"), b"text"]


@pytest.fixture(scope="module")
def answers(model: Path, data: DataSplits[CaptioningSplit], odd: list[bytes]) -> list[Answer]:
    images = list(data.test.read_inputs())
    batches = [images[:100], images[100:], images[:40], [], odd, [odd[0]]]
    signatures = ["greedy" if number == 2 else "serving_default" for number in range(len(batches))]
    return ask(model, *zip(signatures, batches, strict=True))


def best(answer: Answer) -> list[str]:
    return [caption.decode() for caption in answer["captions"][:, 0]]


def test_export_gives_the_captions_of_the_training_process(
    model: Path, answers: list[Answer], trained: tuple[str, list[str]], data: DataSplits[CaptioningSplit]
) -> None:
    """There from features that were kept, here from the bytes of the pictures."""
    said, found = best(answers[0]) + best(answers[1]), figures(model)
    assert said == trained[1]
    assert len(set(said)) > 20
    for name, score in score_captions(said, data.test.captions).items():
        assert found[f"test {name}"] == pytest.approx(score, abs=0.01)


def test_it_learns_to_tell_what_is_where(model: Path) -> None:
    found = figures(model)
    assert found["test BLEU-4"] > 50
    assert found["test BLEU-4, nearest training picture"] < found["test BLEU-4"]
    assert found["test exact match, nearest training picture"] < 5


def test_report_shows_figures_and_what_comes_next(model: Path, report: str) -> None:
    for name, value in figures(model).items():
        assert re.search(rf"^{re.escape(name)} +{value:.2f}$", report, re.MULTILINE)
    assert f"predict --model {model}" in report.splitlines()[-1]


def test_shapes_and_order(answers: list[Answer]) -> None:
    for answer, n, beams in zip(answers[:4], [100, 100, 40, 0], [2, 2, 1, 2], strict=True):
        assert answer["captions"].shape == answer["scores"].shape == (n, beams)
        assert answer["status"].shape == (n,)
        assert not any(answer["status"])
        assert answer["attention"].shape == (n, answer["words"].shape[1], 4, 4)
        assert (np.diff(answer["scores"]) <= 0).all()


def test_attention_belongs_to_the_words(answers: list[Answer]) -> None:
    answer = answers[0]
    for row, caption in enumerate(best(answer)):
        words = [word.decode() for word in answer["words"][row] if word]
        assert words == caption.split()
        weights = answer["attention"][row]
        np.testing.assert_allclose(weights[: len(words)].sum((1, 2)), 1, atol=1e-5)
        assert not weights[len(words) :].any()


def test_broken_pictures_do_not_harm_the_others(answers: list[Answer]) -> None:
    mixed, alone = answers[4], answers[5]
    assert [status.decode() for status in mixed["status"]] == [
        "", "no picture", "", "the picture is broken", "", "the picture is not JPEG, PNG, GIF or BMP"
    ]  # fmt: skip
    for row in (0, 2, 4):
        assert mixed["captions"][row].tolist() == alone["captions"][0].tolist()
        np.testing.assert_allclose(mixed["scores"][row], alone["scores"][0], atol=1e-4)
    for row in (1, 3, 5):
        assert mixed["captions"][row].tolist() == [b""] * 2
        assert not any(mixed["words"][row])
        assert not mixed["attention"][row].any()


def test_saved_model_cli_runs_it(model: Path, odd: list[bytes], tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.array([odd[0]]))
    command = ["run", "--dir", str(model), "--tag_set", "serve", "--signature_def", "greedy"]
    cli = subprocess.run(
        [
            Path(sys.executable).with_name("saved_model_cli"),
            *command,
            "--inputs",
            f"image={tmp_path}/image.npy",
        ],
        capture_output=True,
        text=True,
    )
    assert cli.returncode == 0, cli.stderr
    assert "Result for output key captions:\n[[b'a " in cli.stdout


def test_predict_prints_captions_and_draws_where_it_looked(
    model: Path, odd: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("a.png", odd[0]), ("b.png", b"x")):
        (tmp_path / name).write_bytes(content)
    images, picture = (str(tmp_path / "a.png"), str(tmp_path / "b.png")), tmp_path / "glimpses.png"
    with pytest.raises(UsageError, match="no caption to draw"):
        ask_aloud(load(model), Question(images, best=2, plot=picture))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert printed[2].endswith("b.png  [the picture is not JPEG, PNG, GIF or BMP]")
    ask_aloud(load(model), Question(images[:1], plot=picture))
    assert str(picture) in capsys.readouterr().err
    assert np.ptp(imread(picture)[..., :3]) > 0.5


def test_pictures_of_a_folder_with_flaws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of them red, half blue; one is broken, one is missing; without attention."""
    for i in range(80):
        color = ("red", "blue")[i % 2]
        content = b"broken" if i == 10 else encoded(Image.new("RGB", (40, 30), color), "JPEG")
        if i != 11:
            (tmp_path / f"{i}.jpg").write_bytes(content)
    rows = [f"{i}.jpg\tAll is {('red', 'blue')[i % 2]}." for i in range(80)]
    (tmp_path / "all.tsv").write_text("\n".join(rows), encoding="utf-8")
    captioning.train(
        captioning.Settings(
            dataset=str(tmp_path),
            folder=tmp_path / "run",
            export=tmp_path / "1",
            image_size=8,
            attention="none",
            units=16,
            embedding=16,
            batch_size=4,
            epochs=6,
            dropout=0.0,
            learning_rate=0.01,
            vocabulary=100,
        )
    )
    printed = capsys.readouterr().out
    assert "Left out, for they are not there, or several of the name: 11.jpg." in printed
    assert "left out: 10.jpg: the picture is not JPEG, PNG, GIF or BMP" in printed
    images = [encoded(Image.new("RGB", (9, 9), color), "PNG") for color in ("blue", "red")]
    (answer,) = ask(tmp_path / "1", ("serving_default", images))
    assert best(answer) == ["all is blue", "all is red"]


# Clips.

WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def square(way: str, start: int, time: int, side: int = 24) -> np.ndarray:
    """A white square that moves, uint8 [time, side, side, 3]."""
    frames = np.full((time, side, side, 3), 60, np.uint8)
    x, y = WAYS[way]
    for step in range(time):
        along = start + round(12 * step / time)
        column, row = ((along if part > 0 else side - 6 - along) if part else 9 for part in (x, y))
        frames[step, row : row + 6, column : column + 6] = 230
    return frames


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos of 4 to 14 frames, and a table."""
    folder, rows = tmp_path_factory.mktemp("videos"), []
    for number in range(160):
        way = list(WAYS)[number % 4]
        with av.open(str(folder / f"{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"crf": "10"})
            stream.height, stream.width, stream.pix_fmt = 24, 24, "yuv420p"
            for frame in square(way, number % 5, 4 + number % 11):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        rows.append(f"{number}.mp4\tIt moves {way}.")
    (folder / "all.tsv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def told(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[str]]:
    """An export of clips, what the recipe printed, and its captions of the test set."""
    folder, said, captioned = tmp_path_factory.mktemp("told"), [], captioning.captioned
    settings = captioning.Settings(
        dataset=str(videos),
        folder=folder / "run",
        export=folder / "1",
        image_size=24,
        frames=8,
        units=32,
        embedding=16,
        batch_size=8,
        epochs=7,
        learning_rate=0.01,
        dropout=0.0,
        beams=2,
    )
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(captioning, "captioned", lambda *given: said.append(captioned(*given)) or said[-1])
        captioning.train(settings)
    return folder / "1", printed.getvalue(), said[-1]


def padded(clips: list[np.ndarray], time: int, fill: int = 0) -> dict[str, np.ndarray]:
    frames = np.full((len(clips), time, *clips[0].shape[1:]), fill, np.uint8)
    for row, clip in enumerate(clips):
        frames[row, : len(clip)] = clip
    return {"frames": frames, "lengths": np.array([len(clip) for clip in clips], np.int32)}


CLIPS = [square(way, 2, time) for way, time in zip(WAYS, (4, 7, 8, 14), strict=True)]


@pytest.fixture(scope="module")
def retold(told: tuple[Path, str, list[str]], videos: Path) -> list[Answer]:
    """What a fresh process says of the test set, and of clips in other forms."""
    test = list(load_captioning(str(videos)).test.read_inputs())
    some = padded(CLIPS, 14)
    larger = {**some, "frames": some["frames"].repeat(3, 2).repeat(2, 3)}
    odd = {
        "frames": padded([*CLIPS, CLIPS[0]], 14)["frames"],
        "lengths": np.array([0, 7, -1, 15, 4], np.int32),
    }
    none = {name: value[:0] for name, value in some.items()}
    empty = {"frames": np.zeros((2, 0, 0, 0, 3), np.uint8), "lengths": np.zeros(2, np.int32)}
    questions = [padded(test, 16), some, padded(CLIPS, 20, fill=200), larger, odd, none, empty]
    whole = [("serving_default", question) for question in questions]
    return ask(told[0], *whole, ("greedy", some))


def test_an_export_of_clips_says_what_the_training_process_said(
    told: tuple[Path, str, list[str]], retold: list[Answer]
) -> None:
    model, printed, said = told
    assert best(retold[0]) == said
    assert set(said) == {f"it moves {way}" for way in WAYS}
    found = figures(model)
    assert found["test exact match"] == 100
    assert "test exact match, nearest training clip" in found
    assert re.search(r"^clip 1 .* it moves (left|right|up|down)\nclip 2 .* it moves ", printed, re.MULTILINE)
    assert printed.splitlines()[-1].endswith("video.mp4")


def test_clips_of_other_sizes_and_with_other_padding_are_told_alike(retold: list[Answer]) -> None:
    _, some, padding, larger, *_, greedy = retold
    wanted = [f"it moves {way}" for way in WAYS]
    assert best(some) == best(padding) == best(larger) == best(greedy) == wanted
    for other in (padding, larger):
        np.testing.assert_allclose(some["scores"], other["scores"], atol=1e-4)
        np.testing.assert_allclose(some["attention"], other["attention"], atol=1e-4)
    assert greedy["captions"].shape == (4, 1)
    assert not any(some["status"])


def test_attention_is_spread_over_frames_and_places(retold: list[Answer]) -> None:
    weights = retold[1]["attention"]
    assert weights.shape == (4, retold[1]["words"].shape[1], 8, 3, 3)
    np.testing.assert_allclose(weights[:, :3].sum((2, 3, 4)), 1, atol=1e-5)


def test_clips_without_frames_do_not_harm_the_others(retold: list[Answer]) -> None:
    some, odd, none, empty = retold[1], *retold[4:7]
    wrong = [f"lengths says {length}, and there are 14 frames" for length in (-1, 15)]
    assert [status.decode() for status in odd["status"]] == ["no frames", "", *wrong, ""]
    assert best(odd) == ["", "it moves right", "", "", "it moves left"]
    np.testing.assert_allclose(odd["scores"][[1, 4]], some["scores"][[1, 0]], atol=1e-4)
    assert not odd["attention"][[0, 2, 3]].any()
    assert none["captions"].shape == (0, 2)
    assert none["attention"].shape[2:] == (8, 3, 3)
    assert best(empty) == ["", ""]


def test_predict_tells_of_a_video(
    told: tuple[Path, str, list[str]], videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, picture = tuple(str(videos / f"{number}.mp4") for number in (9, 8)), tmp_path / "where.png"
    ask_aloud(load(told[0]), Question(names, plot=picture))
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in printed[:2]] == ["right", "left"]
    assert np.ptp(imread(picture)[..., :3]) > 0.5
    with pytest.raises(VideoError, match="cannot be read as a video"):
        ask_aloud(load(told[0]), Question((str(videos / "all.tsv"),)))


def test_a_picture_that_is_not_there_is_told(model: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.jpg cannot be read"):
        ask_aloud(load(model), Question(("no.jpg",)))
