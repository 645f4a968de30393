"""A task outside of the package: texts in, a number for each out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from zoo.datasets import DataInfo
from zoo.preprocessing.text import WordTokenizer
from zoo.tasks import (
    Description,
    Prediction,
    Preprocessor,
    ServingModule,
    Table,
    Task,
    TextPredictor,
    make_signature,
)


class RatingPreprocessor(Preprocessor):
    """Texts to word ids."""

    def __init__(self, tokenizer: WordTokenizer) -> None:
        self.tokenizer = tokenizer
        self.resources = (tokenizer,)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration of the tokenizer."""
        return {"tokenizer": self.tokenizer.get_config()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Self:
        """Rebuild the preprocessor of an export."""
        return cls(WordTokenizer.from_config(config["tokenizer"], assets))


class RatingModule(ServingModule[RatingPreprocessor]):
    """Strings in, numbers out."""

    input_kind = "text"

    @cached_property
    def signatures(self) -> dict[str, Any]:
        """`serving_default`."""
        texts = [tf.TensorSpec([None], tf.string, "text")]
        return {"serving_default": make_signature(self.rate, texts)}

    def rate(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return a number for each text."""
        tokenized = self.preprocessor.tokenizer(text)
        return {"rating": self.model(tokenized.ids)[:, 0], "status": tokenized.status}

    def describe(self, info: DataInfo) -> Description:
        """Return what the card states."""
        return Description("Rating", "Rates texts.", ("It knows few words.",))


@dataclass(frozen=True, eq=False)
class RatingPrediction(Prediction):
    """The rating of a text."""

    rating: float

    def as_table(self) -> Table:
        """Return the rating."""
        return Table(("rating",), [(self.rating,)])

    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield rating and text."""
        yield f"{self.rating:.3f}  {name}"


class RatingPredictor(TextPredictor[RatingPrediction]):
    """Texts in, ratings out."""

    ranking_output = None

    def predict_batch(self, inputs: Sequence[str | bytes], progress: bool) -> Iterable[RatingPrediction]:
        """Yield the rating of each text."""
        outputs = self.serve_texts(inputs)
        for status, rating in zip(outputs["status"], outputs["rating"], strict=True):
            yield RatingPrediction(status.decode(), float(rating))


TASK = Task("rating", ("test error",), RatingPreprocessor, RatingPredictor)
