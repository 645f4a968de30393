"""The command lines of the recipes: their help, and a helpful message, without a traceback, after a mistake."""

import ast
import contextlib
import dataclasses
import itertools
import os
import re
import runpy
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from count_code import recipes
from exports import ROOT, run_with_mistake

from zoo.cli.recipes import run_recipe
from zoo.datasets.builders import dates, fluent, negation, scenes
from zoo.optimizers import FusedAdam
from zoo.training import build_optimizer


@pytest.mark.parametrize(
    ("recipe", "option"),
    [
        ("captioning", "(default: scenes)"),
        (
            "language_model",
            "text file to train on; the last tenth of its words is for validation and test (required)",
        ),
        ("next_word", "(default: runs/next_word/export/1)"),
        ("sentiment", "(default: negation)"),
        ("tagging", "(default: footage)"),
        ("translation", "(default: dates)"),
    ],
)
def test_help_shows_every_setting_with_its_default(
    recipe: str, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{recipe}.py", "--help"])
    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(str(ROOT / "recipes" / f"{recipe}.py"), run_name="__main__")
    assert exit_.value.code == 0
    printed = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"usage: zoo train {recipe} " in printed
    assert option in printed


def read_help(path: Path) -> dict[str, str]:
    """Help lines of the settings in a file: the comments of the fields, or the strings behind them."""
    source = path.read_text(encoding="utf-8")
    lines, found = source.splitlines(), {}
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    for owner in (node for node in classes if node.name in ("Settings", "PredictOptions", "Verify", "Demo")):
        for field, following in itertools.pairwise([*owner.body, None]):
            if isinstance(field, ast.AnnAssign) and field.target.id != "model_store":
                found[field.target.id] = lines[field.end_lineno - 1].partition("  # ")[2]
                if isinstance(following, ast.Expr):
                    found[field.target.id] = following.value.value
    return found


NO_NOUN = re.compile("(a|also|as|before|for|from|in|longer|of|or|rarer|shorter|the same|too|with|without)\\b")


@pytest.mark.parametrize(
    "path",
    [
        *recipes(),
        ROOT / "zoo/cli/predict.py",
        ROOT / "zoo/cli/main.py",
    ],
    ids=lambda path: path.stem,
)
def test_help_says_first_what_a_setting_is(path: Path) -> None:
    """And then why it has its default: "dropout rate before the scores", not "before the scores"."""
    settings = read_help(path)
    assert len(settings) > 5
    for name, text in settings.items():
        assert text, name
        assert not NO_NOUN.match(text.lower()), f"{name}: {text}"


@dataclasses.dataclass(frozen=True)
class Directories:
    """Settings of a recipe without further ones."""

    run_dir: Path
    export_dir: Path


@pytest.mark.parametrize(("number", "has_workers"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_interruption_outside_of_training_names_the_command_to_resume(
    number: signal.Signals,
    has_workers: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in evaluation or export."""

    def train(settings: Directories) -> None:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        os.kill(os.getpid(), number)
        time.sleep(60)

    arguments = ["--run-dir", str(tmp_path / "run"), "--export-dir", str(tmp_path / "1")]
    monkeypatch.setattr(sys, "argv", [str(ROOT / "recipes" / "sentiment.py"), *arguments])
    monkeypatch.setattr("zoo.cli.recipes.distribution_scope", contextlib.nullcontext)
    if has_workers:
        monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(SystemExit) as exit_:
        run_recipe(train, Directories)
    assert exit_.value.code == 128 + number
    command = shlex.join(["zoo", "train", "sentiment", *arguments])
    assert capsys.readouterr().err == f"\nStopped; what was trained is saved. To resume: {command}\n"


def test_learning_rate_of_a_recipe_fits_its_end() -> None:
    """It is zero at the last step; with `patience`, when that is not known, it falls with the square root."""
    settings = SimpleNamespace(patience=None, gradient_accumulation_steps=1)
    optimizer = build_optimizer(0.01, [(0, 1_000)], settings, beta_2=0.98)
    assert isinstance(optimizer, FusedAdam)
    assert (optimizer.beta_2, optimizer.global_clipnorm) == (0.98, 1.0)
    assert optimizer.gradient_accumulation_steps is None
    rates = [float(optimizer._learning_rate(step)) for step in (50, 525, 1_000)]
    assert rates == pytest.approx([0.01, 0.005, 0.0], abs=1e-6)
    settings = SimpleNamespace(patience=3, gradient_accumulation_steps=4)
    optimizer = build_optimizer(0.02, [(0, 1_000), (1_000, 500)], settings)
    assert optimizer.gradient_accumulation_steps == 4
    rates = [float(optimizer._learning_rate(step)) for step in (25, 50, 450, 1_250)]
    assert rates == pytest.approx([0.01, 0.02, 0.02 / 3, 0.004], rel=1e-5)


def test_every_recipe_has_the_settings_of_training() -> None:
    for path in (ROOT / "recipes").glob("[a-z]*.py"):
        source = path.read_text(encoding="utf-8")
        for line in ("patience=settings.patience,", "optimizer=build_optimizer("):
            assert line in source, path


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Directory of small embedded data sets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dates, "SIZES", {"train": 100, "validation": 20, "test": 20})
        patch.setattr(fluent, "PAIRS", {"train": 150, "validation": 12, "test": 24})
        patch.setattr(negation, "PAIRS", {"train": 100, "validation": 10, "test": 10})
        patch.setattr(scenes, "SIZES", {"train": 20, "validation": 2, "test": 2})
        yield tmp_path_factory.mktemp("data")


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        ("captioning", "--unitz 3", "--units"),
        ("captioning", "--num-tuned -1", "a whole number of at least 0"),
        ("captioning", "--encoder MobilenetV2", "Did you mean MobileNetV2"),
        ("captioning", "--encoder efficientnet_lite0 --weights no.npz", "no.npz cannot be read"),
        ("captioning", "--self-critical", "Expected --init-from with a model to start from"),
        ("captioning", "--dataset scences", "Did you mean scenes"),
        ("captioning", "--dataset mnist", "Expected one image, or one video, and its captions"),
        ("captioning", "--examples no.jpg", "no.jpg cannot be shown: No such file"),
        ("language_model", "", "--dataset"),
        ("language_model", "--dataset no.txt", "no.txt cannot be read"),
        ("language_model", "--dataset .ci/run", ".ci/run is too short: Expected more than"),
        ("language_model", "--dataset LICENSE --steps 1000", "--dataset: LICENSE is too short"),
        ("language_model", "--dataset docs/drawings/dog.jpg", "which is not UTF-8"),
        ("language_model", "--dataset README.md --language Klingonese", "--language: found 'Klingonese'"),
        ("next_word", "--epochs 0", "a whole number of at least 1"),
        ("next_word", "--learning-rates 0.1 x", "numbers above 0, got '0.1 x'"),
        ("next_word", "--only gru,lstn", "--only: found 'lstn'"),
        ("next_word", "--only gru,window_10,gru", "--only: found 'gru' 2 times"),
        ("next_word", "--min-distance 101", "--min-distance: expected at most 100"),
        ("sentiment", "--unitz 3", "--units"),
        ("sentiment", "--units 0", "at least 1, got '0'"),
        ("sentiment", "--vocabulary-size 2", "a whole number of at least 3, got '2'"),
        ("sentiment", "--dropout 1", "below 1, got '1'"),
        ("sentiment", "--cell lstn", "lstm"),
        ("sentiment", "--dataset negatoin", "Did you mean negation"),
        ("sentiment", "--patience 0", "a whole number of at least 1, got '0'"),
        ("sentiment", "--class-weight balance", "balanced"),
        ("sentiment", "--gradient-accumulation-steps 99999", "is 99999, but 40 epochs have "),
        ("tagging", "--unitz 3", "--units"),
        ("tagging", "--epochs 0", "a whole number of at least 1"),
        ("sentiment", "--rename-labels neg", "--rename-labels: expected OLD=NEW, such as 1=neg, got 'neg'"),
        ("sentiment", "--rename-labels =neg", "expected OLD=NEW, such as 1=neg, got '=neg'"),
        ("sentiment", "--rename-labels 1=neg 1=pos", "expected one new name for each label, got two for '1'"),
        (
            "sentiment",
            "--rename-labels negativ=bad",
            "some of negative, positive. Did you mean negative? Correct",
        ),
        ("tagging", "--image-size 0 9", "two whole numbers of at least 1, height and width, got '0 9'"),
        ("tagging", "--frame-rate 0", "a number above 0"),
        ("tagging", "--dataset footge", "Did you mean footage"),
        ("tagging", "--dataset mnist", "Expected one sequence of frames or vectors"),
        ("tagging", "--footage nowhere", "nowhere does not exist. Expected images and videos"),
        ("tagging", "--footage README.md", "found 0 images and videos, and none is left for train"),
        ("translation", "--unitz 3", "--units"),
        ("translation", "--attention adative", "additive"),
        ("translation", "--length-penalty -1", "a number of at least 0"),
        ("translation", "--length-penalty nan", "a number of at least 0"),
        ("translation", "--seed -1", "a whole number of at least 0"),
        ("translation", "--max-tokens 1", "--max-tokens: no pair has fewer than 1 tokens"),
        ("translation", "--vocabulary-size 9", "A vocabulary of 9 word pieces is too small"),
        ("translation", "--dataset datez", "Did you mean dates"),
        ("translation", "--target xx", "dates/xx"),
        ("translation", "--target en", "Found the language en twice"),
    ],
)
def test_a_mistake_exits_with_code_2_and_a_message(
    recipe: str,
    arguments: str,
    message: str,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    directories = ["--run-dir", str(tmp_path)]
    if recipe != "language_model":  # which reads a file
        directories += ["--data-dir", str(data_dir)]
    assert message in run_with_mistake(recipe, [*shlex.split(arguments), *directories], monkeypatch, capsys)


@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        ("--export-dir", "folder", "folder exists and is not a SavedModel"),
        ("--export-dir", "folder/file/1", "file is no directory"),
        ("--run-dir", "folder/file", "file is no directory"),
        ("--run-dir", "x" * 300, "with a name of 300 bytes"),
        ("--export-dir", "~nosuchuser/1", "There is no user nosuchuser"),
        ("--data-dir", "~nosuchuser/1", "There is no user nosuchuser"),
    ],
)
def test_directories_are_checked_before_the_training(
    option: str,
    name: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").touch()
    path = name if name.startswith("~") else str(tmp_path / name)
    printed = run_with_mistake("sentiment", [option, path], monkeypatch, capsys)
    assert printed.startswith(f"error: {option}: ")
    assert message in printed
