"""Accuracy of a sentiment model on short sentences: negation, contrast, understatement, and other kinds.

python benchmarks/short_sentences.py saved_models/sentiment/1
python benchmarks/short_sentences.py runs/sentiment/export/1 --split evaluation --show-wrong

The test set is `short_sentences.tsv`: 300 sentences about films, books, food, hotels, shops and software, 20 of each
kind, one half positive. They come in pairs, of which most differ in a few words and all have opposite labels; a pair is
in one split: `choosing` is development data, `evaluation` is for the evaluation of what was chosen. With 150 sentences
the uncertainty of an accuracy of 90 % is 5 points; with the 10 of a kind a figure only hints at what a model gets
wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import tyro
from sets import read_half

from zoo.cli.errors import exit_on_user_error
from zoo.errors import UsageError
from zoo.serving.loading import load

TEST_SET = Path(__file__).with_name("short_sentences.tsv")
LABELS = ("neg", "pos")


@dataclass(frozen=True)
class Settings:
    """Measure the accuracy of a sentiment model on short sentences."""

    model: tyro.conf.Positional[Path]  # directory of an export with two labels, the negative one first
    split: Literal["choosing", "evaluation"] = "choosing"  # half of the test set
    show_wrong: bool = False  # whether to print the sentences that are classified wrongly


class Sentence(NamedTuple):
    """A row of the test set."""

    split: str
    kind: str
    label: str
    text: str


def read_sentences(split: str) -> list[Sentence]:
    """Return the sentences of one half of the test set."""
    return read_half(TEST_SET, Sentence, split)


def classify(model: Path, texts: Sequence[str]) -> list[str]:
    """Return "neg" or "pos" for each text."""
    predictor = load(model)
    if (task := predictor.card["task"]) != "text_classification":
        raise UsageError(f"{model} is an export of the task {task!r}, expected 'text_classification'.")
    predictions = predictor.predict(list(texts))
    labels = list(predictions[0].scores)
    if len(labels) != len(LABELS):
        raise UsageError(
            f"{model} has the labels {', '.join(labels)}; expected two, negative first. Name another model."
        )
    return [LABELS[labels.index(prediction.label)] for prediction in predictions]


def format_table(sentences: Sequence[Sentence], predictions: Sequence[str]) -> str:
    """Return the accuracy by kind and label as a table."""
    lines = ["| kind | negative | positive | both | % |", "| --- | --: | --: | --: | --: |"]
    for kind in [*dict.fromkeys(sentence.kind for sentence in sentences), "all"]:
        results = {
            label: [
                prediction == label
                for sentence, prediction in zip(sentences, predictions, strict=True)
                if sentence.label == label and kind in (sentence.kind, "all")
            ]
            for label in LABELS
        }
        both = [is_right for each in results.values() for is_right in each]
        cells = [f"{sum(each)} of {len(each)}" for each in (*results.values(), both)]
        lines.append(f"| {kind} | {' | '.join(cells)} | {100 * sum(both) / len(both):.1f} |")
    return "\n".join(lines)


def main(settings: Settings) -> None:
    """Classify the sentences, and print the table."""
    sentences = read_sentences(settings.split)
    predictions = classify(settings.model, [sentence.text for sentence in sentences])
    print(format_table(sentences, predictions))
    if settings.show_wrong:
        print()
        for sentence, prediction in zip(sentences, predictions, strict=True):
            if sentence.label != prediction:
                print(f"{prediction} instead of {sentence.label}, {sentence.kind}: {sentence.text}")


if __name__ == "__main__":
    with exit_on_user_error():
        main(tyro.cli(Settings))
