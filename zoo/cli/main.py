"""The command `zoo`. It imports TensorFlow only for what needs it, after it has checked its arguments."""

import logging
import os
import re
import runpy
import sys
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from zoo.card import describe_headline, format_page, get_summary, read_card
from zoo.cli.errors import EXIT_CODES, end_by_signals, exit_on_user_error
from zoo.cli.evaluate import EvaluateOptions, run_evaluate
from zoo.cli.predict import PredictOptions, run_predict
from zoo.cli.types import PARSING, ModelName, Port, Several, format_default
from zoo.errors import UsageError, ZooError
from zoo.manifest import has_manifest, write_manifest
from zoo.model_store import find_model, get_models_dir, list_models
from zoo.paths import abbreviate_path, expand_paths


@dataclass(frozen=True)
class Store:
    """Where models are looked for."""

    models: Path | None = None  # directory of <name>/<version>; None: ZOO_MODELS, else that of the checkout


StoreOption = Annotated[Store, tyro.conf.OmitArgPrefixes]


@dataclass(frozen=True)
class List:
    """List the models with score, size and license."""

    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print what each model does, and below it its score and its license."""
        models_dir = get_models_dir(self.model_store.models)
        models = list_models(models_dir)
        width = max(map(len, models))
        for name, path in models.items():
            summary, *details = describe_model(path)
            print(f"{name:{width}}  {path.name:>2}  {summary}")
            for detail in details:
                print(f"{'':{width}}      {detail}")
        print(f"\nin {models_dir}; next: zoo show NAME, or zoo predict NAME INPUT", file=sys.stderr)


@dataclass(frozen=True)
class Show:
    """Show the card of a model: what it does, how well, and what it was trained on."""

    name: ModelName  # name of a model, or directory of an export or a run
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print the card as a page."""
        directory = find_model(self.name, self.model_store.models)
        print(format_page(read_card(directory), has_metadata=False), end="")


@dataclass(frozen=True)
class Predict:
    """Predict with a model: texts, images or videos in, predictions out.

    Exit codes: 0, every input has an answer; 1, some have none or were read in part, and the messages name them; 2,
    nothing was predicted because of an option, a file or the model.
    """

    name: ModelName  # name of a model, or directory of an export or a run
    prediction: Annotated[PredictOptions, tyro.conf.OmitArgPrefixes] = field(default_factory=PredictOptions)
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print the predictions."""
        directory = find_model(self.name, self.model_store.models)
        options = expand_paths(self.prediction)
        options.check(read_card(directory)["input_kind"])
        from zoo.serving.loading import load

        with end_by_signals():
            run_predict(load(directory), options)


@dataclass(frozen=True)
class Evaluate:
    """Score a model on a table of your own: texts or images, with the answers that they should have.

    Exit codes: 0, every input has an answer; 1, some have none or were read in part, and the messages name them; 2,
    nothing was scored because of an option, the table or the model.
    """

    name: ModelName  # name of a model, or directory of an export or a run
    evaluation: Annotated[EvaluateOptions, tyro.conf.OmitArgPrefixes]
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print the scores."""
        directory = find_model(self.name, self.model_store.models)
        options = expand_paths(self.evaluation)
        options.check(read_card(directory)["input_kind"])
        from zoo.serving.loading import load

        with end_by_signals():
            run_evaluate(load(directory), options)


@dataclass(frozen=True)
class Verify:
    """Check that models are as they were exported: their files, cards, pages and predictions.

    This finds damage. To find forgery, too, compare the digest of a model with one that was published elsewhere.

    Exit codes: 0, all models are as they were exported; 1, some are not; 2, an option cannot be used.
    """

    names: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="[NAME ...]", help_behavior_hint=format_default),
    ] = ()
    """names of models, or directories of exports or runs; without any, all models"""
    digest: str | None = None  # SHA-256 of SHA256SUMS, as published, to compare the one model with
    add_manifest: bool = False
    """write SHA256SUMS for a model of an earlier version, which has none, if everything else is as it should be"""
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Print a line for each model; exit with 1 if one has changed."""
        if self.digest is not None:
            if len(self.names) != 1:
                raise UsageError("--digest is that of one model. Name one model.")
            if not re.fullmatch("[0-9a-fA-F]{64}", self.digest):
                raise UsageError(
                    f"--digest: got {self.digest:.80}. Expected 64 hexadecimal digits. Correct it."
                )
        names = self.names or tuple(list_models(get_models_dir(self.model_store.models)))
        results = [self._verify(name) for name in dict.fromkeys(names)]
        if not all(results):
            sys.exit(1)

    def _verify(self, name: str) -> bool:
        """Print a line for a model; return whether it is as it was exported."""
        try:
            path = find_model(name, self.model_store.models)
            from zoo.serving.verification import verify

            problems, summary = verify(path, self.digest and self.digest.lower())
            if self.add_manifest and not problems and not has_manifest(path):
                summary += f": wrote it, with the digest {write_manifest(path)}"
        except ZooError as error:
            problems, summary = [str(error)], ""
        print(f"{abbreviate_path(name)}: {'; '.join(problems) or summary}", flush=True)
        return not problems


@dataclass(frozen=True)
class Demo:
    """Serve a local page on which to try the models."""

    port: Port = 8000  # port of the page
    host: str = "127.0.0.1"
    """address to listen at; the default lets in this machine alone, 0.0.0.0 others, too"""
    allow_host: Several[str] = ()  # further names of this machine by which the page is opened
    model_store: StoreOption = field(default_factory=Store)

    def run(self) -> None:
        """Serve until Ctrl-C."""
        models = list_models(get_models_dir(self.model_store.models))
        from zoo.serving.page import PageServer

        shown = {}
        for name, path in models.items():
            try:
                if read_card(path)["input_kind"] != "array":  # features cannot be sent from a page
                    shown[name] = path
            except UsageError as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
        with PageServer(shown, self.host, self.port, self.allow_host) as server:

            def announce() -> None:
                print(f"{', '.join(server.models)}: {server.url}  (Ctrl-C ends)", flush=True)
                if not server.is_local:
                    print("Everyone who reaches this machine can use the models.", flush=True)

            def report_problems() -> None:
                for name, problem in server.problems.items():
                    print(f"{name} is left out: {problem}", file=sys.stderr)

            server.serve_forever(on_loaded=report_problems, on_ready=announce)


def list_recipes() -> dict[str, Path]:
    """Return the scripts of the recipes by name."""
    spec = find_spec("zoo.recipes")
    directories = spec.submodule_search_locations if spec else None
    scripts = (path for directory in directories or () for path in Path(directory).glob("*.py"))
    return {path.stem: path for path in sorted(scripts) if not path.stem.startswith("_")}


@dataclass(frozen=True)
class Train:
    """Run a recipe; its settings follow its name, and `zoo train NAME --help` lists them."""

    recipe: Annotated[ModelName, tyro.conf.arg(metavar="RECIPE", help=f"one of {', '.join(list_recipes())}")]

    def run(self) -> None:
        """Run the recipe with its default settings."""
        run_recipe(self.recipe, [])


def describe_model(directory: Path) -> list[str]:
    """Return size and summary of a model, its score and its license; of one without a readable card, what is wrong."""
    try:
        card = read_card(directory)
    except UsageError as error:
        size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
        return [f"{size / 1e6:5.1f} MB  {error}"]
    license = f"License: {card['license']}" if card["license"] else ""
    first = f"{card['size_bytes'] / 1e6:5.1f} MB  {get_summary(card)}"
    return [first, *filter(None, (describe_headline(card), license))]


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
    if sys.stderr is None:  # closed by the caller; `print` would write messages among the predictions
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    logging.basicConfig(format="%(message)s")
    logging.getLogger("zoo").setLevel(logging.INFO)
    arguments = sys.argv[1:]
    with exit_on_user_error():
        if arguments[:1] == ["train"] and arguments[1:] and not arguments[1].startswith("-"):
            run_recipe(arguments[1], arguments[2:])
        else:
            commands = List | Show | Predict | Evaluate | Verify | Demo | Train
            tyro.cli(commands, prog="zoo", args=arguments, description=EXIT_CODES, config=PARSING).run()
