"""README and docs are right: their Python runs, commands and links exist, figures agree with the cards."""

import base64
import json
import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tyro

from zoo.cli.main import Demo, List, Predict, Show, Verify

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "saved_models" / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
}
README, SERVING = PAGES["README.md"], PAGES["docs/serving.md"]
PRINTED = {
    "README.md": ["Wo ist der Bahnhof?", "(8, 20, 128)", "dog", "7, 7)"],
    "saved_models/README.md": ["pos", "Wo ist der Bahnhof?", "dog", "['shot'"],
    "docs/cells.md": ["'update': TensorShape([4, 30, 16])", "[b'high' b'low']"],
    "docs/data.md": ["('negative', 'positive')"],
    "docs/formulations.md": ["(3, 4)", "(3, 20, 5)", "(3, 7, 50)", "(3, 9, 60)", "(3, 2, 13, 7)"],
    "docs/lecture.md": ["32 (2, 2, 4) (2, 63, 4)"],
    "docs/recipes.md": ["[[1 0 0]\n [2 1 0]\n [1 2 1]]"],
    "docs/serving.md": ["no words in the text", "Bahnhof", "\n70\n", "'steps'] 0"],
    "docs/training.md": ["700 examples in 44 batches of up to 16, at most "],
}
"""Parts of what the Python on each page prints."""


def code_blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_every_page_with_python_is_tested() -> None:
    assert {name for name, page in PAGES.items() if code_blocks(page, "python")} == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_python_runs_from_top_to_bottom(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for folder in ("docs", "saved_models"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path / Path(name).parent if name.startswith("saved_models") else tmp_path)
    names = {"__name__": "page"}
    for block in code_blocks(PAGES[name], "python"):
        exec(compile(block, name, "exec"), names)
    printed = capfd.readouterr().out
    for part in PRINTED[name]:
        assert part in printed
    if name == "docs/training.md":
        assert max(epoch["val_accuracy"] for epoch in names["history"]) > 0.8
    if name == "docs/lecture.md":
        for picture in ("gradients", "clipping", "gates", "saliency"):
            assert (tmp_path / f"{picture}.png").stat().st_size > 10_000
            assert "<svg" in (tmp_path / f"{picture}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_link_targets_exist(name: str) -> None:
    prose = re.sub(r"```.*?```", "", PAGES[name], flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings]


def find_commands(page: str) -> list[list[str]]:
    """The commands `zoo ...` of a page, in blocks and in lines of text, less those with placeholders."""
    page = page.replace("\\\n", " ")
    lines = [line for block in code_blocks(page, "sh") for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))
    commands = [shlex.split(line, comments=True) for line in lines if re.match(r"zoo \w", line)]
    return [words for words in commands if not {"NAME", "INPUT", "..."} & set(words)]


def test_commands_have_options_that_exist() -> None:
    commands = [words for page in PAGES.values() for words in find_commands(page)]
    assert len(commands) > 40
    for _, command, *arguments in commands:
        if command == "train":
            recipe, *arguments = arguments
            options = import_module(f"zoo.recipes.{recipe}").Settings
        else:
            options = {"list": List, "show": Show, "predict": Predict, "verify": Verify, "demo": Demo}[
                command
            ]
        if arguments != ["--help"]:
            tyro.cli(options, args=arguments)  # exits where an option does not exist


def test_scripts_that_are_named_exist() -> None:
    for page in PAGES.values():
        for file in re.findall(r"python ([\w/]+\.py)", page):
            assert (ROOT / file).exists(), file


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (value,) = re.findall(r"^command=(.*)$", ci, re.MULTILINE)
    assert 'eval "$command"' in ci
    command = subprocess.run(
        ["bash", "-c", f'command={value}; echo "$command"'], cwd=ROOT, capture_output=True, text=True
    )
    (block,) = [block for block in code_blocks(README, "sh") if "pytest" in block]
    assert command.stdout == block


# Serving.


def decode(value: Any) -> Any:
    """What TF Serving makes of a value in the body of a request."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


@pytest.mark.parametrize("number", range(2))
def test_request_bodies_fit_the_signatures(number: int) -> None:
    body = json.loads(code_blocks(SERVING, "json")[number])
    name = re.findall(r"/models/(\w+):predict", SERVING)[number]
    model = tf.saved_model.load(str(ROOT / "saved_models" / name / "1"))
    inputs = {key: tf.constant(decode(value)) for key, value in body["inputs"].items()}
    outputs = model.signatures[body["signature_name"]](**inputs)
    assert outputs["status"].numpy().tolist() == ([b"", b""], [b"the picture is broken"])[number]


def test_saved_model_cli_runs_the_commands(saved_model_cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    show, run = re.findall(r"^saved_model_cli (.*)$", SERVING, re.MULTILINE)
    assert "signature_def['greedy']" in saved_model_cli(*shlex.split(show))
    assert "Result for output key label" in saved_model_cli(*shlex.split(run))


# Figures.


def read_card(name: str) -> dict[str, Any]:
    return json.loads((ROOT / f"saved_models/{name}/1/card.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("captioning", "BLEU-4"),
        ("sentiment", "% accuracy on IMDB"),
        ("tagging", None),  # the README has its score in the benchmark
        ("translation", "BLEU"),
    ],
)
def test_readme_shows_the_figures_of_the_card(name: str, unit: str | None) -> None:
    card = read_card(name)
    (row,) = re.findall(rf"^\| .*saved_models/{name}/1/README\.md.*$", README, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[5:] == [f"{card['metrics']['minutes']:.0f}", f"{card['size_bytes'] / 1e6:.0f}"]
    if unit:
        assert cells[3] == f"{card['metrics'][card['headline']]:.1f} {unit}"


def parse_settings(command: str) -> dict[str, list[str]]:
    """The options of a command `zoo train NAME ...` and their values."""
    settings: dict[str, list[str]] = {}
    for word in shlex.split(command)[3:]:
        if word.startswith("--"):
            values = settings[word] = []
        else:
            values.append(word)
    return settings


@pytest.mark.parametrize("name", ["captioning", "sentiment", "tagging", "translation"])
def test_results_have_the_command_of_each_card(name: str) -> None:
    """Less the paths of data and the text for the card."""
    page = PAGES["docs/results.md"].replace("\\\n", " ")
    commands = [read_card(name)["command"], *re.findall(rf"^zoo train {name} .*$", page, re.MULTILINE)]
    expected, *settings = map(parse_settings, commands)
    for options in (expected, *settings):
        for option in ("--citation", "--license", "--dataset", "--footage", "--examples"):
            options.pop(option, None)
    assert expected in settings
