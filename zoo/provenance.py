"""What a result was made with: versions, commit and command."""

import platform
import shlex
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import keras
import tensorflow as tf


def get_versions() -> dict[str, str]:
    """Return the versions of Python, rnn-zoo, TensorFlow and Keras, by package name."""
    return {
        "python": platform.python_version(),
        "rnn-zoo": version("rnn-zoo"),
        # Not of the distributions, which may be tf-nightly and keras-nightly.
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def get_commit() -> str:
    """Return the Git commit of the checkout that contains this library.

    Returns:
        The full hash, with the suffix " with changes" if tracked files differ from it; "unknown" outside of a
        checkout, or without Git.
    """
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True
        )
    except FileNotFoundError:
        return "unknown"
    if head.returncode:
        return "unknown"
    return head.stdout.strip() + (" with changes" if changes.stdout else "")


def get_command() -> str:
    """Return the command line of this process, quoted for a shell on this machine."""
    return shlex.join(sys.orig_argv)


def get_portable_command() -> str:
    """Return the command line of this process for another machine, without the paths of this one.

    Returns:
        `zoo train NAME ...` for a recipe, else `python SCRIPT ...`.
    """
    script, *arguments = sys.argv
    path = Path(script)
    return _get_recipe_command() or shlex.join(
        ["python", path.name if path.is_absolute() else script, *arguments]
    )


def get_resume_command() -> str:
    """Return the command to type on this machine to continue: `zoo train NAME ...` for a recipe."""
    return _get_recipe_command() or get_command()


def _get_recipe_command() -> str:
    """Return the command line of this process as `zoo train NAME ...`; empty if it is no recipe."""
    script, *arguments = sys.argv
    path = Path(script)
    recipes = find_spec("zoo.recipes")
    directories = recipes.submodule_search_locations if recipes else None
    if any(path.resolve().parent == Path(directory).resolve() for directory in directories or ()):
        return shlex.join(["zoo", "train", path.stem, *arguments])
    return ""
