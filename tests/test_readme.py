"""README and documentation keep their word: Python runs, commands and links are right, figures agree."""

import base64
import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        ROOT / "README.md",
        ROOT / "saved_models" / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
}
README, SERVING = PAGES["README.md"], PAGES["docs/serving.md"]
# What each page prints, some of it.
PRINTED = {
    "README.md": ["Wo ist der Bahnhof?", "(8, 20, 128)", "dog", "7, 7)"],
    "saved_models/README.md": ["pos", "Wo ist der Bahnhof?", "dog", "['shot'"],
    "docs/cells.md": ["'update': TensorShape([4, 30, 16])", "[b'high' b'low']"],
    "docs/data.md": ["('negative', 'positive')"],
    "docs/formulations.md": ["(3, 4)", "(3, 20, 5)", "(3, 7, 50)", "(3, 9, 60)", "(3, 2, 13, 7)"],
    "docs/lecture.md": ["32 (2, 2, 4) (2, 63, 4)"],
    "docs/recipes.md": ["[[1 0 0]\n [2 1 0]\n [1 2 1]]"],
    "docs/serving.md": ["no words in the text", "Bahnhof", "\n70\n", "'seen'] 0"],
    "docs/training.md": ["700 examples in 44 batches of up to 16, at most "],
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_every_page_with_python_is_run() -> None:
    assert {name for name, page in PAGES.items() if blocks(page, "python")} == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_python_runs_from_top_to_bottom(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for folder in ("docs", "saved_models"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path / Path(name).parent if name.startswith("saved_models") else tmp_path)
    names = {"__name__": "page"}
    for block in blocks(PAGES[name], "python"):
        exec(compile(block, name, "exec"), names)
    printed = capfd.readouterr().out
    for some in PRINTED[name]:
        assert some in printed
    if name == "docs/training.md":
        assert max(epoch["val_accuracy"] for epoch in names["history"]) > 0.8
    if name == "docs/lecture.md":
        for picture in ("gradients", "clipping", "gates", "saliency"):
            assert (tmp_path / f"{picture}.png").stat().st_size > 10_000
            assert "<svg" in (tmp_path / f"{picture}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    prose = re.sub(r"```.*?```", "", PAGES[name], flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if target.startswith("https://"):
            continue
        file, _, place = target.partition("#")
        found = (ROOT / name).parent / file if file else ROOT / name
        assert found.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in [re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings]


def test_recipe_commands_name_settings_that_exist() -> None:
    commands = []
    for page in PAGES.values():
        joined = page.replace("\\\n", " ")
        commands += re.findall(r"^python (recipes/\S+\.py)(.*?)(?:#.*)?$", joined, re.MULTILINE)
        commands += re.findall(r"`python (recipes/\S+\.py)([^`]*)`", joined)
    assert len(commands) > 40
    asked = (ROOT / "zoo" / "programs" / "asking.py").read_text(encoding="utf-8")
    for file, arguments in commands:
        words = shlex.split(arguments)
        source = (ROOT / file).read_text(encoding="utf-8")
        if "predict" in words:
            source = asked + "    model: "
        for flag in (word for word in words if word.startswith("--") and word != "--help"):
            name = flag.removeprefix("--").removeprefix("no-").replace("-", "_")
            assert re.search(rf"^    {name}: ", source, re.MULTILINE), flag


def test_benchmarks_that_are_named_exist() -> None:
    for page in PAGES.values():
        for file in re.findall(r"python ((?:benchmarks|tests)/\S+\.py)", page):
            assert (ROOT / file).exists(), file


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (found,) = re.findall(r"^command=(.*)$", ci, re.MULTILINE)
    assert 'eval "$command"' in ci
    command = subprocess.run(
        ["bash", "-c", f'command={found}; echo "$command"'], cwd=ROOT, capture_output=True, text=True
    )
    (block,) = [block for block in blocks(README, "sh") if "pytest" in block]
    assert command.stdout == block


# Serving.


def decoded(given: object) -> object:
    """What TF Serving makes of a value in the body of a request."""
    if isinstance(given, list):
        return [decoded(item) for item in given]
    return base64.b64decode(given["b64"]) if isinstance(given, dict) else given


@pytest.mark.parametrize("number", range(2))
def test_bodies_of_requests_fit_the_signatures(number: int) -> None:
    body = json.loads(blocks(SERVING, "json")[number])
    name = re.findall(r"/models/(\w+):predict", SERVING)[number]
    signature = tf.saved_model.load(str(ROOT / "saved_models" / name / "1")).signatures[
        body["signature_name"]
    ]
    said = signature(**{key: tf.constant(decoded(value)) for key, value in body["inputs"].items()})
    assert said["status"].numpy().tolist() == ([b"", b""], [b"the picture is broken"])[number]


def test_saved_model_cli_runs_the_commands(saved_model_cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    show, run = re.findall(r"^saved_model_cli (.*)$", SERVING, re.MULTILINE)
    assert "signature_def['greedy']" in saved_model_cli(*shlex.split(show))
    assert "Result for output key label" in saved_model_cli(*shlex.split(run))


# Figures.


@pytest.mark.parametrize(
    ("task", "figure", "unit"),
    [
        ("captioning", "test BLEU-4", "BLEU-4"),
        ("sentiment", "test accuracy, lstm", "% right of IMDB"),
        ("tagging", None, ""),  # the README has its score in the benchmark
        ("translation", "test BLEU, gru_attention_multiplicative", "BLEU"),
    ],
)
def test_readme_shows_the_figures_of_the_card(task: str, figure: str | None, unit: str) -> None:
    facts = json.loads((ROOT / f"saved_models/{task}/1/card.json").read_text(encoding="utf-8"))
    (row,) = re.findall(rf"^\| .*saved_models/{task}/1/README\.md.*$", README, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    minutes, size = facts["figures"]["minutes"], facts["size_bytes"] / 1e6
    assert cells[5:] == [f"{minutes:.0f}", f"{size:.0f}"]
    if figure:
        assert cells[3] == f"{facts['figures'][figure]:.1f} {unit}"


@pytest.mark.parametrize("task", ["captioning", "sentiment", "tagging", "translation"])
def test_results_have_the_command_of_each_card(task: str) -> None:
    """But for credit, license, and names of folders of data."""
    facts = json.loads((ROOT / f"saved_models/{task}/1/card.json").read_text(encoding="utf-8"))

    def settings(command: str) -> set[str]:
        words, kept = shlex.split(command)[2:], {}
        for word in words:
            if word.startswith("--"):
                kept[name := word] = []
            else:
                kept[name].append(word)
        left_out = ("--credit", "--license", "--dataset", "--examples")
        return {f"{name} {' '.join(values)}" for name, values in kept.items() if name not in left_out}

    commands = re.findall(r"^python recipes/.*$", PAGES["docs/results.md"].replace("\\\n", " "), re.MULTILINE)
    assert settings(facts["command"]) in [
        settings(command) for command in commands if f"recipes/{task}.py" in command
    ]
