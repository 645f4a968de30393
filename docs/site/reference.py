"""The pages of the API reference: every public name of the package, by topic."""

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType

PUBLIC_API = Path(__file__).parents[2] / "tests" / "public_api.txt"


@dataclass(frozen=True)
class Page:
    """A page of the reference.

    Attributes:
        file: its name, without the ending.
        title: its title.
        modules: the modules whose names it shows, unless another page has a module within one of these.
    """

    file: str
    title: str
    modules: tuple[str, ...]


LAYERS = {
    "gated": ("simple_rnn", "lstm", "gru", "layer_norm", "ind_rnn", "slstm"),
    "parallel": ("linear", "linear_rnn", "lru", "min_gru", "min_lstm", "mlstm", "qrnn", "rg_lru", "sru"),
    "time": ("cfc", "gru_d", "lmu", "ltc", "phased_lstm"),
}
"""Files of cells and layers, by family."""


TASKS = ("captioning", "frame_tagging", "language_model", "text_classification", "translation")
"""Files of tasks."""


def _family(package: str, family: str) -> tuple[str, ...]:
    return tuple(f"zoo.{package}.{name}" for name in LAYERS[family])


PAGES = (
    Page("layers", "Layers: RNN and wrappers", ("zoo.layers",)),
    Page("layers-gated", "Layers: LSTM, GRU and their families", _family("layers", "gated")),
    Page("layers-parallel", "Layers: parallel scans over time", _family("layers", "parallel")),
    Page("layers-time", "Layers: long memories and irregular times", _family("layers", "time")),
    Page("cells", "Cells: base classes", ("zoo.cells",)),
    Page("cells-gated", "Cells: LSTM, GRU and their families", _family("cells", "gated")),
    Page("cells-parallel", "Cells: parallel scans over time", _family("cells", "parallel")),
    Page("cells-time", "Cells: long memories and irregular times", _family("cells", "time")),
    Page("formulations", "Formulations and attention", ("zoo.formulations", "zoo.attention")),
    Page("decoding", "Decoding", ("zoo.decoding",)),
    Page("training", "Training", ("zoo.training",)),
    Page("optimization", "Losses, optimizers, schedules", ("zoo.losses", "zoo.optimizers", "zoo.schedules")),
    Page("metrics", "Metrics", ("zoo.metrics",)),
    Page("reports", "Reports", ("zoo.reports",)),
    Page("datasets", "Data sets", ("zoo.datasets",)),
    Page("builders", "Embedded data sets", ("zoo.datasets.builders",)),
    Page("text", "Preprocessing: text", ("zoo.preprocessing.text",)),
    Page("images", "Preprocessing: images and videos", ("zoo.preprocessing",)),
    Page("export", "Loading and exporting models", ("zoo.serving", "zoo.export")),
    Page("tasks", "Tasks: base classes", ("zoo.tasks",)),
    Page(
        "tasks-built-in",
        "Tasks: preprocessors, serving modules, predictions",
        tuple(f"zoo.tasks.{name}" for name in TASKS),
    ),
    Page("inspection", "Inspection", ("zoo.inspection",)),
    Page("scans", "Scans", ("zoo.scans",)),
    Page("errors", "Errors", ("zoo.errors",)),
)


@dataclass(frozen=True)
class PublicName:
    """A public name.

    Attributes:
        path: the path by which users import it, such as "zoo.LSTM".
        module: the module that defines it; of constants the path.
        summary: the first line of its docstring.
    """

    path: str
    module: str
    summary: str


@cache
def public_names() -> list[PublicName]:
    """Return every name of the list of the public API once, by its shortest path."""
    names: dict[object, PublicName] = {}
    for section in PUBLIC_API.read_text(encoding="utf-8").split("\n\n")[1:]:
        heading, *lines = section.splitlines()
        module = importlib.import_module(heading.removesuffix(":"))
        for name in (re.sub(r"^class ", "", line[4:]) for line in lines if not line.startswith(" " * 8)):
            if name.startswith("module "):
                continue
            name = re.split(r"\W", name, maxsplit=1)[0]
            value = getattr(module, name)
            if inspect.ismodule(value):
                continue
            path = f"{module.__name__}.{name}"
            home = getattr(value, "__module__", None)
            if isinstance(home, str) and home.startswith("zoo."):
                summary = (inspect.getdoc(value) or "").partition("\n")[0]
                names.setdefault(id(value), PublicName(path, home, summary))
            else:
                names.setdefault(path, PublicName(path, path, find_summary(module, name)))
    return list(names.values())


def find_summary(module: ModuleType, name: str) -> str:
    """Return the first paragraph of the string below a constant or type alias; the empty string if there is none.

    Args:
        module: a module or package, which defines the constant itself or imports it from one of its own modules.
        name: name of the constant.
    """
    for statements in _read_modules(module):
        for assignment, below in pairwise(statements):
            match assignment, below:
                case (
                    ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ) if target == name:
                    return " ".join(text.partition("\n\n")[0].split())
    return ""


@cache
def _read_modules(module: ModuleType) -> list[list[ast.stmt]]:
    """Return the statements of a module, or of all modules of a package."""
    file = Path(inspect.getfile(module))
    files = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    return [ast.parse(path.read_text(encoding="utf-8")).body for path in files]


def find_page(name: PublicName) -> Page:
    """Return the page of the module that defines a name, or of the nearest module around it; else of its path."""
    pages = {module: page for page in PAGES for module in page.modules}
    for path in (name.module, name.path):
        while "." in path:
            path = path.rpartition(".")[0] if path not in pages else path
            if path in pages:
                return pages[path]
    raise KeyError(f"The API reference has no page for {name.path}. Add its module to `PAGES`.")


def make_pages() -> dict[str, str]:
    """Return the Markdown of each page under its path in `docs`."""
    names: dict[Page, list[PublicName]] = {page: [] for page in PAGES}
    for name in public_names():
        names[find_page(name)].append(name)
    index = [
        "# API reference",
        'Every public name, by topic. The same texts are in `help()`: `python -c "import zoo; help(zoo.LSTM)"`.',
        *(
            f"## [{page.title}]({page.file}.md)\n\n"
            + " · ".join(f"[`{x.path}`][{x.path}]" for x in names[page])
            for page in PAGES
        ),
    ]
    pages = {"reference/index.md": "\n\n".join(index) + "\n"}
    for page in PAGES:
        summaries = {name: name.summary.replace("|", r"\|") for name in names[page]}
        rows = [f"| [`{name.path}`][{name.path}] | {summary} |" for name, summary in summaries.items()]
        table = "\n".join(["| name | summary |", "| --- | --- |", *rows])
        pages[f"reference/{page.file}.md"] = "\n\n".join(
            [f"# {page.title}", table, *(f"::: {name.path}" for name in names[page])]
        )
    return pages
