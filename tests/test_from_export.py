"""The way back: preprocessor and Keras model of an export, ready to train."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import assert_same_outputs, edit_card, predict_in_process

import zoo
from zoo.errors import ExportError, UsageError
from zoo.export import call_by_name
from zoo.formulations import apply_teacher_forcing
from zoo.serving.verification import read_example_inputs
from zoo.tasks.captioning import CaptioningModule
from zoo.tasks.frame_tagging import FrameTaggingModule
from zoo.tasks.text_classification import TextClassificationModule
from zoo.tasks.translation import SEARCH_SETTINGS, TranslationModule

SHIPPED = Path(__file__).parents[1] / "saved_models"
DOG = Path(__file__).parents[1] / "docs" / "drawings" / "dog.jpg"

# For each shipped model its task, how its serving module is made, and inputs that have an answer: for others the
# shipped exports, which are of an earlier version, return scores.
MODELS: dict[str, tuple[str, Callable[..., Any], Callable[[], dict[str, Any]]]] = {
    "captioning": (
        "captioning",
        lambda preprocessor, model, card: CaptioningModule(
            preprocessor, model, card["settings"]["num_beams"], card["settings"]["length_penalty"]
        ),
        lambda: {"image": [DOG.read_bytes()]},
    ),
    "sentiment": (
        "text_classification",
        lambda preprocessor, model, card: TextClassificationModule(preprocessor, model, card["labels"]),
        lambda: {"text": ["A delight from start to end.", "Dull. " * 700]},
    ),
    "tagging": (
        "frame_tagging",
        lambda preprocessor, model, card: FrameTaggingModule(preprocessor, model, card["labels"]),
        lambda: {
            "frames": np.random.default_rng(1).integers(0, 256, (2, 40, 30, 50, 3)).astype(np.uint8),
            "lengths": np.array([40, 7], np.int32),
        },
    ),
    "translation": (
        "translation",
        lambda preprocessor, model, card: TranslationModule(
            preprocessor,
            model,
            *(card["settings"].get(name) for name in SEARCH_SETTINGS),  # constraints are None on older cards
        ),
        lambda: {"text": ["Where is the station?", "My sister is reading a ☃ in the garden."]},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_rebuilt_model_predicts_what_the_export_predicts(name: str) -> None:
    directory = SHIPPED / name / "1"
    card = json.loads((directory / "card.json").read_text(encoding="utf-8"))
    task_name, make_module, make_inputs = MODELS[name]
    assert card["task"] == task_name
    preprocessor, model = zoo.tasks.get_task(task_name).from_export(directory)
    module = make_module(preprocessor, model, card)
    for inputs in (make_inputs(), read_example_inputs(directory, card)):
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        outputs = call_by_name(module.signatures["serving_default"], **tensors)
        expected = predict_in_process(directory, inputs)
        if "labels" in expected:  # a signature of its own since then
            outputs["labels"] = call_by_name(module.signatures["labels"])["labels"]
        assert_same_outputs(outputs, expected)


def test_a_rebuilt_translator_carries_over_what_the_export_does() -> None:
    texts = [
        "Install 1.2.3 on 10.5.2024.",
        "It costs 2.5 or 1,250.75.",
        "At 10:30, see 10.0.0.1 and 5kg, 3/4 or 12.",
    ]
    exported = tf.saved_model.load(str(SHIPPED / "translation/1"))
    expected = exported.signatures["encode"](text=tf.constant(texts))
    preprocessor, _ = zoo.tasks.get_task("translation").from_export(SHIPPED / "translation/1")
    tokenized, items = preprocessor.tokenize(tf.constant(texts))
    np.testing.assert_array_equal(items, expected["items"])
    np.testing.assert_array_equal(tokenized.tokens.to_tensor(""), expected["source_tokens"])


def test_a_rebuilt_model_continues_training() -> None:
    """One step on a handful of texts lowers their loss, and moves every weight of a word that occurs."""
    preprocessor, model = zoo.tasks.get_task("text_classification").from_export(SHIPPED / "sentiment/1")
    ids = preprocessor.tokenizer(tf.constant(["A delight.", "So dull and long.", "I liked it."])).ids
    labels = tf.constant([0, 1, 0])  # the opposite of what it has learned
    before = [weight.numpy() for weight in model.trainable_variables]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), loss)
    losses = model.fit(ids, labels, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all(
        (weight.numpy() != old).any() for weight, old in zip(model.trainable_variables, before, strict=True)
    )


def test_a_rebuilt_translator_has_the_loss_of_its_training() -> None:
    """Teacher forcing on a plain pair: far below chance, so the weights are where they belong."""
    preprocessor, model = zoo.tasks.get_task("translation").from_export(SHIPPED / "translation/1")
    pairs = tf.data.Dataset.from_tensors((b"Where is the station?", b"Wo ist der Bahnhof?"))
    [(source, target)] = preprocessor.encode(pairs)
    inputs, targets, weights = apply_teacher_forcing(source[None], target[None])
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(inputs))
    mean = float(tf.reduce_sum(loss * weights) / tf.reduce_sum(weights))
    assert mean < 1 < np.log(preprocessor.target.vocabulary_size)


@pytest.fixture
def sentiment(tmp_path: Path) -> Path:
    """A copy of the shipped sentiment model."""
    return Path(shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "1"))


def test_an_export_of_another_task_is_refused() -> None:
    task = zoo.tasks.get_task("translation")
    with pytest.raises(UsageError, match="task 'text_classification', expected 'translation'"):
        task.from_export(SHIPPED / "sentiment/1")


def test_a_card_without_a_model_is_refused(sentiment: Path) -> None:
    edit_card(sentiment, model=None)
    with pytest.raises(ExportError, match="does not describe its Keras model"):
        zoo.tasks.get_task("text_classification").from_export(sentiment)


@pytest.mark.parametrize("change", ["path", "shape", "number"])
def test_weights_that_do_not_fit_the_card_are_refused(sentiment: Path, change: str) -> None:
    model = json.loads((sentiment / "card.json").read_text(encoding="utf-8"))["model"]
    if change == "number":
        del model["weights"][0]
    else:
        model["weights"][1][change] = {"path": "elsewhere/kernel", "shape": [3, 4]}[change]
    edit_card(sentiment, model=model)
    message = r"expected \d+ weights" if change == "number" else "expected weight 1 of 'model' to be"
    with pytest.raises(ExportError, match=message):
        zoo.tasks.get_task("text_classification").from_export(sentiment)


def test_an_unknown_task_is_named(sentiment: Path) -> None:
    edit_card(sentiment, task="telepathy")
    with pytest.raises(UsageError, match=r"There is no task 'telepathy'\. Expected one of captioning, "):
        zoo.load(sentiment)
