"""What a result was made with: the versions, the commit and the command."""

import platform
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path


def versions() -> dict[str, str]:
    """The versions of Python, of this library, and of what it stands on."""
    packages = ("rnn-zoo", "tensorflow", "keras")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def commit() -> str:
    """The commit of the checkout that this library lies in, if it lies in one."""
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


def command() -> str:
    """The command line of this process, as it would be typed again."""
    return shlex.join(sys.orig_argv)
