"""The sentiment recipe, run as a user runs it, and its export, run by a process with TensorFlow alone."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from exports import (
    ROOT,
    Outputs,
    assert_batchable,
    assert_parts_compute_the_whole,
    assert_portable,
    assert_served_in_batches,
    make_part_requests,
    predict_in_process,
    read_metrics,
    run_client,
    run_with_mistake,
    run_zoo,
    save_time,
)
from huggingface_hub import ModelCard

import zoo
from zoo.card import read_card
from zoo.cli.recipes import print_metrics
from zoo.recipes import sentiment
from zoo.reports import Calibration, ClassificationReport, SplitSummary

GOOD = "in short, the film was good, not bad at all."
BAD = "in short, the film was bad, not good at all."
# Odd texts, and clean ones that must have the same scores.
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
    "\u4f60\u597d": "qwxz qwxz",  # each character is a word
    GOOD + " qwxz" * 200_000 + " " + GOOD: GOOD + " qwxz" * 974 + " " + GOOD,  # a megabyte
}
ODD, CLEAN = list(TWINS), list(TWINS.values())
SMALLER = ["--units", "64", "--batch-size", "32", "--learning-rate", "0.008", "--epochs", "2"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sentiment")


@pytest.fixture(scope="module")
def interrupted(directory: Path) -> tuple[int, str]:
    """Exit code and messages of the recipe, with a smaller model, after Ctrl-C in its second epoch."""
    paths = [
        "--data-dir",
        directory / "data",
        "--run-dir",
        directory / "run",
        "--export-dir",
        directory / "1",
    ]
    command = [sys.executable, "-m", "zoo_command", "train", "sentiment", *SMALLER, *map(str, paths)]
    recipe = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not re.match("epoch 1/2 .* took", recipe.stdout.readline()):
        assert recipe.poll() is None
    recipe.send_signal(signal.SIGINT)
    _, errors = recipe.communicate(timeout=60)
    return recipe.returncode, errors


@pytest.fixture(scope="module")
def report(interrupted: tuple[int, str]) -> str:
    """Output of the command that the interrupted recipe names to resume."""
    _, command = interrupted[1].splitlines()[-1].split("To resume: ")
    assert command.startswith("zoo train sentiment ")
    trained = run_zoo(*shlex.split(command)[1:])
    assert trained.returncode == 0, trained.stderr
    return trained.stdout


@pytest.fixture(scope="module")
def model(directory: Path, report: str) -> Path:
    return directory / "1"


@pytest.fixture(scope="module")
def test_set(directory: Path, report: str) -> list[tuple[bytes, int]]:
    split = tfds.load("negation", split="test", data_dir=directory / "data", as_supervised=True)
    return [(text, int(label)) for text, label in split.as_numpy_iterator()]


@pytest.fixture(scope="module")
def outputs(model: Path, test_set: list[tuple[bytes, int]]) -> list[Outputs]:
    texts = [text for text, _ in test_set]
    batches = [texts[:500], texts[500:], texts[:1], [], ODD, CLEAN]
    calls = [("serving_default", batch) for batch in batches]
    return run_client(model, *calls, ("gates", [GOOD]), ("labels", {}))


def test_the_recurrent_network_learns_what_a_bag_of_words_cannot(model: Path) -> None:
    metrics = read_metrics(model)
    assert metrics["test accuracy, bag of words"] == pytest.approx(50, abs=1)
    assert metrics["test accuracy"] > 90


def test_the_report_shows_metrics_examples_and_the_next_command(model: Path, report: str) -> None:
    for name, value in read_metrics(model).items():
        assert re.search(
            rf"^{re.escape(name)} +{value}(  \(.* confidence, 1,000 examples\))?$", report, re.MULTILINE
        )
    for text in (text for text, _ in zoo.load(model).read_examples()):
        assert re.search(rf"^(positive|negative) +[01]\.\d+  {re.escape(text)}$", report, re.MULTILINE)
    assert report.splitlines()[-1].startswith(f"next: zoo predict {model} ")


def test_the_card_has_metadata_for_model_hubs(model: Path) -> None:
    metadata = ModelCard((model / "README.md").read_text(encoding="utf-8")).data
    assert (metadata.license, metadata.pipeline_tag) == ("apache-2.0", "text-classification")
    assert (metadata.language, metadata.datasets) == (["en"], ["negation"])
    accuracy = next(result for result in metadata.eval_results if result.metric_type == "accuracy")
    assert accuracy.metric_value == read_card(model)["metrics"]["test accuracy"]


def test_the_kept_epoch_is_printed_and_on_the_card(model: Path, report: str) -> None:
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    best = card["best_epoch"]
    assert best["metrics"]["val_accuracy"] * 100 == pytest.approx(
        card["metrics"]["validation accuracy"], abs=6e-3
    )
    assert (
        f"kept: epoch {best['number']} of 2, with val_accuracy {best['metrics']['val_accuracy']:.4g}"
        in report
    )
    page = (model / "README.md").read_text(encoding="utf-8")
    assert f"Weights of epoch {best['number']} of 2." in page


def test_the_examples_are_the_first_test_texts_of_each_class(
    model: Path, test_set: list[tuple[bytes, int]]
) -> None:
    texts = [text for text, _ in zoo.load(model).read_examples()]
    first = {label: text.decode() for text, label in reversed(test_set)}
    assert set(texts) == set(first.values())


def test_the_card_shows_what_the_export_answers(model: Path) -> None:
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    page = (model / "README.md").read_text(encoding="utf-8")
    texts = card["example"]["inputs"]["text"]
    for answer, text, prediction in zip(card["answers"], texts, zoo.load(model).predict(texts), strict=True):
        assert (answer["input"], answer["status"]) == (text, prediction.status)
        assert answer["columns"] == ["label", "probability"]
        [[label, probability]] = answer["rows"]
        assert label == prediction.label
        assert probability == pytest.approx(prediction.scores[label], abs=1e-3)
        assert f"\n| {text} | {label} | {probability:.3f} |\n" in page


def test_the_card_and_the_run_directory_show_a_report(
    model: Path, outputs: list[Outputs], report: str, test_set: list[tuple[bytes, int]], directory: Path
) -> None:
    """Equal to what the scores of the export give."""
    scores = np.concatenate([batch["scores"] for batch in outputs[:2]])
    classes = np.array([label for _, label in test_set])
    expected = ClassificationReport(
        ("negative", "positive"), scores, classes, Calibration(1.0, 0.0, 0.0), SplitSummary(np.ones(2), 0.0)
    )
    card = read_card(model)
    assert card["report"]["confusion_matrix"] == expected.confusion_matrix.tolist()
    assert [row["label"] for row in card["report"]["classes"]] == ["negative", "positive"]
    calibration = card["report"]["calibration"]
    confidences, is_right = scores.max(1), scores.argmax(1) == classes
    ece = zoo.metrics.expected_calibration_error(confidences, is_right)
    assert calibration["ece"] == pytest.approx(ece, abs=0.05)
    assert read_metrics(model)["test accuracy, majority class"] == 50
    rows = (directory / "run" / "report" / "mistakes.tsv").read_text(encoding="utf-8").splitlines()
    mistakes = [row.split("\t") for row in rows[1:]]
    texts = [text.decode() for text, _ in test_set]
    assert len(mistakes) == min(10, int((~is_right).sum()))
    assert [texts.index(text) for *_, text in mistakes] == [m.row for m in expected.find_mistakes()]
    assert "| true ↓ predicted → | negative | positive |" in (model / "README.md").read_text(encoding="utf-8")
    assert (model / "confusion_matrix.png").exists()
    assert "true ↓ predicted →  negative  positive" in report


def test_the_export_has_the_accuracy_of_the_training_process(
    model: Path, outputs: list[Outputs], test_set: list[tuple[bytes, int]]
) -> None:
    predictions = [label.decode() for batch in outputs[:2] for label in batch["label"]]
    labels = [("negative", "positive")[label] for _, label in test_set]
    accuracy = np.mean(np.array(predictions) == np.array(labels))
    assert 100 * float(accuracy) == pytest.approx(read_metrics(model)["test accuracy"], abs=6e-3)


def test_shapes_and_scores(outputs: list[Outputs]) -> None:
    assert outputs[7]["labels"].tolist() == [b"negative", b"positive"]
    for batch, n in zip(outputs[:4], [500, 500, 1, 0], strict=True):
        assert batch["label"].shape == batch["status"].shape == (n,)
        assert batch["scores"].shape == (n, 2)
        assert batch["label"].tolist() == outputs[7]["labels"][batch["scores"].argmax(1)].tolist()
        assert not any(batch["status"])
        np.testing.assert_allclose(batch["scores"].sum(1), 1, atol=1e-6)


def test_a_row_of_a_batch_has_the_scores_that_it_has_alone(outputs: list[Outputs]) -> None:
    np.testing.assert_allclose(outputs[0]["scores"][:1], outputs[2]["scores"], atol=1e-5)


@pytest.mark.parametrize("row", range(len(ODD)))
def test_odd_texts_have_the_scores_of_their_clean_twins(outputs: list[Outputs], row: int) -> None:
    odd, clean = outputs[4], outputs[5]
    np.testing.assert_allclose(odd["scores"][row], clean["scores"][row], atol=1e-5)
    assert odd["label"][row] == clean["label"][row]
    if CLEAN[row] in (GOOD, BAD):
        assert odd["label"][row] == (b"positive" if CLEAN[row] == GOOD else b"negative")


def test_status_describes_what_is_wrong(outputs: list[Outputs]) -> None:
    status = dict(zip(ODD, outputs[4]["status"].tolist(), strict=True))
    assert status[GOOD.upper()] == status[GOOD.replace(" ", "\0")] == b""
    assert status[""] == status["\0\0"] == b"no words in the text"
    assert status["qwxz"] == status["\u4f60\u597d"] == b"none of the words is known"
    assert status[ODD[-1]] == b"cut: of 200026 words the first 500 and the last 500 were read"


def test_texts_without_known_words_have_no_label(outputs: list[Outputs], model: Path) -> None:
    """Neither from the export nor from the client."""
    is_unlabeled = outputs[4]["label"] == b""
    assert [text for text, is_odd in zip(ODD, is_unlabeled, strict=True) if is_odd] == [
        "", "\0\0", "qwxz", "\U0001f600 \U0001f44d", "\u4f60\u597d"
    ]  # fmt: skip
    assert not outputs[4]["scores"][is_unlabeled].any()
    np.testing.assert_allclose(outputs[4]["scores"][~is_unlabeled].sum(1), 1, atol=1e-6)
    empty, good = zoo.load(model).predict(["", GOOD])
    assert (empty.label, empty.scores, empty.as_table().rows) == ("", {}, [])
    assert (good.label, sum(good.scores.values())) == ("positive", pytest.approx(1))
    assert "".join(empty.format_lines("it", 2)).split() == ["it", "[no", "words", "in", "the", "text]"]


def test_requests_are_batched(model: Path) -> None:
    texts = [[GOOD], [""], [BAD, GOOD + " qwxz" * 50], ["qwxz"]]
    requests = [{"text": batch} for batch in texts]
    assert_batchable(model, {"serving_default": requests, **make_part_requests(model, requests)})
    assert_served_in_batches(model, requests)
    page = (model / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^- `(\w+)`: .* Not batchable: a server", page, re.MULTILINE) == ["labels", "gates"]


def test_parts_compute_the_whole(model: Path) -> None:
    assert_parts_compute_the_whole(model, {"text": [*ODD, GOOD, BAD]})


def test_gates_of_one_text(outputs: list[Outputs]) -> None:
    gates = outputs[6]
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


def test_the_export_uses_operations_of_older_versions_alone(model: Path) -> None:
    assert_portable(model)


def test_saved_model_cli_runs_the_export(model: Path, saved_model_cli: Callable[..., str]) -> None:
    which = ["--dir", model, "--tag_set", "serve", "--signature_def", "serving_default"]
    printed = saved_model_cli("run", *which, "--input_exprs", f"text=[{GOOD!r}]")
    assert "Result for output key label:\n[b'positive']" in printed


def test_ctrl_c_saves_and_prints_the_command_to_resume(interrupted: tuple[int, str], report: str) -> None:
    code, errors = interrupted
    assert code == 130
    assert "Traceback" not in errors
    assert re.search(r"Stopped at step \d+; saved in \S+bag_of_words\. To resume: ", errors)
    step = re.search(r"Stopped at step (\d+)", errors)[1]
    assert f"resuming after step {step}, in epoch 2" in report


def test_other_settings_need_another_run_directory(
    directory: Path, report: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = ["--data-dir", str(directory / "data"), "--run-dir", str(directory / "run")]
    message = run_with_mistake("sentiment", [*paths, *SMALLER, "--units", "32"], monkeypatch, capsys)
    assert " units: was 64, is now 32" in message


@pytest.mark.slow
def test_three_classes_from_a_table(tmp_path: Path) -> None:
    """The columns have other names, and the shorter words decide the class."""
    rows = [f"{('no', 'maybe', 'yes')[i % 3]}\tword{i} {('xx', 'yy', 'zz')[i % 3]}" for i in range(300)]
    (tmp_path / "train.tsv").write_text("\n".join(["answer\tsentence", *rows]), encoding="utf-8")
    settings = sentiment.Settings(
        dataset=str(tmp_path),
        text_column="sentence",
        label_column="answer",
        run_dir=tmp_path / "run",
        export_dir=tmp_path / "1",
        cell="gru",
        units=8,
        pooling="last",
        batch_size=60,
        epochs=8,
        learning_rate=0.03,
    )
    with save_time():
        sentiment.train(settings)
    outputs = predict_in_process(tmp_path / "1", {"text": ["word999 xx", "yy word7", "zz"]})
    assert outputs["label"].tolist() == [b"no", b"maybe", b"yes"]
    assert read_metrics(tmp_path / "1")["test accuracy"] > 90


@pytest.mark.slow
def test_a_first_run_on_400_rows_beats_its_baseline(tmp_path: Path, predict_in_process: Callable) -> None:
    """With the defaults. One word of eight decides; each such word occurs about six times. 4 epochs of 64 have 55 %."""
    random = np.random.default_rng(1)
    decisive = {label: [f"{label}{k}" for k in range(30)] for label in ("good", "bad")}
    rows = []
    for i in range(400):
        label = ("good", "bad")[i % 2]
        words = [f"word{k}" for k in random.integers(0, 200, 7)]
        words.insert(random.integers(0, 8), random.choice(decisive[label]))
        rows.append(f"{' '.join(words)},{label}")
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    directories = {"run_dir": tmp_path / "run", "export_dir": tmp_path / "1"}
    sentiment.train(sentiment.Settings(dataset=str(tmp_path / "reviews.csv"), **directories))
    metrics = read_metrics(tmp_path / "1")
    assert metrics["test accuracy"] > metrics["test accuracy, majority class"] + 20
    settings = read_card(tmp_path / "1")["settings"]
    assert (settings["batch_size"], settings["epochs"]) == (16, 40)


def test_metrics_are_printed_with_two_decimals_or_two_digits(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics({"accuracy": 93.456, "learning rate": 0.00123, "none": 0.0, "parameters": 99_065})
    values = [line.split()[-1] for line in capsys.readouterr().out.split("\n")[1:-1]]
    assert values == ["93.46", "0.0012", "0.0", "99065.0"]
