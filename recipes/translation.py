"""Translation, delayed many-to-many: learn from pairs of sentences, and export strings in, strings out.

python recipes/translation.py                              train, evaluate, export: dates into German
python recipes/translation.py --target fr                  into French, or any language that Babel knows
python recipes/translation.py --dataset deu-eng.zip        the same on real sentences
python recipes/translation.py predict "How are you?"       ask a trained model
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.cli.recipes import ended, main, minutes, origin, recorded, reported
from zoo.cli.types import NonNegativeFloat, PositiveFloat, PositiveInt, Seed, UnitInterval
from zoo.components import ATTENTIONS, CELLS
from zoo.datasets import DataInfo, DataSplits, load_translation
from zoo.decoding import DecodingResult, beam_search, greedy_search
from zoo.errors import UsageError
from zoo.export.saved_model import Card, export_model
from zoo.formulations import apply_teacher_forcing
from zoo.losses import LabelSmoothedCrossentropy
from zoo.metrics import bleu, chrf, exact_match
from zoo.preprocessing.text import (
    END_ID,
    PADDING_ID,
    START_ID,
    UNKNOWN_ID,
    WordPieceTokenizer,
    train_wordpiece,
    write_vocabulary,
)
from zoo.schedules import warmup_cosine_decay
from zoo.training import BucketedDataset, GenerationMetrics, bucket_by_length, fit

# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train an encoder and a decoder on pairs of sentences, evaluate them, and export them.

    To ask a trained model instead: translation.py predict --help
    """

    dataset: tuple[str, ...] = ("dates",)  # embedded; or TFDS names or paths, put together
    source: str = "en"  # language, as the files' names or TFDS have it
    target: str = "de"  # likewise
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    credit: str = ""  # whose data they are, for the card; TFDS knows it of its own sets
    license: str = ""  # what they allow, for the card; TFDS knows it of some
    examples: tuple[str, ...] = ()  # texts to translate on the card; none: two of validation
    folder: Path = Path("runs/translation")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/translation/export/1")  # where the SavedModel goes
    vocabulary: PositiveInt = 6_000  # word pieces of each language: the product with them is half of the time
    embedding: PositiveInt = 128  # width of a piece's vector, and of what the scores are made of
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"  # as good as the LSTM here, and faster
    units: PositiveInt = 128  # of the decoder, and of the encoder in each direction
    encoder_depth: PositiveInt = 1  # a second layer needs more data than the small sets have
    decoder_depth: PositiveInt = 2  # attention stands between the two: the second knows where it has looked
    attention: Literal["multiplicative", "additive", "none"] = "multiplicative"  # the faster of the two
    input_feeding: bool = False  # slower, and no better here
    baseline: bool = True  # train the encoder-decoder without attention, too
    dropout: UnitInterval = 0.1  # of word vectors, memory, and before the scores; small real sets need 0.3
    smoothing: UnitInterval = 0.1  # of labels: there is more than one right translation
    max_pieces: PositiveInt = 100  # longer texts are cut, longer pairs left out of training
    batch_size: PositiveInt = 64  # pairs of about the same lengths
    epochs: PositiveInt = 4  # the one with the best BLEU on validation is kept; real sets need 10 and more
    learning_rate: PositiveFloat = 2e-3  # at its peak; it rises at first, and falls to zero
    beams: PositiveInt = 5  # hypotheses in the search, and answers that the export gives
    length_penalty: NonNegativeFloat = 1.0  # of Wu et al. (2016); without it short answers win
    bleu_tokenizer: Literal["13a", "intl", "zh", "char", "none"] = "13a"  # none: the data are tokenized
    seed: Seed = 1  # of weights, order and dropout


# --- Data ---------------------------------------------------------------------------------------


def batched(
    texts: DataSplits[tf.data.Dataset], folder: Path, settings: Settings
) -> tuple[WordPieceTokenizer, WordPieceTokenizer, BucketedDataset, BucketedDataset]:
    """The pieces of both languages, learnt from the training pairs alone, and batches of teacher forcing."""
    pieces = []
    for side, name in enumerate(("source", "target")):
        train = (pair[side].decode() for pair in texts.train.as_numpy_iterator())
        try:
            learnt = train_wordpiece(train, settings.vocabulary)
        except ValueError as error:
            raise UsageError(f"--vocabulary: {error}") from error
        file = write_vocabulary(learnt, folder / f"{name}.txt")
        pieces.append(WordPieceTokenizer(file, settings.max_pieces))

    def ids(sources: tf.Tensor, targets: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        source, target = (
            tf.RaggedTensor.from_tensor(encoder(side).ids, padding=PADDING_ID)
            for encoder, side in zip(pieces, (sources, targets), strict=True)
        )
        start, end = (tf.fill([target.nrows(), 1], token) for token in (START_ID, END_ID))
        return source, tf.concat([start, target, end], axis=1)

    def fits(source: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        return tf.maximum(tf.size(source), tf.size(target) - 2) < settings.max_pieces

    def forced(split: tf.data.Dataset, seed: int | None = None) -> BucketedDataset:
        whole = split.batch(1024).map(ids).unbatch().filter(fits)
        try:
            found = bucket_by_length(whole, settings.batch_size, seed=seed)
        except ValueError as error:
            raise UsageError(
                f"--max-pieces: no pair has fewer than {settings.max_pieces} word pieces on both sides. Give "
                "a higher number."
            ) from error
        print(found)
        if left_out := int(split.cardinality()) - found.num_examples:
            print(f"left out: {left_out:,} with {settings.max_pieces:,} word pieces or more on a side")
        return found.map(apply_teacher_forcing)

    return *pieces, forced(texts.train, settings.seed), forced(texts.validation)


# --- Model --------------------------------------------------------------------------------------


def delayed_many_to_many(
    settings: Settings, source: int, target: int, attention: str
) -> zoo.DelayedManyToMany:
    """An encoder that reads in both directions, and a decoder that looks back at all it has read."""
    cell = CELLS[settings.cell](settings.units, dropout=settings.dropout)
    encoder = zoo.Encoder(cell, settings.encoder_depth, bidirectional=True, residual=True)
    decoder = zoo.Decoder(
        target,
        settings.embedding,
        cell,
        settings.decoder_depth,
        attention=ATTENTIONS[attention](),
        input_feeding=settings.input_feeding,
        dropout=settings.dropout,
    )
    embedding = zoo.ScaledEmbedding(source, settings.embedding)
    return zoo.DelayedManyToMany(embedding, encoder, decoder, settings.dropout)


# --- Training and evaluation --------------------------------------------------------------------


def spoken(program: "Program", pairs: Sequence[tuple[str, str]], settings: Settings) -> GenerationMetrics:
    """Translates the pairs' sources after each epoch, greedily."""
    sources, references = zip(*pairs, strict=True)

    def scores(answers: Sequence[str]) -> dict[str, float]:
        return {
            "val_bleu": bleu(answers, references, settings.bleu_tokenizer).score,
            "val_exact_match": exact_match(answers, references),
        }

    return GenerationMetrics(sources, lambda: translated(program.greedy, sources), scores)


def translated(serve: Callable[..., dict[str, tf.Tensor]], sources: Sequence[str]) -> list[str]:
    """The best translation of each; those of like length together."""
    order = np.argsort([len(source) for source in sources])
    answers = np.empty(len(sources), object)
    for some in np.array_split(order, -(-len(order) // 64)):
        said = serve(text=tf.constant([sources[i] for i in some]))["translations"]
        answers[some] = [best.decode() for best in said[:, 0].numpy()]
    return answers.tolist()


def train(settings: Settings) -> None:
    """The whole story, from pairs of sentences to an exported model and what it says of some."""
    start, figures = time.time(), {}
    names = [f"dates/{settings.target}" if name == "dates" else name for name in settings.dataset]
    languages = (settings.source, settings.target)
    texts = load_translation(names, languages=languages, data_dir=settings.data_dir)
    print(f"{texts.info.source}: {' to '.join(texts.info.languages)}.", *texts.info.notes)
    validation, test = (
        [(source.decode(), target.decode()) for source, target in split.as_numpy_iterator()]
        for split in (texts.validation, texts.test)
    )
    with tempfile.TemporaryDirectory() as folder:
        source, target, training, validating = batched(texts, Path(folder), settings)
        rate = warmup_cosine_decay(settings.learning_rate, settings.epochs * training.num_batches)
        kinds = ["none", settings.attention] if settings.baseline else [settings.attention]
        models = {f"{settings.cell}_attention_{kind}": kind for kind in kinds}
        for name, attention in models.items():
            print(f"\n{name}, {source.vocabulary_size} and {target.vocabulary_size} pieces known")
            keras.utils.set_random_seed(settings.seed)
            model = delayed_many_to_many(settings, source.vocabulary_size, target.vocabulary_size, attention)
            program = Program(source, target, model, settings.beams, settings.length_penalty)
            history = fit(
                model,
                training,
                validating,
                optimizer=keras.optimizers.Adam(rate, beta_2=0.98, global_clipnorm=1.0),
                loss=LabelSmoothedCrossentropy(settings.smoothing),
                metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
                epochs=settings.epochs,
                monitor="val_bleu",
                mode="max",
                callbacks=[spoken(program, validation[:: -(-len(validation) // 1000)], settings)],
                run_dir=settings.folder / name,
                settings=recorded(settings, "baseline", "beams", "length_penalty"),
            )
            figures[f"validation BLEU (greedy), {name}"] = max(epoch["val_bleu"] for epoch in history)
            figures |= evaluation(program, test, name, settings)
        figures["minutes"] = minutes(start, [settings.folder / name for name in models])
        figures = reported(figures)
        if not zoo.training.is_chief():
            return
        examples = settings.examples or [source for source, _ in validation[:2]]
        signatures = {"serving_default": program.serve, "greedy": program.greedy}
        about = card(settings, texts.info, figures)
        export_model(signatures, [source, target, model], {"text": examples}, settings.export, about)
    ended("translation", settings.export, examples, examples, examples[0])


def evaluation(
    program: "Program", pairs: Sequence[tuple[str, str]], name: str, settings: Settings
) -> dict[str, float]:
    """BLEU, chrF and exact match on the test pairs, with beam search."""
    answers = translated(program.serve, [source for source, _ in pairs])
    references = [target for _, target in pairs]
    scores = bleu(answers, references, settings.bleu_tokenizer), chrf(answers, references)
    print(*(f"{score.signature}: {score.score:.2f}" for score in scores), sep="\n")
    return {
        f"test BLEU, {name}": scores[0].score,
        f"test chrF, {name}": scores[1].score,
        f"test exact match, {name}": exact_match(answers, references),
    }


# --- Export -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Program:
    """The whole program: strings in, translations out."""

    source: WordPieceTokenizer
    target: WordPieceTokenizer
    model: zoo.DelayedManyToMany
    beams: int
    length_penalty: float

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")], autograph=False)
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each text the best translations, their scores, and where the decoder looked for the first."""
        how = {
            "num_beams": self.beams,
            "num_return_sequences": self.beams,
            "length_penalty": self.length_penalty,
        }
        return self._answer(text, beam_search, **how)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")], autograph=False)
    def greedy(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same with one translation, always by the likeliest next piece: faster, and less good."""
        return self._answer(text, greedy_search)

    def _answer(
        self, text: tf.Tensor, search: Callable[..., DecodingResult], **how: float
    ) -> dict[str, tf.Tensor]:
        source = self.source(text)
        memory, state = self.model.prepare_memory(source.ids)
        limit = 10 + 2 * tf.reduce_sum(tf.cast(source.ids != PADDING_ID, tf.int32), axis=-1)
        tokens, scores, looked = self.model.decoder.generate(
            search, state, memory, start_id=START_ID, end_id=END_ID, max_length=limit, **how
        )
        if looked is None:
            looked = tf.zeros(tf.concat([tf.shape(tokens), tf.shape(source.ids)[1:]], axis=0))
        said = source.status[:, None] != "no text"
        looked = tf.where(said[..., None, None], looked, 0.0)

        # What it has no pieces for is copied from where it looked, from unknown words if there are any.
        unknown = tf.cast(source.ids == UNKNOWN_ID, tf.float32)[:, None, None]
        pieces = source.tokens.to_tensor("", shape=tf.shape(source.ids, tf.int64))
        copies = tf.gather(pieces, tf.argmax(looked + unknown, axis=-1), batch_dims=1)
        texts = self.target.detokenize(tokens, copies)
        return {
            "translations": tf.where(said, texts, ""),
            "scores": scores,
            "attention": looked[:, 0],
            "source_pieces": pieces,
            "target_pieces": tf.where(said, self.target.ids_to_tokens(tokens, copies)[:, 0], ""),
            "status": source.status,
        }


def card(settings: Settings, info: DataInfo, figures: dict[str, float]) -> Card:
    """What is to be known of the model."""
    source, target = info.languages
    return Card(
        title=f"Translation, {source} to {target} ({info.source})",
        summary=f"Translates sentences from {source} into {target}.",
        **origin(settings, info),
        figures=figures,
        limits=(
            "It knows the words and the subjects of its data, and makes up what it does not know.",
            "It translates a sentence at a time, and knows nothing of the one before.",
            f"Of a text of more than {settings.max_pieces} word pieces it reads the first.",
            "A word with a letter that is rare in the data is unknown to it: it copies the word as it "
            "is, where it can, and names it in `status`.",
            "The scores rank the translations of one text; they do not compare texts.",
        ),
    )


if __name__ == "__main__":
    main(train, Settings, "translation", zoo.tasks.Translator)
