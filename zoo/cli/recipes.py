"""The command line that all recipes share: train by default, or predict; and what their cards share."""

import json
import logging
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tyro

from zoo.cli.errors import exit_on_user_error
from zoo.cli.predict import Asked, Question, ask
from zoo.errors import UsageError
from zoo.serving.loading import load
from zoo.tasks import Program
from zoo.training import distribution_scope


@dataclass(frozen=True)
class Query:
    """Ask a trained model."""

    model: str  # a shipped model by its name, or the folder of an export
    question: Asked = field(default_factory=Question)


def main(train: Callable[[Any], None], settings: type, model: str, kind: type[Program]) -> None:
    """Run `train` with settings from the command line; or, after the word `predict`, ask a model.

    Args:
        train: the recipe.
        settings: its settings, a dataclass.
        model: the one to ask where none is named.
        kind: of the models that the recipe makes.
    """
    arguments = sys.argv[1:]
    program = Path(sys.argv[0]).name
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger("zoo").setLevel(logging.INFO)
    with exit_on_user_error():
        if arguments[:1] == ["predict"]:
            query = tyro.cli(Query, args=arguments[1:], prog=f"{program} predict", default=Query(model))
            found = load(query.model)
            if not isinstance(found, kind):
                raise UsageError(
                    f"{query.model} gives {found.output}; expected {kind.output}. By --model name a model "
                    "that this recipe exported."
                )
            ask(found, query.question)
        else:
            chosen = tyro.cli(settings, args=arguments, prog=program)
            with distribution_scope():
                train(chosen)


def ended(
    recipe: str, export: Path, examples: Sequence[Any], names: Sequence[str], following: str | None
) -> None:
    """Show what an export says of examples, and what to type next.

    Args:
        recipe: its name.
        export: the model.
        examples: some inputs.
        names: what to call them.
        following: the input to name in the next command; None where the command line takes none.
    """
    print(f"\nexported to {export}")
    for name, answer in zip(names, load(export).predict(examples), strict=True):
        print("\n".join(answer.lines(name, best=1)))
    if following is None:
        print(f"\nnext: zoo show {shlex.quote(str(export))}")
    else:
        quoted = [shlex.quote(str(word)) for word in (export, following)]
        print(f"\nnext: python {_run_by(recipe)} predict --model {' '.join(quoted)}")


def _run_by(recipe: str) -> str:
    """What Python is to run: the recipe's script, or its module where a wheel is installed."""
    main = sys.modules["__main__"].__spec__
    return f"-m {main.name}" if main and main.name == f"recipes.{recipe}" else f"recipes/{recipe}.py"


def recorded(settings: Any, *others: str) -> dict[str, str]:
    """The settings that make a run what it is: not where things lie or what is said of them, nor `others`."""
    elsewhere = ("data_dir", "folder", "export", "credit", "license", "examples", *others)
    kept = {name: value for name, value in asdict(settings).items() if name not in elsewhere}
    return {
        name: " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in kept.items()
    }


def minutes(start: float, folders: Iterable[Path]) -> float:
    """Minutes since `start`, of `time.time`, and of the epochs of earlier processes in the runs' folders."""
    logs = [log.read_text("utf-8") for log in (folder / "log.jsonl" for folder in folders) if log.exists()]
    lines = [json.loads(line) for log in logs for line in log.splitlines()]
    timings = [line["timing"] for line in lines if line["kind"] == "epoch"]
    return (time.time() - start + sum(t["seconds"] for t in timings if t["wall_time"] < start)) / 60


def reported(figures: Mapping[str, float]) -> dict[str, float]:
    """Print what was measured, and give it as the card has it."""
    # Two decimals; of small ones, such as learning rates, two digits.
    shown = {name: f"{value:{'.2g' if 0 < abs(value) < 0.1 else '.2f'}}" for name, value in figures.items()}
    width = max(map(len, figures)) + 2
    print("\n" + "\n".join(f"{name:{width}}{value:>10}" for name, value in shown.items()))
    return {name: float(value) for name, value in shown.items()}


def origin(settings: Any, data: Any) -> dict[str, Any]:
    """What every card tells of how a model came to be; of data with source, notes, citation and license."""
    return {
        "data": " ".join([f"{data.source}.", *data.notes, settings.credit or data.citation]).strip(),
        "license": settings.license or data.license or "not stated",
        "command": f"python {_run_by(Path(sys.argv[0]).stem)} {shlex.join(sys.argv[1:])}".strip(),
        "settings": recorded(settings),
    }
