"""Captioning, one-to-many: learn to say what a picture shows, and export image bytes in, sentences out.

python recipes/captioning.py                                train, evaluate, export: drawn scenes
python recipes/captioning.py --dataset Flickr8k --encoder efficientnet_lite0 --image-size 224
                                                            the same on photos
python recipes/captioning.py predict photo.jpg              ask a trained model
"""

import dataclasses
import io
import itertools
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
from recipes.parts import ATTENTIONS, CELLS, SpokenValidation
from zoo.datasets import Captioned, CaptionedImages, load_captioning
from zoo.decoding import Decoded, beam_search, greedy
from zoo.export import Card, export_program
from zoo.formulations import SmoothedCrossentropy, teacher_forced
from zoo.images import ImageFeatures, ImageReader, cut, image_encoder
from zoo.inspection import plot_glimpses
from zoo.metrics import caption_scores, plain_words
from zoo.text import END, PADDING, START, PieceEncoder, joined_words, learn_pieces, write_vocabulary
from zoo.training import Batches, batches, fit, image_features, warmed_cosine

# --- Settings -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Train a decoder on pictures and their captions, evaluate it, and export it.

    To ask a trained model instead: captioning.py predict --help
    """

    dataset: str = "scenes"  # embedded; or a TFDS name; or a path as Flickr8k and COCO have it, or a table
    data_dir: Path | None = None  # where TFDS keeps its data; None is TFDS's own default
    credit: str = ""  # whose data they are, for the card; TFDS knows it of its own sets
    licence: str = ""  # what they allow, for the card; TFDS knows it of some
    examples: tuple[Path, ...] = ()  # pictures to caption on the card; none: two of validation
    folder: Path = Path("runs/captioning")  # logs, curves, checkpoints: with the same one a run goes on
    export: Path = Path("runs/captioning/export/1")  # where the SavedModel goes
    encoder: str = "small"  # trained from scratch; or efficientnet_lite0, or one such as MobileNetV2
    weights: Path | None = None  # a file with those of the encoder; None: where its maker has them
    image_size: Count = 64  # pixels each way; pictures are squeezed to a square
    tuned: Number = 0  # last convolutions of the encoder to train, too; then with a low learning rate
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
    """Pictures as the model is given them, and their captions in plain words."""

    maps: np.ndarray
    captions: list[list[str]]
    rows: np.ndarray  # where they stand among the pictures of the data


def seen(split: Captioned, extract: ImageFeatures, cache: Path) -> Split:
    """The features of all pictures; those that cannot be read are told and left out."""
    maps, status = image_features(extract, split.images, cache)
    broken = [(name, why) for name, why in zip(split.names, status, strict=True) if why]
    for name, why in broken[:5]:
        print(f"left out: {name}: {why}")
    if broken[5:]:
        print(f"left out: {len(broken) - 5:,} more")
    whole = np.flatnonzero([not why for why in status])
    captions = [[plain_words(caption) for caption in split.captions[row]] for row in whole]
    return Split(maps[whole] if broken else maps, captions, whole)


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
    """Batches of maps and captions of like length, for teacher forcing: a picture comes with each caption."""
    owners = np.repeat(np.arange(len(split.captions)), [len(some) for some in split.captions])
    texts = tf.constant([caption for some in split.captions for caption in some])
    tokens = tf.RaggedTensor.from_tensor(pieces(texts).ids, padding=PADDING)
    start, end = (tf.fill([tokens.nrows(), 1], token) for token in (START, END))
    whole = tf.data.Dataset.from_tensor_slices((owners, tf.concat([start, tokens, end], axis=1)))
    found = batches(whole, settings.batch_size, seed=seed)
    print(found)

    def forced(rows: tf.Tensor, tokens: tf.Tensor) -> tuple:
        maps = tf.numpy_function(lambda rows: split.maps[rows], [rows], split.maps.dtype)
        return teacher_forced(tf.ensure_shape(maps, [None, *split.maps.shape[1:]]), tokens)

    return dataclasses.replace(found, epoch=lambda number: found.epoch(number).map(forced))


def nearest(train: Split, test: Split) -> list[str]:
    """For each test picture a caption of the training picture that is nearest: what memory alone can do."""
    best, caption = np.full(len(test.maps), np.inf), np.zeros(len(test.maps), int)
    wanted = test.maps.reshape(len(test.maps), -1).astype(np.float32)
    for start in range(0, len(train.maps), 1000):
        some = train.maps[start : start + 1000].reshape(-1, wanted.shape[1]).astype(np.float32)
        distances = (some**2).sum(1) - 2 * wanted @ some.T
        nearer = distances.min(1) < best
        caption[nearer] = start + distances.argmin(1)[nearer]
        best = np.minimum(best, distances.min(1))
    return [train.captions[row][0] for row in caption]


# --- Model --------------------------------------------------------------------------------------


def one_to_many(settings: Settings, vocabulary: int, encoder: keras.Model | None) -> zoo.OneToMany:
    """What of the encoder is trained, and a decoder that looks at the map while it speaks."""
    decoder = zoo.Decoder(
        vocabulary,
        settings.embedding,
        CELLS[settings.cell](settings.units, dropout=settings.dropout),
        settings.decoder_depth,
        attention=ATTENTIONS[settings.attention](),
        dropout=settings.dropout,
    )
    return zoo.OneToMany(decoder, encoder, settings.dropout, settings.doubly_stochastic)


# --- Training and evaluation --------------------------------------------------------------------


def spoken(program: "Program", split: Split) -> SpokenValidation:
    """Captions the pictures after each epoch, greedily."""

    def scores(answers: Sequence[str]) -> dict[str, float]:
        found = caption_scores(answers, split.captions)
        return {"val_cider": found["CIDEr"], "val_bleu4": found["BLEU-4"]}

    return SpokenValidation(
        [captions[0] for captions in split.captions],
        lambda: captioned(program.tell_greedily, split.maps),
        scores,
    )


def captioned(tell: Callable[[tf.Tensor], dict[str, tf.Tensor]], maps: np.ndarray) -> list[str]:
    """The best caption of each."""
    batches = (tell(tf.constant(maps[i : i + 64]))["captions"][:, 0] for i in range(0, len(maps), 64))
    return [best.decode() for batch in batches for best in batch.numpy()]


def train(settings: Settings) -> None:
    """The whole story, from pictures and captions to an exported model and what it says of some."""
    start, figures = time.time(), {}
    if lost := [str(example) for example in settings.examples if not example.is_file()]:
        raise UsageError(f"--examples: there is no file {', '.join(lost)}.")
    run = settings.folder / f"{settings.cell}_attention_{settings.attention}"
    keras.utils.set_random_seed(settings.seed)
    whole = image_encoder(settings.encoder, settings.image_size, settings.weights)
    data = load_captioning(settings.dataset, data_dir=settings.data_dir)
    print(f"{data.source}.", *data.notes)
    # The small one knows nothing yet: all of it is trained.
    kept, trained = (None, whole) if settings.encoder == "small" else cut(whole, settings.tuned)
    extract = ImageFeatures(ImageReader(settings.image_size), kept)
    cache = settings.folder / "features"
    training, validation, test = (
        seen(split, extract, cache) for split in (data.train, data.validation, data.test)
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            known = learn_pieces(itertools.chain.from_iterable(training.captions), settings.vocabulary)
        except ValueError as error:
            raise UsageError(f"--vocabulary: {error}") from error
        file = write_vocabulary(known, Path(folder) / "pieces.txt")
        pieces = PieceEncoder(file, settings.max_pieces)
        batches_of_training = batched(training, pieces, settings, settings.seed)
        model = one_to_many(settings, pieces.size, trained)
        program = Program(extract, pieces, model, settings.beams, settings.length_penalty)
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
        figures |= evaluation(captioned(program.tell, test.maps), training, test)
        remembered = nearest(training, test)
        figures["test BLEU-4, nearest training picture"] = caption_scores(remembered, test.captions)["BLEU-4"]
        figures["test exact match, nearest training picture"] = matches(remembered, test)
        figures["minutes"] = minutes(start, [run])
        print("\n" + "\n".join(f"{name:60}{value:8.2f}" for name, value in figures.items()))
        if not zoo.is_chief():
            return
        examples = settings.examples or samples(data.validation, validation, Path(folder))
        signatures = {"serving_default": program.serve, "greedy": program.greedy}
        resources = [pieces, model, *([kept] if kept else [])]
        about = card(settings, data, figures)
        export_program(signatures, resources, {"image": examples}, settings.export, about)
    print(f"\nexported to {settings.export}")
    copies = sorted(settings.export.glob("example*"))
    answer(program.serve, copies, [copy.read_bytes() for copy in copies])
    command = f"python recipes/captioning.py predict --model {shlex.quote(str(settings.export))}"
    print(f"\nnext: {command} {shlex.quote(str(copies[0]))}")


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


@dataclass(frozen=True, eq=False)
class Program:
    """The whole program: image bytes in, captions out."""

    extract: ImageFeatures
    pieces: PieceEncoder
    model: zoo.OneToMany
    beams: int
    length_penalty: float

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image")], autograph=False)
    def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """For each image the best captions, their scores, and where the decoder looked for the first."""
        return self._answer(*self.extract(image), beam_search, **self._how)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image")], autograph=False)
    def greedy(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """The same with one caption, always by the likeliest next piece: faster, and less good."""
        return self._answer(*self.extract(image), greedy)

    @tf.function(autograph=False, reduce_retracing=True)
    def tell(self, maps: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `serve` gives, for features that are known."""
        return self._answer(maps, tf.fill(tf.shape(maps)[:1], ""), beam_search, **self._how)

    @tf.function(autograph=False, reduce_retracing=True)
    def tell_greedily(self, maps: tf.Tensor) -> dict[str, tf.Tensor]:
        """What `greedy` gives, for features that are known."""
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
        size = [self.model.rows, self.model.columns]
        if looked is None:
            looked = tf.zeros([*tf.unstack(tf.shape(tokens)), size[0] * size[1]])
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


def card(settings: Settings, data: CaptionedImages, figures: dict[str, float]) -> Card:
    """What is to be known of the model."""
    return Card(
        title=f"Captioning ({data.source})",
        summary="Says in a sentence what a picture shows, and where it looked for each word.",
        **origin(settings, data),
        figures={name: round(value, 2) for name, value in figures.items()},
        limits=(
            "It knows what its data show, and tells of other things in the same words.",
            "Captions are plain words, lower case, no punctuation, and scored against references in the same "
            "form. CIDEr is CIDEr-D, 100 where papers have 1; the other figures are between 0 and 100.",
            "It reads JPEG, PNG, GIF (the first frame) and BMP without a palette, and squeezes the picture "
            "to a square. What a camera notes on how to turn it (EXIF) is ignored: turn it before.",
            "The scores rank the captions of one picture; they do not compare pictures.",
            "Attention is spread, and may lie beside what a word names: each place of the map knows of much "
            "of the picture.",
        ),
    )


# --- Command line -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """Ask a trained model. Pictures come from the arguments, a file of names, or standard input."""

    images: tyro.conf.Positional[tuple[str, ...]] = ()  # each one a picture's file
    file: Path | None = None  # one picture's file a line
    model: Path = Path("saved_models/captioning/1")  # an exported SavedModel
    best: Count = 1  # captions to print of each, as many as the model gives
    plot: Path | None = None  # a picture to write, of where the decoder looked in the last image


def predict(query: Query) -> None:
    """Print the captions of each picture, and draw the attention if asked to."""
    picture(query.plot)
    model, said = loaded(query.model, "captions"), None
    names = (Path(name.decode(errors="surrogateescape")) for name in lines(query.images, query.file))
    while some := list(itertools.islice(names, 16)):
        try:
            images = [name.read_bytes() for name in some]
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
        said = answer(model.signatures["serving_default"], some, images, query.best)
    if query.plot and (said is None or not said["attention"][-1].any()):
        raise UsageError(
            "--plot draws the last picture, and that one has no caption, or its model no attention. Put "
            "another picture last, or name another model."
        )
    if query.plot:
        draw(said, images[-1], query.plot)


def draw(said: dict[str, np.ndarray], image: bytes, picture: Path) -> None:
    """Draw where the decoder looked in the last picture."""
    words = [word.decode() for word in said["words"][-1] if word]
    pixels = np.asarray(small_copy(image))
    plot_glimpses(pixels, words, said["attention"][-1, : len(words)], picture)
    print(f"attention drawn in {picture}")


def answer(
    serve: Callable[..., dict[str, tf.Tensor]], names: Sequence[Path], images: Sequence[bytes], best: int = 1
) -> dict[str, np.ndarray]:
    """Print what the program says of the pictures."""
    said = {name: value.numpy() for name, value in serve(image=tf.constant(images)).items()}
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
