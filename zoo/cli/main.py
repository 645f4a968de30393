"""The command `zoo`. It imports TensorFlow only for what needs it, after it has checked its arguments."""

import logging
import runpy
import sys
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from zoo.card import PAGE, get_headline, read_card
from zoo.cli.errors import exit_on_user_error
from zoo.cli.predict import PredictOptions, run_predict
from zoo.cli.types import Port
from zoo.errors import UsageError
from zoo.serving.model_store import find_model, get_models_dir, list_models


@dataclass(frozen=True)
class Store:
    """Where models are looked for."""

    models: Path | None = None  # directory of <name>/<version>; default ZOO_MODELS, else the checkout's


StoreOption = Annotated[Store, tyro.conf.OmitArgPrefixes]
Name = tyro.conf.Positional[str]


@dataclass(frozen=True)
class List:
    """List the models with score and size."""

    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print a line for each model."""
        models_dir = get_models_dir(self.model_store.models)
        models = list_models(models_dir)
        width = max(map(len, models))
        for name, path in models.items():
            print(f"{name:{width}}  {path.name:>2}  {summarize(path)}")
        print(f"\nin {models_dir}; next: zoo show NAME, or zoo predict NAME INPUT", file=sys.stderr)


@dataclass(frozen=True)
class Show:
    """Show the card of a model: what it does, how well, and what it was trained on."""

    name: Name  # name of a model, or directory of an export
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print the page that the export wrote."""
        page = find_model(self.name, self.model_store.models) / PAGE
        if not page.exists():
            raise UsageError(f"{page.parent} has no {PAGE}. Restore the file, or export the model again.")
        print(page.read_text(encoding="utf-8"), end="")


@dataclass(frozen=True)
class Predict:
    """Predict with a model: texts, images or videos in, predictions out."""

    name: Name  # name of a model, or directory of an export
    prediction: Annotated[PredictOptions, tyro.conf.OmitArgPrefixes] = field(default_factory=PredictOptions)
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print the predictions."""
        directory = find_model(self.name, self.model_store.models)
        self.prediction.check(read_card(directory).get("input_kind", "text"))
        from zoo.serving.loading import load

        run_predict(load(directory), self.prediction)


@dataclass(frozen=True)
class Verify:
    """Check that the files of models are as on their cards, and their predictions, too."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()  # names of models; without any, all models
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print a line for each model; exit with 1 if one has changed."""
        names = self.names or tuple(list_models(get_models_dir(self.model_store.models)))
        paths = {name: find_model(name, self.model_store.models) for name in names}
        from zoo.serving.verification import verify

        has_problems = False
        for name, path in paths.items():
            try:
                problems, summary = verify(path)
            except UsageError as error:
                problems, summary = [str(error)], ""
            has_problems |= bool(problems)
            print(f"{name}: {'; '.join(problems) or summary}", flush=True)
        if has_problems:
            sys.exit(1)


@dataclass(frozen=True)
class Demo:
    """Open a local page on which to try the models."""

    port: Port = 8000  # port of the page
    host: str = "127.0.0.1"  # this machine alone; 0.0.0.0 lets other machines in
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Serve until Ctrl-C."""
        models = list_models(get_models_dir(self.model_store.models))
        from zoo.serving.loading import load
        from zoo.serving.page import start_server

        # An array of features cannot be sent from a page.
        paths = {name: path for name, path in models.items() if read_card(path).get("input_kind") != "array"}
        predictors = {name: load(path) for name, path in paths.items()}
        with start_server(predictors, self.host, self.port) as server:
            print(f"{', '.join(predictors)}: {server.url}  (Ctrl-C ends)", flush=True)
            if not server.is_local:
                print("Everyone who reaches this machine can use the models.", flush=True)
            server.serve_forever()


def list_recipes() -> dict[str, Path]:
    """Return the scripts of the recipes by name."""
    spec = find_spec("zoo.recipes")
    directories = spec.submodule_search_locations if spec else None
    scripts = (path for directory in directories or () for path in Path(directory).glob("*.py"))
    return {path.stem: path for path in sorted(scripts) if not path.stem.startswith("_")}


@dataclass(frozen=True)
class Train:
    """Run a recipe; its settings follow its name, and `zoo train NAME --help` lists them."""

    recipe: Annotated[Name, tyro.conf.arg(help=f"one of {', '.join(list_recipes())}")]

    def run(self) -> None:
        """Run the recipe with its default settings."""
        run_recipe(self.recipe, [])


def summarize(directory: Path) -> str:
    """Return score, size and summary of a model on one line; of a model without a card, its size."""
    try:
        card, problem = read_card(directory), "It has no card."
    except UsageError as error:
        card, problem = {}, str(error)
    headline = get_headline(card)
    score = f"{headline[0]:>18} {headline[1]:6.2f}" if headline else f"{'no score':>18} {'':6}"
    size = card.get("size_bytes")
    if size is None:
        size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
    return f"{score}  {size / 1e6:5.1f} MB  {card.get('summary', problem)}"


def run_recipe(name: str, arguments: list[str]) -> None:
    """Run a recipe as a script.

    Raises:
        UsageError: there is no such recipe.
    """
    recipes = list_recipes()
    if name not in recipes:
        close = get_close_matches(name, recipes, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Expected one of {', '.join(recipes)}."
        raise UsageError(f"There is no recipe {name!r}. {hint}")
    sys.argv = [str(recipes[name]), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def main() -> None:
    """Run the command line of `zoo`."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("zoo").setLevel(logging.INFO)
    arguments = sys.argv[1:]
    with exit_on_user_error():
        if arguments[:1] == ["train"] and arguments[1:] and not arguments[1].startswith("-"):
            run_recipe(arguments[1], arguments[2:])
        else:
            tyro.cli(List | Show | Predict | Verify | Demo | Train, prog="zoo", args=arguments).run()
