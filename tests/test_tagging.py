"""The tagging recipe and its task: exports run by a process with TensorFlow alone, and rebuilt models."""

import csv
import dataclasses
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from exports import (
    Outputs,
    assert_batchable,
    assert_portable,
    assert_same_as_export,
    assert_same_outputs,
    predict_in_process,
    read_metrics,
    run_client,
)
from PIL import Image
from videos import write_video

import zoo
from zoo.card import read_card
from zoo.cli.predict import PredictOptions, run_predict
from zoo.datasets import DataSplits, TaggingSplit, load_tagging
from zoo.datasets.builders import footage
from zoo.datasets.builders.footage import builder, editing
from zoo.errors import UsageError
from zoo.export import call_by_name
from zoo.metrics import Segment, find_segments, score_frames, score_transitions
from zoo.preprocessing.video import open_video
from zoo.recipes import tagging
from zoo.recipes.tagging import Settings
from zoo.reports.warnings import compare_with_baselines
from zoo.serving.verification import verify
from zoo.shots import SHOT_LIST_SUFFIXES
from zoo.tasks.frame_tagging import (
    TASK,
    FrameTaggingModule,
    FrameTaggingPreprocessor,
    check_options,
    find_shots,
    find_video_transitions,
)
from zoo.training import Run

SIZE = (14, 24)
SIZES = {"train": 60, "validation": 4, "test": 6}
SETTINGS = Settings(
    image_size=SIZE,
    offsets=(-4, -1, 1, 3),
    vector_dim=32,
    units=24,
    window=50,
    batch_size=4,
    epochs=4,
    learning_rate=0.01,
    dropout=0.0,
)
LOOKAHEAD = 3


class Trained(NamedTuple):
    """An export, what the recipe printed, and the module that was exported."""

    directory: Path
    report: str
    module: FrameTaggingModule


def run_recipe(settings: Settings) -> Trained:
    """Run the recipe, whose export is checked in this process; tests run it in a fresh one."""
    modules: list[FrameTaggingModule] = []
    evaluate = FrameTaggingModule.evaluate

    def record(module: FrameTaggingModule, *arguments: Any) -> dict[str, float]:
        modules.append(module)
        return evaluate(module, *arguments)

    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(FrameTaggingModule, "evaluate", record)
        patch.setattr("zoo.export.saved_model.run_in_fresh_process", predict_in_process)
        tagging.train(settings)
    return Trained(settings.export_dir, printed.getvalue(), modules[-1])


def make_plain_clip(random: np.random.Generator, *_: object, **__: object) -> tuple[np.ndarray, np.ndarray]:
    """A clip of shots of one color each, dark and light, with cuts, dissolves and fades between them."""
    frames, tags, color = [], [], random.uniform(60, 110, 3)
    while len(tags) < 100:
        shot, next_color = [color] * random.integers(5, 14), random.uniform(60, 110, 3)
        next_color += 130 * (color.mean() < 130)
        kind = random.choice([footage.CUT, footage.DISSOLVE, footage.FADE])
        shares = np.arange(1, 7)[:, None] / 7
        if kind == footage.CUT:
            transition = [next_color]
        elif kind == footage.DISSOLVE:
            transition = [*(color * (1 - shares) + next_color * shares)]
        else:
            transition = [*(color * (1 - shares)), *(next_color * shares)]
        frames += [*shot, *transition]
        tags += [footage.SHOT] * len(shot) + [kind] * len(transition)
        color = next_color
    pixels = np.array(frames[:100])[:, None, None] + random.normal(0, 3, (100, *SIZE, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8), np.array(tags[:100])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def simple_footage() -> Iterator[None]:
    """Few, small and plain clips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "SIZES", SIZES)
        patch.setattr(builder, "SIZE", SIZE)
        patch.setattr(editing, "edit_clip", make_plain_clip)
        yield


@pytest.fixture(scope="module")
def trained(data_dir: Path, simple_footage: None, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A smaller model, trained on plain clips."""
    directory = tmp_path_factory.mktemp("tagging")
    paths = {"data_dir": data_dir, "run_dir": directory / "run", "export_dir": directory / "1"}
    return run_recipe(dataclasses.replace(SETTINGS, **paths))


@pytest.fixture(scope="module")
def data(data_dir: Path, trained: Trained) -> DataSplits[TaggingSplit]:
    return load_tagging("footage", data_dir=data_dir, size=SIZE)


def test_the_ceiling_is_not_taken_for_a_baseline(trained: Trained) -> None:
    metrics = read_card(trained.directory)["metrics"]
    assert any("ceiling" in name for name in metrics)
    warnings = compare_with_baselines({**metrics, "test macro-F1": 0.0})  # of a model that is worse than all
    assert warnings
    assert not any("ceiling" in warning for warning in warnings)


def test_the_card_shows_the_videos_of_the_user(
    trained: Trained, data: DataSplits[TaggingSplit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies of them, and their shots as the export finds them; its check takes the beginning of the first one."""
    monkeypatch.setattr("zoo.export.saved_model.run_in_fresh_process", predict_in_process)
    videos = [tmp_path / "two shots.mp4", tmp_path / "a_b.mkv"]
    for row, path in enumerate(videos):
        write_video(path, np.stack(data.test.sequences[row][: 60 + row]).repeat(4, 1).repeat(4, 2))
    preprocessor = trained.module.preprocessor
    inputs = preprocessor.make_examples(data.test, 50, videos)
    assert (inputs["frames"].shape, inputs["lengths"].tolist()) == ((1, 50, *SIZE, 3), [50])
    run = Run(tmp_path / "run", {})
    directory = TASK.export(run, trained.module, data.info, tmp_path / "1", inputs, videos=videos)
    card = read_card(directory)
    assert [(answer["input"], answer["file"]) for answer in card["answers"]] == [
        ("two shots.mp4", "example1.mp4"),
        ("a_b.mkv", "example2.mkv"),
    ]
    predictor = zoo.load(directory)
    copies = [directory / "example1.mp4", directory / "example2.mkv"]
    assert predictor.read_examples() == [(str(path), path) for path in copies]
    page = (directory / "README.md").read_text(encoding="utf-8")
    for answer, video, copy, prediction in zip(
        card["answers"], videos, copies, predictor.predict(copies), strict=True
    ):
        assert copy.read_bytes() == video.read_bytes()
        assert answer["rows"] == [list(row) for row in prediction.as_table().rows]
        assert len(answer["rows"]) > 1
        assert (
            f"\n| [{answer['input']}]({copy.name}) | {' | '.join(answer['rows'][0])} |\n| | "
            in page.replace("|  |", "| |")
        )
    assert verify(directory)[0] == []
    answers = [*card["answers"][:1], card["answers"][1] | {"file": "../example2.mkv"}]
    (directory / "card.json").write_text(json.dumps(card | {"answers": answers}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"`answers\[1\].file` names no file in the directory of the export"):
        read_card(directory)


def test_the_card_shows_nothing_of_the_footage_of_the_user(data: DataSplits[TaggingSplit]) -> None:
    preprocessor = FrameTaggingPreprocessor(SIZE)
    inputs = preprocessor.make_examples(data.test, 30, [], is_private=True)
    assert inputs["frames"].shape == (1, 30, *SIZE, 3)
    assert (inputs["frames"][0] != data.test.sequences[0][:30]).mean() > 0.5
    with pytest.raises(UsageError, match="the data are features"):
        FrameTaggingPreprocessor(None).make_examples(data.test, 30, [Path("a.mp4")])


def make_call(frames: np.ndarray, lengths: list[int]) -> tuple[str, dict[str, np.ndarray]]:
    return "serving_default", {"frames": frames, "lengths": np.array(lengths, np.int32)}


CHUNKS = {"one by one": [1] * 40, "one and the rest": [1, 39], "several": [2, 17, 0, 21], "all": [40]}


@pytest.fixture(scope="module")
def outputs(trained: Trained, data: DataSplits[TaggingSplit]) -> dict[str, list[Outputs]]:
    """Outputs of the export in a fresh process, for the test set as a whole, in chunks, and for odd inputs."""
    clips = np.stack(data.test.sequences)
    three = clips[:3, :40]
    larger = three.repeat(3, 2).repeat(2, 3)
    calls = {
        "test set": [make_call(clips, [100] * len(clips))],
        "three": [make_call(three, [40] * 3)],
        "ragged": [make_call(clips[:4, :60], [60, 7, 33, 1])],
        "alone": [make_call(clips[row : row + 1, :t], [t]) for row, t in enumerate((60, 7, 33, 1))],
        "larger": [make_call(larger, [40] * 3)],
        "wrong lengths": [make_call(clips[:4, :20], [25, 0, -3, 20])],
        "no rows": [make_call(clips[:0], [])],
        "no steps": [make_call(clips[:2, :0], [0, 0])],
        "no pixels": [make_call(np.zeros((3, 5, 0, 9, 3), np.uint8), [5, 0, 6])],
        "labels": [("labels", {})],
        "no streams": [("init", {"batch": np.int32(0)}), ("step", {"frames": clips[:0, :5]}), ("finish", {})],
    }
    for name, sizes in CHUNKS.items():
        edges = np.cumsum([0, *sizes])
        frames = larger if name == "several" else three
        steps = [("step", {"frames": frames[:, a:b]}) for a, b in itertools.pairwise(edges)]
        calls[name] = [("init", {"batch": np.int32(3)}), *steps, ("finish", {})]
    results = iter(run_client(trained.directory, *itertools.chain.from_iterable(calls.values())))
    return {name: list(itertools.islice(results, len(group))) for name, group in calls.items()}


def get_tags(outputs: Outputs) -> list[list[str]]:
    return [[tag.decode() for tag in row] for row in outputs["tags"]]


def rebuild(directory: Path) -> FrameTaggingModule:
    return FrameTaggingModule(*TASK.from_export(directory), read_card(directory)["labels"])


# What the model learns, and what the recipe reports.


def test_the_export_has_the_scores_of_the_training_process(
    outputs: dict[str, list[Outputs]], trained: Trained, data: DataSplits[TaggingSplit]
) -> None:
    (batch,), (names,) = outputs["test set"], outputs["labels"]
    _, inputs = make_call(np.stack(data.test.sequences), [100] * SIZES["test"])
    function = trained.module.signatures["serving_default"]
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    assert_same_outputs(call_by_name(function, **tensors), batch)
    np.testing.assert_allclose(batch["scores"].sum(-1), 1, atol=1e-5)
    labels = [label.decode() for label in names["labels"]]
    assert labels == list(footage.TAGS)
    assert get_tags(batch) == np.array(labels)[batch["scores"].argmax(-1)].tolist()
    assert not any(batch["status"])


def test_metrics_are_those_of_the_export(
    outputs: dict[str, list[Outputs]], trained: Trained, data: DataSplits[TaggingSplit]
) -> None:
    predictions, metrics = get_tags(outputs["test set"][0]), read_metrics(trained.directory)
    references = [np.array(data.info.labels)[tags].tolist() for tags in data.test.tags]
    transitions = [find_video_transitions(tags) for tags in predictions]
    expected = score_frames(predictions, references, data.info.labels)
    expected["transition f1"] = score_transitions(transitions, references, "shot").f1
    assert expected["accuracy"] < 100
    for name, score in expected.items():
        assert metrics[f"test {name}"] == pytest.approx(score, abs=0.01)


def test_a_model_with_memory_is_better_than_one_of_single_frames(trained: Trained) -> None:
    metrics = read_metrics(trained.directory)
    assert metrics["test F1 cut"] > 60
    assert metrics["test macro-F1"] > metrics["test macro-F1, single frames"] + 15


def test_report_and_card_show_metrics_segments_and_the_next_command(trained: Trained) -> None:
    directory, report, _ = trained
    for name, value in read_metrics(directory).items():
        assert re.search(rf"^{re.escape(name)} +{value}$", report, re.MULTILINE)
    card = read_card(directory)
    assert card["input_kind"] == "video"
    assert card["headline"] == "test transition f1"
    assert card["data"].startswith("footage/")
    assert f"a delay of {LOOKAHEAD} steps" in card["limits"][0]
    assert report.splitlines()[-1] == f"next: zoo predict {directory} video.mp4"
    assert f"\nexample 1, {SETTINGS.window} steps\n" in report
    segments = re.findall(r"^ +\d+  (\d+) to (\d+)  (\w+)$", report, re.MULTILINE)
    bounds = [int(bound) for start, end, _ in segments for bound in (start, end)]
    assert 0 <= bounds[0] < bounds[-1] <= SETTINGS.window
    assert bounds == sorted(bounds)
    assert {label for *_, label in segments} <= {"start", *footage.TAGS}


# The export.


def test_rows_of_a_batch_are_independent(outputs: dict[str, list[Outputs]]) -> None:
    (ragged,) = outputs["ragged"]
    for row, alone in enumerate(outputs["alone"]):
        length = alone["tags"].shape[1]
        np.testing.assert_allclose(ragged["scores"][row, :length], alone["scores"][0], atol=1e-5)
        assert ragged["tags"][row, :length].tolist() == alone["tags"][0].tolist()
        assert not any(ragged["tags"][row, length:])
        assert not ragged["scores"][row, length:].any()
    assert not any(ragged["status"])


@pytest.mark.parametrize("name", CHUNKS)
def test_a_stream_equals_the_whole_sequence(outputs: dict[str, list[Outputs]], name: str) -> None:
    """Frames of the stream in several chunks have another size."""
    (whole,), (start, *chunks) = outputs["three"], outputs[name]
    assert start["steps"].tolist() == [0, 0, 0]
    assert [chunk["tags"].shape for chunk in chunks] == [(3, size) for size in [*CHUNKS[name], LOOKAHEAD]]
    scores, tags = (np.concatenate([chunk[key] for chunk in chunks], 1) for key in ("scores", "tags"))
    assert not any(tags[:, :LOOKAHEAD].ravel())
    assert not scores[:, :LOOKAHEAD].any()
    np.testing.assert_allclose(scores[:, LOOKAHEAD:], whole["scores"], atol=1e-5)
    np.testing.assert_array_equal(tags[:, LOOKAHEAD:], whole["tags"])
    assert len(np.unique(whole["tags"])) > 2


def test_the_size_of_frames_makes_no_difference(outputs: dict[str, list[Outputs]]) -> None:
    (expected,), (larger,) = outputs["three"], outputs["larger"]
    assert_same_outputs(larger, expected)


def test_wrong_lengths_have_a_status(outputs: dict[str, list[Outputs]]) -> None:
    (batch,), (whole,) = outputs["wrong lengths"], outputs["test set"]
    assert [status.decode() for status in batch["status"]] == [
        "lengths is 25, and there are 20 steps", "no steps", "lengths is -3, and there are 20 steps", ""
    ]  # fmt: skip
    assert [sum(map(bool, row)) for row in get_tags(batch)] == [0, 0, 0, 20]
    assert not batch["scores"][:3].any()
    # Scores depend on steps up to the lookahead, so the last ones differ from those of the longer sequence.
    steps = slice(20 - LOOKAHEAD)
    np.testing.assert_allclose(batch["scores"][3, steps], whole["scores"][3, steps], atol=1e-5)


def test_empty_inputs_have_empty_outputs(outputs: dict[str, list[Outputs]]) -> None:
    for name, (rows, steps) in {"no rows": (0, 100), "no steps": (2, 0), "no pixels": (3, 5)}.items():
        (batch,) = outputs[name]
        assert batch["tags"].shape == (rows, steps)
        assert batch["scores"].shape == (rows, steps, len(footage.TAGS))
        assert not any(batch["tags"].ravel())
        assert not batch["scores"].any()
        if name != "no pixels":
            assert batch["status"].tolist() == [b"no steps"] * rows
    assert outputs["no pixels"][0]["status"].tolist() == [
        b"the frames have no pixels", b"no steps", b"lengths is 6, and there are 5 steps"
    ]  # fmt: skip
    _, step, finish = outputs["no streams"]
    assert (step["tags"].shape, finish["tags"].shape) == ((0, 5), (0, LOOKAHEAD))


def test_inputs_that_no_row_can_answer_are_refused_in_words(trained: Trained) -> None:
    """A number of lengths that is not that of the clips, also one, which would be broadcast; frames of a stream."""
    model, frames = tf.saved_model.load(str(trained.directory)), np.zeros((3, 5, *SIZE, 3), np.uint8)
    for count in (0, 1, 2, 4):
        inputs = {"frames": tf.constant(frames), "lengths": tf.fill([count], 5)}
        with pytest.raises(
            tf.errors.InvalidArgumentError,
            match=f"lengths has {count} numbers, and there are 3 sequences: expected one each",
        ):
            model.signatures["serving_default"](**inputs)
    state = model.signatures["init"](batch=tf.constant(3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="the frames have no pixels"):
        model.signatures["step"](frames=tf.constant(frames[:, :, :0]), **state)
    for wrong in (frames[0, :, :0], frames[0].astype(np.float32), frames, frames[0, ..., :2]):
        with pytest.raises(UsageError, match=r"Expected an array of uint8 \[n, n, n, 3\] with values, got "):
            zoo.load(trained.directory).predict([wrong])


def test_the_number_of_steps_never_wraps(trained: Trained) -> None:
    model = tf.saved_model.load(str(trained.directory))
    state = model.signatures["init"](batch=tf.constant(1))
    frames = tf.constant(make_bright_frames(2, 8)[None])
    expected = model.signatures["step"](frames=frames, **(state | {"steps": tf.constant([100])}))
    for _ in range(2):
        outputs = model.signatures["step"](frames=frames, **(state | {"steps": tf.constant([2**31 - 5])}))
        assert outputs["steps"].numpy() == 2**31 - 1
        assert_same_outputs(
            *(
                {**part, "steps": np.zeros(1)}
                for part in (outputs, {k: v.numpy() for k, v in expected.items()})
            )
        )


def test_requests_are_batched(trained: Trained, data: DataSplits[TaggingSplit]) -> None:
    clips = np.stack(data.test.sequences[:4])[:, :30]
    model = tf.saved_model.load(str(trained.directory))
    states = []
    for row, length in enumerate((0, 5, 12, 3)):
        state = model.signatures["init"](batch=tf.constant(1))
        outputs = model.signatures["step"](frames=tf.constant(clips[row : row + 1, :length]), **state)
        states.append({name: outputs[name] for name in state})
    requests = {
        "serving_default": [
            make_call(clips[row : row + 1], [length])[1] for row, length in enumerate((30, 7, 0, 31))
        ],
        "step": [{"frames": clips[row : row + 1, :4], **state} for row, state in enumerate(states)],
        "finish": states,
    }
    assert_batchable(trained.directory, requests)


def test_the_export_uses_operations_of_older_versions_alone(trained: Trained) -> None:
    assert_portable(trained.directory)


def test_saved_model_cli_runs_the_export(
    trained: Trained, data: DataSplits[TaggingSplit], tmp_path: Path, saved_model_cli: Callable[..., str]
) -> None:
    np.save(tmp_path / "frames.npy", data.test.sequences[0][None, :6])
    np.save(tmp_path / "lengths.npy", np.array([6], np.int32))
    inputs = ";".join(f"{name}={tmp_path}/{name}.npy" for name in ("frames", "lengths"))
    which = ["--dir", trained.directory, "--tag_set", "serve", "--signature_def", "serving_default"]
    assert "Result for output key tags:\n[[b'" in saved_model_cli("run", *which, "--inputs", inputs)


def test_a_rebuilt_model_has_the_outputs_of_the_export(
    trained: Trained, data: DataSplits[TaggingSplit]
) -> None:
    module = rebuild(trained.directory)
    _, inputs = make_call(np.stack(data.test.sequences[:2]), [100, 30])
    assert_same_as_export(module, trained.directory, inputs)
    np.testing.assert_allclose(
        module.score_sequence(data.test.sequences[0]),
        trained.module.score_sequence(data.test.sequences[0]),
        atol=1e-5,
    )


# LiteRT.


def run_lite_step(path: Path, name: str, steps: np.ndarray, lookahead: int) -> np.ndarray:
    """Return the scores [time, labels] of a converted step for one stream, step by step."""
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    details = {key: value for key, value in runner.get_input_details().items() if key != name}
    state = {key: np.zeros(value["shape"], value["dtype"]) for key, value in details.items()}
    scores = []
    for step in [*steps, *np.zeros((lookahead, *steps.shape[1:]), steps.dtype)]:
        outputs = runner(**{name: step[None, None].astype(np.float32)}, **state)
        state = {key: outputs[key] for key in state}
        scores.append(outputs["scores"][0, 0])
    return np.array(scores[lookahead:])


@pytest.mark.parametrize(("name", "least"), [("step.tflite", 1.0), ("step_int8.tflite", 0.99)])
def test_lite_steps_have_the_tags_of_the_export(
    trained: Trained,
    data: DataSplits[TaggingSplit],
    outputs: dict[str, list[Outputs]],
    name: str,
    least: float,
) -> None:
    expected = outputs["test set"][0]["scores"][:3].argmax(-1)
    clips = data.test.sequences[:3]
    scores = np.array([run_lite_step(trained.directory / name, "frames", clip, LOOKAHEAD) for clip in clips])
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-3)
    assert scores.shape == (3, 100, len(footage.TAGS))
    assert (scores.argmax(-1) == expected).mean() >= least
    assert len(np.unique(expected)) > 2


def test_lite_steps_have_built_in_operations_alone(trained: Trained) -> None:
    sizes = []
    for name in ("step.tflite", "step_int8.tflite"):
        operations = Interpreter(model_path=str(trained.directory / name))._get_ops_details()
        names = {operation["op_name"] for operation in operations}
        assert {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX"} <= names
        assert not [name for name in names if re.search("flex|custom|while", name, re.IGNORECASE)]
        sizes.append((trained.directory / name).stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]


@pytest.mark.parametrize("change", [{"multi_label": True}, {"test": ("a",)}, {"validation": ("a",)}])
def test_options_without_effect_on_footage_are_refused(
    change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(footage=(Path("photos"),), clips=100)
    check_options(settings)
    with pytest.raises(UsageError, match=r"--(multi-label|test|validation) and --footage exclude each other"):
        check_options(dataclasses.replace(settings, **change))
    check_options(Settings(**change))
    assert not caplog.messages
    check_options(Settings(clips=100))
    assert caplog.messages == ["--clips has no effect: only clips from --footage can be more or fewer."]


# Features, with several tags a step.


@pytest.fixture(scope="module")
def trained_on_features(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A table without a header: a step is `high` by its first feature, `late` by the second one before."""
    directory, random, rows = tmp_path_factory.mktemp("features"), np.random.default_rng(0), []
    for number in range(24):
        values = random.normal(size=(40, 3))
        for t, (a, b, c) in enumerate(values):
            is_high, is_late = bool(a > 0), bool(t and values[t - 1, 1] > 0)
            tags = "|".join(["high"] * is_high + ["late"] * is_late)
            rows.append([f"clip{number}", t, tags, f"{a:.4f}", f"{5 + 100 * b:.4f}", f"{c:.4f}"])
    with (directory / "steps.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    settings = Settings(
        dataset=str(directory / "steps.csv"),
        run_dir=directory / "run",
        export_dir=directory / "1",
        multi_label=True,
        offsets=(),
        baseline=False,
        vector_dim=16,
        units=16,
        batch_size=2,
        epochs=12,
        dropout=0.0,
        learning_rate=0.02,
    )
    return run_recipe(settings)


def make_features() -> np.ndarray:
    features = np.random.default_rng(1).normal(size=(2, 30, 3)) * [1, 100, 1] + [0, 5, 0]
    return features.astype(np.float32)


def test_a_step_may_have_several_tags(trained_on_features: Trained) -> None:
    directory, features = trained_on_features.directory, make_features()
    assert read_metrics(directory)["test macro-F1"] > 85
    assert read_card(directory)["headline"] == "test macro-F1"
    whole, _, step, finish, names = run_client(
        directory,
        ("serving_default", {"features": features, "lengths": np.array([30, 12], np.int32)}),
        ("init", {"batch": np.int32(2)}),
        ("step", {"features": features}),
        ("finish", {}),
        ("labels", {}),
    )
    assert names["labels"].tolist() == [b"high", b"late"]
    is_likely, all_tags = whole["scores"] > 0.5, set()
    for row, length in enumerate((30, 12)):
        tags = ["|".join(np.array(["high", "late"])[step]) for step in is_likely[row, :length]]
        assert get_tags(whole)[row] == tags + [""] * (30 - length)
        all_tags |= set(tags)
        np.testing.assert_allclose(step["scores"][row, :length], whole["scores"][row, :length], atol=1e-5)
    assert all_tags == {"", "high", "late", "high|late"}
    assert (is_likely[0, :, 0] == (features[0, :, 0] > 0)).mean() > 0.85
    assert (is_likely[0, 1:, 1] == (features[0, :-1, 1] > 5)).mean() > 0.85
    assert finish["tags"].shape == (2, 0)
    lite = run_lite_step(directory / "step.tflite", "features", features[0], lookahead=0)
    np.testing.assert_allclose(lite, whole["scores"][0], atol=1e-5)


def test_training_on_features_starts_from_the_export(trained_on_features: Trained, tmp_path: Path) -> None:
    """With the same table and no learning, the scores are those of the export, and a warning says so."""
    directory, table = trained_on_features.directory, tmp_path / "data" / "steps.csv"
    table.parent.mkdir()
    table.write_bytes(
        (directory.parent / "steps.csv").read_bytes()
    )  # without the pictures of the run beside it
    settings = Settings(
        dataset=str(table),
        init_from=directory,
        run_dir=tmp_path / "run",
        export_dir=tmp_path / "1",
        multi_label=True,
        offsets=(),
        baseline=False,
        vector_dim=16,
        units=16,
        batch_size=2,
        epochs=1,
        learning_rate=1e-9,
    )
    printed, metrics = run_recipe(settings).report, read_metrics(tmp_path / "1")
    name = "test macro-F1"
    assert metrics[name] == metrics[f"{name}, starting model"] == read_metrics(directory)[name]
    assert f"warning: The {name} was the same before this training as after it" in printed


def test_requests_of_features_are_batched(trained_on_features: Trained) -> None:
    directory, features = trained_on_features.directory, make_features()
    model = tf.saved_model.load(str(directory))
    state = model.signatures["init"](batch=tf.constant(1))
    requests = {
        "serving_default": [
            {"features": features[row : row + 1], "lengths": [length]} for row, length in ((0, 30), (1, 12))
        ],
        "step": [{"features": features[row : row + 1], **state} for row in (0, 1)],
        "finish": [state, state],
    }
    assert_batchable(directory, requests)


def test_the_report_on_features(trained_on_features: Trained) -> None:
    directory, report, _ = trained_on_features
    assert "frames have no label." in report
    assert not [name for name in read_metrics(directory) if "single frames" in name or "transition" in name]
    assert "\nexample 1, 40 steps\n" in report
    assert re.search(r"^ +\d+  0 to \d+  (high|late|high\|late|)$", report, re.MULTILINE)
    assert report.splitlines()[-1] == f"next: zoo show {directory}"


def test_a_rebuilt_model_of_features_has_the_outputs_of_the_export(trained_on_features: Trained) -> None:
    inputs = {"features": make_features(), "lengths": np.array([30, 12], np.int32)}
    assert_same_as_export(rebuild(trained_on_features.directory), trained_on_features.directory, inputs)


def test_a_model_of_features_predicts_for_arrays_alone(trained_on_features: Trained, tmp_path: Path) -> None:
    predictor, (features, _) = zoo.load(trained_on_features.directory), make_features()
    (prediction,) = predictor.predict([features.astype(np.float64)])
    assert len(prediction.tags) == 30
    assert prediction.segments == tuple(find_segments(prediction.tags))
    video = write_video(tmp_path / "a.mp4", make_bright_frames(1, 3))
    with pytest.raises(UsageError, match=r"reads arrays of features, got .*a\.mp4"):
        predictor.predict([video])
    with pytest.raises(UsageError, match="reads arrays of features, which the command line does not take"):
        PredictOptions((str(video),)).check(predictor.input_kind)
    assert predictor.input_kind == "array"


def test_an_export_of_several_tags_is_verified(trained_on_features: Trained) -> None:
    """Each tag is decided by its own score."""
    problems, _ = verify(trained_on_features.directory)
    assert not problems
    predictor = zoo.load(trained_on_features.directory)
    scores = np.array([[[0.9, 0.1], [0.4, 0.95]]])
    np.testing.assert_allclose(
        predictor.get_ranking_scores({"scores": scores}), [[[0.9, 0.1], [0.6, 0.4]]], atol=1e-9
    )


# Videos of a user, tagged in both directions.


def make_bright_frames(turn: int, count: int) -> np.ndarray:
    """Frames that are dark before the turn, and light from there on."""
    noise = np.random.default_rng(turn).integers(-20, 20, (count, 32, 48, 3))
    return (np.where(np.arange(count) < turn, 40, 210)[:, None, None, None] + noise).astype(np.uint8)


@pytest.fixture(scope="module")
def trained_on_videos(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    directory, rows = tmp_path_factory.mktemp("videos"), ["video,start,end,tag"]
    for number in range(6):
        turn = 4 + 2 * number
        write_video(directory / f"{number}.mp4", make_bright_frames(turn, 20))
        rows += [f"{number}.mp4,0,{0.04 * turn},dark", f"{number}.mp4,{0.04 * turn},{0.04 * 20},light"]
    (directory / "segments.csv").write_text("\n".join(rows), encoding="utf-8")
    settings = Settings(
        dataset=str(directory),
        run_dir=directory / "run",
        export_dir=directory / "1",
        image_size=(8, 12),
        offsets=(-1,),
        vector_dim=8,
        units=8,
        bidirectional=True,
        baseline=False,
        batch_size=1,
        epochs=1,
        patience=1,
        gradient_accumulation_steps=2,
        class_weight="balanced",
        learning_rate=0.02,
    )
    return run_recipe(settings)


def test_a_bidirectional_model_has_no_stream(trained_on_videos: Trained) -> None:
    directory, report, _ = trained_on_videos
    assert "dark, light." in report
    card = read_card(directory)
    assert list(card["signatures"]) == ["serving_default", "labels"]
    assert not list(directory.glob("*.tflite"))
    assert card["limits"][0].startswith("It reads in both directions, so it cannot tag streams.")
    assert not [name for name in card["metrics"] if "transition" in name]


def test_settings_of_training_reach_the_run(trained_on_videos: Trained) -> None:
    """Also the weights of the two tags, with which both have the same sum over all frames."""
    (path,) = trained_on_videos.directory.parent.glob("run/*/run.json")
    settings = json.loads(path.read_text(encoding="utf-8"))["settings"]["fit"]
    assert settings["patience"] == 1
    assert settings["optimizer"]["gradient_accumulation_steps"] == 2
    assert settings["optimizer"]["learning_rate"]["registered_name"] == "zoo>WarmupInverseSqrtDecay"
    weights = settings["class_weight"]
    assert list(weights) == ["0", "1"]
    assert sum(1 / weight for weight in weights.values()) == pytest.approx(2)


def test_a_rebuilt_bidirectional_model_has_the_outputs_of_the_export(trained_on_videos: Trained) -> None:
    _, inputs = make_call(np.stack([make_bright_frames(turn, 12) for turn in (3, 8)]), [12, 5])
    module = rebuild(trained_on_videos.directory)
    assert_same_as_export(module, trained_on_videos.directory, inputs)
    assert not module.is_streaming


def test_clips_are_edited_from_the_users_footage(simple_footage: None, tmp_path: Path) -> None:
    for number in range(30):
        Image.new("RGB", (40, 30), (8 * number, 0, 90)).save(tmp_path / f"{number}.png")
    settings = dataclasses.replace(SETTINGS, footage=(tmp_path,), clips=3, run_dir=tmp_path / "run")
    data = tagging.load_data(settings)
    assert data.info.source == str(tmp_path)
    assert data.train.sequences[0].shape == (100, *SIZE, 3)
    assert list((tmp_path / "run" / "frames").glob("*.npy"))


# Windows.


@pytest.mark.parametrize("multi_label", [False, True])
def test_windows_cover_each_sequence_once(multi_label: bool) -> None:
    preprocessor = FrameTaggingPreprocessor(None, multi_label)
    lengths = (5, 12, 7)
    sequences = [100 * row + np.arange(n, dtype=np.float32)[:, None] for row, n in enumerate(lengths)]
    tags = [np.arange(n, dtype=np.int32) % 3 for n in lengths]
    if multi_label:
        tags = [np.stack([ids == 0, ids == 2], 1) for ids in tags]
    split = TaggingSplit(["a", "b", "c"], sequences, tags, [np.arange(n, dtype=float) for n in lengths])
    steps, targets = [], []
    for (values, window_lengths), batch_tags, weights in preprocessor.bucket_windows(split, 5, batch_size=2)(
        0
    ):
        np.testing.assert_array_equal(weights, np.arange(values.shape[1]) < window_lengths[:, None])
        assert window_lengths.numpy().max() <= 5
        steps += values[weights > 0].numpy()[:, 0].tolist()
        targets += batch_tags[weights > 0].numpy().tolist()
    expected = dict(zip(np.concatenate(sequences)[:, 0].tolist(), np.concatenate(tags).tolist(), strict=True))
    assert len(steps) == sum(lengths)
    assert dict(zip(steps, targets, strict=True)) == expected


def test_windows_of_one_length_have_a_known_length() -> None:
    sequences, tags = [np.zeros((10, 2), np.float32)] * 2, [np.zeros(10, np.int32)] * 2
    split = TaggingSplit(["a", "b"], sequences, tags, [np.arange(10.0)] * 2)
    (values, _), _, weights = FrameTaggingPreprocessor(None).bucket_windows(split, 5, 2)(0).element_spec
    assert values.shape.as_list() == [None, 5, 2]
    assert weights.shape.as_list() == [None, 5]


# Predictions for videos.


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def parse_timecode(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def assert_report_is_right(
    directory: Path, printed: list[str], times: np.ndarray, tags: list[str], segments: list[Segment]
) -> None:
    """Check what `zoo predict` prints and writes, for the times and tags of the frames of a video."""
    frames, rows = read_table(directory / "frames.csv"), read_table(directory / "segments.csv")
    assert [int(row["frame"]) for row in frames] == list(range(len(tags)))
    assert [row["tag"] for row in frames] == tags
    np.testing.assert_allclose([float(row["time"]) for row in frames], times[:-1], atol=2e-3)
    assert all(0 < float(row["score"]) <= 1 for row in frames)
    assert [(row["label"], int(row["start_frame"]), int(row["end_frame"])) for row in rows] == [
        tuple(segment) for segment in segments
    ]
    for number, (row, segment) in enumerate(zip(rows, segments, strict=True), 1):
        for name, frame in (("start", segment.start), ("end", segment.end)):
            assert abs(parse_timecode(row[name]) - times[frame]) < 2e-3
        line = rf" *{number}  {re.escape(row['start'])} to {re.escape(row['end'])}  {segment.label}"
        assert sum(bool(re.fullmatch(line, other)) for other in printed) == 1
    with Image.open(directory / "segments.png") as image:
        sheet = np.asarray(image)
    assert min(sheet.shape[:2]) > 150
    assert sheet.std() > 10


@pytest.fixture(scope="module")
def video_with_times(
    data: DataSplits[TaggingSplit], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, np.ndarray]:
    """A video of a test clip with cuts, at a variable frame rate; the times of its frames and of its end."""
    frames = data.test.sequences[max(range(6), key=lambda row: (data.test.tags[row] == footage.CUT).sum())]
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.1, 2.3], len(frames)))
    path = write_video(
        tmp_path_factory.mktemp("video") / "holiday.v2.mp4",
        frames.repeat(4, 1).repeat(4, 2),
        times=times.tolist(),
    )
    times -= times[0]
    return path, np.append(times, 2 * times[-1] - times[-2])


def test_shots_of_a_video_are_printed_and_written(
    trained: Trained,
    video_with_times: tuple[Path, np.ndarray],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video, times = video_with_times
    run_predict(zoo.load(trained.directory), PredictOptions((str(video),), output_dir=tmp_path))
    frames = np.stack([frame for _, frame in open_video(video).decode(SIZE)])
    tags = [footage.TAGS[label] for label in trained.module.score_sequence(frames).argmax(-1)]
    segments = find_shots(tags)
    assert len(segments) > 1
    printed = capsys.readouterr().out.splitlines()
    assert str(video) in printed
    assert_report_is_right(tmp_path / "holiday.v2.mp4", printed, times, tags, segments)


def test_shots_are_written_for_other_programs(
    trained: Trained, video_with_times: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    (video, times), predictor = video_with_times, zoo.load(trained.directory)
    for suffix in SHOT_LIST_SUFFIXES:
        options = PredictOptions((str(video),), output=tmp_path / f"a{suffix}", output_dir=tmp_path / "out")
        options.check(predictor.input_kind)
        run_predict(predictor, options)
    scenes = read_table(tmp_path / "a.csv")
    segments = read_table(tmp_path / "out" / "holiday.v2.mp4" / "segments.csv")
    assert len(scenes) == len(segments) > 1
    for scene, segment in zip(scenes[1:], segments[1:], strict=True):
        start = int(scene["Start Frame"]) - 1
        assert (
            start == int(segment["start_frame"])
            if segment["label"] == "cut"
            else start < int(segment["start_frame"])
        )
        assert float(scene["Start Time (seconds)"]) == pytest.approx(times[start], abs=1e-3)
    assert int(scenes[-1]["End Frame"]) == len(times) - 1
    assert (tmp_path / "a.ffmeta").read_text().count("[CHAPTER]") == len(scenes)


def test_video_is_cut_at_its_shots(
    trained: Trained,
    video_with_times: tuple[Path, np.ndarray],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (video, times), predictor = video_with_times, zoo.load(trained.directory)
    for name, is_exact in (("copied", False), ("exact", True)):
        options = PredictOptions((str(video),), output_dir=tmp_path / name, split=True, exact=is_exact)
        options.check(predictor.input_kind)
        run_predict(predictor, options)
        (directory,) = (tmp_path / name).iterdir()
        parts = sorted((directory / "shots").iterdir())
        assert f"cut the video into {len(parts)} files in {directory / 'shots'}" in capsys.readouterr().err
        assert len(parts) == len(read_table(directory / "segments.csv")) > 1
        counts = [len(list(open_video(part).decode((4, 4)))) for part in parts]
        assert sum(counts) == len(times) - 1 if is_exact else sum(counts) >= len(times) - 1
        with pytest.raises(UsageError, match=r"--split: .*shots exists\. Remove it"):
            options.check(predictor.input_kind)


def test_options_for_shots_are_refused_where_there_are_none(
    trained_on_videos: Trained, video_with_times: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    predictor, (video, _) = zoo.load(trained_on_videos.directory), video_with_times
    for options, message in (
        (PredictOptions((str(video),), split=True), "--split: .* finds no shots"),
        (PredictOptions((str(video),), output=tmp_path / "a.edl"), "a list of shots, but .* finds none"),
        (
            PredictOptions((str(video),), output=tmp_path / "a.csv"),
            "tables themselves, which --output-dir keeps",
        ),
    ):
        with pytest.raises(UsageError, match=message):
            run_predict(predictor, options)
    with pytest.raises(UsageError, match="finds no shots"):
        predictor.list_shots(video, predictor.predict([video])[0])


def test_segments_of_directories_and_of_several_videos(
    trained_on_videos: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model has no stream, and its tags are no shots."""
    frames = make_bright_frames(5, 12)
    (tmp_path / "images").mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "images" / f"{number}.png")
    write_video(tmp_path / "one.mp4", frames[:1])
    videos = (str(tmp_path / "images"), str(tmp_path / "one.mp4"))
    predictor = zoo.load(trained_on_videos.directory)
    run_predict(predictor, PredictOptions(videos, output_dir=tmp_path / "out", frame_rate=10.0))
    printed = capsys.readouterr().out.splitlines()
    tags = get_tags(predictor.serve(frames=frames[None], lengths=np.array([12], np.int32)))[0]
    segments = find_segments(tags)
    assert_report_is_right(tmp_path / "out" / "images", printed, np.arange(13) / 10, tags, segments)
    (row,) = read_table(tmp_path / "out" / "one.mp4" / "segments.csv")
    assert (row["start_frame"], row["end_frame"]) == ("0", "1")


def test_videos_of_one_name_have_directories_of_their_own(
    trained_on_videos: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for parent, count in (("a", 3), ("b", 5)):
        (tmp_path / parent / "images").mkdir(parents=True)
        for number, frame in enumerate(make_bright_frames(5, count)):
            Image.fromarray(frame).save(tmp_path / parent / "images" / f"{number}.png")
    monkeypatch.chdir(tmp_path / "b" / "images")
    videos = (str(tmp_path / "a" / "images"), str(tmp_path / "b" / "images"), ".")
    options = PredictOptions(videos, output_dir=tmp_path / "out")
    run_predict(zoo.load(trained_on_videos.directory), options)
    counts = {path.name: len(read_table(path / "frames.csv")) for path in (tmp_path / "out").iterdir()}
    assert counts == {"images": 3, "images-2": 5, "images-3": 5}


def test_tables_of_frames_without_times(trained: Trained, tmp_path: Path) -> None:
    (prediction,) = zoo.load(trained.directory).predict([make_bright_frames(5, 12)])
    prediction.write_tables(tmp_path)
    frames, segments = read_table(tmp_path / "frames.csv"), read_table(tmp_path / "segments.csv")
    assert [row["tag"] for row in frames] == list(prediction.tags)
    assert list(frames[0]) == ["frame", "tag", "score"]
    assert list(segments[0]) == ["number", "label", "start_frame", "end_frame"]
    assert (segments[0]["start_frame"], segments[-1]["end_frame"]) == ("0", "12")


def test_a_corrupt_frame_ends_a_video_with_a_status(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        Image.new("RGB", (48, 28), (50 * number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(b"no image")
    options = PredictOptions((str(tmp_path),), output_dir=tmp_path / "out")
    with pytest.raises(SystemExit, match="1"):
        run_predict(zoo.load(trained.directory), options)
    assert "3.png cannot be read" in "".join(capsys.readouterr())
    times = [float(row["time"]) for row in read_table(tmp_path / "out" / tmp_path.name / "frames.csv")]
    assert times == [0, 0.04, 0.08, 0.16]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.mp4", "There is no"),
        ("text.mp4", "cannot be read as a video|contains no video"),
        ("empty", "contains no images"),
    ],
)
def test_nothing_is_written_for_inputs_that_are_no_video(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    (tmp_path / "text.mp4").write_text("hello\n" * 99)
    (tmp_path / "empty").mkdir()
    options = PredictOptions((str(tmp_path / name),), output_dir=tmp_path / "out")
    with pytest.raises(SystemExit, match="1"):
        run_predict(zoo.load(trained.directory), options)
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


S, C, D, F = "shot", "cut", "dissolve", "fade"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([S, S, S], [("start", 0, 3)]),
        ([S, S, C, S, S], [("start", 0, 2), ("cut", 2, 5)]),
        ([C, S, S], [("cut", 0, 3)]),
        ([S, S, C], [("start", 0, 2), ("cut", 2, 3)]),
        ([S, S, *4 * [D]], [("start", 0, 2)]),
        ([*4 * [D], S, S], [("dissolve", 4, 6)]),
        ([S, *4 * [D], *4 * [S], *4 * [F], S], [("start", 0, 1), ("dissolve", 5, 9), ("fade", 13, 14)]),
        ([S, D, D, S, F, S], [("start", 0, 6)]),  # flicker
        ([S, D, D, S, S, S, F, F, F, S], [("start", 0, 1), ("fade", 9, 10)]),  # interrupted
        ([S, C, S, C, S], [("start", 0, 1), ("cut", 1, 3), ("cut", 3, 5)]),
        ([S, C, *4 * [D], S], [("start", 0, 1), ("dissolve", 6, 7)]),
        ([S, D, D, C, S], [("start", 0, 3), ("cut", 3, 5)]),
        ([S, D, C, D, S], [("start", 0, 2), ("cut", 2, 5)]),
        ([S, D, D, C, D, D, S], [("start", 0, 1), ("dissolve", 6, 7)]),
        ([S, F, F, *4 * [D], S], [("start", 0, 1), ("dissolve", 7, 8)]),
        (4 * [D], []),
        ([], []),
    ],
)
def test_shots_are_between_transitions(tags: list[str], expected: list[tuple[str, int, int]]) -> None:
    assert find_shots(tags) == [Segment(*segment) for segment in expected]
