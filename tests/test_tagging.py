"""The tagging recipe, run as a user runs it, and its exports, asked by a process with TensorFlow alone."""

import csv
import dataclasses
import io
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from exports import Answer, ask, figures
from PIL import Image
from test_video import write_video

from zoo.cli.predict import Question
from zoo.cli.predict import ask as ask_aloud
from zoo.datasets import DataSplits, TaggingSplit, load_tagging
from zoo.datasets.builders import footage
from zoo.datasets.builders.footage import builder, editing
from zoo.errors import UsageError, VideoError
from zoo.metrics import Segment, find_segments, find_transitions, score_frames, score_transitions
from zoo.preprocessing.video import open_video
from zoo.recipes import tagging
from zoo.recipes.tagging import Settings
from zoo.serving.loading import load
from zoo.tasks.frame_tagging import answers, shots

SIZE = (14, 24)
SIZES = {"train": 60, "validation": 4, "test": 6}
SETTINGS = Settings(
    size=SIZE,
    offsets=(-4, -1, 1, 3),
    width=32,
    units=24,
    window=50,
    batch_size=4,
    epochs=4,
    learning_rate=0.01,
    dropout=0.0,
)
AHEAD = 3


def plain(random: np.random.Generator, *given: object, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """A clip of shots of one color each, dark and light, with cuts, dissolves and fades between them."""
    frames, tags, color = [], [], random.uniform(60, 110, 3)
    while len(tags) < 100:
        shot, after = [color] * random.integers(5, 14), random.uniform(60, 110, 3)
        after += 130 * (color.mean() < 130)
        kind = random.choice([footage.CUT, footage.DISSOLVE, footage.FADE])
        shares = np.arange(1, 7)[:, None] / 7
        if kind == footage.CUT:
            join = [after]
        elif kind == footage.DISSOLVE:
            join = [*(color * (1 - shares) + after * shares)]
        else:
            join = [*(color * (1 - shares)), *(after * shares)]
        frames += [*shot, *join]
        tags += [footage.SHOT] * len(shot) + [kind] * len(join)
        color = after
    frames = np.array(frames[:100])[:, None, None] + random.normal(0, 3, (100, *SIZE, 3))
    return np.clip(frames, 0, 255).astype(np.uint8), np.array(tags[:100])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tagging")


@pytest.fixture(scope="module")
def simple() -> Iterator[None]:
    """Few and small clips, plain ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "SIZES", SIZES)
        patch.setattr(builder, "SIZE", SIZE)
        patch.setattr(editing, "edit_clip", plain)
        yield


@pytest.fixture(scope="module")
def trained(folder: Path, simple: None) -> tuple[str, tagging.Program]:
    """What the recipe prints of a smaller model, and the program that it exports."""
    places = {"data_dir": folder / "data", "folder": folder / "run", "export": folder / "1"}
    programs, evaluation = [], tagging.evaluation

    def seen(program: tagging.Program, *given: object) -> dict[str, float]:
        programs.append(program)
        return evaluation(program, *given)

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(tagging, "evaluation", seen)
        tagging.train(dataclasses.replace(SETTINGS, **places))
    return printed.getvalue(), programs[-1]


@pytest.fixture(scope="module")
def model(folder: Path, trained: tuple[str, tagging.Program]) -> Path:
    return folder / "1"


@pytest.fixture(scope="module")
def data(folder: Path, model: Path) -> DataSplits[TaggingSplit]:
    return load_tagging("footage", data_dir=folder / "data", size=SIZE)


def whole(frames: np.ndarray, lengths: list[int]) -> tuple[str, dict[str, np.ndarray]]:
    return "serving_default", {"frames": frames, "lengths": np.array(lengths, np.int32)}


CUTS = {"one by one": [1] * 40, "one and the rest": [1, 39], "some": [2, 17, 0, 21], "all": [40]}


@pytest.fixture(scope="module")
def asked(model: Path, data: DataSplits[TaggingSplit]) -> dict[str, list[Answer]]:
    """What a fresh process says of the test set, whole, in pieces, and of odd input."""
    clips = np.stack(data.test.sequences)
    three = clips[:3, :40]
    larger = three.repeat(3, 2).repeat(2, 3)
    questions = {
        "whole": [whole(clips, [100] * len(clips))],
        "three": [whole(three, [40] * 3)],
        "ragged": [whole(clips[:4, :60], [60, 7, 33, 1])],
        "alone": [whole(clips[row : row + 1, :t], [t]) for row, t in enumerate((60, 7, 33, 1))],
        "larger": [whole(larger, [40] * 3)],
        "lengths": [whole(clips[:4, :20], [25, 0, -3, 20])],
        "no rows": [whole(clips[:0], [])],
        "no steps": [whole(clips[:2, :0], [0, 0])],
        "no pixels": [whole(np.zeros((2, 0, 0, 0, 3), np.uint8), [0, 0])],
        "no streams": [("init", {"batch": np.int32(0)}), ("step", {"frames": clips[:0, :5]}), ("finish", {})],
    }
    for name, sizes in CUTS.items():
        edges = np.cumsum([0, *sizes])
        given = larger if name == "some" else three
        steps = [("step", {"frames": given[:, a:b]}) for a, b in itertools.pairwise(edges)]
        questions[name] = [("init", {"batch": np.int32(3)}), *steps, ("finish", {})]
    given = iter(ask(model, *(question for some in questions.values() for question in some)))
    return {name: [next(given) for _ in some] for name, some in questions.items()}


def tags_of(answer: Answer) -> list[list[str]]:
    return [[tag.decode() for tag in row] for row in answer["tags"]]


# What it learns and reports.


def test_export_gives_the_scores_of_the_training_process(
    asked: dict[str, list[Answer]], trained: tuple[str, tagging.Program], data: DataSplits[TaggingSplit]
) -> None:
    (there,), (_, inputs) = asked["whole"], whole(np.stack(data.test.sequences), [100] * SIZES["test"])
    here = trained[1].by_name["serving_default"](**{key: tf.constant(own) for key, own in inputs.items()})
    np.testing.assert_allclose(there["scores"], here["scores"], atol=1e-5)
    np.testing.assert_array_equal(there["tags"], here["tags"])
    np.testing.assert_allclose(there["scores"].sum(-1), 1, atol=1e-5)
    labels = [label.decode() for label in there["labels"]]
    assert labels == list(footage.TAGS)
    assert tags_of(there) == np.array(labels)[there["scores"].argmax(-1)].tolist()
    assert not any(there["status"])


def test_figures_are_those_of_the_export(
    asked: dict[str, list[Answer]], model: Path, data: DataSplits[TaggingSplit]
) -> None:
    said, found = tags_of(asked["whole"][0]), figures(model)
    true = [np.array(data.info.labels)[own].tolist() for own in data.test.tags]
    seen = [find_transitions(tags, "shot", tagging.SHORTEST) for tags in said]
    expected = score_frames(said, true, data.info.labels)
    expected["transition f1"] = score_transitions(seen, true, "shot").f1
    assert expected["accuracy"] < 100
    for name, score in expected.items():
        assert found[f"test {name}, gru"] == pytest.approx(score, abs=0.01)


def test_memory_tells_what_happens_and_a_frame_alone_does_not(model: Path) -> None:
    found = figures(model)
    assert found["test F1 cut, gru"] > 60
    assert found["test macro-F1, gru"] > found["test macro-F1, per_frame"] + 15


def test_report_and_card_show_the_same_and_what_comes_next(
    model: Path, trained: tuple[str, tagging.Program]
) -> None:
    report = trained[0]
    for name, value in figures(model).items():
        assert re.search(rf"^{re.escape(name)} +{value:.2f}$", report, re.MULTILINE)
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    assert card["data"].startswith("footage/")
    assert f"{AHEAD} steps late" in card["limits"][0]
    assert report.splitlines()[-1] == f"next: python recipes/tagging.py predict --model {model} video.mp4"
    # The shots of one clip, one after the other.
    parts = re.findall(r"^ +\d+ +(\d+) to (\d+) +(\w+)$", report, re.MULTILINE)
    bounds = [int(bound) for start, end, _ in parts for bound in (start, end)]
    assert 0 <= bounds[0] < bounds[-1] <= SETTINGS.window
    assert bounds == sorted(bounds)
    assert {tag for *_, tag in parts} <= {"start", *footage.TAGS}


# The export.


def test_rows_of_a_batch_do_not_meet(asked: dict[str, list[Answer]]) -> None:
    (ragged,), alone = asked["ragged"], asked["alone"]
    for row, own in enumerate(alone):
        length = own["tags"].shape[1]
        np.testing.assert_allclose(ragged["scores"][row, :length], own["scores"][0], atol=1e-5)
        assert ragged["tags"][row, :length].tolist() == own["tags"][0].tolist()
        assert not any(ragged["tags"][row, length:])
        assert not ragged["scores"][row, length:].any()
    assert not any(ragged["status"])


@pytest.mark.parametrize("name", CUTS)
def test_a_stream_in_pieces_gives_what_the_whole_gives(asked: dict[str, list[Answer]], name: str) -> None:
    """One of them in frames of another size."""
    (expected,), (begun, *said) = asked["three"], asked[name]
    assert begun["steps"].tolist() == [0, 0, 0]
    assert [answer["tags"].shape for answer in said] == [(3, size) for size in [*CUTS[name], AHEAD]]
    scores, tags = (np.concatenate([answer[key] for answer in said], 1) for key in ("scores", "tags"))
    assert not any(tags[:, :AHEAD].ravel())
    assert not scores[:, :AHEAD].any()
    np.testing.assert_allclose(scores[:, AHEAD:], expected["scores"], atol=1e-5)
    np.testing.assert_array_equal(tags[:, AHEAD:], expected["tags"])
    assert len(np.unique(expected["tags"])) > 2


def test_frames_of_another_size_are_tagged_alike(asked: dict[str, list[Answer]]) -> None:
    (expected,), (larger,) = asked["three"], asked["larger"]
    np.testing.assert_allclose(larger["scores"], expected["scores"], atol=1e-5)
    np.testing.assert_array_equal(larger["tags"], expected["tags"])


def test_a_length_that_cannot_be_is_told(asked: dict[str, list[Answer]]) -> None:
    (answer,), (expected,) = asked["lengths"], asked["whole"]
    assert [status.decode() for status in answer["status"]] == [
        "lengths says 25, and there are 20 steps", "no steps", "lengths says -3, and there are 20 steps", ""
    ]  # fmt: skip
    assert [sum(map(bool, row)) for row in tags_of(answer)] == [20, 0, 0, 20]
    # What lies further than the look-ahead before the end knows nothing of the end.
    for row in (0, 3):
        some = slice(20 - AHEAD)
        np.testing.assert_allclose(answer["scores"][row, some], expected["scores"][row, some], atol=1e-5)


def test_nothing_at_all_is_answered(asked: dict[str, list[Answer]]) -> None:
    classes = len(footage.TAGS)
    for name, (rows, steps) in {"no rows": (0, 100), "no steps": (2, 0), "no pixels": (2, 0)}.items():
        (answer,) = asked[name]
        assert answer["tags"].shape == (rows, steps)
        assert answer["scores"].shape == (rows, steps, classes)
        assert answer["status"].tolist() == [b"no steps"] * rows
    _, step, finish = asked["no streams"]
    assert (step["tags"].shape, finish["tags"].shape) == ((0, 5), (0, AHEAD))


def test_saved_model_cli_runs_it(model: Path, data: DataSplits[TaggingSplit], tmp_path: Path) -> None:
    np.save(tmp_path / "frames.npy", data.test.sequences[0][None, :6])
    np.save(tmp_path / "lengths.npy", np.array([6], np.int32))
    inputs = ";".join(f"{name}={tmp_path}/{name}.npy" for name in ("frames", "lengths"))
    command = ["run", "--dir", str(model), "--tag_set", "serve", "--signature_def", "serving_default"]
    cli = subprocess.run(
        [Path(sys.executable).with_name("saved_model_cli"), *command, "--inputs", inputs],
        capture_output=True,
        text=True,
    )
    assert cli.returncode == 0, cli.stderr
    assert "Result for output key tags:\n[[b'" in cli.stdout


# LiteRT.


def lite_tags(file: Path, frames: np.ndarray) -> list[str]:
    """The tags that a converted step gives to a clip, frame by frame."""
    runner = Interpreter(model_path=str(file)).get_signature_runner("serving_default")
    details = runner.get_input_details()
    state = {name: np.zeros(own["shape"], own["dtype"]) for name, own in details.items() if name != "frames"}
    places = []
    for frame in [*frames, *np.zeros((AHEAD, *SIZE, 3), np.uint8)]:
        said = runner(frames=frame[None, None].astype(np.float32), **state)
        state = {name: said[name] for name in state}
        np.testing.assert_allclose(said["scores"].sum(), 1, atol=1e-3)
        places.append(said["scores"].argmax())
    return [footage.TAGS[place] for place in places[AHEAD:]]


@pytest.mark.parametrize(("name", "least"), [("step.tflite", 1.0), ("step_int8.tflite", 0.99)])
def test_lite_step_gives_the_same_tags(
    model: Path, data: DataSplits[TaggingSplit], asked: dict[str, list[Answer]], name: str, least: float
) -> None:
    expected = np.array(tags_of(asked["whole"][0])[:3])
    found = np.array([lite_tags(model / name, clip) for clip in data.test.sequences[:3]])
    assert found.shape == (3, 100)
    assert (found == expected).mean() >= least
    assert len(np.unique(expected)) > 2


def test_lite_steps_have_built_in_operations_alone(model: Path) -> None:
    sizes = []
    for name in ("step.tflite", "step_int8.tflite"):
        operations = Interpreter(model_path=str(model / name))._get_ops_details()
        names = {operation["op_name"] for operation in operations}
        assert {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX"} <= names
        assert not [own for own in names if re.search("flex|custom|while", own, re.IGNORECASE)]
        sizes.append((model / name).stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]


# Other data.


@pytest.fixture(scope="module")
def of_features(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where a model lies that was trained on features without a header, several tags a step; the report."""
    folder, random = tmp_path_factory.mktemp("features"), np.random.default_rng(0)
    rows = []
    for number in range(24):
        values = random.normal(size=(40, 3))
        for t, (one, other, _) in enumerate(values):
            high, late = bool(one > 0), bool(t and values[t - 1, 1] > 0)
            tags = "|".join(["high"] * high + ["late"] * late)
            rows.append(
                [f"clip{number}", t, tags, f"{one:.4f}", f"{5 + 100 * other:.4f}", f"{values[t, 2]:.4f}"]
            )
    with (folder / "steps.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    settings = Settings(
        dataset=str(folder / "steps.csv"),
        folder=folder / "run",
        export=folder / "1",
        multi_label=True,
        offsets=(),
        baseline=False,
        width=16,
        units=16,
        batch_size=2,
        epochs=12,
        dropout=0.0,
        learning_rate=0.02,
    )
    with redirect_stdout(io.StringIO()) as printed:
        tagging.train(settings)
    return folder / "1", printed.getvalue()


def test_steps_may_bear_several_tags(of_features: tuple[Path, str]) -> None:
    model, report = of_features
    assert report.splitlines()[-1] == f"next: zoo show {model}"
    assert "frames have no label." in report
    found = figures(model)
    assert found["test macro-F1, gru"] > 85
    assert not [name for name in found if "per_frame" in name]
    random = np.random.default_rng(1)
    features = (random.normal(size=(2, 30, 3)) * [1, 100, 1] + [0, 5, 0]).astype(np.float32)
    stream = [("init", {"batch": np.int32(2)}), ("step", {"features": features}), ("finish", {})]
    given = {"features": features, "lengths": np.array([30, 12], np.int32)}
    answer, _, step, finish = ask(model, ("serving_default", given), *stream)
    assert answer["labels"].tolist() == [b"high", b"late"]
    likely, said = answer["scores"] > 0.5, set()
    for row, length in enumerate((30, 12)):
        expected = ["|".join(np.array(["high", "late"])[some]) for some in likely[row, :length]]
        assert tags_of(answer)[row] == expected + [""] * (30 - length)
        said |= set(expected)
        np.testing.assert_allclose(step["scores"][row, :length], answer["scores"][row, :length], atol=1e-5)
    assert said == {"", "high", "late", "high|late"}
    assert (likely[0, :, 0] == (features[0, :, 0] > 0)).mean() > 0.85
    assert (likely[0, 1:, 1] == (features[0, :-1, 1] > 5)).mean() > 0.85
    assert finish["tags"].shape == (2, 0)
    assert (model / "step.tflite").exists()


@pytest.fixture(scope="module")
def of_videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where a model lies that reads small videos both ways, and the report."""
    folder, rows = tmp_path_factory.mktemp("videos"), ["video,start,end,tag"]
    for number in range(6):
        turn = 4 + 2 * number
        write_video(folder / f"{number}.mp4", bright(turn, 20))
        rows += [f"{number}.mp4,0,{0.04 * turn},dark", f"{number}.mp4,{0.04 * turn},{0.04 * 20},light"]
    (folder / "segments.csv").write_text("\n".join(rows), encoding="utf-8")
    settings = Settings(
        dataset=str(folder),
        folder=folder / "run",
        export=folder / "1",
        size=(8, 12),
        offsets=(-1,),
        width=8,
        units=8,
        bidirectional=True,
        baseline=False,
        batch_size=1,
        epochs=1,
        learning_rate=0.02,
    )
    with redirect_stdout(io.StringIO()) as printed:
        tagging.train(settings)
    return folder / "1", printed.getvalue()


def bright(turn: int, count: int) -> np.ndarray:
    """Frames that are dark before the turn, and light from there on."""
    noise = np.random.default_rng(turn).integers(-20, 20, (count, 32, 48, 3))
    return (np.where(np.arange(count) < turn, 40, 210)[:, None, None, None] + noise).astype(np.uint8)


def test_a_model_that_reads_both_ways_has_no_stream(of_videos: tuple[Path, str]) -> None:
    model, report = of_videos
    assert "dark, light." in report
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    assert list(card["signatures"]) == ["serving_default"]
    assert not list(model.glob("*.tflite"))
    assert card["limits"][0].startswith("It reads both ways, so it is for no streams.")
    assert not [name for name in card["figures"] if "transition" in name]


def test_users_footage_is_edited(folder: Path, tmp_path: Path) -> None:
    for number in range(30):
        Image.new("RGB", (40, 30), (8 * number, 0, 90)).save(tmp_path / f"{number}.png")
    settings = dataclasses.replace(SETTINGS, footage=(tmp_path,), clips=3, folder=tmp_path / "run")
    data = tagging.data_of(settings)
    assert data.info.source == str(tmp_path)
    assert data.train.sequences[0].shape == (100, *SIZE, 3)
    assert list((tmp_path / "run" / "frames").glob("*.npy"))


# Predict.


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def assert_report_is_right(
    folder: Path, printed: list[str], times: np.ndarray, tags: list[str], parts: list[Segment]
) -> None:
    """What `predict` prints and writes of a video, for the times and tags of its frames."""
    frames, rows = table(folder / "frames.csv"), table(folder / "parts.csv")
    assert [int(row["frame"]) for row in frames] == list(range(len(tags)))
    assert [row["tag"] for row in frames] == tags
    np.testing.assert_allclose([float(row["time"]) for row in frames], times[:-1], atol=2e-3)
    assert all(0 < float(row["score"]) <= 1 for row in frames)
    found = [(row["what"], int(row["first_frame"]), int(row["end_frame"])) for row in rows]
    assert found == [tuple(part) for part in parts]
    for number, (row, part) in enumerate(zip(rows, parts, strict=True), 1):
        for name, frame in (("start", part.start), ("end", part.end)):
            assert abs(seconds(row[name]) - times[frame]) < 2e-3
        line = rf" *{number}  {re.escape(row['start'])} to {re.escape(row['end'])}  {part.label}"
        assert sum(bool(re.fullmatch(line, other)) for other in printed) == 1
    with Image.open(folder / "parts.png") as opened:
        sheet = np.asarray(opened)
    assert min(sheet.shape[:2]) > 150
    assert sheet.std() > 10


def seconds(said: str) -> float:
    hours, minutes, rest = said.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


@pytest.fixture(scope="module")
def edited(data: DataSplits[TaggingSplit], folder: Path) -> tuple[Path, np.ndarray]:
    """A video of a variable frame rate, of a test clip with a cut, and the times of its frames and end."""
    frames = data.test.sequences[max(range(6), key=lambda row: (data.test.tags[row] == footage.CUT).sum())]
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.1, 2.3], len(frames)))
    write_video(folder / "holiday.v2.mp4", frames.repeat(4, 1).repeat(4, 2), times)
    times -= times[0]
    return folder / "holiday.v2.mp4", np.append(times, 2 * times[-1] - times[-2])


def test_predict_tells_the_shots_of_a_video(
    trained: tuple[str, tagging.Program],
    model: Path,
    edited: tuple[Path, np.ndarray],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video, times = edited
    ask_aloud(load(model), Question((str(video),), folder=tmp_path))
    frames = np.stack([frame for _, frame in open_video(video).decode(SIZE)])
    tags = answers(trained[1].by_name, "frames", [frames]).tags
    parts = shots(tags)
    assert len(parts) > 1
    printed = capsys.readouterr().out.splitlines()
    assert str(video) in printed
    assert_report_is_right(tmp_path / "holiday.v2.mp4", printed, times, tags, parts)


def test_predict_of_folders_and_of_several_videos(
    of_videos: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a model without a stream, and without shots: its segments are told."""
    model, frames = of_videos[0], bright(5, 12)
    (tmp_path / "own").mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "own" / f"{number}.png")
    write_video(tmp_path / "one.mp4", frames[:1])
    videos = (str(tmp_path / "own"), str(tmp_path / "one.mp4"))
    ask_aloud(load(model), Question(videos, folder=tmp_path / "said", rate=10.0))
    printed = capsys.readouterr().out.splitlines()
    said = [row["tag"] for row in table(tmp_path / "said" / "own" / "frames.csv")]
    ((_, inputs),) = [whole(frames[None], [12])]
    loaded = tf.saved_model.load(str(model))
    answer = loaded.signatures["serving_default"](**{key: tf.constant(own) for key, own in inputs.items()})
    assert said == tags_of({"tags": answer["tags"].numpy()})[0]
    parts = find_segments(said)
    assert_report_is_right(tmp_path / "said" / "own", printed, np.arange(13) / 10, said, parts)
    (row,) = table(tmp_path / "said" / "one.mp4" / "parts.csv")
    assert (row["first_frame"], row["end_frame"]) == ("0", "1")


def test_videos_of_one_name_have_tables_of_their_own(
    of_videos: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, count in (("a", 3), ("b", 5)):
        (tmp_path / folder / "own").mkdir(parents=True)
        for number, frame in enumerate(bright(5, count)):
            Image.fromarray(frame).save(tmp_path / folder / "own" / f"{number}.png")
    monkeypatch.chdir(tmp_path / "b" / "own")
    videos = (str(tmp_path / "a" / "own"), str(tmp_path / "b" / "own"), ".")
    ask_aloud(load(of_videos[0]), Question(videos, folder=tmp_path / "said"))
    counts = {path.name: len(table(path / "frames.csv")) for path in (tmp_path / "said").iterdir()}
    assert counts == {"own": 3, "own-2": 5, "own-3": 5}


def test_tables_of_frames_without_times(model: Path, tmp_path: Path) -> None:
    (answer,) = load(model).predict([bright(5, 12)])
    answer.write(tmp_path)
    frames, parts = table(tmp_path / "frames.csv"), table(tmp_path / "parts.csv")
    assert [row["tag"] for row in frames] == list(answer.tags)
    assert list(frames[0]) == ["frame", "tag", "score"]
    assert list(parts[0]) == ["number", "what", "first_frame", "end_frame"]
    assert (parts[0]["first_frame"], parts[-1]["end_frame"]) == ("0", "12")


def test_a_damaged_video_is_told(
    model: Path, edited: tuple[Path, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        Image.new("RGB", (48, 28), (50 * number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(b"no picture")
    ask_aloud(load(model), Question((str(tmp_path),), folder=tmp_path / "said"))
    assert "3.png cannot be read" in capsys.readouterr().out
    times = [float(row["time"]) for row in table(tmp_path / "said" / tmp_path.name / "frames.csv")]
    assert times == [0, 0.04, 0.08, 0.16]


S, C, D, F = "shot", "cut", "dissolve", "fade"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([S, S, S], [("start", 0, 3)]),
        ([S, S, C, S, S], [("start", 0, 2), ("cut", 2, 5)]),
        ([C, S, S], [("cut", 0, 3)]),
        ([S, S, C], [("start", 0, 2), ("cut", 2, 3)]),
        ([S, S, D, D, D], [("start", 0, 2)]),
        ([D, D, D, S, S], [("dissolve", 3, 5)]),
        ([S, D, D, D, S, F, F, F, S], [("start", 0, 1), ("dissolve", 4, 5), ("fade", 8, 9)]),
        ([S, D, D, S, F, S], [("start", 0, 6)]),  # flicker
        ([S, C, S, C, S], [("start", 0, 1), ("cut", 1, 3), ("cut", 3, 5)]),
        ([S, C, D, D, D, S], [("start", 0, 1), ("dissolve", 5, 6)]),
        ([S, D, D, C, S], [("start", 0, 1), ("dissolve", 4, 5)]),
        ([S, F, F, D, D, D, S], [("start", 0, 1), ("dissolve", 6, 7)]),
        ([D, D, D], []),
        ([], []),
    ],
)
def test_shots_lie_between_transitions(tags: list[str], expected: list[tuple]) -> None:
    assert shots(tags) == [Segment(*part) for part in expected]


# Mistakes.


@pytest.fixture
def unseen(tmp_path: Path) -> Iterator[Path]:
    """Where nothing is to be written."""
    yield tmp_path / "said"
    assert not (tmp_path / "said").exists()


def test_what_is_no_video_is_told(model: Path, tmp_path: Path, unseen: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello\n" * 99)
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("no.mp4", "There is no"),
        ("text.mp4", "cannot be read as a video|contains no video"),
        ("empty", "contains no images"),
    ):
        with pytest.raises(VideoError, match=message):
            ask_aloud(load(model), Question((str(tmp_path / name),), folder=unseen))


def test_a_model_of_features_reads_no_videos(
    of_features: tuple[Path, str], tmp_path: Path, unseen: Path
) -> None:
    video = write_video(tmp_path / "a.mp4", bright(1, 3))
    with pytest.raises(UsageError, match=r"takes .*features.*, not videos"):
        ask_aloud(load(of_features[0]), Question((str(video),), folder=unseen))
