"""Captioning, one-to-many: learn to say what a picture shows, and export image bytes in, sentences out.

python recipes/captioning.py                                train, evaluate, export: drawn scenes
python recipes/captioning.py --dataset Flickr8k --encoder efficientnet_lite0 --image-size 224
                                                            the same on photos
python recipes/captioning.py --dataset clips                the same on clips: delayed many-to-many
python recipes/captioning.py predict photo.jpg              ask a trained model
"""

import dataclasses
import io
import itertools
import shlex
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf
import tyro
from PIL import Image

import zoo
from recipes.command_line import (
    Count,
    Number,
    Penalty,
    Rate,
    Seed,
    Share,
    UsageError,
    lines,
    loaded,
    main,
    minutes,
    origin,
    picture,
    recorded,
)
from recipes.parts import ATTENTIONS, CELLS, SpokenValidation, pooled_frame_encoder
from zoo.datasets import Captioned, CaptionedImages, load_captioning
from zoo.decoding import Decoded, beam_search, greedy
from zoo.export import Card, export_program
from zoo.formulations import FrameVectors, SmoothedCrossentropy, teacher_forced
from zoo.images import ImageFeatures, ImageReader, cut, image_encoder
from zoo.inspection import plot_attention, plot_glimpses
from zoo.metrics import caption_scores, plain_words
from zoo.text import END, PADDING, START, PieceEncoder, joined_words, learn_pieces, write_vocabulary
from zoo.training import Batches, batches, fit, image_features, warmed_cosine
from zoo.video import FrameReader, open_video

OFFSETS = (-3, 3)  # the frames of a clip with which each is compared: things have moved by then
# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train a decoder on pictures, or clips, and their captions, evaluate it, and export it.

    To ask a trained model instead: captioning.py predict --help
    """

    dataset: str = "scenes"  # embedded, as clips; or a TFDS name; or as Flickr8k and COCO have it, or a table
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    credit: str = ""  # whose data they are, for the card; TFDS knows it of its own sets
    licence: str = ""  # what they allow, for the card; TFDS knows it of some
    examples: tuple[Path, ...] = ()  # pictures or videos to caption on the card; none: two of validation
    folder: Path = Path("runs/captioning")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/captioning/export/1")  # where the SavedModel goes
    encoder: str = "small"  # trained from scratch; or efficientnet_lite0, or one such as MobileNetV2
    weights: Path | None = None  # a file with those of the encoder; None: where its maker has them
    image_size: Count = 64  # pixels each way; pictures are squeezed to a square
    tuned: Number = 0  # last convolutions of the encoder to train, too; then with a low learning rate
    frame_size: Count = 48  # the same of frames, which the small encoder sees
    frames: Count = 12  # to be seen of a clip; of a longer one as many, evenly spread
    vocabulary: Count = 6_000  # word pieces
    embedding: Count = 128  # width of a piece's vector, and of what the scores are made of
    cell: Literal["lstm", "gru", "simple_rnn"] = "gru"
    units: Count = 128  # of the decoder
    decoder_depth: Count = 1  # attention stands after the first
    attention: Literal["multiplicative", "additive", "none"] = "multiplicative"  # none: one look, at first
    doubly_stochastic: Penalty = 0.0  # how much it is to look everywhere once; a scene is mostly ground
    dropout: Share = 0.1  # of features, word vectors, and before the scores; photos need more
    smoothing: Share = 0.05  # of labels; photos need more: there is more than one right caption
    max_pieces: Count = 40  # longer captions are cut
    batch_size: Count = 32  # captions of about the same length
    epochs: Count = 8  # the one with the best CIDEr on validation is kept
    learning_rate: Rate = 3e-3  # at its peak; it rises at first, and falls to zero
    beams: Count = 3  # hypotheses in the search, and answers that the export gives
    length_penalty: Penalty = 1.0  # of Wu et al. (2016); without it short captions win
    seed: Seed = 1  # of weights, order and dropout


# --- Data ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures or clips as the model is given them, and their captions in plain words."""

    maps: np.ndarray  # of pictures, as many as the data have; of frames, the first one empty
    rows: np.ndarray  # which of them the pictures are [n], or the frames of clips [n, time], padded with 0
    captions: list[list[str]]

    def views(self, chosen: slice) -> np.ndarray:
        """Some pictures [n, ...], or clips [n, time, ...]."""
        return self.maps[self.rows[chosen]]


def seen(extract: ImageFeatures, cache: Path, split: Captioned) -> Split:
    """The features of all pictures; those that cannot be read are told and left out."""
    maps, status = image_features(extract, split.images, cache)
    return Split(maps, *whole(split, status))


def watched(read: "ClipReader", split: Captioned) -> Split:
    """The frames of all clips, likewise."""
    n = len(split.names)
    frames = np.zeros((1 + n * read.most, read.size, read.size, 3), np.uint8)  # takes memory where written
    rows, status, end = np.zeros((n, read.most), int), [], 1
    for row, clip in enumerate(split.clips((read.size, read.size))):
        found = read(clip[None], [len(clip)])
        count, start = int(found.lengths[0]), end
        end += count
        frames[start:end], rows[row, :count] = found.frames[0, :count], range(start, end)
        status.append(found.status.numpy()[0].decode())
    kept, captions = whole(split, status)
    return Split(frames[:end], rows[kept], captions)


def whole(split: Captioned, status: Sequence[str]) -> tuple[np.ndarray, list[list[str]]]:
    """Which of them are whole, and their captions; the others are told."""
    broken = [(name, why) for name, why in zip(split.names, status, strict=True) if why]
    for name, why in broken[:5]:
        print(f"left out: {name}: {why}")
    if broken[5:]:
        print(f"left out: {len(broken) - 5:,} more")
    rows = np.flatnonzero([not why for why in status])
    return rows, [[plain_words(caption) for caption in split.captions[row]] for row in rows]


def samples(data: Captioned, split: Split, folder: Path) -> list[Path]:
    """Small copies of the first two pictures."""
    files = [folder / f"{row}.png" for row in split.rows[:2]]
    for file in files:
        small_copy(next(itertools.islice(data.images(), int(file.stem), None))).save(file)
    return files


def small_copy(image: bytes) -> Image.Image:
    """The picture as it is read for the model, in its own proportions, at most 448 pixels wide and high."""
    width, height = Image.open(io.BytesIO(image)).size
    side = min(448, max(width, height))
    pixels = ImageReader(side)(tf.constant([image])).pixels[0].numpy()
    scale = side / max(width, height)
    return Image.fromarray(pixels).resize((max(1, round(width * scale)), max(1, round(height * scale))))


def batched(split: Split, pieces: PieceEncoder, settings: Settings, seed: int | None = None) -> Batches:
    """Batches of maps and captions of like length, for teacher forcing: a picture comes with each caption.

    So does a clip, with others of like length.
    """
    rows = tf.constant(split.rows)
    if split.rows.ndim > 1:
        rows = tf.RaggedTensor.from_tensor(rows, padding=0)
    owners = np.repeat(np.arange(len(split.captions)), [len(some) for some in split.captions])
    texts = tf.constant([caption for some in split.captions for caption in some])
    tokens = tf.RaggedTensor.from_tensor(pieces(texts).ids, padding=PADDING)
    start, end = (tf.fill([tokens.nrows(), 1], token) for token in (START, END))
    both = tf.gather(rows, owners), tf.concat([start, tokens, end], axis=1)
    found = batches(tf.data.Dataset.from_tensor_slices(both), settings.batch_size, seed=seed)
    print(found)

    def forced(rows: tf.Tensor, tokens: tf.Tensor) -> tuple:
        maps = tf.numpy_function(lambda rows: split.maps[rows], [rows], split.maps.dtype)
        return teacher_forced(tf.ensure_shape(maps, [*rows.shape, *split.maps.shape[1:]]), tokens)

    return dataclasses.replace(found, epoch=lambda number: found.epoch(number).map(forced))


def nearest(train: Split, test: Split) -> list[str]:
    """For each test picture a caption of the training picture that is nearest: what memory alone can do."""
    best, caption = np.full(len(test.rows), np.inf), np.zeros(len(test.rows), int)
    wanted = test.maps[alike(test.rows)].reshape(len(test.rows), -1).astype(np.float32)
    rows = alike(train.rows)
    for start in range(0, len(rows), 1000):
        some = train.maps[rows[start : start + 1000]].reshape(-1, wanted.shape[1]).astype(np.float32)
        distances = (some**2).sum(1) - 2 * wanted @ some.T
        nearer = distances.min(1) < best
        caption[nearer] = start + distances.argmin(1)[nearer]
        best = np.minimum(best, distances.min(1))
    return [train.captions[row][0] for row in caption]


def alike(rows: np.ndarray, frames: int = 8) -> np.ndarray:
    """The rows of what can be compared: of all clips as many frames, evenly spread."""
    if rows.ndim == 1:
        return rows
    places = np.arange(frames) * (rows > 0).sum(1, keepdims=True) // frames
    return np.take_along_axis(rows, places, 1)


# --- Model --------------------------------------------------------------------------------------


def one_to_many(settings: Settings, vocabulary: int, encoder: keras.Model | None) -> zoo.OneToMany:
    """What of the encoder is trained, and a decoder that looks at the map while it speaks."""
    return zoo.OneToMany(decoder(settings, vocabulary), encoder, settings.dropout, settings.doubly_stochastic)


def delayed_many_to_many(settings: Settings, vocabulary: int) -> zoo.DelayedManyToMany:
    """A vector of each frame, an encoder that reads them both ways, and a decoder that looks back at it."""
    shape = (settings.frame_size, settings.frame_size, 3 * (1 + len(OFFSETS)))
    vectors = FrameVectors(pooled_frame_encoder(shape, settings.units), OFFSETS)
    encoder = zoo.Encoder(CELLS[settings.cell](settings.units), bidirectional=True)
    return zoo.DelayedManyToMany(vectors, encoder, decoder(settings, vocabulary), settings.dropout)


def decoder(settings: Settings, vocabulary: int) -> zoo.Decoder:
    """What speaks, in both."""
    return zoo.Decoder(
        vocabulary,
        settings.embedding,
        CELLS[settings.cell](settings.units, dropout=settings.dropout),
        settings.decoder_depth,
        attention=ATTENTIONS[settings.attention](),
        dropout=settings.dropout,
    )


# --- Training and evaluation --------------------------------------------------------------------


def spoken(program: "Program", split: Split) -> SpokenValidation:
    """Captions the pictures after each epoch, greedily."""

    def scores(answers: Sequence[str]) -> dict[str, float]:
        found = caption_scores(answers, split.captions)
        return {"val_cider": found["CIDEr"], "val_bleu4": found["BLEU-4"]}

    return SpokenValidation(
        [captions[0] for captions in split.captions],
        lambda: captioned(program.tell_greedily, split),
        scores,
    )


def captioned(tell: Callable[[tf.Tensor], dict[str, tf.Tensor]], split: Split) -> list[str]:
    """The best caption of each."""
    parts = (slice(i, i + 64) for i in range(0, len(split.rows), 64))
    batches = (tell(tf.constant(split.views(part)))["captions"][:, 0] for part in parts)
    return [best.decode() for batch in batches for best in batch.numpy()]


def train(settings: Settings) -> None:
    """The whole story, from pictures and captions to an exported model and what it says of some."""
    start, figures = time.time(), {}
    if lost := [str(example) for example in settings.examples if not example.is_file()]:
        raise UsageError(f"--examples: there is no file {', '.join(lost)}.")
    run = settings.folder / f"{settings.cell}_attention_{settings.attention}"
    keras.utils.set_random_seed(settings.seed)
    encoder = image_encoder(settings.encoder, settings.image_size, settings.weights)
    data = load_captioning(settings.dataset, data_dir=settings.data_dir)
    print(f"{data.source}.", *data.notes)
    if moving := data.train.clips is not None:
        if settings.encoder != "small":
            raise UsageError(
                "--encoder is for pictures; frames of clips are seen by the small one. Leave it out."
            )
        read = ClipReader(settings.frame_size, settings.frames)
        see = partial(watched, read)
    else:
        # The small one knows nothing yet: all of it is trained.
        kept, trained = (None, encoder) if settings.encoder == "small" else cut(encoder, settings.tuned)
        read = ImageFeatures(ImageReader(settings.image_size), kept)
        see = partial(seen, read, settings.folder / "features")
    training, validation, test = map(see, (data.train, data.validation, data.test))
    with tempfile.TemporaryDirectory() as folder:
        try:
            known = learn_pieces(itertools.chain.from_iterable(training.captions), settings.vocabulary)
        except ValueError as error:
            raise UsageError(f"--vocabulary: {error}") from error
        file = write_vocabulary(known, Path(folder) / "pieces.txt")
        pieces = PieceEncoder(file, settings.max_pieces)
        batches_of_training = batched(training, pieces, settings, settings.seed)
        if moving:
            model, kind = delayed_many_to_many(settings, pieces.size), ClipProgram
        else:
            model, kind = one_to_many(settings, pieces.size, trained), PictureProgram
        program = kind(read, pieces, model, settings.beams, settings.length_penalty)
        rate = warmed_cosine(settings.learning_rate, settings.epochs * batches_of_training.batches)
        history = fit(
            model,
            batches_of_training.epoch,
            batched(validation, pieces, settings).epoch(0),
            optimizer=keras.optimizers.Adam(rate, beta_2=0.98, global_clipnorm=1.0),
            loss=SmoothedCrossentropy(settings.smoothing),
            metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")],
            epochs=settings.epochs,
            monitor="val_cider",
            mode="max",
            callbacks=[spoken(program, validation)],
            folder=run,
            settings=recorded(settings, "beams", "length_penalty"),
        )
        figures["validation CIDEr (greedy)"] = max(epoch["val_cider"] for epoch in history)
        figures |= evaluation(captioned(program.tell, test), training, test)
        remembered = nearest(training, test)
        nearby = f"nearest training {'clip' if moving else 'picture'}"
        figures[f"test BLEU-4, {nearby}"] = caption_scores(remembered, test.captions)["BLEU-4"]
        figures[f"test exact match, {nearby}"] = matches(remembered, test)
        figures["minutes"] = minutes(start, [run])
        print("\n" + "\n".join(f"{name:60}{value:8.2f}" for name, value in figures.items()))
        if not zoo.is_chief():
            return
        if not moving:
            examples = {"image": settings.examples or samples(data.validation, validation, Path(folder))}
        elif settings.examples:
            examples = clips(settings.examples, (read.size, read.size))
        else:
            lengths = (validation.rows[:2] > 0).sum(1, dtype=np.int32)
            examples = {"frames": validation.views(slice(2)), "lengths": lengths}
        signatures = {"serving_default": program.serve, "greedy": program.greedy}
        about = card(settings, data, figures, program)
        export_program(signatures, program.resources, examples, settings.export, about)
    print(f"\nexported to {settings.export}")
    names = sorted(settings.export.glob("example*"))
    if moving:
        names = [f"{names[0]}[{row}]" for row in range(len(examples["lengths"]))]
    answer(program.serve, names, examples if moving else pictures(names))
    command = f"python recipes/captioning.py predict --model {shlex.quote(str(settings.export))}"
    print(f"\nnext: {command} {'video.mp4' if moving else shlex.quote(str(names[0]))}")


def matches(answers: Sequence[str], split: Split) -> float:
    """The share of answers, from 0 to 100, that are one of the right captions."""
    return 100 * float(
        np.mean([answer in right for answer, right in zip(answers, split.captions, strict=True)])
    )


def evaluation(answers: Sequence[str], training: Split, test: Split) -> dict[str, float]:
    """The scores on the test pictures, and how much of the captions is the model's own."""
    known = set(itertools.chain.from_iterable(training.captions))
    return {
        **{f"test {name}": score for name, score in caption_scores(answers, test.captions).items()},
        "test exact match": matches(answers, test),
        "distinct captions, share": 100 * len(set(answers)) / len(answers),
        "captions that training has, share": 100 * float(np.mean([answer in known for answer in answers])),
    }


# --- Export -------------------------------------------------------------------------------------


class Frames(NamedTuple):
    """What a `ClipReader` makes of n clips."""

    frames: tf.Tensor  # uint8 [n, time, size, size, 3]: not black, but for what is zero throughout, padding
    lengths: tf.Tensor  # int32 [n], how many of them there are
    places: tf.Tensor  # int32 [n, time], where they stood in the clip
    status: tf.Tensor  # string [n]: empty, or what is to be said of the clip


IMAGES = (tf.TensorSpec([None], tf.string, "image"),)
FRAMES = (
    tf.TensorSpec([None, None, None, None, 3], tf.uint8, "frames"),
    tf.TensorSpec([None], tf.int32, "lengths"),
)


class ClipReader:
    """Frames of any size and number to what the model is given, inside the graph."""

    def __init__(self, size: int, most: int) -> None:
        self.size, self.most = size, most
        self.scaled = FrameReader((size, size))

    @tf.function(input_signature=FRAMES, autograph=False)
    def __call__(self, frames: tf.Tensor, lengths: tf.Tensor) -> Frames:
        """Read frames [n, time, height, width, 3], of which `lengths` are there."""
        shape = tf.shape(frames)
        given = [tf.strings.as_string(number) for number in (lengths, tf.fill(shape[:1], shape[1]))]
        wrong = tf.strings.join(["lengths says ", given[0], ", and there are ", given[1], " frames"])
        status = tf.where(lengths == 0, "no frames", "")
        status = tf.where((lengths < 0) | (lengths > shape[1]), wrong, status)
        lengths = tf.clip_by_value(lengths, 0, shape[1])
        counts = tf.minimum(lengths, self.most)
        step = tf.range(tf.maximum(1, tf.reduce_max(counts)))
        there = step < counts[:, None]
        # Of as many equal parts the middle.
        places = tf.where(there, (2 * step + 1) * lengths[:, None] // (2 * tf.maximum(1, counts[:, None])), 0)
        lacking = [[0, missing] for missing in tf.unstack(tf.maximum(1 - shape[1:4], 0))]
        some = tf.gather(tf.pad(frames, [[0, 0], *lacking, [0, 0]]), places, batch_dims=1)
        seen = tf.where(there[..., None, None, None], tf.maximum(self.scaled(some), 1), 0)
        return Frames(seen, counts, places, status)


@dataclass(frozen=True, eq=False)
class Program:
    """The whole program but for its beginning: what a model is given in, captions out."""

    read: ImageFeatures | ClipReader
    pieces: PieceEncoder
    model: zoo.OneToMany | zoo.DelayedManyToMany
    beams: int
    length_penalty: float

    @tf.function(autograph=False, reduce_retracing=True)
    def tell(self, maps: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `serve` gives, for maps or frames that were read."""
        return self._answer(maps, tf.fill(tf.shape(maps)[:1], ""), beam_search, **self._how)

    @tf.function(autograph=False, reduce_retracing=True)
    def tell_greedily(self, maps: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `greedy` gives, for maps or frames that were read."""
        return self._answer(maps, tf.fill(tf.shape(maps)[:1], ""), greedy)

    @property
    def _how(self) -> dict[str, float]:
        return {"beams": self.beams, "n_best": self.beams, "length_penalty": self.length_penalty}

    def _answer(
        self, maps: tf.Tensor, status: tf.Tensor, search: Callable[..., Decoded], **how: float
    ) -> dict[str, tf.Tensor]:
        memory, state = self.model.remember(maps)
        limit = self.pieces.max_pieces + 1
        tokens, scores, looked = self.model.decoder.emit(
            search, state, memory, start=START, end=END, length=limit, **how
        )
        size = self._positions(maps)
        if looked is None:
            looked = tf.zeros([*tf.unstack(tf.shape(tokens)), tf.reduce_prod(size)])
        whole = status == ""
        pieces = tf.where(whole[:, None], self.pieces.pieces_of(tokens[:, 0]), "")
        words, looked = joined_words(pieces, looked[:, 0])
        return {
            "captions": tf.where(whole[:, None], self.pieces.text(tokens), ""),
            "scores": scores,
            "attention": tf.reshape(looked, [*tf.unstack(tf.shape(words)), *size]),
            "words": words,
            "status": status,
        }


class PictureProgram(Program):
    """The whole program: image bytes in, captions out."""

    @tf.function(input_signature=IMAGES, autograph=False)
    def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each image the best captions, their scores, and where the decoder looked for the first."""
        return self._answer(*self.read(image), beam_search, **self._how)

    @tf.function(input_signature=IMAGES, autograph=False)
    def greedy(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same with one caption, always by the likeliest next piece: faster, and less good."""
        return self._answer(*self.read(image), greedy)

    @property
    def resources(self) -> list[tf.Module | keras.Model]:
        """All that has a state."""
        return [self.pieces, self.model, *([self.read.encoder] if self.read.encoder else [])]

    def _positions(self, _: tf.Tensor) -> list[int]:
        return [self.model.rows, self.model.columns]


class ClipProgram(Program):
    """The whole program: frames in, captions out."""

    @tf.function(input_signature=FRAMES, autograph=False)
    def serve(self, frames: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each clip the best captions, their scores, and where the decoder looked for the first."""
        return self._told(frames, lengths, beam_search, **self._how)

    @tf.function(input_signature=FRAMES, autograph=False)
    def greedy(self, frames: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same with one caption, always by the likeliest next piece: faster, and less good."""
        return self._told(frames, lengths, greedy)

    @property
    def resources(self) -> list[tf.Module | keras.Model]:
        """All that has a state."""
        return [self.pieces, self.model]

    def _told(
        self, frames: tf.Tensor, lengths: tf.Tensor, search: Callable[..., Decoded], **how: float
    ) -> dict[str, tf.Tensor]:
        seen, _, places, status = self.read(frames, lengths)
        said = self._answer(seen, status, search, **how)
        return said | {"attention": said["attention"] @ tf.one_hot(places, tf.shape(frames)[1])}

    def _positions(self, frames: tf.Tensor) -> list[tf.Tensor]:
        return [tf.shape(frames)[1]]


def card(settings: Settings, data: CaptionedImages, figures: dict[str, float], program: Program) -> Card:
    """What is to be known of the model."""
    moving = isinstance(program, ClipProgram)
    if moving:
        summary = "Says in a sentence what happens in a clip, and at which frames it looked for each word."
        own = (
            f"It squeezes frames to a square of {settings.frame_size} pixels a side, and of more than "
            f"{settings.frames} frames it sees as many, evenly spread: what is short or small is missed.",
            "How fast frames follow each other it is not told.",
        )
    else:
        summary = "Says in a sentence what a picture shows, and where it looked for each word."
        own = (
            "It reads JPEG, PNG, GIF (the first frame) and BMP without a palette, and squeezes the picture "
            "to a square. What a camera notes on how to turn it (EXIF) is ignored: turn it before.",
            "Attention is spread, and may lie beside what a word names: each place of the map knows of much "
            "of the picture.",
        )
    return Card(
        title=f"Captioning ({data.source})",
        summary=summary,
        **origin(settings, data),
        figures={name: round(value, 2) for name, value in figures.items()},
        limits=(
            "It knows what its data show, and tells of other things in the same words.",
            "Captions are plain words, lower case, no punctuation, and scored against references in the same "
            "form. CIDEr is CIDEr-D, 100 where papers have 1; the other figures are between 0 and 100.",
            f"The scores rank the captions of one {'clip' if moving else 'picture'}; they do not compare "
            f"{'clips' if moving else 'pictures'}.",
            *own,
        ),
    )


# --- Command line -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """Ask a trained model. Pictures or videos come from the arguments, a file of names, or standard input."""

    images: tyro.conf.Positional[tuple[str, ...]] = ()  # each one a picture's file, or a video's
    file: Path | None = None  # one picture's file a line, or video's
    model: Path = Path("saved_models/captioning/1")  # an exported SavedModel, of pictures or of clips
    best: Count = 1  # captions to print of each, as many as the model gives
    plot: Path | None = None  # a picture to write, of where the decoder looked in the last one


def predict(query: Query) -> None:
    """Print the captions of each picture or video, and draw the attention if asked to."""
    picture(query.plot)
    model, said = loaded(query.model, "captions"), None
    serve = model.signatures["serving_default"]
    moving = "frames" in serve.structured_input_signature[1]
    names = (Path(name.decode(errors="surrogateescape")) for name in lines(query.images, query.file))
    while some := list(itertools.islice(names, 1 if moving else 16)):
        given = clips(some) if moving else pictures(some)
        said = answer(serve, some, given, query.best)
    if query.plot and (said is None or not said["attention"][-1].any()):
        raise UsageError(
            "--plot draws the last picture, and that one has no caption, or its model no attention. Put "
            "another picture last, or name another model."
        )
    if query.plot:
        draw(said, None if moving else given["image"][-1], query.plot)


def pictures(names: Iterable[Path]) -> dict[str, list[bytes]]:
    """Files of pictures, as an export takes them."""
    try:
        return {"image": [name.read_bytes() for name in names]}
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error


def clips(names: Iterable[Path], size: tuple[int, int] = (112, 112)) -> dict[str, np.ndarray]:
    """Videos, likewise: no larger than they need to be."""
    found = [np.stack([frame for _, frame in open_video(name).frames(size)]) for name in names]
    lengths = np.array([len(clip) for clip in found], np.int32)
    frames = np.zeros((len(found), lengths.max(), *size, 3), np.uint8)
    for row, clip in enumerate(found):
        frames[row, : len(clip)] = clip
    return {"frames": frames, "lengths": lengths}


def draw(said: dict[str, np.ndarray], image: bytes | None, picture: Path) -> None:
    """Draw where the decoder looked in the last picture, or at which frames of the last clip."""
    words = [word.decode() for word in said["words"][-1] if word]
    weights = said["attention"][-1, : len(words)]
    if image is None:
        seen = np.flatnonzero(weights.any(0))
        plot_attention(weights[:, seen], [f"{place}" for place in seen], words, picture)
    else:
        plot_glimpses(np.asarray(small_copy(image)), words, weights, picture)
    print(f"attention drawn in {picture}")


def answer(
    serve: Callable[..., dict[str, tf.Tensor]],
    names: Sequence[Path | str],
    given: dict[str, Sequence[bytes] | np.ndarray],
    best: int = 1,
) -> dict[str, np.ndarray]:
    """Print what the program says of the pictures or clips."""
    inputs = {name: tf.constant(value) for name, value in given.items()}
    said = {name: value.numpy() for name, value in serve(**inputs).items()}
    for row, (name, status) in enumerate(zip(names, said["status"], strict=True)):
        if status:
            print(f"{name}  [{status.decode()}]")
            continue
        found = zip(said["scores"][row], said["captions"][row], strict=True)
        for score, caption in itertools.islice(found, best):
            print(f"{name}  {score:8.3f}  {caption.decode()}")
    return said


if __name__ == "__main__":
    main(train, Settings, predict, Query)
