"""The command line of the zoo: python -m zoo, or zoo."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from zoo.cli.errors import exit_on_user_error
from zoo.cli.predict import Asked, Question, ask
from zoo.cli.types import Port
from zoo.errors import UsageError
from zoo.serving.loading import load
from zoo.serving.model_store import find_model, models, models_directory, read_card
from zoo.serving.page import serve_page
from zoo.serving.verification import verify

HEADLINES = {  # of each kind of model the figure by which papers compare them
    "label": "test accuracy",
    "probabilities": "test accuracy",
    "captions": "test BLEU-4",
    "tags": "test transition f1",
    "translations": "test BLEU",
}


@dataclass(frozen=True)
class Shelf:
    """Where models are looked for."""

    models: Path | None = None  # folder of <name>/<version>; else ZOO_MODELS, else that of the checkout


Where = Annotated[Shelf, tyro.conf.OmitArgPrefixes]
Name = tyro.conf.Positional[str]


@dataclass(frozen=True)
class List:
    """Show the models with score and size."""

    where: Where = field(default_factory=Shelf)

    def run(self) -> None:
        """Print a line for each."""
        folder = models_directory(self.where.models)
        found = models(folder)
        width = max(map(len, found))
        for name, path in found.items():
            facts = facts_of(path)
            score, value = headline(facts)
            size = f"{facts['size_bytes'] / 1e6:5.1f} MB"
            print(f"{name:{width}}  {path.name:>2}  {score:>18} {value:6.2f}  {size}  {facts['summary']}")
        print(f"\nin {folder}; next: zoo show NAME, or zoo predict NAME INPUT", file=sys.stderr)


@dataclass(frozen=True)
class Show:
    """Show the card of a model: what it does, how well, and what it was made of."""

    name: Name  # the name of a model, or the folder of an export
    where: Where = field(default_factory=Shelf)

    def run(self) -> None:
        """Print the page that its export wrote."""
        page = find_model(self.name, self.where.models) / "README.md"
        if not page.exists():
            raise UsageError(f"{page.parent} has no card. Export the model anew.")
        print(page.read_text(encoding="utf-8"), end="")


@dataclass(frozen=True)
class Predict:
    """Ask a model: texts, pictures or videos in, answers out."""

    name: Name  # the name of a model, or the folder of an export
    question: Asked = field(default_factory=Question)
    where: Where = field(default_factory=Shelf)

    def run(self) -> None:
        """Print the answers."""
        ask(load(self.name, self.where.models), self.question)


@dataclass(frozen=True)
class Verify:
    """Check that files are as their cards say, and that models answer as they did when they were exported."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()  # names of models; none: all of them
    where: Where = field(default_factory=Shelf)

    def run(self) -> None:
        """Print a line for each; exit with 1 if one is not as it was."""
        names = self.names or tuple(models(models_directory(self.where.models)))
        wrong = 0
        for name, path in {name: find_model(name, self.where.models) for name in names}.items():
            try:
                problems, said = verify(path)
            except UsageError as error:
                problems = [str(error)]
            wrong += bool(problems)
            print(f"{name}: {'; '.join(problems) if problems else said}", flush=True)
        if wrong:
            sys.exit(1)


@dataclass(frozen=True)
class Demo:
    """Open a local page on which to try the models."""

    port: Port = 8000  # of the page
    host: str = "127.0.0.1"  # this machine alone; 0.0.0.0 lets others in
    where: Where = field(default_factory=Shelf)

    def run(self) -> None:
        """Serve until Ctrl-C."""
        folder = models_directory(self.where.models)
        serve_page({name: load(path) for name, path in models(folder).items()}, self.host, self.port)


def facts_of(folder: Path) -> dict[str, Any]:
    """The facts on a model's card; of a model without one that can be read its size alone."""
    try:
        facts, summary = read_card(folder), "It has no card."
    except UsageError as error:
        facts, summary = {}, str(error)
    if facts:
        return facts
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {"size_bytes": size, "summary": summary, "figures": {}, "signatures": {}}


def headline(facts: dict[str, Any]) -> tuple[str, float]:
    """The figure to compare a model by, which is that of its kind."""
    gives = facts["signatures"].get("serving_default", {}).get("gives", {})
    wanted = next((figure for output, figure in HEADLINES.items() if output in gives), "")
    figures = facts["figures"]
    # Where several models were compared, the last one is that which was exported.
    of_kind = [value for name, value in figures.items() if name.startswith(f"{wanted}, ")]
    found = figures.get(wanted, of_kind[-1] if of_kind else None)
    return (wanted, found) if wanted and found is not None else ("no score", float("nan"))


def main() -> None:
    """Run what the command line asks for."""
    with exit_on_user_error():
        tyro.cli(List | Show | Predict | Verify | Demo, prog="zoo").run()


if __name__ == "__main__":
    main()
