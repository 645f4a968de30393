"""Each recipe goes on with more epochs, and refuses fewer epochs and other data."""

import dataclasses
import importlib
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from exports import save_time
from test_fingerprint import write_book, write_features, write_pairs, write_pictures, write_texts

from zoo.errors import TrainingError

pytestmark = pytest.mark.slow

SMALL = {"units": 4, "batch_size": 4}
PLAIN_TRANSLATION = {
    "baseline": False,
    "cell": "simple_rnn",
    "decoder_depth": 1,
    "attention": "none",
    "no_repeat_ngram_size": 0,  # otherwise chosen, as the next one, with a search for each candidate
    "repetition_penalty": 1.0,
}
RECIPES: dict[str, tuple[Callable[[Path], Any], str, dict[str, Any]]] = {
    "sentiment": (write_texts, "train/pos/11.txt", {"embedding_dim": 4, **SMALL}),
    "translation": (write_pairs, "valid.de", {"embedding_dim": 4, **SMALL, **PLAIN_TRANSLATION}),
    "captioning": (write_pictures, "captions.tsv", {"embedding_dim": 4, "image_size": 32, **SMALL}),
    "tagging": (write_features, "3.csv", {"window": 4, "vector_dim": 4, **SMALL}),
    "language_model": (write_book, "book.txt", {"steps": 4, **SMALL}),
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_goes_on_with_more_epochs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, changed, options = RECIPES[name]
    recipe = importlib.import_module(f"zoo.recipes.{name}")
    write(tmp_path / "data")
    dataset: Any = tmp_path / "data" / ("book.txt" if name == "language_model" else "")
    paths = {"run_dir": tmp_path / "run", "export_dir": tmp_path / "export"}
    settings = recipe.Settings(
        dataset=(str(dataset),)
        if name == "translation"
        else dataset
        if name == "language_model"
        else str(dataset),
        epochs=2,
        **paths,
        **options,
    )

    def train(**changes: Any) -> str:
        monkeypatch.setattr(
            "sys.argv", [recipe.__file__, *(f"--{key}={value}" for key, value in changes.items())]
        )
        with save_time(), redirect_stdout(StringIO()) as printed:
            recipe.train(dataclasses.replace(settings, **changes))
        return printed.getvalue()

    train()
    assert "epoch 3/3" not in train()
    printed = train(epochs=3)
    assert "epoch 3/3" in printed
    assert "epoch 2/3" not in printed
    card = json.loads((tmp_path / "export" / "card.json").read_text(encoding="utf-8"))
    assert card["best_epoch"]["num_epochs"] == 3
    assert card["settings"]["epochs"] == 3
    assert card["command"] == f"zoo train {name} && zoo train {name} --epochs=3"
    with pytest.raises(TrainingError, match="can be raised, not lowered"):
        train(epochs=2)
    path = tmp_path / "data" / changed
    path.write_text(
        path.read_text(encoding="utf-8").replace("1", "2").replace("two", "six"), encoding="utf-8"
    )
    with pytest.raises(
        TrainingError, match=rf"(?s)a run with other data:\n.*  \S*\{path.suffix}: was .* bytes, SHA-256"
    ):
        train(epochs=3)
