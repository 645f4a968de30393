"""Text classification, many-to-one: texts in, a label for each out."""

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import matplotlib.figure
import numpy as np
import tensorflow as tf

from zoo.card import name_label
from zoo.components import CELLS
from zoo.datasets import DataInfo
from zoo.datasets.messages import measure_width
from zoo.errors import UsageError
from zoo.inspection import gates, plot_gate_means, plot_saliency
from zoo.inspection.figures import Figure, finish
from zoo.metrics import macro_f1
from zoo.preprocessing.text import (
    END_ID,
    NO_KNOWN_WORDS,
    NO_WORDS,
    PADDING_ID,
    UNKNOWN_ID,
    TokenizedText,
    WordPieceTokenizer,
    WordTokenizer,
    build_vocabulary,
    read_word_vectors,
    write_vocabulary,
)
from zoo.preprocessing.text.base import METASPACE, replace_invalid_utf8
from zoo.reports import report_labels
from zoo.tasks.base import (
    Description,
    Evaluation,
    Explanation,
    Prediction,
    ServingModule,
    Table,
    Task,
    TextPredictor,
    TextPreprocessor,
    WordEffect,
    call_signature,
    decode_strings,
    describe_truncation,
    format_status,
    is_truncated,
    make_encode_signature,
    make_labels_signature,
    make_signature,
)

__all__ = [
    "LabelPrediction",
    "TextClassificationModule",
    "TextClassificationPredictor",
    "TextClassificationPreprocessor",
]

logger = logging.getLogger(__name__)

_NOTE = "The probabilities of all labels add up to 100 %. The limits of the model say how far to trust them."

MIN_KNOWN_WORDS = 80
"""Least share of known words in the training texts, in percent, without a warning."""

_SMALL = 0.05  # as of the numbers from which Keras's embeddings start

MAX_PLOTTED_WORDS = 60
"""A plot shows some of the words of a longer text: a wider one is too wide to look at."""

_WORD = re.compile(
    # A letter of a script without spaces (Thai, Lao, Burmese, Khmer, Japanese, Chinese), or what spaces separate.
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]\s*"
    r"|[^\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+\s*"
)
_MAX_WORDS_COMPUTED = 50_000
"""Number of words of all texts together that the effect of the words of one text takes."""


class TextClassificationPreprocessor(TextPreprocessor[WordTokenizer | WordPieceTokenizer]):
    """Texts to ids of words; or of word pieces, for a model that starts from a language model of these.

    Args:
        tokenizer: splits texts into tokens, and looks up their ids.

    Example:
        >>> import tempfile, tensorflow as tf
        >>> from pathlib import Path
        >>> from zoo.tasks.text_classification import TextClassificationPreprocessor
        >>> data = tf.data.Dataset.from_tensor_slices((["good", "not good"], [1, 0]))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = TextClassificationPreprocessor.adapt(data, 10, 20, Path(directory))
        >>> [ids.tolist() for ids, label in preprocessor.encode(data).as_numpy_iterator()]
        [[2], [3, 2]]
    """

    def __init__(self, tokenizer: WordTokenizer | WordPieceTokenizer) -> None:
        super().__init__(tokenizer)
        self._reads_pieces = isinstance(tokenizer, WordPieceTokenizer)
        self._last_special_id = END_ID if self._reads_pieces else UNKNOWN_ID
        self._space_id = int(tokenizer.words_to_ids(tf.ragged.constant([[METASPACE]])).flat_values[0])

    @classmethod
    def adapt(
        cls,
        train: tf.data.Dataset,
        vocabulary_size: int,
        max_tokens: int,
        directory: Path,
        names: bool = True,
    ) -> Self:
        """Build the vocabulary from training texts.

        Args:
            train: pairs of a text and its label.
            vocabulary_size: number of ids, those of padding and of unknown words included.
            max_tokens: longer texts are cut.
            directory: where the vocabulary is written, `vocabulary.txt`.
            names: whether the vocabulary may have words that are mostly capitalized.
        """
        vocabulary = build_vocabulary(train.map(lambda text, label: text), vocabulary_size, names)
        return cls(WordTokenizer(write_vocabulary(vocabulary, directory / "vocabulary.txt"), max_tokens))

    def limit_tokens(self, max_tokens: int) -> Self:
        """Return a preprocessor that reads the first and the last tokens of texts of more than `max_tokens`."""
        tokenizer = self.tokenizer
        config = {**tokenizer.get_config(), "max_tokens": max_tokens}
        if self._reads_pieces:
            config["truncation_side"] = "middle"
        return type(self)(type(tokenizer).from_config(config, tokenizer.vocabulary_path.parent))

    def tokenize(self, texts: tf.Tensor) -> TokenizedText:
        """Tokenize texts, string [n]; see `TokenizedText`.

        The first word piece of a text follows `END_ID`, the end of a paragraph, as it does for a language model. The
        token of `END_ID` is empty.
        """
        if not self._reads_pieces:
            return self.tokenizer(texts)
        tokenized = self.tokenizer(_remove_line_breaks(texts))
        ids = tf.pad(tokenized.ids, [[0, 0], [1, 0]], constant_values=END_ID)
        end = tf.RaggedTensor.from_tensor(tf.fill([tf.size(texts), 1], ""))
        return TokenizedText(ids, tf.concat([end, tokenized.tokens], axis=1), tokenized.status)

    def has_known_words(self, ids: tf.Tensor) -> tf.Tensor:
        """Return which texts, ids [batch, time], have a word of the vocabulary: only these have a label."""
        return tf.reduce_any((ids > self._last_special_id) & (ids != self._space_id), axis=-1)

    def encode(self, split: tf.data.Dataset, max_tokens: int | None = None) -> tf.data.Dataset:
        """Return pairs of ids [time] and label for pairs of text and label.

        Args:
            split: pairs of a text and its label.
            max_tokens: cut texts to this length instead of the tokenizer's.
        """
        tokenize = self.limit_tokens(max_tokens).tokenize if max_tokens else self.tokenize

        def encode_batch(texts: tf.Tensor, labels: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
            tokenized = tokenize(texts)
            # A text without words is one step of padding.
            lengths = tf.maximum(tokenized.tokens.row_lengths(), 1)
            return tf.RaggedTensor.from_tensor(tokenized.ids, lengths), labels

        encoded = split.batch(1024).map(encode_batch, tf.data.AUTOTUNE).unbatch()
        return encoded.map(lambda ids, label: (ids, label))  # a row of a ragged batch becomes a tensor

    def check_vocabulary(self, train: tf.data.Dataset) -> None:
        """Log how many tokens of the training texts are in the vocabulary, and warn if many are not.

        Args:
            train: pairs of a text and its label.
        """
        counts = self._count_ids(train)
        share = 100 * counts[UNKNOWN_ID + 1 :].sum() / max(counts.sum(), 1)
        logger.info("The vocabulary has %.1f %% of the %s in the training texts.", share, self.token_name)
        if share < MIN_KNOWN_WORDS:
            logger.warning(
                "The model that training starts from does not know the other %.1f %%, and cannot learn them. Without "
                "--init-from the vocabulary is that of your texts.",
                100 - share,
            )

    def _count_ids(self, train: tf.data.Dataset) -> np.ndarray:
        """Return how often each id occurs in the training texts."""
        counts = np.zeros(self.tokenizer.vocabulary_size, int)
        for texts in train.map(lambda text, label: text).batch(1024):
            ids = self.tokenizer.words_to_ids(self.tokenizer.split(_remove_line_breaks(texts))).flat_values
            counts += np.bincount(ids, minlength=len(counts))
        return counts

    def load_vectors(self, path: Path, train: tf.data.Dataset, embedding_dim: int, seed: int) -> np.ndarray:
        """Return pretrained vectors of all ids, and log how much of the training texts they cover.

        Words without a vector start from random numbers of the same mean and variance, unknown words from the
        mean of all vectors. The features of an embedding that is wider than the vectors start from small random
        numbers.

        Args:
            path: file of vectors; see `zoo.preprocessing.text.read_word_vectors`.
            train: pairs of a text and its label.
            embedding_dim: width of the embedding, at least that of the vectors.
            seed: of the random numbers.

        Returns:
            Float32 [vocabulary_size, embedding_dim]: the weights of an embedding.

        Raises:
            DataError: the file is broken, or has none of the words.
            UsageError: the vectors are wider than the embedding.
        """
        values, is_found = read_word_vectors(path, self.tokenizer.get_vocabulary())
        if values.shape[1] > embedding_dim:
            raise UsageError(
                f"--embedding-dim is {embedding_dim}, but the vectors of {path} have {values.shape[1]} numbers. Leave "
                "out --embedding-dim, or choose a larger one."
            )
        counts = self._count_ids(train)
        share = counts[UNKNOWN_ID + 1 :][is_found].sum() / max(counts.sum(), 1)
        logger.info(
            "%s: vectors of %d numbers for %.1f %% of the vocabulary and %.1f %% of the words in the training texts",
            *(path, values.shape[1], 100 * is_found.mean(), 100 * share),
        )
        found = values[is_found]
        rng = np.random.default_rng(seed)
        missing = rng.normal(found.mean(0), found.std(0), values.shape)
        vectors = np.where(is_found[:, None], values, missing)
        vectors = np.concatenate([np.zeros_like(vectors[:1]), found.mean(0, keepdims=True), vectors])
        others = rng.uniform(-_SMALL, _SMALL, (len(vectors), embedding_dim - values.shape[1]))
        return np.concatenate([vectors, others], axis=1).astype("float32")

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Self:
        """Rebuild the preprocessor of an export; see `Preprocessor.from_config`."""
        return cls(cls.load_tokenizer(config, assets))


def _remove_line_breaks(texts: tf.Tensor) -> tf.Tensor:
    """Return texts, string [n], with a space for each tag `<br />`."""
    return tf.strings.regex_replace(replace_invalid_utf8(texts), r"(?i)<br\s*/?>", " ")


class TextClassificationModule(ServingModule[TextClassificationPreprocessor]):
    """Strings in, labels out; and for one text the gates of every layer at each word.

    Args:
        preprocessor: texts to ids.
        model: from ids [batch, time] to the logits [batch, labels].
        labels: names of the labels, in the order of the logits.

    Example:
        >>> import tempfile, tensorflow as tf, zoo
        >>> from pathlib import Path
        >>> from zoo.tasks.text_classification import TextClassificationModule, TextClassificationPreprocessor
        >>> data = tf.data.Dataset.from_tensor_slices((["good", "not good"], [1, 0]))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = TextClassificationPreprocessor.adapt(data, 10, 20, Path(directory))
        >>> model = zoo.ManyToOne(preprocessor.tokenizer.vocabulary_size, 8, zoo.Encoder(zoo.GRUCell(8)), 2)
        >>> model.build((None, None))
        >>> module = TextClassificationModule(preprocessor, model, ("neg", "pos"))
        >>> module.classify(tf.constant(["good", ""]))["status"].numpy().tolist()
        [b'', b'no words in the text']
    """

    input_kind = "text"

    @cached_property
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """Texts to labels, and its parts: texts to ids, ids to scores; `gates` of a model with an encoder."""
        texts, one_text = (tf.TensorSpec([size], tf.string, "text") for size in (None, 1))
        signatures = {
            "serving_default": make_signature(self.classify, [texts]),
            "encode": make_encode_signature(self.preprocessor.tokenize),
            "score": make_signature(self.score, [tf.TensorSpec([None, None], tf.int32, "ids")]),
            "labels": make_labels_signature(self.labels),
        }
        if self.model.encoder is not None:
            signatures["gates"] = make_signature(self.compute_gates, [one_text])
        return signatures

    def classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return label and status of each text [batch], and the probability of each label.

        A text without a known word has the label "" and zeros as probabilities.
        """
        tokenized = self.preprocessor.tokenize(text)
        scores = self.score(tokenized.ids)["scores"]
        label = tf.gather(self.labels, tf.argmax(scores, axis=-1))
        return {
            "label": tf.where(self.preprocessor.has_known_words(tokenized.ids), label, ""),
            "scores": scores,
            "status": tokenized.status,
        }

    def score(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the probability of each label, "scores" [batch, labels], of texts as ids [batch, time], 0 at padding.

        The probabilities of a text without a known word are zeros.
        """
        scores = tf.nn.softmax(self.model(ids))
        return {"scores": tf.where(self.preprocessor.has_known_words(ids)[:, None], scores, 0.0)}

    def compute_gates(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the words of one text [1], and gates and states of each layer and direction at each word.

        It takes exactly one text, because the number of words differs between texts. TensorFlow refuses others.
        """
        tokenized = self.preprocessor.tokenize(text)
        vectors = self.model.embedding(tokenized.ids)
        values = gates(self.model.encoder, vectors, tokenized.ids != PADDING_ID)
        return {"words": tokenized.tokens[0]} | {name: value[0] for name, value in values.items()}

    def describe(self, info: DataInfo) -> Description:
        """Return title, summary and limits for the card."""
        return Description(
            title=f"{'Sentiment' if {'neg', 'pos'} <= {*self.labels} else 'Text classification'} ({info.source})",
            summary=f"Classifies a text as {' or '.join(name_label(label, self.labels) for label in self.labels)}.",
            purpose="It is for sorting and counting many texts of the kind of its training data, not for decisions "
            "about a single one.",
            limits=(
                "It knows the words and topics of its training data; on other topics it is less accurate.",
                describe_truncation(self.preprocessor.tokenizer),
            ),
        )


@dataclass(frozen=True, eq=False, repr=False)
class LabelPrediction(Prediction):
    """The label of a text.

    Attributes:
        status: empty, or what was wrong with the text or left out of it.
        label: the most probable label; empty if the text has no known word.
        scores: probability of each label; none if the text has no known word.

    Example:
        >>> from zoo.tasks.text_classification import LabelPrediction
        >>> LabelPrediction("", "pos", {"neg": 0.1, "pos": 0.9}).rank_labels()
        [('pos', 0.9), ('neg', 0.1)]
    """

    label: str
    scores: dict[str, float]

    def rank_labels(self) -> list[tuple[str, float]]:
        """Return labels with their probabilities, the most probable first."""
        return sorted(self.scores.items(), key=lambda pair: -pair[1])

    def as_table(self) -> Table:
        """Return labels and probabilities."""
        return Table(("label", "probability"), self.rank_labels(), has_bars=True, note=_NOTE)

    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield label, probability and text for the most probable labels; or text and status without a label."""
        if not self.scores:
            yield f"{'':20}{name}{format_status(self.status)}"
        for label, score in self.rank_labels()[:top_k]:
            shown = name_label(label, self.scores)
            padding = " " * (12 - measure_width(shown))
            yield f"{shown}{padding}{score:6.3f}  {name}{format_status(self.status)}"


class TextClassificationPredictor(TextPredictor[LabelPrediction]):
    """Texts in, labels out.

    Example:
        >>> import zoo
        >>> predictor = zoo.load("sentiment")
        >>> [prediction.label for prediction in predictor.predict(["A delight.", ""])]
        ['pos', '']
    """

    plot_caption = "How much each word speaks for the label, and how open each gate is at each word."
    target_name = "label"

    def predict_batch(
        self, inputs: Sequence[str | bytes], progress: bool = False
    ) -> Iterable[LabelPrediction]:
        """Yield the label of each text."""
        outputs = self.serve_texts(inputs)
        for row, status in enumerate(outputs["status"].tolist()):
            label, text_status = outputs["label"][row].decode(), status.decode()
            scores = dict(zip(self.card["labels"], outputs["scores"][row].tolist(), strict=True))
            # Earlier exports return a label for a text without known words, too.
            if not label or text_status in (NO_WORDS, NO_KNOWN_WORDS):
                label, scores = "", {}
            yield LabelPrediction(text_status, label, scores, is_partial=is_truncated(text_status))

    def check_target(self, target: str) -> None:
        """Check that a label is one of the model.

        Raises:
            UsageError: it is not; the message names the labels, and the one that is similar.
        """
        labels = self.card["labels"]
        if target in labels:
            return
        names = {name.casefold(): label for label in labels for name in (name_label(label, labels), label)}
        similar = [names[name] for name in get_close_matches(str(target).casefold(), names, 1)]
        hint = f"Did you mean {similar[0]}? " if similar else ""
        raise UsageError(
            f"found the label {target!r:.60}. Expected a label of the model: {', '.join(labels)[:200]}. {hint}Correct "
            "the label, or rename the labels as those of the model; `zoo evaluate` does so with --rename-labels."
        )

    def evaluate_predictions(
        self,
        inputs: Sequence[str | bytes],
        predictions: Sequence[LabelPrediction],
        targets: Sequence[str],
    ) -> Evaluation:
        """Return accuracy, macro-F1 and expected calibration error, and the scores of each label."""
        labels = self.card["labels"]
        probabilities = np.array([[p.scores.get(label, 0.0) for label in labels] for p in predictions])
        report = report_labels(labels, probabilities, np.array([labels.index(label) for label in targets]))
        metrics = {
            "accuracy": report.accuracy,
            "macro-F1": macro_f1(report.class_scores),
            "ECE": report.calibration.ece,
        }
        return Evaluation(metrics, len(inputs), predictions, report)

    def measure_effects(self, text: str | bytes, prediction: LabelPrediction) -> tuple[WordEffect, ...]:
        """Return how much the predicted label depends on each word of a text, by leaving the word out.

        The effect of a word is by how much it raises the log-odds of the label (Li, Monroe and Jurafsky, 2016,
        "Understanding neural networks through representation erasure"). It holds for any export, and does not vanish
        where the probability is close to 1, as a gradient does. In long texts several words are left out together.

        >>> import zoo
        >>> model, text = zoo.load("sentiment"), "A fine cast, but a dreadful film."
        >>> [prediction] = model.predict([text])
        >>> effects = model.measure_effects(text, prediction)
        >>> (prediction.label, max(effects, key=lambda word: word.effect).text)
        ('neg', 'dreadful ')

        Args:
            text: the text.
            prediction: its prediction.

        Returns:
            The words in their order, with the spaces that follow; together they are the text, without its margins.
            Empty if the text has no label or only one word.
        """
        content = (text.decode(errors="replace") if isinstance(text, bytes) else text).strip()
        words = [match.span() for match in _WORD.finditer(content)]
        if len(words) < 2 or not prediction.label:
            return ()
        size = -(-(len(words) ** 2) // _MAX_WORDS_COMPUTED)
        spans = [(words[i][0], words[i : i + size][-1][1]) for i in range(0, len(words), size)]
        others = self.predict([content[:start] + content[end:] for start, end in spans])
        uniform = 1 / len(prediction.scores)  # where no known word is left
        scores = [other.scores.get(prediction.label, uniform) for other in others]
        whole = _compute_log_odds(prediction.scores[prediction.label])
        return tuple(
            WordEffect(content[start:end], whole - _compute_log_odds(score), score)
            for (start, end), score in zip(spans, scores, strict=True)
        )

    def explain(self, item: str | bytes, prediction: LabelPrediction) -> Explanation | None:
        """Return the effect of each word on the label, and the mean of each gate at each word."""
        if not prediction.label:
            return None
        effects = self.measure_effects(item, prediction)
        return Explanation(
            name_label(prediction.label, prediction.scores), effects, self._average_gates(item)
        )

    def _average_gates(self, text: str | bytes) -> Table | None:
        """Return the mean over the units of each gate at the first words of a text; None without gates."""
        if "gates" not in self.signatures:
            return None
        words, gates = self._compute_gates(text)
        names = [
            name for name in _pair_directions(gates) if gates[name].min() >= 0 and gates[name].max() <= 1
        ]
        if not names:
            return None
        means = [gates[name].mean(1).tolist() for name in names]
        rows = list(zip(words[:MAX_PLOTTED_WORDS], *means, strict=False))
        has_layers = any(name.startswith("layer2") for name in names)
        columns = (_name_gate(name, has_layers) for name in names)
        is_cut = len(rows) < len(words)
        note = f"the first {len(rows)} of {len(words):,} words and punctuation marks" if is_cut else ""
        return Table(("word", *columns), rows, is_ranked=False, note=note)

    def _compute_gates(self, text: str | bytes) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        """Return the words of a text, and gates and states [words, units] by name."""
        gates = call_signature(self.signatures["gates"], text=[text])
        return decode_strings(gates.pop("words")), gates

    def plot(
        self, item: str | bytes, prediction: LabelPrediction, path: Path | None = None
    ) -> matplotlib.figure.Figure:
        """Plot the effect of each word on the label, and below it the mean of each gate at each word.

        Of a long text it plots the words with the largest effects, and the gates at the first words.
        """
        explanation = self.explain(item, prediction)
        if explanation is None:
            raise UsageError("The text has no known word, so there is nothing to plot. Give another text.")
        label, words, gates = explanation
        if not words and gates is None:
            raise UsageError("The text has only one word, so there is nothing to plot. Give a longer text.")
        by_effect = sorted(range(len(words)), key=lambda i: -abs(words[i].effect))
        shown = [words[i] for i in sorted(by_effect[:MAX_PLOTTED_WORDS])]
        rows = gates.rows if gates else ()
        heights = [2.5] * bool(shown) + ([0.3 * len(gates.columns) + 0.5] if gates else [])
        figure = Figure(max(6.0, 0.4 * max(len(shown), len(rows)) + 1.5), sum(heights) + 0.5 * len(heights))
        axes = iter(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).ravel())
        if shown:
            title = f"How much each word speaks for “{label}”"
            if len(shown) < len(words):
                title += f": the {len(shown)} with the largest effects"
            steps, effects = [_abbreviate(word.text) for word in shown], [word.effect for word in shown]
            plot_saliency(effects, steps, title=title, y_label="effect on log-odds", ax=next(axes))
        if gates:
            read, *means = zip(*rows, strict=True)
            title = f"How open each gate is at each word, in percent{gates.note and ': '}{gates.note}"
            values = dict(zip(gates.columns[1:], means, strict=True))
            plot_gate_means(values, [_abbreviate(word) for word in read], title=title, ax=next(axes))
        return finish(figure, path)


def _compute_log_odds(probability: float) -> float:
    """Return the logarithm of p / (1 - p), for probabilities that are rounded to 0 or 1, too."""
    clipped = min(max(probability, 1e-7), 1 - 1e-7)
    return math.log(clipped / (1 - clipped))


def _abbreviate(word: str, width: int = 16) -> str:
    """Return a word, or several of a long text, as the label of a column.

    >>> _abbreviate("a fine, fine film ", 8)
    'a fine,…'
    """
    text = " ".join(word.split())
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _name_gate(name: str, has_layers: bool) -> str:
    """Return the short name of a gate for people, with the direction in which its layer reads.

    >>> _name_gate("layer1_reset", False), _name_gate("layer2_backward_input", True)
    ('reset', 'layer 2 input ←')
    """
    layer, _, gate = name.replace("_", " ").partition(" ")
    for direction, arrow in (("forward", "→"), ("backward", "←")):
        if gate.startswith(f"{direction} "):
            gate = f"{gate.removeprefix(direction).strip()} {arrow}"
    return f"{layer.replace('layer', 'layer ')} {gate}" if has_layers else gate


def _pair_directions(gates: Mapping[str, np.ndarray]) -> list[str]:
    """Return the names of gates ordered such that those of the two directions of a layer are side by side."""
    forward = sorted(name for name in gates if "backward" not in name)
    backward = sorted(name for name in gates if "backward" in name)
    if not backward:
        return forward
    return [name for pair in zip(forward, backward, strict=True) for name in pair]


def _read_language_model_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the sentiment recipe that a language model decides, from its configuration."""
    encoder = config["encoder"]["config"]
    cells = {cell.__name__: name for name, cell in CELLS.items()}
    return {
        "vocabulary_size": config["vocabulary_size"],
        "embedding_dim": config["embedding_dim"],
        "cell": cells[encoder["cell"]["class_name"]],
        "units": encoder["cell"]["config"]["units"],
        "depth": encoder["depth"],
    }


TASK = Task(
    name="text_classification",
    headline_metrics=("test accuracy",),
    preprocessor=TextClassificationPreprocessor,
    predictor=TextClassificationPredictor,
    model_settings=("vocabulary_size", "embedding_dim", "cell", "units", "depth", "pooling", "max_words"),
    pipeline_tags={"text": "text-classification"},
    ancestors={"language_model": _read_language_model_settings},
)
