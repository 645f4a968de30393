"""The documentation site: it builds without a warning, is complete, and needs nothing from elsewhere."""

import base64
import html
import importlib
import json
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import test_public_api
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from test_project import ORDER

ROOT = Path(__file__).parents[1]
SITE_CODE = ROOT / "docs" / "site"
LARGEST_SITE = 20_000_000
"""Bytes of the site."""


def import_site_code(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SITE_CODE)
    return importlib.import_module(name)


def get_by_path(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


# The API reference.


def test_every_public_name_has_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = import_site_code("reference", monkeypatch).make_pages()
    paths = [path for page in pages.values() for path in re.findall(r"^::: (\S+)$", page, re.MULTILINE)]
    assert len(paths) == len(set(paths)) > 300
    entries = [get_by_path(path) for path in paths]
    for module in test_public_api.public_modules():
        for name in test_public_api.public_names(module):
            value = getattr(module, name)
            assert isinstance(value, ModuleType) or any(value is entry for entry in entries), name
    code = [entry for entry in entries if callable(entry) and entry is not Any]  # some types are not known
    assert len(code) == len({id(entry) for entry in code})


def test_names_are_listed_by_their_shortest_path(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name.path: name for name in import_site_code("reference", monkeypatch).public_names()}
    assert names["zoo.LSTM"].summary == "Long short-term memory."
    assert names["zoo.cells.Tensor"].summary == "A tensor of the Keras backend in use."
    assert [path for path, name in names.items() if not name.summary] == []
    assert {"zoo.cells.PeepholeLSTMCell", "zoo.load", "zoo.preprocessing.text.PADDING_ID"} <= names.keys()
    assert not {"zoo.layers.LSTM", "zoo.cells.LSTMCell", "zoo.formulations.Encoder"} & names.keys()


def test_docstrings_are_brought_into_the_form_of_mkdocstrings(monkeypatch: pytest.MonkeyPatch) -> None:
    docstrings = import_site_code("docstrings", monkeypatch)
    text = docstrings.format_docstring(
        "Add.\n\nCall arguments:\n    x: tensor.\n\nInput shape:\n    [batch]\n\nExample:\n    >>> 1\n    1\n"
    )
    assert "\nOther parameters: Call arguments\n    x: tensor.\n" in text
    assert "\n**Input shape:** [batch]\n" in text
    assert "\nExamples:\n    >>> 1\n    1\n" in text
    text = docstrings.format_docstring("Add.\n\n>>> def f():\n...     pass\n>>> 1\n1\n\n>>> 2\n2")
    assert text == (
        "Add.\n\nExamples:\n    >>> def f():\n    ...     pass\n    >>> 1\n    1\n\n    >>> 2\n    2\n\n"
    )


# The notebooks.

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_page_of_a_notebook_shows_what_cells_print_return_and_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [
        nbformat.v4.new_output("stream", text="1\n2\n"),
        nbformat.v4.new_output("execute_result", {"text/plain": "3"}),
        nbformat.v4.new_output("display_data", {"text/plain": "<Figure>", "image/png": PIXEL}),
    ]
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("f()", outputs=outputs)]
    page, figures = import_site_code("notebooks", monkeypatch).make_page(
        nbformat.v4.new_notebook(cells=cells), "gates"
    )
    assert [part.splitlines() for part in page.split("\n\n")] == [
        ["# Title"],
        ["```python", "f()", "```"],
        ["``` { .text .output .no-copy }", "1", "2", "```"],
        ["``` { .text .output .no-copy }", "3", "```"],
        ["![What the code above draws](gates-1.png){ .output }"],
    ]
    assert figures == {"gates-1.png": base64.b64decode(PIXEL)}


def test_downloaded_notebooks_need_no_other_file(monkeypatch: pytest.MonkeyPatch) -> None:
    notebooks = import_site_code("notebooks", monkeypatch)
    paths = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
    drawings = 0
    for path in paths:
        notebook = nbformat.reads(notebooks.make_download(nbformat.read(path, 4), path.parent), 4)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            for target in re.findall(r"!\[.*\]\((.*)\)", cell.source if cell.cell_type == "markdown" else ""):
                kind, content = target.split(",")
                assert kind == "data:image/svg+xml;base64"
                assert base64.b64decode(content).startswith(b"<svg")
                drawings += 1
    assert drawings >= 4 < len(paths)


@pytest.mark.slow
def test_notebooks_are_executed_in_their_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.ipynb"
    code = "import pathlib\nprint(pathlib.Path('small.ipynb').exists())"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
    before = path.read_bytes()
    notebook = import_site_code("notebooks", monkeypatch).execute_notebook(path)
    assert notebook.cells[0].outputs[0].text == "True\n"
    assert path.read_bytes() == before


def test_equations_fit_on_the_page() -> None:
    """A line has 80 characters beside the navigation, on a screen that is 1280 pixels wide."""
    for path in (ROOT / "docs").rglob("*.md"):
        prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for line in re.findall(r"^ {4}(\S.*_(?:t|\{).* = .*)$", prose, re.MULTILINE):
            assert len(line) <= 80, f"{path}: {line}"


# The page about the architecture.

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_architecture_names_every_module_on_its_floor() -> None:
    table = ARCHITECTURE.partition("## Floors")[2].partition("Three contracts")[0]
    rows = [row.split("|")[2] for row in re.findall(r"^\| .*$", table, re.MULTILINE)[2:]]
    floors = [re.findall(r"`(\w+)`", row) for row in reversed(rows)]
    assert sorted(name for floor in floors for name in floor) == sorted(ORDER)
    numbers = {name: number for number, floor in enumerate(floors) for name in floor}
    heights = [numbers[name] for name in ORDER]
    assert heights == sorted(heights)


def test_architecture_names_files_that_exist() -> None:
    paths = re.findall(r"`((?:zoo|tests|recipes|docs)/[\w/]+(?:\.\w+)?/?)`", ARCHITECTURE)
    assert len(paths) > 40
    for path in paths:
        assert (ROOT / path.replace("NAME", "sentiment")).exists(), path
    for module, name in re.findall(r"`(zoo(?:\.\w+)*)\.(\w+)`", ARCHITECTURE):
        assert hasattr(importlib.import_module(module), name) or importlib.import_module(f"{module}.{name}")


def test_drawing_is_that_of_the_script() -> None:
    sys.path.insert(0, str(ROOT / "docs" / "drawings"))
    try:
        drawing = importlib.import_module("architecture").draw()
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8") == drawing


# The site.


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    directory = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)]
    start = time.perf_counter()
    build = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert build.returncode == 0, build.stderr
    size = sum(file.stat().st_size for file in directory.rglob("*"))
    print(f"site: {time.perf_counter() - start:.0f} seconds, {size / 1e6:.1f} MB")
    assert size < LARGEST_SITE
    return directory


class _Page(HTMLParser):
    """Collects what a page of the site loads, where it links to, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.anchors |= {attributes[name] or "" for name in ("id", "name") if name in attributes}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"] or "")
        elif attributes.get("rel") not in ("canonical", "next", "prev"):
            self.loads += [attributes[name] or "" for name in ("src", "href", "data") if attributes.get(name)]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path) for path in site.rglob("*.html")}


@pytest.mark.slow
def test_site_has_every_public_name(pages: dict[Path, _Page]) -> None:
    """An entry of the reference for each line of `public_api.txt` that begins a name."""
    anchors = set.union(*(page.anchors for path, page in pages.items() if path.parent.name == "reference"))
    entries = [get_by_path(anchor) for anchor in anchors if re.fullmatch(r"zoo(\.[a-z_]+)*\.\w+", anchor)]
    module = ""
    for line in test_public_api.FILE.read_text(encoding="utf-8").splitlines()[1:]:
        if line.startswith("zoo"):
            module = line.removesuffix(":")
        elif re.match(r"    \w", line) and not line.startswith("    module "):
            name = re.findall(r"\w+", line.removeprefix("    class "))[0]
            value = get_by_path(f"{module}.{name}")
            if not isinstance(value, ModuleType):
                assert f"{module}.{name}" in anchors or any(value is entry for entry in entries), name


@pytest.mark.slow
def test_entries_have_shapes_and_examples(site: Path) -> None:
    page = (site / "reference" / "layers-gated.html").read_text(encoding="utf-8")
    entry = page.partition('id="zoo.LSTM"')[2].partition('id="zoo.PeepholeLSTM"')[0]
    for part in ("Input shape", "Output shape", "unit_forget_bias", "Call arguments", "TensorShape"):
        assert part in entry


@pytest.mark.slow
def test_tables_of_the_reference_have_whole_summaries(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    rows = [
        re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    ]
    cells = {tuple(html.unescape(re.sub("(?s)<.*?>", "", cell)) for cell in row) for row in rows}
    for name in import_site_code("reference", monkeypatch).public_names():
        assert (name.path, name.summary.replace("`", "")) in cells


@pytest.mark.slow
def test_what_a_function_returns_is_one_item(site: Path) -> None:
    sections = 0
    for page in (site / "reference").glob("*.html"):
        for section in page.read_text(encoding="utf-8").split('doc-section-title">')[1:]:
            if section.startswith(("Returns", "Yields")):
                items = section.partition("</ul>")[0].count("doc-section-item")
                assert items == 1, f"{page}: {section[:500]}"
                sections += 1
    assert sections > 100


@pytest.mark.slow
def test_search_ranks_pages_before_cards_and_the_changelog(site: Path) -> None:
    entries = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    low = {entry["location"].partition("#")[0] for entry in entries if entry.get("boost", 1) < 1}
    assert {"repository/CHANGELOG.html", "repository/saved_models/tagging/1/index.html"} <= low
    assert all(location.startswith("repository/") for location in low)
    assert not any("tags" in entry for entry in entries)  # they would outweigh titles


@pytest.mark.slow
def test_links_lead_to_pages_and_anchors_of_the_site(pages: dict[Path, _Page]) -> None:
    assert len(pages) > 40
    for path, page in pages.items():
        if path.name == "404.html":  # its links are absolute
            continue
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = path.parent / unquote(parts.path) if parts.path else path
            target = target / "index.html" if target.is_dir() else target.resolve()
            assert target.exists(), f"{path}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{path}: {link}"


@pytest.mark.slow
def test_site_loads_nothing_from_elsewhere(pages: dict[Path, _Page], site: Path) -> None:
    for path, page in pages.items():
        for address in page.loads:
            assert not re.match(r"(?:\w+:)?//", address), f"{path}: {address}"
    for file in site.rglob("*.css"):
        text = file.read_text(encoding="utf-8")
        assert not re.findall(r"@import|url\(['\"]?(?:https?:)?//", text), file


@pytest.mark.slow
def test_search_works_without_a_server(site: Path, chromium: tuple[str, str]) -> None:
    titles = {
        entry["title"] for entry in json.loads((site / "search" / "search_index.json").read_text())["docs"]
    }
    assert {"Architecture", "Coming from Keras"} <= titles
    options = webdriver.ChromeOptions()
    options.binary_location, driver = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        browser.get((site / "index.html").as_uri())
        browser.find_element(By.CSS_SELECTOR, "input.md-search__input").send_keys("peephole")
        found = WebDriverWait(browser, 60).until(
            lambda browser: browser.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
        )
        assert any("PeepholeLSTM" in link.get_attribute("href") for link in found)
        assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    finally:
        browser.quit()
