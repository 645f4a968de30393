"""The translation recipe, run as a user runs it, and its export, asked by a process with TensorFlow alone."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from exports import Answer, ask, figures, run
from matplotlib.image import imread

from zoo.cli.predict import Question
from zoo.cli.predict import ask as ask_aloud
from zoo.errors import UsageError
from zoo.metrics import bleu, chrf, exact_match
from zoo.serving.loading import load

NAME = "gru_attention_multiplicative"
DATE = "Monday, March 5, 2018"
# Odd texts beside the clean ones that must be answered alike.
TWINS = {
    DATE.replace(" ", "\u00a0\u200b"): DATE,
    DATE.replace(" ", " \0\r\n\t"): DATE,
    DATE.encode().replace(b" ", b" \xff\xfe"): DATE,
    f"  {DATE} ": DATE,
    "": " ",
    b"\0\xff": "\u200b",
    DATE * 20_000: DATE * 30,  # a third of a megabyte
}
ODD, CLEAN = list(TWINS), list(TWINS.values())
ROWS = [DATE, "3 hours", "", f"{DATE}, 3:15 PM and 20 seconds", "the 4th of \u4f60\u597d", "5/6/18"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("translation")


@pytest.fixture(scope="module")
def report(folder: Path) -> str:
    """What the recipe prints of a smaller model, trained for a shorter time, without the baseline."""
    trained = run(
        "translation",
        *("--data-dir", folder / "data", "--folder", folder / "run", "--export", folder / "1"),
        *("--units", "64", "--embedding", "64", "--batch-size", "16", "--learning-rate", "0.008"),
        *("--epochs", "1", "--no-baseline", "--beams", "3", "--examples", DATE, "1 hour"),
    )
    assert trained.returncode == 0, trained.stderr
    return trained.stdout


@pytest.fixture(scope="module")
def model(folder: Path, report: str) -> Path:
    return folder / "1"


@pytest.fixture(scope="module")
def test_set(folder: Path, report: str) -> list[tuple[str, str]]:
    split = tfds.load("dates/de", split="test", data_dir=folder / "data", as_supervised=True)
    return [(source.decode(), target.decode()) for source, target in split.as_numpy_iterator()]


@pytest.fixture(scope="module")
def answers(model: Path, test_set: list[tuple[str, str]]) -> list[Answer]:
    texts = [source for source, _ in test_set]
    batches = [texts[:500], texts[500:], texts[:100], [], ODD, CLEAN]
    batches += [ROWS, *([row] for row in ROWS), ["Monday, \u4f60\u597d 5, 2018"]]
    signatures = ["greedy" if number == 2 else "serving_default" for number in range(len(batches))]
    return ask(model, *zip(signatures, batches, strict=True))


def best(answer: Answer) -> list[str]:
    return [translation.decode() for translation in answer["translations"][:, 0]]


def test_export_gives_the_translations_of_the_training_process(
    model: Path, answers: list[Answer], test_set: list[tuple[str, str]]
) -> None:
    said, right = best(answers[0]) + best(answers[1]), [target for _, target in test_set]
    found = figures(model)
    assert found["test exact match, gru_attention_multiplicative"] == pytest.approx(
        exact_match(said, right), abs=0.01
    )
    assert found["test BLEU, gru_attention_multiplicative"] == pytest.approx(
        bleu(said, right).score, abs=0.01
    )


def test_it_learns_combinations_that_it_was_not_trained_on(model: Path) -> None:
    assert figures(model)[f"test exact match, {NAME}"] > 80


def test_report_shows_figures_signatures_a_sample_and_what_comes_next(model: Path, report: str) -> None:
    for name, value in figures(model).items():
        assert re.search(rf"^{re.escape(name)} +{value:.2f}$", report, re.MULTILINE)
    assert re.search(
        r"^nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:\S+: [\d.]+$", report, re.MULTILINE
    )
    assert f"predict --model {model}" in report.splitlines()[-1]


def test_examples_on_the_card_are_those_given(model: Path) -> None:
    card = json.loads((model / "card.json").read_text(encoding="utf-8"))
    assert card["example"]["text"] == [DATE, "1 hour"]


def test_shapes_and_order(answers: list[Answer]) -> None:
    for answer, n, beams in zip(answers[:4], [500, 500, 100, 0], [3, 3, 1, 3], strict=True):
        assert answer["translations"].shape == answer["scores"].shape == (n, beams)
        assert answer["status"].shape == (n,)
        assert not any(answer["status"])
        target, source = answer["target_pieces"].shape[1], answer["source_pieces"].shape[1]
        assert answer["attention"].shape == (n, target, source)
        assert (np.diff(answer["scores"]) <= 0).all()


def test_attention_belongs_to_the_pieces(answers: list[Answer], test_set: list[tuple[str, str]]) -> None:
    """Each step's weights sum to 1 over the pieces of the source; pieces joined are the texts."""
    answer = answers[0]
    for row, (text, _) in enumerate(test_set[:500]):
        source = [piece.decode() for piece in answer["source_pieces"][row] if piece]
        target = [piece.decode() for piece in answer["target_pieces"][row] if piece]
        assert "".join(source).replace("▁", " ").split() == text.split()
        assert "".join(target).replace("▁", " ").split() == answer["translations"][row, 0].decode().split()
        weights = answer["attention"][row]
        np.testing.assert_allclose(weights[: len(target)].sum(1), 1, atol=1e-5)
        assert not weights[len(target) :].any()
        assert not weights[:, len(source) :].any()


def test_a_row_of_a_batch_gets_the_answer_that_it_gets_alone(answers: list[Answer]) -> None:
    """Rows of other lengths, and of words that are unknown."""
    for row, alone in enumerate(answers[7:-1]):
        assert answers[6]["translations"][row].tolist() == alone["translations"][0].tolist()
        np.testing.assert_allclose(answers[6]["scores"][row], alone["scores"][0], atol=1e-4)
        width = len(alone["source_pieces"][0])
        steps = len(alone["target_pieces"][0])
        attention = answers[6]["attention"][row, :steps, :width]
        np.testing.assert_allclose(attention, alone["attention"][0], atol=1e-4)


def test_greedy_gives_one_translation_which_is_seldom_another(answers: list[Answer]) -> None:
    assert answers[2]["translations"].shape == (100, 1)
    same = np.mean(answers[2]["translations"][:, 0] == answers[0]["translations"][:100, 0])
    assert same > 0.7


@pytest.mark.parametrize("row", range(len(ODD)))
def test_odd_text_is_answered_as_its_clean_twin(answers: list[Answer], row: int) -> None:
    odd, clean = answers[4], answers[5]
    assert odd["translations"][row].tolist() == clean["translations"][row].tolist()
    if not CLEAN[row].strip(" \u200b"):
        assert odd["translations"][row].tolist() == [b""] * 3


def test_status_says_what_was_wrong(answers: list[Answer]) -> None:
    said = dict(zip(ODD, answers[4]["status"].tolist(), strict=True))
    assert said[f"  {DATE} "] == b""
    assert said[""] == said[b"\0\xff"] == b"no text"
    assert said[ODD[-1]].startswith(b"cut: the first 100 pieces of ")
    assert answers[-1]["status"][0].decode() == "unknown: \u4f60\u597d"


def test_saved_model_cli_runs_it(model: Path, saved_model_cli: Callable[..., str]) -> None:
    which = ["--dir", model, "--tag_set", "serve", "--signature_def", "greedy"]
    said = saved_model_cli("run", *which, "--input_exprs", f"text=[{DATE!r}]")
    assert "Result for output key translations:\n[[b'" in said


def test_predict_prints_translations_and_draws_where_it_looked(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "attention.png"
    with pytest.raises(UsageError, match="no attention to draw"):
        ask_aloud(load(model), Question((DATE, ""), best=2, plot=picture))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert printed[2].endswith("[no text]")
    ask_aloud(load(model), Question((DATE,), plot=picture))
    assert str(picture) in capsys.readouterr().err
    assert np.ptp(imread(picture)[..., :3]) > 0.5


@pytest.mark.parametrize("metric", [bleu, chrf, exact_match])
def test_metrics_want_a_reference_for_each_answer(metric: Callable) -> None:
    for answers, references in (["a"], ["a", "b"]), ([], []):
        with pytest.raises(
            ValueError, match="Expected one reference per prediction, and at least one of each"
        ):
            metric(answers, references)
