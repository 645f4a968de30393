"""The models of `saved_models/`, exported again by this version of the code, and a language model."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from exports import ROOT

import zoo
from zoo.card import Card, read_card
from zoo.preprocessing.config import VERSION
from zoo.recipes import language_model
from zoo.tasks import ServingModule, get_task
from zoo.tasks.captioning import CaptioningModule
from zoo.tasks.frame_tagging import FrameTaggingModule
from zoo.tasks.language_model import WordModule, WordPieceModule, WordPiecePreprocessor, WordPreprocessor
from zoo.tasks.text_classification import TextClassificationModule
from zoo.tasks.translation import TranslationModule

SHIPPED = ROOT / "saved_models"

TEXTS = [
    "A delight from start to end.",
    "",
    "Where is the station?",
    "My sister is reading a long book about the history of old gardens, and she likes it very much.",
    "Dull.",
    "zxqj qqzx",
]
"""Texts of different lengths, one without words and one of unknown words."""


def build_module(name: str, directory: Path) -> ServingModule[Any]:
    """Rebuild the serving module of a shipped model, or build a language model with random weights.

    "language_model" reads word pieces, "next_word" words.

    Args:
        name: of the model.
        directory: where a vocabulary may be written.
    """
    if name in ("language_model", "next_word"):
        reads_pieces = name == "language_model"
        preprocessor: Any = (
            WordPiecePreprocessor.adapt(TEXTS * 5, 100, 20, directory)
            if reads_pieces
            else WordPreprocessor.adapt(TEXTS, 30, 20, directory)
        )
        settings = language_model.Settings(dataset=directory, units=16)
        keras.utils.set_random_seed(1)
        model = language_model.build_model(settings, preprocessor.tokenizer.vocabulary_size, stateful=False)
        model.build((None, None))
        return (WordPieceModule if reads_pieces else WordModule)(preprocessor, model)
    card = read_card(SHIPPED / name / "1")
    parts = get_task(card["task"]).from_export(SHIPPED / name / "1")
    for tokenizer in parts[0].resources:
        tokenizer.version = VERSION  # the words of plain texts are those of the version of the model
    search = card["settings"].get("num_beams"), card["settings"].get("length_penalty")
    match name:
        case "sentiment":
            return TextClassificationModule(*parts, card["labels"])
        case "tagging":
            return FrameTaggingModule(*parts, card["labels"])
        case "captioning":
            return CaptioningModule(*parts, *search)
        case _:
            return TranslationModule(*parts, *search)


def export_again(name: str, directory: Path) -> Path:
    """Export a shipped model, or a language model, with the signatures of this version of the code.

    The matrices of the translator are stored in float16.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    module = build_module(name, directory.parent)
    if name in ("language_model", "next_word"):
        fields = {"task": "language_model", "input_kind": "text"}
        fields |= dict.fromkeys(("title", "summary", "data", "license", "command"), name)
    else:
        card = read_card(SHIPPED / name / "1")
        fields = {field.name: card[field.name] for field in dataclasses.fields(Card) if field.name in card}
    return zoo.export_model(
        module.signatures,
        directory,
        Card(**fields),
        examples=make_examples(name),
        model=module.model,
        networks=module.preprocessor.networks,
        resources=module.preprocessor.resources,
        files=module.make_files(),
        half_precision=name == "translation",
    )


def make_examples(name: str) -> dict[str, Any]:
    """Return inputs of `serving_default` by name, for `zoo.export_model`: some rows of different lengths."""
    if name == "captioning":
        return {"image": [ROOT / "docs" / "drawings" / "dog.jpg", SHIPPED / "README.md"]}
    if name == "tagging":
        frames = np.load(SHIPPED / "tagging" / "1" / "example_frames.npy")[:, :40]
        return {"frames": np.repeat(frames[:1], 2, 0), "lengths": np.array([40, 13], np.int32)}
    return {"text": TEXTS}


def call(directory: Path, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the outputs of a signature of an export, in this process."""
    model = tf.saved_model.load(str(directory))
    outputs = model.signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}
