"""The notebooks of the lecture on the site: they can be downloaded alone, and have outputs if they are executed."""

import base64
import re
from pathlib import Path

import nbclient
import nbformat
from nbformat import NotebookNode

DRAWING = re.compile(r"(?<=\]\()([^):]+\.svg)(?=\))")


def execute_notebook(path: Path) -> NotebookNode:
    """Read a notebook and run its cells in its directory.

    Args:
        path: the `.ipynb`. The file does not change.

    Returns:
        The notebook with the outputs of its cells. The code of folded solutions is not run.
    """
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", record_timing=False)
    return client.execute(cwd=str(path.parent))


def make_download(notebook: NotebookNode, directory: Path) -> str:
    """Put the drawings into a notebook, so that it needs no other file.

    Drawings are data URIs: JupyterLab shows no attachments in SVG.

    Args:
        notebook: a notebook, with outputs or without. It does not change.
        directory: that of the `.ipynb`, from which paths of drawings start.

    Returns:
        The text of the `.ipynb`.
    """

    def embed(match: re.Match[str]) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode((directory / match[1]).read_bytes()).decode()

    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = DRAWING.sub(embed, cell.source)
    return nbformat.writes(notebook)


def make_page(notebook: NotebookNode, name: str) -> tuple[str, dict[str, bytes]]:
    """Write a page that shows the cells of a notebook with their outputs.

    Args:
        notebook: an executed notebook.
        name: that of the page, with which the names of its figures begin.

    Returns:
        The Markdown of the page, and its figures by file name.
    """
    parts: list[str] = []
    figures: dict[str, bytes] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                file = f"{name}-{len(figures) + 1}.png"
                figures[file] = base64.b64decode(data["image/png"])
                parts.append(f"![What the code above draws]({file}){{ .output }}")
            else:
                text = output.text if output.output_type == "stream" else data["text/plain"]
                parts.append(f"``` {{ .text .output .no-copy }}\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n", figures
