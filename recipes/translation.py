"""Translation, delayed many-to-many: train on pairs of sentences, and export strings in, strings out.

zoo train translation                               dates into German, embedded, in about two minutes
zoo train translation --target zh_CN                into Chinese, or any language of Babel
zoo train translation --dataset deu-eng.zip         real sentences
zoo predict runs/translation/export/1 "How are you?"
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import zoo_quiet  # noqa: F401  hides what TensorFlow prints at its start

import keras

import zoo
from zoo.cli.amount import choose_amount
from zoo.cli.recipes import choose_examples, print_data, print_examples, print_results, run_recipe
from zoo.cli.types import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Seed, UnitInterval
from zoo.components import ATTENTIONS, CELLS
from zoo.datasets import load_translation, read_pairs
from zoo.losses import LabelSmoothedCrossentropy
from zoo.metrics import bleu, choose_bleu_tokenizer, exact_match, score_translations
from zoo.reports import measure_text_overlap, report_generation
from zoo.tasks.ancestor import initialize, load_ancestor
from zoo.tasks.translation import SEARCH_SETTINGS, TASK, TranslationModule, TranslationPreprocessor
from zoo.training import GenerationMetrics, Run, build_optimizer, is_chief


@dataclass(frozen=True)
class Settings:
    """Train an encoder and a decoder on pairs of sentences, evaluate them, and export them."""

    dataset: tuple[str, ...] = ("dates",)  # the embedded pairs, or TFDS names or paths; several are joined
    source: str = "en"  # language to translate from, as in the names of files or TFDS features
    target: str = "de"  # language to translate into, as in the names of files or TFDS features
    data_dir: Path | None = None  # directory where TFDS keeps its data; None: that of TFDS
    encoding: str | None = None  # encoding of text files; None: UTF-8, or what a byte order mark states
    citation: str = ""  # source of the data, for the card; if empty, what TFDS states
    license: str = ""  # terms of use of the data, for the card; if empty, what TFDS states
    init_from: Path | None = None
    """run, export, or name of a model to start from: weights, word pieces and form of the model"""
    freeze: tuple[Literal["embedding", "encoder"], ...] = ()
    """parts that keep the weights they start from; without any, the whole model is trained"""
    examples: Path | None = None  # texts for the card, one per line; None: two of the embedded test
    run_dir: Path = Path("runs/translation")  # directory of logs; the same command resumes there
    export_dir: Path = Path("runs/translation/export/1")  # directory of the SavedModel
    vocabulary_size: PositiveInt = 6_000  # word pieces of each language; their logits take half of the time
    embedding_dim: PositiveInt = 128
    """width of a token's vector, and of the vector before the logits; 128 suits dates, 192 real sentences"""
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"  # recurrent cell; as good as the LSTM here, and faster
    units: PositiveInt = 128
    """units of the decoder, and of the encoder in each direction; 128 suit dates, 256 real sentences"""
    encoder_depth: PositiveInt = 1  # layers of the encoder; a second one needs more data than small sets have
    decoder_depth: PositiveInt = 2
    """layers of the decoder; attention is between the two, its context an input of the second"""
    attention: Literal["multiplicative", "additive", "none"] = "multiplicative"
    """how the decoder attends to tokens of the source; multiplicative is the faster of the two"""
    input_feeding: bool = False  # feed the last context to the first layer, too; slower, and no better here
    baseline: bool = True  # train the encoder-decoder without attention, too
    dropout: UnitInterval = 0.1
    """dropout rate of word vectors, memory, and before the logits; small real sets need 0.3"""
    subword_dropout: UnitInterval = 0.0
    """share of word pieces that are split into two in training, at random; try 0.1 with few real sentences"""
    label_smoothing: UnitInterval = 0.1
    """share of the target spread over all tokens: more than one translation is right"""
    max_tokens: PositiveInt = 100
    """word pieces of a text; longer ones are cut, and longer pairs left out of training"""
    batch_size: PositiveInt | None = None
    """pairs of a batch, of similar lengths; None: 64, or of few pairs 16 or 32, for more updates"""
    epochs: PositiveInt | None = None
    """passes; the best by validation BLEU is kept; None: 10, of few pairs up to 40; 4 for the embedded sets"""
    patience: PositiveInt | None = None
    """epochs without improvement that end training; None: never, since the learning rate has to fall to zero"""
    gradient_accumulation_steps: PositiveInt = 1  # batches of one update, for large batches in little memory
    learning_rate: PositiveFloat = 2e-3
    """peak of the schedule, after a warm-up; it decays to zero; 0.002 suits 128 units, 0.0015 256"""
    num_beams: PositiveInt = 5
    """hypotheses of the search, and translations that the export returns; more take longer"""
    length_penalty: NonNegativeFloat = 1.0
    """exponent of the length by which scores are divided (Wu et al., 2016); with 0 short translations win"""
    half_precision: bool = False  # store matrices in float16 in the export: half the size
    no_repeat_ngram_size: NonNegativeInt | None = None
    """tokens of a phrase that may not occur twice; 0 allows repetition; None: chosen on validation"""
    repetition_penalty: PositiveFloat | None = None
    """factor by which the scores of earlier tokens get worse; 1 allows repetition; None: chosen on validation"""
    bleu_tokenizer: Literal["13a", "intl", "zh", "ja-mecab", "char", "none"] | None = None
    """how BLEU splits texts into words, by sacrebleu's names; None: as suits the target language"""
    seed: Seed = 1  # seed of weights, order and dropout


def build_model(
    settings: Settings, preprocessor: TranslationPreprocessor, attention: str
) -> zoo.DelayedManyToMany:
    """An encoder that reads in both directions, and a decoder that attends to all it has read."""
    cell = CELLS[settings.cell](settings.units, dropout=settings.dropout)
    embedding = zoo.ScaledEmbedding(preprocessor.source.vocabulary_size, settings.embedding_dim)
    encoder = zoo.Encoder(cell, settings.encoder_depth, bidirectional=True, residual=True)
    decoder = zoo.Decoder(
        preprocessor.target.vocabulary_size,
        settings.embedding_dim,
        cell,
        settings.decoder_depth,
        attention=ATTENTIONS[attention](),
        input_feeding=settings.input_feeding,
        dropout=settings.dropout,
    )
    return zoo.DelayedManyToMany(embedding, encoder, decoder, settings.dropout)


def train(settings: Settings) -> None:
    """The whole story, from pairs of sentences to an exported model and its translations of some."""
    sets = [f"dates/{settings.target}" if name == "dates" else name for name in settings.dataset]
    languages = settings.source, settings.target
    tokenizer = choose_bleu_tokenizer(settings.target, settings.bleu_tokenizer)
    data = load_translation(sets, languages=languages, data_dir=settings.data_dir, encoding=settings.encoding)
    info = print_data(data.info, settings)
    ancestor = load_ancestor(TASK, settings, info)
    # Real sentences take longer to learn than the embedded ones.
    advice, min_epochs = "translation for English to German", 4 if info.is_generated else 10
    settings, amount = choose_amount(data.train, settings, ancestor, advice, min_epochs, settings.baseline)
    run = Run(settings.run_dir, settings, info, ancestor, may_change=["baseline", *SEARCH_SETTINGS])

    # Word pieces and batches. The vocabularies are those of the training pairs alone.
    if ancestor:
        preprocessor = ancestor.load_preprocessor(run.directory)
    else:
        preprocessor = TranslationPreprocessor.adapt(
            data.train, settings.vocabulary_size, settings.max_tokens, languages, run.directory
        )
    train_set = preprocessor.bucket(data.train, amount.batch_size, settings.seed, settings.subword_dropout)
    validation_set = preprocessor.bucket(data.validation, amount.batch_size)
    print(train_set, validation_set, sep="\n")
    print(f"{preprocessor.source.vocabulary_size:,} and {preprocessor.target.vocabulary_size:,} word pieces")
    test_sources, test_references = read_pairs(data.test)
    examples = choose_examples(settings.examples, test_sources[:2], info)
    sources, references = read_pairs(data.validation, max_pairs=1000)

    def score(translations: Sequence[str]) -> dict[str, float]:
        return {
            "val_bleu": bleu(translations, references, tokenizer).score,
            "val_exact_match": exact_match(translations, references),
        }

    # Training and evaluation, without attention for comparison, and with it.
    attentions = ["none", settings.attention] if settings.baseline else [settings.attention]
    for attention in dict.fromkeys(attentions):
        is_baseline = attention != settings.attention
        name, suffix = f"{settings.cell}_attention_{attention}", ", without attention" if is_baseline else ""
        print(f"\n{name}")
        keras.utils.set_random_seed(settings.seed)
        model = build_model(settings, preprocessor, attention)
        module = TranslationModule(
            *(preprocessor, model, settings.num_beams, settings.length_penalty),
            *(settings.no_repeat_ngram_size, settings.repetition_penalty),
        )
        if not is_baseline and initialize(model, ancestor, settings.freeze):
            before = score_translations(module.translate_texts(test_sources), test_references, tokenizer)
            run.metrics |= {f"test {metric}, starting model": value for metric, value in before.items()}
        epochs = max(amount.baseline_epochs, run.count_epochs(name)) if is_baseline else amount.epochs
        cycles = run.plan_schedule(name, epochs, train_set.num_batches)
        run.fit(
            model,
            train_set,
            validation_set,
            name=name,
            optimizer=build_optimizer(settings.learning_rate, cycles, settings, beta_2=0.98),
            loss=LabelSmoothedCrossentropy(settings.label_smoothing),
            # The same as SparseCategoricalAccuracy, without an argmax over the vocabulary.
            metrics=[keras.metrics.SparseTopKCategoricalAccuracy(1, "accuracy")],
            epochs=epochs,
            patience=settings.patience,
            monitor="val_bleu",
            mode="max",
            callbacks=[GenerationMetrics(sources, partial(module.translate_texts, sources, "greedy"), score)],
        )
        run.metrics[f"validation BLEU (greedy){suffix}"] = run.best_epoch.metrics["val_bleu"]
        if not is_baseline:  # constraints of the exported search, as the settings or validation choose them
            module = module.choose_constraints(sources, lambda texts: score(texts)["val_bleu"])
            run.settings |= module.constraints
        translations = module.translate_texts(test_sources)
        for metric, value in score_translations(translations, test_references, tokenizer).items():
            run.metrics[f"test {metric}{suffix}"] = value
    run.metrics["minutes"] = run.elapsed_minutes
    overlap = measure_text_overlap(data)
    report = report_generation(test_sources, translations, test_references, run.metrics, overlap, tokenizer)
    print_results(run.metrics, report)

    # Export: the graph takes raw strings.
    if is_chief():
        report.save(run.directory / "report")
        inputs = {"text": examples.texts}
        TASK.export(run, module, info, settings.export_dir, inputs, examples.are_public, report)
        print_examples(settings.export_dir, inputs)


if __name__ == "__main__":
    run_recipe(train, Settings, TASK)
