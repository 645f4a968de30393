"""The notebooks of the lecture: pairs are in sync, and all cells and solutions run."""

import re
from pathlib import Path

import jupytext
import jupytext.config
import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.md"))
SOLUTION = re.compile(r"<details><summary>Solution</summary>\n(.*?)</details>", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pairs_are_in_sync(path: Path) -> None:
    """`jupytext --sync docs/notebooks/*.md` brings them in sync. The .ipynb have no outputs: they would grow Git."""
    page, notebook = jupytext.read(path), jupytext.read(path.with_suffix(".ipynb"))
    assert [(cell.cell_type, cell.source) for cell in page.cells] == [
        (cell.cell_type, cell.source) for cell in notebook.cells
    ]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    nbformat.validate(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_jupyter_saves_the_same_page(path: Path) -> None:
    """Jupyter refuses to open a notebook from which another page would be written."""
    config = jupytext.config.load_jupytext_config(str(path))
    notebook = jupytext.read(path.with_suffix(".ipynb"), config=config)
    assert jupytext.writes(notebook, "md", config=config) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_there_are_three_exercises_with_folded_solutions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^### Exercise (\d)", text, re.MULTILINE) == ["1", "2", "3"]
    assert len([solution for solution in SOLUTION.findall(text) if CODE.search(solution)]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_all_cells_and_solutions_run_and_show_a_figure(path: Path) -> None:
    notebook = jupytext.read(path)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            solutions = "".join(SOLUTION.findall(cell.source))
            cells += [nbformat.v4.new_code_cell(code) for code in CODE.findall(solutions)]
    notebook.cells = cells
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=str(path.parent))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in outputs)
