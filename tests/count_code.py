"""Counts the lines of code of Python files: without blank lines, comments and docstrings.

python tests/count_code.py                   # the recipes
python tests/count_code.py zoo/tasks/*.py    # any other files
"""

import ast
import io
import sys
import tokenize
from pathlib import Path

RECIPES = Path(__file__).parents[1] / "recipes"
_NO_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


def count_code(source: str) -> int:
    """Count the lines of code of a module.

    Args:
        source: text of the module. A string that is a statement of its own counts as a docstring.
    """
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docstrings)


def recipes() -> list[Path]:
    """The files of the recipes."""
    return [path for path in sorted(RECIPES.glob("*.py")) if path.stem != "__init__"]


def main() -> None:
    """Print the number of each file."""
    for path in map(Path, sys.argv[1:]) if sys.argv[1:] else recipes():
        print(f"{count_code(path.read_text(encoding='utf-8')):5}  {path}")


if __name__ == "__main__":
    main()
