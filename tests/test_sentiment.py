"""The sentiment recipe, run as a user runs it, and its export, asked by a process with TensorFlow alone."""

import itertools
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from exports import ROOT, Answer, ask, figures, mistaken, run

import zoo
from zoo.cli.predict import lines
from zoo.cli.recipes import minutes, reported
from zoo.recipes import sentiment

GOOD = "in short, the film was good, not bad at all."
BAD = "in short, the film was bad, not good at all."
# Odd texts beside the clean ones that must be answered alike.
TWINS = {
    GOOD.upper(): GOOD,
    GOOD.replace(" ", "<br />"): GOOD,
    GOOD.replace(" ", "\0"): GOOD,
    GOOD.replace(" ", "\u00a0\u200b"): GOOD,
    GOOD.encode().replace(b" ", b" \xff\xfe"): GOOD,
    BAD.encode().replace(b" ", b"\x80"): BAD,
    BAD.replace(" ", "\r\n\t"): BAD,
    "": " ",
    "\0\0": " ",
    "qwxz": "\U0001f600",
    "\U0001f600 \U0001f44d": "qwxz qwxz",
    "\u4f60\u597d": "qwxz",
    GOOD + " qwxz" * 200_000 + " " + GOOD: GOOD + " qwxz" * 974 + " " + GOOD,  # a megabyte
}
ODD, CLEAN = list(TWINS), list(TWINS.values())
SMALLER = ["--units", "64", "--batch-size", "32", "--learning-rate", "0.008", "--epochs", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sentiment")


@pytest.fixture(scope="module")
def interrupted(folder: Path) -> tuple[int, str]:
    """Exit code and messages of the recipe, with a smaller model, after Ctrl-C in its second epoch."""
    places = [("--data-dir", folder / "data"), ("--folder", folder / "run"), ("--export", folder / "1")]
    command = [sys.executable, "recipes/sentiment.py", *SMALLER, *itertools.chain(*places)]
    recipe = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not re.match("epoch 1/2 .* took", recipe.stdout.readline()):
        assert recipe.poll() is None
    recipe.send_signal(signal.SIGINT)
    _, errors = recipe.communicate(timeout=60)
    return recipe.returncode, errors


@pytest.fixture(scope="module")
def report(interrupted: tuple[int, str]) -> str:
    """What the recipe prints when the command is given by which it says that it goes on."""
    _, command = interrupted[1].splitlines()[-1].split("To resume: ")
    trained = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True)
    assert trained.returncode == 0, trained.stderr
    return trained.stdout


@pytest.fixture(scope="module")
def model(folder: Path, report: str) -> Path:
    return folder / "1"


@pytest.fixture(scope="module")
def test_set(folder: Path, report: str) -> list[tuple[bytes, int]]:
    split = tfds.load("negation", split="test", data_dir=folder / "data", as_supervised=True)
    return [(text, int(label)) for text, label in split.as_numpy_iterator()]


@pytest.fixture(scope="module")
def answers(model: Path, test_set: list[tuple[bytes, int]]) -> list[Answer]:
    texts = [text for text, _ in test_set]
    batches = [texts[:500], texts[500:], texts[:1], [], ODD, CLEAN]
    return ask(model, *(("serving_default", batch) for batch in batches), ("gates", [GOOD]))


def test_recurrence_learns_what_a_bag_of_words_cannot(model: Path) -> None:
    found = figures(model)
    assert found["test accuracy, bag_of_words"] == pytest.approx(50, abs=1)
    assert found["test accuracy, lstm"] > 90


def test_report_shows_figures_a_sample_and_what_comes_next(model: Path, report: str) -> None:
    for name, value in figures(model).items():
        assert re.search(rf"^{re.escape(name)} +{value:.2f}$", report, re.MULTILINE)
    assert re.search(r"^positive +[01]\.\d+  The film was good, not bad at all\.$", report, re.MULTILINE)
    assert re.search(r"^negative +[01]\.\d+  The film was bad, not good at all\.$", report, re.MULTILINE)
    assert f"predict --model {model}" in report.splitlines()[-1]


def test_export_gives_the_labels_of_the_training_process(
    model: Path, answers: list[Answer], test_set: list[tuple[bytes, int]]
) -> None:
    said = [label.decode() for answer in answers[:2] for label in answer["label"]]
    right = [("negative", "positive")[label] for _, label in test_set]
    accuracy = np.mean(np.array(said) == np.array(right))
    assert 100 * float(accuracy) == pytest.approx(figures(model)["test accuracy, lstm"], abs=6e-3)


def test_shapes_and_scores(answers: list[Answer]) -> None:
    for answer, n in zip(answers[:4], [500, 500, 1, 0], strict=True):
        assert answer["label"].shape == answer["status"].shape == (n,)
        assert answer["scores"].shape == (n, 2)
        assert answer["labels"].tolist() == [b"negative", b"positive"]
        assert answer["label"].tolist() == answer["labels"][answer["scores"].argmax(1)].tolist()
        assert not any(answer["status"])
        np.testing.assert_allclose(answer["scores"].sum(1), 1, atol=1e-6)


def test_a_row_of_a_batch_gets_the_answer_that_it_gets_alone(answers: list[Answer]) -> None:
    np.testing.assert_allclose(answers[0]["scores"][:1], answers[2]["scores"], atol=1e-5)


@pytest.mark.parametrize("row", range(len(ODD)))
def test_odd_text_is_answered_as_its_clean_twin(answers: list[Answer], row: int) -> None:
    odd, clean = answers[4], answers[5]
    np.testing.assert_allclose(odd["scores"][row], clean["scores"][row], atol=1e-5)
    assert odd["label"][row] == clean["label"][row]
    if CLEAN[row] in (GOOD, BAD):
        assert odd["label"][row] == (b"positive" if CLEAN[row] == GOOD else b"negative")


def test_status_says_what_was_wrong(answers: list[Answer]) -> None:
    said = dict(zip(ODD, answers[4]["status"].tolist(), strict=True))
    assert said[GOOD.upper()] == said[GOOD.replace(" ", "\0")] == b""
    assert said[""] == said["\0\0"] == b"no words in the text"
    assert said["qwxz"] == said["\u4f60\u597d"] == b"none of the words is known"
    assert said[ODD[-1]] == b"cut: of 200026 words the first 500 and the last 500 were read"


def test_gates_of_one_text(answers: list[Answer]) -> None:
    gates = answers[6]
    words = gates.pop("words")
    assert [word.decode() for word in words] == re.findall(r"\w+|[,.]", GOOD)
    kinds = ("input", "forget", "candidate", "output", "hidden", "cell")
    assert set(gates) == {f"layer1_{way}_{kind}" for way in ("forward", "backward") for kind in kinds}
    for name, values in gates.items():
        assert values.shape == (len(words), 64)
        low = -1 if name.endswith(("candidate", "hidden")) else -np.inf if name.endswith("cell") else 0
        assert low <= values.min() < values.max() <= (np.inf if name.endswith("cell") else 1)
    for way in ("forward", "backward"):
        shown = gates[f"layer1_{way}_output"] * np.tanh(gates[f"layer1_{way}_cell"])
        np.testing.assert_allclose(gates[f"layer1_{way}_hidden"], shown, atol=1e-6)


def test_saved_model_cli_runs_it(model: Path, saved_model_cli: Callable[..., str]) -> None:
    which = ["--dir", model, "--tag_set", "serve", "--signature_def", "serving_default"]
    said = saved_model_cli("run", *which, "--input_exprs", f"text=[{GOOD!r}]")
    assert "Result for output key label:\n[b'positive']" in said


def test_predict_reads_arguments_a_file_or_standard_input(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(f"{GOOD}\r\n{BAD}\n".encode() + b"\n?")
    texts = [GOOD.encode(), BAD.encode(), b"", b"?"]
    assert list(lines((), file)) == list(lines([GOOD, BAD, "", "?"], None)) == texts
    assert list(lines(["\udcff\udcfe"], None)) == [b"\xff\xfe"]
    with file.open("rb") as opened:
        asked = run("sentiment", "predict", "--model", model, stdin=opened)
    assert asked.returncode == 0, asked.stderr
    first, second, third, fourth = asked.stdout.splitlines()
    assert first.startswith("positive")
    assert first.endswith(GOOD)
    assert second.startswith("negative")
    assert "[no words in the text]" in third
    assert "  ?  [none of the words is known]" in fourth


def test_ctrl_c_saves_and_says_how_to_go_on(interrupted: tuple[int, str], report: str) -> None:
    code, errors = interrupted
    assert code == 130
    assert "Traceback" not in errors
    assert re.search(r"Stopped at step \d+; saved in \S+bag_of_words\. To resume: ", errors)
    step = re.search(r"Stopped at step (\d+)", errors)[1]
    assert f"resuming after step {step}, in epoch 2" in report


def test_other_settings_need_another_folder(
    folder: Path, report: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--data-dir", str(folder / "data"), "--folder", str(folder / "run")]
    message = mistaken("sentiment", [*places, *SMALLER, "--units", "32"], monkeypatch, capsys)
    assert " units: was '64', is now '32'" in message


def test_three_classes_from_a_table(tmp_path: Path, predict_in_process: Callable) -> None:
    """The columns have names of their own, and the shorter words tell the class."""
    rows = [f"{('no', 'maybe', 'yes')[i % 3]}\tword{i} {('xx', 'yy', 'zz')[i % 3]}" for i in range(300)]
    (tmp_path / "train.tsv").write_text("\n".join(["answer\tsentence", *rows]), encoding="utf-8")
    settings = sentiment.Settings(
        dataset=str(tmp_path),
        text_column="sentence",
        label_column="answer",
        folder=tmp_path / "run",
        export=tmp_path / "1",
        cell="gru",
        units=8,
        pooling="last",
        batch_size=60,
        epochs=8,
        learning_rate=0.03,
    )
    with zoo.disable_jit():
        sentiment.train(settings)
    answer = predict_in_process(tmp_path / "1", {"text": ["word999 xx", "yy word7", "zz"]})
    assert answer["labels"].tolist() == [b"maybe", b"no", b"yes"]
    assert answer["label"].tolist() == [b"no", b"maybe", b"yes"]
    assert figures(tmp_path / "1")["test accuracy, gru"] > 90


def test_small_figures_keep_their_digits(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"accuracy": 93.456, "learning rate": 0.001, "none": 0.0, "parameters": 99_065}
    kept = {"accuracy": 93.46, "learning rate": 0.001, "none": 0.0, "parameters": 99_065.0}
    assert reported(figures) == kept
    assert [line.split()[-1] for line in capsys.readouterr().out.split("\n")[1:-1]] == [
        *("93.46", "0.001", "0.00", "99065.00")
    ]


def test_minutes_are_those_of_all_processes(tmp_path: Path) -> None:
    now = time.time()
    (tmp_path / "lstm").mkdir()
    rows = [("step", now - 90, 7.0), ("epoch", now - 80, 120.0), ("epoch", now - 10, 50.0)]
    rows = [{"kind": kind, "timing": {"wall_time": at, "seconds": seconds}} for kind, at, seconds in rows]
    (tmp_path / "lstm" / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert minutes(now - 60, [tmp_path / "lstm", tmp_path / "not_begun"]) == pytest.approx(1 + 2, abs=0.1)
