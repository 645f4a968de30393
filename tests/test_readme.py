"""README and docs are true: Python runs, commands and links exist, metrics agree with the model cards."""

import base64
import json
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tyro
from PIL import Image
from reexports import call, export_again
from test_public_api import public_modules, public_names

import zoo
from zoo.cli.main import Demo, Evaluate, List, Predict, Show, Verify

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "tests" / "plugins"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "RELEASE.md",
        ROOT / "SECURITY.md",
        ROOT / "saved_models" / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
    ]
}
README, SERVING, TASKS = (PAGES[name] for name in ("README.md", "docs/serving.md", "docs/tasks.md"))
PRINTED = {
    "README.md": ["Wo ist der Bahnhof?", "(8, 20, 128)", "dog", "7, 7)"],
    "saved_models/README.md": ["pos", "Wo ist der Bahnhof?", "dog", "['shot'"],
    "docs/addons.md": ["[[4 8 0]\n [6 0 0]]"],
    "docs/cells.md": ["'update': TensorShape([4, 30, 16])", "[b'high' b'low']", "\n(4, 16)\n(4, 16)\n"],
    "docs/data.md": ["('negative', 'positive')"],
    "docs/fine-tuning.md": [
        "test accuracy, starting model ",
        "\nneg  ",
        "\nSentiment (reviews), version 1\nnot stated. ",
    ],
    "docs/getting-started.md": [
        "Wo ist der Bahnhof?\nWo ist der Bahnhof?\n(None, 2)\n(4, 10, 16)\n",
    ],
    "docs/formulations.md": ["(3, 4)", "(3, 20, 5)", "(3, 7, 50)", "(3, 9, 60)", "(3, 2, 13, 7)"],
    "docs/layers.md": ["LSTM         24,832 weights\nGRU          18,816 weights\n"],
    "docs/keras.md": ["<class 'zoo.layers.lstm.LSTM'> <class 'zoo.layers.gru.GRU'>", "True"],
    "docs/lecture.md": ["32 (2, 2, 4) (2, 63, 4)"],
    "docs/recipes.md": ["[[2 0]\n [1 1]] 100.0 ", "\n100.0 ['pos', 'neg']\n[]\n"],
    "docs/runtimes.md": ["Wo ist der Bahnhof?\n", "['Wo ist der Bahnhof?', 'Ein ", "dog", "[[0."],
    "docs/sentiment.md": ["(84.4", "neg dreadful."],
    "docs/serving.md": ["no words in the text", "Bahnhof", "\n70\n", "'steps'] 0"],
    "docs/tasks.md": ["neg\nepoch 1/40", "\npos\n", "\n2.0\n"],
    "docs/translation.md": ["[[1 0 0]\n [2 1 0]\n [1 2 1]]"],
    "docs/training.md": ["700 examples in 44 batches of up to 16, at most "],
}
"""What the Python on each page prints, in part; and its commands, where they are run."""

COMMANDS_RUN = ("docs/fine-tuning.md", "docs/runtimes.md")
"""Pages whose commands are run, together with the Python."""


def code_blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_every_page_with_python_is_tested() -> None:
    assert {name for name, page in PAGES.items() if code_blocks(page, "python")} == set(PRINTED)


class TrackerStandIn(ModuleType):
    """Stands for the package of a tracker, which is not installed, and records the calls of its functions."""

    def __init__(self) -> None:
        super().__init__("tracker")
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        def record(*arguments: Any, **options: Any) -> None:
            self.calls.append((name, arguments, options))

        return record


SLOW = dict.fromkeys(
    ("docs/fine-tuning.md", "docs/runtimes.md", "docs/tasks.md"), pytest.mark.slow
)  # train, export and convert


MAX_DIFFERENCE = 4
"""Largest mean difference of two drawings of one figure, in gray levels: other processors round differently.
With another seed the difference is 7 to 18, with another version of the model 34."""


def measure_difference(path: Path, other: Path) -> float:
    """The mean absolute difference of the pixels of two pictures, from 0 to 255; infinite for other sizes."""
    one, two = (np.asarray(Image.open(file).convert("RGB"), float) for file in (path, other))
    return float(np.abs(one - two).mean()) if one.shape == two.shape else np.inf


@pytest.mark.usefixtures("no_plots", "predict_in_process")
@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW.get(name, ())) for name in PRINTED])
def test_python_runs_from_top_to_bottom(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for directory in ("docs", "saved_models"):
        (tmp_path / directory).symlink_to(ROOT / directory)
    (tmp_path / "reviews.csv").write_text("id,stars,review\n" + '1,5,"Clean, quiet."\n2,1,Dirty rooms.\n' * 5)
    monkeypatch.chdir(tmp_path / Path(name).parent if name.startswith("saved_models") else tmp_path)
    if name == "docs/tasks.md":
        monkeypatch.syspath_prepend(PLUGINS)  # the package that the page writes is installed
    if name == "docs/runtimes.md":
        for model in ("sentiment", "translation", "captioning"):
            export_again(model, tmp_path / "runs" / model / "export" / "1")
            (tmp_path / model).mkdir()
    trackers = TrackerStandIn(), TrackerStandIn()
    for tracker, module in zip(trackers, ("mlflow", "wandb"), strict=True):
        monkeypatch.setitem(sys.modules, module, tracker)
    names = {"__name__": "page"}
    for language, block in re.findall(r"```(python|sh)\n(.*?)```", PAGES[name], re.DOTALL):
        if language == "python":
            exec(compile(block, name, "exec"), names)
        elif name in COMMANDS_RUN:
            for command in block.replace("\\\n", " ").splitlines():
                program, *arguments = shlex.split(command)
                assert program in ("zoo", "python")
                arguments = ["-m", "zoo_command", *arguments] if program == "zoo" else arguments
                subprocess.run([sys.executable, *arguments], check=True)
    printed = capfd.readouterr().out
    for part in PRINTED[name]:
        assert part in printed
    if name == "docs/runtimes.md":
        models = {task: Path("runs", task, "export", "1") for task in ("translation", "captioning")}
        texts, images = names["texts"], [Path("docs/drawings/dog.jpg").read_bytes()]
        expected = call(models["translation"], "greedy", {"text": texts})["translations"][:, 0]
        assert names["translations"] == [text.decode() for text in expected]
        expected = call(models["captioning"], "greedy", {"image": images})["captions"][:, 0]
        assert names["captions"] == [text.decode() for text in expected]
    if name == "docs/serving.md":
        lines = Path("predictions.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "id,stars,review,predicted_label,probability,status"
        assert [line.split(",")[-3] for line in lines[1:]] == ["pos", "neg"] * 5
    if name == "docs/sentiment.md":
        parts = [Path("folds", str(fold), "test.csv").read_text().splitlines()[1:] for fold in range(5)]
        assert [len(part) for part in parts] == [2] * 5
    if name == "docs/training.md":
        assert max(names["history"].history["val_accuracy"]) > 0.8
        for tracker, method in zip(trackers, ("log_metrics", "log"), strict=True):
            logged = [(arguments, options) for name, arguments, options in tracker.calls if name == method]
            assert [options for _, options in logged] == [{"step": 0}, {"step": 1}]
            expected = {"loss", "accuracy", "val_loss", "val_accuracy"}
            assert all(set(metrics) == expected for (metrics,), _ in logged)
    shown = re.findall(r"\]\((\w+\.png)\)", PAGES[name])
    drawn = [tmp_path / picture for picture in shown if (tmp_path / picture).exists()]
    for path in drawn:
        assert measure_difference(path, ROOT / "docs" / path.name) < MAX_DIFFERENCE, path.name
    if name == "docs/lecture.md":
        assert [path.stem for path in drawn] == ["gradients", "clipping", "gates", "saliency"]
        for path in drawn:
            assert "<svg" in path.with_suffix(".svg").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sentiment", "tagging", "translation"])
def test_drawn_predictions_are_those_of_the_shipped_models(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`docs/drawings/figures.py` draws them; two more need a model that is not shipped."""
    figures = runpy.run_path(str(ROOT / "docs" / "drawings" / "figures.py"))
    monkeypatch.setitem(figures["save"].__globals__, "DOCS", tmp_path)
    (tmp_path / "drawings").symlink_to(ROOT / "docs" / "drawings")
    figures["PICTURES"][name]()
    drawn = list(tmp_path.glob("*.png"))
    assert drawn
    for path in drawn:
        assert measure_difference(path, ROOT / "docs" / path.name) < MAX_DIFFERENCE, path.name


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


def test_layers_page_names_every_layer() -> None:
    layers = [getattr(zoo, name) for name in zoo.__all__]
    names = {
        f"`zoo.{layer.__name__}`"
        for layer in layers
        if isinstance(layer, type) and issubclass(layer, zoo.RNN | zoo.Bypass)
    }
    assert len(names) > 20
    assert names <= set(re.findall(r"`zoo\.\w+`", PAGES["docs/layers.md"]))


def test_python_imports_public_names_alone() -> None:
    """What a page imports from the library is in the public API, which does not go without notice."""
    notebooks = [path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "notebooks").glob("*.md")]
    blocks = [block for page in [*PAGES.values(), *notebooks] for block in code_blocks(page, "python")]
    imports = re.findall(r"^from (zoo[\w.]*) import (?:\(([^)]*)\)|(.*))$", "\n".join(blocks), re.MULTILINE)
    names = {f"{module}.{name}" for module, *lists in imports for name in re.findall(r"\w+", "".join(lists))}
    public = {f"{m.__name__}.{name}" for m in public_modules() for name in public_names(m)}
    assert len(names) > 10
    assert names <= public


def test_getting_started_lists_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = re.findall(r"^\| `(\w+)` \|", PAGES["docs/getting-started.md"], re.MULTILINE)
    assert set(extras) == set(project["optional-dependencies"])


def test_scores_of_settings_are_on_the_pages_that_it_names() -> None:
    """Tables with minutes have no command; their scores and times are those of two other pages."""
    others = PAGES["docs/results.md"] + PAGES["docs/fine-tuning.md"]
    tables = re.findall(r"^\|.* minutes \|\n((?:\|.*\n)+)", PAGES["docs/settings.md"], re.MULTILINE)
    numbers = [n for table in tables for n in re.findall(r"\d+\.\d", re.sub(r"`[^`]*`", "", table))]
    assert len(numbers) > 30
    assert not [n for n in numbers if not re.search(rf"(?<![\d.]){re.escape(n)}(?!\d)", others)]


def test_tasks_page_shows_the_tested_plugin() -> None:
    source = (PLUGINS / "zoo_rating.py").read_text(encoding="utf-8").split('"""\n', 1)[1]
    blocks = [block for block in code_blocks(TASKS, "python") if "Rating" in block and "run.fit" not in block]
    imports = next(block for block in code_blocks(TASKS, "python") if "import dataclass" in block)
    assert "".join([imports, *blocks]).split() == source.split()
    (entry_point,) = code_blocks(TASKS, "toml")
    distribution = PLUGINS / "zoo_rating-1.0.dist-info" / "entry_points.txt"
    name, target = distribution.read_text(encoding="utf-8").splitlines()[1].split(" = ")
    assert f'{name} = "{target}"' in entry_point


def find_commands(program: str) -> Iterator[list[str]]:
    """Yield the words after the name of a program in the commands of all pages, in blocks and in lines of text.

    In text, a command without arguments is a mention, such as `zoo predict`; a script is a command.
    """
    for page in PAGES.values():
        page = page.replace("\\\n", " ")
        lines = [line for block in code_blocks(page, "sh") for line in block.splitlines()]
        text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
        spans = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", text)]
        lines += [span for span in spans if re.match(rf"{program} \S+ \S", span) or ".py" in span]
        for command in (command for line in lines for command in line.split("&&")):
            if re.match(rf"\s*([A-Z_]+=\S.*\s)?([\w./]+/)?{program} [\w/]", command):
                words = shlex.split(command, comments=True)
                yield words[1 + next(i for i, word in enumerate(words) if Path(word).name == program) :]


COMMANDS = {
    "list": List,
    "show": Show,
    "predict": Predict,
    "evaluate": Evaluate,
    "verify": Verify,
    "demo": Demo,
}


def test_commands_have_options_that_exist() -> None:
    placeholders = {"NAME", "INPUT", "EXPORT_DIR", "..."}
    commands = [words for words in find_commands("zoo") if not placeholders & set(words)]
    assert len(commands) > 40
    for command, *arguments in commands:
        if command == "train":
            recipe, *arguments = arguments
            options = import_module(f"zoo.recipes.{recipe}").Settings
        else:
            options = COMMANDS[command]
        if arguments != ["--help"]:
            tyro.cli(options, args=arguments)  # exits where an option does not exist


def test_scripts_exist_and_have_the_options() -> None:
    commands = [words for words in find_commands("python") if words[0].endswith(".py")]
    assert len(commands) > 10
    for script, *arguments in commands:
        source = (ROOT / script).read_text(encoding="utf-8")
        for option in (word for word in arguments if word.startswith("--")):
            name = option.removeprefix("--").removeprefix("no-").replace("-", "_")
            assert re.search(rf"^    {name}: ", source, re.MULTILINE), f"{script} {option}"


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
    """Decode a value in the body of a request as TensorFlow Serving does."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


@pytest.mark.parametrize("number", range(3))
def test_request_bodies_fit_the_signatures(number: int) -> None:
    body = json.loads(code_blocks(SERVING, "json")[number])
    name = re.findall(r"/models/(\w+):predict", SERVING)[number]
    model = tf.saved_model.load(str(ROOT / "saved_models" / name / "1"))
    columns = body.get("inputs") or {
        key: [row[key] for row in body["instances"]] for key in body["instances"][0]
    }
    inputs = {key: tf.constant(decode(value)) for key, value in columns.items()}
    outputs = model.signatures[body["signature_name"]](**inputs)
    expected = ([b"", b""], [b"the picture is broken"], [b"", b""])[number]
    assert outputs["status"].numpy().tolist() == expected
    if "instances" in body:
        assert {len(output) for output in outputs.values()} == {len(expected)}


@pytest.mark.parametrize("name", ["docs/runtimes.md", "docs/serving.md"])
def test_pages_name_the_models_that_have_the_parts_as_signatures(name: str) -> None:
    text = " ".join(PAGES[name].split())
    (models,) = re.findall(r"f the models in `saved_models/`, ((?:`\w+`(?:, | and )?)+)", text)
    expected = {
        path.name
        for path in (ROOT / "saved_models").iterdir()
        if path.is_dir() and {"encode", "preprocess"} & set(read_card(path.name)["signatures"])
    }
    assert set(re.findall(r"`(\w+)`", models)) == expected


def test_saved_model_cli_runs_the_commands(saved_model_cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    show, run = re.findall(r"^saved_model_cli (.*)$", SERVING, re.MULTILINE)
    assert "signature_def['greedy']" in saved_model_cli(*shlex.split(show))
    assert "Result for output key label" in saved_model_cli(*shlex.split(run))


# Metrics.


def read_card(name: str) -> dict[str, Any]:
    return json.loads((ROOT / f"saved_models/{name}/1/card.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("captioning", "BLEU-4"),
        ("language_model", None),  # the perplexity that can be compared is not its headline
        ("sentiment", "% accuracy on IMDB"),
        ("tagging", None),  # the README shows its score in a benchmark
        ("translation", "BLEU"),
    ],
)
def test_readme_shows_the_metrics_of_the_card(name: str, unit: str | None) -> None:
    card = read_card(name)
    (row,) = re.findall(rf"^\| .*saved_models/{name}/1/README\.md.*$", README, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    *_, minutes = cells[5].split(" + ")  # one number for each run, the card's last
    assert [minutes, cells[6]] == [f"{card['metrics']['minutes']:.0f}", f"{card['size_bytes'] / 1e6:.0f}"]
    if unit:
        assert cells[3] == f"{card['metrics'][card['headline']]:.1f} {unit}"


def parse_settings(command: str) -> dict[str, list[str]]:
    """Return the options of a command `zoo train NAME ...` with their values."""
    settings: dict[str, list[str]] = {}
    for word in shlex.split(command)[3:]:
        if word.startswith("--"):
            values = settings[word] = []
        else:
            values.append(word)
    return settings


@pytest.mark.parametrize("name", ["captioning", "language_model", "sentiment", "tagging", "translation"])
def test_results_have_the_command_of_each_card(name: str) -> None:
    """All options but the paths of data, and what only the card shows."""
    page = PAGES["docs/results.md"].replace("\\\n", " ")
    commands = [read_card(name)["command"], *re.findall(rf"^zoo train {name} .*$", page, re.MULTILINE)]
    expected, *settings = map(parse_settings, commands)
    for options in (expected, *settings):
        for option in ("--citation", "--license", "--language", "--dataset", "--examples"):
            options.pop(option, None)
    assert expected in settings
