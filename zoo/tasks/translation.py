"""Translation, delayed many-to-many: texts in, texts of another language out."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

import matplotlib.figure
import numpy as np
import tensorflow as tf

from zoo.attention import Memory
from zoo.datasets import DataInfo
from zoo.decoding import beam_search, count_most_frequent_ngram, greedy_search
from zoo.errors import UsageError
from zoo.formulations import DelayedManyToMany, apply_teacher_forcing
from zoo.formulations.decoder import State
from zoo.inspection import plot_attention
from zoo.languages import name_language
from zoo.layers.export_scope import ExportScope, get_export_scope
from zoo.metrics import choose_bleu_tokenizer, score_translations
from zoo.preprocessing.text import (
    COPY_TOKENS,
    END_ID,
    PADDING_ID,
    START_ID,
    UNKNOWN_ID,
    CopiedItems,
    CopyingTokenizer,
    SubwordDropout,
    TokenizedText,
    WordPieceTokenizer,
    count_copy_tokens,
    gather_items,
    is_copy,
    pre_tokenize_marked,
    train_wordpiece,
    write_vocabulary,
)
from zoo.reports import report_generation
from zoo.tasks.base import (
    Description,
    Evaluation,
    Prediction,
    Preprocessor,
    ServingModule,
    Table,
    Task,
    TextPredictor,
    add_limit_to_status,
    decode_strings,
    describe_search_scores,
    describe_truncation,
    format_status,
    is_truncated,
    join_status,
    make_signature,
)
from zoo.tasks.decoder_signatures import make_decoder_signatures
from zoo.training import BucketedDataset, bucket_by_length

logger = logging.getLogger(__name__)

__all__ = [
    "TranslationModule",
    "TranslationPrediction",
    "TranslationPreprocessor",
]

SEARCH_SETTINGS = ("num_beams", "length_penalty", "no_repeat_ngram_size", "repetition_penalty")
"""Settings of the recipe that decide the search of the export, not training."""

CONSTRAINTS: Mapping[str, Sequence[float]] = {"no_repeat_ngram_size": (3, 4), "repetition_penalty": (1.1,)}
"""Values that `TranslationModule.choose_constraints` tries, besides none."""

MIN_GAIN = 0.1
"""BLEU by which a constraint has to raise the score of validation texts; less is noise."""

INSERTED_SHARE = 0.25
"""Share of the training pairs without items that come a second time, with items."""


class TranslationPreprocessor(Preprocessor):
    """Texts of two languages to word pieces, and back.

    Args:
        source: tokenizer of the language to translate from.
        target: tokenizer of the language to translate into.
        languages: their names, such as ("en", "de").
        copied_items: finds what is carried over unchanged; None if the vocabularies have no tokens for it.

    Example:
        >>> import tempfile, tensorflow as tf
        >>> from pathlib import Path
        >>> from zoo.tasks.translation import TranslationPreprocessor
        >>> pairs = tf.data.Dataset.from_tensor_slices((["a dog", "a cat"], ["ein Hund", "eine Katze"]))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = TranslationPreprocessor.adapt(pairs, 60, 20, ("en", "de"), Path(directory))
        >>> [b"".join(row).decode() for row in preprocessor.tokenize(tf.constant(["a dog"]))[0].tokens.numpy()]
        ['▁a▁dog']
    """

    def __init__(
        self,
        source: WordPieceTokenizer,
        target: WordPieceTokenizer,
        languages: tuple[str, str],
        copied_items: CopiedItems | None = None,
    ) -> None:
        self.source, self.target, self.languages = source, target, languages
        self.copied_items = copied_items
        self.resources = (source, target) if copied_items is None else (source, target, copied_items)

    @classmethod
    def adapt(
        cls,
        train: tf.data.Dataset,
        vocabulary_size: int,
        max_tokens: int,
        languages: tuple[str, str],
        directory: Path,
    ) -> Self:
        """Train the word pieces of both languages on training pairs, and learn what is carried over unchanged.

        Args:
            train: pairs of a source text and a target text.
            vocabulary_size: number of word pieces of each language.
            max_tokens: longer texts are cut.
            languages: names of the languages.
            directory: where the vocabularies are written, `source.txt` and `target.txt`, and `words.txt` of
                `CopiedItems`.

        Raises:
            UsageError: the characters of the texts alone are more than `vocabulary_size` tokens.
        """
        pairs = _list_pairs(train)
        copied_items = CopiedItems.adapt(pairs, directory / "words.txt")
        texts = zip(*copied_items.mark_pairs(pairs), strict=True)
        tokenizers = []
        for side, name in zip(texts, ("source", "target"), strict=True):
            vocabulary = train_wordpiece(
                side, vocabulary_size, split=pre_tokenize_marked, special_tokens=COPY_TOKENS
            )
            path = write_vocabulary(vocabulary, directory / f"{name}.txt")
            tokenizers.append(CopyingTokenizer(path, max_tokens))
        source, target = tokenizers
        return cls(source, target, languages, copied_items)

    def encode(self, split: tf.data.Dataset, inserted: float = 0.0) -> tf.data.Dataset:
        """Return pairs of token ids for pairs of texts, targets between start and end.

        Pairs with `max_tokens` tokens or more on a side are left out: they would be cut.

        Args:
            split: pairs of texts.
            inserted: share of the pairs that come a second time, with items; see `CopiedItems.mark_pairs`.
        """
        if self.copied_items is not None:
            marked = self.copied_items.mark_pairs(_list_pairs(split), inserted)
            split = tf.data.Dataset.from_tensor_slices(tuple(map(list, zip(*marked, strict=True))))

        def encode_batch(sources: tf.Tensor, targets: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
            source, target = (
                tf.RaggedTensor.from_tensor(tokenizer(texts).ids, padding=PADDING_ID)
                for tokenizer, texts in ((self.source, sources), (self.target, targets))
            )
            start, end = (tf.fill([target.nrows(), 1], token) for token in (START_ID, END_ID))
            return source, tf.concat([start, target, end], axis=1)

        def is_short(source: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
            return tf.maximum(tf.size(source), tf.size(target) - 2) < self.source.max_tokens

        return split.batch(1024).map(encode_batch).unbatch().filter(is_short)

    def bucket(
        self, split: tf.data.Dataset, batch_size: int, seed: int | None = None, subword_dropout: float = 0.0
    ) -> BucketedDataset:
        """Return batches of pairs of similar lengths, for teacher forcing.

        With a seed, which training has, some of the pairs come a second time, with items that are carried over, and
        word pieces may be split at random.

        Args:
            split: pairs of texts.
            batch_size: number of pairs in a batch.
            seed: of the order and of the splits; None keeps one order, and word pieces as they are.
            subword_dropout: share of word pieces that are split into two, of both languages; see `SubwordDropout`.

        Raises:
            UsageError: no pair is short enough.
        """
        inserted = 0.0 if seed is None else INSERTED_SHARE
        try:
            dataset = bucket_by_length(self.encode(split, inserted), batch_size, seed=seed)
        except ValueError as error:
            raise UsageError(
                f"--max-tokens: no pair has fewer than {self.source.max_tokens} tokens on both sides. Use a higher "
                "number."
            ) from error
        if seed is not None and subword_dropout:
            dataset = dataset.map_at_random(self._make_splitter(subword_dropout), seed)
        return dataset.map(apply_teacher_forcing)

    def _make_splitter(
        self, rate: float
    ) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        """Return a function that splits word pieces of a batch of sources and targets at random."""
        split_source, split_target = (
            SubwordDropout(tokenizer, rate) for tokenizer in (self.source, self.target)
        )
        return lambda seed, source, target: (split_source(source, seed), split_target(target, seed + 1))

    def get_config(self) -> dict[str, Any]:
        """Return the configurations of the tokenizers and of the copied items, and the languages."""
        return {
            "languages": list(self.languages),
            "source": self.source.get_config(),
            "target": self.target.get_config(),
            "copied_items": None if self.copied_items is None else self.copied_items.get_config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], assets: Path) -> Self:
        """Rebuild the preprocessor of an export; see `Preprocessor.from_config`."""
        items = config.get("copied_items")  # models of earlier versions have none
        tokenizer = CopyingTokenizer if items else WordPieceTokenizer
        source, target = (tokenizer.from_config(config[name], assets) for name in ("source", "target"))
        copied_items = CopiedItems.from_config(items, assets) if items else None
        return cls(source, target, tuple(config["languages"]), copied_items)

    def tokenize(self, texts: tf.Tensor) -> tuple[TokenizedText, tf.Tensor]:
        """Tokenize sources.

        Args:
            texts: string [n].

        Returns:
            A tuple of a `TokenizedText`, in which the tokens of items are the items, and the items by number as the
            translation has them, string [n, 8]; empty where a text has fewer. The status says how many more items a
            text has.
        """
        if self.copied_items is None:
            return self.source(texts), tf.fill([tf.size(texts), len(COPY_TOKENS)], "")
        marked, items, num_items = self.copied_items.mark(texts)
        tokenized = self.source(marked)
        ids = tf.RaggedTensor.from_tensor(tokenized.ids, tokenized.tokens.row_lengths())
        copies = gather_items(tokenized.ids, items)
        copies = tf.RaggedTensor.from_tensor(copies, tokenized.tokens.row_lengths())
        tokens = tf.where(is_copy(ids.flat_values), copies.flat_values, tokenized.tokens.flat_values)
        num_left = num_items - len(COPY_TOKENS)
        problem = [tf.strings.as_string(num_left), " of ", tf.strings.as_string(num_items)]
        problem = tf.strings.join([*problem, " items were not carried over"])
        status = join_status(tokenized.status, tf.where(num_left > 0, problem, ""))
        tokens = tokenized.tokens.with_values(tokens)
        return tokenized._replace(tokens=tokens, status=status), self.copied_items.write(items)


class TranslationModule(ServingModule[TranslationPreprocessor]):
    """Strings in, translations out.

    Args:
        preprocessor: texts to word pieces and back.
        model: a `DelayedManyToMany`.
        num_beams: number of hypotheses of the beam search, and of translations that the export returns.
        length_penalty: exponent of the length penalty of Wu et al. (2016).
        no_repeat_ngram_size: number n of tokens in a row that a translation has at most as often as the text has its
            most frequent n tokens in a row, so that "11.11.2011" stays as it is. 0 allows any number; so does None,
            which leaves the choice to `choose_constraints`.
        repetition_penalty: at least 1; higher values make tokens less probable that a translation has already. None
            stands for 1, and leaves the choice to `choose_constraints`.

    Attributes:
        constraints: the last two by name, as the search has them.

    Raises:
        UsageError: `repetition_penalty` is below 1.

    Example:
        >>> import tempfile, tensorflow as tf, zoo
        >>> from pathlib import Path
        >>> from zoo.tasks.translation import TranslationModule, TranslationPreprocessor
        >>> pairs = tf.data.Dataset.from_tensor_slices((["a dog", "a cat"], ["ein Hund", "eine Katze"]))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     preprocessor = TranslationPreprocessor.adapt(pairs, 60, 20, ("en", "de"), Path(directory))
        >>> decoder = zoo.Decoder(preprocessor.target.vocabulary_size, 8, zoo.GRUCell(8))
        >>> embedding = zoo.ScaledEmbedding(preprocessor.source.vocabulary_size, 8)
        >>> model = zoo.DelayedManyToMany(embedding, zoo.Encoder(zoo.GRUCell(8)), decoder)
        >>> TranslationModule(preprocessor, model, no_repeat_ngram_size=3).constraints
        {'no_repeat_ngram_size': 3, 'repetition_penalty': 1.0}
    """

    input_kind = "text"

    def __init__(
        self,
        preprocessor: TranslationPreprocessor,
        model: DelayedManyToMany,
        num_beams: int = 5,
        length_penalty: float = 1.0,
        no_repeat_ngram_size: int | None = None,
        repetition_penalty: float | None = None,
    ) -> None:
        super().__init__(preprocessor, model)
        if repetition_penalty is not None and not repetition_penalty >= 1:
            raise UsageError(
                f"--repetition-penalty: expected a number of at least 1, got {repetition_penalty}. 1 penalizes nothing."
            )
        self.num_beams, self.length_penalty = num_beams, length_penalty
        self._wanted = {
            "no_repeat_ngram_size": no_repeat_ngram_size,
            "repetition_penalty": repetition_penalty,
        }
        self.constraints: dict[str, Any] = {
            "no_repeat_ngram_size": no_repeat_ngram_size or 0,
            "repetition_penalty": repetition_penalty or 1.0,
        }
        self.beam_search = partial(
            beam_search,
            num_beams=num_beams,
            num_return_sequences=num_beams,
            length_penalty=length_penalty,
        )

    @cached_property
    def signatures(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """Those of `searches`, and their parts: texts to ids, ids to ids, ids to texts.

        `encode`, `generate` and `decode` together compute what `serving_default` does; `generate` has numbers alone,
        and so have `init` and `step`, its single steps.
        """
        text, ids = tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None, None], tf.int32, "ids")
        sequences = [
            tf.TensorSpec([None, None, None], tf.int32, "sequences"),
            tf.TensorSpec([None, None, None], tf.int32, "positions"),
            tf.TensorSpec([None, None], tf.string, "source_tokens"),
            tf.TensorSpec([None, None], tf.string, "items"),
        ]
        return {
            **self.searches,
            "encode": make_signature(self.encode, [text]),
            "generate": make_signature(partial(self.generate, search=self.beam_search), [ids]),
            "decode": make_signature(self.decode, sequences),
            **make_decoder_signatures(self.model.decoder, self.model.prepare_memory, ids),
        }

    @cached_property
    def searches(self) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
        """`serving_default` searches with beams, `greedy` takes the most probable token at each step."""
        texts = [tf.TensorSpec([None], tf.string, "text")]
        searches: dict[str, Callable[..., Any]]
        searches = {"serving_default": self.beam_search, "greedy": greedy_search}
        return {
            name: make_signature(partial(self.translate, search=search), texts)
            for name, search in searches.items()
        }

    def translate(self, text: tf.Tensor, search: Callable[..., Any]) -> dict[str, tf.Tensor]:
        """Return the best translations of each text [batch], their scores, and the attention of the first one.

        Args:
            text: string [batch].
            search: one of `zoo.decoding`.
        """
        encoded = self.encode(text)
        ids = encoded["ids"]
        generated = self.generate(ids, search)
        decoded = self.decode(
            *(generated[name] for name in ("sequences", "positions")),
            *(encoded[name] for name in ("source_tokens", "items")),
        )
        has_text = tf.reduce_any(ids != PADDING_ID, axis=-1)
        is_complete = generated["is_complete"][:, 0] | ~has_text
        status = add_limit_to_status(encoded["status"], "translation", is_complete, _compute_limits(ids))
        is_empty = has_text & (decoded["translations"][:, 0] == "")
        return {
            **decoded,
            "scores": generated["scores"],
            "attention": generated["attention"],
            "source_tokens": encoded["source_tokens"],
            "status": join_status(status, tf.where(is_empty, "the translation is empty", "")),
        }

    def encode(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the word pieces of each text [batch].

        Returns:
            "ids" int32 [batch, time], 0 after the end; "source_tokens" string [batch, time], what they stand for;
            "items" string [batch, 8], what is carried over, as the translation has it; "status" string [batch].
        """
        tokenized, items = self.preprocessor.tokenize(text)
        source_tokens = tokenized.tokens.to_tensor("", shape=tf.shape(tokenized.ids, tf.int64))
        return {
            "ids": tokenized.ids,
            "source_tokens": source_tokens,
            "items": items,
            "status": tokenized.status,
        }

    def generate(self, ids: tf.Tensor, search: Callable[..., Any]) -> dict[str, tf.Tensor]:
        """Return the best translations of each text as ids, and the attention of the first one.

        Args:
            ids: int32 [batch, time], from `encode`.
            search: one of `zoo.decoding`.

        Returns:
            "sequences" int32 [batch, n, steps], 0 after the end; "positions" int32 [batch, n, steps], where in the
            source is what replaces an unknown token; "scores" float32 [batch, n]; "attention" float [batch, steps,
            time]; "is_complete" bool [batch, n], False for translations that stopped at their limit. All are 0 in
            rows without text.
        """
        memory, state = self.model.prepare_memory(ids)
        ngram_size = self.constraints["no_repeat_ngram_size"]
        has_copies = self.preprocessor.copied_items is not None
        sequences, scores, attention, is_complete = self.model.decoder.generate(
            *(search, state, memory),
            start_id=START_ID,
            end_id=END_ID,
            max_length=_compute_limits(ids),
            num_attended=1,
            exact_counts=count_copy_tokens(ids) if has_copies else None,
            max_ngram_count=count_most_frequent_ngram(ids, ngram_size) if ngram_size else 1,
            **self.constraints,
        )
        if attention is None:
            attention = tf.zeros(tf.concat([tf.shape(sequences[:, :1]), tf.shape(ids)[1:]], axis=0))
        has_text = tf.reduce_any(ids != PADDING_ID, axis=-1)[:, None]
        sequences = tf.where(has_text[..., None], sequences, PADDING_ID)
        attention = tf.where(has_text[..., None, None], attention, 0.0)

        # An unknown token of the target is replaced by the source token that has the most attention, and
        # by an unknown one if there is one; by none that is carried over by its number.
        weights = self.compute_all_attention(sequences, attention, state, memory)
        weights += tf.cast(ids == UNKNOWN_ID, tf.float32)[:, None, None]
        if has_copies:
            weights -= tf.cast(is_copy(ids), tf.float32)[:, None, None]
        positions = tf.argmax(weights, axis=-1, output_type=tf.int32)
        return {
            "sequences": sequences,
            "positions": tf.where(sequences == PADDING_ID, 0, positions),
            "scores": tf.where(has_text, scores, 0.0),
            "attention": attention[:, 0],
            "is_complete": is_complete & has_text,
        }

    def decode(
        self, sequences: tf.Tensor, positions: tf.Tensor, source_tokens: tf.Tensor, items: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Return the translations that `generate` has returned as ids, and the word pieces of the first ones.

        Args:
            sequences: int32 [batch, n, steps], from `generate`.
            positions: int32 [batch, n, steps], from `generate`.
            source_tokens: string [batch, time], from `encode`.
            items: string [batch, 8], from `encode`.

        Returns:
            "translations" string [batch, n] and "target_tokens" string [batch, steps].
        """
        replacements = tf.gather(source_tokens, positions, batch_dims=1)
        if self.preprocessor.copied_items is not None:
            replacements = tf.where(is_copy(sequences), gather_items(sequences, items), replacements)
        target = self.preprocessor.target
        return {
            "translations": target.detokenize(sequences, replacements),
            "target_tokens": target.ids_to_tokens(sequences, replacements)[:, 0],
        }

    def compute_all_attention(
        self, tokens: tf.Tensor, attention: tf.Tensor, state: State, memory: Memory | None
    ) -> tf.Tensor:
        """Return the attention weights of all translations, computed if one but the best has an unknown token.

        Args:
            tokens: int32 [batch, n, steps].
            attention: weights of the best translation, [batch, 1, steps, positions].
            state: state of the decoder before the first step.
            memory: memory of the decoder, or None without attention.

        Returns:
            Float tensor [batch, n, steps, positions]; that of the best for all where no other one needs its own.
        """
        n = tokens.shape[1]
        best = tf.repeat(attention, n, axis=1)
        if memory is None or n == 1:
            return best
        compute = partial(self.model.decoder.compute_attention, tokens, START_ID, state, memory)
        if get_export_scope() is ExportScope.PORTABLE:  # a branch in ONNX has no shapes to convert it with
            return compute()
        return tf.cond(tf.reduce_any(tokens[:, 1:] == UNKNOWN_ID), compute, lambda: best)

    def translate_texts(self, texts: Sequence[str], signature: str = "serving_default") -> list[str]:
        """Return the best translation of each text; texts of similar length are computed together."""
        order = np.argsort([len(text) for text in texts])
        translations = np.empty(len(texts), object)
        for rows in np.array_split(order, -(-len(order) // 64)):
            outputs = self.searches[signature](tf.constant([texts[row] for row in rows]))
            translations[rows] = [best.decode() for best in outputs["translations"][:, 0].numpy()]
        return list(translations)

    def choose_constraints(
        self, sources: Sequence[str], score: Callable[[Sequence[str]], float]
    ) -> "TranslationModule":
        """Return this module with the constraints of the search that suit validation texts best.

        Those that are None are chosen, first the size of the n-grams, then the penalty, from the values in
        `CONSTRAINTS`. A constraint is used if it raises the score by `MIN_GAIN` or more.

        Args:
            sources: the texts.
            score: from their translations to a number of at most 100, such as BLEU.
        """

        def measure(constraints: Mapping[str, Any]) -> tuple[TranslationModule, float]:
            module = TranslationModule(
                self.preprocessor, self.model, self.num_beams, self.length_penalty, **constraints
            )
            value = score(module.translate_texts(sources))
            logger.info(
                "%s: %.2f on validation",
                ", ".join(f"{name} {value}" for name, value in constraints.items()),
                value,
            )
            return module, value

        names = [name for name, value in self._wanted.items() if value is None]
        if not names:
            return self
        best, best_score = measure(self.constraints)
        for name in names if best_score <= 100 - MIN_GAIN else ():
            candidates = [measure(best.constraints | {name: value}) for value in CONSTRAINTS[name]]
            candidate, value = max(candidates, key=itemgetter(1))
            if value >= best_score + MIN_GAIN:
                best, best_score = candidate, value
        return best

    def describe(self, info: DataInfo) -> Description:
        """Return title, summary and limits for the card, and what is carried over unchanged."""
        source, target = map(name_language, self.preprocessor.languages)
        copied_items = self.preprocessor.copied_items
        return Description(
            title=f"{source} to {target} ({info.source})",
            summary=f"Translates sentences from {source} to {target}.",
            purpose="It is for the gist of single sentences of the kind of its training data, and for drafts that a "
            "person corrects, not for text that is published or relied on unread.",
            limits=(
                "It knows the words and topics of its training data, and invents translations for other words.",
                "It translates one sentence at a time, without the context of the one before.",
                describe_truncation(self.preprocessor.source),
                "A word with a letter that is rare in the training data is unknown: `status` names it, and it may be "
                "missing from the translation.",
                "The scores rank the translations of one text; they do not compare texts.",
                *([] if copied_items is None else copied_items.describe()),
            ),
        )


@dataclass(frozen=True, eq=False, repr=False)
class TranslationPrediction(Prediction):
    """Translations of a text.

    Attributes:
        status: empty, or what was wrong with the text or left out of it, or that the translation has no end.
        translations: the best first; none for an empty text.
        scores: their log-probabilities, divided by the length penalty.
        source_tokens: word pieces of the text; "␣" is a space before an item or a letter of a script without spaces.
        target_tokens: word pieces of the best translation.
        attention: weights [target, source] of the source tokens for each target token.

    Example:
        >>> import numpy as np
        >>> from zoo.tasks.translation import TranslationPrediction
        >>> prediction = TranslationPrediction("", ("Danke!",), (-0.2,), ("▁Thanks", "!"), ("▁Danke", "!"), np.eye(2))
        >>> prediction.as_table().rows
        [('Danke!', -0.2)]
    """

    translations: tuple[str, ...]
    scores: tuple[float, ...]
    source_tokens: tuple[str, ...]
    target_tokens: tuple[str, ...]
    attention: np.ndarray

    def as_table(self) -> Table:
        """Return translations and scores."""
        rows = list(zip(self.translations, self.scores, strict=True))
        return Table(("translation", "score"), rows, note=describe_search_scores("text"))

    def format_lines(self, name: str, top_k: int) -> Iterator[str]:
        """Yield score and translation."""
        if not self.translations:
            yield f"{'':8}{format_status(self.status)}"
        for translation, score in itertools.islice(self.as_table().rows, top_k):
            yield f"{score:8.3f}  {translation}{format_status(self.status)}"


class TranslationPredictor(TextPredictor[TranslationPrediction]):
    """Texts in, texts of another language out."""

    plot_caption = "Attention to the source tokens for each token of the translation."
    target_name = "translation"

    def predict_batch(
        self, inputs: Sequence[str | bytes], progress: bool = False
    ) -> Iterable[TranslationPrediction]:
        """Yield the translations of each text."""
        outputs = self.serve_texts(inputs)
        for row, status in enumerate(outputs["status"]):
            source, target = (_strip_spaces(outputs[f"{side}_tokens"][row]) for side in ("source", "target"))
            translations = decode_strings(outputs["translations"][row])
            yield TranslationPrediction(
                status.decode(),
                translations,
                tuple(outputs["scores"][row, : len(translations)].tolist()),
                source,
                target,
                outputs["attention"][row, : len(target), : len(source)],
                is_partial=is_truncated(status.decode()),
            )

    def check_target(self, target: str) -> None:
        """Check that a translation is a text.

        Raises:
            UsageError: it is not.
        """
        if not isinstance(target, str):
            raise UsageError(f"found {target!r:.60}. Expected a translation as a text. Pass a `str`.")

    def evaluate_predictions(
        self,
        inputs: Sequence[str | bytes],
        predictions: Sequence[TranslationPrediction],
        targets: Sequence[str],
    ) -> Evaluation:
        """Return BLEU, chrF and exact match of the best translations, with the signatures of sacrebleu.

        BLEU splits texts into words as in the training of the model, by the setting or the target language.
        """
        language = self.card["preprocessor"]["languages"][1]
        tokenizer = choose_bleu_tokenizer(language, self.card["settings"].get("bleu_tokenizer"))
        texts = [prediction.translations[0] if prediction.has_answer else "" for prediction in predictions]
        names = [item if isinstance(item, str) else item.decode(errors="replace") for item in inputs]
        report = report_generation(names, texts, targets, {}, overlap=0.0, bleu_tokenizer=tokenizer)
        metrics = score_translations(texts, targets, tokenizer)
        return Evaluation(metrics, len(inputs), predictions, report)

    def plot(
        self, item: str | bytes, prediction: TranslationPrediction, path: Path | None = None
    ) -> matplotlib.figure.Figure:
        """Plot the attention weights of the best translation."""
        if not prediction.attention.any():
            raise UsageError(
                "There is no attention to plot: the text or its translation is empty, or the model has no attention."
            )
        return plot_attention(prediction.attention, prediction.source_tokens, prediction.target_tokens, path)


def _compute_limits(ids: tf.Tensor) -> tf.Tensor:
    """Return the largest number of tokens, int32 [batch], of the translation of each text [batch, time]."""
    return 10 + 2 * tf.reduce_sum(tf.cast(ids != PADDING_ID, tf.int32), axis=-1)


def _list_pairs(split: tf.data.Dataset) -> list[tuple[str, str]]:
    return [(source.decode(), target.decode()) for source, target in split.as_numpy_iterator()]


def _strip_spaces(tokens: np.ndarray) -> tuple[str, ...]:
    """Return word pieces without spaces; those that are nothing else as "␣"."""
    words = (token.replace("▁", " ").strip() for token in decode_strings(tokens))
    return tuple(word or "␣" for word in words)


TASK = Task(
    name="translation",
    headline_metrics=("test BLEU",),
    preprocessor=TranslationPreprocessor,
    predictor=TranslationPredictor,
    model_settings=(
        "source",
        "target",
        "vocabulary_size",
        "embedding_dim",
        "cell",
        "units",
        "encoder_depth",
        "decoder_depth",
        "attention",
        "input_feeding",
        "max_tokens",
    ),
    pipeline_tags={"text": "translation"},
)
