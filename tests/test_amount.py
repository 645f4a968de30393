"""How much the recipes train by default: more often on few examples, and as before on the embedded sets."""

import dataclasses
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from zoo.cli.amount import choose_amount
from zoo.datasets import count_examples
from zoo.datasets.builders import dates, negation, notices
from zoo.recipes import sentiment, translation
from zoo.tasks import get_task, read_ancestor
from zoo.training import Run, choose_batches_and_epochs


def choose(
    num_examples: int, batch_size: int | None = None, epochs: int | None = None, is_pretrained: bool = False
) -> tuple[int, int]:
    settings = SimpleNamespace(batch_size=batch_size, epochs=epochs)
    return choose_batches_and_epochs(num_examples, settings, is_pretrained)


def test_few_examples_get_small_batches_and_many_epochs() -> None:
    sizes = [1, 20, 320, 640, 1_600, 3_200, 6_000, 1_000_000]
    chosen = [choose(size) for size in sizes]
    assert chosen == [(16, 40), (16, 40), (16, 40), (32, 38), (64, 15), (64, 8), (64, 4), (64, 4)]
    for size, (batch_size, epochs) in zip(sizes, chosen, strict=True):
        if size >= 320:
            assert epochs * (size // batch_size) >= 200, size


def test_real_sentences_get_more_epochs() -> None:
    settings = SimpleNamespace(batch_size=None, epochs=None)
    chosen = [choose_batches_and_epochs(size, settings, min_epochs=10) for size in (320, 8_000, 200_000)]
    assert chosen == [(16, 40), (64, 10), (64, 10)]


def test_a_pretrained_model_gets_fewer_epochs() -> None:
    chosen = [choose(size, is_pretrained=True) for size in (20, 320, 2_400, 4_000, 1_000_000)]
    assert chosen == [(16, 10), (16, 10), (64, 10), (64, 6), (64, 4)]
    assert choose(320, epochs=40, is_pretrained=True) == (16, 40)


class _Planned(Exception):
    """Ends a recipe where it would begin to train."""


@pytest.mark.parametrize(
    ("recipe", "task", "purpose"),
    [
        (sentiment, "text_classification", "sentiment for opinions in English"),
        (translation, "translation", "translation for English to German"),
    ],
)
def test_recipes_advise_to_start_few_examples_from_a_trained_model(
    recipe: Any,
    task: str,
    purpose: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    planned = []

    def plan(
        run: Run, name: str, epochs: int, *args: Any
    ) -> None:  # of the baseline, which is the first model
        planned.append((run.settings["epochs"], epochs))
        raise _Planned

    monkeypatch.setattr(Run, "plan_schedule", plan)
    is_translation = recipe is translation
    header = "en,de" if is_translation else "text,label"
    rows = [f"text {i},{'Text' if is_translation else ['neg', 'pos'][i % 2]} {i // 40}" for i in range(400)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    settings = recipe.Settings(
        dataset=(str(path),) if is_translation else str(path), run_dir=tmp_path / "run"
    )
    with pytest.raises(_Planned):
        recipe.train(settings)
    assert (
        f"a trained model, such as --init-from {purpose}; see docs/fine-tuning.md." in capsys.readouterr().out
    )
    ancestor = read_ancestor(get_task(task), Path(purpose.split()[0]))
    with pytest.raises(_Planned):
        recipe.train(dataclasses.replace(settings, init_from=ancestor.directory, **ancestor.model_settings))
    printed = capsys.readouterr().out
    assert "--init-from" not in printed
    assert "The baseline starts from random weights, and gets 40 epochs." in printed
    monkeypatch.setattr(Run, "count_epochs", lambda run, name: 40)
    with pytest.raises(_Planned):  # to go on with more epochs
        recipe.train(
            dataclasses.replace(settings, init_from=ancestor.directory, epochs=20, **ancestor.model_settings)
        )
    assert planned == [(40, 40), (10, 40), (20, 40)]


@pytest.mark.parametrize(
    ("names", "epochs"), [(["dates"], 4), (["dates", "notices"], 4), (["dates", "own"], 10)]
)
def test_generated_pairs_are_learned_sooner(
    names: list[str], epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = []
    for builder in (dates, notices):
        monkeypatch.setattr(builder, "SIZES", {"train": 300, "validation": 20, "test": 20})

    def choose(*args: Any) -> None:
        chosen.append(choose_amount(*args)[1].epochs)
        raise _Planned

    monkeypatch.setattr(translation, "choose_amount", choose)
    monkeypatch.setattr("zoo.training.amount._NUM_PASSED", 0)  # as if there were many
    rows = [f"Number {i}.,Nummer {i}." for i in range(100)]
    (tmp_path / "own.csv").write_text("\n".join(["en,de", *rows]), encoding="utf-8")
    sets = tuple(str(tmp_path / "own.csv") if name == "own" else name for name in names)
    settings = translation.Settings(dataset=sets, data_dir=tmp_path / "data", run_dir=tmp_path / "run")
    with pytest.raises(_Planned):
        translation.train(settings)
    assert chosen == [epochs]


def test_a_thousand_examples_need_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    settings = sentiment.Settings(batch_size=16, epochs=2)
    for size, has_advice in ((999, True), (1_000, False)):
        choose_amount(tf.data.Dataset.range(size), settings, None, "sentiment for opinions in English")
        assert ("--init-from sentiment for opinions" in capsys.readouterr().out) is has_advice


@pytest.mark.parametrize("baseline", [True, False])
def test_epochs_of_a_baseline_are_printed_if_there_is_one(
    baseline: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = translation.Settings()
    ancestor = read_ancestor(get_task("translation"), Path("translation"))
    choose_amount(tf.data.Dataset.range(320), settings, ancestor, "translation", has_baseline=baseline)
    assert ("The baseline starts from random weights" in capsys.readouterr().out) is baseline


@pytest.mark.parametrize("size", [2 * negation.PAIRS["train"], dates.SIZES["train"], notices.SIZES["train"]])
def test_embedded_sets_are_large(size: int) -> None:
    assert choose(size) == (64, 4)


def test_settings_of_the_user_remain(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zoo")
    assert choose(320, batch_size=8, epochs=3) == (8, 3)
    assert not caplog.messages
    assert choose(320, epochs=3) == (16, 3)
    assert choose(320, batch_size=8) == (8, 40)
    assert choose(1_320) == (64, 19)
    assert caplog.messages == [
        "chosen for 320 training examples: batches of 16 (--batch-size)",
        "chosen for 320 training examples: 40 epochs (--epochs)",
        "chosen for 1,320 training examples: batches of 64 (--batch-size), 19 epochs (--epochs)",
    ]


def test_examples_are_counted_where_tensorflow_does_not_know_the_number() -> None:
    examples = tf.data.Dataset.from_tensor_slices((["a", "b", "c"], [0, 1, 0]))
    assert count_examples(examples) == 3
    assert count_examples(examples.filter(lambda text, label: label == 0)) == 2
