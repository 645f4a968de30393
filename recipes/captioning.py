"""Captioning, one-to-many: learn to say what a picture shows, and export image bytes in, sentences out.

python recipes/captioning.py                                train, evaluate, export: drawn scenes
python recipes/captioning.py --dataset Flickr8k --encoder efficientnet_lite0 --image-size 224
                                                            the same on photos
python recipes/captioning.py --dataset clips                the same on clips: delayed many-to-many
python recipes/captioning.py predict photo.jpg              ask a trained model
"""

import itertools
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.cli.recipes import ended, main, minutes, origin, recorded, reported
from zoo.cli.types import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Seed, UnitInterval
from zoo.components import ATTENTIONS, CELLS
from zoo.datasets import CaptioningSplit, DataInfo, DataSplits, load_captioning
from zoo.decoding import DecodingResult, beam_search, greedy_search
from zoo.errors import UsageError
from zoo.export.saved_model import Card, export_model
from zoo.formulations import apply_teacher_forcing
from zoo.losses import LabelSmoothedCrossentropy
from zoo.metrics import normalize_caption, score_captions
from zoo.preprocessing.images import (
    FeatureExtractor,
    ImageReader,
    build_image_encoder,
    make_thumbnail,
    split_encoder,
)
from zoo.preprocessing.text import (
    END_ID,
    PADDING_ID,
    START_ID,
    WordPieceTokenizer,
    merge_word_pieces,
    train_wordpiece,
    write_vocabulary,
)
from zoo.preprocessing.video import CLIP_FRAME_SIZE, ClipReader, read_clip
from zoo.schedules import warmup_cosine_decay
from zoo.training import BucketedDataset, GenerationMetrics, bucket_by_length, extract_features, fit

# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train a decoder on pictures, or clips, and their captions, evaluate it, and export it.

    To ask a trained model instead: captioning.py predict --help
    """

    dataset: str = "scenes"  # embedded, as clips; or a TFDS name; or as Flickr8k and COCO have it, or a table
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    credit: str = ""  # whose data they are, for the card; TFDS knows it of its own sets
    license: str = ""  # what they allow, for the card; TFDS knows it of some
    examples: tuple[Path, ...] = ()  # pictures or videos to caption on the card; none: two of validation
    folder: Path = Path("runs/captioning")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/captioning/export/1")  # where the SavedModel goes
    encoder: str = "small"  # trained from scratch; or efficientnet_lite0, or one such as MobileNetV2
    weights: Path | None = None  # a file with those of the encoder; None: where its maker has them
    image_size: PositiveInt = 64  # pixels each way; pictures are squeezed to a square
    tuned: NonNegativeInt = 0  # last convolutions of the encoder to train, too; then with a low learning rate
    frames: PositiveInt = 8  # to be seen of a clip, evenly spread
    vocabulary: PositiveInt = 6_000  # word pieces
    embedding: PositiveInt = 128  # width of a piece's vector, and of what the scores are made of
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"
    units: PositiveInt = 128  # of the decoder
    decoder_depth: PositiveInt = 2  # attention stands after the first
    attention: Literal["multiplicative", "additive", "none"] = "multiplicative"  # none: one look, at first
    doubly_stochastic: NonNegativeFloat = (
        0.0  # how much it is to look everywhere once; a scene is mostly ground
    )
    dropout: UnitInterval = 0.1  # of features, word vectors, and before the scores; photos need more
    smoothing: UnitInterval = 0.05  # of labels; photos need more: there is more than one right caption
    max_pieces: PositiveInt = 40  # longer captions are cut
    batch_size: PositiveInt = 32  # captions of about the same length
    epochs: PositiveInt = 12  # the one with the best CIDEr on validation is kept
    learning_rate: PositiveFloat = 3e-3  # at its peak; it rises at first, and falls to zero
    beams: PositiveInt = 3  # hypotheses in the search, and answers that the export gives
    length_penalty: NonNegativeFloat = 1.0  # of Wu et al. (2016); without it short captions win
    seed: Seed = 1  # of weights, order and dropout


# --- Data ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures or clips as the model is given them, and their captions in plain words."""

    maps: np.ndarray  # of all that the data have
    rows: np.ndarray  # which of them are whole
    captions: list[list[str]]


def seen(extract: FeatureExtractor, cache: Path, split: CaptioningSplit) -> Split:
    """The features of all pictures or clips; those that cannot be read are told and left out."""
    maps, status = extract_features(extract, split.read_inputs, cache)
    broken = [(name, why) for name, why in zip(split.names, status, strict=True) if why]
    for name, why in broken[:5]:
        print(f"left out: {name}: {why}")
    if broken[5:]:
        print(f"left out: {len(broken) - 5:,} more")
    rows = np.flatnonzero([not why for why in status])
    if not len(rows):
        raise UsageError(f"None of {len(status):,} pictures or clips can be read. Replace them.")
    captions = [[normalize_caption(caption) for caption in split.captions[row]] for row in rows]
    return Split(maps, rows, captions)


def examples_of(
    data: DataSplits[CaptioningSplit], split: Split, settings: Settings, folder: Path
) -> dict[str, Any]:
    """What the card shows: what the user named, or the first two of validation, pictures as small copies."""
    if settings.examples and data.info.is_video:
        return ClipReader.pack_inputs([read_clip(name, CLIP_FRAME_SIZE) for name in settings.examples])
    if settings.examples:
        return {"image": settings.examples}
    first = [next(itertools.islice(data.validation.read_inputs(), row, None)) for row in split.rows[:2]]
    if data.info.is_video:
        return ClipReader.pack_inputs(first)
    files = [folder / f"{number}.png" for number in range(len(first))]
    for file, image in zip(files, first, strict=True):
        make_thumbnail(image).save(file)
    return {"image": files}


def batched(
    split: Split, pieces: WordPieceTokenizer, settings: Settings, seed: int | None = None
) -> BucketedDataset:
    """Batches of maps and captions of like length, for teacher forcing: a picture comes with each caption."""
    rows = np.repeat(split.rows, [len(captions) for captions in split.captions])
    texts = tf.constant(list(itertools.chain.from_iterable(split.captions)))
    tokens = tf.RaggedTensor.from_tensor(pieces(texts).ids, padding=PADDING_ID)
    start, end = (tf.fill([tokens.nrows(), 1], token) for token in (START_ID, END_ID))
    both = tf.constant(rows), tf.concat([start, tokens, end], axis=1)
    # Captions cost little beside what they are about, and batches of all kinds of them teach more.
    found = bucket_by_length(
        tf.data.Dataset.from_tensor_slices(both), settings.batch_size, max_padding=0.5, seed=seed
    )
    print(found)

    def forced(rows: tf.Tensor, tokens: tf.Tensor) -> tuple:
        maps = tf.numpy_function(lambda rows: split.maps[rows], [rows], split.maps.dtype)
        return apply_teacher_forcing(tf.ensure_shape(maps, [None, *split.maps.shape[1:]]), tokens)

    return found.map(forced)


def counts(split: Split, pieces: WordPieceTokenizer) -> np.ndarray:
    """How often each piece is to be said."""
    ids = pieces(tf.constant(list(itertools.chain.from_iterable(split.captions)))).ids.numpy()
    found = np.bincount(ids.ravel(), minlength=pieces.vocabulary_size)
    found[[PADDING_ID, END_ID]] = 0, len(ids)
    return found


def nearest(train: Split, test: Split) -> list[str]:
    """For each test picture a caption of the training picture that is nearest: what memory alone can do."""
    best, caption = np.full(len(test.rows), np.inf), np.zeros(len(test.rows), int)
    wanted = test.maps[test.rows].reshape(len(test.rows), -1).astype(np.float32)
    for start in range(0, len(train.rows), 1000):
        some = train.maps[train.rows[start : start + 1000]].reshape(-1, wanted.shape[1]).astype(np.float32)
        distances = (some**2).sum(1) - 2 * wanted @ some.T
        nearer = distances.min(1) < best
        caption[nearer] = start + distances.argmin(1)[nearer]
        best = np.minimum(best, distances.min(1))
    return [train.captions[row][0] for row in caption]


# --- Model --------------------------------------------------------------------------------------


def caption_model(
    settings: Settings, vocabulary: int, encoder: keras.Model | None, moving: bool
) -> zoo.OneToMany | zoo.DelayedManyToMany:
    """What of the encoder is trained, and a decoder that looks at the map while it speaks.

    Of a clip each frame has a map, and a recurrent encoder reads what happens at each place, both ways.
    """
    cell = CELLS[settings.cell]
    decoder = zoo.Decoder(
        vocabulary,
        settings.embedding,
        cell(settings.units, dropout=settings.dropout),
        settings.decoder_depth,
        attention=ATTENTIONS[settings.attention](),
        dropout=settings.dropout,
    )
    if not moving:
        return zoo.OneToMany(decoder, encoder, settings.dropout, settings.doubly_stochastic)
    over_time = zoo.Encoder(cell(-(-settings.units // 2)), bidirectional=True)
    return zoo.DelayedManyToMany(zoo.FrameVectors(encoder), over_time, decoder, settings.dropout)


# --- Training and evaluation --------------------------------------------------------------------


def spoken(program: "Program", split: Split) -> GenerationMetrics:
    """Captions the pictures after each epoch, greedily."""

    def scores(answers: Sequence[str]) -> dict[str, float]:
        found = score_captions(answers, split.captions)
        return {"val_cider": found["CIDEr"], "val_bleu4": found["BLEU-4"]}

    return GenerationMetrics(
        [captions[0] for captions in split.captions],
        lambda: captioned(program.tell_greedily, split),
        scores,
    )


def captioned(tell: Callable[[tf.Tensor], dict[str, tf.Tensor]], split: Split) -> list[str]:
    """The best caption of each."""
    parts = (slice(i, i + 64) for i in range(0, len(split.rows), 64))
    batches = (tell(tf.constant(split.maps[split.rows[part]]))["captions"][:, 0] for part in parts)
    return [best.decode() for batch in batches for best in batch.numpy()]


def train(settings: Settings) -> None:
    """The whole story, from pictures and captions to an exported model and what it says of some."""
    start, figures = time.time(), {}
    if lost := [str(example) for example in settings.examples if not example.is_file()]:
        raise UsageError(f"--examples: there is no file {', '.join(lost)}.")
    run = settings.folder / f"{settings.cell}_attention_{settings.attention}"
    keras.utils.set_random_seed(settings.seed)
    encoder = build_image_encoder(settings.encoder, settings.image_size, settings.weights or "pretrained")
    data = load_captioning(settings.dataset, data_dir=settings.data_dir)
    print(f"{data.info.source}.", *data.info.notes)
    # The small one knows nothing yet: all of it is trained.
    kept, trained = (None, encoder) if settings.encoder == "small" else split_encoder(encoder, settings.tuned)
    size = settings.image_size
    reader = ClipReader(settings.frames, size) if data.info.is_video else ImageReader(size)
    read = FeatureExtractor(reader, kept)
    see = partial(seen, read, settings.folder / "features")
    training, validation, test = map(see, (data.train, data.validation, data.test))
    with tempfile.TemporaryDirectory() as folder:
        try:
            known = train_wordpiece(itertools.chain.from_iterable(training.captions), settings.vocabulary)
        except ValueError as error:
            raise UsageError(f"--vocabulary: {error}") from error
        file = write_vocabulary(known, Path(folder) / "pieces.txt")
        pieces = WordPieceTokenizer(file, settings.max_pieces)
        batches_of_training = batched(training, pieces, settings, settings.seed)
        model = caption_model(settings, pieces.vocabulary_size, trained, data.info.is_video)
        model.build(((None, *training.maps.shape[1:]), (None, None)))
        model.decoder.set_output_bias(counts(training, pieces))
        program = Program(read, pieces, model, settings.beams, settings.length_penalty)
        rate = warmup_cosine_decay(settings.learning_rate, settings.epochs * batches_of_training.num_batches)
        history = fit(
            model,
            batches_of_training,
            batched(validation, pieces, settings),
            optimizer=keras.optimizers.Adam(rate, beta_2=0.98, global_clipnorm=1.0),
            loss=LabelSmoothedCrossentropy(settings.smoothing),
            metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
            epochs=settings.epochs,
            monitor="val_cider",
            mode="max",
            callbacks=[spoken(program, validation)],
            run_dir=run,
            settings=recorded(settings, "beams", "length_penalty"),
        )
        figures["validation CIDEr (greedy)"] = max(epoch["val_cider"] for epoch in history)
        figures |= evaluation(captioned(program.tell, test), training, test)
        remembered = nearest(training, test)
        nearby = f"nearest training {'clip' if data.info.is_video else 'picture'}"
        figures[f"test BLEU-4, {nearby}"] = score_captions(remembered, test.captions)["BLEU-4"]
        figures[f"test exact match, {nearby}"] = matches(remembered, test)
        figures["minutes"] = minutes(start, [run])
        figures = reported(figures)
        if not zoo.training.is_chief():
            return
        examples = examples_of(data, validation, settings, Path(folder))
        signatures = {"serving_default": program.serve, "greedy": program.greedy}
        about = card(settings, data.info, figures)
        export_model(signatures, program.resources, examples, settings.export, about)
    if data.info.is_video:
        shown = [frames[:length] for frames, length in zip(*examples.values(), strict=True)]
        names = [f"clip {number}" for number in range(1, 1 + len(shown))]
        ended("captioning", settings.export, shown, names, "video.mp4")
    else:
        files = sorted(settings.export.glob("example*"))
        ended("captioning", settings.export, files, files, files[0])


def matches(answers: Sequence[str], split: Split) -> float:
    """The share of answers, from 0 to 100, that are one of the right captions."""
    return 100 * float(
        np.mean([answer in right for answer, right in zip(answers, split.captions, strict=True)])
    )


def evaluation(answers: Sequence[str], training: Split, test: Split) -> dict[str, float]:
    """The scores on the test pictures, and how much of the captions is the model's own."""
    known = set(itertools.chain.from_iterable(training.captions))
    return {
        **{f"test {name}": score for name, score in score_captions(answers, test.captions).items()},
        "test exact match": matches(answers, test),
        "distinct captions, share": 100 * len(set(answers)) / len(answers),
        "captions that training has, share": 100 * float(np.mean([answer in known for answer in answers])),
    }


# --- Export -------------------------------------------------------------------------------------


class Program:
    """The whole program: image bytes, or frames, in, captions out."""

    def __init__(
        self,
        read: FeatureExtractor,
        pieces: WordPieceTokenizer,
        model: zoo.OneToMany | zoo.DelayedManyToMany,
        beams: int,
        length_penalty: float,
    ) -> None:
        self.read, self.pieces, self.model = read, pieces, model
        search = partial(
            beam_search, num_beams=beams, num_return_sequences=beams, length_penalty=length_penalty
        )
        given = {"input_signature": read.reader.input_signature, "autograph": False}
        # For each picture or clip the best captions, their scores, and where the decoder looked for the
        # first; and the same with one caption, always by the likeliest next piece: faster, and less good.
        self.serve = tf.function(lambda *raw: self._said(*read(*raw), search), **given)
        self.greedy = tf.function(lambda *raw: self._said(*read(*raw), greedy_search), **given)
        # The same of what was read.
        self.tell = tf.function(partial(self._of_maps, search=search), autograph=False, reduce_retracing=True)
        self.tell_greedily = tf.function(
            partial(self._of_maps, search=greedy_search), autograph=False, reduce_retracing=True
        )

    @property
    def resources(self) -> list[tf.Module | keras.Model]:
        """All that has a state."""
        return [self.pieces, self.model, *([self.read.encoder] if self.read.encoder else [])]

    def _of_maps(self, maps: tf.Tensor, search: Callable[..., DecodingResult]) -> dict[str, tf.Tensor]:
        return self._said(maps, tf.fill(tf.shape(maps)[:1], ""), search)

    def _said(
        self, maps: tf.Tensor, status: tf.Tensor, search: Callable[..., DecodingResult]
    ) -> dict[str, tf.Tensor]:
        memory, state = self.model.prepare_memory(maps)
        limit = self.pieces.max_tokens + 1
        tokens, scores, looked = self.model.decoder.generate(
            search, state, memory, start_id=START_ID, end_id=END_ID, max_length=limit
        )
        positions = self.model.memory_shape
        if looked is None:
            looked = tf.zeros([*tf.unstack(tf.shape(tokens)), math.prod(positions)])
        whole = status == ""
        pieces = tf.where(whole[:, None], self.pieces.ids_to_tokens(tokens[:, 0]), "")
        words, looked = merge_word_pieces(pieces, looked[:, 0])
        return {
            "captions": tf.where(whole[:, None], self.pieces.detokenize(tokens), ""),
            "scores": scores,
            "attention": tf.reshape(looked, [*tf.unstack(tf.shape(words)), *positions]),
            "words": words,
            "status": status,
        }


def card(settings: Settings, info: DataInfo, figures: dict[str, float]) -> Card:
    """What is to be known of the model."""
    if info.is_video:
        shown = "clip"
        own = (
            f"It sees {settings.frames} frames of a clip, evenly spread, each squeezed to a square of "
            f"{settings.image_size} pixels a side: what is short or small is missed. How fast frames "
            "follow each other it is not told.",
        )
    else:
        shown = "picture"
        own = (
            "It reads JPEG, PNG, GIF (the first frame) and BMP without a palette, and squeezes the picture "
            "to a square. What a camera notes on how to turn it (EXIF) is ignored: turn it before.",
            "Attention is spread, and may lie beside what a word names: each place of the map knows of much "
            "of the picture.",
        )
    return Card(
        title=f"Captioning ({info.source})",
        summary=f"Says in a sentence what a {shown} shows, and where it looked for each word.",
        **origin(settings, info),
        figures=figures,
        limits=(
            "It knows what its data show, and tells of other things in the same words.",
            "Captions are plain words, lower case, no punctuation, and scored against references in the same "
            "form. CIDEr is CIDEr-D, 100 where papers have 1; the other figures are between 0 and 100.",
            f"The scores rank the captions of one {shown}; they do not compare {shown}s.",
            *own,
        ),
    )


if __name__ == "__main__":
    main(train, Settings, "captioning", zoo.tasks.Captioner)
