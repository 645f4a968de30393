"""Time from a command to its output, of every command that needs no TensorFlow, and of one that does.

python benchmarks/startup.py

Each round runs every command once, in a fresh process. The table has the medians over the rounds, and whether
the command imported TensorFlow.
"""

import re
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Command:
    """A command line, and what it must give."""

    line: str
    exit_code: int
    output: str  # words of what it prints, to standard output or standard error
    needs_tensorflow: bool = False


COMMANDS = (
    Command("zoo --help", 0, "predict"),
    Command("zoo list", 0, "translation"),
    Command("zoo show sentiment", 0, "Limits"),
    *(
        Command(f"zoo {name} --help", 0, "--help")
        for name in ("list", "show", "predict", "verify", "demo", "train")
    ),
    Command("zoo lisst", 2, "list"),
    Command("zoo list --model x", 2, "--models"),
    Command("zoo list --models nowhere", 2, "nowhere"),
    Command("zoo show sentimnet", 2, "sentiment"),
    Command("zoo verify sentimnet", 1, "sentiment"),
    Command("zoo predict sentimnet text", 2, "sentiment"),
    Command("zoo predict runs/nowhere text", 2, "nowhere"),
    Command("zoo predict sentiment --top-k 0 text", 2, "at least 1"),
    Command("zoo predict sentiment --file nowhere.txt", 2, "nowhere.txt"),
    Command("zoo predict sentiment --plot nowhere/plot.png text", 2, "nowhere"),
    Command("zoo predict sentiment --plot plot.wrong text", 2, "plot.wrong"),
    Command("zoo demo --port 70000", 2, "65535"),
    Command("zoo train sentimnet", 2, "sentiment"),
    Command("zoo predict sentiment 'A moving story.'", 0, "pos", needs_tensorflow=True),
)


@dataclass(frozen=True)
class Settings:
    """Time the start of the command `zoo`."""

    rounds: int = 5


def run(command: Command, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a fresh process.

    Args:
        command: what to run.
        *options: options of Python itself.
    """
    line = [sys.executable, *options, "-m", "zoo_command", *shlex.split(command.line)[1:]]
    return subprocess.run(line, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def imports_tensorflow(command: Command) -> bool:
    """Whether a command imports TensorFlow."""
    return bool(re.search(r"\| +tensorflow$", run(command, "-X", "importtime").stderr, re.MULTILINE))


def measure(settings: Settings) -> None:
    """Print a table of commands."""
    seconds: dict[Command, list[float]] = {command: [] for command in COMMANDS}
    for _ in range(settings.rounds):
        for command in COMMANDS:
            start = time.perf_counter()
            completed = run(command)
            seconds[command].append(time.perf_counter() - start)
            if completed.returncode != command.exit_code:
                sys.exit(
                    f"{command.line} ended with {completed.returncode} instead of "
                    f"{command.exit_code}:\n{completed.stderr}"
                )
    print("| command | seconds | imports TensorFlow |\n| --- | --- | --- |")
    for command in COMMANDS:
        imported = "yes" if imports_tensorflow(command) else "no"
        print(f"| `{command.line}` | {statistics.median(seconds[command]):.2f} | {imported} |")


if __name__ == "__main__":
    measure(tyro.cli(Settings))
