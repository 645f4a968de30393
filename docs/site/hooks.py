"""Hooks of the documentation site: pages that are generated, and links that leave `docs`."""

import re
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))  # hooks are no package
from notebooks import execute_notebook, make_download, make_page
from reference import PAGES, make_pages, public_names

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"""(?:(?<=\]\()|(?<=src="))(?!https?:|mailto:|#)([^)"\s#]+)(#[^)"\s]*)?(?=[)"])""")
NAME = re.compile(r"(?<![\[`])`(zoo(?:\.\w+)+)`(?!\])")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the pages of the API reference to the navigation."""
    (reference,) = (section for section in config.nav or () if "API reference" in section)
    reference["API reference"] = ["reference/index.md", *(f"reference/{page.file}.md" for page in PAGES)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the API reference, all files outside of `docs` that pages link to, and what notebooks draw."""
    for uri, text in make_pages().items():
        files.append(File.generated(config, uri, content=text))
    pages = [ROOT / "docs" / file.src_uri for file in files.documentation_pages() if not file.generated_by]
    while pages:
        for path in find_links(pages.pop()):
            uri = get_uri(path)
            if files.get_file_from_path(uri) is None:
                files.append(make_file(path, uri, config))
                pages += [path] if path.suffix == ".md" else []
    for path in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        add_notebook(path, files, config)
    return files


def add_notebook(path: Path, files: Files, config: MkDocsConfig) -> None:
    """Replace the download of a notebook, and its page if the notebooks are executed."""
    uri = PurePosixPath(get_uri(path))
    if config.extra["execute_notebooks"]:
        notebook = execute_notebook(path)
        page, figures = make_page(notebook, path.stem)
        set_content(files, str(uri.with_suffix(".md")), page)
        for name, content in figures.items():
            files.append(File.generated(config, str(uri.with_name(name)), content=content))
    else:
        notebook = nbformat.read(path, as_version=4)
    set_content(files, str(uri), make_download(notebook, path.parent))


def set_content(files: Files, uri: str, content: str) -> None:
    """Replace the content of a file of the site."""
    file = files.get_file_from_path(uri)
    assert file is not None, uri
    file.content_string = content


def find_links(page: Path) -> list[Path]:
    """Return the files outside of `docs` to which a page links."""
    prose = "".join(FENCE.split(page.read_text(encoding="utf-8"))[::2])
    paths = [Path(normpath(page.parent / target)) for target, _ in LINK.findall(prose)]
    return [path for path in paths if path.is_file() and not path.is_relative_to(ROOT / "docs")]


def get_uri(path: Path) -> str:
    """Return the path on the site of the page for a file of the repository, which keeps its place."""
    if path.is_relative_to(ROOT / "docs"):
        return path.relative_to(ROOT / "docs").as_posix()
    uri = PurePosixPath("repository", path.relative_to(ROOT).as_posix())
    return f"{uri}.md" if uri.suffix in (".py", ".yaml", ".toml") or not uri.suffix else str(uri)


def make_file(path: Path, uri: str, config: MkDocsConfig) -> File:
    """Return the file of the site for a file of the repository: source code becomes a page."""
    if path.suffix == ".md" or not uri.endswith(".md"):
        return File.generated(config, uri, abs_src_path=str(path))
    language = "python" if path.suffix == ".py" else "text"
    code = path.read_text(encoding="utf-8")
    text = f"---\nsearch:\n  exclude: true\n---\n# {path.relative_to(ROOT)}\n\n````{language}\n{code}````\n"
    return File.generated(config, uri, content=text)


def on_page_markdown(markdown: str, page: Any, files: Files, **kwargs: Any) -> str:
    """Point links at the site, link public names to the API reference, and rank pages in the search."""
    uri = page.file.src_uri
    if uri.startswith("repository/"):  # cards and the changelog name almost everything
        page.meta.setdefault("search", {"boost": 0.2})
        page.meta.pop("tags", None)  # those of cards: in a search, a tag counts more than any title
    if uri.startswith("reference/"):
        return markdown
    source = ROOT / uri.removeprefix("repository/") if uri.startswith("repository/") else ROOT / "docs" / uri
    paths = {name.path for name in public_names()}

    def point_at_site(match: re.Match[str]) -> str:
        target = Path(normpath(source.parent / match[1]))
        if target.is_dir():
            target /= "README.md"
        return (relpath(get_uri(target), str(PurePosixPath(uri).parent)) if target.exists() else match[1]) + (
            match[2] or ""
        )

    def link_name(match: re.Match[str]) -> str:
        return f"[`{match[1]}`][{match[1]}]" if match[1] in paths else match[0]

    parts = FENCE.split(markdown)
    for i, part in enumerate(parts[::2]):
        part = LINK.sub(point_at_site, part)
        if not uri.startswith("repository/"):
            part = NAME.sub(link_name, part)
        parts[2 * i] = part.replace("<details>", '<details markdown="1">')
    return "".join(parts)


def on_post_page(output: str, **kwargs: Any) -> str:
    """Give the dialog of the search a name for screen readers, which the theme leaves out."""
    return output.replace('class="md-search"', 'class="md-search" aria-label="Search"', 1)
