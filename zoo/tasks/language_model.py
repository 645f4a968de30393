"""Language model, direct many-to-many with a carried state: a text in, the words that may follow out.

A model reads words (`WordPreprocessor`, `WordModule`) or word pieces (`WordPiecePreprocessor`, `WordPieceModule`).
Both return whole words.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from zoo.datasets import ClozeSet, DataInfo
from zoo.decoding import sample
from zoo.errors import UsageError
from zoo.formulations import LanguageModel
from zoo.layers import disable_jit
from zoo.preprocessing.text import (
    END_ID,
    PADDING_ID,
    START_ID,
    UNKNOWN_ID,
    WordPieceTokenizer,
    WordTokenizer,
    build_vocabulary,
    train_wordpiece,
    write_vocabulary,
)
from zoo.preprocessing.text.base import replace_invalid_utf8
from zoo.tasks.base import (
    Description,
    Evaluation,
    Prediction,
    ServingModule,
    Table,
    Task,
    TextPredictor,
    TextPreprocessor,
    TextTokenizer,
    check_list,
    check_texts,
    decode_strings,
    describe_truncation,
    format_status,
    is_truncated,
    make_encode_signature,
    make_signature,
)
from zoo.tasks.word_search import Pieces, search_words
from zoo.training import BucketedDataset, bucket_by_length, evaluate

__all__ = [
    "NextWordPrediction",
    "WordModule",
    "WordPieceModule",
    "WordPiecePreprocessor",
    "WordPreprocessor",
]

_FIRST_WORD_ID = UNKNOWN_ID + 1
_NOTE = "A probability is that of the word among all words that may follow."
_PASSAGES = 8192  # of a text that are tokenized at once
_TEXT = tf.TensorSpec([None], tf.string, "text")
_NUM_SAMPLES = 3
_SCORED_TEXTS = 8  # that are scored at once; more would need much memory for their logits
_SCORED_PIECES = 512  # of each of them


class LanguageModelPreprocessor(TextPreprocessor[TextTokenizer]):
    """Base class: texts to ids.

    Args:
        tokenizer: splits texts into tokens, and looks up their ids.
    """

    def encode(self, texts: Sequence[str]) -> tf.RaggedTensor:
        """Return the ids [texts, tokens] of all tokens, without a cut."""
        raise NotImplementedError

    def encode_passages(self, passages: Sequence[str]) -> np.ndarray:
        """Return the ids [tokens] of the passages of a long text, one after the other."""
        starts = range(0, len(passages), _PASSAGES)
        parts: list[np.ndarray] = [
            self.encode(passages[start : start + _PASSAGES]).flat_values.numpy() for start in starts
        ]
        return np.concatenate([np.zeros(0, np.int32), *parts])

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Any:
        """Rebuild the preprocessor of an export, of words or of word pieces; see `Preprocessor.from_config`."""
        tokenizer = cls.load_tokenizer(config, assets)
        if isinstance(tokenizer, WordPieceTokenizer):
            return WordPiecePreprocessor(tokenizer)
        return WordPreprocessor(tokenizer)


class WordPreprocessor(LanguageModelPreprocessor[WordTokenizer]):
    """Texts to word ids.

    Args:
        tokenizer: splits texts into words, and looks up their ids.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from zoo.tasks.language_model import WordPreprocessor
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = WordPreprocessor.adapt(["the dog", "the cat"], 10, 20, Path(directory))
        >>> preprocessor.encode(["the the"]).to_list()
        [[2, 2]]
    """

    @classmethod
    def adapt(cls, texts: Sequence[str], vocabulary_size: int, max_tokens: int, directory: Path) -> Self:
        """Build the vocabulary from training texts.

        Args:
            texts: training texts.
            vocabulary_size: number of ids, those of padding and of unknown words included.
            max_tokens: longer inputs of the export are cut.
            directory: where the vocabulary is written, `vocabulary.txt`.
        """
        vocabulary = build_vocabulary(
            tf.data.Dataset.from_tensor_slices(list(texts) or [""]), vocabulary_size
        )
        return cls(WordTokenizer(write_vocabulary(vocabulary, directory / "vocabulary.txt"), max_tokens))

    def encode(self, texts: Sequence[str]) -> tf.RaggedTensor:
        """Return the ids [texts, words] of all words, without a cut."""
        return self.tokenizer.words_to_ids(self.tokenizer.split(tf.constant(list(texts), tf.string)))

    def bucket_gaps(self, gaps: ClozeSet, batch_size: int, seed: int | None = None) -> BucketedDataset:
        """Return batches of ids, of the word that follows each, and of weights, which are 0 before the gap.

        Args:
            gaps: texts, and the word that follows each.
            batch_size: number of texts in a batch.
            seed: of the order; None keeps one order.
        """
        ids = self.encode(gaps.texts)
        is_last = tf.ragged.range(ids.row_lengths()) == tf.cast(ids.row_lengths() - 1, tf.int64)[:, None]
        next_ids = tf.gather(self.encode(gaps.next_words).flat_values, is_last.value_rowids())
        targets = ids.with_flat_values(next_ids)
        weights = ids.with_flat_values(tf.cast(is_last.flat_values, tf.float32))
        examples = tf.data.Dataset.from_tensor_slices((ids, targets, weights))
        return bucket_by_length(examples, batch_size, max_padding=0.3, seed=seed)

    def predict_gaps(self, model: keras.Model, texts: Sequence[str]) -> np.ndarray:
        """Return the id of the most probable next word of each text."""
        ids, predictions = self.encode(texts), []
        for start in range(0, len(texts), 256):
            batch = ids[start : start + 256]
            logits = model(batch.to_tensor(PADDING_ID))
            last = tf.gather(logits, batch.row_lengths() - 1, batch_dims=1)
            predictions.append(tf.argmax(last, -1).numpy())
        return np.concatenate(predictions)


class WordPiecePreprocessor(LanguageModelPreprocessor[WordPieceTokenizer]):
    r"""Texts to ids of word pieces. A paragraph ends with `END_ID`, and a text begins with it.

    Args:
        tokenizer: splits texts into word pieces, and looks up their ids.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from zoo.tasks.language_model import WordPiecePreprocessor
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = WordPiecePreprocessor.adapt(10 * ["the dog", "the cat"], 60, 20, Path(directory))
        >>> preprocessor.encode(["the dog\n"]).row_lengths().numpy().tolist()  # two words, and the end
        [3]
    """

    @classmethod
    def adapt(cls, texts: Sequence[str], vocabulary_size: int, max_tokens: int, directory: Path) -> Self:
        """Train the vocabulary on training texts.

        Args:
            texts: training texts.
            vocabulary_size: number of ids, those of padding, unknown words, start and end included.
            max_tokens: of longer inputs of the export the last pieces are read.
            directory: where the vocabulary is written, `pieces.txt`.

        Raises:
            UsageError: `vocabulary_size` is too small for the characters of the texts.
        """
        path = write_vocabulary(train_wordpiece(texts, vocabulary_size), directory / "pieces.txt")
        return cls(WordPieceTokenizer(path, max_tokens, truncation_side="left"))

    def encode(self, texts: Sequence[str]) -> tf.RaggedTensor:
        """Return the ids [texts, pieces] of all pieces, without a cut, and `END_ID` for a line break at the end."""
        strings = tf.constant(list(texts), tf.string)
        ids = self.tokenizer.words_to_ids(self.tokenizer.split(strings))
        num_ends = tf.cast(tf.strings.regex_full_match(strings, r"(?s).*\n"), tf.int64)
        ends = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(num_ends)], END_ID), num_ends)
        return tf.concat([ids, ends], axis=1)


class WordModule(ServingModule[WordPreprocessor]):
    """Strings in, next words out, from a model of words.

    Args:
        preprocessor: texts to word ids.
        model: from ids [batch, time] to the logits of what follows each.
        top_k: number of words that the export returns.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> from zoo.tasks.language_model import WordModule, WordPreprocessor
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = WordPreprocessor.adapt(["the dog", "the cat"], 10, 20, Path(directory))
        >>> model = zoo.LanguageModel(preprocessor.tokenizer.vocabulary_size, 8, zoo.Encoder(zoo.GRUCell(8)))
        >>> sorted(WordModule(preprocessor, model, top_k=2).signatures)
        ['decode', 'encode', 'score', 'serving_default']
    """

    input_kind = "text"

    def __init__(self, preprocessor: WordPreprocessor, model: keras.Model, top_k: int = 5) -> None:
        super().__init__(preprocessor, model)
        tokenizer = preprocessor.tokenizer
        self.top_k = min(top_k, tokenizer.vocabulary_size - 2)
        self.words = tf.constant(tokenizer.get_vocabulary())

    @cached_property
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """Texts to next words, and its parts: texts to ids, ids to the probabilities of all words, ids to words."""
        return _make_signatures(self, make_encode_signature(self.preprocessor.tokenizer))

    def predict_next(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return for each text [batch] the most probable next words, and their probabilities.

        The probabilities are those among the words of the vocabulary.
        """
        tokenized = self.preprocessor.tokenizer(text)
        scores = self.score(tokenized.ids)["probabilities"]
        probabilities, indices = tf.math.top_k(scores[:, _FIRST_WORD_ID:], self.top_k)
        words = self.decode(indices + _FIRST_WORD_ID)["words"]
        has_words = tf.reduce_any(tokenized.ids != PADDING_ID, axis=1)
        return {
            "words": tf.where(has_words[:, None], words, ""),
            "probabilities": probabilities,
            "status": tokenized.status,
        }

    def score(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the probabilities [batch, vocabulary size] of the word after each text, ids [batch, time].

        They are 0 for the ids of padding and of unknown words, and in rows without words.
        """
        probabilities = _predict_last(self.model, ids, _FIRST_WORD_ID)
        return {"probabilities": tf.pad(probabilities, [[0, 0], [_FIRST_WORD_ID, 0]])}

    def decode(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the words, string [batch, n], of ids; empty for the ids of padding and of unknown words."""
        words = tf.gather(self.words, tf.maximum(ids - _FIRST_WORD_ID, 0))
        return {"words": tf.where(ids < _FIRST_WORD_ID, "", words)}

    def describe(self, info: DataInfo) -> Description:
        """Return title, summary and limits for the card."""
        return _describe(
            info,
            "It knows the words of its training data; all other words are one unknown word, which it never predicts.",
            describe_truncation(self.preprocessor.tokenizer),
        )


class WordPieceModule(ServingModule[WordPiecePreprocessor]):
    """Strings in, next words out, from a model of word pieces.

    Args:
        preprocessor: texts to ids of word pieces.
        model: from ids [batch, time] to the logits of what follows each.
        top_k: number of words that the export returns.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> from zoo.tasks.language_model import WordPieceModule, WordPiecePreprocessor
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = WordPiecePreprocessor.adapt(10 * ["the dog", "the cat"], 60, 20, Path(directory))
        >>> model = zoo.LanguageModel(preprocessor.tokenizer.vocabulary_size, 8, zoo.Encoder(zoo.GRUCell(8)))
        >>> sorted(WordPieceModule(preprocessor, model, top_k=2).signatures)
        ['decode', 'encode', 'score', 'serving_default']
    """

    input_kind = "text"

    def __init__(self, preprocessor: WordPiecePreprocessor, model: LanguageModel, top_k: int = 5) -> None:
        super().__init__(preprocessor, model)
        self.pieces, self.top_k = Pieces(preprocessor.tokenizer), top_k

    @cached_property
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """Texts to next words, and its parts: texts to ids, ids to the probabilities of all pieces, ids to pieces."""
        return _make_signatures(self, make_signature(self.encode, [_TEXT]))

    def predict_next(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return for each text [batch] the most probable next words, and their probabilities.

        The last word of a text counts as finished. See `search_words`.
        """
        encoded = self.encode(text)
        ends_with_space = tf.strings.regex_full_match(replace_invalid_utf8(text), r"(?s).*[\s\p{Z}]")
        words, probabilities = search_words(
            self.model,
            self.preprocessor.tokenizer,
            self.pieces,
            encoded["ids"],
            ends_with_space,
            self.top_k,
        )
        has_text = tf.reduce_any(encoded["ids"][:, 1:] != PADDING_ID, axis=1)[:, None]
        return {
            "words": tf.where(has_text, words, ""),
            "probabilities": tf.where(has_text, probabilities, 0.0),
            "status": encoded["status"],
        }

    def encode(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the ids [batch, time] of texts [batch], the end of the paragraph before at first, and the status."""
        tokenized = self.preprocessor.tokenizer(text)
        ids = tf.pad(tokenized.ids, [[0, 0], [1, 0]], constant_values=END_ID)
        return {"ids": ids, "status": tokenized.status}

    def score(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the probabilities [batch, vocabulary size] of the piece after each text, ids [batch, time].

        Among them are those of the end of the paragraph and of unknown words. They are 0 in rows without pieces.
        """
        return {"probabilities": _predict_last(self.model, ids)}

    def decode(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the pieces, string [batch, n], of ids, with "▁" as a space; empty from the end of a paragraph on."""
        return {"pieces": self.preprocessor.tokenizer.ids_to_tokens(ids)}

    def describe(self, info: DataInfo) -> Description:
        """Return title, summary and limits for the card."""
        return _describe(
            info,
            "It takes the last word of a text as finished, and does not complete it.",
            describe_truncation(self.preprocessor.tokenizer),
        )


def _make_signatures(
    module: WordModule | WordPieceModule, encode: Callable[..., dict[str, tf.Tensor]]
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
    ids = tf.TensorSpec([None, None], tf.int32, "ids")
    return {
        "serving_default": make_signature(module.predict_next, [_TEXT]),
        "encode": encode,
        "score": make_signature(module.score, [ids]),
        "decode": make_signature(module.decode, [ids]),
    }


def _predict_last(model: keras.Model, ids: tf.Tensor, first_id: int = 0) -> tf.Tensor:
    """Return the probabilities of the ids from `first_id` on after each text, ids [batch, time]; 0 without ids."""
    length = tf.reduce_sum(tf.cast(ids != PADDING_ID, tf.int32), 1)
    logits = tf.gather(model(ids), tf.maximum(length, 1) - 1, batch_dims=1)
    return tf.where((length > 0)[:, None], tf.nn.softmax(logits[:, first_id:]), 0.0)


def _describe(info: DataInfo, *limits: str) -> Description:
    return Description(
        title=f"Next words ({info.source})",
        summary="Reads a text and predicts the words that may follow.",
        purpose="It is for suggestions while somebody types, and to compare how probable texts are. It knows how "
        "texts of its training data go on, not what is true.",
        limits=limits,
    )


@dataclass(frozen=True, eq=False, repr=False)
class NextWordPrediction(Prediction):
    """Words that may follow a text.

    Attributes:
        status: empty, or what was wrong with the text or left out of it.
        words: the most probable first.
        probabilities: their probabilities among all words that may follow.

    Example:
        >>> from zoo.tasks.language_model import NextWordPrediction
        >>> NextWordPrediction("", ("dog", "cat"), (0.5, 0.2)).as_table().rows
        [('dog', 0.5), ('cat', 0.2)]
    """

    words: tuple[str, ...]
    probabilities: tuple[float, ...]

    def as_table(self) -> Table:
        """Return words and probabilities."""
        rows = list(zip(self.words, self.probabilities, strict=True))
        return Table(("next word", "probability"), rows, True, True, 3, _NOTE, continues_input=True)

    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield the text with its next words and their probabilities, of five words or more."""
        rows = self.as_table().rows[: max(top_k, 5)]
        words = "  ".join(f"{word} {probability:.3f}" for word, probability in rows)
        yield f"{name} ...  {words}{format_status(self.status)}"


class NextWordPredictor(TextPredictor[NextWordPrediction]):
    """Texts in, next words out."""

    ranking_output = "probabilities"
    target_name = ""

    def predict_batch(
        self, inputs: Sequence[str | bytes], progress: bool = False
    ) -> Iterable[NextWordPrediction]:
        """Yield the next words of each text."""
        outputs = self.serve_texts(inputs)
        for row, status in enumerate(outputs["status"]):
            words = decode_strings(outputs["words"][row])
            probabilities = tuple(outputs["probabilities"][row, : len(words)].tolist())
            is_partial = is_truncated(status.decode())
            yield NextWordPrediction(status.decode(), words, probabilities, is_partial=is_partial)

    def check_evaluation(self) -> None:
        """Check that the model reads word pieces.

        Raises:
            UsageError: it reads words, as that of the recipe `next_word` does, which has learned one word of a text.
        """
        if "tokens" not in self.card["preprocessor"]:
            raise UsageError(
                f"{self.directory} has learned the last words of sentences alone, so its perplexity means nothing. Use "
                "a model of the recipe language_model."
            )

    def evaluate(
        self, inputs: Iterable[str | bytes], targets: Iterable[Any] = (), *, progress: bool = False
    ) -> Evaluation:
        """Return the perplexity of texts, and how often the most probable word piece is the one that follows.

        Each text is a paragraph of its own, whose end counts as a word. Parts of 512 word pieces of a longer text are
        read one by one.

        Args:
            inputs: texts.
            targets: none, because the texts themselves are what the model should predict.
            progress: no effect: the progress is printed as in training.

        Raises:
            UsageError: it is a model of words, there is no text, an input is not a text, or there are targets.
        """
        self.check_evaluation()
        check_list(inputs, self.input_kind)
        inputs = list(inputs)
        check_texts(inputs)
        texts = [item if isinstance(item, str) else item.decode(errors="replace") for item in inputs]
        if not texts or not isinstance(targets, Iterable) or list(targets):
            raise UsageError("Expected at least one text, and no targets. Pass a list of texts alone.")
        preprocessor, model = TASK.from_export(self.directory)
        paragraphs = [preprocessor.encode_passages([" ".join(text.split()) + "\n"]) for text in texts]
        paragraphs = [np.append(np.int32(END_ID), ids) for ids in paragraphs]
        rows = [
            ids[start : start + _SCORED_PIECES + 1]
            for ids in paragraphs
            for start in range(0, len(ids) - 1, _SCORED_PIECES)
        ]
        ids = tf.RaggedTensor.from_row_lengths(np.concatenate(rows), list(map(len, rows)))
        weights = tf.ones_like(ids[:, 1:], tf.float32)
        examples = tf.data.Dataset.from_tensor_slices((ids[:, :-1], ids[:, 1:], weights))
        with disable_jit():
            results = evaluate(
                model,
                bucket_by_length(examples, _SCORED_TEXTS),
                keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                [keras.metrics.SparseCategoricalAccuracy("accuracy")],
            )
        return Evaluation(compute_metrics(results, paragraphs, preprocessor.tokenizer), len(texts))


def compute_metrics(
    results: Mapping[str, float], passages: Sequence[np.ndarray], tokenizer: WordPieceTokenizer
) -> dict[str, float]:
    """Return the perplexities of a model of word pieces, and its accuracy in percent.

    Args:
        results: "loss", the mean cross-entropy of the pieces, and "accuracy", from 0 to 1.
        passages: ids of the pieces of each passage, the end of the paragraph before at first. It is not predicted.
        tokenizer: the tokenizer of these pieces.
    """
    num_pieces = sum(len(ids) - 1 for ids in passages)
    pieces_per_word = num_pieces / sum(map(Pieces(tokenizer).count_words, passages))
    return {
        "perplexity per word": math.exp(results["loss"] * pieces_per_word),
        "perplexity per piece": math.exp(results["loss"]),
        "accuracy": 100 * results["accuracy"],
    }


def sample_texts(
    model: LanguageModel,
    preprocessor: WordPiecePreprocessor,
    seed: int,
    max_length: int = 40,
) -> list[str]:
    """Return the beginnings of three texts, sampled from a model piece by piece at temperature 0.8."""
    tokenizer = preprocessor.tokenizer
    is_text = ~np.isin(np.arange(tokenizer.vocabulary_size), [PADDING_ID, UNKNOWN_ID, START_ID])

    def step(ids: tf.Tensor, states: Any) -> tuple[tf.Tensor, Any]:
        logits, states = model.step(ids, states)
        return tf.where(is_text, logits, logits.dtype.min), states

    sampled = sample(
        step,
        model.get_initial_state(_NUM_SAMPLES),
        start_id=END_ID,
        end_id=END_ID,
        max_length=max_length,
        seeds=tf.range(seed, seed + _NUM_SAMPLES),
        temperature=0.8,
    )
    return [text.decode() for text in tokenizer.detokenize(sampled.tokens[:, 0]).numpy()]


TASK = Task(
    name="language_model",
    headline_metrics=("test perplexity per word", "test accuracy"),
    preprocessor=LanguageModelPreprocessor,
    predictor=NextWordPredictor,
    model_settings=("vocabulary_size", "cell", "units", "depth", "max_tokens"),
    pipeline_tags={"text": "text-generation"},
)
